/* The limits table: every row at Azure's number, one over it, and one over it with the limit
 * raised. A row's configuration is written by a function that takes the number. */
#include "rules/check/limits.h"
#include "rules/policy/policy.h"
#include "rules/schema/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/config_text.h"

/* Networks n0, n1, ... of a /20 each, with `subnets` delegated /28 subnets s0, s1, ... */
static void put_networks(FILE *out, unsigned count, unsigned subnets)
{
	fputs("virtual_networks = (", out);
	for (unsigned i = 0; i < count; i++) {
		fprintf(out,
			"%s\n{ name = \"n%u\"; address_space = [\"%u.%u.%u.0/20\"]; subnets = (",
			i ? "," : "", i, 10 + i / 4096, i / 16 % 256, i % 16 * 16);
		for (unsigned k = 0; k < subnets; k++)
			fprintf(out,
				"%s{ name = \"s%u\"; prefix = \"%u.%u.%u.%u/28\"; delegation = "
				"\"Microsoft.Network/dnsResolvers\"; }",
				k ? "," : "", k, 10 + i / 4096, i / 16 % 256, i % 16 * 16 + k / 16,
				k % 16 * 16);
		fputs("); }", out);
	}
	fputs(");\n", out);
}

/* One resolver in n0, its endpoints in the subnets from s0 on. */
static void put_resolver(FILE *out, unsigned inbounds, unsigned outbounds)
{
	fputs("resolvers = ({ name = \"r\"; virtual_network = \"n0\";\ninbound_endpoints = (", out);
	for (unsigned i = 0; i < inbounds; i++)
		fprintf(out, "%s{ name = \"i%u\"; subnet = \"s%u\"; }", i ? "," : "", i, i);
	fputs("); outbound_endpoints = (", out);
	for (unsigned i = 0; i < outbounds; i++)
		fprintf(out, "%s{ name = \"o%u\"; subnet = \"s%u\"; source = \"127.0.0.1\"; }",
			i ? "," : "", i, inbounds + i);
	fputs("); });\n", out);
}

static void put_links(FILE *out, unsigned count, const char *rest)
{
	fputs("links = (", out);
	for (unsigned i = 0; i < count; i++)
		fprintf(out, "%s\n{ name = \"l%u\"; virtual_network = \"n%u\"; %s}", i ? "," : "",
			i, i, rest);
	fputs("); ", out);
}

static void put_zone_file(const struct config_text *config, unsigned owners, unsigned each)
{
	FILE *zone = config_text_open(config, "zone");

	fputs("@ SOA ns host 1 7200 3600 1209600 300\n", zone);
	for (unsigned i = 0; i < owners; i++)
		for (unsigned k = 0; k < each; k++)
			fprintf(zone, "h%u A 10.0.0.%u\n", i, k + 1);
	fclose(zone);
}

static void resolvers_per_subscription(FILE *out, unsigned n)
{
	put_networks(out, n, 0);
	fputs("resolvers = (", out);
	for (unsigned i = 0; i < n; i++)
		fprintf(out, "%s{ name = \"r%u\"; virtual_network = \"n%u\"; }", i ? ",\n" : "", i,
			i);
	fputs(");\n", out);
}

static void resolvers_per_virtual_network(FILE *out, unsigned n)
{
	put_networks(out, 1, 0);
	fputs("resolvers = (", out);
	for (unsigned i = 0; i < n; i++)
		fprintf(out, "%s{ name = \"r%u\"; virtual_network = \"n0\"; }", i ? ",\n" : "", i);
	fputs(");\n", out);
}

static void inbound_endpoints_per_resolver(FILE *out, unsigned n)
{
	put_networks(out, 1, n);
	put_resolver(out, n, 0);
}

static void outbound_endpoints_per_resolver(FILE *out, unsigned n)
{
	put_networks(out, 1, n);
	put_resolver(out, 0, n);
}

static void subnets_per_virtual_network(FILE *out, unsigned n)
{
	fputs("virtual_networks = ({ name = \"n\"; address_space = [\"10.0.0.0/8\"]; subnets = (",
	      out);
	for (unsigned i = 0; i < n; i++)
		fprintf(out, "%s{ name = \"s%u\"; prefix = \"10.%u.%u.%u/29\"; }", i ? ",\n" : "",
			i, i / 8192, i / 32 % 256, i % 32 * 8);
	fputs("); });\n", out);
}

static void peerings_per_virtual_network(FILE *out, unsigned n)
{
	fputs("virtual_networks = ({ name = \"n\"; address_space = [\"10.0.0.0/8\"]; peerings = (",
	      out);
	for (unsigned i = 0; i < n; i++)
		fprintf(out, "%s{ name = \"p%u\"; }", i ? ",\n" : "", i);
	fputs("); });\n", out);
}

static void rules_per_ruleset(FILE *out, unsigned n)
{
	put_networks(out, 1, 1);
	put_resolver(out, 0, 1);
	fputs("rulesets = ({ name = \"rs\"; outbound_endpoints = [\"r/o0\"]; rules = (", out);
	for (unsigned i = 0; i < n; i++)
		fprintf(out,
			"%s{ name = \"r%u\"; domain = \"d%u.test.\"; targets = ({ address = "
			"\"127.0.0.2\"; }); }",
			i ? ",\n" : "", i, i);
	fputs("); });\n", out);
}

static void links_per_ruleset(FILE *out, unsigned n)
{
	put_networks(out, n, 1);
	put_resolver(out, 0, 1);
	fputs("rulesets = ({ name = \"rs\"; outbound_endpoints = [\"r/o0\"]; ", out);
	put_links(out, n, "");
	fputs("});\n", out);
}

static void put_rulesets(FILE *out, unsigned n, unsigned links)
{
	fputs("rulesets = (", out);
	for (unsigned i = 0; i < n; i++) {
		fprintf(out, "%s{ name = \"rs%u\"; outbound_endpoints = [\"r/o0\"]; ",
			i ? ",\n" : "", i);
		put_links(out, links, "");
		fputs("}", out);
	}
	fputs(");\n", out);
}

static void rulesets_per_virtual_network(FILE *out, unsigned n)
{
	put_networks(out, 1, 1);
	put_resolver(out, 0, 1);
	put_rulesets(out, n, 1);
}

static void outbound_endpoints_per_ruleset(FILE *out, unsigned n)
{
	put_networks(out, 1, n);
	put_resolver(out, 0, n);
	fputs("rulesets = ({ name = \"rs\"; outbound_endpoints = [", out);
	for (unsigned i = 0; i < n; i++)
		fprintf(out, "%s\"r/o%u\"", i ? ", " : "", i);
	fputs("]; });\n", out);
}

static void rulesets_per_outbound_endpoint(FILE *out, unsigned n)
{
	put_networks(out, 1, 1);
	put_resolver(out, 0, 1);
	put_rulesets(out, n, 0);
}

static void targets_per_rule(FILE *out, unsigned n)
{
	put_networks(out, 1, 1);
	put_resolver(out, 0, 1);
	fputs("rulesets = ({ name = \"rs\"; outbound_endpoints = [\"r/o0\"]; rules = ({ name = "
	      "\"a\"; domain = \"test.\"; targets = (",
	      out);
	for (unsigned i = 0; i < n; i++)
		fprintf(out, "%s{ address = \"127.0.0.%u\"; }", i ? ", " : "", i + 2);
	fputs("); }); });\n", out);
}

static void put_zones(FILE *out, unsigned n, unsigned links, const char *rest)
{
	fputs("private_zones = (", out);
	for (unsigned i = 0; i < n; i++) {
		fprintf(out, "%s{ name = \"z%u.test\"; file = \"zone\"; ", i ? ",\n" : "", i);
		put_links(out, links, rest);
		fputs("}", out);
	}
	fputs(");\n", out);
}

static void private_zones_per_subscription(FILE *out, unsigned n)
{
	put_zones(out, n, 0, "");
}

static void one_zone(FILE *out, unsigned n)
{
	(void)n;
	put_zones(out, 1, 0, "");
}

static void links_per_zone(FILE *out, unsigned n)
{
	put_networks(out, n, 0);
	put_zones(out, 1, n, "");
}

static void registration_links_per_zone(FILE *out, unsigned n)
{
	put_networks(out, n, 0);
	put_zones(out, 1, n, "registration = true; ");
}

static void zones_per_virtual_network(FILE *out, unsigned n)
{
	put_networks(out, 1, 0);
	put_zones(out, n, 1, "");
}

static void registration_zones_per_virtual_network(FILE *out, unsigned n)
{
	put_networks(out, 1, 0);
	put_zones(out, n, 1, "registration = true; ");
}

struct row {
	const char *key;
	unsigned azure; /* stated once more, so that the table cannot drift */
	void (*write)(FILE *out, unsigned n);
	const char *raised; /* another limit that is in the way */
	enum { NO_RECORDS, SETS, RECORDS } zone;
};

static const struct row rows[] = {
	{"resolvers_per_subscription", 15, resolvers_per_subscription, "", NO_RECORDS},
	{"resolvers_per_virtual_network", 1, resolvers_per_virtual_network, "", NO_RECORDS},
	{"inbound_endpoints_per_resolver", 5, inbound_endpoints_per_resolver, "", NO_RECORDS},
	{"outbound_endpoints_per_resolver", 5, outbound_endpoints_per_resolver, "", NO_RECORDS},
	{"subnets_per_virtual_network", 3000, subnets_per_virtual_network, "", NO_RECORDS},
	{"peerings_per_virtual_network", 500, peerings_per_virtual_network, "", NO_RECORDS},
	{"rules_per_ruleset", 1000, rules_per_ruleset, "", NO_RECORDS},
	{"links_per_ruleset", 500, links_per_ruleset, "", NO_RECORDS},
	{"rulesets_per_virtual_network", 1, rulesets_per_virtual_network,
	 "rulesets_per_outbound_endpoint = 99; ", NO_RECORDS},
	{"outbound_endpoints_per_ruleset", 2, outbound_endpoints_per_ruleset,
	 "outbound_endpoints_per_resolver = 99; ", NO_RECORDS},
	{"rulesets_per_outbound_endpoint", 2, rulesets_per_outbound_endpoint, "", NO_RECORDS},
	{"targets_per_rule", 6, targets_per_rule, "", NO_RECORDS},
	{"private_zones_per_subscription", 1000, private_zones_per_subscription, "", NO_RECORDS},
	{"record_sets_per_zone", 25000, one_zone, "", SETS},
	{"records_per_record_set", 20, one_zone, "", RECORDS},
	{"links_per_zone", 1000, links_per_zone, "", NO_RECORDS},
	{"registration_links_per_zone", 100, registration_links_per_zone, "", NO_RECORDS},
	{"zones_per_virtual_network", 1000, zones_per_virtual_network,
	 "private_zones_per_subscription = 20000; ", NO_RECORDS},
	{"registration_zones_per_virtual_network", 1, registration_zones_per_virtual_network, "",
	 NO_RECORDS},
};

static struct model *load(struct config_text *config, const struct row *row, unsigned n,
			  unsigned limit)
{
	FILE *out = config_text_open(config, "sluice.conf");

	/* The SOA, which sluice makes, is a set too. */
	put_zone_file(config, row->zone == SETS ? n - 1 : row->zone == RECORDS,
		      row->zone == RECORDS ? n : 1);
	row->write(out, n);
	fprintf(out, "limits = { %s", row->raised);
	if (limit)
		fprintf(out, "%s = %u; ", row->key, limit);
	fputs("};\n", out);
	fclose(out);
	return config_text_read(config, NULL);
}

static void expect_fine(const struct row *row, unsigned n, unsigned limit)
{
	struct config_text config;
	struct model *model;

	config_text_init(&config);
	model = load(&config, row, n, limit);
	if (config.faults.errors != 0)
		faults_print(&config.faults, stderr);
	assert_non_null(model);
	assert_int_equal(config.faults.errors, 0); /* registration is warned of */
	model_free(model);
	config_text_release(&config);
}

static void expect_fault(const struct row *row, unsigned n, unsigned limit)
{
	struct config_text config;
	char key[80];

	config_text_init(&config);
	assert_null(load(&config, row, n, limit));
	if (config.faults.count != 1)
		faults_print(&config.faults, stderr);
	assert_int_equal(config.faults.count, 1);
	snprintf(key, sizeof key, "limits.%s", row->key);
	assert_non_null(strstr(config.faults.items[0].text, key));
	assert_true(config.faults.items[0].origin.line > 0);
	assert_string_equal(config.faults.items[0].limit, row->key);
	assert_int_equal(config.faults.items[0].needed, n);
	config_text_release(&config);
}

static void at_the_limit_is_fine(void **state)
{
	const struct row *row = *state;

	expect_fine(row, row->azure, 0);
}

static void one_over_is_refused(void **state)
{
	const struct row *row = *state;

	expect_fault(row, row->azure + 1, 0);
	if (strcmp(row->key, "registration_links_per_zone") == 0)
		expect_fault(row, row->azure + 50, 0);
}

static void the_limit_can_be_raised(void **state)
{
	const struct row *row = *state;

	expect_fine(row, row->azure + 1, row->azure + 1);
	expect_fault(row, row->azure + 2, row->azure + 1);
}

static void ten_times_the_size_compiles(void **state)
{
	static const struct hash_key key = {1, 2};
	const struct row *row = *state;
	struct config_text config;
	struct policy *policy;
	struct model *model;

	config_text_init(&config);
	model = load(&config, row, 10 * row->azure, 10 * row->azure);
	if (!model)
		faults_print(&config.faults, stderr);
	assert_non_null(model);
	policy = policy_compile(model, &key, NULL);
	assert_non_null(policy);
	policy_free(policy);
	model_free(model);
	config_text_release(&config);
}

static const struct group *limits_group(void)
{
	const struct field *field = schema_field(&schema_model, "limits");

	assert_non_null(field);
	return field->group;
}

/* The numbers come first; what becomes of a query over one of them is the last field. */
static size_t limits_count(void)
{
	const struct group *group = limits_group();

	assert_string_equal(group->fields[group->count - 1].key, "excess");
	return group->count - 1;
}

static unsigned default_of(const char *key)
{
	const struct field *field = schema_field(limits_group(), key);

	return field ? (unsigned)strtoul(field->fallback, NULL, 10) : 0;
}

static void the_defaults_are_azures_numbers(void **state)
{
	static const struct {
		const char *key;
		unsigned azure;
	} others[] = {{"queries_per_second_per_endpoint", 10000},
		      {"zone_labels_min", 2},
		      {"subnet_prefix_length_min", 24},
		      {"subnet_prefix_length_max", 28}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(default_of(rows[i].key), rows[i].azure);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(default_of(others[i].key), others[i].azure);
	assert_int_equal(limits_count(), sizeof rows / sizeof rows[0] + 4);
}

static void every_limit_lands_in_its_own_member(void **state)
{
	struct config_text config;
	struct model *model;
	FILE *out;

	(void)state;
	config_text_init(&config);
	out = config_text_open(&config, "sluice.conf");
	fputs("limits = {\n", out);
	for (size_t i = 0; i < limits_count(); i++)
		fprintf(out, "%s = %zu;\n", limits_group()->fields[i].key, i + 2);
	fputs("};\n", out);
	fclose(out);
	model = config_text_read(&config, NULL);
	assert_non_null(model);
	for (size_t i = 0; i < limits_count(); i++) {
		uint32_t value;
		memcpy(&value, (char *)&model->limits + limits_group()->fields[i].offset,
		       sizeof value);
		assert_int_equal(value, i + 2);
	}
	assert_int_equal(model->limits.resolvers_per_subscription, 2);
	assert_int_equal(model->limits.subnet_prefix_length_max, limits_count() + 1);
	model_free(model);
	config_text_release(&config);
}

static void zero_is_no_query_limit_and_no_other_limit_is_zero(void **state)
{
	struct config_text config;
	struct model *model;

	(void)state;
	config_text_init(&config);
	model = config_text_load(&config, "limits = { queries_per_second_per_endpoint = 0; };");
	assert_non_null(model);
	assert_int_equal(model->limits.queries_per_second_per_endpoint, 0);
	model_free(model);
	assert_null(config_text_load(&config, "limits = { rules_per_ruleset = 0; };"));
	assert_string_equal(config.faults.items[0].origin.path, "limits.rules_per_ruleset");
	config_text_release(&config);
}

static void a_least_limit_lets_more_in_the_less_it_is(void **state)
{
	static const struct {
		const char *text, *limit;
		unsigned needed;
	} cases[] = {
		{"private_zones = ( { name = \"lan\"; } );", "zone_labels_min", 1},
		{"virtual_networks = ( { name = \"n\"; address_space = [ \"10.0.0.0/8\" ]; subnets "
		 "= ("
		 "{ name = \"s\"; prefix = \"10.0.0.0/20\"; delegation = "
		 "\"Microsoft.Network/dnsResolvers\"; } ); } ); resolvers = ( { name = \"r\"; "
		 "virtual_network = \"n\"; inbound_endpoints = ( { name = \"i\"; subnet = \"s\"; } "
		 "); } );",
		 "subnet_prefix_length_min", 20},
	};
	struct config_text config;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		config_text_init(&config);
		assert_null(config_text_load(&config, cases[i].text));
		assert_string_equal(config.faults.items[0].limit, cases[i].limit);
		assert_int_equal(config.faults.items[0].needed, cases[i].needed);
		config_text_release(&config);
	}
	assert_true(limits_lets_more("zone_labels_min", 1, 2));
	assert_false(limits_lets_more("zone_labels_min", 2, 2));
	assert_true(limits_lets_more("subnet_prefix_length_max", 29, 28));
	assert_false(limits_lets_more("rules_per_ruleset", 999, 1000));
}

/* A rule with so many targets, through so many endpoints, and a network and a default resolver with
 * so many servers. */
static struct model *load_servers(struct config_text *config, unsigned targets, unsigned endpoints,
				  unsigned custom, unsigned defaults)
{
	FILE *out = config_text_open(config, "sluice.conf");

	fputs("virtual_networks = ({ name = \"n0\"; address_space = [\"10.0.0.0/20\"]; dns_servers "
	      "= [",
	      out);
	for (unsigned i = 0; i < custom; i++)
		fprintf(out, "%s\"192.0.2.%u\"", i ? ", " : "", i + 1);
	fputs("]; subnets = (", out);
	for (unsigned i = 0; i < endpoints; i++)
		fprintf(out,
			"%s{ name = \"s%u\"; prefix = \"10.0.%u.0/28\"; delegation = "
			"\"Microsoft.Network/dnsResolvers\"; }",
			i ? ", " : "", i, i);
	fputs("); });\n", out);
	put_resolver(out, 0, endpoints);
	fputs("default_resolver = { targets = (", out);
	for (unsigned i = 0; i < defaults; i++)
		fprintf(out, "%s{ address = \"192.0.2.%u\"; }", i ? ", " : "", i + 1);
	fputs("); };\nrulesets = ({ name = \"rs\"; outbound_endpoints = [", out);
	for (unsigned i = 0; i < endpoints; i++)
		fprintf(out, "%s\"r/o%u\"", i ? ", " : "", i);
	fputs("]; links = ({ name = \"l\"; virtual_network = \"n0\"; }); rules = ({ name = \"a\"; "
	      "domain = \"test.\"; targets = (",
	      out);
	for (unsigned i = 0; i < targets; i++)
		fprintf(out, "%s{ address = \"127.0.0.%u\"; }", i ? ", " : "", i + 2);
	fputs("); }); });\nlimits = { targets_per_rule = 64; };\n", out);
	fclose(out);
	return config_text_read(config, NULL);
}

static void a_route_keeps_64_ways_to_ask(void **state)
{
	static const struct {
		unsigned targets, endpoints, custom, defaults;
		const char *path; /* NULL: fine */
	} cases[] = {
		{64, 1, 64, 64, NULL},
		{32, 2, 1, 1, NULL},
		{33, 2, 1, 1, "rulesets[rs].rules[a].targets"},
		{1, 1, 65, 1, "virtual_networks[n0].dns_servers"},
		{1, 1, 1, 65, "default_resolver.targets"},
	};
	struct config_text config;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		config_text_init(&config);
		struct model *model = load_servers(&config, cases[i].targets, cases[i].endpoints,
						   cases[i].custom, cases[i].defaults);
		assert_int_equal(model != NULL, cases[i].path == NULL);
		assert_int_equal(config.faults.count, cases[i].path != NULL);
		if (cases[i].path)
			assert_string_equal(config.faults.items[0].origin.path, cases[i].path);
		model_free(model);
		config_text_release(&config);
	}
}

int main(void)
{
	enum { ROWS = sizeof rows / sizeof rows[0] };
	static struct CMUnitTest tests[4 * ROWS + 5];
	static char names[4 * ROWS][96];
	static const struct {
		const char *sentence;
		CMUnitTestFunction test;
	} kinds[] = {{"%s: at the limit is fine", at_the_limit_is_fine},
		     {"%s: one over is refused", one_over_is_refused},
		     {"%s: the limit can be raised", the_limit_can_be_raised},
		     {"%s: ten times the size compiles", ten_times_the_size_compiles}};
	size_t count = 0;

	for (size_t i = 0; i < ROWS; i++)
		for (size_t k = 0; k < 4; k++) {
			snprintf(names[count], sizeof names[0], kinds[k].sentence, rows[i].key);
			tests[count] =
				(struct CMUnitTest){.name = names[count],
						    .test_func = kinds[k].test,
						    .initial_state = (void *)(uintptr_t)&rows[i]};
			count++;
		}
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(the_defaults_are_azures_numbers);
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(every_limit_lands_in_its_own_member);
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(
		zero_is_no_query_limit_and_no_other_limit_is_zero);
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(a_route_keeps_64_ways_to_ask);
	tests[count++] =
		(struct CMUnitTest)cmocka_unit_test(a_least_limit_lets_more_in_the_less_it_is);
	return _cmocka_run_group_tests("limits table", tests, count, NULL, NULL);
}
