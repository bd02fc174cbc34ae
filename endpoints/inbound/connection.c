/* A client's TCP connection (RFC 7766): each message follows its length in two bytes, questions are
 * pipelined, and answers leave in the order in which they are ready.
 *
 *     accept ─► connection ── inbox ──► length, message ──► query ──► resolver
 *                  ▲                                                     │
 *                  └── one write a loop round ◄── outbox ◄── answers ◄───┘
 *
 * **Reading** uses one large inbox that all connections of a worker share, so that a window of
 * questions costs one read. Only bytes that cannot be taken yet are copied out of it: half a
 * message, or messages for which the pipeline has no room. An idle connection has no buffer. A
 * large message that comes in parts is read into a buffer of its size, because otherwise each part
 * would be copied with all parts before it.
 *
 * A connection takes questions as long as fewer than pipeline_max of them are unanswered (a reply
 * that the kernel did not take counts as one), fewer than UNSENT_PAUSE bytes are on their way out,
 * and no answer of many messages waits to go on (STREAM_PAUSE). So a client that asks without
 * reading fills its own window and not our memory. Answers to earlier questions may still exceed
 * that: a reply that would bring the bytes above UNSENT_MAX becomes a small SERVFAIL. After a
 * length under 12 nothing is taken, because the next message cannot be found.
 *
 * The work of reading is counted in bytes, for all connections together, including those to
 * targets. After TURN bytes it is UDP's turn. Each read and each message counts as at least LEAST
 * bytes, so a message of 64 KiB counts as much as many small ones.
 *
 * **Replies leave together**: the replies for a connection in one loop round are packed one after
 * the other, each after its length (RFC 7766 section 8), and written at the round's end. So a
 * window of pipelined questions costs one write, and no reply waits longer than its round.
 *
 *     connection ─► outbox 0   |len|reply|len|reply|len|reply|         ─► one write
 *     connection ─► outbox 1   |len|reply|                             ─► one write
 *                   outbox 2   free
 *
 * A connection takes the next free outbox with its first reply. All connections of a worker share a
 * few outboxes of one size: a full one is written early, and when none is free all are written. A
 * reply that does not fit leaves at once, in the same write as the gathered ones. Only bytes that
 * the kernel does not take are copied to allocated memory, and leave later.
 *
 * **It ends** when
 *   - the client has closed its side, and all it asked is answered and written;
 *   - no question is under way, and nothing has happened for the idle timeout. Events are an
 *     accept, the first byte of a message, a whole message and a written reply, so a message that
 *     trickles in gets that time as a whole;
 *   - replies wait for the kernel, and for the idle timeout no round's replies have left
 *     completely, whatever else happens: a byte that the client reads now and then is not enough;
 *   - a length is under 12, or the server leaves, or its successor serves from now on;
 *   - an answer ends without a last message, perhaps halfway;
 *   - its listener stops: queries under way get SERVFAIL, if the kernel takes it at once, but
 *     updates get no answer (inbound.c).
 *
 * If the server ends a connection that the client may still use, it answers every question that it
 * has read, and then ends the stream. The client asks unread questions again, on a new connection
 * or elsewhere (RFC 7766 section 6.2.4).
 *
 *     reads ─► ended ─ all is answered and written ─► lingers ─ the client ends, too, ─► closed
 *                                                               or LINGER_MS have passed
 *
 * An ended connection reads no more questions. A lingering one has ended its side of the stream,
 * and drops what it reads: if it were closed with unread bytes, the kernel would send a reset,
 * which destroys answers that are still on their way.
 *
 * A connection's memory stays until its last query is back.
 *
 * Not here: which clients may connect (inbound/accept.c), and the bytes themselves (stream.h).
 * edns-tcp-keepalive (RFC 7828) is not supported. */
#include "endpoints/inbound/connection.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "endpoints/socket.h"
#include "rules/base.h"

enum {
	UNSENT_PAUSE = 128 * 1024, /* bytes of replies that the kernel has not taken yet */
	UNSENT_MAX = 256 * 1024,
	LARGE = 4096,              /* bytes; a longer message gets all its room at once */
	TURN = 32 * 1024,          /* bytes until it is UDP's turn */
	LEAST = 512,               /* least bytes that a read or a message counts as */
	STREAM_PAUSE = 64 * 1024,  /* unsent bytes above which answers of many messages wait */
	STREAM_RESUME = 32 * 1024, /* unsent bytes at which they go on */
	OUTBOXES = 64,
	OUTBOX_BYTES = 16 * 1024,
	LINGER_MS = 500,
	INBOX = sizeof(((struct inbound_shared *)NULL)->inbox),
};

struct outbox {
	struct connection *connection; /* NULL: the connection has closed */
	size_t used;
	unsigned replies;
	uint8_t bytes[OUTBOX_BYTES];
};

struct tcp_batch {
	unsigned count; /* outboxes in use in this round */
	struct outbox boxes[OUTBOXES];
};

static void process(struct connection *connection);
static void update_reading(struct connection *connection);
static bool offer_room(struct connection *connection);

static struct connection *connection_of(struct stream *stream)
{
	return container_of(stream, struct connection, stream);
}

static uint64_t now_of(const struct connection *connection)
{
	const struct inbound_worker *worker = connection->inbound->worker;

	return worker->now_us(worker->context);
}

struct tcp_batch *tcp_batch_new(void)
{
	return calloc(1, sizeof(struct tcp_batch));
}

void tcp_batch_free(struct tcp_batch *batch)
{
	free(batch);
}

/* Bytes of replies that the kernel has not taken yet, including gathered ones. */
static size_t unsent(const struct connection *connection)
{
	size_t gathered = connection->outbox ? connection->outbox->used : 0;

	return gathered + stream_unsent(&connection->stream);
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

/* ---- closing ---- */

static void free_when_done(struct connection *connection)
{
	if (!connection->closed || connection->unanswered > 0)
		return;
	assert(connection->writes == 0);
	free(connection->kept);
	free(connection);
}

static void on_closed(struct stream *stream)
{
	struct connection *connection = connection_of(stream);
	struct inbound *inbound = connection->inbound;

	connection->closed = true;
	if (!offer_room(connection))
		free_when_done(connection);
	inbound_handle_closed(inbound);
}

/* Drops the gathered replies; returns how many. */
static unsigned leave_outbox(struct connection *connection)
{
	struct outbox *box = connection->outbox;

	if (!box)
		return 0;
	box->connection = NULL;
	connection->outbox = NULL;
	return box->replies;
}

void connection_close(struct connection *connection)
{
	if (connection->closing)
		return;
	connection->closing = true;
	struct inbound_worker *worker = connection->inbound->worker;
	unsigned lost = connection->unanswered - connection->told + connection->writes +
			leave_outbox(connection);
	COUNTER_ADD(connection->inbound->counters->tcp_lost, lost);
	wheel_cancel(worker->wheel, &connection->idle);
	*connection->link = connection->next;
	if (connection->next)
		connection->next->link = connection->link;
	*connection->client_link = connection->next_of_client;
	if (connection->next_of_client)
		connection->next_of_client->client_link = connection->client_link;
	worker->tcp_connections--;
	worker->tcp_strangers -= connection->stranger;
	worker->shared->connections[connection->bucket]--;
	stream_close(&connection->stream);
}

static void drop_kept(struct connection *connection)
{
	free(connection->kept);
	connection->bytes = connection->kept = NULL;
	connection->at = connection->end = connection->room = 0;
}

/* When the connection ends unless something happens. */
static uint64_t due_us(const struct connection *connection)
{
	if (connection->lingers)
		return connection->active_us + (uint64_t)LINGER_MS * 1000;
	uint64_t since_us = connection->writes > 0 ? connection->behind_us : connection->active_us;
	return since_us + (uint64_t)connection->inbound->worker->tcp.idle_timeout_ms * 1000;
}

/* Ends our side after the last answer. False: the connection may be closed at once. */
static bool linger(struct connection *connection)
{
	if (connection->client_ended || connection->lingers)
		return !connection->client_ended;
	connection->lingers = true;
	drop_kept(connection);
	connection->active_us = now_of(connection);
	wheel_arm(connection->inbound->worker->wheel, &connection->idle, due_us(connection));
	return stream_end(&connection->stream) == 0;
}

/* ---- reading ---- */

static bool is_full(const struct connection *connection)
{
	return connection->sending ||
	       connection->unanswered + connection->writes >=
		       connection->inbound->worker->tcp.pipeline_max ||
	       (connection->writes > 0 && unsent(connection) >= UNSENT_PAUSE);
}

/* The next bytes go to a large message's own buffer, or to the inbox, after a copy of the bytes
 * left over. */
static uint8_t *on_room(struct stream *stream, size_t *size)
{
	struct connection *connection = connection_of(stream);
	uint8_t *inbox = connection->inbound->worker->shared->inbox;
	size_t left = connection->end - connection->at;

	if (connection->room > connection->end) {
		*size = connection->room - connection->end;
		return connection->kept + connection->end;
	}
	assert(left < INBOX); /* otherwise a whole message would have been taken */
	if (left > 0)
		memcpy(inbox, connection->bytes + connection->at, left);
	*size = INBOX - left;
	return inbox + left;
}

/* Copies bytes that could not be taken yet out of the inbox, which the next reader uses. */
static void keep(struct connection *connection)
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

static void received(struct connection *connection, size_t count)
{
	size_t left = connection->end - connection->at;

	if (connection->lingers)
		return;
	if (connection->room > connection->end) { /* the bytes are in `kept` already */
		connection->end += count;
		process(connection);
		return;
	}
	if (left == 0)
		connection->active_us = now_of(connection);
	connection->bytes = connection->inbound->worker->shared->inbox;
	connection->at = 0;
	connection->end = left + count;
	process(connection);
	if (connection->at < connection->end)
		keep(connection);
}

static void on_bytes(struct stream *stream, size_t count)
{
	struct connection *connection = connection_of(stream);

	received(connection, count);
	inbound_tcp_worked(connection->inbound->worker, count);
}

static void on_end(struct stream *stream, bool broken)
{
	struct connection *connection = connection_of(stream);

	if (broken) {
		connection_close(connection);
	} else {
		connection->ended = connection->client_ended = true;
		process(connection);
	}
	inbound_tcp_worked(connection->inbound->worker, 0);
}

/* Starts or stops reading, or closes, according to its state. */
static void update_reading(struct connection *connection)
{
	if (connection->closing || connection->processing)
		return;
	if (connection->ended && connection->unanswered == 0 && connection->writes == 0 &&
	    unsent(connection) == 0 && !linger(connection)) {
		connection_close(connection);
		return;
	}
	bool wanted = connection->lingers || (!connection->ended && !is_full(connection));
	if (wanted == connection->reading)
		return;
	connection->reading = wanted;
	if (!wanted)
		stream_pause(&connection->stream);
	else if (stream_read(&connection->stream) != 0)
		connection_close(connection);
}

/* ---- writing ---- */

static void on_written(struct stream *stream, unsigned replies, bool fine)
{
	struct connection *connection = connection_of(stream);

	if (!fine)
		connection_close(connection); /* first, so that it counts these replies as lost */
	connection->writes -= replies;
	connection->active_us = connection->behind_us = now_of(connection);
	offer_room(connection);
	process(connection);
}

/* How many replies end after the first `done` bytes. */
static unsigned replies_left(const struct outbox *box, bool another, size_t done)
{
	unsigned left = box->replies + another;

	for (size_t at = 0; at < box->used;) {
		at += INBOUND_PREFIX + (size_t)wire_u16(box->bytes + at);
		if (at > done)
			break;
		left--;
	}
	return left;
}

/* Writes the gathered replies, and `reply` after them unless it is NULL. */
static void send_gathered(struct connection *connection, const uint8_t *reply, size_t length)
{
	struct outbox *box = connection->outbox;
	uint8_t prefix[INBOUND_PREFIX];

	wire_put16(prefix, (uint16_t)length);
	const uv_buf_t parts[] = {uv_buf_init((char *)box->bytes, (unsigned)box->used),
				  uv_buf_init((char *)prefix, sizeof prefix),
				  uv_buf_init((char *)(uintptr_t)reply, (unsigned)length)};
	unsigned count = reply ? 3 : 1, left;
	size_t total = box->used + (reply ? INBOUND_PREFIX + length : 0);
	ssize_t taken = stream_write(&connection->stream, parts, count);
	bool good = taken >= 0;

	if (good && (size_t)taken == total) {
		connection->active_us = now_of(connection);
	} else if (good) {
		left = replies_left(box, reply, (size_t)taken);
		good = stream_keep(&connection->stream, parts, count, (size_t)taken, left) == 0;
		if (good && connection->writes == 0)
			connection->behind_us = now_of(connection);
		connection->writes += good ? left : 0;
	}
	if (!good) {
		COUNTER_ADD(connection->inbound->counters->tcp_lost, count > 1);
		connection_close(connection);
	}
	box->used = 0;
	box->replies = 0;
}

void tcp_batch_flush(struct tcp_batch *batch)
{
	for (unsigned i = 0; i < batch->count; i++) {
		struct connection *connection = batch->boxes[i].connection;
		if (!connection)
			continue;
		if (batch->boxes[i].used > 0)
			send_gathered(connection, NULL, 0);
		connection->outbox = NULL;
		update_reading(connection);
	}
	batch->count = 0;
}

static void take_outbox(struct connection *connection)
{
	struct tcp_batch *batch = connection->inbound->worker->shared->tcp;

	if (batch->count == OUTBOXES)
		tcp_batch_flush(batch);
	struct outbox *box = &batch->boxes[batch->count++];
	box->connection = connection;
	box->used = 0;
	box->replies = 0;
	connection->outbox = box;
}

static void gather(struct connection *connection, const uint8_t *reply, size_t length)
{
	assert(length >= MESSAGE_HEADER && length <= MESSAGE_MAX);
	if (!connection->outbox)
		take_outbox(connection);
	struct outbox *box = connection->outbox;
	if (INBOUND_PREFIX + length > OUTBOX_BYTES - box->used) {
		send_gathered(connection, reply, length);
		return;
	}
	wire_put16(box->bytes + box->used, (uint16_t)length);
	memcpy(box->bytes + box->used + INBOUND_PREFIX, reply, length);
	box->used += INBOUND_PREFIX + length;
	box->replies++;
}

/* ---- replies ---- */

static void reply_to(struct connection *connection, const struct query *query, const uint8_t *reply,
		     size_t length)
{
	static const struct inbound_error error = {.rcode = RCODE_SERVFAIL,
						   .ede = EDE_OTHER,
						   .text = "the client does not read its answers"};
	uint8_t instead[INBOUND_ERROR_REPLY_MAX];

	if (length > sizeof instead && unsent(connection) + length > UNSENT_MAX) {
		COUNTER_ADD(connection->inbound->counters->tcp_unread, 1);
		length = inbound_write_error(connection->inbound, query, &error, instead);
		reply = instead;
	}
	gather(connection, reply, length);
}

/* Takes the query out of the line that waits for room, because it has ended. */
static void forget(struct connection *connection, const struct query *query)
{
	struct query **link = &connection->sending;

	while (*link && *link != query)
		link = &(*link)->next;
	if (!*link)
		return;
	*link = query->next;
	if (!*link)
		connection->sending_end = link;
}

static void on_finish(struct query *query, const uint8_t *reply, size_t length)
{
	struct connection *connection = query->origin;
	struct inbound *inbound = connection->inbound;

	assert(connection->unanswered > 0);
	connection->unanswered--;
	forget(connection, query);
	if (!reply)
		connection_close(connection);
	else if (!connection->closing)
		reply_to(connection, query, reply, length);
	process(connection);
	free_when_done(connection);
	inbound_take_back(inbound, query);
}

static void answer_gone(struct query *query)
{
	struct connection *connection = query->origin;
	uint8_t reply[INBOUND_ERROR_REPLY_MAX];

	if (query->finish != on_finish || !connection->inbound->stopped || connection->closing ||
	    request_is_update(&query->request)) /* silence, see inbound.c */
		return;
	connection->told++;
	gather(connection, reply, inbound_write_gone(connection->inbound, query, reply));
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
	if (!connection->sending && unsent(connection) <= STREAM_PAUSE)
		return QUERY_ROOM;
	query->next = NULL;
	*connection->sending_end = query;
	connection->sending_end = &query->next;
	return QUERY_WAIT;
}

static void on_send(struct query *query, const uint8_t *message, size_t length)
{
	struct connection *connection = query->origin;

	if (!connection->closing)
		gather(connection, message, length);
}

static struct query *next_sending(struct connection *connection)
{
	struct query *query = connection->sending;

	connection->sending = query->next;
	if (!connection->sending)
		connection->sending_end = &connection->sending;
	return query;
}

/* Calls the queries that wait for room, in their order. Each sends one message and goes to the end
 * of the line, so that they take turns. They wait only while the kernel has not taken all bytes;
 * when the kernel takes some, on_written calls this function. On a closed connection the queries
 * end, and the last one frees the connection. False: no query was called. */
static bool offer_room(struct connection *connection)
{
	bool gone = connection->closing;

	if (!connection->sending || (!gone && unsent(connection) > STREAM_RESUME))
		return false;
	if (!gone) {
		while (connection->sending && !connection->closing &&
		       unsent(connection) <= STREAM_PAUSE) {
			struct query *query = next_sending(connection);
			query->on_room(query, QUERY_ROOM);
		}
		return true;
	}
	for (struct query *query = connection->sending, *next; query; query = next) {
		next = query->next;
		connection->sending = next;
		if (!next)
			connection->sending_end = &connection->sending;
		query->on_room(query, QUERY_GONE);
	}
	return true;
}

/* ---- messages ---- */

static bool admits(struct connection *connection, const struct query *query)
{
	struct inbound *inbound = connection->inbound;
	struct meter_round meter;

	meter_begin(&meter, inbound->admission.meter, 1, connection->active_us);
	bool admitted = meter_admit(&meter, &query->client, query->proven);
	meter_end(&meter);
	return admitted;
}

static void take(struct connection *connection, const uint8_t *packet, size_t packet_length)
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
	query->local = connection->local;
	query->arrived_us = connection->active_us;
	query->tcp = true;
	uint8_t reply[INBOUND_ERROR_REPLY_MAX];
	size_t length;
	if (inbound_read(inbound, query, packet, packet_length,
			 pooled ? RCODE_NOERROR : RCODE_SERVFAIL, reply, &length)) {
		if (admits(connection, query)) {
			connection->unanswered++;
			inbound_hand_over(inbound, &query, 1);
			return;
		}
		length = inbound_answer_excess(inbound, query, reply);
	}
	if (pooled)
		query_give(worker->pool, query);
	if (length > 0)
		gather(connection, reply, length);
}

/* Takes the next whole message; false when there is none. */
static bool take_next(struct connection *connection, uint64_t now_us)
{
	size_t left = connection->end - connection->at;
	const uint8_t *message = connection->bytes + connection->at;

	if (left < INBOUND_PREFIX)
		return false;
	size_t length = wire_u16(message);
	if (length < MESSAGE_HEADER) {
		COUNTER_ADD(connection->inbound->counters->silent, 1);
		connection->ended = true;
		connection->at = connection->end;
		return false;
	}
	if (left - INBOUND_PREFIX < length)
		return false;
	connection->at += INBOUND_PREFIX + length;
	connection->active_us = now_us;
	count_work(connection->inbound->worker, length);
	take(connection, message + INBOUND_PREFIX, length);
	return true;
}

/* An immediate answer (from the cache, for example) calls this again, and leaves the work to the
 * loop that is running. All messages of one read have the same time of arrival. */
static void process(struct connection *connection)
{
	if (connection->processing || connection->closing || connection->inbound->worker->ends)
		return;
	connection->processing = true;
	uint64_t now_us = connection->at < connection->end ? now_of(connection) : 0;
	while (!connection->closing && !is_full(connection) && take_next(connection, now_us))
		;
	connection->processing = false;
	if (connection->at == connection->end)
		drop_kept(connection);
	update_reading(connection);
}

/* ---- ending in good order ---- */

static void end(struct connection *connection)
{
	connection->ended = true;
	update_reading(connection);
}

static void on_idle(struct timer *timer, uint64_t now_us)
{
	struct connection *connection = container_of(timer, struct connection, idle);
	struct inbound_worker *worker = connection->inbound->worker;

	if (connection->unanswered > 0 || connection->outbox)
		connection->active_us = now_us;
	uint64_t end_us = due_us(connection);
	if (end_us > now_us) {
		wheel_arm(worker->wheel, timer, end_us);
		return;
	}
	if ((worker->drains || worker->leaves) && !connection->ended && connection->writes == 0) {
		end(connection);
		return;
	}
	COUNTER_ADD(connection->inbound->counters->tcp_timeouts, !connection->lingers);
	connection_close(connection);
}

void inbound_tcp_hurry(struct inbound *inbound)
{
	for (struct connection *at = inbound->connections; at; at = at->next)
		wheel_arm(inbound->worker->wheel, &at->idle, due_us(at));
}

void inbound_tcp_end(struct inbound *inbound)
{
	struct connection *next;

	inbound_tcp_hurry(inbound);
	for (struct connection *at = inbound->connections; at; at = next) {
		next = at->next;
		end(at);
	}
}

/* ---- beginning ---- */

static void link_in(struct connection *connection)
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

static const struct stream_calls calls = {
	.on_room = on_room,
	.on_bytes = on_bytes,
	.on_end = on_end,
	.on_written = on_written,
	.on_closed = on_closed,
};

/* Reads the local address that the client connected to. */
static void read_local(int fd, struct address *local)
{
	struct sockaddr_storage name = {0};
	socklen_t length = sizeof name;
	struct host host;

	if (getsockname(fd, (struct sockaddr *)&name, &length) != 0)
		return;
	socket_host(&name, &host);
	*local = host.address;
}

void connection_open(struct inbound *inbound, unsigned bucket, int fd, const struct address *client)
{
	struct inbound_worker *worker = inbound->worker;
	struct connection *connection = calloc(1, sizeof *connection);

	if (!connection || stream_init(&connection->stream, worker->loop, AF_UNSPEC, &calls) != 0) {
		free(connection);
		close(fd);
		COUNTER_ADD(inbound->counters->tcp_refused, 1);
		return;
	}
	connection->inbound = inbound;
	connection->client = *client;
	if (inbound->wildcard)
		read_local(fd, &connection->local);
	connection->bucket = bucket;
	connection->stranger = !inbound_is_allowed(inbound, client);
	connection->sending_end = &connection->sending;
	inbound->handles++;
	link_in(connection);
	connection->active_us = now_of(connection);
	timer_init(&connection->idle, on_idle);
	wheel_arm(worker->wheel, &connection->idle, due_us(connection));
	if (stream_take(&connection->stream, fd) != 0) {
		close(fd);
		connection_close(connection);
		return;
	}
	COUNTER_ADD(inbound->counters->tcp_accepted, 1);
	update_reading(connection);
}
