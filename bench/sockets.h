/* Sockets of the bench. Everything it opens is on loopback: an address outside 127.0.0.0/8 is
 * refused when it is read, so no program of the bench can load a machine that is not this one. */
#ifndef BENCH_SOCKETS_H
#define BENCH_SOCKETS_H

#include <netinet/in.h>
#include <stdbool.h>

/* Reads "127.0.0.1:5300"; false for anything that is not an address in 127.0.0.0/8 with a port. */
bool loopback_parse(const char *text, struct sockaddr_in *address);

/* All are non-blocking unless `blocking`, with large buffers. They end the program, with a line,
 * when the system refuses: a bench without its sockets has nothing to measure. */
int udp_bind(const struct sockaddr_in *address, bool blocking);
int udp_connect(const struct sockaddr_in *address);
int udp_unconnected(void); /* bound to 127.0.0.1, any port */
int tcp_listen(const struct sockaddr_in *address);
int tcp_connect(const struct sockaddr_in *address); /* -1 when nobody listens */
int tcp_accept(int listener);                       /* -1 when there is nobody */

#endif
