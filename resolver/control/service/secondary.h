/* The secondaries of zones that we publish: servers that are notified of each change
 * (zone_notice.h), and then asked whether they have it (replica.h). A secondary is one zone at one
 * peer, from one source address; an entry of `transfers` names it in `notify`.
 *
 * The cost depends on what has changed: a zone lists its secondaries, and those with something to
 * send are in a timer wheel. Only a new configuration visits all of them. At once, at most
 * SECONDARY_AT_ONCE messages and one more are sent. In SECONDARY_PACE_MS at most SECONDARY_LINES
 * lines are logged; after that time the number of omitted lines is logged.
 *
 * Time is a parameter; sockets are in secondary_sockets.h. For one thread. */
#ifndef SLUICE_SECONDARY_H
#define SLUICE_SECONDARY_H

#include <jansson.h>

#include "resolver/control/service/exchange.h"
#include "resolver/transfer/table.h"

enum {
	SECONDARY_AT_ONCE = 64,
	SECONDARY_AGAIN_MS = 10, /* between two bursts of SECONDARY_AT_ONCE messages */
	SECONDARY_LINES = 8,
	SECONDARY_PACE_MS = 10000,
};

struct secondaries;

struct secondaries *secondaries_new(uint64_t now_ms);   /* NULL without memory */
void secondaries_free(struct secondaries *secondaries); /* NULL is fine */

/* Notes that the table is served from now on (NULL: no zone is published). Must be called for every
 * served table: after a missed one, the next call visits all secondaries. */
void secondaries_follow(struct secondaries *secondaries, const struct transfer_table *table,
			struct instant now);
/* When to call secondaries_send; UINT64_MAX: nothing is waiting. */
uint64_t secondaries_next_ms(const struct secondaries *secondaries);
/* Sends the messages that are due. `table` is served now, and may not have been followed yet. */
void secondaries_send(struct secondaries *secondaries, const struct transfer_table *table,
		      struct instant now,
		      void (*send)(void *context, const struct exchange_message *message),
		      void *context);
/* Whether this message from that peer answers a question or notice. `table` must be served now,
 * because a secondary may already have any of its serials. */
bool secondaries_receive(struct secondaries *secondaries, const struct transfer_table *table,
			 const struct host *from, const uint8_t *packet, size_t length,
			 struct instant now);
/* Adds an object for each secondary: zone, peer, and the members of notice_put and replica_put. */
void secondaries_report(const struct secondaries *secondaries, json_t *array);

#endif
