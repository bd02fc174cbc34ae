#include "tests/lib/limits_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "rules/schema/model.h"
#include "tests/lib/config_text.h"

/* Rows are short, so their zone or ruleset often has no link: that warning does not count. */
static bool is_beside(const struct limits_case *row, const struct fault *fault)
{
	static const char unlinked[] = "is linked to no virtual network";

	return strstr(fault->text, unlinked) && !(row->says && strstr(row->says, unlinked));
}

/* Whether the row's fault is the only one; if the row has none, whether there is no fault. */
static bool is_as_said(const struct limits_case *row, const struct faults *faults)
{
	bool warning = row->line != 0 && strncmp(row->says, "warning: ", 9) == 0;
	const struct fault *fault = NULL;
	size_t count = 0;

	for (size_t i = 0; i < faults->count; i++)
		if (!is_beside(row, &faults->items[i])) {
			fault = &faults->items[i];
			count++;
		}
	if (row->line == 0)
		return count == 0;
	return count == 1 && fault->severity == (warning ? FAULT_WARNING : FAULT_ERROR) &&
	       fault->origin.line == row->line &&
	       strcmp(fault->origin.path ? fault->origin.path : "", row->path) == 0 &&
	       strstr(fault->text, row->says + (warning ? 9 : 0));
}

static void run_case(void **state)
{
	const struct limits_case *row = *state;
	struct config_text config;
	struct model *model;

	config_text_init(&config);
	config_text_put(&config, "zone", "www A 192.0.2.1\n");
	model = config_text_load(&config, row->text);
	if (!is_as_said(row, &config.faults)) {
		faults_print(&config.faults, stderr);
		fail_msg("expected %s:%u: %s", row->path ? row->path : "no fault", row->line,
			 row->says ? row->says : "");
	}
	assert_int_equal(model == NULL, config.faults.errors > 0);
	model_free(model);
	config_text_release(&config);
}

int limits_cases_run(const char *group, const struct limits_case *cases, size_t count)
{
	struct CMUnitTest *tests = calloc(count, sizeof *tests);
	int failed;

	if (!tests)
		return 1;
	umask(S_IRWXG | S_IRWXO); /* others must not read secrets, or there is a warning */
	for (size_t i = 0; i < count; i++)
		tests[i] = (struct CMUnitTest){.name = cases[i].sentence,
					       .test_func = run_case,
					       .initial_state = (void *)(uintptr_t)&cases[i]};
	failed = _cmocka_run_group_tests(group, tests, count, NULL, NULL);
	free(tests);
	return failed;
}
