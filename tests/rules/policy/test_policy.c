/* Who decides, in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/schema/reference.h"
#include "tests/lib/model_builder.h"

static int setup(void **state)
{
	struct model *model = model_start();

	model_add_network(model, "hub", "10.10.0.0/16");
	model_add_network(model, "spoke", "10.20.0.0/16");
	model_add_resolver(model, "hub", "hub", NULL);
	model_add_resolver(model, "spoke", "spoke", NULL);
	*state = model;
	return 0;
}

static int teardown(void **state)
{
	model_free(*state);
	return 0;
}

/* A new policy of the model at every line, so that a test may change the model in between. */
#define DECIDES(network, name, type, words)                                                        \
	do {                                                                                       \
		struct policy *policy = model_compile(*state, NULL);                               \
		char got[200];                                                                     \
		snprintf(got, sizeof got, "%s", model_decide(policy, network, name, type));        \
		policy_free(policy);                                                               \
		assert_string_equal(got, words);                                                   \
	} while (0)

/* ---- 1: custom DNS servers ---- */

static void custom_servers_come_first_and_only_at_the_vnet_resolver(void **state)
{
	struct model *model = *state;

	model_add_zone(model, "corp.internal", "www A 10.10.1.1\n", "hub spoke");
	model_add_dns_server(model_network(model, NULL, "hub"), model, "192.0.2.7");
	DECIDES("vnet:hub", "www.corp.internal.", TYPE_A, "custom hub");
	DECIDES("vnet:hub", "localhost.", TYPE_A, "custom hub");
	DECIDES("hub", "www.corp.internal.", TYPE_A, "zone corp.internal hit");
	DECIDES("vnet:spoke", "www.corp.internal.", TYPE_A, "zone corp.internal hit");
}

/* ---- 2: private zones ---- */

static void the_longest_linked_zone_decides(void **state)
{
	struct model *model = *state;

	model_add_zone(model, "internal", "www.corp A 10.10.1.1\nother A 10.10.1.2\n", "hub");
	model_add_zone(model, "corp.internal", "ftp A 10.10.1.3\n", "hub");
	DECIDES("hub", "ftp.corp.internal.", TYPE_A, "zone corp.internal hit");
	/* The longer zone is authoritative: what the shorter one has there does not count. */
	DECIDES("hub", "www.corp.internal.", TYPE_A, "zone corp.internal nxdomain");
	DECIDES("hub", "corp.internal.", TYPE_A, "zone corp.internal nodata");
	DECIDES("hub", "other.internal.", TYPE_A, "zone internal hit");
	DECIDES("hub", "xcorp.internal.", TYPE_A, "zone internal nxdomain");
}

/* The names in between exist, or whoever remembers NXDOMAIN would not ask for the inner zone. */
static void names_above_a_linked_zone_are_empty_non_terminals(void **state)
{
	struct model *model = *state;

	model_add_default(model, "192.0.2.53");
	model_add_zone(model, "internal", "www A 10.10.1.1\n", "hub spoke");
	model_add_zone(model, "c.b.a.internal", "@ A 10.10.1.2\n", "hub");
	model_add_zone(model, "x.lab.test", "@ A 10.10.1.3\n", "hub");
	DECIDES("hub", "a.internal.", TYPE_A, "zone internal nodata");
	DECIDES("hub", "b.a.internal.", TYPE_PTR, "zone internal nodata");
	DECIDES("hub", "c.b.a.internal.", TYPE_A, "zone c.b.a.internal hit");
	DECIDES("hub", "x.a.internal.", TYPE_A, "zone internal nxdomain");
	DECIDES("hub", "x.b.a.internal.", TYPE_A, "zone internal nxdomain");
	DECIDES("hub", "lab.test.", TYPE_A, "special nodata");
	DECIDES("hub", "y.lab.test.", TYPE_A, "special nxdomain");
	DECIDES("spoke", "a.internal.", TYPE_A, "zone internal nxdomain");
	DECIDES("spoke", "lab.test.", TYPE_A, "special nxdomain");
	model_add_zone(model, "privatelink.example", "", "hub?");
	model_add_zone(model, "in.deep.privatelink.example", "", "hub?");
	DECIDES("hub", "deep.privatelink.example.", TYPE_A, "zone privatelink.example nodata");
	DECIDES("hub", "deep.privatelink.example.", TYPE_TXT, "zone privatelink.example nodata");
	model_add_zone(model, "corp", "", "hub>");
	model_add_zone(model, "in.deep.corp", "", "hub>");
	DECIDES("hub", "deep.corp.", TYPE_A, "default");
}

/* What comes after the rules denies names, and RFC 8020 everything below them. */
static void names_above_a_rule_exist_without_data(void **state)
{
	struct model *model = *state;
	struct forwarding_ruleset *ruleset = model_add_ruleset(model, "onprem", "hub/out", "hub");

	model_add_rule(model, ruleset, "deep", "c.b.a.test.", "192.0.2.1");
	model_add_rule(model, ruleset, "reverse", "7.168.192.in-addr.arpa.", "192.0.2.1");
	model_add_rule(model, ruleset, "reverse-2", "7.7.10.in-addr.arpa.", "192.0.2.1");
	model_add_rule(model, ruleset, "off", "x.off.test.", "192.0.2.1")->state = RULE_DISABLED;
	DECIDES("hub", "c.b.a.test.", TYPE_A, "rule deep");
	DECIDES("hub", "b.a.test.", TYPE_A, "special nodata");
	DECIDES("hub", "a.test.", TYPE_MX, "special nodata");
	DECIDES("hub", "x.a.test.", TYPE_A, "special nxdomain");
	DECIDES("hub", "off.test.", TYPE_A, "special nxdomain");
	DECIDES("hub", "7.10.in-addr.arpa.", TYPE_PTR, "special nodata");
	DECIDES("hub", "8.10.in-addr.arpa.", TYPE_PTR, "special nxdomain");
	DECIDES("spoke", "b.a.test.", TYPE_A, "special nxdomain");
	model_add_pool(model, "pool", "198.18.0.0/16");
	model_add_rule(model, ruleset, "address", "9.9.18.198.in-addr.arpa.", "192.0.2.1");
	DECIDES("hub", "9.18.198.in-addr.arpa.", TYPE_PTR, "pool pool nodata");
	DECIDES("hub", "8.18.198.in-addr.arpa.", TYPE_PTR, "pool pool nxdomain");
	/* A zone hides the rules in it, unless it passes on what it does not have. */
	model_add_zone(model, "a.test", "", "hub");
	DECIDES("hub", "b.a.test.", TYPE_A, "zone a.test nxdomain");
	model_add_zone(model, "10.in-addr.arpa", "", "hub>");
	DECIDES("hub", "7.10.in-addr.arpa.", TYPE_PTR, "special nodata");
}

static void a_zone_counts_only_in_the_networks_it_is_linked_to(void **state)
{
	struct model *model = *state;

	model_add_zone(model, "corp.internal", "www A 10.10.1.1\n", "hub");
	model_add_default(model, "192.0.2.53");
	DECIDES("hub", "www.corp.internal.", TYPE_A, "zone corp.internal hit");
	DECIDES("spoke", "www.corp.internal.", TYPE_A, "default");
}

static void a_zone_beats_even_a_more_specific_rule(void **state)
{
	struct model *model = *state;
	struct forwarding_ruleset *ruleset;

	model_add_zone(model, "corp.internal", "www A 10.10.1.1\n", "hub");
	ruleset = model_add_ruleset(model, "onprem", "hub/out", "hub spoke");
	model_add_rule(model, ruleset, "specific", "deep.corp.internal.", "192.0.2.1");
	DECIDES("hub", "x.deep.corp.internal.", TYPE_A, "zone corp.internal nxdomain");
	DECIDES("spoke", "x.deep.corp.internal.", TYPE_A, "rule specific");
}

static void redirection_is_for_nxdomain_of_addresses_and_cname_only(void **state)
{
	struct model *model = *state;
	static const char zone[] = "acct A 10.10.1.4\n";

	model_add_zone(model, "privatelink.example", zone, "hub? spoke");
	model_add_default(model, "192.0.2.53");
	DECIDES("hub", "x.privatelink.example.", TYPE_A, "zone privatelink.example redirected");
	DECIDES("hub", "x.privatelink.example.", TYPE_AAAA, "zone privatelink.example redirected");
	DECIDES("hub", "x.privatelink.example.", TYPE_CNAME, "zone privatelink.example redirected");
	DECIDES("hub", "x.privatelink.example.", TYPE_TXT, "zone privatelink.example nxdomain");
	DECIDES("hub", "x.privatelink.example.", TYPE_MX, "zone privatelink.example nxdomain");
	DECIDES("hub", "x.privatelink.example.", TYPE_ANY, "zone privatelink.example nxdomain");
	DECIDES("hub", "acct.privatelink.example.", TYPE_AAAA, "zone privatelink.example nodata");
	DECIDES("hub", "acct.privatelink.example.", TYPE_A, "zone privatelink.example hit");
	DECIDES("spoke", "x.privatelink.example.", TYPE_A, "zone privatelink.example nxdomain");
}

static void redirection_goes_to_the_default_resolver_past_rules_and_custom_servers(void **state)
{
	struct model *model = *state;
	struct forwarding_ruleset *ruleset;
	struct name name = test_name("x.privatelink.example.");
	struct verdict verdict;

	model_add_zone(model, "privatelink.example", "", "hub?");
	ruleset = model_add_ruleset(model, "onprem", "hub/out", "hub");
	model_add_rule(model, ruleset, "rule", "privatelink.example.", "192.0.2.1");
	model_add_default(model, "192.0.2.53");
	struct policy *policy = model_compile(model, NULL);
	policy_decide(policy, (struct place){0, false}, &name, TYPE_A, &verdict, NULL);
	assert_int_equal(verdict.kind, VERDICT_FORWARD);
	assert_true(verdict.redirected);
	assert_ptr_equal(verdict.route, policy->default_route);
	assert_null(verdict.rule);
	policy_free(policy);
}

static void what_a_zone_passes_on_is_decided_as_without_it(void **state)
{
	static const char *const names[] = {"x.db.corp.",        "y.x.db.corp.",
					    "a.db.internal.",    "gone.db.internal.",
					    "x.db.deep.rule.",   "x.db.localhost.",
					    "x.db.test.",        "x.db.privatelink.example.",
					    "x.db.example.org.", "x.4.1.10.10.in-addr.arpa."};
	static const uint16_t types[] = {TYPE_A,   TYPE_AAAA, TYPE_CNAME, TYPE_MX,
					 TYPE_SOA, TYPE_NS,   TYPE_DS,    TYPE_ANY};
	static const char alone[] = "@ A 10.10.1.9\n";
	struct model *model = *state;
	struct forwarding_ruleset *ruleset = model_add_ruleset(model, "rs", "hub/out", "hub");
	char before[sizeof names / sizeof *names][sizeof types / sizeof *types][200];

	model_add_rule(model, ruleset, "rule", "rule.", "192.0.2.1");
	model_add_rule(model, ruleset, "deep", "db.deep.rule.", "192.0.2.1");
	model_add_zone(model, "internal", "a.db A 10.10.1.1\n", "hub");
	model_add_zone(model, "privatelink.example", "", "hub?");
	model_add_default(model, "192.0.2.53");
	for (unsigned pass = 0; pass < 2; pass++) {
		struct policy *policy = model_compile(model, NULL);

		for (size_t i = 0; i < sizeof names / sizeof *names; i++)
			for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
				const char *now = model_decide(policy, "hub", names[i], types[t]);

				if (pass == 0)
					snprintf(before[i][t], sizeof before[i][t], "%s", now);
				else
					assert_string_equal(now, before[i][t]);
			}
		policy_free(policy);
		if (pass > 0)
			break;
		model_add_zone(model, "db.corp", alone, "hub>");
		model_add_zone(model, "x.db.corp", alone, "spoke>");
		model_add_zone(model, "db.internal", alone, "hub>");
		model_add_zone(model, "db.deep.rule", alone, "hub>");
		model_add_zone(model, "db.localhost", alone, "hub>");
		model_add_zone(model, "db.test", alone, "hub>");
		model_add_zone(model, "db.privatelink.example", alone, "hub>");
		model_add_zone(model, "db.example.org", alone, "hub>");
		model_add_zone(model, "4.1.10.10.in-addr.arpa", "@ PTR db.corp.\n", "hub>");
	}
	DECIDES("hub", "db.corp.", TYPE_A, "zone db.corp hit");
	DECIDES("hub", "x.db.privatelink.example.", TYPE_A, "zone privatelink.example redirected");
}

static void what_a_zone_has_it_decides_for_every_type(void **state)
{
	struct model *model = *state;

	model_add_zone(model, "corp.internal",
		       "www A 10.10.1.1\na.tree A 10.10.1.2\n*.wild A 10.10.1.3\n"
		       "alias CNAME gone\n",
		       "hub> spoke");
	model_add_default(model, "192.0.2.53");
	DECIDES("hub", "www.corp.internal.", TYPE_A, "zone corp.internal hit");
	DECIDES("hub", "www.corp.internal.", TYPE_MX, "zone corp.internal nodata");
	DECIDES("hub", "corp.internal.", TYPE_A, "zone corp.internal nodata");
	DECIDES("hub", "corp.internal.", TYPE_SOA, "zone corp.internal hit");
	/* An empty non-terminal exists, and so does whatever a wildcard has. */
	DECIDES("hub", "tree.corp.internal.", TYPE_A, "zone corp.internal nodata");
	DECIDES("hub", "x.wild.corp.internal.", TYPE_A, "zone corp.internal hit");
	DECIDES("hub", "y.x.wild.corp.internal.", TYPE_MX, "zone corp.internal nodata");
	/* The zone has the alias, but not what that leads to. */
	DECIDES("hub", "alias.corp.internal.", TYPE_A, "zone corp.internal cname");
	DECIDES("hub", "gone.corp.internal.", TYPE_A, "default");
	DECIDES("hub", "x.www.corp.internal.", TYPE_A, "default");
	/* It is the link that passes on, not the zone. */
	DECIDES("spoke", "gone.corp.internal.", TYPE_A, "zone corp.internal nxdomain");
}

/* ---- 3: rules ---- */

static void rules_match_the_longest_suffix_on_label_boundaries(void **state)
{
	struct model *model = *state;
	struct forwarding_ruleset *ruleset = model_add_ruleset(model, "onprem", "hub/out", "hub");

	model_add_rule(model, ruleset, "short", "corp.", "192.0.2.1");
	model_add_rule(model, ruleset, "long", "contoso.corp.", "192.0.2.1");
	model_add_default(model, "192.0.2.53");
	DECIDES("hub", "a.b.contoso.corp.", TYPE_A, "rule long");
	DECIDES("hub", "contoso.corp.", TYPE_A, "rule long");
	DECIDES("hub", "CONTOSO.Corp.", TYPE_A, "rule long");
	DECIDES("hub", "xcontoso.corp.", TYPE_A, "rule short");
	DECIDES("hub", "xcorp.", TYPE_A, "default");
	DECIDES("spoke", "contoso.corp.", TYPE_A, "default");
}

static void the_root_rule_is_the_catch_all(void **state)
{
	struct model *model = *state;
	struct forwarding_ruleset *ruleset = model_add_ruleset(model, "onprem", "hub/out", "hub");

	model_add_rule(model, ruleset, "all", ".", "192.0.2.1");
	model_add_rule(model, ruleset, "corp", "corp.", "192.0.2.1");
	model_add_default(model, "192.0.2.53");
	DECIDES("hub", "www.example.", TYPE_A, "rule all");
	DECIDES("hub", ".", TYPE_NS, "rule all");
	DECIDES("hub", "www.corp.", TYPE_A, "rule corp");
	DECIDES("spoke", "www.example.", TYPE_A, "default");
}

static void ds_is_decided_like_every_type(void **state)
{
	struct model *model = *state;
	struct forwarding_ruleset *ruleset = model_add_ruleset(model, "onprem", "hub/out", "hub");

	model_add_rule(model, ruleset, "corp", "corp.", "192.0.2.1");
	model_add_zone(model, "zone.internal", "", "hub");
	DECIDES("hub", "corp.", TYPE_DS, "rule corp");
	DECIDES("hub", "zone.internal.", TYPE_DS, "zone zone.internal nodata");
}

static void over_several_rulesets_the_longest_suffix_decides_and_the_earlier_wins_a_tie(
	void **state)
{
	struct model *model = *state;
	struct forwarding_ruleset *ruleset = model_add_ruleset(model, "one", "hub/out", "hub");

	model_add_rule(model, ruleset, "one-corp", "corp.", "192.0.2.1");
	model_add_rule(model, ruleset, "one-tie", "tie.corp.", "192.0.2.1");
	model_add_rule(model, ruleset, "one-off", "off.corp.", "192.0.2.1")->state = RULE_DISABLED;
	ruleset = model_add_ruleset(model, "two", "hub/out", "hub");
	model_add_rule(model, ruleset, "two-tie", "tie.corp.", "192.0.2.2");
	model_add_rule(model, ruleset, "two-deep", "deep.corp.", "192.0.2.2");
	model_add_rule(model, ruleset, "two-off", "off.corp.", "192.0.2.2");
	DECIDES("hub", "x.tie.corp.", TYPE_A, "rule one-tie");
	DECIDES("hub", "x.deep.corp.", TYPE_A, "rule two-deep");
	DECIDES("hub", "x.corp.", TYPE_A, "rule one-corp");
	DECIDES("hub", "x.off.corp.", TYPE_A, "rule two-off");
}

/* ---- 4: the default resolver ---- */

static void what_nobody_decides_is_the_default_resolvers(void **state)
{
	struct model *model = *state;

	DECIDES("hub", "www.example.", TYPE_A, "refused"); /* there is none */
	model_add_default(model, "192.0.2.53");
	DECIDES("hub", "www.example.", TYPE_A, "default");
	DECIDES("vnet:spoke", "www.example.", TYPE_A, "default");
	DECIDES("vnet:elsewhere", "www.example.", TYPE_A, "refused");
}

static void zones_and_rules_win_over_special_names(void **state)
{
	struct model *model = *state;
	struct forwarding_ruleset *ruleset;

	model_add_default(model, "192.0.2.53");
	DECIDES("hub", "www.home.arpa.", TYPE_A, "special nxdomain");
	DECIDES("hub", "_dns.resolver.arpa.", TYPE_A, "special nodata"); /* RFC 9462 */
	DECIDES("hub", "x.test.", TYPE_A, "special nxdomain");
	model_add_zone(model, "home.arpa", "www A 10.10.1.1\n", "hub");
	ruleset = model_add_ruleset(model, "onprem", "hub/out", "hub");
	model_add_rule(model, ruleset, "test", "x.test.", "192.0.2.1");
	DECIDES("hub", "www.home.arpa.", TYPE_A, "zone home.arpa hit");
	DECIDES("hub", "x.test.", TYPE_A, "rule test");
	DECIDES("hub", "y.test.", TYPE_A, "special nxdomain");
	DECIDES("spoke", "www.home.arpa.", TYPE_A, "special nxdomain");
}

static void special_names_are_just_those_and_all_below_them(void **state)
{
	static const char *const names[] = {
		"invalid.",
		"onion.",
		"alt.",
		"test.",
		"local.",
		"home.arpa.",
		"resolver.arpa.",
		"10.in-addr.arpa.",
		"168.192.in-addr.arpa.",
		"0.in-addr.arpa.",
		"127.in-addr.arpa.",
		"254.169.in-addr.arpa.",
		"2.0.192.in-addr.arpa.",
		"100.51.198.in-addr.arpa.",
		"113.0.203.in-addr.arpa.",
		"255.255.255.255.in-addr.arpa.",
		"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.",
		"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.",
		"d.f.ip6.arpa.",
		"8.e.f.ip6.arpa.",
		"9.e.f.ip6.arpa.",
		"a.e.f.ip6.arpa.",
		"b.e.f.ip6.arpa.",
		"8.b.d.0.1.0.0.2.ip6.arpa."};
	static const char *const others[] = {"example.",
					     "www.example.com.",
					     "arpa.",
					     "in-addr.arpa.",
					     "ip6.arpa.",
					     "xlocalhost.",
					     "localhost.example.",
					     "internal.",
					     "corp.",
					     "lan.",
					     "1.10.in-addr.arpa.x.",
					     "11.in-addr.arpa.",
					     "15.172.in-addr.arpa.",
					     "32.172.in-addr.arpa.",
					     "172.in-addr.arpa.",
					     "167.192.in-addr.arpa.",
					     "254.255.255.255.in-addr.arpa.",
					     "255.255.255.in-addr.arpa.",
					     "64.100.in-addr.arpa.",
					     "c.f.ip6.arpa.",
					     "f.ip6.arpa.",
					     "c.e.f.ip6.arpa.",
					     "7.e.f.ip6.arpa.",
					     "0.b.d.0.1.0.0.2.ip6.arpa.",
					     "invalid.x."};
	char text[120];

	model_add_default(*state, "192.0.2.53");
	struct policy *policy = model_compile(*state, NULL);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		assert_string_equal(model_decide(policy, "hub", names[i], TYPE_A),
				    "special nodata");
		assert_string_equal(model_decide(policy, "hub", names[i], TYPE_SOA), "special hit");
		snprintf(text, sizeof text, "a.b.%s", names[i]);
		assert_string_equal(model_decide(policy, "hub", text, TYPE_PTR),
				    strcmp(names[i], "resolver.arpa.") == 0 ? "special nodata"
									    : "special nxdomain");
	}
	for (unsigned i = 16; i < 32; i++) {
		snprintf(text, sizeof text, "1.%u.172.in-addr.arpa.", i);
		assert_string_equal(model_decide(policy, "hub", text, TYPE_PTR),
				    "special nxdomain");
	}
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_string_equal(model_decide(policy, "hub", others[i], TYPE_A), "default");
	policy_free(policy);
}

static void localhost_and_all_below_it_have_the_loopback_addresses(void **state)
{
	struct policy *policy = model_compile(*state, NULL);

	assert_string_equal(model_decide(policy, "hub", "localhost.", TYPE_A), "special hit");
	assert_string_equal(model_decide(policy, "hub", "a.LocalHost.", TYPE_AAAA), "special hit");
	assert_string_equal(model_decide(policy, "hub", "localhost.", TYPE_MX), "special nodata");
	policy_free(policy);
}

static void special_names_can_be_forwarded(void **state)
{
	struct model *model = *state;

	model_add_default(model, "192.0.2.53");
	model->default_resolver.special_names = SPECIAL_FORWARD;
	DECIDES("hub", "localhost.", TYPE_A, "default");
	DECIDES("hub", "1.0.0.10.in-addr.arpa.", TYPE_PTR, "default");
	model->default_resolver.special_names = SPECIAL_ANSWER;
	DECIDES("hub", "localhost.", TYPE_A, "special hit");
}

/* ---- the trace ---- */

static bool traced(const struct trace *trace, enum decided_by by, enum trace_outcome outcome,
		   const char *object)
{
	for (unsigned i = 0; i < trace->count; i++) {
		const struct trace_step *step = &trace->steps[i];

		if (step->by == by && step->outcome == outcome &&
		    (object ? step->object && strcmp(step->object, object) == 0 : !step->object))
			return true;
	}
	return false;
}

static struct trace trace_of(const struct policy *policy, const char *text, struct verdict *verdict)
{
	struct name name = test_name(text);
	struct trace trace;

	policy_decide(policy, (struct place){0, false}, &name, TYPE_A, verdict, &trace);
	return trace;
}

static void the_trace_tells_what_was_shadowed_shorter_disabled_and_reserved(void **state)
{
	struct model *model = *state;
	struct forwarding_ruleset *ruleset = model_add_ruleset(model, "onprem", "hub/out", "hub");
	struct verdict verdict;

	model_add_rule(model, ruleset, "root", ".", "192.0.2.1");
	model_add_rule(model, ruleset, "corp", "corp.", "192.0.2.1");
	model_add_rule(model, ruleset, "off", "a.b.corp.", "192.0.2.1")->state = RULE_DISABLED;
	model_add_reserved(model, "held.");
	model_add_zone(model, "corp", "", "spoke");
	model_add_zone(model, "internal", "", "hub");
	model_add_zone(model, "sub.internal", "", "hub");
	model_add_default(model, "192.0.2.53");
	struct policy *policy = model_compile(model, NULL);

	struct trace trace = trace_of(policy, "x.a.b.corp.", &verdict);
	assert_int_equal(verdict.by, DECIDED_RULE);
	assert_string_equal(verdict.object, "corp");
	assert_true(traced(&trace, DECIDED_ZONE, TRACE_NONE, NULL));
	assert_true(traced(&trace, DECIDED_RULE, TRACE_DISABLED, "off"));
	assert_true(traced(&trace, DECIDED_RULE, TRACE_MATCHED, "corp"));
	assert_true(traced(&trace, DECIDED_RULE, TRACE_SHORTER, "root"));
	assert_true(traced(&trace, DECIDED_DEFAULT, TRACE_SHADOWED, NULL));

	trace = trace_of(policy, "x.sub.internal.", &verdict);
	assert_int_equal(verdict.by, DECIDED_ZONE);
	assert_true(traced(&trace, DECIDED_ZONE, TRACE_MATCHED, "sub.internal"));
	assert_true(traced(&trace, DECIDED_ZONE, TRACE_SHORTER, "internal"));
	assert_true(traced(&trace, DECIDED_RULE, TRACE_SHADOWED, "root"));

	trace = trace_of(policy, "x.held.", &verdict);
	assert_int_equal(verdict.by, DECIDED_DEFAULT);
	assert_true(traced(&trace, DECIDED_RULE, TRACE_RESERVED, "held."));
	assert_true(traced(&trace, DECIDED_RULE, TRACE_SHORTER, "root"));
	assert_true(traced(&trace, DECIDED_DEFAULT, TRACE_MATCHED, NULL));
	policy_free(policy);
}

static void the_trace_tells_which_zones_passed_the_name_on(void **state)
{
	struct model *model = *state;
	struct verdict verdict;

	model_add_zone(model, "internal", "x.a.b A 10.10.1.1\n", "hub");
	model_add_zone(model, "b.internal", "", "hub>");
	model_add_zone(model, "a.b.internal", "", "hub>");
	model_add_zone(model, "corp", "", "hub>");
	model_add_default(model, "192.0.2.53");
	struct policy *policy = model_compile(model, NULL);

	struct trace trace = trace_of(policy, "x.a.b.internal.", &verdict);
	assert_string_equal(verdict.object, "internal");
	assert_true(traced(&trace, DECIDED_ZONE, TRACE_PASSED, "a.b.internal"));
	assert_true(traced(&trace, DECIDED_ZONE, TRACE_PASSED, "b.internal"));
	assert_true(traced(&trace, DECIDED_ZONE, TRACE_MATCHED, "internal"));
	trace = trace_of(policy, "b.internal.", &verdict);
	assert_string_equal(verdict.object, "b.internal");
	assert_true(traced(&trace, DECIDED_ZONE, TRACE_SHORTER, "internal"));
	trace = trace_of(policy, "x.corp.", &verdict);
	assert_int_equal(verdict.by, DECIDED_DEFAULT);
	assert_true(traced(&trace, DECIDED_ZONE, TRACE_PASSED, "corp"));
	assert_false(traced(&trace, DECIDED_ZONE, TRACE_NONE, NULL));
	policy_free(policy);
}

static void the_trace_tells_that_an_earlier_ruleset_won_a_tie(void **state)
{
	struct model *model = *state;
	struct forwarding_ruleset *ruleset = model_add_ruleset(model, "one", "hub/out", "hub");
	struct verdict verdict;

	model_add_rule(model, ruleset, "one-tie", "tie.corp.", "192.0.2.1");
	model_add_rule(model, ruleset, "one-off", "off.corp.", "192.0.2.1")->state = RULE_DISABLED;
	ruleset = model_add_ruleset(model, "two", "hub/out", "hub");
	model_add_rule(model, ruleset, "two-tie", "tie.corp.", "192.0.2.2");
	model_add_rule(model, ruleset, "two-off", "off.corp.", "192.0.2.2");
	model_add_rule(model, ruleset, "two-corp", "corp.", "192.0.2.2");
	struct policy *policy = model_compile(model, NULL);

	struct trace trace = trace_of(policy, "x.tie.corp.", &verdict);
	assert_true(traced(&trace, DECIDED_RULE, TRACE_MATCHED, "one-tie"));
	assert_true(traced(&trace, DECIDED_RULE, TRACE_LATER, "two-tie"));
	assert_true(traced(&trace, DECIDED_RULE, TRACE_SHORTER, "two-corp"));
	trace = trace_of(policy, "x.off.corp.", &verdict);
	assert_true(traced(&trace, DECIDED_RULE, TRACE_DISABLED, "one-off"));
	assert_true(traced(&trace, DECIDED_RULE, TRACE_MATCHED, "two-off"));
	policy_free(policy);
}

static void a_trace_that_is_full_counts_what_it_leaves_out(void **state)
{
	struct model *model = *state;
	char domain[600] = "", longest[600];
	struct verdict verdict;

	for (unsigned i = 0; i < 2; i++) {
		struct forwarding_ruleset *ruleset =
			model_add_ruleset(model, i ? "two" : "one", "hub/out", "hub");

		domain[0] = '\0';
		for (unsigned depth = 1; depth <= 100; depth++) {
			memmove(domain + 2, domain, strlen(domain) + 1);
			memcpy(domain, "x.", 2);
			model_add_rule(model, ruleset, "rule", domain, "192.0.2.1");
		}
		memcpy(longest, domain, sizeof longest);
	}
	struct policy *policy = model_compile(model, NULL);
	struct trace trace = trace_of(policy, longest, &verdict);
	assert_int_equal(trace.count, TRACE_STEPS);
	assert_int_equal(trace.count + trace.dropped, 1 + 200); /* no zone; every rule */
	assert_int_equal(verdict.by, DECIDED_RULE);
	policy_free(policy);
}

/* With a trace the decision is the same: the walk goes on, the verdict does not. */
static void a_trace_changes_nothing(void **state)
{
	static const char *const names[] = {
		"www.corp.internal.", "gone.corp.internal.", "x.rule.",
		"localhost.",         "www.example.",        "10.in-addr.arpa.",
		"www.passed.",        "gone.passed.",        "gone.passed.internal."};
	struct model *model = *state;
	struct forwarding_ruleset *ruleset = model_add_ruleset(model, "onprem", "hub/out", "hub");

	model_add_rule(model, ruleset, "rule", "rule.", "192.0.2.1");
	model_add_zone(model, "corp.internal", "www A 10.10.1.1\n", "hub");
	model_add_zone(model, "internal", "", "hub");
	model_add_zone(model, "passed.internal", "", "hub>");
	model_add_zone(model, "passed", "www A 10.10.1.1\n", "hub>");
	model_add_default(model, "192.0.2.53");
	struct policy *policy = model_compile(model, NULL);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct name name = test_name(names[i]);
		struct verdict plain, with_trace;

		policy_decide(policy, (struct place){0, false}, &name, TYPE_A, &plain, NULL);
		trace_of(policy, names[i], &with_trace);
		assert_int_equal(plain.kind, with_trace.kind);
		assert_int_equal(plain.by, with_trace.by);
		assert_ptr_equal(plain.object, with_trace.object);
		assert_ptr_equal(plain.route, with_trace.route);
		assert_ptr_equal(plain.answer.rrset, with_trace.answer.rrset);
	}
	policy_free(policy);
}

static void outside_all_networks_only_our_own_names_and_the_default_resolver_count(void **state)
{
	static const struct {
		const char *name;
		enum decided_by by;
	} rows[] = {
		{"www.corp.internal.", DECIDED_DEFAULT},
		{"x.rule.", DECIDED_DEFAULT},
		{"10.1.10.10.in-addr.arpa.", DECIDED_SPECIAL},
		{"10.100.51.198.in-addr.arpa.", DECIDED_POOL},
		{"localhost.", DECIDED_SPECIAL},
	};
	const struct place outside = {NETWORK_DEFAULT, false};
	struct model *model = *state;
	struct forwarding_ruleset *ruleset = model_add_ruleset(model, "onprem", "hub/out", "hub");
	struct trace trace;

	model_add_rule(model, ruleset, "rule", "rule.", "192.0.2.1");
	model_add_zone(model, "corp.internal", "www A 10.10.1.1\n", "hub");
	model_add_address(model, "vm", "10.10.1.10", NULL, "www.example.");
	model_add_pool(model, "public", "198.51.100.0/24");
	model_add_default(model, "192.0.2.53");
	struct policy *policy = model_compile(model, NULL);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct name name = test_name(rows[i].name);
		struct verdict verdict;

		policy_decide(policy, outside, &name, TYPE_PTR, &verdict, NULL);
		assert_int_equal(verdict.by, rows[i].by);
		policy_decide(policy, outside, &name, TYPE_PTR, &verdict, &trace);
		assert_int_equal(verdict.by, rows[i].by);
		/* What the world says of our names is not what we say. */
		policy_decide(policy, (struct place){NETWORK_OUTSIDE, false}, &name, TYPE_PTR,
			      &verdict, NULL);
		assert_int_equal(verdict.by, DECIDED_DEFAULT);
		assert_int_equal(verdict.kind, VERDICT_FORWARD);
	}
	policy_free(policy);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(custom_servers_come_first_and_only_at_the_vnet_resolver),
		TEST(the_longest_linked_zone_decides),
		TEST(names_above_a_linked_zone_are_empty_non_terminals),
		TEST(names_above_a_rule_exist_without_data),
		TEST(a_zone_counts_only_in_the_networks_it_is_linked_to),
		TEST(a_zone_beats_even_a_more_specific_rule),
		TEST(redirection_is_for_nxdomain_of_addresses_and_cname_only),
		TEST(redirection_goes_to_the_default_resolver_past_rules_and_custom_servers),
		TEST(what_a_zone_passes_on_is_decided_as_without_it),
		TEST(what_a_zone_has_it_decides_for_every_type),
		TEST(rules_match_the_longest_suffix_on_label_boundaries),
		TEST(the_root_rule_is_the_catch_all),
		TEST(ds_is_decided_like_every_type),
		TEST(over_several_rulesets_the_longest_suffix_decides_and_the_earlier_wins_a_tie),
		TEST(what_nobody_decides_is_the_default_resolvers),
		TEST(zones_and_rules_win_over_special_names),
		TEST(special_names_are_just_those_and_all_below_them),
		TEST(localhost_and_all_below_it_have_the_loopback_addresses),
		TEST(special_names_can_be_forwarded),
		TEST(the_trace_tells_what_was_shadowed_shorter_disabled_and_reserved),
		TEST(the_trace_tells_which_zones_passed_the_name_on),
		TEST(the_trace_tells_that_an_earlier_ruleset_won_a_tie),
		TEST(a_trace_that_is_full_counts_what_it_leaves_out),
		TEST(a_trace_changes_nothing),
		TEST(outside_all_networks_only_our_own_names_and_the_default_resolver_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
