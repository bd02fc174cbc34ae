/* A line of those who wait for somebody else's answer, the oldest first, and who has to go when
 * they are too many: the queries of a worker (resolve.c), the questions at one target (pending.h).
 *
 * At the maximum it is the oldest of the client that has most waiting. So a target that says
 * nothing, or a client that asks without end, costs those who wait for it, and hardly the others.
 * Clients are told apart only while more than a part of the maximum wait; up to there they cost
 * nothing. */
#ifndef SLUICE_WAITING_H
#define SLUICE_WAITING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/hash.h"
#include "rules/prefix.h"

enum { WAITING_CLIENTS = 4096 }; /* clients with the same hash count as one */

struct waiting_item {                      /* embedded in whatever waits */
	struct waiting_item *next, **link; /* link NULL: not waiting */
	const struct address *client;
	struct waiting_item *of_client, **client_link; /* its client's next; while told apart */
};

struct waiting_client {
	struct waiting_item *first, **last; /* while there are any */
	uint32_t count;
};

struct waiting {
	struct waiting_item *first, **last;
	unsigned count, max;
	struct hash_key key;
	struct waiting_client *clients; /* NULL: they are not told apart, at present */
	struct waiting_client
		*greediest; /* at the latest arrival; its questions may have gone since */
};

/* What it allocates is freed when the last one has left. */
void waiting_init(struct waiting *waiting, unsigned max, const struct hash_key *key);
/* The rest of what follows, where clients are told apart, or will be from now on (without memory
 * for that the oldest goes). */
void waiting_count(struct waiting *waiting, struct waiting_item *item);
void waiting_uncount(struct waiting *waiting, struct waiting_item *item);
struct waiting_item *waiting_choose(const struct waiting *waiting);
/* Whether this one's client has at least as many as that one's, as far as they are told apart. */
bool waiting_is_as_greedy(const struct waiting *waiting, const struct waiting_item *item,
			  const struct waiting_item *other);

/* At the end. The client's address stays where it is until waiting_remove. */
static inline void waiting_add(struct waiting *waiting, struct waiting_item *item,
			       const struct address *client)
{
	item->client = client;
	item->next = NULL;
	item->link = waiting->last;
	*waiting->last = item;
	waiting->last = &item->next;
	if (++waiting->count > waiting->max / 4 || waiting->clients)
		waiting_count(waiting, item);
}

/* Fine when not waiting. */
static inline void waiting_remove(struct waiting *waiting, struct waiting_item *item)
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
		waiting_uncount(waiting, item);
}

/* Who has to go: NULL while no more than the maximum wait. */
static inline struct waiting_item *waiting_victim(const struct waiting *waiting)
{
	return waiting->count <= waiting->max ? NULL : waiting_choose(waiting);
}

#endif
