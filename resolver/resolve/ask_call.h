/* Questions of our own that another thread has: the control thread writes a call, a worker asks,
 * and the call goes back with the answer in it.
 *
 *     control thread                                  worker
 *     ask_caller_begin ─► call ─► ask_answerer_post ─wake─► ask_answerer_work ─► ask_start
 *                                                                           │
 *     on_answer ◄─ ask_caller_collect ◄─wake── the caller's stack ◄── call ◄── on_end
 *
 * A call belongs to the worker from the post until it is in the caller's stack, and is freed at the
 * caller. Stacks are pushed to by anybody and emptied by one; nobody waits for a lock. */
#ifndef SLUICE_ASK_CALL_H
#define SLUICE_ASK_CALL_H

#include <stdatomic.h>
#include <stdbool.h>

#include "resolver/resolve/ask.h"

struct ask_call;

struct ask_stack {
	_Atomic(struct ask_call *) newest;
};

/* ---- the control thread's side ---- */

enum { ASK_CALLS_MAX = 1024 }; /* not answered yet */

struct ask_caller {
	struct ask_stack answers;
	struct ask_call *ready, **last; /* taken out of the stack, not told yet */
	unsigned open;
};

void ask_caller_init(struct ask_caller *caller);
/* A copy of the question. ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK int ask_caller_begin(struct ask_caller *caller, const struct ask_question *question,
				void (*on_answer)(void *context, const struct ask_answer *answer),
				void *context, struct ask_call **call);
/* Calls on_answer of every call that has come back, and frees it. on_answer may ask
 * again. */
void ask_caller_collect(struct ask_caller *caller);

/* ---- a worker's side ---- */

struct ask_answerer {
	struct ask_stack calls;
	struct resolver *resolver;
	struct query_pool *pool;
	struct ask_caller *caller;
	void (*wake)(void *context); /* the caller's thread */
	void *context;
};

void ask_answerer_init(struct ask_answerer *answerer, struct ask_caller *caller,
		       struct resolver *resolver, struct query_pool *pool,
		       void (*wake)(void *context), void *context);
/* Any thread; the caller then wakes the worker. */
void ask_answerer_post(struct ask_answerer *answerer, struct ask_call *call);
/* Asks what has been posted. */
void ask_answerer_work(struct ask_answerer *answerer, struct policy_hold *hold, uint64_t now_us);
/* The worker ends: sends back what was posted and not asked yet. What was asked has come back by
 * resolver_abandon. */
void ask_answerer_close(struct ask_answerer *answerer);

#endif
