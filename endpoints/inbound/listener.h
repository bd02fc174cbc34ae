/* An address that is listened at, with the sockets of every worker: opened as a whole by the
 * control thread, before it is known whether a change succeeds. Each worker then attaches its share
 * to its loop (inbound.h). Sockets that a reload keeps are not touched.
 *
 * Each worker has a UDP socket to receive on and a twin on the same port to send from (which is not
 * in epoll and therefore wakes nobody), and a TCP listening socket. All UDP sockets of a port form
 * one SO_REUSEPORT group: receivers are bound first, twins after, and a cBPF program picks the
 * receiver by the DNS id modulo the number of workers, so that no question reaches a twin. */
#ifndef SLUICE_LISTENER_H
#define SLUICE_LISTENER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "rules/err.h"
#include "rules/prefix.h"

struct listener_share { /* what one worker serves of it */
	int udp, twin, tcp;
	struct inbound *inbound; /* its memory, so that starting needs none */
	atomic_bool taken;       /* by its worker, or withdrawn; whoever sets it has it */
};

struct listener {
	struct host host;
	unsigned workers;
	atomic_uint open; /* shares whose sockets are not closed yet */
	struct listener_share *shares;
};

enum { LISTENER_ERROR_MAX = 200 };

/* Opens all sockets. On failure nothing stays open and `error` says in one line what is wrong and
 * what to do: the port is held by somebody (found out by binding once without SO_REUSEPORT, so
 * another sluice counts too), no permission. An address that no interface has is no failure: it may
 * come later. NULL without success.
 *
 * `beside_ours`: this program has the port open at a host that overlaps (host_overlaps), so that
 * binding once alone is bound to fail, and is left out. The kernel gives each packet and connection
 * to the more specific address. */
struct listener *listener_open(const struct host *host, unsigned workers, bool beside_ours,
			       char error[LISTENER_ERROR_MAX]);
/* Only the sockets, one of each kind for each worker, for another process to adopt. 0, or
 * ERR_SYSTEM. */
struct listener_sockets {
	int udp, twin, tcp;
};
MUST_CHECK int listener_open_sockets(const struct host *host, unsigned workers, bool beside_ours,
				     struct listener_sockets *sockets,
				     char error[LISTENER_ERROR_MAX]);
/* A listener of such sockets. It takes them over whatever happens. NULL, and `error` says why: one
 * of them is not what it should be. */
struct listener *listener_adopt(const struct host *host, unsigned workers,
				const struct listener_sockets *sockets,
				char error[LISTENER_ERROR_MAX]);
/* Closes what no worker has taken; a worker that comes for its share later finds none. */
void listener_withdraw(struct listener *listener);
/* Whether any worker, or nobody yet, has sockets of it open: the address is not free. */
bool listener_is_open(const struct listener *listener);
/* Withdraws and frees it. Workers that serve it have stopped. */
void listener_close(struct listener *listener);

#endif
