/* What is ours page by page: in order, and after keys that may be gone. */
#include "resolver/control/resource/inventory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/text.h"
#include "tests/lib/inventory_fixture.h"

/* The names of all addresses, read with so many to a page. */
static const char *read_addresses(struct inventory_fixture *fixture, size_t room)
{
	static char names[512];
	const struct owned_resource *page[8];
	struct address after;
	size_t count = inventory_addresses_after(fixture->inventory, NULL, page, room);

	*names = '\0';
	while (count > 0) {
		for (size_t i = 0; i < count; i++)
			text_append(names, sizeof names, "%s ", page[i]->item.name);
		after = page[count - 1]->item.address;
		count = inventory_addresses_after(fixture->inventory, &after, page, room);
	}
	return names;
}

static void addresses_come_in_their_order_however_many_to_a_page(void **state)
{
	struct inventory_fixture *fixture = *state;
	struct address_draft *draft;

	inventory_fixture_add(fixture, "last", "2001:db8::ffff");
	inventory_fixture_add(fixture, "low", "198.51.100.2");
	inventory_fixture_add(fixture, "first6", "2001:db8::1");
	inventory_fixture_add(fixture, "high", "198.51.100.254");
	for (size_t room = 1; room <= 8; room++)
		assert_string_equal(read_addresses(fixture, room),
				    "low filed bare high first6 last ");
	draft = edit_begin(fixture->inventory, "test");
	assert_int_equal(edit_remove(draft, inventory_fixture_named(fixture, "low")), 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	assert_string_equal(read_addresses(fixture, 2), "filed bare high first6 last ");
}

static void a_page_begins_behind_what_is_gone_by_now(void **state)
{
	struct inventory_fixture *fixture = *state;
	const struct owned_resource *page[2];
	struct address gone;

	assert_int_equal(address_parse(&gone, "198.51.100.10"), 0);
	assert_int_equal(inventory_addresses_after(fixture->inventory, &gone, page, 2), 1);
	assert_string_equal(page[0]->item.name, "bare");
	assert_int_equal(address_parse(&gone, "198.51.100.9"), 0);
	assert_int_equal(inventory_addresses_after(fixture->inventory, &gone, page, 2), 2);
	assert_string_equal(page[0]->item.name, "filed");
	assert_int_equal(address_parse(&gone, "255.255.255.255"), 0);
	assert_int_equal(inventory_addresses_after(fixture->inventory, &gone, page, 2), 0);
	assert_int_equal(address_parse(&gone, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 0);
	assert_int_equal(inventory_addresses_after(fixture->inventory, &gone, page, 2), 0);
}

static void services_come_by_name_and_follow_changes(void **state)
{
	struct inventory_fixture *fixture = *state;
	static const struct edit_value zoo[] = {{"name", "Zoo"}, {"address", "198.51.100.21"}};
	static const struct edit_value bar[] = {{"name", "bar"}, {"address", "198.51.100.22"}};
	const struct owned_resource *page[4];

	assert_int_equal(inventory_services_after(fixture->inventory, NULL, page, 4), 1);
	struct address_draft *draft = edit_begin(fixture->inventory, "test");
	assert_int_equal(edit_add(draft, KIND_SERVICE, zoo, 2, NULL), 0);
	assert_int_equal(edit_add(draft, KIND_SERVICE, bar, 2, NULL), 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	assert_int_equal(inventory_services_after(fixture->inventory, NULL, page, 2), 2);
	assert_string_equal(page[0]->item.name, "app");
	assert_string_equal(page[1]->item.name, "bar");
	assert_int_equal(inventory_services_after(fixture->inventory, "BAR", page, 2), 1);
	assert_string_equal(page[0]->item.name, "Zoo");
}

static void a_ptr_that_becomes_active_gives_lists_another_tag_of_the_same_version(void **state)
{
	struct inventory_fixture *fixture = *state;
	struct inventory *inventory = fixture->inventory;
	char pending[ETAG_MAX], active[ETAG_MAX], later[ETAG_MAX], changed[ETAG_MAX];

	inventory_fixture_point(fixture, inventory_fixture_named(fixture, "bare"), "a.test.");
	inventory_etag(inventory, pending);
	inventory_note_served(inventory);
	inventory_etag(inventory, active);
	assert_string_not_equal(active, pending);
	assert_true(etag_same_version(pending, active));
	inventory_note_served(inventory);
	assert_string_equal(inventory_etag(inventory, later), active);
	inventory_fixture_point(fixture, inventory_fixture_named(fixture, "bare"), "b.test.");
	assert_false(etag_same_version(active, inventory_etag(inventory, changed)));
}

/* Nothing is published for it, so nobody has to wait for it. */
static void a_ptr_that_waited_is_active_with_its_address(void **state)
{
	static const char id[] = "0f0f0f0f-0000-4000-8000-00000000000a";
	static const struct owned_item ptr = {.reverse_fqdn = "w.test.", .ttl = NOT_GIVEN};
	struct inventory_fixture *fixture = *state;
	struct address_draft *draft = edit_begin(fixture->inventory, "test");

	assert_int_equal(edit_wait(draft, id, &ptr), 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	assert_false(inventory_fixture_has_moved(fixture));
	assert_int_equal(
		inventory_fixture_load(
			fixture, FIXTURE_WORLD
			"addresses = ({ name = \"back\"; address = \"198.51.100.33\"; id = "
			"\"0f0f0f0f-0000-4000-8000-00000000000a\"; });\n"),
		0);
	assert_true(inventory_fixture_serves(fixture, "198.51.100.33", "w.test.", 3600));
	assert_int_equal(inventory_fixture_named(fixture, "back")->status, PTR_ACTIVE);
	assert_int_equal(inventory_pending(fixture->inventory), 0);
}

#define T(test)                                                                                    \
	cmocka_unit_test_setup_teardown(test, inventory_fixture_set_up, inventory_fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(addresses_come_in_their_order_however_many_to_a_page),
		T(a_page_begins_behind_what_is_gone_by_now),
		T(services_come_by_name_and_follow_changes),
		T(a_ptr_that_becomes_active_gives_lists_another_tag_of_the_same_version),
		T(a_ptr_that_waited_is_active_with_its_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
