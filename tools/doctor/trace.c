// SPDX-License-Identifier: GPL-2.0
/*
 * A table of our own that only has the packets from and to one host traced, and the
 * kernel's reports of what rules did to them; see trace.h. The table goes with its
 * socket, so that nothing stays behind, also when the doctor is killed.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/bytes.h"
#include "../lib/util.h"
#include "kernel.h"
#include "trace.h"

#define BATCH_SIZE	4096
#define RECEIVE_BUFFER	(4 * 1024 * 1024)
#define TABLE_OWNER	0x2	/* NFT_TABLE_F_OWNER, since Linux 5.12 */
#define FIRST_PRIORITY	(-500)
#define TRACED_PER_SECOND	200

/**
 * struct batch - Messages that take effect together.
 * @b: Them.
 * @seq: Number of the last.
 */
struct batch {
	char buffer[2 * BATCH_SIZE];
	struct mnl_nlmsg_batch *b;
	uint32_t seq;
};

static struct nlmsghdr *add_message(struct batch *batch, uint16_t type, uint16_t flags,
				    uint8_t family, uint16_t resource)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(mnl_nlmsg_batch_current(batch->b));
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++batch->seq;
	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(resource);
	return nlh;
}

static struct nlmsghdr *add_object(struct batch *batch, uint8_t type, uint16_t flags)
{
	return add_message(batch, NFNL_SUBSYS_NFTABLES << 8 | type, flags, NFPROTO_INET, 0);
}

static void table_name(char name[NFT_NAME_SIZE])
{
	snprintf(name, NFT_NAME_SIZE, "vpnpass-doctor-%d", (int)getpid());
}

static void add_chain(struct batch *batch, const char *table, const char *name, uint32_t hook)
{
	struct nlmsghdr *nlh = add_object(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	struct nlattr *nest;

	mnl_attr_put_strz(nlh, NFTA_CHAIN_TABLE, table);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_NAME, name);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_TYPE, "filter");
	nest = mnl_attr_nest_start(nlh, NFTA_CHAIN_HOOK);
	mnl_attr_put_u32(nlh, NFTA_HOOK_HOOKNUM, htonl(hook));
	mnl_attr_put_u32(nlh, NFTA_HOOK_PRIORITY, htonl(FIRST_PRIORITY));
	mnl_attr_nest_end(nlh, nest);
	mnl_nlmsg_batch_next(batch->b);
}

/* Expressions of a rule: each is a name and its attributes. */
struct expression {
	struct nlattr *element, *data;
};

static struct expression begin(struct nlmsghdr *nlh, const char *name)
{
	struct expression e = { .element = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM) };

	mnl_attr_put_strz(nlh, NFTA_EXPR_NAME, name);
	e.data = mnl_attr_nest_start(nlh, NFTA_EXPR_DATA);
	return e;
}

static void end(struct nlmsghdr *nlh, const struct expression *e)
{
	mnl_attr_nest_end(nlh, e->data);
	mnl_attr_nest_end(nlh, e->element);
}

static void put_value(struct nlmsghdr *nlh, uint16_t type, const void *value, size_t length)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);

	mnl_attr_put(nlh, NFTA_DATA_VALUE, length, value);
	mnl_attr_nest_end(nlh, nest);
}

static void put_compare(struct nlmsghdr *nlh, const void *value, size_t length)
{
	struct expression e = begin(nlh, "cmp");

	mnl_attr_put_u32(nlh, NFTA_CMP_SREG, htonl(NFT_REG_1));
	mnl_attr_put_u32(nlh, NFTA_CMP_OP, htonl(NFT_CMP_EQ));
	put_value(nlh, NFTA_CMP_DATA, value, length);
	end(nlh, &e);
}

/* A client that uses the same host may send much, of which little is needed. */
static void put_limit(struct nlmsghdr *nlh)
{
	struct expression e = begin(nlh, "limit");

	mnl_attr_put_u64(nlh, NFTA_LIMIT_RATE, htobe64(TRACED_PER_SECOND));
	mnl_attr_put_u64(nlh, NFTA_LIMIT_UNIT, htobe64(1));
	mnl_attr_put_u32(nlh, NFTA_LIMIT_BURST, htonl(TRACED_PER_SECOND));
	end(nlh, &e);
}

/* meta nfproto FAMILY, ip saddr or daddr HOST, limit, meta nftrace set 1 */
static void put_expressions(struct nlmsghdr *nlh, const struct host *host, bool answer)
{
	bool six = host->family == AF_INET6;
	uint8_t family = six ? NFPROTO_IPV6 : NFPROTO_IPV4, one = 1;
	uint32_t at = six ? (answer ? 8 : 24) : (answer ? 12 : 16);
	struct expression e = begin(nlh, "meta");

	mnl_attr_put_u32(nlh, NFTA_META_KEY, htonl(NFT_META_NFPROTO));
	mnl_attr_put_u32(nlh, NFTA_META_DREG, htonl(NFT_REG_1));
	end(nlh, &e);
	put_compare(nlh, &family, sizeof(family));
	e = begin(nlh, "payload");
	mnl_attr_put_u32(nlh, NFTA_PAYLOAD_DREG, htonl(NFT_REG_1));
	mnl_attr_put_u32(nlh, NFTA_PAYLOAD_BASE, htonl(NFT_PAYLOAD_NETWORK_HEADER));
	mnl_attr_put_u32(nlh, NFTA_PAYLOAD_OFFSET, htonl(at));
	mnl_attr_put_u32(nlh, NFTA_PAYLOAD_LEN, htonl(host_length(host)));
	end(nlh, &e);
	put_compare(nlh, host->bytes, host_length(host));
	put_limit(nlh);
	e = begin(nlh, "immediate");
	mnl_attr_put_u32(nlh, NFTA_IMMEDIATE_DREG, htonl(NFT_REG_1));
	put_value(nlh, NFTA_IMMEDIATE_DATA, &one, sizeof(one));
	end(nlh, &e);
	e = begin(nlh, "meta");
	mnl_attr_put_u32(nlh, NFTA_META_KEY, htonl(NFT_META_NFTRACE));
	mnl_attr_put_u32(nlh, NFTA_META_SREG, htonl(NFT_REG_1));
	end(nlh, &e);
}

static void add_rule(struct batch *batch, const char *table, const char *chain,
		     const struct host *host, bool answer)
{
	struct nlmsghdr *nlh = add_object(batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	struct nlattr *nest;

	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, table);
	mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, chain);
	nest = mnl_attr_nest_start(nlh, NFTA_RULE_EXPRESSIONS);
	put_expressions(nlh, host, answer);
	mnl_attr_nest_end(nlh, nest);
	mnl_nlmsg_batch_next(batch->b);
}

static void make_batch(struct batch *batch, const struct host *host)
{
	char name[NFT_NAME_SIZE];
	struct nlmsghdr *nlh;

	table_name(name);
	batch->b = mnl_nlmsg_batch_start(batch->buffer, BATCH_SIZE);
	add_message(batch, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	mnl_nlmsg_batch_next(batch->b);
	nlh = add_object(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL);
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, name);
	mnl_attr_put_u32(nlh, NFTA_TABLE_FLAGS, htonl(TABLE_OWNER));
	mnl_nlmsg_batch_next(batch->b);
	add_chain(batch, name, "in", NF_INET_PRE_ROUTING);
	add_rule(batch, name, "in", host, true);
	add_chain(batch, name, "out", NF_INET_LOCAL_OUT);
	add_rule(batch, name, "out", host, false);
	add_message(batch, NFNL_MSG_BATCH_END, NLM_F_ACK, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	mnl_nlmsg_batch_next(batch->b);
}

static struct mnl_socket *open_socket(unsigned int groups)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_NETFILTER,
						     SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (!socket || !mnl_socket_bind(socket, groups, MNL_SOCKET_AUTOPID))
		return socket;
	mnl_socket_close(socket);
	return NULL;
}

/* A batch is carried out before sending returns: an error waits in the socket. */
static bool plant(struct mnl_socket *socket, const struct host *host)
{
	struct batch *batch = xrealloc(NULL, sizeof(*batch));
	char buffer[BATCH_SIZE];
	const struct nlmsghdr *nlh;
	bool good;
	int got;

	batch->seq = 0;
	make_batch(batch, host);
	good = mnl_socket_sendto(socket, mnl_nlmsg_batch_head(batch->b),
				 mnl_nlmsg_batch_size(batch->b)) >= 0;
	while (good && (got = mnl_socket_recvfrom(socket, buffer, sizeof(buffer))) > 0)
		for (nlh = (void *)buffer; mnl_nlmsg_ok(nlh, got); nlh = mnl_nlmsg_next(nlh, &got))
			good &= nlh->nlmsg_type != NLMSG_ERROR ||
				!((const struct nlmsgerr *)mnl_nlmsg_get_payload(nlh))->error;
	mnl_nlmsg_batch_stop(batch->b);
	free(batch);
	return good;
}

/**
 * trace_begin - Have packets from and to a host traced from now on.
 * @tracer: Filled in; for trace_end(). Where it is not allowed, nothing is traced.
 * @host: The host, as long-lived as the tracer.
 */
void trace_begin(struct tracer *tracer, const struct host *host)
{
	int size = RECEIVE_BUFFER;

	*tracer = (struct tracer){ .host = host };
	tracer->events = open_socket(1 << (NFNLGRP_NFTRACE - 1));
	tracer->rules = open_socket(0);
	tracer->worked = tracer->events && tracer->rules && plant(tracer->rules, host);
	if (tracer->worked) {
		setsockopt(mnl_socket_get_fd(tracer->events), SOL_SOCKET, SO_RCVBUFFORCE, &size,
			   sizeof(size));
		return;
	}
	if (tracer->events)
		mnl_socket_close(tracer->events);
	tracer->events = NULL;
}

static struct traced *packet_with(struct tracer *tracer, uint32_t id)
{
	size_t i;

	for (i = 0; i < tracer->n; i++)
		if (tracer->list[i].id == id)
			return &tracer->list[i];
	if (tracer->n == TRACES_MAX)
		return NULL;
	tracer->list[tracer->n] = (struct traced){ .id = id };
	return &tracer->list[tracer->n++];
}

static void take_headers(const struct tracer *tracer, struct traced *t,
			 const struct nlattr *network, const struct nlattr *transport)
{
	const uint8_t *ip = mnl_attr_get_payload(network), *th;
	size_t length = mnl_attr_get_payload_len(network);
	bool six = tracer->host->family == AF_INET6;

	if (length < (six ? 40 : 20))
		return;
	t->l4proto = ip[six ? 6 : 9];
	t->answer = !memcmp(ip + (six ? 8 : 12), tracer->host->bytes, host_length(tracer->host));
	if (!transport || mnl_attr_get_payload_len(transport) < 4)
		return;
	th = mnl_attr_get_payload(transport);
	if (t->l4proto == IPPROTO_UDP || t->l4proto == IPPROTO_TCP)
		t->port = get16(t->answer ? th : th + 2);
}

static uint32_t verdict_of(const struct nlattr *nest)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
		if (mnl_attr_get_type(attr) == NFTA_VERDICT_CODE)
			return ntohl(mnl_attr_get_u32(attr));
	return NF_ACCEPT;
}

static void take_drop(struct traced *t, uint8_t family, const struct nlattr **tb)
{
	t->dropped = true;
	t->family = family;
	if (tb[NFTA_TRACE_TABLE])
		snprintf(t->table, sizeof(t->table), "%s", mnl_attr_get_str(tb[NFTA_TRACE_TABLE]));
	if (tb[NFTA_TRACE_CHAIN])
		snprintf(t->chain, sizeof(t->chain), "%s", mnl_attr_get_str(tb[NFTA_TRACE_CHAIN]));
	if (tb[NFTA_TRACE_RULE_HANDLE])
		t->handle = be64toh(mnl_attr_get_u64(tb[NFTA_TRACE_RULE_HANDLE]));
}

static int take_event(const struct nlmsghdr *nlh, void *data)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[NFTA_TRACE_MAX + 1] = {};
	struct tracer *tracer = data;
	const struct nlattr *attr;
	struct traced *t;

	mnl_attr_for_each(attr, nlh, sizeof(*nfg))
		if (mnl_attr_get_type(attr) <= NFTA_TRACE_MAX)
			tb[mnl_attr_get_type(attr)] = attr;
	if ((nlh->nlmsg_type & 0xff) != NFT_MSG_TRACE || !tb[NFTA_TRACE_ID])
		return MNL_CB_OK;
	t = packet_with(tracer, mnl_attr_get_u32(tb[NFTA_TRACE_ID]));
	if (!t)
		return MNL_CB_OK;
	if (tb[NFTA_TRACE_NETWORK_HEADER])
		take_headers(tracer, t, tb[NFTA_TRACE_NETWORK_HEADER],
			     tb[NFTA_TRACE_TRANSPORT_HEADER]);
	if ((tb[NFTA_TRACE_VERDICT] && verdict_of(tb[NFTA_TRACE_VERDICT]) == NF_DROP) ||
	    (tb[NFTA_TRACE_POLICY] && ntohl(mnl_attr_get_u32(tb[NFTA_TRACE_POLICY])) == NF_DROP))
		take_drop(t, nfg->nfgen_family, tb);
	return MNL_CB_OK;
}

/**
 * trace_end - Read what was traced, and trace no more.
 * @tracer: From trace_begin(); what was seen stays in it.
 */
void trace_end(struct tracer *tracer)
{
	static char buffer[64 * 1024];
	ssize_t got;

	while (tracer->events) {
		got = mnl_socket_recvfrom(tracer->events, buffer, sizeof(buffer));
		if (got <= 0 && (got == 0 || errno != ENOBUFS))
			break;
		if (got > 0)
			mnl_cb_run(buffer, got, 0, 0, take_event, tracer);
	}
	if (tracer->events)
		mnl_socket_close(tracer->events);
	if (tracer->rules)
		mnl_socket_close(tracer->rules);
	tracer->events = NULL;
	tracer->rules = NULL;
}
