/* If-Match and If-None-Match of a change, and a reader's list of entity tags. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/control/api/precondition.h"
#include "rules/base.h"

#define NOW  "\"0123456789abcdef-00000001\""
#define PAST "\"0123456789abcdef-00000000\"" /* the same version */

static void what_may_be_changed_is_what_the_headers_say(void **state)
{
	static const struct {
		const char *etag, *match, *none_match;
		bool holds;
	} cases[] = {
		{NOW, NULL, NULL, true},          {NULL, NULL, NULL, true},
		{NOW, "*", NULL, true},           {NULL, "*", NULL, false},
		{NOW, NOW, NULL, true},           {NULL, NOW, NULL, false},
		{NOW, PAST, NULL, true},          {NOW, "\"x\"", NULL, false},
		{NOW, "\"x\", " NOW, NULL, true}, {NOW, "W/" NOW, NULL, false},
		{NOW, "", NULL, false},           {NOW, NULL, "*", false},
		{NULL, NULL, "*", true},          {NOW, NULL, NOW, false},
		{NOW, NULL, "W/" NOW, false},     {NOW, NULL, "\"x\"", true},
		{NULL, NULL, NOW, true},          {NOW, "\"x", NULL, false},
		{NOW, "W/", NULL, false},
	};
	char text[PRECONDITION_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		*text = '\0';
		assert_int_equal(precondition_check(cases[i].etag, cases[i].match,
						    cases[i].none_match, text) == 0,
				 cases[i].holds);
		assert_int_equal(*text == '\0', cases[i].holds);
	}
}

static void a_reader_is_told_of_what_came_about_by_itself(void **state)
{
	(void)state;
	assert_true(precondition_lists("\"x\", W/" NOW, NOW));
	assert_true(precondition_lists("*", NOW));
	assert_false(precondition_lists(PAST, NOW));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_may_be_changed_is_what_the_headers_say),
		cmocka_unit_test(a_reader_is_told_of_what_came_about_by_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
