/* Answered queries, as a worker leaves them for the query log (control/observe/query_log).
 *
 *     worker   append, append, ... commit ──► ring ──► read, read, ... give back   the log's thread
 *              (a record a query)  (the end of the loop round)
 *
 * One producer, one consumer, no lock, no system call, no memory but the ring's. What does not fit
 * is lost and counted: the log may be slow, a query never waits for it. A record is small and
 * binary; whoever reads it makes it a text.
 *
 * A record has pointers into the policy that decided the query (names of its zone, rule, network,
 * endpoint, target). Copies of these names would cost more than all the rest, and numbers could
 * only be looked up in that same policy. So what a snapshot holds lives until the reader has passed
 * every record that was written while a worker used it: the control thread notes each ring's end
 * once no worker uses the snapshot (query_rings_mark), and frees it once the reader is behind
 * (query_rings_passed). That costs a query nothing, and the reader, which waits for no disk and no
 * socket, is behind within some milliseconds.
 *
 * How long an answer took is not known when it is made: it leaves with the others of its round. The
 * worker reads the clock once a round, at the commit. */
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
	QUERY_RING_BYTES = 1 << 20,        /* of a worker's; a power of two */
	QUERY_RING_MESSAGE_MAX = 16 << 10, /* longer replies are left out */
	QUERY_RING_ALIGN = 32, /* of records and their data, which are copied by so many bytes */
};

/* What is wanted of a worker; 0: nothing. */
enum query_wanted {
	QUERY_WANTED_SLOW = 1 << 0,     /* answers that waited for a target */
	QUERY_WANTED_ALL = 1 << 1,      /* and all others */
	QUERY_WANTED_MESSAGES = 1 << 2, /* with the replies themselves */
};

/* What a query's binding (query.h) begins with. */
struct query_binding {
	const char *endpoint; /* the inbound endpoint that it came by; NULL: the VNet resolver */
	const struct policy *policy;
	const struct address *local; /* that it was sent to, but where the query has that */
	uint32_t network;            /* in the policy; NETWORK_NONE: the client says which */
};

/* The address that the query was sent to; NULL: it is a question of our own. */
static inline const struct address *query_local(const struct query *query)
{
	const struct query_binding *binding = query->binding;

	return query->local.family ? &query->local : binding ? binding->local : NULL;
}

/* Written for every query: members are as the worker has them, and put into words by the reader;
 * those that stand together there stand together here. */
struct query_record {
	uint32_t bytes;      /* of all of it; the ring's */
	uint8_t kind;        /* the ring's */
	uint8_t hops;        /* names of the chain behind the qname */
	uint8_t decided;     /* enum decided_by: of the qname */
	bool turned_away;    /* before the resolver saw it: may not ask, too often, or malformed */
	uint64_t arrived_us; /* CLOCK_MONOTONIC */
	const struct query_binding *binding;
	const char *object;              /* verdict.object; NULL: none */
	const struct rule *rule;         /* NULL: none */
	const struct upstream *upstream; /* whose answer it is, now or in the cache; NULL: none */
	uint32_t network;                /* in the binding's policy, or NETWORK_NONE or _DEFAULT */
	uint16_t id, flags;              /* of the query, as they came */
	uint16_t family, port;           /* by UDP, of the client, as a sockaddr has them */
	uint16_t rcode;  /* with its upper bits (RFC 6891 section 6.1.3); of no reply 0 */
	int16_t ede;     /* EDE_NONE: none */
	uint16_t length; /* of the reply; 0: there was none */
	uint16_t question_length, text_length;
	uint16_t message_length; /* 0: the reply is not here */
	struct address client;
	bool tcp;
	uint8_t source; /* enum response_source */
	/* The reply or, without it, the question as it came (name, type, class); then the words
	 * that explain an error (no end). */
	_Alignas(QUERY_RING_ALIGN) uint8_t data[];
};
static inline const uint8_t *query_record_message(const struct query_record *record)
{
	return record->data;
}
/* Which a reply begins with, behind its header. */
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
	_Atomic unsigned message_max; /* replies of so many bytes are wanted, too */
	/* The worker's. */
	_Alignas(64) uint8_t *next, *end; /* memory in one run that may be written */
	uint64_t *round;                  /* when its records leave; NULL: it has none yet */
	uint64_t ahead;                   /* of where `next` is in memory: bytes since the start */
	_Atomic uint64_t written;         /* bytes since the start, committed or not; as of
					   * query_ring_publish */
	_Atomic uint64_t lost;            /* records */
	uint8_t *bytes;
	/* The reader's, but for `committed`. */
	_Alignas(64) _Atomic uint64_t committed;
	_Atomic uint64_t read;
	uint64_t left_us; /* of the round that is being read */
};

/* ---- the worker ---- */

enum { QUERY_RING_RECORD = 1 }; /* kind */

/* enum query_wanted. Read for every answer: what a worker that was asleep has for its first query
 * is what is wanted now. */
static inline unsigned query_ring_wanted(const struct query_ring *ring)
{
	return atomic_load_explicit(&ring->wanted, memory_order_relaxed);
}

/* The reply's bytes that a record takes; 0: it takes the question. */
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
/* Whether query_ring_append_at_once may be called: the round has begun, and there is room in one
 * run of memory. */
static inline bool query_ring_has_room(const struct query_ring *ring, size_t data_length)
{
	return ring->round && query_ring_bytes(data_length) <= (size_t)(ring->end - ring->next);
}
/* Room for a record with so many bytes of data; its members from `hops` on are the caller's to
 * fill. */
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
/* The same at any time. NULL: there is no room at all, which is counted. */
struct query_record *query_ring_append(struct query_ring *ring, size_t data_length);
void query_ring_commit_at(struct query_ring *ring, uint64_t left_us);
/* At the end of a loop round, when all replies have left: those that were appended can be read. */
static inline void query_ring_commit(struct query_ring *ring, uint64_t (*now_us)(void *context))
{
	if (ring->round)
		query_ring_commit_at(ring, now_us(NULL));
}

/* Ahead of giving up a snapshot: from here on a mark covers what was appended. */
void query_ring_publish(struct query_ring *ring);

/* ---- the reader; one thread at a time ---- */

/* The next record, and when its reply left; NULL: there is none yet. It is valid until
 * query_ring_give_back, and until then the reader's to change. */
struct query_record *query_ring_read(struct query_ring *ring, uint64_t *at, uint64_t *left_us);
/* All up to there may be written over. `at` begins as ring->read. */
void query_ring_give_back(struct query_ring *ring, uint64_t at);

/* ---- those of all workers; any thread where nothing else is said ---- */

struct query_rings {
	struct query_ring *rings;
	unsigned count;
	atomic_bool awaited; /* somebody waits for the reader to pass a mark */
};

MUST_CHECK int query_rings_init(struct query_rings *rings, unsigned count); /* ERR_NOMEM */
void query_rings_release(struct query_rings *rings); /* fine on one that is zero */
void query_rings_want(struct query_rings *rings, unsigned wanted);
uint64_t query_rings_lost(const struct query_rings *rings);
/* Notes each ring's end, as it was published, in `mark`, of `count` numbers. */
void query_rings_mark(const struct query_rings *rings, uint64_t *mark);
/* Whether the reader has passed it; else it is awaited. */
bool query_rings_passed(struct query_rings *rings, const uint64_t *mark);

#endif
