/* HTTP/1.1 for the management plane: listeners in threads of their own (libmicrohttpd), requests on
 * the control thread. Bytes only: who may do what is http/auth.h, what a path means is api.h.
 *
 *     HTTP threads, one for each listener            control thread
 *     head is there ─► on_head                        (a refusal ends here)
 *     body is there ─► connection suspended ─queue, wake─► on_request
 *     answer is sent ◄─ connection resumed  ◄───────────── http_reply, at once or later
 *
 * A client can neither block the control thread nor fill memory: bodies, answers, connections and
 * time are bounded, and a client that is slow in sending or reading occupies its connection and
 * nothing else. (A stream, stream.h, is an answer without an end, whose buffer is bounded.) While a
 * request is with the control thread no time runs against its client.
 *
 * Nor can slow or idle ones keep others out. When a listener, or an address, has all the
 * connections that it may have, a newcomer replaces one: one whose answer is late (http_late), else
 * of the client that has the most (who has
 * shown no credentials is its address), the one that has sent and taken nothing whole for longest.
 * A connection stays while it has a request, or a stream, of a client that has shown credentials.
 * Where all have, the newcomer goes. Once a client has shown them it may have HTTP_PER_CLIENT_MAX
 * at a URL, from wherever it comes: one more replaces an idle one of its own, or is refused.
 * A quarter of the places, of an address and in all, is kept for clients with few requests under
 * way (HTTP_FEW): while the others are busy, one more of a client with more is refused. So a few
 * clients do not shut out another one; it takes as many as can fill all places with HTTP_FEW each.
 *
 * At a URL the header Host has to be the address that the client is connected to (with whatever
 * port, because tunnels change it), localhost on loopback, or of http_use_hosts; else it is 421.
 * This stops DNS rebinding: a page in a browser reaches a foreign address only by a name of the
 * page's own domain.
 *
 * DNS comes first: listeners' threads are nicer than workers', so that whoever keeps one busy (with
 * TLS handshakes, say) takes no CPU that a worker wants. Requests at the unix socket come before
 * those at URLs, and the control thread does its other work in between. */
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
	HTTP_CONNECTIONS_MAX = 64,    /* for each listener */
	HTTP_PER_ADDRESS_MAX = 32,    /* of them from one address (address_site) */
	HTTP_PER_CLIENT_MAX = 16,     /* of them with one client's credentials */
	HTTP_FEW = 4,                 /* requests of a client for which places are kept, ... */
	HTTP_KEPT = 4,                /* ...one of so many, at a listener and at an address */
	HTTP_HEAD_MAX = 32 * 1024,    /* bytes of request line and headers */
	HTTP_BODY_MAX = 1024 * 1024,  /* more is 413, unless on_head allows it */
	HTTP_IDLE_MS = 5000,          /* without progress; or for a head, with a TLS handshake */
	HTTP_EXCHANGE_MS = 30 * 1000, /* to send all of a body, or to take all of an answer */
	HTTP_LATE_MS = 1000,          /* http_late */
	HTTP_LATE_MAX = 16,           /* that wait, of one address */
	HTTP_LINGER_MS = 500,         /* to take the last ones, before the listeners are closed */
	HTTP_HELD_MAX = 1 << 30,      /* bytes of bodies and answers, of all clients at URLs... */
	HTTP_SMALL = 64 * 1024,       /* ...but for such small ones, and for one that is alone */
	HTTP_NICENESS = 10,           /* of listeners' threads, beside workers' */
	HTTP_HEADERS_MAX = 8,         /* that http_header adds */
	HTTP_CLIENT_MAX = 256,        /* of a client's id with its NUL; the schema allows 255 */
	HTTP_ERROR_MAX = 256,
};

enum http_origin { HTTP_UNIX, HTTP_TCP, HTTP_TLS };

struct http;
struct http_certificate;
struct http_hosts;

/* One request, from its head to the end of its answer. All of it may be read until http_reply. */
struct http_request {
	const char *method; /* as sent; RFC 9110 section 9.1: by case */
	const char *path;   /* begins with '/'; not percent-decoded */
	const char *query;  /* behind the '?', not decoded; "" without one */
	const char *body;   /* of body_length bytes and a NUL behind them; NULL before on_request */
	size_t body_length;
	enum http_origin origin;
	uid_t uid;           /* the peer's, when HTTP_UNIX */
	struct address from; /* the peer's, else */
	struct address at;   /* ours, which the peer asked at, else */
	/* For on_head to fill in; on_request finds it there. */
	size_t body_max; /* HTTP_BODY_MAX at first */
	char client[HTTP_CLIENT_MAX];
	enum client_role role;
	int64_t until_s; /* since 1970: what was shown holds until then; 0: it has no end */
	const void *route;
};

struct http_handler {
	/* On the listener's thread, when the head is there: looks at nothing that the control
	 * thread may be changing. It refuses with http_reply, and then on_request is not called. */
	void (*on_head)(void *context, struct http_request *request);
	/* On the control thread. It, or somebody later on that thread, calls http_reply once. */
	void (*on_request)(void *context, struct http_request *request);
	/* On either: the body of an answer that this layer itself has to give (400, 413, 503), to
	 * be freed; NULL: none. */
	char *(*on_error)(void *context, const struct http_request *request, unsigned status,
			  const char *text);
	/* On each listener's thread, before its first client is heard: what it has to do without
	 * from then on. NULL: nothing. */
	void (*on_thread)(void *context);
	void *context;
	unsigned idle_ms, exchange_ms; /* 0: HTTP_IDLE_MS, HTTP_EXCHANGE_MS */
	unsigned alive_ms;             /* 0: HTTP_STREAM_ALIVE_MS */
	size_t held_max;               /* 0: HTTP_HELD_MAX */
};

/* The value of the request's first header of that name (any case); NULL without. */
const char *http_request_header(const struct http_request *request, const char *name);
/* Adds a header to the answer; both are copied. At most HTTP_HEADERS_MAX of them. */
void http_header(struct http_request *request, const char *name, const char *value);
/* "Not Found", as the answer's first line has it. */
const char *http_status_text(unsigned status);
/* Answers and gives the request away. `body` is taken over and freed; NULL: there is none. HEAD is
 * answered without its body, but with its length. Where clients take too slowly what they have
 * asked for, it becomes 503. */
void http_reply(struct http_request *request, unsigned status, const char *type, char *body,
		size_t length);

/* The answer that is given next is sent late: behind HTTP_LATE_MS, and behind those of the same
 * address (address_site) that are late, too, one each HTTP_LATE_MS. Its connection waits suspended,
 * and is the first to make room. Before http_reply; not at the unix socket. False: HTTP_LATE_MAX of
 * that address wait already; the answer is sent at once and ends the connection. */
MUST_CHECK bool http_late(struct http_request *request);

/* Answers 200 with a stream (stream.h), which lasts as long as what the client has shown, and gives
 * the request away; the source is taken over. False: there are HTTP_STREAMS_MAX already, or there
 * is no memory; nothing has been answered. From on_request's thread, as are the next two. */
struct http_stream_source;
MUST_CHECK bool http_reply_stream(struct http_request *request, const char *type,
				  const struct http_stream_source *source);
/* There may be something new: every stream's source is asked. */
void http_look(struct http *http);
/* Ends the streams at URLs: their clients are to show their credentials again. */
void http_end_streams(struct http *http);

/* The hand-over to the control thread's loop; no listener yet. NULL without memory. */
struct http *http_new(uv_loop_t *loop, const struct http_handler *handler);
/* A listening socket for "http://127.0.0.1:8053" or "https://[::1]:8443". On failure `error` says
 * in one line why. `beside_ours`: this user has a socket of http_open at that host, or at one that
 * overlaps (host_overlaps), which is about to be closed; nobody else is let in beside one. */
MUST_CHECK int http_open(const char *url, bool beside_ours, int *fd, char error[HTTP_ERROR_MAX]);
enum http_origin http_origin_of(const char *url);
MUST_CHECK int http_url_host(const char *url, struct host *host); /* ERR_INVALID: it is no URL */

/* A listener on a listening socket, which it takes over whatever happens; HTTP_TLS only when there
 * is a certificate. `name`: the URL, or the unix socket's path. ERR_NOMEM. */
MUST_CHECK int http_add(struct http *http, const char *name, enum http_origin origin, int fd);
/* Accepts at every listener that was added. ERR_SYSTEM, and `error` says in one line why not at one
 * of them. */
MUST_CHECK int http_listen(struct http *http, char error[HTTP_ERROR_MAX]);
/* Accepts no more: who connects waits for whoever listens next. Requests on connections that are
 * there are answered 503 from now on, but for those that on_request has seen. */
void http_pause(struct http *http);
/* Whether nothing is with on_request any more, and clients have had time to take their answers. */
bool http_is_quiet(const struct http *http);

/* From now on every https listener shows it; takes it over. */
void http_use_certificate(struct http *http, struct http_certificate *certificate);

/* Names by which clients may reach the listeners at URLs, besides their own address and, on
 * loopback, localhost; copied. NULL without memory. */
struct http_hosts *http_hosts_new(const char *const *names, size_t count);
void http_hosts_free(struct http_hosts *hosts); /* NULL is fine */
/* From now on it is those; takes them over. NULL: none. */
void http_use_hosts(struct http *http, struct http_hosts *hosts);

/* Stops the listeners and their threads, answers 503 to requests that on_request has not seen; the
 * memory goes with the loop's last close callback. Whoever kept a request must have answered it:
 * the control thread ends questions of our own (server_release) first. NULL is fine. */
void http_close(struct http *http);

#endif
