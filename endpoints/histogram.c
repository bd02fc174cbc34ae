/* A reader may see a new duration in its bucket but not yet in the sum, or the other way round.
 * Neither value ever falls. */
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

bool histogram_quantile_us(const uint64_t buckets[HISTOGRAM_BOUNDS + 1], double share, uint64_t *us)
{
	uint64_t all = 0;
	double rank, from, to;
	unsigned i = 0;

	for (unsigned k = 0; k <= HISTOGRAM_BOUNDS; k++)
		all += buckets[k];
	if (all == 0)
		return false;
	for (rank = share * (double)all; i < HISTOGRAM_BOUNDS && rank > (double)buckets[i]; i++)
		rank -= (double)buckets[i];
	from = i > 0 ? histogram_bounds_us[i - 1] : 0;
	to = i < HISTOGRAM_BOUNDS ? histogram_bounds_us[i] : from; /* above all bounds: the last */
	*us = (uint64_t)(from + (buckets[i] ? (to - from) * rank / (double)buckets[i] : 0));
	return true;
}
