/* Measures the CPU time of the control thread's longest turn of the loop: other requests, timers
 * and signals had to wait that long. */
#ifndef SLUICE_TURNS_H
#define SLUICE_TURNS_H

#include <stdint.h>
#include <uv.h>

struct turns {
	uint64_t longest_ns;
	int64_t longest_at_s; /* when that turn ended, since 1970; 0: none yet */
	/* internal */
	uv_prepare_t prepare;
	uint64_t begun_ns;
};

/* The handle is closed with the loop's others. */
void turns_open(struct turns *turns, uv_loop_t *loop);

#endif
