/* Routes that fail for the same reason, from the same source address, are one failure. So are all
 * rules that share a dead target and have other targets that answer. A route that is well costs
 * nothing here while no target is dead. After FAILURES_KEPT failures, the routes of further ones
 * are only counted, each by itself. */
#include "resolver/control/observe/failing.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "resolver/control/base/json.h"
#include "resolver/control/observe/judgement.h"
#include "rules/base.h"
#include "rules/text.h"

enum { FAILURES_KEPT = 1000, NAMED = 3, TEXT_MAX = 1024, KEY_MAX = 400, REMEMBERED = 256 };

struct failure {
	UT_hash_handle hh;
	bool warning;
	struct health_route judged; /* of the first route; since_us is the earliest of all */
	json_t *rules;
	json_int_t rule_count;
	const struct route *last; /* the route that was added last */
	const char
		*all_names; /* words for the names of the default resolver or a network's servers */
	const char *domains[NAMED];
	bool *networks; /* indexed as policy->networks */
	char key[KEY_MAX];
};

/* Many rules have the same targets. Making the text that identifies their failure is most of the
 * work, so the failure is remembered. */
struct remembered {
	uint64_t key;
	struct failure *failure; /* NULL: none */
};

struct failing {
	const struct health_now *now;
	bool has_dead; /* some target is suspect, or answers only errors */
	const struct policy *policy;
	struct failure *found;
	json_int_t untold;   /* routes of failures after FAILURES_KEPT; may repeat a failure */
	const char *ruleset; /* `networks` are those this ruleset is linked to */
	bool *networks;
	bool failed; /* out of memory */
	/* Each at a place computed from its key. dark: for routes whose targets are all dead, by
	 * route->id; dead: for dead targets of routes whose other targets answer, by pointer. */
	struct remembered dark[REMEMBERED], dead[REMEMBERED];
};

/* ---- affected rules and networks ---- */

/* NULL: the route is the default resolver's or a network's. */
static const struct rule *rule_of(const struct policy *policy, const struct route *route)
{
	if (route == policy->default_route)
		return NULL;
	for (uint32_t n = 0; n < policy->network_count; n++)
		if (policy->networks[n].custom == route)
			return NULL;
	return container_of(route, const struct rule, route);
}

static bool has_ruleset(const struct policy_network *network, const char *name)
{
	for (uint32_t i = 0; i < network->ruleset_count; i++)
		if (ruleset_rule_count(network->rulesets[i]) > 0 &&
		    strcmp(ruleset_rule((struct ruleset *)(uintptr_t)network->rulesets[i], 0)
				   ->ruleset,
			   name) == 0)
			return true;
	return false;
}

/* Rules come ruleset by ruleset, so the last ruleset's networks are kept. */
static void find_networks(struct failing *search, const struct rule *rule)
{
	if (search->ruleset && strcmp(search->ruleset, rule->ruleset) == 0)
		return;
	search->ruleset = rule->ruleset;
	for (uint32_t n = 0; n < search->policy->network_count; n++)
		search->networks[n] = has_ruleset(&search->policy->networks[n], rule->ruleset);
}

static void add_networks(struct failing *search, struct failure *failure, const struct rule *rule,
			 const struct route *route)
{
	const struct policy *policy = search->policy;

	if (rule)
		find_networks(search, rule);
	for (uint32_t n = 0; n < policy->network_count; n++)
		failure->networks[n] |=
			rule ? search->networks[n] : policy->networks[n].custom == route;
}

/* Adds the route once. It comes twice if two of its endpoints ask the same target from the same
 * source. */
static void add_route(struct failing *search, struct failure *failure, const char *name,
		      const struct route *route)
{
	const struct rule *rule = rule_of(search->policy, route);

	if (failure->last == route)
		return;
	failure->last = route;
	if (rule && failure->rule_count < NAMED)
		failure->domains[failure->rule_count] = rule->domain;
	if (!rule)
		failure->all_names =
			route == search->policy->default_route ? "names of no rule" : "all names";
	if (failure->rule_count++ < FAILING_RULES)
		json_add(failure->rules, json_text(name));
	add_networks(search, failure, rule, route);
}

/* ---- grouping ---- */

static void free_failure(struct failure *failure)
{
	json_decref(failure->rules);
	free(failure->networks);
	free(failure);
}

static struct failure *new_failure(struct failing *search, const struct health_route *judged,
				   bool warning, const char *key)
{
	struct failure *failure = calloc(1, sizeof *failure);

	if (!failure)
		return NULL;
	failure->warning = warning;
	failure->judged = *judged;
	failure->rules = json_array();
	failure->networks = calloc(search->policy->network_count + 1, sizeof *failure->networks);
	snprintf(failure->key, sizeof failure->key, "%s", key);
	if (failure->networks)
		HASH_ADD_STR(search->found, key, failure);
	if (failure->networks && failure->hh.tbl)
		return failure;
	free_failure(failure);
	return NULL;
}

/* NULL: the failure is not kept. */
static struct failure *note(struct failing *search, const char *name, const struct route *route,
			    const struct health_route *judged, bool warning)
{
	char key[KEY_MAX], source[ADDRESS_TEXT_MAX] = "";
	struct failure *failure;

	if (judged->upstream && judged->upstream->source.family)
		address_print(&judged->upstream->source, source);
	snprintf(key, sizeof key, "%d %d %s %d %s", (int)warning, (int)judged->state, source,
		 judged->upstream ? (int)judged->upstream->protocol : 0, judged->reason);
	HASH_FIND_STR(search->found, key, failure);
	if (!failure && HASH_COUNT(search->found) >= FAILURES_KEPT) {
		search->untold++;
		return NULL;
	}
	if (!failure)
		failure = new_failure(search, judged, warning, key);
	if (!failure) {
		search->failed = true;
		return NULL;
	}
	if (judged->since_us &&
	    (!failure->judged.since_us || judged->since_us < failure->judged.since_us))
		failure->judged.since_us = judged->since_us;
	add_route(search, failure, name, route);
	return failure;
}

/* Adds a dead target of a route whose other targets still answer. */
static void note_target(struct failing *search, const char *name, const struct route *route,
			const struct upstream *upstream)
{
	struct target *target = upstream->target;
	struct health_route judged = {.state = HEALTH_WELL, .upstream = upstream};
	struct remembered *dead = &search->dead[((uintptr_t)target >> 6) % REMEMBERED];
	char host[HOST_TEXT_MAX];
	struct judgement judgement;

	if (!target)
		return;
	judgement = judge_target(target, search->now->now_us);
	if (judgement_is_good(judgement))
		return;
	if (dead->failure && dead->key == (uintptr_t)target) {
		add_route(search, dead->failure, name, route);
		return;
	}
	judged.error = judgement.error;
	judged.since_us = judgement.state == TARGET_STATE_SUSPECT ? target_suspect_us(target) : 0;
	text_append(judged.reason, sizeof judged.reason, "%s %s", host_print(&upstream->host, host),
		    judgement_says(judgement));
	*dead = (struct remembered){(uintptr_t)target, note(search, name, route, &judged, true)};
}

void failing_see(struct failing *search, const char *name, const struct route *route,
		 const struct health_route *judged)
{
	struct remembered *dark = &search->dark[route->id % REMEMBERED];
	struct failure *failure;

	if (judged->state == HEALTH_DARK && dark->failure && dark->key == route->id) {
		add_route(search, dark->failure, name, route);
		return;
	}
	if (judged->state == HEALTH_DARK || judged->state == HEALTH_FAILING) {
		failure = note(search, name, route, judged, false);
		if (judged->state == HEALTH_DARK)
			*dark = (struct remembered){route->id, failure};
		return;
	}
	if (judged->state == HEALTH_UNHEARD)
		(void)note(search, name, route, judged, true);
	for (uint32_t i = 0; search->has_dead && i < route->leg_count; i++)
		for (uint32_t u = 0; u < route->legs[i].upstream_count; u++)
			note_target(search, name, route, &route->legs[i].upstreams[u]);
}

/* ---- sentences ---- */

/* The separator before name number `at` in a list: "a, b and c", "a, b, c and 3 more". */
static const char *joint(json_int_t at, json_int_t named, json_int_t count)
{
	if (at == 0)
		return "";
	return at + 1 == named && named == count ? " and " : ", ";
}

static void say_names(char text[TEXT_MAX], const struct failure *failure)
{
	json_int_t count = failure->rule_count, named = count < NAMED ? count : NAMED;

	if (failure->all_names) {
		text_append(text, TEXT_MAX, "%s",
			    count > 1 ? "names of rules and all others" : failure->all_names);
		return;
	}
	for (json_int_t i = 0; i < named; i++)
		text_append(text, TEXT_MAX, "%s%s", joint(i, named, count), failure->domains[i]);
	if (count > named)
		text_append(text, TEXT_MAX, " and %" JSON_INTEGER_FORMAT " more", count - named);
}

static bool is_one(const struct failure *failure)
{
	return failure->rule_count == 1 && !failure->all_names;
}

static void say_networks(char text[TEXT_MAX], const struct failing *search,
			 const struct failure *failure)
{
	const struct policy *policy = search->policy;
	json_int_t count = 0, said = 0;

	for (uint32_t n = 0; n < policy->network_count; n++)
		count += failure->networks[n];
	if (count > NAMED)
		text_append(text, TEXT_MAX, " for %" JSON_INTEGER_FORMAT " networks", count);
	if (count == 0 || count > NAMED)
		return;
	text_append(text, TEXT_MAX, " for network%s ", count > 1 ? "s" : "");
	for (uint32_t n = 0; n < policy->network_count; n++)
		if (failure->networks[n])
			text_append(text, TEXT_MAX, "%s%s", joint(said++, count, count),
				    policy->networks[n].name);
}

static void say_since(char text[TEXT_MAX], const char *since)
{
	if (since)
		text_append(text, TEXT_MAX, " since %s", since);
}

/* Capitalizes "names of no rule are", but not the domain in "contoso.corp. is". */
static void begin_sentence(char text[TEXT_MAX], const struct failure *failure)
{
	if (failure->all_names)
		text[0] = (char)toupper((unsigned char)text[0]);
}

static void say(char text[TEXT_MAX], const struct failing *search, const struct failure *failure,
		const char *since)
{
	if (failure->judged.state == HEALTH_UNHEARD) {
		text_append(text, TEXT_MAX,
			    "Nobody answers the names that clients last asked for below ");
		say_names(text, failure);
		say_networks(text, search, failure);
		say_since(text, since);
		text_append(text, TEXT_MAX, ", though the targets live.");
		return;
	}
	if (failure->warning) {
		text_append(text, TEXT_MAX, "%s", failure->judged.reason);
		say_since(text, since);
		text_append(text, TEXT_MAX, "; ");
		say_names(text, failure);
		text_append(text, TEXT_MAX, " %s other targets.",
			    is_one(failure) ? "is answered by" : "are answered by");
		return;
	}
	say_names(text, failure);
	begin_sentence(text, failure);
	text_append(text, TEXT_MAX, " %s not answered", is_one(failure) ? "is" : "are");
	say_networks(text, search, failure);
	say_since(text, since);
	text_append(text, TEXT_MAX, ": %s.", failure->judged.reason);
}

/* Advice: text, perhaps the ports, more text, perhaps the source address. */
struct advice {
	const char *text;
	bool ports;
	const char *more;
	bool from;
};

static struct advice advice_on(enum target_error error)
{
	switch (error) {
	case TARGET_ERROR_NONE:
	case TARGET_ERROR_SILENCE:
		return (struct advice){"Check that it runs, and that ", true, " open to it", true};
	case TARGET_ERROR_NETWORK:
		return (struct advice){"Check the route and the firewall to it", false, "", true};
	case TARGET_ERROR_REFUSED:
		return (struct advice){"Let it answer questions", false, "", true};
	case TARGET_ERROR_LAME:
		return (struct advice){"It does not know these names: name the servers that do",
				       false, "", false};
	case TARGET_ERROR_CLOSED:
	case TARGET_ERROR_AWAY:
	case TARGET_ERROR_TRUNCATED:
		return (struct advice){"Check that it takes connections by TCP", false, "", true};
	case TARGET_ERROR_SOURCE:
		return (struct advice){"Check the endpoint's source address", false, "", false};
	case TARGET_ERROR_FULL:
	case TARGET_ERROR_ROOM:
		return (struct advice){"It is asked more than it answers in time: add a target",
				       false, "", false};
	case TARGET_ERROR_OVER:
		return (struct advice){"Raise limits.queries_per_second_per_endpoint, or use "
				       "another endpoint",
				       false, "", false};
	case TARGET_ERROR_LOOP:
		return (struct advice){"Name targets other than this server's own endpoint", false,
				       "", false};
	case TARGET_ERROR_SHUT:
	case TARGET_ERROR_INNER:
		return (struct advice){"See what that endpoint's network decides for these names",
				       false, "", false};
	case TARGET_ERROR_SERVFAIL:
	case TARGET_ERROR_NOTIMP:
	case TARGET_ERROR_FORMERR:
	case TARGET_ERROR_RCODE:
	case TARGET_ERROR_MANGLED: break;
	}
	return (struct advice){"See that server's own log: it is reached, and cannot answer", false,
			       "", false};
}

static void say_from(char text[TEXT_MAX], const struct upstream *upstream)
{
	char source[ADDRESS_TEXT_MAX];

	if (upstream && upstream->source.family)
		text_append(text, TEXT_MAX, " from %s", address_print(&upstream->source, source));
	else
		text_append(text, TEXT_MAX, " from this server");
	if (upstream && upstream->endpoint)
		text_append(text, TEXT_MAX, " (outbound endpoint %s)", upstream->endpoint);
}

static void advise(char text[TEXT_MAX], const struct failure *failure)
{
	const struct upstream *upstream = failure->judged.upstream;
	struct advice advice = advice_on(failure->judged.error);
	char source[ADDRESS_TEXT_MAX];

	if (failure->judged.state == HEALTH_UNHEARD) {
		text_append(text, TEXT_MAX,
			    "Ask for one of the names to see what each target says.");
		return;
	}
	if (failure->judged.lost && upstream) {
		text_append(text, TEXT_MAX,
			    "Give an interface of this host %s, or endpoint %s "
			    "another source.",
			    address_print(&upstream->source, source),
			    upstream->endpoint ? upstream->endpoint : "its");
		return;
	}
	text_append(text, TEXT_MAX, "%s", advice.text);
	if (advice.ports)
		text_append(text, TEXT_MAX,
			    upstream && upstream->protocol == PROTOCOL_TCP
				    ? "TCP port %u is"
				    : "UDP and TCP port %u are",
			    upstream ? upstream->host.port : 53U);
	text_append(text, TEXT_MAX, "%s", advice.more);
	if (advice.from)
		say_from(text, upstream);
	text_append(text, TEXT_MAX, ".");
}

/* ---- as JSON ---- */

static json_t *networks_json(const struct failing *search, const struct failure *failure)
{
	json_t *networks = json_array();

	for (uint32_t n = 0; n < search->policy->network_count; n++)
		if (failure->networks[n])
			json_add(networks, json_text(search->policy->networks[n].name));
	return networks;
}

static json_t *failure_json(const struct failing *search, const struct failure *failure,
			    const struct wall_clock *clock)
{
	const struct upstream *upstream = failure->judged.upstream;
	json_t *since = failure->judged.since_us
				? json_time(wall_clock_s(clock, failure->judged.since_us))
				: json_null();
	char text[TEXT_MAX] = "", advice[TEXT_MAX] = "", host[HOST_TEXT_MAX],
	     source[ADDRESS_TEXT_MAX];

	say(text, search, failure, json_string_value(since));
	advise(advice, failure);
	return json_make("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:O, s:I, s:o}", "severity",
			 failure->warning ? "warning" : "error", "text", json_text(text), "advice",
			 json_text(advice), "since", since, "target",
			 json_text(upstream ? host_print(&upstream->host, host) : NULL), "protocol",
			 json_text(!upstream                            ? NULL
				   : upstream->protocol == PROTOCOL_TCP ? "tcp"
									: "udp"),
			 "source",
			 json_text(upstream && upstream->source.family
					   ? address_print(&upstream->source, source)
					   : NULL),
			 "rules", failure->rules, "rule_count", failure->rule_count, "networks",
			 networks_json(search, failure));
}

static int worst_first(const struct failure *a, const struct failure *b)
{
	if (a->warning != b->warning)
		return a->warning ? 1 : -1;
	if (!a->all_names != !b->all_names)
		return a->all_names ? -1 : 1;
	if (a->rule_count != b->rule_count)
		return a->rule_count > b->rule_count ? -1 : 1;
	return (a->judged.since_us > b->judged.since_us) -
	       (a->judged.since_us < b->judged.since_us);
}

struct failing *failing_begin(const struct health_now *now)
{
	const struct served_targets *served = &now->snapshot->targets->served;
	struct failing *search = calloc(1, sizeof *search);

	if (!search)
		return NULL;
	search->now = now;
	search->policy = now->snapshot->policy;
	search->networks = calloc(search->policy->network_count + 1, sizeof(bool));
	search->failed = !search->networks || !now->lost;
	for (size_t i = 0; i < served->count && !search->has_dead; i++)
		search->has_dead = !judgement_is_good(
			judge_target(served->items[i].upstream->target, now->now_us));
	return search;
}

json_t *failing_end(struct failing *search, const struct wall_clock *clock)
{
	struct failure *failure, *next;
	json_t *list = json_array();
	json_int_t count;

	if (!search) {
		json_decref(list);
		return NULL;
	}
	HASH_SORT(search->found, worst_first);
	count = (json_int_t)HASH_COUNT(search->found) + search->untold;
	HASH_ITER (hh, search->found, failure, next) {
		if (json_array_size(list) < FAILING_MAX)
			json_add(list, failure_json(search, failure, clock));
		HASH_DEL(search->found, failure);
		free_failure(failure);
	}
	if (search->failed) {
		json_decref(list);
		list = NULL;
	}
	free(search->networks);
	free(search);
	return list ? json_make("{s:I, s:o}", "count", count, "list", list) : NULL;
}

void failing_add(json_t *failing, const char *text, const char *advice)
{
	json_t *count = json_object_get(failing, "count");
	json_t *one =
		json_make("{s:s, s:o, s:o, s:n, s:n, s:n, s:n, s:[], s:i, s:[]}", "severity",
			  "error", "text", json_text(text), "advice", json_text(advice), "since",
			  "target", "protocol", "source", "rules", "rule_count", 0, "networks");

	json_array_insert_new(json_object_get(failing, "list"), 0, one);
	json_integer_set(count, json_integer_value(count) + 1);
}
