/* Messages of an upgrade on a pair of sockets: whole with their descriptors, or none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resolver/control/json.h"
#include "resolver/control/upgrade_wire.h"

static int pair[2];

static int open_pair(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair);
}

static int close_pair(void **state)
{
	(void)state;
	close(pair[0]);
	close(pair[1]);
	return 0;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void more_descriptors_than_a_message_may_have_are_closed(void **state)
{
	(void)state;
	enum { MANY = UPGRADE_FDS_MAX + 1 };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(MANY * sizeof(int))];
	} control = {0};
	char text[] = "{}";
	struct iovec vector = {text, 2};
	struct msghdr header = {.msg_iov = &vector,
				.msg_iovlen = 1,
				.msg_control = &control,
				.msg_controllen = sizeof control};
	struct cmsghdr *part = CMSG_FIRSTHDR(&header);
	struct upgrade_fds got;
	bool ended;

	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SCM_RIGHTS;
	part->cmsg_len = CMSG_LEN(MANY * sizeof(int));
	for (size_t i = 0; i < MANY; i++)
		memcpy(CMSG_DATA(part) + i * sizeof(int), &pair[0], sizeof(int));
	int next = dup(pair[0]); /* the lowest that is free */
	close(next);
	assert_int_equal(sendmsg(pair[0], &header, 0), 2);
	assert_null(upgrade_receive(pair[1], &got, &ended));
	assert_int_equal(got.count, 0);
	for (int i = 0; i < MANY; i++)
		assert_false(is_open(next + i));
}

static void a_message_arrives_with_its_descriptors_in_order(void **state)
{
	(void)state;
	int pipes[2];
	struct stat sent, received;
	bool ended;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	struct upgrade_fds fds = {{pipes[0], pair[0], pipes[1]}, 3}, got;
	assert_int_equal(upgrade_send(pair[0], json_make("{s:s}", "kind", "dns"), &fds), 0);
	json_t *message = upgrade_receive(pair[1], &got, &ended);
	assert_non_null(message);
	assert_string_equal(json_string_value(json_object_get(message, "kind")), "dns");
	assert_int_equal(got.count, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_not_equal(got.fds[i], fds.fds[i]);
		assert_true(fcntl(got.fds[i], F_GETFD) & FD_CLOEXEC);
		assert_int_equal(fstat(fds.fds[i], &sent), 0);
		assert_int_equal(fstat(got.fds[i], &received), 0);
		assert_int_equal(sent.st_ino, received.st_ino);
	}
	json_decref(message);
	int kept = got.fds[0];
	upgrade_fds_close(&got);
	assert_false(is_open(kept));
	close(pipes[0]);
	close(pipes[1]);
}

static void an_end_is_told_from_nonsense(void **state)
{
	(void)state;
	struct upgrade_fds got;
	bool ended;
	assert_int_equal(write(pair[0], "[1]", 3), 3);
	assert_null(upgrade_receive(pair[1], &got, &ended));
	assert_false(ended);
	assert_null(upgrade_receive(pair[1], &got, &ended)); /* nothing is there */
	assert_false(ended);
	close(pair[0]);
	assert_null(upgrade_receive(pair[1], &got, &ended));
	assert_true(ended);
	pair[0] = dup(pair[1]);
}

/* The other end says why not, with what it was asked unread, and hangs up. */
static void refuse_and_hang_up(void)
{
	assert_int_equal(upgrade_send(pair[1], json_make("{s:s}", "want", "serving"), NULL), 0);
	assert_int_equal(upgrade_send(pair[0], json_make("{s:s}", "error", "too late"), NULL), 0);
	close(pair[0]);
}

static void check_refusal_is_read(void)
{
	struct upgrade_fds got;
	bool ended;
	json_t *message = upgrade_receive(pair[1], &got, &ended);
	assert_string_equal(json_string_value(json_object_get(message, "error")), "too late");
	json_decref(message);
	assert_null(upgrade_receive(pair[1], &got, &ended));
	assert_true(ended);
	pair[0] = dup(pair[1]);
}

static void what_was_said_before_hanging_up_is_read_though_nothing_can_be_sent(void **state)
{
	(void)state;
	refuse_and_hang_up();
	assert_int_equal(upgrade_send(pair[1], json_make("{s:s}", "want", "serving"), NULL),
			 ERR_SYSTEM);
	check_refusal_is_read();
}

static void what_was_said_before_hanging_up_is_read_though_the_question_was_not(void **state)
{
	(void)state;
	refuse_and_hang_up();
	check_refusal_is_read(); /* ECONNRESET comes first */
}

static void one_over_the_longest_is_none_and_its_descriptor_is_closed(void **state)
{
	(void)state;
	static char text[UPGRADE_MESSAGE_MAX];
	struct upgrade_fds fds = {{pair[0]}, 1}, got;
	bool ended;
	memset(text, 'x', sizeof text);
	for (size_t over = 0; over < 2; over++) { /* {"k":"..."} has 8 bytes around it */
		size_t length = UPGRADE_MESSAGE_MAX - 8 + over;
		json_t *sent = json_pack("{s:s#}", "k", text, (int)length);
		int next = dup(pair[0]);
		close(next);
		assert_int_equal(upgrade_send(pair[0], sent, &fds), 0);
		json_t *message = upgrade_receive(pair[1], &got, &ended);
		assert_int_equal(message != NULL, over == 0);
		assert_int_equal(got.count, over == 0 ? 1 : 0);
		json_decref(message);
		upgrade_fds_close(&got);
		assert_false(is_open(next));
	}
}

static void what_does_not_fit_at_once_is_not_waited_for(void **state)
{
	(void)state;
	int err = 0;
	for (unsigned i = 0; i < 100000 && err == 0; i++)
		err = upgrade_send(pair[0], json_make("{s:s}", "want", "item"), NULL);
	assert_int_equal(err, ERR_SYSTEM);
}

static void what_could_not_be_made_is_not_sent(void **state)
{
	(void)state;
	struct upgrade_fds got;
	bool ended;
	assert_int_equal(upgrade_send(pair[0], NULL, NULL), ERR_SYSTEM);
	assert_null(upgrade_receive(pair[1], &got, &ended));
	assert_false(ended);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_pair, close_pair)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(more_descriptors_than_a_message_may_have_are_closed),
		TEST(a_message_arrives_with_its_descriptors_in_order),
		TEST(an_end_is_told_from_nonsense),
		TEST(what_was_said_before_hanging_up_is_read_though_nothing_can_be_sent),
		TEST(what_was_said_before_hanging_up_is_read_though_the_question_was_not),
		TEST(one_over_the_longest_is_none_and_its_descriptor_is_closed),
		TEST(what_does_not_fit_at_once_is_not_waited_for),
		TEST(what_could_not_be_made_is_not_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
