/* What an import of a Corefile must not lose in silence: words of long lines, servers that are
 * asked over TLS, names of hosts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "rules/base.h"
#include "tests/lib/import_case.h"

static void a_line_of_many_words_is_read_whole(void **state)
{
	char text[8192] = ". {\nbind 127.0.0.1\nacl {\nblock net";
	size_t length = strlen(text);

	(void)state;
	for (unsigned i = 0; i < 256; i++)
		length += (size_t)snprintf(text + length, sizeof text - length, " 10.%u.0.0/16", i);
	snprintf(text + length, sizeof text - length,
		 "\nallow net 10.0.0.0/8 192.168.0.0/16\nblock\n}\nforward . 192.0.2.1\n}\n");
	import_case_run("coredns", text);
	assert_config("client_prefixes = [ \"192.168.0.0/16\" ]");
}

static void what_is_asked_over_tls_is_not_asked_without(void **state)
{
	(void)state;
	import_case_run("coredns",
			". {\nbind 127.0.0.1\nforward . tls://9.9.9.9 https://dns.example\n}\n");
	assert_config("uses_default_resolver = false;");
	assert_told("original:3: forward: closed: what no rule decides is refused, because its "
		    "servers are asked over TLS or HTTPS alone");
	import_case_run("coredns", ". {\nbind 127.0.0.1\nforward . tls://9.9.9.9 10.0.0.1\n}\n");
	assert_not_told("closed: ");
	assert_config("address = \"10.0.0.1\"");
	import_case_run("coredns", ". {\nbind 127.0.0.1\nforward . /etc/resolv.conf\n}\n");
	assert_not_told("closed: ");
}

static void a_server_that_is_refused_does_not_open_what_is_asked_over_tls(void **state)
{
	static const char *const refused[] = {"./resolv.conf", "dns.example", "dns://dns.example"};
	char text[256];

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		snprintf(text, sizeof text, ". {\nbind 127.0.0.1\nforward . tls://9.9.9.9 %s\n}\n",
			 refused[i]);
		import_case_run("coredns", text);
		assert_config("uses_default_resolver = false;");
		assert_told("original:3: forward: closed: ");
		assert_told("is no address of a server");
	}
	import_case_run("coredns",
			". {\nbind 127.0.0.1\nforward . tls://9.9.9.9 /etc/resolv.conf\n}\n");
	assert_not_told("closed: ");
}

static void a_copy_of_the_root_is_no_rule(void **state)
{
	(void)state;
	import_case_run("coredns",
			". {\nbind 127.0.0.1\nsecondary {\ntransfer from 199.9.14.201\n}\n}\n");
	assert_not_config("199.9.14.201");
	assert_told("original:3: secondary: not carried over: it is a copy of the root");
}

#define HOSTS(words, block)                                                                        \
	". {\nbind 127.0.0.1\nhosts " words " {\n10.0.0.1 nas.example\n" block "\n}\n"

static void hosts_without_a_file_have_their_block_alone(void **state)
{
	(void)state;
	import_case_run("coredns", HOSTS("/dev/null", "fallthrough") "forward . 192.0.2.1\n}\n");
	assert_config("nas.example");
	assert_not_told("/dev/null");
}

static void hosts_without_ptrs_have_none_of_their_file_either(void **state)
{
	(void)state;
	import_case_put("names", "10.0.0.2 printer.example\n");
	import_case_run("coredns", HOSTS("names", "fallthrough") "forward . 192.0.2.1\n}\n");
	assert_config("2.0.0.10.in-addr.arpa");
	import_case_run("coredns",
			HOSTS("names", "no_reverse\nfallthrough") "forward . 192.0.2.1\n}\n");
	assert_config("printer.example");
	assert_not_config("in-addr.arpa");
}

static void hosts_that_fall_through_to_nothing_are_told(void **state)
{
	(void)state;
	import_case_run("coredns", HOSTS("/dev/null", "fallthrough") "}\n");
	assert_told(
		"original:3: hosts: different: a name of . that the hosts do not have goes where "
		"others go");
	import_case_run("coredns", HOSTS("/dev/null", "fallthrough") "forward . 192.0.2.1\n}\n");
	assert_not_told("goes where");
}

/* With "fallthrough ZONES", the names of all other zones do not go on. */
static void hosts_fall_through_for_the_zones_of_that_line_alone(void **state)
{
	static const struct {
		const char *zones;
		bool falls_through;
	} cases[] = {
		{"", true},
		{"lan", true},
		{".", true},
		{"LAN. in-addr.arpa", true},
		{"in-addr.arpa ip6.arpa", false},
		{"guests.lan", false},
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(text, sizeof text,
			 "lan {\nbind 127.0.0.1\nhosts /dev/null {\n10.0.0.1 nas.lan\n"
			 "fallthrough %s\n}\nforward . 192.0.2.1\n}\n",
			 cases[i].zones);
		import_case_run("coredns", text);
		assert_config(cases[i].falls_through ? "name = \"nas.lan\"" : "\"nas:A\"");
	}
	assert_told("original:5: fallthrough: not carried over: guests.lan stays in the zone lan");
}

static void a_single_server_needs_no_braces(void **state)
{
	(void)state;
	import_case_run("coredns", ".:53\n\nbind 127.0.0.1\nforward . 192.0.2.1 {\nmax_fails 0\n}\n"
				   "cache 60\n");
	assert_config("targets = ( { address = \"192.0.2.1\"; } )");
	assert_config("ttl_max = 60;");
	assert_config("listen = [ \"127.0.0.1:53\" ]");
	import_case_run("coredns", ".:53\nbind 127.0.0.1\n}\n");
	assert_told("original:3: a zone is expected here");
	assert_string_equal(import_case_config(), "");
	import_case_run("coredns", ". {\n}\na.example {\nbind 127.0.0.1\nforward . 192.0.2.1\n}\n");
	assert_config("domain = \"a.example.\"");
}

#define ROOT ". {\nbind 127.0.0.1\nforward . 192.0.2.1\n}\n"

static void names_of_a_server_that_answers_nothing_here_are_not_forwarded(void **state)
{
	(void)state;
	import_case_run("coredns", ROOT "cluster.local {\nbind 127.0.0.1\nkubernetes\n}\n");
	assert_config("name = \"cluster.local\"");
	assert_told(
		"original:5: cluster.local: different: no plugin that answers for cluster.local");
	import_case_run("coredns", ROOT "a.example {\nbind 127.0.0.1\nprometheus\n}\n"
					"A.example. {\nbind 127.0.0.1\nforward . 192.0.2.2\n}\n");
	assert_not_config("private_zones");
	import_case_run("coredns", ROOT ".:54 {\nbind 127.0.0.1\nprometheus\n}\n");
	assert_not_config("private_zones");
}

#define CLUSTER "cluster.local {\nbind 127.0.0.1\nkubernetes\n}\n"
#define BELOW   "corp.cluster.local {\nbind 127.0.0.1\nforward . 10.0.0.1\n}\n"

/* A private zone is asked before every rule. */
static void a_zone_that_closes_names_hides_no_rule_below_it(void **state)
{
	(void)state;
	import_case_run("coredns", ROOT CLUSTER BELOW);
	assert_not_config("private_zones");
	assert_config("domain = \"corp.cluster.local.\"");
	assert_told("original:5: cluster.local: different: no plugin that answers for "
		    "cluster.local is carried over; its names go where others go");
	import_case_run("coredns", ROOT CLUSTER "cluster.local.example {\nbind 127.0.0.1\n"
						"forward . 10.0.0.1\n}\n");
	assert_config("name = \"cluster.local\"");
	import_case_run("coredns", ROOT "cluster.local {\nbind 127.0.0.1\nhosts /dev/null {\n"
					"10.0.0.2 nas.cluster.local\n}\n}\n" BELOW);
	assert_config("name = \"nas.cluster.local\"");
	assert_not_config("name = \"cluster.local\"");
	assert_told("original:7: hosts: different: a name of cluster.local that the hosts do not "
		    "have goes where others go");
}

/* A rule without a target answers nothing. */
static void a_plugin_that_is_not_carried_over_does_not_count_as_an_answer(void **state)
{
	static const struct {
		const char *plugins;
		bool closed;
	} cases[] = {
		{"forward . tls://1.1.1.1", true},
		{"forward other.example 10.0.0.1", true},
		{"forward . /etc/resolv.conf", true},
		{"forward", true},
		{"file", true},
		{"auto {\ndirectory missing\n}", true},
		{"forward . tls://1.1.1.1 10.0.0.1", false},
		{"forward example 10.0.0.1", false},
		{"secondary {\ntransfer from 10.0.0.1\n}", false},
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(text, sizeof text, ROOT "corp.example {\nbind 127.0.0.1\n%s\n}\n",
			 cases[i].plugins);
		import_case_run("coredns", text);
		if (cases[i].closed)
			assert_config("name = \"corp.example\"");
		else
			assert_not_config("private_zones");
	}
	import_case_run("coredns", ". {\nbind 127.0.0.1\nforward . /etc/resolv.conf\n}\n"
				   "corp.example {\nbind 127.0.0.1\n"
				   "forward . /etc/resolv.conf\n}\n");
	assert_not_config("private_zones");
	import_case_put("db.example", "@ 60 IN A 192.0.2.5\n");
	import_case_run("coredns", ROOT "corp.example {\nbind 127.0.0.1\n"
					"file db.example example\n}\n");
	assert_config("name = \"example\"");
	assert_not_config("name = \"corp.example\"");
}

static void files_that_nothing_imports_are_told(void **state)
{
	(void)state;
	import_case_run("coredns",
			". {\nbind 127.0.0.1\nimport more/*.conf\nforward . 192.0.2.1\n}\n");
	assert_told("original:3: import: not carried over: no file matches more/*.conf");
}

static void several_files_are_one_server(void **state)
{
	(void)state;
	import_case_run_two("coredns",
			    "a.example {\nbind 127.0.0.1\nacl {\nallow net 10.0.0.0/8\nblock\n}\n"
			    "forward . 192.0.2.1\n}\n",
			    "b.example {\nforward . 192.0.2.2\n}\n");
	assert_config("domain = \"a.example.\"");
	assert_config("domain = \"b.example.\"");
	assert_config("client_prefixes = [ \"10.0.0.0/8\" ];");
	assert_config("listen = [ \"127.0.0.1:53\" ];");
	assert_told("more:1: b.example: closed: its clients are not those of the servers ahead");
}

static void files_of_other_zones_are_not_served(void **state)
{
	static const char *const zones[] = {"corp.example", "example"};
	char text[256];

	(void)state;
	assert_int_equal(mkdir("zones", 0755), 0);
	import_case_put("zones/db.corp.example", "@ 60 IN A 192.0.2.5\n");
	import_case_put("zones/db.bank.test", "@ 60 IN A 192.0.2.6\n");
	for (size_t i = 0; i < COUNT(zones); i++) {
		snprintf(text, sizeof text,
			 "example {\nbind 127.0.0.1\nauto %s {\ndirectory zones\n}\n}\n" ROOT,
			 zones[i]);
		import_case_run("coredns", text);
		assert_config("name = \"corp.example\"");
		assert_not_config("bank.test");
		assert_told("original:3: auto: not carried over: bank.test is in no zone that the "
			    "files are for");
	}
	import_case_run("coredns",
			"example test {\nbind 127.0.0.1\nauto {\ndirectory zones\n}\n}\n");
	assert_config("name = \"bank.test\"");
}

#define VIEWED "corp.example {\nbind 127.0.0.1\nview v {\nexpr true\n}\nforward . 10.0.0.1\n}\n"
#define PLAIN  "corp.example {\nbind 127.0.0.1\nforward . 10.0.0.2\n}\n"

static void names_of_a_server_that_is_left_out_are_not_forwarded(void **state)
{
	(void)state;
	import_case_run("coredns", ROOT VIEWED);
	assert_config("name = \"corp.example\"");
	assert_not_config("10.0.0.1");
	assert_told("original:5: corp.example: different: no plugin that answers for corp.example");
	import_case_run("coredns", ROOT VIEWED PLAIN);
	assert_not_config("private_zones");
	assert_config("address = \"10.0.0.2\"");
}

static void a_server_with_and_without_tls_is_asked_without(void **state)
{
	(void)state;
	import_case_run("coredns", "tls://corp.example corp.example:5353 {\nbind 127.0.0.1\n"
				   "forward . 10.0.0.1\n}\n");
	assert_config("domain = \"corp.example.\"");
	assert_config("listen = [ \"127.0.0.1:5353\" ]");
	assert_told("not carried over: tls://corp.example: clients ask without TLS");
	import_case_run("coredns", ROOT "tls://corp.example {\nforward . 10.0.0.1\n}\n");
	assert_not_config("corp.example");
}

static void lost_servers_of_other_names_are_not_those_of_the_machine(void **state)
{
	(void)state;
	import_case_run("coredns", ". {\nbind 127.0.0.1\nforward . {$UPSTREAM}\n}\n");
	assert_config("uses_default_resolver = false;");
	assert_told("original:3: forward: closed: what no rule decides is refused, because "
		    "none of its servers is carried over");
	import_case_run("coredns", ". {\nbind 127.0.0.1\nforward . {$UPSTREAM} 10.0.0.1\n}\n");
	assert_config("address = \"10.0.0.1\"");
	assert_not_told("closed: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_of_many_words_is_read_whole),
		cmocka_unit_test(what_is_asked_over_tls_is_not_asked_without),
		cmocka_unit_test(a_server_that_is_refused_does_not_open_what_is_asked_over_tls),
		cmocka_unit_test(a_copy_of_the_root_is_no_rule),
		cmocka_unit_test(hosts_without_a_file_have_their_block_alone),
		cmocka_unit_test(hosts_without_ptrs_have_none_of_their_file_either),
		cmocka_unit_test(hosts_that_fall_through_to_nothing_are_told),
		cmocka_unit_test(hosts_fall_through_for_the_zones_of_that_line_alone),
		cmocka_unit_test(a_single_server_needs_no_braces),
		cmocka_unit_test(names_of_a_server_that_answers_nothing_here_are_not_forwarded),
		cmocka_unit_test(a_zone_that_closes_names_hides_no_rule_below_it),
		cmocka_unit_test(a_plugin_that_is_not_carried_over_does_not_count_as_an_answer),
		cmocka_unit_test(files_that_nothing_imports_are_told),
		cmocka_unit_test(several_files_are_one_server),
		cmocka_unit_test(files_of_other_zones_are_not_served),
		cmocka_unit_test(names_of_a_server_that_is_left_out_are_not_forwarded),
		cmocka_unit_test(a_server_with_and_without_tls_is_asked_without),
		cmocka_unit_test(lost_servers_of_other_names_are_not_those_of_the_machine),
	};

	return cmocka_run_group_tests(tests, import_case_setup, import_case_teardown);
}
