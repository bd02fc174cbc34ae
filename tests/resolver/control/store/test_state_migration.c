/* An older version's file: what is made of it beside it, when that is used, and what stays. That
 * what it has is there afterwards is test_state_schema's. */
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "resolver/control/store/pairs.h"
#include "tests/lib/limit_files.h"
#include "tests/lib/state_case.h"

#define ID_1 "6f8b4ce6-1111-4d2e-9c55-0242ac120001"

/* A file of version 7 with a PTR, of revision 1, and a use of a rule. */
static void make_old(struct state_case *world)
{
	state_case_open(world);
	assert_non_null(world->source);
	assert_int_equal(world->source->calls->sync(world->source, world->error), 0);
	state_must_ptr(world, ID_1, "a.test.");
	source_close(world->source);
	world->source = NULL;
	state_exec(world->path, STATE_VERSION_7_OF_8 "INSERT INTO uses VALUES ('rule a\tb', 5, 7)");
}

static int set_up(void **state)
{
	*state = state_case_new();
	make_old(*state);
	return 0;
}

static int tear_down(void **state)
{
	state_case_free(*state);
	return 0;
}

static void count_turn(void *context)
{
	++*(unsigned *)context;
}

static unsigned migrate(struct state_case *world)
{
	unsigned turns = 0;

	assert_int_equal(state_migrate(world->path, count_turn, &turns, world->error), 0);
	return turns;
}

static char *beside(const struct state_case *world, const char *end, char path[128])
{
	snprintf(path, 128, "%s%s", world->path, end);
	return path;
}

static bool is_there(const struct state_case *world, const char *end)
{
	char path[128];

	return access(beside(world, end, path), F_OK) == 0;
}

static void must_open(struct state_case *world)
{
	state_case_open(world);
	if (!world->source)
		fail_msg("%s", world->error);
	assert_int_equal(world->source->calls->sync(world->source, world->error), 0);
}

static int64_t used(struct source *source)
{
	struct pairs_use use = {.what = "rule a\tb"};
	char error[SOURCE_ERROR_MAX];

	assert_int_equal(pairs_read_uses(source, &use, 1, error), 0);
	return use.found ? use.used_s : -1;
}

static size_t ptrs(struct source *source)
{
	struct state_case other = {.source = source};

	return state_told(&other, KIND_PTR).count;
}

static void it_is_made_once_and_takes_the_place_when_it_is_opened_to_write(void **state)
{
	struct state_case *world = *state;

	assert_true(migrate(world) > 0);
	assert_true(is_there(world, ".new"));
	assert_int_equal(state_version(world->path), 7);
	assert_int_equal(migrate(world), 0); /* it is of what the file has */
	world->source = state_look(world->path, SOURCE_READ, world->error);
	assert_non_null(world->source);
	assert_int_equal(used(world->source), 7);
	must_open(world);
	assert_false(is_there(world, ".new"));
	assert_int_equal(state_version(world->path), STATE_VERSION);
	char old[128];
	assert_int_equal(state_version(beside(world, ".v7", old)), 7);
	assert_int_equal(migrate(world), 0);
}

/* The server that has the older one open writes until it closes it. */
static void pairs_are_copied_again_at_the_end(void **state)
{
	struct state_case *world = *state;

	migrate(world);
	state_exec(world->path, "UPDATE uses SET used = 9");
	assert_int_equal(migrate(world), 0);
	must_open(world);
	assert_int_equal(used(world->source), 9);
}

static void what_goes_meanwhile_is_gone_at_the_end(void **state)
{
	struct state_case *world = *state;

	migrate(world);
	state_exec(world->path, "DELETE FROM uses");
	must_open(world);
	assert_int_equal(used(world->source), -1);
}

static void a_change_meanwhile_has_it_made_again(void **state)
{
	struct state_case *world = *state;

	migrate(world);
	state_exec(world->path, "DELETE FROM resources; UPDATE meta SET value = 2");
	world->source = state_look(world->path, SOURCE_READ, world->error);
	assert_int_equal(ptrs(world->source), 0);
	assert_true(migrate(world) > 0);
	state_exec(world->path,
		   "UPDATE meta SET value = 3"); /* and once more, without its being made */
	must_open(world);
	assert_int_equal(ptrs(world->source), 0);
	struct source_about about;
	source_about(world->source, &about);
	assert_int_equal(about.revision, 3);
}

static void what_is_made_of_another_file_is_not_used(void **state)
{
	struct state_case *world = *state;
	char kept[128];

	migrate(world);
	rename(world->path, beside(world, ".kept", kept));
	state_exec(world->path, STATE_VERSION_5 "UPDATE meta SET value = 1");
	must_open(world);
	assert_int_equal(ptrs(world->source), 0);
	assert_true(is_there(world, ".v5"));
}

/* Copied over the older file, say, which keeps its inode. */
static void what_is_made_of_another_history_is_not_used(void **state)
{
	struct state_case *world = *state;

	migrate(world);
	state_exec(world->path, "UPDATE changes SET time = time - 1; DELETE FROM resources");
	must_open(world);
	assert_int_equal(ptrs(world->source), 0);
}

static void what_is_half_made_is_made_again(void **state)
{
	struct state_case *world = *state;
	char next[128];

	migrate(world);
	state_exec(beside(world, ".new", next), "DELETE FROM meta WHERE key = 'of revision'");
	assert_true(migrate(world) > 0);
	assert_int_equal(truncate(next, 5000), 0);
	assert_true(migrate(world) > 0);
	assert_int_equal(truncate(next, 100), 0);
	must_open(world);
	assert_int_equal(ptrs(world->source), 1);
}

static void without_room_the_older_file_stays_and_nothing_is_left_beside_it(void **state)
{
	struct state_case *world = *state;
	unsigned turns = 0;

	for (rlim_t most = 100; most < 40000; most += 4096) {
		limit_files(most);
		assert_int_equal(state_migrate(world->path, count_turn, &turns, world->error),
				 ERR_SYSTEM);
		limit_files(RLIM_INFINITY);
		assert_false(is_there(world, ".new"));
		assert_int_equal(state_version(world->path), 7);
	}
	must_open(world);
	assert_int_equal(ptrs(world->source), 1);
}

static void what_was_kept_before_gives_way(void **state)
{
	struct state_case *world = *state;
	struct stat before, after;
	char kept[128];

	must_open(world);
	source_close(world->source);
	world->source = NULL;
	assert_int_equal(stat(beside(world, ".v7", kept), &before), 0);
	state_exec(world->path, STATE_VERSION_7_OF_8);
	must_open(world);
	assert_int_equal(stat(kept, &after), 0);
	assert_true(before.st_ino != after.st_ino);
	assert_int_equal(used(world->source), -1);
}

/* SQLite has its log beside the file that the link leads to. */
static void a_state_behind_a_link_is_migrated_where_it_is(void **state)
{
	struct state_case *world = *state;
	char link_path[128], log[160];
	struct stat stat_of;
	sqlite3 *db;

	assert_int_equal(symlink(world->path, beside(world, ".link", link_path)), 0);
	assert_int_equal(sqlite3_open(link_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE meta SET value = 7; UPDATE uses SET used = 9",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	assert_true(is_there(world, "-wal"));
	unsigned turns = 0;
	assert_int_equal(state_migrate(link_path, count_turn, &turns, world->error), 0);
	assert_true(turns > 0 && is_there(world, ".new"));
	world->source = state_look(link_path, SOURCE_READ, world->error);
	assert_int_equal(used(world->source), 9);
	source_close(world->source);
	sqlite3_close(db);
	world->source = state_open(link_path, world->error);
	assert_non_null(world->source);
	assert_int_equal(used(world->source), 9);
	assert_int_equal(lstat(link_path, &stat_of), 0);
	assert_true(S_ISLNK(stat_of.st_mode));
	assert_true(is_there(world, ".v7") && state_version(world->path) == STATE_VERSION);
	snprintf(log, sizeof log, "%s.v7", link_path);
	assert_int_equal(access(log, F_OK), -1);
}

/* Whoever waits for the lock finds that it is done. */
static int finish_beside(const struct state_case *world)
{
	char error[SOURCE_ERROR_MAX];
	struct source *source = state_open(world->path, error);
	int64_t found = source ? used(source) : -1;

	source_close(source);
	return found == 7 ? 0 : 1;
}

static void two_at_once_make_it_once(void **state)
{
	struct state_case *world = *state;
	int status, good = 0;

	for (unsigned i = 0; i < 20; i++) {
		char kept[128];
		pid_t children[2];

		for (unsigned k = 0; k < 2; k++) {
			children[k] = fork();
			assert_true(children[k] >= 0);
			if (children[k] == 0)
				_exit(finish_beside(world));
		}
		for (unsigned k = 0; k < 2; k++) {
			assert_int_equal(waitpid(children[k], &status, 0), children[k]);
			good += WIFEXITED(status) && WEXITSTATUS(status) == 0;
		}
		must_open(world);
		assert_int_equal(used(world->source), 7);
		assert_int_equal(ptrs(world->source), 1);
		assert_int_equal(state_version(beside(world, ".v7", kept)), 7);
		source_close(world->source);
		world->source = NULL;
		state_exec(world->path,
			   STATE_VERSION_7_OF_8 "INSERT INTO uses VALUES ('rule a\tb', 5, 7)");
	}
	assert_true(good >= 20); /* one of two at least; the other may find it locked */
}

static void what_is_not_wanted_any_more_is_removed(void **state)
{
	struct state_case *world = *state;

	migrate(world);
	state_forget_migration(world->path);
	assert_false(is_there(world, ".new"));
	state_forget_migration(world->path);
	assert_int_equal(state_version(world->path), 7);
}

/* A state in which no resource was ever changed has revision 0. */
static void a_copy_of_revision_0_is_removed_as_well(void **state)
{
	struct state_case *world = *state;

	state_exec(world->path, "UPDATE meta SET value = 0 WHERE key = 'revision'");
	migrate(world);
	assert_true(is_there(world, ".new"));
	state_forget_migration(world->path);
	assert_false(is_there(world, ".new"));
}

static void there_is_nothing_to_do_without_an_older_file(void **state)
{
	struct state_case *world = *state;

	unlink(world->path);
	assert_int_equal(migrate(world), 0);
	assert_false(is_there(world, ""));
	state_exec(world->path, "PRAGMA user_version = 99");
	unsigned turns = 0;
	assert_int_equal(state_migrate(world->path, count_turn, &turns, world->error), ERR_SYSTEM);
	state_case_check_error(world, "newer version");
}

/* ---- by its URL ---- */

static void a_store_is_opened_by_a_path_or_a_url(void **state)
{
	struct state_case *world = *state;
	char url[160];

	static const char *const urls[][2] = {
		{"/var/lib/sluice/state.db", "/var/lib/sluice/state.db"},
		{"file:/var/lib/state.db", "/var/lib/state.db"},
		{"file:///var/lib/state.db", "/var/lib/state.db"},
		{"state.db", "state.db"},
		{"with:colon.db", "with:colon.db"},
	};
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
		assert_string_equal(source_file(urls[i][0]), urls[i][1]);
	assert_null(source_file("postgres://host/db"));
	assert_null(source_file("file://host/state.db"));
	snprintf(url, sizeof url, "file:%s", world->path);
	world->source = source_open(url, SOURCE_WRITE, world->error);
	assert_non_null(world->source);
	assert_int_equal(ptrs(world->source), 1);
	assert_null(source_open("postgres://host/db", SOURCE_WRITE, world->error));
	state_case_check_error(world, "give management.state the path of a file");
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_is_made_once_and_takes_the_place_when_it_is_opened_to_write),
		T(pairs_are_copied_again_at_the_end),
		T(what_goes_meanwhile_is_gone_at_the_end),
		T(a_change_meanwhile_has_it_made_again),
		T(what_is_made_of_another_file_is_not_used),
		T(what_is_made_of_another_history_is_not_used),
		T(what_is_half_made_is_made_again),
		T(without_room_the_older_file_stays_and_nothing_is_left_beside_it),
		T(what_was_kept_before_gives_way),
		T(a_state_behind_a_link_is_migrated_where_it_is),
		T(two_at_once_make_it_once),
		T(what_is_not_wanted_any_more_is_removed),
		T(a_copy_of_revision_0_is_removed_as_well),
		T(there_is_nothing_to_do_without_an_older_file),
		T(a_store_is_opened_by_a_path_or_a_url),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
