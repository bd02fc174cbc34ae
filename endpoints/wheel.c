/* A hierarchical timer wheel. Level 0 has a slot per tick for the next 64 ticks, level 1 a slot per
 * 64 ticks, and so on; 4 levels reach 4.7 hours. A later timer waits in the last slot, and is
 * placed again when that slot's turn comes.
 *
 *     level 0   |t|t+1|...|t+63|                     fires
 *     level 1   |  64 ticks  |  64 ticks  |...       spread over level 0 when its turn comes
 *     level 2   |       4096 ticks        |...       spread over level 1
 *
 * An advance has two steps: it walks the ticks and gathers all due timers in one list, and then
 * calls them. So a callback sees a wheel that is at `now` already. A timer that it arms, even for a
 * past time, waits for the next advance, and a timer that it cancels leaves the list like any
 * other. No slot is ever half walked.
 *
 * Not here: a thread, a clock, periodic timers. */
#include "endpoints/wheel.h"

#include <assert.h>
#include <stddef.h>

enum { SLOT_BITS = 6, SLOT_MASK = WHEEL_SLOTS - 1 };
_Static_assert(WHEEL_SLOTS == 1 << SLOT_BITS, "a word of bits per level");

static const uint64_t reach = (uint64_t)1 << (SLOT_BITS * WHEEL_LEVELS); /* ticks */

void wheel_init(struct wheel *wheel, uint64_t now_us)
{
	*wheel = (struct wheel){.tick = now_us / WHEEL_SLOT_US};
}

void timer_init(struct timer *timer, void (*on_due)(struct timer *, uint64_t now_us))
{
	*timer = (struct timer){.on_due = on_due};
}

/* The first tick at which due_us has passed. */
static uint64_t due_tick(uint64_t due_us)
{
	return due_us / WHEEL_SLOT_US + (due_us % WHEEL_SLOT_US != 0);
}

static void wheel_place(struct wheel *wheel, struct timer *timer)
{
	uint64_t at = due_tick(timer->due_us);

	if (at < wheel->tick)
		at = wheel->tick;
	if (at - wheel->tick >= reach)
		at = wheel->tick + reach - 1;
	unsigned level = 0;
	while ((at - wheel->tick) >> (SLOT_BITS * (level + 1)) != 0)
		level++;
	unsigned slot = (at >> (SLOT_BITS * level)) & SLOT_MASK;
	struct timer **head = &wheel->slots[level][slot];
	timer->next = *head;
	timer->link = head;
	if (timer->next)
		timer->next->link = &timer->next;
	*head = timer;
	wheel->occupied[level] |= (uint64_t)1 << slot;
}

/* Takes the timer off its list, and clears the slot's bit if it was the last timer. A list being
 * fired is no slot and has no bit. */
static void wheel_unlink(struct wheel *wheel, struct timer *timer)
{
	struct timer **link = timer->link;

	*link = timer->next;
	if (timer->next)
		timer->next->link = link;
	timer->next = NULL;
	timer->link = NULL;
	uintptr_t offset = (uintptr_t)link - (uintptr_t)wheel->slots;
	if (!*link && offset < sizeof wheel->slots) {
		size_t index = offset / sizeof(struct timer *);
		wheel->occupied[index / WHEEL_SLOTS] &= ~((uint64_t)1 << (index & SLOT_MASK));
	}
}

void wheel_arm(struct wheel *wheel, struct timer *timer, uint64_t due_us)
{
	assert(timer->on_due);
	if (timer->link)
		wheel_unlink(wheel, timer);
	else
		wheel->armed++;
	timer->due_us = due_us;
	wheel_place(wheel, timer);
}

void wheel_cancel(struct wheel *wheel, struct timer *timer)
{
	if (!timer->link)
		return;
	wheel_unlink(wheel, timer);
	wheel->armed--;
}

static struct timer *slot_take(struct wheel *wheel, unsigned level, unsigned slot)
{
	struct timer *list = wheel->slots[level][slot];

	wheel->slots[level][slot] = NULL;
	wheel->occupied[level] &= ~((uint64_t)1 << slot);
	return list;
}

/* For each level with a turn at this tick, spreads that slot over the level below. */
static void wheel_cascade(struct wheel *wheel)
{
	for (unsigned level = WHEEL_LEVELS - 1; level > 0; level--) {
		unsigned shift = SLOT_BITS * level;
		if ((wheel->tick & (((uint64_t)1 << shift) - 1)) != 0)
			continue;
		struct timer *timer = slot_take(wheel, level, (wheel->tick >> shift) & SLOT_MASK);
		while (timer) {
			struct timer *next = timer->next;
			wheel_place(wheel, timer);
			timer = next;
		}
	}
}

/* The next tick with possible work: the next turn of the lowest level that is not empty. */
static uint64_t wheel_next_step(const struct wheel *wheel)
{
	unsigned level = 0;

	while (level < WHEEL_LEVELS - 1 && wheel->occupied[level] == 0)
		level++;
	uint64_t step = (uint64_t)1 << (SLOT_BITS * level);
	return (wheel->tick | (step - 1)) + 1;
}

/* Appends the timers of the current tick's slot to the list that ends at *tail; returns its new
 * end. */
static struct timer **wheel_gather(struct wheel *wheel, struct timer **tail)
{
	struct timer *timer = slot_take(wheel, 0, wheel->tick & SLOT_MASK);

	*tail = timer;
	if (timer)
		timer->link = tail;
	while (*tail)
		tail = &(*tail)->next;
	return tail;
}

void wheel_advance(struct wheel *wheel, uint64_t now_us)
{
	uint64_t target = now_us / WHEEL_SLOT_US;

	if (wheel->armed == 0 && target > wheel->tick)
		wheel->tick = target;
	if (wheel->armed == 0)
		return;
	struct timer *due = NULL;
	struct timer **tail = wheel_gather(wheel, &due);
	while (wheel->tick < target) {
		uint64_t step = wheel_next_step(wheel);
		wheel->tick = step < target ? step : target;
		wheel_cascade(wheel);
		tail = wheel_gather(wheel, tail);
	}
	while (due) {
		struct timer *timer = due;
		wheel_cancel(wheel, timer);
		timer->on_due(timer, now_us);
	}
}

uint64_t wheel_next_us(const struct wheel *wheel)
{
	uint64_t next = UINT64_MAX;

	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		if (wheel->occupied[level] == 0)
			continue;
		unsigned shift = SLOT_BITS * level;
		/* Above level 0 the current slot has been spread already; timers in it now are for
		 * its turn in the next round. */
		uint64_t turn = (wheel->tick >> shift) + (level > 0);
		unsigned from = turn & SLOT_MASK;
		uint64_t bits = wheel->occupied[level];
		uint64_t ahead = from == 0 ? bits : bits >> from | bits << (WHEEL_SLOTS - from);
		turn += (unsigned)__builtin_ctzll(ahead);
		uint64_t at = (turn << shift) * WHEEL_SLOT_US;
		if (at < next)
			next = at;
	}
	return next;
}
