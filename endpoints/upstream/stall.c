/* Questions that have nothing but suspects left wait here for a sign of life, by leg:
 *
 *     table ──► stall of leg 17 ──► question ──► question ──► ...
 *           └─► stall of leg 23 ──► question
 *
 * Every PENDING_STALLED_US each stall is looked at, not each question: has a target come back since
 * the last look (all go on, some at each look), or is one to be probed (the first question does it,
 * and goes to the end of the line)? So a leg that is dark costs the same however many wait for it.
 *
 * Not here: what a question does when it goes on, or probes (upstream/walk.c). */
#include "endpoints/upstream/internal.h"

#include "rules/base.h"

struct stall { /* the questions of one leg that wait for a sign of life */
	struct stall *next, **link;
	struct pending_table *table;
	uint64_t leg_id;
	uint64_t revivals; /* of its targets, when last looked at */
	struct pending *first, **last;
	bool reviving; /* a target is back, and they go on to it */
	bool looking;  /* kept, though it may be empty */
};

static struct stall *stall_find(struct stall *stall, uint64_t leg_id)
{
	while (stall && stall->leg_id != leg_id)
		stall = stall->next;
	return stall;
}

static void stall_link(struct stall *stall)
{
	struct stall **list = &stall->table->stalls[stall->leg_id % PENDING_STALLED_LISTS];

	stall->next = *list;
	stall->link = list;
	if (stall->next)
		stall->next->link = &stall->next;
	*list = stall;
}

static void stall_unlink(struct stall *stall)
{
	*stall->link = stall->next;
	if (stall->next)
		stall->next->link = stall->link;
}

/* The leg's stall, made if need be; NULL without memory. A new one knows of no sign of life, so the
 * next look takes any that there ever was for one. */
static struct stall *stall_for(struct pending_table *table, uint64_t leg_id)
{
	struct stall *stall = stall_find(table->stalls[leg_id % PENDING_STALLED_LISTS], leg_id);

	if (stall)
		return stall;
	stall = store_take(&table->stall_store, sizeof *stall);
	if (!stall)
		return NULL;
	*stall = (struct stall){.table = table, .leg_id = leg_id, .revivals = UINT64_MAX};
	stall->last = &stall->first;
	stall_link(stall);
	table->stall_count++;
	return stall;
}

static void stall_free_if_empty(struct stall *stall)
{
	if (stall->first || stall->looking)
		return;
	stall_unlink(stall);
	stall->table->stall_count--;
	store_give(&stall->table->stall_store, stall);
}

bool pending_stall(struct pending *pending, uint64_t now_us)
{
	struct pending_table *table = pending->table;

	if (pending->stall)
		return true;
	struct stall *stall = stall_for(table, pending->key.leg->id);
	if (!stall)
		return false;
	pending->stall = stall;
	pending->next_stalled = NULL;
	pending->stalled_link = stall->last;
	*stall->last = pending;
	stall->last = &pending->next_stalled;
	if (!timer_armed(&table->stalled_timer))
		wheel_arm(table->wheel, &table->stalled_timer, now_us + PENDING_STALLED_US);
	return true;
}

void pending_unstall(struct pending *pending)
{
	struct stall *stall = pending->stall;

	if (!stall)
		return;
	*pending->stalled_link = pending->next_stalled;
	if (pending->next_stalled)
		pending->next_stalled->stalled_link = pending->stalled_link;
	else
		stall->last = pending->stalled_link;
	pending->stall = NULL;
	stall_free_if_empty(stall);
}

/* ---- looking ---- */

/* How often a suspicion of one of the leg's targets has ended. Read while one begins it may be one
 * short, which only makes the next look find a sign of life too many. */
static uint64_t revivals_of(const struct leg *leg)
{
	uint64_t revivals = 0;

	for (uint32_t i = 0; i < leg->upstream_count; i++) {
		const struct target *target = leg->upstreams[i].target;
		revivals += atomic_load_explicit(&target->suspicions, memory_order_relaxed);
		revivals -= target_is_suspect(target);
	}
	return revivals;
}

static bool probe_is_due(const struct leg *leg, uint64_t now_us)
{
	for (uint32_t i = 0; i < leg->upstream_count; i++) {
		if (target_wants_probe(leg->upstreams[i].target, now_us))
			return true;
	}
	return false;
}

/* So many at each look as a receive buffer holds: thousands at once would be lost, and lost again.
 * What has to stall again joins the end of the line: nobody goes on twice. */
static void revive(struct stall *stall, uint64_t now_us)
{
	struct pending **last = stall->last, *pending;

	for (unsigned n = PENDING_STALLED_REVIVED; n > 0 && (pending = stall->first); n--) {
		bool end = last == &pending->next_stalled;

		stall->table->stall_steps++;
		pending_unstall(pending);
		pending->revived = true;
		pending_go_on(pending, now_us);
		if (end)
			return;
	}
}

/* It goes on as far as the suspects, and stalls again behind the others. */
static void probe_by_first(struct stall *stall, uint64_t now_us)
{
	struct pending *pending = stall->first;

	stall->table->stall_steps++;
	pending_unstall(pending);
	pending_go_on(pending, now_us);
}

static void look(struct stall *stall, uint64_t now_us)
{
	const struct leg *leg = stall->first->key.leg;
	uint64_t revivals = revivals_of(leg);

	stall->reviving = (stall->reviving || revivals != stall->revivals) && !leg_is_dark(leg);
	stall->revivals = revivals;
	stall->looking = true;
	if (stall->reviving)
		revive(stall, now_us);
	else if (probe_is_due(leg, now_us))
		probe_by_first(stall, now_us);
	stall->looking = false;
	stall_free_if_empty(stall);
}

/* Takes the stalls from a list of their own, as above; one that begins meanwhile is not looked at.
 */
void pending_wake(struct pending_table *table, uint64_t now_us)
{
	for (unsigned i = 0; i < PENDING_STALLED_LISTS; i++) {
		struct stall *list = table->stalls[i];

		if (!list)
			continue;
		list->link = &list;
		table->stalls[i] = NULL;
		while (list) {
			struct stall *stall = list;

			stall_unlink(stall);
			stall_link(stall);
			look(stall, now_us);
		}
	}
}

/* Probes that have become due, and signs of life that another worker saw. */
void pending_on_stalled_timer(struct timer *timer, uint64_t now_us)
{
	struct pending_table *table = container_of(timer, struct pending_table, stalled_timer);

	pending_wake(table, now_us);
	if (table->stall_count > 0 && !timer_armed(timer))
		wheel_arm(table->wheel, timer, now_us + PENDING_STALLED_US);
}
