/* Tags, and all else that is kept with a resource as NAME=VALUE: the same of every kind that has
 * them, of the file's items and of those that the API is given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/base.h"
#include "rules/check/tags.h"
#include "tests/lib/config_text.h"
#include "tests/lib/limits_case.h"

#define TAGS     "tags = [ \"a=1\", \"b=2\" ]; "
#define TWICE    "tags = [ \"a=1\", \"A=2\" ]; "
#define AZURE_2  "azure = [ \"sku.name=\\\"Basic\\\"\", \"SKU.name=1\" ]; "
#define METADATA "metadata = [ \"a=1\", \"A=2\" ]; "
#define NET(rest, subnet)                                                                          \
	"virtual_networks = ({ name = \"hub\"; address_space = [ \"10.10.0.0/16\" ]; " rest        \
	" subnets = ({ name = \"in\"; prefix = \"10.10.0.0/28\"; " subnet DELEGATED                \
	", { name = \"out\"; prefix = \"10.10.0.16/28\";" DELEGATED "); });\n"
#define RES(rest, inbound, outbound)                                                               \
	"resolvers = ({ name = \"r\"; virtual_network = \"hub\"; " rest                            \
	" inbound_endpoints = ({ name = \"in\"; subnet = \"in\"; listen = "                        \
	"\"127.0.0.1:5300\"; " inbound "}); outbound_endpoints = ({ name = \"out\"; subnet = "     \
	"\"out\"; " outbound "}); });\n"
#define RULES(rest, link)                                                                          \
	"rulesets = ({ name = \"s\"; " rest                                                        \
	" links = ({ name = \"l\"; virtual_network = \"hub\"; " link                               \
	"}); rules = (" RULE("r", "a.", TARGET("192.0.2.1")) "); });\n"
#define ZONES(rest, link)                                                                          \
	"private_zones = ({ name = \"a.b\"; " rest                                                 \
	" links = ({ name = \"l\"; virtual_network = \"hub\"; " link "}); });\n"
#define DEFAULT "default_resolver = { targets = ({ address = \"127.0.0.9\"; }); };\n"
#define WHOLE   NET("", "") RES("", "", "") RULES("", "") ZONES("", "") DEFAULT

static const struct limits_case cases[] = {
	{"every_kind_may_have_tags",
	 NET(TAGS, "") RES(TAGS, TAGS, TAGS) RULES(TAGS, "metadata = [ \"a=1\" ]; ")
		 ZONES(TAGS, TAGS) DEFAULT,
	 0, 0, 0},
	{"a_networks_tags_are_checked", NET(TWICE, "") RES("", "", "") DEFAULT, 1,
	 "virtual_networks[hub].tags", "\"A\" occurs twice"},
	{"a_resolvers_tags_are_checked", NET("", "") RES(TWICE, "", "") DEFAULT, 2,
	 "resolvers[r].tags", "\"A\" occurs twice"},
	{"an_inbound_endpoints_tags_are_checked", NET("", "") RES("", TWICE, "") DEFAULT, 2,
	 "resolvers[r].inbound_endpoints[in].tags", "\"A\" occurs twice"},
	{"an_outbound_endpoints_tags_are_checked", NET("", "") RES("", "", TWICE) DEFAULT, 2,
	 "resolvers[r].outbound_endpoints[out].tags", "\"A\" occurs twice"},
	{"a_rulesets_tags_are_checked", NET("", "") RES("", "", "") RULES(TWICE, "") DEFAULT, 3,
	 "rulesets[s].tags", "\"A\" occurs twice"},
	{"a_ruleset_links_metadata_are_checked",
	 NET("", "") RES("", "", "") RULES("", METADATA) DEFAULT, 3,
	 "rulesets[s].links[l].metadata", "\"A\" occurs twice"},
	{"a_zones_tags_are_checked", NET("", "") RES("", "", "") ZONES(TWICE, "") DEFAULT, 3,
	 "private_zones[a.b].tags", "\"A\" occurs twice"},
	{"a_zone_links_tags_are_checked", NET("", "") RES("", "", "") ZONES("", TWICE) DEFAULT, 3,
	 "private_zones[a.b].links[l].tags", "\"A\" occurs twice"},
	{"a_networks_properties_are_checked", NET(AZURE_2, "") RES("", "", "") DEFAULT, 1,
	 "virtual_networks[hub].azure", "\"SKU.name\" occurs twice"},
	{"a_subnets_properties_are_checked", NET("", AZURE_2) RES("", "", "") DEFAULT, 1,
	 "virtual_networks[hub].subnets[in].azure", "\"SKU.name\" occurs twice"},
	{"an_escaped_equals_sign_is_a_part_of_the_name",
	 NET("tags = [ \"a\\\\=b=1\", \"a=b=1\" ]; ", "") RES("", "", "") DEFAULT, 0, 0, 0},
	{"a_name_of_nothing_is_refused", NET("tags = [ \"=1\" ]; ", "") RES("", "", "") DEFAULT, 1,
	 "virtual_networks[hub].tags[0]", "give \"NAME=VALUE\""},
	{"a_name_without_an_end_is_refused",
	 NET("tags = [ \"a\\\\=1\" ]; ", "") RES("", "", "") DEFAULT, 1,
	 "virtual_networks[hub].tags[0]", "give \"NAME=VALUE\""},
};

/* ---- what a file cannot say, or not in a line ---- */

struct tagged {
	struct origin origin;
	LIST_OF(struct tag) tags;
};

static const struct field few = {
	.type = FIELD_TAGS, .offset = offsetof(struct tagged, tags), .max = 12, .count_max = 3};
static const struct field many = {
	.type = FIELD_TAGS, .offset = offsetof(struct tagged, tags), .max = 400000};

static const char *refusal(const struct field *field, struct tag *tags, size_t count)
{
	static char text[TAGS_TEXT_MAX];
	const struct tagged item = {.tags = {tags, count}};

	return tags_refusal(field, &item, text);
}

static void an_empty_name_is_refused(void **state)
{
	struct tag tags[] = {{"a", "1"}, {"", "2"}};

	(void)state;
	assert_null(refusal(&few, tags, 1));
	assert_string_equal(refusal(&few, tags, 2), "a name is empty; give each value a name");
}

static void too_many_or_too_long_is_refused(void **state)
{
	struct tag tags[] = {{"a", "12345"}, {"b", "12345"}, {"c", ""}, {"d", ""}};

	(void)state;
	assert_null(refusal(&few, tags, 2)); /* 12 bytes */
	assert_string_equal(refusal(&few, tags, 3),
			    "names and values have 13 bytes together; give at most 12");
	assert_string_equal(refusal(&few, tags, 4), "there are 4; give at most 3");
	assert_null(refusal(&many, tags, 4));
}

/* The one that stands after the other is told, wherever they are among many. */
static void one_name_of_many_occurs_twice(void **state)
{
	enum { MANY = 20000 };
	struct tag *tags = calloc(MANY, sizeof *tags);
	char(*names)[16] = calloc(MANY, sizeof *names);

	(void)state;
	assert_non_null(tags);
	assert_non_null(names);
	for (size_t i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof names[i], "name%zu", i);
		tags[i] = (struct tag){names[i], ""};
	}
	assert_null(refusal(&many, tags, MANY));
	tags[MANY - 1].name = "NAME0";
	assert_string_equal(refusal(&many, tags, MANY),
			    "\"NAME0\" occurs twice; give each name once");
	free(names);
	free(tags);
}

/* 65536 bytes of Azure's properties fit, and one more does not; the table says so. */
static void properties_have_a_size(void **state)
{
	const struct group *networks = schema_field(&schema_model, "virtual_networks")->group;
	const struct field *azure = schema_field(networks, "azure");
	struct virtual_network network = {.name = "hub"};
	char *value = calloc(1, 65536 + 1);
	struct tag tag = {"a", value};
	char text[TAGS_TEXT_MAX];

	(void)state;
	assert_non_null(value);
	memset(value, '1', 65535);
	network.azure.items = &tag;
	network.azure.count = 1;
	assert_null(tags_refusal(azure, &network, text));
	value[65535] = '1';
	assert_string_equal(tags_refusal(azure, &network, text),
			    "names and values have 65537 bytes together; give at most 65536");
	free(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_name_is_refused),
		cmocka_unit_test(too_many_or_too_long_is_refused),
		cmocka_unit_test(one_name_of_many_occurs_twice),
		cmocka_unit_test(properties_have_a_size),
	};
	int failed = limits_cases_run("limits, tags", cases, COUNT(cases));

	return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
