// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that a helper's post() keeps for a while (NF_STOLEN) and sends on: they
 * have been through POSTROUTING.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <net/dst.h>
#include <net/ip.h>

#include "vpnpass.h"

/**
 * vpnpass_keep() - may a packet be kept?
 * @pkt: a packet in post()
 *
 * Only one that has been through POSTROUTING: what is sent on later passes no rule
 * any more. What a bridge forwards has no route to be sent on by.
 *
 * Context: RCU read side.
 * Return: whether vpnpass_send() can take it later; its route is held then, the
 * device is the caller's to hold.
 */
bool vpnpass_keep(const struct vpnpass_pkt *pkt)
{
	const struct dst_entry *dst = skb_dst(pkt->skb);

	return pkt->state->hook == NF_INET_POST_ROUTING && dst &&
	       !(dst->flags & DST_FAKE_RTABLE) && skb_dst_force(pkt->skb);
}
EXPORT_SYMBOL_GPL(vpnpass_keep);

/**
 * vpnpass_send() - send on a packet that was kept
 * @net: its netns
 * @skb: the packet; gone after this
 *
 * Context: RCU read side, bottom halves off, no lock held.
 */
void vpnpass_send(struct net *net, struct sk_buff *skb)
{
	/* the output functions leave out POSTROUTING for these */
	if (skb->protocol == htons(ETH_P_IP))
		IPCB(skb)->flags |= IPSKB_REROUTED;
	else
		IP6CB(skb)->flags |= IP6SKB_REROUTED;
	dst_output(net, NULL, skb);
}
EXPORT_SYMBOL_GPL(vpnpass_send);
