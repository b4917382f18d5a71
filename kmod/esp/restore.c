// SPDX-License-Identifier: GPL-2.0
/*
 * ESP sessions that were saved before a reload: with their SPIs pinned, what
 * the gateway sends first reaches its client from the first packet on. Called
 * by the core for the netlink operation session-restore.
 *
 * What lives has precedence: an SPI that leads somewhere, or that packets have
 * raised questions about, is left as it is.
 */
#include <linux/netlink.h>
#include <net/netfilter/nf_conntrack_zones.h>

#include "esp.h"

static struct vpnpass_key key_in(const struct vpnpass_restore *r, u32 spi)
{
	return (struct vpnpass_key) {
		.src = r->peer,
		.dst = r->local,
		.number = spi,
		.zone = nf_ct_zone_id(&r->zone, IP_CT_DIR_REPLY),
		.l4proto = IPPROTO_ESP,
		.family = r->family,
		.kind = VPNPASS_KEY_PACKET,
	};
}

static int check_pin(struct vpnpass_net *vn, const struct vpnpass_restore *r,
		     const struct vpnpass_restore_pin *pin)
{
	struct vpnpass_key key = key_in(r, pin->number);

	if (pin->kind != VPNPASS_NUMBER_KIND_SPI) {
		NL_SET_ERR_MSG_ATTR(r->extack, pin->attr, "not an SPI");
		return -EINVAL;
	}
	if (pin->number <= ESP_SPI_RESERVED || pin->number > U32_MAX) {
		NL_SET_ERR_MSG_ATTR(r->extack, pin->attr,
				    "an SPI is above 255 and has 32 bits");
		return -ERANGE;
	}
	if (pin->dir == IP_CT_DIR_REPLY && esp_own_sa(vn, &key, 0)) {
		NL_SET_ERR_MSG_ATTR(r->extack, pin->attr,
				    "the SPI of an SA of the router's own");
		return -EADDRINUSE;
	}
	return 0;
}

/* No SPI twice, and no more of them than a session keeps. */
static int check_pins(struct vpnpass_net *vn, const struct vpnpass_restore *r)
{
	int i, j, err, n[IP_CT_DIR_MAX] = {};

	for (i = 0; i < r->n_pins; i++) {
		err = check_pin(vn, r, &r->pins[i]);
		if (err)
			return err;
		n[r->pins[i].dir]++;
		for (j = 0; j < i; j++) {
			if (r->pins[j].dir != r->pins[i].dir ||
			    r->pins[j].number != r->pins[i].number)
				continue;
			NL_SET_ERR_MSG_ATTR(r->extack, r->pins[i].attr,
					    "an SPI is there twice");
			return -EINVAL;
		}
	}
	if (n[IP_CT_DIR_ORIGINAL] <= PAIR_OUT_SLOTS &&
	    n[IP_CT_DIR_REPLY] <= PAIR_IN_SLOTS)
		return 0;
	NL_SET_ERR_MSG(r->extack, "more SPIs than a session keeps");
	return -E2BIG;
}

/* Group lock held. Returns whether the SPI was added. */
static bool add_spi(struct esp_session *es, const struct vpnpass_restore_pin *pin,
		    struct esp_release *rel)
{
	bool in = pin->dir == IP_CT_DIR_REPLY;
	u32 last = vpnpass_now() - pin->idle;
	struct esp_group *g = es->group;
	struct pair_spi *slot;
	struct pair_act act;

	slot = pair_restore(&g->pair, &es->client, pin->number, in, last, &act);
	if (!slot)
		return false;
	esp_session_refill(es);
	esp_group_apply(g, &act, rel);
	if (slot->priv)
		WRITE_ONCE(((struct vpnpass_pin *)slot->priv)->last, last);
	if (!in)
		esp_session_quote(es, pin->number);
	return slot->priv;
}

static int add_spis(struct esp_session *es, const struct vpnpass_restore *r)
{
	struct vpnpass_net *vn = es->s.vn;
	struct esp_group *g = es->group;
	struct esp_release rel = {};
	int i, n = 0;

	spin_lock_bh(&g->lock);
	if (es->linked)
		esp_group_begin(g);
	for (i = 0; es->linked && i < r->n_pins; i++) {
		struct vpnpass_key key = key_in(r, r->pins[i].number);

		if (r->pins[i].dir == IP_CT_DIR_REPLY && vpnpass_pin_find(vn, &key))
			continue;
		n += add_spi(es, &r->pins[i], &rel);
	}
	spin_unlock_bh(&g->lock);
	esp_release_send(vn, &rel);
	return n;
}

static int say_why_not(const struct vpnpass_restore *r, int err)
{
	if (err == -EDQUOT)
		NL_SET_ERR_MSG(r->extack, "a limit on sessions is reached");
	else if (err == -EEXIST)
		NL_SET_ERR_MSG(r->extack,
			       "the client has a connection that is no session's");
	else if (err == -ESHUTDOWN)
		NL_SET_ERR_MSG(r->extack, "the protocol is not switched on");
	else if (err == -ENOMEM)
		NL_SET_ERR_MSG(r->extack,
			       "no memory, or conntrack's table is full");
	else
		NL_SET_ERR_MSG(r->extack, "cannot make the connection");
	return err;
}

/**
 * esp_restore() - begin a session that was saved
 * @vn: netns
 * @r: the session
 *
 * Context: process, vpnpass_mutex, RCU read side.
 * Return: how many SPIs were added, or -errno with extack.
 */
int esp_restore(struct vpnpass_net *vn, const struct vpnpass_restore *r)
{
	const struct esp_conn conn = {
		.family = r->family,
		.client = r->client,
		.dest = r->dest,
		.peer = r->peer,
		.local = r->local,
		.zone = r->zone,
		.masq_index = r->masq_index,
		.timeout_s = DIV_ROUND_UP(r->lifetime, MSEC_PER_SEC),
	};
	struct esp_session *es;
	bool taken;
	int err;

	err = check_pins(vn, r);
	if (err)
		return err;
	es = esp_session_find(vn, &conn, &taken);
	if (!es)
		es = taken ? ERR_PTR(-EEXIST) : esp_session_make(vn, &conn);
	if (IS_ERR(es))
		return say_why_not(r, PTR_ERR(es));
	if (!nf_inet_addr_cmp(&es->s.local, &r->local) ||
	    !nf_inet_addr_cmp(&es->s.peer, &r->peer)) {
		NL_SET_ERR_MSG(r->extack,
			       "the client's session is translated otherwise by now");
		return -EADDRNOTAVAIL;
	}
	return add_spis(es, r);
}
