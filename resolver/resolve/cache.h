/* Upstreams' answers to single questions. The key is (leg, name, type, DO, CD). The leg's id stands
 * for sources, targets and protocols, so a network with another route never gets the answer.
 * Composed answers are not in the cache: chains are continued outside it for each network.
 *
 * A query without RD gets only answers that its own network has asked for. An entry notes the first
 * four such networks; a fifth gets nothing.
 *
 * Workers share the cache in shards, each with a lock and a share of the bytes. Eviction works like
 * SIEVE: with a visited bit and a hand, so a scan of unique names does not evict names that are
 * asked again. An entry is reference-counted and, except for its atomics, immutable in the cache,
 * so a reader may keep it after its eviction. */
#ifndef SLUICE_CACHE_H
#define SLUICE_CACHE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoints/message.h"
#include "endpoints/upstream/lookup.h"
#include "rules/err.h"
#include "rules/name.h"

struct cache_key {
	uint64_t leg;
	const struct name *name;
	uint16_t type;
	bool dnssec_ok, checking_disabled;
};
static inline struct cache_key cache_key_of(const struct lookup_key *key)
{
	return (struct cache_key){key->leg->id, key->name, key->type, key->dnssec_ok,
				  key->checking_disabled};
}

struct cache_link {     /* the records of one name of the chain */
	uint16_t at;    /* offset in wire */
	uint16_t above; /* DNAMEs of names above it, with signatures: they come first */
	uint16_t count; /* its own records, which follow */
};

struct cache_entry {
	atomic_uint references;
	uint64_t hash; /* cache_hash of its key */
	uint64_t leg;
	uint16_t type;
	bool dnssec_ok, checking_disabled;
	uint8_t name_length, link_count;

	bool failed;      /* no target answered, or all with errors; has a text */
	bool truncated;   /* failed: only TC came, or the answer is too long for a message */
	bool has_data;    /* the chain's end has records of the asked type */
	bool has_soa;     /* the authority section has a SOA that covers the chain's end */
	bool unreachable; /* failed: network errors (EDE 23), not silence or error replies (22) */
	bool hasty, unusable; /* failed: given up early; no source could be used */
	uint8_t rcode;
	uint8_t upstream; /* index in the leg: it answered or failed last; for the query log */
	uint8_t error; /* failed: enum target_error of an error reply, or why there was no reply */
	uint8_t error_by; /* `error` is about this target: index in the leg; UINT8_MAX: none */
	uint16_t ede;     /* failed: the target's EDE; 0 also if there was none */
	uint64_t stored_us, expires_us;
	/* While fresh: a popular name is refreshed from then on; expires_us or later: it is not, or
	 * its refresh has begun. While stale: it is not asked again before then. */
	_Atomic uint64_t again_us;
	_Atomic uint64_t askers; /* ids of networks, 16 bits each; 0: free */

	uint16_t question_length;
	uint16_t answers, authorities; /* how many records */
	uint16_t ttl_count;
	uint32_t length; /* of wire */
	uint32_t bytes;  /* of the whole entry */
	/* In this order: links (of the name and every name that it leads to), the TTLs' offsets in
	 * wire, the name (lower case), the wire (a whole message with its question at offset 12),
	 * and a failure's text for EDE. */
	_Alignas(8) uint8_t data[];
};

static inline const struct cache_link *cache_entry_links(const struct cache_entry *entry)
{
	return (const struct cache_link *)(const void *)entry->data;
}
static inline const uint16_t *cache_entry_ttls(const struct cache_entry *entry)
{
	return (const uint16_t *)(const void *)(cache_entry_links(entry) + entry->link_count);
}
static inline const uint8_t *cache_entry_name(const struct cache_entry *entry)
{
	return (const uint8_t *)(cache_entry_ttls(entry) + entry->ttl_count);
}
static inline const uint8_t *cache_entry_wire(const struct cache_entry *entry)
{
	return cache_entry_name(entry) + entry->name_length;
}
static inline const char *cache_entry_text(const struct cache_entry *entry) /* of a failure */
{
	return (const char *)(cache_entry_wire(entry) + entry->length);
}

/* FADING is fresh, but later than again_us, and it was hit before. */
enum cache_state { CACHE_MISS, CACHE_STALE, CACHE_FRESH, CACHE_FADING };

struct cache_stats {
	uint64_t entries, bytes, hits, misses, evicted, inserted;
};

struct cache *cache_new(uint64_t size_bytes);
void cache_free(struct cache *cache); /* NULL is fine; entries still referenced live on */
void cache_resize(struct cache *cache, uint64_t size_bytes);

uint64_t cache_hash(const struct cache_key *key);
bool cache_entry_matches(const struct cache_entry *entry, const struct cache_key *key);

/* Prefetches the memory that cache_get will read. */
void cache_expect(struct cache *cache, const struct cache_key *key);
/* Finds the entry and takes a reference. STALE: the TTL ended less than stale_max_s ago. */
enum cache_state cache_get(struct cache *cache, const struct cache_key *key, uint64_t now_us,
			   uint32_t stale_max_s, struct cache_entry **entry);
/* Puts the entry of this key in place of an older one, and takes its own reference. An entry larger
 * than a shard's share of the bytes only removes the older one. A failure does not replace an
 * answer that is fresh or may still be given stale: the answer stays, and is not asked for again
 * until both its own time and the failure's are over. An entry that replaces a fresh answer takes
 * over its askers. */
void cache_put(struct cache *cache, const struct cache_key *key, struct cache_entry *entry,
	       uint64_t now_us, uint32_t stale_max_s);
/* Removes the entry, if there is one, because a newer answer may not be cached. */
void cache_remove(struct cache *cache, const struct cache_key *key);
/* Whether the network (a policy_network's id; 0: none) has asked for it. */
static inline bool cache_entry_has_asker(const struct cache_entry *entry, uint16_t network)
{
	uint64_t askers = atomic_load_explicit(&entry->askers, memory_order_relaxed);

	while ((uint16_t)askers != network && askers)
		askers >>= 16;
	return network && askers;
}
void cache_entry_add_asker(struct cache_entry *entry, uint16_t network);
/* Notes that the network has asked for it. */
static inline void cache_entry_note_asker(struct cache_entry *entry, uint16_t network)
{
	if ((uint16_t)atomic_load_explicit(&entry->askers, memory_order_relaxed) != network)
		cache_entry_add_asker(entry, network);
}
/* Whether the caller must refresh a fading entry: true for one caller. */
bool cache_entry_claim(struct cache_entry *entry);
struct cache_entry *cache_entry_ref(struct cache_entry *entry);
void cache_entry_unref(struct cache_entry *entry); /* NULL is fine */

/* Drops everything (name NULL), one name, or a name and all below it; returns how many entries. */
uint64_t cache_flush(struct cache *cache, const struct name *name, bool below);
void cache_read_stats(struct cache *cache, struct cache_stats *stats);

#endif
