/* Questions by TCP (RFC 7766): connections per (source, server), kept for a while, with questions
 * pipelined and answers taken in any order.
 *
 *     dial ──► connecting ──► open ◄──► idle ──(10 s)──► closed
 *                  │           │
 *                  │           └─ closed by the peer, questions unanswered:
 *                  │                 it had answered something ─► dialled again, they go along
 *                  └─ refused, ──────── it had not ────────────► pending_on_error
 *                     no way there,
 *                     800 ms over
 *
 * Servers close idle connections whenever they like, and some after every answer, so a question
 * that meets that is no error. Every connection that is dialled again has answered at least one
 * question, so this comes to an end. No more questions leave by it at a time than the one before it
 * had answered, and one more with each answer: else all that wait would be sent again for each
 * answer of a server that gives one to a connection. A connection on which a question stayed
 * unanswered until its patience was over, and nothing else came since, takes no new ones: its peer
 * may be long gone.
 *
 * Not here: how questions leave (outbound_question.c), TLS, Fast Open, and keepalive options (RFC
 * 7828). */
#include <assert.h>

#include "endpoints/outbound_tcp.h"
#include "endpoints/socket.h"

enum {
	CONNECTIONS_MAX = 512,      /* of a worker */
	CONNECTIONS_PER_SERVER = 8, /* from one source */
};

/* ---- connections ---- */

static void on_closed(uv_handle_t *handle)
{
	struct outbound_connection *connection = handle->data;

	outbound_questions_drop(connection);
	free(connection);
}

static void connection_close(struct outbound_connection *connection)
{
	struct outbound *outbound = connection->outbound;

	connection->closing = true;
	outbound_connection_ungather(connection);
	wheel_cancel(outbound->wheel, &connection->timer);
	*connection->link = connection->next;
	if (connection->next)
		connection->next->link = connection->link;
	outbound->connection_count--;
	uv_close((uv_handle_t *)&connection->tcp, on_closed);
}

/* Idle for long, or nobody answered the call. */
static void on_timer(struct timer *timer, uint64_t now_us)
{
	(void)now_us;
	outbound_connection_lost(
		(struct outbound_connection *)((uint8_t *)timer -
					       offsetof(struct outbound_connection, timer)));
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct outbound_connection *connection = handle->data;

	(void)suggested;
	*buffer = uv_buf_init((char *)connection->buffer + connection->have,
			      (unsigned)(sizeof connection->buffer - connection->have));
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
				     connection->buffer + at + 2, length, now_us)) {
			connection->answered++;
			connection->window += connection->window < OUTBOUND_TCP_PIPELINE;
		}
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

static void on_connect(uv_connect_t *connect, int status)
{
	struct outbound_connection *connection = connect->data;
	struct outbound *outbound = connection->outbound;

	connect->data = NULL;
	if (connection->closing)
		return;
	if (status < 0 || uv_read_start((uv_stream_t *)&connection->tcp, on_room, on_read) != 0) {
		outbound_connection_lost(connection);
		return;
	}
	wheel_cancel(outbound->wheel, &connection->timer);
	if (connection->unsent)
		outbound_connection_gather(connection);
	if (connection->unanswered == 0)
		wheel_arm(outbound->wheel, &connection->timer,
			  outbound->now_us(outbound->context) + OUTBOUND_TCP_IDLE_US);
}

/* Only what cannot be bound is the source's fault. Where there is no way to the server, that is no
 * other news than a refusal, and comes the same way: by the timer, at once. */
static int start_connect(struct outbound_connection *connection, uint64_t now_us)
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
	bool begun = uv_tcp_connect(&connection->connect, &connection->tcp,
				    (struct sockaddr *)&storage, on_connect) == 0;
	wheel_arm(connection->outbound->wheel, &connection->timer,
		  begun ? now_us + OUTBOUND_TCP_CONNECT_US : now_us);
	return 0;
}

/* As outbound_send; *result stays as it is without success. */
static int dial(struct outbound *outbound, const struct address *source, const struct host *host,
		uint64_t now_us, struct outbound_connection **result)
{
	if (outbound->connection_count >= CONNECTIONS_MAX)
		return ERR_LIMIT;
	struct outbound_connection *connection = malloc(sizeof *connection);
	if (!connection)
		return ERR_NOMEM;
	memset(connection, 0, offsetof(struct outbound_connection, buffer));
	unsigned family = host->address.family == 4 ? AF_INET : AF_INET6;
	if (uv_tcp_init_ex(outbound->loop, &connection->tcp, family) != 0) {
		free(connection);
		return ERR_NOMEM;
	}
	connection->tcp.data = connection;
	connection->unsent_end = &connection->unsent;
	TAILQ_INIT(&connection->asked);
	connection->outbound = outbound;
	connection->window = OUTBOUND_TCP_PIPELINE;
	connection->source = *source;
	connection->host = *host;
	timer_init(&connection->timer, on_timer);
	connection->next = outbound->connections;
	connection->link = &outbound->connections;
	if (connection->next)
		connection->next->link = &connection->next;
	outbound->connections = connection;
	outbound->connection_count++;
	int err = start_connect(connection, now_us);
	if (err != 0) {
		connection_close(connection);
		return err;
	}
	outbound->counters.tcp_connects++;
	*result = connection;
	return 0;
}

/* Takes the question over to another connection; false when that cannot be. */
static bool question_move(struct outbound_connection *from, struct question *question,
			  struct outbound_connection *to)
{
	struct flight *flight = question->flight;

	assert(flight);
	if (outbound_connection_ask(to, flight, question->wire + 2, question->length) != 0)
		return false;
	pending_move_flight(from->outbound->pending, flight, to);
	outbound_question_end(from, question);
	return true;
}

/* It is gone. Its questions go along to a new one, in their order, or back as errors. */
void outbound_connection_lost(struct outbound_connection *connection)
{
	struct outbound *outbound = connection->outbound;
	uint64_t now_us = outbound->now_us(outbound->context);
	struct outbound_connection *again = NULL;

	if (connection->closing)
		return;
	connection_close(connection);
	if (connection->answered > 0 && connection->unanswered > 0)
		(void)dial(outbound, &connection->source, &connection->host, now_us, &again);
	if (again && connection->answered < again->window)
		again->window = (unsigned)connection->answered;
	struct question *question;
	while ((question = TAILQ_FIRST(&connection->asked))) { /* both ways take it out */
		if (!again || !question_move(connection, question, again))
			pending_on_error(outbound->pending, question->flight, TARGET_ERROR_NETWORK,
					 now_us);
	}
}

/* ---- what pending calls ---- */

/* One with room in its window, or else the one where the fewest wait. */
static struct outbound_connection *find(struct outbound *outbound, const struct flight *flight,
					unsigned *others)
{
	struct outbound_connection *connection = outbound->connections, *best = NULL;

	*others = 0;
	for (; connection; connection = connection->next) {
		if (!host_equal(&connection->host, &flight->upstream->host) ||
		    !address_equal(&connection->source, &flight->upstream->source))
			continue;
		++*others;
		if (connection->retired)
			continue;
		if (connection->unanswered < connection->window)
			return connection;
		if (connection->unanswered < OUTBOUND_TCP_PIPELINE &&
		    (!best || connection->unanswered < best->unanswered))
			best = connection;
	}
	return best;
}

int outbound_tcp_send(struct outbound *outbound, struct flight *flight, const uint8_t *wire,
		      size_t length, uint64_t now_us)
{
	unsigned others;
	struct outbound_connection *connection = find(outbound, flight, &others);
	int err = connection ? 0 : ERR_LIMIT;

	if (others < CONNECTIONS_PER_SERVER &&
	    !(connection && connection->unanswered < connection->window))
		err = dial(outbound, &flight->upstream->source, &flight->upstream->host, now_us,
			   &connection);
	if (!connection)
		return err;
	flight->socket = connection;
	outbound_choose_id(outbound, flight, connection);
	return outbound_connection_ask(connection, flight, wire, length);
}

void outbound_tcp_forget(struct outbound *outbound, struct flight *flight)
{
	struct outbound_connection *connection = flight->socket;
	struct question *question = *outbound_question_bucket(connection, flight->id);

	while (question && question->flight != flight)
		question = question->next;
	assert(question);
	if (connection->heard_us < flight->sent_us) /* not even taken, maybe */
		connection->retired = true;
	outbound_question_end(connection, question);
	if (connection->closing || connection->unanswered > 0)
		return;
	if (connection->retired)
		connection_close(connection);
	else if (!connection->connect.data)
		wheel_arm(outbound->wheel, &connection->timer,
			  outbound->now_us(outbound->context) + OUTBOUND_TCP_IDLE_US);
}

void outbound_tcp_retain(struct outbound *outbound, const struct address *sources, size_t count)
{
	struct outbound_connection *next;

	for (struct outbound_connection *connection = outbound->connections; connection;
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
	while (outbound->connections) {
		struct outbound_connection *connection = outbound->connections;

		assert(connection->unanswered == 0);
		connection_close(connection);
	}
	outbound_questions_release(outbound);
}
