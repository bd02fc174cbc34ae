/* Azure Resource Manager's API, for the clients that people have: its handlers, and what they
 * share. Every request has ?api-version=, and any will do: the shapes are those that all versions
 * have had. Everything is answered at once, with provisioningState Succeeded.
 */
#ifndef SLUICE_API_ARM_H
#define SLUICE_API_ARM_H

#include "resolver/control/api/api.h"

struct arm_errors;

extern const struct api_dialect api_arm, api_arm_login;

/* Of the one subscription, and of the one tenant. */
#define API_ARM_DISPLAY_NAME "sluice"

/* False: the request has no api-version, or another {subscription}; that has been answered. */
bool api_arm_begin(struct api_request *request);
/* Gives the answer the header x-sluice-revision, with the state's revision now. */
void api_arm_say_revision(struct api_request *request);
/* The provider, with its types. NULL: there is none. */
json_t *api_arm_provider(const struct api_request *request, const char *namespace);
/* Answers with the errors, of which there must be one. */
void arm_fail_all(struct arm_errors *errors);
/* Azure's code for why a change failed. */
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

/* GET /resources, of the subscription or a group: azure/all.c. */
void arm_resources_list(struct api_request *request);
/* POST .../exportTemplate, of a group: azure/group_export.c. */
void arm_group_export(struct api_request *request);

/* ---- azure/deployments.c, deployment_show.c: of a group, or of the subscription ---- */

void arm_deployment_put(struct api_request *request);
void arm_deployment_validate(struct api_request *request);
void arm_deployment_what_if(struct api_request *request);
/* POST calculateTemplateHash: the hash that a deployment of the body has as its templateHash. */
void arm_template_hash(struct api_request *request);

void arm_deployment_get(struct api_request *request);
void arm_deployment_exists(struct api_request *request);
void arm_deployment_delete(struct api_request *request);
void arm_deployment_cancel(struct api_request *request);
void arm_deployment_export(struct api_request *request);
void arm_deployments_list(struct api_request *request);
void arm_deployment_operations(struct api_request *request);
void arm_deployment_operation(struct api_request *request);
/* False: there is no such subscription or group, which has been answered. */
bool arm_deployment_begin(struct api_request *request);
/* The request's group; NULL: it is about the subscription. */
const char *arm_deployment_group(const struct api_request *request);

#endif
