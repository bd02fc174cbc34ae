/* Between struct host and the kernel's sockaddr, and sockets the way every endpoint wants them:
 * non-blocking, closed on exec. No policy: binding and options are the caller's. */
#ifndef SLUICE_SOCKET_H
#define SLUICE_SOCKET_H

#include <sys/socket.h>

#include "rules/err.h"
#include "rules/prefix.h"

/* Fills *storage from host and returns the length that bind(2) and sendmsg(2) want; 0 when the host
 * has no address (family 0). */
socklen_t socket_address(const struct host *host, struct sockaddr_storage *storage);

/* The way back; an IPv4-mapped IPv6 address becomes the IPv4 address (prefix.h). Family 0 when
 * *storage is neither IPv4 nor IPv6. */
void socket_host(const struct sockaddr_storage *storage, struct host *host);

/* A descriptor of family 4 or 6, an IPv6 one for IPv6 alone (IPV6_V6ONLY). The caller closes it.
 * ERR_SYSTEM with errno set otherwise. */
MUST_CHECK int socket_udp(int family);
MUST_CHECK int socket_tcp(int family);

/* Binds it to the host, also when no interface has that address yet (IP_FREEBIND): what is sent
 * there arrives from the moment that one has. ERR_SYSTEM with errno set otherwise. */
MUST_CHECK int socket_bind(int fd, const struct host *host);

/* Whether no interface has the address now; false also when that cannot be found out. */
bool socket_address_is_missing(const struct address *address);

#endif
