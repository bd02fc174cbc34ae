/* Plans, with values that are not known before they are applied, and states. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/lib/import_case.h"

#define ZONE                                                                                       \
	"{\"address\": \"azurerm_private_dns_zone.z\", \"mode\": \"managed\", \"type\": "          \
	"\"azurerm_private_dns_zone\", \"name\": \"z\", \"values\": {\"name\": \"corp.example\", " \
	"\"resource_group_name\": \"g\"}}"
#define RECORD                                                                                     \
	"{\"address\": \"azurerm_private_dns_a_record.w\", \"mode\": \"managed\", \"type\": "      \
	"\"azurerm_private_dns_a_record\", \"name\": \"w\", \"values\": {\"name\": \"www\", "      \
	"\"zone_name\": \"corp.example\", \"resource_group_name\": \"g\", \"records\": "           \
	"[\"10.0.0.1\"]}}"

/* The name of a value may be shorter than the end of a name of references, "_ids". */
static void a_number_that_is_not_known_is_missing(void **state)
{
	(void)state;
	import_case_run(
		"terraform",
		"{\"format_version\": \"1.2\", \"planned_values\": {\"root_module\": "
		"{\"resources\": [" ZONE ", " RECORD "]}}, \"configuration\": {\"root_module\": "
		"{\"resources\": [{\"address\": \"azurerm_private_dns_a_record.w\", \"mode\": "
		"\"managed\", \"type\": \"azurerm_private_dns_a_record\", \"name\": \"w\", "
		"\"expressions\": {\"ttl\": {\"references\": [\"var.ttl\"]}}}]}}}");
	assert_config("{ name = \"www:A\"; records = [ \"10.0.0.1\" ]; }");
}

#define HUB "resourceGroups/g/providers/Microsoft.Network/virtualNetworks/hub"
#define NETWORK                                                                                    \
	"{\"address\": \"azurerm_virtual_network.hub\", \"mode\": \"managed\", \"type\": "         \
	"\"azurerm_virtual_network\", \"name\": \"hub\", \"values\": {\"name\": \"hub\", "         \
	"\"resource_group_name\": \"g\", \"address_space\": [\"10.1.0.0/16\"], \"dns_servers\": "  \
	"[], "                                                                                     \
	"\"id\": \"%s\"}}"
#define SERVERS                                                                                    \
	"{\"address\": \"azurerm_virtual_network_dns_servers.hub\", \"mode\": \"managed\", "       \
	"\"type\": \"azurerm_virtual_network_dns_servers\", \"name\": \"hub\", \"values\": "       \
	"{\"dns_servers\": [\"10.1.0.4\"], \"virtual_network_id\": %s}}"
#define REFERENCE                                                                                  \
	"{\"address\": \"azurerm_virtual_network_dns_servers.hub\", \"expressions\": "             \
	"{\"virtual_network_id\": {\"references\": [\"%s\"]}}}"

/* A plan has a reference to a network that it creates, and the id of one that exists already. */
static void import_plan(const char *id, const char *reference, const char *servers_of)
{
	char text[2048];

	snprintf(text, sizeof text,
		 "{\"planned_values\": {\"root_module\": {\"resources\": [" SERVERS ", " NETWORK
		 "]}}, \"configuration\": {\"root_module\": {\"resources\": [" REFERENCE "]}}}",
		 servers_of, id, reference);
	import_case_run("terraform", text);
}

/* A state has all ids, and no references. */
static void import_state(const char *id, const char *servers_of)
{
	char text[2048];

	snprintf(text, sizeof text,
		 "{\"values\": {\"root_module\": {\"resources\": [" SERVERS ", " NETWORK "]}}}",
		 servers_of, id);
	import_case_run("terraform", text);
}

static void servers_that_are_a_resource_of_their_own_are_those_of_their_network(void **state)
{
	(void)state;
	import_plan("", "azurerm_virtual_network.hub.id", "null");
	assert_config("dns_servers = [ \"10.1.0.4:53\" ]");
	assert_not_told("dns_servers");
	import_plan("/subscriptions/s/" HUB, "", "\"/SUBSCRIPTIONS/s/" HUB "\"");
	assert_config("dns_servers = [ \"10.1.0.4:53\" ]");
	import_state("/subscriptions/s/" HUB, "\"/SUBSCRIPTIONS/s/" HUB "\"");
	assert_config("dns_servers = [ \"10.1.0.4:53\" ]");
	import_plan("", "local.hub", "null");
	assert_told("azurerm_virtual_network_dns_servers.hub.virtual_network_id: not carried over: "
		    "it is known when it is applied");
	import_plan("/subscriptions/s/" HUB, "", "\"/subscriptions/other/" HUB "\"");
	assert_told("azurerm_virtual_network_dns_servers.hub.virtual_network_id: not carried over: "
		    "no virtual network in it has this id");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_that_is_not_known_is_missing),
		cmocka_unit_test(
			servers_that_are_a_resource_of_their_own_are_those_of_their_network),
	};

	return cmocka_run_group_tests(tests, import_case_setup, import_case_teardown);
}
