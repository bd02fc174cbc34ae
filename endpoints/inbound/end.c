/* How a client's TCP connection ends: when
 *   - the client has closed its side, and all it asked is answered and written;
 *   - nothing has happened for the idle timeout. What happens is an accept, the first byte of a
 *     message, a whole message, a reply written; so a message that trickles in gets that time as a
 *     whole;
 *   - of what the kernel did not take at once, a round's replies at a time, nothing has wholly left
 *     for as long, whatever else happens: a client that reads a byte now and then is not reading;
 *   - a length is under 12, or the server leaves, or somebody else serves from now on;
 *   - whoever answers a question has nothing to say any more, and has perhaps said half;
 *   - its listener stops: what is under way gets SERVFAIL, as far as the kernel takes it at once.
 *
 * Where it is the server that ends what the client may still be using, every question that was read
 * is answered, and the client is told by the end of the stream. What it had sent by then and nobody
 * read it asks again, elsewhere or on a new connection (RFC 7766 section 6.2.4).
 *
 *     reads ─► ended ─ all is answered and written ─► lingers ─ the client ends, too, ─► closed
 *                                                               or LINGER_MS have passed
 *
 * One that is ended reads no more questions; one that lingers has said so by ending its side, and
 * reads into nothing. Closed with something unread, the kernel would send a reset, and that
 * destroys answers that are still on their way.
 *
 * A connection's memory stays until its last query is back. */
#include "endpoints/inbound/tcp.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
	LINGER_MS = 500,
	UNREAD_READS = 16, /* of UNREAD bytes, that a client has sent in vain */
	UNREAD = 4096,
};

/* ---- closing ---- */

void connection_free_when_done(struct connection *connection)
{
	if (!connection->closed || connection->unanswered > 0)
		return;
	assert(connection->writes == 0);
	free(connection->kept);
	free(connection);
}

static void on_closed(uv_handle_t *handle)
{
	struct connection *connection = handle->data;
	struct inbound *inbound = connection->inbound;
	connection->closed = true;
	if (!connection_offer_room(connection))
		connection_free_when_done(connection);
	inbound_handle_closed(inbound);
}

void connection_drop_unread(struct connection *connection)
{
	uint8_t unread[UNREAD];
	uv_os_fd_t fd;

	if (uv_fileno((uv_handle_t *)&connection->handle, &fd) != 0)
		return;
	for (unsigned i = 0; i < UNREAD_READS; i++)
		if (recv(fd, unread, sizeof unread, MSG_DONTWAIT) < (ssize_t)sizeof unread)
			return;
}

void connection_close(struct connection *connection)
{
	if (connection->closing)
		return;
	connection->closing = true;
	struct inbound_worker *worker = connection->inbound->worker;
	worker->counters.tcp_lost += connection->unanswered - connection->told +
				     connection->writes + connection_leave_outbox(connection);
	wheel_cancel(worker->wheel, &connection->idle);
	*connection->link = connection->next;
	if (connection->next)
		connection->next->link = connection->link;
	*connection->client_link = connection->next_of_client;
	if (connection->next_of_client)
		connection->next_of_client->client_link = connection->client_link;
	worker->tcp_connections--;
	worker->tcp_strangers -= connection->stranger;
	worker->shared->connections[connection->bucket]--;
	uv_close((uv_handle_t *)&connection->handle, on_closed);
}

/* When it is at its end unless something happens. */
static uint64_t connection_due_us(const struct connection *connection)
{
	if (connection->lingers)
		return connection->active_us + (uint64_t)LINGER_MS * 1000;
	uint64_t since_us = connection->writes > 0 ? connection->behind_us : connection->active_us;
	return since_us + (uint64_t)connection->inbound->worker->tcp.idle_timeout_ms * 1000;
}

/* ---- in good order ---- */

bool connection_linger(struct connection *connection)
{
	uv_os_fd_t fd;

	if (connection->client_ended || connection->lingers)
		return !connection->client_ended;
	connection->lingers = true;
	connection->filled = false;
	connection_drop_kept(connection);
	connection->active_us = connection_now(connection);
	wheel_arm(connection->inbound->worker->wheel, &connection->idle,
		  connection_due_us(connection));
	return uv_fileno((uv_handle_t *)&connection->handle, &fd) == 0 &&
	       shutdown(fd, SHUT_WR) == 0;
}

static void connection_end(struct connection *connection)
{
	connection->ended = true;
	connection_settle(connection);
}

/* ---- after a while ---- */

static void on_idle(struct timer *timer, uint64_t now_us)
{
	struct connection *connection =
		(struct connection *)((char *)timer - offsetof(struct connection, idle));
	struct inbound_worker *worker = connection->inbound->worker;
	if (connection->unanswered > 0 || connection->outbox)
		connection->active_us = now_us;
	uint64_t due_us = connection_due_us(connection);
	if (due_us > now_us) {
		wheel_arm(worker->wheel, timer, due_us);
		return;
	}
	if ((worker->drains || worker->leaves) && !connection->ended && connection->writes == 0) {
		connection_end(connection);
		return;
	}
	worker->counters.tcp_timeouts += !connection->lingers;
	connection_close(connection);
}

void connection_watch_idle(struct connection *connection)
{
	timer_init(&connection->idle, on_idle);
	wheel_arm(connection->inbound->worker->wheel, &connection->idle,
		  connection_due_us(connection));
}

/* ---- all of a listener ---- */

void inbound_tcp_hurry(struct inbound *inbound)
{
	for (struct connection *at = inbound->connections; at; at = at->next)
		wheel_arm(inbound->worker->wheel, &at->idle, connection_due_us(at));
}

void inbound_tcp_end(struct inbound *inbound)
{
	struct connection *next;

	inbound_tcp_hurry(inbound);
	for (struct connection *at = inbound->connections; at; at = next) {
		next = at->next;
		connection_end(at);
	}
}
