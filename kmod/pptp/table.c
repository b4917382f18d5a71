// SPDX-License-Identifier: GPL-2.0
/*
 * Control connections by the addresses and ports of their packets, as these
 * reach the router. For when conntrack cannot say: packets that it has not seen
 * yet (to the router's own client), and those whose entry was deleted. Called
 * by control.c and pptp.c.
 */
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_zones.h>

#include "pptp.h"

static const struct rhashtable_params table_params = {
	.head_offset = offsetof(struct pptp_node, node),
	.key_offset = offsetof(struct pptp_node, key),
	.key_len = sizeof(struct pptp_key),
	VPNPASS_TABLE_SIZE,
};

int pptp_table_init(struct vpnpass_net *vn)
{
	return rhashtable_init(&pptp_net(vn)->table, &table_params);
}

void pptp_table_exit(struct vpnpass_net *vn)
{
	rhashtable_destroy(&pptp_net(vn)->table);
}

/* The key that a packet of the connection would have in direction @dir. */
void pptp_key_of(struct pptp_key *key, const struct nf_conn *ct, int dir)
{
	const struct nf_conntrack_tuple *t = &ct->tuplehash[dir].tuple;

	memset(key, 0, sizeof(*key));
	key->src = t->src.u3.ip;
	key->dst = t->dst.u3.ip;
	key->sport = t->src.u.tcp.port;
	key->dport = t->dst.u.tcp.port;
	key->zone = nf_ct_zone_id(nf_ct_zone(ct), dir);
}

/**
 * pptp_table_add() - let a connection be found
 * @pc: the connection, its @ct set
 *
 * Return: 0, -EEXIST when another one is found by the same, or -ENOMEM.
 */
int pptp_table_add(struct pptp_control *pc)
{
	struct rhashtable *table = &pptp_net(pc->vn)->table;
	int dir, err;

	for (dir = 0; dir < IP_CT_DIR_MAX; dir++) {
		pptp_key_of(&pc->by[dir].key, pc->ct, dir);
		err = rhashtable_lookup_insert_fast(table, &pc->by[dir].node,
						    table_params);
		if (err)
			break;
		pc->by[dir].pc = pc;
	}
	if (err)
		pptp_table_del(pc);
	return err;
}

/* Once or more, also after a failed pptp_table_add(); the owner alone. */
void pptp_table_del(struct pptp_control *pc)
{
	struct rhashtable *table = &pptp_net(pc->vn)->table;
	int dir;

	for (dir = 0; dir < IP_CT_DIR_MAX; dir++) {
		if (!pc->by[dir].pc)
			continue;
		rhashtable_remove_fast(table, &pc->by[dir].node, table_params);
		WRITE_ONCE(pc->by[dir].pc, NULL);
	}
}

/**
 * pptp_table_find() - the connection that a packet is of
 * @vn: netns
 * @key: the packet's
 * @dir: set to its direction
 *
 * Context: RCU read side.
 * Return: the connection, which may be closed already, or NULL.
 */
struct pptp_control *pptp_table_find(struct vpnpass_net *vn,
				     const struct pptp_key *key, int *dir)
{
	struct pptp_control *pc;
	struct pptp_node *node;

	node = rhashtable_lookup(&pptp_net(vn)->table, key, table_params);
	pc = node ? READ_ONCE(node->pc) : NULL;
	if (pc)
		*dir = node - pc->by;
	return pc;
}
