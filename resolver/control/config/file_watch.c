/* An event only makes the timer fire sooner, a little after the first event of a burst; what
 * decides is always stat(2). */
#include "resolver/control/config/file_watch.h"

#include <assert.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>

static void look(const char *path, struct stat *st)
{
	if (stat(path, st) != 0)
		memset(st, 0, sizeof *st);
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void on_timer(uv_timer_t *timer)
{
	struct file_watch *watch = timer->data;
	struct stat now;
	look(watch->path, &now);
	if (same(&now, &watch->seen))
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
	(void)name;
	(void)events;
	struct file_watch *watch = event->data;
	/* A look that is due sooner stays: a busy directory must not put it off for ever. */
	if (status == 0 && uv_timer_get_due_in(&watch->timer) > FILE_WATCH_SETTLE_MS)
		arm(watch, FILE_WATCH_SETTLE_MS);
}

void file_watch_note(struct file_watch *watch, const char *path)
{
	watch->path = path;
	look(path, &watch->seen);
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
