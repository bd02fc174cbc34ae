/* Sockets of the bench. All are on loopback: reading an address outside 127.0.0.0/8 fails, so no
 * program of the bench can load another machine. */
#ifndef BENCH_SOCKETS_H
#define BENCH_SOCKETS_H

#include <netinet/in.h>
#include <stdbool.h>

/* Reads "127.0.0.1:5300"; false: it is no address in 127.0.0.0/8 with a port. */
bool loopback_parse(const char *text, struct sockaddr_in *address);

/* All are non-blocking unless `blocking`; those of UDP have large buffers. If the system refuses,
 * they print a line and end the program, which cannot measure anything without its sockets. */
int udp_bind(const struct sockaddr_in *address, bool blocking);
int udp_connect(const struct sockaddr_in *address);
int udp_unconnected(void); /* bound to 127.0.0.1, any port */
int tcp_listen(const struct sockaddr_in *address);
int tcp_connect(const struct sockaddr_in *address); /* -1: nobody listens */
int tcp_accept(int listener);                       /* -1: nobody waits */

#endif
