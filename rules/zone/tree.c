/* A B-tree with pages of up to 32 items: entries on level 0, pages above. Each item has the start
 * of its lowest key, so that a search seldom reads a key itself, and the entry with that key.
 *
 * A page that several pages or trees point to is never changed: a change first copies every such
 * page on its way down. A page on that way with one reference belongs only to this tree, and is
 * changed in place. Full pages are divided on the way down, so there is always room for a new
 * item. */
#include "rules/zone/tree.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "rules/zone/layout.h"

enum {
	PAGE_ITEMS = 32,
	PAGE_JOINED = 24, /* neighbours with at most so many items together are joined */
	LEVELS = 16,      /* more than fit into memory */
	START_BYTES = 8,
};

struct zone_entry {
	atomic_uint references; /* from pages */
	uint16_t key_length;
	uint32_t bytes;                        /* of the whole entry */
	_Alignas(struct rrset) uint8_t body[]; /* the node, then the key */
};

struct zone_item {
	uint64_t start;
	struct zone_entry *entry; /* above level 0 the lowest one below, not a reference */
	struct zone_page *page;   /* NULL on level 0 */
};

struct zone_page {
	atomic_uint references; /* from pages and trees */
	uint16_t count, level;
	struct zone_item items[PAGE_ITEMS];
};

/* ---- keys ---- */

/* A struct name is in lower case already. */
size_t zone_key_write(const struct name *name, unsigned apex_labels, uint8_t bytes[ZONE_KEY_MAX])
{
	size_t used = 0;

	for (unsigned i = name->labels - apex_labels; i-- > 0;) {
		const uint8_t *label = name_suffix_wire(name, i);

		for (unsigned n = 1; n <= label[0]; n++) {
			if (label[n] <= 1)
				bytes[used++] = 1;
			bytes[used++] = (uint8_t)(label[n] + (label[n] <= 1));
		}
		bytes[used++] = 0;
	}
	return used;
}

struct zone_key zone_key_of(const uint8_t *bytes, size_t length)
{
	struct zone_key key = {.bytes = bytes, .length = length};
	size_t known = length < START_BYTES ? length : START_BYTES;

	for (size_t i = 0; i < known; i++)
		key.start = key.start << 8 | bytes[i];
	if (known > 0)
		key.start <<= 8 * (START_BYTES - known);
	return key;
}

struct zone_key zone_key_ancestor(const struct zone_key *key, unsigned labels)
{
	size_t length = 0;

	for (; labels > 0; labels--)
		while (key->bytes[length++] != 0)
			;
	assert(length <= key->length);
	return zone_key_of(key->bytes, length);
}

int zone_key_compare(const struct zone_key *a, const struct zone_key *b)
{
	size_t shorter = a->length < b->length ? a->length : b->length;
	int order;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->bytes == b->bytes && a->length == b->length)
		return 0;
	order = shorter > 0 ? memcmp(a->bytes, b->bytes, shorter) : 0;
	return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

unsigned zone_key_common(const struct zone_key *a, const struct zone_key *b)
{
	unsigned labels = 0;

	for (size_t i = 0; i < a->length && i < b->length && a->bytes[i] == b->bytes[i]; i++)
		labels += a->bytes[i] == 0;
	return labels;
}

bool zone_key_is_below(const struct zone_key *a, const struct zone_key *b)
{
	return a->length > b->length &&
	       (b->length == 0 || memcmp(a->bytes, b->bytes, b->length) == 0);
}

/* ---- entries ---- */

struct zone_entry *zone_entry_new(const struct zone_key *key, size_t node_bytes)
{
	size_t bytes = offsetof(struct zone_entry, body) + node_bytes + key->length;
	struct zone_entry *entry = bytes <= UINT32_MAX ? malloc(bytes) : NULL;

	if (!entry)
		return NULL;
	atomic_init(&entry->references, 1);
	entry->key_length = (uint16_t)key->length;
	entry->bytes = (uint32_t)bytes;
	memset(entry->body, 0, node_bytes);
	if (key->length > 0)
		memcpy(entry->body + node_bytes, key->bytes, key->length);
	return entry;
}

struct zone_node *zone_entry_node(const struct zone_entry *entry)
{
	return (struct zone_node *)(uintptr_t)entry->body;
}

static const uint8_t *key_bytes(const struct zone_entry *entry)
{
	return (const uint8_t *)entry + entry->bytes - entry->key_length;
}

struct zone_key zone_entry_key(const struct zone_entry *entry)
{
	return zone_key_of(key_bytes(entry), entry->key_length);
}

/* ---- references ---- */

static void add_reference(atomic_uint *references)
{
	atomic_fetch_add_explicit(references, 1, memory_order_relaxed);
}

static bool drop_reference(atomic_uint *references) /* true: it was the last one */
{
	return atomic_fetch_sub_explicit(references, 1, memory_order_acq_rel) == 1;
}

void zone_entry_unref(struct zone_entry *entry)
{
	if (entry && drop_reference(&entry->references))
		free(entry);
}

static void page_unref(struct zone_page *page)
{
	if (!drop_reference(&page->references))
		return;
	for (unsigned i = 0; i < page->count; i++) {
		if (page->level > 0)
			page_unref(page->items[i].page);
		else
			zone_entry_unref(page->items[i].entry);
	}
	free(page);
}

struct zone_tree zone_tree_share(const struct zone_tree *tree)
{
	if (tree->root)
		add_reference(&tree->root->references);
	return *tree;
}

void zone_tree_release(struct zone_tree *tree)
{
	if (tree->root)
		page_unref(tree->root);
	*tree = (struct zone_tree){0};
}

/* ---- searching ---- */

static int compare_item(const struct zone_item *item, const struct zone_key *key)
{
	if (item->start != key->start)
		return item->start < key->start ? -1 : 1;
	const struct zone_key own = {item->start, key_bytes(item->entry), item->entry->key_length};
	return zone_key_compare(&own, key);
}

/* How many items of the page are at or before the key; *equal: the last of them has the key. */
static unsigned count_up_to(const struct zone_page *page, const struct zone_key *key, bool *equal)
{
	unsigned low = 0, high = page->count;

	*equal = false;
	while (low < high) {
		unsigned middle = (low + high) / 2;
		int order = compare_item(&page->items[middle], key);

		if (order == 0)
			*equal = true;
		if (order <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The last entry in the page's subtree. */
static const struct zone_entry *last_below(const struct zone_page *page)
{
	while (page->level > 0)
		page = page->items[page->count - 1].page;
	return page->items[page->count - 1].entry;
}

void zone_tree_look(const struct zone_tree *tree, const struct zone_key *key,
		    struct zone_place *place)
{
	const struct zone_page *page = tree->root, *left = NULL;
	bool equal;

	*place = (struct zone_place){0};
	while (page) {
		unsigned count = count_up_to(page, key, &equal);

		if (count < page->count)
			place->behind = page->items[count].entry;
		if (count == 0)
			return; /* before all items: only at the root */
		if (page->level == 0) {
			unsigned ahead = count - equal;

			place->at = equal ? page->items[count - 1].entry : NULL;
			if (ahead > 0)
				place->before = page->items[ahead - 1].entry;
			else if (left)
				place->before = last_below(left);
			return;
		}
		if (count > 1)
			left = page->items[count - 2].page;
		page = page->items[count - 1].page;
	}
}

const struct zone_entry *zone_tree_find(const struct zone_tree *tree, const struct zone_key *key)
{
	const struct zone_page *page = tree->root;
	bool equal = false;

	while (page) {
		unsigned count = count_up_to(page, key, &equal);

		if (count == 0)
			return NULL;
		if (equal) /* above level 0 it is the lowest entry below, with the same key */
			return page->items[count - 1].entry;
		page = page->items[count - 1].page;
	}
	return NULL;
}

const struct zone_entry *zone_tree_first(const struct zone_tree *tree)
{
	return tree->root ? tree->root->items[0].entry : NULL;
}

/* ---- changing ---- */

static struct zone_page *page_new(unsigned level)
{
	struct zone_page *page = calloc(1, sizeof *page);

	if (page) {
		atomic_init(&page->references, 1);
		page->level = (uint16_t)level;
	}
	return page;
}

/* Makes *place a page that only this tree has. */
static int own_page(struct zone_page **place)
{
	struct zone_page *page = *place, *copy;

	if (atomic_load_explicit(&page->references, memory_order_acquire) == 1)
		return 0;
	copy = page_new(page->level);
	if (!copy)
		return ERR_NOMEM;
	copy->count = page->count;
	memcpy(copy->items, page->items, page->count * sizeof *page->items);
	for (unsigned i = 0; i < page->count; i++)
		add_reference(page->level > 0 ? &page->items[i].page->references
					      : &page->items[i].entry->references);
	page_unref(page);
	*place = copy;
	return 0;
}

/* The item for a page has the key of the page's first item. */
static struct zone_item item_of_page(struct zone_page *page)
{
	return (struct zone_item){page->items[0].start, page->items[0].entry, page};
}

static void insert_item(struct zone_page *page, unsigned at, struct zone_item item)
{
	assert(page->count < PAGE_ITEMS);
	memmove(page->items + at + 1, page->items + at, (page->count - at) * sizeof *page->items);
	page->items[at] = item;
	page->count++;
}

static void take_item(struct zone_page *page, unsigned at)
{
	page->count--;
	memmove(page->items + at, page->items + at + 1, (page->count - at) * sizeof *page->items);
}

/* Divides the full child at `at`; both the child and the page must belong only to this tree. */
static int divide(struct zone_tree *tree, struct zone_page *page, unsigned at)
{
	struct zone_page *child = page->items[at].page, *right = page_new(child->level);
	enum { HALF = PAGE_ITEMS / 2 };

	if (!right)
		return ERR_NOMEM;
	tree->bytes += sizeof *right;
	memcpy(right->items, child->items + HALF, (PAGE_ITEMS - HALF) * sizeof *right->items);
	right->count = PAGE_ITEMS - HALF;
	child->count = HALF;
	insert_item(page, at + 1, item_of_page(right));
	return 0;
}

/* Puts the item below a page that belongs only to this tree and is not full. */
static int put_below(struct zone_tree *tree, struct zone_page *page, const struct zone_item *item,
		     const struct zone_key *key)
{
	bool equal;
	unsigned count = count_up_to(page, key, &equal);

	if (page->level == 0) {
		if (equal) {
			tree->bytes -= page->items[count - 1].entry->bytes;
			zone_entry_unref(page->items[count - 1].entry);
			page->items[count - 1] = *item;
		} else {
			insert_item(page, count, *item);
			tree->entries++;
		}
		tree->bytes += item->entry->bytes;
		return 0;
	}
	unsigned at = count > 0 ? count - 1 : 0;
	int err = own_page(&page->items[at].page);
	if (!err && page->items[at].page->count == PAGE_ITEMS) {
		err = divide(tree, page, at);
		if (!err && compare_item(&page->items[at + 1], key) <= 0)
			at++;
	}
	if (!err)
		err = put_below(tree, page->items[at].page, item, key);
	if (!err) /* its lowest entry may have changed */
		page->items[at] = item_of_page(page->items[at].page);
	return err;
}

int zone_tree_put(struct zone_tree *tree, struct zone_entry *entry)
{
	struct zone_key key = zone_entry_key(entry);
	const struct zone_item item = {key.start, entry, NULL};
	int err = 0;

	if (!tree->root) {
		tree->root = page_new(0);
		if (!tree->root)
			return ERR_NOMEM;
		tree->bytes += sizeof *tree->root;
	} else {
		err = own_page(&tree->root);
	}
	if (!err && tree->root->count == PAGE_ITEMS) {
		struct zone_page *above = page_new(tree->root->level + 1U);

		if (!above)
			return ERR_NOMEM;
		tree->bytes += sizeof *above;
		insert_item(above, 0, item_of_page(tree->root));
		tree->root = above;
		err = divide(tree, above, 0);
	}
	return err ? err : put_below(tree, tree->root, &item, &key);
}

/* Joins the child at `at` with the next one if they are small. Without memory they stay
 * separate. */
static void join(struct zone_tree *tree, struct zone_page *page, unsigned at)
{
	struct zone_page *left, *right;

	if (at + 1U >= page->count ||
	    page->items[at].page->count + page->items[at + 1].page->count > PAGE_JOINED)
		return;
	if (own_page(&page->items[at].page) != 0 || own_page(&page->items[at + 1].page) != 0)
		return;
	left = page->items[at].page;
	right = page->items[at + 1].page;
	memcpy(left->items + left->count, right->items, right->count * sizeof *right->items);
	left->count = (uint16_t)(left->count + right->count);
	free(right); /* its items belong to the left page now */
	tree->bytes -= sizeof *right;
	take_item(page, at + 1);
}

/* Removes the key below a page that belongs only to this tree and has the key. */
static int remove_below(struct zone_tree *tree, struct zone_page *page, const struct zone_key *key)
{
	bool equal;
	unsigned at = count_up_to(page, key, &equal) - 1;

	if (page->level == 0) {
		assert(equal);
		tree->bytes -= page->items[at].entry->bytes;
		tree->entries--;
		zone_entry_unref(page->items[at].entry);
		take_item(page, at);
		return 0;
	}
	int err = own_page(&page->items[at].page);
	if (!err)
		err = remove_below(tree, page->items[at].page, key);
	if (err)
		return err;
	if (page->items[at].page->count == 0) {
		page_unref(page->items[at].page);
		tree->bytes -= sizeof *page;
		take_item(page, at);
		return 0;
	}
	page->items[at] = item_of_page(page->items[at].page);
	join(tree, page, at);
	if (at > 0)
		join(tree, page, at - 1);
	return 0;
}

int zone_tree_remove(struct zone_tree *tree, const struct zone_key *key)
{
	if (!zone_tree_find(tree, key))
		return 0;
	int err = own_page(&tree->root);
	if (!err)
		err = remove_below(tree, tree->root, key);
	if (err)
		return err;
	while (tree->root->level > 0 && tree->root->count == 1) {
		struct zone_page *above = tree->root;

		tree->root = above->items[0].page;
		free(above);
		tree->bytes -= sizeof *above;
	}
	if (tree->root->count == 0)
		zone_tree_release(tree);
	return 0;
}

/* ---- comparing ---- */

struct side { /* a walk through one of the trees, which enters only pages that differ */
	struct {
		const struct zone_page *page;
		unsigned at;
	} path[LEVELS];
	unsigned depth; /* 0: at the end */
};

static const struct zone_item *item_at(const struct side *side)
{
	if (side->depth == 0)
		return NULL;
	return &side->path[side->depth - 1].page->items[side->path[side->depth - 1].at];
}

static void go_into(struct side *side, const struct zone_page *page)
{
	assert(side->depth < LEVELS);
	side->path[side->depth].page = page;
	side->path[side->depth++].at = 0;
}

static void go_on(struct side *side)
{
	while (side->depth > 0 &&
	       ++side->path[side->depth - 1].at == side->path[side->depth - 1].page->count)
		side->depth--;
}

static int compare_items(const struct zone_item *a, const struct zone_item *b)
{
	struct zone_key key;

	if (!a || !b)
		return a ? -1 : 1;
	if (a->entry == b->entry)
		return 0;
	key = zone_entry_key(b->entry);
	return compare_item(a, &key);
}

static int level_of(const struct zone_item *item)
{
	return item->page ? item->page->level + 1 : 0;
}

struct comparing {
	struct side before, after;
	int (*on_difference)(void *context, const struct zone_entry *was,
			     const struct zone_entry *is);
	void *context;
};

/* One step of both walks. If the lowest keys of the two items differ, only one tree has the lower
 * key: an entry with that key is a difference, and a page is entered. If the lowest keys are equal,
 * the page on the higher level is entered, or both pages if they are on the same level. This goes
 * on until the two items are shared or both are entries. */
static int step(struct comparing *comparing)
{
	struct side *before = &comparing->before, *after = &comparing->after;
	const struct zone_item *a = item_at(before), *b = item_at(after);
	int order = compare_items(a, b), stop = 0;
	bool shared = order == 0 && a->page == b->page && (a->page || a->entry == b->entry);

	if (order == 0 && !shared && (a->page || b->page)) {
		int upper = level_of(a) - level_of(b);

		if (upper >= 0)
			go_into(before, a->page);
		if (upper <= 0)
			go_into(after, b->page);
		return 0;
	}
	if (order < 0 && a->page) {
		go_into(before, a->page);
		return 0;
	}
	if (order > 0 && b->page) {
		go_into(after, b->page);
		return 0;
	}
	if (!shared)
		stop = comparing->on_difference(comparing->context, order <= 0 ? a->entry : NULL,
						order >= 0 ? b->entry : NULL);
	if (order <= 0)
		go_on(before);
	if (order >= 0)
		go_on(after);
	return stop;
}

int zone_tree_differences(const struct zone_tree *before, const struct zone_tree *after,
			  int (*on_difference)(void *context, const struct zone_entry *was,
					       const struct zone_entry *is),
			  void *context)
{
	struct comparing comparing = {.on_difference = on_difference, .context = context};
	int stop = 0;

	if (before->root == after->root)
		return 0;
	if (before->root)
		go_into(&comparing.before, before->root);
	if (after->root)
		go_into(&comparing.after, after->root);
	while (!stop && (comparing.before.depth > 0 || comparing.after.depth > 0))
		stop = step(&comparing);
	return stop;
}
