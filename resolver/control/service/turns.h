/* The CPU time of the control thread's longest turn of the loop. For that long a request, a timer
 * or a signal has waited for another one's work. */
#ifndef SLUICE_TURNS_H
#define SLUICE_TURNS_H

#include <stdint.h>
#include <uv.h>

struct turns {
	uint64_t longest_ns;
	int64_t longest_at_s; /* since 1970, when it ended; 0: there was none yet */
	/* inside */
	uv_prepare_t prepare;
	uint64_t begun_ns;
};

/* Its handle is closed with the loop's others. */
void turns_open(struct turns *turns, uv_loop_t *loop);

#endif
