// SPDX-License-Identifier: GPL-2.0
/*
 * How control connections begin: with a SYN that the router's own rules let
 * through and translated, unless another helper has it. Called by pptp.c.
 */
#include <linux/tcp.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_helper.h>

#include "pptp.h"

/* Said once: every connection would say the same. */
static void tell_conflict(struct vpnpass_net *vn, struct nf_conn *ct)
{
	struct vpnpass_session *s;

	pptp_count(vn, PPTP_CNT_CONFLICT);
	if (test_and_set_bit(0, &pptp_net(vn)->conflict))
		return;
	s = vpnpass_session_alloc(vn, &pptp_proto, ct);
	if (IS_ERR(s))
		return;
	vpnpass_event_session(s, VPNPASS_EVENT_TYPE_CONFLICT,
			      "a firewall rule attaches the kernel's own pptp helper");
	vpnpass_session_discard(s);
}

static bool other_helper(const struct nf_conn *ct)
{
	const struct nf_conn_help *help = nfct_help(ct);
	const struct nf_conntrack_helper *helper;

	helper = help ? rcu_dereference(help->helper) : NULL;
	return helper && !strcmp(helper->name, "pptp");
}

static bool is_pptp_port(const struct nf_conn *ct)
{
	return ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple.dst.u.tcp.port ==
		htons(PPTP_PORT) &&
	       ct->tuplehash[IP_CT_DIR_REPLY].tuple.src.u.tcp.port ==
		htons(PPTP_PORT);
}

static struct pptp_control *control_new(struct vpnpass_net *vn, struct nf_conn *ct)
{
	struct pptp_control *pc = pptp_control_alloc(vn, ct);

	if (pc && pptp_table_add(pc)) {
		pptp_control_put(pc);
		return NULL;
	}
	return pc;
}

/* The control connection that a new entry is for, with a reference: a new one
 * for a SYN, one that was parked for anything else.
 */
static struct pptp_control *control_for(struct vpnpass_net *vn, struct nf_conn *ct,
					const struct vpnpass_pkt *pkt,
					unsigned int *verdict)
{
	const struct tcphdr *th;
	struct pptp_control *pc;
	struct tcphdr buf;
	bool busy;

	th = pptp_tcp_header(pkt, &buf);
	if (!th)
		return NULL;
	pc = pptp_control_parked(vn, ct, &busy);
	if (!pc && busy) {
		*verdict = NF_DROP;	/* TCP sends it again */
		return NULL;
	}
	if (pc && !th->syn && pptp_control_resume(pc, ct, pkt, th))
		return pc;
	if (pc)
		pptp_control_close(pc);
	return th->syn && !th->ack ? control_new(vn, ct) : NULL;
}

static int control_confirm(struct vpnpass_session *s, struct sk_buff *skb,
			   unsigned int *verdict)
{
	struct pptp_control *pc = pptp_session(s)->pc;
	int err;

	*verdict = nf_conntrack_confirm(skb);
	if (*verdict != NF_ACCEPT)
		return -EEXIST;
	/* Conntrack may have settled a clash by giving us another's entry. */
	if (skb_nfct(skb) != &s->ct->ct_general || !nf_ct_is_confirmed(s->ct))
		return -EEXIST;
	spin_lock_bh(&pc->lock);
	err = vpnpass_session_publish(s);
	if (!err)
		pc->session = s;
	spin_unlock_bh(&pc->lock);
	return err;
}

/**
 * pptp_control_begin() - a connection to a PPTP server is going out
 * @vn: netns
 * @pkt: its first packet, translated, its conntrack entry not confirmed
 * @verdict: for the packet, when there is no session
 *
 * Context: softirq, RCU read side, POSTROUTING.
 * Return: the session, or NULL: plain TCP.
 */
struct pptp_session *pptp_control_begin(struct vpnpass_net *vn,
					const struct vpnpass_pkt *pkt,
					unsigned int *verdict)
{
	struct nf_conn *ct = (struct nf_conn *)skb_nfct(pkt->skb);
	struct vpnpass_session *s;
	struct pptp_session *ps;
	struct pptp_control *pc;
	bool resumed;

	if (!is_pptp_port(ct))
		return NULL;
	if (!vpnpass_conn_watched(ct)) {
		if (other_helper(ct))
			tell_conflict(vn, ct);
		return NULL;
	}
	pc = control_for(vn, ct, pkt, verdict);
	if (!pc)
		return NULL;
	s = vpnpass_session_alloc(vn, &pptp_proto, ct);
	if (IS_ERR(s))
		goto close;
	ps = pptp_session(s);
	INIT_LIST_HEAD(&ps->ending);
	ps->control = true;
	s->hidden = true;
	ps->pc = pc;
	if (pc->in_dir == IP_CT_DIR_REPLY)
		s->local = ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple.dst.u3;
	resumed = pc->started;
	if (!control_confirm(s, pkt->skb, verdict)) {
		pptp_count(vn, resumed ? PPTP_CNT_RESUMED : PPTP_CNT_CONTROLS);
		return ps;
	}
	vpnpass_session_discard(s);
close:
	pptp_control_close(pc);
	return NULL;
}
