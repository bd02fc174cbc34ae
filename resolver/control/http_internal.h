/* What the files of http.h share. */
#ifndef SLUICE_HTTP_INTERNAL_H
#define SLUICE_HTTP_INTERNAL_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/queue.h>

#include "resolver/control/http.h"
#include "resolver/control/unix_socket.h"

/* A client's connection, so that one that takes too long can be ended. `deadline_ms` is
 * CLOCK_MONOTONIC's; 0: it waits for us. */
struct http_connection {
	TAILQ_ENTRY(http_connection) all;
	const struct http_listener *listener;
	int fd;
	uid_t uid;
	uint64_t deadline_ms;
};

struct http_listener {
	SLIST_ENTRY(http_listener) next;
	struct http *http;
	struct MHD_Daemon *daemon;
	enum http_origin origin;
	struct unix_socket socket; /* when HTTP_UNIX */
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
	char *target; /* path and query, cut apart */
	char *body;
	size_t room;
	struct {
		bool given;
		unsigned status;
		char *body;
		size_t length, header_count;
		struct {
			char *name, *value;
		} headers[HTTP_HEADERS_MAX + 1];
	} answer;
};

struct http {
	struct http_handler handler;
	uv_async_t wake;
	uv_timer_t reaper; /* runs while there are connections */
	unsigned open_handles;
	SLIST_HEAD(, http_listener) listeners;
	size_t handed;        /* requests that on_request has seen, and nobody has answered */
	pthread_mutex_t lock; /* of what follows */
	bool closing;         /* nothing more is handed over */
	STAILQ_HEAD(, http_exchange) waiting;
	TAILQ_HEAD(, http_connection) connections;
	struct http_certificate *certificate; /* NULL: none, and no https */
};

/* Hands the request to the control thread; its connection is suspended. False: it is not, because
 * we are closing. */
bool http_hand_over(struct http_exchange *exchange);
/* From now on the client has as long as an exchange may take; not while we have the request. */
void http_client_clock(struct http *http, struct http_connection *client, bool runs);

/* http_exchange.c: what libmicrohttpd calls, with a struct http_listener. */
void *http_on_target(void *context, const char *target, struct MHD_Connection *connection);
enum MHD_Result http_on_access(void *context, struct MHD_Connection *connection, const char *url,
			       const char *method, const char *version, const char *data,
			       size_t *length, void **exchange);
void http_on_completed(void *context, struct MHD_Connection *connection, void **exchange,
		       enum MHD_RequestTerminationCode how);
void http_on_connection(void *context, struct MHD_Connection *connection, void **client,
			enum MHD_ConnectionNotificationCode what);

#endif
