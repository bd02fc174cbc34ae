/* Least privilege. A program that root has started opens what only root may open and goes on as
 * another user, who keeps one right of root's, that of binding port 53 (a reload may bring a new
 * endpoint), and cannot come by any other: not by a setuid program, not by a capability.
 *
 *     root ──privileges_drop──► user        binds port 53, enlarges socket buffers
 *          ──privileges_settle─► user       binds port 53
 *          ──privileges_none───► a worker   nothing of root's
 *
 * Capabilities are a thread's own, and a new thread has those of the one that starts it: so the
 * first two come before any other thread is started. */
#ifndef SLUICE_PRIVILEGES_H
#define SLUICE_PRIVILEGES_H

#include <stdbool.h>

#include "rules/err.h"
#include "rules/fault.h"
#include "rules/model.h"

/* Becomes the model's user for good. Without a user, or when it is that user already, only rights
 * that are of no use are given up. What a reload or a restart has to read or write, and the user
 * may not, is a fault each: the configuration's files, zones, secrets, certificate and key,
 * resolv.conf where that is given, and the directories of state and control socket. To serve, the
 * latter is made for the user first where it is missing. ERR_FAULTS: it is still who it was, or
 * cannot go on as who it is by now. */
MUST_CHECK int privileges_drop(const struct model *model, const char *resolv_conf, bool to_serve,
			       struct faults *faults);
/* Gives up what only opening the first sockets took. ERR_SYSTEM, errno says why. */
MUST_CHECK int privileges_settle(void);
/* The calling thread keeps no right of root's. ERR_SYSTEM, errno says why. */
MUST_CHECK int privileges_none(void);

/* "user sluice (uid 999, gid 999)", of who the program is now. */
enum { PRIVILEGES_TEXT_MAX = 320 };
const char *privileges_text(char text[PRIVILEGES_TEXT_MAX]);

#endif
