/* Answers without an end, which report events as they happen (server-sent events, the HTML
 * standard's text/event-stream):
 *
 *     control thread                                    listener's thread
 *     http_reply_stream ──────────────────────────────► head of the answer
 *     http_streams_ask ──► source.next ─► buffer ─────► taken from the buffer, sent
 *                              ▲                         empty: the connection is suspended
 *                              └────────── wake ◄────────┘
 *
 * A source is asked for data when there may be something new (http_look), and when the client has
 * taken its last data. The source keeps its place (a revision), so nothing is queued for a slow
 * client. Such a client costs one buffer and its connection, and is disconnected if it takes longer
 * than HTTP_EXCHANGE_MS for a buffer. Every HTTP_STREAM_ALIVE_MS without data a comment is sent, to
 * notice clients that have gone.
 *
 * At a URL a client has one stream of each route, whatever the spelling of the path. A second one
 * ends the first, whose connection may have been lost. The number of streams is bounded, separately
 * at URLs and at the control socket.
 *
 * A stream that the server ends tells the reason in a last comment, unless it has reached its limit
 * of events. Once the client's token has expired, the stream sends no more events, and ends when
 * its source would next be asked for data. */
#ifndef SLUICE_HTTP_STREAM_H
#define SLUICE_HTTP_STREAM_H

#include <jansson.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <uv.h>

#include "rules/err.h"

enum {
	HTTP_STREAMS_MAX = 16, /* at URLs; and as many again at the control socket */
	HTTP_STREAM_ALIVE_MS = 15 * 1000,
	HTTP_STREAM_FRAME = 80,          /* bytes of an event besides its data */
	HTTP_STREAM_BUFFER = 256 * 1024, /* bytes: about the most that a source gives at once */
};

/* The functions are called on the control thread. */
struct http_stream_source {
	/* The next events, whole ones, of *length bytes, to be freed; NULL: none yet. */
	char *(*next)(void *context, size_t *length);
	void (*release)(void *context); /* called when the stream has ended */
	void *context;
	size_t limit; /* the stream ends after so many events, not counting those
		       * with a name, which are about the stream itself; 0: no limit */
};

/* Writes one event of a stream, whose data is one line of `length` bytes; returns how many bytes it
 * takes, at most HTTP_STREAM_FRAME more than the data. The name is short; NULL: none. id 0: it has
 * none, so a client cannot resume after it. */
size_t http_stream_frame(char *to, uint64_t id, const char *name, const char *data, size_t length);
/* Writes an event and takes ownership of it. Without memory nothing is written. */
void http_stream_event(FILE *out, uint64_t id, json_t *event);

/* ---- for http.c; the control thread unless a comment names another ---- */

struct http_stream;
struct http_streams; /* all streams of a server; belongs to the control thread */

/* ERR_NOMEM. */
MUST_CHECK int http_streams_new(struct http_streams **streams, uv_loop_t *loop, unsigned alive_ms);
/* Frees all streams, whose connections must have ended: no listener's thread may be running.
 * `streams` itself is freed once the loop has closed its handles. */
void http_streams_free(struct http_streams *streams);
/* Control thread. `client`: its id; NULL: a peer of the control socket, which may have many
 * streams. until_s: when the stream ends, by the wall clock; 0: never. NULL: there are too many,
 * or no memory; the source remains the caller's. */
struct http_stream *http_stream_new(struct http_streams *streams, const char *client,
				    const void *route, int64_t until_s,
				    const struct http_stream_source *source);
/* Control thread: asks every source. */
void http_streams_ask(struct http_streams *streams);
/* Control thread: ends all streams, or those at URLs; the content of their buffers is still
 * sent. */
void http_streams_end(struct http_streams *streams, bool all);
/* Control thread: ends the client's streams at URLs, because one of its tokens has ended. */
void http_streams_end_of(struct http_streams *streams, const char *client);

/* Listener's thread: copies data into `to`; 0: none yet, the connection was suspended; -1: the end.
 * *is_first: the data begins a buffer. */
ssize_t http_stream_take(struct http_stream *stream, struct MHD_Connection *connection, char *to,
			 size_t room, bool *is_first);
/* Listener's thread: call this when the connection no longer uses the stream. */
void http_stream_leave(struct http_stream *stream);

#endif
