/* Tokens that were ended ahead of their time: what the state keeps of them, and what a start makes
 * of that. */
#include "resolver/control/service/logouts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/addresses_fixture.h"

enum { NOW_S = 1800000000, MANY = 300, OVER_S = NOW_S - HTTP_LOGOUT_KEPT_S };

static const struct http_logout eye = {"eye", NOW_S + 60, "00112233445566778899aabbccddeeff"},
				before = {"eye", NOW_S + 50, ""};

static void note(struct addresses_fixture *fixture, const struct http_logout *logout, int64_t now_s)
{
	assert_int_equal(logouts_note(resources_store(fixture->resources), logout, now_s), 0);
}

static int count_row(void *context, const struct pairs_use *use)
{
	unsigned *counts = context;

	assert_memory_equal(use->what, "logout\t", 7);
	counts[logouts_counts(use, NOW_S)]++;
	return 0;
}

/* counts[1]: those that count. */
static void count_rows(struct addresses_fixture *fixture, unsigned counts[2])
{
	char error[SOURCE_ERROR_MAX];

	counts[0] = counts[1] = 0;
	assert_int_equal(pairs_uses_after(resources_store(fixture->resources)->source, "logout\t",
					  100000, count_row, counts, error),
			 0);
}

static void note_many_that_are_over(struct addresses_fixture *fixture)
{
	struct http_logout logout = {.client = "ops"};

	for (int i = 0; i < MANY; i++) {
		logout.expires_s = OVER_S - i;
		snprintf(logout.id, sizeof logout.id, "%032x", (unsigned)i);
		note(fixture, &logout, OVER_S - MANY);
	}
}

static void a_logout_removes_rows_that_are_over(void **state)
{
	struct addresses_fixture *fixture = *state;
	unsigned counts[2], first;

	note_many_that_are_over(fixture);
	note(fixture, &eye, NOW_S);
	note(fixture, &before, NOW_S);
	count_rows(fixture, counts);
	assert_int_equal(counts[1], 2);
	assert_in_range(counts[0], 1, MANY - 20);
	first = counts[0];
	for (unsigned i = 0; i <= first / 10; i++)
		note(fixture, &eye, NOW_S);
	count_rows(fixture, counts);
	assert_int_equal(counts[0], 0);
	assert_int_equal(counts[1], 2);
}

static void a_start_removes_all_that_are_over_and_no_other(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct http_auth *auth = http_auth_new();
	unsigned counts[2];

	note_many_that_are_over(fixture);
	note(fixture, &eye, NOW_S - MANY);
	note(fixture, &before, NOW_S - MANY);
	addresses_fixture_restart(fixture);
	logouts_load(resources_store(fixture->resources), auth, NOW_S);
	count_rows(fixture, counts);
	assert_int_equal(counts[0], 0);
	assert_int_equal(counts[1], 2);
	http_auth_free(auth);
}

static void a_clock_that_was_ahead_for_some_hours_removes_none(void **state)
{
	enum { AHEAD_S = NOW_S + HTTP_LOGOUT_KEPT_S / 2 };
	struct addresses_fixture *fixture = *state;
	struct http_auth *auth = http_auth_new();
	const struct http_logout ahead = {"ops", AHEAD_S + 60, "ffeeddccbbaa99887766554433221100"};
	unsigned counts[2];

	note(fixture, &eye, NOW_S);
	note(fixture, &ahead, AHEAD_S);
	logouts_load(resources_store(fixture->resources), auth, AHEAD_S);
	count_rows(fixture, counts);
	assert_int_equal(counts[1], 2);
	http_auth_free(auth);
}

static void rows_of_something_else_are_no_logouts(void **state)
{
	const struct pairs_use rule = {.what = "rule a\tb", .since_s = NOW_S + 1},
			       over = {.what = "logout\t1799913600\teye", .since_s = OVER_S};

	(void)state;
	assert_false(logouts_counts(&rule, NOW_S));
	assert_false(logouts_counts(&over, NOW_S));
	assert_true(logouts_counts(&over, NOW_S - 1));
}

#define T(test)                                                                                    \
	cmocka_unit_test_setup_teardown(test, addresses_fixture_set_up, addresses_fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_logout_removes_rows_that_are_over),
		T(a_start_removes_all_that_are_over_and_no_other),
		T(a_clock_that_was_ahead_for_some_hours_removes_none),
		cmocka_unit_test(rows_of_something_else_are_no_logouts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
