/* clang-format off */
/* Which system calls the program may still make, once it has everything open: those that its
 * threads need, and no other. A call that nobody here makes (to execute a program, to trace or to
 * become somebody else) ends the process by SIGSYS, and the kernel's log says which it was; one
 * that is made here, but never so (a packet socket, memory that is to be executed), fails.
 *
 *     master    sandbox_enter_master   denies what no version will ever need; whatever is executed
 *                                      inherits it, over every upgrade
 *     process   sandbox_enter          before other threads are started, which inherit it
 *     worker    sandbox_enter_worker   besides: no file is opened, nothing executed or started; the
 *                                      same for listeners' threads of the management API
 *
 * A filter can never be taken off. */
/* clang-format on */
#ifndef SLUICE_SANDBOX_H
#define SLUICE_SANDBOX_H

#include <stdbool.h>

#include "rules/err.h"

/* Sanitizers take more: theirs are threads that trace the others, and files they report from. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANDBOX_IS_WIDE = 1 };
#else
enum { SANDBOX_IS_WIDE = 0 };
#endif

/* False where the kernel has no such filters, or something that stands for it: valgrind, say. */
bool sandbox_is_available(void);
/* For the calling thread and those that it starts from then on. ERR_SYSTEM, errno says why:
 * what of it took effect stays. */
MUST_CHECK int sandbox_enter_master(void);
MUST_CHECK int sandbox_enter(void);
MUST_CHECK int sandbox_enter_worker(void);
/* What a thread begins with that has bytes of strangers to read, a worker's or a listener's of the
 * management API: it keeps no right of root's, and few system calls where the process has entered.
 * What cannot be had is logged. A callback, which needs no context. */
void sandbox_bare_thread(void *context);

#endif
