/* The query's $filter, which selects resources of a list:
 *
 *     NAME eq|ne 'VALUE' [and ...]      a quote in VALUE is doubled
 *
 * NAME is tagName, tagValue, resourceGroup, or a member of a resource as /resources shows it:
 * resourceType, name, location; or provisioningState, of a deployment. Case counts in the values of
 * tags only. A tagValue beside a tagName is the value of that tag. */
#ifndef SLUICE_ARM_FILTER_H
#define SLUICE_ARM_FILTER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { ARM_CLAUSES_MAX = 8, ARM_FILTER_VALUE_MAX = 1024 };

struct arm_filter {
	struct arm_clause {
		char name[24], value[ARM_FILTER_VALUE_MAX];
		bool is_not;
	} clauses[ARM_CLAUSES_MAX];
	size_t count; /* 0: all resources match */
};

/* False: the text is no filter with these names, which end with NULL. */
bool arm_filter_read(struct arm_filter *filter, const char *text, const char *const *names);
/* Does the filter match a resource of that group, in the form of arm_print_short, or a deployment,
 * in that of GET? */
bool arm_filter_takes(const struct arm_filter *filter, json_t *resource, const char *group);

#endif
