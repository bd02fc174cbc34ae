/* sluice.conf(5): every setting is described, and its example can be read. */
#include "resolver/control/config/manual.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/schema/schema.h"
#include "tests/lib/config_text.h"

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

static void check_group(const struct group *group)
{
	char entry[128];

	for (size_t i = 0; i < group->count; i++) {
		snprintf(entry, sizeof entry, ".TP\n.B %s\n", group->fields[i].key);
		if (!strstr(page, entry))
			fail_msg("%s of %s is not described", group->fields[i].key, group->name);
		if (group->fields[i].group)
			check_group(group->fields[i].group);
	}
}

static void every_key_is_described(void **state)
{
	(void)state;
	check_group(&schema_model);
}

static void a_group_is_described_once(void **state)
{
	const char *targets = strstr(page, "\n.B targets_per_rule\n");

	(void)state;
	assert_non_null(targets);
	assert_null(strstr(targets + 1, "\n.B targets_per_rule\n"));
}

static void a_limit_comes_with_its_range_and_default(void **state)
{
	(void)state;
	assert_non_null(strstr(page, ".B targets_per_rule\n"
				     "target servers of a rule.\n"
				     "Takes an integer from 1 to 64. Default: 6.\n"));
}

/* `at`: after its ".EX". */
static void check_example(const char *at)
{
	const char *end = strstr(at, ".EE\n");
	struct config_text config;
	struct model *model;
	FILE *file;

	config_text_init(&config);
	config_text_put(&config, "corp.internal.zone", "www A 192.0.2.1\n");
	file = config_text_open(&config, "sluice.conf");
	for (; at < end; at++)
		if (*at != '\\') /* only "\-" stands there */
			fputc(*at, file);
	fclose(file);
	model = config_text_read(&config, NULL);
	faults_print(&config.faults, stderr);
	assert_non_null(model);
	assert_int_equal(config.faults.count, 0);
	assert_int_equal(model->rulesets.items[0].rules.count, 1);
	assert_int_equal(model->rulesets.items[0].outbound_endpoints.count, 1);
	model_free(model);
	config_text_release(&config);
}

static void the_examples_can_be_read(void **state)
{
	const char *first = strstr(page, ".EX\n") + 4, *second = strstr(first, ".EX\n") + 4;

	(void)state;
	check_example(first);
	check_example(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_is_described),
		cmocka_unit_test(a_group_is_described_once),
		cmocka_unit_test(a_limit_comes_with_its_range_and_default),
		cmocka_unit_test(the_examples_can_be_read),
	};

	return cmocka_run_group_tests(tests, write_page, free_page);
}
