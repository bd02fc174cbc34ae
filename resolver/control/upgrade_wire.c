/* One sendmsg, one recvmsg. A message that did not come whole, or with descriptors that were cut
 * off, is none. Who closes with a message unread has the other told ECONNRESET, once; what it said
 * last is behind that. */
#include "resolver/control/upgrade_wire.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "resolver/control/json.h"

union control {
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(sizeof(int) * UPGRADE_FDS_MAX)];
};

void upgrade_fds_close(struct upgrade_fds *fds)
{
	while (fds->count > 0)
		close(fds->fds[--fds->count]);
}

int upgrade_send(int fd, json_t *message, const struct upgrade_fds *fds)
{
	message = json_whole(message);
	char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;
	json_decref(message);
	if (!text)
		return ERR_SYSTEM;
	struct iovec vector = {.iov_base = text, .iov_len = strlen(text)};
	struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1};
	union control control = {0};
	if (fds && fds->count > 0) {
		size_t bytes = sizeof(int) * fds->count;
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(bytes);
		struct cmsghdr *part = CMSG_FIRSTHDR(&header);
		part->cmsg_level = SOL_SOCKET;
		part->cmsg_type = SCM_RIGHTS;
		part->cmsg_len = CMSG_LEN(bytes);
		memcpy(CMSG_DATA(part), fds->fds, bytes);
	}
	ssize_t sent;
	do
		sent = sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	bool whole = sent == (ssize_t)vector.iov_len;
	free(text);
	return whole ? 0 : ERR_SYSTEM;
}

/* False: there are more than it takes, which are closed. */
static bool take_fds(struct msghdr *header, struct upgrade_fds *fds)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		if (count <= UPGRADE_FDS_MAX) {
			fds->count = (unsigned)count;
			memcpy(fds->fds, CMSG_DATA(part), count * sizeof(int));
			continue;
		}
		for (size_t i = 0; i < count; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
			close(fd);
		}
		return false;
	}
	return true;
}

json_t *upgrade_receive(int fd, struct upgrade_fds *fds, bool *ended)
{
	char text[UPGRADE_MESSAGE_MAX];
	union control control = {0};
	struct iovec vector = {.iov_base = text, .iov_len = sizeof text};
	struct msghdr header = {.msg_iov = &vector,
				.msg_iovlen = 1,
				.msg_control = &control,
				.msg_controllen = sizeof control};
	ssize_t length;
	fds->count = 0;
	do
		length = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
	while (length < 0 && (errno == EINTR || errno == ECONNRESET));
	*ended = length == 0;
	if (length <= 0)
		return NULL;
	bool whole = take_fds(&header, fds) && !(header.msg_flags & (MSG_TRUNC | MSG_CTRUNC));
	json_t *message = whole ? json_loadb(text, (size_t)length, 0, NULL) : NULL;
	if (json_is_object(message))
		return message;
	json_decref(message);
	upgrade_fds_close(fds);
	return NULL;
}
