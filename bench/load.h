/* A load that only the server limits: one thread, batched sends and receives, every answer checked.
 *
 *     closed loop   keeps a window of questions in flight, so that the server's core is busy
 *     paced         sends questions at a fixed rate, and records the latency
 *
 * The same process waits for the server, fills its cache and warms it up, over the same sockets.
 * Then counters start, and the server's run time is read at both ends.
 *
 * A lane is one socket (UDP) or connection (TCP) with its share of the window.
 *
 * Notes are a line for each question that was measured, written when its answer comes or it is
 * given up: when it was sent by the monotonic clock and how long it took, in nanoseconds, and what
 * the result was ("right", "lost", or why it was wrong). */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "bench/flight.h"
#include "bench/latency.h"
#include "bench/packets.h"
#include "bench/questions.h"
#include "bench/stream.h"
#include "bench/upstream.h"

enum { LANES_MAX = 64 };

struct load_setup {
	struct sockaddr_in server, upstream_address;
	struct questions_setup questions;
	bool tcp, has_upstream, naps;
	bool fill;                  /* ask every popular name once, before everything else */
	bool each_popular_once;     /* measure only that */
	uint32_t lanes, window;     /* window: of all lanes together */
	double wait, warm, seconds; /* wait: at most so long */
	double rate;                /* 0: closed loop */
	uint32_t server_pid;        /* 0: unknown, its run time is not read */
	uint32_t count;             /* questions; 0: as many as fit into `seconds` */
	uint32_t timeout_ms;        /* an answer later than this is lost */
	const char *notes;          /* file for a line about each question; NULL: none */
};

struct load_lane {
	int fd;
	struct bench_stream *stream; /* TCP */
	struct load_flight flight;
};

struct load_phase {
	double seconds;
	uint64_t count; /* 0: no limit but time */
	uint32_t timeout_ms;
	bool popular_once, noted;
};

struct load_counts {
	uint64_t sent, answered, lost, late;
	uint64_t withheld;    /* due, but no slot was free */
	uint64_t slipped;     /* never asked, because the load could not run for too long */
	uint64_t reconnected; /* TCP: the server closed a connection, whose open questions are lost
			       */
	uint64_t upstream;    /* answered as the upstream, when the phase began */
	uint64_t wire_bytes;  /* of answers */
	uint64_t checks[ANSWER_CHECKS];
	struct latency latency, lateness; /* lateness: how late the load itself sent */
};

struct load_run {
	struct load_setup setup;
	struct load_phase phase;
	struct load_counts counts; /* of the phase */
	FILE *notes;               /* NULL: none are written */
	struct questions *questions;
	bool exhausted; /* no more questions */
	uint64_t now_ns, start_ns;
	struct load_lane lanes[LANES_MAX];
	const struct transport *transport;
	struct packets packets;
	struct bench_upstream upstream;
};

/* How questions leave and answers come: UDP or TCP. */
struct transport {
	/* Opens the lane, or opens it again. False: nobody listens. */
	bool (*open)(struct load_run *load, struct load_lane *lane);
	/* Sends up to `count` questions; returns how many it has sent. */
	uint32_t (*send)(struct load_run *load, struct load_lane *lane, uint32_t count);
	void (*receive)(struct load_run *load, struct load_lane *lane);
};
extern const struct transport transport_udp, transport_tcp;

/* For transports: writes the next question into `packet` (room for a header and QUESTION_BYTES) and
 * returns its slot; NULL: there is no question or no free slot. */
struct flight_slot *load_ask(struct load_run *load, struct load_lane *lane, uint8_t *packet,
			     size_t *length);
/* Counts questions that were sent before on this lane as lost. */
void load_lose(struct load_run *load, struct load_lane *lane, uint64_t before_ns);
/* Counts, times and checks an answer. */
void load_judge(struct load_run *load, struct load_lane *lane, const uint8_t *packet,
		size_t length);

#endif
