// SPDX-License-Identifier: GPL-2.0
/*
 * vpnpass doctor probe HOST: asks all services at the same time, each again
 * and again until it answers, is refused, or the time is up.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "../doctor.h"
#include "probe.h"

#define TIMEOUT_SECONDS	5
#define TIMEOUT_MAX	60
#define FIRST_WAIT_MSEC	500
/* A host that asks to be asked in another way more often than that is left alone. */
#define AGAIN_MAX	5
/* And it is waited for so long, as what it has said already is an answer. */
#define AGAIN_MSEC	2000
/* Connection tracking remembers an answered question at least as long. */
#define TRACKED_MSEC	25000

static const struct service *const services[] = {
	&service_ike, &service_natt, &service_ike_tcp, &service_pptp, &service_l2tp,
	&service_openvpn,
};

#define N_SERVICES	ARRAY_SIZE(services)

/**
 * struct probe - One service being asked.
 * @service: Which.
 * @to: Its address and port.
 * @length: Of @to.
 * @fd: Socket, -1 when done with.
 * @state: How far it is.
 * @text: What was answered, or why not.
 * @refuser: Who sent an ICMP error.
 * @talk: What is said.
 * @began: When it was asked first, in ms.
 * @own: Port that it is asked from.
 * @sent: What the packets left this host with, after its own NAT.
 * @nat: What is between here and there.
 * @seen_port: Of @sent, as the other end sees it.
 * @took: Until the answer, in ms.
 * @next: When to ask again.
 * @wait: How long after that.
 * @tries: How often it was asked.
 * @again: How often it had a wish before it answers.
 * @until: When that is what it said; 0 as long as it has said nothing.
 * @connected: A TCP connection is up.
 * @data: What came by it.
 * @got: How much.
 */
struct probe {
	const struct service *service;
	struct sockaddr_storage to;
	socklen_t length;
	int fd;
	enum result state;
	char text[PROBE_TEXT + 64];
	char refuser[INET6_ADDRSTRLEN];
	struct talk talk;
	uint16_t own, seen_port;
	struct endpoint sent;
	enum nat nat;
	int64_t began, took, next, wait, until;
	int tries, again;
	bool connected;
	uint8_t data[2 * PROBE_SIZE];
	size_t got;
};

struct request {
	const char *host;
	int64_t timeout;
	bool wanted[N_SERVICES];
	bool any;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static uint16_t port_of(const struct sockaddr_storage *a)
{
	return ntohs(a->ss_family == AF_INET ? ((const struct sockaddr_in *)a)->sin_port :
					       ((const struct sockaddr_in6 *)a)->sin6_port);
}

static uint16_t own_port(int fd)
{
	struct sockaddr_storage own = {};
	socklen_t length = sizeof(own);

	return getsockname(fd, (struct sockaddr *)&own, &length) ? 0 : port_of(&own);
}

static void finish(struct probe *p, enum result state, const char *text)
{
	p->state = state;
	p->took = now_ms() - p->began;
	if (text != p->text)
		snprintf(p->text, sizeof(p->text), "%s", text);
	p->own = own_port(p->fd);
	close(p->fd);
	p->fd = -1;
}

static void failed(struct probe *p, int error)
{
	char text[128];

	snprintf(text, sizeof(text), "%s", strerror(error));
	finish(p, REFUSED, text);
}

/* Errors that ICMP brings, with who sent it. */
static void read_error(struct probe *p)
{
	char control[512], from[INET6_ADDRSTRLEN] = "?", text[160];
	struct sock_extended_err *err = NULL;
	struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };
	const char *what;
	struct cmsghdr *c;

	if (recvmsg(p->fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return;
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if ((c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVERR) ||
		    (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_RECVERR))
			err = (struct sock_extended_err *)CMSG_DATA(c);
	if (!err || (err->ee_origin != SO_EE_ORIGIN_ICMP && err->ee_origin != SO_EE_ORIGIN_ICMP6))
		return;
	/* too large or too far is not a refusal */
	if (err->ee_errno != ECONNREFUSED && err->ee_errno != EHOSTUNREACH &&
	    err->ee_errno != ENETUNREACH && err->ee_errno != EACCES)
		return;
	getnameinfo(SO_EE_OFFENDER(err), p->length, from, sizeof(from), NULL, 0, NI_NUMERICHOST);
	what = err->ee_errno == ECONNREFUSED ? "port unreachable" : strerror(err->ee_errno);
	snprintf(text, sizeof(text), "%s, says %s", what, from);
	snprintf(p->refuser, sizeof(p->refuser), "%s", from);
	finish(p, REFUSED, text);
}

static void ask(struct probe *p)
{
	int i, n = p->tries && !p->again ? p->service->variants : 1;
	uint8_t data[PROBE_SIZE];

	for (i = 0; i < n && p->state == WAITING; i++) {
		size_t length = p->service->ask(data, &p->talk, i);

		if (p->service->l4proto == IPPROTO_TCP) {
			if (send(p->fd, data, length, MSG_NOSIGNAL) < 0)
				failed(p, errno);
		} else if (sendto(p->fd, data, length, 0, (struct sockaddr *)&p->to,
				  p->length) < 0 && errno != EAGAIN) {
			/* an earlier error is told here too, then the queue has it */
			if (errno == ECONNREFUSED)
				read_error(p);
			else
				failed(p, errno);
		}
	}
	p->tries++;
	p->next = now_ms() + p->wait;
	p->wait *= 2;
}

static struct endpoint endpoint_of(const struct sockaddr_storage *a)
{
	struct endpoint e = { .port = port_of(a) };

	if (a->ss_family == AF_INET)
		host_set(&e.host, AF_INET, &((const struct sockaddr_in *)a)->sin_addr);
	else
		host_set(&e.host, AF_INET6, &((const struct sockaddr_in6 *)a)->sin6_addr);
	return e;
}

/* Another socket tells the address that it is asked from, as ours is not connected. */
static void find_own(struct probe *p)
{
	struct sockaddr_storage any = { .ss_family = p->to.ss_family }, own = {};
	int fd = socket(p->to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t length = p->length;

	bind(p->fd, (struct sockaddr *)&any, p->length);
	if (!connect(fd, (struct sockaddr *)&p->to, p->length) &&
	    !getsockname(fd, (struct sockaddr *)&own, &length))
		p->talk.own = endpoint_of(&own);
	close(fd);
	p->talk.own.port = own_port(p->fd);
	p->talk.peer = endpoint_of(&p->to);
}

static void begin(struct probe *p)
{
	bool tcp = p->service->l4proto == IPPROTO_TCP;
	int on = 1, family = p->to.ss_family;

	p->began = now_ms();
	p->wait = FIRST_WAIT_MSEC;
	p->fd = socket(family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd < 0 || getrandom(p->talk.random, PROBE_RANDOM, 0) != PROBE_RANDOM) {
		failed(p, errno);
		return;
	}
	if (!tcp) {
		find_own(p);
		setsockopt(p->fd, family == AF_INET ? SOL_IP : SOL_IPV6,
			   family == AF_INET ? IP_RECVERR : IPV6_RECVERR, &on, sizeof(on));
		ask(p);
		return;
	}
	p->next = INT64_MAX;
	if (connect(p->fd, (struct sockaddr *)&p->to, p->length) && errno != EINPROGRESS)
		failed(p, errno);
}

static bool same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
		       ((const struct sockaddr_in *)b)->sin_addr.s_addr;
	return !memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
		       &((const struct sockaddr_in6 *)b)->sin6_addr, 16);
}

/* Leave nothing half open there; it does not matter if this is lost. */
static void take_back(struct probe *p, const struct sockaddr_storage *to, const uint8_t *answer,
		      size_t length)
{
	uint8_t data[PROBE_SIZE];
	size_t n = p->service->end ? p->service->end(data, &p->talk, answer, length) : 0;
	ssize_t sent = 0;

	if (n && to)
		sent = sendto(p->fd, data, n, 0, (const struct sockaddr *)to, p->length);
	else if (n)
		sent = send(p->fd, data, n, MSG_NOSIGNAL);
	(void)sent;
}

/* A wish is no answer yet; if granting it does not help, it was the answer. */
static bool is_last(struct probe *p)
{
	if (!p->talk.again || p->again == AGAIN_MAX)
		return true;
	p->again++;
	p->wait = FIRST_WAIT_MSEC;
	p->until = now_ms() + AGAIN_MSEC;
	ask(p);
	return false;
}

static void read_datagram(struct probe *p)
{
	struct sockaddr_storage from = {};
	socklen_t length = sizeof(from);
	uint8_t data[2048];
	ssize_t got;

	got = recvfrom(p->fd, data, sizeof(data), 0, (struct sockaddr *)&from, &length);
	if (got < 0)
		return;
	if (!same_host(&from, &p->to) ||
	    (port_of(&from) != p->service->port && !p->service->any_port))
		return;
	if (!p->service->understand(data, got, &p->talk, p->text) || !is_last(p))
		return;
	if (port_of(&from) != p->service->port)
		snprintf(p->text + strlen(p->text), sizeof(p->text) - strlen(p->text),
			 ", from port %u", port_of(&from));
	take_back(p, &from, data, got);
	finish(p, ANSWERED, p->text);
}

static void read_stream(struct probe *p)
{
	int error = 0;
	socklen_t length = sizeof(error);
	ssize_t got;

	if (!p->connected) {
		getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &length);
		if (error) {
			failed(p, error);
			return;
		}
		p->connected = true;
		ask(p);
		p->next = INT64_MAX;
		return;
	}
	got = recv(p->fd, p->data + p->got, sizeof(p->data) - p->got, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		finish(p, REFUSED, got ? strerror(errno) : "closed without an answer");
		return;
	}
	p->got += got;
	if (p->service->understand(p->data, p->got, &p->talk, p->text)) {
		take_back(p, NULL, p->data, p->got);
		finish(p, ANSWERED, p->text);
	} else if (p->got == sizeof(p->data)) {
		finish(p, REFUSED, "something else answers there");
	}
}

static void give_up(struct probe *p)
{
	if (p->again)
		finish(p, ANSWERED, p->text);
	else if (p->connected && p->got)
		finish(p, REFUSED, "something else answers there");
	else if (p->connected)
		finish(p, SILENT, "takes the connection, does not answer");
	else
		finish(p, SILENT, "no answer");
}

static short interest(const struct probe *p)
{
	return p->service->l4proto == IPPROTO_TCP && !p->connected ? POLLOUT : POLLIN;
}

/* A common wait for all that still run; false when none is left. */
static bool step(struct probe *probes, size_t n, int64_t deadline)
{
	struct pollfd fds[N_SERVICES];
	int64_t now = now_ms(), wake = deadline;
	bool left = false;
	size_t i;

	for (i = 0; i < n; i++) {
		struct probe *p = &probes[i];

		if (p->state == WAITING && (now >= deadline || (p->until && now >= p->until)))
			give_up(p);
		if (p->state == WAITING && now >= p->next)
			ask(p);
		fds[i] = (struct pollfd){ .fd = p->fd, .events = interest(p) };
		if (p->state != WAITING)
			continue;
		left = true;
		wake = p->next < wake ? p->next : wake;
	}
	if (!left)
		return false;
	wake = wake > now ? wake - now : 0;
	if (poll(fds, n, wake < 250 ? wake : 250) <= 0)
		return true;
	for (i = 0; i < n; i++) {
		struct probe *p = &probes[i];

		if (p->fd < 0 || !fds[i].revents)
			continue;
		if (p->service->l4proto == IPPROTO_TCP)
			read_stream(p);
		else if (fds[i].revents & POLLERR)
			read_error(p);
		else
			read_datagram(p);
	}
	return true;
}

static bool is_ours(const struct probe *p, const struct flow *f)
{
	struct endpoint to = endpoint_of(&p->to);

	return p->own && f->sport == p->own && f->vpn->l4proto == p->service->l4proto &&
	       f->vpn->port == p->service->port && host_equal(&f->dst, &to.host);
}

/*
 * Probes are no VPN; their connections shall not be taken for one. Connection tracking
 * tells what our own NAT made of the questions; where it may not be read, nobody knows.
 */
static void forget_all(struct probe *probes, size_t n)
{
	struct flows flows = {};
	int ret = flows_read(&flows);
	size_t i, k;

	for (k = 0; k < n; k++)
		if ((!ret || ret == -EOPNOTSUPP) && now_ms() - probes[k].began < TRACKED_MSEC)
			probes[k].sent = probes[k].talk.own;
	for (i = 0; i < flows.n; i++)
		for (k = 0; k < n; k++) {
			const struct flow *f = &flows.list[i];

			if (!is_ours(&probes[k], f))
				continue;
			probes[k].sent = (struct endpoint){ f->reply_dst, f->reply_dport };
			/* the end of a TCP connection would look like another that is silent */
			if (probes[k].state != ANSWERED || f->vpn->l4proto != IPPROTO_TCP)
				flow_forget(f);
		}
	flows_free(&flows);
}

static void judge_packet(struct probe *p)
{
	size_t length = strlen(p->text), left = sizeof(p->text) - length;
	char *end = p->text + length, address[INET6_ADDRSTRLEN];

	p->nat = nat_judge(&p->talk.sight, &p->sent, &p->seen_port);
	host_text(&p->sent.host, address);
	if (p->nat == NAT_NONE)
		snprintf(end, left, ", sees %s: no NAT on the way", address);
	else if (p->nat == NAT_PORT)
		snprintf(end, left, ", sees %s, but port %u instead of %u: NAT on the way",
			 address, p->seen_port, p->sent.port);
	else if (p->nat == NAT_ADDRESS)
		snprintf(end, left, ", sees another address than %s: NAT on the way", address);
}

static void run_all(struct probe *probes, size_t n, int64_t timeout)
{
	int64_t began = now_ms();
	bool tell = isatty(STDERR_FILENO);
	size_t i;

	for (i = 0; i < n; i++)
		begin(&probes[i]);
	while (step(probes, n, began + timeout * 1000))
		if (tell && now_ms() - began > 1000)
			fprintf(stderr, "\rwaiting for answers, %d of at most %d s ",
				(int)((now_ms() - began) / 1000), (int)timeout);
	if (tell)
		fputs("\r\033[K", stderr);
	forget_all(probes, n);
	for (i = 0; i < n; i++)
		judge_packet(&probes[i]);
}

static void print_probe(struct out *o, const struct probe *p, const char *address)
{
	static const char *const results[] = { "waiting", "answered", "refused", "silent" };
	static const char *const nats[] = { NULL, "undecided", "none", "port", "address" };
	bool tcp = p->service->l4proto == IPPROTO_TCP;
	char *port = xasprintf("%s/%u", tcp ? "tcp" : "udp", p->service->port);

	out_object(o, NULL);
	out_string(o, "service", "SERVICE", p->service->name);
	out_string(o, "address", NULL, address);
	out_string(o, "transport", NULL, tcp ? "tcp" : "udp");
	out_number(o, "port", NULL, MAYBE(p->service->port));
	out_string(o, NULL, "PORT", port);
	out_string(o, "result", "RESULT", results[p->state]);
	out_string(o, "answer", "ANSWER", p->text);
	out_string(o, "nat", NULL, nats[p->nat]);
	if (p->state == ANSWERED)
		out_msec(o, "time", NULL, MAYBE(p->took));
	out_object_end(o);
	out_row(o);
	free(port);
}

/* An optional service counts if it was asked for by name, as then all were. */
static int print_all(struct out *o, const struct probe *probes, size_t n, bool all)
{
	static const char *const columns[] = { "SERVICE", "PORT", "RESULT", "ANSWER", NULL };
	char address[INET6_ADDRSTRLEN] = "";
	bool silent = false;
	int ret = EXIT_OK;
	size_t i;

	getnameinfo((const struct sockaddr *)&probes[0].to, probes[0].length, address,
		    sizeof(address), NULL, 0, NI_NUMERICHOST);
	out_columns(o, columns);
	out_list(o, NULL);
	for (i = 0; i < n; i++) {
		print_probe(o, &probes[i], address);
		if (!all && probes[i].service->optional)
			continue;
		silent |= probes[i].state == SILENT;
		if (probes[i].state != ANSWERED)
			ret = EXIT_FOUND;
	}
	if (silent)
		out_line(o, 0, "Silent: %s has no such service, or a network on the way drops it.",
			 address);
	return ret;
}

static int resolve(const char *host, struct addrinfo **found)
{
	static const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM };
	int ret = getaddrinfo(host, NULL, &hints, found);

	if (!ret)
		return EXIT_OK;
	complain("%s: %s", host, gai_strerror(ret));
	return EXIT_USAGE;
}

static void set_port(struct sockaddr_storage *a, uint16_t port)
{
	if (a->ss_family == AF_INET)
		((struct sockaddr_in *)a)->sin_port = htons(port);
	else
		((struct sockaddr_in6 *)a)->sin6_port = htons(port);
}

static void prepare(struct probe *p, const struct service *service,
		    const struct addrinfo *address)
{
	memset(p, 0, sizeof(*p));
	p->service = service;
	p->length = address->ai_addrlen;
	memcpy(&p->to, address->ai_addr, address->ai_addrlen);
	set_port(&p->to, service->port);
}

static int probe_host(struct context *ctx, const struct request *req)
{
	struct probe *probes = xrealloc(NULL, N_SERVICES * sizeof(*probes));
	struct addrinfo *found;
	size_t i, n = 0;
	int ret = resolve(req->host, &found);

	if (ret) {
		free(probes);
		return ret;
	}
	for (i = 0; i < N_SERVICES; i++)
		if (!req->any || req->wanted[i])
			prepare(&probes[n++], services[i], found);
	freeaddrinfo(found);
	run_all(probes, n, req->timeout);
	ret = print_all(&ctx->out, probes, n, req->any);
	free(probes);
	return ret;
}

/**
 * host_resolve - Find the address of a name.
 * @host: Filled in.
 * @name: The name or address.
 *
 * Return: EXIT_OK, or EXIT_USAGE with the reason said.
 */
int host_resolve(struct host *host, const char *name)
{
	struct addrinfo *found;
	int ret = resolve(name, &found);

	if (ret)
		return ret;
	if (found->ai_family == AF_INET)
		host_set(host, AF_INET, &((struct sockaddr_in *)found->ai_addr)->sin_addr);
	else
		host_set(host, AF_INET6, &((struct sockaddr_in6 *)found->ai_addr)->sin6_addr);
	freeaddrinfo(found);
	return EXIT_OK;
}

/* IKEv2 by UDP, which was answered: NAT-T if it can be, as what is large goes by that. */
static const struct probe *answered_ike(const struct probe *probes, size_t n)
{
	const struct probe *ike = NULL;
	size_t i;

	for (i = 0; i < n; i++)
		if ((probes[i].service == &service_ike || probes[i].service == &service_natt) &&
		    probes[i].state == ANSWERED && !strncmp(probes[i].text, "IKEv2", 5))
			ike = &probes[i];
	return ike;
}

/* A path may pass small messages and lose large ones, such as those with certificates. */
static void ask_large(const struct probe *small, struct asked *asked, int64_t timeout)
{
	struct probe *probes = xrealloc(NULL, 2 * sizeof(*probes));
	struct service service = *small->service;
	size_t i;

	service.variants = 1;
	for (i = 0; i < 2; i++) {
		probes[i] = (struct probe){
			.service = &service, .to = small->to, .length = small->length,
			.talk.least = i ? FRAGMENTS_SIZE : LARGE_SIZE,
		};
	}
	run_all(probes, 2, timeout);
	asked->large = probes[0].state;
	asked->fragments = probes[1].state;
	free(probes);
}

/**
 * probe_ask_host - Ask a host for all services.
 * @host: The host.
 * @seconds: How long to wait for answers.
 * @n: Set to how many services there are.
 *
 * Return: what came of each; freed by the caller.
 */
struct asked *probe_ask_host(const struct host *host, int seconds, size_t *n)
{
	struct probe *probes = xrealloc(NULL, N_SERVICES * sizeof(*probes));
	struct asked *asked = xrealloc(NULL, N_SERVICES * sizeof(*asked));
	const struct probe *ike;
	char text[INET6_ADDRSTRLEN];
	struct addrinfo *found;
	size_t i;

	*n = 0;
	if (!resolve(host_text(host, text), &found)) {
		for (i = 0; i < N_SERVICES; i++)
			prepare(&probes[i], services[i], found);
		freeaddrinfo(found);
		run_all(probes, N_SERVICES, seconds);
		*n = N_SERVICES;
	}
	for (i = 0; i < *n; i++) {
		asked[i] = (struct asked){
			.service = probes[i].service, .result = probes[i].state,
			.tries = probes[i].tries, .nat = probes[i].nat,
			.sent = probes[i].sent, .seen_port = probes[i].seen_port,
			.by = probes[i].talk.sight.by,
			.hidden = probes[i].talk.sight.told && !probes[i].talk.sight.honest,
		};
		snprintf(asked[i].text, sizeof(asked[i].text), "%s", probes[i].text);
		snprintf(asked[i].refuser, sizeof(asked[i].refuser), "%s", probes[i].refuser);
	}
	ike = answered_ike(probes, *n);
	if (ike)
		ask_large(ike, &asked[ike - probes], seconds);
	free(probes);
	return asked;
}

static int parse_service(struct request *req, const char *word)
{
	const char *names[N_SERVICES + 1] = {}, *meant;
	size_t i;

	for (i = 0; i < N_SERVICES; i++) {
		names[i] = services[i]->name;
		if (strcmp(word, names[i]))
			continue;
		req->wanted[i] = true;
		req->any = true;
		return EXIT_OK;
	}
	doctor_usage("no such service (known: ike natt iketcp pptp l2tp openvpn)", word);
	meant = nearest_word(word, names);
	if (meant)
		advise("did you mean %s?", meant);
	return EXIT_USAGE;
}

static int parse_timeout(struct request *req, const char *word)
{
	char *end;
	long seconds = strtol(word, &end, 10);

	if (*end || !*word || seconds < 1 || seconds > TIMEOUT_MAX)
		return doctor_usage("not a number of seconds from 1 to 60", word);
	req->timeout = seconds;
	return EXIT_OK;
}

/**
 * probe_run_command - Ask a gateway which services answer.
 * @ctx: Context.
 * @argc: Words after "probe".
 * @argv: The host, then "timeout SECONDS" and names of services.
 *
 * Return: an exit code, EXIT_FOUND when not all answered.
 */
int probe_run_command(struct context *ctx, int argc, char **argv)
{
	struct request req = { .timeout = TIMEOUT_SECONDS };
	int i, ret = EXIT_OK;

	if (!argc)
		return doctor_usage("HOST expected after", "probe");
	req.host = argv[0];
	for (i = 1; !ret && i < argc; i++) {
		if (!word_is(argv[i], "timeout"))
			ret = parse_service(&req, argv[i]);
		else if (++i < argc)
			ret = parse_timeout(&req, argv[i]);
		else
			ret = doctor_usage("SECONDS expected after", "timeout");
	}
	return ret ? ret : probe_host(ctx, &req);
}

/**
 * probe_complete_word - Offer what may follow "probe".
 * @argc: Words after it.
 * @argv: The words, the last to be completed.
 */
void probe_complete_word(int argc, char **argv)
{
	size_t i;

	if (argc < 2 || word_is(argv[argc - 2], "timeout"))
		return;
	for (i = 0; i < N_SERVICES; i++)
		suggest_word(argv[argc - 1], services[i]->name);
	for (i = 1; i + 1 < (size_t)argc; i++)
		if (word_is(argv[i], "timeout"))
			return;
	suggest_word(argv[argc - 1], "timeout");
}
