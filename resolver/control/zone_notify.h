/* Tells secondaries of changes (RFC 1996). A notice is one zone at one peer: it is sent when the
 * zone's serial is another than the peer was told of last, and again until the peer answers.
 *
 *     zone_notify_look ──50 ms──► notices made, changed, dropped ─► due ─► sent ─► answered
 *                                                                    ▲       │
 *                                             1, 2, 4, 8, 16 s ──────┴───────┘ five times, then
 *                                                                    given up until the next change
 *
 * So many changes in a row are one notice, and of one zone at one peer there is at most one a
 * second. An answer is known by where it is from, its id, the zone's name and, where the notice was
 * signed, its TSIG. All on the control thread's loop. */
#ifndef SLUICE_ZONE_NOTIFY_H
#define SLUICE_ZONE_NOTIFY_H

#include <jansson.h>
#include <uv.h>

#include "resolver/transfer_table.h"

struct zone_notify;

/* `table` gives what is served now, NULL where no zone goes out. NULL without memory. */
struct zone_notify *zone_notify_new(uv_loop_t *loop,
				    const struct transfer_table *(*table)(void *context),
				    void *context);
/* What is served may be another. NULL is fine. */
void zone_notify_look(struct zone_notify *notify);
/* For each notice: zone, peer, serial (that it was told of last), state ("waiting", "answered",
 * "given up"), answer (its rcode), at. Adds to `array`. */
void zone_notify_report(const struct zone_notify *notify, json_t *array);
/* When the loop has closed its handles. NULL is fine. */
void zone_notify_free(struct zone_notify *notify);

#endif
