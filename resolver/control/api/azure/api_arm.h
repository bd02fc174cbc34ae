/* Azure Resource Manager's API, for existing clients: its handlers, and the functions that they
 * share. Each request must have ?api-version=, and any value will do, because bodies have the form
 * that all versions share. A change is done when it is answered, with provisioningState Succeeded.
 */
#ifndef SLUICE_API_ARM_H
#define SLUICE_API_ARM_H

#include "resolver/control/api/api.h"

struct arm_errors;

extern const struct api_dialect api_arm, api_arm_login;

/* The name of the one subscription, and of the one tenant. */
#define API_ARM_DISPLAY_NAME "sluice"

/* False: the request has no api-version, or another {subscription}, and has been answered. */
bool api_arm_begin(struct api_request *request);
/* Sets the answer's header x-sluice-revision to the state's present revision. */
void api_arm_say_revision(struct api_request *request);
/* The provider with its types; NULL: there is none of that name. */
json_t *api_arm_provider(const struct api_request *request, const char *namespace);
/* Answers with the errors; there must be at least one. */
void arm_fail_all(struct arm_errors *errors);
/* Azure's code for a failed change. */
const char *api_arm_change_code(const struct change_error *error);

/* ---- azure/resource.c ---- */

void arm_resource_get(struct api_request *request);
void arm_resource_exists(struct api_request *request);
void arm_resource_put(struct api_request *request);
void arm_resource_patch(struct api_request *request);
void arm_resource_delete(struct api_request *request);
void arm_resource_post(struct api_request *request);

/* ---- azure/group.c ---- */

void api_groups_list(struct api_request *request);
void api_group_delete(struct api_request *request);

/* azure/all.c: GET /resources, of the subscription or a group */
void arm_resources_list(struct api_request *request);
/* azure/group_export.c: POST .../exportTemplate, of a group */
void arm_group_export(struct api_request *request);

/* ---- azure/deployments.c, deployment_show.c: deployments to a group or the subscription ---- */

void arm_deployment_put(struct api_request *request);
void arm_deployment_validate(struct api_request *request);
void arm_deployment_what_if(struct api_request *request);
/* POST calculateTemplateHash: the hash that a deployment of this template shows as templateHash. */
void arm_template_hash(struct api_request *request);

void arm_deployment_get(struct api_request *request);
void arm_deployment_exists(struct api_request *request);
void arm_deployment_delete(struct api_request *request);
void arm_deployment_cancel(struct api_request *request);
void arm_deployment_export(struct api_request *request);
void arm_deployments_list(struct api_request *request);
void arm_deployment_operations(struct api_request *request);
void arm_deployment_operation(struct api_request *request);
/* False: the request has no api-version, or there is no such subscription or group, and the request
 * has been answered. */
bool arm_deployment_begin(struct api_request *request);
/* The group of the request's path; NULL: the path has none. */
const char *arm_deployment_group(const struct api_request *request);

#endif
