/* The longest turn of a loop: the time that it used the processor counts, and the time that it
 * slept does not. */
#include "resolver/control/service/turns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

enum { BUSY_NS = 5000000, ASLEEP_NS = 50000000 };

static uint64_t used_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void use_the_processor(uv_timer_t *timer)
{
	uint64_t begin = used_ns();

	(void)timer;
	while (used_ns() - begin < BUSY_NS)
		;
}

static void rest(uv_timer_t *timer)
{
	const struct timespec time = {.tv_nsec = ASLEEP_NS};

	(void)timer;
	nanosleep(&time, NULL);
}

static void do_nothing(uv_timer_t *timer)
{
	(void)timer;
}

/* A turn that begins the count, and one with the callback in it. */
static void go_round(struct turns *turns, uv_timer_cb callback)
{
	uv_loop_t loop;
	uv_timer_t timer;

	assert_int_equal(uv_loop_init(&loop), 0);
	turns_open(turns, &loop);
	uv_timer_init(&loop, &timer);
	uv_timer_start(&timer, do_nothing, 0, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_timer_start(&timer, callback, 0, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_close((uv_handle_t *)&turns->prepare, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void a_turn_that_uses_the_processor_counts(void **state)
{
	struct turns turns = {0};

	(void)state;
	go_round(&turns, use_the_processor);
	assert_true(turns.longest_ns >= BUSY_NS);
	assert_true(turns.longest_at_s > 0);
}

static void a_turn_that_sleeps_does_not(void **state)
{
	struct turns turns = {0};

	(void)state;
	go_round(&turns, rest);
	assert_true(turns.longest_ns < ASLEEP_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_turn_that_uses_the_processor_counts),
		cmocka_unit_test(a_turn_that_sleeps_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
