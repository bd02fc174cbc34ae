/* stat(2) decides whether the file has changed. An event only makes the timer fire sooner, shortly
 * after the first event of a burst. */
#include "resolver/control/config/file_watch.h"

#include <assert.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>

static void on_timer(uv_timer_t *timer)
{
	struct file_watch *watch = timer->data;
	struct file_stamp now;

	file_stamp_of(&now, watch->path);
	if (file_stamp_equal(&now, &watch->seen))
		return;
	watch->seen = now;
	watch->on_change(watch->context);
}

static void arm(struct file_watch *watch, uint64_t first_ms)
{
	int err = uv_timer_start(&watch->timer, on_timer, first_ms, FILE_WATCH_EVERY_MS);

	assert(err == 0);
	(void)err;
}

static void on_event(uv_fs_event_t *event, const char *name, int events, int status)
{
	struct file_watch *watch = event->data;

	(void)name;
	(void)events;
	/* Keep a timer that is due sooner: events of a busy directory must not postpone it for
	 * ever. */
	if (status == 0 && uv_timer_get_due_in(&watch->timer) > FILE_WATCH_QUIET_MS)
		arm(watch, FILE_WATCH_QUIET_MS);
}

void file_watch_note(struct file_watch *watch, const char *path)
{
	watch->path = path;
	file_stamp_of(&watch->seen, path);
}

void file_watch_start(struct file_watch *watch, uv_loop_t *loop, void (*on_change)(void *context),
		      void *context)
{
	char copy[PATH_MAX];

	watch->on_change = on_change;
	watch->context = context;
	uv_fs_event_init(loop, &watch->event);
	uv_timer_init(loop, &watch->timer);
	watch->event.data = watch->timer.data = watch;
	snprintf(copy, sizeof copy, "%s", watch->path);
	int watched = uv_fs_event_start(&watch->event, on_event, dirname(copy), 0);
	(void)watched;
	arm(watch, FILE_WATCH_EVERY_MS);
}

void file_watch_close(struct file_watch *watch)
{
	uv_close((uv_handle_t *)&watch->event, NULL);
	uv_close((uv_handle_t *)&watch->timer, NULL);
}
