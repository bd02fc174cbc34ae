/* A client's TCP connection. It lives until it is closed and its last query is back. */
#ifndef SLUICE_INBOUND_CONNECTION_H
#define SLUICE_INBOUND_CONNECTION_H

#include "endpoints/inbound/internal.h"
#include "endpoints/stream.h"

struct outbox;

struct connection {
	struct stream stream;
	struct connection *next, **link;                  /* in its listener's list */
	struct connection *next_of_client, **client_link; /* in its bucket's list */
	struct inbound *inbound;
	struct address client, local; /* local: as in struct query */
	unsigned bucket;              /* of clients */
	bool stranger;                /* not allowed to ask: gets REFUSED, and few connections */
	struct timer idle;
	uint64_t active_us;
	uint64_t behind_us;    /* when replies began to wait for the kernel, or last left */
	const uint8_t *bytes;  /* received; in `kept`, or during a read in the worker's inbox */
	size_t at, end;        /* the part of `bytes` that is not taken yet */
	uint8_t *kept;         /* NULL: nothing is left over from the last read */
	size_t room;           /* size of `kept`; above `end` if the rest is read into it */
	struct outbox *outbox; /* replies of this loop round; NULL: none yet */
	struct query *sending, **sending_end; /* queries that wait for room, in their order */
	unsigned unanswered;                  /* queries at the resolver */
	unsigned told;                        /* of `unanswered`: told that the listener stopped */
	unsigned writes;                      /* replies that the kernel has not taken yet */
	bool reading, processing;
	bool ended;        /* no more questions will be read */
	bool client_ended; /* the client has closed its side */
	bool lingers;      /* sends nothing more, and drops what it reads */
	bool closing, closed;
};

/* inbound/connection.c. `bucket` is the client's bucket in the worker's table. Always takes over
 * the descriptor. */
void connection_open(struct inbound *inbound, unsigned bucket, int fd,
		     const struct address *client);
void connection_close(struct connection *connection); /* fine when it is closing already */
/* Answers queries under way at listeners that stop, and writes the answers. */
void inbound_tcp_answer_gone(struct inbound_worker *worker);
/* For a server that drains or leaves: inbound_tcp_hurry applies a shorter idle timeout, and
 * inbound_tcp_end also stops reading questions. */
void inbound_tcp_hurry(struct inbound *inbound);
void inbound_tcp_end(struct inbound *inbound);

/* inbound/accept.c */
MUST_CHECK int inbound_tcp_start(struct inbound *inbound);
void inbound_tcp_stop(struct inbound *inbound);
/* The kernel refuses connections from now on. */
void inbound_tcp_refuse(struct inbound *inbound);

#endif
