/* Questions that have only suspects left wait here for a sign of life, by leg:
 *
 *     table ──► stalled at leg 17 ──► question ──► question ──► ...
 *           └─► stalled at leg 23 ──► question
 *
 * Every LOOKUP_STALLED_US the table looks at each leg, not at each question. If a target has come
 * back since the last look, all questions go on, some at each look. If a target's probe is due, the
 * first question sends it and goes to the end of the line. So a dark leg costs the same however
 * many questions wait for it.
 *
 * Not here: how a question goes on or probes (upstream/failover.c). */
#include "endpoints/upstream/internal.h"

#include "rules/base.h"

struct stalled { /* the questions of one leg that wait for a sign of life */
	struct stalled *next, **link;
	struct lookups *table;
	uint64_t leg_id;
	uint64_t revivals; /* of its targets, at the last look */
	struct lookup *first, **last;
	bool reviving; /* a target is back, and the questions go on to it */
	bool looking;  /* not freed even if it is empty */
};

static struct stalled *stalled_find(struct stalled *stalled, uint64_t leg_id)
{
	while (stalled && stalled->leg_id != leg_id)
		stalled = stalled->next;
	return stalled;
}

static void stalled_link(struct stalled *stalled)
{
	struct stalled **list = &stalled->table->stalled[stalled->leg_id % LOOKUP_STALLED_LISTS];

	stalled->next = *list;
	stalled->link = list;
	if (stalled->next)
		stalled->next->link = &stalled->next;
	*list = stalled;
}

static void stalled_unlink(struct stalled *stalled)
{
	*stalled->link = stalled->next;
	if (stalled->next)
		stalled->next->link = stalled->link;
}

/* Makes one if there is none; NULL without memory. A new one knows no sign of life, so the next
 * look takes any earlier one for new. */
static struct stalled *stalled_for(struct lookups *table, uint64_t leg_id)
{
	struct stalled *stalled =
		stalled_find(table->stalled[leg_id % LOOKUP_STALLED_LISTS], leg_id);

	if (stalled)
		return stalled;
	stalled = spare_take(&table->spare_stalled, sizeof *stalled);
	if (!stalled)
		return NULL;
	*stalled = (struct stalled){.table = table, .leg_id = leg_id, .revivals = UINT64_MAX};
	stalled->last = &stalled->first;
	stalled_link(stalled);
	table->stalled_count++;
	return stalled;
}

static void stalled_free_if_empty(struct stalled *stalled)
{
	if (stalled->first || stalled->looking)
		return;
	stalled_unlink(stalled);
	stalled->table->stalled_count--;
	spare_give(&stalled->table->spare_stalled, stalled);
}

bool lookup_stall(struct lookup *lookup, uint64_t now_us)
{
	struct lookups *table = lookup->table;

	if (lookup->stalled)
		return true;
	struct stalled *stalled = stalled_for(table, lookup->key.leg->id);
	if (!stalled)
		return false;
	lookup->stalled = stalled;
	lookup->next_stalled = NULL;
	lookup->stalled_link = stalled->last;
	*stalled->last = lookup;
	stalled->last = &lookup->next_stalled;
	if (!timer_armed(&table->stalled_timer))
		wheel_arm(table->wheel, &table->stalled_timer, now_us + LOOKUP_STALLED_US);
	return true;
}

void lookup_unstall(struct lookup *lookup)
{
	struct stalled *stalled = lookup->stalled;

	if (!stalled)
		return;
	*lookup->stalled_link = lookup->next_stalled;
	if (lookup->next_stalled)
		lookup->next_stalled->stalled_link = lookup->stalled_link;
	else
		stalled->last = lookup->stalled_link;
	lookup->stalled = NULL;
	stalled_free_if_empty(stalled);
}

/* ---- looking ---- */

/* How many suspicions of the leg's targets have ended. While one begins, the sum may be one too
 * low; then the next look sees a sign of life that is none, which does no harm. */
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

/* Moves on as many questions at each look as a receive buffer holds: if thousands left at once,
 * most would be lost, and lost again when repeated. Questions that stall again join the end of the
 * line, so none goes on twice. */
static void revive(struct stalled *stalled, uint64_t now_us)
{
	struct lookup **last = stalled->last, *lookup;

	for (unsigned n = LOOKUP_STALLED_REVIVED; n > 0 && (lookup = stalled->first); n--) {
		bool end = last == &lookup->next_stalled;

		stalled->table->stalled_steps++;
		lookup_unstall(lookup);
		lookup->revived = true;
		lookup_go_on(lookup, now_us);
		if (end)
			return;
	}
}

/* The first question goes on, probes the suspects and stalls again after the others. */
static void probe_by_first(struct stalled *stalled, uint64_t now_us)
{
	struct lookup *lookup = stalled->first;

	stalled->table->stalled_steps++;
	lookup_unstall(lookup);
	lookup_go_on(lookup, now_us);
}

static void look(struct stalled *stalled, uint64_t now_us)
{
	const struct leg *leg = stalled->first->key.leg;
	uint64_t revivals = revivals_of(leg);

	stalled->reviving =
		(stalled->reviving || revivals != stalled->revivals) && !leg_is_dark(leg);
	stalled->revivals = revivals;
	stalled->looking = true;
	if (stalled->reviving)
		revive(stalled, now_us);
	else if (probe_is_due(leg, now_us))
		probe_by_first(stalled, now_us);
	stalled->looking = false;
	stalled_free_if_empty(stalled);
}

/* Moves the entries to a list of its own first, so that entries that begin meanwhile are not looked
 * at. */
void lookup_wake(struct lookups *table, uint64_t now_us)
{
	for (unsigned i = 0; i < LOOKUP_STALLED_LISTS; i++) {
		struct stalled *list = table->stalled[i];

		if (!list)
			continue;
		list->link = &list;
		table->stalled[i] = NULL;
		while (list) {
			struct stalled *stalled = list;

			stalled_unlink(stalled);
			stalled_link(stalled);
			look(stalled, now_us);
		}
	}
}

/* Sends due probes, and sees signs of life that another worker received. */
void lookup_on_stalled_timer(struct timer *timer, uint64_t now_us)
{
	struct lookups *table = container_of(timer, struct lookups, stalled_timer);

	lookup_wake(table, now_us);
	if (table->stalled_count > 0 && !timer_armed(timer))
		wheel_arm(table->wheel, timer, now_us + LOOKUP_STALLED_US);
}
