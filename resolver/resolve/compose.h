/* Composes the answer to a question from our own data, answers that upstreams gave this query, and
 * the cache. One synchronous pass goes from the qname to the end of its chain, without allocation.
 * If an answer is missing, the pass stops and says which question to ask which leg; when the answer
 * has come, a new pass begins at the start.
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
	COMPOSE_HOPS_MAX = 16,    /* names of a chain after the qname */
	COMPOSE_DEPTH_MAX = 8,    /* entries into own endpoints inside the first one */
	COMPOSE_ENTRIES_MAX = 64, /* entries for one question, in all */
	COMPOSE_TOLD_MAX = 24,    /* answers that one query may collect */
	COMPOSE_STALE_TTL = 30,   /* seconds (RFC 8767 section 4) */
	COMPOSE_REFRESH_MAX = 2,  /* for one query; others are left to the next one */
	COMPOSE_DECIDERS = 24,    /* the first ones are noted */
	COMPOSE_OUTCOMES = 8,     /* the first ones are noted */
};

enum composed {
	COMPOSED,    /* `message` has the answer; `rcode` and others complete it */
	COMPOSE_ASK, /* the caller must ask ask.leg for ask.name */
};

struct composition_ask {
	const struct leg *leg;
	struct name name;
	/* The question may wait for a sign of life, because there is no alternative: no other leg,
	 * no stale answer. Also true for the refresh of a dark leg. */
	bool may_wait;
	bool stale;    /* a stale answer can be given after RESOLVE_STALE_US */
	bool prefetch; /* a refresh for a popular answer that is about to expire */
};

struct composition_decider { /* as in a verdict */
	const struct rule *rule;
	uint32_t zone;
	enum decided_by by;
	bool failed; /* its name could not be resolved */
};

/* A failure of a way to forward, or its first answer after failures. */
struct composition_outcome {
	const struct route *route; /* a route with outcomes */
	uint64_t name;
	uint64_t at_us;          /* of the answer or failure; in the past if it is from the cache */
	enum target_error error; /* NONE: answered */
	const struct upstream *by; /* that failed; NULL: unknown */
	bool lost;                 /* it failed and no other leg could help */
};

struct composition_entry { /* one of our endpoints that was entered */
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

/* Called at each step of a pass, only for `explain`. It watches either one `expired` pass, which
 * tries every leg, or all passes for a question of our own (struct resolution_watch). */
struct composition_watch {
	void *context;
	struct trace trace; /* the latest decision's */
	/* This verdict decides the name. */
	void (*on_decided)(void *context, struct place place, const struct name *name,
			   const struct verdict *verdict);
	/* on_leg: a leg has answered, now or (CACHE, STALE) earlier; or it has failed: the entry is
	 * `failed`, or the leg is not asked any more (NOBODY, NULL). on_enter, on_leave: one of our
	 * endpoints is entered and left. on_loop: a leg would close a loop (NULL: the chain's names
	 * do). */
	void (*on_leg)(void *context, const struct leg *leg, enum composition_from from,
		       const struct cache_entry *entry);
	void (*on_enter)(void *context, const struct leg *leg);
	void (*on_leave)(void *context);
	void (*on_loop)(void *context, const struct leg *leg, const char *text);
	/* The name is done; `leads`: it leads to the next name of the chain. A pass that ends with
	 * COMPOSE_ASK calls neither this nor on_leave. */
	void (*on_done)(void *context, const struct name *name, bool leads);
};

struct composition {
	/* given */
	const struct policy *policy;
	struct cache *cache; /* may be NULL */
	uint32_t stale_max_s;
	uint64_t now_us;
	size_t limit; /* bytes; a longer answer is truncated */
	const struct request *request;
	const struct name *qname;
	const struct address *client;    /* that would read ede_text; NULL: ourselves */
	const struct query *query;       /* the client's, for the address asked; may be NULL */
	const struct verdict *first;     /* the qname's; NULL: not decided yet */
	struct cache_entry *const *told; /* answers of upstreams to this query, and failures */
	unsigned told_count;
	bool expired;      /* no target is asked any more: missing answers count as failed */
	bool impatient;    /* does not wait for a target if there is a stale answer */
	bool may_prefetch; /* may refresh popular answers before they expire */
	struct composition_watch *watch; /* may be NULL */

	/* the answer */
	struct message message;
	enum rcode rcode;
	bool authoritative;
	bool truncated; /* SERVFAIL, because only a target's TC came */
	enum ede ede;
	char ede_text[MESSAGE_EDE_TEXT_MAX]; /* "": not for this client */
	struct {
		bool own;   /* our own data */
		bool cache; /* a cached answer */
		bool told;  /* a target's answer to this query */
		bool stale; /* a stale answer */
	} used;
	struct {                           /* of the last used answer or failure */
		const struct route *route; /* NULL: none */
		uint64_t leg;              /* the route's leg, by its id */
		uint8_t upstream;          /* index in the leg; UINT8_MAX: none was asked */
	} source;
	bool failed;            /* the qname itself could not be resolved */
	unsigned decider_count; /* for names after the qname, or in other networks */
	struct composition_decider deciders[COMPOSE_DECIDERS];
	unsigned outcome_count;
	struct composition_outcome outcomes[COMPOSE_OUTCOMES];

	struct composition_ask ask; /* COMPOSE_ASK */
	/* Questions to ask without waiting: to a dark leg, for a sign of life; to a leg that the
	 * query has waited for long enough; or to prefetch an answer. */
	struct composition_ask refresh[COMPOSE_REFRESH_MAX];
	unsigned refresh_count;

	/* the pass */
	uint16_t asker; /* id of the network that asked; 0: none */
	unsigned hops, depth, entries;
	enum target_error lost_by; /* how the last way failed; NONE: none did */
	uint64_t known_us;         /* the oldest time of answers used inside an entered endpoint */
	unsigned fallbacks;        /* legs under way that have a next leg in their route */
	unsigned stale;            /* names of the pass with a stale answer */
	bool begun;                /* the first owner is answered, so AA is decided */
	struct composition_entry entered[COMPOSE_DEPTH_MAX + 1];
};

/* The target that `source` names; NULL: there is none. */
const struct upstream *composition_upstream(const struct composition *composition);
/* Makes a pass, and writes the answer into `buffer` (MESSAGE_MAX bytes). `question`: the client's,
 * as received. */
enum composed compose(struct composition *composition, struct place place, uint8_t *buffer,
		      const uint8_t *question);

#endif
