/* Accepting TCP connections, within what is allowed in all and to one client (RFC 7766 section
 * 6.2.2). One too many is accepted and closed at once, so that its client knows and does not wait.
 *
 * Connections are found by client in a table of 256 buckets with a keyed hash; there is nothing to
 * allocate or to age, and a bucket is as long as its few clients' connections.
 *
 * Not here: what a connection does once it is there (inbound_tcp.c). */
#include "endpoints/inbound_internal.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include "endpoints/socket.h"

enum {
	ACCEPTS = 64,                 /* in a row before other handles have their turn */
	ACCEPT_PAUSE_US = 100 * 1000, /* without descriptors or memory */
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
	wheel_arm(worker->wheel, &inbound->accept_again,
		  worker->now_us(worker->context) + ACCEPT_PAUSE_US);
}

static void on_acceptable(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	struct inbound *inbound = poll->data;
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
					fd, &peer, &client.address);
		} else {
			inbound->worker->counters.tcp_refused++;
			close(fd);
		}
	}
}

static void on_accept_again(struct timer *timer, uint64_t now_us)
{
	(void)now_us;
	struct inbound *inbound =
		(struct inbound *)((char *)timer - offsetof(struct inbound, accept_again));
	if (uv_poll_start(&inbound->tcp_poll, UV_READABLE, on_acceptable) < 0)
		accept_pause(inbound);
}

/* ---- life ---- */

int inbound_tcp_start(struct inbound *inbound)
{
	timer_init(&inbound->accept_again, on_accept_again);
	if (uv_poll_init(inbound->worker->loop, &inbound->tcp_poll, inbound->tcp) < 0)
		return ERR_SYSTEM;
	inbound->tcp_poll.data = inbound;
	inbound->handles++;
	return uv_poll_start(&inbound->tcp_poll, UV_READABLE, on_acceptable) < 0 ? ERR_SYSTEM : 0;
}

static void on_poll_closed(uv_handle_t *handle)
{
	inbound_handle_closed(handle->data);
}

void inbound_tcp_stop(struct inbound *inbound)
{
	wheel_cancel(inbound->worker->wheel, &inbound->accept_again);
	if (inbound->tcp_poll.data)
		uv_close((uv_handle_t *)&inbound->tcp_poll, on_poll_closed);
	if (inbound->tcp >= 0)
		close(inbound->tcp);
	inbound->tcp = -1;
	while (inbound->connections)
		connection_close(inbound->connections);
}
