/* ARM's lists come in pages:
 *
 *     {"value": [...], "nextLink": URL}     without nextLink: this is the last
 *
 * The URL is absolute; it repeats the request, with a $skiptoken behind which the next page begins.
 * $top bounds a page. $filter is for what has tags (tagName eq 'a' and tagValue eq 'b'), as `az
 * group list --tag` sends it; any other is refused, because an unfiltered list would be taken for
 * the answer. */
#ifndef SLUICE_API_ARM_PAGE_H
#define SLUICE_API_ARM_PAGE_H

#include "resolver/control/api/list.h"

enum { ARM_PAGE_MAX = 1000, ARM_TAG_MAX = 1024 };

struct arm_page {
	struct api_request *request;
	size_t room;
	const char *behind; /* NULL: it is the first */
	bool filtered;
	bool any_value;
	char tag[ARM_TAG_MAX], value[ARM_TAG_MAX]; /* of the filter */
};

/* Reads what the request asks for. False: it does not fit, which has been answered. The second one
 * leaves $filter to the caller. */
bool arm_page_begin(struct arm_page *page, struct api_request *request, bool has_tags);
bool arm_page_read(struct arm_page *page, struct api_request *request);
/* Whether a resource with these tags is on the list. */
bool arm_page_takes(const struct arm_page *page, const struct tag *tags, size_t count);
/* Answers with the array, which is taken over. The next page begins behind `last`; NULL: there is
 * none. */
void arm_page_answer(const struct arm_page *page, json_t *array, const char *last);
/* Whether "GROUP/NAME" comes behind, or ahead (negative), in the order of lists. */
int arm_compare_keys(const char *left, const char *right);
/* `nextLink` of an api_list. */
json_t *arm_next_link(const struct api_request *request, const char *last);

struct arm_asked;
/* Answers with the list that is asked for: azure/list.c. */
void arm_list(struct api_request *request, const struct arm_asked *asked);

#endif
