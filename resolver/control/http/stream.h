/* Answers without an end, for what happens as it happens (server-sent events, the HTML standard's
 * text/event-stream):
 *
 *     control thread                                    listener's thread
 *     http_reply_stream ──────────────────────────────► head of the answer
 *     http_streams_ask ──► source.next ─► buffer ─────► taken from the buffer, sent
 *                              ▲                         empty: the connection is suspended
 *                              └────────── wake ◄────────┘
 *
 * A source is asked when somebody says that there may be something new, and when what it gave last
 * has been taken: it keeps a place (a revision), and nothing is queued for a client that is slow.
 * So such a client costs one buffer and its connection, until it has taken nothing whole for so
 * long as any answer may take (HTTP_EXCHANGE_MS), and then it goes. Every HTTP_STREAM_ALIVE_MS a
 * comment is sent where there is nothing else, so that a client that has gone is noticed.
 *
 * At a URL a client has one stream of each route, however it spells the path. A second one ends the
 * first, whose connection may have been lost. All together are bounded, those at the control
 * socket by themselves.
 *
 * A stream that ends ahead of its client says why in a last comment. It gives nothing more once
 * the client's token has expired, and ends then or with the next comment that is due.
 */
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
	HTTP_STREAMS_MAX = 16, /* at URLs, and as many at the control socket */
	HTTP_STREAM_ALIVE_MS = 15 * 1000,
	HTTP_STREAM_BUFFER = 256 * 1024, /* bytes that a source gives at once, or somewhat more */
};

/* Both on the control thread. */
struct http_stream_source {
	/* What comes next, whole events, of *length bytes, to be freed; NULL: nothing yet. */
	char *(*next)(void *context, size_t *length);
	void (*release)(void *context); /* the stream has ended */
	void *context;
	size_t limit; /* it ends behind so many events, without those that have a name, which are
		       * about the stream itself; 0: none */
};

/* Writes an event, which is taken over; id 0: it has none, and a client that comes back cannot
 * begin behind it. Without memory nothing is written. */
void http_stream_event(FILE *out, uint64_t id, json_t *event);

/* ---- inside: http.c's side; any thread where nothing else is said ---- */

struct http_stream;
struct http_streams; /* all of one server's; the control thread's */

/* ERR_NOMEM. The memory goes with the loop's last close callback. */
MUST_CHECK int http_streams_new(struct http_streams **streams, uv_loop_t *loop, unsigned alive_ms);
/* Every stream has ended or been resumed to end, and no listener's thread runs any more. */
void http_streams_free(struct http_streams *streams);
/* Control thread. `client`: who reads; NULL: somebody at the control socket, who may have many.
 * until_s: the wall clock's, when it ends; 0: it does not. NULL: there are too many, or no memory;
 * the source is the caller's then. */
struct http_stream *http_stream_new(struct http_streams *streams, const char *client,
				    const void *route, int64_t until_s,
				    const struct http_stream_source *source);
/* Control thread: asks every source. */
void http_streams_ask(struct http_streams *streams);
/* Ends all, or those at URLs; they are sent what is in their buffers. */
void http_streams_end(struct http_streams *streams, bool all);

/* Listener's thread: into `to`; 0: nothing yet, the connection has been suspended; -1: the end. */
ssize_t http_stream_take(struct http_stream *stream, struct MHD_Connection *connection, char *to,
			 size_t room);
/* Its connection has done with it. */
void http_stream_leave(struct http_stream *stream);

#endif
