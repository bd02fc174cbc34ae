/* Questions of our own. Another thread, the control thread, writes a call; a worker asks it as a
 * query without a client, which goes through resolve() as every query does (own data, cache,
 * targets, chains); the call goes back with the answer in it.
 *
 *     control thread                                  worker
 *     ask_caller_begin ─► call ─► ask_answerer_post ─wake─► ask_answerer_work ─► resolve_own
 *                                                                                 │
 *     on_answer ◄─ ask_caller_collect ◄─wake── the caller's stack ◄── call ◄── on_finish
 *
 * A call is the worker's from the post until it is in the caller's stack, and is freed by the
 * caller. */
#ifndef SLUICE_ASK_H
#define SLUICE_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver/resolve/resolve.h"
#include "resolver/stack.h"

struct ask_question {
	const struct name *name; /* by the key that the workers' policies have */
	uint16_t type;           /* of data: no meta type (RFC 6895 section 3.1) */
	/* The virtual network whose view counts, as one of its inbound endpoints has it; NULL: as
	 * the default resolver sees the name, with our own names but without any network's zones
	 * and rules (NETWORK_DEFAULT). */
	const char *network;
	bool vnet_resolver;  /* as a machine in it asks the VNet resolver */
	struct address from; /* likewise, but one with this address, in whatever network; family
			      * 0: it is asked as said above */
	bool outside; /* without a network: what the default resolver says, also of names that are
		       * ours (NETWORK_OUTSIDE) */
	uint64_t patience_us; /* it ends by then; over RESOLVE_DEADLINE_US it has no effect */
	struct resolution_watch *watch; /* lives until on_answer; NULL: nobody watches */
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
	const uint8_t *wire; /* a message; lives until on_answer returns */
	size_t length;
};
/* Why it says nothing of what was asked: no answer, or an error other than NXDOMAIN. NULL: it does.
 * `text` is room for it. */
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

struct ask_call;

/* ---- the control thread's side ---- */

enum { ASK_CALLS_MAX = 1024 }; /* not answered yet */

struct ask_caller { /* all zero: none open */
	struct stack answers;
	unsigned open; /* calls */
};

/* A copy of the question. ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK int ask_caller_begin(struct ask_caller *caller, const struct ask_question *question,
				void (*on_answer)(void *context, const struct ask_answer *answer),
				void *context, struct ask_call **call);
/* Calls on_answer of every call that has come back, and frees it. on_answer may ask again. */
void ask_caller_collect(struct ask_caller *caller);

/* ---- a worker's side ---- */

struct ask_answerer {
	struct stack calls;
	struct resolver *resolver;
	struct query_pool *pool;
	struct ask_caller *caller;
	void (*wake)(void *context); /* the caller's thread */
	void *context;
};

/* Any thread; the caller then wakes the worker. */
void ask_answerer_post(struct ask_answerer *answerer, struct ask_call *call);
/* Asks what has been posted. */
void ask_answerer_work(struct ask_answerer *answerer, struct policy_hold *hold, uint64_t now_us);
/* The worker ends: sends back what was posted and not asked yet. What was asked has come back by
 * resolver_abandon. */
void ask_answerer_close(struct ask_answerer *answerer);

#endif
