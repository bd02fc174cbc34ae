/* The state's file in trouble while it is in use: gone, moved, without its log, damaged, on a disk
 * that is full. What was acknowledged stays, and when the cause is gone changes work again. */
#include "resolver/control/store/state.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/config_text.h"

enum { MANY = 40000, PAGE = 4096 }; /* records: far more than SQLite keeps at hand */

struct world {
	struct config_text config; /* for its directory */
	char path[96], aside[96], log[96];
	char error[SOURCE_ERROR_MAX];
	struct source *source;
	uint64_t last; /* revision of the record that tests change */
};

static void id_of(char id[37], unsigned number)
{
	snprintf(id, 37, "6f8b4ce6-1111-4d2e-9c55-%012u", number);
}

static int apply(struct world *world, unsigned number, const char *fqdn, uint64_t expected)
{
	char id[37];
	const struct source_edit edit = {
		.act = SOURCE_PUT_PTR, .expected = expected, .ptr = {.owner = id, .fqdn = fqdn}};
	uint64_t revision;

	id_of(id, number);
	int err = source_apply(world->source, &edit, 1, &revision, world->error);
	if (!err && number == 0)
		world->last = revision;
	return err;
}

static int change(struct world *world, const char *fqdn)
{
	return apply(world, 0, fqdn, world->last);
}

static int on_owner(void *context, const struct source_owner *owner)
{
	(void)context;
	(void)owner;
	return 0;
}

struct told {
	size_t count;
	char first[64]; /* the name of record 0 */
};

static int on_ptr(void *context, const struct source_ptr *ptr)
{
	struct told *told = context;
	char id[37];

	id_of(id, 0);
	if (strcmp(ptr->owner, id) == 0)
		snprintf(told->first, sizeof told->first, "%s", ptr->fqdn);
	told->count++;
	return 0;
}

static int load(struct world *world, struct told *told)
{
	const struct source_reader reader = {told, on_owner, on_ptr, NULL};

	*told = (struct told){.count = 0};
	return source_load(world->source, &reader, world->error);
}

static bool is_current(const struct world *world)
{
	return world->source->calls->is_current(world->source);
}

/* Record 0 is first.test., and has been read. */
static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	struct told told = {0};

	config_text_init(&world->config);
	snprintf(world->path, sizeof world->path, "%s/state.db", world->config.directory);
	snprintf(world->aside, sizeof world->aside, "%s/aside.db", world->config.directory);
	snprintf(world->log, sizeof world->log, "%s/state.db-wal", world->config.directory);
	world->source = state_open(world->path, world->error);
	*state = world;
	return !world->source || load(world, &told) || change(world, "first.test.");
}

static int tear_down(void **state)
{
	struct world *world = *state;

	source_close(world->source);
	config_text_release(&world->config);
	free(world);
	return 0;
}

/* As after a kill -9: what is on the disk, read by another connection. */
static void check_on_disk(struct world *world, const char *first)
{
	struct source *here = world->source;
	struct told told = {0};

	world->source = state_open(world->path, world->error);
	assert_non_null(world->source);
	assert_int_equal(load(world, &told), 0);
	assert_string_equal(told.first, first);
	source_close(world->source);
	world->source = here;
}

static void check_trouble(struct world *world, const char *says)
{
	struct source_about about;

	assert_int_equal(change(world, "never.test."), ERR_SYSTEM);
	if (!strstr(world->error, says))
		fprintf(stderr, "%s\n", world->error);
	assert_non_null(strstr(world->error, says));
	source_about(world->source, &about);
	assert_string_equal(about.error, world->error);
	assert_false(is_current(world));
}

static void check_well(struct world *world)
{
	struct source_about about;

	assert_int_equal(change(world, "last.test."), 0);
	source_about(world->source, &about);
	assert_null(about.error);
	check_on_disk(world, "last.test.");
}

/* ---- somebody else ---- */

static void exec(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void what_was_read_is_current_until_another_program_writes(void **state)
{
	struct world *world = *state;
	struct told told = {0};

	assert_true(is_current(world)); /* its own change does not count */
	exec(world->path, "SELECT * FROM ptrs");
	assert_true(is_current(world));
	exec(world->path, "UPDATE ptrs SET fqdn = 'its.test.'");
	assert_false(is_current(world));
	assert_int_equal(load(world, &told), 0);
	assert_string_equal(told.first, "its.test.");
	assert_true(is_current(world));
}

static void a_precondition_that_does_not_hold_makes_what_was_read_old(void **state)
{
	struct world *world = *state;

	assert_int_equal(apply(world, 1, "a.test.", 7), ERR_EXISTS);
	assert_false(is_current(world));
}

/* ---- gone ---- */

static void nothing_is_written_to_a_file_that_is_gone_until_it_is_back(void **state)
{
	struct world *world = *state;

	assert_int_equal(rename(world->path, world->aside), 0);
	for (unsigned i = 0; i < 2; i++)
		check_trouble(world, "state.db is gone; put it back");
	assert_int_equal(access(world->path, F_OK), -1);
	assert_int_equal(rename(world->aside, world->path), 0);
	check_well(world);
}

static void a_load_does_not_forget_what_a_deleted_file_had(void **state)
{
	struct world *world = *state;
	struct told told = {0};

	unlink(world->path);
	assert_int_equal(load(world, &told), ERR_SYSTEM);
	assert_non_null(strstr(world->error, "is gone"));
	config_text_put(&world->config, "state.db", "");
	assert_int_equal(load(world, &told), ERR_SYSTEM);
	assert_non_null(strstr(world->error, "is suddenly empty"));
}

/* Copied as a whole while nobody writes: the log's part is put into the file first. */
static void copy(const struct world *world, const char *from, const char *to)
{
	char command[256];

	exec(world->path, "PRAGMA wal_checkpoint(TRUNCATE)");
	snprintf(command, sizeof command, "cp %s %s", from, to);
	assert_int_equal(system(command), 0);
}

static void a_copy_in_its_place_is_used_and_an_older_one_is_loaded_first(void **state)
{
	struct world *world = *state;
	struct told told = {0};

	copy(world, world->path, world->aside);
	assert_int_equal(rename(world->aside, world->path), 0);
	assert_false(is_current(world));
	assert_int_equal(change(world, "second.test."), 0);
	check_on_disk(world, "second.test.");
	copy(world, world->path, world->aside);
	assert_int_equal(change(world, "third.test."), 0);
	exec(world->path, "PRAGMA wal_checkpoint(TRUNCATE)");
	unlink(world->log);
	assert_int_equal(rename(world->aside, world->path), 0);
	assert_int_equal(change(world, "fourth.test."), ERR_EXISTS);
	assert_int_equal(load(world, &told), 0);
	assert_string_equal(told.first, "second.test.");
}

static void what_was_only_in_a_log_that_is_gone_is_not_lost(void **state)
{
	struct world *world = *state;
	char index[96];

	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(change(world, "logged.test."), 0);
		assert_int_equal(unlink(world->log), 0);
		snprintf(index, sizeof index, "%s/state.db-shm", world->config.directory);
		if (i)
			unlink(index);
		assert_false(is_current(world));
		assert_int_equal(change(world, "behind.test."), 0);
		assert_int_equal(access(world->log, F_OK), 0);
		check_on_disk(world, "behind.test.");
	}
	check_well(world);
}

/* ---- damaged ---- */

static void fill(struct world *world)
{
	struct source_edit *edits = calloc(MANY, sizeof *edits);
	char(*ids)[37] = calloc(MANY, sizeof *ids);
	uint64_t revision;

	for (unsigned i = 1; i < MANY; i++) {
		id_of(ids[i], i);
		edits[i] = (struct source_edit){
			.act = SOURCE_PUT_PTR,
			.ptr = {.owner = ids[i], .fqdn = "a-name-of-some-length.example.test."}};
	}
	assert_int_equal(source_apply(world->source, edits + 1, MANY - 1, &revision, world->error),
			 0);
	free(edits);
	free(ids);
	exec(world->path, "PRAGMA wal_checkpoint(TRUNCATE)");
}

/* Overwrites the file from this page on; the bytes that were there come back by `restore`. */
static uint8_t *spoil(const struct world *world, off_t page, size_t *size)
{
	const int fd = open(world->path, O_RDWR);
	struct stat stat_of;
	uint8_t *kept;

	assert_true(fd >= 0 && fstat(fd, &stat_of) == 0);
	*size = (size_t)(stat_of.st_size - page * PAGE);
	kept = malloc(*size);
	assert_int_equal(pread(fd, kept, *size, page * PAGE), *size);
	uint8_t *junk = malloc(*size);
	memset(junk, 0xa5, *size);
	assert_int_equal(pwrite(fd, junk, *size, page * PAGE), *size);
	free(junk);
	close(fd);
	return kept;
}

static void restore(const struct world *world, off_t page, uint8_t *kept, size_t size)
{
	const int fd = open(world->path, O_RDWR);

	assert_int_equal(pwrite(fd, kept, size, page * PAGE), size);
	close(fd);
	free(kept);
}

static void a_file_that_is_damaged_in_use_is_told_and_mended_in_use(void **state)
{
	struct world *world = *state;
	struct told told = {0};
	size_t size;
	int err = 0;

	fill(world);
	uint8_t *kept = spoil(world, 1, &size);
	for (unsigned i = 1; !err && i < MANY; i += 500)
		err = apply(world, i, "new.test.", 2);
	assert_int_equal(err, ERR_SYSTEM);
	assert_non_null(strstr(world->error, "damaged"));
	assert_false(is_current(world));
	assert_int_equal(load(world, &told), ERR_SYSTEM);
	restore(world, 1, kept, size);
	assert_int_equal(load(world, &told), 0);
	assert_int_equal(told.count, MANY);
	assert_true(is_current(world));
	check_well(world);
}

static void a_damaged_header_is_told_at_the_next_start(void **state)
{
	struct world *world = *state;
	struct told told = {0};
	size_t size;

	fill(world);
	source_close(world->source);
	uint8_t *kept = spoil(world, 0, &size);
	world->source = state_open(world->path, world->error);
	assert_null(world->source);
	assert_non_null(strstr(world->error, "not a database"));
	restore(world, 0, kept, size);
	world->source = state_open(world->path, world->error);
	assert_non_null(world->source);
	assert_int_equal(load(world, &told), 0);
	assert_int_equal(told.count, MANY);
	check_well(world);
}

/* ---- full ---- */

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_log_that_is_gone_on_a_full_disk_keeps_what_it_has(void **state)
{
	struct world *world = *state;
	struct told told = {0};

	for (unsigned i = 0; i < 30; i++)
		assert_int_equal(change(world, i % 2 ? "logged.test." : "before.test."), 0);
	assert_int_equal(unlink(world->log), 0);
	limit_files(1);
	check_trouble(world, "");
	limit_files(RLIM_INFINITY);
	assert_int_equal(load(world, &told), 0);
	assert_string_equal(told.first, "logged.test.");
	check_well(world);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_was_read_is_current_until_another_program_writes),
		T(a_precondition_that_does_not_hold_makes_what_was_read_old),
		T(nothing_is_written_to_a_file_that_is_gone_until_it_is_back),
		T(a_load_does_not_forget_what_a_deleted_file_had),
		T(a_copy_in_its_place_is_used_and_an_older_one_is_loaded_first),
		T(what_was_only_in_a_log_that_is_gone_is_not_lost),
		T(a_file_that_is_damaged_in_use_is_told_and_mended_in_use),
		T(a_damaged_header_is_told_at_the_next_start),
		T(a_log_that_is_gone_on_a_full_disk_keeps_what_it_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
