/* The TCP connections of a peer (RFC 7766): kept for a while, with questions pipelined and answers
 * taken in any order.
 *
 *     dial ──► connecting ──► open ◄──► idle ──(10 s)──► closed
 *                  │           │
 *                  │           └─ ended with questions under way: they wait for another one
 *                  └─ refused, no way there, 800 ms over: errors, if there is no other one
 *
 * Servers end idle connections whenever they like, some do so after every answer, and some will
 * have no more than so many connections at a time, so a question that meets any of that is no
 * error. What a connection has given, and how many there could be, goes into the peer's capacity,
 * so that not all that wait is sent again for each answer of a server that gives one to a
 * connection. Where one ends unexpectedly, its questions are suspects: each is asked on a
 * connection where it is alone, several at a time, behind all others. One to which that happens
 * again and again while others are answered has its error, and where none is answered any more all
 * have, but never after the first such end. A connection that owes answers and is silent takes no
 * new questions meanwhile, as its peer may be long gone, and is closed once they are given up, or
 * when its place is needed.
 *
 * Not here: what carries the bytes (stream.h), Fast Open, and keepalive options (RFC 7828). */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "endpoints/outbound/peer.h"

#include "rules/base.h"

enum {
	CONNECTIONS_MAX = 512, /* of a worker; then idle ones give way */
	ENDS_IN_VAIN_MAX = 2,  /* connections that may end with a question that is alone on them, */
	ENDS_EARLY_MAX = 6,    /* and where they had given answers before */
	SLOW_US = 400 * 1000,  /* half of a question's patience */
	STAY_US = 20 * 1000,   /* to stay with no question, and two ways there and back */
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

/* Its questions may be the reason, but for those that have hung there for long while there are
 * others. They are found by asking each alone. */
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

/* After some answers. As many as the last one may be all that it gives, and so may one; or its time
 * was over, which is no question's fault: each is excused once. */
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

/* Without any answer. Unless it had stayed for a while before it was asked, it may have been one
 * too many, which the next one tells. */
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

/* It was alone, and ends connections again and again while others are answered; where they are not,
 * a restart looks the same. A connection that gave answers may have been at its end anyhow. */
static bool is_to_blame(const struct outbound_peer *peer, const struct question *question,
			enum end end)
{
	return question->ends > (end == END_EARLY ? ENDS_EARLY_MAX : ENDS_IN_VAIN_MAX) &&
	       peer->answered_us > question->ended_us;
}

/* Other connections that are not silent may still answer. */
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

/* Once it is silent, its peer has to see about another one. */
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

/* It has stayed, so it is not one too many, unless the server does not look after it. */
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

	if (!connection->open) /* nobody answered the call */
		outbound_connection_lost(connection);
	else if (connection->doubted)
		stay(connection);
	else if (connection->under_way == 0) /* idle for long */
		outbound_connection_close(connection);
	else
		listen_for(connection, now_us);
}

/* More is asked of it than it answers in the time, maybe one after the other: other connections
 * take the rest. Not where it answered newer ones before, and is only slow with that one. */
static void narrow(struct outbound_connection *connection, const struct question *question)
{
	unsigned pipeline = outbound_capacity_on_slow(
		&connection->peer->capacity, connection->answered - question->answered_before);

	if (pipeline < connection->pipeline)
		connection->pipeline = pipeline;
}

/* Its questions were given up, and nothing has come since they left. Where it never answered, and
 * others do, the server may take no more connections than those, and leave this one waiting; but
 * where another one is silent, too, it is the names that nobody answers. */
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
	outbound_peer_gather(connection->peer); /* there is room for another one */
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

/* It has given one more: the next may give as many, and this one gets one more question. */
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

/* Hands over every whole message; what they bring about may close the connection. */
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

/* While more is to come, be it the rest of an answer or another one, its peer is told at once what
 * has come, each time anew. */
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

/* Only what cannot be bound is the source's fault. Where there is no way to the server, that is no
 * other news than a refusal, and comes the same way: by the timer, at once. */
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

/* The one that was idle the longest; whether there was one. */
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

/* A suspect is alone, so that no others are suspected should it end one more. */
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
