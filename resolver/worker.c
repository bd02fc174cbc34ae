/* A worker's loop:
 *
 *     uv_poll: packets in ─► queries, replies      (inbound, outbound)
 *     timer:   the wheel's next due time
 *     async:   a new snapshot, or stop
 *     prepare: send all that was gathered in this round, set the timer      (before the loop
 * sleeps)
 *
 * A snapshot is held through a policy_hold of the worker's own, counted without atomics; when its
 * last user is gone the worker lets go of the snapshot, and the control thread frees it. */
#include "resolver/worker.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "endpoints/outbound.h"
#include "resolver/log.h"
#include "resolver/resolve.h"

struct worker_binding { /* what a query carries from the listener it came by */
	struct worker_hold *hold;
	bool vnet_resolver;
	uint32_t network;
};

struct worker_hold {             /* a snapshot as this worker uses it */
	struct policy_hold hold; /* first: see of_hold */
	struct worker *worker;
	struct snapshot *snapshot;
	struct worker_binding bindings[];
};

struct worker_listener { /* attached to the loop */
	struct worker_listener *next;
	const struct listener *listener;
	struct inbound *inbound;
	bool kept; /* while adopting */
};

struct worker {
	unsigned index;
	const struct worker_shared *shared;
	uv_thread_t thread;
	uv_loop_t loop;
	uv_async_t wake;
	uv_prepare_t prepare;
	uv_timer_t timer;
	_Atomic(struct snapshot *) next;
	atomic_bool stopping;
	struct worker_hold *current;
	struct worker_listener *listeners;

	struct wheel wheel;
	struct entropy entropy;
	struct query_pool pool;
	struct inbound_worker inbound;
	struct outbound outbound;
	struct pending_table pending;
	struct resolver resolver;
	struct stats stats;
};

static uint64_t monotonic_us(void *context)
{
	struct timespec now;

	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void on_query(void *context, struct query *query)
{
	struct worker *worker = context;
	const struct worker_binding *binding = query->binding;
	struct place place = {binding->network, false};

	if (binding->vnet_resolver)
		place = policy_place_of_client(binding->hold->hold.policy, &query->client);
	resolve_start(&worker->resolver, query, &binding->hold->hold, place, query->arrived_us);
}

/* ---- snapshots ---- */

static void release_snapshot(struct worker *worker, struct snapshot *snapshot)
{
	atomic_fetch_sub_explicit(&snapshot->users, 1, memory_order_acq_rel);
	worker->shared->on_release(worker->shared->context);
}

static void on_hold_idle(struct policy_hold *policy_hold)
{
	struct worker_hold *hold = (struct worker_hold *)policy_hold;

	release_snapshot(hold->worker, hold->snapshot);
	free(hold);
}

static struct worker_hold *hold_new(struct worker *worker, struct snapshot *snapshot)
{
	struct worker_hold *hold =
		malloc(sizeof *hold + snapshot->binding_count * sizeof hold->bindings[0]);

	if (!hold)
		return NULL;
	hold->worker = worker;
	hold->snapshot = snapshot;
	hold->hold = (struct policy_hold){.policy = snapshot->policy,
					  .cache = snapshot->cache,
					  .users = 1,
					  .on_idle = on_hold_idle};
	for (uint32_t i = 0; i < snapshot->binding_count; i++)
		hold->bindings[i] = (struct worker_binding){
			.hold = hold,
			.vnet_resolver = snapshot->bindings[i].vnet_resolver,
			.network = snapshot->bindings[i].network};
	return hold;
}

static void attach(struct worker *worker, struct listener *listener, struct worker_binding *binding)
{
	char text[HOST_TEXT_MAX];
	struct worker_listener *entry;

	for (entry = worker->listeners; entry; entry = entry->next) {
		if (entry->listener != listener)
			continue;
		inbound_rebind(entry->inbound, binding);
		entry->kept = true;
		return;
	}
	entry = calloc(1, sizeof *entry);
	if (!entry || inbound_start(&worker->inbound, listener, worker->index, binding,
				    &entry->inbound) != 0) {
		log_event(LOG_ERROR, "listen", "worker %u cannot serve %s", worker->index,
			  host_print(&listener->host, text));
		free(entry);
		return;
	}
	entry->listener = listener;
	entry->kept = true;
	entry->next = worker->listeners;
	worker->listeners = entry;
}

/* Keeps equal listeners as they are, starts new ones, stops those that are gone. */
static void adopt(struct worker *worker, struct snapshot *snapshot)
{
	struct worker_hold *hold = hold_new(worker, snapshot), *before = worker->current;

	if (!hold) {
		log_event(LOG_ERROR, "reload", "worker %u: out of memory, keeps the old policy",
			  worker->index);
		release_snapshot(worker, snapshot);
		return;
	}
	for (struct worker_listener *entry = worker->listeners; entry; entry = entry->next)
		entry->kept = false;
	worker->inbound.tcp = snapshot->tcp;
	worker->inbound.payload_max = (uint16_t)snapshot->policy->udp_payload_max;
	for (uint32_t i = 0; i < snapshot->binding_count; i++)
		attach(worker, snapshot->bindings[i].listener, &hold->bindings[i]);
	for (struct worker_listener **link = &worker->listeners, *entry; (entry = *link);) {
		if (entry->kept) {
			link = &entry->next;
			continue;
		}
		*link = entry->next;
		inbound_stop(entry->inbound);
		free(entry);
	}
	worker->current = hold;
	if (before)
		policy_hold_give(&before->hold);
}

/* ---- the loop ---- */

static void publish_stats(struct worker *worker)
{
	const struct inbound_counters *in = &worker->inbound.counters;
	struct stats *stats = &worker->stats;

	atomic_store_explicit(&stats->malformed, in->malformed + in->silent, memory_order_relaxed);
	atomic_store_explicit(&stats->asked, worker->pending.asked, memory_order_relaxed);
	atomic_store_explicit(&stats->coalesced, worker->pending.coalesced, memory_order_relaxed);
	atomic_store_explicit(&stats->mismatched, worker->pending.mismatched, memory_order_relaxed);
}

static void on_timer(uv_timer_t *timer)
{
	struct worker *worker = timer->data;

	wheel_advance(&worker->wheel, monotonic_us(NULL));
}

static void set_timer(struct worker *worker)
{
	uint64_t next_us = wheel_next_us(&worker->wheel), now_us;

	if (next_us == UINT64_MAX) {
		uv_timer_stop(&worker->timer);
		return;
	}
	now_us = monotonic_us(NULL);
	uv_update_time(&worker->loop);
	uv_timer_start(&worker->timer, on_timer,
		       next_us > now_us ? (next_us - now_us + 999) / 1000 : 0, 0);
}

static void on_prepare(uv_prepare_t *prepare)
{
	struct worker *worker = prepare->data;

	outbound_flush(&worker->outbound);
	inbound_flush(&worker->inbound);
	publish_stats(worker);
	set_timer(worker);
}

/* Everything that keeps the loop alive is closed; it ends when the last handle has. */
static void shut(struct worker *worker)
{
	resolver_abandon(&worker->resolver);
	while (worker->listeners) {
		struct worker_listener *entry = worker->listeners;

		worker->listeners = entry->next;
		inbound_stop(entry->inbound);
		free(entry);
	}
	pending_table_release(&worker->pending);
	outbound_release(&worker->outbound);
	if (worker->current)
		policy_hold_give(&worker->current->hold);
	worker->current = NULL;
	uv_close((uv_handle_t *)&worker->timer, NULL);
	uv_close((uv_handle_t *)&worker->prepare, NULL);
	uv_close((uv_handle_t *)&worker->wake, NULL);
}

static void on_wake(uv_async_t *wake)
{
	struct worker *worker = wake->data;
	struct snapshot *snapshot = atomic_exchange(&worker->next, NULL);

	if (atomic_load(&worker->stopping)) {
		if (snapshot)
			release_snapshot(worker, snapshot);
		shut(worker);
	} else if (snapshot) {
		adopt(worker, snapshot);
	}
}

static void run(void *argument)
{
	struct worker *worker = argument;

	uv_run(&worker->loop, UV_RUN_DEFAULT);
}

/* ---- the other threads' side ---- */

static int init_handles(struct worker *worker)
{
	if (uv_loop_init(&worker->loop) != 0)
		return ERR_SYSTEM;
	if (uv_async_init(&worker->loop, &worker->wake, on_wake) != 0)
		return ERR_SYSTEM;
	uv_prepare_init(&worker->loop, &worker->prepare);
	uv_timer_init(&worker->loop, &worker->timer);
	worker->wake.data = worker->prepare.data = worker->timer.data = worker;
	return uv_prepare_start(&worker->prepare, on_prepare) == 0 ? 0 : ERR_SYSTEM;
}

static int init_parts(struct worker *worker)
{
	const struct worker_shared *shared = worker->shared;

	wheel_init(&worker->wheel, monotonic_us(NULL));
	entropy_init(&worker->entropy);
	query_pool_init(&worker->pool, shared->queries_max);
	worker->inbound = (struct inbound_worker){
		.loop = &worker->loop,
		.wheel = &worker->wheel,
		.pool = &worker->pool,
		.key = &shared->key,
		.now_us = monotonic_us,
		.on_query = on_query,
		.context = worker,
	};
	int err = pending_table_init(&worker->pending, &worker->wheel, &worker->entropy,
				     &shared->key);
	if (!err)
		err = outbound_init(&worker->outbound, &worker->loop, &worker->wheel,
				    &worker->entropy, &worker->pending, shared->ports_max,
				    monotonic_us, NULL);
	worker->pending.transport = &worker->outbound;
	worker->pending.send = outbound_send;
	worker->pending.forget = outbound_forget;
	worker->pending.pending_max = shared->queries_max;
	resolver_init(&worker->resolver, &worker->wheel, &worker->pending, shared->cache,
		      &worker->stats, &shared->key);
	return err;
}

struct worker *worker_start(unsigned index, const struct worker_shared *shared,
			    struct snapshot *first)
{
	struct worker *worker = calloc(1, sizeof *worker);

	if (!worker)
		return NULL;
	worker->index = index;
	worker->shared = shared;
	atomic_init(&worker->next, first);
	if (init_handles(worker) != 0 || init_parts(worker) != 0 ||
	    uv_async_send(&worker->wake) != 0 ||
	    uv_thread_create(&worker->thread, run, worker) != 0) {
		free(worker); /* the process ends: it could not start */
		return NULL;
	}
	return worker;
}

void worker_publish(struct worker *worker, struct snapshot *snapshot)
{
	struct snapshot *skipped = atomic_exchange(&worker->next, snapshot);

	if (skipped)
		release_snapshot(worker, skipped);
	uv_async_send(&worker->wake);
}

void worker_stop(struct worker *worker)
{
	atomic_store(&worker->stopping, true);
	uv_async_send(&worker->wake);
	uv_thread_join(&worker->thread);
	uv_loop_close(&worker->loop);
	query_pool_release(&worker->pool);
	free(worker);
}

const struct stats *worker_stats(const struct worker *worker)
{
	return &worker->stats;
}
