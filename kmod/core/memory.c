// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that packets have us allocate. It is charged to whoever made the netns: what
 * the root of a user namespace can make the router remember is bounded as all else
 * of his is. Packets are handled in softirqs, in which the kernel charges nobody by
 * itself.
 */
#include <linux/slab.h>

#include "core.h"

#define GFP_PACKET	(GFP_ATOMIC | __GFP_NOWARN | __GFP_ACCOUNT)

/* Context: process, that of the task which makes the netns. NULL: nobody is charged. */
struct mem_cgroup *vpnpass_memcg_get(const struct net *net)
{
#if VPNPASS_CAN_CHARGE
	if (!net_eq(net, &init_net) && current->mm)
		return get_mem_cgroup_from_mm(current->mm);
#endif
	return NULL;
}

void vpnpass_memcg_put(struct mem_cgroup *memcg)
{
#if VPNPASS_CAN_CHARGE
	mem_cgroup_put(memcg);
#endif
}

/**
 * vpnpass_alloc_zeroed() - zeroed memory for what a packet begins
 * @vn: netns that it is for
 * @size: in bytes
 *
 * Context: any.
 * Return: memory for kfree(), or NULL.
 */
void *vpnpass_alloc_zeroed(struct vpnpass_net *vn, size_t size)
{
	struct mem_cgroup *old = vpnpass_charge_to(vn->memcg);
	void *p = kzalloc(size, GFP_PACKET);

	vpnpass_charge_to(old);
	return p;
}
EXPORT_SYMBOL_GPL(vpnpass_alloc_zeroed);

/* Zeroed memory of a cache, charged as vpnpass_alloc_zeroed() does. */
void *vpnpass_cache_zalloc(struct vpnpass_net *vn, struct kmem_cache *cache)
{
	struct mem_cgroup *old = vpnpass_charge_to(vn->memcg);
	void *p = kmem_cache_zalloc(cache, GFP_PACKET);

	vpnpass_charge_to(old);
	return p;
}
