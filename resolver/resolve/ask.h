/* A question of our own: a query without a client. It goes through resolve() as every query does
 * (own data, cache, targets, chains), from the worker's pool, and is answered by callback.
 *
 *     ask_start ─► resolve_own ─► ... ─► on_end      exactly once
 *
 * This is one worker's side, on its own thread; ask_call.h brings questions from other threads.
 */
#ifndef SLUICE_ASK_H
#define SLUICE_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver/resolve/resolve.h"

struct ask_question {
	const struct name *name; /* by the key that the workers' policies have */
	uint16_t type;           /* of data: no meta type (RFC 6895 section 3.1) */
	/* The virtual network whose view counts, as one of its inbound endpoints has it; NULL: as
	 * the default resolver sees the name, with our own names but without any network's zones
	 * and rules (NETWORK_DEFAULT). */
	const char *network;
	uint64_t patience_us; /* on_end comes by then; over RESOLVE_DEADLINE_US it has no effect */
};

#define ASK_END_MAP(X)                                                                             \
	X(ANSWERED, "answered")                                                                    \
	X(LATE, "no answer came in time")                                                          \
	X(ABANDONED, "the server stops")                                                           \
	X(OVERLOAD, "too many questions are under way")                                            \
	X(NO_NETWORK, "there is no such virtual network")                                          \
	X(NO_MEMORY, "out of memory")
enum ask_end {
#define X(name, text) ASK_END_##name,
	ASK_END_MAP(X)
#undef X
};

struct ask_answer {
	enum ask_end end;
	/* The rest when ANSWERED: what a client would have been sent. */
	enum rcode rcode;
	enum ede ede; /* EDE_NONE: none */
	char ede_text[MESSAGE_EDE_TEXT_MAX + 1];
	const uint8_t *wire; /* a message; lives until on_end returns */
	size_t length;
};
/* Why it says nothing of what was asked: there was none, or an error that is not NXDOMAIN. Returns
 * text; NULL: it does. */
enum { ASK_TROUBLE_MAX = 240 };
const char *ask_answer_trouble(const struct ask_answer *answer, char text[ASK_TROUBLE_MAX]);

struct ask_records { /* of the answer section, one after the other */
	struct message_walk walk;
	unsigned left;
};
struct ask_records ask_answer_records(const struct ask_answer *answer);
bool ask_records_next(struct ask_records *records, struct record_view *record);
/* The address that an A or AAAA record gives; false for any other. */
bool ask_record_address(const struct ask_answer *answer, const struct record_view *record,
			struct address *address);

struct ask { /* embedded in whatever asks, and left alone from ask_start to on_end */
	/* The ask may be started anew in here (but not when ABANDONED), or freed. */
	void (*on_end)(struct ask *ask, const struct ask_answer *answer);
	struct query_pool *pool;
	struct resolver *resolver;
	struct query *query; /* NULL: not under way */
	struct timer deadline;
	bool late;
};

/* Asks; on_end may come before this returns, and brings every end there is. */
void ask_start(struct ask *ask, struct resolver *resolver, struct query_pool *pool,
	       const struct ask_question *question, struct policy_hold *hold, uint64_t now_us);

#endif
