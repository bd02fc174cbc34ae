/* What the files of http.h share. */
#ifndef SLUICE_HTTP_INTERNAL_H
#define SLUICE_HTTP_INTERNAL_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/queue.h>

#include "resolver/control/http/http.h"

/* A client's connection, to end it when it takes too long. */
struct http_connection {
	TAILQ_ENTRY(http_connection) all;
	const struct http_listener *listener;
	int fd;
	uid_t uid;
	struct address from, at;        /* the client's end, and ours; family 0: a unix socket's */
	struct address site;            /* of `from` */
	bool known;                     /* has shown credentials */
	bool ended;                     /* by us, and not gone yet */
	uint64_t since_ms, deadline_ms; /* CLOCK_MONOTONIC's: it came, or sent or took something
					 * whole; it has to again, or 0: it waits for us */
};

struct http_listener {
	SLIST_ENTRY(http_listener) next;
	struct http *http;
	struct MHD_Daemon *daemon; /* NULL: it is not listened at yet */
	char *name;                /* the URL, or the socket's path */
	int fd;                    /* stays ours; the daemon has a copy */
	int given_back;            /* by a paused daemon, which may still hold it; else -1 */
	enum http_origin origin;
};

enum http_stage {
	HTTP_NEW,    /* the request line is there */
	HTTP_BODY,   /* the head is there; the body is read, or thrown away */
	HTTP_HANDED, /* with the control thread; suspended */
	HTTP_SENT,   /* the answer is on its way */
};

struct http_exchange {
	struct http_request request; /* first: the one is the other's address */
	STAILQ_ENTRY(http_exchange) waiting;
	struct http_listener *listener;
	struct MHD_Connection *connection;
	struct http_connection *client;
	enum http_stage stage;
	char *target, *body;   /* path and query, cut apart */
	const char *authority; /* in the target; NULL: it is only a path */
	size_t authority_length;
	size_t room;
	size_t discarded;  /* bytes of the body that nobody wants */
	size_t held_bytes; /* of body and answer, for http->held_bytes */
	struct {
		bool given;
		bool last; /* the connection's: what comes behind cannot be told apart */
		unsigned status;
		char *body;
		size_t length, header_count;
		struct {
			char *name, *value;
		} headers[HTTP_HEADERS_MAX + 1];
	} answer;
};

STAILQ_HEAD(http_queue, http_exchange);
struct http {
	struct http_handler handler;
	uv_async_t wake;
	uv_timer_t reaper; /* runs while there are connections */
	unsigned open_handles;
	int niceness; /* of listeners' threads, whenever they are started */
	SLIST_HEAD(, http_listener) listeners;
	size_t handed;            /* requests that on_request has seen, and nobody has answered */
	bool paused;              /* http_pause */
	atomic_size_t held_bytes; /* by clients that are sending or taking */
	atomic_size_t answering;  /* answers that are not sent yet */
	uint64_t linger_until_ms; /* they are waited for as long */
	pthread_mutex_t lock;     /* of what follows */
	bool closing;             /* nothing more is handed over */
	struct http_queue at_socket, waiting; /* the first before the second */
	TAILQ_HEAD(, http_connection) connections;
	struct http_certificate *certificate; /* NULL: none, and no https */
	struct http_hosts *hosts;             /* NULL: none */
};

/* Hands the request to the control thread; its connection is suspended. False: it is not, because
 * we are closing. */
bool http_hand_over(struct http_exchange *exchange);
/* Counts so many bytes more until the exchange ends. False: that is too much beside what others
 * have. */
bool http_hold(struct http_exchange *exchange, size_t bytes);
/* Whether the server is meant by "HOST" or "HOST:PORT" on this connection. */
bool http_is_meant(struct http *http, const struct http_connection *client, const char *authority,
		   size_t length);
/* From now on the client has so long for what it does next. */
void http_client_clock(struct http *http, struct http_connection *client, unsigned ms);
/* Under the lock: hangs up. Its memory goes when libmicrohttpd has noticed. */
void http_client_end(struct http_connection *client);

/* Whether all answers are sent, or have had the time that http_linger gives them from now on. */
bool http_is_sent(const struct http *http);
void http_linger(struct http *http);
/* Starts the daemon, on a copy of listener->fd. 0, or errno. */
int http_daemon_start(struct http_listener *listener);
/* Nothing where there is no daemon. */
void http_daemon_stop(struct http_listener *listener);
/* The next request that on_request has not seen, which it is not given any more; or NULL. */
struct http_exchange *http_take_waiting(struct http *http);

/* http/exchange.c: what libmicrohttpd calls, with a struct http_listener. */
void *http_on_target(void *context, const char *target, struct MHD_Connection *connection);
enum MHD_Result http_on_access(void *context, struct MHD_Connection *connection, const char *url,
			       const char *method, const char *version, const char *data,
			       size_t *length, void **exchange);
void http_on_completed(void *context, struct MHD_Connection *connection, void **exchange,
		       enum MHD_RequestTerminationCode how);
void http_on_connection(void *context, struct MHD_Connection *connection, void **client,
			enum MHD_ConnectionNotificationCode what);

#endif
