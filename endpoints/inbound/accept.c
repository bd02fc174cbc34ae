/* Accepts TCP connections up to two maxima: of all clients together, and of each client (RFC 7766
 * section 6.2.2). A connection above a maximum is accepted and closed at once, so that its client
 * does not wait.
 *
 * A keyed hash of the client (address_client) chooses one of 256 buckets, each with a list of its
 * connections. So nothing has to be allocated for a client, or forgotten later. When the maximum of
 * all clients is reached, the fullest bucket loses a connection to a newcomer whose bucket has at
 * least two fewer, so a greedy client can keep out only clients of its own bucket.
 *
 * Not here: the connection itself (inbound/connection.c). */
#include "endpoints/inbound/connection.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include "endpoints/socket.h"
#include "rules/base.h"

enum {
	ACCEPTS = 64,  /* in a row, then it is the turn of other handles */
	STRANGERS = 8, /* one connection in so many may be of clients that may not ask */
};

static unsigned client_bucket(const struct inbound_worker *worker, const struct address *address)
{
	const struct address client = address_client(address);
	uint64_t hash = hash_bytes(worker->key, client.family, client.bytes, sizeof client.bytes);

	return (unsigned)(hash % INBOUND_CLIENT_BUCKETS);
}

static bool is_same_client(const struct address *a, const struct address *b)
{
	const struct address client_a = address_client(a), client_b = address_client(b);

	return address_equal(&client_a, &client_b);
}

/* Makes room for a client of `bucket`: closes the quietest connection of the fullest bucket. False:
 * no bucket has at least two connections more than the newcomer's. */
static bool displace(struct inbound_worker *worker, unsigned bucket)
{
	const unsigned *counts = worker->shared->connections;
	struct connection *quietest = NULL;
	unsigned most = 0;

	for (unsigned i = 1; i < INBOUND_CLIENT_BUCKETS; i++)
		if (counts[i] > counts[most])
			most = i;
	if (counts[most] <= counts[bucket] + 1)
		return false;
	for (struct connection *at = worker->shared->clients[most]; at; at = at->next_of_client)
		if (!quietest || at->active_us < quietest->active_us)
			quietest = at;
	COUNTER_ADD(quietest->inbound->counters->tcp_displaced, 1);
	connection_close(quietest);
	return true;
}

static bool client_may_connect(struct inbound *inbound, unsigned bucket,
			       const struct address *client)
{
	struct inbound_worker *worker = inbound->worker;
	const struct tcp_settings *tcp = &worker->tcp;
	unsigned count = 0;

	for (struct connection *other = worker->shared->clients[bucket]; other;
	     other = other->next_of_client)
		count += is_same_client(&other->client, client);
	if (count >= tcp->connections_per_client_max)
		return false;
	if (worker->tcp_strangers >= (tcp->connections_max + STRANGERS - 1) / STRANGERS &&
	    !inbound_is_allowed(inbound, client))
		return false;
	return worker->tcp_connections < tcp->connections_max || displace(worker, bucket);
}

/* Without free descriptors the socket stays readable, so watching it would loop without effect. */
static void accept_pause(struct inbound *inbound)
{
	struct inbound_worker *worker = inbound->worker;
	uv_poll_stop(&inbound->tcp_poll);

	COUNTER_ADD(inbound->counters->watch_failed, 1);
	wheel_arm(worker->wheel, &inbound->tcp_again,
		  worker->now_us(worker->context) + INBOUND_AGAIN_US);
}

static void accept_all(struct inbound *inbound)
{
	for (unsigned i = 0; i < ACCEPTS; i++) {
		struct sockaddr_storage peer = {0};
		socklen_t length = sizeof peer;
		int fd = accept4(inbound->tcp, (struct sockaddr *)&peer, &length,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			    errno == ENOMEM)
				accept_pause(inbound);
			else if (errno == EINTR || errno == ECONNABORTED)
				continue;
			return;
		}
		struct host client;
		socket_host(&peer, &client);
		unsigned bucket = client_bucket(inbound->worker, &client.address);
		if (client_may_connect(inbound, bucket, &client.address)) {
			connection_open(inbound, bucket, fd, &client.address);
		} else {
			COUNTER_ADD(inbound->counters->tcp_refused, 1);
			close(fd);
		}
	}
}

static int inbound_tcp_watch(struct inbound *inbound);

static void on_acceptable(uv_poll_t *poll, int status, int events)
{
	(void)events;
	struct inbound *inbound = poll->data;
	if (status < 0) {
		inbound_clear_error(inbound->tcp);
		if (inbound_tcp_watch(inbound) < 0)
			return;
	}
	accept_all(inbound);
}

/* ---- life ---- */

static int inbound_tcp_watch(struct inbound *inbound)
{
	return inbound_watch(inbound, &inbound->tcp_poll, inbound->tcp, on_acceptable,
			     &inbound->tcp_again);
}

static void on_tcp_again(struct timer *timer, uint64_t now_us)
{
	(void)now_us;
	(void)inbound_tcp_watch(container_of(timer, struct inbound, tcp_again));
}

int inbound_tcp_start(struct inbound *inbound)
{
	timer_init(&inbound->tcp_again, on_tcp_again);
	return inbound_tcp_watch(inbound);
}

static void close_listening(struct inbound *inbound)
{
	if (inbound->tcp < 0)
		return;
	inbound_unwatch(inbound, &inbound->tcp_poll, &inbound->tcp_again);
	close(inbound->tcp);
	inbound->tcp = -1;
}

/* If the socket stayed open, the kernel would complete handshakes that nobody accepts, and
 * accepting only to refuse would delay the end. shutdown also works while a failed successor holds
 * the socket. */
void inbound_tcp_refuse(struct inbound *inbound)
{
	if (inbound->tcp >= 0)
		(void)shutdown(inbound->tcp, SHUT_RDWR); /* it is closed in any case */
	close_listening(inbound);
}

void inbound_tcp_stop(struct inbound *inbound)
{
	close_listening(inbound);
	if (inbound->connections)
		inbound_tcp_answer_gone(inbound->worker);
	while (inbound->connections) {
		stream_drop_unread(&inbound->connections->stream);
		connection_close(inbound->connections);
	}
}
