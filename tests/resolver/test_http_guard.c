/* Failed logins: what is free, what is slowed, and that one hostile client locks nobody out. */
#include "resolver/control/http_guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "resolver/log.h"

enum { NOW = 1000000 };

static struct http_guard *guard;

static int set_up(void **state)
{
	(void)state;
	log_configure(LOG_ERROR, LOG_TEXT);
	guard = malloc(sizeof *guard);
	assert_true(http_guard_init(guard));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	http_guard_release(guard);
	free(guard);
	return 0;
}

static struct address at(const char *text)
{
	struct address address;

	assert_int_equal(address_parse(&address, text), 0);
	return address;
}

static void fail_from(const char *text, unsigned times, int64_t now_s)
{
	const struct address from = at(text);

	while (times-- > 0)
		http_guard_failed(guard, &from, NULL, now_s);
}

static unsigned wait_of(const char *text, int64_t now_s)
{
	const struct address from = at(text);

	return http_guard_wait_s(guard, &from, now_s);
}

static void some_failures_are_free_and_one_more_is_not(void **state)
{
	(void)state;
	assert_int_equal(wait_of("192.0.2.1", NOW), 0);
	fail_from("192.0.2.1", GUARD_FREE - 1, NOW);
	assert_int_equal(wait_of("192.0.2.1", NOW), 0);
	fail_from("192.0.2.1", 1, NOW);
	assert_int_equal(wait_of("192.0.2.1", NOW), 1);
	fail_from("192.0.2.1", 1, NOW + 1);
	assert_int_equal(wait_of("192.0.2.1", NOW + 1), GUARD_EACH_S);
	assert_int_equal(wait_of("192.0.2.1", NOW + GUARD_EACH_S), 1);
	assert_int_equal(wait_of("192.0.2.1", NOW + GUARD_EACH_S + 1), 0);
	assert_int_equal(http_guard_counts(guard).failed, GUARD_FREE + 1);
}

static void another_address_is_another_matter(void **state)
{
	(void)state;
	fail_from("192.0.2.1", GUARD_FREE, NOW);
	assert_int_equal(wait_of("192.0.2.2", NOW), 0);
	fail_from("2001:db8:1:1::1", GUARD_FREE, NOW);
	assert_int_not_equal(wait_of("2001:db8:1:1:ffff::2", NOW), 0); /* the same 64 bits */
	assert_int_equal(wait_of("2001:db8:1:2::1", NOW), 0);
}

static void who_was_let_in_from_there_is_trusted_there(void **state)
{
	const struct address here = at("192.0.2.1"), there = at("192.0.2.2");
	static const char *const clients[] = {"a", "b", "c", "d", "e"};

	(void)state;
	http_guard_let_in(guard, &here, "a", NOW);
	assert_true(http_guard_trusts(guard, &here, "a"));
	assert_false(http_guard_trusts(guard, &here, "b"));
	assert_false(http_guard_trusts(guard, &there, "a"));
	for (size_t i = 0; i < 5; i++) /* one more than is remembered */
		http_guard_let_in(guard, &here, clients[i], NOW);
	assert_true(http_guard_trusts(guard, &here, "e"));
	assert_true(http_guard_trusts(guard, &here, "b"));
	assert_false(http_guard_trusts(guard, &here, "a"));
}

static void the_address_that_was_not_heard_for_longest_is_forgotten(void **state)
{
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	fail_from("192.0.2.1", GUARD_FREE + 1, NOW);
	for (unsigned i = 1; i < GUARD_PLACES; i++) {
		snprintf(text, sizeof text, "10.0.%u.%u", i / 256, i % 256);
		fail_from(text, GUARD_FREE, NOW + 1);
	}
	assert_int_not_equal(wait_of("192.0.2.1", NOW + 1), 0);
	fail_from("10.9.9.9", 1, NOW + 1);
	assert_int_equal(wait_of("192.0.2.1", NOW + 1), 0);
	assert_int_not_equal(wait_of("10.0.0.1", NOW + 1), 0);
}

static void a_clock_that_is_set_back_locks_nobody_out_for_long(void **state)
{
	(void)state;
	fail_from("192.0.2.1", 2 * GUARD_FREE, NOW);
	assert_int_equal(wait_of("192.0.2.1", NOW), GUARD_EACH_S + 1);
	assert_int_equal(wait_of("192.0.2.1", NOW - 100000), GUARD_EACH_S + 1);
	assert_int_equal(wait_of("192.0.2.1", NOW + 100000), 0);
}

static void the_unix_socket_is_not_guarded(void **state)
{
	static const struct address none;

	(void)state;
	for (unsigned i = 0; i < 2 * GUARD_FREE; i++)
		http_guard_failed(guard, &none, "ops", NOW);
	assert_int_equal(http_guard_wait_s(guard, &none, NOW), 0);
	assert_int_equal(http_guard_counts(guard).failed, 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(some_failures_are_free_and_one_more_is_not),
		T(another_address_is_another_matter),
		T(who_was_let_in_from_there_is_trusted_there),
		T(the_address_that_was_not_heard_for_longest_is_forgotten),
		T(a_clock_that_is_set_back_locks_nobody_out_for_long),
		T(the_unix_socket_is_not_guarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
