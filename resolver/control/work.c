/* libuv runs idle handles once a round, ahead of looking for what has come in, so a portion of the
 * work and one of what is done beside it are what everybody else waits for at most. */
#include "resolver/control/work.h"

#include <assert.h>

#include "resolver/control/api_internal.h"

void work_init(struct work *work, uv_loop_t *loop, struct inventory *inventory,
	       void (*on_end)(void *context), void *context)
{
	*work = (struct work){.inventory = inventory, .on_end = on_end, .context = context};
	STAILQ_INIT(&work->waiting);
	STAILQ_INIT(&work->in_turn);
	uv_idle_init(loop, &work->idle);
	uv_idle_init(loop, &work->turns);
	work->idle.data = work->turns.data = work->thread.data = work;
}

bool work_begin(struct work *work, void *request)
{
	assert(!work->busy);
	if (work->ending)
		return false;
	work->busy = true;
	work->percent = -1;
	work->request = request;
	inventory_hold(work->inventory, true);
	return true;
}

static void on_idle(uv_idle_t *idle)
{
	struct work *work = idle->data;

	if (work->on_portion(work->request))
		return;
	uv_idle_stop(idle);
	work->on_done(work->request);
}

void work_in_portions(struct work *work, bool (*on_portion)(void *request),
		      void (*on_done)(void *request))
{
	work->on_portion = on_portion;
	work->on_done = on_done;
	uv_idle_start(&work->idle, on_idle);
}

static void run_thread(uv_work_t *thread)
{
	struct work *work = thread->data;

	work->in_thread(work->request);
}

static void after_thread(uv_work_t *thread, int status)
{
	struct work *work = thread->data;

	(void)status; /* nobody cancels it */
	work->on_done(work->request);
}

int work_in_thread(struct work *work, void (*in_thread)(void *request),
		   void (*on_done)(void *request))
{
	work->in_thread = in_thread;
	work->on_done = on_done;
	return uv_queue_work(work->idle.loop, &work->thread, run_thread, after_thread) == 0
		       ? 0
		       : ERR_SYSTEM;
}

void work_end(struct work *work)
{
	struct api_call *call;

	assert(work->busy);
	work->busy = false;
	inventory_hold(work->inventory, false);
	if (work->on_end)
		work->on_end(work->context);
	while (!work->busy && (call = STAILQ_FIRST(&work->waiting))) {
		STAILQ_REMOVE_HEAD(&work->waiting, waiting);
		call->go_on(&call->request);
	}
}

bool work_wait(struct work *work, struct api_request *request,
	       void (*go_on)(struct api_request *request))
{
	struct api_call *call = (struct api_call *)request; /* whose first member it is */

	if (!work->busy)
		return false;
	call->go_on = go_on;
	STAILQ_INSERT_TAIL(&work->waiting, call, waiting);
	return true;
}

/* ---- beside ---- */

/* True: it is not done. */
static bool take_turn(struct work *work, struct work_beside *beside)
{
	if (beside->alone && work->alone && work->alone != beside)
		return true;
	if (beside->alone)
		work->alone = beside;
	if (beside->on_portion(beside))
		return true;
	if (beside->alone)
		work->alone = NULL;
	return false;
}

/* Whoever is not done goes behind the others. */
static void on_turn(uv_idle_t *turns)
{
	struct work *work = turns->data;
	struct work_beside *beside = STAILQ_FIRST(&work->in_turn);

	STAILQ_REMOVE_HEAD(&work->in_turn, next);
	if (take_turn(work, beside)) {
		STAILQ_INSERT_TAIL(&work->in_turn, beside, next);
		return;
	}
	if (STAILQ_EMPTY(&work->in_turn))
		uv_idle_stop(turns);
	work->beside--;
	beside->on_done(beside);
}

bool work_beside_in_portions(struct work *work, struct work_beside *beside,
			     bool (*on_portion)(struct work_beside *beside),
			     void (*on_done)(struct work_beside *beside))
{
	if (work->ending)
		return false;
	beside->on_portion = on_portion;
	beside->on_done = on_done;
	work->beside++;
	STAILQ_INSERT_TAIL(&work->in_turn, beside, next);
	uv_idle_start(&work->turns, on_turn);
	return true;
}

static void run_beside(uv_work_t *thread)
{
	struct work_beside *beside = thread->data;

	beside->in_thread(beside);
}

static void after_beside(uv_work_t *thread, int status)
{
	struct work_beside *beside = thread->data;

	(void)status; /* nobody cancels it */
	beside->work->beside--;
	beside->on_done(beside);
}

bool work_beside_in_thread(struct work *work, struct work_beside *beside,
			   void (*in_thread)(struct work_beside *beside),
			   void (*on_done)(struct work_beside *beside))
{
	beside->work = work;
	beside->thread.data = beside;
	beside->in_thread = in_thread;
	beside->on_done = on_done;
	if (work->ending ||
	    uv_queue_work(work->idle.loop, &beside->thread, run_beside, after_beside) != 0)
		return false;
	work->beside++;
	return true;
}

void work_finish(struct work *work)
{
	struct work_beside *beside;

	work->ending = true;
	while ((beside = STAILQ_FIRST(&work->in_turn))) {
		STAILQ_REMOVE_HEAD(&work->in_turn, next);
		work->beside--;
		beside->given_up = true;
		beside->on_done(beside);
	}
	uv_idle_stop(&work->turns);
	while (work->busy || work->beside > 0)
		uv_run(work->idle.loop, UV_RUN_ONCE);
}
