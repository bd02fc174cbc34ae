/* unbound.conf: what counts of settings that contradict each other, and what is reported. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/import_case.h"

#define PLAIN "server:\n interface: 127.0.0.1\n"

static void of_settings_for_one_prefix_the_last_counts(void **state)
{
	(void)state;
	import_case_run("unbound", PLAIN " access-control: 10.0.0.0/8 allow\n"
					 " access-control: 10.0.0.0/8 refuse\n"
					 " access-control: 192.168.0.0/16 refuse\n"
					 " access-control: 192.168.0.0/16 allow\n");
	assert_config("client_prefixes = [ \"127.0.0.0/8\", \"192.168.0.0/16\", \"::1/128\" ]");
	assert_told("original:3: access-control: not carried over: a later line is for the same "
		    "prefix");
}

static void of_views_for_one_prefix_the_first_counts(void **state)
{
	(void)state;
	import_case_run("unbound", PLAIN " access-control-view: 10.0.0.0/8 first\n"
					 " access-control-view: 10.0.0.0/8 second\n"
					 "view:\n name: first\nview:\n name: second\n");
	assert_config("name = \"first\"; client_prefixes = [ \"10.0.0.0/8\" ]");
	assert_told("original:4: access-control-view: not carried over: an earlier line is for the "
		    "same prefix");
}

static void a_view_called_like_the_main_one_is_another(void **state)
{
	(void)state;
	import_case_run("unbound", PLAIN " access-control-view: 10.0.0.0/8 home\n"
					 " local-zone: main.example static\n"
					 "view:\n name: home\n local-zone: own.example static\n");
	assert_config("{ name = \"home\"; client_prefixes = [ \"127.0.0.0/8\", \"::1/128\" ]; }");
	assert_config("{ name = \"home-2\"; client_prefixes = [ \"10.0.0.0/8\" ]; }");
	assert_config("name = \"main.example\"; links = ( { name = \"home\"; virtual_network = "
		      "\"home\"; } );");
	assert_config("name = \"own.example\"; links = ( { name = \"home-2\"; virtual_network = "
		      "\"home-2\"; } );");
}

static void a_value_may_stand_at_the_colon(void **state)
{
	(void)state;
	import_case_run("unbound",
			"server:\n interface:127.0.0.1\n port:5335\n do-daemonize: no\n"
			" access-control:203.0.113.0/24 refuse\n"
			" access-control: fd00::/8 allow\n local-data:\"a.example A 10.0.0.1\"\n"
			" outgoing-interface: fd00::1 access-control:203.0.113.0/25 allow\n"
			"forward-zone:\n name: corp.example\n forward-addr:10.0.0.1\n"
			" forward-addr: fd00::2\n");
	assert_config("listen = [ \"127.0.0.1:5335\"");
	assert_config("client_prefixes = [ \"127.0.0.0/8\", \"203.0.113.0/25\", \"::1/128\", "
		      "\"fd00::/8\" ]");
	assert_config("address = \"10.0.0.1\"");
	assert_config("address = \"fd00::2\"");
	assert_config("source = \"fd00::1\"");
	assert_config("\"@:A\"");
}

static void values_that_are_too_many_are_told(void **state)
{
	(void)state;
	import_case_run("unbound", PLAIN " access-control: 10.0.0.0/8 allow one two three four\n"
					 " do-daemonize: no and\n");
	assert_told("original:3: access-control: not carried over: \"one\" is a value more than it "
		    "takes");
	assert_told(
		"original:3: access-control: not carried over: \"four\" is a value more than it "
		"takes");
	assert_told("original:4: do-daemonize: not carried over: \"and\" is a value");
	assert_config("\"10.0.0.0/8\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_settings_for_one_prefix_the_last_counts),
		cmocka_unit_test(of_views_for_one_prefix_the_first_counts),
		cmocka_unit_test(a_view_called_like_the_main_one_is_another),
		cmocka_unit_test(a_value_may_stand_at_the_colon),
		cmocka_unit_test(values_that_are_too_many_are_told),
	};

	return cmocka_run_group_tests(tests, import_case_setup, import_case_teardown);
}
