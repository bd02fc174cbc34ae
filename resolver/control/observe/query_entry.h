/* An answered query as the query log shows it, made of a worker's record, and the filters that say
 * which are shown. As JSON, one line:
 *
 *     time, client, port, network, endpoint (null: the VNet resolver), transport, name, type,
 * class, rcode, ede (its number), text (what explains an error), decided_by ("admission": it was
 * turned away; else as `explain` has it), object, ruleset, answered_from ("own" data, "cache",
 * "stale", "target", "nobody"), target, protocol, outbound_endpoint, hops, bytes, microseconds
 *
 * What is not there is null, and every member always is. */
#ifndef SLUICE_QUERY_ENTRY_H
#define SLUICE_QUERY_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "resolver/query_ring.h"
#include "rules/err.h"
#include "rules/prefix.h"
#include "rules/schema/model.h"

enum {
	QUERY_ENTRY_TEXT_MAX = 8192,
	QUERY_PRIVATE_BITS_V4 = 24, /* of clients, with privacy */
	QUERY_PRIVATE_BITS_V6 = 48,
	QUERY_FILTER_ERROR_MAX = 512,
	QUERY_RCODES = 4096,
};

/* Where an answer is from. NOBODY: it is an error. */
enum query_source {
	QUERY_SOURCE_NOBODY,
	QUERY_SOURCE_OWN,
	QUERY_SOURCE_CACHE,
	QUERY_SOURCE_STALE,
	QUERY_SOURCE_TARGET,
};

struct query_entry {
	const struct query_record *record; /* its pointers live as long as it */
	struct timespec arrived;           /* time of day */
	uint64_t took_us;                  /* until the reply left */
	struct address client;             /* without its last bits, with privacy */
	uint16_t port;                     /* 0: not known, or not told */
	uint16_t type, class;
	const char *network; /* NULL: none */
	int rcode;           /* -1: it was not answered */
	enum query_source source;
	uint8_t name_length;         /* 0: it could not be read */
	uint8_t name[NAME_WIRE_MAX]; /* as it came */
};

/* clock_ns: what the time of day is ahead of CLOCK_MONOTONIC. */
void query_entry_init(struct query_entry *entry, const struct query_record *record,
		      uint64_t left_us, int64_t clock_ns);
/* The client without what tells it from its neighbours. */
void query_entry_hide_client(struct query_entry *entry);
/* As JSON without a newline; returns its length. */
size_t query_entry_print(const struct query_entry *entry, char text[QUERY_ENTRY_TEXT_MAX]);
/* In words, for the log: "www.contoso.corp. A from 10.0.0.7 took 1.203 s: SERVFAIL, rule
 * office/contoso". Returns text. */
const char *query_entry_tell(const struct query_entry *entry, char *text, size_t size);

/* ---- filters ---- */

/* What is given must fit. All zero: everything does. */
struct query_filter {
	struct query_suffix {
		uint8_t length;
		uint8_t wire[NAME_WIRE_MAX]; /* in lower case */
	} * suffixes;
	size_t suffix_count;
	struct prefix *clients;
	size_t client_count;
	char **networks;
	size_t network_count;
	bool by_rcode;
	uint8_t rcodes[QUERY_RCODES / 8]; /* bits */
	uint64_t slower_than_us;
};

/* ERR_NOMEM, and nothing is held. */
MUST_CHECK int query_filter_of_settings(struct query_filter *filter,
					const struct query_log_settings *settings);
/* Adds what `key` is to fit: "suffix", "client" (an address or a prefix), "network", "rcode",
 * "slower_than_ms"; several values are separated by commas. ERR_INVALID: `error` says what would be
 * right; ERR_NOT_FOUND: there is no such key; ERR_NOMEM. */
MUST_CHECK int query_filter_add(struct query_filter *filter, const char *key, const char *value,
				char error[QUERY_FILTER_ERROR_MAX]);
extern const char *const query_filter_keys[]; /* up to a NULL */
void query_filter_release(struct query_filter *filter);
bool query_filter_fits(const struct query_filter *filter, const struct query_entry *entry);

#endif
