/* A timer of the thread, and a handler that does no more than to look at the clock and to yield.
 * All is static, as a signal's handler is the process's. */
#include "resolver/control/yielding.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static bool started;
static timer_t timer;
static uint64_t until_ns; /* it goes on, by the monotonic clock */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void on_alarm(int number, siginfo_t *info, void *context)
{
	int saved = errno;
	uint64_t before_ns = now_ns(), after_ns;

	(void)number;
	(void)context;
	if (info->si_code == SI_TIMER && before_ns >= until_ns) { /* else it is somebody's own */
		sched_yield();
		after_ns = now_ns();
		until_ns = after_ns + (after_ns - before_ns);
	}
	errno = saved;
}

static void set(long every_us)
{
	const struct timespec every = {0, every_us * 1000};
	const struct itimerspec times = {every, every};
	int err = started ? timer_settime(timer, 0, &times, NULL) : 0;
	(void)err; /* then it is as without */
}

int yielding_start(void)
{
	struct sigaction action = {.sa_sigaction = on_alarm, .sa_flags = SA_SIGINFO | SA_RESTART};
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM};

	sigemptyset(&action.sa_mask);
	event.sigev_notify_thread_id = gettid();
	if (sigaction(SIGALRM, &action, NULL) != 0 ||
	    timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
		return ERR_SYSTEM;
	started = true;
	return 0;
}

void yielding_stop(void)
{
	if (started)
		timer_delete(timer);
	started = false;
}

void yielding_begin(void)
{
	set(YIELDING_EVERY_US);
}

void yielding_end(void)
{
	set(0);
}
