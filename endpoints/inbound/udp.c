/* UDP: packets are received by recvmmsg and sent by sendmmsg, 64 at a time, because system calls
 * are the main cost of a DNS answer. The replies of all listeners of a worker are gathered in one
 * outbox and leave by the listener's twin, because sending on it wakes nobody.
 *
 *     recvmmsg ─► 64 packets ─► query, query, ... ─► resolver ─► finish ─► outbox ─► sendmmsg(twin)
 *
 * Several packets of a batch are read before the first is answered, so that the resolver can
 * prefetch memory for all of them and waits for it once.
 *
 * The outbox packs replies one after the other, so that a usual batch touches few cache lines. It
 * is emptied when it is full and at the end of every loop round.
 *
 * A listener on 0.0.0.0 or :: notes the address that each query was sent to, and answers from it
 * (RFC 2181 section 4.1). With any other address the kernel uses the right one without this cost.
 *
 * A removed listener answers queries under way with SERVFAIL, so that clients ask their next server
 * at once. Packets that the kernel still holds for it are lost. Packets for which the kernel had no
 * room are counted a second later.
 *
 * Not here: waiting until a full socket is writable again. A reply is retried once and then counted
 * as lost; the client asks again. */
#include "endpoints/inbound/internal.h"

#include <assert.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "endpoints/socket.h"
#include "rules/base.h"

enum {
	BATCH = 64,
	ARRIVALS = 16, /* queries handed over together; their memory fits the fastest cache */
	ROUNDS = 4,    /* batches in a row, then it is the turn of other handles */
	/* Room for a packet. The odd stride keeps the packets of a batch out of the same few cache
	 * lines. */
	PACKET = 4096 + 64,
	OUTBOX_BYTES = BATCH * 1232,
	DROPPED_US = 1000 * 1000,
};
_Static_assert((int)OUTBOX_BYTES >= (int)INBOUND_PAYLOAD_MAX, "a reply fits into an empty outbox");

union pktinfo {
	struct cmsghdr align;
	uint8_t v4[CMSG_SPACE(sizeof(struct in_pktinfo))];
	uint8_t v6[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct datagrams { /* the arguments of one recvmmsg or sendmmsg */
	struct mmsghdr headers[BATCH];
	struct iovec vectors[BATCH];
	struct sockaddr_storage peers[BATCH];
	union pktinfo controls[BATCH];
};

struct udp_batch {
	struct datagrams in, out;
	unsigned worn; /* headers of `in` that must be set before the next receive */
	bool wildcard; /* the last receive was at a wildcard address */
	unsigned out_count;
	size_t out_used;
	struct inbound *out_inbound[BATCH];
	struct query *arrived[ARRIVALS]; /* read but not yet handed over */
	unsigned arrived_count;
	uint8_t out_bytes[OUTBOX_BYTES];
	uint8_t in_bytes[BATCH][PACKET];
};

struct udp_batch *udp_batch_new(void)
{
	struct udp_batch *batch = calloc(1, sizeof *batch);

	if (!batch)
		return NULL;
	batch->worn = BATCH;
	for (unsigned i = 0; i < BATCH; i++) {
		struct datagrams *both[] = {&batch->in, &batch->out};
		for (unsigned k = 0; k < 2; k++) {
			struct msghdr *header = &both[k]->headers[i].msg_hdr;
			header->msg_name = &both[k]->peers[i];
			header->msg_iov = &both[k]->vectors[i];
			header->msg_iovlen = 1;
		}
		batch->in.vectors[i].iov_base = batch->in_bytes[i];
		batch->in.vectors[i].iov_len = PACKET;
	}
	return batch;
}

void udp_batch_free(struct udp_batch *batch)
{
	assert(!batch || batch->out_count == 0);
	free(batch);
}

/* ---- sending ---- */

/* Sends datagrams from..to, all of one listener. Skips one that the kernel does not take, so that
 * it does not delay the others. */
static void outbox_send(struct udp_batch *batch, unsigned from, unsigned to)
{
	struct inbound *inbound = batch->out_inbound[from];
	bool retried = false;

	while (from < to) {
		int sent = sendmmsg(inbound->twin, batch->out.headers + from, to - from,
				    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent > 0) {
			from += (unsigned)sent;
			retried = false;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (!retried && (errno == EAGAIN || errno == ENOBUFS)) {
			retried = true;
			continue;
		}
		COUNTER_ADD(inbound->counters->replies_lost, 1);
		from++;
	}
}

void udp_batch_flush(struct udp_batch *batch)
{
	unsigned from = 0;

	for (unsigned i = 1; i <= batch->out_count; i++) {
		if (i < batch->out_count && batch->out_inbound[i] == batch->out_inbound[from])
			continue;
		outbox_send(batch, from, i);
		from = i;
	}
	batch->out_count = 0;
	batch->out_used = 0;
}

/* Sets the reply's source address as control data. */
static void put_source(struct msghdr *header, union pktinfo *control, const struct address *local)
{
	memset(control, 0, sizeof *control);
	header->msg_control = control;
	header->msg_controllen = sizeof *control;
	struct cmsghdr *part = CMSG_FIRSTHDR(header);
	if (local->family == 4) {
		struct in_pktinfo info = {0};
		memcpy(&info.ipi_spec_dst, local->bytes, 4);
		part->cmsg_level = IPPROTO_IP;
		part->cmsg_type = IP_PKTINFO;
		part->cmsg_len = CMSG_LEN(sizeof info);
		memcpy(CMSG_DATA(part), &info, sizeof info);
		header->msg_controllen = CMSG_SPACE(sizeof info);
	} else {
		struct in6_pktinfo info = {0};
		memcpy(&info.ipi6_addr, local->bytes, 16);
		part->cmsg_level = IPPROTO_IPV6;
		part->cmsg_type = IPV6_PKTINFO;
		part->cmsg_len = CMSG_LEN(sizeof info);
		memcpy(CMSG_DATA(part), &info, sizeof info);
		header->msg_controllen = CMSG_SPACE(sizeof info);
	}
}

static void outbox_put(struct inbound *inbound, const struct query *query, const uint8_t *reply,
		       size_t length)
{
	struct udp_batch *batch = inbound->worker->shared->udp;

	assert(length >= MESSAGE_HEADER && length <= INBOUND_PAYLOAD_MAX);
	if (batch->out_count == BATCH || length > OUTBOX_BYTES - batch->out_used)
		udp_batch_flush(batch);
	unsigned slot = batch->out_count++;
	uint8_t *bytes = batch->out_bytes + batch->out_used;
	memcpy(bytes, reply, length);
	batch->out_used += length;
	batch->out_inbound[slot] = inbound;
	batch->out.vectors[slot].iov_base = bytes;
	batch->out.vectors[slot].iov_len = length;
	struct msghdr *header = &batch->out.headers[slot].msg_hdr;
	header->msg_namelen = query->peer.ss_family == AF_INET ? sizeof(struct sockaddr_in)
							       : sizeof(struct sockaddr_in6);
	memcpy(&batch->out.peers[slot], &query->peer, header->msg_namelen);
	header->msg_control = NULL;
	header->msg_controllen = 0;
	if (query->local.family != 0)
		put_source(header, &batch->out.controls[slot], &query->local);
}

static void send_limited(struct inbound *inbound, const struct query *query, const uint8_t *reply,
			 size_t length)
{
	uint8_t instead[INBOUND_ERROR_REPLY_MAX];

	reply = inbound_limit_reply(inbound, query, reply, &length, instead);
	if (reply)
		outbox_put(inbound, query, reply, length);
}

static inline void send_reply(struct inbound *inbound, const struct query *query,
			      const uint8_t *reply, size_t length)
{
	if (inbound->worker->responses)
		send_limited(inbound, query, reply, length);
	else
		outbox_put(inbound, query, reply, length);
}

static void on_finish(struct query *query, const uint8_t *reply, size_t length)
{
	struct inbound *inbound = query->origin;

	if (reply && !inbound->stopped)
		send_reply(inbound, query, reply, length);
	inbound_take_back(inbound, query);
}

/* ---- receiving ---- */

/* Reads the packet's destination. IP_PKTINFO's specific destination is the local address even for
 * broadcasts. */
static void read_local(struct msghdr *header, struct address *local)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
		if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;
			memcpy(&info, CMSG_DATA(part), sizeof info);
			local->family = 4;
			memcpy(local->bytes, &info.ipi_spec_dst, 4);
		} else if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;
			memcpy(&info, CMSG_DATA(part), sizeof info);
			local->family = 6;
			memcpy(local->bytes, &info.ipi6_addr, 16);
		}
	}
}

static void fill_query(struct query *query, struct inbound *inbound, unsigned slot,
		       const struct host *client, uint64_t now_us)
{
	struct datagrams *in = &inbound->worker->shared->udp->in;

	query->finish = on_finish;
	query->origin = inbound;
	query->binding = inbound->binding;
	query->client = client->address;
	query->arrived_us = now_us;
	query->tcp = false;
	query->room = NULL;
	query->send = NULL;
	query->local.family = 0;
	if (inbound->wildcard)
		read_local(&in->headers[slot].msg_hdr, &query->local);
	memcpy(&query->peer, &in->peers[slot], sizeof(struct sockaddr_in6));
}

static void hand_over(struct inbound *inbound)
{
	struct udp_batch *batch = inbound->worker->shared->udp;
	unsigned count = batch->arrived_count;

	batch->arrived_count = 0;
	inbound_hand_over(inbound, batch->arrived, count);
}

/* Takes a query from the pool. If it is empty, first hands over the arrived ones, whose answers may
 * free some. NULL: none. */
static struct query *take_query(struct inbound *inbound)
{
	struct inbound_worker *worker = inbound->worker;
	struct query *query = query_take(worker->pool);

	if (!query && worker->shared->udp->arrived_count > 0) {
		hand_over(inbound);
		query = query_take(worker->pool);
	}
	return query;
}

static void on_packet(struct inbound *inbound, unsigned slot, struct meter_round *meter,
		      uint64_t now_us)
{
	struct inbound_worker *worker = inbound->worker;
	struct udp_batch *batch = worker->shared->udp;
	const struct mmsghdr *packet = &batch->in.headers[slot];
	struct host client;

	socket_host(&batch->in.peers[slot], &client);
	if (client.port == 0) { /* no address to answer to */
		COUNTER_ADD(inbound->counters->silent, 1);
		return;
	}
	struct query *query = take_query(inbound);
	enum rcode refuse = query ? RCODE_NOERROR : RCODE_SERVFAIL;
	if (packet->msg_hdr.msg_flags & MSG_TRUNC)
		refuse = RCODE_FORMERR; /* longer than we ever advertise */
	bool pooled = query;
	if (!pooled)
		query = &worker->shared->spare;
	fill_query(query, inbound, slot, &client, now_us);
	uint8_t reply[INBOUND_ERROR_REPLY_MAX];
	size_t length;
	if (inbound_read(inbound, query, batch->in_bytes[slot], packet->msg_len, refuse, reply,
			 &length)) {
		if (meter_admit(meter, &query->client, query->proven)) {
			batch->arrived[batch->arrived_count++] = query;
			if (batch->arrived_count == ARRIVALS)
				hand_over(inbound);
			return;
		}
		length = inbound_answer_excess(inbound, query, reply);
	}
	if (length > 0)
		send_reply(inbound, query, reply, length);
	if (pooled)
		query_give(worker->pool, query);
}

/* Sets only the headers that the kernel has written to in the last call. */
static int receive_batch(struct inbound *inbound, struct udp_batch *batch)
{
	struct datagrams *in = &batch->in;
	unsigned worn = inbound->wildcard == batch->wildcard ? batch->worn : BATCH;

	for (unsigned i = 0; i < worn; i++) {
		struct msghdr *header = &in->headers[i].msg_hdr;
		header->msg_namelen = sizeof in->peers[i];
		header->msg_control = inbound->wildcard ? &in->controls[i] : NULL;
		header->msg_controllen = inbound->wildcard ? sizeof in->controls[i] : 0;
	}
	int count = recvmmsg(inbound->udp, in->headers, BATCH, MSG_DONTWAIT, NULL);
	batch->worn = count > 0 ? (unsigned)count : 1;
	batch->wildcard = inbound->wildcard;
	return count;
}

/* How many packets the kernel has dropped since the last call. */
static uint32_t take_dropped(struct inbound *inbound)
{
	uint32_t counts[SK_MEMINFO_VARS] = {0}, before = inbound->udp_dropped;
	socklen_t length = sizeof counts;

	if (getsockopt(inbound->udp, SOL_SOCKET, SO_MEMINFO, counts, &length) != 0)
		return 0;
	inbound->udp_dropped = counts[SK_MEMINFO_DROPS];
	return inbound->udp_dropped - before;
}

static void on_dropped_due(struct timer *timer, uint64_t now_us)
{
	struct inbound *inbound = container_of(timer, struct inbound, udp_dropped_due);

	(void)now_us;
	COUNTER_ADD(inbound->counters->udp_unread, take_dropped(inbound));
}

static void receive(struct inbound *inbound)
{
	struct inbound_worker *worker = inbound->worker;

	for (unsigned round = 0; round < ROUNDS && !inbound->stopped; round++) {
		int count = receive_batch(inbound, worker->shared->udp);
		if (count <= 0)
			return;
		uint64_t now_us = worker->now_us(worker->context);
		if (!timer_armed(&inbound->udp_dropped_due))
			wheel_arm(worker->wheel, &inbound->udp_dropped_due, now_us + DROPPED_US);
		struct meter_round meter;
		meter_begin(&meter, inbound->admission.meter, (unsigned)count, now_us);
		for (int i = 0; i < count && !inbound->stopped; i++)
			on_packet(inbound, (unsigned)i, &meter, now_us);
		meter_end(&meter);
		hand_over(inbound);
		if (count < BATCH)
			return;
	}
}

void inbound_udp_turn(struct inbound_worker *worker)
{
	worker->shared->tcp_work = 0;
	if (worker->drains)
		return;
	for (struct inbound *inbound = worker->listeners; inbound && !inbound->stopped;
	     inbound = inbound->next)
		receive(inbound);
	udp_batch_flush(worker->shared->udp);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	(void)events;
	struct inbound *inbound = poll->data;
	if (status < 0) {
		inbound_clear_error(inbound->udp);
		if (inbound_udp_watch(inbound) < 0)
			return;
	}
	receive(inbound);
}

/* ---- life ---- */

int inbound_udp_watch(struct inbound *inbound)
{
	return inbound_watch(inbound, &inbound->udp_poll, inbound->udp, on_readable,
			     &inbound->udp_again);
}

static void on_udp_again(struct timer *timer, uint64_t now_us)
{
	(void)now_us;
	(void)inbound_udp_watch(container_of(timer, struct inbound, udp_again));
}

int inbound_udp_start(struct inbound *inbound)
{
	timer_init(&inbound->udp_again, on_udp_again);
	timer_init(&inbound->udp_dropped_due, on_dropped_due);
	(void)take_dropped(inbound); /* forgets those of the socket's former user */
	return inbound_udp_watch(inbound);
}

static void answer_gone(struct query *query)
{
	struct inbound *inbound = query->origin;
	uint8_t reply[INBOUND_ERROR_REPLY_MAX];

	if (request_is_update(&query->request)) /* silence: see inbound.c */
		return;
	size_t length = inbound_write_gone(inbound, query, reply);
	outbox_put(inbound, query, reply, length);
}

void inbound_udp_stop(struct inbound *inbound)
{
	query_each(inbound->worker->pool, inbound, answer_gone);
	inbound_flush(inbound->worker);
	inbound_unwatch(inbound, &inbound->udp_poll, &inbound->udp_again);
	wheel_cancel(inbound->worker->wheel, &inbound->udp_dropped_due);
	COUNTER_ADD(inbound->counters->udp_unread, take_dropped(inbound));
	close(inbound->udp);
	close(inbound->twin);
	inbound->udp = inbound->twin = -1;
}
