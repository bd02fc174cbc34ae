/* How many segments with data a TCP socket has received: over loopback one for each write of its
 * peer that was not cut, as long as TCP_NODELAY is set there and the writes stay under 64 KiB. */
#ifndef SLUICE_TESTS_TCP_SEGMENTS_H
#define SLUICE_TESTS_TCP_SEGMENTS_H

unsigned tcp_segments(int fd);

#endif
