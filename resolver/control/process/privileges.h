/* clang-format off */
/* Least privilege. A server that root has started becomes the configured user. It keeps no right of
 * root and cannot gain any, neither by a setuid program nor by a capability. Once the first server
 * serves, its master becomes that user as well, and keeps only the right to bind ports below 1024:
 * a reload may add an endpoint at port 53.
 *
 *     anybody ──privileges_begin──►            the master, with no_new_privs
 *     root ──privileges_drop──► user           the server
 *     root ──privileges_keep_binding──► user   the master; servers inherit the right, and drop it
 *     root ──privileges_none──► a worker       without root's rights, if the server stays root
 *
 * Capabilities belong to a thread, and a new thread inherits those of its creator: so call all but
 * privileges_none before any other thread starts. */
/* clang-format on */
#ifndef SLUICE_PRIVILEGES_H
#define SLUICE_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

#include "rules/err.h"
#include "rules/fault.h"
#include "rules/schema/model.h"

/* Becomes the model's user for good. Without a user, or if the process is that user already, gives
 * up rights that are not needed; if the process is root, it also takes the model's group. After a
 * change of user, each file that a reload or restart needs and the user cannot read or write is a
 * fault: the configuration's files, zones, secrets, certificate and key, state, resolv.conf if
 * given, and the directories of state, query log and control socket. SERVE first makes a missing
 * socket directory for the user. SERVE_AGAIN, for a server in place of one that ended, keeps the
 * current user, with a warning if the model has another. ERR_FAULTS: the process must end. */
enum privileges_for { PRIVILEGES_CHECK, PRIVILEGES_SERVE, PRIVILEGES_SERVE_AGAIN };
MUST_CHECK int privileges_drop(const struct model *model, const char *resolv_conf,
			       enum privileges_for what, struct faults *faults);
/* Warns if the serving user can change or replace this program, which the master starts again. Does
 * not warn if that user is root, nor if the program is root's: the master executes no other user's
 * file in its place. */
void privileges_check_program(const struct model *model, struct faults *faults);
/* Sets no_new_privs. If the process is not root but has CAP_NET_BIND_SERVICE, makes it ambient, so
 * that servers inherit it. ERR_SYSTEM: errno says why. */
MUST_CHECK int privileges_begin(void);
/* Becomes that user for good, with these groups, and keeps the right to bind port 53, also across
 * execve. ERR_SYSTEM: the change is incomplete, errno says why. */
MUST_CHECK int privileges_keep_binding(uid_t uid, gid_t gid, const gid_t *groups, size_t count);
/* Takes all rights of root from the calling thread. ERR_SYSTEM: errno says why. */
MUST_CHECK int privileges_none(void);

/* The current user: "user sluice (uid 999, gid 999)". */
enum { PRIVILEGES_TEXT_MAX = 320 };
const char *privileges_text(char text[PRIVILEGES_TEXT_MAX]);

#endif
