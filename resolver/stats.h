/* What a worker counts. Each worker writes its own copy; a reader sums them. The table names every
 * counter for status. endpoints/ counts in tables of its own, which are part of this one and are
 * added here at the end of every loop round: nothing is counted that is not shown. */
#ifndef SLUICE_STATS_H
#define SLUICE_STATS_H

#include <stdatomic.h>
#include <stdint.h>

#include "endpoints/inbound/inbound.h"
#include "endpoints/outbound/outbound.h"
#include "endpoints/upstream/lookup.h"

#define STATS_RESOLVER_MAP(X)                                                                      \
	X(queries, "queries that were well formed")                                                \
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
	X(tsig_bad, "queries with a TSIG that was not good")                                       \
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

/* Only the owner counts: a plain load and store, no locked instruction. */
#define STATS_ADD(stats, name, n)                                                                  \
	atomic_store_explicit(&(stats)->name,                                                      \
			      atomic_load_explicit(&(stats)->name, memory_order_relaxed) + (n),    \
			      memory_order_relaxed)

/* Moves the count of the same name from another struct. */
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

#endif
