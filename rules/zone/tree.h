/* The owners of a zone that is changed one by one: a persistent tree, ordered as RFC 4034 section
 * 6.1 orders names. A tree is a value: copying it with zone_tree_share costs one reference, and
 * from then on a change to either copies the few pages above what it touches. Pages that only one
 * tree has are changed in place.
 *
 *     tree ──► page  [ corp.test | h.corp.test | ... ]            lowest owner of each page below
 *                        │             │
 *                        ▼             ▼
 *              page  [entry|entry|..]  [entry|entry|..]           shared with other trees
 *
 * An entry is an owner with its RRsets, laid out as in a zone that was built (layout.h). Empty
 * non-terminals have none: a name exists where the entry behind it is below it, and the closest
 * encloser of a name is what it shares with one of its neighbours.
 *
 * Whoever only looks needs no lock. References are atomic, because any thread may let go of a zone;
 * changes are made by one thread at a time. */
#ifndef SLUICE_ZONE_TREE_H
#define SLUICE_ZONE_TREE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/err.h"
#include "rules/name.h"

/* ---- keys: what memcmp orders as names are ordered ----
 *
 * The labels below the apex from right to left in lower case, each ended by 0. 0 and 1 within a
 * label become 1 1 and 1 2, which keeps both the order and the ends apart. So one name is below
 * another when the other's key starts its own. The apex's is empty.
 *
 *     apex corp.test     www.Eu.corp.test  ->  e u 0 w w w 0 */

enum { ZONE_KEY_MAX = 2 * NAME_WIRE_MAX };

struct zone_key {
	uint64_t start; /* its first eight bytes as a number: they decide most comparisons */
	const uint8_t *bytes;
	size_t length;
};

/* Of a name at or below an apex of so many labels, into `bytes`; returns the length. */
size_t zone_key_write(const struct name *name, unsigned apex_labels, uint8_t bytes[ZONE_KEY_MAX]);
struct zone_key zone_key_of(const uint8_t *bytes, size_t length);
/* The key of the ancestor with so many labels below the apex, which it has. */
struct zone_key zone_key_ancestor(const struct zone_key *key, unsigned labels);
int zone_key_compare(const struct zone_key *a, const struct zone_key *b);
/* How many labels both have in common, from the apex down. */
unsigned zone_key_common(const struct zone_key *a, const struct zone_key *b);
/* Whether a is below b, and not b itself. */
bool zone_key_is_below(const struct zone_key *a, const struct zone_key *b);

/* ---- entries ---- */

struct zone_node;
struct zone_entry;

/* An entry whose node takes so many bytes, for the caller to fill in; NULL without memory. */
struct zone_entry *zone_entry_new(const struct zone_key *key, size_t node_bytes);
struct zone_node *zone_entry_node(const struct zone_entry *entry);
struct zone_key zone_entry_key(const struct zone_entry *entry);
void zone_entry_unref(struct zone_entry *entry); /* NULL is fine */

/* ---- trees ---- */

struct zone_page;

struct zone_tree { /* all zero: empty */
	struct zone_page *root;
	size_t entries;
	size_t bytes; /* of all pages and entries, also those shared */
};

struct zone_tree zone_tree_share(const struct zone_tree *tree);
/* Lets go of what the tree holds, and is empty then. */
void zone_tree_release(struct zone_tree *tree);

/* Where a key is, or would be. */
struct zone_place {
	const struct zone_entry *before; /* the last one ahead of it; NULL: none */
	const struct zone_entry *at;     /* the key's own; NULL: there is none */
	const struct zone_entry *behind; /* the first one behind it; NULL: none */
};
void zone_tree_look(const struct zone_tree *tree, const struct zone_key *key,
		    struct zone_place *place);
const struct zone_entry *zone_tree_find(const struct zone_tree *tree, const struct zone_key *key);
const struct zone_entry *zone_tree_first(const struct zone_tree *tree); /* NULL: it is empty */

/* Puts the entry in the place of the one with its key, if there is one, and takes it over.
 * ERR_NOMEM: the tree holds what it held, and the entry is still the caller's. */
MUST_CHECK int zone_tree_put(struct zone_tree *tree, struct zone_entry *entry);
/* Takes out what has this key. ERR_NOMEM: the tree holds what it held. */
MUST_CHECK int zone_tree_remove(struct zone_tree *tree, const struct zone_key *key);

/* Calls back in order with each key whose entry is not the same in both; NULL where a tree has
 * none. What is non-zero ends it, and is returned. Pages that both share are not looked into, so it
 * costs what is different. */
int zone_tree_differences(const struct zone_tree *before, const struct zone_tree *after,
			  int (*on_difference)(void *context, const struct zone_entry *was,
					       const struct zone_entry *is),
			  void *context);

#endif
