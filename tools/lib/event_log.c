// SPDX-License-Identifier: GPL-2.0
/*
 * An event as fields of the systemd journal, and as a line of RFC 5424 with the
 * same as structured data. Both tell who was connected
 * with whom, by which public address and numbers, since when and until when.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "event_log.h"

#define NAME_SIZE	24
#define VALUE_SIZE	256
#define FIELDS_MAX	64
#define LOG_DAEMON	3	/* RFC 5424 6.2.1 */
#define LEVEL_WARNING	4
#define LEVEL_INFO	6
/* RFC 5612 has this number for those that have none of their own. */
#define SD_ID		"vpnpass@32473"

struct field {
	char name[NAME_SIZE];	/* lower case, words joined by '_' */
	char value[VALUE_SIZE];
};

struct fields {
	struct field list[FIELDS_MAX];
	size_t n;
};

static void __printf(3, 4) add(struct fields *f, const char *name, const char *fmt, ...)
{
	struct field *field;
	va_list ap;

	if (f->n == FIELDS_MAX)
		return;
	field = &f->list[f->n++];
	snprintf(field->name, sizeof(field->name), "%s", name);
	va_start(ap, fmt);
	vsnprintf(field->value, sizeof(field->value), fmt, ap);
	va_end(ap);
}

static void add_text(struct fields *f, const char *name, const char *value)
{
	if (value && *value)
		add(f, name, "%s", value);
}

static void add_number(struct fields *f, const char *name, struct maybe value)
{
	if (value.known)
		add(f, name, "%ju", value.value);
}

/* RFC 3339 in UTC, as both forms have it. */
static void add_time(struct fields *f, const char *name, uint64_t ns)
{
	time_t seconds = ns / 1000000000;
	char date[32];
	struct tm tm;

	if (!gmtime_r(&seconds, &tm))
		return;
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	add(f, name, "%s.%06uZ", date, (unsigned int)(ns / 1000 % 1000000));
}

/* "spi_in", "call_id_out": the kind of the number and which way it goes. */
static void add_pin(struct fields *f, const struct pin *pin)
{
	const char *kind = pin_kind_name(pin->kind), *dir = pin_dir_name(pin->dir);
	char name[NAME_SIZE], number[64];
	char *p;

	if (!kind || !pin->number.known)
		return;
	snprintf(name, sizeof(name), "%s%s%s", kind, dir ? "_" : "", dir ? dir : "");
	for (p = name; *p; p++)
		*p = *p == '-' ? '_' : *p;
	pin_text(number, sizeof(number), pin);
	add(f, name, "%s", number);
}

static void add_session(struct fields *f, const struct event *e)
{
	const struct session *s = &e->session;
	uint64_t age = s->age.value * 1000000;
	size_t i;

	add_text(f, "client", s->client);
	add_text(f, "local", s->local);
	add_text(f, "peer", s->peer);
	add_number(f, "session", s->id);
	if (e->time.known && s->age.known && age <= e->time.value)
		add_time(f, "begin", e->time.value - age);
	if (e->time.known && e->type.known && e->type.value == VPNPASS_EVENT_TYPE_SESSION_END)
		add_time(f, "end", e->time.value);
	add_number(f, "packets_out", s->packets_out);
	add_number(f, "bytes_out", s->bytes_out);
	add_number(f, "packets_in", s->packets_in);
	add_number(f, "bytes_in", s->bytes_in);
	for (i = 0; i < s->n_pins; i++)
		add_pin(f, &s->pins[i]);
}

static void collect(struct fields *f, const struct event *e)
{
	f->n = 0;
	add_text(f, "event", event_name(e->type));
	add_text(f, "proto", e->proto);
	add_text(f, "mode", mode_name(e->mode));
	if (e->has_setting) {
		add_text(f, "setting", e->setting.name);
		add_number(f, "value", e->setting.value);
	}
	if (e->has_session)
		add_session(f, e);
	if (e->has_pin)
		add_pin(f, &e->pin);
	add_text(f, "reason", e->reason);
}

static const char *field(const struct fields *f, const char *name)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (!strcmp(f->list[i].name, name))
			return f->list[i].value;
	return "";
}

static int level(const struct event *e)
{
	bool trouble = e->type.known && (e->type.value == VPNPASS_EVENT_TYPE_LIMIT ||
					 e->type.value == VPNPASS_EVENT_TYPE_CONFLICT);

	return trouble ? LEVEL_WARNING : LEVEL_INFO;
}

/* "esp session-new 10.0.0.2 as 192.0.2.1 > 198.51.100.7 (reason)" */
static char *message(const struct fields *f)
{
	const char *client = field(f, "client"), *reason = field(f, "reason");
	const char *mode = field(f, "mode"), *setting = field(f, "setting");
	const char *value = field(f, "value");
	bool has_session = *client;

	return xasprintf("%s %s%s%s%s%s%s%s%s%s%s%s%s%s%s%s", field(f, "proto"),
			 field(f, "event"), *mode ? " " : "", mode, *setting ? " " : "", setting,
			 *value ? " " : "", value, has_session ? " " : "", client,
			 has_session ? " as " : "", field(f, "local"), has_session ? " > " : "",
			 field(f, "peer"), *reason ? ": " : "", reason);
}

/**
 * journal_open - Connect to the journal.
 * @path: Its socket.
 *
 * Return: a descriptor, or -1 with errno set.
 */
int journal_open(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, error;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* A value with no end of line in it needs no length in front. */
static void put_field(FILE *f, const char *prefix, const char *name, const char *value)
{
	fputs(prefix, f);
	for (; *name; name++)
		fputc(*name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name, f);
	fputc('=', f);
	for (; *value; value++)
		fputc(*value == '\n' ? ' ' : *value, f);
	fputc('\n', f);
}

/**
 * journal_send - Write an event to the journal.
 * @fd: From journal_open().
 * @e: The event.
 *
 * Return: 0, or -1 with errno set.
 */
int journal_send(int fd, const struct event *e)
{
	static struct fields fields;
	char *text = NULL, *said, priority[4];
	size_t length, i;
	ssize_t sent;
	FILE *f;

	collect(&fields, e);
	f = open_memstream(&text, &length);
	if (!f)
		out_of_memory();
	said = message(&fields);
	snprintf(priority, sizeof(priority), "%d", level(e));
	put_field(f, "", "message", said);
	put_field(f, "", "priority", priority);
	put_field(f, "", "syslog_identifier", "vpnpass");
	for (i = 0; i < fields.n; i++)
		put_field(f, "VPNPASS_", fields.list[i].name, fields.list[i].value);
	if (fclose(f))
		out_of_memory();
	sent = send(fd, text, length, MSG_NOSIGNAL);
	free(said);
	free(text);
	return sent < 0 ? -1 : 0;
}

/* RFC 5424 6.3.3: a quote, a backslash and a closing bracket are escaped. */
static void print_param(FILE *file, const struct field *field)
{
	const char *p;

	fputc(' ', file);
	for (p = field->name; *p; p++)
		fputc(*p == '_' ? '-' : *p, file);
	fputs("=\"", file);
	for (p = field->value; *p; p++) {
		if (*p == '"' || *p == '\\' || *p == ']')
			fputc('\\', file);
		fputc((unsigned char)*p < ' ' || (unsigned char)*p > '~' ? '?' : *p, file);
	}
	fputc('"', file);
}

/* A name as the header takes it: printable ASCII without spaces. */
static void host_name(char *to, size_t size)
{
	char *p;

	if (gethostname(to, size) || !*to)
		snprintf(to, size, "-");
	to[size - 1] = '\0';
	for (p = to; *p; p++)
		if (*p <= ' ' || *p > '~')
			*p = '?';
}

/**
 * syslog_print - Print an event as RFC 5424 has it, on a line.
 * @file: Where to.
 * @e: The event.
 */
void syslog_print(FILE *file, const struct event *e)
{
	static struct fields fields, header;
	char host[256], *said, *p;
	size_t i;

	collect(&fields, e);
	header.n = 0;
	if (e->time.known)
		add_time(&header, "time", e->time.value);
	host_name(host, sizeof(host));
	fprintf(file, "<%d>1 %s %s vpnpass - %s [" SD_ID, LOG_DAEMON * 8 + level(e),
		header.n ? header.list[0].value : "-", host,
		*field(&fields, "event") ? field(&fields, "event") : "-");
	for (i = 0; i < fields.n; i++)
		print_param(file, &fields.list[i]);
	said = message(&fields);
	for (p = said; *p; p++)
		if ((unsigned char)*p < ' ' || (unsigned char)*p > '~')
			*p = '?';
	fprintf(file, "] %s\n", said);
	free(said);
}
