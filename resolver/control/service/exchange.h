/* A message about a zone to one of its secondaries, and the answer: a NOTIFY (RFC 1996), or a
 * question for the zone's SOA. For each zone and secondary, at most one of each is under way; the
 * next one replaces it.
 *
 * An answer is recognized by its source and its question, which the caller compares, by its id, and
 * by its TSIG if the message was signed. Time is a parameter; there are no sockets here. */
#ifndef SLUICE_EXCHANGE_H
#define SLUICE_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoints/message.h"
#include "resolver/transfer/tsig.h"
#include "rules/prefix.h"

enum { EXCHANGE_MAX = 2048 }; /* bytes of a message */

/* A moment on two clocks: `ms` is monotonic, for waits; `s` is the time of day, for TSIG and for
 * times that people read. */
struct instant {
	uint64_t ms, s;
};

struct exchange_message {      /* with its destination */
	struct address source; /* family 0: the system's choice */
	struct host peer;
	size_t length;
	uint8_t bytes[EXCHANGE_MAX];
};

struct exchange { /* all zero: not under way */
	bool open;
	uint16_t id;
	const struct tsig_key *key; /* the key that signed the message; NULL: unsigned */
	size_t mac_length;
	uint8_t mac[TSIG_MAC_MAX]; /* the signature, which the answer's signature includes */
};

/* Writes the message, signed if there is a key; the caller sets source and peer. The key must
 * outlive the exchange, or be replaced by exchange_follow_key. */
void exchange_notify(struct exchange *exchange, const struct name *zone, const struct rrset *soa,
		     const struct tsig_key *key, uint64_t now_s, struct exchange_message *out);
void exchange_ask(struct exchange *exchange, const struct name *zone, const struct tsig_key *key,
		  uint64_t now_s, struct exchange_message *out);
void exchange_close(struct exchange *exchange); /* ignores answers from now on */
/* Call this with the new configuration's key before the old configuration's key is freed. A signed
 * exchange goes on if both keys are equal, and is closed otherwise; NULL: there is no key now. */
void exchange_follow_key(struct exchange *exchange, const struct tsig_key *key);

struct exchange_answer { /* a message that may be an answer */
	const uint8_t *packet;
	size_t length;
	unsigned flags;     /* of its header */
	struct name zone;   /* from the question */
	size_t question_at; /* of the question's type and class; may be beyond the packet */
};
/* False: it is no answer, or names no zone. */
bool exchange_read(struct exchange_answer *answer, const uint8_t *packet, size_t length);

enum exchange_result {
	EXCHANGE_FOREIGN,  /* the message answers something else */
	EXCHANGE_UNSIGNED, /* the id fits, the signature does not: the exchange stays open */
	EXCHANGE_ANSWERED, /* the exchange is closed */
};
/* The caller must have compared source, opcode and zone, and for a question its type. */
enum exchange_result exchange_receive(struct exchange *exchange,
				      const struct exchange_answer *answer, uint64_t now_s);

#endif
