/* The server behind the server under test: answers everything, by UDP and TCP, at once. It lives in
 * the load's process and thread, so that two processor cores are enough: one for the server under
 * test, one for everything else. */
#ifndef BENCH_UPSTREAM_H
#define BENCH_UPSTREAM_H

#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>

#include "bench/packets.h"
#include "bench/stream.h"

enum { UPSTREAM_CONNECTIONS_MAX = 64 };

struct bench_upstream {
	int udp, listener; /* -1: not used */
	unsigned connections;
	uint64_t answered;
	struct bench_stream *streams[UPSTREAM_CONNECTIONS_MAX];
	struct packets packets;
};

/* Listens for both. */
void upstream_open(struct bench_upstream *upstream, const struct sockaddr_in *address);
void upstream_close(struct bench_upstream *upstream);
/* Answers what is there; never waits. */
void upstream_serve(struct bench_upstream *upstream);
/* The descriptors to sleep on; how many of `room`. */
unsigned upstream_polls(const struct bench_upstream *upstream, struct pollfd *polls, unsigned room);

#endif
