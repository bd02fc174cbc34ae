/* Walks in steps, over one table and over what two have not in common: against looking at every
 * address there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/owned/owned.h"
#include "tests/lib/addresses.h"
#include "tests/lib/model_builder.h"
#include "tests/lib/random.h"

static struct owned *with(struct owned *before, const char *address, const char *target)
{
	struct owned_draft *draft = owned_edit(before);
	struct address at = address_of(address);
	struct name name = test_name(target ? target : ".");

	assert_int_equal(owned_set_ptr(draft, &at, target ? &name : NULL, 60), 0);
	return owned_commit(draft);
}

static void a_walk_ends_at_its_prefix(void **state)
{
	struct owned *a = with(NULL, "198.51.99.255", "a."), *b = with(a, "198.51.100.0", "b.");
	struct owned *c = with(b, "198.51.100.255", "c."), *d = with(c, "198.51.101.0", "d.");
	struct prefix prefix = prefix_of("198.51.100.0/24");
	struct address address, first = address_of("198.51.100.0"),
				last = address_of("198.51.100.255");
	struct owned_cursor cursor;

	(void)state;
	owned_cursor_begin(&cursor, &prefix);
	assert_non_null(owned_cursor_ptr(&cursor, d, &address));
	assert_true(address_equal(&address, &first));
	assert_non_null(owned_cursor_ptr(&cursor, d, &address));
	assert_true(address_equal(&address, &last));
	assert_null(owned_cursor_ptr(&cursor, d, &address));
	assert_null(owned_cursor_ptr(&cursor, d, &address));
	owned_unref(a);
	owned_unref(b);
	owned_unref(c);
	owned_unref(d);
}

static void the_last_address_of_all_ends_a_walk(void **state)
{
	struct owned *owned = with(NULL, "255.255.255.255", "a.");
	struct owned *six = with(owned, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "a.");
	struct prefix prefix = prefix_of("0.0.0.0/0"), all = prefix_of("::/0");
	const struct rrset *was, *is;
	struct owned_cursor cursor;
	struct address address;

	(void)state;
	owned_cursor_begin(&cursor, &prefix);
	assert_non_null(owned_cursor_ptr(&cursor, six, &address));
	assert_null(owned_cursor_ptr(&cursor, six, &address));
	owned_cursor_begin(&cursor, &all);
	assert_true(owned_cursor_change(&cursor, owned, six, &address, &was, &is));
	assert_null(was);
	assert_non_null(is);
	assert_false(owned_cursor_change(&cursor, owned, six, &address, &was, &is));
	owned_unref(owned);
	owned_unref(six);
}

static void a_change_is_there_with_what_was_and_what_is(void **state)
{
	struct owned *a = with(NULL, "198.51.100.7", "old."), *b = with(a, "198.51.100.7", "new.");
	struct owned *c = with(b, "198.51.100.7", NULL);
	struct prefix prefix = prefix_of("198.51.100.0/24"), other = prefix_of("198.51.101.0/24");
	const struct rrset *was, *is;
	struct owned_cursor cursor;
	struct address address;

	(void)state;
	owned_cursor_begin(&cursor, &prefix);
	assert_true(owned_cursor_change(&cursor, a, b, &address, &was, &is));
	assert_ptr_equal(was, owned_ptr(a, &address));
	assert_ptr_equal(is, owned_ptr(b, &address));
	assert_false(owned_cursor_change(&cursor, a, b, &address, &was, &is));
	owned_cursor_begin(&cursor, &prefix);
	assert_true(owned_cursor_change(&cursor, b, c, &address, &was, &is));
	assert_null(is);
	owned_cursor_begin(&cursor, &prefix);
	assert_false(owned_cursor_change(&cursor, b, b, &address, &was, &is));
	owned_cursor_begin(&cursor, &other);
	assert_false(owned_cursor_change(&cursor, a, b, &address, &was, &is));
	owned_unref(a);
	owned_unref(b);
	owned_unref(c);
}

static bool same_set(const struct rrset *a, const struct rrset *b)
{
	if (!a || !b)
		return a == b;
	return a->length == b->length && memcmp(a->wire, b->wire, a->length) == 0;
}

enum { SPAN = 1 << 12 }; /* addresses looked at, some near each other and some far apart */

static struct address nth(unsigned n)
{
	uint32_t spread = n < SPAN / 2 ? n : n * 0x9e3779b1u;

	return (struct address){4,
				{(uint8_t)(spread >> 24), (uint8_t)(spread >> 16),
				 (uint8_t)(spread >> 8), (uint8_t)spread}};
}

/* Another table with so many changes at random. */
static struct owned *stir(struct owned *before, uint64_t *random, unsigned changes)
{
	static const char *const targets[] = {NULL, "a.", "b.", "long-enough.to.be.another.size."};
	struct owned_draft *draft = owned_edit(before);

	for (unsigned i = 0; i < changes; i++) {
		struct address address = nth(random_below(random, SPAN));
		const char *target = targets[random_below(random, 4)];
		struct name name = test_name(target ? target : ".");

		assert_int_equal(owned_set_ptr(draft, &address, target ? &name : NULL, 60), 0);
	}
	return owned_commit(draft);
}

/* The walk gives each difference once, in order; every address where the tables differ is one. */
static void check_difference(const struct owned *a, const struct owned *b)
{
	struct prefix prefix = prefix_of("0.0.0.0/0");
	const struct rrset *was, *is;
	struct owned_cursor cursor;
	struct address address, before = {.family = 0};
	unsigned walked = 0, counted = 0;

	owned_cursor_begin(&cursor, &prefix);
	for (; owned_cursor_change(&cursor, a, b, &address, &was, &is); walked++) {
		assert_true(!before.family || address_compare(&before, &address) < 0);
		assert_ptr_equal(was, owned_ptr(a, &address));
		assert_ptr_equal(is, owned_ptr(b, &address));
		assert_false(same_set(was, is));
		before = address;
	}
	for (unsigned i = 0; i < SPAN; i++) {
		struct address at = nth(i);

		counted += !same_set(owned_ptr(a, &at), owned_ptr(b, &at));
	}
	assert_int_equal(walked, counted);
}

static void the_walk_finds_what_looking_everywhere_finds(void **state)
{
	uint64_t random = 0x5eed;

	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		struct owned *a = stir(NULL, &random, random_below(&random, 3000));
		struct owned *b = stir(a, &random, random_below(&random, 40));
		struct owned *apart = stir(NULL, &random, random_below(&random, 300));
		struct owned *none = owned_new();

		check_difference(a, b);
		check_difference(b, a);
		check_difference(a, apart);
		check_difference(none, a);
		check_difference(a, none);
		owned_unref(a);
		owned_unref(b);
		owned_unref(apart);
		owned_unref(none);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_walk_ends_at_its_prefix),
		cmocka_unit_test(the_last_address_of_all_ends_a_walk),
		cmocka_unit_test(a_change_is_there_with_what_was_and_what_is),
		cmocka_unit_test(the_walk_finds_what_looking_everywhere_finds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
