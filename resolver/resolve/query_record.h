/* Fills in the record of an answered query (query_ring.h), which the worker leaves in its ring for
 * the query log.
 *
 * Every answer passes here while all queries are logged, so the usual one costs about a hundred
 * instructions: neighbours are copied together, data in blocks, and nothing is called. Whether a
 * record is wanted at all is the caller's to ask (query_ring_wanted). */
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

/* What the resolver did with a query, read during the call. */
struct query_answer {
	const struct query *query;
	const struct verdict *verdict;         /* on the qname */
	uint32_t network;                      /* in the policy, or NETWORK_NONE or _DEFAULT */
	const struct composition *composition; /* NULL: nothing was composed */
	enum response_source source;
	const struct message_end *end;
	/* As it leaves; QUERY_RING_ALIGN bytes behind it can be read, whatever they are. */
	const uint8_t *reply;
	size_t length;
};

/* Without room in the ring the record is lost, and counted there. */
void query_record_answer(struct query_ring *ring, const struct query_answer *answer);
/* Of a query that the resolver never saw: it was answered with an error or (end NULL, length 0) not
 * at all. */
void query_record_turned_away(struct query_ring *ring, const struct query *query,
			      const struct message_end *end, const uint8_t *reply, size_t length);

#endif
