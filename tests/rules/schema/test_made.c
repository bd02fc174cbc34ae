/* What is made because nobody named it: the file's text in, what there is then out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/control/config/file.h"
#include "rules/policy/policy.h"
#include "tests/lib/config_text.h"

#define DEFAULTS         "default_resolver = { targets = ({ address = \"192.0.2.53\"; }); };\n"
#define NETWORKS(...)    DEFAULTS "virtual_networks = (" __VA_ARGS__ ");\n"
#define HOME             "{ name = \"home\"; }"
#define SPACE(name, ...) "{ name = \"" name "\"; address_space = [ " __VA_ARGS__ " ]; }"
#define LINK(network)    "{ name = \"" network "\"; virtual_network = \"" network "\"; }"
#define RULE                                                                                       \
	"rules = ({ name = \"corp\"; domain = \"corp.\"; targets = ({ address = \"192.0.2.1\"; "   \
	"}); });"
#define RULESET(name, links) "{ name = \"" name "\"; links = (" links "); " RULE " }"
#define OFFICE               "rulesets = (" RULESET("office", LINK("home")) ");\n"
#define LAB                  "{ name = \"lab\"; }"
#define FAR                  SPACE("far", "\"240.0.1.0/24\"")
#define BOTH                 RULESET("office", LINK("home")) ", " RULESET("labs", LINK("lab"))
#define VNET                 "vnet_resolver = { listen = [ \"127.0.0.1:5310\" ]; };\n"

struct fixture {
	struct config_text config;
	struct model *model;
	char *said;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	config_text_init(&f->config);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	model_free(f->model);
	free(f->said);
	config_text_release(&f->config);
	free(f);
	return 0;
}

static const struct model *load(struct fixture *f, const char *text)
{
	model_free(f->model);
	f->model = config_text_load(&f->config, text);
	faults_print(&f->config.faults, stderr);
	assert_non_null(f->model);
	return f->model;
}

/* "path=value; ..." of all that was made. */
static const char *made(struct fixture *f, const char *text)
{
	const struct model *model = load(f, text);
	size_t length;
	FILE *out;

	free(f->said);
	out = open_memstream(&f->said, &length);
	assert_non_null(out);
	for (size_t i = 0; i < model->made.count; i++) {
		const struct made *item = &model->made.items[i];

		assert_true(strlen(item->because) > 10);
		fprintf(out, "%s%s%s; ", item->path, item->value ? "=" : "",
			item->value ? item->value : "");
	}
	fclose(out);
	return f->said;
}

static void expect_fault(struct fixture *f, const char *text, const char *path, const char *says)
{
	model_free(f->model);
	f->model = config_text_load(&f->config, text);
	assert_int_equal(f->config.faults.count, 1);
	assert_string_equal(f->config.faults.items[0].origin.path, path);
	assert_non_null(strstr(f->config.faults.items[0].text, says));
}

static const char *listens_at(const struct model *model, size_t resolver)
{
	static char text[HOST_TEXT_MAX];

	return host_print(&model->resolvers.items[resolver].inbound_endpoints.items[0].listen,
			  text);
}

static void a_network_a_ruleset_and_a_rule_are_enough(void **state)
{
	assert_string_equal(made(*state, NETWORKS(HOME) OFFICE),
			    "resolvers[home]=in virtual network home; "
			    "resolvers[home].outbound_endpoints[default]; "
			    "resolvers[home].inbound_endpoints[default]; "
			    "rulesets[office].outbound_endpoints=home/default; "
			    "virtual_networks[home].address_space=240.0.0.0/24; "
			    "virtual_networks[home].subnets[default-inbound]=240.0.0.0/28; "
			    "resolvers[home].inbound_endpoints[default].listen=127.0.0.1:53; "
			    "virtual_networks[home].subnets[default-outbound]=240.0.0.16/28; ");
}

static void they_forward_from_where_the_system_likes(void **state)
{
	static const struct hash_key key = {1, 2};
	const struct model *model = load(*state, NETWORKS(HOME) OFFICE);
	struct policy *policy = policy_compile(model, &key, NULL);
	struct name name;
	struct verdict verdict;

	assert_non_null(policy);
	assert_int_equal(name_from_text(&name, &key, "a.corp."), 0);
	policy_decide(policy, (struct place){policy->inbounds[0].network, false}, &name, TYPE_A,
		      &verdict, NULL);
	assert_int_equal(verdict.kind, VERDICT_FORWARD);
	assert_string_equal(verdict.object, "corp");
	assert_string_equal(verdict.route->legs[0].upstreams[0].endpoint, "home/default");
	assert_int_equal(verdict.route->legs[0].upstreams[0].source.family, 0);
	policy_free(policy);
}

/* Where machines of the network are no endpoint is put, which would be taken for them. */
static void the_subnets_are_not_in_the_networks_own_space(void **state)
{
	const struct fixture *f = *state;
	const char *said =
		made(*state, NETWORKS("{ name = \"home\"; address_space = [ \"10.0.0.0/16\" ]; "
				      "subnets = ({ name = \"default-inbound\"; prefix = "
				      "\"10.0.0.0/29\"; }); }") OFFICE);

	assert_non_null(strstr(said, "virtual_networks[home].address_space=240.0.0.0/24"));
	assert_non_null(strstr(said, "subnets[default-inbound-2]=240.0.0.0/28"));
	assert_non_null(strstr(said, "subnets[default-outbound]=240.0.0.16/28"));
	assert_int_equal(f->model->virtual_networks.items[0].address_space.count, 2);
}

static void more_endpoints_take_more_space(void **state)
{
	static const char head[] =
		NETWORKS(HOME) "limits = { inbound_endpoints_per_resolver = 20; };\n"
			       "resolvers = ({ name = \"r\"; virtual_network = \"home\"; "
			       "inbound_endpoints = (";
	char text[4096];
	const char *said;

	snprintf(text, sizeof text, "%s", head);
	for (int i = 0; i < 17; i++) {
		size_t used = strlen(text);

		snprintf(text + used, sizeof text - used, "%s{ name = \"i%d\"; }%s", i ? ", " : "",
			 i, i == 16 ? "); });\n" : "");
	}
	said = made(*state, text);
	assert_non_null(strstr(said, "subnets[i15-inbound]=240.0.0.240/28"));
	assert_non_null(strstr(said, "address_space=240.0.1.0/24"));
	assert_non_null(strstr(said, "subnets[i16-inbound]=240.0.1.0/28"));
	assert_non_null(strstr(said, "inbound_endpoints[i16].listen=127.0.0.17:53"));
}

/* The check says what is wrong with such a space. */
static void there_may_be_none_left(void **state)
{
	struct fixture *f = *state;

	f->model = config_text_load(&f->config,
				    NETWORKS(HOME ", " SPACE("all", "\"0.0.0.0/0\"")) OFFICE);
	assert_null(f->model);
	assert_true(f->config.faults.errors > 0);
}

static void what_is_made_for_one_network_is_no_others(void **state)
{
	static const char text[] = NETWORKS(HOME ", " LAB ", " FAR) "rulesets = (" BOTH ");\n";
	const char *said = made(*state, text);

	assert_non_null(strstr(said, "virtual_networks[home].address_space=240.0.0.0/24"));
	assert_non_null(strstr(said, "virtual_networks[lab].address_space=240.0.2.0/24"));
	assert_non_null(
		strstr(said, "resolvers[lab].inbound_endpoints[default].listen=127.0.0.2:53"));
	assert_non_null(strstr(said, "rulesets[labs].outbound_endpoints=lab/default"));
}

static void a_resolver_in_a_linked_network_is_used(void **state)
{
	assert_string_equal(
		made(*state,
		     NETWORKS(HOME ", " SPACE(
			     "hub",
			     "\"10.0.0.0/16\"")) "resolvers = ({ name = \"r\"; virtual_network = "
						 "\"hub\"; outbound_endpoints = "
						 "({ name = \"a\"; source = \"127.0.0.1\"; }, { "
						 "name = \"b\"; }, { name = "
						 "\"c\"; }); inbound_endpoints = ({ name = \"in\"; "
						 "listen = "
						 "\"127.0.0.1:5300\"; }); });\n"
						 "rulesets = (" RULESET(
							 "office",
							 LINK("home") ", " LINK("hub")) ");\n"),
		"rulesets[office].outbound_endpoints=r/a, r/b; "
		"virtual_networks[hub].address_space=240.0.0.0/24; "
		"virtual_networks[hub].subnets[in-inbound]=240.0.0.0/28; "
		"virtual_networks[hub].subnets[a-outbound]=240.0.0.16/28; "
		"virtual_networks[hub].subnets[b-outbound]=240.0.0.32/28; "
		"virtual_networks[hub].subnets[c-outbound]=240.0.0.48/28; ");
	assert_string_equal(listens_at(((struct fixture *)*state)->model, 0), "127.0.0.1:5300");
}

static void a_resolver_gets_the_endpoints_that_it_has_not(void **state)
{
	const char *said = made(*state, NETWORKS(HOME) OFFICE
				"resolvers = ({ name = \"r\"; virtual_network = \"home\"; });\n");

	assert_null(strstr(said, "resolvers[home]"));
	assert_non_null(strstr(said, "resolvers[r].outbound_endpoints[default];"));
	assert_non_null(strstr(said, "resolvers[r].inbound_endpoints[default];"));
	assert_non_null(strstr(said, "rulesets[office].outbound_endpoints=r/default;"));
}

static void a_vnet_resolver_is_way_in_enough(void **state)
{
	const char *said = made(*state, VNET NETWORKS(HOME) OFFICE);

	assert_null(strstr(said, "inbound"));
	assert_non_null(strstr(said, "virtual_networks[home].client_prefixes=127.0.0.0/8, ::1/128, "
				     "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7;"));
	said = made(*state, VNET NETWORKS(SPACE("hub", "\"10.0.0.0/8\"") ", " HOME) OFFICE);
	assert_non_null(strstr(said, "client_prefixes=127.0.0.0/8, ::1/128, 172.16.0.0/12, "));
}

static void two_networks_without_prefixes_are_warned_of_there(void **state)
{
	struct fixture *f = *state;

	load(f, VNET NETWORKS(HOME ", { name = \"lab\"; }") OFFICE);
	assert_int_equal(f->config.faults.warnings, 1);
	assert_string_equal(f->config.faults.items[0].origin.path,
			    "virtual_networks[lab].client_prefixes");
}

static void a_name_that_is_taken_is_not_taken_again(void **state)
{
	const char *said =
		made(*state,
		     NETWORKS("{ name = \"my.home_\"; }, " SPACE(
			     "lab", "\"10.0.0.0/16\"")) "resolvers = ({ name = \"my-home\"; "
							"virtual_network = \"lab\"; });\n"
							"rulesets = (" RULESET(
								"office",
								"{ name = \"l\"; virtual_network = "
								"\"my.home_\"; }") ");\n");

	assert_non_null(strstr(said, "resolvers[my-home-2]=in virtual network my.home_;"));
	assert_non_null(strstr(said, "rulesets[office].outbound_endpoints=my-home-2/default;"));
}

static void an_encrypted_network_is_passed_over(void **state)
{
	const char *said = made(
		*state,
		NETWORKS("{ name = \"safe\"; encryption = true; }, " HOME) "rulesets = (" RULESET(
			"office", LINK("safe") ", " LINK("home")) ");\n");

	assert_non_null(strstr(said, "resolvers[home]=in virtual network home;"));
}

static void a_ruleset_that_is_not_linked_needs_nothing(void **state)
{
	assert_string_equal(
		made(*state, NETWORKS(HOME) "rulesets = (" RULESET("office", "") ");\n"), "");
}

static void what_is_named_is_all_there_is(void **state)
{
	assert_string_equal(
		made(*state,
		     NETWORKS("{ name = \"hub\"; address_space = [ \"10.10.0.0/16\" ]; subnets = "
			      "({ name = \"out\"; prefix = \"10.10.0.0/28\"; delegation = "
			      "\"Microsoft.Network/dnsResolvers\"; }); }, " SPACE(
				      "spoke",
				      "\"10.20.0.0/16\"")) "resolvers = ({ name = \"r\"; "
							   "virtual_network = \"hub\"; "
							   "outbound_endpoints = "
							   "({ name = \"out\"; subnet = \"out\"; "
							   "source = \"127.0.0.1\"; }); });\n"
							   "rulesets = ({ name = \"office\"; "
							   "outbound_endpoints = [ \"r/out\" ]; "
							   "links = "
							   "(" LINK("spoke") "); });\n"),
		"");
}

/* A fault of what was made is told where it was made for, and that it was. */
static void what_does_not_fit_is_told_at_what_it_was_made_for(void **state)
{
	expect_fault(*state, NETWORKS("{ name = \"home\"; encryption = true; }") OFFICE,
		     "made resolvers[home].virtual_network", "is encrypted");
	expect_fault(*state,
		     NETWORKS(HOME ", " SPACE("hub", "\"10.0.0.0/16\"")) OFFICE
		     "resolvers = ({ name = \"r\"; virtual_network = \"hub\"; inbound_endpoints = "
		     "({ name = \"in\"; listen = \"0.0.0.0:53\"; }); });\n",
		     "made resolvers[home].inbound_endpoints[default].listen",
		     "is taken by the listener at");
	expect_fault(*state, NETWORKS(HOME) "rulesets = (" RULESET("office", LINK("none")) ");\n",
		     "rulesets[office].links[none].virtual_network", "no virtual network");
}

static void an_address_needs_its_subnet(void **state)
{
	expect_fault(
		*state,
		NETWORKS(SPACE("hub",
			       "\"10.0.0.0/16\"")) "resolvers = ({ name = \"r\"; virtual_network = "
						   "\"hub\"; inbound_endpoints = "
						   "({ name = \"in\"; allocation = \"static\"; "
						   "address = \"10.0.0.4\"; }); });\n",
		"resolvers[r].inbound_endpoints[in].subnet", "is missing");
	expect_fault(*state,
		     NETWORKS("{ name = \"hub\"; subnets = ({ name = \"a\"; prefix = "
			      "\"10.0.0.0/28\"; }); }"),
		     "virtual_networks[hub].address_space", "is missing");
}

static void the_models_that_it_was_composed_of_stay_as_they_are(void **state)
{
	static const struct hash_key key = {1, 2};
	struct fixture *f = *state;
	struct model *given, *models[2];

	config_text_put(&f->config, "sluice.conf",
			NETWORKS(SPACE("home", "\"10.0.0.0/16\"")) OFFICE);
	given = config_file_read(f->config.main_file, &key, NULL, &f->config.faults);
	assert_non_null(given);
	for (int i = 0; i < 2; i++) {
		models[i] = model_compose(given, NULL, 0);
		assert_non_null(models[i]);
		assert_int_equal(model_make_unnamed(models[i]), 0);
		model_place_endpoints(models[i]);
	}
	assert_int_equal(given->virtual_networks.items[0].subnets.count, 0);
	assert_int_equal(given->rulesets.items[0].outbound_endpoints.count, 0);
	assert_int_equal(given->resolvers.count, 0);
	assert_int_equal(models[0]->made.count, models[1]->made.count);
	for (size_t i = 0; i < models[0]->made.count; i++)
		assert_string_equal(models[0]->made.items[i].path, models[1]->made.items[i].path);
	assert_non_null(model_made(models[1], "resolvers[HOME].inbound_endpoints[default]"));
	assert_null(model_made(models[1], "resolvers[home].inbound_endpoints[other]"));
	for (int i = 0; i < 2; i++)
		model_free(models[i]);
	model_free(given);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_network_a_ruleset_and_a_rule_are_enough),
		TEST(they_forward_from_where_the_system_likes),
		TEST(the_subnets_are_not_in_the_networks_own_space),
		TEST(more_endpoints_take_more_space),
		TEST(there_may_be_none_left),
		TEST(what_is_made_for_one_network_is_no_others),
		TEST(a_resolver_in_a_linked_network_is_used),
		TEST(a_resolver_gets_the_endpoints_that_it_has_not),
		TEST(a_vnet_resolver_is_way_in_enough),
		TEST(two_networks_without_prefixes_are_warned_of_there),
		TEST(a_name_that_is_taken_is_not_taken_again),
		TEST(an_encrypted_network_is_passed_over),
		TEST(a_ruleset_that_is_not_linked_needs_nothing),
		TEST(what_is_named_is_all_there_is),
		TEST(what_does_not_fit_is_told_at_what_it_was_made_for),
		TEST(an_address_needs_its_subnet),
		TEST(the_models_that_it_was_composed_of_stay_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
