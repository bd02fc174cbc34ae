/* The sockets that questions leave by: a pool per source address and family, shared by all targets,
 * and for the busiest targets one of their own (outbound/lane.c). Only outbound's own files include
 * this. */
#ifndef SLUICE_OUTBOUND_POOL_H
#define SLUICE_OUTBOUND_POOL_H

#include "endpoints/outbound/internal.h"

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

/* ---- outbound/lane.c ---- */

/* Counts a question to a target that has no lane; true when it should get one. */
bool lane_earned(struct outbound *outbound, const struct upstream *upstream, uint64_t now_us);
/* Both sockets of a lane's port, which are the caller's to close, also where one is not -1 and this
 * is false: the source is not there, or there are no more descriptors. */
bool lane_open_port(const struct outbound_pool *pool, int *fd, int *twin);

/* ---- outbound/udp.c ---- */

/* Has the kernel queue ICMP errors for what this socket sends. */
void outbound_report_errors(int fd, uint8_t family);
/* Starts reading when the port has something. */
void outbound_watch(struct outbound_port *port);

#endif
