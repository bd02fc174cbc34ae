/* Zones between reads: which are shared, which are read again, and what is no zone file at all. */
#include "resolver/control/config/zone_files.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/config_text.h"
#include "tests/lib/zone_text.h"

static int set_up(void **state)
{
	struct config_text *config = calloc(1, sizeof *config);

	config_text_init(config);
	config_text_put(config, "zone", "www A 192.0.2.1\n");
	*state = config;
	return 0;
}

static int tear_down(void **state)
{
	config_text_release(*state);
	free(*state);
	return 0;
}

static const char two_zones[] =
	"private_zones = ({ name = \"a.test\"; file = \"zone\"; }, { name = "
	"\"b.test\"; file = \"zone\"; });\n";

/* Until what was written is trusted. */
static void settle(void)
{
	struct timespec wait = {1, 100000000};

	nanosleep(&wait, NULL);
}

static void set_mtime(const struct config_text *config, const char *name, time_t mtime)
{
	struct timespec times[2] = {{mtime, 0}, {mtime, 0}};
	char path[128];

	snprintf(path, sizeof path, "%s/%s", config->directory, name);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void an_unchanged_file_is_shared_and_a_changed_one_read(void **state)
{
	struct config_text *config = *state;
	struct model *first, *second, *third;

	config_text_put(config, "sluice.conf", two_zones);
	settle();
	first = config_text_read(config, NULL);
	second = config_text_read(config, first);
	assert_ptr_equal(first->private_zones.items[0].zone, second->private_zones.items[0].zone);
	assert_ptr_not_equal(first->private_zones.items[0].zone,
			     first->private_zones.items[1].zone);
	config_text_put(config, "zone", "www A 192.0.2.33\n");
	third = config_text_read(config, second);
	assert_ptr_not_equal(second->private_zones.items[0].zone,
			     third->private_zones.items[0].zone);
	model_free(first);
	model_free(second);
	model_free(third);
}

/* Lets go of the model. */
static bool is_read_again(struct config_text *config, struct model *before)
{
	struct model *after = config_text_read(config, before);
	bool again = before->private_zones.items[0].zone != after->private_zones.items[0].zone;

	model_free(before);
	model_free(after);
	return again;
}

static void assert_read_again(struct config_text *config, struct model *before)
{
	assert_true(is_read_again(config, before));
}

/* On a busy machine a second may pass before it is read, and then it is trusted: once more. */
enum { TRIES = 20 };

static void a_file_that_just_changed_is_not_trusted(void **state)
{
	struct config_text *config = *state;
	bool again = false;

	config_text_put(config, "sluice.conf", two_zones);
	for (unsigned i = 0; i < TRIES && !again; i++) {
		config_text_put(config, "zone", "www A 192.0.2.3\n");
		again = is_read_again(config, config_text_read(config, NULL));
	}
	assert_true(again);
}

/* Each finds its own, in whatever order they are, and wherever else the same file or name is. */
static void zones_are_found_by_file_and_name(void **state)
{
	static const char *const lists[] = {
		"{ name = \"a.test\"; file = \"zone\"; }, { name = \"b.test\"; file = \"zone\"; }, "
		"{ name = \"a.a.test\"; file = \"more\"; }, { name = \"c.test\"; file = \"more\"; "
		"}",
		"{ name = \"c.test\"; file = \"more\"; }, { name = \"B.Test\"; file = \"zone\"; }, "
		"{ name = \"a.test\"; file = \"more\"; }, { name = \"a.a.test\"; file = \"more\"; "
		"}"};
	static const int places[] = {3, 1, -1, 2}; /* of the second list's in the first */
	struct config_text *config = *state;
	struct model *models[2] = {NULL, NULL};
	char text[512];

	config_text_put(config, "more", "www A 192.0.2.5\n");
	settle();
	for (unsigned i = 0; i < 2; i++) {
		snprintf(text, sizeof text, "private_zones = ( %s );\n", lists[i]);
		config_text_put(config, "sluice.conf", text);
		models[i] = config_text_read(config, models[0]);
		assert_non_null(models[i]);
	}
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		for (int j = 0; j < 4; j++)
			assert_int_equal(models[1]->private_zones.items[i].zone ==
						 models[0]->private_zones.items[j].zone,
					 j == places[i]);
	model_free(models[0]);
	model_free(models[1]);
}

/* As touch -r, cp -p and rsync -t do it. */
static void a_change_whose_time_was_set_back_is_read(void **state)
{
	struct config_text *config = *state;
	struct model *first;

	config_text_put(config, "sluice.conf", two_zones);
	set_mtime(config, "zone", 1000000);
	settle();
	first = config_text_read(config, NULL);
	config_text_put(config, "zone", "www A 192.0.2.9\n"); /* as long as before */
	set_mtime(config, "zone", 1000000);
	assert_read_again(config, first);
}

/* Two changes in one tick of the clock look the same, whatever time was set. */
static void a_new_file_with_an_old_time_is_not_trusted(void **state)
{
	struct config_text *config = *state;
	bool again = false;

	config_text_put(config, "sluice.conf", two_zones);
	for (unsigned i = 0; i < TRIES && !again; i++) {
		set_mtime(config, "zone", 1000000);
		again = is_read_again(config, config_text_read(config, NULL));
	}
	assert_true(again);
}

static void expect_refused(struct config_text *config, const struct model *before, const char *says)
{
	assert_null(config_text_read(config, before));
	assert_true(config->faults.errors > 0);
	assert_string_equal(config->faults.items[0].origin.file, config->main_file);
	if (!strstr(config->faults.items[0].text, says))
		assert_string_equal(config->faults.items[0].text, says);
}

/* Opening a FIFO waits for a writer; the alarm ends a test that does. */
static void what_is_not_a_regular_file_is_refused_without_waiting(void **state)
{
	struct config_text *config = *state;
	struct model *before;
	char path[128];

	snprintf(path, sizeof path, "%s/zone", config->directory);
	config_text_put(config, "sluice.conf", two_zones);
	before = config_text_read(config, NULL);
	alarm(60);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_refused(config, before, "it is not a regular file");
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	expect_refused(config, before, "Is a directory");
	rmdir(path);
	assert_int_equal(symlink("/dev/zero", path), 0);
	expect_refused(config, before, "it is not a regular file");
	alarm(0);
	model_free(before);
}

/* As named-checkzone reads it: after an included file origin and owner are what they were, and the
 * TTL is what that file left. */
static void a_zone_is_also_of_the_files_that_it_includes(void **state)
{
	static const char whole[] = "$TTL 60\n$INCLUDE \"sub/one\"\nafter A 192.0.2.1\n"
				    "$INCLUDE sub/two y ; its origin\n A 192.0.2.2\n";
	struct config_text *config = *state;
	struct model *first, *second;
	char directory[128];

	snprintf(directory, sizeof directory, "%s/sub", config->directory);
	assert_int_equal(mkdir(directory, 0700), 0);
	config_text_put(config, "sub/one", "one A 192.0.2.3\n$ORIGIN o\nx A 192.0.2.4\n$TTL 99\n");
	config_text_put(config, "sub/two", "  A 192.0.2.5\n@ A 192.0.2.6");
	config_text_put(config, "zone", whole);
	config_text_put(config, "sluice.conf",
			"virtual_networks = ({ name = \"n\"; });\n"
			"private_zones = ({ name = \"a.test\"; file = \"zone\"; "
			"links = ({ name = \"l\"; virtual_network = \"n\"; }); });\n");
	settle();
	first = config_text_read(config, NULL);
	assert_non_null(first);
	assert_int_equal(config->faults.count, 1);
	assert_non_null(strstr(config->faults.items[0].origin.file, "/sub/two"));
	assert_non_null(strstr(config->faults.items[0].text, "the last line has no newline"));
	char *text = zone_text_write(first->private_zones.items[0].zone);
	assert_non_null(strstr(text, "after.a.test. 99 IN A 192.0.2.1\n"
				     "after.a.test. 99 IN A 192.0.2.5\n"
				     "after.a.test. 99 IN A 192.0.2.2\n"));
	assert_non_null(strstr(text, "one.a.test. 60 IN A 192.0.2.3\n"));
	assert_non_null(strstr(text, "x.o.a.test. 60 IN A 192.0.2.4\n"));
	assert_non_null(strstr(text, "y.a.test. 99 IN A 192.0.2.6\n"));
	free(text);
	config_text_put(config, "sub/two", "two A 192.0.2.7\n");
	second = config_text_read(config, first);
	assert_int_equal(config->faults.count, 0);
	text = zone_text_write(second->private_zones.items[0].zone);
	assert_non_null(strstr(text, "two.y.a.test. 99 IN A 192.0.2.7\n"));
	free(text);
	model_free(first);
	model_free(second);
}

static void what_is_not_below_the_zones_folder_is_not_included(void **state)
{
	static const struct {
		const char *what, *why;
	} cases[] = {
		{"/etc/passwd", "/etc/passwd cannot be read: it is to be below the zone's folder"},
		{"../../etc/passwd", "it is not below the zone's folder"},
		{"out", "it is not below the zone's folder"},
		{".", "it is not below the zone's folder"},
		{"sub", "Is a directory"},
		{"missing", "No such file or directory"},
		{"", "$INCLUDE takes a file"},
		{"one two three", "$INCLUDE takes a file"},
		{"good a..b", "\"a..b\" is not a domain name"},
	};
	struct config_text *config = *state;
	char path[128], text[128];

	snprintf(path, sizeof path, "%s/sub", config->directory);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof path, "%s/out", config->directory);
	assert_int_equal(symlink("/etc/hostname", path), 0);
	config_text_put(config, "good", "www A 192.0.2.1\n");
	config_text_put(config, "sluice.conf",
			"private_zones = ({ name = \"a.test\"; file = \"zone\"; });\n");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(text, sizeof text, "$INCLUDE %s\n", cases[i].what);
		config_text_put(config, "zone", text);
		assert_null(config_text_read(config, NULL));
		if (!strstr(config->faults.items[0].text, cases[i].why))
			fail_msg("%s: %s", cases[i].what, config->faults.items[0].text);
	}
}

/* The one fault of a zone of these lines. */
static const char *only_fault(struct config_text *config, const char *zone)
{
	config_text_put(config, "zone", zone);
	config_text_put(config, "sluice.conf",
			"private_zones = ({ name = \"a.test\"; file = \"zone\"; });\n");
	assert_null(config_text_read(config, NULL));
	assert_int_equal(config->faults.count, 1);
	return config->faults.items[0].text;
}

/* So many times that line, then a broken record; to be freed. */
static char *repeat(const char *line, unsigned times)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	while (times-- > 0)
		fputs(line, out);
	fputs("www A nonsense\n", out);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* Each of its lines would be all of them again, so nothing after the first one is read. */
static void a_file_that_includes_itself_ends_the_reading(void **state)
{
	struct config_text *config = *state;
	char path[128], chain[512], *text = repeat("$INCLUDE zone\n", 5000);

	alarm(20);
	snprintf(chain, sizeof chain, "a file cannot include itself: %s/zone > %s/zone",
		 config->directory, config->directory);
	assert_string_equal(only_fault(config, text), chain);
	free(text);
	/* By another file, and by another name. */
	snprintf(path, sizeof path, "%s/alias", config->directory);
	assert_int_equal(symlink("zone", path), 0);
	config_text_put(config, "more", "mail A 192.0.2.1\n$INCLUDE alias\nmail A nonsense\n");
	snprintf(chain, sizeof chain, "a file cannot include itself: %s/zone > %s/more > %s/zone",
		 config->directory, config->directory, config->directory);
	assert_string_equal(only_fault(config, "$INCLUDE more\nwww A nonsense\n"), chain);
	assert_int_equal(config->faults.items[0].origin.line, 2);
	assert_non_null(strstr(config->faults.items[0].origin.file, "/more"));
	config_text_put(config, "more", "mail A 192.0.2.1\n$INCLUDE more\n");
	snprintf(chain, sizeof chain, "a file cannot include itself: %s/more > %s/more",
		 config->directory, config->directory);
	assert_string_equal(only_fault(config, "$INCLUDE more\nwww A nonsense\n"), chain);
	alarm(0);
}

/* A file of a comment, and then a hole. */
static void put_long(struct config_text *config, const char *name, off_t bytes)
{
	char path[128];

	config_text_put(config, name, ";");
	snprintf(path, sizeof path, "%s/%s", config->directory, name);
	assert_int_equal(truncate(path, bytes), 0);
}

static void what_is_included_too_often_too_deep_or_too_long_ends_the_reading(void **state)
{
	enum { MB = 1024 * 1024 };
	struct config_text *config = *state;
	char name[16], more[32], *text = repeat("$INCLUDE good\n", 1001);

	config_text_put(config, "good", "good A 192.0.2.1\n");
	assert_non_null(strstr(only_fault(config, text), "a zone 1000 of them"));
	free(text);
	assert_int_equal(config->faults.items[0].origin.line, 1001);
	for (unsigned i = 0; i < 12; i++) {
		snprintf(name, sizeof name, "%u", i);
		snprintf(more, sizeof more, "$INCLUDE %u\n$INCLUDE %u\n", i + 1, i + 1);
		config_text_put(config, name, more);
	}
	assert_non_null(strstr(only_fault(config, "$INCLUDE 0\nwww A nonsense\n"), "10 deep"));
	put_long(config, "long", 65 * MB);
	assert_non_null(
		strstr(only_fault(config, "$INCLUDE long\nwww A nonsense\n"), "64 MB together"));
	put_long(config, "long", 33 * MB);
	config_text_put(config, "zone", "$INCLUDE long\n$INCLUDE long\nwww A nonsense\n");
	assert_null(config_text_read(config, NULL));
	assert_int_equal(config->faults.errors, 1);
	assert_non_null(strstr(config->faults.items[1].text, "64 MB together"));
}

static void a_fault_of_two_records_names_the_other_file(void **state)
{
	struct config_text *config = *state;
	char fault[512];

	config_text_put(config, "more", "\nwww A 192.0.2.1\n");
	snprintf(fault, sizeof fault,
		 "www.a.test. has a CNAME beside A data (line 2 of %s/more); a CNAME stands alone",
		 config->directory);
	assert_string_equal(only_fault(config, "$INCLUDE more\nwww CNAME web\n"), fault);
	config_text_put(config, "empty", "");
	assert_string_equal(only_fault(config, "www A 192.0.2.1\n$INCLUDE empty\nwww CNAME web\n"),
			    "www.a.test. has a CNAME beside A data (line 1); a CNAME stands alone");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_unchanged_file_is_shared_and_a_changed_one_read),
		TEST(a_change_whose_time_was_set_back_is_read),
		TEST(a_file_that_just_changed_is_not_trusted),
		TEST(a_new_file_with_an_old_time_is_not_trusted),
		TEST(zones_are_found_by_file_and_name),
		TEST(what_is_not_a_regular_file_is_refused_without_waiting),
		TEST(a_zone_is_also_of_the_files_that_it_includes),
		TEST(what_is_not_below_the_zones_folder_is_not_included),
		TEST(a_file_that_includes_itself_ends_the_reading),
		TEST(a_fault_of_two_records_names_the_other_file),
		TEST(what_is_included_too_often_too_deep_or_too_long_ends_the_reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
