/* What checking and compiling cost grows as the configuration does: names are found by an index,
 * however many there are. */
#include "rules/check/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "rules/policy/policy.h"
#include "tests/lib/comparisons.h"
#include "tests/lib/model_builder.h"

#define ROOM(model, list, room)                                                                    \
	((list).items = arena_alloc_array(&(model)->arena, room, sizeof *(list).items),            \
	 (list).count = (room))

static void fill_target(struct target_server *target, unsigned number)
{
	target->address = (struct address){4, {192, 0, (uint8_t)(number >> 8), (uint8_t)number}};
	target->port = DNS_PORT;
}

/* As many network interfaces, a quarter of them in each of four subnets of the first network. */
static void fill_interfaces(struct model *model, unsigned count)
{
	struct virtual_network *network = &model->virtual_networks.items[0];
	enum { SUBNETS = 4 };

	ROOM(model, network->address_space, 1);
	network->address_space.items[0] = (struct prefix){.address = {4, {10}}, .length = 8};
	ROOM(model, network->subnets, SUBNETS);
	for (unsigned i = 0; i < SUBNETS; i++)
		network->subnets.items[i] = (struct subnet){
			.name = arena_printf(&model->arena, "s%u", i),
			.prefix = {.address = {4, {10, (uint8_t)i}}, .length = 16},
		};
	ROOM(model, model->network_interfaces, count);
	for (unsigned i = 0; i < count; i++) {
		struct network_interface *interface = &model->network_interfaces.items[i];
		unsigned number = i / SUBNETS + 4;

		interface->name = arena_printf(&model->arena, "i%u", i);
		ROOM(model, interface->ip_configurations, 1);
		interface->ip_configurations.items[0] = (struct ip_configuration){
			.name = "one",
			.subnet = arena_printf(&model->arena, "N0/s%u", i % SUBNETS),
			.address = {4, {10, i % SUBNETS, (uint8_t)(number >> 8), (uint8_t)number}},
		};
	}
}

/* Networks that are linked to one ruleset, as many target groups in it, rules that name each of
 * them, and network interfaces. */
static struct model *many(unsigned count)
{
	struct model *model = model_start();
	struct forwarding_ruleset *ruleset;

	ROOM(model, model->virtual_networks, count);
	ROOM(model, model->rulesets, 1);
	ruleset = &model->rulesets.items[0];
	ruleset->name = "office";
	ROOM(model, ruleset->links, count);
	ROOM(model, ruleset->target_groups, count);
	ROOM(model, ruleset->rules, count);
	for (unsigned i = 0; i < count; i++) {
		struct target_group *group = &ruleset->target_groups.items[i];
		struct forwarding_rule *rule = &ruleset->rules.items[i];

		model->virtual_networks.items[i].name = arena_printf(&model->arena, "n%u", i);
		ruleset->links.items[i].name = arena_printf(&model->arena, "l%u", i);
		ruleset->links.items[i].virtual_network = arena_printf(&model->arena, "N%u", i);
		group->name = arena_printf(&model->arena, "g%u", count - i);
		ROOM(model, group->targets, 2);
		for (unsigned t = 0; t < 2; t++)
			fill_target(&group->targets.items[t], 2 * i + t);
		rule->name = arena_printf(&model->arena, "r%u", i);
		rule->domain = arena_printf(&model->arena, "d%u.test.", i);
		rule->target_group = arena_printf(&model->arena, "G%u", i + 1);
	}
	fill_interfaces(model, count);
	model->limits.rules_per_ruleset = model->limits.links_per_ruleset = count;
	model_add_default(model, "192.0.2.53");
	return model;
}

/* Of what is made, checked and compiled, once and after itself. */
static uint64_t cost_of(unsigned count)
{
	struct model *model = many(count);
	struct policy *policies[2];
	struct faults faults;

	faults_init(&faults);
	comparisons = 0;
	assert_int_equal(model_sort_names(model), 0);
	assert_int_equal(model_make_unnamed(model), 0);
	model_place_endpoints(model);
	limits_check(model, &faults);
	faults_print(&faults, stderr);
	assert_int_equal(faults.count, 0);
	policies[0] = policy_compile(model, &test_key, NULL);
	policies[1] = policy_compile(model, &test_key, policies[0]);
	assert_ptr_equal(policies[0]->rulesets[0], policies[1]->rulesets[0]);
	policy_free(policies[0]);
	policy_free(policies[1]);
	model_free(model);
	faults_release(&faults);
	return comparisons;
}

static void twice_as_many_cost_little_more_than_twice(void **state)
{
	uint64_t half = cost_of(2000), whole = cost_of(4000);

	(void)state;
	assert_true(half > 0);
	assert_true(whole < half * 5 / 2);
}

/* Networks with a ruleset each that names no endpoint, so that each gets a resolver, and
 * a VNet resolver. */
static struct model *many_unnamed(unsigned count)
{
	struct model *model = model_start();

	model->vnet_resolver.given = true;
	ROOM(model, model->virtual_networks, count);
	ROOM(model, model->rulesets, count);
	for (unsigned i = 0; i < count; i++) {
		struct forwarding_ruleset *ruleset = &model->rulesets.items[i];

		model->virtual_networks.items[i].name = arena_printf(&model->arena, "n%u", i);
		ruleset->name = arena_printf(&model->arena, "s%u", i);
		ROOM(model, ruleset->links, 1);
		ruleset->links.items[0].name = "l";
		ruleset->links.items[0].virtual_network = model->virtual_networks.items[i].name;
	}
	model->limits.resolvers_per_subscription = count;
	model_add_default(model, "192.0.2.53");
	return model;
}

struct cost {
	uint64_t comparisons;
	size_t bytes;
};

static struct cost cost_of_making(unsigned count)
{
	struct model *model = many_unnamed(count);
	struct cost cost;
	struct faults faults;

	faults_init(&faults);
	comparisons = 0;
	assert_int_equal(model_sort_names(model), 0);
	assert_int_equal(model_make_unnamed(model), 0);
	assert_int_equal(model->resolvers.count, count);
	model_place_endpoints(model);
	limits_check(model, &faults);
	if (faults.errors > 0)
		faults_print(&faults, stderr);
	assert_int_equal(faults.errors, 0);
	cost = (struct cost){comparisons, model->arena.held_bytes};
	model_free(model);
	faults_release(&faults);
	return cost;
}

static void what_is_made_costs_little_more_than_twice_for_twice_as_many(void **state)
{
	struct cost half = cost_of_making(1000), whole = cost_of_making(2000);

	(void)state;
	assert_true(whole.comparisons < half.comparisons * 5 / 2);
	assert_true(whole.bytes < half.bytes * 5 / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(twice_as_many_cost_little_more_than_twice),
		cmocka_unit_test(what_is_made_costs_little_more_than_twice_for_twice_as_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
