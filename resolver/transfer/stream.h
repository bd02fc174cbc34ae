/* The records of a transfer, at the reader's pace, and the messages with them. A record costs about
 * as much as copying it, for any size of zone and change. A message has the question, as many
 * records as fit, an OPT if the client sent one, and its signature. Owners are compressed against
 * the question, which is the zone's name. */
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
	STREAM_WHOLE,   /* AXFR, and IXFR as a whole: SOA, all other records, SOA */
	STREAM_CHANGES, /* SOA; for each version old SOA, removed records, next SOA, new records;
			   SOA (RFC 1995 section 4) */
	STREAM_CURRENT, /* only the SOA */
};

struct stream_record {
	const uint8_t *owner; /* uncompressed wire, at or below the apex; until the next record */
	const uint8_t *rest;  /* the record after its owner: type, class, TTL, length, data */
	size_t rest_length;
};

struct transfer_stream {
	const struct transfer_table *table;
	const struct transfer_zone *zone;
	const struct stream_part *parts;
	unsigned step; /* the current part */
	struct owned_cursor ptrs;
	struct zone_cursor sets;
	size_t version;  /* for changes: the index in the zone's past */
	size_t delta_at; /* for changes: the offset in the delta of `version` */
	bool soa_given;  /* for changes: the SOA before new records was sent */
	/* The current set's next record, and how many are left. */
	const uint8_t *at;
	unsigned left;
	const uint8_t *owner;
	uint8_t spelled[TRANSFER_OWNER_MAX]; /* memory for an owner that is made here */
};

enum { STREAM_SMALL = 16 * 1024 }; /* changes up to this size are sent even for a small zone */

/* The kind of answer to an IXFR from this serial, and the version where the changes begin. If the
 * changes are larger than the zone, it is sent whole. */
enum stream_kind transfer_stream_kind(const struct transfer_zone *zone, uint32_t serial,
				      size_t *version);
/* Begins a stream; `version` is for STREAM_CHANGES. */
void transfer_stream_begin(struct transfer_stream *stream, const struct transfer_table *table,
			   const struct transfer_zone *zone, enum stream_kind kind, size_t version);
/* Reads the next record; false: that was all. */
bool transfer_stream_next(struct transfer_stream *stream, struct stream_record *record);

/* ---- messages ---- */

struct transfer_writer {
	const struct query *query;
	const struct policy_hold *hold;
	struct tsig_context tsig;
	bool is_signed; /* every message is signed with `tsig` */
	const struct transfer_zone *zone;
	enum stream_kind kind;
	struct transfer_stream stream;
	struct stream_record record; /* the next one */
	bool has_record;
	size_t messages, records, bytes; /* sent so far */
};

/* The end of every message to this query. */
struct message_end transfer_message_end(const struct query *query, const struct policy_hold *hold,
					const struct tsig_context *tsig);

/* The tsig is copied; NULL: no message is signed. */
void transfer_writer_init(struct transfer_writer *writer, const struct query *query,
			  const struct policy_hold *hold, const struct tsig_context *tsig,
			  const struct transfer_zone *zone);
/* Begins; may begin again as long as nothing was sent. */
void transfer_writer_begin(struct transfer_writer *writer, enum stream_kind kind, size_t version);
/* Writes the next message into `buffer` (MESSAGE_MAX bytes): at most `limit` bytes, unless a single
 * record is larger. Returns its length; 0: the next record fits into no message. has_record says
 * whether records are left. */
size_t transfer_writer_next(struct transfer_writer *writer, uint8_t *buffer, size_t limit,
			    uint64_t time_s);

#endif
