/*     timer ─► next item, if there is room ─► questions (server_ask) ─► note_end: kept
 *
 * Each step of a round reads the data served at that moment, so a change takes effect from the next
 * step on. */
#include "resolver/control/service/rounds.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "resolver/control/base/json.h"
#include "resolver/control/resource/reverse_check.h"
#include "resolver/log.h"
#include "rules/base.h"
#include "rules/policy/reverse_zones.h"
#include "rules/reverse.h"
#include "rules/schema/reference.h"
#include "rules/text.h"

enum {
	TICK_MS = 100,
	TICK_ITEMS = ROUND_A_SECOND * TICK_MS / 1000,
	ZONES_OF_A_POOL = 256,
	OUTSIDE_MS = 5000,
};

struct reverse_item { /* a reverse zone (struct reverse_zone) */
	char origin[NAME_TEXT_MAX], alias[NAME_TEXT_MAX];
	char pool[256];
	struct prefix prefix;
	bool classless;
};

struct round {
	struct rounds *rounds;
	enum round_kind kind;
	bool running, walked; /* walked: every item was begun */
	int64_t began_s, ended_s;
	uint64_t began_ms, ended_ms;
	unsigned under_way;
	size_t looked_at, of, count, unknown_count;
	json_t *found, *unknown; /* findings, by subject */
	json_t *before;          /* findings of the round before */
	/* The position of the walk. */
	struct owned_cursor cursor;
	unsigned family;
	size_t pool;
	struct reverse_item *zones; /* the zones of the pool */
	size_t zone, zone_count;
};

struct rounds {
	struct server *server;
	uv_timer_t timer;
	bool resting;
	struct round rounds[ROUND_KINDS];
};

static const struct round_row {
	/* Begins the next item; false: there are no more. */
	bool (*next)(struct round *round);
	const char *one, *many, *fault, *faults, *section; /* for the log */
} rows[ROUND_KINDS];

/* ---- findings ---- */

/* Ends an item, and takes the finding over. NULL: the item is fine. */
static void note_end(struct round *round, json_t *finding, bool is_known)
{
	json_t *object = is_known ? round->found : round->unknown;
	const char *subject = json_string_value(json_object_get(finding, "subject"));
	size_t most = is_known ? ROUND_KEPT_MAX : ROUND_UNKNOWN_MAX;

	round->under_way--;
	round->looked_at++;
	if (!finding)
		return;
	*(is_known ? &round->count : &round->unknown_count) += 1;
	if (subject && json_object_size(object) < most)
		json_object_set(object, subject, finding);
	json_decref(finding);
}

static void tell_new(const struct round *round)
{
	const struct round_row *row = &rows[round->kind];
	const char *subject, *first = NULL;
	json_t *finding;
	size_t fresh = 0;

	json_object_foreach(round->found, subject, finding)
	{
		if (json_object_get(round->before, subject))
			continue;
		if (fresh++ == 0)
			first = json_string_value(json_object_get(finding, "text"));
	}
	if (fresh > 0 && first)
		log_event(LOG_WARNING, "report",
			  "%zu of %zu %s %s; new is %s%s; `sluice report %s` lists them",
			  round->count, round->looked_at,
			  text_plural(round->looked_at, row->one, row->many),
			  text_plural(round->count, row->fault, row->faults), first,
			  fresh > 1 ? ", and more" : "", row->section);
}

static void end_round(struct round *round)
{
	round->running = false;
	round->ended_s = time(NULL);
	round->ended_ms = uv_hrtime() / 1000000;
	round->of = round->looked_at;
	free(round->zones);
	round->zones = NULL;
	tell_new(round);
}

/* ---- PTRs ---- */

static void on_checked(void *context, enum reverse_result result, json_t *report)
{
	struct round *round = context;

	if (result == REVERSE_CONFIRMED) {
		json_decref(report);
		report = NULL;
	}
	note_end(round, report, result != REVERSE_FAILED);
}

static const struct rrset *next_ptr(struct round *round, const struct owned *owned,
				    struct address *address)
{
	static const uint8_t families[] = {4, 6};
	const struct rrset *set = NULL;

	while (round->family < COUNT(families)) {
		const struct prefix all = {.address.family = families[round->family]};

		if (!round->cursor.within.address.family)
			owned_cursor_begin(&round->cursor, &all);
		set = owned_cursor_ptr(&round->cursor, owned, address);
		if (set)
			return set;
		round->cursor = (struct owned_cursor){.over = false};
		round->family++;
	}
	return NULL;
}

static bool begin_ptr(struct round *round)
{
	struct server *server = round->rounds->server;
	const struct model *model = server->model;
	struct reverse_question question = {.network = model->reverse.resolve_in};
	const struct virtual_network *network;
	char text[NAME_TEXT_MAX];
	struct name name;
	size_t length;
	const struct rrset *set =
		next_ptr(round, server->current->policy->owned, &question.address);
	const uint8_t *wire;

	if (!set)
		return false;
	network = model_network_of(model, &question.address);
	if (network)
		question.network = full_name(&network->named);
	wire = rrset_rdata(set, &length);
	round->under_way++;
	if (name_from_wire(&name, &server->key, wire, length, 0, NULL) != 0) {
		note_end(round, NULL, true);
		return true;
	}
	question.name = name_to_text(&name, text);
	if (reverse_check(server, &question, on_checked, round) != 0) {
		char subject[ADDRESS_TEXT_MAX];

		note_end(round,
			 json_make("{s:s, s:s, s:s}", "subject",
				   address_print(&question.address, subject), "result", "failed",
				   "text", err_text(ERR_NOMEM)),
			 false);
	}
	return true;
}

/* ---- delegations ---- */

struct delegation_check {
	struct round *round;
	struct reverse_item zone;
	struct name origin, alias; /* alias.length 0: no alias */
	char owner[NAME_TEXT_MAX], inside[NAME_TEXT_MAX], inside_alias[NAME_TEXT_MAX];
	unsigned waiting;
	char servers[512]; /* name servers that are not ours */
	unsigned ours, others;
	bool has_cname; /* the asked address's ordinary name is a CNAME into the zone */
	/* Why the question for the zone's servers, or for that CNAME, has no answer. */
	char trouble[ASK_TROUBLE_MAX], cname_trouble[ASK_TROUBLE_MAX];
};

static bool is_ours(const struct delegation_check *check, const struct name *server)
{
	const struct reverse_settings *reverse = &check->round->rounds->server->model->reverse;
	const struct hash_key *key = &check->round->rounds->server->key;
	struct name name;

	for (size_t i = 0; i < reverse->name_servers.count; i++)
		if (name_from_text(&name, key, reverse->name_servers.items[i]) == 0 &&
		    name_equal(&name, server))
			return true;
	return reverse->name_servers.count == 0; /* our name servers are unknown: any will do */
}

static void end_check(struct delegation_check *check)
{
	const struct reverse_item *zone = &check->zone;
	char text[4 * NAME_TEXT_MAX] = "", prefix[PREFIX_TEXT_MAX];
	const char *result = "mismatch";
	bool known = true;

	if (*check->trouble && check->ours + check->others == 0) {
		known = false;
		result = "failed";
		snprintf(text, sizeof text, "%s could not be looked up: %s", zone->origin,
			 check->trouble);
	} else if (check->ours + check->others == 0) {
		result = "missing";
		snprintf(text, sizeof text, "%s is not delegated by the zone above it",
			 zone->origin);
	} else if (check->ours == 0) {
		snprintf(text, sizeof text, "%s is delegated to %s, and not to us", zone->origin,
			 check->servers);
	} else if (check->others > 0) {
		snprintf(text, sizeof text,
			 "%s is delegated to us and to %s, which reverse.name_servers has not",
			 zone->origin, check->servers);
	} else if (zone->classless && !check->has_cname && *check->cname_trouble) {
		known = false;
		result = "failed";
		snprintf(text, sizeof text, "%s could not be looked up: %s", check->owner,
			 check->cname_trouble);
	} else if (zone->classless && !check->has_cname) {
		result = "missing";
		snprintf(text, sizeof text, "%s is no CNAME to %s in the zone above", check->owner,
			 check->inside);
	}
	note_end(check->round,
		 *text ? json_make("{s:o, s:s, s:o, s:o, s:s}", "subject", json_text(zone->origin),
				   "result", result, "text", json_text(text), "pool",
				   json_text(zone->pool), "prefix",
				   prefix_print(&zone->prefix, prefix))
		       : NULL,
		 known);
	free(check);
}

static bool is_the_zone(const struct delegation_check *check, const struct name *name)
{
	return name_equal(name, &check->origin) ||
	       (check->alias.length > 0 && name_equal(name, &check->alias));
}

static void read_servers(struct delegation_check *check, const struct ask_answer *answer)
{
	const struct hash_key *key = &check->round->rounds->server->key;
	struct ask_records records = ask_answer_records(answer);
	struct record_view record;
	struct name owner, server;
	char text[NAME_TEXT_MAX];

	while (ask_records_next(&records, &record)) {
		if (record.type != TYPE_NS ||
		    name_from_wire(&owner, key, answer->wire, answer->length, record.owner, NULL) !=
			    0 ||
		    !is_the_zone(check, &owner) ||
		    name_from_wire(&server, key, answer->wire, answer->length, record.rdata,
				   NULL) != 0)
			continue;
		if (is_ours(check, &server)) {
			check->ours++;
			continue;
		}
		text_append(check->servers, sizeof check->servers, "%s%s",
			    check->others++ > 0 ? ", " : "", name_to_text(&server, text));
	}
}

static void read_cname(struct delegation_check *check, const struct ask_answer *answer)
{
	const struct hash_key *key = &check->round->rounds->server->key;
	struct ask_records records = ask_answer_records(answer);
	struct record_view record;
	struct name target;
	char text[NAME_TEXT_MAX];

	while (ask_records_next(&records, &record))
		if (record.type == TYPE_CNAME &&
		    name_from_wire(&target, key, answer->wire, answer->length, record.rdata,
				   NULL) == 0) {
			name_to_text(&target, text);
			check->has_cname = check->has_cname || strcmp(text, check->inside) == 0 ||
					   strcmp(text, check->inside_alias) == 0;
		}
}

static void on_servers(void *context, const struct ask_answer *answer)
{
	struct delegation_check *check = context;
	char text[ASK_TROUBLE_MAX];
	const char *trouble = ask_answer_trouble(answer, text);

	if (trouble)
		snprintf(check->trouble, sizeof check->trouble, "%s", trouble);
	else
		read_servers(check, answer);
	if (--check->waiting == 0)
		end_check(check);
}

/* If the answer has the CNAME, the zone above is right, even if the end of the chain fails. Without
 * the CNAME, a failure leaves open what the zone above has. */
static void on_cname(void *context, const struct ask_answer *answer)
{
	struct delegation_check *check = context;
	char text[ASK_TROUBLE_MAX];
	const char *trouble = ask_answer_trouble(answer, text);

	if (answer->end == ASK_END_ANSWERED)
		read_cname(check, answer);
	if (trouble)
		snprintf(check->cname_trouble, sizeof check->cname_trouble, "%s", trouble);
	if (--check->waiting == 0)
		end_check(check);
}

/* `trouble` gets the reason if the question cannot be asked. */
static void ask_outside(struct delegation_check *check, const char *text, uint16_t type,
			void (*on_answer)(void *context, const struct ask_answer *answer),
			char trouble[ASK_TROUBLE_MAX])
{
	struct server *server = check->round->rounds->server;
	struct name name;
	const struct ask_question question = {.name = &name,
					      .type = type,
					      .outside = true,
					      .patience_us = (uint64_t)OUTSIDE_MS * 1000};
	int err = name_from_text(&name, &server->key, text);

	if (!err)
		err = server_ask(server, &question, on_answer, check);
	if (!err)
		check->waiting++;
	else
		snprintf(trouble, ASK_TROUBLE_MAX, "it could not be asked: %s", err_text(err));
}

/* One address, preferably one with a PTR, represents all of the zone. */
static void ask_cname(struct delegation_check *check)
{
	const struct reverse_item *zone = &check->zone;
	const struct owned *owned = check->round->rounds->server->current->policy->owned;
	struct address address;
	struct owned_cursor cursor;

	owned_cursor_begin(&cursor, &zone->prefix);
	if (!owned_cursor_ptr(&cursor, owned, &address))
		address = zone->prefix.address;
	reverse_text(&address, check->owner);
	snprintf(check->inside, sizeof check->inside, "%u.%s", address.bytes[3], zone->origin);
	if (*zone->alias)
		snprintf(check->inside_alias, sizeof check->inside_alias, "%u.%s", address.bytes[3],
			 zone->alias);
	ask_outside(check, check->owner, TYPE_PTR, on_cname, check->cname_trouble);
}

static void begin_check(struct round *round, const struct reverse_item *zone)
{
	struct delegation_check *check = calloc(1, sizeof *check);

	round->under_way++;
	if (!check ||
	    name_from_text(&check->origin, &round->rounds->server->key, zone->origin) != 0) {
		free(check);
		note_end(round, NULL, true);
		return;
	}
	check->round = round;
	check->zone = *zone;
	check->waiting = 1; /* held until all questions are asked */
	ask_outside(check, zone->origin, TYPE_NS, on_servers, check->trouble);
	if (*zone->alias &&
	    name_from_text(&check->alias, &round->rounds->server->key, zone->alias) == 0)
		ask_outside(check, zone->alias, TYPE_NS, on_servers, check->trouble);
	else
		check->alias.length = 0;
	if (zone->classless)
		ask_cname(check);
	if (--check->waiting == 0)
		end_check(check);
}

static int on_zone(void *context, const struct reverse_zone *zone)
{
	struct round *round = context;
	struct reverse_item *item = &round->zones[round->zone_count];

	if (address_is_private(&zone->prefix.address) || round->zone_count == ZONES_OF_A_POOL)
		return 0; /* no zone above delegates a private one; the others are too many */
	*item = (struct reverse_item){.prefix = zone->prefix, .classless = zone->classless};
	snprintf(item->origin, sizeof item->origin, "%s", zone->origin);
	snprintf(item->alias, sizeof item->alias, "%s", zone->alias ? zone->alias : "");
	snprintf(item->pool, sizeof item->pool, "%s", full_name(&zone->pool->named));
	round->zone_count++;
	return 0;
}

/* False: no more pools, or no memory. */
static bool next_pool(struct round *round)
{
	const struct model *model = round->rounds->server->model;
	int err;

	if (!round->zones)
		round->zones = calloc(ZONES_OF_A_POOL, sizeof *round->zones);
	if (!round->zones || round->pool >= model->address_pools.count)
		return false;
	round->zone = round->zone_count = 0;
	err = reverse_each_pool_zone(&model->address_pools.items[round->pool++], on_zone, round);
	(void)err; /* on_zone returns none */
	return true;
}

static bool begin_zone(struct round *round)
{
	while (round->zone == round->zone_count)
		if (!next_pool(round))
			return false;
	begin_check(round, &round->zones[round->zone++]);
	return true;
}

static const struct round_row rows[ROUND_KINDS] = {
	[ROUND_PTRS] = {begin_ptr, "PTR", "PTRs", "does not lead back", "do not lead back", "ptrs"},
	[ROUND_DELEGATIONS] = {begin_zone, "reverse zone", "reverse zones",
			       "is not delegated to us", "are not delegated to us", "delegations"},
};

/* ---- the pace ---- */

static void go_on(struct round *round)
{
	if (!round->rounds->server->current)
		return;
	for (unsigned i = 0; i < TICK_ITEMS && !round->walked && round->under_way < ROUND_AT_ONCE;
	     i++)
		round->walked = !rows[round->kind].next(round);
	if (round->walked && round->under_way == 0)
		end_round(round);
}

static void on_timer(uv_timer_t *timer)
{
	struct rounds *rounds = timer->data;
	bool any = false;

	for (unsigned i = 0; i < ROUND_KINDS; i++) {
		if (rounds->rounds[i].running)
			go_on(&rounds->rounds[i]);
		any = any || rounds->rounds[i].running;
	}
	if (!any)
		uv_timer_stop(timer);
}

static uint64_t good_ms(const struct round *round)
{
	uint64_t ms = (round->ended_ms - round->began_ms) * ROUND_GOOD_FOR;

	return ms > ROUND_GOOD_MIN_MS ? ms : ROUND_GOOD_MIN_MS;
}

static bool is_good(const struct round *round)
{
	return round->ended_s && uv_hrtime() / 1000000 - round->ended_ms < good_ms(round);
}

void rounds_want(struct rounds *rounds, enum round_kind kind)
{
	struct round *round = &rounds->rounds[kind];
	const struct snapshot *current = rounds->server->current;

	if (rounds->resting || round->running || is_good(round) || !current)
		return;
	json_decref(round->before);
	json_decref(round->unknown);
	*round = (struct round){
		.rounds = rounds,
		.kind = kind,
		.running = true,
		.began_s = time(NULL),
		.began_ms = uv_hrtime() / 1000000,
		.of = kind == ROUND_PTRS ? owned_ptr_count(current->policy->owned) : 0,
		.found = json_object(),
		.unknown = json_object(),
		.before = round->found,
	};
	uv_timer_start(&rounds->timer, on_timer, 0, TICK_MS);
}

void rounds_rest(struct rounds *rounds)
{
	rounds->resting = true;
	uv_timer_stop(&rounds->timer);
}

/* ---- reports ---- */

static json_t *values_of(const json_t *object, size_t limit)
{
	json_t *array = json_array(), *value;
	const char *key;

	json_object_foreach((json_t *)object, key, value)
	{
		if (json_array_size(array) < limit)
			json_add(array, json_incref(value));
	}
	return array;
}

/* Until when the result is valid; 0: a round is under way, or there was none. */
static int64_t good_until_s(const struct round *round)
{
	return round->ended_s ? round->ended_s + (int64_t)(good_ms(round) / 1000) : 0;
}

static json_t *time_or_null(int64_t at_s)
{
	return at_s ? json_time(at_s) : json_null();
}

json_t *rounds_report(const struct rounds *rounds, enum round_kind kind, size_t limit)
{
	const struct round *round = &rounds->rounds[kind];
	bool counted = round->began_s && (!round->running || kind == ROUND_PTRS);

	return json_make("{s:s, s:o, s:o, s:o, s:I, s:o, s:I, s:o, s:I, s:o}", "state",
			 round->running   ? "running"
			 : round->began_s ? "done"
					  : "never",
			 "began", time_or_null(round->began_s), "ended",
			 time_or_null(round->ended_s), "good_until",
			 time_or_null(good_until_s(round)), "looked_at",
			 (json_int_t)round->looked_at, "of",
			 counted ? json_integer((json_int_t)round->of) : json_null(), "count",
			 (json_int_t)round->count, "findings", values_of(round->found, limit),
			 "unknown_count", (json_int_t)round->unknown_count, "unknown",
			 values_of(round->unknown, ROUND_UNKNOWN_MAX));
}

/* ---- opening and closing ---- */

struct rounds *rounds_new(uv_loop_t *loop, struct server *server)
{
	struct rounds *rounds = calloc(1, sizeof *rounds);

	if (!rounds || uv_timer_init(loop, &rounds->timer) != 0) {
		free(rounds);
		return NULL;
	}
	rounds->timer.data = rounds;
	rounds->server = server;
	return rounds;
}

void rounds_free(struct rounds *rounds)
{
	for (unsigned i = 0; rounds && i < ROUND_KINDS; i++) {
		json_decref(rounds->rounds[i].found);
		json_decref(rounds->rounds[i].before);
		json_decref(rounds->rounds[i].unknown);
		free(rounds->rounds[i].zones);
	}
	free(rounds);
}
