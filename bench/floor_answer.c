/* The floor of answering by UDP: a blocking recvmmsg of up to 64, each query turned into its answer
 * in place, one sendmmsg. No rules, no cache, no clock: this is the kernel's cost of moving two
 * packets. For questions that a server answers itself, its result is a ratio to this.
 *
 * usage: floor_answer ADDRESS:PORT */
#include <stdio.h>

#include "bench/answer.h"
#include "bench/packets.h"
#include "bench/sockets.h"

static struct packets packets;

int main(int argc, char **argv)
{
	struct sockaddr_in address;
	if (argc != 2 || !loopback_parse(argv[1], &address)) {
		fputs("usage: floor_answer 127.0.0.1:PORT\n", stderr);
		return 2;
	}
	int fd = udp_bind(&address, true);
	packets_init(&packets);
	for (;;) {
		int count = packets_receive(&packets, fd, MSG_WAITFORONE);
		for (int i = 0; i < count; i++)
			packets.parts[i].iov_len = answer_make(
				packets.bytes[i], packets.messages[i].msg_len, PACKET_BYTES);
		packets_send(&packets, fd, count);
	}
}
