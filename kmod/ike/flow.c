// SPDX-License-Identifier: GPL-2.0
/*
 * A client's message on an SPI that another client of the gateway has. From port 500
 * its answers could not be told apart, which is why it gets another port, as it may
 * without us.
 */
#include <net/netfilter/nf_conntrack_core.h>

#include "ike.h"

/**
 * ike_flow_conflict() - say that a client uses an SPI of another's
 * @owner: whose it is
 * @is: a session of the client's
 *
 * Context: any.
 */
void ike_flow_conflict(struct ike_session *owner, const struct ike_session *is)
{
	char text[80];

	if (is->s.family == NFPROTO_IPV4)
		snprintf(text, sizeof(text), "initiator SPI also used by %pI4",
			 &is->s.client.ip);
	else
		snprintf(text, sizeof(text), "initiator SPI also used by %pI6c",
			 &is->s.client.in6);
	vpnpass_tell_conflict(&owner->s, IKE_CNT_CONFLICT, text);
}

/* The client's session by the flow that conntrack knows, NULL for none with port 500 */
static struct ike_session *session_of(struct vpnpass_net *vn,
				      const struct vpnpass_pkt *pkt)
{
	struct nf_conntrack_tuple_hash *h = vpnpass_flow_find(pkt, &nf_ct_zone_dflt);
	struct vpnpass_session *s;
	struct nf_conn *ct;

	if (!h)
		return NULL;
	ct = nf_ct_tuplehash_to_ctrack(h);
	s = vpnpass_session_by_ct(vn, &ike_proto, ct);
	nf_ct_put(ct);
	return s && !ike_session(s)->plain ? ike_session(s) : NULL;
}

/**
 * ike_flow_check() - a client's message that no pin is for
 * @vn: netns
 * @pkt: from port 500 to port 500
 * @ispi: its initiator SPI
 *
 * When that is another client's, the message begins a second flow of the same
 * client: in the original direction's zone of the owner's number, where NAT finds
 * port 500 taken.
 *
 * Context: softirq, RCU read side, PREROUTING.
 */
void ike_flow_check(struct vpnpass_net *vn, struct vpnpass_pkt *pkt, u64 ispi)
{
	struct nf_conntrack_zone z = {
		.dir = NF_CT_DEFAULT_ZONE_DIR, .flags = VPNPASS_ZONE_OURS,
	};
	struct ike_session *is = session_of(vn, pkt);
	struct ike_session *owner = is ? ike_spi_owner(is, ispi) : NULL;

	if (!owner)
		return;
	z.id = owner->zone;
	if (!vpnpass_flow_exists(pkt, &z))
		ike_flow_conflict(owner, is);
	vpnpass_flow_template_of(vn, pkt->skb, &z);
}
