/* SPDX-License-Identifier: GPL-2.0 */
/* Clients of a LAN's, and the gateways that they had to do with lately. */
#ifndef _VPNPASS_DOCTOR_CONTACTS_H
#define _VPNPASS_DOCTOR_CONTACTS_H

#include "doctor.h"

/**
 * struct contact - A client and a gateway.
 * @client: The client.
 * @server: The gateway.
 * @kinds: The packets that their VPN has: bits that count as vpns[] does.
 */
struct contact {
	struct host client, server;
	uint32_t kinds;
};

void contacts_find(struct evidence *ev);

#endif /* _VPNPASS_DOCTOR_CONTACTS_H */
