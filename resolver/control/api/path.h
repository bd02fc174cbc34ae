/* Paths and queries of URLs, taken apart, and matched against the patterns of routes. */
#ifndef SLUICE_API_PATH_H
#define SLUICE_API_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/err.h"

enum { API_SEGMENTS_MAX = 32, API_FIELDS_MAX = 32 };

/* A path's segments, decoded; empty ones ("//", a '/' at the end) are left out. */
struct api_path {
	char *memory;
	const char *segments[API_SEGMENTS_MAX];
	size_t count;
};

/* A query's fields, decoded, in their order. */
struct api_fields {
	char *memory;
	struct {
		const char *name, *value;
	} items[API_FIELDS_MAX];
	size_t count;
};

/* ERR_INVALID: a '%' without two hexadecimal digits behind it, an encoded NUL byte, or text that is
 * not UTF-8 (which JSON is, and so every name); ERR_LIMIT: too many segments or fields; ERR_NOMEM.
 * Releasing is fine after any of them. */
MUST_CHECK int api_path_init(struct api_path *path, const char *text);
void api_path_release(struct api_path *path);
MUST_CHECK int api_fields_init(struct api_fields *fields, const char *query);
void api_fields_release(struct api_fields *fields);
/* A name that two of them have; NULL: none. */
const char *api_fields_twice(const struct api_fields *fields);

/* "/v1/addresses/{group}/{name}": literal segments match without regard to case. "{file...}" at the
 * end stands for all that comes, or for nothing. */
bool api_path_matches(const struct api_path *path, const char *pattern);
/* The segment where the pattern, which matches, has {name}; NULL: it has none. */
const char *api_path_parameter(const struct api_path *path, const char *pattern, const char *name);

#endif
