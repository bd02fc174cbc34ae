/* From one version of the tables to the next: what an old file has is there afterwards, as the
 * program would write it today, whatever gets in between. The old files are made here as the
 * versions made them. */
#include "resolver/control/store/state.h"

#include <dirent.h>
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

#include "resolver/control/resource/owned_resource.h"
#include "resolver/control/store/pairs.h"
#include "rules/schema/schema.h"
#include "tests/lib/limit_files.h"
#include "tests/lib/owned_given.h"
#include "tests/lib/random.h"
#include "tests/lib/state_case.h"

#define ID   "6f8b4ce6-1111-4d2e-9c55-0242ac1200"
#define ID_1 ID "01"
#define ID_2 ID "02"
#define ID_3 ID "03"
#define RECORDS                                                                                    \
	"INSERT INTO owners VALUES ('" ID_1 "', 'address', 'a', 'g', 'east', 's',"                 \
	" '198.51.100.1', 'static', 'label', NULL, '{\"k\":\"v\"}', 40), ('" ID_2 "', 'service',"  \
	" 'b', NULL, NULL, NULL, '2001:db8::9', 'dynamic', NULL, 'words', NULL, 41);"              \
	"INSERT INTO ptrs VALUES ('" ID_1 "', 'a.test.', 'mail', 60, 40), ('" ID_2 "', 'b.test.'," \
	" NULL, NULL, 41), ('" ID_3 "', 'c.test.', 'waits', 0, 39);"

enum { TABLES_UNTIL = 6 }; /* addresses and their like had tables of their own below this one */

static const char *const versions[TABLES_UNTIL] = {
	[1] = STATE_VERSION_1, [2] = STATE_VERSION_2, [3] = STATE_VERSION_3,
	[4] = STATE_VERSION_4, [5] = STATE_VERSION_5,
};

static int set_up(void **state)
{
	*state = state_case_new();
	return 0;
}

static int tear_down(void **state)
{
	state_case_free(*state);
	return 0;
}

static void exec(const struct state_case *world, const char *sql)
{
	state_exec(world->path, sql);
}

static void must_open(struct state_case *world)
{
	state_case_open(world);
	if (!world->source)
		fail_msg("%s", world->error);
	assert_int_equal(world->source->calls->sync(world->source, world->error), 0);
}

static void close_it(struct state_case *world)
{
	source_close(world->source);
	world->source = NULL;
}

static void remove_all(struct state_case *world)
{
	char path[128];

	close_it(world);
	unlink(world->path);
	unlink(world->log);
	snprintf(path, sizeof path, "%s-shm", world->path);
	unlink(path);
	for (unsigned version = 1; version < STATE_VERSION; version++) {
		snprintf(path, sizeof path, "%s.v%u", world->path, version);
		unlink(path);
		snprintf(path, sizeof path, "%s.v%u-wal", world->path, version);
		unlink(path);
	}
}

/* ---- the records above ---- */

#define TOLD                                                                                       \
	"101 g/a @40 {\"name\":\"a\",\"resource_group\":\"g\",\"id\":\"" ID_1 "\","                \
	"\"region\":\"east\",\"subscription\":\"s\",\"address\":\"198.51.100.1\","                 \
	"\"allocation\":\"static\",\"domain_name_label\":\"label\",\"tags\":{\"k\":\"v\"},"        \
	"\"reverse_fqdn\":\"a.test.\",\"description\":\"mail\",\"ttl\":60} " ID_1                  \
	" 198.51.100.1 label.east g east | a.test. 60 @40 0\n"                                     \
	"102 -/b @41 {\"name\":\"b\",\"id\":\"" ID_2 "\",\"address\":\"2001:db8::9\","             \
	"\"description\":\"words\",\"reverse_fqdn\":\"b.test.\"} " ID_2                            \
	" 2001:db8::9 - - - | b.test. - @41 0\n"                                                   \
	"103 " ID_3 " @39 {\"reverse_fqdn\":\"c.test.\",\"description\":\"waits\",\"ttl\":0}"      \
	" - - - - - | c.test. 0 @39 0\n"
#define TOLD_GROUP "104 -/g @41 {\"name\":\"g\",\"region\":\"east\"}\n"

/* The records are all there, and the next revision is the next one. */
static void check_everything(struct state_case *world, const char *told)
{
	const struct state_put deletion = {KIND_SERVICE, "-/b", NULL, {.id = NULL}};
	uint8_t bytes[PAIRS_SECRET_BYTES];
	uint64_t revision = 0;

	must_open(world);
	assert_string_equal(state_told(world, 0).text, told);
	assert_int_equal(state_try(world, &deletion, 1, &revision), 0);
	assert_int_equal(revision, 42);
	assert_int_equal(pairs_secret(world->source, "tokens", bytes, world->error), 0);
	close_it(world);
	assert_int_equal(state_version(world->path), STATE_VERSION);
}

static void everything_of_an_older_versions_file_is_there_afterwards(void **state)
{
	struct state_case *world = *state;

	for (unsigned version = 1; version < TABLES_UNTIL; version++) {
		exec(world, versions[version]);
		exec(world, RECORDS);
		/* Of versions without groups the addresses name them. */
		check_everything(world, version < 3 ? TOLD TOLD_GROUP : TOLD);
		remove_all(world);
	}
}

/* As version 6 made it: without `uses`. */
static void a_file_of_the_version_ahead_of_uses_gets_their_table(void **state)
{
	struct state_case *world = *state;
	struct pairs_use use = {.what = "rule a\tb", .since_s = 5, .used_s = 7};

	exec(world, STATE_VERSION_5 "PRAGMA user_version = 5");
	must_open(world);
	close_it(world);
	exec(world, STATE_VERSION_6_OF_8);
	must_open(world);
	assert_int_equal(state_version(world->path), STATE_VERSION);
	assert_int_equal(pairs_write_uses(world->source, &use, 1, world->error), 0);
}

static void an_older_versions_groups_are_those_that_its_addresses_name(void **state)
{
	struct state_case *world = *state;

	exec(world, STATE_VERSION_2 "INSERT INTO owners VALUES ('" ID_1
				    "', 'address', 'a', 'Web', 'west', NULL,"
				    " '198.51.100.1', 'static', NULL, NULL, NULL, 3),"
				    " ('" ID_2 "', 'address', 'b', 'wEB', 'east', NULL,"
				    " '198.51.100.2', 'static', NULL, NULL, NULL, 4),"
				    " ('" ID_3 "', 'address', 'c', NULL, 'east', NULL,"
				    " '198.51.100.3', 'static', NULL, NULL, "
				    "NULL, 5);");
	must_open(world);
	assert_string_equal(state_told(world, KIND_GROUP).text,
			    "104 -/web @41 {\"name\":\"Web\",\"region\":\"east\"}\n");
	assert_int_equal(state_found(world, SOURCE_BY_PATH, KIND_ADDRESS, "web/a").count, 1);
	assert_int_equal(state_found(world, SOURCE_BY_PATH, KIND_ADDRESS, "web/b").count, 1);
	assert_int_equal(state_found(world, SOURCE_BY_PATH, KIND_ADDRESS, "-/c").count, 1);
}

static void what_else_an_older_version_kept_stays(void **state)
{
	struct state_case *world = *state;
	struct pairs_serial row = {.zone = "z.test."};
	uint8_t bytes[PAIRS_SECRET_BYTES], kept[PAIRS_SECRET_BYTES];
	struct state_lines told = {.text = ""};

	memset(kept, 'k', sizeof kept);
	exec(world, STATE_VERSION_5
	     "INSERT INTO secrets VALUES ('tokens', CAST('kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk' AS "
	     "BLOB));"
	     "INSERT INTO serials VALUES ('z.test.', 7, 8, 9);"
	     "INSERT INTO resources VALUES (1, 1, '-/hub', 12, '{\"name\":\"hub\"}');"
	     "INSERT INTO changes VALUES (1, 12, 1, 'me', 1, '-/hub', NULL, "
	     "'{\"name\":\"hub\"}');");
	must_open(world);
	assert_int_equal(pairs_secret(world->source, "tokens", bytes, world->error), 0);
	assert_memory_equal(bytes, kept, sizeof bytes);
	assert_int_equal(pairs_read_serials(world->source, &row, 1, world->error), 0);
	assert_true(row.found && row.serial == 7 && row.reserved == 8 && row.digest == 9);
	assert_int_equal(world->source->calls->resources(world->source, 1, "", "\xff", tell, &told,
							 world->error),
			 0);
	assert_string_equal(told.text, "1 -/hub @12 {\"name\":\"hub\"}\n");
}

static void an_older_versions_state_gets_the_newer_tables(void **state)
{
	struct state_case *world = *state;
	struct pairs_serial row = {.zone = "z.test.", .serial = 7, .digest = 8};
	uint8_t bytes[PAIRS_SECRET_BYTES];

	exec(world, STATE_VERSION_1);
	must_open(world);
	assert_int_equal(pairs_secret(world->source, "tokens", bytes, world->error), 0);
	assert_int_equal(pairs_write_serials(world->source, &row, 1, world->error), 0);
	state_must_ptr(world, ID_1, "a.test.");
}

/* ---- as the program would write it today ---- */

static const struct owned_given given[] = {
	{.id = ID "10",
	 .name = "Plain",
	 .subscription = "11111111-2222-3333-4444-555555555555",
	 .address = {4, {198, 51, 100, 10}},
	 .revision = 3},
	{.id = ID "11",
	 .name = "0_odd.Name-_",
	 .resource_group = "Gr\xc3\xb6\xc3\x9f"
			   "e (1).x/y%2F\"\\",
	 .region = "East",
	 .address = {4, {255, 255, 255, 255}},
	 .allocation = ALLOCATION_STATIC,
	 .label = "web-01",
	 .tags = "{\"\":\"\",\"a\\\"b\\\\\":\"\xf0\x9f\x98\x80/'\",\"null\":\"null\"}",
	 .revision = 9,
	 .ptr = {.fqdn = "A\\.b\\032.Test.",
		 .description = "say \"it's\" \\ / \xf0\x9f\x98\x80",
		 .ttl_given = true,
		 .ttl = 2147483647,
		 .revision = 5}},
	{.id = ID "12",
	 .name = "a-name-of-eighty-characters.abcdefghijklmnopqrstuvwxyz"
		 "-abcdefghijklmnopqrstuvwxy",
	 .resource_group = "g",
	 .region = "east",
	 .address = {6, {0x20, 1, 0xd, 0xb8, [15] = 1}},
	 .label = "WEB-02",
	 .revision = 4,
	 .ptr = {.fqdn = "six.test.", .ttl_given = true, .ttl = 0, .revision = 8}},
	{.id = ID "13",
	 .name = "no-region",
	 .resource_group = "G",
	 .address = {6, {0xff, 0xff, [15] = 0xff}},
	 .label = "without-a-region",
	 .revision = 1,
	 .ptr = {.fqdn = "m.test.", .description = "", .revision = 1}},
	{.id = ID "14", .name = "zero", .address = {6, {0}}, .revision = 6},
	{.kind = KIND_SERVICE,
	 .id = ID "15",
	 .name = "App",
	 .subscription = "s",
	 .address = {4, {198, 51, 100, 15}},
	 .allocation = ALLOCATION_STATIC,
	 .description = "for \"people\"",
	 .tags = "{\"k\":\"v\"}",
	 .revision = 7,
	 .ptr = {.fqdn = "app.test.",
		 .description = "the PTR's",
		 .ttl_given = true,
		 .ttl = 300,
		 .revision = 10}},
	{.kind = KIND_SERVICE,
	 .id = ID "16",
	 .name = "bare",
	 .address = {6, {0x20, 1, 0xd, 0xb8, [15] = 16}},
	 .allocation = ALLOCATION_STATIC,
	 .revision = 2},
};
enum { GIVEN = sizeof given / sizeof *given };

static const struct given_ptr waiting[] = {
	{.fqdn = "gone.test.", .revision = 11},
	{.fqdn = "Gone\\.2.test.",
	 .description = "a \"b\"",
	 .ttl_given = true,
	 .ttl = 60,
	 .revision = 12},
};
enum { WAITING = sizeof waiting / sizeof *waiting };

/* NULL where text is. */
static void add_to(sqlite3 *db, const char *sql, const char *const *texts, int count,
		   const int64_t *numbers, int number_count)
{
	sqlite3_stmt *statement;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	for (int i = 0; i < count; i++)
		if (texts[i])
			sqlite3_bind_text(statement, 1 + i, texts[i], -1, SQLITE_STATIC);
	for (int i = 0; i < number_count; i++)
		if (numbers[i] >= 0)
			sqlite3_bind_int64(statement, 1 + count + i, numbers[i]);
	assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
	sqlite3_finalize(statement);
}

static void add_ptr(sqlite3 *db, const char *id, const struct given_ptr *ptr)
{
	const char *const texts[] = {id, ptr->fqdn, ptr->description};

	if (ptr->fqdn)
		add_to(db, "INSERT INTO ptrs VALUES (?1, ?2, ?3, ?4, ?5)", texts, 3,
		       (const int64_t[]){ptr->ttl_given ? (int64_t)ptr->ttl : -1,
					 (int64_t)ptr->revision},
		       2);
}

static void add_given(sqlite3 *db, const struct owned_given *one)
{
	char address[ADDRESS_TEXT_MAX];
	const char *const texts[] = {
		one->id,
		one->kind == KIND_SERVICE ? "service" : "address",
		one->name,
		one->resource_group,
		one->region,
		one->subscription,
		address_print(&one->address, address),
		schema_allocation_names[one->allocation],
		one->label,
		one->description,
		one->tags,
	};

	add_to(db, "INSERT INTO owners VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
	       texts, 11, (const int64_t[]){(int64_t)one->revision}, 1);
	add_ptr(db, one->id, &one->ptr);
}

static const char *waiting_id(size_t index, char id[UUID_TEXT_MAX])
{
	snprintf(id, UUID_TEXT_MAX, ID "2%zu", index);
	return id;
}

static void fill(const struct state_case *world, unsigned version)
{
	char id[UUID_TEXT_MAX];
	sqlite3 *db;

	exec(world, versions[version]);
	assert_int_equal(sqlite3_open(world->path, &db), SQLITE_OK);
	for (size_t i = 0; i < GIVEN; i++)
		add_given(db, &given[i]);
	for (size_t i = 0; i < WAITING; i++)
		add_ptr(db, waiting_id(i, id), &waiting[i]);
	if (version >= 3) {
		const char *const groups[][3] = {
			{"Gr\xc3\xb6\xc3\x9f"
			 "e (1).x/y%2F\"\\",
			 "East", "{\"a\\\"\":\"\\\\\"}"},
			{"g", "east", NULL},
			{"Empty", NULL, NULL},
		};
		for (size_t i = 0; i < 3; i++)
			add_to(db, "INSERT INTO resource_groups VALUES (?1, ?2, ?3, ?4)", groups[i],
			       3, (const int64_t[]){13 + (int64_t)i}, 1);
	}
	sqlite3_close(db);
}

/* Values have no order: the same line with its JSON sorted. */
static struct state_lines sorted(const struct state_lines *line)
{
	struct state_lines made = {.count = line->count};
	const char *begin = strchr(line->text, '{'), *end = strrchr(line->text, '}');
	json_t *values;
	char *json;

	assert_true(begin && end);
	values = json_loadb(begin, (size_t)(end + 1 - begin), 0, NULL);
	assert_non_null(values);
	json = json_dumps(values, JSON_COMPACT | JSON_SORT_KEYS);
	snprintf(made.text, sizeof made.text, "%.*s%s%s", (int)(begin - line->text), line->text,
		 json, end + 1);
	free(json);
	json_decref(values);
	return made;
}

static void check_row(struct state_case *world, const struct state_lines *found, unsigned kind,
		      const char *path, char *json, uint64_t revision,
		      const struct source_keys *keys)
{
	struct state_lines expected = {.text = ""};
	const struct source_resource resource = {kind, path, json, .revision = revision,
						 .keys = keys};

	(void)world;
	assert_non_null(json);
	tell(&expected, &resource);
	assert_string_equal(sorted(found).text, sorted(&expected).text);
	free(json);
}

static void check_given(struct state_case *world, const struct owned_given *one)
{
	struct arena arena;
	struct owned_scratch scratch;
	struct owned_resource resource;
	struct source_keys keys;
	const uint64_t revision =
		one->ptr.revision > one->revision ? one->ptr.revision : one->revision;
	char path[PATH_MAX_BYTES], address[ADDRESS_TEXT_MAX];

	arena_init(&arena);
	resource = owned_given(one, &arena);
	keys = owned_keys(&resource, &scratch);
	assert_int_equal(owned_key(&resource, path), 0);
	const struct state_lines found[] = {
		state_found(world, SOURCE_BY_PATH, resource.kind->id, path),
		state_found(world, SOURCE_BY_ID, 0, one->id),
		state_found_at(world, address_print(&one->address, address)),
		keys.host ? state_found(world, SOURCE_BY_HOST, 0, keys.host)
			  : state_found(world, SOURCE_BY_ID, 0, one->id),
	};
	for (size_t i = 0; i < 4; i++)
		check_row(world, &found[i], resource.kind->id, path, owned_row_json(&resource),
			  revision, &keys);
	arena_release(&arena);
}

static void check_waiting(struct state_case *world, const char *id, const struct given_ptr *ptr)
{
	struct arena arena;
	const struct owned_given one = {.id = id, .ptr = *ptr};
	struct owned_resource resource;
	struct source_keys keys;
	struct state_lines found;

	arena_init(&arena);
	resource = owned_given(&one, &arena);
	keys = owned_ptr_keys(&resource);
	found = state_found(world, SOURCE_BY_PATH, KIND_PTR, id);
	check_row(world, &found, KIND_PTR, id, owned_ptr_row_json(&resource), ptr->revision, &keys);
	arena_release(&arena);
}

static void check_as_written_today(struct state_case *world, bool has_groups)
{
	char path[PATH_MAX_BYTES], id[UUID_TEXT_MAX];
	size_t count = 0;

	for (size_t i = 0; i < GIVEN; i++)
		check_given(world, &given[i]);
	for (size_t i = 0; i < WAITING; i++)
		check_waiting(world, waiting_id(i, id), &waiting[i]);
	assert_int_equal(path_key_of(KIND_GROUP, NULL, given[1].resource_group, path), 0);
	const struct state_lines group = state_found(world, SOURCE_BY_PATH, KIND_GROUP, path);
	check_row(world, &group, KIND_GROUP, path,
		  strdup(has_groups ? "{\"name\":\"Gr\xc3\xb6\xc3\x9f"
				      "e (1).x/y%2F\\\"\\\\\",\"region\":\"East\","
				      "\"tags\":{\"a\\\"\":\"\\\\\"}}"
				    : "{\"name\":\"Gr\xc3\xb6\xc3\x9f"
				      "e (1).x/y%2F\\\"\\\\\",\"region\":\"East\"}"),
		  has_groups ? 13 : 41, NULL);
	assert_int_equal(state_told(world, 0).count,
			 GIVEN + WAITING + (has_groups ? 3 : 2)); /* and nothing else */
	assert_int_equal(
		world->source->calls->count(world->source, KIND_ADDRESS, "g", &count, world->error),
		0);
	assert_int_equal(count, 2);
	assert_int_equal(
		world->source->calls->count(world->source, KIND_ADDRESS, "", &count, world->error),
		0);
	assert_int_equal(count, 2);
}

static void every_row_becomes_what_the_program_would_write_of_it(void **state)
{
	struct state_case *world = *state;

	for (unsigned version = 1; version < TABLES_UNTIL; version++) {
		fill(world, version);
		must_open(world);
		check_as_written_today(world, version >= 3);
		remove_all(world);
	}
}

/* What is written over it is the same row. */
static void what_is_written_today_takes_the_place_of_a_row_of_before(void **state)
{
	struct state_case *world = *state;

	fill(world, 5);
	must_open(world);
	const size_t count = state_told(world, 0).count;
	for (size_t i = 0; i < GIVEN; i++) {
		struct arena arena;
		struct owned_scratch scratch;

		arena_init(&arena);
		const struct owned_resource resource = owned_given(&given[i], &arena);
		char path[PATH_MAX_BYTES], *json = owned_row_json(&resource);

		assert_int_equal(owned_key(&resource, path), 0);
		const struct state_put put = {resource.kind->id, path, json,
					      owned_keys(&resource, &scratch)};
		assert_int_equal(state_try(world, &put, 1, NULL), 0);
		free(json);
		arena_release(&arena);
	}
	assert_int_equal(state_told(world, 0).count, count);
}

/* ---- what no version wrote ---- */

static void a_record_of_somebody_elses_hand_is_named_and_nothing_is_migrated(void **state)
{
	static const struct {
		const char *sql, *says, *mends;
	} wrong[] = {
		{"UPDATE owners SET address = '300.1.1.1' WHERE name = 'a'",
		 "the address \"300.1.1.1\" of \"" ID_1 "\"",
		 "UPDATE owners SET address = '198.51.100.1' WHERE name = 'a'"},
		{"UPDATE owners SET allocation = 'often' WHERE name = 'a'",
		 "the allocation \"often\" of \"" ID_1 "\"",
		 "UPDATE owners SET allocation = 'static' WHERE name = 'a'"},
		{"UPDATE owners SET kind = 'thing' WHERE name = 'b'",
		 "the kind \"thing\" of \"" ID_2 "\"",
		 "UPDATE owners SET kind = 'service' WHERE name = 'b'"},
		{"UPDATE owners SET id = 'x' WHERE name = 'b'", "the id \"x\" of \"b\"",
		 "UPDATE owners SET id = '" ID_2 "' WHERE name = 'b'"},
		{"UPDATE owners SET tags = '{' WHERE name = 'a'", "the tags \"{\" of",
		 "UPDATE owners SET tags = '{\"k\":\"v\"}' WHERE name = 'a'"},
		{"UPDATE owners SET tags = '[]' WHERE name = 'a'", "the tags \"[]\" of",
		 "UPDATE owners SET tags = '{\"k\":\"v\"}' WHERE name = 'a'"},
		{"UPDATE ptrs SET ttl = -1 WHERE fqdn = 'c.test.'", "the ttl \"-1\"",
		 "UPDATE ptrs SET ttl = 0 WHERE fqdn = 'c.test.'"},
		{"UPDATE ptrs SET ttl = 2147483648 WHERE fqdn = 'c.test.'",
		 "the ttl \"2147483648\"", "UPDATE ptrs SET ttl = 0 WHERE fqdn = 'c.test.'"},
		{"UPDATE ptrs SET owner = 'x' WHERE fqdn = 'c.test.'",
		 "the owner \"x\" of \"c.test.\"",
		 "UPDATE ptrs SET owner = '" ID_3 "' WHERE fqdn = 'c.test.'"},
	};
	struct state_case *world = *state;

	exec(world, STATE_VERSION_1 RECORDS);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		exec(world, wrong[i].sql);
		state_case_open(world);
		assert_null(world->source);
		state_case_check_error(world, wrong[i].says);
		state_case_check_error(world, "repair or remove that record");
		assert_int_equal(state_version(world->path), 1);
		exec(world, wrong[i].mends);
	}
	exec(world, "UPDATE owners SET address = '2001:db8::9'");
	state_case_open(world);
	assert_null(world->source);
	state_case_check_error(world, "two of its records have the same");
	exec(world, "UPDATE owners SET address = '198.51.100.1' WHERE name = 'a'");
	check_everything(world, TOLD TOLD_GROUP);
}

/* ---- a look ---- */

static char *read_file(const char *path, size_t *length)
{
	FILE *file = fopen(path, "r");
	char *bytes = NULL;

	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	*length = (size_t)ftell(file);
	rewind(file);
	bytes = malloc(*length);
	assert_int_equal(fread(bytes, 1, *length, file), *length);
	fclose(file);
	return bytes;
}

static unsigned files_in(const char *directory)
{
	DIR *listing = opendir(directory);
	unsigned count = 0;

	assert_non_null(listing);
	while (readdir(listing))
		count++;
	closedir(listing);
	return count;
}

static void a_look_at_an_older_version_brings_a_copy_up_to_date(void **state)
{
	struct state_case *world = *state;

	for (unsigned version = 1; version < TABLES_UNTIL; version++) {
		size_t lengths[2];
		uint64_t revision;

		fill(world, version);
		const unsigned files = files_in(world->config.directory);
		char *before = read_file(world->path, &lengths[0]);
		world->source = state_look(world->path, SOURCE_READ, world->error);
		assert_non_null(world->source);
		assert_int_equal(world->source->calls->sync(world->source, world->error), 0);
		check_as_written_today(world, version >= 3);
		/* What would be lost with the copy is refused. */
		assert_int_equal(
			world->source->calls->begin(world->source, "test", &revision, world->error),
			ERR_SYSTEM);
		state_case_check_error(world, "only read here");
		assert_int_equal(files_in(world->config.directory), files);
		close_it(world);
		char *after = read_file(world->path, &lengths[1]);
		assert_int_equal(lengths[0], lengths[1]);
		assert_memory_equal(before, after, lengths[0]);
		assert_int_equal(files_in(world->config.directory), files);
		assert_int_equal(state_version(world->path), version);
		free(before);
		free(after);
		remove_all(world);
	}
}

/* The server that has it open may have all of it in its log. */
static void a_look_at_an_older_version_that_is_open_sees_its_log(void **state)
{
	struct state_case *world = *state;
	sqlite3 *db;

	exec(world, STATE_VERSION_5);
	assert_int_equal(sqlite3_open(world->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, RECORDS, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(access(world->log, F_OK), 0);
	world->source = state_look(world->path, SOURCE_READ, world->error);
	assert_non_null(world->source);
	assert_string_equal(state_told(world, 0).text, TOLD);
	/* A second connection is a look, too. */
	struct state_case other = *world;
	other.source = world->source->calls->another(world->source, other.error);
	assert_non_null(other.source);
	assert_string_equal(state_told(&other, 0).text, TOLD);
	world->source->calls->join(world->source, other.source);
	close_it(world);
	assert_int_equal(sqlite3_exec(db, "UPDATE meta SET value = 41", NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(state_version(world->path), 5);
	check_everything(world, TOLD);
}

static void a_look_at_what_is_no_state_of_ours_says_why(void **state)
{
	struct state_case *world = *state;

	assert_null(state_look(world->path, SOURCE_READ, world->error));
	assert_string_equal(world->error, "");
	exec(world, STATE_VERSION_1 "PRAGMA user_version = 99");
	assert_null(state_look(world->path, SOURCE_READ, world->error));
	state_case_check_error(world, "newer version");
	remove_all(world);
	exec(world, "CREATE TABLE theirs (x)");
	assert_null(state_look(world->path, SOURCE_READ, world->error));
	state_case_check_error(world, "another program's database");
}

/* ---- what gets in between ---- */

static void a_migration_that_cannot_be_written_leaves_the_old_version(void **state)
{
	struct state_case *world = *state;

	for (unsigned version = 1; version < TABLES_UNTIL; version++) {
		exec(world, versions[version]);
		exec(world, RECORDS);
		limit_files(100);
		assert_null(state_open(world->path, world->error));
		state_case_check_error(world, "disk");
		limit_files(RLIM_INFINITY);
		assert_int_equal(state_version(world->path), version);
		check_everything(world, version < 3 ? TOLD TOLD_GROUP : TOLD);
		remove_all(world);
	}
}

static void a_table_in_the_way_rolls_the_migration_back(void **state)
{
	struct state_case *world = *state;

	exec(world, STATE_VERSION_1 RECORDS "CREATE TABLE secrets (x);");
	assert_null(state_open(world->path, world->error));
	state_case_check_error(world, "cannot be prepared");
	assert_int_equal(state_version(world->path), 1);
	exec(world, "DROP TABLE secrets");
	check_everything(world, TOLD TOLD_GROUP);
}

static void a_migration_that_finds_the_file_locked_is_done_later(void **state)
{
	struct state_case *world = *state;
	sqlite3 *db;

	exec(world, STATE_VERSION_1 RECORDS);
	assert_int_equal(sqlite3_open(world->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_null(state_open(world->path, world->error));
	state_case_check_error(world, "another program holds it");
	sqlite3_close(db);
	assert_int_equal(state_version(world->path), 1);
	check_everything(world, TOLD TOLD_GROUP);
}

/* One that opens the file, killed at some instant of it; 0 where it had come to its end. */
static int open_and_die(const struct state_case *world, unsigned after_us)
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

static void a_migration_that_is_killed_is_done_by_the_next_start(void **state)
{
	struct state_case *world = *state;
	uint64_t seed = 0x2545f4914f6cdd1d;
	unsigned killed = 0;

	for (unsigned i = 0; i < 40; i++) {
		const unsigned from = i % 2 ? 1 : 5;

		exec(world, versions[from]);
		exec(world, RECORDS);
		killed += (unsigned)open_and_die(world, random_below(&seed, 12000));
		const long version = state_version(world->path);
		assert_true(version == from || version == STATE_VERSION);
		check_everything(world, from < 3 ? TOLD TOLD_GROUP : TOLD);
		remove_all(world);
	}
	assert_true(killed > 0);
}

static void a_newer_version_is_refused_and_not_touched(void **state)
{
	struct state_case *world = *state;
	char sql[64];

	exec(world, STATE_VERSION_1 RECORDS);
	snprintf(sql, sizeof sql, "PRAGMA user_version = %d", STATE_VERSION + 1);
	exec(world, sql);
	assert_null(state_open(world->path, world->error));
	state_case_check_error(world, "newer version");
	assert_int_equal(state_version(world->path), STATE_VERSION + 1);
	exec(world, "PRAGMA user_version = 1");
	check_everything(world, TOLD TOLD_GROUP);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(everything_of_an_older_versions_file_is_there_afterwards),
		T(a_file_of_the_version_ahead_of_uses_gets_their_table),
		T(an_older_versions_groups_are_those_that_its_addresses_name),
		T(what_else_an_older_version_kept_stays),
		T(an_older_versions_state_gets_the_newer_tables),
		T(every_row_becomes_what_the_program_would_write_of_it),
		T(what_is_written_today_takes_the_place_of_a_row_of_before),
		T(a_record_of_somebody_elses_hand_is_named_and_nothing_is_migrated),
		T(a_look_at_an_older_version_brings_a_copy_up_to_date),
		T(a_look_at_an_older_version_that_is_open_sees_its_log),
		T(a_look_at_what_is_no_state_of_ours_says_why),
		T(a_migration_that_cannot_be_written_leaves_the_old_version),
		T(a_table_in_the_way_rolls_the_migration_back),
		T(a_migration_that_finds_the_file_locked_is_done_later),
		T(a_migration_that_is_killed_is_done_by_the_next_start),
		T(a_newer_version_is_refused_and_not_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
