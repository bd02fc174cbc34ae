/* A snapshot holds one reference on the target of every upstream of its policy. A ruleset that two
 * policies share keeps its upstreams, so they are attached already when the second one comes: the
 * pointer is then left alone (workers are reading it) and only the reference is added. What is
 * acquired once more is the same target, because an equal ruleset has equal sources and servers. */
#include "resolver/snapshot.h"

#include <assert.h>

struct attaching {
	struct target_registry *registry;
	struct snapshot *snapshot;
	size_t room; /* for sources */
	bool failed;
};

static bool note_source(struct attaching *attaching, const struct address *source)
{
	struct snapshot *snapshot = attaching->snapshot;
	for (size_t i = 0; i < snapshot->source_count; i++)
		if (address_equal(&snapshot->sources[i], source))
			return true;
	if (snapshot->source_count == attaching->room) {
		size_t room = attaching->room * 2 + 8;
		struct address *sources = realloc(snapshot->sources, room * sizeof *sources);
		if (!sources)
			return false;
		snapshot->sources = sources;
		attaching->room = room;
	}
	snapshot->sources[snapshot->source_count++] = *source;
	return true;
}

static void attach(void *context, struct upstream *upstream)
{
	struct attaching *attaching = context;
	if (attaching->failed)
		return;
	struct target *target = target_acquire(attaching->registry, &upstream->source,
					       &upstream->host, upstream->protocol);
	if (!target || !note_source(attaching, &upstream->source))
		attaching->failed = true;
	else if (!upstream->target)
		upstream->target = target;
	else
		assert(upstream->target == target);
}

static void detach(void *context, struct upstream *upstream)
{
	if (upstream->target)
		target_release(context, upstream->target);
}

struct snapshot *snapshot_new(struct policy *policy, struct target_registry *registry,
			      const struct model *model)
{
	struct snapshot *snapshot = calloc(1, sizeof *snapshot);
	uint32_t room = policy->inbound_count + policy->vnet_listen_count;
	struct snapshot_binding *bindings = calloc(room ? room : 1, sizeof *bindings);
	struct attaching attaching = {.registry = registry, .snapshot = snapshot};
	if (snapshot && bindings)
		policy_each_upstream(policy, attach, &attaching);
	if (!snapshot || !bindings || attaching.failed) {
		/* Without memory: targets that were acquired stay in the registry, which is all
		 * that a reference too many does. */
		policy_free(policy);
		free(bindings);
		if (snapshot)
			free(snapshot->sources);
		free(snapshot);
		return NULL;
	}
	snapshot->policy = policy;
	snapshot->registry = registry;
	snapshot->bindings = bindings;
	snapshot->cache = model->cache;
	snapshot->tcp = model->tcp;
	return snapshot;
}

void snapshot_free(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	policy_each_upstream(snapshot->policy, detach, snapshot->registry);
	policy_free(snapshot->policy);
	free(snapshot->bindings);
	free(snapshot->sources);
	free(snapshot->holds);
	free(snapshot);
}
