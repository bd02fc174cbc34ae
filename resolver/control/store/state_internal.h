/* Shared by state*.c and file_rows.c. */
#ifndef SLUICE_STATE_INTERNAL_H
#define SLUICE_STATE_INTERNAL_H

#include <limits.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "resolver/control/store/state.h"

/* Writes into `error` what failed ("cannot be opened") and what would help, with SQLite's latest
 * code; returns ERR_SYSTEM. */
int state_explain(sqlite3 *db, const char *path, const char *what, char error[SOURCE_ERROR_MAX]);

/* ---- state_file.c ---- */

struct state_file {
	sqlite3 *db; /* NULL: closed */
	const char *path;
	bool has_log;
	struct stat log; /* PATH-wal as it was when the file was opened */
};

/* Makes an empty file if there is none. */
MUST_CHECK int state_file_make(const char *path, char error[SOURCE_ERROR_MAX]);
/* ERR_SYSTEM: the path has no regular file, or an empty one; `error` says what would help. */
MUST_CHECK int state_file_look(const char *path, char error[SOURCE_ERROR_MAX]);
/* Opens and prepares the file; an older version's file is replaced first (state_migration_finish).
 * The path must outlive `file`. */
MUST_CHECK int state_file_open(struct state_file *file, const char *path, bool may_make,
			       char error[SOURCE_ERROR_MAX]);
/* Opens the file with the parameters of an SQLite URI: "?mode=ro". */
MUST_CHECK int state_file_open_as(struct state_file *file, const char *path, const char *parameters,
				  char error[SOURCE_ERROR_MAX]);
/* Opens the file to be read; if nobody else has it open, makes no file beside it. */
MUST_CHECK int state_file_open_read_only(struct state_file *file, const char *path, bool apart,
					 char error[SOURCE_ERROR_MAX]);
/* Opens the file to be written; closing it does not checkpoint the log into the file. */
MUST_CHECK int state_file_open_without_checkpoint(struct state_file *file, const char *path,
						  char error[SOURCE_ERROR_MAX]);
/* Opens the state to be read; an older version is read from PATH.new or from a migrated copy
 * (state_look). ERR_NOT_FOUND: the file has no tables yet. */
MUST_CHECK int state_file_open_to_look(struct state_file *file, const char *path, bool apart,
				       char error[SOURCE_ERROR_MAX]);
/* Copies the open database into a temporary file, which is removed when it is closed. */
MUST_CHECK int state_file_copy(struct state_file *copy, const struct state_file *file,
			       const char *path, char error[SOURCE_ERROR_MAX]);
/* Makes a database in memory with the tables of a new state. The path, for errors, must outlive
 * `file`. */
MUST_CHECK int state_file_make_empty(struct state_file *file, const char *path,
				     char error[SOURCE_ERROR_MAX]);
/* Copies a whole database into an empty one; `progress` rises meanwhile. ERR_SYSTEM: `to` has the
 * reason. */
MUST_CHECK int state_copy_pages(sqlite3 *to, sqlite3 *from, atomic_uint *progress);
void state_file_close(struct state_file *file); /* a closed file is fine */
/* Whether the path of the open file now has another file, or none. */
bool state_file_is_another(const struct state_file *file);
/* Whether the open file and its log are still at the path. */
bool state_file_is_there(const struct state_file *file);
/* If the log was removed from its path, checkpoints it into the file, so that its changes are not
 * lost. */
MUST_CHECK int state_file_save(const struct state_file *file, char error[SOURCE_ERROR_MAX]);

/* ---- state_schema.c ---- */

#define STATE_READ_REVISION "SELECT value FROM meta WHERE key = 'revision'"

/* Reads the first column of the only row; 0 if there is no row. ERR_SYSTEM. */
MUST_CHECK int state_read_number(sqlite3 *db, const char *sql, int64_t *number);
/* Makes the tables of a new file; sets the journal mode and other pragmas of any file. */
MUST_CHECK int state_prepare(sqlite3 *db, const char *path, char error[SOURCE_ERROR_MAX]);
/* Reads the file's version; 0: it has no tables yet. ERR_SYSTEM: the file must not be touched. */
MUST_CHECK int state_examine(sqlite3 *db, const char *path, unsigned *version,
			     char error[SOURCE_ERROR_MAX]);
/* Migrates the database in place; call it on a copy, or on a new file. */
MUST_CHECK int state_bring_up_to_date(sqlite3 *db, const char *path, char error[SOURCE_ERROR_MAX]);
/* Replaces the pairs of `db` with those of the database attached as `old`, whatever its version.
 * Returns a result code of SQLite. */
MUST_CHECK int state_copy_pairs(sqlite3 *db);

/* ---- state_migration.c ---- */

/* Opens PATH.new to be read. `old` is the older file, open. ERR_NOT_FOUND: PATH.new was not made
 * from that file's present revision. The path must outlive `migrated`. */
MUST_CHECK int state_migration_open(const char *path, sqlite3 *old, struct state_file *migrated);
/* Replaces the older file with PATH.new. If PATH.new was not made from the present revision, makes
 * it again if may_make, else fails: making it may take longer than the watchdog waits. The caller
 * has locked the directory. */
MUST_CHECK int state_migration_finish(const char *path, bool may_make,
				      char error[SOURCE_ERROR_MAX]);
/* Locks the directory: exclusively to migrate, shared to read. Close the descriptor to unlock.
 * Waits at most STATE_BUSY_MS; -1: `error` says why. */
int state_migration_lock(const char *path, bool shared, char error[SOURCE_ERROR_MAX]);

enum { STATE_ADDRESS_KEY_MAX = 17 };
/* In state_schema.c: writes a key that sorts like the address: family, then bytes. Returns the
 * key's length. */
size_t state_address_key(const struct address *address, uint8_t key[STATE_ADDRESS_KEY_MAX]);

#endif
