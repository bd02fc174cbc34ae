/* TSIG (RFC 8945): messages signed with a shared secret. A context is one side's state of an
 * exchange. Each MAC covers the one before, so nobody can remove a message from a zone transfer, or
 * insert one.
 *
 *     request ── tsig_check ──► context ── tsig_sign ──► each message of the answer
 *     tsig_begin ──► context ── tsig_sign ──► request of our own ... tsig_check_answer
 *
 * The time is a parameter, in seconds since 1970. Thread-safe: keys are only read. */
#ifndef SLUICE_TSIG_H
#define SLUICE_TSIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/name.h"
#include "rules/schema/model.h"
#include "rules/schema/tsig_secret.h"

enum {
	TSIG_MAC_MAX = 64,  /* of HMAC-SHA512 */
	TSIG_FUDGE_S = 300, /* our own, and the largest accepted */
	/* The most bytes that signing adds to a message. */
	TSIG_ROOM_MAX = 2 * NAME_WIRE_MAX + 10 + 16 + TSIG_MAC_MAX + 6,
};

/* The error in an answer's TSIG (RFC 8945 section 3). The answer to FORMERR has no TSIG. */
enum tsig_error {
	TSIG_FINE = 0,
	TSIG_FORMERR = 1,
	TSIG_BADSIG = 16,
	TSIG_BADKEY = 17,
	TSIG_BADTIME = 18,
	TSIG_BADTRUNC = 22,
};

struct tsig_key {
	uint8_t name[NAME_WIRE_MAX]; /* lower case */
	size_t name_length;
	enum tsig_algorithm algorithm;
	uint8_t secret[TSIG_SECRET_MAX];
	size_t secret_length;
};

struct tsig_context {
	const struct tsig_key *key; /* NULL: unknown, which the answer's TSIG reports */
	enum tsig_error error;
	uint16_t original_id;
	bool chained; /* a message was signed: later ones hash only the times of their TSIG */
	uint8_t mac[TSIG_MAC_MAX]; /* of the last message */
	size_t mac_length;
	uint64_t signed_s; /* the request's time */
	/* An unknown key's name and algorithm, which the answer repeats. */
	uint8_t foreign[2 * NAME_WIRE_MAX];
	size_t foreign_name, foreign_algorithm; /* bytes of each */
};

/* Makes a key from the configuration; false: it has no name or no secret. */
bool tsig_key_init(struct tsig_key *key, const struct tsig_settings *settings);
bool tsig_key_equal(const struct tsig_key *a, const struct tsig_key *b);
/* Compares names in lower case, in the order that tsig_key_find needs. */
int tsig_name_compare(const uint8_t *name, size_t length, const uint8_t *other,
		      size_t other_length);
/* keys: sorted by name, so that requests with made-up names of keys cost little. */
const struct tsig_key *tsig_key_find(const struct tsig_key *keys, size_t count,
				     const uint8_t *name);

/* Checks a request whose TSIG, the last record, is at tsig_at. Sign the answer with the context
 * after any result except FORMERR; after BADKEY or BADSIG its TSIG has no MAC (RFC 8945 section
 * 5.3.2). */
enum tsig_error tsig_check(struct tsig_context *context, const struct tsig_key *keys, size_t count,
			   const uint8_t *packet, size_t length, size_t tsig_at, uint64_t now_s);

/* Begins a context for our own request. */
void tsig_begin(struct tsig_context *context, const struct tsig_key *key, uint16_t id);
/* Checks the answer to a request that this context signed. */
enum tsig_error tsig_check_answer(struct tsig_context *context, const uint8_t *packet,
				  size_t length, size_t tsig_at, uint64_t now_s);

/* How many bytes tsig_sign adds if they fit. */
size_t tsig_room(const struct tsig_context *context);
/* Appends a TSIG and counts it in the header. Returns the message's length, which is at most
 * `capacity`: a TSIG that does not fit is left out. That happens by UDP, if the names of a key and
 * its algorithm are long. The answer then has TC, because it was made for a limit that leaves room
 * for the TSIG (tsig_room), and the client comes again by TCP. */
size_t tsig_sign(struct tsig_context *context, uint8_t *message, size_t length, size_t capacity,
		 uint64_t now_s);

#endif
