/* Files that change while they are read, or of which half or nothing is there: a reload refuses
 * them and says so, and what was served stays. The moment between a file's reading and its end is
 * had by being the fstat(2) of this program: regular_file.c calls it when a file has been opened,
 * for its stamp, and when it has been read. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "resolver/control/config_source.h"
#include "resolver/control/load.h"
#include "rules/zone.h"
#include "tests/config_text.h"

enum { MAIN_IS_READ = 3, ZONE_IS_READ = 6 }; /* the call's number */

static unsigned calls, change_at;
static void (*change)(const struct config_text *config);
static const struct config_text *changed;

int fstat(int fd, struct stat *stat)
{
	if (++calls == change_at)
		change(changed);
	return fstatat(fd, "", stat, AT_EMPTY_PATH);
}

static const char configuration[] = "region = \"east\";\n"
				    "private_zones = ({ name = \"a.test\"; file = \"zone\"; });\n";
static const char one[] = "www A 192.0.2.1\n", two[] = "www A 192.0.2.2\nmail A 192.0.2.3\n";

struct world {
	struct config_text config;
	struct model *served; /* NULL: nothing yet */
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);

	config_text_init(&world->config);
	config_text_put(&world->config, "sluice.conf", configuration);
	config_text_put(&world->config, "zone", one);
	change_at = 0;
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	model_free(world->served);
	config_text_release(&world->config);
	free(world);
	return 0;
}

/* The model that is served then; NULL: the one before, as the new one is refused. */
static struct model *reload(struct world *world)
{
	struct model *model = config_text_read(&world->config, world->served);

	if (!model)
		return NULL;
	model_free(world->served);
	world->served = model;
	return model;
}

/* As at a start. */
static struct model *start(struct world *world)
{
	model_free(world->served);
	world->served = NULL;
	return reload(world);
}

/* Reloads with the change at that call. */
static struct model *reload_while(struct world *world, unsigned at,
				  void (*what)(const struct config_text *config))
{
	calls = 0;
	change_at = at;
	change = what;
	changed = &world->config;
	struct model *model = reload(world);
	assert_true(calls >= at);
	change_at = 0;
	return model;
}

static void rewrite_zone(const struct config_text *config)
{
	config_text_put(config, "zone", two);
}

static void rewrite_main(const struct config_text *config)
{
	config_text_put(config, "sluice.conf", "region = \"west\";\n");
}

static void replace_zone(const struct config_text *config)
{
	char from[128], to[128];

	config_text_put(config, "new", two);
	snprintf(from, sizeof from, "%s/new", config->directory);
	snprintf(to, sizeof to, "%s/zone", config->directory);
	assert_int_equal(rename(from, to), 0);
}

/* Its made-up SOA comes on top. */
static size_t records(const struct model *model)
{
	return zone_records(model->private_zones.items[0].zone) - 1;
}

static void assert_refused(struct world *world, const struct model *model)
{
	assert_null(model);
	assert_int_equal(world->config.faults.errors, 1);
	assert_non_null(strstr(world->config.faults.items[0].text,
			       "it was changed while it was read; reload when it is written"));
}

static void a_zone_file_written_while_it_is_read_is_refused(void **state)
{
	struct world *world = *state;
	struct model *before = reload(world);

	assert_int_equal(records(before), 1);
	assert_refused(world, reload_while(world, ZONE_IS_READ, rewrite_zone));
	assert_string_equal(world->config.faults.items[0].origin.path,
			    "private_zones[a.test].file");
	assert_int_equal(records(before), 1);
	struct model *after = reload(world);
	assert_int_equal(records(after), 2);
}

static void a_configuration_written_while_it_is_read_is_refused(void **state)
{
	struct world *world = *state;

	assert_refused(world, reload_while(world, MAIN_IS_READ, rewrite_main));
	struct model *after = reload(world);
	assert_string_equal(after->region, "west");
}

/* The one that was opened is whole, and the next reload sees the other. */
static void a_file_replaced_while_it_is_read_is_the_old_one(void **state)
{
	struct world *world = *state;
	struct model *model = reload_while(world, ZONE_IS_READ, replace_zone);

	assert_non_null(model);
	assert_int_equal(records(model), 1);
	model = reload(world);
	assert_int_equal(records(model), 2);
}

static void every_cut_within_a_setting_is_refused(void **state)
{
	struct world *world = *state;
	size_t begin = (size_t)(strchr(configuration, '\n') - configuration) + 2;

	for (size_t length = begin; length < strlen(configuration) - 2; length++) {
		FILE *file = config_text_open(&world->config, "sluice.conf");

		fwrite(configuration, 1, length, file);
		fclose(file);
		if (reload(world))
			fail_msg("%zu bytes of it were taken for the whole", length);
		assert_true(world->config.faults.errors > 0);
	}
}

/* Much of what is left of the last line would be a good record: 192.0.2.10 becomes 192.0.2.1. */
static void every_cut_within_a_record_is_refused(void **state)
{
	static const char whole[] = "www A 192.0.2.2\nmail A 192.0.2.10\n";
	const char *second = strchr(whole, '\n') + 1;
	struct world *world = *state;

	assert_non_null(reload(world));
	for (size_t length = 1; length < sizeof whole - 1; length++) {
		FILE *file = config_text_open(&world->config, "zone");

		fwrite(whole, 1, length, file);
		fclose(file);
		struct model *model = reload(world);
		if ((model != NULL) != (whole + length == second))
			fail_msg("%zu bytes of it were %s", length, model ? "taken" : "refused");
		assert_int_equal(world->config.faults.errors, !model);
	}
}

/* What a write leaves that gets no further than to begin: at a start nobody knows of more. */
static const char *const no_settings[] = {"", "\n  \n", "// nothing\n# yet\n/* or\nmore */"};
static const char *const nothing[] = {"", "\n", "\n  \n; nothing\n", "$TTL 60\n"};

static void a_zone_file_without_its_records_is_refused(void **state)
{
	struct world *world = *state;
	struct model *before = reload(world);
	char expected[256];

	snprintf(expected, sizeof expected,
		 "%s/zone cannot be read: it has lost all its records; write them again, or a SOA "
		 "record alone, if the zone is meant to be empty, and try again",
		 world->config.directory);
	for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
		config_text_put(&world->config, "zone", nothing[i]);
		for (unsigned again = 0; again < 2; again++) {
			assert_null(reload(world));
			assert_int_equal(world->config.faults.errors, 1);
			assert_string_equal(world->config.faults.items[0].text, expected);
			assert_string_equal(world->config.faults.items[0].origin.path,
					    "private_zones[a.test].file");
		}
	}
	assert_int_equal(records(before), 1);
	config_text_put(&world->config, "zone", two);
	struct model *after = reload(world);
	assert_int_equal(records(after), 2);
}

static void a_zone_file_with_its_soa_alone_is_an_empty_zone(void **state)
{
	struct world *world = *state;

	assert_non_null(reload(world));
	config_text_put(&world->config, "zone", "@ SOA ns host 1 7200 3600 1209600 300\n");
	struct model *model = reload(world);
	assert_non_null(model);
	assert_int_equal(zone_records(model->private_zones.items[0].zone), 1);
	config_text_put(&world->config, "zone", "");
	assert_null(reload(world));
}

static void a_zone_file_that_begins_without_records_needs_none(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
		config_text_put(&world->config, "zone", nothing[i]);
		struct model *model = reload(world);
		assert_non_null(model);
		assert_int_equal(records(model), 0);
	}
}

static void assert_settings_lost(struct world *world, const char *name)
{
	char path[128];

	snprintf(path, sizeof path, "%s/%s", world->config.directory, name);
	assert_null(reload(world));
	assert_int_equal(world->config.faults.errors, 1);
	assert_string_equal(world->config.faults.items[0].origin.file, path);
	assert_string_equal(world->config.faults.items[0].text,
			    "cannot be read: it has lost all its settings; write them again and "
			    "try again, or restart, if none are meant");
}

static void a_configuration_without_its_settings_is_refused(void **state)
{
	struct world *world = *state;

	assert_non_null(reload(world));
	for (size_t i = 0; i < sizeof no_settings / sizeof *no_settings; i++) {
		config_text_put(&world->config, "sluice.conf", no_settings[i]);
		assert_settings_lost(world, "sluice.conf");
		assert_settings_lost(world, "sluice.conf");
		assert_int_equal(records(world->served), 1);
	}
}

static void a_configuration_that_begins_without_settings_needs_none(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < sizeof no_settings / sizeof *no_settings; i++) {
		config_text_put(&world->config, "sluice.conf", no_settings[i]);
		assert_non_null(reload(world));
	}
}

/* What it says is in an included file, whole or in part. */
static void an_included_file_without_its_settings_is_refused(void **state)
{
	static const char *const mains[] = {"@include \"more.conf\"\n",
					    "workers = 1;\n@include \"more.conf\"\n"};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof mains / sizeof *mains; i++) {
		config_text_put(&world->config, "more.conf", configuration);
		config_text_put(&world->config, "sluice.conf", mains[i]);
		struct model *model = start(world);
		assert_non_null(model);
		assert_string_equal(model->region, "east");
		for (size_t j = 0; j < sizeof no_settings / sizeof *no_settings; j++) {
			config_text_put(&world->config, "more.conf", no_settings[j]);
			assert_settings_lost(world, "more.conf");
		}
	}
	config_text_put(&world->config, "sluice.conf", "workers = 1;\n"); /* it is not included */
	assert_non_null(reload(world));
}

/* What is in quotes says something, and so does what no configuration has. */
static void what_says_nothing_is_space_and_comments(void **state)
{
	static const struct {
		const char *text;
		bool says;
	} cases[] = {
		{"", false},          {" \t\r\n\f\v", false},
		{"# a = 1;", false},  {"// a = 1;", false},
		{"/* a = 1;", false}, {"/* */ // #\n#", false},
		{"\"\"", true},       {"# \n;", true},
		{"/", true},          {"@include \"x\"", true},
		{"/**/ a", true},     {"=", true},
	};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		config_text_put(&world->config, "sluice.conf", cases[i].text);
		if (config_source_says(world->config.main_file) != cases[i].says)
			fail_msg("\"%s\"", cases[i].text);
	}
}

/* A server that refuses what it has read has not served it: what was before is the same. */
static void what_was_refused_is_not_what_was_before(void **state)
{
	static const char refused[] = "workers = 1000;\n";
	struct world *world = *state;

	assert_non_null(reload(world));
	config_text_put(&world->config, "sluice.conf", refused);
	assert_null(reload(world));
	config_text_put(&world->config, "sluice.conf", configuration);
	config_text_put(&world->config, "zone", "");
	assert_null(reload(world));
	config_text_put(&world->config, "sluice.conf", "");
	assert_non_null(start(world));
	config_text_put(&world->config, "sluice.conf", refused);
	assert_null(reload(world));
	config_text_put(&world->config, "sluice.conf", "");
	assert_non_null(reload(world));
}

static bool find_cut(const struct world *world, char error[512])
{
	return load_find_cut(world->served, error, 512);
}

/* What is looked at before another process reads the files: no more than this. */
static void a_cut_file_is_known_without_its_settings(void **state)
{
	static const struct {
		const char *file, *text, *why; /* NULL: it is not cut */
	} cases[] = {
		{"zone", "www A 192.0.2.1", "its last line has lost its end; give it its newline"},
		{"zone", "", "it has lost all its records; write them again, or a SOA record"},
		{"zone", "what is\nno record\n", NULL},
		{"sluice.conf", "", "it has lost all its settings; write them again"},
		{"sluice.conf", "# a comment\n", "it has lost all its settings; write them again"},
		{"sluice.conf", "of = a; newer = version", NULL},
		{"more.conf", "", "it has lost all its settings; write them again"},
		{"empty.conf", "", NULL},
	};
	static const char main_text[] = "@include \"more.conf\"\n@include \"empty.conf\"\n";
	struct world *world = *state;
	char error[512] = "", expected[256];

	config_text_put(&world->config, "sluice.conf", main_text);
	config_text_put(&world->config, "more.conf", configuration);
	config_text_put(&world->config, "empty.conf", "");
	assert_non_null(reload(world));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		config_text_put(&world->config, cases[i].file, cases[i].text);
		snprintf(expected, sizeof expected, "%s/%s: %s", world->config.directory,
			 cases[i].file, cases[i].why ? cases[i].why : "");
		assert_int_equal(find_cut(world, error), cases[i].why != NULL);
		if (cases[i].why)
			assert_ptr_equal(strstr(error, expected), error);
		config_text_put(&world->config, "sluice.conf", main_text);
		config_text_put(&world->config, "more.conf", configuration);
		config_text_put(&world->config, "zone", one);
		assert_false(find_cut(world, error));
	}
}

static void what_began_so_or_is_gone_is_not_cut(void **state)
{
	static const char *const cases[][2] = {
		{"zone", ""}, {"zone", "www A 192.0.2.1"}, {"sluice.conf", ""}};
	struct world *world = *state;
	char error[512], path[128];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		config_text_put(&world->config, cases[i][0], cases[i][1]);
		assert_non_null(start(world));
		assert_false(find_cut(world, error));
		snprintf(path, sizeof path, "%s/%s", world->config.directory, cases[i][0]);
		assert_int_equal(unlink(path), 0);
		assert_false(find_cut(world, error));
	}
}

static void a_zone_file_that_never_had_a_last_end_needs_none(void **state)
{
	struct world *world = *state;

	for (unsigned i = 0; i < 2; i++) {
		config_text_put(&world->config, "zone",
				i == 0 ? "www A 192.0.2.1" : "w A 192.0.2.9");
		assert_non_null(reload(world));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_zone_file_written_while_it_is_read_is_refused),
		TEST(a_configuration_written_while_it_is_read_is_refused),
		TEST(a_file_replaced_while_it_is_read_is_the_old_one),
		TEST(every_cut_within_a_setting_is_refused),
		TEST(every_cut_within_a_record_is_refused),
		TEST(a_zone_file_that_never_had_a_last_end_needs_none),
		TEST(a_zone_file_without_its_records_is_refused),
		TEST(a_zone_file_with_its_soa_alone_is_an_empty_zone),
		TEST(a_zone_file_that_begins_without_records_needs_none),
		TEST(a_configuration_without_its_settings_is_refused),
		TEST(a_configuration_that_begins_without_settings_needs_none),
		TEST(an_included_file_without_its_settings_is_refused),
		TEST(what_says_nothing_is_space_and_comments),
		TEST(what_was_refused_is_not_what_was_before),
		TEST(a_cut_file_is_known_without_its_settings),
		TEST(what_began_so_or_is_gone_is_not_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
