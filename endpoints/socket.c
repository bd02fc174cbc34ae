/* Converts between struct host and sockaddr, and opens non-blocking sockets. It deliberately sets
 * no options except IPV6_V6ONLY and IP_FREEBIND, because the sockets of listeners
 * (inbound/listener.h) and those to upstreams need different ones. */
#include "endpoints/socket.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

socklen_t socket_address(const struct host *host, struct sockaddr_storage *storage)
{
	memset(storage, 0, sizeof *storage);
	if (host->address.family == 4) {
		struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(host->port)};
		memcpy(&in.sin_addr, host->address.bytes, 4);
		memcpy(storage, &in, sizeof in);
		return sizeof in;
	}
	if (host->address.family == 6) {
		struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(host->port)};
		memcpy(&in6.sin6_addr, host->address.bytes, 16);
		memcpy(storage, &in6, sizeof in6);
		return sizeof in6;
	}
	return 0;
}

static void set_v4(struct host *host, const uint8_t *bytes, in_port_t port)
{
	host->address.family = 4;
	memcpy(host->address.bytes, bytes, 4);
	host->port = ntohs(port);
}

void socket_host(const struct sockaddr_storage *storage, struct host *host)
{
	memset(host, 0, sizeof *host);
	if (storage->ss_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, storage, sizeof in);
		set_v4(host, (const uint8_t *)&in.sin_addr, in.sin_port);
	} else if (storage->ss_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, storage, sizeof in6);
		if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
			set_v4(host, in6.sin6_addr.s6_addr + 12, in6.sin6_port);
			return;
		}
		host->address.family = 6;
		memcpy(host->address.bytes, &in6.sin6_addr, 16);
		host->port = ntohs(in6.sin6_port);
	}
}

static int socket_open(int family, int type)
{
	assert(family == 4 || family == 6);
	int fd = socket(family == 4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ERR_SYSTEM;
	int on = 1;
	if (family == 6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0) {
		int saved = errno;
		close(fd);
		errno = saved;
		return ERR_SYSTEM;
	}
	return fd;
}

int socket_udp(int family)
{
	return socket_open(family, SOCK_DGRAM);
}

int socket_tcp(int family)
{
	return socket_open(family, SOCK_STREAM);
}

int socket_bind(int fd, const struct host *host)
{
	const int on = 1;
	bool v4 = host->address.family == 4;
	struct sockaddr_storage storage;
	socklen_t length = socket_address(host, &storage);

	if (setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_FREEBIND : IPV6_FREEBIND, &on,
		       sizeof on) < 0)
		return ERR_SYSTEM;
	return bind(fd, (struct sockaddr *)&storage, length) == 0 ? 0 : ERR_SYSTEM;
}

bool socket_address_is_missing(const struct address *address)
{
	const struct host host = {.address = *address};
	struct sockaddr_storage storage;
	socklen_t length = socket_address(&host, &storage);
	int fd = length > 0 ? socket_udp(address->family) : -1;

	if (fd < 0)
		return false;
	bool lost = bind(fd, (struct sockaddr *)&storage, length) < 0 && errno == EADDRNOTAVAIL;
	close(fd);
	return lost;
}
