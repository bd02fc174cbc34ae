/* A service manager puts a server into a place of its own: a control group, a view of the files,
 * limits. Whoever takes over from that server is started elsewhere, by an administrator's shell,
 * and goes there by itself, because systemd(1) takes as a unit's main process only one of its
 * group. */
#ifndef SLUICE_PLACE_H
#define SLUICE_PLACE_H

#include <stddef.h>
#include <sys/types.h>

#include "rules/err.h"

/* Goes where that process is; `pidfd` is the same process. While this one has a single thread, and
 * before it opens files. ERR_SYSTEM where it cannot, and `error` says in one line why. */
MUST_CHECK int place_enter(pid_t pid, int pidfd, char *error, size_t size);

#endif
