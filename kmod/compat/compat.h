/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All that differs between the kernels that vpnpass builds for. What a kernel
 * has is found out by compiling (kmod/compat/probe), what it does by its version;
 * headers that some lack altogether are in fallback/.
 */
#ifndef VPNPASS_COMPAT_H
#define VPNPASS_COMPAT_H

#include <linux/l2tp.h>
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <linux/sysctl.h>
#include <linux/timer.h>
#include <linux/version.h>
#include <net/dst.h>
#include <net/genetlink.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
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

/* Does the NAT core rewrite the call IDs of GRE? That part of it is built along with
 * the kernel's PPTP helper alone, which is to be removed.
 */
#define VPNPASS_NAT_HAS_GRE IS_ENABLED(CONFIG_NF_CT_PROTO_GRE)

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

/*
 * Before 5.15 (conntrack: include zone id in tuple hash again) NAT takes a port for
 * used in every reply zone when a flow from outside to the router has it.
 */
#define VPNPASS_ZONES_SHARE_PORTS (LINUX_VERSION_CODE < KERNEL_VERSION(5, 15, 0))

/* Before 5.15 modules cannot charge a control group for what a softirq allocates. */
#if defined(CONFIG_MEMCG) && LINUX_VERSION_CODE >= KERNEL_VERSION(5, 15, 0)
#define VPNPASS_CAN_CHARGE	1
static inline struct mem_cgroup *vpnpass_charge_to(struct mem_cgroup *memcg)
{
	return set_active_memcg(memcg);
}
#else
#define VPNPASS_CAN_CHARGE	0
static inline struct mem_cgroup *vpnpass_charge_to(struct mem_cgroup *memcg)
{
	return NULL;
}
#endif

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

/* Kernels that lack it (before 6.7 and the stable releases of December 2023) let anybody
 * in a netns listen to a multicast group.
 */
#ifdef GENL_MCAST_CAP_NET_ADMIN
#define VPNPASS_MCAST_ADMIN	GENL_MCAST_CAP_NET_ADMIN
#else
#define VPNPASS_MCAST_ADMIN	0
#endif

static inline struct nlattr *const *vpnpass_dump_attrs(struct netlink_callback *cb)
{
#ifdef HAVE_GENL_INFO_DUMP
	return genl_info_dump(cb)->attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

/* For what is on the stack of the packet path and written before it is read: kernels that
 * clear the stack would do so packet by packet.
 */
#if __has_attribute(uninitialized)
#define VPNPASS_UNINITIALIZED	__attribute__((uninitialized))
#else
#define VPNPASS_UNINITIALIZED
#endif

#ifndef __flatten
#define __flatten	__attribute__((__flatten__))
#endif

static inline void vpnpass_skb_clear_tstamp(struct sk_buff *skb)
{
#ifdef HAVE_SKB_CLEAR_TSTAMP
	skb_clear_tstamp(skb);
#else
	skb->tstamp = 0;
#endif
}

static inline struct net_device *vpnpass_dst_dev(const struct dst_entry *dst)
{
#ifdef HAVE_DST_DEV
	return dst_dev(dst);
#else
	return dst->dev;
#endif
}

/* Does somebody trace the packet through his rules, or has a switch sent it on already? */
static inline bool vpnpass_skb_is_special(const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_NETFILTER_XT_TARGET_TRACE) || IS_ENABLED(CONFIG_NF_TABLES)
	if (skb->nf_trace)
		return true;
#endif
#ifdef CONFIG_NET_SWITCHDEV
	if (skb->offload_l3_fwd_mark)
		return true;
#endif
	return false;
}

/* Count as ip_forward() and ip_output() do. Before 6.6 both count the octets. */
static inline void vpnpass_count_forwarded_v4(struct net *net, const struct sk_buff *skb)
{
	__IP_INC_STATS(net, IPSTATS_MIB_OUTFORWDATAGRAMS);
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	__IP_ADD_STATS(net, IPSTATS_MIB_OUTOCTETS, skb->len);
#endif
	IP_UPD_PO_STATS(net, IPSTATS_MIB_OUT, skb->len);
}

/* Count as ip6_forward() does. Before 6.6 packets that are forwarded are no requests. */
static inline void vpnpass_count_forwarded_v6(struct net *net, const struct sk_buff *skb)
{
	struct inet6_dev *idev = ip6_dst_idev(skb_dst(skb));

	__IP6_INC_STATS(net, idev, IPSTATS_MIB_OUTFORWDATAGRAMS);
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	__IP6_ADD_STATS(net, idev, IPSTATS_MIB_OUTOCTETS, skb->len);
#else
	IP6_UPD_PO_STATS(net, idev, IPSTATS_MIB_OUT, skb->len);
#endif
}

static inline unsigned int vpnpass_dst_mtu_v6(const struct dst_entry *dst)
{
#ifdef HAVE_IP6_DST_MTU
	return ip6_dst_mtu_maybe_forward(dst, true);
#else
	return ip6_dst_mtu_forward(dst);
#endif
}

/*
 * Conntrack helpers that expect nothing, one for each protocol. From 7.3 on, and in
 * 7.2.12, conntrack keeps a copy of what it is given, whose users are counted; before,
 * it takes the helper from connections when that goes. Before 6.0 conntrack may look
 * for a helper by the port a flow answers from: it is one that no answer has.
 */
static const u8 vpnpass_helper_l4proto[] = {
	IPPROTO_TCP, IPPROTO_UDP, IPPROTO_GRE, IPPROTO_ESP, IPPROTO_L2TP,
};

#define VPNPASS_HELPERS		ARRAY_SIZE(vpnpass_helper_l4proto)
typedef int vpnpass_help_fn(struct sk_buff *skb, unsigned int protoff,
			    struct nf_conn *ct, enum ip_conntrack_info ctinfo);

#define VPNPASS_HELPER_NAME	"vpnpass"

#ifdef HAVE_HELPER_COPY
static inline int vpnpass_compat_helper_new(struct nf_conntrack_helper **helper,
					    int i, vpnpass_help_fn *fn)
{
	static const struct nf_conntrack_expect_policy none;
	struct nf_conntrack_helper *given;
	int err;

	given = kzalloc(sizeof(*given), GFP_KERNEL);
	if (!given)
		return -ENOMEM;
#ifdef HAVE_HELPER_PORTS
	nf_ct_helper_init(given, NFPROTO_UNSPEC, vpnpass_helper_l4proto[i],
			  VPNPASS_HELPER_NAME, 0, 0, 0, &none, 0, fn, NULL, THIS_MODULE);
#else
	nf_ct_helper_init(given, NFPROTO_UNSPEC, vpnpass_helper_l4proto[i],
			  VPNPASS_HELPER_NAME, &none, 0, fn, NULL, THIS_MODULE);
#endif
	err = nf_conntrack_helper_register(given, helper);
	kfree(given);
	return err;
}

static inline void vpnpass_compat_helper_set(struct nf_conn_help *help,
					     struct nf_conntrack_helper *helper)
{
	refcount_inc(&helper->ct_refcnt);
	rcu_assign_pointer(help->helper, helper);
}

/* Not the last user: the registration is one. */
static inline void vpnpass_compat_helper_unset(struct nf_conntrack_helper *helper)
{
	refcount_dec(&helper->ct_refcnt);
}
#else
static inline int vpnpass_compat_helper_new(struct nf_conntrack_helper **helper,
					    int i, vpnpass_help_fn *fn)
{
	static const struct nf_conntrack_expect_policy none;
	static struct nf_conntrack_helper ours[VPNPASS_HELPERS];

	ours[i] = (struct nf_conntrack_helper) {
		.name = VPNPASS_HELPER_NAME,
		.me = THIS_MODULE,
		.expect_policy = &none,
		.tuple.src.l3num = NFPROTO_UNSPEC,
		.tuple.src.u.all = htons(U16_MAX),
		.tuple.dst.protonum = vpnpass_helper_l4proto[i],
		.help = fn,
	};
	*helper = &ours[i];
	return nf_conntrack_helper_register(&ours[i]);
}

static inline void vpnpass_compat_helper_set(struct nf_conn_help *help,
					     struct nf_conntrack_helper *helper)
{
	rcu_assign_pointer(help->helper, helper);
}

static inline void vpnpass_compat_helper_unset(struct nf_conntrack_helper *helper)
{
}
#endif

#endif /* VPNPASS_COMPAT_H */
