// SPDX-License-Identifier: GPL-2.0
/*
 * Commands that let a VPN past a rule; see advice.h. They let through what begins in a
 * LAN, and what answers it, by the interfaces that it goes by: nothing is opened to
 * the outside.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <ctype.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "place.h"

#define PRIORITY_CONNTRACK	(-200)
#define FIREWALL_CMD		"firewall-cmd --permanent"
#define FIREWALLD_POLICY	FIREWALL_CMD " --policy=vpnout"

enum owner {
	OWNER_NFT,
	OWNER_IPTABLES,
	OWNER_DOCKER,
	OWNER_UFW,
	OWNER_FIREWALLD,
	OWNER_FW3,
	OWNER_FW4,
};

/**
 * struct zone - A manager's name for some interfaces.
 * @name: It, empty where that is not told.
 */
struct zone {
	char name[32];
};

/**
 * names_add - Add a name to a list, unless it is there.
 * @names: The list; beyond NAMES_MAX nothing is added.
 * @name: The name, which stays where it is.
 */
void names_add(struct names *names, const char *name)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		if (!strcmp(names->list[i], name))
			return;
	if (names->n < NAMES_MAX)
		names->list[names->n++] = name;
}

/* --- the rule's owner --- */

static const struct nft_chain *chain_named(const struct ruleset *rs, const struct place *place,
					   const char *name)
{
	return ruleset_chain(rs, place->chain, name);
}

/* Base chains of iptables have its names of them, in capitals. */
static bool is_iptables(const struct place *place)
{
	const char *p;

	if (place->base->family != NFPROTO_IPV4 && place->base->family != NFPROTO_IPV6)
		return false;
	for (p = place->base->name; *p && !islower((unsigned char)*p); p++)
		;
	return !*p;
}

/* Where packets go whatever they are: the rule of a base chain's that jumps there, or NULL. */
static const struct nft_rule *jump_to(const struct ruleset *rs, const struct place *place,
				      const char *name)
{
	struct packet packet = { .family = NFPROTO_IPV4 };
	struct marks marks = {};
	struct machine m = { .rs = rs, .packet = &packet, .chain = place->base,
			     .hook = place->base->hook, .marks = &marks };
	size_t i;

	for (i = 0; i < place->base->n_rules; i++)
		if (rule_run(&m, &place->base->rules[i]) == YES && m.n_verdicts &&
		    m.verdicts[0].chain && !strcmp(m.verdicts[0].chain, name))
			return &place->base->rules[i];
	return NULL;
}

/* A manager's chain that packets come to before they are dropped: what it accepts is safe. */
static bool comes_after(const struct ruleset *rs, const struct place *place, const char *name)
{
	const struct nft_rule *jump = chain_named(rs, place, name) ? jump_to(rs, place, name) :
								      NULL;
	const struct nft_rule *at = place->chain == place->base ? place->rule :
				    jump_to(rs, place, place->chain->name);

	return jump && (!at || at >= jump);
}

/* OpenWrt's firewalls say of each rule that it is theirs; a user's comes from a file. */
static bool is_users(const struct place *place, const char *sign)
{
	const char *comment = place->rule ? place->rule->comment : sign;

	return !comment || strncmp(comment, sign, strlen(sign));
}

static bool is_fw3(const struct ruleset *rs, const struct place *place)
{
	return !strcmp(place->chain->table, "filter") &&
	       chain_named(rs, place, "forwarding_rule") && !is_users(place, "!fw3");
}

/* Chains of the user's own files come before those that ufw's commands fill. */
static bool is_ufw(const struct ruleset *rs, const struct place *place)
{
	const char *name = place->chain->name;

	if (!strncmp(name, "ufw-before", 10) || !strncmp(name, "ufw6-before", 11))
		return false;
	return comes_after(rs, place, "ufw-before-forward") ||
	       comes_after(rs, place, "ufw6-before-forward");
}

static enum owner owner_of(const struct ruleset *rs, const struct place *place)
{
	if (!strcmp(place->chain->table, "fw4"))
		return is_users(place, "!fw4") ? OWNER_NFT : OWNER_FW4;
	if (!strcmp(place->chain->table, "firewalld"))
		return OWNER_FIREWALLD;
	if (!is_iptables(place))
		return OWNER_NFT;
	if (place->base->hook != NF_INET_FORWARD)
		return OWNER_IPTABLES;
	if (is_fw3(rs, place))
		return OWNER_FW3;
	if (!strncmp(place->chain->name, "ufw", 3) && is_ufw(rs, place))
		return OWNER_UFW;
	/* both switch the policy; the chain of Docker's for users comes first */
	if (comes_after(rs, place, "DOCKER-USER"))
		return OWNER_DOCKER;
	return is_ufw(rs, place) ? OWNER_UFW : OWNER_IPTABLES;
}

/* --- nft --- */

static char *nft_set(const struct names *names)
{
	char *text = xstrdup(""), *longer;
	size_t i;

	for (i = 0; i < names->n; i++) {
		longer = xasprintf("%s%s\"%s\"", text, i ? ", " : "", names->list[i]);
		free(text);
		text = longer;
	}
	if (names->n < 2)
		return text;
	longer = xasprintf("{ %s }", text);
	free(text);
	return longer;
}

static char *nft_link(const char *key, const struct names *names)
{
	char *set, *text;

	if (!names->n)
		return xstrdup("");
	set = nft_set(names);
	text = xasprintf("%s %s ", key, set);
	free(set);
	return text;
}

static bool is_bridge(const struct wish *w)
{
	return w->place->base->family == NFPROTO_BRIDGE;
}

/*
 * Before routing nothing is known of where it leaves, and behind it not where it came in;
 * the bridge has one port only.
 */
static char *nft_links(const struct wish *w, bool back)
{
	const struct nft_chain *base = w->place->base;
	const struct names *in = back ? &w->wan : &w->lan, *out = back ? &w->lan : &w->wan;
	bool netdev = base->family == NFPROTO_NETDEV || base->hook == NF_INET_INGRESS;
	bool pre = !netdev && base->hook == NF_INET_PRE_ROUTING;
	bool post = !netdev && base->hook == NF_INET_POST_ROUTING;
	bool no_in = netdev || post || (is_bridge(w) && !is_way_in(base->hook));
	bool no_out = netdev || pre || (is_bridge(w) && is_way_in(base->hook));
	char *iif = no_in ? xstrdup("") : nft_link("iifname", in);
	char *oif = no_out ? xstrdup("") : nft_link("oifname", out);
	char *text = xasprintf("%s%s", iif, oif);

	free(iif);
	free(oif);
	return text;
}

static const char *nft_state(const struct wish *w, bool back)
{
	const struct nft_chain *base = w->place->base;

	if (!back || base->family == NFPROTO_NETDEV || is_bridge(w) ||
	    base->hook == NF_INET_INGRESS ||
	    base->priority <= PRIORITY_CONNTRACK)
		return "";
	return "ct state established,related ";
}

static char *protocol_text(uint8_t l4proto)
{
	return l4proto == IPPROTO_ESP ? xstrdup("esp") :
	       l4proto == IPPROTO_GRE ? xstrdup("gre") : xasprintf("%u", l4proto);
}

/*
 * Where connections are not known yet, an answer is told from what a stranger sends by
 * its sender alone; while that is not known nothing is let in.
 */
static bool is_blind(const struct wish *w)
{
	return !*nft_state(w, true);
}

static bool names_peer(const struct wish *w, bool back)
{
	return w->peer_alone || (back && is_blind(w));
}

static char *nft_peer(const struct wish *w, bool back)
{
	char text[INET6_ADDRSTRLEN];

	if (!names_peer(w, back))
		return xstrdup("");
	return xasprintf("%s %s %s ", w->peer->family == AF_INET6 ? "ip6" : "ip",
			 back ? "saddr" : "daddr", host_text(w->peer, text));
}

static char *nft_kind(const struct vpn *vpn, bool back)
{
	char *text, *proto;

	if (!vpn)
		return xstrdup("");
	if (vpn->port)
		return xasprintf("%s %s %u ", vpn->l4proto == IPPROTO_TCP ? "tcp" : "udp",
				 back ? "sport" : "dport", vpn->port);
	proto = protocol_text(vpn->l4proto);
	text = xasprintf("meta l4proto %s ", proto);
	free(proto);
	return text;
}

/* Add a statement behind those that are there. */
static char *nft_add(char *text, const struct wish *w, const char *kind, bool back)
{
	const struct place *p = w->place;
	const char *family = nft_family_name(p->chain->family);
	char *links = nft_links(w, back), *peer = nft_peer(w, back), *handle, *longer;

	handle = p->rule ? xasprintf(" handle %ju", (uintmax_t)p->rule->handle) : xstrdup("");
	longer = xasprintf("%s%s%s rule %s %s %s%s %s%s%s%saccept", text, *text ? "; " : "",
			   p->rule || p->early ? "insert" : "add", family, p->chain->table,
			   p->chain->name, handle, links, peer, nft_state(w, back), kind);
	free(handle);
	free(peer);
	free(links);
	free(text);
	return longer;
}

static char *nft_add_all(char *text, const struct wish *w, bool back)
{
	text = nft_add(text, w, "meta l4proto { gre, esp, 115 } ", back);
	text = nft_add(text, w, back ? "udp sport { 500, 1194, 1701, 4500, 51820 } " :
				       "udp dport { 500, 1194, 1701, 4500, 51820 } ", back);
	return nft_add(text, w, back ? "tcp sport { 1194, 1723 } " : "tcp dport { 1194, 1723 } ",
		       back);
}

static char *nft_way(char *text, const struct wish *w, bool back)
{
	char *kind;

	if (w->all)
		return nft_add_all(text, w, back);
	kind = nft_kind(w->vpn, back);
	text = nft_add(text, w, kind, back);
	free(kind);
	return text;
}

static void advise_nft(struct finding *f, const struct wish *w)
{
	char *text = xstrdup("");

	if (w->there)
		text = nft_way(text, w, false);
	if (w->back && (!is_blind(w) || w->peer))
		text = nft_way(text, w, true);
	if (*text)
		finding_command(f, xasprintf("nft '%s'", text));
	free(text);
}

/* --- programs that have their own words --- */

/* Told of each kind, there and back, by each pair of interfaces; @lan is NULL for the router. */
typedef void (*tell)(struct finding *f, const struct ruleset *rs, const struct wish *w,
		     const struct vpn *vpn, const char *lan, const char *wan);

static void each_pair(struct finding *f, const struct ruleset *rs, const struct wish *w,
		      const struct vpn *vpn, tell tell)
{
	size_t i, k;

	for (k = 0; k < w->wan.n && !w->lan.n; k++)
		tell(f, rs, w, vpn, NULL, w->wan.list[k]);
	for (i = 0; i < w->lan.n; i++)
		for (k = 0; k < w->wan.n; k++)
			tell(f, rs, w, vpn, w->lan.list[i], w->wan.list[k]);
}

static void each(struct finding *f, const struct ruleset *rs, const struct wish *w, tell tell)
{
	size_t i;

	if (!w->all)
		each_pair(f, rs, w, w->vpn, tell);
	for (i = 0; w->all && i < n_vpns; i++)
		each_pair(f, rs, w, &vpns[i], tell);
}

static char *ipt_kind(const struct vpn *vpn, bool back)
{
	char *text, *proto;

	if (!vpn)
		return xstrdup("");
	if (vpn->port)
		return xasprintf("-p %s --%s %u ", vpn->l4proto == IPPROTO_TCP ? "tcp" : "udp",
				 back ? "sport" : "dport", vpn->port);
	proto = protocol_text(vpn->l4proto);
	text = xasprintf("-p %s ", proto);
	free(proto);
	return text;
}

/*
 * "-I FORWARD 3 ", with the table where it is not the filter's. The end of a chain that
 * packets leave before is no place for them.
 */
static char *ipt_place(const struct place *p)
{
	char *table = strcmp(p->chain->table, "filter") ? xasprintf("-t %s ", p->chain->table) :
							  xstrdup("");
	char *text = p->rule ? xasprintf("%s-I %s %zu ", table, p->chain->name,
					 place_number(p)) :
			       xasprintf("%s-%c %s ", table, p->early ? 'I' : 'A', p->chain->name);

	free(table);
	return text;
}

static void ipt_way(struct finding *f, const struct wish *w, const struct vpn *vpn,
		    const char *where, const char *in, const char *out, bool back)
{
	uint32_t hook = w->place->base->hook;
	char *kind = ipt_kind(vpn, back);
	bool state = back && w->place->base->priority > PRIORITY_CONNTRACK;
	bool pre = !out || hook == NF_INET_PRE_ROUTING;
	bool post = !in || hook == NF_INET_POST_ROUTING;
	char peer[INET6_ADDRSTRLEN] = "";

	if (names_peer(w, back))
		host_text(w->peer, peer);
	finding_command(f, xasprintf("%s %s%s%s%s%s%s%s%s%s%s%s%s-j ACCEPT",
				     iptables_program(w->place->chain), where,
				     post ? "" : "-i ", post ? "" : in, post ? "" : " ",
				     pre ? "" : "-o ", pre ? "" : out, pre ? "" : " ",
				     !*peer ? "" : back ? "-s " : "-d ", peer, *peer ? " " : "",
				     kind,
				     state ? "-m conntrack --ctstate ESTABLISHED,RELATED " : ""));
	free(kind);
}

static void tell_ipt(struct finding *f, const struct ruleset *rs, const struct wish *w,
		     const struct vpn *vpn, const char *lan, const char *wan)
{
	char *where = owner_of(rs, w->place) == OWNER_DOCKER ? xstrdup("-I DOCKER-USER ") :
							       ipt_place(w->place);

	if (w->there)
		ipt_way(f, w, vpn, where, lan, wan, false);
	if (w->back && (!is_blind(w) || w->peer))
		ipt_way(f, w, vpn, where, wan, lan, true);
	free(where);
}

/* ufw lets answers through by itself. */
static void tell_ufw(struct finding *f, const struct ruleset *rs, const struct wish *w,
		     const struct vpn *vpn, const char *lan, const char *wan)
{
	char *kind;

	(void)rs;
	if (!vpn)
		kind = xstrdup("");
	else if (vpn->port)
		kind = xasprintf(" proto %s from any to any port %u",
				 vpn->l4proto == IPPROTO_TCP ? "tcp" : "udp", vpn->port);
	else if (vpn->l4proto == IPPROTO_ESP || vpn->l4proto == IPPROTO_GRE)
		kind = xasprintf(" proto %s from any to any",
				 vpn->l4proto == IPPROTO_ESP ? "esp" : "gre");
	else
		return;
	/* ufw takes no rule of which it has the same with another action */
	if (w->place->rule)
		finding_command(f, xasprintf("%s; do ufw route delete $a in on %s out on %s%s; %s",
					     "for a in deny reject", lan, wan, kind, "done"));
	finding_command(f, xasprintf("ufw route %sallow in on %s out on %s%s",
				     w->place->rule ? "prepend " : "", lan, wan, kind));
	free(kind);
}

static void firewalld_kind(struct finding *f, const struct vpn *vpn)
{
	char *proto = vpn ? protocol_text(vpn->l4proto) : NULL;

	if (!vpn)
		finding_command(f, xasprintf("%s --set-target=ACCEPT", FIREWALLD_POLICY));
	else if (vpn->port)
		finding_command(f, xasprintf("%s --add-port=%u/%s", FIREWALLD_POLICY, vpn->port,
					     vpn->l4proto == IPPROTO_TCP ? "tcp" : "udp"));
	else
		finding_command(f, xasprintf("%s --add-protocol=%s", FIREWALLD_POLICY, proto));
	free(proto);
}

static struct zone between(const char *text, const char *const affixes[2])
{
	size_t before = strlen(affixes[0]), after = strlen(affixes[1]), length = strlen(text);
	struct zone zone = {};

	if (length > before + after && !strncmp(text, affixes[0], before) &&
	    !strcmp(text + length - after, affixes[1]))
		snprintf(zone.name, sizeof(zone.name), "%.*s", (int)(length - before - after),
			 text + before);
	return zone;
}

/* The zone of an interface: where a chain sends what comes in by it, between two affixes. */
static struct zone zone_of(const struct ruleset *rs, const struct place *place,
			   const char *chain, const char *const affixes[2], const char *name)
{
	const struct nft_chain *dispatch = chain_named(rs, place, chain);
	struct link link = { .up = true };
	struct packet packet = { .family = NFPROTO_IPV4, .l4proto = IPPROTO_TCP, .in = &link,
				 .out = &link };
	struct marks marks = {};
	struct machine m = { .rs = rs, .packet = &packet, .chain = dispatch,
			     .hook = NF_INET_FORWARD, .marks = &marks };
	struct zone zone = {};
	size_t i;

	snprintf(link.name, sizeof(link.name), "%s", name);
	for (i = 0; dispatch && i < dispatch->n_rules && !*zone.name; i++)
		if (rule_run(&m, &dispatch->rules[i]) == YES && m.n_verdicts &&
		    m.verdicts[0].chain)
			zone = between(m.verdicts[0].chain, affixes);
	return zone;
}

static struct zone openwrt_zone(const struct ruleset *rs, const struct place *place,
				const char *name)
{
	static const char *const fw3[] = { "zone_", "_forward" }, *const fw4[] = { "forward_", "" };

	return !strcmp(place->chain->table, "fw4") ? zone_of(rs, place, "forward", fw4, name) :
						     zone_of(rs, place, "FORWARD", fw3, name);
}

static struct zone firewalld_zone(const struct ruleset *rs, const struct place *place,
				  const char *name)
{
	static const char *const affixes[] = { "filter_FWD_", "" };

	return zone_of(rs, place, "filter_FORWARD_ZONES", affixes, name);
}

typedef struct zone (*zone_namer)(const struct ruleset *rs, const struct place *place,
				  const char *name);

/* Several interfaces may be of one zone, which is told of once. */
static bool is_first_of_zone(const struct ruleset *rs, const struct wish *w, zone_namer zone,
			     const struct names *names, const char *name)
{
	struct zone own = zone(rs, w->place, name), other;
	size_t i;

	for (i = 0; *own.name && strcmp(names->list[i], name); i++) {
		other = zone(rs, w->place, names->list[i]);
		if (!strcmp(own.name, other.name))
			return false;
	}
	return true;
}

/* No policy tells interfaces of one zone apart, as those are to which none was given. */
static bool firewalld_is_one_zone(const struct ruleset *rs, const struct wish *w, const char *wan)
{
	struct zone outer = firewalld_zone(rs, w->place, wan), inner;
	size_t i;

	for (i = 0; *outer.name && i < w->lan.n; i++) {
		inner = firewalld_zone(rs, w->place, w->lan.list[i]);
		if (!strcmp(inner.name, outer.name))
			return true;
	}
	return false;
}

static void firewalld_add_zone(struct finding *f, const char *which, const struct zone *zone,
			       const char *interface)
{
	if (*zone->name)
		finding_command(f, xasprintf("%s --add-%s-zone=%s", FIREWALLD_POLICY, which,
					     zone->name));
	else
		finding_command(f, xasprintf("%s --add-%s-zone=$(%s=%s)", FIREWALLD_POLICY, which,
					     "firewall-cmd --get-zone-of-interface", interface));
}

static void firewalld_change_zone(struct finding *f, const char *zone, const char *interface)
{
	finding_command(f, xasprintf("%s --zone=%s --change-interface=%s", FIREWALL_CMD, zone,
				     interface));
}

/* A policy is in force for interfaces that a zone names, and not for what it has by default. */
static void firewalld_add_lan(struct finding *f, const struct ruleset *rs, const struct wish *w,
			      const char *lan)
{
	struct zone zone = firewalld_zone(rs, w->place, lan);
	struct zone by_default = firewalld_zone(rs, w->place, "");

	if (*zone.name && !strcmp(zone.name, by_default.name))
		firewalld_change_zone(f, zone.name, lan);
	if (is_first_of_zone(rs, w, firewalld_zone, &w->lan, lan))
		firewalld_add_zone(f, "ingress", &zone, lan);
}

/* Another finding may have made the policy already. It comes before the user's own ones. */
static void firewalld_policy(struct finding *f, const struct ruleset *rs, const struct wish *w)
{
	const struct names *lan = &w->lan, *wan = &w->wan;
	size_t i;

	finding_command(f, xasprintf("%s --info-policy=vpnout >/dev/null 2>&1 || %s %s",
				     FIREWALL_CMD, FIREWALL_CMD, "--new-policy=vpnout"));
	finding_command(f, xasprintf("%s --set-priority=-32000", FIREWALLD_POLICY));
	for (i = 0; i < lan->n; i++)
		firewalld_add_lan(f, rs, w, lan->list[i]);
	for (i = 0; i < wan->n; i++) {
		struct zone zone = firewalld_zone(rs, w->place, wan->list[i]);

		if (firewalld_is_one_zone(rs, w, wan->list[i])) {
			zone = (struct zone){ "external" };
			firewalld_change_zone(f, zone.name, wan->list[i]);
		}
		firewalld_add_zone(f, "egress", &zone, wan->list[i]);
	}
}

/* Sections of uci have a name only if somebody gave them one. */
static char *uci_zone(const char *zone)
{
	return xasprintf("\"$(uci show firewall | sed -n \"s/\\.name='%s'$//p\" | head -n 1)",
			 zone);
}

/* An interface that is in no zone gets nothing let through, and no rule can name it. */
static bool has_zone(struct finding *f, const struct ruleset *rs, const struct wish *w,
		     const char *lan, const char *wan)
{
	struct zone src = openwrt_zone(rs, w->place, lan), dest = openwrt_zone(rs, w->place, wan);
	char *section;

	if (*src.name && !*dest.name && !strcmp(lan, w->lan.list[0])) {
		section = uci_zone("wan");
		finding_command(f, xasprintf("uci add_list %s.device=%s\"", section, wan));
		free(section);
	}
	return *src.name && *dest.name;
}

/* A new rule is the last one, behind those that are to let it pass. */
static void tell_openwrt(struct finding *f, const struct ruleset *rs, const struct wish *w,
			 const struct vpn *vpn, const char *lan, const char *wan)
{
	static const char set[] = "uci set 'firewall.@rule[-1]";
	struct zone src = openwrt_zone(rs, w->place, lan), dest = openwrt_zone(rs, w->place, wan);
	char *proto;

	if (!has_zone(f, rs, w, lan, wan) ||
	    !is_first_of_zone(rs, w, openwrt_zone, &w->lan, lan) ||
	    !is_first_of_zone(rs, w, openwrt_zone, &w->wan, wan))
		return;
	proto = !vpn ? xstrdup("all") : !vpn->port ? protocol_text(vpn->l4proto) :
		xstrdup(vpn->l4proto == IPPROTO_TCP ? "tcp" : "udp");
	finding_command(f, xstrdup("uci add firewall rule"));
	finding_command(f, xasprintf("%s.name=VPN out'", set));
	finding_command(f, xasprintf("%s.src=%s'", set, src.name));
	finding_command(f, xasprintf("%s.dest=%s'", set, dest.name));
	finding_command(f, xasprintf("%s.proto=%s'", set, proto));
	if (vpn && vpn->port)
		finding_command(f, xasprintf("%s.dest_port=%u'", set, vpn->port));
	finding_command(f, xasprintf("%s.target=ACCEPT'", set));
	finding_command(f, xstrdup("uci reorder 'firewall.@rule[-1]=0'"));
	free(proto);
}

/* A rule of the user's that a manager loads from a file: there it outlives a reload. */
static const char *users_file(const struct ruleset *rs, const struct place *place)
{
	if (!place->rule)
		return NULL;
	if (!strcmp(place->chain->table, "fw4"))
		return "Remove the rule from /etc/nftables.d; until the next reload this helps:";
	if (!is_iptables(place) || place->base->hook != NF_INET_FORWARD)
		return NULL;
	if (chain_named(rs, place, "forwarding_rule"))
		return "Remove the rule from /etc/firewall.user; until the next boot this helps:";
	if (!strncmp(place->chain->name, "ufw", 3))
		return "Remove the rule from /etc/ufw/before.rules; until a reload this helps:";
	return NULL;
}

/**
 * advice_words - What the commands of add_cures() do, as the beginning of a sentence.
 * @rs: The ruleset.
 * @w: What is to be let through.
 */
const char *advice_words(const struct ruleset *rs, const struct wish *w)
{
	static const char ask_host[] =
		"Have these packets pass before it; for answers, see vpnpass doctor HOST (server):";
	static const char one_zone[] =
		"Give the Internet the zone external (lets in SSH alone), and let it through:";
	static const char remove[] =
		"Remove the rule, or let these packets pass before it, until rules are reloaded:";
	const struct place *place = w->place;

	if (w->back && !w->peer && is_blind(w))
		return ask_host;
	switch (owner_of(rs, place)) {
	case OWNER_DOCKER:
		return "Docker drops it; let it pass in the chain that it leaves to its users:";
	case OWNER_UFW:
		return "Have ufw let it through:";
	case OWNER_FIREWALLD:
		if (w->wan.n && firewalld_is_one_zone(rs, w, w->wan.list[0]))
			return one_zone;
		return "Have firewalld let it through:";
	case OWNER_FW3:
	case OWNER_FW4:
		return "Have OpenWrt's firewall let it through:";
	case OWNER_IPTABLES:
	case OWNER_NFT:
		break;
	}
	if (users_file(rs, place))
		return users_file(rs, place);
	return place->rule ? remove : "Let these packets pass, until rules are reloaded:";
}

/**
 * advise - Add the commands that let it through.
 * @f: The finding.
 * @rs: The ruleset.
 * @w: What is to be let through.
 */
void add_cures(struct finding *f, const struct ruleset *rs, const struct wish *w)
{
	enum owner owner = w->place->chain->legacy ? OWNER_IPTABLES : OWNER_NFT;
	size_t i;

	/* the words of others are about packets that begin in a LAN */
	if (w->lan.n && w->wan.n)
		owner = owner_of(rs, w->place);
	switch (owner) {
	case OWNER_NFT:
		advise_nft(f, w);
		break;
	case OWNER_IPTABLES:
	case OWNER_DOCKER:
		each(f, rs, w, tell_ipt);
		break;
	case OWNER_UFW:
		each(f, rs, w, tell_ufw);
		break;
	case OWNER_FIREWALLD:
		firewalld_policy(f, rs, w);
		for (i = 0; w->all && i < n_vpns; i++)
			firewalld_kind(f, &vpns[i]);
		if (!w->all)
			firewalld_kind(f, w->vpn);
		finding_command(f, xstrdup("firewall-cmd --reload"));
		break;
	case OWNER_FW3:
	case OWNER_FW4:
		each(f, rs, w, tell_openwrt);
		finding_command(f, xstrdup("uci commit firewall"));
		finding_command(f, xstrdup("service firewall reload"));
		break;
	}
}

/**
 * add_exception - Add the commands that leave something out of a rule, where it is the user's.
 * @f: The finding.
 * @rs: The ruleset.
 * @w: What is to be left out.
 *
 * Return: whether there are any; a program that made the rule would make it again.
 */
bool add_exception(struct finding *f, const struct ruleset *rs, const struct wish *w)
{
	enum owner owner = owner_of(rs, w->place);

	if (owner != OWNER_NFT && owner != OWNER_IPTABLES)
		return false;
	add_cures(f, rs, w);
	return true;
}

/* --- address translation --- */

/* Where all rules are iptables-legacy's, this returns a chain of them, and else NULL. */
static const struct nft_chain *all_legacy(const struct ruleset *rs)
{
	const struct nft_chain *legacy = NULL;
	size_t i;

	for (i = 0; i < rs->n_chains; i++) {
		if (!rs->chains[i].legacy)
			return NULL;
		if (rs->chains[i].family == NFPROTO_IPV4)
			legacy = &rs->chains[i];
	}
	return legacy;
}

/* The place of packets that a manager forwards, with its name; false where there is none. */
static bool managed_place(const struct ruleset *rs, struct place *place)
{
	static const char *const tables[][2] = {
		{ "fw4", "forward" }, { "firewalld", "filter_FORWARD" }, { "filter", "FORWARD" },
	};
	size_t i, k;

	for (i = 0; i < rs->n_chains; i++)
		for (k = 0; k < ARRAY_SIZE(tables); k++) {
			if (strcmp(rs->chains[i].table, tables[k][0]) ||
			    strcmp(rs->chains[i].name, tables[k][1]) || !rs->chains[i].type ||
			    rs->chains[i].family == NFPROTO_IPV6)
				continue;
			*place = (struct place){ .chain = &rs->chains[i], .base = &rs->chains[i] };
			if (k < 2 || is_fw3(rs, place))
				return true;
		}
	return false;
}

static bool masquerade_zone(struct finding *f, const struct ruleset *rs, const char *wan)
{
	struct place place;
	struct zone zone;
	char *section;

	if (!managed_place(rs, &place))
		return false;
	if (!strcmp(place.chain->table, "firewalld")) {
		zone = firewalld_zone(rs, &place, wan);
		if (!*zone.name)
			return false;
		finding_command(f, xasprintf("%s --zone=%s --add-masquerade", FIREWALL_CMD,
					     zone.name));
		finding_command(f, xstrdup("firewall-cmd --reload"));
		return true;
	}
	zone = openwrt_zone(rs, &place, wan);
	if (!*zone.name)
		return false;
	section = uci_zone(zone.name);
	finding_command(f, xasprintf("uci set %s.masq=1\"", section));
	finding_command(f, xstrdup("uci commit firewall"));
	finding_command(f, xstrdup("service firewall reload"));
	free(section);
	return true;
}

/**
 * add_masquerade - Add the commands that translate what leaves by an interface.
 * @f: The finding.
 * @rs: The ruleset.
 * @wan: The interface.
 */
void add_masquerade(struct finding *f, const struct ruleset *rs, const char *wan)
{
	const struct nft_chain *legacy = all_legacy(rs);

	if (masquerade_zone(f, rs, wan))
		return;
	if (legacy)
		finding_command(f, xasprintf("%s -t nat -A POSTROUTING -o %s -j MASQUERADE",
					     iptables_program(legacy), wan));
	else
		finding_command(f, xasprintf("nft 'add table ip nat; %s { %s; }; %s \"%s\" %s'",
					     "add chain ip nat post",
					     "type nat hook postrouting priority srcnat",
					     "add rule ip nat post oifname", wan, "masquerade"));
}
