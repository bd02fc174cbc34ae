/* One datagram to the socket that NOTIFY_SOCKET names; a leading '@' stands for the abstract
 * namespace. Failure is nobody's concern: the manager notices by itself. */
#include "resolver/control/notify.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

static void notify(const char *state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	size_t length = path ? strlen(path) : 0;
	if (length < 2 || length >= sizeof address.sun_path || (*path != '/' && *path != '@'))
		return;
	memcpy(address.sun_path, path, length);
	if (*path == '@')
		address.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	ssize_t sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
	(void)sent;
	close(fd);
}

void notify_ready(void)
{
	notify("READY=1");
}

void notify_reloading(void) /* Type=notify-reload wants to know when it began */
{
	char state[64];
	snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%llu",
		 (unsigned long long)uv_hrtime() / 1000);
	notify(state);
}

void notify_stopping(void)
{
	notify("STOPPING=1");
}
