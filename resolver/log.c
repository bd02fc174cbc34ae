/* Each event is one line on stderr, and lines of different threads never mix. A server does not
 * wait for the terminal or the journal (log_never_wait): it queues the lines that these do not take
 * at once. No call waits while it holds the queue's lock. The thread that queues the first line
 * tells the loop.
 *
 *     line ─► queue ─► stderr, as far as it has room now
 *               └───► the rest: with the next line, or by log_go_on
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

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
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

static void line_add_escaped(struct log_line *line, const char *text, bool json)
{
	char shown[TEXT_SHOWN_MAX];

	while (*text && !line->cut) {
		text += json ? text_show_json(text, shown) : text_show_one(text, shown);
		line_add_text(line, shown);
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

/* ---- writing ---- */

static struct {
	pthread_mutex_t lock;
	bool used; /* log_never_wait was called */
	void (*on_waiting)(void *context);
	void *context;
	char bytes[LOG_QUEUE_MAX];
	size_t at, length; /* of the waiting bytes */
	unsigned lost;     /* lines since the last one that was queued */
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Not in `queue`: with the -1 all of `queue` would be in the program's file, a megabyte. */
static struct {
	dev_t device;    /* that it was opened for */
	int fd;          /* non-blocking; -1: stderr is no terminal, or it could not be opened */
} terminal = {.fd = -1}; /* under the queue's lock */

/* Returns a non-blocking descriptor of our own for the terminal at stderr; -1: there is none. To
 * poll is not enough: if the terminal has room for a part of a line, write waits for the rest. */
static int own_terminal(const struct stat *about)
{
	if (terminal.device == about->st_rdev)
		return terminal.fd;
	if (terminal.fd >= 0)
		close(terminal.fd);
	terminal.device = about->st_rdev;
	terminal.fd = isatty(STDERR_FILENO) ? open("/proc/self/fd/2",
						   O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
					    : -1;
	return terminal.fd;
}

/* Like write(2) of up to PIPE_BUF bytes, but fails with EAGAIN instead of waiting. The descriptor
 * cannot be made non-blocking, because other processes write to the same pipe or terminal. */
static ssize_t write_now(const char *bytes, size_t length)
{
	struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};
	struct iovec part = {(char *)(uintptr_t)bytes, length};
	struct stat about;

	if (fstat(STDERR_FILENO, &about) != 0)
		return -1;
	if (S_ISSOCK(about.st_mode))
		return send(STDERR_FILENO, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (S_ISFIFO(about.st_mode)) {
		ssize_t written = pwritev2(STDERR_FILENO, &part, 1, -1, RWF_NOWAIT);

		/* Before Linux 6.4 a pipe does not support RWF_NOWAIT. */
		if (written >= 0 || errno == EAGAIN || errno == EINTR || errno == EPIPE)
			return written;
	}
	if (own_terminal(&about) >= 0)
		return write(terminal.fd, bytes, length);
	if (poll(&room, 1, 0) == 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(STDERR_FILENO, bytes, length);
}

/* The length of the next write: whole lines, so that no line of another process comes between. */
static size_t next_part(void)
{
	size_t part = queue.length < LOG_LINE_MAX ? queue.length : LOG_LINE_MAX;
	const char *end = memrchr(queue.bytes + queue.at, '\n', part);

	return end ? (size_t)(end + 1 - (queue.bytes + queue.at)) : part;
}

static bool would_wait(ssize_t written)
{
	return written < 0 && (errno == EAGAIN || errno == EINTR);
}

/* A part whose write fails for another reason than room is lost: there is nowhere to complain. */
static void write_waiting(void)
{
	while (queue.length > 0) {
		size_t part = next_part();
		ssize_t written = write_now(queue.bytes + queue.at, part);

		if (would_wait(written))
			return;
		part = written >= 0 ? (size_t)written : part;
		queue.at += part;
		queue.length -= part;
	}
	queue.at = 0;
}

/* False: the queue has no room. */
static bool add_waiting(const char *bytes, size_t length)
{
	if (length > sizeof queue.bytes - queue.length)
		return false;
	if (length > sizeof queue.bytes - queue.length - queue.at) {
		memmove(queue.bytes, queue.bytes + queue.at, queue.length);
		queue.at = 0;
	}
	memcpy(queue.bytes + queue.at + queue.length, bytes, length);
	queue.length += length;
	return true;
}

/* Queues the text, and writes what stderr has room for. False: the queue has no room. */
static bool put(const char *bytes, size_t length)
{
	bool waited = queue.length > 0;

	if (!add_waiting(bytes, length))
		return false;
	write_waiting();
	if (!waited && queue.length > 0 && queue.on_waiting)
		queue.on_waiting(queue.context);
	return true;
}

/* Says how many lines were lost, once the queue has room for this line and another one. False: it
 * has none. */
static bool tell_lost(void)
{
	enum log_format format =
		(enum log_format)atomic_load_explicit(&configured_format, memory_order_relaxed);
	struct log_line line = {.length = 0};
	char text[96];

	if (queue.lost == 0)
		return true;
	if (queue.length > sizeof queue.bytes - 2 * LOG_LINE_MAX)
		return false;
	snprintf(text, sizeof text, "%u lines were lost, because nobody read them in time",
		 queue.lost);
	line_format(&line, format, LOG_WARNING, "log", text);
	if (!put(line.bytes, line.length))
		return false;
	queue.lost = 0;
	return true;
}

void log_pass_on(const char *text, size_t length)
{
	ssize_t written;
	bool used;

	pthread_mutex_lock(&queue.lock);
	used = queue.used;
	if (used) {
		write_waiting();
		if (!tell_lost() || !put(text, length))
			queue.lost++;
	}
	pthread_mutex_unlock(&queue.lock);
	if (used)
		return;
	written = write(STDERR_FILENO, text, length);
	(void)written; /* there is nowhere to complain */
}

bool log_go_on(void)
{
	bool done;

	pthread_mutex_lock(&queue.lock);
	write_waiting();
	done = queue.length == 0 && tell_lost() && queue.length == 0;
	pthread_mutex_unlock(&queue.lock);
	return done;
}

static int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void log_rest(unsigned ms)
{
	struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};
	int64_t until = clock_ms() + ms, left = ms;

	while (!log_go_on() && left > 0 && poll(&room, 1, (int)left) != 0)
		left = until - clock_ms();
}

static void rest_at_exit(void)
{
	log_rest(LOG_REST_MS);
}

void log_never_wait(void)
{
	struct stat about;

	pthread_mutex_lock(&queue.lock);
	if (!queue.used)
		atexit(rest_at_exit);
	queue.used = true;
	if (fstat(STDERR_FILENO, &about) == 0)
		own_terminal(&about); /* now: later this process may not be allowed to open it */
	pthread_mutex_unlock(&queue.lock);
}

void log_on_waiting(void (*on_waiting)(void *context), void *context)
{
	pthread_mutex_lock(&queue.lock);
	queue.on_waiting = on_waiting;
	queue.context = context;
	pthread_mutex_unlock(&queue.lock);
}

/* ---- lines ---- */

/* guarded: API clients with the role of reader see `shown`, or nothing if it is NULL. Not guarded:
 * they see the text. */
static void log_line(enum log_level level, const char *event, bool guarded, const char *shown,
		     const char *format, va_list arguments)
{
	bool is_written =
		(int)level <= atomic_load_explicit(&configured_level, memory_order_relaxed);
	on_line_function *on_line = level <= LOG_INFO ? atomic_load(&listener) : NULL;

	if (!is_written && !on_line)
		return;
	char text[LOG_LINE_MAX]; /* what does not fit here would not fit into the line either */
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
	log_pass_on(line.bytes, line.length);
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
