/* Calls back when a file has changed, also when it was replaced by rename or lies behind a symbolic
 * link into another directory: its directory is watched, and the file is looked at every few
 * seconds. */
#ifndef SLUICE_FILE_WATCH_H
#define SLUICE_FILE_WATCH_H

#include <uv.h>

#include "resolver/control/base/regular_file.h"

enum { FILE_WATCH_EVERY_MS = 3000, FILE_WATCH_SETTLE_MS = 100 };

struct file_watch {
	uv_fs_event_t event;
	uv_timer_t timer;
	const char *path;
	struct file_stamp seen; /* all zero: it was not there */
	void (*on_change)(void *context);
	void *context;
};

/* Call it before the file is read for the first time: later changes are noticed. `path` must
 * outlive it. */
void file_watch_note(struct file_watch *watch, const char *path);
/* Never fails: where the directory cannot be watched, the timer remains. */
void file_watch_start(struct file_watch *watch, uv_loop_t *loop, void (*on_change)(void *context),
		      void *context);
/* Starts closing; the struct must live until the loop's close callbacks have run. */
void file_watch_close(struct file_watch *watch);

#endif
