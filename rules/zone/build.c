/* Building a zone: gather, sort, check, place. This file gathers; zone/check.c and
 * zone/place.c do the rest.
 *
 *     zone_builder_add     record by record: what can be said of one record alone is checked here
 *     zone_builder_finish  sort by (owner in canonical order, type, rdata)
 *                          check   owner by owner, set by set; counts what the zone will hold
 *                          place   into arrays of exactly that size
 *
 * Every record has a sort key that memcmp orders as RFC 4034 section 6.1 orders names: the labels
 * below the apex from right to left in lower case, each ended by 0. (0 and 1 within a label become
 * 1 1 and 1 2, which keeps both the order and the ends apart.)
 *
 *     apex corp.test     www.Eu.corp.test  ->  e u 0 w w w 0
 *
 * What the builder does not check: how many records there are (limits.h), and whether what a record
 * points to exists. */
#include <stdlib.h>
#include <string.h>

#include "rules/zone/builder.h"
#include "rules/zone/rdata.h"
#include "rules/zone/zone.h"

enum {
	KEY_MAX = 2 * NAME_WIRE_MAX,
	TTL_MAX = INT32_MAX, /* RFC 2181 section 8 */
};

struct zone_builder *zone_builder_new(const struct hash_key *key, const struct name *apex)
{
	struct zone_builder *builder = calloc(1, sizeof *builder);

	if (!builder)
		return NULL;
	arena_init(&builder->arena);
	builder->key = *key;
	builder->apex = *apex;
	if (apex->labels >= 2 && 2 * apex->length - 1 <= NAME_WIRE_MAX) {
		memcpy(builder->doubled, apex->wire, apex->length - 1);
		memcpy(builder->doubled + apex->length - 1, apex->wire, apex->length);
		builder->doubled_length = 2 * (size_t)apex->length - 1;
	}
	return builder;
}

void zone_builder_free(struct zone_builder *builder)
{
	if (!builder)
		return;
	arena_release(&builder->arena);
	free(builder->entries);
	free(builder);
}

static const struct source *find_source(struct zone_builder *builder, const struct origin *origin)
{
	const char *file = origin->file ? origin->file : "";
	const char *path = origin->path ? origin->path : "";
	struct source *source;

	if (builder->source && strcmp(builder->source->file, file) == 0 &&
	    strcmp(builder->source->path, path) == 0)
		return builder->source;
	source = arena_alloc(&builder->arena, sizeof *source);
	if (!source)
		return NULL;
	source->file = arena_strdup(&builder->arena, file);
	source->path = arena_strdup(&builder->arena, path);
	if (!source->file || !source->path)
		return NULL;
	builder->source = source;
	return source;
}

static size_t write_key(const struct zone_builder *builder, uint8_t key[KEY_MAX])
{
	const struct name *owner = &builder->owner;
	size_t used = 0;

	for (unsigned i = owner->labels - builder->apex.labels; i-- > 0;) {
		const uint8_t *label = name_suffix_wire(owner, i);

		for (unsigned n = 1; n <= label[0]; n++) {
			if (label[n] <= 1)
				key[used++] = 1;
			key[used++] = (uint8_t)(label[n] + (label[n] <= 1));
		}
		key[used++] = 0;
	}
	return used;
}

static uint64_t key_start(const uint8_t *key, size_t length)
{
	uint64_t start = 0;

	for (size_t i = 0; i < sizeof start; i++)
		start = start << 8 | (i < length ? key[i] : 0);
	return start;
}

static const uint8_t *copy_bytes(struct zone_builder *builder, const uint8_t *bytes, size_t length)
{
	uint8_t *copy = arena_alloc_bytes(&builder->arena, length);

	if (copy && length > 0)
		memcpy(copy, bytes, length);
	return copy;
}

/* Sets the entry's owner and key, shared with the entry before where that has the same owner. */
static int set_owner(struct zone_builder *builder, struct entry *entry, const uint8_t *owner)
{
	const struct entry *before = builder->count > 0 ? entry - 1 : NULL;
	size_t length = name_wire_length(owner);
	uint8_t key[KEY_MAX];

	if (before && name_wire_length(before->owner) == length &&
	    memcmp(before->owner, owner, length) == 0) {
		entry->owner = before->owner;
		entry->key = before->key;
		entry->key_length = before->key_length;
		entry->key_start = before->key_start;
		return 0;
	}
	entry->key_length = (uint16_t)write_key(builder, key);
	entry->key_start = key_start(key, entry->key_length);
	entry->key = copy_bytes(builder, key, entry->key_length);
	entry->owner = copy_bytes(builder, owner, length);
	return entry->key && entry->owner ? 0 : ERR_NOMEM;
}

static struct entry *new_entry(struct zone_builder *builder)
{
	size_t room = builder->room == 0 ? 64 : builder->room * 2;
	struct entry *entries;

	if (builder->count == builder->room) {
		if (room > UINT32_MAX)
			return NULL;
		entries = reallocarray(builder->entries, room, sizeof *entries);
		if (!entries)
			return NULL;
		builder->entries = entries;
		builder->room = room;
	}
	return &builder->entries[builder->count];
}

int zone_builder_keep(struct zone_builder *builder, const struct origin *origin,
		      const uint8_t *owner, uint16_t type, uint32_t ttl, const uint8_t *rdata,
		      size_t rdata_length)
{
	struct entry *entry = new_entry(builder);

	if (!entry)
		goto out_of_memory;
	*entry = (struct entry){.line = origin->line,
				.ttl = ttl,
				.order = (uint32_t)builder->count,
				.type = type,
				.rdata_length = (uint16_t)rdata_length};
	entry->source = find_source(builder, origin);
	entry->rdata = copy_bytes(builder, rdata, rdata_length);
	if (!entry->source || !entry->rdata || set_owner(builder, entry, owner) != 0)
		goto out_of_memory;
	builder->count++;
	return 0;

out_of_memory:
	builder->out_of_memory = true;
	return ERR_NOMEM;
}

/* What is wrong with a record at this owner whatever else there is, as a format with the owner's
 * name as its only argument; NULL when nothing is. */
static const char *misplaced(const struct zone_builder *builder, const uint8_t *owner,
			     uint16_t type)
{
	bool at_apex = builder->owner.labels == builder->apex.labels;
	bool at_wildcard = owner[0] == 1 && owner[1] == '*';

	if (type == TYPE_SOA && !at_apex)
		return "a SOA at %s; the only one of a zone is at its apex";
	if (type == TYPE_NS && !at_apex)
		return "NS at %s, below the apex: a private zone has no delegations; make it a "
		       "zone of its own, or forward it with a rule";
	if (type == TYPE_CNAME && at_apex)
		return "a CNAME at the apex %s, beside the SOA; use A and AAAA there";
	if (type == TYPE_DNAME && at_wildcard)
		return "a DNAME at the wildcard %s; a DNAME's owner is a name that exists "
		       "(RFC 6672 section 3.3)";
	return NULL;
}

static bool check_record(struct zone_builder *builder, const struct origin *origin,
			 const uint8_t *owner, uint16_t type, uint32_t ttl, const uint8_t *rdata,
			 size_t rdata_length, struct faults *faults)
{
	size_t before = faults->errors;
	char text[NAME_TEXT_MAX], apex[NAME_TEXT_MAX], type_text[16];
	const char *wrong;

	record_type_print(type, type_text, sizeof type_text);
	if (name_from_wire(&builder->owner, &builder->key, owner, name_wire_length(owner), 0,
			   NULL) != 0)
		fault_add(faults, FAULT_ERROR, origin, NULL, "the owner is not a name");
	else if (!name_is_under(&builder->owner, &builder->apex))
		fault_add(faults, FAULT_ERROR, origin, NULL,
			  "%s is outside the zone %s; check for a missing or needless final dot, "
			  "and $ORIGIN",
			  name_wire_to_text(owner, text), name_to_text(&builder->apex, apex));
	else if ((wrong = misplaced(builder, owner, type)))
		fault_add(faults, FAULT_ERROR, origin, NULL, wrong, name_wire_to_text(owner, text));
	if (!record_type_is_data(type))
		fault_add(faults, FAULT_ERROR, origin, NULL,
			  "%s cannot be data of a zone; it occurs in messages only", type_text);
	else if (!rdata_is_valid(type, rdata, rdata_length))
		fault_add(faults, FAULT_ERROR, origin, NULL, "the data is not that of a %s record",
			  type_text);
	if (ttl > TTL_MAX)
		fault_add(faults, FAULT_ERROR, origin, NULL, "TTL %u is over %d seconds", ttl,
			  TTL_MAX);
	return faults->errors == before;
}

int zone_builder_add(struct zone_builder *builder, const struct origin *origin,
		     const uint8_t *owner, uint16_t type, uint32_t ttl, const uint8_t *rdata,
		     size_t rdata_length, struct faults *faults)
{
	if (!check_record(builder, origin, owner, type, ttl, rdata, rdata_length, faults)) {
		builder->broken = true;
		return ERR_FAULTS;
	}
	builder->has_soa |= type == TYPE_SOA;
	return zone_builder_keep(builder, origin, owner, type, ttl, rdata, rdata_length);
}
