/* How zones fare that go out, for the report of status.h:
 *
 *     transfers   zone, serial, past (serials that IXFR can begin from), axfr, ixfr, current (asked
 *                 by who had it already), refused, broken (off before the end)
 *     notices     as zone_notify.h has them */
#ifndef SLUICE_STATUS_ZONES_H
#define SLUICE_STATUS_ZONES_H

#include <jansson.h>

#include "resolver/control/service/zone_notify.h"
#include "resolver/server/server.h"

/* Adds both to the report. */
void status_add_zones(json_t *report, const struct server *server,
		      const struct zone_notify *notify);

#endif
