/* The pages of an owned table (owned.h): a persistent tree from numbers of up to 128 bits to a few
 * bytes each, ordered by number. A tree is a value: copying it with owned_tree_share costs one
 * reference, and from then on a change to either copies the pages it touches, and no others. Pages
 * that only one tree has are changed in place.
 *
 * Whoever only looks needs no lock: references are counted by whoever makes changes, each to a tree
 * of its own. */
#ifndef SLUICE_OWNED_TREE_H
#define SLUICE_OWNED_TREE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/err.h"
#include "rules/prefix.h"

enum { OWNED_TREE_UNIT = 4 }; /* bytes: values begin at multiples of it, and are as long */

/* Addresses as keys, by their number; a tree has those of one family. */
static inline __uint128_t owned_tree_key(const struct address *address)
{
	__uint128_t key = 0;

	assert(address->family == 4 || address->family == 6);
	for (unsigned i = 0; i < address_bits(address) / 8; i++)
		key = key << 8 | address->bytes[i];
	return key;
}

static inline struct address owned_tree_address(__uint128_t key, uint8_t family)
{
	struct address address = {.family = family};

	for (unsigned i = address_bits(&address) / 8; i-- > 0; key >>= 8)
		address.bytes[i] = (uint8_t)key;
	return address;
}

struct owned_page;

struct owned_tree { /* all zero: empty */
	struct owned_page *root;
	size_t values;
	size_t bytes; /* of all pages, also those shared */
};

struct owned_tree owned_tree_share(const struct owned_tree *tree);
/* Lets go of what the tree holds, and is empty then. */
void owned_tree_release(struct owned_tree *tree);

/* The value of the key, NULL when there is none. */
const void *owned_tree_find(const struct owned_tree *tree, __uint128_t key, size_t *bytes);
/* The value of the lowest key that is not below *key, which becomes that key; else NULL. */
const void *owned_tree_next(const struct owned_tree *tree, __uint128_t *key, size_t *bytes);

struct owned_difference { /* a value in two trees; NULL where that one has none */
	const void *before, *after;
};
/* The lowest key that is not below *key and has another value in the one tree than in the other:
 * *key becomes it. False when there is none. Pages that both share are not looked into, so the
 * whole of two trees costs what is different between them. */
bool owned_tree_next_difference(const struct owned_tree *before, const struct owned_tree *after,
				__uint128_t *key, struct owned_difference *difference);
/* Gives the key this value, of a whole number of units; with 0 bytes, none. ERR_NOMEM, or
 * ERR_NO_SPACE when the values of neighbours do not fit into one page (256 KiB for 64 of them): the
 * tree holds what it held. */
MUST_CHECK int owned_tree_put(struct owned_tree *tree, __uint128_t key, const void *value,
			      size_t bytes);

#endif
