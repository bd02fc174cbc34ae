#include "tests/lib/limits_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/schema/model.h"
#include "tests/lib/config_text.h"

static void check_fault(const struct limits_case *row, const struct fault *fault)
{
	bool warning = strncmp(row->says, "warning: ", 9) == 0;

	assert_int_equal(fault->severity, warning ? FAULT_WARNING : FAULT_ERROR);
	assert_int_equal(fault->origin.line, row->line);
	assert_string_equal(fault->origin.path ? fault->origin.path : "", row->path);
	assert_non_null(strstr(fault->text, row->says + (warning ? 9 : 0)));
}

static void run_case(void **state)
{
	const struct limits_case *row = *state;
	struct config_text config;
	struct model *model;

	config_text_init(&config);
	config_text_put(&config, "zone", "www A 192.0.2.1\n");
	model = config_text_load(&config, row->text);
	if (config.faults.count != (row->line != 0)) {
		faults_print(&config.faults, stderr);
		assert_int_equal(config.faults.count, row->line != 0);
	}
	assert_int_equal(model == NULL, config.faults.errors > 0);
	if (row->line != 0) {
		if (!strstr(config.faults.items[0].text,
			    row->says + (config.faults.errors ? 0 : 9)) ||
		    config.faults.items[0].origin.line != row->line)
			faults_print(&config.faults, stderr);
		check_fault(row, &config.faults.items[0]);
	}
	model_free(model);
	config_text_release(&config);
}

int limits_cases_run(const char *group, const struct limits_case *cases, size_t count)
{
	struct CMUnitTest *tests = calloc(count, sizeof *tests);
	int failed;

	if (!tests)
		return 1;
	for (size_t i = 0; i < count; i++)
		tests[i] = (struct CMUnitTest){.name = cases[i].sentence,
					       .test_func = run_case,
					       .initial_state = (void *)(uintptr_t)&cases[i]};
	failed = _cmocka_run_group_tests(group, tests, count, NULL, NULL);
	free(tests);
	return failed;
}
