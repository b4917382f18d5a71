// SPDX-License-Identifier: GPL-2.0
/*
 * Our own part in it: not-loaded, helper-missing, switch-off, switch-block and
 * limit-hit. What is off though nobody uses it is told as information only.
 */
#include <stdlib.h>
#include <string.h>

#include "doctor.h"

static const char *const our_protos[] = { "pptp", "l2tp", "ike", "natt", "esp" };

/* A connection of this protocol, as text; NULL when there is none. */
static char *traffic(const struct evidence *ev, const char *proto)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	size_t i;

	for (i = 0; i < ev->flows.n; i++) {
		const struct flow *f = &ev->flows.list[i];

		if (!strcmp(f->vpn->proto, proto))
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

	/* natt only watches what needs no help, and comes with ike */
	if (!strcmp(proto, "natt")) {
		free(used);
		return;
	}
	found(r, "helper-missing", used ? SEVERITY_WARNING : SEVERITY_INFO, proto,
	      xasprintf("the module %s is not loaded%s%s", module, used ? ", and " : "",
			used ? used : ""),
	      xasprintf("modprobe %s, if clients are to use it", module));
	free(used);
}

static void find_mode(const struct evidence *ev, struct report *r, const struct proto *p)
{
	bool block = p->mode.value == VPNPASS_MODE_BLOCK;
	struct maybe blocked = {};
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
	found(r, block ? "switch-block" : "switch-off",
	      block && blocked.value ? SEVERITY_ERROR :
	      block || used ? SEVERITY_WARNING : SEVERITY_INFO, p->name, seen,
	      xasprintf("vpnpass set %s on, if that is not meant to be so", p->name));
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

static const struct setting *find_setting(const struct proto *p, const char *name)
{
	size_t i;

	for (i = 0; name && i < p->n_settings; i++)
		if (!strcmp(p->settings[i].name, name))
			return &p->settings[i];
	return NULL;
}

static void find_limit(struct report *r, const struct proto *p, const struct counter *c)
{
	const struct setting *s = find_setting(p, setting_of(c->name));
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
	found(r, "limit-hit", SEVERITY_WARNING, p->name,
	      xasprintf("the counter %s of %s is %ju: so much was refused", c->name, p->name,
			(uintmax_t)c->value.value), advice);
}

static void find_counters(struct report *r, const struct proto *p)
{
	size_t i;

	for (i = 0; i < p->n_counters; i++) {
		const struct counter *c = &p->counters[i];

		if (!c->value.value)
			continue;
		/* stray packets from outside are refused by this one all the time */
		if (!strncmp(c->name, "limit_", 6) && strcmp(c->name, "limit_unknown"))
			find_limit(r, p, c);
		else if (!strcmp(c->name, "no_memory"))
			found(r, "no-memory", SEVERITY_ERROR, p->name,
			      xasprintf("the counter no_memory of %s is %ju", p->name,
					(uintmax_t)c->value.value),
			      xstrdup("The router is short of memory: see /proc/meminfo, dmesg."));
	}
}

static void run(const struct evidence *ev, struct report *r)
{
	const struct ours *ours = &ev->ours;
	size_t i;

	if (!ours->known)
		return;
	if (!ours->loaded) {
		found(r, "not-loaded", SEVERITY_WARNING, NULL,
		      xstrdup("the kernel module vpnpass is not loaded: VPNs get plain NAT"),
		      xstrdup("modprobe -a vpnpass_esp vpnpass_ike vpnpass_pptp vpnpass_l2tp"));
		return;
	}
	for (i = 0; i < ours->n_protos; i++) {
		find_mode(ev, r, &ours->protos[i]);
		find_counters(r, &ours->protos[i]);
	}
	for (i = 0; i < ARRAY_SIZE(our_protos); i++)
		if (!ours_proto(ours, our_protos[i]))
			find_missing(ev, r, our_protos[i]);
}

static struct check switches_check = {
	.rank = 30,
	.run = run,
};

CHECK(switches_check)
