/* Work of one request that takes longer than the control thread may stand still: a portion for each
 * round of its loop, or in a thread of its own, while other requests are answered between.
 *
 *     work_begin ─► held: what would change something waits, in front of its handler (api.c) or of
 *        │              the change itself (api_claim.h), and a reload until the end
 *        ├─ work_in_portions ─► on_portion, ... ─► on_done  control thread
 *        ├─ work_in_thread ───► in_thread ─► on_done             another, then the control thread
 *     work_end ───► what waited goes on, in its order
 *
 * There is one at a time, because whatever begins one waits for the one before it. */
#ifndef SLUICE_WORK_H
#define SLUICE_WORK_H

#include <stdbool.h>
#include <sys/queue.h>
#include <uv.h>

#include "resolver/control/inventory.h"

struct api_call;
struct api_request;

struct work {
	struct inventory *inventory;
	void (*on_end)(void *context); /* for whoever must not reload meanwhile */
	void *context;
	bool busy, ending;
	int percent; /* how much of it has been looked at, for the status; below 0: not known */
	/* inside */
	uv_idle_t idle; /* runs while there are portions */
	uv_work_t thread;
	bool (*on_portion)(void *request);
	void (*in_thread)(void *request);
	void (*on_done)(void *request);
	void *request;
	STAILQ_HEAD(, api_call) waiting;
};

/* Its handle is closed with the loop's others. */
void work_init(struct work *work, uv_loop_t *loop, struct inventory *inventory,
	       void (*on_end)(void *context), void *context);

/* False: the program is about to end, and begins nothing more. */
bool work_begin(struct work *work, void *request);
/* Calls back until that gives false, and then the other one. */
void work_in_portions(struct work *work, bool (*on_portion)(void *request),
		      void (*on_done)(void *request));
/* One after the other. ERR_SYSTEM: neither is called. */
MUST_CHECK int work_in_thread(struct work *work, void (*in_thread)(void *request),
			      void (*on_done)(void *request));
void work_end(struct work *work);

/* Whether some other request's work is under way. Then this one waits for its end, and is gone on
 * with by that function. As many wait as have a connection (http.h). */
bool work_wait(struct work *work, struct api_request *request,
	       void (*go_on)(struct api_request *request));

/* The loop has stopped: runs it until the work that is under way has come to its end. */
void work_finish(struct work *work);

#endif
