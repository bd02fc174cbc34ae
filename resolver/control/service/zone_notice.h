/* Which secondary is to be told of what, and when (RFC 1996). A notice is one zone at one peer,
 * from one source: it is sent when the zone's serial is another than the peer was told of last, and
 * again until the peer answers.
 *
 *     zone_notices_follow ──50 ms──► due ─► sent ─► answered
 *                                     ▲       │
 *              1, 2, 4, 8, 16 s ──────┴───────┘ sent five times, then given up until the next one
 *
 * So many changes in a row are one notice, and of one zone at one peer there is at most one a
 * second. An answer is known by where it is from, its id, the zone's name and, where the notice was
 * signed, its TSIG; whatever else arrives is passed over.
 *
 * A change costs what has changed: a zone has its notices at hand, and those that wait for an
 * answer are a list of their own. Only another configuration has all of them looked at.
 *
 * Time is a parameter, *_ms of any clock that goes forward and *_s of the day; no sockets here
 * (zone_notify.h). All on one thread. */
#ifndef SLUICE_ZONE_NOTICE_H
#define SLUICE_ZONE_NOTICE_H

#include <jansson.h>

#include "resolver/transfer/table.h"

enum {
	NOTICE_LOOK_MS = 50,    /* after a change */
	NOTICE_APART_MS = 1000, /* between two of one zone to one peer */
	NOTICE_FIRST_MS = 1000, /* for the first answer, doubled for each that follows */
	NOTICE_TRIES = 5,       /* RFC 1996 section 3.6 */
	NOTICE_AT_ONCE = 64,    /* sent in one go */
	NOTICE_AGAIN_MS = 10,   /* between two such */
	NOTICE_MAX = 2048,      /* bytes of a message */
};

struct zone_notices;

struct notice_letter {         /* a message, and where it goes */
	struct address source; /* family 0: the system's choice */
	struct host peer;
	size_t length;
	uint8_t bytes[NOTICE_MAX];
};

struct zone_notices *zone_notices_new(void);          /* NULL without memory */
void zone_notices_free(struct zone_notices *notices); /* NULL is fine */

/* The table is what is served from now on (NULL: no zone goes out). To be called for every table
 * that is served, or all is looked at anew. */
void zone_notices_follow(struct zone_notices *notices, const struct transfer_table *table,
			 uint64_t now_ms, uint64_t now_s);
/* Whether any is to be sent, or to be answered. */
bool zone_notices_wait(const struct zone_notices *notices);
/* Sends what is due, NOTICE_AT_ONCE at most, and gives up what was sent often enough. Returns when
 * to come again; UINT64_MAX: nothing waits. The table is that which was followed last. */
uint64_t zone_notices_send(struct zone_notices *notices, const struct transfer_table *table,
			   uint64_t now_ms, uint64_t now_s,
			   void (*send)(void *context, const struct notice_letter *letter),
			   void *context);
/* Whether this message from that peer is the answer to a notice, which is over then. */
bool zone_notices_receive(struct zone_notices *notices, const struct host *from,
			  const uint8_t *packet, size_t length, uint64_t now_s);
/* For each notice: zone, peer, serial (that it was told of last), state ("waiting", "answered",
 * "given up"), answer (its rcode), at. Adds to `array`. */
void zone_notices_report(const struct zone_notices *notices, json_t *array);

#endif
