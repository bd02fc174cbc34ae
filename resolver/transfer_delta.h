/* What a private zone lost and got from one of its serials to the next: copies of the records, so
 * that no old zone has to be kept for IXFR. Made by the control thread, read by workers.
 *
 *     bytes   | owner | .. | type, class, TTL, length, data |   owner | ...
 *             of the old SOA; then what is gone; then what is new */
#ifndef SLUICE_TRANSFER_DELTA_H
#define SLUICE_TRANSFER_DELTA_H

#include <stddef.h>
#include <stdint.h>

#include "rules/err.h"
#include "rules/zone.h"

struct transfer_delta {
	unsigned references;     /* the control thread's */
	size_t gone, fresh, end; /* where each begins in the bytes, and their end */
	uint8_t *bytes;
};

/* NULL without memory. */
struct transfer_delta *transfer_delta_new(const struct zone *before, const struct zone *after,
					  const struct hash_key *key);
struct transfer_delta *transfer_delta_ref(struct transfer_delta *delta);
void transfer_delta_unref(struct transfer_delta *delta); /* NULL is fine */

/* The record at *at: its owner, and `record`, which has its type two bytes further on, as a set's
 * records have. *at becomes the next one's. */
void transfer_delta_read(const struct transfer_delta *delta, size_t *at, const uint8_t **owner,
			 const uint8_t **record);

#endif
