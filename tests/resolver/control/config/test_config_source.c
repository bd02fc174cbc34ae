/* The text that libconfig is given: what is included, from where, what is refused in it, and that
 * libconfig is left nothing to open. */
#include "resolver/control/config/source.h"

#include <libconfig.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/config_text.h"
#include "tests/lib/random.h"

#ifdef __SANITIZE_ADDRESS__ /* nothing else looks for leaks */
#include <sanitizer/lsan_interface.h>
#else
#define __lsan_disable() ((void)0)
#define __lsan_enable()  ((void)0)
#endif

struct world {
	struct config_text files;
	struct config_source source;
	struct arena arena;
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);

	config_text_init(&world->files);
	arena_init(&world->arena);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	config_source_release(&world->source);
	arena_release(&world->arena);
	config_text_release(&world->files);
	free(world);
	return 0;
}

static int read_bytes(struct world *world, const char *bytes, size_t length)
{
	FILE *file = config_text_open(&world->files, "sluice.conf");

	fwrite(bytes, 1, length, file);
	fclose(file);
	config_source_release(&world->source);
	faults_release(&world->files.faults);
	return config_source_read(&world->source, world->files.main_file, world->files.directory,
				  &world->arena, &world->files.faults);
}

static int read_text(struct world *world, const char *text)
{
	return read_bytes(world, text, strlen(text));
}

/* Just this fault, at this line of this file. */
static void expect_fault(struct world *world, const char *file, unsigned line, const char *says)
{
	const struct faults *faults = &world->files.faults;
	char path[128];

	snprintf(path, sizeof path, "%s/%s", world->files.directory, file);
	if (faults->count != 1)
		faults_print(faults, stderr);
	assert_int_equal(faults->count, 1);
	assert_int_equal(faults->errors, 1);
	assert_string_equal(faults->items[0].origin.file, path);
	assert_int_equal(faults->items[0].origin.line, line);
	if (!strstr(faults->items[0].text, says))
		assert_string_equal(faults->items[0].text, says);
}

static void assert_line(const struct world *world, unsigned line, const char *file,
			unsigned expected)
{
	struct origin origin = config_source_at(&world->source, line);
	char path[128];

	snprintf(path, sizeof path, "%s/%s", world->files.directory, file);
	assert_string_equal(origin.file, path);
	assert_int_equal(origin.line, expected);
}

static void what_is_included_stands_in_its_place(void **state)
{
	struct world *world = *state;

	config_text_put(&world->files, "b.conf", "b = 1;\nbb = 1; # no line end");
	config_text_put(&world->files, "c\"d.conf", "@include \"b.conf\"\nc = 1;\n");
	assert_int_equal(read_text(world, "a = 1;\n \t@include \t\"b.conf\"; x = 1;\n"
					  "@include \"c\\\"d.conf\"\ny = 1;\n"),
			 0);
	assert_string_equal(world->source.text, "a = 1;\n \tb = 1;\nbb = 1; # no line end\n"
						"; x = 1;\n"
						"b = 1;\nbb = 1; # no line end\n\nc = 1;\n\n"
						"\ny = 1;\n\n");
	assert_line(world, 1, "sluice.conf", 1);
	assert_line(world, 2, "b.conf", 1);
	assert_line(world, 3, "b.conf", 2);
	assert_line(world, 4, "sluice.conf", 2);
	assert_line(world, 5, "b.conf", 1);
	assert_line(world, 8, "c\"d.conf", 2);
	assert_line(world, 11, "sluice.conf", 4);
}

static void an_include_in_a_comment_or_a_string_is_none(void **state)
{
	struct world *world = *state;
	static const char text[] = "# \n//\n/*\n@include \"none\"\n*/ a = \"\\\"@include \";\n"
				   "# @include \"none\"\n";

	assert_int_equal(read_text(world, text), 0);
	assert_memory_equal(world->source.text, text, sizeof text - 1);
}

static void an_at_sign_that_includes_nothing_is_a_fault(void **state)
{
	struct world *world = *state;
	static const char *const texts[] = {
		"\na = 1; @include \"b.conf\"\n",
		"\n@include b.conf\n",
		"\n@include\"b.conf\"",
		"\n@include \"b.conf\n\"",
		"\n@include \"b.conf",
		"\n@includes \"b.conf\"",
		"\n@",
	};

	config_text_put(&world->files, "b.conf", "b = 1;\n");
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		assert_int_equal(read_text(world, texts[i]), ERR_FAULTS);
		assert_int_equal(world->files.faults.items[0].origin.line, 2);
		assert_non_null(strstr(world->files.faults.items[0].text, "@include \"FILE\""));
	}
}

/* Opening a FIFO waits for a writer; the alarm ends a test that does. */
static void a_fifo_is_refused_without_waiting(void **state)
{
	struct world *world = *state;
	char path[128];

	alarm(60);
	assert_int_equal(mkfifo(world->files.main_file, 0600), 0);
	assert_int_equal(config_source_read(&world->source, world->files.main_file, ".",
					    &world->arena, &world->files.faults),
			 ERR_FAULTS);
	expect_fault(world, "sluice.conf", 0, "cannot be read: it is not a regular file");
	unlink(world->files.main_file);
	snprintf(path, sizeof path, "%s/fifo", world->files.directory);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(read_text(world, "\n@include \"fifo\"\n"), ERR_FAULTS);
	expect_fault(world, "sluice.conf", 2, "it is not a regular file");
	alarm(0);
}

static void a_nul_byte_is_a_fault_with_its_line(void **state)
{
	struct world *world = *state;
	static const char in_string[] = "a = 1;\nb = \"good\0evil\";\n",
			  in_comment[] = "\n\n# \0\n", between[] = "\0", in_number[] = "a = 1\0;",
			  in_path[] = "@include \"b.conf\0\"";

	config_text_put(&world->files, "b.conf", "b = 1;\n");
	assert_int_equal(read_bytes(world, in_string, sizeof in_string - 1), ERR_FAULTS);
	expect_fault(world, "sluice.conf", 2, "NUL byte");
	assert_int_equal(read_bytes(world, in_comment, sizeof in_comment - 1), ERR_FAULTS);
	expect_fault(world, "sluice.conf", 3, "NUL byte");
	assert_int_equal(read_bytes(world, between, 1), ERR_FAULTS);
	expect_fault(world, "sluice.conf", 1, "NUL byte");
	assert_int_equal(read_bytes(world, in_number, sizeof in_number - 1), ERR_FAULTS);
	expect_fault(world, "sluice.conf", 1, "NUL byte");
	assert_int_equal(read_bytes(world, in_path, sizeof in_path - 1), ERR_FAULTS);
	expect_fault(world, "sluice.conf", 1, "NUL byte");
}

static void an_escaped_nul_is_a_fault_with_its_line(void **state)
{
	struct world *world = *state;

	assert_int_equal(read_text(world, "a = \"x\\x01\\\\x00\"; # \\x00\n"), 0);
	assert_int_equal(read_text(world, "a = \"x\";\nb = \"y\\X00z\";\n"), ERR_FAULTS);
	expect_fault(world, "sluice.conf", 2, "\\x00 in a string is a NUL byte");
	assert_int_equal(read_text(world, "a = \"\\x00"), ERR_FAULTS);
}

/* What includes the file would go on inside the comment. */
static void a_comment_that_does_not_end_is_a_fault_at_its_line(void **state)
{
	struct world *world = *state;

	assert_int_equal(read_text(world, "a = 1;\n/* b\n"), ERR_FAULTS);
	expect_fault(world, "sluice.conf", 2, "never ends");
	assert_int_equal(read_text(world, "a = 1; /*/"), ERR_FAULTS);
	assert_int_equal(read_text(world, "a = 1; /* b */"), 0);
	assert_int_equal(read_text(world, "a = 1; /**/"), 0);
	assert_int_equal(read_text(world, "a = 1; # /*"), 0);
	assert_int_equal(read_text(world, "a = 1; #*"), 0);
}

/* libconfig's string would go on to the next quote, wherever that is. */
static void a_string_that_does_not_end_is_a_fault_at_its_line(void **state)
{
	struct world *world = *state;

	assert_int_equal(read_text(world, "a = 1;\nb = \"x;\nc = \"y\"; d = 4294967297L;\n"),
			 ERR_FAULTS);
	expect_fault(world, "sluice.conf", 2, "a quote is missing");
	assert_int_equal(read_text(world, "\nb = \"x\\\n;"), ERR_FAULTS);
	expect_fault(world, "sluice.conf", 2, "a quote is missing");
	assert_int_equal(read_text(world, "\nb = \"x\\\""), ERR_FAULTS);
	expect_fault(world, "sluice.conf", 2, "a quote is missing");
	assert_int_equal(read_text(world, "b = \"x\nc = y\";\n"), ERR_FAULTS);
	assert_int_equal(world->files.faults.errors, 2);
}

static void a_byte_order_mark_is_passed_over(void **state)
{
	struct world *world = *state;

	config_text_put(&world->files, "b.conf",
			"\xef\xbb\xbf"
			"b = 1;");
	assert_int_equal(read_text(world, "\xef\xbb\xbf@include \"b.conf\"\na = 1;"), 0);
	assert_string_equal(world->source.text, "b = 1;\n\na = 1;\n");
	assert_line(world, 1, "b.conf", 1);
	assert_line(world, 3, "sluice.conf", 2);
	assert_int_equal(read_text(world, "a = 1;\n\xef\xbb\xbf"), 0);
	assert_string_equal(world->source.text, "a = 1;\n\xef\xbb\xbf\n");
}

static void a_fault_of_an_included_text_names_that_file(void **state)
{
	struct world *world = *state;

	config_text_put(&world->files, "b.conf", "\n\nb = 4294967297;\n");
	assert_int_equal(read_text(world, "\n@include \"b.conf\"\n"), ERR_FAULTS);
	expect_fault(world, "b.conf", 3, "write 4294967297L");
}

static void a_file_that_includes_itself_ends(void **state)
{
	struct world *world = *state;

	assert_int_equal(read_text(world, "@include \"sluice.conf\"\n@include \"sluice.conf\"\n"),
			 ERR_FAULTS);
	expect_fault(world, "sluice.conf", 1, "at most 10 files include one another");
}

static void ten_files_deep_is_read_and_eleven_are_not(void **state)
{
	struct world *world = *state;

	for (int i = 1; i <= 11; i++) {
		char name[16], text[32];

		snprintf(name, sizeof name, "%d.conf", i);
		snprintf(text, sizeof text, "@include \"%d.conf\"\n", i + 1);
		config_text_put(&world->files, name, i == 11 ? "" : text);
	}
	assert_int_equal(read_text(world, "@include \"2.conf\"\n"), 0);
	assert_int_equal(read_text(world, "@include \"1.conf\"\n"), ERR_FAULTS);
	expect_fault(world, "10.conf", 1, "too deep");
}

static void files_that_double_end_at_the_most_that_is_included(void **state)
{
	struct world *world = *state;

	for (int i = 1; i <= 9; i++) {
		char name[16];
		FILE *file;

		snprintf(name, sizeof name, "%d.conf", i);
		file = config_text_open(&world->files, name);
		for (int k = 0; k < 3 && i < 9; k++)
			fprintf(file, "@include \"%d.conf\"\n", i + 1);
		fclose(file);
	}
	assert_int_equal(read_text(world, "@include \"1.conf\"\n"), 0); /* 9841 */
	assert_int_equal(read_text(world, "@include \"1.conf\"\n@include \"4.conf\"\n"),
			 ERR_FAULTS);
	assert_int_equal(world->files.faults.errors, 1);
	assert_non_null(strstr(world->files.faults.items[0].text, "at most 10000"));
}

/* libconfig must not open anything by itself: wherever it sees a directive, we must. */
static void libconfig_finds_nothing_to_include(void **state)
{
	static const char *const parts[] = {"@include \"none\"",
					    "@include \"",
					    "@include",
					    "\"",
					    "\\",
					    "\n",
					    " ",
					    "\t",
					    "/",
					    "*",
					    "#",
					    "//",
					    "/*",
					    "*/",
					    "a",
					    "=",
					    "1;",
					    "\r",
					    "\\x41"};
	struct world *world = *state;
	uint64_t random = 7;
	unsigned found = 0, fine = 0;

	for (int round = 0; round < 2000; round++) {
		char text[256];
		config_t config;
		size_t used = 0;

		for (unsigned i = random_below(&random, 14); i > 0; i--)
			used += (size_t)snprintf(
				text + used, sizeof text - used, "%s",
				parts[random_below(&random, sizeof parts / sizeof *parts)]);
		text[used] = '\0';
		if (read_text(world, text) != 0) {
			found++;
			continue;
		}
		fine++;
		__lsan_disable(); /* libconfig keeps a string that is open at a syntax error */
		config_init(&config);
		if (config_read_string(&config, world->source.text) != CONFIG_TRUE)
			assert_null(strstr(config_error_text(&config), "include"));
		config_destroy(&config);
		__lsan_enable();
	}
	assert_true(found > 100 && fine > 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_included_stands_in_its_place),
		TEST(an_include_in_a_comment_or_a_string_is_none),
		TEST(an_at_sign_that_includes_nothing_is_a_fault),
		TEST(a_fifo_is_refused_without_waiting),
		TEST(a_nul_byte_is_a_fault_with_its_line),
		TEST(an_escaped_nul_is_a_fault_with_its_line),
		TEST(a_comment_that_does_not_end_is_a_fault_at_its_line),
		TEST(a_string_that_does_not_end_is_a_fault_at_its_line),
		TEST(a_byte_order_mark_is_passed_over),
		TEST(a_fault_of_an_included_text_names_that_file),
		TEST(a_file_that_includes_itself_ends),
		TEST(ten_files_deep_is_read_and_eleven_are_not),
		TEST(files_that_double_end_at_the_most_that_is_included),
		TEST(libconfig_finds_nothing_to_include),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
