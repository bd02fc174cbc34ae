/* Wakes a loop at a time, by one timerfd that is set only for a time earlier than the one it is set
 * for already:
 *
 *     alarm_by(20 ms) ─► timerfd_settime      a question's allowance
 *     alarm_by(35 ms)    nothing               the next one's; the first has been answered
 *     at 20 ms           rings in vain, and is set to 35 ms
 *
 * A loop that sleeps with a timeout (uv_timer_t) arms a timer of the kernel's each time it falls
 * asleep and disarms it when it wakes; under questions that come one by one that is a quarter of
 * what they cost. Rings in vain are at most one for each time that was set.
 *
 * Times are microseconds of the monotonic clock (uv_hrtime). */
#ifndef SLUICE_ALARM_H
#define SLUICE_ALARM_H

#include <stdint.h>
#include <uv.h>

#include "rules/err.h"

struct alarm {
	uv_poll_t poll;
	int fd;
	uint64_t set_us; /* UINT64_MAX: it does not ring */
	void (*on_ring)(void *context);
	void *context;
};

/* 0, or errno as libuv gives it (negative); then there is nothing to close. */
MUST_CHECK int alarm_open(struct alarm *alarm, uv_loop_t *loop, void (*on_ring)(void *context),
			  void *context);
/* Rings then, or sooner; UINT64_MAX: need not ring. After it has rung it is not set. */
void alarm_by(struct alarm *alarm, uint64_t time_us);
/* The struct must stay until the loop has turned once more. */
void alarm_close(struct alarm *alarm);

#endif
