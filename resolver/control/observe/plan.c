#include "resolver/control/observe/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/control/base/json.h"
#include "resolver/control/observe/explain.h"
#include "rules/base.h"
#include "rules/text.h"
#include "rules/zone/record.h"

enum { NAMES_AT_ONCE = 16 }; /* deciding a name takes 50 us */

/* ---- a decision ---- */

/* Removes members from explain's block and the blocks in it. */
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
			json_object_del(hop, "records"); /* its serial grows all the time */
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

/* ---- the names asked most ---- */

struct plan {
	struct work_job job; /* first */
	struct service *service;
	size_t limit, count; /* count: of questions passed so far */
	size_t at;           /* the next name */
	struct asked_list asked;
	bool failed;
	struct plan_reader reader;
};

static void gather(void *job) /* in a thread of its own */
{
	struct plan *plan = job;

	plan->failed = asked_read(&plan->asked, &plan->service->asked) != 0;
}

static bool decide_some(void *job)
{
	struct plan *plan = job;
	const struct policy *policy = plan->service->server.current->policy;

	for (unsigned i = 0; !plan->failed && i < NAMES_AT_ONCE; i++) {
		json_t *question;

		if (plan->at == plan->asked.count || plan->count == plan->limit)
			return false;
		question = plan_question(policy, &plan->asked.items[plan->at++]);
		if (!question)
			continue;
		question = json_whole(question);
		plan->failed = !question;
		if (question)
			plan->reader.on_question(plan->reader.context, question);
		plan->count++;
	}
	return !plan->failed;
}

static void on_end(void *job)
{
	struct plan *plan = job;
	const struct plan_reader reader = plan->reader;
	bool whole = !plan->job.given_up && !plan->failed;

	asked_release(&plan->asked);
	free(plan);
	reader.on_done(reader.context, whole);
}

static void on_gathered(void *job)
{
	struct plan *plan = job;

	if (work_beside_in_portions(&plan->service->work, &plan->job, decide_some, on_end))
		return;
	plan->failed = true;
	on_end(plan);
}

int plan_begin(struct service *service, size_t limit, const struct plan_reader *reader)
{
	struct plan *plan = calloc(1, sizeof *plan);

	if (!plan)
		return ERR_NOMEM;
	*plan = (struct plan){
		.job = {.large = true}, .service = service, .limit = limit, .reader = *reader};
	if (work_beside_in_thread(&service->work, &plan->job, gather, on_gathered))
		return 0;
	free(plan);
	return ERR_SYSTEM;
}

/* ---- another policy ---- */

/* Null: the policy has no such network. */
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

/* "rule office/contoso" */
static void put_who(char text[PLAN_TEXT_MAX], const json_t *hop)
{
	static const char *const words[][2] = {{"default", "default resolver"},
					       {"custom", "DNS servers of"},
					       {"pool", "address pool"},
					       {"name", "own name"},
					       {"special", "special-use name"}};
	const char *by = json_text_of(hop, "decided_by");

	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(by, words[i][0]) == 0)
			by = words[i][1];
	text_append(text, PLAN_TEXT_MAX, "%s", by);
	if (*json_text_of(hop, "ruleset"))
		text_append(text, PLAN_TEXT_MAX, " %s", json_text_of(hop, "ruleset"));
	if (*json_text_of(hop, "object"))
		text_append(text, PLAN_TEXT_MAX, "%s%s", *json_text_of(hop, "ruleset") ? "/" : " ",
			    json_text_of(hop, "object"));
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
		text_append(text, PLAN_TEXT_MAX, "no such network");
		return text;
	}
	put_who(text, hop);
	json_array_foreach((json_t *)route, i, item)
	{
		text_append(text, PLAN_TEXT_MAX, "%s%s", i == 0 ? " -> " : ", ",
			    *json_text_of(item, "host") ? json_text_of(item, "host")
							: json_text_of(item, "endpoint"));
	}
	json_array_foreach((json_t *)records, i, item)
	{
		text_append(text, PLAN_TEXT_MAX, "%s%s", i == 0 ? ": " : "; ",
			    json_string_value(item));
	}
	if (json_array_size(route) == 0 && json_array_size(records) == 0 &&
	    *json_text_of(hop, "rcode"))
		text_append(text, PLAN_TEXT_MAX, ": %s",
			    *json_text_of(hop, "outcome") ? json_text_of(hop, "outcome")
							  : json_text_of(hop, "rcode"));
	return text;
}
