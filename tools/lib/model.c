// SPDX-License-Identifier: GPL-2.0
/*
 * From attributes to structures; see model.h.
 */
#include <linux/genetlink.h>
#include <linux/vpnpass.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "util.h"

static const char *const mode_names[] = {
	[VPNPASS_MODE_OFF] = "off",
	[VPNPASS_MODE_ON] = "on",
	[VPNPASS_MODE_BLOCK] = "block",
};

static const char *const event_names[] = {
	[VPNPASS_EVENT_TYPE_SESSION_NEW] = "session-new",
	[VPNPASS_EVENT_TYPE_SESSION_END] = "session-end",
	[VPNPASS_EVENT_TYPE_MODE] = "mode",
	[VPNPASS_EVENT_TYPE_SETTING] = "setting",
	[VPNPASS_EVENT_TYPE_LIMIT] = "limit",
	[VPNPASS_EVENT_TYPE_PINNED] = "pinned",
	[VPNPASS_EVENT_TYPE_CORRECTED] = "corrected",
	[VPNPASS_EVENT_TYPE_CONFLICT] = "conflict",
	[VPNPASS_EVENT_TYPE_FAST] = "fast",
	[VPNPASS_EVENT_TYPE_FAST_REFUSED] = "fast-refused",
	NULL
};

static const char *const pin_state_names[] = {
	[VPNPASS_PIN_STATE_TENTATIVE] = "tentative",
	[VPNPASS_PIN_STATE_SETTLED] = "settled",
};

static const char *name_of(const char *const *names, size_t count, struct maybe number)
{
	if (!number.known)
		return NULL;
	return number.value < count ? names[number.value] : "unknown";
}

/**
 * mode_name - Name of a switch's state.
 * @mode: enum vpnpass_mode.
 *
 * Return: the name, "unknown" for one from a newer kernel, NULL for none.
 */
const char *mode_name(struct maybe mode)
{
	return name_of(mode_names, ARRAY_SIZE(mode_names), mode);
}

/**
 * mode_number - The state that a name stands for.
 * @name: off, on or block.
 *
 * Return: enum vpnpass_mode, -1 if it is none.
 */
int mode_number(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mode_names); i++)
		if (!strcmp(name, mode_names[i]))
			return i;
	return -1;
}

/**
 * event_name - Name of an event.
 * @type: enum vpnpass_event_type.
 *
 * Return: as mode_name().
 */
const char *event_name(struct maybe type)
{
	return name_of(event_names, ARRAY_SIZE(event_names) - 1, type);
}

/**
 * event_list - The names of all events.
 *
 * Return: the names, up to a NULL.
 */
const char *const *event_list(void)
{
	return event_names;
}

/**
 * event_known - Whether a word is the name of an event.
 * @name: The word.
 */
bool event_known(const char *name)
{
	size_t i;

	for (i = 0; event_names[i]; i++)
		if (!strcmp(name, event_names[i]))
			return true;
	return false;
}

/**
 * pin_state_name - Name of a pin's state.
 * @state: enum vpnpass_pin_state.
 *
 * Return: as mode_name().
 */
const char *pin_state_name(struct maybe state)
{
	return name_of(pin_state_names, ARRAY_SIZE(pin_state_names), state);
}

/**
 * model_attr_name - Name of an attribute that requests carry, for errors.
 * @command: VPNPASS_CMD_* of the request.
 * @attr: The attribute.
 * @inner: The one inside it, or 0.
 *
 * Return: the name, NULL if requests carry no such attribute.
 */
const char *model_attr_name(int command, int attr, int inner)
{
	static const char *const proto[] = {
		[VPNPASS_A_PROTO_NAME] = "name",
		[VPNPASS_A_PROTO_MODE] = "mode",
		[VPNPASS_A_PROTO_SETTING] = "setting",
	}, *const setting[] = {
		[VPNPASS_A_SETTING_NAME] = "name",
		[VPNPASS_A_SETTING_VALUE] = "value",
	}, *const session[] = {
		[VPNPASS_A_SESSION_PROTO] = "proto",
		[VPNPASS_A_SESSION_CLIENT] = "client",
		[VPNPASS_A_SESSION_PEER] = "peer",
		[VPNPASS_A_SESSION_LOCAL] = "local",
		[VPNPASS_A_SESSION_PIN] = "pin",
		[VPNPASS_A_SESSION_DEST] = "dest",
		[VPNPASS_A_SESSION_ZONE] = "zone",
		[VPNPASS_A_SESSION_ZONE_REPLY] = "zone-reply",
		[VPNPASS_A_SESSION_DEVICE] = "device",
		[VPNPASS_A_SESSION_LIFETIME] = "lifetime",
	};

	if (inner && command == VPNPASS_CMD_PROTO_SET)
		return (size_t)inner < ARRAY_SIZE(setting) ? setting[inner] : NULL;
	if (inner)
		return NULL;
	if (command == VPNPASS_CMD_PROTO_GET || command == VPNPASS_CMD_PROTO_SET)
		return (size_t)attr < ARRAY_SIZE(proto) ? proto[attr] : NULL;
	return (size_t)attr < ARRAY_SIZE(session) ? session[attr] : NULL;
}

/**
 * address_parse - Read an address.
 * @a: Filled in, with no bytes if it is none.
 * @text: IPv4 or IPv6.
 *
 * Return: whether it is one.
 */
bool address_parse(struct raw_address *a, const char *text)
{
	*a = (struct raw_address){};
	if (inet_pton(AF_INET, text, a->bytes) == 1)
		a->length = sizeof(struct in_addr);
	else if (inet_pton(AF_INET6, text, a->bytes) == 1)
		a->length = sizeof(struct in6_addr);
	return a->length;
}

static void get_string(const char **to, const struct nlattr *attr)
{
	if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
		*to = mnl_attr_get_str(attr);
}

/* A 64-bit attribute may come in 32 bits, should the kernel ever use uint. */
static void get_number(struct maybe *to, const struct nlattr *attr)
{
	if (mnl_attr_get_payload_len(attr) == sizeof(uint32_t))
		*to = MAYBE(mnl_attr_get_u32(attr));
	else if (mnl_attr_get_payload_len(attr) == sizeof(uint64_t))
		*to = MAYBE(mnl_attr_get_u64(attr));
}

static void get_address(char to[INET6_ADDRSTRLEN], const struct nlattr *attr)
{
	const void *address = mnl_attr_get_payload(attr);

	if (mnl_attr_get_payload_len(attr) == sizeof(struct in_addr))
		inet_ntop(AF_INET, address, to, INET6_ADDRSTRLEN);
	else if (mnl_attr_get_payload_len(attr) == sizeof(struct in6_addr))
		inet_ntop(AF_INET6, address, to, INET6_ADDRSTRLEN);
}

static void setting_read(struct setting *s, const struct nlattr *nest)
{
	const struct nlattr *attr;

	*s = (struct setting){};
	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case VPNPASS_A_SETTING_NAME:
			get_string(&s->name, attr);
			break;
		case VPNPASS_A_SETTING_VALUE:
			get_number(&s->value, attr);
			break;
		case VPNPASS_A_SETTING_MINIMUM:
			get_number(&s->minimum, attr);
			break;
		case VPNPASS_A_SETTING_MAXIMUM:
			get_number(&s->maximum, attr);
			break;
		case VPNPASS_A_SETTING_UNIT:
			get_string(&s->unit, attr);
			break;
		case VPNPASS_A_SETTING_DEFAULT:
			get_number(&s->initial, attr);
			break;
		}
	}
}

static void counter_read(struct counter *c, const struct nlattr *nest)
{
	const struct nlattr *attr;

	*c = (struct counter){};
	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case VPNPASS_A_COUNTER_NAME:
			get_string(&c->name, attr);
			break;
		case VPNPASS_A_COUNTER_VALUE:
			get_number(&c->value, attr);
			break;
		}
	}
}

static void add_setting(struct proto *p, const struct nlattr *nest)
{
	p->settings = xgrow(p->settings, p->n_settings, sizeof(*p->settings));
	setting_read(&p->settings[p->n_settings], nest);
	if (p->settings[p->n_settings].name)
		p->n_settings++;
}

static void add_counter(struct proto *p, const struct nlattr *nest)
{
	p->counters = xgrow(p->counters, p->n_counters, sizeof(*p->counters));
	counter_read(&p->counters[p->n_counters], nest);
	if (p->counters[p->n_counters].name)
		p->n_counters++;
}

/**
 * proto_read - Take a protocol out of a message.
 * @proto: Filled in, for proto_free(); valid as long as the message.
 * @nlh: Reply to VPNPASS_CMD_PROTO_GET.
 */
void proto_read(struct proto *proto, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;

	*proto = (struct proto){};
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		switch (mnl_attr_get_type(attr)) {
		case VPNPASS_A_PROTO_NAME:
			get_string(&proto->name, attr);
			break;
		case VPNPASS_A_PROTO_MODE:
			get_number(&proto->mode, attr);
			break;
		case VPNPASS_A_PROTO_SESSIONS:
			get_number(&proto->sessions, attr);
			break;
		case VPNPASS_A_PROTO_PINS:
			get_number(&proto->pins, attr);
			break;
		case VPNPASS_A_PROTO_SETTING:
			add_setting(proto, attr);
			break;
		case VPNPASS_A_PROTO_COUNTER:
			add_counter(proto, attr);
			break;
		}
	}
}

/**
 * proto_free - Free what proto_read() allocated.
 * @proto: The protocol.
 */
void proto_free(struct proto *proto)
{
	free(proto->settings);
	free(proto->counters);
}

static void pin_read(struct pin *pin, const struct nlattr *nest)
{
	const struct nlattr *attr;

	*pin = (struct pin){};
	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case VPNPASS_A_PIN_KIND:
			get_number(&pin->kind, attr);
			break;
		case VPNPASS_A_PIN_DIR:
			get_number(&pin->dir, attr);
			break;
		case VPNPASS_A_PIN_NUMBER:
			get_number(&pin->number, attr);
			break;
		case VPNPASS_A_PIN_NAT_NUMBER:
			get_number(&pin->nat, attr);
			break;
		case VPNPASS_A_PIN_IDLE:
			get_number(&pin->idle, attr);
			break;
		case VPNPASS_A_PIN_STATE:
			get_number(&pin->state, attr);
			break;
		}
	}
}

static void add_pin(struct session *s, const struct nlattr *nest)
{
	s->pins = xgrow(s->pins, s->n_pins, sizeof(*s->pins));
	pin_read(&s->pins[s->n_pins++], nest);
}

/* The attributes of a session that are plain numbers. */
static struct maybe *session_number(struct session *s, int type)
{
	switch (type) {
	case VPNPASS_A_SESSION_ID:
		return &s->id;
	case VPNPASS_A_SESSION_VERSION:
		return &s->version;
	case VPNPASS_A_SESSION_AGE:
		return &s->age;
	case VPNPASS_A_SESSION_IDLE:
		return &s->idle;
	case VPNPASS_A_SESSION_PACKETS_OUT:
		return &s->packets_out;
	case VPNPASS_A_SESSION_BYTES_OUT:
		return &s->bytes_out;
	case VPNPASS_A_SESSION_PACKETS_IN:
		return &s->packets_in;
	case VPNPASS_A_SESSION_BYTES_IN:
		return &s->bytes_in;
	case VPNPASS_A_SESSION_ZONE:
		return &s->zone;
	case VPNPASS_A_SESSION_ZONE_REPLY:
		return &s->zone_reply;
	case VPNPASS_A_SESSION_LIFETIME:
		return &s->lifetime;
	case VPNPASS_A_SESSION_FAST_OUT:
		return &s->fast_out;
	case VPNPASS_A_SESSION_FAST_IN:
		return &s->fast_in;
	}
	return NULL;
}

static void session_attr(struct session *s, const struct nlattr *attr)
{
	struct maybe *number = session_number(s, mnl_attr_get_type(attr));

	if (number)
		get_number(number, attr);
	switch (mnl_attr_get_type(attr)) {
	case VPNPASS_A_SESSION_PROTO:
		get_string(&s->proto, attr);
		break;
	case VPNPASS_A_SESSION_CLIENT:
		get_address(s->client, attr);
		break;
	case VPNPASS_A_SESSION_PEER:
		get_address(s->peer, attr);
		break;
	case VPNPASS_A_SESSION_LOCAL:
		get_address(s->local, attr);
		break;
	case VPNPASS_A_SESSION_DEST:
		get_address(s->dest, attr);
		break;
	case VPNPASS_A_SESSION_DEVICE:
		get_string(&s->device, attr);
		break;
	case VPNPASS_A_SESSION_STATE:
		get_string(&s->state, attr);
		break;
	case VPNPASS_A_SESSION_PIN:
		add_pin(s, attr);
		break;
	}
}

/**
 * session_read - Take a session out of a message.
 * @session: Filled in, for session_free(); valid as long as the message.
 * @nlh: Reply to VPNPASS_CMD_SESSION_GET.
 */
void session_read(struct session *session, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;

	*session = (struct session){};
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		session_attr(session, attr);
}

/**
 * session_free - Free what session_read() allocated.
 * @session: The session.
 */
void session_free(struct session *session)
{
	free(session->pins);
}

/**
 * count_read - How many sessions a flush ended, or numbers a restore added.
 * @nlh: Reply to VPNPASS_CMD_SESSION_FLUSH or _RESTORE.
 */
struct maybe count_read(const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;
	struct maybe count = {};

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == VPNPASS_A_SESSION_COUNT)
			get_number(&count, attr);
	return count;
}

static void event_nest(struct event *e, const struct nlattr *nest)
{
	const struct nlattr *attr;

	switch (mnl_attr_get_type(nest)) {
	case VPNPASS_A_EVENT_SETTING:
		setting_read(&e->setting, nest);
		e->has_setting = true;
		break;
	case VPNPASS_A_EVENT_SESSION:
		session_free(&e->session);
		e->session = (struct session){};
		mnl_attr_for_each_nested(attr, nest)
			session_attr(&e->session, attr);
		e->has_session = true;
		break;
	case VPNPASS_A_EVENT_PIN:
		pin_read(&e->pin, nest);
		e->has_pin = true;
		break;
	}
}

/**
 * event_read - Take an event out of a message.
 * @event: Filled in, for event_free(); valid as long as the message.
 * @nlh: VPNPASS_CMD_EVENT_NTF.
 */
void event_read(struct event *event, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;

	*event = (struct event){};
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		switch (mnl_attr_get_type(attr)) {
		case VPNPASS_A_EVENT_TYPE:
			get_number(&event->type, attr);
			break;
		case VPNPASS_A_EVENT_TIME:
			get_number(&event->time, attr);
			break;
		case VPNPASS_A_EVENT_PROTO:
			get_string(&event->proto, attr);
			break;
		case VPNPASS_A_EVENT_MODE:
			get_number(&event->mode, attr);
			break;
		case VPNPASS_A_EVENT_REASON:
			get_string(&event->reason, attr);
			break;
		default:
			event_nest(event, attr);
		}
	}
}

/**
 * event_free - Free what event_read() allocated.
 * @event: The event.
 */
void event_free(struct event *event)
{
	session_free(&event->session);
}
