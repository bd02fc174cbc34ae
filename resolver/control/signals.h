/* Signals are for the control thread alone. Threads inherit the mask of the one that starts them,
 * so whoever starts some blocks them meanwhile. */
#ifndef SLUICE_SIGNALS_H
#define SLUICE_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/* Blocks all but what a fault of the program raises in its own thread; *before is for
 * signals_restore. */
void signals_block(sigset_t *before);
void signals_restore(const sigset_t *before);
/* Whether one that stops the program waits until they are restored. */
bool signals_stop_waits(void);

#endif
