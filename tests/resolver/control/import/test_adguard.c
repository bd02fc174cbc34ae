/* AdGuardHome.yaml: settings that are lost, and answers without a text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/base.h"
#include "tests/lib/import_case.h"

#define DNS "dns:\n  bind_hosts:\n    - 127.0.0.1\n  upstream_dns:\n    - 10.0.0.1\n"

static void protection_that_is_lost_is_told(void **state)
{
	(void)state;
	import_case_run("adguard",
			DNS "  cache_optimistic: true\n  hostsfile_enabled: true\n"
			    "  edns_client_subnet:\n    enabled: true\n"
			    "whitelist_filters:\n  - enabled: true\n    url: https://a.example\n"
			    "filtering:\n  safebrowsing_enabled: true\n  parental_enabled: true\n"
			    "  safe_search:\n    enabled: true\n    bing: true\n");
	assert_told(": cache_optimistic: not carried over: cache.stale_max");
	assert_told(": hostsfile_enabled: not carried over: the names of the machine's /etc/hosts");
	assert_told(": edns_client_subnet: not carried over: clients' subnets");
	assert_told(": whitelist_filters: not carried over: there are no blocklists");
	assert_told(": safebrowsing_enabled: not carried over: answers are not filtered");
	assert_told(": parental_enabled: not carried over: ");
	assert_told(": safe_search: not carried over: ");
	import_case_run("adguard",
			DNS "  cache_optimistic: false\n  edns_client_subnet:\n    enabled: false\n"
			    "filtering:\n  safe_search:\n    enabled: false\n    bing: true\n");
	assert_not_told("cache_optimistic");
	assert_not_told("edns_client_subnet");
	assert_not_told("safe_search");
}

#define CLIENT(own)                                                                                \
	DNS "clients:\n  persistent:\n    - name: tv\n      use_global_settings: " own "\n"        \
	    "      use_global_blocked_services: " own                                              \
	    "\n      safe_search:\n        enabled: true\n"                                        \
	    "      blocked_services:\n        ids:\n          - tiktok\n"

static void a_client_s_own_protection_is_told(void **state)
{
	(void)state;
	import_case_run("adguard", CLIENT("false"));
	assert_told(": safe_search: not carried over: answers are not filtered");
	assert_told(": blocked_services: not carried over: there are no blocklists");
	import_case_run("adguard", CLIENT("true"));
	assert_not_told("safe_search");
	assert_not_told("blocked_services");
}

static void a_rewrite_without_an_answer_is_a_fault(void **state)
{
	(void)state;
	import_case_run("adguard", DNS
			"filtering:\n  rewrites:\n    - domain: a.example\n      answer: \"\"\n");
	assert_told("a rewrite has a domain and an answer");
}

#define REWRITE(domain, answer) "  rewrites:\n    - domain: " domain "\n      answer: " answer "\n"

static void rewrites_that_are_off_are_not_made(void **state)
{
	static const char *const texts[] = {
		DNS "filtering:\n  rewrites_enabled: false\n" REWRITE("a.example", "10.0.0.7"),
		DNS "filtering:\n  filtering_enabled: false\n" REWRITE("a.example", "10.0.0.7"),
		DNS "  filtering_enabled: false\n" REWRITE("a.example", "10.0.0.7"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		import_case_run("adguard", texts[i]);
		assert_not_config("10.0.0.7");
		assert_told("not carried over: it is disabled there");
	}
	import_case_run("adguard", DNS
			"filtering:\n  filtering_enabled: true\n  rewrites_enabled: true\n" REWRITE(
				"a.example", "10.0.0.7"));
	assert_config("10.0.0.7");
}

static void a_rewrite_of_a_name_to_itself_is_no_record(void **state)
{
	(void)state;
	import_case_run("adguard", DNS "filtering:\n" REWRITE("pass.example", "Pass.example"));
	assert_not_config("pass.example");
	assert_told("not carried over: pass.example has what a target answers");
}

static void denied_clients_may_be_more_than_a_usual_prefix(void **state)
{
	(void)state;
	import_case_run("adguard", DNS "  disallowed_clients:\n    - 172.0.0.0/8\n");
	assert_config("\"192.168.0.0/16\"");
	assert_not_config("\"172.");
	import_case_run("adguard",
			DNS "  disallowed_clients:\n    - 0.0.0.0/0\n    - 10.1.0.0/16\n");
	assert_config("client_prefixes = [ \"::1/128\", \"fc00::/7\" ]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(protection_that_is_lost_is_told),
		cmocka_unit_test(a_client_s_own_protection_is_told),
		cmocka_unit_test(a_rewrite_without_an_answer_is_a_fault),
		cmocka_unit_test(rewrites_that_are_off_are_not_made),
		cmocka_unit_test(a_rewrite_of_a_name_to_itself_is_no_record),
		cmocka_unit_test(denied_clients_may_be_more_than_a_usual_prefix),
	};

	return cmocka_run_group_tests(tests, import_case_setup, import_case_teardown);
}
