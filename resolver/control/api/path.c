/* A path is split before its segments are decoded (RFC 3986 section 2.4), so "%2F" is part of a
 * name and ends no segment. "." and ".." have no meaning: a path leads to no file. */
#include "resolver/control/api/path.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "resolver/control/base/percent.h"
#include "rules/text.h"

int api_path_init(struct api_path *path, const char *text)
{
	*path = (struct api_path){.memory = malloc(strlen(text) + 2)};
	char *to = path->memory;
	if (!to)
		return ERR_NOMEM;
	while (*text) {
		size_t length = strcspn(text, "/");
		if (length > 0) {
			if (path->count == API_SEGMENTS_MAX)
				return ERR_LIMIT;
			path->segments[path->count++] = to;
			if (percent_decode(text, length, false, &to) != 0)
				return ERR_INVALID;
		}
		text += length + (text[length] != '\0');
	}
	return 0;
}

void api_path_release(struct api_path *path)
{
	free(path->memory);
	path->memory = NULL;
}

int api_fields_init(struct api_fields *fields, const char *query)
{
	*fields = (struct api_fields){.memory = malloc(strlen(query) * 2 + 3)};
	char *to = fields->memory;
	if (!to)
		return ERR_NOMEM;
	while (*query) {
		size_t length = strcspn(query, "&"), name = strcspn(query, "=&");
		size_t value = name < length ? name + 1 : length;
		if (length > 0) {
			if (fields->count == API_FIELDS_MAX)
				return ERR_LIMIT;
			fields->items[fields->count].name = to;
			if (percent_decode(query, name, true, &to) != 0)
				return ERR_INVALID;
			fields->items[fields->count++].value = to;
			if (percent_decode(query + value, length - value, true, &to) != 0)
				return ERR_INVALID;
		}
		query += length + (query[length] != '\0');
	}
	return 0;
}

void api_fields_release(struct api_fields *fields)
{
	free(fields->memory);
	fields->memory = NULL;
}

const char *api_fields_twice(const struct api_fields *fields)
{
	for (size_t i = 0; i < fields->count; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(fields->items[i].name, fields->items[j].name) == 0)
				return fields->items[i].name;
	return NULL;
}

/* ---- patterns ---- */

/* The next segment of a pattern, of *length bytes; NULL after the last one. */
static const char *next_segment(const char **pattern, size_t *length)
{
	const char *at = *pattern + strspn(*pattern, "/");
	*length = strcspn(at, "/");
	*pattern = at + *length;
	return *length > 0 ? at : NULL;
}

/* "{file...}" matches all further segments, even none. */
static bool takes_rest(const char *segment, size_t length)
{
	static const char end[] = "...}";

	return *segment == '{' && length > strlen(end) &&
	       strncmp(segment + length - strlen(end), end, strlen(end)) == 0;
}

bool api_path_matches(const struct api_path *path, const char *pattern)
{
	size_t length, i = 0;
	for (const char *want; (want = next_segment(&pattern, &length)); i++) {
		if (takes_rest(want, length))
			return true;
		if (i == path->count)
			return false;
		if (*want != '{' && (strlen(path->segments[i]) != length ||
				     strncasecmp(path->segments[i], want, length) != 0))
			return false;
	}
	return i == path->count;
}

const char *api_path_parameter(const struct api_path *path, const char *pattern, const char *name)
{
	size_t length, i = 0;
	for (const char *want; (want = next_segment(&pattern, &length)) && i < path->count; i++)
		if (*want == '{' && strlen(name) == length - 2 &&
		    strncmp(want + 1, name, length - 2) == 0)
			return path->segments[i];
	return NULL;
}
