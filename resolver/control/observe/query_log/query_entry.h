/* An answered query as the query log shows it, made of a worker's record. As JSON, one line:
 *
 *     time, client, port, network, endpoint (null: the VNet resolver), transport, name, type,
 * class, rcode, ede (its number), text (what explains an error), decided_by ("admission": it was
 * turned away; else as `explain` has it), object, ruleset, answered_from (as the metrics have it:
 * latency.h), target, protocol, outbound_endpoint, hops, bytes, microseconds
 *
 * What is not there is null, and every member always is. */
#ifndef SLUICE_QUERY_ENTRY_H
#define SLUICE_QUERY_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "resolver/query_ring.h"
#include "rules/prefix.h"

enum {
	QUERY_ENTRY_TEXT_MAX = 8192,
	QUERY_PRIVATE_BITS_V4 = 24, /* of clients, with privacy */
	QUERY_PRIVATE_BITS_V6 = 48,
};

struct query_entry {
	const struct query_record *record; /* its pointers live as long as it */
	struct timespec arrived;           /* time of day */
	uint64_t took_us;                  /* until the reply left */
	struct address client;             /* without its last bits, with privacy */
	uint16_t port;                     /* 0: not known, or not told */
	uint16_t type, class;
	const char *network;         /* NULL: none */
	int rcode;                   /* -1: it was not answered */
	uint8_t name_length;         /* 0: it could not be read */
	uint8_t name[NAME_WIRE_MAX]; /* as it came */
};

/* clock_ns: what the time of day is ahead of CLOCK_MONOTONIC. */
void query_entry_init(struct query_entry *entry, const struct query_record *record,
		      uint64_t left_us, int64_t clock_ns);
/* As `explain` has it, or "admission": it was turned away. */
const char *query_record_decider(const struct query_record *record);
/* The client without what tells it from its neighbours. */
void query_entry_hide_client(struct query_entry *entry);
/* As JSON without a newline; returns its length. */
size_t query_entry_print(const struct query_entry *entry, char text[QUERY_ENTRY_TEXT_MAX]);
/* In words, for the log: "www.contoso.corp. A from 10.0.0.7 took 1.203 s: SERVFAIL, rule
 * office/contoso". Returns text. */
const char *query_entry_tell(const struct query_entry *entry, char *text, size_t size);

#endif
