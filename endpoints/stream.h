/* Bytes in and out of one TCP connection, of a client or of a target, on a worker's loop. Plain
 * bytes today; where they are to be encrypted, that happens in here, and whoever frames messages or
 * counts limits does not see it.
 *
 *     stream_init ─► stream_take
 *               └──► stream_dial ─► on_open
 *     stream_read ─► on_room, on_bytes ... ─► on_end
 *     stream_write ─► stream_keep ─► on_written
 *     stream_close ─► on_closed: its memory may go, and not before
 *
 * Nothing is buffered: bytes are read into the caller's room, and written out of the caller's
 * memory, as far as the kernel takes them. */
#ifndef SLUICE_STREAM_H
#define SLUICE_STREAM_H

#include <sys/types.h>
#include <uv.h>

#include "rules/err.h"
#include "rules/prefix.h"

struct stream;

struct stream_calls { /* none is called once stream_close was, but on_written and on_closed */
	/* Of a stream that was dialled. */
	void (*on_open)(struct stream *stream, bool fine);
	/* Where the next bytes go, *size of them at most, which is more than 0. */
	uint8_t *(*on_room)(struct stream *stream, size_t *size);
	void (*on_bytes)(struct stream *stream, size_t count);
	/* The peer has closed its side; or the connection is broken. */
	void (*on_end)(struct stream *stream, bool broken);
	/* What was kept has left, or never will. */
	void (*on_written)(struct stream *stream, unsigned tag, bool fine);
	void (*on_closed)(struct stream *stream);
};

struct stream { /* embedded in whatever it is of */
	uv_tcp_t tcp;
	const struct stream_calls *calls;
	bool filled; /* its room, by the last read: others' turn */
};

/* To be taken or dialled next; from now on stream_close ends it. `family`: AF_INET or AF_INET6,
 * with a socket, to be dialled; AF_UNSPEC to be taken. ERR_SYSTEM: its memory may go at once. */
MUST_CHECK int stream_init(struct stream *stream, uv_loop_t *loop, unsigned family,
			   const struct stream_calls *calls);
/* A connection that was accepted; with success the descriptor is the stream's. ERR_SYSTEM. */
MUST_CHECK int stream_take(struct stream *stream, int fd);
/* `connect` must stay as long as the stream. source->family 0: the system's choice. ERR_INVALID:
 * the source cannot be bound. ERR_SYSTEM: there is no way to the host. */
MUST_CHECK int stream_dial(struct stream *stream, uv_connect_t *connect,
			   const struct address *source, const struct host *host);

/* ERR_SYSTEM. */
MUST_CHECK int stream_read(struct stream *stream);
void stream_pause(struct stream *stream);
/* Discards what has come by now, up to a bound: for closing without a reset, which would destroy
 * what was just written. */
void stream_drop_unread(struct stream *stream);
/* Acknowledges at once what has come: a peer with Nagle's algorithm on sends no more before that,
 * and our kernel likes to wait 40 ms. Holds until the next read. */
void stream_acknowledge(struct stream *stream);

/* How many of the bytes the kernel has taken, at once; -1: the connection is broken. */
ssize_t stream_write(struct stream *stream, const uv_buf_t *parts, unsigned count);
/* Copies what is behind the first `taken` bytes, and writes it when the kernel takes it; on_written
 * gets the tag. ERR_NOMEM, ERR_SYSTEM. */
MUST_CHECK int stream_keep(struct stream *stream, const uv_buf_t *parts, unsigned count,
			   size_t taken, unsigned tag);
/* Bytes that are kept. */
size_t stream_unsent(const struct stream *stream);
/* Ends our side of the connection. ERR_SYSTEM. */
MUST_CHECK int stream_end(struct stream *stream);

void stream_close(struct stream *stream);

#endif
