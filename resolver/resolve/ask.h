/* Our own questions. The control thread writes a call; a worker asks it as a query without a
 * client, which takes the usual way (own data, cache, targets, chains); the call returns with the
 * answer.
 *
 *     control thread                                  worker
 *     ask_caller_begin ─► call ─► ask_answerer_post ─wake─► ask_answerer_work ─► resolve_own
 *                                                                                 │
 *     on_answer ◄─ ask_caller_collect ◄─wake── the caller's stack ◄── call ◄── on_finish
 *
 * A call belongs to the worker from the post until it is in the caller's stack. The caller frees
 * it. */
#ifndef SLUICE_ASK_H
#define SLUICE_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver/resolve/resolve.h"
#include "resolver/stack.h"

struct ask_question {
	const struct name *name; /* hashed with the key of the workers' policies */
	uint16_t type;           /* a data type, not a meta type (RFC 6895 section 3.1) */
	/* Asks like a client of this virtual network's inbound endpoint. NULL: asks like the
	 * default resolver, with our own names but without zones and rules of networks
	 * (NETWORK_DEFAULT). */
	const char *network;
	bool vnet_resolver;   /* asks like a machine of the network at the VNet resolver */
	struct address from;  /* asks the VNet resolver like a machine with this address, in any
				 network; family 0: not set */
	bool outside;         /* without a network: asks the default resolver even for our own names
				 (NETWORK_OUTSIDE) */
	uint64_t patience_us; /* the time limit; no effect above RESOLVE_DEADLINE_US */
	struct resolution_watch *watch; /* must live until on_answer; may be NULL */
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
	/* The rest only when ANSWERED: the reply that a client would get. */
	enum rcode rcode;
	enum ede ede; /* EDE_NONE: none */
	char ede_text[MESSAGE_EDE_TEXT_MAX + 1];
	const uint8_t *wire; /* a message; lives until on_answer returns */
	size_t length;
};
/* Why the question has no result: no answer, or an error other than NXDOMAIN. NULL: it has one.
 * `text` is room for the returned text. */
enum { ASK_TROUBLE_MAX = 240 };
const char *ask_answer_trouble(const struct ask_answer *answer, char text[ASK_TROUBLE_MAX]);

struct ask_records { /* a walk over the answer section */
	struct message_walk walk;
	unsigned left;
};
struct ask_records ask_answer_records(const struct ask_answer *answer);
bool ask_records_next(struct ask_records *records, struct record_view *record);
/* Reads the address of an A or AAAA record; false: another record. */
bool ask_record_address(const struct ask_answer *answer, const struct record_view *record,
			struct address *address);

struct ask_call;

/* ---- the control thread's side ---- */

enum { ASK_CALLS_MAX = 1024 }; /* open at a time */

struct ask_caller { /* all zero: no call is open */
	struct stack answers;
	unsigned open; /* calls */
};

/* Makes a call with a copy of the question. ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK int ask_caller_begin(struct ask_caller *caller, const struct ask_question *question,
				void (*on_answer)(void *context, const struct ask_answer *answer),
				void *context, struct ask_call **call);
/* Calls on_answer of every returned call, and frees the call. on_answer may ask again. */
void ask_caller_collect(struct ask_caller *caller);

/* ---- a worker's side ---- */

struct ask_answerer {
	struct stack calls;
	struct resolver *resolver;
	struct query_pool *pool;
	struct ask_caller *caller;
	void (*wake)(void *context); /* wakes the caller's thread */
	void *context;
};

/* Any thread. Wake the worker afterwards. */
void ask_answerer_post(struct ask_answerer *answerer, struct ask_call *call);
/* Asks the posted calls. */
void ask_answerer_work(struct ask_answerer *answerer, struct policy_hold *hold, uint64_t now_us);
/* The worker ends: returns posted calls that were not asked. resolver_abandon has returned the
 * others. */
void ask_answerer_close(struct ask_answerer *answerer);

#endif
