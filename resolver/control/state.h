/* The state: a source (source.h) that is one SQLite file beside the configuration. It is in WAL
 * mode with synchronous = FULL: what apply has acknowledged is on the disk. The file is made when
 * there is none, for its owner only; an older version of its tables is brought up to date when it
 * is opened, a newer one, or another program's file, is refused and left alone.
 *
 * One server writes. Others may read (sqlite3 FILE .dump). Should another one write all the same,
 * the next apply notices and gives ERR_EXISTS, until load has been called again. */
#ifndef SLUICE_STATE_H
#define SLUICE_STATE_H

#include "resolver/control/source.h"

enum {
	STATE_VERSION = 2,              /* of the tables */
	STATE_APPLICATION = 0x736c7563, /* in the file's header: "sluc" */
	STATE_BUSY_MS = 500,            /* waited for another program's lock */
};

/* NULL: `error` says why, and what would help. */
struct source *state_open(const char *path, char error[SOURCE_ERROR_MAX]);

#endif
