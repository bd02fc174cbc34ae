/* The one carrier of a query from socket to reply. inbound fills it and gives it to the resolver,
 * which owns it until it calls query_finish; there is one way out, and it is taken exactly once.
 *
 *     inbound ──on_query──► resolver ──query_finish──► inbound ──► back to the pool */
#ifndef SLUICE_QUERY_H
#define SLUICE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "endpoints/message.h"
#include "rules/name.h"
#include "rules/prefix.h"

enum { QUERY_SCRATCH = 640 };

enum query_room {
	QUERY_ROOM, /* send one message, or finish with one */
	QUERY_WAIT, /* the client has much to read yet: on_room is called when it has */
	QUERY_GONE, /* there is no client any more: finish it */
};

struct query {
	struct query
		*next; /* in the pool; inbound's while it owns the query, or it waits for room */
	/* Takes the reply and the query back. reply NULL: none is sent, and a client by TCP, which
	 * would wait for it, has its connection closed. NULL while it is in the pool. */
	void (*finish)(struct query *query, const uint8_t *reply, size_t length);
	/* By TCP, for an answer of many messages: `room` is asked before each, also the last, which
	 * goes by finish; then `send` sends one, and leaves the query to its owner. Both NULL: one
	 * is all there can be. */
	enum query_room (*room)(struct query *query);
	void (*send)(struct query *query, const uint8_t *message, size_t length);
	/* Its owner's, called once for each QUERY_WAIT with ROOM or GONE, in the order in which
	 * they came to wait. */
	void (*on_room)(struct query *query, enum query_room room);
	void *origin;  /* of whoever made the query: socket, connection, caller */
	void *binding; /* what the resolver attached to the listener it arrived at */
	struct address client;
	struct address local; /* where it was sent to, if the listener is on a wildcard address */
	struct sockaddr_storage peer; /* where the reply goes, UDP */
	uint64_t arrived_us;
	size_t limit; /* bytes that the reply may have: the transport's and client's */
	bool tcp;
	bool proven;           /* it is from where it says: by TCP, or with a good server cookie */
	const uint8_t *packet; /* as it came; only while it is handed over */
	size_t packet_length;
	struct request request;
	uint8_t question[MESSAGE_QUESTION_MAX];      /* as it came, request.question_length bytes */
	struct name name;                            /* the qname */
	_Alignas(16) uint8_t scratch[QUERY_SCRATCH]; /* the resolver's */
};

static inline void query_finish(struct query *query, const uint8_t *reply, size_t length)
{
	query->finish(query, reply, length);
}

/* A per-worker pool: grows in slabs up to max, then query_take gives NULL. Releasing it takes all
 * queries back in it. */
struct query_pool {
	struct query *free;
	struct query_slab *slabs;
	unsigned in_use, allocated, max;
};

void query_pool_init(struct query_pool *pool, unsigned max);
void query_pool_release(struct query_pool *pool);
struct query *query_take(struct query_pool *pool);
void query_give(struct query_pool *pool, struct query *query);
/* Calls back with every query that has been taken and has this origin (NULL: any), in no order; it
 * must not give or take any. Looks at all there are: for what happens seldom. */
void query_each(struct query_pool *pool, const void *origin, void (*on_query)(struct query *query));

#endif
