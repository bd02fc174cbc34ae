/* A table from domain suffixes to values, which finds the longest suffix of a name. A search makes
 * one probe for each of the name's suffixes whose number of labels occurs in the table, so its cost
 * depends on the name and not on the table's size. Built once, then read only; the memory is an
 * arena's. All zero is an empty table. All names must be hashed with the same key. */
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
	const uint8_t *wire; /* the byte before it is its length; NULL: empty */
	void *value;
};

struct suffix_table {
	struct suffix_slot *slots;
	size_t mask; /* slots - 1; slots is a power of two, at most half full */
	size_t count;
	uint64_t depths[2]; /* bit n: an entry has n labels */
};

/* Makes room for `count` entries. */
MUST_CHECK int suffix_table_init(struct suffix_table *table, struct arena *arena, size_t count);
/* Copies the name's bytes into the arena. ERR_EXISTS: the table has the suffix already, and keeps
 * the first value. ERR_NO_SPACE: the table is full. */
MUST_CHECK int suffix_table_add(struct suffix_table *table, struct arena *arena,
				const struct name *suffix, void *value);
/* The value of the suffix that starts exactly at label `first`, or NULL. */
void *suffix_table_get(const struct suffix_table *table, const struct name *name, unsigned first);
/* The value of the longest suffix that starts at label `first` or later; *label is its start. NULL:
 * none. For the next shorter one call it again with *label + 1 (unless *label is the root,
 * name->labels). */
void *suffix_table_find(const struct suffix_table *table, const struct name *name, unsigned first,
			unsigned *label);

/* Prefetches the memory for finding this name: in pass 0, and a moment later in pass 1. */
void suffix_table_expect(const struct suffix_table *table, const struct name *name, unsigned pass);

#endif
