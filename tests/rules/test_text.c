/* Which characters a text may have, and how the others are shown. */
#include "rules/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_flaw(const char *text, const char *says)
{
	char why[TEXT_FLAW_MAX];

	assert_false(text_is_plain(text, why));
	assert_memory_equal(why, says, strlen(says));
}

static void what_people_see_is_taken(void **state)
{
	static const char *const good[] = {
		"",
		"web-1, \"the\" \\ one",
		"gr\xc3\xbc\xc3\x9f",
		"\u65e5\u672c",
		"\U0001f600",
		"\u00a0",
	};
	char why[TEXT_FLAW_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(text_is_plain(good[i], why));
}

static void the_first_that_is_wrong_is_named_with_its_place(void **state)
{
	(void)state;
	assert_flaw("a\tb", "character 2 is U+0009,");
	assert_flaw("gr\xc3\xbc\u202e\u202e", "character 4 is U+202E,");
	assert_flaw("\U000e0041", "character 1 is U+E0041,");
	assert_flaw("ab\xc3", "character 3 is not UTF-8 (byte C3)");
	assert_flaw("\xc0\x80", "character 1 is not UTF-8");
	assert_flaw("\xe0\x80\x80", "character 1 is not UTF-8");
	assert_flaw("\xed\xa0\x80", "character 1 is not UTF-8");
	assert_flaw("\xf4\x90\x80\x80", "character 1 is not UTF-8");
	assert_flaw("\xf8\x88\x80\x80\x80", "character 1 is not UTF-8");
}

/* All that may turn, hide or drive, and what stands right beside it. */
static void controls_and_format_characters_are_not_shown(void **state)
{
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{0, 0x1f},          {0x7f, 0x9f},     {0xad, 0xad},       {0x61c, 0x61c},
		{0x180e, 0x180e},   {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},
		{0xfeff, 0xfeff},   {0xfff9, 0xfffb}, {0x1d173, 0x1d17a}, {0xe0001, 0xe0001},
		{0xe0020, 0xe007f},
	};
	static const uint32_t shown[] = {0x20,   0x7e,   0xa0,    0xac,    0xae,    0x61b,   0x61d,
					 0x200a, 0x2010, 0x2027,  0x202f,  0x205f,  0x2070,  0xfefe,
					 0xfffc, 0xfffd, 0x1d172, 0x1d17b, 0xe0100, 0x10ffff};

	(void)state;
	for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
		for (uint32_t code = hidden[i].first; code <= hidden[i].last; code++)
			assert_false(text_is_shown(code));
	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
		assert_true(text_is_shown(shown[i]));
}

static void what_is_not_shown_is_escaped_and_cut_between_characters(void **state)
{
	char shown[64], little[8];

	(void)state;
	assert_string_equal(
		text_show("a\x1b[2J\xc2\x9b\u202e\U000e0041\xff\xc3\xa9", shown, sizeof shown),
		"a\\x1b[2J\\u{9b}\\u{202e}\\u{e0041}\\xff\xc3\xa9");
	assert_string_equal(text_show("abcdef\xc3\xa9", little, sizeof little), "abcdef");
	assert_string_equal(text_show("abcd\n", little, sizeof little), "abcd");
	assert_string_equal(text_show("abc\n", little, sizeof little), "abc\\x0a");
}

static void what_is_appended_is_cut_between_characters(void **state)
{
	char text[8] = "";

	(void)state;
	text_append(text, sizeof text, "%s", "");
	assert_string_equal(text, "");
	text_append(text, sizeof text, "%s%u", "ab", 12U);
	assert_string_equal(text, "ab12");
	text_append(text, sizeof text, "\u65e5\u65e5");
	assert_string_equal(text, "ab12\u65e5");
	text_append(text, sizeof text, "c");
	assert_string_equal(text, "ab12\u65e5");

	*text = '\0';
	text_append(text, sizeof text, "abcdef\u00e9");
	assert_string_equal(text, "abcdef");
	text_append(text, sizeof text, "\u00e9");
	assert_string_equal(text, "abcdef");
	text_append(text, sizeof text, "gh");
	assert_string_equal(text, "abcdefg");
	text_append(text, sizeof text, "h");
	assert_string_equal(text, "abcdefg");
}

static void one_alone_is_singular(void **state)
{
	(void)state;
	for (unsigned count = 0; count < 3; count++)
		assert_string_equal(text_plural(count, "entry is", "entries are"),
				    count == 1 ? "entry is" : "entries are");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_people_see_is_taken),
		cmocka_unit_test(one_alone_is_singular),
		cmocka_unit_test(the_first_that_is_wrong_is_named_with_its_place),
		cmocka_unit_test(controls_and_format_characters_are_not_shown),
		cmocka_unit_test(what_is_appended_is_cut_between_characters),
		cmocka_unit_test(what_is_not_shown_is_escaped_and_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
