// SPDX-License-Identifier: GPL-2.0
/*
 * The ends of both routers' devices. This process holds the other end of every veth
 * (v-lan, s-wan2, ...) and raw sockets in the routers' namespaces, for what they send
 * and receive themselves.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "parity.h"

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif
#define MAX_XLATE 128
#define N_OWN 5
#define ANSWER_MS 60000
#define LOG_GROUP 5		/* nflog group of rules that drop, see rules.sh */

/* An inside host as it is seen from outside, by the port there to which it sends. */
struct xlate {
	uint8_t proto, in, out;
	uint16_t port, peer_port, xport;
	uint8_t addr[16];
};

static struct router {
	int sock[N_SIDES];
	int own[N_OWN], own_send;
	int ctnl, rtnl, log;
	int wan_index[2];
	struct xlate xlate[MAX_XLATE];
	unsigned int n_xlate;
	unsigned int asked, answered;	/* see settle() */
	bool failed_over;
} routers[N_ROUTERS];

static const char * const side_names[N_SIDES] = { "lan", "wan", "wan2", "dmz", "", "" };
static const int own_protos[N_OWN] = { IPPROTO_UDP, 50, IPPROTO_GRE, 115, 51 };

static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(2);
}

static int sock_open(int domain, int type, int proto)
{
	int fd = socket(domain, type | SOCK_CLOEXEC, proto);

	if (fd < 0)
		die("socket");
	return fd;
}

static int end_open(char which, const char *side)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int one = 1, size = 4 << 20;
	char name[IFNAMSIZ];
	int fd;

	snprintf(name, sizeof(name), "%c-%s", which, side);
	at.sll_ifindex = if_nametoindex(name);
	if (!at.sll_ifindex)
		die(name);
	fd = sock_open(AF_PACKET, SOCK_RAW, 0);
	if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)))
		die("PACKET_IGNORE_OUTGOING");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)))
		die("bind");
	return fd;
}

static void netns_enter(const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(name);
	close(fd);
}

static void ask(int fd, struct nlmsghdr *n, const char *what)
{
	char buf[8192];
	struct nlmsghdr *reply = (struct nlmsghdr *)buf;
	struct nlmsgerr *err = NLMSG_DATA(reply);

	if (send(fd, n, n->nlmsg_len, 0) < 0 || recv(fd, buf, sizeof(buf), 0) < 0)
		die(what);
	if (reply->nlmsg_type == NLMSG_ERROR && err->error) {
		errno = -err->error;
		die(what);
	}
}

static void attr_add(struct nlmsghdr *n, int type, const void *data, size_t len)
{
	struct rtattr *a = (struct rtattr *)((char *)n + NLMSG_ALIGN(n->nlmsg_len));

	a->rta_type = type;
	a->rta_len = RTA_LENGTH(len);
	memcpy(RTA_DATA(a), data, len);
	n->nlmsg_len = NLMSG_ALIGN(n->nlmsg_len) + RTA_ALIGN(a->rta_len);
}

static void log_config(int fd, int type, const void *data, size_t len)
{
	struct {
		struct nlmsghdr n;
		struct nfgenmsg g;
		char attr[16];
	} m = {
		.n = {
			.nlmsg_len = NLMSG_LENGTH(sizeof(m.g)),
			.nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		},
		.g.res_id = htons(LOG_GROUP),
	};

	attr_add(&m.n, type, data, len);
	ask(fd, &m.n, "log");
}

/* Gets each packet that is logged in this namespace, at once. */
static int log_open(void)
{
	struct nfulnl_msg_config_cmd bind = { .command = NFULNL_CFG_CMD_BIND };
	struct nfulnl_msg_config_mode mode = {
		.copy_range = htonl(0xffff), .copy_mode = NFULNL_COPY_PACKET,
	};
	int fd = sock_open(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER), size = 4 << 20;
	uint32_t one = htonl(1);

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	log_config(fd, NFULA_CFG_CMD, &bind, sizeof(bind));
	log_config(fd, NFULA_CFG_MODE, &mode, sizeof(mode));
	log_config(fd, NFULA_CFG_QTHRESH, &one, sizeof(one));
	return fd;
}

static void router_open(struct router *r, char which, const char *netns)
{
	static const char * const wans[2] = { "wan", "wan2" };
	int i, one = 1;

	for (i = 0; i < SIDE_SINK; i++)
		r->sock[i] = end_open(which, side_names[i]);
	netns_enter(netns);
	r->log = log_open();
	r->ctnl = sock_open(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	r->rtnl = sock_open(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	for (i = 0; i < 2; i++) {
		r->wan_index[i] = if_nametoindex(wans[i]);
		if (!r->wan_index[i])
			die(wans[i]);
	}
	for (i = 0; i < N_OWN; i++)
		r->own[i] = sock_open(AF_INET, SOCK_RAW, own_protos[i]);
	r->own_send = sock_open(AF_INET, SOCK_RAW, IPPROTO_RAW);
	setsockopt(r->own_send, IPPROTO_IP, IP_HDRINCL, &one, sizeof(one));
}

void routers_open(const char * const names[N_ROUTERS])
{
	static const char which[N_ROUTERS] = { 'v', 's' };
	int i, here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	cpu_set_t cpu;

	/* settle() waits for packets that this process sends: they are received on its CPU */
	CPU_ZERO(&cpu);
	CPU_SET(sched_getcpu(), &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	for (i = 0; i < N_ROUTERS; i++) {
		router_open(&routers[i], which[i], names[i]);
		if (setns(here, CLONE_NEWNET))
			die("setns");
	}
	close(here);
}

/* routers_flush - as conntrack -F does, in both */
void routers_flush(void)
{
	struct {
		struct nlmsghdr n;
		struct nfgenmsg g;
	} m = {
		.n = {
			.nlmsg_len = sizeof(m),
			.nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		},
		.g.nfgen_family = AF_UNSPEC,
	};
	int i;

	for (i = 0; i < N_ROUTERS; i++)
		ask(routers[i].ctnl, &m.n, "conntrack -F");
}

/* The default route goes by that WAN from now on; its next hop is the address after ours. */
static void route_by(struct router *r, int wan)
{
	struct {
		struct nlmsghdr n;
		struct rtmsg r;
		char attrs[64];
	} m = {
		.n = {
			.nlmsg_len = NLMSG_LENGTH(sizeof(m.r)),
			.nlmsg_type = RTM_NEWROUTE,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE,
		},
		.r = {
			.rtm_family = opt.six ? AF_INET6 : AF_INET,
			.rtm_table = RT_TABLE_MAIN,
			.rtm_protocol = RTPROT_STATIC,
			.rtm_scope = RT_SCOPE_UNIVERSE,
			.rtm_type = RTN_UNICAST,
		},
	};
	size_t len = opt.six ? 16 : 4;
	uint8_t gw[16];

	if (r->failed_over == !!wan)
		return;
	inet_pton(m.r.rtm_family, opt.six ? (wan ? "2001:db8:3::2" : "2001:db8:2::2") :
		  (wan ? "192.0.3.2" : "192.0.2.2"), gw);
	attr_add(&m.n, RTA_GATEWAY, gw, len);
	attr_add(&m.n, RTA_OIF, &r->wan_index[wan], 4);
	ask(r->rtnl, &m.n, "ip route replace default");
	r->failed_over = wan;
}

static unsigned int now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- packets that leave -------------------------------------------------------- */

static bool has_ports(uint8_t proto)
{
	return proto == IPPROTO_UDP || proto == IPPROTO_TCP;
}

/* The ports of a step, that of the host inside first; 0 where the protocol has none. */
static void ports_of(const struct step *s, uint16_t *port, uint16_t *peer_port)
{
	bool out = s->from == FROM_INSIDE, has = has_ports(s->proto);

	*port = !has ? 0 : out ? s->sport : s->dport;
	*peer_port = !has ? 0 : out ? s->dport : s->sport;
}

/* The translation for both ports, or else the latest for the inside one. */
static struct xlate *xlate_find(struct router *r, const struct step *s, uint16_t port,
				uint16_t peer_port)
{
	struct xlate *x, *found = NULL;

	for (x = r->xlate; x < r->xlate + r->n_xlate; x++) {
		if (x->proto != s->proto || x->in != s->in || x->out != s->out || x->port != port)
			continue;
		found = x;
		if (x->peer_port == peer_port)
			break;
	}
	return found;
}

static void xlate_learn(struct router *r, const struct step *s, const struct seen *seen)
{
	uint16_t port, peer_port;
	struct xlate *x;

	ports_of(s, &port, &peer_port);
	x = xlate_find(r, s, port, peer_port);
	if (!x || x->peer_port != peer_port) {
		if (r->n_xlate == MAX_XLATE)
			return;
		x = &r->xlate[r->n_xlate++];
		*x = (struct xlate){ .proto = s->proto, .in = s->in, .out = s->out, .port = port,
				     .peer_port = peer_port };
	}
	memcpy(x->addr, seen->src, 16);
	x->xport = seen->sport;
}

static void outcome_add(struct outcome *o, const struct seen *seen)
{
	struct seen *s;

	for (s = o->seen; s < o->seen + o->n; s++)
		if (s->side == seen->side && s->hash == seen->hash && s->sport == seen->sport &&
		    s->dport == seen->dport && addr_same(s->src, seen->src) &&
		    addr_same(s->dst, seen->dst)) {
			s->count++;
			return;
		}
	if (o->n < MAX_SEEN)
		o->seen[o->n++] = *seen;
}

static const struct step *step_of(const struct seq *s, unsigned int id)
{
	unsigned int i;

	for (i = 0; i < s->n; i++)
		if (s->step[i].id == id)
			return &s->step[i];
	return NULL;
}

/* Unreachables of the router's own have an identification by chance. */
static bool is_error_of_router(const struct step *s, const uint8_t *frame)
{
	uint8_t proto = opt.six ? frame[14 + 6] : frame[14 + 9];

	return proto == (opt.six ? IPPROTO_ICMPV6 : IPPROTO_ICMP) && s->proto != proto;
}

static void record(struct router *r, const struct seq *s, unsigned int side, const uint8_t *frame,
		   size_t len, struct outcome *result)
{
	const struct step *step;
	unsigned int id;
	struct seen seen;

	if (!wire_parse(frame, len, &seen, &id))
		return;
	step = step_of(s, id);
	if (!step || is_error_of_router(step, frame))
		return;
	seen.side = side;
	if (step->from == FROM_INSIDE && (side == SIDE_WAN || side == SIDE_WAN2) &&
	    !(!opt.six && (frame[14 + 6] & 0x1f || frame[14 + 7])) &&
	    (opt.routed || !addr_same(seen.src, host_inside(step->in))))
		xlate_learn(r, step, &seen);
	outcome_add(&result[id], &seen);
}

static const uint8_t arp_request[] = {
	2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x06,
	0, 1, 0x08, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2, 10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1,
};

static bool is_arp_reply(const uint8_t *frame, size_t len)
{
	return len >= sizeof(arp_request) && frame[12] == 0x08 && frame[13] == 0x06 &&
	       frame[21] == 2;
}

static void record_logged(struct router *r, const struct seq *s, const struct nlmsghdr *n,
			  struct outcome *result)
{
	struct rtattr *a = (void *)((char *)NLMSG_DATA(n) + NLMSG_ALIGN(sizeof(struct nfgenmsg)));
	int left = NLMSG_PAYLOAD(n, sizeof(struct nfgenmsg));
	uint8_t frame[4096] = { 0 };

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type != NFULA_PAYLOAD || RTA_PAYLOAD(a) > sizeof(frame) - 14)
			continue;
		memcpy(frame + 14, RTA_DATA(a), RTA_PAYLOAD(a));
		record(r, s, SIDE_SINK, frame, 14 + RTA_PAYLOAD(a), result);
	}
}

static void drain_log(struct router *r, const struct seq *s, struct outcome *result)
{
	static char buf[32768] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *n = (struct nlmsghdr *)buf;
	ssize_t len;

	while ((len = recv(r->log, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		for (n = (struct nlmsghdr *)buf; NLMSG_OK(n, len); n = NLMSG_NEXT(n, len))
			if (n->nlmsg_type == (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET))
				record_logged(r, s, n, result);
}

static void drain(const struct seq *s, struct outcome result[N_ROUTERS][MAX_STEPS])
{
	struct router *r;
	uint8_t frame[4096] = { 0 };
	ssize_t len;
	int i;

	for (r = routers; r < routers + N_ROUTERS; r++) {
		drain_log(r, s, result[r - routers]);
		for (i = 0; i < SIDE_SINK; i++)
			while ((len = recv(r->sock[i], frame, sizeof(frame), MSG_DONTWAIT)) > 0)
				if (is_arp_reply(frame, len))
					r->answered++;
				else
					record(r, s, i, frame, len, result[r - routers]);
		if (!opt.router)
			continue;
		for (i = 0; i < N_OWN; i++)
			while ((len = recv(r->own[i], frame + 14, sizeof(frame) - 14,
					   MSG_DONTWAIT)) > 0)
				record(r, s, SIDE_OWN, frame, len + 14, result[r - routers]);
	}
}

static bool has_answered(void)
{
	return routers[VPNPASS].answered == routers[VPNPASS].asked &&
	       routers[STOCK].answered == routers[STOCK].asked;
}

/*
 * Waits until both routers have done all that there is to do for what was sent, however
 * busy the machine is: what a CPU receives it handles in order, so that they answer an
 * ARP request when they have. Twice, for packets that the first round has come upon.
 */
static void settle(const struct seq *s, struct outcome result[N_ROUTERS][MAX_STEPS])
{
	unsigned int from = now_ms();
	struct router *r;
	int round;

	for (round = 0; round < 2; round++) {
		for (r = routers; r < routers + N_ROUTERS; r++, r[-1].asked++)
			if (send(r->sock[SIDE_LAN], arp_request, sizeof(arp_request), 0) < 0)
				die("ARP request");
		for (drain(s, result); !has_answered(); drain(s, result)) {
			errno = ETIMEDOUT;
			if (now_ms() - from > ANSWER_MS)
				die("no answer from a router");
			sched_yield();
		}
	}
}

/* --- packets that come --------------------------------------------------------- */

static void put_frame(struct router *r, const struct step *s, int side, uint8_t *frame, size_t len)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	uint8_t part[2048];
	size_t first, ip = 34;

	if (side == SIDE_OWN) {
		memcpy(&to.sin_addr, frame + 14 + 16, 4);
		sendto(r->own_send, frame + 14, len - 14, 0, (struct sockaddr *)&to, sizeof(to));
		return;
	}
	if (!s->frag || opt.six || len < ip + 32) {
		send(r->sock[side], frame, len, 0);
		return;
	}
	/* two fragments; the header's checksum follows by its complement */
	first = (len - ip) / 2 & ~7ul;
	memcpy(part, frame, ip + first);
	part[20] |= 0x20;
	part[16] = (20 + first) >> 8;
	part[17] = 20 + first;
	part[24] = part[25] = 0;
	memmove(frame + ip, frame + ip + first, len - ip - first);
	len -= first;
	frame[16] = (len - 14) >> 8;
	frame[17] = len - 14;
	frame[20] = first / 8 >> 8;
	frame[21] = first / 8;
	frame[24] = frame[25] = 0;
	for (int i = 0; i < 2; i++) {
		uint8_t *p = i ? frame : part;
		uint32_t sum = 0;

		for (int j = 14; j < 34; j += 2)
			sum += p[j] << 8 | p[j + 1];
		sum = (sum & 0xffff) + (sum >> 16);
		sum = ~((sum & 0xffff) + (sum >> 16));
		p[24] = sum >> 8;
		p[25] = sum;
	}
	send(r->sock[side], part, ip + first, 0);
	send(r->sock[side], frame, len, 0);
}

static int wan_of(struct router *r, const uint8_t *addr)
{
	int side = addr_same(addr, opt.pub[1]) ? SIDE_WAN2 : SIDE_WAN;

	/* the first WAN is dead after the failover, and the way back leads through it */
	return side == SIDE_WAN && r->failed_over ? -1 : side;
}

static int inside_of(const struct step *s)
{
	switch (s->in) {
	case HOST_SERVER:
		return SIDE_DMZ;
	case HOST_ROUTER:
		return SIDE_OWN;
	}
	return SIDE_LAN;
}

static void send_quote(struct router *r, const struct step *s, struct outcome *result)
{
	const struct seen *about = NULL, *v;
	struct outcome *o = &result[s->quote];
	uint8_t frame[2048];
	size_t len;
	int side;

	for (v = o->seen; v < o->seen + o->n; v++)
		if (s->from == FROM_OUTSIDE ? v->side == SIDE_WAN || v->side == SIDE_WAN2 :
					      v->side == SIDE_LAN || v->side == SIDE_DMZ)
			about = v;
	if (!about)
		return;
	if (s->from == FROM_INSIDE) {
		len = wire_quote(s, about, about->dst, about->src, frame);
		side = inside_of(s);
	} else {
		len = wire_quote(s, about, host_outside(s->out), about->src, frame);
		side = wan_of(r, about->src);
	}
	if (side >= 0 && side != SIDE_OWN)
		put_frame(r, s, side, frame, len);
}

/* The answer of a host outside goes to what it has seen of the host inside. */
static void send_back(struct router *r, const struct step *s)
{
	const uint8_t *dst = opt.routed ? host_inside(s->in) : opt.pub[r->failed_over];
	uint16_t port, peer_port;
	const struct xlate *x;
	uint8_t frame[2048];
	size_t len;
	int side;

	ports_of(s, &port, &peer_port);
	x = xlate_find(r, s, port, peer_port);
	if (x) {
		dst = x->addr;
		port = x->xport;
	} else {
		/* without it, at another port, an address that is known by other packets */
		for (x = r->xlate; x < r->xlate + r->n_xlate; x++)
			if (x->in == s->in && x->out == s->out)
				dst = x->addr;
	}
	side = wan_of(r, dst);
	if (side < 0)
		return;
	len = wire_build(s, host_outside(s->out), dst, s->sport, port, frame);
	put_frame(r, s, side, frame, len);
}

static void send_step(struct router *r, const struct step *s, struct outcome *result)
{
	uint8_t frame[2048];
	size_t len;

	stats.packets++;
	if (s->from == FROM_EVENT) {
		route_by(r, s->event == EVENT_FAILOVER);
	} else if (s->quote != NO_QUOTE) {
		send_quote(r, s, result);
	} else if (s->from == FROM_INSIDE) {
		len = wire_build(s, host_inside(s->in), host_outside(s->out), s->sport, s->dport,
				 frame);
		put_frame(r, s, inside_of(s), frame, len);
	} else {
		send_back(r, s);
	}
}

/*
 * Gives vpnpass @ms to deliver what stock has delivered. The time alone does
 * not do: where this process had no CPU, the routers had none either, so rounds count too.
 */
static unsigned int wait_late(const struct seq *s, const struct outcome *late_of,
			      struct outcome result[N_ROUTERS][MAX_STEPS], unsigned int ms)
{
	unsigned int from = now_ms(), id = late_of - result[VPNPASS], rounds = 0;

	while (outcome_late(&result[VPNPASS][id], &result[STOCK][id])) {
		if (now_ms() - from >= ms && rounds++ >= ms / 8)
			return ms;
		usleep(1000);
		settle(s, result);
	}
	return now_ms() - from;
}

/* routers_reset - the routes as they were */
void routers_reset(void)
{
	int r;

	for (r = 0; r < N_ROUTERS; r++)
		route_by(&routers[r], 0);
}

/* run_sequence - plays it against both routers with hosts that are new to them */
void run_sequence(const struct seq *s, struct outcome result[N_ROUTERS][MAX_STEPS])
{
	unsigned int i, waited, patience = 120;
	static unsigned int runs;
	int r;

	/* packets left of the run before do not count in this one */
	settle(s, result);
	hosts_next();
	for (r = 0; r < N_ROUTERS; r++)
		for (i = 0; i < MAX_STEPS; i++)
			result[r][i].n = 0;
	if (!(++runs % 64))
		routers_flush();
	routers_reset();
	for (r = 0; r < N_ROUTERS; r++)
		routers[r].n_xlate = 0;
	for (i = 0; i < s->n; i++) {
		const struct step *step = &s->step[i];

		if (step->gap_ms)
			usleep(step->gap_ms * 1000);
		for (r = 0; r < N_ROUTERS; r++)
			send_step(&routers[r], step, result[r]);
		settle(s, result);
		waited = wait_late(s, &result[VPNPASS][step->id], result, patience / 3);
		patience -= waited < patience ? waited : patience;
	}
	for (i = 0, patience = 150; i < s->n; i++) {
		waited = wait_late(s, &result[VPNPASS][s->step[i].id], result, patience);
		patience -= waited < patience ? waited : patience;
		if (waited && patience && waited + 120 > stats.held_ms)
			stats.held_ms = waited + 120;
	}
}
