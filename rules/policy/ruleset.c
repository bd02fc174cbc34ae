/* A ruleset: one suffix table with all rules, enabled or not, and reserved domains, so that one
 * search finds the longest suffix. */
#include "rules/policy/ruleset.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "rules/policy/internal.h"
#include "rules/schema/reference.h"
#include "rules/schema/rule_targets.h"

struct ruleset {
	struct arena arena;
	atomic_uint references;
	const char *name;
	uint64_t fingerprint, stamp;
	struct suffix_table table; /* struct rule */
	struct suffix_table above; /* for ruleset_has_below; the values are not used */
	size_t above_room;         /* the most names that `above` can get */
	size_t decision_bytes;     /* held by the arena without `above` */
	struct rule *rules;        /* as configured, then the reserved domains */
	size_t rule_count;         /* configured rules */
	struct route *routes;      /* one for each target group; no legs if no rule names it */
	size_t route_count;
	void (*on_free)(void *context, struct ruleset *ruleset);
	void *context;
};

/* ---- the fingerprint ---- */

static uint64_t hash_text(const struct hash_key *key, uint64_t seed, const char *text)
{
	return text ? hash_bytes(key, seed, text, strlen(text) + 1)
		    : hash_bytes(key, seed + 1, "", 1);
}

static uint64_t hash_route(const struct hash_key *key, uint64_t seed, const struct route *route)
{
	for (uint32_t i = 0; i < route->leg_count; i++) {
		const struct leg *leg = &route->legs[i];

		seed = hash_text(key, seed, leg->endpoint);
		for (uint32_t u = 0; u < leg->upstream_count; u++)
			seed = hash_text(key, seed, leg->upstreams[u].endpoint);
	}
	return hash_bytes(key, seed, &route->id, sizeof route->id);
}

static uint64_t hash_rule(const struct hash_key *key, uint64_t seed, const struct rule *rule)
{
	uint8_t flags[] = {rule->enabled, rule->follow_cname};

	seed = hash_text(key, seed, rule->name);
	seed = hash_text(key, seed, rule->domain);
	seed = hash_text(key, seed, rule->target_group);
	seed = hash_bytes(key, seed, flags, sizeof flags);
	return rule->target_group ? seed : hash_route(key, seed, &rule->route);
}

/* ---- compiling ---- */

/* Adds the rule to the table. Counts the names above an enabled rule, because compile_above makes
 * room for them. */
static int add_entry(struct ruleset *ruleset, const struct route_context *context,
		     struct rule *rule)
{
	struct name name;

	if (name_from_text(&name, context->key, rule->domain) != 0)
		return 0;
	if (rule->enabled)
		ruleset->above_room += policy_count_above(context->special, &name);
	return suffix_table_add(&ruleset->table, &ruleset->arena, &name, rule);
}

/* Rules are added first, so a rule for a reserved suffix keeps its place; if disabled, it reserves
 * the suffix, too. */
static int add_reserved(struct ruleset *ruleset, const struct route_context *context,
			struct rule *entry)
{
	struct name name;
	int err = add_entry(ruleset, context, entry);

	if (err != ERR_EXISTS)
		return err;
	if (name_from_text(&name, context->key, entry->domain) == 0) {
		struct rule *rule = suffix_table_get(&ruleset->table, &name, 0);
		rule->reserved = true;
	}
	return 0;
}

static int copy_endpoint_names(struct ruleset *ruleset, struct route *route)
{
	for (uint32_t i = 0; i < route->leg_count; i++) {
		struct leg *leg = &route->legs[i];
		const char *last = NULL, *copy = NULL;

		if (leg->endpoint &&
		    !(leg->endpoint = arena_strdup(&ruleset->arena, leg->endpoint)))
			return ERR_NOMEM;
		for (uint32_t u = 0; u < leg->upstream_count; u++) {
			const char **endpoint = &leg->upstreams[u].endpoint;

			if (!*endpoint)
				continue;
			if (*endpoint != last) {
				last = *endpoint;
				if (!(copy = arena_strdup(&ruleset->arena, last)))
					return ERR_NOMEM;
			}
			*endpoint = copy;
		}
	}
	return 0;
}

static int compile_route(struct ruleset *ruleset, struct route *route,
			 const struct target_server *servers, size_t count,
			 const struct route_context *context)
{
	int err = route_build(route, &ruleset->arena, context, servers, count);

	return err ? err : copy_endpoint_names(ruleset, route);
}

/* Builds the group's route for the first rule that names it. A missing group, which limits_check
 * reports, gives no route. */
static int share_route(struct ruleset *ruleset, struct rule *rule,
		       const struct forwarding_ruleset *model, const struct target_group *group,
		       const struct route_context *context)
{
	struct route *route;
	int err = 0;

	if (!group)
		return 0;
	route = &ruleset->routes[group - model->target_groups.items];
	if (!route->legs)
		err = compile_route(ruleset, route, group->targets.items, group->targets.count,
				    context);
	rule->route = *route;
	return err;
}

static int compile_rule(struct ruleset *ruleset, struct rule *rule,
			const struct forwarding_ruleset *model, const struct forwarding_rule *item,
			const struct rule_targets *groups, const struct route_context *context)
{
	const struct target_group *group = rule_targets_group(groups, item->target_group);
	int err;

	*rule = (struct rule){
		.name = arena_strdup(&ruleset->arena, item->name),
		.domain = arena_strdup(&ruleset->arena, item->domain),
		.ruleset = ruleset->name,
		.enabled = item->state == RULE_ENABLED,
		.follow_cname = item->follow_cname,
	};
	if (item->target_group)
		rule->target_group = arena_strdup(&ruleset->arena, item->target_group);
	if (!rule->name || !rule->domain || (item->target_group && !rule->target_group))
		return ERR_NOMEM;
	err = item->target_group ? share_route(ruleset, rule, model, group, context)
				 : compile_route(ruleset, &rule->route, item->targets.items,
						 item->targets.count, context);
	if (!err)
		err = add_entry(ruleset, context, rule);
	return err == ERR_EXISTS ? 0 : err;
}

static int compile_rules(struct ruleset *ruleset, const struct forwarding_ruleset *model,
			 const struct route_context *context, uint64_t *print)
{
	size_t count = model->target_groups.count;
	struct rule_targets groups;
	int err = rule_targets_init(&groups, model);

	ruleset->routes = arena_alloc_array(&ruleset->arena, count, sizeof *ruleset->routes);
	ruleset->route_count = ruleset->routes ? count : 0;
	if (!ruleset->routes)
		err = ERR_NOMEM;
	for (size_t i = 0; !err && i < model->rules.count; i++) {
		err = compile_rule(ruleset, &ruleset->rules[i], model, &model->rules.items[i],
				   &groups, context);
		if (!err)
			*print = hash_rule(context->key, *print, &ruleset->rules[i]);
	}
	for (size_t i = 0; !err && i < count; i++)
		*print = hash_route(context->key, *print, &ruleset->routes[i]);
	rule_targets_release(&groups);
	return err;
}

/* Adds the names above enabled rules. */
static int compile_above(struct ruleset *ruleset, const struct route_context *context)
{
	struct name name;
	int err;

	if (ruleset->above_room == 0)
		return 0;
	err = suffix_table_init(&ruleset->above, &ruleset->arena, ruleset->above_room);
	for (size_t i = 0; !err && i < ruleset->rule_count; i++) {
		const struct rule *rule = &ruleset->rules[i];

		if (rule->enabled && name_from_text(&name, context->key, rule->domain) == 0)
			err = policy_add_above(&ruleset->above, &ruleset->arena, context->key,
					       &name, 1,
					       policy_count_above(context->special, &name));
	}
	return err;
}

static int compile_into(struct ruleset *ruleset, const struct forwarding_ruleset *model,
			const struct route_context *context, const char *const *reserved,
			size_t reserved_count)
{
	size_t count = model->rules.count;
	uint64_t print = hash_text(context->key, context->special ? context->special->count : 0,
				   full_name(&model->named));
	int err = suffix_table_init(&ruleset->table, &ruleset->arena, count + reserved_count);

	ruleset->name = arena_strdup(&ruleset->arena, full_name(&model->named));
	ruleset->rules =
		arena_alloc_array(&ruleset->arena, count + reserved_count, sizeof *ruleset->rules);
	if (err || !ruleset->name || !ruleset->rules)
		return ERR_NOMEM;
	err = compile_rules(ruleset, model, context, &print);
	if (err)
		return err;
	ruleset->rule_count = count;
	for (size_t i = 0; i < reserved_count; i++) {
		struct rule *entry = &ruleset->rules[count + i];

		entry->domain = arena_strdup(&ruleset->arena, reserved[i]);
		entry->ruleset = ruleset->name;
		entry->reserved = true;
		if (!entry->domain || add_reserved(ruleset, context, entry) != 0)
			return ERR_NOMEM;
		print = hash_text(context->key, print, entry->domain);
	}
	ruleset->fingerprint = print;
	ruleset->decision_bytes = ruleset->arena.held_bytes;
	return compile_above(ruleset, context);
}

struct ruleset *ruleset_compile(const struct forwarding_ruleset *model,
				const struct route_context *context, const char *const *reserved,
				size_t reserved_count)
{
	struct ruleset *ruleset = calloc(1, sizeof *ruleset);

	if (!ruleset)
		return NULL;
	atomic_init(&ruleset->references, 1);
	arena_init(&ruleset->arena);
	if (compile_into(ruleset, model, context, reserved, reserved_count) == 0)
		return ruleset;
	ruleset_unref(ruleset);
	return NULL;
}

struct ruleset *ruleset_ref(struct ruleset *ruleset)
{
	atomic_fetch_add_explicit(&ruleset->references, 1, memory_order_relaxed);
	return ruleset;
}

void ruleset_unref(struct ruleset *ruleset)
{
	if (!ruleset ||
	    atomic_fetch_sub_explicit(&ruleset->references, 1, memory_order_acq_rel) != 1)
		return;
	if (ruleset->on_free)
		ruleset->on_free(ruleset->context, ruleset);
	arena_release(&ruleset->arena);
	free(ruleset);
}

void ruleset_on_free(struct ruleset *ruleset,
		     void (*on_free)(void *context, struct ruleset *ruleset), void *context)
{
	assert(!ruleset->on_free);
	ruleset->on_free = on_free;
	ruleset->context = context;
}

void *ruleset_context(const struct ruleset *ruleset)
{
	return ruleset->context;
}

void route_each_upstream(const struct route *route,
			 void (*on_upstream)(void *context, struct upstream *upstream),
			 void *context)
{
	for (uint32_t i = 0; route && i < route->leg_count; i++)
		for (uint32_t u = 0; u < route->legs[i].upstream_count; u++)
			on_upstream(context, &route->legs[i].upstreams[u]);
}

void ruleset_each_upstream(struct ruleset *ruleset,
			   void (*on_upstream)(void *context, struct upstream *upstream),
			   void *context)
{
	for (size_t i = 0; i < ruleset->rule_count; i++)
		if (!ruleset->rules[i].target_group)
			route_each_upstream(&ruleset->rules[i].route, on_upstream, context);
	ruleset_each_group_upstream(ruleset, on_upstream, context);
}

void ruleset_each_group_upstream(struct ruleset *ruleset,
				 void (*on_upstream)(void *context, struct upstream *upstream),
				 void *context)
{
	for (size_t i = 0; i < ruleset->route_count; i++)
		route_each_upstream(&ruleset->routes[i], on_upstream, context);
}

const char *ruleset_name(const struct ruleset *ruleset)
{
	return ruleset->name;
}

uint64_t ruleset_fingerprint(const struct ruleset *ruleset)
{
	return ruleset->fingerprint;
}

uint64_t ruleset_stamp(const struct ruleset *ruleset)
{
	return ruleset->stamp;
}

void ruleset_set_stamp(struct ruleset *ruleset, uint64_t stamp)
{
	ruleset->stamp = stamp;
}

size_t ruleset_rule_count(const struct ruleset *ruleset)
{
	return ruleset->rule_count;
}

struct rule *ruleset_rule(struct ruleset *ruleset, size_t index)
{
	assert(index < ruleset->rule_count);
	return &ruleset->rules[index];
}

/* ---- matching ---- */

const struct rule *ruleset_next(const struct ruleset *ruleset, const struct name *name,
				unsigned first, unsigned *label)
{
	return suffix_table_find(&ruleset->table, name, first, label);
}

const struct rule *ruleset_find(const struct ruleset *ruleset, const struct name *name,
				unsigned *label)
{
	const struct rule *rule = ruleset_next(ruleset, name, 0, label);

	while (rule && !rule->enabled && !rule->reserved && *label < name->labels)
		rule = ruleset_next(ruleset, name, *label + 1, label);
	return rule && rule->enabled ? rule : NULL;
}

bool ruleset_has_below(const struct ruleset *ruleset, const struct name *name)
{
	return suffix_table_get(&ruleset->above, name, 0);
}

void ruleset_expect(const struct ruleset *ruleset, const struct name *name, unsigned pass)
{
	suffix_table_expect(&ruleset->table, name, pass);
}

size_t ruleset_bytes(const struct ruleset *ruleset)
{
	return sizeof *ruleset + ruleset->decision_bytes;
}
