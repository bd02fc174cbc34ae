#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/control/config/manual.h"
#include "rules/schema/schema.h"

static char *page;

static int write_page(void **state)
{
	size_t length;
	FILE *out = open_memstream(&page, &length);

	(void)state;
	if (!out)
		return -1;
	manual_sluice_conf(out);
	return fclose(out);
}

static int free_page(void **state)
{
	(void)state;
	free(page);
	return 0;
}

/* How often the key stands at the head of something: in bold, or as a table's first cell. */
static unsigned headed_by(const char *key)
{
	unsigned count = 0;
	size_t length = strlen(key);

	for (const char *line = page; *line; line += strcspn(line, "\n") + 1) {
		const char *word = strncmp(line, ".B ", 3) == 0 ? line + 3 : line;
		if (strncmp(word, key, length) == 0 && strchr("\n|", word[length]))
			count++;
	}
	return count;
}

static const struct group *limits_group(void)
{
	return schema_field(&schema_model, "limits")->group;
}

static void every_limit_is_described_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < limits_group()->count; i++)
		assert_int_equal(headed_by(limits_group()->fields[i].key), 1);
}

static void a_limit_comes_with_its_range_and_default(void **state)
{
	(void)state;
	assert_non_null(strstr(page, ".B targets_per_rule\n"
				     "target servers of a rule.\n"
				     "Takes an integer from 1 to 64. Default: 6.\n"));
}

/* A table's cell that is longer than a page is left cannot be broken, and troff complains. */
static void there_is_no_table(void **state)
{
	(void)state;
	assert_null(strstr(page, "\n.TS\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_limit_is_described_once),
		cmocka_unit_test(a_limit_comes_with_its_range_and_default),
		cmocka_unit_test(there_is_no_table),
	};

	return cmocka_run_group_tests(tests, write_page, free_page);
}
