/* Single values: which are taken, which are refused with which advice, and that what is printed is
 * taken again. And the table itself: nothing in it may contradict itself. */
#include "rules/schema/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/check/limits.h"

static const char *const colours[] = {"red", "green", "blue", NULL};

struct values {
	struct origin origin;
	const char *text;
	uint32_t number;
	uint64_t wide;
	bool truth;
	unsigned colour;
	struct address address;
	struct prefix prefix;
	struct host host;
};

struct world {
	struct arena arena;
	struct faults faults;
	struct values values;
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);

	arena_init(&world->arena);
	faults_init(&world->faults);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	arena_release(&world->arena);
	faults_release(&world->faults);
	free(world);
	return 0;
}

static struct field field_of(enum field_type type)
{
	static const size_t offsets[] = {
		[FIELD_UINT] = offsetof(struct values, number),
		[FIELD_UINT64] = offsetof(struct values, wide),
		[FIELD_BOOL] = offsetof(struct values, truth),
		[FIELD_ENUM] = offsetof(struct values, colour),
		[FIELD_ADDRESS] = offsetof(struct values, address),
		[FIELD_PREFIX] = offsetof(struct values, prefix),
		[FIELD_HOST] = offsetof(struct values, host),
		[FIELD_GROUP] = 0,
	};
	struct field field = {.key = "it",
			      .type = type,
			      .offset =
				      offsets[type] ? offsets[type] : offsetof(struct values, text),
			      .names = colours};

	if (type == FIELD_UINT)
		field.min = 10, field.max = 20;
	if (type == FIELD_UINT64)
		field.min = 1, field.max = UINT64_C(1) << 40;
	return field;
}

static int set(struct world *world, enum field_type type, const char *text)
{
	static const struct origin origin = {.file = "f", .line = 3, .path = "here"};
	struct field field = field_of(type);

	faults_release(&world->faults);
	return schema_set_text(&field, &world->values, text, &origin, &world->arena,
			       &world->faults);
}

static const char *get(struct world *world, enum field_type type)
{
	static char text[128];
	struct field field = field_of(type);

	return schema_get_text(&field, &world->values, text, sizeof text);
}

static void expect_taken(struct world *world, enum field_type type, const char *text,
			 const char *printed)
{
	assert_int_equal(set(world, type, text), 0);
	assert_int_equal(world->faults.count, 0);
	assert_string_equal(get(world, type), printed);
}

static void expect_refused(struct world *world, enum field_type type, const char *text,
			   const char *advice)
{
	assert_int_equal(set(world, type, text), ERR_FAULTS);
	assert_int_equal(world->faults.errors, 1);
	assert_string_equal(world->faults.items[0].origin.path, "here.it");
	assert_int_equal(world->faults.items[0].origin.line, 3);
	assert_non_null(strstr(world->faults.items[0].text, advice));
}

static void names_are_1_to_80_plain_characters(void **state)
{
	char longest[82];

	memset(longest, 'a', 81);
	longest[81] = '\0';
	expect_refused(*state, FIELD_NAME, longest, "1 to 80");
	longest[80] = '\0';
	expect_taken(*state, FIELD_NAME, longest, longest);
	expect_taken(*state, FIELD_NAME, "a", "a");
	expect_taken(*state, FIELD_NAME, "0_a-9", "0_a-9");
	expect_taken(*state, FIELD_NAME, "AZ-az_09", "AZ-az_09");
	expect_taken(*state, FIELD_NAME, "z9Z", "z9Z");
	expect_refused(*state, FIELD_NAME, "", "1 to 80");
	expect_refused(*state, FIELD_NAME, "-a", "both ends");
	expect_refused(*state, FIELD_NAME, "a-", "both ends");
	expect_refused(*state, FIELD_NAME, "a_", "both ends");
	expect_refused(*state, FIELD_NAME, "a.b", "letters, digits");
	expect_refused(*state, FIELD_NAME, "a/b", "letters, digits");
	expect_refused(*state, FIELD_NAME, "\xc3\xa4", "letters, digits");
}

static void names_of_networks_may_have_dots_inside(void **state)
{
	expect_taken(*state, FIELD_NAME_DOTS, "a.b", "a.b");
	expect_taken(*state, FIELD_NAME_DOTS, "a_", "a_");
	expect_refused(*state, FIELD_NAME_DOTS, ".a", "begins with");
	expect_refused(*state, FIELD_NAME_DOTS, "a.", "does not end");
	expect_refused(*state, FIELD_NAME_DOTS, "a b", "letters, digits");
}

static void strings_have_no_characters_that_are_not_shown(void **state)
{
	expect_taken(*state, FIELD_STRING, "", "");
	expect_taken(*state, FIELD_STRING, "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
	expect_refused(*state, FIELD_STRING, "a\nb", "character 2 is U+000A");
	expect_refused(*state, FIELD_STRING, "a\x1b[31m", "character 2 is U+001B");
	expect_refused(*state, FIELD_STRING, "\x7f", "character 1 is U+007F");
	expect_refused(*state, FIELD_STRING,
		       "a\xc2\x9b"
		       "31m",
		       "character 2 is U+009B"); /* CSI of C1 */
	expect_refused(*state, FIELD_STRING, "gr\xc3\xbc\u202e", "character 4 is U+202E");
	expect_refused(*state, FIELD_STRING, "gr\xfc", "character 3 is not UTF-8 (byte FC)");
	expect_refused(*state, FIELD_PATH, "a\u200b", "character 2 is U+200B");
	expect_refused(*state, FIELD_DOMAIN, "a\x1b[31m.test", "character 2 is U+001B");
	expect_taken(*state, FIELD_STRING, "\xc2\xa0", "\xc2\xa0");
}

static void a_strings_length_has_a_range(void **state)
{
	struct world *world = *state;
	struct field field = field_of(FIELD_STRING);
	struct origin origin = {0};

	field.min = 1;
	field.max = 3;
	assert_int_equal(schema_set_text(&field, &world->values, "abc", &origin, &world->arena,
					 &world->faults),
			 0);
	assert_int_equal(schema_set_text(&field, &world->values, "abcd", &origin, &world->arena,
					 &world->faults),
			 ERR_FAULTS);
	assert_int_equal(
		schema_set_text(&field, &world->values, "", &origin, &world->arena, &world->faults),
		ERR_FAULTS);
	assert_non_null(strstr(world->faults.items[1].text, "1 to 3 characters"));
	assert_string_equal(world->values.text, "abc");
}

static void domains_paths_and_uuids_have_a_form(void **state)
{
	expect_taken(*state, FIELD_DOMAIN, "a.Test.", "a.Test.");
	expect_taken(*state, FIELD_DOMAIN, ".", ".");
	expect_refused(*state, FIELD_DOMAIN, "a..b", "a domain name");
	expect_refused(*state, FIELD_DOMAIN, "", "a domain name");
	expect_refused(*state, FIELD_DOMAIN, "\xfc.corp", "write an international name");
	expect_refused(*state, FIELD_DOMAIN, "corp.\x80", "a byte as \\DDD");
	expect_taken(*state, FIELD_DOMAIN, "\\252.corp", "\\252.corp");
	expect_taken(*state, FIELD_PATH, "a/b", "a/b");
	expect_refused(*state, FIELD_PATH, "", "a file's path");
	expect_taken(*state, FIELD_UUID, "6f8b4ce6-1111-4d2e-9c55-0242AC120002",
		     "6f8b4ce6-1111-4d2e-9c55-0242AC120002");
	expect_refused(*state, FIELD_UUID, "6f8b4ce6-1111-4d2e-9c55-0242ac12000", "a UUID");
	expect_refused(*state, FIELD_UUID, "6f8b4ce6-1111-4d2e-9c55-0242ac1200020", "a UUID");
	expect_refused(*state, FIELD_UUID, "6f8b4ce61-111-4d2e-9c55-0242ac120002", "a UUID");
	expect_refused(*state, FIELD_UUID, "gf8b4ce6-1111-4d2e-9c55-0242ac120002", "a UUID");
}

static void numbers_have_a_range(void **state)
{
	expect_taken(*state, FIELD_UINT, "10", "10");
	expect_taken(*state, FIELD_UINT, "20", "20");
	expect_refused(*state, FIELD_UINT, "9", "an integer from 10 to 20");
	expect_refused(*state, FIELD_UINT, "21", "an integer from 10 to 20");
	expect_refused(*state, FIELD_UINT, "4294967306", "an integer from 10 to 20");
	expect_refused(*state, FIELD_UINT, "18446744073709551626", "an integer from 10 to 20");
	expect_refused(*state, FIELD_UINT, "-1", "an integer");
	expect_refused(*state, FIELD_UINT, "12x", "an integer");
	expect_refused(*state, FIELD_UINT, " 12", "an integer");
	expect_refused(*state, FIELD_UINT, "", "an integer");
	expect_taken(*state, FIELD_UINT64, "1099511627776", "1099511627776");
	expect_refused(*state, FIELD_UINT64, "1099511627777", "1 to 1099511627776");
}

static void numbers_that_arrive_as_such_have_the_same_range(void **state)
{
	struct world *world = *state;
	struct field number = field_of(FIELD_UINT), truth = field_of(FIELD_BOOL);
	struct origin origin = {0};

	assert_int_equal(schema_set_number(&number, &world->values, 20, &origin, &world->faults),
			 0);
	assert_int_equal(world->values.number, 20);
	assert_int_equal(schema_set_number(&number, &world->values, 21, &origin, &world->faults),
			 ERR_FAULTS);
	assert_int_equal(schema_set_number(&number, &world->values, -10, &origin, &world->faults),
			 ERR_FAULTS);
	assert_int_equal(schema_set_number(&truth, &world->values, 1, &origin, &world->faults), 0);
	assert_true(world->values.truth);
	assert_int_equal(schema_set_number(&truth, &world->values, 2, &origin, &world->faults),
			 ERR_FAULTS);
	assert_int_equal(world->values.number, 20);
}

static void truth_and_enums_are_words(void **state)
{
	struct world *world = *state;

	expect_taken(world, FIELD_BOOL, "true", "true");
	expect_taken(world, FIELD_BOOL, "False", "false");
	expect_refused(world, FIELD_BOOL, "yes", "true or false");
	expect_taken(world, FIELD_ENUM, "Blue", "blue");
	assert_int_equal(world->values.colour, 2);
	expect_refused(world, FIELD_ENUM, "pink", "\"red\", \"green\" or \"blue\"");
	assert_int_equal(world->values.colour, 2);
}

static void places_are_addresses_prefixes_and_hosts(void **state)
{
	expect_taken(*state, FIELD_ADDRESS, "192.0.2.1", "192.0.2.1");
	expect_taken(*state, FIELD_ADDRESS, "2001:DB8::1", "2001:db8::1");
	expect_refused(*state, FIELD_ADDRESS, "192.0.2.256", "an address such as");
	expect_refused(*state, FIELD_ADDRESS, "192.0.2.1:54",
		       "includes a port; write it = \"192.0.2.1\", and for a target port = 54 ");
	expect_refused(*state, FIELD_ADDRESS, "[2001:db8::1]:53", "write it = \"2001:db8::1\",");
	expect_refused(*state, FIELD_ADDRESS, "[2001:db8::1]",
		       "has brackets; write it = \"2001:db8");
	expect_refused(*state, FIELD_ADDRESS, "2001:db8::12345", "does not fit; give an address");
	expect_refused(*state, FIELD_ADDRESS, "192.0.2.1/32", "is a prefix; give an address alone");
	expect_refused(*state, FIELD_ADDRESS, "192.0.2.1:65536",
		       "\"192.0.2.1:65536\" has the port 65536; a port is from 1 to 65535");
	expect_refused(*state, FIELD_ADDRESS, "192.0.2.256:1", "an address such as");
	expect_refused(*state, FIELD_DOMAIN, "contoso .corp.",
		       "\"contoso .corp.\" has a space in it; give a domain name such as");
	expect_taken(*state, FIELD_PREFIX, "10.10.0.0/16", "10.10.0.0/16");
	expect_refused(*state, FIELD_PREFIX, "10.10.0.1/16", "write \"10.10.0.0/16\"");
	expect_refused(*state, FIELD_PREFIX, "10.10.0.0/33", "a prefix such as");
	expect_refused(*state, FIELD_PREFIX, "10.10.0.0", "a prefix such as");
	expect_taken(*state, FIELD_HOST, "192.0.2.1", "192.0.2.1:53");
	expect_taken(*state, FIELD_HOST, "192.0.2.1:1", "192.0.2.1:1");
	expect_taken(*state, FIELD_HOST, "[2001:db8::1]:65535", "[2001:db8::1]:65535");
	expect_refused(*state, FIELD_HOST, "192.0.2.1:0", "has the port 0; a port is from 1");
	expect_refused(*state, FIELD_HOST, "[2001:db8::1]:65536", "has the port 65536;");
	expect_refused(*state, FIELD_HOST, "2001:db8::12345", "does not fit; give an address");
	expect_refused(*state, FIELD_HOST, "192.0.2.1:", "an address such as");
	expect_refused(*state, FIELD_HOST, "192.0.2.256:1", "an address such as");
}

static void a_secret_value_is_in_no_fault(void **state)
{
	struct world *world = *state;
	const struct origin origin = {.path = "events"};
	const struct field *field =
		schema_field(schema_field(&schema_model, "events")->group, "webhook");
	struct events_settings settings = {0};
	char text[3000];

	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	assert_int_equal(
		schema_set_text(field, &settings, text, &origin, &world->arena, &world->faults),
		ERR_FAULTS);
	assert_null(strstr(world->faults.items[0].text, "xxx"));
	assert_non_null(strstr(world->faults.items[0].text, "give a string of 1 to 2000"));
	faults_release(&world->faults);
	assert_int_equal(schema_set_text(field, &settings, "https://x\n", &origin, &world->arena,
					 &world->faults),
			 ERR_FAULTS);
	assert_null(strstr(world->faults.items[0].text, "does not fit"));
}

static void what_is_not_given_has_no_text(void **state)
{
	struct world *world = *state;

	assert_null(get(*state, FIELD_STRING));
	assert_null(get(*state, FIELD_ADDRESS));
	assert_null(get(*state, FIELD_PREFIX));
	assert_null(get(*state, FIELD_HOST));
	assert_string_equal(get(*state, FIELD_UINT), "0");
	world->values.number = NOT_GIVEN;
	assert_null(get(*state, FIELD_UINT));
}

static void a_slip_of_the_hand_is_suggested(void **state)
{
	(void)state;
	assert_string_equal(schema_suggest(&schema_model, "virtual_network")->key,
			    "virtual_networks");
	assert_string_equal(schema_suggest(&schema_model, "regoin")->key, "region");
	assert_string_equal(schema_suggest(&schema_model, "Rulesets")->key, "rulesets");
	assert_null(schema_suggest(&schema_model, "elephants"));
	assert_null(schema_suggest(&schema_model, "x"));
	assert_null(schema_suggest(&schema_model, ""));
	assert_null(schema_suggest(&schema_model,
				   "a_key_that_is_longer_than_any_key_that_anybody_would_write"));
}

/* The table. */

static void check_group(const struct group *group, unsigned depth)
{
	assert_true(depth < 6);
	assert_non_null(group->name);
	assert_non_null(group->doc);
	assert_true(group->count <= 64);
	for (size_t i = 0; i < group->count; i++) {
		const struct field *field = &group->fields[i];
		bool leads = field->type == FIELD_LIST || field->type == FIELD_GROUP;

		assert_ptr_equal(schema_field(group, field->key), field);
		assert_true(field->offset >= sizeof(struct origin) || field->type == FIELD_GONE);
		assert_true(field->offset < group->size);
		assert_true(strlen(field->doc) > 3 && field->doc[strlen(field->doc) - 1] == '.');
		assert_int_equal(field->type == FIELD_ENUM, field->names != NULL);
		assert_int_equal(leads, field->group != NULL);
		assert_false(field->required && field->fallback);
		if (field->type == FIELD_UINT64)
			assert_non_null(field->fallback);
		if (field->type == FIELD_UINT)
			assert_true(field->min <= field->max && field->max <= INT32_MAX);
		if (leads)
			check_group(field->group, depth + 1);
	}
}

static void the_table_does_not_contradict_itself(void **state)
{
	(void)state;
	check_group(&schema_model, 0);
}

static void defaults_are_azures_and_ours(void **state)
{
	struct model *model = model_new();
	struct target_server target = {0};
	const struct group *rule = schema_field(&schema_model, "rulesets")->group;
	const struct group *group =
		schema_field(schema_field(rule, "rules")->group, "targets")->group;

	(void)state;
	assert_int_equal(schema_defaults(&schema_model, model, &model->arena), 0);
	assert_int_equal(model->workers, 0);
	assert_int_equal(model->cache.size_bytes, 64 << 20);
	assert_int_equal(model->cache.ttl_max, 86400);
	assert_int_equal(model->cache.negative_ttl_max, 3600);
	assert_int_equal(model->cache.stale_max, 86400);
	assert_true(model->cache.prefetch);
	assert_int_equal(model->udp.payload_max, 1232);
	assert_int_equal(model->tcp.connections_max, 1000);
	assert_int_equal(model->tcp.connections_per_client_max, 100);
	assert_int_equal(model->tcp.idle_timeout_ms, 10000);
	assert_int_equal(model->tcp.pipeline_max, 100);
	assert_int_equal(model->log.level, LOG_INFO);
	assert_int_equal(model->log.format, LOG_AUTO);
	assert_int_equal(model->reverse.ttl, 3600);
	assert_string_equal(model->reverse.suffix, "cloudapp.azure.com");
	assert_string_equal(model->management.socket, "/run/sluice/control.sock");
	assert_false(model->management.given);
	assert_int_equal(model->limits.rules_per_ruleset, 1000);
	assert_int_equal(model->limits.queries_per_second_per_endpoint, 10000);
	assert_int_equal(model->limits.excess, EXCESS_TRUNCATE);
	assert_int_equal(model->response_limit.answers_per_second, 0);
	assert_int_equal(model->response_limit.negatives_per_second, 0);
	assert_int_equal(model->response_limit.errors_per_second, 0);
	assert_int_equal(schema_defaults(group, &target, &model->arena), 0);
	assert_int_equal(target.port, 53);
	assert_int_equal(target.protocol, PROTOCOL_UDP);
	model_free(model);
}

static void elements_are_scalars_of_their_own(void **state)
{
	const struct field *hosts =
		schema_field(schema_field(&schema_model, "vnet_resolver")->group, "listen");
	struct world *world = *state;
	struct origin origin = {.path = "vnet_resolver"};
	struct vnet_resolver resolver = {0};
	struct host pair[2] = {0};
	size_t size;
	struct field element = schema_element(hosts, "listen[1]", &size);

	assert_int_equal(size, sizeof(struct host));
	assert_int_equal(schema_set_text(&element, &pair[1], "192.0.2.1:54", &origin, &world->arena,
					 &world->faults),
			 0);
	schema_list_set(hosts, &resolver, (struct schema_list){pair, 2});
	assert_int_equal(resolver.listen.count, 2);
	assert_int_equal(resolver.listen.items[1].port, 54);
	assert_ptr_equal(schema_list_get(hosts, &resolver).items, pair);
	assert_int_equal(
		schema_set_text(&element, &pair[1], "x", &origin, &world->arena, &world->faults),
		ERR_FAULTS);
	assert_string_equal(world->faults.items[0].origin.path, "vnet_resolver.listen[1]");
}

static void items_are_counted_with_those_inside(void **state)
{
	struct target_server targets[3] = {{.port = 53}};
	struct forwarding_rule rules[] = {{.targets = {targets, 3}}, {.targets = {targets, 1}}};
	struct zone_link link = {.name = "hub"};
	const char *text = "VALUE";
	struct forwarding_ruleset rulesets[] = {
		{.rules = {rules, 2}, .outbound_endpoints = {&text, 1}}, {.rules = {rules, 1}}};
	struct private_zone zone = {.links = {&link, 1}};
	struct model model = {.origin = {.path = ""}};

	(void)state;
	assert_int_equal(schema_count(&schema_model, &model), 0);
	model.default_resolver.targets.items = targets;
	model.default_resolver.targets.count = 2;
	assert_int_equal(schema_count(&schema_model, &model), 2);
	model.rulesets.items = rulesets;
	model.rulesets.count = 2;
	model.private_zones.items = &zone;
	model.private_zones.count = 1;
	assert_int_equal(schema_count(&schema_model, &model),
			 2 + 2 + (2 + 3 + 1) + (1 + 3) + 1 + 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_are_1_to_80_plain_characters),
		TEST(names_of_networks_may_have_dots_inside),
		TEST(strings_have_no_characters_that_are_not_shown),
		TEST(a_strings_length_has_a_range),
		TEST(domains_paths_and_uuids_have_a_form),
		TEST(numbers_have_a_range),
		TEST(numbers_that_arrive_as_such_have_the_same_range),
		TEST(truth_and_enums_are_words),
		TEST(places_are_addresses_prefixes_and_hosts),
		TEST(a_secret_value_is_in_no_fault),
		TEST(what_is_not_given_has_no_text),
		TEST(elements_are_scalars_of_their_own),
		cmocka_unit_test(items_are_counted_with_those_inside),
		cmocka_unit_test(a_slip_of_the_hand_is_suggested),
		cmocka_unit_test(the_table_does_not_contradict_itself),
		cmocka_unit_test(defaults_are_azures_and_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
