/* What becomes of a model: places, and parts that are shared with the policy before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "rules/schema/reference.h"
#include "rules/text.h"
#include "tests/lib/comparisons.h"
#include "tests/lib/each_upstream.h"
#include "tests/lib/model_builder.h"

int strncasecmp(const char *a, const char *b, size_t length)
{
	comparisons++;
	for (; length; length--, a++, b++)
		if (!*a || name_lower((uint8_t)*a) != name_lower((uint8_t)*b))
			return name_lower((uint8_t)*a) - name_lower((uint8_t)*b);
	return 0;
}

static int setup(void **state)
{
	struct model *model = model_start();
	struct forwarding_ruleset *ruleset;

	model_add_network(model, "hub", "10.10.0.0/16");
	model_add_network(model, "spoke", "10.20.0.0/16 10.10.128.0/24");
	model_add_resolver(model, "hub-resolver", "hub", "127.0.0.1:5300");
	ruleset = model_add_ruleset(model, "one", "hub-resolver/out", "hub");
	model_add_rule(model, ruleset, "corp", "corp.", "192.0.2.1");
	ruleset = model_add_ruleset(model, "two", "hub-resolver/out", "spoke");
	model_add_rule(model, ruleset, "other", "other.", "192.0.2.2");
	model_add_zone(model, "a.internal", "www A 10.10.1.1\n", "hub");
	model_add_default(model, "192.0.2.53");
	*state = model;
	return 0;
}

static int teardown(void **state)
{
	model_free(*state);
	return 0;
}

/* ---- places ---- */

static const char *place_of(const struct policy *policy, const char *source)
{
	struct address address;

	assert_int_equal(address_parse(&address, source), 0);
	struct place place = policy_place_of_client(policy, &address);
	assert_true(place.vnet_resolver);
	return place.network == NETWORK_NONE ? "none" : policy->networks[place.network].name;
}

static void a_clients_network_is_that_of_its_longest_prefix(void **state)
{
	struct model *model = *state;

	model_add_client_prefix(model_network(model, NULL, "hub"), model, "127.0.0.0/8");
	model_add_client_prefix(model_network(model, NULL, "spoke"), model, "127.0.0.5/32");
	model_add_client_prefix(model_network(model, NULL, "spoke"), model, "2001:db8::/32");
	model_add_client_prefix(model_network(model, NULL, "hub"), model, "2001:db8:1::/48");
	struct policy *policy = model_compile(model, NULL);
	assert_string_equal(place_of(policy, "10.10.1.1"), "hub");
	assert_string_equal(place_of(policy, "10.10.127.255"), "hub");
	assert_string_equal(place_of(policy, "10.10.128.1"), "spoke");
	assert_string_equal(place_of(policy, "10.20.1.1"), "spoke");
	assert_string_equal(place_of(policy, "127.0.0.4"), "hub");
	assert_string_equal(place_of(policy, "127.0.0.5"), "spoke");
	assert_string_equal(place_of(policy, "2001:db8:2::1"), "spoke");
	assert_string_equal(place_of(policy, "2001:db8:1::1"), "hub");
	assert_string_equal(place_of(policy, "10.30.0.1"), "none");
	assert_string_equal(place_of(policy, "2001:db9::1"), "none");
	policy_free(policy);
}

static void networks_and_endpoints_are_found_by_name_in_any_case(void **state)
{
	struct policy *policy = model_compile(*state, NULL);
	const struct policy_inbound *inbound = policy_find_inbound(policy, "Hub-Resolver/IN");

	assert_int_equal(policy_find_network(policy, "SPOKE"), 1);
	assert_int_equal(policy_find_network(policy, "spokes"), NETWORK_NONE);
	assert_non_null(inbound);
	assert_int_equal(inbound->network, 0);
	assert_int_equal(inbound->listen.port, 5300);
	assert_null(policy_find_inbound(policy, "hub-resolver/out"));
	policy_free(policy);
}

static void links_name_networks_in_any_case_and_order(void **state)
{
	struct model *model = *state;

	model_add_network(model, "alpha", "10.30.0.0/16");
	model_add_zone(model, "c.internal", "www A 10.30.1.2\n", "Alpha");
	model_add_zone(model, "b.internal", "www A 10.10.1.2\n", "HUB");
	struct policy *policy = model_compile(model, NULL);
	assert_string_equal(model_decide(policy, "hub", "www.b.internal.", TYPE_A),
			    "zone b.internal hit");
	assert_string_equal(model_decide(policy, "alpha", "www.c.internal.", TYPE_A),
			    "zone c.internal hit");
	assert_string_equal(model_decide(policy, "hub", "www.c.internal.", TYPE_A), "default");
	policy_free(policy);
}

static bool allowed(const struct policy *policy, const char *text)
{
	struct address address;

	assert_int_equal(address_parse(&address, text), 0);
	return access_allows(policy->inbounds[0].access, &address);
}

static void who_may_ask_is_by_default_who_is_private_or_in_any_network(void **state)
{
	struct model *model = *state;

	model_add_client_prefix(model_add_network(model, "far", "198.51.100.0/24"), model,
				"2001:db8:9::/48");
	struct policy *policy = model_compile(model, NULL);
	assert_true(allowed(policy, "127.0.0.1"));
	assert_true(allowed(policy, "192.168.9.9"));
	assert_true(allowed(policy, "fd00::1"));
	assert_true(allowed(policy, "198.51.100.255"));
	assert_true(allowed(policy, "2001:db8:9::1"));
	assert_false(allowed(policy, "198.51.101.0"));
	assert_false(allowed(policy, "2001:db8:a::1"));
	assert_false(allowed(policy, "8.8.8.8"));
	policy_free(policy);
}

static void an_endpoints_own_list_is_instead_of_the_usual_one(void **state)
{
	struct model *model = *state;
	struct prefix list[2];

	assert_int_equal(prefix_parse(&list[0], "203.0.113.0/24"), 0);
	assert_int_equal(prefix_parse(&list[1], "::/0"), 0);
	model->resolvers.items[0].inbound_endpoints.items[0].allow.items = list;
	model->resolvers.items[0].inbound_endpoints.items[0].allow.count = 2;
	struct policy *policy = model_compile(model, NULL);
	assert_true(allowed(policy, "203.0.113.9"));
	assert_true(allowed(policy, "2001:db8::1"));
	assert_false(allowed(policy, "127.0.0.1"));
	assert_false(allowed(policy, "10.10.0.9"));
	policy_free(policy);
}

/* ---- sharing ---- */

static void an_unchanged_ruleset_is_taken_over(void **state)
{
	struct model *model = *state;
	struct policy *first = model_compile(model, NULL);

	model_add_rule(model, &model->rulesets.items[1], "more", "more.", "192.0.2.3");
	struct policy *second = model_compile(model, first);
	assert_ptr_equal(second->rulesets[0], first->rulesets[0]);
	assert_ptr_not_equal(second->rulesets[1], first->rulesets[1]);
	assert_ptr_equal(second->networks[0].rulesets[0], first->rulesets[0]);
	/* What is shared outlives the policy that made it. */
	policy_free(first);
	assert_string_equal(model_decide(second, "hub", "x.corp.", TYPE_A), "rule corp");
	assert_string_equal(model_decide(second, "spoke", "x.more.", TYPE_A), "rule more");
	policy_free(second);
}

static void a_ruleset_keeps_its_place_when_others_go(void **state)
{
	struct model *model = *state;
	struct policy *first = model_compile(model, NULL);

	model->rulesets.items++;
	model->rulesets.count--;
	struct policy *second = model_compile(model, first);
	assert_int_equal(second->ruleset_count, 1);
	assert_ptr_equal(second->rulesets[0], first->rulesets[1]);
	policy_free(first);
	assert_string_equal(model_decide(second, "spoke", "x.other.", TYPE_A), "rule other");
	policy_free(second);
}

static void a_link_is_not_part_of_the_ruleset(void **state)
{
	struct model *model = *state;
	struct policy *first = model_compile(model, NULL);

	model->rulesets.items[0].links.items[0].virtual_network = "spoke";
	struct policy *second = model_compile(model, first);
	assert_ptr_equal(second->rulesets[0], first->rulesets[0]);
	assert_string_equal(model_decide(second, "hub", "x.corp.", TYPE_A), "default");
	assert_string_equal(model_decide(second, "spoke", "x.corp.", TYPE_A), "rule corp");
	policy_free(first);
	policy_free(second);
}

static void a_changed_source_makes_a_new_ruleset(void **state)
{
	struct model *model = *state;
	struct policy *first = model_compile(model, NULL);

	assert_int_equal(
		address_parse(&model->resolvers.items[0].outbound_endpoints.items[0].source,
			      "127.0.0.9"),
		0);
	struct policy *second = model_compile(model, first);
	assert_ptr_not_equal(second->rulesets[0], first->rulesets[0]);
	policy_free(first);
	policy_free(second);
}

/* ---- rulesets of a known version, which are not compiled again ---- */

/* The first ruleset has a version: the second policy has it from the first one without looking. */
static void compile_known(struct model *model, struct policy **first, struct policy **second,
			  void (*change)(struct model *model))
{
	model->rulesets.items[0].version = 7;
	*first = model_compile(model, NULL);
	change(model);
	*second = model_compile(model, *first);
	policy_free(*first);
}

static void forget_rule(struct model *model)
{
	model->rulesets.items[0].rules.count = 0;
}

static void a_ruleset_of_the_same_version_is_not_looked_at(void **state)
{
	struct policy *first, *second;

	compile_known(*state, &first, &second, forget_rule);
	assert_string_equal(model_decide(second, "hub", "x.corp.", TYPE_A), "rule corp");
	policy_free(second);
}

static void move_source(struct model *model)
{
	forget_rule(model);
	assert_int_equal(
		address_parse(&model->resolvers.items[0].outbound_endpoints.items[0].source,
			      "127.0.0.9"),
		0);
}

static void add_inbound(struct model *model)
{
	forget_rule(model);
	model_add_network(model, "third", "10.30.0.0/16");
	model_add_resolver(model, "third-resolver", "third", "127.0.0.1:5301");
}

/* The networks after it get other numbers, which targets that are us are compiled with. */
static void remove_network_ahead(struct model *model)
{
	struct virtual_network *networks = model->virtual_networks.items;
	const struct virtual_network hub = networks[0];

	forget_rule(model);
	networks[0] = networks[1];
	networks[1] = hub;
}

static void reserve_domain(struct model *model)
{
	forget_rule(model);
	model_add_reserved(model, "corp.");
}

static void change_version(struct model *model)
{
	forget_rule(model);
	model->rulesets.items[0].version = 8;
}

static void leave_by_another(struct model *model)
{
	static const char *other[] = {"hub-resolver/out2"};

	forget_rule(model);
	model->rulesets.items[0].outbound_endpoints.items = other;
}

static void what_a_ruleset_is_compiled_with_makes_it_another(void **state)
{
	void (*const changes[])(struct model *) = {move_source,          add_inbound,
						   remove_network_ahead, reserve_domain,
						   change_version,       leave_by_another};

	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		struct policy *first, *second;

		compile_known(*state, &first, &second, changes[i]);
		assert_string_not_equal(model_decide(second, "hub", "x.corp.", TYPE_A),
					"rule corp");
		policy_free(second);
		teardown(state);
		setup(state);
	}
}

static const struct zone *zone_of(const struct policy *policy, const char *text)
{
	struct name name = test_name(text);
	struct verdict verdict;

	policy_decide(policy, (struct place){0, false}, &name, TYPE_A, &verdict, NULL);
	assert_int_equal(verdict.kind, VERDICT_ANSWER);
	return verdict.answer.zone;
}

static void zones_are_the_models_and_special_ones_are_made_once(void **state)
{
	struct model *model = *state;
	struct policy *first = model_compile(model, NULL), *second = model_compile(model, first);

	assert_ptr_equal(zone_of(second, "www.a.internal."), model->private_zones.items[0].zone);
	assert_ptr_equal(zone_of(second, "localhost."), zone_of(first, "localhost."));
	policy_free(first);
	assert_string_equal(model_decide(second, "hub", "localhost.", TYPE_A), "special hit");
	policy_free(second);
}

static void the_model_is_not_needed_afterwards(void **state)
{
	struct policy *policy = model_compile(*state, NULL);

	model_free(*state);
	*state = model_start();
	assert_string_equal(model_decide(policy, "hub", "www.a.internal.", TYPE_A),
			    "zone a.internal hit");
	assert_string_equal(model_decide(policy, "hub", "x.corp.", TYPE_A), "rule corp");
	assert_string_equal(policy->inbounds[0].name, "hub-resolver/in");
	const struct leg *leg = &ruleset_rule(policy->rulesets[0], 0)->route.legs[0];
	assert_string_equal(leg->upstreams[0].endpoint, "hub-resolver/out");
	policy_free(policy);
}

static void count_upstream(void *context, struct upstream *upstream)
{
	unsigned *ports = context;

	*ports += upstream->host.port;
}

static void every_upstream_of_every_route_is_visited(void **state)
{
	struct model *model = *state;
	unsigned sum = 0;

	model_add_dns_server(model_network(model, NULL, "hub"), model, "192.0.2.7:10000");
	model_add_rule(model, &model->rulesets.items[0], "x", "x.", "192.0.2.1:1000 10.10.0.4");
	struct policy *policy = model_compile(model, NULL);
	each_upstream(policy, count_upstream, &sum);
	assert_int_equal(sum, 53 + 53 + 53 + 1000 + 10000);
	policy_free(policy);
	policy_free(NULL);
}

static void note_route(void *context, const char *name, const struct route *route)
{
	char *text = context;

	assert_true(route->leg_count > 0);
	text_append(text, 256, "%s; ", name);
}

static void every_route_that_questions_take_is_named(void **state)
{
	struct model *model = *state;
	struct host listen = {.port = 5353};
	char text[256] = "";

	model_add_dns_server(model_network(model, NULL, "hub"), model, "192.0.2.7:10000");
	model_add_rule(model, &model->rulesets.items[0], "off", "off.", "192.0.2.1")->state =
		RULE_DISABLED;
	model_add_ruleset(model, "nobodys", "hub-resolver/out", "");
	model_add_rule(model, &model->rulesets.items[2], "x", "x.", "192.0.2.1");
	struct policy *policy = model_compile(model, NULL);
	policy_each_route(policy, note_route, text);
	assert_string_equal(text, "default resolver; one/corp; two/other; ");
	policy_free(policy);
	assert_int_equal(address_parse(&listen.address, "127.0.0.1"), 0);
	model->vnet_resolver.listen.items = &listen;
	model->vnet_resolver.listen.count = 1;
	policy = model_compile(model, NULL);
	text[0] = '\0';
	policy_each_route(policy, note_route, text);
	assert_string_equal(text, "default resolver; DNS servers of hub; one/corp; two/other; ");
	policy_free(policy);
}

static const struct policy_zone_link *link_of(const struct policy *policy, uint32_t network)
{
	struct name apex = test_name("privatelink.test.");

	return suffix_table_get(&policy->networks[network].zones, &apex, 0);
}

static void networks_share_what_a_link_says(void **state)
{
	struct model *model = *state;

	model_add_network(model, "third", "10.30.0.0/16");
	model_add_network(model, "fourth", "10.40.0.0/16");
	model_add_zone(model, "privatelink.test", "", "hub? spoke third? fourth>");
	struct policy *policy = model_compile(model, NULL);
	assert_ptr_equal(link_of(policy, 0), link_of(policy, 2));
	assert_ptr_not_equal(link_of(policy, 0), link_of(policy, 1));
	assert_int_equal(link_of(policy, 0)->resolution_policy, RESOLUTION_NXDOMAIN_REDIRECT);
	assert_int_equal(link_of(policy, 1)->resolution_policy, RESOLUTION_DEFAULT);
	assert_int_equal(link_of(policy, 3)->resolution_policy, RESOLUTION_NXDOMAIN_FALLTHROUGH);
	assert_string_equal(link_of(policy, 1)->name, "privatelink.test");
	policy_free(policy);
}

static void the_longest_rules_name_is_whole(void **state)
{
	char ruleset[172], rule[81], whole[253], name[POLICY_ROUTE_NAME];

	(void)state;
	memset(ruleset, 'r', sizeof ruleset - 1);
	ruleset[sizeof ruleset - 1] = '\0';
	ruleset[90] = '/'; /* a group and a ruleset */
	memset(rule, 'x', sizeof rule - 1);
	rule[sizeof rule - 1] = '\0';
	snprintf(whole, sizeof whole, "%s/%s", ruleset, rule);
	assert_string_equal(
		policy_rule_name(&(struct rule){.ruleset = ruleset, .name = rule}, name), whole);
}

/* ---- cost ---- */

enum { MANY = 1000, ZONES_PER_NETWORK = 10, LINKS_MAX = 500 };

static struct zone *empty_zone(const char *text)
{
	static const struct origin origin;
	struct name apex = test_name(text);
	struct faults faults;

	faults_init(&faults);
	struct zone *zone =
		zone_builder_finish(zone_builder_new(&test_key, &apex), &origin, &faults);
	assert_non_null(zone);
	faults_release(&faults);
	return zone;
}

static void fill_resolver(struct model *model, struct dns_resolver *resolver, unsigned n)
{
	resolver->name = arena_printf(&model->arena, "r%u", n);
	resolver->virtual_network = model->virtual_networks.items[n].name;
	resolver->inbound_endpoints.items =
		arena_alloc(&model->arena, sizeof *resolver->inbound_endpoints.items);
	resolver->inbound_endpoints.count = 1;
	resolver->inbound_endpoints.items[0].name = "in";
	resolver->inbound_endpoints.items[0].address =
		(struct address){4, {10, (uint8_t)(n >> 8), (uint8_t)n, 4}};
	resolver->inbound_endpoints.items[0].listen =
		(struct host){resolver->inbound_endpoints.items[0].address, 53};
	resolver->outbound_endpoints.items =
		arena_alloc(&model->arena, sizeof *resolver->outbound_endpoints.items);
	resolver->outbound_endpoints.count = 1;
	resolver->outbound_endpoints.items[0].name = "out";
}

/* Linked to the network of its number and those after it, as many as a ruleset may. */
static void fill_ruleset(struct model *model, struct forwarding_ruleset *ruleset, unsigned n,
			 unsigned links)
{
	ruleset->name = arena_printf(&model->arena, "s%u", n);
	ruleset->outbound_endpoints.items =
		arena_alloc(&model->arena, sizeof *ruleset->outbound_endpoints.items);
	ruleset->outbound_endpoints.count = 1;
	ruleset->outbound_endpoints.items[0] = arena_printf(&model->arena, "R%u/Out", n);
	ruleset->links.items =
		arena_alloc_array(&model->arena, links, sizeof *ruleset->links.items);
	ruleset->links.count = links;
	for (unsigned l = 0; l < links; l++)
		ruleset->links.items[l].virtual_network =
			model->virtual_networks.items[(n + l) % model->virtual_networks.count].name;
}

static void fill_zone(struct model *model, struct private_zone *zone, unsigned n)
{
	zone->name = arena_printf(&model->arena, "z%u.internal", n);
	zone->zone = empty_zone(zone->name);
	zone->links.items = arena_alloc(&model->arena, sizeof *zone->links.items);
	zone->links.count = 1;
	zone->links.items[0].virtual_network =
		model->virtual_networks.items[n / ZONES_PER_NETWORK].name;
}

#define ROOM(model, list, n)                                                                       \
	((list).count = (n),                                                                       \
	 (list).items = arena_alloc_array(&(model)->arena, (list).count, sizeof *(list).items))

/* Networks with ten zones, a resolver and a ruleset each; every ruleset has as many links. */
static struct model *many(unsigned networks, unsigned links)
{
	struct model *model = model_start();

	ROOM(model, model->virtual_networks, networks);
	for (unsigned i = 0; i < networks; i++)
		model->virtual_networks.items[i].name = arena_printf(&model->arena, "n%u", i);
	ROOM(model, model->resolvers, networks);
	ROOM(model, model->rulesets, networks);
	ROOM(model, model->private_zones, networks * ZONES_PER_NETWORK);
	for (unsigned i = 0; i < networks; i++) {
		fill_resolver(model, &model->resolvers.items[i], i);
		fill_ruleset(model, &model->rulesets.items[i], i, links);
	}
	for (unsigned i = 0; i < networks * ZONES_PER_NETWORK; i++)
		fill_zone(model, &model->private_zones.items[i], i);
	return model;
}

/* Comparisons of names, and bytes, of compiling it twice, the second time after the first. */
static uint64_t cost_of(unsigned networks, unsigned links, size_t *bytes)
{
	struct model *model = many(networks, links);

	assert_int_equal(model_sort_names(model), 0);
	comparisons = 0;
	struct policy *first = policy_compile(model, &test_key, NULL);
	assert_non_null(first);
	struct policy *second = policy_compile(model, &test_key, first);
	assert_non_null(second);
	uint64_t cost = comparisons;
	assert_ptr_equal(second->rulesets[networks - 1], first->rulesets[networks - 1]);
	assert_int_equal(second->networks[0].ruleset_count, links);
	*bytes = second->arena.used_bytes;
	policy_free(first);
	policy_free(second);
	model_free(model);
	return cost;
}

static void twice_as_much_of_everything_costs_little_more_than_twice(void **state)
{
	size_t half_bytes, bytes;
	uint64_t half = cost_of(MANY / 2, 1, &half_bytes), whole = cost_of(MANY, 1, &bytes);

	(void)state;
	assert_true(half > 0);
	assert_true(whole < half * 5 / 2);
	assert_true(bytes < half_bytes * 5 / 2);
}

/* A network's list of rulesets is made once, and not once for each link. */
static void links_cost_what_they_are(void **state)
{
	size_t half_bytes, bytes;
	uint64_t half = cost_of(LINKS_MAX, LINKS_MAX / 2, &half_bytes);
	uint64_t whole = cost_of(LINKS_MAX, LINKS_MAX, &bytes);

	(void)state;
	assert_true(whole < half * 5 / 2);
	assert_true(bytes - half_bytes < 2 * LINKS_MAX * LINKS_MAX / 2 * sizeof(void *));
}

static uint16_t id_of(const struct policy *policy, const char *network)
{
	struct place place = {policy_find_network(policy, network), false};

	return policy_network_id(policy, place);
}

static void a_networks_id_is_its_own_over_reloads_and_nobody_elses_later(void **state)
{
	static const char *const names[][4] = {
		{"one", "two", "three"}, {"new", "Three", "one"}, {"two", "three", "one", "new"}};
	struct policy *policies[3] = {NULL};

	(void)state;
	for (unsigned p = 0; p < 3; p++) {
		struct model *model = model_start();

		for (unsigned i = 0; i < 4 && names[p][i]; i++)
			model_add_network(model, names[p][i], "10.10.0.0/16");
		policies[p] = model_compile(model, p ? policies[p - 1] : NULL);
		model_free(model);
	}
	uint16_t one = id_of(policies[0], "one"), two = id_of(policies[0], "two");
	assert_true(one && two && one != two && id_of(policies[0], "three") != one);
	for (unsigned p = 1; p < 3; p++) {
		assert_int_equal(id_of(policies[p], "one"), one);
		assert_int_equal(id_of(policies[p], "three"), id_of(policies[0], "three"));
	}
	assert_int_equal(id_of(policies[1], "new"), id_of(policies[2], "new"));
	for (unsigned i = 0; i < 3; i++) {
		assert_int_not_equal(id_of(policies[1], "new"), id_of(policies[0], names[0][i]));
		assert_int_not_equal(id_of(policies[2], "two"), id_of(policies[0], names[0][i]));
	}
	assert_int_not_equal(id_of(policies[2], "two"), id_of(policies[2], "new"));
	assert_int_equal(policy_network_id(policies[0], (struct place){NETWORK_DEFAULT, false}), 0);
	assert_int_equal(policy_network_id(policies[0], (struct place){NETWORK_NONE, false}), 0);
	for (unsigned p = 0; p < 3; p++)
		policy_free(policies[p]);
}

/* There are as many as 16 bits have. */
static void where_no_id_is_left_a_new_network_has_none(void **state)
{
	struct model *model = model_start();

	(void)state;
	model_add_network(model, "old", "10.10.0.0/16");
	struct policy *before = model_compile(model, NULL);
	before->last_network_id = UINT16_MAX - 1;
	model_add_network(model, "last", "10.20.0.0/16");
	model_add_network(model, "late", "10.30.0.0/16");
	struct policy *policy = model_compile(model, before);
	assert_int_equal(id_of(policy, "old"), 1);
	assert_int_equal(id_of(policy, "last"), UINT16_MAX);
	assert_int_equal(id_of(policy, "late"), 0);
	policy_free(before);
	policy_free(policy);
	model_free(model);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_clients_network_is_that_of_its_longest_prefix),
		cmocka_unit_test(a_networks_id_is_its_own_over_reloads_and_nobody_elses_later),
		cmocka_unit_test(where_no_id_is_left_a_new_network_has_none),
		TEST(networks_and_endpoints_are_found_by_name_in_any_case),
		TEST(who_may_ask_is_by_default_who_is_private_or_in_any_network),
		TEST(an_endpoints_own_list_is_instead_of_the_usual_one),
		TEST(links_name_networks_in_any_case_and_order),
		TEST(an_unchanged_ruleset_is_taken_over),
		TEST(a_ruleset_of_the_same_version_is_not_looked_at),
		TEST(what_a_ruleset_is_compiled_with_makes_it_another),
		TEST(a_ruleset_keeps_its_place_when_others_go),
		TEST(a_link_is_not_part_of_the_ruleset),
		TEST(a_changed_source_makes_a_new_ruleset),
		TEST(zones_are_the_models_and_special_ones_are_made_once),
		TEST(the_model_is_not_needed_afterwards),
		TEST(every_upstream_of_every_route_is_visited),
		TEST(every_route_that_questions_take_is_named),
		TEST(networks_share_what_a_link_says),
		TEST(the_longest_rules_name_is_whole),
		TEST(twice_as_much_of_everything_costs_little_more_than_twice),
		TEST(links_cost_what_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
