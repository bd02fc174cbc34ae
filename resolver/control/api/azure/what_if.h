/* What a deployment would change: each resource before and after, and the members in which these
 * differ. What the group has besides is ignored, and told as that. */
#ifndef SLUICE_ARM_WHAT_IF_H
#define SLUICE_ARM_WHAT_IF_H

#include "resolver/control/api/azure/deployment.h"

/* Of a deployment that was rehearsed, and looked. id: of the request; ids_only: without bodies. */
json_t *what_if_json(const struct deployment *deployment, const char *id, bool ids_only);

#endif
