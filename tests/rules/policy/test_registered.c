/* Machines in the zones that they register in, and the PTRs of their addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/base.h"
#include "rules/schema/reference.h"
#include "tests/lib/model_builder.h"

enum { INTERFACES = 8 };

struct world {
	struct model *model;
	struct network_interface interfaces[INTERFACES];
	struct ip_configuration configurations[INTERFACES][2];
};

static void add_interface(struct world *world, const char *name, const char *subnet,
			  const char *address, const char *more)
{
	struct model *model = world->model;
	size_t at = model->network_interfaces.count++;
	struct network_interface *interface = &world->interfaces[at];
	struct ip_configuration *own = world->configurations[at];

	assert_true(at < INTERFACES);
	own[0] = (struct ip_configuration){.name = "a", .subnet = subnet};
	own[1] = (struct ip_configuration){.name = "b", .subnet = subnet};
	assert_int_equal(address_parse(&own[0].address, address), 0);
	if (more)
		assert_int_equal(address_parse(&own[1].address, more), 0);
	*interface = (struct network_interface){.name = name, .primary = true};
	interface->ip_configurations.items = own;
	interface->ip_configurations.count = more ? 2 : 1;
	model->network_interfaces.items = world->interfaces;
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	struct model *model = model_start();

	world->model = model;
	model_add_network(model, "hub", "10.10.0.0/16");
	model_add_network(model, "spoke", "10.20.0.0/16");
	model_add_resolver(model, "hub", "hub", NULL);
	model_add_resolver(model, "spoke", "spoke", NULL);
	model_add_zone(model, "corp.internal", "www A 10.10.1.1\n", "hub spoke");
	model->private_zones.items[0].links.items[0].registration = true;
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	model_free(world->model);
	free(world);
	return 0;
}

static void assert_decides(struct world *world, const char *network, const char *name,
			   uint16_t type, const char *words)
{
	struct policy *policy = model_compile(world->model, NULL);

	assert_string_equal(model_decide(policy, network, name, type), words);
	policy_free(policy);
}

static void a_machine_has_its_name_and_its_ptr(void **state)
{
	struct world *world = *state;

	add_interface(world, "vm1", "hub/s", "10.10.0.4", "fd00::4");
	add_interface(world, "other", "spoke/s", "10.20.0.4", NULL); /* does not register */
	assert_decides(world, "hub", "VM1.corp.internal.", TYPE_A, "zone corp.internal hit");
	assert_decides(world, "spoke", "vm1.corp.internal.", TYPE_AAAA, "zone corp.internal hit");
	assert_decides(world, "hub", "vm1.corp.internal.", TYPE_TXT, "zone corp.internal nodata");
	assert_decides(world, "hub", "other.corp.internal.", TYPE_A, "zone corp.internal nxdomain");
	assert_decides(world, "hub", "4.0.10.10.in-addr.arpa.", TYPE_PTR, "address hub hit");
	assert_decides(world, "hub", "4.0.10.10.in-addr.arpa.", TYPE_TXT, "address hub nodata");
	assert_decides(world, "spoke", "4.0.10.10.in-addr.arpa.", TYPE_PTR, "special nxdomain");
	assert_decides(world, "hub", "5.0.10.10.in-addr.arpa.", TYPE_PTR, "special nxdomain");
}

static void who_is_not_registered(void **state)
{
	struct world *world = *state;

	add_interface(world, "vm_1", "hub/s", "10.10.0.4", NULL);
	add_interface(world, "vm_2", "hub/s", "10.10.0.5", NULL);
	world->interfaces[1].label = "vm2";
	add_interface(world, "second", "hub/s", "10.10.0.6", NULL);
	world->interfaces[2].primary = false;
	add_interface(world, "pe-nic", "hub/s", "10.10.0.7", NULL);
	world->interfaces[3].private_endpoint = "pe";
	assert_decides(world, "hub", "vm_1.corp.internal.", TYPE_A, "zone corp.internal nxdomain");
	assert_decides(world, "hub", "vm2.corp.internal.", TYPE_A, "zone corp.internal hit");
	assert_decides(world, "hub", "second.corp.internal.", TYPE_A,
		       "zone corp.internal nxdomain");
	assert_decides(world, "hub", "pe-nic.corp.internal.", TYPE_A,
		       "zone corp.internal nxdomain");
	assert_decides(world, "hub", "7.0.10.10.in-addr.arpa.", TYPE_PTR, "special nxdomain");
}

static void a_reverse_zone_of_the_network_has_the_machines_beside_its_own(void **state)
{
	struct world *world = *state;

	add_interface(world, "vm1", "hub/s", "10.10.0.4", NULL);
	model_add_zone(world->model, "10.in-addr.arpa", "9.0.10 PTR printer.corp.internal.\n",
		       "hub spoke");
	assert_decides(world, "hub", "9.0.10.10.in-addr.arpa.", TYPE_PTR,
		       "zone 10.in-addr.arpa hit");
	assert_decides(world, "hub", "4.0.10.10.in-addr.arpa.", TYPE_PTR,
		       "zone 10.in-addr.arpa hit");
	assert_decides(world, "hub", "4.0.10.10.in-addr.arpa.", TYPE_A,
		       "zone 10.in-addr.arpa nodata");
	assert_decides(world, "hub", "x.4.0.10.10.in-addr.arpa.", TYPE_PTR,
		       "zone 10.in-addr.arpa nxdomain");
	assert_decides(world, "hub", "10.10.in-addr.arpa.", TYPE_PTR,
		       "zone 10.in-addr.arpa nodata");
	assert_decides(world, "spoke", "4.0.10.10.in-addr.arpa.", TYPE_PTR,
		       "zone 10.in-addr.arpa nxdomain");
}

/* The text of the PTR's name; "": there is none. */
static const char *ptr_in(const struct policy *policy, const char *network, const char *owner)
{
	static char text[NAME_TEXT_MAX];
	const struct place place = {policy_find_network(policy, network), false};
	const struct name name = test_name(owner);
	struct verdict verdict;
	struct name target;
	const uint8_t *rdata;
	size_t length;

	policy_decide(policy, place, &name, TYPE_PTR, &verdict, NULL);
	if (verdict.kind != VERDICT_ANSWER || verdict.answer.outcome != ZONE_HIT)
		return "";
	rdata = rrset_rdata(verdict.answer.rrset, &length);
	assert_int_equal(name_from_wire(&target, &test_key, rdata, length, 0, NULL), 0);
	return name_to_text(&target, text);
}

static void a_ptr_is_only_in_the_network_of_its_machine(void **state)
{
	struct world *world = *state;
	struct policy *policy, *next;

	model_add_network(world->model, "copy", "10.10.0.0/16");
	model_add_zone(world->model, "z.internal", "www A 10.10.1.1\n", "hub copy");
	for (unsigned i = 0; i < 2; i++)
		world->model->private_zones.items[1].links.items[i].registration = true;
	world->model->private_zones.items[0].links.items[0].registration = false;
	add_interface(world, "beta", "copy/s", "10.10.0.5", NULL);
	policy = model_compile(world->model, NULL);
	assert_string_equal(ptr_in(policy, "copy", "5.0.10.10.in-addr.arpa."), "beta.z.internal.");
	assert_string_equal(model_decide(policy, "hub", "5.0.10.10.in-addr.arpa.", TYPE_PTR),
			    "special nxdomain");
	assert_string_equal(model_decide(policy, "hub", "0.10.10.in-addr.arpa.", TYPE_PTR),
			    "special nxdomain");
	add_interface(world, "alpha", "hub/s", "10.10.0.5", NULL);
	next = model_compile(world->model, policy);
	assert_string_equal(ptr_in(next, "hub", "5.0.10.10.in-addr.arpa."), "alpha.z.internal.");
	assert_string_equal(ptr_in(next, "copy", "5.0.10.10.in-addr.arpa."), "beta.z.internal.");
	policy_free(policy);
	/* The machines change places. Their names keep their addresses, so only the PTRs change. */
	world->configurations[0][0].subnet = "hub/s";
	world->configurations[1][0].subnet = "copy/s";
	policy = model_compile(world->model, next);
	assert_string_equal(ptr_in(policy, "hub", "5.0.10.10.in-addr.arpa."), "beta.z.internal.");
	assert_string_equal(ptr_in(policy, "copy", "5.0.10.10.in-addr.arpa."), "alpha.z.internal.");
	policy_free(next);
	policy_free(policy);
}

static const struct registered_zone *only(const struct policy *policy)
{
	assert_int_equal(policy->registered->count, 1);
	return &policy->registered->zones[0];
}

static void clients_may_register_once_the_setting_says_so(void **state)
{
	struct world *world = *state;
	struct policy *first, *second, *third;

	add_interface(world, "vm1", "hub/s", "10.10.0.4", NULL);
	first = model_compile(world->model, NULL);
	assert_string_equal(model_decide(first, "hub", "corp.internal.", TYPE_NS),
			    "zone corp.internal nodata");
	assert_string_equal(model_decide(first, "hub", "ns.corp.internal.", TYPE_A),
			    "zone corp.internal nxdomain");
	model_add_registration(world->model, "corp.internal", "10.10.0.0/20");
	second = model_compile(world->model, first);
	policy_free(first);
	assert_string_equal(model_decide(second, "hub", "corp.internal.", TYPE_NS),
			    "zone corp.internal hit");
	assert_string_equal(model_decide(second, "spoke", "ns.corp.internal.", TYPE_A),
			    "zone corp.internal nodata");
	assert_string_equal(model_decide(second, "hub", "ns.10.10.in-addr.arpa.", TYPE_A),
			    "address hub nodata");
	third = model_compile(world->model, second);
	assert_ptr_equal(only(second)->base.served, only(third)->base.served);
	assert_ptr_equal(only(second)->layers.served, only(third)->layers.served);
	policy_free(second);
	world->model->registration.count = 0;
	first = model_compile(world->model, third);
	policy_free(third);
	assert_string_equal(model_decide(first, "hub", "corp.internal.", TYPE_NS),
			    "zone corp.internal nodata");
	assert_string_equal(model_decide(first, "hub", "ns.corp.internal.", TYPE_A),
			    "zone corp.internal nxdomain");
	assert_string_equal(model_decide(first, "hub", "vm1.corp.internal.", TYPE_A),
			    "zone corp.internal hit");
	policy_free(first);
}

/* A client that looks for a zone asks for the SOA of a name, and then of those above it. */
static void a_cut_is_found_at_its_own_name_wherever_its_prefix_ends(void **state)
{
	static const struct {
		const char *prefix, *apex, *inside, *outside;
	} cuts[] = {
		{"10.10.0.0/16", "10.10.in-addr.arpa.", "7.10.10.in-addr.arpa.", NULL},
		{"10.10.0.0/20", "10.10.in-addr.arpa.", "7.10.10.in-addr.arpa.",
		 "16.10.10.in-addr.arpa."},
		{"10.10.7.0/26", "7.10.10.in-addr.arpa.", "20.7.10.10.in-addr.arpa.",
		 "64.7.10.10.in-addr.arpa."},
		{"10.10.7.5/32", "5.7.10.10.in-addr.arpa.", "5.7.10.10.in-addr.arpa.",
		 "6.7.10.10.in-addr.arpa."},
		{"fd00:10::/46", "0.0.0.0.1.0.0.0.0.d.f.ip6.arpa.",
		 "3.0.0.0.0.1.0.0.0.0.d.f.ip6.arpa.", "4.0.0.0.0.1.0.0.0.0.d.f.ip6.arpa."},
	};
	struct world *world = *state;

	for (size_t i = 0; i < COUNT(cuts); i++) {
		world->model->registration.count = 0;
		model_add_registration(world->model, "corp.internal", cuts[i].prefix);
		assert_decides(world, "hub", cuts[i].apex, TYPE_SOA, "address hub hit");
		assert_decides(world, "hub", cuts[i].apex, TYPE_NS, "address hub hit");
		assert_decides(world, "spoke", cuts[i].apex, TYPE_SOA, "address spoke hit");
		if (strcmp(cuts[i].inside, cuts[i].apex) != 0)
			assert_decides(world, "hub", cuts[i].inside, TYPE_SOA,
				       "address hub nxdomain");
		if (cuts[i].outside)
			assert_decides(world, "hub", cuts[i].outside, TYPE_SOA, "special nxdomain");
	}
}

/* RFC 8020: nobody may conclude that there is nothing below them. */
static void names_above_a_prefix_exist_without_data(void **state)
{
	struct world *world = *state;

	model_add_registration(world->model, "corp.internal", "10.10.7.0/24");
	assert_decides(world, "hub", "10.10.in-addr.arpa.", TYPE_PTR, "special nodata");
	assert_decides(world, "hub", "8.10.10.in-addr.arpa.", TYPE_PTR, "special nxdomain");
	model_add_pool(world->model, "pool", "10.10.0.0/16");
	assert_decides(world, "hub", "8.10.10.in-addr.arpa.", TYPE_PTR, "pool pool nxdomain");
	world->model->registration.count = 0;
	model_add_registration(world->model, "corp.internal", "fd00:10::/46");
	assert_decides(world, "hub", "0.0.0.0.d.f.ip6.arpa.", TYPE_PTR, "special nodata");
	assert_decides(world, "hub", "1.0.0.0.d.f.ip6.arpa.", TYPE_PTR, "special nxdomain");
}

static void what_is_beside_a_cut_is_not_denied(void **state)
{
	struct world *world = *state;

	model_add_registration(world->model, "corp.internal", "10.10.0.0/20");
	assert_decides(world, "hub", "10.10.in-addr.arpa.", TYPE_PTR, "special nodata");
	assert_decides(world, "hub", "10.10.in-addr.arpa.", TYPE_DS, "special nodata");
	assert_decides(world, "hub", "10.in-addr.arpa.", TYPE_SOA, "special hit");
	model_add_pool(world->model, "pool", "10.10.0.0/16");
	assert_decides(world, "hub", "10.10.in-addr.arpa.", TYPE_SOA, "pool pool hit");
	assert_decides(world, "hub", "5.10.10.in-addr.arpa.", TYPE_SOA, "address hub nxdomain");
	add_interface(world, "vm1", "hub/s", "10.10.0.4", NULL);
	assert_decides(world, "hub", "4.0.10.10.in-addr.arpa.", TYPE_PTR, "address hub hit");
	assert_decides(world, "hub", "0.10.10.in-addr.arpa.", TYPE_PTR, "address hub nodata");
	assert_decides(world, "hub", "1.10.10.in-addr.arpa.", TYPE_PTR, "address hub nxdomain");
}

static void what_is_the_same_is_shared(void **state)
{
	struct world *world = *state;
	struct policy *first, *second, *third;

	add_interface(world, "vm1", "hub/s", "10.10.0.4", NULL);
	first = model_compile(world->model, NULL);
	second = model_compile(world->model, first);
	assert_ptr_equal(only(first)->layers.served, only(second)->layers.served);
	assert_ptr_equal(first->registered->ptrs[0], second->registered->ptrs[0]);
	add_interface(world, "vm2", "hub/s", "10.10.0.5", NULL);
	third = model_compile(world->model, second);
	assert_ptr_not_equal(only(third)->layers.registered, only(second)->layers.registered);
	assert_string_equal(model_decide(third, "hub", "vm2.corp.internal.", TYPE_A),
			    "zone corp.internal hit");
	assert_string_equal(model_decide(second, "hub", "vm2.corp.internal.", TYPE_A),
			    "zone corp.internal nxdomain");
	policy_free(second);
	policy_free(first);
	assert_string_equal(model_decide(third, "hub", "vm1.corp.internal.", TYPE_A),
			    "zone corp.internal hit");
	policy_free(third);
}

static void each_thing_that_makes_a_difference_does(void **state)
{
	struct world *world = *state;
	struct private_zone *zone = &world->model->private_zones.items[0];
	struct network_interface *interface = &world->interfaces[0];
	struct policy *policy, *next;

	add_interface(world, "vm1", "hub/s", "10.10.0.4", NULL);
	policy = model_compile(world->model, NULL);
	for (unsigned i = 0; i < 5; i++) {
		uint64_t print = policy->registered->print;

		switch (i) {
		case 0: interface->label = "web"; break;
		case 1: interface->primary = false; break;
		case 2: interface->primary = true; break;
		case 3: interface->ip_configurations.items[0].address.bytes[3] = 9; break;
		default: zone->links.items[1].registration = true;
		}
		next = model_compile(world->model, policy);
		assert_true(next->registered->print != print);
		policy_free(policy);
		policy = next;
	}
	assert_string_equal(model_decide(policy, "hub", "9.0.10.10.in-addr.arpa.", TYPE_PTR),
			    "address hub hit");
	policy_free(policy);
}

/* A machine's network is the one of its own group, or else the only one with that name. */
static void a_new_network_of_the_machines_group_takes_the_machine(void **state)
{
	struct world *world = *state;
	struct virtual_network *added;
	struct policy *before, *after;

	add_interface(world, "vm1", "hub/s", "10.10.0.4", NULL);
	world->interfaces[0].resource_group = "dev";
	before = model_compile(world->model, NULL);
	assert_string_equal(model_decide(before, "hub", "vm1.corp.internal.", TYPE_A),
			    "zone corp.internal hit");
	added = model_add_network(world->model, "hub", "10.30.0.0/16");
	added->resource_group = "dev";
	assert_int_equal(reference_name(&added->named, &world->model->arena), 0);
	after = model_compile(world->model, before);
	assert_ptr_equal(registered_network(world->model, &world->interfaces[0]), added);
	assert_string_equal(model_decide(after, "spoke", "vm1.corp.internal.", TYPE_A),
			    "zone corp.internal nxdomain");
	policy_free(before);
	policy_free(after);
}

/* The zone of an entry of `registration` is the one without a group, or else the only one with that
 * name. This zone has no NS of its own, so it has NS only while clients may register in it. */
static void a_new_zone_without_a_group_takes_the_registration(void **state)
{
	struct world *world = *state;
	struct model *model = world->model;
	struct private_zone *zone = &model->private_zones.items[0];
	struct policy *before, *after;

	zone->resource_group = "dev";
	assert_int_equal(reference_name(&zone->named, &model->arena), 0);
	model_add_registration(model, "corp.internal", "10.10.0.0/16");
	before = model_compile(model, NULL);
	assert_string_equal(model_decide(before, "hub", "corp.internal.", TYPE_NS),
			    "zone dev/corp.internal hit");
	model_add_zone(model, "corp.internal", "www A 10.10.1.1\n", "");
	after = model_compile(model, before);
	assert_string_equal(model_decide(after, "hub", "corp.internal.", TYPE_NS),
			    "zone dev/corp.internal nodata");
	policy_free(before);
	policy_free(after);
}

/* ---- from what was to what is ---- */

static void a_machine_that_changes_leaves_the_others_as_they_are(void **state)
{
	struct world *world = *state;
	struct name name = test_name("vm1.corp.internal.");
	struct policy *first, *second;

	add_interface(world, "vm1", "hub/s", "10.10.0.4", NULL);
	add_interface(world, "vm2", "hub/s", "10.10.0.5", NULL);
	first = model_compile(world->model, NULL);
	add_interface(world, "vm3", "hub/s", "10.10.0.6", NULL);
	world->interfaces[1].label = "web";
	second = model_compile(world->model, first);
	assert_ptr_equal(zone_find_exact(only(first)->layers.registered, &name, TYPE_A),
			 zone_find_exact(only(second)->layers.registered, &name, TYPE_A));
	policy_free(first);
	add_interface(world, "elsewhere", "spoke/s", "10.20.0.4", NULL);
	first = model_compile(world->model, second);
	assert_ptr_equal(only(first)->layers.registered, only(second)->layers.registered);
	policy_free(second);
	policy_free(first);
}

static unsigned next_random(unsigned *seed, unsigned below)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 16) % below;
}

static void change_interface(struct world *world, unsigned *seed)
{
	static const char *const labels[] = {"a", "A-b", "a0", "ab", "b", "vm_1", NULL};
	static const char *const subnets[] = {"hub/s", "spoke/s", "nowhere/s"};
	unsigned at = next_random(seed, INTERFACES);
	struct network_interface *interface = &world->interfaces[at];
	struct ip_configuration *own = world->configurations[at];

	interface->label = labels[next_random(seed, COUNT(labels))];
	interface->primary = next_random(seed, 5) > 0;
	own[0].subnet = own[1].subnet = subnets[next_random(seed, COUNT(subnets))];
	own[0].address.bytes[3] = (uint8_t)next_random(seed, 4);
	own[1].address.bytes[15] = (uint8_t)next_random(seed, 4);
	interface->ip_configurations.count = 1 + next_random(seed, 2);
}

static int refuse_change(void *context, const uint8_t *owner, const struct rrset *was,
			 const struct rrset *is)
{
	(void)context, (void)owner;
	return (was ? was : is)->type != TYPE_SOA;
}

static void assert_same_ptr(const struct owned *left, const struct owned *right,
			    const char *network, unsigned last)
{
	char text[ADDRESS_TEXT_MAX];
	struct address address;
	const struct rrset *a, *b;

	snprintf(text, sizeof text, "%s%u", network, last);
	assert_int_equal(address_parse(&address, text), 0);
	a = left ? owned_ptr(left, &address) : NULL;
	b = right ? owned_ptr(right, &address) : NULL;
	assert_int_equal(!a, !b);
	if (a) {
		assert_int_equal(a->length, b->length);
		assert_memory_equal(a->wire, b->wire, a->length);
	}
}

static void step_by_step_comes_to_the_same_as_at_once(void **state)
{
	struct world *world = *state;
	struct policy *policy, *next, *anew;
	unsigned seed = 35;

	for (unsigned i = 0; i < INTERFACES; i++)
		add_interface(world, "vm", "hub/s", "10.10.0.1", "fd00::1");
	world->model->private_zones.items[0].links.items[1].registration = true;
	policy = model_compile(world->model, NULL);
	for (unsigned i = 0; i < 300; i++) {
		for (unsigned changes = 1 + next_random(&seed, 3); changes > 0; changes--)
			change_interface(world, &seed);
		if (i % 100 == 50)
			model_add_registration(world->model, "corp.internal", "10.10.0.0/16");
		else if (i % 100 == 99)
			world->model->registration.count = 0;
		next = model_compile(world->model, policy);
		anew = model_compile(world->model, NULL);
		assert_int_equal(zone_walk_changes(only(anew)->layers.served,
						   only(next)->layers.served, refuse_change, NULL),
				 0);
		for (unsigned last = 0; last < 8; last++) {
			const struct owned *left = anew->registered->ptrs[last / 4];
			const struct owned *right = next->registered->ptrs[last / 4];

			assert_same_ptr(left, right, "10.10.0.", last % 4);
			assert_same_ptr(left, right, "fd00::", last % 4);
		}
		policy_free(anew);
		policy_free(policy);
		policy = next;
	}
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_machine_has_its_name_and_its_ptr),
		TEST(who_is_not_registered),
		TEST(a_reverse_zone_of_the_network_has_the_machines_beside_its_own),
		TEST(a_ptr_is_only_in_the_network_of_its_machine),
		TEST(clients_may_register_once_the_setting_says_so),
		TEST(a_cut_is_found_at_its_own_name_wherever_its_prefix_ends),
		TEST(names_above_a_prefix_exist_without_data),
		TEST(what_is_beside_a_cut_is_not_denied),
		TEST(what_is_the_same_is_shared),
		TEST(each_thing_that_makes_a_difference_does),
		TEST(a_new_network_of_the_machines_group_takes_the_machine),
		TEST(a_new_zone_without_a_group_takes_the_registration),
		TEST(a_machine_that_changes_leaves_the_others_as_they_are),
		TEST(step_by_step_comes_to_the_same_as_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
