/* A snapshot holds one reference on the target and the meter of every upstream in its policy's own
 * routes. A ruleset, which policies share, holds its own references: it gets them when it is first
 * served, and they are released when it is freed. If a ruleset is unchanged, a change of the policy
 * attaches nothing to it, and only lists its targets, sources and outbound endpoints again.
 *
 * Snapshots whose policies differ only in our addresses or registered records share these
 * references: the last one freed releases them. */
#include "resolver/server/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "rules/array.h"

struct snapshot_zones {
	struct series_set *set;
	unsigned snapshots; /* that share them */
	size_t count;
	uint32_t numbers[];
};

struct attaching {
	struct target_registry *registry;
	struct meter_registry *meters;
	const struct snapshot_series *series; /* NULL: nothing is counted */
	struct snapshot *snapshot;
	size_t source_room, target_room, outbound_room;
	uint64_t listing;        /* the number of this list (struct target, struct meter) */
	const struct rule *rule; /* the one whose upstreams are being listed; NULL: none */
	bool failed;
};

struct attachment { /* a ruleset's */
	struct target_registry *registry;
	struct meter_registry *meters;
	const struct snapshot_series *series;
	size_t rules; /* how many of its rules are attached: the first ones */
	bool whole;   /* all rules and the target groups are attached */
};

static bool note_source(struct attaching *attaching, const struct address *source)
{
	struct snapshot *snapshot = attaching->snapshot;

	for (size_t i = 0; i < snapshot->source_count; i++)
		if (address_equal(&snapshot->sources[i], source))
			return true;
	struct address *sources = array_grow(snapshot->sources, snapshot->source_count,
					     &attaching->source_room, sizeof *sources);

	if (!sources)
		return false;
	snapshot->sources = sources;
	sources[snapshot->source_count++] = *source;
	return true;
}

static void attach(void *context, struct upstream *upstream)
{
	struct attaching *attaching = context;

	if (attaching->failed)
		return;
	struct target *target = target_acquire(attaching->registry, &upstream->source,
					       &upstream->host, upstream->protocol);
	struct meter *meter = NULL;
	if (upstream->endpoint)
		meter = meter_acquire(attaching->meters, upstream->endpoint, true);
	upstream->target = target;
	upstream->meter = meter;
	attaching->failed = !target || (upstream->endpoint && !meter);
}

static bool note_target(struct attaching *attaching, const struct upstream *upstream)
{
	struct served_targets *served = &attaching->snapshot->targets->served;
	struct served_target *items =
		array_grow(served->items, served->count, &attaching->target_room, sizeof *items);

	if (!items)
		return false;
	served->items = items;
	items[served->count++] = (struct served_target){upstream, attaching->rule};
	upstream->target->listed = attaching->listing;
	return true;
}

static bool note_outbound(struct attaching *attaching, struct meter *meter)
{
	struct snapshot_targets *targets = attaching->snapshot->targets;
	struct meter **outbounds = array_grow(targets->outbounds, targets->outbound_count,
					      &attaching->outbound_room, sizeof(*outbounds));

	if (!outbounds)
		return false;
	targets->outbounds = outbounds;
	outbounds[targets->outbound_count++] = meter;
	meter->listed = attaching->listing;
	return true;
}

static void note(void *context, struct upstream *upstream)
{
	struct attaching *attaching = context;

	if (!attaching->failed && upstream->meter && upstream->meter->listed != attaching->listing)
		attaching->failed = !note_outbound(attaching, upstream->meter);
	if (attaching->failed || upstream->target->listed == attaching->listing)
		return;
	attaching->failed =
		!note_source(attaching, &upstream->source) || !note_target(attaching, upstream);
}

static void detach(void *context, struct upstream *upstream)
{
	const struct attachment *attachment = context;

	if (upstream->target)
		target_release(attachment->registry, upstream->target);
	if (upstream->meter)
		meter_release(attachment->meters, upstream->meter);
}

static void release_outcomes(void *context, const char *name, struct route *route)
{
	(void)context;
	(void)name;
	outcomes_release(route->outcomes);
}

static void acquire_outcomes(void *context, const char *name, struct route *route)
{
	struct attaching *attaching = context;

	if (!attaching->series || attaching->failed)
		return;
	route->outcomes = outcomes_acquire(attaching->series->outcomes, name);
	attaching->failed = !route->outcomes;
}

static void detach_ruleset(void *context, struct ruleset *ruleset)
{
	struct attachment *attachment = context;

	ruleset_each_upstream(ruleset, detach, attachment);
	for (size_t i = 0; attachment->series && i < ruleset_rule_count(ruleset); i++) {
		series_release(attachment->series->rules, ruleset_rule(ruleset, i)->series);
		outcomes_release(ruleset_rule(ruleset, i)->route.outcomes);
	}
	free(attachment);
}

static void attach_rule(struct attaching *attaching, struct rule *rule)
{
	const struct snapshot_series *series = attaching->series;
	char name[POLICY_ROUTE_NAME];

	if (series)
		rule->series = series_acquire(series->rules, rule->ruleset, rule->name);
	if (series && rule->name)
		acquire_outcomes(attaching, policy_rule_name(rule, name), &rule->route);
	if (!rule->target_group)
		route_each_upstream(&rule->route, attach, attaching);
}

static struct attachment *attachment_of(struct attaching *attaching, struct ruleset *ruleset)
{
	struct attachment *attachment = ruleset_context(ruleset);

	if (attachment)
		return attachment;
	attachment = malloc(sizeof *attachment);
	attaching->failed = !attachment;
	if (!attachment)
		return NULL;
	*attachment = (struct attachment){
		.registry = attaching->registry,
		.meters = attaching->meters,
		.series = attaching->series,
	};
	ruleset_on_free(ruleset, detach_ruleset, attachment);
	return attachment;
}

/* Attaches at most *room more rules of the ruleset, and subtracts them from *room. */
static void attach_ruleset(struct attaching *attaching, struct ruleset *ruleset, size_t *room)
{
	struct attachment *attachment =
		attaching->failed ? NULL : attachment_of(attaching, ruleset);
	size_t count = ruleset_rule_count(ruleset);

	if (!attachment || attachment->whole)
		return;
	for (; !attaching->failed && attachment->rules<count && * room> 0; --*room)
		attach_rule(attaching, ruleset_rule(ruleset, attachment->rules++));
	if (attaching->failed || attachment->rules < count)
		return;
	ruleset_each_group_upstream(ruleset, attach, attaching);
	attachment->whole = !attaching->failed;
}

static bool is_attached(const struct ruleset *ruleset)
{
	const struct attachment *attachment = ruleset_context(ruleset);

	return attachment && attachment->whole;
}

int snapshot_attach_some(struct policy *policy, struct target_registry *registry,
			 struct meter_registry *meters, const struct snapshot_series *series,
			 size_t rules)
{
	struct attaching attaching = {.registry = registry, .meters = meters, .series = series};

	for (uint32_t i = 0; i < policy->ruleset_count; i++) {
		attach_ruleset(&attaching, policy->rulesets[i], &rules);
		if (attaching.failed)
			return ERR_NOMEM;
		if (!is_attached(policy->rulesets[i]))
			return 1;
	}
	return 0;
}

static void note_rules(struct attaching *attaching, struct policy *policy, bool enabled)
{
	for (uint32_t i = 0; i < policy->ruleset_count; i++) {
		for (size_t k = 0; k < ruleset_rule_count(policy->rulesets[i]); k++) {
			attaching->rule = ruleset_rule(policy->rulesets[i], k);
			if (attaching->rule->enabled == enabled)
				route_each_upstream(&attaching->rule->route, note, attaching);
		}
	}
}

static void note_all(struct attaching *attaching, struct policy *policy)
{
	attaching->listing = target_registry_new_listing(attaching->registry);
	policy_each_own_upstream(policy, note, attaching);
	note_rules(attaching, policy, true);
	note_rules(attaching, policy, false);
}

static void attach_all(struct attaching *attaching, struct policy *policy)
{
	size_t all = SIZE_MAX;

	policy_each_own_upstream(policy, attach, attaching);
	policy_each_own_route(policy, acquire_outcomes, attaching);
	for (uint32_t i = 0; i < policy->ruleset_count; i++)
		attach_ruleset(attaching, policy->rulesets[i], &all);
	if (!attaching->failed)
		note_all(attaching, policy);
}

static bool attach_inbounds(struct snapshot *snapshot, const struct policy *policy)
{
	uint32_t count = policy->inbound_count;

	snapshot->inbound_meters = calloc(count ? count : 1, sizeof(struct meter *));
	bool fine = snapshot->inbound_meters;
	for (uint32_t i = 0; fine && i < count; i++) {
		struct meter *meter =
			meter_acquire(snapshot->meters, policy->inbounds[i].name, false);

		snapshot->inbound_meters[i] = meter;
		fine = meter;
	}
	return fine;
}

static void give_zones(struct snapshot_zones *zones)
{
	if (!zones || --zones->snapshots > 0)
		return;
	for (size_t i = 0; i < zones->count; i++)
		series_release(zones->set, zones->numbers[i]);
	free(zones);
}

static void give_targets(struct snapshot_targets *targets)
{
	if (!targets || --targets->snapshots > 0)
		return;
	free(targets->served.items);
	free(targets->outbounds);
	free(targets);
}

/* False without memory. */
static bool number_zones(struct snapshot *snapshot, struct policy *policy)
{
	struct series_set *set = snapshot->series ? snapshot->series->zones : NULL;
	size_t count = policy->private_zone_count;
	struct snapshot_zones *zones;

	if (!set)
		return true;
	zones = malloc(sizeof *zones + count * sizeof *zones->numbers);
	if (!zones)
		return false;
	zones->set = set;
	zones->snapshots = 1;
	zones->count = count;
	for (size_t i = 0; i < count; i++) {
		struct policy_zone_link *ways = &policy->zone_links[POLICY_ZONE_WAYS * i];

		const char *group = ways->group ? ways->group : "";

		zones->numbers[i] = series_acquire(
			set, group, ways->name + (ways->group ? strlen(group) + 1 : 0));
		for (unsigned way = 0; way < POLICY_ZONE_WAYS; way++)
			ways[way].series = zones->numbers[i];
	}
	snapshot->zones = zones;
	return true;
}

struct snapshot *snapshot_new(struct policy *policy, struct target_registry *registry,
			      struct meter_registry *meters, const struct snapshot_series *series,
			      const struct model *model)
{
	struct snapshot *snapshot = calloc(1, sizeof *snapshot);
	uint32_t room = policy->inbound_count + policy->vnet_listen_count;
	struct snapshot_binding *bindings = calloc(room ? room : 1, sizeof *bindings);
	struct attaching attaching = {
		.registry = registry, .meters = meters, .series = series, .snapshot = snapshot};

	if (snapshot)
		snapshot->targets = calloc(1, sizeof *snapshot->targets);
	attaching.failed = !snapshot || !snapshot->targets;
	if (!attaching.failed)
		snapshot->targets->snapshots = 1;
	if (!attaching.failed && bindings) {
		snapshot->meters = meters;
		snapshot->series = series;
		attach_all(&attaching, policy);
		attaching.failed |=
			!attach_inbounds(snapshot, policy) || !number_zones(snapshot, policy);
	}
	if (!snapshot || !bindings || attaching.failed) {
		/* Without memory, the references of the policy's own routes and inbound endpoints
		 * are not returned, so their targets and meters stay in the registries. */
		policy_free(policy);
		free(bindings);
		if (snapshot) {
			free(snapshot->sources);
			free(snapshot->inbound_meters);
			give_zones(snapshot->zones);
			give_targets(snapshot->targets);
		}
		free(snapshot);
		return NULL;
	}
	snapshot->policy = policy;
	snapshot->registry = registry;
	snapshot->bindings = bindings;
	snapshot->cache = model->cache;
	snapshot->count_names = model->count_names;
	snapshot->tcp = model->tcp;
	snapshot->response_limit = model->response_limit;
	snapshot->excess = model->limits.excess;
	snapshot->queries_per_second = model->limits.queries_per_second_per_endpoint;
	return snapshot;
}

static void *copy(const void *from, size_t bytes)
{
	void *to = malloc(bytes ? bytes : 1);
	if (to && bytes)
		memcpy(to, from, bytes);
	return to;
}

struct snapshot *snapshot_with_owned(const struct snapshot *before, struct owned *owned,
				     struct registered *registered)
{
	struct snapshot *snapshot = calloc(1, sizeof *snapshot);
	struct policy *policy = policy_with_owned(before->policy, owned, registered);
	struct snapshot_binding *bindings =
		copy(before->bindings, before->binding_count * sizeof *bindings);
	struct address *sources = copy(before->sources, before->source_count * sizeof *sources);
	struct meter **meters = copy(before->inbound_meters,
				     before->policy->inbound_count * sizeof(struct meter *));

	if (!snapshot || !policy || !bindings || !sources || !meters) {
		policy_free(policy);
		free(bindings);
		free(sources);
		free(meters);
		free(snapshot);
		return NULL;
	}
	*snapshot = (struct snapshot){.registry = before->registry,
				      .targets = before->targets,
				      .meters = before->meters,
				      .series = before->series,
				      .zones = before->zones,
				      .timed = before->timed,
				      .ports_max = before->ports_max,
				      .lanes_max = before->lanes_max,
				      .cache = before->cache,
				      .count_names = before->count_names,
				      .accepts_updates = before->accepts_updates,
				      .tcp = before->tcp,
				      .response_limit = before->response_limit,
				      .excess = before->excess,
				      .queries_per_second = before->queries_per_second,
				      .generation = before->generation};
	if (snapshot->zones)
		snapshot->zones->snapshots++;
	snapshot->targets->snapshots++;
	snapshot->policy = policy;
	snapshot->bindings = bindings;
	snapshot->binding_count = before->binding_count;
	snapshot->sources = sources;
	snapshot->source_count = before->source_count;
	snapshot->inbound_meters = meters;
	return snapshot;
}

void snapshot_free(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	if (!policy_is_shared(snapshot->policy)) {
		struct attachment own = {.registry = snapshot->registry,
					 .meters = snapshot->meters};

		policy_each_own_upstream(snapshot->policy, detach, &own);
		policy_each_own_route(snapshot->policy, release_outcomes, NULL);
		for (uint32_t i = 0; i < snapshot->policy->inbound_count; i++)
			meter_release(snapshot->meters, snapshot->inbound_meters[i]);
	}
	give_zones(snapshot->zones);
	give_targets(snapshot->targets);
	policy_free(snapshot->policy);
	transfer_table_free(snapshot->transfers); /* after the policy, which points to its stamps */
	free(snapshot->bindings);
	free(snapshot->sources);
	free(snapshot->inbound_meters);
	free(snapshot->holds);
	free(snapshot->ring_mark);
	free(snapshot);
}
