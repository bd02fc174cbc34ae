/* HTTP/1.1 for the management plane: listeners have threads of their own (libmicrohttpd), requests
 * are handled on the control thread. auth.h identifies clients, api.h has the meaning of paths.
 *
 *     HTTP threads, one for each listener            control thread
 *     head is there ─► on_head                        (a refusal ends here)
 *     body is there ─► connection suspended ─queue, wake─► on_request
 *     answer is sent ◄─ connection resumed  ◄───────────── http_reply, at once or later
 *
 * A client can neither block the control thread nor fill memory: bodies, answers, connections and
 * time are bounded, and a client that sends or reads slowly occupies only its connection. A stream
 * (stream.h) is an answer without an end, with a bounded buffer. A client's time limits do not run
 * while the control thread has its request.
 *
 * Slow or idle clients cannot keep others out. When a listener, or an address, has all the
 * connections that it may have, a new one replaces another: one whose answer is late (http_late),
 * or else the longest idle one of the client that has the most. Connections without credentials
 * count by their address. A connection stays while it has a request, or a stream, with valid
 * credentials; if all have, the new one is closed.
 *
 * With credentials, a client may have HTTP_PER_CLIENT_MAX connections to a URL, from all addresses:
 * one more replaces an idle one of its own, or is refused. A quarter of the connections of
 * each address and each listener is kept for clients with few requests (HTTP_FEW): while all others
 * are busy, clients with more requests are refused. So a few clients cannot shut out another one,
 * unless there are enough to fill all places with HTTP_FEW each.
 *
 * At a URL the Host header must be the address that the client is connected to (with any port,
 * because tunnels change it), a name of http_use_hosts or, on loopback, localhost or any loopback
 * address; otherwise the answer is 421. This stops DNS rebinding, in which a web page reaches this
 * server by a name of its own domain. HTTP/1.0, which no browser uses, needs no Host header.
 *
 * DNS comes first: listeners' threads are nicer than workers, so that a client that keeps one busy
 * (with TLS handshakes, say) takes no CPU that a worker needs. Requests at the unix socket come
 * before those at URLs, and the control thread does its other work in between. */
#ifndef SLUICE_HTTP_H
#define SLUICE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "rules/err.h"
#include "rules/prefix.h"
#include "rules/schema/model.h"

enum {
	HTTP_CONNECTIONS_MAX = 64,   /* for each listener */
	HTTP_PER_ADDRESS_MAX = 32,   /* of a listener's, from one address (address_site) */
	HTTP_PER_CLIENT_MAX = 16,    /* of a listener's, with one client's credentials */
	HTTP_FEW = 4,                /* a client with fewer requests may use reserved places */
	HTTP_KEPT = 4,               /* of a listener and of an address, 1 place in 4 is reserved */
	HTTP_HEAD_MAX = 32 * 1024,   /* bytes of request line and headers */
	HTTP_BODY_MAX = 1024 * 1024, /* more is 413, unless on_head allows it */
	HTTP_IDLE_MS = 5000, /* without progress; also for a head, and for a TLS handshake */
	HTTP_EXCHANGE_MS = 30 * 1000, /* for a whole body, and for a whole answer */
	HTTP_LATE_MS = 1000,          /* the delay of http_late */
	HTTP_LATE_MAX = 16,           /* late answers that wait, of one address */
	HTTP_LINGER_MS = 500,    /* for clients to take last answers before listeners are closed */
	HTTP_HELD_MAX = 1 << 30, /* bytes of bodies and answers, of all clients */
	HTTP_SMALL = 64 * 1024,  /* over HTTP_HELD_MAX: the longest piece that a URL still takes */
	HTTP_NICENESS = 10,      /* of listeners' threads, relative to workers */
	HTTP_HEADERS_MAX = 8,    /* added by http_header */
	HTTP_CLIENT_MAX = 256,   /* of a client's id with its NUL; the schema allows 255 */
	HTTP_ERROR_MAX = 256,
};

enum http_origin { HTTP_UNIX, HTTP_TCP, HTTP_TLS };

struct http;
struct http_certificate;
struct http_hosts;

/* One request, from its head to the end of its answer. All members may be read until http_reply. */
struct http_request {
	const char *method; /* as sent; case matters (RFC 9110 section 9.1) */
	const char *path;   /* begins with '/'; not percent-decoded */
	const char *query;  /* after the '?', not decoded; "" if there is none */
	const char *body;   /* body_length bytes and a NUL; NULL before on_request */
	size_t body_length;
	enum http_origin origin;
	uid_t uid;           /* of the peer, with HTTP_UNIX */
	struct address from; /* the peer's address, at a URL */
	struct address at;   /* the server's address that the peer connected to, at a URL */
	/* on_head sets these for on_request: */
	size_t body_max; /* begins as HTTP_BODY_MAX */
	char client[HTTP_CLIENT_MAX];
	enum client_role role;
	int64_t until_s; /* since 1970: the credentials expire; 0: never */
	const void *route;
};

struct http_handler {
	/* Called on the listener's thread with the head, so it must not read anything that the
	 * control thread may be changing. To refuse, it calls http_reply; then on_request is not
	 * called. */
	void (*on_head)(void *context, struct http_request *request);
	/* Called on the control thread. http_reply must be called once, now or later, on that
	 * thread. */
	void (*on_request)(void *context, struct http_request *request);
	/* Makes the body of an error that needs no handler (400, 413, 421, 429, 503), on either
	 * thread. The caller frees it; NULL: no body. */
	char *(*on_error)(void *context, const struct http_request *request, unsigned status,
			  const char *text);
	/* Called on each listener's thread before its first client is heard, to give up rights that
	 * the thread does not need. NULL: nothing. */
	void (*on_thread)(void *context);
	void *context;
	unsigned idle_ms, exchange_ms; /* 0: HTTP_IDLE_MS, HTTP_EXCHANGE_MS */
	unsigned alive_ms;             /* 0: HTTP_STREAM_ALIVE_MS */
	size_t held_max;               /* 0: HTTP_HELD_MAX */
};

/* The value of the request's first header of that name, compared without regard to case; NULL if
 * there is none. */
const char *http_request_header(const struct http_request *request, const char *name);
/* Adds a header to the answer; both strings are copied. At most HTTP_HEADERS_MAX. */
void http_header(struct http_request *request, const char *name, const char *value);
/* The reason phrase, such as "Not Found". */
const char *http_status_text(unsigned status);
/* Answers the request, which must not be used afterwards. Takes ownership of `body`; NULL: none.
 * HEAD is answered without the body, but with its length. The answer becomes 503 while slow clients
 * hold too many bytes (HTTP_HELD_MAX). */
void http_reply(struct http_request *request, unsigned status, const char *type, char *body,
		size_t length);

/* Delays the next answer until earlier late answers to the same address (address_site) are sent,
 * and HTTP_LATE_MS more. Its connection is suspended meanwhile, and is the first to make room for
 * others. Call it before http_reply; not at the unix socket. False: HTTP_LATE_MAX answers to that
 * address wait already, so this one is sent at once and ends the connection. */
MUST_CHECK bool http_late(struct http_request *request);

/* Answers 200 with a stream (stream.h), which lasts until the client's credentials expire. The
 * request must not be used afterwards. Takes ownership of the source. False: there are
 * HTTP_STREAMS_MAX streams, or no memory; nothing has been answered. Call this, http_look,
 * http_end_streams and http_end_streams_of on the control thread. */
struct http_stream_source;
MUST_CHECK bool http_reply_stream(struct http_request *request, const char *type,
				  const struct http_stream_source *source);
/* Asks the source of every stream, because there may be something new. */
void http_look(struct http *http);
/* Ends the streams at URLs, so that their clients show their credentials again: all of them, or
 * those of one client. `request` is any request to the same server. */
void http_end_streams(struct http *http);
void http_end_streams_of(struct http_request *request, const char *client);

/* Connects to the control thread's loop; has no listener yet. NULL without memory. */
struct http *http_new(uv_loop_t *loop, const struct http_handler *handler);
/* Opens a listening socket for "http://127.0.0.1:8053" or "https://[::1]:8443". On failure `error`
 * has the reason, in one line. `beside_ours`: the same user already has a socket of http_open at
 * that host, or at one that overlaps (host_overlaps), and is about to close it; other users cannot
 * listen there. */
MUST_CHECK int http_open(const char *url, bool beside_ours, int *fd, char error[HTTP_ERROR_MAX]);
enum http_origin http_origin_of(const char *url);
MUST_CHECK int http_url_host(const char *url, struct host *host); /* ERR_INVALID: not a URL */

/* Adds a listener and takes ownership of the socket, even on failure; HTTP_TLS requires a
 * certificate. `name`: the URL, or the unix socket's path. ERR_NOMEM. */
MUST_CHECK int http_add(struct http *http, const char *name, enum http_origin origin, int fd);
/* Accepts connections at every listener. ERR_SYSTEM: one could not be started, `error` has the
 * reason. */
MUST_CHECK int http_listen(struct http *http, char error[HTTP_ERROR_MAX]);
/* Accepts no more: new clients wait for the next process that listens. From now on requests on open
 * connections are answered 503, except those that on_request has already received. */
void http_pause(struct http *http);
/* True: exactly `waiting` requests still wait for their answers, and clients have taken all others,
 * or have had HTTP_LINGER_MS to take them. */
bool http_is_quiet(const struct http *http, size_t waiting);

/* Replaces the certificate of all https listeners; takes ownership of it. */
void http_use_certificate(struct http *http, struct http_certificate *certificate);

/* Copies names by which clients may reach the listeners at URLs, besides their own address and, on
 * loopback, localhost. NULL without memory. */
struct http_hosts *http_hosts_new(const char *const *names, size_t count);
void http_hosts_free(struct http_hosts *hosts); /* NULL is fine */
/* Replaces the names; takes ownership of `hosts`. NULL: no names. */
void http_use_hosts(struct http *http, struct http_hosts *hosts);

/* Stops the listeners and their threads, and closes the connections of requests that on_request has
 * not received; the last close callback of the loop frees the memory. All requests that on_request
 * received must be answered: end the control thread's own queries (server_release) first. NULL is
 * fine. */
void http_close(struct http *http);

#endif
