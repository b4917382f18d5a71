// SPDX-License-Identifier: GPL-2.0
/* TCP headers of control connections, and whether their numbers can be right. */
#include <linux/tcp.h>
#include <net/netfilter/nf_conntrack.h>

#include "pptp.h"

/* Octets: a window without scaling, and some more, as conntrack has it. */
#define WINDOW_MIN	66000

/* The TCP header, which may be in @buf; NULL when there is none. */
const struct tcphdr *pptp_tcp_header(const struct vpnpass_pkt *pkt,
				     struct tcphdr *buf)
{
	return skb_header_pointer(pkt->skb, pkt->thoff, sizeof(*buf), buf);
}

/**
 * pptp_window_has() - whether a sequence number may be of this connection
 * @number: sequence or acknowledgment number of a segment
 * @next: what has been seen of the direction that it counts
 * @window: greatest window of that direction's receiver, if known
 *
 * Context: any.
 */
bool pptp_window_has(u32 number, u32 next, u32 window)
{
	window = max_t(u32, window, WINDOW_MIN);
	return number - (next - window) <= 2 * window;
}

/* Conntrack's own check need not have been made: nf_conntrack_tcp_be_liberal. Its
 * windows are those of packets that passed it.
 */
static u32 window_of(const struct pptp_control *pc, enum pptp_dir dir)
{
	u8 receiver = dir == PPTP_FROM_IN ? !pc->in_dir : pc->in_dir;

	return READ_ONCE(pc->ct->proto.tcp.seen[receiver].td_maxwin);
}

/**
 * pptp_numbers_fit() - may both of a segment's numbers be of this connection?
 * @pc: the connection, locked
 * @dir: who sent it
 * @seq: sequence number
 * @ack: acknowledgment number
 */
bool pptp_numbers_fit(const struct pptp_control *pc, enum pptp_dir dir, u32 seq, u32 ack)
{
	lockdep_assert_held(&pc->lock);
	return pptp_window_has(seq, pc->ctl.half[dir].next, window_of(pc, dir)) &&
	       pptp_window_has(ack, pc->ctl.half[!dir].next, window_of(pc, !dir));
}

/**
 * pptp_segment_skips() - must something have passed unseen before a packet?
 * @pc: a connection that was parked, locked
 * @th: TCP header of a packet in direction original
 *
 * A FIN that was acknowledged counts as seen.
 */
bool pptp_segment_skips(const struct pptp_control *pc, const struct tcphdr *th)
{
	enum pptp_dir dir = pc->in_dir == IP_CT_DIR_ORIGINAL ? PPTP_FROM_IN :
							       PPTP_FROM_OUT;
	u32 seq = ntohl(th->seq), ack = ntohl(th->ack_seq);

	return th->ack && pptp_numbers_fit(pc, dir, seq, ack) &&
	       ((s32)(seq - pc->ctl.half[dir].next) > 0 ||
		(s32)(ack - pc->ctl.half[!dir].next) > 0);
}
