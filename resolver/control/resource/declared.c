/* One array of owners, and one of pointers for each order, sorted once. */
#include "resolver/control/resource/declared.h"

#include <stdlib.h>
#include <strings.h>

struct declared {
	unsigned references;
	struct arena arena;
	struct owner *owners;
	size_t count;
	struct order {
		const struct owner **items;
		size_t count;
	} orders[DECLARED_ORDERS];
};

/* ---- orders ---- */

static int compare_texts(const char *a, const char *b)
{
	return strcasecmp(a ? a : "", b ? b : "");
}

static int compare_ids(const struct owner *a, const struct owner *b)
{
	return compare_texts(a->id, b->id);
}

static int compare_names(const struct owner *a, const struct owner *b)
{
	int order = (int)a->kind - (int)b->kind;

	if (!order)
		order = compare_texts(a->resource_group, b->resource_group);
	return order ? order : compare_texts(a->name, b->name);
}

static int compare_addresses(const struct owner *a, const struct owner *b)
{
	return address_compare(&a->address, &b->address);
}

static int compare_fqdns(const struct owner *a, const struct owner *b)
{
	return compare_texts(a->fqdn, b->fqdn);
}

static int compare_groups(const struct owner *a, const struct owner *b)
{
	int order = compare_texts(a->resource_group, b->resource_group);

	return order ? order : compare_addresses(a, b);
}

static int (*const compares[DECLARED_ORDERS])(const struct owner *, const struct owner *) = {
	[DECLARED_BY_ID] = compare_ids,
	[DECLARED_BY_NAME] = compare_names,
	[DECLARED_BY_ADDRESS] = compare_addresses,
	[DECLARED_BY_FQDN] = compare_fqdns,
	[DECLARED_BY_GROUP] = compare_groups,
};

static int compare_items(const void *a, const void *b, void *compare)
{
	int (*const *function)(const struct owner *, const struct owner *) = compare;

	return (*function)(*(const struct owner *const *)a, *(const struct owner *const *)b);
}

static bool is_in(enum declared_order order, const struct owner *owner)
{
	return order == DECLARED_BY_FQDN    ? owner->fqdn != NULL
	       : order == DECLARED_BY_GROUP ? owner->kind == OWNER_ADDRESS
					    : true;
}

static int sort(struct declared *declared, enum declared_order which)
{
	struct order *order = &declared->orders[which];

	order->items = reallocarray(NULL, declared->count + 1, sizeof(*order->items));
	if (!order->items)
		return ERR_NOMEM;
	for (size_t i = 0; i < declared->count; i++)
		if (is_in(which, &declared->owners[i]))
			order->items[order->count++] = &declared->owners[i];
	qsort_r(order->items, order->count, sizeof(*order->items), compare_items,
		(void *)(uintptr_t)&compares[which]);
	return 0;
}

/* ---- its life ---- */

static int fill(struct declared *declared, const struct model *model)
{
	struct arena *arena = &declared->arena;
	int err = 0;

	for (size_t i = 0; !err && i < model->addresses.count; i++)
		err = owner_of_address(&declared->owners[declared->count++],
				       &model->addresses.items[i], model, arena);
	for (size_t i = 0; !err && i < model->cloud_services.count; i++)
		err = owner_of_service(&declared->owners[declared->count++],
				       &model->cloud_services.items[i], model, arena);
	for (unsigned i = 0; !err && i < DECLARED_ORDERS; i++)
		err = sort(declared, i);
	return err;
}

struct declared *declared_new(const struct model *model)
{
	static const struct model none;
	struct declared *declared = calloc(1, sizeof *declared);

	if (!declared)
		return NULL;
	if (!model)
		model = &none;
	declared->references = 1;
	arena_init(&declared->arena);
	declared->owners = arena_alloc_array(&declared->arena,
					     model->addresses.count + model->cloud_services.count,
					     sizeof *declared->owners);
	if (declared->owners && fill(declared, model) == 0)
		return declared;
	declared_free(declared);
	return NULL;
}

struct declared *declared_ref(struct declared *declared)
{
	declared->references++;
	return declared;
}

void declared_free(struct declared *declared)
{
	if (!declared || --declared->references > 0)
		return;
	for (unsigned i = 0; i < DECLARED_ORDERS; i++)
		free(declared->orders[i].items);
	arena_release(&declared->arena);
	free(declared);
}

/* ---- finding ---- */

size_t declared_behind(const struct declared *declared, enum declared_order which,
		       const struct owner *probe)
{
	const struct order *order = &declared->orders[which];
	size_t low = 0, high = order->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compares[which](order->items[middle], probe) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct owner *declared_find(const struct declared *declared, enum declared_order which,
				  const struct owner *probe)
{
	const struct order *order = &declared->orders[which];
	size_t behind = declared_behind(declared, which, probe);

	if (behind == 0 || compares[which](order->items[behind - 1], probe) != 0)
		return NULL;
	return order->items[behind - 1];
}

const struct owner *const *declared_list(const struct declared *declared, enum declared_order which,
					 size_t *count)
{
	*count = declared->orders[which].count;
	return declared->orders[which].items;
}

const struct owner *const *declared_group(const struct declared *declared, const char *group,
					  size_t *count)
{
	const struct order *order = &declared->orders[DECLARED_BY_GROUP];
	const struct owner probe = {.resource_group = group}; /* ahead of every address */
	size_t first = declared_behind(declared, DECLARED_BY_GROUP, &probe), end = first;

	while (end < order->count && compare_texts(order->items[end]->resource_group, group) == 0)
		end++;
	*count = end - first;
	return order->items + first;
}

int declared_compare(enum declared_order order, const struct owner *a, const struct owner *b)
{
	return compares[order](a, b);
}
