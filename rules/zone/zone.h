/* A private zone: immutable, shared by policies and workers, with a reference count. A file's zone
 * is built at once; an editable zone has versions, which share everything except the changes
 * (zone_edit). The same calls look up both.
 *
 * Lookup follows RFC 1034 section 4.3.2, with RFC 4592 wildcards and RFC 6672 DNAME. For a name
 * that exists it takes one hash probe in a built zone, and a search of a tree in an editable one.
 * Records are stored in the form of answers (record.h).
 *
 * A zone has no delegations: NS below the apex is a fault (as in Azure). A zone without a SOA gets
 * a made-up one, so that negative answers can be cached (RFC 2308). */
#ifndef SLUICE_ZONE_H
#define SLUICE_ZONE_H

#include <stdbool.h>
#include <stdio.h>

#include "rules/err.h"
#include "rules/fault.h"
#include "rules/name.h"
#include "rules/zone/record.h"

enum zone_outcome {
	ZONE_HIT,      /* rrset is the asked set */
	ZONE_CNAME,    /* rrset is the name's CNAME; another type was asked for */
	ZONE_DNAME,    /* rrset is the DNAME of an ancestor of the name */
	ZONE_NODATA,   /* the name exists (perhaps as an empty non-terminal) without the type */
	ZONE_NXDOMAIN, /* RFC 2308 */
};

struct zone_answer {
	enum zone_outcome outcome;
	bool wildcard;             /* from a wildcard (RFC 4592); the owner is the qname */
	unsigned owner_label;      /* ZONE_DNAME: the qname's label at the DNAME's owner */
	const struct rrset *rrset; /* HIT, CNAME, DNAME */
	const struct zone *zone;   /* always set: its SOA belongs in a negative answer */
};

struct zone; /* opaque */

/* The apex, in lower case. */
const struct name *zone_apex(const struct zone *zone);
/* The SOA for negative answers: the apex's, with the lesser of its TTL and MINIMUM (RFC 2308
 * section 5). */
const struct rrset *zone_negative_soa(const struct zone *zone);
size_t zone_record_sets(const struct zone *zone);
size_t zone_records(const struct zone *zone);
bool zone_is_empty(const struct zone *zone);    /* no record was added, not even a SOA */
bool zone_has_own_soa(const struct zone *zone); /* false: it has a made-up one */
size_t zone_bytes(const struct zone *zone);     /* including memory shared with other versions */

/* Looks up a name at or below the apex. Type ANY (255) gives one RRset of the name (RFC 8482), a
 * signature or NSEC only if there is no other. Allocates nothing. */
void zone_find(const struct zone *zone, const struct name *name, uint16_t type,
	       struct zone_answer *answer);
/* The set of exactly this owner and type, without wildcards; NULL: none. */
const struct rrset *zone_find_exact(const struct zone *zone, const struct name *owner,
				    uint16_t type);

/* The next RRset of exactly this owner after `before` (NULL: the first); NULL: no more. */
const struct rrset *zone_next_exact(const struct zone *zone, const struct name *owner,
				    const struct rrset *before);
/* For an editable zone: how many names have records, including the apex. */
size_t zone_owners(const struct zone *zone);

/* Prefetches the memory that zone_find needs for this name: in pass 0, and later in pass 1. Useful
 * before looking up many names. */
void zone_expect(const struct zone *zone, const struct name *name, unsigned pass);

/* Calls back for every RRset, in canonical order of owners (RFC 4034 section 6.1). A non-zero
 * return stops the walk and is returned. */
int zone_walk(const struct zone *zone,
	      int (*on_rrset)(void *context, const uint8_t *owner, const struct rrset *rrset),
	      void *context);

/* The same walk in steps, with pauses of any length while the zone lives. A cursor starts all zero.
 * False at the end. */
struct zone_cursor {
	size_t node;                    /* the place in a built zone, */
	const struct zone_entry *entry; /* or in an editable one */
	unsigned index;
	const struct rrset *set;
};
bool zone_next(const struct zone *zone, struct zone_cursor *cursor, const uint8_t **owner,
	       const struct rrset **set);

/* Calls back in the same order for every RRset that differs; NULL: the zone has none. Both zones
 * must have the same apex. For two versions of one zone the cost is that of the differences. A
 * non-zero return stops the walk and is returned. */
int zone_walk_changes(const struct zone *before, const struct zone *after,
		      int (*on_change)(void *context, const uint8_t *owner, const struct rrset *was,
				       const struct rrset *is),
		      void *context);

struct zone *zone_ref(struct zone *zone);
void zone_unref(struct zone *zone); /* NULL is fine */

/* Building. Records may come in any order; a zone is not usable before zone_builder_finish. */
struct zone_builder;
struct zone_builder *zone_builder_new(const struct hash_key *key, const struct name *apex);
void zone_builder_free(struct zone_builder *builder); /* NULL is fine */
/* owner: uncompressed wire, in any case (kept for printing; answers have the question's case);
 * rdata: uncompressed. Silently drops exact duplicates; of differing TTLs the lowest is used (RFC
 * 2181), with a warning. ERR_FAULTS: the record is wrong by itself, and a fault says why.
 * ERR_NOMEM. After either the builder can be used further, but gives no zone. */
MUST_CHECK int zone_builder_add(struct zone_builder *builder, const struct origin *origin,
				const uint8_t *owner, uint16_t type, uint32_t ttl,
				const uint8_t *rdata, size_t rdata_length, struct faults *faults);
/* Checks the zone as a whole, with a fault at each wrong record's line: CNAME beside other data,
 * data below a DNAME, a second SOA, CNAME or DNAME, a set too large for a message. Warns of records
 * that are surely not intended. NULL: there was an error, here or in zone_builder_add. Frees the
 * builder. */
struct zone *zone_builder_finish(struct zone_builder *builder, const struct origin *origin,
				 struct faults *faults);

/* ---- set by set (edit.c): edit, put and add, then commit or discard ----
 *
 * Each touched owner is built and checked like a zone file's, with the same texts. The cost of a
 * change does not depend on the zone's size. */

/* A new editable zone with only a SOA of this serial; NULL without memory. */
struct zone *zone_new(const struct hash_key *key, const struct name *apex, uint32_t serial);
/* Whether the zone is from zone_new, or a version of such a zone. */
bool zone_is_editable(const struct zone *zone);

struct zone_draft; /* a version in the making */
/* Begins a draft of an editable zone, and takes its own reference. A zone may have any number of
 * drafts. NULL without memory. */
struct zone_draft *zone_edit(struct zone *before);
/* Replaces the owner's records of this type by those that are added next; the last edit of a set
 * counts. Copies the origin's texts. ERR_FAULTS: the owner is outside the zone; ERR_NOMEM. After
 * either the draft gives no version. */
MUST_CHECK int zone_draft_put(struct zone_draft *draft, const struct origin *origin,
			      const uint8_t *owner, uint16_t type, struct faults *faults);
/* Adds a record. ERR_NOMEM; zone_commit reports a wrong record. */
MUST_CHECK int zone_draft_add(struct zone_draft *draft, uint32_t ttl, const uint8_t *rdata,
			      size_t length);
/* Makes the version, with one reference for the caller. Its serial is the next one, or a later one
 * from a SOA that was put. Without a change it is the former version. NULL: the faults say why.
 * Frees the draft. */
struct zone *zone_commit(struct zone_draft *draft, uint64_t now_s, struct faults *faults);
void zone_discard(struct zone_draft *draft); /* NULL is fine */

#endif
