/* endpoints/bell: another thread wakes a loop, and no ring is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "endpoints/bell.h"

enum { RINGS = 20000 };

struct world {
	uv_loop_t loop;
	struct bell bell;
	unsigned rings, seen;
	atomic_uint given; /* by the other thread */
	bool rings_itself;
};

static void on_ring(void *context)
{
	struct world *world = context;

	world->rings++;
	world->seen = atomic_load_explicit(&world->given, memory_order_relaxed);
	if (world->rings_itself)
		bell_ring(&world->bell);
	world->rings_itself = false;
}

static int open_world(void **state)
{
	static struct world world;

	world = (struct world){0};
	assert_int_equal(uv_loop_init(&world.loop), 0);
	assert_int_equal(bell_open(&world.bell, &world.loop, on_ring, &world), 0);
	*state = &world;
	return 0;
}

static int close_world(void **state)
{
	struct world *world = *state;

	bell_close(&world->bell);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&world->loop), 0);
	bell_release(&world->bell);
	return 0;
}

static void what_rings_before_the_loop_comes_rings_once(void **state)
{
	struct world *world = *state;

	uv_run(&world->loop, UV_RUN_NOWAIT);
	assert_int_equal(world->rings, 0);
	bell_ring(&world->bell);
	bell_ring(&world->bell);
	uv_run(&world->loop, UV_RUN_ONCE);
	assert_int_equal(world->rings, 1);
	uv_run(&world->loop, UV_RUN_NOWAIT);
	assert_int_equal(world->rings, 1);
}

static void who_answers_it_may_ring_it(void **state)
{
	struct world *world = *state;

	world->rings_itself = true;
	bell_ring(&world->bell);
	for (unsigned i = 0; world->rings < 2 && i < 1000; i++)
		uv_run(&world->loop, UV_RUN_NOWAIT);
	assert_int_equal(world->rings, 2);
}

static void give(void *argument)
{
	struct world *world = argument;

	for (unsigned i = 0; i < RINGS; i++) {
		atomic_fetch_add_explicit(&world->given, 1, memory_order_relaxed);
		bell_ring(&world->bell);
	}
}

static void the_last_ring_of_another_thread_is_heard(void **state)
{
	struct world *world = *state;
	uv_thread_t thread;

	assert_int_equal(uv_thread_create(&thread, give, world), 0);
	while (world->seen < RINGS)
		uv_run(&world->loop, UV_RUN_ONCE);
	uv_thread_join(&thread);
}

static void released_it_leaves_no_descriptor_and_may_be_released_again(void **state)
{
	struct world *world = *state;
	int fd = world->bell.fd;

	assert_int_not_equal(fcntl(fd, F_GETFD), -1);
	bell_close(&world->bell);
	bell_close(&world->bell);
	bell_release(&world->bell);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	bell_release(&world->bell);
}

static void whoever_rings_a_loop_that_has_ended_writes_to_nothing_else(void **state)
{
	struct world *world = *state;
	int other;

	bell_ring(&world->bell);
	bell_close(&world->bell);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	other = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); /* the next descriptor that is free */
	assert_true(other >= 0);
	bell_ring(&world->bell);
	assert_int_equal(read(other, &(uint64_t){0}, sizeof(uint64_t)), -1);
	close(other);
	assert_int_equal(world->rings, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)
		WORLD(what_rings_before_the_loop_comes_rings_once),
		WORLD(who_answers_it_may_ring_it),
		WORLD(the_last_ring_of_another_thread_is_heard),
		WORLD(released_it_leaves_no_descriptor_and_may_be_released_again),
		WORLD(whoever_rings_a_loop_that_has_ended_writes_to_nothing_else),
#undef WORLD
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
