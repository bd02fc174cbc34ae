/* The running server: cache, target registry, workers and the policy that they serve. Every change
 * of the model takes one path, server_prepare and server_publish (server_apply does both):
 *
 *     model' (already checked)
 *       → policy_compile
 *       → new listeners opened          (one fails → refused, nothing changed)
 *       → published to every worker
 *       → workers adopt, keep equal listeners, close removed ones, release the old snapshot
 *       → the control thread frees it
 *
 * Our addresses change often and one by one: server_publish_owned publishes only them.
 *
 * Only the control thread calls, except for server_compile. */
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

/* Provides listeners; all zero: the server opens them itself. */
struct server_sockets {
	void *context;
	struct listener *(*open)(void *context, const struct host *host, unsigned workers,
				 char error[LISTENER_ERROR_MAX]);
	void (*close)(void *context, const struct host *host); /* the host is no longer needed */
};

/* Judges requests to update and stores their changes; all zero: all are REFUSED. server_collect
 * calls it with all new requests, as from update_requests_take. It must end each of them then or
 * later, before server_release. */
struct server_registrar {
	void *context;
	void (*on_requests)(void *context, struct update_request *requests);
};

/* The VNet resolver's name in counters by inbound endpoint; the others have a "/". */
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
	uint64_t *rounds;         /* of each worker's loop, at the last call of server_is_alive */
	struct model *model;      /* the served model; owned */
	struct snapshot *current; /* the newest, linked to older ones that are not freed yet */
	struct ask_caller caller; /* for our own questions */
	struct update_requests updates;
	struct server_registrar registrar; /* set before server_apply */
	struct registered *registered; /* a reference for the next server_apply to continue from;
					  NULL: the served one */
	struct query_rings rings;      /* for the query log */
	struct serial_keeper keeper;   /* for transferred zones; set before server_apply */
	unsigned next_asked;           /* the worker for the next question */
	struct server_sockets sockets;
	bool silent; /* serves without listeners; once false, the next server_apply opens them */
	bool ahead;  /* listeners were opened before the server_apply that serves with them */
	struct listener **listeners; /* open ones */
	unsigned listener_count;
	unsigned listeners_added, listeners_removed; /* by the latest server_apply */
	bool transfers_anew; /* the next server_apply takes serials from the keeper, like the first
			      */
	uint64_t generation;
	uint64_t sequence;   /* of the newest snapshot */
	uint64_t awaited;    /* of the newest snapshot that server_all_adopted waits for */
	uint64_t started_us; /* CLOCK_MONOTONIC */
	time_t loaded_at;    /* when the current policy was published */
};

/* on_release as in worker_shared: it wakes the control thread, which calls server_collect. */
MUST_CHECK int server_init(struct server *server, unsigned workers, const struct hash_key *key,
			   void (*on_release)(void *context), void *context);
/* Opens the model's listeners before the first server_apply. One that cannot be opened is a
 * fault. */
MUST_CHECK int server_open(struct server *server, const struct model *model, struct faults *faults);
/* The workers finish the queries that they have. Draining: another process reads new queries and
 * has the data, so requests to update that were not handed out get no answer; the workers read on
 * only from open TCP connections. Leaving: no other process reads, so clients get errors; also
 * possible after draining, if the other process has gone. */
void server_drain(struct server *server);
void server_leave(struct server *server);
bool server_is_drained(const struct server *server);
/* A model is prepared and then published. In between the caller makes the change durable.
 *
 *     server_prepare ─► snapshot ─┬─► server_publish    every worker answers from it
 *                                 └─► server_discard    nothing has changed
 *
 * prepare compiles the policy and opens sockets; the first call also starts the workers. It may
 * fail: the faults say why, and *snapshot is NULL. If an earlier change has just removed a host,
 * prepare waits until the workers have closed it: usually a millisecond, at most a tenth of a
 * second for all hosts together.
 *
 * publish cannot fail. It takes over the model, which may be the served one, changed in place. If
 * another snapshot was published meanwhile, a prepared one can only be discarded, because its
 * sockets and shared parts belong to the former state. */
MUST_CHECK int server_prepare(struct server *server, const struct model *model,
			      const struct policy *compiled, struct snapshot **snapshot,
			      struct faults *faults);
/* Compiles a policy in advance, which is the longest part of preparing a large model; in any
 * thread, while nothing is published. prepare takes over the parts that are the same. NULL without
 * memory. */
struct policy *server_compile(const struct server *server, const struct model *model);
/* Attaches targets, meters and counters to at most `rules` new rules of a compiled policy. So a
 * large policy takes several short turns of the loop and not one long turn in prepare, which
 * attaches the rest. 0: done; 1: call it again; ERR_NOMEM: the policy cannot be served. */
MUST_CHECK int server_attach_some(struct server *server, struct policy *compiled, size_t rules);
void server_publish(struct server *server, struct snapshot *snapshot, struct model *model);
void server_discard(struct server *server, struct snapshot *snapshot);
/* Prepares and publishes at once. On an error nothing has changed. */
MUST_CHECK int server_apply(struct server *server, struct model *model, struct faults *faults);
/* Publishes only another table of our addresses: listeners, targets and zones stay, and the cost
 * does not depend on the configuration. Only after server_apply. It cannot fail: the served model
 * takes a reference, so every later server_publish serves this table, too. If there is no memory to
 * hand it to the workers now, server_catch_up does that later. */
void server_publish_owned(struct server *server, struct owned *owned);
/* Hands the last published table to the workers, if memory for that was missing. False: it is still
 * missing. Not between server_prepare and server_publish. */
bool server_catch_up(struct server *server);
/* Registered records in the served policy's zones are published in two steps, like a model: the
 * first may fail, so it comes before they are stored, and the second cannot. NULL: out of memory.
 * Nothing else may be published in between. */
struct snapshot *server_prepare_registered(struct server *server, struct registered *registered);
void server_publish_registered(struct server *server, struct snapshot *snapshot);
/* Whether every worker answers from the last published snapshot, usually after one round of its
 * loop or after server_catch_up; on_release is called when this becomes true. Snapshots of
 * server_publish_registered do not count, because they are so frequent that there might always be a
 * newer one, unless the caller sets `awaited`. */
bool server_all_adopted(const struct server *server);
/* Whether every worker answers from the snapshot with this sequence or a newer one. on_release is
 * called when this becomes true for the newest. */
bool server_has_adopted(const struct server *server, uint64_t sequence);
/* Whether every worker's loop has gone round since the last call; also wakes each loop for another
 * round. Regular calls find a worker that hangs. */
bool server_is_alive(struct server *server);
/* Frees snapshots that no worker uses, and hands out answers to our own questions and requests to
 * update. */
void server_collect(struct server *server);
/* Calls popular_each for every worker, so the same question may come several times. */
void server_each_popular(struct server *server,
			 void (*on_question)(void *context,
					     const struct popular_question *question),
			 void *context);
/* Asks our own question by the next worker. on_answer is always called once, by server_collect or
 * at the latest by server_release; it may ask again. ERR_LIMIT: ASK_CALLS_MAX are under way, or no
 * worker runs; ERR_NOMEM. */
MUST_CHECK int server_ask(struct server *server, const struct ask_question *question,
			  void (*on_answer)(void *context, const struct ask_answer *answer),
			  void *context);
/* Stops the workers, and ends questions that they had not answered. Requests to update that were
 * not handed out are dropped; the others must still be ended, although no client gets an answer.
 * Records for the query log can be read until server_release. */
void server_stop(struct server *server);
/* Stops the workers and frees everything. */
void server_release(struct server *server);
/* Sums the workers' counters, including those of endpoints. */
void server_read_stats(const struct server *server, struct stats *sum);
/* Sums how long answers took at all workers; all zero if that was never measured. */
void server_read_latency(const struct server *server, struct histogram sums[LATENCY_SOURCES]);

#endif
