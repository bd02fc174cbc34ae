/* Shared by the files that make a policy or read its inside. */
#ifndef SLUICE_POLICY_INTERNAL_H
#define SLUICE_POLICY_INTERNAL_H

#include "rules/policy/policy.h"

/* Takes over a reference to the zone until the policy is freed. ERR_NOMEM, also if zone is NULL:
 * releases the zone. */
MUST_CHECK int policy_keep_zone(struct policy *policy, struct zone *zone);

/* Mixes the text and its NUL into a print, so that ("ab", "c") and ("a", "bc") differ. NULL mixes
 * in no bytes, so it differs from "" as well. */
uint64_t policy_print_text(const struct policy *policy, uint64_t print, const char *text);

/* Makes the special-use zones, or takes over those of `before` (may be NULL). */
MUST_CHECK int policy_compile_special(struct policy *policy, const struct policy *before,
				      bool answered);

/* How many names above `apex` could be denied: by a zone of `special` (special-use zones; NULL:
 * none) or, in the reverse trees, by a pool or a registered prefix. */
unsigned policy_count_above(const struct suffix_table *special, const struct name *apex);
/* Adds the names that start at the labels `first` to `last` of `apex`. Names already in the table
 * stay. */
MUST_CHECK int policy_add_above(struct suffix_table *above, struct arena *arena,
				const struct hash_key *key, const struct name *apex, unsigned first,
				unsigned last);

/* ---- policy/apex.c ---- */

/* Makes a zone with only an apex: NS and SOA from reverse.name_servers and reverse.hostmaster, or,
 * if `reverse` is NULL, the usual SOA. NULL without memory. */
struct zone *policy_make_apex(const struct policy *policy, const char *text,
			      const struct reverse_settings *reverse);
/* Adds such a zone to the table unless the table has it: the zone of this name in `before` (may be
 * NULL), or a new one. The policy holds it. */
MUST_CHECK int policy_add_apex(struct policy *policy, struct suffix_table *zones,
			       const struct suffix_table *before, const char *text,
			       const struct reverse_settings *reverse);

/* ---- policy/pools.c ---- */

MUST_CHECK int policy_compile_pools(struct policy *policy, const struct policy *before,
				    const struct model *model);
/* Answers a name of the reverse trees from the pools: sets *answer and *label, the label where the
 * answering zone starts, and returns the pool's name. NULL: the name is in no pool. */
const char *policy_find_in_pools(const struct policy *policy, const struct name *name,
				 uint16_t type, struct zone_answer *answer, unsigned *label);

/* ---- policy.c ---- */

/* The answer for a name that has only this set. */
struct zone_answer policy_answer_set(const struct rrset *set, uint16_t type,
				     const struct zone *zone);

#endif
