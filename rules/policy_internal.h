/* What the files that compile a policy share. */
#ifndef SLUICE_POLICY_INTERNAL_H
#define SLUICE_POLICY_INTERNAL_H

#include "rules/policy.h"

/* Keeps a reference to the zone, which is taken over, until the policy is freed. ERR_NOMEM also
 * when zone is NULL; the zone is let go then. */
MUST_CHECK int policy_keep_zone(struct policy *policy, struct zone *zone);

/* Reverse zones of the pools, PTRs of the networks' own addresses, and forward names, all derived
 * from the model's addresses and services. */
MUST_CHECK int policy_compile_addresses(struct policy *policy, const struct model *model);

/* The special-use zones, taken over from `before` where there is one. */
MUST_CHECK int policy_compile_special(struct policy *policy, const struct policy *before,
				      bool answered);

#endif
