/* Numbers of names, what they count, and which are shown: bounded, and nothing ever falls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolver/series.h"
#include "rules/text.h"

enum { WORKERS = 2, WIDTH = 2, NUMBERS = 300 };

static int setup(void **state)
{
	*state = series_set_new(WORKERS, WIDTH, NUMBERS);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	series_set_free(*state);
	return 0;
}

static void count(const struct series_set *set, unsigned worker, uint32_t number, uint64_t n)
{
	_Atomic uint64_t *cell = series_cells(set, worker) + (size_t)number * WIDTH;

	COUNTER_ADD(cell[0], n);
	COUNTER_ADD(cell[1], 1);
}

static void on_series(void *context, const char *outer, const char *name, const uint64_t *counters)
{
	char *text = context;

	text_append(text, 4096, "%s%s%s%s=%llu", *text ? " " : "", outer ? outer : "",
		    outer && *outer ? "/" : "", name ? name : "*", (unsigned long long)counters[0]);
}

static const char *shown(struct series_set *set, uint32_t max)
{
	static char text[4096];

	text[0] = '\0';
	series_show(set, max);
	series_each(set, on_series, text);
	return text;
}

static uint64_t first_of(struct series_set *set, uint32_t number)
{
	uint64_t counters[WIDTH];

	series_read(set, number, counters);
	return counters[0];
}

/* A number's next name has none of what its last one has counted. */
static void the_value_of_a_name_is_its_own(void **state)
{
	struct series_set *set = *state;
	uint32_t a = series_acquire(set, "set", "a");

	assert_int_equal(first_of(set, a), 0);
	count(set, 0, a, 2);
	count(set, 1, a, 3);
	assert_int_equal(first_of(set, a), 5);
	series_release(set, a);
	assert_int_equal(first_of(set, a), 0);
	assert_int_equal(series_acquire(set, "set", "b"), a);
	assert_int_equal(first_of(set, a), 0);
	assert_int_equal(first_of(set, 0), 0);
}

static void a_name_counts_at_all_workers(void **state)
{
	struct series_set *set = *state;
	uint32_t a = series_acquire(set, "set", "a"), b = series_acquire(set, "set", "b");

	assert_true(a && b && a != b);
	count(set, 0, a, 2);
	count(set, 1, a, 3);
	count(set, 1, b, 1);
	assert_string_equal(shown(set, 10), "set/a=5 set/b=1");
}

static void names_are_what_they_are_in(void **state)
{
	struct series_set *set = *state;
	uint32_t a = series_acquire(set, "one", "a"), other = series_acquire(set, "two", "a");
	uint32_t joined = series_acquire(set, "on", "ea");

	assert_true(a != other && a != joined);
	assert_int_equal(series_acquire(set, "one", "a"), a);
}

static void a_name_that_was_shown_goes_on_when_it_is_back(void **state)
{
	struct series_set *set = *state;
	uint32_t a = series_acquire(set, "set", "a");

	count(set, 0, a, 5);
	assert_string_equal(shown(set, 10), "set/a=5");
	series_release(set, a);
	assert_string_equal(shown(set, 10), "set/a=5"); /* and stays meanwhile */
	assert_int_equal(series_acquire(set, "set", "a"), a);
	count(set, 0, a, 1);
	assert_string_equal(shown(set, 10), "set/a=6");
}

static void a_name_is_had_until_the_last_lets_go(void **state)
{
	struct series_set *set = *state;
	uint32_t a = series_acquire(set, "set", "a");

	assert_false(series_is_had(set, "set", "b"));
	assert_false(series_is_had(set, "other", NULL));
	assert_true(series_is_had(set, "set", "a") && series_is_had(set, "set", NULL));
	assert_int_equal(series_acquire(set, "set", "a"), a);
	assert_string_equal(shown(set, 10), "set/a=0");
	assert_false(series_release(set, a));
	assert_true(series_is_had(set, "set", "a") && series_is_had(set, "set", NULL));
	assert_false(series_release(set, a)); /* it stays shown */
	assert_false(series_is_had(set, "set", "a") || series_is_had(set, "set", NULL));
}

static void of_more_than_are_shown_the_rest_is_other(void **state)
{
	struct series_set *set = *state;
	uint32_t a = series_acquire(set, "", "a"), b = series_acquire(set, "", "b");
	uint32_t c = series_acquire(set, "", "c");

	assert_string_equal(shown(set, 2), "*=0"); /* nobody has counted yet */
	count(set, 0, b, 7);
	assert_string_equal(shown(set, 2), "b=0 *=7"); /* 7 were told as others */
	count(set, 1, b, 1);
	count(set, 0, a, 2);
	count(set, 0, c, 3);
	assert_string_equal(shown(set, 2), "b=1 c=0 *=12");
	count(set, 0, a, 1);
	assert_string_equal(shown(set, 2), "b=1 c=0 *=13");
	assert_int_equal(series_unshown(set), 1);
	assert_string_equal(shown(set, 3), "b=1 c=0 a=0 *=13"); /* the bound is raised */
	count(set, 0, a, 1);
	assert_string_equal(shown(set, 1), "b=1 c=0 a=1 *=13"); /* and lowered: they stay */
}

static void what_a_name_counted_before_the_first_look_is_its_own(void **state)
{
	struct series_set *set = *state;
	uint32_t a = series_acquire(set, "", "a"), b = series_acquire(set, "", "b");

	series_acquire(set, "", "c");
	count(set, 0, a, 1);
	count(set, 0, b, 9);
	assert_string_equal(shown(set, 1), "b=9 *=1");
}

static void a_number_that_is_used_again_begins_at_nothing(void **state)
{
	struct series_set *set = *state;
	uint32_t a = series_acquire(set, "", "a");

	count(set, 0, a, 5);
	series_release(set, a);
	assert_int_equal(series_acquire(set, "", "b"), a);
	assert_string_equal(shown(set, 10), "b=0 *=5");
	count(set, 0, a, 1);
	assert_string_equal(shown(set, 10), "b=1 *=5");
}

static void each_is_read_by_itself_whether_it_is_shown_or_not(void **state)
{
	struct series_set *set = *state;
	uint32_t a = series_acquire(set, "set", "a"), b = series_acquire(set, "set", "b");
	uint64_t counters[WIDTH] = {7, 7};

	count(set, 0, a, 2);
	count(set, 1, a, 3);
	series_read(set, a, counters);
	assert_int_equal(counters[0], 5);
	assert_int_equal(counters[1], 2);
	shown(set, 1); /* a look takes nothing from it */
	series_read(set, a, counters);
	assert_int_equal(counters[0], 5);
	series_read(set, b, counters);
	assert_int_equal(counters[0], 0);
	counters[0] = 7;
	series_read(set, 0, counters);
	assert_int_equal(counters[0], 0);
}

static void names_come_and_go_for_years_within_the_bound(void **state)
{
	struct series_set *set = *state;
	char name[32];
	uint64_t total = 0;

	for (unsigned i = 0; i < 20 * NUMBERS; i++) {
		snprintf(name, sizeof name, "n%u", i);
		uint32_t number = series_acquire(set, "", name);
		assert_in_range(number, 1, NUMBERS - 1);
		count(set, i % WORKERS, number, 1);
		total++;
		if (i == 3)
			series_show(set, 1);
		series_release(set, number);
	}
	snprintf(name, sizeof name, "n3=1 *=%llu", (unsigned long long)(total - 1));
	assert_string_equal(shown(set, 1), name);
}

static void without_a_number_it_is_counted_with_others(void **state)
{
	struct series_set *set = *state;
	char name[32];

	for (unsigned i = 1; i < NUMBERS; i++) {
		snprintf(name, sizeof name, "n%u", i);
		assert_true(series_acquire(set, "", name) > 0);
	}
	assert_int_equal(series_acquire(set, "", "late"), 0);
	count(set, 0, 0, 4);
	series_release(set, 0);
	assert_non_null(strstr(shown(set, 5), "*=4"));
}

static void nothing_that_is_told_ever_falls(void **state)
{
	struct series_set *set = *state;
	uint32_t numbers[40] = {0};
	uint64_t seed = 7, sum = 0, before = 0;
	char name[16];

	for (unsigned i = 0; i < 4000; i++) {
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		unsigned k = (unsigned)(seed >> 33) % 40;
		snprintf(name, sizeof name, "n%u", k);
		if (numbers[k] && i % 7 == 0) {
			series_release(set, numbers[k]);
			numbers[k] = 0;
		} else if (!numbers[k]) {
			numbers[k] = series_acquire(set, "", name);
		}
		if (numbers[k]) {
			count(set, i % WORKERS, numbers[k], 1);
			sum++;
		}
		if (i % 5 == 0) {
			const char *text = shown(set, 8), *at;
			uint64_t told = 0, other = 0;

			for (at = text; (at = strchr(at, '=')); at++)
				told += strtoull(at + 1, NULL, 10);
			at = strstr(text, "*=");
			other = at ? strtoull(at + 2, NULL, 10) : 0;
			assert_int_equal(told, sum);
			assert_true(other >= before);
			before = other;
		}
	}
}

static void all_cells_add_up(void **state)
{
	struct series_set *set = *state;
	_Atomic uint64_t total[WIDTH] = {0};

	count(set, 0, series_acquire(set, "", "a"), 2);
	count(set, 1, series_acquire(set, "", "b"), 3);
	count(set, 1, 0, 5);
	series_total(set, total);
	assert_int_equal(total[0], 10);
	assert_int_equal(total[1], 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_value_of_a_name_is_its_own),
		TEST(a_name_counts_at_all_workers),
		TEST(names_are_what_they_are_in),
		TEST(a_name_that_was_shown_goes_on_when_it_is_back),
		TEST(a_name_is_had_until_the_last_lets_go),
		TEST(of_more_than_are_shown_the_rest_is_other),
		TEST(what_a_name_counted_before_the_first_look_is_its_own),
		TEST(a_number_that_is_used_again_begins_at_nothing),
		TEST(each_is_read_by_itself_whether_it_is_shown_or_not),
		TEST(names_come_and_go_for_years_within_the_bound),
		TEST(without_a_number_it_is_counted_with_others),
		TEST(nothing_that_is_told_ever_falls),
		TEST(all_cells_add_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
