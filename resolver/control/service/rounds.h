/* Rounds: what is asked about all of our reverse names, one after the other and at a pace, in the
 * background:
 *
 *     ROUND_PTRS         each PTR: does its name lead back to the address? (reverse_check.h) Asked
 *                        as a client of the address's network would, else as the default resolver
 *                        sees it
 *     ROUND_DELEGATIONS  each reverse zone of a pool: do the zones above lead to our name servers?
 *                        The default resolver alone is asked, which has that from the world; of a
 *                        classless zone (RFC 2317) also whether an address's own name leads into it
 *
 * A round begins when somebody wants to know, and no result is good any more: one is good for
 * ROUND_GOOD_FOR times as long as it took, so that however often it is asked for, questions are
 * under way for a small part of the time. At most ROUND_AT_ONCE are under way, ROUND_A_SECOND
 * begin in a second: a million PTRs take about three hours. What a round finds that the one before
 * did not is an event. Results are kept in memory.
 *
 * All of it is the control thread's. */
#ifndef SLUICE_ROUNDS_H
#define SLUICE_ROUNDS_H

#include <jansson.h>
#include <uv.h>

#include "resolver/server/server.h"

enum round_kind { ROUND_PTRS, ROUND_DELEGATIONS, ROUND_KINDS };
enum {
	ROUND_AT_ONCE = 16,
	ROUND_A_SECOND = 100,
	ROUND_GOOD_FOR = 10,
	ROUND_GOOD_MIN_MS = 2000,
	ROUND_KEPT_MAX = 1000,  /* findings; the rest is counted */
	ROUND_UNKNOWN_MAX = 20, /* the same of what could not be found out */
};

struct rounds;

/* NULL without memory. */
struct rounds *rounds_new(uv_loop_t *loop, struct server *server);
/* When the loop has closed its handles, and after the server's release. NULL is fine. */
void rounds_free(struct rounds *rounds);

/* The process is about to end: nothing more is asked. */
void rounds_rest(struct rounds *rounds);

/* Begins one, unless one is under way or its result is good. */
void rounds_want(struct rounds *rounds, enum round_kind kind);
/* {"state": "running", "done" or "never", "began", "ended", "good_until": times or null,
 *  "looked_at", "of": how many there are, null before that is known, "count", "findings":
 *  [FINDING...] of the first `limit`, "unknown_count", "unknown": [FINDING...]}
 * of the round that is under way, or else of the last one.
 * FINDING  {"subject", "result", "text"} and more */
json_t *rounds_report(const struct rounds *rounds, enum round_kind kind, size_t limit);

#endif
