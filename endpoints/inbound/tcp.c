/* TCP (RFC 7766): each message behind its length in two bytes, any number of questions on a
 * connection without waiting, answers in the order in which they are ready.
 *
 *     accept ─► connection ── inbox ──► length, message ──► query ──► resolver
 *                  ▲                                                     │
 *                  └── one write a loop round ◄── outbox ◄── answers ◄───┘
 *
 * What arrives is read into one inbox that all connections of a worker share, as much as fits into
 * it, so that a window of questions costs one read. Only what cannot be taken yet is copied out of
 * it: half a message, or what the pipeline has no room for. An idle connection holds no buffer. A
 * large message that comes in parts is read into a buffer of its own size, or each part would be
 * copied with all that came before it.
 *
 * A connection takes questions as long as fewer than pipeline_max of them are unanswered (a reply
 * that the kernel did not take counts as one), fewer than UNSENT_PAUSE bytes are on their way out,
 * and no answer of many messages waits to go on (STREAM_PAUSE), so a client that asks without
 * reading fills its own window and not our memory. What it asked before may still come to more than
 * that: a reply that would make it UNSENT_MAX becomes a SERVFAIL, which is small. Nothing after a
 * length under 12 is taken: what follows cannot be found any more.
 *
 * What it costs to read and to take questions is counted in bytes, for all connections together and
 * those to targets with them, and after TURN of them UDP has its turn: a message of 64 KiB is worth
 * as much as all the small ones that it could have been.
 *
 * Not here: how replies leave (inbound/outbox.c), how connections end (inbound/end.c), TLS,
 * edns-tcp-keepalive (RFC 7828). */
#include "endpoints/inbound/tcp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	UNSENT_PAUSE = 128 * 1024, /* bytes of replies that the kernel has not taken yet */
	UNSENT_MAX = 256 * 1024,
	LARGE = 4096,             /* bytes of a message */
	TURN = 32 * 1024,         /* bytes until UDP has its turn, however many connections wait; */
	LEAST = 512,              /* what a read and a message count for at least */
	STREAM_PAUSE = 64 * 1024, /* queries that send several messages wait above this, */
	STREAM_RESUME = 32 * 1024, /* and go on below this */
	INBOX = sizeof(((struct inbound_shared *)NULL)->inbox),
};

uint64_t connection_now(const struct connection *connection)
{
	const struct inbound_worker *worker = connection->inbound->worker;
	return worker->now_us(worker->context);
}

static void count_work(struct inbound_worker *worker, size_t bytes)
{
	worker->shared->tcp_work += bytes > LEAST ? bytes : LEAST;
}

void inbound_tcp_worked(struct inbound_worker *worker, size_t bytes)
{
	count_work(worker, bytes);
	if (worker->shared->tcp_work >= TURN)
		inbound_udp_turn(worker);
}

/* ---- reading ---- */

static bool connection_full(const struct connection *connection)
{
	return connection->stream ||
	       connection->unanswered + connection->writes >=
		       connection->inbound->worker->tcp.pipeline_max ||
	       (connection->writes > 0 && connection_unsent(connection) >= UNSENT_PAUSE);
}

/* The rest of a large message's own buffer; else the inbox, behind a copy of what is left over.
 * Nothing after a read that filled it: libuv would read on and on, and other connections have
 * waited. */
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	(void)suggested;
	struct connection *connection = handle->data;
	uint8_t *inbox = connection->inbound->worker->shared->inbox;
	size_t left = connection->end - connection->at;
	*buffer = uv_buf_init(NULL, 0);
	if (connection->filled)
		return;
	if (connection->room > connection->end) {
		*buffer = uv_buf_init((char *)connection->kept + connection->end,
				      (unsigned)(connection->room - connection->end));
		return;
	}
	assert(left < INBOX); /* a whole message would have been taken */
	if (left > 0)
		memcpy(inbox, connection->bytes + connection->at, left);
	*buffer = uv_buf_init((char *)inbox + left, (unsigned)(INBOX - left));
}

/* The inbox is the next reader's: copies what could not be taken yet. */
static void connection_keep(struct connection *connection)
{
	const uint8_t *message = connection->bytes + connection->at;
	size_t left = connection->end - connection->at, room = left;
	if (left >= INBOUND_PREFIX && INBOUND_PREFIX + (size_t)wire_u16(message) > left &&
	    wire_u16(message) > LARGE)
		room = INBOUND_PREFIX + (size_t)wire_u16(message);
	uint8_t *kept = malloc(room);
	if (kept)
		memcpy(kept, message, left);
	free(connection->kept);
	connection->bytes = connection->kept = kept;
	connection->at = 0;
	connection->end = kept ? left : 0;
	connection->room = kept ? room : 0;
	if (!kept)
		connection_close(connection);
}

void connection_drop_kept(struct connection *connection)
{
	free(connection->kept);
	connection->bytes = connection->kept = NULL;
	connection->at = connection->end = connection->room = 0;
}

static void connection_received(struct connection *connection, size_t count)
{
	size_t left = connection->end - connection->at;
	if (connection->lingers) {
		connection->filled = count == INBOX;
		return;
	}
	if (connection->room > connection->end) { /* that is where it is */
		connection->end += count;
		connection->filled = connection->end == connection->room;
		connection_process(connection);
		return;
	}
	if (left == 0)
		connection->active_us = connection_now(connection);
	connection->bytes = connection->inbound->worker->shared->inbox;
	connection->at = 0;
	connection->end = left + count;
	connection->filled = connection->end == INBOX;
	connection_process(connection);
	if (connection->at < connection->end)
		connection_keep(connection);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
	(void)buffer;
	struct connection *connection = stream->data;
	if (count > 0) {
		connection_received(connection, (size_t)count);
	} else if (count == UV_ENOBUFS) { /* on_alloc's wish */
		connection->filled = false;
	} else if (count == UV_EOF) {
		connection->ended = connection->client_ended = true;
		connection_process(connection);
	} else if (count < 0) {
		connection_close(connection);
	}
	inbound_tcp_worked(connection->inbound->worker, count > 0 ? (size_t)count : 0);
}

void connection_settle(struct connection *connection)
{
	if (connection->closing || connection->processing)
		return;
	if (connection->ended && connection->unanswered == 0 && connection->writes == 0 &&
	    connection_unsent(connection) == 0 && !connection_linger(connection)) {
		connection_close(connection);
		return;
	}
	bool wanted = connection->lingers || (!connection->ended && !connection_full(connection));
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

static void connection_reply(struct connection *connection, const struct query *query,
			     const uint8_t *reply, size_t length)
{
	static const struct inbound_error error = {
		.rcode = RCODE_SERVFAIL, .ede = EDE_OTHER, .text = "answers are not being read"};
	uint8_t instead[INBOUND_ERROR_REPLY_MAX];
	if (length > sizeof instead && connection_unsent(connection) + length > UNSENT_MAX) {
		connection->inbound->worker->counters.tcp_unread++;
		length = inbound_write_error(connection->inbound, query, &error, instead);
		reply = instead;
	}
	connection_write(connection, reply, length);
}

/* Whoever waits for room may be ended meanwhile. */
static void connection_forget(struct connection *connection, const struct query *query)
{
	struct query **link = &connection->stream;
	while (*link && *link != query)
		link = &(*link)->next;
	if (!*link)
		return;
	*link = query->next;
	if (!*link)
		connection->stream_end = link;
}

static void on_finish(struct query *query, const uint8_t *reply, size_t length)
{
	struct connection *connection = query->origin;
	struct inbound *inbound = connection->inbound;
	assert(connection->unanswered > 0);
	connection->unanswered--;
	connection_forget(connection, query);
	if (!reply)
		connection_close(connection);
	else if (!connection->closing)
		connection_reply(connection, query, reply, length);
	connection_process(connection);
	connection_free_when_done(connection);
	inbound_take_back(inbound, query);
}

static void answer_gone(struct query *query)
{
	struct connection *connection = query->origin;
	uint8_t reply[INBOUND_ERROR_REPLY_MAX];
	if (query->finish != on_finish || !connection->inbound->stopped || connection->closing)
		return;
	connection->told++;
	connection_write(connection, reply, inbound_write_gone(connection->inbound, query, reply));
}

void inbound_tcp_answer_gone(struct inbound_worker *worker)
{
	query_each(worker->pool, NULL, answer_gone);
	tcp_batch_flush(worker->shared->tcp);
}

/* ---- queries with many messages ---- */

static enum query_room on_ask_room(struct query *query)
{
	struct connection *connection = query->origin;
	if (connection->closing)
		return QUERY_GONE;
	if (!connection->stream && connection_unsent(connection) <= STREAM_PAUSE)
		return QUERY_ROOM;
	query->next = NULL;
	*connection->stream_end = query;
	connection->stream_end = &query->next;
	return QUERY_WAIT;
}

static void on_send(struct query *query, const uint8_t *message, size_t length)
{
	struct connection *connection = query->origin;
	if (!connection->closing)
		connection_write(connection, message, length);
}

static struct query *connection_next_stream(struct connection *connection)
{
	struct query *query = connection->stream;
	connection->stream = query->next;
	if (!connection->stream)
		connection->stream_end = &connection->stream;
	return query;
}

/* Who waits first is called first, and each sends one message, so that many streams of a connection
 * are not more of it than one. Where somebody waits there is more than an outbox holds, so the
 * kernel has not taken all, and this is called when it takes some. Those called may finish their
 * queries; the last of a connection that is closed frees it. */
bool connection_offer_room(struct connection *connection)
{
	bool gone = connection->closing;
	if (!connection->stream || (!gone && connection_unsent(connection) > STREAM_RESUME))
		return false;
	if (!gone) {
		while (connection->stream && !connection->closing &&
		       connection_unsent(connection) <= STREAM_PAUSE) {
			struct query *query = connection_next_stream(connection);
			query->on_room(query, QUERY_ROOM);
		}
		return true;
	}
	for (struct query *query = connection->stream, *next; query; query = next) {
		next = query->next;
		connection->stream = next;
		if (!next)
			connection->stream_end = &connection->stream;
		query->on_room(query, QUERY_GONE);
	}
	return true;
}

/* ---- messages ---- */

static bool connection_admits(struct connection *connection, const struct query *query)
{
	struct inbound *inbound = connection->inbound;
	struct meter_round meter;
	meter_begin(&meter, inbound->terms.meter, 1, connection->active_us);
	bool admitted = meter_admit(&meter, &query->client, query->proven);
	meter_end(&meter);
	return admitted;
}

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
	query->room = on_ask_room;
	query->send = on_send;
	query->binding = inbound->binding;
	query->client = connection->client;
	query->local.family = 0;
	query->arrived_us = connection->active_us;
	query->tcp = true;
	uint8_t reply[INBOUND_ERROR_REPLY_MAX];
	size_t length;
	if (inbound_read(inbound, query, packet, packet_length,
			 pooled ? RCODE_NOERROR : RCODE_SERVFAIL, reply, &length)) {
		if (connection_admits(connection, query)) {
			connection->unanswered++;
			inbound_hand_over(inbound, &query, 1);
			return;
		}
		length = inbound_answer_excess(inbound, query, reply);
	}
	if (pooled)
		query_give(worker->pool, query);
	if (length > 0)
		connection_write(connection, reply, length);
}

/* Takes the next whole message; false when there is none. */
static bool connection_next(struct connection *connection, uint64_t now_us)
{
	size_t left = connection->end - connection->at;
	const uint8_t *message = connection->bytes + connection->at;
	if (left < INBOUND_PREFIX)
		return false;
	size_t length = wire_u16(message);
	if (length < MESSAGE_HEADER) {
		connection->inbound->worker->counters.silent++;
		connection->ended = true;
		connection->at = connection->end;
		return false;
	}
	if (left - INBOUND_PREFIX < length)
		return false;
	connection->at += INBOUND_PREFIX + length;
	connection->active_us = now_us;
	count_work(connection->inbound->worker, length);
	connection_take(connection, message + INBOUND_PREFIX, length);
	return true;
}

/* An answer that comes from within (from the cache, say) arrives here again and leaves the work to
 * the loop that is at it. Messages of one read have arrived at one time. */
void connection_process(struct connection *connection)
{
	if (connection->processing || connection->closing || connection->inbound->worker->ends)
		return;
	connection->processing = true;
	uint64_t now_us = connection->at < connection->end ? connection_now(connection) : 0;
	while (!connection->closing && !connection_full(connection) &&
	       connection_next(connection, now_us))
		;
	connection->processing = false;
	if (connection->at == connection->end)
		connection_drop_kept(connection);
	connection_settle(connection);
}

/* ---- beginning ---- */

static void connection_link(struct connection *connection)
{
	struct inbound *inbound = connection->inbound;
	struct inbound_worker *worker = inbound->worker;
	struct connection **bucket = &worker->shared->clients[connection->bucket];
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
	worker->shared->connections[connection->bucket]++;
	worker->tcp_connections++;
	worker->tcp_strangers += connection->stranger;
}

void connection_open(struct inbound *inbound, unsigned bucket, int fd, const struct address *client)
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
	connection->client = *client;
	connection->bucket = bucket;
	connection->stranger = !inbound_is_allowed(inbound, client);
	connection->stream_end = &connection->stream;
	inbound->handles++;
	connection_link(connection);
	connection->active_us = connection_now(connection);
	connection_watch_idle(connection);
	if (uv_tcp_open(&connection->handle, fd) < 0) {
		close(fd);
		connection_close(connection);
		return;
	}
	uv_tcp_nodelay(&connection->handle, 1);
	worker->counters.tcp_accepted++;
	connection_settle(connection);
}
