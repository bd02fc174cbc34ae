/* What the files of state*.c share. */
#ifndef SLUICE_STATE_INTERNAL_H
#define SLUICE_STATE_INTERNAL_H

#include <limits.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "resolver/control/store/state.h"

/* Says in `error` what failed and what would help, by the code that SQLite gave last; returns
 * ERR_SYSTEM. `what`: "cannot be opened". */
int state_explain(sqlite3 *db, const char *path, const char *what, char error[SOURCE_ERROR_MAX]);

/* ---- state_file.c ---- */

struct state_file {
	sqlite3 *db; /* NULL: closed */
	const char *path;
	bool has_log;
	struct stat log; /* the log that is open */
};

/* Makes an empty one where there is none. */
MUST_CHECK int state_file_make(const char *path, char error[SOURCE_ERROR_MAX]);
/* Whether there is one that can be opened again, and that is not empty. */
MUST_CHECK int state_file_look(const char *path, char error[SOURCE_ERROR_MAX]);
/* Opens and prepares the file; an older version's is replaced first (state_migration_finish). The
 * path must outlive it. */
MUST_CHECK int state_file_open(struct state_file *file, const char *path, bool may_make,
			       char error[SOURCE_ERROR_MAX]);
/* Opens it with these parameters of an SQLite URI: "?mode=ro". */
MUST_CHECK int state_file_open_as(struct state_file *file, const char *path, const char *parameters,
				  char error[SOURCE_ERROR_MAX]);
/* To be read, and nothing is made beside it where nobody has it open. */
MUST_CHECK int state_file_open_read_only(struct state_file *file, const char *path, bool apart,
					 char error[SOURCE_ERROR_MAX]);
/* Opens it to be locked; closing it does not checkpoint the log into the file. */
MUST_CHECK int state_file_open_without_checkpoint(struct state_file *file, const char *path,
						  char error[SOURCE_ERROR_MAX]);
/* Opens the state to be read; an older version's file is read from PATH.new or a migrated copy
 * (state_look). ERR_NOT_FOUND: it has no tables yet. */
MUST_CHECK int state_file_open_to_look(struct state_file *file, const char *path, bool apart,
				       char error[SOURCE_ERROR_MAX]);
/* What is open, once more: in a temporary file, which goes when it is closed. */
MUST_CHECK int state_file_copy(struct state_file *copy, const struct state_file *file,
			       const char *path, char error[SOURCE_ERROR_MAX]);
/* All of a database into an empty one; `progress` rises meanwhile. ERR_SYSTEM: `to` has the reason.
 */
MUST_CHECK int state_copy_pages(sqlite3 *to, sqlite3 *from, atomic_uint *progress);
void state_file_close(struct state_file *file); /* closed is fine */
/* Whether there is another file, or none, at the path of what is open. */
bool state_file_is_another(const struct state_file *file);
/* Whether what is open is what is at the path, with its log. */
bool state_file_is_there(const struct state_file *file);
/* What is only in a log that is gone from its path goes into the file. */
MUST_CHECK int state_file_save(const struct state_file *file, char error[SOURCE_ERROR_MAX]);

/* ---- state_schema.c ---- */

#define STATE_READ_REVISION "SELECT value FROM meta WHERE key = 'revision'"

/* The first column of the only row; 0 without one. ERR_SYSTEM. */
MUST_CHECK int state_read_number(sqlite3 *db, const char *sql, int64_t *number);
/* Makes the tables of a new file, and sets how an open file is written. */
MUST_CHECK int state_prepare(sqlite3 *db, const char *path, char error[SOURCE_ERROR_MAX]);
/* Of which version it is; 0: it has no tables yet. ERR_SYSTEM: it is not to be touched. */
MUST_CHECK int state_examine(sqlite3 *db, const char *path, unsigned *version,
			     char error[SOURCE_ERROR_MAX]);
/* Migrates it in place; call it on a copy, or on a new file. */
MUST_CHECK int state_bring_up_to_date(sqlite3 *db, const char *path, char error[SOURCE_ERROR_MAX]);
/* Deletes the pairs of `db` and copies those of the database attached as `old`, whose version may
 * be any. Returns a result code of SQLite's. */
MUST_CHECK int state_copy_pairs(sqlite3 *db);

/* ---- state_migration.c ---- */

/* Opens PATH.new to be read. ERR_NOT_FOUND: it was not made from the older file, which is open, at
 * its present revision. The path must outlive it. */
MUST_CHECK int state_migration_open(const char *path, sqlite3 *old, struct state_file *migrated);
/* Replaces the older file with PATH.new. Where PATH.new was not made from it at its present
 * revision, makes it anew if may_make, else fails: making it may take longer than the watchdog
 * waits. The caller has locked the directory. */
MUST_CHECK int state_migration_finish(const char *path, bool may_make,
				      char error[SOURCE_ERROR_MAX]);
/* Locks the directory, against others that would migrate, or for one that only reads (shared);
 * close the descriptor to unlock. Waits STATE_BUSY_MS at most; -1: error says why. */
int state_migration_lock(const char *path, bool shared, char error[SOURCE_ERROR_MAX]);

enum { STATE_ADDRESS_KEY_MAX = 17 };
/* The family and the bytes, which sort as numbers; returns how long it is. */
size_t state_address_key(const struct address *address, uint8_t key[STATE_ADDRESS_KEY_MAX]);

#endif
