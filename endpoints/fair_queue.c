/* A list by age, and a list for each client, found by a keyed hash of its address:
 *
 *     first ─► oldest ─► ... ─► newest        clients: - - 3 - 12000 - - 1 ...
 *                                                          └► its oldest ─► ... ─► its newest
 *
 * The table is filled when more than a quarter of the maximum waits, then kept up to date, and
 * freed when no more than an eighth waits. So filling it costs at most two hashes for each item on
 * average.
 *
 * An IPv6 client is a /64 (address_client). Not here: what happens to the item that has to leave
 * (resolve.c, upstream/failover.c). */
#include "endpoints/fair_queue.h"

#include <stdlib.h>

void fair_queue_init(struct fair_queue *waiting, unsigned max, const struct hash_key *key)
{
	*waiting = (struct fair_queue){.max = max, .key = *key};
	waiting->last = &waiting->first;
}

static struct fair_queue_client *client_of(const struct fair_queue *waiting,
					   const struct fair_queue_item *item)
{
	const struct address client = address_client(item->client);

	return &waiting->clients[hash_bytes(&waiting->key, client.family, client.bytes,
					    sizeof client.bytes) %
				 FAIR_QUEUE_CLIENTS];
}

static struct fair_queue_client *greedier(struct fair_queue_client *one,
					  struct fair_queue_client *other)
{
	return one && one->count >= other->count ? one : other;
}

static void count_item(struct fair_queue *waiting, struct fair_queue_item *item)
{
	struct fair_queue_client *client = client_of(waiting, item);

	if (client->count++ == 0)
		client->last = &client->first;
	item->of_client = NULL;
	item->client_link = client->last;
	*client->last = item;
	client->last = &item->of_client;
	waiting->greediest = greedier(waiting->greediest, client);
}

void fair_queue_count(struct fair_queue *waiting, struct fair_queue_item *item)
{
	if (waiting->clients) {
		count_item(waiting, item);
		return;
	}
	waiting->clients = calloc(FAIR_QUEUE_CLIENTS, sizeof *waiting->clients);
	if (!waiting->clients)
		return;
	for (struct fair_queue_item *at = waiting->first; at; at = at->next)
		count_item(waiting, at);
}

void fair_queue_uncount(struct fair_queue *waiting, struct fair_queue_item *item)
{
	struct fair_queue_client *client = client_of(waiting, item);

	client->count--;
	*item->client_link = item->of_client;
	if (item->of_client)
		item->of_client->client_link = item->client_link;
	else
		client->last = item->client_link;
	if (waiting->count > waiting->max / 8)
		return;
	free(waiting->clients);
	waiting->clients = NULL;
	waiting->greediest = NULL;
}

/* The greediest client may have got answers since, so the client of the oldest item may have more
 * now. */
struct fair_queue_item *fair_queue_choose(const struct fair_queue *waiting)
{
	if (!waiting->clients)
		return waiting->first;
	return greedier(client_of(waiting, waiting->first), waiting->greediest)->first;
}

bool fair_queue_is_as_greedy(const struct fair_queue *waiting, const struct fair_queue_item *item,
			     const struct fair_queue_item *other)
{
	return !waiting->clients ||
	       client_of(waiting, item)->count >= client_of(waiting, other)->count;
}
