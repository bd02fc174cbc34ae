/* Who may ask: at the edges of every prefix, and one beyond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/policy/access.h"

struct fixture {
	struct arena arena;
	struct access access;
};

static int set_up(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){0};
	arena_init(&fixture.arena);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	arena_release(&((struct fixture *)*state)->arena);
	return 0;
}

static void add(struct fixture *f, const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(&prefix, text), 0);
	assert_int_equal(access_add(&f->access, &f->arena, &prefix), 0);
	access_build(&f->access);
}

static bool allows(const struct fixture *f, const char *text)
{
	struct address address;

	assert_int_equal(address_parse(&address, text), 0);
	return access_allows(&f->access, &address);
}

static void an_empty_list_lets_nobody_in(void **state)
{
	struct fixture *f = *state;

	assert_false(allows(f, "127.0.0.1"));
	assert_false(allows(f, "0.0.0.0"));
	assert_false(allows(f, "::1"));
}

static void a_prefix_ends_where_it_ends(void **state)
{
	static const struct {
		const char *prefix, *inside[2], *outside[2];
	} rows[] = {
		{"10.0.0.0/8", {"10.0.0.0", "10.255.255.255"}, {"9.255.255.255", "11.0.0.0"}},
		{"4.0.0.0/6", {"4.0.0.0", "7.255.255.255"}, {"3.255.255.255", "8.0.0.0"}},
		{"172.16.0.0/12",
		 {"172.16.0.0", "172.31.255.255"},
		 {"172.15.255.255", "172.32.0.0"}},
		{"192.0.2.7/32", {"192.0.2.7", "192.0.2.7"}, {"192.0.2.6", "192.0.2.8"}},
		{"10.128.0.0/9", {"10.128.0.0", "10.255.255.255"}, {"10.127.255.255", "11.0.0.0"}},
		{"fc00::/7", {"fc00::", "fdff::1"}, {"fbff::1", "fe00::"}},
		{"2001:db8::/32", {"2001:db8::", "2001:db8:ffff::"}, {"2001:db7::", "2001:db9::"}},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fixture f = {0};

		arena_init(&f.arena);
		add(&f, rows[i].prefix);
		for (unsigned k = 0; k < 2; k++) {
			assert_true(allows(&f, rows[i].inside[k]));
			assert_false(allows(&f, rows[i].outside[k]));
		}
		arena_release(&f.arena);
	}
	(void)state;
}

static void families_are_told_apart(void **state)
{
	struct fixture *f = *state;

	add(f, "32.0.0.0/8"); /* 2001:... begins with the same octet */
	assert_true(allows(f, "32.1.2.3"));
	assert_false(allows(f, "2001:db8::1"));
	add(f, "::/0");
	assert_true(allows(f, "2001:db8::1"));
	assert_false(allows(f, "33.0.0.1"));
}

static void everybody_is_one_prefix_of_each_family(void **state)
{
	struct fixture *f = *state;

	add(f, "0.0.0.0/0");
	add(f, "::/0");
	assert_true(allows(f, "0.0.0.0"));
	assert_true(allows(f, "255.255.255.255"));
	assert_true(allows(f, "::"));
	assert_true(allows(f, "ffff::1"));
}

static void a_mapped_address_is_the_ipv4_address_it_maps(void **state)
{
	struct fixture *f = *state;

	add(f, "10.0.0.0/8");
	assert_true(allows(f, "::ffff:10.1.2.3"));
}

static void the_usual_is_loopback_and_what_is_private(void **state)
{
	static const char *const in[] = {"127.0.0.1", "127.255.0.1", "::1",
					 "10.9.8.7",  "172.31.0.1",  "192.168.0.1",
					 "fd12::1",   "fc00::1",     "192.168.255.1"};
	static const char *const out[] = {"8.8.8.8",     "172.32.0.1",  "192.169.0.1",
					  "100.64.0.1",  "169.254.0.1", "fe80::1",
					  "2001:db8::1", "::2",         "128.0.0.1"};
	struct fixture *f = *state;

	assert_int_equal(access_add_private(&f->access, &f->arena), 0);
	access_build(&f->access);
	for (size_t i = 0; i < sizeof in / sizeof in[0]; i++)
		assert_true(allows(f, in[i]));
	for (size_t i = 0; i < sizeof out / sizeof out[0]; i++)
		assert_false(allows(f, out[i]));
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(an_empty_list_lets_nobody_in),
		ONE(a_prefix_ends_where_it_ends),
		ONE(families_are_told_apart),
		ONE(everybody_is_one_prefix_of_each_family),
		ONE(a_mapped_address_is_the_ipv4_address_it_maps),
		ONE(the_usual_is_loopback_and_what_is_private),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
