/* Explanations: who decides each hop, what stands in the trace, where chains and entered endpoints
 * lead, and that loops are cut and named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/text.h"
#include "rules/zone/record.h"
#include "tests/lib/config_text.h"
#include "tests/lib/explained.h"

#define DELEGATION "delegation = \"Microsoft.Network/dnsResolvers\";"
static const char config[] =
	"region = \"r\";\n"
	"default_resolver = { targets = ( { address = \"192.0.2.53\"; protocol = \"tcp\"; } ); };\n"
	"virtual_networks = (\n"
	"  { name = \"hub\"; address_space = [ \"10.10.0.0/16\" ]; subnets = (\n"
	"    { name = \"in\"; prefix = \"10.10.0.0/28\"; " DELEGATION " },\n"
	"    { name = \"out\"; prefix = \"10.10.0.16/28\"; " DELEGATION " } ); },\n"
	"  { name = \"spoke\"; address_space = [ \"10.20.0.0/16\" ]; },\n"
	"  { name = \"custom\"; address_space = [ \"10.30.0.0/16\" ];\n"
	"    dns_servers = [ \"192.0.2.99\", \"10.10.0.4\" ]; } );\n"
	"resolvers = ( { name = \"r\"; virtual_network = \"hub\";\n"
	"  inbound_endpoints = ( { name = \"in\"; subnet = \"in\"; } );\n"
	"  outbound_endpoints = ( { name = \"out\"; subnet = \"out\"; } ); } );\n"
	"private_zones = (\n"
	"  { name = \"corp.test\"; file = \"corp\"; links = (\n"
	"    { name = \"l\"; virtual_network = \"hub\"; } ); },\n"
	"  { name = \"sub.corp.test\"; file = \"sub\"; links = (\n"
	"    { name = \"l\"; virtual_network = \"hub\"; } ); },\n"
	"  { name = \"c.rule.test\"; file = \"empty\"; links = (\n"
	"    { name = \"l\"; virtual_network = \"hub\"; resolution_policy = "
	"\"NxDomainFallthrough\"; } ); },\n"
	"  { name = \"privatelink.x.test\"; file = \"empty\"; links = (\n"
	"    { name = \"l\"; virtual_network = \"hub\"; resolution_policy = \"NxDomainRedirect\"; "
	"} ); "
	"} );\n"
	"rulesets = (\n"
	"  { name = \"hub-rules\"; outbound_endpoints = [ \"r/out\" ];\n"
	"    links = ( { name = \"l\"; virtual_network = \"hub\"; } ); rules = (\n"
	"    { name = \"short\"; domain = \"rule.test.\"; targets = ( { address = \"192.0.2.1\"; "
	"},\n"
	"      { address = \"192.0.2.2\"; port = 5353; } ); },\n"
	"    { name = \"long\"; domain = \"a.rule.test.\"; follow_cname = true;\n"
	"      targets = ( { address = \"192.0.2.3\"; } ); },\n"
	"    { name = \"off\"; domain = \"b.a.rule.test.\"; state = \"Disabled\";\n"
	"      targets = ( { address = \"192.0.2.4\"; } ); },\n"
	"    { name = \"round\"; domain = \"round.test.\"; targets = ( { address = \"10.10.0.4\"; "
	"} );\n"
	"    } ); },\n"
	"  { name = \"spoke-rules\"; outbound_endpoints = [ \"r/out\" ];\n"
	"    links = ( { name = \"l\"; virtual_network = \"spoke\"; } ); rules = (\n"
	"    { name = \"corp\"; domain = \"corp.test.\"; targets = ( { address = \"10.10.0.4\"; } "
	"); },\n"
	"    { name = \"both\"; domain = \"wild.corp.test.\"; targets = (\n"
	"      { address = \"10.10.0.4\"; }, { address = \"192.0.2.7\"; } ); },\n"
	"    { name = \"late\"; domain = \"new.corp.test.\"; targets = (\n"
	"      { address = \"192.0.2.7\"; }, { address = \"10.10.0.4\"; } ); } ); } );\n";
static const char corp[] = "web 300 IN A 10.10.1.10\n"
			   "web 300 IN A 10.10.1.11\n"
			   "www 60 IN CNAME web\n"
			   "out 60 IN CNAME x.rule.test.\n"
			   "a 60 IN CNAME b\n"
			   "b 60 IN CNAME a\n"
			   "*.wild 60 IN A 10.10.1.12\n"
			   "old 60 IN DNAME new\n"
			   "host.new 60 IN A 10.10.1.13\n"
			   "s 60 IN DNAME longer-by-14-by\n";

struct explain_world {
	struct config_text files;
	struct policy *policy;
	json_t *explained;
};

static void write_chains(struct config_text *files)
{
	FILE *out = config_text_open(files, "sub");
	for (int i = 0; i < 17; i++)
		fprintf(out, "c%d 60 IN CNAME c%d\n", i, i + 1);
	fputs("c17 60 IN A 10.10.1.17\n", out);
	fclose(out);
}

static int set_up(void **state)
{
	static const struct hash_key key = {1, 2};
	struct explain_world *world = calloc(1, sizeof *world);
	config_text_init(&world->files);
	config_text_put(&world->files, "corp", corp);
	config_text_put(&world->files, "empty", "known 60 IN A 10.10.1.14\n");
	write_chains(&world->files);
	struct model *model = config_text_load(&world->files, config);
	if (!model)
		faults_print(&world->files.faults, stderr);
	assert_non_null(model);
	world->policy = policy_compile(model, &key, NULL);
	assert_non_null(world->policy);
	model_free(model);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct explain_world *world = *state;
	json_decref(world->explained);
	policy_free(world->policy);
	config_text_release(&world->files);
	free(world);
	return 0;
}

static const json_t *ask(struct explain_world *world, const char *network, bool vnet,
			 const char *text, uint16_t type)
{
	struct place place = {network ? policy_find_network(world->policy, network) : NETWORK_NONE,
			      vnet};
	struct name name;
	assert_int_equal(name_from_text(&name, &world->policy->key, text), 0);
	json_decref(world->explained);
	world->explained = explain(world->policy, place, &name, type);
	assert_non_null(world->explained);
	return world->explained;
}

static void assert_step(const json_t *explained, unsigned step, const char *by, const char *outcome,
			const char *object, const char *suffix)
{
	static const char *const keys[] = {"by", "outcome", "object", "suffix"};
	const char *const values[] = {by, outcome, object, suffix};
	char path[64];
	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "hops.0.trace.%u.%s", step, keys[i]);
		assert_explained(explained, path, values[i]);
	}
}

static void a_zone_s_answer_is_shown_as_records(void **state)
{
	const json_t *e = ask(*state, "hub", false, "WEB.corp.test", TYPE_A);
	assert_explained(e, "name", "web.corp.test.");
	assert_explained(e, "type", "A");
	assert_explained(e, "network", "hub");
	assert_explained(e, "role", "inbound");
	assert_explained(e, "hops.0.kind", "answer");
	assert_explained(e, "hops.0.decided_by", "zone");
	assert_explained(e, "hops.0.object", "corp.test");
	assert_explained(e, "hops.0.outcome", "hit");
	assert_explained(e, "hops.0.records.0", "web.corp.test. 300 IN A 10.10.1.10");
	assert_explained(e, "hops.0.records.1", "web.corp.test. 300 IN A 10.10.1.11");
	assert_explained(e, "hops.0.records.2", "nothing");
	assert_explained(e, "rcode", "NOERROR");
	assert_explained(e, "loop", "null");
}

static void the_trace_tells_longer_shorter_and_shadowed(void **state)
{
	const json_t *e = ask(*state, "hub", false, "c17.sub.corp.test", TYPE_A);
	assert_step(e, 0, "zone", "matched", "sub.corp.test", "sub.corp.test.");
	assert_step(e, 1, "zone", "shorter", "corp.test", "corp.test.");
	e = ask(*state, "hub", false, "x.b.a.rule.test", TYPE_A);
	assert_step(e, 0, "zone", "none", "null", "null");
	assert_step(e, 1, "rule", "disabled", "off", "b.a.rule.test.");
	assert_step(e, 2, "rule", "matched", "long", "a.rule.test.");
	assert_step(e, 3, "rule", "shorter", "short", "rule.test.");
	assert_step(e, 4, "special", "shadowed", "null", "test.");
	assert_step(e, 5, "default", "shadowed", "null", ".");
	e = ask(*state, "hub", false, "x.c.rule.test", TYPE_A);
	assert_step(e, 0, "zone", "passed", "c.rule.test", "c.rule.test.");
	assert_step(e, 1, "rule", "matched", "short", "rule.test.");
	assert_explained(e, "hops.0.decided_by", "rule");
	assert_explained(e, "hops.0.redirected", "false");
}

static void a_rule_s_targets_stand_in_their_order_with_endpoint_and_source(void **state)
{
	const json_t *e = ask(*state, "hub", false, "rule.test", TYPE_AAAA);
	assert_explained(e, "hops.0.kind", "forward");
	assert_explained(e, "hops.0.decided_by", "rule");
	assert_explained(e, "hops.0.ruleset", "hub-rules");
	assert_explained(e, "hops.0.follow_cname", "false");
	assert_explained(e, "hops.0.route.0.host", "192.0.2.1:53");
	assert_explained(e, "hops.0.route.1.host", "192.0.2.2:5353");
	assert_explained(e, "hops.0.route.1.source", "10.10.0.20");
	assert_explained(e, "hops.0.route.1.endpoint", "r/out");
	assert_explained(e, "hops.0.route.1.protocol", "udp");
	assert_explained(e, "rcode", "null");
	e = ask(*state, "hub", false, "a.rule.test", TYPE_A);
	assert_explained(e, "hops.0.follow_cname", "true");
}

static void the_default_resolver_has_no_endpoint(void **state)
{
	const json_t *e = ask(*state, "hub", true, "www.example.com", TYPE_A);
	assert_explained(e, "role", "vnet_resolver");
	assert_explained(e, "hops.0.decided_by", "default");
	assert_explained(e, "hops.0.route.0.host", "192.0.2.53:53");
	assert_explained(e, "hops.0.route.0.protocol", "tcp");
	assert_explained(e, "hops.0.route.0.endpoint", "null");
	assert_explained(e, "hops.0.route.0.source", "null");
}

static void negative_answers_carry_soa_and_ttl(void **state)
{
	const json_t *e = ask(*state, "hub", false, "no.corp.test", TYPE_A);
	assert_explained(e, "hops.0.outcome", "nxdomain");
	assert_explained(e, "rcode", "NXDOMAIN");
	assert_non_null(strstr(json_at(e, "hops.0.authority.0"), "corp.test. 300 IN SOA "));
	assert_explained(e, "hops.0.negative_ttl", "300");
	e = ask(*state, "hub", false, "web.corp.test", TYPE_MX);
	assert_explained(e, "hops.0.outcome", "nodata");
	assert_explained(e, "rcode", "NOERROR");
	assert_explained(e, "hops.0.negative_ttl", "300");
}

static void wildcards_are_said_to_be_one(void **state)
{
	const json_t *e = ask(*state, "hub", false, "x.y.wild.corp.test", TYPE_A);
	assert_explained(e, "hops.0.wildcard", "true");
	assert_explained(e, "hops.0.records.0", "x.y.wild.corp.test. 60 IN A 10.10.1.12");
}

static void a_cname_is_followed_into_the_zone_and_out_of_it(void **state)
{
	const json_t *e = ask(*state, "hub", false, "www.corp.test", TYPE_A);
	assert_explained(e, "hops.0.outcome", "cname");
	assert_explained(e, "hops.0.next", "web.corp.test.");
	assert_explained(e, "hops.1.records.0", "web.corp.test. 300 IN A 10.10.1.10");
	assert_explained(e, "rcode", "NOERROR");
	e = ask(*state, "hub", false, "out.corp.test", TYPE_A);
	assert_explained(e, "hops.1.name", "x.rule.test.");
	assert_explained(e, "hops.1.decided_by", "rule");
	assert_explained(e, "rcode", "null");
	e = ask(*state, "hub", false, "out.corp.test", TYPE_CNAME);
	assert_explained(e, "hops.1", "nothing");
	assert_explained(e, "rcode", "NOERROR");
}

static void a_dname_gives_its_cname_and_leads_on(void **state)
{
	const json_t *e = ask(*state, "hub", false, "host.old.corp.test", TYPE_A);
	assert_explained(e, "hops.0.outcome", "dname");
	assert_explained(e, "hops.0.records.0", "old.corp.test. 60 IN DNAME new.corp.test.");
	assert_explained(e, "hops.0.records.1",
			 "host.old.corp.test. 60 IN CNAME host.new.corp.test.");
	assert_explained(e, "hops.1.records.0", "host.new.corp.test. 60 IN A 10.10.1.13");
}

/* A name of 64 * 3 + 1 + `last` bytes in front of "s.corp.test." (13), whose DNAME's target is 14
 * bytes longer: it just fits where last is 255 - 14 - 13 - 193. */
static const json_t *ask_long(struct explain_world *world, int last)
{
	char text[600] = "", label[64];
	memset(label, 'x', 63);
	label[63] = '\0';
	for (int i = 0; i < 3; i++)
		text_append(text, sizeof text, "%s.", label);
	text_append(text, sizeof text, "%.*s.s.corp.test", last, label);
	return ask(world, "hub", false, text, TYPE_A);
}

static void a_dname_s_target_of_255_bytes_is_followed_and_of_256_is_yxdomain(void **state)
{
	const json_t *e = ask_long(*state, 255 - 14 - 13 - 193);
	assert_explained(e, "hops.0.rcode", "NOERROR");
	assert_explained(e, "hops.1.outcome", "nxdomain");
	e = ask_long(*state, 256 - 14 - 13 - 193);
	assert_explained(e, "hops.0.rcode", "YXDOMAIN");
	assert_explained(e, "hops.0.next", "null");
	assert_explained(e, "rcode", "YXDOMAIN");
}

static void a_chain_that_comes_back_is_cut_and_named(void **state)
{
	const json_t *e = ask(*state, "hub", false, "a.corp.test", TYPE_A);
	assert_explained(e, "hops.1.name", "b.corp.test.");
	assert_explained(e, "hops.2", "nothing");
	assert_non_null(strstr(json_at(e, "loop"), "a.corp.test."));
	assert_explained(e, "rcode", "NOERROR");
}

static void sixteen_hops_are_followed_and_a_seventeenth_is_not(void **state)
{
	const json_t *e = ask(*state, "hub", false, "c1.sub.corp.test", TYPE_A);
	assert_explained(e, "hops.16.records.0", "c17.sub.corp.test. 60 IN A 10.10.1.17");
	assert_explained(e, "loop", "null");
	e = ask(*state, "hub", false, "c0.sub.corp.test", TYPE_A);
	assert_explained(e, "hops.17", "nothing");
	assert_explained(e, "rcode", "SERVFAIL");
	assert_non_null(strstr(json_at(e, "loop"), "more than 16"));
}

static void nxdomain_redirect_is_a_forward_to_the_default_resolver(void **state)
{
	const json_t *e = ask(*state, "hub", false, "new.privatelink.x.test", TYPE_A);
	assert_explained(e, "hops.0.kind", "forward");
	assert_explained(e, "hops.0.decided_by", "zone");
	assert_explained(e, "hops.0.redirected", "true");
	assert_explained(e, "hops.0.route.0.host", "192.0.2.53:53");
	e = ask(*state, "hub", false, "new.privatelink.x.test", TYPE_TXT);
	assert_explained(e, "hops.0.redirected", "false");
	assert_explained(e, "rcode", "NXDOMAIN");
}

/* ---- our own endpoints ---- */

static void our_own_endpoint_is_entered_and_its_answer_is_final(void **state)
{
	const json_t *e = ask(*state, "spoke", true, "web.corp.test", TYPE_A);
	assert_explained(e, "hops.0.route.0.kind", "enter");
	assert_explained(e, "hops.0.route.0.endpoint", "r/in");
	assert_explained(e, "hops.0.route.0.decision.network", "hub");
	assert_explained(e, "hops.0.route.0.decision.hops.0.decided_by", "zone");
	assert_explained(e, "rcode", "NOERROR");
	e = ask(*state, "spoke", true, "no.corp.test", TYPE_A);
	assert_explained(e, "rcode", "NXDOMAIN");
}

/* compose comes to every leg that may have to answer, and to none after an answer. */
static void a_route_is_walked_until_the_answer_is_certain(void **state)
{
	const json_t *e = ask(*state, "spoke", true, "x.wild.corp.test", TYPE_A);
	assert_explained(e, "hops.0.route.0.decision.rcode", "NOERROR");
	assert_explained(e, "hops.0.route.1.host", "192.0.2.7:53");
	assert_explained(e, "rcode", "NOERROR");
	e = ask(*state, "spoke", true, "host.new.corp.test", TYPE_A);
	assert_explained(e, "hops.0.route.0.host", "192.0.2.7:53");
	assert_explained(e, "hops.0.route.1.decision.hops.0.records.0",
			 "host.new.corp.test. 60 IN A 10.10.1.13");
	assert_explained(e, "hops.0.route.1.decision.rcode", "NOERROR");
	assert_explained(e, "hops.0.records", "[]");
	assert_explained(e, "rcode", "null");
}

static void custom_servers_count_only_at_the_vnet_resolver(void **state)
{
	const json_t *e = ask(*state, "custom", true, "web.corp.test", TYPE_A);
	assert_explained(e, "hops.0.decided_by", "custom");
	assert_explained(e, "hops.0.route.0.host", "192.0.2.99:53");
	assert_explained(e, "hops.0.route.1.kind", "enter");
	assert_explained(e, "rcode", "null"); /* the first target may answer */
	e = ask(*state, "custom", false, "www.example.com", TYPE_A);
	assert_explained(e, "hops.0.decided_by", "default");
}

static void a_loop_through_our_own_endpoint_is_named_and_ends_in_servfail(void **state)
{
	const json_t *e = ask(*state, "hub", false, "x.round.test", TYPE_A);
	assert_explained(e, "hops.0.route.0.decision.hops.0.route.0.loop",
			 "forwarding loop: r/in -> r/in");
	assert_explained(e, "hops.0.route.0.decision.hops.0.route.0.decision", "nothing");
	assert_explained(e, "loop", "forwarding loop: r/in -> r/in");
	assert_explained(e, "rcode", "SERVFAIL");
}

/* ---- the rest ---- */

static void a_stranger_is_refused(void **state)
{
	const json_t *e = ask(*state, NULL, true, "web.corp.test", TYPE_A);
	assert_explained(e, "network", "null");
	assert_explained(e, "hops.0.kind", "refuse");
	assert_explained(e, "hops.0.decided_by", "nobody");
	assert_explained(e, "rcode", "REFUSED");
}

static void any_is_answered_and_never_forwarded(void **state)
{
	const json_t *e = ask(*state, "hub", false, "x.rule.test", TYPE_ANY);
	assert_explained(e, "hops.0.kind", "answer");
	assert_explained(e, "hops.0.decided_by", "rule");
	assert_explained(e, "hops.0.records.0", "x.rule.test. 3600 IN HINFO \"RFC8482\" \"\"");
	assert_explained(e, "hops.0.route", "[]");
}

static void special_names_are_answered_here(void **state)
{
	const json_t *e = ask(*state, "hub", false, "x.invalid", TYPE_A);
	assert_explained(e, "hops.0.decided_by", "special");
	assert_explained(e, "rcode", "NXDOMAIN");
}

static void the_printed_form_tells_the_same(void **state)
{
	static const char *const parts[] = {
		"out.corp.test. A\n",
		"network spoke",
		"spoke-rules/corp (corp.test.): matches, and decides",
		"enter our own endpoint r/in",
		"in network hub",
		"out.corp.test. 60 IN CNAME x.rule.test.",
		"leads on to x.rule.test.",
		"1. ask 192.0.2.1:53 by udp through r/out from 10.10.0.20",
		"2. ask 192.0.2.2:5353",
		"ends with what the targets say",
	};
	const json_t *e = ask(*state, "spoke", true, "out.corp.test", TYPE_A);
	free(assert_printed(e, parts, sizeof parts / sizeof *parts));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_zone_s_answer_is_shown_as_records),
		TEST(the_trace_tells_longer_shorter_and_shadowed),
		TEST(a_rule_s_targets_stand_in_their_order_with_endpoint_and_source),
		TEST(the_default_resolver_has_no_endpoint),
		TEST(negative_answers_carry_soa_and_ttl),
		TEST(wildcards_are_said_to_be_one),
		TEST(a_cname_is_followed_into_the_zone_and_out_of_it),
		TEST(a_dname_gives_its_cname_and_leads_on),
		TEST(a_dname_s_target_of_255_bytes_is_followed_and_of_256_is_yxdomain),
		TEST(a_chain_that_comes_back_is_cut_and_named),
		TEST(sixteen_hops_are_followed_and_a_seventeenth_is_not),
		TEST(nxdomain_redirect_is_a_forward_to_the_default_resolver),
		TEST(our_own_endpoint_is_entered_and_its_answer_is_final),
		TEST(a_route_is_walked_until_the_answer_is_certain),
		TEST(custom_servers_count_only_at_the_vnet_resolver),
		TEST(a_loop_through_our_own_endpoint_is_named_and_ends_in_servfail),
		TEST(a_stranger_is_refused),
		TEST(any_is_answered_and_never_forwarded),
		TEST(special_names_are_answered_here),
		TEST(the_printed_form_tells_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
