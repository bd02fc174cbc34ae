/* Two steps: reading the texts needs no policy; finding the place where the question arrives needs
 * one. */
#include "resolver/control/observe/explain_question.h"

#include "resolver/control/base/json.h"
#include "rules/base.h"
#include "rules/reverse.h"
#include "rules/schema/reference.h"
#include "rules/text.h"
#include "rules/zone/record.h"

static bool is_resolved(uint16_t type)
{
	static const uint16_t meta[] = {TYPE_OPT,  TYPE_TSIG,  TYPE_TKEY,  TYPE_IXFR,
					TYPE_AXFR, TYPE_MAILA, TYPE_MAILB, TYPE_NXNAME};
	for (size_t i = 0; i < COUNT(meta); i++)
		if (meta[i] == type)
			return false;
	return true;
}

/* An address means the PTR of its reverse name. */
static bool read_address(struct explain_question *question, const struct explain_texts *texts,
			 const struct hash_key *key)
{
	struct address address;
	char name[NAME_TEXT_MAX];

	if ((texts->type && question->type != TYPE_PTR) ||
	    address_parse(&address, texts->name) != 0)
		return false;
	question->type = TYPE_PTR;
	return name_from_text(&question->name, key, reverse_text(&address, name)) == 0;
}

int explain_question_read(struct explain_question *question, const struct explain_texts *texts,
			  const struct hash_key *key, char error[EXPLAIN_ERROR_MAX])
{
	const char *dash = texts->dash;
	*question = (struct explain_question){.texts = *texts, .type = TYPE_A};
	*error = '\0';
	if (texts->vnet && (texts->endpoint || texts->from))
		snprintf(error, EXPLAIN_ERROR_MAX, "%svnet and %s%s exclude each other", dash, dash,
			 texts->endpoint ? "endpoint" : "from");
	else if (texts->from && address_parse(&question->source, texts->from) != 0)
		snprintf(error, EXPLAIN_ERROR_MAX, "\"%.500s\" is not an address", texts->from);
	else if (texts->type && record_type_parse(&question->type, texts->type) != 0)
		snprintf(error, EXPLAIN_ERROR_MAX, "\"%.500s\" is not a record type", texts->type);
	else if (!is_resolved(question->type))
		snprintf(error, EXPLAIN_ERROR_MAX, "%s is not resolved: it is not data",
			 texts->type);
	else if (!read_address(question, texts, key) &&
		 name_from_text(&question->name, key, texts->name) != 0)
		snprintf(error, EXPLAIN_ERROR_MAX, "\"%.500s\" is not a domain name", texts->name);
	return *error ? ERR_INVALID : 0;
}

/* ---- the place of arrival ---- */

/* Appends name i to a list that shows only the first few. */
static void add_named(char *names, size_t size, size_t i, const char *name)
{
	enum { NAMED_MAX = 5 };
	if (i < NAMED_MAX)
		text_append(names, size, "%s%s", i > 0 ? ", " : "", name);
	else if (i == NAMED_MAX)
		text_append(names, size, ", ...");
}

/* An error message for a name that was not found. */
struct unknown {
	const char *what, *wanted, *advice;
	unsigned slashes;              /* in such a name without a group */
	char names[512], several[512]; /* names: all; several: the matches in groups */
	size_t count, namesakes;
};

static void add_known(struct unknown *unknown, const char *name)
{
	add_named(unknown->names, sizeof unknown->names, unknown->count++, name);
	if (reference_fit(unknown->wanted, name, unknown->slashes) == REFERENCE_NAMESAKE)
		add_named(unknown->several, sizeof unknown->several, unknown->namesakes++, name);
}

static int refuse_unknown(const struct unknown *unknown, char error[EXPLAIN_ERROR_MAX])
{
	if (unknown->namesakes > 0)
		snprintf(error, EXPLAIN_ERROR_MAX,
			 "there is more than one %s \"%.300s\"; give its group: %s", unknown->what,
			 unknown->wanted, unknown->several);
	else
		snprintf(error, EXPLAIN_ERROR_MAX, "there is no %s \"%.300s\"; %s%s", unknown->what,
			 unknown->wanted, unknown->count > 0 ? unknown->advice : "there is none",
			 unknown->names);
	return ERR_NOT_FOUND;
}

static int no_endpoint(const struct policy *policy, const char *wanted,
		       char error[EXPLAIN_ERROR_MAX])
{
	struct unknown unknown = {"inbound endpoint", wanted,
				  "give RESOLVER/ENDPOINT: ", .slashes = 1};
	for (uint32_t i = 0; i < policy->inbound_count; i++)
		add_known(&unknown, policy->inbounds[i].name);
	return refuse_unknown(&unknown, error);
}

static int no_network(const struct policy *policy, const char *wanted,
		      char error[EXPLAIN_ERROR_MAX])
{
	struct unknown unknown = {"virtual network", wanted, "there is: ", .slashes = 0};
	for (uint32_t i = 0; i < policy->network_count; i++)
		add_known(&unknown, policy->networks[i].name);
	return refuse_unknown(&unknown, error);
}

/* The question names no place, so the error lists the choices. */
static int no_place(const struct policy *policy, const char *dash, char error[EXPLAIN_ERROR_MAX])
{
	snprintf(error, EXPLAIN_ERROR_MAX,
		 "say where it is asked: %svnet, %sendpoint or %sfrom; %s", dash, dash, dash,
		 policy->network_count > 0 ? "the networks are " : "there is no network");
	for (uint32_t i = 0; i < policy->network_count; i++) {
		size_t length = strlen(error) + strlen(policy->networks[i].name);

		if (length > EXPLAIN_ERROR_MAX - 80) {
			text_append(error, EXPLAIN_ERROR_MAX, ", ... (`sluice list network`)");
			break;
		}
		text_append(error, EXPLAIN_ERROR_MAX, "%s%s", i > 0 ? ", " : "",
			    policy->networks[i].name);
	}
	return ERR_INVALID;
}

/* NULL: the question names no endpoint. */
static const struct policy_inbound *inbound_of(const struct policy *policy,
					       const struct explain_question *question)
{
	return question->texts.endpoint ? policy_find_inbound(policy, question->texts.endpoint)
					: NULL;
}

/* A client of no network still reaches a decision, which refuses it; only `allow` counts here. */
bool explain_question_is_denied(const struct explain_question *question,
				const struct policy *policy)
{
	const struct policy_inbound *inbound = inbound_of(policy, question);
	return inbound && question->source.family &&
	       !access_allows(inbound->access, &question->source);
}

int explain_question_place(const struct explain_question *question, const struct policy *policy,
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
		return no_place(policy, texts->dash, error);
	}
	return 0;
}

/* Adds the prefix that placed the source, and the shorter prefixes that contain it. */
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

void explain_question_add_asker(const struct explain_question *question,
				const struct policy *policy, json_t *explained)
{
	char address[ADDRESS_TEXT_MAX];
	const struct policy_inbound *inbound = inbound_of(policy, question);
	if (inbound)
		json_put(explained, "endpoint", json_text(inbound->name));
	if (inbound && question->source.family)
		json_put(explained, "from",
			 json_make("{s:s, s:b}", "address",
				   address_print(&question->source, address), "allowed",
				   !explain_question_is_denied(question, policy)));
	else if (question->source.family)
		add_from(explained, policy, &question->source);
}
