/* The upstream of the server under test: answers every question at once, by UDP and TCP. It runs in
 * the load's thread, so that two processor cores are enough: one for the server under test, one for
 * the rest. */
#ifndef BENCH_UPSTREAM_H
#define BENCH_UPSTREAM_H

#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>

#include "bench/packets.h"
#include "bench/stream.h"

enum { UPSTREAM_CONNECTIONS_MAX = 64 };

struct bench_upstream {
	int udp, listener;
	unsigned connections;
	uint64_t answered;
	struct bench_stream *streams[UPSTREAM_CONNECTIONS_MAX];
	struct packets packets;
};

/* Listens by UDP and TCP. */
void upstream_open(struct bench_upstream *upstream, const struct sockaddr_in *address);
void upstream_close(struct bench_upstream *upstream);
/* Answers waiting questions; never blocks. */
void upstream_serve(struct bench_upstream *upstream);
/* Writes the descriptors to sleep on, at most `room`; returns how many. */
unsigned upstream_polls(const struct bench_upstream *upstream, struct pollfd *polls, unsigned room);

#endif
