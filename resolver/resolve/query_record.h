/* Fills in the record of an answered query (query_ring.h) in the worker's ring, for the query log.
 *
 * While all queries are logged this runs for every answer, so the usual one costs about a hundred
 * instructions: neighbouring members are copied together, data in blocks, and no function is
 * called. The caller checks whether a record is wanted at all (query_ring_wanted). */
#ifndef SLUICE_QUERY_RECORD_H
#define SLUICE_QUERY_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "endpoints/message.h"
#include "endpoints/query.h"
#include "resolver/latency.h"
#include "resolver/query_ring.h"
#include "resolver/resolve/compose.h"
#include "rules/policy/policy.h"

/* The resolver's work on a query; read during the call. */
struct query_answer {
	const struct query *query;
	const struct verdict *verdict;         /* the qname's */
	uint32_t network;                      /* in the policy, or NETWORK_NONE or _DEFAULT */
	const struct composition *composition; /* may be NULL */
	enum response_source source;
	const struct message_end *end;
	/* The final reply. QUERY_RING_ALIGN bytes after it must be readable. */
	const uint8_t *reply;
	size_t length;
};

/* If the ring is full, the record is lost, and the ring counts that. */
void query_record_answer(struct query_ring *ring, const struct query_answer *answer);
/* The record of a query that did not reach the resolver: it got an error or (end NULL, length 0) no
 * answer. */
void query_record_turned_away(struct query_ring *ring, const struct query *query,
			      const struct message_end *end, const uint8_t *reply, size_t length);

#endif
