/* A radix tree of 64 ways. Level 0 is the lowest six bits of the key. A page on level n has the
 * keys that agree in all bits above its six bits:
 *
 *     level   ..   2       1       0
 *     key     .. 110101  001110  011001
 *
 *     page, level > 0   | key | filled: 64 bits | child, child, ...         one for each bit set
 *     leaf, level 0     | key | filled: 64 bits | start, start, ... | value | value | ...
 *
 * Levels on which all keys agree have no page, so a page has at least two children. A walk down
 * does not check skipped bits, because the leaf has the whole key. So among a million neighbouring
 * keys a lookup touches a few pages that stay in the processor's caches, and then the leaf: its
 * head, a start, the value.
 *
 * A page that several pages or trees point to is never changed: a change first copies every such
 * page on its way down. A page on that way with a count of one belongs only to this tree, and is
 * changed in place. Only a leaf is never changed in place: a new one replaces it.
 *
 * Leaves are never merged, because they have fixed ranges of keys. */
#include "rules/owned/tree.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { WAY_BITS = 6, WAYS = 1 << WAY_BITS, LEVEL_MAX = (128 - 1) / WAY_BITS };

struct owned_page {
	__uint128_t key;        /* without the bits of this and lower levels */
	uint64_t filled;        /* bit n: way n is used */
	atomic_uint references; /* from pages and trees */
	uint16_t units;         /* a leaf's whole size */
	uint8_t level;
	_Alignas(void *) uint8_t body[];
};

/* ---- reading a page ---- */

static unsigned way_of(__uint128_t key, unsigned level)
{
	return (unsigned)(key >> level * WAY_BITS) & (WAYS - 1);
}

/* The key without the bits of this and lower levels. */
static __uint128_t above(__uint128_t key, unsigned level)
{
	unsigned bits = (level + 1) * WAY_BITS;

	return level == LEVEL_MAX ? 0 : key >> bits << bits;
}

static bool is_filled(const struct owned_page *page, unsigned way)
{
	return page->filled >> way & 1;
}

/* How many ways are filled before this one. */
static unsigned rank_of(const struct owned_page *page, unsigned way)
{
	return (unsigned)__builtin_popcountll(page->filled & (((uint64_t)1 << way) - 1));
}

static unsigned count_of(const struct owned_page *page)
{
	return (unsigned)__builtin_popcountll(page->filled);
}

static struct owned_page **children_of(struct owned_page *page)
{
	assert(page->level > 0);
	return (struct owned_page **)(void *)page->body;
}

static struct owned_page *child_of(const struct owned_page *page, unsigned rank)
{
	return ((struct owned_page *const *)(const void *)page->body)[rank];
}

static size_t parent_bytes(unsigned children)
{
	return sizeof(struct owned_page) + children * sizeof(struct owned_page *);
}

static const uint16_t *starts_of(const struct owned_page *leaf)
{
	return (const uint16_t *)(const void *)leaf->body;
}

static const void *value_of(const struct owned_page *leaf, unsigned way, size_t *bytes)
{
	const uint16_t *starts = starts_of(leaf);
	unsigned rank = rank_of(leaf, way);
	unsigned end = leaf->filled >> way >> 1 ? starts[rank + 1] : leaf->units;

	*bytes = (size_t)(end - starts[rank]) * OWNED_TREE_UNIT;
	return (const uint8_t *)leaf + (size_t)starts[rank] * OWNED_TREE_UNIT;
}

/* The offset of a leaf's values. */
static size_t values_at(unsigned count)
{
	size_t bytes = sizeof(struct owned_page) + count * sizeof(uint16_t);

	return (bytes + OWNED_TREE_UNIT - 1) / OWNED_TREE_UNIT * OWNED_TREE_UNIT;
}

static size_t leaf_bytes(const struct owned_page *leaf)
{
	return (size_t)leaf->units * OWNED_TREE_UNIT;
}

/* ---- references ---- */

static void page_ref(struct owned_page *page)
{
	atomic_fetch_add_explicit(&page->references, 1, memory_order_relaxed);
}

static void page_unref(struct owned_page *page)
{
	if (atomic_fetch_sub_explicit(&page->references, 1, memory_order_acq_rel) > 1)
		return;
	for (unsigned i = 0; page->level > 0 && i < count_of(page); i++)
		page_unref(child_of(page, i));
	free(page);
}

struct owned_tree owned_tree_share(const struct owned_tree *tree)
{
	if (tree->root)
		page_ref(tree->root);
	return *tree;
}

void owned_tree_release(struct owned_tree *tree)
{
	if (tree->root)
		page_unref(tree->root);
	*tree = (struct owned_tree){0};
}

/* ---- searching ---- */

const void *owned_tree_find(const struct owned_tree *tree, __uint128_t key, size_t *bytes)
{
	const struct owned_page *page = tree->root;

	while (page && page->level > 0) {
		unsigned way = way_of(key, page->level);

		page = is_filled(page, way) ? child_of(page, rank_of(page, way)) : NULL;
		/* If the page is a full leaf, this is the value's start. */
		if (page)
			__builtin_prefetch(starts_of(page) + way_of(key, 0));
	}
	if (!page || page->key != above(key, 0) || !is_filled(page, way_of(key, 0)))
		return NULL;
	return value_of(page, way_of(key, 0), bytes);
}

static const void *next_below(const struct owned_page *page, __uint128_t *key, size_t *bytes)
{
	__uint128_t head = above(*key, page->level);
	unsigned from = head < page->key ? 0 : way_of(*key, page->level);
	const void *found = NULL;

	if (head > page->key)
		return NULL;
	for (uint64_t left = page->filled >> from << from; left && !found; left &= left - 1) {
		unsigned way = (unsigned)__builtin_ctzll(left);

		if (page->level == 0) {
			*key = page->key | way;
			return value_of(page, way, bytes);
		}
		found = next_below(child_of(page, rank_of(page, way)), key, bytes);
	}
	return found;
}

const void *owned_tree_next(const struct owned_tree *tree, __uint128_t *key, size_t *bytes)
{
	return tree->root ? next_below(tree->root, key, bytes) : NULL;
}

/* ---- comparing ---- */

static bool differ_below(const struct owned_page *a, const struct owned_page *b, __uint128_t *key,
			 struct owned_difference *difference);

/* Finds the next value of a page that only one of the two trees has: the first tree if `before`. */
static bool only_below(const struct owned_page *page, bool before, __uint128_t *key,
		       struct owned_difference *difference)
{
	size_t bytes;
	const void *value = page ? next_below(page, key, &bytes) : NULL;

	*difference = (struct owned_difference){before ? value : NULL, before ? NULL : value};
	return value;
}

/* Pages with disjoint ranges: all keys of the lower page are lower. */
static bool differ_apart(const struct owned_page *a, const struct owned_page *b, __uint128_t *key,
			 struct owned_difference *difference)
{
	if (a->key < b->key)
		return only_below(a, true, key, difference) ||
		       only_below(b, false, key, difference);
	return only_below(b, false, key, difference) || only_below(a, true, key, difference);
}

static bool differ_in_leaves(const struct owned_page *a, const struct owned_page *b, unsigned way,
			     struct owned_difference *difference)
{
	size_t before_bytes = 0, after_bytes = 0;

	difference->before = is_filled(a, way) ? value_of(a, way, &before_bytes) : NULL;
	difference->after = is_filled(b, way) ? value_of(b, way, &after_bytes) : NULL;
	return before_bytes != after_bytes ||
	       (before_bytes && memcmp(difference->before, difference->after, before_bytes) != 0);
}

/* What is at this way of `level`: the page's child if the page is on this level, or the page itself
 * if it is on a lower level and its key has this way. NULL: nothing. */
static const struct owned_page *page_at(const struct owned_page *page, unsigned level, unsigned way)
{
	if (page->level < level)
		return way_of(page->key, level) == way ? page : NULL;
	return is_filled(page, way) ? child_of(page, rank_of(page, way)) : NULL;
}

static bool differ_below(const struct owned_page *a, const struct owned_page *b, __uint128_t *key,
			 struct owned_difference *difference)
{
	if (a == b)
		return false;
	if (!a || !b)
		return only_below(a ? a : b, a, key, difference);
	unsigned level = a->level > b->level ? a->level : b->level;
	__uint128_t base = above(a->key, level), head = above(*key, level);

	if (base != above(b->key, level))
		return differ_apart(a, b, key, difference);
	if (head > base)
		return false;
	for (unsigned way = head < base ? 0 : way_of(*key, level); way < WAYS; way++) {
		if (level > 0) {
			if (differ_below(page_at(a, level, way), page_at(b, level, way), key,
					 difference))
				return true;
		} else if (differ_in_leaves(a, b, way, difference)) {
			*key = base | way;
			return true;
		}
	}
	return false;
}

bool owned_tree_next_difference(const struct owned_tree *before, const struct owned_tree *after,
				__uint128_t *key, struct owned_difference *difference)
{
	return differ_below(before->root, after->root, key, difference);
}

/* ---- changing ---- */

struct tree_put {
	struct owned_tree *tree;
	__uint128_t key;
	const void *value;
	size_t bytes; /* 0: remove the value */
};

static struct owned_page *page_new(size_t bytes, __uint128_t key, unsigned level)
{
	struct owned_page *page = malloc(bytes);

	if (page)
		*page = (struct owned_page){
			.key = above(key, level), .references = 1, .level = (uint8_t)level};
	return page;
}

/* Copies `count` values of the old leaf, from rank `from` on, to the leaf's offset `at`, where they
 * get the ranks from `to` on. Returns the offset after them. 0 values: `old` may be NULL. */
static size_t copy_values(struct owned_page *leaf, unsigned to, size_t at,
			  const struct owned_page *old, unsigned from, unsigned count)
{
	uint16_t *starts = (uint16_t *)(void *)leaf->body + to;

	if (count == 0)
		return at;
	const uint16_t *old_starts = starts_of(old) + from;
	unsigned end = from + count < count_of(old) ? old_starts[count] : old->units;
	size_t bytes = (size_t)(end - old_starts[0]) * OWNED_TREE_UNIT;
	for (unsigned i = 0; i < count; i++)
		starts[i] = (uint16_t)(at / OWNED_TREE_UNIT + old_starts[i] - old_starts[0]);
	memcpy((uint8_t *)leaf + at, (const uint8_t *)old + (size_t)old_starts[0] * OWNED_TREE_UNIT,
	       bytes);
	return at + bytes;
}

/* Fills the leaf with the old leaf's values (NULL: none) and the new one among them. */
static void fill_leaf(struct owned_page *leaf, const struct owned_page *old,
		      const struct tree_put *change)
{
	unsigned way = way_of(change->key, 0), rank = rank_of(leaf, way);
	unsigned had = old && is_filled(old, way), has = change->bytes > 0;
	unsigned behind = old ? count_of(old) - rank - had : 0;
	uint16_t *starts = (uint16_t *)(void *)leaf->body;
	size_t at = copy_values(leaf, 0, values_at(count_of(leaf)), old, 0, rank);

	if (has) {
		starts[rank] = (uint16_t)(at / OWNED_TREE_UNIT);
		memcpy((uint8_t *)leaf + at, change->value, change->bytes);
		at += change->bytes;
	}
	at = copy_values(leaf, rank + has, at, old, rank + had, behind);
	assert(at == leaf_bytes(leaf));
}

/* Makes the changed leaf; NULL: it would be empty. */
static int make_leaf(struct owned_page **leaf, const struct owned_page *old,
		     const struct tree_put *change)
{
	unsigned way = way_of(change->key, 0);
	uint64_t bit = (uint64_t)1 << way, filled = old ? old->filled : 0;
	size_t gone = 0, bytes = old ? leaf_bytes(old) - values_at(count_of(old)) : 0;

	if (filled & bit)
		value_of(old, way, &gone);
	filled = change->bytes ? filled | bit : filled & ~bit;
	*leaf = NULL;
	if (!filled)
		return 0;
	bytes += values_at((unsigned)__builtin_popcountll(filled)) - gone + change->bytes;
	if (bytes / OWNED_TREE_UNIT > UINT16_MAX)
		return ERR_NO_SPACE;
	struct owned_page *made = page_new(bytes, change->key, 0);
	if (!made)
		return ERR_NOMEM;
	made->filled = filled;
	made->units = (uint16_t)(bytes / OWNED_TREE_UNIT);
	fill_leaf(made, old, change);
	*leaf = made;
	return 0;
}

static int put_in_leaf(const struct tree_put *change, struct owned_page **place)
{
	struct owned_page *old = *place, *leaf;
	bool had = old && is_filled(old, way_of(change->key, 0));

	if (!had && !change->bytes)
		return 0;
	int err = make_leaf(&leaf, old, change);
	if (err)
		return err;
	change->tree->values += (size_t)(change->bytes > 0) - (size_t)had;
	change->tree->bytes += (leaf ? leaf_bytes(leaf) : 0) - (old ? leaf_bytes(old) : 0);
	if (old)
		page_unref(old);
	*place = leaf;
	return 0;
}

/* Puts a new page above *place, which does not cover the key, at the lowest level that covers
 * both. */
static int put_beside(const struct tree_put *change, struct owned_page **place)
{
	struct owned_page *page = *place, *leaf = NULL;
	unsigned level = page->level + 1U;

	if (!change->bytes)
		return 0;
	while (above(change->key, level) != above(page->key, level))
		level++;
	struct owned_page *parent = page_new(parent_bytes(2), change->key, level);
	int err = parent ? put_in_leaf(change, &leaf) : ERR_NOMEM;
	if (err) {
		free(parent);
		return err;
	}
	unsigned ways[] = {way_of(page->key, level), way_of(change->key, level)};
	assert(ways[0] != ways[1]);
	parent->filled = (uint64_t)1 << ways[0] | (uint64_t)1 << ways[1];
	children_of(parent)[rank_of(parent, ways[0])] = page;
	children_of(parent)[rank_of(parent, ways[1])] = leaf;
	change->tree->bytes += parent_bytes(2);
	*place = parent;
	return 0;
}

/* Makes *place a page that only this tree has. */
static int own_page(struct owned_page **place)
{
	struct owned_page *page = *place, *copy;
	size_t bytes = parent_bytes(count_of(page));

	if (atomic_load_explicit(&page->references, memory_order_acquire) == 1)
		return 0;
	copy = malloc(bytes);
	if (!copy)
		return ERR_NOMEM;
	/* Copies all but the references, which another thread may change meanwhile. */
	copy->key = page->key;
	copy->filled = page->filled;
	copy->units = page->units;
	copy->level = page->level;
	memcpy(copy->body, page->body, bytes - offsetof(struct owned_page, body));
	atomic_init(&copy->references, 1);
	for (unsigned i = 0; i < count_of(copy); i++)
		page_ref(child_of(copy, i));
	page_unref(page);
	*place = copy;
	return 0;
}

/* Adds a child. The page must belong only to this tree. */
static int add_child(const struct tree_put *change, struct owned_page **place)
{
	struct owned_page *leaf = NULL, *page = *place;
	unsigned way = way_of(change->key, page->level), rank = rank_of(page, way);
	unsigned count = count_of(page);
	struct owned_page *larger = realloc(page, parent_bytes(count + 1));

	if (!larger)
		return ERR_NOMEM;
	*place = larger;
	int err = put_in_leaf(change, &leaf);
	if (err)
		return err;
	struct owned_page **children = children_of(larger);
	memmove(children + rank + 1, children + rank, (count - rank) * sizeof(struct owned_page *));
	children[rank] = leaf;
	larger->filled |= (uint64_t)1 << way;
	change->tree->bytes += sizeof(struct owned_page *);
	return 0;
}

/* Drops a child; a last remaining child replaces the page, which must belong only to this tree. */
static void drop_child(const struct tree_put *change, struct owned_page **place, unsigned way)
{
	struct owned_page *page = *place, **children = children_of(page);
	unsigned rank = rank_of(page, way), count = count_of(page);

	memmove(children + rank, children + rank + 1,
		(count - rank - 1) * sizeof(struct owned_page *));
	page->filled &= ~((uint64_t)1 << way);
	change->tree->bytes -= sizeof(struct owned_page *);
	if (count > 2)
		return;
	change->tree->bytes -= parent_bytes(1);
	*place = children[0];
	free(page);
}

static int put_below(const struct tree_put *change, struct owned_page **place)
{
	if (!*place)
		return put_in_leaf(change, place);
	if (above(change->key, (*place)->level) != (*place)->key)
		return put_beside(change, place);
	if ((*place)->level == 0)
		return put_in_leaf(change, place);
	int err = own_page(place);
	if (err)
		return err;
	unsigned way = way_of(change->key, (*place)->level);
	if (!is_filled(*place, way))
		return change->bytes ? add_child(change, place) : 0;
	struct owned_page **child = &children_of(*place)[rank_of(*place, way)];
	err = put_below(change, child);
	if (!err && !*child)
		drop_child(change, place, way);
	return err;
}

int owned_tree_put(struct owned_tree *tree, __uint128_t key, const void *value, size_t bytes)
{
	const struct tree_put change = {tree, key, value, bytes};

	assert(bytes % OWNED_TREE_UNIT == 0);
	return put_below(&change, &tree->root);
}
