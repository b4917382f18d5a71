// SPDX-License-Identifier: GPL-2.0
/*
 * TCP segments of a control connection: the payload is handed to the stream
 * (ctl.c), and what it changed is made good in the checksum. Lengths stay, so
 * conntrack's and TCP's own numbers need no care. Called by pptp.c.
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
	bool syn, rst, has_ack;
};

/* The TCP header, which may be in @buf; NULL when there is none. */
const struct tcphdr *pptp_tcp_header(const struct vpnpass_pkt *pkt,
				     struct tcphdr *buf)
{
	return skb_header_pointer(pkt->skb, pkt->thoff, sizeof(*buf), buf);
}

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
	/* a SYN takes a sequence number, data behind it begins at the next */
	seg->seq = ntohl(th->seq) + th->syn;
	seg->ack = ntohl(th->ack_seq);
	seg->syn = th->syn;
	seg->rst = th->rst;
	seg->has_ack = th->ack;
	return true;
}

/**
 * pptp_segment_continues() - whether a packet of the caller's is the next one
 * @pc: a connection that was parked, locked
 * @pkt: packet in direction original
 * @th: its TCP header
 *
 * Return: false when something must have passed unseen, either way. A FIN that
 * was acknowledged counts as seen.
 */
bool pptp_segment_continues(const struct pptp_control *pc,
			    const struct vpnpass_pkt *pkt, const struct tcphdr *th)
{
	bool in = pc->in_dir == IP_CT_DIR_ORIGINAL;
	const struct pptp_ctl_half *mine, *other;

	mine = &pc->ctl.half[in ? PPTP_FROM_IN : PPTP_FROM_OUT];
	other = &pc->ctl.half[in ? PPTP_FROM_OUT : PPTP_FROM_IN];
	return (s32)(ntohl(th->seq) - mine->next) <= 0 && th->ack &&
	       (s32)(ntohl(th->ack_seq) - other->next) <= 0;
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
	ring = kmalloc_array(cap, sizeof(*ring), GFP_ATOMIC | __GFP_NOWARN);
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
	if (pptp_ctl_done(&pc->ctl))
		return NF_ACCEPT;
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
	const struct pptp_ctl_half *h = &pc->ctl.half[!dir];

	/* one for a FIN */
	return h->synced && (s32)(ack - h->next) > 1;
}

/* What comes to the router's own client conntrack has yet to see: the last ACK
 * when the server was the first to close, or a reset; as RFC 5961 3.2 has it.
 */
static bool over_next(const struct pptp_control *pc, const struct segment *seg,
		      enum pptp_dir dir, u8 state)
{
	if (seg->rst)
		return seg->seq == pc->ctl.half[dir].next;
	/* past the client's FIN */
	return state == TCP_CONNTRACK_LAST_ACK && seg->has_ack &&
	       seg->ack == pc->ctl.half[!dir].next + 1;
}

/* The last ACK, or a reset: no need to wait for conntrack to forget. */
static bool tcp_over(const struct pptp_control *pc, const struct segment *seg,
		     enum pptp_dir dir)
{
	u8 state = READ_ONCE(pc->ct->proto.tcp.state);

	return state == TCP_CONNTRACK_TIME_WAIT || state == TCP_CONNTRACK_CLOSE ||
	       (pc->local && dir == PPTP_FROM_OUT && over_next(pc, seg, dir, state));
}

static unsigned int segment_locked(struct pptp_control *pc,
				   const struct segment *seg, enum pptp_dir dir)
{
	unsigned int verdict = NF_ACCEPT;

	if (seg->syn)
		pptp_ctl_syn(&pc->ctl, dir, seg->seq - 1);
	if (seg->has_ack && !pc->ctl.dead && ack_unseen(pc, dir, seg->ack))
		stream_kill(pc, PPTP_DEAD_NOSYN);
	if (seg->len)
		verdict = segment_payload(pc, seg, dir);
	if (seg->has_ack && verdict == NF_ACCEPT)
		pptp_ctl_ack(&pc->ctl, dir, seg->ack);
	return verdict;
}

/**
 * pptp_segment() - a packet of a control connection passes
 * @pc: the connection
 * @pkt: the packet; its call IDs are rewritten
 * @dir: who sent it
 * @over: set when this was the last of the connection
 *
 * Context: softirq, RCU read side.
 * Return: netfilter verdict; NF_DROP when TCP has to send it again.
 */
unsigned int pptp_segment(struct pptp_control *pc, const struct vpnpass_pkt *pkt,
			  enum pptp_dir dir, bool *over)
{
	unsigned int verdict = NF_ACCEPT;
	struct segment seg;
	bool settle;

	*over = false;
	if (!segment_read(&seg, pkt))
		return NF_ACCEPT;
	spin_lock_bh(&pc->lock);
	if (!pc->closed) {
		verdict = segment_locked(pc, &seg, dir);
		*over = tcp_over(pc, &seg, dir);
	}
	settle = !list_empty(&pc->ending) || !list_empty(&pc->opening);
	spin_unlock_bh(&pc->lock);
	if (settle)
		pptp_control_settle(pc);
	return verdict;
}
