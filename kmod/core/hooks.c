// SPDX-License-Identifier: GPL-2.0
/* Which hooks a netns has. */
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>

#include "after_rules.h"
#include "block.h"
#include "hooks.h"
#include "ingress.h"

/* Hooks that each mode needs. */
static const struct nf_hook_ops on_ops[] = {
	{ .hook = vpnpass_ingress_v4, .pf = NFPROTO_IPV4, .hooknum = NF_INET_PRE_ROUTING,
	  .priority = NF_IP_PRI_CONNTRACK - 1 },
	{ .hook = vpnpass_ingress_v4, .pf = NFPROTO_IPV4, .hooknum = NF_INET_LOCAL_OUT,
	  .priority = NF_IP_PRI_CONNTRACK - 1 },
	{ .hook = vpnpass_ingress_v6, .pf = NFPROTO_IPV6, .hooknum = NF_INET_PRE_ROUTING,
	  .priority = NF_IP6_PRI_CONNTRACK - 1 },
	{ .hook = vpnpass_ingress_v6, .pf = NFPROTO_IPV6, .hooknum = NF_INET_LOCAL_OUT,
	  .priority = NF_IP6_PRI_CONNTRACK - 1 },
};

static const struct nf_hook_ops block_ops[] = {
	{ .hook = vpnpass_block_packet, .pf = NFPROTO_IPV4, .hooknum = NF_INET_FORWARD,
	  .priority = NF_IP_PRI_FIRST },
	{ .hook = vpnpass_block_packet, .pf = NFPROTO_IPV6, .hooknum = NF_INET_FORWARD,
	  .priority = NF_IP6_PRI_FIRST },
};

static const struct {
	u32 mode;
	const struct nf_hook_ops *ops;
	unsigned int n;
} hook_sets[] = {
	{ VPNPASS_MODE_ON, on_ops, ARRAY_SIZE(on_ops) },
	{ VPNPASS_MODE_BLOCK, block_ops, ARRAY_SIZE(block_ops) },
};

static bool any_in_mode(const struct vpnpass_net *vn, u32 mode)
{
	int i;

	for (i = 0; i < VPNPASS_PROTOS; i++)
		if (vpnpass_proto_slot(i) && vn->proto[i].mode == mode)
			return true;
	return false;
}

static int hooks_add(struct vpnpass_net *vn, int set)
{
	unsigned int i, n = hook_sets[set].n;
	struct nf_hook_ops *ops;
	int err;

	ops = kmemdup(hook_sets[set].ops, n * sizeof(*ops), GFP_KERNEL);
	if (!ops)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		ops[i].priv = vn;
	err = nf_register_net_hooks(vn->net, ops, n);
	if (err) {
		kfree(ops);
		return err;
	}
	vn->hooks[set] = ops;
	return 0;
}

static void hooks_del(struct vpnpass_net *vn, int set)
{
	if (!vn->hooks[set])
		return;
	nf_unregister_net_hooks(vn->net, vn->hooks[set], hook_sets[set].n);
	kfree(vn->hooks[set]);
	vn->hooks[set] = NULL;
}

/* Have the hooks that the modes need, and no others: a router on which every
 * switch is off pays nothing. New ones first: when memory runs out, those of the
 * old modes are still there to go back to. Process context, vpnpass_mutex.
 */
int vpnpass_hooks_update(struct vpnpass_net *vn)
{
	int set, err;

	for (set = 0; set < ARRAY_SIZE(hook_sets); set++) {
		if (vn->hooks[set] || !any_in_mode(vn, hook_sets[set].mode))
			continue;
		err = hooks_add(vn, set);
		if (err)
			return err;
	}
	for (set = 0; set < ARRAY_SIZE(hook_sets); set++)
		if (!any_in_mode(vn, hook_sets[set].mode))
			hooks_del(vn, set);
	if (!any_in_mode(vn, VPNPASS_MODE_ON))
		vpnpass_rules_drop(vn);
	return 0;
}

void vpnpass_hooks_drop(struct vpnpass_net *vn)
{
	int set;

	for (set = 0; set < ARRAY_SIZE(hook_sets); set++)
		hooks_del(vn, set);
	vpnpass_rules_drop(vn);
}
