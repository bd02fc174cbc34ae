/* The SQLite source: what is kept, what a precondition guards, and what happens when the file is
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

#include "rules/schema/model.h"
#include "tests/lib/config_text.h"

#define ID_1 "6f8b4ce6-1111-4d2e-9c55-0242ac120001"
#define ID_2 "6f8b4ce6-1111-4d2e-9c55-0242ac120002"

struct world {
	struct config_text config; /* for its directory */
	char path[96];
	char error[SOURCE_ERROR_MAX];
	struct source *source;
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);

	config_text_init(&world->config);
	snprintf(world->path, sizeof world->path, "%s/state.db", world->config.directory);
	world->source = state_open(world->path, world->error);
	*state = world;
	return world->source ? 0 : -1;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	source_close(world->source);
	config_text_release(&world->config);
	free(world);
	return 0;
}

/* ---- what a load tells, as lines ---- */

struct told {
	char text[4096];
	size_t used;
	uint64_t revision; /* of the last record */
};

static const char *or_none(const char *text)
{
	return text ? text : "-";
}

static int on_owner(void *context, const struct source_owner *owner)
{
	struct told *told = context;
	char address[ADDRESS_TEXT_MAX];

	told->used += (size_t)snprintf(
		told->text + told->used, sizeof told->text - told->used,
		"%s %c %s %s %s %s %s %u %s %s %s\n", owner->id, owner->kind ? 's' : 'a',
		owner->name, or_none(owner->resource_group), or_none(owner->region),
		or_none(owner->subscription), address_print(&owner->address, address),
		owner->allocation, or_none(owner->label), or_none(owner->description),
		or_none(owner->tags));
	told->revision = owner->revision;
	return 0;
}

static int on_ptr(void *context, const struct source_ptr *ptr)
{
	struct told *told = context;

	told->used += (size_t)snprintf(told->text + told->used, sizeof told->text - told->used,
				       "%s %s %s %d %u\n", ptr->owner, ptr->fqdn,
				       or_none(ptr->description), ptr->ttl_given, ptr->ttl);
	told->revision = ptr->revision;
	return 0;
}

static int on_group(void *context, const struct source_group *group)
{
	struct told *told = context;

	told->used += (size_t)snprintf(told->text + told->used, sizeof told->text - told->used,
				       "group %s %s %s\n", group->name, or_none(group->region),
				       or_none(group->tags));
	told->revision = group->revision;
	return 0;
}

static struct told load(struct world *world)
{
	struct told told = {.used = 0};
	const struct source_reader reader = {&told, on_owner, on_ptr, on_group};

	assert_int_equal(source_load(world->source, &reader, world->error), 0);
	return told;
}

static int try_load(struct world *world)
{
	struct told told = {.used = 0};
	const struct source_reader reader = {&told, on_owner, on_ptr, on_group};

	return source_load(world->source, &reader, world->error);
}

static void reopen(struct world *world)
{
	source_close(world->source);
	world->source = state_open(world->path, world->error);
}

/* ---- edits ---- */

static struct source_edit put_owner(const char *id, const char *name, uint64_t expected)
{
	return (struct source_edit){
		.act = SOURCE_PUT_OWNER,
		.expected = expected,
		.owner = {.kind = OWNER_ADDRESS,
			  .id = id,
			  .name = name,
			  .address = {4, {198, 51, 100, 1}}},
	};
}

static struct source_edit put_ptr(const char *id, const char *fqdn, uint64_t expected)
{
	return (struct source_edit){
		.act = SOURCE_PUT_PTR,
		.expected = expected,
		.ptr = {.owner = id, .fqdn = fqdn},
	};
}

static int apply(struct world *world, struct source_edit edit, uint64_t *revision)
{
	return source_apply(world->source, &edit, 1, revision, world->error);
}

static uint64_t must_apply(struct world *world, struct source_edit edit)
{
	uint64_t revision = 0;

	assert_int_equal(apply(world, edit, &revision), 0);
	return revision;
}

/* ---- what is kept ---- */

static void a_new_state_is_empty_and_its_owners_alone(void **state)
{
	struct world *world = *state;
	struct stat stat_of;

	assert_string_equal(load(world).text, "");
	assert_int_equal(stat(world->path, &stat_of), 0);
	assert_int_equal(stat_of.st_mode & 0777, 0600);
}

static void everything_that_was_applied_is_there_when_it_is_opened_again(void **state)
{
	struct world *world = *state;
	uint64_t revision;
	const struct source_edit edits[] = {
		{.act = SOURCE_PUT_OWNER,
		 .owner = {OWNER_ADDRESS,
			   ID_1,
			   "a",
			   "g",
			   "east",
			   "s",
			   {4, {198, 51, 100, 1}},
			   ALLOCATION_STATIC,
			   "label",
			   NULL,
			   "{\"k\":\"v\"}",
			   0}},
		{.act = SOURCE_PUT_OWNER,
		 .owner = {OWNER_SERVICE,
			   ID_2,
			   "b",
			   NULL,
			   NULL,
			   NULL,
			   {6, {0x20, 1, 0xd, 0xb8, [15] = 9}},
			   ALLOCATION_DYNAMIC,
			   NULL,
			   "words",
			   NULL,
			   0}},
		{.act = SOURCE_PUT_PTR, .ptr = {ID_1, "a.test.", "mail", true, 0, 0}},
		{.act = SOURCE_PUT_PTR, .ptr = {ID_2, "b.test.", NULL, false, 0, 0}},
	};

	assert_int_equal(source_apply(world->source, edits, 4, &revision, world->error), 0);
	reopen(world);
	const struct told told = load(world);
	assert_string_equal(told.text,
			    ID_1 " a a g east s 198.51.100.1 1 label - {\"k\":\"v\"}\n" ID_2
				 " s b - - - 2001:db8::9 0 - words -\n" ID_1
				 " a.test. mail 1 0\n" ID_2 " b.test. - 0 0\n");
	assert_int_equal(told.revision, revision);
}

static void a_record_is_changed_and_deleted_on_its_own_revision(void **state)
{
	struct world *world = *state;

	load(world);
	const uint64_t first = must_apply(world, put_ptr(ID_1, "a.test.", 0));
	const uint64_t second = must_apply(world, put_ptr(ID_1, "b.test.", first));
	assert_string_equal(load(world).text, ID_1 " b.test. - 0 0\n");
	struct source_edit deletion = {
		.act = SOURCE_DELETE_PTR, .expected = second, .ptr = {.owner = ID_1}};
	must_apply(world, deletion);
	assert_string_equal(load(world).text, "");
}

static struct source_edit edit_group(enum source_act act, const char *name, const char *region,
				     uint64_t expected)
{
	return (struct source_edit){
		.act = act,
		.expected = expected,
		.group = {.name = name, .region = region, .tags = "{\"a\":\"b\"}"},
	};
}

static void a_group_is_kept_by_its_name_in_any_case(void **state)
{
	struct world *world = *state;
	uint64_t revision;

	load(world);
	uint64_t at = must_apply(world, edit_group(SOURCE_PUT_GROUP, "Web", NULL, 0));
	assert_string_equal(load(world).text, "group Web - {\"a\":\"b\"}\n");
	assert_int_equal(apply(world, edit_group(SOURCE_PUT_GROUP, "wEB", "x", 0), &revision),
			 ERR_EXISTS);
	assert_int_equal(apply(world, edit_group(SOURCE_PUT_GROUP, "web", "x", at + 1), &revision),
			 ERR_EXISTS);
	at = must_apply(world, edit_group(SOURCE_PUT_GROUP, "wEB", "east", at));
	must_apply(world, edit_group(SOURCE_PUT_GROUP, "other", "west", 0));
	reopen(world);
	assert_string_equal(load(world).text, "group other west {\"a\":\"b\"}\n"
					      "group wEB east {\"a\":\"b\"}\n");
	assert_int_equal(
		apply(world, edit_group(SOURCE_DELETE_GROUP, "web", NULL, at - 1), &revision),
		ERR_EXISTS);
	must_apply(world, edit_group(SOURCE_DELETE_GROUP, "WEB", NULL, at));
	assert_string_equal(load(world).text, "group other west {\"a\":\"b\"}\n");
}

static void a_precondition_that_does_not_hold_undoes_the_whole_change(void **state)
{
	struct world *world = *state;
	uint64_t revision = 0;

	load(world);
	const uint64_t first = must_apply(world, put_ptr(ID_1, "a.test.", 0));
	const struct source_edit wrong[][2] = {
		{put_ptr(ID_2, "new.test.", 0), put_ptr(ID_1, "b.test.", 0)},
		{put_ptr(ID_2, "new.test.", 0), put_ptr(ID_1, "b.test.", first + 1)},
		{put_ptr(ID_1, "b.test.", first), put_ptr(ID_2, "b.test.", first)},
		{put_ptr(ID_1, "b.test.", first),
		 {.act = SOURCE_DELETE_OWNER, .expected = 1, .owner = {.id = ID_1}}},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_int_equal(source_apply(world->source, wrong[i], 2, &revision, world->error),
				 ERR_EXISTS);
		assert_string_equal(load(world).text, ID_1 " a.test. - 0 0\n");
	}
}

static void a_revision_is_never_used_again(void **state)
{
	struct world *world = *state;
	uint64_t before = 0;

	load(world);
	for (unsigned i = 0; i < 5; i++) {
		const uint64_t made = must_apply(world, put_owner(ID_1, "a", 0));
		assert_true(made > before);
		struct source_edit deletion = {
			.act = SOURCE_DELETE_OWNER, .expected = made, .owner = {.id = ID_1}};
		before = must_apply(world, deletion);
		assert_true(before > made);
		reopen(world);
		load(world);
	}
}

static void what_another_program_wrote_is_noticed_until_it_is_loaded(void **state)
{
	struct world *world = *state;
	struct world other = *world;
	uint64_t revision;

	other.source = state_open(other.path, other.error);
	load(world);
	load(&other);
	must_apply(&other, put_ptr(ID_1, "other.test.", 0));
	assert_int_equal(apply(world, put_ptr(ID_2, "b.test.", 0), &revision), ERR_EXISTS);
	assert_non_null(strstr(world->error, "changed by another program"));
	load(world);
	must_apply(world, put_ptr(ID_2, "b.test.", 0));
	source_close(other.source);
}

/* ---- a store that fails ---- */

static void exec(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void a_lock_that_stays_is_an_error_and_goes_by(void **state)
{
	struct world *world = *state;
	struct source_about about;
	uint64_t revision;
	sqlite3 *db;

	load(world);
	assert_int_equal(sqlite3_open(world->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(apply(world, put_ptr(ID_1, "a.test.", 0), &revision), ERR_SYSTEM);
	assert_non_null(strstr(world->error, "another program holds it"));
	source_about(world->source, &about);
	assert_non_null(about.error);
	sqlite3_close(db);
	must_apply(world, put_ptr(ID_1, "a.test.", 0));
	source_about(world->source, &about);
	assert_null(about.error);
}

static void a_full_disk_changes_nothing_and_goes_by(void **state)
{
	struct world *world = *state;
	struct rlimit before, none;
	uint64_t revision, last = 0;
	int err = 0;

	load(world);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none = before;
	none.rlim_cur = 65536;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	for (unsigned i = 0; !err && i < 1000; i++) {
		err = apply(world, put_ptr(ID_1, i % 2 ? "a.test." : "b.test.", last), &revision);
		last = err ? last : revision;
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(err, ERR_SYSTEM);
	assert_non_null(strstr(world->error, "disk"));
	const struct told told = load(world);
	assert_int_equal(told.revision, last);
	must_apply(world, put_ptr(ID_1, "c.test.", last));
	assert_string_equal(load(world).text, ID_1 " c.test. - 0 0\n");
}

static void a_damaged_file_is_told_and_not_believed(void **state)
{
	struct world *world = *state;
	char junk[4096];

	load(world);
	for (unsigned i = 0; i < 300; i++) {
		char id[37];

		snprintf(id, sizeof id, "6f8b4ce6-1111-4d2e-9c55-%012u", i);
		must_apply(world, put_ptr(id, "a.test.", 0));
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
	world->source = state_open(world->path, world->error);
	if (world->source)
		assert_int_equal(try_load(world), ERR_SYSTEM);
	assert_non_null(strstr(world->error, "damaged"));
}

static void a_record_of_somebody_elses_hand_is_named(void **state)
{
	static const struct {
		const char *sql, *says;
	} wrong[] = {
		{"INSERT INTO owners VALUES ('" ID_1 "', 'address', 'a', NULL, NULL, NULL,"
		 " '300.1.1.1', 'static', NULL, NULL, NULL, 1)",
		 "the address \"300.1.1.1\""},
		{"UPDATE owners SET address = '192.0.2.1', allocation = 'often'",
		 "the allocation \"often\""},
		{"UPDATE owners SET allocation = 'static', kind = 'thing'", "the kind \"thing\""},
		{"UPDATE owners SET kind = 'service', id = 'x'", "the id \"x\""},
		{"DELETE FROM owners; INSERT INTO ptrs VALUES ('" ID_1 "', 'a.test.', NULL, -1, 1)",
		 "the ttl \"-1\""},
		{"UPDATE ptrs SET ttl = 2147483648", "the ttl \"2147483648\""},
	};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		exec(world->path, wrong[i].sql);
		assert_int_equal(try_load(world), ERR_SYSTEM);
		assert_non_null(strstr(world->error, wrong[i].says));
	}
	exec(world->path, "UPDATE ptrs SET ttl = 2147483647");
	assert_string_equal(load(world).text, ID_1 " a.test. - 1 2147483647\n");
}

/* ---- files that are no state ---- */

static void check_refused(struct world *world, const char *says)
{
	reopen(world);
	assert_null(world->source);
	if (!strstr(world->error, says))
		fprintf(stderr, "%s\n", world->error);
	assert_non_null(strstr(world->error, says));
}

static void another_programs_database_is_left_alone(void **state)
{
	struct world *world = *state;

	snprintf(world->path, sizeof world->path, "%s/other.db", world->config.directory);
	exec(world->path, "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
	check_refused(world, "another program's database");
	exec(world->path, "UPDATE theirs SET x = 2"); /* is there, and can be used */
}

static void set_version(const char *path, int version)
{
	char sql[64];

	snprintf(sql, sizeof sql, "PRAGMA user_version = %d", version);
	exec(path, sql);
}

static void an_older_versions_groups_are_those_that_its_addresses_name(void **state)
{
	static const char older[] =
		"DROP TABLE resource_groups; DROP TABLE serials;"
		"DROP TABLE resources; DROP TABLE changes;"
		"UPDATE meta SET value = 7 WHERE key = 'revision';"
		"INSERT INTO owners VALUES ('" ID_1 "', 'address', 'a', 'Web', 'west', NULL,"
		" '198.51.100.1', 'static', NULL, NULL, NULL, 3),"
		" ('" ID_2 "', 'address', 'b', 'wEB', 'east', NULL,"
		" '198.51.100.2', 'static', NULL, NULL, NULL, 4),"
		" ('6f8b4ce6-1111-4d2e-9c55-0242ac120003', 'address', 'c', NULL, 'east', NULL,"
		" '198.51.100.3', 'static', NULL, NULL, NULL, 5);";
	struct world *world = *state;

	source_close(world->source);
	exec(world->path, older);
	set_version(world->path, 2);
	world->source = state_open(world->path, world->error);
	assert_non_null(world->source);
	static const char groups[] = "group Web east -\n" ID_1 " ";
	const struct told told = load(world);
	assert_int_equal(strncmp(told.text, groups, sizeof groups - 1), 0);
	must_apply(world, edit_group(SOURCE_PUT_GROUP, "web", "north", 7));
}

static void a_newer_versions_state_is_left_alone(void **state)
{
	struct world *world = *state;

	set_version(world->path, STATE_VERSION + 1);
	check_refused(world, "newer version");
	set_version(world->path, STATE_VERSION);
	reopen(world);
	assert_non_null(world->source);
}

static int keep_secret(struct world *world, const char *name, uint8_t bytes[SOURCE_SECRET_BYTES])
{
	return world->source->calls->secret(world->source, name, bytes, world->error);
}

static void an_older_versions_state_gets_the_newer_tables(void **state)
{
	struct world *world = *state;
	uint8_t bytes[SOURCE_SECRET_BYTES];

	exec(world->path, "DROP TABLE serials; DROP TABLE secrets; DROP TABLE resource_groups; "
			  "DROP TABLE resources; DROP TABLE changes; "
			  "PRAGMA user_version = 1");
	reopen(world);
	assert_non_null(world->source);
	assert_int_equal(keep_secret(world, "tokens", bytes), 0);
	struct source_serial row = {.zone = "z.test.", .serial = 7, .digest = 8};
	assert_int_equal(world->source->calls->serials(world->source, &row, 1, true, world->error),
			 0);
}

static void a_secret_stays_the_same_and_each_name_has_its_own(void **state)
{
	struct world *world = *state;
	uint8_t first[SOURCE_SECRET_BYTES], other[SOURCE_SECRET_BYTES], again[SOURCE_SECRET_BYTES];

	assert_int_equal(keep_secret(world, "tokens", first), 0);
	assert_int_equal(keep_secret(world, "other", other), 0);
	assert_memory_not_equal(first, other, sizeof first);
	reopen(world);
	assert_int_equal(keep_secret(world, "tokens", again), 0);
	assert_memory_equal(first, again, sizeof first);
}

static void a_secret_that_was_cut_short_is_not_believed(void **state)
{
	struct world *world = *state;
	uint8_t bytes[SOURCE_SECRET_BYTES];

	assert_int_equal(keep_secret(world, "tokens", bytes), 0);
	exec(world->path, "UPDATE secrets SET value = substr(value, 1, 31)");
	assert_int_equal(keep_secret(world, "tokens", bytes), ERR_SYSTEM);
	assert_non_null(strstr(world->error, "tokens"));
}

static void a_file_that_is_no_database_is_left_alone(void **state)
{
	struct world *world = *state;

	snprintf(world->path, sizeof world->path, "%s/text", world->config.directory);
	config_text_put(&world->config, "text", "nothing that a database would begin with\n");
	check_refused(world, "name another file in management.state");
}

static void an_empty_file_becomes_a_state(void **state)
{
	struct world *world = *state;

	snprintf(world->path, sizeof world->path, "%s/empty", world->config.directory);
	config_text_put(&world->config, "empty", "");
	reopen(world);
	assert_non_null(world->source);
	load(world);
	must_apply(world, put_ptr(ID_1, "a.test.", 0));
}

static void what_is_no_file_is_refused_without_waiting(void **state)
{
	struct world *world = *state;
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

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_new_state_is_empty_and_its_owners_alone),
		T(everything_that_was_applied_is_there_when_it_is_opened_again),
		T(a_record_is_changed_and_deleted_on_its_own_revision),
		T(a_group_is_kept_by_its_name_in_any_case),
		T(a_precondition_that_does_not_hold_undoes_the_whole_change),
		T(a_revision_is_never_used_again),
		T(what_another_program_wrote_is_noticed_until_it_is_loaded),
		T(a_lock_that_stays_is_an_error_and_goes_by),
		T(a_full_disk_changes_nothing_and_goes_by),
		T(a_damaged_file_is_told_and_not_believed),
		T(a_record_of_somebody_elses_hand_is_named),
		T(another_programs_database_is_left_alone),
		T(an_older_versions_groups_are_those_that_its_addresses_name),
		T(a_newer_versions_state_is_left_alone),
		T(an_older_versions_state_gets_the_newer_tables),
		T(a_secret_stays_the_same_and_each_name_has_its_own),
		T(a_secret_that_was_cut_short_is_not_believed),
		T(a_file_that_is_no_database_is_left_alone),
		T(an_empty_file_becomes_a_state),
		T(what_is_no_file_is_refused_without_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
