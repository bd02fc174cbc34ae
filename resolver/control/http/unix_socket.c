/* The directory stays locked from the check for a running server until listen has succeeded.
 * Without the lock, two servers that start at once could both replace the same stale file. */
#include "resolver/control/http/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum probe { PROBE_NONE, PROBE_STALE, PROBE_LIVE, PROBE_OTHER };

/* Finds the kind of file at the path. */
static enum probe probe_path(const struct sockaddr_un *address)
{
	struct stat st;
	if (lstat(address->sun_path, &st) != 0)
		return PROBE_NONE;
	if (!S_ISSOCK(st.st_mode))
		return PROBE_OTHER;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return PROBE_LIVE;
	int connected = connect(fd, (const struct sockaddr *)address, sizeof *address);
	enum probe found = connected != 0 && errno == ECONNREFUSED ? PROBE_STALE : PROBE_LIVE;
	close(fd);
	return found;
}

/* Makes the last directory of the path, if only that is missing: /run is empty after a boot. */
static void make_directory(const char *path)
{
	char copy[sizeof((struct sockaddr_un *)NULL)->sun_path];
	snprintf(copy, sizeof copy, "%s", path);
	int made = mkdir(dirname(copy), 0755);
	(void)made; /* on failure bind has the error */
}

/* Locks the directory until the descriptor is closed. -1: it cannot be opened; if it is missing,
 * bind will report that. A starting server holds the lock for a moment. Anybody who may read the
 * directory can lock it, so a lock that is held for more than a second is ignored. */
static int lock_directory(const char *path)
{
	enum { TRIES = 50, STEP_MS = 20 };
	struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
	char copy[sizeof((struct sockaddr_un *)NULL)->sun_path];
	snprintf(copy, sizeof copy, "%s", path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; fd >= 0 && i < TRIES && flock(fd, LOCK_EX | LOCK_NB) != 0; i++)
		nanosleep(&step, NULL);
	return fd;
}

static int tell_errno(const char *path, char error[UNIX_SOCKET_ERROR_MAX])
{
	snprintf(error, UNIX_SOCKET_ERROR_MAX,
		 "control socket %s: %s; management.socket must be in a folder that the server's "
		 "user can write to",
		 path, strerror(errno));
	return ERR_SYSTEM;
}

/* Makes a bound and listening descriptor. */
static int listen_at(const struct sockaddr_un *address, int *fd, char error[UNIX_SOCKET_ERROR_MAX])
{
	enum { BACKLOG = 64 };
	enum probe found = probe_path(address);
	if (found == PROBE_LIVE || found == PROBE_OTHER) {
		snprintf(error, UNIX_SOCKET_ERROR_MAX, "control socket %s: %s", address->sun_path,
			 found == PROBE_LIVE
				 ? "another server is using it"
				 : "a file that is no socket is there, and is left alone");
		return ERR_EXISTS;
	}
	if (found == PROBE_STALE)
		unlink(address->sun_path);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* The file gets the mode that the descriptor has at bind. */
	if (*fd >= 0 && fchmod(*fd, 0600) == 0 &&
	    bind(*fd, (const struct sockaddr *)address, sizeof *address) == 0 &&
	    listen(*fd, BACKLOG) == 0)
		return 0;
	int err = tell_errno(address->sun_path, error);
	if (*fd >= 0)
		close(*fd);
	return err;
}

int unix_socket_adopt(struct unix_socket *made, const char *path)
{
	struct stat st;
	if (strlen(path) >= sizeof made->path || stat(path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return ERR_NOT_FOUND;
	made->device = st.st_dev;
	made->inode = st.st_ino;
	memcpy(made->path, path, strlen(path) + 1);
	return 0;
}

static int open_locked(struct unix_socket *made, const char *path, int *fd,
		       char error[UNIX_SOCKET_ERROR_MAX])
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, path, strlen(path) + 1);
	int err = listen_at(&address, fd, error);
	if (err == 0 && unix_socket_adopt(made, path) != 0) {
		err = tell_errno(path, error);
		close(*fd);
	}
	return err;
}

int unix_socket_open(struct unix_socket *made, const char *path, int *fd,
		     char error[UNIX_SOCKET_ERROR_MAX])
{
	if (strlen(path) >= sizeof made->path) {
		snprintf(error, UNIX_SOCKET_ERROR_MAX,
			 "the control socket's path is longer than %zu bytes: %.100s...",
			 sizeof made->path - 1, path);
		return ERR_SYSTEM;
	}
	make_directory(path);
	int lock = lock_directory(path);
	int err = open_locked(made, path, fd, error);
	if (lock >= 0)
		close(lock);
	return err;
}

bool unix_socket_is_there(const struct unix_socket *made)
{
	struct stat st;
	return stat(made->path, &st) == 0 && st.st_dev == made->device && st.st_ino == made->inode;
}

void unix_socket_remove(const struct unix_socket *made)
{
	if (unix_socket_is_there(made))
		unlink(made->path);
}
