/* The table of questions under way. It has a hash by question (to join the same one), a hash by
 * (socket, id) (to find what a packet answers), and free lists, so that a question costs no malloc
 * once the worker has seen its usual load.
 *
 * A lookup ends with an answer (lookup_finish), when no upstream can help or its deadline comes
 * (lookup_give_up), when its only waiter runs out of time (lookup_expire), or when its last waiter
 * leaves. Its flights stay as orphans until they are answered or their target's patience is over.
 *
 * Not here: which target is asked (upstream/failover.c), what a reply means (upstream/reply.c), and
 * whether an answer is kept (the owner's on_result). */
#include <assert.h>

#include "endpoints/upstream/internal.h"

#include "rules/base.h"

int lookups_init(struct lookups *table, struct wheel *wheel, struct entropy *entropy,
		 const struct hash_key *key)
{
	memset(table, 0, sizeof *table);
	table->wheel = wheel;
	table->entropy = entropy;
	table->key = *key;
	table->lookup_max = LOOKUP_MAX;
	table->target_max = LOOKUP_TARGET_MAX;
	timer_init(&table->stalled_timer, lookup_on_stalled_timer);
	timer_init(&table->recheck_timer, lookup_on_recheck_timer);
	table->buckets = calloc(LOOKUP_BUCKETS, sizeof *table->buckets);
	table->flights = calloc(LOOKUP_BUCKETS, sizeof *table->flights);
	if (table->buckets && table->flights)
		return 0;
	free(table->buckets);
	free(table->flights);
	table->buckets = NULL;
	table->flights = NULL;
	return ERR_NOMEM;
}

static uint64_t key_hash(const struct lookups *table, const struct lookup_key *key, bool may_wait)
{
	uint64_t rest[2] = {key->leg->id, (uint64_t)key->type << 3 | (uint64_t)key->dnssec_ok << 2 |
						  (uint64_t)key->checking_disabled << 1 | may_wait};

	return hash_bytes(&table->key, key->name->hash[0], rest, sizeof rest);
}

/* Lookups with and without may_wait end differently, so they are not shared. */
static bool may_join(const struct lookup *lookup, const struct lookup_key *key, bool may_wait,
		     uint64_t now_us)
{
	return lookup->key.leg->id == key->leg->id && lookup->key.type == key->type &&
	       lookup->key.dnssec_ok == key->dnssec_ok &&
	       lookup->key.checking_disabled == key->checking_disabled &&
	       lookup->may_wait == may_wait && name_equal(lookup->key.name, key->name) &&
	       now_us - lookup->began_us < LOOKUP_SHARED_US;
}

static struct lookup *find(const struct lookups *table, const struct lookup_key *key, bool may_wait,
			   uint64_t hash, uint64_t now_us)
{
	struct lookup *lookup = table->buckets[hash % LOOKUP_BUCKETS];

	while (lookup && !(lookup->hash == hash && may_join(lookup, key, may_wait, now_us)))
		lookup = lookup->next_in_bucket;
	return lookup;
}

static void on_timer(struct timer *timer, uint64_t now_us)
{
	struct lookup *lookup = container_of(timer, struct lookup, timer);

	if (lookup->given_up || now_us >= lookup->deadline_us) {
		lookup_give_up(lookup, !lookup->given_up, now_us);
		return;
	}
	wheel_arm(lookup->table->wheel, timer, lookup->deadline_us);
	lookup_go_on(lookup, now_us); /* its flight was crowded out of its target */
}

static struct lookup *lookup_new(struct lookups *table, const struct lookup_key *key, void *holder,
				 uint64_t hash, uint64_t now_us)
{
	if (table->lookup_count >= table->lookup_max)
		return NULL;
	struct lookup *lookup = spare_take(&table->spare_lookups, sizeof *lookup);
	if (!lookup)
		return NULL;
	memset(lookup, 0, offsetof(struct lookup, name));
	name_copy(&lookup->name, key->name);
	lookup->ede.by = NULL;
	lookup->table = table;
	lookup->key = *key;
	lookup->key.name = &lookup->name;
	lookup->hash = hash;
	lookup->holder = holder;
	lookup->began_us = now_us;
	lookup->last_waiter = &lookup->waiters;
	lookup->next_in_bucket = table->buckets[hash % LOOKUP_BUCKETS];
	table->buckets[hash % LOOKUP_BUCKETS] = lookup;
	timer_init(&lookup->timer, on_timer);
	table->lookup_count++;
	table->hold(table->context, holder);
	return lookup;
}

/* Takes it out of the table, and makes its flights orphans. */
static void lookup_detach(struct lookup *lookup)
{
	struct lookups *table = lookup->table;
	struct lookup **link = &table->buckets[lookup->hash % LOOKUP_BUCKETS];

	while (*link != lookup)
		link = &(*link)->next_in_bucket;
	*link = lookup->next_in_bucket;
	while (lookup->flights)
		flight_orphan(lookup->flights);
	lookup_unstall(lookup);
	wheel_cancel(table->wheel, &lookup->timer);
}

static void lookup_free(struct lookup *lookup)
{
	struct lookups *table = lookup->table;

	table->unhold(table->context, lookup->holder);
	table->lookup_count--;
	spare_give(&table->spare_lookups, lookup);
}

static void waiter_join(struct waiter *waiter, struct lookup *lookup)
{
	waiter->lookup = lookup;
	waiter->next = NULL;
	waiter->link = lookup->last_waiter;
	*lookup->last_waiter = waiter;
	lookup->last_waiter = &waiter->next;
	if (waiter->watch)
		watch_join(lookup, waiter->watch);
}

static void waiter_unlink(struct waiter *waiter)
{
	assert(waiter->link);
	*waiter->link = waiter->next;
	if (waiter->next)
		waiter->next->link = waiter->link;
	else
		waiter->lookup->last_waiter = waiter->link;
	if (waiter->watch) {
		watch_leave(waiter->lookup, waiter->watch);
		waiter->lookup->watchers--;
	}
	waiter->link = NULL;
	waiter->lookup = NULL;
}

/* A question goes on until the deadline of its last waiter. A late waiter allows one more packet,
 * for a target that may have come back, but not right after the last one: in a loop of forwarders
 * every packet becomes a waiter. A target that answered with an error a while ago is asked again:
 * otherwise a popular name would never notice that the target works again while another one is
 * dead. */
static void extend(struct lookup *lookup, uint64_t deadline_us, uint64_t now_us)
{
	if (deadline_us <= lookup->deadline_us || lookup->given_up)
		return;
	lookup->deadline_us = deadline_us;
	wheel_arm(lookup->table->wheel, &lookup->timer, deadline_us);
	bool forgets = now_us - lookup->spent_us >= LOOKUP_SPENT_US;
	for (unsigned i = 0; i < lookup->key.leg->upstream_count; i++) {
		struct attempt *attempt = &lookup->attempts[i];

		if (attempt->sends >= LOOKUP_SENDS)
			attempt->sends = LOOKUP_SENDS - 1;
		attempt->spent = attempt->spent && !forgets;
	}
	if (lookup->packets >= LOOKUP_PACKETS)
		lookup->packets = LOOKUP_PACKETS - 1;
	if (forgets) {
		lookup->answered = false;
		lookup->said = (struct ask_said){TARGET_ERROR_NONE, NULL};
		lookup->limit = TARGET_ERROR_NONE;
	}
	lookup_go_on(lookup, now_us);
}

int lookup_ask(struct lookups *table, const struct lookup_key *key, void *holder,
	       struct waiter *waiter, uint64_t deadline_us, bool may_wait, uint64_t now_us)
{
	assert(key->leg->kind == LEG_ASK && key->leg->upstream_count <= LEG_UPSTREAMS_MAX);
	uint64_t hash = key_hash(table, key, may_wait);
	struct lookup *lookup = find(table, key, may_wait, hash, now_us);

	table->asked++;
	if (lookup) {
		table->coalesced++;
		if (key->proven && !lookup->key.proven) {
			lookup->key.client = key->client;
			lookup->key.proven = true;
		}
		waiter_join(waiter, lookup);
		if (waiter->watch)
			waiter->watch->joined = true;
		lookup->asking = true;
		extend(lookup, deadline_us, now_us);
		lookup->asking = false;
		return 0;
	}
	lookup = lookup_new(table, key, holder, hash, now_us);
	if (!lookup)
		return ERR_LIMIT;
	waiter_join(waiter, lookup);
	lookup->may_wait = may_wait;
	lookup->deadline_us = deadline_us;
	wheel_arm(table->wheel, &lookup->timer, deadline_us);
	lookup->asking = true;
	lookup_start(lookup, now_us);
	lookup->asking = false;
	return 0;
}

void lookup_leave(struct waiter *waiter)
{
	struct lookup *lookup = waiter->lookup;

	if (!waiter->link)
		return;
	waiter_unlink(waiter);
	if (lookup->waiters || lookup->finishing)
		return;
	lookup_detach(lookup);
	lookup_free(lookup);
}

void lookup_finish(struct lookup *lookup, const struct ask_result *result, uint64_t now_us)
{
	struct lookups *table = lookup->table;

	lookup->finishing = true;
	if (lookup->packets > 1 || result->outcome != ASK_ANSWERED) /* else no target was silent */
		lookup_miss(lookup);
	lookup_detach(lookup);
	void *value =
		table->on_result(table->context, lookup->holder, &lookup->key, result, now_us);
	while (lookup->waiters) {
		struct waiter *waiter = lookup->waiters;
		waiter_unlink(waiter);
		waiter->on_done(waiter, value, now_us);
	}
	if (value)
		table->release_value(table->context, value);
	lookup_free(lookup);
}

/* The result if nothing better comes. */
static struct ask_result result_so_far(const struct lookup *lookup, bool deadline)
{
	struct ask_result result = {.upstream = lookup->last,
				    .error = lookup->error,
				    .said = lookup->said,
				    .ede = lookup->ede.by ? &lookup->ede : NULL};

	if (result.error == TARGET_ERROR_NONE)
		result.error = TARGET_ERROR_SILENCE;
	if (lookup->truncated_by) {
		result.outcome = ASK_TRUNCATED;
		result.upstream = lookup->truncated_by;
		result.unretried = lookup->unretried;
		if (!lookup->unretried)
			result.said =
				(struct ask_said){TARGET_ERROR_TRUNCATED, lookup->truncated_by};
	} else if (deadline && !lookup->answered) {
		result.outcome = ASK_SILENT;
	} else {
		result.outcome = ASK_FAILED;
		result.hasty = !lookup->may_wait && !lookup->answered && !lookup->limit &&
			       !lookup_is_spent(lookup);
		result.sourceless = lookup_is_sourceless(lookup);
		if (lookup->limit) /* the targets after the limit might have answered */
			result.error = lookup->limit;
	}
	return result;
}

void lookup_give_up(struct lookup *lookup, bool deadline, uint64_t now_us)
{
	if (lookup->asking) { /* on_done must not run before lookup_ask returns */
		lookup->given_up = true;
		wheel_arm(lookup->table->wheel, &lookup->timer, now_us);
		return;
	}
	struct ask_result result = result_so_far(lookup, deadline);
	lookup_finish(lookup, &result, now_us);
}

void lookup_expire(struct waiter *waiter, uint64_t now_us)
{
	struct lookup *lookup = waiter->lookup;
	struct lookups *table = lookup->table;

	assert(waiter->link);
	struct ask_result result = result_so_far(lookup, true);
	if (lookup->waiters == waiter && !waiter->next) {
		lookup_finish(lookup, &result, now_us);
		return;
	}
	void *value =
		table->on_result(table->context, lookup->holder, &lookup->key, &result, now_us);
	waiter_unlink(waiter);
	waiter->on_done(waiter, value, now_us);
	if (value)
		table->release_value(table->context, value);
}

void lookups_release(struct lookups *table)
{
	for (unsigned i = 0; table->buckets && i < LOOKUP_BUCKETS; i++) {
		while (table->buckets[i]) {
			struct lookup *lookup = table->buckets[i];
			while (lookup->waiters)
				waiter_unlink(lookup->waiters);
			lookup_detach(lookup);
			lookup_free(lookup);
		}
	}
	for (unsigned i = 0; table->flights && i < LOOKUP_BUCKETS; i++) {
		while (table->flights[i]) {
			struct flight *flight = table->flights[i];
			flight_detach(flight);
			flight_free(flight);
		}
	}
	wheel_cancel(table->wheel, &table->stalled_timer);
	wheel_cancel(table->wheel, &table->recheck_timer);
	spare_release(&table->spare_lookups);
	spare_release(&table->spare_flights);
	spare_release(&table->spare_stalled);
	spare_release(&table->spare_queues);
	free(table->buckets);
	free(table->flights);
	table->buckets = NULL;
	table->flights = NULL;
}
