/* What clients got of each way to forward: the default resolver, a rule, a network's DNS servers. A
 * query fails where the client gets SERVFAIL because of that way; questions of our own are no
 * queries. Outcomes are kept by the name of the way as people know it (policy_each_route), so they
 * outlive a policy.
 *
 * Workers add to the failures; everything else is the control thread's. */
#ifndef SLUICE_OUTCOMES_H
#define SLUICE_OUTCOMES_H

#include <uthash.h>

#include "endpoints/upstream/failures.h"

struct outcomes_registry;

struct outcomes {
	UT_hash_handle hh; /* by name */
	struct outcomes_registry *registry;
	unsigned references;
	struct failures failures;
	struct { /* what the events have said of it */
		bool failing;
		uint64_t since_us, next_us;
	} told;
	char name[];
};

struct outcomes_registry *outcomes_registry_new(void);
/* NULL is fine; the workers have stopped. */
void outcomes_registry_free(struct outcomes_registry *registry);
/* With a reference; NULL: no memory. */
struct outcomes *outcomes_acquire(struct outcomes_registry *registry, const char *name);
void outcomes_release(struct outcomes *outcomes); /* NULL is fine */
/* Whether a row of failures has begun anywhere. */
bool outcomes_have_failures(const struct outcomes_registry *registry);

/* From any thread, as failures_add and failures_end. */
void outcomes_fail(struct outcomes *outcomes, uint64_t name, uint16_t type, enum target_error error,
		   const struct host *host, uint64_t at_us, uint64_t now_us);
void outcomes_answer(struct outcomes *outcomes, uint64_t at_us);

#endif
