/* Listeners made of another process's sockets: what is no listener of the host is refused, and
 * closed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "endpoints/inbound/listener.h"
#include "endpoints/socket.h"

enum { WORKERS = 2 };

static struct host host;
static struct listener *listener;
static struct listener_sockets copies[WORKERS];
static char error[LISTENER_ERROR_MAX];

/* A port that is free now. */
static uint16_t free_port(void)
{
	struct sockaddr_storage storage = {0};
	socklen_t length = sizeof storage;
	struct host found;
	int fd = socket_udp(4);
	assert_true(fd >= 0);
	assert_int_equal(socket_bind(fd, &host), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&storage, &length), 0);
	socket_host(&storage, &found);
	close(fd);
	return found.port;
}

static int open_listener(void **state)
{
	(void)state;
	assert_int_equal(host_parse(&host, "127.0.0.1", 53), 0);
	host.port = 0;
	host.port = free_port();
	listener = listener_open(&host, WORKERS, false, error);
	assert_non_null(listener);
	for (unsigned i = 0; i < WORKERS; i++)
		copies[i] = (struct listener_sockets){dup(listener->shares[i].udp),
						      dup(listener->shares[i].twin),
						      dup(listener->shares[i].tcp)};
	return 0;
}

static int close_listener(void **state)
{
	(void)state;
	listener_close(listener);
	return 0;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void expect_refused(void)
{
	struct listener_sockets given[WORKERS];
	memcpy(given, copies, sizeof given);
	assert_null(listener_adopt(&host, WORKERS, copies, error));
	assert_non_null(strstr(error, "the sockets handed over do not listen at this address"));
	for (unsigned i = 0; i < WORKERS; i++) {
		assert_false(is_open(given[i].udp));
		assert_false(is_open(given[i].twin));
		assert_false(is_open(given[i].tcp));
	}
}

static void sockets_of_another_process_make_the_same_listener(void **state)
{
	(void)state;
	struct listener *adopted = listener_adopt(&host, WORKERS, copies, error);
	assert_non_null(adopted);
	assert_true(host_equal(&adopted->host, &host));
	assert_true(listener_is_open(adopted));
	for (unsigned i = 0; i < WORKERS; i++)
		assert_int_equal(adopted->shares[i].twin, copies[i].twin);
	listener_close(adopted);
	assert_false(is_open(copies[0].udp));
	assert_true(is_open(listener->shares[0].udp)); /* the other's own stay */
}

static void another_hosts_sockets_are_refused(void **state)
{
	(void)state;
	host.port++;
	expect_refused();
	host.port--;
}

static void a_socket_of_another_kind_is_refused(void **state)
{
	(void)state;
	int udp = copies[1].udp;
	copies[1].udp = copies[1].tcp;
	copies[1].tcp = udp;
	expect_refused();
}

static void one_that_does_not_listen_is_refused(void **state)
{
	(void)state;
	const int on = 1;
	close(copies[1].tcp);
	copies[1].tcp = socket_tcp(4);
	assert_int_equal(setsockopt(copies[1].tcp, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
	assert_int_equal(setsockopt(copies[1].tcp, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), 0);
	assert_int_equal(socket_bind(copies[1].tcp, &host), 0);
	expect_refused();
}

static void what_is_no_socket_is_refused(void **state)
{
	(void)state;
	close(copies[0].twin);
	copies[0].twin = open("/dev/null", O_RDONLY | O_CLOEXEC);
	expect_refused();
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_listener, close_listener)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sockets_of_another_process_make_the_same_listener),
		TEST(another_hosts_sockets_are_refused),
		TEST(a_socket_of_another_kind_is_refused),
		TEST(one_that_does_not_listen_is_refused),
		TEST(what_is_no_socket_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
