/* What a master and a server say to each other: whole messages with their descriptors, or none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "resolver/control/process/master_wire.h"

static int ends[2];

static int set_up(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
}

static int tear_down(void **state)
{
	(void)state;
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static void what_is_sent_is_heard_with_its_descriptors(void **state)
{
	(void)state;
	int sent[MASTER_FDS_MAX];
	struct master_message message = {.word = MASTER_OPEN, .kind = MASTER_HTTP, .number = 7},
			      heard;
	struct master_fds fds;
	for (unsigned i = 0; i < MASTER_FDS_MAX; i++)
		sent[i] = ends[0];
	memset(message.text, 'x', sizeof message.text - 1);
	assert_int_equal(master_receive(ends[1], &heard, &fds), ERR_NOT_FOUND);
	assert_int_equal(master_send(ends[0], &message, sent, MASTER_FDS_MAX), 0);
	assert_int_equal(master_receive(ends[1], &heard, &fds), 0);
	assert_int_equal(heard.word, MASTER_OPEN);
	assert_int_equal(heard.kind, MASTER_HTTP);
	assert_int_equal(heard.number, 7);
	assert_string_equal(heard.text, message.text);
	assert_int_equal(fds.count, MASTER_FDS_MAX);
	assert_int_equal(fcntl(fds.fds[0], F_GETFD), FD_CLOEXEC);
	master_fds_close(&fds);
}

static void one_that_has_hung_up_is_told(void **state)
{
	(void)state;
	struct master_message message = {.word = MASTER_QUIET};
	struct master_fds fds;
	close(ends[0]);
	assert_int_equal(master_receive(ends[1], &message, &fds), ERR_SYSTEM);
	assert_int_equal(master_send(ends[1], &message, NULL, 0), ERR_SYSTEM);
	ends[0] = -1;
}

static void nonsense_is_no_message(void **state)
{
	(void)state;
	struct master_message message = {.word = MASTER_QUIET, .text = "x"}, heard;
	struct master_fds fds;
	const size_t head = offsetof(struct master_message, text);
	const size_t lengths[] = {1, head - 1, head, head + 1, sizeof message};
	message.protocol = MASTER_PROTOCOL;
	memset(message.text, 'x', sizeof message.text);
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		assert_int_equal(send(ends[0], &message, lengths[i], 0), lengths[i]);
		assert_int_equal(master_receive(ends[1], &heard, &fds), ERR_SYSTEM);
	}
	message.text[0] = '\0';
	message.protocol = MASTER_PROTOCOL + 1;
	assert_int_equal(send(ends[0], &message, head + 1, 0), head + 1);
	assert_int_equal(master_receive(ends[1], &heard, &fds), ERR_SYSTEM);
	message.protocol = MASTER_PROTOCOL;
	message.group_count = MASTER_GROUPS_MAX + 1;
	assert_int_equal(send(ends[0], &message, head + 1, 0), head + 1);
	assert_int_equal(master_receive(ends[1], &heard, &fds), ERR_SYSTEM);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_sent_is_heard_with_its_descriptors),
		TEST(one_that_has_hung_up_is_told),
		TEST(nonsense_is_no_message),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
