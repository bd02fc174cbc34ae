/* A server's end of what it and its master say to each other (master_wire.h). All of it on the
 * control thread. */
#ifndef SLUICE_MASTER_LINK_H
#define SLUICE_MASTER_LINK_H

#include <uv.h>

#include "endpoints/inbound/listener.h"
#include "resolver/control/process/master_wire.h"

enum { MASTER_LINK_ERROR_MAX = 256, MASTER_LINK_KEPT_MAX = 8 };

struct master_link {
	int fd;
	unsigned workers; /* that the sockets were opened for; 0: there are none yet */
	uv_poll_t poll;
	uv_async_t again; /* there are words that came while an answer was waited for: */
	struct {
		struct master_message message;
		int fd;
	} kept[MASTER_LINK_KEPT_MAX];
	unsigned kept_count;
	void (*on_word)(void *context, const struct master_message *message, int fd);
	void *context;
};

/* Hears the first word. ERR_SYSTEM: nobody is there who speaks like this. */
MUST_CHECK int master_link_init(struct master_link *link, int fd);
/* Ends this process when its master does: once more whenever it has become another user, because
 * the kernel forgets it then. ERR_SYSTEM: the master has ended already. */
MUST_CHECK int master_link_bind(const struct master_link *link);

/* Asks for what is listened at. ERR_SYSTEM, and `error` says in one line why not. */
struct listener *master_link_open_dns(struct master_link *link, const struct host *host,
				      unsigned workers, char error[LISTENER_ERROR_MAX]);
MUST_CHECK int master_link_open(struct master_link *link, enum master_kind kind, const char *name,
				int *fd, char error[MASTER_LINK_ERROR_MAX]);
/* It is not wanted any more. */
void master_link_close_dns(struct master_link *link, const struct host *host);

/* A word with a text, or NULL. */
void master_link_say(struct master_link *link, enum master_word word, unsigned kind,
		     const char *text);
/* That this process serves, and who it is. */
void master_link_serve(struct master_link *link, const char *status);

/* Calls back with LEAVE, STATE, DRAIN and REFUSED: `fd` is the callback's, -1: none. The loop ends
 * with the program when the master is gone. */
MUST_CHECK int master_link_follow(struct master_link *link, uv_loop_t *loop,
				  void (*on_word)(void *context,
						  const struct master_message *message, int fd),
				  void *context);

#endif
