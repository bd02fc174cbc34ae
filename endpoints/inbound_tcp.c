/* TCP (RFC 7766): each message behind its length in two bytes, any number of questions on a
 * connection without waiting, answers in the order in which they are ready.
 *
 *     accept ─► connection ── bytes ──► length, message ──► query ──► resolver
 *                  ▲                                                     │
 *                  └──────────── length + message, one write ◄───────────┘
 *
 * A connection takes questions as long as fewer than pipeline_max of them are unanswered (a reply
 * still on its way out counts as one) and fewer than UNSENT_PAUSE bytes are on their way out, so a
 * client that asks without reading fills its own window and not our memory. What it asked before
 * may still come to more than that: a reply that would make it UNSENT_MAX becomes a SERVFAIL, which
 * is small. A connection ends when
 *   - the client has closed its side, and all it asked is answered and written;
 *   - nothing has happened for the idle timeout. What happens is an accept, the first byte of a
 *     message, a whole message, a reply written; so a message that trickles in gets that time as a
 *     whole;
 *   - a reply has been the next to leave for as long, whatever else happens: a client that reads a
 *     byte now and then is not reading;
 *   - a length is under 12: what follows cannot be found any more. What was asked is answered.
 * Its memory stays until its last query is back.
 *
 * Not here: TLS, edns-tcp-keepalive (RFC 7828), gathering several answers into one segment. */
#include "endpoints/inbound_internal.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	PREFIX = 2,          /* bytes of length ahead of a message */
	BUFFER_USUAL = 4096, /* kept by a connection; grows to one message where that is longer */
	UNSENT_PAUSE = 128 * 1024, /* bytes of replies that the kernel has not taken yet */
	UNSENT_MAX = 256 * 1024,
};

struct pending_write {
	uv_write_t request;
	struct connection *connection;
	uint8_t bytes[];
};

static uint64_t connection_now(const struct connection *connection)
{
	const struct inbound_worker *worker = connection->inbound->worker;
	return worker->now_us(worker->context);
}

static void connection_free_when_done(struct connection *connection)
{
	if (!connection->closed || connection->unanswered > 0)
		return;
	assert(connection->writes == 0);
	free(connection->buffer);
	free(connection);
}

static void on_closed(uv_handle_t *handle)
{
	struct connection *connection = handle->data;
	struct inbound *inbound = connection->inbound;
	connection->closed = true;
	connection_free_when_done(connection);
	inbound_handle_closed(inbound);
}

void connection_close(struct connection *connection)
{
	if (connection->closing)
		return;
	connection->closing = true;
	struct inbound_worker *worker = connection->inbound->worker;
	wheel_cancel(worker->wheel, &connection->idle);
	*connection->link = connection->next;
	if (connection->next)
		connection->next->link = connection->link;
	*connection->client_link = connection->next_of_client;
	if (connection->next_of_client)
		connection->next_of_client->client_link = connection->client_link;
	worker->tcp_connections--;
	uv_close((uv_handle_t *)&connection->handle, on_closed);
}

static size_t connection_unsent(const struct connection *connection)
{
	return uv_stream_get_write_queue_size((const uv_stream_t *)&connection->handle);
}

/* When it is at its end unless something happens. */
static uint64_t connection_due_us(const struct connection *connection)
{
	uint64_t since_us = connection->writes > 0 ? connection->behind_us : connection->active_us;
	return since_us + (uint64_t)connection->inbound->worker->tcp.idle_timeout_ms * 1000;
}

static void on_idle(struct timer *timer, uint64_t now_us)
{
	struct connection *connection =
		(struct connection *)((char *)timer - offsetof(struct connection, idle));
	struct inbound_worker *worker = connection->inbound->worker;
	if (connection->unanswered > 0)
		connection->active_us = now_us;
	uint64_t due_us = connection_due_us(connection);
	if (due_us > now_us) {
		wheel_arm(worker->wheel, timer, due_us);
		return;
	}
	worker->counters.tcp_timeouts++;
	connection_close(connection);
}

/* ---- reading ---- */

static void connection_process(struct connection *connection);

static bool connection_full(const struct connection *connection)
{
	return connection->unanswered + connection->writes >=
		       connection->inbound->worker->tcp.pipeline_max ||
	       connection_unsent(connection) >= UNSENT_PAUSE;
}

/* Room for the message that has begun, or for the usual. False without memory. */
static bool connection_reserve(struct connection *connection)
{
	size_t room = BUFFER_USUAL;
	if (connection->have >= PREFIX && (size_t)wire_u16(connection->buffer) + PREFIX > room)
		room = (size_t)wire_u16(connection->buffer) + PREFIX;
	assert(connection->have < room);
	if (connection->room == room)
		return true;
	uint8_t *buffer = realloc(connection->buffer, room);
	if (!buffer)
		return connection->room > connection->have;
	connection->buffer = buffer;
	connection->room = room;
	return true;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	(void)suggested;
	struct connection *connection = handle->data;
	*buffer = uv_buf_init(NULL, 0);
	if (connection_reserve(connection))
		*buffer = uv_buf_init((char *)connection->buffer + connection->have,
				      (unsigned)(connection->room - connection->have));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
	(void)buffer;
	struct connection *connection = stream->data;
	if (count == 0)
		return;
	if (count < 0 && count != UV_EOF) {
		connection_close(connection);
		return;
	}
	if (count == UV_EOF) {
		connection->ended = true;
	} else {
		if (connection->have == 0)
			connection->active_us = connection_now(connection);
		connection->have += (size_t)count;
	}
	connection_process(connection);
}

/* Starts or stops reading, or closes, as the connection's state asks for. */
static void connection_settle(struct connection *connection)
{
	if (connection->closing)
		return;
	if (connection->ended && connection->unanswered == 0 && connection->writes == 0) {
		connection_close(connection);
		return;
	}
	bool wanted = !connection->ended && !connection_full(connection);
	if (wanted == connection->reading)
		return;
	connection->reading = wanted;
	uv_stream_t *stream = (uv_stream_t *)&connection->handle;
	if (!wanted)
		uv_read_stop(stream);
	else if (uv_read_start(stream, on_alloc, on_read) < 0)
		connection_close(connection);
}

/* ---- replies ---- */

static void on_written(uv_write_t *request, int status)
{
	struct pending_write *write = (struct pending_write *)request;
	struct connection *connection = write->connection;
	free(write);
	connection->writes--;
	connection->active_us = connection->behind_us = connection_now(connection);
	if (status < 0)
		connection_close(connection);
	else
		connection_process(connection);
}

/* Keeps what the kernel did not take at once, from byte `done` of prefix and reply. */
static void connection_write_rest(struct connection *connection, const uint8_t prefix[PREFIX],
				  const uint8_t *reply, size_t length, size_t done)
{
	struct pending_write *write = malloc(sizeof *write + PREFIX + length);
	if (!write) {
		connection_close(connection);
		return;
	}
	memcpy(write->bytes, prefix, PREFIX);
	memcpy(write->bytes + PREFIX, reply, length);
	write->connection = connection;
	uv_buf_t rest =
		uv_buf_init((char *)write->bytes + done, (unsigned)(PREFIX + length - done));
	if (uv_write(&write->request, (uv_stream_t *)&connection->handle, &rest, 1, on_written) <
	    0) {
		free(write);
		connection_close(connection);
		return;
	}
	if (connection->writes++ == 0)
		connection->behind_us = connection_now(connection);
}

/* Length and message in one write (RFC 7766 section 8). */
static void connection_write(struct connection *connection, const uint8_t *reply, size_t length)
{
	assert(length >= MESSAGE_HEADER && length <= MESSAGE_MAX);
	uint8_t prefix[PREFIX];
	wire_put16(prefix, (uint16_t)length);
	uv_buf_t parts[] = {uv_buf_init((char *)prefix, PREFIX),
			    uv_buf_init((char *)(uintptr_t)reply, (unsigned)length)};
	int done = uv_try_write((uv_stream_t *)&connection->handle, parts, 2);
	if (done < 0 && done != UV_EAGAIN) {
		connection_close(connection);
		return;
	}
	done = done < 0 ? 0 : done;
	if ((size_t)done == PREFIX + length)
		connection->active_us = connection_now(connection);
	else
		connection_write_rest(connection, prefix, reply, length, (size_t)done);
}

static void connection_reply(struct connection *connection, const struct query *query,
			     const uint8_t *reply, size_t length)
{
	uint8_t instead[INBOUND_ERROR_REPLY_MAX];
	if (length > sizeof instead && connection_unsent(connection) + length > UNSENT_MAX) {
		connection->inbound->worker->counters.tcp_unread++;
		length = inbound_write_error(connection->inbound, query, query->question,
					     RCODE_SERVFAIL, "answers are not being read", instead);
		reply = instead;
	}
	connection_write(connection, reply, length);
}

static void on_finish(struct query *query, const uint8_t *reply, size_t length)
{
	struct connection *connection = query->origin;
	struct inbound *inbound = connection->inbound;
	assert(connection->unanswered > 0);
	connection->unanswered--;
	if (reply && !connection->closing)
		connection_reply(connection, query, reply, length);
	connection_process(connection);
	connection_free_when_done(connection);
	inbound_take_back(inbound, query);
}

/* ---- messages ---- */

static void connection_take(struct connection *connection, const uint8_t *packet,
			    size_t packet_length)
{
	struct inbound *inbound = connection->inbound;
	struct inbound_worker *worker = inbound->worker;
	struct query *query = query_take(worker->pool);
	bool pooled = query;
	if (!pooled)
		query = &worker->shared->spare;
	query->finish = on_finish;
	query->origin = connection;
	query->binding = inbound->binding;
	query->client = connection->client;
	query->peer = connection->peer;
	query->local.family = 0;
	query->arrived_us = connection->active_us;
	query->tcp = true;
	uint8_t reply[INBOUND_ERROR_REPLY_MAX];
	size_t length;
	if (inbound_read(inbound, query, packet, packet_length,
			 pooled ? RCODE_NOERROR : RCODE_SERVFAIL, reply, &length)) {
		connection->unanswered++;
		inbound_hand_over(inbound, query);
		return;
	}
	if (pooled)
		query_give(worker->pool, query);
	if (length > 0)
		connection_write(connection, reply, length);
}

/* Takes the next whole message out of the buffer, from *at on; false when there is none. */
static bool connection_next(struct connection *connection, size_t *at)
{
	size_t left = connection->have - *at;
	if (left < PREFIX)
		return false;
	size_t length = wire_u16(connection->buffer + *at);
	if (length < MESSAGE_HEADER) {
		connection->inbound->worker->counters.silent++;
		connection->ended = true;
		*at = connection->have;
		return false;
	}
	if (left - PREFIX < length)
		return false;
	const uint8_t *packet = connection->buffer + *at + PREFIX;
	*at += PREFIX + length;
	connection->active_us = connection_now(connection);
	connection_take(connection, packet, length);
	return true;
}

/* Takes what messages there are, as far as the pipeline allows. An answer that comes from within
 * (from the cache, say) arrives here again and leaves the work to the loop that is at it. */
static void connection_process(struct connection *connection)
{
	if (connection->processing || connection->closing)
		return;
	connection->processing = true;
	size_t at = 0;
	while (!connection->closing && !connection_full(connection) &&
	       connection_next(connection, &at))
		;
	connection->processing = false;
	connection->have -= at;
	if (at > 0 && connection->have > 0)
		memmove(connection->buffer, connection->buffer + at, connection->have);
	connection_settle(connection);
}

/* ---- beginning ---- */

static void connection_link(struct connection *connection, struct connection **bucket)
{
	struct inbound *inbound = connection->inbound;
	connection->next = inbound->connections;
	connection->link = &inbound->connections;
	if (connection->next)
		connection->next->link = &connection->next;
	inbound->connections = connection;
	connection->next_of_client = *bucket;
	connection->client_link = bucket;
	if (connection->next_of_client)
		connection->next_of_client->client_link = &connection->next_of_client;
	*bucket = connection;
	inbound->worker->tcp_connections++;
}

void connection_open(struct inbound *inbound, struct connection **bucket, int fd,
		     const struct sockaddr_storage *peer, const struct address *client)
{
	struct inbound_worker *worker = inbound->worker;
	struct connection *connection = calloc(1, sizeof *connection);
	if (!connection || uv_tcp_init(worker->loop, &connection->handle) < 0) {
		free(connection);
		close(fd);
		worker->counters.tcp_refused++;
		return;
	}
	connection->handle.data = connection;
	connection->inbound = inbound;
	connection->peer = *peer;
	connection->client = *client;
	inbound->handles++;
	connection_link(connection, bucket);
	timer_init(&connection->idle, on_idle);
	if (uv_tcp_open(&connection->handle, fd) < 0) {
		close(fd);
		connection_close(connection);
		return;
	}
	uv_tcp_nodelay(&connection->handle, 1);
	worker->counters.tcp_accepted++;
	connection->active_us = connection_now(connection);
	wheel_arm(worker->wheel, &connection->idle, connection_due_us(connection));
	connection_settle(connection);
}
