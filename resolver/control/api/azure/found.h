/* Finds resources, for lists, /resources and templates. Addresses are found in portions, because
 * there may be a million. */
#ifndef SLUICE_ARM_FOUND_H
#define SLUICE_ARM_FOUND_H

#include "resolver/control/api/azure/type.h"
#include "resolver/control/resource/item.h"

struct arm_found {
	const struct arm_type *type;
	struct path path;
	const void *item;
};

struct arm_found_list {
	struct api_request *request;
	const char *group;       /* NULL: all groups */
	struct arm_found *items; /* to be freed */
	size_t count, room;
	bool no_memory; /* some resources are missing */
};

void arm_found_add(struct arm_found_list *list, const struct arm_type *type,
		   const struct path *path, const void *item);
/* Adds the resources of the type that are inside the item `in`, whose path is `parent`. With parent
 * NULL: those of the model. */
void arm_found_add_items(struct arm_found_list *list, const struct arm_type *type,
			 const struct path *parent, const void *in);
/* Are resources of the type in a group, and inside no other resource? */
bool arm_is_top(const struct arm_type *type);
/* Adds all resources of the types that `wants` accepts, except addresses, groups and record sets.
 * Resources inside another one are added only if `wants` accepts the outer type as well. */
void arm_found_add_all(struct arm_found_list *list, bool (*wants)(const struct arm_type *type));
/* Sorts by type, group and name. */
void arm_found_sort(struct arm_found_list *list);

enum { ARM_PORTION = 64 };
/* The list of addresses of the request's subscription and group (none: of all groups), from the
 * first. Its items are allocated in the request's arena. */
struct item_list arm_addresses(struct api_request *request);

#endif
