/* The state's file and its log (PATH-wal), as they are on the disk:
 *
 *     both there                        nothing to do
 *     the file gone, or another one     what is written to the open one would be lost: nothing is,
 *                                       until there is a file at the path again
 *     the log gone                      the open one has what was acknowledged and is not in the
 *                                       file yet: it is put there, before the file is opened again
 *
 * A look costs two stat(2), ahead of a transaction that waits for the disk. What is taken away
 * between that look and a crash is lost. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "resolver/control/store/state_internal.h"

/* ---- at the path ---- */

/* A new file is its owner's only; SQLite gives its companions the same mode. */
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

/* 0: there is none. */
static bool look_at_log(const struct state_file *file, struct stat *stat_of)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof path, "%s-wal", file->path) < (int)sizeof path &&
	       stat(path, stat_of) == 0;
}

int state_file_open(struct state_file *file, const char *path, char error[SOURCE_ERROR_MAX])
{
	int err = 0;

	*file = (struct state_file){.path = path};
	if (sqlite3_open_v2(path, &file->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK)
		err = state_explain(file->db, path, "cannot be opened", error);
	if (!err) {
		sqlite3_busy_timeout(file->db, STATE_BUSY_MS);
		err = state_prepare(file->db, path, error);
	}
	/* Whatever is read opens the log, so that it is there to be looked at. */
	if (!err &&
	    sqlite3_exec(file->db, "SELECT 1 FROM sqlite_schema", NULL, NULL, NULL) != SQLITE_OK)
		err = state_explain(file->db, path, "cannot be read", error);
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
	    sqlite3_wal_checkpoint_v2(file->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) ==
		    SQLITE_OK)
		return 0;
	return state_explain(file->db, file->path, "has lost its log, which cannot be put into it",
			     error);
}

/* ---- a look ---- */

/* As a URI, because only that can say "immutable": SQLite then makes no file beside it and takes no
 * lock, which is right while nobody has it open. Where somebody has, there is a log beside it. */
static char *look_uri(const char *path, bool apart)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "-._/";
	char *uri = NULL, *log = NULL;
	size_t length = 0;
	FILE *out = asprintf(&log, "%s-wal", path) < 0 ? NULL : open_memstream(&uri, &length);

	if (!out)
		return NULL;
	fputs("file:", out);
	for (const char *at = path; *at; at++)
		if (at > path && strchr(plain, *at))
			putc(*at, out);
		else
			fprintf(out, "%%%02X", (unsigned char)*at);
	fprintf(out, "?mode=ro%s",
		access(log, F_OK) != 0 ? "&immutable=1"
		: apart                ? "&readonly_shm=1"
				       : "");
	free(log);
	if (fclose(out) == 0)
		return uri;
	free(uri);
	return NULL;
}

int state_file_copy(struct state_file *copy, const struct state_file *file, const char *path,
		    char error[SOURCE_ERROR_MAX])
{
	sqlite3_backup *backup = NULL;
	int code, err = 0;

	*copy = (struct state_file){.path = path};
	if (sqlite3_open_v2("", &copy->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			    NULL) == SQLITE_OK)
		backup = sqlite3_backup_init(copy->db, "main", file->db, "main");
	code = backup ? sqlite3_backup_step(backup, -1) : SQLITE_ERROR;
	sqlite3_backup_finish(backup); /* leaves the reason with the copy */
	if (code != SQLITE_DONE)
		err = state_explain(copy->db, path, "cannot be read", error);
	if (err)
		state_file_close(copy);
	return err;
}

/* An older version's. */
static int copy_and_prepare(struct state_file *file, char error[SOURCE_ERROR_MAX])
{
	struct state_file copy;
	int err = state_file_copy(&copy, file, file->path, error);

	if (!err)
		err = state_prepare(copy.db, file->path, error);
	if (err) {
		state_file_close(&copy);
		return err;
	}
	sqlite3_close(file->db);
	*file = copy;
	return 0;
}

int state_file_open_to_look(struct state_file *file, const char *path, bool apart,
			    char error[SOURCE_ERROR_MAX])
{
	char *uri = look_uri(path, apart);
	int err = uri ? 0 : ERR_NOMEM;
	bool is_old = false;

	*file = (struct state_file){.path = path};
	if (!err && sqlite3_open_v2(uri, &file->db,
				    SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI,
				    NULL) != SQLITE_OK)
		err = state_explain(file->db, path, "cannot be opened", error);
	free(uri);
	if (!err) {
		sqlite3_busy_timeout(file->db, STATE_BUSY_MS);
		err = state_examine(file->db, path, &is_old, error);
	}
	if (!err && is_old)
		err = copy_and_prepare(file, error);
	if (err && apart && access(path, R_OK) != 0 && errno == EACCES)
		snprintf(error, SOURCE_ERROR_MAX,
			 "the state %s cannot be read by this user; run it as root (sudo)", path);
	if (err)
		state_file_close(file);
	return err;
}
