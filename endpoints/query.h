/* A query on its whole way from socket to reply. inbound fills it and gives it to the resolver,
 * which owns it until it calls query_finish, exactly once.
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
	QUERY_ROOM, /* send one message, or finish with the last one */
	QUERY_WAIT, /* the client has much unread: on_room is called later */
	QUERY_GONE, /* the client has gone: finish the query */
};

struct query {
	struct query *next; /* in the pool; for inbound while it owns the query or the query waits
			       for room */
	/* Takes back the query with its reply. reply NULL: sends none, and closes a TCP connection,
	 * whose client would wait. The pointer is NULL while the query is in the pool. */
	void (*finish)(struct query *query, const uint8_t *reply, size_t length);
	/* For an answer of many messages, by TCP: call `room` before each, even before the last,
	 * which `finish` sends; `send` sends one, and the owner keeps the query. Both NULL: only
	 * one message is possible. */
	enum query_room (*room)(struct query *query);
	void (*send)(struct query *query, const uint8_t *message, size_t length);
	/* Set by the owner. Called once after each QUERY_WAIT, with ROOM or GONE; waiting queries
	 * are called in order. */
	void (*on_room)(struct query *query, enum query_room room);
	void *origin;  /* where the query comes from: socket, connection, caller */
	void *binding; /* the resolver's data of the listener that it arrived at */
	struct address client;
	struct address local;         /* its destination, if the listener has a wildcard address */
	struct sockaddr_storage peer; /* where the reply goes, by UDP */
	uint64_t arrived_us;
	size_t limit; /* most bytes of the reply, by transport and client */
	bool tcp;
	bool proven;           /* its address is not forged: by TCP, or with a good server cookie */
	const uint8_t *packet; /* as received; only during on_query */
	size_t packet_length;
	struct request request;
	uint8_t question[MESSAGE_QUESTION_MAX]; /* as received, request.question_length bytes */
	struct name name;                       /* the qname */
	_Alignas(16) uint8_t scratch[QUERY_SCRATCH]; /* for the resolver */
};

static inline void query_finish(struct query *query, const uint8_t *reply, size_t length)
{
	query->finish(query, reply, length);
}

/* A worker's pool of queries. It grows in slabs up to `max`; then query_take returns NULL. Release
 * it when no query is in use. */
struct query_pool {
	struct query *free;
	struct query_slab *slabs;
	unsigned in_use, allocated, max;
};

void query_pool_init(struct query_pool *pool, unsigned max);
void query_pool_release(struct query_pool *pool);
struct query *query_take(struct query_pool *pool);
void query_give(struct query_pool *pool, struct query *query);
/* Calls back with every taken query of this origin (NULL: any), in no order; on_query must not give
 * or take one. Looks at all queries, so call it rarely. */
void query_each(struct query_pool *pool, const void *origin, void (*on_query)(struct query *query));

#endif
