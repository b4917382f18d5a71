/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Services that "doctor probe" asks for: what to send, and whether what comes
 * back is an answer. Pure but for random bytes, which the caller brings.
 */
#ifndef _VPNPASS_DOCTOR_PROBE_H
#define _VPNPASS_DOCTOR_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../../lib/bytes.h"
#include "../network.h"

#define PROBE_SIZE	2048
#define PROBE_RANDOM	64
#define PROBE_TEXT	120
#define SHA1_SIZE	20
#define SHA256_SIZE	32
#define DIGEST_MAX	SHA256_SIZE
#define COOKIE_MAX	64	/* RFC 7296 2.6 */

/**
 * struct endpoint - An address and a port.
 * @host: The address, of family 0 when it is not known.
 * @port: The port.
 */
struct endpoint {
	struct host host;
	uint16_t port;
};

/**
 * struct sight - What a responder of IKE says of the address that it sees us by.
 * @told: It says something.
 * @by: Where that is specified.
 * @spis: What its hash is of, besides that address.
 * @size: Of the hash, which says what hash it is.
 * @hash: The hash.
 * @honest: It hashed its own address as we know it. Where it did not, it is behind a
 *          NAT, or says so to have NAT-T used.
 */
struct sight {
	bool told, honest;
	const char *by;
	uint8_t spis[16];
	size_t size;
	uint8_t hash[DIGEST_MAX];
};

/**
 * struct main_mode - What a gateway took of IKEv1's offer.
 * @cookie: Its own.
 * @group: Of Diffie and Hellman, 0 as long as it took none.
 * @hash_size: Of the hash, which says what hash it is.
 */
struct main_mode {
	uint8_t cookie[8];
	uint16_t group;
	size_t hash_size;
};

enum nat {
	NAT_UNKNOWN,	/* the server said nothing */
	NAT_UNDECIDED,	/* another reason may be behind its answer */
	NAT_NONE,	/* the server sees the address and port that we sent from */
	NAT_PORT,	/* the address, but another port */
	NAT_ADDRESS,	/* another address */
};

/**
 * struct talk - What is said to one service, and has to be the same each time.
 * @random: What requests are made of.
 * @own: Where it is asked from.
 * @peer: Where it is asked.
 * @group: Of Diffie and Hellman that it wants (RFC 7296 1.3), 0 for the first of ours.
 * @cookie: That it wants to have back.
 * @cookie_length: 0 for none.
 * @least: Bytes that a question of IKEv2 has at least, 0 for as many as it takes.
 * @old: It is asked for IKEv1 alone.
 * @refusal: What it said to IKEv2 before, empty for nothing.
 * @main: How far IKEv1 is.
 * @again: It has just said that it wants to be asked so.
 * @sight: What it sees.
 */
struct talk {
	uint8_t random[PROBE_RANDOM];
	struct endpoint own, peer;
	uint16_t group;
	uint8_t cookie[COOKIE_MAX];
	size_t cookie_length, least;
	bool old;
	char refusal[PROBE_TEXT];
	struct main_mode main;
	bool again;
	struct sight sight;
};

/**
 * struct service - One service on one port.
 * @name: For the command line.
 * @l4proto: IPPROTO_UDP or IPPROTO_TCP.
 * @port: Where it listens.
 * @any_port: It may answer from another port.
 * @optional: Few hosts have it, and none has to.
 * @variants: How many requests there are; the first is tried alone at first.
 * @ask: Fills in a request, returns its length. It is the same for the same
 *       talk, as retransmissions have to be.
 * @understand: Whether data is an answer, and what it says. Of a stream all
 *              that came so far is given.
 * @end: Fills in what takes the request back after an answer; may be NULL.
 */
struct service {
	const char *name;
	uint8_t l4proto;
	uint16_t port;
	bool any_port, optional;
	int variants;
	size_t (*ask)(uint8_t to[PROBE_SIZE], const struct talk *talk, int variant);
	bool (*understand)(const uint8_t *data, size_t length, struct talk *talk,
			   char text[PROBE_TEXT]);
	size_t (*end)(uint8_t to[PROBE_SIZE], const struct talk *talk, const uint8_t *answer,
		      size_t length);
};

enum result {
	WAITING,
	ANSWERED,
	REFUSED,
	SILENT,
};

/**
 * struct asked - What came of asking for a service.
 * @service: The service.
 * @result: ANSWERED, REFUSED or SILENT.
 * @text: What was answered, or why not.
 * @refuser: Who sent the ICMP error, empty for a reset or when there was none.
 * @tries: How often it was asked.
 * @nat: What it says of the addresses that it sees.
 * @sent: What the packet left with.
 * @seen_port: That it sees, if @nat is NAT_PORT.
 * @by: Where it is specified that it says so; NULL if it does not.
 * @hidden: It does not hash its own address as we know it.
 * @large: What came of IKEv2 in a packet of LARGE_SIZE bytes; WAITING when it was not tried.
 * @fragments: Likewise, of FRAGMENTS_SIZE.
 */
struct asked {
	const struct service *service;
	enum result result;
	char text[PROBE_TEXT + 64];
	char refuser[48];
	int tries;
	enum nat nat;
	struct endpoint sent;
	uint16_t seen_port;
	const char *by;
	bool hidden;
	enum result large, fragments;
};

/* Of IKE, without IP and UDP: nearly all that a packet of PPPoE's takes, and more than any */
#define LARGE_SIZE	1400
#define FRAGMENTS_SIZE	1900

extern const struct service service_ike, service_natt, service_ike_tcp, service_pptp,
			    service_l2tp, service_openvpn;

/* sha.c */
void sha_digest(uint8_t *digest, size_t size, const uint8_t *data, size_t length);

/* nat.c */
void nat_hash(uint8_t *digest, size_t size, const uint8_t spis[16], const struct endpoint *e);
enum nat nat_judge(const struct sight *sight, const struct endpoint *sent, uint16_t *seen_port);

#endif /* _VPNPASS_DOCTOR_PROBE_H */
