/* Lines of flights by target:
 *
 *     table ──► outstanding at target 3 ──► oldest ──► ... ──► newest     (fair_queue.h)
 *           └─► outstanding at target 8 ──► flight
 *
 * Not here: what becomes of a flight that has to go (upstream/walk.c). */
#include "endpoints/upstream/outstanding.h"

#include "rules/base.h"

struct outstanding {
	struct outstanding *next, **link;
	const struct target *target;
	struct fair_queue flights;
};

static struct flight *flight_of(struct fair_queue_item *item)
{
	return container_of(item, struct flight, place);
}

static struct outstanding **list_of(struct pending_table *table, const struct target *target)
{
	uint64_t mixed = ((uint64_t)(uintptr_t)target >> 4) * 0x9e3779b97f4a7c15;
	return &table->outstanding[(mixed >> 40) % PENDING_OUTSTANDING_LISTS];
}

static struct outstanding *find(struct pending_table *table, const struct target *target)
{
	struct outstanding *at = *list_of(table, target);

	while (at && at->target != target)
		at = at->next;
	return at;
}

/* Made if need be; NULL without memory. */
static struct outstanding *find_or_make(struct pending_table *table, const struct target *target)
{
	struct outstanding *at = find(table, target), **list = list_of(table, target);

	if (at)
		return at;
	at = store_take(&table->outstanding_store, sizeof *at);
	if (!at)
		return NULL;
	*at = (struct outstanding){.next = *list, .link = list, .target = target};
	fair_queue_init(&at->flights, table->target_max, &table->key);
	if (at->next)
		at->next->link = &at->next;
	*list = at;
	return at;
}

static void free_if_empty(struct pending_table *table, struct outstanding *at)
{
	if (at->flights.first)
		return;
	*at->link = at->next;
	if (at->next)
		at->next->link = at->link;
	store_give(&table->outstanding_store, at);
}

void flight_wait(struct flight *flight)
{
	struct outstanding *at = find_or_make(flight->table, flight->target);

	if (!at)
		return;
	flight->outstanding = at;
	fair_queue_add(&at->flights, &flight->place, &flight->client);
	if (!flight_is_fallback(flight))
		target_wait(flight->target);
}

void flight_unwait(struct flight *flight)
{
	struct outstanding *at = flight->outstanding;

	if (!at)
		return;
	flight->outstanding = NULL;
	fair_queue_remove(&at->flights, &flight->place);
	if (!flight_is_fallback(flight))
		target_unwait(flight->target);
	free_if_empty(flight->table, at);
}

unsigned flights_waiting(struct pending_table *table, const struct target *target)
{
	const struct outstanding *at = find(table, target);

	return at ? at->flights.count : 0;
}

struct flight *flights_oldest(struct pending_table *table, const struct target *target)
{
	const struct outstanding *at = find(table, target);

	return at ? flight_of(at->flights.first) : NULL;
}

/* One that has not waited for longer than the target takes as a rule has its answer soon: else a
 * target that is asked for more than it answers in the time would be asked all of it in vain. */
static bool is_due(const struct flight *flight, uint64_t now_us)
{
	return now_us < flight->sent_us + target_allowance_us(flight->target);
}

struct flight *flights_victim(struct flight *newcomer, uint64_t now_us)
{
	const struct outstanding *at = newcomer->outstanding;
	struct fair_queue_item *victim = at ? fair_queue_victim(&at->flights) : NULL;

	if (!victim)
		return NULL;
	if (is_due(flight_of(victim), now_us) &&
	    fair_queue_is_as_greedy(&at->flights, &newcomer->place, victim))
		return newcomer;
	return flight_of(victim);
}
