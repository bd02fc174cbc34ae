/* Shared by the files of inbound: a listener as one worker serves it, and the way of a packet. */
#ifndef SLUICE_INBOUND_INTERNAL_H
#define SLUICE_INBOUND_INTERNAL_H

#include "endpoints/inbound/inbound.h"

enum {
	INBOUND_ERROR_REPLY_MAX = MESSAGE_UDP_MIN, /* an error needs no more */
	INBOUND_CLIENT_BUCKETS = 256,
	INBOUND_AGAIN_US = 100 * 1000, /* pause before watching a socket is tried again */
	INBOUND_PREFIX = 2,            /* bytes of a message's length, by TCP */
};

struct udp_batch;
struct tcp_batch;
struct connection; /* inbound/connection.h */

struct inbound_shared { /* worker->shared, for all its listeners */
	struct udp_batch *udp;
	struct tcp_batch *tcp;
	struct query spare; /* for answering a packet when the pool is empty */
	struct connection *clients[INBOUND_CLIENT_BUCKETS];
	unsigned connections[INBOUND_CLIENT_BUCKETS]; /* how many each bucket has */
	size_t tcp_work;                              /* bytes by TCP since UDP last had its turn */
	uint8_t inbox[INBOUND_PREFIX + MESSAGE_MAX];  /* the bytes just read from a connection */
};

struct inbound {
	struct inbound *next, **link; /* of the worker's listeners */
	struct inbound_worker *worker;
	struct listener *listener; /* NULL once it is stopped */
	void *binding;
	struct inbound_admission admission;
	struct inbound_counters *counters;
	struct host host;
	bool wildcard; /* replies must leave from the address that the query was sent to */
	bool stopped;
	unsigned queries;   /* queries at the resolver */
	unsigned handles;   /* the loop's open handles; each keeps the memory */
	int udp, twin, tcp; /* -1: closed */
	uv_poll_t udp_poll, tcp_poll;
	struct timer udp_again, tcp_again, udp_dropped_due;
	uint32_t udp_dropped; /* packets that the kernel had dropped when udp_dropped_due was last
				 due */
	struct connection *connections;
};

/* Reads a packet into the query, whose tcp, client and so on are set already; of a stranger's
 * packet only the question. True: the query may be admitted. False: `reply` holds *length bytes to
 * send back, 0 for silence. `refuse`, if not NOERROR, answers even a good packet: SERVFAIL if no
 * query was free, FORMERR if the packet was cut. */
bool inbound_read(struct inbound *inbound, struct query *query, const uint8_t *packet,
		  size_t packet_length, enum rcode refuse, uint8_t reply[INBOUND_ERROR_REPLY_MAX],
		  size_t *length);
struct inbound_error {
	enum rcode rcode;
	enum ede ede;
	const char *text; /* may be NULL */
	bool truncated;   /* TC: the client should use TCP */
};
/* Writes an error in answer to a query that was read; returns its length. */
size_t inbound_write_error(const struct inbound *inbound, const struct query *query,
			   const struct inbound_error *error,
			   uint8_t reply[INBOUND_ERROR_REPLY_MAX]);
/* The same, and counts it as the reply to this query. */
size_t inbound_reply_error(const struct inbound *inbound, const struct query *query,
			   const struct inbound_error *error,
			   uint8_t reply[INBOUND_ERROR_REPLY_MAX]);
/* Counts a packet that is turned away for access, a limit or lack of room, not for an error. */
void inbound_count_turned_away(const struct inbound *inbound, const struct query *query);
/* Like inbound_reply_error, for a query that does not reach the resolver; also tells
 * on_turned_away. error NULL: silence. */
size_t inbound_turn_away(const struct inbound *inbound, const struct query *query,
			 const struct inbound_error *error, uint8_t reply[INBOUND_ERROR_REPLY_MAX]);
/* Gives the queries to the resolver, and counts them as under way. */
void inbound_hand_over(struct inbound *inbound, struct query **queries, unsigned count);
/* The query has returned. May free the inbound. */
void inbound_take_back(struct inbound *inbound, struct query *query);
/* Starts `poll`, and makes it at the first call. ERR_SYSTEM: counts it and arms `again`. */
int inbound_watch(struct inbound *inbound, uv_poll_t *poll, int fd, uv_poll_cb on_ready,
		  struct timer *again);
/* Clears a socket's error, because libuv stops a handle whose socket reports one. */
void inbound_clear_error(int fd);
/* inbound_unwatch closes what inbound_watch made; then the loop calls inbound_handle_closed, which
 * may free the inbound. */
void inbound_unwatch(struct inbound *inbound, uv_poll_t *poll, struct timer *again);
void inbound_handle_closed(struct inbound *inbound);

/* inbound/admission.c */
/* Refuses every client for good, whatever admission is set later, because the worker leaves. */
void inbound_let_nobody_in(struct inbound *inbound);
bool inbound_is_allowed(const struct inbound *inbound, const struct address *client);
/* Write the reply for a client that is no longer served (inbound_write_gone: for a query under
 * way), for a stranger, and for a query over the endpoint's limit. Return its length; 0:
 * silence. */
size_t inbound_write_gone(struct inbound *inbound, const struct query *query,
			  uint8_t reply[INBOUND_ERROR_REPLY_MAX]);
size_t inbound_refuse_gone(struct inbound *inbound, const struct query *query,
			   uint8_t reply[INBOUND_ERROR_REPLY_MAX]);
size_t inbound_refuse_stranger(struct inbound *inbound, struct query *query,
			       uint8_t reply[INBOUND_ERROR_REPLY_MAX]);
size_t inbound_answer_excess(struct inbound *inbound, const struct query *query,
			     uint8_t reply[INBOUND_ERROR_REPLY_MAX]);
/* Applies the response limit. Returns the *length bytes to send: the reply, a short one in
 * `instead`, or NULL for nothing. */
const uint8_t *inbound_limit_reply(struct inbound *inbound, const struct query *query,
				   const uint8_t *reply, size_t *length,
				   uint8_t instead[INBOUND_ERROR_REPLY_MAX]);

/* inbound/listener.c */
struct inbound *listener_take(struct listener *listener, unsigned index); /* NULL: withdrawn */
void listener_gave_up_share(struct listener *listener); /* after its sockets are closed */

/* inbound/udp.c */
struct udp_batch *udp_batch_new(void);
void udp_batch_free(struct udp_batch *batch);
void udp_batch_flush(struct udp_batch *batch);
/* Reads packets by UDP and sends their replies, so that a long round of TCP does not delay UDP. */
void inbound_udp_turn(struct inbound_worker *worker);
MUST_CHECK int inbound_udp_start(struct inbound *inbound);
int inbound_udp_watch(struct inbound *inbound); /* starts, or starts again after a rest */
void inbound_udp_stop(struct inbound *inbound);

/* inbound/connection.c */
struct tcp_batch *tcp_batch_new(void);
void tcp_batch_free(struct tcp_batch *batch);
void tcp_batch_flush(struct tcp_batch *batch);

#endif
