#include "resolver/control/base/wall_clock.h"

#include <stdlib.h>
#include <time.h>
#include <uv.h>

/* The two clocks are read at different moments, so their difference varies a little, and that could
 * move an instant into the next second. Only a change of over a second counts. */
void wall_clock_adjust(struct wall_clock *clock)
{
	enum { SET_US = 1000000 };
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	int64_t ahead_us =
		(int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 - (int64_t)(uv_hrtime() / 1000);
	if (llabs(ahead_us - clock->ahead_us) > SET_US)
		clock->ahead_us = ahead_us;
}

int64_t wall_clock_s(const struct wall_clock *clock, uint64_t monotonic_us)
{
	return ((int64_t)monotonic_us + clock->ahead_us) / 1000000;
}
