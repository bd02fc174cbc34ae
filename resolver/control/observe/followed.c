/*     number ─► slot ─► existing thing ─► another of that name, or one that is gone
 *
 * A slot's value is the sum of its things and of things it has let go. A thing that is gone stays
 * in its slot, because it may come back, until a new thing takes the name. */
#include "resolver/control/observe/followed.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct seen {
	UT_hash_handle hh; /* by thing */
	void *thing;
	uint32_t number; /* 0: there are too many names */
	uint64_t look;   /* the look that last saw it */
	bool there;      /* exists as of the latest look, and refers to the number */
	struct seen *next;
};

struct slot {
	struct seen *first;
	uint64_t *gone; /* counters of things let go; NULL: all 0 */
	bool is_free;   /* its name and things are forgotten */
};

struct followed {
	struct followed_kind kind;
	void *context;
	struct series_set *series;
	struct seen *seen;
	struct slot *slots; /* by number; `room` of them */
	uint32_t room;
	uint64_t look;
	uint64_t *counters; /* scratch; kind.width */
};

/* ---- counters ---- */

static void add(const struct followed *followed, uint64_t *sum, const uint64_t *more)
{
	for (unsigned i = 0; i < followed->kind.width; i++)
		sum[i] += more[i];
}

static void read_slot(void *context, uint32_t number, uint64_t *counters)
{
	const struct followed *followed = context;
	const struct slot *slot = number < followed->room ? &followed->slots[number] : NULL;

	memset(counters, 0, followed->kind.width * sizeof *counters);
	if (!slot)
		return;
	for (const struct seen *seen = slot->first; seen; seen = seen->next) {
		followed->kind.read(seen->thing, followed->counters);
		add(followed, counters, followed->counters);
	}
	if (slot->gone)
		add(followed, counters, slot->gone);
}

/* ---- slots ---- */

/* Makes room for the number; false: out of memory. */
static bool make_room(struct followed *followed, uint32_t number)
{
	uint32_t room = 2 * number + 64;
	struct slot *grown;

	if (number < followed->room)
		return true;
	grown = reallocarray(followed->slots, room, sizeof *grown);
	if (!grown)
		return false;
	memset(grown + followed->room, 0, (room - followed->room) * sizeof *grown);
	followed->slots = grown;
	followed->room = room;
	return true;
}

static void forget(struct followed *followed, struct seen *seen)
{
	HASH_DEL(followed->seen, seen);
	followed->kind.release(followed->context, seen->thing);
	free(seen);
}

/* A new thing has taken the name, so its gone things will not come back. If there is no memory for
 * their counters they stay. */
static void let_go(struct followed *followed, struct slot *slot)
{
	for (struct seen **link = &slot->first, *seen; (seen = *link);) {
		if (!slot->gone)
			slot->gone = calloc(followed->kind.width, sizeof *slot->gone);
		if (seen->there || !slot->gone) {
			link = &seen->next;
			continue;
		}
		followed->kind.read(seen->thing, followed->counters);
		add(followed, slot->gone, followed->counters);
		*link = seen->next;
		forget(followed, seen);
	}
}

/* ---- a look ---- */

void followed_begin(struct followed *followed)
{
	followed->look++;
}

static struct seen *find(const struct followed *followed, void *thing)
{
	struct seen *seen;

	HASH_FIND_PTR(followed->seen, &thing, seen);
	return seen;
}

bool followed_see_again(struct followed *followed, void *thing)
{
	struct seen *seen = find(followed, thing);

	if (!seen || !seen->there)
		return false;
	seen->look = followed->look;
	return true;
}

/* NULL: out of memory. */
static struct seen *new_seen(struct followed *followed, void *thing)
{
	struct seen *seen = calloc(1, sizeof *seen);

	if (!seen)
		return NULL;
	seen->thing = thing;
	HASH_ADD_PTR(followed->seen, thing, seen);
	if (seen->hh.tbl && followed->kind.keep(followed->context, thing))
		return seen;
	if (seen->hh.tbl)
		HASH_DEL(followed->seen, seen);
	free(seen);
	return NULL;
}

/* Takes the number before the thing is in the slot, so that the series starts with what the thing
 * has counted already. */
static void give_number(struct followed *followed, struct seen *seen, const char *outer,
			const char *name)
{
	struct slot *slot;

	seen->number = series_acquire(followed->series, outer, name);
	if (!seen->number)
		return;
	if (!make_room(followed, seen->number)) {
		series_release(followed->series, seen->number);
		seen->number = 0;
		return;
	}
	slot = &followed->slots[seen->number];
	slot->is_free = false;
	let_go(followed, slot);
	seen->next = slot->first;
	slot->first = seen;
}

void followed_see(struct followed *followed, void *thing, const char *outer, const char *name)
{
	struct seen *seen = find(followed, thing);
	bool is_new = !seen;

	if (is_new)
		seen = new_seen(followed, thing);
	if (!seen)
		return;
	seen->look = followed->look;
	if (seen->there)
		return;
	seen->there = true;
	if (is_new)
		give_number(followed, seen, outer, name);
	else
		series_acquire(followed->series, outer, name); /* the number that it has */
}

/* Keeps a thing whose name is shown, or belongs to another thing. */
static void leave(struct followed *followed, struct seen *seen)
{
	struct slot *slot;

	seen->there = false;
	if (!seen->number || !series_release(followed->series, seen->number))
		return;
	slot = &followed->slots[seen->number];
	free(slot->gone);
	*slot = (struct slot){.is_free = true};
}

void followed_end(struct followed *followed)
{
	struct seen *seen, *next;

	for (seen = followed->seen; seen; seen = seen->hh.next)
		if (seen->there && seen->look != followed->look)
			leave(followed, seen);
	HASH_ITER (hh, followed->seen, seen, next)
		if (!seen->there && (!seen->number || followed->slots[seen->number].is_free))
			forget(followed, seen);
}

/* ---- reading ---- */

struct series_set *followed_series(const struct followed *followed)
{
	return followed->series;
}

void *followed_thing(const struct followed *followed, uint32_t number)
{
	const struct seen *first = number < followed->room ? followed->slots[number].first : NULL;

	while (first && !first->there)
		first = first->next;
	return first ? first->thing : NULL;
}

static bool shows(const struct followed *followed, const struct seen *seen)
{
	return seen->there && series_is_shown(followed->series, seen->number) &&
	       followed_thing(followed, seen->number) == seen->thing;
}

bool followed_shows(const struct followed *followed, void *thing)
{
	const struct seen *seen = find(followed, thing);

	return seen && shows(followed, seen);
}

void followed_each(const struct followed *followed,
		   void (*on_thing)(void *context, void *thing, bool is_shown), void *context)
{
	for (const struct seen *at = followed->seen; at; at = at->hh.next)
		if (at->there)
			on_thing(context, at->thing, shows(followed, at));
}

struct followed *followed_new(const struct followed_kind *kind, void *context)
{
	struct followed *followed = calloc(1, sizeof *followed);

	if (!followed)
		return NULL;
	followed->kind = *kind;
	followed->context = context;
	followed->counters = calloc(kind->width, sizeof *followed->counters);
	followed->series = series_set_new(0, kind->width, kind->names_max);
	if (followed->counters && followed->series) {
		series_set_read(followed->series, read_slot, followed);
		return followed;
	}
	followed_free(followed);
	return NULL;
}

void followed_free(struct followed *followed)
{
	struct seen *seen, *next;

	if (!followed)
		return;
	HASH_ITER (hh, followed->seen, seen, next)
		forget(followed, seen);
	for (uint32_t i = 0; i < followed->room; i++)
		free(followed->slots[i].gone);
	series_set_free(followed->series);
	free(followed->slots);
	free(followed->counters);
	free(followed);
}
