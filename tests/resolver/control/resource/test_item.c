/* Items of every kind, found and listed by the same calls. */
#include "resolver/control/resource/item.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/text.h"
#include "tests/lib/addresses_fixture.h"

#define TARGET "targets = ({ address = \"10.9.9.9\"; });"
#define CONFIG                                                                                     \
	FIXTURE_WORLD FIXTURE_FILED                                                                \
		"rulesets = ({ name = \"b\"; resource_group = \"Lab\"; rules = (\n"                \
		"  { name = \"two\"; domain = \"two.test.\"; " TARGET " },\n"                      \
		"  { name = \"One\"; domain = \"one.test.\"; " TARGET " }); },\n"                  \
		" { name = \"B\"; rules = ({ name = \"xy\"; domain = \"three.test.\"; " TARGET     \
		" }); },\n"                                                                        \
		" { name = \"a\"; });\n"                                                           \
		"private_zones = ({ name = \"corp.test\"; record_sets = (\n"                       \
		"  { name = \"www:A\"; records = [ \"10.0.0.1\" ]; },\n"                           \
		"  { name = \"mail:A\"; records = [ \"10.0.0.2\" ]; }); });\n"

static int set_up(void **state)
{
	*state = addresses_fixture_new(CONFIG);
	return *state ? 0 : -1;
}

/* A list of the kind in all groups; inside NULL: inside all items. */
static struct item_list list_of(struct addresses_fixture *fixture, unsigned kind, const char *group,
				const char *inside)
{
	return (struct item_list){.resources = fixture->resources,
				  .path = {kind_of_id(kind), group, {inside, NULL}}};
}

/* The names in the list, read with so many to a page. Each page begins after the mark of the last
 * item before it. */
static const char *read_all(struct item_list list, size_t room)
{
	static char names[1024];
	const struct item_calls *items = items_of(list.path.kind);
	struct change_error error;
	struct arena arena;

	*names = '\0';
	list.arena = &arena;
	do {
		arena_init(&arena);
		assert_int_equal(items->next(&list, room, &error), 0);
		assert_true(list.count <= room);
		for (size_t i = 0; i < list.count; i++)
			text_append(names, sizeof names, "%s ", path_name(&list.items[i].path));
		if (list.count > 0)
			items->mark(&list, &list.items[list.count - 1], list.behind);
		arena_release(&arena);
	} while (list.more);
	return names;
}

static void check(struct item_list list, const char *names)
{
	for (size_t room = 1; room <= 6; room++)
		assert_string_equal(read_all(list, room), names);
}

static void lists_of_every_kind_have_one_order_however_many_to_a_page(void **state)
{
	struct addresses_fixture *fixture = *state;

	addresses_fixture_add(fixture, "high", "198.51.100.254");
	check(list_of(fixture, KIND_ADDRESS, NULL, NULL), "filed bare high ");
	check(list_of(fixture, KIND_SERVICE, NULL, NULL), "app ");
	check(list_of(fixture, KIND_GROUP, NULL, NULL), "Lab ");
	check(list_of(fixture, KIND_RULESET, NULL, NULL), "a B b ");
	check(list_of(fixture, KIND_RULESET, "lab", NULL), "b ");
	check(list_of(fixture, KIND_RULE, "lab", "B"), "One two ");
	check(list_of(fixture, KIND_RULE, NULL, NULL), "xy One two ");
	check(list_of(fixture, KIND_RECORD_SET, GROUP_NONE, "corp.test"), "mail:A www:A ");
	check(list_of(fixture, KIND_RULE, GROUP_NONE, "none"), "");
}

static bool has_ptr(void *context, const struct item *item)
{
	++*(size_t *)context;
	return !item->is_absent;
}

/* PTRs go by the addresses' marks, then by the services', and are named after ids. */
static void ptrs_are_those_of_addresses_then_of_services(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct item_list list = list_of(fixture, KIND_PTR, NULL, NULL);
	size_t asked = 0;
	char ids[256];

	snprintf(ids, sizeof ids, "%s %s %s ", addresses_fixture_named(fixture, "filed")->item.id,
		 addresses_fixture_named(fixture, "bare")->item.id,
		 services_by_name(fixture->resources, "app")->item.id);
	check(list, ids);
	list.fits = has_ptr;
	list.context = &asked;
	snprintf(ids, sizeof ids, "%s ", addresses_fixture_named(fixture, "filed")->item.id);
	check(list, ids);
	assert_true(asked >= 3);
	list.fits = NULL;
	list.only = "198.51.100.10";
	check(list, ids);
	list.path.kind = kind_of_id(KIND_SERVICE);
	check(list, "");
}

static void a_text_that_is_no_mark_is_refused(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct item_list lists[] = {list_of(fixture, KIND_ADDRESS, NULL, NULL),
				    list_of(fixture, KIND_RULE, NULL, NULL)};
	struct change_error error;
	struct arena arena;

	arena_init(&arena);
	for (size_t i = 0; i < 2; i++) {
		lists[i].arena = &arena;
		snprintf(lists[i].behind, sizeof lists[i].behind, "nonsense");
		assert_int_equal(items_of(lists[i].path.kind)->next(&lists[i], 1, &error),
				 ERR_INVALID);
		assert_string_equal(error.field, "marker");
		assert_false(lists[i].more);
	}
	arena_release(&arena);
}

static void an_item_is_found_in_its_own_spelling_and_with_its_place(void **state)
{
	static const struct {
		struct path asked;
		const char *group, *name;
	} rows[] = {
		{{.group = "LAB", .names = {"B", "ONE"}}, "Lab", "One"},
		{{.group = GROUP_NONE, .names = {"FILED", NULL}}, GROUP_NONE, "filed"},
		{{.group = GROUP_NONE, .names = {"LAB", NULL}}, GROUP_NONE, "Lab"},
		{{.group = GROUP_NONE, .names = {"corp.test", "WWW:a"}}, GROUP_NONE, "www:A"},
	};
	static const unsigned kinds_of[] = {KIND_RULE, KIND_ADDRESS, KIND_GROUP, KIND_RECORD_SET};
	struct addresses_fixture *fixture = *state;
	struct change_error error;
	char etag[ETAG_MAX], shown[ETAG_MAX];
	struct arena arena;
	struct item item;

	arena_init(&arena);
	for (size_t i = 0; i < 4; i++) {
		const struct kind *kind = kind_of_id(kinds_of[i]);
		const struct item_calls *items = items_of(kind);
		struct path asked = rows[i].asked;

		asked.kind = kind;
		assert_int_equal(items->find(fixture->resources, &asked, &arena, &item, &error), 0);
		assert_string_equal(item.path.group, rows[i].group);
		assert_string_equal(path_name(&item.path), rows[i].name);
		assert_non_null(item.origin.file);
		items->etag(fixture->resources, kind, &item, etag);
		json_decref(items->show(fixture->resources, &item, shown));
		assert_string_equal(etag, shown);
		asked.names[kind->parent != NULL] = "none";
		assert_int_equal(items->find(fixture->resources, &asked, &arena, &item, &error),
				 ERR_NOT_FOUND);
		assert_int_equal(error.outcome, CHANGE_FINE);
	}
	arena_release(&arena);
}

static bool is_no_b(void *context, const struct item *item)
{
	(void)context;
	return *path_name(&item->path) != 'b';
}

/* A zone that is gone may have left very many behind. */
static void record_sets_whose_zone_is_gone_are_read_by_portions_too(void **state)
{
	static const char rows[] = "WITH letters(c) AS (VALUES ('a'), ('b'), ('c'), ('d'), ('e')) "
				   "INSERT INTO resources (kind, path, revision, json) "
				   "SELECT 16, '-/gone.test/' || c || ':a', 1, '{}' FROM letters";
	struct addresses_fixture *fixture = *state;
	struct item_list list = list_of(fixture, KIND_RECORD_SET, GROUP_NONE, "gone.test");
	struct change_error error;
	struct arena arena;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(fixture->state, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, rows, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	check(list, "");
	list.unserved = true;
	check(list, "a:a b:a c:a d:a e:a ");
	list.fits = is_no_b;
	check(list, "a:a c:a d:a e:a ");
	list.rows_max = 2;
	arena_init(&arena);
	list.arena = &arena;
	assert_int_equal(items_of(list.path.kind)->next(&list, 6, &error), 0);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.behind, "b:a");
	assert_true(list.more);
	assert_int_equal(items_of(list.path.kind)->next(&list, 6, &error), 0);
	assert_int_equal(list.count, 2);
	assert_int_equal(items_of(list.path.kind)->next(&list, 6, &error), 0);
	assert_int_equal(list.count, 1);
	assert_false(list.more);
	arena_release(&arena);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, addresses_fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(lists_of_every_kind_have_one_order_however_many_to_a_page),
		T(ptrs_are_those_of_addresses_then_of_services),
		T(a_text_that_is_no_mark_is_refused),
		T(an_item_is_found_in_its_own_spelling_and_with_its_place),
		T(record_sets_whose_zone_is_gone_are_read_by_portions_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
