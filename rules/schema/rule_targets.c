#include "rules/schema/rule_targets.h"

#include <stdlib.h>
#include <strings.h>

static int compare_groups(const void *a, const void *b)
{
	return strcasecmp((*(const struct target_group *const *)a)->name,
			  (*(const struct target_group *const *)b)->name);
}

int rule_targets_init(struct rule_targets *targets, const struct forwarding_ruleset *ruleset)
{
	size_t count = ruleset->target_groups.count;

	*targets = (struct rule_targets){0};
	if (count == 0)
		return 0;
	targets->groups = reallocarray(NULL, count, sizeof(*targets->groups));
	if (!targets->groups)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++)
		if (ruleset->target_groups.items[i].name)
			targets->groups[targets->count++] = &ruleset->target_groups.items[i];
	qsort(targets->groups, targets->count, sizeof(*targets->groups), compare_groups);
	return 0;
}

void rule_targets_release(struct rule_targets *targets)
{
	free(targets->groups);
}

const struct target_group *rule_targets_group(const struct rule_targets *targets, const char *name)
{
	const struct target_group key = {.name = name}, *wanted = &key;
	const struct target_group *const *found = NULL;

	if (name && targets->count > 0)
		found = bsearch(&wanted, targets->groups, targets->count, sizeof(*targets->groups),
				compare_groups);
	return found ? *found : NULL;
}

struct target_list rule_targets_of(const struct rule_targets *targets,
				   const struct forwarding_rule *rule)
{
	const struct target_group *group = rule_targets_group(targets, rule->target_group);

	if (rule->target_group)
		return group ? (struct target_list){group->targets.items, group->targets.count}
			     : (struct target_list){NULL, 0};
	return (struct target_list){rule->targets.items, rule->targets.count};
}
