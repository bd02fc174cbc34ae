/* A snapshot is what the workers serve: a policy and its listeners. The control thread makes it,
 * publishes it to every worker as one pointer, and frees it after the last worker has released
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

/* The counters by name. Like registries, they outlive policies. */
struct snapshot_series {
	struct series_set *endpoints, *rules, *zones;
	struct outcomes_registry *outcomes; /* for routes */
};

struct snapshot_zones; /* the zones' numbers; opaque */

/* Each target of the policy once, and each outbound endpoint that asks one. All loops over targets
 * use this list. Snapshots that differ only in our addresses or registered records share it. */
struct snapshot_targets {
	struct served_targets served;
	struct meter **outbounds;
	size_t outbound_count;
	unsigned snapshots;
};

struct snapshot_binding { /* a listener, and the place of its queries */
	struct listener *listener;
	struct host host;
	bool vnet_resolver; /* false: an inbound endpoint */
	uint32_t network;
	uint32_t series;      /* the endpoint's number */
	const char *endpoint; /* its name, owned by the policy */
	struct inbound_admission admission;
};

struct snapshot {
	struct policy *policy;
	struct transfer_table *transfers; /* NULL: no zone is transferred */
	struct target_registry *registry;
	struct meter_registry *meters;
	struct snapshot_binding *bindings;
	uint32_t binding_count;
	struct snapshot_targets *targets;
	struct address *sources; /* the upstreams' source addresses, each once */
	size_t source_count;
	/* Of the policy's inbound endpoints. Each snapshot has its own array, but snapshots whose
	 * policies share all but their tables (policy_is_shared) hold one reference on each meter
	 * together. */
	struct meter **inbound_meters;
	const struct snapshot_series *series; /* NULL: nothing is counted by name */
	struct snapshot_zones *zones;         /* may be NULL, too */
	bool timed;                           /* measures how long answers take */
	unsigned ports_max;                   /* source ports of each source in each worker */
	unsigned lanes_max; /* busy targets with their own ports, in each worker */
	void *holds;        /* memory for each worker's hold (worker.h) */
	struct cache_settings cache;
	bool count_names;
	bool accepts_updates; /* false: requests to update get NOTIMP */
	struct tcp_settings tcp;
	struct response_limit_settings response_limit;
	enum excess excess;
	uint64_t queries_per_second; /* of each endpoint; 0: no limit */
	uint64_t generation;
	uint64_t sequence;    /* counts all published snapshots, even of one generation */
	atomic_uint users;    /* workers that have not released it */
	atomic_uint adopters; /* workers that have adopted it */
	/* The end of each worker's ring when no worker used the snapshot any more: earlier records
	 * may point into it. NULL: it is in use. */
	uint64_t *ring_mark;
	struct snapshot *older; /* the control thread's list */
};

/* Attaches every upstream's target and meter and every rule's and zone's number, and lists all
 * targets and sources. Takes over the policy, even on failure (NULL). The caller fills in the
 * bindings; listeners are not owned. */
struct snapshot *snapshot_new(struct policy *policy, struct target_registry *registry,
			      struct meter_registry *meters, const struct snapshot_series *series,
			      const struct model *model);
/* Attaches at most `rules` of the policy's new rules, like server_attach_some; snapshot_new
 * attaches the rest. */
MUST_CHECK int snapshot_attach_some(struct policy *policy, struct target_registry *registry,
				    struct meter_registry *meters,
				    const struct snapshot_series *series, size_t rules);
/* A copy with other addresses or other registered records, including bindings. Shares targets and
 * the rest with `before`. NULL without memory. */
struct snapshot *snapshot_with_owned(const struct snapshot *before, struct owned *owned,
				     struct registered *registered);
void snapshot_free(struct snapshot *snapshot);

#endif
