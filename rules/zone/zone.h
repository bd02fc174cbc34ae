/* A private zone: immutable, shared by policies and workers, with a reference count. That of a file
 * is built at once; one that is changed set by set has versions, which share all but what changed
 * (zone_edit). Both are looked up by the same calls.
 *
 * Lookup is RFC 1034 section 4.3.2 with RFC 4592 wildcards and RFC 6672 DNAME, at one hash probe
 * for a name that is there. Records are kept as they go out (record.h).
 *
 * A zone has no delegations: NS below the apex is a fault when it is built (as in Azure). What the
 * file lacks is put there: without a SOA a zone gets one of its own, so that negative answers can
 * be cached (RFC 2308). */
#ifndef SLUICE_ZONE_H
#define SLUICE_ZONE_H

#include <stdbool.h>
#include <stdio.h>

#include "rules/err.h"
#include "rules/fault.h"
#include "rules/name.h"
#include "rules/zone/record.h"

enum zone_outcome {
	ZONE_HIT,      /* rrset is what was asked for */
	ZONE_CNAME,    /* rrset is the name's CNAME, and something else was asked for */
	ZONE_DNAME,    /* rrset is the DNAME of an ancestor of the name */
	ZONE_NODATA,   /* the name exists (perhaps as an empty non-terminal), the type does not */
	ZONE_NXDOMAIN, /* RFC 2308 */
};

struct zone_answer {
	enum zone_outcome outcome;
	bool wildcard; /* synthesised from a wildcard (RFC 4592); the owner is the qname */
	unsigned
		owner_label; /* ZONE_DNAME: the label of the qname where the DNAME's owner starts */
	const struct rrset *rrset; /* HIT, CNAME, DNAME */
	const struct zone *zone;   /* always: whose SOA belongs into a negative answer */
};

struct zone; /* opaque */

/* The apex, in lower case. */
const struct name *zone_apex(const struct zone *zone);
/* The SOA as it goes into a negative answer: that of the apex, with the lesser of its TTL and
 * MINIMUM (RFC 2308 section 5). */
const struct rrset *zone_negative_soa(const struct zone *zone);
size_t zone_record_sets(const struct zone *zone);
size_t zone_records(const struct zone *zone);
bool zone_is_empty(const struct zone *zone);    /* no record was added to it, not even a SOA */
bool zone_has_own_soa(const struct zone *zone); /* else one was made for it */
size_t zone_bytes(const struct zone *zone);     /* that it holds, also what versions share */

/* name must be the apex or below it. type ANY (255) gives one RRset of the name (RFC 8482), by
 * preference not a signature; CNAME wins over nothing. Allocates nothing. */
void zone_find(const struct zone *zone, const struct name *name, uint16_t type,
	       struct zone_answer *answer);
/* The rrset of exactly this owner and type, no wildcard; NULL when there is none. */
const struct rrset *zone_find_exact(const struct zone *zone, const struct name *owner,
				    uint16_t type);

/* The RRsets of exactly this owner, one with each call: the first for `before` NULL, then the one
 * behind that one. NULL: there is none, or no further one. */
const struct rrset *zone_next_exact(const struct zone *zone, const struct name *owner,
				    const struct rrset *before);
/* Of an editable zone: how many names have records, the apex among them. */
size_t zone_owners(const struct zone *zone);

/* Prefetches the memory that zone_find needs for this name: pass 0, and when that has arrived, pass
 * 1. Worth it where many names are looked up in a row. */
void zone_expect(const struct zone *zone, const struct name *name, unsigned pass);

/* Calls back for every RRset, in canonical order of owners (RFC 4034 section 6.1). A non-zero
 * return stops the walk and is returned. */
int zone_walk(const struct zone *zone,
	      int (*on_rrset)(void *context, const uint8_t *owner, const struct rrset *rrset),
	      void *context);

/* The same in steps, with pauses of any length while the zone lives. A cursor starts as all zero.
 * False at the end. */
struct zone_cursor {
	size_t node;                    /* where in a zone that was built, */
	const struct zone_entry *entry; /* or in one that changes set by set */
	unsigned index;
	const struct rrset *set;
};
bool zone_next(const struct zone *zone, struct zone_cursor *cursor, const uint8_t **owner,
	       const struct rrset **set);

/* Calls back for every RRset that is not the same in both, in that order; NULL where the one has
 * none. Both have the same apex. Of two versions of one zone it costs what is different. What is
 * non-zero stops the walk and is returned. */
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
/* owner: uncompressed wire, any case (kept for printing, served as asked); rdata: uncompressed.
 * Exact duplicates are dropped in silence; of differing TTLs the lowest is used (RFC 2181), with a
 * warning.
 * ERR_FAULTS when the record is no good by itself (its fault is in faults), ERR_NOMEM; after either
 * the builder can be used on, but will not become a zone. */
MUST_CHECK int zone_builder_add(struct zone_builder *builder, const struct origin *origin,
				const uint8_t *owner, uint16_t type, uint32_t ttl,
				const uint8_t *rdata, size_t rdata_length, struct faults *faults);
/* Checks the zone as a whole (owners outside it, CNAME beside other data or at the apex, data below
 * a DNAME, several SOA, NS below the apex, TTLs over 2^31-1), each thing a fault at its record's
 * line, and warns of what is surely not meant. NULL when any of that, or a fault of
 * zone_builder_add, was an error. Frees the builder. */
struct zone *zone_builder_finish(struct zone_builder *builder, const struct origin *origin,
				 struct faults *faults);

/* ---- set by set (edit.c): edit, put and add, then commit or discard ----
 *
 * Each owner that is touched is built and checked as a zone file's is, and in the same words. A
 * change costs what it touches, however large the zone is. */

/* A zone with nothing but a SOA of that serial, that can be changed; NULL without memory. */
struct zone *zone_new(const struct hash_key *key, const struct name *apex, uint32_t serial);
/* Whether it is one, or a version of one. */
bool zone_is_editable(const struct zone *zone);

struct zone_draft; /* a version in the making */
/* It keeps a reference of its own. Any number of drafts may be made of one zone, which has to be
 * editable. NULL without memory. */
struct zone_draft *zone_edit(struct zone *before);
/* From here on the owner has no records of this type but those that are added next; of several
 * edits of one set the last counts. The origin's texts are copied. ERR_FAULTS: the owner is not in
 * the zone; ERR_NOMEM. After either there will be no version. */
MUST_CHECK int zone_draft_put(struct zone_draft *draft, const struct origin *origin,
			      const uint8_t *owner, uint16_t type, struct faults *faults);
/* ERR_NOMEM; what is wrong with the record is a fault of zone_commit's. */
MUST_CHECK int zone_draft_add(struct zone_draft *draft, uint32_t ttl, const uint8_t *rdata,
			      size_t length);
/* The version, with one reference, the caller's: with the serial behind that of the one before, or
 * a later one of a SOA that was put. Where nothing has changed it is the one before. NULL: the
 * faults say why. The draft is gone. */
struct zone *zone_commit(struct zone_draft *draft, uint64_t now_s, struct faults *faults);
void zone_discard(struct zone_draft *draft); /* NULL is fine */

#endif
