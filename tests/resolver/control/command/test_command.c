/* The command line's frame and the small parts that print and watch: dispatch and its refusals,
 * tables, reports, a watched file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "resolver/control/base/report.h"
#include "resolver/control/base/table.h"
#include "resolver/control/command/command.h"
#include "resolver/control/config/file_watch.h"
#include "resolver/control/config/resolv_conf.h"
#include "rules/text.h"
#include "tests/lib/config_text.h"

/* ---- dispatch ---- */

static struct command_line seen;
static char seen_argument[64];

static int remember(const struct command_line *line)
{
	seen = *line;
	snprintf(seen_argument, sizeof seen_argument, "%s",
		 line->argument_count ? line->arguments[0] : "");
	return 7;
}

static int print_numbers(const struct command_line *line)
{
	(void)line;
	json_t *numbers = json_pack("[f, f]", 100.0 / 1000, 1234567.891);
	int status = command_print_json(numbers);
	json_decref(numbers);
	return status;
}

static const struct command table[] = {
	{"numbers", print_numbers, 0, 0, 0, "", "numbers", ""},
	{"one", remember, OPTION_CONFIG | OPTION_JSON | OPTION_VNET, 1, 2, "NAME [TYPE]", "one",
	 ""},
	{"none", remember, 0, 0, 0, "", "none", ""},
	{"file", remember, OPTION_CONFIG, 0, 0, "", "file", ""},
	{"many", remember, OPTION_NS, 0, 0, "", "many", ""},
	{"pair set", remember, OPTION_TTL, 1, 1, "NAME", "sets", ""},
	{"pair unset", remember, 0, 0, 0, "", "unsets", ""},
	{"help", command_help, 0, 0, 2, "[COMMAND]", "help", ""},
	{.name = NULL},
};

/* Runs a command line, its words separated by blanks, with both outputs caught in `said`. */
static char said[8192];
static int run(const char *words)
{
	static char copy[1024]; /* what was seen points into it */
	char *argv[64] = {"sluice"}, *rest = copy;
	int argc = 1, outputs[2] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};
	FILE *caught = tmpfile();
	memset(&seen, 0, sizeof seen);
	snprintf(copy, sizeof copy, "%s", words);
	for (char *word; (word = strsep(&rest, " ")) && argc < 63;)
		if (*word)
			argv[argc++] = word;
	fflush(stdout);
	dup2(fileno(caught), STDOUT_FILENO);
	dup2(fileno(caught), STDERR_FILENO);
	int status = command_main(table, argc, argv);
	fflush(stdout);
	dup2(outputs[0], STDOUT_FILENO);
	dup2(outputs[1], STDERR_FILENO);
	close(outputs[0]);
	close(outputs[1]);
	ssize_t length = pread(fileno(caught), said, sizeof said - 1, 0);
	said[length > 0 ? length : 0] = '\0';
	fclose(caught);
	return status;
}

static void options_may_stand_anywhere_and_reach_the_command(void **state)
{
	(void)state;
	assert_int_equal(run("--json one -c file.conf name --vnet hub MX"), 7);
	assert_true(seen.json);
	assert_string_equal(seen.vnet, "hub");
	assert_int_equal(seen.argument_count, 2);
	assert_string_equal(seen_argument, "name");
	assert_null(seen.from);
	assert_string_equal(said, "");
}

static void a_command_may_have_two_words(void **state)
{
	(void)state;
	assert_int_equal(run("pair set name --ttl 5"), 7);
	assert_string_equal(seen.command->name, "pair set");
	assert_int_equal(seen.argument_count, 1);
	assert_string_equal(seen_argument, "name");
	assert_string_equal(seen.ttl, "5");
	assert_int_equal(run("pair --ttl 5 set name"), 7);
	assert_string_equal(seen.command->name, "pair set");
	assert_int_equal(run("pair unset"), 7);
	assert_string_equal(seen.command->name, "pair unset");
	assert_int_equal(seen.argument_count, 0);
	assert_int_equal(run("help pair set"), 0);
	assert_non_null(strstr(said, "usage: sluice pair set [--ttl SECONDS] NAME"));
	assert_int_equal(run("help pair"), 0);
	assert_non_null(strstr(said, "pair unset"));
	assert_null(strstr(said, "none"));
}

static void a_kind_of_resource_has_help_of_its_own(void **state)
{
	static const char *const ways[] = {"help rule", "help rule create", "help create rule",
					   "rule --help"};

	(void)state;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		assert_int_equal(run(ways[i]), 0);
		assert_non_null(strstr(said, "sluice rule create [GROUP/]RULESET NAME "
					     "[KEY=VALUE...]\n"));
		assert_non_null(strstr(said, "  target_group "));
	}
	assert_int_equal(run("rule"), 2);
	assert_non_null(strstr(said, "usage: sluice rule list [[GROUP/]RULESET]\n"));
}

static void words_are_given_one_by_one_up_to_fifty(void **state)
{
	char text[COMMAND_WORDS_MAX * 8 + 32] = "many";
	(void)state;
	assert_int_equal(run("many --ns=a --ns b"), 7);
	assert_int_equal(seen.servers.count, 2);
	assert_string_equal(seen.servers.items[0], "a");
	assert_string_equal(seen.servers.items[1], "b");
	for (int i = 0; i < COMMAND_WORDS_MAX; i++)
		text_append(text, sizeof text, " --ns=%d", i + 1);
	assert_int_equal(run(text), 7);
	assert_int_equal(seen.servers.count, 50);
	assert_string_equal(seen.servers.items[49], "50");
	text_append(text, sizeof text, " --ns=51");
	assert_int_equal(run(text), 2);
	assert_non_null(strstr(said, "--ns is given more than 50 times"));
	assert_null(seen.command);
	assert_int_equal(run("many --help"), 0);
	assert_non_null(strstr(said, "usage: sluice many [--ns NAME]...\n"));
}

static void what_is_not_given_has_its_default(void **state)
{
	(void)state;
	assert_int_equal(run("one name"), 7);
	assert_string_equal(seen.config, "/etc/sluice/sluice.conf");
	assert_string_equal(seen.resolv_conf, "/etc/resolv.conf");
	assert_false(seen.json);
	assert_null(seen.socket);
}

static void misuse_is_status_2_and_says_what_would_be_right(void **state)
{
	(void)state;
	static const struct {
		const char *words, *said;
	} wrong[] = {
		{"", "usage: sluice COMMAND"},
		{"two", "there is no command \"two\""},
		{"help two", "there is no command \"two\""},
		{"one", "an argument is missing"},
		{"one a b c", "\"c\" is one argument too many"},
		{"file a.conf", "\"a.conf\" is one argument too many; for another "
				"configuration, write -c a.conf\n"},
		{"file a -c b", "\"a\" is one argument too many\n"},
		{"none a", "\"a\" is one argument too many\n"},
		{"none --json", "--json has no meaning here"},
		{"one --suffix a", "--suffix has no meaning here"},
		{"one a --frobnicate",
		 "sluice one: there is no option --frobnicate\nusage: sluice one"},
		{"pair", "half of a command"},
		{"pair", "pair unset"},
		{"pair frob", "there is no command \"pair frob\""},
		{"pair se name", "there is no command \"pair se\""},
		{"pai set", "there is no command \"pai\""},
		{"pair set", "an argument is missing"},
		{"pair unset --ttl 5", "--ttl has no meaning here"},
		{"help pair frob", "there is no command \"pair frob\""},
		{"help one two", "there is no command \"one two\""},
		{"one a --vnet", "--vnet needs a value"},
		{"one a --json=b", "--json takes no value"},
		{"one a -c", "-c needs a value"},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_int_equal(run(wrong[i].words), 2);
		assert_null(seen.command);
		if (!strstr(said, wrong[i].said))
			fail_msg("\"%s\" said: %s", wrong[i].words, said);
	}
}

static void numbers_are_printed_as_people_write_them(void **state)
{
	(void)state;
	assert_int_equal(run("numbers"), EXIT_SUCCESS);
	assert_string_equal(said, "[\n  0.1,\n  1234567.891\n]\n");
}

static void help_comes_from_the_table(void **state)
{
	(void)state;
	static const char *const ways[] = {"help", "--help", "-h"};
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(run(ways[i]), 0);
		for (const struct command *at = table; at->name; at++)
			assert_non_null(strstr(said, at->summary));
	}
	assert_int_equal(run("help one"), 0);
	assert_non_null(strstr(said, "usage: sluice one [--config FILE] [--json] "
				     "[--vnet NETWORK] NAME [TYPE]\n"));
	assert_int_equal(run("one --help"), 0);
	assert_non_null(strstr(said, "usage: sluice one"));
	assert_int_equal(run("--version"), 0);
	assert_memory_equal(said, "sluice ", 7);
}

/* ---- tables ---- */

static void a_table_is_aligned_and_numbers_stand_to_the_right(void **state)
{
	(void)state;
	static const struct table_column columns[] = {
		{"NAME", "name"}, {"N", "n"}, {"MS", "ms"}, {"ON", "on"}, {"LIST", "list"}};
	json_t *rows = json_pack("[{s:s, s:i, s:f, s:b, s:[s, s]}, {s:s, s:i, s:n, s:b, s:[]}]",
				 "name", "a", "n", 7, "ms", 1.25, "on", 1, "list", "x", "y", "name",
				 "longer", "n", 1234, "ms", "on", 0, "list");
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	table_print(out, "Things", rows, columns, 5);
	fclose(out);
	assert_string_equal(text, "\nThings\n"
				  "  NAME       N   MS  ON   LIST\n"
				  "  a          7  1.2  yes  x, y\n"
				  "  longer  1234    -  no   -\n");
	free(text);
	json_decref(rows);
}

static void a_note_stands_below_its_row_and_is_escaped(void **state)
{
	(void)state;
	static const struct table_column columns[] = {{"NAME", "name"}};
	json_t *rows =
		json_pack("[{s:s, s:s}, {s:s}]", "name", "a", TABLE_NOTE, "x\x1b", "name", "b");
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	table_print(out, NULL, rows, columns, 1);
	fclose(out);
	assert_string_equal(text, "  NAME\n  a\n      x\\x1b\n  b\n");
	free(text);
	json_decref(rows);
}

static void one_object_is_a_line_for_each_column(void **state)
{
	(void)state;
	static const struct table_column columns[] = {
		{"Name", "name"}, {"Time To Live", "ttl"}, {"Absent", "absent"}};
	char text[256] = "";
	FILE *out = fmemopen(text, sizeof text, "w");
	json_t *object = json_pack("{s:s, s:i}", "name", "a", "ttl", 5);
	table_print_one(out, object, columns, 3);
	fclose(out);
	json_decref(object);
	assert_string_equal(text, "Name          a\n"
				  "Time To Live  5\n"
				  "Absent        -\n");
}

static void an_empty_table_prints_nothing(void **state)
{
	(void)state;
	static const struct table_column columns[] = {{"NAME", "name"}};
	json_t *rows = json_array();
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	table_print(out, "Things", rows, columns, 1);
	table_print(out, "Things", NULL, columns, 1);
	fclose(out);
	assert_string_equal(text, "");
	free(text);
	json_decref(rows);
}

static void a_list_that_is_too_long_is_cut(void **state)
{
	(void)state;
	char text[TABLE_CELL_MAX];
	json_t *list = json_array();
	for (int i = 0; i < 100; i++)
		json_array_append_new(list, json_string("10.0.0.0/8"));
	assert_int_equal(strlen(table_cell(list, text)), TABLE_CELL_MAX - 1);
	assert_string_equal(text + TABLE_CELL_MAX - 4, "...");
	json_decref(list);
}

static void an_object_is_its_members_by_name(void **state)
{
	(void)state;
	char text[TABLE_CELL_MAX];
	json_t *object = json_pack("{s:s, s:s}", "env", "prod", "none", "");
	assert_string_equal(table_cell(object, text), "env=prod, none=");
	json_object_clear(object);
	assert_string_equal(table_cell(object, text), "-");
	json_decref(object);
}

/* ---- reports ---- */

static void faults_survive_the_way_through_json(void **state)
{
	(void)state;
	struct faults faults, back;
	const struct origin whole = {.file = "f.conf", .line = 7, .path = "a.b"},
			    file = {.file = "f.conf"}, none = {0};
	char *before = NULL, *after = NULL;
	size_t length;
	faults_init(&faults);
	faults_init(&back);
	fault_add(&faults, FAULT_ERROR, &whole, "c", "is \"wrong\" %%s %%n");
	fault_add(&faults, FAULT_WARNING, &file, NULL, "is odd");
	fault_add(&faults, FAULT_ERROR, &none, NULL, "is nowhere");
	json_t *json = report_faults(&faults);
	report_read_faults(json, &back);
	FILE *out = open_memstream(&before, &length);
	faults_print(&faults, out);
	fclose(out);
	out = open_memstream(&after, &length);
	faults_print(&back, out);
	fclose(out);
	assert_string_equal(before, after);
	assert_int_equal(back.errors, 2);
	assert_int_equal(back.warnings, 1);
	free(before);
	free(after);
	json_decref(json);
	faults_release(&faults);
	faults_release(&back);
}

static void a_fault_that_is_not_utf8_is_still_told(void **state)
{
	(void)state;
	struct faults faults;
	const struct origin none = {0};
	faults_init(&faults);
	fault_add(&faults, FAULT_ERROR, &none, NULL, "\"caf\xe9\" is wrong");
	json_t *json = report_faults(&faults);
	assert_string_equal(json_string_value(json_object_get(json_array_get(json, 0), "text")),
			    "\"caf?\" is wrong");
	json_decref(json);
	faults_release(&faults);
}

static void one_is_singular(void **state)
{
	(void)state;
	struct faults faults;
	const struct origin none = {0};
	char text[REPORT_TEXT_MAX];
	faults_init(&faults);
	fault_add(&faults, FAULT_ERROR, &none, NULL, "x");
	assert_string_equal(report_faults_text(&faults, text), "1 error");
	fault_add(&faults, FAULT_WARNING, &none, NULL, "y");
	assert_string_equal(report_faults_text(&faults, text), "1 error, 1 warning");
	faults_release(&faults);
	struct model *model = model_new();
	assert_string_equal(report_numbers_text(model, text),
			    "0 networks, 0 zones (0 records), 0 rulesets (0 rules)");
	model_free(model);
}

/* ---- a watched file ---- */

struct watching {
	uv_loop_t loop;
	uv_timer_t patience;
	struct file_watch watch;
	unsigned changes;
};

static void on_change(void *context)
{
	struct watching *watching = context;
	watching->changes++;
	uv_stop(&watching->loop);
}

static void on_patience(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

static void wait_ms(struct watching *watching, uint64_t ms)
{
	uv_update_time(&watching->loop);
	uv_timer_start(&watching->patience, on_patience, ms, 0);
	uv_run(&watching->loop, UV_RUN_DEFAULT);
}

static void begin_watching(struct watching *watching, const char *path)
{
	uv_loop_init(&watching->loop);
	uv_timer_init(&watching->loop, &watching->patience);
	file_watch_note(&watching->watch, path);
}

static void end_watching(struct watching *watching)
{
	file_watch_close(&watching->watch);
	uv_close((uv_handle_t *)&watching->patience, NULL);
	uv_run(&watching->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&watching->loop), 0);
}

static void a_file_s_changes_are_noticed_however_they_are_made(void **state)
{
	(void)state;
	struct watching watching = {0};
	struct config_text files;
	char path[128], other[128];
	config_text_init(&files);
	snprintf(path, sizeof path, "%s/watched", files.directory);
	snprintf(other, sizeof other, "%s/other", files.directory);
	begin_watching(&watching, path);
	file_watch_start(&watching.watch, &watching.loop, on_change, &watching);

	config_text_put(&files, "watched", "one\n"); /* made */
	wait_ms(&watching, FILE_WATCH_EVERY_MS - 500);
	assert_int_equal(watching.changes, 1);
	config_text_put(&files, "watched", "one and two\n"); /* written */
	wait_ms(&watching, FILE_WATCH_EVERY_MS - 500);
	assert_int_equal(watching.changes, 2);
	config_text_put(&files, "other", "something else\n"); /* not about it */
	wait_ms(&watching, 3 * FILE_WATCH_QUIET_MS);
	assert_int_equal(watching.changes, 2);
	assert_int_equal(rename(other, path), 0); /* replaced */
	wait_ms(&watching, FILE_WATCH_EVERY_MS - 500);
	assert_int_equal(watching.changes, 3);
	assert_int_equal(unlink(path), 0); /* gone */
	wait_ms(&watching, FILE_WATCH_EVERY_MS - 500);
	assert_int_equal(watching.changes, 4);

	end_watching(&watching);
	config_text_release(&files);
}

static void a_change_behind_a_symbolic_link_is_noticed_too(void **state)
{
	(void)state;
	struct watching watching = {0};
	struct config_text files, elsewhere;
	char path[128], target[128];
	config_text_init(&files);
	config_text_init(&elsewhere);
	snprintf(path, sizeof path, "%s/watched", files.directory);
	snprintf(target, sizeof target, "%s/target", elsewhere.directory);
	config_text_put(&elsewhere, "target", "one\n");
	assert_int_equal(symlink(target, path), 0);
	begin_watching(&watching, path);
	file_watch_start(&watching.watch, &watching.loop, on_change, &watching);
	config_text_put(&elsewhere, "target", "one and two\n");
	wait_ms(&watching, FILE_WATCH_EVERY_MS + 1500);
	assert_int_equal(watching.changes, 1);
	end_watching(&watching);
	config_text_release(&files);
	config_text_release(&elsewhere);
}

static void a_change_between_reading_and_watching_is_noticed(void **state)
{
	(void)state;
	struct watching watching = {0};
	struct config_text files;
	char path[128];
	config_text_init(&files);
	snprintf(path, sizeof path, "%s/watched", files.directory);
	config_text_put(&files, "watched", "one\n");
	begin_watching(&watching, path);
	config_text_put(&files, "watched", "one and two\n");
	file_watch_start(&watching.watch, &watching.loop, on_change, &watching);
	wait_ms(&watching, FILE_WATCH_EVERY_MS + 1500);
	assert_int_equal(watching.changes, 1);
	end_watching(&watching);
	config_text_release(&files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_may_stand_anywhere_and_reach_the_command),
		cmocka_unit_test(a_command_may_have_two_words),
		cmocka_unit_test(a_kind_of_resource_has_help_of_its_own),
		cmocka_unit_test(words_are_given_one_by_one_up_to_fifty),
		cmocka_unit_test(what_is_not_given_has_its_default),
		cmocka_unit_test(misuse_is_status_2_and_says_what_would_be_right),
		cmocka_unit_test(help_comes_from_the_table),
		cmocka_unit_test(numbers_are_printed_as_people_write_them),
		cmocka_unit_test(a_table_is_aligned_and_numbers_stand_to_the_right),
		cmocka_unit_test(a_note_stands_below_its_row_and_is_escaped),
		cmocka_unit_test(one_object_is_a_line_for_each_column),
		cmocka_unit_test(an_empty_table_prints_nothing),
		cmocka_unit_test(a_list_that_is_too_long_is_cut),
		cmocka_unit_test(an_object_is_its_members_by_name),
		cmocka_unit_test(faults_survive_the_way_through_json),
		cmocka_unit_test(a_fault_that_is_not_utf8_is_still_told),
		cmocka_unit_test(one_is_singular),
		cmocka_unit_test(a_file_s_changes_are_noticed_however_they_are_made),
		cmocka_unit_test(a_change_behind_a_symbolic_link_is_noticed_too),
		cmocka_unit_test(a_change_between_reading_and_watching_is_noticed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
