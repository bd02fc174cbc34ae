/* O_NONBLOCK is what keeps open(2) from waiting; regular files do not know it, so it can stay. What
 * the path leads to is asked of what was opened, because it may lead elsewhere a moment later. */
#include "resolver/control/regular_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* NULL: it is one. */
static const char *why_not_regular(int fd)
{
	struct stat stat;

	if (fstat(fd, &stat) != 0)
		return strerror(errno);
	if (S_ISDIR(stat.st_mode))
		return strerror(EISDIR);
	return S_ISREG(stat.st_mode) ? NULL : "it is not a regular file";
}

FILE *regular_file_open(const char *path, const char **why)
{
	static const char credentials[] = "/run/credentials/";
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	FILE *file = NULL;

	if (fd < 0) {
		bool awaited =
			errno == ENOENT && strncmp(path, credentials, strlen(credentials)) == 0;
		/* ENXIO is a socket, or a device that nothing stands behind. */
		*why = awaited ? "it is not there; systemd puts it there when it starts the unit"
		       : errno == ENXIO ? "it is not a regular file"
					: strerror(errno);
		return NULL;
	}
	*why = why_not_regular(fd);
	if (!*why) {
		file = fdopen(fd, "r");
		*why = file ? NULL : strerror(errno);
	}
	if (!file)
		close(fd);
	return file;
}

void regular_file_warn(const char *path, enum secret_of of, const struct origin *origin,
		       const char *field, struct faults *faults)
{
	mode_t others = of == SECRET_OF_USER ? S_IRWXG | S_IRWXO : S_IRWXO;
	struct stat found;

	if (stat(path, &found) == 0 && (found.st_mode & others) != 0)
		fault_add(faults, FAULT_WARNING, origin, field,
			  "%s holds a secret and is open to other users; chmod %s it", path,
			  of == SECRET_OF_USER ? "600" : "o=");
}

static int64_t time_ns(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

bool file_stamp_take(struct file_stamp *stamp, FILE *file)
{
	struct stat stat;

	if (fstat(fileno(file), &stat) != 0)
		return false;
	*stamp = (struct file_stamp){stat.st_dev, stat.st_ino, stat.st_size, time_ns(&stat.st_mtim),
				     time_ns(&stat.st_ctim)};
	return true;
}

bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

/* A file that was replaced meanwhile is still the one that was opened, whole; but that it has one
 * name less is a change of it, too, of its ctime alone. */
bool regular_file_changed(FILE *file, const struct file_stamp *since, const char **why)
{
	struct file_stamp now;

	if (file_stamp_take(&now, file) && now.size == since->size &&
	    now.mtime_ns == since->mtime_ns)
		return false;
	*why = "it was changed while it was read; reload when it is written";
	return true;
}

bool regular_file_is_ended(FILE *file, const struct file_stamp *stamp)
{
	char last = '\n';

	return (stamp->size == 0 || pread(fileno(file), &last, 1, stamp->size - 1) == 1) &&
	       last == '\n';
}
