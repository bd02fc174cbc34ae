/* The state's file and its log (PATH-wal) on the disk:
 *
 *     both at the path                  nothing to do
 *     file removed                      changes to the open file would be lost, so they fail until
 *                                       the path has a file again
 *     file replaced                     an open change fails; the next one opens the new file
 *     log removed                       the open log has acknowledged changes that are not in the
 *                                       file yet: they are moved there, then the file is reopened
 *
 * The check costs two stat(2) before a transaction that waits for the disk anyway. Changes to a
 * file that is removed after the check are lost, unless that file is put back. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "resolver/control/store/state_internal.h"

enum { PAGES_AT_ONCE = 1000 };

/* ---- at the path ---- */

/* Only its owner can read a new file; SQLite gives the log the same mode. */
int state_file_make(const char *path, char error[SOURCE_ERROR_MAX])
{
	struct stat stat_of;
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (errno == EEXIST && stat(path, &stat_of) == 0 && S_ISREG(stat_of.st_mode))
		return 0;
	snprintf(error, SOURCE_ERROR_MAX,
		 "the state %s cannot be opened: %s; give management.state a file in a directory "
		 "that the server may write to",
		 path, errno == EEXIST ? "it is not a regular file" : strerror(errno));
	return ERR_SYSTEM;
}

int state_file_look(const char *path, char error[SOURCE_ERROR_MAX])
{
	struct stat stat_of;
	const char *why = NULL;

	if (stat(path, &stat_of) != 0)
		why = errno == ENOENT ? "is gone" : strerror(errno);
	else if (!S_ISREG(stat_of.st_mode))
		why = "is not a regular file any more";
	else if (stat_of.st_size == 0)
		why = "is suddenly empty";
	if (!why)
		return 0;
	snprintf(
		error, SOURCE_ERROR_MAX,
		"the state %s %s; put it back (sluice state export has what is served), or restart "
		"to begin with a new one",
		path, why);
	return ERR_SYSTEM;
}

/* ---- open ---- */

/* False: there is no log. */
static bool look_at_log(const struct state_file *file, struct stat *stat_of)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof path, "%s-wal", file->path) < (int)sizeof path &&
	       stat(path, stat_of) == 0;
}

/* Items of the configuration file are attached by a URI (file_rows.c). */
static int open_with(struct state_file *file, const char *name, int flags,
		     char error[SOURCE_ERROR_MAX])
{
	int err = 0;

	if (sqlite3_open_v2(name, &file->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL) !=
	    SQLITE_OK)
		err = state_explain(file->db, file->path, "cannot be opened", error);
	else
		sqlite3_busy_timeout(file->db, STATE_BUSY_MS);
	if (err)
		state_file_close(file);
	return err;
}

int state_file_open_without_checkpoint(struct state_file *file, const char *path,
				       char error[SOURCE_ERROR_MAX])
{
	int err;

	*file = (struct state_file){.path = path};
	err = open_with(file, path, SQLITE_OPEN_READWRITE, error);
	if (!err)
		sqlite3_db_config(file->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	return err;
}

static int prepare(struct state_file *file, char error[SOURCE_ERROR_MAX])
{
	int err = state_prepare(file->db, file->path, error);

	/* Any read makes SQLite open the log, so that look_at_log finds it. */
	if (!err &&
	    sqlite3_exec(file->db, "SELECT 1 FROM sqlite_schema", NULL, NULL, NULL) != SQLITE_OK)
		err = state_explain(file->db, file->path, "cannot be read", error);
	if (!err)
		sqlite3_db_config(file->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	return err;
}

static bool is_current(struct state_file *file, unsigned *version, char error[SOURCE_ERROR_MAX],
		       int *err)
{
	*err = state_examine(file->db, file->path, version, error);
	return *err == 0 && *version == STATE_VERSION;
}

/* Opens a new file, or an older version's file. Needs the directory's lock: a file that another
 * process is replacing has no log for an instant, and may look new. */
static int open_locked(struct state_file *file, const char *path, bool may_make,
		       char error[SOURCE_ERROR_MAX])
{
	unsigned version = 0;
	int err = state_file_open_without_checkpoint(file, path, error);

	if (!err && !is_current(file, &version, error, &err) && !err && version > 0) {
		state_file_close(file);
		err = state_migration_finish(path, may_make, error);
		if (!err)
			err = state_file_open_without_checkpoint(file, path, error);
	}
	return err ? err : prepare(file, error);
}

int state_file_open(struct state_file *file, const char *path, bool may_make,
		    char error[SOURCE_ERROR_MAX])
{
	unsigned version = 0;
	int lock, err = state_file_open_without_checkpoint(file, path, error);

	if (!err && is_current(file, &version, error, &err)) {
		err = prepare(file, error);
	} else if (!err) {
		state_file_close(file);
		lock = state_migration_lock(path, false, error);
		err = lock < 0 ? ERR_SYSTEM : open_locked(file, path, may_make, error);
		if (lock >= 0)
			close(lock);
	}
	if (err)
		state_file_close(file);
	else
		file->has_log = look_at_log(file, &file->log);
	return err;
}

void state_file_close(struct state_file *file)
{
	sqlite3_close(file->db);
	file->db = NULL;
}

bool state_file_is_another(const struct state_file *file)
{
	int moved = 0;

	return sqlite3_file_control(file->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) !=
		       SQLITE_OK ||
	       moved;
}

static bool has_lost_log(const struct state_file *file)
{
	struct stat now;

	return file->has_log && (!look_at_log(file, &now) || now.st_ino != file->log.st_ino ||
				 now.st_dev != file->log.st_dev);
}

bool state_file_is_there(const struct state_file *file)
{
	return !state_file_is_another(file) && !has_lost_log(file);
}

int state_file_save(const struct state_file *file, char error[SOURCE_ERROR_MAX])
{
	if (state_file_is_another(file) || !has_lost_log(file) ||
	    sqlite3_wal_checkpoint_v2(file->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) ==
		    SQLITE_OK)
		return 0;
	return state_explain(file->db, file->path, "has lost its log, which cannot be put into it",
			     error);
}

/* ---- opening to read only ---- */

/* Only a URI can say "immutable". */
int state_file_open_as(struct state_file *file, const char *path, const char *parameters,
		       char error[SOURCE_ERROR_MAX])
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "-._/";
	char *uri = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&uri, &length);

	*file = (struct state_file){.path = path};
	if (out) {
		fputs("file:", out);
		for (const char *at = path; *at; at++)
			if (at > path && strchr(plain, *at))
				putc(*at, out);
			else
				fprintf(out, "%%%02X", (unsigned char)*at);
		fputs(parameters, out);
	}
	int err = out && fclose(out) == 0 ? open_with(file, uri, SQLITE_OPEN_READWRITE, error)
					  : state_explain(NULL, path, "cannot be opened", error);
	free(uri);
	return err;
}

/* No log beside the file means that nobody has it open. "immutable" is safe then, and SQLite makes
 * no file and takes no lock. */
int state_file_open_read_only(struct state_file *file, const char *path, bool apart,
			      char error[SOURCE_ERROR_MAX])
{
	struct stat log;

	*file = (struct state_file){.path = path};
	return state_file_open_as(file, path,
				  !look_at_log(file, &log) ? "?mode=ro&immutable=1"
				  : apart                  ? "?mode=ro&readonly_shm=1"
							   : "?mode=ro",
				  error);
}

int state_copy_pages(sqlite3 *to, sqlite3 *from, atomic_uint *progress)
{
	bool begins = sqlite3_get_autocommit(from); /* a snapshot: others may write meanwhile */
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
	int code = backup ? SQLITE_OK : SQLITE_ERROR;

	if (begins)
		(void)sqlite3_exec(from, "BEGIN; SELECT 1 FROM sqlite_schema", NULL, NULL, NULL);
	while (code == SQLITE_OK) {
		code = sqlite3_backup_step(backup, PAGES_AT_ONCE);
		atomic_fetch_add(progress, 1);
	}
	sqlite3_backup_finish(backup); /* the reason is in `to` */
	if (begins)
		(void)sqlite3_exec(from, "COMMIT", NULL, NULL, NULL);
	return code == SQLITE_DONE ? 0 : ERR_SYSTEM;
}

int state_file_copy(struct state_file *copy, const struct state_file *file, const char *path,
		    char error[SOURCE_ERROR_MAX])
{
	atomic_uint progress = 0;
	int err;

	*copy = (struct state_file){.path = path};
	err = open_with(copy, "", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, error);
	if (!err && state_copy_pages(copy->db, file->db, &progress) != 0)
		err = state_explain(copy->db, path, "cannot be read", error);
	if (err)
		state_file_close(copy);
	return err;
}

int state_file_make_empty(struct state_file *file, const char *path, char error[SOURCE_ERROR_MAX])
{
	int err;

	*file = (struct state_file){.path = path};
	err = open_with(file, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, error);
	if (!err)
		err = state_bring_up_to_date(file->db, path, error);
	if (err)
		state_file_close(file);
	return err;
}

/* Opens PATH.new, which a server has made from the older version's file, or a migrated copy, in
 * place of that file. */
static int open_migrated(struct state_file *file, char error[SOURCE_ERROR_MAX])
{
	struct state_file migrated;
	int err = state_migration_open(file->path, file->db, &migrated);

	if (err) {
		err = state_file_copy(&migrated, file, file->path, error);
		if (!err)
			err = state_bring_up_to_date(migrated.db, file->path, error);
		if (err) {
			state_file_close(&migrated);
			return err;
		}
	}
	state_file_close(file);
	*file = migrated;
	return 0;
}

static int look(struct state_file *file, const char *path, bool apart, unsigned *version,
		char error[SOURCE_ERROR_MAX])
{
	int err = state_file_open_read_only(file, path, apart, error);

	return err ? err : state_examine(file->db, path, version, error);
}

/* Looks once more, under the lock if it can be had: the file may have been half replaced. */
static int look_locked(struct state_file *file, const char *path, bool apart, unsigned *version,
		       char error[SOURCE_ERROR_MAX])
{
	int lock, err;

	state_file_close(file);
	lock = state_migration_lock(path, true, error);
	err = look(file, path, apart, version, error);
	if (lock >= 0)
		close(lock);
	return err;
}

int state_file_open_to_look(struct state_file *file, const char *path, bool apart,
			    char error[SOURCE_ERROR_MAX])
{
	unsigned version = 0;
	int err = look(file, path, apart, &version, error);

	if (err || version != STATE_VERSION)
		err = look_locked(file, path, apart, &version, error);
	if (!err && version == 0) {
		error[0] = '\0'; /* no tables yet */
		err = ERR_NOT_FOUND;
	}
	if (!err && version < STATE_VERSION)
		err = open_migrated(file, error);
	if (err && apart && access(path, R_OK) != 0 && errno == EACCES)
		snprintf(error, SOURCE_ERROR_MAX,
			 "the state %s cannot be read by this user; run it as root (sudo)", path);
	if (err)
		state_file_close(file);
	return err;
}
