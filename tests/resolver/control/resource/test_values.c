#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "resolver/control/resource/part.h"
#include "resolver/control/resource/values.h"
#include "rules/base.h"
#include "rules/schema/schema.h"
#include "tests/lib/config_text.h"

static const char everything[] =
	"region = \"west\";"
	"default_resolver = { targets = ( { address = \"192.0.2.1\"; } ); };"
	"virtual_networks = ( { name = \"hub\"; address_space = [ \"10.10.0.0/16\" ];"
	"  tags = [ \"b=2\", \"a=1\" ]; azure = [ \"sku.name=\\\"x\\\"\" ];"
	"  dns_servers = [ \"10.10.0.9:54\" ]; client_prefixes = [ \"192.0.2.0/24\" ];"
	"  subnets = ( { name = \"in\"; prefix = \"10.10.0.0/28\";"
	"                delegation = \"Microsoft.Network/dnsResolvers\"; },"
	"              { name = \"out\"; prefix = \"10.10.0.16/28\";"
	"                delegation = \"Microsoft.Network/dnsResolvers\"; },"
	"              { name = \"apps\"; prefix = \"10.10.1.0/24\"; } );"
	"  peerings = ( { name = \"to.spoke\"; azure = [ \"peeringState=\\\"Connected\\\"\" ]; } "
	"); } );"
	"resolvers = ( { name = \"r\"; virtual_network = \"hub\";"
	"  inbound_endpoints = ( { name = \"in\"; subnet = \"in\"; allow = [ \"10.0.0.0/8\" ]; } );"
	"  outbound_endpoints = ( { name = \"out\"; subnet = \"out\"; } ); } );"
	"private_zones = ( { name = \"corp.test\"; resource_group = \"Zones\";"
	"  links = ( { name = \"hub\"; virtual_network = \"hub\"; } ); },"
	"  { name = \"sets.test\"; record_sets = ("
	"    { name = \"www:A\"; ttl = 60; records = [ \"10.0.0.1\", \"10.0.0.2\" ];"
	"      metadata = [ \"a=b\" ]; },"
	"    { name = \"@:TXT\"; records = [ \"\\\"one; two\\\"\" ]; } ); } );"
	"rulesets = ( { name = \"office\"; outbound_endpoints = [ \"r/out\" ];"
	"  links = ( { name = \"hub\"; virtual_network = \"hub\"; } );"
	"  target_groups = ( { name = \"dc\"; description = \"Berlin\";"
	"    targets = ( { address = \"10.1.1.2\"; description = \"new\"; } ); } );"
	"  rules = ( { name = \"contoso\"; domain = \"contoso.corp.\"; state = \"Disabled\";"
	"              follow_cname = true; description = \"old\"; metadata = [ \"a=b\" ];"
	"              targets = ( { address = \"10.1.1.1\"; port = 5353;"
	"              protocol = \"tcp\"; }, { address = \"2001:db8::1\"; } ); },"
	"            { name = \"fabrikam\"; domain = \"fabrikam.corp.\"; target_group = \"dc\"; } "
	"); "
	"} );"
	"network_interfaces = ( { name = \"vm.nic\"; label = \"vm\"; tags = [ \"a=b\" ];"
	"  private_endpoint = \"store\"; azure = [ \"macAddress=\\\"00\\\"\" ];"
	"  ip_configurations = ( { name = \"one\"; subnet = \"hub/apps\"; primary = true;"
	"                          allocation = \"static\"; address = \"10.10.1.4\"; } ); } );"
	"private_endpoints = ( { name = \"store\"; subnet = \"hub/apps\"; tags = [ \"a=b\" ];"
	"  network_interface = \"vm.nic\"; azure = [ \"customDnsConfigs=[]\" ];"
	"  zone_groups = ( { name = \"default\";"
	"                    zones = ( { name = \"c\"; zone = \"sets.test\"; } ); } ); } );"
	"address_pools = ( { name = \"pool\"; prefix = \"198.51.100.0/24\"; } );"
	"keys = ( { name = \"xfr\"; secret_file = \"secret\"; } );"
	"management = { clients = ( { id = \"ops\"; secret_file = \"secret\"; } ); };"
	"transfers = ( { zones = [ \"corp.test\" ]; key = \"xfr\"; } );";

struct fixture {
	struct config_text config;
	struct model *model;
	struct arena arena;
	struct faults faults;
	size_t checked[KIND_COUNT]; /* items of each kind */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	config_text_init(&f->config);
	config_text_put(&f->config, "secret", "c2VjcmV0c2VjcmV0\n");
	f->model = config_text_load(&f->config, everything);
	arena_init(&f->arena);
	faults_init(&f->faults);
	*state = f;
	return f->model ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	model_free(f->model);
	config_text_release(&f->config);
	arena_release(&f->arena);
	faults_release(&f->faults);
	free(f);
	return 0;
}

/* Reads what was printed and prints it again. */
static void check_round_trip(struct fixture *f, const struct kind *kind, const void *item)
{
	static const struct origin origin = {.path = "here"};
	void *again = arena_alloc(&f->arena, kind_field(kind)->group->size);
	json_t *printed = values_print(kind, NULL, item), *second;

	values_read(kind, printed, again, &origin, &f->arena, &f->faults);
	faults_print(&f->faults, stderr);
	assert_int_equal(f->faults.errors, 0);
	second = values_print(kind, NULL, again);
	assert_true(json_equal(printed, second));
	json_decref(printed);
	json_decref(second);
}

static void check_list(struct fixture *f, const struct kind *kind, const void *in)
{
	const struct field *list = kind_field(kind);
	struct schema_list items = kind_list(kind, in);

	for (size_t i = 0; i < items.count; i++) {
		const char *item = (const char *)items.items + i * list->group->size;

		check_round_trip(f, kind, item);
		for (size_t k = 0; k < KIND_COUNT; k++)
			if (kinds[k].parent == kind)
				check_list(f, &kinds[k], item);
	}
	f->checked[kind - kinds] += items.count;
}

static void what_is_printed_of_every_kind_reads_back_the_same(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < KIND_COUNT; i++)
		if (!kinds[i].parent)
			check_list(f, &kinds[i], f->model);
	for (size_t i = 0; i < KIND_COUNT; i++)
		assert_true(f->checked[i] > 0);
}

/* The file is shown among the zone's values; a resource of the state cannot have a file. */
static void a_zone_s_file_is_for_the_configuration_alone(void **state)
{
	static const struct origin origin = {.path = "here"};
	const struct private_zone filed = {.name = "filed.test", .file = "/etc/zone"};
	struct fixture *f = *state;
	struct private_zone again;
	json_t *printed = values_print(kind_named("zone"), NULL, &filed);

	assert_string_equal(json_string_value(json_object_get(printed, "file")), "/etc/zone");
	values_read(kind_named("zone"), printed, &again, &origin, &f->arena, &f->faults);
	assert_int_equal(f->faults.errors, 1);
	assert_non_null(strstr(f->faults.items[0].text, "is for zones of the configuration file"));
	json_decref(printed);
}

static void a_path_is_printed_from_the_root(void **state)
{
	struct management_client client = {.id = "ops", .secret_file = "ops.secret"};
	json_t *printed = values_print(kind_named("client"), NULL, &client);
	const char *path = json_string_value(json_object_get(printed, "secret_file"));
	char *working = getcwd(NULL, 0);

	(void)state;
	assert_non_null(working);
	assert_memory_equal(path, working, strlen(working));
	assert_string_equal(path + strlen(working), "/ops.secret");
	free(working);
	json_decref(printed);
}

static void a_kind_is_found_by_each_of_its_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		assert_ptr_equal(kind_named(kinds[i].name), &kinds[i]);
		assert_ptr_equal(kind_of_id(kinds[i].id), &kinds[i]);
		assert_ptr_equal(kind_of_collection(kinds[i].parent, kinds[i].collection),
				 &kinds[i]);
		assert_ptr_equal(kind_of_field(kinds[i].parent, kind_field(&kinds[i])), &kinds[i]);
		/* The file's reader takes it from the field table. */
		if (!kinds[i].parent)
			assert_int_equal(kinds[i].scope == SCOPE_GROUP,
					 kind_field(&kinds[i])->group->named);
	}
	assert_null(kind_named("rules"));
	assert_null(kind_of_collection(NULL, "rules"));
}

/* JSON into a rule; how many faults, of which the first has that text. */
static size_t refused(struct fixture *f, const char *json, const char *path, const char *text)
{
	static const struct origin origin = {.path = "rules[r]"};
	struct forwarding_rule rule;
	json_t *values = json_loads(json, JSON_DECODE_ANY, NULL);

	faults_release(&f->faults);
	faults_init(&f->faults);
	values_read(kind_named("rule"), values, &rule, &origin, &f->arena, &f->faults);
	json_decref(values);
	if (f->faults.count > 0) {
		assert_string_equal(f->faults.items[0].origin.path, path);
		assert_non_null(strstr(f->faults.items[0].text, text));
	}
	return f->faults.count;
}

static void what_does_not_fit_is_a_fault_with_its_place(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(refused(f, "7", "rules[r]", "is an integer; give an object: {...}"), 1);
	assert_int_equal(refused(f, "{\"name\": \"r\", \"domain\": \"x.\", \"targets\": {}}",
				 "rules[r].targets", "give an array of objects"),
			 1);
	assert_int_equal(
		refused(f,
			"{\"name\": \"r\", \"domain\": \"x.\", \"targets\": [{\"address\": "
			"\"10.0.0.1\", \"port\": \"53\"}]}",
			"rules[r].targets[0].port", "without quotes"),
		1);
	assert_int_equal(refused(f, "{\"name\": \"r\", \"domain\": \"x.\", \"targets\": [3]}",
				 "rules[r].targets[0]", "give an object"),
			 1);
	assert_int_equal(refused(f, "{\"name\": \"r\"}", "rules[r].domain", "is missing"), 1);
	assert_int_equal(refused(f,
				 "{\"name\": \"r\", \"domain\": \"x.\", \"state\": null, "
				 "\"targets\": [{\"address\": \"10.0.0.1\"}]}",
				 "", ""),
			 0);
}

static void what_is_a_kind_of_its_own_is_no_value(void **state)
{
	static const struct origin origin = {.path = "rulesets[office]"};
	struct fixture *f = *state;
	struct forwarding_ruleset ruleset;
	json_t *printed = values_print(kind_named("ruleset"), NULL, &f->model->rulesets.items[0]);

	assert_null(json_object_get(printed, "rules"));
	json_object_set_new(printed, "rules", json_array());
	values_read(kind_named("ruleset"), printed, &ruleset, &origin, &f->arena, &f->faults);
	assert_int_equal(f->faults.count, 1);
	assert_string_equal(f->faults.items[0].origin.path, "rulesets[office].rules");
	json_decref(printed);
}

static void the_schema_has_a_types_range_and_default_of_every_member(void **state)
{
	json_t *schema = values_schema(kind_named("rule"));
	const json_t *targets = json_object_get(json_object_get(schema, "properties"), "targets");
	const json_t *port = json_object_get(
		json_object_get(json_object_get(targets, "items"), "properties"), "port");

	(void)state;
	assert_string_equal(json_string_value(json_object_get(port, "type")), "integer");
	assert_int_equal(json_integer_value(json_object_get(port, "maximum")), 65535);
	assert_int_equal(json_integer_value(json_object_get(port, "default")), 53);
	assert_int_equal(json_array_size(json_object_get(schema, "required")), 2);
	assert_null(json_object_get(json_object_get(schema, "properties"), "rules"));
	json_decref(schema);
}

static void refers_to(const char *kind, const char *key, const char *other, const char *by)
{
	json_t *schema = values_schema(kind_named(kind));
	const json_t *member = json_object_get(json_object_get(schema, "properties"), key);
	const json_t *refers = json_object_get(member, "x-refers");

	assert_non_null(member);
	if (other) {
		assert_string_equal(json_string_value(json_object_get(refers, "kind")), other);
		assert_string_equal(json_string_value(json_object_get(refers, "by")), by);
	} else {
		assert_null(refers);
	}
	json_decref(schema);
}

static void the_schema_tells_what_a_member_is_the_name_of(void **state)
{
	(void)state;
	refers_to("rule", "target_group", "target-group", "name");
	refers_to("ruleset", "outbound_endpoints", "outbound-endpoint", "path");
	refers_to("zone-link", "virtual_network", "network", "path");
	refers_to("private-endpoint", "subnet", "subnet", "path");
	refers_to("inbound-endpoint", "subnet", "subnet", "name");
	refers_to("network", "resource_group", "group", "name");
	refers_to("transfer", "key", "key", "name");
	refers_to("address-pool", "zone", NULL, NULL); /* the name of a zone that is made of it */
	refers_to("service", "address", NULL, NULL);
}

static void what_is_chosen_where_it_is_not_given_is_not_required(void **state)
{
	json_t *schema = values_schema(kind_named("address")), *name;
	size_t i;

	(void)state;
	assert_true(json_is_true(json_object_get(
		json_object_get(json_object_get(schema, "properties"), "address"), "x-chosen")));
	json_array_foreach(json_object_get(schema, "required"), i, name)
		assert_string_not_equal(json_string_value(name), "address");
	json_decref(schema);
}

static void a_path_has_one_key_whatever_its_case_and_sorts_behind_its_parents(void **state)
{
	struct path path = {kind_named("zone-link"), "-", {"0/25.Example%.test", "Hub"}};
	char key[PATH_MAX_BYTES], parent[PATH_MAX_BYTES];
	char long_name[PATH_MAX_BYTES + 1];
	struct fixture *f = *state;

	assert_int_equal(path_key(&path, key), 0);
	assert_string_equal(key, "-/0%2f25.example%25.test/hub");
	assert_string_equal(path_text(&path, &f->arena),
			    "private_zones[0/25.Example%.test].links[Hub]");
	assert_string_equal(path_name(&path), "Hub");
	path.kind = kind_named("zone");
	assert_int_equal(path_key(&path, parent), 0);
	assert_true(strcmp(parent, key) < 0);
	memset(long_name, 'a', PATH_MAX_BYTES);
	long_name[PATH_MAX_BYTES] = '\0';
	path.names[0] = long_name;
	assert_int_equal(path_key(&path, key), ERR_LIMIT);
}

static void an_item_is_found_by_its_path_in_any_case(void **state)
{
	struct fixture *f = *state;
	struct path path = {kind_named("rule"), "-", {"OFFICE", "Contoso"}};
	const void *item = part_find(f->model, &path);

	assert_ptr_equal(item, &f->model->rulesets.items[0].rules.items[0]);
	assert_string_equal(part_name(path.kind, item), "contoso");
	assert_non_null(part_origin(item).file);
	path.names[1] = "other";
	assert_null(part_find(f->model, &path));
	path.names[0] = "nowhere";
	assert_null(part_find(f->model, &path));
}

static void settings_are_what_is_no_resource_without_what_is_secret(void **state)
{
	struct fixture *f = *state;
	json_t *settings;
	struct model *model =
		config_text_load(&f->config, "region = \"west\"; limits = { zone_labels_min = 1; };"
					     "events = { webhook = \"https://hook.test/secret\"; };"
					     "virtual_networks = ( { name = \"hub\"; } );"
					     "management = { state = \"state.db\"; };");

	assert_non_null(model);
	settings = values_print_settings(model);
	assert_string_equal(json_string_value(json_object_get(settings, "region")), "west");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(settings, "limits"),
							    "zone_labels_min")),
			 1);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(settings, "cache"), "ttl_max")),
		86400);
	assert_null(json_object_get(json_object_get(settings, "events"), "webhook"));
	assert_null(json_object_get(settings, "management"));
	assert_null(json_object_get(settings, "virtual_networks"));
	json_decref(settings);
	model_free(model);
}

/* Also inside lists: the state keeps them in full, and they are shown as short as they can be. */
static void references_are_made_full_and_short(void **state)
{
	static const struct {
		const char *kind, *given, *full;
	} cases[] = {
		{"network-interface",
		 "{\"ip_configurations\": [{\"subnet\": \"hub/apps\"}, {\"subnet\": \"-/hub/in\"}, "
		 "5]}",
		 "{\"ip_configurations\": [{\"subnet\": \"-/hub/apps\"}, {\"subnet\": "
		 "\"-/hub/in\"}, 5]}"},
		{"private-endpoint", "{\"subnet\": \"hub/apps\"}", "{\"subnet\": \"-/hub/apps\"}"},
		{"zone-group", "{\"zones\": [{\"zone\": \"corp.test\"}, {\"zone\": \"none\"}]}",
		 "{\"zones\": [{\"zone\": \"Zones/corp.test\"}, {\"zone\": \"none\"}]}"},
		{"ruleset", "{\"outbound_endpoints\": [\"r/out\"]}",
		 "{\"outbound_endpoints\": [\"-/r/out\"]}"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct kind *kind = kind_named(cases[i].kind);
		json_t *values = json_loads(cases[i].given, 0, NULL);
		json_t *full = json_loads(cases[i].full, 0, NULL);
		bool changed;

		assert_int_equal(values_refer(kind, "other", f->model, values, &changed), 0);
		assert_true(changed);
		assert_true(json_equal(values, full));
		assert_int_equal(values_refer(kind, "other", f->model, values, &changed), 0);
		assert_false(changed);
		values_shorten(kind, "zones",
			       values); /* of the zone's own group, and of no other's */
		assert_int_equal(json_equal(values, full),
				 strcmp(cases[i].kind, "zone-group") != 0);
		json_decref(values);
		json_decref(full);
	}
}

static bool is_default(const char *kind, const char *key, json_t *value)
{
	bool is = values_is_default(kind_named(kind), key, value);

	json_decref(value);
	return is;
}

static void a_default_is_the_tables_or_empty(void **state)
{
	(void)state;
	assert_true(is_default("network", "encryption", json_false()));
	assert_false(is_default("network", "encryption", json_true()));
	assert_true(is_default("network", "address_space", json_array()));
	assert_true(is_default("network", "tags", json_object()));
	assert_false(is_default("network", "tags", json_pack("{s:s}", "a", "")));
	assert_true(is_default("record-set", "ttl", json_integer(3600)));
	assert_false(is_default("record-set", "ttl", json_integer(60)));
	assert_true(is_default("rule", "state", json_string("Enabled")));
	assert_false(is_default("rule", "domain", json_string("contoso.corp.")));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_printed_of_every_kind_reads_back_the_same),
		TEST(references_are_made_full_and_short),
		TEST(a_zone_s_file_is_for_the_configuration_alone),
		TEST(a_path_is_printed_from_the_root),
		TEST(a_kind_is_found_by_each_of_its_names),
		TEST(what_does_not_fit_is_a_fault_with_its_place),
		TEST(what_is_a_kind_of_its_own_is_no_value),
		TEST(the_schema_has_a_types_range_and_default_of_every_member),
		TEST(the_schema_tells_what_a_member_is_the_name_of),
		TEST(what_is_chosen_where_it_is_not_given_is_not_required),
		TEST(a_path_has_one_key_whatever_its_case_and_sorts_behind_its_parents),
		TEST(an_item_is_found_by_its_path_in_any_case),
		TEST(settings_are_what_is_no_resource_without_what_is_secret),
		TEST(a_default_is_the_tables_or_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
