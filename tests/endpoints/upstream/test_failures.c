/* Questions that fail in a row: what makes a judgement, and what ends it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "endpoints/upstream/failures.h"
#include "rules/base.h"

enum { SECOND = 1000000 };

struct row_case {
	struct failures failures;
	uint64_t now_us;
};

static int set_up(void **state)
{
	static struct row_case fresh;

	failures_init(&fresh.failures);
	fresh.now_us = 1000 * (uint64_t)SECOND;
	*state = &fresh;
	return 0;
}

static int tear_down(void **state)
{
	struct row_case *c = *state;

	failures_destroy(&c->failures);
	return 0;
}

static bool lose_type(struct row_case *c, uint64_t name, uint16_t type, enum target_error error)
{
	struct host host;

	assert_int_equal(host_parse(&host, "192.0.2.1:53", 53), 0);
	c->now_us += SECOND / 10;
	return failures_add(&c->failures, name, type, error, &host, c->now_us, c->now_us);
}

static bool lose(struct row_case *c, uint64_t name, enum target_error error)
{
	return lose_type(c, name, 1, error);
}

/* Each for another type, so none is a repeat. */
static void lose_often(struct row_case *c, unsigned times, unsigned names, enum target_error error)
{
	static uint16_t type;

	for (unsigned i = 0; i < times; i++)
		lose_type(c, 1 + i % names, ++type, error);
}

static enum failures_kind kind(struct row_case *c)
{
	struct failures_now now;

	failures_read(&c->failures, c->now_us, &now);
	return now.kind;
}

/* Nothing is answered for as long as a judgement takes. */
static void grow_old(struct row_case *c)
{
	c->now_us += FAILURES_AGE_S * (uint64_t)SECOND;
}

static void five_for_three_names_are_a_judgement(void **state)
{
	struct row_case *c = *state;
	struct failures_now now;
	char text[HOST_TEXT_MAX];

	assert_true(lose(c, 1, TARGET_ERROR_REFUSED));
	uint64_t began_us = c->now_us;
	assert_false(lose(c, 2, TARGET_ERROR_REFUSED));
	lose(c, 3, TARGET_ERROR_REFUSED);
	lose_type(c, 1, 28, TARGET_ERROR_REFUSED);
	grow_old(c);
	assert_int_equal(kind(c), FAILURES_FEW);
	lose(c, 1, TARGET_ERROR_SERVFAIL);
	failures_read(&c->failures, c->now_us, &now);
	assert_int_equal(now.kind, FAILURES_OF_ERRORS);
	assert_int_equal(now.error, TARGET_ERROR_SERVFAIL);
	assert_int_equal(now.row.count, 5);
	assert_true(now.row.began_us == began_us);
	assert_string_equal(host_print(&now.host, text), "192.0.2.1:53");
}

static void a_row_is_judged_when_it_is_ten_seconds_old(void **state)
{
	struct row_case *c = *state;

	lose(c, 1, TARGET_ERROR_SERVFAIL);
	uint64_t began_us = c->now_us;
	lose_often(c, 90, 90, TARGET_ERROR_SERVFAIL);
	assert_int_equal(kind(c), FAILURES_FEW);
	c->now_us = began_us + FAILURES_AGE_S * (uint64_t)SECOND - 1;
	assert_int_equal(kind(c), FAILURES_FEW);
	c->now_us++;
	assert_int_equal(kind(c), FAILURES_OF_ERRORS);
	failures_end(&c->failures, c->now_us);
	assert_true(failures_ended_us(&c->failures) == c->now_us);
	lose_often(c, 90, 90, TARGET_ERROR_SERVFAIL);
	assert_int_equal(kind(c), FAILURES_FEW);
}

static void what_a_client_repeats_within_five_seconds_counts_once(void **state)
{
	struct row_case *c = *state;

	for (unsigned i = 0; i < 8; i++) /* three names within five seconds: a client's retries */
		for (uint64_t name = 1; name <= 3; name++)
			lose(c, name, TARGET_ERROR_REFUSED);
	grow_old(c);
	assert_int_equal(kind(c), FAILURES_FEW);
	lose(c, 1, TARGET_ERROR_REFUSED);
	assert_int_equal(kind(c), FAILURES_FEW);
	lose(c, 2, TARGET_ERROR_REFUSED); /* again and again: the fifth */
	assert_int_equal(kind(c), FAILURES_OF_ERRORS);
}

static void another_type_of_a_name_is_no_repeat(void **state)
{
	struct row_case *c = *state;

	lose(c, 1, TARGET_ERROR_REFUSED);
	lose(c, 2, TARGET_ERROR_REFUSED);
	lose_type(c, 1, 28, TARGET_ERROR_REFUSED);
	lose_type(c, 2, 28, TARGET_ERROR_REFUSED);
	lose(c, 3, TARGET_ERROR_REFUSED);
	grow_old(c);
	assert_int_equal(kind(c), FAILURES_OF_ERRORS);
}

static void a_name_that_is_asked_for_often_is_one_name(void **state)
{
	struct row_case *c = *state;

	lose_often(c, 1000, 2, TARGET_ERROR_SERVFAIL);
	grow_old(c);
	assert_int_equal(kind(c), FAILURES_FEW);
	lose(c, 3, TARGET_ERROR_SERVFAIL);
	assert_int_equal(kind(c), FAILURES_OF_ERRORS);
}

static void an_answer_ends_it_and_four_more_do_not_begin_it_again(void **state)
{
	struct row_case *c = *state;

	assert_false(failures_end(&c->failures, c->now_us));
	lose_often(c, 7, 7, TARGET_ERROR_LAME);
	grow_old(c);
	assert_int_equal(kind(c), FAILURES_OF_ERRORS);
	assert_true(failures_end(&c->failures, c->now_us));
	assert_int_equal(kind(c), FAILURES_FEW);
	assert_false(failures_have_begun(&c->failures));
	lose_often(c, 4, 4, TARGET_ERROR_LAME);
	grow_old(c);
	assert_int_equal(kind(c), FAILURES_FEW);
	lose(c, 5, TARGET_ERROR_LAME);
	assert_int_equal(kind(c), FAILURES_OF_ERRORS);
}

static void an_answer_that_is_older_than_the_failures_says_nothing_of_them(void **state)
{
	struct row_case *c = *state;
	uint64_t cached_us = c->now_us;

	lose_often(c, 5, 5, TARGET_ERROR_REFUSED);
	grow_old(c);
	assert_false(failures_end(&c->failures, cached_us));
	assert_int_equal(kind(c), FAILURES_OF_ERRORS);
}

static void a_cached_failure_goes_on_with_a_row_and_begins_none(void **state)
{
	struct row_case *c = *state;
	uint64_t before_us = c->now_us - SECOND;

	assert_false(
		failures_add(&c->failures, 1, 1, TARGET_ERROR_REFUSED, NULL, before_us, c->now_us));
	assert_false(failures_have_begun(&c->failures));
	lose(c, 1, TARGET_ERROR_REFUSED);
	uint64_t at_us = c->now_us;
	lose(c, 2, TARGET_ERROR_REFUSED);
	lose(c, 3, TARGET_ERROR_REFUSED);
	for (unsigned i = 0; i < 9; i++)
		failures_add(&c->failures, 4, 1, TARGET_ERROR_REFUSED, NULL, before_us, c->now_us);
	grow_old(c);
	assert_int_equal(kind(c), FAILURES_FEW);
	for (uint16_t type = 28; type < 30; type++)
		failures_add(&c->failures, 1, type, TARGET_ERROR_REFUSED, NULL, at_us, c->now_us);
	assert_int_equal(kind(c), FAILURES_OF_ERRORS);
}

static void silence_is_told_apart(void **state)
{
	struct row_case *c = *state;

	lose_often(c, 5, 3, TARGET_ERROR_SILENCE);
	grow_old(c);
	assert_int_equal(kind(c), FAILURES_OF_NAMES);
	lose_often(c, 4, 4, TARGET_ERROR_CLOSED);
	grow_old(c);
	assert_int_equal(kind(c), FAILURES_OF_NAMES);
	lose(c, 9, TARGET_ERROR_NETWORK);
	lose(c, 9, TARGET_ERROR_MANGLED);
	assert_int_equal(kind(c), FAILURES_OF_ERRORS);
	failures_end(&c->failures, c->now_us);
	assert_int_equal(kind(c), FAILURES_FEW);
}

static void after_an_hour_without_a_question_nothing_is_known(void **state)
{
	struct row_case *c = *state;

	lose_often(c, 5, 5, TARGET_ERROR_REFUSED);
	c->now_us += (FAILURES_KEPT_S - 1) * (uint64_t)SECOND;
	assert_int_equal(kind(c), FAILURES_OF_ERRORS);
	lose(c, 1, TARGET_ERROR_REFUSED);
	c->now_us += (FAILURES_KEPT_S - 1) * (uint64_t)SECOND;
	assert_int_equal(kind(c), FAILURES_OF_ERRORS);
	c->now_us += SECOND;
	assert_int_equal(kind(c), FAILURES_FEW);
	lose(c, 2, TARGET_ERROR_REFUSED); /* and the next one does not bring the old ones back */
	assert_int_equal(kind(c), FAILURES_FEW);
}

static void what_a_target_answers_and_what_it_does_not(void **state)
{
	static const enum target_error answered[] = {
		TARGET_ERROR_SERVFAIL, TARGET_ERROR_REFUSED, TARGET_ERROR_NOTIMP,
		TARGET_ERROR_FORMERR,  TARGET_ERROR_RCODE,   TARGET_ERROR_LAME,
		TARGET_ERROR_MANGLED,  TARGET_ERROR_CLOSED,  TARGET_ERROR_TRUNCATED,
		TARGET_ERROR_LOOP,     TARGET_ERROR_SHUT,    TARGET_ERROR_INNER};
	unsigned count = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(answered); i++)
		assert_true(target_error_is_answer(answered[i]));
	for (int error = TARGET_ERROR_NONE; error <= TARGET_ERROR_INNER; error++)
		count += target_error_is_answer(error);
	assert_int_equal(count, COUNT(answered));
	assert_string_equal(target_error_sentence(TARGET_ERROR_REFUSED), "answers REFUSED");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(five_for_three_names_are_a_judgement),
		TEST(a_row_is_judged_when_it_is_ten_seconds_old),
		TEST(what_a_client_repeats_within_five_seconds_counts_once),
		TEST(another_type_of_a_name_is_no_repeat),
		TEST(a_name_that_is_asked_for_often_is_one_name),
		TEST(an_answer_ends_it_and_four_more_do_not_begin_it_again),
		TEST(an_answer_that_is_older_than_the_failures_says_nothing_of_them),
		TEST(a_cached_failure_goes_on_with_a_row_and_begins_none),
		TEST(silence_is_told_apart),
		TEST(after_an_hour_without_a_question_nothing_is_known),
		TEST(what_a_target_answers_and_what_it_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
