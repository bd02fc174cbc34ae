/* Once a second passes the counters of the metrics' series (tally.h) to the history. The data path
 * does nothing for it: its counters are read as they are. */
#ifndef SLUICE_RECORDER_H
#define SLUICE_RECORDER_H

#include <uv.h>

#include "resolver/control/observe/history.h"
#include "resolver/control/observe/tally.h"

struct recorder {
	uv_timer_t timer;
	struct tally *tally;
	struct history *history; /* NULL: not started, or out of memory */
};

/* Takes samples on the loop until recorder_stop. The timer's handle is closed with the loop's other
 * handles. The server must serve. If memory is short there is no history. */
void recorder_start(struct recorder *recorder, uv_loop_t *loop, struct tally *tally);
/* Call it before the tally is freed; a recorder that was not started is fine. */
void recorder_stop(struct recorder *recorder);

#endif
