/* Texts as Windows writes them, in UTF-8. */
#include "resolver/control/import/encoding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/base.h"

struct text {
	const char *bytes;
	size_t length;
};

#define TEXT(literal)                                                                              \
	{                                                                                          \
		literal, sizeof(literal) - 1                                                       \
	}

static char *converted(struct text text, size_t *length, unsigned *line, const char **why)
{
	char *copy =
		malloc(text.length + 1); /* of that length, so that one byte too far is noticed */

	memcpy(copy, text.bytes, text.length);
	copy[text.length] = '\0';
	*length = text.length;
	return encoding_to_utf8(copy, length, line, why);
}

static void assert_converted(struct text text, struct text wanted)
{
	const char *why;
	unsigned line;
	size_t length;
	char *made = converted(text, &length, &line, &why);

	assert_null(why);
	assert_int_equal(length, wanted.length);
	assert_memory_equal(made, wanted.bytes, wanted.length + 1);
	assert_int_equal(encoding_is_plain(text.bytes, text.length),
			 text.length == wanted.length &&
				 memcmp(text.bytes, wanted.bytes, text.length) == 0);
	free(made);
}

static void assert_refused(struct text text, unsigned wanted, const char *wanted_why)
{
	const char *why;
	unsigned line;
	size_t length;
	char *made = converted(text, &length, &line, &why);

	assert_non_null(why);
	assert_non_null(strstr(why, wanted_why));
	assert_int_equal(line, wanted);
	assert_int_equal(length, text.length);
	assert_memory_equal(made, text.bytes, length + 1);
	free(made);
}

static void utf8_stays_as_it_is_without_its_mark(void **state)
{
	static const struct text texts[] = {
		TEXT(""),         TEXT("a"),    TEXT("a,b\n"),      TEXT("m\xc3\xbcnchen"),
		TEXT("\xef\xbb"), TEXT("\xff"), TEXT("ab\0cd\0ef"), TEXT("\0\0")};
	(void)state;

	for (size_t i = 0; i < COUNT(texts); i++)
		assert_converted(texts[i], texts[i]);
	assert_converted((struct text)TEXT("\xef\xbb\xbf"), (struct text)TEXT(""));
	assert_converted((struct text)TEXT("\xef\xbb\xbf"
					   "a"),
			 (struct text)TEXT("a"));
}

static void utf16_of_either_order_is_read_with_and_without_a_mark(void **state)
{
	/* One character of each length in UTF-8, and the first and last of each in UTF-16. */
	static const struct text wanted =
		TEXT("a\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80"
		     "\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\r\n");
	static const uint16_t units[] = {'a',    0x7f,   0x80,   0x7ff,  0x800,  0xd7ff, 0xe000,
					 0xffff, 0xd800, 0xdc00, 0xdbff, 0xdfff, '\r',   '\n'};
	static const char *const marks[] = {"\xff\xfe", "\xfe\xff"};
	char text[2 + 2 * COUNT(units)];

	(void)state;
	for (unsigned order = 0; order < 2; order++) {
		memcpy(text, marks[order], 2);
		for (size_t i = 0; i < COUNT(units); i++) {
			text[2 + 2 * i + order] = (char)(units[i] & 255);
			text[3 + 2 * i - order] = (char)(units[i] >> 8);
		}
		assert_converted((struct text){text, sizeof text}, wanted);
		assert_converted((struct text){text + 2, sizeof text - 2}, wanted);
		assert_converted((struct text){text, 2}, (struct text)TEXT(""));
	}
}

static void half_a_character_is_refused_at_its_line(void **state)
{
	static const char alone[] = "half of a character stands alone", ends[] = "ends within";
	static const struct {
		struct text text;
		unsigned line;
		const char *why;
	} cases[] = {
		{TEXT("\xff\xfe"
		      "a\0\n\0\0\xd8"
		      "a\0"),
		 2, alone}, /* a high one before a letter */
		{TEXT("\xff\xfe"
		      "a\0\n\0\n\0\0\xd8"),
		 3, alone},                                     /* at the end */
		{TEXT("\xfe\xff\xdc\0\xdc\0"), 1, alone},       /* a low one */
		{TEXT("\xfe\xff\xd8\0\xd8\0\xdc\0"), 1, alone}, /* the second has its other half */
		{TEXT("\xff\xfe\0\xd8\0"), 1, alone},
		{TEXT("\xff\xfe"
		      "a\0\n\0b"),
		 2, ends},
		{TEXT("\xff\xfe"
		      "a"),
		 1, ends},
		{TEXT("\0a\0\n\0"), 2, ends},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_refused(cases[i].text, cases[i].line, cases[i].why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_stays_as_it_is_without_its_mark),
		cmocka_unit_test(utf16_of_either_order_is_read_with_and_without_a_mark),
		cmocka_unit_test(half_a_character_is_refused_at_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
