// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions and pins on paper, the same in lists and in events.
 */
#include <linux/vpnpass.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const struct {
	const char *name, *key;
	bool is_spi;
} kinds[] = {
	[VPNPASS_NUMBER_KIND_SPI] = { "spi", NULL, true },
	[VPNPASS_NUMBER_KIND_CALL_ID] = { "call-id", "call_id", false },
	[VPNPASS_NUMBER_KIND_IKE_SPI] = { "ike-spi", "ike_spi", true },
	[VPNPASS_NUMBER_KIND_TUNNEL_ID] = { "tunnel-id", "tunnel_id", false },
	[VPNPASS_NUMBER_KIND_SESSION_ID] = { "session-id", "session_id", false },
};

static bool kind_known(struct maybe kind)
{
	return kind.known && kind.value < ARRAY_SIZE(kinds);
}

static bool is_kind(const struct pin *pin, unsigned int kind)
{
	return pin->kind.known && pin->kind.value == kind;
}

static bool is_dir(const struct pin *pin, unsigned int dir)
{
	return pin->dir.known && pin->dir.value == dir;
}

/**
 * pin_kind_name - What the number of a pin is, as a word.
 * @kind: enum vpnpass_number_kind.
 *
 * Return: the word, NULL if it was not told or is not known here.
 */
const char *pin_kind_name(struct maybe kind)
{
	return kind_known(kind) ? kinds[kind.value].name : NULL;
}

/**
 * pin_dir_name - Which way the packets of a pin go, seen from the client.
 * @dir: enum vpnpass_direction.
 *
 * Return: out, in, or NULL if it was not told.
 */
const char *pin_dir_name(struct maybe dir)
{
	if (!dir.known || dir.value > VPNPASS_DIRECTION_REPLY)
		return NULL;
	return dir.value == VPNPASS_DIRECTION_ORIGINAL ? "out" : "in";
}

/* SPIs are written in hexadecimal everywhere, other numbers are not. */
static void number_text(char *to, size_t size, struct maybe kind, uint64_t number)
{
	if (kind.value == VPNPASS_NUMBER_KIND_SPI)
		snprintf(to, size, "0x%08jx", number);
	else if (kind.value == VPNPASS_NUMBER_KIND_IKE_SPI)
		snprintf(to, size, "0x%016jx", number);
	else
		snprintf(to, size, "%ju", number);
}

/**
 * pin_text - The number of a pin for people.
 * @to: Filled with it, "-" if it was not told; "?" after it marks a pin that
 *      is only tentative.
 * @size: Room there, 48 is enough.
 * @pin: The pin.
 */
void pin_text(char *to, size_t size, const struct pin *pin)
{
	char number[24] = "-", nat[24] = "";

	if (pin->number.known)
		number_text(number, sizeof(number), pin->kind, pin->number.value);
	if (pin->nat.known && pin->nat.value != pin->number.value)
		number_text(nat, sizeof(nat), pin->kind, pin->nat.value);
	snprintf(to, size, "%s%s%s%s", number, *nat ? ">" : "", nat,
		 pin->state.known && pin->state.value == VPNPASS_PIN_STATE_TENTATIVE ? "?" : "");
}

static void spi_field(struct out *o, const char *key, struct maybe kind, struct maybe number)
{
	char text[24];

	if (!number.known)
		return;
	number_text(text, sizeof(text), kind, number.value);
	out_string(o, key, NULL, text);
}

/* The number under the name that fits its kind, and how it does. */
static void pin_members(struct out *o, const struct pin *pin)
{
	if (kind_known(pin->kind) && kinds[pin->kind.value].is_spi) {
		spi_field(o, "spi", pin->kind, pin->number);
		spi_field(o, "nat", pin->kind, pin->nat);
	} else {
		out_number(o, "number", NULL, pin->number);
		out_number(o, "nat", NULL, pin->nat);
	}
	out_string(o, "state", NULL, pin_state_name(pin->state));
	out_msec(o, "idle", NULL, pin->idle);
}

/**
 * pin_fields - All of a pin, as members of the object that is open.
 * @o: Output.
 * @pin: The pin.
 */
void pin_fields(struct out *o, const struct pin *pin)
{
	out_string(o, "kind", NULL, pin_kind_name(pin->kind));
	out_string(o, "dir", NULL, pin_dir_name(pin->dir));
	pin_members(o, pin);
}

static void spi_list(struct out *o, const struct session *s, const char *key, unsigned int dir)
{
	size_t i;

	out_list(o, key);
	for (i = 0; i < s->n_pins; i++) {
		if (!is_kind(&s->pins[i], VPNPASS_NUMBER_KIND_SPI) || !is_dir(&s->pins[i], dir))
			continue;
		out_object(o, NULL);
		pin_members(o, &s->pins[i]);
		out_object_end(o);
	}
	out_list_end(o);
}

static void kind_list(struct out *o, const struct session *s, unsigned int kind)
{
	size_t i;

	out_list(o, kinds[kind].key);
	for (i = 0; i < s->n_pins; i++) {
		if (!is_kind(&s->pins[i], kind))
			continue;
		out_object(o, NULL);
		out_string(o, "dir", NULL, pin_dir_name(s->pins[i].dir));
		pin_members(o, &s->pins[i]);
		out_object_end(o);
	}
	out_list_end(o);
}

static bool has_kind(const struct session *s, unsigned int kind)
{
	size_t i;

	for (i = 0; i < s->n_pins; i++)
		if (is_kind(&s->pins[i], kind))
			return true;
	return false;
}

static void numbers(struct out *o, const struct session *s)
{
	unsigned int kind;

	if (has_kind(s, VPNPASS_NUMBER_KIND_SPI)) {
		spi_list(o, s, "spi_out", VPNPASS_DIRECTION_ORIGINAL);
		spi_list(o, s, "spi_in", VPNPASS_DIRECTION_REPLY);
	}
	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++)
		if (kinds[kind].key && has_kind(s, kind))
			kind_list(o, s, kind);
}

static struct maybe sum(struct maybe a, struct maybe b)
{
	return (struct maybe){
		.value = a.value + b.value,
		.known = a.known && b.known,
	};
}

static const char *known_text(const char *text)
{
	return *text ? text : NULL;
}

/**
 * session_fields - All of a session, as members of the object that is open
 * and cells of the row.
 * @o: Output.
 * @s: The session.
 */
void session_fields(struct out *o, const struct session *s)
{
	out_number(o, "id", NULL, s->id);
	out_string(o, "proto", "PROTO", s->proto);
	out_string(o, "client", "CLIENT", known_text(s->client));
	out_string(o, "peer", "PEER", known_text(s->peer));
	out_string(o, "local", "LOCAL", known_text(s->local));
	out_number(o, "version", NULL, s->version);
	out_string(o, "state", "STATE", s->state && *s->state ? s->state : NULL);
	out_msec(o, "age", "AGE", s->age);
	out_msec(o, "idle", "IDLE", s->idle);
	out_number(o, "packets", "PACKETS", sum(s->packets_out, s->packets_in));
	out_bytes(o, "bytes", "BYTES", sum(s->bytes_out, s->bytes_in));
	out_number(o, "packets_out", NULL, s->packets_out);
	out_number(o, "bytes_out", NULL, s->bytes_out);
	out_number(o, "packets_in", NULL, s->packets_in);
	out_number(o, "bytes_in", NULL, s->bytes_in);
	out_number(o, "fast_out", NULL, s->fast_out);
	out_number(o, "fast_in", NULL, s->fast_in);
	out_string(o, "dest", NULL, known_text(s->dest));
	out_string(o, "device", NULL, s->device);
	out_number(o, "zone", NULL, s->zone);
	out_number(o, "zone_reply", NULL, s->zone_reply);
	out_msec(o, "expires", NULL, s->lifetime);
	if (o->json)
		numbers(o, s);
}

static char *append(char *text, const char *more)
{
	size_t length = text ? strlen(text) : 0;

	text = xrealloc(text, length + strlen(more) + 1);
	strcpy(text + length, more);
	return text;
}

/* "  spi out 0x1 0x2": the numbers of one kind and direction. */
static char *append_numbers(char *text, const struct session *s, unsigned int kind,
			    unsigned int dir)
{
	bool first = true;
	char number[64];
	size_t i;

	for (i = 0; i < s->n_pins; i++) {
		if (!is_kind(&s->pins[i], kind) || !is_dir(&s->pins[i], dir))
			continue;
		if (first) {
			text = append(text, "  ");
			text = append(text, kinds[kind].name);
			text = append(text, dir == VPNPASS_DIRECTION_ORIGINAL ? " out" : " in");
		}
		first = false;
		number[0] = ' ';
		pin_text(number + 1, sizeof(number) - 1, &s->pins[i]);
		text = append(text, number);
	}
	return text;
}

/**
 * session_pins_line - What does not fit the row of a session, below it.
 * @o: Output.
 * @s: The session.
 */
void session_pins_line(struct out *o, const struct session *s)
{
	char *text = xasprintf("local %s", *s->local ? s->local : "-");
	unsigned int kind;
	char fast[64];

	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		text = append_numbers(text, s, kind, VPNPASS_DIRECTION_ORIGINAL);
		text = append_numbers(text, s, kind, VPNPASS_DIRECTION_REPLY);
	}
	if (s->fast_out.value || s->fast_in.value) {
		snprintf(fast, sizeof(fast), "  fast out %ju in %ju",
			 (uintmax_t)s->fast_out.value, (uintmax_t)s->fast_in.value);
		text = append(text, fast);
	}
	out_line(o, 4, "%s", text);
	free(text);
}
