/* The text is rewritten as strict JSON, and jansson reads that:
 *
 *     {size: 1, // of all         ─►    {"size": 1,
 *      "note": "a                        "note": "a\u000ab" }
 *     b",}
 *
 * Only jansson knows what JSON is. This file knows where strings, words and comments begin and end.
 * All other text is passed on unchanged, for jansson to take or refuse.
 *
 * There is no look-ahead. A word that may be a name gets a blank on either side, and they become
 * quotes when the next thing is a colon. A comma becomes a blank when the next thing is a closing
 * bracket.
 *
 * One pass counts the bytes, and one writes them. Where jansson finds an error in the strict JSON,
 * a third pass finds the place in the original text. */
#include "resolver/control/base/relaxed_json.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/err.h"

/* The last token, apart from blanks and comments: one of these, or a mark such as ','. */
enum { NOTHING = '\0', NAME = 'a', WORD = '0', STRING = '"' };

struct relaxing {
	const char *at, *end;  /* the text that is not read yet */
	char *strict;          /* NULL: the bytes are only counted */
	size_t length;         /* of `strict`; the next three are places in it */
	size_t name, name_end; /* the blanks around the last name */
	size_t comma;          /* the last comma */
	char last, before;     /* the last token and the one before it */
	bool in_string;
	size_t wanted; /* when `length` reaches `wanted`, `found` is set to `at` */
	const char *found;
};

static struct relaxing begin(const char *text, size_t length)
{
	static const char mark[] = "\xef\xbb\xbf";
	struct relaxing relaxing = {.at = text, .end = text + length};

	if (length >= 3 && memcmp(text, mark, 3) == 0)
		relaxing.at += 3;
	relaxing.found = relaxing.at;
	return relaxing;
}

static void put(struct relaxing *relaxing, char c)
{
	if (relaxing->strict)
		relaxing->strict[relaxing->length] = c;
	relaxing->length++;
	if (relaxing->length == relaxing->wanted)
		relaxing->found = relaxing->at;
}

static void put_escaped(struct relaxing *relaxing, char c)
{
	static const char digits[] = "0123456789abcdef";
	const char escaped[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 0xf]};

	for (size_t i = 0; i < sizeof escaped; i++)
		put(relaxing, escaped[i]);
}

static void put_over(struct relaxing *relaxing, size_t at, char c)
{
	if (relaxing->strict)
		relaxing->strict[at] = c;
}

static void take(struct relaxing *relaxing)
{
	char c = *relaxing->at++;

	put(relaxing, c);
}

static void has_read(struct relaxing *relaxing, char what)
{
	relaxing->before = relaxing->last;
	relaxing->last = what;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

static bool is_of_name(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '-';
}

/* A word is a number, true, false, null or a name; jansson refuses any other. */
static bool is_of_word(char c)
{
	return is_of_name(c) || c == '+' || c == '.';
}

static void read_word(struct relaxing *relaxing)
{
	const char *end = relaxing->at;
	bool is_name = is_letter(*relaxing->at);

	for (; end < relaxing->end && is_of_word(*end); end++)
		is_name = is_name && is_of_name(*end);
	if (is_name) {
		relaxing->name = relaxing->length;
		put(relaxing, ' ');
	}
	while (relaxing->at < end)
		take(relaxing);
	if (is_name) {
		relaxing->name_end = relaxing->length;
		put(relaxing, ' ');
	}
	has_read(relaxing, is_name ? NAME : WORD);
}

/* Reads one character of a string, or its closing quote. Existing escapes are left to jansson,
 * which refuses a backslash before a line break. */
static void read_in_string(struct relaxing *relaxing)
{
	char c = *relaxing->at++;

	if (c == '\r' && relaxing->at < relaxing->end && *relaxing->at == '\n')
		c = *relaxing->at++;
	if (c > '\0' && c < ' ')
		put_escaped(relaxing, c);
	else
		put(relaxing, c);
	if (c == '\\' && relaxing->at < relaxing->end)
		take(relaxing);
	relaxing->in_string = c != '"';
}

static const char *line_end(const char *at, const char *end)
{
	while (at < end && *at != '\n' && *at != '\r')
		at++;
	return at;
}

/* The place after the next star and slash; NULL: there are none. */
static const char *block_end(const char *at, const char *end)
{
	for (; end - at >= 2; at++)
		if (at[0] == '*' && at[1] == '/')
			return at + 2;
	return NULL;
}

/* The end of the comment that begins here; NULL: no comment begins here, or it has no end. */
static const char *comment_end(const char *at, const char *end)
{
	if (end - at >= 2 && at[1] == '/')
		return line_end(at, end);
	if (end - at >= 2 && at[1] == '*')
		return block_end(at + 2, end);
	return NULL;
}

/* Writes a blank for a comment, and a NUL byte if the comment has one, for jansson to refuse. A
 * slash that begins no comment makes jansson refuse the text, so the rest is copied unread. */
static void read_comment(struct relaxing *relaxing)
{
	const char *from = relaxing->at, *end = comment_end(from, relaxing->end);

	if (!end) {
		while (relaxing->at < relaxing->end)
			take(relaxing);
		return;
	}
	relaxing->at = end;
	put(relaxing, ' ');
	if (memchr(from, '\0', (size_t)(end - from)))
		put(relaxing, '\0');
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Is the last comma after a member or an item? */
static bool is_behind_value(const struct relaxing *relaxing)
{
	return !memchr("[{,:", relaxing->before, sizeof "[{,:"); /* the string's NUL is NOTHING */
}

static void read_mark(struct relaxing *relaxing)
{
	char c = *relaxing->at;

	if (c == ':' && relaxing->last == NAME) {
		put_over(relaxing, relaxing->name, '"');
		put_over(relaxing, relaxing->name_end, '"');
	}
	if ((c == '}' || c == ']') && relaxing->last == ',' && is_behind_value(relaxing))
		put_over(relaxing, relaxing->comma, ' ');
	if (c == ',')
		relaxing->comma = relaxing->length;
	relaxing->in_string = c == STRING;
	if (!is_blank(c))
		has_read(relaxing, c);
	if (c == '\0')
		put(relaxing, ' '); /* jansson overlooks a NUL directly after a number */
	take(relaxing);
}

static void relax(struct relaxing *relaxing)
{
	while (relaxing->at < relaxing->end) {
		if (relaxing->in_string)
			read_in_string(relaxing);
		else if (is_of_word(*relaxing->at))
			read_word(relaxing);
		else if (*relaxing->at == '/')
			read_comment(relaxing);
		else
			read_mark(relaxing);
	}
}

/* Turns a place in the strict text into one in the original. Like jansson, it counts columns in
 * characters of UTF-8. */
static void locate(const char *text, size_t length, json_error_t *error)
{
	struct relaxing relaxing = begin(text, length);
	const char *at = relaxing.at;

	relaxing.wanted = (size_t)error->position;
	relax(&relaxing);
	error->line = 1;
	error->column = 0;
	error->position = (int)(relaxing.found - text);
	for (; at < relaxing.found; at++) {
		if (*at == '\n') {
			error->line++;
			error->column = 0;
		} else if (((unsigned char)*at & 0xc0) != 0x80) {
			error->column++;
		}
	}
}

json_t *relaxed_json_load(const char *text, size_t length, size_t flags, json_error_t *error)
{
	struct relaxing counted = begin(text, length), written = counted;

	relax(&counted);
	written.strict = malloc(counted.length + 1); /* + 1: malloc(0) may return NULL */
	if (!written.strict) {
		*error = (json_error_t){.line = 1};
		snprintf(error->text, sizeof error->text, "%s", err_text(ERR_NOMEM));
		return NULL;
	}
	relax(&written);
	json_t *value = json_loadb(written.strict, written.length, flags, error);
	if (!value)
		locate(text, length, error);
	free(written.strict);
	return value;
}
