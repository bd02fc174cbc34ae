/* Composes the answer to a question from what is at hand: our own data, what this query has been
 * told by upstreams, and the cache. It is one synchronous pass from the qname to the end of its
 * chain, and it allocates nothing. Where it needs an answer that is not at hand it stops and says
 * which question to ask of which leg; when that has come, the pass is made again from the start.
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
#include "resolver/resolve/cache.h"
#include "rules/policy/policy.h"

enum {
	COMPOSE_HOPS_MAX = 16,    /* names that a chain may lead on to */
	COMPOSE_DEPTH_MAX = 8,    /* own endpoints entered one inside the other */
	COMPOSE_ENTRIES_MAX = 64, /* in all, for one question */
	COMPOSE_TOLD_MAX = 24,    /* answers that one query may collect */
	COMPOSE_STALE_TTL = 30,   /* seconds (RFC 8767 section 4) */
	COMPOSE_REFRESH_MAX = 2,  /* what more there is to refresh is left to the next query */
};

enum composed {
	COMPOSED,    /* the message holds the answer, `rcode` and the rest say how it ends */
	COMPOSE_ASK, /* ask.leg is to be asked for ask.name */
};

struct composition_ask {
	const struct leg *leg;
	struct name name;
	bool may_wait; /* there is nothing better: no other leg follows, nothing is old */
	bool stale;    /* there is an old answer to give, when the wait has been long enough */
};

struct composition_entry { /* an own endpoint that has been entered */
	uint32_t network;
	uint64_t name_hash;
	const char *endpoint;
};

/* Told of each step of a pass as it is taken; NULL but for `explain`, whose passes are `expired`,
 * so that every leg is tried. */
struct composition_watch {
	void *context;
	struct trace trace; /* of the latest decision */
	/* Who decides the name... */
	void (*on_decided)(void *context, struct place place, const struct name *name,
			   const struct verdict *verdict);
	/* ...by asking this leg, which does not answer; by entering this one, and all that is
	 * between; or not, for this loop (leg NULL: of the chain's names)... */
	void (*on_ask)(void *context, const struct leg *leg);
	void (*on_enter)(void *context, const struct leg *leg);
	void (*on_leave)(void *context);
	void (*on_loop)(void *context, const struct leg *leg, const char *text);
	/* ...and that was it. The name is now what it leads to; leads: and that is resolved next.
	 */
	void (*on_done)(void *context, const struct name *name, bool leads);
};

struct composition {
	/* given */
	const struct policy *policy;
	struct cache *cache; /* NULL: nothing is known */
	uint32_t stale_max_s;
	uint64_t now_us;
	size_t limit; /* bytes that the answer may have; over it, it is cut short and marked */
	const struct request *request;
	const struct name *qname;
	const struct address *client;    /* who is to read ede_text; NULL: ourselves */
	const struct verdict *first;     /* who decides the qname, NULL: not looked up yet */
	struct cache_entry *const *told; /* what was asked for this query, failures included */
	unsigned told_count;
	bool expired;      /* nobody is asked any more: what is not at hand has failed */
	bool impatient;    /* nobody is asked where there is an old answer */
	bool may_prefetch; /* popular answers may be asked for anew before they expire */
	struct composition_watch *watch; /* may be NULL */

	/* the answer */
	struct message message;
	enum rcode rcode;
	bool authoritative;
	bool truncated; /* SERVFAIL, for want of anything but a target's TC */
	enum ede ede;
	char ede_text[MESSAGE_EDE_TEXT_MAX]; /* "": the client is not told */
	bool used_own, used_cache, used_told, used_stale;

	struct composition_ask ask; /* COMPOSE_ASK */
	/* To be asked without waiting for it. It was passed over in the dark, and is asked for a
	 * sign of life; or out of impatience; or (prefetch) its answer is popular and near its end,
	 * and the next one is to be there in time. */
	struct composition_ask refresh[COMPOSE_REFRESH_MAX];
	unsigned refresh_count;
	bool prefetch;

	/* the pass */
	uint16_t asker; /* the network's id where it was asked; 0: in none */
	unsigned hops, depth, entries;
	unsigned fallbacks; /* entered legs that others follow in their routes */
	unsigned stale;     /* names of the pass that somebody has an old answer for */
	bool begun;         /* the first owner has been answered, and AA is settled */
	struct composition_entry entered[COMPOSE_DEPTH_MAX + 1];
};

/* Writes into `buffer` (MESSAGE_MAX bytes); `question` is the client's, as it came. */
enum composed compose(struct composition *composition, struct place place, uint8_t *buffer,
		      const uint8_t *question);

#endif
