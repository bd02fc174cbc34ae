/* What the files of inbound share: a listener as one worker serves it, and every packet's way. */
#ifndef SLUICE_INBOUND_INTERNAL_H
#define SLUICE_INBOUND_INTERNAL_H

#include "endpoints/inbound/inbound.h"

enum {
	INBOUND_ERROR_REPLY_MAX = MESSAGE_UDP_MIN, /* an error needs no more */
	INBOUND_CLIENT_BUCKETS = 256,
	INBOUND_AGAIN_US = 100 * 1000, /* a socket that cannot be watched is tried again after */
	INBOUND_PREFIX = 2,            /* TCP: bytes of length ahead of a message */
};

struct udp_batch;
struct tcp_batch;
struct connection; /* inbound/connection.h */

struct inbound_shared { /* of a worker's listeners, by worker->shared */
	struct udp_batch *udp;
	struct tcp_batch *tcp;
	struct query spare; /* reads a packet when the pool is empty, so that it can be answered */
	struct connection *clients[INBOUND_CLIENT_BUCKETS];
	unsigned connections[INBOUND_CLIENT_BUCKETS]; /* so many in each */
	size_t tcp_work; /* bytes read and taken by TCP since UDP had its turn */
	uint8_t inbox[INBOUND_PREFIX + MESSAGE_MAX]; /* what is read of a connection */
};

struct inbound {
	struct inbound *next, **link; /* of the worker's listeners */
	struct inbound_worker *worker;
	struct listener *listener; /* until it is stopped */
	void *binding;
	struct inbound_admission admission;
	struct inbound_counters *counters;
	struct host host;
	bool wildcard; /* the address a query was sent to must be noted, and answered from */
	bool stopped;
	unsigned queries;   /* under way at the resolver */
	unsigned handles;   /* of the loop, not yet closed; each keeps the memory */
	int udp, twin, tcp; /* -1: closed */
	uv_poll_t udp_poll, tcp_poll;
	struct timer udp_again, tcp_again, udp_dropped_due;
	uint32_t udp_dropped; /* by the kernel until udp_dropped_due was due last */
	struct connection *connections;
};

/* Reads a packet into the query (its tcp, client and so on are set already); of a stranger's the
 * question only. True: it is to be admitted. Otherwise `reply` holds *length bytes to be sent back,
 * 0 for silence. `refuse`, if not NOERROR, is what even a good packet is answered with: SERVFAIL
 * where there is no query for it, FORMERR where it did not arrive as a whole. */
bool inbound_read(struct inbound *inbound, struct query *query, const uint8_t *packet,
		  size_t packet_length, enum rcode refuse, uint8_t reply[INBOUND_ERROR_REPLY_MAX],
		  size_t *length);
struct inbound_error {
	enum rcode rcode;
	enum ede ede;
	const char *text; /* may be NULL */
	bool truncated;   /* TC: come again by TCP */
};
/* Writes the answer to a query that was read but gets nothing better; returns its length. */
size_t inbound_write_error(const struct inbound *inbound, const struct query *query,
			   const struct inbound_error *error,
			   uint8_t reply[INBOUND_ERROR_REPLY_MAX]);
/* The same, and counts it as the reply to this query. */
size_t inbound_reply_error(const struct inbound *inbound, const struct query *query,
			   const struct inbound_error *error,
			   uint8_t reply[INBOUND_ERROR_REPLY_MAX]);
/* Counts a well-formed query that the resolver does not get. */
void inbound_count_turned_away(const struct inbound *inbound, const struct query *query);
/* The same as inbound_reply_error for a query that goes no further, which on_turned_away is told
 * of. error NULL: silence.
 */
size_t inbound_turn_away(const struct inbound *inbound, const struct query *query,
			 const struct inbound_error *error, uint8_t reply[INBOUND_ERROR_REPLY_MAX]);
/* Counts the queries as under way and gives them to the resolver. */
void inbound_hand_over(struct inbound *inbound, struct query **queries, unsigned count);
/* The query is back. May free the inbound. */
void inbound_take_back(struct inbound *inbound, struct query *query);
/* Starts `poll` (made here the first time). ERR_SYSTEM: counted, and `again` armed. */
int inbound_watch(struct inbound *inbound, uv_poll_t *poll, int fd, uv_poll_cb on_ready,
		  struct timer *again);
/* Takes the error off a socket: libuv stops a handle whose socket reports one. */
void inbound_clear_error(int fd);
/* Closes what inbound_watch has made; and what the loop then calls, which may free the inbound. */
void inbound_unwatch(struct inbound *inbound, uv_poll_t *poll, struct timer *again);
void inbound_handle_closed(struct inbound *inbound);

/* inbound/admission.c */
/* For good, where the worker leaves: whatever admission is set then. */
void inbound_let_nobody_in(struct inbound *inbound);
bool inbound_is_allowed(const struct inbound *inbound, const struct address *client);
/* Writes the reply for a client that is no longer served, for a stranger, and for a query over the
 * endpoint's limit; returns its length, 0: silence. The first is for queries that are under way. */
size_t inbound_write_gone(struct inbound *inbound, const struct query *query,
			  uint8_t reply[INBOUND_ERROR_REPLY_MAX]);
size_t inbound_refuse_gone(struct inbound *inbound, const struct query *query,
			   uint8_t reply[INBOUND_ERROR_REPLY_MAX]);
size_t inbound_refuse_stranger(struct inbound *inbound, struct query *query,
			       uint8_t reply[INBOUND_ERROR_REPLY_MAX]);
size_t inbound_answer_excess(struct inbound *inbound, const struct query *query,
			     uint8_t reply[INBOUND_ERROR_REPLY_MAX]);
/* Where replies are limited: what is sent, *length bytes: the reply, something short written to
 * `instead`, or NULL for nothing. */
const uint8_t *inbound_limit_reply(struct inbound *inbound, const struct query *query,
				   const uint8_t *reply, size_t *length,
				   uint8_t instead[INBOUND_ERROR_REPLY_MAX]);

/* listener.c */
struct inbound *listener_take(struct listener *listener, unsigned index); /* NULL: withdrawn */
void listener_gave_up_share(struct listener *listener); /* its sockets are closed */

/* inbound/udp.c */
struct udp_batch *udp_batch_new(void);
void udp_batch_free(struct udp_batch *batch);
void udp_batch_flush(struct udp_batch *batch);
/* Reads what has come by UDP and sends its replies: between the connections of a long round. */
void inbound_udp_turn(struct inbound_worker *worker);
MUST_CHECK int inbound_udp_start(struct inbound *inbound);
int inbound_udp_watch(struct inbound *inbound); /* also after it has rested */
void inbound_udp_stop(struct inbound *inbound);

/* inbound/connection.c */
struct tcp_batch *tcp_batch_new(void);
void tcp_batch_free(struct tcp_batch *batch);
void tcp_batch_flush(struct tcp_batch *batch);

#endif
