/* Many PTRs as one change: nothing is to be seen of it before it is stored, and nothing of one that
 * does not fit. */
#include "resolver/control/ptr_batch.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolver/control/inventory_page.h"
#include "resolver/log.h"
#include "tests/inventory_fixture.h"

static int set_up(void **state)
{
	log_configure(LOG_ERROR, LOG_TEXT);
	*state = inventory_fixture_new(FIXTURE_WORLD FIXTURE_FILED);
	return 0;
}

static int tear_down(void **state)
{
	inventory_fixture_free(*state);
	return 0;
}

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

/* ---- pages ---- */

/* The names of all addresses, read with so many to a page. */
static const char *read_addresses(struct inventory_fixture *fixture, size_t room)
{
	static char names[512];
	const struct owner *page[8];
	struct address after;
	size_t used = 0, count = inventory_addresses_after(fixture->inventory, NULL, page, room);

	*names = '\0';
	while (count > 0) {
		for (size_t i = 0; i < count; i++)
			used += (size_t)snprintf(names + used, sizeof names - used, "%s ",
						 page[i]->name);
		after = page[count - 1]->address;
		count = inventory_addresses_after(fixture->inventory, &after, page, room);
	}
	return names;
}

static void addresses_come_in_their_order_however_many_to_a_page(void **state)
{
	struct inventory_fixture *fixture = *state;
	struct change *change;

	inventory_fixture_add(fixture, "last", "2001:db8::ffff");
	inventory_fixture_add(fixture, "low", "198.51.100.2");
	inventory_fixture_add(fixture, "first6", "2001:db8::1");
	inventory_fixture_add(fixture, "high", "198.51.100.254");
	for (size_t room = 1; room <= 8; room++)
		assert_string_equal(read_addresses(fixture, room),
				    "low filed bare high first6 last ");
	change = change_begin(fixture->inventory);
	assert_int_equal(change_remove(change, inventory_fixture_named(fixture, "low")), 0);
	assert_int_equal(change_commit(change), 0);
	change_free(change);
	assert_string_equal(read_addresses(fixture, 2), "filed bare high first6 last ");
}

static void a_page_begins_behind_what_is_gone_by_now(void **state)
{
	struct inventory_fixture *fixture = *state;
	const struct owner *page[2];
	struct address gone;

	assert_int_equal(address_parse(&gone, "198.51.100.10"), 0);
	assert_int_equal(inventory_addresses_after(fixture->inventory, &gone, page, 2), 1);
	assert_string_equal(page[0]->name, "bare");
	assert_int_equal(address_parse(&gone, "198.51.100.9"), 0);
	assert_int_equal(inventory_addresses_after(fixture->inventory, &gone, page, 2), 2);
	assert_string_equal(page[0]->name, "filed");
	assert_int_equal(address_parse(&gone, "255.255.255.255"), 0);
	assert_int_equal(inventory_addresses_after(fixture->inventory, &gone, page, 2), 0);
	assert_int_equal(address_parse(&gone, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 0);
	assert_int_equal(inventory_addresses_after(fixture->inventory, &gone, page, 2), 0);
}

static void services_come_by_name_and_follow_changes(void **state)
{
	struct inventory_fixture *fixture = *state;
	static const struct change_value zoo[] = {{"name", "Zoo"}, {"address", "198.51.100.21"}};
	static const struct change_value bar[] = {{"name", "bar"}, {"address", "198.51.100.22"}};
	const struct owner *page[4];
	size_t count;

	assert_int_equal(inventory_services_after(fixture->inventory, NULL, page, 4, &count), 0);
	assert_int_equal(count, 1);
	struct change *change = change_begin(fixture->inventory);
	assert_int_equal(change_add(change, OWNER_SERVICE, zoo, 2, NULL), 0);
	assert_int_equal(change_add(change, OWNER_SERVICE, bar, 2, NULL), 0);
	assert_int_equal(change_commit(change), 0);
	change_free(change);
	assert_int_equal(inventory_services_after(fixture->inventory, NULL, page, 2, &count), 0);
	assert_int_equal(count, 2);
	assert_string_equal(page[0]->name, "app");
	assert_string_equal(page[1]->name, "bar");
	assert_int_equal(inventory_services_after(fixture->inventory, "BAR", page, 2, &count), 0);
	assert_int_equal(count, 1);
	assert_string_equal(page[0]->name, "Zoo");
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

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
		T(addresses_come_in_their_order_however_many_to_a_page),
		T(a_page_begins_behind_what_is_gone_by_now),
		T(services_come_by_name_and_follow_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
