/* Calls back for every upstream of every route of a policy; an upstream of several routes
 * comes several times. */
#ifndef SLUICE_TESTS_EACH_UPSTREAM_H
#define SLUICE_TESTS_EACH_UPSTREAM_H

#include "rules/policy/policy.h"

static inline void each_upstream(struct policy *policy,
				 void (*on_upstream)(void *context, struct upstream *upstream),
				 void *context)
{
	policy_each_own_upstream(policy, on_upstream, context);
	for (uint32_t i = 0; i < policy->ruleset_count; i++)
		ruleset_each_upstream(policy->rulesets[i], on_upstream, context);
}

#endif
