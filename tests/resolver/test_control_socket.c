/* The control socket, both ends: the server's loop runs in this thread, clients in others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "resolver/control/control_socket.h"

struct world {
	uv_loop_t loop;
	uv_async_t done;
	struct control_socket *control;
	char directory[32], path[64], error[CONTROL_ERROR_MAX];
	unsigned handled;
	/* the client's */
	void (*client)(struct world *);
	char answer[4096];
	unsigned told;
};

static json_t *handle(void *context, const json_t *request)
{
	struct world *world = context;
	world->handled++;
	return json_pack("{s:b, s:O}", "ok", 1, "echo", (json_t *)(uintptr_t)request);
}

static void on_done(uv_async_t *done)
{
	uv_stop(done->loop);
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	snprintf(world->directory, sizeof world->directory, "/tmp/sluice-test-XXXXXX");
	assert_non_null(mkdtemp(world->directory));
	snprintf(world->path, sizeof world->path, "%s/control.sock", world->directory);
	assert_int_equal(uv_loop_init(&world->loop), 0);
	uv_async_init(&world->loop, &world->done, on_done);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	control_socket_close(world->control);
	uv_close((uv_handle_t *)&world->done, NULL);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&world->loop), 0);
	unlink(world->path);
	rmdir(world->directory);
	free(world);
	return 0;
}

static void open_control(struct world *world)
{
	world->control =
		control_socket_open(&world->loop, world->path, handle, world, world->error);
	assert_non_null(world->control);
}

static void run_client(void *context)
{
	struct world *world = context;
	world->client(world);
	uv_async_send(&world->done);
}

/* Runs the loop until the client, in a thread of its own, has come to its end. */
static void serve(struct world *world, void (*client)(struct world *))
{
	uv_thread_t thread;
	world->client = client;
	assert_int_equal(uv_thread_create(&thread, run_client, world), 0);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	uv_thread_join(&thread);
}

static int connected(const struct world *world)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, world->path, strlen(world->path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Sends the bytes and keeps all that comes until the server hangs up. */
static void exchange(struct world *world, const char *bytes, size_t length)
{
	int fd = connected(world);
	size_t at = 0;
	while (length > 0) {
		ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
		if (sent <= 0)
			break;
		bytes += sent;
		length -= (size_t)sent;
	}
	shutdown(fd, SHUT_WR);
	for (ssize_t got; at < sizeof world->answer - 1; at += (size_t)got)
		if ((got = recv(fd, world->answer + at, sizeof world->answer - 1 - at, 0)) <= 0)
			break;
	world->answer[at] = '\0';
	close(fd);
}

/* ---- requests ---- */

static void call_once(struct world *world)
{
	json_t *request = json_pack("{s:s}", "command", "h\xc3\xa9llo");
	json_t *answer = control_call(world->path, request, 5000, world->error);
	char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
	snprintf(world->answer, sizeof world->answer, "%s", text ? text : world->error);
	free(text);
	json_decref(answer);
	json_decref(request);
}

static void a_request_is_answered(void **state)
{
	struct world *world = *state;
	open_control(world);
	serve(world, call_once);
	assert_string_equal(world->answer, "{\"ok\":true,\"echo\":{\"command\":\"h\xc3\xa9llo\"}}");
	assert_int_equal(world->handled, 1);
}

static void send_three(struct world *world)
{
	static const char lines[] = "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n{\"a\":";
	exchange(world, lines, sizeof lines - 1);
}

static void lines_of_one_connection_are_answered_in_their_order(void **state)
{
	struct world *world = *state;
	open_control(world);
	serve(world, send_three);
	assert_string_equal(world->answer, "{\"ok\":true,\"echo\":{\"a\":1}}\n"
					   "{\"ok\":true,\"echo\":{\"a\":2}}\n"
					   "{\"ok\":true,\"echo\":{\"a\":3}}\n");
}

static void send_no_object(struct world *world)
{
	exchange(world, "[1]\n{\"a\":2}\n", 12);
}

static void send_no_json(struct world *world)
{
	exchange(world, "{\"a\" 2}\n", 8);
}

static void what_is_no_object_is_refused_once_and_hung_up_on(void **state)
{
	struct world *world = *state;
	open_control(world);
	serve(world, send_no_object);
	assert_non_null(strstr(world->answer, "\"ok\":false"));
	assert_non_null(strstr(world->answer, "one JSON object per line"));
	assert_null(strstr(world->answer, "\"a\""));
	serve(world, send_no_json);
	assert_non_null(strstr(world->answer, "one JSON object per line"));
	assert_int_equal(world->handled, 0);
}

/* A line of `length` bytes with its newline. */
static void send_line(struct world *world, size_t length)
{
	char *line = malloc(length);
	memset(line, ' ', length);
	memcpy(line, "{}", 2);
	line[length - 1] = '\n';
	exchange(world, line, length);
	free(line);
}

static void send_longest(struct world *world)
{
	send_line(world, CONTROL_REQUEST_MAX);
}

static void send_too_long(struct world *world)
{
	send_line(world, CONTROL_REQUEST_MAX + 1);
}

static void a_line_at_the_maximum_is_read_and_one_over_it_refused(void **state)
{
	struct world *world = *state;
	open_control(world);
	serve(world, send_longest);
	assert_string_equal(world->answer, "{\"ok\":true,\"echo\":{}}\n");
	serve(world, send_too_long);
	assert_non_null(strstr(world->answer, "too long"));
	assert_int_equal(world->handled, 1);
}

static void call_beside_idle_ones(struct world *world)
{
	int idle[CONTROL_CONNECTIONS_MAX];
	for (int i = 0; i < CONTROL_CONNECTIONS_MAX - 1; i++) {
		idle[i] = connected(world);
		ssize_t sent = send(idle[i], "{\"half\":", 8, MSG_NOSIGNAL);
		(void)sent;
	}
	call_once(world);
	memmove(world->answer + 2048, world->answer, 1024);
	idle[CONTROL_CONNECTIONS_MAX - 1] = connected(world);
	call_once(world);
	for (int i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
		close(idle[i]);
}

static void idle_clients_block_nobody_until_there_are_too_many(void **state)
{
	struct world *world = *state;
	open_control(world);
	serve(world, call_beside_idle_ones);
	assert_non_null(strstr(world->answer + 2048, "\"ok\":true"));
	assert_non_null(strstr(world->answer, "too many connections"));
}

enum { CROWD = 12 };

static void come_as_a_crowd(struct world *world)
{
	int idle[CONTROL_CONNECTIONS_MAX], crowd[CROWD];
	unsigned told = 0;
	for (int i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
		idle[i] = connected(world);
	for (int i = 0; i < CROWD; i++)
		crowd[i] = connected(world);
	for (int i = 0; i < CROWD; i++) {
		char text[256] = "";
		struct timeval patience = {.tv_sec = 2}; /* idle ones are closed after 5 */
		setsockopt(crowd[i], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
		ssize_t got = recv(crowd[i], text, sizeof text - 1, 0);
		told += got > 0 && strstr(text, "too many connections");
		close(crowd[i]);
	}
	for (int i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
		close(idle[i]);
	usleep(100 * 1000);
	call_once(world);
	world->told = told;
}

/* More at once than there is room for, also to be refused: they wait for that room. */
static void everybody_of_a_crowd_is_told_and_the_next_one_served(void **state)
{
	struct world *world = *state;
	open_control(world);
	serve(world, come_as_a_crowd);
	assert_int_equal(world->told, CROWD);
	assert_non_null(strstr(world->answer, "\"ok\":true"));
}

static void wait_to_be_hung_up_on(struct world *world)
{
	char byte;
	int fd = connected(world);
	ssize_t sent = send(fd, "{", 1, MSG_NOSIGNAL);
	ssize_t got = recv(fd, &byte, 1, 0);
	snprintf(world->answer, sizeof world->answer, "%zd %zd", sent, got);
	close(fd);
}

static void a_client_without_progress_is_hung_up_on(void **state)
{
	struct world *world = *state;
	open_control(world);
	uint64_t before_ns = uv_hrtime();
	serve(world, wait_to_be_hung_up_on);
	assert_string_equal(world->answer, "1 0");
	assert_in_range((uv_hrtime() - before_ns) / 1000000, CONTROL_TIMEOUT_MS - 100,
			CONTROL_TIMEOUT_MS + 3000);
}

static void closing_ends_connections_that_are_open(void **state)
{
	struct world *world = *state;
	open_control(world);
	int fd = connected(world);
	uv_run(&world->loop, UV_RUN_ONCE);
	control_socket_close(world->control);
	world->control = NULL;
	char byte;
	for (int i = 0; i < 5; i++)
		uv_run(&world->loop, UV_RUN_NOWAIT);
	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
	close(fd);
	assert_int_equal(access(world->path, F_OK), -1);
}

/* ---- who may ask ---- */

static int ask_as_nobody(const struct world *world)
{
	char error[CONTROL_ERROR_MAX];
	if (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0)
		return 3;
	json_t *request = json_object();
	json_t *answer = control_call(world->path, request, 5000, error);
	json_decref(request);
	const char *text = json_string_value(json_object_get(answer, "error"));
	int found = !answer && strstr(error, "permission denied") ? 1
		    : text && strstr(text, "permission denied")   ? 2
								  : 4;
	json_decref(answer);
	return found;
}

static void watch_nobody(struct world *world)
{
	int status = -1;
	pid_t pid = fork();
	if (pid == 0)
		_exit(ask_as_nobody(world));
	if (pid > 0)
		waitpid(pid, &status, 0);
	snprintf(world->answer, sizeof world->answer, "%d",
		 WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void other_users_are_refused_by_the_file_and_by_the_server(void **state)
{
	struct world *world = *state;
	struct stat st;
	if (geteuid() != 0)
		skip();
	open_control(world);
	assert_int_equal(stat(world->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(chmod(world->directory, 0755), 0);
	serve(world, watch_nobody);
	assert_string_equal(world->answer, "1");
	assert_int_equal(chmod(world->path, 0666), 0);
	serve(world, watch_nobody);
	assert_string_equal(world->answer, "2");
	assert_int_equal(world->handled, 0);
}

/* ---- opening ---- */

static void leave_stale(const struct world *world)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, world->path, strlen(world->path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	close(fd);
}

static void a_socket_that_nobody_serves_is_replaced(void **state)
{
	struct world *world = *state;
	leave_stale(world);
	open_control(world);
	serve(world, call_once);
	assert_non_null(strstr(world->answer, "\"ok\":true"));
}

/* In a process of its own: opens the socket when `start` ends, and keeps it until `end` does. A
 * byte into `tried` says that it has opened it, or not. */
static void run_server(struct world *world, int start, int tried, int end)
{
	char byte;
	uv_loop_t loop;
	uv_loop_init(&loop);
	if (read(start, &byte, 1) != 0)
		_exit(2);
	bool open = control_socket_open(&loop, world->path, handle, world, world->error) != NULL;
	if (write(tried, "", 1) != 1)
		_exit(2);
	if (!open)
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

static void a_lock_on_the_directory_is_waited_for_only_so_long(void **state)
{
	struct world *world = *state;
	int fd = open(world->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_null(control_socket_open(&world->loop, world->path, handle, world, world->error));
	assert_non_null(strstr(world->error, "locked"));
	close(fd);
	open_control(world);
}

static void a_live_socket_is_left_alone(void **state)
{
	struct world *world = *state;
	open_control(world);
	assert_null(control_socket_open(&world->loop, world->path, handle, world, world->error));
	assert_non_null(strstr(world->error, "another server"));
	assert_non_null(strstr(world->error, world->path));
	serve(world, call_once);
	assert_non_null(strstr(world->answer, "\"ok\":true"));
}

static void a_file_that_is_no_socket_is_left_alone(void **state)
{
	struct world *world = *state;
	struct stat st;
	FILE *file = fopen(world->path, "w");
	fputs("precious", file);
	fclose(file);
	assert_null(control_socket_open(&world->loop, world->path, handle, world, world->error));
	assert_non_null(strstr(world->error, "no socket"));
	assert_int_equal(stat(world->path, &st), 0);
	assert_int_equal(st.st_size, 8);
}

static void another_server_s_file_is_not_removed_on_closing(void **state)
{
	struct world *world = *state;
	open_control(world);
	unlink(world->path);
	struct control_socket *other =
		control_socket_open(&world->loop, world->path, handle, world, world->error);
	assert_non_null(other);
	control_socket_close(world->control);
	world->control = other;
	assert_int_equal(access(world->path, F_OK), 0);
}

static void a_missing_directory_is_made_and_a_missing_path_named(void **state)
{
	struct world *world = *state;
	char path[64];
	snprintf(path, sizeof path, "%s", world->path);
	snprintf(world->path, sizeof world->path, "%s/new/c.sock", world->directory);
	open_control(world);
	control_socket_close(world->control);
	snprintf(world->path, sizeof world->path, "%s/new", world->directory);
	assert_int_equal(rmdir(world->path), 0);
	snprintf(world->path, sizeof world->path, "%s/a/b/c.sock", world->directory);
	world->control =
		control_socket_open(&world->loop, world->path, handle, world, world->error);
	assert_null(world->control);
	assert_non_null(strstr(world->error, world->path));
	snprintf(world->path, sizeof world->path, "%s", path);
}

static void a_path_that_is_too_long_is_told(void **state)
{
	struct world *world = *state;
	char path[200];
	memset(path, 'x', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	assert_null(control_socket_open(&world->loop, path, handle, world, world->error));
	assert_non_null(strstr(world->error, "longer than 107"));
	json_t *request = json_object();
	assert_null(control_call(path, request, 100, world->error));
	json_decref(request);
}

/* ---- the client ---- */

static void nobody_there_is_one_clear_line(void **state)
{
	struct world *world = *state;
	call_once(world);
	assert_non_null(strstr(world->answer, "no server is running"));
	assert_non_null(strstr(world->answer, world->path));
	assert_null(strchr(world->answer, '\n'));
}

static void a_server_that_does_not_answer_is_waited_for_only_so_long(void **state)
{
	struct world *world = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, world->path, strlen(world->path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(fd, 1), 0);
	json_t *request = json_object();
	uint64_t before_ns = uv_hrtime();
	assert_null(control_call(world->path, request, 200, world->error));
	assert_in_range((uv_hrtime() - before_ns) / 1000000, 190, 2000);
	assert_non_null(strstr(world->error, "did not answer in time"));
	json_decref(request);
	close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_request_is_answered),
		TEST(lines_of_one_connection_are_answered_in_their_order),
		TEST(what_is_no_object_is_refused_once_and_hung_up_on),
		TEST(a_line_at_the_maximum_is_read_and_one_over_it_refused),
		TEST(idle_clients_block_nobody_until_there_are_too_many),
		TEST(everybody_of_a_crowd_is_told_and_the_next_one_served),
		TEST(a_client_without_progress_is_hung_up_on),
		TEST(closing_ends_connections_that_are_open),
		TEST(other_users_are_refused_by_the_file_and_by_the_server),
		TEST(a_socket_that_nobody_serves_is_replaced),
		TEST(of_servers_that_start_at_once_one_has_the_socket),
		TEST(a_lock_on_the_directory_is_waited_for_only_so_long),
		TEST(a_live_socket_is_left_alone),
		TEST(a_file_that_is_no_socket_is_left_alone),
		TEST(another_server_s_file_is_not_removed_on_closing),
		TEST(a_missing_directory_is_made_and_a_missing_path_named),
		TEST(a_path_that_is_too_long_is_told),
		TEST(nobody_there_is_one_clear_line),
		TEST(a_server_that_does_not_answer_is_waited_for_only_so_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
