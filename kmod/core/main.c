// SPDX-License-Identifier: GPL-2.0
/* Loading, unloading, and network namespaces coming and going. */
#include <linux/inetdevice.h>
#include <linux/module.h>
#include <linux/netdevice.h>

#include "after_rules.h"
#include "core.h"
#include "egress.h"
#include "fast.h"
#include "hooks.h"

static void sysctls_del(struct vpnpass_netns *ns)
{
	int i;

	for (i = 0; i < VPNPASS_PROTOS; i++)
		vpnpass_sysctl_del(ns, i);
}

static int __net_init net_init(struct net *net)
{
	struct vpnpass_netns *ns = vpnpass_netns_get(net);
	int i, err = 0;

	ns->net = net;
	ns->memcg = vpnpass_memcg_get(net);
	mutex_lock(&vpnpass_mutex);
	for (i = 0; i < VPNPASS_PROTOS && !err; i++)
		if (vpnpass_proto_slot(i))
			err = vpnpass_sysctl_add(ns, vpnpass_proto_slot(i));
	err = err ?: vpnpass_net_begin(net);
	if (err) {
		sysctls_del(ns);
		vpnpass_memcg_put(ns->memcg);
	} else {
		list_add_tail(&ns->list, &vpnpass_nets);
	}
	mutex_unlock(&vpnpass_mutex);
	return err;
}

/* No packet comes in after this and the grace period that follows it. Still in
 * the list: a module that is unloaded meanwhile has to clean up here, too.
 */
static void __net_exit net_pre_exit(struct net *net)
{
	struct vpnpass_netns *ns = vpnpass_netns_get(net);

	mutex_lock(&vpnpass_mutex);
	ns->dead = true;
	if (ns->vn) {
		WRITE_ONCE(ns->vn->dead, true);
		vpnpass_hooks_drop(ns->vn);
	}
	mutex_unlock(&vpnpass_mutex);
}

/* Runs before conntrack's exit, which waits for the entries that we hold. */
static void __net_exit net_exit(struct net *net)
{
	struct vpnpass_netns *ns = vpnpass_netns_get(net);
	struct vpnpass_net *vn = ns->vn;

	if (vn) {
		cancel_delayed_work_sync(&vn->sweep);
		vpnpass_rules_exit(vn);
	}
	mutex_lock(&vpnpass_mutex);
	list_del(&ns->list);
	sysctls_del(ns);
	if (vn)
		vpnpass_net_free(vn);
	mutex_unlock(&vpnpass_mutex);
	vpnpass_memcg_put(ns->memcg);
}

static struct pernet_operations net_ops = {
	.init = net_init,
	.pre_exit = net_pre_exit,
	.exit = net_exit,
	.id = &vpnpass_net_id,
	.size = sizeof(struct vpnpass_netns),
};

/* Notifiers run under RTNL, which must not wait for vpnpass_mutex: it is held while
 * packets are waited for.
 */
static int netdev_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct vpnpass_net *vn = vpnpass_net_get(dev_net(netdev_notifier_info_to_dev(ptr)));

	/* a new name, address, master, VLAN filter, driver, ...: few of them flush routes */
	if (vn)
		vpnpass_fast_stale(vn);
	return NOTIFY_DONE;
}

static struct notifier_block netdev_notifier = {
	.notifier_call = netdev_event,
};

/* Masquerading ends the connections of an address that goes, but not those that
 * were made without a packet: it does not know them for its own.
 */
static int inetaddr_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	const struct in_ifaddr *ifa = ptr;
	struct vpnpass_net *vn = vpnpass_net_get(dev_net(ifa->ifa_dev->dev));

	if (vn && event == NETDEV_DOWN)
		vpnpass_sessions_doom(vn, ifa->ifa_local);
	return NOTIFY_DONE;
}

static struct notifier_block inetaddr_notifier = {
	.notifier_call = inetaddr_event,
};

static int __init vpnpass_init(void)
{
	int err;

	err = vpnpass_default_check();
	if (err) {
		pr_err("vpnpass: parameters default= and default_netns= take on, off or block\n");
		return err;
	}
	err = vpnpass_help_init(vpnpass_packet_leaves);
	if (err)
		return err;
	err = register_pernet_subsys(&net_ops);
	if (err)
		goto help;
	err = register_netdevice_notifier(&netdev_notifier);
	if (err)
		goto pernet;
	err = register_inetaddr_notifier(&inetaddr_notifier);
	if (err)
		goto netdev;
	err = vpnpass_netlink_init();
	if (!err)
		return 0;
	unregister_inetaddr_notifier(&inetaddr_notifier);
netdev:
	unregister_netdevice_notifier(&netdev_notifier);
pernet:
	unregister_pernet_subsys(&net_ops);
help:
	vpnpass_help_exit();
	return err;
}

static void __exit vpnpass_exit(void)
{
	vpnpass_netlink_exit();
	unregister_inetaddr_notifier(&inetaddr_notifier);
	unregister_netdevice_notifier(&netdev_notifier);
	/* while the netns' data are there for a packet on its way out */
	vpnpass_help_exit();
	unregister_pernet_subsys(&net_ops);
	rcu_barrier();
}

module_init(vpnpass_init);
module_exit(vpnpass_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("VPN passthrough for NAT routers: core");
MODULE_VERSION(VPNPASS_VERSION);
