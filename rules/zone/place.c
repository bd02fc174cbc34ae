/* Putting a checked zone where it stays: nodes with their RRsets, in canonical order, in one piece
 * of exactly the size that the check has counted, so that a small zone is small and a record among
 * a million costs little more than its bytes.
 *
 * A zone whose file has no SOA gets one here, as an Azure private zone has one that nobody wrote.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "rules/base.h"
#include "rules/wire.h"
#include "rules/zone/builder.h"
#include "rules/zone/internal.h"
#include "rules/zone/zone.h"

enum {
	SOA_TTL = 3600,        /* seconds, of a SOA we make up */
	SOA_MINIMUM_BYTES = 4, /* at the end of the rdata */
};

struct placer {
	struct zone *zone;
	size_t used; /* bytes of the body */
};

/* MNAME is the apex, RNAME hostmaster below it, or, where that would be too long, the apex too. */
static int add_soa(struct zone_builder *builder, const struct origin *origin)
{
	static const uint8_t hostmaster[] = "\012hostmaster";
	static const uint32_t times[] = {1, 3600, 300, 2419200, 300};
	const struct name *apex = &builder->apex;
	uint8_t rdata[2 * NAME_WIRE_MAX + sizeof times];
	size_t label = sizeof hostmaster - 1, at = apex->length;

	memcpy(rdata, apex->wire, apex->length);
	if (apex->length + label <= NAME_WIRE_MAX) {
		memcpy(rdata + at, hostmaster, label);
		at += label;
	}
	memcpy(rdata + at, apex->wire, apex->length);
	at += apex->length;
	for (size_t i = 0; i < COUNT(times); i++, at += 4)
		wire_put32(rdata + at, times[i]);
	builder->owner = *apex;
	return zone_builder_keep(builder, origin, apex->wire, TYPE_SOA, SOA_TTL, rdata, at);
}

static void insert_slot(struct zone *zone, uint64_t hash, size_t node_at)
{
	size_t slot = hash & zone->slot_mask;

	while (zone->slots[slot].node != 0)
		slot = (slot + 1) & zone->slot_mask;
	zone->slots[slot] = (struct zone_slot){.hash = zone_slot_hash(hash),
					       .node = (uint32_t)(node_at / ZONE_UNIT) + 1};
}

/* A node without sets for the suffix of an owner that starts at label `first`. */
static struct zone_node *place_node(struct placer *placer, const struct name *name, unsigned first,
				    const uint8_t *owner)
{
	struct zone_node *node = (struct zone_node *)(void *)(placer->zone->body + placer->used);
	size_t length = name_suffix_length(name, first);

	memcpy(node->owner, owner + name->offset[first], length);
	node->sets_at = (uint16_t)zone_sets_at(length);
	node->bytes = node->sets_at;
	insert_slot(placer->zone, name->hash[first], placer->used);
	placer->used += node->bytes;
	return node;
}

static void write_header(uint8_t *at, const struct entry *entry)
{
	wire_put16(at, 0xc00c);
	wire_put16(at + 2, entry->type);
	wire_put16(at + 4, CLASS_IN);
	wire_put32(at + 6, entry->ttl);
	wire_put16(at + 10, (uint16_t)entry->rdata_length);
}

/* Behind what the node has. */
static void place_set(struct placer *placer, struct zone_node *node, struct span set)
{
	struct rrset *rrset = (struct rrset *)(void *)(placer->zone->body + placer->used);
	uint8_t *at = rrset->wire;

	set = zone_unique(set);
	rrset->type = set.items->type;
	rrset->count = (uint16_t)set.count;
	rrset->ttl = set.items->ttl;
	rrset->length = (uint32_t)zone_wire_length(set);
	for (size_t i = 0; i < set.count; i++) {
		write_header(at, &set.items[i]);
		memcpy(at + RECORD_HEADER, set.items[i].rdata, set.items[i].rdata_length);
		at += RECORD_HEADER + set.items[i].rdata_length;
	}
	node->count++;
	node->bytes += (uint32_t)zone_set_bytes(rrset->length);
	placer->used += zone_set_bytes(rrset->length);
}

/* The nodes between the owner before and this one, this one's, and its sets. */
static void place_owner(struct placer *placer, const struct entry *before, struct span owner)
{
	const uint8_t *wire = owner.items->owner;
	struct zone_node *node;
	struct name name;
	struct span set;
	int err;

	err = name_from_wire(&name, &placer->zone->key, wire, name_wire_length(wire), 0, NULL);
	assert(err == 0); /* it was when it was added */
	(void)err;
	if (name.labels > placer->zone->labels_max)
		placer->zone->labels_max = name.labels;
	for (size_t i = zone_count_between(before, owner.items); i > 0; i--)
		place_node(placer, &name, (unsigned)i, wire);
	node = place_node(placer, &name, 0, wire);
	for (size_t i = 0; i < owner.count; i += set.count) {
		set = zone_set_span(owner.items + i, owner.count - i);
		place_set(placer, node, set);
	}
}

/* The SOA for negative answers: its TTL is at most MINIMUM (RFC 2308 section 5). */
static struct rrset *copy_negative_soa(struct arena *arena, const struct rrset *soa)
{
	size_t bytes = zone_set_bytes(soa->length);
	struct rrset *negative = arena_alloc(arena, bytes);
	uint32_t minimum = wire_u32(soa->wire + soa->length - SOA_MINIMUM_BYTES);

	if (!negative)
		return NULL;
	memcpy(negative, soa, bytes);
	if (minimum < negative->ttl)
		negative->ttl = minimum;
	wire_put32(negative->wire + 6, negative->ttl);
	return negative;
}

static int alloc_arrays(struct zone *zone, const struct totals *totals)
{
	size_t slots = 4;

	while (slots < 2 * totals->nodes)
		slots *= 2;
	zone->slot_mask = slots - 1;
	zone->body_bytes = totals->bytes;
	zone->slots = arena_alloc_array(&zone->arena, slots, sizeof *zone->slots);
	zone->body = arena_alloc(&zone->arena, totals->bytes);
	return zone->slots && zone->body ? 0 : ERR_NOMEM;
}

static struct zone *place(struct zone_builder *builder, const struct totals *totals)
{
	struct zone *zone = calloc(1, sizeof *zone);
	const struct entry *before = NULL;
	struct placer placer = {.zone = zone};
	struct span owner;

	if (!zone)
		return NULL;
	atomic_init(&zone->references, 1);
	arena_init(&zone->arena);
	zone->key = builder->key;
	zone->apex = builder->apex;
	zone->record_sets = totals->sets;
	zone->records = totals->records;
	zone->soa_made_up = !builder->has_soa;
	if (totals->bytes / ZONE_UNIT >= UINT32_MAX || alloc_arrays(zone, totals) != 0)
		goto failed;
	for (size_t i = 0; i < builder->count; i += owner.count) {
		owner = zone_owner_span(builder->entries + i, builder->count - i);
		place_owner(&placer, before, owner);
		before = owner.items;
	}
	assert(placer.used == totals->bytes);
	assert(zone_first_set(zone_node_at(zone, 0))->type == TYPE_SOA);
	zone->negative_soa = copy_negative_soa(&zone->arena, zone_first_set(zone_node_at(zone, 0)));
	if (zone->negative_soa)
		return zone;

failed:
	zone_unref(zone);
	return NULL;
}

struct zone *zone_builder_finish(struct zone_builder *builder, const struct origin *origin,
				 struct faults *faults)
{
	struct zone *zone = NULL;
	struct totals totals;

	if (!builder->has_soa && add_soa(builder, origin) != 0)
		builder->out_of_memory = true;
	if (!builder->out_of_memory)
		zone_builder_check(builder, &totals, faults);
	if (!builder->out_of_memory && !builder->broken) {
		zone = place(builder, &totals);
		builder->out_of_memory = zone == NULL;
	}
	if (builder->out_of_memory)
		fault_add(faults, FAULT_ERROR, origin, NULL,
			  "there is not enough memory for the zone");
	zone_builder_free(builder);
	return zone;
}
