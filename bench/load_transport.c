/* UDP: a batch of datagrams. TCP: a batch of messages in one write, pipelined, answers in any order
 * (RFC 7766 section 6.2.1.1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/load.h"
#include "bench/sockets.h"

static bool udp_open(struct load_run *load, struct load_lane *lane)
{
	lane->fd = udp_connect(&load->setup.server);
	return true;
}

static uint32_t udp_send(struct load_run *load, struct load_lane *lane, uint32_t count)
{
	struct flight_slot *slots[PACKETS_MAX];
	struct packets *packets = &load->packets;
	int ready = 0;
	while (ready < PACKETS_MAX && (uint32_t)ready < count) {
		size_t length;
		slots[ready] = load_ask(load, lane, packets->bytes[ready], &length);
		if (!slots[ready])
			break;
		packets->parts[ready].iov_len = length;
		packets_address(packets, ready, false);
		ready++;
	}
	int sent = ready ? packets_send(packets, lane->fd, ready) : 0;
	for (int i = sent; i < ready; i++)
		flight_put_back(&lane->flight, slots[i]);
	return (uint32_t)sent;
}

static void udp_receive(struct load_run *load, struct load_lane *lane)
{
	struct packets *packets = &load->packets;
	int count = packets_receive(packets, lane->fd, MSG_DONTWAIT);
	for (int i = 0; i < count; i++)
		load_judge(load, lane, packets->bytes[i], packets->messages[i].msg_len);
}

const struct transport transport_udp = {udp_open, udp_send, udp_receive};

static bool tcp_open(struct load_run *load, struct load_lane *lane)
{
	stream_free(lane->stream);
	lane->stream = NULL;
	lane->fd = tcp_connect(&load->setup.server);
	if (lane->fd >= 0)
		lane->stream = stream_new(lane->fd);
	return lane->stream != NULL;
}

/* The server closed the connection: its open questions are lost. */
static void reopen(struct load_run *load, struct load_lane *lane)
{
	load->counts.reconnected++;
	load_lose(load, lane, UINT64_MAX);
	if (!tcp_open(load, lane)) {
		fputs("load: the server closed a connection and takes no other\n", stderr);
		exit(1);
	}
}

static uint32_t tcp_send(struct load_run *load, struct load_lane *lane, uint32_t count)
{
	uint32_t sent = 0;
	while (sent < count) {
		size_t length;
		uint8_t *room = stream_room(lane->stream);
		if (!room || !load_ask(load, lane, room, &length))
			break;
		stream_add(lane->stream, length);
		sent++;
	}
	if (!stream_flush(lane->stream))
		reopen(load, lane);
	return sent;
}

static void tcp_receive(struct load_run *load, struct load_lane *lane)
{
	const uint8_t *message;
	size_t length;
	bool open = stream_fill(lane->stream) && stream_flush(lane->stream);
	while ((message = stream_next(lane->stream, &length)))
		load_judge(load, lane, message, length);
	if (!open)
		reopen(load, lane);
}

const struct transport transport_tcp = {tcp_open, tcp_send, tcp_receive};
