/* Questions by TCP (RFC 7766): each waits at its peer until one of the peer's connections has room.
 * What a loop round has gathered is dealt at its end, and where there is too little room, more
 * connections are dialled: few to a server that takes a pipeline of questions on each, more to one
 * that gives few answers to a connection.
 *
 *     send ─► peer: waiting ──flush──► open connection with room: they leave (outbound_question.c)
 *                      ▲        └────► none: dial                           (outbound_connection.c)
 *                      └── the questions of a connection that is lost
 */
#include <assert.h>

#include "endpoints/outbound_tcp.h"

enum {
	PIPELINES_MAX = 8,         /* connections to a peer that takes a pipeline on each */
	FULL_FOR_US = 1000 * 1000, /* no more connections than a peer accepts; then one is tried */
};

static struct outbound_peer *peer_find(const struct outbound *outbound,
				       const struct upstream *upstream)
{
	struct outbound_peer *peer;

	LIST_FOREACH (peer, &outbound->peers, all) {
		if (host_equal(&peer->host, &upstream->host) &&
		    address_equal(&peer->source, &upstream->source))
			return peer;
	}
	return NULL;
}

static struct outbound_peer *peer_for(struct outbound *outbound, const struct upstream *upstream)
{
	struct outbound_peer *peer = peer_find(outbound, upstream);

	if (peer)
		return peer;
	peer = calloc(1, sizeof *peer);
	if (!peer)
		return NULL;
	peer->outbound = outbound;
	peer->source = upstream->source;
	peer->host = upstream->host;
	peer->accepts = OUTBOUND_TCP_CONNECTIONS;
	peer->window = OUTBOUND_TCP_PIPELINE;
	peer->spread = 1;
	LIST_INIT(&peer->connections);
	TAILQ_INIT(&peer->waiting);
	LIST_INSERT_HEAD(&outbound->peers, peer, all);
	return peer;
}

void outbound_peer_gather(struct outbound_peer *peer)
{
	if (peer->gathered)
		return;
	peer->gathered = true;
	TAILQ_INSERT_TAIL(&peer->outbound->gathered, peer, in_turn);
}

static struct question *waiting_returned(const struct outbound_peer *peer, unsigned returned)
{
	struct question *question;

	TAILQ_FOREACH (question, &peer->waiting, in_turn) {
		if (question->returned >= returned)
			return question;
	}
	return NULL;
}

/* What that brings about may ask this peer again: there is an end to it all the same. */
void outbound_peer_fail(struct outbound_peer *peer, unsigned returned, enum target_error error,
			uint64_t now_us)
{
	struct question *question;

	for (unsigned n = peer->unanswered; n > 0 && (question = waiting_returned(peer, returned));
	     n--)
		pending_on_error(peer->outbound->pending, question->flight, error, now_us);
}

/* Connections that take questions; *room: the questions that all have, or have room for. */
static unsigned live_connections(const struct outbound_peer *peer, unsigned *room)
{
	const struct outbound_connection *connection;
	unsigned live = 0;

	*room = 0;
	LIST_FOREACH (connection, &peer->connections, of_peer) {
		live += !connection->retired;
		*room += connection->under_way + outbound_connection_room(connection);
	}
	return live;
}

bool outbound_peer_keeps(struct outbound_peer *peer, uint64_t now_us)
{
	unsigned room, live = live_connections(peer, &room);

	peer->accepts = live > 0 ? live : OUTBOUND_TCP_CONNECTIONS;
	peer->full_us = now_us;
	return live > 0;
}

/* ---- the flush ---- */

static struct outbound_connection *ready(const struct outbound_peer *peer)
{
	struct outbound_connection *connection;

	LIST_FOREACH (connection, &peer->connections, of_peer) {
		if (connection->open && !connection->writing &&
		    outbound_connection_room(connection) > 0)
			return connection;
	}
	return NULL;
}

/* Whether there is more to ask than its connections have room for, and one more may be had, or be
 * tried. */
static bool wants_connection(struct outbound_peer *peer, bool *trial, uint64_t now_us)
{
	unsigned most = peer->window < OUTBOUND_TCP_PIPELINE_MIN ? peer->spread : PIPELINES_MAX;
	unsigned room, live = live_connections(peer, &room);

	if (TAILQ_EMPTY(&peer->waiting) || room >= peer->unanswered || live >= most)
		return false;
	*trial = live >= peer->accepts;
	if (!*trial)
		return true;
	if (now_us < peer->full_us + FULL_FOR_US)
		return false;
	peer->accepts = live + 1;
	peer->full_us = now_us;
	return true;
}

static void peer_flush(struct outbound_peer *peer, uint64_t now_us)
{
	struct outbound_connection *connection;
	bool trial;

	while (!TAILQ_EMPTY(&peer->waiting) && (connection = ready(peer)))
		outbound_questions_leave(connection, now_us);
	while (wants_connection(peer, &trial, now_us)) {
		enum target_error error = peer->connection_count < OUTBOUND_TCP_CONNECTIONS
						  ? outbound_connection_dial(peer, trial, now_us)
						  : TARGET_ERROR_FULL;

		if (error != TARGET_ERROR_NONE && !outbound_peer_keeps(peer, now_us))
			outbound_peer_fail(peer, 0, error, now_us);
	}
}

static void peer_free(struct outbound_peer *peer)
{
	if (peer->gathered)
		TAILQ_REMOVE(&peer->outbound->gathered, peer, in_turn);
	LIST_REMOVE(peer, all);
	free(peer);
}

void outbound_tcp_flush(struct outbound *outbound, uint64_t now_us)
{
	struct outbound_peer *peer;

	while ((peer = TAILQ_FIRST(&outbound->gathered))) {
		TAILQ_REMOVE(&outbound->gathered, peer, in_turn);
		peer->gathered = false;
		peer_flush(peer, now_us);
		if (!peer->gathered && peer->unanswered == 0 && peer->connection_count == 0)
			peer_free(peer);
	}
}

/* ---- what pending calls ---- */

int outbound_tcp_send(struct outbound *outbound, struct flight *flight, const uint8_t *wire,
		      size_t length)
{
	struct outbound_peer *peer = peer_for(outbound, flight->upstream);

	if (!peer)
		return ERR_NOMEM;
	outbound_peer_gather(peer);
	if (peer->unanswered >= OUTBOUND_TCP_QUESTIONS)
		return ERR_LIMIT;
	flight->socket = peer;
	outbound_choose_id(outbound, flight, peer);
	return outbound_question_add(peer, flight, wire, length);
}

void outbound_tcp_forget(struct flight *flight)
{
	struct outbound_peer *peer = flight->socket;
	struct question *question = flight->parcel;
	struct outbound_connection *connection = question->connection;

	if (connection && connection->heard_us < flight->sent_us) /* not even taken, maybe */
		connection->retired = true;
	outbound_question_end(peer, question);
	outbound_peer_gather(peer);
}

static void peer_retire(struct outbound_peer *peer)
{
	struct outbound_connection *connection = LIST_FIRST(&peer->connections), *next;

	peer->retired = true;
	for (; connection; connection = next) {
		next = LIST_NEXT(connection, of_peer);
		connection->retired = true;
		if (connection->under_way == 0)
			outbound_connection_close(connection);
	}
}

void outbound_tcp_retain(struct outbound *outbound, const struct address *sources, size_t count)
{
	struct outbound_peer *peer;

	LIST_FOREACH (peer, &outbound->peers, all) {
		if (outbound_names_source(sources, count, &peer->source))
			peer->retired = false;
		else
			peer_retire(peer);
	}
}

void outbound_tcp_release(struct outbound *outbound)
{
	struct outbound_peer *peer = LIST_FIRST(&outbound->peers), *next;

	for (; peer; peer = next) {
		next = LIST_NEXT(peer, all);
		assert(peer->unanswered == 0);
		peer_retire(peer);
		peer_free(peer);
	}
	outbound_questions_release(outbound);
}
