/* Owners in an order that stays while others come and go, so that a list can be read page by page:
 *
 *     addresses    by number: a tree (owned/tree.h) knows which there are, the hash table who it is
 *     services     by name: put in order when a list is asked for and a service is another one
 *
 * A page begins behind a key, not behind an owner: the owner that a page ended with may be gone
 * when the next one is asked for. */
#include "resolver/control/resource/inventory_page.h"

#include <assert.h>
#include <strings.h>

#include "resolver/control/resource/inventory_internal.h"

/* ---- addresses ---- */

static struct owned_tree *order_of(struct shelf *shelf, uint8_t family)
{
	return family == 4 ? &shelf->order4 : &shelf->order6;
}

int shelf_order_put(struct shelf *shelf, const struct node *node)
{
	static const uint32_t there = 1;
	const struct address *address = &node->owner.address;

	if (node->owner.kind == OWNER_SERVICE)
		return 0;
	return owned_tree_put(order_of(shelf, address->family), owned_tree_key(address), &there,
			      sizeof there);
}

void shelf_order_take(struct shelf *shelf, const struct node *node)
{
	const struct address *address = &node->owner.address;

	if (node->owner.kind == OWNER_SERVICE)
		return;
	int err =
		owned_tree_put(order_of(shelf, address->family), owned_tree_key(address), NULL, 0);
	(void)err; /* then it stays there, and is passed over by whoever reads */
}

/* The lowest number of either shelf that is not below *key, which becomes it. */
static bool next_number(const struct book *book, uint8_t family, __uint128_t *key)
{
	__uint128_t file = *key, state = *key;
	size_t bytes;
	bool in_file = owned_tree_next(order_of(book->file, family), &file, &bytes);
	bool in_state = owned_tree_next(order_of(book->state, family), &state, &bytes);

	*key = in_file && (!in_state || file < state) ? file : state;
	return in_file || in_state;
}

size_t inventory_addresses_after(const struct inventory *inventory, const struct address *after,
				 const struct owner **page, size_t room)
{
	static const struct address beginning = {.family = 4};
	uint8_t family = after ? after->family : beginning.family;
	__uint128_t key = after ? owned_tree_key(after) + 1 : 0;
	bool left = !after || key != 0; /* of this family's numbers */
	size_t count = 0;

	for (; family <= 6 && count < room; family += 2, key = 0, left = true)
		while (left && count < room && next_number(inventory->book, family, &key)) {
			const struct address address = owned_tree_address(key, family);
			const struct owner *owner = inventory_by_address(inventory, &address);

			if (owner && owner->kind == OWNER_ADDRESS)
				page[count++] = owner;
			left = ++key != 0;
		}
	return count;
}

/* ---- of a group ---- */

static int compare_addresses(const void *left, const void *right)
{
	const struct owner *a = *(const struct owner *const *)left;
	const struct owner *b = *(const struct owner *const *)right;

	return address_compare(&a->address, &b->address);
}

size_t inventory_group_after(const struct inventory *inventory, const char *group,
			     const struct address *after, const struct owner **page, size_t room)
{
	const struct shelf *const shelves[] = {inventory->book->file, inventory->book->state};
	const struct owner *list[INVENTORY_GROUP_MAX] = {NULL};
	size_t count = 0, size;

	for (unsigned i = 0; i < 2; i++) {
		const struct node *node = shelf_members(shelves[i], group, &size);
		for (; node && count < INVENTORY_GROUP_MAX; node = node->group_behind)
			if (!after || address_compare(&node->owner.address, after) > 0)
				list[count++] = &node->owner;
	}
	qsort(list, count, sizeof *list, compare_addresses);
	count = count < room ? count : room;
	memcpy(page, list, count * sizeof *list);
	return count;
}

/* ---- services ---- */

void book_forget_services(struct book *book)
{
	free(book->services_in_order);
	book->services_in_order = NULL;
}

static int compare_names(const void *left, const void *right)
{
	const struct owner *a = *(const struct owner *const *)left;
	const struct owner *b = *(const struct owner *const *)right;

	return strcasecmp(a->name, b->name);
}

static size_t services_of(const struct book *book)
{
	return book->file->services + book->state->services;
}

const struct owner **inventory_services(const struct inventory *inventory, size_t *count)
{
	const struct book *book = inventory->book;
	const struct shelf *const shelves[] = {book->file, book->state};
	const struct owner **list = calloc(services_of(book) + 1, sizeof *list);

	*count = 0;
	if (!list)
		return NULL;
	for (unsigned i = 0; i < 2; i++)
		for (const struct node *node = shelves[i]->by_id; node; node = node->by_id.next)
			if (node->owner.kind == OWNER_SERVICE)
				list[(*count)++] = &node->owner;
	assert(*count == services_of(book));
	qsort(list, *count, sizeof *list, compare_names);
	return list;
}

int inventory_services_after(const struct inventory *inventory, const char *after,
			     const struct owner **page, size_t room, size_t *count)
{
	struct book *book = inventory->book;
	size_t low = 0, high = services_of(book), all;

	*count = 0;
	if (!book->services_in_order)
		book->services_in_order = inventory_services(inventory, &all);
	if (!book->services_in_order)
		return ERR_NOMEM;
	while (after && low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcasecmp(book->services_in_order[middle]->name, after) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (low < services_of(book) && *count < room)
		page[(*count)++] = book->services_in_order[low++];
	return 0;
}
