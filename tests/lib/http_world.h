/* For tests: an HTTP server on a unix socket (and on loopback) whose control thread is the test's
 * own, and clients in a thread beside it that send what the test says, byte by byte. */
#ifndef SLUICE_TESTS_HTTP_WORLD_H
#define SLUICE_TESTS_HTTP_WORLD_H

#include <jansson.h>
#include <uv.h>

#include "resolver/control/http/http.h"

struct http_world {
	uv_loop_t loop;
	struct http *http;
	char directory[32], path[64], error[HTTP_ERROR_MAX];
	unsigned port; /* of a TCP listener that the test has opened; clients go there, if not 0 */
	char answer[64 * 1024]; /* what a client has got; NUL behind it */
	size_t answer_length;
	/* inside */
	uv_async_t done;
	void (*client)(struct http_world *world);
	const char *what, *headers, *body; /* of http_world_call */
};

void http_world_init(struct http_world *world);
void http_world_release(struct http_world *world);
/* The listener on world->path, whose file goes with the world. */
void http_world_open(struct http_world *world, const struct http_handler *handler);
/* Another one at that URL; the error is in `error`. */
MUST_CHECK int http_world_listen(struct http_world *world, const char *url);
/* A file that has a secret, as http/auth.h wants it. */
void http_world_put_secret(const char *path, const char *secret);
/* A free port of loopback. */
unsigned http_world_free_port(void);
/* Runs the loop until the client, in a thread of its own, has come to its end. */
void http_world_serve(struct http_world *world, void (*client)(struct http_world *world));

/* ---- a client ---- */

/* A connected descriptor, or -1. It waits a minute for what comes, and no longer. */
int http_world_connect(const struct http_world *world);
/* Sends as much as is taken. */
void http_world_send(int fd, const char *bytes, size_t length);
/* Everything up to the server's hanging up goes into `answer`, and the descriptor is closed. */
void http_world_receive(struct http_world *world, int fd);
/* A whole request of one connection: method and target, further header lines, each with its CRLF,
 * and a body, NULL for none, which is JSON where the lines do not say what it is. Returns the
 * status of what is then in `answer`; 0: there is none. */
unsigned http_world_ask(struct http_world *world, const char *what, const char *headers,
			const char *body);
/* The same, with the server running meanwhile: the whole exchange. */
unsigned http_world_call(struct http_world *world, const char *what, const char *headers,
			 const char *body);
/* The same of a request that is sent as it stands here. */
unsigned http_world_call_raw(struct http_world *world, const char *bytes);
/* Of `answer`: the status, a header's value (NULL: it has none; good until the next call), the
 * body as text and as JSON (to be released; NULL: it is none). */
unsigned http_world_status(const struct http_world *world);
const char *http_world_header(const struct http_world *world, const char *name);
const char *http_world_body(const struct http_world *world);
json_t *http_world_json(const struct http_world *world);

#endif
