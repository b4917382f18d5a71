// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses and what kind they are. Pure.
 */
#include <stdio.h>
#include <string.h>

#include "../lib/util.h"
#include "network.h"

/**
 * host_length - How many bytes it has.
 * @a: The address.
 */
size_t host_length(const struct host *a)
{
	return a->family == AF_INET6 ? 16 : a->family == AF_INET ? 4 : 0;
}

/**
 * host_set - Fill in an address.
 * @a: The address.
 * @family: AF_INET or AF_INET6.
 * @bytes: As many as that has.
 */
void host_set(struct host *a, int family, const void *bytes)
{
	*a = (struct host){ .family = family };
	memcpy(a->bytes, bytes, host_length(a));
}

/**
 * host_text - As people write it.
 * @a: The address.
 * @text: Where to.
 *
 * Return: @text.
 */
const char *host_text(const struct host *a, char text[INET6_ADDRSTRLEN])
{
	if (!a->family || !inet_ntop(a->family, a->bytes, text, INET6_ADDRSTRLEN))
		snprintf(text, INET6_ADDRSTRLEN, "-");
	return text;
}

/**
 * host_parse - Read an address.
 * @a: Filled in.
 * @text: IPv4 or IPv6.
 *
 * Return: whether it is one.
 */
bool host_parse(struct host *a, const char *text)
{
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;
	uint8_t bytes[16];

	if (inet_pton(family, text, bytes) != 1)
		return false;
	host_set(a, family, bytes);
	return true;
}

/**
 * host_equal - Whether they are the same.
 * @a: One.
 * @b: Another.
 */
bool host_equal(const struct host *a, const struct host *b)
{
	return a->family == b->family && !memcmp(a->bytes, b->bytes, host_length(a));
}

/**
 * host_neighbour - Make it another host of the same network.
 * @a: A router's address there; becomes neither the first address, nor the last, nor this.
 */
void host_neighbour(struct host *a)
{
	uint8_t *last = &a->bytes[host_length(a) - 1];

	*last = (*last & ~3) | ((*last & 3) == 1 ? 2 : 1);
}

/**
 * host_in - Whether an address is in a network.
 * @a: The address.
 * @net: Any address of the network.
 * @prefix: Length of its prefix in bits.
 */
bool host_in(const struct host *a, const struct host *net, int prefix)
{
	int bits = prefix % 8;
	uint8_t mask = bits ? 0xff << (8 - bits) : 0;

	if (a->family != net->family || memcmp(a->bytes, net->bytes, prefix / 8))
		return false;
	return !bits || !((a->bytes[prefix / 8] ^ net->bytes[prefix / 8]) & mask);
}

static bool in_any(const struct host *a, const char *const *nets, const int *prefixes)
{
	struct host net;
	int i;

	for (i = 0; nets[i]; i++) {
		uint8_t bytes[16];

		net.family = strchr(nets[i], ':') ? AF_INET6 : AF_INET;
		inet_pton(net.family, nets[i], bytes);
		host_set(&net, net.family, bytes);
		if (host_in(a, &net, prefixes[i]))
			return true;
	}
	return false;
}

/**
 * host_is_private - Whether it is for use behind a NAT (RFC 1918, RFC 4193).
 * @a: The address.
 */
bool host_is_private(const struct host *a)
{
	static const char *const nets[] = {
		"10.0.0.0", "172.16.0.0", "192.168.0.0", "fc00::", NULL
	};
	static const int prefixes[] = { 8, 12, 16, 7 };

	return in_any(a, nets, prefixes);
}

/**
 * host_is_cgnat - Whether it is of those between a customer and a carrier's
 * NAT (RFC 6598).
 * @a: The address.
 */
bool host_is_cgnat(const struct host *a)
{
	static const char *const nets[] = { "100.64.0.0", NULL };
	static const int prefixes[] = { 10 };

	return in_any(a, nets, prefixes);
}

/**
 * host_is_global - Whether others may reach it, as far as it shows: it is
 * neither private nor of one link, host or group.
 * @a: The address.
 */
bool host_is_global(const struct host *a)
{
	static const char *const nets[] = {
		"0.0.0.0", "127.0.0.0", "169.254.0.0", "224.0.0.0", "::", "fe80::", "ff00::", NULL
	};
	static const int prefixes[] = { 8, 8, 16, 3, 8, 10, 8 };

	return a->family && !host_is_private(a) && !host_is_cgnat(a) && !host_is_shared(a) &&
	       !in_any(a, nets, prefixes);
}

/**
 * host_is_link_local - Whether a host gave it to itself, for want of a better one
 * (RFC 3927).
 * @a: The address.
 */
bool host_is_link_local(const struct host *a)
{
	static const char *const nets[] = { "169.254.0.0", NULL };
	static const int prefixes[] = { 16 };

	return in_any(a, nets, prefixes);
}

/**
 * host_is_shared - Whether it is of those that DS-Lite and 464XLAT use between a
 * customer's router and the provider's translator (RFC 7335).
 * @a: The address.
 */
bool host_is_shared(const struct host *a)
{
	static const char *const nets[] = { "192.0.0.0", NULL };
	static const int prefixes[] = { 29 };

	return in_any(a, nets, prefixes);
}
