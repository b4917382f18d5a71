// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target on the PPTP control channel (kmod/pptp/ctl*.c): the same
 * two streams through three NATs, cut in three ways, and what must hold:
 *  - only octets of call ID fields differ from what was sent, as a second,
 *    simple-minded reader of the whole stream finds them;
 *  - all three forward the same octets and see the same calls;
 *  - an octet sent again is forwarded as it was the first time;
 *  - state is bounded, nothing is left behind.
 *
 * Input: octet 0 bit 0: other clients hold many numbers; bit 1: all but a
 * few. Octet 1: seed of the cuts. Then turns, each beginning with an octet t:
 * bit 7: sent by the outside. Bit 6: raw, an octet n and n octets follow.
 * Otherwise a whole message of type t & 31, and five octets follow: call ID,
 * second call ID, result code. Files are made by mkcorpus_pptp.py.
 */
#include "../unit/pptp_host.h"

#define STREAM_MAX	16384
#define TURNS_MAX	256
#define ISN_IN		0xfffffe00u
#define ISN_OUT		0x7fffff00u

struct turn {
	u8 dir;
	u32 to;
};

static u8 sent[PPTP_DIRS][STREAM_MAX];
static bool is_id[PPTP_DIRS][STREAM_MAX];
static u8 got[3][PPTP_DIRS][STREAM_MAX];
static u32 length[PPTP_DIRS];
static struct turn turns[TURNS_MAX];
static u32 n_turns, rng, scarce;

static const u8 sizes[16] = {
	12, 156, 156, 16, 16, 16, 20, 168, 32, 220, 24, 28, 16, 148, 40, 24 };
static const u8 n_ids[16] = { [7] = 1, 2, 1, 2, 1, 1, 1, 1, 1 };

static u32 rnd(u32 n)
{
	rng = rng * 1664525 + 1013904223;
	return (rng >> 8) % n;
}

static u32 isn_of(u8 dir)
{
	return dir == PPTP_FROM_IN ? ISN_IN : ISN_OUT;
}

static u32 synth(u8 *p, u8 type, const u8 *arg)
{
	static const u8 head[8] = { 0, 0, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d };
	u32 len = type < 16 ? sizes[type] : type * 2;

	memset(p, 0x5a, len);
	memcpy(p, head, 8);
	p[1] = (u8)len;
	p[8] = 0;
	p[9] = type;
	if (len < 18)
		return len;
	memcpy(p + 12, arg, 4);
	p[type == 13 ? 14 : 16] = arg[4];
	return len;
}

static u32 one_turn(u8 *p, u8 t, const u8 **in, const u8 *end)
{
	u8 arg[5] = { 0 };
	u32 n;

	if (t & 0x40) {
		n = *in < end ? *(*in)++ : 0;
		n = min(n, (u32)(end - *in));
		memcpy(p, *in, n);
		*in += n;
		return n;
	}
	n = min((u32)sizeof(arg), (u32)(end - *in));
	memcpy(arg, *in, n);
	*in += n;
	n = synth(p, t & 31, arg);
	if ((t & 31) == 12)	/* too short for synth() to fill in */
		memcpy(p + 12, arg, 2);
	return n;
}

static void read_input(const u8 *in, const u8 *end)
{
	u32 n;

	length[0] = 0;
	length[1] = 0;
	for (n_turns = 0; in < end && n_turns < TURNS_MAX; n_turns++) {
		u8 t = *in++, dir = t >> 7;

		if (length[dir] + 256 > STREAM_MAX)
			break;
		n = one_turn(sent[dir] + length[dir], t, &in, end);
		length[dir] += n;
		turns[n_turns].dir = dir;
		turns[n_turns].to = length[dir];
	}
}

/* The second opinion on where call IDs are. */
static void find_ids(const u8 *p, u32 len, bool *id)
{
	u32 at, n, type, i;

	memset(id, 0, len * sizeof(*id));
	for (at = 0; at + 12 < len; at += n) {
		n = get_unaligned_be16(p + at);
		type = get_unaligned_be16(p + at + 8);
		if (n < 12 || n > PPTP_CTL_MSG_MAX ||
		    get_unaligned_be16(p + at + 2) != 1 ||
		    get_unaligned_be32(p + at + 4) != 0x1a2b3c4d ||
		    (type < 16 && n < sizes[type]))
			return;
		for (i = 12; type < 16 && i < 12 + 2u * n_ids[type]; i++)
			if (at + i < len)
				id[at + i] = true;
	}
}

static struct host host;
static struct pptp_ids ids;
static u32 foreign;
/* How far each stream was read for call IDs; nothing is once one has died. */
static u32 read_to[PPTP_DIRS];

/* The numbers that other clients hold, for each kind of shortage. */
static const struct pptp_ids *others(void)
{
	static struct pptp_ids made[4];
	struct pptp_ids *o = &made[scarce];
	u32 i;

	if (!scarce || o->total)
		return o;
	for (i = 0; i < 65536; i++)
		if (scarce & 2 ? i % 64 : i % 3 == 0)
			pptp_ids_take(o, (u16)i, -1);
	return o;
}

static void setup(void)
{
	ids = *others();
	foreign = ids.total;
	memset(read_to, 0, sizeof(read_to));
	host_init(&host, &ids, ISN_IN, ISN_OUT);
	host.max_calls = scarce & 1 ? 5 : 65536;
}

static void check_state(void)
{
	int dir;

	HOST_CHECK(ids.total == foreign + host.calls.count);
	HOST_CHECK(host.calls.count == host.allocated && host.up <= host.allocated);
	for (dir = 0; dir < PPTP_DIRS; dir++)
		HOST_CHECK(host.ctl.half[dir].count <= host.ctl.half[dir].cap);
}

/* @data as octets [from, to) of a stream; true if it was forwarded. */
static bool part(u8 dir, u32 from, u32 to, const u8 *data, u8 *out)
{
	int verdict;

	verdict = host_segment(&host, dir, isn_of(dir) + 1 + from, data, to - from, out);
	HOST_CHECK(verdict != PPTP_CTL_GROW);
	check_state();
	if (!host.ctl.dead)
		read_to[dir] = host.ctl.half[dir].next - isn_of(dir) - 1;
	return verdict == PPTP_CTL_PASS;
}

/* Send again from what is not acknowledged, and perhaps on from there. */
static void again(int run, u8 dir, u32 acked, u32 *done, u32 end)
{
	u32 from = acked + rnd(*done - acked + 1), i, old, to;
	static u8 seg[STREAM_MAX], out[STREAM_MAX];

	to = from + 1 + rnd(64);
	to = min(to, end);
	if (to <= from)
		return;
	old = min(*done, to) - from;
	memcpy(seg, sent[dir] + from, to - from);
	for (i = 0; i < old && rnd(4); i++)
		if (is_id[dir][from + i] && from + i < read_to[dir])
			seg[i] ^= (u8)rnd(256);
	if (!part(dir, from, to, seg, out)) {
		HOST_CHECK(host.ctl.waits);
		return;
	}
	HOST_CHECK(!memcmp(out, got[run][dir] + from, old));
	memcpy(got[run][dir] + from + old, out + old, to - from - old);
	*done = max(*done, to);
}

static void ahead(u8 dir, u32 done, u32 end)
{
	u32 from = done + 1 + rnd(30);
	u8 out[64];

	if (from < end)
		HOST_CHECK(part(dir, from, min(end, from + 40), sent[dir] + from, out) ==
			   !!host.ctl.dead);
}

static u32 step(int run, u32 from, u32 end)
{
	switch (run) {
	case 0:
		return end;
	case 1:
		return from + 1;
	default:
		from += 1 + rnd(rnd(2) ? 4 : 400);
		return min(end, from);
	}
}

static void disturb(u8 dir, u32 *acked, u32 *done, u32 end)
{
	switch (rnd(6)) {
	case 0:
		again(2, dir, acked[dir], &done[dir], end);
		break;
	case 1:
		ahead(dir, done[dir], end);
		break;
	case 2:
		acked[dir] += rnd(done[dir] - acked[dir] + 1);
		pptp_ctl_ack(&host.ctl, !dir, isn_of(dir) + 1 + acked[dir]);
		break;
	}
}

/* Run 0: a turn is a segment. Run 1: an octet is one. Run 2: anything. */
static void play(int run)
{
	u32 done[2] = { 0, 0 }, acked[2] = { 0, 0 }, i, to, end;
	u8 dir;

	setup();
	for (i = 0; i < n_turns; i++) {
		dir = turns[i].dir;
		end = turns[i].to;
		while (done[dir] < end) {
			if (run == 2)
				disturb(dir, acked, done, end);
			if (done[dir] == end)
				break;
			to = step(run, done[dir], end);
			if (part(dir, done[dir], to, sent[dir] + done[dir],
				 got[run][dir] + done[dir]))
				done[dir] = to;
			else
				HOST_CHECK(host.ctl.waits);
		}
	}
}

static void check_octets(int run)
{
	u32 dir, i;

	for (dir = 0; dir < PPTP_DIRS; dir++)
		for (i = 0; i < length[dir]; i++)
			HOST_CHECK(is_id[dir][i] || got[run][dir][i] == sent[dir][i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct { u32 dead, msgs, unknown, odd, torn; char *log; } was = { 0 };
	int run, dir;

	if (size < 2)
		return 0;
	scarce = data[0] & 3;
	rng = data[1];
	read_input(data + 2, data + size);
	for (dir = 0; dir < PPTP_DIRS; dir++)
		find_ids(sent[dir], length[dir], is_id[dir]);
	for (run = 0; run < 3; run++) {
		play(run);
		check_octets(run);
		if (!run) {
			was.dead = host.ctl.dead;
			was.msgs = host.ctl.msgs;
			was.unknown = host.ctl.unknown;
			was.log = strdup(host.log.text);
			HOST_CHECK(was.log);
		}
		/* numbers running out is where the cuts may matter */
		was.odd |= host.calls.odd;
		was.torn |= host.ctl.torn;
		HOST_CHECK(was.dead == host.ctl.dead && was.msgs == host.ctl.msgs);
		HOST_CHECK(was.unknown == host.ctl.unknown);
		HOST_CHECK(scarce || (!was.odd && !was.torn));
		if (!was.odd && !was.torn) {
			HOST_CHECK(scarce || !host.ctl.waits);
			HOST_CHECK(!strcmp(was.log, host.log.text));
			for (dir = 0; dir < PPTP_DIRS; dir++)
				HOST_CHECK(!memcmp(got[run][dir], got[0][dir], length[dir]));
		}
		host_done(&host);
		HOST_CHECK(ids.total == foreign);
	}
	free(was.log);
	return 0;
}
