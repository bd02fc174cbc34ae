/* JSON with what people and Azure's clients leave out of it or put into it, and with what stays
 * wrong. */
#include "resolver/control/base/relaxed_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "rules/base.h"

enum { FLAGS = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY };

/* What is read, as compact text; "LINE:COLUMN TEXT" of an error. */
static const char *read_text(const char *text, size_t length)
{
	static char told[1024];
	json_error_t error;
	char *copy = malloc(length + 1); /* of that length, so that one byte too far is noticed */

	memcpy(copy + 1, text, length);
	json_t *value = relaxed_json_load(copy + 1, length, FLAGS, &error);
	if (value) {
		char *dumped =
			json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
		snprintf(told, sizeof told, "%s", dumped);
		free(dumped);
	} else {
		snprintf(told, sizeof told, "%d:%d %s", error.line, error.column, error.text);
	}
	json_decref(value);
	free(copy);
	return told;
}

#define reads_as(text, wanted) assert_string_equal(read_text(text, sizeof(text) - 1), wanted)

static void strict_json_is_read_as_it_is(void **state)
{
	(void)state;
	reads_as("{\"a\": [1, -2.5e+3, true, null, \"x\"], \"b\": {}}",
		 "{\"a\":[1,-2500.0,true,null,\"x\"],\"b\":{}}");
	reads_as("[ ]", "[]");
	reads_as("true", "true");
	reads_as("-1", "-1");
	reads_as("\"a // b /* c */ d: , ] \\\" \\\\\"", "\"a // b /* c */ d: , ] \\\" \\\\\"");
	reads_as("\"\\ud83d\\ude00 \xc3\xa9\"", "\"\\uD83D\\uDE00 \\u00E9\"");
}

static void a_byte_order_mark_ahead_of_everything_is_passed_over(void **state)
{
	(void)state;
	reads_as("\xef\xbb\xbf{}", "{}");
	reads_as("\xef\xbb\xbf"
		 "x",
		 "1:1 invalid token near 'x'");
	reads_as(" \xef\xbb\xbf{}", "1:2 invalid token near '\xef\xbb\xbf'");
}

static void comments_are_blanks(void **state)
{
	(void)state;
	reads_as("// a\n{ // b\n\"c\" /* d\n// */ : /**/ 1 } // e", "{\"c\":1}");
	reads_as("/* \" */[1/***/,/* * / */2]//", "[1,2]");
	reads_as("// a\r[1]", "[1]");
	reads_as("/* \xff */ 1", "1");
	reads_as("[1/**/2]", "1:7 ']' expected near '2'");
	reads_as("[tr/**/ue]", "1:3 invalid token near 'tr'");
}

static void a_comment_that_does_not_end_is_refused_where_it_begins(void **state)
{
	(void)state;
	reads_as("[1]\n /* a\n b", "2:2 end of file expected near '/'");
	reads_as("[1] /*/", "1:5 end of file expected near '/'");
	reads_as("[1] /", "1:5 end of file expected near '/'");
	reads_as("[1] / / 2", "1:5 end of file expected near '/'");
}

static void names_of_members_need_no_quotes(void **state)
{
	(void)state;
	reads_as("{a: 1, $b_2-c : {true: true}, _\n/* : */\n: null}",
		 "{\"a\":1,\"$b_2-c\":{\"true\":true},\"_\":null}");
	reads_as("{a:b}", "1:4 invalid token near 'b'");
	reads_as("{a}", "1:2 string or '}' expected near 'a'");
	reads_as("[a:1]", "1:3 ']' expected near ':'");
	reads_as("{2a: 1}", "1:2 string or '}' expected near '2'");
	reads_as("{-a: 1}", "1:2 string or '}' expected near '-'");
	reads_as("{a.b: 1}", "1:2 string or '}' expected near 'a'");
	reads_as("{a+: 1}", "1:2 string or '}' expected near 'a'");
	reads_as("{a b: 1}", "1:2 string or '}' expected near 'a'");
	reads_as("{\xc3\xa9: 1}", "1:2 string or '}' expected near '\xc3\xa9'");
}

static void a_comma_may_be_behind_the_last_member_or_item(void **state)
{
	(void)state;
	reads_as("{\"a\": [1, 2,], b: {c: [[],],},\n// d\n}", "{\"a\":[1,2],\"b\":{\"c\":[[]]}}");
	reads_as("[,]", "1:2 unexpected token near ','");
	reads_as("{,}", "1:2 string or '}' expected near ','");
	reads_as("[1,,]", "1:4 unexpected token near ','");
	reads_as("[1,,2]", "1:4 unexpected token near ','");
	reads_as("{\"a\":,}", "1:6 unexpected token near ','");
	reads_as("{\"a\",}", "1:6 ':' expected near '}'");
	reads_as("[1,]]", "1:5 end of file expected near ']'");
	reads_as("1,", "1:2 end of file expected near ','");
	reads_as(",]", "1:1 unexpected token near ','");
}

static void strings_may_have_control_characters(void **state)
{
	(void)state;
	reads_as("\"a\nb\tc\x01\x1f\x7f\"", "\"a\\nb\\tc\\u0001\\u001F\x7f\"");
	reads_as("{\"a\nb\": 1}", "{\"a\\nb\":1}");
	reads_as("\"\\\\\n\"", "\"\\\\\\n\"");
}

static void a_line_break_in_a_string_is_the_same_of_every_system(void **state)
{
	(void)state;
	reads_as("\"a\r\nb\r\r\n\"", "\"a\\nb\\r\\n\"");
	reads_as("\"a\r", "1:3 premature end of input near '\"a\\u000d'");
}

static void an_escaped_line_break_is_no_escape(void **state)
{
	(void)state;
	reads_as("\"a\\\nn\"", "2:0 invalid escape near '\"a\\\n'");
	reads_as("\"a\\\tn\"", "1:4 invalid escape near '\"a\\\t'");
	reads_as("\"a\\", "1:3 invalid escape near '\"a\\'");
}

static void nul_bytes_are_refused_wherever_they_are(void **state)
{
	static const char *const texts[] = {
		"0[1]",     "[01]",    "[1]0",  "\"0\"", "{\"a0\": 1}", "{a0: 1}",  "[1] //0",
		"/*0*/[1]", "\"\\0\"", "true0", "[20]",  "[2/*0*/]",    "[2//0\n]", "{a: 20}"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		char text[32];
		size_t length = strlen(texts[i]);
		memcpy(text, texts[i], length + 1);
		*strchr(text, '0') = '\0';
		assert_non_null(strchr(read_text(text, length), ':'));
		assert_null(strchr("[{\"", *read_text(text, length)));
	}
	reads_as("[\"a\\u0000b\"]",
		 "1:11 \\u0000 is not allowed without JSON_ALLOW_NUL near '\"a\\u0000b\"'");
}

static void what_is_no_json_is_no_relaxed_json(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"{",
		"[1",
		"['a']",
		"{'a': 1}",
		"[0x10]",
		"[+1]",
		"[.5]",
		"[5.]",
		"[01]",
		"[NaN]",
		"[Infinity]",
		"[1 2]",
		"{\"a\" 1}",
		"{\"a\": 1; \"b\": 2}",
		"[\"\\x41\"]",
		"[\"\\ud800\"]",
		"[\"\xff\"]",
		"[1}",
		"#\n[1]",
		"[`a`]",
		"{\"a\": 1}\n{}",
		"[tru]",
		"{\"a\": 1, \"a\": 2}",
		"{\"\\",
		"[\"a\nb\", \n x]",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_null(strchr("[{\"", *read_text(texts[i], strlen(texts[i]))));
}

/* Which of the texts above has which error is jansson's, and where it is is the same. */
static void an_error_of_strict_json_is_told_as_it_is(void **state)
{
	static const char *const texts[] = {
		"",
		"\n\n[1, 2",
		"[1,\n 2\n 3]",
		"{\"a\":\n\t1.5.2}",
		"{\"\xc3\xa9\xc3\xa9\": x}",
		"[\"\\q\"]",
		"[\n\"\\ud800\"]",
		"[\"\xc3\xa9\xff\"]",
		"{\"a\": 1,\n\"a\": 2}",
		"[true-1]",
		"[truefalse]",
		"\n\n",
		"[1]\n\n]",
		"\"abc",
		"[1e400]",
		"[99999999999999999999]",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		json_error_t strict, relaxed;
		assert_null(json_loadb(texts[i], strlen(texts[i]), FLAGS, &strict));
		assert_null(relaxed_json_load(texts[i], strlen(texts[i]), FLAGS, &relaxed));
		assert_string_equal(relaxed.text, strict.text);
		assert_int_equal(relaxed.line, strict.line);
		assert_int_equal(relaxed.column, strict.column);
		assert_int_equal(relaxed.position, strict.position);
	}
}

static void an_error_has_the_line_and_column_of_the_original(void **state)
{
	(void)state;
	reads_as("/* 1\n2\n*/ // 2\n{\"a\n5\": \"b\r\n6\n7\",\n c: \"\t\xc3\xa9\", d }",
		 "8:11 string or '}' expected near 'd'");
	reads_as("{\"a\n2\": \"b\n\n4\\q\"}", "4:3 invalid escape near '\"b\\u000a\\u000a4\\q'");
	reads_as("{a: 1,\nb: 2,\na: 3}", "3:1 duplicate object key near '\"a\"'");
	reads_as("\xef\xbb\xbf\n\n{ // a\n", "4:0 string or '}' expected near end of file");
}

static void members_that_differ_in_case_are_two(void **state)
{
	(void)state;
	reads_as("{a: 1, A: 2}", "{\"a\":1,\"A\":2}");
	reads_as("{a: 1, \"a\": 2}", "1:10 duplicate object key near '\"a\"'");
}

/* What would take hours if each were looked at again and again. */
static void long_texts_take_time_in_proportion(void **state)
{
	static const char *const parts[] = {"/*",   "/",  "a ", ", ", "a/**/", "\x01",
					    "\"\n", "\\", "//", "[",  ":"};
	enum { LENGTH = 1024 * 1024 };
	char *text = malloc(LENGTH);
	json_error_t error;

	(void)state;
	for (size_t i = 0; i < COUNT(parts); i++) {
		for (size_t at = 0; at < LENGTH; at++)
			text[at] = parts[i][at % strlen(parts[i])];
		clock_t began = clock();
		assert_null(relaxed_json_load(text, LENGTH, FLAGS, &error));
		assert_true(clock() - began < 60 * CLOCKS_PER_SEC);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strict_json_is_read_as_it_is),
		cmocka_unit_test(a_byte_order_mark_ahead_of_everything_is_passed_over),
		cmocka_unit_test(comments_are_blanks),
		cmocka_unit_test(a_comment_that_does_not_end_is_refused_where_it_begins),
		cmocka_unit_test(names_of_members_need_no_quotes),
		cmocka_unit_test(a_comma_may_be_behind_the_last_member_or_item),
		cmocka_unit_test(strings_may_have_control_characters),
		cmocka_unit_test(a_line_break_in_a_string_is_the_same_of_every_system),
		cmocka_unit_test(an_escaped_line_break_is_no_escape),
		cmocka_unit_test(nul_bytes_are_refused_wherever_they_are),
		cmocka_unit_test(what_is_no_json_is_no_relaxed_json),
		cmocka_unit_test(an_error_of_strict_json_is_told_as_it_is),
		cmocka_unit_test(an_error_has_the_line_and_column_of_the_original),
		cmocka_unit_test(members_that_differ_in_case_are_two),
		cmocka_unit_test(long_texts_take_time_in_proportion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
