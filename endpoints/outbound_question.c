/* The questions of a TCP connection and how they leave it: those of a loop round in one write at
 * its end (RFC 7766 section 8), straight from where each of them is kept in case the connection has
 * to be dialled again. One that is over by then does not leave at all.
 *
 *     ask ─► unsent: question ─► question ─► question ─► ...     flush: one write of all
 *                    └─ begun: its first `sent` bytes have left
 *
 * A question stays in its connection's table by id until it is answered or given up. It comes from
 * a list of spare ones, and goes back to it once it is neither there nor unsent.
 *
 * Not here: connections, and what becomes of the questions of one that is lost (outbound_tcp.c). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "endpoints/outbound_tcp.h"

enum {
	GATHER = 256,     /* questions in one write */
	SPARE_MAX = 1024, /* questions kept to be used again */
};

static struct question *question_new(struct outbound *outbound)
{
	struct question *question = outbound->spare;

	if (!question)
		return malloc(sizeof *question);
	outbound->spare = question->next;
	outbound->spare_count--;
	return question;
}

static void question_free(struct outbound *outbound, struct question *question)
{
	if (outbound->spare_count == SPARE_MAX) {
		free(question);
		return;
	}
	question->next = outbound->spare;
	outbound->spare = question;
	outbound->spare_count++;
}

void outbound_question_end(struct outbound_connection *connection, struct question *question)
{
	*question->link = question->next;
	if (question->next)
		question->next->link = question->link;
	TAILQ_REMOVE(&connection->asked, question, in_turn);
	connection->unanswered--;
	question->flight = NULL;
	if (question->unsent)
		return;
	connection->under_way--;
	question_free(connection->outbound, question);
	if (connection->unsent && !connection->closing) /* there is room for another one */
		outbound_connection_gather(connection);
}

struct question **outbound_question_bucket(struct outbound_connection *connection, uint16_t id)
{
	return &connection->questions[id % OUTBOUND_QUESTION_BUCKETS];
}

void outbound_connection_gather(struct outbound_connection *connection)
{
	struct outbound *outbound = connection->outbound;

	if (connection->gathered_link || connection->writing > 0 || connection->connect.data)
		return; /* it is known, or will be when that is over */
	connection->next_gathered = outbound->gathered;
	connection->gathered_link = &outbound->gathered;
	if (connection->next_gathered)
		connection->next_gathered->gathered_link = &connection->next_gathered;
	outbound->gathered = connection;
}

void outbound_connection_ungather(struct outbound_connection *connection)
{
	if (!connection->gathered_link)
		return;
	*connection->gathered_link = connection->next_gathered;
	if (connection->next_gathered)
		connection->next_gathered->gathered_link = connection->gathered_link;
	connection->gathered_link = NULL;
}

/* It leaves with the next flush, or once there is a connection. */
int outbound_connection_ask(struct outbound_connection *connection, struct flight *flight,
			    const uint8_t *wire, size_t length)
{
	struct outbound *outbound = connection->outbound;
	struct question *question = question_new(outbound);
	struct question **bucket = outbound_question_bucket(connection, flight->id);

	if (!question)
		return ERR_NOMEM;
	assert(length <= MESSAGE_QUERY_MAX);
	wire_put16(question->wire, (uint16_t)length);
	memcpy(question->wire + 2, wire, length);
	wire_put16(question->wire + 2, flight->id);
	question->length = (uint16_t)length;
	question->flight = flight;
	question->unsent = true;
	question->next_unsent = NULL;
	*connection->unsent_end = question;
	connection->unsent_end = &question->next_unsent;
	question->next = *bucket;
	question->link = bucket;
	if (question->next)
		question->next->link = &question->next;
	*bucket = question;
	TAILQ_INSERT_TAIL(&connection->asked, question, in_turn);
	if (connection->unanswered++ == 0 && !connection->connect.data)
		wheel_cancel(outbound->wheel, &connection->timer);
	outbound_connection_gather(connection);
	outbound->counters.tcp_sent++;
	return 0;
}

void outbound_questions_drop(struct outbound_connection *connection)
{
	struct question *next;

	for (struct question *question = connection->unsent; question; question = next) {
		next = question->next_unsent;
		free(question);
	}
}

void outbound_questions_release(struct outbound *outbound)
{
	while (outbound->spare) {
		struct question *question = outbound->spare;

		outbound->spare = question->next;
		free(question);
	}
}

/* ---- sending ---- */

static void unsent_shift(struct outbound_connection *connection)
{
	struct question *question = connection->unsent;

	connection->unsent = question->next_unsent;
	if (!connection->unsent)
		connection->unsent_end = &connection->unsent;
	connection->sent = 0;
	question->unsent = false;
	if (question->flight)
		connection->under_way++;
	else
		question_free(connection->outbound, question);
}

/* The kernel has taken so many bytes. */
static void unsent_advance(struct outbound_connection *connection, size_t bytes)
{
	while (bytes > 0) {
		size_t left = 2u + connection->unsent->length - connection->sent;

		if (bytes < left) {
			connection->sent += bytes;
			return;
		}
		bytes -= left;
		unsent_shift(connection);
	}
}

/* Takes out those that are over and of which nothing has left. */
static void unsent_sift(struct outbound_connection *connection)
{
	struct question **link = &connection->unsent;

	if (*link && connection->sent > 0)
		link = &(*link)->next_unsent;
	while (*link) {
		struct question *question = *link;

		if (question->flight) {
			link = &question->next_unsent;
			continue;
		}
		*link = question->next_unsent;
		question_free(connection->outbound, question);
	}
	connection->unsent_end = link;
}

static void on_write(uv_write_t *write, int status)
{
	struct outbound_connection *connection = write->data;
	size_t written = connection->writing;

	connection->writing = 0;
	if (connection->closing)
		return;
	if (status < 0) {
		outbound_connection_lost(connection);
		return;
	}
	unsent_advance(connection, written);
	if (connection->unsent)
		outbound_connection_gather(connection);
}

/* What is unsent, as far as `parts` and the window go. */
static unsigned unsent_parts(const struct outbound_connection *connection, uv_buf_t parts[GATHER],
			     size_t *bytes)
{
	unsigned room = connection->window - connection->under_way, count = 0;

	*bytes = 0;
	for (struct question *question = connection->unsent;
	     question && count < GATHER && count < room; question = question->next_unsent) {
		size_t from = count == 0 ? connection->sent : 0;
		size_t length = 2u + question->length - from;

		parts[count++] = uv_buf_init((char *)question->wire + from, (unsigned)length);
		*bytes += length;
	}
	return count;
}

/* Length and message in one write, and many of them (RFC 7766 section 8). What the kernel does not
 * take stays where it is while libuv writes it. */
static void connection_flush(struct outbound_connection *connection)
{
	uv_stream_t *stream = (uv_stream_t *)&connection->tcp;
	uv_buf_t parts[GATHER];
	size_t bytes;

	unsent_sift(connection);
	unsigned count = unsent_parts(connection, parts, &bytes);
	if (count == 0)
		return;
	int done = uv_try_write(stream, parts, count);
	if (done < 0 && done != UV_EAGAIN) {
		outbound_connection_lost(connection);
		return;
	}
	unsent_advance(connection, done < 0 ? 0 : (size_t)done);
	count = unsent_parts(connection, parts, &bytes);
	if (count == 0)
		return;
	connection->write.data = connection;
	connection->writing = bytes;
	if (uv_write(&connection->write, stream, parts, count, on_write) != 0) {
		connection->writing = 0;
		outbound_connection_lost(connection);
	}
}

void outbound_tcp_flush(struct outbound *outbound)
{
	while (outbound->gathered) {
		struct outbound_connection *connection = outbound->gathered;

		outbound_connection_ungather(connection);
		connection_flush(connection);
	}
}
