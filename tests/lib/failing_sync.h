/* For tests: a disk that takes what SQLite writes into its logs and cannot make it durable, so that
 * the outcome of a COMMIT is not known. */
#ifndef SLUICE_TESTS_FAILING_SYNC_H
#define SLUICE_TESTS_FAILING_SYNC_H

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>

static atomic_bool syncs_fail;

static sqlite3_vfs *sync_real;
static const sqlite3_io_methods *sync_real_methods;
static sqlite3_io_methods sync_methods;

static int sync_log(sqlite3_file *file, int flags)
{
	return atomic_load(&syncs_fail) ? SQLITE_IOERR_FSYNC
					: sync_real_methods->xSync(file, flags);
}

static int sync_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
		     int *out_flags)
{
	int code = sync_real->xOpen(vfs, name, file, flags, out_flags);

	if (code == SQLITE_OK && (flags & SQLITE_OPEN_WAL)) {
		if (!sync_real_methods) {
			sync_real_methods = file->pMethods;
			sync_methods = *file->pMethods;
			sync_methods.xSync = sync_log;
		}
		file->pMethods = &sync_methods;
	}
	return code;
}

/* Puts it in the place of SQLite's own access to files, for as long as the program runs. */
static inline void failing_sync_install(void)
{
	static sqlite3_vfs vfs;

	sync_real = sqlite3_vfs_find(NULL);
	vfs = *sync_real;
	vfs.zName = "failing_sync";
	vfs.xOpen = sync_open;
	sqlite3_vfs_register(&vfs, 1);
}

#endif
