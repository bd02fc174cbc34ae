/* Azure Resource Manager's API, for the clients that people have: its handlers, and what they have
 * in common. Every request says ?api-version=, and any will do: the shapes are those that have been
 * the same through all of them. Everything is answered at once, with provisioningState Succeeded.
 */
#ifndef SLUICE_API_ARM_H
#define SLUICE_API_ARM_H

#include "resolver/control/api.h"
#include "resolver/control/owner.h"

/* False: the request does not say an api-version, or its {subscription} is not ours; that has been
 * answered. */
bool api_arm_begin(struct api_request *request);
/* The resource group that an owner is in; "-" for those of the configuration file that have none,
 * as in /v1. */
const char *api_arm_group(const struct owner *owner);
/* "global" for those without a region. */
const char *api_arm_location(const struct owner *owner);

/* ---- api_arm.c ---- */

void api_subscriptions_list(struct api_request *request);
void api_subscription_show(struct api_request *request);
void api_groups_list(struct api_request *request);
void api_group_show(struct api_request *request);
void api_group_exists(struct api_request *request);
void api_group_put(struct api_request *request);
void api_group_delete(struct api_request *request);

/* ---- api_arm_public_ip.c ---- */

void api_public_ips_list(struct api_request *request);
void api_public_ips_list_group(struct api_request *request);
void api_public_ip_show(struct api_request *request);
void api_public_ip_put(struct api_request *request);
void api_public_ip_patch(struct api_request *request);
void api_public_ip_delete(struct api_request *request);

#endif
