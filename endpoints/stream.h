/* The bytes of one TCP connection, with a client or a target, on a worker's loop. They are plain
 * today. Encryption would happen in here, unseen by the callers, which frame messages and count
 * limits.
 *
 *     stream_init ─► stream_take
 *               └──► stream_dial ─► on_open
 *     stream_read ─► on_room, on_bytes ... ─► on_end
 *     stream_write ─► stream_keep ─► on_written
 *     stream_close ─► on_closed: only now its memory may be freed
 *
 * A stream has no buffer: it reads into the caller's memory, and writes from it, as much as the
 * kernel takes. */
#ifndef SLUICE_STREAM_H
#define SLUICE_STREAM_H

#include <sys/types.h>
#include <uv.h>

#include "rules/err.h"
#include "rules/prefix.h"

struct stream;

struct stream_calls { /* after stream_close only on_written and on_closed are called */
	/* The dialled stream is open, or failed. */
	void (*on_open)(struct stream *stream, bool fine);
	/* Returns room for the next bytes; *size must be more than 0. */
	uint8_t *(*on_room)(struct stream *stream, size_t *size);
	void (*on_bytes)(struct stream *stream, size_t count);
	/* The peer has closed its side, or the connection is broken. */
	void (*on_end)(struct stream *stream, bool broken);
	/* The kept bytes have left, or never will. */
	void (*on_written)(struct stream *stream, unsigned tag, bool fine);
	void (*on_closed)(struct stream *stream);
};

struct stream { /* embedded in a connection */
	uv_tcp_t tcp;
	const struct stream_calls *calls;
	bool filled; /* the last read filled its room: others have their turn */
};

/* Prepares a stream for stream_dial (`family` AF_INET or AF_INET6; opens a socket) or stream_take
 * (AF_UNSPEC). After success stream_close must end it. ERR_SYSTEM: its memory may be freed at
 * once. */
MUST_CHECK int stream_init(struct stream *stream, uv_loop_t *loop, unsigned family,
			   const struct stream_calls *calls);
/* Takes an accepted connection; after success the descriptor belongs to the stream. ERR_SYSTEM. */
MUST_CHECK int stream_take(struct stream *stream, int fd);
/* Connects to the host. `connect` must live as long as the stream. source->family 0: the system
 * chooses. ERR_INVALID: the source cannot be bound. ERR_SYSTEM: the host cannot be reached. */
MUST_CHECK int stream_dial(struct stream *stream, uv_connect_t *connect,
			   const struct address *source, const struct host *host);

/* ERR_SYSTEM. */
MUST_CHECK int stream_read(struct stream *stream);
void stream_pause(struct stream *stream);
/* Discards received bytes, up to a bound, so that closing sends no reset, which would destroy the
 * last written bytes. */
void stream_drop_unread(struct stream *stream);
/* Acknowledges received bytes at once: a peer with Nagle's algorithm sends no more before that, and
 * our kernel may wait 40 ms. Lasts until the next read. */
void stream_acknowledge(struct stream *stream);

/* Writes at once what the kernel takes, and returns how many bytes; -1: the connection is
 * broken. */
ssize_t stream_write(struct stream *stream, const uv_buf_t *parts, unsigned count);
/* Copies the bytes after the first `taken`, and writes them when the kernel takes them; on_written
 * gets the tag. ERR_NOMEM, ERR_SYSTEM. */
MUST_CHECK int stream_keep(struct stream *stream, const uv_buf_t *parts, unsigned count,
			   size_t taken, unsigned tag);
/* How many bytes are kept. */
size_t stream_unsent(const struct stream *stream);
/* Closes our side of the connection. ERR_SYSTEM. */
MUST_CHECK int stream_end(struct stream *stream);

void stream_close(struct stream *stream);

#endif
