/* What the workers serve: a policy and its listeners. Made by the control thread, published to
 * every worker as one pointer, and freed by the control thread after the last worker has released
 * it. */
#ifndef SLUICE_SNAPSHOT_H
#define SLUICE_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "endpoints/inbound/inbound.h"
#include "endpoints/meter.h"
#include "endpoints/upstream/lookup.h"
#include "resolver/outcomes.h"
#include "resolver/series.h"
#include "resolver/transfer/table.h"
#include "rules/policy/policy.h"

/* Who is counted by name; as registries, they outlive policies. */
struct snapshot_series {
	struct series_set *endpoints, *rules, *zones;
	struct outcomes_registry *outcomes; /* of routes */
};

struct snapshot_zones; /* their numbers; opaque */

/* Each target of the policy once; snapshots that differ only in what we own share it. */
struct snapshot_targets {
	struct served_targets served;
	unsigned snapshots;
};

struct snapshot_binding { /* a listener, and where its queries are asked */
	struct listener *listener;
	struct host host;
	bool vnet_resolver; /* else an inbound endpoint: */
	uint32_t network;
	uint32_t series;      /* the endpoint's number */
	const char *endpoint; /* its name; the policy's */
	struct inbound_admission admission;
};

struct snapshot {
	struct policy *policy;
	struct transfer_table *transfers; /* NULL: no zone goes out */
	struct target_registry *registry;
	struct meter_registry *meters;
	struct snapshot_binding *bindings;
	uint32_t binding_count;
	struct snapshot_targets *targets;
	struct address *sources; /* of its upstreams, each once */
	size_t source_count;
	struct meter **inbound_meters; /* of the policy's inbound endpoints; shared like it */
	const struct snapshot_series *series; /* NULL: nobody is counted by name */
	struct snapshot_zones *zones;         /* likewise */
	bool timed;                           /* how long answers take is measured */
	unsigned ports_max;                   /* source ports of each of them in each worker */
	unsigned lanes_max;                   /* busy targets with ports of their own, likewise */
	void *holds;                          /* memory for each worker's hold (worker.h) */
	struct cache_settings cache;
	bool count_names;
	bool accepts_updates; /* else requests to update are not implemented */
	struct tcp_settings tcp;
	struct response_limit_settings response_limit;
	enum excess excess;
	uint64_t queries_per_second; /* of each endpoint; 0: no limit */
	uint64_t generation;
	uint64_t sequence;    /* of all that are handed out, those of one generation too */
	atomic_uint users;    /* workers that have not released it */
	atomic_uint adopters; /* workers that have adopted it */
	/* Each worker's ring when no worker used it any more: what is noted there until then may
	 * have pointers into it. NULL: not yet. */
	uint64_t *ring_mark;
	struct snapshot *older; /* the control thread's list */
};

/* Attaches every upstream's target and its endpoint's meter, every rule's and zone's number, and
 * lists every target and source. Takes the policy over, even if it fails (NULL). Listeners are not
 * owned: the caller fills the bindings in. */
struct snapshot *snapshot_new(struct policy *policy, struct target_registry *registry,
			      struct meter_registry *meters, const struct snapshot_series *series,
			      const struct model *model);
/* Attaches at most `rules` of the policy's new rules, as server_attach_some; snapshot_new attaches
 * the rest. */
MUST_CHECK int snapshot_attach_some(struct policy *policy, struct target_registry *registry,
				    struct meter_registry *meters,
				    const struct snapshot_series *series, size_t rules);
/* The same with another table of what we own, or of what is registered, bindings included: shares
 * targets and the rest with the one before. NULL without memory. */
struct snapshot *snapshot_with_owned(const struct snapshot *before, struct owned *owned,
				     struct registered *registered);
void snapshot_free(struct snapshot *snapshot);

#endif
