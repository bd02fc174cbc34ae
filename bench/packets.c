/* Sends and receives the datagrams of the bench's C programs, except those of register.c. */
#include "bench/packets.h"

#include <errno.h>

static void reset(struct packets *packets, int i)
{
	packets->parts[i] = (struct iovec){packets->bytes[i], PACKET_BYTES};
	packets->messages[i].msg_hdr = (struct msghdr){.msg_name = &packets->peers[i],
						       .msg_namelen = sizeof packets->peers[i],
						       .msg_iov = &packets->parts[i],
						       .msg_iovlen = 1};
}

void packets_init(struct packets *packets)
{
	for (int i = 0; i < PACKETS_MAX; i++)
		reset(packets, i);
	packets->used = 0;
}

int packets_receive(struct packets *packets, int fd, int flags)
{
	for (int i = 0; i < packets->used; i++)
		reset(packets, i);
	int count = recvmmsg(fd, packets->messages, PACKETS_MAX, flags, NULL);
	/* A round that brought nothing may still have written into the first header. */
	packets->used = count > 0 ? count : 1;
	return count > 0 ? count : 0;
}

void packets_address(struct packets *packets, int i, bool to_peer)
{
	struct msghdr *header = &packets->messages[i].msg_hdr;
	header->msg_name = to_peer ? &packets->peers[i] : NULL;
	header->msg_namelen = to_peer ? sizeof packets->peers[i] : 0;
}

int packets_send(struct packets *packets, int fd, int count)
{
	int done = 0, refusals = 0;
	if (count > packets->used)
		packets->used = count;
	while (done < count) {
		int sent = sendmmsg(fd, packets->messages + done, (unsigned)(count - done), 0);
		/* A connected socket reports here that an earlier packet met a closed port. */
		if (sent < 0 && errno == ECONNREFUSED && refusals++ == 0)
			continue;
		if (sent <= 0)
			break;
		done += sent;
	}
	return done;
}
