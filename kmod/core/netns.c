// SPDX-License-Identifier: GPL-2.0
/*
 * A network namespace's state, and what each protocol has there. In a netns whose switches
 * begin as off it is made when somebody first asks for it: most never have a VPN's packet.
 * Everything here is process context under vpnpass_mutex.
 */
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "after_rules.h"
#include "core.h"
#include "fast.h"
#include "mode.h"
#include "watch.h"

static char *default_mode = "on";
module_param_named(default, default_mode, charp, 0444);
MODULE_PARM_DESC(default, "state of a protocol's switch after loading: on (default), off, block");

static char *default_netns = "off";
module_param(default_netns, charp, 0444);
MODULE_PARM_DESC(default_netns, "the same, in network namespaces but the first: on, off (default), block");

static int mode_parse(const char *name)
{
	static const char *const names[] = { "off", "on", "block" };

	return match_string(names, ARRAY_SIZE(names), name);
}

/* Are the module parameters sound? Said at load, not by the first protocol. */
int vpnpass_default_check(void)
{
	return mode_parse(default_mode) < 0 || mode_parse(default_netns) < 0 ? -EINVAL : 0;
}

static int default_for(const struct net *net)
{
	return mode_parse(net_eq(net, &init_net) ? default_mode : default_netns);
}

/* The protocol is no longer, or not yet, in this netns. */
static void proto_forget(struct vpnpass_proto_net *pn)
{
	WRITE_ONCE(pn->here, false);
	kfree(pn->priv);
	pn->priv = NULL;
	xa_destroy(&pn->sessions);
}

/* The protocol is switched off until vpnpass_proto_net_begin(). */
static int proto_net_init(struct vpnpass_net *vn, struct vpnpass_proto *p)
{
	struct vpnpass_proto_net *pn = &vn->proto[p->idx];
	int i, err = -ENOMEM;

	memset(pn, 0, sizeof(*pn));
	xa_init(&pn->sessions);
	for (i = 0; i < p->n_settings; i++)
		pn->setting[i] = p->settings[i].def;
	if (p->net_size) {
		pn->priv = kzalloc(p->net_size, GFP_KERNEL);
		if (!pn->priv)
			goto free;
	}
	err = p->ops->net_init ? p->ops->net_init(vn) : 0;
	if (err)
		goto free;
	WRITE_ONCE(pn->here, true);
	return 0;
free:
	proto_forget(pn);
	return err;
}

/* The switch has its default afterwards, and vpnpass_mode_settle() is still to come where
 * packets have passed the netns before.
 */
int vpnpass_proto_net_init(struct vpnpass_net *vn, struct vpnpass_proto *p)
{
	int err = proto_net_init(vn, p);

	return err ?: vpnpass_mode_apply(vn, p, default_for(vn->net));
}

/* No packet comes to the protocol any more. */
void vpnpass_proto_net_exit(struct vpnpass_net *vn, struct vpnpass_proto *p)
{
	struct vpnpass_proto_net *pn = &vn->proto[p->idx];

	if (!vpnpass_proto_is_here(pn))
		return;
	if (vn->dead)
		vpnpass_sessions_end_if(vn, p->idx, NULL, NULL, "netns gone");
	else
		vpnpass_mode_settle(vn, p);
	/* the sweep may be in the middle of ending some of them */
	flush_delayed_work(&vn->sweep);
	if (p->ops->net_exit)
		p->ops->net_exit(vn);
	proto_forget(pn);
}

static int tables_init(struct vpnpass_net *vn)
{
	int err;

	err = vpnpass_pins_init(vn);
	if (err)
		return err;
	err = vpnpass_sessions_init(vn);
	if (err)
		goto pins;
	err = vpnpass_quotas_init(vn);
	if (!err)
		return 0;
	vpnpass_sessions_exit(vn);
pins:
	vpnpass_pins_exit(vn);
	return err;
}

/* All protocols first, and then their switches: what fails has been seen by no packet. */
static int protos_init(struct vpnpass_net *vn)
{
	int i, err = 0;

	for (i = 0; i < VPNPASS_PROTOS && !err; i++)
		if (vpnpass_proto_slot(i))
			err = proto_net_init(vn, vpnpass_proto_slot(i));
	for (i = 0; i < VPNPASS_PROTOS && !err; i++)
		if (vpnpass_proto_slot(i))
			err = vpnpass_mode_apply(vn, vpnpass_proto_slot(i), default_for(vn->net));
	return err;
}

/* No packet comes any more, and no work of its is left. */
void vpnpass_net_free(struct vpnpass_net *vn)
{
	int i;

	for (i = 0; i < VPNPASS_PROTOS; i++)
		if (vpnpass_proto_slot(i))
			vpnpass_proto_net_exit(vn, vpnpass_proto_slot(i));
	vpnpass_fast_exit(vn);
	vpnpass_watches_exit(vn);
	vpnpass_quotas_exit(vn);
	vpnpass_sessions_exit(vn);
	vpnpass_pins_exit(vn);
	kfree(vn);
}

/**
 * vpnpass_net_make() - a netns's state, made if there is none
 * @net: netns
 *
 * Context: process, vpnpass_mutex.
 * Return: the state, or an ERR_PTR: -ENODEV when the netns is on its way out, -ENOMEM.
 */
struct vpnpass_net *vpnpass_net_make(struct net *net)
{
	struct vpnpass_netns *ns = vpnpass_netns_get(net);
	struct vpnpass_net *vn = ns->vn;
	int err;

	if (ns->dead)
		return ERR_PTR(-ENODEV);
	if (vn)
		return vn;
	vn = kzalloc(sizeof(*vn), GFP_KERNEL_ACCOUNT);
	if (!vn)
		return ERR_PTR(-ENOMEM);
	vn->net = net;
	vn->memcg = ns->memcg;
	spin_lock_init(&vn->lock);
	vpnpass_sweep_init(vn);
	vpnpass_rules_init(vn);
	err = tables_init(vn);
	if (err) {
		kfree(vn);
		return ERR_PTR(err);
	}
	err = protos_init(vn);
	if (err) {
		vn->dead = true;
		vpnpass_net_free(vn);
		return ERR_PTR(err);
	}
	/* pairs with vpnpass_net_get() */
	smp_store_release(&ns->vn, vn);
	return vn;
}

/* The same where switches do not begin as off, and in the first netns, whose limits hold
 * for all.
 */
int vpnpass_net_begin(struct net *net)
{
	if (!net_eq(net, &init_net) && default_for(net) == VPNPASS_MODE_OFF)
		return 0;
	return PTR_ERR_OR_ZERO(vpnpass_net_make(net));
}
