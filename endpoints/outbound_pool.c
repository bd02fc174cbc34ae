/* Ports on random numbers, by source address:
 *
 *     pool    [ p0 | p1 | p2 | ........ | p1023 ]
 *     batch      p17    p801   p333   ...          up to OUTBOUND_PORTS_BATCH, drawn as needed
 *     flush   sendmmsg  sendmmsg  sendmmsg         one each
 *
 * A loop round draws a few and deals its questions over those, so that guessing the port of one
 * question is as hard as with a socket each, at a fraction of the system calls.
 *
 * The kernel chooses the numbers (bind to port 0): at random, within ip_local_port_range and
 * outside ip_local_reserved_ports. A pool starts with a few ports and grows with every batch, so
 * that the first question of a worker does not pay for a thousand sockets. A port that has carried
 * its share of questions is replaced by a fresh one, and closed once its flights are over. */
#include "endpoints/outbound_pool.h"

#include <unistd.h>

#include "endpoints/socket.h"

enum {
	PORTS_FIRST = 64,          /* sockets that a new pool opens */
	PORTS_GROW = 4,            /* more with every batch */
	PORT_QUESTIONS = 4096,     /* then it is renewed; the first ones earlier, not all at once */
	SOURCE_RETRY_US = 1000000, /* after a socket could not be opened */
};

static void on_port_closed(uv_handle_t *handle)
{
	struct outbound_port *port = handle->data;

	close(port->fd);
	free(port);
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
	if (port->next != NULL)
		port->next->link = port->link;
	port_close(port);
}

/* No new questions; the caller has taken it out of pool->open. */
static void port_drain(struct outbound_port *port)
{
	struct outbound_pool *pool = port->pool;

	for (unsigned i = 0; i < OUTBOUND_PORTS_BATCH; i++) {
		if (pool->dealt[i] == port)
			pool->dealt[i] = NULL;
	}
	port->draining = true;
	port->next = pool->draining;
	port->link = &pool->draining;
	if (port->next != NULL)
		port->next->link = &port->next;
	pool->draining = port;
	port_close_if_drained(port);
}

static int bound_socket(const struct outbound_pool *pool)
{
	struct host any = {.address = pool->source};
	struct sockaddr_storage storage;
	int on = 1, fd = socket_udp(pool->family);

	if (fd < 0)
		return fd;
	any.address.family = pool->family;
	socklen_t length = socket_address(&any, &storage);
	if (pool->family == 4)
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&storage, length) == 0)
		return fd;
	close(fd);
	return ERR_SYSTEM;
}

/* NULL: the source is not there, or there are no more descriptors. */
static struct outbound_port *port_open(struct outbound_pool *pool)
{
	struct outbound *outbound = pool->outbound;
	struct outbound_port *port = calloc(1, sizeof(*port));

	if (port == NULL)
		return NULL;
	port->pool = pool;
	port->fd = bound_socket(pool);
	bool spare = port->fd < (int)outbound->descriptor_max || pool->count == 0;
	if (port->fd < 0 || !spare || uv_poll_init(outbound->loop, &port->poll, port->fd) != 0) {
		if (port->fd >= 0)
			close(port->fd);
		free(port);
		return NULL;
	}
	port->poll.data = port;
	port->questions = entropy_below(outbound->entropy, PORT_QUESTIONS / 2);
	outbound_watch(port);
	outbound->counters.ports_opened++;
	return port;
}

/* ---- pools ---- */

static void pool_grow(struct outbound_pool *pool, unsigned more, uint64_t now_us)
{
	if (now_us < pool->retry_us)
		return;
	while (more-- > 0 && pool->count < pool->outbound->ports_max) {
		struct outbound_port *port = port_open(pool);
		if (port == NULL) {
			pool->outbound->counters.ports_refused++;
			pool->retry_us = now_us + SOURCE_RETRY_US;
			return;
		}
		pool->open[pool->count++] = port;
	}
}

static struct outbound_pool *pool_find(struct outbound *outbound, const struct address *source,
				       uint8_t family)
{
	struct outbound_pool *pool = outbound->pools;

	while (pool != NULL &&
	       (pool->retired || pool->family != family || !address_equal(&pool->source, source)))
		pool = pool->next;
	return pool;
}

static struct outbound_pool *pool_new(struct outbound *outbound, const struct address *source,
				      uint8_t family)
{
	struct outbound_pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return NULL;
	pool->outbound = outbound;
	pool->source = *source;
	pool->family = family;
	pool->next = outbound->pools;
	outbound->pools = pool;
	return pool;
}

struct outbound_pool *pool_for(struct outbound *outbound, const struct address *source,
			       uint8_t family, uint64_t now_us)
{
	struct outbound_pool *pool = pool_find(outbound, source, family);

	if (pool == NULL)
		pool = pool_new(outbound, source, family);
	if (pool != NULL && pool->count == 0)
		pool_grow(pool, PORTS_FIRST, now_us);
	return pool != NULL && pool->count > 0 ? pool : NULL;
}

struct outbound_port *pool_deal(struct outbound_pool *pool)
{
	struct entropy *entropy = pool->outbound->entropy;
	struct outbound_port **slot = &pool->dealt[entropy_below(entropy, OUTBOUND_PORTS_BATCH)];

	if (*slot == NULL)
		*slot = pool->open[entropy_below(entropy, pool->count)];
	return *slot;
}

static void pool_renew(struct outbound_pool *pool, struct outbound_port *port)
{
	struct outbound_port *fresh = port_open(pool);
	unsigned i = 0;

	port->questions = 0;
	if (fresh == NULL)
		return; /* it goes on as it is, and is tried again after as many questions */
	while (pool->open[i] != port)
		i++;
	pool->open[i] = fresh;
	pool->outbound->counters.ports_renewed++;
	port_drain(port);
}

void pool_end_batch(struct outbound_pool *pool, uint64_t now_us)
{
	bool used = false;

	for (unsigned i = 0; i < OUTBOUND_PORTS_BATCH; i++) {
		struct outbound_port *port = pool->dealt[i];
		used |= port != NULL;
		if (port != NULL && port->questions >= PORT_QUESTIONS)
			pool_renew(pool, port);
	}
	memset(pool->dealt, 0, sizeof(pool->dealt));
	if (used && !pool->retired)
		pool_grow(pool, PORTS_GROW, now_us);
}

static void pool_retire(struct outbound_pool *pool)
{
	pool->retired = true;
	while (pool->count > 0)
		port_drain(pool->open[--pool->count]);
}

/* ---- sources come and go ---- */

void outbound_sweep_pools(struct outbound *outbound)
{
	for (struct outbound_pool **link = &outbound->pools; *link != NULL;) {
		struct outbound_pool *pool = *link;
		if (pool->retired && pool->draining == NULL) {
			*link = pool->next;
			free(pool);
		} else {
			link = &pool->next;
		}
	}
}

void outbound_udp_retain(struct outbound *outbound, const struct address *sources, size_t count)
{
	for (struct outbound_pool *pool = outbound->pools; pool != NULL; pool = pool->next) {
		if (!pool->retired && !outbound_names_source(sources, count, &pool->source))
			pool_retire(pool);
	}
	outbound_sweep_pools(outbound);
}

void outbound_udp_trim(struct outbound *outbound)
{
	for (struct outbound_pool *pool = outbound->pools; pool != NULL; pool = pool->next) {
		while (pool->count > outbound->ports_max)
			port_drain(pool->open[--pool->count]);
	}
}

void outbound_udp_release(struct outbound *outbound)
{
	struct outbound_pool *next;

	for (struct outbound_pool *pool = outbound->pools; pool != NULL; pool = next) {
		next = pool->next;
		pool_retire(pool);
		for (struct outbound_port *port = pool->draining; port != NULL; port = port->next)
			port_close(port);
		free(pool);
	}
	outbound->pools = NULL;
}
