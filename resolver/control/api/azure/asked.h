/* Reads a request's path: a resource of a type, or a list of them. */
#ifndef SLUICE_ARM_ASKED_H
#define SLUICE_ARM_ASKED_H

#include "resolver/control/api/azure/type.h"

struct arm_asked {
	const struct arm_type *type;
	struct path path;     /* in a list: without the last name */
	bool is_list, is_all; /* is_all: record sets of all types */
	const char *action;
	bool is_tags; /* only the resource's tags: .../tags/default */
};

/* False: the request has been answered, because api_arm_begin refused it, its path has no known
 * type, or there is no memory. */
bool arm_asked_read(struct api_request *request, struct arm_asked *asked);
/* Does a group of that name exist? GROUP_NONE always does. */
bool arm_has_group(struct api_request *request, const char *name);
/* Checks that the path's group exists; false: it does not, and the request has been answered. */
bool arm_check_group(struct api_request *request);
/* Checks that the group and the parent exist; false: one does not, and the request has been
 * answered. `what`: "read" or "write", for the error. */
bool arm_check_parent(struct api_request *request, const struct arm_asked *asked, const char *what);
/* Answers 404. */
void arm_fail_missing(struct api_request *request, const struct arm_asked *asked);

/* Answers with the list of the path: azure/list.c. */
void arm_list(struct api_request *request, const struct arm_asked *asked);

/* Reads an id of this subscription. The texts live as long as the request. */
MUST_CHECK int arm_id_read(struct api_request *request, const char *id,
			   const struct arm_type **type, struct path *path);

#endif
