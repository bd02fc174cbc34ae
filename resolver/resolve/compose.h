/* Composes the answer to a question from what is at hand: our own data, what upstreams have told
 * this query, and the cache. It is one synchronous pass from the qname to the end of its chain,
 * without allocation. If an answer is missing it stops and says which question to ask of which leg;
 * when the answer has come, the pass is made again from the start.
 *
 *     decide ──ANSWER──► our own data ──────────────┬─► done
 *       ▲                                           ├─► CNAME, DNAME: the next name ─┐
 *       │──FORWARD─► for each leg: told? cached? ───┤                                │
 *       │              │  └─ enter: the same, inside another network                 │
 *       │              └─ not at hand: COMPOSE_ASK                                   │
 *       └────────────────────────────────────────────────────────────────────────────┘ */
#ifndef SLUICE_COMPOSE_H
#define SLUICE_COMPOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "endpoints/message.h"
#include "endpoints/query.h"
#include "resolver/resolve/cache.h"
#include "rules/policy/policy.h"

enum {
	COMPOSE_HOPS_MAX = 16,    /* names of a chain behind the qname */
	COMPOSE_DEPTH_MAX = 8,    /* nested entries into own endpoints */
	COMPOSE_ENTRIES_MAX = 64, /* in all, for one question */
	COMPOSE_TOLD_MAX = 24,    /* answers that one query may collect */
	COMPOSE_STALE_TTL = 30,   /* seconds (RFC 8767 section 4) */
	COMPOSE_REFRESH_MAX = 2,  /* the rest is left to the next query */
	COMPOSE_DECIDERS = 24,    /* that are noted: of more, the first */
	COMPOSE_OUTCOMES = 8,     /* likewise */
};

enum composed {
	COMPOSED,    /* the message holds the answer, `rcode` and the rest say how it ends */
	COMPOSE_ASK, /* ask.leg is to be asked for ask.name */
};

struct composition_ask {
	const struct leg *leg;
	struct name name;
	bool may_wait; /* nothing is better: no other leg follows, no answer is stale */
	bool stale;    /* an old answer can be given, after RESOLVE_STALE_US */
};

struct composition_decider { /* as in a verdict */
	const struct rule *rule;
	uint32_t zone;
	enum decided_by by;
	bool failed; /* its name is the one that could not be resolved */
};

/* What came of a way to forward a name, where that changes what is known of the way: a failure, or
 * an answer after failures. */
struct composition_outcome {
	const struct route *route; /* that has outcomes */
	uint64_t name;
	uint64_t at_us; /* when it was answered or failed: earlier, where the cache has it */
	enum target_error error;   /* NONE: answered */
	const struct upstream *by; /* who failed; NULL: not known */
	bool lost;                 /* and no other leg could help */
};

struct composition_entry { /* an own endpoint that was entered */
	uint32_t network;
	uint64_t name_hash;
	const char *endpoint;
};

enum composition_from {
	COMPOSED_FROM_NOBODY,
	COMPOSED_FROM_TARGET,
	COMPOSED_FROM_CACHE,
	COMPOSED_FROM_STALE
};

/* Called at each step of a pass, for `explain` only: of one that is `expired`, so that every leg is
 * tried, or of those of a question of our own (struct resolution_watch). */
struct composition_watch {
	void *context;
	struct trace trace; /* of the latest decision */
	/* This verdict decides the name... */
	void (*on_decided)(void *context, struct place place, const struct name *name,
			   const struct verdict *verdict);
	/* ...a leg has answered, this query or (CACHE, STALE) one before, by its entry; or it has
	 * not: the entry is `failed`, or (NOBODY, NULL) nobody is asked any more; or one is
	 * entered, and left again; or it would close a loop (leg NULL: the chain's names do)... */
	void (*on_leg)(void *context, const struct leg *leg, enum composition_from from,
		       const struct cache_entry *entry);
	void (*on_enter)(void *context, const struct leg *leg);
	void (*on_leave)(void *context);
	void (*on_loop)(void *context, const struct leg *leg, const char *text);
	/* ...and the name is done. `leads`: the name is now the next of the chain. A pass that
	 * comes to COMPOSE_ASK does and leaves nothing more. */
	void (*on_done)(void *context, const struct name *name, bool leads);
};

struct composition {
	/* given */
	const struct policy *policy;
	struct cache *cache; /* NULL: nothing is known */
	uint32_t stale_max_s;
	uint64_t now_us;
	size_t limit; /* of the answer in bytes; beyond it, it is truncated */
	const struct request *request;
	const struct name *qname;
	const struct address *client; /* reads ede_text; NULL: ourselves */
	const struct query *query;    /* it, with the address that it asked; NULL: there is none */
	const struct verdict *first;  /* on the qname; NULL: not decided yet */
	struct cache_entry *const *told; /* what upstreams told this query, failures included */
	unsigned told_count;
	bool expired;                    /* nobody is asked any more: what is missing has failed */
	bool impatient;                  /* an old answer is taken, nobody is asked */
	bool may_prefetch;               /* popular answers may be refreshed before they expire */
	struct composition_watch *watch; /* may be NULL */

	/* the answer */
	struct message message;
	enum rcode rcode;
	bool authoritative;
	bool truncated; /* SERVFAIL, and all there is is a target's TC */
	enum ede ede;
	char ede_text[MESSAGE_EDE_TEXT_MAX]; /* "": not for this client */
	struct {
		bool own;   /* data of our own */
		bool cache; /* what the cache had */
		bool told;  /* what a target told this query */
		bool stale; /* an old answer */
	} used;
	struct {                           /* whose answer was used last, or failed */
		const struct route *route; /* NULL: nobody's */
		uint64_t leg;              /* of it, by its id */
		uint8_t upstream;          /* its place there; UINT8_MAX: nobody was asked */
	} source;
	bool failed;            /* the qname itself is the name that could not be resolved */
	unsigned decider_count; /* of names behind the qname, or in other networks */
	struct composition_decider deciders[COMPOSE_DECIDERS];
	unsigned outcome_count;
	struct composition_outcome outcomes[COMPOSE_OUTCOMES];

	struct composition_ask ask; /* COMPOSE_ASK */
	/* To be asked without waiting: a dark leg, for a sign of life; one that the query has
	 * waited for long enough; or (prefetch) one whose answer is popular and about to expire. */
	struct composition_ask refresh[COMPOSE_REFRESH_MAX];
	unsigned refresh_count;
	bool prefetch;

	/* the pass */
	uint16_t asker; /* id of the network where it was asked; 0: none */
	unsigned hops, depth, entries;
	enum target_error lost_by; /* of the last way that failed; NONE: none did */
	uint64_t known_us;  /* of what was used in the endpoint that was entered: since when */
	unsigned fallbacks; /* legs under way that another leg follows in its route */
	unsigned stale;     /* names of the pass with an old answer at hand */
	bool begun;         /* the first owner is answered, and AA decided */
	struct composition_entry entered[COMPOSE_DEPTH_MAX + 1];
};

/* The target behind `source`; NULL: there is none. */
const struct upstream *composition_upstream(const struct composition *composition);
/* Writes into `buffer` (MESSAGE_MAX bytes); `question` is the client's, as it came. */
enum composed compose(struct composition *composition, struct place place, uint8_t *buffer,
		      const uint8_t *question);

#endif
