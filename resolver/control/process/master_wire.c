/* One sendmsg, one recvmsg. A truncated message, or one whose descriptors were cut off, is an
 * error. */
#include "resolver/control/process/master_wire.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rules/hash.h"

union control {
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(sizeof(int) * MASTER_FDS_MAX)];
};

void master_fds_close(struct master_fds *fds)
{
	while (fds->count > 0)
		close(fds->fds[--fds->count]);
}

uint32_t master_name_mark(const char *name)
{
	static const struct hash_key key = {0, 0};

	return (uint32_t)hash_bytes(&key, 0, name, strlen(name)) | 1;
}

int master_send(int fd, struct master_message *message, const int *fds, unsigned count)
{
	message->protocol = MASTER_PROTOCOL;
	struct iovec vector = {.iov_base = message,
			       .iov_len = offsetof(struct master_message, text) +
					  strlen(message->text) + 1};
	struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1};
	union control control = {0};
	if (count > 0) {
		size_t bytes = sizeof *fds * count;
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(bytes);
		struct cmsghdr *part = CMSG_FIRSTHDR(&header);
		part->cmsg_level = SOL_SOCKET;
		part->cmsg_type = SCM_RIGHTS;
		part->cmsg_len = CMSG_LEN(bytes);
		memcpy(CMSG_DATA(part), fds, bytes);
	}
	ssize_t sent;
	do
		sent = sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)vector.iov_len ? 0 : ERR_SYSTEM;
}

/* Takes all descriptors that came. All fit into `fds`: the buffer has no room for more. */
static void take_fds(struct msghdr *header, struct master_fds *fds)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		fds->count = (unsigned)((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds->fds, CMSG_DATA(part), fds->count * sizeof(int));
	}
}

int master_receive(int fd, struct master_message *message, struct master_fds *fds)
{
	struct iovec vector = {.iov_base = message, .iov_len = sizeof *message};
	union control control = {0};
	struct msghdr header = {.msg_iov = &vector,
				.msg_iovlen = 1,
				.msg_control = &control,
				.msg_controllen = sizeof control};
	ssize_t length;
	fds->count = 0;
	do
		length = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (length < 0 && errno == EINTR);
	if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return ERR_NOT_FOUND;
	if (length <= 0)
		return ERR_SYSTEM;
	take_fds(&header, fds);
	if (length > (ssize_t)offsetof(struct master_message, text) &&
	    !(header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) &&
	    message->protocol == MASTER_PROTOCOL && message->group_count <= MASTER_GROUPS_MAX &&
	    ((const char *)message)[length - 1] == '\0')
		return 0;
	master_fds_close(fds);
	return ERR_SYSTEM;
}
