/* From one version of the tables to the next: what an old file has is there afterwards, whatever
 * gets in between. The old files are made here as the versions made them. */
#include "resolver/control/store/state.h"

#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/config_text.h"
#include "tests/lib/random.h"

#define VERSION_1                                                                                  \
	"PRAGMA journal_mode = WAL;"                                                               \
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"  \
	"CREATE TABLE owners (id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL,"        \
	" resource_group TEXT, region TEXT, subscription TEXT, address TEXT NOT NULL,"             \
	" allocation TEXT NOT NULL, label TEXT, description TEXT, tags TEXT,"                      \
	" revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;"                                       \
	"CREATE TABLE ptrs (owner TEXT PRIMARY KEY, fqdn TEXT NOT NULL, description TEXT,"         \
	" ttl INTEGER, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;"                          \
	"INSERT INTO meta VALUES ('revision', 41);"                                                \
	"PRAGMA application_id = 1936487779; PRAGMA user_version = 1;"
#define RECORDS                                                                                    \
	"INSERT INTO owners VALUES ('6f8b4ce6-1111-4d2e-9c55-0242ac120001', 'address', 'a', 'g',"  \
	" 'east', 's', '198.51.100.1', 'static', 'label', NULL, '{\"k\":\"v\"}', 40),"             \
	" ('6f8b4ce6-1111-4d2e-9c55-0242ac120002', 'service', 'b', NULL, NULL, NULL,"              \
	" '2001:db8::9', 'dynamic', NULL, 'words', NULL, 41);"                                     \
	"INSERT INTO ptrs VALUES ('6f8b4ce6-1111-4d2e-9c55-0242ac120001', 'a.test.', 'mail', 60,"  \
	" 40), ('6f8b4ce6-1111-4d2e-9c55-0242ac120002', 'b.test.', NULL, NULL, 41);"

struct world {
	struct config_text config; /* for its directory */
	char path[96];
	char error[SOURCE_ERROR_MAX];
};

static void exec(const struct world *world, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(world->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static int on_text(void *context, int columns, char **values, char **names)
{
	(void)names;
	(void)columns;
	snprintf(context, 64, "%s", values[0]);
	return 0;
}

static long version_of(const struct world *world)
{
	char text[64] = "";
	sqlite3 *db;

	assert_int_equal(sqlite3_open(world->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version", on_text, text, NULL), SQLITE_OK);
	sqlite3_close(db);
	return strtol(text, NULL, 10);
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);

	config_text_init(&world->config);
	snprintf(world->path, sizeof world->path, "%s/state.db", world->config.directory);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	config_text_release(&world->config);
	free(world);
	return 0;
}

/* ---- what is in it ---- */

struct told {
	char text[4096];
	size_t used;
};

static const char *or_none(const char *text)
{
	return text ? text : "-";
}

static int on_owner(void *context, const struct source_owner *owner)
{
	struct told *told = context;
	char address[ADDRESS_TEXT_MAX];

	told->used += (size_t)snprintf(told->text + told->used, sizeof told->text - told->used,
				       "%c %s %s %s %s %s %u %s %s %s %u\n", owner->id[35],
				       owner->name, or_none(owner->resource_group),
				       or_none(owner->region), or_none(owner->subscription),
				       address_print(&owner->address, address), owner->allocation,
				       or_none(owner->label), or_none(owner->description),
				       or_none(owner->tags), (unsigned)owner->revision);
	return 0;
}

static int on_ptr(void *context, const struct source_ptr *ptr)
{
	struct told *told = context;

	told->used += (size_t)snprintf(told->text + told->used, sizeof told->text - told->used,
				       "%c %s %s %d %u %u\n", ptr->owner[35], ptr->fqdn,
				       or_none(ptr->description), ptr->ttl_given, ptr->ttl,
				       (unsigned)ptr->revision);
	return 0;
}

static int on_group(void *context, const struct source_group *group)
{
	struct told *told = context;

	told->used += (size_t)snprintf(told->text + told->used, sizeof told->text - told->used,
				       "group %s %s %s %u\n", group->name, or_none(group->region),
				       or_none(group->tags), (unsigned)group->revision);
	return 0;
}

/* The records are all there, and the next revision is the next one. */
static void check_everything(struct world *world)
{
	struct told told = {.used = 0};
	const struct source_reader reader = {&told, on_owner, on_ptr, on_group};
	const struct source_edit edit = {.act = SOURCE_DELETE_PTR,
					 .expected = 41,
					 .ptr = {.owner = "6f8b4ce6-1111-4d2e-9c55-0242ac120002"}};
	struct source *source = state_open(world->path, world->error);
	uint8_t bytes[SOURCE_SECRET_BYTES];
	uint64_t revision = 0;

	assert_non_null(source);
	assert_int_equal(source_load(source, &reader, world->error), 0);
	assert_string_equal(told.text, "group g east - 41\n"
				       "1 a g east s 198.51.100.1 1 label - {\"k\":\"v\"} 40\n"
				       "2 b - - - 2001:db8::9 0 - words - 41\n"
				       "1 a.test. mail 1 60 40\n"
				       "2 b.test. - 0 0 41\n");
	assert_int_equal(source_apply(source, &edit, 1, &revision, world->error), 0);
	assert_int_equal(revision, 42);
	assert_int_equal(source->calls->secret(source, "tokens", bytes, world->error), 0);
	source_close(source);
	assert_int_equal(version_of(world), STATE_VERSION);
}

static void everything_of_a_version_1_file_is_there_afterwards(void **state)
{
	exec(*state, VERSION_1 RECORDS);
	check_everything(*state);
}

/* ---- what gets in between ---- */

static void a_migration_that_cannot_be_written_leaves_the_old_version(void **state)
{
	struct world *world = *state;
	struct rlimit limit;

	exec(world, VERSION_1 RECORDS);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = 100;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_null(state_open(world->path, world->error));
	assert_non_null(strstr(world->error, "disk"));
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(version_of(world), 1);
	check_everything(world);
}

static void a_table_in_the_way_rolls_the_migration_back(void **state)
{
	struct world *world = *state;

	exec(world, VERSION_1 RECORDS "CREATE TABLE secrets (x);");
	assert_null(state_open(world->path, world->error));
	assert_non_null(strstr(world->error, "cannot be prepared"));
	assert_int_equal(version_of(world), 1);
	exec(world, "DROP TABLE secrets");
	check_everything(world);
}

/* One that opens the file, killed at some instant of it; 0 where it had come to its end. */
static int open_and_die(const struct world *world, unsigned after_us)
{
	const struct timespec wait = {.tv_nsec = (long)after_us * 1000};
	const pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		char error[SOURCE_ERROR_MAX];

		_exit(state_open(world->path, error) ? 0 : 1);
	}
	nanosleep(&wait, NULL);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status);
}

static void remove_file(const struct world *world, const char *suffix)
{
	char path[128];

	snprintf(path, sizeof path, "%s%s", world->path, suffix);
	unlink(path);
}

static void a_migration_that_is_killed_is_done_by_the_next_start(void **state)
{
	struct world *world = *state;
	uint64_t seed = 0x2545f4914f6cdd1d;
	unsigned killed = 0;

	for (unsigned i = 0; i < 40; i++) {
		exec(world, VERSION_1 RECORDS);
		killed += (unsigned)open_and_die(world, random_below(&seed, 12000));
		const long version = version_of(world);
		assert_true(version == 1 || version == STATE_VERSION);
		check_everything(world);
		remove_file(world, "");
		remove_file(world, "-wal");
		remove_file(world, "-shm");
	}
	assert_true(killed > 0);
}

static void a_newer_version_is_refused_and_not_touched(void **state)
{
	struct world *world = *state;
	char sql[64];

	exec(world, VERSION_1 RECORDS);
	snprintf(sql, sizeof sql, "PRAGMA user_version = %d", STATE_VERSION + 1);
	exec(world, sql);
	assert_null(state_open(world->path, world->error));
	assert_non_null(strstr(world->error, "newer version"));
	assert_int_equal(version_of(world), STATE_VERSION + 1);
	exec(world, "PRAGMA user_version = 1");
	check_everything(world);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(everything_of_a_version_1_file_is_there_afterwards),
		T(a_migration_that_cannot_be_written_leaves_the_old_version),
		T(a_table_in_the_way_rolls_the_migration_back),
		T(a_migration_that_is_killed_is_done_by_the_next_start),
		T(a_newer_version_is_refused_and_not_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
