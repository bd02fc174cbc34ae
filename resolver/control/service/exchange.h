/* A message about a zone to one of its secondaries, and the one that answers it: a NOTIFY
 * (RFC 1996), or a question for the zone's SOA. One of each is under way to a secondary at a time;
 * the next one ends it.
 *
 * An answer is known by its source, which the caller compares, its id, the question, and its TSIG
 * where the message was signed. Time is a parameter; no sockets here. */
#ifndef SLUICE_EXCHANGE_H
#define SLUICE_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoints/message.h"
#include "resolver/transfer/tsig.h"
#include "rules/prefix.h"

enum { EXCHANGE_MAX = 2048 }; /* bytes of a message */

/* A moment, by two clocks: ms of any that goes forward, s of the time of day. */
struct instant {
	uint64_t ms, s;
};

struct exchange_message {      /* and where it goes */
	struct address source; /* family 0: the system's choice */
	struct host peer;
	size_t length;
	uint8_t bytes[EXCHANGE_MAX];
};

struct exchange { /* all zero: none is under way */
	bool open;
	uint16_t id;
	const struct tsig_key *key; /* that the message was signed with; NULL: it was not */
	size_t mac_length;
	uint8_t mac[TSIG_MAC_MAX]; /* its signature, which is part of the answer's */
};

/* Writes the message, signed where there is a key; source and peer are the caller's. The key must
 * outlive the exchange, or the caller drops it. */
void exchange_notify(struct exchange *exchange, const struct name *zone, const struct rrset *soa,
		     const struct tsig_key *key, uint64_t now_s, struct exchange_message *out);
void exchange_ask(struct exchange *exchange, const struct name *zone, const struct tsig_key *key,
		  uint64_t now_s, struct exchange_message *out);
void exchange_close(struct exchange *exchange);    /* what answers it counts no longer */
void exchange_drop_key(struct exchange *exchange); /* the same where it was signed */

struct exchange_answer { /* a message that answers something */
	const uint8_t *packet;
	size_t length;
	unsigned flags;     /* of its header */
	struct name zone;   /* its question's */
	size_t question_at; /* its type and class, perhaps beyond the packet */
};
/* False: it is not one, or names no zone. */
bool exchange_read(struct exchange_answer *answer, const uint8_t *packet, size_t length);

enum exchange_result {
	EXCHANGE_FOREIGN,  /* it answers something else */
	EXCHANGE_UNSIGNED, /* it would be the answer, but it is not signed well: it ends nothing */
	EXCHANGE_ANSWERED, /* and is over */
};
/* The caller has compared source, opcode and zone. */
enum exchange_result exchange_receive(struct exchange *exchange,
				      const struct exchange_answer *answer, uint64_t now_s);

#endif
