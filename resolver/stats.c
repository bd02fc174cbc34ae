/* The counters' names, in the order in which they are shown, from the same map as the struct. */
#include "resolver/stats.h"

#include <assert.h>
#include <stddef.h>

#include "rules/base.h"

static const size_t offsets[] = {
#define X(name, text) offsetof(struct stats, name),
	STATS_MAP(X)
#undef X
};

const struct stats_row stats_rows[] = {
#define X(name, text) {#name, text},
	STATS_MAP(X)
#undef X
};
const unsigned stats_row_count = COUNT(stats_rows);

uint64_t stats_get(const struct stats *stats, unsigned i)
{
	assert(i < stats_row_count);
	const char *base = (const char *)stats;
	const _Atomic uint64_t *counter =
		(const _Atomic uint64_t *)(const void *)(base + offsets[i]);
	return atomic_load_explicit(counter, memory_order_relaxed);
}
