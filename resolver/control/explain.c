/* Follows a question the way resolver/compose.c does, as far as that needs nobody's answer:
 *
 *     block: a place and a name
 *       hop   decide ─┬─ answer ── CNAME, DNAME ─► the next hop
 *                     ├─ forward ─► the route; a leg that is our own endpoint is a block of its own
 *                     └─ refuse
 *
 * The limits are the same: so many hops in all, so many endpoints entered one inside the other, and
 * a loop where a name comes back. What a target would say, and what is in the cache, is not known
 * here: a chain ends at its first hop that is forwarded. */
#include "resolver/control/explain.h"

#include <ctype.h>

#include "endpoints/message.h"
#include "resolver/compose.h"

enum { EXPLAIN_BLOCKS_MAX = 200, EXPLAIN_LOOP_MAX = 600 };

struct entered {
	uint32_t network;
	const struct name *name;
	const char *endpoint;
};

struct explainer {
	const struct policy *policy;
	uint16_t type;
	unsigned hops, blocks, depth;
	struct entered entered[COMPOSE_DEPTH_MAX + 1];
	char loop[EXPLAIN_LOOP_MAX]; /* the first one found */
};

struct chain { /* the names of one block */
	struct name names[COMPOSE_HOPS_MAX + 1];
	unsigned count;
};

static json_t *explain_block(struct explainer *e, struct place place, const struct name *name);

/* ---- words ---- */

static json_t *decided_word(enum decided_by by)
{
	static const char *const words[] = {
#define X(name, text) [DECIDED_##name] = #name,
		DECIDED_MAP(X)
#undef X
	};
	char word[16];
	size_t i = 0;
	for (; words[by][i]; i++)
		word[i] = (char)tolower((unsigned char)words[by][i]);
	return json_stringn(word, i);
}

static const char *const trace_words[] = {
	[TRACE_MATCHED] = "matched",   [TRACE_SHORTER] = "shorter",
	[TRACE_SHADOWED] = "shadowed", [TRACE_DISABLED] = "disabled",
	[TRACE_RESERVED] = "reserved", [TRACE_NOT_FOUND] = "not_found",
	[TRACE_NONE] = "none",
};

static const char *const outcome_words[] = {
	[ZONE_HIT] = "hit",       [ZONE_CNAME] = "cname",       [ZONE_DNAME] = "dname",
	[ZONE_NODATA] = "nodata", [ZONE_NXDOMAIN] = "nxdomain",
};

static json_t *name_json(const struct name *name)
{
	char text[NAME_TEXT_MAX];
	return json_string(name_to_text(name, text));
}

static json_t *suffix_json(const struct name *name, unsigned label)
{
	char text[NAME_TEXT_MAX];
	return json_string(name_wire_to_text(name_suffix_wire(name, label), text));
}

static json_t *text_json(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *trace_json(const struct trace *trace, const struct name *name)
{
	json_t *array = json_array();
	for (unsigned i = 0; i < trace->count; i++) {
		const struct trace_step *step = &trace->steps[i];
		bool suffix = step->outcome != TRACE_NONE && step->outcome != TRACE_NOT_FOUND;
		json_array_append_new(
			array,
			json_pack("{s:o, s:s, s:o, s:o, s:o}", "by", decided_word(step->by),
				  "outcome", trace_words[step->outcome], "object",
				  text_json(step->object), "ruleset", text_json(step->ruleset),
				  "suffix", suffix ? suffix_json(name, step->label) : json_null()));
	}
	return array;
}

/* ---- answers of our own data ---- */

/* Appends an RRset's records in presentation form. */
static void append_records(json_t *array, const struct rrset *rrset, const uint8_t *owner)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	bool fine = out && rrset_print(rrset, owner, out) == 0;
	if (out && fclose(out) != 0)
		fine = false;
	for (char *line = text, *end; fine && line && (end = strchr(line, '\n')); line = end + 1)
		json_array_append_new(array, json_stringn(line, (size_t)(end - line)));
	free(text);
}

static void append_record_text(json_t *array, const struct name *owner, uint32_t ttl,
			       const char *rest)
{
	char text[NAME_TEXT_MAX];
	json_array_append_new(array,
			      json_sprintf("%s %u IN %s", name_to_text(owner, text), ttl, rest));
}

/* RFC 6672 section 2.2: the name with the DNAME's owner replaced by its target. False when that is
 * too long. */
static bool dname_target(const struct explainer *e, const struct zone_answer *answer,
			 const struct name *name, struct name *target)
{
	uint8_t wire[2 * NAME_WIRE_MAX];
	size_t length, prefix = name->offset[answer->owner_label];
	const uint8_t *to = rrset_rdata(answer->rrset, &length);
	memcpy(wire, name->wire, prefix);
	memcpy(wire + prefix, to, length);
	return prefix + length <= NAME_WIRE_MAX &&
	       name_from_wire(target, &e->policy->key, wire, prefix + length, 0, NULL) == 0;
}

static void add_negative(json_t *hop, const struct zone *zone)
{
	const struct rrset *soa = zone_negative_soa(zone);
	append_records(json_object_get(hop, "authority"), soa, zone_apex(zone)->wire);
	json_object_set_new(hop, "negative_ttl", json_integer(soa->ttl));
}

/* Fills in an answer; true when it leads on to *next. */
static bool add_answer(const struct explainer *e, json_t *hop, const struct zone_answer *answer,
		       const struct name *name, struct name *next)
{
	json_t *records = json_object_get(hop, "records");
	const char *rcode = answer->outcome == ZONE_NXDOMAIN ? "NXDOMAIN" : "NOERROR";
	bool leads = false;
	size_t length;
	json_object_set_new(hop, "outcome", json_string(outcome_words[answer->outcome]));
	json_object_set_new(hop, "wildcard", json_boolean(answer->wildcard));
	if (answer->outcome == ZONE_NODATA || answer->outcome == ZONE_NXDOMAIN) {
		add_negative(hop, answer->zone);
	} else if (answer->outcome == ZONE_DNAME) {
		char rest[NAME_TEXT_MAX + 8] = "CNAME ", *target = rest + strlen(rest);
		append_records(records, answer->rrset, name_suffix_wire(name, answer->owner_label));
		leads = dname_target(e, answer, name, next);
		if (leads) {
			name_to_text(next, target);
			append_record_text(records, name, answer->rrset->ttl, rest);
		} else {
			rcode = "YXDOMAIN";
		}
	} else {
		append_records(records, answer->rrset, name->wire);
		if (answer->outcome == ZONE_CNAME) {
			const uint8_t *target = rrset_rdata(answer->rrset, &length);
			leads = name_from_wire(next, &e->policy->key, target, length, 0, NULL) == 0;
		}
	}
	json_object_set_new(hop, "rcode", json_string(rcode));
	return leads && e->type != TYPE_CNAME;
}

/* ---- routes ---- */

static void append_upstreams(json_t *array, const struct leg *leg)
{
	for (uint32_t i = 0; i < leg->upstream_count; i++) {
		const struct upstream *upstream = &leg->upstreams[i];
		char host[HOST_TEXT_MAX], source[ADDRESS_TEXT_MAX];
		json_array_append_new(
			array,
			json_pack("{s:s, s:s?, s:s, s:s, s:s?}", "kind", "ask", "source",
				  upstream->source.family ? address_print(&upstream->source, source)
							  : NULL,
				  "host", host_print(&upstream->host, host), "protocol",
				  upstream->protocol == PROTOCOL_TCP ? "tcp" : "udp", "endpoint",
				  upstream->endpoint));
	}
}

/* As compose.c has it: entering an endpoint with a name that is being resolved in its network
 * already goes on for ever. Writes which loop that is. */
static bool entering_loops(const struct explainer *e, const struct leg *leg,
			   const struct name *name, char loop[EXPLAIN_LOOP_MAX])
{
	unsigned first = 0;
	while (first < e->depth && !(e->entered[first].network == leg->network &&
				     name_equal(e->entered[first].name, name)))
		first++;
	if (first == e->depth && e->depth <= COMPOSE_DEPTH_MAX)
		return false;
	size_t used = (size_t)snprintf(loop, EXPLAIN_LOOP_MAX,
				       first == e->depth ? "too many endpoints entered: "
							 : "forwarding loop: ");
	for (unsigned i = first == e->depth ? 0 : first; i < e->depth; i++) {
		size_t room = EXPLAIN_LOOP_MAX - used;
		int wrote = snprintf(loop + used, room, "%s -> ", e->entered[i].endpoint);
		used += (size_t)wrote < room ? (size_t)wrote : room - 1;
	}
	snprintf(loop + used, EXPLAIN_LOOP_MAX - used, "%s", leg->endpoint);
	return true;
}

/* Appends the leg; returns the rcode that entering it ends with, NULL when a target decides. */
static const char *append_enter(struct explainer *e, json_t *array, const struct leg *leg,
				const struct name *name)
{
	char loop[EXPLAIN_LOOP_MAX];
	json_t *item = json_pack("{s:s, s:s}", "kind", "enter", "endpoint", leg->endpoint);
	json_array_append_new(array, item);
	if (entering_loops(e, leg, name, loop)) {
		if (!*e->loop)
			snprintf(e->loop, sizeof e->loop, "%s", loop);
		json_object_set_new(item, "loop", json_string(loop));
		return "SERVFAIL";
	}
	e->entered[e->depth++] = (struct entered){leg->network, name, leg->endpoint};
	json_t *block = explain_block(e, (struct place){leg->network, false}, name);
	e->depth--;
	json_object_set_new(item, "decision", block);
	return json_string_value(json_object_get(block, "rcode"));
}

/* A failed leg leaves it to the next one; the first that may succeed decides. */
static void add_route(struct explainer *e, json_t *hop, const struct route *route,
		      const struct name *name)
{
	json_t *array = json_object_get(hop, "route");
	const char *rcode = "SERVFAIL";
	bool open = true; /* every leg so far fails for sure */
	for (uint32_t i = 0; i < route->leg_count; i++) {
		const struct leg *leg = &route->legs[i];
		const char *ends = NULL;
		if (leg->kind == LEG_ENTER)
			ends = append_enter(e, array, leg, name);
		else
			append_upstreams(array, leg);
		bool fails = ends && (!strcmp(ends, "SERVFAIL") || !strcmp(ends, "REFUSED"));
		if (open && !fails) {
			rcode = ends;
			open = false;
		}
	}
	json_object_set_new(hop, "rcode", text_json(rcode));
}

/* RFC 8482 section 4.2: ANY is never forwarded. */
static void add_any(json_t *hop, const struct name *name)
{
	json_object_set_new(hop, "kind", json_string("answer"));
	json_object_set_new(hop, "outcome", json_string("hit"));
	json_object_set_new(hop, "rcode", json_string("NOERROR"));
	append_record_text(json_object_get(hop, "records"), name, 3600, "HINFO \"RFC8482\" \"\"");
}

/* ---- hops and blocks ---- */

static json_t *new_hop(const struct verdict *verdict, const struct trace *trace,
		       const struct name *name)
{
	static const char *const kinds[] = {[VERDICT_ANSWER] = "answer",
					    [VERDICT_FORWARD] = "forward",
					    [VERDICT_REFUSE] = "refuse"};
	const struct rule *rule = verdict->rule;
	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:b, s:b, s:n, s:b, s:n, s:[], s:[], s:n, s:n, "
			 "s:[], s:o, s:I}",
			 "name", name_json(name), "kind", kinds[verdict->kind], "decided_by",
			 decided_word(verdict->by), "object", text_json(verdict->object), "ruleset",
			 text_json(rule ? rule->ruleset : NULL), "redirected", verdict->redirected,
			 "follow_cname", rule && rule->follow_cname, "outcome", "wildcard", 0,
			 "rcode", "records", "authority", "negative_ttl", "next", "route", "trace",
			 trace_json(trace, name), "trace_dropped", (json_int_t)trace->dropped);
}

/* One hop; true when it leads on to *next. */
static bool explain_hop(struct explainer *e, json_t *hops, struct place place,
			const struct name *name, struct name *next)
{
	struct verdict verdict;
	struct trace trace;
	bool leads = false;
	policy_decide(e->policy, place, name, e->type, &verdict, &trace);
	json_t *hop = new_hop(&verdict, &trace, name);
	json_array_append_new(hops, hop);
	if (verdict.kind == VERDICT_ANSWER)
		leads = add_answer(e, hop, &verdict.answer, name, next);
	else if (verdict.kind == VERDICT_REFUSE)
		json_object_set_new(hop, "rcode", json_string("REFUSED"));
	else if (e->type == TYPE_ANY)
		add_any(hop, name);
	else
		add_route(e, hop, verdict.route, name);
	if (leads)
		json_object_set_new(hop, "next", name_json(next));
	return leads;
}

/* Whether the chain may go on to `next`; otherwise says why not, and how it ends. */
static bool chain_goes_on(struct explainer *e, struct chain *chain, const struct name *next,
			  json_t *block)
{
	char text[NAME_TEXT_MAX];
	for (unsigned i = 0; i < chain->count; i++)
		if (name_equal(&chain->names[i], next)) {
			snprintf(e->loop, sizeof e->loop, "chain of names: back at %.500s",
				 name_to_text(next, text));
			return false;
		}
	if (++e->hops <= COMPOSE_HOPS_MAX)
		return true;
	snprintf(e->loop, sizeof e->loop, "the chain of names leads on more than %d times",
		 COMPOSE_HOPS_MAX);
	json_object_set_new(block, "rcode", json_string("SERVFAIL"));
	return false;
}

static void explain_chain(struct explainer *e, json_t *block, struct place place,
			  const struct name *name)
{
	json_t *hops = json_object_get(block, "hops");
	struct chain *chain = calloc(1, sizeof *chain);
	struct name next;
	if (!chain)
		return;
	chain->names[chain->count++] = *name;
	while (explain_hop(e, hops, place, &chain->names[chain->count - 1], &next)) {
		const json_t *hop = json_array_get(hops, json_array_size(hops) - 1);
		json_object_set(block, "rcode", json_object_get(hop, "rcode"));
		if (!chain_goes_on(e, chain, &next, block)) {
			free(chain);
			return;
		}
		chain->names[chain->count++] = next;
	}
	const json_t *last = json_array_get(hops, json_array_size(hops) - 1);
	json_object_set(block, "rcode", json_object_get(last, "rcode"));
	free(chain);
}

static json_t *explain_block(struct explainer *e, struct place place, const struct name *name)
{
	const char *network =
		place.network == NETWORK_NONE ? NULL : e->policy->networks[place.network].name;
	json_t *block = json_pack("{s:s?, s:s, s:[], s:n, s:n}", "network", network, "role",
				  place.vnet_resolver ? "vnet_resolver" : "inbound", "hops",
				  "rcode", "loop");
	if (++e->blocks <= EXPLAIN_BLOCKS_MAX)
		explain_chain(e, block, place, name);
	if (*e->loop)
		json_object_set_new(block, "loop", json_string(e->loop));
	return block;
}

json_t *explain(const struct policy *policy, struct place place, const struct name *name,
		uint16_t type)
{
	struct explainer e = {.policy = policy, .type = type};
	char text[16];
	json_t *explained = json_pack("{s:o, s:s}", "name", name_json(name), "type",
				      record_type_print(type, text, sizeof text));
	json_t *block = explain_block(&e, place, name);
	json_object_update(explained, block);
	json_decref(block);
	return explained;
}
