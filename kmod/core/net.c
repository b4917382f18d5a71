// SPDX-License-Identifier: GPL-2.0
/* State that the whole core shares: network namespaces, slots of protocol modules. */
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "core.h"

/* core.h says what it protects */
DEFINE_MUTEX(vpnpass_mutex);
LIST_HEAD(vpnpass_nets);
unsigned int vpnpass_net_id __read_mostly;
struct vpnpass_proto __rcu *vpnpass_protos[VPNPASS_PROTOS];

struct vpnpass_netns *vpnpass_netns_get(const struct net *net)
{
	return net_generic(net, vpnpass_net_id);
}

/* NULL where nothing has been switched on yet. Context: any. */
struct vpnpass_net *vpnpass_net_get(const struct net *net)
{
	/* pairs with vpnpass_net_make() */
	return smp_load_acquire(&vpnpass_netns_get(net)->vn);
}

/* The module of a protocol's name, or NULL. Context: process, vpnpass_mutex. */
struct vpnpass_proto *vpnpass_proto_find(const char *name)
{
	struct vpnpass_proto *p;
	int i;

	for (i = 0; i < VPNPASS_PROTOS; i++) {
		p = vpnpass_proto_slot(i);
		if (p && !strcmp(p->name, name))
			return p;
	}
	return NULL;
}
