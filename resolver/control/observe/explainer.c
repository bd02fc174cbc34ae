/* Watches resolver/resolve/compose.c answer a question, and writes down what it does:
 *
 *     block (level)  a place and a name: the question, or an own endpoint entered for it
 *       hop          decided ─┬─ ask ── ask ── enter: a block of its own ──┬─ done
 *                             └─ our own data ─────────────────────────────┘
 *
 * A question may take several passes of compose, and each pass is written down from scratch. If no
 * target is asked (`asks` is false), a chain ends at its first forwarded hop, and a level whose
 * outcome depends on a target is `open`. */
#include "resolver/control/observe/explainer.h"

#include <assert.h>
#include <ctype.h>

#include "endpoints/message.h"
#include "resolver/control/base/json.h"
#include "rules/base.h"
#include "rules/rcode.h"
#include "rules/zone/rdata.h"

enum {
	BLOCKS_MAX = 200,
	/* Records of a hop if the question is really asked: a worker writes them down, while its
	 * clients wait. */
	RECORDS_MAX = 100,
};

struct level {
	json_t *block, *hop; /* hop: the one being resolved */
	json_t *item;        /* the parent level's route item that leads here */
	struct name name;    /* the hop's */
	struct verdict verdict;
	uint32_t legs;  /* how many of the route's legs are written down */
	bool open;      /* the outcome depends on a target that is not asked */
	size_t read_at; /* read_at, read: saved from the explainer on entering */
	unsigned read;
};

struct explainer {
	const struct composition *composition; /* of the current pass */
	struct resolution_watch watch;
	bool asks;                                          /* true: a worker asks targets */
	bool failed;                                        /* out of memory */
	struct level levels[COMPOSE_DEPTH_MAX + 2], *level; /* level NULL: no pass yet */
	unsigned blocks, skipped;     /* skipped: entered levels beyond BLOCKS_MAX, not written */
	size_t read_at;               /* the message is written down up to here */
	unsigned read;                /* how many records of it */
	bool shown[COMPOSE_TOLD_MAX]; /* of watch.questions */
	uint8_t scratch[MESSAGE_MAX];
};

/* json.h notes failures for each thread. This thread may be a worker, and another thread may end
 * the explanation, so the explainer keeps the failure. */
static void note_failure(struct explainer *e)
{
	e->failed = e->failed || !json_whole(json_null());
}

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
#define X(name, text) text,
static const char *const try_words[] = {LOOKUP_TRY_MAP(X)};
#undef X

static const char *const from_words[] = {
	[COMPOSED_FROM_NOBODY] = "nobody",
	[COMPOSED_FROM_TARGET] = "target",
	[COMPOSED_FROM_CACHE] = "cache",
	[COMPOSED_FROM_STALE] = "stale",
};

static const char *const outcome_words[] = {
	[ZONE_HIT] = "hit",       [ZONE_CNAME] = "cname",       [ZONE_DNAME] = "dname",
	[ZONE_NODATA] = "nodata", [ZONE_NXDOMAIN] = "nxdomain",
};

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

/* Names in a target's data may be compressed; `scratch` (MESSAGE_MAX bytes) takes a copy without
 * compression. */
static json_t *record_json(const uint8_t *wire, size_t length, const struct record_view *record,
			   uint8_t *scratch)
{
	uint8_t owner[NAME_WIRE_MAX];
	char owner_text[NAME_TEXT_MAX], type[16], *text = NULL;
	size_t text_length = 0;
	struct message copy;
	FILE *out = open_memstream(&text, &text_length);
	if (!out || wire_read_name(wire, length, record->owner, WIRE_HEADER, owner, NULL) == 0)
		goto out;
	message_begin(&copy, scratch, MESSAGE_MAX, NULL, 0);
	size_t rdata = message_copy_record(&copy, SECTION_ANSWER, wire, length, record, 0, owner,
					   record->ttl);
	fprintf(out, "%s %u IN %s ", name_wire_to_text(owner, owner_text), record->ttl,
		record_type_print(record->type, type, sizeof type));
	if (!rdata || rdata_print(record->type, scratch + rdata, copy.length - rdata, out) != 0)
		fputs("?", out);
out:
	if (out && fclose(out) != 0)
		text_length = 0;
	json_t *json = json_text(text_length > 0 ? text : "?");
	free(text);
	return json;
}

/* Writes down the records that the hop has added to the message; returns their number. */
static unsigned add_records(struct explainer *e, json_t *hop)
{
	const struct message *message = &e->composition->message;
	json_t *answers = json_object_get(hop, "records");
	json_t *authorities = json_object_get(hop, "authority");
	unsigned all = message->counts[SECTION_ANSWER] + message->counts[SECTION_AUTHORITY];
	unsigned before = e->read, left = 0;
	struct message_walk walk = message_walk_from(message->wire, message->length, e->read_at);
	struct record_view record;
	while (e->read < all && message_read_record(&walk, &record) == 0) {
		bool answer = e->read++ < message->counts[SECTION_ANSWER];
		json_t *array = answer ? answers : authorities;
		if (!e->asks || json_array_size(array) < RECORDS_MAX)
			json_add(array,
				 record_json(message->wire, message->length, &record, e->scratch));
		else
			left++;
		if (!answer && record.type == TYPE_SOA)
			json_put(hop, "negative_ttl", json_integer(record.ttl));
	}
	e->read_at = walk.at;
	if (left > 0)
		json_put(hop, "records_left", json_integer(left));
	return e->read - before;
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

/* Writes down the route up to `last` inclusive (NULL: all of it); returns the item of an entered
 * leg. */
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

/* ---- callbacks of compose ---- */

static void begin_level(struct explainer *e, struct place place)
{
	const struct policy *policy = e->composition->policy;
	const char *network =
		place.network < policy->network_count ? policy->networks[place.network].name : NULL;
	e->level->open = false;
	e->level->block = json_make("{s:o, s:s, s:[], s:n, s:n}", "network", json_text(network),
				    "role", place.vnet_resolver ? "vnet_resolver" : "inbound",
				    "hops", "rcode", "loop");
}

static void set_rcode(json_t *object, const struct explainer *e, bool leads)
{
	char text[RCODE_TEXT_MAX];
	const char *rcode = rcode_print(leads ? RCODE_NOERROR : e->composition->rcode, text);
	json_put(object, "rcode", json_text(e->level->open ? NULL : rcode));
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
	const struct trace *trace = &e->watch.pass.trace;
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
	if (e->asks)
		json_put(level->hop, "asked", json_array());
	json_add(json_object_get(level->block, "hops"), level->hop);
	note_failure(e);
}

static json_t *ms_json(uint64_t from_us, uint64_t to_us)
{
	return json_real((double)(to_us > from_us ? to_us - from_us : 0) / 1000);
}

static json_t *host_json(const struct leg *leg, unsigned upstream)
{
	char host[HOST_TEXT_MAX];
	return json_text(upstream < leg->upstream_count
				 ? host_print(&leg->upstreams[upstream].host, host)
				 : NULL);
}

/* A packet's outcome, in the words of status and log. */
static const char *try_text(const struct lookup_try *try, char rcode[RCODE_TEXT_MAX])
{
	switch (try->end) {
	case LOOKUP_TRY_SILENT: return target_error_text(TARGET_ERROR_SILENCE);
	case LOOKUP_TRY_FAILED: return target_error_text(try->error);
	case LOOKUP_TRY_UNSENT:
		if (!try->error)
			return try->tcp ? "no connection" : "refused by the system";
		return target_error_text(try->error);
	default: return rcode_print(try->rcode, rcode);
	}
}

static void add_tries(const struct explainer *e, const struct leg *leg,
		      const struct resolution_question *question, uint64_t ended_us, json_t *array)
{
	char rcode[RCODE_TEXT_MAX], source[ADDRESS_TEXT_MAX];
	for (unsigned i = 0; i < question->watch.count; i++) {
		const struct lookup_try *try = &question->watch.tries[i];
		const struct upstream *upstream = &leg->upstreams[try->upstream];
		assert(try->upstream < leg->upstream_count); /* legs of one id share upstreams */
		bool bound = upstream->source.family != 0;
		json_add(array,
			 json_make(
				 "{s:o, s:s, s:o, s:o, s:o, s:o, s:s, s:s, s:i}", "host",
				 host_json(leg, try->upstream), "protocol",
				 try->tcp ? "tcp" : "udp", "endpoint",
				 json_text(upstream->endpoint), "source",
				 json_text(bound ? address_print(&upstream->source, source) : NULL),
				 "at_ms", ms_json(e->watch.arrived_us, try->sent_us), "ms",
				 ms_json(try->sent_us, try->ended_us ? try->ended_us : ended_us),
				 "end", try_words[try->end], "text", try_text(try, rcode),
				 "packets", try->packets));
	}
}

/* Adds the questions to targets of this leg for the hop's name: usually one. */
static void add_questions(struct explainer *e, const struct leg *leg, json_t *asked)
{
	struct level *level = e->level;
	json_int_t dropped = 0;
	uint64_t began_us = 0;
	for (unsigned i = 0; i < e->watch.question_count; i++) {
		const struct resolution_question *question = &e->watch.questions[i];
		uint64_t ended_us =
			question->ended_us ? question->ended_us : e->composition->now_us;
		if (e->shown[i] || question->leg != leg->id ||
		    question->name != level->name.hash[0])
			continue;
		e->shown[i] = true;
		if (!began_us) {
			began_us = question->began_us;
			json_put(asked, "at_ms", ms_json(e->watch.arrived_us, began_us));
		}
		json_put(asked, "ms", ms_json(began_us, ended_us));
		if (question->watch.joined)
			json_put(asked, "joined", json_true());
		add_tries(e, leg, question, ended_us, json_object_get(asked, "tries"));
		dropped += question->watch.dropped;
	}
	json_put(asked, "tries_dropped", json_integer(dropped));
}

/* Finds or makes the leg's item. */
static json_t *asked_item(struct explainer *e, const struct leg *leg)
{
	json_t *array = json_object_get(e->level->hop, "asked"), *item;
	json_int_t number = leg - e->level->verdict.route->legs;
	size_t i;
	json_array_foreach(array, i, item)
	{
		if (json_integer_value(json_object_get(item, "leg")) == number)
			return item;
	}
	item = json_make("{s:I, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:b, s:[]}", "leg", number,
			 "from", "host", "rcode", "failed", "age_s", "ttl_s", "at_ms", "ms",
			 "joined", 0, "tries");
	json_add(array, item);
	add_questions(e, leg, item);
	return item;
}

static void put_seconds(json_t *object, const char *key, uint64_t from_us, uint64_t to_us)
{
	json_put(object, key,
		 json_integer((json_int_t)(to_us > from_us ? (to_us - from_us) / 1000000 : 0)));
}

static void add_asked(struct explainer *e, const struct leg *leg, enum composition_from from,
		      const struct cache_entry *entry)
{
	json_t *item = asked_item(e, leg);
	uint64_t now_us = e->composition->now_us;
	char rcode[RCODE_TEXT_MAX];
	json_put(item, "from", json_text(from_words[from]));
	json_put(item, "failed",
		 json_text(!entry          ? e->composition->ede_text
			   : entry->failed ? cache_entry_text(entry)
					   : NULL));
	if (!entry)
		return;
	json_put(item, "host", host_json(leg, entry->upstream));
	json_put(item, "rcode", json_text(entry->failed ? NULL : rcode_print(entry->rcode, rcode)));
	if (from == COMPOSED_FROM_TARGET)
		return;
	put_seconds(item, "age_s", entry->stored_us, now_us);
	put_seconds(item, "ttl_s", now_us, entry->expires_us);
}

static void on_leg(void *context, const struct leg *leg, enum composition_from from,
		   const struct cache_entry *entry)
{
	struct explainer *e = context;
	e->level->open = e->level->open || !e->asks;
	if (e->skipped)
		return;
	add_legs(e->level, leg);
	if (e->asks)
		add_asked(e, leg, from, entry);
	note_failure(e);
}

static void on_enter(void *context, const struct leg *leg)
{
	struct explainer *e = context;
	if (e->skipped || e->blocks == BLOCKS_MAX) {
		e->skipped++;
		return;
	}
	e->blocks++;
	json_t *item = add_legs(e->level, leg);
	e->level++;
	e->level->item = item;
	e->level->read_at = e->read_at;
	e->level->read = e->read;
	begin_level(e, (struct place){leg->network, false});
	note_failure(e);
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
	if (e->composition->rcode == RCODE_SERVFAIL || e->composition->rcode == RCODE_REFUSED) {
		/* compose removes the failed block's records from the message after this call, so
		 * the outer block goes on reading where the failed one began. */
		e->read_at = entered->read_at;
		e->read = entered->read;
	}
	note_failure(e);
}

static void on_loop(void *context, const struct leg *leg, const char *text)
{
	struct explainer *e = context;
	if (e->skipped)
		return;
	if (leg)
		json_put(add_legs(e->level, leg), "loop", json_text(text));
	json_put(e->level->block, "loop", json_text(text));
	note_failure(e);
}

static void on_done(void *context, const struct name *name, bool leads)
{
	struct explainer *e = context;
	struct level *level = e->level;
	if (e->skipped)
		return;
	unsigned added = add_records(e, level->hop);
	if (level->verdict.kind == VERDICT_ANSWER) {
		const struct zone_answer *answer = &level->verdict.answer;
		bool has_address = level->verdict.as == AS_SERVER &&
				   json_array_size(json_object_get(level->hop, "records")) > 0;
		json_put(level->hop, "outcome",
			 json_text(outcome_words[has_address ? ZONE_HIT : answer->outcome]));
		json_put(level->hop, "wildcard", json_boolean(answer->wildcard));
	} else if (added > 0 && json_array_size(json_object_get(level->hop, "asked")) == 0) {
		/* ANY, which is never forwarded */
		json_put(level->hop, "kind", json_text("answer"));
		json_put(level->hop, "outcome", json_text(outcome_words[ZONE_HIT]));
	} else if (level->verdict.kind == VERDICT_FORWARD) {
		add_legs(level, NULL);
	}
	/* A CNAME chain that a target's answer completes itself does not lead on. */
	if (!name_equal(name, &level->name) && (leads || level->verdict.kind == VERDICT_ANSWER))
		json_put(level->hop, "next", name_json(name));
	set_rcode(level->hop, e, leads);
	note_failure(e);
}

/* ---- the client's reply ---- */

static json_t *flags_json(uint16_t flags)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} names[] = {{FLAG_QR, "qr"}, {FLAG_AA, "aa"}, {FLAG_TC, "tc"}, {FLAG_RD, "rd"},
		     {FLAG_RA, "ra"}, {FLAG_AD, "ad"}, {FLAG_CD, "cd"}};
	json_t *array = json_array();
	for (size_t i = 0; i < COUNT(names); i++)
		if (flags & names[i].bit)
			json_add(array, json_text(names[i].name));
	return array;
}

static void add_answer_records(json_t *object, const struct ask_answer *answer, uint8_t *scratch)
{
	struct ask_records records = ask_answer_records(answer);
	unsigned answers = records.left, read = 0;
	struct record_view record;
	records.left += wire_u16(answer->wire + 8);
	while (ask_records_next(&records, &record)) {
		const char *section = read++ < answers ? "records" : "authority";
		json_add(json_object_get(object, section),
			 record_json(answer->wire, answer->length, &record, scratch));
	}
}

static void add_answer(json_t *explained, const struct ask_answer *answer, uint64_t took_us,
		       uint8_t *scratch)
{
	char rcode[RCODE_TEXT_MAX];
	json_t *said = json_make("{s:s, s:o, s:n, s:o, s:[], s:[]}", "rcode",
				 rcode_print(answer->rcode, rcode), "flags",
				 flags_json(message_flags(answer->wire)), "ede", "ms",
				 ms_json(0, took_us), "records", "authority");
	if (answer->ede != EDE_NONE)
		json_put(said, "ede",
			 json_make("{s:I, s:o}", "code", (json_int_t)answer->ede, "text",
				   json_text(answer->ede_text)));
	add_answer_records(said, answer, scratch);
	json_put(explained, "rcode", json_text(rcode_print(answer->rcode, rcode)));
	json_put(explained, "answer", said);
}

/* ---- the whole ---- */

/* Joins the blocks of a pass that was interrupted. */
static json_t *close_levels(struct explainer *e)
{
	for (; e->level > e->levels; e->level--)
		json_put(e->level->item, "decision", e->level->block);
	return e->level->block;
}

static void on_pass(void *context, const struct composition *composition, struct place place)
{
	struct explainer *e = context;
	if (e->level)
		json_decref(close_levels(e));
	e->composition = composition;
	e->level = e->levels;
	e->blocks = e->skipped = e->read = 0;
	e->read_at = MESSAGE_HEADER + (size_t)composition->request->question_length;
	memset(e->shown, 0, sizeof e->shown);
	begin_level(e, place);
	note_failure(e);
}

struct explainer *explainer_new(bool asks)
{
	struct explainer *e = calloc(1, sizeof *e);
	if (!e)
		return NULL;
	e->asks = asks;
	e->watch.on_pass = on_pass;
	e->watch.pass = (struct composition_watch){
		.context = e,
		.on_decided = on_decided,
		.on_leg = on_leg,
		.on_enter = on_enter,
		.on_leave = on_leave,
		.on_loop = on_loop,
		.on_done = on_done,
	};
	return e;
}

struct resolution_watch *explainer_watch(struct explainer *e)
{
	return &e->watch;
}

void explainer_free(struct explainer *e)
{
	if (e && e->level)
		json_decref(close_levels(e));
	free(e);
}

json_t *explainer_end(struct explainer *e, const struct name *name, uint16_t type,
		      const struct ask_answer *answer, uint64_t took_us)
{
	char text[16];
	json_t *block = e->level ? close_levels(e) : NULL;
	json_t *explained = json_make("{s:o, s:s}", "name", name_json(name), "type",
				      record_type_print(type, text, sizeof text));
	if (block && json_object_update(explained, block) != 0)
		e->failed = true;
	if (answer)
		add_answer(explained, answer, took_us, e->scratch);
	else if (e->level)
		set_rcode(explained, e, false);
	note_failure(e);
	if (e->failed) {
		json_decref(explained);
		explained = NULL;
	}
	json_decref(block);
	free(e);
	return explained;
}
