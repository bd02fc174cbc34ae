/*     gather (in a thread) ─► portions: a walk through all rules ─► names, one by one ─► report
 *                                       rules, targets, slow        leaving, names
 *
 * No portion follows a pointer that a change has freed: findings are JSON at once, the index of
 * zones is made anew for a new policy, and rulesets seen before are only compared. If the policy
 * changes during a walk, the walk begins again, a few times; after that it may miss a rule. */
#include "resolver/control/observe/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

#include "resolver/control/base/json.h"
#include "resolver/control/observe/plan.h"
#include "resolver/control/service/asked.h"
#include "rules/array.h"
#include "rules/base.h"
#include "rules/reverse.h"
#include "rules/text.h"
#include "rules/zone/record.h"

enum {
	WALKS_MAX = 8,
	LOOKUPS = 2000,   /* in rulesets, in a portion: a millisecond or two */
	NAMES_SHOWN = 16, /* in a portion: explaining a name takes 50 us */
	SUMMARY_MAX = 512,
	TEXT_MAX = 2048,
	DAY_S = 24 * 60 * 60,
	SLOW_BUCKET = 13,  /* of histogram_bounds_us: buckets above 100 ms */
	SLOW_ANSWERS = 10, /* fewer answers mean nothing */
	TYPE_DNSKEY = 48,
};

const char *const findings_names[FINDINGS_SECTIONS] = {
#define X(name, text) text,
	FINDINGS_MAP(X)
#undef X
};

static const char *const advices[FINDINGS_SECTIONS] = {
	[FINDINGS_RULES] = "delete them (`sluice delete rule RULESET NAME`), or find out why "
			   "their names are no longer asked for",
	[FINDINGS_TARGETS] = "nobody knows whether these would answer when they are needed: ask "
			     "each with `dig @ADDRESS`, or take it out of its rule",
	[FINDINGS_LEAVING] = "the default resolver learns these names and cannot answer them: link "
			     "the zone or ruleset to the network, or add one that has them",
	[FINDINGS_PTRS] = "give the name this address where it is kept, or set another name "
			  "(`sluice ptr set ADDRESS NAME`)",
	[FINDINGS_DELEGATIONS] = "ask whoever has the zone above for what `sluice ptr delegation "
				 "PREFIX` prints",
	[FINDINGS_NAMES] = "`sluice explain NAME` tells how one is answered",
	[FINDINGS_SLOW] = "look for a nearer target, or one that answers faster; `sluice status` "
			  "has the targets' round trips",
};

struct slow_rule {
	uint64_t average_us, answers;
	unsigned half, most; /* buckets of 50 and 95 of 100 answers */
	char *name, *domain;
};

struct pointer { /* seen in this walk */
	UT_hash_handle hh;
	const void *key;
};

/* A private zone; `next` is one of the same domain in another group. */
struct indexed_zone {
	const struct policy_zone_link *link;
	struct indexed_zone *next;
};

struct section_tally {
	size_t looked_at, count;
	size_t young;    /* never used, but not known for so many days */
	int64_t since_s; /* when the first item was known; 0: no items */
	json_t *findings;
};

struct findings {
	struct work_job job; /* first */
	struct service *service;
	struct findings_wanted wanted;
	void (*on_done)(void *context, json_t *report);
	void *context;
	int64_t now_s;
	struct arena arena;
	struct section_tally tallies[FINDINGS_SECTIONS];
	/* The walk: */
	struct use_walk walk;
	unsigned walks;
	bool walked;
	struct pointer *linked; /* rulesets of networks */
	struct slow_rule *slow;
	size_t slow_count, slow_room;
	/* The names: */
	struct asked_list asked;
	bool gathered, failed;
	size_t at, at_ruleset;     /* the current name, and its next ruleset */
	struct suffix_table zones; /* domains of all private zones -> indexed_zone */
	bool has_zones;
	uint64_t generation; /* of the policy that zones belong to */
};

/* ---- small pieces ---- */

static const struct policy *policy_of(const struct findings *it)
{
	return it->service->server.current->policy;
}

static const char *time_text(int64_t at_s, char text[32])
{
	time_t at = (time_t)at_s;
	struct tm parts;

	if (!gmtime_r(&at, &parts) || strftime(text, 32, "%Y-%m-%d %H:%M UTC", &parts) == 0)
		*text = '\0';
	return text;
}

/* Takes over the finding. */
static void add_finding(struct findings *it, enum findings_section section, json_t *finding)
{
	struct section_tally *tally = &it->tallies[section];

	tally->count++;
	json_add(tally->findings, finding);
}

static bool has_room(const struct findings *it, enum findings_section section)
{
	return json_array_size(it->tallies[section].findings) < it->wanted.limit;
}

static void note_linked(struct findings *it, const struct ruleset *ruleset)
{
	const void *key = ruleset;
	struct pointer *pointer;

	HASH_FIND_PTR(it->linked, &key, pointer);
	if (pointer)
		return;
	pointer = arena_alloc(&it->arena, sizeof *pointer);
	if (!pointer) {
		it->failed = true;
		return;
	}
	*pointer = (struct pointer){.key = key};
	HASH_ADD_PTR(it->linked, key, pointer);
	it->failed = it->failed || !pointer->hh.tbl;
}

/* ---- unused rules and targets ---- */

/* Whether a rule or target was unused for the wanted days; counts it. */
static bool is_unused(struct findings *it, enum findings_section section,
		      const struct use_times *times)
{
	struct section_tally *tally = &it->tallies[section];
	int64_t last_s = times->used_s ? times->used_s : times->since_s;
	bool unused = it->wanted.days ? it->now_s - last_s >= (int64_t)it->wanted.days * DAY_S
				      : times->used_s == 0;

	tally->looked_at++;
	if (tally->since_s == 0 || times->since_s < tally->since_s)
		tally->since_s = times->since_s;
	tally->young += !unused && times->used_s == 0;
	return unused;
}

static void put_times(json_t *finding, const struct use_times *times)
{
	json_put(finding, "since", json_time(times->since_s));
	json_put(finding, "used", times->used_s ? json_time(times->used_s) : json_null());
}

static void add_times(char *text, size_t size, const char *verb, const struct use_times *times)
{
	char at[32];

	if (times->used_s)
		text_append(text, size, "last %s %s", verb, time_text(times->used_s, at));
	else
		text_append(text, size, "never %s since %s", verb, time_text(times->since_s, at));
}

static void look_at_use(struct findings *it, const struct rule *rule)
{
	char text[TEXT_MAX] = "";
	struct use_times times;
	struct pointer *linked;
	const void *ruleset = policy_of(it)->rulesets[it->walk.ruleset];
	json_t *finding;

	if (!use_book_rule(&it->service->uses, rule, it->now_s, &times) ||
	    !is_unused(it, FINDINGS_RULES, &times))
		return;
	if (!has_room(it, FINDINGS_RULES)) {
		it->tallies[FINDINGS_RULES].count++;
		return;
	}
	HASH_FIND_PTR(it->linked, &ruleset, linked);
	text_append(text, sizeof text, "%s/%s (%s): ", rule->ruleset, rule->name, rule->domain);
	add_times(text, sizeof text, "used", &times);
	if (!linked)
		text_append(text, sizeof text, "; its ruleset is linked to no network");
	finding = json_make("{s:o, s:o, s:o, s:b, s:o}", "ruleset", json_text(rule->ruleset),
			    "rule", json_text(rule->name), "domain", json_text(rule->domain),
			    "linked", linked != NULL, "text", json_text(text));
	put_times(finding, &times);
	add_finding(it, FINDINGS_RULES, finding);
}

static void look_at_target(struct findings *it, const struct served_target *target)
{
	const struct upstream *upstream = target->upstream;
	const struct rule *rule = target->rule;
	char text[TEXT_MAX] = "", host[HOST_TEXT_MAX], source[ADDRESS_TEXT_MAX] = "";
	char of[SUMMARY_MAX] = "";
	struct use_times times;
	json_t *finding;

	if (!use_book_target(&it->service->uses, upstream->target, it->now_s, &times) ||
	    !is_unused(it, FINDINGS_TARGETS, &times))
		return;
	if (!has_room(it, FINDINGS_TARGETS)) {
		it->tallies[FINDINGS_TARGETS].count++;
		return;
	}
	if (upstream->source.family)
		address_print(&upstream->source, source);
	if (rule)
		text_append(of, sizeof of, "%s/%s", rule->ruleset, rule->name);
	text_append(text, sizeof text, "%s by %s%s%s, of %s%s: ", host_print(&upstream->host, host),
		    upstream->protocol == PROTOCOL_TCP ? "tcp" : "udp", *source ? " from " : "",
		    source, rule ? "rule " : "the default resolver or a network's DNS servers", of);
	add_times(text, sizeof text, "asked", &times);
	finding = json_make("{s:o, s:s, s:o, s:o, s:o}", "target", json_text(host), "protocol",
			    upstream->protocol == PROTOCOL_TCP ? "tcp" : "udp", "source",
			    json_text(*source ? source : NULL), "rule", json_text(rule ? of : NULL),
			    "text", json_text(text));
	put_times(finding, &times);
	add_finding(it, FINDINGS_TARGETS, finding);
}

/* ---- slow rules ---- */

static void add_answers(void *context, struct upstream *upstream)
{
	struct histogram *sum = context;

	if (upstream->target)
		histogram_sum(sum, &upstream->target->durations);
}

/* The bucket within which `percent` of 100 answers lie. */
static unsigned bucket_of(const struct histogram *histogram, uint64_t answers, unsigned percent)
{
	uint64_t seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_BOUNDS; i++) {
		seen += COUNTER_GET(histogram->buckets[i]);
		if (seen * 100 >= answers * percent)
			return i;
	}
	return HISTOGRAM_BOUNDS;
}

static void keep_slow(struct findings *it, const struct rule *rule, const struct slow_rule *slow)
{
	char name[SUMMARY_MAX];
	struct slow_rule *grown =
		array_grow(it->slow, it->slow_count, &it->slow_room, sizeof *grown);

	snprintf(name, sizeof name, "%s/%s", rule->ruleset, rule->name);
	if (!grown) {
		it->failed = true;
		return;
	}
	it->slow = grown;
	grown = &it->slow[it->slow_count];
	*grown = *slow;
	grown->name = arena_strdup(&it->arena, name);
	grown->domain = arena_strdup(&it->arena, rule->domain);
	it->failed = it->failed || !grown->name || !grown->domain;
	it->slow_count += grown->name && grown->domain;
}

static void look_at_answers(struct findings *it, const struct rule *rule)
{
	struct histogram sum = {.sum_us = 0};
	struct slow_rule slow = {.answers = 0};

	route_each_upstream(&rule->route, add_answers, &sum);
	for (unsigned i = 0; i <= HISTOGRAM_BOUNDS; i++)
		slow.answers += COUNTER_GET(sum.buckets[i]);
	if (slow.answers < SLOW_ANSWERS)
		return;
	it->tallies[FINDINGS_SLOW].looked_at++;
	slow.average_us = COUNTER_GET(sum.sum_us) / slow.answers;
	slow.half = bucket_of(&sum, slow.answers, 50);
	slow.most = bucket_of(&sum, slow.answers, 95);
	if (slow.most >= SLOW_BUCKET)
		keep_slow(it, rule, &slow);
}

static int slowest_first(const void *left, const void *right)
{
	const struct slow_rule *a = left, *b = right;

	if (a->most != b->most)
		return a->most > b->most ? -1 : 1;
	if (a->average_us != b->average_us)
		return a->average_us > b->average_us ? -1 : 1;
	return strcmp(a->name, b->name);
}

static double milliseconds(uint64_t us)
{
	return (double)us / 1000;
}

/* "within 250 ms", "in more than 5000 ms" */
static const char *bucket_text(unsigned bucket, char text[40])
{
	bool above = bucket == HISTOGRAM_BOUNDS;

	snprintf(text, 40, "%s %g ms", above ? "in more than" : "within",
		 milliseconds(histogram_bounds_us[above ? bucket - 1 : bucket]));
	return text;
}

/* Null: above the last bound. */
static json_t *bucket_json(unsigned bucket)
{
	return bucket == HISTOGRAM_BOUNDS ? json_null()
					  : json_real(milliseconds(histogram_bounds_us[bucket]));
}

static void tell_slow(struct findings *it)
{
	char text[TEXT_MAX], half[40], most[40];

	if (it->slow_count > 0)
		qsort(it->slow, it->slow_count, sizeof *it->slow, slowest_first);
	for (size_t i = 0; i < it->slow_count && has_room(it, FINDINGS_SLOW); i++) {
		const struct slow_rule *slow = &it->slow[i];

		snprintf(text, sizeof text,
			 "%s (%s): half of the answers came %s, 95 of 100 %s, %.1f ms on average",
			 slow->name, slow->domain, bucket_text(slow->half, half),
			 bucket_text(slow->most, most), milliseconds(slow->average_us));
		add_finding(it, FINDINGS_SLOW,
			    json_make("{s:o, s:o, s:I, s:f, s:o, s:o, s:o}", "rule",
				      json_text(slow->name), "domain", json_text(slow->domain),
				      "answers", (json_int_t)slow->answers, "average_ms",
				      milliseconds(slow->average_us), "half_ms",
				      bucket_json(slow->half), "most_ms", bucket_json(slow->most),
				      "text", json_text(text)));
	}
	it->tallies[FINDINGS_SLOW].count = it->slow_count;
}

/* ---- the walk ---- */

static void on_rule(void *context, const struct rule *rule)
{
	struct findings *it = context;

	if (it->wanted.sections[FINDINGS_RULES])
		look_at_use(it, rule);
	if (it->wanted.sections[FINDINGS_SLOW])
		look_at_answers(it, rule);
}

static void on_target(void *context, const struct served_target *target)
{
	struct findings *it = context;

	if (it->wanted.sections[FINDINGS_TARGETS])
		look_at_target(it, target);
}

static void begin_walk(struct findings *it)
{
	static const enum findings_section walked[] = {FINDINGS_RULES, FINDINGS_TARGETS,
						       FINDINGS_SLOW};
	const struct policy *policy = policy_of(it);

	for (size_t i = 0; i < COUNT(walked); i++) {
		struct section_tally *tally = &it->tallies[walked[i]];

		json_array_clear(tally->findings);
		*tally = (struct section_tally){.findings = tally->findings};
	}
	HASH_CLEAR(hh, it->linked);
	it->slow_count = 0;
	it->walks++;
	it->walk = (struct use_walk){0};
	for (uint32_t i = 0; i < policy->network_count; i++)
		for (uint32_t k = 0; k < policy->networks[i].ruleset_count; k++)
			note_linked(it, policy->networks[i].rulesets[k]);
}

/* True: there is more. */
static bool walk_on(struct findings *it)
{
	const struct use_walker walker = {on_target, on_rule, it};

	if (it->walks == 0 || (it->walk.moved && it->walks < WALKS_MAX))
		begin_walk(it);
	if (use_walk_step(&it->walk, it->service->server.current, &walker) ||
	    (it->walk.moved && it->walks < WALKS_MAX))
		return true;
	tell_slow(it);
	return false;
}

/* ---- names that leave the network ---- */

/* RFC 6762 and its appendix G, RFC 8375, ICANN's .internal, and default domains of operating
 * systems; single labels are checked separately. */
static const char *const internal_suffixes[] = {"local",       "internal",  "intranet", "private",
						"corp",        "home",      "lan",      "home.arpa",
						"localdomain", "workgroup", "mshome"};

static const char *internal_suffix(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < COUNT(internal_suffixes); i++) {
		const char *suffix = internal_suffixes[i];
		size_t suffix_length = strlen(suffix) + 1; /* with the final dot */

		if (length > suffix_length && name[length - suffix_length - 1] == '.' &&
		    strncmp(name + length - suffix_length, suffix, suffix_length - 1) == 0)
			return suffix;
	}
	return NULL;
}

static bool is_private_reverse(const struct name *name)
{
	struct prefix prefix;
	unsigned rest;

	return reverse_parse(name, &prefix, &rest) && prefix.length >= 8 &&
	       address_is_private(&prefix.address);
}

/* Only resolvers and tools ask for these types. */
static bool is_of_the_tree(uint16_t type)
{
	return type == TYPE_NS || type == TYPE_SOA || type == TYPE_DS || type == TYPE_DNSKEY;
}

struct leaving {
	const struct asked *asked;
	const struct name *name;
	const struct policy_network *network;
	const char *ruleset; /* of the rule that covers the name */
};

static void add_leaving(struct findings *it, const struct leaving *leaving, const char *why,
			const char *object, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
static void add_leaving(struct findings *it, const struct leaving *leaving, const char *why,
			const char *object, const char *format, ...)
{
	char text[TEXT_MAX] = "", name[NAME_TEXT_MAX], type[16];
	unsigned long long count = leaving->asked->question.count;
	size_t used;
	va_list arguments;

	name_to_text(leaving->name, name);
	record_type_print(leaving->asked->question.key.type, type, sizeof type);
	text_append(text, sizeof text, "%s %s in %s, asked for %llu time%s: ", name, type,
		    leaving->network->name, count, text_plural(count, "", "s"));
	used = strlen(text);
	va_start(arguments, format);
	vsnprintf(text + used, sizeof text - used, format, arguments);
	va_end(arguments);
	if (!has_room(it, FINDINGS_LEAVING)) {
		it->tallies[FINDINGS_LEAVING].count++;
		return;
	}
	add_finding(it, FINDINGS_LEAVING,
		    json_make("{s:o, s:s, s:o, s:I, s:s, s:o, s:o, s:o, s:o}", "name",
			      json_text(name), "type", type, "network",
			      json_text(leaving->network->name), "count", (json_int_t)count, "why",
			      why, "object", json_text(object), "ruleset",
			      json_text(leaving->ruleset), "reason", json_text(text + used), "text",
			      json_text(text)));
}

/* Whether the link's zone decides the name: the zone has it, or the link passes on no names. */
static bool has_name(const struct policy *policy, const struct policy_zone_link *link,
		     const struct leaving *leaving)
{
	const struct zone *served =
		link->registered ? policy->registered->zones[link->registered - 1].layers.served
				 : link->zone;
	struct zone_answer answer;

	if (link->resolution_policy != RESOLUTION_NXDOMAIN_FALLTHROUGH)
		return true;
	zone_find(served, leaving->name, leaving->asked->question.key.type, &answer);
	return answer.outcome != ZONE_NXDOMAIN;
}

/* The longest private zone that is not linked to this network and would decide the name; NULL:
 * none. Zones linked to this network have already passed the name on. */
static const struct policy_zone_link *zone_elsewhere(const struct findings *it,
						     const struct leaving *leaving)
{
	const struct name *name = leaving->name;
	unsigned label;
	const struct indexed_zone *zone = suffix_table_find(&it->zones, name, 0, &label);

	while (zone) {
		bool linked = suffix_table_get(&leaving->network->zones, name, label);

		for (; zone; zone = zone->next)
			if (!linked && has_name(policy_of(it), zone->link, leaving))
				return zone->link;
		if (label < name->labels)
			zone = suffix_table_find(&it->zones, name, label + 1, &label);
	}
	return NULL;
}

/* Adds a finding if the name looks internal, or a private zone would decide it; returns whether it
 * did. */
static bool leaves(struct findings *it, const struct leaving *leaving)
{
	const struct name *name = leaving->name;
	const struct policy_zone_link *zone = zone_elsewhere(it, leaving);
	char text[NAME_TEXT_MAX];
	const char *suffix = internal_suffix(name_to_text(name, text));

	if (is_private_reverse(name))
		add_leaving(it, leaving, "private_address", NULL,
			    "a private address is nobody's out there");
	else if (zone)
		add_leaving(it, leaving, "zone", zone->name,
			    "private zone %s is not linked to that network", zone->name);
	else if (suffix)
		add_leaving(it, leaving, "suffix", suffix, "no public name ends in .%s", suffix);
	else if (name->labels == 1 && !is_of_the_tree(leaving->asked->question.key.type))
		add_leaving(it, leaving, "single_label", NULL,
			    "a name of one label is nobody's out there");
	else
		return false;
	return true;
}

/* Adds a finding if a rule for a domain of two labels or more covers the name; shorter domains
 * cover public names. True: out of lookups, another portion goes on. */
static bool leaves_a_rule(struct findings *it, struct leaving *leaving, unsigned *lookups)
{
	const struct policy *policy = policy_of(it);
	unsigned label = 0;

	for (; it->at_ruleset < policy->ruleset_count; it->at_ruleset++) {
		const struct ruleset *ruleset = policy->rulesets[it->at_ruleset];
		const struct rule *rule;

		if (*lookups == 0)
			return true;
		--*lookups;
		rule = ruleset_next(ruleset, leaving->name, 0, &label);
		if (!rule || !rule->name || leaving->name->labels - label < 2)
			continue;
		leaving->ruleset = rule->ruleset;
		add_leaving(it, leaving, "rule", rule->name,
			    rule->enabled
				    ? "rule %s/%s is for it, and its ruleset is not linked to "
				      "that network"
				    : "rule %s/%s is for it, and is disabled",
			    rule->ruleset, rule->name);
		break;
	}
	return false;
}

/* Whether the zone is linked, and every link passes on names that the zone does not have. */
static bool passes_on(const struct private_zone *zone)
{
	for (size_t i = 0; i < zone->links.count; i++)
		if (zone->links.items[i].resolution_policy != RESOLUTION_NXDOMAIN_FALLTHROUGH)
			return false;
	return zone->links.count > 0;
}

static void index_zones(struct findings *it)
{
	const struct policy *policy = policy_of(it);
	const struct model *model = it->service->server.model;
	size_t count = policy->private_zone_count;

	it->has_zones = true;
	it->generation = it->service->server.current->generation;
	it->zones = (struct suffix_table){.slots = NULL};
	struct indexed_zone *zones = arena_alloc_array(&it->arena, count + 1, sizeof *zones);
	if (!zones || suffix_table_init(&it->zones, &it->arena, count + 1) != 0) {
		it->failed = true;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		struct indexed_zone *zone = &zones[i], *first;
		const struct name *apex;

		zone->link = &policy->zone_links[POLICY_ZONE_WAYS * i];
		if (passes_on(&model->private_zones.items[i]))
			zone->link += RESOLUTION_NXDOMAIN_FALLTHROUGH;
		apex = zone_apex(zone->link->zone);
		first = suffix_table_get(&it->zones, apex, 0);
		if (first) {
			zone->next = first->next;
			first->next = zone;
		} else if (suffix_table_add(&it->zones, &it->arena, apex, zone) != 0) {
			it->failed = true;
		}
	}
}

/* Whether the name still goes to the default resolver: the policy may have changed since the name
 * was counted. */
static bool is_default(const struct policy *policy, struct place place, const struct asked *asked,
		       const struct name *name)
{
	struct verdict verdict;

	policy_decide(policy, place, name, asked->question.key.type, &verdict, NULL);
	return verdict.kind == VERDICT_FORWARD && verdict.by == DECIDED_DEFAULT;
}

/* False: another portion goes on with this name. */
static bool look_at_name(struct findings *it, const struct asked *asked, unsigned *lookups)
{
	const struct policy *policy = policy_of(it);
	struct leaving leaving = {.asked = asked};
	struct place place;
	struct name name;

	--*lookups;
	if (!asked_place(asked, policy, &place) || !asked_name(asked, policy, &name))
		return true;
	leaving.name = &name;
	leaving.network = &policy->networks[place.network];
	if (!is_default(policy, place, asked, &name))
		return true;
	if (it->at_ruleset == 0 && leaves(it, &leaving))
		return true;
	return !leaves_a_rule(it, &leaving, lookups);
}

/* ---- names ---- */

static bool show_name(struct findings *it, const struct asked *asked)
{
	char text[TEXT_MAX] = "", decided[PLAN_TEXT_MAX];
	json_t *question = plan_question(policy_of(it), asked);
	unsigned long long count = asked->question.count;

	if (!question)
		return false;
	text_append(text, sizeof text, "%s %s in %s, asked for %llu time%s: %s",
		    json_string_value(json_object_get(question, "name")),
		    json_string_value(json_object_get(question, "type")),
		    json_string_value(json_object_get(question, "network")), count,
		    text_plural(count, "", "s"),
		    plan_text(json_object_get(question, "decided"), decided));
	json_object_del(question, "decided");
	json_put(question, "by", json_text(decided));
	json_put(question, "text", json_text(text));
	add_finding(it, FINDINGS_NAMES, question);
	return true;
}

/* True: there is more. */
static bool names_on(struct findings *it)
{
	unsigned lookups = LOOKUPS, shown = 0;

	if (it->has_zones && it->generation != it->service->server.current->generation)
		it->has_zones = false;
	if (!it->has_zones)
		index_zones(it);
	for (; it->at < it->asked.count; it->at++, it->at_ruleset = 0) {
		const struct asked *asked = &it->asked.items[it->at];

		if (lookups == 0 || shown == NAMES_SHOWN)
			return true;
		if (it->wanted.sections[FINDINGS_LEAVING] && !it->failed &&
		    !look_at_name(it, asked, &lookups))
			return true;
		it->tallies[FINDINGS_LEAVING].looked_at++;
		if (!it->wanted.sections[FINDINGS_NAMES])
			continue;
		it->tallies[FINDINGS_NAMES].looked_at++;
		if (has_room(it, FINDINGS_NAMES))
			shown += show_name(it, asked);
	}
	return false;
}

/* ---- summaries ---- */

/* "2 of 7 rules", "none of 7 rules", "no rules" */
static void add_count(char *text, const struct section_tally *tally, const char *noun)
{
	const char *more = text_plural(tally->looked_at, "", "s");

	if (tally->looked_at == 0)
		text_append(text, SUMMARY_MAX, "no %s%s", noun, more);
	else if (tally->count == 0)
		text_append(text, SUMMARY_MAX, "none of %zu %s%s", tally->looked_at, noun, more);
	else
		text_append(text, SUMMARY_MAX, "%zu of %zu %s%s", tally->count, tally->looked_at,
			    noun, more);
}

static void summarize_uses(const struct findings *it, const struct section_tally *tally,
			   const char *noun, const char *had, char text[SUMMARY_MAX])
{
	char at[32];

	add_count(text, tally, noun);
	if (it->wanted.days)
		text_append(text, SUMMARY_MAX, " %s for %u day%s", had, it->wanted.days,
			    text_plural(it->wanted.days, "", "s"));
	else
		text_append(text, SUMMARY_MAX, " %s at any time", had);
	if (tally->since_s)
		text_append(text, SUMMARY_MAX, "; counted since %s", time_text(tally->since_s, at));
	if (tally->young > 0)
		text_append(text, SUMMARY_MAX,
			    "; %zu not used so far, but known for a shorter time", tally->young);
}

static void add_day(const struct findings *it, char text[SUMMARY_MAX])
{
	if (it->service->server.model->count_names)
		text_append(text, SUMMARY_MAX,
			    " (of the last 12 to 24 hours, without what the cache answered)");
	else
		text_append(text, SUMMARY_MAX, " (count_names is false: nothing is counted)");
}

static size_t number(const json_t *object, const char *key)
{
	return (size_t)json_integer_value(json_object_get(object, key));
}

static void summarize_round(const json_t *section, const char *noun, const char *fault,
			    char text[SUMMARY_MAX])
{
	const char *state = json_string_value(json_object_get(section, "state"));
	const char *ended = json_string_value(json_object_get(section, "ended"));
	const json_t *of = json_object_get(section, "of");
	struct section_tally tally = {.looked_at = number(section, "looked_at"),
				      .count = number(section, "count")};
	size_t unknown = number(section, "unknown_count");

	add_count(text, &tally, noun);
	text_append(text, SUMMARY_MAX, " %s", fault);
	if (unknown > 0)
		text_append(text, SUMMARY_MAX, "; %zu could not be found out", unknown);
	if (state && strcmp(state, "running") == 0) {
		text_append(text, SUMMARY_MAX, "; still being asked");
		if (json_is_integer(of))
			text_append(text, SUMMARY_MAX, ", of %lld",
				    (long long)json_integer_value(of));
	} else if (ended) {
		text_append(text, SUMMARY_MAX, "; asked until %s", ended);
	}
}

static json_t *round_section(struct findings *it, enum findings_section section,
			     char text[SUMMARY_MAX])
{
	bool is_ptrs = section == FINDINGS_PTRS;
	enum round_kind kind = is_ptrs ? ROUND_PTRS : ROUND_DELEGATIONS;
	json_t *made;

	rounds_want(it->service->rounds, kind);
	made = rounds_report(it->service->rounds, kind, it->wanted.limit);
	summarize_round(made, is_ptrs ? "PTR" : "public reverse zone",
			is_ptrs ? "without a way back" : "without a delegation to us alone", text);
	if (!is_ptrs && it->service->server.model->reverse.name_servers.count == 0)
		text_append(text, SUMMARY_MAX,
			    "; reverse.name_servers is not set, so any delegation counts");
	return made;
}

static json_t *tally_section(struct findings *it, enum findings_section section,
			     char text[SUMMARY_MAX])
{
	struct section_tally *tally = &it->tallies[section];
	json_t *made = json_make("{s:I, s:I, s:O}", "count", (json_int_t)tally->count, "looked_at",
				 (json_int_t)tally->looked_at, "findings", tally->findings);

	if (section == FINDINGS_RULES || section == FINDINGS_TARGETS)
		json_put(made, "young", json_integer((json_int_t)tally->young));
	if (section == FINDINGS_RULES) {
		summarize_uses(it, tally, "rule", "without a hit", text);
	} else if (section == FINDINGS_TARGETS) {
		summarize_uses(it, tally, "target", "without a question", text);
	} else if (section == FINDINGS_SLOW) {
		add_count(text, tally, "rule");
		text_append(text, SUMMARY_MAX,
			    " with targets that take over 100 ms for more than 5 of 100 answers "
			    "(since the server started; rules with fewer than %d answers left out)",
			    SLOW_ANSWERS);
	} else if (section == FINDINGS_LEAVING) {
		add_count(text, tally, "name");
		text_append(text, SUMMARY_MAX, " asked of the default resolver and internal");
		add_day(it, text);
	} else {
		text_append(text, SUMMARY_MAX, "%zu name%s most asked for", tally->looked_at,
			    text_plural(tally->looked_at, "", "s"));
		add_day(it, text);
	}
	if (tally->since_s)
		json_put(made, "since", json_time(tally->since_s));
	return made;
}

static json_t *report_of(struct findings *it)
{
	json_t *sections = json_array();

	for (unsigned i = 0; i < FINDINGS_SECTIONS; i++) {
		char text[SUMMARY_MAX] = "";
		json_t *section;

		if (!it->wanted.sections[i])
			continue;
		section = i == FINDINGS_PTRS || i == FINDINGS_DELEGATIONS
				  ? round_section(it, i, text)
				  : tally_section(it, i, text);
		json_put(section, "section", json_string(findings_names[i]));
		json_put(section, "summary", json_text(text));
		json_put(section, "advice", json_string(advices[i]));
		json_add(sections, section);
	}
	return json_make("{s:o, s:I, s:o}", "time", json_time(it->now_s), "days",
			 (json_int_t)it->wanted.days, "sections", sections);
}

/* ---- the job ---- */

static void findings_free(struct findings *it)
{
	for (unsigned i = 0; i < FINDINGS_SECTIONS; i++)
		json_decref(it->tallies[i].findings);
	HASH_CLEAR(hh, it->linked);
	free(it->slow);
	if (it->gathered)
		asked_release(&it->asked);
	arena_release(&it->arena);
	free(it);
}

static bool on_portion(void *job)
{
	struct findings *it = job;

	if (!it->walked) {
		it->walked = !walk_on(it);
		return true;
	}
	return it->gathered && names_on(it);
}

static void on_end(void *job)
{
	struct findings *it = job;
	void (*on_done)(void *context, json_t *report) = it->on_done;
	void *context = it->context;
	json_t *report = NULL;

	if (!it->job.given_up && !it->failed)
		report = json_whole(report_of(it));
	findings_free(it);
	on_done(context, report);
}

static void gather(void *job) /* in a thread of its own */
{
	struct findings *it = job;

	it->failed = asked_read(&it->asked, &it->service->asked) != 0;
}

static int go_on(struct findings *it)
{
	bool walks = it->wanted.sections[FINDINGS_RULES] || it->wanted.sections[FINDINGS_TARGETS] ||
		     it->wanted.sections[FINDINGS_SLOW];

	it->walked = !walks;
	return work_beside_in_portions(&it->service->work, &it->job, on_portion, on_end)
		       ? 0
		       : ERR_SYSTEM;
}

static void on_gathered(void *job)
{
	struct findings *it = job;

	it->gathered = true;
	if (go_on(it) == 0)
		return;
	it->failed = true;
	on_end(job);
}

int findings_begin(struct service *service, const struct findings_wanted *wanted,
		   void (*on_done)(void *context, json_t *report), void *context)
{
	struct findings *it = calloc(1, sizeof *it);
	int err;

	if (!it)
		return ERR_NOMEM;
	it->service = service;
	it->wanted = *wanted;
	it->on_done = on_done;
	it->context = context;
	it->now_s = time(NULL);
	it->job.large = wanted->sections[FINDINGS_LEAVING] || wanted->sections[FINDINGS_NAMES];
	arena_init(&it->arena);
	for (unsigned i = 0; i < FINDINGS_SECTIONS; i++)
		it->tallies[i].findings = json_array();
	if (!it->job.large)
		err = go_on(it);
	else
		err = work_beside_in_thread(&service->work, &it->job, gather, on_gathered)
			      ? 0
			      : ERR_SYSTEM;
	if (err)
		findings_free(it);
	return err;
}
