/* SPDX-License-Identifier: GPL-2.0 */
/* Declarations that the core's own files share; modules include vpnpass.h alone. */
#ifndef VPNPASS_CORE_PRIVATE_H
#define VPNPASS_CORE_PRIVATE_H

#include "../compat/compat.h"
#include "trace.h"
#include "vpnpass.h"

/**
 * struct vpnpass_netns - what there is of every network namespace
 * @net: itself
 * @list: vpnpass_nets, vpnpass_mutex
 * @vn: its state, once it has any; vpnpass_net_get()
 * @sysctl: of each protocol; vpnpass_mutex
 * @memcg: whoever made it is charged for what packets allocate there; or NULL
 * @dead: on its way out; vpnpass_mutex
 */
struct vpnpass_netns {
	struct net *net;
	struct list_head list;
	struct vpnpass_net *vn;
	struct ctl_table_header *sysctl[VPNPASS_PROTOS];
	struct mem_cgroup *memcg;
	bool dead;
};

/* net.c */
extern struct mutex vpnpass_mutex;	/* registry, modes, settings, netns list */
extern struct list_head vpnpass_nets;	/* vpnpass_mutex */
extern unsigned int vpnpass_net_id;
extern struct vpnpass_proto __rcu *vpnpass_protos[VPNPASS_PROTOS];
struct vpnpass_netns *vpnpass_netns_get(const struct net *net);
struct vpnpass_net *vpnpass_net_get(const struct net *net);
struct vpnpass_proto *vpnpass_proto_find(const char *name);

/* The registered module of a slot; vpnpass_mutex held. */
static inline struct vpnpass_proto *vpnpass_proto_slot(int idx)
{
	return rcu_dereference_protected(vpnpass_protos[idx],
					 lockdep_is_held(&vpnpass_mutex));
}

/* Has the module been set up in this netns? Sessions come and go meanwhile. */
static inline bool vpnpass_proto_is_here(const struct vpnpass_proto_net *pn)
{
	return READ_ONCE(pn->here);
}

/* netns.c */
int vpnpass_default_check(void);
int vpnpass_proto_net_init(struct vpnpass_net *vn, struct vpnpass_proto *p);
void vpnpass_proto_net_exit(struct vpnpass_net *vn, struct vpnpass_proto *p);
struct vpnpass_net *vpnpass_net_make(struct net *net);
int vpnpass_net_begin(struct net *net);
void vpnpass_net_free(struct vpnpass_net *vn);

/* helper.c */
int vpnpass_help_init(int (*leaving)(struct sk_buff *skb, unsigned int protoff,
				     struct nf_conn *ct, enum ip_conntrack_info ctinfo));
void vpnpass_help_exit(void);
bool vpnpass_conn_watched(const struct nf_conn *ct);
bool vpnpass_conn_watch(struct nf_conn *ct, const struct sk_buff *skb);
void vpnpass_conn_rewatch(struct nf_conn *ct, u8 at);

/**
 * vpnpass_renumber() - translate a packet's number, where the NAT core does not
 * @pin: the packet's, or that of the packet an error quotes
 * @skb: the packet or the error
 * @thoff: offset of the header with the number, from skb->data
 * @csum_off: offset of a checksum over it, or 0
 *
 * Context: softirq, RCU read side.
 * Return: NF_ACCEPT, or NF_DROP: no memory.
 */
static inline unsigned int
vpnpass_renumber(const struct vpnpass_pin *pin, struct sk_buff *skb,
		 unsigned int thoff, unsigned int csum_off)
{
	const struct vpnpass_session *s = pin->session;

	if (VPNPASS_NAT_HAS_GRE || !s->proto->ops->renumber ||
	    s->proto->ops->renumber(pin, skb, thoff, csum_off))
		return NF_ACCEPT;
	vpnpass_count(s->vn, s->proto, VPNPASS_CNT_NO_MEMORY);
	return NF_DROP;
}

/* pin.c */
void vpnpass_pin_end_way(struct vpnpass_pin *pin);

/* attach.c */
unsigned int vpnpass_attach_timeout(const struct vpnpass_session *s);

/* flow.c */
bool vpnpass_found_is_stock(struct nf_conntrack_tuple_hash *h);

/* icmp.c */
unsigned int vpnpass_icmp_error(struct vpnpass_net *vn, struct sk_buff *skb,
				const struct nf_hook_state *state,
				unsigned int thoff);

/* memory.c */
struct mem_cgroup *vpnpass_memcg_get(const struct net *net);
void vpnpass_memcg_put(struct mem_cgroup *memcg);
void *vpnpass_cache_zalloc(struct vpnpass_net *vn, struct kmem_cache *cache);

/* pin.c */
int vpnpass_pins_init(struct vpnpass_net *vn);
void vpnpass_pins_exit(struct vpnpass_net *vn);
void vpnpass_pin_hide(struct vpnpass_net *vn, struct vpnpass_pin *pin);
void vpnpass_pin_drop(struct vpnpass_net *vn, struct vpnpass_pin *pin);

/* quota.c */
int vpnpass_quotas_init(struct vpnpass_net *vn);
void vpnpass_quotas_exit(struct vpnpass_net *vn);
int vpnpass_quota_take(struct vpnpass_session *s, int *counter);
void vpnpass_quota_give(struct vpnpass_session *s);
bool vpnpass_limit_allowed(const struct vpnpass_net *vn, const struct vpnpass_proto *p,
			   int idx, u32 value);

/* session.c */
int vpnpass_sessions_init(struct vpnpass_net *vn);
void vpnpass_sessions_exit(struct vpnpass_net *vn);
void vpnpass_sweep_init(struct vpnpass_net *vn);
void vpnpass_sweep_now(struct vpnpass_net *vn);
void vpnpass_sessions_doom(struct vpnpass_net *vn, __be32 local);
struct vpnpass_session *vpnpass_session_next(struct vpnpass_proto_net *pn,
					     unsigned long *id);
u32 vpnpass_sessions_end_if(struct vpnpass_net *vn, int idx,
			    bool (*match)(const struct vpnpass_session *s,
					  const void *arg),
			    const void *arg, const char *reason);

/* sysctl.c */
int vpnpass_sysctl_add(struct vpnpass_netns *ns, struct vpnpass_proto *p);
void vpnpass_sysctl_del(struct vpnpass_netns *ns, int idx);

/* netlink.c */
int vpnpass_netlink_init(void);
void vpnpass_netlink_exit(void);

/* event.c */
void vpnpass_event_mode(struct vpnpass_net *vn, const struct vpnpass_proto *p);
void vpnpass_event_setting(struct vpnpass_net *vn, const struct vpnpass_proto *p,
			   int idx);

#endif /* VPNPASS_CORE_PRIVATE_H */
