/* Questions by UDP: gathered over a loop round and sent port by port; their replies and ICMP errors
 * are read in batches. outbound/pool.c chooses the port of each question.
 *
 * IP_RECVERR queues ICMP errors with the packet that they quote, which leads to the flight. libuv
 * stops watching a descriptor that reports an error, so this file starts it again. A quote without
 * the DNS id (some routers send only eight bytes of UDP) is ignored: the target's silence will show
 * the same.
 *
 * Replies may have any size: buffers are 64 KiB each, and the kernel backs only the pages that are
 * used. A stride that is a power of two would put all buffers into the same few sets of the
 * processor's caches; 192 bytes more avoid that. */
#include <assert.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>

#include "endpoints/outbound/udp.h"
#include "endpoints/socket.h"

enum {
	RECEIVE_ROUNDS = 4, /* batches in a row, then it is the turn of other sockets */
	ERRORS_MAX = 64,    /* ICMP errors read at once */
};

struct outbound_buffers *outbound_buffers_new(void)
{
	struct outbound_buffers *buffers = calloc(1, sizeof *buffers);

	if (!buffers)
		return NULL;
	buffers->memory = malloc((size_t)OUTBOUND_RECEIVE * OUTBOUND_BUFFER);
	if (!buffers->memory) {
		free(buffers);
		return NULL;
	}
	for (unsigned i = 0; i < OUTBOUND_RECEIVE; i++) {
		buffers->replies[i].iov_base = buffers->memory + (size_t)i * OUTBOUND_BUFFER;
		buffers->replies[i].iov_len = MESSAGE_MAX;
		buffers->headers[i].msg_hdr.msg_iov = &buffers->replies[i];
		buffers->headers[i].msg_hdr.msg_iovlen = 1;
		buffers->headers[i].msg_hdr.msg_name = &buffers->senders[i];
		buffers->headers[i].msg_hdr.msg_namelen = sizeof buffers->senders[i];
		buffers->lane_headers[i].msg_hdr.msg_iov = &buffers->replies[i];
		buffers->lane_headers[i].msg_hdr.msg_iovlen = 1;
	}
	return buffers;
}

void outbound_buffers_free(struct outbound_buffers *buffers)
{
	free(buffers->memory);
	free(buffers);
}

/* ---- sending ---- */

/* EINVAL comes from a source address that is gone, and from a blackhole route to one target.
 * Whether an interface has the address tells the two apart. */
static enum target_error what_failed(const struct outbound_pool *pool, int error)
{
	bool doubtful = error == EINVAL || error == EADDRNOTAVAIL;

	return doubtful && socket_address_is_missing(&pool->source) ? TARGET_ERROR_SOURCE
								    : TARGET_ERROR_NETWORK;
}

static void note_failure(struct outbound *outbound, struct flight *flight, int error)
{
	struct outbound_buffers *buffers = outbound->buffers;
	struct outbound_port *port = flight->socket;

	outbound->counters.send_failed++;
	/* A full buffer loses a packet, as any router may. */
	if (error == EAGAIN || error == ENOBUFS)
		return;
	/* A lane keeps its first route: if that is gone, the target may still be reachable. */
	if (pool_is_lane(port->pool)) {
		port->pool->failed = true;
		return;
	}
	if (buffers->failures == OUTBOUND_FAILURES)
		return;
	buffers->failed[buffers->failures] = flight;
	buffers->errors[buffers->failures++] = what_failed(port->pool, error);
}

/* An unread ICMP error makes the next send fail, even to another target, so every failure is tried
 * once more. */
static void send_all(struct outbound *outbound, int fd, struct mmsghdr *headers,
		     struct flight **flights, unsigned count)
{
	bool again = false;

	for (unsigned sent = 0; sent < count;) {
		int n = sendmmsg(fd, headers + sent, count - sent, MSG_DONTWAIT);
		if (n > 0) {
			sent += (unsigned)n;
			outbound->counters.udp_sent += (unsigned)n;
			again = false;
		} else if (!again) {
			again = true;
		} else {
			flights[sent]->departures = 0;
			note_failure(outbound, flights[sent], errno);
			sent++;
			again = false;
		}
	}
}

static void send_gathered(struct outbound *outbound)
{
	struct outbound_buffers *buffers = outbound->buffers;
	struct mmsghdr headers[OUTBOUND_GATHER];
	struct flight *flights[OUTBOUND_GATHER];

	for (unsigned first = 0; first < buffers->gathered; first++) {
		struct outbound_port *port = buffers->ports[first];
		unsigned count = 0;
		for (unsigned i = first; i < buffers->gathered && port; i++) {
			if (buffers->ports[i] != port)
				continue;
			buffers->ports[i] = NULL;
			if (!buffers->flights[i])
				continue;
			flights[count] = buffers->flights[i];
			flights[count]->gathered = false;
			flights[count]->departures = 1;
			struct msghdr *header = &headers[count].msg_hdr;
			*header =
				(struct msghdr){.msg_iov = &buffers->questions[i], .msg_iovlen = 1};
			if (!pool_is_lane(port->pool)) {
				header->msg_name = &buffers->peers[i];
				header->msg_namelen = buffers->peer_lengths[i];
			}
			count++;
		}
		if (count > 0)
			send_all(outbound, port->twin, headers, flights, count);
	}
	buffers->gathered = 0;
}

int outbound_udp_send(struct outbound *outbound, struct flight *flight, const uint8_t *wire,
		      size_t length, uint64_t now_us)
{
	struct outbound_buffers *buffers = outbound->buffers;
	const struct upstream *upstream = flight->upstream;

	assert(length <= MESSAGE_QUERY_MAX);
	struct outbound_pool *pool;
	int err = pool_for(outbound, upstream, now_us, &pool);
	if (err)
		return err;
	if (buffers->gathered == OUTBOUND_GATHER)
		send_gathered(outbound);
	struct outbound_port *port = pool_deal(pool, flight->target);
	unsigned i = buffers->gathered++;
	port->flights++;
	port->questions++;
	flight->socket = port;
	flight_choose_id(flight);
	flight->gathered = true;
	buffers->flights[i] = flight;
	buffers->ports[i] = port;
	if (!pool_is_lane(pool))
		buffers->peer_lengths[i] = socket_address(&upstream->host, &buffers->peers[i]);
	buffers->questions[i] = (struct iovec){buffers->wires[i], length};
	memcpy(buffers->wires[i], wire, length);
	wire_put16(buffers->wires[i], flight->id);
	return 0;
}

void outbound_udp_forget(struct outbound *outbound, struct flight *flight)
{
	struct outbound_buffers *buffers = outbound->buffers;
	struct outbound_port *port = flight->socket;

	for (unsigned i = 0; flight->gathered && i < buffers->gathered; i++) {
		if (buffers->flights[i] == flight)
			buffers->flights[i] = NULL;
	}
	for (unsigned i = 0; i < buffers->failures; i++) {
		if (buffers->failed[i] == flight)
			buffers->failed[i] = NULL;
	}
	assert(port->flights > 0);
	port->flights--;
	port_close_if_drained(port);
}

/* Reports failures after sending, because during it the lookups are in the middle of their own
 * work. Questions that go to the next target are gathered again; each has a bounded number of
 * packets. */
static void tell_failures(struct outbound *outbound, uint64_t now_us)
{
	struct outbound_buffers *buffers = outbound->buffers;

	while (buffers->failures > 0) {
		unsigned last = buffers->failures - 1;
		struct flight *flight = buffers->failed[last];
		enum target_error error = buffers->errors[last];

		buffers->failures = last;
		if (flight)
			lookup_on_error(flight, error, now_us);
	}
}

void outbound_udp_flush(struct outbound *outbound, uint64_t now_us)
{
	struct outbound_buffers *buffers = outbound->buffers;

	while (buffers->gathered > 0 || buffers->failures > 0) {
		send_gathered(outbound);
		tell_failures(outbound, now_us);
	}
	for (struct outbound_pool *pool = outbound->pools; pool; pool = pool->next)
		pool_end_batch(pool, now_us);
	outbound_sweep_pools(outbound);
}

/* ---- receiving ---- */

/* Reports an entry of the error queue to the flight that it quotes. */
static void on_icmp(struct outbound_port *port, struct msghdr *message, const uint8_t *quote,
		    size_t length, uint64_t now_us)
{
	struct outbound *outbound = port->pool->outbound;
	struct sock_extended_err error = {0};
	struct sockaddr_storage storage;
	struct host host;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
		    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
			memcpy(&error, CMSG_DATA(c), sizeof error);
	}
	if ((error.ee_origin != SO_EE_ORIGIN_ICMP && error.ee_origin != SO_EE_ORIGIN_ICMP6) ||
	    error.ee_errno == EMSGSIZE || length < 2)
		return;
	memcpy(&storage, message->msg_name, sizeof storage);
	socket_host(&storage, &host);
	struct flight *flight = lookup_find_flight(outbound->lookups, port, wire_u16(quote));
	if (!flight || !host_equal(&flight->upstream->host, &host))
		return;
	outbound->counters.unreachable++;
	lookup_on_error(flight, TARGET_ERROR_NETWORK, now_us);
}

static void read_errors(struct outbound_port *port, uint64_t now_us)
{
	uint8_t quote[MESSAGE_QUERY_MAX];

	_Alignas(struct cmsghdr) uint8_t control[512];

	for (unsigned i = 0; i < ERRORS_MAX && !port->closing; i++) {
		struct sockaddr_storage peer = {0};
		struct iovec iov = {quote, sizeof quote};
		struct msghdr message = {.msg_name = &peer,
					 .msg_namelen = sizeof peer,
					 .msg_iov = &iov,
					 .msg_iovlen = 1,
					 .msg_control = control,
					 .msg_controllen = sizeof control};
		ssize_t n = recvmsg(port->fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
		if (n < 0)
			return;
		on_icmp(port, &message, quote, (size_t)n, now_us);
	}
}

/* Returns how many packets it read. Negative: none, and errno says why. */
static int read_replies(struct outbound_port *port, uint64_t now_us)
{
	struct outbound *outbound = port->pool->outbound;
	struct outbound_buffers *buffers = outbound->buffers;
	bool lane = pool_is_lane(port->pool);
	struct mmsghdr *headers = lane ? buffers->lane_headers : buffers->headers;
	int n = recvmmsg(port->fd, headers, OUTBOUND_RECEIVE, MSG_DONTWAIT, NULL);

	if (n > 0)
		port->pool->unheard_us = 0;
	for (int i = 0; i < n; i++) {
		struct host peer;
		if (!lane) {
			socket_host(&buffers->senders[i], &peer);
			headers[i].msg_hdr.msg_namelen = sizeof buffers->senders[i];
		}
		outbound->counters.udp_received++;
		lookup_on_reply(outbound->lookups, port, lane ? &port->pool->peer : &peer,
				buffers->replies[i].iov_base, headers[i].msg_len, now_us);
	}
	return n;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct outbound_port *port = poll->data;
	struct outbound *outbound = port->pool->outbound;
	uint64_t now_us = outbound->now_us(outbound->context);

	(void)events;
	if (status < 0)
		read_errors(port, now_us);
	for (unsigned round = 0; round < RECEIVE_ROUNDS && !port->closing; round++) {
		int n = read_replies(port, now_us);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			read_errors(port, now_us); /* the error was reported in place of data */
		else if (n < OUTBOUND_RECEIVE)
			break;
	}
	if (status < 0 && !port->closing)
		outbound_watch(port);
}

/* ICMP errors show sooner that a target is unreachable, but a socket works without them. */
void outbound_report_errors(int fd, uint8_t family)
{
	int on = 1;

	if (family == 4)
		(void)setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
	else
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
}

void outbound_watch(struct outbound_port *port)
{
	uv_poll_start(&port->poll, UV_READABLE, on_poll);
}
