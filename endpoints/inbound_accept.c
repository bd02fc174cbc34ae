/* Accepting TCP connections, within what is allowed in all and to one client (RFC 7766 section
 * 6.2.2). One too many is accepted and closed at once, so that its client knows and does not wait.
 *
 * Connections are found by client in a table of 256 buckets with a keyed hash; there is nothing to
 * allocate or to age, and a bucket is as long as its few clients' connections.
 *
 * Not here: what a connection does once it is there (inbound_tcp.c). */
#include "endpoints/inbound_tcp.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include "endpoints/socket.h"

enum {
	ACCEPTS = 64, /* in a row before other handles have their turn */
};

static struct connection **client_bucket(struct inbound_worker *worker,
					 const struct address *client)
{
	uint64_t hash = hash_bytes(worker->key, client->family, client->bytes, 16);
	return &worker->shared->clients[hash % INBOUND_CLIENT_BUCKETS];
}

static bool client_may_connect(struct inbound_worker *worker, const struct address *client)
{
	if (worker->tcp_connections >= worker->tcp.connections_max)
		return false;
	unsigned count = 0;
	for (struct connection *other = *client_bucket(worker, client); other;
	     other = other->next_of_client)
		count += address_equal(&other->client, client);
	return count < worker->tcp.connections_per_client_max;
}

/* Without descriptors the socket stays readable; looking again at once would only heat the room. */
static void accept_pause(struct inbound *inbound)
{
	struct inbound_worker *worker = inbound->worker;
	uv_poll_stop(&inbound->tcp_poll);
	worker->counters.watch_failed++;
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
		if (client_may_connect(inbound->worker, &client.address)) {
			connection_open(inbound, client_bucket(inbound->worker, &client.address),
					fd, &client.address);
		} else {
			inbound->worker->counters.tcp_refused++;
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
	(void)inbound_tcp_watch(
		(struct inbound *)((char *)timer - offsetof(struct inbound, tcp_again)));
}

int inbound_tcp_start(struct inbound *inbound)
{
	timer_init(&inbound->tcp_again, on_tcp_again);
	return inbound_tcp_watch(inbound);
}

void inbound_tcp_stop(struct inbound *inbound)
{
	inbound_unwatch(inbound, &inbound->tcp_poll, &inbound->tcp_again);
	close(inbound->tcp);
	inbound->tcp = -1;
	while (inbound->connections)
		connection_close(inbound->connections);
}
