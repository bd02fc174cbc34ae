/* The control socket's transport: a unix stream socket on which one JSON object per line comes in
 * and one per line goes out, in order. What the objects mean is the handler's business
 * (control_request.h).
 *
 * Only root and the server's own user are heard: the kernel says who the peer is (SO_PEERCRED), and
 * anybody else gets one refusal. A client can neither block the loop nor fill memory: requests,
 * connections and time are bounded, and while an answer is being written nothing more is read. */
#ifndef SLUICE_CONTROL_SOCKET_H
#define SLUICE_CONTROL_SOCKET_H

#include <jansson.h>
#include <uv.h>

#include "rules/err.h"

enum {
	CONTROL_CONNECTIONS_MAX = 16,
	CONTROL_REQUEST_MAX = 16 * 1024, /* bytes of a line */
	CONTROL_TIMEOUT_MS = 5000,       /* without progress, and a connection is closed */
	CONTROL_ERROR_MAX = 256,
};

struct control_socket;

/* Answers one request, which is an object; the caller releases it. NULL: it could not be made. */
typedef json_t *control_handler(void *context, const json_t *request);

/* Opens the socket with mode 0600 and listens on the loop. A socket that nobody serves any more is
 * replaced, a live one is not. NULL on failure, and `error` says in one line why. */
struct control_socket *control_socket_open(uv_loop_t *loop, const char *path,
					   control_handler *handler, void *context,
					   char error[CONTROL_ERROR_MAX]);
/* Stops listening, removes the file if it is still ours, starts closing all connections; the memory
 * goes with the loop's last close callback. NULL is fine. */
void control_socket_close(struct control_socket *control);

/* ---- the client's side, blocking ---- */

/* Sends the request and waits for the answer, an object, which the caller releases. NULL on
 * failure, and `error` says in one line why. timeout_ms bounds the whole exchange. */
json_t *control_call(const char *path, const json_t *request, int timeout_ms,
		     char error[CONTROL_ERROR_MAX]);

#endif
