// SPDX-License-Identifier: GPL-2.0
/*
 * Security associations of the router's own: their packets are nobody else's. An SA is
 * known by its SPI, destination address and protocol (RFC 4301 4.1). The kernel's lookup
 * wants the SA's mark as well (VTI, strongSwan's mark=), which the packet gets only
 * later.
 */
#include <net/xfrm.h>

#include "esp.h"

#define OWN_SEARCH_MS	10	/* between searches that find nothing: each takes xfrm's lock */
#define OWN_FOUND_MS	1000	/* for how long an SA that was found is not searched for */

#ifdef CONFIG_XFRM
static bool has_unmarked(const struct vpnpass_net *vn, const struct vpnpass_key *key,
			 u32 mark)
{
	struct xfrm_state *x;

	x = xfrm_state_lookup(vn->net, mark, (const xfrm_address_t *)&key->dst,
			      htonl((u32)key->number), IPPROTO_ESP, key->family);
	if (x)
		xfrm_state_put(x);
	return x;
}

static int is_that(struct xfrm_state *x, int n, void *arg)
{
	const struct vpnpass_key *key = arg;

	return x->id.spi == htonl((u32)key->number) && x->props.family == key->family &&
	       xfrm_addr_equal(&x->id.daddr, (const xfrm_address_t *)&key->dst, key->family);
}

static int is_from(struct xfrm_state *x, int n, void *arg)
{
	const struct vpnpass_key *key = arg;

	return x->props.family == key->family &&
	       xfrm_addr_equal(&x->props.saddr, (const xfrm_address_t *)&key->src, key->family);
}

static bool search(const struct vpnpass_net *vn, const struct vpnpass_key *key,
		   int (*is)(struct xfrm_state *x, int n, void *arg))
{
	struct xfrm_state_walk walk;
	int found;

	xfrm_state_walk_init(&walk, IPPROTO_ESP, NULL);
	/* -ENOENT when there are no SAs at all */
	found = xfrm_state_walk(vn->net, &walk, is, (void *)key);
	xfrm_state_walk_done(&walk, vn->net);
	return found > 0;
}

static bool has_marked(struct vpnpass_net *vn, const struct vpnpass_key *key)
{
	struct esp_net *en = vpnpass_net_priv(vn, &esp_proto);
	struct esp_own_sas *own = &en->own;
	u32 now = vpnpass_now(), spi = key->number;
	typeof(own->found[0]) *f = &own->found[spi % ESP_OWN_SAS];
	bool mine;

	spin_lock_bh(&own->lock);
	mine = f->spi == spi && nf_inet_addr_cmp(&f->dst, &key->dst) &&
	       now - f->found_at < OWN_FOUND_MS;
	if (!mine && now - own->searched_at >= OWN_SEARCH_MS) {
		mine = search(vn, key, is_that);
		if (mine) {
			f->dst = key->dst;
			f->spi = spi;
			f->found_at = now;
		} else {
			own->searched_at = now;
		}
	}
	spin_unlock_bh(&own->lock);
	return mine;
}

static bool has_peer(struct vpnpass_net *vn, const struct vpnpass_key *key)
{
	struct esp_net *en = vpnpass_net_priv(vn, &esp_proto);
	struct esp_own_sas *own = &en->own;
	u32 now = vpnpass_now();
	bool is_peer;

	spin_lock_bh(&own->lock);
	if (!nf_inet_addr_cmp(&own->peer, &key->src) || now - own->peer_at >= OWN_FOUND_MS) {
		own->peer = key->src;
		own->peer_at = now;
		own->is_peer = search(vn, key, is_from);
	}
	is_peer = own->is_peer;
	spin_unlock_bh(&own->lock);
	return is_peer;
}
#endif

/**
 * esp_own_sa() - is a packet for an SA of the router's own?
 * @vn: netns
 * @key: the packet's
 * @mark: the packet's
 *
 * Context: softirq, RCU read side. Called for packets of no pin, from peers that
 * clients use, too.
 */
bool esp_own_sa(struct vpnpass_net *vn, const struct vpnpass_key *key, u32 mark)
{
#ifdef CONFIG_XFRM
	return has_unmarked(vn, key, mark) || has_marked(vn, key);
#else
	return false;
#endif
}

/**
 * esp_own_peer() - does the router have SAs in the kernel from a packet's source?
 * @vn: netns
 * @key: the packet's
 *
 * If so, ESP between the two of them is by these SAs, and what is for none of them is
 * not the router's.
 *
 * Context: softirq, RCU read side. Called for packets of no pin of a flow that conntrack
 * knows as the router's own or as led to a server inside.
 */
bool esp_own_peer(struct vpnpass_net *vn, const struct vpnpass_key *key)
{
#ifdef CONFIG_XFRM
	return has_peer(vn, key);
#else
	return false;
#endif
}
