/* The sockets that questions leave by: a pool per source address and family, shared by all targets.
 * Only outbound's own files include this. */
#ifndef SLUICE_OUTBOUND_POOL_H
#define SLUICE_OUTBOUND_POOL_H

#include "endpoints/outbound_internal.h"

struct outbound_port {
	struct outbound_port *next, **link; /* of the pool's draining ones */
	struct outbound_pool *pool;
	uv_poll_t poll;
	int fd;
	unsigned flights, questions;
	bool draining, closing;
};

struct outbound_pool {
	struct outbound_pool *next;
	struct outbound *outbound;
	struct address source;
	uint8_t family;
	bool retired; /* no policy names the source any more */
	struct outbound_port *open[OUTBOUND_PORTS];
	unsigned count;
	struct outbound_port *draining;
	struct outbound_port *dealt[OUTBOUND_PORTS_BATCH]; /* this batch's, NULL: not drawn yet */
	uint64_t retry_us;
};

/* The pool for it, with at least one port open; NULL when that cannot be. */
struct outbound_pool *pool_for(struct outbound *outbound, const struct address *source,
			       uint8_t family, uint64_t now_us);
/* One port of this batch's at random. */
struct outbound_port *pool_deal(struct outbound_pool *pool);
/* After a batch: ports that have carried enough make room for fresh ones, and the pool grows. */
void pool_end_batch(struct outbound_pool *pool, uint64_t now_us);
/* Closes a draining port without flights. */
void port_close_if_drained(struct outbound_port *port);
/* Frees the pools whose source is gone and whose last port is closed. */
void outbound_sweep_pools(struct outbound *outbound);

/* ---- outbound_udp.c ---- */

/* Starts reading when the port has something. */
void outbound_watch(struct outbound_port *port);

#endif
