/* A thread that yields while it works: when it does, and when not. sched_yield(2) is this program's
 * own here, which notes when it was called, and can take its time as on a busy processor. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include <uv.h>

#include "resolver/control/yielding.h"

enum { NOTED = 100000, MS = 1000 * 1000 };

static struct {
	uint64_t from_ns, to_ns;
} yields[NOTED];
static volatile unsigned count; /* sched_yield is called at any time */
static uint64_t away_ns;

static uint64_t now_ns(void)
{
	return uv_hrtime();
}

static void work_for(uint64_t ns)
{
	uint64_t end_ns = now_ns() + ns;

	while (now_ns() < end_ns)
		continue;
}

int sched_yield(void)
{
	uint64_t from_ns = now_ns();

	work_for(away_ns);
	errno = EDOM;
	if (count < NOTED) {
		yields[count].from_ns = from_ns;
		yields[count].to_ns = now_ns();
		count++;
	}
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	count = 0;
	away_ns = 0;
	if (yielding_start() != 0)
		return -1;
	yielding_begin();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	yielding_stop();
	return 0;
}

/* Works until it has yielded so often, for ever if it never does. */
static void work_until(unsigned yielded)
{
	while (count < yielded)
		(void)now_ns(); /* ThreadSanitizer lets a signal in where the C library is called */
}

static void one_that_works_yields_again_and_again(void **state)
{
	(void)state;
	errno = 0;
	work_until(50);
	assert_int_equal(errno, 0);
	uint64_t took_ns = yields[49].from_ns - yields[0].from_ns;
	assert_true(took_ns >= 40 * YIELDING_EVERY_US * UINT64_C(1000));
}

/* Whatever signals come. */
static void one_that_waits_for_long_goes_on_for_as_long(void **state)
{
	(void)state;
	away_ns = 8 * MS;
	work_until(10);
	for (unsigned i = 1; i < 10; i++) {
		uint64_t away = yields[i - 1].to_ns - yields[i - 1].from_ns;
		assert_true(yields[i].from_ns - yields[i - 1].to_ns >= away);
	}
}

static void one_that_has_ended_its_work_does_not(void **state)
{
	(void)state;
	work_until(5);
	yielding_end();
	unsigned before = count;
	work_for(5 * MS);
	assert_int_equal(count, before);
	yielding_begin();
	work_until(before + 5);
}

static void somebody_else_s_signal_is_none(void **state)
{
	(void)state;
	yielding_stop();
	count = 0;
	assert_int_equal(kill(getpid(), SIGALRM), 0);
	assert_int_equal(raise(SIGALRM), 0);
	work_for(2 * MS);
	assert_int_equal(count, 0);
}

/* A system call that waits is not cut short. */
static void what_waits_for_bytes_waits_on(void **state)
{
	int fds[2];
	char byte = 0;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		usleep(20 * 1000);
		_exit(write(fds[1], "x", 1) == 1 ? 0 : 1);
	}
	unsigned before = count;
	assert_int_equal(read(fds[0], &byte, 1), 1);
	assert_int_equal(byte, 'x');
	assert_true(count > before);
	close(fds[0]);
	close(fds[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_that_works_yields_again_and_again),
		TEST(one_that_waits_for_long_goes_on_for_as_long),
		TEST(one_that_has_ended_its_work_does_not),
		TEST(somebody_else_s_signal_is_none),
		TEST(what_waits_for_bytes_waits_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
