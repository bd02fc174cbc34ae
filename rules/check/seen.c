/* An index by name: open addressing in the check's arena, at most half full, grown by doubling. A
 * slot has only a hash and the number of its entry. The entries are a second array, in the order of
 * seen_put.
 * The hash has no secret, because nobody attacks his own configuration with collisions. */
#include <assert.h>
#include <strings.h>

#include "rules/check/internal.h"

enum { SLOTS_MIN = 16 };

static uint32_t hash_of(const char *key)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (const char *c = key; *c; c++)
		hash = (hash ^ name_lower((uint8_t)*c)) * UINT64_C(0x100000001b3);
	return (uint32_t)(hash ^ hash >> 32);
}

/* The key's slot, or the empty slot where the key belongs. */
static struct seen_slot *find_slot(const struct seen *seen, const char *key, uint32_t hash)
{
	for (size_t i = hash & seen->mask;; i = (i + 1) & seen->mask) {
		struct seen_slot *slot = &seen->slots[i];

		if (!slot->number || (slot->hash == hash &&
				      strcasecmp(seen->entries[slot->number - 1].key, key) == 0))
			return slot;
	}
}

/* The first empty slot for a key of this hash that is in no slot yet. */
static struct seen_slot *empty_slot(const struct seen *seen, uint32_t hash)
{
	size_t i = hash & seen->mask;

	while (seen->slots[i].number)
		i = (i + 1) & seen->mask;
	return &seen->slots[i];
}

static bool grow(struct check *check, struct seen *seen, size_t slots)
{
	struct seen larger = {
		.slots = arena_alloc_array(&check->arena, slots, sizeof *larger.slots),
		.entries = arena_alloc_array(&check->arena, slots / 2, sizeof *larger.entries),
		.mask = slots - 1,
		.count = seen->count};

	assert(seen->count <= slots / 2);
	if (!larger.slots || !larger.entries) {
		check->out_of_memory = true;
		return false;
	}
	for (size_t i = 0; i < seen->count; i++)
		larger.entries[i] = seen->entries[i];
	for (size_t i = 0; seen->slots && i <= seen->mask; i++)
		if (seen->slots[i].number)
			*empty_slot(&larger, seen->slots[i].hash) = seen->slots[i];
	*seen = larger;
	return true;
}

void seen_reserve(struct check *check, struct seen *seen, size_t count)
{
	size_t slots = SLOTS_MIN;

	while (slots / 2 < count)
		slots *= 2;
	(void)grow(check, seen, slots);
}

static const void *value_at(const struct seen *seen, const struct seen_slot *slot)
{
	return slot->number ? seen->entries[slot->number - 1].value : NULL;
}

const void *seen_get(const struct seen *seen, const char *key)
{
	return seen->slots && key ? value_at(seen, find_slot(seen, key, hash_of(key))) : NULL;
}

const void *seen_put(struct check *check, struct seen *seen, const char *key, const void *value)
{
	uint32_t hash = hash_of(key);
	struct seen_slot *slot;

	if ((!seen->slots || seen->count * 2 > seen->mask) &&
	    !grow(check, seen, seen->slots ? (seen->mask + 1) * 2 : SLOTS_MIN))
		return NULL;
	slot = find_slot(seen, key, hash);
	if (slot->number)
		return value_at(seen, slot);
	key = arena_strdup(&check->arena, key);
	if (!key) {
		check->out_of_memory = true;
		return NULL;
	}
	seen->entries[seen->count++] = (struct seen_entry){key, value};
	*slot = (struct seen_slot){hash, (uint32_t)seen->count};
	return NULL;
}

uint32_t *seen_counter(struct check *check, struct seen *seen, const char *key)
{
	uint32_t *counter = (uint32_t *)(uintptr_t)seen_get(seen, key);

	if (counter)
		return counter;
	counter = arena_alloc(&check->arena, sizeof *counter);
	if (!counter)
		check->out_of_memory = true;
	else
		seen_put(check, seen, key, counter);
	return counter;
}

const char *seen_pair(struct check *check, const char *a, const char *b)
{
	const char *pair = arena_printf(&check->arena, "%s %s", a, b);

	check->out_of_memory |= !pair;
	return pair ? pair : "";
}
