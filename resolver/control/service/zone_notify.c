/* Each source has a socket of its own; one of each family is for peers without a source, where the
 * system chooses it. */
#include "resolver/control/service/zone_notify.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "endpoints/message.h"
#include "endpoints/socket.h"
#include "resolver/control/service/zone_notice.h"

struct notify_socket {
	uv_udp_t handle;
	struct notify_socket *next;
	struct zone_notify *notify;
	struct address source; /* family 0: the system's choice */
	uint8_t family;
	uint8_t buffer[NOTICE_MAX];
};

struct zone_notify {
	uv_loop_t *loop;
	uv_timer_t timer;
	const struct transfer_table *(*table)(void *context);
	void *context;
	struct zone_notices *notices;
	struct notify_socket *sockets;
};

/* ---- sockets ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct notify_socket *socket = handle->data;

	(void)suggested;
	*buffer = uv_buf_init((char *)socket->buffer, sizeof socket->buffer);
}

static void on_received(uv_udp_t *handle, ssize_t count, const uv_buf_t *buffer,
			const struct sockaddr *from, unsigned flags);

static void on_socket_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static struct notify_socket *open_socket(struct zone_notify *notify, const struct address *source,
					 uint8_t family)
{
	struct notify_socket *socket = calloc(1, sizeof *socket);
	struct host local = {*source, 0};
	struct sockaddr_storage address;

	if (!socket || uv_udp_init(notify->loop, &socket->handle) != 0) {
		free(socket);
		return NULL;
	}
	socket->handle.data = socket;
	socket->notify = notify;
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
	socket->next = notify->sockets;
	notify->sockets = socket;
	return socket;
}

static struct notify_socket *socket_for(struct zone_notify *notify,
					const struct notify_message *message)
{
	struct notify_socket *socket = notify->sockets;

	while (socket && (socket->family != message->peer.address.family ||
			  !address_equal(&socket->source, &message->source)))
		socket = socket->next;
	return socket ? socket
		      : open_socket(notify, &message->source, message->peer.address.family);
}

/* ---- sending ---- */

/* What cannot be sent counts as lost on its way. */
static void on_message(void *context, const struct notify_message *message)
{
	struct notify_socket *socket = socket_for(context, message);
	uv_buf_t bytes = uv_buf_init((char *)(uintptr_t)message->bytes, (unsigned)message->length);
	struct sockaddr_storage to;

	socket_address(&message->peer, &to);
	if (socket)
		uv_udp_try_send(&socket->handle, &bytes, 1, (struct sockaddr *)&to);
}

static void on_timer(uv_timer_t *timer)
{
	struct zone_notify *notify = timer->data;
	uint64_t now_ms = uv_now(notify->loop);
	uint64_t next_ms = zone_notices_send(notify->notices, notify->table(notify->context),
					     now_ms, (uint64_t)time(NULL), on_message, notify);

	if (next_ms != UINT64_MAX)
		uv_timer_start(timer, on_timer, next_ms - now_ms, 0);
}

static void on_received(uv_udp_t *handle, ssize_t count, const uv_buf_t *buffer,
			const struct sockaddr *from, unsigned flags)
{
	struct notify_socket *socket = handle->data;
	struct sockaddr_storage address = {0};
	struct host peer;

	if (count < MESSAGE_HEADER || !from || (flags & UV_UDP_PARTIAL))
		return;
	memcpy(&address, from,
	       from->sa_family == AF_INET ? sizeof(struct sockaddr_in)
					  : sizeof(struct sockaddr_in6));
	socket_host(&address, &peer);
	(void)zone_notices_receive(socket->notify->notices, &peer, (const uint8_t *)buffer->base,
				   (size_t)count, (uint64_t)time(NULL));
}

/* ---- the interface ---- */

struct zone_notify *zone_notify_new(uv_loop_t *loop,
				    const struct transfer_table *(*table)(void *context),
				    void *context)
{
	struct zone_notify *notify = calloc(1, sizeof *notify);

	if (notify)
		notify->notices = zone_notices_new();
	if (!notify || !notify->notices || uv_timer_init(loop, &notify->timer) != 0) {
		zone_notices_free(notify ? notify->notices : NULL);
		free(notify);
		return NULL;
	}
	notify->timer.data = notify;
	notify->loop = loop;
	notify->table = table;
	notify->context = context;
	return notify;
}

/* The timer is set for what is due soonest; a change may be due before that. */
void zone_notify_look(struct zone_notify *notify)
{
	if (!notify)
		return;
	uv_update_time(notify->loop);
	zone_notices_follow(notify->notices, notify->table(notify->context), uv_now(notify->loop),
			    (uint64_t)time(NULL));
	if (!zone_notices_wait(notify->notices))
		return;
	if (!uv_is_active((uv_handle_t *)&notify->timer) ||
	    uv_timer_get_due_in(&notify->timer) > NOTICE_LOOK_MS)
		uv_timer_start(&notify->timer, on_timer, NOTICE_LOOK_MS, 0);
}

void zone_notify_report(const struct zone_notify *notify, json_t *array)
{
	if (notify)
		zone_notices_report(notify->notices, array);
}

void zone_notify_free(struct zone_notify *notify)
{
	if (!notify)
		return;
	zone_notices_free(notify->notices);
	while (notify->sockets) {
		struct notify_socket *socket = notify->sockets;

		notify->sockets = socket->next;
		free(socket);
	}
	free(notify);
}
