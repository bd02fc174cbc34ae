/* A request goes from its listener's thread, on which libmicrohttpd calls, to the control thread by
 * a queue with a lock and a uv_async; libmicrohttpd's resume brings the answer back.
 *
 *     on_connection ─► on_target ─► on_access (head) ─► on_access (body)... ─► on_access (whole)
 *                          ▲                                                        │ suspended
 *                          │                             on_wake ◄─wake─ waiting ◄──┘
 *                          │                                │
 *                          │                                └─► on_request ─► http_reply
 *                          │                                                      │ resumed
 *                          └── on_completed ◄── on_access (the answer) ◄──────────┘
 *
 * A refusal is sent after the body has been read and discarded, because a client that is still
 * sending when its connection ends may not see the refusal. A very long body, and one that waits
 * for "100 Continue", is not read at all.
 *
 * libmicrohttpd's timeout ends connections without progress; the reaper ends those that make a byte
 * of progress now and then. The reaper shuts sockets down under the lock that also guards the
 * removal of connections, so a descriptor cannot become another file's meanwhile.
 *
 * A listener is a socket and a daemon of libmicrohttpd with one thread. The daemon has a copy of
 * the descriptor, so it may stop, or fail to start, and another daemon takes its place.
 */
#include "resolver/control/http/http.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "endpoints/socket.h"
#include "resolver/control/base/signals.h"
#include "resolver/control/http/stream.h"
#include "resolver/control/http/tls.h"
#include "resolver/log.h"
#include "rules/base.h"

enum {
	REAPER_MS = 250,
	TURN_MAX = 16, /* requests that the control thread handles before its other work */
	DISCARD_MAX = 16 * 1024 * 1024,
	BODY_FIRST = 16 * 1024,
	STREAM_BLOCK = 16 * 1024,
	ENDED_MAX = 16, /* ended connections of a listener that libmicrohttpd has not closed yet */
};

/* A client's connection, kept here to end it when it takes too long. */
struct http_connection {
	TAILQ_ENTRY(http_connection) all;
	const struct http_listener *listener;
	int fd;
	uid_t uid;
	struct address from, at; /* the client's address, and the server's; family 0: unix socket */
	struct address site;     /* of `from` */
	char client[HTTP_CLIENT_MAX];   /* whose credentials it has shown; "": none */
	bool busy;                      /* has a request of that client */
	bool ended;                     /* by client_end; libmicrohttpd has not closed it yet */
	bool late;                      /* its answer is late */
	uint64_t since_ms, deadline_ms; /* CLOCK_MONOTONIC: last step, limit of the next; 0: none */
};

struct http_listener {
	SLIST_ENTRY(http_listener) next;
	struct http *http;
	struct MHD_Daemon *daemon; /* NULL: not started */
	char *name;                /* the URL, or the unix socket's path */
	int fd;                    /* owned by the listener; the daemon has a copy */
	int given_back;            /* by a paused daemon, which may still use this copy; -1: none */
	enum http_origin origin;
};

enum http_stage {
	HTTP_NEW,    /* the request line is there */
	HTTP_BODY,   /* the head is there; the body is being read or discarded */
	HTTP_HANDED, /* the control thread has it; suspended */
	HTTP_LATE,   /* the answer waits for its time; suspended */
	HTTP_SENT,   /* the answer is being sent */
};

struct http_exchange {
	struct http_request request;
	STAILQ_ENTRY(http_exchange) waiting;
	struct http_listener *listener;
	struct MHD_Connection *connection;
	struct http_connection *client;
	enum http_stage stage;
	char *target, *body;   /* `target`: path and query, taken apart by NULs */
	const char *authority; /* within target; NULL: the target is only a path */
	size_t authority_length;
	size_t room;
	size_t discarded;  /* bytes of the body that were thrown away */
	size_t held_bytes; /* the share of this exchange in http->held_bytes */
	uint64_t due_ms;   /* when a late answer is sent; 0: others to its address are first */
	struct {
		bool given;
		bool late; /* http_late */
		bool last; /* ends the connection */
		unsigned status;
		char *body;
		struct http_stream *stream; /* instead of a body */
		size_t length, header_count;
		struct {
			char *name, *value;
		} headers[HTTP_HEADERS_MAX + 1];
	} answer;
};

STAILQ_HEAD(http_queue, http_exchange);
struct http {
	struct http_handler handler;
	uv_async_t wake;
	uv_timer_t reaper; /* runs while there are connections */
	unsigned open_handles;
	struct http_streams *streams;
	int niceness; /* of listeners' threads */
	SLIST_HEAD(, http_listener) listeners;
	size_t handed;                        /* requests given to on_request and not answered */
	bool paused;                          /* http_pause */
	atomic_size_t held_bytes;             /* of bodies and answers, of all exchanges */
	atomic_size_t answering;              /* answers that are not sent yet */
	uint64_t linger_until_ms;             /* clients may take their last answers until then */
	pthread_mutex_t lock;                 /* protects all that follows */
	bool closing;                         /* hand no more requests over */
	struct http_queue at_socket, waiting; /* at_socket is served first */
	struct http_queue late;               /* answers, in the order they were given */
	TAILQ_HEAD(, http_connection) connections;
	struct http_certificate *certificate; /* NULL: no https */
	struct http_hosts *hosts;             /* NULL: no names */
};

/* TLS 1.3, and 1.2 with ECDHE and AEAD only (RFC 9325 sections 3.1.1, 4.1 and 4.2). */
#define TLS_PRIORITIES                                                                             \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-DHE-RSA:-CIPHER-ALL:+AES-256-GCM:"       \
	"+CHACHA20-POLY1305:+AES-128-GCM:-MAC-ALL:+AEAD"

static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

/* Gives clients HTTP_LINGER_MS from now to take answers that are not sent yet. */
static void linger(struct http *http)
{
	http->linger_until_ms = now_ms() + HTTP_LINGER_MS;
}

static bool is_sent(const struct http *http)
{
	return http->answering == 0 || now_ms() >= http->linger_until_ms;
}

/* Gives the client `ms` from now for its next step. */
static void client_clock(struct http *http, struct http_connection *client, unsigned ms)
{
	pthread_mutex_lock(&http->lock);
	client->since_ms = now_ms();
	client->deadline_ms = client->since_ms + ms;
	pthread_mutex_unlock(&http->lock);
}

static void client_is_idle(struct http *http, struct http_connection *client)
{
	pthread_mutex_lock(&http->lock);
	client->busy = client->late = false;
	pthread_mutex_unlock(&http->lock);
}

/* Closes the connection; the caller holds the lock. libmicrohttpd frees the connection when it
 * notices, but not while the connection is suspended. */
static void client_end(struct http_connection *client)
{
	client->ended = true;
	shutdown(client->fd, SHUT_RDWR);
	if (client->late)
		uv_async_send(&client->listener->http->wake); /* for send_late */
}

/* Suspends the connection and hands its request to the control thread. False: the server is
 * closing, and nothing was done. */
static bool hand_over(struct http_exchange *exchange)
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

/* Counts more bytes for this exchange, until it ends. False: too many are held. A small piece, a
 * lone exchange and the unix socket are never refused. */
static bool hold(struct http_exchange *exchange, size_t bytes)
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

/* ---- requests and answers ---- */

const char *http_request_header(const struct http_request *request, const char *name)
{
	const struct http_exchange *exchange =
		container_of(request, const struct http_exchange, request);
	return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

const char *http_status_text(unsigned status)
{
	return MHD_get_reason_phrase_for(status);
}

void http_header(struct http_request *request, const char *name, const char *value)
{
	struct http_exchange *exchange = container_of(request, struct http_exchange, request);
	size_t count = exchange->answer.header_count;
	assert(count <= HTTP_HEADERS_MAX); /* one more, for Content-Type */
	char *name_copy = strdup(name), *value_copy = strdup(value);
	if (name_copy && value_copy) {
		exchange->answer.headers[count].name = name_copy;
		exchange->answer.headers[count].value = value_copy;
		exchange->answer.header_count++;
	} else { /* no memory: answer without this header */
		free(name_copy);
		free(value_copy);
	}
}

/* Suspends the connection for send_late. False: the server is closing, so answer at once. */
static bool wait_late(struct http_exchange *exchange)
{
	struct http *http = exchange->listener->http;

	pthread_mutex_lock(&http->lock);
	bool open = !http->closing;
	if (open) {
		if (exchange->stage != HTTP_HANDED)
			MHD_suspend_connection(exchange->connection);
		exchange->stage = HTTP_LATE;
		exchange->client->deadline_ms = UINT64_MAX; /* the server waits, not the client */
		STAILQ_INSERT_TAIL(&http->late, exchange, waiting);
		uv_async_send(&http->wake);
	}
	pthread_mutex_unlock(&http->lock);
	return open;
}

void http_reply(struct http_request *request, unsigned status, const char *type, char *body,
		size_t length)
{
	struct http_exchange *exchange = container_of(request, struct http_exchange, request);
	const struct http_handler *handler = &exchange->listener->http->handler;
	assert(!exchange->answer.given);
	if (body && !hold(exchange, length)) {
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
	linger(exchange->listener->http);
	exchange->listener->http->handed--;
	if (!exchange->answer.late || !wait_late(exchange))
		MHD_resume_connection(exchange->connection);
}

/* A stream has no end to wait for, so `answering` does not count it. */
bool http_reply_stream(struct http_request *request, const char *type,
		       const struct http_stream_source *source)
{
	struct http_exchange *exchange = container_of(request, struct http_exchange, request);
	struct http *http = exchange->listener->http;

	assert(!exchange->answer.given && exchange->stage == HTTP_HANDED);
	exchange->answer.stream = http_stream_new(
		http->streams, request->origin == HTTP_UNIX ? NULL : request->client,
		request->route, request->until_s, source);
	if (!exchange->answer.stream)
		return false;
	http_header(request, "Content-Type", type);
	exchange->answer.given = true;
	exchange->answer.status = MHD_HTTP_OK;
	http->handed--;
	MHD_resume_connection(exchange->connection);
	return true;
}

void http_look(struct http *http)
{
	http_streams_ask(http->streams);
}

void http_end_streams(struct http *http)
{
	http_streams_end(http->streams, false);
}

void http_end_streams_of(struct http_request *request, const char *client)
{
	struct http_exchange *exchange = container_of(request, struct http_exchange, request);

	http_streams_end_of(exchange->listener->http->streams, client);
}

/* ---- the Host header ---- */

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

/* Is "HOST" or "HOST:PORT" this server, as the connection reached it? */
static bool names_us(struct http *http, const struct http_connection *client, const char *authority,
		     size_t length)
{
	char name[256];
	struct address address;
	bool local = address_is_loopback(&client->at);
	const char *port = memrchr(authority, ':', length), *end = memrchr(authority, ']', length);
	if (port && (!end || end < port)) { /* not a colon of an IPv6 address */
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

/* ---- connections ---- */

static struct address address_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct sockaddr_storage storage = {0};
	struct host host = {0};
	if (!info || !info->client_addr)
		return host.address;
	size_t length = info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
								 : sizeof(struct sockaddr_in);
	memcpy(&storage, info->client_addr, length);
	socket_host(&storage, &host);
	return host.address;
}

static struct address own_address(int fd)
{
	struct sockaddr_storage storage = {0};
	socklen_t length = sizeof storage;
	struct host host = {0};
	if (getsockname(fd, (struct sockaddr *)&storage, &length) == 0)
		socket_host(&storage, &host);
	return host.address;
}

static bool is_anyone(const struct http_connection *a, const struct http_connection *b)
{
	(void)a;
	(void)b;
	return true;
}

static bool is_neighbour(const struct http_connection *a, const struct http_connection *b)
{
	return address_equal(&a->site, &b->site);
}

/* With credentials a client is the same from any address; without, the address is the client. */
static bool is_same_client(const struct http_connection *a, const struct http_connection *b)
{
	return strcmp(a->client, b->client) == 0 && (*a->client || is_neighbour(a, b));
}

typedef bool is_alike(const struct http_connection *a, const struct http_connection *b);

/* Counts the open connections of the client's listener for which `alike` is true, perhaps the
 * client's own among them. */
static unsigned count_beside(const struct http *http, const struct http_connection *client,
			     is_alike *alike)
{
	const struct http_connection *other;
	unsigned count = 0;

	TAILQ_FOREACH (other, &http->connections, all)
		count += other->listener == client->listener && !other->ended &&
			 alike(other, client);
	return count;
}

/* Finds the connection to close for the newcomer: one with a late answer, else the longest idle one
 * of the client with the most connections. A request that the control thread is handling protects
 * its connection, because its answer comes soon. NULL: all are busy. The caller holds the lock. */
static struct http_connection *find_idle(const struct http *http,
					 const struct http_connection *newcomer, is_alike *alike)
{
	struct http_connection *other, *found = NULL;
	unsigned most = 0;

	TAILQ_FOREACH (other, &http->connections, all) {
		if (other == newcomer || other->listener != newcomer->listener || other->ended ||
		    other->busy || other->deadline_ms == 0 || !alike(other, newcomer))
			continue;
		unsigned count = count_beside(http, other, is_same_client);
		if (!found || (other->late && !found->late) ||
		    (other->late == found->late &&
		     (count > most || (count == most && other->since_ms < found->since_ms)))) {
			found = other;
			most = count;
		}
	}
	return found;
}

/* Closes a connection if the newcomer is one too many. The caller holds the lock. */
static void make_room(const struct http *http, struct http_connection *newcomer)
{
	bool crowded = newcomer->site.family != 0 &&
		       count_beside(http, newcomer, is_neighbour) > HTTP_PER_ADDRESS_MAX;

	if (!crowded && count_beside(http, newcomer, is_anyone) <= HTTP_CONNECTIONS_MAX)
		return;
	struct http_connection *idle =
		find_idle(http, newcomer, crowded ? is_neighbour : is_anyone);
	client_end(idle ? idle : newcomer);
}

static bool is_busy(const struct http_connection *a, const struct http_connection *b)
{
	return a != b && a->busy;
}

static bool is_busy_neighbour(const struct http_connection *a, const struct http_connection *b)
{
	return is_busy(a, b) && is_neighbour(a, b);
}

static bool is_busy_of_client(const struct http_connection *a, const struct http_connection *b)
{
	return is_busy(a, b) && is_same_client(a, b);
}

/* Does the client have HTTP_FEW other requests, while only reserved places are left? A newcomer is
 * unknown until its head is read, and may take a reserved place until then. The caller holds the
 * lock. */
static bool is_greedy(const struct http *http, const struct http_connection *connection)
{
	return count_beside(http, connection, is_busy_of_client) >= HTTP_FEW &&
	       (count_beside(http, connection, is_busy_neighbour) >=
			HTTP_PER_ADDRESS_MAX - HTTP_PER_ADDRESS_MAX / HTTP_KEPT ||
		count_beside(http, connection, is_busy) >=
			HTTP_CONNECTIONS_MAX - HTTP_CONNECTIONS_MAX / HTTP_KEPT);
}

/* Notes the client of the connection. False: the client is greedy, or has too many connections, all
 * of them busy. */
static bool become_known(struct http *http, struct http_connection *connection, const char *client)
{
	bool local = connection->listener->origin == HTTP_UNIX;
	struct http_connection *idle = NULL;
	bool fits, greedy;

	pthread_mutex_lock(&http->lock);
	snprintf(connection->client, sizeof connection->client, "%s", client);
	greedy = !local && is_greedy(http, connection);
	fits = local ||
	       (!greedy && count_beside(http, connection, is_same_client) <= HTTP_PER_CLIENT_MAX);
	if (!fits && !greedy && (idle = find_idle(http, connection, is_same_client)))
		client_end(idle);
	connection->busy = fits || idle;
	pthread_mutex_unlock(&http->lock);
	return connection->busy;
}

static void client_arrives(struct http_listener *listener, struct MHD_Connection *connection,
			   void **context)
{
	struct ucred peer;
	socklen_t length = sizeof peer;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct http *http = listener->http;
	struct http_connection *client = info ? calloc(1, sizeof *client) : NULL;
	*context = client;
	if (!client)
		return;
	client->listener = listener;
	client->fd = info->connect_fd;
	client->uid = (uid_t)-1; /* no user has this id */
	if (listener->origin == HTTP_UNIX &&
	    getsockopt(client->fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0)
		client->uid = peer.uid;
	if (listener->origin != HTTP_UNIX)
		client->from = address_of(connection);
	client->site = address_site(&client->from);
	client->at = own_address(client->fd);
	client_clock(http, client, http->handler.idle_ms);
	pthread_mutex_lock(&http->lock);
	if (TAILQ_EMPTY(&http->connections) && !http->closing)
		uv_async_send(&http->wake); /* starts the reaper */
	TAILQ_INSERT_TAIL(&http->connections, client, all);
	make_room(http, client);
	pthread_mutex_unlock(&http->lock);
}

static void client_leaves(struct http *http, struct http_connection *client)
{
	if (!client)
		return;
	pthread_mutex_lock(&http->lock);
	TAILQ_REMOVE(&http->connections, client, all);
	pthread_mutex_unlock(&http->lock);
	free(client);
}

/* Restricts the daemon's thread at its first connection, before anything of a client is read. The
 * daemon cannot inherit the restriction: a thread that has it may start no other. */
static void prepare_thread(const struct http_handler *handler)
{
	static _Thread_local bool prepared;
	if (!prepared && handler->on_thread)
		handler->on_thread(handler->context);
	prepared = true;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **client,
			  enum MHD_ConnectionNotificationCode what)
{
	struct http_listener *listener = context;
	prepare_thread(&listener->http->handler);
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		client_arrives(listener, connection, client);
	else
		client_leaves(listener->http, *client);
}

/* ---- late answers ---- */

bool http_late(struct http_request *request)
{
	struct http_exchange *exchange = container_of(request, struct http_exchange, request);
	struct http *http = exchange->listener->http;
	const struct http_connection *other;
	unsigned count = 0;

	assert(!exchange->answer.given && request->origin != HTTP_UNIX);
	pthread_mutex_lock(&http->lock);
	TAILQ_FOREACH (other, &http->connections, all)
		count += other->late && !other->ended && is_neighbour(other, exchange->client);
	exchange->answer.late = exchange->client->late = count < HTTP_LATE_MAX;
	pthread_mutex_unlock(&http->lock);
	exchange->answer.last = !exchange->answer.late;
	return exchange->answer.late;
}

/* Is this the first of the late answers to its address? The caller holds the lock. */
static bool is_next(const struct http *http, const struct http_exchange *exchange)
{
	const struct http_exchange *other;

	STAILQ_FOREACH(other, &http->late, waiting)
	{
		if (other == exchange)
			return true;
		if (is_neighbour(other->client, exchange->client))
			return false;
	}
	return false;
}

/* Takes a late answer that is due; NULL: none is. With `all`, each is due. */
static struct http_exchange *take_late(struct http *http, bool all)
{
	struct http_exchange *exchange;
	uint64_t now = now_ms();

	pthread_mutex_lock(&http->lock);
	STAILQ_FOREACH(exchange, &http->late, waiting)
	{
		if (all || exchange->client->ended)
			break;
		if (exchange->due_ms == 0 && is_next(http, exchange))
			exchange->due_ms = now + HTTP_LATE_MS;
		if (exchange->due_ms != 0 && exchange->due_ms <= now)
			break;
	}
	if (exchange)
		STAILQ_REMOVE(&http->late, exchange, http_exchange, waiting);
	pthread_mutex_unlock(&http->lock);
	return exchange;
}

/* Runs on the control thread. */
static void send_late(struct http *http, bool all)
{
	struct http_exchange *exchange;

	while ((exchange = take_late(http, all)))
		MHD_resume_connection(exchange->connection);
}

/* ---- an exchange ---- */

static void exchange_free(struct http_exchange *exchange)
{
	for (size_t i = 0; i < exchange->answer.header_count; i++) {
		free(exchange->answer.headers[i].name);
		free(exchange->answer.headers[i].value);
	}
	atomic_fetch_sub(&exchange->listener->http->held_bytes, exchange->held_bytes);
	free(exchange->answer.body);
	free(exchange->target);
	free(exchange->body);
	free(exchange);
}

/* Takes the request's target apart. A whole URL is possible as well (RFC 9112 section 3.2.2). */
static bool cut_target(struct http_exchange *exchange)
{
	char *path = exchange->target, *query = strchr(path, '?'), *authority = NULL;
	if (query)
		*query++ = '\0';
	if (strncasecmp(path, "http://", 7) == 0)
		authority = path + 7;
	else if (strncasecmp(path, "https://", 8) == 0)
		authority = path + 8;
	if (authority)
		path = strchr(authority, '/');
	exchange->authority = authority;
	exchange->authority_length =
		authority ? (path ? (size_t)(path - authority) : strlen(authority)) : 0;
	exchange->request.query = query ? query : "";
	exchange->request.path = path ? path : "/";
	return *exchange->request.path == '/';
}

static void *on_target(void *context, const char *target, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct http_connection *client = info ? info->socket_context : NULL;
	struct http_exchange *exchange = client ? calloc(1, sizeof *exchange) : NULL;
	if (!exchange)
		return NULL;
	exchange->target = strdup(target);
	if (!exchange->target) {
		free(exchange);
		return NULL;
	}
	exchange->listener = context;
	exchange->connection = connection;
	exchange->client = client;
	exchange->request.origin = exchange->listener->origin;
	exchange->request.uid = client->uid;
	exchange->request.from = client->from;
	exchange->request.at = client->at;
	exchange->request.body_max = HTTP_BODY_MAX;
	return exchange;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **exchange,
			 enum MHD_RequestTerminationCode how)
{
	(void)connection;
	(void)how;
	struct http_listener *listener = context;
	struct http_exchange *done = *exchange;
	if (!done)
		return;
	client_clock(listener->http, done->client, listener->http->handler.idle_ms);
	client_is_idle(listener->http, done->client);
	if (done->answer.stream)
		http_stream_leave(done->answer.stream);
	else
		listener->http->answering -= done->answer.given;
	exchange_free(done);
	*exchange = NULL;
}

/* ---- the answer ---- */

/* The time limit begins anew with each buffer, and with data that is appended to a buffer after the
 * client has taken all of it. No limit runs while there is no data. */
static ssize_t on_room(void *context, uint64_t position, char *to, size_t room)
{
	struct http_exchange *exchange = context;
	struct http *http = exchange->listener->http;
	bool is_first;
	ssize_t length = http_stream_take(exchange->answer.stream, exchange->connection, to, room,
					  &is_first);
	(void)position;
	if (length > 0 && (is_first || exchange->client->deadline_ms == 0))
		client_clock(http, exchange->client, http->handler.exchange_ms);
	if (length == 0) {
		pthread_mutex_lock(&http->lock);
		exchange->client->deadline_ms = 0;
		pthread_mutex_unlock(&http->lock);
	}
	return length >= 0 ? length : MHD_CONTENT_READER_END_OF_STREAM;
}

static struct MHD_Response *make_response(struct http_exchange *exchange)
{
	if (exchange->answer.stream)
		return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, on_room,
							 exchange, NULL);
	return MHD_create_response_from_buffer(exchange->answer.length, exchange->answer.body,
					       exchange->answer.body ? MHD_RESPMEM_MUST_FREE
								     : MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result send_answer(struct http_exchange *exchange)
{
	struct MHD_Response *response = make_response(exchange);
	if (!response)
		return MHD_NO;
	exchange->answer.body = NULL; /* the response owns it now */
	for (size_t i = 0; i < exchange->answer.header_count; i++)
		MHD_add_response_header(response, exchange->answer.headers[i].name,
					exchange->answer.headers[i].value);
	if (!MHD_get_response_header(response, "Cache-Control"))
		MHD_add_response_header(response, "Cache-Control", "no-store");
	if (exchange->answer.last)
		MHD_add_response_header(response, "Connection", "close");
	exchange->stage = HTTP_SENT;
	client_clock(exchange->listener->http, exchange->client,
		     exchange->listener->http->handler.exchange_ms);
	enum MHD_Result queued =
		MHD_queue_response(exchange->connection, exchange->answer.status, response);
	MHD_destroy_response(response);
	return queued;
}

static void refuse(struct http_exchange *exchange, unsigned status, const char *text)
{
	const struct http_handler *handler = &exchange->listener->http->handler;
	char *body = handler->on_error(handler->context, &exchange->request, status, text);
	if (!exchange->answer.given)
		http_reply(&exchange->request, status, "application/json", body,
			   body ? strlen(body) : 0);
	else
		free(body);
}

static void refuse_length(struct http_exchange *exchange)
{
	char text[80];
	snprintf(text, sizeof text, "the body is too long; at most %zu bytes are accepted here",
		 exchange->request.body_max);
	refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE, text);
}

/* ---- the request ---- */

/* The value of Content-Length, which libmicrohttpd has checked; 0 if there is none. */
static uint64_t announced_length(const struct http_exchange *exchange)
{
	const char *text = http_request_header(&exchange->request, "Content-Length");
	return text ? strtoull(text, NULL, 10) : 0;
}

struct head {
	bool plain; /* every header's name is a token */
	unsigned ends, hosts;
};

/* RFC 9110 section 5.6.2. libmicrohttpd takes all before the colon as the name, with blanks. */
static bool is_token(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789!#$%&'*+-.^_`|~");
	return length > 0 && !name[length];
}

static enum MHD_Result look_at_line(void *context, enum MHD_ValueKind kind, const char *name,
				    const char *value)
{
	(void)kind;
	struct head *head = context;
	bool is_coding = strcasecmp(name, "Transfer-Encoding") == 0;
	if (is_coding || strcasecmp(name, "Content-Length") == 0)
		head->ends += is_coding && (!value || strcasecmp(value, "chunked") != 0) ? 2 : 1;
	head->hosts += strcasecmp(name, "Host") == 0;
	head->plain = head->plain && is_token(name);
	return MHD_YES;
}

/* Why a proxy may read this head differently, so that proxy and server disagree on where the
 * request ends or whom it is for (RFC 9112 sections 3.2, 5.1 and 6.3). NULL: there is no such
 * reason. */
static const char *ambiguity(const struct http_exchange *exchange)
{
	struct head head = {.plain = true};
	MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, look_at_line, &head);
	if (!head.plain)
		return "a header's name has to be one word, with its colon right behind it";
	if (head.hosts > 1)
		return "there is more than one Host header";
	if (head.ends > 1)
		return "the body has one end: one Content-Length, or else Transfer-Encoding: "
		       "chunked";
	return NULL;
}

/* Does the client address this server? HTTP/1.0 needs no Host header, and no browser uses it. */
static bool is_meant(const struct http_exchange *exchange)
{
	struct http *http = exchange->listener->http;
	const char *host = http_request_header(&exchange->request, "Host");
	if (exchange->listener->origin == HTTP_UNIX)
		return true;
	return (!host || names_us(http, exchange->client, host, strlen(host))) &&
	       (!exchange->authority ||
		names_us(http, exchange->client, exchange->authority, exchange->authority_length));
}

static enum MHD_Result on_head(struct http_exchange *exchange, const char *method)
{
	struct http *http = exchange->listener->http;
	const struct http_handler *handler = &http->handler;
	client_clock(http, exchange->client, handler->exchange_ms);
	exchange->stage = HTTP_BODY;
	exchange->request.method = method;
	bool fine = cut_target(exchange);
	const char *wrong = ambiguity(exchange);
	exchange->answer.last = wrong != NULL;
	if (wrong)
		refuse(exchange, MHD_HTTP_BAD_REQUEST, wrong);
	else if (!is_meant(exchange))
		refuse(exchange, MHD_HTTP_MISDIRECTED_REQUEST,
		       "the Host header names another server; ask by this one's address, or by a "
		       "name of management.hosts");
	else if (fine)
		handler->on_head(handler->context, &exchange->request);
	else
		refuse(exchange, MHD_HTTP_BAD_REQUEST, "the path does not begin with '/'");
	if (*exchange->request.client &&
	    !become_known(http, exchange->client, exchange->request.client))
		refuse(exchange, MHD_HTTP_TOO_MANY_REQUESTS,
		       "this client has as many requests under way as it may; wait for one of "
		       "them");
	uint64_t length = announced_length(exchange);
	if (!exchange->answer.given && length > exchange->request.body_max)
		refuse_length(exchange);
	bool unread = length > DISCARD_MAX || exchange->answer.last ||
		      http_request_header(&exchange->request, "Expect");
	if (unread)
		exchange->answer.last |= exchange->answer.late; /* on_head cannot suspend */
	return exchange->answer.given && unread ? send_answer(exchange) : MHD_YES;
}

/* Makes room for `needed` bytes of body; false: there is none, and the request was refused. */
static bool grow_body(struct http_exchange *exchange, size_t needed)
{
	size_t room = exchange->room ? exchange->room * 2 : BODY_FIRST;
	if (needed <= exchange->room)
		return true;
	if (room < needed)
		room = needed;
	if (!hold(exchange, room - exchange->room)) {
		refuse(exchange, MHD_HTTP_SERVICE_UNAVAILABLE,
		       "other clients are still sending long bodies; try again");
		return false;
	}
	char *grown = realloc(exchange->body, room);
	if (!grown) {
		refuse(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
		return false;
	}
	exchange->body = grown;
	exchange->room = room;
	return true;
}

/* MHD_NO closes the connection: a body without an announced length may have no end. */
static enum MHD_Result on_data(struct http_exchange *exchange, const char *data, size_t length)
{
	struct http_request *request = &exchange->request;
	if (!exchange->answer.given && length > request->body_max - request->body_length)
		refuse_length(exchange);
	if (!exchange->answer.given && grow_body(exchange, request->body_length + length + 1)) {
		memcpy(exchange->body + request->body_length, data, length);
		request->body_length += length;
		exchange->body[request->body_length] = '\0';
		return MHD_YES;
	}
	exchange->discarded += length;
	return exchange->discarded > DISCARD_MAX ? MHD_NO : MHD_YES;
}

static enum MHD_Result on_whole(struct http_exchange *exchange)
{
	if (exchange->answer.given)
		return exchange->answer.late && wait_late(exchange) ? MHD_YES
								    : send_answer(exchange);
	exchange->request.body = exchange->body ? exchange->body : "";
	return hand_over(exchange) ? MHD_YES : MHD_NO;
}

static enum MHD_Result on_access(void *context, struct MHD_Connection *connection, const char *url,
				 const char *method, const char *version, const char *data,
				 size_t *length, void **context_of_request)
{
	(void)context;
	(void)connection;
	(void)url;
	(void)version;
	struct http_exchange *exchange = *context_of_request;
	if (!exchange)
		return MHD_NO;
	if (exchange->stage == HTTP_NEW)
		return on_head(exchange, method);
	if (*length > 0) {
		enum MHD_Result goes_on = on_data(exchange, data, *length);
		*length = 0;
		return goes_on;
	}
	if (exchange->stage == HTTP_BODY)
		return on_whole(exchange);
	/* No answer: the server is closing. Another stage: the daemon is stopping and did not take
	 * the answer. */
	bool answered = (exchange->stage == HTTP_HANDED || exchange->stage == HTTP_LATE) &&
			exchange->answer.given;
	return answered ? send_answer(exchange) : MHD_NO;
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
			client_end(client);
	if (TAILQ_EMPTY(&http->connections))
		uv_timer_stop(timer);
	pthread_mutex_unlock(&http->lock);
	send_late(http, http->paused);
}

/* Takes the next request out of the queues, the unix socket's first; NULL: there is none. */
static struct http_exchange *take_waiting(struct http *http)
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

/* A refusal does not prolong the wait, or a client that keeps asking could prolong it for ever. */
static void refuse_paused(struct http *http, struct http_exchange *exchange)
{
	uint64_t linger_until_ms = http->linger_until_ms;
	char *body = http->handler.on_error(http->handler.context, &exchange->request, 503,
					    "an upgrade is under way; try again");
	http_header(&exchange->request, "Retry-After", "1");
	http_reply(&exchange->request, 503, "application/json", body, body ? strlen(body) : 0);
	http->linger_until_ms = linger_until_ms;
}

/* Handles a few requests at a time: signals, timers and other events of the loop get their turn in
 * between, however many requests there are. */
static void on_wake(uv_async_t *wake)
{
	struct http *http = wake->data;
	if (!uv_is_active((uv_handle_t *)&http->reaper))
		uv_timer_start(&http->reaper, on_reaper, REAPER_MS, REAPER_MS);
	send_late(http, http->paused);
	for (unsigned i = 0; i < TURN_MAX; i++) {
		struct http_exchange *exchange = take_waiting(http);
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

/* ---- the daemon ---- */

static void on_log(void *context, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));
/* Without free descriptors and without a connection to close, libmicrohttpd logs this message and
 * retries at once, in a loop; the pause slows it down. */
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

/* Gives a handshake a copy of the certificate, which may be replaced meanwhile. */
static int on_handshake(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
			gnutls_pcert_st **chain, unsigned *length, gnutls_ocsp_data_st **ocsp,
			unsigned *ocsp_length, gnutls_privkey_t *key, unsigned *flags)
{
	(void)info;
	/* libmicrohttpd sets the session's pointer to its connection. */
	const union MHD_ConnectionInfo *context = MHD_get_connection_info(
		gnutls_session_get_ptr(session), MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct http_connection *client = context ? context->socket_context : NULL;
	if (!client)
		return -1;
	struct http *http = client->listener->http;
	*ocsp = NULL;
	*ocsp_length = 0;
	*flags = GNUTLS_CERT_RETR_DEINIT_ALL;
	pthread_mutex_lock(&http->lock);
	int err = http_certificate_copy(http->certificate, chain, length, key);
	pthread_mutex_unlock(&http->lock);
	return err == 0 ? 0 : -1;
}

struct start { /* a daemon; error: errno if it could not be started */
	struct http_listener *listener;
	int fd; /* owned by the daemon */
	int error;
};

/* Runs in a thread of its own that ends with this function: the daemon's thread inherits its
 * niceness, and a thread cannot lower its niceness again. */
static void start_daemon(void *context)
{
	struct start *start = context;
	struct http_listener *listener = start->listener;
	enum http_origin origin = listener->origin;
	int err = setpriority(PRIO_PROCESS, 0, listener->http->niceness); /* of this thread */
	(void)err; /* a daemon that is not nicer serves all the same */
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
		{MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *)(uintptr_t)on_handshake},
		{MHD_OPTION_END, 0, NULL}};
	struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL |
			 MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
			 (origin == HTTP_TLS ? MHD_USE_TLS : 0);
	listener->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, on_access, listener, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
		MHD_OPTION_LISTEN_SOCKET, start->fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)HTTP_CONNECTIONS_MAX + ENDED_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)HTTP_HEAD_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
		listener->http->handler.idle_ms / 1000, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_URI_LOG_CALLBACK, on_target, listener, MHD_OPTION_NOTIFY_COMPLETED,
		on_completed, listener, MHD_OPTION_NOTIFY_CONNECTION, on_connection, listener,
		MHD_OPTION_ARRAY, origin == HTTP_TLS ? tls : none, MHD_OPTION_END);
	if (!listener->daemon)
		start->error = errno ? errno : EINVAL;
}

/* A daemon that fails to start may have closed its descriptor or not, and another file may have the
 * number meanwhile; so this compares the file. */
static void close_if_still(int fd, const struct stat *before)
{
	struct stat now;
	if (fstat(fd, &now) == 0 && now.st_dev == before->st_dev && now.st_ino == before->st_ino)
		close(fd);
}

/* Starts the daemon on a copy of listener->fd. Returns 0 or errno. */
static int daemon_start(struct http_listener *listener)
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

static void daemon_stop(struct http_listener *listener)
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
		int err = at->daemon ? 0 : daemon_start(at);
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
	linger(http);
	for (; at; at = SLIST_NEXT(at, next))
		if (at->daemon)
			at->given_back = MHD_quiesce_daemon(at->daemon);
	http_streams_end(http->streams, true);
	uv_async_send(&http->wake);
}

bool http_is_quiet(const struct http *http, size_t waiting)
{
	return http->handed == waiting && is_sent(http);
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

/* Two sockets may share a port if both have SO_REUSEPORT. So each socket gets it once it listens,
 * and one `beside_ours` has it before. */
int http_open(const char *url, bool beside_ours, int *fd, char error[HTTP_ERROR_MAX])
{
	const int on = 1, shared = beside_ours;
	struct host host;
	*fd = -1;
	errno = EINVAL;
	if (http_url_host(url, &host) == 0)
		*fd = socket_tcp(host.address.family);
	if (*fd >= 0 && setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
	    setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
	    setsockopt(*fd, SOL_SOCKET, SO_REUSEPORT, &shared, sizeof shared) == 0 &&
	    socket_bind(*fd, &host) == 0 && listen(*fd, HTTP_CONNECTIONS_MAX) == 0 &&
	    setsockopt(*fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0)
		return 0;
	snprintf(error, HTTP_ERROR_MAX, "%s cannot be listened at: %s", url, strerror(errno));
	if (*fd >= 0)
		close(*fd);
	return ERR_SYSTEM;
}

/* ---- beginning and end ---- */

struct http *http_new(uv_loop_t *loop, const struct http_handler *handler)
{
	struct http *http = calloc(1, sizeof *http);
	if (!http)
		return NULL;
	if (http_streams_new(&http->streams, loop,
			     handler->alive_ms ? handler->alive_ms : HTTP_STREAM_ALIVE_MS) != 0) {
		free(http);
		return NULL;
	}
	if (uv_async_init(loop, &http->wake, on_wake) != 0) {
		http_streams_free(http->streams);
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
	STAILQ_INIT(&http->late);
	TAILQ_INIT(&http->connections);
	int err = pthread_mutex_init(&http->lock, NULL);
	assert(err == 0);
	(void)err;
	return http;
}

void http_use_certificate(struct http *http, struct http_certificate *certificate)
{
	pthread_mutex_lock(&http->lock);
	struct http_certificate *before = http->certificate;
	http->certificate = certificate;
	pthread_mutex_unlock(&http->lock);
	http_certificate_free(before);
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
	daemon_stop(listener);
	close(listener->fd);
	free(listener->name);
	free(listener);
}

/* Nothing may be suspended when libmicrohttpd stops. A request that is resumed without an answer
 * has its connection closed. */
void http_close(struct http *http)
{
	const struct timespec step = {.tv_nsec = 1000000L};
	struct http_exchange *exchange;
	if (!http)
		return;
	assert(http->handed == 0);
	linger(http);
	send_late(http, true);
	while (!is_sent(http))
		nanosleep(&step, NULL);
	pthread_mutex_lock(&http->lock);
	http->closing = true;
	pthread_mutex_unlock(&http->lock);
	http_streams_end(http->streams, true);
	send_late(http, true);
	while ((exchange = take_waiting(http)))
		MHD_resume_connection(exchange->connection);
	while (!SLIST_EMPTY(&http->listeners)) {
		struct http_listener *listener = SLIST_FIRST(&http->listeners);
		SLIST_REMOVE_HEAD(&http->listeners, next);
		listener_close(listener);
	}
	http_streams_free(http->streams);
	uv_close((uv_handle_t *)&http->wake, on_closed);
	uv_close((uv_handle_t *)&http->reaper, on_closed);
}
