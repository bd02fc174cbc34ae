/* One event, one line, one write(2) to descriptor 2: lines of different threads never mix, and no
 * lock is held while the terminal or the journal is slow.
 *
 *     text      2026-01-31T12:00:00.123Z warning reload: text
 *     journal   <4>reload: text                                 (the journal has its own clock)
 *     json      {"time":"2026-01-31T12:00:00.123Z","level":"warning","event":"reload","text":"…"}
 *
 * What comes from outside may hold anything: control characters, C1 ones included, and bytes that
 * are not UTF-8 are escaped, so no text can forge a line or drive a terminal. A line that is too
 * long is cut and says so. There are no files and no rotation in here: that is the service
 * manager's work. */
#include "resolver/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOG_PACE_US = 1000 * 1000 };
enum { LOG_LINE_MAX = 4096, LOG_TAIL = 16 }; /* TAIL: room for "...", the closing and a newline */

static atomic_int configured_level = LOG_INFO;
static atomic_int configured_format = LOG_TEXT;

static const struct {
	const char *name;
	char priority; /* of syslog(3), as sd-daemon(3) writes it */
} levels[] = {
	[LOG_ERROR] = {"error", '3'},
	[LOG_WARNING] = {"warning", '4'},
	[LOG_INFO] = {"info", '6'},
	[LOG_DEBUG] = {"debug", '7'},
};

struct line {
	char bytes[LOG_LINE_MAX];
	size_t length;
	bool cut;
};

static void line_add(struct line *line, const char *bytes, size_t length)
{
	if (line->cut || length > sizeof line->bytes - LOG_TAIL - line->length) {
		line->cut = true;
		return;
	}
	memcpy(line->bytes + line->length, bytes, length);
	line->length += length;
}

static void line_add_text(struct line *line, const char *text)
{
	line_add(line, text, strlen(text));
}

/* What may always stand there: the closing has its room set aside. */
static void line_close(struct line *line, const char *closing)
{
	if (line->cut) {
		memcpy(line->bytes + line->length, "...", 3);
		line->length += 3;
	}
	size_t length = strlen(closing);
	memcpy(line->bytes + line->length, closing, length);
	line->length += length;
}

/* How many bytes the printable character at `at` has; 0 when it is a control character or not
 * well-formed UTF-8 (RFC 3629 section 4). */
static size_t printable_length(const unsigned char *at)
{
	if (at[0] < 0x80)
		return at[0] >= 0x20 && at[0] != 0x7f;
	size_t length = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
	if (at[0] < 0xc2 || at[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	bool control = at[0] == 0xc2 && at[1] < 0xa0;
	bool overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
	bool surrogate = at[0] == 0xed && at[1] >= 0xa0;
	bool beyond = at[0] == 0xf4 && at[1] >= 0x90;
	return control || overlong || surrogate || beyond ? 0 : length;
}

static void line_add_escaped(struct line *line, const char *text, bool json)
{
	const unsigned char *at = (const unsigned char *)text;
	while (*at && !line->cut) {
		char escape[8];
		size_t length = printable_length(at);
		if (json && (*at == '"' || *at == '\\')) {
			line_add(line, (char[]){'\\', (char)*at}, 2);
			length = 1;
		} else if (length > 0) {
			line_add(line, (const char *)at, length);
		} else {
			snprintf(escape, sizeof escape, json ? "\\u%04x" : "\\x%02x", *at);
			line_add_text(line, escape);
			length = 1;
		}
		at += length;
	}
}

static void line_add_time(struct line *line)
{
	struct timespec now;
	struct tm tm;
	char text[40];
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + length, sizeof text - length, ".%03dZ", (int)(now.tv_nsec / 1000000));
	line_add_text(line, text);
}

static bool stderr_is_the_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;
	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_configure(enum log_level level, enum log_format format)
{
	if (format == LOG_AUTO)
		format = stderr_is_the_journal() ? LOG_JOURNAL : LOG_TEXT;
	atomic_store_explicit(&configured_level, (int)level, memory_order_relaxed);
	atomic_store_explicit(&configured_format, (int)format, memory_order_relaxed);
}

static void line_format(struct line *line, enum log_format format, enum log_level level,
			const char *event, const char *text)
{
	if (format == LOG_JSON) {
		line_add_text(line, "{\"time\":\"");
		line_add_time(line);
		line_add_text(line, "\",\"level\":\"");
		line_add_text(line, levels[level].name);
		line_add_text(line, "\",\"event\":\"");
		line_add_escaped(line, event, true);
		line_add_text(line, "\",\"text\":\"");
		line_add_escaped(line, text, true);
		line_close(line, "\"}\n");
		return;
	}
	if (format == LOG_JOURNAL) {
		line_add(line, (char[]){'<', levels[level].priority, '>'}, 3);
	} else {
		line_add_time(line);
		line_add_text(line, " ");
		line_add_text(line, levels[level].name);
		line_add_text(line, " ");
	}
	line_add_escaped(line, event, false);
	line_add_text(line, ": ");
	line_add_escaped(line, text, false);
	line_close(line, "\n");
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
	if ((int)level > atomic_load_explicit(&configured_level, memory_order_relaxed))
		return;
	char text[LOG_LINE_MAX]; /* more than fits is more than the line takes: it shows as cut */
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);

	struct line line;
	line.length = 0;
	line.cut = false;
	line_format(&line,
		    (enum log_format)atomic_load_explicit(&configured_format, memory_order_relaxed),
		    level, event, text);
	ssize_t written = write(STDERR_FILENO, line.bytes, line.length);
	(void)written; /* there is nowhere to complain */
}

void log_faults(const char *event, const struct faults *faults)
{
	for (size_t i = 0; i < faults->count; i++) {
		const struct fault *fault = &faults->items[i];
		const struct origin *origin = &fault->origin;
		char line[16] = "";
		if (origin->file && origin->line)
			snprintf(line, sizeof line, ":%u", origin->line);
		log_event(fault->severity == FAULT_ERROR ? LOG_ERROR : LOG_WARNING, event,
			  "%s%s%s%s%s%s", origin->file ? origin->file : "", line,
			  origin->file ? ": " : "", origin->path ? origin->path : "",
			  origin->path ? ": " : "", fault->text);
	}
}

bool log_pace(struct log_pace *pace, uint64_t now_us, unsigned *unlogged)
{
	if (now_us < pace->next_us) {
		pace->unlogged++;
		return false;
	}
	*unlogged = pace->unlogged;
	*pace = (struct log_pace){.next_us = now_us + LOG_PACE_US};
	return true;
}
