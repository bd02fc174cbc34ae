/* Where clients' packets enter and replies leave. A listener is one address with the sockets of
 * every worker, opened as a whole by the control thread, before it is known whether a change
 * succeeds; each worker then attaches its share to its loop. Sockets that a reload keeps are not
 * touched.
 *
 * Each worker has, per listener, a UDP socket to receive on and a twin on the same port to send
 * from (which is not in epoll and therefore wakes nobody), and a TCP listening socket. All UDP
 * sockets of a port form one SO_REUSEPORT group: receivers are bound first, twins after, and a cBPF
 * program picks the receiver by the DNS id modulo the number of workers, so that no question
 * reaches a twin. */
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

enum { LISTENER_ERROR_MAX = 200 };

/* Opens all sockets. On failure nothing stays open and `error` says in one line what is wrong and
 * what to do: the port is held by somebody (found out by binding once without SO_REUSEPORT, so
 * another sluice counts too), no permission, no such address. NULL without success. */
struct listener *listener_open(const struct host *host, unsigned workers,
			       char error[LISTENER_ERROR_MAX]);
/* Closes what no worker has taken. */
void listener_close(struct listener *listener);

/* ---- serving, on a worker's thread ---- */

struct inbound_counters {
	uint64_t udp_queries, tcp_queries, replies, truncated, malformed, silent, overload;
	uint64_t tcp_accepted, tcp_refused, send_failed;
};

/* One worker's side of all its listeners. */
struct inbound_worker {
	uv_loop_t *loop;
	struct wheel *wheel;
	struct query_pool *pool;
	const struct hash_key *key;
	struct tcp_settings tcp;
	uint16_t payload_max; /* bytes of a reply by UDP at most */
	uint64_t (*now_us)(void *context);
	/* A well-formed question; the callee owns the query. */
	void (*on_query)(void *context, struct query *query);
	void *context;
	struct inbound_counters counters;
	unsigned tcp_connections;
	struct inbound *listeners;
};

struct inbound; /* a listener as one worker serves it */

/* Attaches worker number `worker`'s sockets and starts reading. `binding` is handed on with every
 * query. ERR_SYSTEM, ERR_NOMEM. */
MUST_CHECK int inbound_start(struct inbound_worker *worker, struct listener *listener,
			     unsigned index, void *binding, struct inbound **inbound);
/* What a reload changes while the sockets stay. Queries already under way keep the old binding. */
void inbound_rebind(struct inbound *inbound, void *binding);
const struct host *inbound_host(const struct inbound *inbound);
/* Stops reading and closes. Queries under way may still finish: their replies are sent while a
 * socket is there, and dropped after. The memory goes when the last one is back. */
void inbound_stop(struct inbound *inbound);
/* Sends what has been gathered; called at the end of every loop round. */
void inbound_flush(struct inbound_worker *worker);

#endif
