#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/schema/reference.h"
#include "rules/text.h"
#include "tests/lib/model_builder.h"

static int setup(void **state)
{
	struct model *model = model_start();

	model_add_network(model, "hub", "10.10.0.0/16");
	model_add_network(model, "spoke", "10.20.0.0/16");
	model_add_resolver(model, "hub", "hub", "127.0.0.1:5300");
	model_add_resolver(model, "spoke", "spoke", "127.0.0.1:5301");
	*state = model;
	return 0;
}

static int teardown(void **state)
{
	model_free(*state);
	return 0;
}

/* "[10.10.0.20>192.0.2.1:53 ...] [enter spoke/in 1]" */
static const char *describe(const struct route *route)
{
	static char words[4096];
	char host[HOST_TEXT_MAX], source[ADDRESS_TEXT_MAX];

	words[0] = '\0';
	for (uint32_t i = 0; i < route->leg_count; i++) {
		const struct leg *leg = &route->legs[i];

		text_append(words, sizeof words, "%s[", i ? " " : "");
		if (leg->kind == LEG_ENTER)
			text_append(words, sizeof words, "enter %s %u", leg->endpoint,
				    leg->network);
		for (uint32_t u = 0; u < leg->upstream_count; u++) {
			const struct upstream *up = &leg->upstreams[u];

			text_append(words, sizeof words, "%s%s>%s%s", u ? " " : "",
				    up->source.family ? address_print(&up->source, source) : "any",
				    host_print(&up->host, host),
				    up->protocol == PROTOCOL_TCP ? "/tcp" : "");
		}
		text_append(words, sizeof words, "]");
	}
	return words;
}

static struct policy *with_rule(struct model *model, const char *endpoints, const char *targets)
{
	struct forwarding_ruleset *ruleset = model_add_ruleset(model, "onprem", endpoints, "hub");

	model_add_rule(model, ruleset, "rule", "corp.", targets);
	return model_compile(model, NULL);
}

static const struct route *rule_route(const struct policy *policy)
{
	return &ruleset_rule(policy->rulesets[0], 0)->route;
}

static void a_usual_route_is_one_leg_from_the_endpoints_source(void **state)
{
	struct policy *policy = with_rule(*state, "hub/out", "192.0.2.1 tcp:192.0.2.2:5353");

	assert_string_equal(describe(rule_route(policy)),
			    "[10.10.0.20>192.0.2.1:53 10.10.0.20>192.0.2.2:5353/tcp]");
	assert_string_equal(rule_route(policy)->legs[0].upstreams[0].endpoint, "hub/out");
	policy_free(policy);
}

static void every_server_is_asked_from_the_first_endpoint_before_the_second_carries_on(void **state)
{
	struct policy *policy = with_rule(*state, "hub/out2 hub/out", "192.0.2.1 192.0.2.2");

	assert_string_equal(describe(rule_route(policy)),
			    "[10.10.0.36>192.0.2.1:53 10.10.0.36>192.0.2.2:53 "
			    "10.10.0.20>192.0.2.1:53 10.10.0.20>192.0.2.2:53]");
	policy_free(policy);
}

static void our_endpoints_are_entered_by_address_and_by_listen(void **state)
{
	struct policy *policy = with_rule(*state, "hub/out", "10.20.0.4 127.0.0.1:5301");

	assert_string_equal(describe(rule_route(policy)), "[enter spoke/in 1] [enter spoke/in 1]");
	policy_free(policy);
}

static void another_port_of_our_address_is_not_us(void **state)
{
	struct policy *policy = with_rule(*state, "hub/out", "10.20.0.4:5353 127.0.0.1:53");

	assert_string_equal(describe(rule_route(policy)),
			    "[10.10.0.20>10.20.0.4:5353 10.10.0.20>127.0.0.1:53]");
	policy_free(policy);
}

static void an_entry_stands_between_the_legs_in_the_order_of_the_targets_and_once(void **state)
{
	struct policy *policy =
		with_rule(*state, "hub/out hub/out2", "192.0.2.1 10.20.0.4 192.0.2.2");

	assert_string_equal(describe(rule_route(policy)),
			    "[10.10.0.20>192.0.2.1:53] [enter spoke/in 1] "
			    "[10.10.0.20>192.0.2.2:53 10.10.0.36>192.0.2.1:53 "
			    "10.10.0.36>192.0.2.2:53]");
	policy_free(policy);
}

static void custom_and_default_servers_are_asked_from_no_endpoint(void **state)
{
	struct model *model = *state;

	model_add_dns_server(model_network(model, NULL, "hub"), model, "192.0.2.7:54");
	model_add_dns_server(model_network(model, NULL, "hub"), model, "10.20.0.4");
	model_add_default(model, "192.0.2.53 10.10.0.4 tcp:192.0.2.54");
	struct policy *policy = model_compile(model, NULL);
	assert_string_equal(describe(policy->networks[0].custom),
			    "[any>192.0.2.7:54] [enter spoke/in 1]");
	assert_string_equal(describe(policy->default_route),
			    "[any>192.0.2.53:53] [enter hub/in 0] [any>192.0.2.54:53/tcp]");
	assert_null(policy->networks[1].custom);
	policy_free(policy);
}

/* ---- ids ---- */

static void ids_are_stable_over_compilations_of_unlike_models(void **state)
{
	struct model *model = *state;
	struct policy *first = with_rule(model, "hub/out", "192.0.2.1 10.20.0.4");
	struct forwarding_ruleset *more = model_add_ruleset(model, "more", "hub/out", "spoke");

	model_add_rule(model, more, "renamed", "other.", "192.0.2.1 10.20.0.4");
	struct policy *second = model_compile(model, NULL);
	const struct route *a = rule_route(first), *b = rule_route(second),
			   *c = &ruleset_rule(second->rulesets[1], 0)->route;
	assert_true(a->id == b->id && a->id == c->id);
	assert_true(a->legs[0].id == c->legs[0].id && a->legs[1].id == c->legs[1].id);
	policy_free(first);
	policy_free(second);
}

static void ids_differ_with_source_server_port_protocol_order_and_entry(void **state)
{
	static const struct {
		const char *endpoints, *targets;
	} routes[] = {
		{"hub/out", "192.0.2.1"},           {"hub/out2", "192.0.2.1"},
		{"hub/out", "192.0.2.2"},           {"hub/out", "192.0.2.1:54"},
		{"hub/out", "tcp:192.0.2.1"},       {"hub/out", "192.0.2.1 192.0.2.2"},
		{"hub/out", "192.0.2.2 192.0.2.1"}, {"hub/out hub/out2", "192.0.2.1"},
		{"hub/out", "10.20.0.4"},           {"hub/out", "10.10.0.4"},
		{"hub/out", "192.0.2.1 10.20.0.4"}, {"hub/out", "2001:db8::1"},
	};
	enum { ROUTES = sizeof routes / sizeof routes[0] };
	struct model *model = *state;
	char name[8];

	for (unsigned i = 0; i < ROUTES; i++) {
		snprintf(name, sizeof name, "r%u", i);
		struct forwarding_ruleset *ruleset =
			model_add_ruleset(model, name, routes[i].endpoints, "");
		model_add_rule(model, ruleset, "rule", "corp.", routes[i].targets);
	}
	struct policy *policy = model_compile(model, NULL);
	for (unsigned i = 0; i < ROUTES; i++)
		for (unsigned k = 0; k < i; k++) {
			const struct route *a = &ruleset_rule(policy->rulesets[i], 0)->route;
			const struct route *b = &ruleset_rule(policy->rulesets[k], 0)->route;

			assert_true(a->id != b->id);
		}
	policy_free(policy);
}

static void ids_are_keyed(void **state)
{
	static const struct hash_key other = {1, 3};
	struct model *model = *state;

	model_add_default(model, "192.0.2.53");
	struct policy *a = model_compile(model, NULL);
	struct policy *b = policy_compile(model, &other, NULL);
	assert_true(a->default_route->id != b->default_route->id);
	policy_free(a);
	policy_free(b);
}

/* Whatever limits_check makes of such a configuration: how hosts sort decides nothing. */
static void of_two_endpoints_that_one_host_means_the_first_is_entered(void **state)
{
	struct model *model = model_start();

	(void)state;
	model_add_network(model, "hub", "10.10.0.0/16");
	model_add_network(model, "spoke", "10.20.0.0/16");
	model_add_resolver(model, "zulu", "hub", "10.20.0.4:53");
	model_add_resolver(model, "alpha", "spoke", "127.0.0.1:5301");
	struct policy *policy =
		with_rule(model, "zulu/out", "10.20.0.4 127.0.0.1:5301 10.20.0.4:5");
	assert_string_equal(describe(rule_route(policy)),
			    "[enter zulu/in 0] [enter alpha/in 1] [10.10.0.20>10.20.0.4:5]");
	policy_free(policy);
	model_free(model);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_usual_route_is_one_leg_from_the_endpoints_source),
		TEST(every_server_is_asked_from_the_first_endpoint_before_the_second_carries_on),
		TEST(our_endpoints_are_entered_by_address_and_by_listen),
		TEST(another_port_of_our_address_is_not_us),
		TEST(an_entry_stands_between_the_legs_in_the_order_of_the_targets_and_once),
		TEST(custom_and_default_servers_are_asked_from_no_endpoint),
		TEST(ids_are_stable_over_compilations_of_unlike_models),
		TEST(ids_differ_with_source_server_port_protocol_order_and_entry),
		TEST(ids_are_keyed),
		TEST(of_two_endpoints_that_one_host_means_the_first_is_entered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
