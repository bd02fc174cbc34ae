/* What follows from addresses: PTRs of the networks, reverse zones of the pools, own names. Where
 * pools are cut is in test_policy_pools.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/reverse.h"
#include "tests/lib/model_builder.h"

static int setup(void **state)
{
	struct model *model = model_start();

	model_add_network(model, "hub", "10.10.0.0/16");
	model_add_network(model, "spoke", "10.20.0.0/16");
	model_add_default(model, "192.0.2.53");
	*state = model;
	return 0;
}

static int teardown(void **state)
{
	model_free(*state);
	return 0;
}

static const char *decide_reverse(const struct policy *policy, const char *network,
				  const char *address, uint16_t type)
{
	struct address parsed;
	char text[NAME_TEXT_MAX];

	assert_int_equal(address_parse(&parsed, address), 0);
	return model_decide(policy, network, reverse_text(&parsed, text), type);
}

#define PTR(network, address, words)                                                               \
	assert_string_equal(decide_reverse(policy, network, address, TYPE_PTR), words)
#define DECIDES(network, name, type, words)                                                        \
	assert_string_equal(model_decide(policy, network, name, type), words)

static void the_ptr_of_a_networks_address_is_answered_in_that_network_that_exact_name(void **state)
{
	struct model *model = *state;

	model_add_address(model, "vm", "10.10.3.7", NULL, "vm.example.com.");
	model_add_service(model, "svc", "10.10.3.8", "svc.example.com.");
	struct policy *policy = model_compile(model, NULL);
	PTR("hub", "10.10.3.7", "address hub hit");
	PTR("hub", "10.10.3.8", "address hub hit");
	assert_string_equal(decide_reverse(policy, "hub", "10.10.3.7", TYPE_A),
			    "address hub nodata");
	assert_string_equal(decide_reverse(policy, "hub", "10.10.3.7", TYPE_ANY),
			    "address hub hit");
	/* Every other reverse name goes on, here to the special-use names. */
	PTR("hub", "10.10.3.9", "special nxdomain");
	DECIDES("hub", "4.10.10.in-addr.arpa.", TYPE_PTR, "special nxdomain");
	DECIDES("hub", "3.10.10.in-addr.arpa.", TYPE_PTR, "special nodata"); /* the name exists */
	DECIDES("hub", "10.10.in-addr.arpa.", TYPE_PTR, "special nodata");
	DECIDES("spoke", "3.10.10.in-addr.arpa.", TYPE_PTR, "special nxdomain");
	DECIDES("spoke", "10.10.in-addr.arpa.", TYPE_PTR, "special nxdomain");
	DECIDES("hub", "x.7.3.10.10.in-addr.arpa.", TYPE_PTR, "special nxdomain");
	PTR("spoke", "10.10.3.7", "special nxdomain");
	policy_free(policy);
}

static void a_pool_denies_no_name_above_a_networks_ptr_or_a_zone(void **state)
{
	struct model *model = *state;

	model_add_pool(model, "private", "10.10.0.0/16");
	model_add_pool(model, "six", "2001:db8::/32");
	model_add_address(model, "vm", "10.10.3.7", NULL, "vm.example.com.");
	model_add_zone(model, "1.1.1.1.8.b.d.0.1.0.0.2.ip6.arpa", "", "hub");
	struct policy *policy = model_compile(model, NULL);
	DECIDES("hub", "3.10.10.in-addr.arpa.", TYPE_PTR, "pool private nodata");
	DECIDES("hub", "4.10.10.in-addr.arpa.", TYPE_PTR, "pool private nxdomain");
	DECIDES("spoke", "3.10.10.in-addr.arpa.", TYPE_PTR, "pool private nxdomain");
	DECIDES("hub", "1.1.8.b.d.0.1.0.0.2.ip6.arpa.", TYPE_PTR, "pool six nodata");
	DECIDES("hub", "2.1.8.b.d.0.1.0.0.2.ip6.arpa.", TYPE_PTR, "pool six nxdomain");
	DECIDES("spoke", "1.1.8.b.d.0.1.0.0.2.ip6.arpa.", TYPE_PTR, "pool six nxdomain");
	policy_free(policy);
}

static void a_networks_ptr_wins_over_rules_and_loses_to_a_zone(void **state)
{
	struct model *model = *state;
	struct forwarding_ruleset *ruleset;

	model_add_resolver(model, "hub", "hub", NULL);
	model_add_address(model, "vm", "10.10.3.7", NULL, "vm.example.com.");
	ruleset = model_add_ruleset(model, "onprem", "hub/out", "hub");
	model_add_rule(model, ruleset, "reverse", "10.in-addr.arpa.", "192.0.2.1");
	struct policy *policy = model_compile(model, NULL);
	PTR("hub", "10.10.3.7", "address hub hit");
	PTR("hub", "10.10.3.8", "rule reverse");
	policy_free(policy);

	model_add_zone(model, "10.10.in-addr.arpa", "8.3 PTR x.example.com.\n", "hub");
	policy = model_compile(model, NULL);
	PTR("hub", "10.10.3.8", "zone 10.10.in-addr.arpa hit");
	PTR("hub", "10.10.3.7", "zone 10.10.in-addr.arpa nxdomain");
	policy_free(policy);
}

static void a_private_address_is_never_a_pools(void **state)
{
	struct model *model = *state;

	model_add_pool(model, "wide", "10.0.0.0/8");
	model_add_address(model, "vm", "10.10.3.7", NULL, "vm.example.com.");
	struct policy *policy = model_compile(model, NULL);
	PTR("hub", "10.10.3.7", "address hub hit");
	/* In the pool's prefix the pool is authoritative, but it does not have the name. */
	PTR("spoke", "10.10.3.7", "pool wide nxdomain");
	policy_free(policy);
}

static void a_pool_is_authoritative_exactly_within_its_prefix(void **state)
{
	struct model *model = *state;

	model_add_pool(model, "pool", "198.18.100.0/24");
	model_add_address(model, "a", "198.18.100.10", NULL, "app1.contoso.com.");
	model_add_address(model, "b", "198.18.100.11", NULL, NULL);
	struct policy *policy = model_compile(model, NULL);
	PTR("hub", "198.18.100.10", "pool pool hit");
	PTR("spoke", "198.18.100.10", "pool pool hit");
	PTR("hub", "198.18.100.11", "pool pool nxdomain");
	PTR("hub", "198.18.100.0", "pool pool nxdomain");
	PTR("hub", "198.18.100.255", "pool pool nxdomain");
	PTR("hub", "198.18.99.255", "default");
	PTR("hub", "198.18.101.0", "default");
	DECIDES("hub", "100.18.198.in-addr.arpa.", TYPE_SOA, "pool pool hit");
	DECIDES("hub", "18.198.in-addr.arpa.", TYPE_SOA, "default");
	DECIDES("hub", "x.10.100.18.198.in-addr.arpa.", TYPE_PTR, "pool pool nxdomain");
	policy_free(policy);
}

static void a_rule_wins_over_a_pool(void **state)
{
	struct model *model = *state;
	struct forwarding_ruleset *ruleset;

	model_add_resolver(model, "hub", "hub", NULL);
	model_add_pool(model, "pool", "198.18.100.0/24");
	ruleset = model_add_ruleset(model, "onprem", "hub/out", "hub");
	model_add_rule(model, ruleset, "reverse", "198.in-addr.arpa.", "192.0.2.1");
	struct policy *policy = model_compile(model, NULL);
	PTR("hub", "198.18.100.1", "rule reverse");
	PTR("spoke", "198.18.100.1", "pool pool nxdomain");
	policy_free(policy);
}

static const struct rrset *rrset_of(const struct policy *policy, const char *text, uint16_t type)
{
	struct name name = test_name(text);
	struct verdict verdict;

	policy_decide(policy, (struct place){0, false}, &name, type, &verdict, NULL);
	assert_int_equal(verdict.kind, VERDICT_ANSWER);
	assert_non_null(verdict.answer.rrset);
	return verdict.answer.rrset;
}

static void a_ptr_has_its_addresss_name_and_ttl(void **state)
{
	struct model *model = *state;
	struct name target = test_name("app1.contoso.com.");
	size_t length;

	model_add_pool(model, "pool", "198.18.100.0/24");
	model_add_address(model, "a", "198.18.100.10", NULL, "App1.contoso.com.")->ttl = 77;
	model_add_address(model, "b", "198.18.100.11", NULL, "App2.contoso.com.");
	struct policy *policy = model_compile(model, NULL);
	const struct rrset *ptr = rrset_of(policy, "10.100.18.198.in-addr.arpa.", TYPE_PTR);
	assert_int_equal(ptr->ttl, 77);
	assert_true(name_wire_equal(rrset_rdata(ptr, &length), target.wire));
	ptr = rrset_of(policy, "11.100.18.198.in-addr.arpa.", TYPE_PTR);
	assert_int_equal(ptr->ttl, model->reverse.ttl);
	policy_free(policy);
}

static void a_pools_zone_has_the_configured_name_servers(void **state)
{
	static const char *servers[] = {"ns1.example.com.", "ns2.example.com."};
	struct model *model = *state;
	size_t length;

	model_add_pool(model, "pool", "198.18.100.0/24");
	model->reverse.name_servers.items = servers;
	model->reverse.name_servers.count = 2;
	model->reverse.hostmaster = "admin.example.com.";
	struct policy *policy = model_compile(model, NULL);
	assert_int_equal(rrset_of(policy, "100.18.198.in-addr.arpa.", TYPE_NS)->count, 2);
	const uint8_t *soa =
		rrset_rdata(rrset_of(policy, "100.18.198.in-addr.arpa.", TYPE_SOA), &length);
	struct name first = test_name(servers[0]), admin = test_name("admin.example.com.");
	assert_true(name_wire_equal(soa, first.wire));
	assert_true(name_wire_equal(soa + first.length, admin.wire));
	policy_free(policy);
}

static void own_names_are_exact_and_every_other_name_goes_on(void **state)
{
	struct model *model = *state;

	model_add_address(model, "a", "198.18.100.10", "contosoapp1", NULL);
	model_add_address(model, "b", "2001:500:8::1", "six", NULL)->region = "eastus";
	model_add_service(model, "contososvc", "198.18.100.20", NULL);
	struct policy *policy = model_compile(model, NULL);
	DECIDES("hub", "ContosoApp1.westeurope.cloudapp.azure.com.", TYPE_A, "name hit");
	DECIDES("hub", "contosoapp1.westeurope.cloudapp.azure.com.", TYPE_AAAA, "name nodata");
	DECIDES("hub", "six.eastus.cloudapp.azure.com.", TYPE_AAAA, "name hit");
	DECIDES("hub", "six.eastus.cloudapp.azure.com.", TYPE_A, "name nodata");
	DECIDES("hub", "contososvc.cloudapp.net.", TYPE_A, "name hit");
	DECIDES("hub", "contososvc.cloudapp.net.", TYPE_ANY, "name hit");
	/* Not the suffixes, not what lies between, not what lies below. */
	DECIDES("hub", "cloudapp.azure.com.", TYPE_SOA, "default");
	DECIDES("hub", "westeurope.cloudapp.azure.com.", TYPE_A, "default");
	DECIDES("hub", "other.westeurope.cloudapp.azure.com.", TYPE_A, "default");
	DECIDES("hub", "x.contosoapp1.westeurope.cloudapp.azure.com.", TYPE_A, "default");
	DECIDES("hub", "six.westeurope.cloudapp.azure.com.", TYPE_AAAA, "default");
	DECIDES("hub", "cloudapp.net.", TYPE_A, "default");
	policy_free(policy);
}

static void own_names_win_over_special_ones_and_lose_to_zones_and_rules(void **state)
{
	struct model *model = *state;
	struct forwarding_ruleset *ruleset;

	model->reverse.suffix = "cloud.local";
	model_add_resolver(model, "hub", "hub", NULL);
	model_add_address(model, "a", "198.18.100.10", "a", NULL);
	ruleset = model_add_ruleset(model, "onprem", "hub/out", "hub");
	model_add_rule(model, ruleset, "rule", "local.", "192.0.2.1");
	struct policy *policy = model_compile(model, NULL);
	DECIDES("spoke", "a.westeurope.cloud.local.", TYPE_A, "name hit");
	DECIDES("spoke", "b.westeurope.cloud.local.", TYPE_A, "special nxdomain");
	DECIDES("hub", "a.westeurope.cloud.local.", TYPE_A, "rule rule");
	policy_free(policy);
	model_add_zone(model, "cloud.local", "", "hub");
	policy = model_compile(model, NULL);
	DECIDES("hub", "a.westeurope.cloud.local.", TYPE_A, "zone cloud.local nxdomain");
	policy_free(policy);
}

static void names_above_own_names_exist_without_data(void **state)
{
	struct model *model = *state;
	struct owned_item *item;

	model->reverse.suffix = "office.local";
	model->reverse.service_suffix = "cloud.test";
	struct policy *policy = model_compile(model, NULL);
	DECIDES("hub", "westeurope.office.local.", TYPE_A, "special nxdomain");
	policy_free(policy);
	model_add_address(model, "a", "198.18.100.10", "vm1", NULL);
	item = model_add_address(model, "b", "198.18.100.11", "vm2", NULL);
	item->region = "eastus";
	model_add_service(model, "svc", "198.18.100.20", NULL);
	policy = model_compile(model, NULL);
	DECIDES("hub", "vm1.westeurope.office.local.", TYPE_A, "name hit");
	DECIDES("hub", "westeurope.office.local.", TYPE_A, "special nodata");
	DECIDES("hub", "EastUS.office.local.", TYPE_A, "special nodata");
	DECIDES("hub", "office.local.", TYPE_A, "special nodata");
	DECIDES("hub", "cloud.test.", TYPE_A, "special nodata");
	DECIDES("hub", "svc2.cloud.test.", TYPE_A, "special nxdomain");
	DECIDES("hub", "vm2.westeurope.office.local.", TYPE_A, "special nxdomain");
	DECIDES("hub", "x.vm1.westeurope.office.local.", TYPE_A, "special nxdomain");
	DECIDES("hub", "other.local.", TYPE_A, "special nxdomain");
	model_add_zone(model, "local", "", "hub");
	policy_free(policy);
	policy = model_compile(model, NULL);
	DECIDES("hub", "office.local.", TYPE_A, "zone local nxdomain"); /* and so all below */
	policy_free(policy);
}

static void a_public_address_in_a_networks_space_is_the_networks_and_elsewhere_its_pools(
	void **state)
{
	struct model *model = *state;

	model_add_network(model, "public", "198.18.0.0/16");
	model_add_pool(model, "pool", "198.18.100.0/24");
	model_add_address(model, "a", "198.18.100.10", NULL, "a.example.com.");
	struct policy *policy = model_compile(model, NULL);
	PTR("public", "198.18.100.10", "address public hit");
	PTR("public", "198.18.100.11", "pool pool nxdomain");
	PTR("hub", "198.18.100.10", "pool pool hit");
	policy_free(policy);
}

static void networks_that_overlap_each_have_the_addresses_in_their_space(void **state)
{
	struct model *model = *state;

	model_add_network(model, "wide", "10.0.0.0/8");
	model_add_network(model, "twin", "10.10.0.0/16 10.30.0.0/16 2001:db8::/32 fd00:1::/64");
	model_add_address(model, "last", "10.10.255.255", NULL, "last.example.com.");
	model_add_address(model, "first", "10.10.0.0", NULL, "first.example.com.");
	model_add_address(model, "other", "10.30.0.1", NULL, "other.example.com.");
	model_add_address(model, "before", "10.9.255.255", NULL, "before.example.com.");
	model_add_address(model, "six", "fd00:1::1", NULL, "six.example.com.");
	model_add_service(model, "svc", "10.11.0.0", "behind.example.com.");
	struct policy *policy = model_compile(model, NULL);
	PTR("hub", "10.10.0.0", "address hub hit");
	PTR("hub", "10.10.255.255", "address hub hit");
	PTR("twin", "10.10.0.0", "address twin hit");
	PTR("twin", "10.30.0.1", "address twin hit");
	PTR("twin", "fd00:1::1", "address twin hit");
	PTR("wide", "10.10.0.0", "address wide hit");
	PTR("wide", "10.9.255.255", "address wide hit");
	PTR("wide", "10.11.0.0", "address wide hit");
	PTR("hub", "10.9.255.255", "special nxdomain");
	PTR("hub", "10.11.0.0", "special nxdomain");
	PTR("hub", "10.30.0.1", "special nxdomain");
	PTR("wide", "fd00:1::1", "special nxdomain");
	policy_free(policy);
}

/* ---- sharing ---- */

enum { TABLE, POOL, LABEL, SERVICE, TREE4, TREE6, PARTS };

/* What addresses make, a part of each kind, as the policy has them. */
static void parts_of(const struct policy *policy, const void *parts[PARTS])
{
	struct name pool = test_name("100.18.198.in-addr.arpa.");
	struct name label = test_name("cloudapp.azure.com."), service = test_name("cloudapp.net.");

	parts[TABLE] = policy->owned;
	const struct policy_pool_zone *of_pool = suffix_table_get(&policy->pools, &pool, 0);
	parts[POOL] = of_pool ? of_pool->zone : NULL;
	parts[LABEL] = suffix_table_get(&policy->names, &label, 0);
	parts[SERVICE] = suffix_table_get(&policy->names, &service, 0);
	parts[TREE4] = policy->trees[0];
	parts[TREE6] = policy->trees[1];
	for (unsigned i = 0; i < PARTS; i++)
		assert_non_null(parts[i]);
}

static struct model *with_every_kind(struct model *model)
{
	static const char *servers[] = {"ns1.example.com.", "ns2.example.com."};

	model->reverse.name_servers.items = servers;
	model->reverse.name_servers.count = 2;
	model->virtual_networks.count = 0;
	model_add_network(model, "hub", "10.10.0.0/16 fd00::/16");
	model_add_network(model, "spoke", "10.20.0.0/16");
	model_add_pool(model, "pool", "198.18.100.0/24");
	model_add_address(model, "public", "198.18.100.1", "web", "public.example.com.");
	model_add_address(model, "hub", "10.10.0.9", NULL, "hub.example.com.");
	model_add_address(model, "six", "fd00::9", NULL, "six.example.com.");
	model_add_address(model, "spoke", "10.20.0.9", NULL, "spoke.example.com.");
	model_add_service(model, "svc", "198.18.100.2", "svc.example.com.");
	return model;
}

static void what_addresses_make_is_taken_over_when_they_have_not_changed(void **state)
{
	struct model *model = with_every_kind(*state);
	const void *before[PARTS], *after[PARTS];
	struct policy *first = model_compile(model, NULL);

	model_add_default(model, "192.0.2.54");
	model->addresses.items[0].description = "not in the table";
	struct policy *second = model_compile(model, first);
	parts_of(first, before);
	parts_of(second, after);
	for (unsigned i = 0; i < PARTS; i++)
		assert_ptr_equal(before[i], after[i]);
	/* And from there on to the next, the first being gone. */
	policy_free(first);
	struct policy *policy = model_compile(model, second);
	policy_free(second);
	parts_of(policy, after);
	assert_ptr_equal(before[TABLE], after[TABLE]);
	PTR("hub", "10.10.0.9", "address hub hit");
	PTR("hub", "198.18.100.1", "pool pool hit");
	policy_free(policy);
}

static void rename_hub(struct model *model)
{
	model->addresses.items[1].reverse_fqdn = "hubs.example.com.";
}

static void move_hub(struct model *model)
{
	model->addresses.items[1].address.bytes[3]++;
}

static void age_spoke(struct model *model)
{
	model->addresses.items[3].ttl = 77;
}

static void drop_public_ptr(struct model *model)
{
	model->addresses.items[0].reverse_fqdn = NULL;
}

static void relabel(struct model *model)
{
	model->addresses.items[0].domain_name_label = "www";
}

static void move_service(struct model *model)
{
	model->cloud_services.items[0].address.bytes[3]++;
}

static void fewer_servers(struct model *model)
{
	model->reverse.name_servers.count = 1;
}

static void other_hostmaster(struct model *model)
{
	model->reverse.hostmaster = "admin.example.com.";
}

static void other_ttl(struct model *model)
{
	model->reverse.ttl++;
}

static void other_region(struct model *model)
{
	model->addresses.items[0].region = "eastus";
}

static void other_suffix(struct model *model)
{
	model->reverse.suffix = "cloudapp.azure.com.";
}

/* A change makes those parts anew that are made of what has changed, and no others. */
static void a_change_of_addresses_makes_only_what_follows_from_them_anew(void **state)
{
	static const struct {
		void (*change)(struct model *model);
		unsigned anew; /* bits */
	} rows[] = {
		{rename_hub, 1 << TABLE},   {move_hub, 1 << TABLE},
		{age_spoke, 1 << TABLE},    {drop_public_ptr, 1 << TABLE},
		{relabel, 1 << TABLE},      {move_service, 1 << TABLE},
		{fewer_servers, 1 << POOL}, {other_hostmaster, 1 << POOL},
		{other_ttl, 1 << TABLE},    {other_region, 1 << TABLE},
		{other_suffix, 1 << TABLE},
	};
	struct model *model = with_every_kind(*state);
	const void *before[PARTS], *after[PARTS];
	struct policy *first = model_compile(model, NULL);

	for (unsigned row = 0; row < sizeof rows / sizeof rows[0]; row++) {
		rows[row].change(model);
		struct policy *second = model_compile(model, first);

		parts_of(first, before);
		parts_of(second, after);
		for (unsigned i = 0; i < PARTS; i++)
			if ((before[i] != after[i]) != (rows[row].anew >> i & 1))
				fail_msg("row %u, part %u", row, i);
		policy_free(first);
		first = second;
	}
	policy_free(first);
}

static void a_networks_space_is_read_anew_though_the_table_stays(void **state)
{
	struct model *model = with_every_kind(*state);
	struct policy *first = model_compile(model, NULL);

	model->virtual_networks.items[0].address_space.items[0].length = 30;
	struct policy *policy = model_compile(model, first);
	assert_ptr_equal(first->owned, policy->owned);
	PTR("hub", "10.10.0.9", "special nxdomain");
	policy_free(first);
	policy_free(policy);
}

static void another_ttl_of_any_of_them_is_another_table(void **state)
{
	struct model *model = with_every_kind(*state);
	uint32_t *const ttls[] = {&model->addresses.items[0].ttl,
				  &model->cloud_services.items[0].ttl, &model->reverse.ttl};

	for (unsigned i = 0; i < sizeof ttls / sizeof ttls[0]; i++) {
		struct policy *first = model_compile(model, NULL);
		*ttls[i] = 0; /* which is not the same as none */
		struct policy *policy = model_compile(model, first);
		assert_ptr_not_equal(first->owned, policy->owned);
		policy_free(first);
		policy_free(policy);
	}
}

static void spaces_within_one_another_are_one(void **state)
{
	struct model *model = *state;

	model_add_network(model, "nested", "172.16.0.0/12 172.20.0.0/16 10.5.0.0/16 172.20.1.0/24");
	model_add_address(model, "a", "172.31.255.255", NULL, "a.example.com.");
	model_add_address(model, "b", "172.20.1.7", NULL, "b.example.com.");
	model_add_address(model, "c", "172.20.2.7", NULL, "c.example.com.");
	model_add_address(model, "d", "10.6.0.0", NULL, "d.example.com.");
	struct policy *policy = model_compile(model, NULL);
	assert_int_equal(policy->networks[2].space_count, 2);
	PTR("nested", "172.31.255.255", "address nested hit");
	PTR("nested", "172.20.1.7", "address nested hit");
	PTR("nested", "172.20.2.7", "address nested hit");
	PTR("nested", "10.6.0.0", "special nxdomain");
	policy_free(policy);
}

/* ---- tables that come from elsewhere ---- */

/* The table with that PTR more. */
static struct owned *with_ptr(struct owned *before, const char *address, const char *target)
{
	struct owned_draft *draft = owned_edit(before);
	struct address parsed;
	struct name name = test_name(target);

	assert_non_null(draft);
	assert_int_equal(address_parse(&parsed, address), 0);
	assert_int_equal(owned_set_ptr(draft, &parsed, &name, 300), 0);
	return owned_commit(draft);
}

static void a_table_that_comes_with_the_model_is_served_as_it_is(void **state)
{
	struct model *model = with_every_kind(*state);
	struct policy *first = model_compile(model, NULL);

	model->owned = with_ptr(NULL, "198.18.100.7", "seven.example.com.");
	struct policy *policy = model_compile(model, first);
	PTR("hub", "198.18.100.7", "pool pool hit");
	PTR("hub", "198.18.100.1", "pool pool nxdomain");
	owned_unref(model->owned);
	model->owned = NULL;
	struct policy *third = model_compile(model, policy);
	policy_free(first);
	policy_free(policy);
	policy = third;
	PTR("hub", "198.18.100.7", "pool pool nxdomain");
	PTR("hub", "198.18.100.1", "pool pool hit");
	policy_free(policy);
}

static void another_table_changes_what_we_own_and_nothing_else(void **state)
{
	struct model *model = with_every_kind(*state);
	struct policy *before = model_compile(model, NULL);
	struct owned *owned = with_ptr(before->owned, "198.18.100.7", "seven.example.com.");
	struct policy *policy = policy_with_owned(before, owned, before->registered);

	owned_unref(owned);
	assert_non_null(policy);
	assert_ptr_equal(policy->networks, before->networks);
	assert_true(policy_is_shared(before) && policy_is_shared(policy));
	PTR("hub", "198.18.100.7", "pool pool hit");
	PTR("hub", "198.18.100.1", "pool pool hit");
	DECIDES("hub", "100.18.198.in-addr.arpa.", TYPE_NS, "pool pool hit");
	struct policy *after = policy;
	policy = before;
	PTR("hub", "198.18.100.7", "pool pool nxdomain");
	/* Whichever goes first, what they share stays for the other. */
	policy = policy_with_owned(after, before->owned, after->registered);
	policy_free(before);
	policy_free(after);
	assert_false(policy_is_shared(policy));
	PTR("hub", "198.18.100.1", "pool pool hit");
	PTR("hub", "198.18.100.7", "pool pool nxdomain");
	policy_free(policy);
}

static void the_names_of_a_private_address_are_answered_in_its_network_only(void **state)
{
	struct model *model = *state;
	struct trace trace;
	struct verdict verdict;

	model_add_network(model, "twin", "10.10.0.0/16 fd00:10::/64");
	model_add_address(model, "vm", "10.10.3.7", "vm", NULL)->region = "westeurope";
	model_add_address(model, "six", "fd00:10::7", "six", NULL)->region = "westeurope";
	model_add_address(model, "open", "198.18.100.10", "open", NULL)->region = "westeurope";
	model_add_service(model, "svc", "10.20.3.8", NULL);
	struct policy *policy = model_compile(model, NULL);
	DECIDES("hub", "vm.westeurope.cloudapp.azure.com.", TYPE_A, "name hit");
	DECIDES("hub", "vm.westeurope.cloudapp.azure.com.", TYPE_TXT, "name nodata");
	DECIDES("twin", "vm.westeurope.cloudapp.azure.com.", TYPE_A, "name hit");
	DECIDES("spoke", "svc.cloudapp.net.", TYPE_A, "name hit");
	DECIDES("twin", "six.westeurope.cloudapp.azure.com.", TYPE_AAAA, "name hit");
	/* Elsewhere they are like any other name under those suffixes. */
	DECIDES("spoke", "vm.westeurope.cloudapp.azure.com.", TYPE_A, "default");
	DECIDES("spoke", "vm.westeurope.cloudapp.azure.com.", TYPE_TXT, "default");
	DECIDES("hub", "svc.cloudapp.net.", TYPE_A, "default");
	DECIDES("hub", "six.westeurope.cloudapp.azure.com.", TYPE_AAAA, "default");
	DECIDES("spoke", "open.westeurope.cloudapp.azure.com.", TYPE_A, "name hit");

	struct name name = test_name("svc.cloudapp.net.");
	policy_decide(policy, (struct place){NETWORK_DEFAULT, false}, &name, TYPE_A, &verdict,
		      &trace);
	assert_int_equal(verdict.by, DECIDED_DEFAULT);
	assert_int_equal(trace.steps[trace.count - 2].by, DECIDED_NAME);
	assert_int_equal(trace.steps[trace.count - 2].outcome, TRACE_ELSEWHERE);
	policy_free(policy);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_ptr_of_a_networks_address_is_answered_in_that_network_that_exact_name),
		TEST(a_networks_ptr_wins_over_rules_and_loses_to_a_zone),
		TEST(a_pool_denies_no_name_above_a_networks_ptr_or_a_zone),
		TEST(a_private_address_is_never_a_pools),
		TEST(a_pool_is_authoritative_exactly_within_its_prefix),
		TEST(a_rule_wins_over_a_pool),
		TEST(a_ptr_has_its_addresss_name_and_ttl),
		TEST(a_pools_zone_has_the_configured_name_servers),
		TEST(own_names_are_exact_and_every_other_name_goes_on),
		TEST(the_names_of_a_private_address_are_answered_in_its_network_only),
		TEST(own_names_win_over_special_ones_and_lose_to_zones_and_rules),
		TEST(names_above_own_names_exist_without_data),
		TEST(a_public_address_in_a_networks_space_is_the_networks_and_elsewhere_its_pools),
		TEST(networks_that_overlap_each_have_the_addresses_in_their_space),
		TEST(what_addresses_make_is_taken_over_when_they_have_not_changed),
		TEST(a_change_of_addresses_makes_only_what_follows_from_them_anew),
		TEST(a_networks_space_is_read_anew_though_the_table_stays),
		TEST(spaces_within_one_another_are_one),
		TEST(another_ttl_of_any_of_them_is_another_table),
		TEST(a_table_that_comes_with_the_model_is_served_as_it_is),
		TEST(another_table_changes_what_we_own_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
