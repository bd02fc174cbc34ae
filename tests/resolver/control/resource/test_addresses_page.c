/* What is ours page by page: in order, and after keys that may be gone. */
#include "resolver/control/resource/resources.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/text.h"
#include "tests/lib/addresses_fixture.h"

/* The names of all addresses, read with so many to a page. */
static const char *read_addresses(struct addresses_fixture *fixture, size_t room)
{
	static char names[512];
	const struct owned_resource *page[8];
	struct address after;
	size_t count = addresses_after(fixture->resources, NULL, page, room);

	*names = '\0';
	while (count > 0) {
		for (size_t i = 0; i < count; i++)
			text_append(names, sizeof names, "%s ", page[i]->item.name);
		after = page[count - 1]->item.address;
		count = addresses_after(fixture->resources, &after, page, room);
	}
	return names;
}

static void addresses_come_in_their_order_however_many_to_a_page(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct address_draft *draft;

	addresses_fixture_add(fixture, "last", "2001:db8::ffff");
	addresses_fixture_add(fixture, "low", "198.51.100.2");
	addresses_fixture_add(fixture, "first6", "2001:db8::1");
	addresses_fixture_add(fixture, "high", "198.51.100.254");
	for (size_t room = 1; room <= 8; room++)
		assert_string_equal(read_addresses(fixture, room),
				    "low filed bare high first6 last ");
	draft = edit_begin(fixture->resources, "test");
	assert_int_equal(edit_remove(draft, addresses_fixture_named(fixture, "low")), 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	assert_string_equal(read_addresses(fixture, 2), "filed bare high first6 last ");
}

static void a_page_begins_behind_what_is_gone_by_now(void **state)
{
	struct addresses_fixture *fixture = *state;
	const struct owned_resource *page[2];
	struct address gone;

	assert_int_equal(address_parse(&gone, "198.51.100.10"), 0);
	assert_int_equal(addresses_after(fixture->resources, &gone, page, 2), 1);
	assert_string_equal(page[0]->item.name, "bare");
	assert_int_equal(address_parse(&gone, "198.51.100.9"), 0);
	assert_int_equal(addresses_after(fixture->resources, &gone, page, 2), 2);
	assert_string_equal(page[0]->item.name, "filed");
	assert_int_equal(address_parse(&gone, "255.255.255.255"), 0);
	assert_int_equal(addresses_after(fixture->resources, &gone, page, 2), 0);
	assert_int_equal(address_parse(&gone, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 0);
	assert_int_equal(addresses_after(fixture->resources, &gone, page, 2), 0);
}

static void services_come_by_name_and_follow_changes(void **state)
{
	struct addresses_fixture *fixture = *state;
	static const struct edit_value zoo[] = {{"name", "Zoo"}, {"address", "198.51.100.21"}};
	static const struct edit_value bar[] = {{"name", "bar"}, {"address", "198.51.100.22"}};
	const struct owned_resource *page[4];

	assert_int_equal(services_after(fixture->resources, NULL, page, 4), 1);
	struct address_draft *draft = edit_begin(fixture->resources, "test");
	assert_int_equal(edit_add(draft, KIND_SERVICE, zoo, 2, NULL), 0);
	assert_int_equal(edit_add(draft, KIND_SERVICE, bar, 2, NULL), 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	assert_int_equal(services_after(fixture->resources, NULL, page, 2), 2);
	assert_string_equal(page[0]->item.name, "app");
	assert_string_equal(page[1]->item.name, "bar");
	assert_int_equal(services_after(fixture->resources, "BAR", page, 2), 1);
	assert_string_equal(page[0]->item.name, "Zoo");
}

static void a_ptr_that_becomes_active_gives_lists_another_tag_of_the_same_version(void **state)
{
	struct addresses_fixture *fixture = *state;
	struct resources *resources = fixture->resources;
	char pending[ETAG_MAX], active[ETAG_MAX], later[ETAG_MAX], changed[ETAG_MAX];

	addresses_fixture_point(fixture, addresses_fixture_named(fixture, "bare"), "a.test.");
	addresses_etag(resources, pending);
	addresses_note_served(resources);
	addresses_etag(resources, active);
	assert_string_not_equal(active, pending);
	assert_true(etag_same_version(pending, active));
	addresses_note_served(resources);
	assert_string_equal(addresses_etag(resources, later), active);
	addresses_fixture_point(fixture, addresses_fixture_named(fixture, "bare"), "b.test.");
	assert_false(etag_same_version(active, addresses_etag(resources, changed)));
}

/* Nothing is published for it, so nobody has to wait for it. */
static void a_ptr_that_waited_is_active_with_its_address(void **state)
{
	static const char id[] = "0f0f0f0f-0000-4000-8000-00000000000a";
	static const struct owned_item ptr = {.reverse_fqdn = "w.test.", .ttl = NOT_GIVEN};
	struct addresses_fixture *fixture = *state;
	struct address_draft *draft = edit_begin(fixture->resources, "test");

	assert_int_equal(edit_wait(draft, id, &ptr), 0);
	assert_int_equal(edit_commit(draft), 0);
	edit_free(draft);
	assert_false(addresses_fixture_has_moved(fixture));
	assert_int_equal(
		addresses_fixture_load(
			fixture, FIXTURE_WORLD
			"addresses = ({ name = \"back\"; address = \"198.51.100.33\"; id = "
			"\"0f0f0f0f-0000-4000-8000-00000000000a\"; });\n"),
		0);
	assert_true(addresses_fixture_serves(fixture, "198.51.100.33", "w.test.", 3600));
	assert_int_equal(addresses_fixture_named(fixture, "back")->status, PTR_ACTIVE);
	assert_int_equal(ptrs_pending(fixture->resources), 0);
}

#define T(test)                                                                                    \
	cmocka_unit_test_setup_teardown(test, addresses_fixture_set_up, addresses_fixture_tear_down)

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
