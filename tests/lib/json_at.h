/* Reads a part of a JSON value, for tests. */
#ifndef SLUICE_TESTS_JSON_AT_H
#define SLUICE_TESTS_JSON_AT_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value at a path such as "hops.0.route.1.host": a string's text, or other values as JSON, or
 * "nothing". Valid until the next call. */
static inline const char *json_at(const json_t *value, const char *path)
{
	static char text[2048];
	char key[64], *dumped;

	for (size_t length; *path; path += length + (path[length] == '.')) {
		length = strcspn(path, ".");
		snprintf(key, sizeof key, "%.*s", (int)length, path);
		value = json_is_array(value) ? json_array_get(value, strtoul(key, NULL, 10))
					     : json_object_get(value, key);
	}
	dumped = json_is_string(value) ? strdup(json_string_value(value))
				       : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT |
								   JSON_REAL_PRECISION(15));
	snprintf(text, sizeof text, "%s", dumped ? dumped : "nothing");
	free(dumped);
	return text;
}

#endif
