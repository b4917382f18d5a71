/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interfaces, their addresses, and which of them lead out; the pure parts are
 * about addresses.
 */
#ifndef _VPNPASS_DOCTOR_NETWORK_H
#define _VPNPASS_DOCTOR_NETWORK_H

#include <arpa/inet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct host - An address, IPv4 or IPv6.
 * @family: AF_INET, AF_INET6, or 0 for none.
 * @bytes: In network byte order, 4 or 16 of them.
 */
struct host {
	int family;
	uint8_t bytes[16];
};

/**
 * struct link - An interface.
 * @index: Its number.
 * @master: Of the bridge or VRF that it belongs to, 0 for none.
 * @type: ARPHRD_*.
 * @mtu: Largest packet, in bytes.
 * @name: Its name.
 * @kind: What made it, such as "wireguard"; empty for hardware.
 * @up: It is switched on.
 * @carrier: And has somebody at the other end.
 * @loopback: It is the loopback interface.
 * @wan: It leads out now.
 * @spare: It would, if those that do were away, or leads to the modem alone.
 */
struct link {
	unsigned int index, master;
	uint16_t type;
	uint32_t mtu;
	char name[IFNAMSIZ], kind[16];
	bool up, carrier, loopback, wan, spare;
};

/**
 * struct way_out - A default route.
 * @family: AF_INET or AF_INET6.
 * @table: Where it is.
 * @metric: The lowest counts.
 * @index: Of the interface.
 * @next: The next router, of family 0 for none.
 * @silent: It does not answer when it is asked for its hardware address.
 */
struct way_out {
	int family;
	uint32_t table, metric;
	unsigned int index;
	struct host next;
	bool silent;
};

struct link_address {
	unsigned int index;
	struct host address;
	int prefix;
};

/**
 * struct neighbour - A host on the same cable that the router asked for its hardware address.
 * @index: Of the interface.
 * @host: Its address.
 * @mac: Its hardware address, if it is @known.
 * @known: It answered.
 * @silent: It does not answer.
 */
struct neighbour {
	unsigned int index;
	struct host host;
	uint8_t mac[6];
	bool known, silent;
};

struct network {
	struct link *links;
	size_t n_links;
	struct link_address *addresses;
	size_t n_addresses;
	struct way_out *ways;
	size_t n_ways;
	struct neighbour *neighbours;
	size_t n_neighbours;
	bool default_route;
};

int network_read(struct network *net);
void network_free(struct network *net);
const struct link *network_link(const struct network *net, unsigned int index);
const struct link_address *network_next(const struct network *net, unsigned int index,
					int family, const struct link_address *last);
bool network_reaches(const struct network *net, const struct link *link, const struct host *a);
const struct link *network_lan_of(const struct network *net, const struct host *a);
const struct neighbour *network_neighbour(const struct network *net, unsigned int index,
					  const struct host *a);
const uint8_t *network_mac(const struct network *net, unsigned int index, const struct host *a);
bool network_has(const struct network *net, unsigned int index, const struct host *a);
bool network_is_local(const struct network *net, const struct host *a);
bool network_is_lan(const struct network *net, const struct link *link);
bool network_is_router(const struct network *net);
bool link_is_tunnel(const struct link *link);
bool link_is_container(const struct link *link);

/* address.c */
size_t host_length(const struct host *a);
void host_set(struct host *a, int family, const void *bytes);
const char *host_text(const struct host *a, char text[INET6_ADDRSTRLEN]);
bool host_parse(struct host *a, const char *text);
bool host_equal(const struct host *a, const struct host *b);
bool host_in(const struct host *a, const struct host *net, int prefix);
void host_neighbour(struct host *a);
bool host_is_private(const struct host *a);
bool host_is_cgnat(const struct host *a);
bool host_is_global(const struct host *a);
bool host_is_link_local(const struct host *a);
bool host_is_shared(const struct host *a);

#endif /* _VPNPASS_DOCTOR_NETWORK_H */
