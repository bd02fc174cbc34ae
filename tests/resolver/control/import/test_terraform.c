/* Plans: values that are not known before they are applied. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_that_is_not_known_is_missing),
	};

	return cmocka_run_group_tests(tests, import_case_setup, import_case_teardown);
}
