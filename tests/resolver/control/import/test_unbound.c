/* unbound.conf: what counts of settings that contradict each other, and what is reported. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rules/base.h"
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

static void a_setting_is_told_with_its_own_reason(void **state)
{
	(void)state;
	import_case_run("unbound", PLAIN " ip-ratelimit: 100\n ip-freebind: yes\n");
	assert_told("ip-ratelimit: not carried over: response_limit in sluice.conf(5)");
	assert_told("ip-freebind: not carried over: sockets are set up by the program");
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

#define LINK(network) "{ name = \"" network "\"; virtual_network = \"" network "\"; }"
#define LINKS         "links = (\n      " LINK("home") ",\n      " LINK("guests") "\n    );"

static void zones_of_master_files_are_for_all_views(void **state)
{
	(void)state;
	import_case_put("auth.zone", "@ 60 IN A 192.0.2.5\n");
	import_case_run("unbound", PLAIN " access-control-view: 10.0.0.0/8 guests\n"
					 " local-zone: main.example static\n"
					 "auth-zone:\n name: auth.example\n zonefile: auth.zone\n"
					 "view:\n name: guests\n local-zone: own.example static\n");
	assert_config("auth.zone\";\n    " LINKS);
	assert_config("name = \"main.example\"; links = ( " LINK("home") " );");
	assert_config("name = \"own.example\"; links = ( " LINK("guests") " );");
}

static void an_auth_zone_is_not_for_a_view_whose_local_zone_answers_for_it(void **state)
{
	static const struct {
		const char *zone;
		bool answers;
	} cases[] = {
		{"example. always_nxdomain", true},
		{"auth.example static", true},
		{". refuse", true},
		{"example transparent", false},
		{"below.auth.example static", false},
		{"other.example static", false},
	};
	char text[512];

	(void)state;
	import_case_put("auth.zone", "@ 60 IN A 192.0.2.5\n");
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(text, sizeof text,
			 PLAIN " access-control-view: 10.0.0.0/8 guests\n"
			       "auth-zone:\n name: auth.example\n zonefile: auth.zone\n"
			       "view:\n name: guests\n local-zone: %s\n",
			 cases[i].zone);
		import_case_run("unbound", text);
		if (cases[i].answers) {
			assert_config("auth.zone\";\n    links = ( " LINK("home") " );");
			assert_told(
				"original:9: local-zone: different: it answers for auth.example "
				"in the view guests");
		} else {
			assert_config("auth.zone\";\n    " LINKS);
			assert_not_told("it answers for");
		}
	}
}

static void a_view_without_local_zones_has_those_of_the_server(void **state)
{
	(void)state;
	import_case_run("unbound", PLAIN " access-control-view: 10.0.0.0/8 guests\n"
					 " local-zone: main.example static\n"
					 "view:\n name: guests\n");
	assert_config(LINKS);
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

#define ROOT_CLOSED                                                                                \
	"forward-zone: closed: what no rule decides is refused, because its servers are asked "    \
	"over TLS or HTTPS alone"

static void what_is_asked_over_tls_is_not_asked_without(void **state)
{
	(void)state;
	import_case_run("unbound", PLAIN "forward-zone:\n name: .\n forward-tls-upstream: yes\n"
					 " forward-addr: 9.9.9.9@853#dns.quad9.net\n"
					 "view:\n name: guests\n");
	assert_told("original:3: " ROOT_CLOSED);
	assert_config("\"127.0.0.0/8\", \"::1/128\" ];\n    uses_default_resolver = false;");
	assert_config("\"255.255.255.255/32\" ];\n    uses_default_resolver = false;");
	assert_not_config("9.9.9.9");
	import_case_run("unbound", PLAIN " tls-upstream: yes\nforward-zone:\n name: corp.example\n"
					 " forward-addr: 10.0.0.1\nforward-zone:\n name: .\n"
					 " forward-addr: 9.9.9.9@853#dns.quad9.net\n");
	assert_told("original:4: forward-zone: not carried over: its servers are asked by TLS");
	assert_told("original:7: " ROOT_CLOSED);
	assert_config("uses_default_resolver = false;");
	assert_not_config("targets");
	import_case_run("unbound", PLAIN "auth-zone:\n name: corp.example\n primary: 10.0.0.1#x\n"
					 " master: 10.0.0.2\n");
	assert_told("original:5: primary: not carried over: the zone comes from it by TLS");
	assert_config("targets = ( { address = \"10.0.0.2\"; } )");
	import_case_run("unbound",
			PLAIN "forward-zone:\n name: corp.example\n forward-addr: 10.0.0.1\n"
			      " forward-tls-upstream: no\n forward-tls-upstream: yes\n");
	assert_not_config("10.0.0.1");
}

static void a_copy_of_the_root_is_no_rule(void **state)
{
	(void)state;
	import_case_run("unbound", PLAIN "auth-zone:\n name: \".\"\n primary: 199.9.14.201\n");
	assert_told("original:3: auth-zone: not carried over: it is a copy of the root");
	assert_told("it resolves from the root by itself");
	assert_not_config("199.9.14.201");
}

static void settings_of_zones_and_views_are_told(void **state)
{
	(void)state;
	import_case_run(
		"unbound", PLAIN
		"auth-zone:\n name: corp.example\n primary: 10.0.0.1\n fallback-enabled: yes\n"
		" url: http://a.example/z\n zonefile: z\n"
		"view:\n name: guests\n response-ip: 10.0.0.1 deny\n");
	assert_told("original:6: fallback-enabled: not carried over: ");
	assert_told("original:7: url: not carried over: ");
	assert_not_told("zonefile: not");
	assert_told("original:11: response-ip: not carried over: ");
}

static void an_exception_in_a_closed_zone_is_told(void **state)
{
	(void)state;
	import_case_run("unbound", PLAIN " local-zone: example.com. always_nxdomain\n"
					 " local-zone: good.example.com. transparent\n"
					 " local-zone: fine.example.org. transparent\n");
	assert_told("original:4: local-zone: not carried over: good.example.com. stays in the zone "
		    "example.com., which has no exceptions here");
	assert_not_told("original:5");
	import_case_run("unbound",
			PLAIN " local-zone: . refuse\n local-zone: a.example. transparent\n"
			      " local-zone: b.example. transparent\n"
			      "forward-zone:\n name: a.example\n forward-addr: 10.0.0.1\n");
	assert_not_told("original:4");
	assert_told(
		"original:5: local-zone: not carried over: names below b.example. that no zone");
}

static void zones_that_are_looked_up_like_others_are_no_zones(void **state)
{
	(void)state;
	import_case_run("unbound", PLAIN " local-zone: a.example always_transparent\n"
					 " local-data: \"www.a.example A 10.0.0.1\"\n"
					 " local-zone: b.example block_a\n");
	assert_not_config("private_zones");
	assert_told(
		"original:4: local-data: not carried over: the local-zone a.example, of the type "
		"always_transparent, has no data of its own");
	assert_told("original:5: local-zone: different: A records of its names are answered");
}

static void of_local_zones_for_one_name_the_last_counts(void **state)
{
	(void)state;
	import_case_run("unbound", PLAIN
			" local-zone: a.example static\n local-zone: A.example. transparent\n"
			" local-zone: b.example transparent\n local-zone: b.example static\n");
	assert_not_config("a.example");
	assert_config("name = \"b.example\"");
	assert_told("original:3: local-zone: not carried over: a later line is for the same name");
}

static void how_long_answers_are_stale_depends_on_no_order(void **state)
{
	static const struct {
		const char *text, *config;
	} cases[] = {
		{" serve-expired: no\n serve-expired-ttl: 3600\n", "stale_max = 0;"},
		{" serve-expired-ttl: 3600\n serve-expired: no\n", "stale_max = 0;"},
		{" serve-expired-ttl: 3600\n", "stale_max = 0;"},
		{" serve-expired-ttl: 3600\n serve-expired: yes\n", "stale_max = 3600;"},
		{" serve-expired: yes\n serve-expired-ttl: 0\n", "stale_max = 2147483647;"},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(text, sizeof text, PLAIN "%s", cases[i].text);
		import_case_run("unbound", text);
		assert_config(cases[i].config);
	}
	assert_told("original:4: serve-expired-ttl: different: it has no limit there");
}

static void interface_automatic_is_all_addresses(void **state)
{
	(void)state;
	import_case_run("unbound", PLAIN " interface-automatic: yes\n port: 5335\n");
	assert_config("listen = [ \"0.0.0.0:5335\", \"[::]:5335\" ]");
	assert_told("original:2: interface: not carried over: interface-automatic is in its place");
	import_case_run(
		"unbound",
		"server:\n interface-automatic: yes\n interface-automatic-ports: \"53 853\"\n");
	assert_config("listen = [ \"0.0.0.0:53\", \"[::]:53\" ]");
	assert_told("original:3: interface-automatic-ports: not carried over: port 853: ");
	assert_not_config("127.0.0.1");
}

static void a_wrong_port_of_interface_automatic_is_told_once(void **state)
{
	const char *told;

	(void)state;
	import_case_run("unbound", "server:\n interface-automatic: yes\n"
				   " interface-automatic-ports: \"853 many 0\"\n");
	told = strstr(import_case_told(), "\"many\" is no port");
	assert_non_null(told);
	assert_null(strstr(told + 1, "\"many\" is no port"));
	assert_told("\"0\" is no port");
	assert_config("listen = [ \"127.0.0.1:53\" ]");
}

static void an_interface_that_is_closed_is_offered_with_its_port(void **state)
{
	(void)state;
	import_case_run("unbound",
			PLAIN " port: 5335\n interface: 192.0.2.7\n interface: 192.0.2.8@5336\n"
			      " interface-action: 192.0.2.7 refuse\n"
			      " interface-action: 192.0.2.8@5336 refuse\n");
	assert_config("# listen = [ \"192.0.2.7:5335\" ];");
	assert_config("# listen = [ \"192.0.2.8:5336\" ];");
}

static void ports_of_tls_are_those_of_the_file(void **state)
{
	(void)state;
	import_case_run("unbound",
			"server:\n interface: 192.0.2.7@5353\n interface: 192.0.2.8@853\n"
			" interface: 192.0.2.9@8443\n tls-port: 5353\n https-port: 8443\n");
	assert_told("original:2: interface: not carried over: ");
	assert_told("original:4: interface: not carried over: ");
	assert_config("listen = [ \"192.0.2.8:853\" ]");
}

static void an_identity_that_is_hidden_stays_so(void **state)
{
	(void)state;
	import_case_run("unbound",
			PLAIN " identity: \"secret\"\n version: \"9\"\n hide-identity: yes\n");
	assert_not_config("secret");
	assert_config("version = \"9\"");
	assert_told("original:3: identity: not carried over: hide-identity keeps it from clients");
}

static void a_pointer_s_name_may_be_long(void **state)
{
	static const char name[] = "a-long-name-of-a-machine.in-the-second-building."
				   "of-the-office.branch.example";
	char text[512];

	(void)state;
	assert_true(strlen(name) > 63);
	snprintf(text, sizeof text, PLAIN " local-data-ptr: \"10.0.0.7 %s\"\n", name);
	import_case_run("unbound", text);
	assert_config(name);
	assert_not_told("local-data-ptr");
	snprintf(text, sizeof text, PLAIN " local-data-ptr: \"10.0.0.7 77 %s\"\n", name);
	import_case_run("unbound", text);
	assert_config(name);
	assert_config("ttl = 77;");
}

static void included_files_that_are_not_read_are_told(void **state)
{
	(void)state;
	import_case_run("unbound", PLAIN "include: \"none/*.conf\"\n");
	assert_told("original:3: include: not carried over: no file matches none/*.conf");
	assert_config("127.0.0.1");
	assert_int_equal(symlink("loop", "loop"), 0);
	import_case_run("unbound", PLAIN "include: \"loop/*.conf\"\n");
	assert_told("original:3: include: loop/*.conf cannot be read");
	assert_string_equal(import_case_config(), "");
}

static void several_files_are_one_server(void **state)
{
	(void)state;
	import_case_run_two("unbound",
			    PLAIN " access-control: 127.0.0.0/8 refuse\n"
				  " access-control: ::1 refuse\n"
				  " access-control: 10.0.0.0/8 allow\n",
			    "forward-zone:\n name: corp.example\n forward-addr: 10.0.0.1\n");
	assert_config("domain = \"corp.example.\"");
	assert_config("client_prefixes = [ \"10.0.0.0/8\" ];");
	assert_config("listen = [ \"127.0.0.1:53\" ];");
	import_case_run_two("unbound", PLAIN, "port: 5335\n");
	assert_told("more:1: port: it is in no clause");
	assert_string_equal(import_case_config(), "");
}

static void lost_servers_of_other_names_are_not_those_of_the_machine(void **state)
{
	(void)state;
	import_case_run("unbound", PLAIN "forward-zone:\n name: .\n forward-host: dns.example\n"
					 "view:\n name: guests\n");
	assert_config("\"127.0.0.0/8\", \"::1/128\" ];\n    uses_default_resolver = false;");
	assert_config("\"255.255.255.255/32\" ];\n    uses_default_resolver = false;");
	assert_told("original:3: forward-zone: closed: what no rule decides is refused, because "
		    "none of its servers is carried over");
	import_case_run("unbound", PLAIN "forward-zone:\n name: .\n forward-host: dns.example\n"
					 " forward-addr: 10.0.0.1\n");
	assert_config("\"10.0.0.1\"");
	assert_not_told("closed: ");
}

static void a_view_whose_root_answers_has_no_rules_and_zones_of_the_server(void **state)
{
	static const char *const first[] = {"", " view-first: yes\n"};
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(first); i++) {
		snprintf(text, sizeof text,
			 PLAIN " access-control-view: 10.0.0.0/8 guests\n"
			       " local-zone: main.example static\n"
			       "forward-zone:\n name: corp.example\n forward-addr: 10.0.0.1\n"
			       "view:\n name: guests\n%s local-zone: . refuse\n",
			 first[i]);
		import_case_run("unbound", text);
		assert_config("name = \"main.example\"; links = ( " LINK("home") " );");
		assert_not_config(LINK("guests"));
		assert_config(
			"client_prefixes = [ \"10.0.0.0/8\" ]; uses_default_resolver = false;");
		assert_told("local-zone: different: it answers for all names in the view guests");
	}
	import_case_run("unbound",
			PLAIN " access-control-view: 10.0.0.0/8 guests\n"
			      "forward-zone:\n name: corp.example\n forward-addr: 10.0.0.1\n"
			      "view:\n name: guests\n local-zone: . refuse\n"
			      " local-zone: corp.example transparent\n");
	assert_told("names below corp.example that no zone and no rule decides are refused");
}

/* A view's own zones are asked first, so the server's zones below them are not linked to it. */
static void names_in_a_zone_of_the_view_are_not_those_of_the_server(void **state)
{
	unsigned links = 0;

	(void)state;
	import_case_run("unbound", PLAIN " access-control-view: 10.0.0.0/8 guests\n"
					 " local-zone: below.example.test static\n"
					 " local-data: \"www.example.test A 10.0.0.1\"\n"
					 " local-zone: a.other.test static\n"
					 "view:\n name: guests\n view-first: yes\n"
					 " local-zone: example.test static\n"
					 " local-data: \"other.test A 10.0.0.2\"\n");
	assert_config("name = \"below.example.test\"; links = ( " LINK("home") " );");
	assert_config("name = \"a.other.test\";\n    " LINKS);
	assert_config("name = \"example.test\"; links = ( " LINK("guests") " );");
	for (const char *at = import_case_config(); (at = strstr(at, "NxDomainFallthrough")); at++)
		links++;
	assert_int_equal(links, 2); /* of www.example.test and other.test, each for its view */
}

/* The server's root answers, so its forward-zone "." is left out. The view's names must not go to
 * the machine's own servers in its place. */
static void a_view_beside_a_root_that_answers_is_closed_as_well(void **state)
{
	static const struct {
		const char *view;
		bool told;
	} cases[] = {
		{" local-zone: own.example static\n", true},
		{" view-first: yes\n local-zone: own.example static\n", false},
		{"", false},
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(text, sizeof text,
			 PLAIN " access-control-view: 10.0.0.0/8 guests\n"
			       " local-zone: . refuse\n"
			       "forward-zone:\n name: .\n forward-addr: 10.0.0.1\n"
			       "view:\n name: guests\n%s",
			 cases[i].view);
		import_case_run("unbound", text);
		assert_config(
			"client_prefixes = [ \"10.0.0.0/8\" ]; uses_default_resolver = false;");
		if (cases[i].told)
			assert_told(
				"original:4: local-zone: different: it is not for the view guests");
		else
			assert_not_told("it is not for the view");
	}
}

static void clients_that_need_a_cookie_may_not_ask(void **state)
{
	(void)state;
	import_case_run("unbound", PLAIN " access-control: 10.0.0.0/8 allow\n"
					 " access-control: 192.0.2.0/24 allow_cookie\n"
					 " access-control: 198.51.100.0/24 allow_cookie\n"
					 " access-control: 203.0.113.0/24 allow_snoop\n");
	assert_config("  client_prefixes = [ \"10.0.0.0/8\", \"127.0.0.0/8\", \"203.0.113.0/24\", "
		      "\"::1/128\" ];");
	assert_config("# client_prefixes = [ \"10.0.0.0/8\", \"127.0.0.0/8\", \"192.0.2.0/24\", "
		      "\"198.51.100.0/24\", \"203.0.113.0/24\", \"::1/128\" ];");
	assert_told("access-control: closed: clients are told by their addresses, not by cookies");
	assert_told(
		"access-control: different: clients are told by their addresses, not by cookies");
	import_case_run("unbound", "server:\n interface: 192.0.2.7\n"
				   " interface-action: 192.0.2.7 allow_cookie\n");
	assert_config("listen = [ \"127.0.0.1:53\" ];");
	assert_config("# listen = [ \"192.0.2.7\" ];");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_settings_for_one_prefix_the_last_counts),
		cmocka_unit_test(a_setting_is_told_with_its_own_reason),
		cmocka_unit_test(of_views_for_one_prefix_the_first_counts),
		cmocka_unit_test(a_view_called_like_the_main_one_is_another),
		cmocka_unit_test(zones_of_master_files_are_for_all_views),
		cmocka_unit_test(an_auth_zone_is_not_for_a_view_whose_local_zone_answers_for_it),
		cmocka_unit_test(a_view_without_local_zones_has_those_of_the_server),
		cmocka_unit_test(a_value_may_stand_at_the_colon),
		cmocka_unit_test(values_that_are_too_many_are_told),
		cmocka_unit_test(what_is_asked_over_tls_is_not_asked_without),
		cmocka_unit_test(a_copy_of_the_root_is_no_rule),
		cmocka_unit_test(settings_of_zones_and_views_are_told),
		cmocka_unit_test(an_exception_in_a_closed_zone_is_told),
		cmocka_unit_test(zones_that_are_looked_up_like_others_are_no_zones),
		cmocka_unit_test(of_local_zones_for_one_name_the_last_counts),
		cmocka_unit_test(how_long_answers_are_stale_depends_on_no_order),
		cmocka_unit_test(interface_automatic_is_all_addresses),
		cmocka_unit_test(a_wrong_port_of_interface_automatic_is_told_once),
		cmocka_unit_test(an_interface_that_is_closed_is_offered_with_its_port),
		cmocka_unit_test(ports_of_tls_are_those_of_the_file),
		cmocka_unit_test(an_identity_that_is_hidden_stays_so),
		cmocka_unit_test(a_pointer_s_name_may_be_long),
		cmocka_unit_test(included_files_that_are_not_read_are_told),
		cmocka_unit_test(several_files_are_one_server),
		cmocka_unit_test(lost_servers_of_other_names_are_not_those_of_the_machine),
		cmocka_unit_test(a_view_whose_root_answers_has_no_rules_and_zones_of_the_server),
		cmocka_unit_test(names_in_a_zone_of_the_view_are_not_those_of_the_server),
		cmocka_unit_test(a_view_beside_a_root_that_answers_is_closed_as_well),
		cmocka_unit_test(clients_that_need_a_cookie_may_not_ask),
	};

	return cmocka_run_group_tests(tests, import_case_setup, import_case_teardown);
}
