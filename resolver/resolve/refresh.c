/* A small hash table over a fixed number of items, with a list of free ones. resolve.c's on_result
 * puts the answer into the cache before on_done is called, so on_done only frees the item. */
#include "resolver/resolve/refresh.h"

#include <stddef.h>
#include <string.h>

#include "resolver/resolve/cache.h"
#include "rules/base.h"

static struct refresh **bucket_of(struct refreshes *refreshes, uint64_t hash)
{
	return &refreshes->buckets[hash % REFRESH_BUCKETS];
}

void refreshes_init(struct refreshes *refreshes)
{
	memset(refreshes, 0, sizeof *refreshes);
	for (unsigned i = REFRESHES; i-- > 0;) {
		refreshes->items[i].all = refreshes;
		refreshes->items[i].next = refreshes->free;
		refreshes->free = &refreshes->items[i];
	}
}

static bool is_under_way(struct refreshes *refreshes, uint64_t hash)
{
	for (struct refresh *at = *bucket_of(refreshes, hash); at; at = at->next)
		if (at->hash == hash)
			return true;
	return false;
}

static void release(struct refresh *refresh)
{
	struct refreshes *all = refresh->all;
	struct refresh **link = bucket_of(all, refresh->hash);

	while (*link != refresh)
		link = &(*link)->next;
	*link = refresh->next;
	refresh->next = all->free;
	all->free = refresh;
	all->count--;
}

static void on_done(struct waiter *waiter, void *value, uint64_t now_us)
{
	(void)value;
	(void)now_us;
	release(container_of(waiter, struct refresh, waiter));
}

int refresh_ask(struct refreshes *refreshes, struct lookups *lookups, const struct lookup_key *key,
		void *holder, uint64_t deadline_us, bool may_wait, uint64_t now_us)
{
	struct refresh *refresh = refreshes->free;
	const struct cache_key cache_key = cache_key_of(key);
	uint64_t hash = cache_hash(&cache_key);

	if (!refresh)
		return ERR_LIMIT;
	if (is_under_way(refreshes, hash))
		return ERR_EXISTS;
	refresh->waiter.on_done = on_done;
	int err = lookup_ask(lookups, key, holder, &refresh->waiter, deadline_us, may_wait, now_us);
	if (err)
		return err;
	refresh->hash = hash;
	refreshes->free = refresh->next;
	refresh->next = *bucket_of(refreshes, hash);
	*bucket_of(refreshes, hash) = refresh;
	refreshes->count++;
	return 0;
}

void refreshes_leave(struct refreshes *refreshes)
{
	for (unsigned i = 0; i < REFRESHES; i++) {
		struct refresh *refresh = &refreshes->items[i];

		if (!refresh->waiter.link)
			continue;
		lookup_leave(&refresh->waiter);
		release(refresh);
	}
}
