/* Each shard has a lock and a table of buckets; a bucket is one cache line of eight slots. A slot
 * is an entry's address, with a part of its hash in the bits that addresses do not use, so a miss
 * reads one line of memory and no entry.
 *
 *     slot      | visited 1 | tag 15 | address 48 |
 *     buckets   [........] [........] [........] [........] ...
 *                              ▲ hand
 *
 * A hit sets the slot's visited bit and moves nothing. A name whose bit was set before is popular,
 * and is refreshed before its entry expires. To make room the hand walks over the slots, clears
 * visited bits and evicts the first entry without one. This is SIEVE (Zhang et al., NSDI 2024) in
 * the order of hashes and not of arrival: names asked once go soon, names asked again stay, and the
 * walk reads memory in order.
 *
 * Entries do not expire by themselves: after its TTL an entry stays, to be served stale, until it
 * is replaced or evicted. */
#include "resolver/resolve/cache.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	SHARDS = 64,
	SHARD_SHIFT = 58, /* the hash's bits from here on choose the shard */
	TAG_SHIFT = 40,   /* the bits from here on are the tag; the lowest choose the bucket */
	WAYS = 8,
	BUCKETS_FIRST = 16,
	USUAL_LOAD = 3, /* entries per bucket before the table doubles, so that few overflow */
};
#define SLOT_VISITED ((uint64_t)1 << 63)
#define SLOT_TAG     ((uint64_t)0x7fff << 48)
#define SLOT_ADDRESS (((uint64_t)1 << 48) - 1)

struct cache_bucket {
	_Alignas(64) uint64_t slots[WAYS]; /* 0: empty */
};

struct cache_shard {
	pthread_mutex_t lock;
	_Atomic(struct cache_bucket *) buckets;
	atomic_size_t bucket_count;
	size_t count;
	size_t hand; /* the number of a slot, counted through all buckets */
	uint64_t bytes, bytes_max;
	uint64_t hits, misses, evicted, inserted;
	char pad[64]; /* shards do not share cache lines */
};

struct cache {
	struct cache_shard shards[SHARDS];
};

static struct cache_bucket *buckets_new(size_t count)
{
	struct cache_bucket *buckets = aligned_alloc(sizeof *buckets, count * sizeof *buckets);

	if (buckets)
		memset(buckets, 0, count * sizeof *buckets);
	return buckets;
}

struct cache *cache_new(uint64_t size_bytes)
{
	struct cache *cache = calloc(1, sizeof *cache);

	if (!cache)
		return NULL;
	for (unsigned i = 0; i < SHARDS; i++) {
		struct cache_shard *shard = &cache->shards[i];

		pthread_mutex_init(&shard->lock, NULL);
		shard->bytes_max = size_bytes / SHARDS;
		shard->bucket_count = BUCKETS_FIRST;
		shard->buckets = buckets_new(BUCKETS_FIRST);
		if (!shard->buckets) {
			cache_free(cache);
			return NULL;
		}
	}
	return cache;
}

uint64_t cache_hash(const struct cache_key *key)
{
	/* The leg's id and the name's hash are keyed. The rest is too small to be chosen for
	 * collisions. */
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
	       memcmp(cache_entry_name(entry), key->name->wire, entry->name_length) == 0;
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

bool cache_entry_claim(struct cache_entry *entry)
{
	uint64_t again_us = atomic_load_explicit(&entry->again_us, memory_order_relaxed);

	return again_us < entry->expires_us &&
	       atomic_compare_exchange_strong_explicit(&entry->again_us, &again_us,
						       entry->expires_us, memory_order_relaxed,
						       memory_order_relaxed);
}

void cache_entry_add_asker(struct cache_entry *entry, uint16_t network)
{
	uint64_t askers = atomic_load_explicit(&entry->askers, memory_order_relaxed);
	unsigned used;

	do {
		if (!network || cache_entry_has_asker(entry, network))
			return;
		for (used = 0; used < 64 && askers >> used; used += 16)
			continue;
		if (used == 64)
			return;
	} while (!atomic_compare_exchange_weak_explicit(
		&entry->askers, &askers, askers | (uint64_t)network << used, memory_order_relaxed,
		memory_order_relaxed));
}

/* ---- slots ---- */

static uint64_t slot_for(const struct cache_entry *entry)
{
	uint64_t address = (uint64_t)(uintptr_t)entry;

	assert((address & ~SLOT_ADDRESS) == 0);
	return address | (entry->hash << (48 - TAG_SHIFT) & SLOT_TAG);
}

static struct cache_entry *slot_entry(uint64_t slot)
{
	return (struct cache_entry *)(uintptr_t)(slot & SLOT_ADDRESS); // NOLINT
}

static bool slot_may_be(uint64_t slot, uint64_t hash)
{
	return slot != 0 && ((slot ^ hash << (48 - TAG_SHIFT)) & SLOT_TAG) == 0;
}

/* ---- a shard, with its lock held ---- */

static struct cache_shard *shard_of(struct cache *cache, uint64_t hash)
{
	return &cache->shards[hash >> SHARD_SHIFT];
}

static uint64_t *bucket_of(struct cache_shard *shard, uint64_t hash)
{
	return shard->buckets[hash & (shard->bucket_count - 1)].slots;
}

static uint64_t *shard_slot(struct cache_shard *shard, size_t i)
{
	return &shard->buckets[i / WAYS].slots[i % WAYS];
}

/* The slot of the key's entry, or NULL. */
static uint64_t *shard_find(struct cache_shard *shard, uint64_t hash, const struct cache_key *key)
{
	uint64_t *slots = bucket_of(shard, hash);

	for (unsigned i = 0; i < WAYS; i++)
		if (slot_may_be(slots[i], hash) && slot_entry(slots[i])->hash == hash &&
		    cache_entry_matches(slot_entry(slots[i]), key))
			return &slots[i];
	return NULL;
}

static void shard_remove(struct cache_shard *shard, uint64_t *slot)
{
	struct cache_entry *entry = slot_entry(*slot);

	*slot = 0;
	shard->count--;
	shard->bytes -= entry->bytes;
	cache_entry_unref(entry);
}

/* Moves the hand to the first entry without a visit since its last round, and evicts it. */
static void shard_evict(struct cache_shard *shard)
{
	for (;;) {
		uint64_t *slot = shard_slot(shard, shard->hand);

		shard->hand = (shard->hand + 1) % (shard->bucket_count * WAYS);
		if (*slot && !(*slot & SLOT_VISITED)) {
			shard_remove(shard, slot);
			shard->evicted++;
			break;
		}
		*slot &= ~SLOT_VISITED;
	}
	/* The next victim is not in the CPU's caches. */
	__builtin_prefetch(slot_entry(*shard_slot(shard, shard->hand)));
	__builtin_prefetch(shard_slot(shard, (shard->hand + WAYS) % (shard->bucket_count * WAYS)));
}

/* An empty slot of the bucket; in a full bucket evicts an entry like the hand. */
static uint64_t *bucket_room(struct cache_shard *shard, uint64_t *slots)
{
	for (unsigned i = 0; i < WAYS; i++)
		if (!slots[i])
			return &slots[i];
	unsigned choice = 0;
	while (choice < WAYS && slots[choice] & SLOT_VISITED)
		slots[choice++] &= ~SLOT_VISITED;
	choice %= WAYS;
	shard_remove(shard, &slots[choice]);
	shard->evicted++;
	return &slots[choice];
}

/* Splits each bucket into two, so there is always room. Entries keep their visited bits. */
static void shard_grow(struct cache_shard *shard)
{
	size_t old_count = shard->bucket_count;
	struct cache_bucket *old = shard->buckets, *buckets = buckets_new(2 * old_count);

	if (!buckets)
		return; /* the buckets just stay fuller */
	shard->buckets = buckets;
	shard->bucket_count = 2 * old_count;
	for (size_t i = 0; i < old_count * WAYS; i++) {
		uint64_t slot = old[i / WAYS].slots[i % WAYS];

		if (slot)
			*bucket_room(shard, bucket_of(shard, slot_entry(slot)->hash)) = slot;
	}
	free(old);
}

static void shard_insert(struct cache_shard *shard, struct cache_entry *entry)
{
	if (shard->count >= USUAL_LOAD * shard->bucket_count)
		shard_grow(shard);
	*bucket_room(shard, bucket_of(shard, entry->hash)) = slot_for(entry);
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
		struct cache_shard *shard = &cache->shards[i];

		for (size_t slot = 0; shard->buckets && slot < shard->bucket_count * WAYS; slot++)
			if (*shard_slot(shard, slot))
				shard_remove(shard, shard_slot(shard, slot));
		free(shard->buckets);
		pthread_mutex_destroy(&shard->lock);
	}
	free(cache);
}

void cache_resize(struct cache *cache, uint64_t size_bytes)
{
	for (unsigned i = 0; i < SHARDS; i++) {
		struct cache_shard *shard = &cache->shards[i];

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

/* Call it with the slot from before this hit. */
static bool is_fading(uint64_t slot, enum cache_state state, uint64_t now_us)
{
	return now_us >= atomic_load_explicit(&slot_entry(slot)->again_us, memory_order_relaxed) &&
	       state == CACHE_FRESH && slot & SLOT_VISITED;
}

/* Without the lock: if the table is just growing, this fetches a wrong line, which does no harm. */
void cache_expect(struct cache *cache, const struct cache_key *key)
{
	uint64_t hash = cache_hash(key);
	struct cache_shard *shard = shard_of(cache, hash);
	struct cache_bucket *buckets = atomic_load_explicit(&shard->buckets, memory_order_relaxed);
	size_t count = atomic_load_explicit(&shard->bucket_count, memory_order_relaxed);

	__builtin_prefetch(&buckets[hash & (count - 1)]);
}

enum cache_state cache_get(struct cache *cache, const struct cache_key *key, uint64_t now_us,
			   uint32_t stale_max_s, struct cache_entry **found)
{
	uint64_t hash = cache_hash(key);
	struct cache_shard *shard = shard_of(cache, hash);
	enum cache_state state = CACHE_MISS;

	pthread_mutex_lock(&shard->lock);
	uint64_t *slot = shard_find(shard, hash, key);
	if (slot)
		state = state_of(slot_entry(*slot), now_us, stale_max_s);
	uint64_t *counter = &shard->misses;
	if (state != CACHE_MISS) {
		struct cache_entry *entry = slot_entry(*slot);
		*found = cache_entry_ref(entry);
		if (is_fading(*slot, state, now_us))
			state = CACHE_FADING;
		*slot |= SLOT_VISITED;
		if (state >= CACHE_FRESH && !entry->failed) /* a failure counts as no hit */
			counter = &shard->hits;
	}
	*counter += 1;
	pthread_mutex_unlock(&shard->lock);
	return state;
}

void cache_put(struct cache *cache, const struct cache_key *key, struct cache_entry *entry,
	       uint64_t now_us, uint32_t stale_max_s)
{
	struct cache_shard *shard = shard_of(cache, entry->hash);

	pthread_mutex_lock(&shard->lock);
	uint64_t *slot = shard_find(shard, entry->hash, key);
	struct cache_entry *old = slot ? slot_entry(*slot) : NULL;
	if (old && entry->failed && !old->failed &&
	    state_of(old, now_us, stale_max_s) != CACHE_MISS) {
		uint64_t later_us =
			old->expires_us > entry->expires_us ? old->expires_us : entry->expires_us;

		atomic_store_explicit(&old->again_us, later_us, memory_order_relaxed);
	} else {
		if (old && state_of(old, now_us, 0) == CACHE_FRESH)
			atomic_store_explicit(
				&entry->askers,
				atomic_load_explicit(&old->askers, memory_order_relaxed),
				memory_order_relaxed);
		if (old)
			shard_remove(shard, slot);
		if (entry->bytes <= shard->bytes_max) {
			while (shard->bytes + entry->bytes > shard->bytes_max)
				shard_evict(shard);
			shard_insert(shard, cache_entry_ref(entry));
		}
	}
	pthread_mutex_unlock(&shard->lock);
}

void cache_remove(struct cache *cache, const struct cache_key *key)
{
	uint64_t hash = cache_hash(key), *slot;
	struct cache_shard *shard = shard_of(cache, hash);

	pthread_mutex_lock(&shard->lock);
	slot = shard_find(shard, hash, key);
	if (slot)
		shard_remove(shard, slot);
	pthread_mutex_unlock(&shard->lock);
}

/* Both names are complete and in lower case, so equal bytes at the end are a suffix if a label
 * begins there. Nothing is hashed, because workers wait for the lock. */
static bool flush_takes(const struct cache_entry *entry, const struct name *name, bool below)
{
	size_t at = 0;

	if (!name)
		return true;
	if (entry->name_length < name->length || (!below && entry->name_length != name->length))
		return false;
	size_t start = (size_t)entry->name_length - name->length;
	if (memcmp(cache_entry_name(entry) + start, name->wire, name->length) != 0)
		return false;
	while (at < start)
		at += 1 + (size_t)cache_entry_name(entry)[at];
	return at == start;
}

uint64_t cache_flush(struct cache *cache, const struct name *name, bool below)
{
	uint64_t flushed = 0;

	for (unsigned i = 0; i < SHARDS; i++) {
		struct cache_shard *shard = &cache->shards[i];

		pthread_mutex_lock(&shard->lock);
		for (size_t k = 0; k < shard->bucket_count * WAYS; k++) {
			uint64_t *slot = shard_slot(shard, k);

			if (!*slot || !flush_takes(slot_entry(*slot), name, below))
				continue;
			shard_remove(shard, slot);
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
		struct cache_shard *shard = &cache->shards[i];

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
