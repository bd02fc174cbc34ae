/* The report of a running server as people see it: what is wrong at once, on a screen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolver/control/command/print.h"
#include "resolver/control/observe/status.h"
#include "resolver/stats.h"

enum { SCREEN_LINES = 40, SCREEN_COLUMNS = 100 };

static json_t *target(const char *state, int i, int timeouts)
{
	char host[32];
	snprintf(host, sizeof host, "192.168.%d.%d:53", i / 250, i % 250 + 1);
	return json_pack("{s:s, s:s, s:s, s:s, s:f, s:i, s:i, s:i, s:s, s:s, s:[s, s, s, s], s:i, "
			 "s:i, s:s?}",
			 "host", host, "protocol", "udp", "source", "10.10.0.20", "state", state,
			 "srtt_ms", 1.5, "asked", 123456, "timeouts", timeouts, "errors", 0,
			 "last_error", "no answer", "since", "2026-01-31T12:00:00Z", "rules",
			 "onprem/a", "onprem/b", "onprem/c", "onprem/d", "rule_count", 12,
			 "unanswered_count", strcmp(state, "suspect") == 0 ? 10 : 0, "harm",

			 strcmp(state, "suspect") == 0 ? "cannot be answered: onprem/a, onprem/b "
							 "and 8 more; 2 others go on"
						       : NULL);
}

/* An ordinary configuration, with as many targets, the first `dead` of them suspect. */
static json_t *report(int dead, int live)
{
	json_t *targets = json_array(), *counters = json_object(), *zones = json_array();
	for (int i = 0; i < dead + live; i++)
		json_array_append_new(targets,
				      target(i < dead ? "suspect" : "up", i, i < dead ? 7 : 0));
	for (unsigned i = 0; i < stats_row_count; i++)
		json_object_set_new(counters, stats_rows[i].name, json_integer(i % 3 ? 0 : i + 1));
	for (int i = 0; i < 2; i++)
		json_array_append_new(zones, json_pack("{s:s, s:i, s:i, s:i, s:[s]}", "name",
						       "corp.internal", "record_sets", 2, "records",
						       2, "bytes", 2592, "networks", "hub"));
	json_t *made = json_pack("{s:s, s:i, s:i, s:s, s:i, s:s, s:o, s:o, s:o}", "version", "1",
				 "generation", 3, "workers", 2, "config", "/etc/sluice/sluice.conf",
				 "uptime_s", 273600, "loaded_at", "2026-01-31T12:00:00Z", "targets",
				 targets, "counters", counters, "zones", zones);
	json_object_set_new(made, "networks",
			    json_pack("[{s:s, s:[s], s:[], s:i, s:[s]}]", "name", "hub",
				      "address_space", "10.10.0.0/16", "dns_servers", "zones", 2,
				      "rulesets", "onprem"));
	json_object_set_new(made, "rulesets",
			    json_pack("[{s:s, s:i, s:i, s:[s], s:[s]}]", "name", "onprem", "rules",
				      3, "disabled", 0, "networks", "hub", "outbound_endpoints",
				      "hub-resolver/outbound"));
	json_object_set_new(made, "inbound_endpoints",
			    json_pack("[{s:s, s:s, s:s, s:s, s:b}]", "name", "hub-resolver/inbound",
				      "network", "hub", "address", "10.10.0.4", "listen",
				      "10.10.0.4:53", "present", 1));
	json_object_set_new(made, "outbound_endpoints",
			    json_pack("[{s:s, s:s, s:s, s:b}]", "name", "hub-resolver/outbound",
				      "network", "hub", "source", "10.10.0.20", "present",
				      dead == 0));
	json_object_set_new(made, "logins", json_pack("{s:i, s:i}", "failed", 0, "refused", 0));
	json_object_set_new(made, "cache",
			    json_pack("{s:i, s:i, s:i, s:i, s:i, s:i}", "entries", 16, "bytes",
				      2540, "hits", 4, "misses", 18, "inserted", 16, "evicted", 0));
	json_object_set_new(
		made, "unanswered",
		json_pack("{s:i, s:[s, s]}", "count", dead, "rules", "onprem/a", "onprem/b"));
	json_object_set_new(made, "judgement",
			    json_pack("{s:b, s:[s]}", "good", dead == 0, "texts", "A sentence."));
	assert_non_null(made);
	return made;
}

static char *print(json_t *made, bool all)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	status_print(made, all, out);
	fclose(out);
	json_decref(made);
	return text;
}

static void assert_fits(const char *text)
{
	unsigned lines = 0;
	for (const char *end; (end = strchr(text, '\n')); text = end + 1, lines++)
		assert_in_range(end - text, 0, SCREEN_COLUMNS);
	assert_in_range(lines, 10, SCREEN_LINES);
}

static void an_ordinary_configuration_fits_a_screen(void **state)
{
	(void)state;
	char *text = print(report(0, 6), false);
	assert_fits(text);
	assert_non_null(strstr(text, "up 3 d 4 h"));
	assert_non_null(strstr(text, "\nA sentence.\n"));
	assert_null(strstr(text, "!"));
	for (int i = 1; i <= 6; i++) {
		char host[32];
		snprintf(host, sizeof host, "192.168.0.%d:53", i);
		assert_non_null(strstr(text, host));
	}
	free(text);
}

static void what_is_wrong_comes_first_with_the_rules_it_hurts(void **state)
{
	(void)state;
	char *text = print(report(2, 400), false);
	assert_fits(text);
	const char *wrong = strstr(text, "\n! A sentence.\n");
	assert_non_null(wrong);
	assert_true(wrong < strstr(text, "TARGET"));
	assert_true(strstr(text, "TARGET") < strstr(text, "VIRTUAL NETWORK"));
	assert_non_null(strstr(text, "\n      since 01-31 12:00:00Z; cannot be answered: onprem/a, "
				     "onprem/b and 8 more; 2 others go on\n"));
	assert_non_null(strstr(text, "\n  and 399 more: 399 up\n"));
	free(text);
}

static void many_dead_targets_are_a_number_too(void **state)
{
	(void)state;
	json_t *made = report(300, 400), *targets = json_object_get(made, "targets");
	json_object_set_new(json_array_get(targets, 698), "state", json_string("unknown"));
	json_object_set_new(json_array_get(targets, 699), "state", json_string("REFUSED"));
	char *text = print(made, false);
	assert_non_null(
		strstr(text, "\n  and 696 more: 296 suspect, 398 up, 1 unknown, 1 with errors\n"));
	assert_fits(text);
	free(text);
}

static void zeros_and_what_is_fine_are_there_with_all_only(void **state)
{
	(void)state;
	char *brief = print(report(1, 400), false), *all = print(report(1, 400), true);
	for (unsigned i = 0; i < stats_row_count; i++) {
		char line[80];
		snprintf(line, sizeof line, "  %s ", stats_rows[i].name);
		assert_int_equal(strstr(brief, line) != NULL, i % 3 == 0);
		assert_non_null(strstr(all, line));
		assert_non_null(strstr(all, stats_rows[i].text));
	}
	assert_null(strstr(brief, "192.168.0.100:53"));
	assert_non_null(strstr(all, "192.168.0.100:53"));
	assert_null(strstr(brief, "FAILED"));
	assert_non_null(strstr(all, "FAILED"));
	free(brief);
	free(all);
}

static void a_report_that_lacks_things_is_printed_all_the_same(void **state)
{
	(void)state;
	for (int all = 0; all < 2; all++) {
		char *text = print(json_pack("{s:s}", "version", "0"), all);
		assert_non_null(strstr(text, "sluice 0, "));
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ordinary_configuration_fits_a_screen),
		cmocka_unit_test(what_is_wrong_comes_first_with_the_rules_it_hurts),
		cmocka_unit_test(many_dead_targets_are_a_number_too),
		cmocka_unit_test(zeros_and_what_is_fine_are_there_with_all_only),
		cmocka_unit_test(a_report_that_lacks_things_is_printed_all_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
