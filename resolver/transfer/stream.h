/* What a transfer sends: its records, one after the other at the reader's pace, and the messages
 * they go in. A record takes about as long as copying it, however large the zone and whatever was
 * changed. A message has the question, as many records as fit, an OPT where the client sent one,
 * and its signature. Owners are compressed against the question, which is the zone's name. */
#ifndef SLUICE_TRANSFER_STREAM_H
#define SLUICE_TRANSFER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoints/query.h"
#include "resolver/hold.h"
#include "resolver/transfer/table.h"
#include "resolver/transfer/tsig.h"
#include "rules/owned/owned.h"
#include "rules/zone/record.h"
#include "rules/zone/zone.h"

/* ---- records ---- */

enum stream_kind {
	STREAM_WHOLE,   /* AXFR, and IXFR in that form: SOA, everything else, SOA */
	STREAM_CHANGES, /* SOA; old SOA, what is gone, next SOA, what is new, and so on for each
			   version passed through; SOA (RFC 1995 section 4) */
	STREAM_CURRENT, /* the SOA alone */
};

struct stream_record {
	const uint8_t *owner; /* uncompressed wire, at the apex or below; until the next record */
	const uint8_t *rest;  /* the record behind its owner: type, class, TTL, length, data */
	size_t rest_length;
};

struct transfer_stream {
	const struct transfer_table *table;
	const struct transfer_zone *zone;
	const struct stream_part *parts;
	unsigned step; /* the part it is at */
	struct owned_cursor ptrs;
	struct zone_cursor sets;
	size_t version;  /* of the changes: the delta in the zone's past, */
	size_t delta_at; /* where in it, */
	bool soa_given;  /* and whether the SOA ahead of what is new was sent */
	/* The set whose records come next, and how many are left of it. */
	const uint8_t *at;
	unsigned left;
	const uint8_t *owner;
	uint8_t spelled[TRANSFER_OWNER_MAX]; /* an owner that was made here */
};

enum { STREAM_SMALL = 16 * 1024 }; /* changes up to this size are sent, however small the zone */

/* What an IXFR from this serial gets, and the version that changes begin with. If the changes are
 * more than the zone, it is sent whole. */
enum stream_kind transfer_stream_kind(const struct transfer_zone *zone, uint32_t serial,
				      size_t *version);
/* `version` is for STREAM_CHANGES. */
void transfer_stream_begin(struct transfer_stream *stream, const struct transfer_table *table,
			   const struct transfer_zone *zone, enum stream_kind kind, size_t version);
/* The next record; false behind the last. */
bool transfer_stream_next(struct transfer_stream *stream, struct stream_record *record);

/* ---- messages ---- */

struct transfer_writer {
	const struct query *query;
	const struct policy_hold *hold;
	struct tsig_context tsig;
	bool is_signed; /* every message is, with the tsig */
	const struct transfer_zone *zone;
	enum stream_kind kind;
	struct transfer_stream stream;
	struct stream_record record; /* the next one */
	bool has_record;
	size_t messages, records, bytes; /* so far */
};

/* How every message to this query ends. */
struct message_end transfer_message_end(const struct query *query, const struct policy_hold *hold,
					const struct tsig_context *tsig);

/* The tsig is copied; NULL: no message is signed. */
void transfer_writer_init(struct transfer_writer *writer, const struct query *query,
			  const struct policy_hold *hold, const struct tsig_context *tsig,
			  const struct transfer_zone *zone);
/* Begins, or begins again when nothing was sent yet. */
void transfer_writer_begin(struct transfer_writer *writer, enum stream_kind kind, size_t version);
/* Writes the next message into `buffer` (MESSAGE_MAX bytes): up to `limit` bytes, or more for a
 * single record that is larger. Returns its length; 0: the next record fits into no message.
 * has_record says whether there is more. */
size_t transfer_writer_next(struct transfer_writer *writer, uint8_t *buffer, size_t limit,
			    uint64_t time_s);

#endif
