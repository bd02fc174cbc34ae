/* What the files that compile a policy share. */
#ifndef SLUICE_POLICY_INTERNAL_H
#define SLUICE_POLICY_INTERNAL_H

#include "rules/policy.h"

/* Keeps a reference to the zone, which is taken over, until the policy is freed. ERR_NOMEM also
 * when zone is NULL; the zone is let go then. */
MUST_CHECK int policy_keep_zone(struct policy *policy, struct zone *zone);

/* Reverse zones of the pools, PTRs of the networks' own addresses, and forward names, all derived
 * from the model's addresses and services; taken over from `before` where nothing has changed. */
MUST_CHECK int policy_compile_addresses(struct policy *policy, const struct policy *before,
					const struct model *model);

/* The special-use zones, taken over from `before` where there is one. */
MUST_CHECK int policy_compile_special(struct policy *policy, const struct policy *before,
				      bool answered);

/* ---- policy_derived.c ---- */

struct derived { /* a zone that is being described: printed, or built */
	struct policy *policy;
	const struct reverse_settings *reverse;
	const char *apex;
	uint64_t fingerprint;
	size_t records;
	struct zone_builder *builder; /* NULL: only the fingerprint is taken */
	struct faults faults;
};

/* Makes the zone that describe() describes by the functions below, or takes over the one that the
 * policy before made of the same; the policy holds it. *zone is NULL where nothing was described.
 * policy->derived must have room. describe() is called twice with the same `of`. */
MUST_CHECK int policy_derive(struct policy *policy, const struct policy *before,
			     const struct reverse_settings *reverse, const char *apex,
			     int (*describe)(struct derived *derived, const void *of),
			     const void *of, struct zone **zone);
/* Once all zones are made. */
void policy_derived_sort(struct policy *policy);

/* A PTR; an A or AAAA with reverse.ttl; SOA and NS of a reverse zone, by reverse.name_servers and
 * reverse.hostmaster. */
MUST_CHECK int derived_ptr(struct derived *derived, const struct address *address, uint32_t ttl,
			   const char *name);
MUST_CHECK int derived_address(struct derived *derived, const char *owner,
			       const struct address *address);
MUST_CHECK int derived_apex(struct derived *derived);

#endif
