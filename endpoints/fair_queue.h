/* A queue of items that wait for an answer, the oldest first, which decides which item has to leave
 * when there are too many. It holds the queries of a worker (resolve.c) or the questions at one
 * target (lookup.h).
 *
 * At the maximum the oldest item of the client with most items leaves. So a silent target or a
 * greedy client costs its own queries and hardly those of others. Clients are told apart only while
 * more than a part of the maximum waits; below that they cost nothing. */
#ifndef SLUICE_FAIR_QUEUE_H
#define SLUICE_FAIR_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/hash.h"
#include "rules/prefix.h"

enum { FAIR_QUEUE_CLIENTS = 4096 }; /* clients with the same hash count as one */

struct fair_queue_item {                      /* embedded in whatever waits */
	struct fair_queue_item *next, **link; /* link NULL: not waiting */
	const struct address *client;
	struct fair_queue_item *of_client, **client_link; /* its client's next, while told apart */
};

struct fair_queue_client {
	struct fair_queue_item *first, **last; /* set while count > 0 */
	uint32_t count;
};

struct fair_queue {
	struct fair_queue_item *first, **last;
	unsigned count, max;
	struct hash_key key;
	struct fair_queue_client *clients; /* NULL: they are not told apart now */
	struct fair_queue_client
		*greediest; /* replaced only when an item arrives; its items may have left */
};

/* There is no release: its memory is freed when the last item has left. */
void fair_queue_init(struct fair_queue *waiting, unsigned max, const struct hash_key *key);
/* For the inline functions below, when clients are told apart or should be from now on (without
 * memory for that, the oldest item leaves). */
void fair_queue_count(struct fair_queue *waiting, struct fair_queue_item *item);
void fair_queue_uncount(struct fair_queue *waiting, struct fair_queue_item *item);
struct fair_queue_item *fair_queue_choose(const struct fair_queue *waiting);
/* Whether the client of `item` has at least as many items as the client of `other`. True as well
 * while clients are not told apart. */
bool fair_queue_is_as_greedy(const struct fair_queue *waiting, const struct fair_queue_item *item,
			     const struct fair_queue_item *other);

/* Adds the item at the end. *client must stay where it is until fair_queue_remove. */
static inline void fair_queue_add(struct fair_queue *waiting, struct fair_queue_item *item,
				  const struct address *client)
{
	item->client = client;
	item->next = NULL;
	item->link = waiting->last;
	*waiting->last = item;
	waiting->last = &item->next;
	if (++waiting->count > waiting->max / 4 || waiting->clients)
		fair_queue_count(waiting, item);
}

/* Fine when not waiting. */
static inline void fair_queue_remove(struct fair_queue *waiting, struct fair_queue_item *item)
{
	if (!item->link)
		return;
	*item->link = item->next;
	if (item->next)
		item->next->link = item->link;
	else
		waiting->last = item->link;
	item->link = NULL;
	waiting->count--;
	if (waiting->clients)
		fair_queue_uncount(waiting, item);
}

/* The item that has to leave; NULL while no more than the maximum wait. */
static inline struct fair_queue_item *fair_queue_victim(const struct fair_queue *waiting)
{
	return waiting->count <= waiting->max ? NULL : fair_queue_choose(waiting);
}

#endif
