/* A server's end of its conversation with the master (master_wire.h). Control thread only. */
#ifndef SLUICE_MASTER_LINK_H
#define SLUICE_MASTER_LINK_H

#include <uv.h>

#include "endpoints/inbound/listener.h"
#include "resolver/control/process/master_wire.h"

enum { MASTER_LINK_ERROR_MAX = 256, MASTER_LINK_KEPT_MAX = 8 };

struct master_link {
	int fd;
	unsigned workers; /* of the DNS sockets that were open at START; 0: none were */
	bool upgrading;   /* started again during an upgrade, beside the new server */
	uv_poll_t poll;
	uv_async_t again; /* hands out `kept`: messages that came during a wait for an answer */
	struct {
		struct master_message message;
		int fd;
	} kept[MASTER_LINK_KEPT_MAX];
	unsigned kept_count;
	void (*on_word)(void *context, const struct master_message *message, int fd);
	void *context;
};

/* Receives the first message. ERR_SYSTEM: no master, or one with another protocol. */
MUST_CHECK int master_link_init(struct master_link *link, int fd);
/* Makes the kernel end this process when its master ends. Call it again after each change of user,
 * which makes the kernel forget it. ERR_SYSTEM: the master has ended already. */
MUST_CHECK int master_link_bind(const struct master_link *link);

/* Asks for listening sockets. NULL, ERR_SYSTEM: `error` says in one line why there are none. */
struct listener *master_link_open_dns(struct master_link *link, const struct host *host,
				      unsigned workers, char error[LISTENER_ERROR_MAX]);
MUST_CHECK int master_link_open(struct master_link *link, enum master_kind kind, const char *name,
				int *fd, char error[MASTER_LINK_ERROR_MAX]);
/* Tells the master that these sockets are no longer needed. */
void master_link_close_dns(struct master_link *link, const struct host *host);

/* Sends a word with a text; `text` NULL: without one. ERR_SYSTEM: the master does not take it now,
 * which is logged (but for ALIVE). */
int master_link_say(struct master_link *link, enum master_word word, unsigned kind,
		    const char *text);
/* Tells the master that this process serves, and as which user. */
void master_link_serve(struct master_link *link, const char *status);

/* Calls back with LEAVE, STATE, DRAIN, REFUSED, GAP and HURRY, and perhaps with an answer that
 * came too late. The callback closes `fd` (-1: none). If the master is gone, this process ends. */
MUST_CHECK int master_link_follow(struct master_link *link, uv_loop_t *loop,
				  void (*on_word)(void *context,
						  const struct master_message *message, int fd),
				  void *context);

#endif
