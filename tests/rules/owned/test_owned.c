/* The table of what we own: PTRs by address and prefix, hosts by name, and tables that share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/owned/owned.h"
#include "rules/text.h"
#include "tests/lib/addresses.h"
#include "tests/lib/model_builder.h"

static struct owned_draft *begin(struct owned *before)
{
	struct owned_draft *draft = owned_edit(before);

	assert_non_null(draft);
	return draft;
}

static void set_ptr(struct owned_draft *draft, const char *address, const char *target)
{
	struct address parsed = address_of(address);
	struct name name = test_name(target ? target : ".");

	assert_int_equal(owned_set_ptr(draft, &parsed, target ? &name : NULL, 300), 0);
}

static void set_host(struct owned_draft *draft, const char *text, const char *address)
{
	struct name name = test_name(text);
	struct address parsed = address_of(address ? address : "::");

	assert_int_equal(owned_set_host(draft, &name, address ? &parsed : NULL, 60), 0);
}

/* Where the PTR leads, or "". */
static const char *ptr(const struct owned *owned, const char *address)
{
	static char text[NAME_TEXT_MAX];
	struct address parsed = address_of(address);
	const struct rrset *set = owned_ptr(owned, &parsed);
	size_t length;

	return set ? name_wire_to_text(rrset_rdata(set, &length), text) : "";
}

/* The host's address, or "". */
static const char *host(const struct owned *owned, const char *text)
{
	static char printed[ADDRESS_TEXT_MAX];
	struct name name = test_name(text);
	const struct rrset *set = owned_host(owned, &name);
	struct address address = {0};
	size_t length;

	if (!set)
		return "";
	const uint8_t *rdata = rrset_rdata(set, &length);
	address.family = set->type == TYPE_A ? 4 : 6;
	assert_int_equal(length, address_bits(&address) / 8);
	memcpy(address.bytes, rdata, length);
	return address_print(&address, printed);
}

static bool any(const struct owned *owned, const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(&prefix, text), 0);
	return owned_any_ptr(owned, &prefix);
}

/* ---- PTRs ---- */

static void a_ptr_belongs_to_exactly_its_address(void **state)
{
	struct owned_draft *draft = begin(NULL);

	(void)state;
	set_ptr(draft, "1.2.3.4", "four.example.com.");
	set_ptr(draft, "::102:305", "six.example.com.");
	struct owned *owned = owned_commit(draft);
	assert_string_equal(ptr(owned, "1.2.3.4"), "four.example.com.");
	assert_string_equal(ptr(owned, "1.2.3.5"), "");
	assert_string_equal(ptr(owned, "1.2.3.3"), "");
	assert_string_equal(ptr(owned, "::102:305"), "six.example.com.");
	assert_string_equal(ptr(owned, "::102:304"), "");
	assert_int_equal(owned_ptr_count(owned), 2);
	owned_unref(owned);
}

static void a_ptr_is_kept_as_it_goes_out(void **state)
{
	static const uint8_t wire[] = {0xc0, 12, 0, 12, 0,   1,   0,   1, 0x51,
				       0x80, 0,  5, 3,  'a', '.', 'b', 0};
	struct owned_draft *draft = begin(NULL);
	struct address address = address_of("192.0.2.1");
	struct name target = test_name("A\\.b.");

	(void)state;
	assert_int_equal(owned_set_ptr(draft, &address, &target, 86400), 0);
	struct owned *owned = owned_commit(draft);
	const struct rrset *set = owned_ptr(owned, &address);
	assert_int_equal(set->type, TYPE_PTR);
	assert_int_equal(set->count, 1);
	assert_int_equal(set->ttl, 86400);
	assert_int_equal(set->length, sizeof wire);
	assert_memory_equal(set->wire, wire, sizeof wire);
	owned_unref(owned);
}

static void a_target_may_be_as_long_as_a_name_can_be_and_a_ttl_nothing(void **state)
{
	struct owned_draft *draft = begin(NULL);
	struct address address = address_of("192.0.2.1");
	char text[NAME_TEXT_MAX] = "";
	size_t length;

	(void)state;
	for (unsigned i = 0; i < 127; i++)
		memcpy(text + 2 * (size_t)i, "x.", 3);
	struct name longest = test_name(text), root = test_name(".");
	assert_int_equal(longest.length, NAME_WIRE_MAX);
	assert_int_equal(owned_set_ptr(draft, &address, &longest, 0), 0);
	struct owned *before = owned_commit(draft), *after;
	const struct rrset *set = owned_ptr(before, &address);
	assert_memory_equal(rrset_rdata(set, &length), longest.wire, NAME_WIRE_MAX);
	assert_int_equal(length, NAME_WIRE_MAX);
	assert_int_equal(set->ttl, 0);
	draft = begin(before);
	assert_int_equal(owned_set_ptr(draft, &address, &root, UINT32_MAX), 0);
	after = owned_commit(draft);
	assert_int_equal(owned_ptr(after, &address)->length, RECORD_HEADER + 1);
	owned_unref(before);
	owned_unref(after);
}

static void a_ptr_can_be_changed_and_taken_away(void **state)
{
	struct owned_draft *draft = begin(NULL);

	(void)state;
	set_ptr(draft, "192.0.2.1", "one.example.com.");
	set_ptr(draft, "192.0.2.2", "two.example.com.");
	set_ptr(draft, "192.0.2.1", "longer.one.example.com.");
	set_ptr(draft, "192.0.2.2", NULL);
	set_ptr(draft, "192.0.2.3", NULL);
	struct owned *owned = owned_commit(draft);
	assert_string_equal(ptr(owned, "192.0.2.1"), "longer.one.example.com.");
	assert_string_equal(ptr(owned, "192.0.2.2"), "");
	assert_int_equal(owned_ptr_count(owned), 1);
	owned_unref(owned);
}

static void a_prefix_has_a_ptr_from_its_first_address_to_its_last(void **state)
{
	struct owned_draft *draft = begin(NULL);

	(void)state;
	set_ptr(draft, "198.51.100.63", "a.example.com.");
	set_ptr(draft, "2001:db8:0:10::", "b.example.com.");
	struct owned *owned = owned_commit(draft);
	assert_true(any(owned, "198.51.100.63/32"));
	assert_false(any(owned, "198.51.100.62/32"));
	assert_false(any(owned, "198.51.100.64/32"));
	assert_true(any(owned, "198.51.100.0/26"));
	assert_false(any(owned, "198.51.100.64/26"));
	assert_false(any(owned, "198.51.100.0/27"));
	assert_true(any(owned, "198.51.100.0/24"));
	assert_true(any(owned, "198.0.0.0/8"));
	assert_false(any(owned, "199.0.0.0/8"));
	assert_true(any(owned, "0.0.0.0/0"));
	assert_true(any(owned, "2001:db8:0:10::/60"));
	assert_true(any(owned, "2001:db8:0:10::/128"));
	assert_false(any(owned, "2001:db8::/60"));
	assert_false(any(owned, "2001:db8:0:10::1/128"));
	assert_true(any(owned, "2001:db8::/32"));
	assert_true(any(owned, "::/0"));
	owned_unref(owned);
	owned = owned_new();
	assert_false(any(owned, "0.0.0.0/0"));
	assert_false(any(owned, "::/0"));
	owned_unref(owned);
}

/* The addresses with a PTR in the prefix, as a walk comes by them. */
static const char *walk(const struct owned *owned, const char *text)
{
	static char told[400];
	char print[ADDRESS_TEXT_MAX];
	struct owned_cursor cursor;
	struct address address;
	struct prefix prefix;
	const struct rrset *set;

	told[0] = '\0';
	assert_int_equal(prefix_parse(&prefix, text), 0);
	owned_cursor_begin(&cursor, &prefix);
	while ((set = owned_cursor_ptr(&cursor, owned, &address))) {
		assert_int_equal(set->type, TYPE_PTR);
		text_append(told, sizeof told, "%s ", address_print(&address, print));
	}
	return told;
}

static void ptrs_are_walked_in_order_within_a_prefix(void **state)
{
	static const char *const addresses[] = {
		"255.255.255.255", "10.0.0.7",
		"10.0.0.255",      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"10.0.1.0",        "::1"};
	struct owned_draft *draft = begin(NULL);

	(void)state;
	for (unsigned i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
		set_ptr(draft, addresses[i], "x.example.com.");
	struct owned *owned = owned_commit(draft);
	assert_string_equal(walk(owned, "0.0.0.0/0"),
			    "10.0.0.7 10.0.0.255 10.0.1.0 255.255.255.255 ");
	assert_string_equal(walk(owned, "::/0"), "::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ");
	assert_string_equal(walk(owned, "10.0.0.0/24"), "10.0.0.7 10.0.0.255 ");
	assert_string_equal(walk(owned, "255.255.255.255/32"), "255.255.255.255 ");
	owned_unref(owned);
}

/* ---- hosts ---- */

static void a_host_is_found_by_exactly_its_name_in_any_case(void **state)
{
	struct owned_draft *draft = begin(NULL);

	(void)state;
	set_host(draft, "App1.westeurope.example.com.", "192.0.2.1");
	set_host(draft, "six.example.com.", "2001:db8::1");
	struct owned *owned = owned_commit(draft);
	assert_string_equal(host(owned, "app1.westeurope.example.com."), "192.0.2.1");
	assert_string_equal(host(owned, "APP1.WestEurope.example.com."), "192.0.2.1");
	assert_string_equal(host(owned, "six.example.com."), "2001:db8::1");
	assert_string_equal(host(owned, "westeurope.example.com."), "");
	assert_string_equal(host(owned, "x.app1.westeurope.example.com."), "");
	assert_int_equal(owned_host_count(owned), 2);
	assert_int_equal(owned_ptr_count(owned), 0);
	owned_unref(owned);
}

static void a_host_is_kept_as_it_goes_out(void **state)
{
	static const uint8_t wire[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1};
	struct owned_draft *draft = begin(NULL);
	struct name name = test_name("a.example.com.");

	(void)state;
	set_host(draft, "a.example.com.", "192.0.2.1");
	struct owned *owned = owned_commit(draft);
	const struct rrset *set = owned_host(owned, &name);
	assert_int_equal(set->length, sizeof wire);
	assert_memory_equal(set->wire, wire, sizeof wire);
	assert_int_equal(set->ttl, 60);
	assert_int_equal(set->count, 1);
	owned_unref(owned);
}

static void a_host_has_one_address_the_latest(void **state)
{
	struct owned_draft *draft = begin(NULL);

	(void)state;
	set_host(draft, "a.example.com.", "192.0.2.1");
	set_host(draft, "a.example.com.", "2001:db8::1");
	set_host(draft, "b.example.com.", "192.0.2.2");
	set_host(draft, "b.example.com.", NULL);
	set_host(draft, "c.example.com.", NULL);
	struct owned *owned = owned_commit(draft);
	assert_string_equal(host(owned, "a.example.com."), "2001:db8::1");
	assert_string_equal(host(owned, "b.example.com."), "");
	assert_int_equal(owned_host_count(owned), 1);
	owned_unref(owned);
}

/* Nobody can find such names, so the test makes them. */
static void names_whose_hashes_meet_are_told_apart(void **state)
{
	static const char *const texts[] = {"a.example.com.", "bb.example.com.", "c.example.net."};
	struct owned_draft *draft = begin(NULL);
	struct address addresses[] = {address_of("192.0.2.1"), address_of("2001:db8::2"),
				      address_of("192.0.2.3")};
	struct name names[3], stranger = test_name("d.example.net.");
	size_t length;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		names[i] = test_name(texts[i]);
		names[i].hash[0] = 77;
		assert_int_equal(owned_set_host(draft, &names[i], &addresses[i], 60), 0);
	}
	stranger.hash[0] = 77;
	struct owned *owned = owned_commit(draft);
	assert_int_equal(owned_host_count(owned), 3);
	for (unsigned i = 0; i < 3; i++)
		assert_memory_equal(rrset_rdata(owned_host(owned, &names[i]), &length),
				    addresses[i].bytes, i == 1 ? 16 : 4);
	assert_null(owned_host(owned, &stranger));
	draft = begin(owned);
	assert_int_equal(owned_set_host(draft, &names[1], NULL, 0), 0);
	assert_int_equal(owned_set_host(draft, &names[0], &addresses[1], 60), 0);
	struct owned *after = owned_commit(draft);
	assert_int_equal(owned_host_count(after), 2);
	assert_null(owned_host(after, &names[1]));
	assert_int_equal(owned_host(after, &names[0])->type, TYPE_AAAA);
	assert_int_equal(owned_host(after, &names[2])->type, TYPE_A);
	assert_int_equal(owned_host(owned, &names[0])->type, TYPE_A);
	owned_unref(owned);
	owned_unref(after);
}

/* ---- tables ---- */

static void an_edit_does_not_change_the_table_it_began_from(void **state)
{
	struct owned_draft *draft = begin(NULL);

	(void)state;
	set_ptr(draft, "192.0.2.1", "one.example.com.");
	set_ptr(draft, "192.0.2.2", "two.example.com.");
	set_host(draft, "a.example.com.", "192.0.2.1");
	struct owned *before = owned_commit(draft);
	draft = begin(before);
	set_ptr(draft, "192.0.2.1", "other.example.com.");
	set_ptr(draft, "192.0.2.2", NULL);
	set_ptr(draft, "192.0.2.3", "three.example.com.");
	set_host(draft, "a.example.com.", "192.0.2.3");
	struct owned *after = owned_commit(draft);
	assert_string_equal(ptr(before, "192.0.2.1"), "one.example.com.");
	assert_string_equal(ptr(before, "192.0.2.2"), "two.example.com.");
	assert_string_equal(ptr(before, "192.0.2.3"), "");
	assert_string_equal(host(before, "a.example.com."), "192.0.2.1");
	owned_unref(before);
	assert_string_equal(ptr(after, "192.0.2.1"), "other.example.com.");
	assert_string_equal(ptr(after, "192.0.2.2"), "");
	assert_string_equal(ptr(after, "192.0.2.3"), "three.example.com.");
	assert_string_equal(host(after, "a.example.com."), "192.0.2.3");
	owned_unref(after);
}

static void two_drafts_of_one_table_do_not_see_each_other(void **state)
{
	struct owned *base = owned_new();

	(void)state;
	assert_non_null(base);
	struct owned_draft *left = begin(base), *right = begin(base), *lost = begin(base);
	owned_unref(base);
	set_ptr(left, "192.0.2.1", "left.example.com.");
	set_ptr(right, "192.0.2.1", "right.example.com.");
	set_ptr(lost, "192.0.2.1", "lost.example.com.");
	owned_discard(lost);
	struct owned *one = owned_commit(left), *other = owned_commit(right);
	assert_string_equal(ptr(one, "192.0.2.1"), "left.example.com.");
	assert_string_equal(ptr(other, "192.0.2.1"), "right.example.com.");
	owned_unref(one);
	owned_unref(other);
}

/* Pages are shared, so what a page says is at the same place. */
static void setting_what_is_so_already_copies_nothing(void **state)
{
	struct owned_draft *draft = begin(NULL);
	struct address address = address_of("192.0.2.1");
	struct name name = test_name("a.example.com.");

	(void)state;
	set_ptr(draft, "192.0.2.1", "one.example.com.");
	set_ptr(draft, "192.0.2.2", "two.example.com.");
	set_host(draft, "a.example.com.", "192.0.2.1");
	struct owned *before = owned_commit(draft);
	draft = begin(before);
	set_ptr(draft, "192.0.2.1", "one.example.com.");
	set_ptr(draft, "192.0.2.9", NULL);
	set_host(draft, "a.example.com.", "192.0.2.1");
	set_host(draft, "b.example.com.", NULL);
	struct owned *after = owned_commit(draft);
	assert_ptr_equal(owned_ptr(before, &address), owned_ptr(after, &address));
	assert_ptr_equal(owned_host(before, &name), owned_host(after, &name));
	draft = begin(after);
	set_ptr(draft, "192.0.2.2", "other.example.com.");
	struct owned *changed = owned_commit(draft);
	assert_ptr_not_equal(owned_ptr(after, &address), owned_ptr(changed, &address));
	assert_ptr_equal(owned_host(after, &name), owned_host(changed, &name));
	owned_unref(before);
	owned_unref(after);
	owned_unref(changed);
}

static void null_is_fine_where_it_is_said_to_be(void **state)
{
	(void)state;
	assert_null(owned_ref(NULL));
	owned_unref(NULL);
	owned_discard(NULL);
}

static void bytes_are_what_the_pages_take(void **state)
{
	struct owned *empty = owned_new();
	struct owned_draft *draft = begin(empty);

	(void)state;
	set_ptr(draft, "192.0.2.1", "one.example.com.");
	struct owned *one = owned_commit(draft);
	/* A page's head, a start rounded up, and a set of 12 bytes, a header and a name of 17. */
	assert_int_equal(owned_bytes(one) - owned_bytes(empty), 32 + 4 + 12 + 12 + 20);
	draft = begin(one);
	set_ptr(draft, "192.0.2.1", NULL);
	struct owned *none = owned_commit(draft);
	assert_int_equal(owned_bytes(none), owned_bytes(empty));
	owned_unref(empty);
	owned_unref(one);
	owned_unref(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ptr_belongs_to_exactly_its_address),
		cmocka_unit_test(a_ptr_is_kept_as_it_goes_out),
		cmocka_unit_test(a_target_may_be_as_long_as_a_name_can_be_and_a_ttl_nothing),
		cmocka_unit_test(a_ptr_can_be_changed_and_taken_away),
		cmocka_unit_test(a_prefix_has_a_ptr_from_its_first_address_to_its_last),
		cmocka_unit_test(ptrs_are_walked_in_order_within_a_prefix),
		cmocka_unit_test(a_host_is_found_by_exactly_its_name_in_any_case),
		cmocka_unit_test(a_host_is_kept_as_it_goes_out),
		cmocka_unit_test(a_host_has_one_address_the_latest),
		cmocka_unit_test(names_whose_hashes_meet_are_told_apart),
		cmocka_unit_test(an_edit_does_not_change_the_table_it_began_from),
		cmocka_unit_test(two_drafts_of_one_table_do_not_see_each_other),
		cmocka_unit_test(setting_what_is_so_already_copies_nothing),
		cmocka_unit_test(null_is_fine_where_it_is_said_to_be),
		cmocka_unit_test(bytes_are_what_the_pages_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
