/* Lines of values in a text of JSON. */
#include "resolver/control/base/json_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/control/base/relaxed_json.h"

static const char text[] = "\n"                                           /* 1 */
			   "{ // a \"comment\": [\n"                      /* 2 */
			   "  \"resources\": [ /* {\n"                    /* 3 */
			   "    */\n"                                     /* 4 */
			   "    { \"name\": \"a]}\\\"\", \"n\": 1 },\n"   /* 5 */
			   "    {\n"                                      /* 6 */
			   "      name: \"two\n"                          /* 7 */
			   "lines\",\n"                                   /* 8 */
			   "      \"Properties\": { \"x\": [ [ 1, 2 ],\n" /* 9 */
			   "        [ 3,\n"                               /* 10 */
			   "          4 ] ] },\n"                         /* 11 */
			   "    }\n"                                      /* 12 */
			   "  ],\n"                                       /* 13 */
			   "  \"last\": null\n"                           /* 14 */
			   "}\n";

static void each_value_has_its_line(void **state)
{
	static const struct {
		const char *path;
		unsigned line;
	} cases[] = {
		{"", 2},
		{"resources", 3},
		{"resources[0]", 5},
		{"resources[0].n", 5},
		{"resources[1]", 6},
		{"resources[1].NAME", 7},
		{"resources[1].properties", 9},
		{"resources[1].properties.x[0][1]", 9},
		{"resources[1].properties.x[1]", 10},
		{"resources[1].properties.x[1][1]", 11},
		{"last", 14},
		/* What is not there: what would have it. */
		{"resources[2]", 3},
		{"resources[1].other", 6},
		{"resources.a", 3},
		{"last.x", 14},
		{"none", 2},
		{"resources[1].properties.x[1][1].deep[5]", 11},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(json_place_line(text, sizeof text - 1, cases[i].path),
				 cases[i].line);
	/* A byte order mark is no part of the first value. */
	assert_int_equal(json_place_line("\xef\xbb\xbf{\n\"a\": 1}", 12, "a"), 2);
}

static void a_name_without_quotes_ends_before_blanks_and_comments(void **state)
{
	static const char spaced[] = "{\n a : 1,\n b/* c */: 2,\n c // d\n : 3,\n d: 4 }";

	(void)state;
	assert_int_equal(json_place_line(spaced, sizeof spaced - 1, "a"), 2);
	assert_int_equal(json_place_line(spaced, sizeof spaced - 1, "b"), 3);
	assert_int_equal(json_place_line(spaced, sizeof spaced - 1, "c"), 4);
	assert_int_equal(json_place_line(spaced, sizeof spaced - 1, "d"), 6);
}

static void a_comment_ends_where_it_does_for_the_reader(void **state)
{
	static const char *const texts[] = {
		/* not within its first two characters */
		"{ /*/ \"a\": 1,\n*/ \"b\": 2,\n\"a\": 3 }",
		/* at a lone CR */
		"{ // \"x\r\"b\": 2,\n\n\"a\": 3 }",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		size_t length = strlen(texts[i]);
		json_error_t error;
		json_t *read = relaxed_json_load(texts[i], length, 0, &error);

		assert_int_equal(json_integer_value(json_object_get(read, "a")), 3);
		json_decref(read);
		assert_int_equal(json_place_line(texts[i], length, "a"), 3);
		assert_int_equal(json_place_line(texts[i], length, "b"), 2 - i);
	}
}

/* Whatever is cut off, nothing after the end is read. */
static void a_text_that_breaks_off_is_read_to_its_end(void **state)
{
	(void)state;
	for (size_t length = 0; length < sizeof text; length++) {
		char *cut = strndup(text, length);

		assert_true(json_place_line(cut, length, "resources[1].properties.x[1][1]") <= 14);
		free(cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_value_has_its_line),
		cmocka_unit_test(a_name_without_quotes_ends_before_blanks_and_comments),
		cmocka_unit_test(a_comment_ends_where_it_does_for_the_reader),
		cmocka_unit_test(a_text_that_breaks_off_is_read_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
