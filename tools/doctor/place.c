// SPDX-License-Identifier: GPL-2.0
/*
 * Words for places in the ruleset; see place.h. nft knows a rule by its handle, iptables
 * by how many there are before it.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <ctype.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/util.h"
#include "place.h"

/**
 * place_number - The number that iptables has for a rule.
 * @place: The rule.
 */
size_t place_number(const struct place *place)
{
	return place->rule - place->chain->rules + 1;
}

/* The program by whose name rules of the older kind are known. */
static const char *legacy_name(const struct nft_chain *chain)
{
	return chain->family == NFPROTO_IPV6 ? "ip6tables-legacy" : "iptables-legacy";
}

static bool is_installed(const char *program)
{
	static const char *const folders[] = {
		"/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/local/bin",
	};
	bool there = false;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(folders) && !there; i++) {
		char *path = xasprintf("%s/%s", folders[i], program);

		there = !access(path, X_OK);
		free(path);
	}
	return there;
}

/**
 * iptables_program - The program to change a chain of iptables' with.
 * @chain: The chain.
 *
 * Return: its name; where there is but one iptables it has no other name.
 */
const char *iptables_program(const struct nft_chain *chain)
{
	if (chain->legacy && is_installed(legacy_name(chain)))
		return legacy_name(chain);
	return chain->family == NFPROTO_IPV6 ? "ip6tables" : "iptables";
}

static bool is_iptables(const struct nft_chain *chain)
{
	const char *p;

	for (p = chain->name; *p && !islower((unsigned char)*p); p++)
		;
	return chain->type && !*p;
}

static char *legacy_text(const struct place *place)
{
	const char *program = legacy_name(place->chain);

	if (place->rule)
		return xasprintf("firewall rule %zu of %s, table %s, chain %s", place_number(place),
				 program, place->chain->table, place->chain->name);
	return xasprintf("the firewall's default (the policy of %s, table %s, chain %s)", program,
			 place->chain->table, place->chain->name);
}

static char *nft_text(const struct place *place)
{
	const char *family = nft_family_name(place->chain->family);

	if (place->rule)
		return xasprintf("the firewall rule in table %s %s, chain %s, handle %ju%s", family,
				 place->chain->table, place->chain->name,
				 (uintmax_t)place->rule->handle,
				 is_iptables(place->chain) ? " (made by iptables)" : "");
	return xasprintf("the firewall's default (the policy of table %s %s, chain %s)", family,
			 place->chain->table, place->chain->name);
}

/**
 * place_text - Where it is: "the firewall rule in table inet filter, chain forward, handle 7".
 * @place: The place.
 */
char *place_text(const struct place *place)
{
	char *text = place->chain->legacy ? legacy_text(place) : nft_text(place), *longer;

	if (!place->rule || !place->rule->comment)
		return text;
	longer = xasprintf("%s (\"%s\")", text, place->rule->comment);
	free(text);
	return longer;
}

static char *nft_name(const struct place *place)
{
	return xasprintf("%s %s %s handle %ju", nft_family_name(place->chain->family),
			 place->chain->table, place->chain->name,
			 (uintmax_t)place->rule->handle);
}

/**
 * place_name - The same of a rule in short: "the firewall rule inet filter forward handle 7".
 * @place: The rule.
 */
char *place_name(const struct place *place)
{
	char *name, *text;

	if (place->chain->legacy)
		return legacy_text(place);
	name = nft_name(place);
	text = xasprintf("the firewall rule %s", name);
	free(name);
	return text;
}

/**
 * place_removal - The command that removes a rule.
 * @place: The rule.
 */
char *place_removal(const struct place *place)
{
	char *name, *text;

	if (place->chain->legacy)
		return xasprintf("%s -t %s -D %s %zu", iptables_program(place->chain),
				 place->chain->table, place->chain->name, place_number(place));
	name = nft_name(place);
	text = xasprintf("nft delete rule %s", name);
	free(name);
	return text;
}
