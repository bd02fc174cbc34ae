/* The story of a query, from inbound to reply:
 *
 *     resolve_arrive ─► who decides its name; fetch the memory it needs
 *     resolve_start ─► compose ─┬─► reply
 *          ▲                    └─► ask an upstream ─► on_told ─► compose again
 *          └ inbound                                ├► stale time ─► compose with what is old
 *                                                   └► deadline ─► SERVFAIL
 *
 * One struct resolver per worker. A query keeps the policy it began with until it is answered. */
#ifndef SLUICE_RESOLVE_H
#define SLUICE_RESOLVE_H

#include <stdint.h>

#include "endpoints/fair_queue.h"
#include "endpoints/query.h"
#include "endpoints/upstream/lookup.h"
#include "endpoints/wheel.h"
#include "resolver/hold.h"
#include "resolver/latency.h"
#include "resolver/log.h"
#include "resolver/query_ring.h"
#include "resolver/resolve/cache.h"
#include "resolver/resolve/compose.h"
#include "resolver/resolve/refresh.h"
#include "resolver/series.h"
#include "resolver/stats.h"
#include "rules/policy/policy.h"

enum {
	RESOLVE_DEADLINE_US = 4 * 1000 * 1000,
	RESOLVE_STALE_US = 1800 * 1000, /* after it an old answer is given (RFC 8767 section 5) */
	RESOLVE_PASSES = 4,
	RESOLVE_WAITING_MAX = 32768, /* the default of waiting.max */
};

struct transfers;
struct updates;

struct resolution;

/* Of a cell of `rules`. REPEATS: those of QUERIES that another rule of the ruleset has counted. */
enum { RULE_QUERIES, RULE_FAILURES, RULE_REPEATS, RULE_COUNTERS };
enum { ZONE_QUERIES, ZONE_COUNTERS }; /* of `zones` */

struct resolver {
	struct wheel *wheel;
	struct lookups *lookups;
	struct cache *cache;
	struct stats *stats;
	struct endpoint_stats own; /* of questions of our own, which nobody is shown */
	/* What rules and zones are asked, by their numbers. At first there is room for those of
	 * number 0. */
	_Atomic uint64_t *rules, *zones, nowhere[RULE_COUNTERS];
	struct latency latency;
	struct hash_key key;
	struct fair_queue waiting; /* queries that wait for an upstream */
	bool turning_away;         /* one of them, now */
	unsigned own_answers;      /* of which one in POPULAR_SHARE is counted by name */
	struct refreshes refreshes;
	struct transfers *transfers; /* NULL: all are refused */
	struct updates *updates;     /* NULL: none is implemented */
	uint64_t (*time_of_day_s)(void);
	struct log_pace near_misses, tkeys;
	struct query_ring *ring;     /* of answers, for the query log; from resolver_init on one
				      * that wants none */
	uint8_t buffer[MESSAGE_MAX]; /* replies are written here first */
};

/* Sets the table of lookups's callbacks for results and holders; its transport is the caller's. */
void resolver_init(struct resolver *resolver, struct wheel *wheel, struct lookups *lookups,
		   struct cache *cache, struct stats *stats, const struct hash_key *key);

/* Takes the query over, in RESOLVE_PASSES passes, and counts it at `endpoint`. Between two of them
 * other queries have theirs, which gives the memory that each one prefetches time to arrive. An
 * answer from a zone of a million records costs 1.08 times one from a hundred, and 1.40 times
 * without the passes; a question to one of 100,000 rules 1.06 times one to a single rule, and 1.11
 * without (bench/README.md). */
void resolve_arrive(struct resolver *resolver, struct query *query, struct policy_hold *hold,
		    struct place place, struct endpoint_stats *endpoint); /* pass 0 */
void resolve_expect(struct query *query, unsigned pass);                  /* from 1 */
/* Answers it, now or later, from the table of lookups or the wheel. */
void resolve_start(struct query *query, uint64_t now_us);

struct resolution_question {         /* that targets were asked meanwhile */
	uint64_t leg, name;          /* of the leg its id, of the name its hash */
	uint64_t began_us, ended_us; /* ended_us 0: it was not waited for */
	struct lookup_watch watch;
};

/* For whoever wants to see a question of our own being resolved, on its worker's thread and while
 * its policy is held. All zero but for `pass` and `on_pass`. */
struct resolution_watch {
	struct composition_watch pass; /* of each pass; the last one is the answer's */
	void (*on_pass)(void *context, const struct composition *composition, struct place place);
	uint64_t arrived_us;
	unsigned question_count; /* of more, the first */
	struct resolution_question questions[COMPOSE_TOLD_MAX];
};

/* The same for a question of our own: of class IN, no meta type, and not counted as a query.
 * `watch` lives until its finish; NULL: nobody watches. */
void resolve_own(struct resolver *resolver, struct query *query, struct policy_hold *hold,
		 struct place place, struct resolution_watch *watch, uint64_t now_us);

/* Ends a waiting query without a reply: its finish is called. */
void resolve_cancel(struct query *query);
/* The worker ends: ends every waiting query without a reply. */
void resolver_abandon(struct resolver *resolver);

#endif
