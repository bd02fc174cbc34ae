/* Sends questions to targets. Each worker has, for each source address, a pool of unconnected UDP
 * sockets on random ports that all targets share, and TCP connections that are reused and
 * pipelined. It carries bytes for lookup.h and does not know policies.
 *
 * A pool has up to OUTBOUND_PORTS sockets on ports from the kernel's ephemeral range. Each target
 * of a batch gets a few of them at random, so that the ports that one target sees do not reveal
 * those of another's questions. Now and then a fresh port takes the place of an old one, which is
 * closed once its flights are over. A busy target gets ports of its own that are connected to it.
 * IP_RECVERR reports ICMP errors at once. */
#ifndef SLUICE_OUTBOUND_H
#define SLUICE_OUTBOUND_H

#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "endpoints/entropy.h"
#include "endpoints/upstream/lookup.h"

enum {
	OUTBOUND_PORTS = 1024,    /* sockets of a source; fewer where RLIMIT_NOFILE is low */
	OUTBOUND_PORTS_BATCH = 4, /* for each target of a batch */
	OUTBOUND_HANDS = 16,      /* targets of a batch; others draw a port for each question */
	OUTBOUND_LANES = 2,       /* for each worker; a port of a lane has two sockets */
	OUTBOUND_LANE_QUESTIONS = 1000, /* to one target in one second: it gets a lane */
	OUTBOUND_TCP_IDLE_US = 10 * 1000 * 1000,
	OUTBOUND_TCP_CONNECT_US = 800 * 1000,
};

#define OUTBOUND_COUNTER_MAP(X)                                                                    \
	X(udp_sent, "packets sent to targets by UDP")                                              \
	X(udp_received, "packets received from targets by UDP")                                    \
	X(tcp_sent, "questions given to connections to targets")                                   \
	X(tcp_received, "messages received from targets by TCP")                                   \
	X(tcp_connects, "connections to targets begun")                                            \
	X(send_failed, "packets to targets that the kernel refused to send")                       \
	X(unreachable, "packets to targets that an ICMP error came back for")                      \
	X(ports_opened, "source ports opened")                                                     \
	X(ports_renewed, "source ports replaced by fresh ones")                                    \
	X(ports_refused, "source ports that could not be opened")                                  \
	X(lanes_opened, "times that a worker gave a target ports of its own")

struct outbound_counters {
#define X(name, text) uint64_t name;
	OUTBOUND_COUNTER_MAP(X)
#undef X
};

enum { OUTBOUND_CANDIDATES = 8 }; /* targets counted at a time */
enum outbound_lanes { LANES_UNTRIED, LANES_WORK, LANES_FAIL };

/* The most asked targets of this second. */
struct outbound_traffic {
	struct {
		struct address source;
		struct host host;
		unsigned questions;
	} targets[OUTBOUND_CANDIDATES];
	uint64_t since_us;
	bool tried; /* lanes were tried in this second */
};

struct outbound_pool;
struct outbound_peer;
struct outbound_buffers;
struct question;

struct outbound {
	uv_loop_t *loop;
	struct wheel *wheel;
	struct entropy *entropy;
	struct lookups *lookups;
	uint64_t (*now_us)(void *context);
	void *context;
	unsigned ports_max;      /* per source and family, and per lane; 1 to OUTBOUND_PORTS */
	unsigned lanes_max;      /* up to OUTBOUND_LANES */
	unsigned descriptor_max; /* no higher descriptor: leaves room for clients' connections */
	/* Tells how many bytes were read by TCP and handled; may be NULL. */
	void (*on_tcp_read)(void *reader, size_t bytes);
	void *reader;
	unsigned connection_count;
	struct outbound_pool *pools;
	LIST_HEAD(outbound_peer_list, outbound_peer) peers; /* of TCP */
	TAILQ_HEAD(outbound_peer_queue, outbound_peer)
	gathered;               /* peers that the next flush handles */
	struct question *spare; /* for reuse by peers */
	unsigned spare_count;
	struct outbound_buffers *buffers;
	struct outbound_traffic traffic;
	unsigned lane_questions; /* OUTBOUND_LANE_QUESTIONS, or what a test wants */
	enum outbound_lanes lanes;
	struct outbound_counters counters;
};

MUST_CHECK int outbound_init(struct outbound *outbound, uv_loop_t *loop, struct wheel *wheel,
			     struct entropy *entropy, struct lookups *lookups, unsigned ports_max,
			     uint64_t (*now_us)(void *), void *context);
/* Starts closing everything; the loop's last close callbacks free the memory. Release the table of
 * lookups first, because its flights point to sockets. */
void outbound_release(struct outbound *outbound);

/* For lookups.send and .forget; `outbound` is the struct outbound. ERR_SYSTEM: the source cannot be
 * used. ERR_NOMEM: there is no memory, descriptor or port. By UDP the next try to open a port is a
 * second later. */
int outbound_send(void *outbound, struct flight *flight, const uint8_t *wire, size_t length,
		  uint64_t now_us);
void outbound_forget(void *outbound, struct flight *flight);

/* Sends the gathered questions; called at the end of every loop round. */
void outbound_flush(struct outbound *outbound);
/* `sources` are those that policies name now: pools and connections of all others close once
 * drained. */
void outbound_retain(struct outbound *outbound, const struct address *sources, size_t count);
/* Sets ports_max (1 to OUTBOUND_PORTS) and lanes_max: pools grow, or close surplus ports once
 * drained. */
void outbound_limit_ports(struct outbound *outbound, unsigned ports_max, unsigned lanes_max);

/* For outbound's own files: whether `source` is one of them. */
bool outbound_names_source(const struct address *sources, size_t count,
			   const struct address *source);

#endif
