/* Whole files: how large they may be, and where. */
#include "resolver/control/base/regular_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A file of /proc says that it has no bytes. */
static void a_file_that_hides_its_size_is_read_up_to_the_maximum(void **state)
{
	static const char path[] = "/proc/self/cmdline";
	const char *why;
	size_t whole, length;
	char *bytes = regular_file_read(path, SIZE_MAX, NULL, &whole, &why);

	(void)state;
	assert_non_null(bytes);
	free(bytes);
	bytes = regular_file_read(path, whole, NULL, &length, &why);
	assert_non_null(bytes);
	assert_int_equal(length, whole);
	free(bytes);
	assert_null(regular_file_read(path, whole - 1, NULL, &length, &why));
	assert_string_equal(why, "it is too large");
	assert_true(length > whole - 1);
}

static void a_file_is_read_below_its_folder_and_nowhere_else(void **state)
{
	static const struct {
		const char *folder, *name, *why;
	} cases[] = {
		{"/proc/self", "cmdline", NULL},
		{"/", "proc/self/cmdline", NULL},
		{"/proc/self", "../../proc/version", "it is not below the zone's folder"},
		{"/", "/proc/version", "it is to be below the zone's folder; name it from there"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *why = NULL;
		size_t length;
		char *path, *bytes = regular_file_read_below(cases[i].folder, cases[i].name,
							     SIZE_MAX, &path, &length, &why);

		if (cases[i].why)
			assert_string_equal(why, cases[i].why);
		else
			assert_non_null(bytes);
		free(bytes);
		free(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_below_its_folder_and_nowhere_else),
		cmocka_unit_test(a_file_that_hides_its_size_is_read_up_to_the_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
