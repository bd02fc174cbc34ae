/* Rounds: background checks of all our reverse names, at a limited pace:
 *
 *     ROUND_PTRS         each PTR: does its name lead back to the address? (reverse_check.h) Asked
 *                        like a client of the address's network, or else of reverse.resolve_in
 *                        (none: of the default resolver)
 *     ROUND_DELEGATIONS  each reverse zone of a pool: do the zones above delegate it to our name
 *                        servers? Only the default resolver's upstreams are asked, which see the
 *                        public DNS; for a classless zone (RFC 2317) also whether an address's
 *                        ordinary name leads into it
 *
 * A round begins when its result is wanted and the last one is out of date. A result is valid for
 * ROUND_GOOD_FOR times as long as its round took, so however often it is wanted, questions are
 * under way only a small part of the time. Each round has at most ROUND_AT_ONCE checks under way,
 * and begins at most ROUND_A_SECOND checks in a second: a million PTRs take about three hours. If a
 * round has findings that the round before did not have, the log names the first of them, and says
 * how many findings there are in all. Results are kept in memory.
 *
 * For the control thread alone. */
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
	ROUND_UNKNOWN_MAX = 20, /* subjects whose check failed */
};

struct rounds;

/* NULL without memory. */
struct rounds *rounds_new(uv_loop_t *loop, struct server *server);
/* Called after the loop has closed the handles, and after the server's release. NULL is fine. */
void rounds_free(struct rounds *rounds);

/* Stops asking, because the process is about to end. */
void rounds_rest(struct rounds *rounds);

/* Begins a round, unless one is under way or its last result is valid. */
void rounds_want(struct rounds *rounds, enum round_kind kind);
/* Reports the round under way, or else the last one:
 * {"state": "running", "done" or "never", "began", "ended", "good_until": times or null,
 *  "looked_at", "of": how many there are, null if unknown, "count", "findings":
 *  [FINDING...] of the first `limit`, "unknown_count", "unknown": [FINDING...]}
 * FINDING  {"subject", "result", "text"} and more */
json_t *rounds_report(const struct rounds *rounds, enum round_kind kind, size_t limit);

#endif
