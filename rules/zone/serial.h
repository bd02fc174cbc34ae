/* A zone's serial (RFC 1035 section 3.3.13, RFC 1982): what tells a secondary that a zone has
 * changed, and the digest by which we notice. */
#ifndef SLUICE_SERIAL_H
#define SLUICE_SERIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/hash.h"
#include "rules/prefix.h"
#include "rules/zone/zone.h"

/* Whether a comes behind b. Of two that are half of all numbers apart neither does (RFC 1982
 * section 3.2). */
static inline bool serial_is_newer(uint32_t a, uint32_t b)
{
	return a != b && (uint32_t)(a - b) < UINT32_C(0x80000000);
}

/* The serial after `before`: the time where that is ahead, so that serials grow even after the
 * state was lost; otherwise the next number. Never 0, which some take for none. */
uint32_t serial_next(uint32_t before, uint64_t now_s);

/* ---- zones ---- */

const struct rrset *zone_soa(const struct zone *zone);
uint32_t zone_serial(const struct zone *zone);
/* The zone again with another serial: one that is editable, or has the few records of an apex. NULL
 * without memory. */
struct zone *zone_with_serial(const struct zone *zone, uint32_t serial);

/* ---- digests: sums of one number per set, so that a change adds and subtracts ---- */

/* The same in every process, and whatever the serial in a SOA is. */
uint64_t digest_of_set(const uint8_t *owner, const struct rrset *set);
struct zone_content {    /* what a zone says, without the serial */
	uint64_t digest; /* the sum over its sets */
	size_t bytes;    /* of its records, with their owners, about */
};
/* Of a zone that was built it looks at every set. */
struct zone_content zone_content(const struct zone *zone);
/* Adds a set to what a zone says, or takes it away. */
void zone_content_add(struct zone_content *content, const uint8_t *owner, const struct rrset *set);
void zone_content_take(struct zone_content *content, const uint8_t *owner, const struct rrset *set);
uint64_t digest_of_ptr(const struct address *address, const struct rrset *ptr);

#endif
