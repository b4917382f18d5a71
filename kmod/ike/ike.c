// SPDX-License-Identifier: GPL-2.0
/*
 * IKE on UDP port 500 (RFC 2408, RFC 7296): the helper's face to the core.
 * Every message is read, so that none is handed to the core's pinned path:
 * number() has none to give, and miss() looks for the pin itself.
 */
#include "ike.h"

static int ike_number(struct vpnpass_pkt *pkt)
{
	return -ENOENT;
}

/*
 * A message whose SPI has a pin, NULL when it cannot be read: the number decides who
 * gets it, what it says only what is learnt. False when its connection has gone.
 */
static bool ike_pinned(struct vpnpass_pkt *pkt, const struct vpnpass_pin *pin,
		       const struct ike_msg *m, unsigned int *verdict)
{
	struct ike_session *is = ike_session(pin->session);
	enum ike_pass pass = IKE_PASS;

	*verdict = NF_DROP;
	if (m)
		pass = ike_sa_message(is, ike_dir(pin->dir), m, pkt);
	if (pass == IKE_DROP)
		return true;
	if (!vpnpass_attach(&is->s, pkt->skb, pin->dir))
		return false;
	ike_session_timeout(is);
	pkt->done = pass == IKE_PASS;
	*verdict = NF_ACCEPT;
	return true;
}

/* The pin of a message: by the initiator's SPI, or by the responder's alone. */
static struct vpnpass_pin *ike_pin_of(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
				      const struct ike_peek *p)
{
	struct vpnpass_pin *pin;

	pkt->key.kind = IKE_KEY_KIND;
	pkt->key.number = p->ispi;
	pin = vpnpass_pin_find(vn, &pkt->key);
	if (likely(pin) || !p->rspi)
		return pin;
	pkt->key.number = p->rspi;
	pin = vpnpass_pin_find(vn, &pkt->key);
	if (pin)
		vpnpass_count(vn, &ike_proto, IKE_CNT_BY_RSPI);
	return pin;
}

/* A message that has to be read, with its pin if there is one. */
static noinline unsigned int ike_read_miss(struct vpnpass_net *vn,
					   struct vpnpass_pkt *pkt,
					   const struct vpnpass_pin *pin, u64 ispi)
{
	const struct ike_msg *m = NULL;
	struct ike_datagram d;
	unsigned int verdict;

	if (ike_read(pkt, IKE_PORT_500, &d) && d.m.cls == IKE_CLASS_IKE)
		m = &d.m;
	else
		vpnpass_count(vn, &ike_proto, VPNPASS_CNT_MALFORMED);
	if (pin && ike_pinned(pkt, pin, m, &verdict))
		return verdict;
	if (pkt->state->hook != NF_INET_PRE_ROUTING)
		return NF_ACCEPT;
	if (ike_peer_find(ike_net(vn), &pkt->key.src, &pkt->key.dst, pkt->key.family))
		ike_inbound(vn, pkt, m);
	else
		ike_flow_check(vn, pkt, ispi);
	return NF_ACCEPT;
}

static unsigned int ike_miss(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
			     int err)
{
	struct vpnpass_pin *pin;
	unsigned int verdict;
	struct ike_peek p;

	/* With a template of the administrator's, his zones rule. */
	if (skb_nfct(pkt->skb))
		return NF_ACCEPT;
	if (!ike_peek(pkt, &p)) {
		vpnpass_count(vn, &ike_proto, VPNPASS_CNT_MALFORMED);
		return NF_ACCEPT;
	}
	/* Flows with another port are told apart by it. */
	if (p.sport != IKE_UDP_PORT || p.dport != IKE_UDP_PORT || !p.valid)
		return NF_ACCEPT;

	pin = ike_pin_of(vn, pkt, &p);
	if (pin && ike_sa_quiet(ike_session(pin->session), ike_dir(pin->dir), &p) &&
	    ike_pinned(pkt, pin, NULL, &verdict))
		return verdict;
	return ike_read_miss(vn, pkt, pin, p.ispi);
}

static bool is_ike_flow(const struct nf_conn *ct)
{
	return nf_ct_protonum(ct) == IPPROTO_UDP &&
	       ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple.dst.u.udp.port ==
	       htons(IKE_UDP_PORT);
}

/* May a session begin with this packet? */
static bool ike_begins(const struct nf_conn *ct, enum ip_conntrack_dir dir,
		       const struct ike_datagram *d)
{
	return dir == IP_CT_DIR_ORIGINAL && test_bit(IPS_SRC_NAT_BIT, &ct->status) &&
	       d->m.cls == IKE_CLASS_IKE;
}

/* Is the entry, which conntrack knows, in a reply zone as our own are? */
static bool ike_was_ours(const struct nf_conn *ct)
{
	const struct nf_conntrack_tuple *t = &ct->tuplehash[IP_CT_DIR_REPLY].tuple;
	const struct nf_conntrack_zone *zone = nf_ct_zone(ct);

	return zone->dir == NF_CT_ZONE_DIR_REPL && zone->id &&
	       zone->id <= IKE_ZONE_MAX && t->src.u.udp.port == htons(IKE_UDP_PORT) &&
	       t->dst.u.udp.port == htons(IKE_UDP_PORT);
}

/* The session of a packet that leaves; without one, NULL and a verdict. */
static struct ike_session *ike_session_of(struct vpnpass_net *vn,
					  struct vpnpass_pkt *pkt,
					  const struct ike_datagram *d,
					  unsigned int *verdict)
{
	enum ip_conntrack_info ctinfo;
	struct vpnpass_session *s;
	struct nf_conn *ct;

	*verdict = NF_ACCEPT;
	ct = nf_ct_get(pkt->skb, &ctinfo);
	s = vpnpass_session_by_ct(vn, &ike_proto, ct);
	if (s)
		return ike_session(s);
	if (!ike_begins(ct, CTINFO2DIR(ctinfo), d)) {
		if (!nf_ct_is_confirmed(ct))
			ike_flow_plain(ct);
		return NULL;
	}
	if (!nf_ct_is_confirmed(ct))
		return ike_session_begin(vn, pkt, d->m.ispi, verdict);
	return ike_was_ours(ct) ? ike_session_adopt(vn, ct) : NULL;
}

static unsigned int ike_post(struct vpnpass_net *vn, struct vpnpass_pkt *pkt)
{
	enum ip_conntrack_info ctinfo;
	enum ip_conntrack_dir dir;
	struct ike_session *is;
	struct ike_datagram d;
	unsigned int verdict;
	struct nf_conn *ct;

	ct = nf_ct_get(pkt->skb, &ctinfo);
	dir = CTINFO2DIR(ctinfo);
	if (!is_ike_flow(ct) || !ike_read(pkt, IKE_PORT_500, &d))
		return NF_ACCEPT;
	is = ike_session_of(vn, pkt, &d, &verdict);
	if (!is)
		return verdict;
	vpnpass_session_seen(&is->s);
	if (d.m.cls != IKE_CLASS_IKE)
		return NF_ACCEPT;
	switch (ike_sa_message(is, ike_dir(dir), &d.m, pkt)) {
	case IKE_DROP:
		return NF_DROP;
	case IKE_HELD:
		return NF_STOLEN;
	default:
		return NF_ACCEPT;
	}
}

static int ike_net_init(struct vpnpass_net *vn)
{
	struct ike_net *in = ike_net(vn);
	int err;

	in->vn = vn;
	spin_lock_init(&in->lock);
	INIT_LIST_HEAD(&in->half);
	ike_gates_init(in);
	ike_chains_init(in);
	err = ike_peers_init(in);
	if (err)
		return err;
	err = ike_clients_init(in);
	if (err)
		ike_peers_exit(in);
	return err;
}

static void ike_net_exit(struct vpnpass_net *vn)
{
	struct ike_net *in = ike_net(vn);

	ike_chains_exit(in);
	ike_gates_exit(in);
	ike_clients_exit(in);
	ike_peers_exit(in);
}

static const struct vpnpass_match ike_match[] = {
	{ .l4proto = IPPROTO_UDP, .port = IKE_UDP_PORT },
};

/* The timeout is that of a quiet SA whose child SAs are at work. */
static const struct vpnpass_setting ike_settings[] = {
	VPNPASS_COMMON_SETTINGS(14400),
	[IKE_SET_HALF_OPEN_TIME] = { "half_open_timeout", "s", 1, 3600, 60 },
	[IKE_SET_MAX_HALF_OPEN] = { "max_half_open", "SAs", 1, 1000000, 4096 },
	[IKE_SET_MAX_HALF_OPEN_CLIENT] = { "max_half_open_client", "SAs", 1, 65535, 64 },
	[IKE_SET_MAX_SAS] = { "max_sas", "SAs", 8, 4096, 32 },
	[IKE_SET_GATE] = { "gate", "", 0, 1, 1 },
	[IKE_SET_GATE_TIME] = { "gate_time", "ms", 10, 120000, 60000 },
};

static const char *const ike_counters[] = {
	VPNPASS_COMMON_COUNTERS,
	[IKE_CNT_ESTABLISHED] = "established",
	[IKE_CNT_CHILDREN] = "children",
	[IKE_CNT_ADOPTED] = "adopted",
	[IKE_CNT_MOVED_NATT] = "moved_natt",
	[IKE_CNT_GATED] = "gated",
	[IKE_CNT_GATE_DROPPED] = "gate_dropped",
	[IKE_CNT_CONFLICT] = "conflict",
	[IKE_CNT_BY_RSPI] = "by_responder_spi",
	[IKE_CNT_GATEWAY_FIRST] = "gateway_first",
	[IKE_CNT_COPIES] = "copies",
	[IKE_CNT_UNKNOWN] = "unknown_spi",
	[IKE_CNT_LIMIT_UNKNOWN] = "limit_unknown",
	[IKE_CNT_LIMIT_HALF_OPEN] = "limit_half_open",
	[IKE_CNT_LIMIT_HALF_OPEN_CLIENT] = "limit_half_open_client",
	[IKE_CNT_PLAIN] = "plain",
};

struct vpnpass_proto ike_proto = {
	.name = "ike",
	.owner = THIS_MODULE,
	.match = ike_match,
	.n_match = ARRAY_SIZE(ike_match),
	.settings = ike_settings,
	.n_settings = ARRAY_SIZE(ike_settings),
	.counters = ike_counters,
	.n_counters = ARRAY_SIZE(ike_counters),
	.session_size = sizeof(struct ike_session),
	.net_size = sizeof(struct ike_net),
};

const struct vpnpass_ops ike_ops = {
	.number = ike_number,
	.quoted = ike_quoted,
	.miss = ike_miss,
	.post = ike_post,
	.session_end = ike_session_end,
	.session_state = ike_session_state,
	.session_version = ike_session_version,
	.session_child = ike_session_child,
	.net_init = ike_net_init,
	.net_exit = ike_net_exit,
	.dev_down = ike_gates_dev_gone,
};
