/* Listeners that go from one process to another: the one that has them pauses and gives their
 * descriptors away, the other listens on these; or the first resumes (upgrade.h). All of it on the
 * control thread. */
#ifndef SLUICE_HTTP_HANDOVER_H
#define SLUICE_HTTP_HANDOVER_H

#include "resolver/control/http.h"

/* Listeners, which another process may listen on, too: a URL, or the socket's path, and the
 * descriptor, which stays ours. */
size_t http_listener_count(const struct http *http);
const char *http_listener_at(const struct http *http, size_t number, enum http_origin *origin,
			     int *fd);
/* A listener on a descriptor that another process has opened; takes it over whatever happens.
 * ERR_NOT_FOUND: a unix socket's file is gone, and nobody would find it. */
MUST_CHECK int http_listen_handed(struct http *http, const char *name, enum http_origin origin,
				  int fd, char error[HTTP_ERROR_MAX]);
/* Accepts no more: who connects waits for whoever listens next. Requests on connections that are
 * there are answered 503 from now on, but for those that on_request has seen. */
void http_pause(struct http *http);
/* Whether nothing is with on_request any more, and clients have had time to take their answers. */
bool http_is_quiet(const struct http *http);
/* Accepts again, with threads of their own anew: connections from before are closed. Nothing may be
 * with on_request. False: a listener could not be started again, which is logged; another call
 * tries that one again. */
MUST_CHECK bool http_resume(struct http *http);
/* Whether the socket's file is another's to remove; at first it is ours. */
void http_give_socket(struct http *http, bool away);

#endif
