/* A worker's loop:
 *
 *     uv_poll   packets in ─► queries, replies     (inbound, outbound)
 *     alarm     the wheel's next due time
 *     bell      a new snapshot, our own questions, answers to updates, or stop
 *     prepare   before the loop sleeps: send the gathered packets, add up the round's counters,
 *               set the alarm
 *
 * A worker holds a snapshot by a policy_hold of its own, counted without atomics. After the hold's
 * last user the worker releases the snapshot, and the control thread frees it. Only after the
 * release does the worker close sources that the current snapshot does not have, because questions
 * may have needed them.
 *
 * Adopting cannot fail: the hold's memory comes with the snapshot, and the sockets with the
 * listener. */
#include "resolver/server/worker.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "endpoints/alarm.h"
#include "endpoints/bell.h"
#include "endpoints/outbound/outbound.h"
#include "resolver/log.h"
#include "resolver/popular.h"
#include "resolver/query_ring.h"
#include "resolver/resolve/query_record.h"
#include "resolver/resolve/resolve.h"
#include "resolver/transfer/transfer.h"
#include "rules/base.h"

enum {
	WORKER_HEAP_BYTES = 56 << 20, /* glibc's heaps have 64 MiB */
	/* Room for queries that do not wait for a target: the current batch, and open transfers and
	 * updates, which have their own limits. */
	WORKER_QUERIES_ELSEWHERE =
		256 + TRANSFERS_MAX + TRANSFERS_WAITING_MAX + UPDATE_REQUESTS_MAX,
};

struct worker_binding { /* the data of a listener for its queries */
	/* The first member, because others read query->binding as a struct query_binding. At the
	 * VNet resolver the client's address decides the network. */
	struct query_binding for_log;
	struct worker_hold *hold;
	struct endpoint_stats *stats;
	struct inbound *inbound; /* NULL: withdrawn before this worker took it */
	bool vnet_resolver;
};

struct worker_hold { /* a snapshot in use by this worker */
	struct policy_hold hold;
	struct worker *worker;
	struct snapshot *snapshot;
	struct worker_binding bindings[];
};

struct worker {
	unsigned index;
	const struct worker_shared *shared;
	uv_thread_t thread;
	uv_loop_t loop;
	struct bell bell;
	uv_prepare_t prepare;
	struct alarm alarm;
	_Atomic(struct snapshot *) next;
	atomic_bool stopping, draining, leaving, drained;
	bool drains; /* it takes no more queries */
	bool leaves; /* it drains, and no other process takes them */
	struct worker_hold *current;
	_Atomic uint64_t rounds, adopted;
	bool let_go; /* a snapshot was released in this round, so its sources may be unused */

	struct wheel wheel;
	struct entropy entropy;
	struct query_pool pool;
	struct inbound_worker inbound;
	struct outbound outbound;
	struct lookups lookups;
	struct resolver resolver;
	struct ask_answerer asks;
	struct transfers transfers;
	struct updates updates;
	struct stats stats;
	struct popular *popular;
};

static uint64_t monotonic_us(void *context)
{
	(void)context;
	return uv_hrtime() / 1000;
}

static uint32_t unix_s(void *context)
{
	(void)context;
	return (uint32_t)time(NULL);
}

static void on_arrival(void *context, struct query *query, unsigned pass)
{
	struct worker *worker = context;
	const struct worker_binding *binding = query->binding;
	struct place place = {binding->for_log.network, false};

	if (pass > 0) {
		resolve_expect(query, pass);
		return;
	}
	if (binding->vnet_resolver)
		place = policy_place_of_client(binding->hold->hold.policy, &query->client);
	resolve_arrive(&worker->resolver, query, &binding->hold->hold, place, binding->stats);
}
_Static_assert((int)INBOUND_PASSES == (int)RESOLVE_PASSES, "the same passes");

static void on_query(void *context, struct query *query)
{
	(void)context;
	resolve_start(query, query->arrived_us);
}

static void on_turned_away(void *context, const struct query *query, const struct message_end *end,
			   const uint8_t *reply, size_t length)
{
	struct worker *worker = context;

	if (query_ring_wanted(worker->resolver.ring) & QUERY_WANTED_ALL)
		query_record_turned_away(worker->resolver.ring, query, end, reply, length);
}

/* TCP of targets counts like that of clients, so that neither delays UDP too long. */
static void on_tcp_read(void *reader, size_t bytes)
{
	inbound_tcp_worked(reader, bytes);
}

/* ---- snapshots ---- */

static size_t hold_bytes(const struct snapshot *snapshot)
{
	return sizeof(struct worker_hold) + snapshot->binding_count * sizeof(struct worker_binding);
}

int worker_prepare(struct snapshot *snapshot, unsigned workers)
{
	assert(!snapshot->holds);
	snapshot->holds = calloc(workers, hold_bytes(snapshot));
	return snapshot->holds ? 0 : ERR_NOMEM;
}

/* The control thread also calls this, for a snapshot that the worker never adopted. So it must not
 * publish the ring, which only the worker writes. */
static void release_snapshot(struct worker *worker, struct snapshot *snapshot)
{
	atomic_fetch_sub_explicit(&snapshot->users, 1, memory_order_acq_rel);
	worker->shared->on_release(worker->shared->context);
}

static void on_hold_idle(struct policy_hold *policy_hold)
{
	struct worker_hold *hold = container_of(policy_hold, struct worker_hold, hold);

	hold->worker->let_go = true;
	query_ring_publish(hold->worker->resolver.ring);
	release_snapshot(hold->worker, hold->snapshot);
}

/* A cell has the width of the struct, which has only counters. */
static struct endpoint_stats *endpoint_stats_of(const struct worker *worker, uint32_t number)
{
	_Atomic uint64_t *cells = series_cells(worker->shared->series->endpoints, worker->index);

	return (struct endpoint_stats *)(void *)cells + number;
}
_Static_assert(_Alignof(struct endpoint_stats) == _Alignof(_Atomic uint64_t), "counters");

static struct worker_hold *hold_init(struct worker *worker, struct snapshot *snapshot)
{
	struct worker_hold *hold =
		(struct worker_hold *)(void *)((char *)snapshot->holds +
					       worker->index * hold_bytes(snapshot));

	hold->worker = worker;
	hold->snapshot = snapshot;
	hold->hold = (struct policy_hold){.policy = snapshot->policy,
					  .transfers = snapshot->transfers,
					  .cache = snapshot->cache,
					  .popular = snapshot->count_names ? worker->popular : NULL,
					  .users = 1,
					  .on_idle = on_hold_idle};
	for (uint32_t i = 0; i < snapshot->binding_count; i++)
		hold->bindings[i] = (struct worker_binding){
			.hold = hold,
			.stats = endpoint_stats_of(worker, snapshot->bindings[i].series),
			.vnet_resolver = snapshot->bindings[i].vnet_resolver,
			.for_log = {.endpoint = snapshot->bindings[i].endpoint,
				    .policy = snapshot->policy,
				    .local = &snapshot->bindings[i].host.address,
				    .network = snapshot->bindings[i].network}};
	return hold;
}

/* The hold's binding of a listener, or NULL. */
static struct worker_binding *find_binding(struct worker_hold *hold,
					   const struct listener *listener)
{
	for (uint32_t i = 0; hold && i < hold->snapshot->binding_count; i++)
		if (hold->snapshot->bindings[i].listener == listener)
			return &hold->bindings[i];
	return NULL;
}

static void attach(struct worker *worker, struct listener *listener,
		   const struct inbound_admission *admission, struct worker_binding *binding)
{
	char text[HOST_TEXT_MAX];
	const struct worker_binding *before = find_binding(worker->current, listener);

	int err = 0;
	if (before && before->inbound) {
		binding->inbound = before->inbound;
		inbound_rebind(binding->inbound, binding);
	} else {
		err = inbound_start(&worker->inbound, listener, worker->index, binding,
				    &binding->inbound);
	}
	if (binding->inbound) {
		inbound_set_admission(binding->inbound, admission);
		inbound_count_at(binding->inbound, &binding->stats->inbound);
	}
	if (err == ERR_SYSTEM)
		log_event(LOG_ERROR, "listen",
			  "worker %u: cannot watch the socket on %s; trying again until it can",
			  worker->index, host_print(&listener->host, text));
}

static void stop_listeners(struct worker_hold *hold, struct worker_hold *keep)
{
	for (uint32_t i = 0; hold && i < hold->snapshot->binding_count; i++)
		if (hold->bindings[i].inbound &&
		    !find_binding(keep, hold->snapshot->bindings[i].listener))
			inbound_stop(hold->bindings[i].inbound);
}

static void set_cookie_keys(struct worker *worker, const struct policy *policy)
{
	const struct hash_key *keys = policy->cookie_key;

	if (policy->cookie_keys == 0)
		cookie_init(&worker->inbound.cookies, &worker->shared->cookie_key);
	else
		cookie_init_given(&worker->inbound.cookies, &keys[0],
				  &keys[policy->cookie_keys - 1]);
}

/* Keeps equal listeners, starts new ones, and stops removed ones. */
static void adopt(struct worker *worker, struct snapshot *snapshot)
{
	struct worker_hold *hold = hold_init(worker, snapshot), *before = worker->current;

	worker->inbound.tcp = snapshot->tcp;
	worker->inbound.response_limit = snapshot->response_limit;
	worker->inbound.responses =
		response_limit_is_on(&snapshot->response_limit) ? worker->shared->responses : NULL;
	worker->inbound.accepts_updates = snapshot->accepts_updates;
	worker->inbound.payload_max = (uint16_t)snapshot->policy->udp_payload_max;
	set_cookie_keys(worker, snapshot->policy);
	worker->lookups.random_case = snapshot->policy->random_case;
	worker->lookups.served = &snapshot->targets->served;
	worker->lookups.served_holder = &hold->hold;
	latency_switch(&worker->resolver.latency, snapshot->timed);
	outbound_limit_ports(&worker->outbound, snapshot->ports_max, snapshot->lanes_max);
	for (uint32_t i = 0; i < snapshot->binding_count; i++)
		attach(worker, snapshot->bindings[i].listener, &snapshot->bindings[i].admission,
		       &hold->bindings[i]);
	stop_listeners(before, hold);
	worker->current = hold;
	atomic_store_explicit(&worker->adopted, snapshot->sequence, memory_order_release);
	if (atomic_fetch_add_explicit(&snapshot->adopters, 1, memory_order_acq_rel) + 1 ==
	    worker->shared->workers)
		worker->shared->on_release(worker->shared->context);
	if (before)
		policy_hold_give(&before->hold);
}

/* ---- the loop ---- */

/* Adds the round's counts of lookups and outbound. */
static void gather_stats(struct worker *worker)
{
	struct stats *stats = &worker->stats;
	struct lookups *lookups = &worker->lookups;
	struct outbound_counters *outbound = &worker->outbound.counters;

	atomic_store_explicit(
		&stats->unlogged,
		atomic_load_explicit(&worker->resolver.ring->lost, memory_order_relaxed),
		memory_order_relaxed);
#define X(name, text) STATS_TAKE(stats, name, lookups);
	LOOKUP_COUNTER_MAP(X)
#undef X
#define X(name, text) STATS_TAKE(stats, name, outbound);
	OUTBOUND_COUNTER_MAP(X)
#undef X
}

static void retain_sources(struct worker *worker)
{
	const struct snapshot *snapshot = worker->current->snapshot;

	worker->let_go = false;
	outbound_retain(&worker->outbound, snapshot->sources, snapshot->source_count);
}

static void on_alarm(void *context)
{
	struct worker *worker = context;

	wheel_advance(&worker->wheel, monotonic_us(NULL));
}

static void on_prepare(uv_prepare_t *prepare)
{
	struct worker *worker = prepare->data;
	uint64_t rounds = atomic_load_explicit(&worker->rounds, memory_order_relaxed);

	atomic_store_explicit(&worker->rounds, rounds + 1, memory_order_relaxed);
	if (worker->let_go)
		retain_sources(worker);
	outbound_flush(&worker->outbound);
	inbound_flush(&worker->inbound);
	if (latency_is_due(&worker->resolver.latency))
		latency_end_round(&worker->resolver.latency, monotonic_us(NULL));
	query_ring_commit(worker->resolver.ring, monotonic_us);
	gather_stats(worker);
	if (worker->drains)
		atomic_store(&worker->drained,
			     worker->pool.in_use == 0 && worker->inbound.tcp_connections == 0);
	alarm_by(&worker->alarm, wheel_next_us(&worker->wheel));
}

/* Closes everything that keeps the loop alive; the loop ends with the last handle. Stops listeners
 * first, because they end queries under way. */
static void shut(struct worker *worker)
{
	worker->inbound.ends = true;
	stop_listeners(worker->current, NULL);
	resolver_abandon(&worker->resolver);
	transfers_abandon(&worker->transfers);
	updates_abandon(&worker->updates);
	ask_answerer_close(&worker->asks);
	lookups_release(&worker->lookups);
	outbound_release(&worker->outbound);
	if (worker->current)
		policy_hold_give(&worker->current->hold);
	worker->current = NULL;
	alarm_close(&worker->alarm);
	uv_close((uv_handle_t *)&worker->prepare, NULL);
	bell_close(&worker->bell);
}

/* A draining worker may leave later, if its successor has gone. */
static void drain(struct worker *worker)
{
	if (atomic_load(&worker->leaving) && !worker->leaves) {
		worker->drains = worker->leaves = true;
		inbound_leave(&worker->inbound);
	} else if (atomic_load(&worker->draining) && !worker->drains) {
		worker->drains = true;
		inbound_drain(&worker->inbound);
	}
}

static void on_wake(void *context)
{
	struct worker *worker = context;
	struct snapshot *snapshot = atomic_exchange(&worker->next, NULL);

	if (atomic_load(&worker->stopping)) {
		if (snapshot)
			release_snapshot(worker, snapshot);
		shut(worker);
		return;
	}
	if (snapshot)
		adopt(worker, snapshot);
	drain(worker);
	updates_work(&worker->updates);
	assert(worker->current); /* the thread began with one */
	ask_answerer_work(&worker->asks, &worker->current->hold, monotonic_us(NULL));
}

/* glibc grows a thread's heap page by page, with a system call for each, which would make every new
 * cache entry slow. A heap that is grown once and never trimmed costs address space, and memory
 * only when it is used. */
static void grow_heap(void)
{
	/* volatile, because a compiler may remove both calls. */
	void *volatile low = malloc(WORKER_HEAP_BYTES / 2);
	void *volatile high = malloc(WORKER_HEAP_BYTES / 2);

	free(high);
	free(low);
}

/* For ps, top and gdb. */
static void name_thread(const struct worker *worker)
{
	char name[16];

	snprintf(name, sizeof name, "worker-%u", worker->index);
	pthread_setname_np(pthread_self(), name);
}

static void run(void *argument)
{
	struct worker *worker = argument;

	name_thread(worker);
	if (worker->shared->on_start)
		worker->shared->on_start(worker->shared->context);
	grow_heap();
	uv_run(&worker->loop, UV_RUN_DEFAULT);
	query_ring_commit(worker->resolver.ring, monotonic_us); /* of the last answers */
}

/* ---- calls of other threads ---- */

/* libuv's errors are errno's, negative. */
static int open_loop(struct worker *worker)
{
	int err = uv_loop_init(&worker->loop);

	if (err != 0)
		return err;
	err = alarm_open(&worker->alarm, &worker->loop, on_alarm, worker);
	if (err == 0) {
		err = bell_open(&worker->bell, &worker->loop, on_wake, worker);
		if (err != 0)
			alarm_close(&worker->alarm);
	}
	if (err != 0) {
		uv_run(&worker->loop, UV_RUN_DEFAULT); /* closes the opened handles */
		uv_loop_close(&worker->loop);
		return err;
	}
	uv_prepare_init(&worker->loop, &worker->prepare);
	worker->prepare.data = worker;
	uv_prepare_start(&worker->prepare, on_prepare);
	return 0;
}

static void on_updates_back(void *worker)
{
	worker_wake(worker);
}

/* Even after a failure all parts can be released. */
static int init_parts(struct worker *worker)
{
	const struct worker_shared *shared = worker->shared;

	wheel_init(&worker->wheel, monotonic_us(NULL));
	entropy_init(&worker->entropy);
	query_pool_init(&worker->pool, shared->queries_max + WORKER_QUERIES_ELSEWHERE);
	worker->inbound = (struct inbound_worker){
		.loop = &worker->loop,
		.wheel = &worker->wheel,
		.pool = &worker->pool,
		.key = &shared->key,
		.now_us = monotonic_us,
		.unix_s = unix_s,
		.on_arrival = on_arrival,
		.on_query = on_query,
		.on_turned_away = on_turned_away,
		.context = worker,
	};
	int err = lookups_init(&worker->lookups, &worker->wheel, &worker->entropy, &shared->key);
	if (!err)
		err = outbound_init(&worker->outbound, &worker->loop, &worker->wheel,
				    &worker->entropy, &worker->lookups, OUTBOUND_PORTS,
				    monotonic_us, NULL);
	worker->outbound.on_tcp_read = on_tcp_read;
	worker->outbound.reader = &worker->inbound;
	if (!err)
		err = inbound_worker_init(&worker->inbound);
	worker->lookups.transport = &worker->outbound;
	worker->lookups.send = outbound_send;
	worker->lookups.forget = outbound_forget;
	worker->lookups.lookup_max = shared->queries_max + REFRESHES;
	worker->lookups.worker = worker->index;
	worker->lookups.registry = shared->registry;
	resolver_init(&worker->resolver, &worker->wheel, &worker->lookups, shared->cache,
		      &worker->stats, &shared->key);
	worker->resolver.waiting.max = shared->queries_max;
	worker->popular = popular_new();
	worker->resolver.rules = series_cells(shared->series->rules, worker->index);
	worker->resolver.zones = series_cells(shared->series->zones, worker->index);
	worker->resolver.ring = &shared->rings->rings[worker->index];
	worker->transfers = (struct transfers){
		.wheel = &worker->wheel,
		.stats = &worker->stats,
		.now_us = monotonic_us,
		.time_of_day_s = worker->resolver.time_of_day_s,
		.buffer = worker->resolver.buffer,
	};
	transfers_init(&worker->transfers);
	worker->resolver.transfers = &worker->transfers;
	worker->updates = (struct updates){
		.requests = shared->updates,
		.wheel = &worker->wheel,
		.buffer = worker->resolver.buffer,
		.time_of_day_s = worker->resolver.time_of_day_s,
		.wake = shared->on_release,
		.context = shared->context,
		.wake_worker = on_updates_back,
		.worker = worker,
	};
	worker->resolver.updates = &worker->updates;
	worker->asks = (struct ask_answerer){
		.resolver = &worker->resolver,
		.pool = &worker->pool,
		.caller = shared->caller,
		.wake = shared->on_release,
		.context = shared->context,
	};
	return err;
}

/* Call it when the loop has ended. */
static void worker_free(struct worker *worker)
{
	int err = uv_loop_close(&worker->loop);

	assert(err == 0);
	(void)err;
	bell_release(&worker->bell);
	inbound_worker_release(&worker->inbound);
	query_pool_release(&worker->pool);
	popular_free(worker->popular);
	free(worker);
}

struct worker *worker_start(unsigned index, const struct worker_shared *shared,
			    struct snapshot *first)
{
	struct worker *worker = calloc(1, sizeof *worker);
	int err;

	if (!worker)
		return NULL;
	worker->index = index;
	worker->shared = shared;
	atomic_init(&worker->next, first);
	err = open_loop(worker);
	if (err != 0) {
		free(worker);
		errno = -err;
		return NULL;
	}
	bell_ring(&worker->bell); /* for the first snapshot */
	err = init_parts(worker) == 0 ? uv_thread_create(&worker->thread, run, worker) : UV_ENOMEM;
	if (err == 0)
		return worker;
	shut(worker);
	uv_run(&worker->loop, UV_RUN_DEFAULT);
	worker_free(worker);
	errno = -err;
	return NULL;
}

void worker_publish(struct worker *worker, struct snapshot *snapshot)
{
	struct snapshot *skipped = atomic_exchange(&worker->next, snapshot);

	if (skipped)
		release_snapshot(worker, skipped);
	bell_ring(&worker->bell);
}

void worker_ask(struct worker *worker, struct ask_call *call)
{
	ask_answerer_post(&worker->asks, call);
	worker_wake(worker);
}

void worker_wake(struct worker *worker)
{
	bell_ring(&worker->bell);
}

void worker_stop(struct worker *worker)
{
	atomic_store(&worker->stopping, true);
	bell_ring(&worker->bell);
	uv_thread_join(&worker->thread);
	worker_free(worker);
}

void worker_drain(struct worker *worker)
{
	atomic_store(&worker->draining, true);
	worker_wake(worker);
}

void worker_leave(struct worker *worker)
{
	atomic_store(&worker->leaving, true);
	worker_wake(worker);
}

bool worker_is_drained(const struct worker *worker)
{
	return atomic_load(&worker->drained);
}

uint64_t worker_adopted(const struct worker *worker)
{
	return atomic_load_explicit(&worker->adopted, memory_order_acquire);
}

uint64_t worker_rounds(const struct worker *worker)
{
	return atomic_load_explicit(&worker->rounds, memory_order_relaxed);
}

const struct stats *worker_stats(const struct worker *worker)
{
	return &worker->stats;
}

struct popular *worker_popular(struct worker *worker)
{
	return worker->popular;
}

const struct latency *worker_latency(const struct worker *worker)
{
	return &worker->resolver.latency;
}
