/* Texts that may be missing, and keys that are found without regard to ASCII case: never by the
 * locale, which may have other ideas of a letter. */
#ifndef SLUICE_TEXT_H
#define SLUICE_TEXT_H

#include <stdbool.h>
#include <string.h>

#include "rules/name.h"

/* NULL is equal to NULL only. */
static inline bool text_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* In place; returns text, which may be NULL. */
static inline char *text_lower(char *text)
{
	for (char *c = text; c && *c; c++)
		*c = (char)name_lower((uint8_t)*c);
	return text;
}

#endif
