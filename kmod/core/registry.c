// SPDX-License-Identifier: GPL-2.0
/*
 * The registry of protocol modules, and what begins and ends with each in each netns.
 * Everything here is process context under vpnpass_mutex.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "core.h"
#include "match.h"
#include "mode.h"

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
static void net_forget(struct vpnpass_proto_net *pn)
{
	WRITE_ONCE(pn->here, false);
	kfree(pn->priv);
	pn->priv = NULL;
	pn->sysctl = NULL;
	xa_destroy(&pn->sessions);
}

/* The switch has its default afterwards, and vpnpass_mode_settle() is still to come where
 * packets have passed the netns before.
 */
int vpnpass_proto_net_init(struct vpnpass_net *vn, struct vpnpass_proto *p)
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
	err = vpnpass_sysctl_add(vn, p);
	if (err)
		goto exit;
	err = vpnpass_mode_apply(vn, p, default_for(vn->net));
	if (!err)
		return 0;
	vpnpass_sysctl_del(pn->sysctl);
exit:
	if (p->ops->net_exit)
		p->ops->net_exit(vn);
free:
	net_forget(pn);
	return err;
}

/* The sysctl is gone already: its handler may be waiting for vpnpass_mutex. No packet
 * comes to the protocol any more.
 */
void vpnpass_proto_net_exit(struct vpnpass_net *vn, struct vpnpass_proto *p)
{
	struct vpnpass_proto_net *pn = &vn->proto[p->idx];

	if (vn->dead)
		vpnpass_sessions_end_if(vn, p->idx, NULL, NULL, "netns gone");
	else
		vpnpass_mode_settle(vn, p);
	/* the sweep may be in the middle of ending some of them */
	flush_delayed_work(&vn->sweep);
	if (p->ops->net_exit)
		p->ops->net_exit(vn);
	net_forget(pn);
}

static void drop_sysctls(int idx)
{
	struct vpnpass_net *vn;

	list_for_each_entry(vn, &vpnpass_nets, list) {
		vpnpass_sysctl_del(vn->proto[idx].sysctl);
		vn->proto[idx].sysctl = NULL;
	}
}

/* Out of every netns, with one wait for the packets of all of them. */
static void proto_remove(struct vpnpass_proto *p)
{
	struct vpnpass_net *vn;

	drop_sysctls(p->idx);
	list_for_each_entry(vn, &vpnpass_nets, list)
		if (vpnpass_proto_is_here(&vn->proto[p->idx]) && !vn->dead)
			vpnpass_mode_apply(vn, p, VPNPASS_MODE_OFF);
	vpnpass_match_del(p);
	RCU_INIT_POINTER(vpnpass_protos[p->idx], NULL);
	synchronize_net();
	list_for_each_entry(vn, &vpnpass_nets, list)
		if (vpnpass_proto_is_here(&vn->proto[p->idx]))
			vpnpass_proto_net_exit(vn, p);
}

static int free_slot(const struct vpnpass_proto *p)
{
	int i;

	if (vpnpass_proto_find(p->name))
		return -EEXIST;
	for (i = 0; i < VPNPASS_PROTOS; i++)
		if (!vpnpass_proto_slot(i))
			return i;
	return -ENOSPC;
}

static int proto_add(struct vpnpass_proto *p)
{
	struct vpnpass_net *vn;
	int err;

	err = free_slot(p);
	if (err < 0)
		return err;
	p->idx = err;
	err = vpnpass_match_add(p);
	if (err)
		return err;
	rcu_assign_pointer(vpnpass_protos[p->idx], p);
	list_for_each_entry(vn, &vpnpass_nets, list) {
		err = vn->dead ? 0 : vpnpass_proto_net_init(vn, p);
		if (err) {
			proto_remove(p);
			return err;
		}
	}
	synchronize_net();
	list_for_each_entry(vn, &vpnpass_nets, list)
		if (!vn->dead)
			vpnpass_mode_settle(vn, p);
	return 0;
}

/* After the last packet has left the helper's callbacks. */
static void proto_gone(struct vpnpass_proto *p)
{
	synchronize_rcu();
	rcu_barrier();
	kmem_cache_destroy(p->cache);
}

/**
 * vpnpass_proto_register() - a protocol module begins, in every netns
 * @p: the module; stays valid until vpnpass_proto_unregister() returns
 * @ops: its callbacks, likewise
 *
 * Context: process.
 * Return: 0, -EEXIST when its name or protocol is taken, -ENOSPC when
 * VPNPASS_PROTOS helpers are loaded, -ENOMEM.
 */
int vpnpass_proto_register(struct vpnpass_proto *p, const struct vpnpass_ops *ops)
{
	char name[32];
	int err;

	if (WARN_ON(p->n_settings > VPNPASS_SETTINGS ||
		    p->n_counters > VPNPASS_COUNTERS))
		return -EINVAL;
	p->ops = ops;
	snprintf(name, sizeof(name), "vpnpass_%s_session", p->name);
	p->cache = kmem_cache_create(name, p->session_size, 0, SLAB_ACCOUNT, NULL);
	if (!p->cache)
		return -ENOMEM;
	mutex_lock(&vpnpass_mutex);
	err = proto_add(p);
	mutex_unlock(&vpnpass_mutex);
	if (err)
		proto_gone(p);
	return err;
}
EXPORT_SYMBOL_GPL(vpnpass_proto_register);

/**
 * vpnpass_proto_unregister() - a helper ends: plain NAT again in every netns
 * @p: the helper
 *
 * Context: process. No callback of @p runs after the return.
 */
void vpnpass_proto_unregister(struct vpnpass_proto *p)
{
	mutex_lock(&vpnpass_mutex);
	proto_remove(p);
	mutex_unlock(&vpnpass_mutex);
	proto_gone(p);
}
EXPORT_SYMBOL_GPL(vpnpass_proto_unregister);

/**
 * vpnpass_hint_send() - a client is at a key exchange: tell who may care
 * @vn: netns
 * @hint: who with whom
 *
 * Context: softirq, RCU read side.
 */
void vpnpass_hint_send(struct vpnpass_net *vn, const struct vpnpass_hint *hint)
{
	const struct vpnpass_proto *p;
	int i;

	for (i = 0; i < VPNPASS_PROTOS; i++) {
		p = rcu_dereference(vpnpass_protos[i]);
		if (p && p->ops->hint &&
		    READ_ONCE(vn->proto[i].mode) == VPNPASS_MODE_ON)
			p->ops->hint(vn, hint);
	}
}
EXPORT_SYMBOL_GPL(vpnpass_hint_send);
