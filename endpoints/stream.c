#include "endpoints/stream.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "endpoints/socket.h"
#include "rules/base.h"

enum {
	UNREAD_READS = 16, /* reads of UNREAD bytes that are discarded before a close */
	UNREAD = 4096,
};

struct kept_write {
	uv_write_t request;
	struct stream *stream;
	unsigned tag;
	char bytes[];
};

static struct stream *stream_of(void *tcp)
{
	return container_of(tcp, struct stream, tcp);
}

/* ---- beginning ---- */

int stream_init(struct stream *stream, uv_loop_t *loop, unsigned family,
		const struct stream_calls *calls)
{
	stream->calls = calls;
	stream->filled = false;
	return uv_tcp_init_ex(loop, &stream->tcp, family) == 0 ? 0 : ERR_SYSTEM;
}

int stream_take(struct stream *stream, int fd)
{
	if (uv_tcp_open(&stream->tcp, fd) != 0)
		return ERR_SYSTEM;
	uv_tcp_nodelay(&stream->tcp, 1);
	return 0;
}

static void on_connect(uv_connect_t *connect, int status)
{
	struct stream *stream = stream_of(connect->handle);

	if (!uv_is_closing((uv_handle_t *)&stream->tcp))
		stream->calls->on_open(stream, status == 0);
}

int stream_dial(struct stream *stream, uv_connect_t *connect, const struct address *source,
		const struct host *host)
{
	const struct host from = {.address = *source};
	struct sockaddr_storage storage;

	if (source->family != 0) {
		socket_address(&from, &storage);
		if (uv_tcp_bind(&stream->tcp, (struct sockaddr *)&storage, 0) != 0)
			return ERR_INVALID;
	}
	socket_address(host, &storage);
	uv_tcp_nodelay(&stream->tcp, 1);
	return uv_tcp_connect(connect, &stream->tcp, (struct sockaddr *)&storage, on_connect) == 0
		       ? 0
		       : ERR_SYSTEM;
}

/* ---- reading ---- */

/* Gives no buffer after a read that filled its room, so that libuv stops and other handles have
 * their turn. */
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct stream *stream = stream_of(handle);
	size_t size = 0;

	(void)suggested;
	*buffer = uv_buf_init(NULL, 0);
	if (stream->filled)
		return;
	uint8_t *room = stream->calls->on_room(stream, &size);
	*buffer = uv_buf_init((char *)room, (unsigned)size);
}

static void on_read(uv_stream_t *handle, ssize_t count, const uv_buf_t *buffer)
{
	struct stream *stream = stream_of(handle);

	if (count == UV_ENOBUFS) { /* on_alloc gave no buffer */
		stream->filled = false;
	} else if (count > 0) {
		stream->filled = (size_t)count == buffer->len;
		stream->calls->on_bytes(stream, (size_t)count);
	} else if (count < 0) {
		stream->calls->on_end(stream, count != UV_EOF);
	}
}

int stream_read(struct stream *stream)
{
	return uv_read_start((uv_stream_t *)&stream->tcp, on_alloc, on_read) == 0 ? 0 : ERR_SYSTEM;
}

void stream_pause(struct stream *stream)
{
	uv_read_stop((uv_stream_t *)&stream->tcp);
}

void stream_drop_unread(struct stream *stream)
{
	uint8_t unread[UNREAD];
	uv_os_fd_t fd;

	if (uv_fileno((uv_handle_t *)&stream->tcp, &fd) != 0)
		return;
	for (unsigned i = 0; i < UNREAD_READS; i++)
		if (recv(fd, unread, sizeof unread, MSG_DONTWAIT) < (ssize_t)sizeof unread)
			return;
}

void stream_acknowledge(struct stream *stream)
{
	uv_os_fd_t fd;
	int on = 1;

	if (uv_fileno((uv_handle_t *)&stream->tcp, &fd) == 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

/* ---- writing ---- */

ssize_t stream_write(struct stream *stream, const uv_buf_t *parts, unsigned count)
{
	int done = uv_try_write((uv_stream_t *)&stream->tcp, parts, count);

	return done == UV_EAGAIN ? 0 : done < 0 ? -1 : done;
}

static void on_write(uv_write_t *request, int status)
{
	struct kept_write *kept = container_of(request, struct kept_write, request);
	struct stream *stream = kept->stream;
	unsigned tag = kept->tag;

	free(kept);
	stream->calls->on_written(stream, tag, status == 0);
}

int stream_keep(struct stream *stream, const uv_buf_t *parts, unsigned count, size_t taken,
		unsigned tag)
{
	struct kept_write *kept;
	size_t total = 0;

	for (unsigned i = 0; i < count; i++)
		total += parts[i].len;
	kept = malloc(sizeof *kept + total - taken);
	if (!kept)
		return ERR_NOMEM;
	kept->stream = stream;
	kept->tag = tag;
	uv_buf_t rest = uv_buf_init(kept->bytes, 0);
	for (unsigned i = 0; i < count; i++) {
		size_t skip = taken < parts[i].len ? taken : parts[i].len;
		size_t length = parts[i].len - skip;

		memcpy(rest.base + rest.len, parts[i].base + skip, length);
		rest.len += length;
		taken -= skip;
	}
	if (uv_write(&kept->request, (uv_stream_t *)&stream->tcp, &rest, 1, on_write) == 0)
		return 0;
	free(kept);
	return ERR_SYSTEM;
}

size_t stream_unsent(const struct stream *stream)
{
	return uv_stream_get_write_queue_size((const uv_stream_t *)&stream->tcp);
}

/* ---- ending ---- */

int stream_end(struct stream *stream)
{
	uv_os_fd_t fd;

	return uv_fileno((uv_handle_t *)&stream->tcp, &fd) == 0 && shutdown(fd, SHUT_WR) == 0
		       ? 0
		       : ERR_SYSTEM;
}

static void on_close(uv_handle_t *handle)
{
	struct stream *stream = stream_of(handle);

	stream->calls->on_closed(stream);
}

void stream_close(struct stream *stream)
{
	uv_close((uv_handle_t *)&stream->tcp, on_close);
}
