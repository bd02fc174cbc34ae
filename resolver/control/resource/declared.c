/* An array of resources, and for each order an array of pointers to them, sorted once. */
#include "resolver/control/resource/declared.h"

#include <stdlib.h>
#include <strings.h>

#include "rules/base.h"

struct declared {
	unsigned references;
	struct arena arena;
	struct owned_resource *resources;
	size_t count;
	uint64_t hash; /* declared_hash */
	struct order {
		const struct owned_resource **items;
		size_t count;
	} orders[DECLARED_ORDERS];
};

/* ---- orders ---- */

static int compare_texts(const char *a, const char *b)
{
	return strcasecmp(a ? a : "", b ? b : "");
}

static int compare_ids(const struct owned_resource *a, const struct owned_resource *b)
{
	return compare_texts(a->item.id, b->item.id);
}

static int compare_names(const struct owned_resource *a, const struct owned_resource *b)
{
	int order = (int)a->kind->id - (int)b->kind->id;

	if (!order)
		order = compare_texts(a->item.resource_group, b->item.resource_group);
	return order ? order : compare_texts(a->item.name, b->item.name);
}

static int compare_addresses(const struct owned_resource *a, const struct owned_resource *b)
{
	return address_compare(&a->item.address, &b->item.address);
}

static int compare_fqdns(const struct owned_resource *a, const struct owned_resource *b)
{
	return compare_texts(a->fqdn, b->fqdn);
}

static int compare_groups(const struct owned_resource *a, const struct owned_resource *b)
{
	int order = compare_texts(a->item.resource_group, b->item.resource_group);

	return order ? order : compare_addresses(a, b);
}

static int (*const compares[DECLARED_ORDERS])(const struct owned_resource *,
					      const struct owned_resource *) = {
	[DECLARED_BY_ID] = compare_ids,
	[DECLARED_BY_NAME] = compare_names,
	[DECLARED_BY_ADDRESS] = compare_addresses,
	[DECLARED_BY_FQDN] = compare_fqdns,
	[DECLARED_BY_GROUP] = compare_groups,
};

static int compare_items(const void *a, const void *b, void *compare)
{
	int (*const *function)(const struct owned_resource *, const struct owned_resource *) =
		compare;

	return (*function)(*(const struct owned_resource *const *)a,
			   *(const struct owned_resource *const *)b);
}

static bool is_in(enum declared_order order, const struct owned_resource *resource)
{
	return order == DECLARED_BY_FQDN    ? resource->fqdn != NULL
	       : order == DECLARED_BY_GROUP ? !owned_is_service(resource)
					    : true;
}

static int sort(struct declared *declared, enum declared_order which)
{
	struct order *order = &declared->orders[which];

	order->items = reallocarray(NULL, declared->count + 1, sizeof(*order->items));
	if (!order->items)
		return ERR_NOMEM;
	for (size_t i = 0; i < declared->count; i++)
		if (is_in(which, &declared->resources[i]))
			order->items[order->count++] = &declared->resources[i];
	qsort_r(order->items, order->count, sizeof(*order->items), compare_items,
		(void *)(uintptr_t)&compares[which]);
	return 0;
}

/* ---- making and freeing ---- */

static int fill(struct declared *declared, const struct model *model)
{
	struct arena *arena = &declared->arena;
	int err = 0;

	for (size_t i = 0; !err && i < model->addresses.count; i++)
		err = owned_declared(&declared->resources[declared->count++], KIND_ADDRESS,
				     &model->addresses.items[i], model, arena);
	for (size_t i = 0; !err && i < model->cloud_services.count; i++)
		err = owned_declared(&declared->resources[declared->count++], KIND_SERVICE,
				     &model->cloud_services.items[i], model, arena);
	for (unsigned i = 0; !err && i < DECLARED_ORDERS; i++)
		err = sort(declared, i);
	for (size_t i = 0; !err && i < declared->count; i++)
		declared->hash =
			etag_add_number(declared->hash, owned_hash(&declared->resources[i]));
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
	declared->resources = arena_alloc_array(
		&declared->arena, model->addresses.count + model->cloud_services.count,
		sizeof *declared->resources);
	if (declared->resources && fill(declared, model) == 0)
		return declared;
	declared_free(declared);
	return NULL;
}

uint64_t declared_hash(const struct declared *declared)
{
	return declared->hash;
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

/* ---- lookups ---- */

size_t declared_behind(const struct declared *declared, enum declared_order which,
		       const struct owned_resource *probe)
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

const struct owned_resource *declared_find(const struct declared *declared,
					   enum declared_order which,
					   const struct owned_resource *probe)
{
	const struct order *order = &declared->orders[which];
	size_t behind = declared_behind(declared, which, probe);

	if (behind == 0 || compares[which](order->items[behind - 1], probe) != 0)
		return NULL;
	return order->items[behind - 1];
}

const struct owned_resource *declared_clash(const struct declared *declared,
					    const struct owned_resource *resource,
					    const char **field)
{
	const struct {
		enum declared_order order;
		const char *field;
	} looked[] = {{DECLARED_BY_ID, "id"},
		      {DECLARED_BY_NAME, "name"},
		      {DECLARED_BY_ADDRESS, "address"},
		      {DECLARED_BY_FQDN, owned_fqdn_field(resource)}};
	const struct owned_resource *found = NULL;

	for (size_t i = 0; !found && i < COUNT(looked); i++) {
		if (looked[i].order == DECLARED_BY_FQDN && !resource->fqdn)
			continue;
		found = declared_find(declared, looked[i].order, resource);
		*field = looked[i].field;
	}
	return found;
}

const struct owned_resource *const *declared_list(const struct declared *declared,
						  enum declared_order which, size_t *count)
{
	*count = declared->orders[which].count;
	return declared->orders[which].items;
}

const struct owned_resource *const *declared_group(const struct declared *declared,
						   const char *group, size_t *count)
{
	const struct order *order = &declared->orders[DECLARED_BY_GROUP];
	const struct owned_resource probe = {.item.resource_group =
						     group}; /* sorts before every address of the
							      * group */
	size_t first = declared_behind(declared, DECLARED_BY_GROUP, &probe), end = first;

	while (end < order->count &&
	       compare_texts(order->items[end]->item.resource_group, group) == 0)
		end++;
	*count = end - first;
	return order->items + first;
}

int declared_compare(enum declared_order order, const struct owned_resource *a,
		     const struct owned_resource *b)
{
	return compares[order](a, b);
}
