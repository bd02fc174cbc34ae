/* Questions by TCP (RFC 7766). Each waits at its peer until one of the peer's connections has room.
 * At the end of a loop round the gathered questions are dealt to the connections, and if these have
 * too little room, more are dialled, as many as the server accepts (outbound/capacity.h).
 *
 *     send ─► peer: waiting ──flush──► open connection with room: they leave (outbound/question.c)
 *                      ▲        └────► none: dial                           (outbound/connection.c)
 *                      └── the questions of a connection that is lost */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "endpoints/outbound/peer.h"

#include "rules/base.h"

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

void outbound_peer_gather(struct outbound_peer *peer)
{
	if (peer->gathered)
		return;
	peer->gathered = true;
	TAILQ_INSERT_TAIL(&peer->outbound->gathered, peer, in_turn);
}

static void on_timer(struct timer *timer, uint64_t now_us)
{
	(void)now_us;
	outbound_peer_gather(container_of(timer, struct outbound_peer, timer));
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
	outbound_capacity_init(&peer->capacity);
	timer_init(&peer->timer, on_timer);
	TAILQ_INIT(&peer->connections);
	TAILQ_INIT(&peer->waiting);
	TAILQ_INIT(&peer->suspects);
	LIST_INSERT_HEAD(&outbound->peers, peer, all);
	return peer;
}

/* A target that is asked only by TCP counts as away when it closes every connection. */
static enum target_error error_of(const struct question *question, enum target_error error)
{
	bool away = error == TARGET_ERROR_CLOSED &&
		    question->flight->upstream->protocol == PROTOCOL_TCP;

	return away ? TARGET_ERROR_AWAY : error;
}

/* Stops after as many questions as there were, because a failed one may come back to this peer. */
void outbound_peer_fail(struct outbound_peer *peer, enum target_error error, uint64_t now_us)
{
	struct question *question;

	for (unsigned n = peer->unanswered; n > 0 && (question = outbound_peer_next(peer)); n--)
		lookup_on_error(question->flight, error_of(question, error), now_us);
}

struct outbound_count outbound_peer_count(const struct outbound_peer *peer, uint64_t now_us)
{
	const struct outbound_connection *connection;
	struct outbound_count count = {0};

	TAILQ_FOREACH (connection, &peer->connections, of_peer) {
		bool silent = outbound_connection_is_silent(connection, now_us);

		if (connection->draining)
			continue;
		count.live++;
		count.doubted += connection->doubted;
		count.silent += silent;
		count.proven += connection->answered > 0;
		count.talking += connection->answered > 0 && !silent;
		count.alone += question_is_suspect(TAILQ_FIRST(&connection->asked)) && !silent;
		count.free += connection->under_way == 0;
	}
	return count;
}

/* ---- the flush ---- */

static struct outbound_connection *ready(const struct outbound_peer *peer, uint64_t now_us)
{
	struct outbound_connection *connection;

	TAILQ_FOREACH (connection, &peer->connections, of_peer) {
		if (connection->open && !connection->writing &&
		    outbound_connection_room(connection, now_us) > 0)
			return connection;
	}
	return NULL;
}

/* Whether the peer has more questions than room on its connections, also those being dialled. */
static bool wants_room(const struct outbound_peer *peer, uint64_t now_us)
{
	const struct outbound_connection *connection;
	unsigned room = 0;

	if (!outbound_peer_next(peer))
		return false;
	TAILQ_FOREACH (connection, &peer->connections, of_peer)
		room += connection->under_way + outbound_connection_room(connection, now_us);
	return room < peer->unanswered;
}

/* Dials one more connection. False: it cannot be dialled, so the existing connections must suffice,
 * at least until one of them ends. */
static bool dial(struct outbound_peer *peer, enum outbound_dial how, uint64_t now_us)
{
	if (peer->connection_count >= OUTBOUND_CAPACITY_CONNECTIONS)
		return false;
	enum target_error error = outbound_connection_dial(peer, how, now_us);
	if (error == TARGET_ERROR_NONE)
		return true;
	outbound_capacity_on_full(&peer->capacity, outbound_peer_count(peer, now_us).live, now_us);
	if (TAILQ_EMPTY(&peer->connections))
		outbound_peer_fail(peer, error, now_us);
	return false;
}

/* Whether to pause before the next try, because every waiting question was already alone on a
 * connection that ended. Meanwhile the server may come back, or new questions may show that it
 * works. */
static bool pauses(struct outbound_peer *peer, uint64_t now_us)
{
	const struct question *next = outbound_peer_next(peer);

	if (now_us >= peer->again_us || !next || next->ends < 2)
		return false;
	wheel_arm(peer->outbound->wheel, &peer->timer, peer->again_us);
	return true;
}

/* How many connections the next question cannot use. For a suspect these are all connections,
 * because each has a question already or is meant for a suspect ahead of this one. */
static unsigned idle_for(bool suspect, struct outbound_count count)
{
	return suspect ? count.live : count.silent + count.alone;
}

/* If there are `most` connections, closes a silent one, provided that another may be dialled in its
 * place. True: one was closed. */
static bool makes_room(struct outbound_peer *peer, bool suspect, struct outbound_count count,
		       unsigned most, uint64_t now_us)
{
	return count.live == most && count.silent > 0 &&
	       outbound_capacity_dial(&peer->capacity, count.live - 1, idle_for(suspect, count) - 1,
				      now_us) != OUTBOUND_DIAL_NO &&
	       outbound_connection_gives_way(peer, now_us);
}

/* Suspects may have some connections and leave the rest to other questions. At the maximum a
 * connection that is silent while others answer makes room. */
static bool dial_more(struct outbound_peer *peer, uint64_t now_us)
{
	struct outbound_count count = outbound_peer_count(peer, now_us);
	bool suspect = question_is_suspect(outbound_peer_next(peer));
	unsigned alone_most = peer->capacity.answers ? OUTBOUND_CAPACITY_PIPELINES : 2;
	unsigned most = OUTBOUND_CAPACITY_CONNECTIONS - (suspect ? OUTBOUND_CAPACITY_PIPELINES : 0);

	if (count.doubted > 0 || (suspect && count.alone + count.free >= alone_most))
		return false;
	if (most > peer->capacity.connections)
		most = peer->capacity.connections;
	if (makes_room(peer, suspect, count, most, now_us))
		count = outbound_peer_count(peer, now_us);
	if (suspect && count.live >= most)
		return false;
	unsigned idle = idle_for(suspect, count);
	enum outbound_dial more = outbound_capacity_dial(&peer->capacity, count.live, idle, now_us);

	return more != OUTBOUND_DIAL_NO && dial(peer, more, now_us);
}

static void peer_flush(struct outbound_peer *peer, uint64_t now_us)
{
	struct outbound_connection *connection;

	while (outbound_peer_next(peer) && (connection = ready(peer, now_us)))
		outbound_questions_leave(connection, now_us);
	while (wants_room(peer, now_us) && !pauses(peer, now_us) && dial_more(peer, now_us))
		continue;
}

static void peer_free(struct outbound_peer *peer)
{
	if (peer->gathered)
		TAILQ_REMOVE(&peer->outbound->gathered, peer, in_turn);
	wheel_cancel(peer->outbound->wheel, &peer->timer);
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

/* ---- called by lookups ---- */

int outbound_tcp_send(struct outbound *outbound, struct flight *flight, const uint8_t *wire,
		      size_t length)
{
	struct outbound_peer *peer = peer_for(outbound, flight->upstream);

	if (!peer)
		return ERR_NOMEM;
	outbound_peer_gather(peer);
	flight->socket = peer;
	flight_choose_id(flight);
	return outbound_question_add(peer, flight, wire, length);
}

void outbound_tcp_forget(struct flight *flight)
{
	struct outbound_peer *peer = flight->socket;

	outbound_question_end(peer, flight->parcel, flight->replied);
	outbound_peer_gather(peer);
}

static void peer_retire(struct outbound_peer *peer)
{
	struct outbound_connection *connection = TAILQ_FIRST(&peer->connections), *next;

	peer->retired = true;
	for (; connection; connection = next) {
		next = TAILQ_NEXT(connection, of_peer);
		connection->draining = true;
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
