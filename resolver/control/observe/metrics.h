/* All counters as text for Prometheus and compatible readers: GET /metrics. sluice-api(7) has the
 * list of names; resolver/stats.h says where each is counted.
 *
 * This file counts nothing; it chooses the names with series of their own: rules, targets and zones
 * up to a bound (resolver/series.h). No series falls or disappears while the server runs; a restart
 * or an upgrade begins anew, which readers notice by process_start_time_seconds. */
#ifndef SLUICE_METRICS_H
#define SLUICE_METRICS_H

#include <stddef.h>

#include "resolver/control/observe/metrics_text.h"
#include "resolver/control/observe/tally.h"

struct metrics;

/* NULL: out of memory. The tally outlives the metrics. */
struct metrics *metrics_new(struct service *service, struct tally *tally);
void metrics_free(struct metrics *metrics); /* NULL is fine */
/* The whole text, of `length` bytes, to be freed. NULL: out of memory. */
char *metrics_write(struct metrics *metrics, enum metrics_format format, size_t *length);

/* For tests: the first row of stats.h's table without a metric; NULL: each has one. */
const char *metrics_missing_row(void);

#endif
