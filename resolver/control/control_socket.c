/* A connection reads until it has a line, stops reading, answers, and reads on when the answer is
 * out. Its timer is set anew whenever there is progress and closes it when there is none.
 *
 *     accept ─► peer allowed? ─► read ─► a line ─► handler ─► write ─┐
 *                                  ▲                                 │
 *                                  └─────────────────────────────────┘
 *
 * TLS, HTTP and roles are not in here. */
#include "resolver/control/control_socket.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct connection {
	struct control_socket *control; /* NULL: free */
	uv_pipe_t pipe;
	uv_timer_t timer;
	uv_write_t write;
	unsigned open_handles;
	bool closing, last; /* last: close when the answer is out */
	char *answer;       /* being written */
	size_t length;      /* of buffer */
	char buffer[CONTROL_REQUEST_MAX];
};

struct control_socket {
	uv_pipe_t listening;
	bool waiting;          /* a client that there was no room for */
	unsigned open_handles; /* that still point here */
	control_handler *handler;
	void *context;
	char path[sizeof((struct sockaddr_un *)NULL)->sun_path];
	dev_t device;
	ino_t inode; /* of the file as we made it */
	/* One more than are served, to say so. Here, so that there is never no memory for one. */
	struct connection connections[CONTROL_CONNECTIONS_MAX + 1];
};

/* ---- letting go ---- */

static void control_unref(struct control_socket *control)
{
	if (--control->open_handles == 0)
		free(control);
}

static void accept_client(struct control_socket *control);

static void on_connection_handle_closed(uv_handle_t *handle)
{
	struct connection *connection = handle->data;
	if (--connection->open_handles > 0)
		return;
	struct control_socket *control = connection->control;
	free(connection->answer);
	connection->answer = NULL;
	connection->control = NULL;
	if (control->waiting && !uv_is_closing((uv_handle_t *)&control->listening))
		accept_client(control);
	control_unref(control);
}

static void connection_close(struct connection *connection)
{
	if (connection->closing)
		return;
	connection->closing = true;
	uv_close((uv_handle_t *)&connection->pipe, on_connection_handle_closed);
	uv_close((uv_handle_t *)&connection->timer, on_connection_handle_closed);
}

static void on_listening_closed(uv_handle_t *handle)
{
	control_unref(handle->data);
}

void control_socket_close(struct control_socket *control)
{
	struct stat st;
	if (!control)
		return;
	if (stat(control->path, &st) == 0 && st.st_dev == control->device &&
	    st.st_ino == control->inode)
		unlink(control->path);
	for (unsigned i = 0; i <= CONTROL_CONNECTIONS_MAX; i++)
		if (control->connections[i].control)
			connection_close(&control->connections[i]);
	uv_close((uv_handle_t *)&control->listening, on_listening_closed);
}

/* ---- a connection ---- */

static void connection_read(struct connection *connection);

static void on_timeout(uv_timer_t *timer)
{
	connection_close(timer->data);
}

static void connection_progress(struct connection *connection)
{
	uv_update_time(connection->timer.loop); /* a handler may have taken its time */
	int err = uv_timer_start(&connection->timer, on_timeout, CONTROL_TIMEOUT_MS, 0);
	assert(err == 0);
	(void)err;
}

static void on_written(uv_write_t *write, int status)
{
	struct connection *connection = write->data;
	free(connection->answer);
	connection->answer = NULL;
	if (connection->closing)
		return;
	if (status != 0 || connection->last) {
		connection_close(connection);
		return;
	}
	connection_progress(connection);
	connection_read(connection);
}

static void connection_answer(struct connection *connection, json_t *answer)
{
	static const char failed[] = "{\"ok\":false,\"error\":\"out of memory for the answer\"}";
	char *text = answer ? json_dumps(answer, JSON_COMPACT) : strdup(failed);
	json_decref(answer);
	size_t length = text ? strlen(text) : 0;
	char *line = text ? realloc(text, length + 1) : NULL;
	if (!line) {
		free(text);
		connection_close(connection);
		return;
	}
	line[length] = '\n'; /* in place of the NUL: what is written has its length */
	connection->answer = line;
	connection_progress(connection);
	connection->write.data = connection;
	uv_buf_t buffer = uv_buf_init(line, (unsigned)(length + 1));
	if (uv_write(&connection->write, (uv_stream_t *)&connection->pipe, &buffer, 1,
		     on_written) != 0)
		connection_close(connection);
}

static void connection_refuse(struct connection *connection, const char *text)
{
	connection->last = true;
	connection_answer(connection, json_pack("{s:b, s:s}", "ok", 0, "error", text));
}

/* Answers the first line of the buffer. False when there is no whole line yet. */
static bool connection_take_line(struct connection *connection)
{
	char *end = memchr(connection->buffer, '\n', connection->length);
	if (!end)
		return false;
	size_t length = (size_t)(end - connection->buffer);
	json_error_t error;
	json_t *request = json_loadb(connection->buffer, length, JSON_REJECT_DUPLICATES, &error);
	connection->length -= length + 1;
	memmove(connection->buffer, end + 1, connection->length);
	if (json_is_object(request))
		connection_answer(connection, connection->control->handler(
						      connection->control->context, request));
	else
		connection_refuse(connection,
				  "not a request; one JSON object per line is expected");
	json_decref(request);
	return true;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	(void)suggested;
	struct connection *connection = handle->data;
	*buffer = uv_buf_init(connection->buffer + connection->length,
			      (unsigned)(sizeof connection->buffer - connection->length));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
	(void)buffer;
	struct connection *connection = stream->data;
	if (count < 0) { /* the end, an error, or no room */
		connection_close(connection);
		return;
	}
	connection->length += (size_t)count;
	uv_read_stop(stream);
	connection_read(connection);
}

/* Goes on with what has been read, else reads. */
static void connection_read(struct connection *connection)
{
	if (connection_take_line(connection))
		return;
	if (connection->length == sizeof connection->buffer)
		connection_refuse(connection, "the request is too long");
	else if (uv_read_start((uv_stream_t *)&connection->pipe, on_alloc, on_read) != 0)
		connection_close(connection);
}

/* Root and our own user. */
static bool peer_is_allowed(const struct connection *connection)
{
	struct ucred peer;
	socklen_t length = sizeof peer;
	uv_os_fd_t fd;
	return uv_fileno((const uv_handle_t *)&connection->pipe, &fd) == 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static void connection_serve(struct connection *connection, bool last_free)
{
	connection_progress(connection);
	if (!peer_is_allowed(connection))
		connection_refuse(connection,
				  "permission denied; only root and the server's own user may ask");
	else if (last_free)
		connection_refuse(connection, "too many connections; try again");
	else
		connection_read(connection);
}

/* While a client is not accepted libuv looks for no others; it is when a connection gets free. */
static void accept_client(struct control_socket *control)
{
	struct connection *connection = NULL;
	unsigned others = 0;
	for (unsigned i = 0; i <= CONTROL_CONNECTIONS_MAX; i++)
		if (control->connections[i].control)
			others++;
		else if (!connection)
			connection = &control->connections[i];
	control->waiting = !connection;
	if (!connection)
		return;
	connection->control = control;
	connection->closing = connection->last = false;
	connection->length = 0;
	control->open_handles++;
	connection->open_handles = 2;
	uv_pipe_init(control->listening.loop, &connection->pipe, 0);
	uv_timer_init(control->listening.loop, &connection->timer);
	connection->pipe.data = connection->timer.data = connection;
	if (uv_accept((uv_stream_t *)&control->listening, (uv_stream_t *)&connection->pipe) == 0)
		connection_serve(connection, others == CONTROL_CONNECTIONS_MAX);
	else
		connection_close(connection);
}

static void on_connection(uv_stream_t *listening, int status)
{
	if (status == 0)
		accept_client(listening->data);
}

/* ---- opening ---- */

enum probe { PROBE_NONE, PROBE_STALE, PROBE_LIVE, PROBE_OTHER };

/* What stands at the path now. */
static enum probe probe_path(const struct sockaddr_un *address)
{
	struct stat st;
	if (lstat(address->sun_path, &st) != 0)
		return PROBE_NONE;
	if (!S_ISSOCK(st.st_mode))
		return PROBE_OTHER;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return PROBE_LIVE;
	int connected = connect(fd, (const struct sockaddr *)address, sizeof *address);
	enum probe found = connected != 0 && errno == ECONNREFUSED ? PROBE_STALE : PROBE_LIVE;
	close(fd);
	return found;
}

/* The last directory of the path, when only it is missing (/run is empty after a boot). */
static void make_directory(const char *path)
{
	char copy[sizeof((struct sockaddr_un *)NULL)->sun_path];
	snprintf(copy, sizeof copy, "%s", path);
	int made = mkdir(dirname(copy), 0755);
	(void)made; /* bind tells what is wrong */
}

/* Between looking whether somebody serves the path and listening there nobody else may do so, or
 * two servers that start at once take the same stale file's place. The lock is on the directory,
 * and goes with the descriptor. ERR_EXISTS; *fd is -1 where there is no directory, which bind
 * tells. */
static int lock_path(const char *path, int *fd)
{
	enum { TRIES = 50, STEP_MS = 20 };
	struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
	char copy[sizeof((struct sockaddr_un *)NULL)->sun_path];
	snprintf(copy, sizeof copy, "%s", path);
	*fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; *fd >= 0 && flock(*fd, LOCK_EX | LOCK_NB) != 0; i++) {
		if (i == TRIES)
			return ERR_EXISTS;
		nanosleep(&step, NULL);
	}
	return 0;
}

/* A bound descriptor, or -1 with `error`. */
static int bind_path(const char *path, char error[CONTROL_ERROR_MAX])
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address.sun_path) {
		snprintf(error, CONTROL_ERROR_MAX,
			 "the control socket's path is longer than %zu bytes: %.100s...",
			 sizeof address.sun_path - 1, path);
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	enum probe found = probe_path(&address);
	if (found == PROBE_LIVE || found == PROBE_OTHER) {
		snprintf(error, CONTROL_ERROR_MAX, "control socket %s: %s", path,
			 found == PROBE_LIVE ? "another server is using it"
					     : "the file there is no socket and is left alone");
		return -1;
	}
	if (found == PROBE_STALE)
		unlink(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* The mode that the descriptor has when it is bound is the file's. */
	if (fd >= 0 && fchmod(fd, 0600) == 0 &&
	    bind(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	snprintf(error, CONTROL_ERROR_MAX, "control socket %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static struct control_socket *open_locked(uv_loop_t *loop, const char *path,
					  char error[CONTROL_ERROR_MAX])
{
	struct stat st;
	int fd = bind_path(path, error);
	if (fd < 0)
		return NULL;
	struct control_socket *control = calloc(1, sizeof *control);
	if (!control || stat(path, &st) != 0) {
		snprintf(error, CONTROL_ERROR_MAX, "control socket %s: %s", path, strerror(errno));
		free(control);
		close(fd);
		return NULL;
	}
	control->device = st.st_dev;
	control->inode = st.st_ino;
	snprintf(control->path, sizeof control->path, "%s", path);
	uv_pipe_init(loop, &control->listening, 0);
	control->listening.data = control;
	control->open_handles = 1;
	int err = uv_pipe_open(&control->listening, fd);
	if (err != 0)
		close(fd);
	else
		err = uv_listen((uv_stream_t *)&control->listening, CONTROL_CONNECTIONS_MAX,
				on_connection);
	if (err == 0)
		return control;
	snprintf(error, CONTROL_ERROR_MAX, "control socket %s: %s", path, uv_strerror(err));
	control_socket_close(control);
	return NULL;
}

struct control_socket *control_socket_open(uv_loop_t *loop, const char *path,
					   control_handler *handler, void *context,
					   char error[CONTROL_ERROR_MAX])
{
	struct control_socket *control = NULL;
	int lock;
	make_directory(path);
	if (lock_path(path, &lock) == 0)
		control = open_locked(loop, path, error);
	else
		snprintf(error, CONTROL_ERROR_MAX,
			 "control socket %s: its directory is locked; is another server starting?",
			 path);
	if (lock >= 0)
		close(lock);
	if (control) {
		control->handler = handler;
		control->context = context;
	}
	return control;
}
