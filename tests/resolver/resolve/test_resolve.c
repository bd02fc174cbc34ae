/* The edges of a query's story; the stories themselves are in tests/scenarios. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/text.h"
#include "tests/lib/message_text.h"
#include "tests/lib/model_builder.h"
#include "tests/lib/stage.h"

enum { MS = 1000, S = 1000 * 1000 };

struct fixture {
	struct model *model;
	struct stage *stage;
	struct message_text got;                                  /* of the last answer looked at */
	uint64_t before[sizeof(struct stats) / sizeof(uint64_t)]; /* counters */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	f->model = model_start();
	model_add_network(f->model, "hub", "10.10.0.0/16");
	model_add_resolver(f->model, "hub", "hub", NULL);
	model_add_zone(f->model, "corp.internal", "www 300 A 10.10.1.1\n", "hub");
	model_add_default(f->model, "192.0.2.53");
	f->stage = stage_new();
	*state = f;
	return f->stage ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	message_text_release(&f->got);
	stage_free(f->stage);
	model_free(f->model);
	free(f);
	return 0;
}

static void load(struct fixture *f)
{
	model_place_endpoints(f->model);
	assert_true(stage_load(f->stage, f->model));
}

static struct stage_client *ask_in(struct fixture *f, const char *name, uint16_t type,
				   uint16_t class, bool tcp)
{
	static uint16_t id;
	uint8_t wire[MESSAGE_UDP_MIN];
	size_t length = request_write(wire, ++id, FLAG_RD, name, type, class, 1232, false);
	struct stage_client *client =
		stage_ask(f->stage, name, (struct place){0, false}, wire, length, tcp);

	assert_non_null(client);
	return client;
}

static struct stage_client *ask(struct fixture *f, const char *name)
{
	return ask_in(f, name, TYPE_A, CLASS_IN, false);
}

static const char *status(struct fixture *f, const struct stage_client *client)
{
	if (!client->answers)
		return "none";
	message_text_release(&f->got);
	assert_int_equal(client->answers, 1);
	assert_true(message_read_text(&f->got, client->reply, client->reply_length));
	return f->got.status;
}

static unsigned packets(const struct fixture *f)
{
	unsigned count = 0;

	for (const struct stage_packet *p = f->stage->packets; p; p = p->next)
		count++;
	return count;
}

/* The newest packet is answered so. */
static void answer_as(struct fixture *f, unsigned rcode, const char *records)
{
	struct stage_packet *last = f->stage->packets;
	uint8_t wire[MESSAGE_MAX];

	while (last->next)
		last = last->next;
	size_t length = reply_write(wire, last->wire, last->length, rcode, 0, records);
	assert_true(lookup_on_reply(&f->stage->lookups, last, &last->peer, wire, length,
				    f->stage->now_us));
}

static void answer_with(struct fixture *f, const char *records)
{
	answer_as(f, RCODE_NOERROR, records);
}

/* The newest packet is answered with one A record of that TTL, or an error. */
static void answer(struct fixture *f, unsigned rcode, int ttl)
{
	struct stage_packet *last = f->stage->packets;
	uint8_t wire[MESSAGE_MAX];
	struct message_text asked;
	char record[400] = "";

	while (last->next)
		last = last->next;
	assert_true(message_read_text(&asked, last->wire, last->length));
	if (rcode == RCODE_NOERROR)
		snprintf(record, sizeof record, "answer %.*s %d IN A 192.0.2.9",
			 (int)strcspn(asked.question, " "), asked.question, ttl);
	message_text_release(&asked);
	size_t length = reply_write(wire, last->wire, last->length, rcode, 0, record);
	assert_true(lookup_on_reply(&f->stage->lookups, last, &last->peer, wire, length,
				    f->stage->now_us));
}

/* ---- what is not looked up ---- */

static void meta_types_and_other_classes_have_their_own_errors(void **state)
{
	static const struct {
		uint16_t type, class;
		const char *status;
		int ede;
	} rows[] = {
		{TYPE_AXFR, CLASS_IN, "REFUSED", EDE_PROHIBITED},
		{TYPE_IXFR, CLASS_IN, "REFUSED", EDE_PROHIBITED},
		{TYPE_MAILA, CLASS_IN, "NOTIMPL", -1},
		{TYPE_MAILB, CLASS_IN, "NOTIMPL", -1},
		{TYPE_TSIG, CLASS_IN, "FORMERR", -1},
		{TYPE_TKEY, CLASS_IN, "REFUSED", EDE_NOT_SUPPORTED},
		{TYPE_TKEY, CLASS_ANY, "REFUSED", EDE_NOT_SUPPORTED},
		{TYPE_OPT, CLASS_IN, "FORMERR", -1},
		{TYPE_NXNAME, CLASS_IN, "FORMERR", EDE_INVALID_TYPE},
		{TYPE_A, CLASS_NONE, "REFUSED", EDE_NOT_SUPPORTED},
		{TYPE_A, CLASS_ANY, "REFUSED", EDE_NOT_SUPPORTED},
		{TYPE_A, CLASS_CH, "REFUSED", -1},
		{TYPE_A, CLASS_IN, "NOERROR aa", -1},
	};
	struct fixture *f = *state;

	load(f);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct stage_client *client =
			ask_in(f, "www.corp.internal.", rows[i].type, rows[i].class, false);

		assert_string_equal(status(f, client), rows[i].status);
		assert_int_equal(f->got.ede, rows[i].ede);
	}
	assert_int_equal(packets(f), 0);
}

static void nsid_is_told_to_who_asks_for_it_and_only_as_configured(void **state)
{
	static const uint8_t nsid[] = {0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 4, 0, 3, 0, 0};
	struct fixture *f = *state;
	uint8_t wire[MESSAGE_UDP_MIN];
	size_t length =
		request_write(wire, 1, FLAG_RD, "www.corp.internal.", TYPE_A, CLASS_IN, 0, false);

	memcpy(wire + length, nsid, sizeof nsid);
	wire_put16(wire + 10, 1);
	load(f);
	status(f, stage_ask(f->stage, "a", (struct place){0, false}, wire, length + sizeof nsid,
			    false));
	assert_string_equal(f->got.nsid, "");
	f->model->identity.server = "hub-1";
	load(f);
	status(f, stage_ask(f->stage, "b", (struct place){0, false}, wire, length + sizeof nsid,
			    false));
	assert_string_equal(f->got.nsid, "hub-1");
	status(f, ask(f, "www.corp.internal."));
	assert_string_equal(f->got.nsid, "");
}

/* ---- maxima ---- */

static void one_question_too_many_is_turned_away(void **state)
{
	struct fixture *f = *state;

	f->stage->lookups.lookup_max = 2;
	load(f);
	struct stage_client *a = ask(f, "a.example."), *b = ask(f, "b.example.");
	struct stage_client *c = ask(f, "c.example."), *again = ask(f, "a.example.");
	assert_string_equal(status(f, c), "SERVFAIL");
	assert_non_null(strstr(f->got.ede_text, "too many"));
	assert_int_equal(stage_stats(f->stage)->overload, 1);
	assert_string_equal(status(f, a), "none");
	assert_string_equal(status(f, again), "none"); /* it joined */
	answer(f, RCODE_NOERROR, 60);
	assert_string_equal(status(f, b), "NOERROR");
	assert_string_equal(status(f, ask(f, "c.example.")), "none"); /* there is room again */
}

static void at_the_maximum_the_oldest_makes_room(void **state)
{
	struct fixture *f = *state;

	f->stage->resolver.waiting.max = 2;
	load(f);
	struct stage_client *a = ask(f, "a.example."), *b = ask(f, "b.example.");
	assert_string_equal(status(f, a), "none");
	struct stage_client *c = ask(f, "c.example.");
	assert_string_equal(status(f, a), "SERVFAIL");
	assert_non_null(strstr(f->got.ede_text, "too many"));
	assert_int_equal(stage_stats(f->stage)->overload, 1);
	assert_int_equal(stage_stats(f->stage)->servfail, 1);
	assert_int_equal(f->stage->lookups.lookup_count, 2);
	answer(f, RCODE_NOERROR, 60);
	assert_string_equal(status(f, c), "NOERROR");
	assert_string_equal(status(f, b), "none");
	assert_string_equal(status(f, ask(f, "d.example.")), "none"); /* there is room again */
	assert_string_equal(status(f, b), "none");
}

static void what_is_at_hand_is_answered_however_many_wait(void **state)
{
	struct fixture *f = *state;

	load(f);
	ask(f, "cached.example.");
	answer(f, RCODE_NOERROR, 60);
	f->stage->resolver.waiting.max = 2;
	struct stage_client *a = ask(f, "a.example."), *b = ask(f, "b.example.");
	assert_string_equal(status(f, ask(f, "www.corp.internal.")), "NOERROR aa");
	assert_string_equal(status(f, ask(f, "cached.example.")), "NOERROR");
	assert_string_equal(status(f, a), "none");
	assert_string_equal(status(f, b), "none");
	assert_int_equal(stage_stats(f->stage)->overload, 0);
}

static void one_who_makes_room_does_not_end_a_question_that_others_wait_for(void **state)
{
	struct fixture *f = *state;

	f->stage->resolver.waiting.max = 2;
	load(f);
	struct stage_client *a = ask(f, "a.example."), *again = ask(f, "a.example.");
	struct stage_client *b = ask(f, "b.example.");
	assert_string_equal(status(f, a), "SERVFAIL");
	struct stage_packet *first = f->stage->packets;
	uint8_t wire[MESSAGE_MAX];
	size_t length = reply_write(wire, first->wire, first->length, RCODE_NOERROR, 0,
				    "answer a.example. 60 IN A 192.0.2.7\n");
	assert_true(lookup_on_reply(&f->stage->lookups, first, &first->peer, wire, length,
				    f->stage->now_us));
	assert_string_equal(status(f, again), "NOERROR");
	assert_string_equal(status(f, b), "none");
}

static void over_an_outbound_endpoints_limit_is_servfail_that_is_not_remembered(void **state)
{
	struct fixture *f = *state;
	struct forwarding_ruleset *ruleset = model_add_ruleset(f->model, "rules", "hub/out", "hub");

	model_add_rule(f->model, ruleset, "far", "far.example.", "192.0.2.9");
	load(f);
	meter_registry_set_rate(f->stage->meters, 1);
	struct stage_client *last = NULL;
	char name[32];
	for (unsigned i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "n%u.far.example.", i);
		last = ask(f, name);
	}
	stage_pass(f->stage, 5 * MS);
	assert_string_equal(status(f, last), "SERVFAIL");
	assert_non_null(strstr(f->got.ede_text, "over its limit"));
	assert_in_range(packets(f), 1, 10);
	stage_pass(f->stage, 20 * MS);
	meter_registry_set_rate(f->stage->meters, 0);
	assert_string_equal(status(f, ask(f, name)), "none"); /* it is asked */
}

static int has_no_connection(void *transport, struct flight *flight, const uint8_t *wire,
			     size_t length, uint64_t now_us)
{
	(void)transport;
	(void)flight;
	(void)wire;
	(void)length;
	(void)now_us;
	return ERR_LIMIT;
}

static void too_many_connections_is_servfail_that_is_not_remembered(void **state)
{
	struct fixture *f = *state;

	load(f);
	struct lookups *table = &f->stage->lookups, before = *table;
	table->send = has_no_connection;
	struct stage_client *first = ask(f, "a.example.");
	stage_pass(f->stage, 5 * MS);
	assert_string_equal(status(f, first), "SERVFAIL");
	table->send = before.send;
	assert_string_equal(status(f, ask(f, "a.example.")), "none"); /* it is asked */
}

/* ---- stale data and refreshing ---- */

/* The default resolver's target leaves a question unanswered, until that has ended. */
static void make_suspect(struct fixture *f)
{
	ask(f, "dark.example.");
	stage_pass(f->stage, 900 * MS);
	stage_pass(f->stage, 5ULL * S);
}

/* A stale answer for each of the names n0 to n(count - 1), and a target that is suspect. */
static void go_dark(struct fixture *f, unsigned count)
{
	char name[32];

	f->model->cache.stale_max = 3600;
	load(f);
	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof name, "n%u.example.", i);
		ask(f, name);
		answer(f, RCODE_NOERROR, 60);
	}
	stage_pass(f->stage, 61ULL * S);
	make_suspect(f);
}

static unsigned asked_by(struct fixture *f, const char *name)
{
	unsigned before = f->stage->lookups.lookup_count;

	assert_string_equal(status(f, ask(f, name)), "NOERROR");
	assert_int_equal(f->got.ede, EDE_STALE);
	return f->stage->lookups.lookup_count - before;
}

static void a_stale_name_is_refreshed_once_at_a_time(void **state)
{
	struct fixture *f = *state;

	go_dark(f, 2);
	assert_int_equal(asked_by(f, "n0.example."), 1);
	for (unsigned i = 0; i < 2 * REFRESHES; i++)
		assert_int_equal(asked_by(f, "n0.example."), 0);
	assert_int_equal(asked_by(f, "n1.example."), 1); /* the first has not used up the room */
}

/* The other half is for what is popular. */
static void signs_of_life_take_half_of_the_refreshes_at_most(void **state)
{
	struct fixture *f = *state;
	unsigned asked = 0;
	char name[32];

	go_dark(f, REFRESHES + 4);
	for (unsigned i = 0; i < REFRESHES + 4; i++) {
		snprintf(name, sizeof name, "n%u.example.", i);
		asked += asked_by(f, name);
	}
	assert_int_equal(asked, REFRESHES / 2);
	/* They end with the target's patience, to make room; for a second each counts as failed. */
	stage_pass(f->stage, TARGET_PATIENCE_US + 2 * MS);
	assert_int_equal(f->stage->lookups.lookup_count, 0);
	stage_pass(f->stage, S);
	assert_int_equal(asked_by(f, "n0.example."), 1);
}

/* ---- prefetching ---- */

static void a_prefetch_is_counted_as_one_and_its_question_ends_with_its_deadline(void **state)
{
	struct fixture *f = *state;
	const struct stats *stats = &f->stage->stats;

	load(f);
	ask(f, "a.example.");
	answer(f, RCODE_NOERROR, 100);
	stage_pass(f->stage, 91ULL * S);
	for (unsigned i = 0; i < 3; i++)
		assert_string_equal(status(f, ask(f, "a.example.")), "NOERROR");
	assert_int_equal(stats->prefetched, 1);
	assert_int_equal(stage_stats(f->stage)->answered_cache, 3);
	assert_int_equal(packets(f), 2);
	assert_int_equal(f->stage->lookups.lookup_count, 1);
	stage_pass(f->stage, RESOLVE_DEADLINE_US + 2 * MS);
	assert_int_equal(f->stage->lookups.lookup_count, 0);
	assert_string_equal(status(f, ask(f, "a.example.")), "NOERROR");
	assert_int_equal(f->got.ede, -1);
	assert_int_equal(stats->prefetched, 1);
}

/* A popular chain: its first owner comes from a rule's target for 100 seconds, and its second owner
 * from the default resolver for `ttl` seconds. */
static void ask_for_a_chain(struct fixture *f, int ttl)
{
	struct forwarding_ruleset *ruleset;

	ruleset = model_add_ruleset(f->model, "rules", "hub/out", "hub");
	model_add_rule(f->model, ruleset, "corp", "corp.", "192.0.2.1")->follow_cname = true;
	load(f);
	ask(f, "a.corp.");
	answer_with(f, "answer a.corp. 100 IN CNAME a.example.\n"
		       "answer a.example. 100 IN A 192.0.2.8");
	answer(f, RCODE_NOERROR, ttl);
	ask(f, "a.corp.");
}

/* Of a chain that fades as a whole, one pass asks for one part, the next for another. */
static void each_part_of_a_chain_is_prefetched(void **state)
{
	struct fixture *f = *state;

	ask_for_a_chain(f, 100);
	stage_pass(f->stage, 95ULL * S);
	for (unsigned i = 0; i < 4; i++) {
		assert_string_equal(status(f, ask(f, "a.corp.")), "NOERROR");
		assert_int_equal(f->stage->stats.prefetched, i == 0 ? 1 : 2);
	}
}

/* The rule's owner is popular and about to expire, while the chain's next owner is stale, and its
 * target is suspect. */
static void beside_a_prefetch_a_sign_of_life_is_asked_for(void **state)
{
	struct fixture *f = *state;

	f->model->cache.stale_max = 3600;
	ask_for_a_chain(f, 30);
	stage_pass(f->stage, 89ULL * S);
	make_suspect(f);
	assert_int_equal(asked_by(f, "a.corp."), 2);
	assert_int_equal(f->stage->stats.prefetched, 1);
}

/* ---- the end ---- */

static void abandoning_gives_every_query_back_without_a_reply(void **state)
{
	struct fixture *f = *state;

	go_dark(f, 1);
	assert_int_equal(asked_by(f, "n0.example."), 1);
	struct stage_client *a = ask(f, "a.example."), *b = ask(f, "b.example.");
	resolver_abandon(&f->stage->resolver);
	assert_int_equal(a->answers, 1);
	assert_int_equal(a->reply_length, 0);
	assert_int_equal(b->answers, 1);
	assert_int_equal(f->stage->lookups.lookup_count, 0);
}

static void a_policy_is_idle_when_its_last_question_has_ended(void **state)
{
	struct fixture *f = *state;

	load(f);
	struct policy_hold *before = &f->stage->hold->hold;
	struct stage_client *client = ask(f, "a.example.");
	policy_hold_take(before); /* so that it can be looked at */
	load(f);
	assert_int_equal(before->users, 4); /* query, question, packet, and this test */
	answer(f, RCODE_NOERROR, 60);
	assert_string_equal(status(f, client), "NOERROR");
	assert_int_equal(before->users, 1);
	policy_hold_give(before);
}

/* ---- counters ---- */

/* The counters that have gone up since the last time, without those of queries. */
static const char *moved(struct fixture *f)
{
	static char words[200];

	words[0] = '\0';
	for (unsigned i = 0; i < stats_row_count; i++) {
		uint64_t value = stats_get(stage_stats(f->stage), i), before = f->before[i];

		f->before[i] = value;
		if (value == before || strncmp(stats_rows[i].name, "queries", 7) == 0)
			continue;
		assert_int_equal(value, before + 1);
		text_append(words, sizeof words, "%s%s", *words ? " " : "", stats_rows[i].name);
	}
	return words;
}

static void every_answer_is_counted_as_what_it_was(void **state)
{
	struct fixture *f = *state;

	load(f);
	ask(f, "www.corp.internal.");
	assert_string_equal(moved(f), "answered_zone");
	ask(f, "gone.corp.internal.");
	assert_string_equal(moved(f), "answered_zone nxdomain");
	ask(f, "a.example.");
	assert_string_equal(moved(f), "");
	answer(f, RCODE_NOERROR, 60);
	assert_string_equal(moved(f), "forwarded");
	ask(f, "a.example.");
	assert_string_equal(moved(f), "answered_cache");
	stage_pass(f->stage, 61ULL * S);
	ask(f, "a.example.");
	answer(f, RCODE_SERVFAIL, 0);
	assert_string_equal(moved(f), "answered_stale");
	ask_in(f, "a.example.", TYPE_AXFR, CLASS_IN, true);
	assert_string_equal(moved(f), "refused");
	ask_in(f, "version.bind.", TYPE_TXT, CLASS_CH, false);
	assert_string_equal(moved(f), "refused");
	ask_in(f, "a.example.", TYPE_ANY, CLASS_IN, false);
	assert_string_equal(moved(f), "");
	ask(f, "c.example.");
	stage_pass(f->stage, 5ULL * S);
	assert_string_equal(moved(f), "servfail deadline");
}

static void every_query_is_counted_and_how_it_came(void **state)
{
	struct fixture *f = *state;
	const struct stats *stats;

	load(f);
	ask(f, "www.corp.internal.");
	ask_in(f, "www.corp.internal.", TYPE_AXFR, CLASS_IN, true);
	ask(f, "a.example.");
	stats = stage_stats(f->stage);
	assert_int_equal(stats->queries, 3);
	assert_int_equal(stats->queries_udp, 2);
	assert_int_equal(stats->queries_tcp, 1);
}

/* Whatever of it was at hand, a name that cannot be resolved was answered from nowhere. */
static void an_error_is_counted_as_an_error_and_nothing_else(void **state)
{
	static const struct place hub = {0, false};
	struct fixture *f = *state;
	uint8_t wire[MESSAGE_UDP_MIN];

	model_add_zone(f->model, "b.internal", "alias 300 CNAME b.example.\n", "hub");
	load(f);
	ask(f, "b.example.");
	answer(f, RCODE_REFUSED, 0);
	assert_string_equal(moved(f), "servfail");
	ask(f, "b.example."); /* the failure is kept for a second */
	assert_string_equal(moved(f), "servfail");
	ask(f, "alias.b.internal.");
	assert_string_equal(moved(f), "servfail");
	stage_pass(f->stage, 2ULL * S);
	ask(f, "alias.b.internal.");
	answer(f, RCODE_REFUSED, 0);
	assert_string_equal(moved(f), "servfail");
	size_t length =
		request_write(wire, 99, 0, "d.example.", TYPE_A, CLASS_IN, MESSAGE_UDP_MIN, false);
	assert_non_null(stage_ask(f->stage, "rd0", hub, wire, length, false));
	assert_string_equal(moved(f), "refused");
}

/* Our own alias, and after it what others say. */
static void an_answer_of_several_parts_is_counted_once_by_the_newest(void **state)
{
	struct fixture *f = *state;

	model_add_zone(f->model, "b.internal", "alias 300 CNAME b.example.\n", "hub");
	load(f);
	ask(f, "alias.b.internal.");
	answer(f, RCODE_NOERROR, 60);
	assert_string_equal(moved(f), "forwarded");
	ask(f, "alias.b.internal.");
	assert_string_equal(moved(f), "answered_cache");
}

static void asking_in_vain_is_not_what_an_answer_of_our_own_is_counted_as(void **state)
{
	struct fixture *f = *state;
	struct forwarding_ruleset *ruleset;

	model_add_network(f->model, "spoke", "10.20.0.0/16");
	model_add_resolver(f->model, "spoke", "spoke", NULL);
	model_add_zone(f->model, "inner.test", "www 300 A 10.20.1.1\n", "spoke");
	ruleset = model_add_ruleset(f->model, "rules", "hub/out", "hub");
	model_add_rule(f->model, ruleset, "inner", "inner.test.", "192.0.2.1 10.20.0.4");
	load(f);
	ask(f, "www.inner.test.");
	answer(f, RCODE_REFUSED, 0);
	assert_string_equal(moved(f), "answered_zone");
}

static void an_answer_that_is_cut_off_is_counted(void **state)
{
	struct fixture *f = *state;
	char text[2000] = "";
	size_t used = 0;

	for (unsigned i = 0; i < 8; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "@ TXT %u%0199d\n", i, 0);
	model_add_zone(f->model, "big.internal", text, "hub");
	load(f);
	ask_in(f, "big.internal.", TYPE_TXT, CLASS_IN, false);
	assert_string_equal(moved(f), "answered_zone truncated");
	ask_in(f, "big.internal.", TYPE_TXT, CLASS_IN, true);
	assert_string_equal(moved(f), "answered_zone");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(meta_types_and_other_classes_have_their_own_errors),
		TEST(nsid_is_told_to_who_asks_for_it_and_only_as_configured),
		TEST(one_question_too_many_is_turned_away),
		TEST(at_the_maximum_the_oldest_makes_room),
		TEST(what_is_at_hand_is_answered_however_many_wait),
		TEST(one_who_makes_room_does_not_end_a_question_that_others_wait_for),
		TEST(over_an_outbound_endpoints_limit_is_servfail_that_is_not_remembered),
		TEST(too_many_connections_is_servfail_that_is_not_remembered),
		TEST(a_stale_name_is_refreshed_once_at_a_time),
		TEST(signs_of_life_take_half_of_the_refreshes_at_most),
		TEST(a_prefetch_is_counted_as_one_and_its_question_ends_with_its_deadline),
		TEST(each_part_of_a_chain_is_prefetched),
		TEST(beside_a_prefetch_a_sign_of_life_is_asked_for),
		TEST(abandoning_gives_every_query_back_without_a_reply),
		TEST(a_policy_is_idle_when_its_last_question_has_ended),
		TEST(every_answer_is_counted_as_what_it_was),
		TEST(every_query_is_counted_and_how_it_came),
		TEST(an_error_is_counted_as_an_error_and_nothing_else),
		TEST(an_answer_of_several_parts_is_counted_once_by_the_newest),
		TEST(asking_in_vain_is_not_what_an_answer_of_our_own_is_counted_as),
		TEST(an_answer_that_is_cut_off_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
