/* The preview of a deployment: each resource before and after, with the members that differ. Other
 * resources of the group are listed as ignored; of its addresses, of which there may be a million,
 * only some. */
#ifndef SLUICE_ARM_WHAT_IF_H
#define SLUICE_ARM_WHAT_IF_H

#include "resolver/control/api/azure/deployment.h"

enum { WHAT_IF_ADDRESSES_MAX = 1000 };

/* For a deployment that was rehearsed with wants_before_after, in the thread that has read it. id:
 * the request's; ids_only: without bodies. The caller releases the result. */
json_t *what_if_json(const struct deployment *deployment, const char *id, bool ids_only);

#endif
