// SPDX-License-Identifier: GPL-2.0
/*
 * kmod/pptp/ctl*.c, byte by byte: what either end of a PPTP control
 * connection would see behind the NAT. TAP on stdout. Built with all of
 * kmod/pptp/ctl*.c and -fsanitize=address,undefined.
 */
#include "pptp_host.h"
#include "tap.h"

#define IN	PPTP_FROM_IN
#define OUT	PPTP_FROM_OUT

/* RFC 2637 2.1 to 2.15: octets with the header, and where the result code is. */
static const u16 sizes[16] = {
	0, 156, 156, 16, 16, 16, 20, 168, 32, 220, 24, 28, 16, 148, 40, 24 };
static const u8 results[16] = { [2] = 14, [4] = 12, [6] = 16, [8] = 16, [10] = 16, [13] = 14 };

#define ANY 0x10000	/* filler where no call ID is looked for */

/* A message with filler that shows any stray change. Returns its length. */
static u32 mk_len(u8 *p, u16 type, u32 a, u32 b, u8 result, u32 len)
{
	static const u8 head[] = { 0, 0, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d };
	u32 i;

	for (i = 0; i < len; i++)
		p[i] = (u8)(0xa5 ^ i * 7);
	memcpy(p, head, sizeof(head));
	put_unaligned_be16((u16)len, p);
	put_unaligned_be16(type, p + 8);
	put_unaligned_be16(0, p + 10);
	if (a != ANY)
		put_unaligned_be16((u16)a, p + 12);
	if (b != ANY)
		put_unaligned_be16((u16)b, p + 14);
	if (type < 16 && results[type])
		p[results[type]] = result;
	return len;
}

static u32 mk(u8 *p, u16 type, u32 a, u32 b, u8 result)
{
	return mk_len(p, type, a, b, result, sizes[type]);
}

static struct pptp_ids ids;
static struct host host;
static u32 pos[PPTP_DIRS];

#define ISN_IN	0xffffff00u	/* wraps within the first dialogue */
#define ISN_OUT	0x7ffffff0u

static void begin(void)
{
	pptp_ids_init(&ids);
	host_init(&host, &ids, ISN_IN, ISN_OUT);
	pos[IN] = ISN_IN + 1;
	pos[OUT] = ISN_OUT + 1;
}

static void end(void)
{
	u32 foreign = ids.total - host.calls.count;

	host_done(&host);
	CHECK(ids.total == foreign);
}

/* The next octets of a stream, in one segment. */
static int send_raw(enum pptp_dir dir, u8 *p, u32 len)
{
	int verdict = host_segment(&host, dir, pos[dir], p, len, p);

	if (verdict == PPTP_CTL_PASS)
		pos[dir] += len;
	return verdict;
}

/* Send a message; true if exactly @a2 and @b2 came out in the IDs' place. */
static bool sends(enum pptp_dir dir, u16 type, u32 a, u32 b, u8 result,
		  u32 a2, u32 b2)
{
	u8 got[256], want[256];
	u32 len = mk(got, type, a, b, result);

	mk(want, type, a2, b2, result);
	if (send_raw(dir, got, len) != PPTP_CTL_PASS)
		return false;
	if (!memcmp(got, want, len))
		return true;
	printf("# type %u: got %02x%02x %02x%02x, want %04x %04x\n", type,
	       got[12], got[13], got[14], got[15], a2, b2);
	return false;
}

static bool same(enum pptp_dir dir, u16 type, u32 a, u32 b, u8 result)
{
	return sends(dir, type, a, b, result, a, b);
}

static bool log_is(const char *want)
{
	if (!strcmp(host.log.text, want))
		return true;
	printf("# log:\n%s# wanted:\n%s", host.log.text, want);
	return false;
}

static void taken(u16 first, u32 n)
{
	while (n--)
		pptp_ids_take(&ids, first++, -1);
}

/* Call 0x0102 of the inside is 0x0103 outside; the outside's is 0x0102 too. */
static void call_up(void)
{
	taken(0x0102, 1);
	CHECK(sends(IN, PPTP_OUT_CALL_REQUEST, 0x0102, ANY, 0, 0x0103, ANY));
	CHECK(sends(OUT, PPTP_OUT_CALL_REPLY, 0x0102, 0x0103, 1, 0x0102, 0x0102));
	CHECK(log_is("up 0102/0103-0102\n"));
}

static void test_no_ids(void)
{
	static const u8 types[] = { 1, 2, 3, 5, 6 };
	u32 i, dir;

	for (dir = 0; dir < 2; dir++) {
		begin();
		call_up();
		for (i = 0; i < sizeof(types); i++)
			CHECK(same(dir, types[i], ANY, ANY, 1));
		CHECK(host.echoes == 2);
		CHECK(same(!dir, PPTP_STOP_REPLY, ANY, ANY, 1));
		CHECK(log_is("up 0102/0103-0102\nstop\nend 0102/0103-0102\n"));
		end();
	}
	done("messages without call IDs pass untouched, both directions");
}

static void test_outgoing_pns_inside(void)
{
	begin();
	call_up();
	CHECK(sends(IN, PPTP_SET_LINK_INFO, 0x0102, ANY, 0, 0x0102, ANY));
	CHECK(sends(OUT, PPTP_SET_LINK_INFO, 0x0103, ANY, 0, 0x0102, ANY));
	CHECK(sends(OUT, PPTP_WAN_ERROR_NOTIFY, 0x0103, ANY, 0, 0x0102, ANY));
	CHECK(sends(IN, PPTP_WAN_ERROR_NOTIFY, 0x0102, ANY, 0, 0x0102, ANY));
	CHECK(sends(IN, PPTP_CALL_CLEAR_REQUEST, 0x0102, ANY, 0, 0x0103, ANY));
	CHECK(host.up == 1);
	CHECK(sends(OUT, PPTP_CALL_DISCONNECT_NOTIFY, 0x0102, ANY, 1, 0x0102, ANY));
	CHECK(log_is("up 0102/0103-0102\nend 0102/0103-0102\n"));
	CHECK(ids.total == 1);
	end();
	done("outgoing call, PNS inside: every message byte-exact, notify's own ID kept");
}

static void test_outgoing_pac_inside(void)
{
	begin();
	taken(0x0505, 1);
	CHECK(same(OUT, PPTP_OUT_CALL_REQUEST, 0x0505, ANY, 0));
	CHECK(host.allocated == 0);
	CHECK(sends(IN, PPTP_OUT_CALL_REPLY, 0x0505, 0x0505, 1, 0x0506, 0x0505));
	CHECK(log_is("up 0505/0506-0505\n"));
	CHECK(sends(OUT, PPTP_SET_LINK_INFO, 0x0506, ANY, 0, 0x0505, ANY));
	CHECK(same(IN, PPTP_WAN_ERROR_NOTIFY, 0x0505, ANY, 0));
	CHECK(same(OUT, PPTP_CALL_CLEAR_REQUEST, 0x0505, ANY, 0));
	CHECK(host.up == 1);
	CHECK(sends(IN, PPTP_CALL_DISCONNECT_NOTIFY, 0x0505, ANY, 4, 0x0506, ANY));
	CHECK(log_is("up 0505/0506-0505\nend 0505/0506-0505\n"));
	end();
	done("outgoing call, PAC inside (server behind DNAT), connection opened outside");
}

static void test_incoming_pns_inside(void)
{
	begin();
	taken(0x0700, 1);
	CHECK(same(OUT, PPTP_IN_CALL_REQUEST, 0x0033, ANY, 0));
	CHECK(host.allocated == 0);
	CHECK(sends(IN, PPTP_IN_CALL_REPLY, 0x0700, 0x0033, 1, 0x0701, 0x0033));
	CHECK(host.up == 0);
	CHECK(sends(OUT, PPTP_IN_CALL_CONNECTED, 0x0701, ANY, 0, 0x0700, ANY));
	CHECK(log_is("up 0700/0701-0033\n"));
	CHECK(sends(OUT, PPTP_WAN_ERROR_NOTIFY, 0x0701, ANY, 0, 0x0700, ANY));
	CHECK(same(IN, PPTP_SET_LINK_INFO, 0x0033, ANY, 0));
	CHECK(sends(IN, PPTP_CALL_CLEAR_REQUEST, 0x0700, ANY, 0, 0x0701, ANY));
	CHECK(same(OUT, PPTP_CALL_DISCONNECT_NOTIFY, 0x0033, ANY, 4));
	CHECK(host.up == 0 && host.allocated == 0);
	end();
	done("incoming call, PNS inside: request, reply, connected");
}

static void test_incoming_pac_inside(void)
{
	begin();
	taken(0x0700, 1);
	CHECK(sends(IN, PPTP_IN_CALL_REQUEST, 0x0700, ANY, 0, 0x0701, ANY));
	CHECK(sends(OUT, PPTP_IN_CALL_REPLY, 0x0700, 0x0701, 1, 0x0700, 0x0700));
	CHECK(host.up == 0);
	CHECK(same(IN, PPTP_IN_CALL_CONNECTED, 0x0700, ANY, 0));
	CHECK(log_is("up 0700/0701-0700\n"));
	CHECK(same(OUT, PPTP_CALL_CLEAR_REQUEST, 0x0700, ANY, 0));
	CHECK(sends(IN, PPTP_CALL_DISCONNECT_NOTIFY, 0x0700, ANY, 3, 0x0701, ANY));
	CHECK(host.up == 0 && host.allocated == 0);
	end();
	done("incoming call, PAC inside");
}

static void test_two_clients(void)
{
	static struct pptp_ids other;
	static struct host second;
	u8 p[256];
	u32 len;

	begin();
	host_init(&second, &ids, 5, 6);
	CHECK(same(IN, PPTP_OUT_CALL_REQUEST, 0, ANY, 0));
	len = mk(p, PPTP_OUT_CALL_REQUEST, 0, ANY, 0);
	CHECK(host_segment(&second, IN, 6, p, len, p) == PPTP_CTL_PASS);
	CHECK(get_unaligned_be16(p + 12) == 1);
	/* to another server the number is free */
	host_done(&second);
	pptp_ids_init(&other);
	host_init(&second, &other, 5, 6);
	len = mk(p, PPTP_OUT_CALL_REQUEST, 0, ANY, 0);
	CHECK(host_segment(&second, IN, 6, p, len, p) == PPTP_CTL_PASS);
	CHECK(get_unaligned_be16(p + 12) == 0);
	host_done(&second);
	CHECK(same(IN, PPTP_CALL_CLEAR_REQUEST, 0, ANY, 0));
	end();
	done("the same call ID, 0, from two clients, and to two servers");
}

static void test_refused(void)
{
	begin();
	taken(0x0102, 1);
	CHECK(sends(IN, PPTP_OUT_CALL_REQUEST, 0x0102, ANY, 0, 0x0103, ANY));
	CHECK(host.allocated == 1);
	CHECK(sends(OUT, PPTP_OUT_CALL_REPLY, 0, 0x0103, 4, 0, 0x0102));
	CHECK(host.allocated == 0 && ids.total == 1);
	/* The inside refuses, with a number for the sake of form. */
	CHECK(same(OUT, PPTP_OUT_CALL_REQUEST, 9, ANY, 0));
	CHECK(same(IN, PPTP_OUT_CALL_REPLY, 0, 9, 2));
	CHECK(host.allocated == 0 && ids.total == 1);
	CHECK(same(OUT, PPTP_IN_CALL_REQUEST, 10, ANY, 0));
	CHECK(same(IN, PPTP_IN_CALL_REPLY, 0, 10, 3));
	CHECK(same(IN, PPTP_IN_CALL_REQUEST, 11, ANY, 0));
	CHECK(host.allocated == 1);
	CHECK(same(OUT, PPTP_IN_CALL_REPLY, 10, 11, 2));
	CHECK(host.allocated == 0 && ids.total == 1);
	/* a refusal by the number of a call that is up ends nothing */
	CHECK(same(OUT, PPTP_OUT_CALL_REQUEST, 9, ANY, 0));
	CHECK(same(IN, PPTP_OUT_CALL_REPLY, 7, 9, 1));
	CHECK(same(IN, PPTP_OUT_CALL_REPLY, 7, 9, 2));
	CHECK(same(OUT, PPTP_OUT_CALL_REPLY, 9, 7, 2));
	CHECK(log_is("up 0007/0007-0009\n"));
	end();
	done("a refused call gives its number back, a call that is up stays");
}

static void test_crossing(void)
{
	begin();
	call_up();
	/* cleared before answered; the PAC's number was never seen */
	CHECK(same(IN, PPTP_OUT_CALL_REQUEST, 0x0200, ANY, 0));
	CHECK(same(IN, PPTP_CALL_CLEAR_REQUEST, 0x0200, ANY, 0));
	CHECK(host.allocated == 2);
	CHECK(same(OUT, PPTP_CALL_DISCONNECT_NOTIFY, 0x0999, ANY, 4));
	CHECK(host.allocated == 1 && host.up == 1);
	/* cleared, then the answer that was under way */
	CHECK(same(IN, PPTP_OUT_CALL_REQUEST, 0x0200, ANY, 0));
	CHECK(same(IN, PPTP_CALL_CLEAR_REQUEST, 0x0200, ANY, 0));
	CHECK(same(OUT, PPTP_OUT_CALL_REPLY, 0x0888, 0x0200, 1));
	CHECK(host.up == 1);
	CHECK(same(OUT, PPTP_CALL_DISCONNECT_NOTIFY, 0x0999, ANY, 4));
	CHECK(host.allocated == 2);
	CHECK(same(OUT, PPTP_CALL_DISCONNECT_NOTIFY, 0x0888, ANY, 4));
	CHECK(host.allocated == 1 && host.up == 1);
	CHECK(same(OUT, PPTP_CALL_DISCONNECT_NOTIFY, 0x0777, ANY, 4));
	CHECK(host.allocated == 1 && host.up == 1);
	end();
	done("clear before the answer: the right call ends, no other");
}

static void test_again(void)
{
	begin();
	call_up();
	CHECK(sends(IN, PPTP_OUT_CALL_REQUEST, 0x0102, ANY, 0, 0x0103, ANY));
	CHECK(log_is("up 0102/0103-0102\nend 0102/0103-0102\n"));
	CHECK(sends(OUT, PPTP_OUT_CALL_REPLY, 0x0222, 0x0103, 1, 0x0222, 0x0102));
	CHECK(same(OUT, PPTP_CALL_DISCONNECT_NOTIFY, 0x0102, ANY, 1));
	CHECK(host.up == 1);
	/* another answer to the same call */
	CHECK(sends(OUT, PPTP_OUT_CALL_REPLY, 0x0333, 0x0103, 1, 0x0333, 0x0102));
	CHECK(log_is("up 0102/0103-0102\nend 0102/0103-0102\nup 0102/0103-0222\n"
		     "end 0102/0103-0222\nup 0102/0103-0333\n"));
	/* The very same answer passes again. */
	CHECK(sends(OUT, PPTP_OUT_CALL_REPLY, 0x0333, 0x0103, 1, 0x0333, 0x0102));
	CHECK(host.up == 1);
	end();
	done("a number asked for again is a new call with the same translation");
}

static void test_loose(void)
{
	begin();
	taken(0x0102, 1);
	CHECK(sends(IN, PPTP_OUT_CALL_REQUEST, 0x0102, ANY, 0, 0x0103, ANY));
	CHECK(sends(OUT, PPTP_OUT_CALL_REPLY, 0x0009, 0x0103, 1, 0x0009, 0x0102));
	CHECK(sends(OUT, PPTP_CALL_DISCONNECT_NOTIFY, 0x0103, ANY, 1, 0x0102, ANY));
	CHECK(host.up == 0 && host.allocated == 0);
	/* with two calls the RFC's word is taken */
	CHECK(sends(IN, PPTP_OUT_CALL_REQUEST, 0x0102, ANY, 0, 0x0103, ANY));
	CHECK(sends(OUT, PPTP_OUT_CALL_REPLY, 0x0009, 0x0103, 1, 0x0009, 0x0102));
	CHECK(same(IN, PPTP_OUT_CALL_REQUEST, 0x0104, ANY, 0));
	CHECK(same(OUT, PPTP_OUT_CALL_REPLY, 0x000a, 0x0104, 1));
	CHECK(same(OUT, PPTP_CALL_DISCONNECT_NOTIFY, 0x0103, ANY, 1));
	CHECK(host.up == 2);
	end();
	/* A number may be both. */
	begin();
	taken(0x0102, 1);
	CHECK(sends(IN, PPTP_OUT_CALL_REQUEST, 0x0102, ANY, 0, 0x0103, ANY));
	CHECK(sends(OUT, PPTP_OUT_CALL_REPLY, 0x0103, 0x0103, 1, 0x0103, 0x0102));
	CHECK(same(OUT, PPTP_CALL_DISCONNECT_NOTIFY, 0x0103, ANY, 1));
	CHECK(host.up == 0);
	end();
	done("a server that names its peer's number in Disconnect (accel-ppp)");
}

static void test_reply_first(void)
{
	begin();
	CHECK(same(OUT, PPTP_OUT_CALL_REPLY, 0x0102, 0x0103, 1));
	CHECK(same(OUT, PPTP_IN_CALL_CONNECTED, 0x0103, ANY, 0));
	CHECK(same(OUT, PPTP_CALL_CLEAR_REQUEST, 0x0103, ANY, 0));
	CHECK(same(OUT, PPTP_SET_LINK_INFO, 0x0103, ANY, 0));
	CHECK(same(IN, PPTP_CALL_CLEAR_REQUEST, 0x0103, ANY, 0));
	CHECK(same(IN, PPTP_CALL_DISCONNECT_NOTIFY, 0x0103, ANY, 1));
	CHECK(same(IN, PPTP_IN_CALL_CONNECTED, 0x0103, ANY, 0));
	CHECK(same(OUT, PPTP_OUT_CALL_REQUEST, 1, ANY, 0));
	CHECK(same(OUT, PPTP_IN_CALL_REQUEST, 1, ANY, 0));
	CHECK(host.allocated == 0 && log_is("") && !ids.total);
	end();
	done("nothing is allocated for what the outside sends, or for unknown calls");
}

static void test_limit(void)
{
	begin();
	host.max_calls = 1;
	call_up();
	taken(0x0200, 1);
	/* the number that it gets is nobody's, and leads nowhere */
	CHECK(sends(IN, PPTP_OUT_CALL_REQUEST, 0x0200, ANY, 0, 0x0201, ANY));
	CHECK(same(OUT, PPTP_OUT_CALL_REPLY, 0x0300, 0x0201, 1));
	CHECK(host.allocated == 1 && host.calls.refused == 1 && ids.total == 3);
	CHECK(log_is("up 0102/0103-0102\n"));
	end();
	done("a call over the limit takes no number of anybody else");
}

/* 20,000 calls on one connection, all numbers shifted by other clients. */
static void test_many(void)
{
	static u16 nat[20000];
	u32 i, wrong = 0, odd;
	u8 p[256], q[256];
	u32 len;

	begin();
	for (i = 0; i < 20000; i++)
		taken((u16)(i * 3), 1);
	for (i = 0; i < 20000; i++) {
		len = mk(p, PPTP_OUT_CALL_REQUEST, (u16)i, ANY, 0);
		send_raw(IN, p, len);
		nat[i] = get_unaligned_be16(p + 12);
		pptp_ctl_ack(&host.ctl, OUT, pos[IN]);
	}
	for (i = 0; i < 20000; i++) {
		len = mk(p, PPTP_OUT_CALL_REPLY, (u16)(i + 7), nat[i], 1);
		mk(q, PPTP_OUT_CALL_REPLY, (u16)(i + 7), (u16)i, 1);
		send_raw(OUT, p, len);
		wrong += !!memcmp(p, q, len);
		pptp_ctl_ack(&host.ctl, IN, pos[OUT]);
	}
	odd = host.calls.odd;
	CHECK(!wrong && host.up == 20000 && ids.total == 40000);
	CHECK(odd > 0);	/* a third of each block was gone */
	for (i = 0; i < 20000; i++) {
		len = mk(p, PPTP_CALL_CLEAR_REQUEST, (u16)i, ANY, 0);
		mk(q, PPTP_CALL_CLEAR_REQUEST, nat[i], ANY, 0);
		send_raw(IN, p, len);
		wrong += !!memcmp(p, q, len);
		pptp_ctl_ack(&host.ctl, OUT, pos[IN]);
		len = mk(p, PPTP_CALL_DISCONNECT_NOTIFY, (u16)(i + 7), ANY, 4);
		mk(q, PPTP_CALL_DISCONNECT_NOTIFY, (u16)(i + 7), ANY, 4);
		send_raw(OUT, p, len);
		wrong += !!memcmp(p, q, len);
		pptp_ctl_ack(&host.ctl, IN, pos[OUT]);
	}
	CHECK(!wrong && !host.up && ids.total == 20000);
	CHECK(host.ctl.half[IN].cap == PPTP_CTL_RING);
	end();
	done("20,000 calls on one connection, each by its own number");
}

/* A dialogue to cut: turns of whole messages, in each direction's stream. */
struct dialogue {
	u8 data[2][4096], want[2][4096];
	u32 len[2];
	struct { u8 dir; u32 to; } turn[32];
	u32 turns;
};

static void say(struct dialogue *d, u8 dir, u16 type, u32 a, u32 b, u8 result,
		u32 a2, u32 b2)
{
	u32 n = mk(d->data[dir] + d->len[dir], type, a, b, result);

	mk(d->want[dir] + d->len[dir], type, a2, b2, result);
	d->len[dir] += n;
	if (!d->turns || d->turn[d->turns - 1].dir != dir)
		d->turn[d->turns++].dir = dir;
	d->turn[d->turns - 1].to = d->len[dir];
}

#define BLOCK_FULL 0x1200

/*
 * Two outgoing calls and an incoming one. 0x0102 is taken; block 0x12 is
 * full, so that the second call's high byte changes too (block 0 is emptiest).
 */
static const char dialogue_log[] =
	"up 0102/0103-0001\nup 1234/0034-1234\nend 0102/0103-0001\n"
	"up 1235/0035-0077\nstop\nend 1234/0034-1234\nend 1235/0035-0077\n";

static void dialogue_make(struct dialogue *d)
{
	memset(d, 0, sizeof(*d));
	say(d, IN, 1, ANY, ANY, 0, ANY, ANY);
	say(d, OUT, 2, ANY, ANY, 1, ANY, ANY);
	say(d, IN, PPTP_OUT_CALL_REQUEST, 0x0102, ANY, 0, 0x0103, ANY);
	say(d, IN, PPTP_OUT_CALL_REQUEST, 0x1234, ANY, 0, 0x0034, ANY);
	say(d, OUT, PPTP_OUT_CALL_REPLY, 0x0001, 0x0103, 1, 0x0001, 0x0102);
	say(d, OUT, PPTP_OUT_CALL_REPLY, 0x1234, 0x0034, 1, 0x1234, 0x1234);
	say(d, OUT, PPTP_IN_CALL_REQUEST, 0x0077, ANY, 0, 0x0077, ANY);
	say(d, IN, PPTP_SET_LINK_INFO, 0x1234, ANY, 0, 0x1234, ANY);
	say(d, IN, 5, ANY, ANY, 0, ANY, ANY);
	say(d, OUT, 6, ANY, ANY, 1, ANY, ANY);
	say(d, OUT, PPTP_SET_LINK_INFO, 0x0034, ANY, 0, 0x1234, ANY);
	say(d, OUT, PPTP_WAN_ERROR_NOTIFY, 0x0103, ANY, 0, 0x0102, ANY);
	say(d, IN, PPTP_CALL_CLEAR_REQUEST, 0x0102, ANY, 0, 0x0103, ANY);
	say(d, OUT, PPTP_CALL_DISCONNECT_NOTIFY, 0x0001, ANY, 4, 0x0001, ANY);
	say(d, IN, PPTP_IN_CALL_REPLY, 0x1235, 0x0077, 1, 0x0035, 0x0077);
	say(d, OUT, PPTP_IN_CALL_CONNECTED, 0x0035, ANY, 0, 0x1235, ANY);
	say(d, IN, PPTP_STOP_REQUEST, ANY, ANY, 0, ANY, ANY);
	say(d, OUT, PPTP_STOP_REPLY, ANY, ANY, 1, ANY, ANY);
}

static struct dialogue dia;
static u8 got[2][4096];

static void dialogue_begin(void)
{
	begin();
	taken(0x0102, 1);
	taken(BLOCK_FULL, 256);
	memset(got, 0, sizeof(got));
}

static bool dialogue_end(void)
{
	bool right = !memcmp(got[0], dia.want[0], dia.len[0]) &&
		!memcmp(got[1], dia.want[1], dia.len[1]) &&
		!strcmp(host.log.text, dialogue_log) && !host.ctl.dead &&
		!host.ctl.torn && !host.ctl.waits && host.ctl.msgs == 18;

	end();
	return right;
}

/* Octets [from, to) of a stream as one segment. */
static bool say_part(u8 dir, u32 from, u32 to)
{
	u32 isn = dir == IN ? ISN_IN : ISN_OUT;

	return host_segment(&host, dir, isn + 1 + from, dia.data[dir] + from,
			    to - from, got[dir] + from) == PPTP_CTL_PASS;
}

/* All in segments as turns, but stream @cdir has a cut at @cut; step 0: none. */
static bool dialogue_cut(u8 cdir, u32 cut, u32 step)
{
	u32 done[2] = { 0, 0 }, i, to, dir;
	bool passed = true;

	dialogue_begin();
	for (i = 0; i < dia.turns; i++) {
		dir = dia.turn[i].dir;
		while (done[dir] < dia.turn[i].to) {
			to = dia.turn[i].to;
			if (step)
				to = min(to, done[dir] + step);
			else if (dir == cdir && done[dir] < cut && cut < to)
				to = cut;
			passed = passed && say_part((u8)dir, done[dir], to);
			done[dir] = to;
		}
	}
	return dialogue_end() && passed;
}

static void test_cuts(void)
{
	u32 dir, cut, step, bad = 0;

	dialogue_make(&dia);
	CHECK(dialogue_cut(0, 0, 0));
	done("the dialogue of three calls, whole turns per segment, byte-exact");
	for (dir = 0; dir < 2; dir++)
		for (cut = 1; cut < dia.len[dir]; cut++)
			bad += !dialogue_cut((u8)dir, cut, 0);
	CHECK(!bad);
	done("the same at every single split point");
	for (step = 1; step <= 64; step++)
		CHECK(dialogue_cut(0, 0, step));
	done("the same in 1-byte segments, and of every size up to 64");
}

static u64 rnd_state = 0x9e3779b97f4a7c15;

static u32 rnd(u32 n)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 7;
	rnd_state ^= rnd_state << 17;
	return (u32)(rnd_state >> 33) % n;
}

/* Send again something since the last ACK, perhaps with more, perhaps spoilt. */
static bool say_again(u8 dir, u32 acked, u32 *done, u32 end_)
{
	u32 from = acked + rnd(*done - acked + 1), i, old, to;
	u32 isn = dir == IN ? ISN_IN : ISN_OUT;
	u8 seg[4096], out[4096], *want = got[dir];
	bool spoil = rnd(2);

	to = from + 1 + rnd(40);
	to = min(to, end_);
	if (to <= from)
		return true;
	old = *done > from ? min(*done, to) - from : 0;
	memcpy(seg, dia.data[dir] + from, to - from);
	for (i = 0; spoil && i < old; i++)
		if (dia.data[dir][from + i] != dia.want[dir][from + i])
			seg[i] ^= (u8)(1 + rnd(255));
	if (host_segment(&host, dir, isn + 1 + from, seg, to - from, out) != PPTP_CTL_PASS)
		return false;
	if (memcmp(out, want + from, old))
		return false;
	memcpy(want + from + old, out + old, to - from - old);
	*done = max(*done, to);
	return true;
}

static bool say_ahead(u8 dir, u32 done, u32 end_)
{
	u32 isn = dir == IN ? ISN_IN : ISN_OUT;
	u32 from = done + 1 + rnd(20);
	u8 out[64];

	if (from >= end_)
		return true;
	return host_segment(&host, dir, isn + 1 + from, dia.data[dir] + from,
			    min(20u, end_ - from), out) == PPTP_CTL_DROP;
}

static bool dialogue_random(void)
{
	u32 done[2] = { 0, 0 }, acked[2] = { 0, 0 }, i, to, end_;
	bool good = true;
	u8 dir;

	dialogue_begin();
	for (i = 0; good && i < dia.turns; i++) {
		dir = dia.turn[i].dir;
		end_ = dia.turn[i].to;
		while (good && done[dir] < end_) {
			switch (rnd(5)) {
			case 0:
				good = say_again(dir, acked[dir], &done[dir], end_);
				break;
			case 1:
				good = say_ahead(dir, done[dir], end_);
				break;
			case 2:
				acked[dir] += rnd(done[dir] - acked[dir] + 1);
				pptp_ctl_ack(&host.ctl, !dir, acked[dir] + 1 +
					     (dir == IN ? ISN_IN : ISN_OUT));
				break;
			default:
				to = done[dir] + 1 + rnd(rnd(2) ? 3 : 300);
				to = min(to, end_);
				good = say_part(dir, done[dir], to);
				done[dir] = to;
			}
		}
	}
	return dialogue_end() && good;
}

static void test_random(void)
{
	u32 i, bad = 0;

	for (i = 0; i < 20000; i++)
		bad += !dialogue_random();
	CHECK(!bad);
	done("20,000 runs with random cuts, overlaps, spoilt repeats, gaps, ACKs");
}

static void test_coalesced(void)
{
	u8 p[512];
	u32 n;

	begin();
	taken(0x0001, 1);
	n = mk(p, PPTP_OUT_CALL_REQUEST, 0x0001, ANY, 0);
	n += mk(p + n, PPTP_OUT_CALL_REQUEST, 0x0002, ANY, 0);
	n += mk(p + n, PPTP_CALL_CLEAR_REQUEST, 0x0001, ANY, 0);
	CHECK(send_raw(IN, p, n) == PPTP_CTL_PASS);
	CHECK(get_unaligned_be16(p + 12) == 2);
	CHECK(get_unaligned_be16(p + 168 + 12) == 3);
	CHECK(get_unaligned_be16(p + 336 + 12) == 2);
	CHECK(host.res.from == 13 && host.res.to == 336 + 14 && host.res.changed);
	end();
	done("three messages in one segment; what was changed is told");
}

/* Half a call ID; then the answer; then the sender changes its mind. */
static void test_overlap_attack(void)
{
	u8 p[256], q[256];
	u32 n;

	begin();
	taken(0x0102, 1);
	n = mk(p, PPTP_OUT_CALL_REQUEST, 0x0102, ANY, 0);
	memcpy(q, p, n);
	CHECK(host_segment(&host, IN, pos[IN], p, 13, p) == PPTP_CTL_PASS);
	/* the high byte again, another one, with the low byte behind it */
	q[12] = 0x77;
	CHECK(host_segment(&host, IN, pos[IN] + 12, q + 12, n - 12, q + 12) == PPTP_CTL_PASS);
	CHECK(get_unaligned_be16(q + 12) == 0x0103);
	/* all of it again with another number */
	mk(q, PPTP_OUT_CALL_REQUEST, 0x5555, ANY, 0);
	CHECK(host_segment(&host, IN, pos[IN], q, n, q) == PPTP_CTL_PASS);
	CHECK(get_unaligned_be16(q + 12) == 0x0103);
	CHECK(host.ctl.resent == 2);
	/* an ACK for what was never sent is not believed, one for half neither */
	pptp_ctl_ack(&host.ctl, OUT, pos[IN] + n + 1);
	pptp_ctl_ack(&host.ctl, OUT, pos[IN] + 13);
	mk(q, PPTP_OUT_CALL_REQUEST, 0x5555, ANY, 0);
	CHECK(host_segment(&host, IN, pos[IN] + 13, q + 13, 1, q + 13) == PPTP_CTL_PASS);
	CHECK(q[13] == 0x03);
	/* A call ID that is acknowledged is forgotten. */
	pptp_ctl_ack(&host.ctl, OUT, pos[IN] + 14);
	CHECK(host.ctl.half[IN].count == 0);
	CHECK(host_segment(&host, IN, pos[IN] + 13, q + 12, 1, q + 12) == PPTP_CTL_PASS);
	CHECK(q[12] == 0x55);
	CHECK(host.calls.count == 1 && pptp_call_by_in(&host.calls, 0x0102));
	end();
	done("overlapping retransmission with other bytes gets the first answer");
}

static void test_foreign_pinned(void)
{
	u8 p[256], q[256];
	u32 n;

	begin();
	CHECK(same(IN, PPTP_OUT_CALL_REQUEST, 1, ANY, 0));
	n = mk(p, PPTP_OUT_CALL_REPLY, 0x0099, 1, 1);
	CHECK(send_raw(OUT, p, n) == PPTP_CTL_PASS);
	mk(q, PPTP_OUT_CALL_REPLY, 0x0055, 2, 1);
	CHECK(host_segment(&host, OUT, pos[OUT] - n, q, n, q) == PPTP_CTL_PASS);
	CHECK(!memcmp(p, q, n));
	CHECK(log_is("up 0001/0001-0099\n"));
	end();
	done("the outside's own number, too, is what it was the first time");
}

static void test_order(void)
{
	u8 p[256], q[256];
	u32 n;

	begin();
	n = mk(p, PPTP_ECHO_REQUEST, ANY, ANY, 0);
	CHECK(host_segment(&host, IN, pos[IN] + 1, p + 1, n - 1, q) == PPTP_CTL_DROP);
	CHECK(host_segment(&host, IN, pos[IN] + 0x70000000, p, n, q) == PPTP_CTL_DROP);
	CHECK(host.ctl.ahead == 2 && !host.ctl.msgs);
	CHECK(send_raw(IN, p, n) == PPTP_CTL_PASS);
	CHECK(host.ctl.msgs == 1);
	/* all old; keep-alive's octet before the stream; nothing at all */
	CHECK(host_segment(&host, IN, pos[IN] - n, p, n, q) == PPTP_CTL_PASS);
	CHECK(host_segment(&host, IN, pos[IN] - 1, p, 1, q) == PPTP_CTL_PASS);
	CHECK(host_segment(&host, IN, ISN_IN, p, 1, q) == PPTP_CTL_PASS);
	CHECK(host_segment(&host, IN, pos[IN] + 9, p, 0, q) == PPTP_CTL_PASS);
	CHECK(host.ctl.msgs == 1 && !host.ctl.dead);
	end();
	done("a gap is dropped, what is old or empty passes and is not read twice");
}

static void test_dead_follows(void)
{
	static struct host h;
	u8 p[256];
	u32 n = mk(p, PPTP_ECHO_REQUEST, ANY, ANY, 0);

	pptp_ids_init(&ids);
	host_init(&h, &ids, 100, 200);
	pptp_ctl_kill(&h.ctl, PPTP_DEAD_UNSEEN);
	CHECK(host_segment(&h, IN, 101, p, n, p) == PPTP_CTL_PASS);
	CHECK(h.ctl.half[IN].next == 101 + n);
	CHECK(host_segment(&h, IN, 101 + 2 * n, p, n, p) == PPTP_CTL_PASS);
	CHECK(host_segment(&h, IN, 101 + n, p, n, p) == PPTP_CTL_PASS);
	CHECK(h.ctl.half[IN].next == 101 + 3 * n && !h.ctl.msgs);
	host_done(&h);
	done("plain TCP: how far it has come is still known");
}

static void test_dead_half_id(void)
{
	static struct host h;
	u8 p[256], q[256], again[4];
	u32 n = mk(p, PPTP_OUT_CALL_REQUEST, 0x0102, ANY, 0);

	pptp_ids_init(&ids);
	host_init(&h, &ids, 100, 200);
	CHECK(host_segment(&h, OUT, 201, p, 13, q) == PPTP_CTL_PASS);
	pptp_ctl_kill(&h.ctl, PPTP_DEAD_UNSEEN);
	CHECK(host_segment(&h, OUT, 214, p + 13, n - 13, q + 13) == PPTP_CTL_PASS);
	CHECK(!memcmp(p, q, n));
	CHECK(host_segment(&h, OUT, 212, p + 11, 4, again) == PPTP_CTL_PASS);
	CHECK(!memcmp(again, p + 11, 4));
	host_done(&h);
	done("plain TCP: of a call ID that it broke off in, the rest is sent again as it was");
}

/* @at: where the message stops to be PPTP, cut there as well as not. */
static void dead_case(const u8 *msg, u32 len, u8 why)
{
	u8 p[512], q[512];
	u32 n, cut;

	for (cut = 0; cut < len; cut++) {
		begin();
		call_up();
		n = mk(p, PPTP_CALL_CLEAR_REQUEST, 0x0102, ANY, 0);
		memcpy(p + n, msg, len);
		mk(p + n + len, PPTP_CALL_CLEAR_REQUEST, 0x0102, ANY, 0);
		memcpy(q, p, sizeof(q));
		q[13] = 0x03;
		CHECK(send_raw(IN, p, n + cut) == PPTP_CTL_PASS);
		CHECK(send_raw(IN, p + n + cut, len - cut + 16) == PPTP_CTL_PASS);
		CHECK(!memcmp(p, q, n + len + 16));
		CHECK(host.ctl.dead == why);
		/* the other direction as well, and ahead of the stream */
		CHECK(same(OUT, PPTP_SET_LINK_INFO, 0x0103, ANY, 0));
		pos[IN] += 100;
		CHECK(same(IN, PPTP_CALL_CLEAR_REQUEST, 0x0102, ANY, 0));
		/* octets in flight get the number that they got */
		pos[IN] -= 100 + 16 + 16 + len + n;
		CHECK(sends(IN, PPTP_CALL_CLEAR_REQUEST, 0x0102, ANY, 0, 0x0103, ANY));
		CHECK(!pptp_ctl_done(&host.ctl));
		pptp_ctl_ack(&host.ctl, OUT, pos[IN] + 500);
		pptp_ctl_ack(&host.ctl, IN, pos[OUT] + 500);
		CHECK(pptp_ctl_done(&host.ctl));
		CHECK(host.up == 1);
		end();
	}
}

static void test_dead(void)
{
	static const u16 lens[] = { 0, 1, 11, PPTP_CTL_MSG_MAX + 1, 65535 };
	u8 p[512];
	u32 i, n;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		n = mk(p, PPTP_ECHO_REQUEST, ANY, ANY, 0);
		put_unaligned_be16(lens[i], p);
		dead_case(p, n, PPTP_DEAD_LENGTH);
	}
	done("packetLength 0, 1, 11, too long, 65535: plain TCP from there on");
	for (i = 1; i < 16; i++) {
		n = mk_len(p, (u16)i, 0x0102, ANY, 0, sizes[i] - 1);
		dead_case(p, n, PPTP_DEAD_LENGTH);
	}
	done("each message type one octet short: plain TCP from there on");
	for (i = 0; i < 65536; i += i < 3 ? 1 : 21844) {
		n = mk(p, PPTP_CALL_CLEAR_REQUEST, 0x0102, ANY, 0);
		put_unaligned_be16((u16)i, p + 2);
		if (i != 1)
			dead_case(p, n, PPTP_DEAD_MSGTYPE);
	}
	done("PPTP message type 0, 2 (management), others: plain TCP");
	for (i = 4; i < 8; i++) {
		n = mk(p, PPTP_CALL_CLEAR_REQUEST, 0x0102, ANY, 0);
		p[i] ^= 0x80;
		dead_case(p, n, PPTP_DEAD_COOKIE);
	}
	/* a good message, one octet late */
	mk(p + 1, PPTP_CALL_CLEAR_REQUEST, 0x0102, ANY, 0);
	p[0] = 0;
	dead_case(p, 17, PPTP_DEAD_LENGTH);
	done("each octet of the cookie; a cookie in mid-payload: plain TCP");
}

static void test_tolerated(void)
{
	static const u16 types[] = { 0, 16, 65535 };
	u8 p[PPTP_CTL_MSG_MAX], q[PPTP_CTL_MSG_MAX];
	u32 i, n;

	begin();
	call_up();
	for (i = 0; i < 3; i++) {
		n = mk_len(p, types[i], 0x0102, 0x0102, 0, i ? 300 : 12);
		memcpy(q, p, n);
		CHECK(send_raw(IN, p, n) == PPTP_CTL_PASS && !memcmp(p, q, n));
	}
	CHECK(host.ctl.unknown == 3 && !host.ctl.dead);
	/* longer than it need be: a cookie and a message in what is too much */
	n = mk_len(p, PPTP_CALL_CLEAR_REQUEST, 0x0102, ANY, 0, PPTP_CTL_MSG_MAX);
	mk(p + 100, PPTP_OUT_CALL_REQUEST, 0x0102, ANY, 0);
	memcpy(q, p, n);
	q[13] = 0x03;
	CHECK(send_raw(IN, p, n) == PPTP_CTL_PASS && !memcmp(p, q, n));
	CHECK(sends(IN, PPTP_CALL_DISCONNECT_NOTIFY, 0x0102, ANY, 1, 0x0103, ANY));
	CHECK(host.ctl.msgs == 7 && !host.ctl.dead && !host.up);
	end();
	done("control types 0, 16, 65535 and over-long messages are passed over");
}

static void test_ring(void)
{
	u8 p[40 * 16], q[40 * 16];
	u32 i, n = 0;

	begin();
	call_up();
	pptp_ctl_ack(&host.ctl, OUT, pos[IN]);
	for (i = 0; i < 40; i++)
		n += mk(p + n, PPTP_CALL_CLEAR_REQUEST, 0x0102, ANY, 0);
	host.no_grow = true;
	CHECK(send_raw(IN, p, n) == PPTP_CTL_GROW);
	CHECK(host.res.want == 40 && !host.res.wait && !host.res.changed);
	/* 20 and 20: the second must wait for an ACK */
	CHECK(send_raw(IN, p, n / 2) == PPTP_CTL_PASS);
	CHECK(send_raw(IN, p + n / 2, n / 2) == PPTP_CTL_GROW);
	CHECK(host.res.want == 40 && host.res.wait);
	pptp_ctl_ack(&host.ctl, OUT, pos[IN] - 8 * 16);
	CHECK(send_raw(IN, p + n / 2, n / 2) == PPTP_CTL_PASS);
	for (i = 0; i < 40; i++)
		CHECK(get_unaligned_be16(p + i * 16 + 12) == 0x0103);
	/* 28 in flight in a ring that has wrapped; more memory keeps them */
	host.no_grow = false;
	n = 0;
	for (i = 0; i < 40; i++)
		n += mk(q + n, PPTP_CALL_CLEAR_REQUEST, 0x0102, ANY, 0);
	CHECK(send_raw(IN, q, n) == PPTP_CTL_PASS);
	CHECK(host.ctl.half[IN].cap == 68);
	memset(q, 0, sizeof(q));
	CHECK(host_segment(&host, IN, pos[IN] - n - 28 * 16, q, 28 * 16, q) == PPTP_CTL_PASS);
	for (i = 0; i < 28; i++)
		CHECK(get_unaligned_be16(q + i * 16 + 12) == 0x0103);
	/* no memory for it: plain TCP */
	for (i = n = 0; i < 40; i++)
		n += mk(q + n, PPTP_CALL_CLEAR_REQUEST, 0x0102, ANY, 0);
	host.no_grow = true;
	CHECK(send_raw(IN, q, n) == PPTP_CTL_GROW);
	pptp_ctl_kill(&host.ctl, PPTP_DEAD_RING);
	memcpy(p, q, n);
	CHECK(send_raw(IN, q, n) == PPTP_CTL_PASS && !memcmp(p, q, n));
	CHECK(host.ctl.dead == PPTP_DEAD_RING);
	end();
	done("rewrites in flight: bound, growth, waiting for an ACK, giving up");
}

static void test_ring_biggest(void)
{
	static u8 p[65535];
	u32 n;

	begin();
	for (n = 0; n + 24 <= sizeof(p);)
		n += mk(p + n, PPTP_IN_CALL_REPLY, (u16)n, 1, 1);
	CHECK(send_raw(IN, p, n) == PPTP_CTL_PASS);
	CHECK(host.ctl.half[IN].cap == 2 * (n / 24));
	CHECK(host.ctl.half[IN].cap <= PPTP_CTL_SEG_FIELDS);
	end();
	done("the most call IDs that one segment can hold");
}

static void test_ring_misuse(void)
{
	struct pptp_ctl_fix small[1], two[2];

	begin();
	CHECK(same(IN, PPTP_OUT_CALL_REQUEST, 1, ANY, 0));
	CHECK(same(IN, PPTP_OUT_CALL_REQUEST, 2, ANY, 0));
	CHECK(pptp_ctl_ring(&host.ctl, IN, small, 1) == small);
	CHECK(pptp_ctl_ring(&host.ctl, IN, small, 0) == small);
	CHECK(!pptp_ctl_ring(&host.ctl, IN, two, 2));
	host.no_grow = true;
	CHECK(!same(IN, PPTP_OUT_CALL_REQUEST, 3, ANY, 0));
	CHECK(host.res.want == 3 && host.res.wait);
	host.ctl.half[IN].ring = host.ctl.half[IN].own_ring;
	end();
	done("a ring that is too small is not taken");
}

/* A call more in block 0x12 than others have left of it. */
static void odd_setup(void)
{
	begin();
	taken(0x1200, 254);
	CHECK(sends(IN, PPTP_OUT_CALL_REQUEST, 0x1201, ANY, 0, 0x12fe, ANY));
	CHECK(sends(IN, PPTP_OUT_CALL_REQUEST, 0x1202, ANY, 0, 0x12ff, ANY));
	CHECK(sends(IN, PPTP_OUT_CALL_REQUEST, 0x1203, ANY, 0, 0x1303, ANY));
	CHECK(host.calls.odd == 1);
}

static void test_odd(void)
{
	u8 p[256], q[256];
	u32 n, i;

	odd_setup();
	CHECK(sends(IN, PPTP_CALL_CLEAR_REQUEST, 0x1201, ANY, 0, 0x12fe, ANY));
	CHECK(sends(IN, PPTP_CALL_CLEAR_REQUEST, 0x1203, ANY, 0, 0x1303, ANY));
	CHECK(sends(OUT, PPTP_SET_LINK_INFO, 0x1303, ANY, 0, 0x1203, ANY));
	CHECK(sends(OUT, PPTP_SET_LINK_INFO, 0x12ff, ANY, 0, 0x1202, ANY));
	/* half of it: dropped; then with more in one piece */
	n = mk(p, PPTP_CALL_CLEAR_REQUEST, 0x1203, ANY, 0);
	memcpy(q, p, n);
	CHECK(host_segment(&host, IN, pos[IN], p, 13, p) == PPTP_CTL_DROP);
	CHECK(host.ctl.waits == 1);
	CHECK(host_segment(&host, IN, pos[IN], p, 12, p) == PPTP_CTL_PASS);
	CHECK(host_segment(&host, IN, pos[IN] + 12, p + 12, 4, p + 12) == PPTP_CTL_PASS);
	put_unaligned_be16(0x1303, q + 12);
	CHECK(!memcmp(p, q, n));
	pos[IN] += n;
	/* a sender that sends nothing but the half is not kept for ever */
	n = mk(p, PPTP_CALL_CLEAR_REQUEST, 0x1201, ANY, 0);
	CHECK(send_raw(IN, p, 12) == PPTP_CTL_PASS);
	for (i = 0; i < 3; i++)
		CHECK(send_raw(IN, p + 12, 1) == PPTP_CTL_DROP);
	CHECK(send_raw(IN, p + 12, 1) == PPTP_CTL_PASS);
	CHECK(send_raw(IN, p + 13, 3) == PPTP_CTL_PASS);
	CHECK(get_unaligned_be16(p + 12) == 0x12fe && !host.ctl.torn);
	n = mk(p, PPTP_CALL_CLEAR_REQUEST, 0x1203, ANY, 0);
	CHECK(send_raw(IN, p, 12) == PPTP_CTL_PASS);
	for (i = 0; i < 3; i++)
		CHECK(send_raw(IN, p + 12, 1) == PPTP_CTL_DROP);
	CHECK(send_raw(IN, p + 12, 1) == PPTP_CTL_PASS);
	CHECK(send_raw(IN, p + 13, 3) == PPTP_CTL_PASS);
	CHECK(host.ctl.torn == 1 && !host.ctl.dead);
	/* octets on their way are not changed, even when they are at hand again */
	n = mk(p, PPTP_CALL_CLEAR_REQUEST, 0x1203, ANY, 0);
	memcpy(q, p, n);
	CHECK(send_raw(IN, p, 12) == PPTP_CTL_PASS);
	for (i = 0; i < 3; i++)
		CHECK(send_raw(IN, p + 12, 1) == PPTP_CTL_DROP);
	CHECK(send_raw(IN, p + 12, 1) == PPTP_CTL_PASS);
	CHECK(host_segment(&host, IN, pos[IN] - 1, p + 12, 4, p + 12) == PPTP_CTL_PASS);
	CHECK(!memcmp(p, q, n) && host.ctl.torn == 2);
	end();
	/* a new call, half of it, in a block that is full */
	odd_setup();
	CHECK(host_segment(&host, IN, pos[IN], p, 0, p) == PPTP_CTL_PASS);
	n = mk(p, PPTP_OUT_CALL_REQUEST, 0x1204, ANY, 0);
	CHECK(send_raw(IN, p, 13) == PPTP_CTL_DROP);
	CHECK(sends(IN, PPTP_OUT_CALL_REQUEST, 0x1204, ANY, 0, 0x1304, ANY));
	/* The outside's half of that number has to wait, too. */
	n = mk(p, PPTP_SET_LINK_INFO, 0x1304, ANY, 0);
	CHECK(send_raw(OUT, p, 13) == PPTP_CTL_DROP);
	CHECK(sends(OUT, PPTP_SET_LINK_INFO, 0x1304, ANY, 0, 0x1204, ANY));
	end();
	/* full, but nothing in it is odd yet */
	begin();
	taken(0x1200, 255);
	CHECK(sends(IN, PPTP_OUT_CALL_REQUEST, 0x1201, ANY, 0, 0x12ff, ANY));
	mk(p, PPTP_OUT_CALL_REQUEST, 0x1204, ANY, 0);
	CHECK(send_raw(IN, p, 13) == PPTP_CTL_DROP);
	CHECK(sends(IN, PPTP_OUT_CALL_REQUEST, 0x1204, ANY, 0, 0x1304, ANY));
	CHECK(!host.ctl.torn);
	end();
	done("a full block: numbers from elsewhere, half a number waits");
}

/* The high byte's translation is one to one, whichever comes first. */
static void test_blocks(void)
{
	u8 p[256];

	begin();
	taken(0x0000, 256);
	taken(0x0100, 10);
	/* 0x00 goes to 0x02, the emptiest; then 0x02 cannot stay itself */
	CHECK(sends(IN, PPTP_OUT_CALL_REQUEST, 0x0007, ANY, 0, 0x0207, ANY));
	CHECK(sends(IN, PPTP_OUT_CALL_REQUEST, 0x0207, ANY, 0, 0x0307, ANY));
	CHECK(sends(IN, PPTP_OUT_CALL_REQUEST, 0x0107, ANY, 0, 0x010a, ANY));
	CHECK(sends(OUT, PPTP_SET_LINK_INFO, 0x0207, ANY, 0, 0x0007, ANY));
	CHECK(sends(OUT, PPTP_SET_LINK_INFO, 0x0307, ANY, 0, 0x0207, ANY));
	CHECK(sends(OUT, PPTP_SET_LINK_INFO, 0x010a, ANY, 0, 0x0107, ANY));
	/* a number that no call has: by its high byte, in halves or whole */
	CHECK(sends(OUT, PPTP_SET_LINK_INFO, 0x0299, ANY, 0, 0x0099, ANY));
	CHECK(sends(IN, PPTP_CALL_CLEAR_REQUEST, 0x0099, ANY, 0, 0x0299, ANY));
	mk(p, PPTP_SET_LINK_INFO, 0x0299, ANY, 0);
	CHECK(send_raw(OUT, p, 13) == PPTP_CTL_PASS);
	CHECK(send_raw(OUT, p + 13, 11) == PPTP_CTL_PASS);
	CHECK(get_unaligned_be16(p + 12) == 0x0099);
	CHECK(!host.calls.odd);
	end();
	/* the peer's number in Disconnect, where its high byte would change */
	begin();
	taken(0x0000, 256);
	CHECK(sends(IN, PPTP_OUT_CALL_REQUEST, 0x0007, ANY, 0, 0x0107, ANY));
	CHECK(sends(OUT, PPTP_OUT_CALL_REPLY, 0x0009, 0x0107, 1, 0x0009, 0x0007));
	CHECK(same(OUT, PPTP_CALL_DISCONNECT_NOTIFY, 0x0107, ANY, 1));
	CHECK(!host.up && !host.allocated);
	end();
	done("high bytes are translated one to one");
}

static void test_ids(void)
{
	u32 i, n = 0;

	pptp_ids_init(&ids);
	CHECK(pptp_ids_take(&ids, 0, -1) == 0);
	CHECK(pptp_ids_take(&ids, 0, -1) == 1);
	pptp_ids_put(&ids, 0);
	pptp_ids_put(&ids, 0);
	CHECK(ids.total == 1 && pptp_ids_room(&ids, 0) == 255);
	CHECK(pptp_ids_take(&ids, 0x00ff, 0) == 0x00ff);
	CHECK(pptp_ids_take(&ids, 0x00ff, 0) == 0x0002);	/* never 0 unasked */
	CHECK(pptp_ids_take(&ids, 0xffff, -1) == 0xffff);
	CHECK(pptp_ids_take(&ids, 0xffff, -1) == 0xff00);
	CHECK(pptp_ids_take(&ids, 0x1234, 0x77) == 0x7734);
	for (i = 0; i < 256; i++)
		n += pptp_ids_take(&ids, 0x5000, 0x50) >= 0;
	CHECK(n == 256 && pptp_ids_take(&ids, 0x5000, 0x50) == -ENOSPC);
	CHECK(pptp_ids_take(&ids, 0x5000, -1) == 0x5100);
	while (pptp_ids_take(&ids, 1, -1) >= 0)
		;
	CHECK(ids.total == 65535);	/* all but 0 */
	CHECK(pptp_ids_take(&ids, 0, -1) == 0);
	CHECK(pptp_ids_take(&ids, 0, -1) == -ENOSPC && ids.total == 65536);
	done("numbers: the wanted one, the nearest, a block's, all of them");
}

static void test_exhausted(void)
{
	begin();
	taken(0, 65536);
	CHECK(same(IN, PPTP_OUT_CALL_REQUEST, 0x1234, ANY, 0));
	CHECK(host.ctl.torn == 1 && !host.allocated && ids.total == 65536);
	end();
	done("no number left at all: the message passes, nothing is made");
}

int main(void)
{
	printf("TAP version 13\n");
	test_no_ids();
	test_outgoing_pns_inside();
	test_outgoing_pac_inside();
	test_incoming_pns_inside();
	test_incoming_pac_inside();
	test_two_clients();
	test_refused();
	test_crossing();
	test_again();
	test_loose();
	test_reply_first();
	test_limit();
	test_many();
	test_cuts();
	test_random();
	test_coalesced();
	test_overlap_attack();
	test_foreign_pinned();
	test_order();
	test_dead_follows();
	test_dead_half_id();
	test_dead();
	test_tolerated();
	test_ring();
	test_ring_biggest();
	test_ring_misuse();
	test_odd();
	test_blocks();
	test_ids();
	test_exhausted();
	return tap_end();
}
