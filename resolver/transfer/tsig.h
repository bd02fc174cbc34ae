/* TSIG (RFC 8945): messages signed with a secret that both sides have. A context is what one side
 * keeps of an exchange; each message's MAC goes into the next one's, so that none can be taken out
 * of a zone transfer, or put into it.
 *
 *     request ── tsig_check ──► context ── tsig_sign ──► answer, and on, for each message of it
 *     tsig_begin ──► context ── tsig_sign ──► request of our own ... tsig_check_answer
 *
 * The time is a parameter, in seconds of the time of day. Thread-safe: keys are read only. */
#ifndef SLUICE_TSIG_H
#define SLUICE_TSIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/name.h"
#include "rules/schema/model.h"
#include "rules/schema/tsig_secret.h"

enum {
	TSIG_MAC_MAX = 64, /* of HMAC-SHA512 */
	TSIG_FUDGE_S = 300,
	/* What signing adds to a message at most. */
	TSIG_ROOM_MAX = 2 * NAME_WIRE_MAX + 10 + 16 + TSIG_MAC_MAX + 6,
};

/* RFC 8945 section 3; what an answer's TSIG says, FORMERR apart, which is answered without one. */
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
	const struct tsig_key *key; /* NULL: it is not known, what is signed says so */
	enum tsig_error error;
	uint16_t original_id;
	bool chained; /* a message of this exchange has been signed: the next says only when */
	uint8_t mac[TSIG_MAC_MAX]; /* of the message before */
	size_t mac_length;
	uint64_t signed_s; /* the request's time */
	/* What came with a key that is not known: an answer names it. */
	uint8_t foreign[2 * NAME_WIRE_MAX];
	size_t foreign_name, foreign_algorithm; /* bytes of each */
};

/* A key by what the configuration says; false when it has no name or no secret. */
bool tsig_key_init(struct tsig_key *key, const struct tsig_settings *settings);
const struct tsig_key *tsig_key_find(const struct tsig_key *keys, size_t count,
				     const uint8_t *name);

/* Checks a request whose TSIG stands at tsig_at, the last record. The context is what the answer is
 * signed with, good or bad: where it was BADKEY or BADSIG that is a TSIG without a MAC (RFC 8945
 * section 5.3.2). */
enum tsig_error tsig_check(struct tsig_context *context, const struct tsig_key *keys, size_t count,
			   const uint8_t *packet, size_t length, size_t tsig_at, uint64_t now_s);

/* For a request of our own. */
void tsig_begin(struct tsig_context *context, const struct tsig_key *key, uint16_t id);
/* Checks the answer to a request that was signed with this context. */
enum tsig_error tsig_check_answer(struct tsig_context *context, const uint8_t *packet,
				  size_t length, size_t tsig_at, uint64_t now_s);

/* What tsig_sign will add. */
size_t tsig_room(const struct tsig_context *context);
/* Puts a TSIG behind the message and counts it. Returns its length; the buffer must have room. */
size_t tsig_sign(struct tsig_context *context, uint8_t *message, size_t length, size_t capacity,
		 uint64_t now_s);

#endif
