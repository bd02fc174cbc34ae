/* Questions by TCP (RFC 7766): connections per (source, server), kept for a while, with questions
 * pipelined and answers taken in any order.
 *
 *     dial ──► connecting ──► open ◄──► idle ──(10 s)──► closed
 *                  │           │
 *                  │           └─ closed by the peer, questions unanswered:
 *                  │                 it had answered something ─► dialled again, they go along
 *                  └─ refused, ──────── it had not ────────────► pending_on_error
 *                     800 ms over
 *
 * Servers close idle connections whenever they like, and some after every answer, so a question
 * that meets that is no error. Every connection that is dialled again has answered at least one
 * question, so this comes to an end. A connection on which a question stayed unanswered until its
 * patience was over, and nothing else came since, takes no new ones: its peer may be long gone.
 *
 * Not here: TLS, Fast Open, and keepalive options (RFC 7828). */
#include <assert.h>

#include "endpoints/outbound_internal.h"
#include "endpoints/socket.h"

enum {
	CONNECTIONS_MAX = 512,      /* of a worker */
	CONNECTIONS_PER_SERVER = 8, /* from one source */
};

struct outbound_connection {
	struct outbound_connection *next, **link;
	struct outbound *outbound; /* NULL: released */
	struct address source;
	struct host host;
	uv_tcp_t tcp;
	uv_connect_t connect;
	struct timer timer; /* connecting, then idle */
	struct question *questions;
	unsigned unanswered;
	uint64_t answered, heard_us;
	bool retired, closing; /* retired: no new questions, closes when the last one is over */
	size_t have;           /* bytes in the buffer */
	uint8_t buffer[2 + MESSAGE_MAX];
};

struct question { /* one unanswered question of a connection */
	uv_write_t write;
	struct question *next, *previous;
	struct outbound_connection *connection;
	struct flight *flight; /* NULL: over, only the write is still under way */
	bool writing;
	uint16_t length;
	uint8_t wire[2 + MESSAGE_QUERY_MAX];
};

static void connection_lost(struct outbound_connection *connection);

/* ---- questions ---- */

static void question_end(struct question *question)
{
	struct outbound_connection *connection = question->connection;

	if (question->previous != NULL)
		question->previous->next = question->next;
	else
		connection->questions = question->next;
	if (question->next != NULL)
		question->next->previous = question->previous;
	connection->unanswered--;
	question->flight = NULL;
	if (!question->writing)
		free(question);
}

static void on_write(uv_write_t *write, int status)
{
	struct question *question = write->data;
	struct outbound_connection *connection = question->connection;

	question->writing = false;
	if (question->flight == NULL)
		free(question);
	if (status < 0 && !connection->closing)
		connection_lost(connection);
}

/* Length and message in one write (RFC 7766 section 8). While the connection is being made libuv
 * keeps it. */
static int connection_ask(struct outbound_connection *connection, struct flight *flight,
			  const uint8_t *wire, size_t length)
{
	struct question *question = calloc(1, sizeof(*question));

	if (question == NULL)
		return ERR_NOMEM;
	assert(length <= MESSAGE_QUERY_MAX);
	wire_put16(question->wire, (uint16_t)length);
	memcpy(question->wire + 2, wire, length);
	wire_put16(question->wire + 2, flight->id);
	question->length = (uint16_t)length;
	question->connection = connection;
	question->flight = flight;
	question->writing = true;
	question->write.data = question;
	uv_buf_t buffer = uv_buf_init((char *)question->wire, (unsigned)length + 2);
	if (uv_write(&question->write, (uv_stream_t *)&connection->tcp, &buffer, 1, on_write) !=
	    0) {
		free(question);
		return ERR_SYSTEM;
	}
	question->next = connection->questions;
	if (question->next != NULL)
		question->next->previous = question;
	connection->questions = question;
	if (connection->unanswered++ == 0 && connection->connect.data == NULL)
		wheel_cancel(connection->outbound->wheel, &connection->timer);
	connection->outbound->counters.tcp_sent++;
	return 0;
}

/* ---- connections ---- */

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void connection_close(struct outbound_connection *connection)
{
	struct outbound *outbound = connection->outbound;

	connection->closing = true;
	wheel_cancel(outbound->wheel, &connection->timer);
	*connection->link = connection->next;
	if (connection->next != NULL)
		connection->next->link = connection->link;
	outbound->connection_count--;
	uv_close((uv_handle_t *)&connection->tcp, on_closed);
}

/* Idle for long, or nobody answered the call. */
static void on_timer(struct timer *timer, uint64_t now_us)
{
	(void)now_us;
	connection_lost(
		(struct outbound_connection *)((uint8_t *)timer -
					       offsetof(struct outbound_connection, timer)));
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct outbound_connection *connection = handle->data;

	(void)suggested;
	*buffer = uv_buf_init((char *)connection->buffer + connection->have,
			      (unsigned)(sizeof(connection->buffer) - connection->have));
}

/* Hands over every whole message; what they bring about may close the connection. */
static void take_messages(struct outbound_connection *connection)
{
	struct outbound *outbound = connection->outbound;
	uint64_t now_us = outbound->now_us(outbound->context);
	size_t at = 0;

	connection->heard_us = now_us;
	while (!connection->closing && connection->have - at >= 2) {
		size_t length = wire_u16(connection->buffer + at);
		if (connection->have - at - 2 < length)
			break;
		outbound->counters.tcp_received++;
		if (pending_on_reply(outbound->pending, connection, &connection->host,
				     connection->buffer + at + 2, length, now_us))
			connection->answered++;
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
		connection_lost(connection);
	} else if (n > 0) {
		connection->have += (size_t)n;
		take_messages(connection);
	}
}

static void on_connect(uv_connect_t *connect, int status)
{
	struct outbound_connection *connection = connect->data;
	struct outbound *outbound = connection->outbound;

	connect->data = NULL;
	if (connection->closing)
		return;
	if (status < 0 || uv_read_start((uv_stream_t *)&connection->tcp, on_room, on_read) != 0) {
		connection_lost(connection);
		return;
	}
	wheel_cancel(outbound->wheel, &connection->timer);
	if (connection->unanswered == 0)
		wheel_arm(outbound->wheel, &connection->timer,
			  outbound->now_us(outbound->context) + OUTBOUND_TCP_IDLE_US);
}

static int start_connect(struct outbound_connection *connection)
{
	struct host from = {.address = connection->source};
	struct sockaddr_storage storage;

	if (from.address.family != 0) {
		socket_address(&from, &storage);
		if (uv_tcp_bind(&connection->tcp, (struct sockaddr *)&storage, 0) != 0)
			return ERR_SYSTEM;
	}
	socket_address(&connection->host, &storage);
	uv_tcp_nodelay(&connection->tcp, 1);
	connection->connect.data = connection;
	if (uv_tcp_connect(&connection->connect, &connection->tcp, (struct sockaddr *)&storage,
			   on_connect) != 0)
		return ERR_SYSTEM;
	return 0;
}

/* As outbound_send; *result stays as it is without success. */
static int dial(struct outbound *outbound, const struct address *source, const struct host *host,
		uint64_t now_us, struct outbound_connection **result)
{
	if (outbound->connection_count >= CONNECTIONS_MAX)
		return ERR_LIMIT;
	struct outbound_connection *connection = malloc(sizeof(*connection));
	if (connection == NULL)
		return ERR_NOMEM;
	memset(connection, 0, offsetof(struct outbound_connection, buffer));
	if (uv_tcp_init(outbound->loop, &connection->tcp) != 0) {
		free(connection);
		return ERR_NOMEM;
	}
	connection->tcp.data = connection;
	connection->outbound = outbound;
	connection->source = *source;
	connection->host = *host;
	timer_init(&connection->timer, on_timer);
	connection->next = outbound->connections;
	connection->link = &outbound->connections;
	if (connection->next != NULL)
		connection->next->link = &connection->next;
	outbound->connections = connection;
	outbound->connection_count++;
	int err = start_connect(connection);
	if (err != 0) {
		connection_close(connection);
		return err;
	}
	outbound->counters.tcp_connects++;
	wheel_arm(outbound->wheel, &connection->timer, now_us + OUTBOUND_TCP_CONNECT_US);
	*result = connection;
	return 0;
}

/* It is gone. Its questions go along to a new one, or back as errors. */
static void connection_lost(struct outbound_connection *connection)
{
	struct outbound *outbound = connection->outbound;
	uint64_t now_us = outbound->now_us(outbound->context);
	struct outbound_connection *again = NULL;

	if (connection->closing)
		return;
	connection_close(connection);
	if (connection->answered > 0 && connection->questions != NULL)
		(void)dial(outbound, &connection->source, &connection->host, now_us, &again);
	while (connection->questions != NULL) { /* both ways take the first one out */
		struct question *question = connection->questions;
		struct flight *flight = question->flight; /* NOLINT(clang-analyzer-unix.Malloc) */
		assert(flight != NULL);
		if (again != NULL &&
		    connection_ask(again, flight, question->wire + 2, question->length) == 0) {
			pending_move_flight(outbound->pending, flight, again);
			question_end(question);
			continue;
		}
		pending_on_error(outbound->pending, flight, TARGET_ERROR_NETWORK, now_us);
	}
}

/* ---- what pending calls ---- */

static struct outbound_connection *find(struct outbound *outbound, const struct flight *flight,
					unsigned *others)
{
	struct outbound_connection *connection = outbound->connections;

	*others = 0;
	for (; connection != NULL; connection = connection->next) {
		if (!host_equal(&connection->host, &flight->upstream->host) ||
		    !address_equal(&connection->source, &flight->upstream->source))
			continue;
		++*others;
		if (!connection->retired && connection->unanswered < OUTBOUND_TCP_PIPELINE)
			return connection;
	}
	return NULL;
}

int outbound_tcp_send(struct outbound *outbound, struct flight *flight, const uint8_t *wire,
		      size_t length, uint64_t now_us)
{
	unsigned others;
	struct outbound_connection *connection = find(outbound, flight, &others);

	if (connection == NULL) {
		int err = others < CONNECTIONS_PER_SERVER
				  ? dial(outbound, &flight->upstream->source,
					 &flight->upstream->host, now_us, &connection)
				  : ERR_LIMIT;
		if (err != 0)
			return err;
	}
	flight->socket = connection;
	outbound_choose_id(outbound, flight, connection);
	return connection_ask(connection, flight, wire, length);
}

void outbound_tcp_forget(struct outbound *outbound, struct flight *flight)
{
	struct outbound_connection *connection = flight->socket;
	struct question *question = connection->questions;

	while (question != NULL && question->flight != flight)
		question = question->next;
	assert(question != NULL);
	question_end(question);
	if (connection->heard_us < flight->sent_us)
		connection->retired = true;
	if (connection->closing || connection->unanswered > 0)
		return;
	if (connection->retired)
		connection_close(connection);
	else if (connection->connect.data == NULL)
		wheel_arm(outbound->wheel, &connection->timer,
			  outbound->now_us(outbound->context) + OUTBOUND_TCP_IDLE_US);
}

void outbound_tcp_retain(struct outbound *outbound, const struct address *sources, size_t count)
{
	struct outbound_connection *next;

	for (struct outbound_connection *connection = outbound->connections; connection != NULL;
	     connection = next) {
		next = connection->next;
		if (outbound_names_source(sources, count, &connection->source))
			continue;
		connection->retired = true;
		if (connection->unanswered == 0)
			connection_close(connection);
	}
}

void outbound_tcp_release(struct outbound *outbound)
{
	while (outbound->connections != NULL) {
		struct outbound_connection *connection = outbound->connections;

		assert(connection->questions == NULL);
		connection_close(connection);
	}
}
