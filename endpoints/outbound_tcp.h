/* A TCP connection to a target and its questions, as outbound_tcp.c (connections) and
 * outbound_question.c (questions, and how they leave) share them; nobody else includes this. */
#ifndef SLUICE_OUTBOUND_TCP_H
#define SLUICE_OUTBOUND_TCP_H

#include <sys/queue.h>

#include "endpoints/outbound_internal.h"

enum { OUTBOUND_QUESTION_BUCKETS = 256 }; /* of a connection's unanswered questions */

struct outbound_connection {
	struct outbound_connection *next, **link;
	struct outbound_connection *next_gathered, **gathered_link; /* NULL: nothing to flush */
	struct outbound *outbound;                                  /* NULL: released */
	struct address source;
	struct host host;
	uv_tcp_t tcp;
	uv_connect_t connect;
	uv_write_t write;
	struct timer timer;                                    /* connecting, then idle */
	struct question *questions[OUTBOUND_QUESTION_BUCKETS]; /* unanswered, by id */
	TAILQ_HEAD(, question) asked;                          /* the same, in their order */
	unsigned unanswered;
	unsigned under_way, window;            /* unanswered that have left; so many may be */
	struct question *unsent, **unsent_end; /* in the order in which they leave */
	size_t sent;                           /* bytes of the first of them */
	size_t writing;                        /* bytes that libuv has, from there on */
	uint64_t answered, heard_us;
	bool retired, closing; /* retired: no new questions, closes when the last one is over */
	size_t have;           /* bytes in the buffer */
	uint8_t buffer[2 + MESSAGE_MAX];
};

struct question {                      /* one unanswered question of a connection */
	struct question *next, **link; /* of its bucket */
	TAILQ_ENTRY(question) in_turn;
	struct question *next_unsent;
	struct flight *flight; /* NULL: over, and still in the list of those unsent */
	bool unsent;
	uint16_t length;
	uint8_t wire[2 + MESSAGE_QUERY_MAX];
};

/* ---- outbound_question.c ---- */

/* The question leaves with the next flush, or once there is a connection. ERR_NOMEM. */
int outbound_connection_ask(struct outbound_connection *connection, struct flight *flight,
			    const uint8_t *wire, size_t length);
/* It is answered or given up. */
void outbound_question_end(struct outbound_connection *connection, struct question *question);
/* Where the unanswered questions with this id are, among others. */
struct question **outbound_question_bucket(struct outbound_connection *connection, uint16_t id);
/* Has the connection flushed, if it can be now. */
void outbound_connection_gather(struct outbound_connection *connection);
void outbound_connection_ungather(struct outbound_connection *connection); /* it closes */
/* Frees what is unsent, all of it over, when libuv has let go of the connection. */
void outbound_questions_drop(struct outbound_connection *connection);
void outbound_questions_release(struct outbound *outbound); /* the spare ones */

/* ---- outbound_tcp.c ---- */

/* It is gone: its questions go along to a new one, or back as errors. */
void outbound_connection_lost(struct outbound_connection *connection);

#endif
