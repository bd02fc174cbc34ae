/* Signals are for the control thread alone. Threads inherit the mask of the one that starts them,
 * so whoever starts some blocks them meanwhile. */
#ifndef SLUICE_SIGNALS_H
#define SLUICE_SIGNALS_H

#include <signal.h>

/* Blocks all but what a fault of the program raises in its own thread; *before is for
 * signals_restore. */
void signals_block(sigset_t *before);
void signals_restore(const sigset_t *before);
/* Those that came while whoever started this program had them blocked are heard from now on. */
void signals_allow(void);

#endif
