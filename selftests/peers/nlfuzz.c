// SPDX-License-Identifier: GPL-2.0
/*
 * nlfuzz: what a hostile or broken program says to the "vpnpass" family. Called
 * by faults/test_netlink.sh.
 *
 * usage: nlfuzz cases [anybody]	malformed requests, each with the errno that
 *					has to come back, and a text where ours refuse
 *        nlfuzz random SEED COUNT	requests changed at random
 *        nlfuzz deaf			joins the events, never reads; says "ready"
 *        nlfuzz flip COUNT		mode and settings of esp, to and fro, acked
 * Prints what was not as expected and a last line; exit code 1 if there was any.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../../uapi/linux/vpnpass.h"

#define ROOM 8192

struct msg {
	struct nlmsghdr nl;
	struct genlmsghdr genl;
	uint8_t data[ROOM];
};

static int fd;
static uint16_t family;
static uint32_t group, seq;
static struct msg m;
static char said[256];		/* the text of the last refusal */

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

/* --- building ------------------------------------------------------------- */
static void begin(uint16_t type, uint8_t cmd, uint16_t flags)
{
	memset(&m, 0, sizeof(m));
	m.nl.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	m.nl.nlmsg_type = type;
	m.nl.nlmsg_flags = NLM_F_REQUEST | flags;
	m.nl.nlmsg_seq = ++seq;
	m.genl.cmd = cmd;
	m.genl.version = 1;
}

static struct nlattr *put(uint16_t type, const void *data, size_t len)
{
	struct nlattr *a = (void *)((char *)&m + NLMSG_ALIGN(m.nl.nlmsg_len));

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	if (data)
		memcpy(a + 1, data, len);
	m.nl.nlmsg_len = NLMSG_ALIGN(m.nl.nlmsg_len) + NLA_ALIGN(a->nla_len);
	return a;
}

static struct nlattr *put_str(uint16_t type, const char *s)
{
	return put(type, s, strlen(s) + 1);
}

static struct nlattr *put_u32(uint16_t type, uint32_t v)
{
	return put(type, &v, sizeof(v));
}

static struct nlattr *nest(uint16_t type)
{
	return put(type | NLA_F_NESTED, NULL, 0);
}

static void nest_end(struct nlattr *a)
{
	a->nla_len = (char *)&m + m.nl.nlmsg_len - (char *)a;
}

/* --- talking -------------------------------------------------------------- */
static void send_msg(void)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };

	if (sendto(fd, &m, m.nl.nlmsg_len, 0, (void *)&to, sizeof(to)) < 0 &&
	    errno != ENOBUFS)
		fail("sendto");
}

static void read_text(const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);
	size_t off = NLMSG_HDRLEN + sizeof(*e);
	const struct nlattr *a;

	if (!(h->nlmsg_flags & NLM_F_CAPPED))
		off += e->msg.nlmsg_len - sizeof(e->msg);
	for (off = NLMSG_ALIGN(off); off + NLA_HDRLEN <= h->nlmsg_len;
	     off += NLA_ALIGN(a->nla_len)) {
		a = (const void *)((const char *)h + off);
		if (a->nla_len < NLA_HDRLEN)
			return;
		if (a->nla_type == NLMSGERR_ATTR_MSG)
			snprintf(said, sizeof(said), "%.*s", a->nla_len - NLA_HDRLEN,
				 (const char *)(a + 1));
	}
}

/* The errno that ends the answer to the last message; -1 when none comes. */
static int answer(void)
{
	static char buf[65536];
	struct nlmsghdr *h;
	ssize_t n;
	int len;

	*said = 0;
	for (;;) {
		n = recv(fd, buf, sizeof(buf), 0);
		if (n < 0 && errno == ENOBUFS)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -1 : errno;
		len = n;
		for (h = (void *)buf; NLMSG_OK(h, (unsigned int)len); h = NLMSG_NEXT(h, len)) {
			if (h->nlmsg_seq != seq)
				continue;
			if (h->nlmsg_type == NLMSG_ERROR) {
				read_text(h);
				return -((struct nlmsgerr *)NLMSG_DATA(h))->error;
			}
			/* a dump ends with its error, if any, in the first word */
			if (h->nlmsg_type == NLMSG_DONE)
				return h->nlmsg_len >= NLMSG_LENGTH(4) ?
				       -*(int *)NLMSG_DATA(h) : 0;
		}
	}
}

static int ask(void)
{
	send_msg();
	return answer();
}

/* --- the ID of "vpnpass" ------------------------------------------------------- */
static const struct nlattr *find(const void *from, size_t len, int type)
{
	const struct nlattr *a;
	size_t off;

	for (off = 0; off + NLA_HDRLEN <= len; off += NLA_ALIGN(a->nla_len)) {
		a = (const void *)((const char *)from + off);
		if (a->nla_len < NLA_HDRLEN)
			break;
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a;
	}
	return NULL;
}

static const struct nlattr *inside(const struct nlattr *a, int type)
{
	return a ? find(a + 1, a->nla_len - NLA_HDRLEN, type) : NULL;
}

static void resolve(void)
{
	const struct nlattr *id, *g;
	static char buf[16384];
	ssize_t n;

	begin(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	put_str(CTRL_ATTR_FAMILY_NAME, VPNPASS_FAMILY_NAME);
	send_msg();
	n = recv(fd, buf, sizeof(buf), 0);
	if (n < (ssize_t)sizeof(struct nlmsghdr) ||
	    ((struct nlmsghdr *)buf)->nlmsg_type == NLMSG_ERROR) {
		fprintf(stderr, "no family vpnpass\n");
		exit(2);
	}
	id = find(buf + NLMSG_LENGTH(GENL_HDRLEN), n - NLMSG_LENGTH(GENL_HDRLEN),
		  CTRL_ATTR_FAMILY_ID);
	g = find(buf + NLMSG_LENGTH(GENL_HDRLEN), n - NLMSG_LENGTH(GENL_HDRLEN),
		 CTRL_ATTR_MCAST_GROUPS);
	g = inside(inside(g, 1), CTRL_ATTR_MCAST_GRP_ID);
	if (!id || !g)
		fail("controller's answer");
	family = *(uint16_t *)(id + 1);
	group = *(uint32_t *)(g + 1);
}

static void open_socket(void)
{
	struct timeval patience = { .tv_sec = 20 };
	int one = 1;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (fd < 0)
		fail("socket");
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
}

/* --- cases ------------------------------------------------------------------ */
static int n_cases, n_wrong;

/* The message that was built has to be answered by @want; @text: and by words */
static void expect(const char *name, int want, bool text)
{
	int got;

	m.nl.nlmsg_flags |= NLM_F_ACK;
	got = ask();
	n_cases++;
	if (got == want && (!text || *said))
		return;
	n_wrong++;
	printf("%s: %s%s%s, wanted %s%s\n", name, got < 0 ? "no answer" : strerror(got),
	       *said ? ": " : "", said, strerror(want), text ? " with a text" : "");
}

static void set(const char *proto)
{
	begin(family, VPNPASS_CMD_PROTO_SET, 0);
	put_str(VPNPASS_A_PROTO_NAME, proto);
}

static void cases_header(void)
{
	begin(family, 0, 0);
	expect("command 0", EOPNOTSUPP, false);
	begin(family, 200, 0);
	expect("command 200", EOPNOTSUPP, false);
	begin(family, VPNPASS_CMD_EVENT_NTF, 0);
	expect("an event as a request", EOPNOTSUPP, false);
	begin(family, VPNPASS_CMD_SESSION_FLUSH, NLM_F_DUMP);
	expect("dump of what has none", EOPNOTSUPP, false);
	begin(family, VPNPASS_CMD_SESSION_GET, 0);
	expect("do of what has none", EOPNOTSUPP, false);
	begin(family, VPNPASS_CMD_PROTO_GET, 0);
	m.nl.nlmsg_len = NLMSG_LENGTH(0);
	expect("no header of the family", EINVAL, false);
	begin(family, VPNPASS_CMD_PROTO_GET, 0);
	m.nl.nlmsg_len = NLMSG_LENGTH(2);
	expect("half a header of the family", EINVAL, false);
}

static void cases_shape(void)
{
	struct nlattr *a;

	begin(family, VPNPASS_CMD_PROTO_GET, 0);
	a = put_str(VPNPASS_A_PROTO_NAME, "esp");
	a->nla_len = 3;
	expect("an attribute shorter than its header", EINVAL, true);
	begin(family, VPNPASS_CMD_PROTO_GET, 0);
	a = put_str(VPNPASS_A_PROTO_NAME, "esp");
	a->nla_len = 0;
	expect("an attribute of length 0", EINVAL, true);
	begin(family, VPNPASS_CMD_PROTO_GET, 0);
	a = put_str(VPNPASS_A_PROTO_NAME, "esp");
	a->nla_len = 0xffff;
	expect("an attribute longer than the message", EINVAL, true);
	begin(family, VPNPASS_CMD_PROTO_GET, 0);
	put_str(VPNPASS_A_PROTO_NAME, "esp");
	m.nl.nlmsg_len -= 6;
	expect("a message cut within an attribute", EINVAL, true);
	begin(family, VPNPASS_CMD_PROTO_GET, 0);
	put_str(VPNPASS_A_PROTO_NAME, "esp");
	put(1000, "x", 1);
	expect("an attribute that nobody knows", EINVAL, true);
	begin(family, VPNPASS_CMD_PROTO_GET, 0);
	put_str(VPNPASS_A_PROTO_NAME, "esp");
	put_u32(VPNPASS_A_PROTO_SESSIONS, 1);
	expect("an attribute of answers", EINVAL, true);
}

static void cases_values(void)
{
	begin(family, VPNPASS_CMD_PROTO_GET, 0);
	expect("no name", EINVAL, true);
	begin(family, VPNPASS_CMD_PROTO_GET, 0);
	put_str(VPNPASS_A_PROTO_NAME, "nonsense");
	expect("a name that is not loaded", ENOENT, true);
	begin(family, VPNPASS_CMD_PROTO_GET, 0);
	put_str(VPNPASS_A_PROTO_NAME, "");
	expect("an empty name", ENOENT, true);
	begin(family, VPNPASS_CMD_PROTO_GET, 0);
	put(VPNPASS_A_PROTO_NAME, "esp", 3);
	expect("a name without end", EINVAL, true);
	begin(family, VPNPASS_CMD_PROTO_GET, 0);
	put_str(VPNPASS_A_PROTO_NAME, "a name that is far too long");
	expect("a long name", EINVAL, true);
	begin(family, VPNPASS_CMD_SESSION_GET, NLM_F_DUMP);
	put(VPNPASS_A_SESSION_CLIENT, "abc", 3);
	expect("an address of 3 bytes", EINVAL, false);
	begin(family, VPNPASS_CMD_SESSION_GET, NLM_F_DUMP);
	put(VPNPASS_A_SESSION_CLIENT, "0123456789abcdefg", 17);
	expect("an address of 17 bytes", ERANGE, false);
	begin(family, VPNPASS_CMD_SESSION_GET, NLM_F_DUMP);
	put_str(VPNPASS_A_SESSION_PROTO, "nonsense");
	expect("sessions of what is not loaded", ENOENT, false);
}

static void cases_set(void)
{
	struct nlattr *n;

	set("esp");
	expect("nothing to set", EINVAL, true);
	set("esp");
	put_u32(VPNPASS_A_PROTO_MODE, 3);
	expect("mode 3", ERANGE, true);
	set("esp");
	put(VPNPASS_A_PROTO_MODE, "\1\0", 2);
	expect("a mode of 2 bytes", EINVAL, true);
	set("esp");
	put(VPNPASS_A_PROTO_MODE, "\1\0\0\0\0\0\0", 7);
	expect("a mode of 7 bytes", EINVAL, true);
	set("esp");
	put(VPNPASS_A_PROTO_SETTING, "\0\0\0\0", 4);
	expect("a setting that is not marked as nested", EINVAL, true);
	set("esp");
	put(VPNPASS_A_PROTO_SETTING | NLA_F_NESTED, "\3\0\1\0", 4);
	expect("a broken attribute within a setting", EINVAL, true);
	set("esp");
	n = nest(VPNPASS_A_PROTO_SETTING);
	nest_end(n);
	expect("an empty setting", EINVAL, true);
	set("esp");
	n = nest(VPNPASS_A_PROTO_SETTING);
	put_str(VPNPASS_A_SETTING_NAME, "timeout");
	nest_end(n);
	expect("a setting without value", EINVAL, true);
	set("esp");
	n = nest(VPNPASS_A_PROTO_SETTING);
	put_str(VPNPASS_A_SETTING_NAME, "nonsense");
	put_u32(VPNPASS_A_SETTING_VALUE, 1);
	nest_end(n);
	expect("a setting that there is not", ENOENT, true);
	set("esp");
	n = nest(VPNPASS_A_PROTO_SETTING);
	put_str(VPNPASS_A_SETTING_NAME, "timeout");
	put_u32(VPNPASS_A_SETTING_VALUE, 0);
	nest_end(n);
	expect("a value out of range", ERANGE, true);
	set("nonsense");
	put_u32(VPNPASS_A_PROTO_MODE, 1);
	expect("mode of what is not loaded", ENOENT, true);
}

/* Nested as deep as a message can be: must neither be followed nor crash. */
static void case_deep(void)
{
	struct nlattr *a[1000];
	int i;

	set("esp");
	for (i = 0; i < 1000; i++)
		a[i] = nest(VPNPASS_A_PROTO_SETTING);
	while (i--)
		nest_end(a[i]);
	expect("settings in settings, 1000 deep", EINVAL, true);
}

static void cases_anybody(void)
{
	begin(family, VPNPASS_CMD_PROTO_GET, 0);
	put_str(VPNPASS_A_PROTO_NAME, "esp");
	expect("anybody may look", 0, false);
	begin(family, VPNPASS_CMD_PROTO_GET, NLM_F_DUMP);
	expect("at all of them", 0, false);
	begin(family, VPNPASS_CMD_SESSION_GET, NLM_F_DUMP);
	expect("but not at sessions", EPERM, false);
	set("esp");
	put_u32(VPNPASS_A_PROTO_MODE, 0);
	expect("not everybody may switch", EPERM, false);
	begin(family, VPNPASS_CMD_SESSION_FLUSH, 0);
	expect("nor flush", EPERM, false);
}

static int cases(bool anybody)
{
	if (anybody) {
		cases_anybody();
		cases_shape();
		cases_values();
	} else {
		cases_header();
		cases_shape();
		cases_values();
		cases_set();
		case_deep();
	}
	printf("%d cases, %d wrong\n", n_cases, n_wrong);
	return n_wrong ? 1 : 0;
}

/* --- at random -------------------------------------------------------------- */
static uint64_t rnd;

static uint32_t any(uint32_t below)
{
	rnd ^= rnd << 13;
	rnd ^= rnd >> 7;
	rnd ^= rnd << 17;
	return (uint32_t)(rnd >> 16) % below;
}

static void put_any(void)
{
	static const char *const names[] = {
		"esp", "ike", "natt", "pptp", "l2tp", "timeout", "hold", "strict", "",
	};
	uint8_t bytes[64];
	size_t i;

	switch (any(4)) {
	case 0:
		put_str(any(8), names[any(sizeof(names) / sizeof(*names))]);
		break;
	case 1:
		put_u32(any(8), any(2) ? any(4) : rnd);
		break;
	default:
		for (i = 0; i < sizeof(bytes); i++)
			bytes[i] = any(256);
		put(any(20) | (any(4) ? 0 : NLA_F_NESTED), bytes, any(sizeof(bytes)));
	}
}

static void build_any(void)
{
	static const uint16_t flags[] = { 0, 0, NLM_F_DUMP, NLM_F_ECHO, NLM_F_ATOMIC };
	struct nlattr *n;
	uint32_t i;

	begin(family, 1 + any(5), flags[any(5)] | NLM_F_ACK);
	if (any(4))
		put_str(VPNPASS_A_PROTO_NAME, any(2) ? "esp" : "ike");
	for (i = any(3); i; i--)
		put_any();
	if (!any(3)) {
		n = nest(VPNPASS_A_PROTO_SETTING);
		for (i = any(4); i; i--)
			put_any();
		nest_end(n);
	}
	/* requests that no library would send */
	for (i = any(3) ? 0 : any(4); i; i--)
		m.data[any(m.nl.nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN) + 1)] ^= 1 << any(8);
	if (!any(20))
		m.genl.reserved = any(65536);
	if (!any(10))
		m.nl.nlmsg_len -= any(m.nl.nlmsg_len - NLMSG_HDRLEN + 1);
}

static int random_requests(unsigned long count)
{
	unsigned long i, good = 0, none = 0;
	int err;

	for (i = 0; i < count; i++) {
		build_any();
		err = ask();
		good += !err;
		none += err < 0;
	}
	begin(family, VPNPASS_CMD_PROTO_GET, NLM_F_DUMP);
	err = ask();
	printf("%lu requests, %lu taken, %lu without answer; then: %s\n", count, good, none,
	       strerror(err));
	return err || none ? 1 : 0;
}

static int deaf(void)
{
	int small = 4096;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
		fail("membership");
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}

static int flip(unsigned long count)
{
	unsigned long i, bad = 0;
	uint32_t mode;

	for (i = 0; i < count; i++) {
		set("esp");
		mode = i % 2 ? 1 : i % 4;
		put_u32(VPNPASS_A_PROTO_MODE, mode);
		m.nl.nlmsg_flags |= NLM_F_ACK;
		bad += ask() != 0;
	}
	printf("%lu flips, %lu refused\n", count, bad);
	return bad ? 1 : 0;
}

int main(int argc, char **argv)
{
	open_socket();
	resolve();
	if (argc >= 2 && !strcmp(argv[1], "cases"))
		return cases(argc > 2);
	if (argc == 4 && !strcmp(argv[1], "random")) {
		rnd = strtoull(argv[2], NULL, 0) * 0x9e3779b97f4a7c15ULL | 1;
		return random_requests(strtoul(argv[3], NULL, 0));
	}
	if (argc == 2 && !strcmp(argv[1], "deaf"))
		return deaf();
	if (argc == 3 && !strcmp(argv[1], "flip"))
		return flip(strtoul(argv[2], NULL, 0));
	fprintf(stderr, "usage: nlfuzz cases [anybody] | random SEED COUNT | deaf | flip N\n");
	return 2;
}
