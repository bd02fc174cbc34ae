/* A set is one line of memory with tags and counts, followed by the names. An entry's tag is a part
 * of its question's hash; 0: it is free. A count touches that line and, as a rule, one entry. */
#include "resolver/popular.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "rules/base.h"

enum {
	SETS = 1024, /* a power of two */
	WAYS = 7,
	HALVES = 2,
	LINE = 64, /* bytes */
};
#define HALF_US (UINT64_C(12) * 3600 * 1000 * 1000)

struct popular_entry {
	uint32_t over; /* the part of its count that is not its own */
	uint16_t type, network;
	bool vnet_resolver;
	uint8_t length;
	uint8_t wire[NAME_WIRE_MAX];
};

struct set {
	_Alignas(LINE) uint32_t tag[WAYS], count[WAYS];
	struct popular_entry entries[WAYS];
};

struct half {
	uint64_t began_us; /* 0: never */
	struct set sets[SETS];
};

struct popular {
	atomic_flag lock; /* the owner skips a count if it does not get the lock at once */
	unsigned now;     /* the current half */
	struct half halves[HALVES];
};
_Static_assert(sizeof(struct popular) <= POPULAR_BYTES, "as popular.h has it");

/* Mapped, so that sets are aligned to cache lines, and only used pages cost memory. */
struct popular *popular_new(void)
{
	struct popular *popular = mmap(NULL, sizeof *popular, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (popular == MAP_FAILED)
		return NULL;
	atomic_flag_clear(&popular->lock);
	return popular;
}

void popular_free(struct popular *popular)
{
	if (popular)
		munmap(popular, sizeof *popular);
}

/* ---- counting ---- */

static bool is_of(const struct popular_entry *entry, const struct popular_key *key)
{
	return entry->type == key->type && entry->network == key->network &&
	       entry->vnet_resolver == key->vnet_resolver && entry->length == key->name->length &&
	       memcmp(entry->wire, key->name->wire, entry->length) == 0;
}

static uint64_t hash_of(const struct popular_key *key)
{
	uint64_t rest =
		(uint64_t)key->network << 17 | (uint64_t)key->type << 1 | key->vnet_resolver;

	return key->name->hash[0] ^ rest * UINT64_C(0x9e3779b97f4a7c15);
}

static uint32_t add(uint32_t count, unsigned weight)
{
	return count > UINT32_MAX - weight ? UINT32_MAX : count + weight;
}

static void put(struct set *set, unsigned way, uint32_t tag, const struct popular_key *key)
{
	struct popular_entry *entry = &set->entries[way];

	entry->over = set->count[way];
	set->tag[way] = tag;
	entry->type = key->type;
	entry->network = key->network;
	entry->vnet_resolver = key->vnet_resolver;
	entry->length = key->name->length;
	memcpy(entry->wire, key->name->wire, key->name->length);
}

static void count_in(struct set *set, uint32_t tag, const struct popular_key *key, unsigned weight)
{
	unsigned least = 0;

	for (unsigned way = 0; way < WAYS; way++)
		if (set->tag[way] == tag && is_of(&set->entries[way], key)) {
			set->count[way] = add(set->count[way], weight);
			return;
		}
	for (unsigned way = 1; way < WAYS; way++)
		if (set->count[way] < set->count[least]) /* a free entry has count 0 */
			least = way;
	put(set, least, tag, key);
	set->count[least] = add(set->count[least], weight);
}

static struct half *half_of(struct popular *popular, uint64_t now_us)
{
	struct half *half = &popular->halves[popular->now];

	if (half->began_us && now_us < half->began_us + HALF_US)
		return half;
	if (half->began_us) {
		popular->now = (popular->now + 1) % HALVES;
		half = &popular->halves[popular->now];
		for (unsigned i = 0; i < SETS; i++) {
			memset(half->sets[i].tag, 0, sizeof half->sets[i].tag);
			memset(half->sets[i].count, 0, sizeof half->sets[i].count);
		}
	}
	half->began_us = now_us;
	return half;
}

static void unlock(struct popular *popular)
{
	atomic_flag_clear_explicit(&popular->lock, memory_order_release);
}

void popular_count(struct popular *popular, const struct popular_key *key, unsigned weight,
		   uint64_t now_us)
{
	uint64_t hash = hash_of(key);
	uint32_t tag = (uint32_t)(hash >> 32) | 1;

	if (atomic_flag_test_and_set_explicit(&popular->lock, memory_order_acquire))
		return;
	count_in(&half_of(popular, now_us)->sets[hash % SETS], tag, key, weight);
	unlock(popular);
}

/* ---- reading ---- */

static void each_of(const struct set *set, uint64_t began_us, const struct hash_key *key,
		    void (*on_question)(void *context, const struct popular_question *question),
		    void *context)
{
	struct name name;

	for (unsigned way = 0; way < WAYS; way++) {
		const struct popular_entry *entry = &set->entries[way];
		struct popular_question question = {
			{&name, entry->type, entry->network, entry->vnet_resolver},
			set->count[way],
			entry->over,
			began_us};

		if (set->tag[way] &&
		    name_from_wire(&name, key, entry->wire, entry->length, 0, NULL) == 0)
			on_question(context, &question);
	}
}

void popular_each(struct popular *popular, const struct hash_key *key, uint64_t now_us,
		  void (*on_question)(void *context, const struct popular_question *question),
		  void *context)
{
	struct set set;

	for (unsigned i = 0; i < HALVES * SETS; i++) {
		struct half *half = &popular->halves[i / SETS];
		uint64_t began_us = 0;
		bool counts;

		while (atomic_flag_test_and_set_explicit(&popular->lock, memory_order_acquire))
			sched_yield(); /* the lock is usually held for less than a microsecond */
		counts = half->began_us && now_us - half->began_us < HALVES * HALF_US;
		if (counts) {
			set = half->sets[i % SETS];
			began_us = half->began_us;
		}
		unlock(popular);
		if (counts)
			each_of(&set, began_us, key, on_question, context);
	}
}
