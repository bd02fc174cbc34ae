/* One line an event, to stderr: with a level, a time or journald's prefix, or as JSON lines. Never
 * a secret, never a line per query. Thread-safe: a line is one write. */
#ifndef SLUICE_LOG_H
#define SLUICE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/fault.h"
#include "rules/schema/model.h"

/* Level and format for all that follows. LOG_AUTO is journald's prefixes when stderr is the journal
 * (JOURNAL_STREAM names its device and inode), else text. */
void log_configure(enum log_level level, enum log_format format);

/* `event` is a short stable word for machines ("reload", "listen", "target"); the text is for
 * people, without a final newline; control characters in it are escaped. */
void log_event(enum log_level level, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for a line that names a client, or is about something that only administrators see.
 * `shown` is what readers are told instead; NULL: readers are not told. The log has the text. */
void log_event_guarded(enum log_level level, const char *event, const char *shown,
		       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* What is called with every line of level info or more, whatever the level is that is written, by
 * the thread that logs: it must be quick, and not log. `shown`: as in log_event_guarded, or the
 * text itself. NULL: nobody. */
void log_listen(void (*on_line)(enum log_level level, const char *event, const char *text,
				const char *shown));

/* For events that others can cause as often as they like: one a second is logged. */
struct log_pace { /* all zero: none yet */
	uint64_t next_us;
	unsigned unlogged; /* since the last one that was */
};
/* Whether this one is logged. `more` is for the end of its text: how many were not since the last
 * one, or "". */
enum { LOG_MORE_MAX = 32 };
bool log_pace(struct log_pace *pace, uint64_t now_us, char more[LOG_MORE_MAX]);

/* As an error or a warning, with its place. Readers are not told of those in the list of clients.
 */
void log_fault(const char *event, const struct fault *fault);
/* Every fault as a line of its own. */
void log_faults(const char *event, const struct faults *faults);

#endif
