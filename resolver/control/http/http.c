/* The hand-over between listeners' threads and the control thread: a queue with a lock and an
 * uv_async one way, libmicrohttpd's resume the other way.
 *
 *     http/exchange.c ─► http_hand_over ─► waiting ─wake─► on_wake ─► on_request
 *            ▲                                                            │
 *            └──────────── MHD_resume_connection ◄── http_reply ◄─────────┘
 *
 * libmicrohttpd's timeout ends connections without progress; one that makes a byte of progress now
 * and then is ended by the reaper. Sockets are shut down under the lock that is also taken to
 * forget a connection, so that this never meets another file behind the same number. */
#include "resolver/control/http/internal.h"

#include <assert.h>
#include <errno.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REAPER_MS = 250, TURN_MAX = 16 };

static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

void http_client_clock(struct http *http, struct http_connection *client, unsigned ms)
{
	pthread_mutex_lock(&http->lock);
	client->since_ms = now_ms();
	client->deadline_ms = client->since_ms + ms;
	pthread_mutex_unlock(&http->lock);
}

void http_client_end(struct http_connection *client)
{
	client->ended = true;
	shutdown(client->fd, SHUT_RDWR);
}

bool http_hand_over(struct http_exchange *exchange)
{
	struct http *http = exchange->listener->http;
	pthread_mutex_lock(&http->lock);
	bool open = !http->closing;
	if (open) {
		exchange->stage = HTTP_HANDED;
		exchange->client->deadline_ms = 0;
		MHD_suspend_connection(exchange->connection);
		struct http_queue *queue =
			exchange->listener->origin == HTTP_UNIX ? &http->at_socket : &http->waiting;
		STAILQ_INSERT_TAIL(queue, exchange, waiting);
		uv_async_send(&http->wake);
	}
	pthread_mutex_unlock(&http->lock);
	return open;
}

bool http_hold(struct http_exchange *exchange, size_t bytes)
{
	struct http *http = exchange->listener->http;
	size_t before = atomic_fetch_add(&http->held_bytes, bytes), max = http->handler.held_max;
	bool fits = before <= max && bytes <= max - before;
	bool alone = before == exchange->held_bytes;
	if (!fits && !alone && bytes > HTTP_SMALL && exchange->listener->origin != HTTP_UNIX) {
		atomic_fetch_sub(&http->held_bytes, bytes);
		return false;
	}
	exchange->held_bytes += bytes;
	return true;
}

/* ---- on the control thread ---- */

static void on_reaper(uv_timer_t *timer)
{
	struct http *http = timer->data;
	struct http_connection *client;
	uint64_t now = now_ms();
	pthread_mutex_lock(&http->lock);
	TAILQ_FOREACH (client, &http->connections, all)
		if (client->deadline_ms != 0 && client->deadline_ms <= now)
			http_client_end(client);
	if (TAILQ_EMPTY(&http->connections))
		uv_timer_stop(timer);
	pthread_mutex_unlock(&http->lock);
}

struct http_exchange *http_take_waiting(struct http *http)
{
	pthread_mutex_lock(&http->lock);
	struct http_queue *queue =
		STAILQ_EMPTY(&http->at_socket) ? &http->waiting : &http->at_socket;
	struct http_exchange *exchange = STAILQ_FIRST(queue);
	if (exchange)
		STAILQ_REMOVE_HEAD(queue, waiting);
	pthread_mutex_unlock(&http->lock);
	return exchange;
}

/* What is refused puts nothing off, or whoever asks again and again would put it off for good. */
static void refuse_paused(struct http *http, struct http_exchange *exchange)
{
	uint64_t linger_until_ms = http->linger_until_ms;
	char *body = http->handler.on_error(http->handler.context, &exchange->request, 503,
					    "an upgrade is under way; ask once more");
	http_header(&exchange->request, "Retry-After", "1");
	http_reply(&exchange->request, 503, "application/json", body, body ? strlen(body) : 0);
	http->linger_until_ms = linger_until_ms;
}

/* A few at a time: signals, timers and what workers let go of have their turn in between, however
 * fast clients ask again. */
static void on_wake(uv_async_t *wake)
{
	struct http *http = wake->data;
	if (!uv_is_active((uv_handle_t *)&http->reaper))
		uv_timer_start(&http->reaper, on_reaper, REAPER_MS, REAPER_MS);
	for (unsigned i = 0; i < TURN_MAX; i++) {
		struct http_exchange *exchange = http_take_waiting(http);
		if (!exchange)
			return;
		http->handed++;
		if (http->paused)
			refuse_paused(http, exchange);
		else
			http->handler.on_request(http->handler.context, &exchange->request);
	}
	uv_async_send(&http->wake);
}

/* ---- requests and answers ---- */

const char *http_request_header(const struct http_request *request, const char *name)
{
	const struct http_exchange *exchange = (const struct http_exchange *)request;
	return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

const char *http_status_text(unsigned status)
{
	return MHD_get_reason_phrase_for(status);
}

void http_header(struct http_request *request, const char *name, const char *value)
{
	struct http_exchange *exchange = (struct http_exchange *)request;
	size_t count = exchange->answer.header_count;
	assert(count <= HTTP_HEADERS_MAX); /* one more, for the type */
	char *name_copy = strdup(name), *value_copy = strdup(value);
	if (name_copy && value_copy) {
		exchange->answer.headers[count].name = name_copy;
		exchange->answer.headers[count].value = value_copy;
		exchange->answer.header_count++;
	} else { /* the answer goes without */
		free(name_copy);
		free(value_copy);
	}
}

void http_reply(struct http_request *request, unsigned status, const char *type, char *body,
		size_t length)
{
	struct http_exchange *exchange = (struct http_exchange *)request;
	const struct http_handler *handler = &exchange->listener->http->handler;
	assert(!exchange->answer.given);
	if (body && !http_hold(exchange, length)) {
		free(body);
		status = MHD_HTTP_SERVICE_UNAVAILABLE;
		type = "application/json";
		body = handler->on_error(handler->context, request, status,
					 "other clients are still taking long answers; try again");
		length = body ? strlen(body) : 0;
	}
	if (body)
		http_header(request, "Content-Type", type);
	exchange->answer.given = true;
	exchange->listener->http->answering++;
	exchange->answer.status = status;
	exchange->answer.body = body;
	exchange->answer.length = body ? length : 0;
	if (exchange->stage != HTTP_HANDED)
		return;
	http_linger(exchange->listener->http);
	exchange->listener->http->handed--;
	MHD_resume_connection(exchange->connection);
}

bool http_is_sent(const struct http *http)
{
	return http->answering == 0 || now_ms() >= http->linger_until_ms;
}

void http_linger(struct http *http)
{
	http->linger_until_ms = now_ms() + HTTP_LINGER_MS;
}

/* ---- who is meant ---- */

struct http_hosts {
	size_t count;
	char *names[];
};

struct http_hosts *http_hosts_new(const char *const *names, size_t count)
{
	struct http_hosts *hosts = calloc(1, sizeof *hosts + count * sizeof *hosts->names);
	for (size_t i = 0; hosts && i < count; i++) {
		hosts->names[i] = strdup(names[i]);
		if (!hosts->names[i]) {
			http_hosts_free(hosts);
			return NULL;
		}
		hosts->count++;
	}
	return hosts;
}

void http_hosts_free(struct http_hosts *hosts)
{
	for (size_t i = 0; hosts && i < hosts->count; i++)
		free(hosts->names[i]);
	free(hosts);
}

void http_use_hosts(struct http *http, struct http_hosts *hosts)
{
	pthread_mutex_lock(&http->lock);
	struct http_hosts *before = http->hosts;
	http->hosts = hosts;
	pthread_mutex_unlock(&http->lock);
	http_hosts_free(before);
}

static bool is_listed(struct http *http, const char *name)
{
	bool found = false;
	pthread_mutex_lock(&http->lock);
	for (size_t i = 0; http->hosts && i < http->hosts->count && !found; i++)
		found = strcasecmp(http->hosts->names[i], name) == 0;
	pthread_mutex_unlock(&http->lock);
	return found;
}

bool http_is_meant(struct http *http, const struct http_connection *client, const char *authority,
		   size_t length)
{
	char name[256];
	struct address address;
	bool local = address_is_loopback(&client->at);
	const char *port = memrchr(authority, ':', length), *end = memrchr(authority, ']', length);
	if (port && (!end || end < port)) { /* no colon of an IPv6 address */
		size_t digits = strspn(port + 1, "0123456789");

		if (digits < (size_t)(authority + length - port - 1))
			return false;
		length = (size_t)(port - authority);
	}
	if (length > 1 && *authority == '[' && authority[length - 1] == ']') {
		authority++;
		length -= 2;
	}
	if (length == 0 || length >= sizeof name)
		return false;
	snprintf(name, sizeof name, "%.*s", (int)length, authority);
	if (address_parse(&address, name) == 0 &&
	    (address_equal(&address, &client->at) || (local && address_is_loopback(&address))))
		return true;
	return (local && strcasecmp(name, "localhost") == 0) || is_listed(http, name);
}

/* ---- beginning and end ---- */

struct http *http_new(uv_loop_t *loop, const struct http_handler *handler)
{
	struct http *http = calloc(1, sizeof *http);
	if (!http)
		return NULL;
	if (uv_async_init(loop, &http->wake, on_wake) != 0) {
		free(http);
		return NULL;
	}
	uv_timer_init(loop, &http->reaper);
	http->wake.data = http->reaper.data = http;
	http->open_handles = 2;
	http->handler = *handler;
	http->niceness = getpriority(PRIO_PROCESS, 0) + HTTP_NICENESS; /* of this thread */
	if (!http->handler.idle_ms)
		http->handler.idle_ms = HTTP_IDLE_MS;
	if (!http->handler.exchange_ms)
		http->handler.exchange_ms = HTTP_EXCHANGE_MS;
	if (!http->handler.held_max)
		http->handler.held_max = HTTP_HELD_MAX;
	SLIST_INIT(&http->listeners);
	STAILQ_INIT(&http->at_socket);
	STAILQ_INIT(&http->waiting);
	TAILQ_INIT(&http->connections);
	int err = pthread_mutex_init(&http->lock, NULL);
	assert(err == 0);
	(void)err;
	return http;
}

static void on_closed(uv_handle_t *handle)
{
	struct http *http = handle->data;
	if (--http->open_handles > 0)
		return;
	pthread_mutex_destroy(&http->lock);
	http_certificate_free(http->certificate);
	http_hosts_free(http->hosts);
	free(http);
}

static void listener_close(struct http_listener *listener)
{
	http_daemon_stop(listener);
	close(listener->fd);
	free(listener->name);
	free(listener);
}

/* libmicrohttpd wants nothing suspended when it stops; what is woken without an answer is hung up
 * on. */
void http_close(struct http *http)
{
	const struct timespec step = {.tv_nsec = 1000000L};
	struct http_exchange *exchange;
	if (!http)
		return;
	assert(http->handed == 0);
	http_linger(http);
	while (!http_is_sent(http))
		nanosleep(&step, NULL);
	pthread_mutex_lock(&http->lock);
	http->closing = true;
	pthread_mutex_unlock(&http->lock);
	while ((exchange = http_take_waiting(http)))
		MHD_resume_connection(exchange->connection);
	while (!SLIST_EMPTY(&http->listeners)) {
		struct http_listener *listener = SLIST_FIRST(&http->listeners);
		SLIST_REMOVE_HEAD(&http->listeners, next);
		listener_close(listener);
	}
	uv_close((uv_handle_t *)&http->wake, on_closed);
	uv_close((uv_handle_t *)&http->reaper, on_closed);
}
