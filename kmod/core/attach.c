// SPDX-License-Identifier: GPL-2.0
/*
 * Give a packet the connection it belongs to, before conntrack looks. Conntrack
 * then leaves the packet alone, so what it would have done for it (refresh the
 * timeout, count, mark the reply) is done here.
 */
#include <net/netfilter/nf_conntrack_acct.h>
#include <net/netfilter/nf_conntrack_ecache.h>
#include <net/netfilter/nf_conntrack_timeout.h>

#include "core.h"

/* A connection that nobody has answered is not kept for long. */
#define UNREPLIED_TIMEOUT	(120 * HZ)

static unsigned int attach_timeout(const struct vpnpass_session *s,
				   const struct nf_conn *ct)
{
	const unsigned int *user = nf_ct_timeout_lookup(ct);
	unsigned int timeout;

	if (unlikely(user))
		return *user;
	timeout = vpnpass_setting(s->vn, s->proto, VPNPASS_SET_TIMEOUT) * HZ;
	if (!test_bit(IPS_SEEN_REPLY_BIT, &ct->status))
		timeout = min_t(unsigned int, timeout, UNREPLIED_TIMEOUT);
	return timeout;
}

static enum ip_conntrack_info attach_info(struct nf_conn *ct,
					  enum ip_conntrack_dir dir)
{
	if (dir == IP_CT_DIR_REPLY) {
		/* Assured, so that a full table does not evict a live VPN. */
		if (!test_bit(IPS_SEEN_REPLY_BIT, &ct->status) &&
		    !test_and_set_bit(IPS_SEEN_REPLY_BIT, &ct->status)) {
			set_bit(IPS_ASSURED_BIT, &ct->status);
			nf_conntrack_event_cache(IPCT_REPLY, ct);
			nf_conntrack_event_cache(IPCT_ASSURED, ct);
		}
		return IP_CT_ESTABLISHED_REPLY;
	}
	if (test_bit(IPS_SEEN_REPLY_BIT, &ct->status))
		return IP_CT_ESTABLISHED;
	return test_bit(IPS_EXPECTED_BIT, &ct->status) ? IP_CT_RELATED : IP_CT_NEW;
}

/**
 * vpnpass_attach() - attach a session's connection to a packet
 * @s: the session
 * @skb: a packet without a connection, but perhaps with a template
 * @dir: its direction
 *
 * Context: softirq, RCU read side, before conntrack's hook.
 * Return: false when the connection is dead and the packet was left alone.
 */
bool vpnpass_attach(struct vpnpass_session *s, struct sk_buff *skb,
		    enum ip_conntrack_dir dir)
{
	struct nf_conn *ct = s->ct;
	enum ip_conntrack_info ctinfo;
	struct nf_conntrack *tmpl;

	if (unlikely(nf_ct_is_dying(ct) || nf_ct_is_expired(ct))) {
		vpnpass_sweep_now(s->vn);
		return false;
	}

	tmpl = skb_nfct(skb);
	nf_conntrack_get(&ct->ct_general);
	ctinfo = attach_info(ct, dir);
	nf_ct_set(skb, ct, ctinfo);
	if (unlikely(tmpl))
		nf_conntrack_put(tmpl);

	nf_ct_refresh_acct(ct, ctinfo, skb, attach_timeout(s, ct));
	atomic64_inc(&s->packets[dir]);
	atomic64_add(skb->len - skb_network_offset(skb), &s->bytes[dir]);
	WRITE_ONCE(s->last, vpnpass_now());
	return true;
}
EXPORT_SYMBOL_GPL(vpnpass_attach);
