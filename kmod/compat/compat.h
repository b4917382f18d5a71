/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All that differs between the kernels that vpnpass builds for. What a kernel
 * has is found out by compiling (kmod/compat/probe); headers that some lack
 * altogether are in fallback/.
 */
#ifndef VPNPASS_COMPAT_H
#define VPNPASS_COMPAT_H

#include <linux/sysctl.h>
#include <linux/timer.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_helper.h>

#include "probed.h"

static inline void
vpnpass_ct_iterate_net(struct net *net,
		       int (*iter)(struct nf_conn *ct, void *data), void *data)
{
#ifdef HAVE_CT_ITER_DATA
	struct nf_ct_iter_data iter_data = { .net = net, .data = data };

	nf_ct_iterate_cleanup_net(iter, &iter_data);
#else
	nf_ct_iterate_cleanup_net(net, iter, data, 0, 0);
#endif
}

#ifdef HAVE_CTL_CONST
#define VPNPASS_CTL_TABLE const struct ctl_table
#else
#define VPNPASS_CTL_TABLE struct ctl_table
#endif

/* Where the size of a table is wanted (6.6), the old name is a macro. */
static inline struct ctl_table_header *
vpnpass_register_sysctl(struct net *net, const char *path,
			struct ctl_table *table)
{
#ifdef register_net_sysctl
	return register_net_sysctl_sz(net, path, table, 1);
#else
	return register_net_sysctl(net, path, table);
#endif
}

static inline void vpnpass_timer_cancel(struct timer_list *timer)
{
#ifdef HAVE_TIMER_DELETE
	timer_delete(timer);
#else
	del_timer(timer);
#endif
}

/* 6.16 and later: timer callbacks find their object by timer_container_of(). */
#ifndef from_timer
#define from_timer(var, timer, field) timer_container_of(var, timer, field)
#endif

/* 6.10 took the source out of __assign_str(); this is what it does. */
#define vpnpass_assign_str(dst, src)					\
	memcpy(__get_dynamic_array(dst), src, strlen(src) + 1)

#ifdef HAVE_GENL_RESV_START
#define VPNPASS_GENL_RESV_START(op) .resv_start_op = (op),
#else
#define VPNPASS_GENL_RESV_START(op)
#endif

static inline struct nlattr *const *vpnpass_dump_attrs(struct netlink_callback *cb)
{
#ifdef HAVE_GENL_INFO_DUMP
	return genl_info_dump(cb)->attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

typedef int vpnpass_help_fn(struct sk_buff *skb, unsigned int protoff,
			    struct nf_conn *ct, enum ip_conntrack_info ctinfo);

#ifdef HAVE_HELPER_COPY
static inline int vpnpass_compat_helper_new(struct nf_conntrack_helper **helper,
					    vpnpass_help_fn *fn)
{
	static const struct nf_conntrack_expect_policy none[1];
	struct nf_conntrack_helper *tmpl;
	int err;

	tmpl = kzalloc(sizeof(*tmpl), GFP_KERNEL);
	if (!tmpl)
		return -ENOMEM;
	nf_ct_helper_init(tmpl, NFPROTO_UNSPEC, IPPROTO_RAW, "vpnpass", none, 0,
			  fn, NULL, THIS_MODULE);
	err = nf_conntrack_helper_register(tmpl, helper);
	kfree(tmpl);
	return err;
}

/* They give it back when they are freed. */
static inline void vpnpass_compat_helper_set(struct nf_conn_help *help,
					     struct nf_conntrack_helper *helper)
{
	refcount_inc(&helper->ct_refcnt);
	rcu_assign_pointer(help->helper, helper);
}

static inline void vpnpass_compat_helper_free(struct nf_conntrack_helper *helper)
{
	nf_conntrack_helper_unregister(helper);
}
#else
static inline int vpnpass_compat_helper_new(struct nf_conntrack_helper **helper,
					    vpnpass_help_fn *fn)
{
	static struct nf_conntrack_helper our = { .name = "vpnpass" };

	our.help = fn;
	our.me = THIS_MODULE;
	*helper = &our;
	return 0;
}

static inline void vpnpass_compat_helper_set(struct nf_conn_help *help,
					     struct nf_conntrack_helper *helper)
{
	rcu_assign_pointer(help->helper, helper);
}

static inline int vpnpass_compat_unhelp(struct nf_conn *ct, void *helper)
{
	struct nf_conn_help *help = nfct_help(ct);

	if (help && rcu_access_pointer(help->helper) == helper)
		RCU_INIT_POINTER(help->helper, NULL);
	return 0;
}

/* What is not registered is in no list, but for those of connections. */
static inline void vpnpass_compat_helper_free(struct nf_conntrack_helper *helper)
{
	nf_ct_iterate_destroy(vpnpass_compat_unhelp, helper);
}
#endif

#endif /* VPNPASS_COMPAT_H */
