/* Texts that may be missing, the form of an identity, and keys that are found without regard to
 * ASCII case: never by the locale, which may have other ideas of a letter. */
#ifndef SLUICE_TEXT_H
#define SLUICE_TEXT_H

#include <ctype.h>
#include <stdbool.h>
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

/* In place; returns text, which may be NULL. */
static inline char *text_lower(char *text)
{
	for (char *c = text; c && *c; c++)
		*c = (char)name_lower((uint8_t)*c);
	return text;
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

#endif
