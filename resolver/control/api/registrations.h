/* Records that machines have registered (rules/policy/registered.h), for those who list them. They
 * are nobody's to change: a zone's own record of the name and type takes their place. */
#ifndef SLUICE_API_REGISTRATIONS_H
#define SLUICE_API_REGISTRATIONS_H

#include "resolver/control/api/api.h"
#include "rules/policy/registered.h"

/* Whether the zone answers with it: it has no such record of its own. */
bool registration_is_served(const struct api_request *request, const struct machine *machine);

/* The order of the names of record sets, by their keys. */
int registrations_compare(const char *left, const char *right);

/* The registered sets of one zone that it answers with, in the request's arena, in that order.
 * ERR_NOMEM. */
MUST_CHECK int registrations_as_sets(struct api_request *request, const struct private_zone *zone,
				     const struct record_set **sets, size_t *count);
/* The one of that name ("vm1:A"); NULL: there is none, or no memory. */
const struct record_set *registrations_find(struct api_request *request,
					    const struct private_zone *zone, const char *name);

#endif
