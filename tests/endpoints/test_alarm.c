/* endpoints/alarm: it rings when it should, once, and is set no more often than it must be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>
#include <sys/timerfd.h>

#include "endpoints/alarm.h"

struct world {
	uv_loop_t loop;
	struct alarm alarm;
	unsigned rings;
	uint64_t rang_us;
};

static uint64_t now_us(void)
{
	return uv_hrtime() / 1000;
}

static void on_ring(void *context)
{
	struct world *world = context;

	world->rings++;
	world->rang_us = now_us();
}

static int open_world(void **state)
{
	static struct world world;

	world = (struct world){0};
	assert_int_equal(uv_loop_init(&world.loop), 0);
	assert_int_equal(alarm_open(&world.alarm, &world.loop, on_ring, &world), 0);
	*state = &world;
	return 0;
}

static int close_world(void **state)
{
	struct world *world = *state;

	alarm_close(&world->alarm);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&world->loop), 0);
	return 0;
}

static bool kernel_has_it_set(const struct alarm *alarm)
{
	struct itimerspec spec;

	assert_int_equal(timerfd_gettime(alarm->fd, &spec), 0);
	return spec.it_value.tv_sec != 0 || spec.it_value.tv_nsec != 0;
}

static void it_rings_once_and_not_before_its_time(void **state)
{
	struct world *world = *state;
	uint64_t due_us = now_us() + 3000;

	alarm_by(&world->alarm, due_us);
	uv_run(&world->loop, UV_RUN_ONCE);
	assert_int_equal(world->rings, 1);
	assert_true(world->rang_us >= due_us);
	assert_false(kernel_has_it_set(&world->alarm));
	uv_run(&world->loop, UV_RUN_NOWAIT);
	assert_int_equal(world->rings, 1);
}

static void a_time_that_has_passed_rings_at_once(void **state)
{
	struct world *world = *state;

	alarm_by(&world->alarm, 0);
	uv_run(&world->loop, UV_RUN_ONCE);
	assert_int_equal(world->rings, 1);
	alarm_by(&world->alarm, now_us() - 1);
	uv_run(&world->loop, UV_RUN_ONCE);
	assert_int_equal(world->rings, 2);
}

static void a_later_time_is_not_set(void **state)
{
	struct world *world = *state;
	uint64_t due_us = now_us() + 2000;

	alarm_by(&world->alarm, due_us);
	alarm_by(&world->alarm, due_us + 1);
	alarm_by(&world->alarm, UINT64_MAX);
	assert_true(world->alarm.set_us == due_us);
	uv_run(&world->loop, UV_RUN_ONCE);
	assert_int_equal(world->rings, 1);
}

static void an_earlier_time_is(void **state)
{
	struct world *world = *state;
	uint64_t due_us = now_us() + 2000;

	alarm_by(&world->alarm, due_us + UINT64_C(3600000000));
	alarm_by(&world->alarm, due_us);
	uv_run(&world->loop, UV_RUN_ONCE);
	assert_int_equal(world->rings, 1);
	assert_true(world->rang_us >= due_us);
}

static void it_does_not_ring_when_it_was_never_told(void **state)
{
	struct world *world = *state;

	alarm_by(&world->alarm, UINT64_MAX);
	assert_false(kernel_has_it_set(&world->alarm));
	uv_run(&world->loop, UV_RUN_NOWAIT);
	assert_int_equal(world->rings, 0);
}

int main(void)
{
#define ALARM_TEST(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)
	const struct CMUnitTest tests[] = {
		ALARM_TEST(it_rings_once_and_not_before_its_time),
		ALARM_TEST(a_time_that_has_passed_rings_at_once),
		ALARM_TEST(a_later_time_is_not_set),
		ALARM_TEST(an_earlier_time_is),
		ALARM_TEST(it_does_not_ring_when_it_was_never_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
