// SPDX-License-Identifier: GPL-2.0
/*
 * TCP segments of a control connection: the payload is handed to the stream
 * (ctl.c), and what it changed is made good in the checksum. Lengths stay, so
 * conntrack's and TCP's own numbers need no care.
 */
#include <linux/slab.h>
#include <linux/tcp.h>
#include <net/checksum.h>
#include <net/netfilter/nf_conntrack.h>

#include "pptp.h"

struct segment {
	struct sk_buff *skb;
	unsigned int thoff, off, len;	/* off: of the payload, from skb->data */
	u32 seq, ack;
	bool syn, fin, rst, has_ack;
};

static bool segment_read(struct segment *seg, const struct vpnpass_pkt *pkt)
{
	const struct tcphdr *th;
	struct tcphdr buf;

	th = pptp_tcp_header(pkt, &buf);
	if (!th || th->doff * 4 < sizeof(*th))
		return false;
	seg->skb = pkt->skb;
	seg->thoff = pkt->thoff;
	seg->off = pkt->thoff + th->doff * 4;
	if (seg->off > pkt->skb->len)
		return false;
	seg->len = pkt->skb->len - seg->off;
	seg->seq = ntohl(th->seq);
	seg->ack = ntohl(th->ack_seq);
	seg->syn = th->syn;
	seg->fin = th->fin;
	seg->rst = th->rst;
	seg->has_ack = th->ack;
	return true;
}

/* A blind sender would have to guess both numbers. The handshake is over, so that a
 * SYN's, which conntrack lets pass unchecked, mean nothing.
 */
static bool is_believed(const struct pptp_control *pc, const struct segment *seg,
			enum pptp_dir dir)
{
	if (seg->syn)
		return false;
	if (!seg->has_ack)
		return seg->rst;	/* is_over() checks the number */
	return pptp_numbers_fit(pc, dir, seg->seq, seg->ack);
}

static void stream_died(struct pptp_control *pc)
{
	pptp_count(pc->vn, PPTP_CNT_PLAIN);
	switch (pc->ctl.dead) {
	case PPTP_DEAD_LENGTH:
	case PPTP_DEAD_MSGTYPE:
	case PPTP_DEAD_COOKIE:
		pptp_count(pc->vn, VPNPASS_CNT_MALFORMED);
		break;
	}
}

static void stream_kill(struct pptp_control *pc, enum pptp_ctl_dead why)
{
	if (pc->ctl.dead)
		return;
	pptp_ctl_kill(&pc->ctl, why);
	stream_died(pc);
}

/* More call IDs in flight than are remembered: make room while that is sane. */
static bool ring_grow(struct pptp_control *pc, enum pptp_dir dir, u32 want)
{
	struct pptp_ctl_fix *ring, *old;
	u32 cap = roundup_pow_of_two(want);

	if (want > PPTP_CTL_SEG_FIELDS + PPTP_CTL_RING)
		return false;
	ring = vpnpass_alloc_zeroed(pc->vn, cap * sizeof(*ring));
	if (!ring) {
		pptp_count(pc->vn, VPNPASS_CNT_NO_MEMORY);
		return false;
	}
	old = pptp_ctl_ring(&pc->ctl, dir, ring, cap);
	kfree(old);
	return old != ring;
}

static int stream_read(struct pptp_control *pc, const struct segment *seg,
		       enum pptp_dir dir, struct pptp_ctl_result *res)
{
	u8 *data = seg->skb->data + seg->off;
	int verdict;

	verdict = pptp_ctl_segment(&pc->ctl, dir, seg->seq, data, seg->len, res);
	if (verdict != PPTP_CTL_GROW)
		return verdict;
	if (!ring_grow(pc, dir, res->want)) {
		if (res->wait)
			return PPTP_CTL_DROP;
		stream_kill(pc, PPTP_DEAD_RING);
	}
	return pptp_ctl_segment(&pc->ctl, dir, seg->seq, data, seg->len, res);
}

static void fix_checksum(const struct segment *seg, u16 csum)
{
	struct tcphdr *th = (struct tcphdr *)(seg->skb->data + seg->thoff);

	/* old and new of 16 bits, anywhere: only the difference counts */
	inet_proto_csum_replace2(&th->check, seg->skb, 0, htons(csum), false);
}

static unsigned int segment_payload(struct pptp_control *pc,
				    const struct segment *seg, enum pptp_dir dir)
{
	u32 repeated = pc->ctl.resent;
	struct pptp_ctl_result res;

	if (!pc->started && !pc->ctl.dead && pptp_control_start(pc)) {
		pptp_count(pc->vn, VPNPASS_CNT_NO_MEMORY);
		stream_kill(pc, PPTP_DEAD_RING);
	}
	if (pptp_ctl_done(&pc->ctl)) {
		pptp_ctl_follow(&pc->ctl, dir, seg->seq + seg->len);
		return NF_ACCEPT;
	}
	if (skb_ensure_writable(seg->skb, seg->skb->len))
		return NF_DROP;
	if (stream_read(pc, seg, dir, &res) != PPTP_CTL_PASS) {
		pptp_count(pc->vn, PPTP_CNT_DROPPED_AHEAD);
		return NF_DROP;
	}
	if (res.died)
		stream_died(pc);
	if (res.changed) {
		fix_checksum(seg, res.csum);
		pptp_count(pc->vn, PPTP_CNT_REWRITTEN);
	}
	if (pc->ctl.resent != repeated)
		pptp_count(pc->vn, PPTP_CNT_REPEATED);
	return NF_ACCEPT;
}

/* Something was acknowledged that we have not seen: it went another way, and
 * waiting for it would stall the connection.
 */
static bool ack_unseen(const struct pptp_control *pc, enum pptp_dir dir, u32 ack)
{
	/* a FIN counts as an octet */
	return (s32)(ack - pc->ctl.half[!dir].next) > 1;
}

/* The last ACK, or a reset with the exact number (RFC 5961 3.2): there is no need to
 * wait for conntrack to forget. Its own state does not say as much: where it is
 * liberal, anybody can bring it to TIME_WAIT.
 */
static bool is_over(struct pptp_control *pc, const struct segment *seg,
		    enum pptp_dir dir)
{
	u32 next = pc->ctl.half[dir].next;

	if (seg->rst)
		return seg->seq == next || (pc->fins & BIT(dir) && seg->seq == next + 1);
	if (seg->fin && seg->seq + seg->len == next)
		pc->fins |= BIT(dir);
	if (pc->fins & BIT(!dir) && seg->ack == pc->ctl.half[!dir].next + 1)
		pc->fins_acked |= BIT(!dir);
	return pc->fins_acked == (BIT(PPTP_FROM_IN) | BIT(PPTP_FROM_OUT));
}

static unsigned int segment_locked(struct pptp_control *pc,
				   const struct segment *seg, enum pptp_dir dir)
{
	unsigned int verdict = NF_ACCEPT;

	if (seg->has_ack && !pc->ctl.dead && ack_unseen(pc, dir, seg->ack))
		stream_kill(pc, PPTP_DEAD_UNSEEN);
	if (seg->len)
		verdict = segment_payload(pc, seg, dir);
	if (seg->has_ack && verdict == NF_ACCEPT)
		pptp_ctl_ack(&pc->ctl, dir, seg->ack);
	return verdict;
}

/**
 * pptp_segment_passes() - a packet of a control connection passes
 * @pc: the connection
 * @pkt: the packet; its call IDs are rewritten
 * @dir: who sent it
 * @over: set when this was the last of the connection
 *
 * Context: softirq, RCU read side.
 * Return: netfilter verdict; NF_DROP when TCP has to send it again.
 */
unsigned int pptp_segment_passes(struct pptp_control *pc, const struct vpnpass_pkt *pkt,
				 enum pptp_dir dir, bool *over)
{
	unsigned int verdict = NF_ACCEPT;
	struct segment seg;
	bool settle;

	*over = false;
	if (!segment_read(&seg, pkt))
		return NF_ACCEPT;
	spin_lock_bh(&pc->lock);
	if (!pc->closed && is_believed(pc, &seg, dir)) {
		verdict = segment_locked(pc, &seg, dir);
		*over = verdict == NF_ACCEPT && is_over(pc, &seg, dir);
	}
	settle = !list_empty(&pc->ending) || !list_empty(&pc->opening);
	spin_unlock_bh(&pc->lock);
	if (settle)
		pptp_control_settle(pc);
	return verdict;
}
