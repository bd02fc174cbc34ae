/* The pool of queries of one worker: a free list, and slabs of 64 queries that are allocated under
 * load and kept until the end. A taken query is not wiped as a whole (a struct name alone is over a
 * kilobyte): only members that its next user could mistake for its own are reset. */
#include "endpoints/query.h"

#include <assert.h>
#include <stdlib.h>

enum { SLAB_QUERIES = 64 };

struct query_slab {
	struct query_slab *next;
	unsigned count; /* how many of `queries` may be taken */
	struct query queries[SLAB_QUERIES];
};

void query_pool_init(struct query_pool *pool, unsigned max)
{
	*pool = (struct query_pool){.max = max};
}

void query_pool_release(struct query_pool *pool)
{
	assert(pool->in_use == 0);
	while (pool->slabs) {
		struct query_slab *slab = pool->slabs;
		pool->slabs = slab->next;
		free(slab);
	}
	*pool = (struct query_pool){.max = pool->max};
}

static void query_pool_grow(struct query_pool *pool)
{
	if (pool->allocated >= pool->max)
		return;
	struct query_slab *slab = aligned_alloc(_Alignof(struct query_slab), sizeof *slab);
	if (!slab)
		return;
	slab->next = pool->slabs;
	pool->slabs = slab;
	unsigned room = pool->max - pool->allocated;
	unsigned count = slab->count = room < SLAB_QUERIES ? room : SLAB_QUERIES;
	for (unsigned i = 0; i < count; i++) {
		slab->queries[i].finish = NULL;
		slab->queries[i].next = pool->free;
		pool->free = &slab->queries[i];
	}
	pool->allocated += count;
}

struct query *query_take(struct query_pool *pool)
{
	if (!pool->free)
		query_pool_grow(pool);
	struct query *query = pool->free;
	if (!query)
		return NULL;
	pool->free = query->next;
	pool->in_use++;
	query->next = NULL;
	query->origin = NULL;
	query->binding = NULL;
	return query;
}

void query_give(struct query_pool *pool, struct query *query)
{
	assert(pool->in_use > 0);
	pool->in_use--;
	query->finish = NULL;
	query->next = pool->free;
	pool->free = query;
}

void query_each(struct query_pool *pool, const void *origin, void (*on_query)(struct query *query))
{
	for (struct query_slab *slab = pool->slabs; slab; slab = slab->next)
		for (unsigned i = 0; i < slab->count; i++)
			if (slab->queries[i].finish &&
			    (!origin || slab->queries[i].origin == origin))
				on_query(&slab->queries[i]);
}
