// SPDX-License-Identifier: GPL-2.0
/*
 * The registry of protocol modules, which begin and end in every netns at once.
 * Everything here is process context under vpnpass_mutex.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "core.h"
#include "match.h"
#include "mode.h"

/* Out of every netns, with one wait for the packets of all of them. */
static void proto_remove(struct vpnpass_proto *p)
{
	struct vpnpass_netns *ns;

	list_for_each_entry(ns, &vpnpass_nets, list) {
		/* its handler may be waiting for vpnpass_mutex */
		vpnpass_sysctl_del(ns, p->idx);
		if (ns->vn && vpnpass_proto_is_here(&ns->vn->proto[p->idx]) && !ns->dead)
			vpnpass_mode_apply(ns->vn, p, VPNPASS_MODE_OFF);
	}
	vpnpass_match_del(p);
	RCU_INIT_POINTER(vpnpass_protos[p->idx], NULL);
	synchronize_net();
	list_for_each_entry(ns, &vpnpass_nets, list)
		if (ns->vn)
			vpnpass_proto_net_exit(ns->vn, p);
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

static int begin_in(struct vpnpass_netns *ns, struct vpnpass_proto *p)
{
	if (ns->dead)
		return 0;
	return vpnpass_sysctl_add(ns, p) ?:
	       (ns->vn ? vpnpass_proto_net_init(ns->vn, p) : vpnpass_net_begin(ns->net));
}

static int proto_add(struct vpnpass_proto *p)
{
	struct vpnpass_netns *ns;
	int err;

	err = free_slot(p);
	if (err < 0)
		return err;
	p->idx = err;
	err = vpnpass_match_add(p);
	if (err)
		return err;
	rcu_assign_pointer(vpnpass_protos[p->idx], p);
	list_for_each_entry(ns, &vpnpass_nets, list) {
		err = begin_in(ns, p);
		if (err) {
			proto_remove(p);
			return err;
		}
	}
	synchronize_net();
	list_for_each_entry(ns, &vpnpass_nets, list)
		if (ns->vn && !ns->dead)
			vpnpass_mode_settle(ns->vn, p);
	return 0;
}

/* After the last packet has left the module's callbacks. */
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
 * VPNPASS_PROTOS modules are loaded, -ENOMEM.
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
 * vpnpass_proto_unregister() - a module ends: plain NAT again in every netns
 * @p: the module
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
