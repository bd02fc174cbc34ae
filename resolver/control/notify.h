/* Tells the service manager where the program stands (sd_notify(3)), when it wants to know
 * (NOTIFY_SOCKET). */
#ifndef SLUICE_NOTIFY_H
#define SLUICE_NOTIFY_H

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);

#endif
