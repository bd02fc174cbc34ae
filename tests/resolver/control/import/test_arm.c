/* Lists of az, and of Azure's API. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/base.h"
#include "tests/lib/import_case.h"

#define HUB                                                                                        \
	"{ \"id\": \"/subscriptions/s/resourceGroups/net/providers/Microsoft.Network/"             \
	"virtualNetworks/hub\", \"type\": \"Microsoft.Network/virtualNetworks\", \"name\": "       \
	"\"hub\", \"properties\": { \"addressSpace\": { \"addressPrefixes\": [ \"10.1.0.0/16\" ] " \
	"} } }"

static void one_page_of_a_list_is_a_fault(void **state)
{
	static const char *const last[] = {"null", "\"\""};
	char text[1024];

	(void)state;
	import_case_run("arm",
			"{ \"value\": [ " HUB " ], \"nextLink\": \"https://a.example/?p=2\" }");
	assert_told("original: it is one page of a longer list");
	assert_string_equal(import_case_config(), "");
	for (size_t i = 0; i < COUNT(last); i++) {
		snprintf(text, sizeof text, "{ \"value\": [ " HUB " ], \"nextLink\": %s }",
			 last[i]);
		import_case_run("arm", text);
		assert_config("name = \"hub\"");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_page_of_a_list_is_a_fault),
	};

	return cmocka_run_group_tests(tests, import_case_setup, import_case_teardown);
}
