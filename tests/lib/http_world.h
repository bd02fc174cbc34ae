/* For tests: an HTTP server on a unix socket (and on loopback) in the test's own thread, and
 * clients in another thread that send the test's bytes. */
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
	char answer[64 * 1024]; /* the bytes that a client got, with a NUL */
	size_t answer_length;
	/* inside */
	uv_async_t done;
	void (*client)(struct http_world *world);
	const char *what, *headers, *body; /* for http_world_call */
};

void http_world_init(struct http_world *world);
void http_world_release(struct http_world *world);
/* Opens the listener on world->path; http_world_release removes its socket file. */
void http_world_open(struct http_world *world, const struct http_handler *handler);
/* Opens another listener at this URL; `error` has the error. */
MUST_CHECK int http_world_listen(struct http_world *world, const char *url);
/* Writes a file with a secret, which only its owner may open: else there is a warning. */
void http_world_put_secret(const char *path, const char *secret);
/* A free port of loopback. */
unsigned http_world_free_port(void);
/* Runs the loop until the client, in its own thread, has ended. */
void http_world_serve(struct http_world *world, void (*client)(struct http_world *world));

/* ---- a client ---- */

/* A connected descriptor, or -1. Receiving waits at most a minute. */
int http_world_connect(const struct http_world *world);
/* Sends as much as the server takes. */
void http_world_send(int fd, const char *bytes, size_t length);
/* Receives into `answer` until the server closes the connection, and closes the descriptor. */
void http_world_receive(struct http_world *world, int fd);
/* Sends a whole request on its own connection: method and target, further header lines, each with
 * its CRLF, and a body (NULL: none), which is JSON unless the lines have its type. Returns the
 * status of the `answer`; 0: none. */
unsigned http_world_ask(struct http_world *world, const char *what, const char *headers,
			const char *body);
/* The same, and runs the server meanwhile. */
unsigned http_world_call(struct http_world *world, const char *what, const char *headers,
			 const char *body);
/* The same for the bytes of a raw request. */
unsigned http_world_call_raw(struct http_world *world, const char *bytes);
/* Parts of `answer`: the status, a header's value (NULL: none; valid until the next call), and the
 * body as text and as JSON (release it; NULL: it is none). */
unsigned http_world_status(const struct http_world *world);
const char *http_world_header(const struct http_world *world, const char *name);
const char *http_world_body(const struct http_world *world);
json_t *http_world_json(const struct http_world *world);

#endif
