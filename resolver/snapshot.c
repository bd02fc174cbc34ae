/* A snapshot holds one reference on the target of every upstream of its policy. A ruleset that two
 * policies share keeps its upstreams, so they are attached already when the second one comes: the
 * pointer is then left alone (workers are reading it) and only the reference is added. What is
 * acquired once more is the same target, because an equal ruleset has equal sources and servers.
 *
 * Snapshots whose policies differ in nothing but what we own hold these references together: the
 * last of them to be freed lets go of them. */
#include "resolver/snapshot.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

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

static void *copy(const void *from, size_t bytes)
{
	void *to = malloc(bytes ? bytes : 1);
	if (to && bytes)
		memcpy(to, from, bytes);
	return to;
}

struct snapshot *snapshot_with_owned(const struct snapshot *before, struct owned *owned)
{
	struct snapshot *snapshot = calloc(1, sizeof *snapshot);
	struct policy *policy = policy_with_owned(before->policy, owned);
	struct snapshot_binding *bindings =
		copy(before->bindings, before->binding_count * sizeof *bindings);
	struct address *sources = copy(before->sources, before->source_count * sizeof *sources);
	if (!snapshot || !policy || !bindings || !sources) {
		policy_free(policy);
		free(bindings);
		free(sources);
		free(snapshot);
		return NULL;
	}
	snapshot->policy = policy;
	snapshot->registry = before->registry;
	snapshot->bindings = bindings;
	snapshot->binding_count = before->binding_count;
	snapshot->sources = sources;
	snapshot->source_count = before->source_count;
	snapshot->ports_max = before->ports_max;
	snapshot->cache = before->cache;
	snapshot->tcp = before->tcp;
	snapshot->generation = before->generation;
	return snapshot;
}

void snapshot_free(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	if (!policy_is_shared(snapshot->policy))
		policy_each_upstream(snapshot->policy, detach, snapshot->registry);
	policy_free(snapshot->policy);
	free(snapshot->bindings);
	free(snapshot->sources);
	free(snapshot->holds);
	free(snapshot);
}
