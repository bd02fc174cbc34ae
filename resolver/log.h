/* One line an event, to stderr: with a level, a time or journald's prefix, or as JSON lines. Never
 * a secret, never a line per query. Thread-safe: a line is one write. */
#ifndef SLUICE_LOG_H
#define SLUICE_LOG_H

#include "rules/fault.h"
#include "rules/model.h"

/* Level and format for all that follows. LOG_AUTO is journald's prefixes when stderr is the journal
 * (JOURNAL_STREAM names its device and inode), else text. */
void log_configure(enum log_level level, enum log_format format);

/* `event` is a short stable word for machines ("reload", "listen", "target"); the text is for
 * people, without a final newline; control characters in it are escaped. */
void log_event(enum log_level level, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Every fault as a line of its own, errors and warnings by their level. */
void log_faults(const char *event, const struct faults *faults);

#endif
