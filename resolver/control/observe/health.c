/* Keeps the last logged state of each target, source and listening address. A check reads all
 * present states, then logs the changes, and only then updates the logged states. So a line
 * compares all old states with all present ones, and if two targets come back within one check,
 * both lines name the rules that are answered again. The logged state of a route is in its
 * outcomes, and is updated together with its line.
 *
 * Targets are held by references, so a target's logged state survives a reload that keeps the
 * target. The set of targets is looked up once for each generation. */
#include "resolver/control/observe/health.h"

#include <stdlib.h>
#include <uthash.h>

#include "endpoints/socket.h"
#include "resolver/control/observe/judgement.h"
#include "rules/text.h"

enum { LOOK_MS = 1000, ROUTES_NAMED = 5 };

enum health_kind {
	HEALTH_SUSPECT, /* a target became suspect */
	HEALTH_BACK,    /* a suspect target answers again */
	HEALTH_FLAPPED, /* it was suspect for moments, HEALTH_FLAPS times or more */
	HEALTH_SOURCE_GONE,
	HEALTH_SOURCE_BACK,
	HEALTH_FAILS,    /* clients of a route get SERVFAIL in a row */
	HEALTH_ANSWERED, /* a client of the route was answered, or none has asked for long */
	HEALTH_KINDS
};

static bool is_good(enum health_kind kind)
{
	return kind == HEALTH_BACK || kind == HEALTH_SOURCE_BACK || kind == HEALTH_ANSWERED;
}

static bool is_of_way(enum health_kind kind)
{
	return kind == HEALTH_FAILS || kind == HEALTH_ANSWERED;
}

struct health_change {
	enum health_kind kind;
	const struct target *target;   /* NULL: of a source, or a listening address */
	const struct address *source;  /* the target's, or the address; family 0: the system's */
	uint16_t port;                 /* of a listening address; 0: a source */
	uint64_t for_us;               /* how long suspect or gone; FLAPPED: since the last line */
	unsigned times;                /* further such periods, too short for a line */
	char other[TARGET_OTHER_TEXT]; /* what else answers in the target's place; "": nothing */
};

/* A change's consequence for the routes of its target or source. A route is dark if none of its
 * targets is live: neither suspects nor targets asked from a lost address are. */
struct health_reach {
	const char *endpoint; /* through which the routes ask; NULL: none */
	unsigned dark;        /* dark routes; for BACK: routes that are no longer dark */
	unsigned others;      /* routes with another live target, or with this one again */
	char names[ROUTES_NAMED][POLICY_ROUTE_NAME]; /* of the first dark routes */
};

struct seen_target {
	struct target *target;
	bool told, now;        /* suspect: as last logged, at present */
	bool due;              /* its change is logged in this check */
	uint64_t since_us;     /* of the logged suspicion */
	uint64_t now_since_us; /* of the present suspicion */
	uint64_t back_us;      /* when it was first seen to be back */
	uint64_t suspicions, now_suspicions;
	uint64_t told_us, next_us;
	UT_hash_handle hh; /* by target */
};

struct seen_source { /* or a listening address */
	struct address address;
	uint16_t port;  /* of a listening address; 0: a source */
	bool told, now; /* gone: as last logged, at present */
	bool due;
	unsigned changes; /* since the last line */
	uint64_t since_us, now_since_us;
	uint64_t next_us;
};

struct health {
	struct target_registry *registry;
	bool (*has_lost)(const struct address *address);
	uint64_t generation; /* of `targets` and `sources`; 0: none */
	struct seen_target *targets;
	struct seen_source *sources;
	size_t source_count;
	bool told_failing; /* some route's failure was logged, and may be over */
	bool is_behind;    /* more routes have changed than the last check may log */
};

/* One check. */
struct health_look {
	const struct health *health;
	const struct snapshot *snapshot;
	uint64_t now_us;
	bool told_failing;
	unsigned lines, way_lines, untold[HEALTH_KINDS];
	void (*on_line)(void *context, enum log_level level, const char *event, const char *text);
	void *context;
};

/* Changes that a check does not log one by one. */
struct health_rest {
	const char *event; /* of the first kind; NULL: no changes are left */
	bool bad;          /* not only good news */
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

/* ---- targets and addresses ---- */

static struct seen_target *find_target(const struct health *health, const struct target *target)
{
	struct seen_target *seen;
	HASH_FIND_PTR(health->targets, &target, seen);
	return seen;
}

static struct seen_source *find_address(const struct health *health, const struct address *address,
					uint16_t port)
{
	for (size_t i = 0; i < health->source_count; i++)
		if (health->sources[i].port == port &&
		    address_equal(&health->sources[i].address, address))
			return &health->sources[i];
	return NULL;
}

static struct seen_source *find_source(const struct health *health, const struct address *address)
{
	return find_address(health, address, 0);
}

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
	/* A target that was used before has counted suspicions already. */
	seen->suspicions = atomic_load_explicit(&seen->target->suspicions, memory_order_relaxed);
	return seen;
}

/* Keeps the target's entry, or makes one. If memory is short the target is not checked. */
static void follow_target(struct health *health, struct seen_target **before,
			  const struct upstream *upstream)
{
	struct seen_target *seen;
	HASH_FIND_PTR(*before, &upstream->target, seen);
	if (seen)
		HASH_DEL(*before, seen);
	else
		seen = new_target(health, upstream);
	if (!seen)
		return;
	HASH_ADD_PTR(health->targets, target, seen);
	if (!seen->hh.tbl) /* out of memory */
		free_target(health, seen);
}

static void follow_sources(struct health *health, const struct snapshot *snapshot)
{
	size_t count = snapshot->source_count + snapshot->binding_count;
	struct seen_source *sources = calloc(count + 1, sizeof *sources);
	if (!sources)
		return;
	for (size_t i = 0; i < count; i++) {
		const struct host *listens =
			i < snapshot->source_count
				? NULL
				: &snapshot->bindings[i - snapshot->source_count].host;
		const struct address *address = listens ? &listens->address : &snapshot->sources[i];
		uint16_t port = listens ? listens->port : 0;
		const struct seen_source *before = find_address(health, address, port);
		if (before)
			sources[i] = *before;
		sources[i].address = *address;
		sources[i].port = port;
	}
	free(health->sources);
	health->sources = sources;
	health->source_count = count;
}

static void follow(struct health *health, const struct snapshot *snapshot)
{
	const struct served_targets *served = &snapshot->targets->served;
	struct seen_target *before = health->targets;
	if (health->generation == snapshot->generation)
		return;
	health->targets = NULL;
	for (size_t i = 0; i < served->count; i++)
		follow_target(health, &before, served->items[i].upstream);
	forget_targets(health, &before);
	follow_sources(health, snapshot);
	health->generation = snapshot->generation;
}

/* ---- present states ---- */

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
		change.kind = HEALTH_FLAPPED;
		change.for_us = elapsed_us(seen->told_us, now_us);
	} else if (seen->now) {
		change.kind = HEALTH_SUSPECT;
		change.for_us = elapsed_us(seen->now_since_us, now_us);
		target_other_text(seen->target, now_us, change.other);
		times -= times > 0; /* without the present suspicion */
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
		.port = seen->port,
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

/* ---- consequences for routes ---- */

static bool is_dark(const struct route *route,
		    bool (*is_live)(const void *context, const struct upstream *upstream),
		    const void *context)
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

static bool is_lost(const struct health_now *now, const struct address *source)
{
	for (size_t i = 0; now->lost && i < now->snapshot->source_count; i++)
		if (now->lost[i] && address_equal(&now->snapshot->sources[i], source))
			return true;
	return false;
}

static bool is_live(const void *context, const struct upstream *upstream)
{
	const struct health_now *now = context;

	return !(upstream->target && target_is_suspect(upstream->target)) &&
	       !is_lost(now, &upstream->source);
}

/* The route's first upstream with that host; NULL: none. */
static const struct upstream *find_host(const struct route *route, const struct host *host)
{
	for (uint32_t i = 0; i < route->leg_count; i++)
		for (uint32_t u = 0; u < route->legs[i].upstream_count; u++)
			if (host_equal(&route->legs[i].upstreams[u].host, host))
				return &route->legs[i].upstreams[u];
	return NULL;
}

/* The first of our own endpoints that the route enters; NULL: it has only targets. */
static const char *entered_endpoint(const struct route *route)
{
	for (uint32_t i = 0; i < route->leg_count; i++)
		if (route->legs[i].kind == LEG_ENTER)
			return route->legs[i].endpoint;
	return NULL;
}

/* Whether the failing target is still one of the route's, or the route still enters an endpoint. */
static bool is_of_route(const struct failures_now *failures, const struct route *route)
{
	return target_error_is_entered(failures->error) ? entered_endpoint(route) != NULL
							: find_host(route, &failures->host) != NULL;
}

/* The latest time at which a target of the route came back; 0: none did. */
static uint64_t revived_us(const struct route *route)
{
	uint64_t latest = 0;

	for (uint32_t i = 0; i < route->leg_count; i++) {
		for (uint32_t u = 0; u < route->legs[i].upstream_count; u++) {
			const struct target *target = route->legs[i].upstreams[u].target;
			uint64_t revived = target ? target_revived_us(target) : 0;

			latest = revived > latest ? revived : latest;
		}
	}
	return latest;
}

/* The route's state by its clients' recent answers. Failures of former targets say nothing about
 * new ones. Silence from before the targets came back was the targets' fault, not the names'. */
static enum health_state read_outcomes(const struct route *route, uint64_t now_us,
				       struct failures_now *failures)
{
	if (!route->outcomes)
		return HEALTH_WELL;
	failures_read(&route->outcomes->failures, now_us, failures);
	if (failures->kind == FAILURES_OF_NAMES)
		return revived_us(route) < failures->row.last_us ? HEALTH_UNHEARD : HEALTH_WELL;
	return failures->kind == FAILURES_OF_ERRORS && is_of_route(failures, route) ? HEALTH_FAILING
										    : HEALTH_WELL;
}

/* Whether an earlier upstream of the route has the same server: two endpoints may ask it. */
static bool is_server_again(const struct route *route, const struct upstream *upstream)
{
	for (uint32_t i = 0; i < route->leg_count; i++)
		for (uint32_t u = 0; u < route->legs[i].upstream_count; u++) {
			const struct upstream *earlier = &route->legs[i].upstreams[u];

			if (earlier == upstream)
				return false;
			if (host_equal(&earlier->host, &upstream->host))
				return true;
		}
	return false;
}

/* Names the dark route's first server, and the number of the others. The route became dark when the
 * last of its targets did. That time is unknown if a target has only lost its source address,
 * because nobody notes when that happened. */
static void judge_dark(const struct health_now *now, const struct route *route,
		       struct health_route *judged)
{
	const struct upstream *first = NULL;
	char text[HOST_TEXT_MAX];
	bool known = true;
	unsigned count = 0;

	judged->state = HEALTH_DARK;
	for (uint32_t i = 0; i < route->leg_count; i++) {
		for (uint32_t u = 0; u < route->legs[i].upstream_count; u++) {
			const struct upstream *upstream = &route->legs[i].upstreams[u];
			uint64_t since_us =
				upstream->target ? target_suspect_us(upstream->target) : 0;

			first = first ? first : upstream;
			count += !is_server_again(route, upstream);
			known = known && since_us;
			if (since_us > judged->since_us)
				judged->since_us = since_us;
		}
	}
	if (!known)
		judged->since_us = 0;
	if (!first)
		return;
	judged->upstream = first;
	judged->lost = is_lost(now, &first->source);
	judged->error = first->target ? target_suspicion(first->target) : TARGET_ERROR_NONE;
	if (judged->lost)
		text_append(judged->reason, HEALTH_REASON_MAX, "no interface has %s",
			    address_print(&first->source, text));
	else if (count == 1)
		text_append(judged->reason, HEALTH_REASON_MAX, "%s %s",
			    host_print(&first->host, text),
			    target_error_sentence(target_suspicion(first->target)));
	else
		text_append(judged->reason, HEALTH_REASON_MAX, "%s and %u more do not answer",
			    host_print(&first->host, text), count - 1);
}

static void judge_outcomes(const struct route *route, const struct failures_now *failures,
			   enum health_state state, struct health_route *judged)
{
	char host[HOST_TEXT_MAX];

	judged->state = state;
	if (state == HEALTH_WELL)
		return;
	judged->since_us = failures->row.began_us;
	judged->count = failures->row.count;
	if (state == HEALTH_FAILING) {
		judged->error = failures->error;
		judged->upstream = target_error_is_entered(failures->error)
					   ? NULL
					   : find_host(route, &failures->host);
	}
	if (state == HEALTH_FAILING && target_error_is_entered(failures->error))
		text_append(judged->reason, HEALTH_REASON_MAX, "our own endpoint %s %s",
			    entered_endpoint(route), target_error_sentence(failures->error));
	else if (state == HEALTH_FAILING)
		text_append(judged->reason, HEALTH_REASON_MAX, "%s %s",
			    host_print(&failures->host, host),
			    target_error_sentence(failures->error));
}

void health_now_judge(const struct health_now *now, const struct route *route,
		      struct health_route *judged)
{
	struct failures_now failures = {.kind = FAILURES_FEW};

	*judged = (struct health_route){.state = HEALTH_WELL};
	if (is_dark(route, is_live, now))
		judge_dark(now, route, judged);
	else
		judge_outcomes(route, &failures, read_outcomes(route, now->now_us, &failures),
			       judged);
}

bool health_now_is_unanswered(const struct health_now *now, const struct route *route)
{
	struct failures_now failures;

	return is_dark(route, is_live, now) ||
	       read_outcomes(route, now->now_us, &failures) == HEALTH_FAILING;
}

void health_now_init(struct health_now *now, const struct snapshot *snapshot, uint64_t now_us)
{
	now->snapshot = snapshot;
	now->now_us = now_us;
	now->lost = calloc(snapshot->source_count + 1, sizeof *now->lost);
	for (size_t i = 0; now->lost && i < snapshot->source_count; i++)
		now->lost[i] = socket_address_is_missing(&snapshot->sources[i]);
}

void health_now_release(struct health_now *now)
{
	free(now->lost);
}

struct reaching {
	const struct health *health;
	const struct health_change *change; /* NULL: of all dark routes */
	struct health_reach *reach;
};

static bool is_live_now(const void *context, const struct upstream *upstream)
{
	const struct seen_source *source = find_source(context, &upstream->source);
	const struct seen_target *target = find_target(context, upstream->target);
	return !(source && source->now) && !(target && target->now);
}

static bool was_live(const void *context, const struct upstream *upstream)
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
	bool dark = is_dark(route, is_live_now, reaching->health);
	if (change && (change->kind == HEALTH_BACK || change->kind == HEALTH_SOURCE_BACK)) {
		if (dark)
			return; /* something else is still wrong */
		dark = is_dark(route, was_live, reaching->health);
	}
	if (dark && reach->dark < ROUTES_NAMED)
		snprintf(reach->names[reach->dark], POLICY_ROUTE_NAME, "%s", name);
	reach->dark += dark;
	reach->others += !dark;
}

/* The consequences of a change for the routes; change NULL: counts all dark routes. */
static struct health_reach reach_of(const struct health_look *look,
				    const struct health_change *change)
{
	struct health_reach reach = {.endpoint = NULL};
	struct reaching reaching = {look->health, change, &reach};
	policy_each_route(look->snapshot->policy, on_route, &reaching);
	return reach;
}

/* ---- the lines ---- */

static void add_seconds(char line[HEALTH_TEXT_MAX], uint64_t us)
{
	if (us < 10 * 1000000)
		text_append(line, HEALTH_TEXT_MAX, "%.1f s", (double)us / 1e6);
	else
		text_append(line, HEALTH_TEXT_MAX, "%llu s", (unsigned long long)(us / 1000000));
}

static void add_target(char line[HEALTH_TEXT_MAX], const struct target *target)
{
	char host[HOST_TEXT_MAX], source[ADDRESS_TEXT_MAX];
	text_append(line, HEALTH_TEXT_MAX, "%s (%s", host_print(&target->host, host),
		    target->protocol == PROTOCOL_TCP ? "tcp" : "udp");
	if (target->source.family)
		text_append(line, HEALTH_TEXT_MAX, ", from %s",
			    address_print(&target->source, source));
	text_append(line, HEALTH_TEXT_MAX, ")");
}

static void add_names(char line[HEALTH_TEXT_MAX], const struct health_reach *reach)
{
	unsigned named = reach->dark < ROUTES_NAMED ? reach->dark : ROUTES_NAMED;
	for (unsigned i = 0; i < named; i++)
		text_append(line, HEALTH_TEXT_MAX, "%s%s", i > 0 ? ", " : "", reach->names[i]);
	if (reach->dark > named)
		text_append(line, HEALTH_TEXT_MAX, " and %u more", reach->dark - named);
}

static void add_times(char line[HEALTH_TEXT_MAX], const char *what, unsigned times)
{
	if (times > 0)
		text_append(line, HEALTH_TEXT_MAX, " (%s %u time%s in between)", what, times,
			    times == 1 ? "" : "s");
}

/* Adds the consequences of a loss. */
static void add_loss(char line[HEALTH_TEXT_MAX], const struct health_reach *reach)
{
	const char *names[ROUTES_NAMED];
	struct harm harm = {names, reach->dark < ROUTES_NAMED ? reach->dark : ROUTES_NAMED,
			    reach->dark, reach->others};

	if (reach->dark + reach->others == 0)
		return;
	for (unsigned i = 0; i < harm.named; i++)
		names[i] = reach->names[i];
	text_append(line, HEALTH_TEXT_MAX, "; ");
	harm_say(&harm, line, HEALTH_TEXT_MAX);
}

static void add_return(char line[HEALTH_TEXT_MAX], const struct health_reach *reach)
{
	if (reach->dark == 0)
		return;
	text_append(line, HEALTH_TEXT_MAX, "; answered again: ");
	add_names(line, reach);
}

static void add_source(char line[HEALTH_TEXT_MAX], const struct health_change *change,
		       const struct health_reach *reach)
{
	char source[ADDRESS_TEXT_MAX];
	address_print(change->source, source);
	text_append(line, HEALTH_TEXT_MAX, "%s, the source of %s, ", source,
		    reach->endpoint ? reach->endpoint : "nobody");
	if (change->kind == HEALTH_SOURCE_GONE) {
		text_append(line, HEALTH_TEXT_MAX,
			    "is gone: no interface has it, so nothing can be asked from it");
		add_times(line, "it had come back", change->times);
		add_loss(line, reach);
	} else {
		text_append(line, HEALTH_TEXT_MAX, "is back after ");
		add_seconds(line, change->for_us);
		add_times(line, "it had gone again", change->times);
		add_return(line, reach);
	}
}

static const char *find_listener(const struct snapshot *snapshot, const struct host *host)
{
	for (uint32_t i = 0; i < snapshot->binding_count; i++)
		if (host_equal(&snapshot->bindings[i].host, host))
			return snapshot->bindings[i].vnet_resolver ? "the VNet resolver"
								   : snapshot->bindings[i].endpoint;
	return "nobody";
}

static void add_listener(char line[HEALTH_TEXT_MAX], const struct health_change *change,
			 const struct snapshot *snapshot)
{
	const struct host host = {*change->source, change->port};
	char text[HOST_TEXT_MAX];
	text_append(line, HEALTH_TEXT_MAX, "%s, where %s listens, ", host_print(&host, text),
		    find_listener(snapshot, &host));
	if (change->kind == HEALTH_SOURCE_GONE) {
		text_append(line, HEALTH_TEXT_MAX,
			    "is gone: no interface has it, so nobody can ask there");
		add_times(line, "it had come back", change->times);
	} else {
		text_append(line, HEALTH_TEXT_MAX, "is back after ");
		add_seconds(line, change->for_us);
		add_times(line, "it had gone again", change->times);
	}
}

static void add_change(char line[HEALTH_TEXT_MAX], const struct health_change *change,
		       const struct health_reach *reach)
{
	add_target(line, change->target);
	switch (change->kind) {
	case HEALTH_SUSPECT:
		text_append(line, HEALTH_TEXT_MAX, " is suspect, for ");
		add_seconds(line, change->for_us);
		text_append(line, HEALTH_TEXT_MAX, " now: it %s",
			    target_error_sentence(target_suspicion(change->target)));
		if (*change->other)
			text_append(line, HEALTH_TEXT_MAX, ", %s", change->other);
		add_times(line, "it was so", change->times);
		add_loss(line, reach);
		break;
	case HEALTH_BACK:
		text_append(line, HEALTH_TEXT_MAX, " is back after ");
		add_seconds(line, change->for_us);
		add_times(line, "it was suspect again", change->times);
		add_return(line, reach);
		break;
	default:
		text_append(line, HEALTH_TEXT_MAX, " was suspect %u times for moments within ",
			    change->times);
		add_seconds(line, change->for_us);
		text_append(line, HEALTH_TEXT_MAX, ": it %s",
			    target_error_sentence(target_suspicion(change->target)));
	}
}

static void tell(struct health_look *look, const struct health_change *change)
{
	char line[HEALTH_TEXT_MAX] = "";
	if (look->lines == HEALTH_LINES) {
		look->untold[change->kind]++;
		return;
	}
	look->lines++;
	const char *event = change->target ? "target" : change->port ? "listener" : "source";
	if (change->port) {
		add_listener(line, change, look->snapshot);
	} else {
		const struct health_reach reach = reach_of(look, change);
		if (change->target)
			add_change(line, change, &reach);
		else
			add_source(line, change, &reach);
	}
	look->on_line(look->context, is_good(change->kind) ? LOG_INFO : LOG_WARNING, event, line);
}

/* ---- clients' answers ---- */

/* "onprem/contoso cannot be answered: 127.0.0.1:5301 answers REFUSED; the last 5 queries ..." */
static void add_failing(char line[HEALTH_TEXT_MAX], const char *name,
			const struct health_route *judged)
{
	text_append(line, HEALTH_TEXT_MAX,
		    "%s cannot be answered: %s; the last %u queries failed, for %d names or more",
		    name, judged->reason, judged->count, FAILURES_NAMES);
}

/* Lines have a pace, so this one may come later than the answer. */
static void add_answered(char line[HEALTH_TEXT_MAX], const char *name,
			 const struct outcomes *outcomes, uint64_t now_us)
{
	uint64_t ended_us = failures_ended_us(&outcomes->failures);
	bool answered = ended_us > outcomes->told.since_us;

	text_append(line, HEALTH_TEXT_MAX, "%s %s, after ", name,
		    answered ? "is answered again" : "is no longer known to fail");
	add_seconds(line, elapsed_us(outcomes->told.since_us, answered ? ended_us : now_us));
}

/* False: this check has logged enough routes. */
static bool tell_way(struct health_look *look, enum health_kind kind, const char *text)
{
	if (look->way_lines == HEALTH_LINES) {
		look->untold[kind]++;
		return false;
	}
	look->way_lines++;
	look->on_line(look->context, is_good(kind) ? LOG_INFO : LOG_WARNING, "rule", text);
	return true;
}

/* Logs that the route's state differs from its last logged one. */
static void tell_change_of_way(struct health_look *look, const char *name,
			       const struct route *route, const struct failures_now *failures,
			       enum health_state state)
{
	struct outcomes *outcomes = route->outcomes;
	struct health_route judged = {.state = HEALTH_WELL};
	bool failing = state == HEALTH_FAILING;
	char line[HEALTH_TEXT_MAX] = "";

	if (failing) {
		judge_outcomes(route, failures, state, &judged);
		add_failing(line, name, &judged);
	} else {
		add_answered(line, name, outcomes, look->now_us);
	}
	if (!tell_way(look, failing ? HEALTH_FAILS : HEALTH_ANSWERED, line))
		return;
	outcomes->told.failing = failing;
	outcomes->told.since_us = judged.since_us;
	outcomes->told.next_us = look->now_us + HEALTH_PACE_US;
}

/* Only answers with errors count here. A route that is dark because its targets are silent is
 * logged with its targets instead. */
static void look_at_way(void *context, const char *name, const struct route *route)
{
	struct health_look *look = context;
	struct outcomes *outcomes = route->outcomes;
	struct failures_now failures;

	if (!outcomes)
		return;
	enum health_state state = read_outcomes(route, look->now_us, &failures);
	if ((state == HEALTH_FAILING) != outcomes->told.failing &&
	    look->now_us >= outcomes->told.next_us)
		tell_change_of_way(look, name, route, &failures, state);
	look->told_failing = look->told_failing || outcomes->told.failing;
}

/* There may be very many routes: walks through them only if one fails, or was logged as failing. */
static void look_at_ways(struct health_look *look, struct health *health,
			 const struct snapshot *snapshot)
{
	if (!snapshot->series ||
	    (!outcomes_have_failures(snapshot->series->outcomes) && !health->told_failing))
		return;
	policy_each_route(look->snapshot->policy, look_at_way, look);
	health->told_failing = look->told_failing;
}

/* Adds the number of unlogged changes of each kind, except of routes that the previous check has
 * counted. */
static void add_rest(char line[HEALTH_TEXT_MAX], const struct health_look *look, bool behind,
		     struct health_rest *rest)
{
	static const struct {
		const char *one, *many, *event;
	} texts[HEALTH_KINDS] = {
		[HEALTH_SUSPECT] = {"target is suspect", "targets are suspect", "target"},
		[HEALTH_BACK] = {"target is back", "targets are back", "target"},
		[HEALTH_FLAPPED] = {"target was suspect for moments",
				    "targets were suspect for moments", "target"},
		[HEALTH_SOURCE_GONE] = {"address is gone", "addresses are gone", "source"},
		[HEALTH_SOURCE_BACK] = {"address is back", "addresses are back", "source"},
		[HEALTH_FAILS] = {"rule cannot be answered", "rules cannot be answered", "rule"},
		[HEALTH_ANSWERED] = {"rule is answered again", "rules are answered again", "rule"},
	};

	for (enum health_kind kind = 0; kind < HEALTH_KINDS; kind++) {
		unsigned count = look->untold[kind];

		if (count == 0 || (behind && is_of_way(kind)))
			continue;
		text_append(line, HEALTH_TEXT_MAX, "%s%u %s", rest->event ? ", " : "", count,
			    text_plural(count, texts[kind].one, texts[kind].many));
		rest->event = rest->event ? rest->event : texts[kind].event;
		rest->bad = rest->bad || !is_good(kind);
	}
}

/* The next checks log the remaining routes, so those are counted only once. */
static void tell_rest(const struct health_look *look, struct health *health)
{
	char line[HEALTH_TEXT_MAX] = "";
	struct health_rest rest = {.event = NULL};

	text_append(line, HEALTH_TEXT_MAX, "and more at once: ");
	add_rest(line, look, health->is_behind, &rest);
	health->is_behind = look->untold[HEALTH_FAILS] + look->untold[HEALTH_ANSWERED] > 0;
	if (!rest.event)
		return;
	if (rest.bad) {
		struct health_reach reach = reach_of(look, NULL);

		reach.others = 0; /* a route that goes on need not ask any of these */
		add_loss(line, &reach);
		text_append(line, HEALTH_TEXT_MAX, "; sluice status names them");
	}
	look->on_line(look->context, rest.bad ? LOG_WARNING : LOG_INFO, rest.event, line);
}

void health_look(struct health *health, const struct snapshot *snapshot, uint64_t now_us,
		 void (*on_line)(void *context, enum log_level level, const char *event,
				 const char *text),
		 void *context)
{
	struct health_look look = {.health = health,
				   .snapshot = snapshot,
				   .now_us = now_us,
				   .on_line = on_line,
				   .context = context};
	follow(health, snapshot);
	for (size_t i = 0; i < health->source_count; i++)
		read_source(health, &health->sources[i], now_us);
	for (struct seen_target *seen = health->targets; seen; seen = seen->hh.next)
		read_target(seen, now_us);
	for (size_t i = 0; i < health->source_count; i++) {
		struct health_change change = source_change(&health->sources[i], now_us);
		if (health->sources[i].due)
			tell(&look, &change);
	}
	for (struct seen_target *seen = health->targets; seen; seen = seen->hh.next) {
		struct health_change change = target_change(seen, now_us);
		if (seen->due)
			tell(&look, &change);
	}
	look_at_ways(&look, health, snapshot);
	tell_rest(&look, health);
	note_told(health, now_us);
}

/* ---- once a second ---- */

static void log_line(void *context, enum log_level level, const char *event, const char *text)
{
	(void)context;
	log_event(level, event, "%s", text);
}

/* Logs an endpoint that refuses queries, every HEALTH_PACE_US, and one that no longer does. */
static void tell_meter(void *context, struct meter *meter)
{
	uint64_t now_us = *(const uint64_t *)context;
	uint64_t refused = atomic_load_explicit(&meter->refused, memory_order_relaxed);
	uint64_t more = refused - meter->told.refused;
	uint64_t rate = atomic_load_explicit(&meter->rate, memory_order_relaxed);
	const char *way = meter->outbound ? "outbound" : "inbound";

	if (now_us < meter->told.next_us || (more == 0 && !meter->told.is_over))
		return;
	if (more > 0)
		log_event(LOG_WARNING, "limit",
			  "%s endpoint %s is over its limit of %llu %s a second: %llu %s %s", way,
			  meter->name, (unsigned long long)rate,
			  text_plural(rate, "query", "queries"), (unsigned long long)more,
			  text_plural(more, "query", "queries"),
			  meter->outbound ? "not sent" : "not answered");
	else
		log_event(LOG_INFO, "limit", "%s endpoint %s is within its limit again", way,
			  meter->name);
	meter->told.refused = refused;
	meter->told.is_over = more > 0;
	meter->told.next_us = now_us + HEALTH_PACE_US;
}

static void on_timer(uv_timer_t *timer)
{
	const struct health_log *log = timer->data;
	uint64_t now_us = uv_hrtime() / 1000;

	if (log->server->current)
		health_look(log->health, log->server->current, now_us, log_line, NULL);
	meter_registry_each(log->server->meters, tell_meter, &now_us);
}

void health_log_start(struct health_log *log, uv_loop_t *loop, const struct server *server)
{
	log->server = server;
	log->health = health_new(server->registry, socket_address_is_missing);
	if (!log->health)
		return;
	uv_timer_init(loop, &log->timer);
	log->timer.data = log;
	uv_timer_start(&log->timer, on_timer, LOOK_MS, LOOK_MS);
}

void health_log_stop(struct health_log *log)
{
	if (log->health)
		uv_timer_stop(&log->timer);
	health_free(log->health);
	log->health = NULL;
}
