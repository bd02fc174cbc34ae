/* The longest-prefix table is sorted arrays, one after the other:
 *
 *   entries  10.1.0.0/16  10.9.0.0/16 | 10.0.0.0/8 | 2001:db8:1::/48  2001:db8:2::/48 | ::/0
 *   runs     v4 /16: 0, 2               v4 /8: 2, 1  v6 /48: 3, 2                       v6 /0: 5, 1
 *
 * Runs are longest first within a family, so the first run with the masked address has the answer.
 * In practice few lengths are in use, so no trie is needed. Of equal prefixes only the first is
 * kept. Entries cannot be removed. */
#include "rules/prefix.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int prefix_table_add(struct prefix_table *table, struct arena *arena, const struct prefix *prefix,
		     uint32_t value)
{
	assert(prefix->address.family == 4 || prefix->address.family == 6);
	if (table->count == table->room) {
		size_t room = table->room == 0 ? 8 : table->room * 2;
		struct prefix_entry *entries = arena_alloc_array(arena, room, sizeof *entries);

		if (!entries || room > UINT32_MAX)
			return ERR_NOMEM;
		if (table->count > 0)
			memcpy(entries, table->entries, table->count * sizeof *entries);
		table->entries = entries;
		table->room = room;
	}
	table->entries[table->count] =
		(struct prefix_entry){*prefix, value, (uint32_t)table->count};
	table->count++;
	table->built = false;
	return 0;
}

static int compare_entries(const void *left, const void *right)
{
	const struct prefix_entry *a = left, *b = right;
	int bytes;

	if (a->prefix.address.family != b->prefix.address.family)
		return a->prefix.address.family < b->prefix.address.family ? -1 : 1;
	if (a->prefix.length != b->prefix.length)
		return a->prefix.length > b->prefix.length ? -1 : 1;
	bytes = memcmp(a->prefix.address.bytes, b->prefix.address.bytes, 16);
	if (bytes != 0)
		return bytes;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* Drops all but the first of equal prefixes, and renumbers the rest. */
static void drop_duplicates(struct prefix_table *table)
{
	size_t i, kept = 0;

	for (i = 0; i < table->count; i++) {
		if (kept > 0 &&
		    prefix_equal(&table->entries[kept - 1].prefix, &table->entries[i].prefix))
			continue;
		table->entries[kept] = table->entries[i];
		table->entries[kept].order = (uint32_t)kept;
		kept++;
	}
	table->count = kept;
}

void prefix_table_build(struct prefix_table *table)
{
	size_t i;

	if (table->count > 1)
		qsort(table->entries, table->count, sizeof *table->entries, compare_entries);
	drop_duplicates(table);
	table->run_count = 0;
	for (i = 0; i < table->count; i++) {
		const struct prefix *prefix = &table->entries[i].prefix;
		struct prefix_run *run = &table->runs[table->run_count];

		if (table->run_count > 0 && run[-1].family == prefix->address.family &&
		    run[-1].length == prefix->length) {
			run[-1].count++;
			continue;
		}
		assert(table->run_count < PREFIX_RUNS_MAX);
		*run = (struct prefix_run){prefix->address.family, prefix->length, (uint32_t)i, 1};
		table->run_count++;
	}
	table->built = true;
}

static const struct prefix_entry *find_in_run(const struct prefix_entry *entries, size_t count,
					      const struct address *wanted)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = memcmp(entries[middle].prefix.address.bytes, wanted->bytes, 16);

		if (order == 0)
			return &entries[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct prefix_entry *prefix_table_find(const struct prefix_table *table,
					     const struct address *address)
{
	unsigned i;

	assert(table->built || table->count == 0);
	for (i = 0; i < table->run_count; i++) {
		const struct prefix_run *run = &table->runs[i];
		const struct prefix_entry *found;
		struct address wanted;

		if (run->family != address->family)
			continue;
		wanted = address_mask(address, run->length);
		found = find_in_run(table->entries + run->first, run->count, &wanted);
		if (found)
			return found;
	}
	return NULL;
}
