/* All that is counted, for Prometheus and whoever reads its formats: GET /metrics. sluice-api(7)
 * has the list of names; what is counted where is resolver/stats.h.
 *
 * Nothing is counted here; it is decided here which names have series of their own: rules,
 * targets and zones up to a bound (resolver/series.h). No series falls or disappears while the
 * server runs; a restart or an upgrade begins anew, which readers know from
 * process_start_time_seconds. */
#ifndef SLUICE_METRICS_H
#define SLUICE_METRICS_H

#include <stddef.h>

#include "resolver/control/observe/metrics_text.h"
#include "resolver/control/observe/tally.h"

struct metrics;

/* NULL without memory. The tally outlives it. */
struct metrics *metrics_new(struct service *service, struct tally *tally);
void metrics_free(struct metrics *metrics); /* NULL is fine */
/* The whole text, of `length` bytes, to be freed. NULL without memory. */
char *metrics_write(struct metrics *metrics, enum metrics_format format, size_t *length);

/* For tests: the row of stats.h's table that has no metric; NULL: each has one. */
const char *metrics_missing_row(void);

#endif
