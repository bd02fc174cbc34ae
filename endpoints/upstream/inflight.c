/* Flights, and the free lists for flights and questions. A flight is in up to five lists at once:
 * its lookup's, the hash of (socket, id), its socket's, its target's queue, and the wheel. The code
 * that ends a flight takes it out of all lists (flight_detach), handles the consequences, and frees
 * it last, because the flight holds its upstream's memory.
 *
 *     table ──► queue of target 3 ──► oldest ──► ... ──► newest     (fair_queue.h)
 *           └─► queue of target 8 ──► flight
 *
 * A queue has this worker's flights that wait at a target, until their patience is over. When this
 * worker finds that the target is suspect, they leave the queue, and their questions move on. Their
 * number has a maximum, so that a target that is slow for everybody does not take all places of a
 * worker. A retry by TCP after a truncated reply waits in the queue, but its target does not count
 * it, because a slow retry says nothing about the target's health.
 *
 * Not here: what happens to the question of a flight that has to go (upstream/failover.c). */
#include "endpoints/upstream/internal.h"

#include "rules/base.h"

enum { SLAB_ITEMS = 64 };

struct spare_slab {
	struct spare_slab *next;
	_Alignas(16) uint8_t items[];
};

struct spare_item {
	struct spare_item *next;
};

static bool spare_grow(struct spare_list *list, size_t size)
{
	struct spare_slab *slab = malloc(sizeof *slab + SLAB_ITEMS * size);

	if (!slab)
		return false;
	slab->next = list->slabs;
	list->slabs = slab;
	for (size_t i = SLAB_ITEMS; i-- > 0;)
		spare_give(list, slab->items + i * size);
	return true;
}

void *spare_take(struct spare_list *list, size_t size)
{
	if (!list->first && !spare_grow(list, size))
		return NULL;
	struct spare_item *item = list->first;
	list->first = item->next;
	return item;
}

void spare_give(struct spare_list *list, void *item)
{
	struct spare_item *spare = item;

	spare->next = list->first;
	list->first = spare;
}

void spare_release(struct spare_list *list)
{
	struct spare_slab *next;

	for (struct spare_slab *slab = list->slabs; slab; slab = next) {
		next = slab->next;
		free(slab);
	}
	*list = (struct spare_list){0};
}

/* ---- flights ---- */

static struct flight **flight_bucket(struct lookups *table, const void *socket, uint16_t id)
{
	/* Nobody else chooses the id or the socket's address, so a plain hash is enough. */
	uint64_t mixed = ((uint64_t)(uintptr_t)socket >> 4) * 0x9e3779b97f4a7c15;
	return &table->flights[((mixed >> 40) ^ id) % LOOKUP_BUCKETS];
}

struct flight *flight_new(struct lookups *table, void *holder, const struct upstream *upstream,
			  const struct address *client)
{
	if (table->flight_count / LOOKUP_FLIGHTS >= table->lookup_max)
		return NULL;
	struct flight *flight = spare_take(&table->spare_flights, sizeof *flight);
	if (!flight)
		return NULL;
	memset(flight, 0, offsetof(struct flight, question));
	flight->table = table;
	flight->holder = holder;
	flight->upstream = upstream;
	flight->target = upstream->target;
	flight->client = *client;
	flight->id = entropy_u16(table->entropy);
	table->flight_count++;
	table->hold(table->context, holder);
	return flight;
}

void flight_join(struct flight *flight, struct lookup *lookup, unsigned index)
{
	flight->index = (uint8_t)index;
	flight->lookup = lookup;
	flight->next = lookup->flights;
	flight->link = &lookup->flights;
	if (flight->next)
		flight->next->link = &flight->next;
	lookup->flights = flight;
}

void flight_insert(struct flight *flight)
{
	struct flight **bucket = flight_bucket(flight->table, flight->socket, flight->id);

	flight->next_in_bucket = *bucket;
	*bucket = flight;

	struct lookup_socket *socket = flight->socket;
	flight->next_at_socket = socket->flights;
	flight->socket_link = &socket->flights;
	if (flight->next_at_socket)
		flight->next_at_socket->socket_link = &flight->next_at_socket;
	socket->flights = flight;
}

static void flight_remove(struct flight *flight)
{
	struct flight **link = flight_bucket(flight->table, flight->socket, flight->id);

	while (*link && *link != flight)
		link = &(*link)->next_in_bucket;
	if (*link)
		*link = flight->next_in_bucket;
	if (!flight->socket_link)
		return;
	*flight->socket_link = flight->next_at_socket;
	if (flight->next_at_socket)
		flight->next_at_socket->socket_link = flight->socket_link;
	flight->socket_link = NULL;
}

void flight_orphan(struct flight *flight)
{
	struct lookup *lookup = flight->lookup;

	if (!lookup)
		return;
	if (lookup->watchers && flight->socket) /* without a socket it was never sent, nor noted */
		watch_note_gone(lookup, flight);
	if (lookup->leading == flight)
		lookup->leading = NULL;
	*flight->link = flight->next;
	if (flight->next)
		flight->next->link = flight->link;
	flight->lookup = NULL;
	if (flight->overdue) /* it was kept only for this question */
		wheel_arm(flight->table->wheel, &flight->timer, 0);
}

void flight_detach(struct flight *flight)
{
	flight_unwait(flight);
	flight_remove(flight);
	flight_orphan(flight);
	wheel_cancel(flight->table->wheel, &flight->timer);
}

void flight_free(struct flight *flight)
{
	struct lookups *table = flight->table;

	if (flight->socket)
		table->forget(table->transport, flight);
	table->unhold(table->context, flight->holder);
	table->flight_count--;
	spare_give(&table->spare_flights, flight);
}

struct flight *lookup_find_flight(struct lookups *table, void *socket, uint16_t id)
{
	struct flight *flight = *flight_bucket(table, socket, id);

	while (flight && !(flight->socket == socket && flight->id == id))
		flight = flight->next_in_bucket;
	return flight;
}

void flight_choose_id(struct flight *flight)
{
	/* If all sixteen are taken, the question still tells the flights apart. */
	for (unsigned tries = 0;
	     tries < 16 && lookup_find_flight(flight->table, flight->socket, flight->id); tries++)
		flight->id = entropy_u16(flight->table->entropy);
}

/* ---- the queue at a target ---- */

struct target_queue {
	struct target_queue *next, **link;
	const struct target *target;
	struct fair_queue flights;
};

static struct flight *flight_of(struct fair_queue_item *item)
{
	return container_of(item, struct flight, place);
}

static struct target_queue **queue_list(struct lookups *table, const struct target *target)
{
	uint64_t mixed = ((uint64_t)(uintptr_t)target >> 4) * 0x9e3779b97f4a7c15;

	return &table->queues[(mixed >> 40) % LOOKUP_QUEUE_LISTS];
}

static struct target_queue *queue_find(struct lookups *table, const struct target *target)
{
	struct target_queue *queue = *queue_list(table, target);

	while (queue && queue->target != target)
		queue = queue->next;
	return queue;
}

/* Makes the queue if there is none; NULL without memory. */
static struct target_queue *queue_for(struct lookups *table, const struct target *target)
{
	struct target_queue *queue = queue_find(table, target), **list = queue_list(table, target);

	if (queue)
		return queue;
	queue = spare_take(&table->spare_queues, sizeof *queue);
	if (!queue)
		return NULL;
	*queue = (struct target_queue){.next = *list, .link = list, .target = target};
	fair_queue_init(&queue->flights, table->target_max, &table->key);
	if (queue->next)
		queue->next->link = &queue->next;
	*list = queue;
	return queue;
}

static void queue_free_if_empty(struct lookups *table, struct target_queue *queue)
{
	if (queue->flights.first)
		return;
	*queue->link = queue->next;
	if (queue->next)
		queue->next->link = queue->link;
	spare_give(&table->spare_queues, queue);
}

void flight_wait(struct flight *flight)
{
	struct target_queue *queue = queue_for(flight->table, flight->target);

	if (!queue)
		return;
	flight->queue = queue;
	fair_queue_add(&queue->flights, &flight->place, &flight->client);
	if (!flight_is_fallback(flight))
		target_wait(flight->target);
}

void flight_unwait(struct flight *flight)
{
	struct target_queue *queue = flight->queue;

	if (!queue)
		return;
	flight->queue = NULL;
	fair_queue_remove(&queue->flights, &flight->place);
	if (!flight_is_fallback(flight))
		target_unwait(flight->target);
	queue_free_if_empty(flight->table, queue);
}

unsigned flights_waiting(struct lookups *table, const struct target *target)
{
	const struct target_queue *queue = queue_find(table, target);

	return queue ? queue->flights.count : 0;
}

struct flight *flights_oldest(struct lookups *table, const struct target *target)
{
	const struct target_queue *queue = queue_find(table, target);

	return queue ? flight_of(queue->flights.first) : NULL;
}

/* Whether its answer is expected soon. Without this, an overloaded target would lose every question
 * shortly before it answers. */
static bool is_due(const struct flight *flight, uint64_t now_us)
{
	return now_us < flight->sent_us + target_allowance_us(flight->target);
}

struct flight *flights_victim(struct flight *newcomer, uint64_t now_us)
{
	const struct target_queue *queue = newcomer->queue;
	struct fair_queue_item *victim = queue ? fair_queue_victim(&queue->flights) : NULL;

	if (!victim)
		return NULL;
	if (is_due(flight_of(victim), now_us) &&
	    fair_queue_is_as_greedy(&queue->flights, &newcomer->place, victim))
		return newcomer;
	return flight_of(victim);
}
