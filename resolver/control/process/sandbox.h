/* clang-format off */
/* System call filters: once the program has opened everything, only the calls that its threads
 * need are left. A call that it never makes then (execve, ptrace, setuid) ends the process by
 * SIGSYS, and the kernel's log names it; a call that it makes, but never with such arguments (a
 * packet socket, executable memory), fails.
 *
 *     master    sandbox_enter_master   denies what no version will ever need; executed programs
 *                                      inherit it, over every upgrade
 *     process   sandbox_enter          before other threads are started, which inherit it
 *     worker    sandbox_enter_worker   also denies opening files, execution and new threads; for
 *                                      listeners' threads of the management API as well
 *
 * A filter cannot be removed. */
/* clang-format on */
#ifndef SLUICE_SANDBOX_H
#define SLUICE_SANDBOX_H

#include <stdbool.h>

#include "rules/err.h"

/* Sanitizers need more calls: their threads trace others, and write reports to files. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANDBOX_IS_WIDE = 1 };
#else
enum { SANDBOX_IS_WIDE = 0 };
#endif

/* False if the kernel has no seccomp filters, or if the program runs in valgrind. */
bool sandbox_is_available(void);
/* Filters the calling thread and the threads it starts from now on. ERR_SYSTEM: errno says why;
 * filters that took effect stay. */
MUST_CHECK int sandbox_enter_master(void);
MUST_CHECK int sandbox_enter(void);
MUST_CHECK int sandbox_enter_worker(void);
/* The first call of a thread that reads bytes of strangers (a worker, a listener of the management
 * API): drops rights of root, and filters system calls if the process does. Logs failures. A
 * callback; `context` is unused. */
void sandbox_bare_thread(void *context);

#endif
