/* The pages of an owned table (owned.h): a persistent tree from numbers of up to 128 bits to small
 * values, ordered by number. A tree is a value: owned_tree_share copies it for the cost of one
 * reference, and later a change to either copies only the pages that it touches. Pages of only one
 * tree are changed in place.
 *
 * Readers need no lock: only writers count references, each for its own tree. */
#ifndef SLUICE_OWNED_TREE_H
#define SLUICE_OWNED_TREE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/err.h"
#include "rules/prefix.h"

enum { OWNED_TREE_UNIT = 4 }; /* bytes: starts and lengths of values are multiples of it */

/* Addresses as keys, by their number; a tree has only one family. */
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
	size_t bytes; /* of all pages, including shared ones */
};

struct owned_tree owned_tree_share(const struct owned_tree *tree);
/* Releases the tree's pages and leaves it empty. */
void owned_tree_release(struct owned_tree *tree);

/* The key's value; NULL: none. */
const void *owned_tree_find(const struct owned_tree *tree, __uint128_t key, size_t *bytes);
/* The value of the lowest key that is at least *key; sets *key to it. NULL: none. */
const void *owned_tree_next(const struct owned_tree *tree, __uint128_t *key, size_t *bytes);

struct owned_difference { /* a key's values in two trees; NULL: none */
	const void *before, *after;
};
/* Finds the lowest key that is at least *key and has different values in the two trees; sets *key
 * to it. False: none. Skips shared pages, so comparing two trees costs only their differences. */
bool owned_tree_next_difference(const struct owned_tree *before, const struct owned_tree *after,
				__uint128_t *key, struct owned_difference *difference);
/* Sets the key's value, of a whole number of units; 0 bytes remove it. ERR_NOMEM, or ERR_NO_SPACE
 * if the values of neighbours do not fit into one page (256 KiB for 64 of them): the tree is
 * unchanged. */
MUST_CHECK int owned_tree_put(struct owned_tree *tree, __uint128_t key, const void *value,
			      size_t bytes);

#endif
