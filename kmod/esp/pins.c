// SPDX-License-Identifier: GPL-2.0
/*
 * The SPIs of a client: memory that the pairing policy remembers them in, and their
 * pins. What an arrival may need is allocated when the client itself sends, or is seen
 * at a key exchange. The group's lock is held throughout.
 */
#include <linux/slab.h>

#include "esp.h"

/* Have ready what the next inbound SPI of the client takes. */
void esp_spares_fill(struct esp_session *es)
{
	struct vpnpass_net *vn = es->s.vn;

	if (!es->client.spare)
		es->client.spare = vpnpass_alloc_zeroed(vn, sizeof(*es->client.spare));
	if (!es->spare)
		es->spare = vpnpass_pin_alloc(vn);
	if (!es->client.spare || !es->spare)
		vpnpass_count(vn, &esp_proto, VPNPASS_CNT_NO_MEMORY);
}

void esp_spares_free(struct esp_session *es)
{
	kfree(es->client.spare);
	es->client.spare = NULL;
	vpnpass_pin_free(es->spare);
	es->spare = NULL;
}

/* For an SPI that the client begins to send on; NULL without memory. */
struct esp_out *esp_out_alloc(struct esp_session *es)
{
	struct esp_out *o = vpnpass_alloc_zeroed(es->s.vn, sizeof(*o));

	if (!o)
		vpnpass_count(es->s.vn, &esp_proto, VPNPASS_CNT_NO_MEMORY);
	return o;
}

/* Put a pin in force, which is gone afterwards when that fails. */
static struct vpnpass_pin *pin_add(struct esp_session *es, struct vpnpass_pin *pin,
				   const struct vpnpass_key *key, u8 dir)
{
	return vpnpass_pin_put(&es->s, pin, key, dir, VPNPASS_NUMBER_KIND_SPI) ? NULL : pin;
}

/**
 * esp_out_quote() - have ICMP errors about an outbound SPI find the session
 * @es: the session
 * @o: its SPI
 *
 * From the first packet on, paired or not: that one may be too big for the path and
 * have no other answer than the error. What errors quote was sent after NAT, so from
 * our address. Another client may use the same SPI; errors then go to that one.
 */
void esp_out_quote(struct esp_session *es, struct esp_out *o)
{
	struct vpnpass_key key = {
		.src = es->s.local,
		.dst = es->s.peer,
		.number = o->out.s.spi,
		.zone = es->group->peer.key.zone,
		.l4proto = IPPROTO_ESP,
		.family = es->s.family,
		.kind = VPNPASS_KEY_QUOTE,
	};

	o->quote = pin_add(es, vpnpass_pin_alloc(es->s.vn), &key, IP_CT_DIR_ORIGINAL);
}

static struct vpnpass_pin *pin_in(struct esp_session *es, u32 spi)
{
	struct vpnpass_key key = {
		.src = es->s.peer,
		.dst = es->s.local,
		.number = spi,
		.zone = es->group->peer.key.zone,
		.l4proto = IPPROTO_ESP,
		.family = es->s.family,
		.kind = VPNPASS_KEY_PACKET,
	};
	struct vpnpass_pin *pin = es->spare;

	es->spare = NULL;
	return pin_add(es, pin, &key, IP_CT_DIR_REPLY);
}

/* The gateway as the client knows it; rules may translate that, too. */
static struct vpnpass_pin *pin_out(struct esp_session *es, u32 spi)
{
	const struct nf_conn *ct = es->s.ct;
	struct vpnpass_key key = {
		.src = es->s.client,
		.dst = ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple.dst.u3,
		.number = spi,
		.zone = nf_ct_zone_id(nf_ct_zone(ct), IP_CT_DIR_ORIGINAL),
		.l4proto = IPPROTO_ESP,
		.family = es->s.family,
		.kind = VPNPASS_KEY_PACKET,
	};

	return pin_add(es, vpnpass_pin_alloc(es->s.vn), &key, IP_CT_DIR_ORIGINAL);
}

/**
 * esp_spi_pin() - put an SPI on the fast path
 * @es: the session
 * @s: its SPI, which has no pin
 */
void esp_spi_pin(struct esp_session *es, struct pair_spi *s)
{
	struct vpnpass_pin *pin = s->in ? pin_in(es, s->spi) : pin_out(es, s->spi);

	if (!pin) {
		vpnpass_count(es->s.vn, &esp_proto, ESP_CNT_PIN_FAILED);
		return;
	}
	s->pin = pin;
	s->last = &pin->last;
	if (s->in)
		vpnpass_event_pin(&es->s, VPNPASS_EVENT_TYPE_PINNED, pin, NULL);
}

void esp_spi_unpin(struct pair_spi *s)
{
	if (s->pin)
		vpnpass_pin_del(s->pin);
	s->pin = NULL;
	s->last = NULL;
}

static void free_memory(struct pair_spi *s)
{
	if (s->in)
		kfree(container_of(s, struct pair_in, s));
	else
		kfree(container_of(s, struct esp_out, out.s));
}

/* The policy has let go of the SPI. */
void esp_spi_free(struct pair_spi *s)
{
	struct esp_out *o = container_of(s, struct esp_out, out.s);

	esp_spi_unpin(s);
	if (!s->in && o->quote)
		vpnpass_pin_del(o->quote);
	free_memory(s);
}

/* A client's session ends: its SPIs go, and the core takes the pins. */
void esp_spis_forget(struct pair_client *c)
{
	struct pair_spi *s, *next;

	list_for_each_entry_safe(s, next, &c->out, node)
		free_memory(s);
	list_for_each_entry_safe(s, next, &c->in, node)
		free_memory(s);
}
