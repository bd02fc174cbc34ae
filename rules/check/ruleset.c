/* Checks rulesets: their outbound endpoints, linked networks and rules. */
#include <ctype.h>

#include "rules/check/internal.h"
#include "rules/schema/rule_targets.h"
#include "rules/text.h"

/* Azure's own resolver, which Azure refuses as a target. */
#define WIRE_SERVER "168.63.129.16"
static const struct address wire_server = {4, {168, 63, 129, 16}};

enum { RULE_LABELS_MAX = 34 };

static void check_endpoint(struct check *check, const struct forwarding_ruleset *ruleset,
			   size_t index, struct seen *in_ruleset, struct seen *per_endpoint)
{
	const char *path = ruleset->outbound_endpoints.items[index];
	const struct origin *origin = &ruleset->origin;
	uint32_t limit = check->model->limits.rulesets_per_outbound_endpoint, *count;
	const struct outbound_endpoint *endpoint;
	struct dns_resolver *resolver = NULL;
	char field[48], why[REFERENCE_TEXT_MAX];
	const char *name;

	snprintf(field, sizeof field, "outbound_endpoints[%zu]", index);
	endpoint = model_outbound(check->model, ruleset->resource_group, path, &resolver);
	if (!endpoint) {
		ERROR(check, origin, field, "%s",
		      reference_refusal(check->model, REFERS_OUTBOUND, ruleset->resource_group,
					path, why));
		return;
	}
	name = seen_pair(check, full_name(&resolver->named), endpoint->name);
	if (seen_put(check, in_ruleset, name, endpoint)) {
		ERROR(check, origin, field, "\"%s\" is listed twice; keep one of them", path);
		return;
	}
	if (!check_same_region(check, ruleset->region, resolver->region))
		ERROR(check, origin, field,
		      "\"%s\" is in %s and the ruleset in %s; both must be in one region", path,
		      check_region_text(check, resolver->region),
		      check_region_text(check, ruleset->region));
	count = seen_counter(check, per_endpoint, name);
	if (count && ++*count > limit)
		LIMIT_ERROR(
			check, "rulesets_per_outbound_endpoint", *count, origin, field,
			"\"%s\" is used by %u ruleset%s, and at most %u %s allowed; use another "
			"endpoint, or raise limits.rulesets_per_outbound_endpoint",
			path, *count, text_plural(*count, "", "s"), limit,
			text_plural(limit, "is", "are"));
}

static bool has_network(const struct check *check, const struct forwarding_ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->links.count; i++)
		if (model_network(check->model, ruleset->resource_group,
				  ruleset->links.items[i].virtual_network))
			return true;
	return false;
}

static void check_endpoints(struct check *check, const struct forwarding_ruleset *ruleset,
			    struct seen *per_endpoint)
{
	size_t count = ruleset->outbound_endpoints.count;
	struct seen in_ruleset = {0};

	/* Endpoints are made only for a valid network. An invalid link has its own fault, and
	 * without links there is nothing to make. */
	if (count == 0 && has_network(check, ruleset))
		ERROR(check, &ruleset->origin, "outbound_endpoints",
		      "is missing; give at least one endpoint as RESOLVER/ENDPOINT");
	check_count(check, count, check->model->limits.outbound_endpoints_per_ruleset,
		    &ruleset->origin, "outbound_endpoints", "outbound_endpoints_per_ruleset");
	for (size_t i = 0; i < count; i++)
		if (ruleset->outbound_endpoints.items[i])
			check_endpoint(check, ruleset, i, &in_ruleset, per_endpoint);
}

static void check_link(struct check *check, const struct forwarding_ruleset *ruleset,
		       const struct ruleset_link *link, struct seen *per_network)
{
	uint32_t limit = check->model->limits.rulesets_per_virtual_network, *count;
	const struct virtual_network *network =
		check_network(check, ruleset->resource_group, link->virtual_network, &link->origin,
			      "virtual_network");
	const char *name;

	if (!network)
		return;
	name = full_name(&network->named);
	if (!check_same_region(check, ruleset->region, network->region))
		ERROR(check, &link->origin, "virtual_network",
		      "virtual network \"%s\" is in %s and the ruleset in %s; both must be in one "
		      "region",
		      name, check_region_text(check, network->region),
		      check_region_text(check, ruleset->region));
	if (ruleset->name && seen_put(check, &check->ruleset_networks,
				      seen_pair(check, full_name(&ruleset->named), name), link)) {
		ERROR(check, &link->origin, "virtual_network",
		      "virtual network \"%s\" is linked to this ruleset twice; keep one link",
		      name);
		return;
	}
	count = seen_counter(check, per_network, name);
	if (count && ++*count > limit)
		LIMIT_ERROR(check, "rulesets_per_virtual_network", *count, &link->origin,
			    "virtual_network",
			    "virtual network \"%s\" is linked to %u ruleset%s, and at most %u %s "
			    "allowed; remove a link, or raise limits.rulesets_per_virtual_network",
			    name, *count, text_plural(*count, "", "s"), limit,
			    text_plural(limit, "is", "are"));
}

static void check_links(struct check *check, const struct forwarding_ruleset *ruleset,
			struct seen *per_network)
{
	uint32_t limit = check->model->limits.links_per_ruleset;
	struct seen names = {0};

	for (size_t i = 0; i < ruleset->links.count; i++) {
		const struct ruleset_link *link = &ruleset->links.items[i];
		check_unique(check, &names, link->name, &link->origin, "link");
		check_link(check, ruleset, link, per_network);
		check_metadata(check, link->metadata.items, link->metadata.count, &link->origin,
			       "metadata");
		if (i == limit)
			check_count(check, ruleset->links.count, limit, &link->origin, NULL,
				    "links_per_ruleset");
	}
}

static void check_domain(struct check *check, const struct forwarding_rule *rule,
			 struct seen *domains)
{
	const struct origin *origin = &rule->origin;
	const struct forwarding_rule *before;
	char text[NAME_TEXT_MAX];
	struct name name;

	if (!check_name(&name, rule->domain))
		return;
	if (rule->domain[0] == '*' && strchr(".", rule->domain[1])) {
		ERROR(check, origin, "domain",
		      "\"%s\" begins with a '*', but a rule matches its domain and every name "
		      "below it; write \"%s\"",
		      rule->domain, name_wire_to_text(name_suffix_wire(&name, 1), text));
		return;
	}
	if (name.labels > RULE_LABELS_MAX)
		ERROR(check, origin, "domain",
		      "\"%s\" has %u labels; a rule has at most %d, or \".\" for everything",
		      rule->domain, name.labels, RULE_LABELS_MAX);
	before = seen_put(check, domains, name_to_text(&name, text), rule);
	if (before)
		ERROR(check, origin, "domain",
		      "%s is the domain of rule \"%s\" of this ruleset, too, at %s; keep one of "
		      "them",
		      text, before->name ? before->name : "?", check_place(check, &before->origin));
}

/* Checks the targets of a rule or a target group. */
static void check_rule_targets(struct check *check, const struct forwarding_ruleset *ruleset,
			       const struct target_server *targets, size_t count,
			       const struct origin *origin)
{
	size_t endpoints = ruleset->outbound_endpoints.count;

	check_targets(check, targets, count, origin, "targets");
	check_count(check, count, check->model->limits.targets_per_rule, origin, "targets",
		    "targets_per_rule");
	if (count * endpoints > LEG_UPSTREAMS_MAX)
		ERROR(check, origin, "targets",
		      "%zu target%s through %zu outbound endpoint%s make %zu ways to ask, and at "
		      "most %d are possible; remove some",
		      count, text_plural(count, "", "s"), endpoints,
		      text_plural(endpoints, "", "s"), count * endpoints, LEG_UPSTREAMS_MAX);
	for (size_t i = 0; i < count; i++)
		if (address_equal(&targets[i].address, &wire_server))
			ERROR(check, &targets[i].origin, "address",
			      WIRE_SERVER " cannot be a rule's target; leave the name to the "
					  "default resolver, or name another server");
}

static void check_target_groups(struct check *check, const struct forwarding_ruleset *ruleset)
{
	struct seen names = {0};

	for (size_t i = 0; i < ruleset->target_groups.count; i++) {
		const struct target_group *group = &ruleset->target_groups.items[i];

		check_unique(check, &names, group->name, &group->origin, "target group");
		check_rule_targets(check, ruleset, group->targets.items, group->targets.count,
				   &group->origin);
	}
}

/* "dc, branch": only the first few. */
static const char *group_names(struct check *check, const struct rule_targets *groups)
{
	enum { NAMES_MAX = 8 };
	const char *text = "";

	for (size_t i = 0; text && i < groups->count && i < NAMES_MAX; i++)
		text = arena_printf(&check->arena, "%s%s%s%s", text, i == 0 ? "" : ", ",
				    groups->groups[i]->name,
				    i + 1 == NAMES_MAX && i + 1 < groups->count ? " ..." : "");
	return text ? text : "";
}

static void check_whom(struct check *check, const struct forwarding_ruleset *ruleset,
		       const struct forwarding_rule *rule, const struct rule_targets *groups)
{
	if (rule->target_group && rule->targets.count > 0)
		ERROR(check, &rule->origin, "target_group",
		      "\"%s\" is given, and targets too; keep one of them", rule->target_group);
	else if (rule->target_group && !rule_targets_group(groups, rule->target_group))
		ERROR(check, &rule->origin, "target_group",
		      "there is no target group \"%s\" in this ruleset; it has %s",
		      rule->target_group, groups->count > 0 ? group_names(check, groups) : "none");
	else if (!rule->target_group && !rule->targets.items)
		ERROR(check, &rule->origin, "targets",
		      "is missing; give at least one server, or target_group");
	if (!rule->target_group)
		check_rule_targets(check, ruleset, rule->targets.items, rule->targets.count,
				   &rule->origin);
}

static void check_rules(struct check *check, const struct forwarding_ruleset *ruleset)
{
	uint32_t limit = check->model->limits.rules_per_ruleset;
	struct seen names = {0}, domains = {0};
	struct rule_targets groups;

	check->out_of_memory |= rule_targets_init(&groups, ruleset) != 0;
	check_target_groups(check, ruleset);
	seen_reserve(check, &names, ruleset->rules.count);
	seen_reserve(check, &domains, ruleset->rules.count);
	for (size_t i = 0; i < ruleset->rules.count; i++) {
		const struct forwarding_rule *rule = &ruleset->rules.items[i];
		check_unique(check, &names, rule->name, &rule->origin, "rule");
		if (rule->name && !isalpha((unsigned char)rule->name[0]))
			ERROR(check, &rule->origin, "name",
			      "\"%s\" does not begin with a letter; a rule's name does",
			      rule->name);
		check_domain(check, rule, &domains);
		check_whom(check, ruleset, rule, &groups);
		check_metadata(check, rule->metadata.items, rule->metadata.count, &rule->origin,
			       "metadata");
		if (i == limit)
			check_count(check, ruleset->rules.count, limit, &rule->origin, NULL,
				    "rules_per_ruleset");
	}
	rule_targets_release(&groups);
}

void limits_check_rulesets(struct check *check)
{
	const struct model *model = check->model;
	struct seen names = {0}, per_endpoint = {0}, per_network = {0};

	for (size_t i = 0; i < model->rulesets.count; i++) {
		const struct forwarding_ruleset *ruleset = &model->rulesets.items[i];
		check_top(check, &names, &ruleset->named, "ruleset");
		check_endpoints(check, ruleset, &per_endpoint);
		check_links(check, ruleset, &per_network);
		if (!check_is_known(check, ruleset))
			check_rules(check, ruleset);
	}
}
