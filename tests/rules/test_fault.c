#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/fault.h"

static int setup(void **state)
{
	static struct faults faults;

	faults_init(&faults);
	*state = &faults;
	return 0;
}

static int teardown(void **state)
{
	faults_release(*state);
	return 0;
}

static void assert_prints(const struct faults *faults, const char *expected)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	faults_print(faults, out);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void a_fault_prints_file_line_path_and_text(void **state)
{
	const struct origin origin = {
		.file = "sluice.conf", .line = 12, .path = "virtual_networks[hub]"};

	fault_add(*state, FAULT_ERROR, &origin, "name", "%s is taken; use another", "hub");
	assert_prints(*state, "sluice.conf:12: virtual_networks[hub].name: hub is taken; "
			      "use another\n");
}

static void what_an_origin_does_not_know_is_left_out(void **state)
{
	const struct origin nothing = {0};
	const struct origin file = {.file = "a.zone"};
	const struct origin line = {.file = "a.zone", .line = 3};
	const struct origin path = {.line = 7, .path = "limits"};
	const struct origin empty_path = {.path = ""};

	fault_add(*state, FAULT_ERROR, &nothing, NULL, "one");
	fault_add(*state, FAULT_ERROR, &file, NULL, "two");
	fault_add(*state, FAULT_ERROR, &line, NULL, "three");
	fault_add(*state, FAULT_ERROR, &path, NULL, "four");
	fault_add(*state, FAULT_ERROR, &nothing, "workers", "five");
	fault_add(*state, FAULT_ERROR, &empty_path, "region", "six");
	assert_prints(*state, "one\na.zone: two\na.zone:3: three\nlimits: four\nworkers: five\n"
			      "region: six\n");
}

static void a_warning_says_so_and_is_counted_apart(void **state)
{
	const struct origin origin = {.file = "c", .line = 1, .path = "p"};
	struct faults *faults = *state;

	fault_add(faults, FAULT_WARNING, &origin, NULL, "shadowed");
	fault_add(faults, FAULT_WARNING, &origin, NULL, "loops");
	fault_add(faults, FAULT_ERROR, &origin, NULL, "missing");
	assert_int_equal(faults->warnings, 2);
	assert_int_equal(faults->errors, 1);
	assert_int_equal(faults->count, 3);
	assert_prints(faults, "c:1: p: warning: shadowed\nc:1: p: warning: loops\n"
			      "c:1: p: missing\n");
}

static void strings_are_copied(void **state)
{
	char file[] = "file", path[] = "path", field[] = "field", text[] = "text";
	const struct origin origin = {.file = file, .line = 1, .path = path};

	fault_add(*state, FAULT_ERROR, &origin, NULL, "%s", text);
	fault_add(*state, FAULT_ERROR, &origin, field, "%s", text);
	memset(file, 'x', 4);
	memset(path, 'x', 4);
	memset(field, 'x', 5);
	memset(text, 'x', 4);
	assert_prints(*state, "file:1: path: text\nfile:1: path.field: text\n");
}

static void sorting_goes_by_file_and_line_and_keeps_the_order_of_equals(void **state)
{
	static const struct {
		struct origin origin;
		const char *text;
	} found[] = {
		{{.file = "b", .line = 2}, "1"},
		{{.file = "a", .line = 10}, "2"},
		{{.file = "b", .line = 2}, "3"},
		{{.file = NULL}, "4"},
		{{.file = "a", .line = 9}, "5"},
		{{.file = "b", .line = 2}, "6"},
		{{.file = "b"}, "7"},
		{{.file = "a", .line = 10}, "8"},
	};
	size_t i;

	for (i = 0; i < sizeof found / sizeof *found; i++)
		fault_add(*state, FAULT_ERROR, &found[i].origin, NULL, "%s", found[i].text);
	faults_sort(*state);
	assert_prints(*state, "4\na:9: 5\na:10: 2\na:10: 8\nb: 7\nb:2: 1\nb:2: 3\nb:2: 6\n");
	/* What is added after sorted ones is found later. */
	fault_add(*state, FAULT_ERROR, &found[0].origin, NULL, "9");
	faults_sort(*state);
	assert_prints(*state,
		      "4\na:9: 5\na:10: 2\na:10: 8\nb: 7\nb:2: 1\nb:2: 3\nb:2: 6\nb:2: 9\n");
}

static void many_equal_lines_keep_their_order(void **state)
{
	const struct origin origin = {.file = "f", .line = 1};
	struct faults *faults = *state;
	unsigned i;
	char text[16];

	for (i = 0; i < 1000; i++)
		fault_add(faults, FAULT_ERROR, &origin, NULL, "%u", i);
	faults_sort(faults);
	for (i = 0; i < 1000; i++) {
		snprintf(text, sizeof text, "%u", i);
		assert_string_equal(faults->items[i].text, text);
	}
}

static void none_prints_nothing_and_sorts(void **state)
{
	faults_sort(*state);
	assert_prints(*state, "");
}

static void control_characters_do_not_reach_the_terminal(void **state)
{
	const struct origin origin = {.file = "f\n", .line = 1, .path = "p\x1b[2J"};

	fault_add(*state, FAULT_ERROR, &origin, NULL, "%s", "a\tb\r\nc\x7f \xc3\xa9\u202e");
	assert_prints(*state, "f\\x0a:1: p\\x1b[2J: a\\x09b\\x0d\\x0ac\\x7f \xc3\xa9\\u{202e}\n");
}

static void past_the_maximum_faults_are_counted_and_errors_still_kept(void **state)
{
	const struct origin origin = {.file = "f", .line = 1};
	struct faults *faults = *state;
	char *text;
	size_t size;
	FILE *out;
	unsigned i;

	for (i = 0; i < FAULTS_MAX; i++)
		fault_add(faults, FAULT_WARNING, &origin, NULL, "w");
	assert_int_equal(faults->count, FAULTS_MAX);
	fault_add(faults, FAULT_WARNING, &origin, NULL, "one over");
	fault_add(faults, FAULT_WARNING, &origin, NULL, "two over");
	assert_int_equal(faults->count, FAULTS_MAX);
	assert_int_equal(faults->warnings, FAULTS_MAX + 2);
	fault_add(faults, FAULT_ERROR, &origin, NULL, "the reason");
	assert_int_equal(faults->count, FAULTS_MAX + 1);
	assert_int_equal(faults->errors, 1);

	out = open_memstream(&text, &size);
	assert_non_null(out);
	faults_print(faults, out);
	fclose(out);
	assert_non_null(strstr(text, "f:1: the reason\n2 more, not shown\n"));
	assert_null(strstr(text, "over"));
	free(text);
}

static void what_could_not_be_read_is_not_missing_too(void **state)
{
	struct origin origin = {.file = "f", .line = 1, .path = "rules[a]"};
	struct faults *faults = *state;

	fault_add(faults, FAULT_ERROR, &origin, "targets", "is an array");
	fault_add(faults, FAULT_ERROR, &origin, "targets", FAULT_MISSING "; give a list");
	assert_int_equal(faults->errors, 1);
	fault_add(faults, FAULT_ERROR, &origin, "domain", FAULT_MISSING "; give a domain");
	assert_int_equal(faults->errors, 2);
	origin.line = 2;
	fault_add(faults, FAULT_ERROR, &origin, "targets", FAULT_MISSING "; give a list");
	assert_int_equal(faults->errors, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define FAULT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		FAULT_TEST(a_fault_prints_file_line_path_and_text),
		FAULT_TEST(what_an_origin_does_not_know_is_left_out),
		FAULT_TEST(a_warning_says_so_and_is_counted_apart),
		FAULT_TEST(strings_are_copied),
		FAULT_TEST(sorting_goes_by_file_and_line_and_keeps_the_order_of_equals),
		FAULT_TEST(many_equal_lines_keep_their_order),
		FAULT_TEST(none_prints_nothing_and_sorts),
		FAULT_TEST(control_characters_do_not_reach_the_terminal),
		FAULT_TEST(what_could_not_be_read_is_not_missing_too),
		FAULT_TEST(past_the_maximum_faults_are_counted_and_errors_still_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
