/* An address to listen at, with the sockets of every worker. The control thread opens all of them
 * while a change may still fail. Then each worker attaches its share to its loop (inbound.h). A
 * reload does not touch sockets that it keeps.
 *
 * Each worker has a UDP socket to receive on, a twin on the same port to send from (it is not in
 * epoll, so it wakes nobody), and a TCP listening socket. All UDP sockets of a port form one
 * SO_REUSEPORT group: receivers are bound first, then twins. A cBPF program picks the receiver by
 * the DNS id modulo the number of workers, so that no question reaches a twin. */
#ifndef SLUICE_LISTENER_H
#define SLUICE_LISTENER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "rules/err.h"
#include "rules/prefix.h"

struct listener_share { /* the sockets of one worker */
	int udp, twin, tcp;
	struct inbound *inbound; /* allocated early, so that starting cannot fail */
	atomic_bool taken; /* by its worker, or by listener_withdraw; the first to set it gets the
			      share */
};

struct listener {
	struct host host;
	unsigned workers;
	atomic_uint open; /* shares whose sockets are not closed yet */
	struct listener_share *shares;
};

enum { LISTENER_ERROR_MAX = 200 };

/* Opens all sockets. NULL: nothing stays open, and `error` says in one line what is wrong and what
 * to do: another program holds the port (one bind without SO_REUSEPORT finds even another sluice),
 * or there is no permission. An address that no interface has is no failure, because it may come
 * later.
 *
 * `beside_ours`: this program has the port open at an overlapping host (host_overlaps). Then the
 * bind without SO_REUSEPORT would fail, and is left out. The kernel gives each packet and
 * connection to the more specific address. */
struct listener *listener_open(const struct host *host, unsigned workers, bool beside_ours,
			       char error[LISTENER_ERROR_MAX]);
/* Opens only the sockets, for another process to adopt. `sockets` has an item for each worker. 0,
 * or ERR_SYSTEM. */
struct listener_sockets {
	int udp, twin, tcp;
};
MUST_CHECK int listener_open_sockets(const struct host *host, unsigned workers, bool beside_ours,
				     struct listener_sockets *sockets,
				     char error[LISTENER_ERROR_MAX]);
/* Makes a listener of such sockets, which it always takes over. NULL: one of them is not what it
 * should be, or there is no memory; `error` says why. */
struct listener *listener_adopt(const struct host *host, unsigned workers,
				const struct listener_sockets *sockets,
				char error[LISTENER_ERROR_MAX]);
/* Closes the shares that no worker has taken; no worker can take one later. */
void listener_withdraw(struct listener *listener);
/* Whether any of its sockets are open, taken or not: the address is not free. */
bool listener_is_open(const struct listener *listener);
/* Withdraws and frees it. Its workers must have stopped serving it. */
void listener_close(struct listener *listener);

#endif
