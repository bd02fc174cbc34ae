/* The pages of ARM's lists:
 *
 *     {"value": [...], "nextLink": URL}     without nextLink: this is the last
 *
 * The URL is absolute; it repeats the request, with a $skiptoken behind which the next page begins.
 * $top limits a page. A $filter that the list does not support is refused, because the client would
 * take the unfiltered list for matches. */
#ifndef SLUICE_API_ARM_PAGE_H
#define SLUICE_API_ARM_PAGE_H

#include "resolver/control/api/azure/filter.h"
#include "resolver/control/api/list.h"

enum { ARM_PAGE_MAX = 1000 };

struct arm_page {
	struct api_request *request;
	size_t room;
	const char *behind; /* NULL: the first page */
	struct arm_filter filter;
};

/* Reads the parameters of a page; `names` are those that its filter may have (NULL: no filter).
 * False: one is wrong, and the request has been answered. */
bool arm_page_begin(struct arm_page *page, struct api_request *request, const char *const *names);
/* Answers with the array and takes ownership of it. The next page begins behind `last`; NULL: there
 * is none. */
void arm_page_answer(const struct arm_page *page, json_t *array, const char *last);
/* Compares keys "GROUP/NAME" in the order of lists; negative: left comes first. */
int arm_compare_keys(const char *left, const char *right);
/* The `nextLink` of an api_list. */
json_t *arm_next_link(const struct api_request *request, const char *last);

#endif
