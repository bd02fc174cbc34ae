/* The floors of TCP: many messages in each read and write. Without an upstream every query is
 * answered on its connection. With one, queries go over a single upstream connection under new ids,
 * and the replies go back to their clients. The upstream connection is made for the first query.
 * Bytes that a peer does not take at once wait for the next event: a window of questions fits into
 * a socket's buffer many times.
 *
 * usage: floor_tcp ADDRESS:PORT [UPSTREAM:PORT] */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/answer.h"
#include "bench/sockets.h"
#include "bench/stream.h"

enum { CLIENTS_MAX = 64, LISTENER = CLIENTS_MAX, UPSTREAM = CLIENTS_MAX + 1 };

/* The state of the event loop. */
static struct {
	int poll, listener;
	bool relays;
	struct sockaddr_in target;
	struct bench_stream *clients[CLIENTS_MAX];
	struct bench_stream *upstream;
	uint16_t next;
	struct {
		uint16_t id;
		uint8_t client;
	} slots[65536];
} relay;

static void watch(int fd, uint32_t who)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = who};
	if (epoll_ctl(relay.poll, EPOLL_CTL_ADD, fd, &event)) {
		perror("floor_tcp: epoll_ctl");
		_exit(1);
	}
}

static void welcome(void)
{
	int fd = tcp_accept(relay.listener);
	for (uint32_t i = 0; fd >= 0 && i < CLIENTS_MAX; i++) {
		if (relay.clients[i])
			continue;
		relay.clients[i] = stream_new(fd);
		if (relay.clients[i])
			watch(fd, i);
		return;
	}
}

/* Takes a client's message: answers it at once, or sends it on under the id of a slot. */
static void take(uint32_t client, uint8_t *room, size_t length)
{
	if (!relay.relays) {
		stream_add(relay.clients[client], answer_make(room, length, STREAM_MESSAGE_BYTES));
		return;
	}
	uint16_t slot = relay.next++;
	memcpy(&relay.slots[slot].id, room, 2);
	relay.slots[slot].client = (uint8_t)client;
	memcpy(room, &slot, 2);
	stream_add(relay.upstream, length);
}

static struct bench_stream *upstream_stream(void)
{
	if (!relay.upstream) {
		int fd = tcp_connect(&relay.target);
		relay.upstream = fd >= 0 ? stream_new(fd) : NULL;
		if (relay.upstream)
			watch(fd, UPSTREAM);
	}
	return relay.upstream;
}

static bool from_client(uint32_t client)
{
	struct bench_stream *stream = relay.clients[client];
	const uint8_t *query;
	uint8_t *room;
	size_t length;
	if (!stream_fill(stream))
		return false;
	struct bench_stream *to = relay.relays ? upstream_stream() : stream;
	if (!to)
		return false;
	while ((room = stream_room(to)) && (query = stream_next(stream, &length))) {
		if (length > STREAM_MESSAGE_BYTES)
			return false;
		memcpy(room, query, length);
		take(client, room, length);
	}
	return stream_flush(to);
}

static void from_upstream(void)
{
	const uint8_t *reply;
	size_t length;
	if (!stream_fill(relay.upstream)) { /* the load, which is the upstream, has ended */
		stream_free(relay.upstream);
		relay.upstream = NULL;
		return;
	}
	while ((reply = stream_next(relay.upstream, &length))) {
		uint16_t slot;
		memcpy(&slot, reply, 2);
		struct bench_stream *client = relay.clients[relay.slots[slot].client];
		uint8_t *room = client ? stream_room(client) : NULL;
		if (!room || length > STREAM_MESSAGE_BYTES)
			continue;
		memcpy(room, reply, length);
		memcpy(room, &relay.slots[slot].id, 2);
		stream_add(client, length);
	}
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (relay.clients[i])
			stream_flush(relay.clients[i]);
}

static void serve(uint32_t who)
{
	if (who == LISTENER) {
		welcome();
	} else if (who == UPSTREAM) {
		from_upstream();
	} else if (!from_client(who)) {
		stream_free(relay.clients[who]);
		relay.clients[who] = NULL;
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in address;
	relay.relays = argc == 3;
	if (argc < 2 || argc > 3 || !loopback_parse(argv[1], &address) ||
	    (relay.relays && !loopback_parse(argv[2], &relay.target))) {
		fputs("usage: floor_tcp 127.0.0.1:PORT [127.0.0.1:PORT]\n", stderr);
		return 2;
	}
	relay.poll = epoll_create1(EPOLL_CLOEXEC);
	relay.listener = tcp_listen(&address);
	watch(relay.listener, LISTENER);
	for (;;) {
		struct epoll_event events[CLIENTS_MAX];
		int count = epoll_wait(relay.poll, events, CLIENTS_MAX, -1);
		for (int i = 0; i < count; i++)
			serve(events[i].data.u32);
	}
}
