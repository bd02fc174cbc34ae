/* Turns instants of CLOCK_MONOTONIC into times of day. It is kept between reports, so that an
 * instant is the same second in all of them; when the time of day is set it follows. All zero at
 * first. */
#ifndef SLUICE_WALL_CLOCK_H
#define SLUICE_WALL_CLOCK_H

#include <stdint.h>

struct wall_clock {
	int64_t ahead_us; /* of CLOCK_MONOTONIC */
};

/* Before each report. */
void wall_clock_adjust(struct wall_clock *clock);
int64_t wall_clock_s(const struct wall_clock *clock, uint64_t monotonic_us);

#endif
