/* What the workers serve at one moment: a policy and the listeners it is served at. Made by the
 * control thread, published to every worker as one pointer, and freed by the control thread when
 * the last worker has let go of it. */
#ifndef SLUICE_SNAPSHOT_H
#define SLUICE_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "endpoints/inbound.h"
#include "endpoints/target.h"
#include "rules/policy.h"

struct snapshot_binding { /* a listener, and what a query that arrives there means */
	struct listener *listener;
	struct host host;
	bool vnet_resolver; /* else an inbound endpoint: */
	uint32_t network;
};

struct snapshot {
	struct policy *policy;
	struct target_registry *registry;
	struct snapshot_binding *bindings;
	uint32_t binding_count;
	struct address *sources; /* every one that its upstreams are asked from, once */
	size_t source_count;
	unsigned ports_max; /* source ports of each of them in each worker */
	void *holds;        /* memory for each worker's part of it (worker.h) */
	struct cache_settings cache;
	struct tcp_settings tcp;
	uint64_t generation;
	atomic_uint users;      /* workers that have not let go of it */
	atomic_uint adopters;   /* workers that have taken it up */
	struct snapshot *older; /* the control thread's list */
};

/* Attaches every upstream's target and notes every source. Takes the policy over, also when it
 * fails (NULL). Listeners are not owned: bindings are filled in by the caller. */
struct snapshot *snapshot_new(struct policy *policy, struct target_registry *registry,
			      const struct model *model);
/* The same with another table of what we own, bindings included: shares targets and all else with
 * the one before. NULL without memory. */
struct snapshot *snapshot_with_owned(const struct snapshot *before, struct owned *owned);
void snapshot_free(struct snapshot *snapshot);

#endif
