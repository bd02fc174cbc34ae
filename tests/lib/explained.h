/* What tests of explanations (resolver/control/observe/explain.h) share. */
#ifndef SLUICE_TESTS_EXPLAINED_H
#define SLUICE_TESTS_EXPLAINED_H

#include "resolver/control/command/print.h"
#include "resolver/control/observe/explain.h"
#include "tests/lib/json_at.h"

static inline void assert_explained(const json_t *explained, const char *path, const char *expected)
{
	const char *text = json_at(explained, path);

	assert_non_null(explained);
	if (strcmp(text, expected) != 0)
		fail_msg("%s is %s, not %s", path, text, expected);
}

/* The printed form has these parts in this order; to be freed. */
static inline char *assert_printed(const json_t *explained, const char *const *parts, size_t count)
{
	char *text = NULL;
	const char *from;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	explain_print(explained, out);
	fclose(out);
	from = text;
	for (size_t i = 0; i < count; i++) {
		const char *found = strstr(from, parts[i]);

		if (!found)
			fail_msg("\"%s\" is missing or out of order in:\n%s", parts[i], text);
		from = found + 1;
	}
	return text;
}

#endif
