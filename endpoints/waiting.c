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

/* Whose `next` that is. */
static struct waiting_item *item_at(struct waiting_item *const *link)
{
	return (struct waiting_item *)((char *)link - offsetof(struct waiting_item, next));
}

static uint32_t count_of(const struct waiting *waiting, const struct waiting_item *item)
{
	return waiting->clients[place_of(waiting, item->client)];
}

/* Modest clients are spared, so in the end theirs are the oldest: then a greedy client's is to be
 * found among the newest. */
struct waiting_item *waiting_choose(const struct waiting *waiting)
{
	struct waiting_item *victim = NULL, *item = waiting->first, *newcomer;
	uint32_t most = 0, count;

	if (!waiting->clients)
		return item;
	for (unsigned i = 0; i < WAITING_OLDEST && item; i++, item = item->next) {
		count = count_of(waiting, item);
		if (!victim || count > most) {
			victim = item;
			most = count;
		}
	}
	newcomer = item = item_at(waiting->last);
	/* It has been counted itself: what its client had before it came. */
	if (count_of(waiting, newcomer) - 1 > most)
		return newcomer;
	for (unsigned i = 0; i < WAITING_OLDEST && item->link != &waiting->first; i++) {
		item = item_at(item->link);
		count = count_of(waiting, item);
		if (count > most) {
			victim = item;
			most = count;
		}
	}
	return victim;
}

bool waiting_is_as_greedy(const struct waiting *waiting, const struct waiting_item *item,
			  const struct waiting_item *other)
{
	return !waiting->clients || waiting->clients[place_of(waiting, item->client)] >=
					    waiting->clients[place_of(waiting, other->client)];
}
