// SPDX-License-Identifier: GPL-2.0
/*
 * Whether the other end sees the address and port that a packet left with: IKE's NAT
 * detection (RFC 7296 2.23, RFC 3947 3.2), whose hashes hide the address but prove a guess of it.
 */
#include "probe.h"

/**
 * nat_hash - What IKE says of an address.
 * @digest: Filled in.
 * @size: Of it, which says what hash it is: SHA1_SIZE or SHA256_SIZE.
 * @spis: Both SPIs, as they are in the header of the message.
 * @e: The address and port.
 */
void nat_hash(uint8_t *digest, size_t size, const uint8_t spis[16], const struct endpoint *e)
{
	uint8_t data[16 + 16 + 2], *p = put_bytes(data, spis, 16);

	p = put_bytes(p, e->host.bytes, host_length(&e->host));
	sha_digest(digest, size, data, put16(p, e->port) - data);
}

static bool is_seen(const struct sight *sight, const struct endpoint *e)
{
	uint8_t digest[DIGEST_MAX];

	nat_hash(digest, sight->size, sight->spis, e);
	return !memcmp(digest, sight->hash, sight->size);
}

/**
 * nat_judge - What its hash says about the way there.
 * @sight: What the other end said.
 * @sent: What the packet left this host with, of family 0 when that is not known.
 * @seen_port: Set to the port that it sees, for NAT_NONE and NAT_PORT.
 *
 * Return: what is between. One that does not hash its own address as we know it may
 * have changed both hashes, and is believed only when they match.
 */
enum nat nat_judge(const struct sight *sight, const struct endpoint *sent, uint16_t *seen_port)
{
	struct endpoint e = *sent;
	uint32_t port;

	if (!sight->told)
		return NAT_UNKNOWN;
	if (!sent->host.family)
		return NAT_UNDECIDED;
	*seen_port = sent->port;
	if (is_seen(sight, &e))
		return NAT_NONE;
	for (port = 1; port <= UINT16_MAX; port++) {
		e.port = *seen_port = port;
		if (is_seen(sight, &e))
			return sight->honest ? NAT_PORT : NAT_UNDECIDED;
	}
	return sight->honest ? NAT_ADDRESS : NAT_UNDECIDED;
}
