/* From an older version's file to one of today's:
 *
 *     PATH ─► copied ─► migrated ─► PATH.new                  others may still write to PATH
 *     PATH locked ─► pairs copied again ─► PATH.new
 *                    PATH linked as PATH.vN ─► PATH.new renamed to PATH
 *
 * PATH itself is never written. An interrupted migration leaves PATH as it was, and the next one
 * begins anew, unless PATH.new is complete. The log (PATH-wal) is removed before PATH.new takes the
 * place of PATH, because SQLite would replay it into the new file. It is kept as PATH.vN-wal; after
 * a crash between the two steps the log is linked back to PATH-wal.
 *
 * PATH.new records the file, revision and history that it was made from, so that it is not used for
 * another file. Pairs (pairs.h) change without a revision, so they are copied again at the end. The
 * directory's lock lets only one process migrate at a time. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <unistd.h>
#include <uv.h>

#include "resolver/control/store/state_internal.h"
#include "resolver/log.h"

/* The stamps of PATH.new, which say what it was made from: keys in its table `meta`. */
#define OF_FILE     "of file" /* st_ino */
#define OF_REVISION "of revision"
#define OF_HISTORY  "of history" /* history_of */
#define OF_CHANGED  "of changed" /* st_mtim in nanoseconds, before pairs were copied again */

enum {
	PROGRESS_S = 1,
	LOCK_LOOK_MS = 10,
	STEPS = 100000, /* of SQLite's virtual machine: some milliseconds */
};

static const char *advice(int number)
{
	switch (number) {
	case ENAMETOOLONG: return "give management.state a shorter path";
	case ENOSPC:
	case EDQUOT: return "make room on its disk";
	case EPERM:
	case EMLINK: return "give management.state a file system that has hard links";
	case EEXIST:
	case EISDIR: return "remove what stands in its way";
	default: return "the server must be able to write its directory";
	}
}

static int fail(const char *path, const char *what, char error[SOURCE_ERROR_MAX])
{
	int number = errno;

	snprintf(error, SOURCE_ERROR_MAX, "the state %s is of an older version, and %s: %s; %s",
		 path, what, strerror(number), advice(number));
	return ERR_SYSTEM;
}

/* ---- the files ---- */

struct migration_files {
	char path[PATH_MAX]; /* without symbolic links: the log is beside the real file */
	char log[PATH_MAX], shm[PATH_MAX];
	char next[PATH_MAX]; /* PATH.new */
};

static int name_files(struct migration_files *files, const char *path, char error[SOURCE_ERROR_MAX])
{
	*files = (struct migration_files){.path = ""};
	if (!realpath(path, files->path))
		return fail(path, "cannot be found", error);
	if (strlen(files->path) + sizeof ".new-journal" > PATH_MAX) {
		errno = ENAMETOOLONG;
		return fail(path, "has too long a path for a newer one beside it", error);
	}
	snprintf(files->log, sizeof files->log, "%s-wal", files->path);
	snprintf(files->shm, sizeof files->shm, "%s-shm", files->path);
	snprintf(files->next, sizeof files->next, "%s.new", files->path);
	return 0;
}

static void remove_next(const struct migration_files *files)
{
	char journal[PATH_MAX + sizeof "-journal"];

	snprintf(journal, sizeof journal, "%s-journal", files->next);
	unlink(files->next);
	unlink(journal);
}

static bool has_content(const char *path)
{
	struct stat stat_of;

	return stat(path, &stat_of) == 0 && stat_of.st_size > 0;
}

static bool is_same(const char *path, const char *other)
{
	struct stat a, b;

	return stat(path, &a) == 0 && stat(other, &b) == 0 && a.st_ino == b.st_ino &&
	       a.st_dev == b.st_dev;
}

/* Writes the names PATH.vN and PATH.vN-wal. */
static void name_kept(const struct migration_files *files, unsigned version, char kept[PATH_MAX],
		      char log[PATH_MAX])
{
	snprintf(kept, PATH_MAX, "%s.v%u", files->path, version);
	snprintf(log, PATH_MAX, "%s.v%u-wal", files->path, version);
}

/* Reads a stamp of PATH.new; 0: it has none. */
static int64_t read_stamp(const struct migration_files *files, const char *key)
{
	char error[SOURCE_ERROR_MAX], sql[96];
	struct state_file next;
	int64_t number = 0;

	if (state_file_open_as(&next, files->next, "?mode=ro", error) != 0)
		return 0;
	snprintf(sql, sizeof sql, "SELECT value FROM meta WHERE key = '%s'", key);
	if (state_read_number(next.db, sql, &number) != 0)
		number = 0;
	state_file_close(&next);
	return number;
}

static int64_t changed_ns(const struct stat *stat_of)
{
	return stat_of->st_mtim.tv_sec * INT64_C(1000000000) + stat_of->st_mtim.tv_nsec;
}

/* Links the log back after a crash between its removal and the renaming of PATH.new, unless an
 * older program has written to the file since, without the log. The caller has locked the
 * directory, because another process may be between these two steps. */
static void give_log_back(const struct migration_files *files)
{
	char kept[PATH_MAX], log[PATH_MAX];
	struct stat stat_of;

	if (has_content(files->log) || !has_content(files->next) ||
	    stat(files->path, &stat_of) != 0 ||
	    read_stamp(files, OF_CHANGED) != changed_ns(&stat_of))
		return;
	for (unsigned version = 1; version < STATE_VERSION; version++) {
		name_kept(files, version, kept, log);
		if (is_same(files->path, kept) && has_content(log))
			(void)!link(log, files->log);
	}
}

static int open_directory(const char *path)
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof copy, "%s", path);
	return open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int state_migration_lock(const char *path, bool shared, char error[SOURCE_ERROR_MAX])
{
	int fd = open_directory(path);

	for (unsigned waited_ms = 0; fd >= 0; waited_ms += LOCK_LOOK_MS) {
		if (flock(fd, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0)
			return fd;
		if (errno != EWOULDBLOCK || waited_ms >= STATE_BUSY_MS)
			break;
		(void)poll(NULL, 0, LOCK_LOOK_MS);
	}
	snprintf(error, SOURCE_ERROR_MAX, "the directory of the state %s cannot be locked: %s; %s",
		 path, strerror(errno),
		 errno == EWOULDBLOCK ? "another process migrates the state; try again"
				      : "the server must be able to read it");
	if (fd >= 0)
		close(fd);
	return -1;
}

static void sync_directory(const char *path)
{
	int fd = open_directory(path);

	if (fd >= 0) {
		(void)!fsync(fd);
		close(fd);
	}
}

static int link_instead(const char *from, const char *to)
{
	if (is_same(from, to))
		return 0;
	return unlink(to) == 0 || errno == ENOENT ? link(from, to) : -1;
}

/* True: the file was removed, or did not exist. */
static bool is_gone(const char *path)
{
	return unlink(path) == 0 || errno == ENOENT;
}

static int replace_file(const struct migration_files *files, unsigned version,
			char error[SOURCE_ERROR_MAX])
{
	char kept[PATH_MAX], log[PATH_MAX];
	bool has_log = has_content(files->log);

	name_kept(files, version, kept, log);
	if (!is_same(files->log, log) && !is_gone(log)) /* of an earlier PATH.vN */
		return fail(files->path, "an earlier one cannot be removed", error);
	if (link_instead(files->path, kept) != 0 || (has_log && link_instead(files->log, log) != 0))
		return fail(files->path, "cannot be kept beside a newer one", error);
	sync_directory(files->path);
	if (!is_gone(files->log) || !is_gone(files->shm))
		return fail(files->path, "its log cannot be removed", error);
	sync_directory(files->path);
	if (rename(files->next, files->path) != 0)
		return fail(files->path, "a newer one cannot take its place", error);
	sync_directory(files->path);
	log_event(LOG_INFO, "state", "%s is of version %d now; that of version %u stays as %s",
		  files->path, STATE_VERSION, version, kept);
	return 0;
}

/* ---- PATH.new ---- */

/* A number made of the file's history: two files of the same revision hardly ever share it. */
static int64_t history_of(sqlite3 *db)
{
	int64_t number;

	(void)!state_read_number(
		db, "SELECT coalesce(max(seq), 0) * 1000003 + coalesce(max(time), 0) FROM changes",
		&number); /* 0 without a history */
	return number;
}

/* Returns a result code of SQLite. */
static int stamp(sqlite3 *db, const char *key, int64_t number)
{
	char sql[128];

	snprintf(sql, sizeof sql, "INSERT OR REPLACE INTO meta VALUES ('%s', %" PRId64 ")", key,
		 number);
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static bool has_stamps(const struct migration_files *files, sqlite3 *old, uint64_t file)
{
	int64_t revision;

	return state_read_number(old, STATE_READ_REVISION, &revision) == 0 &&
	       read_stamp(files, OF_FILE) == (int64_t)file &&
	       read_stamp(files, OF_REVISION) == revision &&
	       read_stamp(files, OF_HISTORY) == history_of(old);
}

int state_migration_open(const char *path, sqlite3 *old, struct state_file *migrated)
{
	struct migration_files files;
	char error[SOURCE_ERROR_MAX];
	struct stat stat_of;
	unsigned version;

	if (name_files(&files, path, error) != 0 || !has_content(files.next) ||
	    stat(files.path, &stat_of) != 0 ||
	    state_file_open_as(migrated, files.next, "?mode=ro", error) != 0)
		return ERR_NOT_FOUND;
	migrated->path = path;
	if (state_examine(migrated->db, path, &version, error) == 0 && version == STATE_VERSION &&
	    has_stamps(&files, old, stat_of.st_ino))
		return 0;
	state_file_close(migrated);
	return ERR_NOT_FOUND;
}

static bool is_made(const struct migration_files *files, sqlite3 *old)
{
	struct state_file migrated;

	if (state_migration_open(files->path, old, &migrated) != 0)
		return false;
	state_file_close(&migrated);
	return true;
}

/* Makes PATH.new, empty, with the mode and owner of PATH. Replaces a previous one. */
static int create_next(const struct migration_files *files, char error[SOURCE_ERROR_MAX])
{
	struct stat stat_of;
	int fd = -1, err = 0;

	remove_next(files);
	if (stat(files->path, &stat_of) == 0)
		fd = open(files->next, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (fd < 0 || fchmod(fd, stat_of.st_mode & 0666) != 0 ||
	    (geteuid() == 0 && fchown(fd, stat_of.st_uid, stat_of.st_gid) != 0))
		err = fail(files->path, "a newer one cannot be made beside it", error);
	if (fd >= 0)
		close(fd);
	return err;
}

static int on_steps(void *context)
{
	atomic_fetch_add((atomic_uint *)context, 1);
	return 0;
}

/* Stamps are written last, so that a half-made file never has all of them. No journal: a half-made
 * file is thrown away. */
static int fill_next(sqlite3 *next, const struct migration_files *files, sqlite3 *old,
		     atomic_uint *progress, char error[SOURCE_ERROR_MAX])
{
	struct stat stat_of;
	int64_t revision = 0;
	int err = stat(files->path, &stat_of) == 0 ? state_copy_pages(next, old, progress)
						   : ERR_SYSTEM;

	if (!err)
		err = sqlite3_exec(next,
				   "PRAGMA journal_mode = OFF; PRAGMA synchronous = FULL;"
				   "PRAGMA cache_size = -16384;",
				   NULL, NULL, NULL) == SQLITE_OK
			      ? state_read_number(next, STATE_READ_REVISION, &revision)
			      : ERR_SYSTEM;
	if (err)
		return state_explain(next, files->path, "cannot be migrated", error);
	sqlite3_progress_handler(next, STEPS, on_steps, progress);
	err = state_bring_up_to_date(next, files->path, error);
	if (!err && (stamp(next, OF_FILE, (int64_t)stat_of.st_ino) != SQLITE_OK ||
		     stamp(next, OF_HISTORY, history_of(next)) != SQLITE_OK ||
		     stamp(next, OF_REVISION, revision) != SQLITE_OK))
		err = state_explain(next, files->path, "cannot be migrated", error);
	return err;
}

/* Raises `progress` while the migration advances. The caller has locked the directory. */
static int make_next(const struct migration_files *files, atomic_uint *progress,
		     char error[SOURCE_ERROR_MAX])
{
	struct state_file old, next = {.db = NULL};
	int err = state_file_open_read_only(&old, files->path, false, error);

	if (err)
		return err;
	err = create_next(files, error);
	if (!err)
		err = state_file_open_as(&next, files->next, "?mode=rw", error);
	if (!err)
		err = fill_next(next.db, files, old.db, progress, error);
	state_file_close(&next);
	state_file_close(&old);
	if (err)
		remove_next(files);
	return err;
}

/* ---- in a thread ---- */

struct migration_job {
	const struct migration_files *files;
	char *error;
	int err;
	atomic_uint progress;
	uv_mutex_t lock;
	uv_cond_t ended;
	bool has_ended;
};

static int make_locked(struct migration_job *job)
{
	int lock = state_migration_lock(job->files->path, false, job->error);
	int err = lock < 0 ? ERR_SYSTEM : make_next(job->files, &job->progress, job->error);

	if (lock >= 0)
		close(lock);
	return err;
}

/* While this process is root, the thread takes the file owner's file-system ids: the new file is
 * the owner's, and a link that the owner has planted cannot make root write elsewhere. */
static void make_in_thread(void *context)
{
	struct migration_job *job = context;
	struct stat stat_of;

	if (geteuid() == 0 && stat(job->files->path, &stat_of) == 0 && stat_of.st_uid != 0) {
		setfsgid(stat_of.st_gid);
		setfsuid(stat_of.st_uid);
	}
	job->err = make_locked(job);
	uv_mutex_lock(&job->lock);
	job->has_ended = true;
	uv_cond_signal(&job->ended);
	uv_mutex_unlock(&job->lock);
}

/* Calls on_progress only if work was done: a hanging disk must still trip the watchdog. */
static int make_with_progress(const struct migration_files *files,
			      void (*on_progress)(void *context), void *context,
			      char error[SOURCE_ERROR_MAX])
{
	struct migration_job job = {.files = files, .error = error, .err = ERR_NOMEM};
	unsigned seen = 0;
	uv_thread_t thread;

	snprintf(error, SOURCE_ERROR_MAX, "%s", err_text(ERR_NOMEM));
	if (uv_mutex_init(&job.lock) != 0)
		return ERR_NOMEM;
	if (uv_cond_init(&job.ended) != 0) {
		uv_mutex_destroy(&job.lock);
		return ERR_NOMEM;
	}
	if (uv_thread_create(&thread, make_in_thread, &job) == 0) {
		uv_mutex_lock(&job.lock);
		while (!job.has_ended) {
			uv_cond_timedwait(&job.ended, &job.lock, PROGRESS_S * 1000000000ull);
			if (atomic_load(&job.progress) != seen)
				on_progress(context);
			seen = atomic_load(&job.progress);
		}
		uv_mutex_unlock(&job.lock);
		uv_thread_join(&thread);
	}
	uv_cond_destroy(&job.ended);
	uv_mutex_destroy(&job.lock);
	return job.err;
}

int state_migrate(const char *path, void (*on_progress)(void *context), void *context,
		  char error[SOURCE_ERROR_MAX])
{
	struct state_file old;
	struct migration_files files;
	unsigned version;
	int lock, err;
	bool fits;

	if (!has_content(path))
		return 0;
	err = name_files(&files, path, error);
	if (err)
		return err;
	lock = state_migration_lock(files.path, false, error);
	if (lock >= 0) {
		give_log_back(&files);
		close(lock);
	}
	err = state_file_open_read_only(&old, files.path, false, error);
	if (err)
		return err;
	err = state_examine(old.db, files.path, &version, error);
	fits = err || version == 0 || version == STATE_VERSION || is_made(&files, old.db);
	state_file_close(&old);
	return fits ? err : make_with_progress(&files, on_progress, context, error);
}

void state_forget_migration(const char *path)
{
	struct migration_files files;
	char error[SOURCE_ERROR_MAX];

	if (name_files(&files, path, error) == 0 && read_stamp(&files, OF_FILE) != 0)
		remove_next(&files); /* a file without that stamp is somebody else's */
}

/* ---- the last step ---- */

/* Returns a result code of SQLite. `changed`: the older file's st_mtim, for give_log_back. */
static int copy_pairs_from(sqlite3 *next, const char *path, int64_t changed)
{
	char *attach = sqlite3_mprintf("ATTACH %Q AS old; BEGIN;", path);
	int code = attach ? sqlite3_exec(next, attach, NULL, NULL, NULL) : SQLITE_NOMEM;

	sqlite3_free(attach);
	if (code == SQLITE_OK)
		code = state_copy_pairs(next);
	if (code == SQLITE_OK)
		code = stamp(next, OF_CHANGED, changed);
	return code == SQLITE_OK ? sqlite3_exec(next, "COMMIT", NULL, NULL, NULL) : code;
}

static int fail_unmade(const char *path, char error[SOURCE_ERROR_MAX])
{
	snprintf(error, SOURCE_ERROR_MAX,
		 "the state %s is suddenly of an older version; reload the configuration", path);
	return ERR_SYSTEM;
}

static int complete_next(const struct migration_files *files, char error[SOURCE_ERROR_MAX])
{
	struct state_file next;
	struct stat stat_of = {0};
	int err = state_file_open_without_checkpoint(&next, files->next, error);

	if (!err && (stat(files->path, &stat_of) != 0 ||
		     copy_pairs_from(next.db, files->path, changed_ns(&stat_of)) != SQLITE_OK))
		err = state_explain(next.db, files->path, "cannot be migrated", error);
	state_file_close(&next);
	return err;
}

/* Holds the older file's write lock, so that no other writer's change is lost. */
int state_migration_finish(const char *path, bool may_make, char error[SOURCE_ERROR_MAX])
{
	atomic_uint progress = 0;
	struct migration_files files;
	struct state_file old = {.db = NULL};
	unsigned version = 0;
	int err = name_files(&files, path, error);

	if (err)
		return err;
	give_log_back(&files);
	err = state_file_open_without_checkpoint(&old, files.path, error);
	if (!err && sqlite3_exec(old.db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		err = state_explain(old.db, files.path, "cannot be read", error);
	if (!err)
		err = state_examine(old.db, files.path, &version, error);
	/* Another process may have migrated the file first. */
	if (!err && version > 0 && version < STATE_VERSION && !state_file_is_another(&old)) {
		if (!is_made(&files, old.db))
			err = may_make ? make_next(&files, &progress, error)
				       : fail_unmade(path, error);
		if (!err)
			err = complete_next(&files, error);
		if (!err)
			err = replace_file(&files, version, error);
	}
	state_file_close(&old);
	return err;
}
