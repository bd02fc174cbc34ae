/* A separate file, because the kernel's header and the C library's, which libuv includes, exclude
 * each other, and only the kernel's has the counter. */
#include "tests/lib/tcp_segments.h"

#include <assert.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

unsigned tcp_segments(int fd)
{
	struct tcp_info info = {0};
	socklen_t length = sizeof info;
	int err = getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length);

	assert(err == 0);
	(void)err;
	return info.tcpi_data_segs_in;
}
