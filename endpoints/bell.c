#include "endpoints/bell.h"

#include <assert.h>
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct bell *bell = poll->data;
	uint64_t rings;

	(void)status, (void)events;
	if (read(bell->fd, &rings, sizeof rings) == sizeof rings)
		bell->on_ring(bell->context);
}

int bell_open(struct bell *bell, uv_loop_t *loop, void (*on_ring)(void *context), void *context)
{
	*bell = (struct bell){.on_ring = on_ring, .context = context};
	bell->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (bell->fd < 0) {
		int err = -errno;

		*bell = (struct bell){0};
		return err;
	}
	bell->has_fd = true;
	int err = uv_poll_init(loop, &bell->poll, bell->fd);
	if (err) {
		bell_release(bell);
		*bell = (struct bell){0};
		return err;
	}
	bell->poll.data = bell;
	err = uv_poll_start(&bell->poll, UV_READABLE, on_poll);
	if (err) {
		bell_close(bell);
		bell_release(bell);
	}
	return err;
}

void bell_ring(struct bell *bell)
{
	uint64_t one = 1;
	ssize_t written;

	assert(bell->has_fd);
	do
		written = write(bell->fd, &one, sizeof one);
	while (written < 0 && errno == EINTR);
	assert(written == sizeof one || errno == EAGAIN); /* full: it rings already */
}

void bell_close(struct bell *bell)
{
	if (!bell->on_ring)
		return;
	bell->on_ring = NULL;
	uv_close((uv_handle_t *)&bell->poll, NULL);
}

void bell_release(struct bell *bell)
{
	if (bell->has_fd)
		close(bell->fd);
	bell->has_fd = false;
}
