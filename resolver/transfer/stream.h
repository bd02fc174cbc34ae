/* The records of a transfer, one after the other, at the reader's pace: each takes about as long as
 * copying it, however large the zone and whatever was changed. */
#ifndef SLUICE_TRANSFER_STREAM_H
#define SLUICE_TRANSFER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver/transfer/table.h"
#include "rules/owned/owned.h"
#include "rules/zone/record.h"
#include "rules/zone/zone.h"

enum stream_kind {
	STREAM_WHOLE,   /* AXFR, and IXFR that is like it: SOA, everything else, SOA */
	STREAM_CHANGES, /* SOA; old SOA, what is gone, next SOA, what is new, and so on for each
			   version passed through; SOA (RFC 1995 section 4) */
	STREAM_CURRENT, /* the SOA alone */
};

struct stream_record {
	const uint8_t *owner; /* uncompressed wire, at the zone's apex or below; till the next */
	const uint8_t *rest;  /* the record behind its owner: type, class, TTL, length, data */
	size_t rest_length;
};

struct transfer_stream {
	const struct transfer_table *table;
	const struct transfer_zone *zone;
	const struct stream_part *parts;
	unsigned step; /* which part it is at */
	struct owned_cursor ptrs;
	struct zone_cursor sets;
	size_t version;  /* of the changes: which of the zone's past, */
	size_t delta_at; /* where in it, */
	bool soa_given;  /* and whether the SOA ahead of what is new is behind it */
	/* The set whose records come next, and how many are left of it. */
	const uint8_t *at;
	unsigned left;
	const uint8_t *owner;
	uint8_t spelled[TRANSFER_OWNER_MAX]; /* an owner that is not in memory */
};

enum { STREAM_SMALL = 16 * 1024 }; /* changes of so many bytes are sent, however small the zone */

/* Which kind an IXFR from this serial gets, and with which version changes begin. Changes that are
 * more than the zone itself are not worth it: that is sent whole then. */
enum stream_kind transfer_stream_kind(const struct transfer_zone *zone, uint32_t serial,
				      size_t *version);
/* `version` is for STREAM_CHANGES. */
void transfer_stream_begin(struct transfer_stream *stream, const struct transfer_table *table,
			   const struct transfer_zone *zone, enum stream_kind kind, size_t version);
/* The next record; false behind the last. */
bool transfer_stream_next(struct transfer_stream *stream, struct stream_record *record);

#endif
