/* A batch of datagrams for recvmmsg and sendmmsg: received into its buffers, changed in place, sent
 * from them. Set up once; a round resets only what the last round used. */
#ifndef BENCH_PACKETS_H
#define BENCH_PACKETS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { PACKETS_MAX = 64, PACKET_BYTES = 1500 };

struct packets {
	struct mmsghdr messages[PACKETS_MAX];
	struct iovec parts[PACKETS_MAX]; /* iov_len is what packets_send sends */
	struct sockaddr_in peers[PACKETS_MAX];
	int used; /* of the latest round */
	uint8_t bytes[PACKETS_MAX][PACKET_BYTES];
};

void packets_init(struct packets *packets);
/* Receives with recvmmsg's flags; returns how many came, 0 for none or an error. Lengths are in
 * messages[].msg_len, senders in peers. */
int packets_receive(struct packets *packets, int fd, int flags);
/* Addresses packet i to its peer, or to the socket's connected peer. */
void packets_address(struct packets *packets, int i, bool to_peer);
/* Sends the first `count`; returns how many the kernel took. */
int packets_send(struct packets *packets, int fd, int count);

#endif
