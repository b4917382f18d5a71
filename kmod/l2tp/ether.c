// SPDX-License-Identifier: GPL-2.0
/*
 * L2TPv3 over IP without a control connection, with Ethernet in it ("ip l2tp"):
 * a frame that a client sends has its LAN's address for source, and what
 * answers it has that for destination. So the server's session ID is found by
 * the first frame that is for one host, whoever else sends meanwhile.
 *
 * Addresses have pins as IDs have, which users are not shown. All of it is under
 * l2tp_net.lock.
 */
#include <linux/slab.h>

#include "frame.h"
#include "ip.h"

/* An address tells only as long as the server's bridges would, too, know it. */
#define FRESH		30000	/* ms */
#define ADDRESSES	8

/* vpnpass_pin.nat_number of an address */
#define ANSWERED	1	/* the client's ID was found by it */
#define SHARED		2	/* two clients have it: it tells nothing */

/* Addresses that a client was last seen to send from, and on which ID. */
struct l2tp_ether {
	u8 next;
	struct {
		struct vpnpass_pin *pin;
		u32 id;
	} at[ADDRESSES];
};

static bool fresh(const struct vpnpass_pin *pin)
{
	return vpnpass_now() - READ_ONCE(pin->last) < FRESH;
}

static void drop(struct l2tp_session *ls, int i)
{
	if (ls->ether->at[i].pin)
		vpnpass_pin_del(ls->ether->at[i].pin);
	ls->ether->at[i].pin = NULL;
}

/* The place of a pin, or one for a new pin. */
static int slot(struct l2tp_session *ls, const struct vpnpass_pin *pin)
{
	int i;

	for (i = 0; i < ADDRESSES; i++)
		if (ls->ether->at[i].pin == pin)
			return i;
	i = ls->ether->next++ % ADDRESSES;
	drop(ls, i);
	return i;
}

/* Another client has the address. Is it still in use there? */
static bool shared(struct vpnpass_pin *pin)
{
	struct l2tp_session *owner = l2tp_session(pin->session);

	if (!owner->linked)
		return true;
	if (fresh(pin)) {
		pin->nat_number = SHARED;
		return true;
	}
	drop(owner, slot(owner, pin));
	return false;
}

static struct vpnpass_pin *learn_new(struct l2tp_session *ls,
				     const struct vpnpass_key *key)
{
	struct vpnpass_pin *pin;
	int i;

	if (!ls->ether)
		ls->ether = vpnpass_alloc_zeroed(ls->s.vn, sizeof(*ls->ether));
	if (!ls->ether)
		return NULL;
	i = slot(ls, NULL);
	pin = l2tp_pin_hidden(ls, key, IP_CT_DIR_REPLY);
	ls->ether->at[i].pin = pin;
	return pin;
}

/* Return: the pin of an address that is this client's alone, or NULL. */
static struct vpnpass_pin *learn(struct l2tp_session *ls, u64 address, u32 id)
{
	struct vpnpass_key key = l2tp_address_key(ls, address);
	struct vpnpass_pin *pin = vpnpass_pin_find(ls->s.vn, &key);

	if (pin && pin->session != &ls->s) {
		if (shared(pin))
			return NULL;
		pin = NULL;
	}
	if (!pin)
		pin = learn_new(ls, &key);
	if (!pin)
		return NULL;
	if (pin->nat_number == SHARED && !fresh(pin))
		pin->nat_number = 0;
	WRITE_ONCE(pin->last, vpnpass_now());
	ls->ether->at[slot(ls, pin)].id = id;
	return pin->nat_number == SHARED ? NULL : pin;
}

static const u8 *frame_data(const struct vpnpass_pkt *pkt, u8 *buf, u32 *cap)
{
	*cap = min_t(u32, pkt->skb->len - pkt->thoff, L2TP_FRAME_WANTED);
	return skb_header_pointer(pkt->skb, pkt->thoff, *cap, buf);
}

/* Was the client's ID found by an address that sends on this one of the server's? Frames of a
 * host that appears there later prove nothing any more, as the ID is known by then.
 */
static bool is_answered(const struct l2tp_session *ls, u32 id)
{
	int i;

	for (i = 0; i < ADDRESSES; i++)
		if (ls->ether->at[i].pin && ls->ether->at[i].id == id &&
		    ls->ether->at[i].pin->nat_number == ANSWERED)
			return true;
	return false;
}

/**
 * l2tp_ether_out() - a client's data go out on an ID that has no pin
 * @ls: its session
 * @pkt: the packet
 * @id: the server's session ID
 *
 * Return: whether an answer will be known by an address in it.
 */
bool l2tp_ether_out(struct l2tp_session *ls, const struct vpnpass_pkt *pkt,
		    u32 id)
{
	u8 buf[L2TP_FRAME_WANTED];
	struct vpnpass_pin *pin;
	bool known = false;
	const u8 *p;
	u32 cap, at;

	lockdep_assert_held(&l2tp_net(ls->s.vn)->lock);
	p = frame_data(pkt, buf, &cap);
	if (!p)
		return false;
	for (at = 0; (at = l2tp_frame_next(p, cap, at));) {
		pin = learn(ls, l2tp_frame_address(p + at + L2TP_FRAME_SRC), id);
		if (!pin)
			continue;
		known = true;
		if (is_answered(ls, id))
			l2tp_id_add(ls, IP_CT_DIR_ORIGINAL, L2TP_KEY_SESSION, id);
	}
	return known;
}

static struct vpnpass_pin *address_find(struct vpnpass_net *vn,
					struct vpnpass_pkt *pkt, u64 address)
{
	struct vpnpass_pin *pin;

	if (!address)
		return NULL;
	pin = l2tp_pin_find(vn, pkt, L2TP_KEY_ADDRESS, address);
	if (!pin || pin->nat_number == SHARED || !fresh(pin) ||
	    !l2tp_session(pin->session)->linked)
		return NULL;
	return pin;
}

/**
 * l2tp_ether_in() - a server's data come in on an ID that has no pin
 * @vn: netns
 * @pkt: the packet; its key is used and changed
 * @id: the ID, which gets its pin when a frame tells whose it is
 *
 * Return: the session or NULL.
 */
struct l2tp_session *l2tp_ether_in(struct vpnpass_net *vn,
				   struct vpnpass_pkt *pkt, u32 id)
{
	struct vpnpass_pin *pin, *found = NULL;
	u8 buf[L2TP_FRAME_WANTED];
	struct l2tp_session *ls;
	const u8 *p;
	u32 cap, at;

	lockdep_assert_held(&l2tp_net(vn)->lock);
	p = frame_data(pkt, buf, &cap);
	if (!p)
		return NULL;
	for (at = 0; (at = l2tp_frame_next(p, cap, at));) {
		pin = address_find(vn, pkt,
				   l2tp_frame_address(p + at + L2TP_FRAME_DST));
		if (pin && found && pin->session != found->session)
			return NULL;
		if (pin)
			found = pin;
	}
	if (!found)
		return NULL;
	ls = l2tp_session(found->session);
	found->nat_number = ANSWERED;
	l2tp_id_found(ls, id);
	return ls;
}

/* Have frames that pass unread be read again. */
void l2tp_ether_ask_anew(struct l2tp_session *ls)
{
	int i;

	for (i = 0; ls->ether && i < ADDRESSES; i++)
		if (ls->ether->at[i].pin)
			l2tp_id_del(ls, IP_CT_DIR_ORIGINAL, L2TP_KEY_SESSION,
				    ls->ether->at[i].id);
}
