/* jansson keeps no lines, so the line of each value is noted first, in the text's order, which is
 * also the order of a walk over the tree. */
#include "resolver/control/import/json_file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/base/relaxed_json.h"

struct lines {
	unsigned *items;
	size_t count;
};

struct value_place {
	const char *file;
	unsigned line;
};

struct json_file_scan {
	struct import *import;
	const char *file, *at;
	unsigned line;
	struct lines values;
	bool is_key[256]; /* by depth: an object's next text is a key */
	bool in_object[256];
	unsigned depth;
};

static void note_value(struct json_file_scan *scan)
{
	struct lines *lines = &scan->values;

	if ((lines->count & (lines->count - 1)) == 0) {
		unsigned *more = import_alloc(scan->import, (2 * lines->count + 1) * sizeof *more);

		if (lines->count > 0)
			memcpy(more, lines->items, lines->count * sizeof *more);
		lines->items = more;
	}
	lines->items[lines->count++] = scan->line;
}

static void skip_to(struct json_file_scan *scan, const char *end)
{
	for (; scan->at < end; scan->at++)
		scan->line += *scan->at == '\n';
}

static void skip_comment(struct json_file_scan *scan)
{
	const char *from = scan->at + 2,
		   *end = scan->at[1] == '*' ? strstr(from, "*/") : from + strcspn(from, "\r\n");

	skip_to(scan, end ? end + 2 * (scan->at[1] == '*') : from + strlen(from));
}

static void skip_text(struct json_file_scan *scan)
{
	const char *end = scan->at + 1;

	while (*end != '\0' && *end != '"')
		end += 1 + (*end == '\\' && end[1] != '\0');
	skip_to(scan, end + (*end != '\0'));
}

static void go_over(struct json_file_scan *scan)
{
	while (*scan->at != '\0') {
		char c = *scan->at;
		bool deep = scan->depth >= sizeof scan->in_object;
		bool is_key = !deep && scan->in_object[scan->depth] && scan->is_key[scan->depth];

		if (c == '/' && (scan->at[1] == '/' || scan->at[1] == '*')) {
			skip_comment(scan);
		} else if (c == '"') {
			if (!is_key)
				note_value(scan);
			skip_text(scan);
		} else if (c == '{' || c == '[') {
			note_value(scan);
			scan->at++;
			if (++scan->depth < sizeof scan->in_object) {
				scan->in_object[scan->depth] = c == '{';
				scan->is_key[scan->depth] = true;
			}
		} else if (c == '}' || c == ']') {
			scan->at++;
			scan->depth -= scan->depth > 0;
		} else if (c == ':' || c == ',') {
			scan->at++;
			if (!deep)
				scan->is_key[scan->depth] = c == ',';
		} else if (isalnum((unsigned char)c) || strchr("-_$", c)) {
			if (!is_key)
				note_value(scan);
			scan->at += strspn(scan->at, "$+-._0123456789abcdefghijklmnopqrstuvwxyz"
						     "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
		} else {
			scan->line += c == '\n';
			scan->at++;
		}
	}
}

/* jansson has one value each for true, false and null, so these have no place. */
static bool is_shared(const json_t *value)
{
	return json_is_boolean(value) || json_is_null(value);
}

static void keep_place(struct import *import, const json_t *value, const char *file, unsigned line)
{
	struct value_place *place;
	char key[32];

	snprintf(key, sizeof key, "json %p", (const void *)value);
	place = import_find(import, key); /* left by an earlier file's value at this address */
	if (!place) {
		place = import_alloc(import, sizeof *place);
		import_keep(import, key, place);
	}
	*place = (struct value_place){file, line};
}

static void place_all(struct json_file_scan *scan, const json_t *value, size_t *next)
{
	const char *key;
	json_t *item;
	size_t i;

	if (*next < scan->values.count && !is_shared(value))
		keep_place(scan->import, value, scan->file, scan->values.items[*next]);
	++*next;
	if (json_is_object(value)) {
		json_object_foreach((json_t *)value, key, item) place_all(scan, item, next);
	} else {
		json_array_foreach((json_t *)value, i, item) place_all(scan, item, next);
	}
}

json_t *json_file_read(struct import *import, const char *path)
{
	size_t length;
	char *text = import_read(import, path, NULL, &length);

	return text ? json_file_parse(import, path, text, length) : NULL;
}

json_t *json_file_parse(struct import *import, const char *path, const char *text, size_t length)
{
	size_t next = 0;
	struct json_file_scan scan = {.import = import, .file = path, .at = text, .line = 1};
	json_error_t error;
	json_t *value;

	go_over(&scan);
	value = relaxed_json_load(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (value) {
		place_all(&scan, value, &next);
	} else {
		struct origin at =
			import_place(import, path, error.line > 0 ? (unsigned)error.line : 0, NULL);

		import_fault(import, &at, "it is no JSON: %s", error.text);
	}
	return value;
}

static const struct value_place *find_place(struct import *import, const json_t *value)
{
	char key[32];

	snprintf(key, sizeof key, "json %p", (const void *)value);
	return import_find(import, key);
}

struct origin json_file_at(struct import *import, const json_t *value, const char *what)
{
	const struct value_place *place = find_place(import, value);

	return import_place(import, place ? place->file : "-", place ? place->line : 0, what);
}

json_t *json_file_keep(struct import *import, json_t *made, const struct origin *at)
{
	if (made && !is_shared(made))
		keep_place(import, made, at->file, at->line);
	return made;
}

json_t *json_file_place(struct import *import, json_t *made, const json_t *like)
{
	const struct value_place *place = find_place(import, like);

	if (made && place && !is_shared(made) && !find_place(import, made))
		keep_place(import, made, place->file, place->line);
	return made;
}

json_t *json_member(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);
	const char *name;

	if (value || !json_is_object(object))
		return value;
	json_object_foreach((json_t *)object, name,
			    value) if (strcasecmp(name, key) == 0) return value;
	return NULL;
}

const char *json_member_text(const json_t *object, const char *key)
{
	return json_string_value(json_member(object, key));
}
