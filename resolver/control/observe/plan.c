#include "resolver/control/observe/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/control/base/json.h"
#include "resolver/control/observe/explain.h"
#include "rules/base.h"
#include "rules/zone/record.h"

/* ---- a decision ---- */

/* Of explain's block and the blocks in it. */
static void leave_out(json_t *block, const char *type)
{
	static const char *const looked_at[] = {"trace", "trace_dropped", "authority",
						"negative_ttl"};
	json_t *hop, *way, *inside;
	size_t i, k;

	json_array_foreach(json_object_get(block, "hops"), i, hop)
	{
		for (k = 0; k < COUNT(looked_at); k++)
			json_object_del(hop, looked_at[k]);
		if (strcmp(type, "SOA") == 0)
			json_object_del(hop, "records"); /* serials grow by themselves */
		json_array_foreach(json_object_get(hop, "route"), k, way)
		{
			inside = json_object_get(way, "decision");
			if (inside)
				leave_out(inside, type);
		}
	}
}

static json_t *decide(const struct policy *policy, struct place place, const struct name *name,
		      uint16_t type)
{
	char text[16];
	json_t *block = explain(policy, place, name, type);

	json_object_del(block, "name");
	json_object_del(block, "type");
	leave_out(block, record_type_print(type, text, sizeof text));
	return block;
}

json_t *plan_question(const struct policy *policy, const struct asked *asked)
{
	char text[NAME_TEXT_MAX], type[16];
	struct place place;
	struct name name;

	if (!asked_place(asked, policy, &place) || !asked_name(asked, policy, &name))
		return NULL;
	return json_make(
		"{s:o, s:s, s:o, s:s, s:I, s:I, s:o}", "name", json_text(name_to_text(&name, text)),
		"type", record_type_print(asked->question.key.type, type, sizeof type), "network",
		json_text(policy->networks[place.network].name), "role",
		place.vnet_resolver ? "vnet_resolver" : "inbound", "count",
		(json_int_t)asked->question.count, "over", (json_int_t)asked->question.over,
		"decided", decide(policy, place, &name, asked->question.key.type));
}

json_t *plan_questions(struct server *server, size_t limit)
{
	const struct policy *policy = server->current->policy;
	struct asked_list all;
	json_t *questions = json_array();
	int err = asked_read(&all, server);

	for (size_t i = 0; !err && i < all.count && json_array_size(questions) < limit; i++) {
		json_t *question = plan_question(policy, &all.items[i]);

		if (question)
			json_add(questions, question);
	}
	asked_release(&all);
	if (err) {
		json_decref(questions);
		questions = NULL;
	}
	return json_whole(questions);
}

/* ---- another policy ---- */

/* Null where it has no such network. */
static json_t *decide_again(const json_t *question, const struct policy *policy)
{
	const char *network = json_string_value(json_object_get(question, "network"));
	const char *text = json_string_value(json_object_get(question, "name"));
	const char *type_text = json_string_value(json_object_get(question, "type"));
	const char *role = json_string_value(json_object_get(question, "role"));
	struct place place = {network ? policy_find_network(policy, network) : NETWORK_NONE,
			      role && strcmp(role, "vnet_resolver") == 0};
	struct name name;
	uint16_t type;

	if (place.network == NETWORK_NONE || !text || !type_text ||
	    name_from_text(&name, &policy->key, text) != 0 ||
	    record_type_parse(&type, type_text) != 0)
		return json_null();
	return decide(policy, place, &name, type);
}

json_t *plan_changes(const json_t *questions, const struct policy *policy)
{
	json_t *changes = json_array(), *question, *change;
	size_t i;

	json_array_foreach((json_t *)questions, i, question)
	{
		json_t *before = json_object_get(question, "decided");
		json_t *after = decide_again(question, policy);

		if (json_equal(before, after)) {
			json_decref(after);
			continue;
		}
		change = json_copy(question);
		json_object_del(change, "decided");
		json_put(change, "before", json_incref(before));
		json_put(change, "after", after);
		json_add(changes, change);
	}
	return json_whole(changes);
}

/* ---- for people ---- */

static const char *get(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void put(char text[PLAN_TEXT_MAX], const char *mark, const char *more)
{
	size_t used = strlen(text);

	snprintf(text + used, PLAN_TEXT_MAX - used, "%s%s", mark, more);
}

/* "rule office/contoso" */
static void put_who(char text[PLAN_TEXT_MAX], const json_t *hop)
{
	static const char *const words[][2] = {{"default", "default resolver"},
					       {"custom", "DNS servers of"},
					       {"pool", "address pool"},
					       {"name", "own name"},
					       {"special", "special-use name"}};
	const char *by = get(hop, "decided_by");

	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(by, words[i][0]) == 0)
			by = words[i][1];
	put(text, "", by);
	if (*get(hop, "ruleset"))
		put(text, " ", get(hop, "ruleset"));
	if (*get(hop, "object"))
		put(text, *get(hop, "ruleset") ? "/" : " ", get(hop, "object"));
}

char *plan_text(const json_t *decision, char text[PLAN_TEXT_MAX])
{
	const json_t *hops = json_object_get(decision, "hops"), *hop = json_array_get(hops, 0);
	const json_t *route = json_object_get(hop, "route"),
		     *records = json_object_get(hop, "records");
	const json_t *item;
	size_t i;

	*text = '\0';
	if (!hop) {
		put(text, "", "no such network");
		return text;
	}
	put_who(text, hop);
	json_array_foreach((json_t *)route, i, item)
		put(text, i == 0 ? " -> " : ", ",
		    *get(item, "host") ? get(item, "host") : get(item, "endpoint"));
	json_array_foreach((json_t *)records, i, item)
		put(text, i == 0 ? ": " : "; ", json_string_value(item));
	if (json_array_size(route) == 0 && json_array_size(records) == 0 && *get(hop, "rcode"))
		put(text, ": ", *get(hop, "outcome") ? get(hop, "outcome") : get(hop, "rcode"));
	return text;
}
