#include "resolver/control/api/azure/found.h"

#include <stdlib.h>
#include <strings.h>

#include "resolver/control/api/azure/page.h"
#include "resolver/control/api/reverse.h"
#include "resolver/control/resource/ownership.h"
#include "resolver/control/resource/part.h"
#include "rules/array.h"
#include "rules/schema/schema.h"

void arm_found_add(struct arm_found_list *list, const struct arm_type *type,
		   const struct path *path, const void *item)
{
	struct arm_found *items = array_grow(list->items, list->count, &list->room, sizeof *items);

	if (!items) {
		list->no_memory = true;
		return;
	}
	list->items = items;
	items[list->count++] = (struct arm_found){type, *path, item};
}

void arm_found_add_items(struct arm_found_list *list, const struct arm_type *type,
			 const struct path *parent, const void *in)
{
	const struct kind *kind = kind_of_id(type->kind);
	size_t size = kind_field(kind)->group->size;
	struct schema_list items = kind_list(kind, parent ? in : api_model(list->request));

	for (size_t i = 0; i < items.count; i++) {
		const void *item = (const char *)items.items + i * size;
		const struct path path = part_path(kind, item, parent);

		if ((list->group && strcasecmp(list->group, path.group) != 0) ||
		    item_made_because(api_model(list->request), &path))
			continue;
		arm_found_add(list, type, &path, item);
	}
}

bool arm_is_top(const struct arm_type *type)
{
	return !kind_of_id(type->kind)->parent && type->kind != KIND_GROUP;
}

void arm_found_add_all(struct arm_found_list *list, bool (*wants)(const struct arm_type *type))
{
	for (const struct arm_type *type = arm_types; type->path; type++) {
		const struct kind *kind = kind_of_id(type->kind);
		size_t before = list->count;

		if (!wants(type) || kind->home)
			continue;
		if (!kind->parent) {
			arm_found_add_items(list, type, NULL, NULL);
			continue;
		}
		for (size_t i = 0; i < before; i++) {
			const struct arm_found outer = list->items[i];

			if (outer.path.kind == kind->parent)
				arm_found_add_items(list, type, &outer.path, outer.item);
		}
	}
}

/* Compares in the order of page markers: each page begins behind the marker of the previous one. */
static int compare_found(const void *a, const void *b)
{
	const struct arm_found *left = a, *right = b;
	int order = (left->type > right->type) - (left->type < right->type);

	if (order == 0)
		order = arm_compare_keys(left->path.group, right->path.group);
	if (order == 0)
		order = arm_compare_keys(left->path.names[0], right->path.names[0]);
	return order == 0 && left->path.names[1]
		       ? arm_compare_keys(left->path.names[1], right->path.names[1])
		       : order;
}

void arm_found_sort(struct arm_found_list *list)
{
	if (list->count > 0)
		qsort(list->items, list->count, sizeof *list->items, compare_found);
}

static bool is_of_subscription(void *context, const struct item *item)
{
	const struct api_request *request = context;

	return ownership_is_of(api_resources(request), item->owned,
			       api_parameter(request, "subscription"));
}

struct item_list arm_addresses(struct api_request *request)
{
	const char *group = api_parameter(request, "group");

	return (struct item_list){.resources = api_resources(request),
				  .arena = &request->arena,
				  .path = {kind_of_id(KIND_ADDRESS), *group ? group : NULL},
				  .fits = is_of_subscription,
				  .context = request};
}
