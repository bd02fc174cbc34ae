/* A client's TCP connection, as the files of inbound that have to do with it share it: what is read
 * and taken (inbound/tcp.c), how replies leave (inbound/outbox.c), who may connect
 * (inbound/accept.c), how it ends (inbound/end.c). It lives until it is closed and its last query
 * is back. */
#ifndef SLUICE_INBOUND_TCP_H
#define SLUICE_INBOUND_TCP_H

#include "endpoints/inbound/internal.h"

struct outbox;

struct connection {
	uv_tcp_t handle;
	struct connection *next, **link;                  /* of its listener */
	struct connection *next_of_client, **client_link; /* of its bucket of clients */
	struct inbound *inbound;
	struct address client;
	unsigned bucket; /* of clients */
	bool stranger;   /* not allowed to ask: it is told so, and has no right to a place */
	struct timer idle;
	uint64_t active_us;
	uint64_t behind_us; /* since when nothing of what the kernel did not take has wholly left */
	const uint8_t *bytes;  /* received; in `kept`, or while it is read in the worker's inbox */
	size_t at, end;        /* of `bytes`: what has not been taken yet */
	uint8_t *kept;         /* NULL: nothing is left over from the last read */
	size_t room;           /* of `kept`; over `end` where the rest is read into it */
	struct outbox *outbox; /* replies of this loop round; NULL: none yet */
	struct query *stream, **stream_end; /* wait for room, in their order */
	unsigned unanswered;                /* queries at the resolver; */
	unsigned told;                      /* of them, SERVFAIL, as their listener stops */
	unsigned writes;                    /* replies that the kernel has not taken yet */
	bool reading, processing;
	bool filled;       /* by the last read, to the inbox's end: others' turn */
	bool ended;        /* no more questions will be read */
	bool client_ended; /* it has closed its side */
	bool lingers;      /* nothing more will be sent, and what is read is dropped */
	bool closing, closed;
};

/* inbound/tcp.c. `bucket` is where the worker finds the connections of this client. The descriptor
 * is taken whatever happens. */
void connection_open(struct inbound *inbound, unsigned bucket, int fd,
		     const struct address *client);
/* Answers what is under way at listeners that stop, and writes it. */
void inbound_tcp_answer_gone(struct inbound_worker *worker);
uint64_t connection_now(const struct connection *connection);
/* Takes what questions have been received, as far as the pipeline allows. */
void connection_process(struct connection *connection);
/* Starts or stops reading, or closes, as the connection's state asks for. */
void connection_settle(struct connection *connection);
void connection_drop_kept(struct connection *connection);

/* inbound/outbox.c */
/* Gathers the reply, which leaves with the others of the loop round. May close the connection. */
void connection_write(struct connection *connection, const uint8_t *reply, size_t length);
/* Bytes of replies that the kernel has not taken yet, those gathered with them. */
size_t connection_unsent(const struct connection *connection);
/* Calls the queries that wait for room, as long as there is some, or all when there never will be.
 * May free a connection that is closed. False: none was called. (inbound/tcp.c) */
bool connection_offer_room(struct connection *connection);
/* For a connection that closes: what is gathered is dropped. Returns how many replies that was. */
unsigned connection_leave_outbox(struct connection *connection);

/* inbound/accept.c */
MUST_CHECK int inbound_tcp_start(struct inbound *inbound);
void inbound_tcp_stop(struct inbound *inbound);
/* Nobody is to connect any more, and who tries knows at once. */
void inbound_tcp_refuse(struct inbound *inbound);
/* inbound/end.c: the idle timeout is a shorter one now; and no more questions will be read, either.
 */
void inbound_tcp_hurry(struct inbound *inbound);
void inbound_tcp_end(struct inbound *inbound);

/* inbound/end.c */
void connection_watch_idle(struct connection *connection); /* from its start on */
/* All is said: has the client know. False: it may be closed at once. */
MUST_CHECK bool connection_linger(struct connection *connection);
/* Reads into nothing what has come by now, up to a bound: ahead of closing, where something was
 * written that is to arrive. */
void connection_drop_unread(struct connection *connection);
void connection_close(struct connection *connection); /* fine when it is closing already */
void connection_free_when_done(struct connection *connection);

#endif
