/* Where a question arrives is told in one of three ways, and may be left out where there is only
 * one network. */
#include "resolver/control/observe/explain_ask.h"

#include "resolver/control/base/json.h"
#include "rules/base.h"

/* ---- the texts ---- */

static bool is_resolved(uint16_t type)
{
	static const uint16_t meta[] = {TYPE_OPT,  TYPE_TSIG,  TYPE_TKEY,  TYPE_IXFR,
					TYPE_AXFR, TYPE_MAILA, TYPE_MAILB, TYPE_NXNAME};
	for (size_t i = 0; i < COUNT(meta); i++)
		if (meta[i] == type)
			return false;
	return true;
}

int explain_read(struct explain_question *question, const struct explain_texts *texts,
		 const struct hash_key *key, char error[EXPLAIN_ERROR_MAX])
{
	const char *dash = texts->dash;
	*question = (struct explain_question){.texts = *texts, .type = TYPE_A};
	*error = '\0';
	if ((texts->vnet != NULL) + (texts->endpoint != NULL) + (texts->from != NULL) > 1)
		snprintf(error, EXPLAIN_ERROR_MAX,
			 "%svnet, %sendpoint and %sfrom exclude each other", dash, dash, dash);
	else if (texts->from && address_parse(&question->source, texts->from) != 0)
		snprintf(error, EXPLAIN_ERROR_MAX, "\"%.500s\" is not an address", texts->from);
	else if (texts->type && record_type_parse(&question->type, texts->type) != 0)
		snprintf(error, EXPLAIN_ERROR_MAX, "\"%.500s\" is not a record type", texts->type);
	else if (!is_resolved(question->type))
		snprintf(error, EXPLAIN_ERROR_MAX, "%s is not resolved: it is not data",
			 texts->type);
	else if (name_from_text(&question->name, key, texts->name) != 0)
		snprintf(error, EXPLAIN_ERROR_MAX, "\"%.500s\" is not a domain name", texts->name);
	return *error ? ERR_INVALID : 0;
}

/* ---- where it arrives ---- */

/* Appends name number i of what there is, the first few, to a list. */
static void add_named(char *names, size_t size, size_t i, const char *name)
{
	enum { NAMED_MAX = 5 };
	size_t used = strlen(names);
	if (i < NAMED_MAX)
		snprintf(names + used, size - used, "%s%s", i > 0 ? ", " : "", name);
	else if (i == NAMED_MAX)
		snprintf(names + used, size - used, ", ...");
}

static int no_endpoint(const struct policy *policy, const char *wanted,
		       char error[EXPLAIN_ERROR_MAX])
{
	char names[512] = "";
	for (uint32_t i = 0; i < policy->inbound_count; i++)
		add_named(names, sizeof names, i, policy->inbounds[i].name);
	snprintf(error, EXPLAIN_ERROR_MAX, "there is no inbound endpoint \"%.300s\"; %s%s", wanted,
		 *names ? "give RESOLVER/ENDPOINT: " : "there is none", names);
	return ERR_NOT_FOUND;
}

static int no_network(const struct policy *policy, const char *wanted,
		      char error[EXPLAIN_ERROR_MAX])
{
	char names[512] = "";
	for (uint32_t i = 0; i < policy->network_count; i++)
		add_named(names, sizeof names, i, policy->networks[i].name);
	snprintf(error, EXPLAIN_ERROR_MAX, "there is no virtual network \"%.300s\"; %s%s", wanted,
		 *names ? "there is: " : "there is none", names);
	return ERR_NOT_FOUND;
}

static int find_place(const struct policy *policy, const struct explain_question *question,
		      struct place *place, char error[EXPLAIN_ERROR_MAX])
{
	const struct explain_texts *texts = &question->texts;
	*place = (struct place){NETWORK_NONE, true};
	if (texts->endpoint) {
		const struct policy_inbound *inbound = policy_find_inbound(policy, texts->endpoint);
		if (!inbound)
			return no_endpoint(policy, texts->endpoint, error);
		*place = (struct place){inbound->network, false};
	} else if (texts->from) {
		*place = policy_place_of_client(policy, &question->source);
	} else if (texts->vnet) {
		place->network = policy_find_network(policy, texts->vnet);
		if (place->network == NETWORK_NONE)
			return no_network(policy, texts->vnet, error);
	} else if (policy->network_count == 1) {
		place->network = 0;
	} else {
		snprintf(error, EXPLAIN_ERROR_MAX,
			 "say where it is asked: %svnet, %sendpoint or %sfrom", texts->dash,
			 texts->dash, texts->dash);
		return ERR_INVALID;
	}
	return 0;
}

/* Adds the prefix that placed the source, and the shorter ones that hold it. */
static void add_from(json_t *explained, const struct policy *policy, const struct address *source)
{
	char text[PREFIX_TEXT_MAX], address[ADDRESS_TEXT_MAX];
	const struct prefix_entry *longest = prefix_table_find(&policy->clients, source);
	json_t *shorter = json_array();
	for (size_t i = 0; longest && i < policy->clients.count; i++) {
		const struct prefix_entry *entry = &policy->clients.entries[i];
		if (!prefix_contains(&entry->prefix, source) ||
		    entry->prefix.length >= longest->prefix.length)
			continue;
		json_add(shorter,
			 json_make("{s:s, s:o}", "prefix", prefix_print(&entry->prefix, text),
				   "network", json_text(policy->networks[entry->value].name)));
	}
	json_put(explained, "from",
		 json_make("{s:s, s:o, s:o}", "address", address_print(source, address), "prefix",
			   json_text(longest ? prefix_print(&longest->prefix, text) : NULL),
			   "shorter", shorter));
}

json_t *explain_ask(const struct policy *policy, const struct explain_question *question, int *err,
		    char error[EXPLAIN_ERROR_MAX])
{
	struct place place;
	*err = find_place(policy, question, &place, error);
	if (*err != 0)
		return NULL;
	json_t *explained = explain(policy, place, &question->name, question->type);
	if (question->source.family)
		add_from(explained, policy, &question->source);
	if (question->texts.endpoint)
		json_put(explained, "endpoint",
			 json_text(policy_find_inbound(policy, question->texts.endpoint)->name));
	return explained;
}

/* ---- health ---- */

static bool same_value(const json_t *a, const json_t *b, const char *key)
{
	const json_t *left = json_object_get(a, key), *right = json_object_get(b, key);
	return json_equal(left, right) || (!left && json_is_null(right)) ||
	       (!right && json_is_null(left));
}

void explain_add_health(json_t *explained, const json_t *targets)
{
	size_t h, r, t;
	json_t *hop, *item, *target;
	json_array_foreach(json_object_get(explained, "hops"), h, hop)
	{
		json_array_foreach(json_object_get(hop, "route"), r, item)
		{
			explain_add_health(json_object_get(item, "decision"), targets);
			json_array_foreach(targets, t, target)
			{
				if (same_value(item, target, "source") &&
				    same_value(item, target, "host") &&
				    same_value(item, target, "protocol") &&
				    json_object_get(item, "host"))
					json_object_set(item, "health", target);
			}
		}
	}
}
