/* How long things took: how many up to each bound, and all of it together. The bounds are the same
 * for all, so that histograms can be added up. */
#ifndef SLUICE_HISTOGRAM_H
#define SLUICE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "endpoints/counter.h"

enum { HISTOGRAM_BOUNDS = 18 };

extern const uint32_t histogram_bounds_us[HISTOGRAM_BOUNDS]; /* ascending */

struct histogram {
	_Atomic uint64_t buckets[HISTOGRAM_BOUNDS + 1]; /* up to the bound; the last: above all */
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

/* Below which so large a share (0 to 1) of the durations is: between two bounds in proportion, as
 * Prometheus' histogram_quantile has it. False: there are none. */
bool histogram_quantile_us(const uint64_t buckets[HISTOGRAM_BOUNDS + 1], double share,
			   uint64_t *us);

/* By its one owner. */
void histogram_add(struct histogram *histogram, uint64_t us);
/* By any thread. */
void histogram_add_shared(struct histogram *histogram, uint64_t us);
/* Adds what `from` has by now. */
void histogram_sum(struct histogram *sum, const struct histogram *from);

#endif
