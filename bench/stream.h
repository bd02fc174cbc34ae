/* DNS over one TCP connection (RFC 1035 section 4.2.2): messages after their length, many in each
 * read and write. Non-blocking; keeps bytes that the peer does not take yet.
 *
 *     stream_fill ── stream_next, until NULL ── answers by stream_add ── stream_flush */
#ifndef BENCH_STREAM_H
#define BENCH_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STREAM_BYTES = 1 << 17, STREAM_MESSAGE_BYTES = 4096 };

struct bench_stream {
	int fd;
	size_t in_at, in_end, out_at, out_end;
	uint8_t in[STREAM_BYTES], out[STREAM_BYTES];
};

struct bench_stream *stream_new(int fd); /* NULL without memory; the socket becomes the stream's */
void stream_free(struct bench_stream *stream);
/* Reads once. False when the connection is over. */
bool stream_fill(struct bench_stream *stream);
/* The next whole message; NULL: none yet. Valid until the next stream_fill. It has no room to grow,
 * so answer with a copy. */
uint8_t *stream_next(struct bench_stream *stream, size_t *length);
/* Room for a message of up to STREAM_MESSAGE_BYTES; NULL when the peer does not read. */
uint8_t *stream_room(struct bench_stream *stream);
/* Queues the message written at stream_room. */
void stream_add(struct bench_stream *stream, size_t length);
/* Writes once. False when the connection is over. */
bool stream_flush(struct bench_stream *stream);
static inline bool stream_has_output(const struct bench_stream *stream)
{
	return stream->out_at < stream->out_end;
}

#endif
