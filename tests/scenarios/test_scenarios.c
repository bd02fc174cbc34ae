/* Every story in this directory is a test of its own, named by its first line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glob.h>

#include "tests/lib/scenario.h"

static void play(void **state)
{
	struct scenario *scenario = scenario_new(*state);

	assert_non_null(scenario);
	bool good = scenario_play(scenario);
	if (!good)
		print_error("%s\n", scenario_trouble(scenario));
	scenario_free(scenario);
	assert_true(good);
}

int main(int argc, char **argv)
{
	glob_t files;
	const char *pattern = argc > 1 ? argv[1] : "tests/scenarios/*.scn";

	if (glob(pattern, 0, NULL, &files) != 0)
		return 2;
	struct CMUnitTest *tests = calloc(files.gl_pathc, sizeof *tests);
	if (!tests)
		return 2;
	for (size_t i = 0; i < files.gl_pathc; i++) {
		char title[200];
		bool titled = scenario_title(files.gl_pathv[i], title, sizeof title);

		tests[i] = (struct CMUnitTest){
			.name = strdup(titled ? title : files.gl_pathv[i]),
			.test_func = play,
			.initial_state = files.gl_pathv[i],
		};
	}
	int failed = _cmocka_run_group_tests("scenarios", tests, files.gl_pathc, NULL, NULL);
	for (size_t i = 0; i < files.gl_pathc; i++)
		free((void *)(uintptr_t)tests[i].name);
	free(tests);
	globfree(&files);
	return failed;
}
