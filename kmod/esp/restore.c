// SPDX-License-Identifier: GPL-2.0
/*
 * ESP sessions that were saved before a reload: with their SPIs pinned, what
 * the gateway sends first reaches its client from the first packet on. Called
 * by the core for the netlink operation session-restore.
 *
 * A live SPI has precedence: when it leads somewhere, or more likely to another client, it
 * is left as it is.
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
	u32 most, n[IP_CT_DIR_MAX] = {};
	int i, j, err;

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
	most = vpnpass_setting(vn, &esp_proto, ESP_SET_SPIS);
	if (n[IP_CT_DIR_ORIGINAL] <= most && n[IP_CT_DIR_REPLY] <= most)
		return 0;
	NL_SET_ERR_MSG(r->extack, "more SPIs than a session keeps");
	return -E2BIG;
}

/* An SPI that the gateway sends on, unless it leads to another. */
static struct pair_spi *add_in(struct esp_session *es, u32 spi)
{
	struct pair_act act = {};
	struct pair_spi *s = NULL;

	if (pair_restore_in(&es->group->pair, &es->client, spi, vpnpass_now(), &act)) {
		s = list_first_entry(&es->client.in, struct pair_spi, node);
		pair_spi_restored(&es->group->pair, s, &act);
	}
	esp_group_apply(es->group, &act);
	return s;
}

/* Add an SPI that the client sends on, unless it has its pin. */
static struct pair_spi *add_out(struct esp_session *es, u32 spi)
{
	struct pair_out *o = pair_out_find(&es->client, spi) ?: esp_out_new(es, spi);
	struct pair_act act = {};

	if (!o || o->s.pin)
		return NULL;
	pair_spi_restored(&es->group->pair, &o->s, &act);
	esp_group_apply(es->group, &act);
	return &o->s;
}

/* Group lock held. Returns whether the SPI was added. */
static bool add_spi(struct esp_session *es, const struct vpnpass_restore_pin *pin)
{
	struct vpnpass_pin *added;
	struct pair_spi *s;

	esp_spares_fill(es);
	s = pin->dir == IP_CT_DIR_REPLY ? add_in(es, pin->number) : add_out(es, pin->number);
	added = s ? s->pin : NULL;
	if (added)
		WRITE_ONCE(added->last, vpnpass_now() - pin->idle);
	return added;
}

static int add_spis(struct esp_session *es, const struct vpnpass_restore *r)
{
	struct vpnpass_net *vn = es->s.vn;
	struct esp_group *g = es->group;
	int i, n = 0;

	spin_lock_bh(&g->lock);
	if (es->linked)
		esp_group_begin(g);
	for (i = 0; es->linked && i < r->n_pins; i++) {
		struct vpnpass_key key = key_in(r, r->pins[i].number);

		if (r->pins[i].dir == IP_CT_DIR_REPLY && vpnpass_pin_find(vn, &key))
			continue;
		n += add_spi(es, &r->pins[i]);
	}
	spin_unlock_bh(&g->lock);
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
 * esp_restore_session() - begin a session that was saved
 * @vn: netns
 * @r: the session
 *
 * Context: process, vpnpass_mutex, RCU read side.
 * Return: how many SPIs were added, or -errno with extack.
 */
int esp_restore_session(struct vpnpass_net *vn, const struct vpnpass_restore *r)
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
