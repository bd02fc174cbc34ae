/* Who answers the names of pools, wherever their prefixes are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/reverse.h"
#include "tests/lib/model_builder.h"
#include "tests/lib/random.h"

static int setup(void **state)
{
	struct model *model = model_start();

	model_add_network(model, "hub", "10.10.0.0/16");
	model_add_default(model, "192.0.2.53");
	*state = model;
	return 0;
}

static int teardown(void **state)
{
	model_free(*state);
	return 0;
}

static const char *decide_reverse(const struct policy *policy, const char *address, uint16_t type)
{
	struct address parsed;
	char text[NAME_TEXT_MAX];

	assert_int_equal(address_parse(&parsed, address), 0);
	return model_decide(policy, "hub", reverse_text(&parsed, text), type);
}

#define PTR(address, words) assert_string_equal(decide_reverse(policy, address, TYPE_PTR), words)
#define SOA(address, words) assert_string_equal(decide_reverse(policy, address, TYPE_SOA), words)
#define DECIDES(name, type, words)                                                                 \
	assert_string_equal(model_decide(policy, "hub", name, type), words)

/* Whose SOA stands under a denial of the name: the suffix of it that the zone's apex has the length
 * of, as the answer has it. */
static const char *denied_by(const struct policy *policy, const char *text)
{
	static char suffix[NAME_TEXT_MAX];
	struct name name = test_name(text);
	struct verdict verdict;

	policy_decide(policy, (struct place){0, false}, &name, TYPE_TXT, &verdict, NULL);
	assert_int_equal(verdict.kind, VERDICT_ANSWER);
	assert_null(verdict.answer.rrset);
	unsigned labels = zone_apex(verdict.answer.zone)->labels;
	assert_in_range(labels, 1, name.labels);
	return name_wire_to_text(name_suffix_wire(&name, name.labels - labels), suffix);
}

#define DENIED_BY(name, zone) assert_string_equal(denied_by(policy, name), zone)

/* ---- cuts ---- */

static const struct {
	const char *prefix, *before, *first, *last, *behind; /* NULL: there is none */
} cuts[] = {
	{"198.0.0.0/8", "197.255.255.255", "198.0.0.0", "198.255.255.255", "199.0.0.0"},
	{"198.128.0.0/9", "198.127.255.255", "198.128.0.0", "198.255.255.255", "199.0.0.0"},
	{"198.18.0.0/15", "198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"},
	{"198.18.0.0/16", "198.17.255.255", "198.18.0.0", "198.18.255.255", "198.19.0.0"},
	{"198.18.128.0/17", "198.18.127.255", "198.18.128.0", "198.18.255.255", "198.19.0.0"},
	{"198.18.100.0/23", "198.18.99.255", "198.18.100.0", "198.18.101.255", "198.18.102.0"},
	{"198.18.100.0/24", "198.18.99.255", "198.18.100.0", "198.18.100.255", "198.18.101.0"},
	{"198.18.100.128/25", "198.18.100.127", "198.18.100.128", "198.18.100.255", "198.18.101.0"},
	{"198.18.100.64/26", "198.18.100.63", "198.18.100.64", "198.18.100.127", "198.18.100.128"},
	{"198.18.100.6/31", "198.18.100.5", "198.18.100.6", "198.18.100.7", "198.18.100.8"},
	{"198.18.100.7/32", "198.18.100.6", "198.18.100.7", "198.18.100.7", "198.18.100.8"},
	{"255.255.255.255/32", "255.255.255.254", "255.255.255.255", "255.255.255.255", NULL},
	{"2001:500::/32", "2001:4ff:ffff::", "2001:500::", "2001:500:ffff:ffff:ffff:ffff:ffff:ffff",
	 "2001:501::"},
	{"2001:500:8::/47", "2001:500:7:ffff::", "2001:500:8::", "2001:500:9:ffff::1",
	 "2001:500:a::"},
	{"2001:500:8::/48", "2001:500:7:ffff::", "2001:500:8::", "2001:500:8:ffff::1",
	 "2001:500:9::"},
	{"2001:500:8:8000::/49", "2001:500:8:7fff::", "2001:500:8:8000::", "2001:500:8:ffff::1",
	 "2001:500:9::"},
	{"2001:500:8:8::/64", "2001:500:8:7:ffff::", "2001:500:8:8::", "2001:500:8:8:ffff::1",
	 "2001:500:8:9::"},
	{"2001:500::6/127", "2001:500::5", "2001:500::6", "2001:500::7", "2001:500::8"},
	{"2001:500::7/128", "2001:500::6", "2001:500::7", "2001:500::7", "2001:500::8"},
};

static void a_pool_answers_from_its_first_address_to_its_last_wherever_it_is_cut(void **state)
{
	for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
		const char *const names[] = {cuts[i].before, cuts[i].first, cuts[i].last,
					     cuts[i].behind};

		teardown(state);
		setup(state);
		model_add_pool(*state, "pool", cuts[i].prefix);
		for (unsigned n = 0; n < 4; n++)
			if (names[n])
				model_add_address(*state, "a", names[n], NULL, "a.example.com.");
		struct policy *policy = model_compile(*state, NULL);
		for (unsigned n = 0; n < 4; n++)
			if (names[n])
				PTR(names[n], n == 1 || n == 2 ? "pool pool hit" : "default");
		policy_free(policy);
	}
}

/* ---- whole octets and nibbles ---- */

static void a_pool_shorter_than_an_octet_has_a_zone_for_each_of_them(void **state)
{
	struct model *model = *state;

	model_add_pool(model, "wide", "203.0.112.0/20");
	model_add_address(model, "first", "203.0.112.0", NULL, "first.example.com.");
	model_add_address(model, "last", "203.0.127.255", NULL, "last.example.com.");
	struct policy *policy = model_compile(model, NULL);
	PTR("203.0.112.0", "pool wide hit");
	PTR("203.0.127.255", "pool wide hit");
	PTR("203.0.120.1", "pool wide nxdomain");
	PTR("203.0.111.255", "default");
	PTR("203.0.128.0", "default");
	DECIDES("127.0.203.in-addr.arpa.", TYPE_SOA, "pool wide hit");
	DENIED_BY("1.120.0.203.in-addr.arpa.", "120.0.203.in-addr.arpa.");
	DECIDES("0.203.in-addr.arpa.", TYPE_SOA, "default");
	/* A pool wins over the special-use zone that lies within it (TEST-NET-3). */
	PTR("203.0.113.9", "pool wide nxdomain");
	policy_free(policy);
}

static void ipv6_pools_are_cut_at_nibbles(void **state)
{
	struct model *model = *state;

	model_add_pool(model, "six", "2001:500:8::/46");
	model_add_address(model, "in", "2001:500:b:ffff::1", NULL, "in.example.com.");
	struct policy *policy = model_compile(model, NULL);
	PTR("2001:500:b:ffff::1", "pool six hit");
	PTR("2001:500:8::", "pool six nxdomain");
	PTR("2001:500:7:ffff::1", "default");
	PTR("2001:500:c::", "default");
	DECIDES("b.0.0.0.0.0.5.0.1.0.0.2.ip6.arpa.", TYPE_SOA, "pool six hit");
	DECIDES("0.0.0.0.0.5.0.1.0.0.2.ip6.arpa.", TYPE_SOA, "default");
	policy_free(policy);
}

static void a_pool_of_everything_has_a_zone_for_each_first_octet(void **state)
{
	struct model *model = *state;

	model_add_pool(model, "all", "0.0.0.0/0");
	model_add_address(model, "a", "223.1.2.3", NULL, "a.example.com.");
	struct policy *policy = model_compile(model, NULL);
	PTR("223.1.2.3", "pool all hit");
	PTR("0.0.0.0", "pool all nxdomain");
	PTR("255.255.255.255", "pool all nxdomain");
	assert_int_equal(policy->pools.count, 256);
	policy_free(policy);
}

/* RFC 8020: a name above one that exists, exists. */
static void names_between_a_pools_apex_and_a_ptr_exist_without_data(void **state)
{
	struct model *model = *state;

	model_add_pool(model, "pool", "198.18.0.0/16");
	model_add_pool(model, "six", "2001:500::/32");
	model_add_address(model, "a", "198.18.100.10", NULL, "a.example.com.");
	model_add_address(model, "b", "2001:500::b", NULL, "b.example.com.");
	struct policy *policy = model_compile(model, NULL);
	DECIDES("100.18.198.in-addr.arpa.", TYPE_PTR, "pool pool nodata");
	DECIDES("100.18.198.in-addr.arpa.", TYPE_ANY, "pool pool nodata");
	DECIDES("101.18.198.in-addr.arpa.", TYPE_PTR, "pool pool nxdomain");
	DECIDES("x.100.18.198.in-addr.arpa.", TYPE_PTR, "pool pool nxdomain");
	DECIDES("0.0.0.0.5.0.1.0.0.2.ip6.arpa.", TYPE_PTR, "pool six nodata");
	DECIDES("1.0.0.0.0.5.0.1.0.0.2.ip6.arpa.", TYPE_PTR, "pool six nxdomain");
	policy_free(policy);
}

static void names_between_a_special_name_and_a_pool_exist_without_data(void **state)
{
	struct model *model = *state;

	model_add_pool(model, "pool", "10.1.2.0/24");
	model_add_pool(model, "part", "10.3.4.64/26");
	model_add_pool(model, "six", "fd00:1::/32");
	struct policy *policy = model_compile(model, NULL);
	DECIDES("2.1.10.in-addr.arpa.", TYPE_SOA, "pool pool hit");
	DECIDES("1.10.in-addr.arpa.", TYPE_PTR, "special nodata");
	DECIDES("2.10.in-addr.arpa.", TYPE_PTR, "special nxdomain");
	DECIDES("3.1.10.in-addr.arpa.", TYPE_PTR, "special nxdomain");
	DECIDES("4.3.10.in-addr.arpa.", TYPE_PTR, "special nodata");
	DECIDES("3.10.in-addr.arpa.", TYPE_PTR, "special nodata");
	DECIDES("0.0.d.f.ip6.arpa.", TYPE_PTR, "special nodata");
	DECIDES("1.0.d.f.ip6.arpa.", TYPE_PTR, "special nxdomain");
	policy_free(policy);
}

static void private_addresses_leave_no_trace_in_a_pool(void **state)
{
	struct model *model = *state;

	model_add_pool(model, "wide", "172.0.0.0/8");
	model_add_pool(model, "part", "192.168.7.64/26");
	model_add_address(model, "vm", "172.16.0.1", NULL, "vm.example.com.");
	model_add_address(model, "web", "172.15.0.1", NULL, "web.example.com.");
	model_add_address(model, "in", "192.168.7.65", NULL, "in.example.com.");
	struct policy *policy = model_compile(model, NULL);
	DECIDES("16.172.in-addr.arpa.", TYPE_PTR, "pool wide nxdomain");
	PTR("172.16.0.1", "pool wide nxdomain");
	DECIDES("15.172.in-addr.arpa.", TYPE_PTR, "pool wide nodata");
	PTR("172.15.0.1", "pool wide hit");
	PTR("192.168.7.65", "pool part nodata");
	DECIDES("65.64-127.7.168.192.in-addr.arpa.", TYPE_PTR, "pool part nxdomain");
	policy_free(policy);
}

/* A pool's IPv6 addresses are not the IPv4 ones that they map, whose PTRs have their own names. */
static void a_mapped_addresss_ptr_is_the_ipv4_ones(void **state)
{
	struct model *model = *state;

	model_add_pool(model, "six", "::/0");
	model_add_pool(model, "mapped", "::ffff:198.18.100.0/120");
	model_add_address(model, "a", "::ffff:198.18.100.7", NULL, "a.example.com.");
	struct policy *policy = model_compile(model, NULL);
	PTR("198.18.100.7", "pool mapped hit");
	DECIDES("7.0.4.6.2.1.6.c.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.",
		TYPE_PTR, "pool six nxdomain");
	policy_free(policy);
}

/* ---- within an octet ---- */

static void two_pools_in_one_octet_have_a_gap_between_them(void **state)
{
	struct model *model = *state;

	model_add_pool(model, "low", "198.18.100.0/26");
	model_add_pool(model, "high", "198.18.100.192/26");
	model_add_address(model, "a", "198.18.100.63", NULL, "a.example.com.");
	model_add_address(model, "b", "198.18.100.192", NULL, "b.example.com.");
	struct policy *policy = model_compile(model, NULL);
	PTR("198.18.100.63", "pool low hit");
	PTR("198.18.100.62", "pool low nodata");
	PTR("198.18.100.0", "pool low nodata");
	PTR("198.18.100.64", "default");
	PTR("198.18.100.191", "default");
	PTR("198.18.100.192", "pool high hit");
	PTR("198.18.100.255", "pool high nodata");
	/* The octet's own name is nobody's: the pools have only parts of it. */
	DECIDES("100.18.198.in-addr.arpa.", TYPE_SOA, "default");
	DECIDES("100.18.198.in-addr.arpa.", TYPE_NS, "default");
	DECIDES("100.18.198.in-addr.arpa.", TYPE_PTR, "default");
	DECIDES("x.100.18.198.in-addr.arpa.", TYPE_PTR, "default");
	policy_free(policy);
}

static void pools_that_touch_in_an_octet_each_have_their_own_addresses(void **state)
{
	struct model *model = *state;

	model_add_pool(model, "one", "198.18.100.0/25");
	model_add_pool(model, "two", "198.18.100.128/26");
	model_add_pool(model, "three", "198.18.100.192/26");
	model_add_address(model, "a", "198.18.100.127", NULL, "a.example.com.");
	model_add_address(model, "b", "198.18.100.128", NULL, "b.example.com.");
	for (unsigned i = 0; i < model->address_pools.count; i++)
		model->address_pools.items[i].region = i ? "westeurope" : "eastus";
	struct policy *policy = model_compile(model, NULL);
	PTR("198.18.100.127", "pool one hit");
	PTR("198.18.100.128", "pool two hit");
	PTR("198.18.100.191", "pool two nodata");
	PTR("198.18.100.192", "pool three nodata");
	DECIDES("127.0-127.100.18.198.in-addr.arpa.", TYPE_PTR, "pool one hit");
	DECIDES("128.128-191.100.18.198.in-addr.arpa.", TYPE_PTR, "pool two hit");
	DECIDES("128.192-255.100.18.198.in-addr.arpa.", TYPE_PTR, "pool three nxdomain");
	/* Together they have all of it; but no zone is theirs together. */
	DECIDES("100.18.198.in-addr.arpa.", TYPE_SOA, "default");
	policy_free(policy);
}

static void a_classless_zone_has_an_apex_and_the_ptrs_by_their_last_octets(void **state)
{
	static const char *servers[] = {"ns1.example.com.", "ns2.example.com."};
	struct model *model = *state;

	model_add_pool(model, "low", "198.18.100.64/26");
	model_add_address(model, "first", "198.18.100.64", NULL, "first.example.com.");
	model_add_address(model, "last", "198.18.100.127", NULL, "last.example.com.");
	model_add_address(model, "out", "198.18.100.128", NULL, "out.example.com.");
	model->reverse.name_servers.items = servers;
	model->reverse.name_servers.count = 2;
	struct policy *policy = model_compile(model, NULL);
	DECIDES("64-127.100.18.198.in-addr.arpa.", TYPE_SOA, "pool low hit");
	DECIDES("64-127.100.18.198.in-addr.arpa.", TYPE_NS, "pool low hit");
	DECIDES("64-127.100.18.198.in-addr.arpa.", TYPE_PTR, "pool low nodata");
	DECIDES("64.64-127.100.18.198.in-addr.arpa.", TYPE_PTR, "pool low hit");
	DECIDES("127.64-127.100.18.198.in-addr.arpa.", TYPE_PTR, "pool low hit");
	DECIDES("127.64-127.100.18.198.in-addr.arpa.", TYPE_ANY, "pool low hit");
	DECIDES("64.64-127.100.18.198.in-addr.arpa.", TYPE_A, "pool low nodata");
	DECIDES("65.64-127.100.18.198.in-addr.arpa.", TYPE_PTR, "pool low nxdomain");
	/* One before, one after, none, and no number as we would write it. */
	DECIDES("63.64-127.100.18.198.in-addr.arpa.", TYPE_PTR, "pool low nxdomain");
	DECIDES("128.64-127.100.18.198.in-addr.arpa.", TYPE_PTR, "pool low nxdomain");
	DECIDES("320.64-127.100.18.198.in-addr.arpa.", TYPE_PTR, "pool low nxdomain");
	DECIDES("064.64-127.100.18.198.in-addr.arpa.", TYPE_PTR, "pool low nxdomain");
	DECIDES("x.64-127.100.18.198.in-addr.arpa.", TYPE_PTR, "pool low nxdomain");
	DECIDES("64.64.64-127.100.18.198.in-addr.arpa.", TYPE_PTR, "pool low nxdomain");
	DENIED_BY("65.64-127.100.18.198.in-addr.arpa.", "64-127.100.18.198.in-addr.arpa.");
	DENIED_BY("64.64-127.100.18.198.in-addr.arpa.", "64-127.100.18.198.in-addr.arpa.");
	/* By the prefix's length it is the same; any other range is nobody's. */
	DECIDES("64.64-26.100.18.198.in-addr.arpa.", TYPE_PTR, "pool low hit");
	DENIED_BY("65.64-26.100.18.198.in-addr.arpa.", "64-26.100.18.198.in-addr.arpa.");
	DECIDES("64.64-126.100.18.198.in-addr.arpa.", TYPE_PTR, "default");
	DECIDES("64.64/26.100.18.198.in-addr.arpa.", TYPE_PTR, "default");
	DECIDES("64.64-127.101.18.198.in-addr.arpa.", TYPE_PTR, "default");
	policy_free(policy);
}

static void a_pools_zone_may_have_the_name_that_its_parent_delegates(void **state)
{
	struct model *model = *state;

	model_add_pool(model, "low", "198.18.100.64/26");
	model->address_pools.items[0].zone = "64/26.100.18.198.in-addr.arpa";
	model_add_address(model, "first", "198.18.100.64", NULL, "first.example.com.");
	struct policy *policy = model_compile(model, NULL);
	DECIDES("64.64/26.100.18.198.in-addr.arpa.", TYPE_PTR, "pool low hit");
	DECIDES("64/26.100.18.198.in-addr.arpa.", TYPE_SOA, "pool low hit");
	DECIDES("64.64-127.100.18.198.in-addr.arpa.", TYPE_PTR, "default");
	DECIDES("64.64-26.100.18.198.in-addr.arpa.", TYPE_PTR, "default");
	PTR("198.18.100.64", "pool low hit");
	PTR("198.18.100.65", "pool low nodata");
	policy_free(policy);
}

/* What is ours of the octet is that one name: a zone of its own, with a SOA and perhaps a PTR. */
static void the_name_of_an_address_within_an_octet_is_a_zone_of_its_own(void **state)
{
	static const char *servers[] = {"ns1.example.com."};
	struct model *model = *state;

	model_add_pool(model, "low", "198.18.100.64/26");
	model_add_address(model, "a", "198.18.100.70", NULL, "a.example.com.");
	model->reverse.name_servers.items = servers;
	model->reverse.name_servers.count = 1;
	struct policy *policy = model_compile(model, NULL);
	PTR("198.18.100.70", "pool low hit");
	assert_string_equal(decide_reverse(policy, "198.18.100.70", TYPE_ANY), "pool low hit");
	SOA("198.18.100.70", "pool low hit");
	SOA("198.18.100.71", "pool low hit");
	assert_string_equal(decide_reverse(policy, "198.18.100.71", TYPE_NS), "pool low hit");
	PTR("198.18.100.71", "pool low nodata");
	DENIED_BY("70.100.18.198.in-addr.arpa.", "70.100.18.198.in-addr.arpa.");
	DENIED_BY("71.100.18.198.in-addr.arpa.", "71.100.18.198.in-addr.arpa.");
	DENIED_BY("64.100.18.198.in-addr.arpa.", "64.100.18.198.in-addr.arpa.");
	DENIED_BY("x.70.100.18.198.in-addr.arpa.", "70.100.18.198.in-addr.arpa.");
	DECIDES("x.y.70.100.18.198.in-addr.arpa.", TYPE_PTR, "pool low nxdomain");
	DECIDES("x.128.100.18.198.in-addr.arpa.", TYPE_PTR, "default");
	policy_free(policy);
}

static void a_single_address_is_a_zone(void **state)
{
	struct model *model = *state;

	model_add_pool(model, "one", "198.18.100.7/32");
	model_add_pool(model, "six", "2001:500::6/127");
	model_add_pool(model, "eight", "2001:500::8/128");
	model_add_address(model, "a", "198.18.100.7", NULL, "a.example.com.");
	model_add_address(model, "b", "2001:500::7", NULL, "b.example.com.");
	struct policy *policy = model_compile(model, NULL);
	PTR("198.18.100.7", "pool one hit");
	SOA("198.18.100.7", "pool one hit");
	assert_string_equal(decide_reverse(policy, "198.18.100.7", TYPE_A), "pool one nodata");
	PTR("198.18.100.6", "default");
	PTR("198.18.100.8", "default");
	DECIDES("x.7.100.18.198.in-addr.arpa.", TYPE_PTR, "pool one nxdomain");
	DECIDES("100.18.198.in-addr.arpa.", TYPE_SOA, "default");
	DECIDES("7.7-7.100.18.198.in-addr.arpa.", TYPE_PTR, "default");
	PTR("2001:500::5", "default");
	PTR("2001:500::6", "pool six nodata");
	PTR("2001:500::7", "pool six hit");
	SOA("2001:500::7", "pool six hit");
	PTR("2001:500::8", "pool eight nodata");
	PTR("2001:500::9", "default");
	policy_free(policy);
}

static void a_rule_or_zone_wins_over_a_classless_zone(void **state)
{
	struct model *model = *state;
	struct forwarding_ruleset *ruleset;

	model_add_resolver(model, "hub", "hub", NULL);
	model_add_pool(model, "low", "198.18.100.64/26");
	model_add_address(model, "a", "198.18.100.70", NULL, "a.example.com.");
	ruleset = model_add_ruleset(model, "onprem", "hub/out", "hub");
	model_add_rule(model, ruleset, "reverse", "64-127.100.18.198.in-addr.arpa.", "192.0.2.1");
	struct policy *policy = model_compile(model, NULL);
	DECIDES("70.64-127.100.18.198.in-addr.arpa.", TYPE_PTR, "rule reverse");
	PTR("198.18.100.70", "pool low hit");
	policy_free(policy);
}

/* ---- what is made ---- */

static void the_pools_table_has_room_for_their_zones_and_no_more(void **state)
{
	struct model *model = *state;

	model_add_pool(model, "one", "198.18.100.0/24");
	model_add_pool(model, "two", "198.18.102.0/23");
	model_add_pool(model, "four", "198.18.104.7/32");
	struct policy *policy = model_compile(model, NULL);
	assert_int_equal(policy->pools.count, 4);
	assert_int_equal(policy->pools.mask + 1, 8);
	policy_free(policy);
	/* By both of its names, and one for the names of its addresses. */
	model_add_pool(model, "low", "198.18.101.0/26");
	model_add_pool(model, "both", "198.18.105.30/31");
	policy = model_compile(model, NULL);
	assert_int_equal(policy->pools.count, 9);
	assert_int_equal(policy->pool_zone_count, 9);
	policy_free(policy);
}

static struct zone *zone_named(const struct policy *policy, const char *text)
{
	struct name name = test_name(text);
	const struct policy_pool_zone *found = suffix_table_get(&policy->pools, &name, 0);

	assert_non_null(found);
	return found->zone;
}

static void zones_of_pools_are_taken_over_while_their_apex_is_the_same(void **state)
{
	static const char *const names[] = {
		"64-127.100.18.198.in-addr.arpa.",
		"64-26.100.18.198.in-addr.arpa.",
		"64.100.18.198.in-addr.arpa.",
	};
	struct model *model = *state;

	model_add_pool(model, "low", "198.18.100.64/26");
	struct policy *first = model_compile(model, NULL);
	model_add_pool(model, "other", "198.18.100.128/26");
	struct policy *second = model_compile(model, first);
	model->reverse.hostmaster = "admin.example.com.";
	struct policy *third = model_compile(model, second);
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		assert_ptr_equal(zone_named(first, names[i]), zone_named(second, names[i]));
		assert_ptr_not_equal(zone_named(second, names[i]), zone_named(third, names[i]));
	}
	policy_free(first);
	policy_free(second);
	policy_free(third);
}

/* ---- random pools ---- */

enum { POOLS_MAX = 12, PTRS_MAX = 30 };

struct lot { /* what the policy is made of, kept as plain lists that are walked from end to end */
	struct prefix pools[POOLS_MAX];
	struct address ptrs[PTRS_MAX];
	unsigned pool_count, ptr_count;
};

/* Near to each other, so that something comes of them: 198.18.{100..103}, 2001:500::{0..fff}. */
static struct address draw_address(uint64_t *seed)
{
	struct address address;

	if (random_below(seed, 2)) {
		assert_int_equal(address_parse(&address, "198.18.100.0"), 0);
		address.bytes[2] |= (uint8_t)random_below(seed, 4);
		address.bytes[3] = (uint8_t)random_below(seed, 256);
	} else {
		assert_int_equal(address_parse(&address, "2001:500::"), 0);
		address.bytes[14] = (uint8_t)random_below(seed, 16);
		address.bytes[15] = (uint8_t)random_below(seed, 256);
	}
	return address;
}

static struct prefix draw_prefix(uint64_t *seed)
{
	struct address address = draw_address(seed);
	unsigned length = address_bits(&address) - random_below(seed, 12);

	return (struct prefix){address_mask(&address, length), (uint8_t)length};
}

static void draw_lot(struct lot *lot, struct model *model, uint64_t *seed)
{
	char text[PREFIX_TEXT_MAX], name[16];

	lot->pool_count = lot->ptr_count = 0;
	for (unsigned i = 0; i < POOLS_MAX; i++) {
		struct prefix prefix = draw_prefix(seed);
		bool overlaps = false;

		for (unsigned k = 0; k < lot->pool_count; k++)
			overlaps |= prefix_overlaps(&lot->pools[k], &prefix);
		if (overlaps)
			continue;
		snprintf(name, sizeof name, "p%u", lot->pool_count);
		model_add_pool(model, name, prefix_print(&prefix, text));
		lot->pools[lot->pool_count++] = prefix;
	}
	for (unsigned i = 0; i < PTRS_MAX; i++) {
		lot->ptrs[i] = draw_address(seed);
		model_add_address(model, "a", address_print(&lot->ptrs[i], text), NULL,
				  "a.example.com.");
	}
	lot->ptr_count = PTRS_MAX;
}

static int pool_with(const struct lot *lot, const struct prefix *prefix)
{
	for (unsigned i = 0; i < lot->pool_count; i++)
		if (prefix_covers(&lot->pools[i], prefix))
			return (int)i;
	return -1;
}

static bool has_ptr(const struct lot *lot, const struct prefix *prefix)
{
	for (unsigned i = 0; i < lot->ptr_count; i++)
		if (prefix_contains(prefix, &lot->ptrs[i]))
			return true;
	return false;
}

/* A name in front of which nothing stands but labels of the tree. */
static const char *expect_plain(const struct lot *lot, const struct prefix *prefix, bool below)
{
	static char words[64];
	int pool = pool_with(lot, prefix);
	unsigned step = prefix->address.family == 4 ? 8 : 4;
	bool whole = prefix->length == address_bits(&prefix->address);
	const char *outcome;

	if (pool < 0)
		return "default";
	/* The first name after the pool's length is an apex; within an octet that is the
	 * address's. */
	bool apex = prefix->length - lot->pools[pool].length < (int)step;
	if (below)
		outcome = "nxdomain";
	else if (has_ptr(lot, prefix))
		outcome = whole ? "hit" : "nodata";
	else
		outcome = apex ? "nodata" : "nxdomain";
	snprintf(words, sizeof words, "pool p%d %s", pool, outcome);
	return words;
}

static void ask_plain(const struct lot *lot, const struct policy *policy, uint64_t *seed)
{
	struct address address = draw_address(seed);
	unsigned step = address.family == 4 ? 8 : 4;
	unsigned length = address_bits(&address) - random_below(seed, 3) * step;
	struct prefix prefix = {address_mask(&address, length), (uint8_t)length};
	bool below = random_below(seed, 4) == 0;
	char text[NAME_TEXT_MAX], name[NAME_TEXT_MAX];

	snprintf(name, sizeof name, "%s%s", below ? "x." : "", reverse_zone_text(&prefix, text));
	const char *expected = expect_plain(lot, &prefix, below);
	const char *decided = model_decide(policy, "hub", name, TYPE_PTR);
	if (strcmp(decided, expected) != 0)
		fail_msg("%s: %s, not %s", name, decided, expected);
}

/* "N.A-B.the octet", right only where A to B, or A and the length B, is a pool. */
static void ask_classless(const struct lot *lot, const struct policy *policy, uint64_t *seed)
{
	const struct prefix *pool = &lot->pools[random_below(seed, lot->pool_count)];
	bool by_length = random_below(seed, 2);
	struct address address = draw_address(seed);
	char name[NAME_TEXT_MAX], expected[64];
	const uint8_t *bytes = pool->address.bytes;

	if (pool->address.family != 4 || pool->length < 22)
		return;
	unsigned first = bytes[3], size = 1U << (32 - pool->length);
	unsigned octet = address.bytes[address.family == 4 ? 3 : 15];
	unsigned skew = random_below(seed, 4) == 0 ? 1 : 0;
	snprintf(name, sizeof name, "%u.%u-%u.%u.%u.%u.in-addr.arpa.", octet, first,
		 by_length ? pool->length : first + size - 1 + skew, bytes[2], bytes[1], bytes[0]);
	struct address meant = pool->address;
	meant.bytes[3] = (uint8_t)octet;
	struct prefix exact = {meant, 32};
	if (pool->length <= 24)
		return; /* "0-23" is a name in a zone of the tree: another test's */
	bool served = pool->length < 32 && (by_length || !skew);
	snprintf(expected, sizeof expected, "pool p%d %s", (int)(pool - lot->pools),
		 prefix_covers(pool, &exact) && has_ptr(lot, &exact) ? "hit" : "nxdomain");
	const char *decided = model_decide(policy, "hub", name, TYPE_PTR);
	if (strcmp(decided, served ? expected : "default") != 0)
		fail_msg("%s: %s, not %s", name, decided, served ? expected : "default");
}

static void random_pools_answer_as_a_walk_over_them_says(void **state)
{
	uint64_t seed = 2317;
	struct lot lot;

	for (unsigned round = 0; round < 150; round++) {
		teardown(state);
		setup(state);
		draw_lot(&lot, *state, &seed);
		struct policy *policy = model_compile(*state, NULL);
		for (unsigned i = 0; i < 200; i++) {
			ask_plain(&lot, policy, &seed);
			ask_classless(&lot, policy, &seed);
		}
		policy_free(policy);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_pool_answers_from_its_first_address_to_its_last_wherever_it_is_cut),
		TEST(a_pool_shorter_than_an_octet_has_a_zone_for_each_of_them),
		TEST(ipv6_pools_are_cut_at_nibbles),
		TEST(a_pool_of_everything_has_a_zone_for_each_first_octet),
		TEST(names_between_a_pools_apex_and_a_ptr_exist_without_data),
		TEST(names_between_a_special_name_and_a_pool_exist_without_data),
		TEST(private_addresses_leave_no_trace_in_a_pool),
		TEST(a_mapped_addresss_ptr_is_the_ipv4_ones),
		TEST(two_pools_in_one_octet_have_a_gap_between_them),
		TEST(pools_that_touch_in_an_octet_each_have_their_own_addresses),
		TEST(a_classless_zone_has_an_apex_and_the_ptrs_by_their_last_octets),
		TEST(a_pools_zone_may_have_the_name_that_its_parent_delegates),
		TEST(the_name_of_an_address_within_an_octet_is_a_zone_of_its_own),
		TEST(a_single_address_is_a_zone),
		TEST(a_rule_or_zone_wins_over_a_classless_zone),
		TEST(the_pools_table_has_room_for_their_zones_and_no_more),
		TEST(zones_of_pools_are_taken_over_while_their_apex_is_the_same),
		TEST(random_pools_answer_as_a_walk_over_them_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
