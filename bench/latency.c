/* The bucket of a value: below 128 ns each value has its own; from there on, the seven bits below
 * the highest set bit choose one of the 128 steps of that power of two.
 *
 *     value   1 b b b b b b b r r r r     shift = bits of r
 *     bucket  (shift + 1) << 7 | bbbbbbb */
#include "bench/latency.h"

static unsigned bucket_of(uint64_t ns)
{
	if (ns >> LATENCY_TOP_BIT)
		return LATENCY_BUCKETS - 1;
	if (ns < 1u << LATENCY_STEP_BITS)
		return (unsigned)ns;
	unsigned shift = 63u - (unsigned)__builtin_clzll(ns) - LATENCY_STEP_BITS;
	return (shift + 1) << LATENCY_STEP_BITS |
	       (unsigned)(ns >> shift & ((1u << LATENCY_STEP_BITS) - 1));
}

/* The greatest value in the bucket, or one more. */
static uint64_t bucket_top(unsigned bucket)
{
	unsigned row = bucket >> LATENCY_STEP_BITS, step = bucket & ((1u << LATENCY_STEP_BITS) - 1);
	if (!row)
		return step;
	return (((uint64_t)1 << LATENCY_STEP_BITS | step) + 1) << (row - 1);
}

void latency_add(struct latency *latency, uint64_t ns)
{
	latency->buckets[bucket_of(ns)]++;
	latency->count++;
	if (ns > latency->max_ns)
		latency->max_ns = ns;
}

uint64_t latency_percentile_ns(const struct latency *latency, double share)
{
	uint64_t want = (uint64_t)(share * (double)latency->count), seen = 0;
	for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
		seen += latency->buckets[i];
		if (seen > want)
			return bucket_top(i) < latency->max_ns ? bucket_top(i) : latency->max_ns;
	}
	return latency->max_ns;
}

void latency_print(const struct latency *latency, FILE *out)
{
	static const struct {
		const char *name;
		double share;
	} rows[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}};
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		fprintf(out, "\"%s\":%.2f,", rows[i].name,
			(double)latency_percentile_ns(latency, rows[i].share) / 1e3);
	fprintf(out, "\"max\":%.2f", (double)latency->max_ns / 1e3);
}
