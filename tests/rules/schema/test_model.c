/* Finding by name, and placing endpoints. The models are made by hand, in a few lines each. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/schema/reference.h"
#include "rules/text.h"
#include "tests/lib/addresses.h"

/* A network "hub" with one subnet "s", and a resolver "r" with two inbound endpoints and an
 * outbound one in it. */
struct world {
	struct subnet subnets[1];
	struct virtual_network networks[1];
	struct inbound_endpoint inbounds[2];
	struct outbound_endpoint outbounds[1];
	struct dns_resolver resolvers[1];
	struct model *model;
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);

	world->subnets[0] = (struct subnet){.name = "s", .prefix = prefix_of("10.0.0.0/28")};
	world->networks[0] = (struct virtual_network){.name = "hub", .region = "west"};
	world->networks[0].subnets.items = world->subnets;
	world->networks[0].subnets.count = 1;
	world->inbounds[0] = (struct inbound_endpoint){.name = "a", .subnet = "s"};
	world->inbounds[1] = (struct inbound_endpoint){.name = "b", .subnet = "S"};
	world->outbounds[0] = (struct outbound_endpoint){.name = "o", .subnet = "s"};
	world->resolvers[0] = (struct dns_resolver){.name = "r", .virtual_network = "HUB"};
	world->resolvers[0].inbound_endpoints.items = world->inbounds;
	world->resolvers[0].inbound_endpoints.count = 2;
	world->resolvers[0].outbound_endpoints.items = world->outbounds;
	world->resolvers[0].outbound_endpoints.count = 1;
	world->model = model_new();
	world->model->virtual_networks.items = world->networks;
	world->model->virtual_networks.count = 1;
	world->model->resolvers.items = world->resolvers;
	world->model->resolvers.count = 1;
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	model_free(world->model);
	free(world);
	return 0;
}

static void expect_address(const struct address *value, const char *text)
{
	char printed[ADDRESS_TEXT_MAX];

	assert_string_equal(address_print(value, printed), text);
}

static void expect_host(const struct host *value, const char *text)
{
	char printed[HOST_TEXT_MAX];

	assert_string_equal(host_print(value, printed), text);
}

static void names_are_found_without_case(void **state)
{
	struct world *world = *state;

	assert_ptr_equal(model_network(world->model, NULL, "Hub"), &world->networks[0]);
	assert_null(model_network(world->model, NULL, "hubs"));
	assert_null(model_network(world->model, NULL, NULL));
	assert_ptr_equal(model_subnet(&world->networks[0], "S"), &world->subnets[0]);
	assert_null(model_subnet(&world->networks[0], ""));
}

static void a_private_address_is_of_the_network_that_has_the_longest_prefix(void **state)
{
	struct world *world = *state;
	struct prefix spaces[] = {prefix_of("10.1.0.0/16"), prefix_of("10.0.0.0/8"),
				  prefix_of("10.1.2.0/24"), prefix_of("8.8.8.0/24")};
	struct virtual_network networks[] = {{.name = "wide"}, {.name = "narrow"}};
	const struct address near = address_of("10.1.2.3"), far = address_of("10.1.3.1"),
			     none = address_of("192.168.0.1"), public = address_of("8.8.8.8");

	networks[0].address_space.items = spaces;
	networks[0].address_space.count = 2;
	networks[1].address_space.items = spaces + 2;
	networks[1].address_space.count = 2;
	world->model->virtual_networks.items = networks;
	world->model->virtual_networks.count = 2;
	assert_ptr_equal(model_network_of(world->model, &near), &networks[1]);
	assert_ptr_equal(model_network_of(world->model, &far), &networks[0]);
	assert_null(model_network_of(world->model, &none));
	assert_null(model_network_of(world->model, &public));
}

static void items_without_a_name_are_never_found(void **state)
{
	struct world *world = *state;

	world->networks[0].name = NULL;
	world->resolvers[0].name = NULL;
	assert_null(model_network(world->model, NULL, "hub"));
	assert_null(model_outbound(world->model, NULL, "r/o", NULL));
}

static void endpoints_are_found_by_resolver_and_name(void **state)
{
	struct world *world = *state;
	struct dns_resolver *resolver = NULL;

	assert_ptr_equal(model_outbound(world->model, NULL, "R/O", &resolver),
			 &world->outbounds[0]);
	assert_ptr_equal(resolver, &world->resolvers[0]);
	assert_ptr_equal(model_inbound(world->model, NULL, "r/b", NULL), &world->inbounds[1]);
	assert_null(model_outbound(world->model, NULL, "r/a", NULL));
	assert_null(model_outbound(world->model, NULL, "rr/o", &resolver));
	assert_null(resolver);
	assert_null(model_outbound(world->model, NULL, "/o", NULL));
	assert_null(model_outbound(world->model, NULL, "r/", NULL));
	assert_null(model_outbound(world->model, NULL, "r", NULL));
	assert_null(model_outbound(world->model, NULL, NULL, NULL));
}

static void an_items_own_region_comes_first(void **state)
{
	struct world *world = *state;

	assert_null(model_region(world->model, NULL));
	world->model->region = "east";
	assert_string_equal(model_region(world->model, NULL), "east");
	assert_string_equal(model_region(world->model, "west"), "west");
}

static void the_fifth_address_is_the_first_given(void **state)
{
	struct world *world = *state;

	model_place_endpoints(world->model);
	expect_address(&world->inbounds[0].address, "10.0.0.4");
	expect_address(&world->inbounds[1].address, "10.0.0.5");
	expect_host(&world->inbounds[0].listen, "10.0.0.4:53");
	expect_address(&world->outbounds[0].source, "10.0.0.4");
}

static void a_static_address_is_passed_over(void **state)
{
	struct world *world = *state;

	world->inbounds[1].allocation = ALLOCATION_STATIC;
	world->inbounds[1].address = address_of("10.0.0.4");
	model_place_endpoints(world->model);
	expect_address(&world->inbounds[0].address, "10.0.0.5");
	expect_address(&world->inbounds[1].address, "10.0.0.4");
}

static void what_is_given_stays(void **state)
{
	struct world *world = *state;

	world->inbounds[0].address = address_of("10.0.0.9");
	world->inbounds[1].listen = (struct host){address_of("127.0.0.1"), 5300};
	world->outbounds[0].source = address_of("127.0.0.1");
	model_place_endpoints(world->model);
	expect_host(&world->inbounds[0].listen, "10.0.0.9:53");
	expect_host(&world->inbounds[1].listen, "127.0.0.1:5300");
	expect_address(&world->outbounds[0].source, "127.0.0.1");
}

static void placing_twice_changes_nothing(void **state)
{
	struct world *world = *state;

	model_place_endpoints(world->model);
	model_place_endpoints(world->model);
	expect_address(&world->inbounds[0].address, "10.0.0.4");
	expect_address(&world->inbounds[1].address, "10.0.0.5");
}

static void a_static_endpoint_without_address_stays_unset(void **state)
{
	struct world *world = *state;

	world->inbounds[0].allocation = ALLOCATION_STATIC;
	model_place_endpoints(world->model);
	assert_int_equal(world->inbounds[0].address.family, 0);
	assert_int_equal(world->inbounds[0].listen.address.family, 0);
}

static void a_full_subnet_leaves_the_endpoint_unset(void **state)
{
	struct world *world = *state;

	world->subnets[0].prefix = prefix_of("10.0.0.0/29"); /* .4 to .6 are usable */
	model_place_endpoints(world->model);
	expect_address(&world->inbounds[1].address, "10.0.0.5");
	world->subnets[0].prefix = prefix_of("10.0.1.0/30"); /* none is */
	world->inbounds[0].address.family = 0;
	world->outbounds[0].source.family = 0;
	model_place_endpoints(world->model);
	assert_int_equal(world->inbounds[0].address.family, 0);
	assert_int_equal(world->outbounds[0].source.family, 0);
}

static void the_last_address_is_never_given(void **state)
{
	struct world *world = *state;

	world->subnets[0].prefix = prefix_of("10.0.0.0/29");
	world->inbounds[0].address = address_of("10.0.0.4");
	world->inbounds[1].address = address_of("10.0.0.5");
	world->outbounds[0].source = address_of("127.0.0.1");
	world->inbounds[0].name = "taken";
	struct inbound_endpoint three[3] = {
		world->inbounds[0], world->inbounds[1], {.name = "c", .subnet = "s"}};
	struct inbound_endpoint four[4] = {three[0], three[1], three[2], three[2]};
	world->resolvers[0].inbound_endpoints.items = four;
	world->resolvers[0].inbound_endpoints.count = 4;
	model_place_endpoints(world->model);
	expect_address(&four[2].address, "10.0.0.6");
	assert_int_equal(four[3].address.family, 0);
}

static void no_subnet_and_an_ipv6_subnet_leave_the_endpoint_unset(void **state)
{
	struct world *world = *state;

	world->inbounds[0].subnet = "none";
	world->inbounds[1].subnet = NULL;
	world->subnets[0].prefix = prefix_of("fd00::/64");
	model_place_endpoints(world->model);
	assert_int_equal(world->inbounds[0].address.family, 0);
	assert_int_equal(world->inbounds[1].address.family, 0);
	assert_int_equal(world->outbounds[0].source.family, 0);
	world->resolvers[0].virtual_network = "none";
	model_place_endpoints(world->model);
	assert_int_equal(world->outbounds[0].source.family, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* ---- what is us ---- */

static void remember_self(void *context, const struct model_self *self)
{
	char *said = context, text[HOST_TEXT_MAX];

	text_append(said, 256, "%s/%s %s; ", self->resolver->name, self->endpoint->name,
		    host_print(&self->host, text));
}

static void an_endpoint_is_us_by_its_address_and_where_it_listens(void **state)
{
	struct world *world = *state;
	char said[256] = "";

	world->inbounds[0].address = address_of("10.0.0.4");
	world->inbounds[0].listen = (struct host){address_of("127.0.0.1"), 5300};
	model_each_self(world->model, remember_self, said); /* b is not placed */
	assert_string_equal(said, "r/a 10.0.0.4:53; r/a 127.0.0.1:5300; ");
	said[0] = '\0';
	model_place_endpoints(world->model);
	model_each_self(world->model, remember_self, said);
	assert_string_equal(said, "r/a 10.0.0.4:53; r/a 127.0.0.1:5300; "
				  "r/b 10.0.0.5:53; r/b 10.0.0.5:53; ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_are_found_without_case),
		TEST(a_private_address_is_of_the_network_that_has_the_longest_prefix),
		TEST(items_without_a_name_are_never_found),
		TEST(endpoints_are_found_by_resolver_and_name),
		TEST(an_items_own_region_comes_first),
		TEST(an_endpoint_is_us_by_its_address_and_where_it_listens),
		TEST(the_fifth_address_is_the_first_given),
		TEST(a_static_address_is_passed_over),
		TEST(what_is_given_stays),
		TEST(placing_twice_changes_nothing),
		TEST(a_static_endpoint_without_address_stays_unset),
		TEST(a_full_subnet_leaves_the_endpoint_unset),
		TEST(the_last_address_is_never_given),
		TEST(no_subnet_and_an_ipv6_subnet_leave_the_endpoint_unset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
