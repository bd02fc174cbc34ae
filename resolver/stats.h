/* All counters. Each worker writes its own without locked instructions, and a reader adds them up:
 * for the whole server (struct stats, shown by the status and the metrics), and for each endpoint
 * (struct endpoint_stats, shown by the metrics). Nothing is counted in two places:
 *
 *     inbound, resolve, update ─► endpoint_stats of the asked endpoint ──┐
 *     resolve, transfer ─► the worker's struct stats ────────────────────┼─► struct stats, summed
 *     upstream, outbound ─► their own tables ─ at the end of a round ────┘ */
#ifndef SLUICE_STATS_H
#define SLUICE_STATS_H

#include <stdatomic.h>
#include <stdint.h>

#include "endpoints/counter.h"
#include "endpoints/inbound/inbound.h"
#include "endpoints/outbound/outbound.h"
#include "endpoints/upstream/lookup.h"
#include "resolver/latency.h"
#include "rules/policy/policy.h"

#define STATS_RESOLVER_MAP(X)                                                                      \
	X(queries, "queries that were well formed, or from addresses that may not ask")            \
	X(queries_udp, "of them taken up, by UDP")                                                 \
	X(queries_tcp, "of them taken up, by TCP")                                                 \
	X(queries_own, "questions of our own; not counted as queries, nor their answers below")    \
	X(answered_zone, "answered from a private zone or other data of our own alone")            \
	X(answered_cache, "answered from the cache, with nothing new or stale")                    \
	X(answered_stale, "answered with stale data")                                              \
	X(forwarded, "answered with what a target has just said")                                  \
	X(prefetched, "questions asked anew because a popular answer was about to expire")         \
	X(refused, "answered REFUSED")                                                             \
	X(servfail, "answered SERVFAIL")                                                           \
	X(nxdomain, "answered NXDOMAIN")                                                           \
	X(truncated, "answered with TC")                                                           \
	X(transfers, "zones sent out, whole or what has changed")                                  \
	X(transfers_refused, "zones asked for, and not sent")                                      \
	X(transfers_broken, "of those begun, broken off before their end")                         \
	X(tsig_bad, "queries and requests to update with a TSIG that was not good")                \
	X(updates, "requests to update that were taken up; not counted as queries")                \
	X(updates_answered, "of them answered, whatever they were told")                           \
	X(updates_overflowed, "of them left without an answer: too many waited, or at an upgrade") \
	X(updates_dropped, "left without an answer: too late, not stored, or the server stopped")  \
	X(updates_repeated, "left to the answer to the same bytes sent before")                    \
	X(updates_replayed, "ignored: the same bytes had come from somewhere else before")         \
	X(unlogged, "answers that the query log had no room for")                                  \
	X(deadline, "not answered by any target within the deadline")

#define STATS_MAP(X)                                                                               \
	STATS_RESOLVER_MAP(X)                                                                      \
	INBOUND_COUNTER_MAP(X)                                                                     \
	LOOKUP_COUNTER_MAP(X)                                                                      \
	OUTBOUND_COUNTER_MAP(X)

struct stats {
#define X(name, text) _Atomic uint64_t name;
	STATS_MAP(X)
#undef X
};

/* Dimensions of the counters below. */
enum {
	STATS_RCODES = RCODE_BADCOOKIE + 1,
	STATS_DECIDERS = DECIDED_DEFAULT + 1,
	RESPONSE_ROOM = 8, /* for RESPONSE_SOURCES; a power of two is faster */
};

/* One endpoint at one worker. Must have only 64-bit counters. */
struct endpoint_stats {
	_Atomic uint64_t queries_udp, queries_tcp; /* queries taken up */
	_Atomic uint64_t overload, truncated, tsig_bad, deadline;
	_Atomic uint64_t responses[STATS_RCODES][RESPONSE_ROOM]; /* by source */
	_Atomic uint64_t decided[STATS_DECIDERS]; /* by what decided the asked name */
	/* Requests to update are not in the queries and responses above. */
	_Atomic uint64_t updates, updates_answered[STATS_RCODES];
	_Atomic uint64_t updates_overflowed, updates_dropped, updates_repeated, updates_replayed;
	struct inbound_counters inbound;
};

#define STATS_ADD(stats, name, n) COUNTER_ADD((stats)->name, n)

/* Moves a count from another struct's member of the same name. */
#define STATS_TAKE(stats, name, from)                                                              \
	do {                                                                                       \
		STATS_ADD(stats, name, (from)->name);                                              \
		(from)->name = 0;                                                                  \
	} while (0)

struct stats_row {
	const char *name, *text;
};
extern const struct stats_row stats_rows[];
extern const unsigned stats_row_count;

/* The counter of row i. */
uint64_t stats_get(const struct stats *stats, unsigned i);
/* Add the counters of a worker, and those of an endpoint at a worker. */
void stats_sum(struct stats *sum, const struct stats *stats);
void stats_sum_endpoint(struct stats *sum, const struct endpoint_stats *endpoint);
/* The replies with this rcode from the resolver or inbound, without the resolver's answers to
 * updates. */
uint64_t endpoint_stats_rcode(const struct endpoint_stats *stats, enum rcode rcode);

#endif
