/* A change made in a book beside the present one: what it does not touch stays as it was, nothing
 * of it is to be seen before the end, and nothing of one that fails. */
#include "resolver/control/resource/remake.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolver/control/resource/change_group.h"
#include "resolver/control/resource/state_json.h"
#include "tests/lib/inventory_fixture.h"

#define SUBSCRIPTION "11111111-2222-3333-4444-555555555555"

/* ---- edits ---- */

static void add_to_group(struct inventory_fixture *fixture, const char *name, const char *group)
{
	const struct change_value values[] = {
		{"name", name}, {"resource_group", group}, {"allocation", "static"}};
	struct change *change = change_begin(fixture->inventory);

	assert_int_equal(change_add(change, OWNER_ADDRESS, values, 3, NULL), 0);
	assert_int_equal(change_commit(change), 0);
	change_free(change);
}

static int remove_group(void *context, struct change *change)
{
	return change_group_remove(change, context, SUBSCRIPTION);
}

static int do_nothing(void *context, struct change *change)
{
	(void)context;
	(void)change;
	return 0;
}

static struct remake *run(struct inventory_fixture *fixture,
			  int (*edit)(void *context, struct change *change), const char *group)
{
	struct remake *remake = remake_new(fixture->inventory);

	assert_non_null(remake);
	inventory_hold(fixture->inventory, true);
	remake_run(remake, false, edit, (void *)(uintptr_t)group);
	return remake;
}

/* Frees it; the outcome. */
static enum change_outcome finish(struct inventory_fixture *fixture, struct remake *remake)
{
	struct change_error error = {.outcome = CHANGE_FINE};
	int err = remake_finish(remake, &error);

	inventory_hold(fixture->inventory, false);
	remake_free(remake);
	assert_int_equal(err != 0, error.outcome != CHANGE_FINE);
	return error.outcome;
}

static const struct owner *in_group(const struct inventory_fixture *fixture, const char *name)
{
	return inventory_address(fixture->inventory, "g", name);
}

static char *export_of(const struct inventory_fixture *fixture)
{
	size_t length;
	char *text = state_export(fixture->inventory, &length);

	assert_non_null(text);
	assert_int_equal(strlen(text), length);
	return text;
}

/* ---- */

static void what_goes_is_gone_at_the_end_and_not_before(void **state)
{
	struct inventory_fixture *fixture = *state;
	char address[ADDRESS_TEXT_MAX];

	add_to_group(fixture, "one", "g");
	inventory_fixture_point(fixture, in_group(fixture, "one"), "one.test.");
	address_print(&in_group(fixture, "one")->address, address);
	struct remake *remake = run(fixture, remove_group, "g");
	assert_non_null(in_group(fixture, "one"));
	assert_true(inventory_fixture_serves(fixture, address, "one.test.", 3600));
	assert_int_equal(finish(fixture, remake), CHANGE_FINE);
	for (unsigned i = 0; i < 2; i++) {
		struct resource_group group;

		assert_null(in_group(fixture, "one"));
		assert_false(inventory_group(fixture->inventory, "g", &group));
		assert_true(inventory_fixture_serves(fixture, address, NULL, 0));
		inventory_fixture_restart(fixture);
	}
}

static void what_is_not_touched_keeps_its_records(void **state)
{
	struct inventory_fixture *fixture = *state;
	char etags[2][ETAG_MAX];

	add_to_group(fixture, "one", "g");
	add_to_group(fixture, "two", "other");
	inventory_fixture_add(fixture, "alone", "198.51.100.70");
	inventory_fixture_point(fixture, inventory_fixture_named(fixture, "alone"), "alone.test.");
	inventory_fixture_point(fixture, inventory_fixture_named(fixture, "bare"), "bare.test.");
	inventory_settle(fixture->inventory);
	owner_etag(inventory_fixture_named(fixture, "alone"), etags[0]);
	owner_etag(inventory_fixture_named(fixture, "bare"), etags[1]);
	assert_int_equal(finish(fixture, run(fixture, remove_group, "g")), CHANGE_FINE);
	for (unsigned i = 0; i < 2; i++) {
		char now[ETAG_MAX];

		assert_string_equal(owner_etag(inventory_fixture_named(fixture, "alone"), now),
				    etags[0]);
		assert_string_equal(owner_etag(inventory_fixture_named(fixture, "bare"), now),
				    etags[1]);
		assert_non_null(inventory_address(fixture->inventory, "other", "two"));
		assert_true(
			inventory_fixture_serves(fixture, "198.51.100.70", "alone.test.", 3600));
		assert_true(inventory_fixture_serves(fixture, "198.51.100.11", "bare.test.", 3600));
		assert_true(inventory_fixture_serves(fixture, "198.51.100.10", "f.test.", 3600));
		inventory_fixture_restart(fixture);
	}
}

static void what_waits_goes_on_waiting(void **state)
{
	struct inventory_fixture *fixture = *state;
	struct inventory_about about;

	inventory_fixture_point(fixture, inventory_fixture_named(fixture, "bare"), "bare.test.");
	assert_int_equal(inventory_fixture_load(fixture, FIXTURE_WORLD), 0);
	char *before = export_of(fixture);
	assert_int_equal(finish(fixture, run(fixture, do_nothing, NULL)), CHANGE_FINE);
	inventory_about(fixture->inventory, &about);
	assert_int_equal(about.waiting, 1);
	char *after = export_of(fixture);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void changes_go_on_where_it_ended(void **state)
{
	struct inventory_fixture *fixture = *state;

	add_to_group(fixture, "one", "g");
	inventory_fixture_add(fixture, "alone", "198.51.100.70");
	assert_int_equal(finish(fixture, run(fixture, remove_group, "g")), CHANGE_FINE);
	inventory_fixture_point(fixture, inventory_fixture_named(fixture, "alone"), "alone.test.");
	add_to_group(fixture, "one", "g");
	assert_int_equal(finish(fixture, run(fixture, remove_group, "g")), CHANGE_FINE);
	inventory_fixture_restart(fixture);
	assert_true(inventory_fixture_serves(fixture, "198.51.100.70", "alone.test.", 3600));
	assert_null(in_group(fixture, "one"));
}

static void an_edit_that_fails_moves_nothing(void **state)
{
	struct inventory_fixture *fixture = *state;

	inventory_fixture_add(fixture, "alone", "198.51.100.70");
	char *before = export_of(fixture);
	unsigned published = fixture->published;
	assert_int_equal(finish(fixture, run(fixture, remove_group, NULL)), CHANGE_READ_ONLY);
	char *after = export_of(fixture);
	assert_string_equal(before, after);
	assert_int_equal(fixture->published, published);
	free(before);
	free(after);
}

static void a_store_that_fails_moves_nothing(void **state)
{
	struct inventory_fixture *fixture = *state;
	struct inventory_about about;
	sqlite3 *other;

	add_to_group(fixture, "one", "g");
	assert_int_equal(sqlite3_open(fixture->state, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(finish(fixture, run(fixture, remove_group, "g")), CHANGE_STORE);
	sqlite3_close(other);
	inventory_about(fixture->inventory, &about);
	assert_non_null(about.error);
	assert_non_null(in_group(fixture, "one"));
	assert_int_equal(finish(fixture, run(fixture, remove_group, "g")), CHANGE_FINE);
	inventory_about(fixture->inventory, &about);
	assert_null(about.error);
	assert_null(in_group(fixture, "one"));
}

static void what_could_not_be_published_is_with_the_next_change(void **state)
{
	struct inventory_fixture *fixture = *state;
	char address[ADDRESS_TEXT_MAX];

	add_to_group(fixture, "one", "g");
	inventory_fixture_point(fixture, in_group(fixture, "one"), "one.test.");
	address_print(&in_group(fixture, "one")->address, address);
	fixture->refuse = true;
	assert_int_equal(finish(fixture, run(fixture, remove_group, "g")), CHANGE_NO_MEMORY);
	fixture->refuse = false;
	inventory_fixture_add(fixture, "next", "198.51.100.70");
	assert_true(inventory_fixture_serves(fixture, address, NULL, 0));
}

static void without_a_state_there_is_nothing_to_change(void **state)
{
	struct inventory_fixture fixture;

	(void)state;
	inventory_fixture_init(&fixture, "region = \"east\";\n" FIXTURE_POOLS FIXTURE_FILED);
	assert_int_equal(finish(&fixture, run(&fixture, remove_group, "g")), CHANGE_NO_STATE);
	inventory_fixture_release(&fixture);
}

#define T(test)                                                                                    \
	cmocka_unit_test_setup_teardown(test, inventory_fixture_set_up, inventory_fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_goes_is_gone_at_the_end_and_not_before),
		T(what_is_not_touched_keeps_its_records),
		T(what_waits_goes_on_waiting),
		T(changes_go_on_where_it_ended),
		T(an_edit_that_fails_moves_nothing),
		T(a_store_that_fails_moves_nothing),
		T(what_could_not_be_published_is_with_the_next_change),
		T(without_a_state_there_is_nothing_to_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
