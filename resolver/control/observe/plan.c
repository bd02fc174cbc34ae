#include "resolver/control/observe/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/control/base/json.h"
#include "resolver/control/observe/explain.h"
#include "rules/arena.h"
#include "rules/base.h"
#include "rules/zone/record.h"

/* ---- the questions of all workers ---- */

struct counted {
	struct popular_question question;
	uint8_t *wire; /* the name, which question.key.name is not any more */
	size_t length;
};

struct gathered {
	struct arena arena;
	struct counted *items;
	size_t count, room;
	bool failed;
};

static void gather(void *context, const struct popular_question *question)
{
	struct gathered *all = context;
	struct counted *items = all->items;
	size_t length = question->key.name->length;
	uint8_t *wire = arena_alloc_bytes(&all->arena, length);

	if (all->count == all->room) {
		all->room = all->room ? 2 * all->room : 1024;
		items = realloc(items, all->room * sizeof *items);
	}
	if (items)
		all->items = items;
	else
		all->room = all->count;
	if (!items || !wire) {
		all->failed = true;
		return;
	}
	memcpy(wire, question->key.name->wire, length);
	items[all->count++] = (struct counted){*question, wire, length};
}

static int by_question(const void *left, const void *right)
{
	const struct counted *a = left, *b = right;
	const struct popular_key *x = &a->question.key, *y = &b->question.key;
	int order = memcmp(a->wire, b->wire, a->length < b->length ? a->length : b->length);

	if (order == 0)
		order = (a->length > b->length) - (a->length < b->length);
	if (order == 0)
		order = (x->type > y->type) - (x->type < y->type);
	if (order == 0)
		order = (x->network > y->network) - (x->network < y->network);
	return order ? order : (int)x->vnet_resolver - (int)y->vnet_resolver;
}

/* The same at every call where counts are equal. */
static int by_count(const void *left, const void *right)
{
	const struct counted *a = left, *b = right;

	if (a->question.count != b->question.count)
		return a->question.count > b->question.count ? -1 : 1;
	return by_question(left, right);
}

static void add_up(struct gathered *all)
{
	size_t count = 0;

	if (all->count > 0)
		qsort(all->items, all->count, sizeof *all->items, by_question);
	for (size_t i = 0; i < all->count; i++) {
		struct counted *last = count > 0 ? &all->items[count - 1] : NULL;

		if (last && by_question(last, &all->items[i]) == 0) {
			last->question.count += all->items[i].question.count;
			last->question.over += all->items[i].question.over;
		} else {
			all->items[count++] = all->items[i];
		}
	}
	all->count = count;
	if (count > 0)
		qsort(all->items, count, sizeof *all->items, by_count);
}

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

/* That of a network by its id; NETWORK_NONE: it is served no more. */
static uint32_t network_of(const struct policy *policy, uint16_t id)
{
	if (id == 0)
		return NETWORK_NONE;
	for (uint32_t i = 0; i < policy->network_count; i++)
		if (policy->networks[i].id == id)
			return i;
	return NETWORK_NONE;
}

/* NULL: it is of a network that is not served any more. */
static json_t *question_json(const struct policy *policy, const struct hash_key *key,
			     const struct counted *counted)
{
	const struct popular_key *asked = &counted->question.key;
	struct place place = {network_of(policy, asked->network), asked->vnet_resolver};
	char text[NAME_TEXT_MAX], type[16];
	struct name name;

	if (place.network == NETWORK_NONE ||
	    name_from_wire(&name, key, counted->wire, counted->length, 0, NULL) != 0)
		return NULL;
	return json_make(
		"{s:o, s:s, s:o, s:s, s:I, s:I, s:o}", "name", json_text(name_to_text(&name, text)),
		"type", record_type_print(asked->type, type, sizeof type), "network",
		json_text(policy->networks[place.network].name), "role",
		asked->vnet_resolver ? "vnet_resolver" : "inbound", "count",
		(json_int_t)counted->question.count, "over", (json_int_t)counted->question.over,
		"decided", decide(policy, place, &name, asked->type));
}

json_t *plan_questions(struct server *server, size_t limit)
{
	const struct policy *policy = server->current->policy;
	struct gathered all = {.room = 0};
	json_t *questions = json_array();

	arena_init(&all.arena);
	server_each_popular(server, gather, &all);
	add_up(&all);
	for (size_t i = 0; i < all.count && json_array_size(questions) < limit; i++) {
		json_t *question = question_json(policy, &server->key, &all.items[i]);

		if (question)
			json_add(questions, question);
	}
	free(all.items);
	arena_release(&all.arena);
	if (all.failed) {
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
