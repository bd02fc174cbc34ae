/* What a deployment would change: each resource before and after, and the members in which these
 * differ. What the group has besides is ignored, and told as that; of its public addresses, of
 * which there may be a million, so many are looked at. */
#ifndef SLUICE_ARM_WHAT_IF_H
#define SLUICE_ARM_WHAT_IF_H

#include "resolver/control/api/azure/deployment.h"

enum { WHAT_IF_ADDRESSES_MAX = 1000 };

/* Of a deployment that was rehearsed and wants before and after. id: of the request; ids_only:
 * without bodies. To be released by the caller. In the thread that has read the deployment. */
json_t *what_if_json(const struct deployment *deployment, const char *id, bool ids_only);

#endif
