/* Converts between struct host and the kernel's sockaddr, and opens sockets as every endpoint needs
 * them: non-blocking, closed on exec. Other options are up to the caller. */
#ifndef SLUICE_SOCKET_H
#define SLUICE_SOCKET_H

#include <sys/socket.h>

#include "rules/err.h"
#include "rules/prefix.h"

/* Fills *storage from host and returns the length that bind(2) and sendmsg(2) want; 0 when the host
 * has no address (family 0). */
socklen_t socket_address(const struct host *host, struct sockaddr_storage *storage);

/* Fills host from *storage; an IPv4-mapped IPv6 address becomes the IPv4 address (prefix.h). Family
 * 0 if *storage is neither IPv4 nor IPv6. */
void socket_host(const struct sockaddr_storage *storage, struct host *host);

/* Returns a descriptor for family 4 or 6 (with IPV6_V6ONLY), which the caller closes; or ERR_SYSTEM
 * with errno set. */
MUST_CHECK int socket_udp(int family);
MUST_CHECK int socket_tcp(int family);

/* Binds it to the host, even if no interface has that address yet (IP_FREEBIND): packets arrive as
 * soon as one has. ERR_SYSTEM with errno set. */
MUST_CHECK int socket_bind(int fd, const struct host *host);

/* Whether no interface has the address now; false if that cannot be found out, too. */
bool socket_address_is_missing(const struct address *address);

#endif
