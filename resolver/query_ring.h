/* A worker's answered queries, for the query log (control/observe/query_log).
 *
 *     worker   append, append, ... commit ──► ring ──► read, read, ... give back   the log's thread
 *              (a record a query)  (the end of the loop round)
 *
 * There is one producer and one consumer, and there are no locks, system calls or allocations. A
 * record that does not fit is lost and counted: a query never waits for a slow log. Records are
 * small and binary; the reader makes text of them.
 *
 * A record has pointers into the policy that decided the query (names of its zone, rule, network,
 * endpoint, target). Copies of these names would cost more than all the rest, and numbers would
 * still need the same policy. So a snapshot lives until the reader has passed every record that was
 * written while a worker used it: once no worker uses it, the control thread notes each ring's end
 * (query_rings_mark), and frees the snapshot when the reader has passed it (query_rings_passed).
 * This costs a query nothing, and takes some milliseconds, because the reader never waits for a
 * disk or a socket.
 *
 * An answer leaves with the others of its round, so its time is not known yet when its record is
 * made: the worker reads the clock once a round, at the commit. */
#ifndef SLUICE_QUERY_RING_H
#define SLUICE_QUERY_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoints/message.h"
#include "endpoints/query.h"
#include "resolver/latency.h"
#include "rules/err.h"
#include "rules/policy/policy.h"
#include "rules/prefix.h"

enum {
	QUERY_RING_BYTES = 1 << 20,        /* of one ring; a power of two */
	QUERY_RING_MESSAGE_MAX = 16 << 10, /* records have no longer replies */
	QUERY_RING_ALIGN = 32, /* of records and their data, which are copied in such blocks */
};

/* The records that a worker should write; 0: none. */
enum query_wanted {
	QUERY_WANTED_SLOW = 1 << 0,     /* answers that waited for a target */
	QUERY_WANTED_ALL = 1 << 1,      /* all other answers */
	QUERY_WANTED_MESSAGES = 1 << 2, /* replies as well */
};

/* The first member of what a query's binding (query.h) points to. */
struct query_binding {
	const char *endpoint; /* the inbound endpoint; NULL: the VNet resolver */
	const struct policy *policy;
	const struct address *local; /* the query's destination, unless the query has it */
	uint32_t network; /* in the policy; NETWORK_NONE: decided by the client's address */
};

/* The address that the query was sent to; NULL: our own question. */
static inline const struct address *query_local(const struct query *query)
{
	const struct query_binding *binding = query->binding;

	return query->local.family ? &query->local : binding ? binding->local : NULL;
}

/* Written for every query, so members have the worker's form and order, which makes copying
 * cheap. */
struct query_record {
	uint32_t bytes;   /* of the whole record; for the ring */
	uint8_t kind;     /* for the ring */
	uint8_t hops;     /* names of the chain after the qname */
	uint8_t decided;  /* enum decided_by, for the qname */
	bool turned_away; /* not given to the resolver: not allowed, over a limit, or malformed */
	uint64_t arrived_us; /* CLOCK_MONOTONIC */
	const struct query_binding *binding;
	const char *object;              /* verdict.object; NULL: none */
	const struct rule *rule;         /* NULL: none */
	const struct upstream *upstream; /* that answered or failed last, now or for the cache;
					  * NULL: none */
	uint32_t network;                /* in the binding's policy; or NETWORK_NONE, _DEFAULT */
	uint16_t id, flags;              /* of the query, as received */
	uint16_t family, port;           /* by UDP: the client's, as in a sockaddr */
	uint16_t rcode;  /* with the OPT's bits (RFC 6891 section 6.1.3); 0 without a reply */
	int16_t ede;     /* EDE_NONE: none */
	uint16_t length; /* of the reply; 0: none was sent */
	uint16_t question_length, text_length;
	uint16_t message_length; /* 0: the reply is not in `data` */
	struct address client;
	bool tcp;
	uint8_t source; /* enum response_source */
	/* The reply, or else the question as received (name, type, class); then the text that
	 * explains an error, without a NUL. */
	_Alignas(QUERY_RING_ALIGN) uint8_t data[];
};
static inline const uint8_t *query_record_message(const struct query_record *record)
{
	return record->data;
}
/* The question is also the first part of a reply, after its header. */
static inline const uint8_t *query_record_question(const struct query_record *record)
{
	return record->message_length ? record->data + MESSAGE_HEADER : record->data;
}
static inline const char *query_record_text(const struct query_record *record)
{
	return (const char *)record->data +
	       (record->message_length ? record->message_length : record->question_length);
}

struct query_ring {
	_Atomic unsigned wanted;      /* enum query_wanted */
	_Atomic unsigned message_max; /* the longest reply to record */
	/* For the worker. */
	_Alignas(64) uint8_t *next, *end; /* contiguous memory for records */
	uint64_t *round;          /* where the round's time goes; NULL: it has no records yet */
	uint64_t ahead;           /* the position of `next` minus its address */
	_Atomic uint64_t written; /* bytes appended since the start, at query_ring_publish */
	_Atomic uint64_t lost;    /* records */
	uint8_t *bytes;
	/* For the reader; the worker writes `committed`. */
	_Alignas(64) _Atomic uint64_t committed;
	_Atomic uint64_t read;
	uint64_t left_us; /* of the round that is being read */
};

/* ---- the worker ---- */

enum { QUERY_RING_RECORD = 1 }; /* kind */

/* enum query_wanted. Read for every answer, so that even a worker that was asleep uses the current
 * value. */
static inline unsigned query_ring_wanted(const struct query_ring *ring)
{
	return atomic_load_explicit(&ring->wanted, memory_order_relaxed);
}

/* How many bytes of a reply a record has; 0: it has the question instead. */
static inline size_t query_ring_message_length(const struct query_ring *ring, size_t length)
{
	return length <= atomic_load_explicit(&ring->message_max, memory_order_relaxed) ? length
											: 0;
}

static inline size_t query_ring_bytes(size_t data_length)
{
	return (sizeof(struct query_record) + data_length + QUERY_RING_ALIGN - 1) &
	       ~(size_t)(QUERY_RING_ALIGN - 1);
}
/* Whether query_ring_append_at_once may be called: the round has begun, and the record fits without
 * wrapping. */
static inline bool query_ring_has_room(const struct query_ring *ring, size_t data_length)
{
	return ring->round && query_ring_bytes(data_length) <= (size_t)(ring->end - ring->next);
}
/* Appends a record with data_length bytes of data; the caller fills in its members from `hops`
 * on. */
static inline struct query_record *query_ring_append_at_once(struct query_ring *ring,
							     size_t data_length)
{
	size_t bytes = query_ring_bytes(data_length);
	struct query_record *record = (struct query_record *)(void *)ring->next;

	ring->next += bytes;
	record->bytes = (uint32_t)bytes;
	record->kind = QUERY_RING_RECORD;
	return record;
}
/* The same at any time. NULL: the ring is full; counts the record as lost. */
struct query_record *query_ring_append(struct query_ring *ring, size_t data_length);
void query_ring_commit_at(struct query_ring *ring, uint64_t left_us);
/* At the end of a loop round, when all replies have left: lets the reader read the new records. */
static inline void query_ring_commit(struct query_ring *ring, uint64_t (*now_us)(void *context))
{
	if (ring->round)
		query_ring_commit_at(ring, now_us(NULL));
}

/* Call it before releasing a snapshot, so that a later mark covers all appended records. */
void query_ring_publish(struct query_ring *ring);

/* ---- the reader; one thread at a time ---- */

/* The next record, and when its reply left; NULL: none yet. It is valid until query_ring_give_back;
 * until then the reader may change it. */
struct query_record *query_ring_read(struct query_ring *ring, uint64_t *at, uint64_t *left_us);
/* Lets the worker overwrite everything before `at`, which starts as ring->read. */
void query_ring_give_back(struct query_ring *ring, uint64_t at);

/* ---- the rings of all workers; any thread unless stated otherwise ---- */

struct query_rings {
	struct query_ring *rings;
	unsigned count;
	atomic_bool awaited; /* the control thread waits for the reader to pass a mark */
};

MUST_CHECK int query_rings_init(struct query_rings *rings, unsigned count); /* ERR_NOMEM */
void query_rings_release(struct query_rings *rings);                        /* fine when all zero */
void query_rings_want(struct query_rings *rings, unsigned wanted);
uint64_t query_rings_lost(const struct query_rings *rings);
/* Notes each ring's published end in `mark`, an array of `count`. */
void query_rings_mark(const struct query_rings *rings, uint64_t *mark);
/* Whether the reader has passed the mark; if not, sets `awaited`. */
bool query_rings_passed(struct query_rings *rings, const uint64_t *mark);

#endif
