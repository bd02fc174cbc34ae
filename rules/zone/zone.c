/* Looking things up in a zone (RFC 1034 section 4.3.2, RFC 4592, RFC 6672).
 *
 * A name that exists is found with one probe. One that does not is shortened label by label until
 * something exists, the closest encloser. Because empty non-terminals are nodes as well, that is
 * where everything else is decided:
 *
 *     qname            a.b.corp.test     not there
 *                        b.corp.test     not there
 *     closest encloser     corp.test     a DNAME here?  -> ZONE_DNAME
 *     source of        * . corp.test     there?         -> answered from it (wildcard)
 *     synthesis                          not there?     -> ZONE_NXDOMAIN
 *
 * A DNAME further up needs no look: the builder refuses data below a DNAME, so the closest encloser
 * of a name below one is its owner. Delegations do not exist in a private zone.
 *
 * This file does not follow chains: CNAME and DNAME targets may belong to another zone or a rule,
 * which is the policy's to say. */
#include "rules/zone/zone.h"

#include <assert.h>

#include "rules/zone/layout.h"

enum { ZONE_LINE = 64 }; /* bytes that memory is fetched by */

const struct name *zone_apex(const struct zone *zone)
{
	return &zone->apex;
}

const struct rrset *zone_negative_soa(const struct zone *zone)
{
	return zone->negative_soa;
}

size_t zone_record_sets(const struct zone *zone)
{
	return zone->record_sets;
}

size_t zone_records(const struct zone *zone)
{
	return zone->records;
}

bool zone_is_empty(const struct zone *zone)
{
	return zone->soa_made_up && zone->records == 1;
}

size_t zone_bytes(const struct zone *zone)
{
	return sizeof *zone + zone->arena.held_bytes;
}

/* The next node with this hash at or behind *slot, NULL at the first gap. */
static const struct zone_node *probe(const struct zone *zone, uint64_t hash, size_t *slot)
{
	uint32_t wanted = zone_slot_hash(hash);

	for (;; *slot = (*slot + 1) & zone->slot_mask) {
		const struct zone_slot *at = &zone->slots[*slot];

		if (at->node == 0)
			return NULL;
		if (at->hash == wanted)
			return zone_slot_node(zone, at);
	}
}

/* Most owners are written as a name is kept, in lower case, so all bytes are looked at at once
 * first; what is behind a shorter owner is padding up to the sets. */
static bool owner_equal(const struct zone_node *node, const struct name *name, unsigned first)
{
	const uint8_t *wire = name_suffix_wire(name, first);
	size_t length = name_suffix_length(name, first);

	return (length <= node->sets_at - offsetof(struct zone_node, owner) &&
		memcmp(node->owner, wire, length) == 0) ||
	       name_wire_equal(node->owner, wire);
}

/* The node of the suffix of `name` that starts at label `first`. */
static const struct zone_node *find_suffix(const struct zone *zone, const struct name *name,
					   unsigned first)
{
	uint64_t hash = name->hash[first];
	size_t slot = hash & zone->slot_mask;
	const struct zone_node *node;

	while ((node = probe(zone, hash, &slot))) {
		if (owner_equal(node, name, first))
			return node;
		slot = (slot + 1) & zone->slot_mask;
	}
	return NULL;
}

/* The node of "*." and the suffix of `name` that starts at label `first`. */
static const struct zone_node *find_wildcard(const struct zone *zone, const struct name *name,
					     unsigned first)
{
	uint64_t hash = name_hash_label(&zone->key, name->hash[first], (const uint8_t *)"*", 1);
	size_t slot = hash & zone->slot_mask;
	const struct zone_node *node;

	while ((node = probe(zone, hash, &slot))) {
		const uint8_t *owner = node->owner;

		if (owner[0] == 1 && owner[1] == '*' &&
		    name_wire_equal(owner + 2, name_suffix_wire(name, first)))
			return node;
		slot = (slot + 1) & zone->slot_mask;
	}
	return NULL;
}

static const struct rrset *find_set(const struct zone_node *node, uint16_t type)
{
	const struct rrset *set = zone_first_set(node);

	for (unsigned i = 0; i < node->count; i++, set = zone_next_set(set)) {
		if (set->type == type)
			return set;
	}
	return NULL;
}

/* What ANY gets: the first set that is not there only to vouch for another one (RFC 8482). */
static const struct rrset *pick_any(const struct zone_node *node)
{
	const struct rrset *set = zone_first_set(node);

	for (unsigned i = 0; i < node->count; i++, set = zone_next_set(set)) {
		if (set->type != TYPE_RRSIG && set->type != TYPE_NSEC && set->type != TYPE_NSEC3)
			return set;
	}
	return node->count > 0 ? zone_first_set(node) : NULL;
}

static void answer_from(const struct zone_node *node, uint16_t type, struct zone_answer *answer)
{
	answer->outcome = ZONE_HIT;
	answer->rrset = type == TYPE_ANY ? pick_any(node) : find_set(node, type);
	if (answer->rrset)
		return;
	answer->outcome = ZONE_CNAME;
	answer->rrset = find_set(node, TYPE_CNAME);
	if (!answer->rrset)
		answer->outcome = ZONE_NODATA;
}

/* The longest suffix of `name` that exists and is not the name itself; *label is where it starts.
 * Names longer than any in the zone are cut to that length first, so the cost has a bound. */
static const struct zone_node *find_encloser(const struct zone *zone, const struct name *name,
					     unsigned *label)
{
	unsigned last = name->labels - zone->apex.labels;
	unsigned first = name->labels > zone->labels_max ? name->labels - zone->labels_max : 1;

	for (unsigned i = first; i < last; i++) {
		const struct zone_node *node = find_suffix(zone, name, i);

		if (node) {
			*label = i;
			return node;
		}
	}
	*label = last;
	return zone_node_at(zone, 0);
}

static void answer_below(const struct zone *zone, const struct name *name, uint16_t type,
			 struct zone_answer *answer)
{
	unsigned label;
	const struct zone_node *encloser = find_encloser(zone, name, &label);
	const struct zone_node *wildcard;

	answer->rrset = find_set(encloser, TYPE_DNAME);
	if (answer->rrset) {
		answer->outcome = ZONE_DNAME;
		answer->owner_label = label;
		return;
	}
	wildcard = find_wildcard(zone, name, label);
	if (!wildcard)
		return;
	answer->wildcard = true;
	answer_from(wildcard, type, answer);
}

void zone_find(const struct zone *zone, const struct name *name, uint16_t type,
	       struct zone_answer *answer)
{
	const struct zone_node *node;

	assert(name->labels >= zone->apex.labels);
	*answer = (struct zone_answer){.outcome = ZONE_NXDOMAIN, .zone = zone};
	node = find_suffix(zone, name, 0);
	if (node)
		answer_from(node, type, answer);
	else
		answer_below(zone, name, type, answer);
}

const struct rrset *zone_find_exact(const struct zone *zone, const struct name *owner,
				    uint16_t type)
{
	const struct zone_node *node = find_suffix(zone, owner, 0);

	return node ? find_set(node, type) : NULL;
}

int zone_walk(const struct zone *zone,
	      int (*on_rrset)(void *context, const uint8_t *owner, const struct rrset *rrset),
	      void *context)
{
	struct zone_cursor cursor = {0};
	const uint8_t *owner;
	const struct rrset *set;
	int stop = 0;

	while (!stop && zone_next(zone, &cursor, &owner, &set))
		stop = on_rrset(context, owner, set);
	return stop;
}

bool zone_next(const struct zone *zone, struct zone_cursor *cursor, const uint8_t **owner,
	       const struct rrset **set)
{
	while (cursor->node < zone->body_bytes) {
		const struct zone_node *node = zone_node_at(zone, cursor->node);

		if (cursor->index < node->count) {
			cursor->set =
				cursor->index ? zone_next_set(cursor->set) : zone_first_set(node);
			cursor->index++;
			*owner = node->owner;
			*set = cursor->set;
			return true;
		}
		cursor->node += node->bytes;
		cursor->index = 0;
	}
	return false;
}

void zone_expect(const struct zone *zone, const struct name *name, unsigned pass)
{
	const struct zone_slot *slot = &zone->slots[name->hash[0] & zone->slot_mask];

	if (pass == 0) {
		__builtin_prefetch(slot);
	} else if (slot->node != 0) {
		const uint8_t *node = (const uint8_t *)zone_slot_node(zone, slot);

		__builtin_prefetch(node);
		__builtin_prefetch(node + ZONE_LINE);
	}
}

struct zone *zone_ref(struct zone *zone)
{
	atomic_fetch_add_explicit(&zone->references, 1, memory_order_relaxed);
	return zone;
}

void zone_unref(struct zone *zone)
{
	if (!zone || atomic_fetch_sub_explicit(&zone->references, 1, memory_order_acq_rel) != 1)
		return;
	arena_release(&zone->arena);
	free(zone);
}
