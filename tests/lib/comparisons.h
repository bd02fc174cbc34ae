/* Counts comparisons of names, for tests of the cost of a look-up: this replaces the C library's
 * strcasecmp. */
#ifndef SLUICE_TESTS_COMPARISONS_H
#define SLUICE_TESTS_COMPARISONS_H

#include <strings.h>

#include "rules/name.h"

static uint64_t comparisons;

int strcasecmp(const char *a, const char *b)
{
	comparisons++;
	while (*a && name_lower((uint8_t)*a) == name_lower((uint8_t)*b))
		a++, b++;
	return name_lower((uint8_t)*a) - name_lower((uint8_t)*b);
}

#endif
