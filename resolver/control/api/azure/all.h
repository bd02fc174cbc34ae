/* All resources of a subscription or group: GET /resources, and for who goes through them. */
#ifndef SLUICE_ARM_ALL_H
#define SLUICE_ARM_ALL_H

#include "resolver/control/api/azure/shown.h"

struct arm_found {
	const struct arm_type *type;
	struct path path;
	const void *item;
};

struct arm_found_list {
	struct api_request *request;
	const char *group; /* NULL: any */
	struct arm_found *items;
	size_t count, room;
	bool no_memory;
};

/* Adds those of types that `wants` takes, in order; addresses and record sets are not among them.
 * The items are to be freed. */
void arm_find_all(struct arm_found_list *list, bool (*wants)(const struct arm_type *type));

/* GET /resources, of the subscription or a group. */
void arm_resources_list(struct api_request *request);
/* POST .../exportTemplate, of a group: azure/template.c. */
void arm_group_export(struct api_request *request);

#endif
