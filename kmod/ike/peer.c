// SPDX-License-Identifier: GPL-2.0
/*
 * Gateways: which reply zones their sessions use, and which client may make
 * SAs now. While it is open which ESP SPI belongs to one client, a message of
 * another that makes SAs is dropped for a while; its sender repeats it. Called
 * by session.c and sa.c, ike_net.lock held.
 */
#include <linux/slab.h>

#include "ike.h"

static const struct rhashtable_params peer_params = {
	.head_offset = offsetof(struct ike_peer, node),
	.key_offset = offsetof(struct ike_peer, key),
	.key_len = sizeof(struct ike_addr),
	.min_size = 16,
	.automatic_shrinking = true,
};

int ike_peers_init(struct ike_net *in)
{
	return rhashtable_init(&in->peers, &peer_params);
}

void ike_peers_exit(struct ike_net *in)
{
	rhashtable_destroy(&in->peers);
}

struct ike_peer *ike_peer_find(struct ike_net *in, const union nf_inet_addr *addr,
			       u8 family)
{
	struct ike_addr key = { .addr = *addr, .family = family };

	return rhashtable_lookup_fast(&in->peers, &key, peer_params);
}

/* Returns the peer with a reference for ike_peer_put(), or NULL. */
struct ike_peer *ike_peer_get(struct ike_net *in, const union nf_inet_addr *addr,
			      u8 family)
{
	struct ike_peer *p = ike_peer_find(in, addr, family);

	if (p) {
		p->refs++;
		return p;
	}
	p = kzalloc(sizeof(*p), GFP_ATOMIC | __GFP_NOWARN);
	if (!p)
		return NULL;
	p->key.addr = *addr;
	p->key.family = family;
	p->refs = 1;
	ida_init(&p->zones);
	INIT_LIST_HEAD(&p->sessions);
	if (rhashtable_insert_fast(&in->peers, &p->node, peer_params)) {
		kfree(p);
		return NULL;
	}
	return p;
}

void ike_peer_put(struct ike_net *in, struct ike_peer *p)
{
	if (--p->refs)
		return;
	rhashtable_remove_fast(&in->peers, &p->node, peer_params);
	ida_destroy(&p->zones);
	kfree_rcu(p, rcu);
}

static bool other_is_open(const struct ike_session *is, u32 now)
{
	const struct ike_peer *p = is->peer;
	struct vpnpass_hint hint = {
		.family = is->s.family,
		.client = is->s.client,
		.peer = is->s.peer,
		.local = is->s.local,
	};

	if (p->opener && p->opener != is && (s32)(p->open_until - now) > 0)
		return true;
	return vpnpass_busy(is->s.vn, &hint);
}

/*
 * Has this message of the client's to wait? Then it is to be dropped. An IKE SA
 * that is rekeyed by itself looks as if it made ESP SAs (RFC 7296 section 1.3.2):
 * it waits, too, and what it opens is over with open_until and the ESP helper's
 * window.
 */
bool ike_gate(struct ike_sa *sa, const struct ike_msg *m, u32 now)
{
	struct ike_session *is = sa->is;
	struct vpnpass_net *vn = is->s.vn;

	if (list_is_singular(&is->peer->sessions) ||
	    !vpnpass_setting(vn, &ike_proto, IKE_SET_GATE) ||
	    !ike_begins_child(&sa->st, IKE_DIR_OUT, m))
		return false;
	if (!other_is_open(is, now) ||
	    (sa->gated && now - sa->gated_at >=
			  vpnpass_setting(vn, &ike_proto, IKE_SET_GATE_TIME))) {
		sa->gated = false;
		return false;
	}
	if (!sa->gated)
		sa->gated_at = now;
	sa->gated = true;
	vpnpass_count(vn, &ike_proto, IKE_CNT_GATED);
	return true;
}

/* A message went through; @ev says what it meant. */
void ike_gate_passed(struct ike_session *is, u32 ev, u32 now)
{
	struct ike_peer *p = is->peer;

	if (ev & IKE_EV_BEGIN) {
		p->opener = is;
		p->open_until = now + vpnpass_setting(is->s.vn, &ike_proto,
						      IKE_SET_GATE_TIME);
	}
	if (!(ev & IKE_EV_CHILD))
		return;
	/* From here on the ESP helper knows whether it is decided. */
	if (p->opener == is)
		p->opener = NULL;
	/* A rekeyed IKE SA shows up with SPIs that nobody saw agreed on. */
	if (is->linked)
		list_move(&is->node, &p->sessions);
}
