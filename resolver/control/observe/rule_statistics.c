#include "resolver/control/observe/rule_statistics.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "resolver/control/base/json.h"
#include "resolver/resolve/resolve.h"
#include "rules/base.h"
#include "rules/zone/record.h"

struct linked_rule {
	const struct rule *rule;
	const struct ruleset *ruleset;
};

static int by_name(const void *left, const void *right)
{
	const struct linked_rule *a = left, *b = right;
	int order = strcmp(a->rule->ruleset, b->rule->ruleset);

	return order ? order : strcmp(a->rule->name, b->rule->name);
}

/* Whether the rule sorts after "RULESET<TAB>RULE"; no name has a tab. */
static bool is_behind(const struct rule *rule, const char *after)
{
	size_t length = strcspn(after, "\t");
	size_t own = strlen(rule->ruleset);
	int order = memcmp(rule->ruleset, after, own < length ? own : length);

	if (order == 0)
		order = (own > length) - (own < length);
	if (order == 0)
		order = after[length] ? strcmp(rule->name, after + length + 1) : 1;
	return order > 0;
}

/* The rules after `after`, in their order. NULL: out of memory. */
static struct linked_rule *list_rules(const struct policy *policy, const char *after, size_t *count)
{
	struct linked_rule *list;
	size_t room = 1;

	for (uint32_t r = 0; r < policy->ruleset_count; r++)
		room += ruleset_rule_count(policy->rulesets[r]);
	list = calloc(room, sizeof *list);
	*count = 0;
	for (uint32_t r = 0; list && r < policy->ruleset_count; r++) {
		struct ruleset *ruleset = policy->rulesets[r];

		for (size_t i = 0; i < ruleset_rule_count(ruleset); i++) {
			const struct rule *rule = ruleset_rule(ruleset, i);

			if (rule->name && (!*after || is_behind(rule, after)))
				list[(*count)++] = (struct linked_rule){rule, ruleset};
		}
	}
	if (list)
		qsort(list, *count, sizeof *list, by_name);
	return list;
}

static bool is_linked(const struct policy_network *network, const struct ruleset *ruleset)
{
	for (uint32_t i = 0; i < network->ruleset_count; i++)
		if (network->rulesets[i] == ruleset)
			return true;
	return false;
}

static json_t *shadow_json(const struct policy_network *network, const struct verdict *verdict)
{
	return json_make("{s:o, s:s, s:o, s:o}", "network", json_text(network->name), "decided_by",
			 verdict->by == DECIDED_ZONE ? "zone" : "rule", "object",
			 json_text(verdict->object), "ruleset",
			 json_text(verdict->rule ? verdict->rule->ruleset : NULL));
}

/* A wildcard below the rule's domain stands for the rule's names. The domain itself may be decided
 * differently: by a zone that passes on the names below it, or as the network's own address. A
 * domain without room for another label stands for itself. False: the domain is not a valid
 * name. */
static bool name_below(const struct policy *policy, const char *domain, struct name *name)
{
	char text[NAME_TEXT_MAX + 2];

	snprintf(text, sizeof text, "*.%s", strcmp(domain, ".") == 0 ? "" : domain);
	return name_from_text(name, &policy->key, text) == 0 ||
	       name_from_text(name, &policy->key, domain) == 0;
}

/* Adds what decides the rule's domain in the networks of its ruleset. Returns the number of these
 * networks: each needs one decision at most. */
static size_t put_deciders(json_t *item, const struct policy *policy,
			   const struct linked_rule *listed)
{
	json_t *shadowed = json_array();
	json_int_t linked = 0, deciding = 0;
	struct name below;
	bool known = name_below(policy, listed->rule->domain, &below);

	for (uint32_t n = 0; n < policy->network_count; n++) {
		const struct policy_network *network = &policy->networks[n];
		struct verdict verdict = {.by = DECIDED_NOBODY};

		if (!is_linked(network, listed->ruleset))
			continue;
		linked++;
		if (known && listed->rule->enabled)
			policy_decide(policy, (struct place){n, false}, &below, TYPE_SOA, &verdict,
				      NULL);
		if (verdict.rule == listed->rule)
			deciding++;
		else if ((verdict.by == DECIDED_ZONE || verdict.by == DECIDED_RULE) &&
			 json_array_size(shadowed) < RULE_SHADOWS)
			json_add(shadowed, shadow_json(network, &verdict));
	}
	json_put(item, "linked", json_integer(linked));
	json_put(item, "deciding", json_integer(deciding));
	json_put(item, "shadowed", shadowed);
	return (size_t)linked;
}

static json_t *rule_json(struct service *service, const struct linked_rule *listed, int64_t now_s)
{
	uint64_t counters[RULE_COUNTERS] = {0};
	const struct rule *rule = listed->rule;
	struct use_times times = {0};

	series_read(service->server.series.rules, rule->series, counters);
	if (rule->enabled)
		use_book_rule(&service->uses, rule, now_s, &times);
	return json_make("{s:o, s:o, s:o, s:b, s:I, s:I, s:o}", "ruleset", json_text(rule->ruleset),
			 "rule", json_text(rule->name), "domain", json_text(rule->domain),
			 "enabled", (int)rule->enabled, "queries",
			 (json_int_t)counters[RULE_QUERIES], "failures",
			 (json_int_t)counters[RULE_FAILURES], "last_used",
			 times.used_s ? json_time(times.used_s) : json_null());
}

static json_t *next_json(const struct rule *rule)
{
	return json_sprintf("%s\t%s", rule->ruleset, rule->name);
}

json_t *rule_statistics(struct service *service, const char *after, size_t limit)
{
	const struct server *server = &service->server;
	const struct policy *policy = server->current->policy;
	json_t *rules = json_array(), *all;
	size_t count, decisions = 0, shown = 0;
	struct linked_rule *list = list_rules(policy, after, &count);

	if (!list) {
		json_decref(rules);
		return NULL;
	}
	while (shown < count && shown < limit && decisions < RULE_DECISIONS) {
		json_t *item = rule_json(service, &list[shown], time(NULL));

		decisions += put_deciders(item, policy, &list[shown]);
		json_add(rules, item);
		shown++;
	}
	wall_clock_adjust(&service->clock);
	all = json_make("{s:o, s:o, s:o}", "since",
			json_time(wall_clock_s(&service->clock, server->started_us)), "rules",
			rules, "next",
			shown < count ? next_json(list[shown - 1].rule) : json_null());
	free(list);
	return json_whole(all);
}
