/* Small functions for texts: comparing texts that may be NULL, lower case (ASCII only, in any
 * locale), the forms of a host's label and a UUID, allowed characters, plurals, and appending to a
 * buffer.
 *
 * A text for people is UTF-8, and all its characters are visible: no controls, no format characters
 * (Unicode's category Cf), no line separators. An ESC can control a terminal, and U+202E reverses
 * the following text. Input with such a character is refused; in output it is made visible: \x1b,
 * \u{202e}. This excludes the joiners of some scripts and emoji (U+200C, U+200D), too. */
#ifndef SLUICE_TEXT_H
#define SLUICE_TEXT_H

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "rules/name.h"

/* NULL equals only NULL. */
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

/* Changes text, which may be NULL, and returns it. */
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

/* The length in bytes of the character at `at`, and its code; 0: malformed UTF-8 (RFC 3629 section
 * 4), and the code is the byte. The text must end with a NUL, as its last character may be cut. */
size_t text_character(const char *at, uint32_t *code);
/* Whether the character is visible. */
bool text_is_shown(uint32_t code);
/* Whether a text is acceptable; if not, `why` names the first wrong character. */
bool text_is_plain(const char *text, char why[TEXT_FLAW_MAX]);

/* Appends to the text in a buffer of `size` bytes; cuts between characters if it does not fit. */
void text_append(char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Writes one character, or its visible form, for a terminal; returns how many bytes of the text it
 * takes. */
size_t text_show_one(const char *at, char shown[TEXT_SHOWN_MAX]);
/* Writes one character as a string of JSON has it (RFC 8259 section 7), or its visible form;
 * returns how many bytes of the text it takes. */
size_t text_show_json(const char *at, char shown[TEXT_SHOWN_MAX]);
/* Writes as much of the text as fits, as text_show_one does; returns shown. */
char *text_show(const char *text, char *shown, size_t size);
void text_print(FILE *out, const char *text);

/* Levenshtein's distance of two texts, without regard to case; UINT32_MAX for very long ones. */
unsigned text_distance(const char *a, const char *b);
/* The largest distance at which a known word counts as the intended one. */
unsigned text_typos_max(const char *text);

/* The length of "scheme:" before a slash, as in "file:/PATH"; 0: it is no URL. */
size_t text_url_scheme(const char *text);

#endif
