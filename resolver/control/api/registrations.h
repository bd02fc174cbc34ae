/* Records that machines and clients have registered (rules/policy/registered.h), for those who list
 * them. They are nobody's to change: a zone's own record of the name and type takes their place. */
#ifndef SLUICE_API_REGISTRATIONS_H
#define SLUICE_API_REGISTRATIONS_H

#include "resolver/control/api/api.h"
#include "rules/policy/registered.h"

struct kind;
struct registrar_row;

/* Whether the zone answers with it: it has no such record of its own. */
bool registration_is_served(const struct api_request *request, const struct machine *machine);
/* Whether what a client has registered is answered: the zone has no such record of its own, and no
 * machine has that name or, for a PTR, that address. */
bool registration_row_is_served(const struct api_request *request, const struct registrar_row *row);

/* The order of the names of record sets, by their keys. */
int registrations_compare(const char *left, const char *right);

/* Sets of A and AAAA that are registered in one zone, and that it answers with: by machines and by
 * clients. They are in the request's arena, in the order of registrations_compare: at most `most`
 * of those behind the name `behind` (NULL: from the first) that `wants` says yes to. ERR_NOMEM. */
struct registrations_wanted {
	const char *behind;
	size_t most;
	bool (*wants)(const struct api_request *request, const struct kind *kind, const void *set);
};
MUST_CHECK int registrations_as_sets(struct api_request *request, const struct private_zone *zone,
				     const struct registrations_wanted *wanted,
				     const struct record_set **sets, size_t *count);
/* The one of that name ("vm1:A"); NULL: there is none, or no memory. */
const struct record_set *registrations_find(struct api_request *request,
					    const struct private_zone *zone, const char *name);

#endif
