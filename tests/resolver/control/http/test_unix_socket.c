/* A listening socket at a path: whom it replaces, whom it leaves alone, who may come in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "resolver/control/http/unix_socket.h"

struct world {
	char directory[32], path[64], error[UNIX_SOCKET_ERROR_MAX];
	struct unix_socket socket;
	int fd;
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	snprintf(world->directory, sizeof world->directory, "/tmp/sluice-test-XXXXXX");
	assert_non_null(mkdtemp(world->directory));
	snprintf(world->path, sizeof world->path, "%s/control.sock", world->directory);
	world->fd = -1;
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	if (world->fd >= 0)
		close(world->fd);
	unlink(world->path);
	rmdir(world->directory);
	free(world);
	return 0;
}

static int open_it(struct world *world)
{
	return unix_socket_open(&world->socket, world->path, &world->fd, world->error);
}

static struct sockaddr_un address_of(const struct world *world)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, world->path, strlen(world->path) + 1);
	return address;
}

static void assert_serves(const struct world *world)
{
	struct sockaddr_un address = address_of(world);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	int accepted = accept(world->fd, NULL, NULL);
	assert_true(accepted >= 0);
	close(accepted);
	close(fd);
}

static void leave_stale(const struct world *world)
{
	struct sockaddr_un address = address_of(world);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	close(fd);
}

static void only_its_owner_may_connect_to_it(void **state)
{
	struct world *world = *state;
	struct stat st;
	mode_t before = umask(0);
	assert_int_equal(open_it(world), 0);
	umask(before);
	assert_int_equal(stat(world->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_serves(world);
}

static void a_socket_that_nobody_serves_is_replaced(void **state)
{
	struct world *world = *state;
	leave_stale(world);
	assert_int_equal(open_it(world), 0);
	assert_serves(world);
}

/* In a process of its own: opens the socket when `start` ends, and keeps it until `end` does. A
 * byte into `tried` says that it has opened it, or not. */
static void run_server(struct world *world, int start, int tried, int end)
{
	char byte;
	if (read(start, &byte, 1) != 0)
		_exit(2);
	int err = open_it(world);
	if (write(tried, "", 1) != 1)
		_exit(2);
	if (err != 0)
		_exit(strstr(world->error, "another server") ? 1 : 2);
	_exit(read(end, &byte, 1) == 0 ? 0 : 2);
}

/* How many of several that start at the same moment, on a stale file, have the socket. */
static int race(struct world *world)
{
	enum { SERVERS = 4 };
	int start[2], tried[2], end[2], had = 0, status;
	char byte;
	pid_t servers[SERVERS];
	leave_stale(world);
	assert_int_equal(pipe2(start, O_CLOEXEC), 0);
	assert_int_equal(pipe2(tried, O_CLOEXEC), 0);
	assert_int_equal(pipe2(end, O_CLOEXEC), 0);
	for (int i = 0; i < SERVERS; i++) {
		servers[i] = fork();
		if (servers[i] == 0) {
			close(start[1]);
			close(end[1]);
			run_server(world, start[0], tried[1], end[0]);
		}
	}
	close(start[1]);
	for (int i = 0; i < SERVERS; i++)
		assert_int_equal(read(tried[0], &byte, 1), 1);
	close(end[1]);
	for (int i = 0; i < SERVERS; i++) {
		assert_int_equal(waitpid(servers[i], &status, 0), servers[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
		had += WEXITSTATUS(status) == 0;
	}
	close(start[0]);
	close(tried[0]);
	close(tried[1]);
	close(end[0]);
	unlink(world->path);
	return had;
}

static void of_servers_that_start_at_once_one_has_the_socket(void **state)
{
	for (int round = 0; round < 20; round++)
		assert_int_equal(race(*state), 1);
}

static void a_lock_that_somebody_keeps_on_the_directory_keeps_nobody_from_starting(void **state)
{
	struct world *world = *state;
	int fd = open(world->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(open_it(world), 0);
	assert_serves(world);
	close(fd);
}

static void a_live_socket_is_left_alone(void **state)
{
	struct world *world = *state;
	struct unix_socket other;
	int fd;
	assert_int_equal(open_it(world), 0);
	assert_int_equal(unix_socket_open(&other, world->path, &fd, world->error), ERR_EXISTS);
	assert_non_null(strstr(world->error, "another server"));
	assert_non_null(strstr(world->error, world->path));
	close(accept(world->fd, NULL, NULL)); /* the look */
	assert_serves(world);
}

static void a_file_that_is_no_socket_is_left_alone(void **state)
{
	struct world *world = *state;
	struct stat st;
	FILE *file = fopen(world->path, "w");
	fputs("precious", file);
	fclose(file);
	assert_int_equal(open_it(world), ERR_EXISTS);
	assert_non_null(strstr(world->error, "no socket"));
	assert_int_equal(stat(world->path, &st), 0);
	assert_int_equal(st.st_size, 8);
}

static void the_file_is_removed_while_it_is_ours_and_not_another_server_s(void **state)
{
	struct world *world = *state;
	struct unix_socket first;
	int fd;
	assert_int_equal(unix_socket_open(&first, world->path, &fd, world->error), 0);
	unlink(world->path);
	assert_int_equal(open_it(world), 0);
	unix_socket_remove(&first);
	assert_int_equal(access(world->path, F_OK), 0);
	unix_socket_remove(&world->socket);
	assert_int_equal(access(world->path, F_OK), -1);
	close(fd);
}

static void a_missing_directory_is_made_and_a_missing_path_named(void **state)
{
	struct world *world = *state;
	char below[64];
	snprintf(below, sizeof below, "%s/new", world->directory);
	snprintf(world->path, sizeof world->path, "%s/new/c.sock", world->directory);
	assert_int_equal(open_it(world), 0);
	unlink(world->path);
	assert_int_equal(rmdir(below), 0);
	close(world->fd);
	world->fd = -1;
	snprintf(world->path, sizeof world->path, "%s/a/b/c.sock", world->directory);
	assert_int_equal(open_it(world), ERR_SYSTEM);
	assert_non_null(strstr(world->error, world->path));
}

static void a_path_at_the_maximum_is_taken_and_one_over_it_told(void **state)
{
	struct world *world = *state;
	struct unix_socket made;
	char path[110];
	int fd;
	memset(path, 'x', sizeof path);
	size_t length = strlen(world->directory);
	memcpy(path, world->directory, length);
	path[length] = '/';
	path[108] = '\0';
	assert_int_equal(unix_socket_open(&made, path, &fd, world->error), ERR_SYSTEM);
	assert_non_null(strstr(world->error, "longer than 107"));
	path[107] = '\0';
	assert_int_equal(unix_socket_open(&made, path, &fd, world->error), 0);
	close(fd);
	unix_socket_remove(&made);
	assert_int_equal(access(path, F_OK), -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(only_its_owner_may_connect_to_it),
		TEST(a_socket_that_nobody_serves_is_replaced),
		TEST(of_servers_that_start_at_once_one_has_the_socket),
		TEST(a_lock_that_somebody_keeps_on_the_directory_keeps_nobody_from_starting),
		TEST(a_live_socket_is_left_alone),
		TEST(a_file_that_is_no_socket_is_left_alone),
		TEST(the_file_is_removed_while_it_is_ours_and_not_another_server_s),
		TEST(a_missing_directory_is_made_and_a_missing_path_named),
		TEST(a_path_at_the_maximum_is_taken_and_one_over_it_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
