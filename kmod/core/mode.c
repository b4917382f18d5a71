// SPDX-License-Identifier: GPL-2.0
/* A protocol's switch and settings in a netns; process context under vpnpass_mutex. */
#include "core.h"
#include "fast.h"
#include "hooks.h"
#include "mode.h"

static bool matches_tuple(const struct vpnpass_match *m,
			  const struct nf_conntrack_tuple *t)
{
	if (m->blocks && !t->src.u.all && !t->dst.u.all)
		return false;
	return m->l4proto == t->dst.protonum &&
	       (!m->port || ntohs(t->dst.u.all) == m->port ||
		ntohs(t->src.u.all) == m->port);
}

/* A connection that lived by the old mode: of the module's protocol, and
 * translated, that is, not the router's own.
 */
static int stale_conn(struct nf_conn *ct, void *data)
{
	const struct vpnpass_proto *p = data;
	int i;

	if (!(READ_ONCE(ct->status) & IPS_NAT_MASK))
		return 0;
	for (i = 0; i < p->n_match; i++)
		if (matches_tuple(&p->match[i],
				  &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple))
			return 1;
	return 0;
}

/* Switch and hooks; packets in flight may still see the old mode. Until
 * vpnpass_mode_settle() what lived by it goes on.
 */
int vpnpass_mode_apply(struct vpnpass_net *vn, struct vpnpass_proto *p, u32 mode)
{
	struct vpnpass_proto_net *pn = &vn->proto[p->idx];
	u32 old = pn->mode;
	int err;

	WRITE_ONCE(pn->mode, mode);
	vpnpass_fast_stale(vn);
	err = vpnpass_hooks_update(vn);
	if (err) {
		WRITE_ONCE(pn->mode, old);
		vpnpass_hooks_update(vn);
	} else if (old != mode) {
		pn->stale = true;
	}
	return err;
}

/* End what the old mode let live, so that what comes is treated as the new mode says
 * from its first packet. No packet sees the old mode any more.
 */
void vpnpass_mode_settle(struct vpnpass_net *vn, struct vpnpass_proto *p)
{
	struct vpnpass_proto_net *pn = &vn->proto[p->idx];

	if (!pn->stale)
		return;
	pn->stale = false;
	vpnpass_sessions_end_if(vn, p->idx, NULL, NULL, "switched");
	vpnpass_ct_iterate_net(vn->net, stale_conn, p);
	vpnpass_event_mode(vn, p);
}

/**
 * vpnpass_mode_set() - change a protocol's switch
 * @vn: netns
 * @p: the protocol
 * @mode: enum vpnpass_mode
 *
 * Context: process, vpnpass_mutex.
 * Return: 0 or -errno of hook registration, the old mode then stays.
 */
int vpnpass_mode_set(struct vpnpass_net *vn, struct vpnpass_proto *p, u32 mode)
{
	int err;

	if (vn->proto[p->idx].mode == mode)
		return 0;
	err = vpnpass_mode_apply(vn, p, mode);
	if (err)
		return err;
	synchronize_net();
	vpnpass_mode_settle(vn, p);
	return 0;
}

/* Context: process, vpnpass_mutex. @value has been checked. Returns 0 or -ENOMEM. */
int vpnpass_setting_set(struct vpnpass_net *vn, struct vpnpass_proto *p,
			int idx, u32 value)
{
	int err = 0;

	if (idx && idx == p->fast_setting)
		err = vpnpass_fast_set(vn, p, value);
	else
		WRITE_ONCE(vn->proto[p->idx].setting[idx], value);
	if (err)
		return err;
	vpnpass_event_setting(vn, p, idx);
	return 0;
}
