/* The side of an upgrade that takes over: a process that is starting, and has the running server's
 * sockets handed to it. It asks and waits. What is said: upgrade_wire.h.
 *
 *     ASKING ──────────────► READY ────────────► SERVING    each by an answer of the running server
 *        │ it has ended        │ it has ended
 *        └─────────────────────┴───────────────► ALONE      serves as well, once it has everything
 *
 * Whatever else happens, a refusal above all, is an error, and this process is to end. */
#ifndef SLUICE_TAKE_OVER_H
#define SLUICE_TAKE_OVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "resolver/control/upgrade_wire.h"
#include "resolver/server.h"
#include "rules/err.h"

enum { TAKE_OVER_ERROR_MAX = 512, TAKE_OVER_USER_MAX = 24 };

enum take_over_stage { TAKE_OVER_ASKING, TAKE_OVER_READY, TAKE_OVER_SERVING, TAKE_OVER_ALONE };

/* What is written where `sluice upgrade` waits: before this process asks whether it is the one,
 * from when it must not be killed any more, and has another parent; and when it is. */
enum { TAKE_OVER_WORD_ASKS = '?', TAKE_OVER_WORD_SERVES = '1' };

struct take_over_item { /* a part of a listener, or a whole one of the management API */
	char *kind, *name;
	unsigned worker;
	struct upgrade_fds fds; /* none: it has found its use */
};

struct take_over {
	enum take_over_stage stage;
	int fd;        /* of the conversation */
	pid_t pid;     /* of the running server */
	int server;    /* the same process: a pidfd */
	int told;      /* where `sluice upgrade` waits for a word; -1: nobody does */
	pid_t starter; /* this process's parent, which ends with the first word */
	unsigned workers;
	uint64_t generation;
	uid_t uid;                     /* of the running server */
	char user[TAKE_OVER_USER_MAX]; /* the same as a number's text */
	struct take_over_item *items;
	size_t count;
	uv_poll_t poll; /* of take_over_follow */
	void (*on_reload)(void *context);
	void *context;
};

/* Asks the server at the control socket for all it listens at. ERR_SYSTEM, and `error` says in one
 * line why not; it goes on as it was then. Either way take_over_release ends it. */
MUST_CHECK int take_over_begin(struct take_over *take_over, const char *socket,
			       char error[TAKE_OVER_ERROR_MAX]);
/* The first connection of that process, whoever else connects meanwhile; `listening` does not
 * block. -1: none came in that time. */
MUST_CHECK int take_over_accept(int listening, pid_t pid, uid_t *uid, unsigned patience_ms);
/* Gives the server the listeners of which it has all sockets. */
MUST_CHECK int take_over_listeners(struct take_over *take_over, struct server *server,
				   char error[TAKE_OVER_ERROR_MAX]);
/* The descriptor of that URL's listener ("http"), or of the control socket at that path
 * ("control"), which becomes the caller's; -1: there is none. */
int take_over_http(struct take_over *take_over, const char *kind, const char *name);
/* Says that all is prepared; with success the running server changes its state no more. */
MUST_CHECK int take_over_ready(struct take_over *take_over, bool has_socket,
			       char error[TAKE_OVER_ERROR_MAX]);
/* Says that this process serves: the running one finishes, and its log becomes this one's. With
 * failure this process is not the one, and `error` says why: it must stop serving. Waits for the
 * answer as long as it takes, because either may have to be done. */
MUST_CHECK int take_over_serving(struct take_over *take_over, char error[TAKE_OVER_ERROR_MAX]);
/* From then on calls back when the running one was told to reload before it has ended; its handle
 * is closed with the loop's others. */
void take_over_follow(struct take_over *take_over, uv_loop_t *loop,
		      void (*on_reload)(void *context), void *context);
/* Closes what found no use, and the conversation. */
void take_over_release(struct take_over *take_over);

#endif
