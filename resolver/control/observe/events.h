/* Events: the latest lines of the log, kept for clients that ask, and announced as they come. An
 * event is a line of level info or more, whatever log.level is; its name is the log's word for it
 * ("target", "reload", "change"), its text what the log says. Events are kept in memory and end
 * with the process.
 *
 * There is one log, so there is one list of events. Lines come from any thread. events_begin,
 * events_open and events_close are for the control thread, the other functions for any thread. */
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
	uint64_t id; /* rises, even from one process to the next; fits a double */
	int64_t at_ms;
	enum log_level level;
	char name[EVENT_NAME_MAX];
	char *text;        /* UTF-8, escaped as in the log; cut at EVENT_TEXT_MAX */
	char *for_readers; /* text without names of clients; NULL: not for readers */
};

/* Begins to keep events; call it before other threads run. */
void events_begin(void);
/* Calls on_event on the loop's thread some time after one or more events have come. ERR_SYSTEM. */
MUST_CHECK int events_open(uv_loop_t *loop, void (*on_event)(void *context), void *context);
/* Call it before the loop's handles are closed. */
void events_close(void);

/* Calls back with each event after this id, the oldest first, until on_one returns false. The event
 * is valid only during that call. */
void events_each(uint64_t after, bool (*on_one)(void *context, const struct event *event),
		 void *context);
/* The id of the latest event; 0: there is none. */
uint64_t events_last(void);
/* Blocks until there is an event after this id, wait_ms have passed, or events_interrupt is called.
 * For a thread that has nothing else to do. */
void events_wait(uint64_t after, unsigned wait_ms);
void events_interrupt(void);
/* {"id", "time", "level", "event", "text"}; NULL: out of memory. guarded: for a reader, so the
 * event must have for_readers. */
json_t *event_json(const struct event *event, bool guarded);
extern const char *const event_level_names[LOG_DEBUG];

#endif
