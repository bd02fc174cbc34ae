/* An entry of the query log, made from a worker's record of an answered query. As JSON, one line:
 *
 *     time, client, port, network, endpoint (null: the VNet resolver), transport, name, type,
 *     class, rcode, ede (its number), text (that explains an error), decided_by ("admission": the
 *     query was refused before a decision; else as in `explain`), object, ruleset, answered_from
 *     (as in the metrics: latency.h), target, protocol, outbound_endpoint, hops, bytes,
 *     microseconds
 *
 * Every member is always there; unknown ones are null. */
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
	QUERY_PRIVATE_BITS_V4 = 24, /* with privacy: the bits kept of a client's address */
	QUERY_PRIVATE_BITS_V6 = 48,
};

struct query_entry {
	struct query_record *record; /* the entry's pointers live as long as the record */
	struct timespec arrived;     /* time of day */
	uint64_t took_us;            /* until the reply left */
	struct address client;       /* with privacy without its last bits */
	uint16_t port;               /* 0: not known, or hidden */
	uint16_t type, class;
	const char *network;         /* NULL: none */
	int rcode;                   /* -1: not answered */
	uint8_t name_length;         /* 0: the name could not be read */
	uint8_t name[NAME_WIRE_MAX]; /* as received */
};

/* clock_ns: how far the time of day is ahead of CLOCK_MONOTONIC. */
void query_entry_init(struct query_entry *entry, struct query_record *record, uint64_t left_us,
		      int64_t clock_ns);
/* What decided the query, in the words of `explain`, or "admission". */
const char *query_record_decider(const struct query_record *record);
/* Removes the last bits of the client's address, its port, and the cookies in the record's reply: a
 * client keeps its cookie as long as its address, so the cookie stands for the address. */
void query_entry_hide_client(struct query_entry *entry);
/* Writes JSON without a newline; returns its length. */
size_t query_entry_print(const struct query_entry *entry, char text[QUERY_ENTRY_TEXT_MAX]);
/* In words, for the log: "www.contoso.corp. A from 10.0.0.7 took 1.203 s: SERVFAIL, rule
 * office/contoso". Returns text. */
const char *query_entry_tell(const struct query_entry *entry, char *text, size_t size);

#endif
