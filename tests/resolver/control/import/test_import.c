/* Comments: each stays with its value, and many of them cost no more than their length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/import_case.h"

enum { MANY = 20000 };

static char *repeated(const char *ahead, const char *line, const char *behind)
{
	size_t length = strlen(ahead), each = strlen(line);
	char *text = malloc(length + MANY * each + strlen(behind) + 1);

	assert_non_null(text);
	memcpy(text, ahead, length);
	for (size_t i = 0; i < MANY; i++)
		memcpy(text + length + i * each, line, each);
	memcpy(text + length + MANY * each, behind, strlen(behind) + 1);
	return text;
}

static void assert_written(const char *comment)
{
	size_t count = 0;

	for (const char *at = import_case_config(); (at = strstr(at, comment));
	     at += strlen(comment))
		count++;
	assert_int_equal(count, MANY);
}

/* The lines ahead of each line, together, have more than the 256 MiB that an import may make; it
 * would end this process. */
static void many_comments_are_copied_a_few_times_only(void **state)
{
	char *ahead = repeated("server:\n", "# word\n", " interface: 127.0.0.1\n"),
	     *behind = repeated("options { listen-on { 127.0.0.1; }; };", "/* word */", "\n");

	(void)state;
	import_case_run("unbound", ahead);
	assert_written("# word\n");
	import_case_run("bind", behind);
	assert_written("# word\n");
	free(ahead);
	free(behind);
}

static void comments_stay_in_their_order(void **state)
{
	(void)state;
	import_case_run("unbound", "server:\n # one\n # two\n interface: 127.0.0.1 # three\n");
	assert_config("# one\n# two\n# three\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_comments_are_copied_a_few_times_only),
		cmocka_unit_test(comments_stay_in_their_order),
	};

	return cmocka_run_group_tests(tests, import_case_setup, import_case_teardown);
}
