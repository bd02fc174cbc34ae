/* Suspects that nobody asks: when they are probed and with what, and that nothing runs without one.
 * Everything is asked of the first server of the world. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "endpoints/upstream/internal.h"
#include "tests/lib/world.h"

enum { MANY = 1000, TIMES = 4096 };

static struct target_registry *registry;
static struct upstream upstreams[MANY]; /* one server, as reached from so many addresses */
static const struct rule rule = {.domain = "corp.test."};
static struct served_target items[MANY];
static struct served_targets served;
static uint64_t times[TIMES]; /* when the server was asked */
static unsigned count;
static char asked[NAME_TEXT_MAX]; /* the last one */
static uint16_t asked_type;

static void note(struct world *world, unsigned server, const uint8_t *wire)
{
	const uint8_t *name = wire + MESSAGE_HEADER;

	(void)server;
	name_wire_to_text(name, asked);
	asked_type = wire_u16(name + name_wire_length(name));
	if (count < TIMES)
		times[count] = world->now;
	count++;
}

static void begin(unsigned targets)
{
	world_init(&w, 1);
	w.on_send = note;
	count = 0;
	registry = target_registry_new();
	for (unsigned i = 0; i < targets; i++) {
		struct address source = {4, {10, 0, (uint8_t)(i >> 8), (uint8_t)i}};

		upstreams[i] = w.upstreams[0];
		upstreams[i].source = source;
		upstreams[i].target =
			target_acquire(registry, &source, &upstreams[i].host, PROTOCOL_UDP);
		items[i] = (struct served_target){&upstreams[i], &rule};
	}
	served = (struct served_targets){targets, items};
	w.table.registry = registry;
	w.table.served = &served;
	w.table.served_holder = &w.held_of[0];
	w.upstreams[0].target = upstreams[0].target;
}

static int end(void **state)
{
	(void)state;
	world_release(&w);
	target_registry_free(registry);
	return 0;
}

static struct target *only(void)
{
	return upstreams[0].target;
}

/* Asked, silent and found out: nobody asks from now on. */
static void make_suspect(void)
{
	w.servers[0].does = SILENT;
	while (!target_is_suspect(only())) {
		world_ask_new(&w);
		world_run(&w, 200 * MS);
	}
	world_run(&w, DEADLINE);
	assert_int_equal(target_registry_suspects(registry), 1);
	count = 0;
}

static void it_is_probed_every_5_s_and_in_the_end_every_50(void **state)
{
	uint64_t pause = 0;

	(void)state;
	begin(1);
	for (unsigned i = 0; i < 5; i++) { /* it is known by names of one client */
		world_ask_new(&w);
		world_run(&w, 100 * MS);
	}
	make_suspect();
	int32_t tokens = only()->tokens;
	world_run(&w, 600 * SECOND);
	assert_true(count > 10);
	for (unsigned i = 1; i < count; i++) {
		assert_true(times[i] - times[i - 1] >= pause);
		pause = times[i] - times[i - 1];
		assert_in_range(pause, 5 * SECOND, 51 * SECOND);
	}
	assert_in_range(pause, 50 * SECOND, 51 * SECOND);
	assert_int_equal(asked_type, TYPE_A);
	assert_int_equal(strncmp(asked, "n", 1), 0); /* the latest that it has answered */
	assert_int_equal(only()->tokens, tokens);
	assert_true(only()->probes >= count);
}

static void it_is_back_within_a_minute_and_then_nothing_runs(void **state)
{
	(void)state;
	begin(1);
	make_suspect();
	world_run(&w, 1800 * SECOND);
	assert_true(target_is_suspect(only()));
	w.servers[0].does = ANSWERS;
	uint64_t back_us = w.now;
	while (target_is_suspect(only()) && w.now < back_us + 60 * SECOND)
		world_run(&w, SECOND / 10);
	assert_false(target_is_suspect(only()));
	assert_int_equal(target_registry_suspects(registry), 0);
	world_run(&w, 2 * SECOND);
	assert_int_equal(w.wheel.armed, 0);
	assert_int_equal(w.results, w.asked_count); /* a probe's answer is nobody's result */
}

static void a_refusal_is_a_sign_of_life_too(void **state)
{
	(void)state;
	begin(1);
	make_suspect();
	w.servers[0].does = REFUSES;
	world_run(&w, 60 * SECOND);
	assert_false(target_is_suspect(only()));
}

static void while_questions_come_they_probe_and_the_timer_does_not(void **state)
{
	(void)state;
	begin(1);
	world_ask_new(&w);
	world_run(&w, 100 * MS);
	make_suspect();
	for (unsigned i = 0; i < 100; i++) {
		world_ask_new(&w);
		world_run(&w, 100 * MS);
	}
	uint64_t probes = only()->probes;
	for (unsigned i = 0; i < 100; i++) {
		world_ask_new(&w);
		world_run(&w, 100 * MS);
		uint64_t due_us = target_probed_us(only()) + TARGET_PROBE_MAX_US;
		assert_true(due_us + 200 * MS >= w.now);
	}
	assert_in_range(only()->probes - probes, 18, 22); /* every 500 ms, in ten seconds */
}

/* Once: it may never answer that name, which is to have five packets over its whole life. */
static void with_nothing_known_it_is_asked_what_it_missed_and_then_the_soa(void **state)
{
	(void)state;
	begin(1);
	make_suspect();
	for (uint64_t end = w.now + 20 * SECOND; count == 0 && w.now < end;)
		world_run(&w, 100 * MS);
	assert_int_equal(count, 1);
	assert_string_equal(asked, "n1.test."); /* it decided: n0 had been sent twice */
	assert_int_equal(asked_type, TYPE_A);
	for (unsigned probes = 2; probes <= 4; probes++) {
		for (uint64_t end = w.now + 60 * SECOND; count < probes && w.now < end;)
			world_run(&w, 100 * MS);
		assert_int_equal(count, probes);
		assert_string_equal(asked, "corp.test.");
		assert_int_equal(asked_type, TYPE_SOA);
	}
}

static void with_nothing_missed_it_is_asked_for_the_soa_of_its_rules_domain(void **state)
{
	(void)state;
	begin(1);
	target_on_unreachable(only(), TARGET_ERROR_NETWORK, w.now);
	lookup_recheck(&w.table, w.now);
	world_run(&w, 10 * SECOND);
	assert_false(target_is_suspect(only()));
	assert_string_equal(asked, "corp.test.");
	assert_int_equal(asked_type, TYPE_SOA);
}

static void a_probe_for_which_the_table_has_no_room_is_not_the_sources_fault(void **state)
{
	(void)state;
	begin(1);
	target_on_unreachable(only(), TARGET_ERROR_NETWORK, w.now);
	w.table.lookup_max = 0;
	lookup_recheck(&w.table, w.now);
	world_run(&w, 10 * SECOND);
	assert_int_equal(count, 0);
	assert_int_equal(only()->last_error, TARGET_ERROR_ROOM);
}

static void one_that_is_no_longer_served_is_left_alone(void **state)
{
	(void)state;
	begin(1);
	make_suspect();
	served.count = 0;
	world_run(&w, 100 * SECOND);
	assert_int_equal(count, 0);
	target_release(registry, only()); /* which ends its suspicion, too */
	assert_int_equal(target_registry_suspects(registry), 0);
	world_run(&w, 2 * SECOND);
	assert_int_equal(w.wheel.armed, 0);
	w.upstreams[0].target = &w.targets[0];
}

static void a_thousand_are_back_within_a_minute_at_20_a_second(void **state)
{
	(void)state;
	begin(MANY);
	w.servers[0].does = SILENT;
	for (unsigned i = 0; i < MANY; i++)
		target_on_unreachable(upstreams[i].target, TARGET_ERROR_NETWORK, w.now);
	lookup_recheck(&w.table, w.now);
	world_run(&w, 900 * SECOND);
	assert_int_equal(target_registry_suspects(registry), MANY);
	for (unsigned i = 0; i < MANY; i++) /* the longest unprobed came first */
		assert_true(target_probed_us(upstreams[i].target) + 52 * SECOND >= w.now);
	w.servers[0].does = ANSWERS;
	count = 0;
	world_run(&w, 60 * SECOND);
	assert_int_equal(target_registry_suspects(registry), 0);
	assert_int_equal(count, MANY);
	for (unsigned i = TARGET_RECHECKS; i < count; i++)
		assert_true(times[i] - times[i - TARGET_RECHECKS] >= SECOND);
}

static void one_of_two_workers_has_the_turn(void **state)
{
	(void)state;
	begin(1);
	assert_true(target_registry_take_turn(registry, START));
	assert_false(target_registry_take_turn(registry, START + SECOND - 1));
	assert_true(target_registry_take_turn(registry, START + SECOND));
}

#define TEST(name) cmocka_unit_test_teardown(name, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_probed_every_5_s_and_in_the_end_every_50),
		TEST(it_is_back_within_a_minute_and_then_nothing_runs),
		TEST(a_refusal_is_a_sign_of_life_too),
		TEST(while_questions_come_they_probe_and_the_timer_does_not),
		TEST(with_nothing_known_it_is_asked_what_it_missed_and_then_the_soa),
		TEST(with_nothing_missed_it_is_asked_for_the_soa_of_its_rules_domain),
		TEST(a_probe_for_which_the_table_has_no_room_is_not_the_sources_fault),
		TEST(one_that_is_no_longer_served_is_left_alone),
		TEST(a_thousand_are_back_within_a_minute_at_20_a_second),
		TEST(one_of_two_workers_has_the_turn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
