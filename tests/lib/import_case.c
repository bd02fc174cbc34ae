#include "tests/lib/import_case.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "resolver/control/import/dialect.h"

static char directory[] = "/tmp/sluice-import-XXXXXX";
static char *config, *told;

int import_case_setup(void **state)
{
	(void)state;
	return mkdtemp(directory) && chdir(directory) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	(void)status;
	(void)kind;
	(void)where;
	return remove(path);
}

static void forget(void)
{
	free(config);
	free(told);
	config = told = NULL;
}

int import_case_teardown(void **state)
{
	(void)state;
	forget();
	return chdir("/") == 0 ? nftw(directory, remove_one, 10, FTW_DEPTH | FTW_PHYS) : -1;
}

void import_case_put(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static FILE *begin(char **text)
{
	static size_t length;
	FILE *out = open_memstream(text, &length);

	assert_non_null(out);
	return out;
}

/* Imports `text`, and then `more` as a second file, unless it is NULL. */
static void run(const char *dialect, const char *text, const char *more)
{
	const struct dialect *found = dialect_named(dialect);
	struct import *import = import_new(false);
	char *remarks;
	FILE *out;
	bool fine;

	assert_non_null(found);
	forget();
	import_case_put("original", text);
	found->read(import, "original");
	if (more) {
		import_case_put("more", more);
		found->read(import, "more");
	}
	fine = dialect_finish(found, import);
	out = begin(&config);
	if (fine)
		assert_int_equal(import_write(import, "original", out, NULL), 0);
	assert_int_equal(fclose(out), 0);
	remarks = strstr(config, "\n# What was not carried over");
	if (remarks)
		*remarks = '\0';
	out = begin(&told);
	import_print(import, out);
	assert_int_equal(fclose(out), 0);
	import_free(import);
}

void import_case_run(const char *dialect, const char *text)
{
	run(dialect, text, NULL);
}

void import_case_run_two(const char *dialect, const char *text, const char *more)
{
	run(dialect, text, more);
}

const char *import_case_config(void)
{
	return config;
}

const char *import_case_told(void)
{
	return told;
}

void import_case_has(const char *text, const char *part, bool wanted, const char *file, int line)
{
	if ((strstr(text, part) != NULL) == wanted)
		return;
	print_error("\"%s\" is %s:\n%s\n", part, wanted ? "missing" : "there", text);
	_fail(file, line);
}

void import_case_config_lacks(const char *part, const char *file, int line)
{
	if (*config == '\0') {
		print_error("there is no configuration:\n%s\n", told);
		_fail(file, line);
	}
	import_case_has(config, part, false, file, line);
}
