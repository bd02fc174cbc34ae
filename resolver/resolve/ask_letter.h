/* Questions of our own that another thread has: the control thread writes a letter, a worker asks,
 * and the letter goes back with the answer in it.
 *
 *     control thread                                  worker
 *     ask_desk_write ─► letter ─► ask_room_post ─wake─► ask_room_work ─► ask_start
 *                                                                           │
 *     on_answer ◄─ ask_desk_collect ◄─wake── the desk's box ◄── letter ◄── on_end
 *
 * A letter belongs to the worker from the post until it is in the desk's box, and is freed at the
 * desk. Boxes are pushed to by anybody and emptied by one; nobody waits for a lock. */
#ifndef SLUICE_ASK_LETTER_H
#define SLUICE_ASK_LETTER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "resolver/resolve/ask.h"

struct ask_letter;

struct ask_box {
	_Atomic(struct ask_letter *) newest;
};

/* ---- the control thread's side ---- */

enum { ASK_LETTERS_MAX = 1024 }; /* not answered yet */

struct ask_desk {
	struct ask_box answers;
	struct ask_letter *ready, **last; /* taken out of the box, not told yet */
	unsigned open;
};

void ask_desk_init(struct ask_desk *desk);
/* A copy of the question. ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK int ask_desk_write(struct ask_desk *desk, const struct ask_question *question,
			      void (*on_answer)(void *context, const struct ask_answer *answer),
			      void *context, struct ask_letter **letter);
/* From here on on_answer is not called; its worker, when woken, asks no more. */
void ask_letter_cancel(struct ask_letter *letter);
/* Calls on_answer of every letter that has come back, and frees it. on_answer may write and cancel
 * letters. */
void ask_desk_collect(struct ask_desk *desk);

/* ---- a worker's side ---- */

struct ask_room {
	struct ask_box letters;
	struct ask_letter *open; /* being asked */
	struct resolver *resolver;
	struct query_pool *pool;
	struct ask_desk *desk;
	void (*wake)(void *context); /* the desk's thread */
	void *context;
};

void ask_room_init(struct ask_room *room, struct ask_desk *desk, struct resolver *resolver,
		   struct query_pool *pool, void (*wake)(void *context), void *context);
/* Any thread; the caller then wakes the worker. */
void ask_room_post(struct ask_room *room, struct ask_letter *letter);
/* Asks what has been posted, ends what has been cancelled. */
void ask_room_work(struct ask_room *room, struct policy_hold *hold, uint64_t now_us);
/* The worker ends: sends back what was posted and not asked yet. What was asked has come back by
 * resolver_abandon. */
void ask_room_close(struct ask_room *room);

#endif
