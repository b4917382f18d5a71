// SPDX-License-Identifier: GPL-2.0
/*
 * How control connections begin: when the handshake ends of a connection whose
 * SYN the router's own rules let through and translated, unless another helper
 * has it. Until then there is nothing but the watch of its conntrack entry, which
 * has room for the two initial sequence numbers: half-open connections cost no
 * more than plain ones.
 */
#include <linux/tcp.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_helper.h>

#include "pptp.h"

enum handshake_step {
	HANDSHAKE_NONE,
	HANDSHAKE_SYN,		/* a SYN has gone out */
	HANDSHAKE_SYNACK,	/* the SYN was acknowledged by a SYN */
	HANDSHAKE_ENDING,	/* the last packet of the handshake is in our hands */
	HANDSHAKE_OVER,
};

/**
 * struct handshake - what the watch of a connection remembers: vpnpass_conn_data()
 * @isn: initial sequence numbers by IP_CT_DIR_*
 * @step: enum handshake_step
 */
struct handshake {
	u32 isn[IP_CT_DIR_MAX];
	unsigned int step;
};

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

static enum pptp_dir sender(const struct pptp_control *pc, enum ip_conntrack_dir dir)
{
	return dir == pc->in_dir ? PPTP_FROM_IN : PPTP_FROM_OUT;
}

static struct pptp_control *control_new(struct vpnpass_net *vn, struct nf_conn *ct,
					const struct handshake *hs)
{
	struct pptp_control *pc = pptp_control_alloc(vn, ct, pptp_control_work);
	int dir;

	if (pc && pptp_table_add(pc)) {
		pptp_control_put(pc);
		return NULL;
	}
	for (dir = 0; pc && dir < IP_CT_DIR_MAX; dir++)
		pptp_ctl_syn(&pc->ctl, sender(pc, dir), hs->isn[dir]);
	return pc;
}

/* The parked connection that a new entry is for, now the caller's, or NULL. *busy: there
 * is one, but who parks it has not come to it yet.
 */
static struct pptp_control *parked_for(struct vpnpass_net *vn, const struct nf_conn *ct,
				       bool *busy)
{
	struct pptp_control *pc, *found = NULL;
	struct pptp_key key;
	int dir, found_dir;

	*busy = false;
	for (dir = 0; dir < IP_CT_DIR_MAX; dir++) {
		pptp_key_of(&key, ct, dir);
		pc = pptp_table_find(vn, &key, &found_dir);
		if (!pc || pc == found || found_dir != dir)
			continue;
		if (!pptp_control_lost(pc))
			continue;
		if (!pptp_control_unpark(pptp_net(vn), pc)) {
			*busy |= !READ_ONCE(pc->closed);
			continue;
		}
		if (found)
			pptp_control_close(found);
		found = pc;
	}
	return found;
}

/* The control connection that was parked when an entry of these addresses was
 * deleted, with a reference, or NULL. Who parks it may not have come to it yet:
 * then the packet is to be sent again.
 */
static struct pptp_control *control_parked(struct vpnpass_net *vn, struct nf_conn *ct,
					   unsigned int *verdict)
{
	struct pptp_control *pc;
	bool busy;

	pc = parked_for(vn, ct, &busy);
	if (!pc && busy)
		*verdict = NF_DROP;
	return pc;
}

static int control_confirm(struct vpnpass_session *s, struct sk_buff *skb,
			   unsigned int *verdict)
{
	struct pptp_control *pc = pptp_session(s)->pc;
	int err;

	err = vpnpass_session_confirm(s, skb, verdict);
	if (err)
		return err;
	spin_lock_bh(&pc->lock);
	err = vpnpass_session_publish(s);
	if (!err)
		pc->session = s;
	spin_unlock_bh(&pc->lock);
	return err;
}

/* Returns the session of a control connection, whose reference it takes. */
static struct pptp_session *session_of(struct pptp_control *pc,
				       const struct vpnpass_pkt *pkt,
				       unsigned int *verdict)
{
	struct vpnpass_net *vn = pc->vn;
	struct nf_conn *ct = pc->ct;
	struct vpnpass_session *s;
	struct pptp_session *ps;
	bool resumed;

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

static bool handshake_moves(struct handshake *hs, enum handshake_step from,
			    enum handshake_step to)
{
	return cmpxchg(&hs->step, from, to) == from;
}

/* A SYN counts in the state that conntrack has after an opening's own: what it has
 * ignored in another state anybody may have sent.
 */
static void handshake_syn(struct nf_conn *ct, struct handshake *hs,
			  const struct tcphdr *th, enum ip_conntrack_dir dir)
{
	u8 state = READ_ONCE(ct->proto.tcp.state);
	u32 seq = ntohl(th->seq);

	if (dir == IP_CT_DIR_ORIGINAL && !th->ack && state == TCP_CONNTRACK_SYN_SENT) {
		hs->isn[dir] = seq;
		handshake_moves(hs, HANDSHAKE_NONE, HANDSHAKE_SYN);
	} else if (dir == IP_CT_DIR_REPLY && th->ack && state == TCP_CONNTRACK_SYN_RECV &&
		   READ_ONCE(hs->step) == HANDSHAKE_SYN &&
		   ntohl(th->ack_seq) == hs->isn[!dir] + 1) {
		hs->isn[dir] = seq;
		handshake_moves(hs, HANDSHAKE_SYN, HANDSHAKE_SYNACK);
	}
}

static bool handshake_ends(const struct handshake *hs, const struct tcphdr *th,
			   enum ip_conntrack_dir dir)
{
	return READ_ONCE(hs->step) == HANDSHAKE_SYNACK && dir == IP_CT_DIR_ORIGINAL &&
	       th->ack && !th->rst && ntohl(th->ack_seq) == hs->isn[!dir] + 1 &&
	       pptp_window_has(ntohl(th->seq), hs->isn[dir] + 1, 0);
}

/* The first packet of an entry: a SYN, or the next of a connection that lost one. */
static struct pptp_session *first_packet(struct vpnpass_net *vn, struct nf_conn *ct,
					 const struct vpnpass_pkt *pkt, struct handshake *hs,
					 const struct tcphdr *th, unsigned int *verdict)
{
	struct pptp_control *pc;

	if (th->syn) {
		handshake_syn(ct, hs, th, IP_CT_DIR_ORIGINAL);
		*verdict = nf_conntrack_confirm(pkt->skb);
		return NULL;
	}
	pc = control_parked(vn, ct, verdict);
	if (pc && pptp_control_resume(pc, ct, th))
		return session_of(pc, pkt, verdict);
	if (pc)
		pptp_control_close(pc);
	return NULL;
}

static struct pptp_session *last_packet(struct vpnpass_net *vn, struct nf_conn *ct,
					const struct vpnpass_pkt *pkt,
					const struct handshake *hs, unsigned int *verdict)
{
	struct pptp_control *pc = control_parked(vn, ct, verdict);

	if (*verdict != NF_ACCEPT)
		return NULL;
	/* an earlier connection between the same ports */
	if (pc)
		pptp_control_close(pc);
	pc = control_new(vn, ct, hs);
	return pc ? session_of(pc, pkt, verdict) : NULL;
}

/* A packet of an entry that has been watched since its SYN. */
static struct pptp_session *next_packet(struct vpnpass_net *vn, struct nf_conn *ct,
					const struct vpnpass_pkt *pkt, struct handshake *hs,
					const struct tcphdr *th,
					enum ip_conntrack_dir dir, unsigned int *verdict)
{
	struct pptp_session *ps;

	if (th->syn) {
		handshake_syn(ct, hs, th, dir);
		return NULL;
	}
	/* TCP sends again what gets here while another CPU begins the connection. */
	if (READ_ONCE(hs->step) == HANDSHAKE_ENDING)
		*verdict = NF_DROP;
	if (!handshake_ends(hs, th, dir))
		return NULL;
	if (!handshake_moves(hs, HANDSHAKE_SYNACK, HANDSHAKE_ENDING)) {
		*verdict = NF_DROP;
		return NULL;
	}
	ps = last_packet(vn, ct, pkt, hs, verdict);
	WRITE_ONCE(hs->step, *verdict == NF_ACCEPT ? HANDSHAKE_OVER : HANDSHAKE_SYNACK);
	return ps;
}

/**
 * pptp_control_begin() - a packet of a connection that has no session
 * @vn: netns
 * @pkt: the packet, translated
 * @dir: its direction
 * @verdict: NF_ACCEPT; changed for a packet without a session
 *
 * Context: softirq, RCU read side, POSTROUTING or LOCAL_IN.
 * Return: the session when it begins with this packet, or NULL.
 */
struct pptp_session *pptp_control_begin(struct vpnpass_net *vn,
					const struct vpnpass_pkt *pkt,
					enum ip_conntrack_dir dir,
					unsigned int *verdict)
{
	struct nf_conn *ct = (struct nf_conn *)skb_nfct(pkt->skb);
	struct handshake *hs = vpnpass_conn_data(ct);
	const struct tcphdr *th;
	struct tcphdr buf;

	th = pptp_tcp_header(pkt, &buf);
	if (!th || !is_pptp_port(ct))
		return NULL;
	BUILD_BUG_ON(sizeof(*hs) > VPNPASS_CONN_DATA);
	if (!hs) {
		if (!nf_ct_is_confirmed(ct) && other_helper(ct))
			tell_conflict(vn, ct);
		return NULL;
	}
	return nf_ct_is_confirmed(ct) ? next_packet(vn, ct, pkt, hs, th, dir, verdict) :
					first_packet(vn, ct, pkt, hs, th, verdict);
}
