/* What a worker counts. Each worker writes its own copy and nobody else's; a reader sums them. The
 * table gives every counter its name, for status and later for metrics. */
#ifndef SLUICE_STATS_H
#define SLUICE_STATS_H

#include <stdatomic.h>
#include <stdint.h>

#define STATS_MAP(X)                                                                               \
	X(queries, "queries that were well formed")                                                \
	X(queries_udp, "of them by UDP")                                                           \
	X(queries_tcp, "of them by TCP")                                                           \
	X(malformed, "packets answered with FORMERR, NOTIMP or BADVERS, or not at all")            \
	X(answered_zone, "answered from a private zone or other data of our own")                  \
	X(answered_cache, "answered from the cache")                                               \
	X(answered_stale, "answered with stale data")                                              \
	X(forwarded, "answered by asking somebody")                                                \
	X(refused, "answered REFUSED")                                                             \
	X(servfail, "answered SERVFAIL")                                                           \
	X(nxdomain, "answered NXDOMAIN")                                                           \
	X(truncated, "answered with TC")                                                           \
	X(deadline, "not answered by anybody within the deadline")                                 \
	X(overload, "turned away because a maximum was reached")                                   \
	X(asked, "questions sent to targets")                                                      \
	X(coalesced, "questions that joined one under way")                                        \
	X(mismatched, "replies ignored because they matched no question")

struct stats {
#define X(name, text) _Atomic uint64_t name;
	STATS_MAP(X)
#undef X
};

/* Counting is for the owner only: a plain load and store, no locked instruction. */
#define STATS_ADD(stats, name, n)                                                                  \
	atomic_store_explicit(&(stats)->name,                                                      \
			      atomic_load_explicit(&(stats)->name, memory_order_relaxed) + (n),    \
			      memory_order_relaxed)

struct stats_row {
	const char *name, *text;
};
extern const struct stats_row stats_rows[];
extern const unsigned stats_row_count;

/* The counter of row i. */
uint64_t stats_get(const struct stats *stats, unsigned i);

#endif
