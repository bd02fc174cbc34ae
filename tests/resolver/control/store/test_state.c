/* The SQLite source: what is kept, what stands in a change's way, and what happens when the file is
 * not ours, not whole, or not to be had. */
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

#include "resolver/control/resource/owned_resource.h"
#include "resolver/control/store/pairs.h"
#include "resolver/control/store/state_db.h"
#include "rules/base.h"
#include "rules/text.h"
#include "tests/lib/state_case.h"

#define ID_1 "6f8b4ce6-1111-4d2e-9c55-0242ac120001"
#define ID_2 "6f8b4ce6-1111-4d2e-9c55-0242ac120002"

static int set_up(void **state)
{
	struct state_case *world = state_case_new();

	*state = world;
	state_case_open(world);
	return world->source ? 0 : -1;
}

static int tear_down(void **state)
{
	state_case_free(*state);
	return 0;
}

static int sync_state(struct state_case *world)
{
	return world->source->calls->sync(world->source, world->error);
}

static void must_sync(struct state_case *world)
{
	assert_int_equal(sync_state(world), 0);
}

static void reopen(struct state_case *world)
{
	state_case_open(world);
	assert_non_null(world->source);
	must_sync(world);
}

static void check_told(struct state_case *world, const char *text)
{
	assert_string_equal(state_told(world, 0).text, text);
}

/* An address of this id: "-/NAME", 198.51.100.LAST. */
static struct state_put address_put(const char *id, const char *path, uint8_t last)
{
	return (struct state_put){
		KIND_ADDRESS, path, "{}", {.id = id, .address = {4, {198, 51, 100, last}}}};
}

static int try_one(struct state_case *world, struct state_put put)
{
	return state_try(world, &put, 1, NULL);
}

/* ---- what is kept ---- */

static void a_new_state_is_empty_and_its_owners_alone(void **state)
{
	struct state_case *world = *state;
	struct stat stat_of;

	check_told(world, "");
	assert_int_equal(stat(world->path, &stat_of), 0);
	assert_int_equal(stat_of.st_mode & 0777, 0600);
	must_sync(world);
	state_must_ptr(world, ID_1, "a.test.");
	assert_int_equal(stat(world->log, &stat_of), 0);
	assert_int_equal(stat_of.st_mode & 0777, 0600);
}

static void everything_that_was_put_is_there_when_it_is_opened_again(void **state)
{
	static const struct state_put puts[] = {
		{KIND_ADDRESS,
		 "g/a",
		 "{\"name\":\"a\",\"tags\":{\"k\":\"v\"}}",
		 {ID_1,
		  {4, {198, 51, 100, 1}},
		  "label.east",
		  "g",
		  "east",
		  "a.test.",
		  true,
		  0,
		  1,
		  1}},
		{KIND_SERVICE,
		 "-/b",
		 "{\"description\":\"words\"}",
		 {.id = ID_2, .address = {6, {0x20, 1, 0xd, 0xb8, [15] = 9}}, .ptr = "b.test."}},
		{KIND_PTR,
		 "somebody",
		 "{\"description\":\"mail\"}",
		 {.ptr = "c.test.", .ttl_given = true, .ttl = 2147483647, .ptr_revision = 1}},
		{KIND_GROUP, "-/g", "{\"name\":\"G\"}", {.id = NULL}},
	};
	static const char all[] =
		"101 g/a @1 {\"name\":\"a\",\"tags\":{\"k\":\"v\"}} " ID_1
		" 198.51.100.1 label.east g east | a.test. 0 @1 1\n"
		"102 -/b @1 {\"description\":\"words\"} " ID_2
		" 2001:db8::9 - - - | b.test. - @0 0\n"
		"103 somebody @1 {\"description\":\"mail\"} - - - - - | c.test. 2147483647 @1 0\n"
		"104 -/g @1 {\"name\":\"G\"}\n";
	struct state_case *world = *state;
	uint64_t revision;

	must_sync(world);
	assert_int_equal(state_try(world, puts, 4, &revision), 0);
	assert_int_equal(revision, 1);
	check_told(world, all);
	reopen(world);
	check_told(world, all);
}

static int on_change(void *context, const struct source_change *change)
{
	char *text = context;

	text_append(text, 512, "%u %s %u %s %s %s\n", (unsigned)change->revision, change->who,
		    change->kind, change->path, change->before ? change->before : "-",
		    change->after ? change->after : "-");
	return 0;
}

static void a_resource_is_changed_and_deleted_with_what_it_is_found_by(void **state)
{
	struct state_case *world = *state;
	struct state_put put = address_put(ID_1, "-/a", 1);
	char history[512] = "";

	must_sync(world);
	assert_int_equal(try_one(world, put), 0);
	put.keys = (struct source_keys){.id = ID_2, .ptr = "b.test."};
	put.json = "{\"n\":2}";
	assert_int_equal(try_one(world, put), 0);
	check_told(world, "101 -/a @2 {\"n\":2} " ID_2 " - - - - | b.test. - @0 0\n");
	assert_int_equal(state_found(world, SOURCE_BY_ID, 0, ID_1).count, 0);
	assert_int_equal(state_found_at(world, "198.51.100.1").count, 0);
	assert_int_equal(state_found(world, SOURCE_BY_ID, 0, ID_2).count, 1);
	put.json = NULL;
	assert_int_equal(try_one(world, put), 0);
	check_told(world, "");
	assert_int_equal(state_found(world, SOURCE_BY_ID, 0, ID_2).count, 0);
	put.path = "-/none"; /* it goes, and was not there */
	assert_int_equal(try_one(world, put), 0);
	assert_int_equal(world->source->calls->changes(world->source, source_after(0), on_change,
						       history, world->error),
			 0);
	assert_string_equal(history, "1 test 101 -/a - {}\n"
				     "2 test 101 -/a {} {\"n\":2}\n"
				     "3 test 101 -/a {\"n\":2} -\n");
}

static struct state_put group_put(const char *name, const char *json, char path[PATH_MAX_BYTES])
{
	assert_int_equal(path_key_of(KIND_GROUP, NULL, name, path), 0);
	return (struct state_put){KIND_GROUP, path, json, {.id = NULL}};
}

static void a_group_is_kept_by_its_name_in_any_case(void **state)
{
	struct state_case *world = *state;
	char path[PATH_MAX_BYTES];

	must_sync(world);
	assert_int_equal(try_one(world, group_put("Web", "{\"name\":\"Web\"}", path)), 0);
	assert_int_equal(try_one(world, group_put("other", "{\"name\":\"other\"}", path)), 0);
	assert_int_equal(try_one(world, group_put("wEB", "{\"name\":\"wEB\"}", path)), 0);
	reopen(world);
	check_told(world, "104 -/other @2 {\"name\":\"other\"}\n104 -/web @3 {\"name\":\"wEB\"}\n");
	assert_int_equal(try_one(world, group_put("WEB", NULL, path)), 0);
	check_told(world, "104 -/other @2 {\"name\":\"other\"}\n");
}

static void what_stands_in_the_way_undoes_the_whole_change(void **state)
{
	struct state_case *world = *state;

	must_sync(world);
	assert_int_equal(try_one(world, address_put(ID_1, "-/a", 1)), 0);
	const struct state_put wrong[][3] = {
		{address_put(ID_2, "-/new", 2), address_put(ID_1, "-/b", 3)},
		{address_put(ID_2, "-/new", 2), address_put("x", "-/b", 1)},
		{{KIND_ADDRESS, "-/a", NULL, {.id = NULL}},
		 address_put(ID_2, "-/new", 2),
		 address_put(ID_2, "-/b", 3)},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_int_equal(state_try(world, wrong[i], wrong[i][2].kind ? 3 : 2, NULL),
				 ERR_EXISTS);
		check_told(world, "101 -/a @1 {} " ID_1 " 198.51.100.1 - - - | - - @0 0\n");
	}
	assert_true(world->source->calls->is_current(world->source));
	assert_int_equal(try_one(world, address_put(ID_2, "-/b", 2)), 0);
}

static void a_change_that_is_rolled_back_was_never_made(void **state)
{
	struct state_case *world = *state;
	const struct source_calls *calls = world->source->calls;
	char history[512] = "";
	uint64_t revision;

	must_sync(world);
	assert_int_equal(calls->begin(world->source, "test", &revision, world->error), 0);
	assert_int_equal(calls->put(world->source, KIND_PTR, ID_1, "{}",
				    &(struct source_keys){.ptr = "a.test."}, world->error),
			 0);
	assert_int_equal(state_told(world, 0).count, 1); /* the change sees itself */
	calls->roll_back(world->source);
	check_told(world, "");
	assert_int_equal(
		calls->changes(world->source, source_after(0), on_change, history, world->error),
		0);
	assert_string_equal(history, "");
	assert_int_equal(state_must_ptr(world, ID_1, "b.test."), revision);
}

struct history_from {
	struct source_place second; /* of the whole history */
	char text[512];
	unsigned count;
};

static int on_change_from(void *context, const struct source_change *change)
{
	struct history_from *from = context;

	if (++from->count == 2)
		from->second = (struct source_place){change->revision, change->edit};
	return on_change(from->text, change);
}

static void a_history_goes_on_in_the_middle_of_a_revision(void **state)
{
	static const struct state_put puts[] = {{KIND_PTR, "a", "{}", {.ptr = "a.test."}},
						{KIND_PTR, "b", "{}", {.ptr = "b.test."}},
						{KIND_PTR, "c", "{}", {.ptr = "c.test."}}};
	struct state_case *world = *state;
	struct history_from whole = {.count = 0}, rest = {.count = 0};
	const struct source_calls *calls;

	must_sync(world);
	assert_int_equal(state_try(world, puts, COUNT(puts), NULL), 0);
	assert_int_equal(try_one(world, address_put(ID_1, "-/d", 1)), 0);
	calls = world->source->calls;
	assert_int_equal(calls->changes(world->source, source_after(0), on_change_from, &whole,
					world->error),
			 0);
	assert_int_equal(whole.count, 4);
	assert_int_equal(
		calls->changes(world->source, whole.second, on_change_from, &rest, world->error),
		0);
	assert_string_equal(rest.text, "1 test 103 c - {}\n2 test 101 -/d - {}\n");
}

/* A stream asks very often for the changes after a place, which may be within a revision of
 * 100,000s of edits. Each time, no more than what comes next is read. */
static void a_place_in_the_history_is_found_by_an_index(void **state)
{
	static const char *const statements[] = {
#define X(name, sql) [STATEMENT_##name] = "EXPLAIN QUERY PLAN " sql,
		STATEMENT_MAP(X)
#undef X
	};
	struct state_case *world = *state;
	char plan[512] = "";
	sqlite3 *db;
	sqlite3_stmt *row;

	must_sync(world);
	assert_int_equal(sqlite3_open(world->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, statements[STATEMENT_READ_CHANGES], -1, &row, NULL),
			 SQLITE_OK);
	while (sqlite3_step(row) == SQLITE_ROW)
		text_append(plan, sizeof plan, "%s\n", (const char *)sqlite3_column_text(row, 3));
	sqlite3_finalize(row);
	sqlite3_close(db);
	assert_non_null(strstr(plan, "(revision=? AND rowid>?)"));
	assert_non_null(strstr(plan, "(revision>?)"));
	assert_null(strstr(plan, "SCAN"));
	assert_null(strstr(plan, "TEMP B-TREE"));
}

static void a_revision_is_never_used_again(void **state)
{
	struct state_case *world = *state;
	uint64_t before = 0;

	must_sync(world);
	for (unsigned i = 0; i < 5; i++) {
		const uint64_t made = state_must_ptr(world, ID_1, "a.test.");
		assert_true(made > before);
		before = state_must_ptr(world, ID_1, NULL);
		assert_true(before > made);
		reopen(world);
	}
}

static void what_another_program_wrote_is_noticed_until_it_is_read(void **state)
{
	struct state_case *world = *state;
	struct state_case other = *world;

	other.source = state_open(other.path, other.error);
	must_sync(world);
	must_sync(&other);
	state_must_ptr(&other, ID_1, "other.test.");
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(state_try_ptr(world, ID_2, "b.test."), ERR_EXISTS);
		state_case_check_error(world, "changed by another program");
	}
	must_sync(world);
	world->source->calls->unsync(world->source);
	assert_false(world->source->calls->is_current(world->source));
	assert_int_equal(state_try_ptr(world, ID_2, "b.test."), ERR_EXISTS);
	must_sync(world);
	state_must_ptr(world, ID_2, "b.test.");
	assert_int_equal(state_told(world, KIND_PTR).count, 2);
	source_close(other.source);
}

/* ---- a store that fails ---- */

static void a_lock_that_stays_is_an_error_and_goes_by(void **state)
{
	struct state_case *world = *state;
	sqlite3 *db;

	must_sync(world);
	assert_int_equal(sqlite3_open(world->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(state_try_ptr(world, ID_1, "a.test."), ERR_SYSTEM);
	state_case_check_error(world, "another program holds it");
	assert_non_null(state_trouble(world));
	check_told(world, ""); /* reading goes on */
	sqlite3_close(db);
	state_must_ptr(world, ID_1, "a.test.");
	assert_null(state_trouble(world));
}

static void a_full_disk_changes_nothing_and_goes_by(void **state)
{
	struct state_case *world = *state;
	struct rlimit before, none;
	char line[128];
	uint64_t last = 0;
	unsigned i;
	int err = 0;

	must_sync(world);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none = before;
	none.rlim_cur = 65536;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	for (i = 0; !err && i < 1000; i++) {
		const struct state_put put = {
			KIND_PTR, ID_1, "{}", {.ptr = i % 2 ? "a.test." : "b.test."}};
		uint64_t revision;

		err = state_try(world, &put, 1, &revision);
		last = err ? last : revision;
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(err, ERR_SYSTEM);
	assert_true(i > 1);
	state_case_check_error(world, "disk");
	snprintf(line, sizeof line, "103 " ID_1 " @%u {} - - - - - | %s - @0 0\n", (unsigned)last,
		 i % 2 ? "a.test." : "b.test.");
	check_told(world, line);
	must_sync(world);
	check_told(world, line);
	assert_int_equal(state_must_ptr(world, ID_1, "c.test."), last + 1);
	assert_non_null(strstr(state_told(world, 0).text, "c.test."));
}

static void a_damaged_file_is_told_and_not_believed(void **state)
{
	struct state_case *world = *state;
	struct state_lines told = {.text = ""};
	char junk[4096];
	int err = 0;

	must_sync(world);
	for (unsigned i = 0; i < 300; i++) {
		char id[37];

		snprintf(id, sizeof id, "6f8b4ce6-1111-4d2e-9c55-%012u", i);
		state_must_ptr(world, id, "a.test.");
	}
	source_close(world->source); /* all of it is in the file now */
	world->source = NULL;
	memset(junk, 0xa5, sizeof junk);
	const int fd = open(world->path, O_RDWR);
	assert_true(fd >= 0);
	const off_t size = lseek(fd, 0, SEEK_END);
	for (off_t at = sizeof junk; at + (off_t)sizeof junk <= size; at += sizeof junk)
		assert_int_equal(pwrite(fd, junk, sizeof junk, at), sizeof junk);
	close(fd);
	state_case_open(world);
	if (world->source)
		err = sync_state(world);
	if (world->source && !err)
		err = state_paged(world, &(struct source_page){.kind = KIND_PTR, .limit = 999},
				  &told);
	assert_true(!world->source || err == ERR_SYSTEM);
	state_case_check_error(world, "damaged");
}

static int tell_owned(struct state_case *world)
{
	struct state_lines told = {.text = ""};

	return world->source->calls->owned(world->source, tell, &told, world->error);
}

static void a_record_of_somebody_elses_hand_is_named(void **state)
{
	static const struct {
		const char *sql, *says;
	} wrong[] = {
		{"addr = x'04c633'", "an address that is none"},
		{"addr = x'06c6336401'", "an address that is none"},
		{"addr = x'0420010db800000000000000000000000001'", "an address that is none"},
		{"addr = x'04c6336401', ttl = -1", "the ttl \"-1\""},
		{"ttl = 2147483648", "the ttl \"2147483648\""},
		{"ttl = 5, ptr_action = 256", "the ptr_action \"256\""},
		{"ptr_action = NULL, ptr_revision = -1", "the ptr_revision \"-1\""},
		{"ptr_revision = NULL, revision = 0", "the revision \"0\""},
		{"revision = 1, id = 'x'", "the id \"x\""},
	};
	struct state_case *world = *state;
	const struct state_put put = address_put(ID_1, "g/odd", 1);
	char sql[128];

	must_sync(world);
	assert_int_equal(try_one(world, put), 0);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct state_lines told = {.text = ""};

		snprintf(sql, sizeof sql, "UPDATE resources SET %s", wrong[i].sql);
		state_exec(world->path, sql);
		must_sync(world);
		assert_int_equal(tell_owned(world), ERR_SYSTEM);
		state_case_check_error(world, wrong[i].says);
		state_case_check_error(world, "\"g/odd\"");
		assert_int_equal(world->source->calls->find(world->source, SOURCE_BY_PATH,
							    KIND_ADDRESS, "g/odd", NULL, tell,
							    &told, world->error),
				 ERR_SYSTEM);
		assert_int_equal(told.count, 0);
		assert_non_null(state_trouble(world));
	}
	snprintf(sql, sizeof sql, "UPDATE resources SET id = '" ID_1 "', ttl = 2147483647");
	state_exec(world->path, sql);
	assert_int_equal(tell_owned(world), 0);
	check_told(world, "101 g/odd @1 {} " ID_1 " 198.51.100.1 - - - | - 2147483647 @0 0\n");
}

/* Readers of a path have a buffer for the longest path that sluice writes, and no larger one. */
static void a_record_with_a_longer_path_than_any_is_named(void **state)
{
	struct state_case *world = *state;
	const struct state_put put = address_put(ID_1, "g/odd", 1);
	char sql[128];

	must_sync(world);
	assert_int_equal(try_one(world, put), 0);
	for (int bytes = SOURCE_PATH_MAX - 1; bytes <= SOURCE_PATH_MAX; bytes++) {
		snprintf(sql, sizeof sql, "UPDATE resources SET path = printf('g/%%.*c', %d, 'x')",
			 bytes - 2);
		state_exec(world->path, sql);
		must_sync(world);
		assert_int_equal(tell_owned(world), bytes < SOURCE_PATH_MAX ? 0 : ERR_SYSTEM);
	}
	state_case_check_error(world, "\"g/xxx");
	state_case_check_error(world, "a path of over 4095 bytes");
}

/* ---- files that are no state ---- */

static void check_refused(struct state_case *world, const char *says)
{
	state_case_open(world);
	assert_null(world->source);
	state_case_check_error(world, says);
}

static void another_programs_database_is_left_alone(void **state)
{
	struct state_case *world = *state;

	snprintf(world->path, sizeof world->path, "%s/other.db", world->config.directory);
	state_exec(world->path, "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
	check_refused(world, "another program's database");
	state_exec(world->path, "UPDATE theirs SET x = 2"); /* is there, and can be used */
}

static void set_version(const char *path, int version)
{
	char sql[64];

	snprintf(sql, sizeof sql, "PRAGMA user_version = %d", version);
	state_exec(path, sql);
}

static void a_newer_versions_state_is_left_alone(void **state)
{
	struct state_case *world = *state;

	set_version(world->path, STATE_VERSION + 1);
	check_refused(world, "newer version");
	set_version(world->path, STATE_VERSION);
	state_case_open(world);
	assert_non_null(world->source);
}

static int keep_secret(struct state_case *world, const char *name,
		       uint8_t bytes[PAIRS_SECRET_BYTES])
{
	return pairs_secret(world->source, name, bytes, world->error);
}

static void a_secret_stays_the_same_and_each_name_has_its_own(void **state)
{
	struct state_case *world = *state;
	uint8_t first[PAIRS_SECRET_BYTES], other[PAIRS_SECRET_BYTES], again[PAIRS_SECRET_BYTES];

	assert_int_equal(keep_secret(world, "tokens", first), 0);
	assert_int_equal(keep_secret(world, "other", other), 0);
	assert_memory_not_equal(first, other, sizeof first);
	reopen(world);
	assert_int_equal(keep_secret(world, "tokens", again), 0);
	assert_memory_equal(first, again, sizeof first);
}

static void a_secret_that_was_cut_short_is_not_believed(void **state)
{
	struct state_case *world = *state;
	uint8_t bytes[PAIRS_SECRET_BYTES];

	assert_int_equal(keep_secret(world, "tokens", bytes), 0);
	state_exec(world->path, "UPDATE pairs SET value = substr(value, 1, 62)");
	assert_int_equal(keep_secret(world, "tokens", bytes), ERR_SYSTEM);
	state_case_check_error(world, "tokens");
}

static void a_file_that_is_no_database_is_left_alone(void **state)
{
	struct state_case *world = *state;

	snprintf(world->path, sizeof world->path, "%s/text", world->config.directory);
	config_text_put(&world->config, "text", "nothing that a database would begin with\n");
	check_refused(world, "name another file in management.state");
}

static void an_empty_file_becomes_a_state(void **state)
{
	struct state_case *world = *state;

	snprintf(world->path, sizeof world->path, "%s/empty", world->config.directory);
	config_text_put(&world->config, "empty", "");
	reopen(world);
	check_told(world, "");
	state_must_ptr(world, ID_1, "a.test.");
}

static void what_is_no_file_is_refused_without_waiting(void **state)
{
	struct state_case *world = *state;
	char fifo[96];

	snprintf(fifo, sizeof fifo, "%s/fifo", world->config.directory);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	snprintf(world->path, sizeof world->path, "%s", fifo);
	check_refused(world, "not a regular file");
	snprintf(world->path, sizeof world->path, "%s", world->config.directory);
	check_refused(world, "not a regular file");
	snprintf(world->path, sizeof world->path, "%s/none/state.db", world->config.directory);
	check_refused(world, "No such file or directory");
}

static int tell_use(void *context, const struct pairs_use *use)
{
	char *text = context;

	text_append(text, 256, "%s %lld %lld; ", use->what, (long long)use->since_s,
		    (long long)use->used_s);
	return 0;
}

static const char *told_uses(struct state_case *world, const char *after, size_t limit)
{
	static char text[256];

	text[0] = '\0';
	assert_int_equal(
		pairs_uses_after(world->source, after, limit, tell_use, text, world->error), 0);
	return text;
}

static void uses_are_kept_read_by_their_keys_and_go(void **state)
{
	struct state_case *world = *state;
	struct pairs_use rows[] = {{.what = "b", .since_s = 3, .used_s = 0},
				   {.what = "a", .since_s = 1, .used_s = 2},
				   {.what = "c", .since_s = 4, .used_s = 5}};
	struct pairs_use read[] = {{.what = "a"}, {.what = "none"}};
	struct pairs_use gone[] = {{.what = "a"}, {.what = "none"}};

	must_sync(world);
	assert_int_equal(pairs_write_uses(world->source, rows, 3, world->error), 0);
	reopen(world);
	assert_string_equal(told_uses(world, "", 10), "a 1 2; b 3 0; c 4 5; ");
	assert_string_equal(told_uses(world, "a", 1), "b 3 0; ");
	assert_int_equal(pairs_read_uses(world->source, read, 2, world->error), 0);
	assert_true(read[0].found && read[0].since_s == 1 && read[0].used_s == 2);
	assert_false(read[1].found);
	rows[0].used_s = 9;
	assert_int_equal(pairs_write_uses(world->source, rows, 1, world->error), 0);
	assert_int_equal(pairs_write_uses(world->source, gone, 2, world->error), 0);
	assert_string_equal(told_uses(world, "", 10), "b 3 9; c 4 5; ");
	/* It is no change: nobody has to read anything again. */
	assert_true(world->source->calls->is_current(world->source));
}

static void uses_are_not_written_by_who_only_looks(void **state)
{
	struct state_case *world = *state;
	struct pairs_use row = {.what = "a", .since_s = 1};
	struct source *looks;

	must_sync(world);
	assert_int_equal(pairs_write_uses(world->source, &row, 1, world->error), 0);
	looks = state_look(world->path, SOURCE_READ, world->error);
	assert_non_null(looks);
	assert_int_equal(pairs_write_uses(looks, &row, 1, world->error), ERR_NOT_FOUND);
	row = (struct pairs_use){.what = "a"};
	assert_int_equal(pairs_read_uses(looks, &row, 1, world->error), 0);
	assert_true(row.found);
	source_close(looks);
}

static int tell_pair(void *context, const struct source_pair *pair)
{
	text_append(context, 256, "%s=%s; ", pair->key, pair->value);
	return 0;
}

static const char *told_pairs(struct state_case *world)
{
	static char text[256];

	text[0] = '\0';
	assert_int_equal(
		world->source->calls->pairs(world->source, "", 10, tell_pair, text, world->error),
		0);
	return text;
}

static void pairs_of_a_change_are_kept_with_it_or_not_at_all(void **state)
{
	struct state_case *world = *state;
	const struct source_calls *calls = world->source->calls;
	const struct source_pair first[] = {{"a", "1"}, {"b", "2"}}, next[] = {{"a", NULL}};
	uint64_t revision;

	must_sync(world);
	for (unsigned commits = 0; commits < 2; commits++) {
		assert_int_equal(calls->begin(world->source, "test", &revision, world->error), 0);
		assert_int_equal(calls->put(world->source, KIND_PTR, ID_1, "{}",
					    &(struct source_keys){.ptr = "a.test."}, world->error),
				 0);
		assert_int_equal(calls->put_pairs(world->source, first, 2, true, world->error), 0);
		assert_string_equal(told_pairs(world), "a=1; b=2; ");
		if (commits)
			assert_int_equal(calls->commit(world->source, world->error), COMMIT_YES);
		calls->roll_back(world->source);
		reopen(world);
		calls = world->source->calls;
		must_sync(world);
		assert_int_equal(state_told(world, 0).count, commits);
		assert_string_equal(told_pairs(world), commits ? "a=1; b=2; " : "");
	}
	assert_int_equal(calls->put_pairs(world->source, next, 1, true, world->error), 0);
	assert_string_equal(told_pairs(world), "b=2; ");
}

/* Nobody has to read anything again. */
static void pairs_alone_of_a_second_connection_are_ours(void **state)
{
	struct state_case *world = *state;
	const struct source_calls *calls = world->source->calls;
	const struct source_pair row = {"a", "1"};
	struct source *another;

	must_sync(world);
	another = calls->another(world->source, world->error);
	assert_non_null(another);
	assert_int_equal(calls->put_pairs(another, &row, 1, true, world->error), 0);
	assert_false(calls->is_current(world->source));
	calls->join(world->source, another);
	assert_true(calls->is_current(world->source));
	assert_string_equal(told_pairs(world), "a=1; ");
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static int count_changes(void *context, const struct source_change *change)
{
	(void)change;
	(*(unsigned *)context)++;
	return 0;
}

static void no_more_of_the_history_is_kept_than_its_limit(void **state)
{
	struct state_case *world = *state;
	char sql[256];

	state_case_open(world);
	state_must_ptr(world, "a", "a.test.");
	/* As after so many more changes, less one. */
	snprintf(sql, sizeof sql,
		 "INSERT INTO changes (seq, revision, time, who, kind, path)"
		 " SELECT seq + %d - 1, revision, time, who, kind, path FROM changes",
		 STATE_CHANGES_MAX);
	state_exec(world->path, sql);
	state_must_ptr(world, "b", "b.test."); /* in the place of the oldest */
	for (unsigned i = 0; i < 2; i++) {
		unsigned count = 0;

		assert_int_equal(world->source->calls->changes(world->source, source_after(0),
							       count_changes, &count, world->error),
				 0);
		assert_int_equal(count, 2 + i);
		state_must_ptr(world, "b", "c.test.");
	}
}

/* A change with more rows than the limit can still go back. */
static void a_change_s_own_rows_stay_in_the_history(void **state)
{
	static const struct state_put puts[] = {{KIND_PTR, "a", "{}", {.ptr = "a.test."}},
						{KIND_PTR, "b", "{}", {.ptr = "b.test."}}};
	struct state_case *world = *state;
	unsigned count = 0;
	char sql[256];

	state_case_open(world);
	/* As if so many rows had come between the two. */
	snprintf(sql, sizeof sql,
		 "CREATE TRIGGER far AFTER INSERT ON changes WHEN NEW.path = 'b' BEGIN"
		 " UPDATE changes SET seq = seq + %d WHERE seq = NEW.seq; END",
		 STATE_CHANGES_MAX);
	state_exec(world->path, sql);
	assert_int_equal(state_try(world, puts, COUNT(puts), NULL), 0);
	assert_int_equal(world->source->calls->changes(world->source, source_after(0),
						       count_changes, &count, world->error),
			 0);
	assert_int_equal(count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(uses_are_kept_read_by_their_keys_and_go),
		T(uses_are_not_written_by_who_only_looks),
		T(pairs_of_a_change_are_kept_with_it_or_not_at_all),
		T(pairs_alone_of_a_second_connection_are_ours),
		T(a_new_state_is_empty_and_its_owners_alone),
		T(everything_that_was_put_is_there_when_it_is_opened_again),
		T(a_resource_is_changed_and_deleted_with_what_it_is_found_by),
		T(a_group_is_kept_by_its_name_in_any_case),
		T(what_stands_in_the_way_undoes_the_whole_change),
		T(a_change_that_is_rolled_back_was_never_made),
		T(a_history_goes_on_in_the_middle_of_a_revision),
		T(a_place_in_the_history_is_found_by_an_index),
		T(a_revision_is_never_used_again),
		T(what_another_program_wrote_is_noticed_until_it_is_read),
		T(a_lock_that_stays_is_an_error_and_goes_by),
		T(a_full_disk_changes_nothing_and_goes_by),
		T(a_damaged_file_is_told_and_not_believed),
		T(a_record_of_somebody_elses_hand_is_named),
		T(a_record_with_a_longer_path_than_any_is_named),
		T(another_programs_database_is_left_alone),
		T(a_newer_versions_state_is_left_alone),
		T(a_secret_stays_the_same_and_each_name_has_its_own),
		T(a_secret_that_was_cut_short_is_not_believed),
		T(a_file_that_is_no_database_is_left_alone),
		T(an_empty_file_becomes_a_state),
		T(what_is_no_file_is_refused_without_waiting),
		T(no_more_of_the_history_is_kept_than_its_limit),
		T(a_change_s_own_rows_stay_in_the_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
