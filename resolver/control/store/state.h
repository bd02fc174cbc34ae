/* The state: a source (source.h) that is one SQLite file beside the configuration. It is in WAL
 * mode with synchronous = FULL: what commit has acknowledged is on the disk. A missing file is
 * made, readable by its owner alone. The file of a newer version or of another program is refused
 * and left alone.
 *
 * An older version's file is not written either: today's tables are made in a copy (state_migrate),
 * which takes the file's place when it is opened to be written. The older file stays beside it, as
 * PATH.vN, N its version; renamed back to PATH, an older program can use it.
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

/* To be read only (SOURCE_READ, SOURCE_READ_APART), also while a server has it open: nothing of it
 * is written or made; an older version's is read from PATH.new (state_migrate), or else copied and
 * migrated aside. NULL with "" in `error`: there is no such file. */
struct source *state_look(const char *path, enum source_mode mode, char error[SOURCE_ERROR_MAX]);

/* Copies an older version's file to PATH.new and migrates the copy, in a thread; calls on_progress
 * about once a second meanwhile. Nothing is done where the file is of this version, and where
 * PATH.new was made from it at its present revision. ERR_SYSTEM, ERR_NOMEM: `error` says why, and
 * there is no PATH.new. */
MUST_CHECK int state_migrate(const char *path, void (*on_progress)(void *context), void *context,
			     char error[SOURCE_ERROR_MAX]);
/* Removes PATH.new, where there is one. */
void state_forget_migration(const char *path);

#endif
