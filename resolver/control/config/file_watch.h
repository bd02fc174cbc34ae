/* Calls back when a file has changed. A file may be replaced by rename, or lie behind a symbolic
 * link into another directory; so its directory is watched, and the file's stamp is compared every
 * few seconds. */
#ifndef SLUICE_FILE_WATCH_H
#define SLUICE_FILE_WATCH_H

#include <uv.h>

#include "resolver/control/base/regular_file.h"

enum { FILE_WATCH_EVERY_MS = 3000, FILE_WATCH_QUIET_MS = 100 };

struct file_watch {
	uv_fs_event_t event;
	uv_timer_t timer;
	const char *path;
	struct file_stamp seen; /* all zero: there was no file */
	void (*on_change)(void *context);
	void *context;
};

/* Notes the file's state; call it before the file is first read, so that any later change is
 * noticed. `path` must outlive the watch. */
void file_watch_note(struct file_watch *watch, const char *path);
/* Cannot fail: if the directory cannot be watched, the timer remains. */
void file_watch_start(struct file_watch *watch, uv_loop_t *loop, void (*on_change)(void *context),
		      void *context);
/* Starts closing; the struct must live until the loop's close callbacks have run. */
void file_watch_close(struct file_watch *watch);

#endif
