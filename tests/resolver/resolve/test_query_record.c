/* The record of an answered query: what the query log is told, on the quick way and on the way with
 * an explanation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/resolve/query_record.h"

static const uint8_t question[] = "\3WwW\7contoso\4corp\0\0\34\0\1"; /* AAAA IN */
enum { QUESTION = sizeof question - 1, REPLY = MESSAGE_HEADER + QUESTION + 28 };

struct fixture {
	struct query_rings rings;
	struct query_ring *ring;
	uint64_t at; /* of the reader */
	struct query_binding binding;
	struct query *query;
	struct rule rule;
	struct upstream upstreams[2];
	struct leg leg;
	struct route route;
	struct verdict verdict;
	struct composition composition;
	struct message_end end;
	uint8_t reply[MESSAGE_MAX];
	struct query_answer answer;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct sockaddr_in *peer;

	*state = f;
	f->query = calloc(1, sizeof *f->query);
	assert_int_equal(query_rings_init(&f->rings, 1), 0);
	f->ring = &f->rings.rings[0];
	query_rings_want(&f->rings, QUERY_WANTED_ALL);
	f->binding.network = 3;
	f->query->arrived_us = 5000000;
	f->query->binding = &f->binding;
	f->query->request = (struct request){
		.id = 4711, .flags = FLAG_RD | FLAG_CD, .question_length = QUESTION};
	memcpy(f->query->question, question, QUESTION);
	assert_int_equal(address_parse(&f->query->client, "10.10.1.207"), 0);
	peer = (struct sockaddr_in *)(void *)&f->query->peer;
	peer->sin_family = AF_INET;
	peer->sin_port = htons(5353);
	f->rule.name = "contoso";
	f->leg = (struct leg){.id = 8, .upstreams = f->upstreams, .upstream_count = 2};
	f->route = (struct route){.legs = &f->leg, .leg_count = 1};
	f->verdict = (struct verdict){.by = DECIDED_RULE, .object = "contoso", .rule = &f->rule};
	f->composition.hops = 2;
	f->end = (struct message_end){.rcode = RCODE_NXDOMAIN, .ede = EDE_NONE};
	for (size_t i = 0; i < sizeof f->reply; i++)
		f->reply[i] = (uint8_t)(i % 251);
	memcpy(f->reply + MESSAGE_HEADER, question, QUESTION);
	f->answer = (struct query_answer){
		.query = f->query,
		.verdict = &f->verdict,
		.network = 1,
		.composition = &f->composition,
		.source = RESPONSE_CACHE,
		.end = &f->end,
		.reply = f->reply,
		.length = REPLY,
	};
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	query_rings_release(&f->rings);
	free(f->query);
	free(f);
	return 0;
}

/* The record that was appended since the last one; NULL: none was. */
static const struct query_record *appended(struct fixture *f)
{
	uint64_t left_us;

	if (f->ring->round)
		query_ring_commit_at(f->ring, 6000000);
	return query_ring_read(f->ring, &f->at, &left_us);
}

static const struct query_record *answered(struct fixture *f)
{
	query_record_answer(f->ring, &f->answer);
	const struct query_record *record = appended(f);
	assert_non_null(record);
	return record;
}

/* The first record of a round is appended by a call, those after it without one. */
static void both_ways_into_the_ring_tell_the_same(void **state)
{
	struct fixture *f = *state;
	const struct query_record *first, *second;
	uint64_t left_us;

	query_record_answer(f->ring, &f->answer);
	query_record_answer(f->ring, &f->answer);
	first = appended(f);
	second = query_ring_read(f->ring, &f->at, &left_us);
	assert_non_null(second);
	for (const struct query_record *record = first;; record = second) {
		assert_int_equal(record->arrived_us, 5000000);
		assert_ptr_equal(record->binding, &f->binding);
		assert_int_equal(record->id, 4711);
		assert_int_equal(record->flags, FLAG_RD | FLAG_CD);
		assert_int_equal(record->family, AF_INET);
		assert_int_equal(record->port, htons(5353));
		assert_true(address_equal(&record->client, &f->query->client));
		assert_false(record->tcp);
		assert_false(record->turned_away);
		assert_int_equal(record->decided, DECIDED_RULE);
		assert_string_equal(record->object, "contoso");
		assert_ptr_equal(record->rule, &f->rule);
		assert_int_equal(record->network, 1);
		assert_int_equal(record->hops, 2);
		assert_int_equal(record->source, RESPONSE_CACHE);
		assert_null(record->upstream);
		assert_int_equal(record->rcode, RCODE_NXDOMAIN);
		assert_int_equal(record->ede, EDE_NONE);
		assert_int_equal(record->length, REPLY);
		assert_int_equal(record->message_length, 0);
		assert_int_equal(record->text_length, 0);
		assert_int_equal(record->question_length, QUESTION);
		assert_memory_equal(query_record_question(record), question, QUESTION);
		if (record == second)
			break;
	}
}

static void the_upstream_is_the_one_whose_answer_was_used(void **state)
{
	struct fixture *f = *state;

	f->composition.source.route = &f->route;
	f->composition.source.leg = 8;
	f->composition.source.upstream = 1;
	assert_ptr_equal(answered(f)->upstream, &f->upstreams[1]);
	f->composition.source.upstream = UINT8_MAX;
	assert_null(answered(f)->upstream);
}

static void an_answer_that_was_not_composed_has_no_chain_and_no_upstream(void **state)
{
	struct fixture *f = *state;

	f->verdict = (struct verdict){.by = DECIDED_NOBODY};
	f->answer.composition = NULL;
	f->query->tcp = true;
	const struct query_record *record = answered(f);
	assert_int_equal(record->hops, 0);
	assert_null(record->upstream);
	assert_null(record->object);
	assert_int_equal(record->decided, DECIDED_NOBODY);
	assert_true(record->tcp);
}

static void an_explanation_stands_behind_the_question(void **state)
{
	struct fixture *f = *state;

	f->end.ede = EDE_PROHIBITED;
	f->end.ede_text = "not for you";
	const struct query_record *record = answered(f);
	assert_int_equal(record->ede, EDE_PROHIBITED);
	assert_int_equal(record->text_length, 11);
	assert_memory_equal(query_record_text(record), "not for you", 11);
	assert_memory_equal(query_record_question(record), question, QUESTION);
	assert_int_equal(record->hops, 2);
	f->end.ede_text = NULL; /* the number alone */
	record = answered(f);
	assert_int_equal(record->ede, EDE_PROHIBITED);
	assert_int_equal(record->text_length, 0);
}

static void replies_that_are_wanted_are_whole_up_to_the_longest(void **state)
{
	static const size_t lengths[] = {REPLY, QUERY_RING_MESSAGE_MAX - 1, QUERY_RING_MESSAGE_MAX};
	struct fixture *f = *state;

	query_rings_want(&f->rings, QUERY_WANTED_ALL | QUERY_WANTED_MESSAGES);
	for (size_t i = 0; i < 2 * sizeof lengths / sizeof *lengths; i++) {
		f->answer.length = lengths[i / 2];
		f->end.ede = i % 2 ? EDE_STALE : EDE_NONE;
		f->end.ede_text = "old";
		const struct query_record *record = answered(f);
		assert_int_equal(record->message_length, lengths[i / 2]);
		assert_memory_equal(query_record_message(record), f->reply, lengths[i / 2]);
		assert_memory_equal(query_record_question(record), question, QUESTION);
		assert_int_equal(record->text_length, i % 2 ? 3 : 0);
		assert_memory_equal(query_record_text(record), "old", record->text_length);
		query_ring_give_back(f->ring, f->at);
	}
	f->answer.length = QUERY_RING_MESSAGE_MAX + 1;
	f->end.ede = EDE_NONE;
	const struct query_record *record = answered(f);
	assert_int_equal(record->message_length, 0);
	assert_int_equal(record->length, QUERY_RING_MESSAGE_MAX + 1);
	assert_memory_equal(query_record_question(record), question, QUESTION);
}

static void a_query_turned_away_has_its_endpoints_network_and_no_decision(void **state)
{
	const struct message_end end = {
		.rcode = RCODE_REFUSED, .ede = EDE_PROHIBITED, .ede_text = "may not ask"};
	struct fixture *f = *state;

	query_record_turned_away(f->ring, f->query, &end, f->reply, REPLY);
	const struct query_record *record = appended(f);
	assert_non_null(record);
	assert_true(record->turned_away);
	assert_int_equal(record->decided, DECIDED_NOBODY);
	assert_int_equal(record->network, 3);
	assert_int_equal(record->rcode, RCODE_REFUSED);
	assert_int_equal(record->length, REPLY);
	assert_int_equal(record->source, RESPONSE_NONE);
	assert_memory_equal(query_record_text(record), "may not ask", record->text_length);
	assert_null(record->object);
	assert_null(record->rule);
	assert_null(record->upstream);
	query_record_turned_away(f->ring, f->query, NULL, NULL, 0); /* in silence */
	record = appended(f);
	assert_non_null(record);
	assert_true(record->turned_away);
	assert_int_equal(record->length, 0);
	assert_int_equal(record->ede, EDE_NONE);
	assert_memory_equal(query_record_question(record), question, QUESTION);
}

static void what_a_full_ring_has_no_room_for_is_lost_and_counted(void **state)
{
	struct fixture *f = *state;
	uint64_t tried = 0;

	while (query_rings_lost(&f->rings) == 0 && tried < QUERY_RING_BYTES) {
		query_record_answer(f->ring, &f->answer);
		tried++;
	}
	assert_int_equal(query_rings_lost(&f->rings), 1);
	query_record_turned_away(f->ring, f->query, NULL, NULL, 0);
	assert_int_equal(query_rings_lost(&f->rings), 2);
	while (appended(f))
		tried--;
	assert_int_equal(tried, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(both_ways_into_the_ring_tell_the_same),
		TEST(the_upstream_is_the_one_whose_answer_was_used),
		TEST(an_answer_that_was_not_composed_has_no_chain_and_no_upstream),
		TEST(an_explanation_stands_behind_the_question),
		TEST(replies_that_are_wanted_are_whole_up_to_the_longest),
		TEST(a_query_turned_away_has_its_endpoints_network_and_no_decision),
		TEST(what_a_full_ring_has_no_room_for_is_lost_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
