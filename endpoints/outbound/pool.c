/* Ports on random numbers, by source address:
 *
 *     pool      [ p0 | p1 | p2 | ........ | p1023 ]
 *     target A     p17    p801   p333   ...          a hand: up to OUTBOUND_PORTS_BATCH,
 *     target B     p512   p17    p90    ...          drawn as needed, for this batch
 *     flush     sendmmsg  sendmmsg  sendmmsg         one for each port
 *
 * A loop round draws a few ports for each target and deals its questions to them, so that a
 * question's port is as hard to guess as with a socket of its own, with far fewer system calls.
 * Hands are drawn independently: a hostile target sees the ports of its own questions, which reveal
 * about another target's ports only that they come from the same pool. Two hands share a port only
 * by chance, as rarely as a guess hits.
 *
 * The kernel chooses the numbers at random (bind to port 0), within ip_local_port_range and outside
 * ip_local_reserved_ports. A pool starts with a few ports and grows with every batch, so that a
 * worker's first question does not wait for a thousand sockets. A port that has carried enough
 * questions is replaced by a fresh one, and closed once its flights are over.
 *
 * A busy target has a pool of its own, a lane, with sockets from outbound/lane.c. The lane grows
 * beside the common pool, and is used once it has as many ports as that may have. A connected
 * socket keeps its first source and route. So a lane is given up when it has received nothing for a
 * moment, when a packet could not be sent, and when it has not been used for a while: then the
 * common pool asks the target again, with a routing lookup for every packet. */
#include "endpoints/outbound/udp.h"

#include <errno.h>
#include <unistd.h>

#include "endpoints/socket.h"

enum {
	PORTS_FIRST = 64,      /* ports that a new pool opens */
	PORTS_GROW = 4,        /* ports added by every batch */
	PORT_QUESTIONS = 4096, /* of a port, then it is renewed; ports start at random counts, so
				  that not all end at once */
	LANE_IDLE_US = 10 * 1000000,
	LANE_SILENT_US = 1000000,
	SOURCE_RETRY_US = 1000000, /* pause after a socket could not be opened */
};

static void port_free(struct outbound_port *port)
{
	if (port->twin != port->fd)
		close(port->twin);
	if (port->fd >= 0)
		close(port->fd);
	free(port);
}

static void on_port_closed(uv_handle_t *handle)
{
	port_free(handle->data);
}

static void port_close(struct outbound_port *port)
{
	port->closing = true;
	uv_close((uv_handle_t *)&port->poll, on_port_closed);
}

void port_close_if_drained(struct outbound_port *port)
{
	if (!port->draining || port->closing || port->flights > 0)
		return;
	*port->link = port->next;
	if (port->next)
		port->next->link = port->link;
	port_close(port);
}

/* The i-th port of all hands of the batch. */
static struct outbound_port **dealt(struct outbound_pool *pool, unsigned i)
{
	return &pool->hands[i / OUTBOUND_PORTS_BATCH].ports[i % OUTBOUND_PORTS_BATCH];
}

/* The port takes no new questions; the caller has taken it out of pool->open. */
static void port_drain(struct outbound_port *port)
{
	struct outbound_pool *pool = port->pool;

	for (unsigned i = 0; i < pool->hand_count * OUTBOUND_PORTS_BATCH; i++) {
		if (*dealt(pool, i) == port)
			*dealt(pool, i) = NULL;
	}
	port->draining = true;
	port->next = pool->draining;
	port->link = &pool->draining;
	if (port->next)
		port->next->link = &port->next;
	pool->draining = port;
	port_close_if_drained(port);
}

static bool open_port(const struct outbound_pool *pool, int *fd, int *twin)
{
	struct host any = {.address = pool->source};
	struct sockaddr_storage storage;

	if (pool_is_lane(pool))
		return lane_open_port(pool, fd, twin);
	any.address.family = pool->family;
	socklen_t length = socket_address(&any, &storage);
	*fd = *twin = socket_udp(pool->family);
	if (*fd < 0)
		return false;
	outbound_report_errors(*fd, pool->family);
	return bind(*fd, (struct sockaddr *)&storage, length) == 0;
}

/* NULL: errno says why. */
static struct outbound_port *port_open(struct outbound_pool *pool)
{
	struct outbound *outbound = pool->outbound;
	struct outbound_port *port = calloc(1, sizeof *port);

	if (!port)
		return NULL;
	port->pool = pool;
	port->fd = port->twin = -1;
	bool ready = open_port(pool, &port->fd, &port->twin);
	int highest = port->fd > port->twin ? port->fd : port->twin;
	bool first = pool->count == 0 && !pool_is_lane(pool); /* is always allowed */
	bool spare = highest < (int)outbound->descriptor_max || first;
	if (!ready || !spare || uv_poll_init(outbound->loop, &port->poll, port->fd) != 0) {
		int error = ready ? EMFILE : errno;

		port_free(port);
		errno = error;
		return NULL;
	}
	port->poll.data = port;
	port->questions = entropy_below(outbound->entropy, PORT_QUESTIONS / 2);
	outbound_watch(port);
	outbound->counters.ports_opened++;
	return port;
}

/* ---- pools ---- */

/* Whether there is no memory, descriptor or port, so that the source is not to blame. */
static bool is_shortage(int error)
{
	return error == ENOMEM || error == ENOBUFS || error == EMFILE || error == ENFILE ||
	       error == EADDRINUSE;
}

static void pool_grow(struct outbound_pool *pool, unsigned more, uint64_t now_us)
{
	if (now_us < pool->retry_us)
		return;
	while (more-- > 0 && pool->count < pool->outbound->ports_max) {
		struct outbound_port *port = port_open(pool);
		if (!port) {
			pool->outbound->counters.ports_refused++;
			pool->retry_us = now_us + SOURCE_RETRY_US;
			pool->sourceless = !is_shortage(errno);
			return;
		}
		pool->open[pool->count++] = port;
	}
}

/* Finds a pool and moves it to the front, so that busy ones are found first. peer NULL: the common
 * pool. */
static struct outbound_pool *pool_find(struct outbound *outbound, const struct upstream *upstream,
				       const struct host *peer)
{
	uint8_t family = upstream->host.address.family;
	struct outbound_pool **link = &outbound->pools, *pool;

	for (; (pool = *link); link = &pool->next) {
		if (pool->retired || pool->family != family || pool_is_lane(pool) == !peer ||
		    (peer && !host_equal(&pool->peer, peer)) ||
		    !address_equal(&pool->source, &upstream->source))
			continue;
		*link = pool->next;
		pool->next = outbound->pools;
		outbound->pools = pool;
		return pool;
	}
	return NULL;
}

static struct outbound_pool *pool_new(struct outbound *outbound, const struct upstream *upstream,
				      const struct host *peer, uint64_t now_us)
{
	struct outbound_pool *pool = calloc(1, sizeof *pool);

	if (!pool)
		return NULL;
	pool->outbound = outbound;
	pool->source = upstream->source;
	pool->family = upstream->host.address.family;
	pool->used_us = now_us;
	if (peer)
		pool->peer = *peer;
	pool->next = outbound->pools;
	outbound->pools = pool;
	return pool;
}

static unsigned lane_count(const struct outbound *outbound)
{
	unsigned count = 0;

	for (struct outbound_pool *pool = outbound->pools; pool; pool = pool->next)
		count += pool_is_lane(pool);
	return count;
}

static struct outbound_pool *lane_new(struct outbound *outbound, const struct upstream *upstream,
				      uint64_t now_us)
{
	outbound->counters.lanes_opened++;
	return pool_new(outbound, upstream, &upstream->host, now_us);
}

/* The target's own pool, if it has one with all its ports. */
static struct outbound_pool *lane_for(struct outbound *outbound, const struct upstream *upstream,
				      uint64_t now_us)
{
	struct outbound_pool *lane = pool_find(outbound, upstream, &upstream->host);

	if (!lane && outbound->lanes_max > 0 && lane_earned(outbound, upstream, now_us) &&
	    lane_count(outbound) < outbound->lanes_max)
		lane = lane_new(outbound, upstream, now_us);
	return lane && lane->count >= outbound->ports_max ? lane : NULL;
}

int pool_for(struct outbound *outbound, const struct upstream *upstream, uint64_t now_us,
	     struct outbound_pool **found)
{
	struct outbound_pool *pool = *found = lane_for(outbound, upstream, now_us);

	if (pool)
		return 0;
	pool = pool_find(outbound, upstream, NULL);
	if (!pool)
		pool = pool_new(outbound, upstream, NULL, now_us);
	if (!pool)
		return ERR_NOMEM;
	if (pool->count == 0)
		pool_grow(pool, PORTS_FIRST, now_us);
	*found = pool;
	return pool->count > 0 ? 0 : pool->sourceless ? ERR_SYSTEM : ERR_NOMEM;
}

/* NULL: the batch has too many targets. */
static struct outbound_hand *hand_of(struct outbound_pool *pool, const struct target *target)
{
	struct outbound_hand *hand = pool->hands, *end = hand + pool->hand_count;

	while (hand < end && hand->target != target)
		hand++;
	if (hand < end)
		return hand;
	if (pool->hand_count == OUTBOUND_HANDS)
		return NULL;
	pool->hand_count++;
	*hand = (struct outbound_hand){.target = target};
	return hand;
}

struct outbound_port *pool_deal(struct outbound_pool *pool, const struct target *target)
{
	struct entropy *entropy = pool->outbound->entropy;
	struct outbound_hand *hand = hand_of(pool, target);
	struct outbound_port *own = NULL, **slot = &own;

	pool->used = true;
	if (hand)
		slot = &hand->ports[entropy_below(entropy, OUTBOUND_PORTS_BATCH)];
	if (!*slot)
		*slot = pool->open[entropy_below(entropy, pool->count)];
	return *slot;
}

static void pool_renew(struct outbound_pool *pool, struct outbound_port *port)
{
	struct outbound_port *fresh = port_open(pool);
	unsigned i = 0;

	port->questions = 0;
	if (!fresh) { /* the old port stays, and is renewed after as many questions again */
		pool->failed = true;
		return;
	}
	while (pool->open[i] != port)
		i++;
	pool->open[i] = fresh;
	pool->outbound->counters.ports_renewed++;
	port_drain(port);
}

static bool lane_is_over(const struct outbound_pool *lane, uint64_t now_us)
{
	return lane->failed || now_us - lane->used_us > LANE_IDLE_US ||
	       (lane->unheard_us && now_us - lane->unheard_us > LANE_SILENT_US);
}

static void end_use(struct outbound_pool *pool, uint64_t now_us)
{
	pool->used = false;
	pool->used_us = now_us;
	if (!pool->unheard_us)
		pool->unheard_us = now_us;
	for (unsigned i = 0; i < pool->hand_count * OUTBOUND_PORTS_BATCH; i++) {
		struct outbound_port *port = *dealt(pool, i);
		if (port && port->questions >= PORT_QUESTIONS)
			pool_renew(pool, port);
	}
	pool->hand_count = 0;
}

void pool_end_batch(struct outbound_pool *pool, uint64_t now_us)
{
	bool grows = pool->used || pool_is_lane(pool);

	if (pool->used)
		end_use(pool, now_us);
	if (pool_is_lane(pool) && !pool->retired && lane_is_over(pool, now_us))
		pool_retire(pool);
	if (grows && !pool->retired)
		pool_grow(pool, PORTS_GROW, now_us);
}

void pool_retire(struct outbound_pool *pool)
{
	pool->retired = true;
	while (pool->count > 0)
		port_drain(pool->open[--pool->count]);
}

/* ---- sources come and go ---- */

void outbound_sweep_pools(struct outbound *outbound)
{
	for (struct outbound_pool **link = &outbound->pools; *link;) {
		struct outbound_pool *pool = *link;
		if (pool->retired && !pool->draining) {
			*link = pool->next;
			free(pool);
		} else {
			link = &pool->next;
		}
	}
}

void outbound_udp_retain(struct outbound *outbound, const struct address *sources, size_t count)
{
	for (struct outbound_pool *pool = outbound->pools; pool; pool = pool->next) {
		if (!pool->retired && !outbound_names_source(sources, count, &pool->source))
			pool_retire(pool);
	}
	outbound_sweep_pools(outbound);
}

void outbound_udp_trim(struct outbound *outbound)
{
	unsigned lanes = 0;

	for (struct outbound_pool *pool = outbound->pools; pool; pool = pool->next) {
		while (pool->count > outbound->ports_max)
			port_drain(pool->open[--pool->count]);
		if (pool_is_lane(pool) && !pool->retired && ++lanes > outbound->lanes_max)
			pool_retire(pool);
	}
}

void outbound_udp_release(struct outbound *outbound)
{
	struct outbound_pool *next;

	for (struct outbound_pool *pool = outbound->pools; pool; pool = next) {
		next = pool->next;
		pool_retire(pool);
		for (struct outbound_port *port = pool->draining; port; port = port->next)
			port_close(port);
		free(pool);
	}
	outbound->pools = NULL;
}
