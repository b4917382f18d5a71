// SPDX-License-Identifier: GPL-2.0
/* Pins by the SPIs of IKE, and the clients that they lead to. */
#include "ike.h"

/* The pin of the packets from @key's source to its destination on an SPI. */
struct vpnpass_pin *ike_pin_find(struct vpnpass_net *vn,
				 const struct vpnpass_key *key, u64 spi)
{
	struct vpnpass_key k = *key;

	k.number = spi;
	k.kind = IKE_KEY;
	return vpnpass_pin_find(vn, &k);
}

/* The pin of what a session's gateway sends on an SPI, to whichever of its clients. */
struct vpnpass_pin *ike_pin_find_inbound(const struct ike_session *is, u64 spi)
{
	struct vpnpass_key key = {
		.src = is->s.peer, .dst = is->s.local, .l4proto = IPPROTO_UDP,
		.family = is->s.family,
	};

	return ike_pin_find(is->s.vn, &key, spi);
}

/**
 * ike_pin_add() - have packets of an SPI lead to a session
 * @is: the session
 * @src: their source
 * @dst: their destination
 * @spi: the SPI
 * @dir: their direction
 *
 * Context: any.
 * Return: the pin, or NULL: no memory, or the number is another session's.
 */
struct vpnpass_pin *ike_pin_add(struct ike_session *is, const union nf_inet_addr *src,
				const union nf_inet_addr *dst, u64 spi,
				enum ip_conntrack_dir dir)
{
	struct vpnpass_pin *pin = vpnpass_pin_alloc(is->s.vn);
	struct vpnpass_key key = {
		.src = *src, .dst = *dst, .number = spi, .l4proto = IPPROTO_UDP,
		.family = is->s.family, .kind = IKE_KEY,
	};

	if (!pin)
		vpnpass_count(is->s.vn, &ike_proto, VPNPASS_CNT_NO_MEMORY);
	return vpnpass_pin_put(&is->s, pin, &key, dir, VPNPASS_NUMBER_KIND_IKE_SPI) ?
	       NULL : pin;
}

/**
 * ike_spi_owner() - which other client of a session's gateway has that initiator SPI
 * @is: the session
 * @ispi: the SPI
 *
 * Context: RCU read side.
 * Return: that client's session, valid until the end of the RCU read side, or NULL.
 */
struct ike_session *ike_spi_owner(const struct ike_session *is, u64 ispi)
{
	struct vpnpass_pin *pin = ike_pin_find_inbound(is, ispi);

	if (!pin || nf_inet_addr_cmp(&pin->session->client, &is->s.client))
		return NULL;
	return ike_session(pin->session);
}
