/* What the files of state*.c share. */
#ifndef SLUICE_STATE_INTERNAL_H
#define SLUICE_STATE_INTERNAL_H

#include <sqlite3.h>

#include "resolver/control/state.h"

/* Says in `error` what failed and what would help, by the code that SQLite gave last; returns
 * ERR_SYSTEM. `what`: "cannot be opened". */
int state_explain(sqlite3 *db, const char *path, const char *what, char error[SOURCE_ERROR_MAX]);

/* Brings an open file to how this version keeps it. */
MUST_CHECK int state_prepare(sqlite3 *db, const char *path, char error[SOURCE_ERROR_MAX]);

#endif
