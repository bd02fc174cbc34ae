/* Tells the service manager where the program stands (sd_notify(3)), when it wants to know
 * (NOTIFY_SOCKET). */
#ifndef SLUICE_NOTIFY_H
#define SLUICE_NOTIFY_H

#include <sys/types.h>

#include <stdint.h>

/* `status` is what the manager shows of it, one line. */
void notify_ready(const char *status);
void notify_reloading(void);
void notify_stopping(void);
/* Another process is the service's main one from now on. */
void notify_main_process(pid_t pid);

/* How often, in microseconds, it expects to hear notify_alive of this process (WATCHDOG_USEC,
 * WATCHDOG_PID); 0: it does not. */
uint64_t notify_watchdog_us(void);
void notify_alive(void);

#endif
