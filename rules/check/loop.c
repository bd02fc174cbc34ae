/* Finds forwarding loops through our own endpoints before a question runs into one. Follows the
 * domain of each rule that targets one of our inbound endpoints, and "." for each such target of
 * the default resolver:
 *
 *     rule ──► hub-resolver/inbound ──► network "hub" ──► zone? answered, no loop
 *                                                     ──► longest rule, else the default resolver
 *                                                         (uses_default_resolver)
 *                                                           └──► a target that is us? go on there
 *
 * Entering a network again is a loop. Custom DNS servers are not followed, because only the VNet
 * resolver uses them, and check_server refuses targets that are known to reach it. check/warn.c
 * reports loops of one step by a rule. */
#include "rules/check/internal.h"
#include "rules/schema/rule_targets.h"

enum { PATH_MAX_STEPS = 32 };

struct linked_ruleset { /* a ruleset linked to a network */
	const struct forwarding_ruleset *ruleset;
	struct linked_ruleset *next;
};

struct loop_network {
	const char *network;
	struct linked_ruleset *rulesets, **tail;
	unsigned round; /* the last round that entered it */
	bool on_path, uses_default_resolver;
};

struct loops {
	struct check *check;
	struct seen nodes;    /* network's full name -> struct loop_network */
	struct seen rules;    /* "RULESET DOMAIN", by full name -> the rule's struct target_list */
	struct seen reserved; /* the reserved domains; the values are not used */
	struct seen told; /* paths of reported targets, which rules may share by a target group */
	unsigned round;
	const struct self *path[PATH_MAX_STEPS];
	unsigned steps;
};

/* The targets of a domain in a network. */
struct loop_decision {
	struct target_list targets;
	bool by_rule;
};

static const struct target_list *rule_for(struct loops *loops, const struct loop_network *node,
					  const char *suffix)
{
	for (const struct linked_ruleset *linked = node->rulesets; linked; linked = linked->next) {
		const struct target_list *rule = seen_get(
			&loops->rules,
			seen_pair(loops->check, full_name(&linked->ruleset->named), suffix));
		if (rule)
			return rule;
	}
	return NULL;
}

static struct loop_decision decide(struct loops *loops, const struct loop_network *node,
				   const char *domain)
{
	const struct default_resolver *fallback = &loops->check->model->default_resolver;
	const struct target_list *rule = NULL;
	const char *suffix;

	for (suffix = domain; suffix; suffix = check_parent(suffix))
		if (check_zone_decides(loops->check, suffix, node->network))
			return (struct loop_decision){{NULL, 0}, false};
	for (suffix = domain; suffix && !rule; suffix = check_parent(suffix)) {
		rule = rule_for(loops, node, suffix);
		if (rule || seen_get(&loops->reserved, suffix))
			break;
	}
	if (rule)
		return (struct loop_decision){*rule, true};
	if (!node->uses_default_resolver)
		return (struct loop_decision){{NULL, 0}, false};
	return (struct loop_decision){{fallback->targets.items, fallback->targets.count}, false};
}

/* Reports a loop once, at the target where the way begins. */
static void report(struct loops *loops, const char *domain, const struct origin *target)
{
	const char *text = "";

	if (target->path && seen_put(loops->check, &loops->told, target->path, target))
		return;
	for (unsigned i = 0; i < loops->steps && text; i++)
		text = arena_printf(&loops->check->arena, "%s%s%s (\"%s\")", text,
				    i == 0 ? "" : " -> ", loops->path[i]->path,
				    loops->path[i]->network);
	WARN(loops->check, target, "address",
	     "a forwarding loop for %s: %s; change one of the rules", domain, text ? text : "");
}

/* Enters `self`. True: a loop was found, and the walk can stop. */
static bool follow(struct loops *loops, const struct self *self, const char *domain, bool by_rule,
		   const struct origin *origin)
{
	struct loop_network *node =
		(struct loop_network *)(uintptr_t)seen_get(&loops->nodes, self->network);
	struct loop_decision decision;
	bool found = false;

	if (!node || loops->steps == PATH_MAX_STEPS)
		return false;
	loops->path[loops->steps++] = self;
	if (node->round == loops->round) {
		bool told = by_rule && loops->steps == 2;
		if (node->on_path && !told)
			report(loops, domain, origin);
		loops->steps--;
		return node->on_path;
	}
	node->round = loops->round;
	node->on_path = true;
	decision = decide(loops, node, domain);
	for (size_t i = 0; i < decision.targets.count && !found; i++) {
		const struct self *next = check_self(loops->check, &decision.targets.items[i]);
		if (next)
			found = follow(loops, next, domain, decision.by_rule, origin);
	}
	node->on_path = false;
	loops->steps--;
	return found;
}

static void start(struct loops *loops, struct target_list targets, const char *domain)
{
	bool found = false;

	loops->round++;
	loops->steps = 0;
	for (size_t i = 0; i < targets.count && !found; i++) {
		const struct self *self = check_self(loops->check, &targets.items[i]);
		if (self)
			found = follow(loops, self, domain, true, &targets.items[i].origin);
	}
}

static void add_network(struct loops *loops, const struct virtual_network *network)
{
	struct loop_network *node = arena_alloc(&loops->check->arena, sizeof *node);

	loops->check->out_of_memory |= !node;
	if (!node || !network->name)
		return;
	node->network = full_name(&network->named);
	node->tail = &node->rulesets;
	node->uses_default_resolver = network->uses_default_resolver;
	seen_put(loops->check, &loops->nodes, node->network, node);
}

static void add_link(struct loops *loops, const struct forwarding_ruleset *ruleset,
		     const char *text)
{
	const struct virtual_network *network =
		model_network(loops->check->model, ruleset->resource_group, text);
	struct loop_network *node = network ? (struct loop_network *)(uintptr_t)seen_get(
						      &loops->nodes, full_name(&network->named))
					    : NULL;
	struct linked_ruleset *linked = arena_alloc(&loops->check->arena, sizeof *linked);

	loops->check->out_of_memory |= !linked;
	if (!node || !linked)
		return;
	linked->ruleset = ruleset;
	*node->tail = linked;
	node->tail = &linked->next;
}

static void add_rule(struct loops *loops, const struct forwarding_ruleset *ruleset,
		     const char *domain, struct target_list targets)
{
	struct target_list *kept = arena_alloc(&loops->check->arena, sizeof *kept);

	loops->check->out_of_memory |= !kept;
	if (!kept)
		return;
	*kept = targets;
	seen_put(loops->check, &loops->rules,
		 seen_pair(loops->check, full_name(&ruleset->named), domain), kept);
}

static void add_ruleset(struct loops *loops, const struct forwarding_ruleset *ruleset)
{
	char text[NAME_TEXT_MAX];
	struct rule_targets groups;
	struct name name;

	loops->check->out_of_memory |= rule_targets_init(&groups, ruleset) != 0;

	for (size_t i = 0; i < ruleset->links.count; i++)
		add_link(loops, ruleset, ruleset->links.items[i].virtual_network);
	for (size_t i = 0; i < ruleset->rules.count; i++) {
		const struct forwarding_rule *rule = &ruleset->rules.items[i];
		if (rule->state == RULE_ENABLED && check_name(&name, rule->domain))
			add_rule(loops, ruleset, name_to_text(&name, text),
				 rule_targets_of(&groups, rule));
	}
	rule_targets_release(&groups);
}

static void follow_ruleset(struct loops *loops, const struct forwarding_ruleset *ruleset)
{
	char text[NAME_TEXT_MAX];
	struct rule_targets groups;
	struct name name;

	loops->check->out_of_memory |= rule_targets_init(&groups, ruleset) != 0;
	for (size_t i = 0; i < ruleset->rules.count; i++) {
		const struct forwarding_rule *rule = &ruleset->rules.items[i];
		if (rule->state == RULE_ENABLED && check_name(&name, rule->domain))
			start(loops, rule_targets_of(&groups, rule), name_to_text(&name, text));
	}
	rule_targets_release(&groups);
}

static void add_reserved(struct loops *loops)
{
	const struct model *model = loops->check->model;
	char text[NAME_TEXT_MAX];
	struct name name;

	for (size_t i = 0; i < model->reserved_domains.count; i++)
		if (check_name(&name, model->reserved_domains.items[i]))
			seen_put(loops->check, &loops->reserved, name_to_text(&name, text), model);
}

void limits_warn_loops(struct check *check)
{
	const struct model *model = check->model;
	const struct default_resolver *fallback = &model->default_resolver;
	struct loops loops = {.check = check};

	if (check->self_count == 0)
		return;
	add_reserved(&loops);
	for (size_t i = 0; i < model->virtual_networks.count; i++)
		add_network(&loops, &model->virtual_networks.items[i]);
	for (size_t i = 0; i < model->rulesets.count; i++)
		if (model->rulesets.items[i].name)
			add_ruleset(&loops, &model->rulesets.items[i]);
	for (size_t i = 0; i < model->rulesets.count; i++)
		if (model->rulesets.items[i].name && model->rulesets.items[i].links.count > 0)
			follow_ruleset(&loops, &model->rulesets.items[i]);
	start(&loops, (struct target_list){fallback->targets.items, fallback->targets.count}, ".");
}
