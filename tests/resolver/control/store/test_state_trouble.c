/* The state's file in trouble while it is in use: gone, moved, without its log, damaged, on a disk
 * that is full. What was acknowledged stays and can be read, and when the cause is gone changes
 * work again. */
#include "resolver/control/store/state.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/failing_sync.h"
#include "tests/lib/state_case.h"

enum { MANY = 40000, PAGE = 4096 }; /* records: far more than SQLite keeps at hand */

static void id_of(char id[37], unsigned number)
{
	snprintf(id, 37, "6f8b4ce6-1111-4d2e-9c55-%012u", number);
}

static int change_of(struct state_case *world, unsigned number, const char *fqdn)
{
	char id[37];

	id_of(id, number);
	return state_try_ptr(world, id, fqdn);
}

static int change(struct state_case *world, const char *fqdn)
{
	return change_of(world, 0, fqdn);
}

static int sync_state(struct state_case *world)
{
	return world->source->calls->sync(world->source, world->error);
}

static bool is_current(const struct state_case *world)
{
	return world->source->calls->is_current(world->source);
}

struct counted {
	size_t count;
	char first[64]; /* the name of record 0 */
};

static int on_ptr(void *context, const struct source_resource *resource)
{
	struct counted *told = context;
	char id[37];

	id_of(id, 0);
	if (strcmp(resource->path, id) == 0)
		snprintf(told->first, sizeof told->first, "%s", resource->keys->ptr);
	told->count++;
	return 0;
}

static int read_all(struct state_case *world, struct counted *told)
{
	*told = (struct counted){.count = 0};
	return world->source->calls->resources(world->source, KIND_PTR, "", "\xff", on_ptr, told,
					       world->error);
}

static int load(struct state_case *world, struct counted *told)
{
	int err = sync_state(world);

	*told = (struct counted){.count = 0};
	return err ? err : read_all(world, told);
}

/* What is open can be read. */
static void check_readable(struct state_case *world, const char *first)
{
	struct counted told;

	assert_int_equal(read_all(world, &told), 0);
	assert_string_equal(told.first, first);
}

/* Record 0 is first.test., and has been read. */
static int set_up(void **state)
{
	struct state_case *world = state_case_new();

	*state = world;
	state_case_open(world);
	return !world->source || sync_state(world) || change(world, "first.test.");
}

static int tear_down(void **state)
{
	state_case_free(*state);
	return 0;
}

static void aside_of(const struct state_case *world, char path[96])
{
	snprintf(path, 96, "%s/aside.db", world->config.directory);
}

/* As after a kill -9: what is on the disk, read by another connection. */
static void check_on_disk(struct state_case *world, const char *first)
{
	struct source *here = world->source;
	struct counted told;

	world->source = state_open(world->path, world->error);
	assert_non_null(world->source);
	assert_int_equal(load(world, &told), 0);
	assert_string_equal(told.first, first);
	source_close(world->source);
	world->source = here;
}

static void check_trouble(struct state_case *world, const char *says)
{
	assert_int_equal(change(world, "never.test."), ERR_SYSTEM);
	state_case_check_error(world, says);
	assert_string_equal(state_trouble(world), world->error);
	assert_false(is_current(world));
}

static void check_well(struct state_case *world)
{
	assert_int_equal(change(world, "last.test."), 0);
	assert_null(state_trouble(world));
	check_readable(world, "last.test.");
	check_on_disk(world, "last.test.");
}

/* ---- somebody else ---- */

static void what_was_read_is_current_until_another_program_writes(void **state)
{
	struct state_case *world = *state;
	struct counted told;

	assert_true(is_current(world)); /* its own change does not count */
	state_exec(world->path, "SELECT * FROM resources");
	assert_true(is_current(world));
	state_exec(world->path, "UPDATE resources SET ptr = 'its.test.'");
	assert_false(is_current(world));
	assert_int_equal(load(world, &told), 0);
	assert_string_equal(told.first, "its.test.");
	assert_true(is_current(world));
}

static void a_change_that_another_program_was_ahead_of_makes_what_was_read_old(void **state)
{
	struct state_case *world = *state;

	state_exec(world->path, "UPDATE meta SET value = value + 1 WHERE key = 'revision'");
	assert_int_equal(change(world, "a.test."), ERR_EXISTS);
	assert_false(is_current(world));
	check_readable(world, "first.test.");
	assert_int_equal(change(world, "a.test."), ERR_EXISTS);
	assert_int_equal(sync_state(world), 0);
	assert_true(is_current(world));
	check_well(world);
}

/* ---- gone ---- */

static void nothing_is_written_to_a_file_that_is_gone_until_it_is_back(void **state)
{
	struct state_case *world = *state;
	char aside[96];

	aside_of(world, aside);
	assert_int_equal(rename(world->path, aside), 0);
	for (unsigned i = 0; i < 2; i++) {
		check_trouble(world, "state.db is gone; put it back");
		check_readable(world, "first.test.");
	}
	assert_int_equal(access(world->path, F_OK), -1);
	assert_int_equal(rename(aside, world->path), 0);
	check_well(world);
}

/* A large change takes seconds. */
static void a_change_is_not_acknowledged_where_the_file_goes_meanwhile(void **state)
{
	struct state_case *world = *state;
	const struct source_calls *calls = world->source->calls;
	struct counted told;
	uint64_t revision;
	char id[37], aside[96];

	aside_of(world, aside);
	id_of(id, 1);
	assert_int_equal(calls->begin(world->source, "test", &revision, world->error), 0);
	assert_int_equal(calls->put(world->source, KIND_PTR, id, "{}",
				    &(struct source_keys){.ptr = "never.test."}, world->error),
			 0);
	assert_int_equal(rename(world->path, aside), 0);
	assert_int_equal(calls->commit(world->source, world->error), COMMIT_NO);
	state_case_check_error(world, "is gone; put it back");
	assert_int_equal(rename(aside, world->path), 0);
	assert_int_equal(read_all(world, &told), 0);
	assert_int_equal(told.count, 1);
	check_well(world);
}

static void what_a_deleted_file_had_is_read_and_not_forgotten(void **state)
{
	struct state_case *world = *state;
	struct counted told;

	unlink(world->path);
	assert_int_equal(load(world, &told), ERR_SYSTEM);
	state_case_check_error(world, "is gone");
	check_readable(world, "first.test.");
	config_text_put(&world->config, "state.db", "");
	assert_int_equal(load(world, &told), ERR_SYSTEM);
	state_case_check_error(world, "is suddenly empty");
	check_readable(world, "first.test.");
	check_trouble(world, "is suddenly empty");
}

/* An export of what is served is what puts it back. */
static void a_second_connection_reads_what_a_deleted_file_had_and_makes_none(void **state)
{
	struct state_case *world = *state, other;
	uint64_t revision;

	unlink(world->path);
	other = *world;
	other.source = world->source->calls->another(world->source, other.error);
	assert_non_null(other.source);
	check_readable(&other, "first.test.");
	assert_int_equal(other.source->calls->begin(other.source, "test", &revision, other.error),
			 ERR_SYSTEM);
	state_case_check_error(&other, "is gone; put it back");
	assert_int_equal(access(world->path, F_OK), -1);
	world->source->calls->join(world->source, other.source);
	check_trouble(world, "is gone; put it back");
	check_readable(world, "first.test.");
	assert_int_equal(access(world->path, F_OK), -1);
}

/* Copied as a whole while nobody writes: the log's part is put into the file first. */
static void copy(const struct state_case *world, const char *from, const char *to)
{
	char command[256];

	state_exec(world->path, "PRAGMA wal_checkpoint(TRUNCATE)");
	snprintf(command, sizeof command, "cp %s %s", from, to);
	assert_int_equal(system(command), 0);
}

static void a_copy_in_its_place_is_used_and_an_older_one_is_read_first(void **state)
{
	struct state_case *world = *state;
	struct counted told;
	char aside[96];

	aside_of(world, aside);
	copy(world, world->path, aside);
	assert_int_equal(rename(aside, world->path), 0);
	assert_false(is_current(world));
	check_readable(world, "first.test.");
	assert_int_equal(change(world, "second.test."), 0);
	check_on_disk(world, "second.test.");
	copy(world, world->path, aside);
	assert_int_equal(change(world, "third.test."), 0);
	state_exec(world->path, "PRAGMA wal_checkpoint(TRUNCATE)");
	unlink(world->log);
	assert_int_equal(rename(aside, world->path), 0);
	assert_int_equal(change(world, "fourth.test."), ERR_EXISTS);
	assert_int_equal(load(world, &told), 0);
	assert_string_equal(told.first, "second.test.");
}

static void what_was_only_in_a_log_that_is_gone_is_not_lost(void **state)
{
	struct state_case *world = *state;
	char index[96];

	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(change(world, "logged.test."), 0);
		assert_int_equal(unlink(world->log), 0);
		snprintf(index, sizeof index, "%s/state.db-shm", world->config.directory);
		if (i)
			unlink(index);
		assert_false(is_current(world));
		check_readable(world, "logged.test.");
		assert_int_equal(change(world, "behind.test."), 0);
		assert_int_equal(access(world->log, F_OK), 0);
		check_on_disk(world, "behind.test.");
	}
	check_well(world);
}

/* It is opened beside the first one, which has what is in no file any more. */
static void a_second_connection_has_what_was_only_in_a_log_that_is_gone(void **state)
{
	struct state_case *world = *state, other;

	assert_int_equal(change(world, "logged.test."), 0);
	assert_int_equal(unlink(world->log), 0);
	other = *world;
	other.source = world->source->calls->another(world->source, other.error);
	assert_non_null(other.source);
	check_readable(&other, "logged.test.");
	assert_int_equal(change(&other, "behind.test."), 0);
	world->source->calls->join(world->source, other.source);
	check_readable(world, "behind.test.");
	check_well(world);
}

/* Opening one would wait for ever. */
static void a_fifo_in_its_place_is_told_and_not_opened(void **state)
{
	struct state_case *world = *state;

	unlink(world->path);
	assert_int_equal(mkfifo(world->path, S_IRUSR | S_IWUSR), 0);
	assert_null(state_look(world->path, SOURCE_READ, world->error));
	state_case_check_error(world, "it is not a regular file");
	assert_null(state_open(world->path, world->error));
	state_case_check_error(world, "it is not a regular file");
	check_trouble(world, "is not a regular file any more");
	check_readable(world, "first.test.");
}

/* ---- damaged ---- */

static void fill(struct state_case *world)
{
	struct state_put *puts = calloc(MANY, sizeof *puts);
	char(*ids)[37] = calloc(MANY, sizeof *ids);

	for (unsigned i = 1; i < MANY; i++) {
		id_of(ids[i], i);
		puts[i] = (struct state_put){
			KIND_PTR, ids[i], "{}", {.ptr = "a-name-of-some-length.example.test."}};
	}
	assert_int_equal(state_try(world, puts + 1, MANY - 1, NULL), 0);
	free(puts);
	free(ids);
	state_exec(world->path, "PRAGMA wal_checkpoint(TRUNCATE)");
}

/* Overwrites the file from this page on; the bytes that were there come back by `restore`. */
static uint8_t *spoil(const struct state_case *world, off_t page, size_t *size)
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

static void restore(const struct state_case *world, off_t page, uint8_t *kept, size_t size)
{
	const int fd = open(world->path, O_RDWR);

	assert_int_equal(pwrite(fd, kept, size, page * PAGE), size);
	close(fd);
	free(kept);
}

static void a_file_that_is_damaged_in_use_is_told_and_mended_in_use(void **state)
{
	struct state_case *world = *state;
	struct counted told;
	size_t size;
	int err = 0;

	fill(world);
	uint8_t *kept = spoil(world, 1, &size);
	for (unsigned i = 1; !err && i < MANY; i += 500)
		err = change_of(world, i, "new.test.");
	assert_int_equal(err, ERR_SYSTEM);
	state_case_check_error(world, "damaged");
	assert_false(is_current(world));
	assert_int_equal(read_all(world, &told), ERR_SYSTEM);
	state_case_check_error(world, "damaged");
	assert_int_equal(load(world, &told), ERR_SYSTEM);
	restore(world, 1, kept, size);
	assert_int_equal(load(world, &told), 0);
	assert_int_equal(told.count, MANY);
	assert_true(is_current(world));
	check_well(world);
}

/* Reading finds it first: what was told by then is not taken for all, and the next change tries
 * another connection. */
static void a_file_whose_damage_a_reader_finds_is_told_by_it(void **state)
{
	struct state_case *world = *state;
	struct counted told;
	size_t size;

	fill(world);
	state_case_open(world); /* nothing is at hand */
	assert_int_equal(sync_state(world), 0);
	uint8_t *kept = spoil(world, 2, &size);
	assert_int_equal(read_all(world, &told), ERR_SYSTEM);
	state_case_check_error(world, "damaged");
	assert_string_equal(state_trouble(world), world->error);
	assert_false(is_current(world));
	restore(world, 2, kept, size);
	assert_int_equal(load(world, &told), 0);
	assert_int_equal(told.count, MANY);
	check_well(world);
}

static void a_damaged_header_is_told_at_the_next_start(void **state)
{
	struct state_case *world = *state;
	struct counted told;
	size_t size;

	fill(world);
	source_close(world->source);
	uint8_t *kept = spoil(world, 0, &size);
	world->source = state_open(world->path, world->error);
	assert_null(world->source);
	state_case_check_error(world, "not a database");
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
	struct state_case *world = *state;
	struct counted told;

	for (unsigned i = 0; i < 30; i++)
		assert_int_equal(change(world, i % 2 ? "logged.test." : "before.test."), 0);
	assert_int_equal(unlink(world->log), 0);
	limit_files(1);
	check_trouble(world, "");
	check_readable(world, "logged.test.");
	limit_files(RLIM_INFINITY);
	assert_int_equal(load(world, &told), 0);
	assert_string_equal(told.first, "logged.test.");
	check_well(world);
}

/* Found out at the commit, when all was put. */
static void a_change_that_the_disk_has_no_room_for_at_its_end_is_undone(void **state)
{
	struct state_case *world = *state;
	const struct source_calls *calls = world->source->calls;
	struct counted told;
	uint64_t revision;
	struct stat stat_of;
	char id[37];

	id_of(id, 1);
	assert_int_equal(calls->begin(world->source, "test", &revision, world->error), 0);
	assert_int_equal(calls->put(world->source, KIND_PTR, id, "{}",
				    &(struct source_keys){.ptr = "never.test."}, world->error),
			 0);
	assert_int_equal(stat(world->log, &stat_of), 0);
	limit_files((rlim_t)stat_of.st_size);
	assert_int_equal(calls->commit(world->source, world->error), COMMIT_NO);
	state_case_check_error(world, "disk");
	limit_files(RLIM_INFINITY);
	assert_int_equal(read_all(world, &told), 0);
	assert_int_equal(told.count, 1);
	check_well(world);
}

/* ---- a commit whose outcome is not known ---- */

/* Puts record 0 as this, and commits. */
static enum commit_answer commit_of(struct state_case *world, const char *fqdn)
{
	const struct source_calls *calls = world->source->calls;
	uint64_t revision;
	char id[37];

	id_of(id, 0);
	assert_int_equal(calls->begin(world->source, "test", &revision, world->error), 0);
	assert_int_equal(calls->put(world->source, KIND_PTR, id, "{}",
				    &(struct source_keys){.ptr = fqdn}, world->error),
			 0);
	return calls->commit(world->source, world->error);
}

static enum commit_answer ask_again(struct state_case *world)
{
	return world->source->calls->commit(world->source, world->error);
}

static void copy_file(const char *from, const char *to)
{
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");
	char buffer[PAGE];
	size_t length;

	assert_non_null(out);
	while (in && (length = fread(buffer, 1, sizeof buffer, in)) > 0)
		assert_int_equal(fwrite(buffer, 1, length, out), length);
	if (in)
		fclose(in);
	fclose(out);
}

/* What a start after a crash of the machine would find, if the disk has what was written to it. */
static void check_after_crash(struct state_case *world, const char *first)
{
	char copy[96], copy_log[104];
	struct source *here = world->source;
	struct counted told;

	aside_of(world, copy);
	snprintf(copy_log, sizeof copy_log, "%s-wal", copy);
	copy_file(world->path, copy);
	copy_file(world->log, copy_log);
	world->source = state_open(copy, world->error);
	assert_non_null(world->source);
	assert_int_equal(load(world, &told), 0);
	assert_string_equal(told.first, first);
	source_close(world->source);
	world->source = here;
}

static void check_no_change_begins(struct state_case *world)
{
	uint64_t revision;

	assert_int_equal(
		world->source->calls->begin(world->source, "test", &revision, world->error),
		ERR_SYSTEM);
	state_case_check_error(world, "is not known whether");
}

/* Nobody else has the file open, so that it shows what a crash would leave. */
static void a_change_in_the_log_whose_sync_fails_is_made_once_the_disk_can(void **state)
{
	struct state_case *world = *state;

	atomic_store(&syncs_fail, true);
	assert_int_equal(commit_of(world, "second.test."), COMMIT_UNKNOWN);
	state_case_check_error(world, "cannot be written");
	check_after_crash(world, "second.test.");
	check_no_change_begins(world);
	assert_int_equal(ask_again(world), COMMIT_UNKNOWN);
	atomic_store(&syncs_fail, false);
	check_no_change_begins(world);
	assert_int_equal(ask_again(world), COMMIT_YES);
	check_readable(world, "second.test.");
	check_after_crash(world, "second.test.");
	check_well(world);
}

/* Others that have the file open see the revision before. Not made means: not after a crash
 * either. */
static void a_change_that_others_do_not_see_is_written_over_before_it_is_not_made(void **state)
{
	struct state_case *world = *state;
	struct source *view = world->source->calls->view(world->source, world->error);

	assert_non_null(view);
	atomic_store(&syncs_fail, true);
	assert_int_equal(commit_of(world, "second.test."), COMMIT_UNKNOWN);
	check_no_change_begins(world);
	atomic_store(&syncs_fail, false);
	assert_int_equal(ask_again(world), COMMIT_NO);
	check_readable(world, "first.test.");
	check_after_crash(world, "first.test.");
	source_close(view);
	check_well(world);
}

/* What happens in a thread is known to the connection that goes on. */
static void a_doubt_of_the_second_connection_becomes_the_firsts(void **state)
{
	struct state_case *world = *state;
	struct source *first = world->source;
	struct source *other = first->calls->another(first, world->error);

	assert_non_null(other);
	atomic_store(&syncs_fail, true);
	world->source = other;
	assert_int_equal(commit_of(world, "second.test."), COMMIT_UNKNOWN);
	world->source = first;
	first->calls->join(first, other);
	check_no_change_begins(world);
	atomic_store(&syncs_fail, false);
	assert_int_not_equal(ask_again(world), COMMIT_UNKNOWN);
	check_well(world);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_change_in_the_log_whose_sync_fails_is_made_once_the_disk_can),
		T(a_change_that_others_do_not_see_is_written_over_before_it_is_not_made),
		T(a_doubt_of_the_second_connection_becomes_the_firsts),
		T(what_was_read_is_current_until_another_program_writes),
		T(a_change_that_another_program_was_ahead_of_makes_what_was_read_old),
		T(nothing_is_written_to_a_file_that_is_gone_until_it_is_back),
		T(a_change_is_not_acknowledged_where_the_file_goes_meanwhile),
		T(what_a_deleted_file_had_is_read_and_not_forgotten),
		T(a_second_connection_reads_what_a_deleted_file_had_and_makes_none),
		T(a_copy_in_its_place_is_used_and_an_older_one_is_read_first),
		T(what_was_only_in_a_log_that_is_gone_is_not_lost),
		T(a_second_connection_has_what_was_only_in_a_log_that_is_gone),
		T(a_fifo_in_its_place_is_told_and_not_opened),
		T(a_file_that_is_damaged_in_use_is_told_and_mended_in_use),
		T(a_file_whose_damage_a_reader_finds_is_told_by_it),
		T(a_damaged_header_is_told_at_the_next_start),
		T(a_log_that_is_gone_on_a_full_disk_keeps_what_it_has),
		T(a_change_that_the_disk_has_no_room_for_at_its_end_is_undone),
	};

	failing_sync_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
