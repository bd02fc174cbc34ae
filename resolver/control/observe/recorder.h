/* Once a second tells the history what has been counted, from the series that the metrics show
 * (tally.h). The data path is asked nothing: its counters are read as they are. */
#ifndef SLUICE_RECORDER_H
#define SLUICE_RECORDER_H

#include <uv.h>

#include "resolver/control/observe/history.h"
#include "resolver/control/observe/tally.h"

struct recorder {
	uv_timer_t timer;
	struct tally *tally;
	struct history *history; /* NULL: it was not started, or there was no memory */
};

/* On the loop, until it is closed with the loop's other handles, of a server that serves. Without
 * memory there is no history. */
void recorder_start(struct recorder *recorder, uv_loop_t *loop, struct tally *tally);
/* Before the tally is freed; fine on one that was not started. */
void recorder_stop(struct recorder *recorder);

#endif
