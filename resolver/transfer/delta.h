/* The records that a zone lost and gained from one serial to the next. They are copies, so IXFR
 * needs nothing else of the old zone. The control thread makes deltas; workers read.
 *
 *     bytes   | owner | .. | type, class, TTL, length, data |   owner | ...
 *             the old SOA; then removed records; then new ones */
#ifndef SLUICE_TRANSFER_DELTA_H
#define SLUICE_TRANSFER_DELTA_H

#include <stddef.h>
#include <stdint.h>

#include "rules/owned/owned.h"
#include "rules/zone/zone.h"

struct transfer_zone;

struct transfer_delta {
	unsigned references; /* the control thread's */
	uint32_t serial;     /* the old serial */
	size_t fresh, end;   /* offsets in bytes: of the first new record, and the end */
	uint8_t *bytes;
};

/* Both return NULL without memory, and when the delta grows beyond bytes_max. */
/* The delta between two states of a private zone: two readings of its file, or two versions. For
 * versions the cost grows only with the difference. */
struct transfer_delta *transfer_delta_of_zones(const struct zone *before, const struct zone *after,
					       size_t bytes_max);
/* The delta of a reverse zone when our addresses change to `after`; the cost grows only with the
 * difference. */
struct transfer_delta *transfer_delta_of_ptrs(const struct transfer_zone *zone,
					      const struct owned *before, const struct owned *after,
					      size_t bytes_max);
struct transfer_delta *transfer_delta_ref(struct transfer_delta *delta);
void transfer_delta_unref(struct transfer_delta *delta); /* NULL is fine */

/* Its bytes of memory, including a pointer in a zone's past. */
size_t transfer_delta_bytes(const struct transfer_delta *delta);
/* Reads the record at *at, and moves *at to the next. `record` points two bytes before the type, as
 * in a set. */
void transfer_delta_read(const struct transfer_delta *delta, size_t *at, const uint8_t **owner,
			 const uint8_t **record);

#endif
