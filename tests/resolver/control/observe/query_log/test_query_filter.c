/* Which entries are shown: all that is given must fit, and one of several values. */
#include "resolver/control/observe/query_log/query_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/lib/query_case.h"

static void all_of_a_filter_must_fit_and_one_of_its_values(void **state)
{
	static const struct {
		const char *key, *value;
		bool fits;
	} cases[] = {
		{"suffix", "corp", true},
		{"suffix", "CONTOSO.corp.", true},
		{"suffix", "www.contoso.corp", true},
		{"suffix", "a.www.contoso.corp", false},
		{"suffix", "toso.corp", false},
		{"suffix", "example,corp", true},
		{"suffix", ".", true},
		{"client", "10.10.1.207", true},
		{"client", "10.0.0.0/8", true},
		{"client", "::/0", false},
		{"network", "HUB", true},
		{"network", "spoke", false},
		{"rcode", "NXDOMAIN,servfail", true},
		{"rcode", "NOERROR", false},
		{"slower_than_ms", "12", true},
		{"slower_than_ms", "13", false},
	};
	struct query_entry entry;
	char error[QUERY_FILTER_ERROR_MAX];

	(void)state;
	query_entry_init(&entry, query_case_record(""), 5012345, 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct query_filter filter = {.suffixes = NULL};

		assert_int_equal(query_filter_add(&filter, NULL, "suffix", "contoso.corp", error),
				 0);
		if (strcmp(cases[i].key, "suffix") == 0)
			query_filter_release(&filter);
		assert_int_equal(
			query_filter_add(&filter, NULL, cases[i].key, cases[i].value, error), 0);
		assert_int_equal(query_filter_fits(&filter, &entry), cases[i].fits);
		query_filter_release(&filter);
	}
}

static void a_filter_that_is_none_is_told(void **state)
{
	static const char *const wrong[][2] = {
		{"suffix", "a..b"},       {"client", "10.0.0.0/33"},   {"rcode", "OOPS"},
		{"slower_than_ms", "-1"}, {"slower_than_ms", "60001"}, {"slower_than_ms", ""}};
	struct query_filter filter = {.suffixes = NULL};
	char error[QUERY_FILTER_ERROR_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		*error = '\0';
		assert_int_equal(query_filter_add(&filter, NULL, wrong[i][0], wrong[i][1], error),
				 ERR_INVALID);
		assert_true(*error);
	}
	assert_int_equal(query_filter_add(&filter, NULL, "what", "1", error), ERR_NOT_FOUND);
	query_filter_release(&filter);
}

static void a_filter_has_a_limited_number_of_values(void **state)
{
	struct query_filter filter = {.suffixes = NULL};
	char error[QUERY_FILTER_ERROR_MAX] = "";

	(void)state;
	for (unsigned i = 0; i < QUERY_FILTER_VALUES_MAX / 2; i++)
		assert_int_equal(query_filter_add(&filter, NULL, "suffix", "a,b", error), 0);
	assert_int_equal(query_filter_add(&filter, NULL, "client", "10.0.0.1", error), ERR_INVALID);
	assert_string_equal(error, "the filter has more than 64 values; give fewer");
	query_filter_release(&filter);
}

static void what_was_dropped_fits_no_code(void **state)
{
	struct query_record *made = query_case_record("");
	struct query_filter filter = {.suffixes = NULL};
	struct query_entry entry;
	char error[QUERY_FILTER_ERROR_MAX];

	(void)state;
	made->length = made->rcode = 0;
	query_entry_init(&entry, made, 0, 0);
	assert_int_equal(query_filter_add(&filter, NULL, "rcode", "NOERROR", error), 0);
	assert_false(query_filter_fits(&filter, &entry));
	query_filter_release(&filter);
}

static void nothing_given_fits_everything(void **state)
{
	const struct query_filter filter = {.suffixes = NULL};
	struct query_record *made = query_case_record("");
	struct query_entry entry;

	(void)state;
	made->question_length = 0; /* its name could not be read */
	made->length = 0;
	query_entry_init(&entry, made, 0, 0);
	assert_true(query_filter_fits(&filter, &entry));
}

static void a_name_that_could_not_be_read_has_no_suffix(void **state)
{
	struct query_record *made = query_case_record("");
	struct query_filter filter = {.suffixes = NULL};
	struct query_entry entry;
	char error[QUERY_FILTER_ERROR_MAX];

	(void)state;
	made->question_length = 0;
	query_entry_init(&entry, made, 0, 0);
	assert_int_equal(query_filter_add(&filter, NULL, "suffix", "contoso.corp", error), 0);
	assert_false(query_filter_fits(&filter, &entry));
	query_filter_release(&filter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_a_filter_must_fit_and_one_of_its_values),
		cmocka_unit_test(a_filter_that_is_none_is_told),
		cmocka_unit_test(a_filter_has_a_limited_number_of_values),
		cmocka_unit_test(what_was_dropped_fits_no_code),
		cmocka_unit_test(nothing_given_fits_everything),
		cmocka_unit_test(a_name_that_could_not_be_read_has_no_suffix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
