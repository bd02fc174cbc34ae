/* What libmicrohttpd calls on a listener's thread, from a connection's begin to its end. The
 * request line, the head, the body and the end of a request come one after another; a request that
 * is suspended comes a last time when it is resumed.
 *
 *     on_connection ─► on_target ─► on_access (head) ─► on_access (body)... ─► on_access (whole)
 *                          ▲                                                        │ suspended
 *                          └──────── on_completed ◄── on_access (the answer) ◄──────┘
 *
 * A refusal is sent when the body has been read and thrown away, because a client that is still
 * sending when it is hung up on may not see the refusal; but what is very long, or waits for "100
 * Continue", is not read at all. */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>

#include "endpoints/socket.h"
#include "resolver/control/http/internal.h"

enum { DISCARD_MAX = 16 * 1024 * 1024, BODY_FIRST = 16 * 1024 };

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

/* Of its listener, and from its address. */
static void count_beside(const struct http *http, const struct http_connection *client,
			 unsigned *of_listener, unsigned *of_address)
{
	const struct http_connection *other;
	*of_listener = *of_address = 0;
	TAILQ_FOREACH (other, &http->connections, all)
		if (other->listener == client->listener && !other->ended) {
			++*of_listener;
			*of_address += address_equal(&other->site, &client->site);
		}
}

/* Under the lock: one goes where the newcomer is one too many. A request that we have is answered
 * soon, so its connection stays. */
static void make_room(const struct http *http, struct http_connection *newcomer)
{
	unsigned all, crowd, most = 0;
	struct http_connection *other, *quietest = newcomer;
	count_beside(http, newcomer, &all, &crowd);
	bool crowded = newcomer->site.family != 0 && crowd > HTTP_PER_ADDRESS_MAX;
	if (!crowded && all <= HTTP_CONNECTIONS_MAX)
		return;
	TAILQ_FOREACH (other, &http->connections, all) {
		if (other->listener != newcomer->listener || other->ended || other->known ||
		    other->deadline_ms == 0 ||
		    (crowded && !address_equal(&other->site, &newcomer->site)))
			continue;
		count_beside(http, other, &all, &crowd);
		if (crowd > most || (crowd == most && other->since_ms < quietest->since_ms))
			quietest = other;
		most = crowd > most ? crowd : most;
	}
	http_client_end(quietest);
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
	client->uid = (uid_t)-1; /* which nobody has */
	if (listener->origin == HTTP_UNIX &&
	    getsockopt(client->fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0)
		client->uid = peer.uid;
	if (listener->origin != HTTP_UNIX)
		client->from = address_of(connection);
	client->site = address_site(&client->from);
	client->at = own_address(client->fd);
	http_client_clock(http, client, http->handler.idle_ms);
	pthread_mutex_lock(&http->lock);
	if (TAILQ_EMPTY(&http->connections) && !http->closing)
		uv_async_send(&http->wake); /* for the reaper */
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

/* The daemon's thread may not be hindered before it runs: it is started by one that could not start
 * it any more. So it is here, where nothing has been read yet. */
static void prepare_thread(const struct http_handler *handler)
{
	static _Thread_local bool prepared;
	if (!prepared && handler->on_thread)
		handler->on_thread(handler->context);
	prepared = true;
}

void http_on_connection(void *context, struct MHD_Connection *connection, void **client,
			enum MHD_ConnectionNotificationCode what)
{
	struct http_listener *listener = context;
	prepare_thread(&listener->http->handler);
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		client_arrives(listener, connection, client);
	else
		client_leaves(listener->http, *client);
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

/* Cuts the request's target apart. RFC 9112 section 3.2.2: a whole URL is taken, too. */
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

void *http_on_target(void *context, const char *target, struct MHD_Connection *connection)
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
	exchange->request.body_max = HTTP_BODY_MAX;
	return exchange;
}

void http_on_completed(void *context, struct MHD_Connection *connection, void **exchange,
		       enum MHD_RequestTerminationCode how)
{
	(void)connection;
	(void)how;
	struct http_listener *listener = context;
	struct http_exchange *done = *exchange;
	if (!done)
		return;
	http_client_clock(listener->http, done->client, listener->http->handler.idle_ms);
	listener->http->answering -= done->answer.given;
	exchange_free(done);
	*exchange = NULL;
}

/* ---- the answer ---- */

static enum MHD_Result send_answer(struct http_exchange *exchange)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		exchange->answer.length, exchange->answer.body,
		exchange->answer.body ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	if (!response)
		return MHD_NO;
	exchange->answer.body = NULL; /* the response's now */
	for (size_t i = 0; i < exchange->answer.header_count; i++)
		MHD_add_response_header(response, exchange->answer.headers[i].name,
					exchange->answer.headers[i].value);
	MHD_add_response_header(response, "Cache-Control", "no-store");
	if (exchange->answer.last)
		MHD_add_response_header(response, "Connection", "close");
	exchange->stage = HTTP_SENT;
	http_client_clock(exchange->listener->http, exchange->client,
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
	snprintf(text, sizeof text, "the body is too long; at most %zu bytes are taken here",
		 exchange->request.body_max);
	refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE, text);
}

/* ---- the request ---- */

/* What Content-Length says, which libmicrohttpd has checked; 0 without. */
static uint64_t announced_length(const struct http_exchange *exchange)
{
	const char *text = http_request_header(&exchange->request, "Content-Length");
	return text ? strtoull(text, NULL, 10) : 0;
}

struct head {
	bool plain; /* every name is one */
	unsigned ends, hosts;
};

/* RFC 9110 section 5.6.2. libmicrohttpd takes what stands before the colon as the name, a blank
 * included. */
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

/* What a proxy before us may read in another way than we do, so that the two of us disagree on
 * where a request ends or whom it is for (RFC 9112 sections 3.2, 5.1 and 6.3). NULL: nothing. */
static const char *ambiguity(const struct http_exchange *exchange)
{
	struct head head = {.plain = true};
	MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, look_at_line, &head);
	if (!head.plain)
		return "a header's name is one word with its colon right behind it";
	if (head.hosts > 1)
		return "there is more than one header Host";
	if (head.ends > 1)
		return "the body has one end: one Content-Length, or else Transfer-Encoding: "
		       "chunked";
	return NULL;
}

/* A client of HTTP/1.0, which no browser is, need not say. */
static bool is_meant(const struct http_exchange *exchange)
{
	struct http *http = exchange->listener->http;
	const char *host = http_request_header(&exchange->request, "Host");
	if (exchange->listener->origin == HTTP_UNIX)
		return true;
	return (!host || http_is_meant(http, exchange->client, host, strlen(host))) &&
	       (!exchange->authority || http_is_meant(http, exchange->client, exchange->authority,
						      exchange->authority_length));
}

static enum MHD_Result on_head(struct http_exchange *exchange, const char *method)
{
	struct http *http = exchange->listener->http;
	const struct http_handler *handler = &http->handler;
	http_client_clock(http, exchange->client, handler->exchange_ms);
	exchange->stage = HTTP_BODY;
	exchange->request.method = method;
	bool fine = cut_target(exchange);
	const char *wrong = ambiguity(exchange);
	exchange->answer.last = wrong != NULL;
	if (wrong)
		refuse(exchange, MHD_HTTP_BAD_REQUEST, wrong);
	else if (!is_meant(exchange))
		refuse(exchange, MHD_HTTP_MISDIRECTED_REQUEST,
		       "the header Host names another server; ask by this one's address, or by a "
		       "name of management.hosts");
	else if (fine)
		handler->on_head(handler->context, &exchange->request);
	else
		refuse(exchange, MHD_HTTP_BAD_REQUEST, "the path does not begin with '/'");
	if (*exchange->request.client) {
		pthread_mutex_lock(&http->lock);
		exchange->client->known = true;
		pthread_mutex_unlock(&http->lock);
	}
	uint64_t length = announced_length(exchange);
	if (!exchange->answer.given && length > exchange->request.body_max)
		refuse_length(exchange);
	bool unread = length > DISCARD_MAX || exchange->answer.last ||
		      http_request_header(&exchange->request, "Expect");
	return exchange->answer.given && unread ? send_answer(exchange) : MHD_YES;
}

/* Room for so many bytes of body; false: that has been refused. */
static bool grow_body(struct http_exchange *exchange, size_t needed)
{
	size_t room = exchange->room ? exchange->room * 2 : BODY_FIRST;
	if (needed <= exchange->room)
		return true;
	if (room < needed)
		room = needed;
	if (!http_hold(exchange, room - exchange->room)) {
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

/* MHD_NO hangs up: a body without an announced length may have no end. */
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
		return send_answer(exchange);
	exchange->request.body = exchange->body ? exchange->body : "";
	return http_hand_over(exchange) ? MHD_YES : MHD_NO;
}

enum MHD_Result http_on_access(void *context, struct MHD_Connection *connection, const char *url,
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
	/* Resumed, without an answer when closing. Or the daemon is ending, and did not take the
	 * answer. */
	bool answered = exchange->stage == HTTP_HANDED && exchange->answer.given;
	return answered ? send_answer(exchange) : MHD_NO;
}
