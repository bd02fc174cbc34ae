/* A thread that works for long beside others yields the processor to them again and again.
 *
 * The kernel runs a thread until its slice or a tick is over, milliseconds, whoever is woken on its
 * processor meanwhile; and it does not always find an idle one for who is woken, a virtual
 * machine's seldom. A worker that has a question would wait that long behind the reading of a
 * configuration, which takes ten times as long. So while this thread works, a signal interrupts it
 * some thousand times a second, and it yields.
 *
 * On a processor that is busy all the time, who yields waits for long; then it goes on for as long
 * before it yields again, so that it comes to an end.
 *
 *     yielding_start ── yielding_begin ── work that waits for nothing ── yielding_end ── ...
 *
 * What waits is left out: a signal cuts short a sleep, and a wait that has a timeout. */
#ifndef SLUICE_YIELDING_H
#define SLUICE_YIELDING_H

#include "rules/err.h"

enum { YIELDING_EVERY_US = 200 };

/* The calling thread is the one that yields, the only one of the process, and SIGALRM is for this.
 * ERR_SYSTEM, and errno says why: then it does not yield, and the others do nothing. */
MUST_CHECK int yielding_start(void);
void yielding_stop(void);

/* By that thread, around its work. */
void yielding_begin(void);
void yielding_end(void);

#endif
