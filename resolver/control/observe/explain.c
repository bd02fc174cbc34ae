/* Watches resolver/resolve/compose.c answer the question, and writes down what it does:
 *
 *     block (level)  a place and a name: the question, or an own endpoint entered for it
 *       hop          decided ─┬─ ask ── ask ── enter: a block of its own ──┬─ done
 *                             └─ our own data ─────────────────────────────┘
 *
 * No target is asked and the cache is not read: the pass goes on as if no target answered, and so
 * comes to every leg that may be reached. Where a target would be asked, the outcome is up to it,
 * and is `open` here. A chain ends at its first hop that is forwarded. */
#include "resolver/control/observe/explain.h"

#include <ctype.h>

#include "endpoints/message.h"
#include "resolver/control/base/json.h"
#include "resolver/resolve/compose.h"
#include "rules/base.h"
#include "rules/zone/rdata.h"

enum { EXPLAIN_BLOCKS_MAX = 200 };

struct level {
	json_t *block, *hop; /* hop: being resolved */
	json_t *item;        /* of the route before this level's, which leads here */
	struct name name;    /* the hop's */
	struct verdict verdict;
	uint32_t legs; /* of the route, written down */
	bool open;     /* up to a target */
};

struct explainer {
	struct composition composition;
	struct composition_watch watch;
	struct level levels[COMPOSE_DEPTH_MAX + 2], *level;
	unsigned blocks, skipped; /* skipped: levels below the last block that is written */
	size_t read_at;           /* the message is written down up to here */
	unsigned read;            /* so many records */
	uint8_t query[MESSAGE_QUERY_MAX];
	uint8_t buffer[MESSAGE_MAX];
};

/* ---- words ---- */

/* The name of an enum's constant in lower case. */
static json_t *word_json(const char *name)
{
	char word[16];
	size_t i = 0;
	for (; name[i]; i++)
		word[i] = (char)tolower((unsigned char)name[i]);
	word[i] = '\0';
	return json_text(word);
}

#define X(name, text) #name,
static const char *const trace_words[] = {TRACE_MAP(X)};
#undef X

static const char *const outcome_words[] = {
	[ZONE_HIT] = "hit",       [ZONE_CNAME] = "cname",       [ZONE_DNAME] = "dname",
	[ZONE_NODATA] = "nodata", [ZONE_NXDOMAIN] = "nxdomain",
};

static const char *rcode_word(enum rcode rcode)
{
	switch (rcode) {
	case RCODE_NOERROR: return "NOERROR";
	case RCODE_NXDOMAIN: return "NXDOMAIN";
	case RCODE_YXDOMAIN: return "YXDOMAIN";
	case RCODE_REFUSED: return "REFUSED";
	default: return "SERVFAIL";
	}
}

static json_t *name_json(const struct name *name)
{
	char text[NAME_TEXT_MAX];
	return json_text(name_to_text(name, text));
}

static json_t *suffix_json(const struct name *name, unsigned label)
{
	char text[NAME_TEXT_MAX];
	return json_text(name_wire_to_text(name_suffix_wire(name, label), text));
}

static json_t *trace_json(const struct trace *trace, const struct name *name)
{
	json_t *array = json_array();
	for (unsigned i = 0; i < trace->count; i++) {
		const struct trace_step *step = &trace->steps[i];
		bool suffix = step->outcome != TRACE_NONE && step->outcome != TRACE_NOT_FOUND;
		json_add(array, json_make("{s:o, s:o, s:o, s:o, s:o}", "by",
					  json_text(decided_word(step->by)), "outcome",
					  word_json(trace_words[step->outcome]), "object",
					  json_text(step->object), "ruleset",
					  json_text(step->ruleset), "suffix",
					  suffix ? suffix_json(name, step->label) : json_null()));
	}
	return array;
}

/* ---- records ---- */

/* A record of our own: names in its rdata are not compressed. */
static json_t *record_json(const uint8_t *wire, size_t length, const struct record_view *record)
{
	uint8_t owner[NAME_WIRE_MAX];
	char owner_text[NAME_TEXT_MAX], type[16], *text = NULL;
	size_t text_length = 0;
	FILE *out = open_memstream(&text, &text_length);
	if (!out || wire_read_name(wire, length, record->owner, WIRE_HEADER, owner, NULL) == 0)
		goto out;
	fprintf(out, "%s %u IN %s ", name_wire_to_text(owner, owner_text), record->ttl,
		record_type_print(record->type, type, sizeof type));
	if (rdata_print(record->type, wire + record->rdata, record->rdata_length, out) != 0)
		fputs("?", out);
out:
	if (out && fclose(out) != 0)
		text_length = 0;
	json_t *json = json_text(text_length > 0 ? text : "?");
	free(text);
	return json;
}

/* Writes down what the hop has added to the message; returns how many records. */
static unsigned add_records(struct explainer *e, json_t *hop)
{
	const struct message *message = &e->composition.message;
	json_t *answers = json_object_get(hop, "records");
	json_t *authorities = json_object_get(hop, "authority");
	unsigned all = message->counts[SECTION_ANSWER] + message->counts[SECTION_AUTHORITY];
	unsigned before = e->read;
	struct message_walk walk = message_walk_from(message->wire, message->length, e->read_at);
	struct record_view record;
	while (e->read < all && message_read_record(&walk, &record) == 0) {
		bool answer = e->read++ < message->counts[SECTION_ANSWER];
		json_add(answer ? answers : authorities,
			 record_json(message->wire, message->length, &record));
		if (!answer && record.type == TYPE_SOA)
			json_put(hop, "negative_ttl", json_integer(record.ttl));
	}
	e->read_at = walk.at;
	return e->read - before;
}

/* The message may have become shorter. */
static void forget_records(struct explainer *e)
{
	const struct message *message = &e->composition.message;
	if (e->read_at <= message->length)
		return;
	e->read_at = message->length;
	e->read = message->counts[SECTION_ANSWER] + message->counts[SECTION_AUTHORITY];
}

/* ---- routes ---- */

static void add_upstreams(json_t *array, const struct leg *leg)
{
	for (uint32_t i = 0; i < leg->upstream_count; i++) {
		const struct upstream *upstream = &leg->upstreams[i];
		char host[HOST_TEXT_MAX], source[ADDRESS_TEXT_MAX];
		bool bound = upstream->source.family != 0;
		json_add(array, json_make("{s:s, s:o, s:s, s:s, s:o}", "kind", "ask", "source",
					  json_text(bound ? address_print(&upstream->source, source)
							  : NULL),
					  "host", host_print(&upstream->host, host), "protocol",
					  upstream->protocol == PROTOCOL_TCP ? "tcp" : "udp",
					  "endpoint", json_text(upstream->endpoint)));
	}
}

/* Writes down the route up to and with `last`, or all of it; the item of an entered leg. */
static json_t *add_legs(struct level *level, const struct leg *last)
{
	const struct route *route = level->verdict.route;
	uint32_t end = last ? (uint32_t)(last - route->legs) + 1 : route->leg_count;
	json_t *array = json_object_get(level->hop, "route"), *item = NULL;
	for (; level->legs < end; level->legs++) {
		const struct leg *leg = &route->legs[level->legs];
		if (leg->kind == LEG_ENTER) {
			item = json_make("{s:s, s:o}", "kind", "enter", "endpoint",
					 json_text(leg->endpoint));
			json_add(array, item);
		} else {
			add_upstreams(array, leg);
		}
	}
	return item;
}

/* ---- what compose does ---- */

static void begin_level(struct explainer *e, struct place place)
{
	const struct policy *policy = e->composition.policy;
	const char *network =
		place.network == NETWORK_NONE ? NULL : policy->networks[place.network].name;
	e->level->open = false;
	e->level->block = json_make("{s:o, s:s, s:[], s:n, s:n}", "network", json_text(network),
				    "role", place.vnet_resolver ? "vnet_resolver" : "inbound",
				    "hops", "rcode", "loop");
}

static void set_rcode(json_t *object, const struct explainer *e, bool leads)
{
	const char *word = rcode_word(leads ? RCODE_NOERROR : e->composition.rcode);
	json_put(object, "rcode", json_text(e->level->open ? NULL : word));
}

static void on_decided(void *context, struct place place, const struct name *name,
		       const struct verdict *verdict)
{
	static const char *const kinds[] = {[VERDICT_ANSWER] = "answer",
					    [VERDICT_FORWARD] = "forward",
					    [VERDICT_REFUSE] = "refuse"};
	struct explainer *e = context;
	struct level *level = e->level;
	const struct rule *rule = verdict->rule;
	const struct trace *trace = &e->watch.trace;
	(void)place;
	if (e->skipped)
		return;
	level->name = *name;
	level->verdict = *verdict;
	level->legs = 0;
	level->hop = json_make(
		"{s:o, s:s, s:o, s:o, s:o, s:o, s:b, s:b, s:n, s:b, s:n, s:[], s:[], s:n, s:n, "
		"s:[], s:o, s:I}",
		"name", name_json(name), "kind", kinds[verdict->kind], "decided_by",
		json_text(decided_word(verdict->by)), "object", json_text(verdict->object),
		"ruleset", json_text(rule ? rule->ruleset : NULL), "target_group",
		json_text(rule ? rule->target_group : NULL), "redirected", verdict->redirected,
		"follow_cname", rule && rule->follow_cname, "outcome", "wildcard", 0, "rcode",
		"records", "authority", "negative_ttl", "next", "route", "trace",
		trace_json(trace, name), "trace_dropped", (json_int_t)trace->dropped);
	json_add(json_object_get(level->block, "hops"), level->hop);
}

static void on_ask(void *context, const struct leg *leg)
{
	struct explainer *e = context;
	e->level->open = true;
	if (!e->skipped)
		add_legs(e->level, leg);
}

static void on_enter(void *context, const struct leg *leg)
{
	struct explainer *e = context;
	if (e->skipped || e->blocks == EXPLAIN_BLOCKS_MAX) {
		e->skipped++;
		return;
	}
	e->blocks++;
	json_t *item = add_legs(e->level, leg);
	e->level++;
	e->level->item = item;
	begin_level(e, (struct place){leg->network, false});
}

static void on_leave(void *context)
{
	struct explainer *e = context;
	if (e->skipped) {
		e->skipped--;
		return;
	}
	struct level *entered = e->level;
	set_rcode(entered->block, e, false);
	e->level--;
	e->level->open = e->level->open || entered->open;
	const json_t *loop = json_object_get(entered->block, "loop");
	if (json_is_string(loop))
		json_put(e->level->block, "loop", json_text(json_string_value(loop)));
	json_put(entered->item, "decision", entered->block);
	forget_records(e);
}

static void on_loop(void *context, const struct leg *leg, const char *text)
{
	struct explainer *e = context;
	if (e->skipped)
		return;
	if (leg)
		json_put(add_legs(e->level, leg), "loop", json_text(text));
	json_put(e->level->block, "loop", json_text(text));
}

static void on_done(void *context, const struct name *name, bool leads)
{
	struct explainer *e = context;
	struct level *level = e->level;
	if (e->skipped)
		return;
	forget_records(e);
	unsigned added = add_records(e, level->hop);
	if (level->verdict.kind == VERDICT_ANSWER) {
		const struct zone_answer *answer = &level->verdict.answer;
		json_put(level->hop, "outcome", json_text(outcome_words[answer->outcome]));
		json_put(level->hop, "wildcard", json_boolean(answer->wildcard));
	} else if (added > 0) { /* ANY, which is never forwarded */
		json_put(level->hop, "kind", json_text("answer"));
		json_put(level->hop, "outcome", json_text(outcome_words[ZONE_HIT]));
	} else if (level->verdict.kind == VERDICT_FORWARD) {
		add_legs(level, NULL);
	}
	if (!name_equal(name, &level->name))
		json_put(level->hop, "next", name_json(name));
	set_rcode(level->hop, e, leads);
}

/* ---- the whole ---- */

/* As a client would ask. */
static struct request write_question(struct explainer *e, const struct name *name, uint16_t type)
{
	size_t length = message_write_query(e->query, 0, name->wire, name->length, type, false,
					    false, false);
	return (struct request){.flags = FLAG_RD,
				.type = type,
				.class = CLASS_IN,
				.question_length = (uint16_t)(length - MESSAGE_HEADER)};
}

static void watch_pass(struct explainer *e, struct place place)
{
	e->watch = (struct composition_watch){
		.context = e,
		.on_decided = on_decided,
		.on_ask = on_ask,
		.on_enter = on_enter,
		.on_leave = on_leave,
		.on_loop = on_loop,
		.on_done = on_done,
	};
	e->level = e->levels;
	e->read_at = MESSAGE_HEADER + (size_t)e->composition.request->question_length;
	begin_level(e, place);
	enum composed composed =
		compose(&e->composition, place, e->buffer, e->query + MESSAGE_HEADER);
	(void)composed; /* no target is asked, so it is COMPOSED */
	set_rcode(e->level->block, e, false);
}

json_t *explain(const struct policy *policy, struct place place, const struct name *name,
		uint16_t type)
{
	char text[16];
	struct explainer *e = calloc(1, sizeof *e);
	if (!e)
		return NULL;
	const struct request request = write_question(e, name, type);
	e->composition.policy = policy;
	e->composition.request = &request;
	e->composition.qname = name;
	e->composition.first = NULL;
	e->composition.expired = true;
	e->composition.watch = &e->watch;
	e->composition.limit = MESSAGE_MAX;
	watch_pass(e, place);
	json_t *explained = json_make("{s:o, s:s}", "name", name_json(name), "type",
				      record_type_print(type, text, sizeof text));
	if (json_object_update(explained, e->level->block) != 0) {
		json_decref(explained);
		explained = NULL;
	}
	json_decref(e->level->block);
	free(e);
	return json_whole(explained);
}

/* ---- a question in texts ---- */

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

/* Appends name i to a list, which has only the first few. */
static void add_named(char *names, size_t size, size_t i, const char *name)
{
	enum { NAMED_MAX = 5 };
	size_t used = strlen(names);
	if (i < NAMED_MAX)
		snprintf(names + used, size - used, "%s%s", i > 0 ? ", " : "", name);
	else if (i == NAMED_MAX)
		snprintf(names + used, size - used, ", ...");
}

static int no_such(const char *what, const char *wanted, const char *lead, const char *names,
		   char error[EXPLAIN_ERROR_MAX])
{
	snprintf(error, EXPLAIN_ERROR_MAX, "there is no %s \"%.300s\"; %s%s", what, wanted,
		 *names ? lead : "there is none", names);
	return ERR_NOT_FOUND;
}

static int no_endpoint(const struct policy *policy, const char *wanted,
		       char error[EXPLAIN_ERROR_MAX])
{
	char names[512] = "";
	for (uint32_t i = 0; i < policy->inbound_count; i++)
		add_named(names, sizeof names, i, policy->inbounds[i].name);
	return no_such("inbound endpoint", wanted, "give RESOLVER/ENDPOINT: ", names, error);
}

static int no_network(const struct policy *policy, const char *wanted,
		      char error[EXPLAIN_ERROR_MAX])
{
	char names[512] = "";
	for (uint32_t i = 0; i < policy->network_count; i++)
		add_named(names, sizeof names, i, policy->networks[i].name);
	return no_such("virtual network", wanted, "there is: ", names, error);
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

/* ---- what was made ---- */

/* Of an outbound endpoint's name, "home/default". */
static bool is_made(const struct model *model, const char *endpoint)
{
	const char *slash = strchr(endpoint, '/');
	char path[2 * NAME_TEXT_MAX];

	if (!slash)
		return false;
	snprintf(path, sizeof path, "resolvers[%.*s].outbound_endpoints[%s]",
		 (int)(slash - endpoint), endpoint, slash + 1);
	return model_made(model, path) != NULL;
}

void explain_add_made(json_t *explained, const struct model *model)
{
	size_t h, r;
	json_t *hop, *item;

	json_array_foreach(json_object_get(explained, "hops"), h, hop)
	{
		json_array_foreach(json_object_get(hop, "route"), r, item)
		{
			const char *endpoint = json_string_value(json_object_get(item, "endpoint"));

			explain_add_made(json_object_get(item, "decision"), model);
			if (endpoint && json_object_get(item, "host") && is_made(model, endpoint))
				json_put(item, "made", json_true());
		}
	}
}
