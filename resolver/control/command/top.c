/* `sluice top`: the running server's figures on a terminal, drawn again each second or --interval.
 *
 *     GET /v1/status ───────────────┐
 *     GET /v1/history?span=minute ──┼─► sections: rows of cells ─► a page of so many lines
 *     GET /v1/events?after= ────────┘
 *
 * Rates are the server's, of complete seconds; this program counts nothing. Each page is drawn over
 * the previous one, and cut to the terminal; a section that is cut says how many of its rows are
 * shown. If standard output is not a terminal, one page of any length is printed.
 *
 * The terminal is restored at every end: a key, a signal, or the server's end. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "resolver/control/base/json.h"
#include "resolver/control/command/client.h"
#include "resolver/control/observe/judgement.h"
#include "rules/array.h"
#include "rules/base.h"
#include "rules/text.h"

enum {
	COLUMNS_MAX = 6,
	CELL_MAX = 512,
	EVENTS_KEPT = 200,
	LINE_MAX_BYTES = 4096,
	WIDTH_MIN = 20,
	HEIGHT_MIN = 4,
	COLUMN_MIN = 8,
	ROWS_AIRY = 3, /* of a section, before blank lines are dropped */
	ROWS_MIN = 2,  /* before whole sections are dropped */
	SENTENCE_LINES = 3,
	TIME_LENGTH = 20, /* 2026-01-31T23:59:59Z */
	ONCE_S = 10,      /* seconds of a single page's rates */
	INTERVAL_MAX_S = 60,
};

/* ---- the terminal ---- */

static struct {
	struct termios before;
	sigset_t signals; /* those whose handlers change the terminal */
	volatile sig_atomic_t taken;
} terminal;
static volatile sig_atomic_t resized;

/* Errors are ignored: the terminal may be gone. */
static void put(const char *text)
{
	size_t left = strlen(text);
	ssize_t wrote;

	for (; left > 0; text += wrote, left -= (size_t)wrote) {
		wrote = write(STDOUT_FILENO, text, left);
		if (wrote < 0 && errno != EINTR)
			return;
		wrote = wrote < 0 ? 0 : wrote;
	}
}

/* Takes the alternate screen, without a cursor and without wrapped lines. Safe in signal
 * handlers. */
static void take_terminal(void)
{
	struct termios raw = terminal.before;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	put("\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[H\x1b[2J");
	terminal.taken = 1;
}

static void give_terminal_back(void)
{
	if (!terminal.taken)
		return;
	terminal.taken = 0;
	put("\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l");
	tcsetattr(STDIN_FILENO, TCSANOW, &terminal.before);
}

/* Takes the terminal or gives it back, while no signal can do the same. */
static void change_terminal(void (*change)(void))
{
	sigset_t before;

	sigprocmask(SIG_BLOCK, &terminal.signals, &before);
	change();
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static void on_end(int number)
{
	give_terminal_back();
	signal(number, SIG_DFL);
	raise(number); /* takes effect when this returns */
}

static void on_suspend(int number)
{
	sig_atomic_t taken = terminal.taken;
	int error = errno;

	(void)number;
	give_terminal_back();
	raise(SIGSTOP);
	if (taken) /* else it is not taken yet, or was given back for good */
		take_terminal();
	resized = 1;
	errno = error;
}

static void on_resize(int number)
{
	(void)number;
	resized = 1;
}

/* Unblocks SIGWINCH only during the wait for a key, so no change of size is missed. */
static void follow_signals(sigset_t *while_waiting)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
	struct sigaction action = {.sa_handler = on_end};
	sigset_t winch;

	sigemptyset(&terminal.signals);
	sigaddset(&terminal.signals, SIGTSTP);
	for (size_t i = 0; i < COUNT(ends); i++)
		sigaddset(&terminal.signals, ends[i]);
	action.sa_mask = terminal.signals;

	sigemptyset(&winch);
	sigaddset(&winch, SIGWINCH);
	sigprocmask(SIG_BLOCK, &winch, while_waiting);
	sigdelset(while_waiting, SIGWINCH);
	for (size_t i = 0; i < COUNT(ends); i++)
		sigaction(ends[i], &action, NULL);
	action.sa_handler = on_suspend;
	sigaction(SIGTSTP, &action, NULL);
	action.sa_handler = on_resize;
	sigaction(SIGWINCH, &action, NULL);
}

/* ---- a page ---- */

enum mood { PLAIN, GOOD, SOFT, WARN, BAD, TITLE };

struct top_page {
	FILE *out;
	unsigned width, lines; /* lines: still free; UINT_MAX: no end */
	bool live, colour;
};

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* The columns of a character: two from U+1100 on, where East Asian characters begin. Some of these
 * take only one, but a line that is too short does no harm. */
static unsigned columns_of(uint32_t code)
{
	return code >= 0x1100 ? 2 : 1;
}

/* Writes text that is safe to show, up to `width` columns; returns how many it took. */
static unsigned put_text(FILE *out, const char *text, unsigned width)
{
	unsigned used = 0;
	uint32_t code;

	while (*text) {
		size_t length = text_character(text, &code);

		if (length == 0 || used + columns_of(code) > width)
			break;
		fwrite(text, 1, length, out);
		used += columns_of(code);
		text += length;
	}
	return used;
}

static unsigned text_columns(const char *text)
{
	unsigned columns = 0;
	uint32_t code;

	for (size_t length; *text; text += length) {
		length = text_character(text, &code);
		length += length == 0;
		columns += columns_of(code);
	}
	return columns;
}

/* The number of bytes that fill so many columns, or the text's length. */
static size_t byte_at(const char *text, unsigned columns)
{
	size_t at = 0;
	uint32_t code;

	while (text[at] && columns > 0) {
		size_t length = text_character(text + at, &code);

		at += length > 0 ? length : 1;
		columns -= least(columns, columns_of(code));
	}
	return at;
}

static void set_mood(const struct top_page *page, enum mood mood)
{
	static const char *const codes[] = {
		[GOOD] = "\x1b[32m", [SOFT] = "\x1b[2m",  [WARN] = "\x1b[33m",
		[BAD] = "\x1b[31m",  [TITLE] = "\x1b[1m", [PLAIN] = "\x1b[0m"};

	if (page->colour)
		fputs(codes[mood], page->out);
}

/* False: no line is left. */
static bool begin_line(struct top_page *page, enum mood mood)
{
	if (page->lines == 0)
		return false;
	page->lines -= page->lines != UINT_MAX;
	if (mood != PLAIN)
		set_mood(page, mood);
	return true;
}

static void end_line(const struct top_page *page, enum mood mood)
{
	if (mood != PLAIN)
		set_mood(page, PLAIN);
	if (page->live)
		fputs("\x1b[K", page->out);
	/* A newline after the last line would scroll the page. */
	if (!page->live || page->lines > 0)
		fputc('\n', page->out);
}

/* Makes unprintable bytes visible: texts come from elsewhere. */
static void __attribute__((format(printf, 3, 4)))
put_line(struct top_page *page, enum mood mood, const char *format, ...)
{
	char text[LINE_MAX_BYTES], shown[LINE_MAX_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (!begin_line(page, mood))
		return;
	put_text(page->out, text_show(text, shown, sizeof shown), page->width);
	end_line(page, mood);
}

/* Writes a long text in several lines, broken at blanks. */
static void put_sentence(struct top_page *page, enum mood mood, const char *text)
{
	char shown[LINE_MAX_BYTES], *at = text_show(text, shown, sizeof shown), *blank;

	for (int lines = 1; lines < SENTENCE_LINES && text_columns(at) > page->width; lines++) {
		for (blank = at + byte_at(at, page->width + 1); blank > at && *blank != ' ';)
			blank--;
		if (blank == at)
			break;
		*blank = '\0';
		put_line(page, mood, "%s", at);
		at = blank + 1;
	}
	put_line(page, mood, "%s", at);
}

/* ---- sections: rows of cells ---- */

struct top_row {
	char cells[COLUMNS_MAX][CELL_MAX]; /* in the form shown */
	enum mood mood;
	double order; /* sorts rows, the largest first */
	size_t place; /* sorts equal rows */
};

struct top_section {
	const char *titles[COLUMNS_MAX]; /* the first names the section; ">": aligned right */
	struct top_row *rows;
	size_t count, room;
	size_t more;  /* rows that exist, but are not in `rows` */
	size_t shown; /* of `rows`, on the page */
	bool newest;  /* the last rows are shown, not the first */
};

static size_t column_count(const struct top_section *section)
{
	size_t count = 0;

	while (count < COLUMNS_MAX && section->titles[count])
		count++;
	return count;
}

/* Out of memory: returns a row that is not shown. */
static struct top_row *add_row(struct top_section *section)
{
	static struct top_row lost;
	struct top_row *grown =
		array_grow(section->rows, section->count, &section->room, sizeof *grown);

	if (!grown)
		return &lost;
	section->rows = grown;
	section->rows[section->count] = (struct top_row){.place = section->count};
	return &section->rows[section->count++];
}

static void set_cell(struct top_row *row, unsigned column, const char *text)
{
	text_show(text ? text : "-", row->cells[column], CELL_MAX);
}

static void __attribute__((format(printf, 3, 4)))
print_cell(struct top_row *row, unsigned column, const char *format, ...)
{
	char text[CELL_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	set_cell(row, column, text);
}

static int by_order(const void *left, const void *right)
{
	const struct top_row *a = left, *b = right;

	if (a->order != b->order)
		return a->order > b->order ? -1 : 1;
	return a->place < b->place ? -1 : 1;
}

static void sort_rows(struct top_section *section)
{
	if (section->count > 0)
		qsort(section->rows, section->count, sizeof *section->rows, by_order);
}

static bool is_right(const struct top_section *section, size_t column)
{
	return *section->titles[column] == '>';
}

static const char *title_of(const struct top_section *section, size_t column)
{
	return section->titles[column] + is_right(section, column);
}

/* Whether the column takes the rest of the line: the last one, unless it is aligned right. */
static bool is_open(const struct top_section *section, size_t column, size_t columns)
{
	return column + 1 == columns && !is_right(section, column);
}

/* Shrinks the first column, whose names are long, to fit the page. */
static void fit_columns(const struct top_section *section, size_t first,
			const char *const titles[COLUMNS_MAX], unsigned page_width,
			unsigned widths[COLUMNS_MAX])
{
	size_t columns = column_count(section);
	unsigned all = 0, over;

	for (size_t c = 0; c < columns; c++) {
		widths[c] = text_columns(titles[c]);
		for (size_t i = first; i < first + section->shown; i++) {
			unsigned width = text_columns(section->rows[i].cells[c]);

			widths[c] = width > widths[c] ? width : widths[c];
		}
		all += is_open(section, c, columns) ? 0 : widths[c] + 2;
	}
	over = all > page_width + 2 ? all - page_width - 2 : 0;
	if (over > 0)
		widths[0] = widths[0] > over + COLUMN_MIN ? widths[0] - over : COLUMN_MIN;
}

static unsigned put_blanks(FILE *out, unsigned count, unsigned room)
{
	count = least(count, room);
	fprintf(out, "%*s", (int)count, "");
	return count;
}

static void put_row(struct top_page *page, const struct top_section *section,
		    const unsigned widths[COLUMNS_MAX], const char *const cells[COLUMNS_MAX],
		    enum mood mood)
{
	size_t columns = column_count(section);
	unsigned used = 0;

	if (!begin_line(page, mood))
		return;
	for (size_t c = 0; c < columns; c++) {
		bool open = is_open(section, c, columns), right = is_right(section, c);
		unsigned length = text_columns(cells[c]), blanks = 0;

		if (open && !*cells[c])
			break;
		if (!open) {
			length = least(length, widths[c]);
			blanks = widths[c] - length;
		}
		used += put_blanks(page->out, (c > 0 ? 2 : 0) + (right ? blanks : 0),
				   page->width - used);
		used += put_text(page->out, cells[c], least(length, page->width - used));
		if (!right)
			used += put_blanks(page->out, blanks, page->width - used);
	}
	end_line(page, mood);
}

static void put_section(struct top_page *page, const struct top_section *section, bool airy)
{
	size_t columns = column_count(section), all = section->count + section->more;
	size_t first = section->newest ? section->count - section->shown : 0;
	const char *cells[COLUMNS_MAX];
	unsigned widths[COLUMNS_MAX] = {0};
	char title[CELL_MAX];

	if (section->shown == 0)
		return;
	for (size_t c = 0; c < COLUMNS_MAX; c++)
		cells[c] = c < columns ? title_of(section, c) : "";
	if (section->shown < all) {
		snprintf(title, sizeof title, "%s (%zu of %zu)", cells[0], section->shown, all);
		cells[0] = title;
	}
	fit_columns(section, first, cells, page->width, widths);
	if (airy)
		put_line(page, PLAIN, "%s", "");
	put_row(page, section, widths, cells, TITLE);
	for (size_t i = first; i < first + section->shown; i++) {
		for (size_t c = 0; c < columns; c++)
			cells[c] = section->rows[i].cells[c];
		put_row(page, section, widths, cells, section->rows[i].mood);
	}
}

/* ---- data from the server ---- */

struct top {
	const struct command_line *line;
	char socket[CLIENT_PATH_MAX];
	double interval_s;
	unsigned seconds; /* the period of rates */
	json_t *status, *history;
	json_t *events; /* the latest events, the oldest first */
	json_int_t last_event;
	char error[CLIENT_ERROR_MAX]; /* why asking failed */
	bool is_busy;                 /* the server is being replaced: the next look may succeed */
};

/* NULL: top->error says why. */
static json_t *ask(struct top *top, const char *path)
{
	unsigned status = 0;
	json_t *answer =
		client_call(top->socket, (struct client_call){.method = "GET", .path = path},
			    &status, top->error);

	top->is_busy = status == 503;
	if (answer && status >= 400) {
		const char *text = client_error_text(answer);

		snprintf(top->error, sizeof top->error, "%s", text ? text : "the server refuses");
		json_decref(answer);
		return NULL;
	}
	return answer;
}

static bool ask_events(struct top *top)
{
	char path[64];
	json_t *answer, *events;

	snprintf(path, sizeof path, "/v1/events?limit=1000&after=%" JSON_INTEGER_FORMAT,
		 top->last_event);
	answer = ask(top, path);
	if (!answer)
		return false;
	events = json_object_get(answer, "events");
	for (size_t i = 0; i < json_array_size(events); i++) {
		json_t *event = json_array_get(events, i);

		top->last_event = json_integer_value(json_object_get(event, "id"));
		json_array_append(top->events, event);
	}
	while (json_array_size(top->events) > EVENTS_KEPT)
		json_array_remove(top->events, 0);
	json_decref(answer);
	return true;
}

/* False: the server has ended, or is busy. A server that is being replaced may have no history. */
static bool look(struct top *top)
{
	json_t *status = ask(top, "/v1/status");
	json_t *history = status ? ask(top, "/v1/history?span=minute") : NULL;

	if (!status || !ask_events(top)) {
		json_decref(status);
		json_decref(history);
		return false;
	}
	json_decref(top->status);
	json_decref(top->history);
	top->status = status;
	top->history = history ? history : json_object();
	return true;
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static json_int_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* The mean per second over the latest `seconds` of a row's list; NAN: not known. */
static double rate(const struct top *top, const json_t *row, const char *key)
{
	const json_t *values = json_object_get(row, key);
	size_t count = json_array_size(values);
	size_t first = count > top->seconds ? count - top->seconds : 0, known = 0;
	double sum = 0;

	for (size_t i = first; i < count; i++) {
		const json_t *value = json_array_get(values, i);

		known += json_is_number(value);
		sum += json_number_value(value);
	}
	return known > 0 ? sum / (double)known : NAN;
}

/* The latest known value of the minute. */
static double latest(const json_t *row, const char *key)
{
	const json_t *values = json_object_get(row, key);

	for (size_t i = json_array_size(values); i > 0; i--)
		if (json_is_number(json_array_get(values, i - 1)))
			return json_number_value(json_array_get(values, i - 1));
	return NAN;
}

static double or_zero(double value)
{
	return isnan(value) ? 0 : value;
}

static char *rate_text(double value, char text[32])
{
	if (isnan(value))
		snprintf(text, 32, "-");
	else
		snprintf(text, 32, value > 0 && value < 10 ? "%.1f" : "%.0f", value);
	return text;
}

static void set_rate(struct top_row *row, unsigned column, double value)
{
	char text[32];

	set_cell(row, column, rate_text(value, text));
}

static void set_ms(struct top_row *row, unsigned column, double us)
{
	if (isnan(us))
		set_cell(row, column, NULL);
	else
		print_cell(row, column, us < 10000 ? "%.2f" : "%.0f", us / 1000);
}

/* ---- the sections ---- */

static void fill_endpoints(const struct top *top, struct top_section *section)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(top->history, "endpoints"), i, row)
	{
		struct top_row *cells = add_row(section);
		double servfail = or_zero(rate(top, row, "servfail"));
		double over = or_zero(rate(top, row, "over_limit"));

		set_cell(cells, 0, text_of(row, "name"));
		cells->order = or_zero(rate(top, row, "queries"));
		set_rate(cells, 1, rate(top, row, "queries"));
		set_rate(cells, 2, servfail);
		set_rate(cells, 3, over);
		cells->mood = over > 0 ? BAD : servfail > 0 ? WARN : PLAIN;
	}
	sort_rows(section);
}

static void fill_sources(const struct top *top, struct top_section *section)
{
	const json_t *rows = json_object_get(top->history, "sources"), *row;
	double all = 0;
	size_t i;

	json_array_foreach(rows, i, row) all += or_zero(rate(top, row, "responses"));
	json_array_foreach(rows, i, row)
	{
		struct top_row *cells = add_row(section);
		double responses = rate(top, row, "responses");

		set_cell(cells, 0, text_of(row, "name"));
		set_rate(cells, 1, responses);
		if (all > 0)
			print_cell(cells, 2, "%.0f %%", 100 * or_zero(responses) / all);
		else
			set_cell(cells, 2, NULL);
		set_ms(cells, 3, latest(row, "p50_us"));
		set_ms(cells, 4, latest(row, "p99_us"));
		cells->order = or_zero(responses);
	}
	sort_rows(section);
}

static void fill_classes(const struct top *top, struct top_section *section)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(top->history, "classes"), i, row)
	{
		const char *kind = text_of(row, "kind"), *name = text_of(row, "name");
		struct top_row *cells = add_row(section);

		if (kind && strcmp(kind, "ruleset") == 0)
			print_cell(cells, 0, "ruleset %s", name ? name : "-");
		else
			set_cell(cells, 0, name);
		cells->order = or_zero(rate(top, row, "queries"));
		set_rate(cells, 1, rate(top, row, "queries"));
	}
	sort_rows(section);
}

static bool same_text(const json_t *a, const char *key_a, const json_t *b, const char *key_b)
{
	return text_equal(text_of(a, key_a), text_of(b, key_b));
}

/* The target's row in the history; NULL: none. */
static const json_t *history_of(const struct top *top, const json_t *target)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(top->history, "targets"), i, row)
	{
		if (same_text(row, "target", target, "host") &&
		    same_text(row, "protocol", target, "protocol") &&
		    same_text(row, "source", target, "source"))
			return row;
	}
	return NULL;
}

static void set_state(struct top_row *cells, unsigned column, const json_t *target)
{
	const char *state = text_of(target, "state"), *since = text_of(target, "since");
	const char *says = text_of(target, "says");

	if (says && since && strlen(since) == TIME_LENGTH)
		print_cell(cells, column, "%s since %s", says, since + 11);
	else
		set_cell(cells, column, says ? says : state);
	cells->mood = state && !target_state_is_good(judgement_state(state)) ? BAD : PLAIN;
}

/* The status has the worst first, the others in the order of the configuration. */
static void fill_targets(const struct top *top, struct top_section *section)
{
	const json_t *target;
	size_t i;

	json_array_foreach(json_object_get(top->status, "targets"), i, target)
	{
		const json_t *row = history_of(top, target);
		struct top_row *cells = add_row(section);
		const json_t *srtt = json_object_get(target, "srtt_ms");
		const char *host = text_of(target, "host");
		const char *protocol = text_of(target, "protocol");

		print_cell(cells, 0, "%s%s", host ? host : "-",
			   protocol && strcmp(protocol, "tcp") == 0 ? " tcp" : "");
		set_state(cells, 5, target);
		set_ms(cells, 1, json_is_number(srtt) ? 1000 * json_number_value(srtt) : NAN);
		set_rate(cells, 2, rate(top, row, "queries"));
		set_rate(cells, 3, rate(top, row, "failures"));
		print_cell(cells, 4, "%" JSON_INTEGER_FORMAT, number_of(target, "rule_count"));
		cells->order = (cells->mood == BAD ? 1e12 : 0) +
			       (number_of(target, "unanswered_count") > 0 ? 1e13 : 0) +
			       or_zero(rate(top, row, "queries"));
	}
	sort_rows(section);
}

static void fill_rules(const struct top *top, struct top_section *section)
{
	const json_t *unanswered = json_object_get(top->status, "unanswered"), *name;
	json_int_t count = number_of(unanswered, "count");
	size_t i;

	json_array_foreach(json_object_get(unanswered, "rules"), i, name)
	{
		struct top_row *cells = add_row(section);

		set_cell(cells, 0, json_string_value(name));
		cells->mood = BAD;
	}
	section->more = (size_t)count > section->count ? (size_t)count - section->count : 0;
}

static void fill_events(const struct top *top, struct top_section *section)
{
	const json_t *event;
	size_t i;

	json_array_foreach(top->events, i, event)
	{
		struct top_row *cells = add_row(section);
		const char *time = text_of(event, "time"), *level = text_of(event, "level");

		if (time && strlen(time) == TIME_LENGTH)
			print_cell(cells, 0, "%.5s %s", time + 5, time + 11);
		else
			set_cell(cells, 0, time);
		set_cell(cells, 1, text_of(event, "event"));
		set_cell(cells, 2, text_of(event, "text"));
		if (level && strcmp(level, "info") != 0)
			cells->mood = strcmp(level, "error") == 0 ? BAD : WARN;
	}
	section->newest = true;
}

/* In the order of the page. */
static const struct top_view {
	char key;
	const char *name;
	const char *titles[COLUMNS_MAX];
	void (*fill)(const struct top *top, struct top_section *section);
	size_t usual; /* maximum of lines beside other sections */
} views[] = {
	{'r', "rules", {"RULES THAT CANNOT BE ANSWERED"}, fill_rules, 5},
	{'t',
	 "targets",
	 {"TARGET", ">RTT MS", ">Q/S", ">FAILED/S", ">RULES", "STATE"},
	 fill_targets,
	 10},
	{'n', "endpoints", {"ENDPOINT", ">Q/S", ">SERVFAIL/S", ">OVER LIMIT/S"}, fill_endpoints, 6},
	{'s', "sources", {"ANSWERS", ">PER S", ">SHARE", ">P50 MS", ">P99 MS"}, fill_sources, 4},
	{'d', "deciders", {"DECIDED BY", ">Q/S"}, fill_classes, 5},
	{'e', "events", {"EVENTS", "", ""}, fill_events, 6},
};
enum { VIEWS = COUNT(views), OVERVIEW = VIEWS };
/* The order in which sections leave a page that is too short: deciders, sources, endpoints, events
 * ... */
static const size_t leaves[VIEWS] = {4, 3, 2, 5, 1, 0};

/* ---- the page as a whole ---- */

static void put_head(struct top_page *page, const struct top *top)
{
	json_int_t up_s = number_of(top->status, "uptime_s");
	const char *version = text_of(top->status, "version");

	put_line(page, TITLE,
		 "sluice %s, up %" JSON_INTEGER_FORMAT " d %02d:%02d:%02d, "
		 "generation %" JSON_INTEGER_FORMAT ", rates of the last %u s",
		 version ? version : "", up_s / 86400, (int)(up_s / 3600 % 24),
		 (int)(up_s / 60 % 60), (int)(up_s % 60), number_of(top->status, "generation"),
		 top->seconds);
}

static void put_judgement(struct top_page *page, const struct top *top)
{
	const json_t *judgement = json_object_get(top->status, "judgement"), *text;
	const char *waits = text_of(json_object_get(top->status, "unconfirmed"), "text");
	bool good = json_is_true(json_object_get(judgement, "good"));
	size_t i;

	json_array_foreach(json_object_get(judgement, "texts"), i, text)
	{
		if (json_is_string(text))
			put_sentence(page, good ? GOOD : BAD, json_string_value(text));
	}
	json_array_foreach(json_object_get(judgement, "notes"), i, text)
	{
		if (json_is_string(text))
			put_sentence(page, WARN, json_string_value(text));
	}
	if (waits)
		put_sentence(page, WARN, waits);
}

static double sum_of(const struct top *top, const char *list, const char *key)
{
	const json_t *row;
	double sum = 0;
	size_t i;

	json_array_foreach(json_object_get(top->history, list), i, row) sum +=
		or_zero(rate(top, row, key));
	return sum;
}

static void put_figures(struct top_page *page, const struct top *top)
{
	const json_t *cache = json_object_get(top->status, "cache");
	json_int_t hits = number_of(cache, "hits"), asked = hits + number_of(cache, "misses");
	double queries = sum_of(top, "endpoints", "queries");
	double responses = sum_of(top, "endpoints", "responses");
	double servfail = sum_of(top, "endpoints", "servfail");
	double over = sum_of(top, "endpoints", "over_limit");
	char text[32], shares[96] = "", limit[64] = "";

	if (servfail > 0 && responses > 0)
		snprintf(shares, sizeof shares, ", SERVFAIL %.1f %%", 100 * servfail / responses);
	if (over > 0)
		snprintf(limit, sizeof limit, ", %.0f over the limit", over);
	put_line(page, PLAIN,
		 "%s queries/s%s%s; cache: %" JSON_INTEGER_FORMAT
		 " answer%s, %.1f MB, %.0f %% hits",
		 rate_text(queries, text), shares, limit, number_of(cache, "entries"),
		 text_plural(number_of(cache, "entries"), "", "s"),
		 (double)number_of(cache, "bytes") / 1e6,
		 asked > 0 ? 100 * (double)hits / (double)asked : 0.0);
}

/* Counts the line of titles, and perhaps a blank one before it. */
static size_t lines_of(const struct top_section *section, bool airy)
{
	return section->shown > 0 ? section->shown + 1 + airy : 0;
}

static size_t lines_of_all(const struct top_section sections[VIEWS], bool airy, size_t *largest)
{
	size_t all = 0;

	*largest = 0;
	for (size_t i = 0; i < VIEWS; i++) {
		all += lines_of(&sections[i], airy);
		if (sections[i].shown > sections[*largest].shown)
			*largest = i;
	}
	return all;
}

/* Until all lines fit, takes rows of the largest section while it has more than ROWS_AIRY, then the
 * blank lines, then rows of the largest section while it has more than ROWS_MIN, then whole
 * sections, the least important first. Returns whether blank lines are left. */
static bool share_lines(struct top_section sections[VIEWS], unsigned lines)
{
	bool airy = true;
	size_t largest, next = 0;

	while (lines_of_all(sections, airy, &largest) > lines) {
		if (sections[largest].shown > (airy ? ROWS_AIRY : ROWS_MIN))
			sections[largest].shown--;
		else if (airy)
			airy = false;
		else if (next < VIEWS)
			sections[leaves[next++]].shown = 0;
		else
			break;
	}
	return airy;
}

static void put_sections(struct top_page *page, const struct top *top, size_t view)
{
	struct top_section sections[VIEWS] = {{.rows = NULL}};
	bool airy;

	for (size_t i = 0; i < VIEWS; i++) {
		if (view != OVERVIEW && view != i)
			continue;
		memcpy(sections[i].titles, views[i].titles, sizeof sections[i].titles);
		views[i].fill(top, &sections[i]);
		sections[i].shown = sections[i].count;
		if (view == OVERVIEW && sections[i].shown > views[i].usual)
			sections[i].shown = views[i].usual;
	}
	airy = share_lines(sections, page->lines);
	for (size_t i = 0; i < VIEWS; i++) {
		put_section(page, &sections[i], airy);
		free(sections[i].rows);
	}
	if (view != OVERVIEW && sections[view].count == 0) {
		put_line(page, PLAIN, "%s", "");
		put_line(page, PLAIN, "%s: none", views[view].titles[0]);
	}
}

static void put_keys(struct top_page *page, size_t view)
{
	char text[256] = "q quit  o all";

	for (size_t i = 0; i < VIEWS; i++)
		text_append(text, sizeof text, "  %c %s%s", views[i].key, views[i].name,
			    view == i ? "*" : "");
	put_line(page, SOFT, "%s", text);
}

/* The terminal's size, or the usual one if it is not known. */
static void measure(struct top_page *page)
{
	struct winsize size = {.ws_col = 0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
		size = (struct winsize){.ws_col = 80, .ws_row = 24};
	page->width = size.ws_col > WIDTH_MIN ? size.ws_col : WIDTH_MIN;
	page->lines = size.ws_row > HEIGHT_MIN ? size.ws_row : HEIGHT_MIN;
}

/* Writes the page in one piece, so that nobody sees half of it. */
static void draw(const struct top *top, size_t view)
{
	char *text = NULL;
	const char *no_colour = getenv("NO_COLOR");
	size_t length;
	struct top_page page = {.out = open_memstream(&text, &length),
				.live = true,
				.colour = !no_colour || !*no_colour};

	if (!page.out)
		return;
	measure(&page);
	fputs("\x1b[H", page.out);
	page.lines--; /* the last line has the keys */
	put_head(&page, top);
	put_judgement(&page, top);
	put_figures(&page, top);
	put_sections(&page, top, view);
	while (page.lines > 0)
		put_line(&page, PLAIN, "%s", "");
	page.lines = 1;
	fputc('\n', page.out);
	put_keys(&page, view);
	if (fclose(page.out) == 0 && text)
		put(text);
	free(text);
}

static void print(const struct top *top)
{
	struct top_page page = {.out = stdout, .width = UINT_MAX / 4, .lines = UINT_MAX};

	put_head(&page, top);
	put_judgement(&page, top);
	put_figures(&page, top);
	put_sections(&page, top, OVERVIEW);
}

/* ---- the command ---- */

/* Waits for a key, at most until the time; returns it. 0: the time is up, or a signal came; -1: the
 * terminal is gone. */
static int wait_key(uint64_t until_ms, const sigset_t *while_waiting)
{
	struct pollfd keys = {.fd = STDIN_FILENO, .events = POLLIN};
	struct timespec now, rest;
	uint64_t now_ms, left_ms;
	unsigned char key;
	ssize_t got;

	clock_gettime(CLOCK_MONOTONIC, &now);
	now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	left_ms = until_ms > now_ms ? until_ms - now_ms : 0;
	rest = (struct timespec){.tv_sec = (time_t)(left_ms / 1000),
				 .tv_nsec = (long)(left_ms % 1000) * 1000000};
	if (ppoll(&keys, 1, &rest, while_waiting) <= 0)
		return 0;
	got = read(STDIN_FILENO, &key, 1);
	if (got == 1)
		return key;
	return got == 0 || errno != EINTR ? -1 : 0;
}

static uint64_t after_ms(double seconds)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 +
	       (uint64_t)(seconds * 1000);
}

static bool show_pages(const struct top *top, size_t *view, const sigset_t *while_waiting)
{
	uint64_t until_ms = after_ms(top->interval_s);
	int key;

	for (;;) {
		resized = 0;
		draw(top, *view);
		key = wait_key(until_ms, while_waiting);
		if (key < 0 || key == 'q')
			return false;
		if (key == 'o')
			*view = OVERVIEW;
		for (size_t i = 0; i < VIEWS; i++)
			if (key == views[i].key)
				*view = i;
		if (key == 0 && !resized)
			return true;
	}
}

/* Shows the page until the next look is due. False: a key ends it, or the terminal is gone.
 *
 * SIGTSTP takes effect only during the wait for a key, because after a suspension between the page
 * and the wait nothing would draw the page again. While the server is asked SIGTSTP is not blocked:
 * the answer may take long, and the next page is drawn after it. */
static bool show(const struct top *top, size_t *view, const sigset_t *while_waiting)
{
	sigset_t suspension;
	bool goes_on;

	sigemptyset(&suspension);
	sigaddset(&suspension, SIGTSTP);
	sigprocmask(SIG_BLOCK, &suspension, NULL);
	goes_on = show_pages(top, view, while_waiting);
	sigprocmask(SIG_UNBLOCK, &suspension, NULL);
	return goes_on;
}

static int show_live(struct top *top)
{
	size_t view = OVERVIEW;
	sigset_t while_waiting;
	bool goes_on = true;

	follow_signals(&while_waiting);
	change_terminal(take_terminal);
	while (goes_on && show(top, &view, &while_waiting))
		goes_on = look(top) || top->is_busy;
	change_terminal(give_terminal_back);
	return goes_on ? EXIT_SUCCESS : command_fail_at(top->line, "%s", top->error);
}

static bool is_terminal(void)
{
	const char *kind = getenv("TERM");

	return kind && *kind && strcmp(kind, "dumb") != 0 && isatty(STDOUT_FILENO) &&
	       tcgetattr(STDIN_FILENO, &terminal.before) == 0;
}

static bool read_interval(const char *text, double *interval_s)
{
	char *end;

	*interval_s = 1;
	if (!text)
		return true;
	*interval_s = strtod(text, &end);
	return end != text && *end == '\0' && *interval_s >= 0.1 && *interval_s <= INTERVAL_MAX_S;
}

int command_top(const struct command_line *line)
{
	struct top top = {.line = line};
	bool live = !line->once && is_terminal();
	int status = EXIT_FAILURE;

	if (!read_interval(line->interval, &top.interval_s))
		return command_misuse(line, "\"%s\" is not an interval; give seconds, 0.1 to %d",
				      line->interval, INTERVAL_MAX_S);
	if (!client_socket_path(line, top.socket))
		return EXIT_FAILURE;
	top.seconds = live ? (unsigned)ceil(top.interval_s) : ONCE_S;
	top.events = json_array();
	if (!look(&top)) {
		command_fail_at(line, "%s", top.error);
	} else if (live) {
		status = show_live(&top);
	} else {
		print(&top);
		status = EXIT_SUCCESS;
	}
	json_decref(top.status);
	json_decref(top.history);
	json_decref(top.events);
	return status;
}
