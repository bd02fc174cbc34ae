/* For tests: a worker's transfers, and clients of theirs, which are queries that write down what
 * comes. Time stands still until it is moved. */
#ifndef SLUICE_TESTS_TRANSFER_WORLD_H
#define SLUICE_TESTS_TRANSFER_WORLD_H

#include <stdio.h>

#include "resolver/stats.h"
#include "resolver/transfer/transfer.h"
#include "tests/lib/served_zones.h"

enum {
	TRANSFER_PTRS = 2000,      /* that TRANSFER_ZONE has */
	TRANSFER_WIDE_PTRS = 6000, /* that TRANSFER_WIDE has */
	TRANSFER_ROUND_US = 2000,
	TRANSFER_CLIENTS = 1024,
	TRANSFER_RECEIVED_MAX = 64, /* messages */
	TRANSFER_LARGE = 65280, /* the type of the record that fills a message, in large.test. */
};
#define TRANSFER_ZONE "100.51.in-addr.arpa."
#define TRANSFER_WIDE "61.in-addr.arpa."

struct transfer_client {
	struct transfer_world *world;
	struct query query;
	bool finished, gone;
	bool cut;            /* finished without a message */
	unsigned full_after; /* messages; then there is no room, until some is offered */
	bool waits;
	unsigned messages;
	size_t lengths[TRANSFER_RECEIVED_MAX];
	uint8_t *bytes[TRANSFER_RECEIVED_MAX];
};

struct transfer_world {
	struct served_zones served;
	struct prefix allow[2];       /* 192.0.2.0/24, 2001:db8::/32 */
	struct tsig_settings keys[2]; /* the second has the longest signature */
	struct policy_hold hold;
	struct wheel wheel;
	uint64_t now_us;
	struct stats stats;
	struct transfers transfers;
	uint8_t buffer[MESSAGE_MAX];
	struct transfer_client *clients[TRANSFER_CLIENTS];
	unsigned client_count;
	FILE *log;
	char logged[16384];
	int real_stderr;
};

int transfer_world_set_up(void **state);
int transfer_world_tear_down(void **state);
void transfer_world_pass(struct transfer_world *world, unsigned rounds);
/* What is served from now on: so many PTRs of 51.100.0.0 and on, or of 61.100.0.0, are others. */
void transfer_world_change(struct transfer_world *world, uint8_t first, unsigned count);
/* From here on the log is read by the test; and what it says by now. */
void transfer_world_capture(struct transfer_world *world);
const char *transfer_world_logged(struct transfer_world *world);

/* With a question that it has not asked yet; the second is at 192.0.2.1. */
struct transfer_client *transfer_client_at(struct transfer_world *world, const char *address,
					   const char *zone, uint16_t type, bool tcp);
struct transfer_client *transfer_client_new(struct transfer_world *world, const char *zone,
					    uint16_t type, bool tcp);
void transfer_client_start(struct transfer_client *client);
/* One that has asked for what has changed since that serial. */
struct transfer_client *transfer_client_ixfr(struct transfer_world *world, const char *zone,
					     uint32_t serial, bool tcp);
void transfer_client_offer_room(struct transfer_client *client);
/* Of the one message that it was answered with. */
unsigned transfer_client_rcode(const struct transfer_client *client);
/* How many records of the type it has got. */
unsigned transfer_client_records(const struct transfer_client *client, uint16_t type);

#endif
