#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/reverse.h"
#include "tests/lib/random.h"

static const struct hash_key key = {0x1234, 0x5678};

/* The wire is that of the text. */
static void check_wire(const struct address *address)
{
	char text[NAME_TEXT_MAX];
	uint8_t wire[REVERSE_WIRE_MAX];
	struct name name;

	assert_int_equal(name_from_text(&name, &key, reverse_text(address, text)), 0);
	assert_int_equal(reverse_wire(address, wire), name.length);
	assert_memory_equal(wire, name.wire, name.length);
}

static void addresses_are_written_backwards(void **state)
{
	static const struct {
		const char *address, *name;
	} cases[] = {
		{"192.0.2.10", "10.2.0.192.in-addr.arpa."},
		{"0.0.0.255", "255.0.0.0.in-addr.arpa."},
		{"2001:db8::567:89ab", "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0."
				       "1.0.0.2.ip6.arpa."},
	};
	char text[NAME_TEXT_MAX];
	struct address address;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(address_parse(&address, cases[i].address), 0);
		assert_string_equal(reverse_text(&address, text), cases[i].name);
		check_wire(&address);
	}
}

static void prefixes_on_a_label_boundary_have_a_zone(void **state)
{
	static const struct {
		const char *prefix, *zone;
	} cases[] = {
		{"10.0.0.0/8", "10.in-addr.arpa."},
		{"192.0.2.0/24", "2.0.192.in-addr.arpa."},
		{"192.0.2.1/32", "1.2.0.192.in-addr.arpa."},
		{"0.0.0.0/0", "in-addr.arpa."},
		{"::/0", "ip6.arpa."},
		{"2001:db8::/32", "8.b.d.0.1.0.0.2.ip6.arpa."},
		{"2001:db0::/28", "b.d.0.1.0.0.2.ip6.arpa."},
		{"f000::/4", "f.ip6.arpa."},
	};
	char text[NAME_TEXT_MAX];
	struct prefix prefix;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(prefix_parse(&prefix, cases[i].prefix), 0);
		assert_string_equal(reverse_zone_text(&prefix, text), cases[i].zone);
	}
}

static void names_stand_for_the_prefix_that_their_labels_spell(void **state)
{
	static const struct {
		const char *name, *prefix;
		unsigned rest;
	} cases[] = {
		{"10.2.0.192.in-addr.arpa", "192.0.2.10/32", 0},
		{"2.0.192.IN-ADDR.ARPA.", "192.0.2.0/24", 0},
		{"in-addr.arpa", "0.0.0.0/0", 0},
		{"ip6.arpa", "::/0", 0},
		{"_dns.www.10.2.0.192.in-addr.arpa", "192.0.2.10/32", 2},
		{"1.10.2.0.192.in-addr.arpa", "192.0.2.10/32", 1},
		{"5.0-25.2.0.192.in-addr.arpa", "192.0.2.0/24", 2}, /* RFC 2317 */
		{"5.128/26.2.0.192.in-addr.arpa", "192.0.2.0/24", 2},
		{"255.in-addr.arpa", "255.0.0.0/8", 0},
		{"256.in-addr.arpa", "0.0.0.0/0", 1},
		{"999.in-addr.arpa", "0.0.0.0/0", 1},
		{"1000.in-addr.arpa", "0.0.0.0/0", 1},
		{"0.in-addr.arpa", "0.0.0.0/8", 0},
		{"00.in-addr.arpa", "0.0.0.0/0", 1},
		{"010.in-addr.arpa", "0.0.0.0/0", 1},
		{"1a.in-addr.arpa", "0.0.0.0/0", 1},
		{"a.in-addr.arpa", "0.0.0.0/0", 1},
		{"\\000.in-addr.arpa", "0.0.0.0/0", 1},
		{"8.B.d.0.1.0.0.2.ip6.arpa", "2001:db8::/32", 0},
		{"b.d.0.1.0.0.2.ip6.arpa", "2001:db0::/28", 0},
		{"g.2.ip6.arpa", "2000::/4", 1},
		{"10.2.ip6.arpa", "2000::/4", 1},
		{"\\000.2.ip6.arpa", "2000::/4", 1},
		{"b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
		 "2001:db8::567:89ab/128", 0},
		{"f.b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
		 "2001:db8::567:89ab/128", 1},
	};
	char text[PREFIX_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct prefix prefix;
		struct name name;
		unsigned rest = 999;

		assert_int_equal(name_from_text(&name, &key, cases[i].name), 0);
		assert_true(reverse_parse(&name, &prefix, &rest));
		assert_string_equal(prefix_print(&prefix, text), cases[i].prefix);
		assert_int_equal(rest, cases[i].rest);
	}
}

static void names_outside_both_trees_are_not_reverse_names(void **state)
{
	static const char *const names[] = {
		".",
		"arpa",
		"in-addr",
		"10.in-addr.arpa.test",
		"xin-addr.arpa",
		"ip6.int",
		"10.in-addr.arpb",
		"home.arpa",
		"1.ip6\\.arpa",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof names / sizeof *names; i++) {
		struct prefix prefix;
		struct name name;
		unsigned rest;

		assert_int_equal(name_from_text(&name, &key, names[i]), 0);
		if (reverse_parse(&name, &prefix, &rest))
			fail_msg("%s was taken for a reverse name", names[i]);
	}
}

static void a_mapped_address_stays_in_its_own_tree(void **state)
{
	struct prefix prefix;
	struct name name;
	unsigned rest;

	(void)state;
	assert_int_equal(name_from_text(&name, &key,
					"1.0.2.0.0.0.0.c.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
					"0.0.0.ip6.arpa"),
			 0);
	assert_true(reverse_parse(&name, &prefix, &rest));
	assert_int_equal(prefix.address.family, 6);
	assert_int_equal(prefix.length, 128);
}

static void random_prefixes_survive_the_way_to_a_name_and_back(void **state)
{
	uint64_t seed = 41;
	unsigned round, i;

	(void)state;
	for (round = 0; round < 3000; round++) {
		struct address address = {.family = round % 2 ? 4 : 6};
		unsigned step = round % 2 ? 8 : 4, bits = address_bits(&address), rest = 999;
		unsigned length = random_below(&seed, bits / step + 1) * step;
		struct prefix prefix, again;
		char text[NAME_TEXT_MAX], whole[NAME_TEXT_MAX];
		struct name name;

		for (i = 0; i < bits / 8; i++)
			address.bytes[i] = (uint8_t)random_u64(&seed);
		prefix = (struct prefix){address_mask(&address, length), (uint8_t)length};
		reverse_zone_text(&prefix, text);
		assert_int_equal(name_from_text(&name, &key, text), 0);
		assert_true(reverse_parse(&name, &again, &rest));
		assert_int_equal(rest, 0);
		assert_true(prefix_equal(&prefix, &again));
		if (length == bits)
			assert_string_equal(reverse_text(&prefix.address, whole), text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_written_backwards),
		cmocka_unit_test(prefixes_on_a_label_boundary_have_a_zone),
		cmocka_unit_test(names_stand_for_the_prefix_that_their_labels_spell),
		cmocka_unit_test(names_outside_both_trees_are_not_reverse_names),
		cmocka_unit_test(a_mapped_address_stays_in_its_own_tree),
		cmocka_unit_test(random_prefixes_survive_the_way_to_a_name_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
