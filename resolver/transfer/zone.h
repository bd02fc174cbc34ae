/* A zone that goes out, at one serial. It never changes; a change makes another version of it,
 * which shares what it can:
 *
 *     version 7 ── past: 5→6, 6→7                a change from one serial to the next is a delta
 *     version 8 ── past: 5→6, 6→7, 7→8           (transfer/delta.h), shared by all versions
 *
 * **What the past costs.** A delta has copies of the records that went and came, with their owners
 * and two SOAs: some 250 bytes for one changed PTR. A zone keeps the last TRANSFER_PAST of them,
 * and all zones of a table together keep TRANSFER_PAST_BYTES at most, in equal shares: the oldest
 * go first, and one change larger than the share ends the past. Nothing else is kept of what a zone
 * was: no table of what we own, no old zone. A snapshot that a transfer still reads keeps its own
 * row of pointers, TRANSFER_PAST for each zone changed since, and the deltas that newer versions
 * have dropped.
 *
 * The control thread makes and frees versions; workers read, and count in the meter. */
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
	TRANSFER_PAST = 256,            /* serials of a zone that IXFR can begin from */
	TRANSFER_PAST_BYTES = 32 << 20, /* what deltas of one table's zones hold at most */
};

struct transfer_meter { /* of a zone, through all its versions */
	atomic_uint_fast64_t axfr, ixfr, current, refused, broken;
	unsigned references; /* the control thread's */
};

struct transfer_zone {
	unsigned references; /* the control thread's */
	bool reverse;        /* PTRs of a pool below an apex; else a private zone */
	bool classless;      /* reverse: an address's name is its last octet (RFC 2317) */
	bool alias;          /* classless: another spelling of a zone */
	bool editable; /* private: changed set by set (rules/zone/zone.h), not read of a file */
	struct name name;
	char *text;           /* the full name with its final dot: "corp.test.", "dev/corp.test." */
	struct prefix prefix; /* reverse: the addresses that it holds */
	/* reverse: the apex as it was compiled, and with the serial; private: twice the zone. */
	struct zone *apex, *zone;
	uint32_t serial;
	struct zone_content content;
	struct transfer_meter *meter;
	size_t past_bytes; /* of the deltas, also where others hold them too */
	size_t past_count;
	struct transfer_delta *past[]; /* oldest first; each from its serial to that of the next */
};

/* Whether its serial is given here: not in a zone file. */
static inline bool transfer_zone_is_numbered(const struct transfer_zone *zone)
{
	return zone->reverse || zone->editable;
}
/* A zone as a policy has it, without serial, content and past. `group`: that a private zone is in;
 * NULL: none. NULL without memory. */
struct transfer_zone *transfer_zone_new(struct zone *apex, const char *group);
/* Whether a name of a zone, as `text` has it but perhaps without the final dot, is this one's. */
bool transfer_zone_is(const struct transfer_zone *zone, const char *full_name);
struct transfer_zone *transfer_zone_ref(struct transfer_zone *zone);
void transfer_zone_unref(struct transfer_zone *zone); /* NULL is fine */
/* A copy of the zone with as much of the past of `before` (which may be the zone) as fits into
 * `past_max` bytes, and behind it the latest change (NULL: none), of which it takes a reference.
 * NULL without memory. */
struct transfer_zone *transfer_zone_with_past(const struct transfer_zone *zone,
					      const struct transfer_zone *before,
					      struct transfer_delta *latest, size_t past_max);
/* Gives a reverse zone its serial, and so the SOA that is answered. ERR_NOMEM. */
MUST_CHECK int transfer_zone_set_serial(struct transfer_zone *zone, uint32_t serial);
/* A meter may outlive its zone. */
struct transfer_meter *transfer_meter_ref(struct transfer_meter *meter);
void transfer_meter_unref(struct transfer_meter *meter); /* NULL is fine */
/* Takes over the counts of the version before. */
void transfer_zone_take_meter(struct transfer_zone *zone, const struct transfer_zone *before);

/* All of what it says. */
struct zone_content transfer_zone_content(const struct transfer_zone *zone,
					  const struct policy *policy);
/* What a reverse zone says once what we own is `after`; false when that is the same. */
bool transfer_zone_content_after(const struct transfer_zone *zone, const struct owned *before,
				 const struct owned *after, struct zone_content *content);

/* Writes the owner that an address has in a reverse zone and returns its length: its reverse name,
 * or in a classless zone its last octet below the apex. */
enum { TRANSFER_OWNER_MAX = NAME_WIRE_MAX + 4 };
size_t transfer_zone_owner(const struct transfer_zone *zone, const struct address *address,
			   uint8_t owner[TRANSFER_OWNER_MAX]);

#endif
