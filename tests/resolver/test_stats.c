/* Counters: each has a row of its own, and the row gives its value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolver/stats.h"

static void every_row_gives_its_own_counter(void **state)
{
	(void)state;
	struct stats stats;
	uint64_t n = 0;
	memset(&stats, 0, sizeof stats);
#define X(name, text) STATS_ADD(&stats, name, ++n * 10);
	STATS_MAP(X)
#undef X
	STATS_ADD(&stats, queries, 1);
	assert_int_equal(stats_row_count, n);
	assert_int_equal(sizeof stats, n * sizeof(uint64_t));
	assert_string_equal(stats_rows[0].name, "queries");
	assert_int_equal(stats_get(&stats, 0), 11);
	for (unsigned i = 1; i < stats_row_count; i++)
		assert_int_equal(stats_get(&stats, i), (i + 1) * 10);
}

static void every_row_has_a_name_of_its_own_and_a_text(void **state)
{
	(void)state;
	for (unsigned i = 0; i < stats_row_count; i++) {
		assert_true(strlen(stats_rows[i].text) > 5);
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(stats_rows[i].name, stats_rows[k].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_gives_its_own_counter),
		cmocka_unit_test(every_row_has_a_name_of_its_own_and_a_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
