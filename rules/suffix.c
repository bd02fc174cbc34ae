/* An open hash table with linear probing, at most half full, whose keys are whole suffixes. A name
 * has the hash of each of its suffixes, so a probe compares eight bytes, and the names' bytes only
 * if the hashes are equal.
 *
 * A bitmap has the depths (numbers of labels) that occur. The usual table has rules of two or three
 * labels and a catch-all, so only such suffixes of a long name are tried:
 *
 *     depths   . . . . 1 1 . 1      3, 2 and 0 occur
 *     name     a . b . c . corp . test .      5 labels: try 3 "c.corp.test", 2 "corp.test", 0 "."
 *
 * Entries are never removed. */
#include "rules/suffix.h"

#include <assert.h>
#include <string.h>

int suffix_table_init(struct suffix_table *table, struct arena *arena, size_t count)
{
	size_t slots = 2;

	*table = (struct suffix_table){0};
	while (slots / 2 < count) {
		if (slots > SIZE_MAX / 2)
			return ERR_NOMEM;
		slots *= 2;
	}
	table->slots = arena_alloc_array(arena, slots, sizeof *table->slots);
	if (!table->slots)
		return ERR_NOMEM;
	table->mask = slots - 1;
	return 0;
}

/* The suffix's slot, or an empty one for it, which a half-full table always has. */
static struct suffix_slot *find_slot(const struct suffix_table *table, const struct name *name,
				     unsigned first)
{
	uint64_t hash = name->hash[first];
	size_t length = name_suffix_length(name, first), i;

	for (i = hash & table->mask;; i = (i + 1) & table->mask) {
		struct suffix_slot *slot = &table->slots[i];

		if (!slot->wire)
			return slot;
		if (slot->hash == hash && slot->wire[-1] == length &&
		    memcmp(slot->wire, name_suffix_wire(name, first), length) == 0)
			return slot;
	}
}

int suffix_table_add(struct suffix_table *table, struct arena *arena, const struct name *suffix,
		     void *value)
{
	struct suffix_slot *slot;
	uint8_t *bytes;

	if (!table->slots)
		return ERR_NO_SPACE;
	slot = find_slot(table, suffix, 0);
	if (slot->wire)
		return ERR_EXISTS;
	if (table->count >= (table->mask + 1) / 2)
		return ERR_NO_SPACE;
	bytes = arena_alloc_bytes(arena, 1 + (size_t)suffix->length);
	if (!bytes)
		return ERR_NOMEM;
	bytes[0] = suffix->length;
	memcpy(bytes + 1, suffix->wire, suffix->length);
	*slot = (struct suffix_slot){suffix->hash[0], bytes + 1, value};
	table->count++;
	table->depths[suffix->labels / 64] |= (uint64_t)1 << suffix->labels % 64;
	return 0;
}

/* The greatest depth in use that is at most `depth`, or -1. */
static int depth_at_most(const struct suffix_table *table, int depth)
{
	uint64_t bits;

	if (depth >= 64) {
		bits = table->depths[1] & UINT64_MAX >> (127 - depth);
		if (bits != 0)
			return 127 - __builtin_clzll(bits);
		depth = 63;
	}
	bits = depth < 0 ? 0 : table->depths[0] & UINT64_MAX >> (63 - depth);
	return bits != 0 ? 63 - __builtin_clzll(bits) : -1;
}

void *suffix_table_get(const struct suffix_table *table, const struct name *name, unsigned first)
{
	int depth = (int)name->labels - (int)first;

	assert(depth >= 0);
	if (depth_at_most(table, depth) != depth)
		return NULL;
	return find_slot(table, name, first)->value;
}

void *suffix_table_find(const struct suffix_table *table, const struct name *name, unsigned first,
			unsigned *label)
{
	int depth = depth_at_most(table, (int)name->labels - (int)first);

	for (; depth >= 0; depth = depth_at_most(table, depth - 1)) {
		unsigned start = name->labels - (unsigned)depth;
		const struct suffix_slot *slot = find_slot(table, name, start);

		if (slot->wire) {
			*label = start;
			return slot->value;
		}
	}
	return NULL;
}

void suffix_table_expect(const struct suffix_table *table, const struct name *name, unsigned pass)
{
	int depth = depth_at_most(table, (int)name->labels);

	for (; depth >= 0; depth = depth_at_most(table, depth - 1)) {
		uint64_t hash = name->hash[name->labels - (unsigned)depth];
		const struct suffix_slot *slot = &table->slots[hash & table->mask];

		if (pass == 0) {
			__builtin_prefetch(slot);
		} else if (slot->hash == hash) {
			__builtin_prefetch(slot->wire);
			__builtin_prefetch(slot->value);
		}
	}
}
