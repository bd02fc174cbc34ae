#include "bench/stream.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct bench_stream *stream_new(int fd)
{
	struct bench_stream *stream = malloc(sizeof *stream);
	if (!stream)
		return NULL;
	stream->fd = fd;
	stream->in_at = stream->in_end = stream->out_at = stream->out_end = 0;
	return stream;
}

void stream_free(struct bench_stream *stream)
{
	if (!stream)
		return;
	close(stream->fd);
	free(stream);
}

static bool is_over(ssize_t result)
{
	return result == 0 || (result < 0 && errno != EAGAIN && errno != EINTR);
}

bool stream_fill(struct bench_stream *stream)
{
	memmove(stream->in, stream->in + stream->in_at, stream->in_end - stream->in_at);
	stream->in_end -= stream->in_at;
	stream->in_at = 0;
	if (stream->in_end == STREAM_BYTES)
		return true;
	ssize_t got = recv(stream->fd, stream->in + stream->in_end, STREAM_BYTES - stream->in_end,
			   MSG_DONTWAIT);
	if (got > 0)
		stream->in_end += (size_t)got;
	return !is_over(got);
}

uint8_t *stream_next(struct bench_stream *stream, size_t *length)
{
	size_t have = stream->in_end - stream->in_at;
	uint8_t *at = stream->in + stream->in_at;
	if (have < 2 || have < 2u + (at[0] << 8 | at[1]))
		return NULL;
	*length = (size_t)(at[0] << 8 | at[1]);
	stream->in_at += 2 + *length;
	return at + 2;
}

uint8_t *stream_room(struct bench_stream *stream)
{
	if (stream->out_at == stream->out_end)
		stream->out_at = stream->out_end = 0;
	if (stream->out_end + 2 + STREAM_MESSAGE_BYTES > STREAM_BYTES && stream->out_at) {
		memmove(stream->out, stream->out + stream->out_at,
			stream->out_end - stream->out_at);
		stream->out_end -= stream->out_at;
		stream->out_at = 0;
	}
	if (stream->out_end + 2 + STREAM_MESSAGE_BYTES > STREAM_BYTES)
		return NULL;
	return stream->out + stream->out_end + 2;
}

void stream_add(struct bench_stream *stream, size_t length)
{
	assert(length <= STREAM_MESSAGE_BYTES);
	stream->out[stream->out_end] = (uint8_t)(length >> 8);
	stream->out[stream->out_end + 1] = (uint8_t)length;
	stream->out_end += 2 + length;
}

bool stream_flush(struct bench_stream *stream)
{
	if (!stream_has_output(stream))
		return true;
	ssize_t sent = send(stream->fd, stream->out + stream->out_at,
			    stream->out_end - stream->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent > 0)
		stream->out_at += (size_t)sent;
	return !is_over(sent);
}
