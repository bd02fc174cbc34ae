/* A target's health by the rules one at a time: when silence raises a doubt and when it makes
 * suspect, what it is probed with and how often, what pays for copies, and how allowance follows
 * the answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "endpoints/message.h"
#include "endpoints/upstream/target.h"

enum { MS = 1000, START = 50 * 1000 * 1000 };

static struct target target;

static int fresh_target(void **state)
{
	struct address source = {0};
	struct host host = {.address = {.family = 4, .bytes = {127, 0, 0, 1}}, .port = 53};

	(void)state;
	target_init(&target, &source, &host, PROTOCOL_UDP);
	return 0;
}

/* Answered `count` times, each after rtt_us; ends at the time returned. */
static uint64_t answered(unsigned count, uint64_t rtt_us)
{
	uint64_t now = START;

	for (unsigned i = 0; i < count; i++)
		target_on_answer(&target, rtt_us, now += 1000 * MS);
	return now;
}

static struct target_question asked_by(uint8_t client, uint8_t number)
{
	return (struct target_question){.client = {4, {192, 0, 2, client}},
					.type = TYPE_A,
					.length = 3,
					.name = {1, number}};
}

/* Answered a client's question, too; ends at the time returned. */
static uint64_t known(void)
{
	uint64_t now = answered(1, MS);
	struct target_question question = asked_by(1, 'a');

	target_learn(&target, &question, now);
	return now;
}

static void earn_token(void)
{
	for (unsigned i = 0; i < TARGET_TOKEN; i++)
		target_on_ask(&target);
}

static void allowance_is_100_ms_before_the_first_answer(void **state)
{
	(void)state;
	assert_int_equal(target_allowance_us(&target), 100 * MS);
}

static void allowance_is_srtt_and_four_rttvar(void **state)
{
	(void)state;
	answered(1, 40 * MS); /* SRTT 40, RTTVAR 20 */
	assert_int_equal(target_allowance_us(&target), 120 * MS);
}

static void allowance_has_a_floor_of_20_ms_and_ends_at_patience(void **state)
{
	(void)state;
	answered(100, 200);
	assert_int_equal(target_allowance_us(&target), 20 * MS);
	answered(3, 700 * MS);
	assert_int_equal(target_allowance_us(&target), TARGET_PATIENCE_US);
}

static void one_slow_answer_is_remembered_through_many_fast_ones(void **state)
{
	(void)state;
	answered(200, 1 * MS);
	answered(1, 300 * MS); /* RTTVAR is 75 ms now */
	assert_true(target_allowance_us(&target) > 300 * MS);
	answered(4, 1 * MS);
	assert_true(target_allowance_us(&target) > 280 * MS);
	answered(400, 1 * MS); /* and forgotten in the end */
	assert_int_equal(target_allowance_us(&target), 20 * MS);
}

static void an_answer_by_another_transport_is_life_but_no_sample(void **state)
{
	(void)state;
	answered(1, 40 * MS);
	target_on_unreachable(&target, TARGET_ERROR_NETWORK, START);
	assert_true(target_on_answer(&target, TARGET_NO_SAMPLE, START + 5));
	assert_false(target_is_suspect(&target));
	assert_int_equal(target_allowance_us(&target), 120 * MS);
}

/* A question's silence, looked at once. */
static enum target_silence silent(uint64_t sent_us, uint64_t now_us)
{
	bool counted = false;
	uint64_t again_us;

	return target_on_silence(&target, sent_us, &counted, &again_us, now_us);
}

static void silence_raises_a_doubt_and_any_answer_clears_it(void **state)
{
	(void)state;
	uint64_t now = known();
	assert_int_equal(silent(now + 1, now + 21 * MS), TARGET_DOUBTED);
	assert_true(target_is_doubted(&target));
	assert_false(target_is_suspect(&target));
	assert_false(target_on_answer(&target, MS, now + 22 * MS));
	assert_false(target_is_doubted(&target));
	assert_false(target_on_probe_silence(&target, now + 20 * MS, now + 40 * MS));
	assert_false(target_is_suspect(&target));
}

static void after_slow_answers_three_silences_are_enough_or_one_of_half_of_patience(void **state)
{
	bool counted[4] = {false};
	uint64_t again_us = 0, now;

	(void)state;
	known();
	now = answered(100, MS);
	now = answered(1, 780 * MS); /* SRTT is about 98 ms, the allowance 780 */
	now = answered(30, MS);      /* and 20 ms are more than twice that again */
	assert_true(target_allowance_us(&target) > 400 * MS);
	assert_int_equal(target_silence_us(&target), 20 * MS);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(
			target_on_silence(&target, now, &counted[i], &again_us, now + 20 * MS),
			TARGET_WAITS);
		assert_true(counted[i]);
		assert_int_equal(again_us, now + 400 * MS);
	}
	/* The same question again is no third one. */
	assert_int_equal(target_on_silence(&target, now, &counted[0], &again_us, now + 399 * MS),
			 TARGET_WAITS);
	assert_false(target_is_doubted(&target));
	assert_int_equal(target_on_silence(&target, now, &counted[0], &again_us, now + 400 * MS),
			 TARGET_DOUBTED);
	target_on_answer(&target, MS, now += 401 * MS); /* they count anew */
	now += TARGET_PROBE_US;
	for (unsigned i = 0; i < 3; i++)
		counted[i] = false;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(
			target_on_silence(&target, now, &counted[i], &again_us, now + 20 * MS),
			i < 2 ? TARGET_WAITS : TARGET_DOUBTED);
	/* Probed a moment ago: the next one waits for its turn. */
	target_on_answer(&target, MS, now + 21 * MS);
	assert_int_equal(target_on_silence(&target, now + 22 * MS, &counted[3], &again_us,
					   now + 22 * MS + TARGET_PATIENCE_US / 2 - 350 * MS),
			 TARGET_WAITS);
	assert_int_equal(target.unanswered, 1);
}

static void a_probe_is_waited_for_by_the_time_that_its_question_took(void **state)
{
	struct target_question questions[TARGET_KNOWN] = {asked_by(1, 'a'), asked_by(2, 'b')};

	(void)state;
	questions[0].took_us = 500;
	questions[1].took_us = 40 * MS;
	assert_int_equal(target_probe_wait_us(questions, 1), 22 * MS);
	assert_int_equal(target_probe_wait_us(questions, 2), 180 * MS);
	questions[1].took_us = 900 * MS;
	assert_int_equal(target_probe_wait_us(questions, 2), TARGET_PATIENCE_US);
}

static void silence_about_what_it_knows_makes_suspect(void **state)
{
	(void)state;
	uint64_t now = known();
	assert_int_equal(silent(now + 1, now + 21 * MS), TARGET_DOUBTED);
	assert_true(target_on_probe_silence(&target, now + 20 * MS, now + 40 * MS));
	assert_true(target_is_suspect(&target));
	assert_false(target_is_doubted(&target));
	assert_int_equal(target.suspicions, 1);
	assert_int_equal(target.last_error, TARGET_ERROR_SILENCE);
	assert_true(target_on_answer(&target, MS, now + 50 * MS));
	assert_false(target_is_suspect(&target));
}

static void it_is_probed_ten_times_a_second_at_most(void **state)
{
	unsigned doubts = 0;

	(void)state;
	uint64_t now = known();
	for (unsigned ms = 20; ms < 1020; ms++)
		doubts += silent(now + ms * MS - 20 * MS, now + ms * MS) == TARGET_DOUBTED;
	assert_int_equal(doubts, 10);
}

static void anything_heard_since_the_question_means_it_is_slow(void **state)
{
	(void)state;
	uint64_t now = known();
	assert_int_equal(silent(now - 1, now + 20 * MS), TARGET_TALKS);
	assert_int_equal(silent(now, now + 20 * MS), TARGET_DOUBTED);
}

static void with_nothing_known_the_third_unanswered_question_decides(void **state)
{
	(void)state;
	assert_int_equal(silent(START, START + 100 * MS), TARGET_TALKS);
	assert_int_equal(silent(START, START + 100 * MS), TARGET_TALKS);
	target_on_answer(&target, TARGET_NO_SAMPLE, START + 110 * MS); /* they count anew */
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(silent(START + 120 * MS, START + 220 * MS), TARGET_TALKS);
	assert_int_equal(silent(START + 120 * MS, START + 220 * MS), TARGET_SUSPECT);
}

static void one_that_never_answered_is_tried_with_three_at_a_time(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_false(target_is_untried(&target));
		target_wait(&target);
	}
	assert_true(target_is_untried(&target));
	target_unwait(&target);
	assert_false(target_is_untried(&target));
	target_wait(&target);
	answered(1, MS);
	assert_false(target_is_untried(&target));
}

static void a_suspect_stays_one_for_every_question_that_asks(void **state)
{
	(void)state;
	target_on_unreachable(&target, TARGET_ERROR_NETWORK, START);
	assert_int_equal(silent(START, START + 1), TARGET_SUSPECT);
	assert_int_equal(target.suspicions, 1);
}

static void two_questions_are_known_of_different_clients(void **state)
{
	struct target_question found[TARGET_KNOWN];
	static const struct {
		uint8_t client, number;
	} order[] = {{1, 'a'}, {1, 'b'}, {2, 'c'}, {2, 'd'}, {1, 'e'}, {3, 'f'}, {3, 'g'}};

	(void)state;
	assert_int_equal(target_known(&target, found), 0);
	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
		struct target_question question = asked_by(order[i].client, order[i].number);

		target_learn(&target, &question, START);
		assert_int_equal(target_known(&target, found), i < 2 ? 1 : 2);
		assert_int_equal(found[0].name[1], order[i].number);
	}
	assert_int_equal(found[1].name[1], 'e');
}

static void what_took_longer_than_usual_is_not_learnt_nor_too_much(void **state)
{
	struct target_question question = asked_by(1, 'a');

	(void)state;
	uint64_t now = answered(100, MS);
	assert_true(target_may_learn(&target, 900 * MS, now)); /* for want of a better one */
	assert_false(target_may_learn(&target, TARGET_NO_SAMPLE, now));
	target_learn(&target, &question, now);
	now += TARGET_LEARN_US;
	assert_true(target_may_learn(&target, 20 * MS, now));
	assert_false(target_may_learn(&target, 21 * MS, now));
	assert_false(target_may_learn(&target, TARGET_NO_SAMPLE, now));
	target_learn(&target, &question, now);
	assert_false(target_may_learn(&target, MS, now + TARGET_LEARN_US - 1));
	assert_true(target_may_learn(&target, MS, now + TARGET_LEARN_US));
	now += answered(3, 700 * MS); /* which stretches the allowance, and SRTT to some 240 ms */
	assert_int_equal(target_allowance_us(&target), TARGET_PATIENCE_US);
	assert_true(target_may_learn(&target, 400 * MS, now));
	assert_false(target_may_learn(&target, 600 * MS, now));
}

static void a_suspect_is_probed_after_100_ms_and_after_500_in_the_end(void **state)
{
	uint64_t last = START, pause = 0;
	unsigned probes = 0;

	(void)state;
	assert_false(target_take_probe(&target, START)); /* not a suspect */
	target_on_unreachable(&target, TARGET_ERROR_NETWORK, START);
	for (uint64_t t = START; t < START + 10000 * MS; t += MS) {
		bool wanted = target_wants_probe(&target, t);

		assert_int_equal(target_take_probe(&target, t), wanted);
		if (!wanted)
			continue;
		assert_in_range(t - last, pause > 100 * MS ? pause : 100 * MS, 500 * MS);
		pause = t - last;
		last = t;
		probes++;
	}
	assert_int_equal(pause, 500 * MS);
	assert_in_range(probes, 22, 28);
}

static void a_hundred_questions_earn_a_token_and_two_are_held(void **state)
{
	(void)state;
	assert_false(target_take_token(&target));
	for (unsigned i = 0; i < 99; i++)
		target_on_ask(&target);
	assert_false(target_take_token(&target));
	target_on_ask(&target);
	assert_true(target_take_token(&target));
	assert_false(target_take_token(&target));
	for (unsigned i = 0; i < 5; i++)
		earn_token();
	assert_true(target_take_token(&target));
	assert_true(target_take_token(&target));
	assert_false(target_take_token(&target));
	target_return_token(&target);
	assert_true(target_take_token(&target));
}

static void a_row_of_names_is_taken_for_no_edns_for_a_while(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= TARGET_PLAIN_ROW; i++) {
		assert_false(target_is_plain(&target, START));
		target_on_plain(&target, i, START);
		target_on_plain(&target, i, START); /* once more, which says nothing new */
	}
	assert_true(target_is_plain(&target, START + TARGET_PLAIN_US - 1));
	assert_false(target_is_plain(&target, START + TARGET_PLAIN_US));
	target_on_plain(&target, 1, START + TARGET_PLAIN_US); /* one is enough now */
	assert_true(target_is_plain(&target, START + TARGET_PLAIN_US));
	target_on_opt(&target);
	assert_false(target_is_plain(&target, START + TARGET_PLAIN_US));
}

static void errors_have_texts(void **state)
{
	(void)state;
	assert_string_equal(target_error_text(TARGET_ERROR_SILENCE), "no answer");
	assert_string_equal(target_error_text(TARGET_ERROR_SOURCE), "source address unusable");
	assert_string_equal(target_error_text(TARGET_ERROR_FULL), "connections are full");
	assert_string_equal(target_error_text((enum target_error)99), "unknown error");
}

static void the_registry_shares_equal_targets_and_no_others(void **state)
{
	struct target_registry *registry = target_registry_new();
	struct address none = {0}, source = {.family = 4, .bytes = {127, 0, 0, 9}};
	struct host host = {.address = {.family = 4, .bytes = {127, 0, 0, 1}}, .port = 53};
	struct host other = host;

	(void)state;
	other.port = 54;
	struct target *a = target_acquire(registry, &none, &host, PROTOCOL_UDP);
	assert_ptr_equal(target_acquire(registry, &none, &host, PROTOCOL_UDP), a);
	assert_ptr_not_equal(target_acquire(registry, &none, &host, PROTOCOL_TCP), a);
	assert_ptr_not_equal(target_acquire(registry, &source, &host, PROTOCOL_UDP), a);
	assert_ptr_not_equal(target_acquire(registry, &none, &other, PROTOCOL_UDP), a);
	target_registry_free(registry);
}

static void health_outlives_a_reload_and_ends_with_the_last_reference(void **state)
{
	struct target_registry *registry = target_registry_new();
	struct address none = {0};
	struct host host = {.address = {.family = 4, .bytes = {127, 0, 0, 1}}, .port = 53};

	(void)state;
	struct target *a = target_acquire(registry, &none, &host, PROTOCOL_UDP);
	target_on_answer(a, 40 * MS, START);
	struct target *b = target_acquire(registry, &none, &host, PROTOCOL_UDP);
	target_release(registry, a);
	assert_int_equal(target_allowance_us(b), 120 * MS);
	target_release(registry, b);
	b = target_acquire(registry, &none, &host, PROTOCOL_UDP);
	assert_int_equal(target_allowance_us(b), 100 * MS);
	target_registry_free(registry);
}

static const char *other(uint64_t now)
{
	static char text[TARGET_OTHER_TEXT];

	return target_other_text(&target, now, text);
}

static void what_else_answers_is_told_while_the_target_itself_is_silent(void **state)
{
	const struct host from = {.address = {.family = 4, .bytes = {127, 0, 0, 9}}, .port = 53};
	uint64_t now = answered(1, MS);

	(void)state;
	assert_string_equal(other(now), "");
	target_on_mismatch(&target, NULL, now + MS); /* an answer that came twice, say */
	assert_string_equal(other(now + MS), "");
	now += TARGET_OTHER_ALONE_US;
	target_on_mismatch(&target, NULL, now);
	assert_string_equal(other(now),
			    "answers come that match no open question; they may be late");
	target_on_mismatch(&target, &from, now);
	assert_string_equal(other(now), "something else answers: 127.0.0.9:53");
	assert_int_equal(target.mismatched, 3);
	assert_string_equal(other(now + TARGET_OTHER_US), "");
	target_on_answer(&target, MS, now + MS);
	assert_string_equal(other(now + MS), "");
}

#define TEST(name) cmocka_unit_test_setup(name, fresh_target)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(allowance_is_100_ms_before_the_first_answer),
		TEST(allowance_is_srtt_and_four_rttvar),
		TEST(allowance_has_a_floor_of_20_ms_and_ends_at_patience),
		TEST(one_slow_answer_is_remembered_through_many_fast_ones),
		TEST(an_answer_by_another_transport_is_life_but_no_sample),
		TEST(silence_raises_a_doubt_and_any_answer_clears_it),
		TEST(after_slow_answers_three_silences_are_enough_or_one_of_half_of_patience),
		TEST(a_probe_is_waited_for_by_the_time_that_its_question_took),
		TEST(silence_about_what_it_knows_makes_suspect),
		TEST(it_is_probed_ten_times_a_second_at_most),
		TEST(with_nothing_known_the_third_unanswered_question_decides),
		TEST(one_that_never_answered_is_tried_with_three_at_a_time),
		TEST(two_questions_are_known_of_different_clients),
		TEST(what_took_longer_than_usual_is_not_learnt_nor_too_much),
		TEST(a_suspect_is_probed_after_100_ms_and_after_500_in_the_end),
		TEST(a_hundred_questions_earn_a_token_and_two_are_held),
		TEST(anything_heard_since_the_question_means_it_is_slow),
		TEST(a_suspect_stays_one_for_every_question_that_asks),
		TEST(a_row_of_names_is_taken_for_no_edns_for_a_while),
		TEST(what_else_answers_is_told_while_the_target_itself_is_silent),
		TEST(errors_have_texts),
		TEST(the_registry_shares_equal_targets_and_no_others),
		TEST(health_outlives_a_reload_and_ends_with_the_last_reference),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
