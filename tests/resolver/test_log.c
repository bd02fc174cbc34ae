/* Log lines as they arrive at stderr: their three forms, and that no text can make two of one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "resolver/log.h"

static FILE *captured;
static int real_stderr;
static char text[16384];

static int begin_capture(void **state)
{
	(void)state;
	captured = tmpfile();
	real_stderr = dup(STDERR_FILENO);
	return captured && real_stderr >= 0 && dup2(fileno(captured), STDERR_FILENO) >= 0 ? 0 : -1;
}

static int end_capture(void **state)
{
	(void)state;
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	fclose(captured);
	log_configure(LOG_INFO, LOG_TEXT);
	return 0;
}

/* What has been written since the start of the test. */
static const char *written(void)
{
	ssize_t length = pread(fileno(captured), text, sizeof text - 1, 0);
	text[length > 0 ? length : 0] = '\0';
	return text;
}

static unsigned lines(const char *at)
{
	unsigned count = 0;
	while ((at = strchr(at, '\n'))) {
		count++;
		at++;
	}
	return count;
}

static void a_line_has_time_level_event_and_text(void **state)
{
	(void)state;
	int year, month, day, hour, minute, second, ms, end = 0;
	log_configure(LOG_INFO, LOG_TEXT);
	log_event(LOG_WARNING, "reload", "%d things", 3);
	assert_int_equal(sscanf(written(), "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &year, &month, &day,
				&hour, &minute, &second, &ms, &end),
			 7);
	assert_string_equal(text + end, " warning reload: 3 things\n");
}

static void what_is_below_the_level_is_not_written(void **state)
{
	(void)state;
	log_configure(LOG_WARNING, LOG_TEXT);
	log_event(LOG_INFO, "a", "no");
	log_event(LOG_DEBUG, "b", "no");
	assert_string_equal(written(), "");
	log_event(LOG_WARNING, "c", "yes");
	log_event(LOG_ERROR, "d", "yes");
	assert_int_equal(lines(written()), 2);
}

/* There is nowhere to complain; and when there is room again, there are lines again. */
static void a_full_disk_takes_no_line_and_stops_nothing(void **state)
{
	(void)state;
	int full = open("/dev/full", O_WRONLY);
	assert_true(full >= 0);
	log_configure(LOG_INFO, LOG_TEXT);
	assert_int_equal(dup2(full, STDERR_FILENO), STDERR_FILENO);
	close(full);
	for (unsigned i = 0; i < 100; i++)
		log_event(LOG_ERROR, "a", "lost");
	assert_int_equal(dup2(fileno(captured), STDERR_FILENO), STDERR_FILENO);
	log_event(LOG_ERROR, "b", "kept");
	assert_int_equal(lines(written()), 1);
	assert_non_null(strstr(text, " error b: kept\n"));
}

static void the_journal_gets_priorities_and_no_time(void **state)
{
	(void)state;
	log_configure(LOG_DEBUG, LOG_JOURNAL);
	log_event(LOG_ERROR, "a", "one");
	log_event(LOG_WARNING, "a", "two");
	log_event(LOG_INFO, "a", "three");
	log_event(LOG_DEBUG, "a", "four");
	assert_string_equal(written(), "<3>a: one\n<4>a: two\n<6>a: three\n<7>a: four\n");
}

static void auto_is_the_journal_only_when_stderr_is_its_stream(void **state)
{
	(void)state;
	struct stat st;
	char stream[64];
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_configure(LOG_INFO, LOG_AUTO);
	log_event(LOG_INFO, "a", "one");
	assert_string_equal(written(), "<6>a: one\n");

	snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino + 1);
	setenv("JOURNAL_STREAM", stream, 1);
	log_configure(LOG_INFO, LOG_AUTO);
	log_event(LOG_INFO, "a", "two");
	unsetenv("JOURNAL_STREAM");
	assert_non_null(strstr(written(), "Z info a: two\n"));
}

static void a_json_line_gives_back_the_text_exactly(void **state)
{
	(void)state;
	const char *said = "a \"quote\", a \\ and\ttab\nnewline \x01 caf\xc3\xa9 \xf0\x9f\x8c\x8a";
	log_configure(LOG_INFO, LOG_JSON);
	log_event(LOG_ERROR, "zone", "%s", said);
	assert_int_equal(lines(written()), 1);
	json_t *line = json_loads(text, 0, NULL);
	assert_non_null(line);
	assert_string_equal(json_string_value(json_object_get(line, "text")), said);
	assert_string_equal(json_string_value(json_object_get(line, "level")), "error");
	assert_string_equal(json_string_value(json_object_get(line, "event")), "zone");
	assert_int_equal(json_string_length(json_object_get(line, "time")), 24);
	json_decref(line);
}

static void a_json_line_of_bytes_that_are_not_utf8_still_parses(void **state)
{
	(void)state;
	static const char *const bad[] = {"\xff",
					  "\xc0\x80",
					  "\xc3",
					  "\xe0\x80\x80",
					  "\xed\xa0\x80",
					  "\xf4\x90\x80\x80",
					  "\xc2\x9b"
					  "31m",
					  "\x80",
					  "\xf0\x9f\x8c",
					  "\xf8\x88\x80\x80\x80"};
	log_configure(LOG_INFO, LOG_JSON);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		log_event(LOG_INFO, "x", "%s!", bad[i]);
	written();
	unsigned parsed = 0;
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		json_t *json = json_loads(line, 0, NULL);
		assert_non_null(json);
		json_decref(json);
		parsed++;
	}
	assert_int_equal(parsed, sizeof bad / sizeof *bad);
}

static void control_characters_cannot_forge_a_line(void **state)
{
	(void)state;
	log_configure(LOG_INFO, LOG_JOURNAL);
	log_event(LOG_INFO, "x", "%s", "one\n<0>two\r\x1b[2J\x7f\xc2\x9b\u202e\xff");
	assert_string_equal(written(),
			    "<6>x: one\\x0a<0>two\\x0d\\x1b[2J\\x7f\\u{9b}\\u{202e}\\xff\n");
}

static void a_line_that_is_too_long_is_cut_and_still_a_line(void **state)
{
	(void)state;
	static char longer[9000];
	memset(longer, '"', sizeof longer - 1);
	log_configure(LOG_INFO, LOG_JOURNAL);
	log_event(LOG_INFO, "x", "%s", longer);
	size_t length = strlen(written());
	assert_in_range(length, 3000, 4096);
	assert_string_equal(text + length - 4, "...\n");
	assert_int_equal(ftruncate(fileno(captured), 0), 0);
	lseek(fileno(captured), 0, SEEK_SET);

	log_configure(LOG_INFO, LOG_JSON);
	log_event(LOG_INFO, "x", "%s", longer);
	assert_in_range(strlen(written()), 3000, 4096);
	json_t *line = json_loads(text, 0, NULL);
	assert_non_null(line);
	json_decref(line);
}

static char heard[9000], heard_by_readers[9000];

static void on_line(enum log_level level, const char *event, const char *line, const char *shown)
{
	(void)level;
	(void)event;
	snprintf(heard, sizeof heard, "%s", line);
	snprintf(heard_by_readers, sizeof heard_by_readers, "%s", shown ? shown : "(nothing)");
}

static void who_listens_gets_all_of_a_line_that_is_too_long(void **state)
{
	(void)state;
	static char longer[9000];
	memset(longer, 'x', sizeof longer - 1);
	log_listen(on_line);
	log_event(LOG_INFO, "x", "%s", longer);
	log_listen(NULL);
	assert_string_equal(heard, longer);
	assert_string_equal(heard_by_readers, longer);
}

static void readers_hear_what_is_for_them_and_the_log_has_it_all(void **state)
{
	(void)state;
	struct faults faults;
	const struct origin client = {.path = "management.clients[carol]"};
	log_configure(LOG_INFO, LOG_JOURNAL);
	log_listen(on_line);
	log_event_guarded(LOG_INFO, "x", "one", "one by %s", "carol");
	assert_string_equal(heard, "one by carol");
	assert_string_equal(heard_by_readers, "one");
	log_event_guarded(LOG_INFO, "x", NULL, "carol is gone");
	assert_string_equal(heard_by_readers, "(nothing)");
	faults_init(&faults);
	fault_add(&faults, FAULT_ERROR, &client, "role", "is wrong");
	log_faults("x", &faults);
	faults_release(&faults);
	log_listen(NULL);
	assert_string_equal(heard, "management.clients[carol].role: is wrong");
	assert_string_equal(heard_by_readers, "(nothing)");
	assert_string_equal(written(), "<6>x: one by carol\n"
				       "<6>x: carol is gone\n"
				       "<3>x: management.clients[carol].role: is wrong\n");
}

static void every_fault_is_a_line_with_its_place_and_level(void **state)
{
	(void)state;
	struct faults faults;
	const struct origin whole = {.file = "f.conf", .line = 7, .path = "a.b"},
			    file = {.file = "f.conf"}, none = {0};
	faults_init(&faults);
	fault_add(&faults, FAULT_ERROR, &whole, "c", "is wrong");
	fault_add(&faults, FAULT_WARNING, &file, NULL, "is odd");
	fault_add(&faults, FAULT_ERROR, &none, NULL, "is %s", "nowhere");
	log_configure(LOG_INFO, LOG_JOURNAL);
	log_faults("load", &faults);
	faults_release(&faults);
	assert_string_equal(written(), "<3>load: f.conf:7: a.b.c: is wrong\n"
				       "<4>load: f.conf: is odd\n"
				       "<3>load: is nowhere\n");
}

/* ---- a reader that does not read ---- */

enum { MANY = 2000, LONG = 900 }; /* lines, and bytes of each: more than there is room for */

static void count_waiting(void *context)
{
	unsigned *count = context;

	++*count;
}

/* Reads all until no line waits; returns how many bytes. */
static size_t read_all(int fd, char *all, size_t size)
{
	size_t length = 0;
	ssize_t got;

	for (bool done = false; !done;) {
		done = log_go_on();
		while ((got = read(fd, all + length, size - 1 - length)) > 0)
			length += (size_t)got;
	}
	all[length] = '\0';
	return length;
}

static void log_many(int reader, int writer)
{
	static char all[MANY * (LONG + 100)], longer[LONG];
	unsigned waiting = 0, kept = 0, lost = 0;
	char *line = all;

	memset(longer, 'x', sizeof longer - 1);
	assert_int_equal(dup2(writer, STDERR_FILENO), STDERR_FILENO);
	close(writer);
	log_configure(LOG_INFO, LOG_JOURNAL);
	log_never_wait();
	log_on_waiting(count_waiting, &waiting);
	alarm(300); /* ends a test that waits */
	for (unsigned i = 0; i < MANY; i++)
		log_event(LOG_INFO, "a", "%u %s", i, longer);
	alarm(0);
	log_on_waiting(NULL, NULL);
	assert_int_equal(waiting, 1);
	assert_false(log_go_on());
	log_rest(1);
	assert_false(log_go_on());
	assert_int_equal(fcntl(reader, F_SETFL, O_NONBLOCK), 0);
	read_all(reader, all, sizeof all);
	for (char *end; (end = strchr(line, '\n')); line = end + 1) {
		unsigned number;

		*end = '\0';
		if (sscanf(line, "<6>a: %u", &number) == 1)
			assert_int_equal(number, kept++);
		else
			assert_int_equal(sscanf(line, "<4>log: %u lines were lost", &lost), 1);
	}
	assert_true(lost > 0);
	assert_int_equal(kept + lost, MANY);
	log_event(LOG_INFO, "a", "again");
	read_all(reader, all, sizeof all);
	assert_string_equal(all, "<6>a: again\n");
	close(reader);
}

static void a_full_pipe_stops_nobody_and_what_is_lost_is_counted(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	log_many(fds[0], fds[1]);
}

static void a_full_socket_stops_nobody_either(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	log_many(fds[0], fds[1]);
}

/* Opens a terminal that shows what is written as it is. Returns the end that people look at. */
static int open_terminal(void)
{
	int reader = posix_openpt(O_RDWR | O_NOCTTY), writer;
	struct termios raw;

	assert_true(reader >= 0 && grantpt(reader) == 0 && unlockpt(reader) == 0);
	writer = open(ptsname(reader), O_RDWR | O_NOCTTY);
	assert_int_equal(tcgetattr(writer, &raw), 0);
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(writer, TCSANOW, &raw), 0);
	assert_int_equal(dup2(writer, STDERR_FILENO), STDERR_FILENO);
	close(writer);
	return reader;
}

/* It freezes in the middle of a line, and shows everything once it goes on. */
static void a_frozen_terminal_stops_nobody_either(void **state)
{
	enum { SHORT = 20 };
	static char expected[MANY * 200], shown[sizeof expected];
	int reader = open_terminal();
	size_t length = 0, size = 0;

	(void)state;
	log_configure(LOG_INFO, LOG_JOURNAL);
	log_never_wait();
	alarm(300); /* ends a test that waits */
	for (unsigned i = 0; i < MANY; i++) {
		length += (size_t)snprintf(expected + length, sizeof expected - length,
					   "<6>a: %0*u\n", SHORT + i % 100, i);
		log_event(LOG_INFO, "a", "%0*u", SHORT + i % 100, i);
	}
	assert_false(log_go_on());
	while (size < length) {
		ssize_t got = read(reader, shown + size, length - size);

		assert_true(got > 0);
		size += (size_t)got;
		log_go_on();
	}
	alarm(0);
	assert_memory_equal(shown, expected, length);
	close(reader);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_capture, end_capture)
	const struct CMUnitTest tests[] = {
		TEST(a_line_has_time_level_event_and_text),
		TEST(what_is_below_the_level_is_not_written),
		TEST(a_full_disk_takes_no_line_and_stops_nothing),
		TEST(the_journal_gets_priorities_and_no_time),
		TEST(auto_is_the_journal_only_when_stderr_is_its_stream),
		TEST(a_json_line_gives_back_the_text_exactly),
		TEST(a_json_line_of_bytes_that_are_not_utf8_still_parses),
		TEST(control_characters_cannot_forge_a_line),
		TEST(a_line_that_is_too_long_is_cut_and_still_a_line),
		TEST(who_listens_gets_all_of_a_line_that_is_too_long),
		TEST(readers_hear_what_is_for_them_and_the_log_has_it_all),
		TEST(every_fault_is_a_line_with_its_place_and_level),
		/* The last ones: from here on no line waits. */
		TEST(a_full_pipe_stops_nobody_and_what_is_lost_is_counted),
		TEST(a_full_socket_stops_nobody_either),
		TEST(a_frozen_terminal_stops_nobody_either),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
