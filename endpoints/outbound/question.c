/* The questions of TCP peers. Those of a loop round leave in one write at its end (RFC 7766 section
 * 8), straight from the memory where each is kept in case its connection is lost.
 *
 *     add ─► waiting (peer) ──leave──► under way (connection) ─► end
 *               ▲                           │
 *               └────────── return ─────────┘ the connection is lost
 *
 * A question that ends before it left is never sent. Questions come from a list of spare ones and
 * return to it.
 *
 * Not here: connections, and how questions of a lost one are judged (outbound/connection.c). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "endpoints/outbound/peer.h"

enum {
	GATHER = 256,     /* questions in one write */
	SPARE_MAX = 1024, /* questions kept for reuse */
};

static struct question *question_new(struct outbound *outbound)
{
	struct question *question = outbound->spare;

	if (!question)
		return malloc(sizeof *question);
	outbound->spare = TAILQ_NEXT(question, in_turn);
	outbound->spare_count--;
	return question;
}

static void question_free(struct outbound *outbound, struct question *question)
{
	if (outbound->spare_count == SPARE_MAX) {
		free(question);
		return;
	}
	TAILQ_NEXT(question, in_turn) = outbound->spare;
	outbound->spare = question;
	outbound->spare_count++;
}

int outbound_question_add(struct outbound_peer *peer, struct flight *flight, const uint8_t *wire,
			  size_t length)
{
	struct question *question = question_new(peer->outbound);

	if (!question)
		return ERR_NOMEM;
	assert(length <= MESSAGE_QUERY_MAX);
	wire_put16(question->wire, (uint16_t)length);
	memcpy(question->wire + 2, wire, length);
	wire_put16(question->wire + 2, flight->id);
	question->length = (uint16_t)(2 + length);
	question->connection = NULL;
	question->ends = 0;
	question->excused = false;
	question->flight = flight;
	flight->parcel = question;
	flight->gathered = true;
	TAILQ_INSERT_TAIL(&peer->waiting, question, in_turn);
	peer->unanswered++;
	return 0;
}

void outbound_question_end(struct outbound_peer *peer, struct question *question, bool answered)
{
	struct outbound_connection *connection = question->connection;

	peer->unanswered--;
	TAILQ_REMOVE(connection ? &connection->asked : outbound_line_of(peer, question), question,
		     in_turn);
	if (connection)
		outbound_connection_unload(connection, question, answered);
	question_free(peer->outbound, question);
}

/* Puts it at the front of `waiting`; a suspect goes after suspects with fewer `ends`. */
static void question_wait_again(struct outbound_peer *peer, struct question *question)
{
	struct question *next = TAILQ_FIRST(&peer->suspects);

	question->connection = NULL;
	if (!question_is_suspect(question)) {
		TAILQ_INSERT_HEAD(&peer->waiting, question, in_turn);
		return;
	}
	while (next && next->ends < question->ends)
		next = TAILQ_NEXT(next, in_turn);
	if (next)
		TAILQ_INSERT_BEFORE(next, question, in_turn);
	else
		TAILQ_INSERT_TAIL(&peer->suspects, question, in_turn);
}

void outbound_questions_return(struct outbound_connection *connection)
{
	struct question *question;

	while ((question = TAILQ_LAST(&connection->asked, question_list))) {
		TAILQ_REMOVE(&connection->asked, question, in_turn);
		question->flight->gathered = true;
		question_wait_again(connection->peer, question);
	}
	connection->under_way = 0;
}

void outbound_questions_release(struct outbound *outbound)
{
	while (outbound->spare) {
		struct question *question = outbound->spare;

		outbound->spare = TAILQ_NEXT(question, in_turn);
		free(question);
	}
}

/* ---- sending ---- */

/* Sends many questions, each after its length, in one write. */
void outbound_questions_leave(struct outbound_connection *connection, uint64_t now_us)
{
	struct outbound_peer *peer = connection->peer;
	unsigned room = outbound_connection_room(connection, now_us), count = 0;
	struct question *question;
	uv_buf_t parts[GATHER];
	size_t bytes = 0;

	while (count < GATHER && count < room && (question = outbound_peer_next(peer)) &&
	       (count == 0 || !question_is_suspect(question))) {
		TAILQ_REMOVE(outbound_line_of(peer, question), question, in_turn);
		TAILQ_INSERT_TAIL(&connection->asked, question, in_turn);
		question->connection = connection;
		question->flight->gathered = false;
		question->flight->departures++;
		question->left_us = now_us;
		question->answered_before = connection->answered;
		parts[count++] = uv_buf_init((char *)question->wire, question->length);
		bytes += question->length;
	}
	if (count == 0)
		return;
	outbound_connection_load(connection, count, now_us);
	peer->outbound->counters.tcp_sent += count;
	ssize_t taken = stream_write(&connection->stream, parts, count);
	connection->writing = taken >= 0 && (size_t)taken < bytes;
	if (taken < 0 || (connection->writing &&
			  stream_keep(&connection->stream, parts, count, (size_t)taken, 0) != 0))
		outbound_connection_lost(connection);
}
