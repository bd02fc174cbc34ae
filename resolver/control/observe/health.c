/* Beside each target and source stands what was last told of it. A look reads how all of them are
 * now, then tells the changes, and only then takes over what was told: so a reach compares the
 * whole of before with the whole of now, and two targets that come back within one look both say
 * which rules they have brought back.
 *
 * Targets have references of their own in here, so that what was told of one outlives a reload that
 * keeps it; which ones there are is looked up once for each generation. */
#include "resolver/control/observe/health.h"

#include <stdlib.h>
#include <uthash.h>

struct seen_target {
	struct target *target;
	bool told, now;        /* it is suspect */
	bool due;              /* its change is told in this look */
	uint64_t since_us;     /* of the suspicion that was told */
	uint64_t now_since_us; /* of the present one */
	uint64_t back_us;      /* when it was first seen to be back */
	uint64_t suspicions, now_suspicions;
	uint64_t told_us, next_us;
	UT_hash_handle hh; /* by target */
};

struct seen_source {
	struct address address;
	bool told, now; /* it is gone */
	bool due;
	unsigned changes; /* since it was told */
	uint64_t since_us, now_since_us;
	uint64_t next_us;
};

struct health {
	struct target_registry *registry;
	bool (*has_lost)(const struct address *address);
	const struct snapshot *snapshot; /* during a look, and until the next is published */
	uint64_t generation;             /* that the two below are of; 0: none */
	struct seen_target *targets;
	struct seen_source *sources;
	size_t source_count;
};

struct health *health_new(struct target_registry *registry,
			  bool (*has_lost)(const struct address *address))
{
	struct health *health = calloc(1, sizeof *health);
	if (health) {
		health->registry = registry;
		health->has_lost = has_lost;
	}
	return health;
}

static void free_target(const struct health *health, struct seen_target *seen)
{
	target_release(health->registry, seen->target);
	free(seen);
}

static void forget_targets(const struct health *health, struct seen_target **targets)
{
	struct seen_target *seen, *next;
	HASH_ITER (hh, *targets, seen, next) {
		HASH_DEL(*targets, seen);
		free_target(health, seen);
	}
}

void health_free(struct health *health)
{
	if (!health)
		return;
	forget_targets(health, &health->targets);
	free(health->sources);
	free(health);
}

/* ---- what there is ---- */

static struct seen_target *find_target(const struct health *health, const struct target *target)
{
	struct seen_target *seen;
	HASH_FIND_PTR(health->targets, &target, seen);
	return seen;
}

static struct seen_source *find_source(const struct health *health, const struct address *address)
{
	for (size_t i = 0; i < health->source_count; i++)
		if (address_equal(&health->sources[i].address, address))
			return &health->sources[i];
	return NULL;
}

struct listing {
	struct health *health;
	struct seen_target *before; /* what is not listed so far */
};

static struct seen_target *new_target(struct health *health, const struct upstream *upstream)
{
	struct seen_target *seen = calloc(1, sizeof *seen);
	if (!seen)
		return NULL;
	seen->target = target_acquire(health->registry, &upstream->source, &upstream->host,
				      upstream->protocol);
	if (!seen->target) {
		free(seen);
		return NULL;
	}
	return seen;
}

/* One for which there is no memory is not looked at. */
static void list_target(void *context, struct upstream *upstream)
{
	struct listing *listing = context;
	struct seen_target *seen;
	if (find_target(listing->health, upstream->target))
		return;
	HASH_FIND_PTR(listing->before, &upstream->target, seen);
	if (seen)
		HASH_DEL(listing->before, seen);
	else
		seen = new_target(listing->health, upstream);
	if (!seen)
		return;
	HASH_ADD_PTR(listing->health->targets, target, seen);
	if (!seen->hh.tbl) /* no memory */
		free_target(listing->health, seen);
}

static void follow_sources(struct health *health, const struct snapshot *snapshot)
{
	struct seen_source *sources = calloc(snapshot->source_count + 1, sizeof *sources);
	if (!sources)
		return;
	for (size_t i = 0; i < snapshot->source_count; i++) {
		const struct seen_source *before = find_source(health, &snapshot->sources[i]);
		if (before)
			sources[i] = *before;
		sources[i].address = snapshot->sources[i];
	}
	free(health->sources);
	health->sources = sources;
	health->source_count = snapshot->source_count;
}

static void follow(struct health *health, const struct snapshot *snapshot)
{
	struct listing listing = {health, health->targets};
	if (health->generation == snapshot->generation)
		return;
	health->targets = NULL;
	policy_each_upstream(snapshot->policy, list_target, &listing);
	forget_targets(health, &listing.before);
	follow_sources(health, snapshot);
	health->generation = snapshot->generation;
}

/* ---- a look ---- */

static void read_target(struct seen_target *seen, uint64_t now_us)
{
	const struct target *target = seen->target;
	bool before = seen->now;
	seen->now_since_us = atomic_load_explicit(&target->suspect_us, memory_order_relaxed);
	seen->now_suspicions = atomic_load_explicit(&target->suspicions, memory_order_relaxed);
	seen->now = seen->now_since_us != 0;
	if (before && !seen->now)
		seen->back_us = now_us;
	if (seen->told_us == 0)
		seen->told_us = now_us;
	uint64_t begun = seen->now_suspicions - seen->suspicions;
	seen->due = (seen->now != seen->told || begun >= HEALTH_FLAPS) && now_us >= seen->next_us;
}

static void read_source(const struct health *health, struct seen_source *seen, uint64_t now_us)
{
	bool lost = seen->address.family && health->has_lost(&seen->address);
	if (lost != seen->now) {
		seen->changes++;
		seen->now_since_us = now_us;
	}
	seen->now = lost;
	seen->due = lost != seen->told && now_us >= seen->next_us;
}

static uint64_t elapsed_us(uint64_t since_us, uint64_t now_us)
{
	return now_us > since_us ? now_us - since_us : 0;
}

static struct health_change target_change(const struct seen_target *seen, uint64_t now_us)
{
	uint64_t times = seen->now_suspicions - seen->suspicions;
	struct health_change change = {.target = seen->target, .source = &seen->target->source};
	if (seen->now == seen->told) {
		change.kind = HEALTH_FLAPS_BY;
		change.for_us = elapsed_us(seen->told_us, now_us);
	} else if (seen->now) {
		change.kind = HEALTH_SUSPECT;
		change.for_us = elapsed_us(seen->now_since_us, now_us);
		times -= times > 0; /* this one */
	} else {
		change.kind = HEALTH_BACK;
		change.for_us = elapsed_us(seen->since_us, seen->back_us);
	}
	change.times = (unsigned)times;
	return change;
}

static struct health_change source_change(const struct seen_source *seen, uint64_t now_us)
{
	return (struct health_change){
		.kind = seen->now ? HEALTH_SOURCE_GONE : HEALTH_SOURCE_BACK,
		.source = &seen->address,
		.for_us = seen->now ? elapsed_us(seen->now_since_us, now_us)
				    : elapsed_us(seen->since_us, seen->now_since_us),
		.times = (seen->changes - 1) / 2,
	};
}

static void note_told(struct health *health, uint64_t now_us)
{
	for (struct seen_target *seen = health->targets; seen; seen = seen->hh.next) {
		if (!seen->due)
			continue;
		seen->told = seen->now;
		seen->since_us = seen->now_since_us;
		seen->suspicions = seen->now_suspicions;
		seen->told_us = now_us;
		seen->next_us = now_us + HEALTH_PACE_US;
	}
	for (size_t i = 0; i < health->source_count; i++) {
		struct seen_source *seen = &health->sources[i];
		if (!seen->due)
			continue;
		seen->told = seen->now;
		seen->since_us = seen->now_since_us;
		seen->changes = 0;
		seen->next_us = now_us + HEALTH_PACE_US;
	}
}

void health_look(struct health *health, const struct snapshot *snapshot, uint64_t now_us,
		 void (*on_change)(void *context, const struct health_change *change),
		 void *context)
{
	health->snapshot = snapshot;
	follow(health, snapshot);
	for (size_t i = 0; i < health->source_count; i++)
		read_source(health, &health->sources[i], now_us);
	for (struct seen_target *seen = health->targets; seen; seen = seen->hh.next)
		read_target(seen, now_us);
	for (size_t i = 0; i < health->source_count; i++) {
		struct health_change change = source_change(&health->sources[i], now_us);
		if (health->sources[i].due)
			on_change(context, &change);
	}
	for (struct seen_target *seen = health->targets; seen; seen = seen->hh.next) {
		struct health_change change = target_change(seen, now_us);
		if (seen->due)
			on_change(context, &change);
	}
	note_told(health, now_us);
}

/* ---- what it means ---- */

bool health_route_is_dark(const struct route *route,
			  bool (*is_live)(void *context, const struct upstream *upstream),
			  void *context)
{
	for (uint32_t i = 0; i < route->leg_count; i++) {
		if (route->legs[i].kind == LEG_ENTER)
			return false;
		for (uint32_t u = 0; u < route->legs[i].upstream_count; u++)
			if (is_live(context, &route->legs[i].upstreams[u]))
				return false;
	}
	return route->leg_count > 0;
}

struct reaching {
	const struct health *health;
	const struct health_change *change; /* NULL: all that are dark */
	struct health_reach *reach;
};

static bool is_live_now(void *context, const struct upstream *upstream)
{
	const struct seen_source *source = find_source(context, &upstream->source);
	const struct seen_target *target = find_target(context, upstream->target);
	return !(source && source->now) && !(target && target->now);
}

static bool was_live(void *context, const struct upstream *upstream)
{
	const struct seen_source *source = find_source(context, &upstream->source);
	const struct seen_target *target = find_target(context, upstream->target);
	return !(source && source->told) && !(target && target->told);
}

static const struct upstream *find_concerned(const struct route *route,
					     const struct health_change *change)
{
	for (uint32_t i = 0; i < route->leg_count; i++) {
		for (uint32_t u = 0; u < route->legs[i].upstream_count; u++) {
			const struct upstream *upstream = &route->legs[i].upstreams[u];
			if (change->target ? upstream->target == change->target
					   : address_equal(&upstream->source, change->source))
				return upstream;
		}
	}
	return NULL;
}

static void on_route(void *context, const char *name, const struct route *route)
{
	struct reaching *reaching = context;
	struct health_reach *reach = reaching->reach;
	const struct health_change *change = reaching->change;
	const struct upstream *concerned = change ? find_concerned(route, change) : NULL;
	if (change && !concerned)
		return;
	if (concerned && !reach->endpoint)
		reach->endpoint = concerned->endpoint;
	void *health = (void *)(uintptr_t)reaching->health;
	bool dark = health_route_is_dark(route, is_live_now, health);
	if (change && (change->kind == HEALTH_BACK || change->kind == HEALTH_SOURCE_BACK)) {
		if (dark)
			return; /* another trouble is left */
		dark = health_route_is_dark(route, was_live, health);
	}
	if (dark && reach->dark < HEALTH_ROUTES)
		snprintf(reach->names[reach->dark], POLICY_ROUTE_NAME, "%s", name);
	reach->dark += dark;
	reach->others += !dark;
}

void health_reach(const struct health *health, const struct health_change *change,
		  struct health_reach *reach)
{
	struct reaching reaching = {health, change, reach};
	reach->endpoint = NULL;
	reach->dark = reach->others = 0;
	policy_each_route(health->snapshot->policy, on_route, &reaching);
}
