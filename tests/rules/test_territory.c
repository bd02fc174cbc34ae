/* Where addresses that are ours may be; how they are named is in test_limits_address.c. */
#include "rules/territory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/config_text.h"
#include "tests/limits_case.h"

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
	{"2001:db8:1::1", NULL, "in no address pool of its region, nor"},
	{"10.10.0.32", "east", NULL},
	{"10.10.0.31", "east", "the subnet of the endpoint at"},
	{"10.10.0.0", "east", "the subnet of the endpoint at"},
	{"10.11.0.0", "east", "nor private and in a virtual network"},
};

static void an_address_is_ours_in_a_pool_of_its_region_or_private_in_a_network(void **state)
{
	struct config_text config;
	char text[TERRITORY_TEXT_MAX];

	(void)state;
	config_text_init(&config);
	struct model *model = config_text_load(
		&config, BASE "address_pools = ({ name = \"p\"; prefix = \"198.51.100.0/24\"; },"
			      "{ name = \"w\"; prefix = \"203.0.113.0/24\"; region = \"west\"; },"
			      "{ name = \"six\"; prefix = \"2001:db8::/48\"; });\n");
	assert_non_null(model);
	struct territory *territory = territory_new(model);
	assert_non_null(territory);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct address address;

		assert_int_equal(address_parse(&address, cases[i].address), 0);
		const char *why = territory_refusal(territory, &address, cases[i].region, text);
		assert_int_equal(why == NULL, cases[i].says == NULL);
		if (why)
			assert_non_null(strstr(why, cases[i].says));
	}
	territory_free(territory);
	model_free(model);
	config_text_release(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			an_address_is_ours_in_a_pool_of_its_region_or_private_in_a_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
