/* Failed logins: what is free, what is slowed, and that one hostile client locks nobody out. */
#include "resolver/control/http/login_throttle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "resolver/log.h"
#include "tests/lib/addresses.h"

enum { NOW = 1000000 };

static struct login_throttle *throttle;

static int set_up(void **state)
{
	(void)state;
	log_configure(LOG_ERROR, LOG_TEXT);
	throttle = malloc(sizeof *throttle);
	login_throttle_init(throttle, &(struct hash_key){1, 2});
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	login_throttle_release(throttle);
	free(throttle);
	return 0;
}

static void fail_from(const char *text, unsigned times, int64_t now_s)
{
	const struct address from = address_of(text);

	while (times-- > 0)
		login_throttle_failed(throttle, &from, NULL, now_s);
}

/* One of many addresses, each a client of its own. */
static struct address numbered(unsigned i)
{
	return (struct address){4, {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
}

static unsigned wait_of(const char *text, int64_t now_s)
{
	const struct address from = address_of(text);

	return login_throttle_wait_s(throttle, &from, now_s);
}

static void some_failures_are_free_and_one_more_is_not(void **state)
{
	(void)state;
	assert_int_equal(wait_of("192.0.2.1", NOW), 0);
	fail_from("192.0.2.1", LOGIN_FREE - 1, NOW);
	assert_int_equal(wait_of("192.0.2.1", NOW), 0);
	fail_from("192.0.2.1", 1, NOW);
	assert_int_equal(wait_of("192.0.2.1", NOW), 1);
	fail_from("192.0.2.1", 1, NOW + 1);
	assert_int_equal(wait_of("192.0.2.1", NOW + 1), LOGIN_EACH_S);
	assert_int_equal(wait_of("192.0.2.1", NOW + LOGIN_EACH_S), 1);
	assert_int_equal(wait_of("192.0.2.1", NOW + LOGIN_EACH_S + 1), 0);
	assert_int_equal(login_throttle_counts(throttle).failed, LOGIN_FREE + 1);
}

static void another_address_is_another_matter(void **state)
{
	(void)state;
	fail_from("192.0.2.1", LOGIN_FREE, NOW);
	assert_int_equal(wait_of("192.0.2.2", NOW), 0);
	fail_from("2001:db8:1:1::1", LOGIN_FREE, NOW);
	assert_int_not_equal(wait_of("2001:db8:1:ffff::2", NOW), 0); /* the same 48 bits */
	assert_int_equal(wait_of("2001:db8:2:1::1", NOW), 0);
}

static void loopback_is_one_address(void **state)
{
	(void)state;
	fail_from("127.0.0.1", LOGIN_FREE / 2, NOW);
	fail_from("127.9.9.9", LOGIN_FREE / 2, NOW);
	assert_int_not_equal(wait_of("127.0.0.2", NOW), 0);
	assert_int_not_equal(wait_of("::1", NOW), 0);
	assert_int_equal(wait_of("192.0.2.1", NOW), 0);
}

static void what_comes_too_soon_is_told_and_does_not_count(void **state)
{
	const struct address from = address_of("192.0.2.1");

	(void)state;
	for (unsigned i = 0; i < LOGIN_FREE; i++)
		assert_true(login_throttle_failed(throttle, &from, "a", NOW));
	assert_false(login_throttle_failed(throttle, &from, "a", NOW));
	assert_false(login_throttle_failed(throttle, &from, NULL, NOW));
	assert_int_equal(login_throttle_counts(throttle).failed, LOGIN_FREE);
	assert_int_equal(login_throttle_counts(throttle).refused, 2);
	assert_int_equal(wait_of("192.0.2.1", NOW), 1);
	assert_true(login_throttle_failed(throttle, &from, "a", NOW + 1));
}

static void no_number_of_others_makes_a_failure_forgotten(void **state)
{
	(void)state;
	fail_from("192.0.2.1", LOGIN_FREE + 1, NOW);
	for (unsigned i = 0; i < 100000; i++) {
		const struct address from = numbered(i);
		login_throttle_failed(throttle, &from, NULL, NOW + 1);
	}
	assert_int_not_equal(wait_of("192.0.2.1", NOW + 1), 0);
}

/* How many of so many addresses may fail once more at that time; each does as often as it may. */
static unsigned fail_all(unsigned addresses, int64_t now_s)
{
	unsigned failed = 0;

	for (unsigned i = 0; i < addresses; i++) {
		const struct address from = numbered(i);
		for (; login_throttle_wait_s(throttle, &from, now_s) == 0; failed++)
			login_throttle_failed(throttle, &from, NULL, now_s);
	}
	return failed;
}

static void all_failures_together_are_bounded(void **state)
{
	enum { ADDRESSES = 20000, SECONDS = 600, BUCKETS = LOGIN_ROWS * LOGIN_BUCKETS };
	unsigned more = 0;

	(void)state;
	assert_in_range(fail_all(ADDRESSES, NOW), LOGIN_BUCKETS * LOGIN_FREE, BUCKETS * LOGIN_FREE);
	for (int64_t s = 1; s <= SECONDS; s++)
		more += fail_all(ADDRESSES / 10, NOW + s);
	assert_in_range(more, 1, BUCKETS * (SECONDS / LOGIN_EACH_S + 1));
}

static void few_others_make_hardly_anybody_wait(void **state)
{
	enum { HOSTILE = 50, OTHERS = 10000 };
	unsigned waiting = 0;

	(void)state;
	fail_all(HOSTILE, NOW);
	for (unsigned i = HOSTILE; i < HOSTILE + OTHERS; i++) {
		const struct address from = numbered(i);
		waiting += login_throttle_wait_s(throttle, &from, NOW) > 0;
	}
	assert_in_range(waiting, 1, OTHERS * 4 / 100);
}

static void the_unix_socket_is_not_guarded(void **state)
{
	static const struct address none;

	(void)state;
	for (unsigned i = 0; i < 2 * LOGIN_FREE; i++)
		login_throttle_failed(throttle, &none, "ops", NOW);
	assert_int_equal(login_throttle_wait_s(throttle, &none, NOW), 0);
	assert_int_equal(login_throttle_counts(throttle).failed, 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(some_failures_are_free_and_one_more_is_not),
		T(another_address_is_another_matter),
		T(what_comes_too_soon_is_told_and_does_not_count),
		T(loopback_is_one_address),
		T(no_number_of_others_makes_a_failure_forgotten),
		T(all_failures_together_are_bounded),
		T(few_others_make_hardly_anybody_wait),
		T(the_unix_socket_is_not_guarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
