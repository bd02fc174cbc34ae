/* A listening unix socket at a path: only its owner may connect to it (mode 0600), a file that a
 * server left behind is replaced, and a live server's is not, also not by several that start at
 * once. */
#ifndef SLUICE_UNIX_SOCKET_H
#define SLUICE_UNIX_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

#include "rules/err.h"

enum { UNIX_SOCKET_ERROR_MAX = 256 };

struct unix_socket {
	char path[sizeof((struct sockaddr_un *)NULL)->sun_path];
	dev_t device;
	ino_t inode; /* of the file as we made it */
};

/* Listens, non-blocking; the descriptor is the caller's. ERR_SYSTEM or ERR_EXISTS, and `error` says
 * in one line why. */
MUST_CHECK int unix_socket_open(struct unix_socket *made, const char *path, int *fd,
				char error[UNIX_SOCKET_ERROR_MAX]);
/* Of one that is listened at already, by the file that is at the path. ERR_NOT_FOUND: it is gone.
 */
MUST_CHECK int unix_socket_adopt(struct unix_socket *made, const char *path);
/* Whether the file at the path is still the one that was made. */
bool unix_socket_is_there(const struct unix_socket *made);
/* Removes the file if it is still the one that was made. */
void unix_socket_remove(const struct unix_socket *made);

#endif
