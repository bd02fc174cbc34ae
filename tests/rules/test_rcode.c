#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/base.h"
#include "rules/rcode.h"

static void every_code_has_a_name_that_leads_back(void **state)
{
	char text[RCODE_TEXT_MAX];

	(void)state;
	for (unsigned rcode = 0; rcode < 4096; rcode++)
		assert_int_equal(rcode_parse(rcode_print(rcode, text)), rcode);
	assert_string_equal(rcode_print(3, text), "NXDOMAIN");
	assert_string_equal(rcode_print(16, text), "BADVERS");
	assert_string_equal(rcode_print(4095, text), "RCODE4095");
}

static void what_is_no_code_is_refused(void **state)
{
	static const char *const wrong[] = {"",         "NX",        "NOTIMPL",
					    "RCODE",    "RCODE-1",   "RCODE 11",
					    "RCODE11x", "RCODE4096", "NXDOMAIN "};

	(void)state;
	assert_int_equal(rcode_parse("servfail"), 2);
	assert_int_equal(rcode_parse("rcode11"), 11);
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_int_equal(rcode_parse(wrong[i]), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_a_name_that_leads_back),
		cmocka_unit_test(what_is_no_code_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
