/* By what resources are found, and in which order they come; what no two of them share; and a
 * second connection, for a change that is made in a thread. */
#include "resolver/control/store/state.h"

#include <pthread.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "resolver/control/store/state_db.h"
#include "rules/base.h"
#include "rules/text.h"
#include "tests/lib/state_case.h"

#define ID "6f8b4ce6-1111-4d2e-9c55-0242ac1200"

/* Put in an order that none of those below is. */
static const struct state_put rows[] = {
	{KIND_ADDRESS,
	 "web/nine",
	 "{\"n\":1}",
	 {.id = ID "01", .address = {4, {9, 255, 255, 255}}, .host = "nine.east", .group = "web"}},
	{KIND_ADDRESS,
	 "-/six",
	 "{\"n\":2}",
	 {.id = ID "02", .address = {6, {0x20, 1, 0xd, 0xb8, [15] = 1}}, .group = ""}},
	{KIND_ADDRESS,
	 "web/ten",
	 "{\"n\":3}",
	 {.id = ID "03", .address = {4, {10, 0, 0, 0}}, .group = "web"}},
	{KIND_SERVICE, "-/app", "{\"n\":4}", {.id = ID "04", .address = {4, {9, 0, 0, 1}}}},
	{KIND_ADDRESS,
	 "-/high",
	 "{\"n\":5}",
	 {.id = ID "05", .address = {4, {255, 255, 255, 255}}, .group = ""}},
	{KIND_ADDRESS,
	 "-/low6",
	 "{\"n\":6}",
	 {.id = ID "06", .address = {6, {0}}, .host = "low6.east", .group = ""}},
	{KIND_ADDRESS,
	 "a/a",
	 "{\"n\":7}",
	 {.id = ID "07", .address = {4, {10, 0, 0, 128}}, .group = "a"}},
	{KIND_PTR, ID "09", "{\"n\":8}", {.ptr = "b.test."}},
	{KIND_PTR, ID "08", "{\"n\":9}", {.ptr = "a.test."}},
	{KIND_GROUP, "-/web", "{\"n\":10}", {.id = NULL}},
	{KIND_GROUP, "-/a", "{\"n\":11}", {.id = NULL}},
};

static int set_up(void **state)
{
	struct state_case *world = state_case_new();

	*state = world;
	state_case_open(world);
	return !world->source || world->source->calls->sync(world->source, world->error) ||
	       state_try(world, rows, COUNT(rows), NULL);
}

static int tear_down(void **state)
{
	state_case_free(*state);
	return 0;
}

static const struct source_calls *calls_of(const struct state_case *world)
{
	return world->source->calls;
}

static int try_one(struct state_case *world, struct state_put put)
{
	return state_try(world, &put, 1, NULL);
}

/* Their numbers, "3 1 4", told as paths. */
static int tell_number(void *context, const struct source_resource *resource)
{
	struct state_lines *told = context;
	const char *number = strrchr(resource->json, ':') + 1;

	told->count++;
	text_append(told->text, sizeof told->text, "%s%.*s", *told->text ? " " : "",
		    (int)strcspn(number, "}"), number);
	return told->err;
}

/* ---- finding ---- */

static void check_found(const struct state_lines *found, const char *path)
{
	char start[64];

	if (!path) {
		assert_string_equal(found->text, "");
		return;
	}
	assert_int_equal(found->count, 1);
	snprintf(start, sizeof start, " %s @1 {", path);
	assert_non_null(strstr(found->text, start));
}

static void each_is_found_by_what_it_has_and_by_nothing_else(void **state)
{
	static const struct {
		enum source_by by;
		unsigned kind;
		const char *text, *path;
	} looked[] = {
		{SOURCE_BY_PATH, KIND_ADDRESS, "web/nine", "web/nine"},
		{SOURCE_BY_PATH, KIND_SERVICE, "web/nine", NULL},
		{SOURCE_BY_PATH, KIND_ADDRESS, "web/Nine", NULL},
		{SOURCE_BY_PATH, KIND_ADDRESS, "web", NULL},
		{SOURCE_BY_PATH, KIND_SERVICE, "-/app", "-/app"},
		{SOURCE_BY_PATH, KIND_GROUP, "-/web", "-/web"},
		{SOURCE_BY_PATH, KIND_PTR, ID "08", ID "08"},
		{SOURCE_BY_ID, 0, ID "04", "-/app"},
		{SOURCE_BY_ID, KIND_ADDRESS, ID "04", "-/app"}, /* the kind does not count */
		{SOURCE_BY_ID, 0, ID "08", NULL},               /* that is a path */
		{SOURCE_BY_ID, 0, "", NULL},
		{SOURCE_BY_HOST, 0, "low6.east", "-/low6"},
		{SOURCE_BY_HOST, 0, "east", NULL},
		{SOURCE_BY_HOST, 0, "", NULL},
	};
	static const char *const addresses[][2] = {
		{"9.255.255.255", "web/nine"},
		{"9.0.0.1", "-/app"},
		{"2001:db8::1", "-/six"},
		{"::", "-/low6"},
		{"0.0.0.0", NULL},
		{"2001:db8::2", NULL},
	};
	struct state_case *world = *state;

	for (size_t i = 0; i < COUNT(looked); i++) {
		const struct state_lines found =
			state_found(world, looked[i].by, looked[i].kind, looked[i].text);
		check_found(&found, looked[i].path);
	}
	for (size_t i = 0; i < COUNT(addresses); i++) {
		const struct state_lines found = state_found_at(world, addresses[i][0]);
		check_found(&found, addresses[i][1]);
	}
}

static void resources_come_in_the_order_of_paths_between_two_of_them(void **state)
{
	static const char *const looked[][3] = {
		{"", "\xff", "5 6 2 7 1 3"},
		{"-/", "-0", "5 6 2"},
		{"-/low6", "web/ten", "6 2 7 1"},
		{"web/", "web0", "1 3"},
		{"x", "y", ""},
	};
	struct state_case *world = *state;

	for (size_t i = 0; i < COUNT(looked); i++) {
		struct state_lines told = {.text = ""};

		assert_int_equal(calls_of(world)->resources(world->source, KIND_ADDRESS,
							    looked[i][0], looked[i][1], tell_number,
							    &told, world->error),
				 0);
		assert_string_equal(told.text, looked[i][2]);
	}
}

/* ---- pages ---- */

static void check_page(struct state_case *world, struct source_page page, const char *numbers)
{
	struct state_lines told = {.text = ""};

	assert_int_equal(
		calls_of(world)->page(world->source, &page, tell_number, &told, world->error), 0);
	assert_string_equal(told.text, numbers);
}

static void pages_by_path_go_on_behind_one(void **state)
{
	struct state_case *world = *state;

	check_page(world, (struct source_page){.kind = KIND_ADDRESS, .limit = 4}, "5 6 2 7");
	check_page(world, (struct source_page){.kind = KIND_ADDRESS, .path = "a/a", .limit = 4},
		   "1 3");
	check_page(world, (struct source_page){.kind = KIND_ADDRESS, .path = "b", .limit = 1}, "1");
	check_page(world, (struct source_page){.kind = KIND_ADDRESS, .path = "web/ten", .limit = 4},
		   "");
	check_page(world, (struct source_page){.kind = KIND_ADDRESS, .limit = 0}, "");
	check_page(world, (struct source_page){.kind = KIND_PTR, .limit = INT64_MAX}, "9 8");
	check_page(world, (struct source_page){.kind = KIND_GROUP, .limit = INT64_MAX}, "11 10");
	check_page(world, (struct source_page){.kind = KIND_SERVICE, .limit = INT64_MAX}, "4");
}

static void pages_by_address_are_by_number_and_ipv4_comes_first(void **state)
{
	static const struct {
		unsigned kind;
		const char *behind;
		size_t limit;
		const char *numbers;
	} pages[] = {
		{KIND_ADDRESS, "", 99, "1 3 7 5 6 2"},
		{KIND_ADDRESS, "", 2, "1 3"},
		{KIND_ADDRESS, "10.0.0.0", 99, "7 5 6 2"},
		{KIND_ADDRESS, "10.0.0.1", 1, "7"}, /* nobody's */
		{KIND_ADDRESS, "255.255.255.255", 99, "6 2"},
		{KIND_ADDRESS, "::", 99, "2"},
		{KIND_ADDRESS, "2001:db8::1", 99, ""},
		{KIND_SERVICE, "", 99, "4"},
		{0, "", 99, "4 1 3 7 5 6 2"},
		{0, "9.0.0.0", 2, "4 1"},
		{0, "9.0.0.1", 2, "1 3"},
		{KIND_PTR, "", 99, ""}, /* they have none */
	};
	struct state_case *world = *state;

	for (size_t i = 0; i < COUNT(pages); i++) {
		const struct address behind = state_address(pages[i].behind);

		check_page(world,
			   (struct source_page){.kind = pages[i].kind,
						.address = &behind,
						.limit = pages[i].limit},
			   pages[i].numbers);
	}
}

static void pages_of_a_group_have_its_addresses_alone(void **state)
{
	static const struct {
		const char *group, *behind;
		size_t limit;
		const char *numbers;
	} pages[] = {
		{"web", "", 99, "1 3"}, {"web", "9.255.255.255", 99, "3"},
		{"web", "", 1, "1"},    {"web", "10.0.0.0", 99, ""},
		{"", "", 99, "5 6 2"},  {"", "::", 99, "2"},
		{"a", "", 99, "7"},     {"none", "", 99, ""},
		{"we", "", 99, ""},
	};
	struct state_case *world = *state;

	for (size_t i = 0; i < COUNT(pages); i++) {
		const struct address behind = state_address(pages[i].behind);

		check_page(world,
			   (struct source_page){.kind = KIND_ADDRESS,
						.group = pages[i].group,
						.address = &behind,
						.limit = pages[i].limit},
			   pages[i].numbers);
	}
}

static void a_page_goes_on_behind_what_was_removed_since(void **state)
{
	struct state_case *world = *state;
	const struct address behind = state_address("10.0.0.0");

	assert_int_equal(
		try_one(world, (struct state_put){KIND_ADDRESS, "web/ten", NULL, {.id = NULL}}), 0);
	check_page(world,
		   (struct source_page){.kind = KIND_ADDRESS, .address = &behind, .limit = 2},
		   "7 5");
	check_page(world, (struct source_page){.kind = KIND_ADDRESS, .path = "web/ten", .limit = 2},
		   "");
}

static void all_that_have_an_address_are_told_without_their_json(void **state)
{
	struct state_case *world = *state;
	struct state_lines told = {.text = ""};

	assert_int_equal(calls_of(world)->owned(world->source, tell, &told, world->error), 0);
	assert_int_equal(told.count, 7);
	assert_non_null(strstr(told.text, "101 -/low6 @1 - " ID "06"
					  " :: low6.east '' - | "));
	assert_non_null(strstr(told.text, "102 -/app @1 - " ID "04"
					  " 9.0.0.1 - - - | "));
	assert_null(strstr(told.text, "{"));
}

static void a_callback_that_fails_ends_the_call_and_the_next_one_begins_anew(void **state)
{
	struct state_case *world = *state;
	struct state_lines told = {.err = ERR_LIMIT};

	assert_int_equal(calls_of(world)->owned(world->source, tell, &told, world->error),
			 ERR_LIMIT);
	assert_int_equal(told.count, 1);
	told.err = 0;
	assert_int_equal(calls_of(world)->owned(world->source, tell, &told, world->error), 0);
	assert_int_equal(told.count, 8);
}

/* ---- counts ---- */

static size_t count_of(struct state_case *world, unsigned kind, const char *group)
{
	size_t count = 99;

	assert_int_equal(calls_of(world)->count(world->source, kind, group, &count, world->error),
			 0);
	return count;
}

static void counts_are_of_a_kind_and_of_a_group(void **state)
{
	struct state_case *world = *state;

	assert_int_equal(count_of(world, KIND_ADDRESS, NULL), 6);
	assert_int_equal(count_of(world, KIND_ADDRESS, "web"), 2);
	assert_int_equal(count_of(world, KIND_ADDRESS, ""), 3);
	assert_int_equal(count_of(world, KIND_ADDRESS, "none"), 0);
	assert_int_equal(count_of(world, KIND_SERVICE, NULL), 1);
	assert_int_equal(count_of(world, KIND_SERVICE, ""), 0);
	assert_int_equal(count_of(world, KIND_PTR, NULL), 2);
	assert_int_equal(count_of(world, KIND_GROUP, NULL), 2);
	assert_int_equal(count_of(world, 1, NULL), 0);
}

/* Whether the statement may walk: all rows that have an address, the oldest changes up to their
 * limit, and the file's items, whose few rows alike are sorted. */
static bool may_walk(const char *statement, const char *step)
{
	return strcmp(statement, "READ_OWNED") == 0 || strcmp(statement, "FORGET_CHANGES") == 0 ||
	       (strcmp(statement, "READ_ALIKE") == 0 && strcmp(step, "SCAN r") != 0);
}

/* A million rows are not walked through for one, nor sorted for a page. */
static void statements_go_by_an_index(void **state)
{
	static const struct {
		const char *name, *sql;
	} statements[] = {
#define X(name, sql) {#name, sql},
		STATEMENT_MAP(X)
#undef X
	};
	struct state_case *world = *state;
	struct file_rows *filed = file_rows_new(world->error);
	sqlite3 *db;

	assert_int_equal(file_rows_end(filed, world->error), 0);
	assert_int_equal(
		sqlite3_open_v2(world->path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, NULL),
		SQLITE_OK);
	assert_int_equal(file_rows_attach(filed, db), SQLITE_OK);
	for (size_t i = 0; i < COUNT(statements); i++) {
		char sql[2048];
		sqlite3_stmt *plan;

		snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", statements[i].sql);
		assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &plan, NULL), SQLITE_OK);
		while (sqlite3_step(plan) == SQLITE_ROW) {
			const char *step = (const char *)sqlite3_column_text(plan, 3);
			bool scans = strncmp(step, "SCAN", 4) == 0 &&
				     strcmp(step, "SCAN CONSTANT ROW") != 0;
			bool walks = scans || strstr(step, "TEMP B-TREE");

			if (walks && !may_walk(statements[i].name, step))
				fail_msg("%s: %s", statements[i].name, step);
		}
		sqlite3_finalize(plan);
	}
	sqlite3_close(db);
	file_rows_free(filed);
}

/* ---- what no two share ---- */

static void an_id_an_address_and_a_host_have_one_resource(void **state)
{
	static const struct state_put taken[] = {
		{KIND_ADDRESS, "-/new", "{}", {.id = ID "04"}}, /* another kind's */
		{KIND_SERVICE, "-/new", "{}", {.address = {4, {10, 0, 0, 128}}}},
		{KIND_ADDRESS, "-/new", "{}", {.address = {6, {0}}}},
		{KIND_ADDRESS, "-/new", "{}", {.host = "nine.east"}},
		{KIND_ADDRESS, "web/ten", "{}", {.host = "nine.east"}}, /* one that is there */
	};
	struct state_case *world = *state;
	uint64_t revision;

	for (size_t i = 0; i < COUNT(taken); i++) {
		assert_int_equal(
			calls_of(world)->begin(world->source, "test", &revision, world->error), 0);
		assert_int_equal(calls_of(world)->put(world->source, KIND_PTR, ID "10", "{}",
						      &(struct source_keys){.ptr = "x.test."},
						      world->error),
				 0);
		assert_int_equal(calls_of(world)->put(world->source, taken[i].kind, taken[i].path,
						      taken[i].json, &taken[i].keys, world->error),
				 ERR_EXISTS);
		state_case_check_error(world, taken[i].path);
		calls_of(world)->roll_back(world->source);
		assert_int_equal(state_told(world, 0).count, COUNT(rows));
	}
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_non_null(strstr(state_told(world, 0).text, rows[i].json));
}

static void what_has_none_of_them_is_in_nobodys_way(void **state)
{
	struct state_case *world = *state;

	for (unsigned i = 0; i < 3; i++) {
		char path[16];

		snprintf(path, sizeof path, "-/%u", i);
		assert_int_equal(try_one(world, (struct state_put){KIND_ADDRESS,
								   path,
								   "{}",
								   {.ptr = "same.test.",
								    .group = "same",
								    .region = "same"}}),
				 0);
	}
	assert_int_equal(count_of(world, KIND_ADDRESS, "same"), 3);
}

static void what_one_lets_go_of_another_takes_in_the_same_change(void **state)
{
	struct state_case *world = *state;
	struct state_put swap[3] = {rows[0], rows[2], rows[0]};

	swap[0].keys.address = (struct address){4, {10, 9, 9, 9}};
	swap[1].keys.address = rows[0].keys.address;
	swap[2].keys.address = rows[2].keys.address;
	assert_int_equal(state_try(world, swap, 3, NULL), 0);
	assert_non_null(strstr(state_found_at(world, "10.0.0.0").text, "web/nine"));
	assert_non_null(strstr(state_found_at(world, "9.255.255.255").text, "web/ten"));
	assert_int_equal(state_told(world, 0).count, COUNT(rows));
}

/* From each of them to each other one. */
static void what_a_resource_is_found_by_is_what_was_put_last(void **state)
{
	static const struct source_keys keys[] = {
		{.id = ID "50", .address = {4, {1, 1, 1, 1}}, .host = "a.east", .group = "one"},
		{.id = ID "51", .address = {4, {1, 1, 1, 1}}, .host = "a.east", .group = "one"},
		{.id = ID "50", .address = {4, {1, 1, 1, 2}}, .host = "a.east", .group = "one"},
		{.id = ID "50", .address = {6, {1, 1, 1, 1}}, .host = "a.east", .group = "one"},
		{.id = ID "50", .address = {4, {1, 1, 1, 1}}, .host = "b.east", .group = "one"},
		{.id = ID "50", .address = {4, {1, 1, 1, 1}}, .host = "a.east", .group = "two"},
		{.id = ID "50", .address = {4, {1, 1, 1, 1}}, .host = "a.east", .group = ""},
		{.address = {4, {1, 1, 1, 1}}, .host = "a.east", .group = "one"},
		{.id = ID "50", .host = "a.east", .group = "one"},
		{.id = ID "50", .address = {4, {1, 1, 1, 1}}, .group = "one"},
		{.id = ID "50", .address = {4, {1, 1, 1, 1}}, .host = "a.east"},
		{.ptr = "p.test.", .region = "east", .ptr_revision = 3, .ptr_action = 1},
		{.ptr = "p.test.", .ttl_given = true, .ttl = 0, .ptr_revision = 3},
		{.id = NULL},
	};
	struct state_case *world = *state;

	for (size_t i = 0; i < COUNT(keys) * COUNT(keys); i++) {
		const struct source_keys *last = &keys[i % COUNT(keys)];
		struct state_put put = {KIND_ADDRESS, "-/new", "{}", keys[i / COUNT(keys)]};
		struct source_resource expected = {KIND_ADDRESS, "-/new", "{}", .keys = last};
		struct state_lines told = {.text = ""};

		assert_int_equal(try_one(world, put), 0);
		put.keys = *last;
		assert_int_equal(state_try(world, &put, 1, &expected.revision), 0);
		tell(&told, &expected);
		assert_string_equal(state_found(world, SOURCE_BY_PATH, KIND_ADDRESS, "-/new").text,
				    told.text);
		assert_int_equal(state_found(world, SOURCE_BY_ID, 0, ID "50").count,
				 last->id && strcmp(last->id, ID "50") == 0);
		assert_int_equal(state_found_at(world, "1.1.1.1").count,
				 last->address.family == 4 && last->address.bytes[3] == 1);
		assert_int_equal(state_found(world, SOURCE_BY_HOST, 0, "a.east").count,
				 last->host && strcmp(last->host, "a.east") == 0);
		assert_int_equal(count_of(world, KIND_ADDRESS, "one"),
				 last->group && strcmp(last->group, "one") == 0);
	}
}

/* ---- while a change is open ---- */

static void a_change_sees_itself_and_nobody_else_does(void **state)
{
	struct state_case *world = *state;
	struct state_case other = *world;
	const struct address none = {0};
	uint64_t revision;

	other.source = state_open(other.path, other.error);
	assert_non_null(other.source);
	assert_int_equal(calls_of(world)->begin(world->source, "test", &revision, world->error), 0);
	assert_int_equal(calls_of(world)->put(world->source, KIND_ADDRESS, "-/new", "{\"n\":99}",
					      &(struct source_keys){.id = ID "99",
								    .address = {4, {1, 2, 3, 4}},
								    .host = "new.east",
								    .group = ""},
					      world->error),
			 0);
	assert_int_equal(state_found(world, SOURCE_BY_ID, 0, ID "99").count, 1);
	assert_int_equal(state_found(world, SOURCE_BY_HOST, 0, "new.east").count, 1);
	assert_int_equal(state_found_at(world, "1.2.3.4").count, 1);
	assert_int_equal(count_of(world, KIND_ADDRESS, ""), 4);
	check_page(world, (struct source_page){.address = &none, .limit = 2}, "99 4");
	assert_int_equal(state_found(&other, SOURCE_BY_ID, 0, ID "99").count, 0);
	assert_int_equal(count_of(&other, KIND_ADDRESS, ""), 3);
	assert_int_equal(calls_of(world)->commit(world->source, world->error), 0);
	assert_int_equal(state_found(&other, SOURCE_BY_ID, 0, ID "99").count, 1);
	source_close(other.source);
}

/* What a change walks along may change under it. */
static int put_one_more(void *context, const struct source_resource *resource)
{
	struct state_case *world = context;
	char path[64];

	snprintf(path, sizeof path, "%s!", resource->path);
	return calls_of(world)->put(world->source, KIND_PTR, path, "{}",
				    &(struct source_keys){.ptr = "x.test."}, world->error);
}

static void puts_may_come_between_the_rows_of_a_page_of_others(void **state)
{
	struct state_case *world = *state;
	const struct source_page page = {.kind = KIND_ADDRESS, .limit = 99};
	uint64_t revision;

	assert_int_equal(calls_of(world)->begin(world->source, "test", &revision, world->error), 0);
	assert_int_equal(
		calls_of(world)->page(world->source, &page, put_one_more, world, world->error), 0);
	assert_int_equal(calls_of(world)->commit(world->source, world->error), 0);
	assert_int_equal(count_of(world, KIND_PTR, NULL), 8);
}

/* ---- another ---- */

struct maker { /* makes a change with a connection of its own */
	struct state_case world;
	int err;
};

static void *make_change(void *context)
{
	struct maker *maker = context;

	maker->err = state_try_ptr(&maker->world, ID "77", "thread.test.");
	return NULL;
}

static void another(struct state_case *world, struct maker *maker)
{
	maker->world = *world;
	maker->world.source = calls_of(world)->another(world->source, world->error);
	assert_non_null(maker->world.source);
}

static void run_in_thread(void *(*run)(void *context), struct maker *maker)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, run, maker), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void in_thread(struct maker *maker)
{
	run_in_thread(make_change, maker);
}

static void a_change_of_a_second_connection_is_ours_once_they_have_joined(void **state)
{
	struct state_case *world = *state;
	struct maker maker;

	another(world, &maker);
	in_thread(&maker);
	assert_int_equal(maker.err, 0);
	calls_of(world)->join(world->source, maker.world.source);
	assert_true(calls_of(world)->is_current(world->source));
	assert_int_equal(state_must_ptr(world, ID "78", "next.test."), 3);
	assert_int_equal(count_of(world, KIND_PTR, NULL), 4);
}

static void without_a_join_it_is_another_programs(void **state)
{
	struct state_case *world = *state;
	struct maker maker;

	another(world, &maker);
	in_thread(&maker);
	assert_int_equal(maker.err, 0);
	source_close(maker.world.source);
	assert_false(calls_of(world)->is_current(world->source));
	assert_int_equal(state_try_ptr(world, ID "78", "next.test."), ERR_EXISTS);
	state_case_check_error(world, "changed by another program");
}

static void a_second_connection_that_changed_nothing_moves_nothing(void **state)
{
	struct state_case *world = *state;
	struct maker maker;

	for (unsigned i = 0; i < 2; i++) {
		another(world, &maker);
		if (i)
			assert_int_equal(state_told(&maker.world, 0).count, COUNT(rows));
		calls_of(world)->join(world->source, maker.world.source);
		assert_true(calls_of(world)->is_current(world->source));
	}
	another(world, &maker);
	state_exec(world->path, "UPDATE resources SET revision = 9");
	calls_of(world)->join(world->source, maker.world.source);
	assert_false(calls_of(world)->is_current(world->source));
}

static void what_another_program_writes_beside_them_is_noticed_all_the_same(void **state)
{
	static const char sql[] = "UPDATE resources SET json = '{\"n\":0}' WHERE kind = 103";
	struct state_case *world = *state;

	for (unsigned i = 0; i < 3; i++) { /* ahead of it, before its change, and after that */
		struct maker maker;

		if (i == 0)
			state_exec(world->path, sql);
		another(world, &maker);
		if (i == 1)
			state_exec(world->path, sql);
		in_thread(&maker);
		assert_int_equal(maker.err, 0);
		if (i == 2)
			state_exec(world->path, sql);
		calls_of(world)->join(world->source, maker.world.source);
		assert_false(calls_of(world)->is_current(world->source));
		assert_int_equal(calls_of(world)->sync(world->source, world->error), 0);
		assert_true(calls_of(world)->is_current(world->source));
	}
}

static void a_change_of_another_program_is_in_the_way_of_the_second_connection_too(void **state)
{
	struct state_case *world = *state;
	struct maker maker;

	state_exec(world->path, "UPDATE meta SET value = value + 1 WHERE key = 'revision'");
	another(world, &maker);
	in_thread(&maker);
	assert_int_equal(maker.err, ERR_EXISTS);
	state_case_check_error(&maker.world, "changed by another program");
	calls_of(world)->join(world->source, maker.world.source);
	assert_false(calls_of(world)->is_current(world->source));
	assert_int_equal(state_try_ptr(world, ID "78", "next.test."), ERR_EXISTS);
}

/* As an export does. */
static void a_second_connection_reads_while_another_program_holds_the_lock(void **state)
{
	struct state_case *world = *state;
	struct maker maker;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(world->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	another(world, &maker);
	assert_int_equal(state_told(&maker.world, 0).count, COUNT(rows));
	in_thread(&maker);
	assert_int_equal(maker.err, ERR_SYSTEM);
	state_case_check_error(&maker.world, "another program holds it");
	sqlite3_close(db);
	in_thread(&maker);
	assert_int_equal(maker.err, 0);
	calls_of(world)->join(world->source, maker.world.source);
	assert_true(calls_of(world)->is_current(world->source));
}

static void the_first_connection_reads_what_was_while_the_second_changes(void **state)
{
	struct state_case *world = *state;
	struct maker maker;
	uint64_t revision;

	another(world, &maker);
	assert_int_equal(
		calls_of(world)->begin(maker.world.source, "test", &revision, maker.world.error),
		0);
	assert_int_equal(calls_of(world)->put(maker.world.source, KIND_ADDRESS, "web/nine", NULL,
					      NULL, maker.world.error),
			 0);
	assert_int_equal(state_found_at(world, "9.255.255.255").count, 1);
	assert_int_equal(state_told(world, 0).count, COUNT(rows));
	assert_true(calls_of(world)->is_current(world->source));
	assert_int_equal(calls_of(world)->commit(maker.world.source, maker.world.error), 0);
	calls_of(world)->join(world->source, maker.world.source);
	assert_int_equal(state_found_at(world, "9.255.255.255").count, 0);
}

/* ---- the log ---- */

enum { LONG = 3000 }; /* rows: more than a thousand pages */

static void *put_many(void *context)
{
	struct maker *maker = context;
	struct state_put *many = calloc(LONG, sizeof *many);
	char(*paths)[24] = calloc(LONG, sizeof *paths), json[2048];

	memset(json, 'x', sizeof json - 1);
	json[sizeof json - 1] = '\0';
	for (unsigned i = 0; i < LONG; i++) {
		snprintf(paths[i], sizeof paths[i], "-/m%u", i);
		many[i] = (struct state_put){KIND_PTR, paths[i], json, {.ptr = "m.test."}};
	}
	maker->err = state_try(&maker->world, many, LONG, NULL);
	free(many);
	free(paths);
	return NULL;
}

static void *tidy(void *context)
{
	struct maker *maker = context;

	calls_of(&maker->world)->tidy(maker->world.source);
	return NULL;
}

/* How many PTRs the file has without its log. */
static size_t count_in_file(struct state_case *world)
{
	struct state_case copy = *world;
	char command[256];

	snprintf(copy.path, sizeof copy.path, "%s/copy.db", world->config.directory);
	snprintf(command, sizeof command, "cp %s %s", world->path, copy.path);
	assert_int_equal(system(command), 0);
	copy.source = state_look(copy.path, SOURCE_READ, copy.error);
	if (!copy.source)
		return 0; /* not even the tables */
	const size_t count = count_of(&copy, KIND_PTR, NULL);
	source_close(copy.source);
	return count;
}

static void check_tidied(struct state_case *world)
{
	struct maker maker;

	assert_true(calls_of(world)->is_untidy(world->source));
	assert_false(calls_of(world)->is_untidy(world->source)); /* it is seen to */
	assert_true(count_in_file(world) < LONG);
	another(world, &maker);
	run_in_thread(tidy, &maker);
	source_close(maker.world.source);
	assert_int_equal(count_in_file(world), LONG + 2);
	assert_true(calls_of(world)->is_current(world->source));
	assert_int_equal(count_of(world, KIND_PTR, NULL), LONG + 2);
	state_must_ptr(world, ID "78", "next.test.");
	assert_false(calls_of(world)->is_untidy(world->source));
	assert_int_equal(count_in_file(world), LONG + 2);
	state_case_open(world);
	assert_int_equal(count_of(world, KIND_PTR, NULL), LONG + 3);
}

static void a_long_log_is_put_into_the_file_by_another_thread(void **state)
{
	struct state_case *world = *state;
	struct maker maker = {.world = *world};

	assert_false(calls_of(world)->is_untidy(world->source));
	put_many(&maker);
	assert_int_equal(maker.err, 0);
	check_tidied(world);
}

static void so_is_what_a_second_connection_wrote(void **state)
{
	struct state_case *world = *state;
	struct maker maker;

	another(world, &maker);
	run_in_thread(put_many, &maker);
	assert_int_equal(maker.err, 0);
	calls_of(world)->join(world->source, maker.world.source);
	check_tidied(world);
}

static off_t log_bytes(const struct state_case *world)
{
	struct stat stat_of;

	assert_int_equal(stat(world->log, &stat_of), 0);
	return stat_of.st_size;
}

/* More than can be moved while somebody writes: it does not grow for ever. */
static void a_very_long_log_is_begun_anew(void **state)
{
	struct state_case *world = *state;
	struct maker maker = {.world = *world};

	while (log_bytes(world) < (off_t)20000 * 4096)
		put_many(&maker);
	const off_t bytes = log_bytes(world);
	another(world, &maker);
	run_in_thread(tidy, &maker);
	source_close(maker.world.source);
	maker.world = *world;
	put_many(&maker);
	assert_int_equal(maker.err, 0);
	assert_int_equal(log_bytes(world), bytes);
	assert_true(calls_of(world)->is_current(world->source));
	state_must_ptr(world, ID "78", "next.test.");
	state_case_open(world);
	assert_int_equal(count_of(world, KIND_PTR, NULL), LONG + 3);
}

static void *tidy_often(void *context)
{
	for (unsigned i = 0; i < 100; i++)
		tidy(context);
	return NULL;
}

static void changes_go_on_meanwhile(void **state)
{
	struct state_case *world = *state;
	struct maker maker;
	pthread_t thread;
	uint64_t revision = 0;

	another(world, &maker);
	assert_int_equal(pthread_create(&thread, NULL, tidy_often, &maker), 0);
	for (unsigned i = 0; i < 200; i++) {
		revision = state_must_ptr(world, ID "78", i % 2 ? "a.test." : "b.test.");
		assert_int_equal(count_of(world, KIND_PTR, NULL), 3);
		assert_true(calls_of(world)->is_current(world->source));
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	source_close(maker.world.source);
	assert_int_equal(revision, 201);
	state_case_open(world);
	assert_non_null(strstr(state_told(world, KIND_PTR).text, "| a.test. - @0 0"));
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_is_found_by_what_it_has_and_by_nothing_else),
		T(resources_come_in_the_order_of_paths_between_two_of_them),
		T(pages_by_path_go_on_behind_one),
		T(pages_by_address_are_by_number_and_ipv4_comes_first),
		T(pages_of_a_group_have_its_addresses_alone),
		T(a_page_goes_on_behind_what_was_removed_since),
		T(all_that_have_an_address_are_told_without_their_json),
		T(a_callback_that_fails_ends_the_call_and_the_next_one_begins_anew),
		T(counts_are_of_a_kind_and_of_a_group),
		T(statements_go_by_an_index),
		T(an_id_an_address_and_a_host_have_one_resource),
		T(what_has_none_of_them_is_in_nobodys_way),
		T(what_one_lets_go_of_another_takes_in_the_same_change),
		T(what_a_resource_is_found_by_is_what_was_put_last),
		T(a_change_sees_itself_and_nobody_else_does),
		T(puts_may_come_between_the_rows_of_a_page_of_others),
		T(a_change_of_a_second_connection_is_ours_once_they_have_joined),
		T(without_a_join_it_is_another_programs),
		T(a_second_connection_that_changed_nothing_moves_nothing),
		T(what_another_program_writes_beside_them_is_noticed_all_the_same),
		T(a_change_of_another_program_is_in_the_way_of_the_second_connection_too),
		T(a_second_connection_reads_while_another_program_holds_the_lock),
		T(the_first_connection_reads_what_was_while_the_second_changes),
		T(a_long_log_is_put_into_the_file_by_another_thread),
		T(so_is_what_a_second_connection_wrote),
		T(a_very_long_log_is_begun_anew),
		T(changes_go_on_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
