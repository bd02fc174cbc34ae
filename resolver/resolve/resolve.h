/* The way of a query, from inbound to reply:
 *
 *     resolve_arrive ─► decide its name; prefetch the memory it needs
 *     resolve_start ─► compose ─┬─► reply
 *          ▲                    └─► ask an upstream ─► on_told ─► compose again
 *          └ inbound                                ├► stale time ─► compose with stale answers
 *                                                   └► deadline ─► SERVFAIL
 *
 * Each worker has a struct resolver. A query keeps its first policy until it is answered. */
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
	RESOLVE_STALE_US = 1800 * 1000, /* then a stale answer is given (RFC 8767 section 5) */
	RESOLVE_PASSES = 4,
	RESOLVE_WAITING_MAX = 32768, /* the default of waiting.max */
};

struct transfers;
struct updates;

struct resolution;

/* The counters in a cell of `rules`. REPEATS: queries that another rule of the ruleset has counted,
 * too. */
enum { RULE_QUERIES, RULE_FAILURES, RULE_REPEATS, RULE_COUNTERS };
enum { ZONE_QUERIES, ZONE_COUNTERS }; /* in a cell of `zones` */

struct resolver {
	struct wheel *wheel;
	struct lookups *lookups;
	struct cache *cache;
	struct stats *stats;
	struct endpoint_stats own; /* for our own questions; not shown */
	/* The queries of rules and zones, by their numbers. At first there is room only for number
	 * 0. */
	_Atomic uint64_t *rules, *zones, nowhere[RULE_COUNTERS];
	struct latency latency;
	struct hash_key key;
	struct fair_queue waiting; /* queries that wait for an upstream */
	bool turning_away;         /* a query is being turned away now */
	unsigned own_answers;      /* one in POPULAR_SHARE of them is counted by name */
	struct refreshes refreshes;
	struct transfers *transfers; /* NULL: refuses all */
	struct updates *updates;     /* NULL: answers NOTIMP */
	uint64_t (*time_of_day_s)(void);
	struct log_pace near_misses, tkeys;
	struct query_ring *ring; /* for the query log; resolver_init sets one that wants nothing */
	uint8_t buffer[MESSAGE_MAX]; /* replies are written here first */
};

/* Sets the callbacks of `lookups` for results and holders; the caller sets its transport. */
void resolver_init(struct resolver *resolver, struct wheel *wheel, struct lookups *lookups,
		   struct cache *cache, struct stats *stats, const struct hash_key *key);

/* Take over the query, in RESOLVE_PASSES passes, and count it at `endpoint`. Other queries have
 * their passes in between, so that the memory prefetched in one pass is there in the next. So an
 * answer from a zone of a million records costs 8 % more than one from a zone of a hundred, and not
 * 40; a question to one of 100,000 rules costs 6 % more than to a single rule, and not 11
 * (bench/README.md). */
void resolve_arrive(struct resolver *resolver, struct query *query, struct policy_hold *hold,
		    struct place place, struct endpoint_stats *endpoint); /* is pass 0 */
void resolve_expect(struct query *query, unsigned pass);                  /* pass 1 and later */
/* Answers the query now, or later from a callback of the lookups or the wheel. */
void resolve_start(struct query *query, uint64_t now_us);

struct resolution_question {         /* a question to targets */
	uint64_t leg, name;          /* the leg's id, the name's hash */
	uint64_t began_us, ended_us; /* ended_us 0: the query did not wait for its end */
	struct lookup_watch watch;
};

/* Shows how our own question is resolved. Called on the worker's thread, while the policy is held.
 * All zero except `pass` and `on_pass`. */
struct resolution_watch {
	struct composition_watch pass; /* for every pass; the last one makes the answer */
	void (*on_pass)(void *context, const struct composition *composition, struct place place);
	uint64_t arrived_us;
	unsigned question_count; /* the first questions are noted */
	struct resolution_question questions[COMPOSE_TOLD_MAX];
};

/* Asks our own question, of class IN and without a meta type; it is not counted as a query. `watch`
 * must live until the query's finish; may be NULL. */
void resolve_own(struct resolver *resolver, struct query *query, struct policy_hold *hold,
		 struct place place, struct resolution_watch *watch, uint64_t now_us);

/* Ends a waiting query without a reply: its finish is called. */
void resolve_cancel(struct query *query);
/* The worker ends: ends every waiting query without a reply. */
void resolver_abandon(struct resolver *resolver);

#endif
