/* Replies by TCP leave together: those that a connection gets in one loop round are packed one
 * behind the other, each behind its length (RFC 7766 section 8), and written at the round's end. A
 * window of pipelined questions so costs one write, and nothing waits that could have left.
 *
 *     connection ─► outbox 0   |len|reply|len|reply|len|reply|         ─► one write
 *     connection ─► outbox 1   |len|reply|                             ─► one write
 *                   outbox 2   free
 *
 * A connection takes the next free outbox with its first reply. They are few and of one size, for
 * all connections of a worker: when one is full it is written early, and when none is free all are.
 * A reply that does not fit goes out at once, behind what is gathered and in the same write.
 *
 * What the kernel does not take is copied, and libuv writes it when it can. Only then is memory
 * asked for.
 *
 * Not here: when a connection has so much unsent that it gets no more (inbound/tcp.c). */
#include "endpoints/inbound/tcp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	OUTBOXES = 64,
	OUTBOX_BYTES = 16 * 1024,
};

struct outbox {
	struct connection *connection; /* NULL: it has closed */
	size_t used;
	unsigned replies;
	uint8_t bytes[OUTBOX_BYTES];
};

struct tcp_batch {
	unsigned count; /* outboxes taken in this round */
	struct outbox boxes[OUTBOXES];
};

struct pending_write {
	uv_write_t request;
	struct connection *connection;
	unsigned replies;
	uint8_t bytes[];
};

struct tcp_batch *tcp_batch_new(void)
{
	return calloc(1, sizeof(struct tcp_batch));
}

void tcp_batch_free(struct tcp_batch *batch)
{
	free(batch);
}

size_t connection_unsent(const struct connection *connection)
{
	size_t gathered = connection->outbox ? connection->outbox->used : 0;
	return gathered + uv_stream_get_write_queue_size((const uv_stream_t *)&connection->handle);
}

/* ---- what the kernel does not take ---- */

static void on_written(uv_write_t *request, int status)
{
	struct pending_write *write = (struct pending_write *)request;
	struct connection *connection = write->connection;
	if (status < 0)
		connection_close(connection); /* with these, that have not left */
	connection->writes -= write->replies;
	free(write);
	connection->active_us = connection->behind_us = connection_now(connection);
	connection_offer_room(connection);
	connection_process(connection);
}

/* How many replies are not wholly among the first `done` bytes. */
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

/* Keeps the parts from byte `done` on. False: the connection is to be closed. */
static bool connection_write_rest(struct connection *connection, const uv_buf_t parts[],
				  unsigned count, size_t done, size_t total)
{
	struct pending_write *write = malloc(sizeof *write + total - done);
	if (!write)
		return false;
	write->connection = connection;
	write->replies = replies_left(connection->outbox, count > 1, done);
	uv_buf_t rest = uv_buf_init((char *)write->bytes, (unsigned)(total - done));
	uint8_t *to = write->bytes;
	for (unsigned i = 0; i < count; i++) {
		size_t skip = done < parts[i].len ? done : parts[i].len;
		memcpy(to, parts[i].base + skip, parts[i].len - skip);
		to += parts[i].len - skip;
		done -= skip;
	}
	if (uv_write(&write->request, (uv_stream_t *)&connection->handle, &rest, 1, on_written) <
	    0) {
		free(write);
		return false;
	}
	if (connection->writes == 0)
		connection->behind_us = connection_now(connection);
	connection->writes += write->replies;
	return true;
}

/* ---- writing ---- */

/* Writes what the connection has gathered, and behind it `reply` unless that is NULL. */
static void connection_send(struct connection *connection, const uint8_t *reply, size_t length)
{
	struct outbox *box = connection->outbox;
	uint8_t prefix[INBOUND_PREFIX];
	wire_put16(prefix, (uint16_t)length);
	uv_buf_t parts[] = {uv_buf_init((char *)box->bytes, (unsigned)box->used),
			    uv_buf_init((char *)prefix, sizeof prefix),
			    uv_buf_init((char *)(uintptr_t)reply, (unsigned)length)};
	unsigned count = reply ? 3 : 1;
	size_t total = box->used + (reply ? INBOUND_PREFIX + length : 0);
	int done = uv_try_write((uv_stream_t *)&connection->handle, parts, count);
	bool good = done >= 0 || done == UV_EAGAIN;
	size_t out = done > 0 ? (size_t)done : 0;
	if (good && out == total)
		connection->active_us = connection_now(connection);
	else if (good)
		good = connection_write_rest(connection, parts, count, out, total);
	if (!good) {
		connection->inbound->worker->counters.tcp_lost += count > 1;
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
			connection_send(connection, NULL, 0);
		connection->outbox = NULL;
		connection_settle(connection);
	}
	batch->count = 0;
}

unsigned connection_leave_outbox(struct connection *connection)
{
	struct outbox *box = connection->outbox;
	if (!box)
		return 0;
	box->connection = NULL;
	connection->outbox = NULL;
	return box->replies;
}

static void connection_take_outbox(struct connection *connection)
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

void connection_write(struct connection *connection, const uint8_t *reply, size_t length)
{
	assert(length >= MESSAGE_HEADER && length <= MESSAGE_MAX);
	if (!connection->outbox)
		connection_take_outbox(connection);
	struct outbox *box = connection->outbox;
	if (INBOUND_PREFIX + length > OUTBOX_BYTES - box->used) {
		connection_send(connection, reply, length);
		return;
	}
	wire_put16(box->bytes + box->used, (uint16_t)length);
	memcpy(box->bytes + box->used + INBOUND_PREFIX, reply, length);
	box->used += INBOUND_PREFIX + length;
	box->replies++;
}
