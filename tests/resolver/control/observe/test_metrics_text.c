/* Which format a reader gets, and what stands in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/control/observe/metrics.h"
#include "rules/base.h"

static void the_format_is_what_the_reader_takes_best(void **state)
{
	static const struct {
		const char *accept;
		enum metrics_format format;
	} cases[] = {
		{NULL, METRICS_PROMETHEUS},
		{"", METRICS_PROMETHEUS},
		{"*/*", METRICS_PROMETHEUS},
		{"text/html, */*;q=0.1", METRICS_PROMETHEUS},
		{"application/openmetrics-text", METRICS_OPENMETRICS},
		{"application/openmetrics-text; version=1.0.0; charset=utf-8", METRICS_OPENMETRICS},
		{"Application/OpenMetrics-Text;version=0.0.1", METRICS_OPENMETRICS},
		{"application/openmetrics-text;version=2.0.0", METRICS_PROMETHEUS},
		{"application/openmetrics-text;q=0", METRICS_PROMETHEUS},
		{"text/plain, application/openmetrics-text;q=0.5", METRICS_PROMETHEUS},
		/* Prometheus 2.42's and 3.0's. */
		{"application/openmetrics-text;version=1.0.0,application/"
		 "openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		 METRICS_OPENMETRICS},
		{"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
		 "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;"
		 "escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
		 METRICS_OPENMETRICS},
		{";;;,,,; q=", METRICS_PROMETHEUS},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (metrics_negotiate(cases[i].accept) != cases[i].format)
			fail_msg("Accept: %s", cases[i].accept);
}

struct page {
	struct metrics_text text;
	char *bytes;
	size_t length;
};

static void begin(struct page *page, enum metrics_format format)
{
	*page = (struct page){.text = {.format = format}};
	page->text.out = open_memstream(&page->bytes, &page->length);
	assert_non_null(page->text.out);
}

static void assert_page(struct page *page, const char *expected)
{
	metrics_end(&page->text);
	assert_int_equal(fclose(page->text.out), 0);
	assert_string_equal(page->bytes, expected);
	free(page->bytes);
}

static void counters_have_their_suffix_where_each_format_wants_it(void **state)
{
	struct page page;

	(void)state;
	begin(&page, METRICS_PROMETHEUS);
	metrics_one(&page.text, METRICS_COUNTER, "x_size_bytes", "Bytes.", UINT64_MAX);
	assert_page(&page, "# HELP x_size_bytes_total Bytes.\n"
			   "# TYPE x_size_bytes_total counter\n"
			   "x_size_bytes_total 18446744073709551615\n");
	begin(&page, METRICS_OPENMETRICS);
	metrics_one(&page.text, METRICS_COUNTER, "x_size_bytes", "Bytes.", 3);
	assert_page(&page, "# HELP x_size_bytes Bytes.\n"
			   "# TYPE x_size_bytes counter\n"
			   "# UNIT x_size_bytes bytes\n"
			   "x_size_bytes_total 3\n"
			   "# EOF\n");
}

static void whatever_a_label_has_comes_out_as_text(void **state)
{
	static const struct {
		const char *value, *out;
	} cases[] = {
		{"plain", "plain"},
		{"a\"b\\c\nd", "a\\\"b\\\\c\\nd"},
		{"b\xc3\xbc"
		 "cher \xe2\x82\xac \xf0\x9f\x8c\x90",
		 "b\xc3\xbc"
		 "cher \xe2\x82\xac \xf0\x9f\x8c\x90"},
		/* Not UTF-8: a byte alone, one too many, too long a form, a surrogate, too large.
		 */
		{"\xff", "\xef\xbf\xbd"},
		{"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	};
	char expected[256];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct metrics_labels labels = {{{"left", ""}, {"a", cases[i].value}}};
		struct page page;

		begin(&page, METRICS_PROMETHEUS);
		metrics_family(&page.text, METRICS_GAUGE, "x", "X.");
		metrics_sample(&page.text, &labels, 1);
		snprintf(expected, sizeof expected, "# HELP x X.\n# TYPE x gauge\nx{a=\"%s\"} 1\n",
			 cases[i].out);
		assert_page(&page, expected);
	}
}

static void buckets_of_a_histogram_add_up(void **state)
{
	const struct metrics_labels labels = {{{"a", "b"}}};
	uint64_t buckets[HISTOGRAM_BOUNDS + 1] = {
		1, 1, [HISTOGRAM_BOUNDS - 1] = 2, [HISTOGRAM_BOUNDS] = 4};
	struct page page;

	(void)state;
	begin(&page, METRICS_OPENMETRICS);
	metrics_family(&page.text, METRICS_HISTOGRAM, "x_seconds", "X.");
	metrics_sample_histogram(&page.text, &labels, buckets, 1000001, HISTOGRAM_BOUNDS - 2);
	assert_page(&page, "# HELP x_seconds X.\n"
			   "# TYPE x_seconds histogram\n"
			   "# UNIT x_seconds seconds\n"
			   "x_seconds_bucket{a=\"b\",le=\"2.5\"} 2\n"
			   "x_seconds_bucket{a=\"b\",le=\"5.0\"} 4\n"
			   "x_seconds_bucket{a=\"b\",le=\"+Inf\"} 8\n"
			   "x_seconds_count{a=\"b\"} 8\n"
			   "x_seconds_sum{a=\"b\"} 1.000001\n"
			   "# EOF\n");
}

/* The texts in metrics_text.c are the bounds of histogram.c, which are microseconds. */
static void the_bounds_that_are_told_are_those_that_count(void **state)
{
	uint64_t buckets[HISTOGRAM_BOUNDS + 1] = {0};
	struct page page;
	const char *at;

	(void)state;
	begin(&page, METRICS_PROMETHEUS);
	metrics_family(&page.text, METRICS_HISTOGRAM, "x_seconds", "X.");
	metrics_sample_histogram(&page.text, NULL, buckets, 0, 0);
	assert_int_equal(fclose(page.text.out), 0);
	at = page.bytes;
	for (unsigned i = 0; i < HISTOGRAM_BOUNDS; i++) {
		at = strstr(at, "le=\"");
		assert_non_null(at);
		at += 4;
		assert_int_equal((uint64_t)(strtod(at, NULL) * 1e6 + 0.5), histogram_bounds_us[i]);
	}
	free(page.bytes);
}

static void every_counter_of_the_status_has_a_metric(void **state)
{
	const char *missing = metrics_missing_row();

	(void)state;
	if (missing)
		fail_msg("stats.h has %s, and metrics.c does not", missing);
}

/* Texts take 50 ms each: ten at once, and then two in a second. */
static void readers_who_ask_on_and_on_take_a_tenth_of_the_time(void **state)
{
	enum { TEXT_US = 50 * 1000, START_US = 7 };
	struct metrics_pace pace = {0};
	uint64_t now_us = START_US;
	unsigned made = 0;

	(void)state;
	while (metrics_pace_may(&pace, now_us)) {
		metrics_pace_spend(&pace, TEXT_US);
		made++;
	}
	assert_int_equal(made, METRICS_BURST_US / TEXT_US);
	for (made = 0; now_us < START_US + 10 * 1000 * 1000; now_us += 100) {
		if (!metrics_pace_may(&pace, now_us))
			continue;
		metrics_pace_spend(&pace, TEXT_US);
		made++;
	}
	assert_in_range(made, 19, 21);
	assert_true(metrics_pace_may(&pace, now_us += 3600ULL * 1000 * 1000));
	assert_int_equal(pace.left_us, METRICS_BURST_US);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_format_is_what_the_reader_takes_best),
		cmocka_unit_test(counters_have_their_suffix_where_each_format_wants_it),
		cmocka_unit_test(whatever_a_label_has_comes_out_as_text),
		cmocka_unit_test(buckets_of_a_histogram_add_up),
		cmocka_unit_test(the_bounds_that_are_told_are_those_that_count),
		cmocka_unit_test(every_counter_of_the_status_has_a_metric),
		cmocka_unit_test(readers_who_ask_on_and_on_take_a_tenth_of_the_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
