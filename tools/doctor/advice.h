/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands that let a VPN past a rule, in the words of the program that made the
 * rule.
 */
#ifndef _VPNPASS_DOCTOR_ADVICE_H
#define _VPNPASS_DOCTOR_ADVICE_H

#include "doctor.h"
#include "rules/eval.h"

#define NAMES_MAX	8

/**
 * struct names - Names of interfaces, each once.
 * @list: Them.
 * @n: How many.
 */
struct names {
	const char *list[NAMES_MAX];
	size_t n;
};

/**
 * struct wish - What is to be let through.
 * @place: Where it is dropped.
 * @vpn: Its kind, NULL for everything.
 * @all: All VPNs that we help.
 * @there: What goes from the LAN.
 * @back: What comes back.
 * @lan: Where it comes from, none for the router itself.
 * @wan: Where it goes.
 * @peer: Whom it is with, NULL when that is not known.
 * @peer_alone: With nobody else.
 */
struct wish {
	const struct place *place;
	const struct vpn *vpn;
	bool all, there, back;
	struct names lan, wan;
	const struct host *peer;
	bool peer_alone;
};

void names_add(struct names *names, const char *name);
void add_masquerade(struct finding *f, const struct ruleset *rs, const char *wan);
bool add_exception(struct finding *f, const struct ruleset *rs, const struct wish *wish);
void add_cures(struct finding *f, const struct ruleset *rs, const struct wish *wish);
const char *advice_words(const struct ruleset *rs, const struct wish *wish);

#endif /* _VPNPASS_DOCTOR_ADVICE_H */
