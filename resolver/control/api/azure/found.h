/* Which resources there are, for lists, /resources and templates. Addresses, of which there may be
 * a million, come in portions. */
#ifndef SLUICE_ARM_FOUND_H
#define SLUICE_ARM_FOUND_H

#include "resolver/control/api/azure/type.h"

struct owned_resource;

struct arm_found {
	const struct arm_type *type;
	struct path path;
	const void *item;
};

struct arm_found_list {
	struct api_request *request;
	const char *group;       /* NULL: any */
	struct arm_found *items; /* to be freed */
	size_t count, room;
	bool no_memory; /* some are missing */
};

void arm_found_add(struct arm_found_list *list, const struct arm_type *type,
		   const struct path *path, const void *item);
/* Adds the resources of the type in the item `in`, whose path is `parent`; NULL: in the model. */
void arm_found_add_items(struct arm_found_list *list, const struct arm_type *type,
			 const struct path *parent, const void *in);
/* Whether resources of the type are in a group, and in no other resource. */
bool arm_is_top(const struct arm_type *type);
/* Adds all resources of the types that `wants` takes, but for addresses and record sets. */
void arm_found_add_all(struct arm_found_list *list, bool (*wants)(const struct arm_type *type));
/* By type, group and name. */
void arm_found_sort(struct arm_found_list *list);

enum { ARM_PORTION = 64 };
/* Addresses of the request's group (none: of all groups) that follow the address `behind` (NULL:
 * from the first on), at most `room`; `next` of an api_list. */
int arm_next_addresses(const struct api_request *request, const char *behind,
		       const struct owned_resource **resources, size_t room, size_t *count);

#endif
