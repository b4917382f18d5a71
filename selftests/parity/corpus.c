// SPDX-License-Identifier: GPL-2.0
/*
 * Packets of real implementations, from corpus/captures.txt:
 *   = NAME                        a capture begins
 *   > PROTO SPORT DPORT HEX       the client sends; HEX is what follows the IP header or,
 *                                 of UDP, the UDP header
 *   < ...                         the server sends
 *   c HEX, s HEX                  client or server write so much to a TCP connection
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "talk.h"

struct capture_packet {
	char who;
	uint8_t proto;
	uint16_t sport, dport, len;
	uint8_t data[MAX_DATA];
};

static struct capture {
	char name[48];
	unsigned int n;
	struct capture_packet packet[MAX_STEPS];
} captures[MAX_CORPUS];
static unsigned int n_captures;

static uint16_t unhex(const char *hex, uint8_t *out)
{
	unsigned int v, n = 0;

	while (n < MAX_DATA && sscanf(hex + 2 * n, "%2x", &v) == 1)
		out[n++] = v;
	return n;
}

static void corpus_line(const char *line)
{
	struct capture *c = &captures[n_captures - 1];
	struct capture_packet *p;
	unsigned int proto = IPPROTO_TCP, sport = 1025, dport = 1723;
	int at = 2;

	if (line[0] == '=' && n_captures < MAX_CORPUS) {
		snprintf(captures[n_captures++].name, sizeof(c->name), "%.47s", line + 2);
		return;
	}
	if (!n_captures || !strchr("<>cs", line[0]) || c->n == MAX_STEPS)
		return;
	if (strchr("<>", line[0]) &&
	    sscanf(line + 2, "%u %u %u %n", &proto, &sport, &dport, &at) == 3)
		at += 2;
	p = &c->packet[c->n++];
	p->who = line[0];
	p->proto = proto;
	p->sport = sport;
	p->dport = dport;
	p->len = unhex(line + at, p->data);
}

void corpus_read(const char *file)
{
	static char line[2 * MAX_DATA + 64];
	FILE *f = fopen(file, "r");

	if (!f) {
		perror(file);
		exit(2);
	}
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (line[0])
			corpus_line(line);
	}
	fclose(f);
}

static void say_packet(struct seq *s, const struct capture_packet *p)
{
	bool client = p->who == '>';
	struct step *step;

	if (client)
		talk_ports(p->proto, p->sport, p->dport);
	else
		talk_ports(p->proto, p->dport, p->sport);
	step = say_next(s, client);
	memcpy(step->data, p->data, p->len);
	step->len = p->len;
}

/* A TCP connection around what was written. */
static void say_stream(struct seq *s, const struct capture *c)
{
	uint32_t seq[2] = { rng_next(), rng_next() };
	const struct capture_packet *p;
	struct step *step;
	int i;

	talk_ports(IPPROTO_TCP, 1024 + rng_below(60000), 1723);
	for (i = 0; i < 3; i++) {
		step = say_next(s, i != 1);
		step->flags = i == 0 ? 0x02 : i == 1 ? 0x12 : 0x10;
		step->seq = seq[i == 1];
		step->ack = i ? seq[i != 1] : 0;
		seq[i == 1] += i < 2;
	}
	for (p = c->packet; p < c->packet + c->n; p++) {
		bool client = p->who == 'c';

		step = say_next(s, client);
		step->flags = 0x18;
		step->seq = seq[!client];
		step->ack = seq[client];
		memcpy(step->data, p->data, p->len);
		step->len = p->len;
		seq[!client] += p->len;
	}
}

/* corpus_talk - appends a capture to @s; false when there is none */
bool corpus_talk(struct seq *s, const char **name)
{
	const struct capture *c;
	unsigned int i;

	if (!n_captures)
		return false;
	c = &captures[rng_below(n_captures)];
	*name = c->name;
	if (c->n && strchr("cs", c->packet[0].who)) {
		say_stream(s, c);
		return true;
	}
	for (i = 0; i < c->n; i++)
		say_packet(s, &c->packet[i]);
	return true;
}
