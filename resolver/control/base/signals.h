/* Signals are for the control thread alone. Threads inherit the mask of the one that starts them,
 * so whoever starts some blocks them meanwhile. */
#ifndef SLUICE_SIGNALS_H
#define SLUICE_SIGNALS_H

#include <signal.h>

/* Blocks all but what a fault of the program raises in its own thread; *before is for
 * signals_restore. */
void signals_block(sigset_t *before);
void signals_restore(const sigset_t *before);
/* Unblocks all: the program that started this one may have blocked them. */
void signals_allow(void);

#endif
