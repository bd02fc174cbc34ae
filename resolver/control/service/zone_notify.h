/* Sends NOTIFY to secondaries (RFC 1996) when zone_notice says so: the sockets and the timer, on
 * the control thread's loop. The table that is served is asked for each time: it may be gone by the
 * next round of the loop. */
#ifndef SLUICE_ZONE_NOTIFY_H
#define SLUICE_ZONE_NOTIFY_H

#include <jansson.h>
#include <uv.h>

#include "resolver/transfer/table.h"

struct zone_notify;

/* `table` gives what is served now, NULL where no zone goes out. NULL without memory. */
struct zone_notify *zone_notify_new(uv_loop_t *loop,
				    const struct transfer_table *(*table)(void *context),
				    void *context);
/* Call it for every table that is served. NULL is fine. */
void zone_notify_look(struct zone_notify *notify);
/* As zone_notices_report. NULL is fine. */
void zone_notify_report(const struct zone_notify *notify, json_t *array);
/* When the loop has closed its handles. NULL is fine. */
void zone_notify_free(struct zone_notify *notify);

#endif
