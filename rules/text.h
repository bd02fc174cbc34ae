/* Small things about texts: equal where they may be missing, lower case (ASCII only, whatever the
 * locale), the form of a host's label and of a UUID, which characters are allowed, one or many, and
 * a line put together in a buffer.
 *
 * A text that people read is UTF-8, and all of its characters are visible: no controls, no format
 * characters (Unicode's category Cf), no line separators. An ESC drives a terminal, and U+202E
 * makes it show what follows in reverse. Input with such a character is refused; where one is there
 * anyway it is printed visibly: \x1b, \u{202e}. The joiners of some scripts and emoji (U+200C,
 * U+200D) are lost with them. */
#ifndef SLUICE_TEXT_H
#define SLUICE_TEXT_H

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "rules/name.h"

/* NULL is equal to NULL only. */
static inline bool text_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The list ends with NULL. */
static inline bool text_is_among(const char *text, const char *const *list)
{
	while (*list && strcmp(*list, text) != 0)
		list++;
	return *list;
}

/* "%u rule%s %s", with text_plural(count, "", "s") and text_plural(count, "is", "are"). */
static inline const char *text_plural(uint64_t count, const char *one, const char *many)
{
	return count == 1 ? one : many;
}

/* In place; returns text, which may be NULL. */
static inline char *text_lower(char *text)
{
	for (char *c = text; c && *c; c++)
		*c = (char)name_lower((uint8_t)*c);
	return text;
}

/* Whether it can be a label of a host's name (RFC 1123 section 2.1): letters, digits and '-', with
 * a letter or digit at both ends. */
static inline bool text_is_host_label(const char *text)
{
	size_t length = strlen(text);

	if (length < 1 || length > 63 || text[0] == '-' || text[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '-')
			return false;
	return true;
}

/* Whether it has the form of a UUID (RFC 4122 section 3), in any case. */
static inline bool text_is_uuid(const char *text)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (strlen(text) != sizeof form - 1)
		return false;
	for (size_t i = 0; form[i]; i++)
		if (form[i] == '-' ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
	return true;
}

enum { TEXT_FLAW_MAX = 128, TEXT_SHOWN_MAX = 16 };

/* How many bytes the character at `at` has, and its code; 0: it is not well-formed UTF-8 (RFC 3629
 * section 4), and the code is the byte. */
size_t text_character(const char *at, uint32_t *code);
/* Whether people see the character. */
bool text_is_shown(uint32_t code);
/* Whether a text may be taken; where not, `why` says which character is the first that is wrong. */
bool text_is_plain(const char *text, char why[TEXT_FLAW_MAX]);

/* Appends to the text in a buffer of `size` bytes. What does not fit is cut, between characters. */
void text_append(char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* For a terminal: one character, or what stands for it; returns how many bytes of the text it is.
 */
size_t text_show_one(const char *at, char shown[TEXT_SHOWN_MAX]);
/* The same within a string of JSON (RFC 8259 section 7). */
size_t text_show_json(const char *at, char shown[TEXT_SHOWN_MAX]);
/* As much of the text as there is room for; returns shown. */
char *text_show(const char *text, char *shown, size_t size);
void text_print(FILE *out, const char *text);

/* How many characters have to be put in, left out or changed to make one text the other, without
 * regard to case (Levenshtein's distance); UINT32_MAX of very long ones. */
unsigned text_distance(const char *a, const char *b);
/* How far a known word may be from this one to be what was meant. */
unsigned text_typos_max(const char *text);

/* The length of "scheme:" ahead of a slash, as in "file:/PATH"; 0: it is no URL. */
size_t text_url_scheme(const char *text);

#endif
