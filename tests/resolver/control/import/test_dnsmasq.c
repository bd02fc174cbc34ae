/* dnsmasq.conf: long values, domains, and files that are named by their folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/lib/import_case.h"

#define ALONE "no-hosts\nno-resolv\nlisten-address=127.0.0.1\n"

static void a_value_of_many_parts_is_read_whole(void **state)
{
	char text[4096] = ALONE "server=/";
	size_t length = strlen(text);

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		length += (size_t)snprintf(text + length, sizeof text - length, "d%u.example/", i);
	snprintf(text + length, sizeof text - length, "10.0.0.1\n");
	import_case_run("dnsmasq", text);
	assert_config("domain = \"d0.example.\"");
	assert_config("domain = \"d99.example.\"");
}

static void a_dot_ahead_of_a_domain_is_nothing(void **state)
{
	(void)state;
	import_case_run("dnsmasq", ALONE "server=/.corp.example/10.0.0.1\nlocal=/.lan/\n"
					 "address=/.lab.lan/10.0.0.2\n");
	assert_config("domain = \"corp.example.\"");
	assert_config("name = \"lan\"");
	assert_config("name = \"lab.lan\"");
	assert_not_told("is no domain name");
}

static void a_file_of_servers_is_read(void **state)
{
	(void)state;
	import_case_put("servers", "server=/corp.example/10.0.0.1\n");
	import_case_run("dnsmasq", ALONE "server=10.0.0.2\nservers-file=servers\n");
	assert_config("domain = \"corp.example.\"");
	import_case_run("dnsmasq", ALONE "server=10.0.0.2\nservers-file=missing\n");
	assert_string_equal(import_case_config(), "");
}

static void folders_in_a_folder_are_passed_over(void **state)
{
	(void)state;
	assert_int_equal(mkdir("conf", 0755), 0);
	assert_int_equal(mkdir("conf/inner", 0755), 0);
	assert_int_equal(mkdir("hosts", 0755), 0);
	assert_int_equal(mkdir("hosts/inner", 0755), 0);
	import_case_put("conf/one", "server=/corp.example/10.0.0.1\n");
	import_case_put("conf/#two", "server=/more.example/10.0.0.1\n");
	import_case_put("hosts/one", "10.0.0.2 nas.example\n");
	import_case_run("dnsmasq", ALONE "conf-dir=conf\naddn-hosts=hosts\n");
	assert_config("domain = \"corp.example.\"");
	assert_config("domain = \"more.example.\"");
	assert_config("name = \"nas.example\"");
}

static void a_folder_that_cannot_be_read_is_a_fault(void **state)
{
	(void)state;
	import_case_run("dnsmasq", ALONE "conf-dir=missing\n");
	assert_told("original:4: conf-dir: missing cannot be read");
	assert_string_equal(import_case_config(), "");
}

static void a_service_has_the_domain_without_expand_hosts(void **state)
{
	(void)state;
	import_case_run("dnsmasq", ALONE "domain=lan\nsrv-host=_ldap._tcp,ldap.lan,389\n");
	assert_config("name = \"_ldap._tcp.lan\"");
}

static void the_domain_of_a_range_is_not_that_of_all_hosts(void **state)
{
	(void)state;
	import_case_put("names", "10.1.0.7 printer\n");
	import_case_run("dnsmasq", ALONE "expand-hosts\naddn-hosts=names\ndomain=old.lan\n"
					 "domain=lan\ndomain=wifi.lan,10.2.0.0/24\n");
	assert_config("name = \"printer.lan\"");
	assert_told("original:8: domain: not carried over: a name of a hosts file gets the domain "
		    "without a range");
	import_case_run("dnsmasq", ALONE "domain=wifi.lan,10.2.0.0/24\n");
	assert_told("domain: not carried over: it is for names from DHCP");
	import_case_run("dnsmasq", ALONE "expand-hosts\naddn-hosts=names\ndomain=#\n");
	assert_config("name = \"printer\"");
	assert_told("original:6: domain: not carried over: the domain of /etc/resolv.conf");
}

static void the_local_domain_of_a_range_is_not_forwarded(void **state)
{
	(void)state;
	import_case_run("dnsmasq", ALONE "domain=lab.example,10.2.0.0/23,local\n"
					 "domain=six.example,2001:db8::/31,local\n");
	assert_config("name = \"lab.example\"");
	assert_config("name = \"0.2.10.in-addr.arpa\"");
	assert_config("name = \"1.2.10.in-addr.arpa\"");
	assert_not_config("2.2.10.in-addr.arpa");
	assert_config("name = \"8.b.d.0.1.0.0.2.ip6.arpa\"");
	assert_config("name = \"9.b.d.0.1.0.0.2.ip6.arpa\"");
	assert_not_told("domain: ");
}

static void servers_for_reverse_names_are_those_of_each_octet(void **state)
{
	(void)state;
	import_case_run("dnsmasq", ALONE "rev-server=10.2.254.0/23,10.0.0.1\n");
	assert_config("domain = \"254.2.10.in-addr.arpa.\"");
	assert_config("domain = \"255.2.10.in-addr.arpa.\"");
}

static void servers_of_a_resolv_file_are_not_told_as_lost(void **state)
{
	(void)state;
	import_case_put("resolv", "nameserver 10.0.0.1\n");
	import_case_run(
		"dnsmasq",
		"no-hosts\nlisten-address=127.0.0.1\nresolv-file=resolv\nserver=10.0.0.2\n");
	assert_config("\"10.0.0.1\"");
	assert_config("\"10.0.0.2\"");
	assert_not_told("resolv.conf");
}

/* Only one of the two files says which clients may ask, and at which addresses. */
static void several_files_are_one_server(void **state)
{
	(void)state;
	import_case_run_two("dnsmasq", ALONE "local-service=host\nserver=10.0.0.1\n",
			    "server=/corp.example/10.0.0.2\n");
	assert_config("listen = [ \"127.0.0.1:53\" ]");
	assert_config("domain = \"corp.example.\"");
	assert_not_told("/etc/hosts");
	import_case_run_two("dnsmasq", "server=/corp.example/10.0.0.2\n",
			    "no-hosts\nno-resolv\nlocal-service=host\n");
	assert_config("client_prefixes = [ \"127.0.0.0/8\", \"::1/128\" ]");
	assert_config("listen = [ \"127.0.0.1:53\", \"[::1]:53\" ]");
	assert_config("uses_default_resolver = false;");
	assert_not_config("0.0.0.0");
}

static void lost_servers_of_other_names_are_not_those_of_the_machine(void **state)
{
	(void)state;
	import_case_run("dnsmasq", ALONE "server=dns.example\n");
	assert_config("uses_default_resolver = false;");
	assert_told("original:4: server: closed: what no rule decides is refused, because "
		    "none of its servers is carried over");
	import_case_put("resolv", "nameserver dns.example\n");
	import_case_run("dnsmasq", "no-hosts\nlisten-address=127.0.0.1\nresolv-file=resolv\n");
	assert_config("uses_default_resolver = false;");
	assert_told("original:3: resolv-file: closed: ");
	import_case_run("dnsmasq", ALONE "server=dns.example\nserver=10.0.0.1\n");
	assert_config("\"10.0.0.1\"");
	assert_not_told("closed: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_of_many_parts_is_read_whole),
		cmocka_unit_test(a_dot_ahead_of_a_domain_is_nothing),
		cmocka_unit_test(a_file_of_servers_is_read),
		cmocka_unit_test(folders_in_a_folder_are_passed_over),
		cmocka_unit_test(a_folder_that_cannot_be_read_is_a_fault),
		cmocka_unit_test(a_service_has_the_domain_without_expand_hosts),
		cmocka_unit_test(the_domain_of_a_range_is_not_that_of_all_hosts),
		cmocka_unit_test(the_local_domain_of_a_range_is_not_forwarded),
		cmocka_unit_test(servers_for_reverse_names_are_those_of_each_octet),
		cmocka_unit_test(servers_of_a_resolv_file_are_not_told_as_lost),
		cmocka_unit_test(several_files_are_one_server),
		cmocka_unit_test(lost_servers_of_other_names_are_not_those_of_the_machine),
	};

	return cmocka_run_group_tests(tests, import_case_setup, import_case_teardown);
}
