/* The records of a transfer, one after the other, at the reader's pace. */
#ifndef SLUICE_TRANSFER_STREAM_H
#define SLUICE_TRANSFER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver/transfer_table.h"
#include "rules/owned.h"
#include "rules/record.h"
#include "rules/zone.h"

enum stream_kind {
	STREAM_WHOLE,   /* AXFR, and IXFR that is like it: SOA, everything else, SOA */
	STREAM_CHANGES, /* SOA, old SOA, what is gone, SOA, what is new, SOA (RFC 1995 section 4) */
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
	const struct transfer_past *past; /* CHANGES: the version that it begins from */
	unsigned step;                    /* which part it is at */
	const struct stream_part *parts;
	struct owned_cursor ptrs;
	struct zone_cursor sets;
	size_t delta_at; /* of a private zone's changes: where in past->delta */
	bool soa_given;  /* and whether the SOA ahead of what is new is behind it */
	/* The set whose records come next, and how many are left of it. */
	const uint8_t *at;
	unsigned left;
	const uint8_t *owner;
	uint8_t spelled[NAME_WIRE_MAX + 4];      /* an owner that is not in memory */
	uint8_t soa[2 + 2 * NAME_WIRE_MAX + 32]; /* the old SOA's record */
};

/* Which kind an IXFR from this serial gets. */
enum stream_kind transfer_stream_kind(const struct transfer_zone *zone, uint32_t serial,
				      const struct transfer_past **past);
void transfer_stream_begin(struct transfer_stream *stream, const struct transfer_table *table,
			   const struct transfer_zone *zone, enum stream_kind kind,
			   const struct transfer_past *past);
/* The next record; false behind the last. */
bool transfer_stream_next(struct transfer_stream *stream, struct stream_record *record);

#endif
