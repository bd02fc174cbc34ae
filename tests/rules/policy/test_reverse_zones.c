/* Which zones a pool makes appear, cut by cut. */
#include "rules/policy/reverse_zones.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/reverse.h"
#include "tests/lib/random.h"

static const struct hash_key key = {0x1234, 0x5678};

struct zone_listing {
	unsigned count, stop_at;
	struct reverse_zone zones[256];
	char origins[256][NAME_TEXT_MAX], aliases[256][NAME_TEXT_MAX];
};

static struct zone_listing listing;

static int on_zone(void *context, const struct reverse_zone *zone)
{
	struct zone_listing *list = context;

	assert_in_range(list->count, 0, 255);
	snprintf(list->origins[list->count], NAME_TEXT_MAX, "%s", zone->origin);
	snprintf(list->aliases[list->count], NAME_TEXT_MAX, "%s", zone->alias ? zone->alias : "");
	list->zones[list->count++] = *zone;
	return list->count == list->stop_at ? 7 : 0;
}

static struct address_pool pool_of(const char *prefix, const char *zone)
{
	struct address_pool pool = {.name = "pool", .zone = zone};

	assert_int_equal(prefix_parse(&pool.prefix, prefix), 0);
	return pool;
}

static void list(const struct address_pool *pool)
{
	listing.count = listing.stop_at = 0;
	assert_int_equal(reverse_each_pool_zone(pool, on_zone, &listing), 0);
}

#define ZEROES_27 "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."

static const struct {
	const char *prefix;
	unsigned count;
	const char *first, *last, *alias; /* alias NULL: the zone is not classless */
} cuts[] = {
	{"0.0.0.0/0", 256, "0.in-addr.arpa.", "255.in-addr.arpa.", NULL},
	{"128.0.0.0/1", 128, "128.in-addr.arpa.", "255.in-addr.arpa.", NULL},
	{"198.0.0.0/7", 2, "198.in-addr.arpa.", "199.in-addr.arpa.", NULL},
	{"198.0.0.0/8", 1, "198.in-addr.arpa.", "198.in-addr.arpa.", NULL},
	{"198.128.0.0/9", 128, "128.198.in-addr.arpa.", "255.198.in-addr.arpa.", NULL},
	{"198.18.0.0/15", 2, "18.198.in-addr.arpa.", "19.198.in-addr.arpa.", NULL},
	{"198.51.0.0/16", 1, "51.198.in-addr.arpa.", "51.198.in-addr.arpa.", NULL},
	{"198.51.128.0/17", 128, "128.51.198.in-addr.arpa.", "255.51.198.in-addr.arpa.", NULL},
	{"198.51.100.0/22", 4, "100.51.198.in-addr.arpa.", "103.51.198.in-addr.arpa.", NULL},
	{"198.51.100.0/23", 2, "100.51.198.in-addr.arpa.", "101.51.198.in-addr.arpa.", NULL},
	{"198.51.100.0/24", 1, "100.51.198.in-addr.arpa.", "100.51.198.in-addr.arpa.", NULL},
	{"198.51.100.0/25", 1, "0-127.100.51.198.in-addr.arpa.", "0-127.100.51.198.in-addr.arpa.",
	 "0-25.100.51.198.in-addr.arpa."},
	{"198.51.100.128/25", 1, "128-255.100.51.198.in-addr.arpa.",
	 "128-255.100.51.198.in-addr.arpa.", "128-25.100.51.198.in-addr.arpa."},
	{"198.51.100.64/26", 1, "64-127.100.51.198.in-addr.arpa.",
	 "64-127.100.51.198.in-addr.arpa.", "64-26.100.51.198.in-addr.arpa."},
	{"198.51.100.252/30", 1, "252-255.100.51.198.in-addr.arpa.",
	 "252-255.100.51.198.in-addr.arpa.", "252-30.100.51.198.in-addr.arpa."},
	{"198.51.100.254/31", 1, "254-255.100.51.198.in-addr.arpa.",
	 "254-255.100.51.198.in-addr.arpa.", "254-31.100.51.198.in-addr.arpa."},
	/* Both spellings are one. */
	{"198.51.100.30/31", 1, "30-31.100.51.198.in-addr.arpa.", "30-31.100.51.198.in-addr.arpa.",
	 ""},
	{"198.51.100.7/32", 1, "7.100.51.198.in-addr.arpa.", "7.100.51.198.in-addr.arpa.", NULL},
	/* A mapped prefix is the IPv4 one that it maps. */
	{"::ffff:198.51.100.64/122", 1, "64-127.100.51.198.in-addr.arpa.",
	 "64-127.100.51.198.in-addr.arpa.", "64-26.100.51.198.in-addr.arpa."},
	{"::/0", 16, "0.ip6.arpa.", "f.ip6.arpa.", NULL},
	{"2000::/3", 2, "2.ip6.arpa.", "3.ip6.arpa.", NULL},
	{"2001:db8::/32", 1, "8.b.d.0.1.0.0.2.ip6.arpa.", "8.b.d.0.1.0.0.2.ip6.arpa.", NULL},
	{"2001:db8:6::/47", 2, "6.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.",
	 "7.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.", NULL},
	{"2001:db8:5::/48", 1, "5.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.",
	 "5.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.", NULL},
	{"2001:db8:5::/49", 8, "0.5.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.",
	 "7.5.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.", NULL},
	{"2001:db8:5:a::/64", 1, "a.0.0.0.5.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.",
	 "a.0.0.0.5.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.", NULL},
	{"5::6/127", 2, "6." ZEROES_27 "5.0.0.0.ip6.arpa.", "7." ZEROES_27 "5.0.0.0.ip6.arpa.",
	 NULL},
	{"5::7/128", 1, "7." ZEROES_27 "5.0.0.0.ip6.arpa.", "7." ZEROES_27 "5.0.0.0.ip6.arpa.",
	 NULL},
};

static void every_cut_has_its_zones(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
		struct address_pool pool = pool_of(cuts[i].prefix, NULL);

		list(&pool);
		assert_int_equal(listing.count, cuts[i].count);
		assert_string_equal(listing.origins[0], cuts[i].first);
		assert_string_equal(listing.origins[listing.count - 1], cuts[i].last);
		assert_int_equal(listing.zones[0].classless, cuts[i].alias != NULL);
		assert_string_equal(listing.aliases[0], cuts[i].alias ? cuts[i].alias : "");
		assert_ptr_equal(listing.zones[0].pool, &pool);
	}
}

/* Together they hold the pool and nothing else, in order and without overlap. */
static void the_zones_of_a_random_pool_hold_it_and_nothing_else(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		struct address_pool pool = {.name = "pool"};
		struct address address = {.family = round % 2 ? 4 : 6};
		unsigned bits = address_bits(&address), length = random_below(&seed, bits + 1);
		unsigned longer = 0;

		for (unsigned i = 0; i < bits / 8; i++)
			address.bytes[i] = (uint8_t)random_u64(&seed);
		pool.prefix = (struct prefix){address_mask(&address, length), (uint8_t)length};
		list(&pool);
		for (unsigned i = 0; i < listing.count; i++) {
			const struct prefix *prefix = &listing.zones[i].prefix;
			struct prefix spelled;
			struct name name;
			unsigned rest;

			assert_true(prefix_covers(&pool.prefix, prefix));
			longer = prefix->length - length;
			if (i > 0)
				assert_true(address_compare(&listing.zones[i - 1].prefix.address,
							    &prefix->address) < 0);
			assert_int_equal(name_from_text(&name, &key, listing.origins[i]), 0);
			assert_true(reverse_parse(&name, &spelled, &rest));
			assert_int_equal(rest, listing.zones[i].classless);
			if (!listing.zones[i].classless)
				assert_true(prefix_equal(&spelled, prefix));
		}
		assert_int_equal(listing.count, 1U << longer);
	}
}

static void a_pool_may_say_what_its_zone_is_called(void **state)
{
	struct address_pool pool = pool_of("198.51.100.64/26", "64/26.100.51.198.IN-ADDR.arpa");

	(void)state;
	list(&pool);
	assert_string_equal(listing.origins[0], "64/26.100.51.198.in-addr.arpa.");
	assert_true(listing.zones[0].classless);
	assert_null(listing.zones[0].alias);
	/* Of a single address it is the way to have a classless zone at all. */
	pool = pool_of("198.51.100.7/32", "7-7.100.51.198.in-addr.arpa.");
	list(&pool);
	assert_string_equal(listing.origins[0], "7-7.100.51.198.in-addr.arpa.");
	assert_true(listing.zones[0].classless);
}

static void a_zones_name_is_one_label_below_its_octet_and_no_addresss(void **state)
{
	static const struct {
		const char *prefix, *zone;
		bool fits;
	} cases[] = {
		{"198.51.100.64/26", "64/26.100.51.198.in-addr.arpa", true},
		{"198.51.100.64/26", "64-26.100.51.198.in-addr.arpa.", true},
		{"198.51.100.64/26", "customer.100.51.198.IN-ADDR.ARPA.", true},
		{"198.51.100.64/26", "256.100.51.198.in-addr.arpa.", true},
		{"198.51.100.64/26", "255.100.51.198.in-addr.arpa.", false},
		{"198.51.100.64/26", "64.100.51.198.in-addr.arpa.", false},
		{"198.51.100.64/26", "100.51.198.in-addr.arpa.", false},
		{"198.51.100.64/26", "a.b.100.51.198.in-addr.arpa.", false},
		{"198.51.100.64/26", "x.64.100.51.198.in-addr.arpa.", false},
		{"198.51.100.64/26", "64-127.101.51.198.in-addr.arpa.", false},
		{"198.51.100.64/26", "64-127.example.com.", false},
		{"198.51.100.0/25", "0/25.100.51.198.in-addr.arpa", true},
		{"198.51.100.0/24", "0/24.100.51.198.in-addr.arpa", false},
		{"198.51.100.7/32", "7/32.100.51.198.in-addr.arpa", true},
		{"2001:db8::/49", "x.8.b.d.0.1.0.0.2.ip6.arpa", false},
	};
	char text[NAME_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct address_pool pool = pool_of(cases[i].prefix, NULL);
		const char *why = reverse_zone_refusal(&pool.prefix, cases[i].zone, text);

		if ((why == NULL) != cases[i].fits)
			fail_msg("%s in %s: %s", cases[i].zone, cases[i].prefix, why ? why : "");
	}
}

static void a_walk_over_a_model_goes_pool_by_pool_and_can_be_stopped(void **state)
{
	struct address_pool pools[] = {
		pool_of("198.51.100.64/26", NULL),
		pool_of("198.51.98.0/23", NULL),
		pool_of("2001:db8::/32", NULL),
	};
	struct model *model = model_new();

	(void)state;
	assert_non_null(model);
	model->address_pools.items = pools;
	model->address_pools.count = 3;
	listing.count = listing.stop_at = 0;
	assert_int_equal(reverse_each_zone(model, on_zone, &listing), 0);
	assert_int_equal(listing.count, 4);
	assert_string_equal(listing.origins[2], "99.51.198.in-addr.arpa.");
	assert_ptr_equal(listing.zones[2].pool, &pools[1]);
	assert_string_equal(listing.origins[3], "8.b.d.0.1.0.0.2.ip6.arpa.");
	listing.count = 0;
	listing.stop_at = 2;
	assert_int_equal(reverse_each_zone(model, on_zone, &listing), 7);
	assert_int_equal(listing.count, 2);
	model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cut_has_its_zones),
		cmocka_unit_test(the_zones_of_a_random_pool_hold_it_and_nothing_else),
		cmocka_unit_test(a_pool_may_say_what_its_zone_is_called),
		cmocka_unit_test(a_zones_name_is_one_label_below_its_octet_and_no_addresss),
		cmocka_unit_test(a_walk_over_a_model_goes_pool_by_pool_and_can_be_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
