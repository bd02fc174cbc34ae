/* The master is told that the server is alive only while the control thread turns its loop and
 * every worker has turned its own since the time before. A worker that hangs would be noticed by a
 * part of the clients only; here it silences the server as a whole, and the master kills it and
 * starts it anew. */
#ifndef SLUICE_WATCHDOG_H
#define SLUICE_WATCHDOG_H

#include <uv.h>

#include "resolver/control/process/master_link.h"
#include "resolver/server/server.h"

enum {
	WATCHDOG_TURNS = 4,            /* looked after so often in a period */
	WATCHDOG_PERIOD_US = 30000000, /* where no service manager gives one */
};

struct watchdog {
	uv_timer_t timer;
	struct server *server;
	struct master_link *master;
	bool told; /* that a worker hangs */
};

/* On the loop, until it is closed with the loop's other handles. The server must outlive the loop's
 * run. */
void watchdog_start(struct watchdog *watchdog, uv_loop_t *loop, struct server *server,
		    struct master_link *master);
/* After how long a server is mute: as long as the service manager waits for the program. */
uint64_t watchdog_period_us(void);

#endif
