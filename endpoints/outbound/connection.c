/* The TCP connections of a peer (RFC 7766). They stay open for a while, questions are pipelined,
 * and answers may come in any order.
 *
 *     dial ──► connecting ──► open ◄──► idle ──(10 s)──► closed
 *                  │           │
 *                  │           └─ ends with questions under way: they wait for another one
 *                  └─ refused, no way there, 800 ms over: errors, if there is no other one
 *
 * Servers may end idle connections at any time, some end them after every answer, and some accept
 * only a few at a time, so none of this is an error for a question. The peer's capacity learns how
 * many answers a connection gives and how many connections there may be, so that a server with one
 * answer for each connection does not get all waiting questions again each time.
 *
 * The questions on a connection that ends unexpectedly are suspects. They are asked after all
 * others, each alone on a connection, several at a time. A question that keeps ending connections
 * while others are answered fails; if nothing is answered any more, all fail, but never after the
 * first such end.
 *
 * A connection that owes answers and is silent takes no new questions, because its peer may be
 * gone. It is closed once its questions are given up, or when its place is needed.
 *
 * Not here: the bytes themselves (stream.h), Fast Open, and keepalive options (RFC 7828). */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "endpoints/outbound/peer.h"

#include "rules/base.h"

enum {
	CONNECTIONS_MAX = 512, /* of a worker; above it idle ones are closed */
	ENDS_IN_VAIN_MAX = 2,  /* a question with more `ends` may fail after an end in vain */
	ENDS_EARLY_MAX = 6,    /* the same after the end of a connection that had given answers */
	SLOW_US = 400 * 1000,  /* half of a question's patience */
	STAY_US = 20 * 1000,   /* a doubted one waits for so long, plus two round trips */
};

static uint64_t clock_of(const struct outbound_connection *connection)
{
	const struct outbound *outbound = connection->peer->outbound;

	return outbound->now_us(outbound->context);
}

static void on_closed(struct stream *stream)
{
	free(outbound_connection_of(stream));
}

void outbound_connection_close(struct outbound_connection *connection)
{
	struct outbound_peer *peer = connection->peer;

	assert(TAILQ_EMPTY(&connection->asked));
	connection->closing = true;
	wheel_cancel(peer->outbound->wheel, &connection->timer);
	TAILQ_REMOVE(&peer->connections, connection, of_peer);
	peer->connection_count--;
	peer->outbound->connection_count--;
	stream_close(&connection->stream);
	outbound_peer_gather(peer);
}

/* ---- its end ---- */

enum end { END_NO_WAY, END_IDLE, END_EARLY, END_TOO_MANY, END_IN_VAIN };

static enum end end_of(const struct outbound_connection *connection, unsigned others)
{
	if (!connection->open)
		return END_NO_WAY;
	if (connection->doubted && others > 0)
		return END_TOO_MANY;
	if (connection->under_way == 0 && !outbound_peer_next(connection->peer))
		return END_IDLE;
	if (connection->answered > 0)
		return END_EARLY;
	return connection->trial && others > 0 ? END_TOO_MANY : END_IN_VAIN;
}

/* Makes its questions suspects, except those that left long before the last one. Asking each alone
 * shows which one is to blame. */
static void suspect(struct outbound_connection *connection, bool excuses, uint64_t now_us)
{
	struct question *question, *last = TAILQ_LAST(&connection->asked, question_list);

	TAILQ_FOREACH (question, &connection->asked, in_turn) {
		if (last->left_us > question->left_us + SLOW_US)
			continue;
		if (excuses && !question->excused) {
			question->excused = true;
			continue;
		}
		if (question->ends == 0)
			question->ended_us = now_us;
		question->ends += connection->under_way == 1 && question->ends == 0 ? 2 : 1;
	}
}

/* The connection ended after some answers. Servers with a fixed number of answers end it by habit:
 * after as many as last time, or after one. Otherwise its time may have been over, so each question
 * is excused once. */
static void end_early(struct outbound_connection *connection, uint64_t now_us)
{
	struct outbound_capacity *capacity = &connection->peer->capacity;
	bool habit = connection->answered >= capacity->pipeline ||
		     connection->answered == capacity->ended_after ||
		     (connection->answered == 1 && capacity->ended_after == 0);

	if (!question_is_suspect(TAILQ_FIRST(&connection->asked)))
		outbound_capacity_on_end(capacity, connection->answered);
	if (!habit)
		suspect(connection, true, now_us);
}

/* The connection ended without an answer. Unless it had stayed for a while, it may have been one
 * too many, which the next one shows. */
static void end_in_vain(struct outbound_connection *connection, struct outbound_count others,
			uint64_t now_us)
{
	struct outbound_capacity *capacity = &connection->peer->capacity;
	bool doubtful = others.live > others.silent && !connection->stayed;

	if (doubtful)
		outbound_capacity_on_doubt(capacity, others.live, now_us);
	outbound_capacity_on_end_in_vain(capacity, others.live > 0);
	connection->peer->again_us = now_us + outbound_capacity_pause_us(capacity);
	suspect(connection, false, now_us);
}

/* A question is to blame if it was alone on several connections that ended, while others were
 * answered: without answers a restart looks the same. A connection that gave answers may have ended
 * anyway, so more such ends are needed. */
static bool is_to_blame(const struct outbound_peer *peer, const struct question *question,
			enum end end)
{
	return question->ends > (end == END_EARLY ? ENDS_EARLY_MAX : ENDS_IN_VAIN_MAX) &&
	       peer->answered_us > question->ended_us;
}

/* Fails all waiting questions if no other connection may still answer and the server is hopeless.
 * Otherwise fails only the question that is to blame. */
static void fail_in_vain(struct outbound_peer *peer, struct outbound_count others, enum end end,
			 const struct question *alone, uint64_t now_us)
{
	if (others.live == others.silent && outbound_capacity_is_hopeless(&peer->capacity))
		outbound_peer_fail(peer, TARGET_ERROR_CLOSED, now_us);
	else if (alone && is_to_blame(peer, alone, end))
		lookup_on_error(alone->flight, TARGET_ERROR_CLOSED, now_us);
}

void outbound_connection_lost(struct outbound_connection *connection)
{
	struct outbound_peer *peer = connection->peer;
	uint64_t now_us = clock_of(connection);
	const struct question *alone =
		connection->under_way == 1 ? TAILQ_FIRST(&connection->asked) : NULL;
	unsigned ends = alone ? alone->ends : 0;

	assert(!connection->closing);
	connection->draining = true;
	struct outbound_count others = outbound_peer_count(peer, now_us);
	enum end end = end_of(connection, others.live);
	if (end == END_NO_WAY || end == END_TOO_MANY)
		outbound_capacity_on_full(&peer->capacity, others.live, now_us);
	if (end == END_EARLY)
		end_early(connection, now_us);
	if (end == END_IN_VAIN)
		end_in_vain(connection, others, now_us);
	outbound_questions_return(connection);
	outbound_connection_close(connection);
	if (end == END_NO_WAY && others.live == 0)
		outbound_peer_fail(peer, TARGET_ERROR_NETWORK, now_us);
	if (end == END_IN_VAIN || end == END_EARLY)
		fail_in_vain(peer, others, end, alone && alone->ends > ends ? alone : NULL, now_us);
}

bool outbound_connection_gives_way(struct outbound_peer *peer, uint64_t now_us)
{
	struct outbound_connection *connection, *longest = NULL;
	struct question *question;

	TAILQ_FOREACH (connection, &peer->connections, of_peer) {
		if (!connection->draining && outbound_connection_is_silent(connection, now_us) &&
		    peer->answered_us > connection->owing_us &&
		    (!longest || connection->owing_us < longest->owing_us))
			longest = connection;
	}
	if (!longest)
		return false;
	TAILQ_FOREACH (question, &longest->asked, in_turn) {
		question->ended_us = question->ends == 0 ? now_us : question->ended_us;
		question->ends += question->ends < ENDS_IN_VAIN_MAX;
	}
	outbound_questions_return(longest);
	outbound_connection_close(longest);
	return true;
}

bool outbound_connection_is_silent(const struct outbound_connection *connection, uint64_t now_us)
{
	return connection->owing_us != 0 && now_us >= connection->owing_us + SLOW_US;
}

/* Once it is silent, its peer has to look for another one. */
static void listen_for(struct outbound_connection *connection, uint64_t now_us)
{
	uint64_t silent_us = connection->owing_us + SLOW_US;

	if (now_us >= silent_us)
		outbound_peer_gather(connection->peer);
	wheel_arm(connection->peer->outbound->wheel, &connection->timer,
		  now_us >= silent_us ? now_us + SLOW_US : silent_us);
}

static void rest(struct outbound_connection *connection)
{
	wheel_arm(connection->peer->outbound->wheel, &connection->timer,
		  clock_of(connection) + OUTBOUND_TCP_IDLE_US);
}

/* It has stayed open, so the server probably accepts it. */
static void stay(struct outbound_connection *connection)
{
	connection->doubted = false;
	connection->stayed = true;
	outbound_capacity_on_stay(&connection->peer->capacity);
	outbound_peer_gather(connection->peer);
	rest(connection);
}

static void on_timer(struct timer *timer, uint64_t now_us)
{
	struct outbound_connection *connection =
		container_of(timer, struct outbound_connection, timer);

	if (!connection->open) /* connecting takes too long */
		outbound_connection_lost(connection);
	else if (connection->doubted)
		stay(connection);
	else if (connection->under_way == 0) /* idle for long */
		outbound_connection_close(connection);
	else
		listen_for(connection, now_us);
}

/* The connection gets more questions than it answers in time, perhaps because the server answers
 * one after the other. So other connections take the rest. Not called if newer questions were
 * answered earlier, because then only this question is slow. */
static void narrow(struct outbound_connection *connection, const struct question *question)
{
	unsigned pipeline = outbound_capacity_on_slow(
		&connection->peer->capacity, connection->answered - question->answered_before);

	if (pipeline < connection->pipeline)
		connection->pipeline = pipeline;
}

/* Its last question was given up without an answer. If the connection never answered while others
 * do, the server may leave connections above its maximum waiting. But if another one is silent,
 * too, the names are the reason. */
static void give_up(struct outbound_connection *connection)
{
	struct outbound_peer *peer = connection->peer;
	uint64_t now_us = clock_of(connection);

	connection->draining = true;
	struct outbound_count others = outbound_peer_count(peer, now_us);
	if (connection->answered == 0 && others.talking > 0 && others.silent == 0 &&
	    outbound_connection_is_silent(connection, now_us))
		outbound_capacity_on_full(&peer->capacity, others.proven, now_us);
	outbound_connection_close(connection);
}

void outbound_connection_load(struct outbound_connection *connection, unsigned count,
			      uint64_t now_us)
{
	if (connection->owing_us == 0)
		connection->owing_us = now_us;
	if (connection->under_way == 0) /* it is not idle any more */
		listen_for(connection, now_us);
	connection->under_way += count;
}

void outbound_connection_unload(struct outbound_connection *connection,
				const struct question *question, bool answered)
{
	assert(!connection->closing);
	if (connection->heard_us >= question->left_us + SLOW_US &&
	    connection->newest_us <= question->left_us)
		narrow(connection, question);
	if (answered && connection->newest_us < question->left_us)
		connection->newest_us = question->left_us;
	connection->under_way--;
	outbound_peer_gather(connection->peer); /* it has room for another question */
	if (connection->under_way > 0)
		return;
	if (connection->owing_us != 0)
		give_up(connection);
	else if (connection->draining || connection->peer->retired)
		outbound_connection_close(connection);
	else
		rest(connection);
}

/* ---- its answers ---- */

static uint8_t *on_room(struct stream *stream, size_t *size)
{
	struct outbound_connection *connection = outbound_connection_of(stream);

	*size = sizeof connection->buffer - connection->have;
	return connection->buffer + connection->have;
}

/* Counts an answer: the next connection may give as many, and this one may take one question
 * more. */
static void answered(struct outbound_connection *connection, uint64_t now_us)
{
	struct outbound_peer *peer = connection->peer;

	connection->answered++;
	peer->answered_us = now_us;
	connection->pipeline += connection->pipeline < OUTBOUND_CAPACITY_PIPELINE;
	outbound_capacity_on_answer(&peer->capacity, connection->answered);
	if (connection->answered == 1)
		outbound_capacity_on_accepted(&peer->capacity,
					      outbound_peer_count(peer, now_us).proven);
}

/* Hands over every whole message; this may close the connection. */
static void take_messages(struct outbound_connection *connection)
{
	struct outbound_peer *peer = connection->peer;
	struct outbound *outbound = peer->outbound;
	uint64_t now_us = clock_of(connection);
	size_t at = 0;

	connection->heard_us = now_us;
	connection->owing_us = 0;
	while (!connection->closing && connection->have - at >= 2) {
		size_t length = wire_u16(connection->buffer + at);
		if (connection->have - at - 2 < length)
			break;
		outbound->counters.tcp_received++;
		if (lookup_on_reply(outbound->lookups, peer, &peer->host,
				    connection->buffer + at + 2, length, now_us))
			answered(connection, now_us);
		at += 2 + length;
	}
	if (connection->under_way > 0)
		connection->owing_us = now_us;
	connection->have -= at;
	memmove(connection->buffer, connection->buffer + at, connection->have);
}

/* Acknowledges at once while more bytes are expected, because a peer with Nagle's algorithm waits
 * for it. */
static void on_bytes(struct stream *stream, size_t count)
{
	struct outbound_connection *connection = outbound_connection_of(stream);
	struct outbound *outbound = connection->peer->outbound;

	connection->have += count;
	take_messages(connection);
	if (outbound->on_tcp_read)
		outbound->on_tcp_read(outbound->reader, count);
	if (!connection->closing && connection->under_way > 0)
		stream_acknowledge(&connection->stream);
}

static void on_end(struct stream *stream, bool broken)
{
	(void)broken;
	outbound_connection_lost(outbound_connection_of(stream));
}

static void on_written(struct stream *stream, unsigned tag, bool fine)
{
	struct outbound_connection *connection = outbound_connection_of(stream);

	(void)tag;
	connection->writing = false;
	if (connection->closing)
		return;
	if (fine)
		outbound_peer_gather(connection->peer);
	else
		outbound_connection_lost(connection);
}

/* ---- its beginning ---- */

static void on_open(struct stream *stream, bool fine)
{
	struct outbound_connection *connection = outbound_connection_of(stream);

	if (!fine || stream_read(stream) != 0) {
		outbound_connection_lost(connection);
		return;
	}
	uint64_t dialled_us = connection->heard_us, now_us = clock_of(connection);

	connection->open = true;
	connection->heard_us = now_us;
	outbound_peer_gather(connection->peer);
	rest(connection);
	if (connection->doubted)
		wheel_arm(connection->peer->outbound->wheel, &connection->timer,
			  now_us + STAY_US + 2 * (now_us - dialled_us));
}

/* False: the source cannot be bound. An unreachable server counts like a refusal, so the timer
 * reports it, at once. */
static bool start_connect(struct outbound_connection *connection, uint64_t now_us)
{
	const struct outbound_peer *peer = connection->peer;
	int err =
		stream_dial(&connection->stream, &connection->connect, &peer->source, &peer->host);

	if (err == ERR_INVALID)
		return false;
	wheel_arm(peer->outbound->wheel, &connection->timer,
		  err ? now_us : now_us + OUTBOUND_TCP_CONNECT_US);
	return true;
}

static const struct stream_calls calls = {
	.on_open = on_open,
	.on_room = on_room,
	.on_bytes = on_bytes,
	.on_end = on_end,
	.on_written = on_written,
	.on_closed = on_closed,
};

/* Closes the connection that was idle the longest. False: there is none. */
static bool close_idle(struct outbound *outbound)
{
	struct outbound_connection *connection, *idlest = NULL;
	struct outbound_peer *peer;

	LIST_FOREACH (peer, &outbound->peers, all) {
		TAILQ_FOREACH (connection, &peer->connections, of_peer) {
			if (connection->open && connection->under_way == 0 &&
			    (!idlest || connection->heard_us < idlest->heard_us))
				idlest = connection;
		}
	}
	if (idlest)
		outbound_connection_close(idlest);
	return idlest;
}

enum target_error outbound_connection_dial(struct outbound_peer *peer, enum outbound_dial how,
					   uint64_t now_us)
{
	struct outbound *outbound = peer->outbound;

	if (outbound->connection_count >= CONNECTIONS_MAX && !close_idle(outbound))
		return TARGET_ERROR_FULL;
	struct outbound_connection *connection = malloc(sizeof *connection);
	if (!connection)
		return TARGET_ERROR_ROOM;
	memset(connection, 0, offsetof(struct outbound_connection, buffer));
	unsigned family = peer->host.address.family == 4 ? AF_INET : AF_INET6;
	if (stream_init(&connection->stream, outbound->loop, family, &calls) != 0) {
		free(connection);
		return TARGET_ERROR_ROOM;
	}
	connection->peer = peer;
	connection->trial = how == OUTBOUND_DIAL_TRIAL;
	connection->doubted = how == OUTBOUND_DIAL_DOUBTED;
	connection->heard_us = now_us;
	connection->pipeline = connection->trial ? 1 : peer->capacity.pipeline;
	TAILQ_INIT(&connection->asked);
	timer_init(&connection->timer, on_timer);
	TAILQ_INSERT_TAIL(&peer->connections, connection, of_peer);
	peer->connection_count++;
	outbound->connection_count++;
	if (!start_connect(connection, now_us)) {
		outbound_connection_close(connection);
		return TARGET_ERROR_SOURCE;
	}
	outbound->counters.tcp_connects++;
	return TARGET_ERROR_NONE;
}

/* A suspect is alone, so that it makes no other question suspect when it ends the connection. */
static unsigned places(const struct outbound_connection *connection)
{
	const struct question *first = TAILQ_FIRST(&connection->asked);

	if (!first)
		first = outbound_peer_next(connection->peer);
	return question_is_suspect(first) ? 1 : connection->pipeline;
}

unsigned outbound_connection_room(const struct outbound_connection *connection, uint64_t now_us)
{
	unsigned most = places(connection);
	const struct question *next = outbound_peer_next(connection->peer);

	if (connection->draining || connection->doubted || connection->under_way >= most ||
	    (connection->under_way > 0 && question_is_suspect(next)) ||
	    outbound_connection_is_silent(connection, now_us))
		return 0;
	return most - connection->under_way;
}
