/* What a zone looks like inside: zone_build.c makes it, zone.c reads it, nobody else looks.
 *
 *     slots  (hash table, at most half full)      nodes (in canonical order)
 *     ┌──────┬──────┐                             ┌────────┬──────┬───────┐
 *     │ hash │ node ├────────────────────────────►│ owner  │ sets │ count │
 *     └──────┴──────┘                             └───┬────┴──┬───┴───────┘
 *                                                     ▼       ▼
 *                                                 wire name   rrset | rrset | ...
 *
 * Every name that exists is a node, empty non-terminals too (RFC 4592 section 2.2.2): their owner
 * is the tail of a name below them, and their count is 0. A node's RRsets stand one behind the
 * other, in ascending order of type with the SOA ahead. */
#ifndef SLUICE_ZONE_INTERNAL_H
#define SLUICE_ZONE_INTERNAL_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/arena.h"
#include "rules/name.h"
#include "rules/record.h"

struct zone_node {
	const uint8_t *owner; /* uncompressed wire, in the case it was written in */
	const struct rrset *sets;
	uint32_t count; /* of sets */
};

struct zone_slot {
	uint32_t hash; /* the upper half of the name's; the lower half says where to look */
	uint32_t node; /* its index + 1; 0: empty */
};

struct zone {
	atomic_uint references;
	struct arena arena;
	struct hash_key key;
	struct name apex;
	struct zone_node *nodes; /* [0] is the apex */
	struct zone_slot *slots;
	size_t node_count, slot_mask;
	unsigned labels_max; /* of any name in it */
	const struct rrset *negative_soa;
	size_t record_sets, records;
};

/* Bytes that an RRset with so much wire takes, up to the one that follows it. */
static inline size_t zone_set_bytes(size_t wire_length)
{
	size_t align = _Alignof(struct rrset);

	return (offsetof(struct rrset, wire) + wire_length + align - 1) / align * align;
}

static inline const struct rrset *zone_next_set(const struct rrset *set)
{
	return (const struct rrset *)(const void *)((const uint8_t *)set +
						    zone_set_bytes(set->length));
}

static inline uint32_t zone_slot_hash(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}

#endif
