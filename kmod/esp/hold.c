// SPDX-License-Identifier: GPL-2.0
/*
 * The first packets of a client whose turn to be paired has not come: taken
 * off POSTROUTING, after all of its rules, and sent on when esp/pair.c says so.
 */
#include <linux/netdevice.h>
#include <net/dst.h>

#include "esp.h"

/* Keep a packet. False when there is no room: it is the caller's to drop. */
bool esp_hold(struct esp_session *es, struct vpnpass_pkt *pkt)
{
	struct sk_buff *skb = pkt->skb;

	if (es->n_held == ESP_HELD || !vpnpass_keep(pkt))
		return false;
	if (!es->n_held) {
		es->held_since = vpnpass_now();
		list_add_tail(&es->holding, &es->group->holding);
	}
	es->held[es->n_held++] = skb;
	dev_hold(skb->dev);
	return true;
}

/* Hand over the packets of one client, in order. */
void esp_hold_release(struct esp_session *es, struct esp_release *rel)
{
	if (!es->n_held)
		return;
	memcpy(rel->held, es->held, sizeof(es->held[0]) * es->n_held);
	rel->n = es->n_held;
	es->n_held = 0;
	list_del_init(&es->holding);
}

void esp_hold_drop(struct esp_session *es)
{
	int i;

	if (!es->n_held)
		return;
	for (i = 0; i < es->n_held; i++) {
		dev_put(es->held[i]->dev);
		kfree_skb(es->held[i]);
		vpnpass_count(es->s.vn, &esp_proto, ESP_CNT_HELD_DROPPED);
	}
	es->n_held = 0;
	list_del_init(&es->holding);
}

/* A device that goes must not wait for the packets that were to leave by it. */
void esp_hold_drop_dev(struct esp_session *es, const struct net_device *dev)
{
	int i;

	for (i = 0; i < es->n_held; i++) {
		if (es->held[i]->dev == dev) {
			esp_hold_drop(es);
			return;
		}
	}
}

/* Send what esp_hold_release() handed over. Context: any, no lock held. The
 * devices are held, so the netns is there for as long as there are packets.
 */
void esp_release_send(struct vpnpass_net *vn, struct esp_release *rel)
{
	int i;

	if (!rel->n)
		return;
	local_bh_disable();
	rcu_read_lock();
	for (i = 0; i < rel->n; i++) {
		struct sk_buff *skb = rel->held[i];
		struct net_device *dev = skb->dev;

		vpnpass_send(vn->net, skb);
		dev_put(dev);
	}
	rcu_read_unlock();
	local_bh_enable();
}
