/* Turns instants of CLOCK_MONOTONIC into times of day. The difference of the clocks is kept between
 * reports, so that an instant is the same second in all of them. It is replaced only if it has
 * changed by more than a second, as when the time of day was set. A wall_clock begins as all
 * zero. */
#ifndef SLUICE_WALL_CLOCK_H
#define SLUICE_WALL_CLOCK_H

#include <stdint.h>

struct wall_clock {
	int64_t ahead_us; /* the time of day minus CLOCK_MONOTONIC */
};

/* Call this before each report. */
void wall_clock_adjust(struct wall_clock *clock);
int64_t wall_clock_s(const struct wall_clock *clock, uint64_t monotonic_us);

#endif
