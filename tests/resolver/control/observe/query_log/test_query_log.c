/* The log's thread, fed by the rings as workers feed them: who gets which entries, what is noted at
 * all, and what is lost and said to be. */
#include "resolver/control/observe/query_log/query_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rules/base.h"
#include "tests/lib/query_case.h"

enum { PATIENCE_MS = 10000 };

struct world {
	struct query_rings rings;
	struct query_log *log;
	struct query_follower *follower; /* NULL: none */
	atomic_uint news;
};

static void on_read(void *context)
{
	(void)context;
}

static void on_news(void *context)
{
	struct world *world = context;

	world->news++;
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	const struct query_log_listener listener = {
		.on_read = on_read, .on_news = on_news, .context = world};

	assert_int_equal(query_rings_init(&world->rings, 2), 0);
	world->log = query_log_new(&world->rings, &listener);
	assert_non_null(world->log);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	query_log_stop(world->log);
	if (world->follower)
		query_follower_free(world->follower);
	query_log_free(world->log);
	query_rings_release(&world->rings);
	free(world);
	return 0;
}

static void configure(struct world *world, const struct query_log_settings *settings)
{
	const struct model model = {.query_log = *settings};

	assert_int_equal(query_log_configure(world->log, &model), 0);
}

/* Queries are wanted from here on, as a worker sees them. */
static unsigned wanted(const struct world *world)
{
	return query_ring_wanted(&world->rings.rings[0]);
}

/* By that worker, at a time in milliseconds. */
static void answer(struct world *world, unsigned worker, unsigned at_ms)
{
	struct query_ring *ring = &world->rings.rings[worker];
	const struct query_record *record = query_case_record("");
	struct query_record *to = query_ring_append(ring, record->question_length);
	size_t ahead = offsetof(struct query_record, hops);

	assert_non_null(to);
	memcpy((char *)to + ahead, (const char *)record + ahead,
	       sizeof *record - ahead + record->question_length);
	to->arrived_us = at_ms * UINT64_C(1000);
	query_ring_commit_at(ring, to->arrived_us + 20000);
}

/* What the latest in memory are, to be released, as soon as there are so many. */
static json_t *latest(struct world *world, const char *key, const char *value, size_t count)
{
	struct query_filter filter = {.suffixes = NULL};
	char error[QUERY_FILTER_ERROR_MAX];
	json_t *all = NULL;

	if (key)
		assert_int_equal(query_filter_add(&filter, NULL, key, value, error), 0);
	for (unsigned i = 0; i < PATIENCE_MS; i++) {
		all = query_log_latest(world->log, &filter, QUERY_LOG_LATEST);
		assert_non_null(all);
		if (json_array_size(all) >= count)
			break;
		json_decref(all);
		all = NULL;
		usleep(1000);
	}
	assert_non_null(all);
	query_filter_release(&filter);
	return all;
}

static const char *text_of(const json_t *all, size_t index, const char *key)
{
	return json_string_value(json_object_get(json_array_get(all, index), key));
}

static json_int_t status(const struct world *world, const char *key)
{
	json_t *told = query_log_status(world->log);
	json_int_t value = json_integer_value(json_object_get(told, key));

	json_decref(told);
	return value;
}

static void await_logged(const struct world *world, json_int_t count)
{
	for (unsigned i = 0; i < PATIENCE_MS && status(world, "logged") < count; i++)
		usleep(1000);
	assert_int_equal(status(world, "logged"), count);
}

static void nothing_is_noted_where_nobody_wants_it(void **state)
{
	struct world *world = *state;
	const struct query_log_settings on = {.given = true};
	const struct query_log_settings slow = {.given = true, .slower_than_ms = 10};
	const struct query_log_settings off = {.given = false};
	struct query_filter filter = {.suffixes = NULL};

	configure(world, &off);
	assert_int_equal(wanted(world), 0);
	assert_false(query_log_is_on(world->log));
	configure(world, &on);
	assert_int_equal(wanted(world), QUERY_WANTED_ALL);
	configure(world, &slow);
	assert_int_equal(wanted(world), QUERY_WANTED_SLOW);
	world->follower = query_log_follow(world->log, &filter);
	assert_int_equal(wanted(world), QUERY_WANTED_SLOW | QUERY_WANTED_ALL);
	query_follower_free(world->follower);
	world->follower = NULL;
	assert_int_equal(wanted(world), QUERY_WANTED_SLOW);
	configure(world, &off);
	assert_int_equal(wanted(world), 0);
}

static void the_latest_of_all_workers_are_told_in_their_order(void **state)
{
	struct world *world = *state;
	const struct query_log_settings on = {.given = true};
	static const char *const order[] = {"1", "2", "3", "4"};
	json_t *all;

	configure(world, &on);
	answer(world, 1, 2000);
	answer(world, 1, 4000);
	answer(world, 0, 1000);
	answer(world, 0, 3000);
	all = latest(world, NULL, NULL, COUNT(order));
	for (size_t i = 1; i < COUNT(order); i++)
		assert_true(strcmp(text_of(all, i - 1, "time"), text_of(all, i, "time")) < 0);
	json_decref(all);
	all = latest(world, "slower_than_ms", "20", 4);
	json_decref(all);
	all = latest(world, "rcode", "NOERROR", 0);
	assert_int_equal(json_array_size(all), 0);
	json_decref(all);
	assert_int_equal(status(world, "lost"), 0);
}

static void of_very_many_the_latest_stay(void **state)
{
	struct world *world = *state;
	const struct query_log_settings on = {.given = true};
	json_t *all;

	configure(world, &on);
	for (unsigned i = 0; i < QUERY_LOG_LATEST + 5; i++)
		answer(world, 0, 1000 + i);
	await_logged(world, QUERY_LOG_LATEST + 5);
	all = latest(world, NULL, NULL, QUERY_LOG_LATEST);
	assert_int_equal(json_array_size(all), QUERY_LOG_LATEST);
	json_decref(all);
}

static void what_does_not_fit_the_settings_is_not_logged(void **state)
{
	struct world *world = *state;
	const char *corp[] = {"contoso.corp"}, *other[] = {"elsewhere.example"};
	const struct query_log_settings fits = {.given = true, .suffixes = {corp, 1}};
	const struct query_log_settings fits_not = {.given = true, .suffixes = {other, 1}};

	configure(world, &fits_not);
	answer(world, 0, 1000);
	configure(world, &fits); /* what was answered before is logged as it was */
	assert_int_equal(status(world, "logged"), 0);
	answer(world, 0, 2000);
	await_logged(world, 1);
}

static void of_a_sample_about_one_in_so_many_is_logged(void **state)
{
	enum { ALL = 3000, SAMPLE = 10 };
	struct world *world = *state;
	const struct query_log_settings settings = {.given = true, .sample = SAMPLE};
	const struct query_log_settings off = {.given = false};

	configure(world, &settings);
	for (unsigned i = 0; i < ALL; i++)
		answer(world, 0, 1000 + i);
	configure(world, &off); /* after all of them */
	assert_in_range(status(world, "logged"), ALL / SAMPLE / 2, 2 * ALL / SAMPLE);
}

static void privacy_cuts_clients_and_forgets_whole_ones(void **state)
{
	struct world *world = *state;
	const struct query_log_settings on = {.given = true};
	const struct query_log_settings private = {.given = true, .privacy = true};
	json_t *all;

	configure(world, &on);
	answer(world, 0, 1000);
	all = latest(world, NULL, NULL, 1);
	assert_string_equal(text_of(all, 0, "client"), "10.10.1.207");
	json_decref(all);
	configure(world, &private);
	all = latest(world, NULL, NULL, 0);
	assert_int_equal(json_array_size(all), 0);
	json_decref(all);
	answer(world, 0, 2000);
	all = latest(world, NULL, NULL, 1);
	assert_string_equal(text_of(all, 0, "client"), "10.10.1.0");
	json_decref(all);
}

/* All that the follower has had once there is an event of that kind, to be freed. */
static char *followed(const struct world *world, const char *needle)
{
	char *all = strdup("");

	for (unsigned i = 0; i < PATIENCE_MS && !strstr(all, needle); i++) {
		size_t length;
		char *text = query_follower_take(world->follower, &length), *longer = NULL;

		if (!text) {
			usleep(1000);
			continue;
		}
		assert_true(asprintf(&longer, "%s%.*s", all, (int)length, text) > 0);
		free(text);
		free(all);
		all = longer;
	}
	return all;
}

static void a_follower_gets_what_fits_it_whether_it_is_logged_or_not(void **state)
{
	struct world *world = *state;
	struct query_filter filter = {.suffixes = NULL};
	char error[QUERY_FILTER_ERROR_MAX], *text;

	assert_int_equal(query_filter_add(&filter, NULL, "suffix", "contoso.corp", error), 0);
	world->follower = query_log_follow(world->log, &filter);
	assert_non_null(world->follower);
	answer(world, 0, 1000);
	text = followed(world, "\n\n");
	assert_memory_equal(text, "data: {\"time\":", 14);
	assert_non_null(strstr(text, "\"WwW.contoso.corp.\""));
	free(text);
	for (unsigned i = 0; i < PATIENCE_MS && world->news == 0; i++) /* told of behind it */
		usleep(1000);
	assert_true(world->news > 0);
	assert_int_equal(status(world, "logged"), 0);
}

/* Until the log has read them, since a ring has room for some thousands. */
static void answer_many(struct world *world, unsigned count)
{
	const struct query_ring *ring = &world->rings.rings[0];

	for (unsigned i = 0; i < count; i++) {
		answer(world, 0, 1000 + i);
		while (i % 1000 == 999 && atomic_load(&ring->read) < atomic_load(&ring->committed))
			usleep(1000);
	}
}

static void a_follower_that_takes_nothing_is_told_what_it_lost(void **state)
{
	enum { ALL = 6000, ENTRY = 300 }; /* bytes: more than there is room for */
	struct world *world = *state;
	struct query_filter filter = {.suffixes = NULL};
	unsigned long lost, got = 0;
	char *text, *told;

	assert_true(ALL * ENTRY > QUERY_LOG_FOLLOWER_BYTES);
	world->follower = query_log_follow(world->log, &filter);
	answer_many(world, ALL);
	text = followed(world, "event: lost\n");
	for (const char *at = text; (at = strstr(at, "data: {\"time\"")); at++)
		got++;
	told = strstr(text, "{\"lost\":");
	assert_non_null(told);
	lost = strtoul(told + strlen("{\"lost\":"), NULL, 10);
	assert_int_equal(got + lost, ALL);
	free(text);
}

static void outputs_count_on_when_the_settings_change(void **state)
{
	char directory[] = "/tmp/sluice-log-XXXXXX", path[64];
	struct world *world = *state;
	struct query_log_settings settings = {.given = true};
	struct query_log_output outputs[QUERY_LOG_OUTPUTS];

	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/q.json", directory);
	settings.file = path;
	configure(world, &settings);
	answer(world, 0, 1000);
	for (unsigned i = 0; i < PATIENCE_MS; i++) {
		query_log_read_outputs(world->log, outputs);
		if (outputs[0].written > 0)
			break;
		usleep(1000);
	}
	assert_string_equal(outputs[0].kind, "file");
	assert_true(outputs[0].is_there && outputs[0].is_up);
	assert_int_equal(outputs[0].written, 1);
	assert_false(outputs[1].is_there || outputs[2].is_there);
	settings.file = NULL;
	configure(world, &settings);
	query_log_read_outputs(world->log, outputs);
	assert_false(outputs[0].is_there);
	assert_int_equal(outputs[0].written, 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_noted_where_nobody_wants_it),
		TEST(the_latest_of_all_workers_are_told_in_their_order),
		TEST(of_very_many_the_latest_stay),
		TEST(what_does_not_fit_the_settings_is_not_logged),
		TEST(of_a_sample_about_one_in_so_many_is_logged),
		TEST(privacy_cuts_clients_and_forgets_whole_ones),
		TEST(a_follower_gets_what_fits_it_whether_it_is_logged_or_not),
		TEST(a_follower_that_takes_nothing_is_told_what_it_lost),
		TEST(outputs_count_on_when_the_settings_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
