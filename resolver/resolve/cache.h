/* What one upstream said to one question. The key is (leg, name, type, DO, CD), where the leg's id
 * stands for the sources, targets and protocols that were asked: a network with another route can
 * never get this answer. Chains are cut and continued for each network outside the cache; composed
 * answers are not in here.
 *
 * A query without RD gets only what its own network has asked for: an entry notes the first four
 * networks that have. A fifth gets nothing.
 *
 * Shared by the workers in shards, each with a lock and a share of the bytes. Eviction is like
 * SIEVE's: a visited bit and a hand. A scan of unique names does not evict names that are asked
 * again. An entry is reference-counted and, but for its atomics, immutable once it is in: a reader
 * keeps it past its eviction. */
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
	uint16_t at;    /* where in wire they begin */
	uint16_t above; /* first the DNAMEs of names above it, and their signatures */
	uint16_t count; /* then its own */
};

struct cache_entry {
	atomic_uint references;
	uint64_t hash; /* cache_hash of what was asked, from the start */
	uint64_t leg;
	uint16_t type;
	bool dnssec_ok, checking_disabled;
	uint8_t name_length, link_count;

	bool failed;      /* nobody answered, or all with errors: `text` says which */
	bool truncated;   /* failed: only a TC came, or the answer is too long for a message */
	bool has_data;    /* records of the asked type stand at the chain's end */
	bool has_soa;     /* a SOA in the authority section that covers the chain's end */
	bool unreachable; /* failed: by network errors (EDE 23), not by silence or answers (22) */
	bool hasty, unusable; /* failed: given up early; no source could be used */
	uint8_t rcode;
	uint8_t upstream; /* who said it, or failed last: its place in the leg; for the query log */
	uint8_t error;    /* failed: enum target_error, what a target answered; else why none did */
	uint8_t error_by; /* who did: its place in the leg; UINT8_MAX: nobody */
	uint16_t ede;     /* failed: the target's EDE; 0: none, or 0 */
	uint64_t stored_us, expires_us;
	/* Fresh: from here on a popular name is refreshed; expires_us: it is not, or that is done.
	 * Stale: not asked again before. */
	_Atomic uint64_t again_us;
	_Atomic uint64_t askers; /* ids of networks, 16 bits each; 0: free */

	uint16_t question_length;
	uint16_t answers, authorities; /* records */
	uint16_t ttl_count;
	uint32_t length; /* of wire */
	uint32_t bytes;  /* of all of it */
	/* In this order, with the counts above: links (of the name and every name it leads to),
	 * where in wire the TTLs are, the name (lower case), the wire (a whole message whose
	 * question is at offset 12), and, of a failure, a text for EDE. */
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

/* FADING is fresh, but past its again_us and not hit for the first time. */
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
/* Finds the entry and takes a reference. STALE: its TTL ended less than stale_max_s ago. */
enum cache_state cache_get(struct cache *cache, const struct cache_key *key, uint64_t now_us,
			   uint32_t stale_max_s, struct cache_entry **entry);
/* Puts the entry, whose key this is, in place of an older one. The cache takes a reference of its
 * own. A failure does not replace an answer that is fresh or may still be given stale: the answer
 * stays, and is not asked for again before both its own time and the failure's are over. What
 * replaces a fresh answer takes over its askers. */
void cache_put(struct cache *cache, const struct cache_key *key, struct cache_entry *entry,
	       uint64_t now_us, uint32_t stale_max_s);
/* Removes the entry, if there is one: an answer that may not be cached has come since. */
void cache_remove(struct cache *cache, const struct cache_key *key);
/* Whether the network, by its policy_network's id, has asked for it; 0: no. */
static inline bool cache_entry_has_asker(const struct cache_entry *entry, uint16_t network)
{
	uint64_t askers = atomic_load_explicit(&entry->askers, memory_order_relaxed);

	while ((uint16_t)askers != network && askers)
		askers >>= 16;
	return network && askers;
}
void cache_entry_add_asker(struct cache_entry *entry, uint16_t network);
/* The network has asked. */
static inline void cache_entry_note_asker(struct cache_entry *entry, uint16_t network)
{
	if ((uint16_t)atomic_load_explicit(&entry->askers, memory_order_relaxed) != network)
		cache_entry_add_asker(entry, network);
}
/* Whether the caller is to refresh a fading entry: true once. */
bool cache_entry_claim(struct cache_entry *entry);
struct cache_entry *cache_entry_ref(struct cache_entry *entry);
void cache_entry_unref(struct cache_entry *entry); /* NULL is fine */

/* Drops everything (name NULL), one name, or a name and all below it; returns how many entries. */
uint64_t cache_flush(struct cache *cache, const struct name *name, bool below);
void cache_read_stats(struct cache *cache, struct cache_stats *stats);

#endif
