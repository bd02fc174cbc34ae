/* A reader may see a duration's bucket without its part of the sum, or the other way round: it is
 * right a moment later, and neither ever falls. */
#include "endpoints/histogram.h"

const uint32_t histogram_bounds_us[HISTOGRAM_BOUNDS] = {
	10,    25,    50,    100,    250,    500,    1000,    2500,    5000,
	10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000};

void histogram_add(struct histogram *histogram, uint64_t us)
{
	COUNTER_ADD(histogram->buckets[histogram_bucket(us)], 1);
	COUNTER_ADD(histogram->sum_us, us);
}

void histogram_add_shared(struct histogram *histogram, uint64_t us)
{
	atomic_fetch_add_explicit(&histogram->buckets[histogram_bucket(us)], 1,
				  memory_order_relaxed);
	atomic_fetch_add_explicit(&histogram->sum_us, us, memory_order_relaxed);
}

void histogram_sum(struct histogram *sum, const struct histogram *from)
{
	for (unsigned i = 0; i <= HISTOGRAM_BOUNDS; i++)
		COUNTER_ADD(sum->buckets[i], COUNTER_GET(from->buckets[i]));
	COUNTER_ADD(sum->sum_us, COUNTER_GET(from->sum_us));
}
