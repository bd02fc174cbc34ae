/* libuv runs idle handles once per turn, before it polls for input, so everything else waits for
 * one portion of one job at most. */
#include "resolver/control/service/work.h"

#include <assert.h>

#include "resolver/control/base/signals.h"
#include "rules/base.h"

static void turns_init(struct work_turns *turns, uv_loop_t *loop)
{
	STAILQ_INIT(&turns->jobs);
	uv_idle_init(loop, &turns->idle);
	turns->idle.data = turns;
}

void work_init(struct work *work, uv_loop_t *loop, struct store *store,
	       void (*on_end)(void *context), void *context)
{
	*work = (struct work){.store = store, .on_end = on_end, .context = context};
	work->held.work = work;
	STAILQ_INIT(&work->waiting);
	TAILQ_INIT(&work->readings);
	turns_init(&work->turns, loop);
}

void work_block(struct work *work)
{
	if (work->busy++ == 0)
		work->percent = -1;
}

void work_end(struct work *work)
{
	struct work_waiter *waiter;

	assert(work->busy);
	if (--work->busy > 0)
		return;
	if (work->on_end)
		work->on_end(work->context);
	while (!work->busy && (waiter = STAILQ_FIRST(&work->waiting))) {
		STAILQ_REMOVE_HEAD(&work->waiting, next);
		waiter->go_on(waiter);
	}
}

bool work_wait(struct work *work, struct work_waiter *waiter,
	       void (*go_on)(struct work_waiter *waiter))
{
	if (!work->busy)
		return false;
	waiter->go_on = go_on;
	STAILQ_INSERT_TAIL(&work->waiting, waiter, next);
	return true;
}

/* ---- jobs ---- */

static void finish(struct work_job *job)
{
	struct work *work = job->work;

	work->beside -= job != &work->held;
	job->on_done(job->context);
}

/* False: the job is done. */
static bool take_turn(struct work_turns *turns, struct work_job *job)
{
	if (job->large && turns->large && turns->large != job)
		return true;
	if (job->large)
		turns->large = job;
	if (job->on_portion(job->context))
		return true;
	if (job->large)
		turns->large = NULL;
	return false;
}

/* An unfinished job goes to the end of the queue. */
static void on_turn(uv_idle_t *idle)
{
	struct work_turns *turns = idle->data;
	struct work_job *job = STAILQ_FIRST(&turns->jobs);

	STAILQ_REMOVE_HEAD(&turns->jobs, next);
	if (take_turn(turns, job)) {
		STAILQ_INSERT_TAIL(&turns->jobs, job, next);
		return;
	}
	if (STAILQ_EMPTY(&turns->jobs))
		uv_idle_stop(idle);
	finish(job);
}

static void do_in_portions(struct work_turns *turns, struct work_job *job,
			   bool (*on_portion)(void *context), void (*on_done)(void *context))
{
	job->on_portion = on_portion;
	job->on_done = on_done;
	STAILQ_INSERT_TAIL(&turns->jobs, job, next);
	uv_idle_start(&turns->idle, on_turn);
}

static void run(uv_work_t *thread)
{
	struct work_job *job = thread->data;

	job->in_thread(job->context);
}

static void on_run(uv_work_t *thread, int status)
{
	(void)status; /* nobody cancels it */
	finish(thread->data);
}

static int do_in_thread(struct work_job *job, void (*in_thread)(void *context),
			void (*on_done)(void *context))
{
	uv_loop_t *loop = job->work->turns.idle.loop;
	sigset_t before;

	job->thread.data = job;
	job->in_thread = in_thread;
	job->on_done = on_done;
	signals_block(&before); /* the first job starts libuv's threads */
	int err = uv_queue_work(loop, &job->thread, run, on_run);
	signals_restore(&before);
	return err == 0 ? 0 : ERR_SYSTEM;
}

/* ---- held work ---- */

static void on_held(void *context)
{
	struct work *work = context;

	store_hold(work->store, false);
	work->on_held(work->held_context);
}

static void run_held(void *context)
{
	struct work *work = context;

	work->in_held(work->held_context);
}

int work_in_thread(struct work *work, void *context, void (*in_thread)(void *context),
		   void (*on_done)(void *context))
{
	int err;

	assert(work->busy);
	work->held.context = work;
	work->held_context = context;
	work->in_held = in_thread;
	work->on_held = on_done;
	store_hold(work->store, true);
	err = do_in_thread(&work->held, run_held, on_held);
	if (err)
		store_hold(work->store, false);
	return err;
}

bool work_beside_in_portions(struct work *work, struct work_job *job, bool (*on_portion)(void *job),
			     void (*on_done)(void *job))
{
	if (work->ending)
		return false;
	job->work = work;
	job->context = job;
	work->beside++;
	do_in_portions(&work->turns, job, on_portion, on_done);
	return true;
}

bool work_beside_in_thread(struct work *work, struct work_job *job, void (*in_thread)(void *job),
			   void (*on_done)(void *job))
{
	job->work = work;
	job->context = job;
	if (work->ending || do_in_thread(job, in_thread, on_done) != 0)
		return false;
	work->beside++;
	return true;
}

/* ---- long answers ---- */

/* The client's place among those served, or else a free one or the oldest. A client that has lost
 * its place counts as never served, which is right: all others were served later. */
static struct work_served *served_place(struct work *work, const char *client)
{
	struct work_served *oldest = work->served;

	for (size_t i = 0; i < COUNT(work->served); i++) {
		struct work_served *place = &work->served[i];

		if (place->turn > 0 && strcmp(place->client, client) == 0)
			return place;
		if (place->turn < oldest->turn)
			oldest = place;
	}
	return oldest;
}

static uint64_t last_turn(struct work *work, const char *client)
{
	const struct work_served *place = served_place(work, client);

	return strcmp(place->client, client) == 0 ? place->turn : 0;
}

static void note_turn(struct work *work, const char *client)
{
	struct work_served *place = served_place(work, client);

	snprintf(place->client, sizeof place->client, "%s", client);
	place->turn = ++work->turn;
}

/* The first reading of the client that was served longest ago. */
static struct work_reading *take_reading(struct work *work)
{
	struct work_reading *reading, *found = NULL;
	uint64_t oldest = 0;

	TAILQ_FOREACH (reading, &work->readings, next) {
		uint64_t turn = last_turn(work, reading->client);

		if (found && turn >= oldest)
			continue;
		found = reading;
		oldest = turn;
	}
	if (found)
		TAILQ_REMOVE(&work->readings, found, next);
	return found;
}

static void read_in_thread(void *job)
{
	struct work_reading *reading = container_of(job, struct work_reading, job);

	reading->in_thread(reading);
}

static void next_reading(struct work *work);

static void begin_gap(struct work *work)
{
	work->in_gap = true;
	work->gap->go_on(work->gap);
}

static void on_read(void *job)
{
	struct work_reading *reading = container_of(job, struct work_reading, job);
	struct work *work = reading->work;

	reading->on_done(reading, false);
	work->reading = NULL;
	if (work->gap)
		begin_gap(work);
	else
		next_reading(work);
}

static void begin_reading(struct work *work, struct work_reading *reading)
{
	if (!work->ending && reading->on_begin && !reading->on_begin(reading))
		return;
	note_turn(work, reading->client);
	if (work_beside_in_thread(work, &reading->job, read_in_thread, on_read))
		work->reading = reading;
	else
		reading->on_done(reading, true);
}

static void next_reading(struct work *work)
{
	struct work_reading *reading;

	while (!work->reading && (!work->gap || work->ending) && (reading = take_reading(work)))
		begin_reading(work, reading);
}

void work_read(struct work *work, struct work_reading *reading)
{
	reading->work = work;
	TAILQ_INSERT_TAIL(&work->readings, reading, next);
	next_reading(work);
}

void work_give_up_readings(struct work *work)
{
	struct work_reading *reading;

	while ((reading = take_reading(work)))
		reading->on_done(reading, true);
}

void work_gap(struct work *work, struct work_waiter *waiter,
	      void (*go_on)(struct work_waiter *waiter))
{
	assert(!work->gap);
	waiter->go_on = go_on;
	work->gap = waiter;
	if (!work->reading)
		begin_gap(work);
}

void work_gap_end(struct work *work)
{
	assert(work->in_gap);
	work->in_gap = false;
	work->gap = NULL;
	next_reading(work);
}

void work_finish(struct work *work)
{
	struct work_job *job;

	work->ending = true;
	while ((job = STAILQ_FIRST(&work->turns.jobs))) {
		STAILQ_REMOVE_HEAD(&work->turns.jobs, next);
		job->given_up = true;
		finish(job);
	}
	uv_idle_stop(&work->turns.idle);
	next_reading(work); /* gives up the waiting readings */
	while (work->busy || work->beside > 0)
		uv_run(work->turns.idle.loop, UV_RUN_ONCE);
}
