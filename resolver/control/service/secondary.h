/* The secondaries of zones that go out: servers that are told of each change (zone_notice.h), and
 * then asked whether they have it (replica.h). A secondary is one zone at one peer, from one
 * source; an entry of `transfers` names it in `notify`.
 *
 * A change costs what has changed: a zone has its secondaries, and those with something to send are
 * in a wheel of their times. Only a new configuration has all of them looked at. At most
 * SECONDARY_AT_ONCE messages go out in one go, and SECONDARY_LINES lines into the log within
 * SECONDARY_PACE_MS; how many more there were is said at its end.
 *
 * Time is a parameter; no sockets here (secondary_sockets.h). All on one thread. */
#ifndef SLUICE_SECONDARY_H
#define SLUICE_SECONDARY_H

#include <jansson.h>

#include "resolver/control/service/exchange.h"
#include "resolver/transfer/table.h"

enum {
	SECONDARY_AT_ONCE = 64,
	SECONDARY_AGAIN_MS = 10, /* between two such */
	SECONDARY_LINES = 8,
	SECONDARY_PACE_MS = 10000,
};

struct secondaries;

struct secondaries *secondaries_new(uint64_t now_ms);   /* NULL without memory */
void secondaries_free(struct secondaries *secondaries); /* NULL is fine */

/* The table is what is served from now on (NULL: no zone goes out). Call it for every table that is
 * served: where one was left out, all of the next is looked at. */
void secondaries_follow(struct secondaries *secondaries, const struct transfer_table *table,
			struct instant now);
/* When secondaries_send is to be called; UINT64_MAX: nothing waits. */
uint64_t secondaries_next_ms(const struct secondaries *secondaries);
/* Sends what is due. The table is what is served now; it may be one that is not followed yet. */
void secondaries_send(struct secondaries *secondaries, const struct transfer_table *table,
		      struct instant now,
		      void (*send)(void *context, const struct exchange_message *message),
		      void *context);
/* Whether this message from that peer answers anything. Table as above: no secondary can have a
 * serial that is not in it. */
bool secondaries_receive(struct secondaries *secondaries, const struct transfer_table *table,
			 const struct host *from, const uint8_t *packet, size_t length,
			 struct instant now);
/* For each: zone, peer, and what notice_put and replica_put say. Adds to `array`. */
void secondaries_report(const struct secondaries *secondaries, json_t *array);

#endif
