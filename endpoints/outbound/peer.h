/* Questions by TCP, as outbound/peer.c, outbound/connection.c and outbound/question.c share them;
 * of others only outbound.c includes this. flight->socket is a struct outbound_peer. */
#ifndef SLUICE_OUTBOUND_PEER_H
#define SLUICE_OUTBOUND_PEER_H

#include <sys/queue.h>

#include "endpoints/outbound/capacity.h"
#include "endpoints/outbound/outbound.h"
#include "endpoints/stream.h"
#include "rules/base.h"

TAILQ_HEAD(question_list, question);

/* A server as one source sees it. It is what flight->socket points to: an answer may come by any of
 * its connections. It lives while it has a connection or a question. */
struct outbound_peer {
	struct lookup_socket socket; /* the first member: flights point to it */
	LIST_ENTRY(outbound_peer) all;
	TAILQ_ENTRY(outbound_peer) in_turn; /* of those gathered */
	struct outbound *outbound;
	struct address source;
	struct host host;
	TAILQ_HEAD(, outbound_connection) connections; /* the oldest first: it has answered */
	struct question_list waiting;                  /* in their order */
	struct question_list suspects; /* wait behind all of these; with the fewest ends first */
	unsigned unanswered;           /* those that wait and those under way */
	unsigned connection_count;
	uint64_t answered_us; /* the last answer */
	uint64_t again_us;    /* not before, a suspect that was asked alone already */
	struct timer timer;   /* for that */
	struct outbound_capacity capacity;
	bool gathered;
	bool retired; /* no policy names its source */
};

struct outbound_connection {
	TAILQ_ENTRY(outbound_connection) of_peer;
	struct outbound_peer *peer;
	struct stream stream;
	uv_connect_t connect;
	struct timer timer;           /* connecting; then idle, or until it is silent */
	struct question_list asked;   /* under way, in their order */
	unsigned under_way, pipeline; /* so many of them, and so many may be */
	uint64_t answered, heard_us;
	uint64_t newest_us; /* when the newest of those left that it has answered */
	uint64_t owing_us;  /* since when it is silent and owes answers; 0: it does not */
	bool open, writing; /* writing: libuv has what the kernel did not take */
	bool draining;      /* no new questions, closes when the last one is over */
	bool trial;         /* one more than the peer accepts, as far as is known */
	bool doubted; /* maybe that: nothing is asked until it has stayed for a while, and ... */
	bool stayed;  /* ... if it ends then, it was not too many */
	bool closing;
	size_t have; /* bytes in the buffer */
	uint8_t buffer[2 + MESSAGE_MAX];
};

static inline struct outbound_connection *outbound_connection_of(struct stream *stream)
{
	return container_of(stream, struct outbound_connection, stream);
}

struct outbound_count { /* of a peer's connections, but for those that are draining */
	unsigned live, silent, doubted;
	unsigned proven;  /* have given an answer */
	unsigned talking; /* proven, and not silent */
	unsigned alone;   /* have a suspect under way, and are not silent */
	unsigned free;    /* have nothing under way */
};

struct question { /* flight->parcel points to it */
	TAILQ_ENTRY(question) in_turn;
	struct outbound_connection *connection; /* NULL: it waits */
	struct flight *flight;
	uint64_t left_us, answered_before; /* when it left, and the answers until then */
	uint64_t ended_us; /* when a connection first ended with it, unexpectedly, and ... */
	unsigned ends;     /* ... how often, once more where it was alone at the first */
	bool excused;      /* one ended with it that had given answers, which was not counted */
	uint16_t length;
	uint8_t wire[2 + MESSAGE_QUERY_MAX];
};

/* It may be what ends them, and is asked by itself, behind all others. */
static inline bool question_is_suspect(const struct question *question)
{
	return question && question->ends > 0;
}

/* Who leaves next; NULL: nobody waits. */
static inline struct question *outbound_peer_next(const struct outbound_peer *peer)
{
	struct question *question = TAILQ_FIRST(&peer->waiting);

	return question ? question : TAILQ_FIRST(&peer->suspects);
}

/* Where it waits. */
static inline struct question_list *outbound_line_of(struct outbound_peer *peer,
						     const struct question *question)
{
	return question_is_suspect(question) ? &peer->suspects : &peer->waiting;
}

/* ---- outbound/peer.c ---- */

int outbound_tcp_send(struct outbound *outbound, struct flight *flight, const uint8_t *wire,
		      size_t length);
void outbound_tcp_forget(struct flight *flight);
void outbound_tcp_flush(struct outbound *outbound, uint64_t now_us);
void outbound_tcp_retain(struct outbound *outbound, const struct address *sources, size_t count);
void outbound_tcp_release(struct outbound *outbound);

/* Has the peer looked after at the next flush: questions dealt to its connections, connections
 * dialled, or the peer freed. */
void outbound_peer_gather(struct outbound_peer *peer);
/* What waits fails. CLOSED: it closes all connections. */
void outbound_peer_fail(struct outbound_peer *peer, enum target_error error, uint64_t now_us);
struct outbound_count outbound_peer_count(const struct outbound_peer *peer, uint64_t now_us);

/* ---- outbound/connection.c ---- */

/* TARGET_ERROR_NONE; FULL: no more connections, of all peers together; SOURCE: it cannot be bound;
 * ROOM: no memory. */
enum target_error outbound_connection_dial(struct outbound_peer *peer, enum outbound_dial how,
					   uint64_t now_us);
/* How many more questions it may take: none while it owes answers and is silent. */
unsigned outbound_connection_room(const struct outbound_connection *connection, uint64_t now_us);
/* It owes answers, and nothing has come for long. */
bool outbound_connection_is_silent(const struct outbound_connection *connection, uint64_t now_us);
/* The one that has been silent for longest, while others were answered, is closed, and its
 * questions wait. Whether there was one. */
bool outbound_connection_gives_way(struct outbound_peer *peer, uint64_t now_us);
/* So many questions are under way by it now. */
void outbound_connection_load(struct outbound_connection *connection, unsigned count,
			      uint64_t now_us);
/* A question of it is over, one way or another. */
void outbound_connection_unload(struct outbound_connection *connection,
				const struct question *question, bool answered);
/* It is gone: its questions wait for another one, or go back as errors. */
void outbound_connection_lost(struct outbound_connection *connection);
/* Without a word to its questions, of which it has none. */
void outbound_connection_close(struct outbound_connection *connection);

/* ---- outbound/question.c ---- */

/* It waits at the flight's peer. ERR_NOMEM. */
int outbound_question_add(struct outbound_peer *peer, struct flight *flight, const uint8_t *wire,
			  size_t length);
/* It is answered or given up. */
void outbound_question_end(struct outbound_peer *peer, struct question *question, bool answered);
/* All of a connection's wait again, before those with which as many connections ended. */
void outbound_questions_return(struct outbound_connection *connection);
/* Sends what waits by this connection, as far as it has room. */
void outbound_questions_leave(struct outbound_connection *connection, uint64_t now_us);
void outbound_questions_release(struct outbound *outbound); /* the spare ones */

#endif
