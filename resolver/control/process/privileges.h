/* Least privilege. Where root has started the program, the server goes on as another user, which
 * keeps no right of root's and cannot get any: not by a setuid program, not by a capability.
 * Its master becomes that user, too, when the first server serves, and keeps one right, that of
 * binding port 53: a reload may bring a new endpoint.
 *
 *     anybody ──privileges_begin──►            the master, with no_new_privs
 *     root ──privileges_drop──► user           the server
 *     root ──privileges_keep_binding──► user   the master, and what it executes: a server gives it
 * up root ──privileges_none──► a worker       nothing of root's, where the server stays root
 *
 * Capabilities are a thread's own, and a new thread has those of the one that starts it: so the
 * first two come before any other thread is started. */
#ifndef SLUICE_PRIVILEGES_H
#define SLUICE_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

#include "rules/err.h"
#include "rules/fault.h"
#include "rules/schema/model.h"

/* Becomes the model's user for good. Without a user, or when it is that user already, only rights
 * that are of no use are given up. What a reload or a restart has to read or write, and the user
 * may not, is a fault each: the configuration's files, zones, secrets, certificate and key,
 * resolv.conf where that is given, and the directories of state and control socket. To serve, the
 * latter is made for the user first where it is missing. ERR_FAULTS: it is still who it was, or
 * cannot go on as who it is by now. */
MUST_CHECK int privileges_drop(const struct model *model, const char *resolv_conf, bool to_serve,
			       struct faults *faults);
/* Warns where the user who serves can change this program, or put another in its place: the master
 * starts it again. Not where it is root's. */
void privileges_check_program(const struct model *model, struct faults *faults);
/* Sets no_new_privs, and keeps CAP_NET_BIND_SERVICE from file capabilities as ambient. ERR_SYSTEM,
 * errno says why. */
MUST_CHECK int privileges_begin(void);
/* Becomes that user for good, with these groups, and keeps the right to bind port 53, over a
 * program that is executed, too. ERR_SYSTEM, errno says why: it is half way. */
MUST_CHECK int privileges_keep_binding(uid_t uid, gid_t gid, const gid_t *groups, size_t count);
/* The calling thread keeps no right of root's. ERR_SYSTEM, errno says why. */
MUST_CHECK int privileges_none(void);

/* "user sluice (uid 999, gid 999)", of who the program is now. */
enum { PRIVILEGES_TEXT_MAX = 320 };
const char *privileges_text(char text[PRIVILEGES_TEXT_MAX]);

#endif
