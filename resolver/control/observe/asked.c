/* Gathered with copies of the names, sorted so that the same questions of several workers and half
 * days stand beside each other, added up, and sorted by how often. */
#include "resolver/control/observe/asked.h"

#include <stdlib.h>
#include <string.h>

#include "rules/array.h"

static void gather(void *context, const struct popular_question *question)
{
	struct asked_list *all = context;
	size_t length = question->key.name->length;
	uint8_t *wire = arena_alloc_bytes(&all->arena, length);
	struct asked *items = array_grow(all->items, all->count, &all->room, sizeof *items);

	if (items)
		all->items = items;
	if (!items || !wire) {
		all->failed = true;
		return;
	}
	memcpy(wire, question->key.name->wire, length);
	items[all->count++] = (struct asked){*question, wire, length};
}

static int by_question(const void *left, const void *right)
{
	const struct asked *a = left, *b = right;
	const struct popular_key *x = &a->question.key, *y = &b->question.key;
	int order = memcmp(a->wire, b->wire, a->length < b->length ? a->length : b->length);

	if (order == 0)
		order = (a->length > b->length) - (a->length < b->length);
	if (order == 0)
		order = (x->type > y->type) - (x->type < y->type);
	if (order == 0)
		order = (x->network > y->network) - (x->network < y->network);
	return order ? order : (int)x->vnet_resolver - (int)y->vnet_resolver;
}

/* The same at every call where counts are equal. */
static int by_count(const void *left, const void *right)
{
	const struct asked *a = left, *b = right;

	if (a->question.count != b->question.count)
		return a->question.count > b->question.count ? -1 : 1;
	return by_question(left, right);
}

static void add_up(struct asked_list *all)
{
	size_t count = 0;

	if (all->count > 0)
		qsort(all->items, all->count, sizeof *all->items, by_question);
	for (size_t i = 0; i < all->count; i++) {
		struct asked *last = count > 0 ? &all->items[count - 1] : NULL;

		if (last && by_question(last, &all->items[i]) == 0) {
			last->question.count += all->items[i].question.count;
			last->question.over += all->items[i].question.over;
		} else {
			all->items[count++] = all->items[i];
		}
	}
	all->count = count;
	if (count > 0)
		qsort(all->items, count, sizeof *all->items, by_count);
}

int asked_read(struct asked_list *list, struct server *server)
{
	*list = (struct asked_list){.room = 0};
	arena_init(&list->arena);
	server_each_popular(server, gather, list);
	add_up(list);
	return list->failed ? ERR_NOMEM : 0;
}

void asked_release(struct asked_list *list)
{
	free(list->items);
	arena_release(&list->arena);
}

/* That of a network by its id; NETWORK_NONE: it is served no more. */
static uint32_t network_of(const struct policy *policy, uint16_t id)
{
	if (id == 0)
		return NETWORK_NONE;
	for (uint32_t i = 0; i < policy->network_count; i++)
		if (policy->networks[i].id == id)
			return i;
	return NETWORK_NONE;
}

bool asked_place(const struct asked *asked, const struct policy *policy, struct place *place)
{
	*place = (struct place){network_of(policy, asked->question.key.network),
				asked->question.key.vnet_resolver};
	return place->network != NETWORK_NONE;
}

bool asked_name(const struct asked *asked, const struct policy *policy, struct name *name)
{
	return name_from_wire(name, &policy->key, asked->wire, asked->length, 0, NULL) == 0;
}
