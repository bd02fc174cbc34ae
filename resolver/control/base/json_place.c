#include "resolver/control/base/json_place.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct json_text_scan {
	const char *at, *end;
	unsigned line;
};

static bool is_at(const struct json_text_scan *scan, char c)
{
	return scan->at < scan->end && *scan->at == c;
}

static void step(struct json_text_scan *scan)
{
	scan->line += *scan->at++ == '\n';
}

/* Skips a comment, which ends as in relaxed_json.c: a line comment also at a lone CR, and a block
 * comment at the first star and slash after its first two characters. */
static void skip_comment(struct json_text_scan *scan, bool to_line_end)
{
	step(scan);
	step(scan);
	while (scan->at < scan->end) {
		bool ends = to_line_end ? *scan->at == '\n' || *scan->at == '\r'
					: scan->at[0] == '*' && scan->at + 1 < scan->end &&
						  scan->at[1] == '/';

		step(scan);
		if (ends && !to_line_end)
			step(scan);
		if (ends)
			return;
	}
}

/* Skips blanks and comments. */
static void skip_blank(struct json_text_scan *scan)
{
	while (scan->at < scan->end) {
		char next = scan->at + 1 < scan->end ? scan->at[1] : '\0';

		if (isspace((unsigned char)*scan->at))
			step(scan);
		else if (*scan->at == '/' && (next == '/' || next == '*'))
			skip_comment(scan, next == '/');
		else
			return;
	}
}

/* Moves past the string; returns its length without the quotes. */
static size_t skip_string(struct json_text_scan *scan)
{
	const char *first = scan->at + 1;

	for (step(scan); scan->at < scan->end && *scan->at != '"'; step(scan))
		if (*scan->at == '\\' && scan->at + 1 < scan->end)
			step(scan);
	if (scan->at < scan->end)
		step(scan);
	return (size_t)(scan->at - first) - 1;
}

/* Moves past a name without quotes; returns its length. */
static size_t skip_word(struct json_text_scan *scan)
{
	const char *first = scan->at;

	while (scan->at < scan->end && !isspace((unsigned char)*scan->at) &&
	       !strchr("/\"{}[],:", *scan->at))
		step(scan);
	return (size_t)(scan->at - first);
}

/* Moves past a value, and past the blanks and comments behind it. */
static void skip_value(struct json_text_scan *scan)
{
	unsigned depth = 0;

	while (scan->at < scan->end) {
		skip_blank(scan);
		if (scan->at == scan->end || (depth == 0 && strchr(",]}:", *scan->at)))
			return;
		if (*scan->at == '"') {
			skip_string(scan);
		} else {
			depth += *scan->at == '{' || *scan->at == '[';
			depth -= *scan->at == '}' || *scan->at == ']';
			step(scan);
		}
	}
}

/* Moves to the value of the member; *line is the line of its name. False: no member has that name.
 */
static bool find_member(struct json_text_scan *scan, const char *name, size_t length,
			unsigned *line)
{
	for (step(scan); scan->at < scan->end; step(scan)) {
		const char *key;
		size_t key_length;
		unsigned key_line;

		skip_blank(scan);
		key_line = scan->line;
		key = scan->at + is_at(scan, '"');
		key_length = is_at(scan, '"') ? skip_string(scan) : skip_word(scan);
		skip_blank(scan);
		if (!is_at(scan, ':'))
			return false;
		step(scan);
		skip_blank(scan);
		if (key_length == length && strncasecmp(key, name, length) == 0) {
			*line = key_line;
			return true;
		}
		skip_value(scan);
		skip_blank(scan);
		if (!is_at(scan, ','))
			return false;
	}
	return false;
}

static bool find_item(struct json_text_scan *scan, unsigned long index, unsigned *line)
{
	for (step(scan); scan->at < scan->end; step(scan)) {
		skip_blank(scan);
		if (is_at(scan, ']'))
			return false;
		if (index-- == 0) {
			*line = scan->line;
			return true;
		}
		skip_value(scan);
		skip_blank(scan);
		if (!is_at(scan, ','))
			return false;
	}
	return false;
}

unsigned json_place_line(const char *text, size_t length, const char *path)
{
	struct json_text_scan scan = {text, text + length, 1};
	unsigned line;

	if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		scan.at += 3; /* a byte order mark */
	skip_blank(&scan);
	line = scan.line;
	while (*path != '\0') {
		bool found = false;

		if (*path == '[' && is_at(&scan, '[')) {
			char *end;

			found = find_item(&scan, strtoul(path + 1, &end, 10), &line);
			path = end + (*end == ']');
		} else if (*path != '[' && is_at(&scan, '{')) {
			size_t used = strcspn(path, ".[");

			found = find_member(&scan, path, used, &line);
			path += used;
		}
		if (!found)
			break;
		path += *path == '.';
	}
	return line;
}
