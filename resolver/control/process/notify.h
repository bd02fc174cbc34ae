/* Tells the service manager the program's status (sd_notify(3)) if NOTIFY_SOCKET is set. Only the
 * master does that: it is the service's main process. A server only reads the watchdog's interval,
 * which the master sets for it. */
#ifndef SLUICE_NOTIFY_H
#define SLUICE_NOTIFY_H

#include <stdint.h>

enum {
	WATCHDOG_TURNS = 4, /* checks in a period, so that a worker may miss two of them while it is
			       busy */
	WATCHDOG_PERIOD_US = 30000000, /* without a service manager */
};

/* `status`: one line that the manager shows. */
void notify_ready(const char *status);
/* Tells the manager that the start takes this much longer. */
void notify_starting(uint64_t ms);
void notify_reloading(void);
/* Tells the manager that the server has ended, and that another one is started. */
void notify_ended(void);
void notify_stopping(void);

/* The interval in microseconds within which the manager expects notify_alive (WATCHDOG_USEC,
 * WATCHDOG_PID); 0: it expects none. */
uint64_t notify_watchdog_us(void);
void notify_alive(void);

#endif
