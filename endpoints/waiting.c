/* A list by age, and a table of counters by a keyed hash of the client:
 *
 *     first ─► oldest ─► ... ─► newest        clients: 0 0 3 0 12000 0 0 1 ...
 *              └ 16 of these, and this ┘
 *
 * The table is filled when a quarter of the maximum wait, kept up to date from then on, and given
 * back when no more than an eighth do: so filling it costs a question two hashes on average.
 *
 * An IPv6 client is its /64 (address_client). Not here: what becomes of the one that has to go
 * (resolve.c, pending_walk.c). */
#include "endpoints/waiting.h"

#include <stdlib.h>

void waiting_init(struct waiting *waiting, unsigned max, const struct hash_key *key)
{
	*waiting = (struct waiting){.max = max, .key = *key};
	waiting->last = &waiting->first;
}

static unsigned place_of(const struct waiting *waiting, const struct address *address)
{
	const struct address client = address_client(address);

	return hash_bytes(&waiting->key, client.family, client.bytes, sizeof client.bytes) %
	       WAITING_CLIENTS;
}

static void count_item(struct waiting *waiting, const struct waiting_item *item)
{
	waiting->clients[place_of(waiting, item->client)]++;
}

void waiting_count(struct waiting *waiting, const struct waiting_item *item)
{
	if (waiting->clients) {
		count_item(waiting, item);
		return;
	}
	waiting->clients = calloc(WAITING_CLIENTS, sizeof *waiting->clients);
	if (!waiting->clients)
		return;
	for (const struct waiting_item *at = waiting->first; at; at = at->next)
		count_item(waiting, at);
}

void waiting_uncount(struct waiting *waiting, const struct waiting_item *item)
{
	waiting->clients[place_of(waiting, item->client)]--;
	if (waiting->count > waiting->max / 8)
		return;
	free(waiting->clients);
	waiting->clients = NULL;
}

static struct waiting_item *newest(const struct waiting *waiting)
{
	return (struct waiting_item *)((char *)waiting->last - offsetof(struct waiting_item, next));
}

struct waiting_item *waiting_choose(const struct waiting *waiting)
{
	struct waiting_item *victim = NULL, *item = waiting->first;
	uint32_t most = 0;

	if (!waiting->clients)
		return item;
	for (unsigned i = 0; i < WAITING_OLDEST && item; i++, item = item->next) {
		uint32_t count = waiting->clients[place_of(waiting, item->client)];

		if (!victim || count > most) {
			victim = item;
			most = count;
		}
	}
	item = newest(waiting);
	/* It has been counted itself: what its client had before it came. */
	return waiting->clients[place_of(waiting, item->client)] - 1 > most ? item : victim;
}

bool waiting_is_as_greedy(const struct waiting *waiting, const struct waiting_item *item,
			  const struct waiting_item *other)
{
	return !waiting->clients || waiting->clients[place_of(waiting, item->client)] >=
					    waiting->clients[place_of(waiting, other->client)];
}
