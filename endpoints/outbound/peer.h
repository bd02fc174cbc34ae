/* Questions by TCP. Only peer.c, connection.c, question.c and outbound.c of outbound/, and a test,
 * include this. flight->socket is a struct outbound_peer. */
#ifndef SLUICE_OUTBOUND_PEER_H
#define SLUICE_OUTBOUND_PEER_H

#include <sys/queue.h>

#include "endpoints/outbound/capacity.h"
#include "endpoints/outbound/outbound.h"
#include "endpoints/stream.h"
#include "rules/base.h"

TAILQ_HEAD(question_list, question);

/* A server, asked from one source. flight->socket points to the peer and not to a connection,
 * because an answer may come by any of them. A peer lives while it has a connection or a
 * question. */
struct outbound_peer {
	struct lookup_socket socket; /* the first member: flights point to it */
	LIST_ENTRY(outbound_peer) all;
	TAILQ_ENTRY(outbound_peer) in_turn; /* in outbound->gathered */
	struct outbound *outbound;
	struct address source;
	struct host host;
	TAILQ_HEAD(, outbound_connection) connections; /* the oldest first */
	struct question_list waiting;                  /* in their order */
	struct question_list suspects; /* wait after `waiting`; fewest `ends` first */
	unsigned unanswered;           /* waiting and under way */
	unsigned connection_count;
	uint64_t answered_us; /* when the last answer came */
	uint64_t again_us;    /* pause for suspects that were asked alone already */
	struct timer timer;   /* for again_us */
	struct outbound_capacity capacity;
	bool gathered;
	bool retired; /* no policy names its source */
};

struct outbound_connection {
	TAILQ_ENTRY(outbound_connection) of_peer;
	struct outbound_peer *peer;
	struct stream stream;
	uv_connect_t connect;
	struct timer timer;           /* for connecting, then for being idle or silent */
	struct question_list asked;   /* under way, in the order sent */
	unsigned under_way, pipeline; /* how many are under way, and how many may be */
	uint64_t answered, heard_us;
	uint64_t newest_us; /* when the newest question left that it has answered */
	uint64_t owing_us;  /* since when it owes answers and is silent; 0: it is not */
	bool open, writing; /* writing: libuv keeps what the kernel did not take */
	bool draining;      /* takes no new questions, closes after the last one */
	bool trial;         /* probably one more than the peer accepts */
	bool doubted; /* maybe one too many: takes no question until it has stayed for a while */
	bool stayed;  /* was doubted, but has stayed, so it was not one too many */
	bool closing;
	size_t have; /* bytes in the buffer */
	uint8_t buffer[2 + MESSAGE_MAX];
};

static inline struct outbound_connection *outbound_connection_of(struct stream *stream)
{
	return container_of(stream, struct outbound_connection, stream);
}

struct outbound_count { /* a peer's connections, without those that are draining */
	unsigned live, silent, doubted;
	unsigned proven;  /* that have given an answer */
	unsigned talking; /* that are proven and not silent */
	unsigned alone;   /* that have a suspect under way and are not silent */
	unsigned free;    /* that have nothing under way */
};

struct question { /* flight->parcel points to it */
	TAILQ_ENTRY(question) in_turn;
	struct outbound_connection *connection; /* NULL: it waits at the peer */
	struct flight *flight;
	uint64_t left_us, answered_before; /* when it was sent, and how many answers the connection
					      had given */
	uint64_t ended_us;                 /* when a connection first ended unexpectedly with it */
	unsigned ends; /* connections that ended so; the first counts twice if it was alone there */
	bool excused;  /* one such end, of a connection that had given answers, did not count */
	uint16_t length;
	uint8_t wire[2 + MESSAGE_QUERY_MAX];
};

/* A suspect may be the reason why connections end. It is asked alone, after all other questions. */
static inline bool question_is_suspect(const struct question *question)
{
	return question && question->ends > 0;
}

/* The question to send next; NULL: none waits. */
static inline struct question *outbound_peer_next(const struct outbound_peer *peer)
{
	struct question *question = TAILQ_FIRST(&peer->waiting);

	return question ? question : TAILQ_FIRST(&peer->suspects);
}

/* The list that it waits in. */
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

/* Marks the peer for the next flush, which deals its questions to connections, dials connections,
 * or frees the peer. */
void outbound_peer_gather(struct outbound_peer *peer);
/* Fails the waiting questions. CLOSED: the server closes all connections. */
void outbound_peer_fail(struct outbound_peer *peer, enum target_error error, uint64_t now_us);
struct outbound_count outbound_peer_count(const struct outbound_peer *peer, uint64_t now_us);

/* ---- outbound/connection.c ---- */

/* TARGET_ERROR_NONE. FULL: all peers together have too many connections. SOURCE: the source cannot
 * be bound. ROOM: no memory or socket. */
enum target_error outbound_connection_dial(struct outbound_peer *peer, enum outbound_dial how,
					   uint64_t now_us);
/* How many more questions it may take; none while it is silent. */
unsigned outbound_connection_room(const struct outbound_connection *connection, uint64_t now_us);
/* Whether it owes answers and has sent nothing for long. */
bool outbound_connection_is_silent(const struct outbound_connection *connection, uint64_t now_us);
/* Closes the connection that has been silent for longest while others answered; its questions wait
 * again. False: there was none. */
bool outbound_connection_gives_way(struct outbound_peer *peer, uint64_t now_us);
/* `count` more questions are under way by it. */
void outbound_connection_load(struct outbound_connection *connection, unsigned count,
			      uint64_t now_us);
/* A question under way by it has ended. */
void outbound_connection_unload(struct outbound_connection *connection,
				const struct question *question, bool answered);
/* The connection is gone: its questions wait for another one, or fail. */
void outbound_connection_lost(struct outbound_connection *connection);
/* Closes a connection that has no questions. */
void outbound_connection_close(struct outbound_connection *connection);

/* ---- outbound/question.c ---- */

/* Adds a question that waits at the flight's peer. ERR_NOMEM. */
int outbound_question_add(struct outbound_peer *peer, struct flight *flight, const uint8_t *wire,
			  size_t length);
/* The question is answered or given up. */
void outbound_question_end(struct outbound_peer *peer, struct question *question, bool answered);
/* Makes all questions of a connection wait again, before those with as many `ends`. */
void outbound_questions_return(struct outbound_connection *connection);
/* Sends waiting questions by this connection, as many as it has room for. */
void outbound_questions_leave(struct outbound_connection *connection, uint64_t now_us);
void outbound_questions_release(struct outbound *outbound); /* frees the spare ones */

#endif
