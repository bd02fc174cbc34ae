/* The timers of one worker: a hierarchical wheel of intrusive entries. Arming and cancelling cost
 * the same however many timers there are. Time is a parameter, so a test controls it. A slot is
 * about a millisecond; a timer fires at or after its time, never before. */
#ifndef SLUICE_WHEEL_H
#define SLUICE_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
	struct timer *next, **link; /* link NULL: not armed */
	uint64_t due_us;
	void (*on_due)(struct timer *timer, uint64_t now_us);
};

enum { WHEEL_SLOT_US = 1024, WHEEL_LEVELS = 4, WHEEL_SLOTS = 64 };

struct wheel {
	struct timer *slots[WHEEL_LEVELS][WHEEL_SLOTS];
	uint64_t occupied[WHEEL_LEVELS]; /* a bit per slot that holds something */
	uint64_t tick;                   /* slots passed since time 0 */
	unsigned armed;
};

void wheel_init(struct wheel *wheel, uint64_t now_us);
void timer_init(struct timer *timer, void (*on_due)(struct timer *, uint64_t now_us));
/* Arms, or moves an armed one. A time that has passed fires at the next advance. */
void wheel_arm(struct wheel *wheel, struct timer *timer, uint64_t due_us);
void wheel_cancel(struct wheel *wheel, struct timer *timer); /* fine when not armed */
static inline bool timer_armed(const struct timer *timer)
{
	return timer->link != NULL;
}
/* Fires all due timers. A callback may arm and cancel any timer, even one due in the same slot. */
void wheel_advance(struct wheel *wheel, uint64_t now_us);
/* When to call wheel_advance next: the time of the earliest timer, rounded up to its slot, or
 * earlier; UINT64_MAX if no timer is armed. */
uint64_t wheel_next_us(const struct wheel *wheel);

#endif
