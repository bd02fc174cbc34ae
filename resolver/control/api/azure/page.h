/* ARM's lists come in pages:
 *
 *     {"value": [...], "nextLink": URL}     without nextLink: this is the last
 *
 * The URL is absolute; it repeats the request, with a $skiptoken behind which the next page begins.
 * $top bounds a page. A $filter that the list does not know is refused, because an unfiltered list
 * would be taken for the answer. */
#ifndef SLUICE_API_ARM_PAGE_H
#define SLUICE_API_ARM_PAGE_H

#include "resolver/control/api/azure/filter.h"
#include "resolver/control/api/list.h"

enum { ARM_PAGE_MAX = 1000 };

struct arm_page {
	struct api_request *request;
	size_t room;
	const char *behind; /* NULL: it is the first */
	struct arm_filter filter;
};

/* Reads what the request asks for; `names`: of its filter (NULL: the list takes none). False: it
 * does not fit, which has been answered. */
bool arm_page_begin(struct arm_page *page, struct api_request *request, const char *const *names);
/* Answers with the array, which is taken over. The next page begins behind `last`; NULL: there is
 * none. */
void arm_page_answer(const struct arm_page *page, json_t *array, const char *last);
/* Whether "GROUP/NAME" comes behind, or ahead (negative), in the order of lists. */
int arm_compare_keys(const char *left, const char *right);
/* `nextLink` of an api_list. */
json_t *arm_next_link(const struct api_request *request, const char *last);

#endif
