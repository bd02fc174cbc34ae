/* The state: a source (source.h) that is one SQLite file beside the configuration. It is in WAL
 * mode with synchronous = FULL: what commit has acknowledged is on the disk. The file is made when
 * there is none, for its owner only. A newer version's file, or another program's, is refused and
 * left alone.
 *
 * An older version's file is not written either: today's tables are made in a copy (state_migrate),
 * which takes the file's place when it is opened to be written. The older file stays beside it, as
 * PATH.vN, N its version: back at the path it is what it was.
 *
 * One server writes. Others may read (sqlite3 FILE .dump). Should another one write all the same,
 * the next begin notices and gives ERR_EXISTS, until sync has been called again.
 *
 * Nothing is written to a file that is not at its path any more: once it is gone or replaced,
 * changes fail until it is back, and it is not made anew, because everything would be forgotten
 * then. What only reads goes on with the file that is open. After any failure that has to do with
 * the file the next change, or sync, opens it again. */
#ifndef SLUICE_STATE_H
#define SLUICE_STATE_H

#include "resolver/control/store/source.h"

enum {
	STATE_VERSION = 8,              /* of the tables */
	STATE_APPLICATION = 0x736c7563, /* in the file's header: "sluc" */
	STATE_BUSY_MS = 500,            /* waited for another program's lock */
	STATE_CHANGES_MAX = 500000,     /* of the history, at most */
};

/* NULL: `error` says why, and what would help. */
struct source *state_open(const char *path, char error[SOURCE_ERROR_MAX]);

/* The same to be read only, also while a server has it open: nothing of it is written or made; an
 * older version is read from PATH.new (state_migrate), or else copied and migrated aside. NULL with
 * "" in `error`: there is no such file. STATE_LOOK_WITHIN: in the process that also has it open to
 * write, with which it shares SQLite's -shm file. STATE_LOOK_APART: in any other process; -shm is
 * not written either. */
enum state_look { STATE_LOOK_WITHIN, STATE_LOOK_APART };
struct source *state_look(const char *path, enum state_look how, char error[SOURCE_ERROR_MAX]);

/* Makes PATH.new of an older version's file, in a thread, and calls `turn` about once a second
 * meanwhile. Nothing is done where there is no older file, and where PATH.new is of what the file
 * has now. ERR_SYSTEM, ERR_NOMEM: `error` says why, and there is no PATH.new. */
MUST_CHECK int state_migrate(const char *path, void (*turn)(void *context), void *context,
			     char error[SOURCE_ERROR_MAX]);
/* Removes PATH.new, where there is one. */
void state_forget_migration(const char *path);

#endif
