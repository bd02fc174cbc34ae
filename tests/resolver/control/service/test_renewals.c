/* Last renewals: tables that grow and shrink, clocks that count while a zone is served, and what a
 * new process makes of the rows of the one before. */
#include "resolver/control/service/renewals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/transfer/tsig.h"

enum { MANY = 20000, AT = 1800000000, HOUR = 3600 };

static const struct hash_key key = {1, 2};

static int set_up(void **state)
{
	struct renewals *renewals = calloc(1, sizeof *renewals);

	renewals_init(renewals, &key);
	*state = renewals;
	return 0;
}

static int tear_down(void **state)
{
	renewals_release(*state);
	free(*state);
	return 0;
}

static uint64_t print_of(struct renewals *renewals, const char *zone, unsigned number,
			 uint16_t type)
{
	char wire[16];

	snprintf(wire, sizeof wire, "%c%09u", 9, number);
	return renewals_print(renewals, renewals_clock(renewals, zone), (const uint8_t *)wire,
			      type);
}

/* ---- sets ---- */

static void every_set_is_found_until_it_is_forgotten(void **state)
{
	struct renewals *renewals = *state;

	for (unsigned i = 0; i < MANY; i++)
		renewals_note(renewals, print_of(renewals, "a.test", i, 1), AT + i, i);
	for (unsigned i = 0; i < MANY; i += 3)
		renewals_forget(renewals, print_of(renewals, "a.test", i, 1));
	for (unsigned i = 0; i < MANY; i++) {
		const struct renewal *renewal =
			renewals_find(renewals, print_of(renewals, "a.test", i, 1));

		if (i % 3 == 0) {
			assert_null(renewal);
			continue;
		}
		assert_non_null(renewal);
		assert_int_equal(renewal->at_s, AT + i);
		assert_int_equal(renewal->clock_s, i);
	}
	assert_int_equal(renewals->unwritten, MANY - (MANY + 2) / 3);
}

static void a_set_takes_no_more_than_64_bytes(void **state)
{
	struct renewals *renewals = *state;
	size_t bytes = 0;

	for (unsigned i = 0; i < MANY; i++)
		renewals_note(renewals, print_of(renewals, "a.test", i, 1), AT, 0);
	for (size_t i = 0; i < RENEWALS_TABLES; i++)
		bytes += renewals->tables[i].room * sizeof(struct renewal);
	assert_in_range(bytes, 32 * MANY, 64 * MANY);
}

static void type_zone_and_name_tell_sets_apart(void **state)
{
	struct renewals *renewals = *state;
	uint64_t print = print_of(renewals, "a.test", 1, 1);

	assert_true(print == print_of(renewals, "A.test", 1, 1));
	assert_true(print != print_of(renewals, "a.test", 1, 28));
	assert_true(print != print_of(renewals, "a.test", 2, 1));
	assert_true(print != print_of(renewals, "b.test", 1, 1));
}

static void what_is_noted_again_is_to_be_written_again(void **state)
{
	struct renewals *renewals = *state;
	uint64_t print = print_of(renewals, "a.test", 1, 1);

	renewals_note(renewals, print, AT, 0);
	renewals_note(renewals, print, AT + 1, 1);
	assert_int_equal(renewals->unwritten, 1);
	renewals_written(renewals, print);
	assert_int_equal(renewals->unwritten, 0);
	renewals_note(renewals, print, AT + 2, 2);
	assert_int_equal(renewals->unwritten, 1);
	renewals_forget(renewals, print);
	assert_int_equal(renewals->unwritten, 0);
}

/* ---- signatures ---- */

static bool are_newer(struct renewals *renewals, uint64_t print, const char *signer,
		      uint32_t signed_s)
{
	const struct renewal_signature signature = {
		*signer ? renewals_key_print(renewals, signer) : 0, signed_s};

	return renewals_are_newer(renewals, print, &signature, AT);
}

static void a_message_is_older_than_what_its_key_has_signed_since(void **state)
{
	struct renewals *renewals = *state;
	uint64_t print = print_of(renewals, "a.test", 1, 1);
	const struct renewal_signature first = {renewals_key_print(renewals, "k.test."), AT},
				       later = {first.key, AT + 5},
				       other = {renewals_key_print(renewals, "o.test."), AT + 9};

	assert_false(are_newer(renewals, print, "k.test.", AT - 1));
	renewals_note(renewals, print, AT, 0);
	assert_false(are_newer(renewals, print, "k.test.", AT - 1));
	renewals_sign(renewals, print, &first);
	assert_true(are_newer(renewals, print, "k.test.", AT - 1));
	assert_false(are_newer(renewals, print, "k.test.", AT));
	assert_false(are_newer(renewals, print, "o.test.", AT - 1));
	assert_false(are_newer(renewals, print, "", AT - 1));
	renewals_sign_again(renewals, print, &later, AT);
	renewals_sign_again(renewals, print, &first, AT);
	renewals_sign_again(renewals, print, &other, AT);
	assert_true(are_newer(renewals, print, "k.test.", AT + 4));
	assert_false(are_newer(renewals, print, "k.test.", AT + 5));
	renewals_note(renewals, print, AT + 5, 5);
	assert_true(are_newer(renewals, print, "k.test.", AT + 4));
	renewals_sign(renewals, print, &other);
	assert_false(are_newer(renewals, print, "k.test.", AT - 1));
	assert_true(are_newer(renewals, print, "o.test.", AT + 8));
}

/* The clocks of client and server were ahead, and are right again. A time that was signed then does
 * not count against what is signed now. */
static void a_time_that_cannot_be_yet_makes_no_message_older(void **state)
{
	struct renewals *renewals = *state;
	uint64_t print = print_of(renewals, "a.test", 1, 1);
	struct renewal_signature signature = {renewals_key_print(renewals, "k.test."),
					      AT + TSIG_FUDGE_S};

	renewals_note(renewals, print, AT, 0);
	renewals_sign(renewals, print, &signature);
	assert_true(are_newer(renewals, print, "k.test.", AT));
	signature.signed_s++;
	renewals_sign(renewals, print, &signature);
	assert_false(are_newer(renewals, print, "k.test.", AT));
	signature.signed_s = AT;
	renewals_sign_again(renewals, print, &signature, AT);
	assert_true(are_newer(renewals, print, "k.test.", AT - 1));
}

static void what_is_put_back_is_what_it_was(void **state)
{
	struct renewals *renewals = *state;
	uint64_t print = print_of(renewals, "a.test", 1, 1);
	const struct renewal_signature signature = {renewals_key_print(renewals, "k.test."), AT};
	struct renewal before;

	renewals_note(renewals, print, AT, 7);
	renewals_sign(renewals, print, &signature);
	renewals_written(renewals, print);
	before = *renewals_find(renewals, print);
	renewals_forget(renewals, print);
	renewals_put_back(renewals, print, &before);
	assert_memory_equal(renewals_find(renewals, print), &before, sizeof before);
	assert_int_equal(renewals->unwritten, 0);
	renewals_put_back(renewals, print, NULL);
	assert_null(renewals_find(renewals, print));
}

/* ---- clocks ---- */

static void a_clock_counts_while_it_runs(void **state)
{
	struct renewal_clock *clock = renewals_clock(*state, "a.test");
	uint64_t now_s = 1000;

	assert_int_equal(renewal_clock_read(clock, now_s), 0);
	renewal_clock_run(clock, true, now_s);
	assert_int_equal(renewal_clock_read(clock, now_s += HOUR), HOUR);
	renewal_clock_run(clock, true, now_s);
	renewal_clock_run(clock, false, now_s);
	assert_int_equal(renewal_clock_read(clock, now_s += 999 * HOUR), HOUR);
	renewal_clock_run(clock, true, now_s);
	assert_int_equal(renewal_clock_read(clock, now_s + 5), HOUR + 5);
}

/* ---- rows ---- */

/* As another process finds them: the clock's row, and those of one set. */
static const struct renewal *recall(struct renewals *renewals, const char *clock_row,
				    int64_t since_s, const char *row)
{
	struct renewal_clock *clock = renewals_clock(renewals, "a.test");
	uint64_t print = print_of(renewals, "a.test", 1, 1);

	renewal_clock_recall(clock, clock_row);
	renewals_note(renewals, print, since_s, clock->base_s);
	if (row)
		renewals_recall(renewals, clock, print, row);
	return renewals_find(renewals, print);
}

static void rows_give_back_what_was_written(void **state)
{
	struct renewals *renewals = *state;
	char value[RENEWAL_VALUE_MAX], clock_value[RENEWAL_VALUE_MAX];
	const struct renewal made = {.at_s = AT + HOUR, .clock_s = 70};
	struct renewal_clock *clock = renewals_clock(renewals, "b.test");
	const struct renewal *renewal;

	renewal_clock_run(clock, true, 100);
	renewal = recall(renewals, renewal_clock_print_value(clock, true, 190, clock_value), AT,
			 renewal_print_value(&made, value));
	assert_int_equal(renewals_clock(renewals, "a.test")->base_s, 90);
	assert_int_equal(renewal->at_s, AT + HOUR);
	assert_int_equal(renewal->clock_s, 70);
	assert_false(renewal->unwritten);
}

static void after_a_kill_all_count_as_renewed_at_the_start(void **state)
{
	const struct renewal *renewal = recall(*state, "90 open", AT, "1800003600 70");

	assert_int_equal(renewal->at_s, AT + HOUR); /* to be shown */
	assert_int_equal(renewal->clock_s, 90);
	assert_true(renewal->unwritten);
}

static void without_a_row_a_set_counts_as_renewed_at_the_start(void **state)
{
	const struct renewal *renewal = recall(*state, "90 closed", AT, NULL);

	assert_int_equal(renewal->at_s, AT);
	assert_int_equal(renewal->clock_s, 90);
}

static void a_row_older_than_the_registration_does_not_count(void **state)
{
	const struct renewal *renewal = recall(*state, "90 closed", AT + 1, "1800000000 70");

	assert_int_equal(renewal->at_s, AT + 1);
	assert_int_equal(renewal->clock_s, 90);
}

static void rows_that_sluice_did_not_write_are_passed_over(void **state)
{
	static const char *const rows[] = {"", "x", "1800003600", "1800003600 91", "-1 -1"};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct renewal *renewal = recall(*state, "90 closed", AT, rows[i]);

		assert_int_equal(renewal->clock_s, 90);
		assert_true(renewal->unwritten);
	}
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		renewal_clock_recall(renewals_clock(*state, "b.test"), rows[i]);
	assert_false(renewals_clock(*state, "b.test")->closed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_set_is_found_until_it_is_forgotten),
		TEST(a_set_takes_no_more_than_64_bytes),
		TEST(type_zone_and_name_tell_sets_apart),
		TEST(what_is_noted_again_is_to_be_written_again),
		TEST(a_message_is_older_than_what_its_key_has_signed_since),
		TEST(a_time_that_cannot_be_yet_makes_no_message_older),
		TEST(what_is_put_back_is_what_it_was),
		TEST(a_clock_counts_while_it_runs),
		TEST(rows_give_back_what_was_written),
		TEST(after_a_kill_all_count_as_renewed_at_the_start),
		TEST(without_a_row_a_set_counts_as_renewed_at_the_start),
		TEST(a_row_older_than_the_registration_does_not_count),
		TEST(rows_that_sluice_did_not_write_are_passed_over),
	};

	return cmocka_run_group_tests_name("renewals", tests, NULL, NULL);
}
