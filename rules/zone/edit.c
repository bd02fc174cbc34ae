/* Versions of a zone. A draft only gathers edits; the commit goes through them owner by owner, in
 * canonical order:
 *
 *     the owner's old sets ─┐
 *                           ├─► builder (build.c) ─► entry ─► tree     if equal: no change
 *     the edited sets      ─┘   checks, warns
 *
 * The apex comes last, because its SOA has the serial, which depends on whether anything has
 * changed. Data below a DNAME concern several owners, and are looked for after all changes. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "rules/array.h"
#include "rules/wire.h"
#include "rules/zone/layout.h"

enum { SOA_NUMBERS = 20 }; /* bytes at the end of a SOA's data, beginning with the serial */

struct draft_record {
	struct draft_record *next;
	uint32_t ttl;
	size_t length;
	uint8_t rdata[];
};

struct draft_set { /* an edit: the new set */
	struct zone_key key;
	const uint8_t *owner;
	struct origin origin;
	uint16_t type;
	size_t order; /* its number, as put */
	struct draft_record *first, **end;
};

struct zone_draft {
	struct zone *before;
	struct arena arena;
	struct draft_set **sets;
	size_t count, room;
	bool broken, out_of_memory; /* the draft gives no version */
};

/* ---- gather ---- */

struct zone_draft *zone_edit(struct zone *before)
{
	struct zone_draft *draft = calloc(1, sizeof *draft);

	assert(zone_is_editable(before));
	if (!draft)
		return NULL;
	arena_init(&draft->arena);
	draft->before = zone_ref(before);
	return draft;
}

void zone_discard(struct zone_draft *draft)
{
	if (!draft)
		return;
	zone_unref(draft->before);
	arena_release(&draft->arena);
	free(draft->sets);
	free(draft);
}

static const uint8_t *copy_bytes(struct zone_draft *draft, const uint8_t *bytes, size_t length)
{
	uint8_t *copy = arena_alloc_bytes(&draft->arena, length);

	if (copy && length > 0)
		memcpy(copy, bytes, length);
	return copy;
}

static bool copy_origin(struct zone_draft *draft, struct origin *to, const struct origin *from)
{
	*to = *from;
	if (from->file)
		to->file = arena_strdup(&draft->arena, from->file);
	if (from->path)
		to->path = arena_strdup(&draft->arena, from->path);
	return !from->file == !to->file && !from->path == !to->path;
}

static struct draft_set *new_set(struct zone_draft *draft)
{
	struct draft_set *set = arena_alloc(&draft->arena, sizeof *set);
	struct draft_set **sets =
		array_grow(draft->sets, draft->count, &draft->room, sizeof(*sets));

	if (!sets)
		return NULL;
	draft->sets = sets;
	return set;
}

static bool read_owner(const struct zone_draft *draft, const struct origin *origin,
		       const uint8_t *owner, struct name *name, struct faults *faults)
{
	const struct zone *zone = draft->before;
	char text[NAME_TEXT_MAX], apex[NAME_TEXT_MAX];

	if (name_from_wire(name, &zone->key, owner, name_wire_length(owner), 0, NULL) != 0)
		fault_add(faults, FAULT_ERROR, origin, NULL, "the owner is not a name");
	else if (!name_is_under(name, &zone->apex))
		fault_add(faults, FAULT_ERROR, origin, NULL, ZONE_OUTSIDE,
			  name_wire_to_text(owner, text), name_to_text(&zone->apex, apex));
	else
		return true;
	return false;
}

int zone_draft_put(struct zone_draft *draft, const struct origin *origin, const uint8_t *owner,
		   uint16_t type, struct faults *faults)
{
	uint8_t bytes[ZONE_KEY_MAX];
	struct draft_set *set;
	struct name name;

	if (!read_owner(draft, origin, owner, &name, faults)) {
		draft->broken = true;
		return ERR_FAULTS;
	}
	size_t length = zone_key_write(&name, draft->before->apex.labels, bytes);
	const uint8_t *key = copy_bytes(draft, bytes, length);
	set = new_set(draft);
	if (!set || !key || !(set->owner = copy_bytes(draft, owner, name.length)) ||
	    !copy_origin(draft, &set->origin, origin)) {
		draft->out_of_memory = true;
		return ERR_NOMEM;
	}
	set->key = zone_key_of(key, length);
	set->type = type;
	set->order = draft->count;
	set->end = &set->first;
	draft->sets[draft->count++] = set;
	return 0;
}

int zone_draft_add(struct zone_draft *draft, uint32_t ttl, const uint8_t *rdata, size_t length)
{
	struct draft_record *record = arena_alloc(&draft->arena, sizeof *record + length);
	struct draft_set *set;

	assert(draft->count > 0);
	if (!record) {
		draft->out_of_memory = true;
		return ERR_NOMEM;
	}
	record->ttl = ttl;
	record->length = length;
	if (length > 0)
		memcpy(record->rdata, rdata, length);
	set = draft->sets[draft->count - 1];
	*set->end = record;
	set->end = &record->next;
	return 0;
}

/* ---- entries ---- */

static const struct rrset *entry_set(const struct zone_entry *entry, uint16_t type)
{
	const struct zone_node *node = entry ? zone_entry_node(entry) : NULL;
	const struct rrset *set = node ? zone_first_set(node) : NULL;

	for (unsigned i = 0; node && i < node->count; i++, set = zone_next_set(set))
		if (set->type == type)
			return set;
	return NULL;
}

static bool entry_equal(const struct zone_entry *a, const struct zone_entry *b)
{
	const struct zone_node *one, *two;

	if (!a || !b)
		return a == b;
	one = zone_entry_node(a);
	two = zone_entry_node(b);
	return one->bytes == two->bytes && memcmp(one, two, one->bytes) == 0;
}

static void count_entry(struct zone *zone, const struct zone_entry *entry, bool comes)
{
	const struct zone_node *node = entry ? zone_entry_node(entry) : NULL;
	const struct rrset *set = node ? zone_first_set(node) : NULL;

	for (unsigned i = 0; node && i < node->count; i++, set = zone_next_set(set)) {
		if (comes)
			zone_content_add(&zone->content, node->owner, set);
		else
			zone_content_take(&zone->content, node->owner, set);
		zone->record_sets += comes ? 1 : (size_t)-1;
		zone->records += comes ? set->count : -(size_t)set->count;
		if (set->type == TYPE_DNAME)
			zone->dnames += comes ? 1 : (size_t)-1;
	}
}

/* Replaces the zone's entry by this one (NULL: removes it), and takes it over. */
static int replace(struct zone *zone, const struct zone_key *key, struct zone_entry *entry)
{
	const struct zone_entry *was = zone_tree_find(&zone->tree, key);
	int err;

	count_entry(zone, was, false);
	count_entry(zone, entry, true);
	err = entry ? zone_tree_put(&zone->tree, entry) : zone_tree_remove(&zone->tree, key);
	if (err)
		zone_entry_unref(entry);
	return err;
}

static uint8_t *serial_in(struct zone_entry *apex)
{
	const struct rrset *soa = zone_first_set(zone_entry_node(apex));

	assert(soa->type == TYPE_SOA);
	return (uint8_t *)(uintptr_t)(soa->wire + soa->length - SOA_NUMBERS);
}

/* ---- versions ---- */

/* A copy of the former version without its SOA for negative answers; NULL without memory. */
static struct zone *zone_next_version(const struct zone *before)
{
	struct zone *zone = calloc(1, sizeof *zone);

	if (!zone)
		return NULL;
	atomic_init(&zone->references, 1);
	arena_init(&zone->arena);
	zone->key = before->key;
	name_copy(&zone->apex, &before->apex);
	zone->record_sets = before->record_sets;
	zone->records = before->records;
	zone->soa_made_up = before->soa_made_up;
	zone->content = before->content;
	zone->dnames = before->dnames;
	zone->tree = zone_tree_share(&before->tree);
	return zone;
}

/* Completes the version with this apex and the serial. */
static int finish_version(struct zone *zone, struct zone_entry *apex, uint32_t serial)
{
	static const struct zone_key key;
	int err;

	wire_put32(serial_in(apex), serial);
	err = replace(zone, &key, apex);
	if (err)
		return err;
	zone->negative_soa =
		zone_copy_negative_soa(&zone->arena, zone_first_set(zone_entry_node(apex)));
	return zone->negative_soa ? 0 : ERR_NOMEM;
}

static struct zone_entry *copy_apex(const struct zone *zone)
{
	static const struct zone_key key;
	const struct zone_node *node = zone_entry_node(zone_tree_first(&zone->tree));
	struct zone_entry *copy = zone_entry_new(&key, node->bytes);

	if (copy)
		memcpy(zone_entry_node(copy), node, node->bytes);
	return copy;
}

struct zone *zone_version_with_serial(const struct zone *zone, uint32_t serial)
{
	struct zone *version = zone_next_version(zone);
	struct zone_entry *apex = copy_apex(zone);

	if (version && apex && finish_version(version, apex, serial) == 0)
		return version;
	if (!version)
		zone_entry_unref(apex);
	zone_unref(version);
	return NULL;
}

struct zone *zone_new(const struct hash_key *key, const struct name *apex, uint32_t serial)
{
	struct zone *zone = calloc(1, sizeof *zone);
	struct zone_builder *builder = zone_builder_new(key, apex);
	struct zone_entry *entry = NULL;
	struct faults faults; /* only about memory */

	faults_init(&faults);
	if (zone && builder)
		entry = zone_builder_owner(builder, true, &faults);
	zone_builder_free(builder);
	faults_release(&faults);
	if (!entry) {
		free(zone);
		return NULL;
	}
	atomic_init(&zone->references, 1);
	arena_init(&zone->arena);
	zone->key = *key;
	name_copy(&zone->apex, apex);
	zone->soa_made_up = true;
	if (finish_version(zone, entry, serial) == 0)
		return zone;
	zone_unref(zone);
	return NULL;
}

/* ---- commit ---- */

struct committing {
	struct zone_draft *draft;
	struct zone *zone; /* the next version */
	struct zone_builder *builder;
	struct faults *faults;
	bool changed, out_of_memory;
	/* apex: the new entry, which is put last; NULL: the apex was not edited. serial: that of
	 * the SOA that was put, if has_serial. */
	struct zone_entry *apex;
	uint32_t serial;
	bool has_serial;
};

static int compare_sets(const void *left, const void *right)
{
	const struct draft_set *a = *(struct draft_set *const *)left;
	const struct draft_set *b = *(struct draft_set *const *)right;
	int order = zone_key_compare(&a->key, &b->key);

	if (order == 0)
		order = a->type - b->type;
	return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

/* The edits of one owner, by type; the last edit of a type counts. */
struct owner_edits {
	struct draft_set *const *sets;
	size_t count;
};

static bool is_edited(const struct owner_edits *edits, uint16_t type)
{
	for (size_t i = 0; i < edits->count; i++)
		if (edits->sets[i]->type == type)
			return true;
	return false;
}

/* Adds the records of the owner's unedited sets, except a made-up SOA; returns how many. */
static size_t add_kept(struct committing *c, const struct zone_entry *was,
		       const struct owner_edits *edits)
{
	static const struct origin nowhere;
	const struct zone_node *node = was ? zone_entry_node(was) : NULL;
	const struct rrset *set = node ? zone_first_set(node) : NULL;
	size_t count = 0;

	for (unsigned i = 0; node && i < node->count; i++, set = zone_next_set(set)) {
		const uint8_t *record = set->wire;

		if (is_edited(edits, set->type) || (set->type == TYPE_SOA && c->zone->soa_made_up))
			continue;
		for (unsigned r = 0; r < set->count; r++) {
			size_t length = wire_u16(record + RECORD_HEADER - 2);
			int err = zone_builder_add(c->builder, &nowhere, node->owner, set->type,
						   set->ttl, record + RECORD_HEADER, length,
						   c->faults);

			c->out_of_memory = c->out_of_memory || err == ERR_NOMEM;
			record += RECORD_HEADER + length;
			count++;
		}
	}
	return count;
}

static size_t add_put(struct committing *c, const struct owner_edits *edits)
{
	size_t count = 0;

	for (size_t i = 0; i < edits->count; i++) {
		const struct draft_set *set = edits->sets[i];

		if (i + 1 < edits->count && edits->sets[i + 1]->type == set->type)
			continue;
		for (const struct draft_record *at = set->first; at; at = at->next, count++) {
			int err = zone_builder_add(c->builder, &set->origin, set->owner, set->type,
						   at->ttl, at->rdata, at->length, c->faults);

			c->out_of_memory = c->out_of_memory || err == ERR_NOMEM;
		}
	}
	return count;
}

/* Makes the apex's entry with its edits, and the old serial. */
static void change_apex(struct committing *c, const struct zone_entry *was,
			const struct owner_edits *edits)
{
	struct zone_entry *entry;
	uint8_t *serial;

	add_kept(c, was, edits);
	add_put(c, edits);
	entry = zone_builder_owner(c->builder, true, c->faults);
	if (!entry)
		return;
	for (size_t i = 0; i < edits->count; i++) /* the last SOA counts */
		if (edits->sets[i]->type == TYPE_SOA)
			c->has_serial = edits->sets[i]->first;
	if (is_edited(edits, TYPE_SOA))
		c->zone->soa_made_up = !c->has_serial;
	serial = serial_in(entry);
	c->serial = wire_u32(serial);
	memcpy(serial, serial_in((struct zone_entry *)(uintptr_t)was), sizeof c->serial);
	c->changed = c->changed || !entry_equal(was, entry) ||
		     c->zone->soa_made_up != c->draft->before->soa_made_up ||
		     (c->has_serial && serial_is_newer(c->serial, wire_u32(serial)));
	c->apex = entry;
}

static void change_owner(struct committing *c, const struct owner_edits *edits)
{
	const struct zone_key *key = &edits->sets[0]->key;
	const struct zone_entry *was = zone_tree_find(&c->zone->tree, key);
	struct zone_entry *entry = NULL;

	if (key->length == 0) {
		change_apex(c, was, edits);
		return;
	}
	if (add_kept(c, was, edits) + add_put(c, edits) > 0) {
		entry = zone_builder_owner(c->builder, false, c->faults);
		if (!entry)
			return;
	}
	if (entry_equal(was, entry)) {
		zone_entry_unref(entry);
		return;
	}
	c->changed = true;
	if (replace(c->zone, key, entry) != 0)
		c->out_of_memory = true;
}

/* ---- below a DNAME (RFC 6672 section 2.4) ---- */

static void refuse_below_dname(const struct committing *c, const struct draft_set *edit,
			       const uint8_t *owner)
{
	char text[NAME_TEXT_MAX];

	fault_add(c->faults, FAULT_ERROR, &edit->origin, NULL, ZONE_BELOW_DNAME,
		  name_wire_to_text(owner, text), "");
}

static void check_dnames(const struct committing *c, const struct draft_set *edit)
{
	const struct zone_tree *tree = &c->zone->tree;
	unsigned labels = zone_key_common(&edit->key, &edit->key);
	struct zone_place place;
	struct zone_key other;

	zone_tree_look(tree, &edit->key, &place);
	if (!place.at)
		return;
	for (unsigned i = 0; i < labels; i++) {
		other = zone_key_ancestor(&edit->key, i);
		if (entry_set(zone_tree_find(tree, &other), TYPE_DNAME)) {
			refuse_below_dname(c, edit, edit->owner);
			return;
		}
	}
	if (!place.behind || !entry_set(place.at, TYPE_DNAME))
		return;
	other = zone_entry_key(place.behind);
	if (zone_key_is_below(&other, &edit->key))
		refuse_below_dname(c, edit, zone_entry_node(place.behind)->owner);
}

/* ---- the whole ---- */

static void change_owners(struct committing *c)
{
	struct zone_draft *draft = c->draft;
	size_t end;

	if (draft->count > 0)
		qsort(draft->sets, draft->count, sizeof(*draft->sets), compare_sets);
	for (size_t i = 0; i < draft->count; i = end) {
		for (end = i + 1;
		     end < draft->count &&
		     zone_key_compare(&draft->sets[i]->key, &draft->sets[end]->key) == 0;)
			end++;
		const struct owner_edits edits = {draft->sets + i, end - i};
		change_owner(c, &edits);
	}
	zone_builder_warn_rest(c->builder, c->faults);
}

/* Completes the version with the new apex and a newer serial. */
static int finish(struct committing *c, uint64_t now_s)
{
	struct zone_entry *apex = c->apex ? c->apex : copy_apex(c->draft->before);
	uint32_t serial = serial_next(zone_serial(c->draft->before), now_s);

	c->apex = NULL;
	if (!apex)
		return ERR_NOMEM;
	if (c->has_serial && serial_is_newer(c->serial, serial))
		serial = c->serial;
	return finish_version(c->zone, apex, serial);
}

static void commit(struct committing *c, uint64_t now_s)
{
	struct zone_draft *draft = c->draft;
	size_t errors = c->faults->errors;
	static const struct origin nowhere;

	c->zone = zone_next_version(draft->before);
	c->builder = zone_builder_new(&draft->before->key, &draft->before->apex);
	c->out_of_memory = draft->out_of_memory || !c->zone || !c->builder;
	if (!c->out_of_memory)
		change_owners(c);
	if (!c->out_of_memory && c->faults->errors == errors && c->changed)
		c->out_of_memory = finish(c, now_s) != 0;
	for (size_t i = 0; !c->out_of_memory && c->zone->dnames > 0 && i < draft->count; i++)
		if (i == 0 || zone_key_compare(&draft->sets[i - 1]->key, &draft->sets[i]->key) != 0)
			check_dnames(c, draft->sets[i]);
	if (c->out_of_memory)
		fault_add(c->faults, FAULT_ERROR, &nowhere, NULL,
			  "there is not enough memory for the zone");
	bool good = c->faults->errors == errors && !draft->broken;
	if (good && c->changed)
		return;
	zone_unref(c->zone);
	c->zone = good ? zone_ref(draft->before) : NULL;
}

struct zone *zone_commit(struct zone_draft *draft, uint64_t now_s, struct faults *faults)
{
	struct committing c = {.draft = draft, .faults = faults};

	commit(&c, now_s);
	zone_entry_unref(c.apex);
	zone_builder_free(c.builder);
	zone_discard(draft);
	return c.zone;
}
