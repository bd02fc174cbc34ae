/* Who is let in to hand over: the process that is meant, and nobody else, however often he knocks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "resolver/control/take_over.h"

enum { KNOCK_US = 10 * 1000, KNOCKS_MAX = 1500 };

static int listening;
static struct sockaddr_un address;
static socklen_t address_length;
static atomic_bool over;

static int open_somewhere(void **state)
{
	(void)state;
	address = (struct sockaddr_un){.sun_family = AF_UNIX};
	address_length = sizeof address;
	listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return bind(listening, (const struct sockaddr *)&address, sizeof address.sun_family) ||
	       getsockname(listening, (struct sockaddr *)&address, &address_length) ||
	       listen(listening, 4);
}

static int close_it(void **state)
{
	(void)state;
	return close(listening);
}

static int knock(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	(void)!connect(fd, (const struct sockaddr *)&address, address_length);
	return fd;
}

static void knock_on_and_on(void *argument)
{
	unsigned *knocks = argument;
	do {
		close(knock());
		usleep(KNOCK_US);
	} while (++*knocks < KNOCKS_MAX && !over);
}

static void stranger_who_knocks_again_and_again_does_not_prolong_the_wait(void **state)
{
	(void)state;
	unsigned knocks = 0;
	uid_t uid;
	uv_thread_t stranger;
	over = false;
	assert_int_equal(uv_thread_create(&stranger, knock_on_and_on, &knocks), 0);
	int fd = take_over_accept(listening, getppid(), &uid, 200);
	over = true;
	uv_thread_join(&stranger);
	assert_int_equal(fd, -1);
	assert_in_range(knocks, 1, KNOCKS_MAX - 1); /* it was not he who gave up */
}

static void process_that_is_meant_is_let_in_behind_a_stranger(void **state)
{
	(void)state;
	uid_t uid = (uid_t)-1;
	pid_t stranger = fork();
	if (stranger == 0) {
		knock();
		_exit(0);
	}
	assert_int_equal(waitpid(stranger, NULL, 0), stranger);
	int own = knock(), fd = take_over_accept(listening, getpid(), &uid, 60 * 1000);
	assert_true(fd >= 0);
	assert_int_equal(uid, geteuid());
	assert_int_equal(write(own, "x", 1), 1);
	char byte = 0;
	assert_int_equal(read(fd, &byte, 1), 1);
	assert_int_equal(byte, 'x');
	close(own);
	close(fd);
}

static void nobody_comes(void **state)
{
	(void)state;
	uid_t uid;
	assert_int_equal(take_over_accept(listening, getpid(), &uid, 1), -1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_somewhere, close_it)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stranger_who_knocks_again_and_again_does_not_prolong_the_wait),
		TEST(process_that_is_meant_is_let_in_behind_a_stranger),
		TEST(nobody_comes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
