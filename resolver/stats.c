/* The counters' names, in the order shown, from the same map as the struct; and the rows that are
 * summed from the endpoints. */
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

void stats_sum(struct stats *sum, const struct stats *stats)
{
#define X(name, text) STATS_ADD(sum, name, COUNTER_GET(stats->name));
	STATS_MAP(X)
#undef X
}

uint64_t endpoint_stats_rcode(const struct endpoint_stats *stats, enum rcode rcode)
{
	uint64_t count = COUNTER_GET(stats->inbound.replies[rcode]);

	for (unsigned i = 0; i < RESPONSE_SOURCES; i++)
		count += COUNTER_GET(stats->responses[rcode][i]);
	return count;
}

static uint64_t from_source(const struct endpoint_stats *stats, enum response_source source)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < STATS_RCODES; i++)
		count += COUNTER_GET(stats->responses[i][source]);
	return count;
}

void stats_sum_endpoint(struct stats *sum, const struct endpoint_stats *from)
{
	const struct inbound_counters *inbound = &from->inbound;
	uint64_t udp = COUNTER_GET(from->queries_udp), tcp = COUNTER_GET(from->queries_tcp);

	STATS_ADD(sum, queries,
		  udp + tcp + COUNTER_GET(inbound->turned_away_udp) +
			  COUNTER_GET(inbound->turned_away_tcp));
	STATS_ADD(sum, queries_udp, udp);
	STATS_ADD(sum, queries_tcp, tcp);
	STATS_ADD(sum, answered_zone, from_source(from, RESPONSE_ZONE));
	STATS_ADD(sum, answered_cache, from_source(from, RESPONSE_CACHE));
	STATS_ADD(sum, answered_stale, from_source(from, RESPONSE_STALE));
	STATS_ADD(sum, forwarded, from_source(from, RESPONSE_FORWARDED));
	STATS_ADD(sum, refused, endpoint_stats_rcode(from, RCODE_REFUSED));
	STATS_ADD(sum, servfail, endpoint_stats_rcode(from, RCODE_SERVFAIL));
	STATS_ADD(sum, nxdomain, endpoint_stats_rcode(from, RCODE_NXDOMAIN));
	STATS_ADD(sum, truncated, COUNTER_GET(from->truncated));
	STATS_ADD(sum, tsig_bad, COUNTER_GET(from->tsig_bad));
	STATS_ADD(sum, updates, COUNTER_GET(from->updates));
	for (unsigned i = 0; i < STATS_RCODES; i++)
		STATS_ADD(sum, updates_answered, COUNTER_GET(from->updates_answered[i]));
	STATS_ADD(sum, updates_overflowed, COUNTER_GET(from->updates_overflowed));
	STATS_ADD(sum, updates_dropped, COUNTER_GET(from->updates_dropped));
	STATS_ADD(sum, updates_repeated, COUNTER_GET(from->updates_repeated));
	STATS_ADD(sum, updates_replayed, COUNTER_GET(from->updates_replayed));
	STATS_ADD(sum, deadline, COUNTER_GET(from->deadline));
	STATS_ADD(sum, overload, COUNTER_GET(from->overload));
#define X(name, text) STATS_ADD(sum, name, COUNTER_GET(inbound->name));
	INBOUND_COUNTER_MAP(X)
#undef X
}
