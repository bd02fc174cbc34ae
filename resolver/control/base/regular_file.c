/* O_NONBLOCK keeps open(2) from waiting and means nothing to regular files. The descriptor is
 * examined, not the path, because the path may lead elsewhere a moment later. */
#include "resolver/control/base/regular_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules/err.h"
#include "rules/hash.h"

/* NULL: the file is regular. */
static const char *why_not_regular(int fd)
{
	struct stat stat;

	if (fstat(fd, &stat) != 0)
		return strerror(errno);
	if (S_ISDIR(stat.st_mode))
		return strerror(EISDIR);
	return S_ISREG(stat.st_mode) ? NULL : "it is not a regular file";
}

char *regular_file_absolute(const char *path)
{
	char *directory = *path == '/' ? NULL : getcwd(NULL, 0), *absolute;
	int length = directory ? asprintf(&absolute, "%s/%s", directory, path)
			       : asprintf(&absolute, "%s", path);

	free(directory);
	return length < 0 ? NULL : absolute;
}

FILE *regular_file_open(const char *path, const char **why)
{
	static const char credentials[] = "/run/credentials/";
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	FILE *file = NULL;

	if (fd < 0) {
		bool awaited =
			errno == ENOENT && strncmp(path, credentials, strlen(credentials)) == 0;
		/* ENXIO: a socket, or a device without a driver */
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

static void stamp_from(struct file_stamp *stamp, const struct stat *stat)
{
	*stamp = (struct file_stamp){stat->st_dev, stat->st_ino, stat->st_size,
				     time_ns(&stat->st_mtim), time_ns(&stat->st_ctim)};
}

bool file_stamp_of(struct file_stamp *stamp, const char *path)
{
	struct stat found;

	*stamp = (struct file_stamp){0};
	if (stat(path, &found) != 0)
		return false;
	stamp_from(stamp, &found);
	return true;
}

bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

uint64_t file_stamp_number(const struct file_stamp *stamp)
{
	static const struct hash_key key;
	uint64_t number = 0;

	number = hash_bytes(&key, number, &stamp->device, sizeof stamp->device);
	number = hash_bytes(&key, number, &stamp->inode, sizeof stamp->inode);
	number = hash_bytes(&key, number, &stamp->size, sizeof stamp->size);
	number = hash_bytes(&key, number, &stamp->mtime_ns, sizeof stamp->mtime_ns);
	return hash_bytes(&key, number, &stamp->ctime_ns, sizeof stamp->ctime_ns);
}

uint64_t file_stamp_number_of(const char *path)
{
	struct file_stamp stamp;

	return file_stamp_of(&stamp, path) ? file_stamp_number(&stamp) : 0;
}

/* ---- all of a file ---- */

enum { READINGS_MAX = 3, ROOM_MIN = 4 * 1024 };
static const char too_large[] = "it is too large";

/* `size`: how long the file seems to be; 0 for every file of /proc. NULL: *why is the reason. */
static char *read_to_end(FILE *file, size_t size, size_t max, size_t *length, const char **why)
{
	size_t room = 0, used = 0, got;
	char *bytes = NULL, *more;

	*length = 0;
	do {
		if (room - used < ROOM_MIN) {
			room = room ? room * 2 : size + 2 * ROOM_MIN;
			more = realloc(bytes, room);
			if (!more) {
				*why = err_text(ERR_NOMEM);
				free(bytes);
				return NULL;
			}
			bytes = more;
		}
		got = fread(bytes + used, 1, room - used - 1, file);
		*length = used += got;
	} while (got > 0 && used <= max);
	bytes[used] = '\0';
	*why = ferror(file) ? strerror(errno) : used > max ? too_large : NULL;
	if (!*why)
		return bytes;
	free(bytes);
	return NULL;
}

/* Did the file stay the same while it was read? A file that was replaced meanwhile can still be
 * read whole, but has a new ctime, because it lost its name. So ctime is not compared. */
static bool is_as_it_was(FILE *file, const struct file_stamp *stamp)
{
	struct file_stamp now;
	struct stat found;

	if (fstat(fileno(file), &found) != 0)
		return false;
	stamp_from(&now, &found);
	return now.size == stamp->size && now.mtime_ns == stamp->mtime_ns;
}

/* NULL with *why NULL: the file changed while it was read. */
static char *read_once(const char *path, size_t max, struct file_stamp *stamp, size_t *length,
		       const char **why)
{
	FILE *file = regular_file_open(path, why);
	struct stat found;
	char *bytes = NULL;

	*length = 0;
	if (!file)
		return NULL;
	if (fstat(fileno(file), &found) != 0) {
		*why = strerror(errno);
	} else if ((uintmax_t)found.st_size > max) {
		*length = (size_t)found.st_size;
		*why = too_large;
	} else {
		stamp_from(stamp, &found);
		bytes = read_to_end(file, (size_t)found.st_size, max, length, why);
		if (bytes && !is_as_it_was(file, stamp)) {
			free(bytes);
			bytes = NULL;
		}
	}
	fclose(file);
	return bytes;
}

char *regular_file_read(const char *path, size_t max, struct file_stamp *stamp, size_t *length,
			const char **why)
{
	struct file_stamp unused;

	for (unsigned i = 0; i < READINGS_MAX; i++) {
		char *bytes = read_once(path, max, stamp ? stamp : &unused, length, why);

		if (bytes || *why)
			return bytes;
	}
	*why = "it kept changing while it was read; reload when it is complete";
	return NULL;
}

char *regular_file_read_below(const char *folder, const char *name, size_t max, char **path,
			      size_t *length, const char **why)
{
	char *top = realpath(folder, NULL), *joined = NULL, *bytes = NULL;
	size_t top_length = top ? strlen(top) : 0;

	*path = NULL;
	*length = 0;
	if (top_length == 1) /* the root: only its path ends with a slash */
		top_length = 0;
	if (top && asprintf(&joined, "%s/%s", top, name) >= 0)
		*path = realpath(joined, NULL);
	if (*name == '/')
		*why = "it is to be below the zone's folder; name it from there";
	else if (!*path)
		*why = strerror(errno);
	else if (strncmp(*path, top, top_length) != 0 || (*path)[top_length] != '/')
		*why = "it is not below the zone's folder";
	else
		bytes = regular_file_read(*path, max, NULL, length, why);
	free(top);
	free(joined);
	return bytes;
}
