/* Where addresses that are ours may be; how they are named is in test_limits_address.c. */
#include "rules/check/pools.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/config_text.h"
#include "tests/lib/limits_case.h"

static const struct {
	const char *address, *region, *says; /* says NULL: it may be ours */
} cases[] = {
	{"198.51.100.0", "east", NULL},
	{"198.51.100.255", "west", NULL},
	{"198.51.101.0", "east", "in no address pool of its region, east"},
	{"203.0.113.1", "WEST", NULL},
	{"203.0.113.1", NULL, NULL},
	{"203.0.113.1", "east", "in no address pool of its region, east"},
	{"2001:db8::1", "east", NULL},
	{"2001:db8:1::1", NULL, "in no address pool of its region, and"},
	{"10.10.0.32", "east", NULL},
	{"10.10.0.31", "east", "the subnet of the endpoint at"},
	{"10.10.0.0", "east", "the subnet of the endpoint at"},
	{"10.11.0.0", "east", "not a private address in a virtual network"},
};

static void an_address_is_ours_in_a_pool_of_its_region_or_private_in_a_network(void **state)
{
	struct config_text config;
	char text[POOLS_TEXT_MAX];

	(void)state;
	config_text_init(&config);
	struct model *model = config_text_load(
		&config, BASE "address_pools = ({ name = \"p\"; prefix = \"198.51.100.0/24\"; },"
			      "{ name = \"w\"; prefix = \"203.0.113.0/24\"; region = \"west\"; },"
			      "{ name = \"six\"; prefix = \"2001:db8::/48\"; });\n");
	assert_non_null(model);
	struct pools *pools = pools_new(model);
	assert_non_null(pools);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct address address;

		assert_int_equal(address_parse(&address, cases[i].address), 0);
		const char *why = pools_refusal(pools, &address, cases[i].region, text);
		assert_int_equal(why == NULL, cases[i].says == NULL);
		if (why)
			assert_non_null(strstr(why, cases[i].says));
	}
	pools_free(pools);
	model_free(model);
	config_text_release(&config);
}

/* ---- two of them ---- */

#define POOLS(region, rest)                                                                        \
	"address_pools = ({ name = \"p\"; prefix = \"198.51.100.0/24\"; region = \"" region        \
	"\"; }" rest ");\n"

/* Whether the pools of two configurations are equal, with and without their lines. */
static void compare(const char *first, const char *second, bool equal, bool with_places)
{
	struct config_text configs[2];
	struct model *models[2];
	struct pools *pools[2];

	for (unsigned i = 0; i < 2; i++) {
		config_text_init(&configs[i]);
		models[i] = config_text_load(&configs[i], i ? second : first);
		assert_non_null(models[i]);
		pools[i] = pools_new(models[i]);
		assert_non_null(pools[i]);
	}
	assert_int_equal(pools_equal(pools[0], pools[1], false), equal);
	assert_int_equal(pools_equal(pools[0], pools[1], true), with_places);
	for (unsigned i = 0; i < 2; i++) {
		pools_free(pools[i]);
		model_free(models[i]);
		config_text_release(&configs[i]);
	}
}

static void what_decides_of_an_address_makes_other_pools_and_nothing_else_does(void **state)
{
	static const char zone[] = BASE POOLS("east", "");

	(void)state;
	compare(zone, BASE POOLS("west", ""), false, false);
	compare(zone, BASE POOLS("east", ", { name = \"q\"; prefix = \"203.0.113.0/24\"; }"), false,
		false);
	compare(zone, BASE, false, false);
	compare(zone, "// a line above\n" BASE POOLS("EAST", ""), true, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			an_address_is_ours_in_a_pool_of_its_region_or_private_in_a_network),
		cmocka_unit_test(
			what_decides_of_an_address_makes_other_pools_and_nothing_else_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
