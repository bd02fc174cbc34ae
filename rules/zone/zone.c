/* Looks up names in a zone (RFC 1034 section 4.3.2, RFC 4592, RFC 6672).
 *
 * An existing name is found with one probe. Any other name is shortened label by label to a name
 * that exists, the closest encloser. Because empty non-terminals are nodes, too, the closest
 * encloser decides everything else:
 *
 *     qname            a.b.corp.test     not there
 *                        b.corp.test     not there
 *     closest encloser     corp.test     a DNAME here?  -> ZONE_DNAME
 *     source of        * . corp.test     there?         -> answered from it (wildcard)
 *     synthesis                          not there?     -> ZONE_NXDOMAIN
 *
 * A DNAME further up is not searched: the builder refuses data below a DNAME, so the closest
 * encloser of a name below one is the DNAME's owner. Private zones have no delegations.
 *
 * Not here: following chains, because the target of a CNAME or DNAME may belong to another zone or
 * a rule. */
#include "rules/zone/zone.h"

#include <assert.h>

#include "rules/zone/layout.h"

enum { ZONE_LINE = 64 }; /* bytes of a cache line */

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

bool zone_has_own_soa(const struct zone *zone)
{
	return !zone->soa_made_up;
}

size_t zone_bytes(const struct zone *zone)
{
	return sizeof *zone + zone->arena.held_bytes + zone->tree.bytes;
}

bool zone_is_editable(const struct zone *zone)
{
	return zone->tree.root;
}

/* The next node with this hash at *slot or later; NULL at the first gap. */
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

/* Most owners are in lower case, as a struct name always is. So the first comparison takes all
 * bytes at once. If the owner is shorter, memcmp reads on only in the padding up to the sets. */
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

/* The set for ANY (RFC 8482): the first one that is no signature, NSEC or NSEC3, else the first.
 * NULL: the name has none. */
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

/* The longest suffix of `name` that exists and is not the name itself; *label is its start. A name
 * longer than all names in the zone is first cut to that length, so the cost has a bound. */
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

/* ---- the same in a tree (tree.h), where neighbours show which names exist ---- */

static struct zone_key key_in(const struct zone *zone, const struct name *name,
			      uint8_t bytes[ZONE_KEY_MAX])
{
	return zone_key_of(bytes, zone_key_write(name, zone->apex.labels, bytes));
}

/* How many labels below the apex the key shares with the entry. */
static unsigned common_labels(const struct zone_key *key, const struct zone_entry *entry)
{
	struct zone_key other;

	if (!entry)
		return 0;
	other = zone_entry_key(entry);
	return zone_key_common(key, &other);
}

/* The node of an empty non-terminal. */
static const struct zone_node nothing;

/* The node at the key, even of an empty non-terminal; NULL: the name does not exist. */
static const struct zone_node *place_node(const struct zone_place *place,
					  const struct zone_key *key)
{
	struct zone_key behind;

	if (place->at)
		return zone_entry_node(place->at);
	if (!place->behind)
		return NULL;
	behind = zone_entry_key(place->behind);
	return zone_key_is_below(&behind, key) ? &nothing : NULL;
}

/* Answers for a key that does not exist; its first `labels` labels below the apex do. */
static void answer_below_tree(const struct zone *zone, const struct name *name,
			      const struct zone_key *key, unsigned labels, uint16_t type,
			      struct zone_answer *answer)
{
	struct zone_key encloser = zone_key_ancestor(key, labels), wildcard;
	const struct zone_entry *entry = zone_tree_find(&zone->tree, &encloser);
	uint8_t bytes[ZONE_KEY_MAX + 2];
	const struct zone_node *node;
	struct zone_place place;

	answer->rrset = entry ? find_set(zone_entry_node(entry), TYPE_DNAME) : NULL;
	if (answer->rrset) {
		answer->outcome = ZONE_DNAME;
		answer->owner_label = name->labels - zone->apex.labels - labels;
		return;
	}
	if (encloser.length > 0)
		memcpy(bytes, encloser.bytes, encloser.length);
	bytes[encloser.length] = '*';
	bytes[encloser.length + 1] = 0;
	wildcard = zone_key_of(bytes, encloser.length + 2);
	zone_tree_look(&zone->tree, &wildcard, &place);
	node = place_node(&place, &wildcard);
	if (!node)
		return;
	answer->wildcard = true;
	answer_from(node, type, answer);
}

static void find_in_tree(const struct zone *zone, const struct name *name, uint16_t type,
			 struct zone_answer *answer)
{
	uint8_t bytes[ZONE_KEY_MAX];
	struct zone_key key = key_in(zone, name, bytes);
	const struct zone_node *node;
	struct zone_place place;
	unsigned labels, others;

	zone_tree_look(&zone->tree, &key, &place);
	node = place_node(&place, &key);
	if (node) {
		answer_from(node, type, answer);
		return;
	}
	labels = common_labels(&key, place.before);
	others = common_labels(&key, place.behind);
	answer_below_tree(zone, name, &key, labels > others ? labels : others, type, answer);
}

/* ---- both kinds ---- */

void zone_find(const struct zone *zone, const struct name *name, uint16_t type,
	       struct zone_answer *answer)
{
	const struct zone_node *node;

	assert(name->labels >= zone->apex.labels);
	*answer = (struct zone_answer){.outcome = ZONE_NXDOMAIN, .zone = zone};
	if (zone->tree.root) {
		find_in_tree(zone, name, type, answer);
		return;
	}
	node = find_suffix(zone, name, 0);
	if (node)
		answer_from(node, type, answer);
	else
		answer_below(zone, name, type, answer);
}

const struct zone_node *zone_node_of(const struct zone *zone, const struct name *owner)
{
	uint8_t bytes[ZONE_KEY_MAX];
	const struct zone_entry *entry;
	struct zone_key key;

	if (!zone->tree.root)
		return find_suffix(zone, owner, 0);
	key = key_in(zone, owner, bytes);
	entry = zone_tree_find(&zone->tree, &key);
	return entry ? zone_entry_node(entry) : NULL;
}

const struct rrset *zone_find_exact(const struct zone *zone, const struct name *owner,
				    uint16_t type)
{
	const struct zone_node *node = zone_node_of(zone, owner);

	return node ? find_set(node, type) : NULL;
}

const struct rrset *zone_next_exact(const struct zone *zone, const struct name *owner,
				    const struct rrset *before)
{
	const struct zone_node *node = zone_node_of(zone, owner);
	const struct rrset *set = node ? zone_first_set(node) : NULL;
	bool passed = !before;

	for (unsigned i = 0; node && i < node->count; i++, set = zone_next_set(set)) {
		if (passed)
			return set;
		passed = set == before;
	}
	return NULL;
}

size_t zone_owners(const struct zone *zone)
{
	assert(zone_is_editable(zone));
	return zone->tree.entries;
}

/* The cursor's node; NULL at the end. */
static const struct zone_node *cursor_node(const struct zone *zone, struct zone_cursor *cursor)
{
	if (!zone->tree.root)
		return cursor->node < zone->body_bytes ? zone_node_at(zone, cursor->node) : NULL;
	if (cursor->node == 0)
		cursor->entry = zone_tree_first(&zone->tree);
	return cursor->entry ? zone_entry_node(cursor->entry) : NULL;
}

static void cursor_leave(const struct zone *zone, struct zone_cursor *cursor,
			 const struct zone_node *node)
{
	if (zone->tree.root) {
		struct zone_key key = zone_entry_key(cursor->entry);
		struct zone_place place;

		zone_tree_look(&zone->tree, &key, &place);
		cursor->entry = place.behind;
	}
	cursor->node += node->bytes;
	cursor->index = 0;
}

bool zone_next(const struct zone *zone, struct zone_cursor *cursor, const uint8_t **owner,
	       const struct rrset **set)
{
	const struct zone_node *node;

	while ((node = cursor_node(zone, cursor))) {
		if (cursor->index < node->count) {
			cursor->set =
				cursor->index ? zone_next_set(cursor->set) : zone_first_set(node);
			cursor->index++;
			*owner = node->owner;
			*set = cursor->set;
			return true;
		}
		cursor_leave(zone, cursor, node);
	}
	return false;
}

struct rrset_walk {
	int (*on_rrset)(void *context, const uint8_t *owner, const struct rrset *rrset);
	void *context;
};

static int walk_entry(void *context, const struct zone_entry *was, const struct zone_entry *is)
{
	const struct rrset_walk *walk = context;
	const struct zone_node *node = zone_entry_node(is);
	const struct rrset *set = zone_first_set(node);
	int stop = 0;

	(void)was;
	for (unsigned i = 0; !stop && i < node->count; i++, set = zone_next_set(set))
		stop = walk->on_rrset(walk->context, node->owner, set);
	return stop;
}

/* Walks a tree as its differences from an empty one, page by page, because a cursor would search
 * each owner again. */
int zone_walk(const struct zone *zone,
	      int (*on_rrset)(void *context, const uint8_t *owner, const struct rrset *rrset),
	      void *context)
{
	static const struct zone_tree no_tree;
	struct rrset_walk walk = {on_rrset, context};
	struct zone_cursor cursor = {0};
	const uint8_t *owner;
	const struct rrset *set;
	int stop = 0;

	if (zone->tree.root)
		return zone_tree_differences(&no_tree, &zone->tree, walk_entry, &walk);
	while (!stop && zone_next(zone, &cursor, &owner, &set))
		stop = on_rrset(context, owner, set);
	return stop;
}

/* ---- comparing ---- */

static bool set_equal(const struct rrset *a, const struct rrset *b)
{
	return a->length == b->length && memcmp(a->wire, b->wire, a->length) == 0;
}

/* The SOA comes before all others. */
static unsigned set_rank(const struct rrset *set)
{
	return set->type == TYPE_SOA ? 0 : set->type;
}

struct changes {
	int (*on_change)(void *context, const uint8_t *owner, const struct rrset *was,
			 const struct rrset *is);
	void *context;
};

static const struct rrset *node_set(const struct zone_node *node, unsigned index,
				    const struct rrset *before)
{
	if (!node || index >= node->count)
		return NULL;
	return index > 0 ? zone_next_set(before) : zone_first_set(node);
}

/* Compares the sets of one owner; NULL: it has none. */
static int compare_nodes(const struct changes *changes, const struct zone_node *was,
			 const struct zone_node *is)
{
	const struct zone_node *either = is ? is : was;
	const struct rrset *a = node_set(was, 0, NULL), *b = node_set(is, 0, NULL);
	unsigned at = 0, bt = 0;
	int stop = 0;

	assert(either);
	while (!stop && (a || b)) {
		bool first = a && (!b || set_rank(a) <= set_rank(b));
		bool second = b && (!a || set_rank(b) <= set_rank(a));

		if (!(first && second && set_equal(a, b)))
			stop = changes->on_change(changes->context, either->owner, first ? a : NULL,
						  second ? b : NULL);
		if (first)
			a = node_set(was, ++at, a);
		if (second)
			b = node_set(is, ++bt, b);
	}
	return stop;
}

static int on_difference(void *context, const struct zone_entry *was, const struct zone_entry *is)
{
	return compare_nodes(context, was ? zone_entry_node(was) : NULL,
			     is ? zone_entry_node(is) : NULL);
}

struct walker { /* a walk over owners */
	const struct zone *zone;
	struct zone_cursor cursor;
	const struct zone_node *node; /* NULL: at the end */
	struct zone_key key;
	uint8_t bytes[ZONE_KEY_MAX];
};

static void walker_stop_at_node(struct walker *walker)
{
	const struct zone *zone = walker->zone;
	struct name name;

	while ((walker->node = cursor_node(zone, &walker->cursor)) && walker->node->count == 0)
		cursor_leave(zone, &walker->cursor, walker->node);
	if (!walker->node)
		return;
	const uint8_t *owner = walker->node->owner;
	int err = name_from_wire(&name, &zone->key, owner, name_wire_length(owner), 0, NULL);
	assert(err == 0); /* a zone's owners are valid names */
	(void)err;
	walker->key = key_in(zone, &name, walker->bytes);
}

static void walker_go_on(struct walker *walker)
{
	cursor_leave(walker->zone, &walker->cursor, walker->node);
	walker_stop_at_node(walker);
}

/* Compares all owners of both zones. */
static int compare_whole(const struct changes *changes, const struct zone *before,
			 const struct zone *after)
{
	struct walker a = {.zone = before}, b = {.zone = after};
	int stop = 0;

	walker_stop_at_node(&a);
	walker_stop_at_node(&b);
	while (!stop && (a.node || b.node)) {
		int order = !a.node ? 1 : !b.node ? -1 : zone_key_compare(&a.key, &b.key);

		stop = compare_nodes(changes, order <= 0 ? a.node : NULL,
				     order >= 0 ? b.node : NULL);
		if (order <= 0)
			walker_go_on(&a);
		if (order >= 0)
			walker_go_on(&b);
	}
	return stop;
}

int zone_walk_changes(const struct zone *before, const struct zone *after,
		      int (*on_change)(void *context, const uint8_t *owner, const struct rrset *was,
				       const struct rrset *is),
		      void *context)
{
	struct changes changes = {on_change, context};

	if (before->tree.root && after->tree.root)
		return zone_tree_differences(&before->tree, &after->tree, on_difference, &changes);
	return compare_whole(&changes, before, after);
}

/* ---- the rest ---- */

void zone_expect(const struct zone *zone, const struct name *name, unsigned pass)
{
	const struct zone_slot *slot;

	if (!zone->slots)
		return;
	slot = &zone->slots[name->hash[0] & zone->slot_mask];
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
	zone_tree_release(&zone->tree);
	arena_release(&zone->arena);
	free(zone);
}
