/* What a zone is while it is built: zone/build.c gathers records here, zone/check.c sorts and
 * checks them, zone/place.c makes the zone; nobody else looks. */
#ifndef SLUICE_ZONE_BUILDER_H
#define SLUICE_ZONE_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/arena.h"
#include "rules/err.h"
#include "rules/fault.h"
#include "rules/name.h"

/* Where records came from: one for each run of records with the same file and path. */
struct source {
	const char *file, *path; /* "" where there is none */
};

struct entry {              /* a record */
	uint64_t key_start; /* the key's first eight bytes: they decide most comparisons */
	const uint8_t *key, *owner, *rdata;
	const struct source *source;
	uint32_t line, ttl;
	uint32_t order; /* in which it was added */
	uint16_t key_length, type, rdata_length;
	bool duplicate;
};

struct zone_builder {
	struct arena arena; /* keys, owners, rdata, sources */
	struct hash_key key;
	struct name apex;
	struct entry *entries;
	size_t count, room;
	const struct source *source;    /* of the record added last */
	struct name owner;              /* of the record at hand */
	uint8_t doubled[NAME_WIRE_MAX]; /* the apex twice; length 0 when that cannot be */
	size_t doubled_length;
	size_t warnings;       /* found, told or not */
	struct origin warning; /* of the last line that has one */
	bool has_soa;
	bool broken; /* there were errors: no zone will come of it */
	bool out_of_memory;
};

/* Adds a record that was checked, whose owner is also in builder->owner. */
MUST_CHECK int zone_builder_keep(struct zone_builder *builder, const struct origin *origin,
				 const uint8_t *owner, uint16_t type, uint32_t ttl,
				 const uint8_t *rdata, size_t rdata_length);

/* ---- zone/check.c ---- */

struct span { /* the entries of one owner, or of one RRset */
	struct entry *items;
	size_t count;
};

struct totals { /* what the zone will hold */
	size_t nodes, sets, records;
	size_t bytes; /* of its body */
};

/* Sorts the entries, checks the zone as a whole and counts. Within an RRset the entries are then in
 * the order in which they were added, all with the lowest TTL, and duplicates behind them. */
void zone_builder_check(struct zone_builder *builder, struct totals *totals, struct faults *faults);

struct origin zone_entry_origin(const struct entry *entry);

/* Of sorted entries: those with the same owner as items[0], and, among those of one owner, those of
 * the same type. */
struct span zone_owner_span(struct entry *items, size_t count);
struct span zone_set_span(struct entry *items, size_t count);
/* The set without the duplicates. */
struct span zone_unique(struct span set);
/* What it takes in a message. */
size_t zone_wire_length(struct span set);
/* Labels below the apex that two entries have in common; with itself: that it has. */
size_t zone_common_labels(const struct entry *a, const struct entry *b);
/* Empty non-terminals that come into being between one owner (NULL: none) and the next. */
size_t zone_count_between(const struct entry *before, const struct entry *entry);

/* ---- zone/warn.c: what is legal and surely not meant ---- */

void zone_warn_owner(struct zone_builder *builder, struct span owner, struct faults *faults);
/* A set as it was sorted, before all of it gets the lowest TTL. */
void zone_warn_ttls(struct zone_builder *builder, struct span set, struct faults *faults);
void zone_warn_rest(struct zone_builder *builder, struct faults *faults);

#endif
