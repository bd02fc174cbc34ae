/* Writes one line for each event to stderr: with a level, a time or journald's prefix, or as JSON
 * lines. There are no secrets in it and no lines for queries. Thread-safe: lines never mix. */
#ifndef SLUICE_LOG_H
#define SLUICE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/fault.h"
#include "rules/schema/model.h"

/* From now on no thread waits for the reader of stderr. If a pipe, socket or terminal has no room,
 * up to LOG_QUEUE_MAX bytes of lines wait in memory; later lines are lost, and a line says how
 * many. At exit the process waits up to LOG_REST_MS for room for them. (A terminal that the
 * process may not open can still hold a thread in the middle of a line.) */
enum { LOG_QUEUE_MAX = 1 << 20, LOG_REST_MS = 1000 };
void log_never_wait(void);
/* Writes the waiting lines that stderr has room for. False: some still wait. */
bool log_go_on(void);
/* Writes all waiting lines, and waits at most so long for room. */
void log_rest(unsigned ms);
/* Sets a callback for the moment when lines begin to wait. The logging thread calls it, so it must
 * be quick and must not log. The thread that it wakes calls log_go_on until no line waits. NULL: no
 * callback. */
void log_on_waiting(void (*on_waiting)(void *context), void *context);
/* Passes on text that another program has formatted. */
void log_pass_on(const char *text, size_t length);

/* Sets level and format of all later lines. LOG_AUTO uses journald's prefixes if stderr is the
 * journal (JOURNAL_STREAM names its device and inode), else text. */
void log_configure(enum log_level level, enum log_format format);

/* `event` is a short stable word for programs ("reload", "listen", "target"). The text is for
 * people, without a final newline; its control characters are escaped. */
void log_event(enum log_level level, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for a line that names a client or something that only administrators may see. The log
 * has the text; readers see `shown` instead, or nothing if it is NULL. */
void log_event_guarded(enum log_level level, const char *event, const char *shown,
		       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Sets a listener for every line of level info or above, whatever level is written. The logging
 * thread calls it, so it must be quick and must not log. `shown`: as in log_event_guarded, or the
 * text itself. NULL: no listener. */
void log_listen(void (*on_line)(enum log_level level, const char *event, const char *text,
				const char *shown));

/* For events that strangers can cause at any rate: logs at most one a second. */
struct log_pace { /* all zero: no event yet */
	uint64_t next_us;
	unsigned unlogged; /* events since the last logged one */
};
/* Whether to log this event. `more` is for the end of its text: how many were not logged since the
 * last one, or "". */
enum { LOG_MORE_MAX = 32 };
bool log_pace(struct log_pace *pace, uint64_t now_us, char more[LOG_MORE_MAX]);

/* Logs a fault as an error or a warning, with its place. Readers do not see faults in the list of
 * clients. */
void log_fault(const char *event, const struct fault *fault);
/* Logs each fault on its own line. */
void log_faults(const char *event, const struct faults *faults);

#endif
