/* What stands around resources in Azure's API: the list of all of them, their tags by themselves,
 * and a group as a template. */
#ifndef SLUICE_ARM_AROUND_H
#define SLUICE_ARM_AROUND_H

#include "resolver/control/api/azure/values.h"

/* GET /resources, of the subscription or a group. */
void arm_resources_list(struct api_request *request);
/* POST .../exportTemplate, of a group. */
void arm_group_export(struct api_request *request);

#endif
