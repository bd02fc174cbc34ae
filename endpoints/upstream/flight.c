/* Flights, and the free lists that they and the questions come from. A flight is in up to five
 * lists at once: its pending's, the hash of (socket, id), its socket's, those that wait at its
 * target, and the wheel. Whoever ends it takes it out of all (flight_detach), does what its end
 * brings about, and then frees it, so that its upstream's memory is held until the last line. */
#include "endpoints/upstream/outstanding.h"

enum { SLAB_ITEMS = 64 };

struct pending_slab {
	struct pending_slab *next;
	_Alignas(16) uint8_t items[];
};

struct pending_spare {
	struct pending_spare *next;
};

static bool store_grow(struct pending_store *store, size_t size)
{
	struct pending_slab *slab = malloc(sizeof *slab + SLAB_ITEMS * size);

	if (!slab)
		return false;
	slab->next = store->slabs;
	store->slabs = slab;
	for (size_t i = SLAB_ITEMS; i-- > 0;)
		store_give(store, slab->items + i * size);
	return true;
}

void *store_take(struct pending_store *store, size_t size)
{
	if (!store->spare && !store_grow(store, size))
		return NULL;
	struct pending_spare *item = store->spare;
	store->spare = item->next;
	return item;
}

void store_give(struct pending_store *store, void *item)
{
	struct pending_spare *spare = item;

	spare->next = store->spare;
	store->spare = spare;
}

void store_release(struct pending_store *store)
{
	struct pending_slab *next;

	for (struct pending_slab *slab = store->slabs; slab; slab = next) {
		next = slab->next;
		free(slab);
	}
	*store = (struct pending_store){0};
}

/* ---- flights ---- */

static struct flight **flight_bucket(struct pending_table *table, const void *socket, uint16_t id)
{
	/* The id is ours and random, the socket's address is nobody's to choose. */
	uint64_t mixed = ((uint64_t)(uintptr_t)socket >> 4) * 0x9e3779b97f4a7c15;
	return &table->flights[((mixed >> 40) ^ id) % PENDING_BUCKETS];
}

struct flight *flight_new(struct pending_table *table, void *holder,
			  const struct upstream *upstream, const struct address *client)
{
	if (table->flight_count / PENDING_FLIGHTS >= table->pending_max)
		return NULL;
	struct flight *flight = store_take(&table->flight_store, sizeof *flight);
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

void flight_join(struct flight *flight, struct pending *pending, unsigned index)
{
	flight->index = (uint8_t)index;
	flight->pending = pending;
	flight->next = pending->flights;
	flight->link = &pending->flights;
	if (flight->next)
		flight->next->link = &flight->next;
	pending->flights = flight;
}

void flight_insert(struct flight *flight)
{
	struct flight **bucket = flight_bucket(flight->table, flight->socket, flight->id);

	flight->next_in_bucket = *bucket;
	*bucket = flight;

	struct pending_socket *socket = flight->socket;
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
	struct pending *pending = flight->pending;

	if (!pending)
		return;
	if (pending->leading == flight)
		pending->leading = NULL;
	*flight->link = flight->next;
	if (flight->next)
		flight->next->link = flight->link;
	flight->pending = NULL;
	if (flight->overdue) /* it stayed only for this question */
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
	struct pending_table *table = flight->table;

	if (flight->socket)
		table->forget(table->transport, flight);
	table->unhold(table->context, flight->holder);
	table->flight_count--;
	store_give(&table->flight_store, flight);
}

struct flight *pending_find_flight(struct pending_table *table, void *socket, uint16_t id)
{
	struct flight *flight = *flight_bucket(table, socket, id);

	while (flight && !(flight->socket == socket && flight->id == id))
		flight = flight->next_in_bucket;
	return flight;
}
