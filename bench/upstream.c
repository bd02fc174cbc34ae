#include "bench/upstream.h"

#include <string.h>
#include <unistd.h>

#include "bench/answer.h"
#include "bench/sockets.h"

enum { ROUNDS_MAX = 4, ACCEPT_EVERY = 256 };

void upstream_open(struct bench_upstream *upstream, const struct sockaddr_in *address)
{
	*upstream = (struct bench_upstream){0};
	upstream->udp = udp_bind(address, false);
	upstream->listener = tcp_listen(address);
	packets_init(&upstream->packets);
}

void upstream_close(struct bench_upstream *upstream)
{
	for (unsigned i = 0; i < upstream->connections; i++)
		stream_free(upstream->streams[i]);
	close(upstream->udp);
	close(upstream->listener);
}

static int serve_batch(struct bench_upstream *upstream)
{
	struct packets *packets = &upstream->packets;
	int count = packets_receive(packets, upstream->udp, MSG_DONTWAIT);
	for (int i = 0; i < count; i++)
		packets->parts[i].iov_len =
			answer_make(packets->bytes[i], packets->messages[i].msg_len, PACKET_BYTES);
	if (count)
		upstream->answered += (uint64_t)packets_send(packets, upstream->udp, count);
	return count;
}

static bool serve_stream(struct bench_upstream *upstream, struct bench_stream *stream)
{
	const uint8_t *query;
	uint8_t *room;
	size_t length;
	if (stream_has_output(stream)) /* the peer reads slowly: let it */
		return stream_flush(stream);
	if (!stream_fill(stream))
		return false;
	while ((room = stream_room(stream)) && (query = stream_next(stream, &length))) {
		if (length > STREAM_MESSAGE_BYTES)
			return false;
		memcpy(room, query, length);
		length = answer_make(room, length, STREAM_MESSAGE_BYTES);
		if (!length)
			return false;
		stream_add(stream, length);
		upstream->answered++;
	}
	return stream_flush(stream);
}

static void accept_one(struct bench_upstream *upstream)
{
	if (upstream->connections == UPSTREAM_CONNECTIONS_MAX)
		return;
	int fd = tcp_accept(upstream->listener);
	if (fd < 0)
		return;
	struct bench_stream *stream = stream_new(fd);
	if (stream)
		upstream->streams[upstream->connections++] = stream;
	else
		close(fd);
}

void upstream_serve(struct bench_upstream *upstream)
{
	static unsigned turn;
	for (int round = 0; round < ROUNDS_MAX && serve_batch(upstream) == PACKETS_MAX; round++)
		;
	if (turn++ % ACCEPT_EVERY == 0) /* a system call in every turn would cost too much */
		accept_one(upstream);
	for (unsigned i = 0; i < upstream->connections; i++) {
		if (serve_stream(upstream, upstream->streams[i]))
			continue;
		stream_free(upstream->streams[i]);
		upstream->streams[i--] = upstream->streams[--upstream->connections];
	}
}

unsigned upstream_polls(const struct bench_upstream *upstream, struct pollfd *polls, unsigned room)
{
	unsigned count = 0;
	const int own[] = {upstream->udp, upstream->listener};
	for (unsigned i = 0; i < 2 && count < room; i++)
		polls[count++] = (struct pollfd){.fd = own[i], .events = POLLIN};
	for (unsigned i = 0; i < upstream->connections && count < room; i++)
		polls[count++] = (struct pollfd){.fd = upstream->streams[i]->fd, .events = POLLIN};
	return count;
}
