/* The outbound side for lookup.h. A flight leaves by UDP (outbound/udp.c) or by TCP
 * (outbound/peer.c). Its reply goes to lookup_on_reply, and a failure to lookup_on_error. This file
 * only chooses between UDP and TCP. */
#include "endpoints/outbound/outbound.h"

#include <assert.h>
#include <sys/resource.h>

#include "endpoints/outbound/peer.h"
#include "endpoints/outbound/udp.h"

/* The outbound side uses only descriptors below three quarters of the limit, because clients'
 * connections and the management plane need some, too. The kernel gives out the lowest free number,
 * so a high number means that about as many descriptors are in use. */
static unsigned descriptor_max(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > 1 << 30)
		return 1 << 30;
	return (unsigned)(limit.rlim_cur / 4 * 3);
}

int outbound_init(struct outbound *outbound, uv_loop_t *loop, struct wheel *wheel,
		  struct entropy *entropy, struct lookups *lookups, unsigned ports_max,
		  uint64_t (*now_us)(void *), void *context)
{
	assert(ports_max > 0 && ports_max <= OUTBOUND_PORTS);
	*outbound = (struct outbound){
		.loop = loop,
		.wheel = wheel,
		.entropy = entropy,
		.lookups = lookups,
		.now_us = now_us,
		.context = context,
		.ports_max = ports_max,
		.lanes_max = OUTBOUND_LANES,
		.lane_questions = OUTBOUND_LANE_QUESTIONS,
		.descriptor_max = descriptor_max(),
	};
	LIST_INIT(&outbound->peers);
	TAILQ_INIT(&outbound->gathered);
	outbound->buffers = outbound_buffers_new();
	return outbound->buffers ? 0 : ERR_NOMEM;
}

void outbound_release(struct outbound *outbound)
{
	if (!outbound->buffers)
		return;
	outbound_tcp_release(outbound);
	outbound_udp_release(outbound);
	outbound_buffers_free(outbound->buffers);
	outbound->buffers = NULL;
}

int outbound_send(void *context, struct flight *flight, const uint8_t *wire, size_t length,
		  uint64_t now_us)
{
	struct outbound *outbound = context;
	const struct upstream *upstream = flight->upstream;

	if (upstream->source.family != 0 &&
	    upstream->source.family != upstream->host.address.family)
		return ERR_SYSTEM;
	if (flight->tcp)
		return outbound_tcp_send(outbound, flight, wire, length);
	return outbound_udp_send(outbound, flight, wire, length, now_us);
}

void outbound_forget(void *context, struct flight *flight)
{
	struct outbound *outbound = context;

	if (flight->tcp)
		outbound_tcp_forget(flight);
	else
		outbound_udp_forget(outbound, flight);
}

void outbound_flush(struct outbound *outbound)
{
	uint64_t now_us = outbound->now_us(outbound->context);

	do { /* a question that UDP cannot send may go to another target by TCP, or the reverse */
		outbound_tcp_flush(outbound, now_us);
		outbound_udp_flush(outbound, now_us);
	} while (!TAILQ_EMPTY(&outbound->gathered));
}

bool outbound_names_source(const struct address *sources, size_t count,
			   const struct address *source)
{
	for (size_t i = 0; i < count; i++) {
		if (address_equal(&sources[i], source))
			return true;
	}
	return false;
}

void outbound_retain(struct outbound *outbound, const struct address *sources, size_t count)
{
	outbound_udp_retain(outbound, sources, count);
	outbound_tcp_retain(outbound, sources, count);
}

void outbound_limit_ports(struct outbound *outbound, unsigned ports_max, unsigned lanes_max)
{
	assert(ports_max > 0 && ports_max <= OUTBOUND_PORTS && lanes_max <= OUTBOUND_LANES);
	outbound->ports_max = ports_max;
	outbound->lanes_max = lanes_max;
	outbound_udp_trim(outbound);
}
