/* Which secondaries get a NOTIFY of what, and when (RFC 1996). A notice is one zone at one peer,
 * from one source: it is sent when the zone's serial is not the one that the peer was notified of
 * last, and again until the peer answers.
 *
 *     zone_notices_follow ──50 ms──► due ─► sent ─► answered
 *                                     ▲       │
 *              1, 2, 4, 8, 16 s ──────┴───────┘ sent five times, then given up until the next one
 *
 * Many changes in a row are one notice, and a peer gets at most one a second for a zone. An answer
 * is known by its source, its id, the zone's name and, where the notice was signed, its TSIG;
 * whatever else arrives is ignored.
 *
 * A change costs what has changed: a zone has its notices, and those that wait for an answer are a
 * list of their own. Only a new configuration has all of them looked at.
 *
 * Time is a parameter, *_ms of any clock that goes forward and *_s of the day; no sockets here
 * (zone_notify.h). All on one thread. */
#ifndef SLUICE_ZONE_NOTICE_H
#define SLUICE_ZONE_NOTICE_H

#include <jansson.h>

#include "resolver/transfer/table.h"

enum {
	NOTICE_LOOK_MS = 50,    /* after a change */
	NOTICE_APART_MS = 1000, /* between two for one zone to one peer */
	NOTICE_FIRST_MS = 1000, /* for the first answer, doubled for each that follows */
	NOTICE_TRIES = 5,       /* RFC 1996 section 3.6 */
	NOTICE_AT_ONCE = 64,    /* sent in one go */
	NOTICE_AGAIN_MS = 10,   /* between two such */
	NOTICE_MAX = 2048,      /* bytes of a message */
};

struct zone_notices;

struct notify_message {        /* and where it goes */
	struct address source; /* family 0: the system's choice */
	struct host peer;
	size_t length;
	uint8_t bytes[NOTICE_MAX];
};

struct zone_notices *zone_notices_new(void);          /* NULL without memory */
void zone_notices_free(struct zone_notices *notices); /* NULL is fine */

/* The table is what is served from now on (NULL: no zone goes out). Call it for every table that is
 * served: where one was left out, all of the next is looked at. */
void zone_notices_follow(struct zone_notices *notices, const struct transfer_table *table,
			 uint64_t now_ms, uint64_t now_s);
/* Whether any is to be sent, or waits for its answer. */
bool zone_notices_wait(const struct zone_notices *notices);
/* Sends what is due, NOTICE_AT_ONCE at most, and gives up what was sent NOTICE_TRIES times. Returns
 * when to call it again; UINT64_MAX: nothing waits. The table is the one that was followed last. */
uint64_t zone_notices_send(struct zone_notices *notices, const struct transfer_table *table,
			   uint64_t now_ms, uint64_t now_s,
			   void (*send)(void *context, const struct notify_message *message),
			   void *context);
/* Whether this message from that peer answers a notice, which is over then. */
bool zone_notices_receive(struct zone_notices *notices, const struct host *from,
			  const uint8_t *packet, size_t length, uint64_t now_s);
/* For each notice: zone, peer, serial (the last one answered), state ("waiting", "answered",
 * "given up"), answer (its rcode), at. Adds to `array`. */
void zone_notices_report(const struct zone_notices *notices, json_t *array);

#endif
