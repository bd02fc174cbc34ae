/* pihole.toml: what else counts beside [dns]. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/import_case.h"

static void lines_of_dnsmasq_are_read_as_such(void **state)
{
	(void)state;
	import_case_run("pihole",
			"[dns]\n  upstreams = [ \"10.0.0.1\" ]\n[misc]\n  dnsmasq_lines = [\n"
			"    \"server=/corp.example/10.0.0.2\",\n    \"# a comment\",\n"
			"    \"address=/ads.example/\"\n  ]\n");
	assert_config("domain = \"corp.example.\"");
	assert_config("name = \"ads.example\"");
}

static void a_record_of_the_host_is_taken(void **state)
{
	(void)state;
	import_case_run(
		"pihole",
		"[dns]\n  upstreams = [ \"10.0.0.1\" ]\n  hostRecord = \"nas.example,10.0.0.3\"\n");
	assert_config("name = \"nas.example\"");
}

static void other_settings_are_told_if_they_change_answers(void **state)
{
	(void)state;
	import_case_run(
		"pihole",
		"[dns]\n  upstreams = [ \"10.0.0.1\" ]\n  domainNeeded = true\n  domain = \"lan\"\n"
		"  showDNSSEC = true\n  newest = 5\n  [dns.cache]\n    size = 10000\n"
		"    optimizer = 60\n  [dns.specialDomains]\n    mozillaCanary = true\n"
		"  [dns.rateLimit]\n    count = 0\n    interval = 60\n"
		"[misc]\n  etc_dnsmasq_d = true\n  nice = -10\n[webserver]\n  port = \"80o\"\n");
	assert_told("original:3: domainNeeded: not carried over: ");
	assert_told(
		"original:4: domain: not carried over: names below it are asked for like others");
	assert_not_told("original:5: ");
	assert_told(
		"original:6: newest: not carried over: sluice has nothing that corresponds to it");
	assert_not_told("original:8: ");
	assert_told("original:9: optimizer: not carried over: cache.stale_max");
	assert_told("original:11: mozillaCanary: not carried over: a private zone");
	assert_told("original:13: count: not carried over: response_limit");
	assert_not_told("original:14: ");
	assert_told("original:16: etc_dnsmasq_d: not carried over: the files of /etc/dnsmasq.d");
	assert_not_told("original:17: ");
	assert_not_told("original:19: ");
}

static void several_files_are_one_server(void **state)
{
	(void)state;
	import_case_run_two("pihole",
			    "[dns]\n  upstreams = [ \"10.0.0.1\" ]\n  interface = \"eth0\"\n"
			    "  listeningMode = \"SINGLE\"\n",
			    "10.0.0.8 nas.example\n");
	assert_config("listen = [ \"127.0.0.1:53\", \"[::1]:53\" ]");
	assert_config("name = \"nas.example\"");
	assert_told("original:4: interface: closed: listen has addresses, not interfaces");
	import_case_run_two("pihole", "no-resolv\nno-hosts\nserver=10.0.0.1\ninterface=lo\n",
			    "10.0.0.8 nas.example\n");
	assert_config("listen = [ \"127.0.0.1:53\", \"[::1]:53\" ]");
	assert_config("name = \"nas.example\"");
	assert_not_told("local-service");
}

static void lists_of_names_answer_private_networks_alone(void **state)
{
	(void)state;
	import_case_run_two("pihole", "10.0.0.8 nas.example\n",
			    "cname=files.example,nas.example\n");
	assert_config("name = \"files.example\"");
	assert_not_config("client_prefixes");
	assert_not_told("/etc/hosts");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_of_dnsmasq_are_read_as_such),
		cmocka_unit_test(a_record_of_the_host_is_taken),
		cmocka_unit_test(other_settings_are_told_if_they_change_answers),
		cmocka_unit_test(several_files_are_one_server),
		cmocka_unit_test(lists_of_names_answer_private_networks_alone),
	};

	return cmocka_run_group_tests(tests, import_case_setup, import_case_teardown);
}
