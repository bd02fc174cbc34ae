/* What a request's path asks for: a resource of a type, or a list of them. */
#ifndef SLUICE_ARM_ASKED_H
#define SLUICE_ARM_ASKED_H

#include "resolver/control/api/azure/type.h"

struct arm_asked {
	const struct arm_type *type;
	struct path path;     /* of a list: without the last name */
	bool is_list, is_all; /* is_all: a list of record sets of all types */
	const char *action;
	bool is_tags; /* of the resource's tags by themselves: .../tags/default */
};

/* False: the path names no type; that has been answered. */
bool arm_asked_read(struct api_request *request, struct arm_asked *asked);
/* Whether there is a group of that name; GROUP_NONE always is. */
bool arm_has_group(struct api_request *request, const char *name);
/* Whether the path's group exists; if not, that has been answered. */
bool arm_check_group(struct api_request *request);
/* Whether the group and the parent exist; if not, that has been answered. `what` the request does:
 * "read" or "write". */
bool arm_check_parent(struct api_request *request, const struct arm_asked *asked, const char *what);
/* Answers 404. */
void arm_fail_missing(struct api_request *request, const struct arm_asked *asked);

/* Answers with the list that is asked for: azure/list.c. */
void arm_list(struct api_request *request, const struct arm_asked *asked);

/* Reads an id of this subscription. The texts live as long as the request. */
MUST_CHECK int arm_id_read(struct api_request *request, const char *id,
			   const struct arm_type **type, struct path *path);

#endif
