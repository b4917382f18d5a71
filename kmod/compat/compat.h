/* SPDX-License-Identifier: GPL-2.0 */
/* All that differs between the kernels that vpnpass builds for. */
#ifndef VPNPASS_COMPAT_H
#define VPNPASS_COMPAT_H

#include <linux/sysctl.h>
#include <linux/timer.h>
#include <linux/version.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>
#include <net/netfilter/nf_conntrack_core.h>

/* 5.19 gathered the arguments of the iterator in a struct. */
static inline void
vpnpass_ct_iterate_net(struct net *net,
		       int (*iter)(struct nf_conn *ct, void *data), void *data)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 19, 0)
	struct nf_ct_iter_data iter_data = { .net = net, .data = data };

	nf_ct_iterate_cleanup_net(iter, &iter_data);
#else
	nf_ct_iterate_cleanup_net(net, iter, data, 0, 0);
#endif
}

/* 6.6 wants the size of a table, 6.11 no end mark, and 6.11 made handlers const. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
#define VPNPASS_CTL_TABLE const struct ctl_table
#else
#define VPNPASS_CTL_TABLE struct ctl_table
#endif

static inline struct ctl_table_header *
vpnpass_register_sysctl(struct net *net, const char *path,
			struct ctl_table *table)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	return register_net_sysctl_sz(net, path, table, 1);
#else
	return register_net_sysctl(net, path, table);
#endif
}

/* 6.2 has the new name, 6.15 no longer the old one. */
static inline void vpnpass_timer_cancel(struct timer_list *timer)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	timer_delete(timer);
#else
	del_timer(timer);
#endif
}

/* 6.16 and later: timer callbacks find their object by timer_container_of(). */
#ifndef from_timer
#define from_timer(var, timer, field) timer_container_of(var, timer, field)
#endif

/* 6.10 took the source out of __assign_str(). */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define vpnpass_assign_str(dst, src) __assign_str(dst)
#else
#define vpnpass_assign_str(dst, src) __assign_str(dst, src)
#endif

/* 6.1 checks the reserved header bytes of operations from this one on. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0)
#define VPNPASS_GENL_RESV_START(op) .resv_start_op = (op),
#else
#define VPNPASS_GENL_RESV_START(op)
#endif

/* 6.7 has the attributes of a dump where those of a do are. */
static inline struct nlattr *const *vpnpass_dump_attrs(struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	return genl_info_dump(cb)->attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

#endif /* VPNPASS_COMPAT_H */
