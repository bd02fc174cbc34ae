/* Listeners: a socket of ours, and a libmicrohttpd daemon with one thread behind it, which has a
 * copy of the descriptor. So a daemon may be stopped, or fail to start, and another one takes its
 * place. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "endpoints/socket.h"
#include "resolver/control/base/signals.h"
#include "resolver/control/http/internal.h"
#include "resolver/control/http/tls.h"
#include "resolver/log.h"

/* ---- the daemon ---- */

enum { ENDED_MAX = 16 }; /* connections beside a listener's, which libmicrohttpd is to let go of */

static void on_log(void *context, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));
/* Out of descriptors and with no connection that could end, libmicrohttpd says so and looks again
 * at once, again and again: that is slowed down. */
static void on_log(void *context, const char *format, va_list arguments)
{
	(void)context;
	static const struct timespec pause = {.tv_nsec = 100 * 1000000L};
	char text[512];
	vsnprintf(text, sizeof text, format, arguments);
	text[strcspn(text, "\n")] = '\0';
	log_event(LOG_DEBUG, "http", "%s", text);
	if (strstr(text, "resource limit"))
		nanosleep(&pause, NULL);
}

struct start { /* a daemon; error: errno, where there is none */
	struct http_listener *listener;
	int fd; /* the daemon's */
	int error;
};

/* In a thread of its own, which ends with this: the daemon's inherits its niceness, and a thread
 * that has become nicer cannot take that back. */
static void start_daemon(void *context)
{
	struct start *start = context;
	struct http_listener *listener = start->listener;
	enum http_origin origin = listener->origin;
	int err = setpriority(PRIO_PROCESS, 0, listener->http->niceness); /* this thread's */
	(void)err; /* one that could not become nicer serves all the same */
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)HTTP_TLS_PRIORITIES},
		{MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *)(uintptr_t)http_tls_certificate},
		{MHD_OPTION_END, 0, NULL}};
	struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL |
			 MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
			 (origin == HTTP_TLS ? MHD_USE_TLS : 0);
	listener->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, http_on_access, listener, MHD_OPTION_EXTERNAL_LOGGER, on_log,
		NULL, MHD_OPTION_LISTEN_SOCKET, start->fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)HTTP_CONNECTIONS_MAX + ENDED_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)HTTP_HEAD_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
		listener->http->handler.idle_ms / 1000, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_URI_LOG_CALLBACK, http_on_target, listener, MHD_OPTION_NOTIFY_COMPLETED,
		http_on_completed, listener, MHD_OPTION_NOTIFY_CONNECTION, http_on_connection,
		listener, MHD_OPTION_ARRAY, origin == HTTP_TLS ? tls : none, MHD_OPTION_END);
	if (!listener->daemon)
		start->error = errno ? errno : EINVAL;
}

/* Whether a daemon that could not be started has closed its descriptor depends on how far it came,
 * and the number may be another file's by then. */
static void close_if_still(int fd, const struct stat *before)
{
	struct stat now;
	if (fstat(fd, &now) == 0 && now.st_dev == before->st_dev && now.st_ino == before->st_ino)
		close(fd);
}

int http_daemon_start(struct http_listener *listener)
{
	uv_thread_t starter;
	struct stat copied;
	sigset_t before;
	struct start start = {.listener = listener, .fd = fcntl(listener->fd, F_DUPFD_CLOEXEC, 0)};
	if (start.fd < 0 || fstat(start.fd, &copied) != 0)
		return errno;
	signals_block(&before);
	int err = -uv_thread_create(&starter, start_daemon, &start);
	signals_restore(&before);
	if (err == 0) {
		uv_thread_join(&starter);
		err = start.error;
	}
	if (err != 0)
		close_if_still(start.fd, &copied);
	return err;
}

void http_daemon_stop(struct http_listener *listener)
{
	if (listener->daemon)
		MHD_stop_daemon(listener->daemon);
	listener->daemon = NULL;
	if (listener->given_back >= 0)
		close(listener->given_back);
	listener->given_back = -1;
}

int http_add(struct http *http, const char *name, enum http_origin origin, int fd)
{
	struct http_listener *listener = calloc(1, sizeof *listener);
	char *copy = strdup(name);
	if (!listener || !copy) {
		free(copy);
		free(listener);
		close(fd);
		return ERR_NOMEM;
	}
	assert(origin != HTTP_TLS || http->certificate);
	listener->http = http;
	listener->origin = origin;
	listener->name = copy;
	listener->fd = fd;
	listener->given_back = -1;
	SLIST_INSERT_HEAD(&http->listeners, listener, next);
	return 0;
}

int http_listen(struct http *http, char error[HTTP_ERROR_MAX])
{
	struct http_listener *at = SLIST_FIRST(&http->listeners);
	for (; at; at = SLIST_NEXT(at, next)) {
		int err = at->daemon ? 0 : http_daemon_start(at);
		if (err == 0)
			continue;
		snprintf(error, HTTP_ERROR_MAX, "the HTTP server for %s cannot be started: %s",
			 at->name, strerror(err));
		return ERR_SYSTEM;
	}
	return 0;
}

void http_pause(struct http *http)
{
	struct http_listener *at = SLIST_FIRST(&http->listeners);
	assert(!http->paused);
	http->paused = true;
	http_linger(http);
	for (; at; at = SLIST_NEXT(at, next))
		if (at->daemon)
			at->given_back = MHD_quiesce_daemon(at->daemon);
	uv_async_send(&http->wake);
}

bool http_is_quiet(const struct http *http)
{
	return http->handed == 0 && http_is_sent(http);
}

/* ---- http and https ---- */

enum http_origin http_origin_of(const char *url)
{
	return strncasecmp(url, "https:", 6) == 0 ? HTTP_TLS : HTTP_TCP;
}

int http_url_host(const char *url, struct host *host)
{
	const char *at = strstr(url, "://");
	return at ? host_parse(host, at + 3, 0) : ERR_INVALID;
}

int http_open(const char *url, int *fd, char error[HTTP_ERROR_MAX])
{
	const int on = 1;
	struct host host;
	*fd = -1;
	errno = EINVAL;
	if (http_url_host(url, &host) == 0)
		*fd = socket_tcp(host.address.family);
	if (*fd >= 0 && setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
	    setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
	    socket_bind(*fd, &host) == 0 && listen(*fd, HTTP_CONNECTIONS_MAX) == 0)
		return 0;
	snprintf(error, HTTP_ERROR_MAX, "management.listen %s: %s", url, strerror(errno));
	if (*fd >= 0)
		close(*fd);
	return ERR_SYSTEM;
}
