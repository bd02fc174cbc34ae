/* What is learned of a server from its TCP connections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "endpoints/outbound/capacity.h"

enum { NOW_US = 1000 * 1000 };

static unsigned dialled(struct outbound_capacity *capacity, unsigned live)
{
	while (outbound_capacity_dial(capacity, live, 0, NOW_US) == OUTBOUND_DIAL_MORE)
		live++;
	return live;
}

static void of_an_unknown_server_much_is_expected(void **state)
{
	struct outbound_capacity capacity;

	(void)state;
	outbound_capacity_init(&capacity);
	assert_int_equal(capacity.pipeline, OUTBOUND_CAPACITY_PIPELINE);
	assert_int_equal(dialled(&capacity, 0), OUTBOUND_CAPACITY_PIPELINES);
	assert_false(outbound_capacity_is_hopeless(&capacity));
}

static void ends_after_few_answers_make_pipelines_short_and_connections_many(void **state)
{
	struct outbound_capacity capacity;

	(void)state;
	outbound_capacity_init(&capacity);
	outbound_capacity_on_end(&capacity, 5); /* once may be a restart, or a question's doing */
	outbound_capacity_on_end(&capacity, 7);
	assert_int_equal(capacity.pipeline, OUTBOUND_CAPACITY_PIPELINE);
	outbound_capacity_on_end(&capacity, 5);
	outbound_capacity_on_end(&capacity, 5);
	assert_int_equal(capacity.pipeline, 5);
	assert_int_equal(dialled(&capacity, 0), 1);
	for (unsigned end = 0; end < 3; end++)
		outbound_capacity_on_end(&capacity, 5);
	assert_int_equal(dialled(&capacity, 0), 4);
	for (unsigned end = 0; end < 100; end++)
		outbound_capacity_on_end(&capacity, 5);
	assert_int_equal(dialled(&capacity, 0), OUTBOUND_CAPACITY_CONNECTIONS);
	assert_int_equal(capacity.pipeline, 5);
}

static void a_connection_that_gives_more_makes_the_pipeline_longer(void **state)
{
	struct outbound_capacity capacity;

	(void)state;
	outbound_capacity_init(&capacity);
	outbound_capacity_on_end(&capacity, 5);
	outbound_capacity_on_end(&capacity, 5);
	for (uint64_t answer = 1; answer <= 9; answer++)
		outbound_capacity_on_answer(&capacity, answer);
	assert_int_equal(capacity.pipeline, 9);
	for (uint64_t answer = 10; answer < 1000; answer++)
		outbound_capacity_on_answer(&capacity, answer);
	assert_int_equal(capacity.pipeline, OUTBOUND_CAPACITY_PIPELINE);
}

static void a_slow_server_has_what_it_answers_in_the_time(void **state)
{
	struct outbound_capacity capacity;

	(void)state;
	outbound_capacity_init(&capacity);
	assert_int_equal(outbound_capacity_on_slow(&capacity, 1000), OUTBOUND_CAPACITY_PIPELINE);
	assert_int_equal(capacity.pipeline, OUTBOUND_CAPACITY_PIPELINE);
	assert_int_equal(outbound_capacity_on_slow(&capacity, 100), 100);
	assert_int_equal(outbound_capacity_on_slow(&capacity, 3), OUTBOUND_CAPACITY_PIPELINE_SLOW);
	assert_int_equal(outbound_capacity_on_slow(&capacity, 100), 100);
	assert_int_equal(capacity.pipeline,
			 OUTBOUND_CAPACITY_PIPELINE_SLOW); /* it grows by answers only */
	assert_int_equal(dialled(&capacity, 0), OUTBOUND_CAPACITY_PIPELINES);
}

static void beyond_what_is_accepted_one_is_tried_now_and_then(void **state)
{
	struct outbound_capacity capacity;

	(void)state;
	outbound_capacity_init(&capacity);
	outbound_capacity_on_full(&capacity, 3, NOW_US);
	assert_int_equal(dialled(&capacity, 0), 3);
	uint64_t now_us = NOW_US + OUTBOUND_CAPACITY_FULL_US;
	assert_int_equal(outbound_capacity_dial(&capacity, 3, 0, now_us - 1), OUTBOUND_DIAL_NO);
	assert_int_equal(outbound_capacity_dial(&capacity, 3, 0, now_us), OUTBOUND_DIAL_TRIAL);
	assert_int_equal(outbound_capacity_dial(&capacity, 4, 0, now_us), OUTBOUND_DIAL_NO);
	/* That it was tried says nothing ... */
	assert_int_equal(outbound_capacity_dial(&capacity, 3, 0, now_us), OUTBOUND_DIAL_NO);
	/* ... before it gave an answer. */
	outbound_capacity_on_accepted(&capacity, 4);
	assert_int_equal(outbound_capacity_dial(&capacity, 3, 0, now_us), OUTBOUND_DIAL_MORE);
	assert_int_equal(outbound_capacity_dial(&capacity, 4, 0, now_us), OUTBOUND_DIAL_NO);
}

static void beside_those_where_one_ended_the_next_is_doubted_until_it_stays(void **state)
{
	struct outbound_capacity capacity;

	(void)state;
	outbound_capacity_init(&capacity);
	outbound_capacity_on_doubt(&capacity, 2, NOW_US);
	assert_int_equal(dialled(&capacity, 0), 2);
	assert_int_equal(outbound_capacity_dial(&capacity, 2, 0, NOW_US), OUTBOUND_DIAL_DOUBTED);
	outbound_capacity_on_stay(&capacity);
	assert_int_equal(dialled(&capacity, 0), OUTBOUND_CAPACITY_PIPELINES);
	outbound_capacity_on_doubt(&capacity, 2, NOW_US);
	outbound_capacity_on_full(&capacity, 2, NOW_US);
	assert_int_equal(outbound_capacity_dial(&capacity, 2, 0, NOW_US), OUTBOUND_DIAL_NO);
	assert_int_equal(dialled(&capacity, 0), 2);
}

static void where_each_gives_one_answer_it_was_one_too_many(void **state)
{
	struct outbound_capacity capacity;

	(void)state;
	outbound_capacity_init(&capacity);
	for (unsigned end = 0; end < 9; end++)
		outbound_capacity_on_end(&capacity, 1);
	outbound_capacity_on_doubt(&capacity, 2, NOW_US);
	assert_int_equal(outbound_capacity_dial(&capacity, 2, 0, NOW_US), OUTBOUND_DIAL_NO);
}

/* A question may have ended the one that was too many; a server that does accept fewer by now says
 * so again. */
static void what_was_accepted_is_given_up_one_by_one(void **state)
{
	struct outbound_capacity capacity;

	(void)state;
	outbound_capacity_init(&capacity);
	outbound_capacity_on_accepted(&capacity, 4);
	assert_int_equal(dialled(&capacity, 0), OUTBOUND_CAPACITY_PIPELINES);
	for (unsigned left = 4; left > 0; left--) {
		outbound_capacity_on_full(&capacity, 1, NOW_US);
		assert_int_equal(dialled(&capacity, 0), left);
	}
	outbound_capacity_on_full(&capacity, 1, NOW_US);
	assert_int_equal(dialled(&capacity, 0), 1);
	outbound_capacity_on_accepted(&capacity, 3);
	outbound_capacity_on_full(&capacity, 5, NOW_US);
	assert_int_equal(dialled(&capacity, 0), 5);
	outbound_capacity_on_full(&capacity, 0, NOW_US); /* it was away: nothing is known of it */
	outbound_capacity_on_full(&capacity, 1, NOW_US);
	assert_int_equal(dialled(&capacity, 0), 1);
}

static void silent_connections_are_accepted_but_of_no_use(void **state)
{
	struct outbound_capacity capacity;

	(void)state;
	outbound_capacity_init(&capacity);
	outbound_capacity_on_end(&capacity, 2);
	outbound_capacity_on_end(&capacity, 2);
	assert_int_equal(outbound_capacity_dial(&capacity, 1, 0, NOW_US), OUTBOUND_DIAL_NO);
	assert_int_equal(outbound_capacity_dial(&capacity, 1, 1, NOW_US), OUTBOUND_DIAL_MORE);
	outbound_capacity_on_full(&capacity, 1, NOW_US);
	assert_int_equal(outbound_capacity_dial(&capacity, 1, 1, NOW_US), OUTBOUND_DIAL_NO);
}

static void where_all_are_silent_one_more_is_had_soon(void **state)
{
	struct outbound_capacity capacity;
	uint64_t now_us = NOW_US + OUTBOUND_CAPACITY_SILENT_US;

	(void)state;
	outbound_capacity_init(&capacity);
	outbound_capacity_on_full(&capacity, 3, NOW_US);
	assert_int_equal(outbound_capacity_dial(&capacity, 3, 3, now_us - 1), OUTBOUND_DIAL_NO);
	assert_int_equal(outbound_capacity_dial(&capacity, 3, 2, now_us), OUTBOUND_DIAL_NO);
	assert_int_equal(outbound_capacity_dial(&capacity, 3, 3, now_us), OUTBOUND_DIAL_MORE);
	assert_int_equal(outbound_capacity_dial(&capacity, 4, 4, now_us), OUTBOUND_DIAL_NO);
}

static void that_nothing_more_is_had_does_not_put_off_the_next_trial(void **state)
{
	struct outbound_capacity capacity;

	(void)state;
	outbound_capacity_init(&capacity);
	outbound_capacity_on_full(&capacity, 3, NOW_US);
	uint64_t now_us = NOW_US + OUTBOUND_CAPACITY_FULL_US;
	outbound_capacity_on_full(&capacity, 3, now_us - 1);
	assert_int_equal(outbound_capacity_dial(&capacity, 3, 0, now_us), OUTBOUND_DIAL_TRIAL);
	outbound_capacity_on_full(&capacity, 2, now_us + 1);
	assert_int_equal(
		outbound_capacity_dial(&capacity, 2, 0, now_us + OUTBOUND_CAPACITY_FULL_US),
		OUTBOUND_DIAL_NO);
}

static void one_that_was_away_may_accept_more_than_before(void **state)
{
	struct outbound_capacity capacity;

	(void)state;
	outbound_capacity_init(&capacity);
	outbound_capacity_on_full(&capacity, 1, NOW_US);
	outbound_capacity_on_full(&capacity, 0, NOW_US);
	assert_int_equal(dialled(&capacity, 0), OUTBOUND_CAPACITY_PIPELINES);
}

static unsigned ends_until_hopeless(struct outbound_capacity *capacity, bool others)
{
	unsigned ends = 0;

	while (!outbound_capacity_is_hopeless(capacity) && ends < 100) {
		outbound_capacity_on_end_in_vain(capacity, others);
		ends++;
	}
	return ends;
}

static void ends_without_answers_are_hopeless_sooner_where_there_never_was_one(void **state)
{
	struct outbound_capacity never, once;

	(void)state;
	outbound_capacity_init(&never);
	outbound_capacity_init(&once);
	outbound_capacity_on_answer(&once, 1);
	assert_int_equal(ends_until_hopeless(&never, false), 2);
	assert_int_equal(ends_until_hopeless(&once, true), 8);
	assert_int_equal(once.pipeline, OUTBOUND_CAPACITY_PIPELINE); /* they say nothing of that */
	outbound_capacity_on_answer(&once, 1);
	assert_false(outbound_capacity_is_hopeless(&once));
}

static void after_several_ends_without_answers_there_is_a_pause(void **state)
{
	struct outbound_capacity capacity;

	(void)state;
	outbound_capacity_init(&capacity);
	outbound_capacity_on_answer(&capacity, 1);
	outbound_capacity_on_end_in_vain(&capacity, false);
	assert_int_equal(outbound_capacity_pause_us(&capacity), 0);
	outbound_capacity_on_end_in_vain(&capacity, false);
	assert_int_equal(outbound_capacity_pause_us(&capacity), OUTBOUND_CAPACITY_PAUSE_US);
	outbound_capacity_on_answer(&capacity, 1);
	assert_int_equal(outbound_capacity_pause_us(&capacity), 0);
	ends_until_hopeless(&capacity, false);
	assert_int_equal(outbound_capacity_pause_us(&capacity), OUTBOUND_CAPACITY_PAUSE_US);
}

/* It may have been one connection too many, and the first answer is still to come. */
static void an_end_beside_live_connections_says_little_of_an_unknown_server(void **state)
{
	struct outbound_capacity capacity;

	(void)state;
	outbound_capacity_init(&capacity);
	assert_int_equal(ends_until_hopeless(&capacity, true), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_an_unknown_server_much_is_expected),
		cmocka_unit_test(ends_after_few_answers_make_pipelines_short_and_connections_many),
		cmocka_unit_test(a_connection_that_gives_more_makes_the_pipeline_longer),
		cmocka_unit_test(a_slow_server_has_what_it_answers_in_the_time),
		cmocka_unit_test(beyond_what_is_accepted_one_is_tried_now_and_then),
		cmocka_unit_test(beside_those_where_one_ended_the_next_is_doubted_until_it_stays),
		cmocka_unit_test(where_each_gives_one_answer_it_was_one_too_many),
		cmocka_unit_test(what_was_accepted_is_given_up_one_by_one),
		cmocka_unit_test(silent_connections_are_accepted_but_of_no_use),
		cmocka_unit_test(where_all_are_silent_one_more_is_had_soon),
		cmocka_unit_test(that_nothing_more_is_had_does_not_put_off_the_next_trial),
		cmocka_unit_test(one_that_was_away_may_accept_more_than_before),
		cmocka_unit_test(
			ends_without_answers_are_hopeless_sooner_where_there_never_was_one),
		cmocka_unit_test(after_several_ends_without_answers_there_is_a_pause),
		cmocka_unit_test(an_end_beside_live_connections_says_little_of_an_unknown_server),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
