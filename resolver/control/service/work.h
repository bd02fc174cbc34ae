/* Requests that take longer than the control thread may be busy: done in a thread, or in portions,
 * one per turn of the loop, while other requests are answered.
 *
 *     work_block ─► held: changes wait, before their handlers (api.c) or before they are made
 *        │              (api/edit.h), and so do reloads
 *        ├─ work_in_thread ───► in_thread ─► on_done            a thread, then the control thread
 *     work_end ───► waiting requests go on, in order
 *
 * Only one such request runs at a time; others wait for it. Any number of jobs (struct work_job)
 * run beside it, one portion of one job per turn. Changes need not wait for them: each portion
 * finds its place among the resources again by a key, or reads no resources.
 *
 * A long answer (struct work_reading) delays no change: a thread writes it from a snapshot taken
 * when its turn comes (STORE_VIEW). Only one is written at a time, so that a thread of libuv stays
 * free for changes. Clients take turns: the one served longest ago is next. Work that needs the
 * store without readers asks for a gap between two long answers. */
#ifndef SLUICE_WORK_H
#define SLUICE_WORK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <uv.h>

#include "resolver/control/store/store.h"

struct work;

struct work_waiter { /* a member of the waiting object */
	STAILQ_ENTRY(work_waiter) next;
	void (*go_on)(struct work_waiter *waiter);
};

struct work_job {      /* a member of an object that lives until on_done */
	bool large;    /* set by the caller: it takes much memory, and waits for other large jobs */
	bool given_up; /* on_done is called early, because the program ends */
	/* internal */
	struct work *work;
	void *context;
	bool (*on_portion)(void *context);
	void (*in_thread)(void *context);
	void (*on_done)(void *context);
	STAILQ_ENTRY(work_job) next;
	uv_work_t thread;
};

enum {
	WORK_CLIENT_MAX = 256, /* bytes of a client's id with its NUL (http.h) */
	WORK_SERVED_MAX = 64,  /* remembered clients */
};

struct work_reading { /* a member of an object that lives until on_done */
	const char *client;
	/* Called when the reading's turn has come. False: the reading has ended and may be freed.
	 * May be NULL. */
	bool (*on_begin)(struct work_reading *reading);
	void (*in_thread)(struct work_reading *reading);
	/* given_up: in_thread was not called; on_begin may have been. */
	void (*on_done)(struct work_reading *reading, bool given_up);
	/* internal */
	struct work_job job;
	struct work *work;
	TAILQ_ENTRY(work_reading) next;
};

struct work_served { /* a client that has received a long answer */
	char client[WORK_CLIENT_MAX];
	uint64_t turn; /* its last turn; 0: this place is free */
};

struct work_turns {     /* jobs in portions: one portion of one job per turn of the loop */
	uv_idle_t idle; /* runs while there are any */
	STAILQ_HEAD(, work_job) jobs;
	const struct work_job *large; /* the large job that has begun; NULL: none */
};

struct work {
	struct store *store;
	void (*on_end)(void *context); /* a reload may be waiting for the end */
	void *context;
	unsigned busy; /* open calls of work_block */
	bool ending;
	atomic_int percent; /* progress, for the status; below 0: unknown */
	/* internal */
	struct work_job held;
	void (*in_held)(void *context), (*on_held)(void *context); /* of work_in_thread */
	void *held_context;
	struct work_turns turns;
	unsigned beside; /* number of jobs beside the held work */
	STAILQ_HEAD(, work_waiter) waiting;
	struct work_reading *reading;        /* the one under way; NULL: none */
	TAILQ_HEAD(, work_reading) readings; /* the waiting ones, in order of arrival */
	uint64_t turn;                       /* counts the readings that began */
	struct work_served served[WORK_SERVED_MAX];
	struct work_waiter *gap; /* the waiter that wants the gap, or has it */
	bool in_gap;
};

/* The handles are closed with the loop's others. */
void work_init(struct work *work, uv_loop_t *loop, struct store *store,
	       void (*on_end)(void *context), void *context);

/* Makes changes wait until each work_block has had its work_end. */
void work_block(struct work *work);
void work_end(struct work *work);
/* Calls in_thread in a thread, while the store is held, then on_done in the control thread; only
 * between work_block and work_end, and one at a time. ERR_SYSTEM: neither is called. */
MUST_CHECK int work_in_thread(struct work *work, void *context, void (*in_thread)(void *context),
			      void (*on_done)(void *context));

/* Whether another request's work is under way; if so, calls go_on at its end. The number of waiters
 * is limited by connections (http.h). */
bool work_wait(struct work *work, struct work_waiter *waiter,
	       void (*go_on)(struct work_waiter *waiter));

/* Run a job beside the held work; callbacks get the job. False: no callback is called, because the
 * program is about to end or no thread could be started. */
MUST_CHECK bool work_beside_in_portions(struct work *work, struct work_job *job,
					bool (*on_portion)(void *job), void (*on_done)(void *job));
MUST_CHECK bool work_beside_in_thread(struct work *work, struct work_job *job,
				      void (*in_thread)(void *job), void (*on_done)(void *job));

/* Calls on_begin, in_thread and on_done when the reading's turn comes, perhaps at once. */
void work_read(struct work *work, struct work_reading *reading);
/* Gives up the readings that wait for their turn. */
void work_give_up_readings(struct work *work);

/* Calls go_on when no long answer is being written, perhaps at once. The next long answer begins
 * after work_gap_end. Only one gap may be requested at a time. */
void work_gap(struct work *work, struct work_waiter *waiter,
	      void (*go_on)(struct work_waiter *waiter));
void work_gap_end(struct work *work);

/* After the loop has stopped: gives up jobs in portions, and runs the loop until all other work has
 * ended. */
void work_finish(struct work *work);

#endif
