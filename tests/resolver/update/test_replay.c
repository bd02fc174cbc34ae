/* What has been signed and seen: a model of it that remembers everything, and each rule by itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/update/replay.h"
#include "rules/base.h"
#include "tests/lib/random.h"

enum { NOW = 1700000000, MAX = 128 };

static int set_up(void **state)
{
	struct replays *replays = malloc(sizeof *replays);

	replays_init(replays, &(struct hash_key){1, 2}, MAX, NOW);
	*state = replays;
	return 0;
}

static int tear_down(void **state)
{
	replays_release(*state);
	free(*state);
	return 0;
}

/* The MAC is made of the number; from port 53 of 192.0.2.1, by UDP. */
struct sample {
	uint8_t mac[TSIG_MAC_MAX];
	struct replay_request request;
};

static const struct replay_request *sample(struct sample *sample, unsigned number,
					   uint64_t signed_s)
{
	memset(sample, 0, sizeof *sample);
	memset(sample->mac, (int)(number & 255), sizeof sample->mac);
	memcpy(sample->mac, &number, sizeof number);
	sample->request = (struct replay_request){
		.mac = sample->mac,
		.mac_length = 32,
		.signed_s = signed_s,
		.key = (const uint8_t *)"\1k",
		.key_length = 3,
		.source = {{4, {192, 0, 2, 1}}, 53},
	};
	return &sample->request;
}

/* key: "\1k" is that of the sample. */
static enum replay judge_of(struct replays *replays, const char *key, unsigned number,
			    uint64_t signed_s, uint64_t now_s)
{
	struct sample one;
	enum rcode rcode;

	sample(&one, number, signed_s);
	one.request.key = (const uint8_t *)key;
	return replays_judge(replays, &one.request, now_s, &rcode);
}

static enum replay judge(struct replays *replays, unsigned number, uint64_t signed_s,
			 uint64_t now_s)
{
	return judge_of(replays, "\1k", number, signed_s, now_s);
}

static void answer(struct replays *replays, unsigned number, enum rcode rcode)
{
	struct sample one;

	sample(&one, number, 0);
	replays_answer(replays, one.mac, 32, rcode);
}

static void forget(struct replays *replays, unsigned number)
{
	struct sample one;

	sample(&one, number, 0);
	replays_forget(replays, one.mac, 32);
}

static void the_same_bytes_get_the_answer_of_the_first_once_there_is_one(void **state)
{
	struct replays *replays = *state;
	struct sample one;
	enum rcode rcode = RCODE_NOERROR;

	assert_int_equal(judge(replays, 1, NOW, NOW), REPLAY_NEW);
	assert_int_equal(judge(replays, 1, NOW, NOW), REPLAY_WAITING);
	answer(replays, 1, RCODE_YXDOMAIN);
	assert_int_equal(replays_judge(replays, sample(&one, 1, NOW), NOW + TSIG_FUDGE_S, &rcode),
			 REPLAY_ANSWERED);
	assert_int_equal(rcode, RCODE_YXDOMAIN);
	assert_int_equal(judge(replays, 2, NOW, NOW), REPLAY_NEW);
}

static void from_elsewhere_they_are_foreign(void **state)
{
	struct replays *replays = *state;
	struct sample one;
	enum rcode rcode;

	assert_int_equal(judge(replays, 1, NOW, NOW), REPLAY_NEW);
	for (unsigned answered = 0; answered < 2; answered++) {
		sample(&one, 1, NOW);
		one.request.source.port = 54;
		assert_int_equal(replays_judge(replays, &one.request, NOW, &rcode), REPLAY_FOREIGN);
		sample(&one, 1, NOW);
		one.request.source.address.bytes[3] = 2;
		assert_int_equal(replays_judge(replays, &one.request, NOW, &rcode), REPLAY_FOREIGN);
		sample(&one, 1, NOW);
		one.request.tcp = true;
		assert_int_equal(replays_judge(replays, &one.request, NOW, &rcode), REPLAY_FOREIGN);
		answer(replays, 1, RCODE_NOERROR);
	}
}

static void macs_of_every_length_are_told_apart(void **state)
{
	struct replays *replays = *state;
	struct sample one;
	enum rcode rcode;

	for (size_t length = 20; length <= TSIG_MAC_MAX; length++) {
		sample(&one, 1, NOW);
		one.request.mac_length = length;
		assert_int_equal(replays_judge(replays, &one.request, NOW, &rcode), REPLAY_NEW);
		assert_int_equal(replays_judge(replays, &one.request, NOW, &rcode), REPLAY_WAITING);
	}
}

static void what_was_dropped_is_new_again(void **state)
{
	struct replays *replays = *state;
	struct sample one;

	assert_int_equal(judge(replays, 1, NOW, NOW), REPLAY_NEW);
	sample(&one, 1, NOW);
	replays_forget(replays, one.mac, 32);
	assert_int_equal(replays->count, 0);
	assert_int_equal(judge(replays, 1, NOW, NOW), REPLAY_NEW);
	replays_forget(replays, one.mac, 31); /* that nobody has sent */
	assert_int_equal(replays->count, 1);
}

static void what_was_signed_long_before_the_start_is_old(void **state)
{
	assert_int_equal(judge(*state, 1, NOW - REPLAY_START_S, NOW), REPLAY_OLD);
	assert_int_equal(judge(*state, 1, NOW - REPLAY_START_S + 1, NOW), REPLAY_NEW);
}

static void what_was_signed_long_before_a_takeover_is_old(void **state)
{
	struct replays *replays = *state;

	replays_begin(replays, NOW + 60);
	assert_int_equal(judge(replays, 1, NOW + 60 - REPLAY_START_S, NOW + 60), REPLAY_OLD);
	assert_int_equal(judge(replays, 1, NOW + 61 - REPLAY_START_S, NOW + 60), REPLAY_NEW);
}

static void once_a_clock_that_was_ahead_at_the_start_is_right_the_start_is_then(void **state)
{
	struct replays *replays = *state;

	assert_int_equal(judge(replays, 1, NOW - 250, NOW - 250), REPLAY_OLD);
	assert_int_equal(judge(replays, 2, NOW - 7200 - REPLAY_START_S, NOW - 7200), REPLAY_OLD);
	assert_int_equal(judge(replays, 3, NOW - 7200, NOW - 7200), REPLAY_NEW);
	assert_int_equal(judge_of(replays, "\1l", 4, NOW - 7200, NOW - 7200), REPLAY_NEW);
	assert_int_equal(judge(replays, 5, NOW - 7200 - REPLAY_START_S, NOW - 7199), REPLAY_OLD);
}

/* A key has signed while the clock was ahead. The key's floor stays when the clock is right again:
 * below it, the key's requests could be replayed. */
static void a_time_that_a_key_has_signed_is_not_given_up(void **state)
{
	struct replays *replays = *state;

	assert_int_equal(judge(replays, 1, NOW, NOW), REPLAY_NEW);
	assert_int_equal(judge(replays, 2, NOW + 7200, NOW + 7200), REPLAY_NEW);
	assert_int_equal(judge(replays, 3, NOW + 7800, NOW + 7800), REPLAY_NEW);
	assert_int_equal(judge(replays, 1, NOW, NOW), REPLAY_OLD);
	assert_int_equal(judge(replays, 2, NOW + 7200, NOW + 7200), REPLAY_OLD);
}

static void places_are_free_again_after_the_fudge(void **state)
{
	struct replays *replays = *state;

	for (unsigned i = 0; i < MAX; i++)
		assert_int_equal(judge(replays, i, NOW + i % 7, NOW), REPLAY_NEW);
	assert_int_equal(replays->count, MAX);
	/* Those of the first three seconds have gone, but nothing that is in time is old. */
	assert_int_equal(judge(replays, MAX, NOW + 3, NOW + 3 + TSIG_FUDGE_S), REPLAY_NEW);
	assert_true(replays->count < MAX - 3 * (MAX / 7) + 2);
	/* Too old by now, though it came in time: its entry may be gone. */
	assert_int_equal(judge(replays, MAX + 2, NOW + 3, NOW + 4 + TSIG_FUDGE_S), REPLAY_OLD);
}

static void what_was_taken_is_not_taken_again_once_the_clock_is_set_back(void **state)
{
	struct replays *replays = *state;

	assert_int_equal(judge(replays, 1, NOW, NOW), REPLAY_NEW);
	assert_int_equal(judge(replays, 2, NOW + 1000, NOW + 1000), REPLAY_NEW);
	assert_int_equal(judge(replays, 1, NOW, NOW), REPLAY_OLD);
	assert_int_equal(judge(replays, 3, NOW + 1, NOW + 1), REPLAY_NEW);
}

static void where_all_places_are_taken_the_oldest_goes_and_its_key_signs_no_older_ones(void **state)
{
	struct replays *replays = *state;

	for (unsigned i = 0; i < MAX; i++)
		assert_int_equal(judge(replays, i, NOW + 100 - i / 2, NOW), REPLAY_NEW);
	uint64_t oldest = NOW + 100 - (MAX - 1) / 2;
	assert_int_equal(judge(replays, MAX, oldest - 1, NOW),
			 REPLAY_OLD); /* none older is known */
	assert_int_equal(judge(replays, MAX, NOW + 200, NOW), REPLAY_NEW);
	/* One of two of that second has gone; neither it nor another of its time is taken again. */
	assert_int_equal((judge(replays, MAX - 1, oldest, NOW) == REPLAY_OLD) +
				 (judge(replays, MAX - 2, oldest, NOW) == REPLAY_OLD),
			 1);
	assert_int_equal(judge(replays, MAX + 1, oldest, NOW), REPLAY_OLD);
	/* Another key's floor has not moved. */
	assert_int_equal(judge_of(replays, "\1l", MAX + 2, oldest, NOW), REPLAY_NEW);
	assert_int_equal(replays->count, MAX);
}

/* Whenever it says that it has signed. */
static void a_key_that_floods_takes_the_places_of_no_other_key(void **state)
{
	struct replays *replays = *state;

	assert_int_equal(judge_of(replays, "\1l", 0, NOW, NOW), REPLAY_NEW);
	for (unsigned i = 1; i < 4 * MAX; i++)
		assert_int_equal(judge(replays, i, NOW + 1 + i, NOW), REPLAY_NEW);
	assert_int_equal(judge_of(replays, "\1l", 0, NOW, NOW), REPLAY_WAITING);
	assert_int_equal(judge_of(replays, "\1l", 4 * MAX, NOW - 1, NOW), REPLAY_NEW);
	assert_int_equal(judge(replays, 4 * MAX + 1, NOW, NOW), REPLAY_OLD);
	assert_int_equal(replays->count, MAX);
}

/* Whatever comes, of three keys: nothing that was taken is ever taken again while TSIG would still
 * accept it. */
static void nothing_is_taken_twice(void **state)
{
	enum { KINDS = 3000, STEPS = 60000 };
	static const char *const keys[] = {"\1k", "\1l", "\1m"};
	struct replays *replays = *state;
	bool *taken = calloc(KINDS, sizeof *taken);
	uint64_t *times = calloc(KINDS, sizeof *times);
	unsigned old = 0, fresh = 0;
	uint64_t now_s = NOW, random = 1;

	for (unsigned i = 0; i < KINDS; i++)
		times[i] = NOW + random_below(&random, 2000);
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned number = random_below(&random, KINDS);
		uint64_t apart =
			times[number] > now_s ? times[number] - now_s : now_s - times[number];

		now_s = NOW + step * 2000ULL / STEPS;
		if (apart > TSIG_FUDGE_S)
			continue;
		enum replay replay =
			judge_of(replays, keys[number % COUNT(keys)], number, times[number], now_s);
		assert_false(replay == REPLAY_NEW && taken[number]);
		taken[number] |= replay == REPLAY_NEW;
		old += replay == REPLAY_OLD;
		fresh += replay == REPLAY_NEW;
		if (step % 3 == 0)
			answer(replays, number, RCODE_NOERROR);
		if (step % 7 == 0 && replay == REPLAY_NEW) {
			forget(replays, number);
			taken[number] = false;
		}
	}
	assert_true(old > 100 && fresh > 100);
	free(taken);
	free(times);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_same_bytes_get_the_answer_of_the_first_once_there_is_one),
		TEST(from_elsewhere_they_are_foreign),
		TEST(macs_of_every_length_are_told_apart),
		TEST(what_was_dropped_is_new_again),
		TEST(what_was_signed_long_before_the_start_is_old),
		TEST(what_was_signed_long_before_a_takeover_is_old),
		TEST(once_a_clock_that_was_ahead_at_the_start_is_right_the_start_is_then),
		TEST(a_time_that_a_key_has_signed_is_not_given_up),
		TEST(places_are_free_again_after_the_fudge),
		TEST(what_was_taken_is_not_taken_again_once_the_clock_is_set_back),
		TEST(where_all_places_are_taken_the_oldest_goes_and_its_key_signs_no_older_ones),
		TEST(a_key_that_floods_takes_the_places_of_no_other_key),
		TEST(nothing_is_taken_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
