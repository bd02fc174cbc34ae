/* Answers for one prefix: how many, of which kind, and that others are none the worse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "endpoints/inbound/response_limit.h"
#include "endpoints/message.h"

enum { SECOND = 1000000 };

struct fixture {
	struct response_limit *limit;
	struct response_limit_settings settings;
	uint64_t now_us;
};

static int set_up(void **state)
{
	static const struct hash_key key = {9, 10};
	struct fixture *f = calloc(1, sizeof *f);

	f->limit = response_limit_new(&key);
	f->settings = (struct response_limit_settings){.answers_per_second = 20,
						       .negatives_per_second = 10,
						       .errors_per_second = 5,
						       .ipv4_prefix_length = 24,
						       .ipv6_prefix_length = 56};
	f->now_us = 500 * (uint64_t)SECOND;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	response_limit_free(f->limit);
	free(f);
	return 0;
}

static unsigned take(struct fixture *f, const char *text, enum response_kind kind, unsigned times)
{
	struct address address;
	unsigned taken = 0;

	assert_int_equal(address_parse(&address, text), 0);
	while (times-- > 0)
		taken += response_limit_take(f->limit, &f->settings, &address, kind, f->now_us);
	return taken;
}

static void a_prefix_gets_a_seconds_worth_and_no_more(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take(f, "192.0.2.1", RESPONSE_ANSWER, 19), 19);
	assert_int_equal(take(f, "192.0.2.255", RESPONSE_ANSWER, 5), 1);
	f->now_us += SECOND / 20;
	assert_int_equal(take(f, "192.0.2.7", RESPONSE_ANSWER, 5), 1);
	f->now_us += 100 * (uint64_t)SECOND;
	assert_int_equal(take(f, "192.0.2.7", RESPONSE_ANSWER, 100), 20);
}

static void over_a_minute_it_is_the_rate(void **state)
{
	struct fixture *f = *state;
	unsigned taken = 0;

	take(f, "192.0.2.1", RESPONSE_ANSWER, 100);
	for (unsigned i = 0; i < 60000; i++, f->now_us += 1000)
		taken += take(f, "192.0.2.1", RESPONSE_ANSWER, 1);
	assert_in_range(taken, 60 * 20 - 12, 60 * 20 + 12);
}

static void kinds_are_counted_apart(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take(f, "192.0.2.1", RESPONSE_ANSWER, 100), 20);
	assert_int_equal(take(f, "192.0.2.1", RESPONSE_NEGATIVE, 100), 10);
	assert_int_equal(take(f, "192.0.2.1", RESPONSE_ERROR, 100), 5);
}

static void other_prefixes_are_none_the_worse(void **state)
{
	struct fixture *f = *state;
	char text[ADDRESS_TEXT_MAX];

	assert_int_equal(take(f, "192.0.2.1", RESPONSE_ANSWER, 100000), 20);
	for (unsigned i = 0; i < 200; i++) {
		snprintf(text, sizeof text, "10.0.%u.1", i);
		assert_int_equal(take(f, text, RESPONSE_ANSWER, 20), 20);
	}
	assert_int_equal(take(f, "2001:db8:0:100::1", RESPONSE_ANSWER, 20), 20);
	assert_int_equal(take(f, "2001:db8:0:1ff::1", RESPONSE_ANSWER, 20), 0);
	assert_int_equal(take(f, "2001:db8:0:200::1", RESPONSE_ANSWER, 20), 20);
}

/* What of so many prefixes gets an answer. */
static unsigned take_of_many(struct fixture *f)
{
	enum { PREFIXES = 20000 };
	char text[ADDRESS_TEXT_MAX];
	unsigned taken = 0;

	for (unsigned i = 0; i < PREFIXES; i++) {
		snprintf(text, sizeof text, "10.%u.%u.1", i / 250, i % 250);
		taken += take(f, text, RESPONSE_ANSWER, 2);
	}
	return taken;
}

/* Prefixes that meet in a cell may take more from it than it is filled with. */
static void a_second_after_a_flood_it_is_forgotten(void **state)
{
	struct fixture *f = *state;

	f->settings.answers_per_second = 1;
	unsigned at_first = take_of_many(f);
	for (unsigned i = 0; i < 10; i++, f->now_us += SECOND)
		take_of_many(f);
	assert_int_equal(take_of_many(f), at_first);
}

static void a_kind_without_a_rate_is_not_limited(void **state)
{
	struct fixture *f = *state;

	f->settings.answers_per_second = 0;
	assert_int_equal(take(f, "192.0.2.1", RESPONSE_ANSWER, 10000), 10000);
	assert_true(response_limit_is_on(&f->settings));
	f->settings.negatives_per_second = f->settings.errors_per_second = 0;
	assert_false(response_limit_is_on(&f->settings));
}

static void a_message_is_of_the_kind_that_its_header_says(void **state)
{
	static const struct {
		uint16_t flags, answers;
		enum response_kind kind;
	} rows[] = {
		{FLAG_QR, 1, RESPONSE_ANSWER},
		{FLAG_QR, 0, RESPONSE_NEGATIVE},
		{FLAG_QR | FLAG_TC, 0, RESPONSE_ANSWER},
		{FLAG_QR | RCODE_NXDOMAIN, 1, RESPONSE_NEGATIVE},
		{FLAG_QR | RCODE_SERVFAIL, 0, RESPONSE_ERROR},
		{FLAG_QR | RCODE_REFUSED, 0, RESPONSE_ERROR},
		{FLAG_QR | RCODE_FORMERR, 0, RESPONSE_ERROR},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t wire[MESSAGE_HEADER] = {0};

		wire_put16(wire + 2, rows[i].flags);
		wire_put16(wire + 6, rows[i].answers);
		assert_int_equal(response_kind(wire), rows[i].kind);
	}
	(void)state;
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(a_prefix_gets_a_seconds_worth_and_no_more),
		ONE(over_a_minute_it_is_the_rate),
		ONE(kinds_are_counted_apart),
		ONE(other_prefixes_are_none_the_worse),
		ONE(a_second_after_a_flood_it_is_forgotten),
		ONE(a_kind_without_a_rate_is_not_limited),
		ONE(a_message_is_of_the_kind_that_its_header_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
