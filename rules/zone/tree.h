/* The owners of an editable zone: a persistent tree in the canonical order of names (RFC 4034
 * section 6.1). A tree is a value: zone_tree_share copies it for the cost of one reference, and
 * later a change to either copies only the few pages above the changed entry. Pages of only one
 * tree are changed in place.
 *
 *     tree ──► page  [ corp.test | h.corp.test | ... ]            lowest owner of each page below
 *                        │             │
 *                        ▼             ▼
 *              page  [entry|entry|..]  [entry|entry|..]           shared with other trees
 *
 * An entry is an owner with its RRsets, in the layout of a built zone (layout.h). Empty
 * non-terminals have no entry: such a name exists if the entry after it is below it, and the
 * closest encloser of a name is the part that it shares with one of its neighbours.
 *
 * Readers need no lock. References are atomic, because any thread may release a zone; only one
 * thread at a time makes changes. */
#ifndef SLUICE_ZONE_TREE_H
#define SLUICE_ZONE_TREE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/err.h"
#include "rules/name.h"

/* ---- keys, which memcmp orders like names ----
 *
 * A key has the labels below the apex from right to left in lower case, each with a final 0. Bytes
 * 0 and 1 within a label become 1 1 and 1 2, which keeps the order and marks the ends. So a name is
 * below another if its key begins with the other's. The apex's key is empty.
 *
 *     apex corp.test     www.Eu.corp.test  ->  e u 0 w w w 0 */

enum { ZONE_KEY_MAX = 2 * NAME_WIRE_MAX };

struct zone_key {
	uint64_t start; /* its first eight bytes as a number, which decide most comparisons */
	const uint8_t *bytes;
	size_t length;
};

/* Writes the key of a name at or below an apex with so many labels; returns the length. */
size_t zone_key_write(const struct name *name, unsigned apex_labels, uint8_t bytes[ZONE_KEY_MAX]);
struct zone_key zone_key_of(const uint8_t *bytes, size_t length);
/* The first `labels` labels of the key, from the apex down. The key must have so many. */
struct zone_key zone_key_ancestor(const struct zone_key *key, unsigned labels);
int zone_key_compare(const struct zone_key *a, const struct zone_key *b);
/* How many labels both share, from the apex down. */
unsigned zone_key_common(const struct zone_key *a, const struct zone_key *b);
/* Whether a is below b; false for b itself. */
bool zone_key_is_below(const struct zone_key *a, const struct zone_key *b);

/* ---- entries ---- */

struct zone_node;
struct zone_entry;

/* Makes an entry with a node of so many bytes, which the caller fills in; NULL without memory. */
struct zone_entry *zone_entry_new(const struct zone_key *key, size_t node_bytes);
struct zone_node *zone_entry_node(const struct zone_entry *entry);
struct zone_key zone_entry_key(const struct zone_entry *entry);
void zone_entry_unref(struct zone_entry *entry); /* NULL is fine */

/* ---- trees ---- */

struct zone_page;

struct zone_tree { /* all zero: empty */
	struct zone_page *root;
	size_t entries;
	size_t bytes; /* of all pages and entries, including shared ones */
};

struct zone_tree zone_tree_share(const struct zone_tree *tree);
/* Releases the tree's pages and leaves it empty. */
void zone_tree_release(struct zone_tree *tree);

/* The place of a key in a tree, and its neighbours. */
struct zone_place {
	const struct zone_entry *before; /* the last entry before it; NULL: none */
	const struct zone_entry *at;     /* the key's own entry; NULL: none */
	const struct zone_entry *behind; /* the first entry after it; NULL: none */
};
void zone_tree_look(const struct zone_tree *tree, const struct zone_key *key,
		    struct zone_place *place);
const struct zone_entry *zone_tree_find(const struct zone_tree *tree, const struct zone_key *key);
const struct zone_entry *zone_tree_first(const struct zone_tree *tree); /* NULL: it is empty */

/* Puts the entry, replaces one with the same key, and takes it over. ERR_NOMEM: the tree has the
 * same entries as before, and the new one still belongs to the caller. */
MUST_CHECK int zone_tree_put(struct zone_tree *tree, struct zone_entry *entry);
/* Removes the entry with this key. ERR_NOMEM: the tree is unchanged. */
MUST_CHECK int zone_tree_remove(struct zone_tree *tree, const struct zone_key *key);

/* Calls back in order for each key whose entries differ; NULL: the tree has none. A non-zero return
 * stops the walk and is returned. Shared pages are skipped, so the cost is that of the
 * differences. */
int zone_tree_differences(const struct zone_tree *before, const struct zone_tree *after,
			  int (*on_difference)(void *context, const struct zone_entry *was,
					       const struct zone_entry *is),
			  void *context);

#endif
