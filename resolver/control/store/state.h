/* The state: a source (source.h) kept in the one SQLite file that management.state names. The file
 * is in WAL mode with synchronous = FULL, so a change that commit has acknowledged is on the disk.
 * A missing file is made, readable by its owner alone. A file of a newer version or of another
 * program is refused and left alone.
 *
 * A file of an older version is never written: today's tables are made in a copy (state_migrate),
 * which takes the file's place when the state is opened to be written. The older file stays beside
 * it as PATH.vN, N its version, and its log, if it has one, as PATH.vN-wal. To go back to an older
 * program, remove PATH, PATH-wal and PATH-shm, and rename PATH.vN to PATH and PATH.vN-wal to
 * PATH-wal.
 *
 * One server writes. Others may read (sqlite3 FILE .dump). If another program writes all the same,
 * the next begin fails with ERR_EXISTS until sync has been called again.
 *
 * Changes go only to the file at the path. While the path has no file, changes fail, because a new
 * file would lose all resources; readers go on with the open file. After a failure, or if the file
 * was replaced, the next change or sync opens it again. */
#ifndef SLUICE_STATE_H
#define SLUICE_STATE_H

#include "resolver/control/store/source.h"

enum {
	STATE_VERSION = 8,              /* of the tables */
	STATE_APPLICATION = 0x736c7563, /* in the file's header: "sluc" */
	STATE_BUSY_MS = 500,            /* longest wait for another program's lock */
	STATE_CHANGES_MAX = 500000,     /* rows of the history */
};

/* Opens the state to be written. NULL: `error` says why, and what would help. */
struct source *state_open(const char *path, char error[SOURCE_ERROR_MAX]);

/* Opens the state to read only (SOURCE_READ, SOURCE_READ_APART), even while a server has it open;
 * writes no file, except SQLite's -shm for SOURCE_READ. An older version is read from PATH.new
 * (state_migrate), or from a migrated temporary copy. NULL with "" in `error`: the file does not
 * exist, or has no tables yet. */
struct source *state_look(const char *path, enum source_mode mode, char error[SOURCE_ERROR_MAX]);

/* Opens an empty state in memory, to read attached items of the configuration file. */
struct source *state_open_empty(char error[SOURCE_ERROR_MAX]);

/* Copies an older version's file to PATH.new and migrates the copy, in a thread; calls on_progress
 * about once a second meanwhile. Does nothing if the file has this version, or if PATH.new was
 * already made from its present revision. ERR_SYSTEM, ERR_NOMEM: `error` says why, and no half-made
 * PATH.new is left. */
MUST_CHECK int state_migrate(const char *path, void (*on_progress)(void *context), void *context,
			     char error[SOURCE_ERROR_MAX]);
/* Removes PATH.new, if state_migrate has made it. */
void state_forget_migration(const char *path);

#endif
