/* A server's requests to its master, when other messages and late answers come between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resolver/control/process/master_link.h"

#define NAME "http://127.0.0.1:8053"

struct fixture {
	uv_loop_t loop;
	struct master_link link;
	int master;  /* the master's end */
	int pipe[2]; /* what the master sends a copy of */
	unsigned heard[MASTER_HURRY + 1];
};

/* The master says it before it is asked, which makes no difference to the link. */
static void say(const struct fixture *f, enum master_word word, const char *text, unsigned count)
{
	struct master_message message = {.word = word};
	int fds[3] = {f->pipe[0], f->pipe[0], f->pipe[0]};

	snprintf(message.text, sizeof message.text, "%s", text);
	assert_int_equal(master_send(f->master, &message, fds, count), 0);
}

static void on_word(void *context, const struct master_message *message, int fd)
{
	struct fixture *f = context;

	f->heard[message->word]++;
	if (fd >= 0)
		close(fd);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(pipe(f->pipe), 0);
	f->master = ends[0];
	say(f, MASTER_START, "", 0);
	assert_int_equal(master_link_init(&f->link, ends[1]), 0);
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(master_link_follow(&f->link, &f->loop, on_word, f), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	uv_close((uv_handle_t *)&f->link.poll, NULL);
	uv_close((uv_handle_t *)&f->link.again, NULL);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	close(f->link.fd);
	close(f->master);
	close(f->pipe[0]);
	close(f->pipe[1]);
	free(f);
	return 0;
}

/* Whether nobody but the fixture has the pipe's end for reading. */
static bool is_closed(struct fixture *f)
{
	close(f->pipe[0]);
	bool closed = write(f->pipe[1], "x", 1) < 0;
	f->pipe[0] = -1;
	return closed;
}

static void open_name(struct fixture *f)
{
	char error[MASTER_LINK_ERROR_MAX];
	struct stat st;
	int fd = -1;

	assert_int_equal(master_link_open(&f->link, MASTER_HTTP, NAME, &fd, error), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	close(fd);
}

static void sockets_of_an_earlier_request_are_not_taken(void **state)
{
	struct fixture *f = *state;

	say(f, MASTER_SOCKETS, "127.0.0.1:53", 3);
	say(f, MASTER_SOCKETS, NAME, 1);
	open_name(f);
	say(f, MASTER_SOCKETS, "", 1); /* of an older master */
	open_name(f);
	assert_true(is_closed(f));
}

static void say_fault(const struct fixture *f, uint32_t mark, const char *text)
{
	struct master_message message = {.word = MASTER_FAULT, .number = mark};

	snprintf(message.text, sizeof message.text, "%s", text);
	assert_int_equal(master_send(f->master, &message, NULL, 0), 0);
}

static void a_fault_of_an_earlier_request_is_not_taken(void **state)
{
	struct fixture *f = *state;
	char error[MASTER_LINK_ERROR_MAX];
	int fd;

	assert_int_equal(master_name_mark("127.0.0.1:53"), 0x87f5a0e9); /* in all versions */
	say_fault(f, master_name_mark("127.0.0.1:53"), "of another name");
	say(f, MASTER_SOCKETS, NAME, 1);
	open_name(f);
	say_fault(f, master_name_mark("127.0.0.1:53"), "of another name");
	say_fault(f, master_name_mark(NAME), "of this name");
	assert_int_not_equal(master_link_open(&f->link, MASTER_HTTP, NAME, &fd, error), 0);
	assert_string_equal(error, "of this name");
	say_fault(f, 0, "of an older master");
	assert_int_not_equal(master_link_open(&f->link, MASTER_HTTP, NAME, &fd, error), 0);
	assert_string_equal(error, "of an older master");
}

static void sockets_that_come_when_nobody_waits_are_closed(void **state)
{
	struct fixture *f = *state;

	say(f, MASTER_SOCKETS, NAME, 3);
	say(f, MASTER_STATE, "", 1);
	while (f->heard[MASTER_STATE] == 0)
		uv_run(&f->loop, UV_RUN_ONCE);
	assert_true(is_closed(f));
}

static void what_comes_during_a_request_is_heard_afterwards(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < MASTER_LINK_KEPT_MAX + 2; i++)
		say(f, MASTER_DRAIN, "", 1);
	say(f, MASTER_SOCKETS, NAME, 1);
	open_name(f);
	assert_int_equal(f->heard[MASTER_DRAIN], 0);
	while (f->heard[MASTER_DRAIN] < MASTER_LINK_KEPT_MAX)
		uv_run(&f->loop, UV_RUN_ONCE);
	assert_int_equal(f->heard[MASTER_DRAIN], MASTER_LINK_KEPT_MAX); /* more are logged */
	assert_true(is_closed(f));
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(sockets_of_an_earlier_request_are_not_taken),
		T(a_fault_of_an_earlier_request_is_not_taken),
		T(sockets_that_come_when_nobody_waits_are_closed),
		T(what_comes_during_a_request_is_heard_afterwards),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
