/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The packets of every VPN, sent in thought from each LAN and from the router
 * to each way out and back, through the nft ruleset.
 */
#ifndef _VPNPASS_DOCTOR_FIREWALL_H
#define _VPNPASS_DOCTOR_FIREWALL_H

#include "../doctor.h"
#include "eval.h"

/**
 * struct crossing - One packet and what became of it.
 * @vpn: Its kind; NULL for the control packet, an ordinary web connection's,
 *       that comes before those of a pair of interfaces.
 * @packet: The packet.
 * @j: The judgement.
 * @control: That of the control packet.
 * @contact: Whose it is, where it is one client's for one gateway, and else NULL.
 */
struct crossing {
	const struct vpn *vpn;
	const struct packet *packet;
	const struct judgement *j, *control;
	const struct contact *contact;
};

typedef void (*crossing_take)(const struct crossing *crossing, void *data);

void firewall_judge(struct evidence *ev);
bool firewall_may_drop(const struct evidence *ev);
void firewall_judge_contacts(struct evidence *ev);
void firewall_cross(const struct evidence *ev, crossing_take take, void *data);
bool firewall_masquerades(const struct network *net, const struct ruleset *rs,
			  const struct link *out);
void firewall_find_wan(struct network *net, const struct ruleset *rs);
enum truth prefix_has(const void *net, int prefix, const uint8_t *address, const uint8_t *known);
void answer_to_client(const struct evidence *ev, const struct crossing *c, struct packet *p);

#endif /* _VPNPASS_DOCTOR_FIREWALL_H */
