/* What a text refers to, and how it is written: of subnets, which are inside networks, and of
 * zones, whose own names may have slashes. The models are made by hand. */
#include "rules/schema/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/base.h"

/* "hub" in no group, in "Prod" and in "Dev", "spoke" in "Dev"; all have a subnet "apps", and that
 * of Prod has "Dns", too. Zones, in this order. */
struct world {
	struct subnet subnets[2];
	struct virtual_network networks[4];
	struct private_zone zones[4];
	struct model *model;
};

static const char *const zones[][2] = {{NULL, "0/25.2.0.192.in-addr.arpa"},
				       {"Prod", "corp.test"},
				       {"Dev", "b.test"},
				       {NULL, "a.test"}};

static int set_up(void **state)
{
	static const char *const networks[][2] = {
		{NULL, "hub"}, {"Prod", "hub"}, {"Dev", "hub"}, {"Dev", "spoke"}};
	struct world *world = calloc(1, sizeof *world);

	assert_non_null(world);
	world->subnets[0].name = "apps";
	world->subnets[1].name = "Dns";
	world->model = model_new();
	for (size_t i = 0; i < COUNT(networks); i++) {
		world->networks[i].resource_group = networks[i][0];
		world->networks[i].name = networks[i][1];
		world->networks[i].subnets.items = world->subnets;
		world->networks[i].subnets.count = i == 1 ? 2 : 1;
	}
	for (size_t i = 0; i < COUNT(zones); i++) {
		world->zones[i].resource_group = zones[i][0];
		world->zones[i].name = zones[i][1];
	}
	world->model->virtual_networks.items = world->networks;
	world->model->virtual_networks.count = COUNT(networks);
	world->model->private_zones.items = world->zones;
	world->model->private_zones.count = COUNT(zones);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	world->model->private_zones.count = 0;
	model_free(world->model);
	free(world);
	return 0;
}

/* "dev/hub/apps": which it is; "dev/hub/": that network, and no such subnet; "": neither. */
static const char *found(const struct world *world, const char *group, const char *text)
{
	static char print[128];
	struct virtual_network *network;
	struct subnet *subnet = model_subnet_of(world->model, group, text, &network);
	const char *in = network && network->resource_group ? network->resource_group : GROUP_NONE;

	assert_ptr_equal(subnet, model_subnet_of(world->model, group, text, NULL));
	snprintf(print, sizeof print, "%s%s%s%s%s", network ? in : "", network ? "/" : "",
		 network ? network->name : "", network ? "/" : "", subnet ? subnet->name : "");
	return print;
}

static void find_subnets(const struct world *world)
{
	assert_string_equal(found(world, NULL, "hub/apps"), "-/hub/apps");
	assert_string_equal(found(world, "prod", "HUB/dns"), "Prod/hub/Dns");
	assert_string_equal(found(world, "dev", "hub/dns"), "Dev/hub/");
	assert_string_equal(found(world, "dev", "prod/hub/DNS"), "Prod/hub/Dns");
	assert_string_equal(found(world, "prod", "-/hub/apps"), "-/hub/apps");
	assert_string_equal(found(world, NULL, "spoke/apps"), "Dev/spoke/apps"); /* the only one */
	assert_string_equal(found(world, "other", "hub/apps"), "");              /* one of three */
	assert_string_equal(found(world, NULL, "prod/spoke/apps"), "");
	assert_string_equal(found(world, NULL, "apps"), "");
	assert_string_equal(found(world, NULL, "hub"), "");
	assert_string_equal(found(world, NULL, "hub/"), "-/hub/");
	assert_string_equal(found(world, NULL, "/apps"), "");
	assert_string_equal(found(world, NULL, NULL), "");
}

static void a_subnet_is_found_in_the_network_that_is_meant(void **state)
{
	struct world *world = *state;

	find_subnets(world);
	assert_int_equal(model_sort_names(world->model), 0);
	find_subnets(world);
}

static void a_subnets_reference_is_written_in_full_and_short(void **state)
{
	struct world *world = *state;
	struct model *model = world->model;
	const enum refers refers = REFERS_SUBNET;
	struct arena *arena = &model->arena;

	assert_string_equal(reference_full(model, refers, "prod", "hub/dns", arena),
			    "Prod/hub/dns");
	assert_string_equal(reference_full(model, refers, NULL, "hub/apps", arena), "-/hub/apps");
	assert_string_equal(reference_full(model, refers, NULL, "dev/hub/apps", arena),
			    "dev/hub/apps");
	assert_null(reference_full(model, refers, "dev", "hub/dns", arena));
	assert_null(reference_full(model, refers, "other", "hub/apps", arena));
	assert_string_equal(reference_short("Prod/hub/dns", refers, "prod"), "hub/dns");
	assert_string_equal(reference_short("-/hub/dns", refers, NULL), "hub/dns");
	assert_string_equal(reference_short("dev/hub/dns", refers, "prod"), "dev/hub/dns");
	/* A network that is called as the group. */
	assert_string_equal(reference_short("hub/dns", refers, "hub"), "hub/dns");
	assert_true(reference_has_group(refers, "-/hub/dns"));
	assert_false(reference_has_group(refers, "hub/dns"));
	assert_true(reference_has_group(REFERS_NETWORK, "-/hub"));
	assert_false(reference_has_group(REFERS_NETWORK, "hub"));
	assert_false(reference_has_group(REFERS_ZONE, "0/25.2.0.192.in-addr.arpa"));
}

static void what_is_wrong_with_a_subnets_reference_is_told(void **state)
{
	struct world *world = *state;
	char why[REFERENCE_TEXT_MAX];

	assert_true(reference_is_ambiguous(world->model, REFERS_SUBNET, "other", "hub/apps"));
	assert_false(reference_is_ambiguous(world->model, REFERS_SUBNET, "dev", "hub/apps"));
	assert_string_equal(
		reference_refusal(world->model, REFERS_SUBNET, "other", "hub/apps", why),
		"there is more than one virtual network \"hub\"; give its group: "
		"-/hub/apps, Prod/hub/apps, Dev/hub/apps");
	assert_string_equal(reference_refusal(world->model, REFERS_SUBNET, NULL, "hub/none", why),
			    "there is no subnet \"hub/none\"; write NETWORK/SUBNET, as in "
			    "\"hub/machines\"");
}

static void a_zone_is_found_among_sorted_ones(void **state)
{
	struct world *world = *state;
	struct model *model = world->model;

	for (int sorted = 0; sorted < 2; sorted++) {
		for (size_t i = 0; i < COUNT(zones); i++)
			assert_ptr_equal(model_zone(model, "other", zones[i][1]), &world->zones[i]);
		assert_ptr_equal(model_zone(model, NULL, "Corp.test."), &world->zones[1]);
		assert_ptr_equal(model_zone(model, NULL, "prod/corp.test"), &world->zones[1]);
		assert_null(model_zone(model, NULL, "dev/corp.test"));
		assert_null(model_zone(model, NULL, "c.test"));
		assert_int_equal(model_sort_names(model), 0);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_subnet_is_found_in_the_network_that_is_meant),
		TEST(a_subnets_reference_is_written_in_full_and_short),
		TEST(what_is_wrong_with_a_subnets_reference_is_told),
		TEST(a_zone_is_found_among_sorted_ones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
