/* For tests that ask for too much memory: makes the sanitizer return NULL, like malloc. */
#ifndef SLUICE_TESTS_NO_MEMORY_H
#define SLUICE_TESTS_NO_MEMORY_H

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>

const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}
#endif

#endif
