// SPDX-License-Identifier: GPL-2.0
/*
 * Pins of a session: its flow by ports, and the IDs that its two ends have
 * given each other. An ID is chosen by its receiver (RFC 2661 3.1, RFC 3931
 * 4.1), so that one which comes in names a client, but two clients may have
 * chosen the same.
 */
#include "l2tp.h"

/* The conntrack zone in which packets of one direction arrive. */
static u16 arrival_zone(const struct l2tp_session *ls, enum ip_conntrack_dir dir)
{
	if (nf_ct_zone(ls->s.ct)->flags & VPNPASS_ZONE_OURS)
		return NF_CT_DEFAULT_ZONE_ID;
	return nf_ct_zone_id(nf_ct_zone(ls->s.ct), dir);
}

/**
 * l2tp_pin_find() - the pin for one number of a packet, in any zone it may be in
 * @vn: netns
 * @pkt: the packet; its key is used and changed
 * @kind: L2TP_KEY_*
 * @number: L2TP_NUMBER(), or the ID over IP
 *
 * Context: softirq, RCU read side.
 * Return: the pin or NULL.
 */
struct vpnpass_pin *l2tp_pin_find(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
				  u8 kind, u64 number)
{
	pkt->key.kind = kind;
	pkt->key.number = number;
	return vpnpass_pin_find_arriving(vn, pkt->skb, &pkt->key);
}

static struct vpnpass_key flow_key(const struct l2tp_session *ls,
				   enum ip_conntrack_dir dir)
{
	const struct nf_conntrack_tuple *t = l2tp_tuple(ls, dir);

	return (struct vpnpass_key) {
		.src = t->src.u3,
		.dst = t->dst.u3,
		.number = L2TP_NUMBER(ntohs(t->src.u.udp.port),
				      ntohs(t->dst.u.udp.port), 0),
		.zone = arrival_zone(ls, dir),
		.l4proto = t->dst.protonum,
		.family = ls->s.family,
		.kind = L2TP_KEY_TUNNEL,
	};
}

/* Over UDP, what comes in is found by its ID whatever port it comes from: only
 * so can an answer from another port be recognised.
 */
static struct vpnpass_key id_key(const struct l2tp_session *ls,
				 enum ip_conntrack_dir dir, u8 kind, u32 id)
{
	struct vpnpass_key key = flow_key(ls, dir);
	const struct nf_conntrack_tuple *t = l2tp_tuple(ls, dir);

	if (!ls->udp)
		key.number = id;
	else if (dir == IP_CT_DIR_REPLY)
		key.number = L2TP_NUMBER(0, ntohs(t->dst.u.udp.port), id);
	else
		key.number |= id;
	key.kind = kind;
	return key;
}

static int pin_put(struct l2tp_session *ls, const struct vpnpass_key *key,
		   enum ip_conntrack_dir dir, struct vpnpass_pin *pin,
		   u8 number_kind)
{
	int err = vpnpass_pin_put(&ls->s, pin, key, dir, number_kind);

	if (err)
		l2tp_count(ls->s.vn, L2TP_CNT_PIN_FAILED);
	return err;
}

/**
 * l2tp_pin_hidden() - a pin that users are not shown
 * @ls: the session
 * @key: of the pin
 * @dir: direction of the packets
 *
 * Return: the pin or NULL.
 */
struct vpnpass_pin *l2tp_pin_hidden(struct l2tp_session *ls,
				    const struct vpnpass_key *key,
				    enum ip_conntrack_dir dir)
{
	struct vpnpass_pin *pin = vpnpass_pin_alloc(ls->s.vn);

	return pin_put(ls, key, dir, pin, VPNPASS_NUMBER_HIDDEN) ? NULL : pin;
}

/* Packets of one direction, by their ports. A user is shown IDs instead. */
void l2tp_flow_pin(struct l2tp_session *ls, enum ip_conntrack_dir dir)
{
	struct vpnpass_key key = flow_key(ls, dir);

	lockdep_assert_held(&l2tp_net(ls->s.vn)->lock);
	l2tp_pin_hidden(ls, &key, dir);
}

static bool is_own_tunnel(const struct vpnpass_pin *pin)
{
	return pin->dir == IP_CT_DIR_REPLY &&
	       pin->number_kind == VPNPASS_NUMBER_KIND_TUNNEL_ID;
}

static void id_drop(struct l2tp_session *ls, struct vpnpass_pin *pin)
{
	ls->n_tunnels -= is_own_tunnel(pin);
	ls->n_ids--;
	vpnpass_pin_del(pin);
}

/**
 * l2tp_id_rival() - the session that stands in the way of a client's ID
 * @vn: netns
 * @key: what packets with the ID would be found by
 * @client: the client
 *
 * One that is closing, or an earlier one of the same client, gives it up.
 * Return: the session, or NULL: the ID is free.
 */
struct l2tp_session *l2tp_id_rival(struct vpnpass_net *vn,
				   const struct vpnpass_key *key,
				   const union nf_inet_addr *client)
{
	struct vpnpass_pin *pin = vpnpass_pin_find(vn, key);
	struct l2tp_session *owner;

	lockdep_assert_held(&l2tp_net(vn)->lock);
	if (!pin)
		return NULL;
	owner = l2tp_session(pin->session);
	if (owner->linked && (owner->state == L2TP_STATE_CLOSING ||
			      nf_inet_addr_cmp(&owner->s.client, client))) {
		id_drop(owner, pin);
		return NULL;
	}
	return owner;
}

/* Errors about packets that others send alike are told apart by the ID. */
static void id_quote(struct l2tp_session *ls, struct vpnpass_pin *pin)
{
	const struct nf_conntrack_tuple *reply = l2tp_tuple(ls, IP_CT_DIR_REPLY);
	struct vpnpass_key key = pin->key;

	if (ls->udp && !ls->keep)
		return;
	key.src = reply->dst.u3;
	key.dst = reply->src.u3;
	key.kind |= VPNPASS_KEY_QUOTE;
	key.zone = arrival_zone(ls, IP_CT_DIR_REPLY);
	pin->quote = l2tp_pin_hidden(ls, &key, IP_CT_DIR_ORIGINAL);
}

/**
 * l2tp_claim_key() - by which a port-keeping client's ID is looked for before
 * it is known from which address the router will send
 * @peer: the server
 * @family: of the address
 * @kind: L2TP_KEY_TUNNEL or L2TP_KEY_CCID
 * @id: the client's
 */
struct vpnpass_key l2tp_claim_key(const union nf_inet_addr *peer, u8 family,
				  u8 kind, u32 id)
{
	return (struct vpnpass_key) {
		.src = *peer,
		.number = L2TP_NUMBER(0, L2TP_UDP_PORT, id),
		.l4proto = IPPROTO_UDP,
		.family = family,
		.kind = kind,
	};
}

/* The claim goes with the pin as a quote would, which it cannot have as well. */
static void id_claim(struct l2tp_session *ls, struct vpnpass_pin *pin, u32 id)
{
	struct vpnpass_key key;

	if (!ls->keep)
		return;
	key = l2tp_claim_key(&ls->s.peer, ls->s.family, pin->key.kind, id);
	pin->quote = l2tp_pin_hidden(ls, &key, IP_CT_DIR_REPLY);
}

/* The session's own spare is for what the server brings up: see l2tp_ip_miss(). */
static struct vpnpass_pin *pin_of(struct l2tp_session *ls,
				  enum ip_conntrack_dir dir)
{
	struct vpnpass_pin *pin = ls->spare;

	if (dir != IP_CT_DIR_REPLY || !pin)
		return vpnpass_pin_alloc(ls->s.vn);
	ls->spare = NULL;
	return pin;
}

static bool id_room(struct l2tp_session *ls)
{
	struct vpnpass_net *vn = ls->s.vn;

	if (ls->n_ids < vpnpass_setting(vn, &l2tp_proto, L2TP_SET_MAX_IDS))
		return true;
	l2tp_count(vn, L2TP_CNT_LIMIT_IDS);
	return false;
}

/**
 * l2tp_id_add() - packets with an ID belong to a session
 * @ls: the session
 * @dir: direction of the packets
 * @kind: L2TP_KEY_*
 * @id: the ID, not 0
 *
 * Context: RCU read side, l2tp_net.lock held.
 * Return: 0, also when it was known; -EEXIST when another client has it,
 * -EDQUOT, -ENOMEM.
 */
int l2tp_id_add(struct l2tp_session *ls, enum ip_conntrack_dir dir, u8 kind,
		u32 id)
{
	struct vpnpass_key key = id_key(ls, dir, kind, id);
	struct l2tp_session *rival;
	struct vpnpass_pin *pin;
	int err;

	lockdep_assert_held(&l2tp_net(ls->s.vn)->lock);
	pin = vpnpass_pin_find(ls->s.vn, &key);
	if (pin && pin->session == &ls->s) {
		WRITE_ONCE(pin->last, vpnpass_now());
		return 0;
	}
	rival = l2tp_id_rival(ls->s.vn, &key, &ls->s.client);
	if (rival) {
		vpnpass_tell_conflict(&rival->s, L2TP_CNT_CONFLICT,
				      "another client has given itself the same ID");
		return -EEXIST;
	}
	if (!id_room(ls))
		return -EDQUOT;
	pin = pin_of(ls, dir);
	err = pin_put(ls, &key, dir, pin, kind == L2TP_KEY_SESSION ?
		      VPNPASS_NUMBER_KIND_SESSION_ID :
		      VPNPASS_NUMBER_KIND_TUNNEL_ID);
	if (err)
		return err;
	ls->n_ids++;
	ls->n_tunnels += is_own_tunnel(pin);
	if (dir == IP_CT_DIR_ORIGINAL) {
		id_quote(ls, pin);
		return 0;
	}
	id_claim(ls, pin, id);
	vpnpass_event_pin(&ls->s, VPNPASS_EVENT_TYPE_PINNED, pin, NULL);
	return 0;
}

/* An ID was given up. */
void l2tp_id_del(struct l2tp_session *ls, enum ip_conntrack_dir dir, u8 kind,
		 u32 id)
{
	struct vpnpass_key key = id_key(ls, dir, kind, id);
	struct vpnpass_pin *pin = vpnpass_pin_find(ls->s.vn, &key);

	lockdep_assert_held(&l2tp_net(ls->s.vn)->lock);
	if (pin && pin->session == &ls->s)
		id_drop(ls, pin);
}

/* Is this an ID of the client's own? */
bool l2tp_id_has(const struct l2tp_session *ls, u8 kind, u32 id)
{
	struct vpnpass_key key = id_key(ls, IP_CT_DIR_REPLY, kind, id);
	struct vpnpass_pin *pin = vpnpass_pin_find(ls->s.vn, &key);

	return pin && pin->session == &ls->s;
}

/**
 * l2tp_id_found() - it was found out which ID a client has given itself
 * @ls: its session, over IP
 * @id: the session ID
 *
 * Context: because of a packet from outside: with the spare pin or not at all.
 * Return: whether it has its pin.
 */
bool l2tp_id_found(struct l2tp_session *ls, u32 id)
{
	if (!ls->spare || l2tp_id_add(ls, IP_CT_DIR_REPLY, L2TP_KEY_SESSION, id))
		return false;
	l2tp_count(ls->s.vn, L2TP_CNT_PAIRED);
	return true;
}

/* When was an ID last used that was found? False when it has no pin. */
bool l2tp_id_last(const struct l2tp_session *ls, u32 id, u32 *last)
{
	struct vpnpass_key key = id_key(ls, IP_CT_DIR_REPLY, L2TP_KEY_SESSION, id);
	struct vpnpass_pin *pin = vpnpass_pin_find(ls->s.vn, &key);

	if (!pin || pin->session != &ls->s)
		return false;
	*last = READ_ONCE(pin->last);
	return true;
}

/* By which a frame for an address in a client's LAN is looked for. */
struct vpnpass_key l2tp_address_key(const struct l2tp_session *ls, u64 address)
{
	struct vpnpass_key key = id_key(ls, IP_CT_DIR_REPLY, L2TP_KEY_ADDRESS, 0);

	key.number = address;
	return key;
}
