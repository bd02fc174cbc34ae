/* For tests: a worker's transfers, and their clients, which are queries that note the messages.
 * Only the test moves the clock. */
#ifndef SLUICE_TESTS_TRANSFER_WORLD_H
#define SLUICE_TESTS_TRANSFER_WORLD_H

#include <stdio.h>

#include "resolver/stats.h"
#include "resolver/transfer/transfer.h"
#include "tests/lib/served_zones.h"

enum {
	TRANSFER_PTRS = 2000,      /* in TRANSFER_ZONE */
	TRANSFER_WIDE_PTRS = 6000, /* in TRANSFER_WIDE */
	TRANSFER_ROUND_US = 2000,
	TRANSFER_CLIENTS = 1024,
	TRANSFER_RECEIVED_MAX = 64, /* messages */
	TRANSFER_LARGE = 65280, /* the type of the record that fills a message, in large.test. */
};
#define TRANSFER_ZONE  "100.51.in-addr.arpa."
#define TRANSFER_WIDE  "61.in-addr.arpa."
#define TRANSFER_LABEL "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
#define TRANSFER_LONG  TRANSFER_LABEL "." TRANSFER_LABEL "." TRANSFER_LABEL ".test."

struct transfer_client {
	struct transfer_world *world;
	struct query query;
	bool finished, gone;
	bool cut;            /* finished without a message */
	unsigned full_after; /* messages; then there is no room until the test offers some */
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
/* Changes the first `count` PTRs from 51.100.0.0 or 61.100.0.0 on, and serves them. */
void transfer_world_change(struct transfer_world *world, uint8_t first, unsigned count);
/* Captures the log for the test; returns the log so far. */
void transfer_world_capture(struct transfer_world *world);
const char *transfer_world_logged(struct transfer_world *world);

/* Make a client with a question that is not asked yet; transfer_client_new's is at 192.0.2.1. */
struct transfer_client *transfer_client_at(struct transfer_world *world, const char *address,
					   const char *zone, uint16_t type, bool tcp);
struct transfer_client *transfer_client_new(struct transfer_world *world, const char *zone,
					    uint16_t type, bool tcp);
void transfer_client_start(struct transfer_client *client);
/* Makes a client that has asked for the changes since this serial. */
struct transfer_client *transfer_client_ixfr(struct transfer_world *world, const char *zone,
					     uint32_t serial, bool tcp);
void transfer_client_offer_room(struct transfer_client *client);
/* The rcode of its only message. */
unsigned transfer_client_rcode(const struct transfer_client *client);
/* How many records of the type it got. */
unsigned transfer_client_records(const struct transfer_client *client, uint16_t type);

#endif
