/* The floor of forwarding by UDP: a batch of queries comes in, each gets an id slot, the batch goes
 * to the upstream, and the replies go back. The one upstream socket is connected, unless the
 * argument `unconnected` is given (a resolver that draws its source ports from a pool cannot
 * connect them all). No parsing, no matching, no timers, no safety.
 *
 *     client ──► in ── slot[id] = client, its id ── out ──► upstream
 *     client ◄── in ── id and client from slot ──── out ◄── upstream
 *
 * usage: floor_relay ADDRESS:PORT UPSTREAM:PORT [unconnected] */
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "bench/packets.h"
#include "bench/sockets.h"

struct relay {
	int in, out;
	struct sockaddr_in upstream;
	bool connected;
	uint16_t next;
	struct {
		struct sockaddr_in client;
		uint16_t id;
	} slots[65536];
	struct packets packets;
};

static struct relay relay;

static void forward(void)
{
	struct packets *packets = &relay.packets;
	int count = packets_receive(packets, relay.in, MSG_DONTWAIT);
	for (int i = 0; i < count; i++) {
		uint16_t slot = relay.next++;
		relay.slots[slot].client = packets->peers[i];
		memcpy(&relay.slots[slot].id, packets->bytes[i], 2);
		memcpy(packets->bytes[i], &slot, 2);
		packets->parts[i].iov_len = packets->messages[i].msg_len;
		packets->peers[i] = relay.upstream;
		packets_address(packets, i, !relay.connected);
	}
	packets_send(packets, relay.out, count);
}

static void reply(void)
{
	struct packets *packets = &relay.packets;
	int count = packets_receive(packets, relay.out, MSG_DONTWAIT);
	for (int i = 0; i < count; i++) {
		uint16_t slot;
		memcpy(&slot, packets->bytes[i], 2);
		memcpy(packets->bytes[i], &relay.slots[slot].id, 2);
		packets->parts[i].iov_len = packets->messages[i].msg_len;
		packets->peers[i] = relay.slots[slot].client;
	}
	packets_send(packets, relay.in, count);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address;
	if (argc < 3 || !loopback_parse(argv[1], &address) ||
	    !loopback_parse(argv[2], &relay.upstream)) {
		fputs("usage: floor_relay 127.0.0.1:PORT 127.0.0.1:PORT [unconnected]\n", stderr);
		return 2;
	}
	relay.connected = argc == 3;
	relay.in = udp_bind(&address, false);
	relay.out = relay.connected ? udp_connect(&relay.upstream) : udp_unconnected();
	packets_init(&relay.packets);
	int poll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[2] = {{.events = EPOLLIN, .data.fd = relay.in},
					{.events = EPOLLIN, .data.fd = relay.out}};
	for (int i = 0; i < 2; i++) {
		if (epoll_ctl(poll, EPOLL_CTL_ADD, events[i].data.fd, &events[i])) {
			perror("floor_relay: epoll_ctl");
			return 1;
		}
	}
	for (;;) {
		int count = epoll_wait(poll, events, 2, -1);
		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == relay.in)
				forward();
			else
				reply();
		}
	}
}
