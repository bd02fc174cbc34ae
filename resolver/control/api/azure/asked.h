/* What a request is about, by its path: a type, and a resource or a list. */
#ifndef SLUICE_ARM_ASKED_H
#define SLUICE_ARM_ASKED_H

#include "resolver/control/api/azure/type.h"

struct arm_asked {
	const struct arm_type *type;
	struct path path;     /* of a list: without the last name */
	bool is_list, is_all; /* is_all: of record sets of all types */
	const char *action;
	bool is_tags; /* of the resource's tags by themselves: .../tags/default */
};

/* False: the request is about no type, which has been answered. */
bool arm_asked_read(struct api_request *request, struct arm_asked *asked);
/* Whether the group of the path is there; false: not, which has been answered. */
bool arm_check_group(struct api_request *request);
/* Whether what it is inside of is there; false: not, which has been answered. `what`: "read" or
 * "write". */
bool arm_check_parent(struct api_request *request, const struct arm_asked *asked, const char *what);
/* 404 */
void arm_fail_missing(struct api_request *request, const struct arm_asked *asked);

/* Answers with the list that is asked for: azure/list.c. */
void arm_list(struct api_request *request, const struct arm_asked *asked);

#endif
