/* Of each source about one answer a round is measured, whichever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolver/latency.h"

static uint64_t measured(const struct latency *latency, enum response_source source)
{
	uint64_t count = 0;

	for (unsigned i = 0; i <= HISTOGRAM_BOUNDS; i++)
		count += COUNTER_GET(latency->sources[source].buckets[i]);
	return count;
}

static void answer(struct latency *latency, enum response_source source, uint64_t arrived_us)
{
	if (latency_draws(latency, source))
		latency_note(latency, source, arrived_us);
}

static void off_nothing_is_measured(void **state)
{
	struct latency latency;

	(void)state;
	latency_init(&latency, 1);
	answer(&latency, RESPONSE_ZONE, 5);
	assert_false(latency_is_due(&latency));
}

static void where_little_is_asked_every_answer_is_measured(void **state)
{
	struct latency latency;

	(void)state;
	latency_init(&latency, 1);
	latency_switch(&latency, true);
	for (uint64_t now = 1000; now < 101000; now += 1000) {
		answer(&latency, RESPONSE_CACHE, now);
		assert_true(latency_is_due(&latency));
		latency_end_round(&latency, now + 30);
		assert_false(latency_is_due(&latency));
	}
	assert_int_equal(measured(&latency, RESPONSE_CACHE), 100);
	assert_int_equal(latency.sources[RESPONSE_CACHE].buckets[2], 100); /* up to 50 us */
	assert_int_equal(latency.sources[RESPONSE_CACHE].sum_us, 3000);
	assert_int_equal(measured(&latency, RESPONSE_ZONE), 0);
}

/* Batches of 64, each answer of which has waited longer than the one before. */
static void of_a_batch_any_answer_may_be_measured(void **state)
{
	enum { ROUNDS = 20000, BATCH = 64 };
	struct latency latency;

	(void)state;
	latency_init(&latency, 99);
	latency_switch(&latency, true);
	for (unsigned i = 0; i < ROUNDS; i++) {
		for (unsigned k = 0; k < BATCH; k++)
			answer(&latency, RESPONSE_ZONE, 1000 + k);
		latency_end_round(&latency, 1000 + BATCH);
	}
	uint64_t count = measured(&latency, RESPONSE_ZONE);
	double mean = (double)COUNTER_GET(latency.sources[RESPONSE_ZONE].sum_us) / (double)count;

	assert_int_equal(count, ROUNDS);
	assert_true(mean > 31 && mean < 34); /* of 1 to 64, 32.5 */
}

static void a_seldom_source_is_measured_beside_a_frequent_one(void **state)
{
	struct latency latency;

	(void)state;
	latency_init(&latency, 5);
	latency_switch(&latency, true);
	for (unsigned i = 0; i < 100; i++) {
		for (unsigned k = 0; k < 200; k++)
			answer(&latency, RESPONSE_ZONE, 1000);
		answer(&latency, RESPONSE_FORWARDED, 1000);
		latency_end_round(&latency, 3000);
	}
	assert_int_equal(measured(&latency, RESPONSE_FORWARDED), 100);
}

static void switching_it_off_and_on_keeps_what_was_measured(void **state)
{
	struct latency latency;

	(void)state;
	latency_init(&latency, 5);
	latency_switch(&latency, true);
	answer(&latency, RESPONSE_ZONE, 1000);
	latency_switch(&latency, true); /* a reload, between: goes on */
	latency_end_round(&latency, 1001);
	assert_int_equal(measured(&latency, RESPONSE_ZONE), 1);
	latency_switch(&latency, false);
	answer(&latency, RESPONSE_ZONE, 1000);
	assert_false(latency_is_due(&latency));
	latency_switch(&latency, true);
	answer(&latency, RESPONSE_ZONE, 1000);
	latency_end_round(&latency, 1001);
	assert_int_equal(measured(&latency, RESPONSE_ZONE), 2);
}

static void a_duration_is_in_the_bucket_that_it_does_not_exceed(void **state)
{
	struct histogram histogram = {.sum_us = 0}, sum = {.sum_us = 0};

	(void)state;
	for (unsigned i = 0; i < HISTOGRAM_BOUNDS; i++) {
		assert_true(i == 0 || histogram_bounds_us[i] > histogram_bounds_us[i - 1]);
		assert_int_equal(histogram_bucket(histogram_bounds_us[i]), i);
		assert_int_equal(histogram_bucket(histogram_bounds_us[i] + 1), i + 1);
	}
	histogram_add(&histogram, 0);
	histogram_add_shared(&histogram, UINT32_MAX);
	histogram_sum(&sum, &histogram);
	histogram_sum(&sum, &histogram);
	assert_int_equal(sum.buckets[0], 2);
	assert_int_equal(sum.buckets[HISTOGRAM_BOUNDS], 2);
	assert_int_equal(sum.sum_us, 2 * (uint64_t)UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(off_nothing_is_measured),
		cmocka_unit_test(where_little_is_asked_every_answer_is_measured),
		cmocka_unit_test(of_a_batch_any_answer_may_be_measured),
		cmocka_unit_test(a_seldom_source_is_measured_beside_a_frequent_one),
		cmocka_unit_test(switching_it_off_and_on_keeps_what_was_measured),
		cmocka_unit_test(a_duration_is_in_the_bucket_that_it_does_not_exceed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
