/* Addresses and prefixes from text, for tests: a wrong text fails the test. */
#ifndef SLUICE_TESTS_ADDRESSES_H
#define SLUICE_TESTS_ADDRESSES_H

#include "rules/prefix.h"

static inline struct address address_of(const char *text)
{
	struct address address;

	assert_int_equal(address_parse(&address, text), 0);
	return address;
}

static inline struct prefix prefix_of(const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(&prefix, text), 0);
	return prefix;
}

#endif
