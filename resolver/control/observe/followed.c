/*     number ─► slot ─► existing thing ─► another of that name, or one that is gone
 *
 * A slot's value is the sum of its things and of things it has let go. A thing that is gone stays
 * in its slot, because it may come back, until a new thing takes the name. */
#include "resolver/control/observe/followed.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct followed_item {
	UT_hash_handle hh; /* by thing */
	void *thing;
	uint32_t number; /* 0: there are too many names, or there was no memory */
	uint64_t look;   /* the look that last saw it */
	bool there;      /* exists as of the latest look, and holds a reference to the number */
	struct followed_item *next;
};

struct slot {
	struct followed_item *first;
	uint64_t *gone; /* counters of things let go; NULL: all 0 */
	bool is_free;   /* its name and things are forgotten */
};

struct followed {
	struct followed_kind kind;
	void *context;
	struct series_set *series;
	struct followed_item *items;
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
	for (const struct followed_item *item = slot->first; item; item = item->next) {
		followed->kind.read(item->thing, followed->counters);
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

static void forget(struct followed *followed, struct followed_item *item)
{
	HASH_DEL(followed->items, item);
	followed->kind.release(followed->context, item->thing);
	free(item);
}

/* A new thing has taken the slot's name, so the slot's gone things will not come back. If there is
 * no memory for their counters, they stay. */
static void let_go(struct followed *followed, struct slot *slot)
{
	for (struct followed_item **link = &slot->first, *item; (item = *link);) {
		if (!slot->gone)
			slot->gone = calloc(followed->kind.width, sizeof *slot->gone);
		if (item->there || !slot->gone) {
			link = &item->next;
			continue;
		}
		followed->kind.read(item->thing, followed->counters);
		add(followed, slot->gone, followed->counters);
		*link = item->next;
		forget(followed, item);
	}
}

/* ---- a look ---- */

void followed_begin(struct followed *followed)
{
	followed->look++;
}

static struct followed_item *find(const struct followed *followed, void *thing)
{
	struct followed_item *item;

	HASH_FIND_PTR(followed->items, &thing, item);
	return item;
}

bool followed_see_again(struct followed *followed, void *thing)
{
	struct followed_item *item = find(followed, thing);

	if (!item || !item->there)
		return false;
	item->look = followed->look;
	return true;
}

/* NULL: out of memory. */
static struct followed_item *new_item(struct followed *followed, void *thing)
{
	struct followed_item *item = calloc(1, sizeof *item);

	if (!item)
		return NULL;
	item->thing = thing;
	HASH_ADD_PTR(followed->items, thing, item);
	if (item->hh.tbl && followed->kind.keep(followed->context, thing))
		return item;
	if (item->hh.tbl)
		HASH_DEL(followed->items, item);
	free(item);
	return NULL;
}

/* Takes the number before the thing is in the slot, so that the series starts with what the thing
 * has counted already. */
static void give_number(struct followed *followed, struct followed_item *item, const char *outer,
			const char *name)
{
	struct slot *slot;

	item->number = series_acquire(followed->series, outer, name);
	if (!item->number)
		return;
	if (!make_room(followed, item->number)) {
		series_release(followed->series, item->number);
		item->number = 0;
		return;
	}
	slot = &followed->slots[item->number];
	slot->is_free = false;
	let_go(followed, slot);
	item->next = slot->first;
	slot->first = item;
}

void followed_see(struct followed *followed, void *thing, const char *outer, const char *name)
{
	struct followed_item *item = find(followed, thing);
	bool is_new = !item;

	if (is_new)
		item = new_item(followed, thing);
	if (!item)
		return;
	item->look = followed->look;
	if (item->there)
		return;
	item->there = true;
	if (is_new)
		give_number(followed, item, outer, name);
	else
		series_acquire(followed->series, outer, name); /* the number that it has */
}

/* Notes that the thing is gone. Its slot stays while its name is shown, or another existing thing
 * has that name. */
static void leave(struct followed *followed, struct followed_item *item)
{
	struct slot *slot;

	item->there = false;
	if (!item->number || !series_release(followed->series, item->number))
		return;
	slot = &followed->slots[item->number];
	free(slot->gone);
	*slot = (struct slot){.is_free = true};
}

void followed_end(struct followed *followed)
{
	struct followed_item *item, *next;

	for (item = followed->items; item; item = item->hh.next)
		if (item->there && item->look != followed->look)
			leave(followed, item);
	HASH_ITER (hh, followed->items, item, next)
		if (!item->there && (!item->number || followed->slots[item->number].is_free))
			forget(followed, item);
}

/* ---- reading ---- */

struct series_set *followed_series(const struct followed *followed)
{
	return followed->series;
}

void *followed_thing(const struct followed *followed, uint32_t number)
{
	const struct followed_item *first =
		number < followed->room ? followed->slots[number].first : NULL;

	while (first && !first->there)
		first = first->next;
	return first ? first->thing : NULL;
}

static bool shows(const struct followed *followed, const struct followed_item *item)
{
	return item->there && series_is_shown(followed->series, item->number) &&
	       followed_thing(followed, item->number) == item->thing;
}

bool followed_shows(const struct followed *followed, void *thing)
{
	const struct followed_item *item = find(followed, thing);

	return item && shows(followed, item);
}

void followed_each(const struct followed *followed,
		   void (*on_thing)(void *context, void *thing, bool is_shown), void *context)
{
	for (const struct followed_item *at = followed->items; at; at = at->hh.next)
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
	struct followed_item *item, *next;

	if (!followed)
		return;
	HASH_ITER (hh, followed->items, item, next)
		forget(followed, item);
	for (uint32_t i = 0; i < followed->room; i++)
		free(followed->slots[i].gone);
	series_set_free(followed->series);
	free(followed->slots);
	free(followed->counters);
	free(followed);
}
