/* Directives and default TTLs of master files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/lib/import_case.h"

static void an_included_file_needs_a_name_of_a_domain(void **state)
{
	(void)state;
	import_case_put("inc.db", "$ORIGIN x\nwww 60 IN A 10.0.0.1\n");
	import_case_put("a.db",
			"@ 60 IN SOA ns h 1 2 3 4 5\nns 60 IN A 10.0.0.2\n$INCLUDE inc.db a..b\n");
	import_case_run("unbound", "server:\n interface: 127.0.0.1\nauth-zone:\n name: a.example\n"
				   " zonefile: a.db\n");
	assert_told("a.db:3: not carried over: \"a..b\" is no domain name");
	assert_config("\"ns:A\"");
}

static void a_default_that_is_no_ttl_is_reported(void **state)
{
	(void)state;
	import_case_put("a.db", "$TTL abc\n@ 60 IN SOA ns h 1 2 3 4 5\nwww IN A 10.0.0.1\n");
	import_case_run("unbound", "server:\n interface: 127.0.0.1\nauth-zone:\n name: a.example\n"
				   " zonefile: a.db\n");
	assert_told("a.db:1: not carried over: \"abc\" is no TTL");
	assert_config("name = \"www:A\"; ttl = 60;");
}

static void a_ttl_of_nothing_is_a_ttl(void **state)
{
	static const char *const zones[] = {
		"$TTL 0\n@ IN SOA ns h 1 2 3 4 5\nwww IN A 10.0.0.1\n",
		"@ 0 IN SOA ns h 1 2 3 4 5\nwww IN A 10.0.0.1\n",
		"@ IN SOA ns h 1 2 3 4 0\nwww IN A 10.0.0.1\n",
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
		/* The faulty $INCLUDE makes the import write the records down. */
		import_case_put("inc.db", "");
		snprintf(text, sizeof text, "%s$INCLUDE inc.db a..b\n", zones[i]);
		import_case_put("a.db", text);
		import_case_run("unbound",
				"server:\n interface: 127.0.0.1\nauth-zone:\n name: a.example\n"
				" zonefile: a.db\n");
		assert_config("ttl = 0;");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_included_file_needs_a_name_of_a_domain),
		cmocka_unit_test(a_default_that_is_no_ttl_is_reported),
		cmocka_unit_test(a_ttl_of_nothing_is_a_ttl),
	};

	return cmocka_run_group_tests(tests, import_case_setup, import_case_teardown);
}
