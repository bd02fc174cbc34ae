/* Zones between reads: which are shared, which are read again, which are let go, and what is no
 * zone file at all. */
#include "resolver/control/zone_store.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/config_text.h"

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
	struct zone_store *store = zone_store_new();
	struct model *first, *second, *third;

	config_text_put(config, "sluice.conf", two_zones);
	settle();
	first = config_text_read(config, store);
	second = config_text_read(config, store);
	assert_ptr_equal(first->private_zones.items[0].zone, second->private_zones.items[0].zone);
	assert_ptr_not_equal(first->private_zones.items[0].zone,
			     first->private_zones.items[1].zone);
	config_text_put(config, "zone", "www A 192.0.2.33\n");
	third = config_text_read(config, store);
	assert_ptr_not_equal(second->private_zones.items[0].zone,
			     third->private_zones.items[0].zone);
	assert_int_equal(zone_store_count(store), 2);
	zone_store_free(store);
	model_free(first);
	model_free(second);
	model_free(third);
}

static void a_file_that_just_changed_is_not_trusted(void **state)
{
	struct config_text *config = *state;
	struct zone_store *store = zone_store_new();
	struct model *first, *second;

	config_text_put(config, "sluice.conf", two_zones);
	config_text_put(config, "zone", "www A 192.0.2.3\n");
	first = config_text_read(config, store);
	second = config_text_read(config, store);
	assert_ptr_not_equal(first->private_zones.items[0].zone,
			     second->private_zones.items[0].zone);
	zone_store_free(store);
	model_free(first);
	model_free(second);
}

static void what_the_last_good_read_did_not_use_is_dropped(void **state)
{
	struct config_text *config = *state;
	struct zone_store *store = zone_store_new();

	config_text_put(config, "sluice.conf", two_zones);
	model_free(config_text_read(config, store));
	assert_int_equal(zone_store_count(store), 2);
	config_text_put(
		config, "sluice.conf",
		"workers = 1000; private_zones = ({ name = \"c.test\"; file = \"zone\"; });");
	assert_null(config_text_read(config, store));
	assert_int_equal(zone_store_count(store), 2);
	config_text_put(config, "sluice.conf", "region = \"east\";\n");
	model_free(config_text_read(config, store));
	assert_int_equal(zone_store_count(store), 0);
	zone_store_free(store);
}

/* As touch -r, cp -p and rsync -t do it. */
static void a_change_whose_time_was_set_back_is_read(void **state)
{
	struct config_text *config = *state;
	struct zone_store *store = zone_store_new();
	struct model *first, *second;

	config_text_put(config, "sluice.conf", two_zones);
	set_mtime(config, "zone", 1000000);
	settle();
	first = config_text_read(config, store);
	config_text_put(config, "zone", "www A 192.0.2.9\n"); /* as long as before */
	set_mtime(config, "zone", 1000000);
	second = config_text_read(config, store);
	assert_ptr_not_equal(first->private_zones.items[0].zone,
			     second->private_zones.items[0].zone);
	zone_store_free(store);
	model_free(first);
	model_free(second);
}

/* Two changes in one tick of the clock look the same, whatever time was set. */
static void a_new_file_with_an_old_time_is_not_trusted(void **state)
{
	struct config_text *config = *state;
	struct zone_store *store = zone_store_new();
	struct model *first, *second;

	config_text_put(config, "sluice.conf", two_zones);
	set_mtime(config, "zone", 1000000);
	first = config_text_read(config, store);
	second = config_text_read(config, store);
	assert_ptr_not_equal(first->private_zones.items[0].zone,
			     second->private_zones.items[0].zone);
	zone_store_free(store);
	model_free(first);
	model_free(second);
}

static void expect_refused(struct config_text *config, struct zone_store *store, const char *says)
{
	assert_null(config_text_read(config, store));
	assert_true(config->faults.errors > 0);
	assert_string_equal(config->faults.items[0].origin.file, config->main_file);
	if (!strstr(config->faults.items[0].text, says))
		assert_string_equal(config->faults.items[0].text, says);
}

/* Opening a FIFO waits for a writer; the alarm ends a test that does. */
static void what_is_not_a_regular_file_is_refused_without_waiting(void **state)
{
	struct config_text *config = *state;
	struct zone_store *store = zone_store_new();
	char path[128];

	snprintf(path, sizeof path, "%s/zone", config->directory);
	config_text_put(config, "sluice.conf", two_zones);
	model_free(config_text_read(config, store));
	alarm(60);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_refused(config, store, "it is not a regular file");
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	expect_refused(config, store, "Is a directory");
	rmdir(path);
	assert_int_equal(symlink("/dev/zero", path), 0);
	expect_refused(config, store, "it is not a regular file");
	alarm(0);
	zone_store_free(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_unchanged_file_is_shared_and_a_changed_one_read),
		TEST(a_change_whose_time_was_set_back_is_read),
		TEST(a_file_that_just_changed_is_not_trusted),
		TEST(a_new_file_with_an_old_time_is_not_trusted),
		TEST(what_the_last_good_read_did_not_use_is_dropped),
		TEST(what_is_not_a_regular_file_is_refused_without_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
