/* Questions by UDP, as outbound/udp.c, outbound/pool.c and outbound/lane.c share them; of others
 * only outbound.c includes this. flight->socket is a struct outbound_port.
 *
 * A pool has the sockets that questions leave by: one per source address and family, shared by all
 * targets, and for the busiest targets one of their own, a lane. */
#ifndef SLUICE_OUTBOUND_UDP_H
#define SLUICE_OUTBOUND_UDP_H

#include <netinet/in.h>

#include "endpoints/outbound/outbound.h"

enum {
	OUTBOUND_GATHER = 256, /* questions of a loop round, sent together */
	OUTBOUND_RECEIVE = 64, /* replies read together */
	OUTBOUND_FAILURES = 256,
	OUTBOUND_BUFFER = 65536 + 192, /* bytes; not a power of two: see outbound/udp.c */
};

/* What a loop round gathers, and room for what it reads. */
struct outbound_buffers {
	unsigned gathered, failures;
	struct flight *flights[OUTBOUND_GATHER]; /* NULL: forgotten before it was sent */
	struct outbound_port *ports[OUTBOUND_GATHER];
	struct sockaddr_storage peers[OUTBOUND_GATHER];
	struct iovec questions[OUTBOUND_GATHER];
	socklen_t peer_lengths[OUTBOUND_GATHER];
	uint8_t wires[OUTBOUND_GATHER][MESSAGE_QUERY_MAX];
	struct flight *failed[OUTBOUND_FAILURES]; /* NULL: forgotten meanwhile */
	enum target_error errors[OUTBOUND_FAILURES];
	struct mmsghdr headers[OUTBOUND_RECEIVE];
	struct mmsghdr lane_headers[OUTBOUND_RECEIVE]; /* without senders */
	struct iovec replies[OUTBOUND_RECEIVE];
	struct sockaddr_storage senders[OUTBOUND_RECEIVE];
	uint8_t *memory; /* OUTBOUND_RECEIVE times OUTBOUND_BUFFER */
};

struct outbound_port {
	struct lookup_socket socket;        /* the first member: flights point to it */
	struct outbound_port *next, **link; /* of the pool's draining ones */
	struct outbound_pool *pool;
	uv_poll_t poll;
	int fd;   /* receives */
	int twin; /* sends: fd itself, in a lane another socket */
	unsigned flights, questions;
	bool draining, closing;
};

/* The ports of one target in this batch. */
struct outbound_hand {
	const struct target *target;                       /* only compared */
	struct outbound_port *ports[OUTBOUND_PORTS_BATCH]; /* NULL: not drawn yet */
};

struct outbound_pool {
	struct outbound_pool *next;
	struct outbound *outbound;
	struct address source;
	uint8_t family;
	struct host peer;    /* a lane's target; port 0: for all targets */
	bool retired;        /* no policy names the source any more, or the lane is given up */
	bool failed;         /* a lane that something could not be sent by, or that cannot renew */
	bool used;           /* in this batch */
	uint64_t used_us;    /* the latest batch that used it, at first when it was made */
	uint64_t unheard_us; /* when it was used and nothing has been heard since; 0: not so */
	struct outbound_port *open[OUTBOUND_PORTS];
	unsigned count;
	struct outbound_port *draining;
	struct outbound_hand hands[OUTBOUND_HANDS]; /* in this batch */
	unsigned hand_count;
	uint64_t retry_us;
};

/* ---- outbound/pool.c ---- */

/* The pool that asks this upstream, with at least one port open; NULL when that cannot be. */
struct outbound_pool *pool_for(struct outbound *outbound, const struct upstream *upstream,
			       uint64_t now_us);
static inline bool pool_is_lane(const struct outbound_pool *pool)
{
	return pool->peer.port != 0;
}
/* No new questions; its ports close once drained. */
void pool_retire(struct outbound_pool *pool);
/* At random one of the ports that this batch has for the target. */
struct outbound_port *pool_deal(struct outbound_pool *pool, const struct target *target);
/* After a batch: ports that have carried enough make room for fresh ones, and the pool grows. */
void pool_end_batch(struct outbound_pool *pool, uint64_t now_us);
/* Closes a draining port without flights. */
void port_close_if_drained(struct outbound_port *port);
/* Frees the pools whose source is gone and whose last port is closed. */
void outbound_sweep_pools(struct outbound *outbound);

void outbound_udp_retain(struct outbound *outbound, const struct address *sources, size_t count);
/* Pools above ports_max drain what is too much. */
void outbound_udp_trim(struct outbound *outbound);
void outbound_udp_release(struct outbound *outbound);

/* ---- outbound/lane.c ---- */

/* Counts a question to a target that has no lane; true when it should get one. */
bool lane_earned(struct outbound *outbound, const struct upstream *upstream, uint64_t now_us);
/* Both sockets of a lane's port, which are the caller's to close, also where one is not -1 and this
 * is false: the source is not there, or there are no more descriptors. */
bool lane_open_port(const struct outbound_pool *pool, int *fd, int *twin);

/* ---- outbound/udp.c ---- */

struct outbound_buffers *outbound_buffers_new(void);
void outbound_buffers_free(struct outbound_buffers *buffers);
int outbound_udp_send(struct outbound *outbound, struct flight *flight, const uint8_t *wire,
		      size_t length, uint64_t now_us);
void outbound_udp_forget(struct outbound *outbound, struct flight *flight);
void outbound_udp_flush(struct outbound *outbound, uint64_t now_us);

/* Has the kernel queue ICMP errors for what this socket sends. */
void outbound_report_errors(int fd, uint8_t family);
/* Starts reading when the port has something. */
void outbound_watch(struct outbound_port *port);

#endif
