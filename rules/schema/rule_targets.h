/* The targets of a rule: its own ones, or those of a target group of its ruleset. This is an index
 * of one ruleset's groups, because many rules may name one of many groups. */
#ifndef SLUICE_RULE_TARGETS_H
#define SLUICE_RULE_TARGETS_H

#include <stddef.h>

#include "rules/err.h"
#include "rules/schema/model.h"

struct rule_targets {
	const struct target_group **groups; /* by name */
	size_t count;
};

struct target_list {
	const struct target_server *items; /* owned by the ruleset */
	size_t count;
};

/* The ruleset must outlive the index. ERR_NOMEM: the index is empty. */
MUST_CHECK int rule_targets_init(struct rule_targets *targets,
				 const struct forwarding_ruleset *ruleset);
void rule_targets_release(struct rule_targets *targets);
/* Finds a group by name, without regard to ASCII case; NULL: there is none, or the name is NULL. */
const struct target_group *rule_targets_group(const struct rule_targets *targets, const char *name);
/* Empty if the rule names a group that does not exist. */
struct target_list rule_targets_of(const struct rule_targets *targets,
				   const struct forwarding_rule *rule);

#endif
