/* What the files of outbound share; nobody else includes this. flight->socket is a struct
 * outbound_port, or a struct outbound_peer where flight->tcp. */
#ifndef SLUICE_OUTBOUND_INTERNAL_H
#define SLUICE_OUTBOUND_INTERNAL_H

#include <netinet/in.h>

#include "endpoints/outbound/outbound.h"

enum {
	OUTBOUND_GATHER = 256, /* questions of a loop round, sent together */
	OUTBOUND_RECEIVE = 64, /* replies read together */
	OUTBOUND_FAILURES = 256,
	OUTBOUND_BUFFER = 65536 + 192, /* bytes; not a power of two: see outbound/udp.c */
};

/* What a loop round gathers, and room for what it reads. */
struct outbound_buffers {
	unsigned gathered, failures;
	struct flight *flights[OUTBOUND_GATHER]; /* NULL: forgotten before it was sent */
	struct outbound_port *ports[OUTBOUND_GATHER];
	struct sockaddr_storage peers[OUTBOUND_GATHER];
	struct iovec questions[OUTBOUND_GATHER];
	socklen_t peer_lengths[OUTBOUND_GATHER];
	uint8_t wires[OUTBOUND_GATHER][MESSAGE_QUERY_MAX];
	struct flight *failed[OUTBOUND_FAILURES]; /* NULL: forgotten meanwhile */
	enum target_error errors[OUTBOUND_FAILURES];
	struct mmsghdr headers[OUTBOUND_RECEIVE];
	struct mmsghdr lane_headers[OUTBOUND_RECEIVE]; /* without senders */
	struct iovec replies[OUTBOUND_RECEIVE];
	struct sockaddr_storage senders[OUTBOUND_RECEIVE];
	uint8_t *memory; /* OUTBOUND_RECEIVE times OUTBOUND_BUFFER */
};

/* ---- outbound/udp.c ---- */

struct outbound_buffers *outbound_buffers_new(void);
void outbound_buffers_free(struct outbound_buffers *buffers);
int outbound_udp_send(struct outbound *outbound, struct flight *flight, const uint8_t *wire,
		      size_t length, uint64_t now_us);
void outbound_udp_forget(struct outbound *outbound, struct flight *flight);
void outbound_udp_flush(struct outbound *outbound, uint64_t now_us);

/* ---- outbound/pool.c ---- */

void outbound_udp_retain(struct outbound *outbound, const struct address *sources, size_t count);
/* Pools above ports_max drain what is too much. */
void outbound_udp_trim(struct outbound *outbound);
void outbound_udp_release(struct outbound *outbound);

/* ---- outbound/tcp.c ---- */

int outbound_tcp_send(struct outbound *outbound, struct flight *flight, const uint8_t *wire,
		      size_t length);
void outbound_tcp_forget(struct flight *flight);
void outbound_tcp_flush(struct outbound *outbound, uint64_t now_us);
void outbound_tcp_retain(struct outbound *outbound, const struct address *sources, size_t count);
void outbound_tcp_release(struct outbound *outbound);

/* ---- outbound.c ---- */

/* Gives the flight another random id while one of that socket's has the same. */
void outbound_choose_id(struct outbound *outbound, struct flight *flight, void *socket);
bool outbound_names_source(const struct address *sources, size_t count,
			   const struct address *source);

#endif
