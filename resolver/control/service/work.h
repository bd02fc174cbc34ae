/* Requests that take longer than the control thread may be busy: done in a thread, or in portions,
 * one in each round of its loop, while other requests are answered.
 *
 *     work_block ─► held: what would change something waits, in front of its handler (api.c) or of
 *        │              the change itself (api/edit.h), and a reload until the end
 *        ├─ work_in_thread ───► in_thread ─► on_done             another, then the control thread
 *     work_end ───► what waited goes on, in its order
 *
 * There is one at a time: whatever begins one waits for the one before it. What needs nothing held,
 * because each portion looks into the inventory anew, behind a key, or never does, is done beside
 * it, any number at once (struct work_job): one portion of one of them in each round.
 *
 * A long answer (struct work_reading) holds up no change: a thread writes it from what is served
 * when its turn comes (inventory_view), while changes are made. There is one of these at a
 * time, so that changes find a thread of libuv's free. Clients take turns: next is the one that was
 * served longest ago. What needs the store without a reader asks for a gap between two long
 * answers. */
#ifndef SLUICE_WORK_H
#define SLUICE_WORK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <uv.h>

#include "resolver/control/resource/inventory.h"

struct work;

struct work_waiter { /* embedded in what waits */
	STAILQ_ENTRY(work_waiter) next;
	void (*go_on)(struct work_waiter *waiter);
};

struct work_job {   /* embedded in what it is about, which lives until on_done; its first member */
	bool large; /* set by the caller: it takes much memory, and waits for others that do */
	bool given_up; /* on_done is called although there are more portions: the program ends */
	/* inside */
	struct work *work;
	void *context;
	bool (*on_portion)(void *context);
	void (*in_thread)(void *context);
	void (*on_done)(void *context);
	STAILQ_ENTRY(work_job) next;
	uv_work_t thread;
};

enum {
	WORK_CLIENT_MAX = 256, /* of a client's id with its NUL (http.h) */
	WORK_SERVED_MAX = 64,  /* clients whose last turn is remembered */
};

struct work_reading { /* embedded in what it is about, which lives until on_done */
	const char *client;
	/* Its turn has come. False: it is over, and gone. NULL: there is nothing to do. */
	bool (*on_begin)(struct work_reading *reading);
	void (*in_thread)(struct work_reading *reading);
	/* given_up: nothing has been done but on_begin, or not even that. */
	void (*on_done)(struct work_reading *reading, bool given_up);
	/* inside */
	struct work_job job;
	struct work *work;
	TAILQ_ENTRY(work_reading) next;
};

struct work_served { /* a client that had a turn with a long answer */
	char client[WORK_CLIENT_MAX];
	uint64_t turn; /* the last; 0: this place is free */
};

struct work_turns {     /* jobs in portions: one portion of one of them in each round */
	uv_idle_t idle; /* runs while there are any */
	STAILQ_HEAD(, work_job) jobs;
	const struct work_job *large; /* of them, the one that has begun; NULL: none has */
};

struct work {
	struct inventory *inventory;
	void (*on_end)(void *context); /* a reload may have waited for it */
	void *context;
	unsigned busy; /* calls of work_block that have not had their end */
	bool ending;
	atomic_int
		percent; /* how much of it has been looked at, for the status; below 0: not known */
	/* inside */
	struct work_job held;
	void (*in_held)(void *context), (*on_held)(void *context); /* of work_in_thread */
	void *held_context;
	struct work_turns turns;
	unsigned beside; /* how many jobs there are beside it */
	STAILQ_HEAD(, work_waiter) waiting;
	struct work_reading *reading;        /* the one whose turn it is; NULL: nobody's */
	TAILQ_HEAD(, work_reading) readings; /* the others, in the order in which they came */
	uint64_t turn;                       /* counts those that began */
	struct work_served served[WORK_SERVED_MAX];
	struct work_waiter *gap; /* it wants the gap, or has it; NULL: nobody does */
	bool in_gap;
};

/* Its handles are closed with the loop's others. */
void work_init(struct work *work, uv_loop_t *loop, struct inventory *inventory,
	       void (*on_end)(void *context), void *context);

/* What would change something waits from now on, until each call has had its work_end. */
void work_block(struct work *work);
void work_end(struct work *work);
/* Between the two: calls in_thread, with the inventory held, then on_done. One at a time.
 * ERR_SYSTEM: neither is called. */
MUST_CHECK int work_in_thread(struct work *work, void *context, void (*in_thread)(void *context),
			      void (*on_done)(void *context));

/* Whether another request's work is under way. Then go_on is called at its end. As many wait as
 * have a connection (http.h). */
bool work_wait(struct work *work, struct work_waiter *waiter,
	       void (*go_on)(struct work_waiter *waiter));

/* As above; the callbacks are given the job. False: neither is called, the program is about to end,
 * or there is no thread. */
MUST_CHECK bool work_beside_in_portions(struct work *work, struct work_job *job,
					bool (*on_portion)(void *job), void (*on_done)(void *job));
MUST_CHECK bool work_beside_in_thread(struct work *work, struct work_job *job,
				      void (*in_thread)(void *job), void (*on_done)(void *job));

/* on_begin, in_thread, on_done, in their turn, which may be now. */
void work_read(struct work *work, struct work_reading *reading);

/* Calls go_on when no long answer is being written, which may be now. Others begin after
 * work_gap_end. There is one gap at a time. */
void work_gap(struct work *work, struct work_waiter *waiter,
	      void (*go_on)(struct work_waiter *waiter));
void work_gap_end(struct work *work);

/* The loop has stopped: gives up what is done in portions beside, and runs the loop until the rest
 * has come to its end. */
void work_finish(struct work *work);

#endif
