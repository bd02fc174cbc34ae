/* Tells the service manager where the program stands (sd_notify(3)), when it wants to know
 * (NOTIFY_SOCKET): the master's, which is the service's main process. */
#ifndef SLUICE_NOTIFY_H
#define SLUICE_NOTIFY_H

#include <stdint.h>

enum {
	WATCHDOG_TURNS = 4,            /* looks in a period: a worker that is busy for half of it
					* loses two, and the program lives */
	WATCHDOG_PERIOD_US = 30000000, /* where no service manager gives one */
};

/* `status` is what the manager shows of it, one line. */
void notify_ready(const char *status);
/* The start takes this much longer. */
void notify_starting(uint64_t ms);
void notify_reloading(void);
void notify_stopping(void);

/* How often, in microseconds, it expects to hear notify_alive of this process (WATCHDOG_USEC,
 * WATCHDOG_PID); 0: it does not. */
uint64_t notify_watchdog_us(void);
void notify_alive(void);

#endif
