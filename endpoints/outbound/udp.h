/* Questions by UDP. Only udp.c, pool.c, lane.c and outbound.c of outbound/ include this.
 * flight->socket is a struct outbound_port.
 *
 * A pool has the sockets that send questions. Each source address and family has one that all
 * targets share, and each of the busiest targets has a pool of its own, a lane. */
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

/* The packets that a loop round gathers, and room for those that it reads. */
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
	struct outbound_port *next, **link; /* in the pool's `draining` */
	struct outbound_pool *pool;
	uv_poll_t poll;
	int fd;   /* receives */
	int twin; /* sends: the same as fd, but in a lane another socket */
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
	bool retired;        /* no policy names its source, or the lane was given up */
	bool failed;         /* a packet could not be sent or a port not renewed: ends a lane */
	bool used;           /* in this batch */
	uint64_t used_us;    /* when a batch last used it, or it was made */
	uint64_t unheard_us; /* the first use since a reply last came; 0: none since then */
	struct outbound_port *open[OUTBOUND_PORTS];
	unsigned count;
	struct outbound_port *draining;
	struct outbound_hand hands[OUTBOUND_HANDS]; /* in this batch */
	unsigned hand_count;
	uint64_t retry_us; /* no port is opened before this time, because one could not be opened */
	bool sourceless;   /* it could not be opened because the source cannot be used */
};

/* ---- outbound/pool.c ---- */

/* Finds the pool for this upstream, with at least one open port. ERR_SYSTEM: the source cannot be
 * used; ERR_NOMEM: there is no memory, descriptor or port. */
MUST_CHECK int pool_for(struct outbound *outbound, const struct upstream *upstream, uint64_t now_us,
			struct outbound_pool **found);
static inline bool pool_is_lane(const struct outbound_pool *pool)
{
	return pool->peer.port != 0;
}
/* The pool takes no new questions; its ports close once drained. */
void pool_retire(struct outbound_pool *pool);
/* Draws one of the ports that this batch has for the target. */
struct outbound_port *pool_deal(struct outbound_pool *pool, const struct target *target);
/* After a batch: replaces ports that have carried enough questions, and grows the pool. */
void pool_end_batch(struct outbound_pool *pool, uint64_t now_us);
/* Closes a draining port without flights. */
void port_close_if_drained(struct outbound_port *port);
/* Frees retired pools that have no port left. */
void outbound_sweep_pools(struct outbound *outbound);

void outbound_udp_retain(struct outbound *outbound, const struct address *sources, size_t count);
/* Drains ports above ports_max, and lanes above lanes_max. */
void outbound_udp_trim(struct outbound *outbound);
void outbound_udp_release(struct outbound *outbound);

/* ---- outbound/lane.c ---- */

/* Counts a question to a target without a lane; true: it should get one. */
bool lane_earned(struct outbound *outbound, const struct upstream *upstream, uint64_t now_us);
/* Opens both sockets of a lane's port. The caller closes what is not -1, after a failure, too.
 * False: the source does not exist, or there are no descriptors left. */
bool lane_open_port(const struct outbound_pool *pool, int *fd, int *twin);

/* ---- outbound/udp.c ---- */

struct outbound_buffers *outbound_buffers_new(void);
void outbound_buffers_free(struct outbound_buffers *buffers);
int outbound_udp_send(struct outbound *outbound, struct flight *flight, const uint8_t *wire,
		      size_t length, uint64_t now_us);
void outbound_udp_forget(struct outbound *outbound, struct flight *flight);
void outbound_udp_flush(struct outbound *outbound, uint64_t now_us);

/* Makes the kernel queue ICMP errors for packets of this socket. */
void outbound_report_errors(int fd, uint8_t family);
/* Watches the port from now on: packets and errors are read as they come. */
void outbound_watch(struct outbound_port *port);

#endif
