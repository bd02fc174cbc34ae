/* What has happened: the latest lines of the log, for whoever asks, and as they come. An event is a
 * line of the log of level info or more, whatever log.level is; its name is the log's word for it
 * ("target", "reload", "change"), its text what the log says. They are kept in memory, and go with
 * the process.
 *
 * There is one log, so there is one of these. Lines come from any thread; the rest is the control
 * thread's. */
#ifndef SLUICE_EVENTS_H
#define SLUICE_EVENTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "resolver/log.h"
#include "rules/err.h"

enum { EVENTS_MAX = 1000, EVENT_NAME_MAX = 24, EVENT_TEXT_MAX = 16384 };

struct event {
	uint64_t id; /* rises, also from one process to the next; fits a double */
	int64_t at_ms;
	enum log_level level;
	char name[EVENT_NAME_MAX];
	char *text; /* UTF-8, shown as the log shows it; cut at EVENT_TEXT_MAX, not at a line's end
		     */
	char *for_readers; /* the same without names of clients; NULL: readers are not told */
};

/* From now on events are kept; before other threads run. */
void events_begin(void);
/* on_event is called on the loop's thread some time after one or more have come. ERR_SYSTEM. */
MUST_CHECK int events_open(uv_loop_t *loop, void (*on_event)(void *context), void *context);
/* Before the loop's handles are closed. */
void events_close(void);

/* Calls back with each behind this id, the oldest first, until that returns false. The event is
 * good for that call alone. */
void events_each(uint64_t after, bool (*on_one)(void *context, const struct event *event),
		 void *context);
/* Of the latest one; 0: there is none. */
uint64_t events_last(void);
/* For a thread that has nothing else to do: until there is one behind this id, so long has passed,
 * or events_interrupt. */
void events_wait(uint64_t after, unsigned wait_ms);
void events_interrupt(void);
/* {"id", "time", "level", "event", "text"}; NULL without memory. guarded: for a reader, whom this
 * event is for only where it has for_readers. */
json_t *event_json(const struct event *event, bool guarded);
extern const char *const event_level_names[LOG_DEBUG];

#endif
