/* Paths and queries taken apart, and patterns held against them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "resolver/control/api/path.h"
#include "rules/text.h"

/* "a|b|c" of a path's segments. */
static const char *segments(const char *text)
{
	static char joined[512];
	struct api_path path;
	*joined = '\0';
	if (api_path_init(&path, text) == 0)
		for (size_t i = 0; i < path.count; i++)
			text_append(joined, sizeof joined, "%s%s", i > 0 ? "|" : "",
				    path.segments[i]);
	else
		text_append(joined, sizeof joined, "(bad)");
	api_path_release(&path);
	return joined;
}

static bool matches(const char *text, const char *pattern)
{
	struct api_path path;
	assert_int_equal(api_path_init(&path, text), 0);
	bool found = api_path_matches(&path, pattern);
	api_path_release(&path);
	return found;
}

static void empty_segments_are_left_out(void **state)
{
	(void)state;
	assert_string_equal(segments("/v1/status"), "v1|status");
	assert_string_equal(segments("//v1///status/"), "v1|status");
	assert_string_equal(segments("/"), "");
	assert_string_equal(segments(""), "");
}

static void segments_are_cut_before_they_are_decoded(void **state)
{
	(void)state;
	assert_string_equal(segments("/a%2Fb/c%2fd"), "a/b|c/d");
	assert_string_equal(segments("/%7Euser/a+b"), "~user|a+b");
	assert_string_equal(segments("/h%C3%A9"), "h\xc3\xa9");
	assert_string_equal(segments("/%f0%9f%98%80%ef%bf%bf"), "\xf0\x9f\x98\x80\xef\xbf\xbf");
	assert_string_equal(segments("/../a"), "..|a");
}

static void what_is_badly_encoded_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"/%",   "/%4",    "/a%4/b", "/%G1",    "/%1g",       "/%00",          "/a/%-1",
		"/%ff", "/a\xe9", "/%c3",   "/%c0%af", "/%ed%a0%80", "/%f4%90%80%80", "/%c3/%a9"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_string_equal(segments(bad[i]), "(bad)");
}

static void segments_at_the_maximum_are_taken_and_one_over_it_refused(void **state)
{
	(void)state;
	char text[2 * (API_SEGMENTS_MAX + 1) + 1];
	struct api_path path;
	for (size_t i = 0; i <= API_SEGMENTS_MAX; i++)
		memcpy(text + 2 * i, "/a", 3);
	assert_int_equal(api_path_init(&path, text), ERR_LIMIT);
	api_path_release(&path);
	assert_int_equal(api_path_init(&path, text + 2), 0);
	assert_int_equal(path.count, API_SEGMENTS_MAX);
	api_path_release(&path);
}

static void literals_match_without_regard_to_case_and_whole(void **state)
{
	(void)state;
	assert_true(matches("/V1/Status", "/v1/status"));
	assert_true(matches("/v1//STATUS/", "/v1/status"));
	assert_false(matches("/v1/statu", "/v1/status"));
	assert_false(matches("/v1/statuses", "/v1/status"));
	assert_false(matches("/v1", "/v1/status"));
	assert_false(matches("/v1/status/x", "/v1/status"));
	assert_false(matches("/", "/v1"));
	assert_true(matches("/", "/"));
}

static void a_parameter_is_one_whole_segment(void **state)
{
	(void)state;
	static const char pattern[] = "/v1/addresses/{group}/{name}";
	struct api_path path;
	assert_false(matches("/v1/addresses/g", pattern));
	assert_false(matches("/v1/addresses/g/n/x", pattern));
	assert_int_equal(api_path_init(&path, "/v1/addresses/My%20Group/a%2Fb"), 0);
	assert_true(api_path_matches(&path, pattern));
	assert_string_equal(api_path_parameter(&path, pattern, "group"), "My Group");
	assert_string_equal(api_path_parameter(&path, pattern, "name"), "a/b");
	assert_null(api_path_parameter(&path, pattern, "nam"));
	assert_null(api_path_parameter(&path, pattern, "names"));
	assert_null(api_path_parameter(&path, pattern, "v1"));
	api_path_release(&path);
}

/* "name=value|..." of a query. */
static const char *fields(const char *text)
{
	static char joined[512];
	struct api_fields query;
	*joined = '\0';
	if (api_fields_init(&query, text) == 0)
		for (size_t i = 0; i < query.count; i++)
			text_append(joined, sizeof joined, "%s%s=%s", i > 0 ? "|" : "",
				    query.items[i].name, query.items[i].value);
	else
		text_append(joined, sizeof joined, "(bad)");
	api_fields_release(&query);
	return joined;
}

static void a_query_s_fields_are_decoded(void **state)
{
	(void)state;
	assert_string_equal(fields(""), "");
	assert_string_equal(fields("a=1&b=2"), "a=1|b=2");
	assert_string_equal(fields("a=x+y%2Bz&b=%26%3D"), "a=x y+z|b=&=");
	assert_string_equal(fields("a&b=&=c"), "a=|b=|=c");
	assert_string_equal(fields("a=b=c&&a=d"), "a=b=c|a=d");
	assert_string_equal(fields("a=%"), "(bad)");
	assert_string_equal(fields("%zz=1"), "(bad)");
	assert_string_equal(fields("a=%00"), "(bad)");
}

static void fields_at_the_maximum_are_taken_and_one_over_it_refused(void **state)
{
	(void)state;
	char text[2 * (API_FIELDS_MAX + 1) + 1];
	struct api_fields query;
	for (size_t i = 0; i <= API_FIELDS_MAX; i++)
		memcpy(text + 2 * i, "a&", 3);
	assert_int_equal(api_fields_init(&query, text), ERR_LIMIT);
	api_fields_release(&query);
	assert_int_equal(api_fields_init(&query, text + 2), 0);
	assert_int_equal(query.count, API_FIELDS_MAX);
	api_fields_release(&query);
}

static void the_rest_of_a_path_is_one_parameter(void **state)
{
	(void)state;
	assert_true(matches("/ui", "/ui/{file...}"));
	assert_true(matches("/UI/", "/ui/{file...}"));
	assert_true(matches("/ui/pages/now.js", "/ui/{file...}"));
	assert_false(matches("/uis", "/ui/{file...}"));
	assert_false(matches("/", "/ui/{file...}"));
	assert_false(matches("/a/b/c", "/a/{b}"));
	assert_true(matches("/a/b", "/a/{...}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_segments_are_left_out),
		cmocka_unit_test(the_rest_of_a_path_is_one_parameter),
		cmocka_unit_test(segments_are_cut_before_they_are_decoded),
		cmocka_unit_test(what_is_badly_encoded_is_refused),
		cmocka_unit_test(segments_at_the_maximum_are_taken_and_one_over_it_refused),
		cmocka_unit_test(literals_match_without_regard_to_case_and_whole),
		cmocka_unit_test(a_parameter_is_one_whole_segment),
		cmocka_unit_test(a_query_s_fields_are_decoded),
		cmocka_unit_test(fields_at_the_maximum_are_taken_and_one_over_it_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
