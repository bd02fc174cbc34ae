/* A transferred zone at one serial. It never changes: a change makes another version, which shares
 * as much as possible:
 *
 *     version 7 ── past: 5→6, 6→7                a change from one serial to the next is a delta
 *     version 8 ── past: 5→6, 6→7, 7→8           (transfer/delta.h), shared by all versions
 *
 * **The cost of the past.** A delta has copies of the old SOA and of the removed and the new
 * records, with their owners: some 250 bytes for one changed PTR. A zone keeps its last
 * TRANSFER_PAST deltas. All zones of a table together keep at most TRANSFER_PAST_BYTES, in equal
 * shares: the oldest deltas go first, and a change larger than the share ends the past. Nothing
 * else is kept of a former state, neither a table of our addresses nor an old zone. A snapshot that
 * a transfer still reads keeps its own array of pointers, up to TRANSFER_PAST for each zone changed
 * since, and the deltas that newer versions have dropped.
 *
 * The control thread makes and frees versions; workers read them, and count in the meter. */
#ifndef SLUICE_TRANSFER_ZONE_H
#define SLUICE_TRANSFER_ZONE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver/transfer/delta.h"
#include "rules/policy/policy.h"
#include "rules/prefix.h"
#include "rules/zone/serial.h"
#include "rules/zone/zone.h"

enum {
	TRANSFER_PAST = 256,            /* serials of a zone from which IXFR can begin */
	TRANSFER_PAST_BYTES = 32 << 20, /* most bytes of all deltas of a table */
};

struct transfer_meter { /* the counters of a zone, shared by all its versions */
	atomic_uint_fast64_t axfr, ixfr, current, refused, broken;
	unsigned references; /* the control thread's */
};

struct transfer_zone {
	unsigned references; /* the control thread's */
	bool reverse;        /* PTRs of a pool below an apex; false: a private zone */
	bool classless;      /* reverse: an address's name is its last octet (RFC 2317) */
	bool alias;          /* classless: another spelling of a zone */
	bool editable;       /* private: changed set by set (rules/zone/zone.h), not from a file */
	struct name name;
	char *text;           /* the full name with its final dot: "corp.test.", "dev/corp.test." */
	struct prefix prefix; /* reverse: the addresses in it */
	/* reverse: the compiled apex, and the apex with the serial; private: both are the zone. */
	struct zone *apex, *zone;
	uint32_t serial;
	struct zone_content content;
	struct transfer_meter *meter;
	size_t past_bytes; /* of all its deltas, shared or not */
	size_t past_count;
	struct transfer_delta *past[]; /* oldest first; each leads to the next one's serial */
};

/* Whether this server sets its serial, and not a zone file. */
static inline bool transfer_zone_is_numbered(const struct transfer_zone *zone)
{
	return zone->reverse || zone->editable;
}
/* Makes the transferred zone of a policy's zone, without serial, content and past. `group`: the
 * resource group of a private zone; NULL: none. NULL without memory. */
struct transfer_zone *transfer_zone_new(struct zone *apex, const char *group);
struct transfer_zone *transfer_zone_ref(struct transfer_zone *zone);
void transfer_zone_unref(struct transfer_zone *zone); /* NULL is fine */
/* Makes a copy of the zone with as much of the past of `before` (which may be the zone itself) as
 * fits into `past_max` bytes, followed by the latest change (NULL: none), which it references. NULL
 * without memory. */
struct transfer_zone *transfer_zone_with_past(const struct transfer_zone *zone,
					      const struct transfer_zone *before,
					      struct transfer_delta *latest, size_t past_max);
/* Sets a reverse zone's serial, and so the SOA in answers. ERR_NOMEM. */
MUST_CHECK int transfer_zone_set_serial(struct transfer_zone *zone, uint32_t serial);
/* A meter may outlive its zone. */
struct transfer_meter *transfer_meter_ref(struct transfer_meter *meter);
void transfer_meter_unref(struct transfer_meter *meter); /* NULL is fine */
/* Takes over the counters of the former version. */
void transfer_zone_take_meter(struct transfer_zone *zone, const struct transfer_zone *before);

/* The content of the whole zone. */
struct zone_content transfer_zone_content(const struct transfer_zone *zone,
					  const struct policy *policy);
/* The content of a reverse zone when our addresses change to `after`; false: it stays the same. */
bool transfer_zone_content_after(const struct transfer_zone *zone, const struct owned *before,
				 const struct owned *after, struct zone_content *content);

/* Writes an address's owner name in a reverse zone: its reverse name, or in a classless zone its
 * last octet below the apex. Returns its length. */
enum { TRANSFER_OWNER_MAX = NAME_WIRE_MAX + 4 };
size_t transfer_zone_owner(const struct transfer_zone *zone, const struct address *address,
			   uint8_t owner[TRANSFER_OWNER_MAX]);

#endif
