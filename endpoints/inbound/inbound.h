/* Where clients' packets enter and replies leave: a worker's side of all listeners (listener.h).
 *
 * The program must ignore SIGPIPE: a client may close its connection at any time. */
#ifndef SLUICE_INBOUND_H
#define SLUICE_INBOUND_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "endpoints/counter.h"
#include "endpoints/inbound/cookie.h"
#include "endpoints/inbound/listener.h"
#include "endpoints/inbound/response_limit.h"
#include "endpoints/meter.h"
#include "endpoints/query.h"
#include "endpoints/wheel.h"
#include "rules/policy/access.h"
#include "rules/prefix.h"
#include "rules/schema/model.h"

enum { INBOUND_PAYLOAD_MAX = 4096, INBOUND_PASSES = 4, INBOUND_DRAIN_MS = 1000 };

#define INBOUND_COUNTER_MAP(X)                                                                     \
	X(malformed, "packets answered with FORMERR, NOTIMP or BADVERS")                           \
	X(silent, "packets ignored: too short for a header, or replies")                           \
	X(overload, "queries turned away with SERVFAIL because a maximum was reached")             \
	X(prohibited, "queries REFUSED: their source is not allowed at the endpoint")              \
	X(over_limit, "queries over an inbound endpoint's queries per second")                     \
	X(over_limit_refused, "of them answered REFUSED")                                          \
	X(over_limit_proven, "of those over the limit, by TCP or with a good server cookie")       \
	X(turned_away_udp, "queries not taken up, by UDP: overload, prohibited, over the limit")   \
	X(turned_away_tcp, "the same by TCP")                                                      \
	X(responses_limited, "replies by UDP over the limit of their client's prefix")             \
	X(responses_slipped, "of them sent empty, with TC")                                        \
	X(listener_gone, "queries answered SERVFAIL because their listener was being removed")     \
	X(updates_ignored,                                                                         \
	  "requests to update ignored: a maximum was reached, or the server leaves")               \
	X(udp_unread, "packets of clients that the kernel dropped: its buffer was full")           \
	X(replies_lost, "replies by UDP that the kernel refused to send")                          \
	X(tcp_accepted, "connections of clients accepted")                                         \
	X(tcp_refused, "connections of clients closed at once: a maximum was reached")             \
	X(tcp_displaced, "connections closed to make room: their client had the most")             \
	X(tcp_timeouts, "connections of clients closed after the idle timeout")                    \
	X(tcp_unread, "replies by TCP replaced by SERVFAIL because the client does not read them") \
	X(tcp_lost, "queries by TCP that were not answered: their connection had been closed")     \
	X(watch_failed, "times that sockets of clients could not be watched or accepted from")

enum { INBOUND_RCODES = RCODE_BADVERS + 1 };

/* Of one endpoint at one worker, which alone counts. */
struct inbound_counters {
#define X(name, text) _Atomic uint64_t name;
	INBOUND_COUNTER_MAP(X)
#undef X
	/* Replies that are written here, by their rcode: without a resolver's help. */
	_Atomic uint64_t replies[INBOUND_RCODES];
};

/* Who may ask at a listener, and how often; all zero: anybody, as often as it likes. */
struct inbound_admission {
	const struct access *access; /* who may; NULL: anybody */
	struct meter *meter;         /* how often, all workers together; NULL: no limit */
	enum excess excess;          /* what becomes of more than that */
};

/* One worker's side of all its listeners. Zero it, fill in the first part, and init. */
struct inbound_worker {
	uv_loop_t *loop;
	struct wheel *wheel;
	struct query_pool *pool;
	const struct hash_key *key;
	struct tcp_settings tcp;
	struct response_limit *responses; /* NULL: replies are not limited, else: */
	struct response_limit_settings response_limit;
	uint16_t payload_max; /* bytes of a reply by UDP at most: 512 to INBOUND_PAYLOAD_MAX */
	uint64_t (*now_us)(void *context);
	uint32_t (*unix_s)(void *context); /* the clock's time; NULL: no cookies are given */
	struct cookie_keeper cookies;
	bool accepts_updates; /* requests to update are handed over, too; else they get NOTIMP */
	/* A well-formed question that on_query is about to get. Called INBOUND_PASSES times, each
	 * pass for several of a batch before the next begins: what one pass prefetches is there by
	 * the next. */
	void (*on_arrival)(void *context, struct query *query, unsigned pass);
	/* The callee owns the query. */
	void (*on_query)(void *context, struct query *query);
	/* A query that goes no further: answered here, with an error or TC, or (end NULL, length
	 * 0) dropped over a limit. Its members are as far as it could be read. NULL: nobody wants
	 * to know. */
	void (*on_turned_away)(void *context, const struct query *query,
			       const struct message_end *end, const uint8_t *reply, size_t length);
	void *context;

	struct inbound_counters counters; /* of listeners that have none of their own */
	bool drains, leaves;              /* see inbound_drain, inbound_leave */
	struct timer drained;
	bool ends; /* what has been read and not begun stays so */
	unsigned tcp_connections;
	unsigned tcp_strangers; /* of them, from where nobody is allowed to ask */
	unsigned slipped;       /* replies over the limit, to send one now and then */
	struct inbound *listeners;
	struct inbound_shared *shared; /* buffers */
};

/* ERR_NOMEM. */
MUST_CHECK int inbound_worker_init(struct inbound_worker *worker);
/* When the loop has closed all handles. Fine on one that is zero. */
void inbound_worker_release(struct inbound_worker *worker);

struct inbound; /* a listener as one worker serves it */

/* Takes the share of worker number `index` and starts reading. `binding` is handed on with every
 * query. The listener must live until inbound_stop. ERR_NOT_FOUND: the share was withdrawn.
 * ERR_SYSTEM: started, but the loop does not watch all of it yet; that is tried again by itself
 * until it does, and what clients send meanwhile waits in the sockets. */
MUST_CHECK int inbound_start(struct inbound_worker *worker, struct listener *listener,
			     unsigned index, void *binding, struct inbound **inbound);
/* A reload keeps the sockets and changes this. Queries under way keep the old binding. */
void inbound_rebind(struct inbound *inbound, void *binding);
/* At first nobody is turned away. What it points to lives until another one is set. */
void inbound_set_admission(struct inbound *inbound, const struct inbound_admission *admission);
/* From now on it counts there, which has to live as long as it. */
void inbound_count_at(struct inbound *inbound, struct inbound_counters *counters);
/* Stops reading and closes all, TCP connections too, which tells their clients. Queries under way
 * get SERVFAIL now: the socket that a later reply needs would keep the address from being opened
 * again. The resolver still finishes each of them (with NULL, say), into nothing, before the
 * worker ends: the memory goes with the last of them and the loop's last close callback. */
void inbound_stop(struct inbound *inbound);
/* For a process whose successor shares its sockets: nothing is read or accepted any more, but from
 * TCP connections until they are quiet or INBOUND_DRAIN_MS are over. What was read is answered. */
void inbound_drain(struct inbound_worker *worker);
/* For a process that ends without a successor, or has lost it: the same at once. Questions by UDP
 * get SERVFAIL and connections are refused, even where another process holds the sockets. */
void inbound_leave(struct inbound_worker *worker);
/* So many bytes came by TCP, not from clients. They count with those of clients towards UDP's next
 * turn. Called from the loop, not from within anything that inbound calls. */
void inbound_tcp_worked(struct inbound_worker *worker, size_t bytes);
/* Sends what has been gathered; called at the end of every loop round. */
void inbound_flush(struct inbound_worker *worker);

#endif
