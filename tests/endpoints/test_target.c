/* A target's health by the rules one at a time: when silence is suspicious, what pays for it, who
 * gets copies, and how allowance follows the answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "endpoints/target.h"

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

/* Asked so often that it has a token; ends at `now`. */
static void earn_token(uint64_t now)
{
	for (unsigned i = 0; i < TARGET_TOKEN; i++)
		target_on_ask(&target, now);
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

static void silence_with_a_token_makes_suspect_and_takes_it(void **state)
{
	(void)state;
	uint64_t now = answered(1, MS);
	earn_token(now);
	target_wait(&target);
	assert_true(target_on_silence(&target, now + 1, false, now + 20 * MS));
	assert_true(target_is_suspect(&target));
	assert_int_equal(target.suspicions, 1);
	assert_true(target_on_answer(&target, MS, now + 30 * MS));
	assert_false(target_is_suspect(&target));
	/* the token is gone: the next question waits */
	assert_false(target_on_silence(&target, now + 40 * MS, false, now + 60 * MS));
	assert_false(target_is_suspect(&target));
}

static void a_hundred_questions_earn_a_token(void **state)
{
	(void)state;
	uint64_t now = answered(1, MS);
	for (unsigned i = 0; i < 99; i++)
		target_on_ask(&target, now);
	assert_false(target_on_silence(&target, now + 1, false, now + 20 * MS));
	target_on_ask(&target, now);
	assert_true(target_on_silence(&target, now + 1, false, now + 20 * MS));
}

static void a_target_holds_one_token_at_most(void **state)
{
	(void)state;
	uint64_t now = answered(1, MS);
	for (unsigned i = 0; i < 1000; i++)
		target_on_ask(&target, now);
	assert_true(target_on_silence(&target, now + 1, false, now + 20 * MS));
	target_on_answer(&target, MS, now + 30 * MS);
	assert_false(target_on_silence(&target, now + 40 * MS, false, now + 60 * MS));
}

static void anything_heard_since_the_question_means_it_is_slow(void **state)
{
	(void)state;
	uint64_t now = answered(1, MS);
	earn_token(now);
	assert_false(target_on_silence(&target, now - 1, false, now + 20 * MS));
	assert_true(target_on_silence(&target, now, false, now + 20 * MS));
}

static void three_waiting_need_no_token_and_two_do(void **state)
{
	(void)state;
	uint64_t now = answered(1, MS);
	target_wait(&target);
	target_wait(&target);
	assert_false(target_on_silence(&target, now + 1, false, now + 20 * MS));
	target_wait(&target);
	target_unwait(&target);
	assert_false(target_on_silence(&target, now + 1, false, now + 20 * MS));
	target_wait(&target);
	assert_true(target_on_silence(&target, now + 1, false, now + 20 * MS));
}

static void one_that_never_answered_needs_no_token(void **state)
{
	(void)state;
	assert_true(target_on_silence(&target, START, false, START + 100 * MS));
}

static void patience_needs_no_token_but_respects_life(void **state)
{
	(void)state;
	uint64_t now = answered(1, MS);
	assert_false(target_on_silence(&target, now - 5, true, now + 800 * MS));
	assert_true(target_on_silence(&target, now, true, now + 800 * MS));
	assert_int_equal(target.timeouts, 2);
	assert_int_equal(target.last_error, TARGET_ERROR_SILENCE);
}

static void a_suspect_stays_one_for_every_question_that_asks(void **state)
{
	(void)state;
	target_on_unreachable(&target, TARGET_ERROR_NETWORK, START);
	assert_true(target_on_silence(&target, START, false, START + 1));
	assert_int_equal(target.suspicions, 1);
}

static void a_suspect_gets_every_copy_in_its_first_second(void **state)
{
	(void)state;
	assert_false(target_take_copy(&target, START)); /* not a suspect */
	target_on_unreachable(&target, TARGET_ERROR_NETWORK, START);
	assert_true(target_take_copy(&target, START));
	assert_true(target_take_copy(&target, START));
	assert_true(target_take_copy(&target, START + 1000 * MS - 1));
	assert_true(target_take_copy(&target, START + 1000 * MS - 1));
	assert_false(target_take_copy(&target, START + 1000 * MS));
	assert_int_equal(target.copies, 4);
}

static void then_it_gets_one_copy_in_100_ms(void **state)
{
	unsigned copies = 0;

	(void)state;
	target_on_unreachable(&target, TARGET_ERROR_NETWORK, START);
	for (uint64_t t = START + 1000 * MS; t < START + 3000 * MS; t += MS)
		copies += target_take_copy(&target, t);
	assert_int_equal(copies, 20);
}

static void once_more_costs_a_hundred_questions_and_no_token(void **state)
{
	(void)state;
	uint64_t now = answered(1, MS);
	assert_true(target_take_resend(&target));
	assert_false(target_take_resend(&target));
	for (unsigned i = 0; i < 99; i++)
		target_on_ask(&target, now);
	assert_false(target_take_resend(&target));
	target_on_ask(&target, now);
	assert_true(target_take_resend(&target));
	assert_true(target_on_silence(&target, now + 1, false, now + 20 * MS)); /* has its token */
}

static void plain_is_remembered_for_a_quarter_of_an_hour(void **state)
{
	(void)state;
	assert_false(target_is_plain(&target, START));
	target_on_plain(&target, START);
	assert_true(target_is_plain(&target, START + TARGET_PLAIN_US - 1));
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

#define TEST(name) cmocka_unit_test_setup(name, fresh_target)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(allowance_is_100_ms_before_the_first_answer),
		TEST(allowance_is_srtt_and_four_rttvar),
		TEST(allowance_has_a_floor_of_20_ms_and_ends_at_patience),
		TEST(one_slow_answer_is_remembered_through_many_fast_ones),
		TEST(an_answer_by_another_transport_is_life_but_no_sample),
		TEST(silence_with_a_token_makes_suspect_and_takes_it),
		TEST(a_hundred_questions_earn_a_token),
		TEST(a_target_holds_one_token_at_most),
		TEST(anything_heard_since_the_question_means_it_is_slow),
		TEST(three_waiting_need_no_token_and_two_do),
		TEST(one_that_never_answered_needs_no_token),
		TEST(patience_needs_no_token_but_respects_life),
		TEST(a_suspect_stays_one_for_every_question_that_asks),
		TEST(a_suspect_gets_every_copy_in_its_first_second),
		TEST(then_it_gets_one_copy_in_100_ms),
		TEST(once_more_costs_a_hundred_questions_and_no_token),
		TEST(plain_is_remembered_for_a_quarter_of_an_hour),
		TEST(errors_have_texts),
		TEST(the_registry_shares_equal_targets_and_no_others),
		TEST(health_outlives_a_reload_and_ends_with_the_last_reference),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
