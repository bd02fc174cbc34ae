/* The service manager's watchdog: it is told that the program is alive only while the control
 * thread turns its loop and every worker has turned its own since the time before. A worker that
 * hangs would be noticed by a part of the clients only; here it silences the program as a whole,
 * and the manager kills it and starts it anew. */
#ifndef SLUICE_WATCHDOG_H
#define SLUICE_WATCHDOG_H

#include <uv.h>

#include "resolver/server.h"

enum { WATCHDOG_TURNS = 4 }; /* looked after so often in the manager's period */

struct watchdog {
	uv_timer_t timer;
	struct server *server;
	bool told; /* that a worker hangs */
};

/* On the loop, until it is closed with the loop's other handles; does nothing when no manager
 * wants it. The server must outlive the loop's run. */
void watchdog_start(struct watchdog *watchdog, uv_loop_t *loop, struct server *server);
/* Says nothing more; fine on one that was not started. */
void watchdog_stop(struct watchdog *watchdog);

#endif
