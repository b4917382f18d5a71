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

/* The place of a state in a timeout policy of the user's: protocols with two states
 * have that of an unanswered flow first.
 */
static unsigned int policy_state(const struct nf_conn *ct)
{
	switch (nf_ct_protonum(ct)) {
	case IPPROTO_UDP:
	case IPPROTO_GRE:
		return test_bit(IPS_SEEN_REPLY_BIT, &ct->status);
	default:
		return 0;
	}
}

static __always_inline unsigned int attach_timeout(const struct vpnpass_session *s,
						   const struct nf_conn *ct)
{
	const unsigned int *user = nf_ct_timeout_lookup(ct);
	unsigned int timeout;

	if (unlikely(user))
		return user[policy_state(ct)];
	timeout = vpnpass_setting(s->vn, s->proto, VPNPASS_SET_TIMEOUT) * HZ;
	if (!test_bit(IPS_SEEN_REPLY_BIT, &ct->status) &&
	    !test_bit(VPNPASS_GIVEN, &s->passed))
		timeout = min_t(unsigned int, timeout, UNREPLIED_TIMEOUT);
	return timeout;
}

/* The timeout of a session's connection in its present state, in jiffies. Context: RCU
 * read side.
 */
unsigned int vpnpass_attach_timeout(const struct vpnpass_session *s)
{
	return attach_timeout(s, s->ct);
}

/* Is nothing known yet of what the administrator's rules say of the client's packets?
 * True of a connection that was made before its first packet, until one of the
 * client's has passed.
 */
static bool on_trust(const struct vpnpass_session *s)
{
	return !test_bit(0, &s->passed);
}

/* Assured, so that a full table does not evict a live VPN. */
void vpnpass_attach_answered(struct nf_conn *ct)
{
	if (test_bit(IPS_SEEN_REPLY_BIT, &ct->status) ||
	    test_and_set_bit(IPS_SEEN_REPLY_BIT, &ct->status))
		return;
	set_bit(IPS_ASSURED_BIT, &ct->status);
	nf_conntrack_event_cache(IPCT_REPLY, ct);
	nf_conntrack_event_cache(IPCT_ASSURED, ct);
}
EXPORT_SYMBOL_GPL(vpnpass_attach_answered);

static enum ip_conntrack_info attach_reply(const struct vpnpass_session *s,
					   struct nf_conn *ct)
{
	if (test_bit(IPS_SEEN_REPLY_BIT, &ct->status))
		return IP_CT_ESTABLISHED_REPLY;
	if (on_trust(s))
		return IP_CT_RELATED_REPLY;
	vpnpass_attach_answered(ct);
	return IP_CT_ESTABLISHED_REPLY;
}

static enum ip_conntrack_info attach_info(const struct vpnpass_session *s,
					  struct nf_conn *ct, enum ip_conntrack_dir dir)
{
	if (dir == IP_CT_DIR_REPLY)
		return attach_reply(s, ct);
	if (test_bit(IPS_SEEN_REPLY_BIT, &ct->status))
		return IP_CT_ESTABLISHED;
	if (test_bit(VPNPASS_GIVEN, &s->passed)) {
		vpnpass_attach_answered(ct);
		return IP_CT_ESTABLISHED;
	}
	return ct->master ? IP_CT_RELATED : IP_CT_NEW;
}

static bool is_gone(const struct nf_conn *ct)
{
	return nf_ct_is_dying(ct) || nf_ct_is_expired(ct);
}

static void take(struct nf_conn *ct, struct sk_buff *skb, enum ip_conntrack_info ctinfo)
{
	struct nf_conntrack *tmpl = skb_nfct(skb);

	nf_conntrack_get(&ct->ct_general);
	nf_ct_set(skb, ct, ctinfo);
	if (unlikely(tmpl))
		nf_conntrack_put(tmpl);
}

/**
 * vpnpass_attach_packet() - attach a session's connection to a packet
 * @s: the session
 * @skb: a packet without a connection, but perhaps with a template
 * @dir: its direction
 *
 * Context: softirq, RCU read side, before conntrack's hook.
 * Return: false when the connection is dead and the packet was left alone.
 */
bool vpnpass_attach_packet(struct vpnpass_session *s, struct sk_buff *skb,
			   enum ip_conntrack_dir dir)
{
	struct nf_conn *ct = s->ct;
	enum ip_conntrack_info ctinfo;

	if (unlikely(is_gone(ct))) {
		vpnpass_sweep_now(s->vn);
		return false;
	}
	ctinfo = attach_info(s, ct, dir);
	take(ct, skb, ctinfo);
	nf_ct_refresh_acct(ct, ctinfo, skb, attach_timeout(s, ct));
	WRITE_ONCE(s->last, vpnpass_now());
	return true;
}
EXPORT_SYMBOL_GPL(vpnpass_attach_packet);

/* The first packet in doubt may be the answer that the client waits for: the connection
 * lasts as long as an answered one. Further ones change nothing, or a stranger could keep
 * it for ever.
 */
static void given(struct vpnpass_session *s)
{
	struct nf_conn *ct = s->ct;

	if (test_bit(VPNPASS_GIVEN, &s->passed) || on_trust(s) ||
	    test_bit(IPS_SEEN_REPLY_BIT, &ct->status) ||
	    test_bit(IPS_FIXED_TIMEOUT_BIT, &ct->status))
		return;
	set_bit(VPNPASS_GIVEN, &s->passed);
	WRITE_ONCE(ct->timeout, nfct_time_stamp + attach_timeout(s, ct));
}

/**
 * vpnpass_attach_copy() - attach a session's connection to a packet in doubt
 * @s: the session
 * @skb: the packet or a copy of it, without a connection
 *
 * The packet may be another client's: it is no sign of life. Neither status nor counters
 * of the connection change, nor does the time-out but once; the client's next packet
 * makes it an answered one.
 *
 * Context: softirq, RCU read side, before conntrack's hook.
 * Return: false when the connection is dead and the packet was left alone.
 */
bool vpnpass_attach_copy(struct vpnpass_session *s, struct sk_buff *skb)
{
	if (is_gone(s->ct))
		return false;
	given(s);
	take(s->ct, skb, on_trust(s) ? IP_CT_RELATED_REPLY : IP_CT_ESTABLISHED_REPLY);
	return true;
}
EXPORT_SYMBOL_GPL(vpnpass_attach_copy);

/**
 * vpnpass_send_copy() - have a session's client get a copy of a packet in doubt
 * @s: the session
 * @skb: the packet, without a connection
 *
 * The packet has been through tc's ingress, which may have redirected it to a device
 * that gives it back: the copy does not go there again, or it would be copied again.
 *
 * Context: softirq, RCU read side, before conntrack's hook.
 * Return: false without memory, or when the connection is dead.
 */
bool vpnpass_send_copy(struct vpnpass_session *s, struct sk_buff *skb)
{
	struct sk_buff *copy = skb_clone(skb, GFP_ATOMIC);

	if (!copy)
		return false;
	if (!vpnpass_attach_copy(s, copy)) {
		kfree_skb(copy);
		return false;
	}
#ifdef CONFIG_NET_CLS_ACT
	copy->tc_skip_classify = 1;
#endif
	netif_rx(copy);
	return true;
}
EXPORT_SYMBOL_GPL(vpnpass_send_copy);
