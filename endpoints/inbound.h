/* Where clients' packets enter and replies leave. A listener is one address with the sockets of
 * every worker, opened as a whole by the control thread, before it is known whether a change
 * succeeds; each worker then attaches its share to its loop. Sockets that a reload keeps are not
 * touched.
 *
 * Each worker has, per listener, a UDP socket to receive on and a twin on the same port to send
 * from (which is not in epoll and therefore wakes nobody), and a TCP listening socket. All UDP
 * sockets of a port form one SO_REUSEPORT group: receivers are bound first, twins after, and a cBPF
 * program picks the receiver by the DNS id modulo the number of workers, so that no question
 * reaches a twin.
 *
 * The program must ignore SIGPIPE: a client may close its connection while it is being written to.
 */
#ifndef SLUICE_INBOUND_H
#define SLUICE_INBOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "endpoints/query.h"
#include "endpoints/wheel.h"
#include "rules/model.h"
#include "rules/prefix.h"

/* ---- opening, on the control thread ---- */

struct listener_sockets {
	int udp, twin, tcp; /* -1 once a worker has taken them */
};

struct listener {
	struct host host;
	unsigned workers;
	struct listener_sockets *sockets; /* one per worker */
};

enum { LISTENER_ERROR_MAX = 200, INBOUND_PAYLOAD_MAX = 4096 };

/* Opens all sockets. On failure nothing stays open and `error` says in one line what is wrong and
 * what to do: the port is held by somebody (found out by binding once without SO_REUSEPORT, so
 * another sluice counts too), no permission, no such address. NULL without success. */
struct listener *listener_open(const struct host *host, unsigned workers,
			       char error[LISTENER_ERROR_MAX]);
/* Closes what no worker has taken. */
void listener_close(struct listener *listener);

/* ---- serving, on a worker's thread ---- */

struct inbound_counters {
	uint64_t udp_queries, tcp_queries; /* well formed */
	uint64_t malformed;                /* answered with FORMERR, NOTIMP or BADVERS */
	uint64_t silent;                   /* without a header, or replies: not answered */
	uint64_t overload;                 /* answered with SERVFAIL: the pool was empty */
	uint64_t replies, truncated;       /* handed to the kernel; with TC set */
	uint64_t send_failed;              /* by UDP, and not sent again */
	uint64_t tcp_accepted, tcp_refused, tcp_timeouts;
};

/* One worker's side of all its listeners. Zero it and fill in the first part. */
struct inbound_worker {
	uv_loop_t *loop;
	struct wheel *wheel;
	struct query_pool *pool;
	const struct hash_key *key;
	struct tcp_settings tcp;
	uint16_t payload_max; /* bytes of a reply by UDP at most: 512 to INBOUND_PAYLOAD_MAX */
	uint64_t (*now_us)(void *context);
	/* A well-formed question; the callee owns the query. */
	void (*on_query)(void *context, struct query *query);
	void *context;

	struct inbound_counters counters;
	unsigned tcp_connections;
	struct inbound *listeners;
	struct inbound_shared *shared; /* buffers; NULL while there is no listener */
};

struct inbound; /* a listener as one worker serves it */

/* Takes the sockets of worker number `index` and starts reading. `binding` is handed on with every
 * query. ERR_SYSTEM, ERR_NOMEM; the sockets stay the listener's then. */
MUST_CHECK int inbound_start(struct inbound_worker *worker, struct listener *listener,
			     unsigned index, void *binding, struct inbound **inbound);
/* What a reload changes while the sockets stay. Queries already under way keep the old binding. */
void inbound_rebind(struct inbound *inbound, void *binding);
const struct host *inbound_host(const struct inbound *inbound);
/* Sends what has been gathered, stops reading and closes, TCP connections too. Queries under way
 * may still finish, into nothing. The memory goes with the loop's last close callback and the last
 * query, so each of them must be finished (with NULL, say) before the worker ends. */
void inbound_stop(struct inbound *inbound);
/* Sends what has been gathered; called at the end of every loop round. */
void inbound_flush(struct inbound_worker *worker);

#endif
