/* The TCP connections of a peer (RFC 7766): kept for a while, with questions pipelined and answers
 * taken in any order.
 *
 *     dial ──► connecting ──► open ◄──► idle ──(10 s)──► closed
 *                  │           │
 *                  │           └─ ended with questions under way: they wait for another one
 *                  └─ refused, no way there, 800 ms over: errors, if there is no other one
 *
 * Servers end idle connections whenever they like, some do so after every answer, and some will
 * have no more than so many connections at a time, so a question that meets any of that is no
 * error. What a connection has given, and how many there could be, is remembered with the peer, so
 * that not all that wait is sent again for each answer of a server that gives one to a connection.
 * Where one ends without any answer, its questions are asked one by one, and a question to which
 * that happens again and again, or that was alone with a server that has answered nothing, has its
 * error. A connection on which a question stayed unanswered until its patience was over, and
 * nothing else came since, takes no new ones: its peer may be long gone.
 *
 * Not here: TLS, Fast Open, and keepalive options (RFC 7828). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "endpoints/outbound_tcp.h"
#include "endpoints/socket.h"

enum {
	CONNECTIONS_MAX = 512, /* of a worker */
	SLOW_US = 400 * 1000,  /* half of a question's patience */
	BARREN_MAX = 8,        /* connections without an answer, in a row: the peer has none */
	BARREN_FIRST_MAX = 2,  /* where it never gave one: all together, then the first alone */
};

static uint64_t clock_of(const struct outbound_connection *connection)
{
	const struct outbound *outbound = connection->peer->outbound;

	return outbound->now_us(outbound->context);
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void outbound_connection_close(struct outbound_connection *connection)
{
	struct outbound_peer *peer = connection->peer;

	assert(TAILQ_EMPTY(&connection->asked));
	connection->closing = true;
	wheel_cancel(peer->outbound->wheel, &connection->timer);
	LIST_REMOVE(connection, of_peer);
	peer->connection_count--;
	peer->outbound->connection_count--;
	uv_close((uv_handle_t *)&connection->tcp, on_closed);
	outbound_peer_gather(peer);
}

/* ---- its end ---- */

/* Once may be a restart; again, and more connections have to do what one does not. */
static void ended_early(struct outbound_connection *connection)
{
	struct outbound_peer *peer = connection->peer;
	unsigned given = connection->answered > 1 ? (unsigned)connection->answered : 1;

	if (peer->window >= OUTBOUND_TCP_PIPELINE_MIN)
		peer->spread = 1;
	else if (peer->spread < OUTBOUND_TCP_CONNECTIONS)
		peer->spread++;
	if (given < peer->window)
		peer->window = given;
	outbound_questions_return(connection);
}

/* Without any answer, which may be a question's fault: it is found by asking one by one. That of a
 * server that answers others has more than one try even alone, as a restart looks the same. */
static void ended_barren(struct outbound_connection *connection, uint64_t now_us)
{
	struct outbound_peer *peer = connection->peer;
	bool others = outbound_peer_keeps(peer, now_us);
	struct question *question;

	TAILQ_FOREACH (question, &connection->asked, in_turn)
		question->returned += others || peer->answers || connection->under_way > 1
					      ? 1
					      : OUTBOUND_RETURNS_MAX;
	peer->barren++;
	ended_early(connection);
}

void outbound_connection_lost(struct outbound_connection *connection)
{
	struct outbound_peer *peer = connection->peer;
	uint64_t now_us = clock_of(connection);
	bool nobody = false;

	if (connection->closing)
		return;
	connection->retired = true;
	if (!connection->open)
		nobody = !outbound_peer_keeps(peer, now_us);
	else if (connection->under_way == 0 && TAILQ_EMPTY(&peer->waiting))
		; /* it was idle */
	else if (connection->answered > 0)
		ended_early(connection);
	else if (connection->trial && outbound_peer_keeps(peer, now_us))
		outbound_questions_return(connection); /* it was one too many */
	else
		ended_barren(connection, now_us);
	outbound_connection_close(connection);
	if (nobody || peer->barren >= (peer->answers ? BARREN_MAX : BARREN_FIRST_MAX))
		outbound_peer_fail(peer, 0, TARGET_ERROR_NETWORK, now_us);
	else
		outbound_peer_fail(peer, OUTBOUND_RETURNS_MAX,
				   peer->answers ? TARGET_ERROR_CLOSED : TARGET_ERROR_NETWORK,
				   now_us);
}

static void on_timer(struct timer *timer, uint64_t now_us)
{
	struct outbound_connection *connection =
		(struct outbound_connection *)((uint8_t *)timer -
					       offsetof(struct outbound_connection, timer));

	(void)now_us;
	if (connection->open) /* idle for long */
		outbound_connection_close(connection);
	else /* nobody answered the call */
		outbound_connection_lost(connection);
}

static void rest(struct outbound_connection *connection)
{
	wheel_arm(connection->peer->outbound->wheel, &connection->timer,
		  clock_of(connection) + OUTBOUND_TCP_IDLE_US);
}

/* More is asked of it than it answers in the time, maybe one after the other: other connections
 * take the rest. */
static void narrow(struct outbound_connection *connection, const struct question *question)
{
	uint64_t since = connection->answered - question->answered_before;

	if (since < OUTBOUND_TCP_PIPELINE_MIN)
		since = OUTBOUND_TCP_PIPELINE_MIN;
	if (since < connection->window)
		connection->window = (unsigned)since;
	if (since < connection->peer->window)
		connection->peer->window = (unsigned)since;
}

void outbound_connection_unload(struct outbound_connection *connection,
				const struct question *question)
{
	if (connection->heard_us >= question->left_us + SLOW_US)
		narrow(connection, question);
	connection->under_way--;
	if (connection->closing)
		return;
	outbound_peer_gather(connection->peer); /* there is room for another one */
	if (connection->under_way > 0)
		return;
	if (connection->retired || connection->peer->retired)
		outbound_connection_close(connection);
	else
		rest(connection);
}

/* ---- its answers ---- */

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct outbound_connection *connection = handle->data;

	(void)suggested;
	*buffer = uv_buf_init((char *)connection->buffer + connection->have,
			      (unsigned)(sizeof connection->buffer - connection->have));
}

/* It has given one more: the next may give as many, and this one gets one more question. */
static void answered(struct outbound_connection *connection)
{
	struct outbound_peer *peer = connection->peer;

	connection->answered++;
	connection->window += connection->window < OUTBOUND_TCP_PIPELINE;
	if (connection->answered > peer->window)
		peer->window += peer->window < OUTBOUND_TCP_PIPELINE;
	peer->barren = 0;
	peer->answers = true;
}

/* Hands over every whole message; what they bring about may close the connection. */
static void take_messages(struct outbound_connection *connection)
{
	struct outbound_peer *peer = connection->peer;
	struct outbound *outbound = peer->outbound;
	uint64_t now_us = clock_of(connection);
	size_t at = 0;

	connection->heard_us = now_us;
	while (!connection->closing && connection->have - at >= 2) {
		size_t length = wire_u16(connection->buffer + at);
		if (connection->have - at - 2 < length)
			break;
		outbound->counters.tcp_received++;
		if (pending_on_reply(outbound->pending, peer, &peer->host,
				     connection->buffer + at + 2, length, now_us))
			answered(connection);
		at += 2 + length;
	}
	connection->have -= at;
	memmove(connection->buffer, connection->buffer + at, connection->have);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	struct outbound_connection *connection = stream->data;

	(void)buffer;
	if (n < 0) {
		outbound_connection_lost(connection);
	} else if (n > 0) {
		connection->have += (size_t)n;
		take_messages(connection);
	}
}

/* ---- its beginning ---- */

static void on_connect(uv_connect_t *connect, int status)
{
	struct outbound_connection *connection = connect->data;

	if (connection->closing)
		return;
	if (status < 0 || uv_read_start((uv_stream_t *)&connection->tcp, on_room, on_read) != 0) {
		outbound_connection_lost(connection);
		return;
	}
	connection->open = true;
	connection->heard_us = clock_of(connection);
	outbound_peer_gather(connection->peer);
	rest(connection);
}

/* Only what cannot be bound is the source's fault. Where there is no way to the server, that is no
 * other news than a refusal, and comes the same way: by the timer, at once. */
static bool start_connect(struct outbound_connection *connection, uint64_t now_us)
{
	const struct outbound_peer *peer = connection->peer;
	struct host from = {.address = peer->source};
	struct sockaddr_storage storage;

	if (from.address.family != 0) {
		socket_address(&from, &storage);
		if (uv_tcp_bind(&connection->tcp, (struct sockaddr *)&storage, 0) != 0)
			return false;
	}
	socket_address(&peer->host, &storage);
	uv_tcp_nodelay(&connection->tcp, 1);
	connection->connect.data = connection;
	bool begun = uv_tcp_connect(&connection->connect, &connection->tcp,
				    (struct sockaddr *)&storage, on_connect) == 0;
	wheel_arm(peer->outbound->wheel, &connection->timer,
		  begun ? now_us + OUTBOUND_TCP_CONNECT_US : now_us);
	return true;
}

enum target_error outbound_connection_dial(struct outbound_peer *peer, bool trial, uint64_t now_us)
{
	struct outbound *outbound = peer->outbound;

	if (outbound->connection_count >= CONNECTIONS_MAX)
		return TARGET_ERROR_FULL;
	struct outbound_connection *connection = malloc(sizeof *connection);
	if (!connection)
		return TARGET_ERROR_ROOM;
	memset(connection, 0, offsetof(struct outbound_connection, buffer));
	unsigned family = peer->host.address.family == 4 ? AF_INET : AF_INET6;
	if (uv_tcp_init_ex(outbound->loop, &connection->tcp, family) != 0) {
		free(connection);
		return TARGET_ERROR_ROOM;
	}
	connection->tcp.data = connection;
	connection->peer = peer;
	connection->trial = trial;
	connection->window = trial ? 1 : peer->window;
	TAILQ_INIT(&connection->asked);
	timer_init(&connection->timer, on_timer);
	LIST_INSERT_HEAD(&peer->connections, connection, of_peer);
	peer->connection_count++;
	outbound->connection_count++;
	if (!start_connect(connection, now_us)) {
		outbound_connection_close(connection);
		return TARGET_ERROR_SOURCE;
	}
	outbound->counters.tcp_connects++;
	return TARGET_ERROR_NONE;
}

unsigned outbound_connection_room(const struct outbound_connection *connection)
{
	return connection->retired || connection->under_way >= connection->window
		       ? 0
		       : connection->window - connection->under_way;
}
