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
	struct zone_store *store;
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);

	config_text_init(&world->config);
	world->store = zone_store_new();
	config_text_put(&world->config, "sluice.conf", configuration);
	config_text_put(&world->config, "zone", one);
	change_at = 0;
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	zone_store_free(world->store);
	config_text_release(&world->config);
	free(world);
	return 0;
}

/* Reads all; with the change at that call. */
static struct model *read_while(struct world *world, unsigned at,
				void (*what)(const struct config_text *config))
{
	calls = 0;
	change_at = at;
	change = what;
	changed = &world->config;
	struct model *model = config_text_read(&world->config, world->store);
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
	struct model *before = config_text_read(&world->config, world->store);

	assert_int_equal(records(before), 1);
	assert_refused(world, read_while(world, ZONE_IS_READ, rewrite_zone));
	assert_string_equal(world->config.faults.items[0].origin.path,
			    "private_zones[a.test].file");
	assert_int_equal(records(before), 1);
	struct model *after = config_text_read(&world->config, world->store);
	assert_int_equal(records(after), 2);
	model_free(after);
	model_free(before);
}

static void a_configuration_written_while_it_is_read_is_refused(void **state)
{
	struct world *world = *state;

	assert_refused(world, read_while(world, MAIN_IS_READ, rewrite_main));
	struct model *after = config_text_read(&world->config, world->store);
	assert_string_equal(after->region, "west");
	model_free(after);
}

/* The one that was opened is whole, and the next reload sees the other. */
static void a_file_replaced_while_it_is_read_is_the_old_one(void **state)
{
	struct world *world = *state;
	struct model *model = read_while(world, ZONE_IS_READ, replace_zone);

	assert_non_null(model);
	assert_int_equal(records(model), 1);
	model_free(model);
	model = config_text_read(&world->config, world->store);
	assert_int_equal(records(model), 2);
	model_free(model);
}

static void every_cut_within_a_setting_is_refused(void **state)
{
	struct world *world = *state;
	size_t begin = (size_t)(strchr(configuration, '\n') - configuration) + 2;

	for (size_t length = begin; length < strlen(configuration) - 2; length++) {
		FILE *file = config_text_open(&world->config, "sluice.conf");

		fwrite(configuration, 1, length, file);
		fclose(file);
		if (config_text_read(&world->config, world->store))
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

	model_free(config_text_read(&world->config, world->store));
	for (size_t length = 1; length < sizeof whole - 1; length++) {
		FILE *file = config_text_open(&world->config, "zone");

		fwrite(whole, 1, length, file);
		fclose(file);
		struct model *model = config_text_read(&world->config, world->store);
		if ((model != NULL) != (whole + length == second))
			fail_msg("%zu bytes of it were %s", length, model ? "taken" : "refused");
		assert_int_equal(world->config.faults.errors, !model);
		model_free(model);
	}
}

/* What a write leaves that gets no further than to begin: at a start nobody knows of more. */
static const char *const nothing[] = {"", "\n", "\n  \n; nothing\n", "$TTL 60\n"};

static void a_zone_file_without_its_records_is_refused(void **state)
{
	struct world *world = *state;
	struct model *before = config_text_read(&world->config, world->store);
	char expected[256];

	snprintf(expected, sizeof expected,
		 "%s/zone cannot be read: it has lost all its records; write them again, or a SOA "
		 "record alone, if the zone is meant to be empty, and try again",
		 world->config.directory);
	for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
		config_text_put(&world->config, "zone", nothing[i]);
		for (unsigned again = 0; again < 2; again++) {
			assert_null(config_text_read(&world->config, world->store));
			assert_int_equal(world->config.faults.errors, 1);
			assert_string_equal(world->config.faults.items[0].text, expected);
			assert_string_equal(world->config.faults.items[0].origin.path,
					    "private_zones[a.test].file");
		}
	}
	assert_int_equal(records(before), 1);
	config_text_put(&world->config, "zone", two);
	struct model *after = config_text_read(&world->config, world->store);
	assert_int_equal(records(after), 2);
	model_free(after);
	model_free(before);
}

static void a_zone_file_with_its_soa_alone_is_an_empty_zone(void **state)
{
	struct world *world = *state;

	model_free(config_text_read(&world->config, world->store));
	config_text_put(&world->config, "zone", "@ SOA ns host 1 7200 3600 1209600 300\n");
	struct model *model = config_text_read(&world->config, world->store);
	assert_non_null(model);
	assert_int_equal(zone_records(model->private_zones.items[0].zone), 1);
	model_free(model);
	config_text_put(&world->config, "zone", "");
	assert_null(config_text_read(&world->config, world->store));
}

static void a_zone_file_that_begins_without_records_needs_none(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
		config_text_put(&world->config, "zone", nothing[i]);
		struct model *model = config_text_read(&world->config, world->store);
		assert_non_null(model);
		assert_int_equal(records(model), 0);
		model_free(model);
	}
}

static void assert_settings_lost(struct world *world)
{
	assert_null(config_text_read(&world->config, world->store));
	assert_int_equal(world->config.faults.errors, 1);
	assert_string_equal(world->config.faults.items[0].origin.file, world->config.main_file);
	assert_string_equal(world->config.faults.items[0].text,
			    "cannot be read: it has lost all its settings; write them again and "
			    "try again, or restart, if none are meant");
}

/* Nor is what was read of the zones forgotten over it. */
static void a_configuration_without_its_settings_is_refused(void **state)
{
	static const char *const empty[] = {"", "\n  \n", "// nothing\n# yet\n/* or\nmore */",
					    "@include \"more.conf\"\n"};
	struct world *world = *state;

	config_text_put(&world->config, "more.conf", "# nothing\n");
	for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
		config_text_put(&world->config, "sluice.conf", configuration);
		struct model *before = config_text_read(&world->config, world->store);
		config_text_put(&world->config, "sluice.conf", empty[i]);
		assert_settings_lost(world);
		assert_settings_lost(world);
		assert_int_equal(records(before), 1);
		assert_int_equal(zone_store_count(world->store), 1);
		model_free(before);
	}
}

static void a_configuration_that_begins_without_settings_needs_none(void **state)
{
	struct world *world = *state;

	for (unsigned i = 0; i < 2; i++) {
		config_text_put(&world->config, "sluice.conf", i == 0 ? "" : "# nothing\n");
		struct model *model = config_text_read(&world->config, world->store);
		assert_non_null(model);
		model_free(model);
	}
}

static void settings_may_all_be_included(void **state)
{
	struct world *world = *state;

	model_free(config_text_read(&world->config, world->store));
	config_text_put(&world->config, "more.conf", configuration);
	config_text_put(&world->config, "sluice.conf", "@include \"more.conf\"\n");
	struct model *model = config_text_read(&world->config, world->store);
	assert_non_null(model);
	assert_string_equal(model->region, "east");
	model_free(model);
	config_text_put(&world->config, "more.conf", "");
	assert_settings_lost(world);
}

static bool is_cut(const struct world *world, char error[512])
{
	return zone_store_is_cut(world->store, world->config.main_file, error, 512);
}

/* What is looked at before another process reads the files: no more than this. */
static void a_cut_file_is_known_by_its_size_and_its_last_byte(void **state)
{
	static const struct {
		const char *file, *text, *why; /* NULL: it is not cut */
	} cases[] = {
		{"zone", "www A 192.0.2.1", "its last line has lost its end; give it its newline"},
		{"zone", "", "it has lost all its records; write them again, or a SOA record"},
		{"zone", "what is\nno record\n", NULL},
		{"sluice.conf", "", "it has lost all its settings; write them again"},
		{"sluice.conf", "of = a; newer = version", NULL},
	};
	struct world *world = *state;
	char error[512] = "", expected[256];

	model_free(config_text_read(&world->config, world->store));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		config_text_put(&world->config, cases[i].file, cases[i].text);
		snprintf(expected, sizeof expected, "%s/%s: %s", world->config.directory,
			 cases[i].file, cases[i].why ? cases[i].why : "");
		assert_int_equal(is_cut(world, error), cases[i].why != NULL);
		if (cases[i].why)
			assert_ptr_equal(strstr(error, expected), error);
		config_text_put(&world->config, "sluice.conf", configuration);
		config_text_put(&world->config, "zone", one);
		assert_false(is_cut(world, error));
	}
}

static void what_began_so_or_is_gone_is_not_cut(void **state)
{
	static const char *const cases[][2] = {
		{"zone", ""}, {"zone", "www A 192.0.2.1"}, {"sluice.conf", ""}};
	struct world *world = *state;
	char error[512], path[128];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		zone_store_free(world->store);
		world->store = zone_store_new();
		config_text_put(&world->config, cases[i][0], cases[i][1]);
		struct model *model = config_text_read(&world->config, world->store);
		assert_non_null(model);
		assert_false(is_cut(world, error));
		snprintf(path, sizeof path, "%s/%s", world->config.directory, cases[i][0]);
		assert_int_equal(unlink(path), 0);
		assert_false(is_cut(world, error));
		model_free(model);
	}
}

static void a_zone_file_that_never_had_a_last_end_needs_none(void **state)
{
	struct world *world = *state;

	for (unsigned i = 0; i < 2; i++) {
		config_text_put(&world->config, "zone",
				i == 0 ? "www A 192.0.2.1" : "w A 192.0.2.9");
		struct model *model = config_text_read(&world->config, world->store);
		assert_non_null(model);
		model_free(model);
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
		TEST(settings_may_all_be_included),
		TEST(a_cut_file_is_known_by_its_size_and_its_last_byte),
		TEST(what_began_so_or_is_gone_is_not_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
