/* The data of records as Azure shows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/control/api/azure/record_data.h"
#include "resolver/control/base/json.h"
#include "rules/base.h"

static void each_form_of_a_zone_is_shown_in_azures(void **state)
{
	static const struct {
		const char *type, *text, *shown;
	} cases[] = {
		{"privateDnsZones/A", "192.0.2.1", "{\"ipv4Address\": \"192.0.2.1\"}"},
		{"privateDnsZones/A", "\\# 4 c0000201", "{\"ipv4Address\": \"192.0.2.1\"}"},
		{"privateDnsZones/A", " \\#  4 C000 0201", "{\"ipv4Address\": \"192.0.2.1\"}"},
		{"privateDnsZones/AAAA", "2001:DB8::1", "{\"ipv6Address\": \"2001:DB8::1\"}"},
		{"privateDnsZones/CNAME", "www", "{\"cname\": \"www.corp.internal\"}"},
		{"privateDnsZones/CNAME", "\\#x", "{\"cname\": \"\\\\#x.corp.internal\"}"},
		{"privateDnsZones/MX", "10 mail.contoso.com.",
		 "{\"preference\": 10, \"exchange\": \"mail.contoso.com\"}"},
		{"privateDnsZones/MX", "\\# 8 000a046d61696c00",
		 "{\"preference\": 10, \"exchange\": \"mail\"}"},
		{"privateDnsZones/TXT", "\"a b\" c", "{\"value\": [\"a b\", \"c\"]}"},
		{"privateDnsZones/TXT", "\\# 3 026869", "{\"value\": [\"hi\"]}"},
		{"privateDnsZones/SOA", "ns admin.contoso.com. 4294967295 1h 15M 1w2d 0",
		 "{\"host\": \"ns.corp.internal\", \"email\": \"admin.contoso.com\", "
		 "\"serialNumber\": 4294967295, \"refreshTime\": 3600, \"retryTime\": 900, "
		 "\"expireTime\": 777600, \"minimumTtl\": 0}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct arm_type *type = arm_type_named(cases[i].type);
		const struct arm_member *member = type->members;
		json_t *printed, *expected = json_loads(cases[i].shown, 0, NULL);

		while (member->form != ARM_RECORD && member->form != ARM_RECORDS)
			member++;
		printed = record_data_print(type, member->inner, cases[i].text, "corp.internal");
		assert_non_null(expected);
		if (!json_equal(printed, expected))
			fail_msg("%s: %s", cases[i].text, json_dumps(printed, 0));
		json_decref(printed);
		json_decref(expected);
	}
}

/* A new record is compared with the present ones, as printed, before a zone refuses it. If its
 * number wrapped around, it could equal a present record and be taken for that. */
static void a_number_that_is_too_large_is_no_other_number(void **state)
{
	const struct arm_type *type = arm_type_named("privateDnsZones/MX");
	const struct arm_member *member = type->members;
	json_t *printed;

	(void)state;
	while (member->form != ARM_RECORDS)
		member++;
	printed = record_data_print(type, member->inner, "4294967296 mail", "corp.internal");
	assert_string_equal(json_text_of(printed, "preference"), "4294967296");
	json_decref(printed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_form_of_a_zone_is_shown_in_azures),
		cmocka_unit_test(a_number_that_is_too_large_is_no_other_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
