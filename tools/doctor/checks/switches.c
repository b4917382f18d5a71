// SPDX-License-Identifier: GPL-2.0
/*
 * Our own part in it: not-loaded, helper-missing, switch-off, switch-block and
 * limit-hit. What is off though nobody uses it is told as information only.
 */
#include <stdlib.h>
#include <string.h>

#include "../doctor.h"
#include "checks.h"

static const char *const our_protos[] = { KNOWN_PROTOS(PROTO_NAME) };

/* A client's connection of this protocol, as text; NULL when there is none. */
static char *traffic(const struct evidence *ev, const char *proto)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	size_t i;

	for (i = 0; i < ev->flows.n; i++) {
		const struct flow *f = &ev->flows.list[i];

		if (!strcmp(f->vpn->proto, proto) && !network_is_local(&ev->net, &f->src))
			return xasprintf("%s has a connection with %s, %s",
					 host_text(&f->src, src), host_text(&f->dst, dst),
					 f->vpn->title);
	}
	return NULL;
}

static void find_missing(const struct evidence *ev, struct report *r, const char *proto)
{
	const char *module = module_of(proto);
	char *used = traffic(ev, proto);
	struct finding *f;

	/* natt only watches what needs no help, and comes with ike */
	if (!strcmp(proto, "natt")) {
		free(used);
		return;
	}
	f = found(r, "helper-missing", used ? SEVERITY_WARNING : SEVERITY_INFO, proto,
		  xasprintf("the module %s is not loaded%s%s", module, used ? ", and " : "",
			    used ? used : ""),
		  xasprintf("modprobe %s, if devices here use this VPN", module));
	finding_command(f, xasprintf("modprobe %s", module));
	free(used);
}

static void find_mode(const struct evidence *ev, struct report *r, const struct proto *p)
{
	bool block = p->mode.value == VPNPASS_MODE_BLOCK;
	struct maybe blocked = {};
	struct finding *f;
	char *used, *seen;
	size_t i;

	if (!p->mode.known || (p->mode.value != VPNPASS_MODE_OFF && !block))
		return;
	used = traffic(ev, p->name);
	for (i = 0; i < p->n_counters; i++)
		if (!strcmp(p->counters[i].name, "blocked"))
			blocked = p->counters[i].value;
	if (block)
		seen = xasprintf("the switch of %s is at block, and %ju packets were dropped by it",
				 p->name, (uintmax_t)blocked.value);
	else
		seen = xasprintf("the switch of %s is off%s%s", p->name, used ? ", and " : "",
				 used ? used : "");
	f = found(r, block ? "switch-block" : "switch-off",
		  block && blocked.value ? SEVERITY_ERROR :
		  block || used ? SEVERITY_WARNING : SEVERITY_INFO, p->name, seen,
		  xasprintf("vpnpass set %s on, if that is not meant to be so", p->name));
	finding_command(f, xasprintf("vpnpass set %s on", p->name));
	free(used);
}

/* Settings that keep a counter of limits down; others cannot be changed. */
static const char *setting_of(const char *counter)
{
	static const char *const settings[][2] = {
		{ "limit_sessions", "max_sessions" }, { "limit_client", "max_per_client" },
		{ "limit_peer", "max_per_peer" }, { "limit_ids", "max_ids" },
		{ "limit_half_open", "max_half_open" },
		{ "limit_half_open_client", "max_half_open_client" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(settings); i++)
		if (!strcmp(counter, settings[i][0]))
			return settings[i][1];
	return NULL;
}

static uint64_t sessions_like(const struct ours *ours, const struct session *s, bool client)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < ours->n_sessions; i++) {
		const struct session *other = &ours->sessions[i];

		n += !strcmp(other->proto, s->proto) &&
		     (client ? !strcmp(other->client, s->client) : !strcmp(other->peer, s->peer));
	}
	return n;
}

/* Somebody has as many sessions now as a limit allows: what is new is refused. */
static bool is_reached(const struct ours *ours, const struct proto *p, const struct setting *s)
{
	bool client = !strcmp(s->name, "max_per_client");
	size_t i;

	if (!strcmp(s->name, "max_sessions"))
		return p->sessions.value >= s->value.value;
	if (!client && strcmp(s->name, "max_per_peer"))
		return false;
	for (i = 0; i < ours->n_sessions; i++)
		if (!strcmp(ours->sessions[i].proto, p->name) &&
		    sessions_like(ours, &ours->sessions[i], client) >= s->value.value)
			return true;
	return false;
}

/*
 * The counter alone says that it happened at some time since the module was loaded,
 * which explains but is no fault now.
 */
static void find_limit(const struct evidence *ev, struct report *r, const struct proto *p,
		       const struct counter *c)
{
	const char *name = setting_of(c->name);
	const struct setting *s = name ? proto_setting(p, name) : NULL;
	bool now = s && is_reached(&ev->ours, p, s);
	char *advice;

	if (s)
		advice = xasprintf("If these are honest clients: vpnpass set %s %s %ju (it is %ju)",
				   p->name, s->name,
				   (uintmax_t)(s->value.value * 2 < s->maximum.value ||
					       !s->maximum.known ?
					       s->value.value * 2 : s->maximum.value),
				   (uintmax_t)s->value.value);
	else
		advice = SAY("See with 'vpnpass session' which client or gateway has so many,",
			     "and with 'vpnpass monitor' what was refused.");
	found(r, "limit-hit", now ? SEVERITY_WARNING : SEVERITY_INFO, p->name,
	      xasprintf("the counter %s of %s is %ju: so much was refused since it was loaded%s",
			c->name, p->name, (uintmax_t)c->value.value,
			now ? ", and the limit is reached now" : ""), advice);
}

static void find_counters(const struct evidence *ev, struct report *r, const struct proto *p)
{
	size_t i;

	for (i = 0; i < p->n_counters; i++) {
		const struct counter *c = &p->counters[i];

		if (!c->value.value)
			continue;
		/* stray packets from outside are refused by this one all the time */
		if (!strncmp(c->name, "limit_", 6) && strcmp(c->name, "limit_unknown"))
			find_limit(ev, r, p, c);
		else if (!strcmp(c->name, "no_memory"))
			found(r, "no-memory", SEVERITY_ERROR, p->name,
			      xasprintf("the counter no_memory of %s is %ju", p->name,
					(uintmax_t)c->value.value),
			      xstrdup("The router is short of memory: see /proc/meminfo, dmesg."));
	}
}

/* Without a client that uses such a VPN it is told as information only. */
static void find_not_loaded(const struct evidence *ev, struct report *r)
{
	struct finding *f;
	char *used = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(our_protos) && !used; i++)
		if (strcmp(our_protos[i], "natt"))
			used = traffic(ev, our_protos[i]);
	f = found(r, "not-loaded", used ? SEVERITY_WARNING : SEVERITY_INFO, NULL,
		  xasprintf("the kernel module vpnpass is not loaded: VPNs get plain NAT%s%s",
			    used ? ", and " : "", used ? used : ""),
		  xstrdup("Load it, if devices here are to use such VPNs:"));
	finding_command(f, SAY("modprobe -a vpnpass_esp vpnpass_ike", "vpnpass_pptp vpnpass_l2tp"));
	free(used);
}

void check_switches(const struct evidence *ev, struct report *r)
{
	const struct ours *ours = &ev->ours;
	size_t i;

	if (!ours->known)
		return;
	if (!ours->loaded) {
		find_not_loaded(ev, r);
		return;
	}
	for (i = 0; i < ours->n_protos; i++) {
		find_mode(ev, r, &ours->protos[i]);
		find_counters(ev, r, &ours->protos[i]);
	}
	for (i = 0; i < ARRAY_SIZE(our_protos); i++)
		if (!ours_proto(ours, our_protos[i]))
			find_missing(ev, r, our_protos[i]);
}
