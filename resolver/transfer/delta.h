/* What a zone lost and gained from one serial to the next: copies of the records, so IXFR needs
 * nothing else of the old zone. Made by the control thread, read by workers.
 *
 *     bytes   | owner | .. | type, class, TTL, length, data |   owner | ...
 *             of the old SOA; then what is gone; then what is new */
#ifndef SLUICE_TRANSFER_DELTA_H
#define SLUICE_TRANSFER_DELTA_H

#include <stddef.h>
#include <stdint.h>

#include "rules/owned/owned.h"
#include "rules/zone/zone.h"

struct transfer_zone;

struct transfer_delta {
	unsigned references; /* the control thread's */
	uint32_t serial;     /* the one it begins from */
	size_t fresh, end;   /* where what is new begins in the bytes, and their end */
	uint8_t *bytes;
};

/* Both: NULL without memory, and as soon as the delta is found to hold more than bytes_max. */
/* From a private zone to what its file has now, or to a version of it: then it costs what is
 * different. */
struct transfer_delta *transfer_delta_of_zones(const struct zone *before, const struct zone *after,
					       size_t bytes_max);
/* From a reverse zone to what it is once what we own is `after`: costs what is different. */
struct transfer_delta *transfer_delta_of_ptrs(const struct transfer_zone *zone,
					      const struct owned *before, const struct owned *after,
					      size_t bytes_max);
struct transfer_delta *transfer_delta_ref(struct transfer_delta *delta);
void transfer_delta_unref(struct transfer_delta *delta); /* NULL is fine */

/* What it takes, with its pointer in a zone's past. */
size_t transfer_delta_bytes(const struct transfer_delta *delta);
/* The record at *at: its owner, and `record`, whose type is two bytes further on, as in a set. *at
 * moves to the next one. */
void transfer_delta_read(const struct transfer_delta *delta, size_t *at, const uint8_t **owner,
			 const uint8_t **record);

#endif
