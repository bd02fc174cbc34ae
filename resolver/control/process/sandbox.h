/* clang-format off */
/* System call filters: once the program has opened everything, its threads may only make the calls
 * they need. A call that no thread needs (execve, ptrace, setuid) ends the process by SIGSYS, and
 * the kernel's log names it. A call that threads need, but with other arguments (a packet socket,
 * executable memory), fails.
 *
 *     master    sandbox_enter_master   denies what no version will ever need; executed programs
 *                                      inherit it, over every upgrade
 *     process   sandbox_enter          before it starts other threads, which inherit it
 *     worker    sandbox_enter_worker   also denies opening files, listening and new threads; HTTP
 *                                      listeners and the query log's reader have it as well
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
/* A callback for a thread that handles bytes of strangers (worker, HTTP listener, query log),
 * before it reads any: watches the thread (threads.h), drops rights of root, and filters system
 * calls if the process does. Logs failures. `context` is unused. */
void sandbox_bare_thread(void *context);

#endif
