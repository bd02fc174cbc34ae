/* One datagram to the socket that NOTIFY_SOCKET names; a leading '@' means the abstract namespace.
 * Failures are ignored, because the manager notices missing messages. If the manager does not read,
 * status messages wait a second at most; signs of life, requests for more time, and the message
 * that a server has ended do not wait. */
#include "resolver/control/process/notify.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

enum { STATE_MAX = 1024 };

static void notify(const char *state, int flags)
{
	const struct timeval patience = {.tv_sec = 1};
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
	int set = setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	(void)set;
	ssize_t sent =
		sendto(fd, state, strlen(state), MSG_NOSIGNAL | flags, (struct sockaddr *)&address,
		       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
	(void)sent;
	close(fd);
}

/* Cuts the status at a line end, which would begin another assignment. */
void notify_ready(const char *status)
{
	char state[STATE_MAX];
	snprintf(state, sizeof state, "READY=1\nSTATUS=%.*s", (int)strcspn(status, "\n"), status);
	notify(state, 0);
}

void notify_starting(uint64_t ms)
{
	char state[64];
	snprintf(state, sizeof state, "EXTEND_TIMEOUT_USEC=%llu", (unsigned long long)ms * 1000);
	notify(state, MSG_DONTWAIT);
}

void notify_reloading(void) /* Type=notify-reload needs the time it began */
{
	char state[64];
	snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%llu",
		 (unsigned long long)uv_hrtime() / 1000);
	notify(state, 0);
}

void notify_ended(void)
{
	notify("STATUS=the server has ended, and is started again", MSG_DONTWAIT);
}

void notify_stopping(void)
{
	notify("STOPPING=1\nSTATUS=stopping", 0);
}

/* ---- the watchdog ---- */

/* An environment variable as a whole number; 0: not set, or not a number. */
static uint64_t number_in(const char *name)
{
	const char *text = getenv(name);
	char *end = NULL;
	errno = 0;
	unsigned long long number =
		text && *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
	return end && *end == '\0' && errno == 0 ? number : 0;
}

uint64_t notify_watchdog_us(void)
{
	bool another = getenv("WATCHDOG_PID") && number_in("WATCHDOG_PID") != (uint64_t)getpid();
	return another ? 0 : number_in("WATCHDOG_USEC");
}

void notify_alive(void)
{
	notify("WATCHDOG=1", MSG_DONTWAIT);
}
