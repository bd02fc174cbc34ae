/* Many PTRs as one change: nothing is to be seen of it before it is stored, and nothing of one that
 * does not fit. */
#include "resolver/control/resource/ptr_batch.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/inventory_fixture.h"

static int add(struct ptr_batch *batch, const struct owner *owner, const char *fqdn,
	       struct change_error *error)
{
	return ptr_batch_add(batch, owner, &(const struct change_ptr){.fqdn = fqdn}, error);
}

static struct ptr_batch *begin(struct inventory_fixture *fixture)
{
	struct ptr_batch *batch = ptr_batch_new(fixture->inventory);

	assert_non_null(batch);
	inventory_hold(fixture->inventory, true);
	return batch;
}

static void end(struct inventory_fixture *fixture, struct ptr_batch *batch)
{
	inventory_hold(fixture->inventory, false);
	ptr_batch_free(batch);
}

static void finish(struct inventory_fixture *fixture, struct ptr_batch *batch)
{
	struct change_error error;

	ptr_batch_store(batch);
	while (ptr_batch_settle(batch, 1))
		;
	assert_int_equal(ptr_batch_finish(batch, &error), 0);
	end(fixture, batch);
}

static void all_of_it_is_served_at_once_and_kept(void **state)
{
	struct inventory_fixture *fixture = *state;
	const struct owner *app = inventory_fixture_named(fixture, "app");
	const struct owner *bare = inventory_fixture_named(fixture, "bare");
	struct change_error error;
	struct inventory_about about;

	inventory_fixture_point(fixture, app, "old.test.");
	app = inventory_fixture_named(fixture, "app");
	unsigned published = fixture->published;
	struct ptr_batch *batch = begin(fixture);
	assert_int_equal(add(batch, bare, "bare.test", &error), 0);
	assert_int_equal(add(batch, app, NULL, &error), 0);
	assert_true(inventory_fixture_serves(fixture, "198.51.100.11", NULL, 0));
	assert_null(inventory_fixture_named(fixture, "bare")->ptr.fqdn);
	ptr_batch_store(batch);
	assert_true(inventory_fixture_serves(fixture, "198.51.100.11", NULL, 0));
	assert_false(ptr_batch_settle(batch, 2));
	assert_true(inventory_fixture_serves(fixture, "198.51.100.11", NULL, 0));
	assert_int_equal(fixture->published, published);
	assert_int_equal(ptr_batch_finish(batch, &error), 0);
	const struct ptr_batch_counts counts = ptr_batch_count(batch);
	assert_int_equal(counts.set, 1);
	assert_int_equal(counts.removed, 1);
	end(fixture, batch);
	assert_int_equal(fixture->published, published + 1);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(inventory_fixture_serves(fixture, "198.51.100.11", "bare.test.", 3600));
		assert_true(inventory_fixture_serves(fixture, "198.51.100.20", NULL, 0));
		assert_string_equal(inventory_fixture_named(fixture, "bare")->ptr.fqdn,
				    "bare.test.");
		assert_null(inventory_fixture_named(fixture, "app")->ptr.fqdn);
		inventory_about(fixture->inventory, &about);
		assert_int_equal(about.ptrs, 2);
		inventory_fixture_restart(fixture);
	}
}

/* However many portions it takes until it is published, and whatever the workers let go of between.
 */
static void what_no_worker_was_given_yet_stays_pending(void **state)
{
	struct inventory_fixture *fixture = *state;
	const struct owner *kept = inventory_fixture_add(fixture, "kept", "198.51.100.40");
	const struct owner *bare = inventory_fixture_named(fixture, "bare");
	struct change_error error;
	struct ptr_batch *batch = begin(fixture);

	assert_int_equal(add(batch, bare, "bare.test.", &error), 0);
	assert_int_equal(add(batch, kept, "kept.test.", &error), 0);
	ptr_batch_store(batch);
	assert_true(ptr_batch_settle(batch, 1));
	assert_string_equal(bare->ptr.fqdn, "bare.test.");
	assert_null(kept->ptr.fqdn);
	assert_false(inventory_settle(fixture->inventory));
	assert_int_equal(bare->ptr.status, PTR_PENDING);
	assert_false(ptr_batch_settle(batch, 1));
	assert_false(inventory_settle(fixture->inventory));
	assert_int_equal(ptr_batch_finish(batch, &error), 0);
	assert_int_equal(bare->ptr.status, PTR_PENDING);
	assert_int_equal(kept->ptr.status, PTR_PENDING);
	assert_false(inventory_settle(fixture->inventory));
	assert_int_equal(bare->ptr.status, PTR_ACTIVE);
	assert_int_equal(kept->ptr.status, PTR_ACTIVE);
	end(fixture, batch);
}

static void as_many_rows_are_freed_as_are_asked_for(void **state)
{
	struct inventory_fixture *fixture = *state;
	struct change_error error;
	struct ptr_batch *batch = begin(fixture);

	assert_int_equal(add(batch, inventory_fixture_named(fixture, "bare"), "a.test.", &error),
			 0);
	assert_int_equal(add(batch, inventory_fixture_named(fixture, "app"), NULL, &error), 0);
	assert_true(ptr_batch_clear(batch, 1));
	assert_false(ptr_batch_clear(batch, 1));
	end(fixture, batch);
	assert_true(inventory_fixture_serves(fixture, "198.51.100.11", NULL, 0));
}

static void what_was_stored_can_be_changed_one_by_one_and_again(void **state)
{
	struct inventory_fixture *fixture = *state;
	struct change_error error;

	for (unsigned i = 0; i < 3; i++) {
		struct ptr_batch *batch = begin(fixture);
		assert_int_equal(add(batch, inventory_fixture_named(fixture, "bare"),
				     i % 2 ? "one.test." : "two.test.", &error),
				 0);
		finish(fixture, batch);
		inventory_fixture_point(fixture, inventory_fixture_named(fixture, "bare"),
					"single.test.");
		assert_true(
			inventory_fixture_serves(fixture, "198.51.100.11", "single.test.", 3600));
		inventory_settle(fixture->inventory);
		assert_int_equal(inventory_fixture_named(fixture, "bare")->ptr.status, PTR_ACTIVE);
	}
}

static void what_is_so_already_is_left_alone_also_where_the_file_says_it(void **state)
{
	struct inventory_fixture *fixture = *state;
	const struct owner *filed = inventory_fixture_named(fixture, "filed");
	struct change_error error;
	struct ptr_batch *batch = begin(fixture);

	assert_int_equal(add(batch, filed, "f.test", &error), 0);
	assert_int_equal(add(batch, inventory_fixture_named(fixture, "bare"), "", &error), 0);
	const struct ptr_batch_counts counts = ptr_batch_count(batch);
	assert_int_equal(counts.unchanged, 2);
	assert_int_equal(counts.set + counts.removed, 0);
	end(fixture, batch);
	batch = begin(fixture);
	assert_int_equal(add(batch, filed, "other.test.", &error), ERR_INVALID);
	assert_int_equal(error.outcome, CHANGE_READ_ONLY);
	assert_non_null(strstr(error.text, "sluice.conf:"));
	assert_int_equal(add(batch, filed, NULL, &error), ERR_INVALID);
	assert_int_equal(error.outcome, CHANGE_READ_ONLY);
	end(fixture, batch);
}

static void what_does_not_fit_is_told_for_each_row(void **state)
{
	static const struct {
		struct change_ptr ptr;
		const char *field, *says;
	} wrong[] = {
		{{.fqdn = "*.test."}, "reverse_fqdn", ""},
		{{.fqdn = "a.test.", .ttl_given = true, .ttl = 2147483648LL}, "ttl", "2147483647"},
		{{.fqdn = "", .ttl_given = true, .ttl = 5}, "ttl", "there is none"},
		{{.fqdn = NULL, .description = "x"}, "description", "there is none"},
	};
	struct inventory_fixture *fixture = *state;
	const struct owner *bare = inventory_fixture_named(fixture, "bare");
	struct change_error error;
	struct ptr_batch *batch = begin(fixture);

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_int_equal(ptr_batch_add(batch, bare, &wrong[i].ptr, &error), ERR_INVALID);
		assert_int_equal(error.outcome, CHANGE_INVALID);
		assert_string_equal(error.field, wrong[i].field);
		assert_non_null(strstr(error.text, wrong[i].says));
	}
	assert_int_equal(add(batch, bare, "fine.test.", &error), 0);
	assert_int_equal(add(batch, bare, "fine.test.", &error), ERR_INVALID);
	assert_int_equal(error.outcome, CHANGE_TAKEN);
	end(fixture, batch);
	assert_true(inventory_fixture_serves(fixture, "198.51.100.11", NULL, 0));
}

static void other_changes_are_refused_meanwhile(void **state)
{
	struct inventory_fixture *fixture = *state;
	const struct change_ptr ptr = {.fqdn = "x.test."};
	struct ptr_batch *batch = begin(fixture);
	struct change *change = change_begin(fixture->inventory);

	assert_int_not_equal(change_ptr_set(change, inventory_fixture_named(fixture, "bare"), &ptr),
			     0);
	inventory_fixture_check_error(change, CHANGE_BUSY, "", "try again");
	end(fixture, batch);
	inventory_fixture_point(fixture, inventory_fixture_named(fixture, "bare"), "x.test.");
}

static void a_store_that_fails_changes_nothing(void **state)
{
	struct inventory_fixture *fixture = *state;
	struct change_error error;
	struct ptr_batch *batch = begin(fixture);
	sqlite3 *other;

	assert_int_equal(add(batch, inventory_fixture_named(fixture, "bare"), "x.test.", &error),
			 0);
	assert_int_equal(sqlite3_open(fixture->state, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	ptr_batch_store(batch);
	assert_false(ptr_batch_settle(batch, 1));
	assert_int_equal(ptr_batch_finish(batch, &error), ERR_INVALID);
	assert_int_equal(error.outcome, CHANGE_STORE);
	end(fixture, batch);
	sqlite3_close(other);
	assert_null(inventory_fixture_named(fixture, "bare")->ptr.fqdn);
	assert_true(inventory_fixture_serves(fixture, "198.51.100.11", NULL, 0));
	inventory_fixture_point(fixture, inventory_fixture_named(fixture, "bare"), "x.test.");
}

static void what_could_not_be_published_is_with_the_next_change(void **state)
{
	struct inventory_fixture *fixture = *state;
	struct change_error error;
	struct ptr_batch *batch = begin(fixture);

	assert_int_equal(add(batch, inventory_fixture_named(fixture, "bare"), "x.test.", &error),
			 0);
	ptr_batch_store(batch);
	assert_false(ptr_batch_settle(batch, 1));
	fixture->refuse = true;
	assert_int_equal(ptr_batch_finish(batch, &error), ERR_INVALID);
	assert_int_equal(error.outcome, CHANGE_NO_MEMORY);
	fixture->refuse = false;
	end(fixture, batch);
	inventory_fixture_add(fixture, "next", "198.51.100.40");
	assert_true(inventory_fixture_serves(fixture, "198.51.100.11", "x.test.", 3600));
}

static void without_a_state_there_is_nothing_to_begin(void **state)
{
	struct inventory_fixture fixture;
	struct change_error error;

	(void)state;
	inventory_fixture_init(&fixture, "region = \"east\";\n" FIXTURE_POOLS FIXTURE_FILED);
	struct ptr_batch *batch = ptr_batch_new(fixture.inventory);
	assert_int_equal(ptr_batch_is_open(batch, &error), ERR_INVALID);
	assert_int_equal(error.outcome, CHANGE_NO_STATE);
	ptr_batch_free(batch);
	inventory_fixture_release(&fixture);
}

#define T(test)                                                                                    \
	cmocka_unit_test_setup_teardown(test, inventory_fixture_set_up, inventory_fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(all_of_it_is_served_at_once_and_kept),
		T(what_no_worker_was_given_yet_stays_pending),
		T(as_many_rows_are_freed_as_are_asked_for),
		T(what_was_stored_can_be_changed_one_by_one_and_again),
		T(what_is_so_already_is_left_alone_also_where_the_file_says_it),
		T(what_does_not_fit_is_told_for_each_row),
		T(other_changes_are_refused_meanwhile),
		T(a_store_that_fails_changes_nothing),
		T(what_could_not_be_published_is_with_the_next_change),
		T(without_a_state_there_is_nothing_to_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
