// SPDX-License-Identifier: GPL-2.0
/*
 * pptp_sim: both ends of PPTP connections through a router (RFC 2637), every
 * octet of the control channel and of GRE by hand, in one process. Each case
 * says what either end must see. Called by selftests/pptp.
 *
 * usage: pptp_sim PREFIX CASE...	PREFIX is that of the namespaces' names; a
 *					case "-f" flushes conntrack after each
 *	   pptp_sim PREFIX list		names of all cases
 *	   pptp_sim PREFIX hold N [MS]	N calls, up until SIGTERM; says "ready"; a
 *					packet a call and side every MS (2)
 *	   pptp_sim PREFIX replay FILE...	streams of the fuzzer's corpus
 * PPTP_SIM_PUB in the environment is the address that NAT gives instead of r's own.
 * The network is that of selftests/lib/topo.sh: clients c1 and c2, a server g1
 * (and g2, for two_servers_one_id), the router r. Prints a line a case: "NAME pass", or "NAME fail REASON".
 */
#include "pptp_sim.h"
#include <sys/prctl.h>
#include <sys/wait.h>

/* --- cases ------------------------------------------------------------------------------ */

static struct conn *client_of(int host, int server)
{
	struct conn *c = conn_open(host, server, true);

	start(c, IN);
	return c;
}

static struct conn *client(int host)
{
	return client_of(host, G1);
}

/* Another client has that number towards the same server already. */
static struct call taken(uint16_t id)
{
	size_t was = cut;
	struct call call;

	cut = 0;
	call = out_call(client(C2), IN, id, 0x0c02);
	cut = was;
	return call;
}

static void differ(const struct call *a, const struct call *b)
{
	if (a->nat_id == b->nat_id)
		fail("two calls have the same number outside, %04x", a->nat_id);
}

static void case_one_call(void)
{
	struct call call = out_call(client(C1), IN, 0x1234, 0x0101);

	gre_works(&call);
}

static void case_two_calls(void)
{
	struct conn *c = client(C1);
	struct call a = out_call(c, IN, 1, 0x0101), b = out_call(c, IN, 2, 0x0102);

	differ(&a, &b);
	gre_works(&a);
	gre_works(&b);
	gre_works(&a);
}

static void case_two_clients_one_id(void)
{
	struct call a = taken(0x1234), b = out_call(client(C1), IN, 0x1234, 0x0101);

	differ(&a, &b);
	gre_works(&a);
	gre_works(&b);
	gre_works_in_first(&a);
}

/* A client's number, towards each of two servers. */
static void case_two_servers_one_id(void)
{
	struct call a, b;

	if (hosts[G2].ns < 0)
		fail("there is no second server");
	a = out_call(client(C1), IN, 0x1234, 0x0101);
	b = out_call(client_of(C1, G2), IN, 0x1234, 0x0101);
	gre_works(&a);
	gre_works(&b);
	gre_works_in_first(&a);
}

static void case_octet_segments(void)
{
	struct call a = taken(0x1234), b;

	cut = 1;
	b = out_call(client(C1), IN, 0x1234, 0x0101);
	differ(&a, &b);
	gre_works(&b);
	gre_works(&a);
}

static void case_split_in_call_id(void)
{
	struct call a = taken(0x1234), b;

	cut = 13;
	b = out_call(client(C1), IN, 0x1234, 0x0101);
	differ(&a, &b);
	gre_works(&b);
}

static void append(struct msg *to, struct msg m)
{
	memcpy(to->b + to->len, m.b, m.len);
	to->len += m.len;
}

static void case_coalesced(void)
{
	struct call other = taken(2), a, b;
	struct conn *c = conn_open(C1, G1, true);
	struct msg m = { 0 }, got = { 0 };

	append(&m, msg(SCCRQ, 0, 0));
	append(&m, msg(OCRQ, 1, 0));
	append(&m, msg(OCRQ, 2, 0));
	put(c, IN, m.b, m.len);
	get(c, OUT, got.b, m.len);
	a = (struct call){ c, 1, get16(got.b + 156 + 12), 0x0101 };
	b = (struct call){ c, 2, get16(got.b + 156 + 168 + 12), 0x0102 };
	differ(&b, &other);
	differ(&a, &b);
	m.len = 0;
	append(&m, msg(SCCRP, 0, 0));
	append(&m, msg(OCRP, 0x0101, a.nat_id));
	append(&m, msg(OCRP, 0x0102, b.nat_id));
	append(&m, msg(SLI, b.nat_id, 0));
	put(c, OUT, m.b, m.len);
	get(c, IN, got.b, m.len);
	want("first OCRP's peer", get16(got.b + 156 + 14), 1);
	want("second OCRP's peer", get16(got.b + 156 + 32 + 14), 2);
	want("SLI's call", get16(got.b + 156 + 64 + 12), 2);
	gre_works(&a);
	gre_works(&b);
}

static void case_incoming_call(void)
{
	struct call a = taken(0x1234), b = in_call(client(C1), OUT, 0x1234, 0x0101);

	differ(&a, &b);
	gre_works(&b);
}

static void case_disconnect_from_server(void)
{
	struct conn *c = client(C1);
	struct call call = out_call(c, IN, 0x1234, 0x0101);
	struct msg m;

	gre_works(&call);
	m = pass(c, IN, msg(CCRQ, call.in_id, 0));
	want("Call-Clear-Request's call ID outside", id_of(&m), call.nat_id);
	m = pass(c, OUT, msg(CDN, call.out_id, 0));
	want("Disconnect-Notify's call ID inside", id_of(&m), call.out_id);
	gre_ended(&call);
}

static void case_disconnect_from_client(void)
{
	struct call other = taken(0x1234), call;
	struct conn *c = client(C1);
	struct msg m;

	call = in_call(c, IN, 0x1234, 0x0101);
	differ(&call, &other);
	gre_works(&call);
	m = pass(c, IN, msg(CDN, call.in_id, 0));
	want("Disconnect-Notify's call ID outside", id_of(&m), call.nat_id);
	gre_ended(&call);
	gre_works(&other);
}

static void case_pac_opens(void)
{
	struct conn *c = client(C1);
	struct call a = in_call(c, IN, 0x1234, 0x0101);
	struct call b = out_call(c, OUT, 0x1235, 0x0102);

	differ(&a, &b);
	gre_works(&a);
	gre_works(&b);
}

static void case_set_link_info(void)
{
	struct call other = taken(0x1234), call;
	struct conn *c = client(C1);
	struct msg m;

	call = out_call(c, IN, 0x1234, 0x0101);
	differ(&call, &other);
	m = pass(c, OUT, msg(SLI, call.nat_id, 0));
	want("Set-Link-Info's call ID", id_of(&m), call.in_id);
	m = pass(c, OUT, msg(WEN, call.nat_id, 0));
	want("WAN-Error-Notify's call ID", id_of(&m), call.in_id);
	m = pass(c, IN, msg(SLI, call.out_id, 0));
	want("own Set-Link-Info's call ID", id_of(&m), call.out_id);
}

/* No slot for an expectation: the call is reported as connected all the same. */
static void case_expectations_full(void)
{
	struct call call = out_call(client(C1), IN, 0x1234, 0x0101);

	gre_works(&call);
}

static void case_gre_entry_deleted(void)
{
	struct call call = out_call(client(C1), IN, 0x1234, 0x0101);

	gre_works(&call);
	run_in(R, "conntrack -D -p gre");
	gre_returns(&call, 4000);
}

static void case_table_flushed(void)
{
	struct conn *c = client(C1);
	struct call other = taken(0x1234), call = out_call(c, IN, 0x1234, 0x0101), more;

	differ(&call, &other);
	gre_works(&call);
	run_in(R, "conntrack -F");
	gre_returns(&call, 4000);
	pass(c, IN, msg(ECHORQ, 0, 0));
	pass(c, OUT, msg(ECHORP, 0, 0));
	more = out_call(c, IN, 0x1235, 0x0102);
	gre_works(&more);
	gre_works(&call);
	pass(c, IN, msg(CCRQ, call.in_id, 0));
	pass(c, OUT, msg(CDN, call.out_id, 0));
	gre_ended(&call);
	gre_works(&more);
	pass(other.c, IN, msg(ECHORQ, 0, 0));
	gre_works(&other);
}

static void abort_end(struct conn *c, int end)
{
	struct linger off = { .l_onoff = 1 };

	setsockopt(c->fd[end], SOL_SOCKET, SO_LINGER, &off, sizeof(off));
	close(c->fd[end]);
	c->fd[end] = -1;
}

/* The router has not seen the end of a connection that it waits for, and the client
 * opens another one from the same port.
 */
static void case_flushed_then_same_port(void)
{
	struct conn *c = client(C1);
	struct call call = out_call(c, IN, 0x1234, 0x0101);
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	gre_works(&call);
	getsockname(c->fd[IN], (void *)&sin, &len);
	run_in(R, "conntrack -F");
	abort_end(c, OUT);
	abort_end(c, IN);
	from_port = ntohs(sin.sin_port);
	c = client(C1);
	from_port = 0;
	call = out_call(c, IN, 0x1234, 0x0101);
	gre_works(&call);
}

/* Seconds that the GRE entry of a call has left. */
static int gre_timeout(const struct call *call)
{
	char cmd[256];
	int left = -1;
	FILE *f;

	snprintf(cmd, sizeof(cmd),
		 "ip netns exec %sr conntrack -L -p gre 2>/dev/null | grep srckey=0x%x", prefix,
		 call->in_id);
	f = popen(cmd, "r");
	if (!f || fscanf(f, "gre %*d %d", &left) != 1)
		left = -1;
	if (f)
		pclose(f);
	return left;
}

static void case_echo_keeps_alive(void)
{
	struct conn *c = client(C1);
	struct call call = out_call(c, IN, 0x1234, 0x0101);
	int before, after;

	gre_works(&call);
	nap(3500);
	before = gre_timeout(&call);
	pass(c, IN, msg(ECHORQ, 0, 0));
	pass(c, OUT, msg(ECHORP, 0, 0));
	after = gre_timeout(&call);
	if (before < 0 || after <= before)
		fail("GRE entry had %d s left, after Echo %d s", before, after);
}

/* Octets like a message in the middle of another, at a segment's beginning. */
static void case_cookie_in_payload(void)
{
	struct call other = taken(0x1234), call;
	struct conn *c = client(C1);
	struct msg m = msg(OCRQ, 0x1234, 0), fake = msg(CCRQ, 0x1234, 0), got = { 0 };

	memcpy(m.b + 60, fake.b, fake.len);
	memcpy(m.b + 100, fake.b, fake.len);
	got.len = m.len;
	put(c, IN, m.b, 60);
	get(c, OUT, got.b, 60);
	put(c, IN, m.b + 60, m.len - 60);
	get(c, OUT, got.b + 60, m.len - 60);
	check_octets(&m, &got);
	call = (struct call){ c, 0x1234, id_of(&got), 0x0101 };
	differ(&call, &other);
	m = pass(c, OUT, msg(OCRP, 0x0101, call.nat_id));
	want("OCRP peer's call ID", peer_of(&m), 0x1234);
	gre_works(&call);
}

/* A message longer than RFC 2637 has it, then one of a type that it has not. */
static void case_longer_message(void)
{
	struct call other = taken(0x1234), call;
	struct conn *c = client(C1);
	struct msg m = msg(OCRQ, 0x1234, 0), got = { 0 }, odd = msg(SCCRQ, 0, 0);

	m.len += 40;
	m.b[1] = (uint8_t)m.len;
	memset(m.b + 168, 0x1a, 40);
	put(c, IN, m.b, m.len);
	get(c, OUT, got.b, m.len);
	check_octets(&m, &got);
	call = (struct call){ c, 0x1234, id_of(&got), 0x0101 };
	differ(&call, &other);
	put16(odd.b + 8, 99);
	put(c, OUT, odd.b, odd.len);
	get(c, IN, got.b, odd.len);
	m = pass(c, OUT, msg(OCRP, 0x0101, call.nat_id));
	want("OCRP peer's call ID", peer_of(&m), 0x1234);
	gre_works(&call);
}

static void case_router_is_client(void)
{
	struct call a = taken(0x1234), b = out_call(client(R), IN, 0x1234, 0x0101);

	differ(&a, &b);
	gre_works(&b);
	gre_works(&a);
}

/* r leads TCP port 1723 of its own address to c1. */
static void case_server_inside(void)
{
	struct conn *c = conn_open(C1, G1, false);
	struct call a, b;

	start(c, OUT);
	a = out_call(c, OUT, 7, 0x4321);
	b = out_call(c, OUT, 8, 0x4322);
	differ(&a, &b);
	gre_works(&a);
	gre_works_in_first(&b);
}

/* A client beside it, of the same outside, with the same numbers. */
static void case_server_and_client(void)
{
	struct conn *c = conn_open(C1, G1, false);
	struct call a, b;

	start(c, OUT);
	a = out_call(c, OUT, 7, 0x4321);
	b = out_call(client(C2), IN, 7, 0x4321);
	differ(&a, &b);
	gre_works(&a);
	gre_works(&b);
	gre_works_in_first(&a);
	gre_works_in_first(&b);
}

/* GRE that a rule leads to c1, by call ID 6007, of a call that nobody has helped, is
 * still c1's when another client has a call with its number.
 */
/* The server starts before its answer: what no rule led elsewhere is dropped, not this. */
static void case_early_gre_led_inside(void)
{
	struct conn *c = client(C2);
	struct call call = { c, 0x6007, 0, 0x4321 };
	struct msg m = pass(c, IN, msg(OCRQ, 0x6007, 0));

	call.nat_id = id_of(&m);
	want("a free number", call.nat_id, 0x6007);
	if (!gre_try(G1, PUB, 0x6007, C1, hosts[G1].ip, 0x6007, WAIT_MS))
		fail("a rule leads GRE to c1, which did not get it");
	pass(c, OUT, msg(OCRP, call.out_id, call.nat_id));
	gre_works(&call);
}

static void case_gre_led_inside(void)
{
	struct call call;

	if (!gre_try(G1, PUB, 0x6007, C1, hosts[G1].ip, 0x6007, WAIT_MS))
		fail("no rule leads GRE to c1");
	call = out_call(client(C2), IN, 0x6007, 0x4321);
	gre_works(&call);
	if (!gre_try(G1, PUB, 0x6007, C1, hosts[G1].ip, 0x6007, WAIT_MS))
		longjmp(failed, 1);
}

static void case_server_speaks_first(void)
{
	struct call call = out_call(client(C1), IN, 0x1234, 0x0101);

	gre_works_in_first(&call);
}

static void case_call_id_0(void)
{
	struct call other = taken(0), call = out_call(client(C1), IN, 0, 0);

	differ(&call, &other);
	gre_works(&call);
}

/* A client whose call is over sends one more packet; another's call then has what that
 * packet's entry has, numbers and all, where 0 is a number.
 */
static void case_stale_gre(void)
{
	struct call old = taken(0x0700), call;

	gre_works(&old);
	pass(old.c, IN, msg(CCRQ, old.in_id, 0));
	pass(old.c, OUT, msg(CDN, old.out_id, 0));
	if (!gre_out(&old, WAIT_MS))
		fail("GRE after the call is not plain GRE");
	call = out_call(client(C1), IN, 0, old.out_id);
	if (!call.nat_id)
		fail("call ID 0 went out");
	gre_works(&call);
}

static void case_stale_gre_own(void)
{
	struct call call = { client(C1), 0, 0, 0x0101 };

	if (!gre_out(&call, WAIT_MS))
		fail("GRE before the call is not plain GRE");
	call = out_call(call.c, IN, 0, 0x0101);
	gre_works(&call);
}

/* From a server that starts too early. */
static void case_stale_gre_outside(void)
{
	struct conn *c = client(C1);
	struct call call;
	uint8_t p[64];

	gre_send(G1, PUB, p, gre_build(p, 0x0777));
	nap(50);
	call = out_call(c, IN, 0x0777, 0);
	gre_works(&call);
}

static void case_request_again(void)
{
	struct conn *c = client(C1);
	struct call a = out_call(c, IN, 0x1234, 0x0101), b;

	gre_works(&a);
	b = out_call(c, IN, 0x1234, 0x0102);
	gre_works(&b);
}

static void case_refused_call(void)
{
	struct conn *c = client(C1);
	struct call call = { c, 0x1234, 0, 0x0101 };
	struct msg m = pass(c, IN, msg(OCRQ, 0x1234, 0)), no;

	call.nat_id = id_of(&m);
	no = msg(OCRP, 0, call.nat_id);
	no.b[16] = 4;
	m = pass(c, OUT, no);
	want("refusal's call", peer_of(&m), 0x1234);
	gre_ended(&call);
	call = out_call(c, IN, 0x1234, 0x0102);
	gre_works(&call);
}

static void case_gre_before_reply(void)
{
	struct call call = { client(C1), 0x1234, 0, 0x0101 };
	struct msg m = pass(call.c, IN, msg(OCRQ, 0x1234, 0));

	call.nat_id = id_of(&m);
	if (gre_in(&call, 200))
		fail("GRE passed before the call was answered");
	m = pass(call.c, OUT, msg(OCRP, 0x0101, call.nat_id));
	want("OCRP peer's call ID", peer_of(&m), 0x1234);
	gre_works_in_first(&call);
}

/*
 * Segments get lost on their way into a host; TCP sends them again, put together.
 * With @gap what comes after them is not lost, and is there before them.
 */
static void call_with_loss(int at, bool gap)
{
	struct call other = taken(0x1234), call;
	struct conn *c = client(C1);
	struct msg m = msg(OCRQ, 0x1234, 0), got = { .len = m.len };
	size_t off;

	run_in(at, "nft add table ip lossy");
	run_in(at, "nft add chain ip lossy in '{ type filter hook prerouting priority -450; }'");
	run_in(at, "nft add rule ip lossy in tcp dport 1723 drop");
	for (off = 0; off < 24; off += 3) {
		put(c, IN, m.b + off, 3);
		nap(5);
	}
	if (gap)
		run_in(at, "nft delete table ip lossy");
	put(c, IN, m.b + off, m.len - off);
	nap(50);
	if (!gap)
		run_in(at, "nft delete table ip lossy");
	get_within(c, OUT, got.b, m.len, 5000);
	check_octets(&m, &got);
	call = (struct call){ c, 0x1234, id_of(&got), 0x0101 };
	differ(&call, &other);
	m = pass(c, OUT, msg(OCRP, 0x0101, call.nat_id));
	want("OCRP peer's call ID", peer_of(&m), 0x1234);
	gre_works(&call);
}

static void case_retransmission(void)
{
	call_with_loss(G1, false);
}

/* The server has the end before the beginning, and says so (SACK). */
static void case_out_of_order(void)
{
	call_with_loss(G1, true);
}

/* The router has. */
static void case_gap_at_router(void)
{
	call_with_loss(R, true);
}

/* Does GRE of other forms with a call's number reach the inside? */
static bool form_in(const struct call *call, uint16_t bits, uint16_t proto, size_t len)
{
	uint8_t p[64], got[2048];
	size_t n;

	gre_drain();
	gre_build(p, call->nat_id);
	put16(p, bits);
	put16(p + 2, proto);
	gre_send(call->c->host[OUT], PUB, p, len);
	if (!gre_get(call->c->host[IN], got, &n, 300))
		return false;
	if (get16(got + 26) != call->in_id)
		fail("GRE %04x arrived by %04x, not %04x", bits, get16(got + 26), call->in_id);
	return n == 20 + len;
}

/* RFC 2637 4.1: acknowledgements without payload are the call's, too; what is
 * not version 1 of PPP is not.
 */
static void case_gre_forms(void)
{
	struct call call = out_call(client(C1), IN, 0x1234, 0x0101);

	gre_works(&call);
	if (!form_in(&call, 0x2081, 0x880b, 12))
		fail("an acknowledgement alone does not arrive");
	if (!form_in(&call, 0x3081, 0x880b, 20))
		fail("a packet with an acknowledgement does not arrive");
	if (form_in(&call, 0x2000, 0x880b, 20))
		fail("version 0 arrives");
	if (form_in(&call, 0x2001, 0x0800, 20))
		fail("what is not PPP arrives");
	if (form_in(&call, 0x2081, 0x880b, 6))
		fail("a torn header arrives");
	gre_works(&call);
}

static uint16_t csum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (; len > 1; p += 2, len -= 2)
		sum += get16(p);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~((sum & 0xffff) + (sum >> 16));
}

/* Fragmentation needed, about GRE from @src to @dst by @key, 8 octets of it. */
static void icmp_send(int from, const char *to, const char *src, const char *dst, uint16_t key)
{
	uint8_t p[36] = { 3, 4, 0, 0, 0, 0, 0x05, 0x14, 0x45, 0, 0x05, 0xdc, 0, 1, 0x40, 0,
			  63, IPPROTO_GRE };
	struct sockaddr_in sin = sin_of(to, 0);
	uint8_t gre[64];

	inet_pton(AF_INET, src, p + 8 + 12);
	inet_pton(AF_INET, dst, p + 8 + 16);
	put16(p + 8 + 10, csum(p + 8, 20));
	gre_build(gre, key);
	memcpy(p + 28, gre, 8);
	put16(p + 2, csum(p, sizeof(p)));
	if (sendto(hosts[from].icmp, p, sizeof(p), 0, (void *)&sin, sizeof(sin)) < 0)
		fail("ICMP could not be sent");
}

static void icmp_want(int at, const char *src, const char *dst, uint16_t key)
{
	struct pollfd pfd = { .fd = hosts[at].icmp, .events = POLLIN };
	struct in_addr a, b;
	uint8_t got[2048];

	inet_pton(AF_INET, src, &a);
	inet_pton(AF_INET, dst, &b);
	while (poll(&pfd, 1, WAIT_MS) == 1) {
		ssize_t n = recv(hosts[at].icmp, got, sizeof(got), 0);
		const uint8_t *q = got + 28;

		if (n < 56 || got[20] != 3 || got[21] != 4)
			continue;
		if (memcmp(q + 12, &a, 4) || memcmp(q + 16, &b, 4))
			fail("the ICMP error at %s quotes other addresses", hosts[at].name);
		want("the quoted call ID", get16(q + 20 + 6), key);
		if (csum(got + 20, n - 20) || csum(q, 20))
			fail("the ICMP error's checksum is wrong");
		return;
	}
	fail("the ICMP error did not reach %s", hosts[at].name);
}

static void case_icmp_quotes(void)
{
	struct call a = taken(0x1234), b = out_call(client(C1), IN, 0x1234, 0x0101);

	differ(&a, &b);
	gre_works(&a);
	gre_works(&b);
	gre_drain();
	icmp_send(G1, PUB, PUB, hosts[G1].ip, b.out_id);
	icmp_want(C1, hosts[C1].ip, hosts[G1].ip, b.out_id);
	icmp_send(G1, PUB, PUB, hosts[G1].ip, a.out_id);
	icmp_want(C2, hosts[C2].ip, hosts[G1].ip, a.out_id);
	icmp_send(C1, hosts[G1].ip, hosts[G1].ip, hosts[C1].ip, b.in_id);
	icmp_want(G1, hosts[G1].ip, PUB, b.nat_id);
}

/* The client was restarted; nobody has told the router that its old connection
 * is no more, and both sides count from the same number again.
 */
static void case_client_restarted(void)
{
	struct call a = out_call(client(C1), IN, 0x1234, 0x0101), b;

	gre_works(&a);
	b = out_call(client(C1), IN, 0x1234, 0x0101);
	differ(&a, &b);
	gre_works(&b);
}

/* The peer is gone without a word on the control connection. */
static void case_reset_ends_calls(void)
{
	struct conn *c = client(C1);
	struct call call = out_call(c, IN, 0x1234, 0x0101);

	gre_works(&call);
	abort_end(c, IN);
	nap(200);
	gre_ended(&call);
}

/* --- forged segments: all that a blind sender knows is addresses and ports ----------- */

enum { FIN = 0x01, SYN = 0x02, RST = 0x04, ACK = 0x10 };

/* As if from the outside, with these numbers. */
static void forge(const struct conn *c, uint8_t flags, uint32_t seq, uint32_t ack)
{
	struct sockaddr_in to = { 0 };
	socklen_t len = sizeof(to);
	int fd = socket_in(c->host[OUT], SOCK_RAW, IPPROTO_TCP);
	uint8_t p[12 + 20] = { [9] = IPPROTO_TCP, [11] = 20 }, *tcp = p + 12;

	if (getpeername(c->fd[OUT], (void *)&to, &len))
		fail("no peer: %s", strerror(errno));
	inet_pton(AF_INET, hosts[c->host[OUT]].ip, p);
	memcpy(p + 4, &to.sin_addr, 4);
	put16(tcp, 1723);
	put16(tcp + 2, ntohs(to.sin_port));
	put16(tcp + 4, seq >> 16);
	put16(tcp + 6, (uint16_t)seq);
	put16(tcp + 8, ack >> 16);
	put16(tcp + 10, (uint16_t)ack);
	tcp[12] = 0x50;
	tcp[13] = flags;
	put16(tcp + 14, 0x1000);
	put16(tcp + 16, csum(p, sizeof(p)));
	to.sin_port = 0;
	if (sendto(fd, tcp, 20, 0, (void *)&to, sizeof(to)) != 20)
		fail("segment could not be sent: %s", strerror(errno));
	close(fd);
}

/* All over the space of either number, so that half of them are ahead of the stream. */
static void forge_blindly(const struct conn *c, uint8_t flags)
{
	uint32_t seq, ack;

	for (seq = 0; seq < 4; seq++)
		for (ack = 0; ack < 4; ack++)
			forge(c, flags, 0x12345678 + (seq << 30), 0x2468ace0 + (ack << 30));
	nap(50);
}

/* A connection that was helped before them is helped after them. */
static void survives(int inside, const uint8_t *flags)
{
	struct call other = taken(0x1234), a, b;
	struct conn *c = client(inside);

	a = out_call(c, IN, 0x1234, 0x0101);
	differ(&a, &other);
	gre_works(&a);
	for (; *flags; flags++)
		forge_blindly(c, *flags);
	gre_works(&a);
	b = out_call(c, IN, 0x1235, 0x0102);
	gre_works(&b);
	b = out_call(c, IN, 0, 0x0103);
	gre_works(&b);
	pass(c, IN, msg(CCRQ, a.in_id, 0));
	pass(c, OUT, msg(CDN, a.out_id, 0));
	gre_ended(&a);
}

static void case_forged_syn_ack(void)
{
	static const uint8_t flags[] = { SYN | ACK, 0 };

	survives(C1, flags);
}

static void case_forged_syn(void)
{
	static const uint8_t flags[] = { SYN, 0 };

	survives(C1, flags);
}

static void case_forged_ack(void)
{
	static const uint8_t flags[] = { ACK, 0 };

	survives(C1, flags);
}

/* Segments that would bring a TCP that believes them to its end. */
static void case_forged_end(void)
{
	static const uint8_t flags[] = { FIN | ACK, FIN | ACK, ACK, RST, RST | ACK, 0 };

	survives(C1, flags);
}

static void case_forged_to_router(void)
{
	static const uint8_t flags[] = { SYN | ACK, ACK, FIN | ACK, FIN | ACK, ACK, RST, 0 };

	survives(R, flags);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "one_call", case_one_call },
	{ "two_calls", case_two_calls },
	{ "two_clients_one_id", case_two_clients_one_id },
	{ "two_servers_one_id", case_two_servers_one_id },
	{ "octet_segments", case_octet_segments },
	{ "split_in_call_id", case_split_in_call_id },
	{ "coalesced", case_coalesced },
	{ "incoming_call", case_incoming_call },
	{ "disconnect_from_server", case_disconnect_from_server },
	{ "disconnect_from_client", case_disconnect_from_client },
	{ "pac_opens", case_pac_opens },
	{ "set_link_info", case_set_link_info },
	{ "expectations_full", case_expectations_full },
	{ "gre_entry_deleted", case_gre_entry_deleted },
	{ "table_flushed", case_table_flushed },
	{ "flushed_then_same_port", case_flushed_then_same_port },
	{ "echo_keeps_alive", case_echo_keeps_alive },
	{ "cookie_in_payload", case_cookie_in_payload },
	{ "longer_message", case_longer_message },
	{ "router_is_client", case_router_is_client },
	{ "server_inside", case_server_inside },
	{ "server_and_client", case_server_and_client },
	{ "early_gre_led_inside", case_early_gre_led_inside },
	{ "gre_led_inside", case_gre_led_inside },
	{ "server_speaks_first", case_server_speaks_first },
	{ "call_id_0", case_call_id_0 },
	{ "stale_gre", case_stale_gre },
	{ "stale_gre_own", case_stale_gre_own },
	{ "stale_gre_outside", case_stale_gre_outside },
	{ "request_again", case_request_again },
	{ "refused_call", case_refused_call },
	{ "gre_before_reply", case_gre_before_reply },
	{ "retransmission", case_retransmission },
	{ "out_of_order", case_out_of_order },
	{ "gap_at_router", case_gap_at_router },
	{ "gre_forms", case_gre_forms },
	{ "icmp_quotes", case_icmp_quotes },
	{ "client_restarted", case_client_restarted },
	{ "reset_ends_calls", case_reset_ends_calls },
	{ "forged_syn_ack", case_forged_syn_ack },
	{ "forged_syn", case_forged_syn },
	{ "forged_ack", case_forged_ack },
	{ "forged_end", case_forged_end },
	{ "forged_to_router", case_forged_to_router },
};

#define N_CASES ((int)(sizeof(cases) / sizeof(cases[0])))

static void run_case(int i)
{
	cut = 0;
	from_port = 0;
	if (setjmp(failed)) {
		printf("%s fail %s\n", cases[i].name, reason);
	} else {
		cases[i].run();
		printf("%s pass\n", cases[i].name);
	}
	conns_close();
	if (flush && !setjmp(failed))
		run_in(R, "conntrack -F");
	fflush(stdout);
}

static int find_case(const char *name)
{
	int i;

	for (i = 0; i < N_CASES; i++)
		if (!strcmp(cases[i].name, name))
			return i;
	fprintf(stderr, "pptp_sim: no case %s\n", name);
	exit(2);
}

/* --- calls that stay, with traffic -------------------------------------------------------- */

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

/* A side of all calls, until told to end; what arrives matters to nobody: the
 * router is being pulled from under it.
 */
static void traffic_of(const struct call *calls, int n, int ms, bool client)
{
	struct sockaddr_in g1 = sin_of(hosts[G1].ip, 0), pub = sin_of(PUB, 0);
	const struct host *from = &hosts[client ? C1 : G1];
	const struct sockaddr_in *to = client ? &g1 : &pub;
	struct msg echo = msg(ECHORQ, 0, 0);
	uint8_t p[64];
	size_t len;
	int i;

	for (i = 0; !stop; i = (i + 1) % n) {
		len = gre_build(p, client ? calls[i].out_id : calls[i].nat_id);
		sendto(from->gre, p, len, 0, (const void *)to, sizeof(*to));
		if (i)
			continue;
		if (client)
			send(calls[i].c->fd[IN], echo.b, echo.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		while (recv(calls[i].c->fd[client ? IN : OUT], p, sizeof(p), MSG_DONTWAIT) > 0)
			;
		while (recv(from->gre, p, sizeof(p), MSG_DONTWAIT) > 0)
			;
		nap(ms);
	}
}

/* Each side by a process of its own: with two CPUs at the same moment. */
static void traffic(const struct call *calls, int n, int ms)
{
	pid_t gateway = fork();

	if (gateway < 0)
		die("fork");
	if (!gateway)
		prctl(PR_SET_PDEATHSIG, SIGTERM);
	traffic_of(calls, n, ms, gateway);
	if (!gateway)
		_exit(0);
	kill(gateway, SIGTERM);
	waitpid(gateway, NULL, 0);
}

static int hold(int n, int ms)
{
	struct call *calls = calloc(n, sizeof(*calls));
	struct conn *c;
	int i;

	if (setjmp(failed)) {
		printf("fail %s\n", reason);
		return 1;
	}
	c = client(C1);
	for (i = 0; i < n; i++)
		calls[i] = out_call(c, IN, i + 1, 0x4000 + i);
	signal(SIGTERM, on_signal);
	printf("ready\n");
	fflush(stdout);
	traffic(calls, n, ms);
	return 0;
}

/* --- the fuzzer's corpus, through a real TCP connection ------------------------------------ */

/* As fuzz/fuzz_pptp_ctl.c reads it: turns, each a message or raw octets. */
static size_t turn(uint8_t *out, uint8_t t, const uint8_t **in, const uint8_t *end)
{
	uint8_t type = t & 31, arg[5] = { 0 };
	struct msg m;
	size_t n;

	if (t & 0x40) {
		n = *in < end ? *(*in)++ : 0;
		n = n < (size_t)(end - *in) ? n : (size_t)(end - *in);
		memcpy(out, *in, n);
		*in += n;
		return n;
	}
	n = (size_t)(end - *in) < sizeof(arg) ? (size_t)(end - *in) : sizeof(arg);
	memcpy(arg, *in, n);
	*in += n;
	m = msg(type < 16 ? type : 0, 0, 0);
	if (type >= 16)
		m.len = type * 2;
	put16(m.b, (uint16_t)m.len);
	put16(m.b + 8, type);
	if (m.len >= 16)
		memcpy(m.b + 12, arg, 4);
	if (m.len >= 18)
		m.b[type == CDN ? 14 : 16] = arg[4];
	memcpy(out, m.b, m.len);
	return m.len;
}

/* Every octet arrives, whatever it says; call IDs may have changed. */
static void replay(const char *file, size_t segment)
{
	uint8_t raw[65536], out[1024], got[1024];
	FILE *f = fopen(file, "rb");
	const uint8_t *in, *end;
	struct conn *c;
	size_t n, off, k;

	if (!f)
		die(file);
	n = fread(raw, 1, sizeof(raw), f);
	fclose(f);
	in = raw + 2;
	end = raw + n;
	c = conn_open(C1, G1, true);
	while (in < end) {
		uint8_t t = *in++;

		n = turn(out, t, &in, end);
		for (off = 0; off < n; off += k) {
			k = segment && n - off > segment ? segment : n - off;
			put(c, t & 0x80 ? OUT : IN, out + off, k);
			get(c, t & 0x80 ? IN : OUT, got + off, k);
		}
	}
}

static int replay_failed(const char *file, size_t segment)
{
	if (setjmp(failed)) {
		printf("%s fail %s\n", file, reason);
		conns_close();
		return 1;
	}
	replay(file, segment);
	conns_close();
	return 0;
}

static int replays(char **files)
{
	int bad = 0;

	for (; *files; files++) {
		bad |= replay_failed(*files, 0);
		bad |= replay_failed(*files, 7);
	}
	printf("done\n");
	return bad;
}

int main(int argc, char **argv)
{
	int i;

	if (argc < 3) {
		fprintf(stderr, "usage: pptp_sim PREFIX CASE...|list|hold N [MS]|replay FILE...\n");
		return 2;
	}
	prefix = argv[1];
	if (!strcmp(argv[2], "list")) {
		for (i = 0; i < N_CASES; i++)
			puts(cases[i].name);
		return 0;
	}
	hosts_open();
	signal(SIGPIPE, SIG_IGN);
	if (getenv("PPTP_SIM_PUB"))
		nat_ip = getenv("PPTP_SIM_PUB");
	if (!strcmp(argv[2], "hold"))
		return hold(argc > 3 ? atoi(argv[3]) : 1, argc > 4 ? atoi(argv[4]) : 2);
	if (!strcmp(argv[2], "replay"))
		return replays(argv + 3);
	for (i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "-f"))
			flush = true;
		else
			run_case(find_case(argv[i]));
	}
	return 0;
}
