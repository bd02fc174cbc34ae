/* What the files that compile a policy share. */
#ifndef SLUICE_POLICY_INTERNAL_H
#define SLUICE_POLICY_INTERNAL_H

#include "rules/policy.h"

/* Keeps a reference to the zone, which is taken over, until the policy is freed. ERR_NOMEM also
 * when zone is NULL; the zone is let go then. */
MUST_CHECK int policy_keep_zone(struct policy *policy, struct zone *zone);

/* What follows from the model's addresses and services: the owned table, and where it is answered;
 * taken over from `before` where nothing has changed. */
MUST_CHECK int policy_compile_addresses(struct policy *policy, const struct policy *before,
					const struct model *model);

/* The special-use zones, taken over from `before` where there is one. */
MUST_CHECK int policy_compile_special(struct policy *policy, const struct policy *before,
				      bool answered);

/* ---- policy_apex.c ---- */

/* A zone with an apex and nothing else: NS and SOA by reverse.name_servers and reverse.hostmaster,
 * or, where `reverse` is NULL, a SOA as any zone is given. NULL without memory. */
struct zone *policy_make_apex(const struct policy *policy, const char *text,
			      const struct reverse_settings *reverse);
/* Adds such a zone to the table, that of the same name in `before` (may be NULL) where there is
 * one; nothing if the table has it. The policy holds it. */
MUST_CHECK int policy_add_apex(struct policy *policy, struct suffix_table *zones,
			       const struct suffix_table *before, const char *text,
			       const struct reverse_settings *reverse);

#endif
