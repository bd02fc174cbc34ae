/* Whom a rule asks: its own targets, or those of the target group of its ruleset that it names. An
 * index of one ruleset's groups, as many rules may name one of many. */
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
	const struct target_server *items; /* the ruleset's */
	size_t count;
};

/* The ruleset must outlive it. ERR_NOMEM, and it is empty. */
MUST_CHECK int rule_targets_init(struct rule_targets *targets,
				 const struct forwarding_ruleset *ruleset);
void rule_targets_release(struct rule_targets *targets);
/* By name, without regard to ASCII case; NULL: there is none, or the name is NULL. */
const struct target_group *rule_targets_group(const struct rule_targets *targets, const char *name);
/* None where the rule names a group that there is not. */
struct target_list rule_targets_of(const struct rule_targets *targets,
				   const struct forwarding_rule *rule);

#endif
