// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of kmod/ike/track*.c: dialogues, each message said twice where
 * that may happen, and what the tracker makes of them.
 */
#include "ike/round_trip.h"
#include "ike/track.h"

#include "ike_host.h"

static const enum ike_dir O = IKE_DIR_OUT, I = IKE_DIR_IN;

/* A message of a dialogue, as far as the rest does not follow from it. */
struct say {
	u8 version;
	u8 exchange;
	u8 flags;
	u32 mid;
	u32 len;		/* 0: 200 */
	u64 ispi;		/* 0: ISPI */
	u64 rspi;
	u16 num, total;		/* fragment */
	u16 notify;		/* type of a notify that is the only payload */
	u8 next;		/* first payload; 0: SA, or SK, or HASH */
	bool natt;
};

static struct ike_sa_state st;
static u32 n_child;		/* children made, and not taken back */

static u8 first_payload(const struct say *s)
{
	if (s->next)
		return s->next;
	if (s->total)
		return s->version == 1 ? 132 : 53;
	if (s->notify)
		return s->version == 1 ? 11 : 41;
	if (s->version == 1)
		return s->flags & 1 ? 8 : 1;
	return s->exchange == 34 || s->exchange == 38 ? 33 : 46;
}

static void say_build(const struct say *s, struct ike_msg *m)
{
	u32 len = s->len ? s->len : 200;
	u8 b[4096] = { 0 }, *p = b;

	if (s->natt)
		p += 4;
	put(p, s->ispi ? s->ispi : ISPI, 8);
	put(p + 8, s->rspi, 8);
	p[16] = first_payload(s);
	p[17] = (u8)(s->version << 4);
	p[18] = s->exchange;
	p[19] = s->flags;
	put(p + 20, s->mid, 4);
	put(p + 24, len, 4);
	put(p + 30, len - 28, 2);
	if (s->total && s->version == 1) {
		p[34] = (u8)s->num;
		p[35] = s->num == s->total;
	} else if (s->total) {
		put(p + 32, s->num, 2);
		put(p + 34, s->total, 2);
	} else if (s->notify) {
		put(p + (s->version == 1 ? 38 : 34), s->notify, 2);
	}
	len += s->natt ? 4 : 0;
	parse(m, b, min(len, (u32)IKE_CAPTURE_MIN + 8), len,
	      s->natt ? IKE_PORT_4500 : IKE_PORT_500);
}

static u32 say(enum ike_dir dir, struct say s)
{
	struct ike_sa_state before = st;
	struct ike_msg m;
	u32 ev;

	say_build(&s, &m);
	SAME(m.cls, IKE_CLASS_IKE);
	ev = ike_track_message(&st, dir, &m);
	if (ev & IKE_EV_FOREIGN) {
		SAME(ev, IKE_EV_FOREIGN);
		CHECK(!memcmp(&before, &st, sizeof(st)));
	}
	n_child += !!(ev & IKE_EV_CHILD) - !!(ev & IKE_EV_CHILD_RETRACT);
	return ev;
}

/* Does the message bring these events, and its repetition nothing anew? */
#define SAY(dir, events, ...)						\
	do {								\
		const struct say _s = { __VA_ARGS__ };			\
		const enum ike_dir _d = dir;				\
		u32 _n;							\
									\
		tap_same(say(_d, _s), events, __LINE__, #__VA_ARGS__);	\
		_n = n_child;					\
		tap_same(say(_d, _s) & (IKE_EV_CHILD | IKE_EV_BEGIN |	\
					IKE_EV_ESTABLISHED | IKE_EV_NATT | \
					IKE_EV_CHILD_RETRACT), 0, __LINE__, \
			 "said again");					\
		tap_same(n_child, _n, __LINE__, "n_child");		\
	} while (0)

/* Does the message, said once only, bring these events? */
#define ONCE(dir, events, ...)						\
	tap_same(say(dir, (struct say){ __VA_ARGS__ }), events, __LINE__, \
		 #__VA_ARGS__)

#define EV(x) IKE_EV_##x

/* IKEv2 as sent by the initiator (I_) and the responder (R_) of the SA */
#define INIT	2, 34, 0x08, .mid = 0
#define INIT_R	2, 34, 0x20, .mid = 0
#define I_REQ	0x08
#define I_RESP	0x28
#define R_REQ	0x00
#define R_RESP	0x20

static void reset(void)
{
	memset(&st, 0, sizeof(st));
	n_child = 0;
}

static void up_v2(void)
{
	reset();
	SAY(O, 0, INIT);
	SAY(I, 0, INIT_R, .rspi = RSPI);
	SAY(O, EV(BEGIN), 2, 35, I_REQ, 1, .rspi = RSPI);
	SAY(I, EV(ESTABLISHED) | EV(CHILD), 2, 35, R_RESP, 1, .rspi = RSPI);
}

static void test_v2_plain(void)
{
	up_v2();
	SAME(st.ispi, ISPI);
	SAME(st.rspi, RSPI);
	SAME(st.version, 2);
	SAME(st.phase, IKE_SA_ESTABLISHED);
	SAME(st.opener, O);
	SAME(n_child, 1);
	CHECK(!st.natt && !st.adopted && st.answered && st.rspi_fixed);
	done("v2: SA_INIT and AUTH, each message twice");
}

static void test_v2_natt(void)
{
	reset();
	SAY(O, 0, INIT, .notify = 16388);
	SAY(I, 0, INIT_R, .rspi = RSPI, .notify = 16389);
	CHECK(!st.natt);
	SAY(O, EV(BEGIN) | EV(NATT), 2, 35, I_REQ, 1, .rspi = RSPI,
	    .natt = true);
	SAY(I, EV(ESTABLISHED) | EV(CHILD), 2, 35, R_RESP, 1, .rspi = RSPI,
	    .natt = true);
	CHECK(st.natt);
	reset();
	ONCE(O, 0, INIT);
	ONCE(I, EV(NATT), INIT_R, .rspi = RSPI, .natt = true);
	reset();
	ONCE(O, 0, INIT);
	ONCE(I, 0, INIT_R, .rspi = RSPI);
	ONCE(I, EV(NATT), INIT_R, .rspi = RSPI, .natt = true);
	done("v2: move to port 4500");
}

static void test_v2_retry(void)
{
	reset();
	SAY(O, 0, INIT);
	ONCE(I, 0, INIT_R, .notify = 16390);
	SAME(st.rspi, 0);
	ONCE(O, 0, INIT, .notify = 16390);
	ONCE(I, 0, INIT_R, .rspi = RSPI + 4, .notify = 17);
	SAME(st.rspi, 0);
	ONCE(O, 0, INIT);
	ONCE(I, 0, INIT_R, .notify = 14);
	SAME(st.phase, IKE_SA_HALF_OPEN);
	SAY(I, 0, INIT_R, .rspi = RSPI);
	done("v2: cookie, other key exchange, refusal, then the answer");
}

static void test_v2_two_answers(void)
{
	reset();
	SAY(O, 0, INIT);
	ONCE(I, 0, INIT_R, .rspi = 0xbad);
	ONCE(I, 0, INIT_R, .rspi = RSPI);
	SAME(st.rspi, RSPI);
	ONCE(O, EV(BEGIN), 2, 35, I_REQ, 1, .rspi = RSPI);
	ONCE(I, EV(FOREIGN), INIT_R, .rspi = 0xbad);
	ONCE(O, EV(FOREIGN), 2, 35, I_REQ, 1, .rspi = 0xbad);
	ONCE(I, EV(FOREIGN), 2, 35, R_RESP, 1, .rspi = 0xbad);
	ONCE(I, 0, INIT_R, .rspi = 0xbad, .notify = 14);
	ONCE(O, 0, INIT);
	ONCE(I, 0, INIT_R, .rspi = RSPI);
	SAME(st.rspi, RSPI);
	ONCE(I, EV(ESTABLISHED) | EV(CHILD), 2, 35, R_RESP, 1, .rspi = RSPI);
	/* The other way round: the initiator takes what came first. */
	reset();
	ONCE(O, 0, INIT);
	ONCE(I, 0, INIT_R, .rspi = RSPI);
	ONCE(I, 0, INIT_R, .rspi = 0xbad);
	ONCE(O, EV(BEGIN), 2, 35, I_REQ, 1, .rspi = RSPI);
	SAME(st.rspi, RSPI);
	done("v2: of two answers, the one counts that the initiator takes");
}

static void test_v2_children(void)
{
	up_v2();
	/* Both ends ask at once, with the same number. */
	SAY(O, EV(BEGIN), 2, 36, I_REQ, 2, .rspi = RSPI);
	SAY(I, EV(BEGIN), 2, 36, R_REQ, 2, .rspi = RSPI);
	SAY(O, EV(CHILD), 2, 36, I_RESP, 2, .rspi = RSPI);
	SAY(I, EV(CHILD), 2, 36, R_RESP, 2, .rspi = RSPI);
	SAME(n_child, 3);
	/* A gateway's requests begin at 0. */
	SAY(I, 0, 2, 36, R_REQ, 2, .rspi = RSPI);
	SAY(I, 0, 2, 37, R_REQ, 3, .rspi = RSPI, .len = 60);
	SAY(O, 0, 2, 37, I_RESP, 3, .rspi = RSPI, .len = 60);
	SAME(n_child, 3);
	done("v2: children made from either side");
}

static void test_v2_refusal(void)
{
	up_v2();
	SAY(O, EV(BEGIN), 2, 36, I_REQ, 2, .rspi = RSPI);
	SAY(I, EV(NO_CHILD), 2, 36, R_RESP, 2, .rspi = RSPI, .len = 148);
	SAY(O, EV(BEGIN), 2, 36, I_REQ, 3, .rspi = RSPI);
	SAY(I, EV(CHILD), 2, 36, R_RESP, 3, .rspi = RSPI, .len = 149);
	SAME(n_child, 2);
	reset();
	SAY(O, 0, INIT);
	SAY(I, 0, INIT_R, .rspi = RSPI);
	SAY(O, EV(BEGIN), 2, 35, I_REQ, 1, .rspi = RSPI);
	SAY(I, EV(NO_CHILD), 2, 35, R_RESP, 1, .rspi = RSPI, .len = 76);
	SAME(st.phase, IKE_SA_HALF_OPEN);
	/* The initiator says in an exchange of its own that it gives up. */
	SAY(O, 0, 2, 37, I_REQ, 2, .rspi = RSPI, .len = 76);
	SAY(I, 0, 2, 37, R_RESP, 2, .rspi = RSPI, .len = 76);
	SAME(st.phase, IKE_SA_HALF_OPEN);
	SAME(n_child, 0);
	done("v2: too short an answer makes no child, nor an SA");
}

static void test_v2_eap(void)
{
	reset();
	SAY(O, 0, INIT);
	SAY(I, 0, INIT_R, .rspi = RSPI);
	SAY(O, EV(BEGIN), 2, 35, I_REQ, 1, .rspi = RSPI);
	/* Has a certificate, so it is long. */
	SAY(I, EV(ESTABLISHED) | EV(CHILD), 2, 35, R_RESP, 1, .rspi = RSPI,
	    .len = 1400);
	SAY(O, EV(BEGIN) | EV(CHILD_RETRACT), 2, 35, I_REQ, 2, .rspi = RSPI);
	SAME(n_child, 0);
	SAY(I, EV(NO_CHILD), 2, 35, R_RESP, 2, .rspi = RSPI, .len = 100);
	SAY(O, EV(BEGIN), 2, 35, I_REQ, 3, .rspi = RSPI);
	SAY(I, EV(CHILD), 2, 35, R_RESP, 3, .rspi = RSPI);
	SAME(n_child, 1);
	SAY(O, EV(BEGIN), 2, 36, I_REQ, 4, .rspi = RSPI);
	SAME(n_child, 1);
	done("v2: EAP takes the first CHILD back");
}

static void test_v2_followup(void)
{
	up_v2();
	SAY(O, 0, 2, 43, I_REQ, 2, .rspi = RSPI);
	SAY(I, 0, 2, 43, R_RESP, 2, .rspi = RSPI);
	SAY(I, EV(BEGIN), 2, 36, R_REQ, 0, .rspi = RSPI);
	SAY(O, EV(CHILD), 2, 36, I_RESP, 0, .rspi = RSPI);
	SAY(I, EV(BEGIN) | EV(CHILD_RETRACT), 2, 44, R_REQ, 1, .rspi = RSPI);
	SAY(O, EV(CHILD), 2, 44, I_RESP, 1, .rspi = RSPI, .len = 90);
	SAME(n_child, 2);
	done("v2: INTERMEDIATE makes no child, FOLLOWUP_KE ends the making");
}

static void test_v2_fragments(void)
{
	reset();
	SAY(O, 0, INIT);
	SAY(I, 0, INIT_R, .rspi = RSPI);
	SAY(O, EV(BEGIN), 2, 35, I_REQ, 1, .rspi = RSPI, .num = 2,
	    .total = 2);
	SAY(O, 0, 2, 35, I_REQ, 1, .rspi = RSPI, .num = 1, .total = 2);
	ONCE(O, 0, 2, 35, I_REQ, 1, .rspi = RSPI,
	     .num = 1, .total = 2);
	SAY(I, 0, 2, 35, R_RESP, 1, .rspi = RSPI, .num = 3, .total = 3);
	SAY(I, 0, 2, 35, R_RESP, 1, .rspi = RSPI, .num = 1, .total = 3);
	SAME(st.phase, IKE_SA_HALF_OPEN);
	/* Cut smaller, so it begins anew; the old ones are late then. */
	SAY(I, 0, 2, 35, R_RESP, 1, .rspi = RSPI, .num = 2, .total = 4);
	ONCE(I, 0, 2, 35, R_RESP, 1, .rspi = RSPI, .num = 2,
	     .total = 3);
	SAY(I, 0, 2, 35, R_RESP, 1, .rspi = RSPI, .num = 1, .total = 4);
	SAY(I, 0, 2, 35, R_RESP, 1, .rspi = RSPI, .num = 3, .total = 4);
	SAY(I, EV(ESTABLISHED) | EV(CHILD), 2, 35, R_RESP, 1, .rspi = RSPI,
	    .num = 4, .total = 4, .len = 60);
	SAME(n_child, 1);
	done("v2: fragments in any order, of any cut, counted once");
}

static void test_v2_many_fragments(void)
{
	u16 n;

	up_v2();
	SAY(O, EV(BEGIN), 2, 36, I_REQ, 2, .rspi = RSPI);
	for (n = 1; n < 32; n++)
		SAY(I, 0, 2, 36, R_RESP, 2, .rspi = RSPI, .num = n,
		    .total = 40);
	SAY(I, EV(CHILD), 2, 36, R_RESP, 2, .rspi = RSPI, .num = 40,
	    .total = 40);
	SAY(O, EV(BEGIN), 2, 36, I_REQ, 3, .rspi = RSPI);
	SAY(I, EV(CHILD), 2, 36, R_RESP, 3, .rspi = RSPI, .num = 1,
	    .total = 1);
	SAY(O, EV(BEGIN), 2, 36, I_REQ, 4, .rspi = RSPI);
	SAY(I, 0, 2, 36, R_RESP, 4, .rspi = RSPI, .num = 2, .total = 2,
	    .len = 60);
	SAY(I, EV(CHILD), 2, 36, R_RESP, 4, .rspi = RSPI, .num = 1,
	    .total = 2, .len = 60);
	SAY(O, EV(BEGIN), 2, 36, I_REQ, 5, .rspi = RSPI);
	for (n = 1; n < 32; n++)
		SAY(I, 0, 2, 36, R_RESP, 5, .rspi = RSPI, .num = n,
		    .total = 32);
	SAY(I, EV(CHILD), 2, 36, R_RESP, 5, .rspi = RSPI, .num = 32,
	    .total = 32);
	done("v2: 40 fragments, one, two, 32");
}

static void test_v2_adopted(void)
{
	reset();
	SAY(O, EV(ADOPTED) | EV(BEGIN), 2, 36, I_REQ, 7, .rspi = RSPI);
	SAME(st.phase, IKE_SA_HALF_OPEN);
	SAME(st.opener, O);
	SAY(I, EV(ESTABLISHED) | EV(CHILD), 2, 36, R_RESP, 7, .rspi = RSPI);
	/* The gateway rekeyed: it is the initiator now. */
	reset();
	SAY(O, EV(ADOPTED), 2, 37, R_REQ, 0, .rspi = RSPI, .len = 60);
	SAME(st.opener, I);
	ONCE(I, EV(FOREIGN), 2, 37, I_RESP, 0, .rspi = RSPI + 1);
	SAY(I, EV(ESTABLISHED), 2, 37, I_RESP, 0, .rspi = RSPI, .len = 60);
	/* The client's answer to a request that nobody could place. */
	reset();
	SAY(O, EV(ADOPTED) | EV(ESTABLISHED) | EV(CHILD), 2, 36, R_RESP, 0,
	    .rspi = RSPI);
	ONCE(O, 0, 2, 36, R_RESP, 1, .rspi = RSPI);
	SAME(n_child, 1);
	reset();
	SAY(O, EV(ADOPTED), 2, 36, R_RESP, 0, .rspi = RSPI, .num = 2,
	    .total = 2);
	SAY(O, EV(ESTABLISHED) | EV(CHILD), 2, 36, R_RESP, 0, .rspi = RSPI,
	    .num = 1, .total = 2);
	reset();
	ONCE(I, EV(FOREIGN), INIT_R, .rspi = RSPI);
	ONCE(I, EV(FOREIGN), 2, 37, R_REQ, 0, .rspi = RSPI, .notify = 4);
	SAME(st.phase, IKE_SA_NEW);
	done("v2: joined in mid-life, in either role");
}

static void test_v2_unasked(void)
{
	up_v2();
	ONCE(I, 0, 2, 36, R_RESP, 2, .rspi = RSPI);
	ONCE(I, 0, 2, 36, R_RESP, 0xffffffff, .rspi = RSPI);
	SAY(O, 0, 2, 37, I_REQ, 2, .rspi = RSPI);
	ONCE(I, 0, 2, 36, R_RESP, 2, .rspi = RSPI);
	SAY(I, 0, 2, 37, R_RESP, 2, .rspi = RSPI);
	/* A spoofed request of the gateway leads nowhere, unanswered. */
	ONCE(I, EV(BEGIN), 2, 36, R_REQ, 0xffffffff, .rspi = RSPI);
	SAY(I, EV(BEGIN), 2, 36, R_REQ, 0, .rspi = RSPI);
	SAY(O, EV(CHILD), 2, 36, I_RESP, 0, .rspi = RSPI);
	SAME(n_child, 2);
	done("v2: only what was asked is answered");
}

static void test_v2_window(void)
{
	u32 i;

	up_v2();
	for (i = 2; i < 80; i++) {
		SAY(O, EV(BEGIN), 2, 36, I_REQ, i, .rspi = RSPI);
		SAY(I, EV(CHILD), 2, 36, R_RESP, i, .rspi = RSPI);
	}
	SAME(n_child, 79);
	for (i = 1; i < 80; i++) {
		ONCE(O, 0, 2, i == 1 ? 35 : 36, I_REQ, i,
		     .rspi = RSPI);
		ONCE(I, 0, 2, i == 1 ? 35 : 36, R_RESP, i,
		     .rspi = RSPI);
	}
	SAME(n_child, 79);
	/* A gap is filled later; a leap is followed. */
	SAY(O, EV(BEGIN), 2, 36, I_REQ, 80, .rspi = RSPI);
	SAY(O, EV(BEGIN), 2, 36, I_REQ, 82, .rspi = RSPI);
	SAY(I, EV(CHILD), 2, 36, R_RESP, 82, .rspi = RSPI);
	SAY(I, EV(CHILD), 2, 36, R_RESP, 80, .rspi = RSPI);
	SAY(O, EV(BEGIN), 2, 36, I_REQ, 9000, .rspi = RSPI);
	SAY(I, EV(CHILD), 2, 36, R_RESP, 9000, .rspi = RSPI);
	ONCE(O, 0, 2, 36, I_REQ, 81, .rspi = RSPI);
	SAME(n_child, 82);
	done("v2: message IDs long past are repetitions");
}

static void test_v2_many_open(void)
{
	u32 i;

	up_v2();
	for (i = 2; i < 2 + IKE_REQS + 2; i++)
		ONCE(O, EV(BEGIN), 2, 36, I_REQ, i, .rspi = RSPI);
	/* The oldest gave way and come back when they are repeated. */
	ONCE(I, 0, 2, 36, R_RESP, 2, .rspi = RSPI);
	ONCE(I, 0, 2, 36, R_RESP, 3, .rspi = RSPI);
	for (i = 4; i < 2 + IKE_REQS + 2; i++)
		ONCE(I, EV(CHILD), 2, 36, R_RESP, i, .rspi = RSPI);
	ONCE(O, EV(BEGIN), 2, 36, I_REQ, 2, .rspi = RSPI);
	ONCE(I, EV(CHILD), 2, 36, R_RESP, 2, .rspi = RSPI);
	done("v2: more open exchanges than places");
}

static void test_foreign(void)
{
	up_v2();
	ONCE(O, EV(FOREIGN), 2, 36, I_REQ, 2, .ispi = 5, .rspi = RSPI);
	ONCE(O, EV(FOREIGN), 2, 36, I_REQ, 2, .rspi = RSPI + 1);
	ONCE(O, EV(FOREIGN), 1, 32, 1, 2, .rspi = RSPI);
	/* SPIs swapped; what the client sent coming back; flags of the peer */
	ONCE(I, EV(FOREIGN), 2, 36, R_REQ, 2, .ispi = RSPI, .rspi = ISPI);
	ONCE(I, EV(FOREIGN), 2, 36, I_REQ, 2, .rspi = RSPI);
	ONCE(O, EV(FOREIGN), 2, 36, R_REQ, 2, .rspi = RSPI);
	ONCE(I, EV(FOREIGN), INIT);
	ONCE(O, EV(FOREIGN), INIT_R, .rspi = RSPI);
	/* not encrypted, though it should be */
	ONCE(O, EV(FOREIGN), 2, 36, I_REQ, 2, .rspi = RSPI, .next = 33);
	ONCE(O, EV(FOREIGN), 2, 36, I_REQ, 2, .rspi = RSPI, .num = 2,
	     .total = 1);
	ONCE(I, 0, 2, 37, R_RESP, 2, .rspi = RSPI, .notify = 4);
	SAME(st.phase, IKE_SA_ESTABLISHED);
	done("messages that do not fit change nothing");
}

static void test_unreadable(void)
{
	struct ike_msg m;

	reset();
	parse(&m, (const u8 *)"x", 1, 1, IKE_PORT_500);
	SAME(ike_track_message(&st, O, &m), EV(FOREIGN));
	/* An SA_INIT whose payloads are nonsense, then a cut fragment. */
	ONCE(O, EV(FOREIGN), INIT, .len = 30);
	SAME(st.phase, IKE_SA_NEW);
	/* Encrypted, but it is the first message's answer. */
	ONCE(I, EV(FOREIGN), INIT_R, .rspi = RSPI, .next = 46);
	SAME(st.phase, IKE_SA_NEW);
	up_v2();
	parse(&m, (const u8 *)"\xff", 1, 1, IKE_PORT_4500);
	SAME(ike_track_message(&st, O, &m), EV(FOREIGN));
	done("what cannot be read is not tracked");
}

static void test_v2_slots(void)
{
	u32 i;

	up_v2();
	/* A request stays open while others come and go. */
	ONCE(O, EV(BEGIN), 2, 36, I_REQ, 2, .rspi = RSPI);
	for (i = 3; i < 10; i++) {
		SAY(O, EV(BEGIN), 2, 36, I_REQ, i, .rspi = RSPI);
		SAY(I, EV(CHILD), 2, 36, R_RESP, i, .rspi = RSPI);
	}
	/* The number is taken. */
	ONCE(O, 0, 2, 37, I_REQ, 2, .rspi = RSPI);
	ONCE(I, 0, 2, 37, R_RESP, 2, .rspi = RSPI);
	ONCE(I, EV(CHILD), 2, 36, R_RESP, 2, .rspi = RSPI);
	done("v2: an open exchange keeps its place");
}

static void test_v2_inbound(void)
{
	reset();
	SAY(I, 0, INIT);
	SAY(O, 0, INIT_R, .rspi = RSPI);
	SAY(I, EV(BEGIN), 2, 35, I_REQ, 1, .rspi = RSPI);
	SAY(O, EV(ESTABLISHED) | EV(CHILD), 2, 35, R_RESP, 1, .rspi = RSPI);
	SAME(st.opener, I);
	done("v2: begun by the gateway");
}

/* --- IKEv1 --- */

#define MAIN	1, 2, 0, .mid = 0
#define MAIN_E	1, 2, 1, .mid = 0
#define QM(_mid)	1, 32, 1, .mid = _mid
#define QMC(_mid)	1, 32, 3, .mid = _mid

static void up_v1(void)
{
	reset();
	SAY(O, 0, MAIN);
	SAY(I, 0, MAIN, .rspi = RSPI);
	SAY(O, 0, MAIN, .rspi = RSPI, .next = 4);
	SAY(I, 0, MAIN, .rspi = RSPI, .next = 4);
	SAY(O, 0, MAIN_E, .rspi = RSPI);
	SAME(st.phase, IKE_SA_HALF_OPEN);
	SAY(I, EV(ESTABLISHED), MAIN_E, .rspi = RSPI);
	SAME(st.phase, IKE_SA_ESTABLISHED);
}

/* A request for SAs that is repeated, as it has no answer. */
static void test_again(void)
{
	up_v2();
	ONCE(O, EV(BEGIN), 2, 36, I_REQ, 2, .rspi = RSPI);
	ONCE(O, 0, 2, 36, I_REQ, 2, .rspi = RSPI);
	ONCE(O, 0, 2, 37, I_REQ, 3, .rspi = RSPI, .len = 60);
	ONCE(O, 0, 2, 37, I_REQ, 3, .rspi = RSPI, .len = 60);
	ONCE(I, EV(CHILD), 2, 36, R_RESP, 2, .rspi = RSPI);
	ONCE(O, 0, 2, 36, I_REQ, 2, .rspi = RSPI);
	done("v2: a request for SAs begins once, however often it passes");

	up_v1();
	ONCE(O, EV(BEGIN), QM(7), .rspi = RSPI, .len = 300);
	ONCE(O, 0, QM(7), .rspi = RSPI, .len = 300);
	ONCE(I, 0, QM(7), .rspi = RSPI, .len = 280);
	ONCE(O, 0, QM(7), .rspi = RSPI, .len = 300);
	ONCE(O, EV(CHILD), QM(7), .rspi = RSPI, .len = 60);
	done("v1: the same of a quick mode's first message");
}

static void test_v1_main_quick(void)
{
	up_v1();
	SAY(O, EV(BEGIN), QM(77), .rspi = RSPI);
	SAY(I, 0, QM(77), .rspi = RSPI);
	/* the answer was lost: the first again, then the third */
	ONCE(O, 0, QM(77), .rspi = RSPI);
	SAME(n_child, 0);
	SAY(O, EV(CHILD), QM(77), .rspi = RSPI, .len = 60);
	ONCE(I, 0, QM(77), .rspi = RSPI);
	ONCE(O, 0, QM(77), .rspi = RSPI);
	SAME(n_child, 1);
	/* by the gateway, with a long hash */
	SAY(I, EV(BEGIN), QM(78), .rspi = RSPI, .len = 300);
	SAY(O, 0, QM(78), .rspi = RSPI, .len = 300);
	SAY(I, EV(CHILD), QM(78), .rspi = RSPI, .len = 108);
	SAME(n_child, 2);
	done("v1: main mode, quick mode from either side, each message twice");
}

static void test_v1_unanswered(void)
{
	reset();
	SAY(O, 0, MAIN);
	/* The responder's SPI comes with an answer and nothing else. */
	ONCE(I, EV(FOREIGN), MAIN, .rspi = RSPI, .next = 4);
	ONCE(I, EV(FOREIGN), MAIN_E, .rspi = RSPI);
	ONCE(I, EV(FOREIGN), 1, 6, 1, 5, .rspi = RSPI);
	SAY(I, 0, MAIN, .rspi = RSPI);
	/* Message 3 went another way. */
	ONCE(I, 0, MAIN, .rspi = RSPI, .next = 4);
	ONCE(I, EV(FOREIGN), MAIN, .rspi = 0xbad, .next = 4);
	SAME(st.rspi, RSPI);
	done("v1: who may bring the responder's SPI");
}

static void test_v1_unseen_second(void)
{
	up_v1();
	ONCE(O, EV(BEGIN), QM(5), .rspi = RSPI);
	ONCE(O, 0, QM(5), .rspi = RSPI, .len = 92);
	ONCE(O, EV(CHILD), QM(5), .rspi = RSPI, .len = 91);
	done("v1: quick mode whose second message was not seen");
}

static void test_v1_slots(void)
{
	u32 i;

	up_v1();
	/* A quick mode that only waits for its fourth message gives way first. */
	for (i = 1; i <= IKE_QUICKS; i++)
		ONCE(O, EV(BEGIN), QM(i), .rspi = RSPI);
	ONCE(I, 0, QMC(3), .rspi = RSPI);
	ONCE(O, EV(CHILD), QMC(3), .rspi = RSPI, .len = 60);
	ONCE(I, 0, QM(2), .rspi = RSPI);
	ONCE(O, EV(BEGIN), QM(9), .rspi = RSPI);
	ONCE(I, 0, QMC(3), .rspi = RSPI, .len = 76);
	ONCE(I, 0, QM(1), .rspi = RSPI);
	ONCE(I, 0, QM(4), .rspi = RSPI);
	ONCE(I, 0, QM(9), .rspi = RSPI);
	ONCE(O, EV(CHILD), QM(2), .rspi = RSPI, .len = 100);
	/* A free place is taken before one in use. */
	ONCE(O, EV(BEGIN), QM(10), .rspi = RSPI);
	ONCE(O, EV(CHILD), QM(1), .rspi = RSPI, .len = 100);
	ONCE(O, EV(CHILD), QM(4), .rspi = RSPI, .len = 100);
	ONCE(O, EV(CHILD), QM(9), .rspi = RSPI, .len = 100);
	done("v1: an open quick mode keeps its place");
}

static void test_v1_commit(void)
{
	up_v1();
	SAY(O, EV(BEGIN), QM(5), .rspi = RSPI);
	SAY(I, 0, QMC(5), .rspi = RSPI);
	SAY(O, EV(CHILD), QMC(5), .rspi = RSPI, .len = 60);
	ONCE(I, 0, QMC(5), .rspi = RSPI);
	SAY(I, 0, QMC(5), .rspi = RSPI, .len = 76);
	SAY(O, EV(BEGIN), QMC(6), .rspi = RSPI);
	SAY(I, 0, QM(6), .rspi = RSPI);
	SAY(O, EV(CHILD), QM(6), .rspi = RSPI, .len = 60);
	ONCE(I, 0, 1, 5, 1, 7, .rspi = RSPI, .len = 76);
	ONCE(O, 0, 1, 5, 1, 6, .rspi = RSPI, .len = 76);
	SAY(I, 0, 1, 5, 1, 6, .rspi = RSPI, .len = 76);
	SAME(n_child, 2);
	/* no commit bit, no fourth message */
	SAY(O, EV(BEGIN), QM(8), .rspi = RSPI);
	SAY(I, 0, QM(8), .rspi = RSPI);
	SAY(O, EV(CHILD), QM(8), .rspi = RSPI, .len = 60);
	ONCE(I, 0, QM(8), .rspi = RSPI, .len = 60);
	done("v1: commit bit, the fourth message in either form");
}

static void test_v1_many(void)
{
	u32 i;

	up_v1();
	for (i = 1; i <= IKE_QUICKS; i++)
		ONCE(O, EV(BEGIN), QM(i), .rspi = RSPI);
	for (i = 1; i <= IKE_QUICKS; i++)
		ONCE(I, 0, QM(i), .rspi = RSPI);
	for (i = 1; i <= IKE_QUICKS; i++)
		ONCE(O, EV(CHILD), QM(i), .rspi = RSPI, .len = 60);
	for (i = 1; i <= IKE_QUICKS; i++)
		ONCE(O, 0, QM(i), .rspi = RSPI, .len = 60);
	SAME(n_child, IKE_QUICKS);
	/* Unfinished ones give way, the oldest first. */
	for (i = 11; i <= 12 + IKE_QUICKS; i++)
		ONCE(I, EV(BEGIN), QM(i), .rspi = RSPI);
	ONCE(O, 0, QM(13), .rspi = RSPI);
	ONCE(I, EV(CHILD), QM(13), .rspi = RSPI, .len = 60);
	/* Quick mode 11 had its first message lost on the way to us. */
	ONCE(I, EV(CHILD), QM(11), .rspi = RSPI, .len = 60);
	/* Only the last few are remembered, and those they are. */
	for (i = 21; i < 21 + IKE_QUICKS_DONE; i++)
		ONCE(I, EV(CHILD), QM(i), .rspi = RSPI, .len = 60);
	for (i = 21; i < 21 + IKE_QUICKS_DONE; i++)
		ONCE(I, 0, QM(i), .rspi = RSPI, .len = 60);
	done("v1: several quick modes at once, more than places");
}

static void test_v1_fragments(void)
{
	up_v1();
	/* Quick mode 1 and 2 in fragments look like main mode. */
	ONCE(O, 0, MAIN, .rspi = RSPI, .num = 1, .total = 2);
	ONCE(O, 0, MAIN, .rspi = RSPI, .num = 2, .total = 2);
	ONCE(I, 0, MAIN, .rspi = RSPI, .num = 1, .total = 1);
	SAME(st.rspi, RSPI);
	SAY(O, EV(CHILD), QM(3), .rspi = RSPI, .len = 91);
	SAY(O, EV(BEGIN), QM(4), .rspi = RSPI, .len = 92);
	/* aggressive mode in fragments */
	reset();
	ONCE(O, 0, 1, 4, 0, 0, .num = 1, .total = 2);
	ONCE(O, 0, 1, 4, 0, 0, .num = 2, .total = 2);
	ONCE(I, 0, 1, 4, 0, 0, .rspi = RSPI, .num = 1, .total = 2);
	ONCE(I, 0, 1, 4, 0, 0, .rspi = RSPI, .num = 2, .total = 2);
	SAME(st.phase, IKE_SA_HALF_OPEN);
	ONCE(O, EV(ESTABLISHED), 1, 4, 1, 0, .rspi = RSPI);
	done("v1: fragments");
}

static void test_v1_aggressive(void)
{
	reset();
	SAY(I, 0, 1, 4, 0, .mid = 0);
	SAY(O, 0, 1, 4, 0, 0, .rspi = RSPI);
	SAME(st.phase, IKE_SA_HALF_OPEN);
	SAY(I, EV(ESTABLISHED) | EV(NATT), 1, 4, 0, 0, .rspi = RSPI,
	    .next = 8, .natt = true);
	SAME(st.opener, I);
	SAY(O, EV(BEGIN), QM(1), .rspi = RSPI, .natt = true);
	done("v1: aggressive mode in clear, begun by the gateway");
}

static void test_v1_refused(void)
{
	reset();
	SAY(O, 0, MAIN);
	ONCE(O, 0, 1, 5, 0, 9, .notify = 14);
	ONCE(O, 0, 1, 5, 0, 9, .rspi = 0xbad, .notify = 14);
	ONCE(I, 0, 1, 5, 0, 9, .notify = 14);
	ONCE(I, 0, 1, 5, 0, 9, .rspi = 0xbad, .notify = 14);
	SAME(st.rspi, 0);
	SAME(st.phase, IKE_SA_HALF_OPEN);
	/* The gateway refuses under encryption: that is no establishment. */
	SAY(I, 0, MAIN, .rspi = RSPI);
	SAY(O, 0, MAIN_E, .rspi = RSPI);
	SAY(I, 0, 1, 5, 1, 9, .rspi = RSPI);
	SAME(st.phase, IKE_SA_HALF_OPEN);
	ONCE(I, 0, 1, 5, 0, 9, .notify = 14);
	ONCE(I, 0, 1, 5, 0, 9, .rspi = RSPI, .notify = 14);
	ONCE(I, EV(FOREIGN), 1, 5, 0, 9, .rspi = 0xbad, .notify = 14);
	done("v1: refusals");
}

static void track_hex(enum ike_dir dir, const char *hex, u32 want)
{
	struct ike_msg m;
	u8 buf[64];
	u32 len = unhex(hex, buf, sizeof(buf));

	parse(&m, buf, len, len, IKE_PORT_500);
	SAME(ike_track_message(&st, dir, &m), want);
}

static void test_v1_delete(void)
{
	static const char both[] =
		HEX(HEX_I HEX_R 0b 10 05 00 00000009 00000034
		    0c00000c 00000001 0100000e 0000000c 00000001 01100000);
	static const char del[] = HEX(HEX_I HEX_R
		0c 10 05 00 00000009 00000028 0000000c 00000001 01100000);

	reset();
	SAY(O, 0, MAIN);
	SAY(I, 0, MAIN, .rspi = RSPI);
	track_hex(I, both, EV(DELETED));
	SAME(st.phase, IKE_SA_DELETED);
	SAY(O, 0, MAIN);
	SAY(I, 0, MAIN, .rspi = RSPI);
	track_hex(I, del, EV(DELETED));
	SAME(st.phase, IKE_SA_DELETED);
	ONCE(I, EV(FOREIGN), MAIN, .rspi = RSPI);
	SAY(O, 0, MAIN);
	SAME(st.rspi, 0);
	up_v1();
	track_hex(I, del, 0);
	SAME(st.phase, IKE_SA_ESTABLISHED);
	done("v1: a delete in clear ends what is half open, nothing else");
}

static void test_v1_adopted(void)
{
	reset();
	ONCE(I, EV(FOREIGN), MAIN, .rspi = RSPI);
	SAY(I, EV(ADOPTED), 1, 5, 1, 9, .rspi = RSPI);
	SAY(O, EV(ESTABLISHED), 1, 5, 1, 10, .rspi = RSPI);
	SAY(I, EV(BEGIN), QM(2), .rspi = RSPI);
	reset();
	SAY(I, EV(ADOPTED), 1, 5, 1, 9, .rspi = RSPI);
	SAY(O, EV(ESTABLISHED) | EV(BEGIN), QM(2), .rspi = RSPI);
	done("v1: joined in mid-life");
}

static struct ike_round_trip trip;

/* The round trip that a message at a time shows, ms. */
static u32 trip_at(enum ike_dir dir, u32 now, struct say s)
{
	struct ike_msg m;

	say_build(&s, &m);
	return ike_round_trip(&trip, dir, &m, now);
}

#define TRIP(dir, now, want, ...)					\
	tap_same(trip_at(dir, now, (struct say){ __VA_ARGS__ }), want,	\
		 __LINE__, #__VA_ARGS__)
#define NONE	IKE_NO_ROUND_TRIP

static void test_round_trip_v2(void)
{
	memset(&trip, 0, sizeof(trip));
	TRIP(I, 90, NONE, INIT_R, .rspi = RSPI);
	TRIP(O, 100, NONE, INIT);
	TRIP(I, 130, 30, INIT_R, .rspi = RSPI);
	TRIP(I, 131, NONE, INIT_R, .rspi = RSPI);
	TRIP(O, 200, NONE, INIT);
	TRIP(I, 215, 15, INIT_R, .rspi = RSPI);
	TRIP(O, 300, NONE, 2, 37, I_REQ, 2, .rspi = RSPI);
	TRIP(I, 310, NONE, 2, 37, R_REQ, 2, .rspi = RSPI);
	TRIP(O, 320, NONE, 2, 37, I_RESP, 2, .rspi = RSPI);
	TRIP(I, 350, 50, 2, 37, R_RESP, 2, .rspi = RSPI);
	TRIP(O, 0xfffffff0, NONE, 2, 36, I_REQ, 3, .rspi = RSPI);
	TRIP(I, 0x10, 0x20, 2, 36, R_RESP, 3, .rspi = RSPI);
	done("round trip: of each request of the client's, a clock that wraps, too");
}

static void test_round_trip_says_nothing(void)
{
	memset(&trip, 0, sizeof(trip));
	TRIP(O, 100, NONE, 2, 35, I_REQ, 1, .rspi = RSPI);
	TRIP(I, 130, NONE, 2, 35, R_RESP, 1, .rspi = RSPI);
	TRIP(O, 200, NONE, 2, 36, I_REQ, 2, .rspi = RSPI);
	TRIP(O, 700, NONE, 2, 36, I_REQ, 2, .rspi = RSPI);
	TRIP(I, 730, NONE, 2, 36, R_RESP, 2, .rspi = RSPI);
	/* The response was lost behind the router. */
	TRIP(O, 900, NONE, 2, 36, I_REQ, 2, .rspi = RSPI);
	TRIP(I, 901, NONE, 2, 36, R_RESP, 2, .rspi = RSPI);
	TRIP(O, 1000, NONE, 2, 37, I_REQ, 3, .rspi = RSPI);
	TRIP(I, 1010, NONE, 2, 37, R_RESP, 2, .rspi = RSPI);
	TRIP(I, 1011, NONE, 2, 36, R_RESP, 3, .rspi = RSPI);
	TRIP(I, 1020, 20, 2, 37, R_RESP, 3, .rspi = RSPI);
	done("round trip: not of IKE_AUTH, nor of what was repeated, nor by what is no answer");
}

static void test_round_trip_fragments(void)
{
	memset(&trip, 0, sizeof(trip));
	TRIP(O, 100, NONE, 2, 36, I_REQ, 2, .rspi = RSPI, .num = 1, .total = 2);
	TRIP(O, 104, NONE, 2, 36, I_REQ, 2, .rspi = RSPI, .num = 2, .total = 2);
	TRIP(I, 134, 30, 2, 36, R_RESP, 2, .rspi = RSPI, .num = 1, .total = 2);
	TRIP(I, 136, NONE, 2, 36, R_RESP, 2, .rspi = RSPI, .num = 2, .total = 2);
	TRIP(O, 200, NONE, 2, 36, I_REQ, 3, .rspi = RSPI, .num = 1, .total = 2);
	TRIP(O, 201, NONE, 2, 36, I_REQ, 3, .rspi = RSPI, .num = 2, .total = 2);
	TRIP(O, 700, NONE, 2, 36, I_REQ, 3, .rspi = RSPI, .num = 1, .total = 2);
	TRIP(I, 730, NONE, 2, 36, R_RESP, 3, .rspi = RSPI);
	done("round trip: from the last fragment of a request to the first of its response");
}

static void test_round_trip_v1(void)
{
	memset(&trip, 0, sizeof(trip));
	TRIP(O, 100, NONE, 1, 2, 0, .mid = 0);
	TRIP(I, 140, 40, 1, 2, 0, .rspi = RSPI);
	TRIP(O, 150, NONE, 1, 2, 0, .rspi = RSPI);
	TRIP(I, 160, NONE, 1, 2, 0, .rspi = RSPI);
	TRIP(O, 200, NONE, QM(5), .rspi = RSPI);
	TRIP(I, 225, 25, QM(5), .rspi = RSPI);
	TRIP(O, 230, NONE, QM(5), .rspi = RSPI, .len = 60);
	TRIP(I, 231, NONE, QM(5), .rspi = RSPI);
	TRIP(O, 300, NONE, QM(6), .rspi = RSPI);
	TRIP(O, 800, NONE, QM(6), .rspi = RSPI);
	TRIP(I, 820, NONE, QM(6), .rspi = RSPI);
	done("round trip, v1: of the first message and of a quick mode's");
}

int main(void)
{
	test_v2_plain();
	test_v2_natt();
	test_v2_retry();
	test_v2_two_answers();
	test_v2_children();
	test_v2_refusal();
	test_v2_eap();
	test_v2_followup();
	test_v2_fragments();
	test_v2_many_fragments();
	test_v2_adopted();
	test_v2_unasked();
	test_v2_window();
	test_v2_many_open();
	test_foreign();
	test_unreadable();
	test_v2_slots();
	test_v2_inbound();
	test_v1_unanswered();
	test_again();
	test_v1_main_quick();
	test_v1_unseen_second();
	test_v1_slots();
	test_v1_commit();
	test_v1_many();
	test_v1_fragments();
	test_v1_aggressive();
	test_v1_refused();
	test_v1_delete();
	test_v1_adopted();
	test_round_trip_v2();
	test_round_trip_says_nothing();
	test_round_trip_fragments();
	test_round_trip_v1();
	return tap_end();
}
