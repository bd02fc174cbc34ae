/* One table has the invisible characters, for both input and output. */
#include "rules/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "rules/base.h"

size_t text_character(const char *text, uint32_t *code)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t length = at[0] < 0x80 ? 1 : at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;

	*code = at[0];
	if (length == 1)
		return 1;
	if (at[0] < 0xc2 || at[0] > 0xf4)
		return 0;
	uint32_t value = at[0] & (0x7fU >> length);
	for (size_t i = 1; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (at[i] & 0x3f);
	}
	bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
	if (overlong || (value >= 0xd800 && value < 0xe000) || value > 0x10ffff)
		return 0;
	*code = value;
	return length;
}

/* Unicode 15's categories Cc, Cf, Zl and Zp, and unassigned characters between them. */
static const struct range {
	uint32_t first, last;
} hidden[] = {
	{0x0, 0x1f},        {0x7f, 0x9f},       {0xad, 0xad},       {0x600, 0x605},
	{0x61c, 0x61c},     {0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x890, 0x891},
	{0x8e2, 0x8e2},     {0x180e, 0x180e},   {0x200b, 0x200f},   {0x2028, 0x202e},
	{0x2060, 0x206f},   {0xfeff, 0xfeff},   {0xfff0, 0xfffb},   {0x110bd, 0x110bd},
	{0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
	{0xe0000, 0xe007f},
};

bool text_is_shown(uint32_t code)
{
	for (size_t i = 0; i < COUNT(hidden) && hidden[i].first <= code; i++)
		if (code <= hidden[i].last)
			return false;
	return true;
}

bool text_is_plain(const char *text, char why[TEXT_FLAW_MAX])
{
	uint32_t code;
	unsigned place = 1;
	size_t length;

	for (const char *at = text; *at; at += length, place++) {
		length = text_character(at, &code);
		if (length == 0) {
			snprintf(why, TEXT_FLAW_MAX,
				 "character %u is not UTF-8 (byte %02X); write it in that encoding",
				 place, (unsigned)code);
			return false;
		}
		if (!text_is_shown(code)) {
			snprintf(why, TEXT_FLAW_MAX,
				 "character %u is U+%04X, which is invisible and may hide or "
				 "reverse other text; remove it",
				 place, (unsigned)code);
			return false;
		}
	}
	return true;
}

/* Removes an incomplete last character of a text that was cut at a byte. */
static void cut_last(char *text, size_t length)
{
	uint32_t code;
	char *last = text + length;

	while (last > text && (*--last & 0xc0) == 0x80)
		continue;
	if (text_character(last, &code) == 0)
		*last = '\0';
}

void text_append(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text), room = size - used;
	va_list arguments;

	assert(used < size);
	va_start(arguments, format);
	int length = vsnprintf(text + used, room, format, arguments);
	va_end(arguments);
	if (length >= 0 && (size_t)length >= room)
		cut_last(text + used, room - 1);
}

size_t text_show_one(const char *at, char shown[TEXT_SHOWN_MAX])
{
	uint32_t code;
	size_t length = text_character(at, &code);

	if (length > 0 && text_is_shown(code))
		snprintf(shown, TEXT_SHOWN_MAX, "%.*s", (int)length, at);
	else if (length > 1)
		snprintf(shown, TEXT_SHOWN_MAX, "\\u{%x}", (unsigned)code);
	else
		snprintf(shown, TEXT_SHOWN_MAX, "\\x%02x", (unsigned)code);
	return length > 0 ? length : 1;
}

/* An escape in JSON has four digits, so a hidden character beyond U+FFFF is written as two
 * surrogates. */
size_t text_show_json(const char *at, char shown[TEXT_SHOWN_MAX])
{
	uint32_t code;
	size_t length = text_character(at, &code);

	if (*at == '"' || *at == '\\')
		snprintf(shown, TEXT_SHOWN_MAX, "\\%c", *at);
	else if (length > 0 && text_is_shown(code))
		snprintf(shown, TEXT_SHOWN_MAX, "%.*s", (int)length, at);
	else if (code < 0x10000)
		snprintf(shown, TEXT_SHOWN_MAX, "\\u%04x", (unsigned)code);
	else
		snprintf(shown, TEXT_SHOWN_MAX, "\\u%04x\\u%04x", (unsigned)(0xd7c0 + (code >> 10)),
			 (unsigned)(0xdc00 | (code & 0x3ff)));
	return length > 0 ? length : 1;
}

char *text_show(const char *text, char *shown, size_t size)
{
	char one[TEXT_SHOWN_MAX];
	size_t used = 0;

	shown[0] = '\0';
	while (*text) {
		text += text_show_one(text, one);
		size_t length = strlen(one);
		if (length >= size - used)
			break;
		memcpy(shown + used, one, length + 1);
		used += length;
	}
	return shown;
}

void text_print(FILE *out, const char *text)
{
	char one[TEXT_SHOWN_MAX];

	while (*text) {
		text += text_show_one(text, one);
		fputs(one, out);
	}
}

size_t text_url_scheme(const char *text)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789+.-");

	return length > 0 && strncmp(text + length, ":/", 2) == 0 ? length + 1 : 0;
}

/* ---- typing errors ---- */

/* Longer texts are not compared. */
enum { DISTANCE_TEXT_MAX = 48, TYPOS_MAX = 3 };

unsigned text_distance(const char *a, const char *b)
{
	unsigned row[DISTANCE_TEXT_MAX + 1];
	size_t a_length = strlen(a), b_length = strlen(b);

	if (a_length > DISTANCE_TEXT_MAX || b_length > DISTANCE_TEXT_MAX)
		return UINT32_MAX;
	for (size_t j = 0; j <= b_length; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned diagonal = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_length; j++) {
			unsigned change = diagonal + (tolower((unsigned char)a[i - 1]) !=
						      tolower((unsigned char)b[j - 1]));
			unsigned insert = row[j - 1] + 1, delete = row[j] + 1;
			diagonal = row[j];
			row[j] = change < insert ? change : insert;
			row[j] = delete < row[j] ? delete : row[j];
		}
	}
	return row[b_length];
}

unsigned text_typos_max(const char *text)
{
	size_t allowed = strlen(text) / 3;

	return allowed < TYPOS_MAX ? (unsigned)allowed : TYPOS_MAX;
}
