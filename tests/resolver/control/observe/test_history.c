/* What was counted when: each step has what came to it, whatever comes, goes, falls or is late, and
 * the memory has its bound. Time is given in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "resolver/control/observe/history.h"
#include "rules/base.h"
#include "rules/text.h"

enum { SECOND = 1000000, BEGIN = 5 * SECOND };

struct world {
	struct history *history;
	uint64_t now_us;
};

static int set_up(void **state)
{
	static struct world world;

	world = (struct world){.now_us = BEGIN};
	world.history = history_new(world.now_us);
	*state = &world;
	return world.history ? 0 : -1;
}

static int tear_down(void **state)
{
	history_free(((struct world *)*state)->history);
	return 0;
}

static void put_responses(struct world *world, const char *name, bool is_there, uint64_t queries,
			  uint64_t servfail, uint64_t others)
{
	const char *const texts[] = {name};
	const uint64_t numbers[] = {queries, servfail, others, 0};

	history_put(world->history, HISTORY_ENDPOINTS, name ? texts : NULL, is_there, numbers);
}

static void put_endpoint(struct world *world, const char *name, bool is_there, uint64_t queries)
{
	put_responses(world, name, is_there, queries, queries / 10, queries - queries / 10);
}

static void put_target(struct world *world, const char *host, bool is_there, bool is_up,
		       uint64_t queries, uint64_t sum_us, uint64_t timed)
{
	const char *const texts[] = {host, "udp", NULL};
	const uint64_t numbers[] = {queries, 0, sum_us, timed, is_there && is_up, is_there};

	history_put(world->history, HISTORY_TARGETS, host ? texts : NULL, is_there, numbers);
}

/* So many seconds after the latest. */
static void begin_look(struct world *world, double seconds)
{
	world->now_us += (uint64_t)(seconds * SECOND);
	history_begin(world->history);
}

static void end_look(struct world *world)
{
	history_end(world->history, world->now_us);
}

/* A look at one endpoint. */
static void look(struct world *world, double seconds, const char *name, uint64_t queries)
{
	begin_look(world, seconds);
	put_endpoint(world, name, true, queries);
	end_look(world);
}

static char *write_all(const struct history *history, enum history_span span, size_t *length)
{
	struct history_writer *writer = history_writer_new(history, span, "2026-11-22T17:40:00Z");

	assert_non_null(writer);
	while (history_write_on(writer))
		;
	return history_writer_end(writer, length);
}

static json_t *read_span(const struct world *world, enum history_span span)
{
	size_t length;
	char *text = write_all(world->history, span, &length);
	json_t *read;

	assert_non_null(text);
	assert_int_equal(strlen(text), length);
	read = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(read);
	free(text);
	return read;
}

static json_t *find(const json_t *read, const char *list, const char *key, const char *name)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(read, list), i, row)
	{
		const char *text = json_string_value(json_object_get(row, key));

		if (text && strcmp(text, name) == 0)
			return row;
	}
	return NULL;
}

/* The latest values of a row, "1 2 null", as many as `count`. */
static void assert_last(const struct world *world, enum history_span span, const char *list,
			const char *key, const char *name, const char *column, size_t count,
			const char *expected)
{
	json_t *read = read_span(world, span);
	const json_t *row = find(read, list, key, name);
	const json_t *values = json_object_get(row, column);
	char text[512] = "";

	if (!row)
		fail_msg("there is no %s", name);
	assert_int_equal(json_array_size(values), history_spans[span].count);
	for (size_t i = json_array_size(values) - count; i < json_array_size(values); i++) {
		char *one = json_dumps(json_array_get(values, i),
				       JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));

		text_append(text, sizeof text, "%s%s", *text ? " " : "", one);
		free(one);
	}
	json_decref(read);
	assert_string_equal(text, expected);
}
#define LAST_QUERIES(world, span, name, count, expected)                                           \
	assert_last(world, span, "endpoints", "name", name, "queries", count, expected)

static void each_step_has_what_came_to_it(void **state)
{
	struct world *world = *state;

	look(world, 1, "r/in", 10);
	look(world, 1, "r/in", 10);
	look(world, 1, "r/in", 25);
	LAST_QUERIES(world, HISTORY_MINUTE, "r/in", 5, "null null 10 0 15");
	assert_last(world, HISTORY_MINUTE, "endpoints", "name", "r/in", "servfail", 3, "1 0 1");
	LAST_QUERIES(world, HISTORY_HOUR, "r/in", 1, "null"); /* it is not over yet */
	for (int i = 3; i < 20; i++)
		look(world, 1, "r/in", 25 + (uint64_t)i);
	LAST_QUERIES(world, HISTORY_HOUR, "r/in", 3, "null 34 10");
}

static void look_at_responses(struct world *world, double seconds, uint64_t queries,
			      uint64_t servfail, uint64_t others)
{
	begin_look(world, seconds);
	put_responses(world, "r/in", true, queries, servfail, others);
	end_look(world);
}

static void assert_shares(const struct world *world, size_t count, const char *servfail,
			  const char *responses)
{
	assert_last(world, HISTORY_MINUTE, "endpoints", "name", "r/in", "servfail", count,
		    servfail);
	assert_last(world, HISTORY_MINUTE, "endpoints", "name", "r/in", "responses", count,
		    responses);
}

/* Four queries wait for a target that is silent. They get SERVFAIL in a second in which one comes.
 */
static void queries_that_are_answered_later_are_no_part_of_what_comes_then(void **state)
{
	struct world *world = *state;

	look_at_responses(world, 1, 4, 0, 0);
	look_at_responses(world, 1, 5, 4, 0);
	look_at_responses(world, 1, 5, 4, 1);
	LAST_QUERIES(world, HISTORY_MINUTE, "r/in", 3, "4 1 0");
	assert_shares(world, 3, "0 4 0", "0 4 1");
}

static void servfail_is_a_part_of_the_responses_in_each_of_several_steps(void **state)
{
	struct world *world = *state;

	look_at_responses(world, 1, 0, 0, 0);
	look_at_responses(world, 3, 6, 5, 1);
	assert_shares(world, 3, "2 2 1", "2 2 2");
	look_at_responses(world, 7, 6, 5 + 16, 1 + 1); /* two each, and three in some */
	assert_shares(world, 7, "3 3 2 2 2 2 2", "3 3 3 2 2 2 2");
}

/* Made anew within a step, an endpoint has counted more of one and less of the other, or more of
 * both. */
static void servfail_is_a_part_of_the_responses_of_an_endpoint_that_was_made_anew(void **state)
{
	struct world *world = *state;

	look_at_responses(world, 1, 20, 9, 11);
	look_at_responses(world, 1, 12, 8, 14);
	look_at_responses(world, 1, 30, 29, 1);
	assert_shares(world, 3, "9 8 21", "20 11 22");
}

static void the_head_says_which_time_it_is_of(void **state)
{
	struct world *world = *state;
	json_t *read;

	look(world, 25, "r/in", 1);
	read = read_span(world, HISTORY_HOUR);
	assert_string_equal(json_string_value(json_object_get(read, "span")), "hour");
	assert_int_equal(json_integer_value(json_object_get(read, "step_s")), 10);
	assert_int_equal(json_integer_value(json_object_get(read, "count")), 360);
	json_decref(read);
	/* Of 25 seconds the first 20 are whole steps. */
	assert_true(history_from_us(world->history, HISTORY_HOUR) ==
		    BEGIN + 20 * (int64_t)SECOND - 3600 * (int64_t)SECOND);
	assert_int_equal(history_next_us(world->history), BEGIN + 26 * (uint64_t)SECOND);
}

/* Filled more than once: the oldest goes, and every value stays in its step. */
static void a_week_is_full_and_goes_on(void **state)
{
	struct world *world = *state;
	uint64_t queries = 0;
	json_t *read;
	const json_t *values;

	for (uint64_t step = 0; step < 1500; step++)
		for (int part = 0; part < 60; part++)
			look(world, 10, "r/in", queries += step);
	read = read_span(world, HISTORY_WEEK);
	values = json_object_get(find(read, "endpoints", "name", "r/in"), "queries");
	assert_int_equal(json_array_size(values), 1008);
	for (size_t i = 0; i < 1008; i++)
		assert_int_equal(json_integer_value(json_array_get(values, i)),
				 60 * (1500 - 1008 + i));
	json_decref(read);
	read = read_span(world, HISTORY_HOUR);
	values = json_object_get(find(read, "endpoints", "name", "r/in"), "queries");
	for (size_t i = 0; i < 360; i++)
		assert_int_equal(json_integer_value(json_array_get(values, i)), 1494 + i / 60);
	json_decref(read);
}

static void what_comes_later_is_null_before_and_counts_from_its_first(void **state)
{
	struct world *world = *state;

	look(world, 1, "r/in", 1);
	begin_look(world, 1);
	put_endpoint(world, "r/in", true, 1);
	put_endpoint(world, "r/new", true, 7); /* since it came */
	end_look(world);
	LAST_QUERIES(world, HISTORY_MINUTE, "r/new", 2, "null 7");
}

static void what_is_gone_is_null_and_goes_on_where_it_comes_back(void **state)
{
	struct world *world = *state;

	for (int i = 1; i <= 2; i++) {
		begin_look(world, 1);
		put_target(world, "10.0.0.1:53", true, true, 10 * (uint64_t)i, 0, 0);
		end_look(world);
	}
	begin_look(world, 1); /* it went in this second, in which it was asked */
	put_target(world, "10.0.0.1:53", false, false, 23, 0, 0);
	end_look(world);
	begin_look(world, 1);
	put_target(world, "10.0.0.1:53", false, false, 23, 0, 0);
	end_look(world);
	begin_look(world, 1); /* it is not even told of */
	end_look(world);
	begin_look(world, 1);
	put_target(world, "10.0.0.1:53", true, true, 24, 0, 0);
	end_look(world);
	assert_last(world, HISTORY_MINUTE, "targets", "target", "10.0.0.1:53", "queries", 6,
		    "10 10 3 null null 24");
	assert_last(world, HISTORY_MINUTE, "targets", "target", "10.0.0.1:53", "up", 6,
		    "1 1 null null null 1");
}

static void a_counter_that_fell_was_begun_anew(void **state)
{
	struct world *world = *state;

	look(world, 1, "r/in", 1000);
	look(world, 1, "r/in", 4);
	look(world, 1, "r/in", 5);
	LAST_QUERIES(world, HISTORY_MINUTE, "r/in", 3, "1000 4 1");
}

/* So the rate is right, and the sum, too. */
static void steps_that_end_at_one_look_share_what_was_counted(void **state)
{
	struct world *world = *state;

	look(world, 1, "r/in", 1);
	look(world, 4, "r/in", 12);
	look(world, 0.5, "r/in", 13);
	look(world, 0.5, "r/in", 14);
	LAST_QUERIES(world, HISTORY_MINUTE, "r/in", 6, "1 3 3 3 2 2");
	look(world, 100, "r/in", 214); /* more than there are of */
	LAST_QUERIES(world, HISTORY_MINUTE, "r/in", 3, "2 2 2");
	LAST_QUERIES(world, HISTORY_HOUR, "r/in", 2, "21 21");
}

static void a_target_is_up_for_a_share_of_the_step(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < 10; i++) {
		begin_look(world, 1);
		put_target(world, "[2001:db8::1]:53", true, i < 7, 0, 0, 0);
		put_target(world, "10.0.0.2:53", true, false, 0, 0, 0);
		end_look(world);
	}
	assert_last(world, HISTORY_HOUR, "targets", "target", "[2001:db8::1]:53", "up", 1, "0.7");
	assert_last(world, HISTORY_MINUTE, "targets", "target", "[2001:db8::1]:53", "up", 4,
		    "1 0 0 0");
	assert_last(world, HISTORY_HOUR, "targets", "target", "10.0.0.2:53", "up", 1, "0");
}

/* A look at a target, of whose questions `timed` took so long in all, and at a source. */
static void look_at_latency(struct world *world, uint64_t queries, uint64_t sum_us, uint64_t timed,
			    const uint64_t numbers[HISTORY_NUMBERS_MAX])
{
	const char *const texts[] = {"zone"};

	begin_look(world, 1);
	put_target(world, "10.0.0.1:53", true, true, queries, sum_us, timed);
	history_put(world->history, HISTORY_SOURCES, texts, true, numbers);
	end_look(world);
}

static void latency_is_that_of_the_step_and_null_where_none_was_sampled(void **state)
{
	struct world *world = *state;
	uint64_t numbers[HISTORY_NUMBERS_MAX] = {50};

	numbers[1 + 2] = 90; /* 25 to 50 us */
	numbers[1 + 4] = 10; /* 100 to 250 us */
	look_at_latency(world, 4, 3000, 3, numbers);
	look_at_latency(world, 5, 3000, 3, numbers);
	numbers[1 + HISTOGRAM_BOUNDS] = 5; /* above all bounds */
	look_at_latency(world, 6, 23000, 4, numbers);
	assert_last(world, HISTORY_MINUTE, "targets", "target", "10.0.0.1:53", "mean_us", 3,
		    "1000 null 20000");
	assert_last(world, HISTORY_MINUTE, "sources", "name", "zone", "responses", 3, "50 0 0");
	assert_last(world, HISTORY_MINUTE, "sources", "name", "zone", "p50_us", 3,
		    "38 null 5000000");
	assert_last(world, HISTORY_MINUTE, "sources", "name", "zone", "p99_us", 1, "5000000");
}

/* However many there are, and however long their names: the memory is bounded, and nothing that
 * was counted is lost. */
/* A thousand of each, of which most have no room. */
static void look_at_very_many(struct world *world)
{
	char name[400];
	const char *const texts[] = {name, "ruleset"};

	for (uint64_t at = 1; at <= 20; at++) {
		begin_look(world, 1);
		for (int i = 0; i < 1000; i++) {
			const uint64_t queries = at;

			memset(name, 'x', sizeof name);
			snprintf(name + sizeof name - 8, 8, "%d", i);
			put_endpoint(world, name, true, at);
			put_target(world, name, true, i % 2 == 0, at, 0, 0);
			history_put(world->history, HISTORY_CLASSES, texts, true, &queries);
		}
		put_endpoint(world, NULL, false, 2 * at);
		end_look(world);
	}
}

static void what_has_no_room_is_other_within_the_bound(void **state)
{
	struct world *world = *state;

	look_at_very_many(world);
	assert_in_range(history_bytes(world->history), 8 * 1000 * 1000, HISTORY_BYTES_MAX);
	LAST_QUERIES(world, HISTORY_MINUTE, "other", 1, "874"); /* 1000 - 128 + 2 */
	assert_last(world, HISTORY_MINUTE, "targets", "target", "other", "queries", 1, "600");
	assert_last(world, HISTORY_MINUTE, "targets", "target", "other", "up", 1, "0.5");
	assert_last(world, HISTORY_MINUTE, "classes", "kind", "other", "queries", 1, "744");
	assert_last(world, HISTORY_HOUR, "classes", "kind", "other", "queries", 1, "7440");
}

static void very_many_rows_are_written_in_portions(void **state)
{
	struct world *world = *state;
	struct history_writer *writer;
	unsigned portions = 1;
	size_t length;
	char *text;

	look_at_very_many(world);
	writer = history_writer_new(world->history, HISTORY_HOUR, "now");
	while (history_write_on(writer))
		portions++;
	assert_in_range(portions, 20, 60);
	text = history_writer_end(writer, &length);
	assert_non_null(text);
	assert_int_equal(strlen(text), length);
	free(text);
	/* One that is given up leaves nothing. */
	writer = history_writer_new(world->history, HISTORY_HOUR, "now");
	assert_true(history_write_on(writer));
	assert_null(history_writer_end(writer, &length));
}

static void names_are_json_whatever_is_in_them(void **state)
{
	struct world *world = *state;
	json_t *read;

	look(world, 1, "a\"b\\<script>\n\x01", 3);
	begin_look(world, 1);
	put_endpoint(world, "not utf-8: \xff", true, 1);
	end_look(world);
	read = read_span(world, HISTORY_WEEK);
	assert_non_null(find(read, "endpoints", "name", "not utf-8: ?"));
	json_decref(read);
	LAST_QUERIES(world, HISTORY_MINUTE, "a\"b\\<script>\n\x01", 2, "3 0");
}

/* A counter that is larger than a value, and one that would be "null". */
static void very_large_numbers_are_capped(void **state)
{
	struct world *world = *state;

	look(world, 1, "r/in", UINT64_C(1) << 40);
	look(world, 1, "r/in", (UINT64_C(1) << 40) + UINT32_MAX);
	LAST_QUERIES(world, HISTORY_MINUTE, "r/in", 2, "4294967294 4294967294");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(each_step_has_what_came_to_it),
		TEST(queries_that_are_answered_later_are_no_part_of_what_comes_then),
		TEST(servfail_is_a_part_of_the_responses_in_each_of_several_steps),
		TEST(servfail_is_a_part_of_the_responses_of_an_endpoint_that_was_made_anew),
		TEST(the_head_says_which_time_it_is_of),
		TEST(a_week_is_full_and_goes_on),
		TEST(what_comes_later_is_null_before_and_counts_from_its_first),
		TEST(what_is_gone_is_null_and_goes_on_where_it_comes_back),
		TEST(a_counter_that_fell_was_begun_anew),
		TEST(steps_that_end_at_one_look_share_what_was_counted),
		TEST(a_target_is_up_for_a_share_of_the_step),
		TEST(latency_is_that_of_the_step_and_null_where_none_was_sampled),
		TEST(what_has_no_room_is_other_within_the_bound),
		TEST(very_many_rows_are_written_in_portions),
		TEST(names_are_json_whatever_is_in_them),
		TEST(very_large_numbers_are_capped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
