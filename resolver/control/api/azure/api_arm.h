/* Azure Resource Manager's API, for the clients that people have: its handlers, and what they
 * share. Every request has ?api-version=, and any will do: the shapes are those that all versions
 * have had. Everything is answered at once, with provisioningState Succeeded.
 */
#ifndef SLUICE_API_ARM_H
#define SLUICE_API_ARM_H

#include "resolver/control/api/api.h"
#include "resolver/control/resource/owned_resource.h"

extern const struct api_dialect api_arm, api_arm_login;

/* False: the request has no api-version, or its {subscription} is not ours; that has been answered.
 */
bool api_arm_begin(struct api_request *request);
/* Reading a body. Where one returns false, it has answered the request with 400 and the place. */

enum { API_LOCATION_MAX = 256 };

/* Always false; `field` is the value's path in the body. */
bool api_arm_fail(struct api_request *request, const char *field, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A text; NULL where it is missing or empty. `path` ends with the key. */
bool api_arm_read_text(struct api_request *request, const json_t *object, const char *path,
		       const char **text);
/* The location, which is required, in the form of a region: "West Europe" is westeurope. */
bool api_arm_read_location(struct api_request *request, char location[API_LOCATION_MAX]);
/* Whether the tags are of the right kind; and those of a PATCH, which may have nothing else. */
bool api_arm_check_tags(struct api_request *request);
bool api_arm_check_patch(struct api_request *request);

/* ---- azure/resource.c ---- */

void arm_resource_get(struct api_request *request);
void arm_resource_exists(struct api_request *request);
void arm_resource_put(struct api_request *request);
void arm_resource_patch(struct api_request *request);
void arm_resource_delete(struct api_request *request);
void arm_resource_post(struct api_request *request);

/* ---- azure/group.c ---- */

void api_groups_list(struct api_request *request);
void api_group_show(struct api_request *request);
void api_group_exists(struct api_request *request);
void api_group_put(struct api_request *request);
void api_group_patch(struct api_request *request);
void api_group_delete(struct api_request *request);

#endif
