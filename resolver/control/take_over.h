/* The side of an upgrade that takes over: a process that is starting, and has the running server's
 * sockets handed to it. It asks and waits, before it has any other thread. What is said:
 * upgrade_wire.h. */
#ifndef SLUICE_TAKE_OVER_H
#define SLUICE_TAKE_OVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "resolver/control/upgrade_wire.h"
#include "resolver/server.h"
#include "rules/err.h"

enum { TAKE_OVER_ERROR_MAX = 512, TAKE_OVER_USER_MAX = 24 };

struct take_over_item { /* a part of a listener, or a whole one of the management API */
	char *kind, *name;
	unsigned worker;
	struct upgrade_fds fds; /* none: it has found its use */
};

struct take_over {
	int fd;           /* of the conversation */
	int told;         /* where `sluice upgrade` waits for a word; -1: nobody does */
	bool server_gone; /* the running server has ended by itself, and holds nothing any more */
	unsigned workers;
	uint64_t generation;
	uid_t uid;                     /* of the running server */
	char user[TAKE_OVER_USER_MAX]; /* the same as a number's text */
	struct take_over_item *items;
	size_t count;
};

/* Asks the server at the control socket for all it listens at. ERR_SYSTEM, and `error` says in one
 * line why not; it goes on as it was then. Either way take_over_release ends it. */
MUST_CHECK int take_over_begin(struct take_over *take_over, const char *socket,
			       char error[TAKE_OVER_ERROR_MAX]);
/* Gives the server the listeners of which it has all sockets. */
MUST_CHECK int take_over_listeners(struct take_over *take_over, struct server *server,
				   char error[TAKE_OVER_ERROR_MAX]);
/* The descriptor of that URL's listener ("http"), or of the control socket at that path
 * ("control"), which becomes the caller's; -1: there is none. */
int take_over_http(struct take_over *take_over, const char *kind, const char *name);
/* Says that all is prepared; with success the running server changes its state no more. */
MUST_CHECK int take_over_ready(struct take_over *take_over, bool has_socket,
			       char error[TAKE_OVER_ERROR_MAX]);
/* Says that this process serves: the running one finishes, and the log becomes its log. */
void take_over_serving(struct take_over *take_over);
/* Closes what found no use. */
void take_over_release(struct take_over *take_over);

#endif
