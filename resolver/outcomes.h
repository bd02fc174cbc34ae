/* Whether clients get answers from each way to forward: the default resolver, a rule, a network's
 * DNS servers. A query fails if the client gets SERVFAIL because of that way; our own questions do
 * not count. Outcomes are kept by the name that users see for the way (policy_each_route), so they
 * outlive a policy.
 *
 * Workers add to the failures; only the control thread uses the rest. */
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
	struct { /* the state that the events last reported */
		bool failing;
		uint64_t since_us, next_us;
	} told;
	char name[];
};

struct outcomes_registry *outcomes_registry_new(void);
/* Call it when the workers have stopped; NULL is fine. */
void outcomes_registry_free(struct outcomes_registry *registry);
/* Returns the outcomes with a reference; NULL: no memory. */
struct outcomes *outcomes_acquire(struct outcomes_registry *registry, const char *name);
void outcomes_release(struct outcomes *outcomes); /* NULL is fine */
/* Whether any way has a row of failures that has not ended. */
bool outcomes_have_failures(const struct outcomes_registry *registry);

/* Like failures_add and failures_end, from any thread. */
void outcomes_fail(struct outcomes *outcomes, uint64_t name, uint16_t type, enum target_error error,
		   const struct host *host, uint64_t at_us, uint64_t now_us);
void outcomes_answer(struct outcomes *outcomes, uint64_t at_us);

#endif
