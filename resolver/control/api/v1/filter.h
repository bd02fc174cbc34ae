/* Which rows of a list a client asks for, by the table of fields:
 *
 *     ?q=TEXT        the name, or a member of `searched`, contains the text
 *     ?MEMBER=VALUE  the member equals the value, ignoring case; each member with a single value
 *
 * Names of DNS are the same with and without their final dot, addresses however they are written.
 */
#ifndef SLUICE_API_V1_FILTER_H
#define SLUICE_API_V1_FILTER_H

#include "resolver/control/api/api.h"
#include "resolver/control/resource/kind.h"

/* A computed member: rows show it, and the table of fields has no such field. */
struct filter_shown {
	const char *key;
	bool is_domain;
};

struct filter {
	const struct kind *kinds[3]; /* of which rows are, up to a NULL */
	const char *const *searched; /* members that ?q= looks at beside the name; NULL: none */
	const struct filter_shown *shown; /* up to one without a key; NULL: none */
};

/* False: a filter is not known, which has been answered. */
bool filter_check(struct api_request *request, const struct filter *filter);
/* Whether the list has the item, which is one of this kind. `shown`: the texts of filter->shown, in
 * its order. */
bool filter_takes(const struct api_request *request, const struct filter *filter,
		  const struct kind *kind, const void *item, const char *const *shown);

#endif
