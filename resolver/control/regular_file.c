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
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	FILE *file = NULL;

	if (fd < 0) {
		/* ENXIO is a socket, or a device that nothing stands behind. */
		*why = errno == ENXIO ? "it is not a regular file" : strerror(errno);
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
