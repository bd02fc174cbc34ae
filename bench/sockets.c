/* Opens sockets. Tries SO_RCVBUFFORCE (root) first, because the usual maximum of net.core.rmem_max
 * holds fewer packets than a large window of questions, and a lost packet would be counted against
 * the server. */
#include "bench/sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_BYTES = 4 << 20, BACKLOG = 128 };

static void die(const char *what)
{
	perror(what);
	exit(1);
}

bool loopback_parse(const char *text, struct sockaddr_in *address)
{
	const char *colon = strrchr(text, ':');
	char host[INET_ADDRSTRLEN];
	char *end = NULL;
	if (!colon || (size_t)(colon - text) >= sizeof host)
		return false;
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	unsigned long port = strtoul(colon + 1, &end, 10);
	if (end == colon + 1 || *end || port < 1 || port > 65535)
		return false;
	*address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	return inet_pton(AF_INET, host, &address->sin_addr) == 1 &&
	       ntohl(address->sin_addr.s_addr) >> 24 == 127;
}

static void enlarge(int fd)
{
	int size = BUFFER_BYTES;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

static int open_socket(int type)
{
	int one = 1;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("bench: socket");
	if ((type & ~SOCK_NONBLOCK) == SOCK_DGRAM) {
		/* No SO_REUSEADDR: the kernel may give two such sockets the same port, and the
		 * second would get the first one's answers. */
		enlarge(fd);
	} else {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	}
	return fd;
}

int udp_bind(const struct sockaddr_in *address, bool blocking)
{
	int fd = open_socket(SOCK_DGRAM | (blocking ? 0 : SOCK_NONBLOCK));
	if (bind(fd, (const struct sockaddr *)address, sizeof *address))
		die("bench: bind");
	return fd;
}

int udp_connect(const struct sockaddr_in *address)
{
	int fd = open_socket(SOCK_DGRAM | SOCK_NONBLOCK);
	if (connect(fd, (const struct sockaddr *)address, sizeof *address))
		die("bench: connect");
	return fd;
}

int udp_unconnected(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	return udp_bind(&any, false);
}

int tcp_listen(const struct sockaddr_in *address)
{
	int fd = open_socket(SOCK_STREAM | SOCK_NONBLOCK);
	if (bind(fd, (const struct sockaddr *)address, sizeof *address) || listen(fd, BACKLOG))
		die("bench: listen");
	return fd;
}

int tcp_connect(const struct sockaddr_in *address)
{
	/* Connected while blocking, so that success is known here. */
	int fd = open_socket(SOCK_STREAM);
	if (connect(fd, (const struct sockaddr *)address, sizeof *address)) {
		close(fd);
		return -1;
	}
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK))
		die("bench: fcntl");
	return fd;
}

int tcp_accept(int listener)
{
	int one = 1;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}
