/* What the files that make a policy, and look into it, share. */
#ifndef SLUICE_POLICY_INTERNAL_H
#define SLUICE_POLICY_INTERNAL_H

#include "rules/policy/policy.h"

/* Keeps a reference to the zone, which is taken over, until the policy is freed. ERR_NOMEM also
 * when zone is NULL; the zone is let go then. */
MUST_CHECK int policy_keep_zone(struct policy *policy, struct zone *zone);

/* Mixes the text into a print, with its end, so that two texts in a row are not two others; NULL is
 * the empty one. */
uint64_t policy_print_text(const struct policy *policy, uint64_t print, const char *text);

/* The special-use zones, taken over from `before` where there is one. */
MUST_CHECK int policy_compile_special(struct policy *policy, const struct policy *before,
				      bool answered);

/* How many names above `apex` a special-use zone (of this table, or NULL) or, in the reverse trees,
 * a pool or a registered prefix could deny. */
unsigned policy_count_above(const struct suffix_table *special, const struct name *apex);
/* Adds the names that start at its labels from `first` to `last`; those that are there stay. */
MUST_CHECK int policy_add_above(struct suffix_table *above, struct arena *arena,
				const struct hash_key *key, const struct name *apex, unsigned first,
				unsigned last);

/* ---- policy/apex.c ---- */

/* A zone with an apex and nothing else: NS and SOA by reverse.name_servers and reverse.hostmaster,
 * or, where `reverse` is NULL, a SOA as any zone is given. NULL without memory. */
struct zone *policy_make_apex(const struct policy *policy, const char *text,
			      const struct reverse_settings *reverse);
/* Adds such a zone to the table, that of the same name in `before` (may be NULL) where there is
 * one; nothing if the table has it. The policy holds it. */
MUST_CHECK int policy_add_apex(struct policy *policy, struct suffix_table *zones,
			       const struct suffix_table *before, const char *text,
			       const struct reverse_settings *reverse);

/* ---- policy/pools.c ---- */

MUST_CHECK int policy_compile_pools(struct policy *policy, const struct policy *before,
				    const struct model *model);
/* What the pools have for a name of the reverse trees: fills in *answer and *label, the label of
 * the name where the zone that answers starts, and returns the pool's name; NULL when the name is
 * outside of every pool. */
const char *policy_find_in_pools(const struct policy *policy, const struct name *name,
				 uint16_t type, struct zone_answer *answer, unsigned *label);

/* ---- policy.c ---- */

/* Of a name that has this set and no other. */
struct zone_answer policy_answer_set(const struct rrset *set, uint16_t type,
				     const struct zone *zone);

#endif
