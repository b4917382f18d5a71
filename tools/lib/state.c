// SPDX-License-Identifier: GPL-2.0
/*
 * Reading the text format of save and restore; see state.h. The first thing
 * that is not understood ends it: half a file is worse than none.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"

#define WORDS_MAX	24
#define SPI_RESERVED	255	/* RFC 4303 2.1 */

struct reader {
	struct state *state;
	size_t line;
	bool versioned;		/* has the header */
	bool complete;		/* the sum has been seen */
	bool unended;		/* the line is the last and has no newline */
	char *words[WORDS_MAX + 1];
	int n_words;
	size_t begin;		/* number of the line in the text */
	const char *text;
};

static bool __printf(2, 3) wrong(struct reader *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->state->error, sizeof(r->state->error), fmt, ap);
	va_end(ap);
	r->state->line = r->line;
	return false;
}

/**
 * state_sum - CRC-32 as of IEEE 802.3, the last line of a saved file.
 * @data: The lines before it.
 * @length: Their bytes.
 */
uint32_t state_sum(const char *data, size_t length)
{
	uint32_t crc = ~0u;
	int bit;

	while (length--) {
		crc ^= (unsigned char)*data++;
		for (bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
	}
	return ~crc;
}

/* Seconds with up to three decimals, into milliseconds. */
static bool parse_seconds(uint64_t *to, const char *text)
{
	size_t whole = strspn(text, "0123456789"), decimals = 0;
	const char *point = text + whole;
	uint64_t ms;

	if (*point == '.')
		decimals = strspn(point + 1, "0123456789");
	if (!whole || whole > 9 || (*point && !decimals) || decimals > 3 ||
	    (*point && point[1 + decimals]))
		return false;
	ms = strtoull(text, NULL, 10) * 1000;
	if (*point)
		ms += strtoull(point + 1, NULL, 10) *
		      (decimals == 1 ? 100 : decimals == 2 ? 10 : 1);
	*to = ms;
	return true;
}

static bool parse_spi(uint32_t *to, const char *text)
{
	size_t digits = strspn(text + 2, "0123456789abcdefABCDEF");

	if (strncmp(text, "0x", 2) || !digits || digits > 8 || text[2 + digits])
		return false;
	*to = strtoul(text, NULL, 16);
	return true;
}

static bool read_set(struct reader *r)
{
	struct state *s = r->state;
	struct change change = {};
	int mode;

	if (r->n_words < 3)
		return wrong(r, "set PROTO on|off|block or set PROTO KEY VALUE expected");
	if (!proto_plausible(r->words[1]))
		return wrong(r, "not a protocol: %s", r->words[1]);
	if (r->n_words > 4)
		return wrong(r, "too many words: %s", r->words[4]);
	change.which = r->words[1];
	mode = mode_number(r->words[2]);
	if (r->n_words == 3 && mode < 0)
		return wrong(r, "on, off, block or KEY VALUE expected, not %s", r->words[2]);
	if (r->n_words == 4 && mode >= 0)
		return wrong(r, "too many words: %s", r->words[3]);
	if (r->n_words == 4) {
		change.key = r->words[2];
		if (strlen(change.key) > CHANGE_KEY_MAX)
			return wrong(r, "name of a setting too long");
		if (!parse_u32(&change.value, r->words[3]))
			return wrong(r, "%s: a number of 32 bits expected, not %s",
				     change.key, r->words[3]);
		/* half a number is one, too; half a word is none */
		if (r->unended)
			return wrong(r, "the line has no end, its number may be cut short");
	}
	change.mode = mode;
	s->changes = xgrow(s->changes, s->n_changes, sizeof(*s->changes));
	s->changes[s->n_changes++] = (struct state_change){ r->line, change };
	return true;
}

static bool read_saved(struct reader *r)
{
	uint64_t ms;

	if (r->state->saved_line)
		return wrong(r, "saved twice");
	if (r->n_words != 2 || strchr(r->words[1], '.'))
		return wrong(r, "saved SECONDS expected");
	/* nine digits do until 2001 only */
	if (strlen(r->words[1]) > 12 || strspn(r->words[1], "0123456789") != strlen(r->words[1]))
		return wrong(r, "not a time: %s", r->words[1]);
	ms = strtoull(r->words[1], NULL, 10);
	r->state->saved = ms;
	r->state->saved_line = r->line;
	return true;
}

static bool read_local(struct reader *r)
{
	struct state *s = r->state;
	struct raw_address address;

	if (r->n_words != 2 || !address_parse(&address, r->words[1]))
		return wrong(r, "local ADDRESS expected");
	s->locals = xgrow(s->locals, s->n_locals, sizeof(*s->locals));
	s->locals[s->n_locals++] = (struct state_local){ r->line, address };
	return true;
}

/* The member that a word of a session line fills, NULL if it is none. */
static struct raw_address *session_address(struct state_session *s, const char *word)
{
	if (!strcmp(word, "client"))
		return &s->client;
	if (!strcmp(word, "peer"))
		return &s->peer;
	if (!strcmp(word, "local"))
		return &s->local;
	return strcmp(word, "dest") ? NULL : &s->dest;
}

static bool read_zone(struct reader *r, struct maybe *zone, const char *key, const char *value)
{
	uint32_t number;

	if (zone->known)
		return wrong(r, "%s given twice", key);
	if (!parse_u32(&number, value) || !number || number > 65535)
		return wrong(r, "%s: not a zone: %s", key, value);
	*zone = MAYBE(number);
	return true;
}

static bool session_word(struct reader *r, struct state_session *s, const char *key, char *value)
{
	struct raw_address *a = session_address(s, key);

	if (!value)
		return wrong(r, "%s what?", key);
	if (a) {
		if (a->length)
			return wrong(r, "%s given twice", key);
		if (!address_parse(a, value))
			return wrong(r, "%s: not an IPv4 or IPv6 address: %s", key, value);
	} else if (!strcmp(key, "expires")) {
		if (!parse_seconds(&s->expires, value) || !s->expires)
			return wrong(r, "expires: not a number of seconds: %s", value);
	} else if (!strcmp(key, "device")) {
		if (strlen(value) > 15)
			return wrong(r, "device: name too long: %s", value);
		s->device = value;
	} else if (!strcmp(key, "zone")) {
		return read_zone(r, &s->zone, key, value);
	} else if (!strcmp(key, "zone-reply")) {
		return read_zone(r, &s->zone_reply, key, value);
	} else {
		return wrong(r, "unknown word %s", key);
	}
	return true;
}

static bool same(const struct raw_address *a, const struct raw_address *b)
{
	return a->length == b->length && !memcmp(a->bytes, b->bytes, a->length);
}

static bool session_check(struct reader *r, const struct state_session *s)
{
	if (!s->client.length || !s->peer.length || !s->local.length || !s->expires)
		return wrong(r, "a session needs client, peer, local and expires");
	if (s->client.length != s->peer.length || s->client.length != s->local.length ||
	    (s->dest.length && s->client.length != s->dest.length))
		return wrong(r, "addresses of different families");
	if (same(&s->client, &s->local) || same(&s->peer, &s->local) ||
	    same(&s->client, &s->peer))
		return wrong(r, "client, peer and local are three addresses");
	return true;
}

static bool read_session(struct reader *r)
{
	struct state *s = r->state;
	struct state_session session = { .line = r->line };
	int i;

	if (!s->saved_line)
		return wrong(r, "a session before the time of saving");
	if (r->n_words < 2 || strcmp(r->words[1], "esp"))
		return wrong(r, "session esp expected");
	session.proto = r->words[1];
	for (i = 2; i < r->n_words; i += 2)
		if (!session_word(r, &session, r->words[i], r->words[i + 1]))
			return false;
	if (!session_check(r, &session))
		return false;
	s->sessions = xgrow(s->sessions, s->n_sessions, sizeof(*s->sessions));
	s->sessions[s->n_sessions++] = session;
	return true;
}

static bool read_spi(struct reader *r)
{
	struct state *s = r->state;
	struct state_spi spi = { .line = r->line };
	struct state_session *session;

	if (!s->n_sessions)
		return wrong(r, "an SPI before the first session");
	session = &s->sessions[s->n_sessions - 1];
	if (r->n_words != 5 || strcmp(r->words[3], "idle") ||
	    (strcmp(r->words[1], "in") && strcmp(r->words[1], "out")))
		return wrong(r, "spi in|out SPI idle SECONDS expected");
	spi.in = !strcmp(r->words[1], "in");
	if (!parse_spi(&spi.spi, r->words[2]) || spi.spi <= SPI_RESERVED)
		return wrong(r, "not an SPI: %s", r->words[2]);
	if (!parse_seconds(&spi.idle, r->words[4]))
		return wrong(r, "idle: not a number of seconds: %s", r->words[4]);
	if (session->n_spis == STATE_SPIS)
		return wrong(r, "more SPIs than a session has");
	session->spis = xgrow(session->spis, session->n_spis, sizeof(spi));
	session->spis[session->n_spis++] = spi;
	return true;
}

static bool read_sum(struct reader *r)
{
	char sum[16];

	snprintf(sum, sizeof(sum), "%08x", state_sum(r->text, r->begin));
	if (r->n_words != 2 || strcmp(sum, r->words[1]))
		return wrong(r, "the sum of the lines before is %s: the file is damaged", sum);
	r->complete = true;
	return true;
}

static bool read_header(struct reader *r)
{
	uint32_t version;

	if (r->line != 1)
		return wrong(r, "the version belongs on line 1");
	if (r->n_words != 2 || !parse_u32(&version, r->words[1]))
		return wrong(r, "vpnpass VERSION expected");
	if (version != STATE_VERSION)
		return wrong(r, "version %u of the format, this tool knows version %u",
			     version, STATE_VERSION);
	r->versioned = true;
	return true;
}

static bool read_words(struct reader *r)
{
	static const struct {
		const char *word;
		bool (*read)(struct reader *r);
		bool by_hand;		/* allowed without the version */
	} words[] = {
		{ "vpnpass", read_header, true },
		{ "set", read_set, true },
		{ "saved", read_saved, false },
		{ "local", read_local, false },
		{ "session", read_session, false },
		{ "spi", read_spi, false },
		{ "sum", read_sum, false },
	};
	size_t i;

	if (r->complete)
		return wrong(r, "something follows the sum");
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(r->words[0], words[i].word))
			continue;
		if (!words[i].by_hand && !r->versioned)
			return wrong(r, "%s without \"vpnpass %d\" on line 1",
				     r->words[0], STATE_VERSION);
		return words[i].read(r);
	}
	return wrong(r, "unknown word %s", r->words[0]);
}

static bool printable_line(const char *line, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		if ((unsigned char)line[i] < ' ' && line[i] != '\t' && line[i] != '\r')
			return false;
	return true;
}

static bool read_line(struct reader *r, char *line, size_t length)
{
	char *save = NULL, *word;

	if (!printable_line(line, length))
		return wrong(r, "not a line of text");
	/* Text behind a number sign is for people, the sum covers it all the same. */
	line[strcspn(line, "#")] = '\0';
	r->n_words = 0;
	memset(r->words, 0, sizeof(r->words));
	for (word = strtok_r(line, " \t\r", &save); word;
	     word = strtok_r(NULL, " \t\r", &save)) {
		if (r->n_words == WORDS_MAX)
			return wrong(r, "too many words");
		r->words[r->n_words++] = word;
	}
	return !r->n_words || read_words(r);
}

struct spi_ref {
	const struct state_session *session;
	const struct state_spi *spi;	/* NULL for the session as such */
};

static int compare_address(const struct raw_address *a, const struct raw_address *b)
{
	return a->length != b->length ? (int)a->length - (int)b->length :
	       memcmp(a->bytes, b->bytes, a->length);
}

static int compare_number(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* The key that packets of the gateway have, then where it is written. */
static int compare_spi(const struct spi_ref *a, const struct spi_ref *b)
{
	int c = compare_address(&a->session->peer, &b->session->peer);

	c = c ? c : compare_address(&a->session->local, &b->session->local);
	c = c ? c : compare_number(a->session->zone_reply.value, b->session->zone_reply.value);
	return c ? c : compare_number(a->spi->spi, b->spi->spi);
}

static int compare_session(const struct spi_ref *a, const struct spi_ref *b)
{
	int c = compare_address(&a->session->client, &b->session->client);

	c = c ? c : compare_address(&a->session->peer, &b->session->peer);
	c = c ? c : compare_address(&a->session->dest, &b->session->dest);
	return c ? c : compare_number(a->session->zone.value, b->session->zone.value);
}

static int compare_refs(const void *pa, const void *pb)
{
	const struct spi_ref *a = pa, *b = pb;
	int c = !!a->spi - !!b->spi;

	if (!c)
		c = a->spi ? compare_spi(a, b) : compare_session(a, b);
	return c ? c : compare_number(a->session->line, b->session->line);
}

/* A reference for each session and each inbound SPI. */
static struct spi_ref *list_refs(const struct state *s, size_t *n)
{
	struct spi_ref *refs;
	size_t i, j, room = 1;

	for (i = 0; i < s->n_sessions; i++)
		room += 1 + s->sessions[i].n_spis;
	refs = xrealloc(NULL, room * sizeof(*refs));
	for (i = 0, *n = 0; i < s->n_sessions; i++) {
		refs[(*n)++] = (struct spi_ref){ &s->sessions[i], NULL };
		for (j = 0; j < s->sessions[i].n_spis; j++)
			if (s->sessions[i].spis[j].in)
				refs[(*n)++] = (struct spi_ref){ &s->sessions[i],
								 &s->sessions[i].spis[j] };
	}
	return refs;
}

/* No session twice, and no SPI that would lead to two. */
static bool no_doubles(struct reader *r)
{
	struct spi_ref *refs, *a, *b;
	bool good = true;
	size_t n, i;

	refs = list_refs(r->state, &n);
	qsort(refs, n, sizeof(*refs), compare_refs);
	for (i = 1; i < n && good; i++) {
		a = &refs[i - 1];
		b = &refs[i];
		if (!a->spi != !b->spi ||
		    (a->spi ? compare_spi(a, b) : compare_session(a, b)))
			continue;
		r->line = b->spi ? b->spi->line : b->session->line;
		good = wrong(r, "the same as in line %zu",
			     a->spi ? a->spi->line : a->session->line);
	}
	free(refs);
	return good;
}

/* What save wrote has a time and a sum. By hand there is something beside the version. */
static bool is_whole(const struct reader *r)
{
	if (r->state->saved_line)
		return r->complete;
	return !r->versioned || r->state->n_changes;
}

/**
 * state_parse - Read a file.
 * @state: Filled in, for state_free() in any case.
 * @text: What is in the file, with a NUL after it; taken apart, and to stay as
 *        long as the state.
 * @length: Its bytes.
 *
 * Return: whether it can be understood, else state->line and ->error say why.
 */
bool state_parse(struct state *state, char *text, size_t length)
{
	char *whole = xrealloc(NULL, length + 1), *end;
	struct reader r = { .state = state, .text = whole };
	size_t line_length;
	bool good = true;

	if (!length)
		good = wrong(&r, "the file is empty");
	/* the lines are taken apart, their sum is that of what they were */
	memcpy(whole, text, length);
	while (good && r.begin < length) {
		r.line++;
		end = memchr(text + r.begin, '\n', length - r.begin);
		line_length = end ? (size_t)(end - text) - r.begin : length - r.begin;
		text[r.begin + line_length] = '\0';
		r.unended = !end;
		good = read_line(&r, text + r.begin, line_length);
		r.begin += line_length + 1;
	}
	if (good && !is_whole(&r)) {
		r.line++;
		good = wrong(&r, "the end is missing, the file was cut short");
	}
	good = good && no_doubles(&r);
	free(whole);
	return good;
}

/**
 * state_free - Free what state_parse() allocated.
 * @state: The state.
 */
void state_free(struct state *state)
{
	size_t i;

	for (i = 0; i < state->n_sessions; i++)
		free(state->sessions[i].spis);
	free(state->sessions);
	free(state->locals);
	free(state->changes);
}
