/* The inside of a zone, only for the files in rules/zone: build.c and edit.c make it, the others
 * read it. A built zone is in one piece:
 *
 *     slots  (hash table, at most half full)      body  (nodes in canonical order)
 *     ┌──────┬──────┐                             ┌────────────────────────────────┐
 *     │ hash │ node ├──────────────┐              │ count | owner | rrset | rrset  │ apex
 *     └──────┴──────┘              │              ├────────────────────────────────┤
 *                                  └─────────────►│ count | owner | rrset          │
 *                                                 └────────────────────────────────┘
 *
 * Every name that exists is a node, even an empty non-terminal (RFC 4592 section 2.2.2), whose
 * count is 0. A node's RRsets follow each other in ascending order of type, with the SOA first. So
 * finding a name among a million touches two lines of memory, a slot and a node, and both can be
 * prefetched (zone_expect).
 *
 * An editable zone has the nodes of names with RRsets as entries of a tree (tree.h), which it
 * shares with its other versions. It has no slots, and no nodes for empty non-terminals. */
#ifndef SLUICE_ZONE_LAYOUT_H
#define SLUICE_ZONE_LAYOUT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/arena.h"
#include "rules/name.h"
#include "rules/zone/record.h"
#include "rules/zone/serial.h"
#include "rules/zone/tree.h"
#include "rules/zone/zone.h"

enum { ZONE_UNIT = 4 }; /* bytes: nodes begin at multiples of it, as an rrset must */
_Static_assert(_Alignof(struct rrset) == ZONE_UNIT, "an rrset begins at any unit");

struct zone_node {
	uint32_t bytes;   /* up to the next node */
	uint16_t count;   /* of sets */
	uint16_t sets_at; /* offset from the node's start */
	uint8_t owner[];  /* uncompressed wire, in its original case */
};

struct zone_slot {
	uint32_t hash; /* the upper half of the name's hash; the lower half chooses the slot */
	uint32_t node; /* its offset in the body in units, plus 1; 0: empty */
};

struct zone {
	atomic_uint references;
	struct arena arena;
	struct hash_key key;
	struct name apex;
	uint8_t *body; /* begins with the apex's node */
	struct zone_slot *slots;
	size_t body_bytes, slot_mask;
	unsigned labels_max; /* of any name in it */
	const struct rrset *negative_soa;
	size_t record_sets, records;
	bool soa_made_up;
	struct zone_tree tree;       /* an editable zone's names; empty: the zone is built */
	struct zone_content content; /* an editable zone's content */
	size_t dnames;               /* an editable zone's names with a DNAME */
};

static inline size_t zone_units(size_t bytes)
{
	return (bytes + ZONE_UNIT - 1) / ZONE_UNIT * ZONE_UNIT;
}

/* The bytes of an RRset with so much wire, up to the next one. */
static inline size_t zone_set_bytes(size_t wire_length)
{
	return zone_units(offsetof(struct rrset, wire) + wire_length);
}

/* The offset of the sets in a node with an owner of this length. */
static inline size_t zone_sets_at(size_t owner_length)
{
	return zone_units(offsetof(struct zone_node, owner) + owner_length);
}

static inline const struct zone_node *zone_node_at(const struct zone *zone, size_t offset)
{
	return (const struct zone_node *)(const void *)(zone->body + offset);
}

static inline const struct zone_node *zone_slot_node(const struct zone *zone,
						     const struct zone_slot *slot)
{
	return zone_node_at(zone, (size_t)(slot->node - 1) * ZONE_UNIT);
}

static inline const struct rrset *zone_first_set(const struct zone_node *node)
{
	return (const struct rrset *)(const void *)((const uint8_t *)node + node->sets_at);
}

static inline const struct rrset *zone_next_set(const struct rrset *set)
{
	return (const struct rrset *)(const void *)((const uint8_t *)set +
						    zone_set_bytes(set->length));
}

/* The node of exactly this owner, which must be at or below the apex; NULL: none. */
const struct zone_node *zone_node_of(const struct zone *zone, const struct name *owner);
/* The same version of an editable zone with another serial; NULL without memory. */
struct zone *zone_version_with_serial(const struct zone *zone, uint32_t serial);

/* ---- from build.c for edit.c, which builds one owner at a time like a zone file's ---- */

/* Makes an entry from the records added since the last call, which must all have one owner, and
 * forgets them. There must be at least one record, except at the apex, which gets a SOA if it has
 * none. NULL: a fault says why. */
struct zone_entry *zone_builder_owner(struct zone_builder *builder, bool apex,
				      struct faults *faults);
/* Warns of the number of warnings left out, if any. */
void zone_builder_warn_rest(struct zone_builder *builder, struct faults *faults);
/* The SOA for negative answers, in the arena; NULL without memory. */
struct rrset *zone_copy_negative_soa(struct arena *arena, const struct rrset *soa);

/* Arguments: the owner, and " (line 7)" or " (line 7 of FILE)" if the DNAME has a line. */
#define ZONE_BELOW_DNAME "%s is below a DNAME%s, which covers everything below it"
/* Arguments: the owner and the apex. */
#define ZONE_OUTSIDE                                                                               \
	"%s is outside the zone %s; check for a missing or needless final dot, and $ORIGIN"

static inline uint32_t zone_slot_hash(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}

#endif
