/* Selects the rows of a list that a client asks for, by the table of fields:
 *
 *     ?q=TEXT        the name, or a member of `searched`, contains the text
 *     ?MEMBER=VALUE  the member, which has a single value, equals VALUE, ignoring case
 *
 * DNS names are equal with and without the final dot, and addresses in any spelling.
 */
#ifndef SLUICE_API_V1_FILTER_H
#define SLUICE_API_V1_FILTER_H

#include "resolver/control/api/api.h"
#include "resolver/control/resource/kind.h"

/* A computed member, which rows show and the table of fields does not have. */
struct filter_shown {
	const char *key;
	bool is_domain;
};

struct filter {
	const struct kind *kinds[3]; /* of the rows, up to a NULL */
	const char *const *searched; /* members that ?q= searches beside the name; NULL: none */
	const struct filter_shown *shown; /* up to an entry without a key; NULL: none */
};

/* False: a filter is not known, and the request has been answered. */
bool filter_check(struct api_request *request, const struct filter *filter);
/* Is the item, one of this kind, on the list? `shown`: the texts of filter->shown, in its order. */
bool filter_takes(const struct api_request *request, const struct filter *filter,
		  const struct kind *kind, const void *item, const char *const *shown);

#endif
