#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/prefix.h"
#include "tests/lib/addresses.h"
#include "tests/lib/arena_case.h"
#include "tests/lib/random.h"

/* ---- text ---- */

static void addresses_print_as_they_are_best_written(void **state)
{
	static const struct {
		const char *text, *printed;
		unsigned family;
	} cases[] = {
		{"192.0.2.1", "192.0.2.1", 4},
		{"0.0.0.0", "0.0.0.0", 4},
		{"255.255.255.255", "255.255.255.255", 4},
		{"2001:DB8:0:0:0:0:0:1", "2001:db8::1", 6},
		{"::", "::", 6},
		{"::1", "::1", 6},
		{"1234:5678:9abc:def0:1234:5678:9abc:def0",
		 "1234:5678:9abc:def0:1234:5678:9abc:def0", 6},
		{"::ffff:192.0.2.1", "192.0.2.1", 4},
		{"::ffff:c000:201", "192.0.2.1", 4},
		{"::fffe:192.0.2.1", "::fffe:c000:201", 6},
	};
	char text[ADDRESS_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct address parsed = address_of(cases[i].text);

		assert_int_equal(parsed.family, cases[i].family);
		assert_string_equal(address_print(&parsed, text), cases[i].printed);
	}
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"1.2.3",
		"1.2.3.4.5",
		"1.2.3.256",
		"01.2.3.4",
		"1.2.3.4 ",
		" ::1",
		"10.1",
		"0x7f.0.0.1",
		"::g",
		":::",
		"fe80::1%lo",
		"[::1]",
		"host",
		"1.2.3.4/8",
		"1.2.3.4:53",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
	};
	struct address parsed;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		if (address_parse(&parsed, bad[i]) != ERR_INVALID)
			fail_msg("\"%s\" was taken", bad[i]);
}

static void the_bytes_behind_an_ipv4_address_are_zero(void **state)
{
	static const uint8_t zero[12];
	struct address parsed;

	(void)state;
	memset(&parsed, 0xff, sizeof parsed);
	assert_int_equal(address_parse(&parsed, "192.0.2.1"), 0);
	assert_memory_equal(parsed.bytes + 4, zero, sizeof zero);
	memset(&parsed, 0xff, sizeof parsed);
	assert_int_equal(address_parse(&parsed, "::ffff:192.0.2.1"), 0);
	assert_memory_equal(parsed.bytes + 4, zero, sizeof zero);
}

static void no_address_prints_as_none(void **state)
{
	const struct address none = {0};
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	assert_string_equal(address_print(&none, text), "none");
}

static void prefixes_are_read_and_printed(void **state)
{
	static const struct {
		const char *text, *printed;
	} cases[] = {
		{"10.0.0.0/8", "10.0.0.0/8"},
		{"0.0.0.0/0", "0.0.0.0/0"},
		{"192.0.2.1/32", "192.0.2.1/32"},
		{"192.0.2.128/25", "192.0.2.128/25"},
		{"::/0", "::/0"},
		{"2001:db8::/32", "2001:db8::/32"},
		{"2001:db8::8/125", "2001:db8::8/125"},
		{"::1/128", "::1/128"},
		{"::ffff:10.0.0.0/104", "10.0.0.0/8"},
		{"::ffff:0.0.0.0/96", "0.0.0.0/0"},
		{"::/64", "::/64"},
	};
	char text[PREFIX_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct prefix parsed = prefix_of(cases[i].text);

		assert_string_equal(prefix_print(&parsed, text), cases[i].printed);
	}
}

static void host_bits_are_refused_or_cleared(void **state)
{
	static const struct {
		const char *text, *cleared;
	} cases[] = {
		{"10.0.0.1/8", "10.0.0.0/8"},          {"192.0.2.129/25", "192.0.2.128/25"},
		{"255.255.255.255/0", "0.0.0.0/0"},    {"255.255.255.255/31", "255.255.255.254/31"},
		{"2001:db8::1/127", "2001:db8::/127"}, {"2001:db8:ffff::/33", "2001:db8:8000::/33"},
		{"::ffff:10.1.0.0/104", "10.0.0.0/8"}, {"::ffff:10.1.0.0/64", "::/64"},
	};
	char text[PREFIX_TEXT_MAX];
	struct prefix parsed;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(prefix_parse(&parsed, cases[i].text), ERR_INVALID);
		assert_int_equal(prefix_parse_lenient(&parsed, cases[i].text), 0);
		assert_string_equal(prefix_print(&parsed, text), cases[i].cleared);
	}
}

static void what_is_no_prefix_is_refused_leniently_too(void **state)
{
	static const char *const bad[] = {
		"",
		"10.0.0.0",
		"10.0.0.0/",
		"10.0.0.0/33",
		"::/129",
		"10.0.0.0/-1",
		"10.0.0.0/08",
		"10.0.0.0/8 ",
		"10.0.0.0/8/8",
		"/8",
		"10/8",
		"10.0.0.0/x",
		"10.0.0.0/ 8",
		"10.0.0.0/+8",
		"10.0.0.0/4294967304",
		"::/4294967296",
	};
	struct prefix parsed;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		if (prefix_parse(&parsed, bad[i]) != ERR_INVALID ||
		    prefix_parse_lenient(&parsed, bad[i]) != ERR_INVALID)
			fail_msg("\"%s\" was taken", bad[i]);
}

static void hosts_are_read_and_printed(void **state)
{
	static const struct {
		const char *text, *printed;
	} cases[] = {
		{"192.0.2.1", "192.0.2.1:53"},
		{"192.0.2.1:5300", "192.0.2.1:5300"},
		{"192.0.2.1:1", "192.0.2.1:1"},
		{"192.0.2.1:65535", "192.0.2.1:65535"},
		{"2001:db8::1", "[2001:db8::1]:53"},
		{"[2001:db8::1]", "[2001:db8::1]:53"},
		{"[2001:db8::1]:5300", "[2001:db8::1]:5300"},
		{"::", "[::]:53"},
		{"[::ffff:192.0.2.1]:54", "192.0.2.1:54"},
	};
	char text[HOST_TEXT_MAX];
	struct host parsed;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(host_parse(&parsed, cases[i].text, 53), 0);
		assert_string_equal(host_print(&parsed, text), cases[i].printed);
	}
}

static void what_is_no_host_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		":53",
		"192.0.2.1:",
		"192.0.2.1:0",
		"192.0.2.1:65536",
		"192.0.2.1:x",
		"192.0.2.1:053",
		"[::1",
		"[::1]53",
		"[::1]:",
		"[::1]:0",
		"[::1]:99999",
		"[192.0.2.1]:53",
		"[]",
		"[]:53",
		"::1]",
		"name:53",
		"[::1]:53 ",
		"192.0.2.1:-1",
	};
	struct host parsed;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		if (host_parse(&parsed, bad[i], 53) != ERR_INVALID)
			fail_msg("\"%s\" was taken", bad[i]);
}

/* ---- what they mean ---- */

static void loopback_private_and_unspecified_have_exact_edges(void **state)
{
	static const struct {
		const char *text;
		bool loopback, is_private, unspecified;
	} cases[] = {
		{"126.255.255.255", false, false, false},
		{"127.0.0.0", true, false, false},
		{"127.255.255.255", true, false, false},
		{"128.0.0.0", false, false, false},
		{"::1", true, false, false},
		{"::2", false, false, false},
		{"0.0.0.0", false, false, true},
		{"::", false, false, true},
		{"0.0.0.1", false, false, false},
		{"9.255.255.255", false, false, false},
		{"10.0.0.0", false, true, false},
		{"10.255.255.255", false, true, false},
		{"11.0.0.0", false, false, false},
		{"172.15.255.255", false, false, false},
		{"172.16.0.0", false, true, false},
		{"172.31.255.255", false, true, false},
		{"172.32.0.0", false, false, false},
		{"192.167.255.255", false, false, false},
		{"192.168.0.0", false, true, false},
		{"192.168.255.255", false, true, false},
		{"192.169.0.0", false, false, false},
		{"fbff::", false, false, false},
		{"fc00::", false, true, false},
		{"fdff::", false, true, false},
		{"fe00::", false, false, false},
		{"a00::", false, false, false},
		{"7f00::", false, false, false},
	};
	const struct address none = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct address parsed = address_of(cases[i].text);

		if (address_is_loopback(&parsed) != cases[i].loopback ||
		    address_is_private(&parsed) != cases[i].is_private ||
		    address_is_unspecified(&parsed) != cases[i].unspecified)
			fail_msg("%s is taken for something else", cases[i].text);
	}
	assert_false(address_is_loopback(&none));
	assert_false(address_is_private(&none));
	assert_false(address_is_unspecified(&none));
}

static void a_prefix_has_private_addresses_if_it_overlaps_a_private_block(void **state)
{
	static const struct {
		const char *prefix;
		bool has;
	} cases[] = {
		{"10.0.0.0/8", true},        {"11.0.0.0/8", false},    {"8.0.0.0/6", true},
		{"10.255.255.255/32", true}, {"172.0.0.0/8", true},    {"172.16.0.0/12", true},
		{"172.31.255.0/24", true},   {"172.32.0.0/12", false}, {"172.0.0.0/12", false},
		{"192.0.0.0/8", true},       {"192.168.7.0/24", true}, {"192.169.0.0/16", false},
		{"0.0.0.0/0", true},         {"::/0", true},           {"f000::/4", true},
		{"fd00::/8", true},          {"fe00::/8", false},      {"2001:db8::/32", false},
	};
	struct prefix prefix;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(prefix_parse(&prefix, cases[i].prefix), 0);
		if (prefix_has_private(&prefix) != cases[i].has)
			fail_msg("%s", cases[i].prefix);
	}
}

static void hosts_overlap_where_one_of_them_is_every_address(void **state)
{
	static const struct {
		const char *one, *other;
		bool overlap;
	} pairs[] = {
		{"0.0.0.0:53", "127.0.0.1:53", true},    {"[::]:53", "[::1]:53", true},
		{"0.0.0.0:53", "127.0.0.1:54", false},   {"0.0.0.0:53", "[::1]:53", false},
		{"0.0.0.0:53", "0.0.0.0:53", false}, /* the same */
		{"127.0.0.1:53", "127.0.0.2:53", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		struct host one, other;

		assert_int_equal(host_parse(&one, pairs[i].one, 53), 0);
		assert_int_equal(host_parse(&other, pairs[i].other, 53), 0);
		assert_int_equal(host_overlaps(&one, &other), pairs[i].overlap);
		assert_int_equal(host_overlaps(&other, &one), pairs[i].overlap);
	}
}

static void equality_looks_at_everything(void **state)
{
	struct address v4 = address_of("10.0.0.0"), v6 = address_of("a00::");
	struct host a = {v4, 53}, b = {v4, 54}, c = {v6, 53}, d = {v4, 53};
	struct prefix eight = prefix_of("10.0.0.0/8"), nine = prefix_of("10.0.0.0/9");
	struct prefix other = prefix_of("11.0.0.0/8");

	(void)state;
	assert_false(address_equal(&v4, &v6)); /* the same bytes */
	assert_true(host_equal(&a, &d));
	assert_false(host_equal(&a, &b));
	assert_false(host_equal(&a, &c));
	assert_true(prefix_equal(&eight, &eight));
	assert_false(prefix_equal(&eight, &nine));
	assert_false(prefix_equal(&eight, &other));
	assert_int_equal(address_bits(&v4), 32);
	assert_int_equal(address_bits(&v6), 128);
}

static void a_prefix_contains_its_first_and_last_address_and_no_neighbour(void **state)
{
	static const struct {
		const char *prefix, *before, *first, *last, *after;
	} cases[] = {
		{"10.0.0.0/8", "9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"},
		{"192.0.2.64/27", "192.0.2.63", "192.0.2.64", "192.0.2.95", "192.0.2.96"},
		{"192.0.2.1/32", "192.0.2.0", "192.0.2.1", "192.0.2.1", "192.0.2.2"},
		{"2001:db8:8000::/33", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff",
		 "2001:db8:8000::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"},
		{"::4/127", "::3", "::4", "::5", "::6"},
		{"::/0", "0.0.0.0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "10.0.0.1"},
		{"0.0.0.0/0", "::", "0.0.0.0", "255.255.255.255", "::1"},
	};
	const struct address none = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct prefix parsed = prefix_of(cases[i].prefix);
		struct address before = address_of(cases[i].before),
			       after = address_of(cases[i].after);
		struct address first = address_of(cases[i].first), last = address_of(cases[i].last);

		assert_false(prefix_contains(&parsed, &before));
		assert_true(prefix_contains(&parsed, &first));
		assert_true(prefix_contains(&parsed, &last));
		assert_false(prefix_contains(&parsed, &after));
		assert_false(prefix_contains(&parsed, &none));
	}
}

static void covering_has_a_direction_and_overlapping_has_none(void **state)
{
	struct prefix eight = prefix_of("10.0.0.0/8"), sixteen = prefix_of("10.1.0.0/16");
	struct prefix other = prefix_of("10.2.0.0/16"), all6 = prefix_of("::/0");

	(void)state;
	assert_true(prefix_covers(&eight, &sixteen));
	assert_false(prefix_covers(&sixteen, &eight));
	assert_true(prefix_covers(&eight, &eight));
	assert_true(prefix_overlaps(&eight, &sixteen));
	assert_true(prefix_overlaps(&sixteen, &eight));
	assert_false(prefix_overlaps(&sixteen, &other));
	assert_false(prefix_overlaps(&all6, &eight));
}

static void masking_keeps_the_first_bits_at_every_length(void **state)
{
	struct address ones = address_of("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	unsigned length, bit;

	(void)state;
	for (length = 0; length <= 128; length++) {
		struct address cut = address_mask(&ones, length);

		assert_int_equal(cut.family, 6);
		for (bit = 0; bit < 128; bit++)
			assert_int_equal(cut.bytes[bit / 8] >> (7 - bit % 8) & 1, bit < length);
	}
}

static void adding_carries_over_the_bytes_of_an_address(void **state)
{
	static const struct {
		const char *from;
		uint32_t n;
		const char *sum;
	} cases[] = {
		{"10.1.255.254", 3, "10.2.0.1"},
		{"10.0.0.0", 0, "10.0.0.0"},
		{"0.0.0.1", UINT32_MAX, "0.0.0.0"},
		{"2001:db8::ffff:ffff", 1, "2001:db8::1:0:0"},
		{"2001:db8::", UINT32_MAX, "2001:db8::ffff:ffff"},
	};
	struct address from, sum;
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(address_parse(&from, cases[i].from), 0);
		sum = address_add(&from, cases[i].n);
		assert_string_equal(address_print(&sum, text), cases[i].sum);
	}
}

static void the_nth_address_ends_with_the_prefix(void **state)
{
	struct prefix small = prefix_of("10.1.2.252/30"), one = prefix_of("10.0.0.7/32");
	struct prefix all = prefix_of("0.0.0.0/0"), six = prefix_of("::/126"),
		      wide = prefix_of("10.0.0.0/8");
	struct address found;
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	assert_int_equal(prefix_size(&small), 4);
	assert_int_equal(prefix_size(&one), 1);
	assert_true(prefix_size(&all) == (uint64_t)1 << 32);
	assert_int_equal(prefix_size(&six), 0);
	assert_true(prefix_nth(&small, 0, &found));
	assert_string_equal(address_print(&found, text), "10.1.2.252");
	assert_true(prefix_nth(&small, 3, &found));
	assert_string_equal(address_print(&found, text), "10.1.2.255");
	assert_false(prefix_nth(&small, 4, &found));
	assert_true(prefix_nth(&one, 0, &found));
	assert_false(prefix_nth(&one, 1, &found));
	assert_true(prefix_nth(&all, UINT32_MAX, &found));
	assert_string_equal(address_print(&found, text), "255.255.255.255");
	assert_false(prefix_nth(&six, 0, &found));
	assert_true(prefix_nth(&wide, 256 * 256 + 258, &found));
	assert_string_equal(address_print(&found, text), "10.1.1.2");
}

/* ---- the table ---- */

static void add(struct prefix_table *table, struct arena *arena, const char *text, uint32_t value)
{
	struct prefix parsed = prefix_of(text);

	assert_int_equal(prefix_table_add(table, arena, &parsed, value), 0);
}

/* The value found, or -1. */
static int look_up(const struct prefix_table *table, const char *text)
{
	struct address wanted = address_of(text);
	const struct prefix_entry *entry = prefix_table_find(table, &wanted);

	return !entry ? -1 : (int)entry->value;
}

static void an_empty_table_finds_nothing(void **state)
{
	struct prefix_table table = {0};

	(void)state;
	assert_int_equal(look_up(&table, "10.0.0.1"), -1);
	prefix_table_build(&table);
	assert_int_equal(look_up(&table, "10.0.0.1"), -1);
	assert_int_equal(look_up(&table, "::1"), -1);
}

static void the_longest_prefix_wins_within_its_family(void **state)
{
	struct prefix_table table = {0};

	add(&table, *state, "0.0.0.0/0", 1);
	add(&table, *state, "10.0.0.0/8", 2);
	add(&table, *state, "10.1.2.3/32", 3);
	add(&table, *state, "10.1.0.0/16", 4);
	add(&table, *state, "::1/128", 6);
	add(&table, *state, "a00::/8", 5);
	prefix_table_build(&table);
	assert_int_equal(look_up(&table, "10.1.2.3"), 3);
	assert_int_equal(look_up(&table, "10.1.2.4"), 4);
	assert_int_equal(look_up(&table, "10.2.0.0"), 2);
	assert_int_equal(look_up(&table, "11.0.0.0"), 1);
	assert_int_equal(look_up(&table, "a00::1"), 5);
	assert_int_equal(look_up(&table, "::1"), 6);
	assert_int_equal(look_up(&table, "::2"), -1);
}

static void a_prefix_added_twice_keeps_its_first_value_through_rebuilding(void **state)
{
	struct prefix_table table = {0};

	add(&table, *state, "192.0.2.0/24", 9);
	add(&table, *state, "192.0.2.0/24", 8);
	add(&table, *state, "192.0.2.0/24", 8);
	add(&table, *state, "10.0.0.0/8", 1);
	add(&table, *state, "10.0.0.0/8", 2);
	prefix_table_build(&table);
	assert_int_equal(table.count, 2);
	assert_int_equal(look_up(&table, "10.0.0.1"), 1);
	assert_int_equal(look_up(&table, "192.0.2.1"), 9);
	add(&table, *state, "10.0.0.0/8", 3);
	add(&table, *state, "192.0.2.0/24", 7);
	add(&table, *state, "10.0.0.0/9", 4);
	prefix_table_build(&table);
	assert_int_equal(table.count, 3);
	assert_int_equal(look_up(&table, "10.200.0.1"), 1);
	assert_int_equal(look_up(&table, "10.0.0.1"), 4);
	assert_int_equal(look_up(&table, "192.0.2.1"), 9);
}

static void all_lengths_of_both_families_fit(void **state)
{
	struct prefix_table table = {0};
	struct address ones4 = address_of("255.255.255.255");
	struct address ones6 = address_of("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), flipped;
	unsigned length;

	for (length = 0; length <= 128; length++) {
		struct prefix p4 = {address_mask(&ones4, length % 33), (uint8_t)(length % 33)};
		struct prefix p6 = {address_mask(&ones6, length), (uint8_t)length};

		assert_int_equal(prefix_table_add(&table, *state, &p6, length), 0);
		if (length <= 32)
			assert_int_equal(prefix_table_add(&table, *state, &p4, length), 0);
	}
	prefix_table_build(&table);
	assert_int_equal(table.run_count, PREFIX_RUNS_MAX);
	/* Ones up to a zero: the prefix of just those ones is the longest. */
	for (length = 0; length < 128; length++) {
		flipped = ones6;
		flipped.bytes[length / 8] ^= (uint8_t)(0x80 >> length % 8);
		assert_int_equal(prefix_table_find(&table, &flipped)->value, length);
		flipped = ones4;
		flipped.bytes[length % 32 / 8] ^= (uint8_t)(0x80 >> length % 8);
		assert_int_equal(prefix_table_find(&table, &flipped)->value, length % 32);
	}
	assert_int_equal(prefix_table_find(&table, &ones4)->value, 32);
	assert_int_equal(prefix_table_find(&table, &ones6)->value, 128);
}

/* Few distinct bits, so that prefixes nest and are hit. */
static struct address random_address(uint64_t *seed)
{
	struct address result = {.family = random_below(seed, 2) ? 4 : 6};
	unsigned bytes = result.family == 4 ? 4 : 16, i;

	for (i = 0; i < bytes; i++)
		result.bytes[i] = random_below(seed, 3) ? 0 : (uint8_t)(random_below(seed, 4) << 6);
	return result;
}

static void the_table_agrees_with_a_search_through_all(void **state)
{
	enum { PREFIXES = 200 };
	struct prefix prefixes[PREFIXES];
	uint64_t seed = 21;
	unsigned round, i, probe, hits = 0;

	for (round = 0; round < 60; round++) {
		struct prefix_table table = {0};
		unsigned count = random_below(&seed, PREFIXES + 1);

		for (i = 0; i < count; i++) {
			struct address base = random_address(&seed);
			unsigned length = random_below(&seed, address_bits(&base) + 1);

			prefixes[i] = (struct prefix){address_mask(&base, length), (uint8_t)length};
			assert_int_equal(prefix_table_add(&table, *state, &prefixes[i], i), 0);
		}
		prefix_table_build(&table);
		for (probe = 0; probe < 500; probe++) {
			struct address wanted = random_address(&seed);
			const struct prefix_entry *found = prefix_table_find(&table, &wanted);
			const struct prefix *best = NULL;

			for (i = 0; i < count; i++)
				if (prefix_contains(&prefixes[i], &wanted) &&
				    (!best || prefixes[i].length > best->length))
					best = &prefixes[i];
			if (!best) {
				assert_null(found);
				continue;
			}
			hits++;
			assert_non_null(found);
			assert_int_equal(found->value, best - prefixes);
		}
	}
	assert_true(hits > 5000);
}

static void a_client_is_an_ipv4_address_or_the_64_of_an_ipv6_one(void **state)
{
	static const char *const texts[][2] = {
		{"192.0.2.255", "192.0.2.255"},
		{"::ffff:192.0.2.255", "192.0.2.255"},
		{"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8:ffff:ffff::"},
		{"2001:db8:0:1::", "2001:db8:0:1::"},
	};
	char text[ADDRESS_TEXT_MAX];
	(void)state;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct address address;
		assert_int_equal(address_parse(&address, texts[i][0]), 0);
		address = address_client(&address);
		assert_string_equal(address_print(&address, text), texts[i][1]);
	}
	assert_int_equal(address_client(&(struct address){0}).family, 0);
}

static void a_site_is_an_ipv4_address_or_the_48_of_an_ipv6_one_or_all_of_loopback(void **state)
{
	static const char *const texts[][2] = {
		{"192.0.2.255", "192.0.2.255"},
		{"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8:ffff::"},
		{"127.0.0.1", "127.0.0.1"},
		{"127.255.255.255", "127.0.0.1"},
		{"::1", "127.0.0.1"},
		{"::2", "::"},
	};
	char text[ADDRESS_TEXT_MAX];
	(void)state;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct address address;
		assert_int_equal(address_parse(&address, texts[i][0]), 0);
		address = address_site(&address);
		assert_string_equal(address_print(&address, text), texts[i][1]);
	}
	assert_int_equal(address_site(&(struct address){0}).family, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TABLE_TEST(name) cmocka_unit_test_setup_teardown(name, arena_set_up, arena_tear_down)
		cmocka_unit_test(addresses_print_as_they_are_best_written),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(the_bytes_behind_an_ipv4_address_are_zero),
		cmocka_unit_test(no_address_prints_as_none),
		cmocka_unit_test(prefixes_are_read_and_printed),
		cmocka_unit_test(host_bits_are_refused_or_cleared),
		cmocka_unit_test(what_is_no_prefix_is_refused_leniently_too),
		cmocka_unit_test(hosts_are_read_and_printed),
		cmocka_unit_test(what_is_no_host_is_refused),
		cmocka_unit_test(loopback_private_and_unspecified_have_exact_edges),
		cmocka_unit_test(a_prefix_has_private_addresses_if_it_overlaps_a_private_block),
		cmocka_unit_test(hosts_overlap_where_one_of_them_is_every_address),
		cmocka_unit_test(equality_looks_at_everything),
		cmocka_unit_test(a_prefix_contains_its_first_and_last_address_and_no_neighbour),
		cmocka_unit_test(covering_has_a_direction_and_overlapping_has_none),
		cmocka_unit_test(masking_keeps_the_first_bits_at_every_length),
		cmocka_unit_test(a_client_is_an_ipv4_address_or_the_64_of_an_ipv6_one),
		cmocka_unit_test(
			a_site_is_an_ipv4_address_or_the_48_of_an_ipv6_one_or_all_of_loopback),
		cmocka_unit_test(adding_carries_over_the_bytes_of_an_address),
		cmocka_unit_test(the_nth_address_ends_with_the_prefix),
		TABLE_TEST(an_empty_table_finds_nothing),
		TABLE_TEST(the_longest_prefix_wins_within_its_family),
		TABLE_TEST(a_prefix_added_twice_keeps_its_first_value_through_rebuilding),
		TABLE_TEST(all_lengths_of_both_families_fit),
		TABLE_TEST(the_table_agrees_with_a_search_through_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
