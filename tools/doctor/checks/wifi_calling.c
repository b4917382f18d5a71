// SPDX-License-Identifier: GPL-2.0
/*
 * wifi-calling: the host is a mobile operator's gateway for calls over Wi-Fi (ePDG), as its
 * name says (3GPP TS 23.003 19.4.2.9), or a phone asks for such a name. Phones keep IKEv2
 * with NAT-T up with it.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "checks.h"

/* The longest time between two keepalives that Android takes from an operator's settings */
#define SELDOM_SECONDS	120

/* A digit stands for any. */
static bool fits(const char *name)
{
	static const char form[] = "epdg.epc.mnc000.mcc000.pub.3gppnetwork.org";
	size_t i;

	for (i = 0; form[i]; i++)
		if (form[i] == '0' ? !isdigit((unsigned char)name[i]) :
				     tolower((unsigned char)name[i]) != form[i])
			return false;
	return !strcmp(name + i, "") || !strcmp(name + i, ".");
}

/* Whether the doctor was asked about an ePDG; labels may come before the operator's name. */
bool asks_epdg(const struct evidence *ev)
{
	const char *name = ev->name;

	while (name && !fits(name)) {
		name = strchr(name, '.');
		name = name ? name + 1 : NULL;
	}
	return name;
}

/* A phone that asks for one; NULL for none. The router's own questions are its as well. */
static const struct heard *first_question(const struct evidence *ev)
{
	size_t i;

	for (i = 0; i < ev->ear.n; i++)
		if (ev->ear.list[i].look == &vpn_epdg_question && !ev->ear.list[i].out &&
		    !network_is_local(&ev->net, &ev->ear.list[i].src))
			return &ev->ear.list[i];
	return NULL;
}

/* The sign of Wi-Fi calling, as the beginning of a sentence; NULL for none. */
static char *who_text(const struct evidence *ev)
{
	const struct heard *h = first_question(ev);
	char address[INET6_ADDRSTRLEN];

	if (asks_epdg(ev))
		return xasprintf("%s (%s) is a mobile operator's gateway for Wi-Fi calling (ePDG)",
				 ev->name, host_text(ev->to, address));
	if (h)
		return xasprintf("%s asks by DNS for a mobile operator's gateway for %s",
				 host_text(&h->src, address), "Wi-Fi calling (epdg.epc.mnc...)");
	return NULL;
}

void check_wifi_calling(const struct evidence *ev, struct report *r)
{
	struct maybe kept = proc_number("net/netfilter/nf_conntrack_udp_timeout_stream");
	char *who = who_text(ev), *after;

	if (!who)
		return;
	after = kept.known ? xasprintf("; NAT-T is forgotten here after %ju s without a packet",
				       (uintmax_t)kept.value) : xstrdup("");
	found(r, "wifi-calling", SEVERITY_INFO, "natt",
	      xasprintf("%s%s", who, after),
	      kept.known && kept.value < SELDOM_SECONDS ?
		      SAY("Nothing, if calls come in while the phone is idle. Some operators have",
			  "phones send a packet each 120 s only: if calls are missed, set",
			  "net.netfilter.nf_conntrack_udp_timeout_stream above that.") :
		      SAY("Nothing here. It needs UDP 500 and 4500, and no help by passthrough."));
	free(after);
	free(who);
}
