/* The pages of ARM's lists:
 *
 *     {"value": [...], "nextLink": URL}     without nextLink: this is the last
 *
 * The URL is absolute; it repeats the request, with a $skiptoken after which the next page begins.
 * $top limits a page. A $filter that the list does not support is refused, because the client would
 * take the unfiltered list for matches. */
#ifndef SLUICE_API_ARM_PAGE_H
#define SLUICE_API_ARM_PAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "resolver/control/api/list.h"

enum { ARM_PAGE_MAX = 1000, ARM_CLAUSES_MAX = 8, ARM_FILTER_VALUE_MAX = 1024 };

/* The $filter, which selects resources of a list (filter.c):
 *
 *     NAME eq|ne 'VALUE' [and ...]      a quote in VALUE is doubled
 *
 * NAME is resourceType, name, location, resourceGroup, tagName or tagValue, of a resource, or
 * provisioningState, of a deployment. Case counts in the values of tags only. A tagValue beside a
 * tagName is the value of that tag. */
struct arm_filter {
	struct arm_clause {
		char name[24], value[ARM_FILTER_VALUE_MAX];
		bool is_not;
	} clauses[ARM_CLAUSES_MAX];
	size_t count; /* 0: all resources match */
};

struct arm_page {
	struct api_request *request;
	size_t room;
	const char *behind; /* NULL: the first page */
	struct arm_filter filter;
};

/* Reads the parameters of a page; `names` are those that its filter may have (NULL: no filter).
 * False: one is wrong, and the request has been answered. */
bool arm_page_begin(struct arm_page *page, struct api_request *request, const char *const *names);
/* Answers with the array and takes ownership of it. The next page begins after `last`; NULL: there
 * is none. */
void arm_page_answer(const struct arm_page *page, json_t *array, const char *last);
/* False: the text is no filter with these names, which end with NULL. */
bool arm_filter_read(struct arm_filter *filter, const char *text, const char *const *names);
/* Does the filter match a resource of that group, as arm_print or arm_print_short prints it, or a
 * deployment, in the form of GET? */
bool arm_filter_takes(const struct arm_filter *filter, json_t *resource, const char *group);
/* Compares keys "GROUP/NAME" in the order of lists; negative: left comes first. */
int arm_compare_keys(const char *left, const char *right);
/* Makes the nextLink of a page, for a next page that begins after `last`. NULL: `last` is NULL, or
 * there is no memory. Fits api_list.tail_json. */
json_t *arm_next_link(const struct api_request *request, const char *last);

#endif
