/* Signals are for the control thread alone. Threads inherit the mask of the thread that starts
 * them, so a thread blocks signals while it starts others. */
#ifndef SLUICE_SIGNALS_H
#define SLUICE_SIGNALS_H

#include <signal.h>

/* Blocks all signals but those that a fault raises in its own thread (SIGSEGV ...). *before is for
 * signals_restore; pass NULL to leave them blocked. */
void signals_block(sigset_t *before);
void signals_restore(const sigset_t *before);
/* Unblocks all signals: the parent process may have blocked some. */
void signals_allow(void);

#endif
