/* A table from domain suffixes to values: the longest suffix of a name that is in the table, found
 * with one probe for each of the name's suffixes whose length (in labels) occurs in the table at
 * all. The cost depends on the name, not on how much the table holds. Built once, then read only;
 * memory is an arena's. All zero is an empty table. Names that are looked up must have been hashed
 * with the key of the names that were added. */
#ifndef SLUICE_SUFFIX_H
#define SLUICE_SUFFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/arena.h"
#include "rules/err.h"
#include "rules/name.h"

struct suffix_slot {
	uint64_t hash;
	const uint8_t *wire; /* its length stands in the byte before it; NULL: empty */
	void *value;
};

struct suffix_table {
	struct suffix_slot *slots;
	size_t mask; /* slots - 1; slots is a power of two, at most half full */
	size_t count;
	uint64_t depths[2]; /* bit n: some entry has n labels */
};

/* Makes room for `count` entries. */
MUST_CHECK int suffix_table_init(struct suffix_table *table, struct arena *arena, size_t count);
/* ERR_EXISTS when that suffix is there already (the first value stays), ERR_NO_SPACE when the table
 * is full. The name's bytes are copied into the arena. */
MUST_CHECK int suffix_table_add(struct suffix_table *table, struct arena *arena,
				const struct name *suffix, void *value);
/* The value of exactly the suffix that starts at label `first`, or NULL. */
void *suffix_table_get(const struct suffix_table *table, const struct name *name, unsigned first);
/* The value of the longest suffix that starts at label `first` or behind it; *label tells where it
 * starts. NULL when there is none. To go on to the next shorter one, ask again from *label + 1
 * (unless *label is the root, name->labels). */
void *suffix_table_find(const struct suffix_table *table, const struct name *name, unsigned first,
			unsigned *label);

/* Prefetches the memory that finding this name needs: pass 0, and a moment later pass 1. */
void suffix_table_expect(const struct suffix_table *table, const struct name *name, unsigned pass);

#endif
