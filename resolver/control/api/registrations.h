/* Shows the records that machines and clients have registered (rules/policy/registered.h). APIs can
 * only remove those of clients (v1/registrations.c). A record of the zone's own hides registered
 * ones with the same name and type. */
#ifndef SLUICE_API_REGISTRATIONS_H
#define SLUICE_API_REGISTRATIONS_H

#include "resolver/control/api/api.h"
#include "rules/policy/registered.h"

struct kind;
struct registrar_row;

/* The reason why the zone does not answer with a machine's record; NULL: it does.
 *
 *     record    the zone has records of its own by that name and type
 *     cname     the zone has a CNAME of its own by that name
 *     dname     the zone has a DNAME of its own above that name
 *     length    the machine's name and the zone's together are too long for a name
 *     machine   a machine has that name with that type or, for a PTR, that address
 *     address   a PTR of an address (GET /v1/addresses) takes precedence
 *     setting   `registration` no longer has the zone, or the address in its prefixes
 *     pending   it is not served yet; if that lasts, the log says why
 */
const char *registration_hidden_by(const struct api_request *request,
				   const struct machine *machine);
/* The reason, one of the words above, why the zone does not answer with a client's record set;
 * NULL: it does. */
const char *registration_row_hidden_by(const struct api_request *request,
				       const struct registrar_row *row);

/* Compares names of record sets by their keys, which is the order of lists. */
int registrations_compare(const char *left, const char *right);

/* Finds the sets of A and AAAA that machines and clients have registered in a zone and that the
 * zone answers with: at most `most` sets that `wants` accepts, in the order of
 * registrations_compare, from the one after the name `behind` (NULL: from the first). They are
 * allocated in the request's arena. ERR_NOMEM. */
struct registrations_wanted {
	const char *behind;
	size_t most;
	bool (*wants)(const struct api_request *request, const struct kind *kind, const void *set);
};
MUST_CHECK int registrations_as_sets(struct api_request *request, const struct private_zone *zone,
				     const struct registrations_wanted *wanted,
				     const struct record_set **sets, size_t *count);
/* The set of that name ("vm1:A"); NULL: there is none, or no memory. */
const struct record_set *registrations_find(struct api_request *request,
					    const struct private_zone *zone, const char *name);

#endif
