/* The running server, for the control thread. Listeners outlive snapshots. If the new policy has
 * the same host, its listener stays untouched. A new listener is opened before anything else
 * changes. Workers close a removed one when they adopt the snapshot, and its struct is freed here
 * with the last snapshot that names it.
 *
 *     current ──older──► snapshot ──older──► snapshot       (freed when users reaches 0)
 *        │                  │
 *        └─ bindings ─┐     └─ bindings ─┐
 *                     ▼                  ▼
 *     listeners:    kept              gone, waiting
 *
 * Not here: reading files, sockets of the management plane, signals. */
#include "resolver/server/server.h"

#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "endpoints/entropy.h"
#include "endpoints/outbound/outbound.h"
#include "endpoints/socket.h"
#include "resolver/log.h"
#include "rules/schema/reference.h"
#include "rules/text.h"

enum {
	MALLOC_MAP_BYTES = 32 << 20, /* smaller freed blocks are kept for reuse */
	SERVER_QUERIES_MAX = 32768,  /* waiting for a target, per worker: 4 s of 8000 a second */
	SERVER_CACHE_FIRST = 1 << 20,
	SERVER_PORTS_MIN = 16,
	/* How long a change waits, for all its hosts together, until workers have closed hosts that
	 * an earlier change removed. They do that in their next loop round. */
	SERVER_CLOSE_WAIT_US = 100 * 1000,
	SERVER_CLOSE_STEP_US = 500,
	/* How many endpoints are counted by name; others are counted together. */
	ENDPOINTS_MAX = 4096,
	NAMES_MAX = 1 << 20, /* the same for rules, and for zones */
};

int server_init(struct server *server, unsigned workers, const struct hash_key *key,
		void (*on_release)(void *context), void *context)
{
	assert(workers > 0);
	mallopt(M_MMAP_THRESHOLD, MALLOC_MAP_BYTES); /* see grow_heap in worker.c */
	mallopt(M_TRIM_THRESHOLD, 2 * MALLOC_MAP_BYTES);
	memset(server, 0, sizeof *server);
	server->key = *key;
	server->worker_count = workers;
	server->started_us = uv_hrtime() / 1000;
	server->cache = cache_new(SERVER_CACHE_FIRST);
	server->registry = target_registry_new();
	server->meters = meter_registry_new(key);
	server->series.endpoints = series_set_new(
		workers, sizeof(struct endpoint_stats) / sizeof(uint64_t), ENDPOINTS_MAX);
	server->series.rules = series_set_new(workers, RULE_COUNTERS, NAMES_MAX);
	server->series.zones = series_set_new(workers, ZONE_COUNTERS, NAMES_MAX);
	server->series.outcomes = outcomes_registry_new();
	server->responses = response_limit_new(key);
	server->workers = calloc(workers, sizeof(struct worker *));
	server->rounds = calloc(workers, sizeof *server->rounds);
	update_requests_init(&server->updates, key, (uint64_t)time(NULL));
	int err = query_rings_init(&server->rings, workers);
	struct hash_key cookie_key;
	entropy_read(&cookie_key, sizeof cookie_key);
	server->shared = (struct worker_shared){
		.cookie_key = cookie_key,
		.cache = server->cache,
		.responses = server->responses,
		.series = &server->series,
		.registry = server->registry,
		.caller = &server->caller,
		.updates = &server->updates,
		.rings = &server->rings,
		.key = *key,
		.workers = workers,
		.queries_max = SERVER_QUERIES_MAX,
		.on_release = on_release,
		.context = context,
	};
	if (server->cache && server->registry && server->meters && server->series.endpoints &&
	    server->series.rules && server->series.zones && server->series.outcomes &&
	    server->responses && server->workers && server->rounds && !err)
		return 0;
	server_release(server);
	return ERR_NOMEM;
}

/* ---- listeners ---- */

static bool snapshot_names(const struct snapshot *snapshot, const struct listener *listener)
{
	for (uint32_t i = 0; i < snapshot->binding_count; i++)
		if (snapshot->bindings[i].listener == listener)
			return true;
	return false;
}

static struct listener *find_kept(const struct server *server, const struct host *host)
{
	const struct snapshot *current = server->current;

	for (uint32_t i = 0; current && i < current->binding_count; i++) {
		struct listener *listener = current->bindings[i].listener;

		if (host_equal(&listener->host, host) && listener->workers == server->worker_count)
			return listener;
	}
	for (unsigned i = 0; server->ahead && i < server->listener_count; i++) /* see server_open */
		if (host_equal(&server->listeners[i]->host, host))
			return server->listeners[i];
	return NULL;
}

/* Whether a worker still has sockets open on a host that the current policy does not have. */
static bool is_closing(const struct server *server, const struct host *host)
{
	for (unsigned i = 0; i < server->listener_count; i++)
		if (host_equal(&server->listeners[i]->host, host) &&
		    listener_is_open(server->listeners[i]) &&
		    !(server->current && snapshot_names(server->current, server->listeners[i])))
			return true;
	return false;
}

/* False: at the time until_us the host is still open. */
static bool wait_until_closed(const struct server *server, const struct host *host,
			      uint64_t until_us)
{
	struct timespec step = {.tv_nsec = SERVER_CLOSE_STEP_US * 1000L};

	while (is_closing(server, host)) {
		if (uv_hrtime() / 1000 >= until_us)
			return false;
		nanosleep(&step, NULL);
	}
	return true;
}

static struct origin listen_origin(const struct model *model, const char *endpoint)
{
	struct dns_resolver *resolver;
	const struct inbound_endpoint *inbound =
		endpoint ? model_inbound(model, NULL, endpoint, &resolver) : NULL;

	return inbound ? inbound->origin : model->vnet_resolver.origin;
}

struct binding_all { /* a snapshot's listeners */
	struct server *server;
	struct snapshot *snapshot;
	struct faults *faults;
	uint64_t until_us; /* until when to wait for hosts that are being closed */
};

static bool is_bound_twice(const struct snapshot *snapshot, const struct host *host)
{
	for (uint32_t i = 0; i < snapshot->binding_count; i++)
		if (host_equal(&snapshot->bindings[i].host, host))
			return true;
	return false;
}

/* Whether the host overlaps one of our listeners. No policy has two listeners that overlap, so the
 * listener found here is about to be closed. */
static bool is_beside_ours(const struct server *server, const struct host *host)
{
	for (unsigned i = 0; i < server->listener_count; i++)
		if (host_overlaps(&server->listeners[i]->host, host))
			return true;
	return false;
}

static struct listener *open_listener(const struct server *server, const struct host *host,
				      char error[LISTENER_ERROR_MAX])
{
	const struct server_sockets *sockets = &server->sockets;

	return sockets->open ? sockets->open(sockets->context, host, server->worker_count, error)
			     : listener_open(host, server->worker_count,
					     is_beside_ours(server, host), error);
}

static void give_up_host(const struct server *server, const struct host *host)
{
	if (server->sockets.close)
		server->sockets.close(server->sockets.context, host);
}

/* Keeps a listener or opens one; NULL: `error` says why. */
static struct listener *find_or_open(const struct binding_all *all, const struct host *host,
				     char error[LISTENER_ERROR_MAX])
{
	char text[HOST_TEXT_MAX];
	struct listener *kept = find_kept(all->server, host);

	if (kept)
		return kept;
	if (wait_until_closed(all->server, host, all->until_us))
		return open_listener(all->server, host, error);
	snprintf(error, LISTENER_ERROR_MAX,
		 "%s is still being closed after the last change; reload again",
		 host_print(host, text));
	return NULL;
}

/* Adds the wanted binding; false: a fault. */
static bool bind_one(const struct binding_all *all, const struct snapshot_binding *wanted,
		     const struct origin *origin)
{
	char text[HOST_TEXT_MAX], error[LISTENER_ERROR_MAX];
	struct snapshot *snapshot = all->snapshot;
	struct snapshot_binding *binding = &snapshot->bindings[snapshot->binding_count];

	if (is_bound_twice(snapshot, &wanted->host)) {
		fault_add(all->faults, FAULT_ERROR, origin, "listen",
			  "%s is listened on twice; give each endpoint its own address or port",
			  host_print(&wanted->host, text));
		return false;
	}
	*binding = *wanted;
	binding->listener = find_or_open(all, &wanted->host, error);
	if (!binding->listener) {
		fault_add(all->faults, FAULT_ERROR, origin, "listen", "%s", error);
		return false;
	}
	snapshot->binding_count++;
	return true;
}

/* An endpoint keeps its number as long as the server runs. */
static uint32_t number_endpoint(const struct server *server, const char *name)
{
	return series_acquire(server->series.endpoints, "", name);
}

/* Fills in the snapshot's bindings; every listener that cannot be opened is a fault. */
static int bind_all(struct server *server, struct snapshot *snapshot, const struct model *model,
		    struct faults *faults)
{
	const struct policy *policy = snapshot->policy;
	struct binding_all all = {.server = server,
				  .snapshot = snapshot,
				  .faults = faults,
				  .until_us = uv_hrtime() / 1000 + SERVER_CLOSE_WAIT_US};
	bool fine = true;

	if (server->silent)
		return 0;
	for (uint32_t i = 0; i < policy->inbound_count; i++) {
		const struct policy_inbound *inbound = &policy->inbounds[i];
		struct snapshot_binding wanted = {
			.host = inbound->listen,
			.network = inbound->network,
			.series = number_endpoint(server, inbound->name),
			.endpoint = inbound->name,
			.admission = {.access = inbound->access,
				      .meter = snapshot->inbound_meters[i],
				      .excess = snapshot->excess}};
		struct origin origin = listen_origin(model, inbound->name);

		fine = bind_one(&all, &wanted, &origin) && fine;
	}
	for (uint32_t i = 0; i < policy->vnet_listen_count; i++) {
		struct snapshot_binding wanted = {
			.host = policy->vnet_listens[i],
			.vnet_resolver = true,
			.network = NETWORK_NONE,
			.series = number_endpoint(server, SERVER_VNET_ENDPOINT),
			.admission.access = policy->vnet_access};
		struct origin origin = listen_origin(model, NULL);

		fine = bind_one(&all, &wanted, &origin) && fine;
	}
	return fine ? 0 : ERR_FAULTS;
}

static bool is_listed(const struct server *server, const struct listener *listener)
{
	for (unsigned i = 0; i < server->listener_count; i++)
		if (server->listeners[i] == listener)
			return true;
	return false;
}

static void close_new(const struct server *server, struct snapshot *snapshot)
{
	for (uint32_t i = 0; i < snapshot->binding_count; i++)
		if (!is_listed(server, snapshot->bindings[i].listener)) {
			listener_close(snapshot->bindings[i].listener);
			give_up_host(server, &snapshot->bindings[i].host);
		}
}

/* Makes room in the list for more listeners. */
static int reserve_list(struct server *server, size_t more)
{
	size_t room = server->listener_count + more;
	struct listener **listeners =
		realloc(server->listeners, (room ? room : 1) * sizeof(struct listener *));

	if (!listeners)
		return ERR_NOMEM;
	server->listeners = listeners;
	return 0;
}

static void list_new(struct server *server, const struct snapshot *snapshot)
{
	for (uint32_t i = 0; i < snapshot->binding_count; i++)
		if (!is_listed(server, snapshot->bindings[i].listener))
			server->listeners[server->listener_count++] =
				snapshot->bindings[i].listener;
}

static void log_listeners(struct server *server, const struct snapshot *before,
			  const struct snapshot *now)
{
	char text[HOST_TEXT_MAX];

	server->listeners_added = server->listeners_removed = 0;
	for (uint32_t i = 0; i < now->binding_count; i++) {
		const struct snapshot_binding *binding = &now->bindings[i];

		if (before && snapshot_names(before, binding->listener))
			continue;
		server->listeners_added++;
		log_event(LOG_INFO, "listen", "listening on %s for %s%s",
			  host_print(&binding->host, text),
			  binding->vnet_resolver ? "the VNet resolver" : "network ",
			  binding->vnet_resolver ? ""
						 : now->policy->networks[binding->network].name);
		if (socket_address_is_missing(&binding->host.address))
			log_event(
				LOG_WARNING, "listen",
				"no interface has the address of %s; it is served once one has it",
				host_print(&binding->host, text));
	}
	for (uint32_t i = 0; before && i < before->binding_count; i++) {
		if (snapshot_names(now, before->bindings[i].listener))
			continue;
		server->listeners_removed++;
		give_up_host(server, &before->bindings[i].host);
		log_event(LOG_INFO, "listen", "no longer listening on %s",
			  host_print(&before->bindings[i].host, text));
	}
}

/* ---- workers ---- */

/* Half of the allowed descriptors are for source ports, divided among the workers: first for the
 * sources of this snapshot, then for lanes of busy targets. A lane has as many ports as a source,
 * but two sockets for each. The other half of the descriptors is for clients' connections, TCP to
 * targets, and sources of the former snapshot that are still in use. A source that the system
 * chooses counts twice, because it may be used with both families. */
static void share_ports(struct snapshot *snapshot, unsigned workers)
{
	struct rlimit limit;
	size_t sources = 0;

	snapshot->ports_max = OUTBOUND_PORTS;
	snapshot->lanes_max = OUTBOUND_LANES;
	for (size_t i = 0; i < snapshot->source_count; i++)
		sources += snapshot->sources[i].family ? 1 : 2;
	if (sources == 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
	    limit.rlim_cur == RLIM_INFINITY)
		return;
	uint64_t all = (uint64_t)limit.rlim_cur / 2 / workers, share = all / sources;
	if (share < OUTBOUND_PORTS) {
		snapshot->ports_max = share < SERVER_PORTS_MIN ? SERVER_PORTS_MIN : (unsigned)share;
		snapshot->lanes_max = 0;
		return;
	}
	uint64_t lanes = (all - sources * OUTBOUND_PORTS) / (2 * OUTBOUND_PORTS);
	if (lanes < OUTBOUND_LANES)
		snapshot->lanes_max = (unsigned)lanes;
}

/* A forger must guess the port (RFC 5452 section 9.2), so few ports are a danger that nothing else
 * would show. The ports of all workers count together. */
static void warn_of_ports(const struct snapshot *snapshot, unsigned workers,
			  const struct origin *origin, struct faults *faults)
{
	if (snapshot->source_count == 0 || snapshot->ports_max * workers >= OUTBOUND_PORTS)
		return;
	fault_add(faults, FAULT_WARNING, origin, NULL,
		  "questions leave from %u source port%s per address, too few against forged "
		  "answers (%u are enough); allow more descriptors (ulimit -n, LimitNOFILE= of the "
		  "unit)",
		  snapshot->ports_max * workers,
		  text_plural(snapshot->ports_max * workers, "", "s"), OUTBOUND_PORTS);
}

/* Advice for a worker that cannot be started. */
static const char *start_advice(int error)
{
	switch (error) {
	case EMFILE:
		return "allow more descriptors (ulimit -n, LimitNOFILE= of the unit), or set "
		       "fewer workers";
	case ENFILE: return "allow the system more descriptors (sysctl fs.file-max)";
	case EAGAIN:
		return "allow more threads (ulimit -u, TasksMax= of the unit), or set fewer "
		       "workers";
	default: return "set fewer workers, or give the system more memory";
	}
}

/* Stores the snapshot's serials, just before workers answer from the snapshot. Nothing can fail
 * after this call, except in start_workers, where a worker may not start. */
static void keep_serials(const struct server *server, const struct snapshot *snapshot)
{
	if (snapshot->transfers)
		transfer_table_keep(snapshot->transfers, &server->keeper);
}

static int start_workers(struct server *server, struct snapshot *snapshot,
			 const struct origin *origin, struct faults *faults)
{
	keep_serials(server, snapshot);
	for (unsigned i = 0; i < server->worker_count; i++) {
		server->workers[i] = worker_start(i, &server->shared, snapshot);
		if (server->workers[i])
			continue;
		fault_add(faults, FAULT_ERROR, origin, NULL,
			  "worker %u of %u cannot be started: %s; %s", i + 1, server->worker_count,
			  strerror(errno), start_advice(errno));
		while (i-- > 0) {
			worker_stop(server->workers[i]);
			server->workers[i] = NULL;
		}
		return ERR_SYSTEM;
	}
	return 0;
}

static void hand_out(struct server *server, struct snapshot *snapshot)
{
	/* A snapshot that was made earlier would undo those handed out since. */
	assert(snapshot->sequence == server->sequence + 1);
	server->sequence = snapshot->sequence;
	snapshot->older = server->current;
	server->current = snapshot;
	if (!snapshot->older) /* the workers have started with it */
		return;
	keep_serials(server, snapshot);
	for (unsigned i = 0; i < server->worker_count; i++)
		if (server->workers[i]) /* NULL once stopped, see server_stop */
			worker_publish(server->workers[i], snapshot);
}

/* Publishes the snapshot; nothing can fail from here on. */
static void publish(struct server *server, struct snapshot *snapshot)
{
	list_new(server, snapshot);
	meter_registry_set_rate(server->meters, snapshot->queries_per_second);
	hand_out(server, snapshot);
	/* A worker that skips a snapshot never takes its sockets of a listener that only that
	 * snapshot had. They are closed here. */
	for (unsigned i = 0; !server->silent && i < server->listener_count; i++)
		if (!snapshot_names(snapshot, server->listeners[i]))
			listener_withdraw(server->listeners[i]);
	server->ahead = server->silent;
	log_listeners(server, snapshot->older, snapshot);
}

/* Makes the table of transferred zones, unless the model has neither such zones nor keys. */
static int compile_transfers(struct server *server, struct snapshot *snapshot,
			     const struct model *model)
{
	const struct transfer_table *before = server->current ? server->current->transfers : NULL;

	if (server->transfers_anew)
		before = NULL;
	if (model->transfers.count == 0 && model->keys.count == 0)
		return 0;
	return transfer_table_compile(&snapshot->transfers, model, snapshot->policy, before,
				      &server->keeper, (uint64_t)time(NULL));
}

static const struct policy *served_policy(const struct server *server)
{
	return server->current ? server->current->policy : NULL;
}

/* The current registered records, which may be newer than those of a policy compiled in advance. */
static struct registered *served_registered(const struct server *server)
{
	const struct policy *policy = served_policy(server);

	return server->registered ? server->registered : policy ? policy->registered : NULL;
}

struct policy *server_compile(const struct server *server, const struct model *model)
{
	return policy_compile_with(model, &server->key, served_policy(server),
				   served_registered(server));
}

int server_attach_some(struct server *server, struct policy *compiled, size_t rules)
{
	return snapshot_attach_some(compiled, server->registry, server->meters, &server->series,
				    rules);
}

/* Makes policy and bindings, and changes nothing else, so that a model with faults leaves the
 * served one alone. NULL: the faults say why. */
static struct snapshot *make_snapshot(struct server *server, const struct model *model,
				      const struct policy *compiled, struct faults *faults)
{
	struct policy *policy = policy_compile_with(model, &server->key,
						    compiled ? compiled : served_policy(server),
						    served_registered(server));
	struct snapshot *snapshot = policy ? snapshot_new(policy, server->registry, server->meters,
							  &server->series, model)
					   : NULL;

	if (!snapshot) {
		fault_add(faults, FAULT_ERROR, &model->origin, NULL, "%s", err_text(ERR_NOMEM));
		return NULL;
	}
	int err = bind_all(server, snapshot, model, faults);
	if (err == 0) {
		err = worker_prepare(snapshot, server->worker_count);
		if (err == 0)
			err = compile_transfers(server, snapshot, model);
		if (err != 0)
			fault_add(faults, FAULT_ERROR, &model->origin, NULL, "%s", err_text(err));
	}
	if (err != 0) {
		close_new(server, snapshot);
		snapshot_free(snapshot);
		return NULL;
	}
	share_ports(snapshot, server->worker_count);
	warn_of_ports(snapshot, server->worker_count, &model->origin, faults);
	/* The times are for Prometheus and the dashboard. */
	snapshot->timed = model->metrics.listen.count > 0 || model->management.listen.count > 0;
	snapshot->accepts_updates = model->registration.count > 0;
	snapshot->generation = server->generation + 1;
	snapshot->sequence = server->sequence + 1;
	atomic_store(&snapshot->users, server->worker_count);
	return snapshot;
}

/* ---- releasing ---- */

static bool is_named(const struct server *server, const struct listener *listener)
{
	for (const struct snapshot *at = server->current; at; at = at->older)
		if (snapshot_names(at, listener))
			return true;
	return false;
}

/* Whether the rings still have records of this snapshot, which no worker uses any more. */
static bool is_noted(struct server *server, struct snapshot *snapshot)
{
	if (!snapshot->ring_mark) {
		snapshot->ring_mark = calloc(server->worker_count, sizeof *snapshot->ring_mark);
		if (!snapshot->ring_mark)
			return true; /* the next call tries again */
		query_rings_mark(&server->rings, snapshot->ring_mark);
	}
	return !query_rings_passed(&server->rings, snapshot->ring_mark);
}

static void free_old(struct server *server)
{
	struct snapshot **link = server->current ? &server->current->older : NULL;

	while (link && *link) {
		struct snapshot *snapshot = *link;

		if (atomic_load_explicit(&snapshot->users, memory_order_acquire) > 0 ||
		    is_noted(server, snapshot)) {
			link = &snapshot->older;
			continue;
		}
		*link = snapshot->older;
		snapshot_free(snapshot);
	}
	unsigned kept = 0;
	for (unsigned i = 0; i < server->listener_count; i++) {
		if (server->ahead || is_named(server, server->listeners[i]))
			server->listeners[kept++] = server->listeners[i];
		else
			listener_close(server->listeners[i]);
	}
	server->listener_count = kept;
}

/* ---- the interface ---- */

static int open_ahead(struct server *server, const struct host *host, const struct origin *origin,
		      struct faults *faults)
{
	char error[LISTENER_ERROR_MAX];

	if (find_kept(server, host)) /* a duplicate, which server_apply makes a fault */
		return 0;
	if (reserve_list(server, 1) != 0) {
		fault_add(faults, FAULT_ERROR, origin, "listen", "%s", err_text(ERR_NOMEM));
		return ERR_FAULTS;
	}
	struct listener *listener = open_listener(server, host, error);
	if (!listener) {
		fault_add(faults, FAULT_ERROR, origin, "listen", "%s", error);
		return ERR_FAULTS;
	}
	server->listeners[server->listener_count++] = listener;
	return 0;
}

int server_open(struct server *server, const struct model *model, struct faults *faults)
{
	int err = 0, failed;

	assert(!server->current);
	server->ahead = true;
	for (size_t r = 0; r < model->resolvers.count; r++) {
		const struct dns_resolver *resolver = &model->resolvers.items[r];

		for (size_t i = 0; i < resolver->inbound_endpoints.count; i++) {
			const struct inbound_endpoint *at = &resolver->inbound_endpoints.items[i];

			failed = open_ahead(server, &at->listen, &at->origin, faults);
			err = failed ? failed : err;
		}
	}
	for (size_t i = 0; i < model->vnet_resolver.listen.count; i++) {
		failed = open_ahead(server, &model->vnet_resolver.listen.items[i],
				    &model->vnet_resolver.origin, faults);
		err = failed ? failed : err;
	}
	return err;
}

int server_prepare(struct server *server, const struct model *model, const struct policy *compiled,
		   struct snapshot **snapshot, struct faults *faults)
{
	*snapshot = make_snapshot(server, model, compiled, faults);
	if (!*snapshot)
		return ERR_FAULTS;
	int err = reserve_list(server, (*snapshot)->binding_count);
	if (err != 0)
		fault_add(faults, FAULT_ERROR, &model->origin, NULL, "%s", err_text(err));
	else if (!server->current)
		err = start_workers(server, *snapshot, &model->origin, faults);
	if (err == 0)
		return 0;
	server_discard(server, *snapshot);
	*snapshot = NULL;
	return err;
}

void server_discard(struct server *server, struct snapshot *snapshot)
{
	if (!server->current)
		server_stop(server); /* workers have no snapshot to answer from */
	close_new(server, snapshot);
	snapshot_free(snapshot);
}

void server_publish(struct server *server, struct snapshot *snapshot, struct model *model)
{
	assert(snapshot->generation == server->generation + 1);
	publish(server, snapshot);
	server->awaited = server->sequence;
	cache_resize(server->cache, model->cache.size_bytes);
	if (server->model != model)
		model_free(server->model);
	server->model = model;
	server->generation = snapshot->generation;
	server->transfers_anew = false;
	registered_unref(server->registered);
	server->registered = NULL;
	server->loaded_at = time(NULL);
	free_old(server);
}

int server_apply(struct server *server, struct model *model, struct faults *faults)
{
	struct snapshot *snapshot;
	int err = server_prepare(server, model, NULL, &snapshot, faults);

	if (err == 0)
		server_publish(server, snapshot, model);
	return err;
}

/* Makes a snapshot like the served one, but with these two tables. NULL: out of memory. */
static struct snapshot *prepare_tables(struct server *server, struct owned *owned,
				       struct registered *registered)
{
	const struct snapshot *current = server->current;

	assert(current);
	struct snapshot *snapshot = snapshot_with_owned(current, owned, registered);
	if (!snapshot)
		return NULL;
	int err = worker_prepare(snapshot, server->worker_count);
	if (err == 0 && current->transfers)
		err = transfer_table_advance(&snapshot->transfers, snapshot->policy,
					     current->transfers, (uint64_t)time(NULL));
	if (err == 0)
		return snapshot;
	snapshot_free(snapshot);
	return NULL;
}

/* Leaves the model alone: model->owned was set before, if our addresses have changed. */
static void publish_tables(struct server *server, struct snapshot *snapshot)
{
	atomic_store(&snapshot->users, server->worker_count);
	snapshot->sequence = server->sequence + 1;
	hand_out(server, snapshot);
	free_old(server);
}

/* Whether the workers' table of our addresses is older than the last published one. */
static bool is_behind(const struct server *server)
{
	const struct owned *owned = server->current ? server->model->owned : NULL;

	return owned && owned != server->current->policy->owned;
}

bool server_catch_up(struct server *server)
{
	struct snapshot *snapshot = is_behind(server)
					    ? prepare_tables(server, server->model->owned,
							     server->current->policy->registered)
					    : NULL;

	if (snapshot) {
		publish_tables(server, snapshot);
		server->awaited = server->sequence;
	}
	return !is_behind(server);
}

void server_publish_owned(struct server *server, struct owned *owned)
{
	owned_ref(owned);
	owned_unref(server->model->owned);
	server->model->owned = owned;
	(void)server_catch_up(server);
}

struct snapshot *server_prepare_registered(struct server *server, struct registered *registered)
{
	return prepare_tables(server, server->current->policy->owned, registered);
}

void server_publish_registered(struct server *server, struct snapshot *snapshot)
{
	publish_tables(server, snapshot);
}

bool server_has_adopted(const struct server *server, uint64_t sequence)
{
	for (unsigned i = 0; i < server->worker_count; i++)
		if (server->workers[i] && worker_adopted(server->workers[i]) < sequence)
			return false;
	return true;
}

bool server_all_adopted(const struct server *server)
{
	return !is_behind(server) && server_has_adopted(server, server->awaited);
}

void server_drain(struct server *server)
{
	update_requests_close(&server->updates);
	for (unsigned i = 0; i < server->worker_count; i++)
		worker_drain(server->workers[i]);
}

void server_leave(struct server *server)
{
	for (unsigned i = 0; i < server->worker_count; i++)
		worker_leave(server->workers[i]);
}

bool server_is_drained(const struct server *server)
{
	for (unsigned i = 0; i < server->worker_count; i++)
		if (!worker_is_drained(server->workers[i]))
			return false;
	return true;
}

bool server_is_alive(struct server *server)
{
	bool alive = true;

	for (unsigned i = 0; i < server->worker_count; i++) {
		if (!server->workers[i])
			continue;
		uint64_t rounds = worker_rounds(server->workers[i]);
		alive = alive && rounds != server->rounds[i];
		server->rounds[i] = rounds;
		worker_wake(server->workers[i]);
	}
	return alive;
}

static void refuse_all(struct server *server, struct update_request *request)
{
	struct update_request *next;

	for (; request; request = next) {
		next = request->next;
		update_request_answer(&server->updates, request, RCODE_REFUSED);
	}
}

static void hand_out_updates(struct server *server)
{
	const struct server_registrar *registrar = &server->registrar;
	struct update_request *requests =
		update_requests_take(&server->updates, (uint64_t)time(NULL));

	if (!requests)
		return;
	if (registrar->on_requests)
		registrar->on_requests(registrar->context, requests);
	else
		refuse_all(server, requests);
}

void server_collect(struct server *server)
{
	free_old(server);
	ask_caller_collect(&server->caller);
	hand_out_updates(server);
}

void server_stop(struct server *server)
{
	for (unsigned i = 0; server->workers && i < server->worker_count; i++) {
		if (server->workers[i])
			worker_stop(server->workers[i]);
		server->workers[i] = NULL;
	}
	ask_caller_collect(&server->caller);
	update_requests_drop_all(&server->updates);
}

void server_release(struct server *server)
{
	server_stop(server);
	while (server->current) {
		struct snapshot *snapshot = server->current;

		server->current = snapshot->older;
		snapshot_free(snapshot);
	}
	for (unsigned i = 0; i < server->listener_count; i++)
		listener_close(server->listeners[i]);
	free(server->listeners);
	free(server->workers);
	free(server->rounds);
	cache_free(server->cache);
	target_registry_free(server->registry);
	meter_registry_free(server->meters);
	series_set_free(server->series.endpoints);
	series_set_free(server->series.rules);
	series_set_free(server->series.zones);
	outcomes_registry_free(server->series.outcomes);
	response_limit_free(server->responses);
	query_rings_release(&server->rings);
	update_requests_release(&server->updates);
	registered_unref(server->registered);
	model_free(server->model);
	memset(server, 0, sizeof *server);
}

/* ---- questions of our own ---- */

int server_ask(struct server *server, const struct ask_question *question,
	       void (*on_answer)(void *context, const struct ask_answer *answer), void *context)
{
	struct worker *worker = server->workers[server->next_asked++ % server->worker_count];
	struct ask_call *call;

	if (!worker)
		return ERR_LIMIT;
	int err = ask_caller_begin(&server->caller, question, on_answer, context, &call);
	if (err == 0)
		worker_ask(worker, call);
	return err;
}

void server_read_stats(const struct server *server, struct stats *sum)
{
	struct endpoint_stats endpoints;

	memset(sum, 0, sizeof *sum);
	memset(&endpoints, 0, sizeof endpoints);
	for (unsigned i = 0; i < server->worker_count; i++)
		if (server->workers[i])
			stats_sum(sum, worker_stats(server->workers[i]));
	series_total(server->series.endpoints, (_Atomic uint64_t *)(void *)&endpoints);
	stats_sum_endpoint(sum, &endpoints);
}

void server_read_latency(const struct server *server, struct histogram sums[LATENCY_SOURCES])
{
	memset(sums, 0, LATENCY_SOURCES * sizeof *sums);
	for (unsigned i = 0; i < server->worker_count; i++)
		for (unsigned k = 0; server->workers[i] && k < LATENCY_SOURCES; k++)
			histogram_sum(&sums[k], &worker_latency(server->workers[i])->sources[k]);
}

void server_each_popular(struct server *server,
			 void (*on_question)(void *context,
					     const struct popular_question *question),
			 void *context)
{
	for (unsigned i = 0; i < server->worker_count; i++)
		if (server->workers[i] && worker_popular(server->workers[i]))
			popular_each(worker_popular(server->workers[i]), &server->key,
				     uv_hrtime() / 1000, on_question, context);
}
