/* A thread with its own loop, sockets, table of lookups and timers. Workers share only the
 * published snapshot, the cache, the registry of targets, the response limits, and the way back to
 * the control thread. */
#ifndef SLUICE_WORKER_H
#define SLUICE_WORKER_H

#include <uv.h>

#include "resolver/resolve/ask.h"
#include "resolver/resolve/cache.h"
#include "resolver/server/snapshot.h"
#include "resolver/stats.h"
#include "resolver/update/requests.h"
#include "rules/err.h"

struct worker;

struct worker_shared {
	struct cache *cache;
	struct response_limit *responses;
	const struct snapshot_series *series;
	struct target_registry *registry;
	struct hash_key key;
	struct hash_key cookie_key; /* for clients' cookies; drawn at the start */
	unsigned workers;
	unsigned queries_max;            /* queries of a worker that wait for an upstream */
	struct ask_caller *caller;       /* gets calls back */
	struct update_requests *updates; /* gets requests to update */
	struct query_rings *rings;       /* one ring for each worker, for the query log */
	/* Called on the worker's thread when it has released a snapshot (users), was the last to
	 * adopt one (adopters), has returned a call, or has a request to update. worker_publish
	 * calls it too, on its caller's thread, when it replaces a snapshot that the worker has not
	 * adopted. */
	void (*on_release)(void *context);
	/* Called first on the worker's thread; may be NULL. */
	void (*on_start)(void *context);
	void *context;
};

/* Allocates each worker's hold in the snapshot, so that adopting it cannot fail. Call it after the
 * bindings are set and before publishing. ERR_NOMEM. */
MUST_CHECK int worker_prepare(struct snapshot *snapshot, unsigned workers);
/* Starts the thread with its first snapshot (users must already count it). NULL: errno says why. */
struct worker *worker_start(unsigned index, const struct worker_shared *shared,
			    struct snapshot *first);
/* Hands over the next snapshot; users must already count this worker. Releases one that it has not
 * adopted yet. Any thread. */
void worker_publish(struct worker *worker, struct snapshot *snapshot);
/* Hands over our own question, for the newest policy. It returns to the caller even if the worker
 * stops. Any thread. */
void worker_ask(struct worker *worker, struct ask_call *call);
/* Makes the worker's loop go round. Any thread. */
void worker_wake(struct worker *worker);
/* Stops the thread, waits for it and frees everything. Queries under way get no answer. */
void worker_stop(struct worker *worker);
/* How often its loop has gone round. Any thread. */
uint64_t worker_rounds(const struct worker *worker);
/* The sequence of the snapshot that it answers from. */
uint64_t worker_adopted(const struct worker *worker);
/* The worker reads nothing more from clients, except from open TCP connections (inbound_drain), and
 * finishes its queries. Any thread. */
void worker_drain(struct worker *worker);
/* For a server without a successor: the worker finishes its queries, reads no more questions by
 * TCP, answers those by UDP with SERVFAIL, and refuses new connections (inbound_leave). Any
 * thread. */
void worker_leave(struct worker *worker);
/* Whether it has finished all. Any thread. */
bool worker_is_drained(const struct worker *worker);
/* Any thread. */
const struct stats *worker_stats(const struct worker *worker); /* without its endpoints */
const struct latency *worker_latency(const struct worker *worker);
/* Any thread. NULL: it had no memory for it. */
struct popular *worker_popular(struct worker *worker);

#endif
