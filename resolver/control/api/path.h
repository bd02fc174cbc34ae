/* Splits paths and queries of URLs, and matches paths against the patterns of routes. */
#ifndef SLUICE_API_PATH_H
#define SLUICE_API_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/err.h"

enum { API_SEGMENTS_MAX = 32, API_FIELDS_MAX = 32 };

/* A path's segments, decoded, without empty ones ("//", a '/' at the end). */
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

/* ERR_INVALID: a '%' without two hexadecimal digits, an encoded NUL byte, or text that is not
 * UTF-8, which JSON cannot contain. ERR_LIMIT: too many segments or fields. ERR_NOMEM. Release is
 * safe after any error. */
MUST_CHECK int api_path_init(struct api_path *path, const char *text);
void api_path_release(struct api_path *path);
MUST_CHECK int api_fields_init(struct api_fields *fields, const char *query);
void api_fields_release(struct api_fields *fields);
/* The name of a field that occurs twice; NULL: none does. */
const char *api_fields_twice(const struct api_fields *fields);

/* Matches "/v1/addresses/{group}/{name}", without regard to case. "{file...}" at the end matches
 * any number of segments, even none. */
bool api_path_matches(const struct api_path *path, const char *pattern);
/* The segment at {name} of the pattern, which must match; NULL: the pattern has no {name}. */
const char *api_path_parameter(const struct api_path *path, const char *pattern, const char *name);

#endif
