/* The running program: cache, target registry, workers and the policy they serve. Every change,
 * from a file, a signal or the command line, takes one path, server_apply:
 *
 *     model' (already checked)
 *       → policy_compile
 *       → new listeners opened          (one fails → refused, nothing moved)
 *       → published to every worker
 *       → workers adopt, keep equal listeners, close gone ones, let go of the old snapshot
 *       → the control thread frees it
 *
 * What we own changes often and one by one: server_publish_owned publishes that alone.
 *
 * Only the control thread calls. */
#ifndef SLUICE_SERVER_H
#define SLUICE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "endpoints/inbound/listener.h"
#include "resolver/popular.h"
#include "resolver/resolve/cache.h"
#include "resolver/server/snapshot.h"
#include "resolver/server/worker.h"
#include "resolver/stats.h"
#include "rules/fault.h"
#include "rules/owned/owned.h"
#include "rules/schema/model.h"

/* Where listeners come from; all zero: the server opens them itself. */
struct server_sockets {
	void *context;
	struct listener *(*open)(void *context, const struct host *host, unsigned workers,
				 char error[LISTENER_ERROR_MAX]);
	void (*close)(void *context, const struct host *host); /* it is no longer needed */
};

/* Who judges requests to update and stores what they change; all zero: they are all REFUSED. Called
 * by server_collect with all that have come, as update_requests_take has them; ends each of them
 * then or later, before server_release. */
struct server_registrar {
	void *context;
	void (*on_requests)(void *context, struct update_request *requests);
};

/* By what name the VNet resolver is counted among the inbound endpoints, whose names have a "/". */
#define SERVER_VNET_ENDPOINT "vnet_resolver"

struct server {
	struct hash_key key;
	struct cache *cache;
	struct target_registry *registry;
	struct meter_registry *meters;
	struct snapshot_series series;
	struct response_limit *responses;
	struct worker_shared shared;
	struct worker **workers;
	unsigned worker_count;
	uint64_t *rounds;         /* of each worker's loop, at the last server_is_alive */
	struct model *model;      /* what is served now; owned */
	struct snapshot *current; /* the newest; older ones behind it until they are freed */
	struct ask_caller caller; /* questions of our own */
	struct update_requests updates;
	struct server_registrar registrar; /* set before server_apply */
	struct registered *registered;     /* what the next server_apply goes on from, a reference;
					    * NULL: what is served */
	struct query_rings rings;          /* answers, for the query log */
	struct serial_keeper keeper;       /* of zones that go out; set before server_apply */
	unsigned next_asked;               /* the worker that gets the next one */
	struct server_sockets sockets;
	bool silent; /* what is served has no listeners, until the first server_apply without it */
	bool ahead;  /* open listeners wait for that one, or for the first */
	struct listener **listeners; /* open ones */
	unsigned listener_count;
	unsigned listeners_added, listeners_removed; /* by the latest server_apply */
	bool transfers_anew; /* the next server_apply takes serials from the keeper, as the first */
	uint64_t generation;
	uint64_t sequence;   /* of the newest snapshot */
	uint64_t awaited;    /* of the newest that server_all_adopted is about */
	uint64_t started_us; /* CLOCK_MONOTONIC */
	time_t loaded_at;    /* when the current policy was published */
};

/* on_release as in worker_shared: it wakes the control thread, which calls server_collect. */
MUST_CHECK int server_init(struct server *server, unsigned workers, const struct hash_key *key,
			   void (*on_release)(void *context), void *context);
/* Opens the model's listeners ahead of the first server_apply. One that cannot be opened is a
 * fault. */
MUST_CHECK int server_open(struct server *server, const struct model *model, struct faults *faults);
/* Every worker takes no more queries and finishes those it has. Draining: another process reads new
 * ones, and has the data: requests to update that have not been handed out are left without an
 * answer. Leaving: nobody does, and clients are told; also after draining, if the other process has
 * gone. */
void server_drain(struct server *server);
void server_leave(struct server *server);
bool server_is_drained(const struct server *server);
/* A model is made ready, and then served. In between the caller makes the change durable.
 *
 *     server_prepare ─► snapshot ─┬─► server_publish    every worker answers from it
 *                                 └─► server_discard    nothing has moved
 *
 * prepare compiles the policy and opens sockets; the first one also starts the workers. It may
 * fail: the faults say why, and *snapshot is NULL. A listener that cannot be opened is a fault of
 * one clear line. For a host that the change before gave up, prepare waits until the workers have
 * closed it: usually a millisecond, at most a tenth of a second for all hosts together.
 *
 * publish cannot fail. It takes the model over; the model may be the one that is served already,
 * changed in place. A snapshot that was prepared before something else was published is only
 * discarded: its sockets and the parts that it shares are those of what was served then. */
MUST_CHECK int server_prepare(struct server *server, const struct model *model,
			      const struct policy *compiled, struct snapshot **snapshot,
			      struct faults *faults);
/* The longest part of it, of a large model: its policy, compiled ahead, in any thread while nothing
 * else is published. NULL without memory. prepare takes from it what is the same. */
struct policy *server_compile(const struct server *server, const struct model *model);
/* Attaches targets, meters and counters to at most `rules` new rules of a compiled policy, so that
 * a large policy takes several short turns of the loop instead of a long one in prepare, which
 * attaches the rest. 0: all rules have them; 1: some do not yet; ERR_NOMEM: the policy cannot be
 * served. */
MUST_CHECK int server_attach_some(struct server *server, struct policy *compiled, size_t rules);
void server_publish(struct server *server, struct snapshot *snapshot, struct model *model);
void server_discard(struct server *server, struct snapshot *snapshot);
/* Both, where there is nothing to do in between. On an error nothing has moved. */
MUST_CHECK int server_apply(struct server *server, struct model *model, struct faults *faults);
/* Publishes another table of what we own and nothing else: no listener, target or zone moves, and
 * the cost does not depend on the configuration. Only after server_apply. It cannot fail: the
 * served model takes a reference, so whatever is published next serves this table as well. If there
 * is no memory to hand it to the workers now, server_catch_up does that later. */
void server_publish_owned(struct server *server, struct owned *owned);
/* Hands the workers the table published last, if memory for that was missing. False: it is still
 * missing. Not between server_prepare and server_publish. */
bool server_catch_up(struct server *server);
/* The same of what is registered, in the zones that the served policy has. */
MUST_CHECK int server_serve_registered(struct server *server, struct registered *registered);
/* Whether every worker answers by what was published last, or newer, usually after one round of its
 * loop, or after server_catch_up; server_serve_registered apart, which is so frequent that there
 * might always be one that not every worker has, unless the caller sets `awaited`. on_release is
 * called when that becomes true.
 */
bool server_all_adopted(const struct server *server);
/* Whether every worker answers by the snapshot of that sequence, or a newer one; of the newest,
 * on_release is called when that becomes true. */
bool server_has_adopted(const struct server *server, uint64_t sequence);
/* Whether every worker's loop has gone round since the last call; has each go round once more.
 * Called now and then, it finds a worker that hangs. */
bool server_is_alive(struct server *server);
/* Frees snapshots that no worker uses, and hands out answers to questions of our own and requests
 * to update. */
void server_collect(struct server *server);
/* The names asked for most, as popular_each has them, of every worker: the same question comes
 * several times. */
void server_each_popular(struct server *server,
			 void (*on_question)(void *context,
					     const struct popular_question *question),
			 void *context);
/* Asks a question of our own, by the next worker. on_answer is called once, whatever the end, by
 * server_collect or at the latest by server_release; it may ask again. ERR_LIMIT: ASK_CALLS_MAX are
 * under way, or no worker runs; ERR_NOMEM. */
MUST_CHECK int server_ask(struct server *server, const struct ask_question *question,
			  void (*on_answer)(void *context, const struct ask_answer *answer),
			  void *context);
/* Stops the workers, and hands out what they had not answered. Requests to update that were not
 * handed out are gone; those that were are still to be ended, although nobody hears of it. What
 * they noted for the query log can be read until server_release. */
void server_stop(struct server *server);
/* The same, and frees everything. */
void server_release(struct server *server);
/* The workers' counters, summed, those of endpoints among them. */
void server_read_stats(const struct server *server, struct stats *sum);
/* How long answers take, of all workers; what is not measured stays as it was. */
void server_read_latency(const struct server *server, struct histogram sums[LATENCY_SOURCES]);

#endif
