/* Wakes a loop at a given time. Its one timerfd is set again only for an earlier time:
 *
 *     alarm_by(20 ms) ─► timerfd_settime      a question's allowance
 *     alarm_by(35 ms)    nothing               the next one's; the first has been answered
 *     at 20 ms           rings in vain, and is set to 35 ms
 *
 * uv_timer_t instead would arm a kernel timer each time the loop falls asleep and disarm it when it
 * wakes: a quarter of the cost of questions that come one by one. There is at most one ring in vain
 * for each time that was set.
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

/* 0, or errno as libuv gives it (negative): then do not close it, but the struct must stay until
 * the loop has turned once more. */
MUST_CHECK int alarm_open(struct alarm *alarm, uv_loop_t *loop, void (*on_ring)(void *context),
			  void *context);
/* Rings at that time or sooner; UINT64_MAX: need not ring. After it has rung it is not set. */
void alarm_by(struct alarm *alarm, uint64_t time_us);
/* The struct must stay until the loop has turned once more. */
void alarm_close(struct alarm *alarm);

#endif
