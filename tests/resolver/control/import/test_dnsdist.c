/* dnsdist.conf and dnsdist.yml: what must not be more open than the original; what is not read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/base.h"
#include "tests/lib/import_case.h"

#define SERVER "newServer(\"10.0.0.1\")\n"

static void a_listener_at_an_interface_is_not_listened_at(void **state)
{
	static const char *const texts[] = {
		SERVER "addLocal(\"0.0.0.0:53\", {interface=\"eth0\"})\n",
		SERVER "setLocal(\"0.0.0.0:53\", {reusePort=true, interface=\"eth0\"})\n",
		"backends:\n  - address: \"10.0.0.1\"\nbinds:\n"
		"  - listen_address: \"0.0.0.0:53\"\n    interface: \"eth0\"\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		import_case_run("dnsdist", texts[i]);
		assert_config("listen = [ \"127.0.0.1:53\" ];");
		assert_config("# listen = [ \"0.0.0.0:53\" ];");
		assert_told("closed: listen has addresses, not interfaces");
	}
	import_case_run("dnsdist", SERVER "setLocal(\"192.0.2.7\")\n"
					  "addLocal(\"0.0.0.0:5353\", {interface=\"eth0\"})\n");
	assert_config("listen = [ \"192.0.2.7:53\" ];");
	assert_config("# listen = [ \"192.0.2.7:53\", \"0.0.0.0:5353\" ];");
	import_case_run("dnsdist", SERVER "addLocal(\"192.0.2.7\", {interface=\"\"})\n");
	assert_config("listen = [ \"192.0.2.7:53\" ];");
	assert_not_told("closed: ");
}

static void a_table_is_no_call(void **state)
{
	static const char *const texts[] = {
		SERVER "x = {call={1}}\n",
		SERVER "x = {call=\"setACL\", args={\"0.0.0.0/0\"}}\n",
		SERVER "x = {[\"call\"]=\"setACL\"}\n",
		SERVER "addAction({Call=\"AllRule\"}, PoolAction(\"p\"))\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		import_case_run("dnsdist", texts[i]);
		assert_told("original:2: a table with the key \"call\" is not read");
		assert_string_equal(import_case_config(), "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listener_at_an_interface_is_not_listened_at),
		cmocka_unit_test(a_table_is_no_call),
	};

	return cmocka_run_group_tests(tests, import_case_setup, import_case_teardown);
}
