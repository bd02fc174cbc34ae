/* A client's TCP connection, and who may have one. It lives until it is closed and its last query
 * is back. */
#ifndef SLUICE_INBOUND_CONNECTION_H
#define SLUICE_INBOUND_CONNECTION_H

#include "endpoints/inbound/internal.h"
#include "endpoints/stream.h"

struct outbox;

struct connection {
	struct stream stream;
	struct connection *next, **link;                  /* of its listener */
	struct connection *next_of_client, **client_link; /* of its bucket of clients */
	struct inbound *inbound;
	struct address client, local; /* local: as in struct query */
	unsigned bucket;              /* of clients */
	bool stranger;                /* not allowed to ask: it gets REFUSED, and few places */
	struct timer idle;
	uint64_t active_us;
	uint64_t behind_us; /* since when nothing of what the kernel did not take has wholly left */
	const uint8_t *bytes;  /* received; in `kept`, or while it is read in the worker's inbox */
	size_t at, end;        /* of `bytes`: what has not been taken yet */
	uint8_t *kept;         /* NULL: nothing is left over from the last read */
	size_t room;           /* of `kept`; over `end` where the rest is read into it */
	struct outbox *outbox; /* replies of this loop round; NULL: none yet */
	struct query *sending, **sending_end; /* wait for room, in their order */
	unsigned unanswered;                  /* queries at the resolver; */
	unsigned told;                        /* of them, answered as their listener stops */
	unsigned writes;                      /* replies that the kernel has not taken yet */
	bool reading, processing;
	bool ended;        /* no more questions will be read */
	bool client_ended; /* it has closed its side */
	bool lingers;      /* nothing more will be sent, and what is read is dropped */
	bool closing, closed;
};

/* inbound/connection.c. `bucket` is where the worker finds the connections of this client. The
 * descriptor is taken whatever happens. */
void connection_open(struct inbound *inbound, unsigned bucket, int fd,
		     const struct address *client);
void connection_close(struct connection *connection); /* fine when it is closing already */
/* Answers what is under way at listeners that stop, and writes it. */
void inbound_tcp_answer_gone(struct inbound_worker *worker);
/* The idle timeout is a shorter one now; and no more questions will be read, either. */
void inbound_tcp_hurry(struct inbound *inbound);
void inbound_tcp_end(struct inbound *inbound);

/* inbound/accept.c */
MUST_CHECK int inbound_tcp_start(struct inbound *inbound);
void inbound_tcp_stop(struct inbound *inbound);
/* From now on connecting is refused at once. */
void inbound_tcp_refuse(struct inbound *inbound);

#endif
