/* All counters as text for Prometheus and compatible readers: GET /metrics. sluice-api(7) has the
 * list of names; resolver/stats.h says where each is counted.
 *
 * This file counts nothing; it chooses the names with series of their own: rules, targets and zones
 * up to a bound (resolver/series.h). No counter falls or disappears while the server runs; a
 * restart or an upgrade begins anew, which readers notice by process_start_time_seconds.
 *
 * The control thread makes the texts, and has other work, so they may take a tenth of its time.
 * When that is used up, readers get the latest text again, for at most ten times as long as it took
 * to make. */
#ifndef SLUICE_METRICS_H
#define SLUICE_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver/control/observe/metrics_text.h"
#include "resolver/control/observe/tally.h"

struct metrics;

/* NULL: out of memory. The tally outlives the metrics. */
struct metrics *metrics_new(struct service *service, struct tally *tally);
void metrics_free(struct metrics *metrics); /* NULL is fine */
/* The whole text, of `length` bytes, to be freed. NULL: out of memory. */
char *metrics_answer(struct metrics *metrics, enum metrics_format format, uint64_t now_us,
		     size_t *length);

/* The CPU time left for texts: it grows by 1/METRICS_SHARE of the time that passes, up to
 * METRICS_BURST_US. */
enum { METRICS_SHARE = 10, METRICS_BURST_US = 500 * 1000 };
struct metrics_pace { /* all zero at first */
	int64_t left_us;
	uint64_t at_us;
};
/* Whether there is time for another text. */
bool metrics_pace_may(struct metrics_pace *pace, uint64_t now_us);
void metrics_pace_spend(struct metrics_pace *pace, uint64_t cpu_us);

/* For tests: the first row of stats.h's table without a metric; NULL: each has one. */
const char *metrics_missing_row(void);

#endif
