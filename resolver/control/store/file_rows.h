/* The addresses and services of a configuration file as rows, so that one statement finds a row of
 * the file or of the state. Each load of the file puts its rows into a database of its own in
 * memory, which never changes afterwards. Every connection to the state attaches it, in any thread,
 * and no reader waits for another.
 *
 * A row has only keys and a number. The caller knows the item with that number. */
#ifndef SLUICE_FILE_ROWS_H
#define SLUICE_FILE_ROWS_H

#include <sqlite3.h>

#include "resolver/control/store/source.h"

struct file_rows;

/* Begins with no rows. NULL: `error` says why. */
struct file_rows *file_rows_new(char error[SOURCE_ERROR_MAX]);
/* Adds a row, which gets the next number; the first row has 1. No row may have a key of another.
 * ERR_SYSTEM: `error` says why. */
MUST_CHECK int file_rows_add(struct file_rows *rows, unsigned kind, const char *path,
			     const struct source_keys *keys, char error[SOURCE_ERROR_MAX]);
/* Ends the filling; before this nobody may attach the rows. ERR_SYSTEM: `error` says why. */
MUST_CHECK int file_rows_end(struct file_rows *rows, char error[SOURCE_ERROR_MAX]);
/* Take and drop a reference, in any thread. A connection that has attached the rows keeps them
 * alive. NULL is fine for free. */
struct file_rows *file_rows_ref(struct file_rows *rows);
void file_rows_free(struct file_rows *rows);

/* ---- for stores ---- */

/* Attaches the rows to the connection as the schema `file`, with the table file.items; rows NULL:
 * an empty table. Returns a result code of SQLite. */
int file_rows_attach(const struct file_rows *rows, sqlite3 *db);

#endif
