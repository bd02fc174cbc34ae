/* Each source address has a socket; peers without a source share one per family, whose address the
 * system chooses. */
#include "resolver/control/service/secondary_sockets.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "endpoints/message.h"
#include "endpoints/socket.h"
#include "resolver/control/service/secondary.h"

struct secondary_socket {
	uv_udp_t handle;
	struct secondary_socket *next;
	struct secondary_sockets *all;
	struct address source; /* family 0: the system's choice */
	uint8_t family;
	uint8_t buffer[EXCHANGE_MAX];
};

struct secondary_sockets {
	uv_loop_t *loop;
	uv_timer_t timer;
	const struct transfer_table *(*table)(void *context);
	void *context;
	struct secondaries *secondaries;
	struct secondary_socket *sockets;
	bool resting;
};

/* ---- sockets ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct secondary_socket *socket = handle->data;

	(void)suggested;
	*buffer = uv_buf_init((char *)socket->buffer, sizeof socket->buffer);
}

static void on_received(uv_udp_t *handle, ssize_t count, const uv_buf_t *buffer,
			const struct sockaddr *from, unsigned flags);

static void on_socket_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static struct secondary_socket *open_socket(struct secondary_sockets *all,
					    const struct address *source, uint8_t family)
{
	struct secondary_socket *socket = calloc(1, sizeof *socket);
	struct host local = {*source, 0};
	struct sockaddr_storage address;

	if (!socket || uv_udp_init(all->loop, &socket->handle) != 0) {
		free(socket);
		return NULL;
	}
	socket->handle.data = socket;
	socket->all = all;
	socket->source = *source;
	socket->family = family;
	if (!source->family)
		local.address.family = family;
	socket_address(&local, &address);
	if (uv_udp_bind(&socket->handle, (struct sockaddr *)&address, 0) != 0 ||
	    uv_udp_recv_start(&socket->handle, on_alloc, on_received) != 0) {
		uv_close((uv_handle_t *)&socket->handle, on_socket_closed);
		return NULL;
	}
	socket->next = all->sockets;
	all->sockets = socket;
	return socket;
}

static struct secondary_socket *socket_for(struct secondary_sockets *all,
					   const struct exchange_message *message)
{
	struct secondary_socket *socket = all->sockets;

	while (socket && (socket->family != message->peer.address.family ||
			  !address_equal(&socket->source, &message->source)))
		socket = socket->next;
	return socket ? socket : open_socket(all, &message->source, message->peer.address.family);
}

static bool is_source(const struct transfer_table *table, const struct address *source)
{
	for (size_t i = 0; table && i < table->acl->grant_count; i++) {
		const struct transfer_settings *settings = table->acl->grants[i].settings;

		if (settings->notify.count > 0 && address_equal(&settings->source, source))
			return true;
	}
	return false;
}

static void close_unused(struct secondary_sockets *all, const struct transfer_table *table)
{
	struct secondary_socket **link = &all->sockets, *socket;

	while ((socket = *link)) {
		if (is_source(table, &socket->source)) {
			link = &socket->next;
			continue;
		}
		*link = socket->next;
		uv_close((uv_handle_t *)&socket->handle, on_socket_closed);
	}
}

/* ---- sending ---- */

/* A message that cannot be sent counts as lost on its way. */
static void on_message(void *context, const struct exchange_message *message)
{
	struct secondary_socket *socket = socket_for(context, message);
	uv_buf_t bytes = uv_buf_init((char *)(uintptr_t)message->bytes, (unsigned)message->length);
	struct sockaddr_storage to;

	socket_address(&message->peer, &to);
	if (socket)
		uv_udp_try_send(&socket->handle, &bytes, 1, (struct sockaddr *)&to);
}

static struct instant now_of(const struct secondary_sockets *all)
{
	return (struct instant){uv_now(all->loop), (uint64_t)time(NULL)};
}

static void on_timer(uv_timer_t *timer);

static void set_timer(struct secondary_sockets *all)
{
	uint64_t now_ms = uv_now(all->loop), next_ms = secondaries_next_ms(all->secondaries);

	if (all->resting || next_ms == UINT64_MAX)
		uv_timer_stop(&all->timer);
	else
		uv_timer_start(&all->timer, on_timer, next_ms > now_ms ? next_ms - now_ms : 1, 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct secondary_sockets *all = timer->data;

	secondaries_send(all->secondaries, all->table(all->context), now_of(all), on_message, all);
	set_timer(all);
}

static void on_received(uv_udp_t *handle, ssize_t count, const uv_buf_t *buffer,
			const struct sockaddr *from, unsigned flags)
{
	const struct secondary_socket *socket = handle->data;
	struct secondary_sockets *all = socket->all;
	struct sockaddr_storage address = {0};
	struct host peer;

	if (count < MESSAGE_HEADER || !from || (flags & UV_UDP_PARTIAL))
		return;
	memcpy(&address, from,
	       from->sa_family == AF_INET ? sizeof(struct sockaddr_in)
					  : sizeof(struct sockaddr_in6));
	socket_host(&address, &peer);
	if (!all->resting &&
	    secondaries_receive(all->secondaries, all->table(all->context), &peer,
				(const uint8_t *)buffer->base, (size_t)count, now_of(all)))
		set_timer(all);
}

/* ---- interface ---- */

struct secondary_sockets *secondary_sockets_new(
	uv_loop_t *loop, const struct transfer_table *(*table)(void *context), void *context)
{
	struct secondary_sockets *all = calloc(1, sizeof *all);

	if (all)
		all->secondaries = secondaries_new(uv_now(loop));
	if (!all || !all->secondaries || uv_timer_init(loop, &all->timer) != 0) {
		secondaries_free(all ? all->secondaries : NULL);
		free(all);
		return NULL;
	}
	all->timer.data = all;
	all->loop = loop;
	all->table = table;
	all->context = context;
	return all;
}

void secondary_sockets_look(struct secondary_sockets *all)
{
	if (!all || all->resting)
		return;
	const struct transfer_table *table = all->table(all->context);

	uv_update_time(all->loop);
	secondaries_follow(all->secondaries, table, now_of(all));
	close_unused(all, table);
	set_timer(all);
}

void secondary_sockets_rest(struct secondary_sockets *all)
{
	if (!all)
		return;
	all->resting = true;
	set_timer(all);
}

void secondary_sockets_report(const struct secondary_sockets *all, json_t *array)
{
	if (all)
		secondaries_report(all->secondaries, array);
}

void secondary_sockets_free(struct secondary_sockets *all)
{
	if (!all)
		return;
	secondaries_free(all->secondaries);
	while (all->sockets) {
		struct secondary_socket *socket = all->sockets;

		all->sockets = socket->next;
		free(socket);
	}
	free(all);
}
