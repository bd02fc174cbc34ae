/* One thread with its own loop, sockets, table of lookups and timers. Workers share the published
 * snapshot, the cache and the target registry, and nothing else. */
#ifndef SLUICE_WORKER_H
#define SLUICE_WORKER_H

#include <uv.h>

#include "resolver/resolve/ask_call.h"
#include "resolver/resolve/cache.h"
#include "resolver/server/snapshot.h"
#include "resolver/stats.h"
#include "rules/err.h"

struct worker;

struct worker_shared {
	struct cache *cache;
	struct response_limit *responses;
	struct hash_key key;
	struct hash_key cookie_key; /* drawn at the start: of clients' cookies */
	unsigned workers;
	unsigned queries_max;      /* that wait for somebody else's answer, per worker */
	struct ask_caller *caller; /* where calls go back to */
	/* Called on the worker's thread when it has let go of a snapshot (users was counted down),
	 * was the last to take one up (adopters was counted up), or sent a call back. */
	void (*on_release)(void *context);
	/* Called first of all on the worker's thread; NULL: nothing is to be done. */
	void (*on_start)(void *context);
	void *context;
};

/* Makes room in the snapshot for what each of so many workers keeps of it, once its bindings are
 * there: adopting needs no memory, so it cannot fail. Before it is published. ERR_NOMEM. */
MUST_CHECK int worker_prepare(struct snapshot *snapshot, unsigned workers);
/* Starts the thread with its first snapshot (users must already count it). NULL on failure: errno
 * says why, and nothing stays behind. */
struct worker *worker_start(unsigned index, const struct worker_shared *shared,
			    struct snapshot *first);
/* Hands over the next snapshot; users must already count this worker. Any thread. A snapshot that
 * was not adopted yet is skipped and released. */
void worker_publish(struct worker *worker, struct snapshot *snapshot);
/* Hands over a question of our own, asked by the newest policy; it comes back to the caller, also
 * when the worker stops. Any thread. */
void worker_ask(struct worker *worker, struct ask_call *call);
/* Has its loop go round. Any thread. */
void worker_wake(struct worker *worker);
/* Asks the thread to stop, waits for it and frees everything. What is under way is not answered. */
void worker_stop(struct worker *worker);
/* How often its loop has gone round; what wakes it adds one. Any thread. */
uint64_t worker_rounds(const struct worker *worker);
/* Asks the thread to read nothing more that clients send, and to finish what it holds. Any thread.
 */
void worker_drain(struct worker *worker);
/* The same where nobody else reads: who asks by UDP is told that it is served no longer. Any
 * thread. */
void worker_leave(struct worker *worker);
/* Whether it has finished. Any thread. */
bool worker_is_drained(const struct worker *worker);
/* Any thread. */
const struct stats *worker_stats(const struct worker *worker);

#endif
