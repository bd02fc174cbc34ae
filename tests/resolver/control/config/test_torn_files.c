/* Files that change while they are read, or of which half or nothing is there. The moment between a
 * file's reading and its end is had by being the fstat(2) of this program: regular_file.c calls it
 * when a file has been opened, for its kind and its stamp, and when it has been read. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "resolver/control/base/regular_file.h"
#include "resolver/control/service/load.h"
#include "rules/zone/zone.h"
#include "tests/lib/config_text.h"

enum { MAIN_IS_READ = 3, ZONE_IS_READ = 6 }; /* the call's number */

static unsigned calls, change_at, change_every; /* every: 0, once */
static void (*change)(const struct config_text *config);
static const struct config_text *changed;

int fstat(int fd, struct stat *stat)
{
	if (++calls == change_at || (change_every && calls % change_every == 0))
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

static void replace(const struct config_text *config, const char *name, const char *text)
{
	char from[128], to[128];

	config_text_put(config, "new", text);
	snprintf(from, sizeof from, "%s/new", config->directory);
	snprintf(to, sizeof to, "%s/%s", config->directory, name);
	assert_int_equal(rename(from, to), 0);
}

static void replace_zone(const struct config_text *config)
{
	replace(config, "zone", two);
}

static void replace_main(const struct config_text *config)
{
	replace(config, "sluice.conf", configuration);
}

/* Its made-up SOA comes on top. */
static size_t records(const struct model *model)
{
	return zone_records(model->private_zones.items[0].zone) - 1;
}

static void a_zone_file_written_while_it_is_read_is_read_again(void **state)
{
	struct world *world = *state;
	struct model *model = reload(world);

	assert_int_equal(records(model), 1);
	model = reload_while(world, ZONE_IS_READ, rewrite_zone);
	assert_non_null(model);
	assert_int_equal(records(model), 2);
}

static void a_configuration_written_while_it_is_read_is_read_again(void **state)
{
	struct world *world = *state;
	struct model *model = reload_while(world, MAIN_IS_READ, rewrite_main);

	assert_non_null(model);
	assert_string_equal(model->region, "west");
}

static void append_to_zone(const struct config_text *config)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof path, "%s/zone", config->directory);
	file = fopen(path, "a");
	fputs("more A 192.0.2.1\n", file);
	fclose(file);
}

static void a_file_that_is_written_to_all_the_while_is_refused(void **state)
{
	struct world *world = *state;

	assert_non_null(reload(world));
	append_to_zone(&world->config);
	change_every = 3;
	assert_null(reload_while(world, ZONE_IS_READ, append_to_zone));
	change_every = 0;
	assert_int_equal(world->config.faults.errors, 1);
	assert_non_null(strstr(world->config.faults.items[0].text,
			       "it kept changing while it was read; reload when it is complete"));
	assert_string_equal(world->config.faults.items[0].origin.path,
			    "private_zones[a.test].file");
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

static bool is_as_read(const struct model_file *file)
{
	return file_stamp_number_of(file->path) == file->stamp;
}

/* So that it is known to have changed since. */
static void the_stamp_of_a_file_is_of_what_was_read(void **state)
{
	struct world *world = *state;
	struct model *model = reload(world);

	assert_int_equal(model->files.count, 1);
	assert_int_equal(model->zone_files.count, 1);
	assert_true(is_as_read(&model->files.items[0]));
	assert_true(is_as_read(&model->zone_files.items[0]));
	model = reload_while(world, MAIN_IS_READ, replace_main);
	assert_false(is_as_read(&model->files.items[0]));
	assert_true(is_as_read(&model->zone_files.items[0]));
	config_text_put(&world->config, "zone", one);
	model = reload_while(world, ZONE_IS_READ, replace_zone);
	assert_true(is_as_read(&model->files.items[0]));
	assert_false(is_as_read(&model->zone_files.items[0]));
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

/* Much of what is left of the last line would be a good record: 192.0.2.10 becomes 192.0.2.1. Like
 * named-checkzone we take such a file, and say so. */
/* Whether a zone file that was cut has been told of. */
static bool is_told(const struct faults *faults)
{
	static const char why[] = "the last line has no newline; see that the file is complete";

	for (size_t i = 0; i < faults->count; i++)
		if (strstr(faults->items[i].text, why))
			return true;
	return faults->errors > 0;
}

static void no_cut_within_a_record_is_taken_without_a_word(void **state)
{
	static const char whole[] = "www A 192.0.2.2\nmail A 192.0.2.10\n";
	const char *second = strchr(whole, '\n') + 1;
	struct world *world = *state;

	assert_non_null(reload(world));
	for (size_t length = 1; length < sizeof whole - 1; length++) {
		FILE *file = config_text_open(&world->config, "zone");
		bool is_cut = whole + length != second;

		fwrite(whole, 1, length, file);
		fclose(file);
		reload(world);
		if (is_told(&world->config.faults) != is_cut)
			fail_msg("%zu bytes of it", length);
	}
}

/* What a write leaves that gets no further than to begin. */
static const char *const no_settings[] = {"", "\n  \n", "// nothing\n# yet\n/* or\nmore */"};
static const char *const nothing[] = {"", "\n", "\n  \n; nothing\n", "$TTL 60\n"};

static void a_zone_file_without_a_record_is_refused(void **state)
{
	struct world *world = *state;
	char expected[256];

	snprintf(expected, sizeof expected,
		 "%s/zone cannot be read: it has no record; write a SOA record alone, if the zone "
		 "is "
		 "meant to be empty",
		 world->config.directory);
	for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
		config_text_put(&world->config, "zone", nothing[i]);
		assert_null(reload(world));
		assert_int_equal(world->config.faults.errors, 1);
		assert_string_equal(world->config.faults.items[0].text, expected);
		assert_string_equal(world->config.faults.items[0].origin.path,
				    "private_zones[a.test].file");
	}
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

static void a_configuration_without_a_setting_is_refused(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < sizeof no_settings / sizeof *no_settings; i++) {
		config_text_put(&world->config, "sluice.conf", no_settings[i]);
		assert_null(reload(world));
		assert_int_equal(world->config.faults.errors, 1);
		assert_non_null(
			strstr(world->config.faults.items[0].text, "there is no setting in it"));
		assert_string_equal(world->config.faults.items[0].origin.file,
				    world->config.main_file);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_zone_file_written_while_it_is_read_is_read_again),
		TEST(a_configuration_written_while_it_is_read_is_read_again),
		TEST(a_file_that_is_written_to_all_the_while_is_refused),
		TEST(a_file_replaced_while_it_is_read_is_the_old_one),
		TEST(the_stamp_of_a_file_is_of_what_was_read),
		TEST(every_cut_within_a_setting_is_refused),
		TEST(no_cut_within_a_record_is_taken_without_a_word),
		TEST(a_zone_file_without_a_record_is_refused),
		TEST(a_zone_file_with_its_soa_alone_is_an_empty_zone),
		TEST(a_configuration_without_a_setting_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
