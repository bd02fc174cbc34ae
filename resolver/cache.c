/* Shards with a lock each; in a shard a hash table and one queue.
 *
 *     newest ─► ... ─► ... ─► hand ─► ... ─► oldest
 *
 * SIEVE (Zhang et al., NSDI 2024): a hit sets the entry's visited bit and moves nothing. To make
 * room the hand walks from old to new, clears visited bits on its way and evicts the first entry
 * that has none. New entries are put in front, not visited: names that are asked once go soon.
 *
 * What it does not do: expire by itself. An entry past its TTL stays, for serving stale, until it
 * is replaced or evicted. */
#include "resolver/cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SHARDS = 64, BUCKETS_FIRST = 64, LOAD_MAX = 2 };

struct shard {
	pthread_mutex_t lock;
	struct cache_entry **buckets;
	size_t bucket_count, count;
	uint64_t bytes, bytes_max;
	struct cache_entry *newest, *oldest, *hand;
	uint64_t hits, misses, evicted, inserted;
	char pad[64]; /* shards do not share cache lines */
};

struct cache {
	struct shard shards[SHARDS];
};

struct cache *cache_new(uint64_t size_bytes)
{
	struct cache *cache = calloc(1, sizeof *cache);

	if (!cache)
		return NULL;
	for (unsigned i = 0; i < SHARDS; i++) {
		struct shard *shard = &cache->shards[i];

		pthread_mutex_init(&shard->lock, NULL);
		shard->bytes_max = size_bytes / SHARDS;
		shard->bucket_count = BUCKETS_FIRST;
		shard->buckets = calloc(BUCKETS_FIRST, sizeof(struct cache_entry *));
		if (!shard->buckets) {
			cache_free(cache);
			return NULL;
		}
	}
	return cache;
}

uint64_t cache_hash(const struct cache_key *key)
{
	/* The leg's id and the name's hash are keyed; what is left is small and cannot be chosen
	 * into a collision with another name. */
	uint64_t rest = (uint64_t)key->type << 2 | (uint64_t)key->dnssec_ok << 1 |
			(uint64_t)key->checking_disabled;

	return (key->leg ^ key->name->hash[0]) + rest * 0x9e3779b97f4a7c15;
}

bool cache_entry_matches(const struct cache_entry *entry, const struct cache_key *key)
{
	return entry->leg == key->leg && entry->type == key->type &&
	       entry->dnssec_ok == key->dnssec_ok &&
	       entry->checking_disabled == key->checking_disabled &&
	       entry->name_length == key->name->length &&
	       memcmp(entry->name, key->name->wire, entry->name_length) == 0;
}

struct cache_entry *cache_entry_ref(struct cache_entry *entry)
{
	atomic_fetch_add_explicit(&entry->references, 1, memory_order_relaxed);
	return entry;
}

void cache_entry_unref(struct cache_entry *entry)
{
	if (entry && atomic_fetch_sub_explicit(&entry->references, 1, memory_order_acq_rel) == 1)
		free(entry);
}

/* ---- a shard, with its lock held ---- */

static struct shard *shard_of(struct cache *cache, uint64_t hash)
{
	return &cache->shards[hash >> 58];
}

static struct cache_entry **bucket_of(struct shard *shard, uint64_t hash)
{
	return &shard->buckets[hash & (shard->bucket_count - 1)];
}

static struct cache_entry *shard_find(struct shard *shard, uint64_t hash,
				      const struct cache_key *key)
{
	struct cache_entry *entry = *bucket_of(shard, hash);

	while (entry && !(entry->hash == hash && cache_entry_matches(entry, key)))
		entry = entry->next_in_bucket;
	return entry;
}

static bool same_question(const struct cache_entry *a, const struct cache_entry *b)
{
	return a->hash == b->hash && a->leg == b->leg && a->type == b->type &&
	       a->dnssec_ok == b->dnssec_ok && a->checking_disabled == b->checking_disabled &&
	       a->name_length == b->name_length && memcmp(a->name, b->name, a->name_length) == 0;
}

/* The entry that this one would take the place of. */
static struct cache_entry *shard_find_old(struct shard *shard, const struct cache_entry *entry)
{
	struct cache_entry *old = *bucket_of(shard, entry->hash);

	while (old && !same_question(old, entry))
		old = old->next_in_bucket;
	return old;
}

static void shard_remove(struct shard *shard, struct cache_entry *entry)
{
	struct cache_entry **link = bucket_of(shard, entry->hash);

	while (*link != entry)
		link = &(*link)->next_in_bucket;
	*link = entry->next_in_bucket;
	if (shard->hand == entry)
		shard->hand = entry->newer;
	*(entry->newer ? &entry->newer->older : &shard->newest) = entry->older;
	*(entry->older ? &entry->older->newer : &shard->oldest) = entry->newer;
	shard->count--;
	shard->bytes -= entry->bytes;
	cache_entry_unref(entry);
}

static void shard_evict(struct shard *shard)
{
	struct cache_entry *entry = shard->hand ? shard->hand : shard->oldest;

	while (atomic_load_explicit(&entry->visited, memory_order_relaxed)) {
		atomic_store_explicit(&entry->visited, false, memory_order_relaxed);
		entry = entry->newer ? entry->newer : shard->oldest;
	}
	shard->hand = entry;
	shard_remove(shard, entry);
	shard->evicted++;
}

static void shard_grow(struct shard *shard)
{
	size_t count = shard->bucket_count * 2, old_count = shard->bucket_count;
	struct cache_entry **old = shard->buckets;
	struct cache_entry **buckets = calloc(count, sizeof(struct cache_entry *));

	if (!buckets)
		return; /* longer chains, nothing worse */
	shard->buckets = buckets;
	shard->bucket_count = count;
	for (size_t i = 0; i < old_count; i++) {
		for (struct cache_entry *entry = old[i], *next; entry; entry = next) {
			struct cache_entry **bucket = bucket_of(shard, entry->hash);

			next = entry->next_in_bucket;
			entry->next_in_bucket = *bucket;
			*bucket = entry;
		}
	}
	free(old);
}

static void shard_insert(struct shard *shard, struct cache_entry *entry)
{
	struct cache_entry **bucket;

	if (shard->count >= LOAD_MAX * shard->bucket_count)
		shard_grow(shard);
	bucket = bucket_of(shard, entry->hash);
	entry->next_in_bucket = *bucket;
	*bucket = entry;
	entry->newer = NULL;
	entry->older = shard->newest;
	*(shard->newest ? &shard->newest->newer : &shard->oldest) = entry;
	shard->newest = entry;
	shard->count++;
	shard->bytes += entry->bytes;
	shard->inserted++;
}

/* ---- the interface ---- */

void cache_free(struct cache *cache)
{
	if (!cache)
		return;
	for (unsigned i = 0; i < SHARDS; i++) {
		struct shard *shard = &cache->shards[i];

		while (shard->newest)
			shard_remove(shard, shard->newest);
		free(shard->buckets);
		pthread_mutex_destroy(&shard->lock);
	}
	free(cache);
}

void cache_resize(struct cache *cache, uint64_t size_bytes)
{
	for (unsigned i = 0; i < SHARDS; i++) {
		struct shard *shard = &cache->shards[i];

		pthread_mutex_lock(&shard->lock);
		shard->bytes_max = size_bytes / SHARDS;
		while (shard->bytes > shard->bytes_max)
			shard_evict(shard);
		pthread_mutex_unlock(&shard->lock);
	}
}

static enum cache_state state_of(const struct cache_entry *entry, uint64_t now_us,
				 uint32_t stale_max_s)
{
	if (now_us < entry->expires_us)
		return CACHE_FRESH;
	if (!entry->failed && now_us - entry->expires_us < (uint64_t)stale_max_s * 1000000)
		return CACHE_STALE;
	return CACHE_MISS;
}

enum cache_state cache_get(struct cache *cache, const struct cache_key *key, uint64_t now_us,
			   uint32_t stale_max_s, struct cache_entry **found)
{
	uint64_t hash = cache_hash(key);
	struct shard *shard = shard_of(cache, hash);
	enum cache_state state = CACHE_MISS;

	pthread_mutex_lock(&shard->lock);
	struct cache_entry *entry = shard_find(shard, hash, key);
	if (entry)
		state = state_of(entry, now_us, stale_max_s);
	if (state != CACHE_MISS) {
		atomic_store_explicit(&entry->visited, true, memory_order_relaxed);
		*found = cache_entry_ref(entry);
	}
	*(state == CACHE_FRESH ? &shard->hits : &shard->misses) += 1;
	pthread_mutex_unlock(&shard->lock);
	return state;
}

void cache_put(struct cache *cache, struct cache_entry *entry, uint64_t now_us,
	       uint32_t stale_max_s)
{
	struct shard *shard = shard_of(cache, entry->hash);

	pthread_mutex_lock(&shard->lock);
	struct cache_entry *old = shard_find_old(shard, entry);
	if (old && entry->failed && !old->failed &&
	    state_of(old, now_us, stale_max_s) != CACHE_MISS) {
		atomic_store_explicit(&old->retry_us, entry->expires_us, memory_order_relaxed);
	} else if (entry->bytes <= shard->bytes_max) {
		if (old)
			shard_remove(shard, old);
		while (shard->bytes + entry->bytes > shard->bytes_max)
			shard_evict(shard);
		shard_insert(shard, cache_entry_ref(entry));
	}
	pthread_mutex_unlock(&shard->lock);
}

/* Both names are whole and in lower case, so bytes that are equal are a suffix where a label
 * begins. Nothing is hashed: workers wait for the lock. */
static bool flush_takes(const struct cache_entry *entry, const struct name *name, bool below)
{
	size_t at = 0;

	if (!name)
		return true;
	if (entry->name_length < name->length || (!below && entry->name_length != name->length))
		return false;
	size_t start = (size_t)entry->name_length - name->length;
	if (memcmp(entry->name + start, name->wire, name->length) != 0)
		return false;
	while (at < start)
		at += 1 + (size_t)entry->name[at];
	return at == start;
}

uint64_t cache_flush(struct cache *cache, const struct name *name, bool below)
{
	uint64_t flushed = 0;

	for (unsigned i = 0; i < SHARDS; i++) {
		struct shard *shard = &cache->shards[i];

		pthread_mutex_lock(&shard->lock);
		for (struct cache_entry *entry = shard->newest, *older; entry; entry = older) {
			older = entry->older;
			if (!flush_takes(entry, name, below))
				continue;
			shard_remove(shard, entry);
			flushed++;
		}
		pthread_mutex_unlock(&shard->lock);
	}
	return flushed;
}

void cache_read_stats(struct cache *cache, struct cache_stats *stats)
{
	*stats = (struct cache_stats){0};
	for (unsigned i = 0; i < SHARDS; i++) {
		struct shard *shard = &cache->shards[i];

		pthread_mutex_lock(&shard->lock);
		stats->entries += shard->count;
		stats->bytes += shard->bytes;
		stats->hits += shard->hits;
		stats->misses += shard->misses;
		stats->evicted += shard->evicted;
		stats->inserted += shard->inserted;
		pthread_mutex_unlock(&shard->lock);
	}
}
