/* The meter by a clock of the test's own: how exact it is, what it lets through at once, and what
 * each of many clients gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "endpoints/meter.h"
#include "tests/lib/random.h"

enum { MS = 1000, SECOND = 1000 * MS, CLIENTS_MAX = 40, BATCH = 64, QUEUE = 1 << 16 };

struct fixture {
	struct meter meter;
	uint64_t now_us;
	uint64_t random;
	unsigned asked[CLIENTS_MAX], admitted[CLIENTS_MAX];
	bool proven[CLIENTS_MAX]; /* by TCP or a cookie */
	unsigned queue[QUEUE];    /* of clients, in the order in which they ask */
	unsigned queued;
};

static int set_up(void **state)
{
	static const struct hash_key key = {7, 8};
	struct fixture *f = aligned_alloc(METER_LINE, sizeof *f); /* whose size is a multiple */

	memset(f, 0, sizeof *f);
	meter_init(&f->meter, 10000, &key);
	f->now_us = 1000 * (uint64_t)SECOND;
	f->random = 42;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static struct address client(unsigned i)
{
	return (struct address){4, {10, 0, (uint8_t)(i >> 8), (uint8_t)i}};
}

/* A batch of so many of one client's; how many were let through. */
static unsigned ask(struct fixture *f, unsigned who, unsigned count)
{
	struct address address = client(who);
	struct meter_round round;
	unsigned admitted = 0;

	meter_begin(&round, &f->meter, count, f->now_us);
	for (unsigned i = 0; i < count; i++)
		admitted += meter_admit(&round, &address, f->proven[who]);
	meter_end(&round);
	return admitted;
}

/* One client asks `per_ms` each millisecond, in batches of `batch`, for so long. */
static uint64_t ask_on(struct fixture *f, unsigned per_ms, unsigned batch, unsigned ms)
{
	uint64_t admitted = 0;

	for (; ms > 0; ms--, f->now_us += MS)
		for (unsigned left = per_ms; left > 0;) {
			unsigned count = left < batch ? left : batch;

			admitted += ask(f, 1, count);
			left -= count;
		}
	return admitted;
}

static void without_a_limit_all_pass(void **state)
{
	struct fixture *f = *state;
	struct meter_round round;
	struct address address = client(1);

	meter_set_rate(&f->meter, 0);
	assert_int_equal(ask(f, 1, 100000), 100000);
	meter_begin(&round, NULL, 1, f->now_us);
	assert_true(meter_admit(&round, &address, false));
	meter_end(&round);
	assert_true(meter_pass(NULL, 0, &address, false, f->now_us));
	for (unsigned i = 0; i < 20000; i++)
		assert_true(meter_pass(&f->meter, 0, &address, false, f->now_us));
}

static void a_tenth_of_a_seconds_worth_passes_at_once_whoever_sends_it(void **state)
{
	struct fixture *f = *state;
	unsigned admitted = 0;

	for (unsigned i = 0; i < 100; i++)
		admitted += ask(f, 1, BATCH);
	assert_in_range(admitted, 1000, 1005);
	admitted = 0;
	for (unsigned i = 0; i < 100; i++) /* and what is left is for who has had nothing */
		admitted += ask(f, 2, 4);
	assert_in_range(admitted, 100, 250);
}

static void twice_the_limit_is_cut_to_the_limit_within_a_percent(void **state)
{
	static const unsigned rates[] = {1000, 10000, 50000, 1000000}, batches[] = {1, 7, 64};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
		for (size_t k = 0; k < sizeof batches / sizeof batches[0]; k++) {
			unsigned rate = rates[i], seconds = rate > 50000 ? 1 : 10;

			meter_set_rate(&f->meter, rate);
			ask_on(f, 2 * rate / 1000, batches[k], 500); /* the first burst */
			uint64_t got = ask_on(f, 2 * rate / 1000, batches[k], seconds * 1000);
			assert_in_range(got, (uint64_t)rate * seconds * 99 / 100,
					(uint64_t)rate * seconds * 101 / 100);
		}
}

static void the_first_burst_is_an_eighth_of_a_second_at_most(void **state)
{
	struct fixture *f = *state;
	uint64_t got = ask_on(f, 20, BATCH, 10000);

	assert_in_range(got, 100000 + 990, 100000 + 1250 + 1000);
}

static void below_the_limit_nothing_is_turned_away(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask_on(f, 10, 3, 10000), 100000);
	f->now_us += 3600 * (uint64_t)SECOND; /* and an hour's silence saves nothing up */
	uint64_t got = 0;
	for (unsigned i = 0; i < 100; i++)
		got += ask(f, 1, BATCH);
	assert_in_range(got, 1000, 1250);
}

static void what_a_batch_does_not_use_is_given_back(void **state)
{
	struct fixture *f = *state;
	struct address address = client(1);
	unsigned admitted = 0;

	for (unsigned i = 0; i < 10000; i++, f->now_us += 110) {
		struct meter_round round;

		meter_begin(&round, &f->meter, BATCH, f->now_us);
		admitted += meter_admit(&round, &address, false);
		meter_end(&round);
	}
	assert_int_equal(admitted, 10000);
}

static void a_limit_of_one_a_second_lets_one_a_second_through(void **state)
{
	struct fixture *f = *state;

	meter_set_rate(&f->meter, 1);
	ask_on(f, 1, 1, 20000);
	assert_in_range(ask_on(f, 1, 1, 100000), 99, 101);
}

static void another_limit_holds_at_once(void **state)
{
	struct fixture *f = *state;

	ask_on(f, 20, BATCH, 1000);
	meter_set_rate(&f->meter, 2000);
	ask_on(f, 20, BATCH, 200);
	assert_in_range(ask_on(f, 20, BATCH, 5000), 9900, 10100);
	meter_set_rate(&f->meter, 2000); /* the same is no reason for another burst */
	assert_in_range(ask_on(f, 20, BATCH, 1000), 1980, 2020);
	meter_set_rate(&f->meter, 1);
	assert_true(ask(f, 1, 1));
}

static void a_clock_that_is_a_little_behind_another_workers_does_no_harm(void **state)
{
	struct fixture *f = *state;
	uint64_t got = 0;

	ask_on(f, 20, BATCH, 1000);
	for (unsigned i = 0; i < 10000; i++, f->now_us += MS) {
		f->now_us -= 300;
		got += ask(f, 1, 10);
		f->now_us += 300;
		got += ask(f, 1, 10);
	}
	assert_in_range(got, 99000, 101000);
}

/* ---- fairness ---- */

static void shuffle_and_ask(struct fixture *f)
{
	for (unsigned i = f->queued; i > 1; i--) {
		unsigned k = random_below(&f->random, i), swap = f->queue[i - 1];

		f->queue[i - 1] = f->queue[k];
		f->queue[k] = swap;
	}
	for (unsigned at = 0; at < f->queued;) {
		unsigned count = 1 + random_below(&f->random, BATCH);
		struct meter_round round;

		count = count < f->queued - at ? count : f->queued - at;
		meter_begin(&round, &f->meter, count, f->now_us);
		for (; count > 0; count--, at++) {
			struct address address = client(f->queue[at]);

			f->asked[f->queue[at]]++;
			f->admitted[f->queue[at]] +=
				meter_admit(&round, &address, f->proven[f->queue[at]]);
		}
		meter_end(&round);
	}
	f->queued = 0;
}

static unsigned in_a_ms(struct fixture *f, unsigned per_second)
{
	return per_second / 1000 + (random_below(&f->random, 1000) < per_second % 1000);
}

static void ask_for_a_ms(struct fixture *f, const unsigned rates[], unsigned clients)
{
	for (unsigned i = 0; i < clients; i++)
		for (unsigned count = in_a_ms(f, rates[i]); count > 0; count--)
			f->queue[f->queued++] = i;
	shuffle_and_ask(f);
}

static void forget_counts(struct fixture *f)
{
	memset(f->asked, 0, sizeof f->asked);
	memset(f->admitted, 0, sizeof f->admitted);
}

/* Clients ask at random, so many a second each on average; the counters begin after a second. */
static void ask_together(struct fixture *f, const unsigned rates[], unsigned clients, unsigned ms)
{
	for (unsigned t = 0; t < ms + 1000; t++, f->now_us += MS) {
		if (t == 1000)
			forget_counts(f);
		ask_for_a_ms(f, rates, clients);
	}
}

static uint64_t sum(const unsigned counts[])
{
	uint64_t total = 0;

	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		total += counts[i];
	return total;
}

static void prove_all(struct fixture *f, bool proven)
{
	memset(f->proven, proven, sizeof f->proven);
}

/* Nineteen ask for two fifths of the limit together, one for twenty times the limit. */
static void a_noisy_client_takes_nothing_from_nineteen_others(void **state)
{
	static const unsigned limits[] = {10000, 1000, 200};
	struct fixture *f = *state;

	for (size_t l = 0; l < 2 * (sizeof limits / sizeof limits[0]); l++) {
		unsigned limit = limits[l / 2], rates[20] = {20 * limit};

		for (unsigned i = 1; i < 20; i++)
			rates[i] = limit * 2 / 5 / 19;
		prove_all(f, l % 2);
		meter_set_rate(&f->meter, limit);
		ask_together(f, rates, 20, 10000);
		for (unsigned i = 1; i < 20; i++)
			assert_true(f->admitted[i] >= f->asked[i] * 995 / 1000);
		assert_in_range(sum(f->admitted), 10 * limit * 99 / 100, 10 * limit * 101 / 100);
	}
}

/* All twenty want more than their share, one of them two hundred times it. */
static void clients_that_want_more_than_there_is_share_alike(void **state)
{
	static const unsigned limits[] = {10000, 1000};
	struct fixture *f = *state;

	for (size_t l = 0; l < 2 * (sizeof limits / sizeof limits[0]); l++) {
		unsigned limit = limits[l / 2], rates[20] = {10 * limit}, share = limit / 20;

		for (unsigned i = 1; i < 20; i++)
			rates[i] = 2 * share;
		prove_all(f, l % 2);
		meter_set_rate(&f->meter, limit);
		ask_together(f, rates, 20, 10000);
		for (unsigned i = 0; i < 20; i++)
			assert_in_range(f->admitted[i], 10 * share * 85 / 100,
					10 * share * 115 / 100);
	}
}

/* 500 and 3000 a second are asked for by some, and what they leave is the others'. */
static void what_modest_clients_leave_is_shared_by_the_greedy(void **state)
{
	static const unsigned rates[] = {500, 3000, 9000, 30000};
	struct fixture *f = *state;

	for (unsigned proven = 0; proven < 2; proven++) {
		prove_all(f, proven);
		ask_together(f, rates, 4, 10000);
		assert_true(f->admitted[0] >= f->asked[0] * 995 / 1000);
		assert_true(f->admitted[1] >= f->asked[1] * 98 / 100);
		assert_in_range(f->admitted[2], 32500 * 85 / 100, 32500 * 115 / 100);
		assert_in_range(f->admitted[3], 32500 * 85 / 100, 32500 * 115 / 100);
	}
}

static void who_was_greedy_once_is_not_held_to_it_for_ever(void **state)
{
	unsigned rates[2] = {0, 30000};
	struct fixture *f = *state;

	ask_together(f, rates, 2, 3000);
	rates[0] = 30000;
	rates[1] = 2000;
	ask_together(f, rates, 2, 5000);
	assert_true(f->admitted[1] >= f->asked[1] * 995 / 1000);
}

/* Ticks wrap around after 51 days. A cell older than half of that must not seem to come from the
 * future, and so count as new. */
static void who_was_greedy_a_month_ago_is_not_held_to_it(void **state)
{
	unsigned rates[21] = {20000};
	struct fixture *f = *state;

	ask_together(f, rates, 1, 9000);
	rates[0] = 20;
	for (unsigned i = 1; i < 21; i++)
		rates[i] = 1000;
	f->now_us += 26 * 86400 * (uint64_t)SECOND;
	ask_together(f, rates, 21, 5000);
	assert_true(f->admitted[0] >= f->asked[0] * 98 / 100);
}

static void an_ipv6_client_is_its_network(void **state)
{
	struct fixture *f = *state;
	struct address noisy = {6, {0x20, 1, 0xd, 0xb8}}, other = {6, {0x20, 1, 0xd, 0xb9}};
	unsigned admitted = 0;

	for (unsigned t = 0; t < 2000; t++, f->now_us += MS)
		for (unsigned i = 0; i < 100; i++) {
			struct meter_round round;

			noisy.bytes[15] = (uint8_t)i;
			noisy.bytes[14] = (uint8_t)t;
			meter_begin(&round, &f->meter, 1, f->now_us);
			(void)meter_admit(&round, &noisy, false);
			meter_end(&round);
			if (i % 50)
				continue;
			meter_begin(&round, &f->meter, 1, f->now_us);
			admitted += meter_admit(&round, &other, false);
			meter_end(&round);
		}
	assert_in_range(admitted, 3990, 4000);
}

/* ---- forged addresses ---- */

/* So many, each from an address of its own; how many were let through. */
static unsigned forge(struct fixture *f, unsigned count)
{
	struct meter_round round;
	unsigned admitted = 0;

	meter_begin(&round, &f->meter, count, f->now_us);
	for (unsigned i = 0; i < count; i++) {
		uint64_t random = random_u64(&f->random);
		struct address address = {4, {172, 16}};

		memcpy(address.bytes + 1, &random, 3);
		admitted += meter_admit(&round, &address, false);
	}
	meter_end(&round);
	return admitted;
}

/* Twice as many as there may be come with forged addresses; after a second clients begin to ask, of
 * a worker whose clock is a little behind. How many of the forged were let through meanwhile. */
static uint64_t ask_amid_forged(struct fixture *f, const unsigned rates[], unsigned clients,
				unsigned ms)
{
	unsigned forged_rate = 2 * (unsigned)atomic_load(&f->meter.rate);
	uint64_t forged = 0;

	for (unsigned t = 0; t < 1000; t++, f->now_us += MS)
		forge(f, in_a_ms(f, forged_rate));
	forget_counts(f);
	for (unsigned t = 0; t < ms; t++, f->now_us += MS) {
		forged += forge(f, in_a_ms(f, forged_rate));
		f->now_us -= 200;
		ask_for_a_ms(f, rates, clients);
		f->now_us += 200;
	}
	return forged;
}

static void who_is_proven_is_answered_from_its_first_query_on(void **state)
{
	static const unsigned limits[] = {10000, 1000, 200};
	struct fixture *f = *state;

	prove_all(f, true);
	for (size_t l = 0; l < sizeof limits / sizeof limits[0]; l++) {
		unsigned limit = limits[l];
		const unsigned rates[] = {limit / 200, limit / 10, limit / 4};

		meter_set_rate(&f->meter, limit);
		uint64_t forged = ask_amid_forged(f, rates, 3, 10000);
		for (unsigned i = 0; i < 3; i++)
			assert_int_equal(f->admitted[i], f->asked[i]);
		assert_in_range(sum(f->admitted) + forged, 10 * limit * 99 / 100,
				10 * limit * 101 / 100);
	}
}

/* The greedy one gets what the others leave of the half, and nearly nothing of what is everybody's,
 * where it has had more than anybody. */
static void the_provens_half_is_shared_as_the_whole_is(void **state)
{
	unsigned rates[20] = {30000};
	struct fixture *f = *state;

	for (unsigned i = 1; i < 20; i++)
		rates[i] = 10 * i;
	prove_all(f, true);
	uint64_t forged = ask_amid_forged(f, rates, 20, 10000);
	for (unsigned i = 1; i < 20; i++)
		assert_true(f->admitted[i] >= f->asked[i] * 995 / 1000);
	assert_in_range(sum(f->admitted), 49500, 53000);
	assert_in_range(sum(f->admitted) + forged, 99000, 101000);
}

/* While another that is proven wants more than their half. */
static void a_forged_address_is_no_use_of_its_owners(void **state)
{
	struct fixture *f = *state;

	f->proven[0] = f->proven[2] = true;
	for (unsigned t = 0; t < 5000; t++, f->now_us += MS) {
		struct address victim = client(0);
		struct meter_round round;

		meter_begin(&round, &f->meter, 20, f->now_us);
		for (unsigned i = 0; i < 20; i++)
			(void)meter_admit(&round, &victim, false);
		meter_end(&round);
		ask(f, 2, 6);
		f->asked[0]++;
		f->admitted[0] += ask(f, 0, 1);
	}
	assert_true(f->admitted[0] >= f->asked[0] * 995 / 1000);
}

static void the_others_keep_their_half_of_who_is_proven_and_greedy(void **state)
{
	unsigned rates[20] = {200000};
	struct fixture *f = *state;

	for (unsigned i = 1; i < 20; i++)
		rates[i] = 4500 / 19;
	f->proven[0] = true;
	ask_together(f, rates, 20, 10000);
	for (unsigned i = 1; i < 20; i++)
		assert_true(f->admitted[i] >= f->asked[i] * 995 / 1000);
	assert_in_range(sum(f->admitted), 99000, 101000);
}

/* ---- on the way out ---- */

static void questions_out_are_exact_too_whichever_worker_asks(void **state)
{
	static const unsigned rates[] = {100, 1000, 10000, 200000};
	struct fixture *f = *state;
	struct address address = client(1);

	for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
		unsigned rate = rates[i], step = 1000000 / (2 * rate), admitted = 0;

		if (step == 0)
			step = 1;
		meter_set_rate(&f->meter, rate);
		for (uint64_t t = 0; t < 6 * (uint64_t)SECOND; t += step, f->now_us += step)
			admitted += meter_pass(&f->meter, (unsigned)(t / step) % 3, &address, false,
					       f->now_us) &&
				    t >= SECOND;
		assert_in_range(admitted, 5 * rate * 99 / 100, 5 * rate * 101 / 100);
	}
}

static void questions_out_are_fair_too(void **state)
{
	struct fixture *f = *state;
	struct address noisy = client(1), other = client(2);
	unsigned admitted = 0;

	for (unsigned t = 0; t < 5000; t++, f->now_us += MS) {
		for (unsigned i = 0; i < 50; i++)
			(void)meter_pass(&f->meter, i % 2, &noisy, false, f->now_us);
		admitted += meter_pass(&f->meter, t % 2, &other, false, f->now_us);
	}
	assert_in_range(admitted, 4980, 5000);
}

static void questions_out_of_who_is_proven_leave_amid_others(void **state)
{
	struct fixture *f = *state;
	struct address address = client(1);
	unsigned asked = 0, admitted = 0;

	for (unsigned t = 0; t < 3000; t++, f->now_us += MS) {
		for (unsigned i = 0; i < 20; i++) {
			struct address forged = client(100 + random_below(&f->random, 1 << 16));

			(void)meter_pass(&f->meter, i % 2, &forged, false, f->now_us);
		}
		asked += t >= 1000;
		admitted += t >= 1000 && meter_pass(&f->meter, t % 2, &address, true, f->now_us);
	}
	assert_int_equal(admitted, asked);
}

/* ---- the registry ---- */

static void a_meter_is_found_by_name_and_direction(void **state)
{
	struct hash_key key = {1, 2};
	struct meter_registry *registry = meter_registry_new(&key);

	(void)state;
	struct meter *in = meter_acquire(registry, "hub/in", false);
	assert_ptr_equal(meter_acquire(registry, "Hub/IN", false), in);
	assert_ptr_not_equal(meter_acquire(registry, "hub/in", true), in);
	assert_ptr_not_equal(meter_acquire(registry, "hub/in2", false), in);
	meter_registry_free(registry);
}

static void the_limit_holds_for_meters_that_come_later(void **state)
{
	struct hash_key key = {1, 2};
	struct meter_registry *registry = meter_registry_new(&key);

	(void)state;
	struct meter *first = meter_acquire(registry, "a/b", false);
	assert_int_equal(atomic_load(&first->rate), 0);
	meter_registry_set_rate(registry, 77);
	struct meter *second = meter_acquire(registry, "a/c", false);
	assert_int_equal(atomic_load(&first->rate), 77);
	assert_int_equal(atomic_load(&second->rate), 77);
	meter_registry_free(registry);
}

static void a_meter_lives_until_its_last_reference_is_given_back(void **state)
{
	struct hash_key key = {1, 2};
	struct meter_registry *registry = meter_registry_new(&key);

	(void)state;
	struct meter *meter = meter_acquire(registry, "a/b", true);
	assert_ptr_equal(meter_acquire(registry, "a/b", true), meter);
	struct meter *other = meter_acquire(registry, "a/c", true);
	meter_release(registry, meter);
	atomic_store(&meter->due, 5);
	assert_int_equal(atomic_load(&meter_acquire(registry, "a/b", true)->due), 5);
	meter_release(registry, meter);
	meter_release(registry, meter);
	assert_int_equal(atomic_load(&meter_acquire(registry, "a/b", true)->due), 0);
	meter_release(registry, other);
	meter_registry_free(registry);
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(without_a_limit_all_pass),
		ONE(a_tenth_of_a_seconds_worth_passes_at_once_whoever_sends_it),
		ONE(twice_the_limit_is_cut_to_the_limit_within_a_percent),
		ONE(the_first_burst_is_an_eighth_of_a_second_at_most),
		ONE(below_the_limit_nothing_is_turned_away),
		ONE(what_a_batch_does_not_use_is_given_back),
		ONE(a_limit_of_one_a_second_lets_one_a_second_through),
		ONE(another_limit_holds_at_once),
		ONE(a_clock_that_is_a_little_behind_another_workers_does_no_harm),
		ONE(a_noisy_client_takes_nothing_from_nineteen_others),
		ONE(clients_that_want_more_than_there_is_share_alike),
		ONE(what_modest_clients_leave_is_shared_by_the_greedy),
		ONE(who_was_greedy_once_is_not_held_to_it_for_ever),
		ONE(who_was_greedy_a_month_ago_is_not_held_to_it),
		ONE(an_ipv6_client_is_its_network),
		ONE(who_is_proven_is_answered_from_its_first_query_on),
		ONE(the_provens_half_is_shared_as_the_whole_is),
		ONE(a_forged_address_is_no_use_of_its_owners),
		ONE(the_others_keep_their_half_of_who_is_proven_and_greedy),
		ONE(questions_out_are_exact_too_whichever_worker_asks),
		ONE(questions_out_are_fair_too),
		ONE(questions_out_of_who_is_proven_leave_amid_others),
		ONE(a_meter_is_found_by_name_and_direction),
		ONE(the_limit_holds_for_meters_that_come_later),
		ONE(a_meter_lives_until_its_last_reference_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
