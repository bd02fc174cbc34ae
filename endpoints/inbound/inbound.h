/* Receives clients' packets and sends replies: a worker's side of all listeners (listener.h).
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

enum { INBOUND_RCODES = RCODE_BADCOOKIE + 1 };

/* The counters of one endpoint at one worker; only that worker adds to them. */
struct inbound_counters {
#define X(name, text) _Atomic uint64_t name;
	INBOUND_COUNTER_MAP(X)
#undef X
	/* Replies that inbound writes without the resolver, by rcode. */
	_Atomic uint64_t replies[INBOUND_RCODES];
};

/* Which clients may ask at a listener, and how often; all zero: every client, without limit. */
struct inbound_admission {
	const struct access *access; /* which clients; NULL: all */
	struct meter *meter;         /* how often, all workers together; NULL: no limit */
	enum excess excess;          /* what happens to queries above it */
};

/* One worker's side of all its listeners. Zero it, fill in the members up to `context`, and
 * init. */
struct inbound_worker {
	uv_loop_t *loop;
	struct wheel *wheel;
	struct query_pool *pool;
	const struct hash_key *key;
	struct tcp_settings tcp;
	struct response_limit *responses; /* NULL: replies are not limited */
	struct response_limit_settings response_limit;
	uint16_t payload_max; /* most bytes of a reply by UDP: 512 to INBOUND_PAYLOAD_MAX */
	uint64_t (*now_us)(void *context);
	uint32_t (*unix_s)(void *context); /* the time of day; NULL: gives no cookies */
	struct cookie_keeper cookies;
	bool accepts_updates; /* hands over requests to update, too; else they get NOTIMP */
	/* Prepares for a well-formed question that on_query is about to get. Called INBOUND_PASSES
	 * times, each time for several queries of a batch, so that memory prefetched in one pass is
	 * there in the next. */
	void (*on_arrival)(void *context, struct query *query, unsigned pass);
	/* Hands a query over to the callee. */
	void (*on_query)(void *context, struct query *query);
	/* Tells of a query that does not reach the resolver: answered with an error or TC, or (end
	 * NULL, length 0) dropped. Its members are set as far as it could be read. May be NULL. */
	void (*on_turned_away)(void *context, const struct query *query,
			       const struct message_end *end, const uint8_t *reply, size_t length);
	void *context;

	struct inbound_counters counters; /* for listeners without counters of their own */
	bool drains, leaves;              /* see inbound_drain, inbound_leave */
	struct timer drained;
	bool ends; /* begins no more of the questions already read */
	unsigned tcp_connections;
	unsigned tcp_strangers; /* those of clients that are not allowed to ask */
	unsigned slipped;       /* replies over the limit; now and then one is sent */
	struct inbound *listeners;
	struct inbound_shared *shared; /* buffers */
};

/* ERR_NOMEM. */
MUST_CHECK int inbound_worker_init(struct inbound_worker *worker);
/* Call it when the loop has closed all handles. Fine on a zeroed worker. */
void inbound_worker_release(struct inbound_worker *worker);

struct inbound; /* a listener as one worker serves it */

/* Takes the share of worker number `index` and starts reading. `binding` is handed on with every
 * query. The listener must live until inbound_stop. ERR_NOT_FOUND: the share was withdrawn.
 * ERR_SYSTEM: started, but the loop cannot watch all sockets yet. This is retried until it works;
 * meanwhile packets wait in the sockets. */
MUST_CHECK int inbound_start(struct inbound_worker *worker, struct listener *listener,
			     unsigned index, void *binding, struct inbound **inbound);
/* Sets another binding, for a reload that keeps the sockets. Queries under way keep the old one. */
void inbound_rebind(struct inbound *inbound, void *binding);
/* Without a call nobody is turned away. `admission` is copied; its access list and its meter must
 * live until the next call. */
void inbound_set_admission(struct inbound *inbound, const struct inbound_admission *admission);
/* Counts in `counters` from now on, which must live as long as `inbound`. */
void inbound_count_at(struct inbound *inbound, struct inbound_counters *counters);
/* Stops reading and closes everything, including TCP connections. Queries under way end now, with
 * SERVFAIL or, if they are updates, without an answer, because a socket kept for their replies
 * would block opening the address again. The resolver still has to finish each of these queries
 * (its reply is dropped): the last one and the loop's last close callback free the memory. */
void inbound_stop(struct inbound *inbound);
/* For a process whose successor shares its sockets: reads and accepts nothing more, except from
 * open TCP connections until they are quiet or INBOUND_DRAIN_MS are over. Questions already read
 * are answered. */
void inbound_drain(struct inbound_worker *worker);
/* For a process that ends without a successor, or whose successor failed: reads no more questions
 * by TCP from now on. Questions by UDP get SERVFAIL and new connections are refused, even if
 * another process still holds the sockets. */
void inbound_leave(struct inbound_worker *worker);
/* Counts bytes that came by TCP from targets: like those of clients, they bring UDP's next turn.
 * Call it from the loop, not within a callback of inbound. */
void inbound_tcp_worked(struct inbound_worker *worker, size_t bytes);
/* Sends the gathered replies; called at the end of every loop round. */
void inbound_flush(struct inbound_worker *worker);

#endif
