// SPDX-License-Identifier: GPL-2.0
/*
 * NAT-T on UDP port 4500 (RFC 3947, RFC 3948): works through plain NAT, so the
 * translation is left alone. Its flows are counted by what they carry, and led
 * past conntrack's lookup by their ports.
 */
#include <linux/udp.h>
#include <linux/unaligned.h>

#include "ike.h"

#define NATT_KEY	VPNPASS_KEY_OF(VPNPASS_KIND_NATT_PORTS)

enum {
	NATT_CNT_IKE = VPNPASS_CNT_OWN,
	NATT_CNT_ESP,
	NATT_CNT_KEEPALIVE,
	NATT_CNT_N,
};

struct natt_session {
	struct vpnpass_session s;	/* first: the core allocates and frees */
	atomic64_t count[NATT_CNT_N - NATT_CNT_IKE];
	bool esp;			/* has carried ESP, READ_ONCE */
	u64 told;			/* initiator SPI of whose move sa.c knows */
};

static struct natt_session *natt_session(struct vpnpass_session *s)
{
	return container_of(s, struct natt_session, s);
}

static int natt_number(struct vpnpass_pkt *pkt)
{
	return -ENOENT;
}

/* ESP is told apart by four bytes; only the rest is worth reading. */
static bool carries_esp(const struct vpnpass_pkt *pkt)
{
	unsigned int off = pkt->thoff + sizeof(struct udphdr);
	__be32 marker;
	const __be32 *p;

	p = skb_header_pointer(pkt->skb, off, sizeof(marker), &marker);
	return p && *p && pkt->skb->len >= off + 8;
}

/*
 * Dead-peer detection is all of IKE that most flows see for hours. Informational
 * messages that are known already are told by what lies at fixed places.
 */
static bool quiet(const struct natt_session *ns, const struct vpnpass_pkt *pkt,
		  enum ip_conntrack_dir dir)
{
	const unsigned int before = sizeof(struct udphdr) + IKE_MARKER_LEN;
	u8 buf[sizeof(struct udphdr) + IKE_MARKER_LEN + IKE_HDR_LEN];
	u32 version, len;
	const u8 *h;
	u64 ispi;

	h = skb_header_pointer(pkt->skb, pkt->thoff, sizeof(buf), buf);
	if (!h || get_unaligned_be32(h + sizeof(struct udphdr)))
		return false;
	len = get_unaligned_be16(h + 4);
	h += before;
	version = h[17] >> 4;
	ispi = get_unaligned_be64(h);
	return h[18] == (version == 1 ? IKE_V1_INFO : IKE_V2_INFO) &&
	       (version == 1 || version == 2) && ispi &&
	       get_unaligned_be64(h + 8) &&
	       len <= pkt->skb->len - pkt->thoff &&
	       get_unaligned_be32(h + 24) == len - before &&
	       (dir == IP_CT_DIR_REPLY || READ_ONCE(ns->told) == ispi);
}

static int classify(const struct vpnpass_pkt *pkt, struct ike_datagram *d)
{
	if (carries_esp(pkt))
		return NATT_CNT_ESP;
	if (!ike_read_message(pkt, IKE_PORT_4500, d))
		return VPNPASS_CNT_MALFORMED;
	switch (d->m.cls) {
	case IKE_CLASS_IKE:
		return NATT_CNT_IKE;
	case IKE_CLASS_KEEPALIVE:
		return NATT_CNT_KEEPALIVE;
	default:
		return VPNPASS_CNT_MALFORMED;
	}
}

static void natt_saw(struct natt_session *ns, const struct vpnpass_pkt *pkt,
		     enum ip_conntrack_dir dir)
{
	struct vpnpass_net *vn = ns->s.vn;
	bool known = quiet(ns, pkt, dir);
	struct ike_datagram d;
	int what;

	what = known ? NATT_CNT_IKE : classify(pkt, &d);
	vpnpass_count(vn, &natt_proto, what);
	if (what >= NATT_CNT_IKE)
		atomic64_inc(&ns->count[what - NATT_CNT_IKE]);
	if (what == NATT_CNT_ESP && !READ_ONCE(ns->esp))
		WRITE_ONCE(ns->esp, true);
	if (what == NATT_CNT_IKE && dir == IP_CT_DIR_ORIGINAL && !known) {
		struct vpnpass_key key = {
			.src = ns->s.client, .dst = ns->s.peer,
			.l4proto = IPPROTO_UDP, .family = ns->s.family,
		};

		ike_sa_moved(vn, &key, &d.m);
		WRITE_ONCE(ns->told, d.m.ispi);
	}
}

static u64 port_number(__be16 src, __be16 dst)
{
	return (u64)ntohs(src) << 16 | ntohs(dst);
}

/* Would conntrack take the datagram, by its length? What it would not is not attached. */
static bool is_valid(const struct udphdr *uh, const struct vpnpass_pkt *pkt)
{
	u32 len = ntohs(uh->len);

	return len >= sizeof(*uh) && len <= pkt->skb->len - pkt->thoff;
}

static unsigned int natt_miss(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
			      int err)
{
	const struct udphdr *uh;
	struct vpnpass_pin *pin;
	struct udphdr buf;

	if (skb_nfct(pkt->skb))
		return NF_ACCEPT;
	uh = skb_header_pointer(pkt->skb, pkt->thoff, sizeof(buf), &buf);
	if (!uh)
		return NF_ACCEPT;
	pkt->key.number = port_number(uh->source, uh->dest);
	pkt->key.kind = NATT_KEY;
	pin = vpnpass_pin_find(vn, &pkt->key);
	if (pin && is_valid(uh, pkt) &&
	    vpnpass_attach_packet(pin->session, pkt->skb, pin->dir)) {
		natt_saw(natt_session(pin->session), pkt, pin->dir);
		pkt->done = true;
	}
	return NF_ACCEPT;
}

/* Pin a direction of the flow, as conntrack has it. */
static void natt_pin(struct vpnpass_session *s, enum ip_conntrack_dir dir)
{
	const struct nf_conntrack_tuple *t = &s->ct->tuplehash[dir].tuple;
	struct vpnpass_pin *pin = vpnpass_pin_alloc(s->vn);
	struct vpnpass_key key = {
		.src = t->src.u3, .dst = t->dst.u3,
		.number = port_number(t->src.u.udp.port, t->dst.u.udp.port),
		.l4proto = IPPROTO_UDP, .family = s->family, .kind = NATT_KEY,
	};

	if (!pin)
		vpnpass_count(s->vn, &natt_proto, VPNPASS_CNT_NO_MEMORY);
	vpnpass_pin_put(s, pin, &key, dir, VPNPASS_NUMBER_HIDDEN);
}

static bool natt_begins(const struct nf_conn *ct, enum ip_conntrack_dir dir)
{
	return dir == IP_CT_DIR_ORIGINAL && !nf_ct_is_confirmed(ct) &&
	       test_bit(IPS_SRC_NAT_BIT, &ct->status) &&
	       nf_ct_protonum(ct) == IPPROTO_UDP &&
	       ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple.dst.u.udp.port ==
	       htons(NATT_UDP_PORT);
}

static struct natt_session *natt_begin(struct vpnpass_net *vn, struct sk_buff *skb,
				       struct nf_conn *ct, unsigned int *verdict)
{
	struct vpnpass_session *s;
	bool zoned = nf_ct_zone(ct)->id != NF_CT_DEFAULT_ZONE_ID;

	*verdict = NF_ACCEPT;
	s = vpnpass_session_alloc(vn, &natt_proto, ct);
	if (IS_ERR(s))
		return NULL;
	if (vpnpass_session_start(s, skb, verdict)) {
		vpnpass_session_discard(s);
		return NULL;
	}
	/* Pins lead to it, and flowtables may have it. */
	vpnpass_conn_unwatch(ct);
	s->unwatched = true;
	/* In the administrator's zones the addresses may not be unique. */
	if (!zoned) {
		natt_pin(s, IP_CT_DIR_ORIGINAL);
		natt_pin(s, IP_CT_DIR_REPLY);
	}
	return natt_session(s);
}

static unsigned int natt_post(struct vpnpass_net *vn, struct vpnpass_pkt *pkt)
{
	enum ip_conntrack_info ctinfo;
	enum ip_conntrack_dir dir;
	struct vpnpass_session *s;
	struct natt_session *ns;
	unsigned int verdict;
	struct nf_conn *ct;

	ct = nf_ct_get(pkt->skb, &ctinfo);
	dir = CTINFO2DIR(ctinfo);
	s = vpnpass_session_by_ct(vn, &natt_proto, ct);
	if (s) {
		ns = natt_session(s);
	} else {
		if (!natt_begins(ct, dir))
			return NF_ACCEPT;
		ns = natt_begin(vn, pkt->skb, ct, &verdict);
		if (!ns)
			return verdict;
	}
	vpnpass_session_seen(&ns->s);
	natt_saw(ns, pkt, dir);
	return NF_ACCEPT;
}

static void natt_session_end(struct vpnpass_session *s)
{
}

static const char *natt_session_state(const struct vpnpass_session *s)
{
	const struct natt_session *ns;

	ns = container_of(s, struct natt_session, s);
	return READ_ONCE(ns->esp) ? "established" : "half-open";
}

static const struct vpnpass_match natt_match[] = {
	{ .l4proto = IPPROTO_UDP, .port = NATT_UDP_PORT },
};

/* RFC 3948 section 4: a keepalive every 20 s, if nothing else is sent. */
static const struct vpnpass_setting natt_settings[] = {
	VPNPASS_COMMON_SETTINGS(300),
};

static const char *const natt_counters[] = {
	VPNPASS_COMMON_COUNTERS,
	[NATT_CNT_IKE] = "ike",
	[NATT_CNT_ESP] = "esp",
	[NATT_CNT_KEEPALIVE] = "keepalive",
};

struct vpnpass_proto natt_proto = {
	.name = "natt",
	.owner = THIS_MODULE,
	.match = natt_match,
	.n_match = ARRAY_SIZE(natt_match),
	.settings = natt_settings,
	.n_settings = ARRAY_SIZE(natt_settings),
	.counters = natt_counters,
	.n_counters = ARRAY_SIZE(natt_counters),
	.session_size = sizeof(struct natt_session),
};

const struct vpnpass_ops natt_ops = {
	.number = natt_number,
	.miss = natt_miss,
	.post = natt_post,
	.session_end = natt_session_end,
	.session_state = natt_session_state,
};
