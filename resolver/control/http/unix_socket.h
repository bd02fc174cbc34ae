/* A listening unix socket at a path. Only its owner may connect to it (mode 0600). A socket file
 * that an ended server left is replaced; that of a running server is not, even when several start
 * at once. */
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
	ino_t inode; /* of the file when it was made */
};

/* Opens a listening, non-blocking socket; the caller owns the descriptor. ERR_SYSTEM or ERR_EXISTS:
 * `error` has the reason, in one line. */
MUST_CHECK int unix_socket_open(struct unix_socket *made, const char *path, int *fd,
				char error[UNIX_SOCKET_ERROR_MAX]);
/* Fills in the struct for the socket at that path, which listens already. ERR_NOT_FOUND: there is
 * none. */
MUST_CHECK int unix_socket_adopt(struct unix_socket *made, const char *path);
/* Is the file at the path still this socket? */
bool unix_socket_is_there(const struct unix_socket *made);
/* Removes the file if it is still this socket. */
void unix_socket_remove(const struct unix_socket *made);

#endif
