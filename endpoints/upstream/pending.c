/* The table of questions under way. Two hashes, one by question (to join the same one) and one by
 * (socket, id) (to find what a packet answers), and two free lists, so that a question costs no
 * malloc once the worker has seen its usual load.
 *
 * A pending ends in exactly one of three ways: pending_finish with an answer, pending_give_up
 * without, or its last waiter leaves. Its flights stay behind as orphans in each case, until they
 * are answered or their target's patience is over.
 *
 * Not here: which target is asked (upstream/walk.c), what a reply means (upstream/reply.c), and
 * whether an answer is kept (the owner's on_result). */
#include <assert.h>

#include "endpoints/upstream/internal.h"

#include "rules/base.h"

int pending_table_init(struct pending_table *table, struct wheel *wheel, struct entropy *entropy,
		       const struct hash_key *key)
{
	memset(table, 0, sizeof *table);
	table->wheel = wheel;
	table->entropy = entropy;
	table->key = *key;
	table->pending_max = PENDING_MAX;
	table->target_max = PENDING_TARGET_MAX;
	timer_init(&table->stalled_timer, pending_on_stalled_timer);
	table->buckets = calloc(PENDING_BUCKETS, sizeof *table->buckets);
	table->flights = calloc(PENDING_BUCKETS, sizeof *table->flights);
	if (table->buckets && table->flights)
		return 0;
	free(table->buckets);
	free(table->flights);
	table->buckets = NULL;
	table->flights = NULL;
	return ERR_NOMEM;
}

static uint64_t key_hash(const struct pending_table *table, const struct pending_key *key,
			 bool may_wait)
{
	uint64_t rest[2] = {key->leg->id, (uint64_t)key->type << 3 | (uint64_t)key->dnssec_ok << 2 |
						  (uint64_t)key->checking_disabled << 1 | may_wait};
	return hash_bytes(&table->key, key->name->hash[0], rest, sizeof rest);
}

/* Questions that may and may not wait for a sign of life end differently: they do not share. */
static struct pending *find(const struct pending_table *table, const struct pending_key *key,
			    bool may_wait, uint64_t hash)
{
	struct pending *pending = table->buckets[hash % PENDING_BUCKETS];

	while (pending &&
	       !(pending->hash == hash && pending->key.leg->id == key->leg->id &&
		 pending->key.type == key->type && pending->key.dnssec_ok == key->dnssec_ok &&
		 pending->key.checking_disabled == key->checking_disabled &&
		 pending->may_wait == may_wait && name_equal(pending->key.name, key->name)))
		pending = pending->next_in_bucket;
	return pending;
}

static void on_timer(struct timer *timer, uint64_t now_us)
{
	struct pending *pending = container_of(timer, struct pending, timer);

	if (pending->given_up || now_us >= pending->deadline_us) {
		pending_give_up(pending, !pending->given_up, now_us);
		return;
	}
	wheel_arm(pending->table->wheel, timer, pending->deadline_us);
	pending_go_on(pending, now_us); /* it was crowded out of its target */
}

static struct pending *pending_new(struct pending_table *table, const struct pending_key *key,
				   void *holder, uint64_t hash)
{
	if (table->pending_count >= table->pending_max)
		return NULL;
	struct pending *pending = store_take(&table->pending_store, sizeof *pending);
	if (!pending)
		return NULL;
	memset(pending, 0, offsetof(struct pending, name));
	name_copy(&pending->name, key->name);
	pending->ede.by = NULL;
	pending->table = table;
	pending->key = *key;
	pending->key.name = &pending->name;
	pending->hash = hash;
	pending->holder = holder;
	pending->last_waiter = &pending->waiters;
	pending->next_in_bucket = table->buckets[hash % PENDING_BUCKETS];
	table->buckets[hash % PENDING_BUCKETS] = pending;
	timer_init(&pending->timer, on_timer);
	table->pending_count++;
	table->hold(table->context, holder);
	return pending;
}

/* Out of the table: nobody finds it, its flights are orphans. */
static void pending_detach(struct pending *pending)
{
	struct pending_table *table = pending->table;
	struct pending **link = &table->buckets[pending->hash % PENDING_BUCKETS];

	while (*link != pending)
		link = &(*link)->next_in_bucket;
	*link = pending->next_in_bucket;
	while (pending->flights)
		flight_orphan(pending->flights);
	pending_unstall(pending);
	wheel_cancel(table->wheel, &pending->timer);
}

static void pending_free(struct pending *pending)
{
	struct pending_table *table = pending->table;

	table->unhold(table->context, pending->holder);
	table->pending_count--;
	store_give(&table->pending_store, pending);
}

static void waiter_join(struct waiter *waiter, struct pending *pending)
{
	waiter->pending = pending;
	waiter->next = NULL;
	waiter->link = pending->last_waiter;
	*pending->last_waiter = waiter;
	pending->last_waiter = &waiter->next;
}

static void waiter_unlink(struct waiter *waiter)
{
	assert(waiter->link);
	*waiter->link = waiter->next;
	if (waiter->next)
		waiter->next->link = waiter->link;
	else
		waiter->pending->last_waiter = waiter->link;
	waiter->link = NULL;
	waiter->pending = NULL;
}

/* A question goes on until the last of its waiters has lost patience. Who joins late brings one
 * more send, for a target that may have come back meanwhile, though not at once when the last one
 * has just left: where targets lead back to us every send is one who joins. And what was answered
 * with an error a while ago it has asked anew: a name that is asked for again and again while a
 * dead target is waited for would else never hear that another one is well by now. */
static void extend(struct pending *pending, uint64_t deadline_us, uint64_t now_us)
{
	if (deadline_us <= pending->deadline_us || pending->given_up)
		return;
	pending->deadline_us = deadline_us;
	wheel_arm(pending->table->wheel, &pending->timer, deadline_us);
	bool forgets = now_us - pending->spent_us >= PENDING_SPENT_US;
	for (unsigned i = 0; i < pending->key.leg->upstream_count; i++) {
		struct attempt *attempt = &pending->attempts[i];

		if (attempt->sends >= PENDING_SENDS)
			attempt->sends = PENDING_SENDS - 1;
		attempt->spent = attempt->spent && !forgets;
	}
	if (pending->packets >= PENDING_PACKETS)
		pending->packets = PENDING_PACKETS - 1;
	if (forgets) {
		pending->answered = false;
		pending->limit = TARGET_ERROR_NONE;
	}
	pending_go_on(pending, now_us);
}

int pending_ask(struct pending_table *table, const struct pending_key *key, void *holder,
		struct waiter *waiter, uint64_t deadline_us, bool may_wait, uint64_t now_us)
{
	assert(key->leg->kind == LEG_ASK && key->leg->upstream_count <= LEG_UPSTREAMS_MAX);
	uint64_t hash = key_hash(table, key, may_wait);
	struct pending *pending = find(table, key, may_wait, hash);

	table->asked++;
	if (pending) {
		table->coalesced++;
		if (key->proven && !pending->key.proven) {
			pending->key.client = key->client;
			pending->key.proven = true;
		}
		waiter_join(waiter, pending);
		pending->asking = true;
		extend(pending, deadline_us, now_us);
		pending->asking = false;
		return 0;
	}
	pending = pending_new(table, key, holder, hash);
	if (!pending)
		return ERR_LIMIT;
	waiter_join(waiter, pending);
	pending->may_wait = may_wait;
	pending->deadline_us = deadline_us;
	wheel_arm(table->wheel, &pending->timer, deadline_us);
	pending->asking = true;
	pending_start(pending, now_us);
	pending->asking = false;
	return 0;
}

void pending_leave(struct pending_table *table, struct waiter *waiter)
{
	struct pending *pending = waiter->pending;

	(void)table;
	if (!waiter->link)
		return;
	waiter_unlink(waiter);
	if (pending->waiters || pending->finishing)
		return;
	pending_detach(pending);
	pending_free(pending);
}

void pending_finish(struct pending *pending, const struct ask_result *result, uint64_t now_us)
{
	struct pending_table *table = pending->table;

	pending->finishing = true;
	pending_detach(pending);
	void *value =
		table->on_result(table->context, pending->holder, &pending->key, result, now_us);
	while (pending->waiters) {
		struct waiter *waiter = pending->waiters;
		waiter_unlink(waiter);
		waiter->on_done(waiter, value, now_us);
	}
	if (value)
		table->release_value(table->context, value);
	pending_free(pending);
}

/* What there is to say when nothing better comes. */
static struct ask_result result_so_far(const struct pending *pending, bool deadline)
{
	struct ask_result result = {.upstream = pending->last,
				    .error = pending->error,
				    .ede = pending->ede.by ? &pending->ede : NULL};

	if (result.error == TARGET_ERROR_NONE)
		result.error = TARGET_ERROR_SILENCE;
	if (pending->truncated_by) {
		result.outcome = ASK_TRUNCATED;
		result.upstream = pending->truncated_by;
	} else if (deadline && !pending->answered) {
		result.outcome = ASK_SILENT;
	} else {
		result.outcome = ASK_FAILED;
		result.hasty = !pending->may_wait && !pending->answered && !pending->limit &&
			       !pending_is_spent(pending);
		result.sourceless = pending_is_sourceless(pending);
		if (pending->limit) /* whoever came behind those that might have answered */
			result.error = pending->limit;
	}
	return result;
}

void pending_give_up(struct pending *pending, bool deadline, uint64_t now_us)
{
	if (pending->asking) { /* on_done must not run before pending_ask returns */
		pending->given_up = true;
		wheel_arm(pending->table->wheel, &pending->timer, now_us);
		return;
	}
	struct ask_result result = result_so_far(pending, deadline);
	pending_finish(pending, &result, now_us);
}

void pending_expire(struct pending_table *table, struct waiter *waiter, uint64_t now_us)
{
	struct pending *pending = waiter->pending;
	struct ask_result result;

	assert(waiter->link);
	result = result_so_far(pending, true);
	if (pending->waiters == waiter && !waiter->next) {
		pending_finish(pending, &result, now_us);
		return;
	}
	void *value =
		table->on_result(table->context, pending->holder, &pending->key, &result, now_us);
	waiter_unlink(waiter);
	waiter->on_done(waiter, value, now_us);
	if (value)
		table->release_value(table->context, value);
}

void pending_table_release(struct pending_table *table)
{
	for (unsigned i = 0; table->buckets && i < PENDING_BUCKETS; i++) {
		while (table->buckets[i]) {
			struct pending *pending = table->buckets[i];
			while (pending->waiters)
				waiter_unlink(pending->waiters);
			pending_detach(pending);
			pending_free(pending);
		}
	}
	for (unsigned i = 0; table->flights && i < PENDING_BUCKETS; i++) {
		while (table->flights[i]) {
			struct flight *flight = table->flights[i];
			flight_detach(flight);
			flight_free(flight);
		}
	}
	wheel_cancel(table->wheel, &table->stalled_timer);
	store_release(&table->pending_store);
	store_release(&table->flight_store);
	store_release(&table->stall_store);
	store_release(&table->queue_store);
	free(table->buckets);
	free(table->flights);
	table->buckets = NULL;
	table->flights = NULL;
}
