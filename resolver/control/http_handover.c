/* A daemon that is paused has given its socket back, and goes on with the connections that it has;
 * one that resumes is a new daemon, on the same socket.
 *
 *     listening ─http_pause─► paused ─http_resume─► listening, but for those that cannot be started
 *         ▲                                                       │
 *         └────────────────────── http_resume ◄───────────────────┘ */
#include "resolver/control/http_handover.h"

#include <assert.h>
#include <unistd.h>

#include "resolver/control/http_internal.h"
#include "resolver/log.h"

size_t http_listener_count(const struct http *http)
{
	struct http_listener *listener;
	size_t count = 0;
	SLIST_FOREACH(listener, &http->listeners, next)
	{
		count++;
	}
	return count;
}

const char *http_listener_at(const struct http *http, size_t number, enum http_origin *origin,
			     int *fd)
{
	struct http_listener *listener = SLIST_FIRST(&http->listeners);
	while (number-- > 0)
		listener = SLIST_NEXT(listener, next);
	*origin = listener->origin;
	*fd = listener->fd;
	return listener->name;
}

void http_pause(struct http *http)
{
	struct http_listener *at = SLIST_FIRST(&http->listeners);
	assert(!http->paused);
	http->paused = true;
	http_linger(http);
	for (; at; at = SLIST_NEXT(at, next))
		http_daemon_pause(at);
	uv_async_send(&http->wake);
}

bool http_is_quiet(const struct http *http)
{
	return http->handed == 0 && http_is_sent(http);
}

/* Ends the daemons that are paused, with their connections. */
static void stop_daemons(struct http *http)
{
	struct http_exchange *exchange;
	struct http_listener *at = SLIST_FIRST(&http->listeners);
	assert(http->handed == 0);
	pthread_mutex_lock(&http->lock);
	http->closing = true; /* a daemon that stops wants nothing suspended */
	pthread_mutex_unlock(&http->lock);
	while ((exchange = http_take_waiting(http)))
		MHD_resume_connection(exchange->connection);
	for (; at; at = SLIST_NEXT(at, next))
		http_daemon_stop(at);
	pthread_mutex_lock(&http->lock);
	http->closing = false;
	pthread_mutex_unlock(&http->lock);
	http->paused = false;
}

bool http_resume(struct http *http)
{
	struct http_listener *at = SLIST_FIRST(&http->listeners);
	bool all = true;
	if (http->paused)
		stop_daemons(http);
	for (; at; at = SLIST_NEXT(at, next)) {
		int err = at->daemon ? 0 : http_daemon_start(at);
		if (err != 0)
			log_event(LOG_ERROR, "http",
				  "%s cannot be listened at again, which is tried on: %s", at->name,
				  strerror(err));
		all = all && err == 0;
	}
	return all;
}

void http_give_socket(struct http *http, bool away)
{
	http->socket_given = away;
}

int http_listen_handed(struct http *http, const char *name, enum http_origin origin, int fd,
		       char error[HTTP_ERROR_MAX])
{
	struct unix_socket socket;
	if (origin == HTTP_UNIX && unix_socket_adopt(&socket, name) != 0) {
		snprintf(error, HTTP_ERROR_MAX, "control socket %s: its file is gone", name);
		close(fd);
		return ERR_NOT_FOUND;
	}
	return http_listener_start(http, name, fd, origin, origin == HTTP_UNIX ? &socket : NULL,
				   error);
}
