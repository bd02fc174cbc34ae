/* The blocking client of the control socket: one request, one answer, one deadline. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "resolver/control/control_socket.h"

enum { ANSWER_MAX = 256 * 1024 * 1024, ANSWER_FIRST = 64 * 1024 };

static int64_t now_ms(void)
{
	return (int64_t)(uv_hrtime() / 1000000);
}

/* Waits for the event until the deadline; ERR_SYSTEM with errno otherwise. */
static int wait_for(int fd, short events, int64_t deadline_ms)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};
	for (;;) {
		int64_t left = deadline_ms - now_ms();
		int ready = left > 0 ? poll(&poll_fd, 1, (int)left) : 0;
		if (ready > 0)
			return 0;
		if (ready == 0)
			errno = ETIMEDOUT;
		if (ready == 0 || errno != EINTR)
			return ERR_SYSTEM;
	}
}

static int send_all(int fd, const char *bytes, size_t length, int64_t deadline_ms)
{
	while (length > 0) {
		ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
		if (sent >= 0) {
			bytes += sent;
			length -= (size_t)sent;
		} else if (errno == EAGAIN) {
			if (wait_for(fd, POLLOUT, deadline_ms) != 0)
				return ERR_SYSTEM;
		} else if (errno != EINTR) {
			return ERR_SYSTEM;
		}
	}
	return 0;
}

/* EPIPE is no failure: who is refused is told so, and hung up on, before having asked. */
static int send_line(int fd, const char *text, int64_t deadline_ms)
{
	int err = send_all(fd, text, strlen(text), deadline_ms);
	if (err == 0)
		err = send_all(fd, "\n", 1, deadline_ms);
	return err != 0 && errno == EPIPE ? 0 : err;
}

/* Everything up to the first newline, NUL-terminated; NULL with errno otherwise. */
static char *receive_line(int fd, int64_t deadline_ms)
{
	size_t length = 0, room = ANSWER_FIRST;
	char *line = malloc(room);
	while (line) {
		ssize_t count = recv(fd, line + length, room - length - 1, 0);
		char *end = count > 0 ? memchr(line + length, '\n', (size_t)count) : NULL;
		if (end) {
			*end = '\0';
			return line;
		}
		if (count > 0)
			length += (size_t)count;
		if (count == 0)
			errno = ECONNRESET;
		if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) ||
		    wait_for(fd, POLLIN, deadline_ms) != 0)
			break;
		if (length + 1 < room)
			continue;
		char *grown = room < ANSWER_MAX ? realloc(line, room * 2) : NULL;
		if (!grown) {
			errno = ENOMEM;
			break;
		}
		line = grown;
		room *= 2;
	}
	free(line);
	return NULL;
}

/* A connected descriptor, or -1 with errno. */
static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
		int saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static void describe(char error[CONTROL_ERROR_MAX], const char *path, int failed)
{
	const char *text = failed == ENOENT || failed == ECONNREFUSED ? "no server is running there"
			   : failed == EACCES ? "permission denied; only root and the server's own "
						"user may ask"
			   : failed == EAGAIN ? "the server is busy"
			   : failed == ETIMEDOUT ? "the server did not answer in time"
						 : strerror(failed);
	snprintf(error, CONTROL_ERROR_MAX, "control socket %s: %s", path, text);
}

json_t *control_call(const char *path, const json_t *request, int timeout_ms,
		     char error[CONTROL_ERROR_MAX])
{
	int64_t deadline_ms = now_ms() + timeout_ms;
	json_t *answer = NULL;
	char *line = NULL, *text = json_dumps(request, JSON_COMPACT);
	errno = ENOMEM;
	int fd = text ? connect_to(path) : -1;
	if (fd >= 0 && send_line(fd, text, deadline_ms) == 0)
		line = receive_line(fd, deadline_ms);
	if (!line) {
		describe(error, path, errno);
		goto out;
	}
	answer = json_loads(line, 0, NULL);
	if (!json_is_object(answer)) {
		snprintf(error, CONTROL_ERROR_MAX,
			 "control socket %s: the answer is not a JSON object", path);
		json_decref(answer);
		answer = NULL;
	}
out:
	free(line);
	free(text);
	if (fd >= 0)
		close(fd);
	return answer;
}
