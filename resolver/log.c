/* Each event is one line and one write(2) to descriptor 2: lines of different threads never mix,
 * and no lock is held while the terminal or the journal is slow.
 *
 *     text      2026-01-31T12:00:00.123Z warning reload: text
 *     journal   <4>reload: text                                 (the journal has its own clock)
 *     json      {"time":"2026-01-31T12:00:00.123Z","level":"warning","event":"reload","text":"…"}
 *
 * Text from outside may contain anything. Invisible characters (rules/text.h) and bytes that are
 * not UTF-8 are escaped, so no text can forge a line or control a terminal. A line that is too long
 * is cut and says so; the listener gets all of it. Files and rotation are the service manager's
 * work. */
#include "resolver/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules/text.h"

enum { LOG_PACE_US = 1000 * 1000 };
enum { LOG_LINE_MAX = 4096, LOG_TAIL = 16 }; /* TAIL: room for "...", the closing and a newline */

static atomic_int configured_level = LOG_INFO;
static atomic_int configured_format = LOG_TEXT;
typedef void on_line_function(enum log_level level, const char *event, const char *text,
			      const char *shown);
static on_line_function *_Atomic listener;

void log_listen(on_line_function *on_line)
{
	atomic_store(&listener, on_line);
}

static const struct {
	const char *name;
	char priority; /* syslog(3)'s, for sd-daemon(3) */
} levels[] = {
	[LOG_ERROR] = {"error", '3'},
	[LOG_WARNING] = {"warning", '4'},
	[LOG_INFO] = {"info", '6'},
	[LOG_DEBUG] = {"debug", '7'},
};

struct log_line {
	char bytes[LOG_LINE_MAX];
	size_t length;
	bool cut;
};

static void line_add(struct log_line *line, const char *bytes, size_t length)
{
	if (line->cut || length > sizeof line->bytes - LOG_TAIL - line->length) {
		line->cut = true;
		return;
	}
	memcpy(line->bytes + line->length, bytes, length);
	line->length += length;
}

static void line_add_text(struct log_line *line, const char *text)
{
	line_add(line, text, strlen(text));
}

/* The closing always fits into LOG_TAIL. */
static void line_close(struct log_line *line, const char *closing)
{
	if (line->cut) {
		memcpy(line->bytes + line->length, "...", 3);
		line->length += 3;
	}
	size_t length = strlen(closing);
	memcpy(line->bytes + line->length, closing, length);
	line->length += length;
}

/* Characters above U+FFFF become a surrogate pair (RFC 8259 section 7). */
static void escape_json(char shown[TEXT_SHOWN_MAX], uint32_t code)
{
	if (code < 0x10000)
		snprintf(shown, TEXT_SHOWN_MAX, "\\u%04x", (unsigned)code);
	else
		snprintf(shown, TEXT_SHOWN_MAX, "\\u%04x\\u%04x", (unsigned)(0xd7c0 + (code >> 10)),
			 (unsigned)(0xdc00 | (code & 0x3ff)));
}

static void line_add_escaped(struct log_line *line, const char *text, bool json)
{
	while (*text && !line->cut) {
		char shown[TEXT_SHOWN_MAX];
		uint32_t code;
		size_t length = text_show_one(text, shown);

		if (json && (*text == '"' || *text == '\\'))
			snprintf(shown, sizeof shown, "\\%c", *text);
		else if (json && (text_character(text, &code) == 0 || !text_is_shown(code)))
			escape_json(shown, code);
		line_add_text(line, shown);
		text += length;
	}
}

static void line_add_time(struct log_line *line)
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

static void line_format(struct log_line *line, enum log_format format, enum log_level level,
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

/* guarded: readers see `shown`; else the text. */
static void log_line(enum log_level level, const char *event, bool guarded, const char *shown,
		     const char *format, va_list arguments)
{
	bool is_written =
		(int)level <= atomic_load_explicit(&configured_level, memory_order_relaxed);
	on_line_function *on_line = level <= LOG_INFO ? atomic_load(&listener) : NULL;

	if (!is_written && !on_line)
		return;
	char text[LOG_LINE_MAX]; /* a longer text is longer than a line, too: it is cut */
	char *whole = NULL;
	va_list again;
	va_copy(again, arguments);
	int length = vsnprintf(text, sizeof text, format, arguments);
	if (on_line && length >= (int)sizeof text && vasprintf(&whole, format, again) < 0)
		whole = NULL;
	va_end(again);
	if (on_line)
		on_line(level, event, whole ? whole : text, guarded ? shown : whole ? whole : text);
	free(whole);
	if (!is_written)
		return;

	struct log_line line;
	line.length = 0;
	line.cut = false;
	line_format(&line,
		    (enum log_format)atomic_load_explicit(&configured_format, memory_order_relaxed),
		    level, event, text);
	ssize_t written = write(STDERR_FILENO, line.bytes, line.length);
	(void)written; /* a failure cannot be reported anywhere */
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_line(level, event, false, NULL, format, arguments);
	va_end(arguments);
}

void log_event_guarded(enum log_level level, const char *event, const char *shown,
		       const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_line(level, event, true, shown, format, arguments);
	va_end(arguments);
}

/* Whether the fault's path and text name a client or its file. */
static bool is_of_clients(const struct fault *fault)
{
	static const char clients[] = "management.clients";

	return fault->origin.path && strncmp(fault->origin.path, clients, sizeof clients - 1) == 0;
}

void log_fault(const char *event, const struct fault *fault)
{
	const struct origin *origin = &fault->origin;
	enum log_level level = fault->severity == FAULT_ERROR ? LOG_ERROR : LOG_WARNING;
	char line[16] = "";

	if (origin->file && origin->line)
		snprintf(line, sizeof line, ":%u", origin->line);
#define LOG_FAULT_PARTS                                                                            \
	"%s%s%s%s%s%s", origin->file ? origin->file : "", line, origin->file ? ": " : "",          \
		origin->path ? origin->path : "", origin->path ? ": " : "", fault->text
	if (is_of_clients(fault))
		log_event_guarded(level, event, NULL, LOG_FAULT_PARTS);
	else
		log_event(level, event, LOG_FAULT_PARTS);
#undef LOG_FAULT_PARTS
}

void log_faults(const char *event, const struct faults *faults)
{
	for (size_t i = 0; i < faults->count; i++)
		log_fault(event, &faults->items[i]);
}

bool log_pace(struct log_pace *pace, uint64_t now_us, char more[LOG_MORE_MAX])
{
	if (now_us < pace->next_us) {
		pace->unlogged++;
		return false;
	}
	more[0] = '\0';
	if (pace->unlogged > 0)
		snprintf(more, LOG_MORE_MAX, " (%u more not logged)", pace->unlogged);
	*pace = (struct log_pace){.next_us = now_us + LOG_PACE_US};
	return true;
}
