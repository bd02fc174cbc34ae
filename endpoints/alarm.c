#include "endpoints/alarm.h"

#include <assert.h>
#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct alarm *alarm = poll->data;
	uint64_t rings;

	(void)status, (void)events;
	if (read(alarm->fd, &rings, sizeof rings) < 0 && errno == EAGAIN)
		return;
	alarm->set_us = UINT64_MAX;
	alarm->on_ring(alarm->context);
}

int alarm_open(struct alarm *alarm, uv_loop_t *loop, void (*on_ring)(void *context), void *context)
{
	*alarm = (struct alarm){.set_us = UINT64_MAX, .on_ring = on_ring, .context = context};
	alarm->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (alarm->fd < 0)
		return -errno;
	int err = uv_poll_init(loop, &alarm->poll, alarm->fd);
	if (err) {
		close(alarm->fd);
		return err;
	}
	alarm->poll.data = alarm;
	err = uv_poll_start(&alarm->poll, UV_READABLE, on_poll);
	if (err)
		alarm_close(alarm);
	return err;
}

void alarm_by(struct alarm *alarm, uint64_t time_us)
{
	struct itimerspec spec = {.it_value = {.tv_sec = (time_t)(time_us / 1000000),
					       .tv_nsec = (long)(time_us % 1000000) * 1000}};

	if (time_us >= alarm->set_us)
		return;
	if (time_us == 0)
		spec.it_value.tv_nsec = 1; /* all zeros would disarm it */
	int err = timerfd_settime(alarm->fd, TFD_TIMER_ABSTIME, &spec, NULL);
	assert(!err);
	(void)err;
	alarm->set_us = time_us;
}

void alarm_close(struct alarm *alarm)
{
	uv_close((uv_handle_t *)&alarm->poll, NULL);

	close(alarm->fd);
}
