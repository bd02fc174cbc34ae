/* How long things took: a count for each range of durations, and their sum. All histograms have the
 * same bounds, so that they can be added up. */
#ifndef SLUICE_HISTOGRAM_H
#define SLUICE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "endpoints/counter.h"

enum { HISTOGRAM_BOUNDS = 18 };

extern const uint32_t histogram_bounds_us[HISTOGRAM_BOUNDS]; /* ascending */

struct histogram {
	_Atomic uint64_t buckets[HISTOGRAM_BOUNDS + 1]; /* up to each bound; the last: above all */
	_Atomic uint64_t sum_us;
};

/* The bucket of a duration. */
static inline unsigned histogram_bucket(uint64_t us)
{
	unsigned i = 0;

	while (i < HISTOGRAM_BOUNDS && us > histogram_bounds_us[i])
		i++;
	return i;
}

/* The duration that this share (0 to 1) of all durations does not exceed, interpolated between two
 * bounds as by Prometheus' histogram_quantile. False: the histogram is empty. */
bool histogram_quantile_us(const uint64_t buckets[HISTOGRAM_BOUNDS + 1], double share,
			   uint64_t *us);

/* For histograms that only one thread adds to. */
void histogram_add(struct histogram *histogram, uint64_t us);
/* For histograms that any thread adds to. */
void histogram_add_shared(struct histogram *histogram, uint64_t us);
/* Adds `from` to `sum`. */
void histogram_sum(struct histogram *sum, const struct histogram *from);

#endif
