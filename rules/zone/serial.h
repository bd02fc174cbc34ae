/* A zone's serial (RFC 1035 section 3.3.13, RFC 1982), which shows secondaries that a zone has
 * changed, and the digest that shows it to us. */
#ifndef SLUICE_SERIAL_H
#define SLUICE_SERIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/hash.h"
#include "rules/prefix.h"
#include "rules/zone/zone.h"

/* Whether a is newer than b. If they differ by half of all numbers, neither is newer (RFC 1982
 * section 3.2). */
static inline bool serial_is_newer(uint32_t a, uint32_t b)
{
	return a != b && (uint32_t)(a - b) < UINT32_C(0x80000000);
}

/* The serial after `before`: the time if that is newer, so that serials grow even after the state
 * is lost; otherwise the next number. Never 0, which some programs treat as none. */
uint32_t serial_next(uint32_t before, uint64_t now_s);

/* ---- zones ---- */

const struct rrset *zone_soa(const struct zone *zone);
uint32_t zone_serial(const struct zone *zone);
/* A copy of the zone with another serial. The zone must be editable or have only the records of an
 * apex. NULL without memory. */
struct zone *zone_with_serial(const struct zone *zone, uint32_t serial);

/* ---- digests: a sum with one number for each set, so that a change adds and subtracts ---- */

/* A set's number: the same in every process, and for any serial in a SOA. */
uint64_t digest_of_set(const uint8_t *owner, const struct rrset *set);
struct zone_content {    /* a zone's content, without the serial */
	uint64_t digest; /* the sum over its sets */
	size_t bytes;    /* of its records with their owners, estimated */
};
/* For a built zone it visits every set. */
struct zone_content zone_content(const struct zone *zone);
/* Add a set to a zone's content, or take it away. */
void zone_content_add(struct zone_content *content, const uint8_t *owner, const struct rrset *set);
void zone_content_take(struct zone_content *content, const uint8_t *owner, const struct rrset *set);
uint64_t digest_of_ptr(const struct address *address, const struct rrset *ptr);

#endif
