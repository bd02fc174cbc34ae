/* The configuration file: what is read, what is wrong with it and where, and that it is written
 * back equal. */
#include "resolver/control/config/file.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "resolver/control/config/write.h"
#include "rules/schema/schema.h"
#include "rules/zone/zone.h"
#include "tests/lib/config_text.h"

#ifdef __SANITIZE_ADDRESS__ /* nothing else looks for leaks */
#include <sanitizer/lsan_interface.h>
#else
#define __lsan_disable() ((void)0)
#define __lsan_enable()  ((void)0)
#endif

/* Every group and nearly every key. */
static const char everything[] =
	"subscription = \"11111111-2222-3333-4444-555555555555\";\n"
	"region = \"westeurope\"; workers = 3; reserved_domains = ( \"windows.net\" );\n"
	"default_resolver = { targets = ( { address = \"192.0.2.53\"; port = 5353; protocol = "
	"\"tcp\"; }, { address = \"2001:db8::1\"; } ); special_names = \"forward\"; };\n"
	"vnet_resolver = { listen = [ \"168.63.129.16:53\", \"[::1]:5399\" ]; };\n"
	"virtual_networks = (\n"
	"  { name = \"hub\"; address_space = [ \"10.10.0.0/16\", \"fd00::/64\" ];\n"
	"    client_prefixes = [ \"127.0.0.0/8\" ];\n"
	"    subnets = ( { name = \"dns-in\"; prefix = \"10.10.0.0/28\"; delegation = "
	"\"Microsoft.Network/dnsResolvers\"; },\n"
	"      { name = \"dns-out\"; prefix = \"10.10.0.16/28\"; delegation = "
	"\"Microsoft.Network/dnsResolvers\"; },\n"
	"      { name = \"apps\"; prefix = \"10.10.1.0/24\"; } );\n"
	"    peerings = ( { name = \"to.spoke\"; azure = [ \"peeringState=\\\"Connected\\\"\" ]; } "
	"); },\n"
	"  { name = \"spoke.1\"; region = \"north\"; encryption = true; address_space = [ "
	"\"10.20.0.0/16\" ]; dns_servers = [ \"10.10.0.4\", \"192.0.2.1:54\" ];\n"
	"    tags = [ \"a\\\\=b\\\\\\\\=c=d\", \"back\\\\slash=\\\\\" ];\n"
	"    azure = [ \"subnets[0].x={\\\"a\\\": [1, \\\"\\\\n\\\"]}\" ]; } );\n"
	"resolvers = ( { name = \"hub-resolver\"; virtual_network = \"hub\";\n"
	"  inbound_endpoints = ( { name = \"inbound\"; subnet = \"dns-in\"; allocation = "
	"\"static\"; address = \"10.10.0.4\"; listen = \"127.0.0.1:5300\";\n"
	"    allow = [ \"10.0.0.0/8\", \"fd00::/8\" ]; } );\n"
	"  outbound_endpoints = ( { name = \"outbound\"; subnet = \"dns-out\"; source = "
	"\"0.0.0.0\"; } ); } );\n"
	"private_zones = ( { name = \"corp.internal\"; file = \"zone\";\n"
	"  links = ( { name = \"hub-link\"; virtual_network = \"hub\"; registration = true; } ); "
	"},\n"
	"  { name = \"privatelink.test\"; file = \"zone\"; links = ( { name = \"l\"; "
	"virtual_network = \"hub\"; resolution_policy = \"NxDomainRedirect\"; } ); } );\n"
	"rulesets = ( { name = \"onprem\"; outbound_endpoints = [ \"hub-resolver/outbound\" ];\n"
	"  links = ( { name = \"hub-link\"; virtual_network = \"hub\"; metadata = [ \"a=b\" ]; "
	"} );\n"
	"  rules = ( { name = \"contoso\"; domain = \"con\\\\046toso.corp.\"; state = "
	"\"Disabled\"; follow_cname = true; targets = ( { address = \"127.0.0.1\"; port = 5301; } "
	"); } ); } );\n"
	"network_interfaces = ( { name = \"vm.nic\"; resource_group = \"G\"; label = \"vm-1\";\n"
	"  private_endpoint = \"store\"; ip_configurations = (\n"
	"    { name = \"one\"; subnet = \"hub/apps\"; address = \"10.10.1.4\"; },\n"
	"    { name = \"two\"; subnet = \"hub/apps\"; address = \"10.10.1.5\"; allocation = "
	"\"static\"; "
	"primary = true; } ); } );\n"
	"private_endpoints = ( { name = \"store\"; resource_group = \"G\"; subnet = "
	"\"-/hub/apps\";\n"
	"  network_interface = \"vm.nic\"; zone_groups = ( { name = \"default\";\n"
	"    zones = ( { name = \"c\"; zone = \"privatelink.test\"; } ); } ); } );\n"
	"limits = { queries_per_second_per_endpoint = 0; rules_per_ruleset = 2000; "
	"excess = \"truncate\"; };\n"
	"management = { socket = \"control.sock\"; listen = [ \"https://127.0.0.1:8443\" ];\n"
	"  certificate = \"server.pem\"; key = \"/etc/server.key\"; state = \"state.db\";\n"
	"  hosts = [ \"dns.example\", \"2001:db8::1\" ];\n"
	"  clients = ( { id = \"ops\"; secret_file = \"ops.secret\"; role = \"admin\"; } ); };\n"
	"address_pools = ( { name = \"public\"; prefix = \"198.51.100.0/24\"; } );\n"
	"addresses = ( { name = \"PublicIp\"; resource_group = \"G\"; id = "
	"\"6f8b4ce6-1111-4d2e-9c55-0242ac120002\"; region = \"westeurope\";\n"
	"  address = \"198.51.100.10\"; allocation = \"static\"; domain_name_label = "
	"\"contosoapp1\"; reverse_fqdn = \"app1.contoso.com.\"; description = \"say \\\"hi\\\" "
	"\\\\o\"; ttl = 60; tags = [ \"team=mail\", \"of=a=b\", \"none=\" ]; } );\n"
	"cloud_services = ( { name = \"svc\"; id = \"6f8b4ce6-2222-4d2e-9c55-0242ac120002\";\n"
	"  description = \"App1\"; address = \"198.51.100.20\"; reverse_fqdn = "
	"\"svc.cloudapp.net.\"; ptr_description = \"its PTR\"; ttl = 0; },\n"
	"  { name = \"plain\"; address = \"198.51.100.21\"; } );\n"
	"reverse = { suffix = \"a.test\"; service_suffix = \"b.test\"; ttl = 7200; ipv6 = true; "
	"name_servers = [ \"ns1.test\" ]; hostmaster = \"h.test\"; resolve_in = \"hub\"; };\n"
	"cache = { size_bytes = 8589934592L; ttl_min = 5; ttl_max = 600; negative_ttl_max = 7; "
	"stale_max = 0; prefetch = false; };\n"
	"udp = { payload_max = 4096; };\n"
	"tcp = { connections_max = 7; connections_per_client_max = 6; idle_timeout_ms = 5; "
	"pipeline_max = 4; };\n"
	"response_limit = { answers_per_second = 1; negatives_per_second = 2; "
	"errors_per_second = 3; slip = 4; ipv4_prefix_length = 5; ipv6_prefix_length = 6; };\n"
	"log = { level = \"debug\"; format = \"json\"; };\n"
	"identity = { version = \"v\"; server = \"s\"; details = false; };\n";

static int set_up(void **state)
{
	struct config_text *config = calloc(1, sizeof *config);

	config_text_init(config);
	config_text_put(config, "zone", "www A 192.0.2.1\n");
	*state = config;
	return 0;
}

static int tear_down(void **state)
{
	config_text_release(*state);
	free(*state);
	return 0;
}

/* One fault, at this line, with this path and text. */
static void expect_fault(struct config_text *config, const char *text, unsigned line,
			 const char *path, const char *says)
{
	const struct fault *fault = &config->faults.items[0];

	assert_null(config_text_load(config, text));
	fault = &config->faults.items[0];
	if (config->faults.count != 1)
		faults_print(&config->faults, stderr);
	assert_int_equal(config->faults.count, 1);
	assert_int_equal(fault->origin.line, line);
	assert_string_equal(fault->origin.path ? fault->origin.path : "", path);
	if (!strstr(fault->text, says))
		assert_string_equal(fault->text, says);
	assert_string_equal(fault->origin.file, config->main_file);
}

static struct model *expect_fine(struct config_text *config, const char *text)
{
	struct model *model = config_text_load(config, text);

	if (!model)
		faults_print(&config->faults, stderr);
	assert_non_null(model);
	return model;
}

static void what_is_not_set_has_its_default(void **state)
{
	struct model *model = expect_fine(*state, "workers = 0;");

	assert_int_equal(model->virtual_networks.count, 0);
	assert_false(model->default_resolver.given);
	assert_int_equal(model->cache.size_bytes, 64 << 20);
	model_free(model);
}

static void every_key_lands_in_its_member(void **state)
{
	struct config_text *config = *state;
	struct model *model = expect_fine(config, everything);
	const struct virtual_network *spoke = &model->virtual_networks.items[1];
	const struct forwarding_rule *rule = &model->rulesets.items[0].rules.items[0];
	const struct network_interface *vm = &model->network_interfaces.items[0];
	char path[128];

	assert_int_equal(model->workers, 3);
	assert_string_equal(model->reserved_domains.items[0], "windows.net");
	assert_true(model->default_resolver.given);
	assert_int_equal(model->default_resolver.special_names, SPECIAL_FORWARD);
	assert_int_equal(model->default_resolver.targets.items[0].protocol, PROTOCOL_TCP);
	assert_int_equal(model->default_resolver.targets.items[1].port, 53);
	assert_int_equal(model->vnet_resolver.listen.items[1].port, 5399);
	assert_true(spoke->encryption);
	assert_string_equal(spoke->region, "north");
	assert_string_equal(spoke->tags.items[0].name, "a=b\\");
	assert_string_equal(spoke->tags.items[0].value, "c=d");
	assert_string_equal(spoke->tags.items[1].name, "back\\slash");
	assert_string_equal(spoke->tags.items[1].value, "\\");
	assert_string_equal(spoke->azure.items[0].name, "subnets[0].x");
	assert_string_equal(spoke->azure.items[0].value, "{\"a\": [1, \"\\n\"]}");
	assert_int_equal(spoke->dns_servers.items[1].port, 54);
	assert_string_equal(rule->domain, "con\\046toso.corp.");
	assert_int_equal(rule->state, RULE_DISABLED);
	assert_true(rule->follow_cname);
	assert_int_equal(model->limits.rules_per_ruleset, 2000);
	assert_int_equal(model->limits.excess, EXCESS_TRUNCATE);
	assert_int_equal(model->resolvers.items[0].inbound_endpoints.items[0].allow.count, 2);
	assert_int_equal(model->response_limit.slip, 4);
	assert_int_equal(model->cache.size_bytes, UINT64_C(8589934592));
	assert_string_equal(model->addresses.items[0].ptr_description, "say \"hi\" \\o");
	assert_int_equal(model->management.clients.items[0].role, ROLE_ADMIN);
	assert_string_equal(model->management.key, "/etc/server.key");
	snprintf(path, sizeof path, "%s/control.sock", config->directory);
	assert_string_equal(model->management.socket, path);
	snprintf(path, sizeof path, "%s/ops.secret", config->directory);
	assert_string_equal(model->management.clients.items[0].secret_file, path);
	assert_non_null(model->private_zones.items[1].zone);
	assert_int_equal(model->private_zones.items[1].links.items[0].resolution_policy,
			 RESOLUTION_NXDOMAIN_REDIRECT);
	assert_true(vm->ip_configurations.items[1].primary);
	assert_int_equal(vm->ip_configurations.items[1].allocation, ALLOCATION_STATIC);
	assert_string_equal(vm->ip_configurations.items[1].origin.path,
			    "network_interfaces[G/vm.nic].ip_configurations[two]");
	assert_string_equal(vm->full_name, "G/vm.nic");
	assert_string_equal(
		model->private_endpoints.items[0].zone_groups.items[0].zones.items[0].zone,
		"privatelink.test");
	assert_string_equal(rule->origin.path, "rulesets[onprem].rules[contoso]");
	assert_string_equal(rule->targets.items[0].origin.path,
			    "rulesets[onprem].rules[contoso].targets[0]");
	model_free(model);
}

/* Round trip: the two models are compared through the field table. */

static void assert_groups_equal(const struct group *group, const void *a, const void *b);

static void assert_arrays_equal(const struct field *field, const void *a, const void *b)
{
	struct schema_list left = schema_list_get(field, a), right = schema_list_get(field, b);
	char left_text[128], right_text[128];
	size_t size;
	struct field element = schema_element(field, field->key, &size);

	assert_int_equal(left.count, right.count);
	for (size_t i = 0; i < left.count; i++)
		assert_string_equal(schema_get_text(&element, (char *)left.items + i * size,
						    left_text, sizeof left_text),
				    schema_get_text(&element, (char *)right.items + i * size,
						    right_text, sizeof right_text));
}

static void assert_tags_equal(const struct field *field, const void *a, const void *b)
{
	struct schema_list left = schema_list_get(field, a), right = schema_list_get(field, b);
	const struct tag *one = left.items, *other = right.items;

	assert_int_equal(left.count, right.count);
	for (size_t i = 0; i < left.count; i++) {
		assert_string_equal(one[i].name, other[i].name);
		assert_string_equal(one[i].value, other[i].value);
	}
}

static void assert_lists_equal(const struct field *field, const void *a, const void *b)
{
	struct schema_list left = schema_list_get(field, a), right = schema_list_get(field, b);

	assert_int_equal(left.count, right.count);
	for (size_t i = 0; i < left.count; i++)
		assert_groups_equal(field->group, (char *)left.items + i * field->group->size,
				    (char *)right.items + i * field->group->size);
}

static void assert_scalars_equal(const struct field *field, const void *a, const void *b)
{
	char left_text[128], right_text[128];
	const char *left = schema_get_text(field, a, left_text, sizeof left_text);
	const char *right = schema_get_text(field, b, right_text, sizeof right_text);

	if (left && right)
		assert_string_equal(left, right);
	else if (left || right)
		fail_msg("%s is %s, and was %s", field->key, right ? right : "not given",
			 left ? left : "not given");
}

static void assert_groups_equal(const struct group *group, const void *a, const void *b)
{
	if (group->given_offset)
		assert_memory_equal((char *)a + group->given_offset,
				    (char *)b + group->given_offset, sizeof(bool));
	for (size_t i = 0; i < group->count; i++) {
		const struct field *field = &group->fields[i];
		switch (field->type) {
		case FIELD_GROUP:
			assert_groups_equal(field->group, (char *)a + field->offset,
					    (char *)b + field->offset);
			break;
		case FIELD_LIST: assert_lists_equal(field, a, b); break;
		case FIELD_STRINGS:
		case FIELD_DOMAINS:
		case FIELD_HOSTS:
		case FIELD_PREFIXES: assert_arrays_equal(field, a, b); break;
		case FIELD_TAGS: assert_tags_equal(field, a, b); break;
		default: assert_scalars_equal(field, a, b);
		}
	}
}

static void expect_round_trip(struct config_text *config, const char *text)
{
	struct model *before = expect_fine(config, text), *after;
	struct config_text other;
	FILE *out;

	config_text_init(&other);
	out = config_text_open(&other, "sluice.conf");
	assert_int_equal(config_file_write(before, out), 0);
	fclose(out);
	after = config_text_read(&other, NULL);
	if (!after)
		faults_print(&other.faults, stderr);
	assert_non_null(after);
	assert_groups_equal(&schema_model, before, after);
	model_free(after);
	model_free(before);
	config_text_release(&other);
}

static void what_is_written_reads_back_equal(void **state)
{
	expect_round_trip(*state, everything);
}

static void defaults_are_written_and_read_back_equal(void **state)
{
	expect_round_trip(*state, "region = \"here\";\n");
}

/* A setting outside the lists, such as `reverse`, is in no group. So its reference names the group,
 * even if the item that was written before it is in that group. */
static void a_reference_outside_the_items_keeps_its_group(void **state)
{
	expect_round_trip(
		*state,
		"virtual_networks = ( { name = \"hub\"; address_space = [ \"10.1.0.0/16\" ]; },\n"
		"  { name = \"hub\"; resource_group = \"b\"; address_space = [ "
		"\"10.2.0.0/16\" ]; } );\n"
		"private_zones = ( { name = \"x.test\"; links = ( { name = \"l\"; virtual_network "
		"= \"hub\"; } ); },\n"
		"  { name = \"x.test\"; resource_group = \"b\"; links = ( { name = \"l\"; "
		"virtual_network = \"hub\"; } ); } );\n"
		"reverse = { resolve_in = \"b/hub\"; };\n"
		"keys = ( { name = \"k\"; secret = \"MDEyMzQ1Njc4OWFiY2RlZg==\"; } );\n"
		"transfers = ( { name = \"t\"; resource_group = \"b\"; zones = [ \"x.test\" ]; "
		"allow = [ \"192.0.2.0/24\" ]; } );\n"
		"registration = ( { zone = \"b/x.test\"; prefixes = [ \"10.2.0.0/16\" ]; keys = ( "
		"{ key = \"k\"; } ); } );\n"
		"query_log = { networks = [ \"b/hub\", \"hub\" ]; };\n");
}

/* The directory is put before the paths, whatever it is called. */
static void the_working_directory_is_written_with_escapes(void **state)
{
	static const char name[] = "a\"b\\c";
	struct config_text *config = *state;
	char before[PATH_MAX], path[PATH_MAX], expected[PATH_MAX + 16];
	struct model *model = expect_fine(config, "management = { socket = \"x\"; };\n"), *after;
	FILE *out = config_text_open(config, "sluice.conf");

	model->management.socket = "control.sock";
	assert_non_null(getcwd(before, sizeof before));
	snprintf(path, sizeof path, "%s/%s", config->directory, name);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chdir(path), 0);
	assert_int_equal(config_file_write(model, out), 0);
	fclose(out);
	assert_int_equal(chdir(before), 0);
	rmdir(path);
	model_free(model);
	after = config_text_read(config, NULL);
	if (!after)
		faults_print(&config->faults, stderr);
	assert_non_null(after);
	snprintf(expected, sizeof expected, "%s/control.sock", path);
	assert_string_equal(after->management.socket, expected);
	model_free(after);
}

static void a_full_disk_is_an_error_of_writing(void **state)
{
	struct model *model = expect_fine(*state, everything);
	FILE *full = fopen("/dev/full", "w");

	assert_non_null(full);
	assert_int_equal(config_file_write(model, full), ERR_SYSTEM);
	fclose(full);
	model_free(model);
}

/* Files. */

static void a_file_that_is_not_there_says_so(void **state)
{
	struct config_text *config = *state;

	assert_null(config_text_read(config, NULL));
	assert_int_equal(config->faults.count, 1);
	assert_string_equal(config->faults.items[0].origin.file, config->main_file);
	assert_string_equal(config->faults.items[0].text,
			    "cannot be read: No such file or directory");
}

static void a_directory_is_not_an_empty_configuration(void **state)
{
	struct config_text *config = *state;

	assert_int_equal(mkdir(config->main_file, 0700), 0);
	assert_null(config_text_read(config, NULL));
	assert_non_null(strstr(config->faults.items[0].text, "directory"));
	rmdir(config->main_file);
}

static void a_syntax_error_is_told_alone_with_its_line(void **state)
{
	expect_fault(*state, "workers = 1000;\nregion = ;\n", 2, "", "syntax error; look for");
}

/* What people write that libconfig does not read, each with what they have to know. */
static void a_common_mistake_is_told_with_what_would_be_right(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *says;
	} mistakes[] = {
		{"workers = 1;\nregion = \xe2\x80\x9cr\xe2\x80\x9d;\n", 2, "typographic quotes"},
		{"workers = 1;\nregion = \xe2\x80\x9er\xe2\x80\x9c;\n", 2, "typographic quotes"},
		{"region = \xc2\xabr\xc2\xbb;\n", 1, "typographic quotes"},
		{"workers = 1;\nregion = 'r';\n", 2, "single quotes"},
		{"region\xc2\xa0= \"r\";\n", 1, "is not ASCII"},
		{"rulesets = ( { name = \"a\"; }, # ;\n\n/* { */\n);\n", 4, "take out the ','"},
		{"reserved_domains = [ \"a\", ];\n", 1, "take out the ','"},
		{"workers = 1;\ninclude \"more.conf\"\nregion = \"r\";\n", 2, "@include \"FILE\""},
		{"workers = 1; include \"more.conf\"\n", 1, "@include \"FILE\""},
		{"{ \"region\": \"r\" }\n", 1, "without quotes"},
		{"rulesets = ( { name = \"a\"; }\n { name = \"b\"; } );\n", 2, "put a ','"},
		{"log = ( level = \"info\" );\n", 1, "( { level = ... }, { ... } )"},
		{"log = (\n level = \"info\" );\n", 2, "( { level = ... }, { ... } )"},
		{"region \"r\";\n", 1, "put a '=' after \"region\""},
		{"log {\n level = \"info\"; };\n", 1, "put a '=' after \"log\""},
		{"workers\n4;\n", 2, "put a '=' after \"workers\""},
		{"tls = true; region = westeurope;\n", 1, "a text has quotes: \"westeurope\""},
		{"a = [ 10.0.0.0/8 ];\n", 1, "a text has quotes: \"10.0.0.0/8\""},
		{"workers = 1;\nseccomp = no;\n", 2, "write false in place of no"},
		{"seccomp = Off;\n", 1, "a truth value is true or false"},
		{"seccomp = yes;\n", 1, "write true in place of yes"},
		{"region = nowhere;\n", 1, "a text has quotes: \"nowhere\""},
		{"log = { level = \"info\", format = json };\n", 1, "quotes: \"json\""},
		{"workers = 1;\nlog = {\nlevel = \"info\";\n", 2, "put a '}' where it ends"},
		{"a = ( { b = 1;\n\nc = 2; );\n", 3, "sluice.conf:1 needs its '}' first"},
		{"a = (\n{ b = 1; }\nregion = \"r\";\n", 3, "sluice.conf:1 needs its ')' first"},
		{"region = ;\n", 1, "look for a missing ';'"},
		/* these are no syntax errors to libconfig, or it tells them lines later */
		{"workers = 1;\nregion = \"r;\nlog = { level = \"info\"; };\n", 2,
		 "quote is missing"},
		{"region = r\";\nworkers = 1;\n", 1, "quote is missing"},
		{"region = \"r\xe2\x80\x9d;\nworkers = 1;\n", 1, "not a typographic one"},
		{"region = \"r", 1, "quote is missing"},
		{"region = \"r\\\n;", 1, "quote is missing"},
	};

	__lsan_disable(); /* libconfig keeps a string that stands where the error is */
	for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++)
		expect_fault(*state, mistakes[i].text, mistakes[i].line, "", mistakes[i].says);
	__lsan_enable();
}

static void a_hint_is_bounded_however_the_text_looks(void **state)
{
	static char text[8192] = "region = ";
	struct config_text *config = *state;

	memset(text + 9, '{', 4000);
	assert_null(config_text_load(config, text));
	memset(text + 9, 'a', 8000);
	assert_null(config_text_load(config, text));
	assert_int_equal(config->faults.count, 1);
}

static void a_syntax_error_of_an_included_file_names_that_file(void **state)
{
	struct config_text *config = *state;

	config_text_put(config, "more.conf", "log = {\n");
	assert_null(config_text_load(config, "workers = 1;\n@include \"more.conf\"\n"));
	assert_int_equal(config->faults.count, 1);
	assert_non_null(strstr(config->faults.items[0].origin.file, "more.conf"));
	assert_int_equal(config->faults.items[0].origin.line, 1);
}

static void a_byte_order_mark_says_nothing(void **state)
{
	struct model *model;

	config_text_put(*state, "more.conf", "\xef\xbb\xbfregion = \"a\";\n");
	model = expect_fine(*state, "\xef\xbb\xbf@include \"more.conf\"\nworkers = 7;\n");
	assert_int_equal(model->workers, 7);
	assert_string_equal(model->region, "a");
	model_free(model);
}

static void a_key_given_twice_is_a_syntax_error(void **state)
{
	struct config_text *config = *state;
	char says[512];

	snprintf(says, sizeof says,
		 "the key \"workers\" stands twice in one group, first at %s:1; keep one of them",
		 config->main_file);
	expect_fault(config, "workers = 1;\nregion = \"a\";\nworkers = 2;\n", 3, "", says);
	expect_fault(config,
		     "resolvers = ( { name = \"a\"; }, /* name = */\n { name = \"name = b\";\n"
		     "  # name = c\n  name : \"d\"; } );\n",
		     4, "", "the key \"name\" stands twice in one group, first at ");
	expect_fault(config, "log = { level = \"info\"; }; level = 1; log = { level = 2; };\n", 1,
		     "", "the key \"log\" stands twice");
}

static void an_include_is_relative_to_the_main_file(void **state)
{
	struct config_text *config = *state;
	struct model *model;

	config_text_put(config, "more.conf", "workers = 7;\n");
	model = expect_fine(config, "region = \"a\";\n@include \"more.conf\"\n");
	assert_int_equal(model->workers, 7);
	model_free(model);
}

/* A reload reads all of them again. */
static void the_model_knows_the_files_that_it_came_from(void **state)
{
	struct config_text *config = *state;
	struct model *model;
	char path[128];

	config_text_put(config, "more.conf", "# nothing\n");
	model = expect_fine(config, "region = \"a\";\n@include \"more.conf\"\nworkers = 1;\n");
	snprintf(path, sizeof path, "%s/more.conf", config->directory);
	assert_int_equal(model->files.count, 2);
	assert_string_equal(model->files.items[0].path, config->main_file);
	assert_string_equal(model->files.items[1].path, path);
	model_free(model);
}

static void the_user_is_told_with_its_line_and_a_group_goes_with_one(void **state)
{
	struct config_text *config = *state;
	struct model *model = expect_fine(config, "region = \"a\";\nuser = \"u\";\n"
						  "group = \"g\"; seccomp = false;\n");
	assert_string_equal(model->user, "u");
	assert_string_equal(model->group, "g");
	assert_false(model->seccomp);
	assert_int_equal(model->user_origin.line, 2);
	model_free(model);
	model = expect_fine(config, "region = \"a\";\n");
	assert_null(model->user);
	assert_true(model->seccomp);
	model_free(model);
	assert_null(config_text_load(config, "region = \"a\";\ngroup = \"g\";\n"));
	assert_non_null(strstr(config->faults.items[0].text, "set `user` too"));
}

static void a_fault_in_an_included_file_names_that_file(void **state)
{
	struct config_text *config = *state;
	char path[128];

	config_text_put(config, "more.conf", "\n\nworkers = 1000;\n");
	assert_null(config_text_load(config, "region = \"a\";\n@include \"more.conf\"\n"
					     "log = { level = \"x\"; };"));
	assert_int_equal(config->faults.count, 2);
	snprintf(path, sizeof path, "%s/more.conf", config->directory);
	assert_string_equal(config->faults.items[0].origin.file, path);
	assert_int_equal(config->faults.items[0].origin.line, 3);
	assert_string_equal(config->faults.items[1].origin.file, config->main_file);
	assert_int_equal(config->faults.items[1].origin.line, 3);
}

static void a_path_is_relative_to_the_file_that_names_it(void **state)
{
	struct config_text *config = *state;
	char path[128];
	struct model *model;

	snprintf(path, sizeof path, "%s/sub", config->directory);
	assert_int_equal(mkdir(path, 0700), 0);
	config_text_put(config, "sub/here", "www A 192.0.2.2\n");
	config_text_put(config, "sub/zones.conf",
			"private_zones = ({ name = \"z.test\"; file = \"here\"; });\n");
	model = expect_fine(config, "@include \"sub/zones.conf\"\n");
	snprintf(path, sizeof path, "%s/sub/here", config->directory);
	assert_string_equal(model->private_zones.items[0].file, path);
	model_free(model);
	unlink(path);
	snprintf(path, sizeof path, "%s/sub/zones.conf", config->directory);
	unlink(path);
	snprintf(path, sizeof path, "%s/sub", config->directory);
	rmdir(path);
}

static void an_include_that_is_not_there_says_what_it_is_relative_to(void **state)
{
	expect_fault(*state, "\n@include \"none.conf\"\n", 2, "", "main file's directory");
}

/* Keys, kinds and ranges. */

static void an_unknown_key_is_a_fault_with_a_suggestion(void **state)
{
	expect_fault(*state, "virtual_network = ();", 1, "virtual_network",
		     "did you mean \"virtual_networks\"?");
	expect_fault(*state,
		     "virtual_networks = ({ name = \"n\"; adress_space = [ ]; address_space "
		     "= [\"10.0.0.0/8\"]; });",
		     1, "virtual_networks[n].adress_space", "did you mean \"address_space\"?");
}

static void an_unknown_key_far_from_all_lists_the_known_ones(void **state)
{
	expect_fault(*state, "log = { elephant = 1; };", 1, "log.elephant",
		     "the keys here are level, format");
	expect_fault(*state, "elephants = ();", 1, "elephants", "no such key");
	expect_fault(*state, "giraffes = { };", 1, "giraffes", "no such key");
}

static void a_missing_key_is_told_at_its_item(void **state)
{
	expect_fault(*state, "\naddress_pools = (\n  { name = \"n\"; });", 3,
		     "address_pools[n].prefix", "is missing; give a prefix");
}

static void an_item_without_a_name_goes_by_its_index(void **state)
{
	expect_fault(*state,
		     "virtual_networks = ({ name = \"a\"; address_space = [\"10.0.0.0/8\"]; },\n{ "
		     "address_space = [\"10.0.0.0/8\"]; });",
		     2, "virtual_networks[1].name", "is missing");
}

static void a_value_of_the_wrong_kind_says_what_is_right(void **state)
{
	expect_fault(*state, "workers = \"1\";", 1, "workers",
		     "is a string; give an integer from 0 to 256, without quotes");
	expect_fault(*state, "workers = 1.5;", 1, "workers", "is a number with a fraction");
	expect_fault(*state, "workers = true;", 1, "workers", "is a truth value");
	expect_fault(*state, "region = 5;", 1, "region", "is an integer; give a name");
	expect_fault(*state, "reverse = { ipv6 = 1; };", 1, "reverse.ipv6",
		     "is an integer; give true or false");
	expect_fault(*state, "reverse = { ipv6 = \"true\"; };", 1, "reverse.ipv6",
		     "give true or false, without quotes");
	expect_fault(*state, "log = 5;", 1, "log", "is an integer; give a group");
	expect_fault(*state, "log = ( );", 1, "log", "is a list; give a group");
	expect_fault(*state, "rulesets = { };", 1, "rulesets", "is a group; give a list");
	expect_fault(*state, "rulesets = [ 1 ];", 1, "rulesets", "is an array; give a list");
	expect_fault(*state, "rulesets = ( 1 );", 1, "rulesets[0]", "is an integer; give a group");
	expect_fault(*state, "reserved_domains = \"a\";", 1, "reserved_domains",
		     "is a string; give an array");
	expect_fault(*state, "reserved_domains = ( \"a\",\n{ } );", 2, "reserved_domains[1]",
		     "is a group; give a domain name");
	expect_fault(*state, "region = { };", 1, "region", "is a group; give a name");
}

static void brackets_and_parentheses_both_hold_bare_values(void **state)
{
	struct model *model = expect_fine(
		*state, "virtual_networks = [ ]; rulesets = ( ); reserved_domains = ( \"a\", "
			"\"b\" ); vnet_resolver = { listen = ( \"127.0.0.3\" ); };");

	assert_int_equal(model->reserved_domains.count, 2);
	assert_int_equal(model->vnet_resolver.listen.count, 1);
	model_free(model);
}

static void ranges_hold_at_their_ends(void **state)
{
	struct model *model = expect_fine(*state, "udp = { payload_max = 512; }; workers = 256;");

	assert_int_equal(model->udp.payload_max, 512);
	model_free(model);
	model = expect_fine(*state, "udp = { payload_max = 4096; };");
	model_free(model);
	expect_fault(*state, "udp = { payload_max = 511; };", 1, "udp.payload_max", "512 to 4096");
	expect_fault(*state, "udp = { payload_max = 4097; };", 1, "udp.payload_max", "512 to 4096");
	expect_fault(*state, "workers = 257;", 1, "workers", "0 to 256");
	expect_fault(*state, "workers = -1;", 1, "workers", "0 to 256");
	expect_fault(*state, "workers = 4294967297L;", 1, "workers", "0 to 256");
}

static void an_integer_that_libconfig_would_cut_is_told(void **state)
{
	expect_fault(*state,
		     "# 99999999999\n/* 99999999999\n*/ region = \"a9999999999\";\n"
		     "workers = 4294967297; // 99999999999\n",
		     4, "", "write 4294967297L");
	expect_fault(*state, "workers = 0x100000001;", 1, "", "write 0x100000001L");
	expect_fault(*state, "workers = 2147483648;", 1, "", "write 2147483648L");
	expect_fault(*state, "workers = -4294967295;", 1, "", "write -4294967295L");
	expect_fault(*state, "workers = 2147483647;", 1, "workers", "0 to 256");
	expect_fault(*state, "region = \"a\\\"\"; \n\n workers = 99999999999999999999;", 3, "",
		     "write 99999999999999999999L");
}

static void an_array_element_is_told_with_its_index_and_line(void **state)
{
	expect_fault(*state,
		     "virtual_networks = ({ name = \"hub\"; address_space = [ \"10.0.0.0/8\",\n "
		     "\"10.0.0.1/8\" ]; });",
		     2, "virtual_networks[hub].address_space[1]", "write \"10.0.0.0/8\"");
}

static void all_faults_are_told_at_once_in_the_order_of_lines(void **state)
{
	struct config_text *config = *state;

	assert_null(config_text_load(
		config,
		"workers = 1000;\n"
		"virtual_networks = ({ name = \"n\"; address_space = [\"127.0.0.0/8\"]; });\n"
		"private_zones = ({ name = \"z.test\"; file = \"none\"; });\n"
		"resolvers = ({ name = \"r\"; virtual_network = \"x\"; });\n"
		"bogus = 1;\n"));
	assert_int_equal(config->faults.errors, 5);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(config->faults.items[i].origin.line, i + 1);
	assert_non_null(strstr(config->faults.items[2].text, "No such file"));
}

static void a_fault_in_a_zone_file_names_its_line(void **state)
{
	struct config_text *config = *state;
	char path[128];

	config_text_put(config, "bad", "www A 192.0.2.1\nmail A 300.0.2.1\n");
	assert_null(config_text_load(config,
				     "private_zones = ({ name = \"z.test\"; file = \"bad\"; });"));
	snprintf(path, sizeof path, "%s/bad", config->directory);
	assert_string_equal(config->faults.items[0].origin.file, path);
	assert_int_equal(config->faults.items[0].origin.line, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void a_fleets_cookie_secret_is_32_digits_and_perhaps_32_before(void **state)
{
	static const char one[] = "e5e973e5a6b2a43f48e7dc849e37bfcf";
	static const char text[] = "udp = { cookie_secret_file = \"cookie.secret\"; };";
	static const struct {
		const char *before, *behind;
		unsigned keys;
	} cases[] = {{"", "\n", 1},
		     {"  ", "", 1},
		     {one, "", 0},
		     {"0", "", 0},
		     {"", "00", 0},
		     {"x", "", 0},
		     {"", " 00", 0},
		     {"445536bcd2513298075a5d379663c962\n", "\n", 2},
		     {"445536bcd2513298075a5d379663c962\n", "\n0", 0}};
	struct config_text *config = *state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char content[200];
		snprintf(content, sizeof content, "%s%s%s", cases[i].before, one, cases[i].behind);
		config_text_put(config, "cookie.secret", content);
		if (cases[i].keys == 0) {
			expect_fault(config, text, 1, "udp.cookie_secret_file",
				     "32 hexadecimal digits");
			continue;
		}
		struct model *model = expect_fine(config, text);
		assert_int_equal(model->udp.cookie_keys, cases[i].keys);
		assert_true(model->udp.cookie_key[cases[i].keys - 1].k0 ==
			    UINT64_C(0x3fa4b2a6e573e9e5));
		assert_true(model->udp.cookie_key[cases[i].keys - 1].k1 ==
			    UINT64_C(0xcfbf379e84dce748));
		model_free(model);
	}
	config_text_put(config, "cookie.secret", "");
	expect_fault(config, text, 1, "udp.cookie_secret_file", "32 hexadecimal digits");
	expect_fault(config, "udp = { cookie_secret_file = \"absent\"; };", 1,
		     "udp.cookie_secret_file", "cannot be used");
}

static void what_is_no_setting_any_more_is_taken_with_a_warning(void **state)
{
	struct config_text *config = *state;
	static const char *const texts[] = {"outbound = { cookies = true; };",
					    "outbound = { cookies = \"off\"; };"};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct model *model = expect_fine(config, texts[i]);

		assert_int_equal(config->faults.errors, 0);
		assert_int_equal(config->faults.warnings, 1);
		assert_string_equal(config->faults.items[0].origin.path, "outbound.cookies");
		model_free(model);
	}
	expect_round_trip(config, texts[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_fleets_cookie_secret_is_32_digits_and_perhaps_32_before),
		TEST(what_is_not_set_has_its_default),
		TEST(what_is_no_setting_any_more_is_taken_with_a_warning),
		TEST(every_key_lands_in_its_member),
		TEST(what_is_written_reads_back_equal),
		TEST(defaults_are_written_and_read_back_equal),
		TEST(a_reference_outside_the_items_keeps_its_group),
		TEST(the_working_directory_is_written_with_escapes),
		TEST(a_full_disk_is_an_error_of_writing),
		TEST(a_file_that_is_not_there_says_so),
		TEST(a_directory_is_not_an_empty_configuration),
		TEST(a_syntax_error_is_told_alone_with_its_line),
		TEST(a_common_mistake_is_told_with_what_would_be_right),
		TEST(a_hint_is_bounded_however_the_text_looks),
		TEST(a_syntax_error_of_an_included_file_names_that_file),
		TEST(a_byte_order_mark_says_nothing),
		TEST(a_key_given_twice_is_a_syntax_error),
		TEST(an_include_is_relative_to_the_main_file),
		TEST(the_model_knows_the_files_that_it_came_from),
		TEST(the_user_is_told_with_its_line_and_a_group_goes_with_one),
		TEST(a_fault_in_an_included_file_names_that_file),
		TEST(a_path_is_relative_to_the_file_that_names_it),
		TEST(an_include_that_is_not_there_says_what_it_is_relative_to),
		TEST(an_unknown_key_is_a_fault_with_a_suggestion),
		TEST(an_unknown_key_far_from_all_lists_the_known_ones),
		TEST(a_missing_key_is_told_at_its_item),
		TEST(an_item_without_a_name_goes_by_its_index),
		TEST(a_value_of_the_wrong_kind_says_what_is_right),
		TEST(brackets_and_parentheses_both_hold_bare_values),
		TEST(ranges_hold_at_their_ends),
		TEST(an_integer_that_libconfig_would_cut_is_told),
		TEST(an_array_element_is_told_with_its_index_and_line),
		TEST(all_faults_are_told_at_once_in_the_order_of_lines),
		TEST(a_fault_in_a_zone_file_names_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
