/* Builds a zone: gather, sort, check, place.
 *
 *     zone_builder_add     record by record: checks each record by itself
 *     zone_builder_finish  sort by (owner in canonical order, type, rdata)
 *                          check   owner by owner, set by set; counts the zone's contents
 *                          place   into one piece of exactly that size
 *
 * Every record has a sort key that memcmp orders as RFC 4034 section 6.1 orders names (tree.h).
 *
 * Not checked here: the number of records (limits.h), and whether the name that a record points to
 * exists. */
#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "rules/array.h"
#include "rules/base.h"
#include "rules/reverse.h"
#include "rules/text.h"
#include "rules/wire.h"
#include "rules/zone/layout.h"
#include "rules/zone/rdata.h"
#include "rules/zone/zone.h"

enum {
	TTL_MAX = INT32_MAX, /* RFC 2181 section 8 */
	/* The most bytes that one RRset can have in a message of 65535 bytes, beside its header,
	 * question and OPT. */
	SET_WIRE_MAX = 65535 - 12 - (NAME_WIRE_MAX + 4) - 11,
	WARNINGS_MAX = 20,
	LINE_TEXT_MAX = 40 + 255, /* "line 7 of FILE"; a longer path is cut */
	ASIDE_MAX = LINE_TEXT_MAX + 32,
	SOA_TTL = 3600,        /* seconds, for a made-up SOA */
	SOA_MINIMUM_BYTES = 4, /* at the end of a SOA's rdata */
};

/* The origin of records: one for successive records with the same file and path. */
struct record_source {
	const char *file, *path; /* "" for none */
};

struct build_record {       /* a record */
	uint64_t key_start; /* the key's first eight bytes, which decide most comparisons */
	const uint8_t *key, *owner, *rdata;
	const struct record_source *source;
	uint32_t line, ttl;
	uint32_t order; /* its number, as added */
	uint16_t key_length, type, rdata_length;
	bool duplicate;
};

struct zone_builder {
	struct arena arena; /* keys, owners, rdata, sources */
	struct hash_key key;
	struct name apex;
	struct build_record *entries;
	size_t count, room;
	const struct record_source *source; /* of the last added record */
	struct name owner;                  /* of the current record */
	/* The apex twice. doubled_length 0: too long, or the apex has less than two labels. */
	uint8_t doubled[NAME_WIRE_MAX];
	size_t doubled_length;
	size_t warnings;       /* found, reported or not */
	struct origin warning; /* of the last line with one */
	bool has_soa;
	bool broken; /* there were errors, so it gives no zone */
	bool out_of_memory;
};

/* ---- gather ---- */

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

static const struct record_source *find_source(struct zone_builder *builder,
					       const struct origin *origin)
{
	const char *file = origin->file ? origin->file : "";
	const char *path = origin->path ? origin->path : "";
	struct record_source *source;

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

static const uint8_t *copy_bytes(struct zone_builder *builder, const uint8_t *bytes, size_t length)
{
	uint8_t *copy = arena_alloc_bytes(&builder->arena, length);

	if (copy && length > 0)
		memcpy(copy, bytes, length);
	return copy;
}

/* Sets the entry's owner and key, shared with the last entry if it has the same owner. */
static int set_owner(struct zone_builder *builder, struct build_record *entry, const uint8_t *owner)
{
	const struct build_record *before = builder->count > 0 ? entry - 1 : NULL;
	size_t length = name_wire_length(owner);
	uint8_t bytes[ZONE_KEY_MAX];

	if (before && name_wire_length(before->owner) == length &&
	    memcmp(before->owner, owner, length) == 0) {
		entry->owner = before->owner;
		entry->key = before->key;
		entry->key_length = before->key_length;
		entry->key_start = before->key_start;
		return 0;
	}
	entry->key_length = (uint16_t)zone_key_write(&builder->owner, builder->apex.labels, bytes);
	entry->key_start = zone_key_of(bytes, entry->key_length).start;
	entry->key = copy_bytes(builder, bytes, entry->key_length);
	entry->owner = copy_bytes(builder, owner, length);
	return entry->key && entry->owner ? 0 : ERR_NOMEM;
}

static struct build_record *new_entry(struct zone_builder *builder)
{
	struct build_record *entries;

	if (builder->count == UINT32_MAX)
		return NULL;
	entries = array_grow(builder->entries, builder->count, &builder->room, sizeof *entries);
	if (!entries)
		return NULL;
	builder->entries = entries;
	return &entries[builder->count];
}

/* Adds a checked record, whose owner must also be in builder->owner. */
static int keep_record(struct zone_builder *builder, const struct origin *origin,
		       const uint8_t *owner, uint16_t type, uint32_t ttl, const uint8_t *rdata,
		       size_t rdata_length)
{
	struct build_record *entry = new_entry(builder);

	if (!entry)
		goto out_of_memory;
	*entry = (struct build_record){.line = origin->line,
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

/* Why a record of this type cannot have this owner, independently of other records, as a format
 * with the owner's name as its only argument; NULL: it can. */
static const char *misplaced(const struct zone_builder *builder, const uint8_t *owner,
			     uint16_t type)
{
	bool at_apex = builder->owner.labels == builder->apex.labels;
	bool at_wildcard = owner[0] == 1 && owner[1] == '*';

	if (type == TYPE_SOA && !at_apex)
		return "a SOA at %s, below the apex; a zone has one, at its apex";
	if (type == TYPE_NS && !at_apex)
		return "NS at %s, below the apex: a private zone has no delegations, and comes "
		       "before every rule; make it a zone of its own, or forward the whole zone "
		       "with a rule, to a server that has it";
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

	if (name_from_wire(&builder->owner, &builder->key, owner, name_wire_length(owner), 0,
			   NULL) != 0)
		fault_add(faults, FAULT_ERROR, origin, NULL, "the owner is not a name");
	else if (!name_is_under(&builder->owner, &builder->apex))
		fault_add(faults, FAULT_ERROR, origin, NULL, ZONE_OUTSIDE,
			  name_wire_to_text(owner, text), name_to_text(&builder->apex, apex));
	else if ((wrong = misplaced(builder, owner, type)))
		fault_add(faults, FAULT_ERROR, origin, NULL, wrong, name_wire_to_text(owner, text));
	if (!record_type_is_data(type))
		fault_add(faults, FAULT_ERROR, origin, NULL,
			  "%s cannot be data of a zone; it occurs in messages only",
			  record_type_print(type, type_text, sizeof type_text));
	else if (!rdata_is_valid(type, rdata, rdata_length))
		fault_add(faults, FAULT_ERROR, origin, NULL, "the data is not that of a %s record",
			  record_type_print(type, type_text, sizeof type_text));
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
	return keep_record(builder, origin, owner, type, ttl, rdata, rdata_length);
}

struct span { /* the entries of one owner, or of one RRset */
	struct build_record *items;
	size_t count;
};

struct totals { /* the zone's contents, counted */
	size_t nodes, sets, records;
	size_t bytes; /* of the body */
};

/* ---- sort ----
 *
 * In this order a name's descendants follow it; a name is below another if its key begins with the
 * other's; and the empty non-terminals between two neighbours are the labels that they do not
 * share:
 *
 *     corp.test                 node
 *     a.corp.test               node
 *     x.y.a.corp.test           node, and y.a.corp.test before it
 *     z.y.a.corp.test           node
 *
 * Within an RRset the records get the operator's order back. */

static int compare_keys(const struct build_record *a, const struct build_record *b)
{
	size_t shorter = a->key_length < b->key_length ? a->key_length : b->key_length;
	int order;

	if (a->key_start != b->key_start)
		return a->key_start < b->key_start ? -1 : 1;
	if (a->key == b->key)
		return 0;
	order = memcmp(a->key, b->key, shorter);
	return order != 0 ? order : (int)a->key_length - (int)b->key_length;
}

/* The SOA comes first, as needed for zone files and transfers. */
static int type_rank(const struct build_record *entry)
{
	return entry->type == TYPE_SOA ? 0 : entry->type;
}

/* Compares entries of one type. */
static int compare_rdata(const struct build_record *a, const struct build_record *b)
{
	if (a->rdata_length != b->rdata_length)
		return (int)a->rdata_length - (int)b->rdata_length;
	return record_compare_rdata(a->type, a->rdata, b->rdata, a->rdata_length);
}

static int compare_order(const struct build_record *a, const struct build_record *b)
{
	return a->order < b->order ? -1 : a->order > b->order;
}

static int compare_entries(const void *left, const void *right)
{
	const struct build_record *a = left, *b = right;
	int order = compare_keys(a, b);

	if (order == 0)
		order = type_rank(a) - type_rank(b);
	if (order == 0)
		order = compare_rdata(a, b);
	return order != 0 ? order : compare_order(a, b);
}

/* Orders an RRset as added, with duplicates last. */
static int compare_within_set(const void *left, const void *right)
{
	const struct build_record *a = left, *b = right;

	return a->duplicate != b->duplicate ? a->duplicate - b->duplicate : compare_order(a, b);
}

static struct span owner_span(struct build_record *items, size_t count)
{
	struct span span = {items, 1};

	while (span.count < count && compare_keys(items, items + span.count) == 0)
		span.count++;
	return span;
}

static struct span set_span(struct build_record *items, size_t count)
{
	struct span span = {items, 1};

	while (span.count < count && items[span.count].type == items->type)
		span.count++;
	return span;
}

/* Marks duplicates, gives all records of the set the lowest TTL (RFC 2181 section 5.2), and
 * restores the order of the file. */
static void finish_set(struct span set)
{
	uint32_t ttl = set.items->ttl;

	for (size_t i = 1; i < set.count; i++) {
		set.items[i].duplicate = compare_rdata(&set.items[i - 1], &set.items[i]) == 0;
		if (set.items[i].ttl < ttl)
			ttl = set.items[i].ttl;
	}
	for (size_t i = 0; i < set.count; i++)
		set.items[i].ttl = ttl;
	if (set.count > 1)
		qsort(set.items, set.count, sizeof *set.items, compare_within_set);
}

static struct span without_duplicates(struct span set)
{
	while (set.items[set.count - 1].duplicate)
		set.count--;
	return set;
}

static size_t wire_length(struct span set)
{
	size_t length = 0;

	for (size_t i = 0; i < set.count; i++)
		length += RECORD_HEADER + (size_t)set.items[i].rdata_length;
	return length;
}

static struct origin entry_origin(const struct build_record *entry)
{
	const struct record_source *source = entry->source;

	return (struct origin){.file = *source->file != '\0' ? source->file : NULL,
			       .path = *source->path != '\0' ? source->path : NULL,
			       .line = entry->line};
}

/* The line of `entry`, for a fault about the record `from`: "line 7" if both are in the same file,
 * else "line 7 of FILE". */
static const char *line_text(const struct build_record *entry, const struct build_record *from,
			     char text[LINE_TEXT_MAX])
{
	const char *file = entry->source->file;
	bool here = strcmp(file, from->source->file) == 0;

	snprintf(text, LINE_TEXT_MAX, "line %u%s%s", entry->line, here ? "" : " of ",
		 here ? "" : file);
	return text;
}

/* ---- warn ----
 *
 * Valid contents of a zone file that are surely not intended:
 *
 *     mail.corp.test  A                    in corp.test: mail.corp.test.corp.test, without a dot
 *     www             CNAME web.corp.test  the same in its target
 *     www 60 A, www 300 A                  a set must have one TTL (RFC 2181 section 5.2)
 *     mail            MX 10 10.10.1.5      an address instead of a host's name
 *
 * At an apex of one label a doubled name is no warning, because intranet.intranet may be intended.
 * Only the first few warnings are given, because such an error usually occurs in many places. */

static void __attribute__((format(printf, 4, 5)))
warn(struct zone_builder *builder, const struct build_record *entry, struct faults *faults,
     const char *format, ...)
{
	struct origin origin = entry_origin(entry);
	char text[2 * NAME_TEXT_MAX + 128];
	va_list arguments;

	if (builder->warnings == 0 || origin.line > builder->warning.line)
		builder->warning = origin;
	if (builder->warnings++ >= WARNINGS_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	fault_add(faults, FAULT_WARNING, &origin, NULL, "%s", text);
}

static bool is_doubled(const struct zone_builder *builder, const uint8_t *name)
{
	size_t wanted = builder->doubled_length, length = name_wire_length(name);

	if (wanted == 0)
		return false;
	for (; length > wanted; length -= *name + 1U, name += *name + 1)
		;
	return length == wanted && name_wire_equal(name, builder->doubled);
}

/* The name that this record points to, for types whose final dot is often forgotten. */
static const uint8_t *find_target(const struct build_record *entry)
{
	unsigned jumps = 0;
	size_t end;

	switch (entry->type) {
	case TYPE_NS:
	case TYPE_CNAME:
	case TYPE_SOA: /* the first name server */
	case TYPE_PTR:
	case TYPE_DNAME: return entry->rdata;
	case TYPE_MX:
	case TYPE_AFSDB:
	case TYPE_KX: return entry->rdata + 2;
	case TYPE_SVCB:
	case TYPE_HTTPS: /* the rdata may be anything (RFC 3597) */
		return wire_skip_name(entry->rdata, entry->rdata_length, 2, 2, &end, &jumps)
			       ? entry->rdata + 2
			       : NULL;
	case TYPE_SRV: return entry->rdata + 6;
	default: return NULL;
	}
}

/* Whether the name is an address, alone or followed by the zone's name. In a reverse zone, whose
 * names consist of such numbers, only an address alone counts. */
static bool is_address(const struct zone_builder *builder, const uint8_t *name)
{
	size_t length = name_wire_length(name), apex, end;
	uint8_t alone[NAME_WIRE_MAX];
	char text[NAME_TEXT_MAX];
	struct address address;
	struct prefix prefix;
	unsigned rest;

	if (name[0] == 0 || (!isxdigit(name[1]) && name[1] != ':'))
		return false;
	apex = name_wire_find_suffix(name, builder->apex.wire);
	if (apex != SIZE_MAX && apex > 0 && !reverse_parse(&builder->apex, &prefix, &rest))
		length = apex + 1;
	memcpy(alone, name, length - 1);
	alone[length - 1] = 0;
	name_wire_to_text(alone, text);
	end = strlen(text) - 1; /* the final dot */
	text[end] = '\0';
	return address_parse(&address, text) == 0;
}

/* The span's first record, in the order of the file. */
static const struct build_record *first_of(struct span span)
{
	const struct build_record *first = span.items;

	for (size_t i = 1; i < span.count; i++) {
		if (span.items[i].order < first->order)
			first = &span.items[i];
	}
	return first;
}

static void warn_target(struct zone_builder *builder, const struct build_record *entry,
			const uint8_t *target, struct faults *faults)
{
	bool address = is_address(builder, target);
	char name[NAME_TEXT_MAX], target_name[NAME_TEXT_MAX], type[16];

	if (address || is_doubled(builder, target))
		warn(builder, entry, faults, "the %s of %s points to %s, which %s",
		     record_type_print(entry->type, type, sizeof type),
		     name_wire_to_text(entry->owner, name), name_wire_to_text(target, target_name),
		     address ? "is an address; give the name of a host that has it"
			     : "ends with the zone's name twice; a final dot is missing");
}

static void warn_owner(struct zone_builder *builder, struct span owner, struct faults *faults)
{
	char name[NAME_TEXT_MAX];

	if (is_doubled(builder, owner.items->owner))
		warn(builder, first_of(owner), faults,
		     "%s ends with the zone's name twice; a final dot is missing",
		     name_wire_to_text(owner.items->owner, name));
	for (size_t i = 0; i < owner.count; i++) {
		const struct build_record *entry = &owner.items[i];
		const uint8_t *target = find_target(entry);

		if (target && !entry->duplicate)
			warn_target(builder, entry, target, faults);
	}
}

static void warn_ttls(struct zone_builder *builder, struct span set, struct faults *faults)
{
	const struct build_record *first = first_of(set), *other = NULL;
	uint32_t lowest = first->ttl;
	char name[NAME_TEXT_MAX], type[16], line[LINE_TEXT_MAX];

	for (size_t i = 0; i < set.count; i++) {
		const struct build_record *entry = &set.items[i];

		if (entry->ttl < lowest)
			lowest = entry->ttl;
		if (entry->ttl != first->ttl && (!other || entry->order < other->order))
			other = entry;
	}
	if (!other)
		return;
	record_type_print(other->type, type, sizeof type);
	warn(builder, other, faults,
	     "the %s data of %s has TTL %u here and %u on %s; the lowest, %u, is used for all of "
	     "it",
	     type, name_wire_to_text(other->owner, name), other->ttl, first->ttl,
	     line_text(first, other, line), lowest);
}

void zone_builder_warn_rest(struct zone_builder *builder, struct faults *faults)
{
	if (builder->warnings > WARNINGS_MAX)
		fault_add(faults, FAULT_WARNING, &builder->warning, NULL,
			  "%zu more such warning%s in this zone", builder->warnings - WARNINGS_MAX,
			  text_plural(builder->warnings - WARNINGS_MAX, "", "s"));
}

/* ---- check ---- */

/* `rest`: the format's last argument, after the owner and the type. */
static void refuse(struct zone_builder *builder, const struct build_record *entry,
		   struct faults *faults, const char *format, const char *type, const char *rest)
{
	struct origin origin = entry_origin(entry);
	char text[NAME_TEXT_MAX];

	builder->broken = true;
	fault_add(faults, FAULT_ERROR, &origin, NULL, format, name_wire_to_text(entry->owner, text),
		  type, rest);
}

/* " (line 7)" or " (line 7 of FILE)", as in line_text; "" for a record from no file. */
static const char *aside(const struct build_record *entry, const struct build_record *from,
			 char text[ASIDE_MAX])
{
	char line[LINE_TEXT_MAX];

	*text = '\0';
	if (entry->line > 0)
		snprintf(text, ASIDE_MAX, " (%s)", line_text(entry, from, line));
	return text;
}

static bool may_stand_beside_cname(uint16_t type)
{
	enum { TYPE_SIG = 24, TYPE_KEY = 25, TYPE_NXT = 30 };

	/* RFC 2181 section 10.1, RFC 4035 section 2.5. */
	return type == TYPE_CNAME || type == TYPE_RRSIG || type == TYPE_NSEC || type == TYPE_SIG ||
	       type == TYPE_KEY || type == TYPE_NXT;
}

static void check_cname(struct zone_builder *builder, struct span owner, struct faults *faults)
{
	const struct build_record *cname = NULL, *other = NULL;
	char type[16], where[ASIDE_MAX];

	for (size_t i = 0; i < owner.count; i++) {
		const struct build_record *entry = &owner.items[i];

		if (!cname && entry->type == TYPE_CNAME)
			cname = entry;
		if (!other && !may_stand_beside_cname(entry->type))
			other = entry;
	}
	if (!cname || !other)
		return;
	record_type_print(other->type, type, sizeof type);
	if (cname->order > other->order)
		refuse(builder, cname, faults,
		       "%s has a CNAME beside %s data%s; a CNAME stands alone", type,
		       aside(other, cname, where));
	else
		refuse(builder, other, faults,
		       "%s has %s data beside a CNAME%s; a CNAME stands alone", type,
		       aside(cname, other, where));
}

static void check_set(struct zone_builder *builder, struct span set, struct faults *faults)
{
	uint16_t type = set.items->type;
	char text[16], line[LINE_TEXT_MAX], rest[ASIDE_MAX] = "";

	record_type_print(type, text, sizeof text);
	if ((type == TYPE_SOA || type == TYPE_CNAME || type == TYPE_DNAME) && set.count > 1) {
		if (set.items[0].line > 0)
			snprintf(rest, sizeof rest, ", the first is on %s",
				 line_text(&set.items[0], &set.items[1], line));
		refuse(builder, &set.items[1], faults, "%s has a second %s%s; keep one of them",
		       text, rest);
	}
	if (wire_length(set) > SET_WIRE_MAX) {
		snprintf(rest, sizeof rest, "%u", (unsigned)SET_WIRE_MAX);
		refuse(builder, &set.items[set.count - 1], faults,
		       "%s has more %s data than a DNS message can carry (%s bytes); spread it "
		       "over several names",
		       text, rest);
	}
}

/* Refuses data below a DNAME, which could never be reached (RFC 6672 section 2.4). */
static void check_cover(struct zone_builder *builder, const struct build_record *dname,
			struct span owner, struct faults *faults)
{
	char where[ASIDE_MAX], text[NAME_TEXT_MAX];

	for (size_t i = 0; i < owner.count; i++) {
		struct origin origin = entry_origin(&owner.items[i]);

		if (owner.items[i].duplicate)
			continue;
		builder->broken = true;
		fault_add(faults, FAULT_ERROR, &origin, NULL, ZONE_BELOW_DNAME,
			  name_wire_to_text(owner.items[i].owner, text),
			  aside(dname, &owner.items[i], where));
	}
}

static bool is_below(const struct build_record *entry, const struct build_record *upper)
{
	return entry->key_length > upper->key_length &&
	       memcmp(entry->key, upper->key, upper->key_length) == 0;
}

static size_t common_labels(const struct build_record *a, const struct build_record *b)
{
	size_t labels = 0;

	for (size_t i = 0; i < a->key_length && i < b->key_length && a->key[i] == b->key[i]; i++)
		labels += a->key[i] == 0;
	return labels;
}

static size_t count_between(const struct build_record *before, const struct build_record *entry)
{
	return !before ? 0 : common_labels(entry, entry) - common_labels(before, entry) - 1;
}

/* Counts the nodes of an owner and of the empty non-terminals between the last owner and it. */
static void count_nodes(struct totals *totals, const struct build_record *before,
			const struct build_record *entry)
{
	const uint8_t *owner = entry->owner;
	size_t between = count_between(before, entry);

	for (size_t i = 0; i <= between; i++) {
		totals->nodes++;
		totals->bytes += zone_sets_at(name_wire_length(owner));
		owner += 1 + owner[0];
	}
}

static void sort_and_check(struct zone_builder *builder, struct totals *totals,
			   struct faults *faults)
{
	const struct build_record *before = NULL, *dname = NULL;
	struct span owner, set;

	*totals = (struct totals){0};
	if (builder->count > 0)
		qsort(builder->entries, builder->count, sizeof *builder->entries, compare_entries);
	for (size_t i = 0; i < builder->count; i += owner.count) {
		owner = owner_span(builder->entries + i, builder->count - i);
		count_nodes(totals, before, owner.items);
		before = owner.items;
		for (size_t n = 0; n < owner.count; n += set.count) {
			set = set_span(owner.items + n, owner.count - n);
			warn_ttls(builder, set, faults);
			finish_set(set);
			check_set(builder, without_duplicates(set), faults);
			totals->sets++;
			totals->records += without_duplicates(set).count;
			totals->bytes += zone_set_bytes(wire_length(without_duplicates(set)));
		}
		check_cname(builder, owner, faults);
		warn_owner(builder, owner, faults);
		if (dname && is_below(owner.items, dname)) {
			check_cover(builder, dname, owner, faults);
			continue;
		}
		for (size_t n = 0; n < owner.count; n++) {
			if (owner.items[n].type == TYPE_DNAME)
				dname = &owner.items[n];
		}
	}
}

/* ---- place ----
 *
 * Places nodes with their RRsets in canonical order into one piece of exactly the counted size, so
 * that a small zone is small and a record among a million costs little more than its bytes. A zone
 * without a SOA in its file gets one here, as in Azure private zones. */

struct placer {
	struct zone *zone;
	size_t used; /* bytes of the body */
};

/* MNAME is the apex; RNAME is hostmaster below it, or the apex if that would be too long. */
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
	return keep_record(builder, origin, apex->wire, TYPE_SOA, SOA_TTL, rdata, at);
}

static void insert_slot(struct zone *zone, uint64_t hash, size_t node_at)
{
	size_t slot = hash & zone->slot_mask;

	while (zone->slots[slot].node != 0)
		slot = (slot + 1) & zone->slot_mask;
	zone->slots[slot] = (struct zone_slot){.hash = zone_slot_hash(hash),
					       .node = (uint32_t)(node_at / ZONE_UNIT) + 1};
}

/* Places a node without sets for the owner's suffix that starts at label `first`. */
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

static void write_header(uint8_t *at, const struct build_record *entry)
{
	wire_put16(at, 0xc00c);
	wire_put16(at + 2, entry->type);
	wire_put16(at + 4, CLASS_IN);
	wire_put32(at + 6, entry->ttl);
	wire_put16(at + 10, (uint16_t)entry->rdata_length);
}

/* Appends the set to the node; there is room for it. */
static void place_set(struct zone_node *node, struct span set)
{
	struct rrset *rrset = (struct rrset *)(void *)((uint8_t *)node + node->bytes);
	uint8_t *at = rrset->wire;

	set = without_duplicates(set);
	rrset->type = set.items->type;
	rrset->count = (uint16_t)set.count;
	rrset->ttl = set.items->ttl;
	rrset->length = (uint32_t)wire_length(set);
	for (size_t i = 0; i < set.count; i++) {
		write_header(at, &set.items[i]);
		memcpy(at + RECORD_HEADER, set.items[i].rdata, set.items[i].rdata_length);
		at += RECORD_HEADER + set.items[i].rdata_length;
	}
	node->count++;
	node->bytes += (uint32_t)zone_set_bytes(rrset->length);
}

static void place_sets(struct zone_node *node, struct span owner)
{
	struct span set;

	for (size_t i = 0; i < owner.count; i += set.count) {
		set = set_span(owner.items + i, owner.count - i);
		place_set(node, set);
	}
}

/* Places the nodes between the last owner and this one, this owner's node, and its sets. */
static void place_owner(struct placer *placer, const struct build_record *before, struct span owner)
{
	const uint8_t *wire = owner.items->owner;
	struct zone_node *node;
	struct name name;
	int err;

	err = name_from_wire(&name, &placer->zone->key, wire, name_wire_length(wire), 0, NULL);
	assert(err == 0); /* it was checked when added */
	(void)err;
	if (name.labels > placer->zone->labels_max)
		placer->zone->labels_max = name.labels;
	for (size_t i = count_between(before, owner.items); i > 0; i--)
		place_node(placer, &name, (unsigned)i, wire);
	node = place_node(placer, &name, 0, wire);
	place_sets(node, owner);
	placer->used += node->bytes - node->sets_at;
}

/* Its TTL is the lesser of the SOA's TTL and MINIMUM (RFC 2308 section 5). */
struct rrset *zone_copy_negative_soa(struct arena *arena, const struct rrset *soa)
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
	const struct build_record *before = NULL;
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
		owner = owner_span(builder->entries + i, builder->count - i);
		place_owner(&placer, before, owner);
		before = owner.items;
	}
	assert(placer.used == totals->bytes);
	assert(zone_first_set(zone_node_at(zone, 0))->type == TYPE_SOA);
	zone->negative_soa =
		zone_copy_negative_soa(&zone->arena, zone_first_set(zone_node_at(zone, 0)));
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
	if (!builder->out_of_memory) {
		sort_and_check(builder, &totals, faults);
		zone_builder_warn_rest(builder, faults);
	}
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

/* ---- a single owner ---- */

static void forget_records(struct zone_builder *builder)
{
	arena_release(&builder->arena);
	builder->count = 0;
	builder->source = NULL;
	builder->warning = (struct origin){0};
	builder->has_soa = builder->broken = builder->out_of_memory = false;
}

static struct zone_entry *place_entry(const struct zone_builder *builder, size_t bytes)
{
	const struct build_record *first = builder->entries;
	struct zone_key key = zone_key_of(first->key, first->key_length);
	struct zone_entry *entry = zone_entry_new(&key, bytes);
	size_t length = name_wire_length(first->owner);
	struct zone_node *node;

	if (!entry)
		return NULL;
	node = zone_entry_node(entry);
	memcpy(node->owner, first->owner, length);
	node->sets_at = (uint16_t)zone_sets_at(length);
	node->bytes = node->sets_at;
	place_sets(node, (struct span){builder->entries, builder->count});
	assert(node->bytes == bytes);
	return entry;
}

struct zone_entry *zone_builder_owner(struct zone_builder *builder, bool apex,
				      struct faults *faults)
{
	static const struct origin nowhere;
	struct zone_entry *entry = NULL;
	struct totals totals = {0};

	if (apex && !builder->has_soa && add_soa(builder, &nowhere) != 0)
		builder->out_of_memory = true;
	if (!builder->out_of_memory && builder->count > 0)
		sort_and_check(builder, &totals, faults);
	if (!builder->out_of_memory && !builder->broken) {
		entry = place_entry(builder, totals.bytes);
		builder->out_of_memory = entry == NULL;
	}
	if (builder->out_of_memory)
		fault_add(faults, FAULT_ERROR, &nowhere, NULL,
			  "there is not enough memory for the zone");
	forget_records(builder);
	return entry;
}
